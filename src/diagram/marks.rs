//! What findings and cycles leave in a picture.

use crate::finding::{Finding, Severity};
use crate::model::Architecture;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeFiltered;
use std::collections::{BTreeSet, HashMap};

/// The findings about a node or an edge: indices into the findings a picture was made with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    /// Errors among them.
    pub errors: usize,
    /// Warnings among them.
    pub warnings: usize,
    /// The rest.
    pub infos: usize,
    /// Their headlines, `warning[missing-timeout]: …`, in the order of findings.
    pub headlines: Vec<String>,
}

impl Mark {
    /// The mark some findings leave, each counted once.
    fn of(findings: &[Finding], which: &BTreeSet<usize>) -> Self {
        let mut mark = Self::default();
        for finding in which.iter().filter_map(|at| findings.get(*at)) {
            match finding.severity {
                Severity::Error => mark.errors += 1,
                Severity::Warning => mark.warnings += 1,
                Severity::Info => mark.infos += 1,
            }
            mark.headlines.push(format!("{}[{}]: {}", finding.severity, finding.rule.id, finding.message));
        }
        mark
    }

    /// The worst severity, if there is a finding at all.
    pub fn worst(&self) -> Option<Severity> {
        match (self.errors, self.warnings, self.infos) {
            (0, 0, 0) => None,
            (0, 0, _) => Some(Severity::Info),
            (0, _, _) => Some(Severity::Warning),
            _ => Some(Severity::Error),
        }
    }

    /// `✖ 1 ⚠ 2`: readable without colour. Empty without errors and warnings: what is worth knowing is
    /// not worth a badge.
    pub fn badge(&self) -> String {
        let parts = [("✖", self.errors), ("⚠", self.warnings)];
        let parts = parts.iter().filter(|(_, count)| *count > 0);
        parts.map(|(sign, count)| format!("{sign} {count}")).collect::<Vec<_>>().join(" ")
    }
}

/// Findings by what they are about.
pub(super) struct Marks<'f> {
    findings: &'f [Finding],
    /// Ids of nodes and edges, labels of edges, `service endpoint`.
    subjects: HashMap<String, BTreeSet<usize>>,
    /// Those of an endpoint, by its service.
    nodes: HashMap<NodeIndex, BTreeSet<usize>>,
}

impl<'f> Marks<'f> {
    pub(super) fn new(arch: &Architecture, findings: &'f [Finding]) -> Self {
        let mut marks = Self { findings, subjects: HashMap::new(), nodes: HashMap::new() };
        for (at, finding) in findings.iter().enumerate().filter(|(_, f)| !f.suppressed) {
            for subject in &finding.subjects {
                // Findings of unresolved names quote who named them.
                let subject = subject.trim_matches('`');
                marks.subjects.entry(subject.to_owned()).or_default().insert(at);
                if let Some(node) = node_of(arch, subject) {
                    marks.nodes.entry(node).or_default().insert(at);
                }
            }
        }
        marks
    }

    /// What is about a node or one of its endpoints.
    pub(super) fn node(&self, node: NodeIndex) -> Mark {
        self.nodes.get(&node).map(|which| Mark::of(self.findings, which)).unwrap_or_default()
    }

    /// What is about a call site, by its id or its label.
    pub(super) fn edge(&self, arch: &Architecture, edge: EdgeIndex, id: &str) -> BTreeSet<usize> {
        let mut which = self.subjects.get(id).cloned().unwrap_or_default();
        if !self.subjects.is_empty() {
            which.extend(self.subjects.get(&arch.edge_label(edge)).into_iter().flatten());
        }
        which
    }

    /// What is about two nodes as such: `web → cart`, however many calls lie between them.
    pub(super) fn between(&self, from: &str, to: &str) -> BTreeSet<usize> {
        self.subjects.get(&format!("{from} → {to}")).cloned().unwrap_or_default()
    }

    pub(super) fn mark(&self, which: &BTreeSet<usize>) -> Mark {
        Mark::of(self.findings, which)
    }
}

/// The node a subject stands for: a node's id, or a service's followed by one of its endpoints.
fn node_of(arch: &Architecture, subject: &str) -> Option<NodeIndex> {
    if let Some(node) = arch.find(subject) {
        return Some(node);
    }
    let (id, endpoint) = subject.split_once(' ')?;
    let node = arch.find(id)?;
    let endpoints = &arch.graph[node].service()?.endpoints;
    endpoints.iter().any(|e| e.name.value == endpoint).then_some(node)
}

/// For each node, the group of services that call one another in a circle it belongs to.
pub(super) fn cycles(arch: &Architecture) -> HashMap<NodeIndex, usize> {
    let calls = EdgeFiltered::from_fn(&arch.graph, |edge| edge.weight().is_sync_call());
    // Not `tarjan_scc`: it recurses.
    let mut groups = kosaraju_scc(&calls);
    groups.retain(|group| match group.as_slice() {
        [one] => arch.graph.edges_connecting(*one, *one).any(|edge| edge.weight().is_sync_call()),
        _ => true,
    });
    for group in &mut groups {
        group.sort_unstable();
    }
    groups.sort_unstable();
    let numbered = groups.iter().enumerate();
    numbered.flat_map(|(number, group)| group.iter().map(move |node| (*node, number))).collect()
}
