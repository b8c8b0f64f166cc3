//! Traffic: when requests arrive at their sources, and how they end there.

use super::super::event::Event;
use super::super::ids::SourceId;
use super::super::plan::{Arrivals, BurstState, Plan, RatePoint, Source};
use super::super::probe::{Ending, Probe, Traced};
use super::{Call, Engine, NONE};
use crate::kernel::{Span, Stream, Time};

/// A source's streams.
pub(super) struct SourceState {
    arrivals: Stream,
    clients: Stream,
    keys: Stream,
    /// For keys that come unevenly, the probability that a draw is this one or one before.
    shares: Vec<f64>,
    think: Stream,
    /// The rate point that holds now, the time that is replayed next, or the state that lasts `until`.
    point: usize,
    until: Time,
    states: Stream,
    first_user: u32,
    /// Where its arrivals go, with the probability of this class or one before; empty where there is one.
    classes: Vec<(f64, SourceId)>,
    class: Stream,
}

/// Of so many keys the nth has a share of 1/n^skew; empty where all are alike.
fn zipf(keys: u32, skew: f64) -> Vec<f64> {
    if skew <= 0.0 {
        return Vec::new();
    }
    let mut sum = 0.0;
    let shares = (1..=keys).map(|n| {
        sum += libm::pow(f64::from(n), -skew);
        sum
    });
    let mut shares: Vec<f64> = shares.collect();
    for share in &mut shares {
        *share /= sum;
    }
    shares
}

impl SourceState {
    pub(super) fn new(source: &Source, seed: u64, replication: u32) -> Self {
        let stream = |purpose| Stream::new(seed, replication, purpose, &source.name);
        let mut states = stream("states");
        let (mut point, mut until) = (0, Time::ZERO);
        if let Arrivals::Bursts(all) = &source.arrivals {
            let draw = states.unit();
            let mut sum = 0.0;
            let sums = all.iter().map(|state| {
                sum += state.share;
                sum
            });
            point = sums.take_while(|sum| *sum <= draw).count().min(all.len().saturating_sub(1));
            until = all.get(point).map_or(Time::MAX, |state| Time::ZERO + lasts(state, &mut states));
        }
        Self {
            arrivals: stream("arrivals"),
            clients: stream("clients"),
            keys: stream("keys"),
            shares: zipf(source.keys, source.key_skew),
            think: stream("think"),
            point,
            until,
            states,
            first_user: 0,
            classes: Vec::new(),
            class: stream("classes"),
        }
    }

    /// Who asks.
    fn key(&mut self, keys: u32) -> u32 {
        if self.shares.is_empty() {
            return self.keys.below(u64::from(keys)) as u32;
        }
        let draw = self.keys.unit();
        self.shares.partition_point(|share| *share <= draw).min(self.shares.len() - 1) as u32
    }

    /// The time at which the area under the rate from `now` on has reached `area` requests.
    fn next(&mut self, points: &[RatePoint], now: Time, area: f64) -> Option<Time> {
        let mut area = area;
        let mut now = now;
        loop {
            let point = points.get(self.point)?;
            let Some(next) = points.get(self.point + 1) else {
                return (point.rate > 0.0).then(|| now + Span::from_seconds(area / point.rate));
            };
            let left = next.at.since(now).seconds();
            let slope =
                if point.ramp { (next.rate - point.rate) / next.at.since(point.at).seconds() } else { 0.0 };
            let rate = point.rate + slope * now.since(point.at).seconds();
            let available = (rate + 0.5 * slope * left) * left;
            if area <= available && available > 0.0 {
                // rate·x + slope·x²/2 = area, in the form that does not cancel.
                let root = (rate * rate + 2.0 * slope * area).max(0.0).sqrt();
                return Some(now + Span::from_seconds(2.0 * area / (rate + root)));
            }
            area -= available;
            now = next.at;
            self.point += 1;
        }
    }
}

