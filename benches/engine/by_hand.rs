//! The same systems without an engine: each loop does only what its system needs. A heap of 24-byte events,
//! a histogram record for each request that succeeds.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use loadpath::kernel::{Span, Stream};
use loadpath::sim::Histogram;

/// How a loop went.
pub struct Done {
    pub requests: u64,
    pub events: u64,
    /// Of those that succeeded, in seconds.
    pub mean: f64,
}

const ARRIVAL: u32 = 0;
const WORK: u32 = 1;
const TIMER: u32 = 2;
const BACKOFF: u32 = 3;
/// Nobody calls: the request came from outside.
const NONE: u32 = u32::MAX;

/// When, the order among equals, what, and whom it concerns: 24 bytes.
type Event = (u64, u32, u32, u32, u32);

/// What happens next. Where timers are in a lane of their own, they never see the heap: all of them lie
/// equally far ahead.
struct Agenda {
    heap: BinaryHeap<Reverse<Event>>,
    lane: VecDeque<Event>,
    lanes: bool,
    sequence: u32,
    events: u64,
}

impl Agenda {
    fn new(lanes: bool) -> Self {
        Self { heap: BinaryHeap::new(), lane: VecDeque::new(), lanes, sequence: 0, events: 0 }
    }

    fn at(&mut self, at: u64, kind: u32, id: u32, stamp: u32) {
        self.sequence = self.sequence.wrapping_add(1);
        self.heap.push(Reverse((at, self.sequence, kind, id, stamp)));
    }

    fn timer(&mut self, at: u64, id: u32, stamp: u32) {
        if self.lanes {
            self.sequence = self.sequence.wrapping_add(1);
            self.lane.push_back((at, self.sequence, TIMER, id, stamp));
        } else {
            self.at(at, TIMER, id, stamp);
        }
    }

    fn pop(&mut self) -> Option<Event> {
        self.events += 1;
        match (self.heap.peek(), self.lane.front()) {
            (Some(Reverse(first)), Some(timer)) if timer < first => self.lane.pop_front(),
            (None, Some(_)) => self.lane.pop_front(),
            _ => self.heap.pop().map(|Reverse(event)| event),
        }
    }
}

/// M/M/1.
pub fn queue(rate: f64, work: Span, duration: Span, seed: u64) -> Done {
    let mut arrivals = Stream::new(seed, 0, "arrivals", "clients");
    let mut services = Stream::new(seed, 0, "work", "server");
    let mut agenda = Agenda::new(false);
    let mut waiting: VecDeque<u64> = VecDeque::new();
    let mut latencies = Histogram::default();
    let end = duration.nanos();
    let gap = |stream: &mut Stream| (stream.exponential() * 1e9 / rate) as u64;
    let takes = |stream: &mut Stream| (stream.exponential() * work.nanos() as f64) as u64;
    agenda.at(gap(&mut arrivals), ARRIVAL, 0, 0);
    while let Some(Reverse((now, _, kind, ..))) = agenda.heap.pop() {
        agenda.events += 1;
        if kind == ARRIVAL {
            let next = now + gap(&mut arrivals);
            if next < end {
                agenda.at(next, ARRIVAL, 0, 0);
            }
            waiting.push_back(now);
            if waiting.len() == 1 {
                agenda.at(now + takes(&mut services), WORK, 0, 0);
            }
        } else {
            if let Some(arrived) = waiting.pop_front() {
                latencies.record(Span::from_nanos(now - arrived));
            }
            if !waiting.is_empty() {
                agenda.at(now + takes(&mut services), WORK, 0, 0);
            }
        }
    }
    Done { requests: latencies.count(), events: agenda.events, mean: latencies.mean().unwrap_or(0.0) }
}

/// Several servers, each with a queue, under round robin or the shortest queue.
pub fn servers(servers: usize, shortest: bool, rate: f64, work: Span, duration: Span, seed: u64) -> Done {
    let mut arrivals = Stream::new(seed, 0, "arrivals", "clients");
    let mut services = Stream::new(seed, 0, "work", "server");
    let mut agenda = Agenda::new(false);
    let mut waiting: Vec<VecDeque<u64>> = vec![VecDeque::new(); servers];
    let mut latencies = Histogram::default();
    let mut turn = 0;
    let end = duration.nanos();
    let gap = |stream: &mut Stream| (stream.exponential() * 1e9 / rate) as u64;
    let takes = |stream: &mut Stream| (stream.exponential() * work.nanos() as f64) as u64;
    agenda.at(gap(&mut arrivals), ARRIVAL, 0, 0);
    while let Some(Reverse((now, _, kind, id, _))) = agenda.heap.pop() {
        agenda.events += 1;
        if kind == ARRIVAL {
            let next = now + gap(&mut arrivals);
            if next < end {
                agenda.at(next, ARRIVAL, 0, 0);
            }
            turn = (turn + 1) % servers;
            let server = if shortest {
                (0..servers).min_by_key(|server| waiting[*server].len()).unwrap_or(0)
            } else {
                turn
            };
            waiting[server].push_back(now);
            if waiting[server].len() == 1 {
                agenda.at(now + takes(&mut services), WORK, server as u32, 0);
            }
        } else {
            let line = &mut waiting[id as usize];
            if let Some(arrived) = line.pop_front() {
                latencies.record(Span::from_nanos(now - arrived));
            }
            if !line.is_empty() {
                agenda.at(now + takes(&mut services), WORK, id, 0);
            }
        }
    }
    Done { requests: latencies.count(), events: agenda.events, mean: latencies.mean().unwrap_or(0.0) }
}

