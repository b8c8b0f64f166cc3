//! dual-write: an endpoint that writes a datastore and publishes, and either can fail alone.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::words::DatastoreKind;
use crate::model::{Edge, EdgeKind, NodeKind, edges_of};
use petgraph::graph::EdgeIndex;

/// an endpoint that writes a datastore and publishes, and either can fail alone.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "dual-write",
        "an endpoint that writes a datastore and publishes, and either can fail alone",
        include_str!("dual-write.md"),
    )
    .pedantic()
    .reads(&[
        "datastores.kind",
        "services.endpoints.calls.publish",
        "services.endpoints.calls.via",
        "services.endpoints.calls.write",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for at in ctx.arch.endpoints() {
        let Some(endpoint) = ctx.arch.endpoint(at) else { continue };
        let (mut write, mut publish): (Option<EdgeIndex>, Option<EdgeIndex>) = (None, None);
        edges_of(&endpoint.steps, &mut |edge| {
            let data = &ctx.arch.graph[edge];
            // Of an edge of the whole service nobody knows which endpoint it is.
            if data.from_endpoint.is_none() {
                return;
            }
            match data.kind {
                EdgeKind::Write if !is_cache(ctx, edge) => {
                    write.get_or_insert(edge);
                }
                EdgeKind::Publish if !goes_with_data(data) => {
                    publish.get_or_insert(edge);
                }
                _ => {}
            }
        });
        let (Some(write), Some(publish)) = (write, publish) else { continue };
        let (store, channel) = (ctx.arch.ends(write).1, ctx.arch.ends(publish).1);
        let name = ctx.arch.endpoint_id(at);
        let message = format!(
            "`{name}` writes `{}` and publishes to `{}`: one can happen without the other",
            ctx.id(store),
            ctx.id(channel)
        );
        let finding = Finding::new(RULE.info, ctx.arch.graph[publish].span, message);
        out.push(
            finding
                .label("sent on its own")
                .also(ctx.arch.graph[write].span, "written on its own")
                .help("write the message with the data and send it from there: `via: outbox`, or `via: cdc`")
                .about(name),
        );
    }
}

/// What is lost in a cache is read again.
fn is_cache(ctx: &Context<'_>, edge: EdgeIndex) -> bool {
    let store = &ctx.arch.graph[ctx.arch.ends(edge).1].kind;
    matches!(store, NodeKind::Datastore(d) if d.kind.is_some_and(|k| k.value == DatastoreKind::Memcached))
}

/// Whether the message is written with the data and sent later.
fn goes_with_data(edge: &Edge) -> bool {
    let via = edge.via.as_ref().map(|v| v.value.to_lowercase());
    via.is_some_and(|via| matches!(via.as_str(), "outbox" | "cdc"))
}
