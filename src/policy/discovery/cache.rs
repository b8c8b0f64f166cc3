//! A caller's own copy of the answer, good for a while.

use super::{PolicyInfo, Span, Time};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "client_cache",
    summary: "a caller asks again when its answer is older than a TTL",
    page: include_str!("cache.md"),
};

/// How long answers are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// For an answer with instances. Default 30 s.
    pub ttl: Span,
    /// For an empty one. Default: not kept.
    pub negative_ttl: Span,
    /// How long an old answer is still good when asking failed. Default not at all.
    pub stale_if_error: Span,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { ttl: Span::from_secs(30), negative_ttl: Span::ZERO, stale_if_error: Span::ZERO }
    }
}

/// What a cache says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// Use this.
    Hit(&'a [u32]),
    /// Ask, then [`ClientCache::fill`] or [`ClientCache::fail`].
    Miss,
}

/// One caller's answer for one service.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::discovery::{CacheSettings, ClientCache, Lookup};
/// let mut cache = ClientCache::new(CacheSettings::default());
/// assert_eq!(cache.get(Time::ZERO), Lookup::Miss);
/// cache.fill([4, 5], Time::ZERO);
/// assert_eq!(cache.get(Time::ZERO + Span::from_secs(29)), Lookup::Hit(&[4, 5]));
/// assert_eq!(cache.get(Time::ZERO + Span::from_secs(30)), Lookup::Miss);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCache {
    settings: CacheSettings,
    list: Vec<u32>,
    /// The answer names its instances in ascending order, as registries do.
    sorted: bool,
    filled: Option<Time>,
}

impl ClientCache {
    /// Empty: the first look is a miss.
    pub fn new(settings: CacheSettings) -> Self {
        Self { settings, list: Vec::new(), sorted: true, filled: None }
    }

    /// The answer, as long as it is good.
    pub fn get(&self, now: Time) -> Lookup<'_> {
        let ttl = if self.list.is_empty() { self.settings.negative_ttl } else { self.settings.ttl };
        match self.filled {
            Some(filled) if now.since(filled) < ttl => Lookup::Hit(&self.list),
            _ => Lookup::Miss,
        }
    }

    /// Whether the answer names this instance, however old it is.
    pub fn contains(&self, instance: u32) -> bool {
        if self.sorted { self.list.binary_search(&instance).is_ok() } else { self.list.contains(&instance) }
    }

    /// An answer came.
    pub fn fill(&mut self, instances: impl IntoIterator<Item = u32>, now: Time) {
        self.list.clear();
        self.list.extend(instances);
        self.sorted = self.list.is_sorted();
        self.filled = Some(now);
    }

    /// Asking failed: the old answer, if it may still be used.
    pub fn fail(&self, now: Time) -> Option<&[u32]> {
        let limit = self.settings.ttl + self.settings.stale_if_error;
        let good = self.filled.is_some_and(|filled| now.since(filled) < limit);
        (good && !self.list.is_empty()).then_some(self.list.as_slice())
    }

    /// Forgets the answer.
    pub fn clear(&mut self) {
        self.filled = None;
        self.list.clear();
        self.sorted = true;
    }

    /// How old the answer is.
    pub fn age(&self, now: Time) -> Option<Span> {
        self.filled.map(|filled| now.since(filled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_answer_and_an_old_one_have_their_own_times() {
        let secs = |n| Time::ZERO + Span::from_secs(n);
        let mut cache = ClientCache::new(CacheSettings {
            negative_ttl: Span::from_secs(5),
            stale_if_error: Span::from_secs(60),
            ..CacheSettings::default()
        });
        cache.fill([], secs(0));
        assert_eq!((cache.get(secs(4)), cache.get(secs(5))), (Lookup::Hit(&[]), Lookup::Miss));
        assert_eq!(cache.fail(secs(6)), None, "an empty answer is no help");
        cache.fill([1], secs(10));
        assert_eq!(cache.get(secs(40)), Lookup::Miss);
        assert_eq!((cache.fail(secs(99)), cache.fail(secs(100))), (Some(&[1][..]), None));
        cache.clear();
        assert_eq!((cache.fail(secs(11)), cache.age(secs(11))), (None, None));
    }
}
