//! The systems of the table as documents, as a user would write them.

use std::fmt::Write;

/// Requests are answered by one service; the mean work is a millisecond.
#[derive(Debug, Clone, Copy)]
pub(super) struct Station {
    /// Requests per second, Poisson unless `arrivals` says otherwise.
    pub rate: f64,
    /// More words of the traffic.
    pub arrivals: &'static str,
    /// The words of its latency.
    pub work: &'static str,
    /// More words of the service: workers, replicas, queue.
    pub service: &'static str,
    /// How its clients call it.
    pub upstream: &'static str,
    /// Not measured, in seconds.
    pub warm_up: f64,
    /// Measured, in seconds.
    pub measured: f64,
}

/// Exponential work of a millisecond.
pub(super) const EXPONENTIAL: &str = "distribution: exponential, mean: 1ms";

impl Station {
    pub const fn new(rate: f64, measured: f64) -> Self {
        let (work, service, upstream) = (EXPONENTIAL, "workers: 1", "");
        Self { rate, arrivals: "", work, service, upstream, warm_up: 5.0, measured }
    }

    pub fn document(&self) -> String {
        format!(
            "services:\n  server: {{ {}, endpoints: {{ GET /: {{ latency: {{ {} }} }} }} }}\n{}{}{}",
            self.service,
            self.work,
            upstreams(&[("server", self.upstream)]),
            traffic("server", &format!("rate: {}/s{}", self.rate, self.arrivals)),
            scenario(self.warm_up, self.measured),
        )
    }
}

fn upstreams(all: &[(&str, &str)]) -> String {
    let said = all.iter().filter(|(_, policy)| !policy.is_empty());
    let lines: String = said.fold(String::new(), |mut text, (name, policy)| {
        let _ = writeln!(text, "  {name}: {{ {policy} }}");
        text
    });
    if lines.is_empty() { lines } else { format!("upstreams:\n{lines}") }
}

fn traffic(to: &str, how: &str) -> String {
    format!("traffic:\n  - {{ to: {to} GET /, {how} }}\n")
}

fn scenario(warm_up: f64, measured: f64) -> String {
    let micros = |seconds: f64| format!("{:.0}us", seconds * 1e6);
    format!(
        "scenarios:\n  run: {{ warm_up: {}, duration: {} }}\n",
        micros(warm_up),
        micros(warm_up + measured)
    )
}

/// Services that call one another in a row, each with these words, the last with `last`; `how` callers do it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain<'a> {
    /// The words of the endpoint of each service.
    pub hops: &'a [&'a str],
    /// How each of them is called.
    pub upstream: &'a str,
    /// Words of the traffic.
    pub traffic: &'a str,
    /// Further sections.
    pub more: &'a str,
    /// Not measured, in seconds.
    pub warm_up: f64,
    /// Measured, in seconds.
    pub measured: f64,
}

impl Chain<'_> {
    pub fn document(&self) -> String {
        let mut text = "services:\n".to_owned();
        let last = self.hops.len().saturating_sub(1);
        for (hop, words) in self.hops.iter().enumerate() {
            let calls =
                if hop == last { String::new() } else { format!("calls: [{{ call: s{} GET / }}]", hop + 1) };
            let comma = if words.is_empty() || calls.is_empty() { "" } else { ", " };
            let _ = writeln!(
                text,
                "  s{hop}: {{ workers: 1, endpoints: {{ GET /: {{ {words}{comma}{calls} }} }} }}"
            );
        }
        let names: Vec<String> = (0..self.hops.len()).map(|hop| format!("s{hop}")).collect();
        let policies: Vec<(&str, &str)> = names.iter().map(|n| (n.as_str(), self.upstream)).collect();
        text + &upstreams(&policies)
            + self.more
            + &traffic("s0", self.traffic)
            + &scenario(self.warm_up, self.measured)
    }
}

/// A request calls a leaf a hundred times at once; each takes more than 10 ms once in a hundred times, and so long
/// waits the client.
pub(super) fn fan_out() -> String {
    let calls = "          - { call: leaf GET / }\n".repeat(100);
    format!(
        "services:\n  root:\n    endpoints:\n      GET /:\n        calls:\n        - parallel:\n{calls}  leaf: \
         {{ workers: 1000000, endpoints: {{ GET /: {{ latency: {{ p50: 1ms, p99: 10ms }} }} }} }}\n{}{}{}",
        upstreams(&[("root", "timeout: 10ms")]),
        traffic("root", "rate: 200/s"),
        scenario(1.0, 20.0),
    )
}