/// What a chain does when a hop fails or takes long.
#[derive(Clone, Copy)]
pub struct Policies {
    pub timeout: Span,
    pub error_rate: f64,
    pub retries: u32,
    /// The nth back-off is anything below (2ⁿ − 1) times this.
    pub backoff: Span,
}

/// A call under way: by whom, to which hop.
#[derive(Clone, Copy)]
struct Call {
    parent: u32,
    hop: u32,
    attempts: u32,
    stamp: u32,
    begun: u64,
}

/// Chains of single servers side by side; each hop works, and then calls the next.
pub struct Chains {
    hops: u32,
    policies: Option<Policies>,
    work: Span,
    agenda: Agenda,
    calls: Vec<Call>,
    free: Vec<u32>,
    stamp: u32,
    lines: Vec<VecDeque<(u32, u32)>>,
    services: Vec<Stream>,
    chances: Stream,
    latencies: Histogram,
    requests: u64,
}

impl Chains {
    pub fn new(chains: u32, hops: u32, policies: Option<Policies>, work: Span, lanes: bool) -> Self {
        let servers = chains * hops;
        Self {
            hops,
            policies,
            work,
            agenda: Agenda::new(lanes),
            calls: Vec::new(),
            free: Vec::new(),
            stamp: 0,
            lines: vec![VecDeque::new(); servers as usize],
            services: (0..servers).map(|n| Stream::new(1, 0, "work", &n.to_string())).collect(),
            chances: Stream::new(1, 0, "errors", "all"),
            latencies: Histogram::default(),
            requests: 0,
        }
    }

    /// Poisson requests to the first hop of each chain.
    pub fn run(mut self, rate: f64, duration: Span, seed: u64) -> Done {
        let chains = self.lines.len() as u32 / self.hops;
        let end = duration.nanos();
        let gap = |stream: &mut Stream| (stream.exponential() * 1e9 / rate) as u64;
        let mut arrivals: Vec<Stream> =
            (0..chains).map(|n| Stream::new(seed, 0, "arrivals", &n.to_string())).collect();
        for (chain, stream) in arrivals.iter_mut().enumerate() {
            self.agenda.at(gap(stream), ARRIVAL, chain as u32, 0);
        }
        while let Some((now, _, kind, id, stamp)) = self.agenda.pop() {
            match kind {
                ARRIVAL => {
                    let next = now + gap(&mut arrivals[id as usize]);
                    if next < end {
                        self.agenda.at(next, ARRIVAL, id, 0);
                    }
                    self.requests += 1;
                    self.call(now, NONE, id * self.hops);
                }
                WORK => self.work_done(now, id),
                TIMER if self.calls[id as usize].stamp == stamp => self.fail(now, id, true),
                BACKOFF if self.calls[id as usize].stamp == stamp => self.send(now, id),
                _ => {}
            }
        }
        let mean = self.latencies.mean().unwrap_or(0.0);
        Done { requests: self.requests, events: self.agenda.events, mean }
    }

    fn call(&mut self, now: u64, parent: u32, hop: u32) {
        self.stamp += 1;
        let call = Call { parent, hop, attempts: 0, stamp: self.stamp, begun: now };
        let id = if let Some(id) = self.free.pop() {
            self.calls[id as usize] = call;
            id
        } else {
            self.calls.push(call);
            self.calls.len() as u32 - 1
        };
        if let Some(policies) = &self.policies {
            self.agenda.timer(now + policies.timeout.nanos(), id, self.stamp);
        }
        self.send(now, id);
    }

    fn send(&mut self, now: u64, id: u32) {
        let call = &mut self.calls[id as usize];
        call.attempts += 1;
        let server = call.hop as usize;
        self.lines[server].push_back((id, call.stamp));
        if self.lines[server].len() == 1 {
            self.start(now, server);
        }
    }

    fn start(&mut self, now: u64, server: usize) {
        let takes = (self.services[server].exponential() * self.work.nanos() as f64) as u64;
        self.agenda.at(now + takes, WORK, server as u32, 0);
    }

    fn work_done(&mut self, now: u64, server: u32) {
        let line = &mut self.lines[server as usize];
        let Some((id, stamp)) = line.pop_front() else { return };
        if !line.is_empty() {
            self.start(now, server as usize);
        }
        let call = self.calls[id as usize];
        if call.stamp != stamp {
            return;
        }
        match self.policies {
            Some(policies) if self.chances.chance(policies.error_rate) => self.fail(now, id, false),
            _ if !(call.hop + 1).is_multiple_of(self.hops) => self.call(now, id, call.hop + 1),
            _ => self.succeed(now, id),
        }
    }

    fn end(&mut self, id: u32) -> Call {
        let call = self.calls[id as usize];
        self.calls[id as usize].stamp = 0;
        self.free.push(id);
        call
    }

    fn succeed(&mut self, now: u64, id: u32) {
        let mut call = self.end(id);
        while call.parent != NONE {
            call = self.end(call.parent);
        }
        self.latencies.record(Span::from_nanos(now - call.begun));
    }

    /// The call failed: the next attempt, or the failure of whoever waits for it.
    fn fail(&mut self, now: u64, id: u32, mut timed_out: bool) {
        let Some(policies) = self.policies else { return };
        let mut id = id;
        while id != NONE {
            let call = self.calls[id as usize];
            if !timed_out && call.attempts <= policies.retries {
                let most = policies.backoff.nanos() * ((1 << call.attempts) - 1);
                let at = now + self.chances.below(most);
                return self.agenda.at(at, BACKOFF, id, call.stamp);
            }
            timed_out = false;
            id = self.end(id).parent;
        }
    }
}
