//! What a product does when nothing is configured, in the words of the document.
//!
//! A preset *is* the block of its page: what `explain` shows is what is laid below the calls that name it.
//! Must not know which calls those are.

use std::sync::Arc;

use super::decode::{Ctx, Decode, Switch, fill, record};
use super::parse::{Limits, parse};
use super::tree::{Kind, Node};
use super::vocabulary::{CircuitBreaker, Discovery, HealthCheck, Policy, Preset};
use crate::policy::PolicyInfo;
use crate::source::{FileId, Span, Spanned};

/// A preset and its page.
#[derive(Debug)]
pub struct PresetInfo {
    /// Its name, summary and page.
    pub about: PolicyInfo,
    /// The word of the document.
    pub preset: Preset,
}

impl PresetInfo {
    /// The block of its page.
    fn block(&self) -> &'static str {
        let block = self.about.page.split_once("```yaml\n").and_then(|(_, rest)| rest.split_once("```"));
        block.map_or("", |(block, _)| block)
    }
}

macro_rules! presets {
    ($($preset:ident $name:literal $summary:literal,)*) => {
        /// All presets, in the order of the document's vocabulary.
        pub static PRESETS: &[PresetInfo] = &[ $( PresetInfo {
            about: PolicyInfo { name: $name, summary: $summary, page: include_str!(concat!($name, ".md")) },
            preset: Preset::$preset,
        }, )* ];
    };
}

presets! {
    Envoy "envoy" "a route and cluster of Envoy: 15 s, round robin, caps of 1024",
    Istio "istio" "an Istio sidecar: least request, two retries, mutual TLS",
    Nginx "nginx" "proxy_pass to an upstream: 60 s, smooth weighted round robin",
    Haproxy "haproxy" "a backend of HAProxy: in turn, three tries to connect",
    Linkerd "linkerd" "a meshed client of Linkerd: peak EWMA, mutual TLS",
    Finagle "finagle" "a Finagle client: two choices, failure accrual, a retry budget",
    Grpc "grpc" "a gRPC channel without a service config: no deadline, no retry",
    Resilience4j "resilience4j" "a CircuitBreaker and a Retry with their default configuration",
    Polly "polly" "Polly 8: a breaker at 10% of 100 calls in 30 s, three constant retries",
    Hystrix "hystrix" "a HystrixCommand: 1 s, a breaker at 50% of 20 calls in 10 s",
    Sentinel "sentinel" "what a degrade rule of Sentinel leaves open",
    Gobreaker "gobreaker" "a breaker that opens on more than five failures in a row",
    Eureka "eureka" "leases of 90 s, swept every 60 s, and caches of 30 s",
    Kubernetes "kubernetes" "a Service: a random pod per connection, probes every 10 s",
}

record! {
    /// What a preset says.
    Blocks {
        /// In effect by itself.
        call: Policy,
        /// Completes what is declared, and is nothing without it.
        when_declared: Policy,
        /// Of an instance.
        health_check: HealthCheck,
        /// Of a registry and its clients.
        discovery: Discovery,
    }
}

impl Blocks {
    /// What `preset` says. Every value stands at `said`, the bytes that name it: a finding about a
    /// product's default points at the word that brought it in.
    pub fn of(preset: Preset, said: Span) -> Self {
        let block = PRESETS.iter().find(|info| info.preset == preset).map_or("", PresetInfo::block);
        let text = Arc::new(block.to_owned());
        let mut documents = parse(&text, FileId(0), Limits::default(), &mut Vec::new()).unwrap_or_default();
        let Some(mut node) = documents.pop() else { return Self::default() };
        place(&mut node, said);
        Self::decode(&node, &mut Ctx::new()).unwrap_or_default()
    }

    /// Lays the preset below a call.
    pub fn below(&self, own: &mut Policy) {
        if let Some(declared) = &self.when_declared {
            let mut rest = declared.value.clone();
            // What nobody declared stays undeclared.
            keep(&mut rest.retry, own.retry.is_some());
            keep(&mut rest.circuit_breaker, own.circuit_breaker.is_some());
            keep(&mut rest.outlier_detection, own.outlier_detection.is_some());
            lay(&rest, own);
        }
        if let Some(call) = &self.call {
            lay(&call.value, own);
        }
    }
}

fn keep<T>(field: &mut Option<T>, declared: bool) {
    if !declared {
        *field = None;
    }
}

/// Lays one policy below another. A breaker on consecutive failures takes nothing from one on rates, nor the
/// other way round, beside what both have; a window of calls nothing from one of time.
pub fn lay(lower: &Policy, own: &mut Policy) {
    let above = own.circuit_breaker.as_ref().and_then(|b| b.value.on());
    let (Some(above), Some(_)) = (above, &lower.circuit_breaker) else { return own.fill(lower) };
    let mut lower = lower.clone();
    if let Some(Switch::On(below)) = lower.circuit_breaker.as_mut().map(|b| Arc::make_mut(&mut b.value)) {
        of_one_kind(below, above);
    }
    own.fill(&lower);
}

fn of_one_kind(below: &mut CircuitBreaker, above: &CircuitBreaker) {
    if above.failure_threshold.is_some() {
        below.failure_rate_threshold = None;
        below.minimum_calls = None;
        below.window = None;
        below.slow_call = None;
    }
    if above.failure_rate_threshold.is_some() {
        below.failure_threshold = None;
    }
    if let (Some(below), Some(above)) = (&mut below.window, &above.window) {
        if above.value.calls.is_some() {
            below.value.duration = None;
        }
        if above.value.duration.is_some() {
            below.value.calls = None;
        }
    }
}

/// A health check with what its preset says below it.
pub fn health_check(own: &mut Option<Spanned<Arc<Switch<HealthCheck>>>>) {
    let Some(check) = own.as_ref().and_then(|check| check.value.on()) else { return };
    let Some(preset) = check.preset else { return };
    let below = Blocks::of(preset.value, preset.span).health_check;
    fill(own, below.map(|check| check.map(|c| Arc::new(Switch::On(c)))).as_ref());
}

/// What a discovery's preset says, below what it says itself.
pub fn discovery(own: &mut Discovery, _: &Node) {
    let Some(preset) = own.preset else { return };
    if let Some(below) = Blocks::of(preset.value, preset.span).discovery {
        own.fill(&below.value);
    }
}

fn place(node: &mut Node, at: Span) {
    node.span = at;
    match &mut node.kind {
        Kind::Mapping(entries) => entries.iter_mut().for_each(|entry| {
            entry.key.span = at;
            place(&mut entry.value, at);
        }),
        Kind::Sequence(items) => items.iter_mut().for_each(|item| place(item, at)),
        Kind::Null | Kind::Scalar { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_holds_a_block_that_reads_without_a_mistake() {
        for info in PRESETS {
            assert_eq!(info.about.name, info.preset.word());
            assert!(info.about.page.starts_with(&format!("# {}\n", info.about.name)));
            assert!(info.about.page.contains("Source: "), "{}", info.about.name);
            let mut findings = Vec::new();
            let nodes =
                parse(&Arc::new(info.block().to_owned()), FileId(0), Limits::default(), &mut findings);
            let mut ctx = Ctx::new();
            let nodes = nodes.expect("YAML");
            assert!(Blocks::decode(&nodes[0], &mut ctx).is_some(), "{}", info.about.name);
            findings.extend(ctx.findings);
            assert!(findings.is_empty(), "{}: {findings:?}", info.about.name);
        }
    }
}
