//! technology-lock-in: a protocol that only services of one technology speak.

use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};
use crate::model::EndpointRef;
use crate::model::words::Protocol;
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::{BTreeMap, BTreeSet};

/// a protocol that only services of one technology speak.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info(
        "technology-lock-in",
        "a protocol that only services of one technology speak",
        include_str!("technology-lock-in.md"),
    )
    .pedantic()
    .settings(&[Setting::new("speakers", 3.0, "services that speak it, at the least")])
    .reads(&[
        "services.endpoints.calls.protocol",
        "services.endpoints.protocol",
        "services.external",
        "services.technology",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let floor = ctx.number(RULE.info, "speakers");
    let declared = ctx.arch.services().filter(|(_, _, s)| !s.external && !s.technology.is_empty());
    let declared: BTreeMap<NodeIndex, &Vec<String>> = declared.map(|(n, _, s)| (n, &s.technology)).collect();
    for (name, edges) in by_protocol(ctx) {
        let speakers: BTreeSet<NodeIndex> =
            edges.iter().flat_map(|e| <[_; 2]>::from(ctx.arch.ends(*e))).collect();
        // Third parties speak it too; of whom nothing is said, nobody knows.
        let Some(made) = speakers.iter().map(|n| declared.get(n)).collect::<Option<Vec<_>>>() else {
            continue;
        };
        let Some((first, others)) = made.split_first() else { continue };
        let common = |word: &&String| others.iter().all(|technology| technology.contains(word));
        let Some(technology) = first.iter().find(common) else { continue };
        let mute = declared.iter().find(|(_, made)| !made.contains(technology)).map(|(n, _)| *n);
        let (Some(mute), Some(edge)) = (mute, edges.first()) else { continue };
        if (speakers.len() as f64) < floor {
            continue;
        }
        let message = format!("only services made with `{technology}` speak {name} here");
        let names: Vec<&str> = speakers.iter().map(|n| ctx.id(*n)).collect();
        let finding = Finding::new(RULE.info, ctx.arch.graph[*edge].span, message)
            .label(format!("spoken by {}", names.join(", ")))
            .also(ctx.arch.graph[mute].id.span, format!("`{}` is not made with it", ctx.id(mute)));
        out.push(
            finding
                .help("see that another technology could join: publish the interface, or offer it over http as well")
                .number("speakers", speakers.len() as f64)
                .about(name)
                .about(technology),
        );
    }
}

/// The calls between services whose protocol is said and is not http, which everything speaks.
fn by_protocol(ctx: &Context<'_>) -> BTreeMap<&'static str, Vec<EdgeIndex>> {
    let mut found: BTreeMap<&'static str, Vec<EdgeIndex>> = BTreeMap::new();
    for (index, edge) in ctx.arch.edges() {
        let (from, to) = ctx.arch.ends(index);
        let called = edge.to_endpoint.map(|endpoint| EndpointRef { service: to, endpoint });
        let of_callee = || called.and_then(|at| ctx.arch.endpoint(at)?.protocol).map(|p| p.value);
        let services = ctx.arch.graph[from].service().and(ctx.arch.graph[to].service());
        if let Some(protocol) =
            edge.protocol().or_else(of_callee).filter(|p| *p != Protocol::Http && services.is_some())
        {
            found.entry(protocol.word()).or_default().push(index);
        }
    }
    found
}
