//! What nginx remembers of each server of an upstream: its turn, and its failures.
//!
//! All nginx balancers share it: round robin, `least_conn`, `random`, `ip_hash`. One per worker, or one
//! per caller here.

use std::cmp::Ordering;

use super::{Balancer, Finished, Host, Hosts, Request, Span, Stream, Time};

const SECOND: u64 = 1_000_000_000;

/// One server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// What it has gained by waiting.
    pub current_weight: i64,
    /// What failures took from its weight and turns have not given back.
    lost: u32,
    /// Its weight when it was last looked at.
    weight: u32,
    /// Failures since it last passed.
    pub fails: u32,
    /// The second of its last failure.
    accessed: u64,
    /// The second of its last failure, or of the last trial after it.
    checked: u64,
    /// Failures that disable it; 0: none do.
    max_fails: u32,
    /// For how many seconds.
    fail_timeout: u64,
}

impl Peer {
    /// What it gains each turn: its weight, less after failures.
    pub fn effective_weight(&self) -> u32 {
        self.weight.saturating_sub(self.lost)
    }

    /// Whether failures keep it out: `max_fails` of them, and no more than `fail_timeout` seconds since
    /// it was last checked.
    pub fn is_disabled(&self, now: Time) -> bool {
        self.max_fails > 0
            && self.fails >= self.max_fails
            && (now.nanos() / SECOND).saturating_sub(self.checked) <= self.fail_timeout
    }

    fn look(&mut self, host: &Host) {
        self.weight = host.weight;
    }

    /// Gains what it is due and gets one back of what failures took.
    pub(super) fn gain(&mut self, host: &Host) -> i64 {
        self.look(host);
        let effective = i64::from(self.effective_weight());
        self.current_weight += effective;
        self.lost = self.lost.min(self.weight).saturating_sub(1);
        effective
    }
}

/// A balancer of nginx: it knows its servers as [`Peers`], and a further attempt skips those that were tried.
pub trait NginxBalancer: Send {
    /// The server of a request that has been at `tried`.
    fn place(
        &mut self,
        hosts: &Hosts,
        request: Request,
        tried: &[usize],
        random: &mut Stream,
    ) -> Option<usize>;

    /// What it remembers of them.
    fn memory(&mut self) -> &mut Peers;
}

impl<T: NginxBalancer> Balancer for T {
    fn pick(&mut self, hosts: &Hosts, request: Request, random: &mut Stream) -> Option<usize> {
        self.place(hosts, request, &[], random)
    }

    fn pick_again(
        &mut self,
        hosts: &Hosts,
        request: Request,
        tried: &[usize],
        random: &mut Stream,
    ) -> Option<usize> {
        self.place(hosts, request, tried, random)
    }

    fn finished(&mut self, end: Finished) {
        self.memory().passed(end.host);
    }

    fn failed(&mut self, now: Time, host: usize) {
        self.memory().failed(host, now);
    }
}

/// Whether a pick came from the servers proper or from the backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Servers without `backup`.
    Primary,
    /// No primary could take it.
    Backup,
}

/// What a request asks of a server.
struct Asked<'a> {
    tier: Tier,
    now: Time,
    tried: &'a [usize],
    lone: bool,
}

impl Asked<'_> {
    #[inline]
    fn may_have(&self, index: usize, host: &Host, peer: &Peer) -> bool {
        host.eligible
            && host.backup == (self.tier == Tier::Backup)
            && (host.max_conns == 0 || host.active < host.max_conns)
            && (self.lone || !(peer.is_disabled(self.now) || self.tried.contains(&index)))
    }
}

/// The servers of an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peers {
    list: Vec<Peer>,
}

impl Peers {
    /// All alike; `fail_timeout` counts in whole seconds.
    pub fn new(hosts: usize, max_fails: u32, fail_timeout: Span) -> Self {
        let peer = Peer {
            current_weight: 0,
            lost: 0,
            weight: 0,
            fails: 0,
            accessed: 0,
            checked: 0,
            max_fails,
            fail_timeout: fail_timeout.nanos() / SECOND,
        };
        Self { list: vec![peer; hosts] }
    }

    /// In configuration order.
    pub fn list(&self) -> &[Peer] {
        &self.list
    }

