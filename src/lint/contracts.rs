//! The user's own contracts with their patterns matched: what the rules of that family share.

use crate::analysis::{Dependency, Parts};
use crate::finding::{Finding, RuleInfo, Severity, nearest};
use crate::lint::Context;
use crate::model::words::{Contract, Level, Texts};
use crate::model::{Architecture, EdgeKind, NodeKind};
use crate::source::{Span, Spanned};
use petgraph::graph::{EdgeIndex, NodeIndex};

/// A set of nodes that patterns name.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// As written.
    pub patterns: &'a [Spanned<String>],
    /// The node's first pattern that matches it, by node index.
    pub parts: Parts,
}

impl Group<'_> {
    /// Whether a node is of the group.
    pub fn has(&self, node: NodeIndex) -> bool {
        self.parts.get(node.index()).is_some_and(Option::is_some)
    }

    /// Every node a part of its own.
    pub fn apart(&self) -> Parts {
        self.parts.iter().enumerate().map(|(i, part)| part.map(|_| i)).collect()
    }

    /// The patterns in words: `a`, `b`.
    pub fn words(&self) -> String {
        let shown = self.patterns.iter().take(4).map(|p| format!("`{}`", p.value));
        let more = (self.patterns.len() > 4).then(|| format!("{} more", self.patterns.len() - 4));
        shown.chain(more).collect::<Vec<_>>().join(", ")
    }
}

/// What a contract says.
#[derive(Debug, Clone)]
pub enum Says<'a> {
    /// `from` must not depend on `to`.
    Forbid { from: Group<'a>, to: Group<'a>, transitive: bool },
    /// `from` may depend on nothing else.
    AllowOnly { from: Group<'a>, to: Group<'a> },
    /// Nobody else may depend on `to`.
    Protect { from: Group<'a>, to: Group<'a> },
    /// No part depends on another.
    Independent { parts: Group<'a>, transitive: bool },
}

/// A contract that is to be kept.
#[derive(Debug, Clone)]
pub struct Kept<'a> {
    written: &'a Contract,
    /// What it says.
    pub says: Says<'a>,
}

/// A pattern that matches nothing, with the name of its contract or of the key it stands under.
#[derive(Debug, Clone)]
pub struct Unmatched<'a> {
    /// Its contract.
    pub contract: &'a Contract,
    /// The pattern; the empty text at the list where there is none at all.
    pub pattern: Spanned<String>,
    /// What to do.
    pub help: String,
}

/// All contracts that are not switched off.
#[derive(Debug, Clone, Default)]
pub struct Contracts<'a> {
    /// In document order.
    pub kept: Vec<Kept<'a>>,
    /// Patterns that match nothing, in document order.
    pub unmatched: Vec<Unmatched<'a>>,
}

impl<'a> Contracts<'a> {
    /// Matches every pattern once against every node.
    pub fn of(arch: &'a Architecture) -> Self {
        let mut this = Self::default();
        for written in arch.lint.contracts.iter().flat_map(|c| c.value.iter()) {
            let written = &written.value;
            if written.level.is_some_and(|l| l.value == Level::Allow) {
                continue;
            }
            let mut group = |texts: &'a Spanned<Texts>| {
                matched(arch, written, &texts.value, texts.span, &mut this.unmatched)
            };
            let says = if let Some(forbid) = &written.forbid {
                let transitive = forbid.transitive.is_some_and(|t| t.value);
                let ends = forbid.from.as_ref().zip(forbid.to.as_ref());
                ends.map(|(from, to)| Says::Forbid { from: group(from), to: group(to), transitive })
            } else if let Some(only) = &written.allow_only {
                let ends = only.from.as_ref().zip(only.to.as_ref());
                ends.map(|(from, to)| Says::AllowOnly { from: group(from), to: group(to) })
            } else if let Some(protect) = &written.protect {
                let ends = protect.from.as_ref().zip(protect.to.as_ref());
                ends.map(|(from, to)| Says::Protect { from: group(from), to: group(to) })
            } else if let Some(Spanned { value, span }) = &written.independent {
                let mut parts = matched(arch, written, &value.services, *span, &mut this.unmatched);
                // What one pattern matches are parts; of several, each pattern names one.
                if parts.patterns.len() == 1 {
                    parts.parts = parts.apart();
                }
                Some(Says::Independent { parts, transitive: value.transitive })
            } else {
                None
            };
            this.kept.extend(says.map(|says| Kept { written, says }));
        }
        this
    }
}

