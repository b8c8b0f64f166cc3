//! plaintext-across-boundary: what crosses from one trust zone to another unencrypted.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::{Edge, EdgeKind, NodeKind};
use crate::source::Spanned;
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::BTreeMap;

/// what crosses from one trust zone to another unencrypted.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "plaintext-across-boundary",
        "a call or access that crosses a trust boundary unencrypted",
        include_str!("plaintext-across-boundary.md"),
    )
    .reads(&[
        "services.trust_zone",
        "services.external",
        "services.endpoints.calls.tls",
        "communications.tls",
        "datastores.trust_zone",
        "datastores.tls",
        "mesh.mtls",
    ]),
    check,
};

/// Why an edge is in the open.
struct Open {
    /// `tls: false`, where that was said.
    off: Option<Spanned<bool>>,
    /// The zones on both sides; none where someone else's service is the boundary.
    zones: Option<(Spanned<String>, Spanned<String>)>,
}

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    // One connection has one remedy, however many calls use it.
    let mut connections: BTreeMap<(NodeIndex, NodeIndex), Vec<(EdgeIndex, Open)>> = BTreeMap::new();
    for (index, edge) in ctx.arch.edges() {
        if let Some(open) = open(ctx, index, edge) {
            connections.entry(ctx.arch.ends(index)).or_default().push((index, open));
        }
    }
    for ((from, to), edges) in connections {
        let Some(((edge, open), rest)) = edges.split_first() else { continue };
        let (u, v) = (ctx.id(from), ctx.id(to));
        let at = open.off.map_or(ctx.arch.graph[*edge].span, |off| off.span);
        let message = match &open.zones {
            Some((a, b)) => format!("`{u} → {v}` crosses from `{}` to `{}` unencrypted", a.value, b.value),
            None => format!("`{u} → {v}` leaves the system unencrypted"),
        };
        let label = match open.off {
            Some(off) => format!("switched off here{}", ctx.origin(off.span)),
            None => "nothing here says that it is encrypted".to_owned(),
        };
        let mut finding = Finding::new(RULE.info, at, message).label(label);
        if let Some((a, b)) = &open.zones {
            finding = finding.also(a.span, format!("`{u}` trusts this zone"));
            finding = finding.also(b.span, format!("`{v}` trusts this one"));
        }
        for (other, _) in rest.iter().take(2) {
            finding = finding.also(ctx.arch.graph[*other].span, "so does this");
        }
        let help = match ctx.arch.graph[to].service() {
            Some(s) if s.external => "encrypt it and write `tls: true` at the call",
            Some(_) => {
                "encrypt it and write `tls: true` at the call, or `mesh: { mtls: true }` where a mesh does"
            }
            None => "encrypt it and write `tls: true` at the datastore",
        };
        out.push(finding.help(help).about(format!("{u} → {v}")));
    }
}

/// Whether an edge crosses a boundary in the open: it says so itself, or nothing says that it is encrypted
/// where both sides say which zone they trust.
fn open(ctx: &Context<'_>, index: EdgeIndex, edge: &Edge) -> Option<Open> {
    let (from, to) = ctx.arch.ends(index);
    let (caller, target) = (&ctx.arch.graph[from], &ctx.arch.graph[to]);
    let (tls, in_mesh) = match (&target.kind, edge.kind) {
        (NodeKind::Service(service), EdgeKind::Call) => (edge.policy.tls, !service.external),
        (NodeKind::Datastore(store), EdgeKind::Read | EdgeKind::Write) => {
            (edge.policy.tls.or(store.tls), false)
        }
        _ => return None,
    };
    let off = tls.filter(|tls| !tls.value);
    let mesh = ctx.arch.mesh.as_ref().and_then(|m| m.mtls).is_some_and(|m| m.value);
    if tls.is_some_and(|tls| tls.value) || (mesh && in_mesh) {
        return None;
    }
    let zones = caller.trust_zone.clone().zip(target.trust_zone.clone());
    let leaves =
        target.service().is_some_and(|s| s.external) && !caller.service().is_some_and(|s| s.external);
    match zones {
        // What is listed without detail says nothing of how it travels.
        Some((a, b)) if a.value != b.value => {
            let detailed = off.is_some() || edge.is_detailed() || edge.kind != EdgeKind::Call;
            detailed.then_some(Open { off, zones: Some((a, b)) })
        }
        Some(_) => None,
        None => off.filter(|_| leaves).map(|off| Open { off: Some(off), zones: None }),
    }
}
