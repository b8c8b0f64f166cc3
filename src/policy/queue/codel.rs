//! Facebook's `CoDel`: when even the luckiest request of an interval waited too long, those that
//! waited long are dropped.

use std::collections::VecDeque;

use super::{PolicyInfo, Queue, QueueInfo, Taken, Time};
use crate::kernel::Span;

pub(super) const INFO: QueueInfo = QueueInfo {
    about: PolicyInfo {
        name: "codel",
        summary: "the oldest first; drops what waited long while every request waits: Facebook",
        page: include_str!("codel.md"),
    },
    build: |max_length| Box::new(CodelQueue::new(CodelSettings::default(), max_length, Time::ZERO)),
};

/// When waiting counts as overload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodelSettings {
    /// An interval whose least delay is longer is overloaded. Default 5 ms.
    pub target: Span,
    /// Default 100 ms.
    pub interval: Span,
}

impl Default for CodelSettings {
    fn default() -> Self {
        Self { target: Span::from_millis(5), interval: Span::from_millis(100) }
    }
}

/// The controller alone: told how long each request waited, says whether to drop it.
///
/// ```
/// use loadpath::kernel::{Span, Time};
/// use loadpath::policy::queue::{Codel, CodelSettings};
/// let ms = |n| Span::from_millis(n);
/// let mut codel = Codel::new(CodelSettings::default(), Time::ZERO);
/// assert!(!codel.overloaded(ms(50), Time::ZERO + ms(1)) && !codel.overloaded(ms(50), Time::ZERO + ms(2)));
/// assert!(codel.overloaded(ms(50), Time::ZERO + ms(3)), "everybody waited 50 ms");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codel {
    settings: CodelSettings,
    least: Span,
    interval_ends: Time,
    /// The next delay is the first of its interval.
    fresh: bool,
    overloaded: bool,
}

impl Codel {
    /// Not overloaded.
    pub fn new(settings: CodelSettings, now: Time) -> Self {
        Self { settings, least: Span::ZERO, interval_ends: now, fresh: true, overloaded: false }
    }

    /// A request that waited so long is up; whether it is to be dropped. The first of an interval never
    /// is.
    pub fn overloaded(&mut self, delay: Span, now: Time) -> bool {
        if now > self.interval_ends && !self.fresh {
            self.fresh = true;
            self.interval_ends = now + self.settings.interval;
            self.overloaded = self.least > self.settings.target;
        }
        if self.fresh {
            self.fresh = false;
            self.least = delay;
            return false;
        }
        self.least = self.least.min(delay);
        self.overloaded && delay > self.slough()
    }

    /// While overloaded, who waited longer is dropped: twice the target.
    pub fn slough(&self) -> Span {
        self.settings.target.times(2)
    }

    /// Whether the last interval was overloaded.
    pub fn is_overloaded(&self) -> bool {
        self.overloaded
    }

    /// The least delay of this interval.
    pub fn least_delay(&self) -> Span {
        self.least
    }

    /// The least delay as a share of the slough, in percent, at most 100 (`getLoad`).
    pub fn load(&self) -> u32 {
        let share = self.least.nanos().saturating_mul(100).checked_div(self.slough().nanos());
        share.unwrap_or(100).min(100) as u32
    }
}

/// A bounded first-in first-out queue with the controller at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodelQueue {
    items: VecDeque<(u32, Time)>,
    max_length: usize,
    codel: Codel,
}

impl CodelQueue {
    /// Empty; `None` never refuses.
    pub fn new(settings: CodelSettings, max_length: Option<u32>, now: Time) -> Self {
        let max_length = max_length.map_or(usize::MAX, |n| n as usize);
        Self { items: VecDeque::new(), max_length, codel: Codel::new(settings, now) }
    }

    /// The controller.
    pub fn codel(&self) -> &Codel {
        &self.codel
    }
}

impl Queue for CodelQueue {
    fn offer(&mut self, item: u32, now: Time) -> bool {
        let fits = self.items.len() < self.max_length;
        if fits {
            self.items.push_back((item, now));
        }
        fits
    }

    fn front(&self) -> Option<u32> {
        self.items.front().map(|(item, _)| *item)
    }

    fn take(&mut self, now: Time) -> Option<Taken> {
        let (item, since) = self.items.pop_front()?;
        let drop = self.codel.overloaded(now.since(since), now);
        Some(if drop { Taken::Drop(item) } else { Taken::Serve(item) })
    }

    fn remove(&mut self, item: u32) -> bool {
        let found = self.items.iter().position(|(waiting, _)| *waiting == item);
        found.and_then(|index| self.items.remove(index)).is_some()
    }

    fn len(&self) -> usize {
        self.items.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_item_leaves_once_and_only_late_ones_drop(gaps in prop::collection::vec((0u64..30, any::<bool>()), 1..300)) {
            let mut queue = CodelQueue::new(CodelSettings::default(), Some(20), Time::ZERO);
            let (mut now, mut inside, mut next) = (Time::ZERO, VecDeque::new(), 0);
            for (gap, offer) in gaps {
                now = now + Span::from_millis(gap);
                if offer {
                    if queue.offer(next, now) { inside.push_back((next, now)); }
                    next += 1;
                } else if let Some(taken) = queue.take(now) {
                    let (item, since) = inside.pop_front().expect("it went in");
                    match taken {
                        Taken::Serve(served) => prop_assert_eq!(served, item),
                        Taken::Drop(dropped) => {
                            prop_assert_eq!(dropped, item);
                            prop_assert!(now.since(since) > Span::from_millis(10));
                        }
                    }
                }
                prop_assert_eq!(queue.len(), inside.len());
                prop_assert!(queue.len() <= 20);
            }
        }
    }
}