    /// Gives one server its own `max_fails` and `fail_timeout`.
    pub fn limit(&mut self, host: usize, max_fails: u32, fail_timeout: Span) {
        if let Some(peer) = self.list.get_mut(host) {
            peer.max_fails = max_fails;
            peer.fail_timeout = fail_timeout.nanos() / SECOND;
        }
    }

    /// Whether a server may take a request of this tier that has been at `tried`. A lone server is not
    /// asked about its failures.
    pub fn takes(&self, hosts: &Hosts, index: usize, tier: Tier, now: Time, tried: &[usize]) -> bool {
        let found = hosts.list().get(index).zip(self.list.get(index));
        let asked = Asked { tier, now, tried, lone: hosts.list().len() == 1 };
        found.is_some_and(|(host, peer)| asked.may_have(index, host, peer))
    }

    /// The next turn among those servers that `among` lets through besides: every one of them gains its
    /// effective weight, the strictly greatest wins (the first configured of equals) and pays the total.
    pub fn turn(
        &mut self,
        hosts: &Hosts,
        tier: Tier,
        now: Time,
        tried: &[usize],
        among: impl Fn(&Host) -> bool,
    ) -> Option<usize> {
        let asked = Asked { tier, now, tried, lone: hosts.list().len() == 1 };
        let mut total = 0;
        let mut best: Option<(usize, i64)> = None;
        for (index, (host, peer)) in hosts.list().iter().zip(&mut self.list).enumerate() {
            if !(asked.may_have(index, host, peer) && among(host)) {
                continue;
            }
            total += peer.gain(host);
            if best.is_none_or(|(_, most)| peer.current_weight > most) {
                best = Some((index, peer.current_weight));
            }
        }
        let (index, _) = best?;
        if let Some(peer) = self.list.get_mut(index) {
            peer.current_weight -= total;
        }
        self.chosen(hosts.list(), index, now);
        Some(index)
    }

    /// The least by `order` of those that may take the request, the first configured of equals, and
    /// whether there are equals.
    pub(super) fn least<'h>(
        &self,
        hosts: &'h Hosts,
        tier: Tier,
        now: Time,
        tried: &[usize],
        order: impl Fn(&Host, &Host) -> Ordering,
    ) -> Option<(usize, &'h Host, bool)> {
        let asked = Asked { tier, now, tried, lone: hosts.list().len() == 1 };
        let mut best: Option<(usize, &Host, bool)> = None;
        for (index, (host, peer)) in hosts.list().iter().zip(&self.list).enumerate() {
            if !asked.may_have(index, host, peer) {
                continue;
            }
            match best.map_or(Ordering::Less, |(_, least, _)| order(host, least)) {
                Ordering::Less => best = Some((index, host, false)),
                Ordering::Equal => best = best.map(|(index, host, _)| (index, host, true)),
                Ordering::Greater => {}
            }
        }
        best
    }

    /// A server was chosen: if it had been quiet for `fail_timeout`, this is its trial, and the others
    /// wait for it.
    pub fn chosen(&mut self, hosts: &[Host], index: usize, now: Time) {
        let now = now.nanos() / SECOND;
        if let (Some(peer), Some(host)) = (self.list.get_mut(index), hosts.get(index)) {
            peer.look(host);
            if now.saturating_sub(peer.checked) > peer.fail_timeout {
                peer.checked = now;
            }
        }
    }

    /// An attempt failed: `max_fails` in a row without a pass disable the server, each takes its part
    /// of the weight. A lone server has nobody to yield to.
    pub fn failed(&mut self, index: usize, now: Time) {
        if self.list.len() == 1 {
            return;
        }
        let now = now.nanos() / SECOND;
        if let Some(peer) = self.list.get_mut(index) {
            peer.fails = peer.fails.saturating_add(1);
            peer.accessed = now;
            peer.checked = now;
            let part = peer.weight.checked_div(peer.max_fails).unwrap_or(0);
            peer.lost = peer.lost.saturating_add(part).min(peer.weight);
        }
    }

    /// An attempt ended without a failure: it clears them if it was the trial after them.
    pub fn passed(&mut self, index: usize) {
        if let Some(peer) = self.list.get_mut(index)
            && peer.accessed < peer.checked
        {
            peer.fails = 0;
        }
    }
}
