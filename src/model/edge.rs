//! How parts of the architecture communicate.

use crate::source::{Span, Spanned};
pub use crate::spec::Evidence;
use crate::spec::Switch;
use crate::spec::units::Duration;
use crate::spec::vocabulary::{CircuitBreaker, Jitter, Policy, Protocol, Retry, RetryCondition};
use std::borrow::Cow;

/// An edge of the graph: one call site, one message sent, one access.
#[derive(Debug, Clone)]
pub struct Edge {
    /// What it is.
    pub kind: EdgeKind,
    /// The endpoint (index in its service) that does it; `None` for all of them.
    pub from_endpoint: Option<usize>,
    /// The endpoint (index in its service) that is called; `None` where none is named and there are several.
    pub to_endpoint: Option<usize>,
    /// Where the target is named.
    pub span: Span,
    /// All the bytes that say something of it.
    pub whole: Span,
    /// Other places that say the same edge.
    pub evidence: Vec<Evidence>,
    /// How the call is made: what the call, its service, the upstream and the file say, in this order.
    pub policy: Policy,
    /// Part of requests in which it happens.
    pub probability: f64,
    /// Times in such a request.
    pub times: u32,
    /// The request survives its failure.
    pub optional: Option<Spanned<bool>>,
    /// What stands in when it fails.
    pub fallback: Option<Spanned<Fallback>>,
    /// Written with the data and sent later (`outbox`, `cdc`).
    pub via: Option<Spanned<String>>,
    /// The type of message.
    pub message: Option<Spanned<String>>,
}

/// What an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// A request that is waited for.
    Call,
    /// A message to a queue, topic or service that is not waited for.
    Publish,
    /// Messages from a queue or topic to a handler.
    Consume,
    /// Data that is read.
    Read,
    /// Data that is written.
    Write,
}

/// What stands in when a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing.
    None,
    /// A fixed answer.
    Static,
    /// The last answer.
    Cached,
    /// Another edge of the graph.
    Call(petgraph::graph::EdgeIndex),
}

