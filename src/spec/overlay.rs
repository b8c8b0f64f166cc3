//! What lies on top: overlay files, definitions marked `overlay: true`, `--set`. And that each id is
//! defined once.

use super::load::FileTree;
use super::rules::{DUPLICATE_DEFINITION, INVALID_VALUE};
use super::tree::{Entry, Kind, Node};
use crate::finding::{Finding, Names, nearest};
use crate::source::{Piece, Span, Spanned};
use std::collections::{BTreeMap, HashMap};

/// The sections that share one namespace of ids.
pub const NAMESPACE: [&str; 4] = ["services", "datastores", "queues", "topics"];

/// The sections whose entries are merged one by one into the file that defines them.
const SECTIONS: [&str; 7] =
    ["services", "datastores", "queues", "topics", "upstreams", "aliases", "scenarios"];

/// Lays overlay files over the others, in order, and definitions marked `overlay: true` over the earlier
/// definition of the same id. With `imports` those of what is not written stay: an import may bring it.
pub fn apply_overlays(trees: Vec<FileTree>, imports: bool, findings: &mut Vec<Finding>) -> Vec<FileTree> {
    let is_overlay = |t: &FileTree| t.overlay || t.node.get("overlay").and_then(Node::plain) == Some("true");
    let (over, mut base): (Vec<_>, Vec<_>) = trees.into_iter().partition(is_overlay);
    if base.is_empty() {
        return over;
    }
    for tree in over {
        let Kind::Mapping(entries) = tree.node.kind else { continue };
        for entry in entries {
            lay_section(&mut base, entry);
        }
    }
    let imports = imports || base.iter().any(|t| t.node.get("import").is_some());
    for later in 0..base.len() {
        for section in NAMESPACE {
            lay_marked(&mut base, later, section, imports, findings);
        }
    }
    base
}

/// Lays one top-level section of an overlay file over the files below.
fn lay_section(base: &mut [FileTree], section: Entry) {
    let name = section.key.value.clone();
    if name == "overlay" || name == "include" {
        return;
    }
    if !SECTIONS.contains(&name.as_str()) {
        lay(root_of(base), section);
        return;
    }
    let Kind::Mapping(definitions) = section.value.kind else { return };
    let (homes, root) = (homes(base, &name), base.iter().position(|t| t.root).unwrap_or(0));
    let mut by_home: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
    for definition in definitions {
        let home = homes.get(&definition.key.value).map_or(root, |(tree, _)| *tree);
        by_home.entry(home).or_default().push(definition);
    }
    for (home, definitions) in by_home {
        let Some(tree) = base.get_mut(home) else { continue };
        let wrapped = Node::new(section.value.span, Kind::Mapping(definitions));
        lay(&mut tree.node, Entry { key: section.key.clone(), value: wrapped });
    }
}

/// Where each id of a section is first defined: the file, and the place in its section.
fn homes(base: &[FileTree], section: &str) -> HashMap<Piece, (usize, usize)> {
    let mut homes = HashMap::new();
    for (tree, file) in base.iter().enumerate() {
        for (at, entry) in file.node.get(section).map_or(&[][..], Node::entries).iter().enumerate() {
            homes.entry(entry.key.value.clone()).or_insert((tree, at));
        }
    }
    homes
}

fn root_of(base: &mut [FileTree]) -> &mut Node {
    let at = base.iter().position(|t| t.root).unwrap_or(0);
    &mut base[at].node
}

fn lay(node: &mut Node, entry: Entry) {
    let span = node.span;
    node.overlay(Node::new(span, Kind::Mapping(vec![entry])));
}

