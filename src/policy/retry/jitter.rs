//! How a back-off is made uneven, so that callers do not come back together.

use super::PolicyInfo;
use crate::kernel::Span;

const PAGE: &str = include_str!("jitter.md");

pub(super) const ALL: &[(PolicyInfo, Jitter)] = &[
    (PolicyInfo { name: "full", summary: "uniform in [0, v): Envoy, AWS", page: PAGE }, Jitter::Full),
    (PolicyInfo { name: "none", summary: "exactly v", page: PAGE }, Jitter::None),
    (PolicyInfo { name: "equal", summary: "v/2 plus uniform in [0, v/2)", page: PAGE }, Jitter::Equal),
    (
        PolicyInfo {
            name: "decorrelated",
            summary: "uniform in [base, 3 × the delay before), capped",
            page: PAGE,
        },
        Jitter::Decorrelated,
    ),
    (
        PolicyInfo { name: "proportional", summary: "v times uniform in [0.8, 1.2): gRPC", page: PAGE },
        Jitter::Proportional,
    ),
    (
        PolicyInfo {
            name: "truncated",
            summary: "the cap cuts the draw, not the bound: older botocore",
            page: PAGE,
        },
        Jitter::Truncated,
    ),
];

/// The kind of jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Jitter {
    /// The bound itself.
    None,
    /// Uniform below the bound.
    #[default]
    Full,
    /// Half of it for sure, half of it uniform.
    Equal,
    /// min(max, U(base, 3·previous)): grows with what was drawn, not with the number of attempts.
    Decorrelated,
    /// The bound times U(0.8, 1.2).
    Proportional,
    /// min(max, U(0, base·2ⁿ⁻¹)).
    Truncated,
}

/// A 64-bit draw as a number below `bound`: the remainder, as Envoy does it.
pub(super) fn below(draw: u64, bound: Span) -> Span {
    Span::from_nanos(draw.checked_rem(bound.nanos()).unwrap_or(0))
}
