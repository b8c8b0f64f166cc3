//! unhealthy-dependency: a call of a service that is declared unhealthy.

use crate::finding::{RuleInfo, Severity};
use crate::lint::Rule;
use crate::model::words::Status;

/// a call of a service that is declared unhealthy.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "unhealthy-dependency",
        "a call of a service that is declared unhealthy",
        include_str!("unhealthy-dependency.md"),
    )
    .reads(&[
        "services.status",
        "services.endpoints.calls.protocol",
        "services.endpoints.calls.optional",
        "services.endpoints.calls.fallback",
    ]),
    check: |ctx, out| {
        super::calls_of(ctx, RULE.info, Status::Unhealthy, [Severity::Warning, Severity::Info], out);
    },
};