impl Kept<'_> {
    /// The name, else what it says: its part in the identity of a finding.
    fn id(&self) -> String {
        if let Some(name) = &self.written.name {
            return name.value.clone();
        }
        let list = |group: &Group<'_>| {
            group.patterns.iter().map(|p| p.value.as_str()).collect::<Vec<_>>().join(", ")
        };
        match &self.says {
            Says::Forbid { from, to, .. } => format!("forbid {} → {}", list(from), list(to)),
            Says::AllowOnly { from, to } => format!("allow_only {} → {}", list(from), list(to)),
            Says::Protect { from, to } => format!("protect {} → {}", list(from), list(to)),
            Says::Independent { parts, .. } => format!("independent {}", list(parts)),
        }
    }

    /// A finding about a way of one or more dependencies that the contract does not let be.
    pub fn broken(
        &self,
        ctx: &Context<'_>,
        rule: &'static RuleInfo,
        way: &[&Dependency],
        message: &str,
    ) -> Option<Finding> {
        let name = self.written.name.as_ref();
        let message =
            name.map_or_else(|| message.to_owned(), |name| format!("{message} (contract `{}`)", name.value));
        let finding = way_finding(ctx, rule, way, message)?;
        let (group, says) = match &self.says {
            Says::Forbid { to, .. } => (to, "forbidden here"),
            Says::AllowOnly { to, .. } => (to, "all that is allowed"),
            Says::Protect { to, .. } => (to, "protected here"),
            Says::Independent { parts, .. } => (parts, "independent by this"),
        };
        let here = name.map(|n| n.span).or_else(|| group.patterns.first().map(|p| p.span));
        let mut finding = finding.about(self.id());
        if let Some(here) = here {
            finding = finding.also(here, says);
        }
        if let Some(reason) = &self.written.reason {
            finding = finding.note(format!("the contract's reason: {}", reason.value));
        }
        Some(match self.written.level.map(|l| l.value) {
            Some(Level::Error) => finding.fixed(Severity::Error),
            Some(Level::Warning) => finding.fixed(Severity::Warning),
            Some(Level::Info | Level::Allow) => finding.fixed(Severity::Info),
            None => finding,
        })
    }
}

/// A finding at the edges of a way: the first ones are where it is to be mended.
pub fn way_finding(
    ctx: &Context<'_>,
    rule: &'static RuleInfo,
    way: &[&Dependency],
    message: String,
) -> Option<Finding> {
    let (first, last) = (way.first()?, way.last()?);
    let (edge, again) = first.edges.split_first()?;
    let does = |edge: EdgeIndex, dependency: &Dependency| {
        let (from, to) = (ctx.id(dependency.from), ctx.id(dependency.to));
        format!("`{from}` {} `{to}`", verb(ctx, edge))
    };
    let mut finding = Finding::new(rule, ctx.arch.graph[*edge].span, message).label(does(*edge, first));
    for dependency in way.iter().skip(1) {
        let Some(edge) = dependency.edges.first() else { continue };
        finding = finding.also(ctx.arch.graph[*edge].span, format!("then {}", does(*edge, dependency)));
    }
    if way.len() == 1 {
        for edge in again.iter().take(4) {
            finding = finding.also(ctx.arch.graph[*edge].span, "and here");
        }
        if again.len() > 4 {
            finding = finding.note(format!("in {} more places", again.len() - 4));
        }
    } else {
        for dependency in way {
            let span = dependency.edges.first().map(|e| ctx.arch.graph[*e].span);
            finding = finding.hop(span, ctx.id(dependency.from), ctx.id(dependency.to), "");
        }
        finding = finding.number("hops", way.len() as f64);
    }
    Some(finding.about(ctx.id(first.from)).about(ctx.id(last.to)))
}

