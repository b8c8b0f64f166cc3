//! Findings of one version beside those of another, by identity.

use super::grouped;
use crate::finding::Finding;
use std::collections::BTreeSet;

/// A finding that is no longer raised.
#[derive(Debug, Clone)]
pub struct Gone {
    /// As it was.
    pub finding: Finding,
    /// It is still there, and a comment suppresses it now.
    pub suppressed: bool,
}

/// What is raised now and was not, and the other way round. Of findings of one identity the last ones are
/// those that are new or gone.
pub(super) fn compare(old: &[Finding], new: &[Finding]) -> (Vec<Finding>, Vec<Gone>) {
    let found = surplus(new, old).into_iter().cloned().collect();
    let silent: BTreeSet<String> = new.iter().filter(|f| f.suppressed).map(Finding::fingerprint).collect();
    let gone = surplus(old, new).into_iter();
    let gone = gone.map(|f| Gone { finding: f.clone(), suppressed: silent.contains(&f.fingerprint()) });
    (found, gone.collect())
}

/// The findings of one side that the other has not, in their order.
fn surplus<'f>(one: &'f [Finding], other: &[Finding]) -> Vec<&'f Finding> {
    let counting = |f: &&Finding| !f.suppressed;
    let others = grouped(other.iter().filter(counting).map(|f| (f.fingerprint(), ())));
    let ours =
        grouped(one.iter().enumerate().filter(|(_, f)| !f.suppressed).map(|(i, f)| (f.fingerprint(), i)));
    let mut left: Vec<usize> = Vec::new();
    for (fingerprint, places) in ours {
        let has = others.get(&fingerprint).map_or(0, Vec::len);
        left.extend(places.into_iter().skip(has));
    }
    left.sort_unstable();
    left.into_iter().filter_map(|i| one.get(i)).collect()
}
