//! Isotope topologies. A service of isotope can be asked one thing, and calls services only.

use super::{Export, Exported, list, mapping, text, word};
use crate::model::{Architecture, Edge, Service, Step};
use crate::source::{Span, Spanned};
use crate::spec::facts::tree;
use crate::spec::tree::Node;
use petgraph::graph::EdgeIndex;

/// Isotope.
pub static EXPORT: Export = Export {
    name: "isotope",
    summary: "an isotope topology: services, replicas, error rates, scripts of calls",
    write,
};

fn write(arch: &Architecture) -> Exported {
    let mut out = Exported::default();
    let entries: Vec<_> = arch.entry_points().into_iter().map(|at| at.service).collect();
    let mut services = Vec::new();
    for (index, node) in arch.nodes() {
        let id = &node.id.value;
        let Some(service) = node.service() else {
            out.lose(format!("the {} `{id}`: isotope knows services only", node.kind_name()), node.id.span);
            continue;
        };
        unsaid(id, service, &mut out);
        let first = service.endpoints.first();
        for other in service.endpoints.iter().skip(1) {
            let what =
                format!("`{}` of `{id}`: a service of isotope can be asked one thing", other.name.value);
            out.lose(what, other.name.span);
        }
        let common: Vec<_> = service.common.iter().map(|edge| Step::Edge(*edge)).collect();
        let steps = first.map_or(common.as_slice(), |endpoint| endpoint.steps.as_slice());
        let script = script(arch, steps, true, &mut out);
        let errors =
            first.and_then(|e| e.error_rate).or(service.error_rate).map(|rate| rate.value.to_string());
        let kind = first.and_then(|e| e.protocol.as_ref()).map(|p| p.value.word());
        services.extend(mapping([
            ("name", Some(word(id.as_str()))),
            ("type", kind.filter(|kind| matches!(*kind, "http" | "grpc")).map(word)),
            ("numReplicas", service.replicas.map(|r| word(r.value.to_string()))),
            ("isEntrypoint", entries.contains(&index).then(|| word("true"))),
            ("errorRate", errors.map(word)),
            ("script", list(script)),
        ]));
    }
    out.text = mapping([("services", list(services))]).map(|root| text(&root)).unwrap_or_default();
    out
}

/// What shapes a service under load and has no word in isotope.
fn unsaid(id: &str, service: &Service, out: &mut Exported) {
    let said = [
        ("latency", service.latency.as_ref().map(|l| l.span)),
        ("workers", service.workers.map(|w| w.span)),
        ("concurrency", service.concurrency.map(|c| c.span)),
        ("queue", service.queue_length.map(|q| q.span)),
        ("autoscaling", service.autoscaling.as_ref().map(|a| a.span)),
        ("health_check", service.health_check.as_ref().map(|h| h.span)),
    ];
    for (key, span) in said {
        if let Some(span) = span {
            out.lose(format!("`{key}` of `{id}`"), span);
        }
    }
    let own = service.endpoints.first().and_then(|e| e.latency.as_ref()).map(|l| l.span);
    if let Some(span) = own.filter(|span| service.latency.as_ref().is_none_or(|l| l.span != *span)) {
        out.lose(format!("`latency` of `{id}`"), span);
    }
}

/// Steps as commands; inside of commands at the same time (`outer` is false) there are no further ones.
fn script(arch: &Architecture, steps: &[Step], outer: bool, out: &mut Exported) -> Vec<Node> {
    let mut commands = Vec::new();
    for step in steps {
        match step {
            Step::Edge(index) => call(arch, *index, &mut commands, out),
            Step::Work(work) => {
                commands.extend(mapping([("sleep", Some(word(work.value.to_string())))]));
            }
            Step::Parallel(steps) => {
                let inner = script(arch, steps, false, out);
                if outer {
                    commands.extend(list(inner));
                } else {
                    out.lose(
                        "a list of steps at the same time within another: it is joined to it",
                        Span::default(),
                    );
                    commands.extend(inner);
                }
            }
        }
    }
    commands
}

fn call(arch: &Architecture, index: EdgeIndex, commands: &mut Vec<Node>, out: &mut Exported) {
    let (Some(edge), (_, to)) = (arch.graph.edge_weight(index), arch.ends(index)) else { return };
    let id = arch.edge_id(index);
    if arch.graph.node_weight(to).and_then(|node| node.service()).is_none() {
        return out.lose(format!("`{id}`: isotope knows calls of services only"), edge.span);
    }
    policy(&id, edge, out);
    let percent = edge.probability * 100.0;
    let chance = (percent < 100.0).then(|| word(format!("{percent:.0}")));
    if (percent - percent.round()).abs() > 1e-9 {
        out.lose(format!("the probability of `{id}` between whole percents"), edge.span);
    }
    let service = word(arch.id(to));
    let made = match chance {
        None => mapping([("call", Some(service))]),
        some => mapping([("call", mapping([("service", Some(service)), ("probability", some)]))]),
    };
    for _ in 0..edge.times {
        commands.extend(made.clone());
    }
}

fn policy(id: &str, edge: &Edge, out: &mut Exported) {
    let said = tree(&Spanned::new(edge.policy.clone(), edge.span));
    for entry in said.entries().iter().filter(|e| e.key.value != "protocol") {
        let span = if entry.value.span == Span::default() { edge.span } else { entry.value.span };
        out.lose(format!("`{}` of `{id}`", entry.key.value.as_str()), span);
    }
    if let Some(fallback) = &edge.fallback {
        out.lose(format!("`fallback` of `{id}`"), fallback.span);
    }
    if let Some(optional) = edge.optional {
        out.lose(format!("`optional` of `{id}`"), optional.span);
    }
}
