//! Files that Locations lead to. Must not know what else an entity says.

use super::entity::is_entity;
use crate::import::beside::beside;
use crate::import::tree::{at, text_at};
use crate::import::{ImportFile, Note};
use crate::source::join_path;
use crate::spec::Reader;
use crate::spec::tree::Node;
use std::collections::HashSet;

/// Files that are followed, at most: catalogs have hundreds.
const MOST: usize = 2000;

/// The files with those their Locations lead to, each once, a file before what it leads to.
pub fn follow(reader: &mut Reader<'_>, files: Vec<ImportFile>, notes: &mut Vec<Note>) -> Vec<ImportFile> {
    let named = |reader: &Reader<'_>, f: &ImportFile| join_path("", &reader.sources.file(f.file).name);
    let mut seen: HashSet<String> = files.iter().map(|f| named(reader, f)).collect();
    let mut waiting: Vec<(String, ImportFile)> =
        files.into_iter().rev().map(|f| (named(reader, &f), f)).collect();
    let mut all = Vec::new();
    while let Some((root, file)) = waiting.pop() {
        let base = named(reader, &file);
        let mut found = Vec::new();
        for (target, optional) in file.documents.iter().filter(|d| is_location(d)).flat_map(targets) {
            let written = target.text().unwrap_or_default();
            let path = match beside(&root, &base, written) {
                Ok(path) => path,
                Err(away) => {
                    let text = format!("`{written}` is not followed: {away}");
                    notes.push(Note { text, span: Some(target.span) });
                    continue;
                }
            };
            for path in matches(reader, path, target) {
                let absent = optional && reader.loader().load(&path).is_err();
                if !absent && seen.len() < MOST && seen.insert(path.clone()) {
                    found.extend(ImportFile::load(reader, &path, target.span).map(|f| (root.clone(), f)));
                }
            }
        }
        waiting.extend(found.into_iter().rev());
        all.push(file);
    }
    if seen.len() >= MOST {
        let text = format!("more than {MOST} files of the catalog: the rest is not read");
        notes.push(Note { text, span: None });
    }
    all
}

fn is_location(node: &Node) -> bool {
    is_entity(node) && text_at(node, &["kind"]).eq_ignore_ascii_case("location")
}

/// `spec.target` and `spec.targets`, and whether they need not be there.
fn targets(location: &Node) -> impl Iterator<Item = (&Node, bool)> {
    let several = at(location, &["spec", "targets"]).map_or(&[][..], Node::items);
    let all = at(location, &["spec", "target"]).into_iter().chain(several);
    let optional = text_at(location, &["spec", "presence"]) == "optional";
    all.filter(|node| node.text().is_some()).map(move |node| (node, optional))
}

/// The files of a target: of a pattern those that are there.
fn matches(reader: &mut Reader<'_>, path: String, target: &Node) -> Vec<String> {
    if !path.contains('*') {
        return vec![path];
    }
    match reader.loader().glob(&path) {
        Ok(paths) => paths,
        Err(error) => {
            reader.unreadable(target.span, &path, &error);
            Vec::new()
        }
    }
}
