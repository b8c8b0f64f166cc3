//! Documents of several formats as one system: what they say of one thing is joined, under one name. What the
//! first says counts; where they contradict each other, both places are shown.

use crate::finding::{Finding, Severity};
use crate::source::{Span, Spanned};
use crate::spec::facts::tree;
use crate::spec::rules::DUPLICATE_DEFINITION;
use crate::spec::tree::Node;
use crate::spec::vocabulary::{Document, Protocol};
use crate::spec::{Decode, FileDocument, Ids};
use std::collections::{HashMap, HashSet};

/// Of what imports may contradict each other that means something for all of them; what differs from one
/// environment to the next (variables, probes) is none of these.
const TOLD: [&str; 7] = ["kind", "external", "owner", "version", "replicas", "status", "protocol"];

/// Joins the documents; `written` are those of the user's, whose names count.
pub fn unite(imported: &mut [FileDocument], written: &[FileDocument], findings: &mut Vec<Finding>) {
    let names = rename(imported, written);
    once(imported, findings);
    join(imported, |d| &mut d.services, findings);
    join(imported, |d| &mut d.datastores, findings);
    join(imported, |d| &mut d.queues, findings);
    join(imported, |d| &mut d.topics, findings);
    protocols(imported, &names, findings);
}

/// Gives what goes by another name in some import the name it has in the others, or that `aliases` gives it.
fn rename(imported: &mut [FileDocument], written: &[FileDocument]) -> HashMap<String, String> {
    let mut names: HashMap<String, String> = HashMap::new();
    for document in written.iter().chain(imported.iter()) {
        for (alias, id) in document.document.aliases.iter().flat_map(|a| a.iter()) {
            names.entry(alias.value.clone()).or_insert_with(|| id.value.clone());
        }
    }
    // A name the user defines something under is no other name.
    for document in written {
        let d = &document.document.value;
        let ids = ids(d.services.as_ref()).chain(ids(d.datastores.as_ref()));
        for id in ids.chain(ids_of(d)) {
            names.remove(id);
        }
    }
    for document in imported.iter_mut().filter(|_| !names.is_empty()) {
        let d = &mut document.document.value;
        give(&mut d.services, &names);
        give(&mut d.datastores, &names);
        give(&mut d.queues, &names);
        give(&mut d.topics, &names);
    }
    names
}

