//! shared-datastore: one schema that several services write.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use petgraph::graph::NodeIndex;

/// one schema that several services write.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "shared-datastore",
        "one schema that several services write",
        include_str!("shared-datastore.md"),
    )
    .reads(&["services.endpoints.calls.write", "services.kind", "datastores.replica_of"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for (store, writers) in super::writers(ctx).iter().filter(|(_, w)| w.len() > 1) {
        let id = ctx.id(*store);
        let names: Vec<&str> = writers.keys().map(|w: &NodeIndex| ctx.id(*w)).collect();
        let message = match names.as_slice() {
            [a, b] => format!("`{a}` and `{b}` both write `{id}`"),
            _ => format!("{} services write `{id}`", names.len()),
        };
        let mut finding = Finding::new(RULE.info, ctx.arch.graph[*store].id.span, message)
            .label(format!("written by {}", names.join(", ")));
        for (writer, edge) in writers.iter().take(6) {
            let (data, _, to) = ctx.edge(*edge);
            let copy =
                if to == *store { String::new() } else { format!(", through its replica `{}`", ctx.id(to)) };
            finding = finding.also(data.span, format!("`{}` writes it here{copy}", ctx.id(*writer)));
        }
        finding = finding
            .help("let one service write and the others ask it; schemas of their own on one server are datastores of their own here")
            .number("writers", names.len() as f64)
            .about(id);
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        names.sort();
        out.push(names.into_iter().fold(finding, Finding::about));
    }
}
