//! Envoy's `circuit_breakers`: limits on how much goes on at once, and no state machine.
//!
//! Not one of the [`BREAKERS`](crate::policy::breaker::BREAKERS): nothing opens or closes. A thing over its
//! limit is turned away at once, and counted by kind.

use super::PolicyInfo;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "limits",
    summary: "so many connections, waiting requests, requests and retries at once: Envoy circuit_breakers",
    page: include_str!("caps.md"),
};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapKind {
    /// Connections to the cluster (HTTP/1, TCP).
    Connections,
    /// Requests that wait for a connection.
    Pending,
    /// Requests under way.
    Requests,
    /// Retries under way.
    Retries,
}

/// How many of each may be at once. Envoy's defaults: 1024, 1024, 1024 and 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapSettings {
    /// `max_connections`
    pub max_connections: u32,
    /// `max_pending_requests`
    pub max_pending_requests: u32,
    /// `max_requests`
    pub max_requests: u32,
    /// `max_retries`; a retry budget, where one is set, holds in its place.
    pub max_retries: u32,
}

impl Default for CapSettings {
    fn default() -> Self {
        Self { max_connections: 1024, max_pending_requests: 1024, max_requests: 1024, max_retries: 3 }
    }
}

/// One limit: what is going on, and what was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cap {
    limit: u32,
    active: u32,
    overflow: u64,
}

/// The limits of one caller instance towards one callee.
///
/// ```
/// use loadpath::policy::limit::{CapKind, CapSettings, Caps};
/// let mut caps = Caps::new(CapSettings { max_requests: 1, ..Default::default() });
/// assert!(caps.begin(CapKind::Requests));
/// assert!(!caps.begin(CapKind::Requests));
/// assert_eq!(caps.overflow(CapKind::Requests), 1);
/// caps.end(CapKind::Requests);
/// assert_eq!(caps.remaining(CapKind::Requests), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caps {
    connections: Cap,
    pending: Cap,
    requests: Cap,
    retries: Cap,
}

impl Caps {
    /// Nothing going on.
    pub fn new(settings: CapSettings) -> Self {
        let cap = |limit| Cap { limit, active: 0, overflow: 0 };
        Self {
            connections: cap(settings.max_connections),
            pending: cap(settings.max_pending_requests),
            requests: cap(settings.max_requests),
            retries: cap(settings.max_retries),
        }
    }

    fn cap(&self, kind: CapKind) -> &Cap {
        match kind {
            CapKind::Connections => &self.connections,
            CapKind::Pending => &self.pending,
            CapKind::Requests => &self.requests,
            CapKind::Retries => &self.retries,
        }
    }

    fn cap_mut(&mut self, kind: CapKind) -> &mut Cap {
        match kind {
            CapKind::Connections => &mut self.connections,
            CapKind::Pending => &mut self.pending,
            CapKind::Requests => &mut self.requests,
            CapKind::Retries => &mut self.retries,
        }
    }

    /// Begins one more, or turns it away (`false`) and counts the overflow.
    pub fn begin(&mut self, kind: CapKind) -> bool {
        let cap = self.cap_mut(kind);
        let room = cap.active < cap.limit;
        if room {
            cap.active += 1;
        } else {
            cap.overflow = cap.overflow.saturating_add(1);
        }
        room
    }

    /// One that had begun is over.
    pub fn end(&mut self, kind: CapKind) {
        let cap = self.cap_mut(kind);
        cap.active = cap.active.saturating_sub(1);
    }

    /// Whether the limit is reached: Envoy's gauge `…_open`.
    pub fn is_open(&self, kind: CapKind) -> bool {
        self.remaining(kind) == 0
    }

    /// How many more may begin.
    pub fn remaining(&self, kind: CapKind) -> u32 {
        let cap = self.cap(kind);
        cap.limit.saturating_sub(cap.active)
    }

    /// How many are going on.
    pub fn active(&self, kind: CapKind) -> u32 {
        self.cap(kind).active
    }

    /// How many were turned away.
    pub fn overflow(&self, kind: CapKind) -> u64 {
        self.cap(kind).overflow
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [CapKind; 4] = [CapKind::Connections, CapKind::Pending, CapKind::Requests, CapKind::Retries];

    proptest! {
        /// The obvious caps write down who is inside.
        #[test]
        fn they_do_what_the_obvious_ones_do(
            limits in prop::array::uniform4(0u32..4), ops in prop::collection::vec((0usize..4, any::<bool>()), 1..200),
        ) {
            let mut caps = Caps::new(CapSettings {
                max_connections: limits[0], max_pending_requests: limits[1], max_requests: limits[2],
                max_retries: limits[3],
            });
            let (mut inside, mut turned_away) = ([0u32; 4], [0u64; 4]);
            for (kind, begin) in ops {
                if begin {
                    let room = inside[kind] < limits[kind];
                    prop_assert_eq!(caps.begin(KINDS[kind]), room);
                    inside[kind] += u32::from(room);
                    turned_away[kind] += u64::from(!room);
                } else if inside[kind] > 0 {
                    caps.end(KINDS[kind]);
                    inside[kind] -= 1;
                }
                for (at, kind) in KINDS.into_iter().enumerate() {
                    prop_assert_eq!((caps.active(kind), caps.overflow(kind)), (inside[at], turned_away[at]));
                    prop_assert_eq!((caps.remaining(kind), caps.is_open(kind)),
                        (limits[at] - inside[at], inside[at] == limits[at]));
                }
            }
        }
    }

    #[test]
    fn kinds_are_limited_apart_and_come_back_on_every_end() {
        let mut caps = Caps::new(CapSettings::default());
        for (kind, limit) in [
            (CapKind::Connections, 1024),
            (CapKind::Pending, 1024),
            (CapKind::Requests, 1024),
            (CapKind::Retries, 3),
        ] {
            assert_eq!((0..limit + 2).filter(|_| caps.begin(kind)).count(), limit);
            assert_eq!((caps.overflow(kind), caps.is_open(kind)), (2, true));
            (0..limit).for_each(|_| caps.end(kind));
            assert_eq!((caps.active(kind), caps.is_open(kind)), (0, false));
        }
    }
}
