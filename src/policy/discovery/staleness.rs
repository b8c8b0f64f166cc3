//! How long the dead are still called: the sum of everything between a crash and the caller.

use super::{PolicyInfo, ProbeSettings, RegistrySettings, Span};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "staleness",
    summary: "lease + sweep + server cache + client cache: how long a dead instance is still called",
    page: include_str!("staleness.md"),
};

/// One reason why a caller may still believe in an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Its name: `lease`, `sweep`, …
    pub name: &'static str,
    /// How much it adds at most.
    pub most: Span,
}

/// The terms that add up, in the order in which they pass.
///
/// ```
/// use loadpath::kernel::Span;
/// use loadpath::policy::discovery::{RegistrySettings, Staleness};
/// let secs = Span::from_secs;
/// let eureka = Staleness::registry(&RegistrySettings::default(), secs(30), secs(30));
/// assert_eq!(eureka.terms().map(|term| term.most.seconds()).collect::<Vec<_>>(), [180.0, 60.0, 30.0, 30.0]);
/// assert_eq!(eureka.most(), secs(300));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Staleness {
    terms: [Term; 4],
}

impl Staleness {
    /// Of a registry with leases: the instance dies right after a renewal, its lease ends right after a
    /// sweep, and so on. Self preservation and the cap on a sweep may hold it back for longer.
    pub fn registry(settings: &RegistrySettings, server_cache: Span, client_cache: Span) -> Self {
        let lease = if settings.doubled { settings.lease.times(2) } else { settings.lease };
        Self::of([
            ("lease", lease),
            ("sweep", settings.sweep),
            ("server cache", server_cache),
            ("client cache", client_cache),
        ])
    }

    /// Of a readiness probe: its failures in a row, the last one's timeout, and the way to the callers.
    pub fn probe(settings: &ProbeSettings, sync: Span, client_cache: Span) -> Self {
        let failures = settings.period.times(u64::from(settings.failure_threshold.max(1)));
        Self::of([
            ("probe failures", failures),
            ("probe timeout", settings.timeout),
            ("endpoints sync", sync),
            ("client cache", client_cache),
        ])
    }

    /// Each of them.
    pub fn terms(&self) -> impl Iterator<Item = Term> + '_ {
        self.terms.iter().copied()
    }

    /// All of them.
    pub fn most(&self) -> Span {
        self.terms.iter().fold(Span::ZERO, |sum, term| sum + term.most)
    }

    fn of(terms: [(&'static str, Span); 4]) -> Self {
        Self { terms: terms.map(|(name, most)| Term { name, most }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_called_for_half_a_minute() {
        let pod = Staleness::probe(&ProbeSettings::default(), Span::from_secs(1), Span::ZERO);
        assert_eq!(pod.most(), Span::from_secs(32));
    }
}