impl Edge {
    /// An edge of which nothing is known but its kind and place.
    pub fn new(kind: EdgeKind, span: Span, source: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            from_endpoint: None,
            to_endpoint: None,
            span,
            whole: span,
            evidence: vec![Evidence::new(source, span)],
            policy: Policy::default(),
            probability: 1.0,
            times: 1,
            optional: None,
            fallback: None,
            via: None,
            message: None,
        }
    }

    /// Whether a request waits for it: a call of another service that carries work.
    pub fn is_sync_call(&self) -> bool {
        matches!(self.kind, EdgeKind::Call) && !self.is_telemetry()
    }

    /// Whether all that is known of it is that traces, metrics or logs go there: no request waits for those.
    pub fn is_telemetry(&self) -> bool {
        !self.evidence.is_empty() && self.evidence.iter().all(|e| e.telemetry)
    }

    /// Whether only the order of starting shows it.
    pub fn is_assumed(&self) -> bool {
        !self.evidence.is_empty() && self.evidence.iter().all(Evidence::is_start_order)
    }

    /// Whether a document of the user's says how it is made: as a call or communication, not as a mere
    /// dependency or by import.
    pub fn is_detailed(&self) -> bool {
        self.evidence.iter().any(|e| matches!(&*e.source, "call" | "communications" | "fallback"))
    }

    /// `sync`, `async` or `data`.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            EdgeKind::Call if self.is_telemetry() => "async",
            EdgeKind::Call => "sync",
            EdgeKind::Publish | EdgeKind::Consume => "async",
            EdgeKind::Read | EdgeKind::Write => "data",
        }
    }

    /// Whether it is made only when another has failed.
    pub fn stands_in(&self) -> bool {
        self.evidence.first().is_some_and(|e| e.source == "fallback")
    }

    /// Whether the request fails with it: synchronous, not optional, no stand-in and without one.
    pub fn is_hard(&self) -> bool {
        let fallback = self.fallback.as_ref().is_some_and(|f| f.value != Fallback::None);
        let optional = self.optional.as_ref().is_some_and(|o| o.value);
        self.is_sync_call() && !optional && !fallback && !self.stands_in()
    }

    /// How it travels, where something was said.
    pub fn protocol(&self) -> Option<Protocol> {
        self.policy.protocol.as_ref().map(|p| p.value)
    }

    /// T: for all attempts and back-off together.
    pub fn timeout(&self) -> Option<Spanned<Duration>> {
        let timeout = self.policy.timeout.as_ref()?;
        timeout.value.on().map(|d| Spanned::new(*d, timeout.span))
    }

    /// The retry policy, unless it is off.
    pub fn retry(&self) -> Option<&Retry> {
        self.policy.retry.as_ref().and_then(|r| r.value.on())
    }

    /// p: what bounds one attempt, where it is declared.
    pub fn per_try_timeout(&self) -> Option<Spanned<Duration>> {
        self.retry().and_then(|r| r.per_try_timeout)
    }

    /// n: attempts including the first.
    pub fn attempts(&self) -> u32 {
        let retries = self.retry().and_then(|r| r.num_retries.as_ref()).map_or(0, |n| n.value);
        retries.saturating_add(1)
    }

    /// What bounds one attempt: p where declared, else T.
    pub fn attempt_bound(&self) -> Option<Spanned<Duration>> {
        self.per_try_timeout().or_else(|| self.timeout())
    }

    /// Whether a timed-out attempt is followed by another: only where p is declared and nothing excludes it.
    pub fn retries_timeouts(&self) -> bool {
        let retries_on = self.retry().and_then(|r| r.retry_on.as_ref());
        let on = retries_on.is_none_or(|c| c.iter().any(|c| c.value == RetryCondition::Timeout));
        self.per_try_timeout().is_some() && on
    }

    /// b: the back-off before jitter, summed over all retries: Σ min(base·2^(i−1), max).
    pub fn total_backoff(&self) -> Duration {
        let Some((base, max)) = self.backoff() else { return Duration(0) };
        let mut total = 0_u64;
        for i in 0..self.attempts().saturating_sub(1) {
            let delay =
                base.0.checked_shl(i).filter(|d| i < 63 && (d >> i) == base.0).unwrap_or(u64::MAX).min(max.0);
            total = total.saturating_add(delay);
            if delay == max.0 {
                let rest = u64::from(self.attempts() - 2 - i);
                return Duration(total.saturating_add(delay.saturating_mul(rest)));
            }
        }
        Duration(total)
    }

    /// Base and maximum of the back-off, where one is said. Without a base it is the built-in one, without
    /// a maximum that is ten times the base (Envoy's rule). A maximum below the built-in base lowers it.
    pub fn backoff(&self) -> Option<(Duration, Duration)> {
        let backoff = self.retry()?.backoff.as_ref()?.value.on()?;
        let base = backoff.base.as_ref().map_or(super::builtin::BACKOFF_BASE, |b| b.value);
        let max = backoff.max.as_ref().map_or(Duration(base.0.saturating_mul(10)), |m| m.value);
        if backoff.base.is_none() {
            return Some((Duration(base.0.min(max.0)), max));
        }
        Some((base, Duration(max.0.max(base.0))))
    }

    /// What is spread around the back-off.
    pub fn jitter(&self) -> Jitter {
        let backoff = self.retry().and_then(|r| r.backoff.as_ref()).and_then(|b| b.value.on());
        backoff.and_then(|b| b.jitter.as_ref()).map_or(Jitter::Full, |j| j.value)
    }

    /// The breaker, unless it is off.
    pub fn breaker(&self) -> Option<&CircuitBreaker> {
        self.policy.circuit_breaker.as_ref().and_then(|b| b.value.on())
    }

    /// D(e) = min(T, n·p + b); T where p is not declared; `None` where nothing bounds it.
    pub fn bound(&self) -> Option<Duration> {
        let timeout = self.timeout().map(|t| t.value);
        let Some(p) = self.per_try_timeout() else { return timeout };
        let attempts = p.value.0.saturating_mul(u64::from(self.attempts()));
        let all = attempts.saturating_add(self.total_backoff().0);
        Some(Duration(timeout.map_or(all, |t| t.0.min(all))))
    }

    /// Whether the caller's deadline is carried on: the callee ends with it.
    pub fn propagates_deadline(&self) -> bool {
        self.policy.propagate_deadline.is_some_and(|p| p.value)
    }

    /// Whether timeout and retries were switched off or never said.
    pub fn says_no_timeout(&self) -> bool {
        matches!(self.policy.timeout.as_ref().map(|t| &t.value), Some(Switch::Off))
    }
}