/// Moves definitions of file `later` that say `overlay: true` onto the earlier definition of their id.
fn lay_marked(
    base: &mut [FileTree],
    later: usize,
    section: &str,
    imports: bool,
    findings: &mut Vec<Finding>,
) {
    let marked = |e: &Entry| e.value.get("overlay").and_then(Node::plain) == Some("true");
    let Some(Kind::Mapping(entries)) =
        base.get_mut(later).and_then(|t| t.node.get_mut(section)).map(|n| &mut n.kind)
    else {
        return;
    };
    if !entries.iter().any(marked) {
        return;
    }
    let (over, rest) = std::mem::take(entries).into_iter().partition::<Vec<_>, _>(marked);
    *entries = rest;
    let (mut names, mut waiting) = (None, Vec::new());
    let homes = homes(base, section);
    for mut entry in over {
        let below = homes.get(&entry.key.value).and_then(|(tree, at)| {
            match base.get_mut(*tree)?.node.get_mut(section).map(|s| &mut s.kind) {
                Some(Kind::Mapping(entries)) => entries.get_mut(*at).map(|e| &mut e.value),
                _ => None,
            }
        });
        if let Some(node) = below {
            if let Kind::Mapping(keys) = &mut entry.value.kind {
                keys.retain(|key| key.key.value != "overlay");
            }
            node.overlay(entry.value);
        } else if imports {
            waiting.push(entry);
        } else {
            let names = names.get_or_insert_with(|| known(base, section));
            let id = Spanned::new(entry.key.value.to_string(), entry.key.span);
            findings.push(nothing_below(names, &id));
        }
    }
    let home = base.get_mut(later).and_then(|t| t.node.get_mut(section)).map(|n| &mut n.kind);
    if let Some(Kind::Mapping(entries)) = home {
        entries.append(&mut waiting);
    }
}

fn known(base: &[FileTree], section: &str) -> Names {
    let known = base.iter().filter_map(|t| t.node.get(section)).flat_map(|s| s.entries().iter());
    Names::new(known.map(|e| e.key.value.as_str()))
}

/// Of a definition marked `overlay: true` that no other defines.
pub fn nothing_below(known: &mut Names, id: &Spanned<String>) -> Finding {
    let message = format!("`{}` lies on top of nothing: no other file defines it", id.value);
    let finding = Finding::new(&INVALID_VALUE, id.span, message).about(&id.value);
    finding.guess(id, known, || "remove `overlay: true` to define it here".to_owned())
}

/// Reports ids that are defined twice, in whatever files and sections, and keeps the first.
pub fn unique_ids(trees: &mut [FileTree], findings: &mut Vec<Finding>) {
    let mut seen: HashMap<Piece, (Span, &'static str)> = HashMap::new();
    for tree in trees {
        for section in NAMESPACE {
            let Some(Kind::Mapping(entries)) = tree.node.get_mut(section).map(|n| &mut n.kind) else {
                continue;
            };
            entries.retain(|entry| {
                let Some((first, other)) = seen.get(&entry.key.value) else {
                    seen.insert(entry.key.value.clone(), (entry.key.span, section));
                    return true;
                };
                findings.push(duplicate(entry, *first, other, section));
                false
            });
        }
    }
}

fn duplicate(entry: &Entry, first: Span, other: &str, section: &str) -> Finding {
    let id = &entry.key.value;
    let finding = Finding::new(&DUPLICATE_DEFINITION, entry.key.span, format!("`{id}` is defined twice"));
    let finding = finding.label("again here, not read").also(first, "first defined here").about(id);
    if other == section {
        finding.help("rename one, or write `overlay: true` here to lie on top of the first")
    } else {
        finding.help(format!("rename one: {other} and {section} share one namespace"))
    }
}

/// Why a `--set` cannot be done, and what helps.
type SetError = (String, Option<String>);

/// The sections in which `--set` may name what is not there yet: what is said there is about something that is
/// defined elsewhere, or new.
const OPEN: [&str; 3] = ["upstreams", "aliases", "scenarios"];

/// Puts `value` at `path` (`services.web.replicas`, `"…"` around names with dots; in lists `[0]`, or what an item
/// is `to`, or its `name`, `id` or `call`).
pub fn apply_set(path: &str, value: Node, trees: &mut [FileTree]) -> Result<(), SetError> {
    let parts = split_path(path)
        .ok_or_else(|| (format!("`{path}` is not a path: write `services.web.replicas`"), None))?;
    let home = match parts.as_slice() {
        [section, id, ..] if SECTIONS.contains(&section.as_str()) => {
            let home = trees.iter().position(|t| t.node.get(section).and_then(|s| s.get(id)).is_some());
            match home {
                None if OPEN.contains(&section.as_str()) => trees.iter().position(|t| t.root),
                home => Some(home.ok_or_else(|| unknown_id(trees, section, id))?),
            }
        }
        _ => trees.iter().position(|t| t.root),
    };
    let Some(tree) = trees.get_mut(home.unwrap_or(0)) else { return Ok(()) };
    let mut node = &mut tree.node;
    for part in &parts {
        node = step(node, part, value.span)?;
    }
    *node = value;
    Ok(())
}

fn unknown_id(trees: &[FileTree], section: &str, id: &str) -> SetError {
    let known = trees.iter().filter_map(|t| t.node.get(section)).flat_map(|s| s.entries().iter());
    let known: Vec<&str> = known.map(|e| e.key.value.as_str()).collect();
    let near = nearest(id, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    (format!("{section} has no `{id}` to set"), near.or_else(|| there_are(&known)))
}

/// `there are web, cart and 7 more`.
fn there_are(known: &[&str]) -> Option<String> {
    let shown = known.iter().take(12).copied().collect::<Vec<_>>().join(", ");
    let more = known.len().saturating_sub(12);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!known.is_empty()).then(|| format!("there are {shown}{more}"))
}

/// What the item of a list is called by: where it goes, or its name.
fn item_name(item: &Node) -> Option<&str> {
    ["to", "name", "id", "call"].iter().find_map(|key| item.get(key)).and_then(Node::text)
}

/// The item of a list that is called so.
fn named_item<'t>(node: &'t mut Node, part: &str) -> Result<&'t mut Node, SetError> {
    let names: Vec<String> = node.items().iter().filter_map(item_name).map(str::to_owned).collect();
    let items = if let Kind::Sequence(items) = &mut node.kind { items.as_mut_slice() } else { &mut [] };
    let found = items.iter_mut().find(|item| item_name(item) == Some(part));
    found.ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let near = nearest(part, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        (format!("the list has no `{part}`"), near.or_else(|| there_are(&names)))
    })
}

