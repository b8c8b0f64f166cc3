//! Traffic: when requests arrive at their sources, and how they end there.

use super::super::event::Event;
use super::super::ids::SourceId;
use super::super::plan::{Arrivals, RatePoint, Source};
use super::super::probe::{Ending, Probe};
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
    /// The rate point that holds now.
    point: usize,
    first_user: u32,
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
        Self {
            arrivals: stream("arrivals"),
            clients: stream("clients"),
            keys: stream("keys"),
            shares: zipf(source.keys, source.key_skew),
            think: stream("think"),
            point: 0,
            first_user: 0,
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

impl<P: Probe> Engine<'_, P> {
    /// Puts the first request of every source on the agenda.
    pub(super) fn start_traffic(&mut self) {
        for index in 0..self.plan.sources.len() {
            let source = SourceId(index as u32);
            match &self.plan.sources[index].arrivals {
                Arrivals::Poisson(_) | Arrivals::Constant(_) => self.schedule_arrival(source),
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
            Arrivals::Closed { .. } => None,
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
        let source = SourceId(self.users[user as usize]);
        let number = user - self.sources[source.index()].first_user;
        self.ask(source, number % self.plan.sources[source.index()].clients.max(1), user);
    }

    fn ask(&mut self, source: SourceId, client: u32, user: u32) {
        let plan = &self.plan.sources[source.index()];
        let measured = self.measures();
        let address = match plan.keys {
            0 => client,
            n => self.sources[source.index()].key(n),
        };
        self.probe.request_arrived(self.now, source, measured);
        let begun = self.now;
        let call = Call { source, user, caller: client, measured, address, begun, ..Call::over(plan.edge) };
        let call = self.calls.insert(call);
        self.begin_call(call);
    }

    /// A source's request has its final outcome.
    #[inline]
    pub(super) fn request_ended(&mut self, call: u32, end: Ending) {
        let Call { source, user, begun, measured, .. } = self.calls[call];
        self.calls.remove(call);
        self.probe.request_ended(self.now, source, self.now.since(begun), end, measured);
        if user != NONE {
            self.think(source, user);
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
