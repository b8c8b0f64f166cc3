//! single-point-of-failure: one replica, or one zone, that requests fail with.

use crate::analysis::{Blast, Closure, FailureGraph, only_zone, percent, traffic_share};
use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::{Node, Origin};
use crate::source::Span;
use petgraph::graph::NodeIndex;
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// one replica or zone with which requests from outside fail.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "single-point-of-failure",
        "one replica or zone with which requests from outside fail",
        include_str!("single-point-of-failure.md"),
    )
    .reads(&[
        "services.replicas",
        "defaults.service.replicas",
        "services.instances.zone",
        "services.autoscaling.min",
        "services.zone",
        "services.kind",
        "services.external",
        "services.exposure",
        "services.endpoints.exposure",
        "datastores.replicas",
        "datastores.zone",
        "datastores.ha",
        "services.endpoints.calls.optional",
        "services.endpoints.calls.fallback",
        "services.endpoints.calls.protocol",
        "services.endpoints.calls.read",
        "services.endpoints.calls.write",
        "traffic.to",
        "traffic.classes.to",
        "traffic.rate",
        "traffic.repeat",
        "traffic.states",
        "traffic.replay",
    ]),
    check,
};

/// Looks at users of what failed, for all candidates together: about a second of work. Beyond it
/// a candidate is still found where nothing stands in for it, with one of its entries.
const BUDGET: usize = 2_000_000;

struct Search<'a> {
    graph: &'a FailureGraph,
    budget: usize,
    /// For the ways to what is found beyond the budget.
    steps: usize,
    closure: OnceCell<Closure>,
}

impl Search<'_> {
    fn blast(&mut self, down: &[NodeIndex]) -> Option<Blast> {
        let graph = self.graph;
        let found = if self.budget == 0 { None } else { graph.blast(down, &mut self.budget) };
        if found.as_ref().is_some_and(|b| b.complete) || self.budget > 0 && found.is_none() {
            return found;
        }
        self.budget = 0;
        let closure = self.closure.get_or_init(|| graph.certain(&graph.entries, usize::MAX));
        found.or_else(|| graph.blast_within(closure, down, &mut self.steps))
    }
}

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let mut search =
        Search { graph: ctx.failures(), budget: BUDGET, steps: BUDGET, closure: OnceCell::new() };
    let mut alone: BTreeMap<Span, (usize, Finding)> = BTreeMap::new();
    let mut zones: BTreeMap<&str, Vec<NodeIndex>> = BTreeMap::new();
    for (index, node) in ctx.arch.nodes().filter(|(_, n)| n.can_be_single()) {
        let Some(copies) = node.copies_at_least().filter(|c| c.value == 1) else {
            if let Some(zone) = only_zone(ctx.arch, index) {
                zones.entry(zone).or_default().push(index);
            }
            continue;
        };
        // One inherited number is one cause, however many inherit it.
        if let Some((count, _)) = alone.get_mut(&copies.span) {
            *count += usize::from(search.blast(&[index]).is_some());
        } else if let Some(blast) = search.blast(&[index]) {
            alone.insert(copies.span, (0, of_node(ctx, node, copies.span, &blast)));
        }
    }
    for (more, finding) in alone.into_values() {
        out.push(match more {
            0 => finding,
            1 => finding.note("so is one more that inherits the number"),
            n => finding.note(format!("so are {n} more that inherit the number")),
        });
    }
    for (zone, nodes) in zones {
        out.extend(search.blast(&nodes).map(|blast| of_zone(ctx, zone, &nodes, &blast)));
    }
}

fn of_node(ctx: &Context<'_>, node: &Node, span: Span, blast: &Blast) -> Finding {
    let id = &node.id.value;
    let message =
        format!("`{id}` is a single point of failure: `{}` fails with it", blast.nearest.name(ctx.arch));
    let finding = Finding::new(RULE.info, span, message).label(format!("one replica{}", ctx.origin(span)));
    let help = match node.service() {
        Some(_) => "run at least two replicas, or survive its failure with a `fallback` or `optional: true`",
        None => {
            "run at least two replicas, say `ha: true` if it survives by itself, or `optional: true` where it is used"
        }
    };
    let finding = proven(ctx, finding, blast).help(help);
    match ctx.arch.layers.origin(span) {
        Origin::Inherited(block) => finding.about(block),
        Origin::Own => finding.about(id),
    }
}

fn of_zone(ctx: &Context<'_>, zone: &str, nodes: &[NodeIndex], blast: &Blast) -> Finding {
    let end = blast.path.last().map_or(blast.nearest.node(), |s| ctx.arch.ends(s.edge).1);
    let place = |node: NodeIndex| {
        let data = &ctx.arch.graph[node];
        let listed = data.service().and_then(|s| s.instances.first()).and_then(|i| i.zone.as_ref());
        listed.or(data.zone.as_ref()).map_or(data.id.span, |z| z.span)
    };
    let nearest = blast.nearest.name(ctx.arch);
    let message = format!("the zone `{zone}` is a single point of failure: `{nearest}` fails with it");
    let label = format!("all of `{}` stands in it", ctx.id(end));
    let mut finding = Finding::new(RULE.info, place(end), message).label(label);
    for node in nodes.iter().filter(|n| **n != end).take(4) {
        finding = finding.also(place(*node), format!("all of `{}` stands in it too", ctx.id(*node)));
    }
    if nodes.len() > 5 {
        finding = finding.note(format!("and {} more that stand in no other zone", nodes.len() - 5));
    }
    proven(ctx, finding, blast)
        .help("spread the copies over zones: `instances`, each with a `zone`")
        .about(format!("zone {zone}"))
}

/// Steps of a path that are shown at each of its ends.
const STEPS: usize = 32;

/// The path that proves it, and how far it reaches.
fn proven(ctx: &Context<'_>, mut finding: Finding, blast: &Blast) -> Finding {
    let left_out = blast.path.len().saturating_sub(2 * STEPS);
    let shown = |nth: &usize| *nth < STEPS || *nth >= STEPS + left_out;
    for (_, step) in blast.path.iter().enumerate().filter(|(nth, _)| shown(nth)) {
        let names: Vec<_> =
            step.instead.iter().map(|e| format!("`{}`", ctx.id(ctx.arch.ends(*e).1))).collect();
        let value = match names.as_slice() {
            [] => "fails".to_owned(),
            _ => format!("fails, and so does what stands in: {}", names.join(", ")),
        };
        for edge in &step.instead {
            let data = &ctx.arch.graph[*edge];
            finding = finding.also(
                data.span,
                format!("what stands in for `{}` fails too", ctx.arch.edge_label(step.edge)),
            );
        }
        finding = ctx.hop(finding, step.edge, value);
    }
    if left_out > 0 {
        finding = finding.note(format!("{left_out} calls in the middle of the path are left out"));
    }
    let (hit, all) = (blast.entries.len(), ctx.failures().entries.len());
    let share = traffic_share(ctx.arch, &blast.entries).filter(|_| blast.complete);
    let share = share.map_or_else(String::new, |s| format!(", {} of the declared traffic", percent(s)));
    let least = if blast.complete { "" } else { "at least " };
    finding
        .note(match (hit, all) {
            (1, 1) => "the only entry point fails with it".to_owned(),
            (hit, all) if hit == all => format!("all {all} entry points fail with it"),
            (1, all) => format!("{least}1 of {all} entry points fails with it{share}"),
            (hit, all) => format!("{least}{hit} of {all} entry points fail with it{share}"),
        })
        .number("entries", hit as f64)
}
