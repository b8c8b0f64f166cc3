//! What a simulation had to assume, and what it leaves out, counted and said in a line each.

use std::collections::BTreeMap;

/// What nobody said, and what the engine does not know.
#[derive(Debug, Default)]
pub(super) struct Assumptions {
    /// By sentence: who is concerned, and of how many.
    missing: BTreeMap<&'static str, Vec<String>>,
    totals: BTreeMap<&'static str, usize>,
    left_out: BTreeMap<String, Vec<String>>,
}

impl Assumptions {
    /// Counts one of those that could have said `what`; with `who`, it did not.
    pub fn asked(&mut self, what: &'static str, who: Option<&str>) {
        *self.totals.entry(what).or_default() += 1;
        if let Some(who) = who {
            self.missing.entry(what).or_default().push(who.to_owned());
        }
    }

    /// Something the document says and the engine leaves out.
    pub fn leaves_out(&mut self, what: impl Into<String>, who: &str) {
        let list = self.left_out.entry(what.into()).or_default();
        if !list.iter().any(|w| w == who) {
            list.push(who.to_owned());
        }
    }

    /// `workers 1 for 9 of 12 services (ad, cart, … and 7 more)`.
    pub fn assumed(&self) -> Vec<String> {
        let line = |(what, who): (&&'static str, &Vec<String>)| {
            let total = self.totals.get(*what).copied().unwrap_or(who.len());
            let (what, unit) = what.split_once('|').unwrap_or((what, ""));
            format!("{what} for {} of {total} {unit}{}", who.len(), names(who))
        };
        self.missing.iter().map(line).collect()
    }

    /// `outlier_detection is not simulated yet (web → cart)`.
    pub fn left_out(&self) -> Vec<String> {
        self.left_out.iter().map(|(what, who)| format!("{what}{}", names(who))).collect()
    }
}

fn names(who: &[String]) -> String {
    let shown = who.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let more = if who.len() > 3 { format!(", and {} more", who.len() - 3) } else { String::new() };
    format!(" ({shown}{more})")
}
