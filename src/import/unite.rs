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
    rename(imported, written);
    join(imported, |d| &mut d.services, findings);
    join(imported, |d| &mut d.datastores, findings);
    join(imported, |d| &mut d.queues, findings);
    join(imported, |d| &mut d.topics, findings);
    protocols(imported, findings);
}

/// Gives what goes by another name in some import the name it has in the others, or that `aliases` gives it.
fn rename(imported: &mut [FileDocument], written: &[FileDocument]) {
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
    if names.is_empty() {
        return;
    }
    for document in imported {
        let d = &mut document.document.value;
        give(&mut d.services, &names);
        give(&mut d.datastores, &names);
        give(&mut d.queues, &names);
        give(&mut d.topics, &names);
    }
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
fn protocols(imported: &[FileDocument], findings: &mut Vec<Finding>) {
    let mut known: HashMap<(&str, &str), (Protocol, Span)> = HashMap::new();
    let mut said = HashSet::new();
    for document in imported {
        for call in document.document.communications.iter().flat_map(|c| c.value.iter()) {
            let (Some(from), Some(to), Some(protocol)) = (&call.from, &call.to, &call.policy.protocol) else {
                continue;
            };
            let ends = (from.service.value.as_str(), to.service.value.as_str());
            let first = *known.entry(ends).or_insert((protocol.value, protocol.span));
            if first.0 != protocol.value && said.insert(ends) {
                let what = format!("the protocol from `{}` to `{}`", ends.0, ends.1);
                let second = (protocol.value.word().to_owned(), protocol.span);
                let first = (first.0.word().to_owned(), first.1);
                findings.push(contradiction(&what, first, second).about(format!("{} → {}", ends.0, ends.1)));
            }
        }
    }
}
