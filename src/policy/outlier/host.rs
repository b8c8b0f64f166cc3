//! What is known of one host.

use crate::kernel::{Span, Time};

/// Whose failures a success rate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Those the host answered with.
    External,
    /// Those seen here, when they are counted apart: timeouts, connections.
    Local,
}

/// Requests of the interval being counted and of the one before, which is judged.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Rates {
    total: u64,
    good: u64,
    closed_total: u64,
    closed_good: u64,
    pub(super) shown: Option<f64>,
}

impl Rates {
    pub(super) fn count(&mut self, good: bool) {
        self.total += 1;
        self.good += u64::from(good);
    }

    pub(super) fn close(&mut self) {
        (self.closed_total, self.closed_good) = (self.total, self.good);
        (self.total, self.good, self.shown) = (0, 0, None);
    }

    /// Success rate in percent of the interval that is judged, if it had that many requests.
    pub(super) fn judged(&self, volume: u32) -> Option<f64> {
        let enough = self.closed_total > 0 && self.closed_total >= u64::from(volume);
        enough.then(|| self.closed_good as f64 * 100.0 / self.closed_total as f64)
    }
}

/// The state of one host: all of it can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Host {
    pub(super) ejected: bool,
    pub(super) ejections: u32,
    pub(super) multiplier: u32,
    pub(super) ejected_at: Option<Time>,
    pub(super) returned_at: Option<Time>,
    pub(super) jitter: Span,
    pub(super) run_5xx: u32,
    pub(super) run_gateway: u32,
    pub(super) run_local: u32,
    pub(super) external: Rates,
    pub(super) local: Rates,
}

impl Host {
    /// Whether it gets no requests.
    pub fn is_ejected(&self) -> bool {
        self.ejected
    }

    /// How often it was ejected.
    pub fn ejections(&self) -> u32 {
        self.ejections
    }

    /// What the next ejection multiplies the base with, less one; the present one while ejected.
    pub fn multiplier(&self) -> u32 {
        self.multiplier
    }

    /// When it was last ejected.
    pub fn ejected_at(&self) -> Option<Time> {
        self.ejected_at
    }

    /// When it last came back.
    pub fn returned_at(&self) -> Option<Time> {
        self.returned_at
    }

    /// 5xx in a row, gateway failures in a row, local failures in a row.
    pub fn runs(&self) -> (u32, u32, u32) {
        (self.run_5xx, self.run_gateway, self.run_local)
    }

    /// Success rate in percent of the interval judged last; `None` when it had too few requests.
    pub fn success_rate(&self, origin: Origin) -> Option<f64> {
        self.rates(origin).shown
    }

    pub(super) fn rates(&self, origin: Origin) -> &Rates {
        match origin {
            Origin::External => &self.external,
            Origin::Local => &self.local,
        }
    }

    pub(super) fn rates_mut(&mut self, origin: Origin) -> &mut Rates {
        match origin {
            Origin::External => &mut self.external,
            Origin::Local => &mut self.local,
        }
    }
}
