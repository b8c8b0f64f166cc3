//! public-datastore: a datastore that anyone may reach.

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::NodeKind;
use crate::model::words::Exposure;

/// a datastore that anyone may reach.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "public-datastore",
        "a datastore that anyone may reach",
        include_str!("public-datastore.md"),
    )
    .reads(&["datastores.exposure"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for (_, node) in ctx.arch.nodes() {
        let NodeKind::Datastore(store) = &node.kind else { continue };
        let Some(exposure) = store.exposure.filter(|e| e.value == Exposure::Public) else { continue };
        let id = &node.id.value;
        let finding = Finding::new(RULE.info, exposure.span, format!("anyone may reach `{id}`"));
        out.push(
            finding
                .label("open to the world")
                .help("make it `exposure: internal` and let a service answer for it")
                .about(id),
        );
    }
}
