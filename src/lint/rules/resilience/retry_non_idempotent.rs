//! retry-non-idempotent: what must not be done twice is tried again.

use crate::finding::{Finding, RuleInfo};
use crate::lint::inherited::{Inherited, more_calls};
use crate::lint::{Context, Rule};
use crate::model::words::{Protocol, Retry, RetryCondition};
use crate::model::{Edge, Endpoint, EndpointRef};
use crate::source::{Span, Spanned};
use petgraph::graph::EdgeIndex;

/// what must not be done twice is tried again.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "retry-non-idempotent",
        "what must not be done twice is tried again",
        include_str!("retry-non-idempotent.md"),
    )
    .reads(&[
        "services.endpoints.idempotent",
        "services.endpoints.calls.method",
        "services.endpoints.calls.protocol",
        "services.endpoints.calls.idempotency_key",
        "services.endpoints.calls.retry.num_retries",
        "services.endpoints.calls.retry.retry_on",
        "communications.method",
        "communications.retry_count",
        "mesh.retry.num_retries",
        "mesh.retry.retry_on",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut found = Inherited::default();
    for (index, call) in ctx.arch.edges() {
        let keyed = call.policy.idempotency_key.is_some_and(|k| k.value);
        if !call.is_sync_call() || keyed {
            continue;
        }
        let to = ctx.arch.ends(index).1;
        let endpoint = call.to_endpoint.map(|endpoint| EndpointRef { service: to, endpoint });
        let endpoint = endpoint.and_then(|at| ctx.arch.endpoint(at));
        let (Some(why), Some(retries)) = (unsafe_to_repeat(call, endpoint), retried(ctx, call)) else {
            continue;
        };
        found.add(ctx, index, &[retries.span], None, || finding(ctx, index, &why, retries));
    }
    found.finish(out, more_calls);
}

/// Why a call must not be repeated.
enum Why {
    /// The endpoint says so at these bytes.
    Said(Span),
    /// Its method, which nothing marks as idempotent.
    Method(&'static str),
}

fn unsafe_to_repeat(call: &Edge, endpoint: Option<&Endpoint>) -> Option<Why> {
    match endpoint.and_then(|e| e.idempotent) {
        Some(said) if said.value => return None,
        Some(said) => return Some(Why::Said(said.span)),
        None => {}
    }
    // POST and PATCH are the methods that RFC 9110 and RFC 5789 do not call idempotent. The name of a
    // procedure says nothing.
    let name = endpoint.and_then(|e| e.name.value.split_once(char::is_whitespace)).map(|(method, _)| method);
    let method = call.policy.method.as_ref().map(|m| m.value.as_str()).or(name)?;
    let http = call.protocol().is_none_or(|p| p == Protocol::Http);
    let known = ["POST", "PATCH"].into_iter().find(|m| method.eq_ignore_ascii_case(m));
    known.filter(|_| http).map(Why::Method)
}

/// The retries that may repeat what was done: of the call, else of the mesh.
fn retried(ctx: &Context<'_>, call: &Edge) -> Option<Spanned<u32>> {
    let mesh = ctx.arch.mesh.as_ref().and_then(|m| m.retry.as_ref()).and_then(|r| r.value.on());
    call.retry()
        .into_iter()
        .chain(mesh)
        .filter(|r| may_repeat(r))
        .find_map(|r| r.num_retries.filter(|n| n.value > 0))
}

/// Whether an attempt may follow one that has arrived. Where no connection came about, none has.
fn may_repeat(retry: &Retry) -> bool {
    let harmless =
        |c: RetryCondition| matches!(c, RetryCondition::ConnectFailure | RetryCondition::RateLimited);
    retry.retry_on.as_ref().is_none_or(|on| on.iter().any(|c| !harmless(c.value)))
}

fn finding(ctx: &Context<'_>, index: EdgeIndex, why: &Why, retries: Spanned<u32>) -> Finding {
    let (call, from, to) = ctx.edge(index);
    let (u, v) = (ctx.id(from), ctx.id(to));
    let attempts = retries.value.saturating_add(1);
    let of = if call.retry().and_then(|r| r.num_retries).is_some_and(|n| n.span == retries.span) {
        ctx.origin(retries.span)
    } else {
        " by the mesh".to_owned()
    };
    let message = format!("`{u}` may make `{v}` do the same thing twice");
    let finding = Finding::new(RULE.info, retries.span, message)
        .label(format!("`{}` is tried {attempts} times{of}", ctx.arch.edge_label(index)));
    let finding = match why {
        Why::Said(span) => finding.also(*span, "which is not idempotent"),
        Why::Method(method) => {
            finding.also(call.span, format!("{method} is not idempotent, and nothing says that this one is"))
        }
    };
    finding
        .note("an attempt that was not answered in time may have been carried out")
        .help("send an `idempotency_key: true`, mark the endpoint `idempotent: true` if it is, or retry with `retry_on: [connect-failure]` only")
}