fn verb(ctx: &Context<'_>, edge: EdgeIndex) -> &'static str {
    let edge = &ctx.arch.graph[edge];
    let plain = edge.evidence.iter().all(|e| e.source == "dependencies");
    match edge.kind {
        _ if plain => "depends on",
        EdgeKind::Call => "calls",
        EdgeKind::Publish => "sends to",
        EdgeKind::Consume => "consumes",
        EdgeKind::Read => "reads",
        EdgeKind::Write => "writes",
    }
}

fn matched<'a>(
    arch: &'a Architecture,
    contract: &'a Contract,
    texts: &'a Texts,
    span: Span,
    unmatched: &mut Vec<Unmatched<'a>>,
) -> Group<'a> {
    let mut parts: Parts = vec![None; arch.graph.node_count()];
    let mut miss = |pattern, help| unmatched.push(Unmatched { contract, pattern, help });
    for (at, pattern) in texts.0.iter().enumerate() {
        match nodes(arch, &pattern.value) {
            Ok(nodes) => {
                for node in nodes {
                    if let Some(part) = parts.get_mut(node.index()) {
                        part.get_or_insert(at);
                    }
                }
            }
            Err(help) => miss(pattern.clone(), help),
        }
    }
    if texts.0.is_empty() {
        miss(Spanned::new(String::new(), span), "name what it is about, or remove the contract".to_owned());
    }
    Group { patterns: &texts.0, parts }
}

/// What a pattern can choose by beside the id.
const SELECTORS: [&str; 3] = ["owner", "layer", "tag"];

/// The nodes a pattern names, or what to do where there are none.
fn nodes(arch: &Architecture, pattern: &str) -> Result<Vec<NodeIndex>, String> {
    let (selector, glob) = match pattern.split_once(':') {
        Some((selector, glob)) if SELECTORS.contains(&selector) => (Some(selector), glob.trim()),
        _ => (None, pattern),
    };
    if let (None, Some(node)) = (selector, arch.find(glob)) {
        return Ok(vec![node]);
    }
    let matcher = globset::Glob::new(glob).map_err(|e| format!("it is no glob: {}", e.kind()))?;
    let matcher = matcher.compile_matcher();
    let words = |node: NodeIndex| -> Vec<&str> {
        let data = &arch.graph[node];
        match selector {
            None => vec![data.id.value.as_str()],
            Some("owner") => data.owner.iter().map(|o| o.value.as_str()).collect(),
            Some("layer") => layer(&data.kind).into_iter().collect(),
            Some(_) => data.tags.iter().map(String::as_str).collect(),
        }
    };
    let fits = |node: &NodeIndex| words(*node).iter().any(|word| matcher.is_match(word));
    let found: Vec<_> = arch.graph.node_indices().filter(fits).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let known = || arch.graph.node_indices().flat_map(words);
    let prefix = selector.map_or_else(String::new, |s| format!("{s}:"));
    Err(match (nearest(glob, known()), selector) {
        (Some(near), _) => format!("did you mean `{prefix}{near}`?"),
        (None, None) if pattern.contains(':') => {
            "`owner:`, `layer:` and `tag:` choose by these, everything else by id".to_owned()
        }
        (None, None) => "patterns match the ids of services, datastores, queues and topics".to_owned(),
        (None, Some(selector)) if known().next().is_none() => format!("no {selector} is used here"),
        (None, Some(selector)) => {
            let known: std::collections::BTreeSet<&str> = known().collect();
            let shown = known.iter().take(8).map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ");
            let more = if known.len() > 8 { ", …" } else { "" };
            format!("each {selector} that is used: {shown}{more}")
        }
    })
}

fn layer(kind: &NodeKind) -> Option<&str> {
    match kind {
        NodeKind::Service(service) => service.layer.as_ref().map(|l| l.value.as_str()),
        _ => None,
    }
}
