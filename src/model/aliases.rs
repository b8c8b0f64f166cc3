//! Names beside ids: an alias leads to something and takes nobody else's name; an instance has its own.

use super::Node;
use super::build::Building;
use super::resolve::{self, Want};
use super::rules::UNDEFINED_SERVICE;
use crate::finding::Finding;
use crate::source::Spanned;
use crate::spec::FileDocument;
use crate::spec::rules::DUPLICATE_DEFINITION;
use std::collections::HashMap;

impl Building<'_> {
    /// Judges the aliases of all documents. Those of an import come from names that are looked up there.
    pub(super) fn aliases(&mut self) {
        let mut known: HashMap<&str, (&Spanned<String>, &Spanned<String>)> = HashMap::new();
        let written = |file: &&FileDocument| file.imported.is_none();
        let all = self.documents.iter().filter(written).flat_map(|f| f.document.aliases.iter());
        for (alias, of) in all.flat_map(|aliases| aliases.iter()) {
            let (first, meant) = *known.entry(alias).or_insert((alias, of));
            if meant.value != of.value {
                let message = format!("the alias `{}` stands for two", alias.value);
                let finding = Finding::new(&DUPLICATE_DEFINITION, of.span, message).label("here this one");
                let finding = finding.also(meant.span, "here another").about(&first.value);
                self.findings.push(finding.help("give one of them another name"));
            }
            self.alias(alias, of);
        }
    }

    fn alias(&mut self, alias: &Spanned<String>, of: &Spanned<String>) {
        let who = format!("the alias `{}`", alias.value);
        if let Some(node) = self.arch.find(alias).filter(|node| self.arch.id(*node) == alias.value) {
            let message = format!("`{}` is defined, and an alias of `{}`", alias.value, of.value);
            let finding = Finding::new(&DUPLICATE_DEFINITION, alias.span, message);
            let finding = finding.label("never followed").also(self.arch.graph[node].id.span, "defined here");
            self.findings.push(finding.about(&alias.value).help("remove the alias, or the definition"));
        }
        match self.arch.find(of) {
            Some(node) if self.arch.id(node) == of.value => {}
            Some(node) => {
                let message = format!("{who} stands for another alias, `{}`", of.value);
                let finding = Finding::new(&UNDEFINED_SERVICE, of.span, message).about(&alias.value);
                self.findings.push(finding.help(format!("write `{}`", self.arch.id(node))));
            }
            None => {
                let found = resolve::node(&self.arch, &mut self.directory, of, Want::Any, &who);
                self.findings.extend(found.err().map(|finding| *finding));
            }
        }
    }
}

/// Instances of one name: an event that names it could mean either.
pub(super) fn instances_twice(node: &Node) -> Vec<Finding> {
    let instances = node.service().map_or(&[][..], |s| &s.instances);
    let (mut seen, mut twice) = (HashMap::new(), Vec::new());
    for id in instances.iter().filter_map(|i| i.value.id.as_ref()) {
        if let Some(first) = seen.insert(&id.value, id.span) {
            let message = format!("`{}` has two instances called `{}`", node.id.value, id.value);
            let finding = Finding::new(&DUPLICATE_DEFINITION, id.span, message).label("again here");
            let finding = finding.also(first, "first here").help("give each an `id` of its own");
            twice.push(finding.about(format!("{}/{}", node.id.value, id.value)));
        }
    }
    twice
}
