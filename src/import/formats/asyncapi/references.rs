//! References of `AsyncAPI`: into the same file and into files beside it. Must not know what is referred to.

use crate::import::tree::{at, text_at};
use crate::import::{ImportFile, Note};
use crate::source::join_path;
use crate::spec::Reader;
use crate::spec::tree::Node;
use std::collections::HashMap;

/// References followed from one place, at most.
const HOPS: usize = 16;

/// A node and the file it stands in.
#[derive(Debug, Clone, Copy)]
pub struct Place<'n> {
    file: usize,
    /// The node.
    pub node: &'n Node,
}

impl<'n> Place<'n> {
    /// Another node of the same file.
    pub const fn with(self, node: &'n Node) -> Self {
        Self { file: self.file, node }
    }
}

/// The applications and the files they refer to.
#[derive(Debug)]
pub struct References {
    files: Vec<(String, Vec<Node>)>,
    applications: usize,
    names: HashMap<String, usize>,
}

impl References {
    /// Loads what the applications' servers, channels and operations refer to.
    pub fn load(reader: &mut Reader<'_>, files: Vec<ImportFile>, notes: &mut Vec<Note>) -> Self {
        let named = files.into_iter().map(|f| (reader.sources.file(f.file).name.clone(), f.documents));
        let files: Vec<_> = named.collect();
        let by_path = files.iter().enumerate().map(|(at, (name, _))| (join_path("", name), at)).collect();
        let applications = files.len();
        let mut all = Self { files, applications, names: by_path };
        for at in 0..applications {
            let Some((base, documents)) = all.files.get(at) else { continue };
            let wanted: Vec<_> =
                documents.iter().flat_map(candidates).filter_map(|n| n.get("$ref")).cloned().collect();
            let base = base.clone();
            for reference in wanted {
                let (path, _) = split(reference.text().unwrap_or_default());
                let path = path.to_owned();
                let full = join_path(&base, &path);
                if path.is_empty() || all.names.contains_key(&full) {
                    continue;
                }
                all.names.insert(full.clone(), all.files.len());
                if path.contains("://") {
                    let text = format!("`{path}` is not followed: only files beside the application are");
                    notes.push(Note { text, span: Some(reference.span) });
                    all.files.push((full, Vec::new()));
                    continue;
                }
                let loaded = ImportFile::load(reader, &full, reference.span);
                all.files.push((full, loaded.map(|f| f.documents).unwrap_or_default()));
            }
        }
        all
    }

    /// The applications themselves.
    pub fn applications(&self) -> impl Iterator<Item = Place<'_>> {
        let files = self.files.iter().take(self.applications).enumerate();
        files.filter_map(|(file, (_, documents))| Some(Place { file, node: documents.first()? }))
    }

    /// What a place stands for: itself, or what it refers to.
    pub fn follow<'n>(&'n self, from: Place<'n>) -> Option<Place<'n>> {
        let mut place = from;
        for _ in 0..HOPS {
            let Some(reference) = place.node.get("$ref") else { return Some(place) };
            let (path, pointer) = split(reference.text()?);
            if !path.is_empty() {
                let base = &self.files.get(place.file)?.0;
                place.file = *self.names.get(&join_path(base, path))?;
            }
            let root = self.files.get(place.file)?.1.first()?;
            place.node = pointer.split('/').skip(1).try_fold(root, |node, key| node.get(&unescaped(key)))?;
        }
        None
    }

    /// The hosts a channel is reached at: of its own servers, else of all its file has; one without a name
    /// where there are none.
    pub fn hosts(&self, channel: Place<'_>) -> Vec<String> {
        let own = channel.node.get("servers").map_or(&[][..], Node::items);
        let root = self.files.get(channel.file).and_then(|(_, documents)| documents.first());
        let all = root.and_then(|root| root.get("servers")).map_or(&[][..], Node::entries);
        // Version 2 names them, version 3 refers to them.
        let named = own.iter().filter_map(|own| match own.text() {
            Some(name) => all.iter().find(|e| e.key.value == name).map(|e| &e.value),
            None => Some(own),
        });
        let servers: Vec<&Node> =
            if own.is_empty() { all.iter().map(|e| &e.value).collect() } else { named.collect() };
        let found = servers.into_iter().filter_map(|node| self.follow(channel.with(node)));
        let mut hosts: Vec<_> = found.map(|place| host(place.node)).collect();
        if hosts.is_empty() {
            hosts.push(String::new());
        }
        hosts
    }
}

/// The places that may refer to others and matter here.
fn candidates(root: &Node) -> Vec<&Node> {
    let values = |key: &str| root.get(key).map_or(&[][..], Node::entries).iter().map(|e| &e.value);
    let channels = values("channels")
        .flat_map(|c| std::iter::once(c).chain(c.get("servers").map_or(&[][..], Node::items)));
    let operations = values("operations")
        .flat_map(|o| [Some(o), o.get("channel"), at(o, &["reply", "channel"])].into_iter().flatten());
    values("servers").chain(channels).chain(operations).collect()
}

/// File and pointer of a reference.
fn split(reference: &str) -> (&str, &str) {
    reference.split_once('#').unwrap_or((reference, ""))
}

fn unescaped(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

/// The last name of a reference.
pub fn last(node: &Node) -> String {
    unescaped(text_at(node, &["$ref"]).rsplit('/').next().unwrap_or_default())
}

/// Name and port of a server: of its `host`, or of its `url` in version 2.
fn host(server: &Node) -> String {
    let said = server.get("host").or_else(|| server.get("url")).and_then(Node::text).unwrap_or_default();
    let said = said.split_once("://").map_or(said, |(_, rest)| rest);
    said.split('/').next().unwrap_or_default().to_lowercase()
}
