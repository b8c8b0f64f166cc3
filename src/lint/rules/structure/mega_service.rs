//! mega-service: a service that does too much.

use crate::finding::{Finding, RuleInfo, Setting};
use crate::lint::{Context, Rule};
use crate::model::words::ServiceKind;

/// a service that does too much.
pub static RULE: Rule = Rule {
    info: &RuleInfo::info("mega-service", "a service that does too much", include_str!("mega-service.md"))
        .pedantic()
        .settings(&[Setting::new("max", 20.0, "endpoints and consumers that are still fine")])
        .reads(&["services.consumes", "services.endpoints", "services.external", "services.kind"]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let max = ctx.number(RULE.info, "max");
    for (_, node, service) in ctx.arch.services() {
        // What a gateway offers is done by others.
        let passes_on = matches!(service.kind, ServiceKind::Gateway | ServiceKind::Bff);
        let all = service.endpoints.len();
        if passes_on || service.external || all as f64 <= max {
            continue;
        }
        let id = &node.id.value;
        let handlers = service.endpoints.iter().filter(|e| e.consumes.is_some()).count();
        let and = match handlers {
            0 => String::new(),
            1 => " and 1 consumer".to_owned(),
            n => format!(" and {n} consumers"),
        };
        let message = format!("`{id}` has {} endpoints{and}, more than {max} in all", all - handlers);
        out.push(
            Finding::new(RULE.info, node.id.span, message)
                .help("split it where its endpoints share neither data nor reasons to change")
                .number("endpoints", all as f64)
                .number("max", max)
                .about(id),
        );
    }
}
