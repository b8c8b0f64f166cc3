//! protocol-mismatch: a call that does not speak as the endpoint does.

use crate::finding::{Finding, RuleInfo};
use crate::lint::rules::route::method_and_path;
use crate::lint::{Context, Rule};
use crate::model::words::{Protocol, ServiceKind};
use crate::model::{Edge, Endpoint, EndpointRef};
use crate::source::Span;
use petgraph::graph::{EdgeIndex, NodeIndex};

/// a call that does not speak as the endpoint does.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "protocol-mismatch",
        "a call that does not speak as the endpoint does",
        include_str!("protocol-mismatch.md"),
    )
    .reads(&[
        "services.endpoints.calls.protocol",
        "services.endpoints.calls.method",
        "services.endpoints.protocol",
        "services.kind",
        "communications.protocol",
        "communications.method",
    ]),
    check,
};

/// What the two sides say, and where.
struct Mismatch {
    said: (String, Span),
    offered: (String, Span),
    help: String,
}

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    // To turn one protocol into another is what gateways are for.
    let translates =
        |node: NodeIndex| ctx.arch.graph[node].service().is_some_and(|s| s.kind == ServiceKind::Gateway);
    for (index, edge) in ctx.arch.edges() {
        let (from, to) = ctx.arch.ends(index);
        let Some(at) = edge.to_endpoint.map(|endpoint| EndpointRef { service: to, endpoint }) else {
            continue;
        };
        let Some(endpoint) = ctx.arch.endpoint(at).filter(|e| e.consumes.is_none()) else { continue };
        if translates(from) || translates(to) {
            continue;
        }
        if let Some(mismatch) = protocols(edge, endpoint).or_else(|| methods(edge, endpoint)) {
            out.push(finding(ctx, index, at, mismatch));
        }
    }
}

/// How the call travels and how the endpoint does: by its protocol, or HTTP where it has a method and a path.
fn protocols(edge: &Edge, endpoint: &Endpoint) -> Option<Mismatch> {
    let said = edge.policy.protocol.as_ref()?;
    let offered = match &endpoint.protocol {
        Some(offered) => (offered.value, offered.span),
        // That a queue hands its messages to a path is nothing unusual.
        None if said.value == Protocol::Grpc && method_and_path(&endpoint.name).is_some() => {
            (Protocol::Http, endpoint.name.span)
        }
        None => return None,
    };
    (said.value != offered.0).then(|| Mismatch {
        said: (said.value.word().to_owned(), said.span),
        offered: (offered.0.word().to_owned(), offered.1),
        help: format!("write `protocol: {}` at the call, or mend the endpoint", offered.0.word()),
    })
}

/// The method of the call and the one in the endpoint's name.
fn methods(edge: &Edge, endpoint: &Endpoint) -> Option<Mismatch> {
    let said = edge.policy.method.as_ref()?;
    let (offered, _) = method_and_path(&endpoint.name)?;
    // Where GET is answered, HEAD is (RFC 9110, 9.3.2).
    let fits = |method: &str| offered.eq_ignore_ascii_case(method);
    let same = fits(&said.value) || said.value.eq_ignore_ascii_case("HEAD") && fits("GET");
    (!same).then(|| Mismatch {
        said: (said.value.clone(), said.span),
        offered: (offered.to_owned(), endpoint.name.span),
        help: format!("write `method: {offered}` at the call, or name the endpoint that is meant"),
    })
}

fn finding(ctx: &Context<'_>, edge: EdgeIndex, at: EndpointRef, mismatch: Mismatch) -> Finding {
    let Mismatch { said, offered, help } = mismatch;
    let (_, from, _) = ctx.edge(edge);
    let (caller, target) = (ctx.id(from), ctx.arch.endpoint_id(at));
    let message = format!("`{caller}` calls `{target}` by {}, which is {}", said.0, offered.0);
    Finding::new(RULE.info, said.1, message)
        .label(format!("{} here{}", said.0, ctx.origin(said.1)))
        .also(offered.1, format!("{} here", offered.0))
        .help(help)
        .about(ctx.arch.edge_id(edge))
}
