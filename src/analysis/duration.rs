//! How long a call may take.

use crate::model::Edge;
use crate::model::words::Duration;

/// Nothing bounds the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unbounded;

/// The longest one call can take, D(e) = min(T, n·p + b), with the sum in words: `2 attempts × 1s + 25ms
/// back-off`.
pub fn single_call_bound(edge: &Edge) -> Result<(Duration, String), Unbounded> {
    let bound = edge.bound().ok_or(Unbounded)?;
    let Some(p) = edge.per_try_timeout() else {
        return Ok((bound, format!("its timeout of {bound}")));
    };
    let (n, backoff) = (edge.attempts(), edge.total_backoff());
    let plural = if n == 1 { "attempt" } else { "attempts" };
    let pause = if backoff.0 == 0 { String::new() } else { format!(" + {backoff} back-off") };
    let sum = format!("{n} {plural} × {}{pause}", p.value);
    let all = p.value.0.saturating_mul(u64::from(n)).saturating_add(backoff.0);
    let cut = if all > bound.0 { format!("{sum}, cut by its timeout of {bound}") } else { sum };
    Ok((bound, cut))
}