/// Where each id was first defined: in which document, as what, at which bytes.
type Seen = HashMap<String, (usize, &'static str, Span)>;

/// Leaves each id in the section in which it was first defined: what is a datastore to one source is none of
/// the services of another.
fn once(imported: &mut [FileDocument], findings: &mut Vec<Finding>) {
    let mut seen = Seen::new();
    for (at, document) in imported.iter_mut().enumerate() {
        let d = &mut document.document.value;
        keep(&mut d.services, (at, "service"), &mut seen, findings);
        keep(&mut d.datastores, (at, "datastore"), &mut seen, findings);
        keep(&mut d.queues, (at, "queue"), &mut seen, findings);
        keep(&mut d.topics, (at, "topic"), &mut seen, findings);
    }
}

fn keep<T>(
    section: &mut Option<Spanned<Ids<T>>>,
    (at, kind): (usize, &'static str),
    seen: &mut Seen,
    findings: &mut Vec<Finding>,
) {
    let Some(section) = section else { return };
    section.value.0.0.retain(|(id, _)| {
        let (home, first, span) = *seen.entry(id.value.clone()).or_insert((at, kind, id.span));
        // Of what one document contradicts itself in the model tells.
        let other = home != at && first != kind;
        if other {
            let (first, second) = ((first.to_owned(), span), (kind.to_owned(), id.span));
            findings.push(contradiction(&format!("what `{}` is", id.value), first, second).about(&id.value));
        }
        !other
    });
}

fn ids<T>(section: Option<&Spanned<Ids<T>>>) -> impl Iterator<Item = &String> {
    section.into_iter().flat_map(|s| s.value.0.iter()).map(|(id, _)| &id.value)
}

fn ids_of(document: &Document) -> impl Iterator<Item = &String> {
    ids(document.queues.as_ref()).chain(ids(document.topics.as_ref()))
}

fn give<T>(section: &mut Option<Spanned<Ids<T>>>, names: &HashMap<String, String>) {
    for (id, _) in section.iter_mut().flat_map(|s| s.value.0.0.iter_mut()) {
        if let Some(name) = names.get(&id.value) {
            id.value.clone_from(name);
        }
    }
}

fn join<T: Decode + Clone>(
    imported: &mut [FileDocument],
    section: fn(&mut Document) -> &mut Option<Spanned<Ids<T>>>,
    findings: &mut Vec<Finding>,
) {
    let mut firsts: HashMap<String, (usize, usize)> = HashMap::new();
    for at in 0..imported.len() {
        let Some(all) = entries(imported, at, section) else { continue };
        let mut kept: Vec<(Spanned<String>, Spanned<T>)> = Vec::with_capacity(all.len());
        for (id, entry) in std::mem::take(all) {
            let Some((home, place)) = firsts.get(&id.value).copied() else {
                firsts.insert(id.value.clone(), (at, kept.len()));
                kept.push((id, entry));
                continue;
            };
            let first = match home == at {
                true => kept.get_mut(place),
                false => entries(imported, home, section).and_then(|all| all.get_mut(place)),
            };
            if let Some((_, first)) = first {
                if home != at {
                    contradictions(&id.value, first, &entry, findings);
                }
                first.value.fill(&entry.value);
            }
        }
        if let Some(all) = entries(imported, at, section) {
            *all = kept;
        }
    }
}

fn entries<T>(
    imported: &mut [FileDocument],
    at: usize,
    section: fn(&mut Document) -> &mut Option<Spanned<Ids<T>>>,
) -> Option<&mut Vec<(Spanned<String>, Spanned<T>)>> {
    section(&mut imported.get_mut(at)?.document.value).as_mut().map(|s| &mut s.value.0.0)
}

fn contradictions<T: Decode>(id: &str, first: &Spanned<T>, second: &Spanned<T>, findings: &mut Vec<Finding>) {
    let (first, second) = (tree(first), tree(second));
    for key in TOLD {
        let said = |node: &Node| node.get(key).and_then(|n| Some((n.text()?.to_owned(), n.span)));
        if let (Some(a), Some(b)) = (said(&first), said(&second))
            && a.0 != b.0
        {
            findings.push(contradiction(&format!("`{key}` of `{id}`"), a, b).about(id).about(key));
        }
    }
}

fn contradiction(what: &str, first: (String, Span), second: (String, Span)) -> Finding {
    let message = format!("two sources say different things of {what}");
    Finding::new(&DUPLICATE_DEFINITION, second.1, message)
        .severity(Severity::Warning)
        .label(format!("`{}` here, not taken", second.0))
        .also(first.1, format!("`{}` here", first.0))
        .help("say in a document of your own, beside the imports, which is right")
}

/// How calls travel that several imports show.
fn protocols(imported: &[FileDocument], names: &HashMap<String, String>, findings: &mut Vec<Finding>) {
    let name = |id: &'_ str| names.get(id).map_or(id, String::as_str).to_owned();
    let mut known: HashMap<(String, String), (Protocol, Span)> = HashMap::new();
    let mut said = HashSet::new();
    for document in imported {
        for call in document.document.communications.iter().flat_map(|c| c.value.iter()) {
            let (Some(from), Some(to), Some(protocol)) = (&call.from, &call.to, &call.policy.protocol) else {
                continue;
            };
            let ends = (name(&from.service.value), name(&to.service.value));
            let first = *known.entry(ends.clone()).or_insert((protocol.value, protocol.span));
            if first.0 != protocol.value && said.insert(ends.clone()) {
                let what = format!("the protocol from `{}` to `{}`", ends.0, ends.1);
                let second = (protocol.value.word().to_owned(), protocol.span);
                let first = (first.0.word().to_owned(), first.1);
                findings.push(contradiction(&what, first, second).about(format!("{} → {}", ends.0, ends.1)));
            }
        }
    }
}
