//! Why an imported edge is there. Must not know any format.

use crate::source::Span;
use crate::spec;

/// What showed an edge, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceKind {
    /// A call that was seen.
    Trace,
    /// An address in an environment variable.
    Environment,
    /// An address in a command or entrypoint.
    Command,
    /// An address in a mounted configuration file.
    Config,
    /// A routing rule the target wears for its proxy.
    Label,
    /// A link.
    Link,
    /// Start order.
    DependsOn,
}

impl EvidenceKind {
    /// All, strongest first.
    pub const ALL: [Self; 7] = [
        Self::Trace,
        Self::Environment,
        Self::Command,
        Self::Config,
        Self::Label,
        Self::Link,
        Self::DependsOn,
    ];

    /// The word in `graph -f json`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Environment => "environment",
            Self::Command => "command",
            Self::Config => "config",
            Self::Label => "label",
            Self::Link => "link",
            Self::DependsOn => "depends_on",
        }
    }
}

impl Evidence {
    /// As an edge of the model keeps it: `environment CART_ADDR`, `depends_on`.
    pub fn to_source(&self) -> spec::Evidence {
        let source = match (self.kind, self.detail.as_str()) {
            (EvidenceKind::DependsOn, _) | (_, "") => self.kind.word().to_owned(),
            (kind, detail) => format!("{} {detail}", kind.word()),
        };
        spec::Evidence { source: source.into(), span: self.span, telemetry: self.telemetry }
    }
}

/// One reason for one edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Id of the caller.
    pub from: String,
    /// Id of what it calls; it need not be defined.
    pub to: String,
    /// What showed it.
    pub kind: EvidenceKind,
    /// Where.
    pub span: Span,
    /// What is to be seen there: the variable's name, the argument, the condition.
    pub detail: String,
    /// The edge carries traces, metrics or logs rather than work.
    pub telemetry: bool,
}
