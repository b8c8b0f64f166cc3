//! What a decision of a policy costs: picks of every balancer at 10, 100 and 1,000 instances beside a plain scan
//! for the least loaded of all, in one run; and a decision of each limit, budget and breaker. None allocates.
//!
//! `cargo bench --bench policy`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test, or what is built beside one: it panics, prints and counts freely"
)] // a test says what it found, and stops where it cannot go on

use std::alloc::System;
use std::hint::black_box;
use std::time::Instant;

use loadpath::kernel::{Span, Stream, Time};
use loadpath::policy::balancer::{BALANCERS, Balancer, Finished, Hosts, Probe, Request, Settings};
use loadpath::policy::breaker::{self, Verdict};
use loadpath::policy::limit::{
    Adaptive, AdaptiveSettings, Admission, AdmissionSettings, Aimd, AimdSettings, Bulkhead, BulkheadSettings,
    CapKind, CapSettings, Caps, Fill, Gradient2, Gradient2Settings, Limit, RateLimiter, RateLimiterSettings,
    TokenBucket, TokenBucketSettings, Vegas, VegasSettings,
};
use loadpath::policy::outlier::{EnvoyOutlier, EnvoyOutlierSettings, Outcome};
use loadpath::policy::queue::{Codel, CodelSettings};
use loadpath::policy::retry::{
    AwsQuota, AwsQuotaSettings, Backoff, FinagleBudget, FinagleBudgetSettings, GrpcThrottle, RetryBudget,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SIZES: [usize; 3] = [10, 100, 1_000];
const ROUNDS: usize = 5;
/// Requests under way at once, and before anything is measured.
const UNDER_WAY: usize = 64;
const WARM_UP: u64 = 4_096;

/// Nanoseconds of one of so many decisions, the best of a few rounds; and that none of them allocates.
fn cost(name: &str, count: u64, mut decide: impl FnMut(u64)) -> f64 {
    (0..WARM_UP).for_each(&mut decide);
    let mut best = f64::INFINITY;
    let mut turn = WARM_UP;
    for _ in 0..ROUNDS {
        let (region, start) = (Region::new(GLOBAL), Instant::now());
        (turn..turn + count).for_each(&mut decide);
        best = best.min(start.elapsed().as_nanos() as f64 / count as f64);
        turn += count;
        assert_eq!(region.change().allocations, 0, "{name} allocates");
    }
    best
}

/// A caller with some requests under way: each decision ends the oldest and places one.
struct Caller {
    hosts: Hosts,
    random: Stream,
    ring: [usize; UNDER_WAY],
}

impl Caller {
    /// One host of ten is not eligible, so that nothing is as easy as an index.
    fn new(instances: usize) -> Self {
        let mut hosts = Hosts::new((0..instances).map(|host| 1 + host as u32 % 3));
        (0..instances).step_by(10).for_each(|host| hosts.set_eligible(host, false));
        Self { hosts, random: Stream::new(1, 0, "bench", "policy"), ring: [usize::MAX; UNDER_WAY] }
    }

    fn step(
        &mut self,
        turn: u64,
        pick: impl FnOnce(&Hosts, Request, &mut Stream, Option<Finished>) -> usize,
    ) {
        let now = at(turn);
        let slot = turn as usize % UNDER_WAY;
        let host = self.ring[slot];
        self.hosts.end(host);
        let end = Finished { now, host, latency: Span::from_micros(50 + turn % 64), success: true };
        let end = (host != usize::MAX).then_some(end);
        let [_, a, b, c, ..] = spread(turn).to_be_bytes();
        let key = Some(spread(turn));
        let request = Request { now, client: [10, a, b, c], key };
        let picked = pick(&self.hosts, request, &mut self.random, end);
        self.hosts.begin(picked);
        self.ring[slot] = picked;
    }
}

fn picks(name: &str, instances: usize, balancer: &mut dyn Balancer) -> f64 {
    let mut caller = Caller::new(instances);
    cost(name, 40_000, |turn| {
        caller.step(turn, |hosts, request, random, end| {
            if let Some(end) = end {
                balancer.finished(end);
            }
            if name == "prequal" {
                let answer = Probe {
                    host: 1 + turn as usize % (instances - 1),
                    now: request.now,
                    in_flight: (turn % 7) as u32,
                    latency: Span::from_micros(turn % 97),
                };
                balancer.probed(answer);
            }
            black_box(balancer.pick(hosts, request, random)).expect("a host")
        });
    })
}

/// What one writes without thinking: the eligible host with the fewest requests.
fn scan(instances: usize) -> f64 {
    let mut caller = Caller::new(instances);
    cost("scan", 40_000, |turn| {
        caller.step(turn, |hosts, _, _, _| {
            let eligible = hosts.list().iter().enumerate().filter(|(_, host)| host.eligible);
            black_box(eligible.min_by_key(|(_, host)| host.active)).expect("a host").0
        });
    })
}

fn balancers() {
    let scans = SIZES.map(scan);
    println!("ns per pick, and the share of a linear scan of the same hosts, in one run; 0 allocations");
    let row = |name: &str, costs: [f64; 3]| {
        let cells: Vec<String> =
            costs.iter().zip(scans).map(|(cost, scan)| format!("{cost:>8.0} {:>6.2}", cost / scan)).collect();
        println!("{name:<22}{}", cells.join("  "));
    };
    let heads: Vec<String> = SIZES.iter().map(|n| format!("{n:>8} {:>6}", "ratio")).collect();
    println!("{:<22}{}", "instances", heads.join("  "));
    row("linear scan", scans);
    for info in BALANCERS {
        let name = info.about.name;
        let costs = SIZES.map(|instances| {
            let mut balancer = (info.build)(instances, &Settings::default());
            picks(name, instances, balancer.as_mut())
        });
        row(name, costs);
    }
}

fn row(name: &str, decide: &mut dyn FnMut(u64)) {
    println!("{name:<22}{:>8.1}", cost(name, 100_000, decide));
}

/// A decision each microsecond.
fn at(turn: u64) -> Time {
    Time::from_nanos(turn * 1_000)
}

fn spread(turn: u64) -> u64 {
    turn.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn breakers() {
    let breakers = [
        ("consecutive", breaker::Settings::Consecutive(breaker::ConsecutiveSettings::default())),
        ("rate", breaker::Settings::Rate(breaker::RateSettings::default())),
        ("polly", breaker::Settings::Polly(breaker::PollySettings::default())),
        ("hystrix", breaker::Settings::Hystrix(breaker::HystrixSettings::default())),
        ("sentinel", breaker::Settings::Sentinel(breaker::SentinelSettings::default())),
    ];
    for (name, settings) in &breakers {
        let mut breaker = settings.build();
        row(name, &mut |turn| {
            if let Some(permit) = breaker.admit(at(turn)) {
                let verdict = if turn % 64 == 0 { Verdict::Failure } else { Verdict::Success };
                breaker.record(at(turn), permit, verdict.into());
            }
        });
    }
}

fn limits() {
    let mut bulkhead = Bulkhead::new(BulkheadSettings::default());
    row("bulkhead", &mut |_| {
        if black_box(bulkhead.try_acquire()) {
            bulkhead.release();
        }
    });
    let mut caps = Caps::new(CapSettings::default());
    row("limits", &mut |_| {
        if black_box(caps.begin(CapKind::Requests)) {
            caps.end(CapKind::Requests);
        }
    });
    let settings = TokenBucketSettings {
        max_tokens: 100,
        tokens_per_fill: 50,
        fill_interval: Span::from_millis(50),
        fill: Fill::Continuous,
    };
    let mut bucket = TokenBucket::new(settings, Time::ZERO);
    row("token_bucket", &mut |turn| _ = black_box(bucket.try_take(1, at(turn))));
    let mut limiter = RateLimiter::new(RateLimiterSettings::default(), Time::ZERO);
    row("rate_limiter", &mut |turn| _ = black_box(limiter.reserve(1, at(turn))));
    let mut limits: [(&str, Box<dyn Limit>); 3] = [
        ("aimd", Box::new(Aimd::new(AimdSettings::default()))),
        ("vegas", Box::new(Vegas::new(VegasSettings::default(), 0.5))),
        ("gradient2", Box::new(Gradient2::new(Gradient2Settings::default()))),
    ];
    for (name, limit) in &mut limits {
        row(name, &mut |turn| {
            black_box(limit.sample(Span::from_micros(50 + turn % 32), 20, turn % 512 == 0, 0.5));
        });
    }
    let mut adaptive = Adaptive::new(AdaptiveSettings::default(), Time::ZERO);
    row("adaptive_concurrency", &mut |turn| {
        adaptive.poll(at(turn));
        if black_box(adaptive.try_acquire()) {
            adaptive.ended(at(turn), at(turn + 1), spread(turn));
        }
    });
    let mut admission = Admission::new(AdmissionSettings::default());
    row("admission_control", &mut |turn| {
        if black_box(admission.admits(at(turn), spread(turn))) {
            admission.ended(turn % 3 > 0, at(turn));
        }
    });
}

fn budgets() {
    let budget = RetryBudget::default();
    row("retry_budget", &mut |turn| _ = black_box(budget.allows(turn as u32 % 128, turn as u32 % 8)));
    let mut throttle = GrpcThrottle::new(100, 0.1);
    row("grpc_throttle", &mut |turn| {
        if turn % 8 == 0 {
            black_box(throttle.failure());
        } else {
            throttle.success();
        }
    });
    let mut finagle = FinagleBudget::new(FinagleBudgetSettings::default(), Time::ZERO);
    row("finagle_budget", &mut |turn| {
        finagle.deposit(at(turn));
        black_box(finagle.try_withdraw(at(turn)));
    });
    let mut quota = AwsQuota::new(AwsQuotaSettings::default());
    row("aws_quota", &mut |turn| {
        let cost = black_box(quota.acquire(turn % 2 == 0));
        quota.success(cost);
    });
    row("back-off", &mut |turn| {
        black_box(Backoff::default().delay(1 + turn as u32 % 8, Span::ZERO, spread(turn)));
    });
    let mut detector = EnvoyOutlier::new(EnvoyOutlierSettings::default(), 1_000);
    row("outlier_detection", &mut |turn| {
        let outcome = Outcome::Code(if turn % 97 == 0 { 503 } else { 200 });
        black_box(detector.report(turn as usize % 1_000, outcome, at(turn), || spread(turn)));
    });
    let mut codel = Codel::new(CodelSettings::default(), Time::ZERO);
    row("codel", &mut |turn| {
        black_box(codel.overloaded(Span::from_micros(turn % 20_000), at(turn)));
    });
}

fn main() {
    balancers();
    println!("ns per decision; 0 allocations");
    breakers();
    limits();
    budgets();
}
