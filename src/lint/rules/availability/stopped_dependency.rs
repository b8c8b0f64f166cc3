//! stopped-dependency: a call of a service that is declared stopped.

use crate::finding::{RuleInfo, Severity};
use crate::lint::Rule;
use crate::model::words::Status;

/// a call of a service that is declared stopped.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "stopped-dependency",
        "a call of a service that is declared stopped",
        include_str!("stopped-dependency.md"),
    )
    .reads(&[
        "services.status",
        "services.endpoints.calls.protocol",
        "services.endpoints.calls.optional",
        "services.endpoints.calls.fallback",
    ]),
    check: |ctx, out| {
        super::calls_of(ctx, RULE.info, Status::Stopped, [Severity::Error, Severity::Warning], out);
    },
};