fn step<'t>(node: &'t mut Node, part: &str, span: Span) -> Result<&'t mut Node, SetError> {
    if let Some(index) = part.strip_prefix('[').and_then(|p| p.strip_suffix(']')) {
        let Kind::Sequence(items) = &mut node.kind else {
            return Err((format!("`{part}`: there is no list"), None));
        };
        let length = items.len();
        let item = index.parse::<usize>().ok().and_then(|i| items.get_mut(i));
        return item.ok_or_else(|| (format!("`{part}`: the list has {length} items, counted from 0"), None));
    }
    if node.items().iter().any(|item| item_name(item).is_some()) {
        return named_item(node, part);
    }
    if !matches!(node.kind, Kind::Mapping(_)) {
        *node = Node::new(span, Kind::Mapping(Vec::new()));
    }
    let Kind::Mapping(entries) = &mut node.kind else {
        return Err((format!("`{part}` cannot be set"), None));
    };
    let at = entries.iter().position(|e| e.key.value == part).unwrap_or_else(|| {
        entries.push(Entry { key: Spanned::new(part.into(), span), value: Node::new(span, Kind::Null) });
        entries.len() - 1
    });
    Ok(&mut entries[at].value)
}

/// `a."b.c".d[0]` → a, b.c, d, [0].
fn split_path(path: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let end = if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"')?;
            parts.push(quoted.get(..end)?.to_owned());
            end + 2
        } else if rest.starts_with('[') {
            let end = rest.find(']')? + 1;
            parts.push(rest.get(..end)?.to_owned());
            end
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            parts.push(rest.get(..end).filter(|p| !p.is_empty())?.to_owned());
            end
        };
        rest = rest.get(end..)?;
        rest = match rest.strip_prefix('.') {
            Some("") => return None,
            Some(next) => next,
            None if rest.is_empty() || rest.starts_with('[') => rest,
            None => return None,
        };
    }
    (!parts.is_empty()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_set_are_split_at_dots_outside_quotes() {
        for (path, expected) in [
            ("services.web.replicas", Some(vec!["services", "web", "replicas"])),
            (
                r#"services.web.endpoints."GET /a.b".calls[0].timeout"#,
                Some(vec!["services", "web", "endpoints", "GET /a.b", "calls", "[0]", "timeout"]),
            ),
            ("", None),
            ("a..b", None),
            ("a.", None),
            ("a.\"b", None),
        ] {
            let split = split_path(path);
            assert_eq!(split, expected.map(|e| e.into_iter().map(str::to_owned).collect()), "{path}");
        }
    }
}