impl SourceState {
    /// The same for a rate that changes at random; `None` after `end`.
    fn next_of_states(&mut self, all: &[BurstState], now: Time, end: Time) -> Option<Time> {
        let (mut area, mut now) = (self.arrivals.exponential(), now);
        while now < end {
            let state = all.get(self.point)?;
            let available = state.rate * self.until.since(now).seconds();
            if area <= available && available > 0.0 {
                return Some(now + Span::from_seconds(area / state.rate));
            }
            area -= available;
            now = self.until;
            let draw = self.states.unit();
            self.point = state.next.partition_point(|p| *p <= draw).min(all.len() - 1);
            self.until = now + lasts(all.get(self.point)?, &mut self.states);
        }
        None
    }

    /// Which class a request is of.
    fn class(&mut self, own: SourceId) -> SourceId {
        if self.classes.is_empty() {
            return own;
        }
        let draw = self.class.unit();
        let at = self.classes.partition_point(|(share, _)| *share <= draw).min(self.classes.len() - 1);
        self.classes[at].1
    }
}

/// How long a state lasts this time.
fn lasts(state: &BurstState, stream: &mut Stream) -> Span {
    Span::from_nanos_f64(stream.exponential() * state.lasts.nanos() as f64).max(Span::from_nanos(1))
}

/// For each source its classes, where others share its arrivals.
pub(super) fn classes(plan: &Plan, sources: &mut [SourceState]) {
    let shared = |index: usize| match plan.sources[index].arrivals {
        Arrivals::Shared(first) => Some(first.index()),
        _ => None,
    };
    for index in 0..plan.sources.len() {
        let Some(first) = shared(index) else { continue };
        let known = &mut sources[first].classes;
        if known.is_empty() {
            known.push((plan.sources[first].share, SourceId(first as u32)));
        }
        let sum = known.last().map_or(0.0, |(sum, _)| *sum);
        known.push((sum + plan.sources[index].share, SourceId(index as u32)));
    }
}