/// A server that calls itself again with this probability.
pub(super) fn feedback(measured: f64) -> String {
    format!(
        "services:\n  server: {{ workers: 1, endpoints: {{ GET /: {{ latency: {{ {EXPONENTIAL} }}, calls: [{{ \
         call: server GET /, probability: 20% }}] }} }} }}\n{}{}",
        traffic("server", "rate: 600/s"),
        scenario(5.0, measured),
    )
}

/// A server of 1000/s that stands still for 10 s; clients wait a second and try again three times. Measured from
/// 180 s after the standstill on.
pub(super) fn standstill(rate: u32) -> String {
    let retry = "retry: { num_retries: 3, per_try_timeout: 1s, retry_on: [timeout], backoff: { base: 100ms, max: 100ms } }";
    format!(
        "services:\n  server: {{ workers: 1, endpoints: {{ GET /: {{ latency: {{ {EXPONENTIAL} }} }} }} }}\n{}{}\
         scenarios:\n  run:\n    warm_up: 250s\n    duration: 295s\n    events: [{{ at: 60s, for: 10s, slow: {{ \
         target: server, factor: 100000 }} }}]\n",
        upstreams(&[("server", retry)]),
        traffic("server", &format!("rate: {rate}/s")),
    )
}

/// A consumer of 1000/s is gone while 60,000 messages pile up at 700/s, and comes back.
pub(super) fn drain() -> String {
    format!(
        "services:\n  front: {{ endpoints: {{ GET /: {{ calls: [{{ publish: jobs }}] }} }} }}\n  worker: {{ \
         consumes: {{ jobs: {{ concurrency: 1, latency: {{ {EXPONENTIAL} }} }} }} }}\nqueues: {{ jobs: {{}} }}\n{}\
         scenarios:\n  run:\n    warm_up: 5s\n    duration: 310s\n    events: [{{ at: 5s, for: 85714286us, kill: {{ \
         target: worker }} }}]\n",
        traffic("front", "rate: 700/s"),
    )
}

/// When the consumer of [`drain`] is back, in seconds.
pub(super) const DRAIN_BEGINS: f64 = 90.714_286;

/// Ten thousand callers, each with a breaker of its own and exactly twenty calls of which 30% fail.
pub(super) fn breakers() -> String {
    format!(
        "services:\n  front: {{ replicas: {BREAKERS}, endpoints: {{ GET /: {{ calls: [{{ call: flaky GET / }}] }} }} \
         }}\n  flaky: {{ endpoints: {{ GET /: {{ error_rate: 30% }} }} }}\n{}{}scenarios:\n  run: {{ warm_up: 0s, \
         duration: 1000003us }}\n",
        upstreams(&[(
            "flaky",
            "circuit_breaker: { failure_rate_threshold: 50%, minimum_calls: 20, window: { calls: 20 } }"
        )]),
        traffic("front", "rate: 200000/s, arrivals: constant"),
    )
}

/// How many callers [`breakers`] has.
pub(super) const BREAKERS: u32 = 10_000;

/// A call to what fails for certain, tried five times, with a static answer in the end: it takes as long as the
/// pauses.
pub(super) fn pauses() -> String {
    "services:\n  web: { endpoints: { GET /: { calls: [{ call: gone GET /, fallback: static, retry: { num_retries: 4, \
     backoff: { base: 100ms, max: 2s, jitter: full } } }] } } }\n  gone: { endpoints: { GET /: { error_rate: 100% } } }\n"
        .to_owned()
        + &traffic("web", "rate: 1000/s")
        + &scenario(5.0, 40.0)
}

/// Two alternatives that each work 99 times in a hundred.
pub(super) fn alternatives() -> String {
    "services:\n  web: { endpoints: { GET /: { calls: [{ call: one GET /, fallback: { call: two GET / } }] } } }\n  one: \
     { endpoints: { GET /: { error_rate: 1% } } }\n  two: { endpoints: { GET /: { error_rate: 1% } } }\n"
        .to_owned()
        + &traffic("web", "rate: 1000/s")
        + &scenario(1.0, 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_reads_like_a_document() {
        assert_eq!(
            Station { upstream: "timeout: 10ms", ..Station::new(800.0, 10.0) }.document(),
            "services:\n  server: { workers: 1, endpoints: { GET /: { latency: { distribution: exponential, mean: 1ms } } \
             } }\nupstreams:\n  server: { timeout: 10ms }\ntraffic:\n  - { to: server GET /, rate: 800/s }\nscenarios:\n  \
             run: { warm_up: 5000000us, duration: 15000000us }\n"
        );
    }
}
