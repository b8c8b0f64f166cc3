//! What a rule may look at.

use super::Settings;
use super::contracts::Contracts;
use crate::analysis::{
    Budget, Budgets, Consistent, Dependencies, Durations, EndpointGraph, FailureGraph, Load, Promise,
    promises,
};
use crate::finding::{Date, Finding, RuleInfo, Severity};
use crate::model::{Architecture, Edge};
use crate::source::{Sources, Span};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::sync::OnceLock;

/// The architecture and what is computed of it once for all rules.
pub struct Context<'a> {
    /// The architecture.
    pub arch: &'a Architecture,
    /// The texts, for lines and columns.
    pub sources: &'a Sources,
    /// The graph of endpoints.
    pub calls: EndpointGraph,
    /// The day on which it is judged.
    pub today: Date,
    settings: &'a Settings<'a>,
    /// Bytes that could not be read or resolved, sorted.
    errors: Vec<Span>,
    failures: OnceLock<FailureGraph>,
    promises: OnceLock<Vec<Promise>>,
    budgets: OnceLock<Vec<Budget>>,
    dependencies: OnceLock<Dependencies>,
    contracts: OnceLock<Contracts<'a>>,
    load: OnceLock<Load>,
}

impl<'a> Context<'a> {
    /// Computes what rules share; `said` are the findings of reading and building.
    pub fn new(
        arch: &'a Architecture,
        sources: &'a Sources,
        settings: &'a Settings<'a>,
        said: &[Finding],
        today: Date,
    ) -> Self {
        let errors = said.iter().filter(|f| f.severity == Severity::Error).map(|f| f.primary.span);
        let mut errors: Vec<Span> = errors.collect();
        errors.sort_unstable();
        Self {
            arch,
            sources,
            calls: EndpointGraph::of(arch),
            today,
            settings,
            errors,
            failures: OnceLock::new(),
            promises: OnceLock::new(),
            budgets: OnceLock::new(),
            dependencies: OnceLock::new(),
            contracts: OnceLock::new(),
            load: OnceLock::new(),
        }
    }

    /// Who depends on whom.
    pub fn dependencies(&self) -> &Dependencies {
        self.dependencies.get_or_init(|| Dependencies::of(self.arch))
    }

    /// The user's own contracts.
    pub(super) fn contracts(&self) -> &Contracts<'a> {
        self.contracts.get_or_init(|| Contracts::of(self.arch))
    }

    /// Who fails with whom.
    pub fn failures(&self) -> &FailureGraph {
        self.failures.get_or_init(|| FailureGraph::of(self.arch))
    }

    /// Every promise of availability, with what can be reached.
    pub fn promises(&self) -> &[Promise] {
        self.promises.get_or_init(|| promises(self.arch, self.failures()))
    }

    /// Whether something within these bytes could not be read or resolved: that nothing is said there is
    /// then no finding of its own.
    pub fn is_broken(&self, whole: Span) -> bool {
        let from = self.errors.partition_point(|e| (e.file, e.start) < (whole.file, whole.start));
        self.errors.get(from).is_some_and(|e| whole.contains(*e))
    }

    /// The load of the document's traffic.
    pub fn load(&self) -> &Load {
        self.load.get_or_init(|| Load::of(self.arch))
    }

    /// How long calls and endpoints may take.
    pub fn durations(&self) -> Durations<'a> {
        Durations::of(self.arch)
    }

    /// For every node of `calls` what is spent there and how long its callers wait.
    pub fn budgets(&self) -> &[Budget] {
        self.budgets.get_or_init(|| self.durations().budgets(&self.calls))
    }

    /// Timeouts along the path through a call that would fit inside each other.
    pub fn consistent(&self, call: EdgeIndex, from: NodeIndex) -> Option<Consistent> {
        Budgets { arch: self.arch, calls: &self.calls, all: self.budgets() }.consistent(call, from)
    }

    /// A threshold of a rule.
    pub fn number(&self, rule: &RuleInfo, name: &str) -> f64 {
        self.settings.number(rule, name)
    }

    /// The id of a node.
    pub fn id(&self, node: NodeIndex) -> &str {
        self.arch.id(node)
    }

    /// An edge and its ends.
    pub fn edge(&self, edge: EdgeIndex) -> (&Edge, NodeIndex, NodeIndex) {
        let (from, to) = self.arch.ends(edge);
        (&self.arch.graph[edge], from, to)
    }

    /// A step of the proving path: an edge between its services, with what it adds.
    pub fn hop(&self, finding: Finding, edge: EdgeIndex, value: impl Into<String>) -> Finding {
        let (data, from, to) = self.edge(edge);
        finding.hop(data.span, self.id(from), self.id(to), value)
    }

    /// `(from defaults at line 9)` behind a value that was inherited, nothing behind others.
    pub fn origin(&self, span: Span) -> String {
        self.arch.layers.note(span, self.sources).map_or_else(String::new, |note| format!(" ({note})"))
    }
}