impl<P: Probe> Engine<'_, P> {
    /// Puts the first request of every source on the agenda.
    pub(super) fn start_traffic(&mut self) {
        for index in 0..self.plan.sources.len() {
            let source = SourceId(index as u32);
            match &self.plan.sources[index].arrivals {
                Arrivals::Shared(_) => {}
                Arrivals::Poisson(_) | Arrivals::Constant(_) | Arrivals::Bursts(_) | Arrivals::Replay(_) => {
                    self.schedule_arrival(source);
                }
                Arrivals::Closed { users, .. } => {
                    let first = self.users.len() as u32;
                    self.sources[index].first_user = first;
                    self.users.extend((0..*users).map(|_| source.0));
                    for user in first..first + users {
                        self.think(source, user);
                    }
                }
            }
        }
    }

    #[inline]
    fn schedule_arrival(&mut self, source: SourceId) {
        let state = &mut self.sources[source.index()];
        let next = match &self.plan.sources[source.index()].arrivals {
            Arrivals::Poisson(points) => {
                let area = state.arrivals.exponential();
                state.next(points, self.now, area)
            }
            Arrivals::Constant(points) => state.next(points, self.now, 1.0),
            Arrivals::Bursts(states) => state.next_of_states(states, self.now, self.traffic_ends),
            Arrivals::Replay(times) => {
                state.point += 1;
                times.get(state.point - 1).copied()
            }
            Arrivals::Closed { .. } | Arrivals::Shared(_) => None,
        };
        if let Some(next) = next.filter(|next| *next < self.traffic_ends) {
            self.agenda.at(next, Event::Arrival(source));
        }
    }

    fn think(&mut self, source: SourceId, user: u32) {
        let Arrivals::Closed { think, .. } = &self.plan.sources[source.index()].arrivals else { return };
        let next = self.now + think.sample(&mut self.sources[source.index()].think);
        if next < self.traffic_ends {
            self.agenda.at(next, Event::User(user));
        }
    }

    /// The next request of an open loop.
    #[inline]
    pub(super) fn arrival(&mut self, source: SourceId) {
        self.schedule_arrival(source);
        let source = self.sources[source.index()].class(source);
        let clients = self.plan.sources[source.index()].clients;
        let client = if clients > 1 {
            self.sources[source.index()].clients.below(u64::from(clients)) as u32
        } else {
            0
        };
        self.ask(source, client, NONE);
    }

    /// A closed-loop user's next request.
    pub(super) fn user_asks(&mut self, user: u32) {
        let first = SourceId(self.users[user as usize]);
        let number = user - self.sources[first.index()].first_user;
        let source = self.sources[first.index()].class(first);
        self.ask(source, number % self.plan.sources[source.index()].clients.max(1), user);
    }

    fn ask(&mut self, source: SourceId, client: u32, user: u32) {
        let plan = &self.plan.sources[source.index()];
        let (measured, edge) = (self.measures(), plan.edge);
        let address = match plan.keys {
            0 => client,
            n => self.sources[source.index()].key(n),
        };
        self.probe.request_arrived(self.now, source, measured);
        let request = self.requests;
        self.requests = request.wrapping_add(1);
        self.trace(|| Traced::Arrived { source, request, measured });
        let begun = self.now;
        let call =
            Call { source, user, caller: client, measured, address, request, begun, ..Call::over(edge) };
        let call = self.calls.insert(call);
        self.begin_call(call);
    }

    /// A source's request has its final outcome.
    #[inline]
    pub(super) fn request_ended(&mut self, call: u32, end: Ending) {
        let Call { source, user, begun, measured, request, .. } = self.calls[call];
        self.calls.remove(call);
        let took = self.now.since(begun);
        self.probe.request_ended(self.now, source, took, end, measured);
        self.trace(|| Traced::Ended { source, request, took, end });
        if user != NONE {
            self.think(SourceId(self.users[user as usize]), user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::EdgeId;

    /// The times in seconds of the first requests of a constant arrival stream.
    fn check(points: &[(u64, f64, bool)], expected: &[f64]) {
        let points: Vec<RatePoint> = points
            .iter()
            .map(|(at, rate, ramp)| RatePoint {
                at: Time::ZERO + Span::from_secs(*at),
                rate: *rate,
                ramp: *ramp,
            })
            .collect();
        let source = Source {
            name: "test".into(),
            edge: EdgeId(0),
            arrivals: Arrivals::Constant(points.clone()),
            clients: 1,
            keys: 0,
            key_skew: 0.0,
            share: 1.0,
        };
        let mut state = SourceState::new(&source, 1, 0);
        let mut now = Time::ZERO;
        for expected in expected {
            now = state.next(&points, now, 1.0).expect("the rate is not zero");
            assert!((now.seconds() - expected).abs() < 1e-6, "{now} is not {expected}");
        }
    }

    #[test]
    fn rates_over_time() {
        check(&[(0, 2.0, false)], &[0.5, 1.0, 1.5]);
        check(&[(0, 0.5, false), (3, 2.0, false)], &[2.0, 3.25, 3.75, 4.25]);
        check(&[(0, 0.0, false), (3, 1.0, false)], &[4.0]);
        // Rate t on a ramp from 0 to 4 in 4 s: the nth request comes at √(2n), then 4 a second.
        check(&[(0, 0.0, true), (4, 4.0, false)], &[std::f64::consts::SQRT_2, 2.0, 2.449_489_74]);
        check(&[(0, 4.0, true), (4, 0.0, false)], &[0.258_342_61]);
    }

    #[test]
    fn few_keys_come_often() {
        let shares = zipf(4, 1.0);
        let expected = [12.0, 18.0, 22.0, 25.0].map(|part| part / 25.0);
        assert!(shares.iter().zip(expected).all(|(share, expected)| (share - expected).abs() < 1e-12));
        let mut source = Source {
            name: "test".into(),
            edge: EdgeId(0),
            arrivals: Arrivals::poisson(1.0),
            clients: 1,
            keys: 4,
            key_skew: 1.0,
            share: 1.0,
        };
        let first = |source: &Source| {
            let mut state = SourceState::new(source, 1, 0);
            (0..10_000).filter(|_| state.key(4) == 0).count()
        };
        assert!((4_650..4_950).contains(&first(&source)));
        source.key_skew = 0.0;
        assert!((2_350..2_650).contains(&first(&source)));
    }
}
