//! What changed in meaning between two versions of a system.
//!
//! An architecture becomes a set of *things* (services, endpoints, calls, …), each with its identity and
//! what holds for it key by key, defaults resolved (`things`). Things of the same identity are compared,
//! calls that are now made at another endpoint are found (`compare`); beside them stand the findings by
//! their fingerprints (`findings`) and what `analysis` works out of both versions (`quantities`).
//!
//! What has no meaning shows nothing: the order of services and keys, comments, names of files, and in
//! which of them something stands, as long as the same defaults hold for it. A renamed service is another
//! service. `diff(a, b)` and `diff(b, a)` say the same with old and new exchanged.
//!
//! Owns the comparison. Must not know how it is printed, nor where the versions come from.

mod compare;
mod findings;
mod quantities;
mod things;

pub use findings::Gone;
pub use quantities::{QUANTITIES, Quantity, QuantityInfo, Step, Trend, Unit, Worse};
pub use things::Kind;

use crate::finding::{Finding, Severity};
use crate::model::Architecture;
use std::collections::BTreeMap;

/// One version of a system.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// What it means.
    pub arch: &'a Architecture,
    /// What is wrong with it, suppressed findings included.
    pub findings: &'a [Finding],
}

/// What happened to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Something else holds for it.
    Changed,
    /// It is done by another endpoint of the same service; perhaps something else holds as well.
    Moved,
}

impl What {
    /// `added`, `removed`, `changed` or `moved`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Moved => "moved",
        }
    }
}

/// What holds under a key, before and after.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// As in a document: `retry.num_retries`.
    pub key: String,
    /// What was said; `None` where nothing was.
    pub old: Option<String>,
    /// What is said now.
    pub new: Option<String>,
    /// What counts where nothing is said, if anything does.
    pub built_in: Option<&'static str>,
}

/// A difference of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is.
    pub kind: Kind,
    /// Its id, the new one of something that moved: `web GET / → cart GET /cart/{id}`.
    pub id: String,
    /// What happened to it.
    pub what: What,
    /// The id it had before it moved.
    pub moved_from: Option<String>,
    /// The service it is a part of or starts at, where it is none itself.
    pub of: Option<String>,
    /// What holds for it now and did not, or did and does not. All of it where it is new or gone.
    pub facts: Vec<Fact>,
}

/// All differences.
#[derive(Debug, Clone, Default)]
pub struct Diff {
    /// Of things, by kind and id.
    pub changes: Vec<Change>,
    /// Of what can be worked out, in the order of [`QUANTITIES`].
    pub quantities: Vec<Quantity>,
    /// Findings that were not there before, in their order.
    pub new: Vec<Finding>,
    /// Findings that are no longer there, in their order.
    pub gone: Vec<Gone>,
}

impl Diff {
    /// Whether the two versions mean the same.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.quantities.is_empty() && self.new.is_empty() && self.gone.is_empty()
    }

    /// The worst of the new findings.
    pub fn worst(&self) -> Option<Severity> {
        self.new.iter().map(|f| f.severity).max()
    }

    /// Whether something got worse: a new warning or error, or a quantity.
    pub fn is_worse(&self) -> bool {
        let found = self.worst().is_some_and(|w| w >= Severity::Warning);
        found || self.quantities.iter().any(|q| q.trend() == Trend::Worse)
    }
}

/// Compares two versions.
pub fn diff(old: Version<'_>, new: Version<'_>) -> Diff {
    let changes = compare::changes(things::of(old), things::of(new));
    let (found, gone) = findings::compare(old.findings, new.findings);
    Diff { changes, quantities: quantities::compare(old.arch, new.arch), new: found, gone }
}

/// Groups in the order of their keys, each in the order of its items.
fn grouped<K: Ord, T>(items: impl IntoIterator<Item = (K, T)>) -> BTreeMap<K, Vec<T>> {
    let mut groups: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for (key, item) in items {
        groups.entry(key).or_default().push(item);
    }
    groups
}
