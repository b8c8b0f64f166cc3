//! Copies that are brought up to date in the background: at fixed times, or some time after each change.

use std::collections::VecDeque;

use super::{PolicyInfo, Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "periodic_view",
    summary: "a copy refreshed in the background: Eureka's caches, DNS, Kubernetes endpoints",
    page: include_str!("view.md"),
};

/// A copy that is replaced every `interval`.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::discovery::Periodic;
/// let mut view = Periodic::new(Periodic::EUREKA, Time::ZERO);
/// assert!(view.due(Time::ZERO));
/// view.refresh([1, 2], Time::ZERO);
/// assert!(!view.due(Time::ZERO + Span::from_secs(29)) && view.due(Time::ZERO + Span::from_secs(30)));
/// assert_eq!(view.instances(), [1, 2], "until then, whatever happens");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Periodic {
    interval: Span,
    next: Time,
    taken: Option<Time>,
    list: Vec<u32>,
}

impl Periodic {
    /// Eureka's server response cache and its client's fetch: 30 s each.
    pub const EUREKA: Span = Span::from_secs(30);
    /// Envoy's `dns_refresh_rate`.
    pub const ENVOY_DNS: Span = Span::from_secs(5);

    /// Empty, with its first refresh at `first`.
    pub fn new(interval: Span, first: Time) -> Self {
        Self { interval, next: first, taken: None, list: Vec::new() }
    }

    /// Whether it must be refreshed.
    pub fn due(&self, now: Time) -> bool {
        now >= self.next
    }

    /// When it must be refreshed.
    pub const fn next(&self) -> Time {
        self.next
    }

    /// A new copy was taken.
    pub fn refresh(&mut self, instances: impl IntoIterator<Item = u32>, now: Time) {
        self.refresh_after(instances, now, self.interval);
    }

    /// The same, with its own time until the next refresh: see [`dns_refresh`].
    pub fn refresh_after(&mut self, instances: impl IntoIterator<Item = u32>, now: Time, wait: Span) {
        self.list.clear();
        self.list.extend(instances);
        self.taken = Some(now);
        self.next = now + wait;
    }

    /// The source did not answer: the old copy stays, the next try is one interval away.
    pub fn fail(&mut self, now: Time) {
        self.next = now + self.interval;
    }

    /// The copy.
    pub fn instances(&self) -> &[u32] {
        &self.list
    }

    /// How old it is; `None` before the first.
    pub fn age(&self, now: Time) -> Option<Span> {
        self.taken.map(|taken| now.since(taken))
    }
}

/// Until Envoy resolves a name again: the refresh rate, or the answer's own TTL where `respect_dns_ttl` is set
/// and the answer carries one. A TTL of zero counts as none.
pub fn dns_refresh(rate: Span, respect_ttl: bool, ttl: Option<Span>) -> Span {
    ttl.filter(|ttl| respect_ttl && !ttl.is_zero()).unwrap_or(rate)
}

/// Changes that arrive some time after they were made, in their order: endpoints in Kubernetes.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::discovery::Delayed;
/// let mut view = Delayed::new(Span::from_secs(1));
/// view.change(7, true, Time::ZERO);
/// assert!(view.instances(Time::ZERO).is_empty());
/// assert_eq!(view.instances(Time::ZERO + Span::from_secs(1)), [7]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delayed {
    delay: Span,
    coming: VecDeque<(Time, u32, bool)>,
    list: Vec<u32>,
}

impl Delayed {
    /// What it takes from a pod's readiness to the rules on every node: about 1 s.
    pub const KUBERNETES: Span = Span::from_secs(1);

    /// Nobody there.
    pub fn new(delay: Span) -> Self {
        Self { delay, coming: VecDeque::new(), list: Vec::new() }
    }

    /// An instance became an endpoint, or ceased to be one.
    pub fn change(&mut self, instance: u32, there: bool, now: Time) {
        self.coming.push_back((now + self.delay, instance, there));
    }

    /// Who is there as seen now, by number.
    pub fn instances(&mut self, now: Time) -> &[u32] {
        while let Some((at, instance, there)) = self.coming.front().copied()
            && at <= now
        {
            self.coming.pop_front();
            match (self.list.binary_search(&instance), there) {
                (Err(at), true) => self.list.insert(at, instance),
                (Ok(at), false) => drop(self.list.remove(at)),
                _ => {}
            }
        }
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_counts_where_it_is_respected() {
        let (rate, ttl) = (Periodic::ENVOY_DNS, Some(Span::from_secs(60)));
        assert_eq!(dns_refresh(rate, false, ttl), Span::from_secs(5));
        assert_eq!(dns_refresh(rate, true, ttl), Span::from_secs(60));
        assert_eq!(dns_refresh(rate, true, None), Span::from_secs(5));
        assert_eq!(dns_refresh(rate, true, Some(Span::ZERO)), Span::from_secs(5));
    }

    #[test]
    fn a_failed_refresh_keeps_the_old_copy() {
        let secs = |n| Time::ZERO + Span::from_secs(n);
        let mut view = Periodic::new(Span::from_secs(5), secs(0));
        view.refresh([3], secs(0));
        view.fail(secs(5));
        assert_eq!(
            (view.instances(), view.next(), view.age(secs(5))),
            (&[3][..], secs(10), Some(Span::from_secs(5)))
        );
    }
}
