//! Where a value comes from that was not said at its place: the layers of defaults, known by their bytes.

use std::collections::HashMap;

use super::EdgeKind;
use super::build::Building;
use super::resolve::Want;
use crate::finding::Finding;
use crate::source::{Sources, Span};
use crate::spec::FileDocument;
use crate::spec::presets::{Blocks, lay};
use crate::spec::rules::DUPLICATE_DEFINITION;
use crate::spec::vocabulary::Policy;

/// Blocks of defaults. A value whose bytes lie inside one of them was inherited from it.
#[derive(Debug, Clone, Default)]
pub struct Layers(Vec<(Span, String)>);

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It stands at its own place.
    Own,
    /// It is inherited from this block (`defaults`, `upstreams.payment`).
    Inherited(String),
}

impl Layers {
    /// Collects the blocks of all files.
    pub fn of(documents: &[FileDocument]) -> Self {
        let mut blocks = Vec::new();
        for file in documents {
            let document = &file.document.value;
            if let Some(defaults) = &document.defaults {
                blocks.push((defaults.span, "defaults".to_owned()));
            }
            if let Some(mesh) = &document.mesh {
                blocks.push((mesh.span, "the mesh".to_owned()));
            }
            for (id, policy) in document.upstreams.iter().flat_map(|u| u.iter()) {
                blocks.push((policy.span, format!("upstreams.{}", id.value)));
            }
            for (id, service) in document.services.iter().flat_map(|s| s.0.iter()) {
                if let Some(defaults) = &service.defaults {
                    blocks.push((defaults.span, format!("the defaults of `{}`", id.value)));
                }
            }
        }
        Self(blocks)
    }

    /// To be called when all blocks are known, the presets among them.
    pub fn seal(&mut self) {
        self.0.sort();
    }

    /// Where the value at these bytes comes from.
    pub fn origin(&self, span: Span) -> Origin {
        let after = self.0.partition_point(|(block, _)| {
            block.start <= span.start && block.file == span.file || block.file < span.file
        });
        let before = self.0.iter().take(after).rev().take(4);
        let block = before.into_iter().find(|(block, _)| block.contains(span));
        block.map_or(Origin::Own, |(_, what)| Origin::Inherited(what.clone()))
    }

    /// `from defaults at line 9`, for a finding; `None` for what stands at its own place.
    pub fn note(&self, span: Span, sources: &Sources) -> Option<String> {
        match self.origin(span) {
            Origin::Own => None,
            Origin::Inherited(what) => Some(format!("from {what} at line {}", sources.locate(span).line)),
        }
    }
}

/// The policy of a call, key by key: what the call says, then each layer below in turn.
pub fn resolve(own: &mut Policy, below: [Option<&Policy>; 3]) {
    for layer in below.into_iter().flatten() {
        lay(layer, own);
    }
}

/// What presets say, read once for each place that names one.
#[derive(Default)]
pub struct Presets(HashMap<Span, Blocks>);

impl Presets {
    /// Lays the preset that a resolved policy names, if any, below it.
    pub fn lay_below(&mut self, policy: &mut Policy, layers: &mut Layers) {
        let Some(preset) = policy.preset else { return };
        let blocks = self.0.entry(preset.span).or_insert_with(|| {
            layers.0.push((preset.span, format!("the preset `{}`", preset.word())));
            Blocks::of(preset.value, preset.span)
        });
        blocks.below(policy);
    }
}

impl Building<'_> {
    /// How services are reached, by what they are called.
    pub(super) fn upstreams(&mut self) {
        let documents = self.documents;
        let mut said = HashMap::new();
        for (id, policy) in documents.iter().flat_map(|f| f.document.upstreams.iter()).flat_map(|u| u.iter())
        {
            let Some(node) = self.resolve(id, Want::Service, &"`upstreams`") else { continue };
            if let Some(first) = said.insert(node, id.span) {
                said.insert(node, first);
                let service = &self.arch.graph[node].id.value;
                let message = format!("how `{service}` is reached is said twice");
                self.findings.push(
                    Finding::new(&DUPLICATE_DEFINITION, id.span, message)
                        .label("again here, not read")
                        .also(first, "first said here")
                        .help("say it in one place for all callers, or on the calls themselves")
                        .about(service),
                );
                continue;
            }
            self.arch.upstreams.insert(node, policy.value.clone());
        }
    }

    /// Lays the layers below every call: its service's, its upstream's, its file's.
    pub(super) fn seal(&mut self) {
        let mut presets = Presets::default();
        for edge in self.arch.graph.edge_indices() {
            if self.arch.graph[edge].kind != EdgeKind::Call {
                continue;
            }
            let (from, to) = self.arch.ends(edge);
            let home = self.edge_homes.get(edge.index()).and_then(|h| self.documents.get(*h));
            let file = home.and_then(|f| f.document.defaults.as_ref()).and_then(|d| d.call.as_ref());
            let caller =
                self.written(from).and_then(|w| w.service.defaults.as_ref()).and_then(|d| d.call.as_ref());
            let upstream = self.arch.upstreams.get(&to);
            let below = [caller.map(|c| &c.policy), upstream, file.map(|c| &c.policy)];
            let policy = &mut self.arch.graph[edge].policy;
            resolve(policy, below);
            presets.lay_below(policy, &mut self.arch.layers);
        }
        self.arch.layers.seal();
        self.arch.number_twins();
    }
}
