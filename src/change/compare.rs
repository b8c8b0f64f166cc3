//! Things of one version beside those of another.

use super::things::{Kind, Thing, Token};
use super::{Change, Fact, What, grouped};
use crate::model::builtin::BUILTINS;
use std::collections::{BTreeMap, BTreeSet};

/// What differs, by kind and id.
pub(super) fn changes(old: Vec<Thing>, new: Vec<Thing>) -> Vec<Change> {
    let key = |thing: Thing| ((thing.kind, thing.id.clone()), thing);
    let (mut before, mut after) = (grouped(old.into_iter().map(key)), grouped(new.into_iter().map(key)));
    let keys: BTreeSet<(Kind, String)> = before.keys().chain(after.keys()).cloned().collect();
    let (mut changes, mut removed, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for key in keys {
        let (mut old, mut new) =
            (before.remove(&key).unwrap_or_default(), after.remove(&key).unwrap_or_default());
        cancel(&mut old, &mut new);
        let pairs = old.len().min(new.len());
        let (gone, came) = (old.split_off(pairs), new.split_off(pairs));
        changes.extend(old.iter().zip(&new).filter_map(|(old, new)| changed(old, new)));
        removed.extend(gone);
        added.extend(came);
    }
    changes.extend(moved(&mut removed, &mut added));
    changes.extend(
        removed.iter().map(|old| change(old, What::Removed, facts(old.kind, &old.facts, &BTreeMap::new()))),
    );
    changes.extend(
        added.iter().map(|new| change(new, What::Added, facts(new.kind, &BTreeMap::new(), &new.facts))),
    );
    changes.sort_by(|a, b| (a.kind, &a.id, a.what).cmp(&(b.kind, &b.id, b.what)));
    changes
}

/// Takes out what is the same on both sides: which of several call sites of the same changed is told by
/// what is left.
fn cancel(old: &mut Vec<Thing>, new: &mut Vec<Thing>) {
    if old.len() == 1 && new.len() == 1 {
        return;
    }
    old.retain(|one| match new.iter().position(|other| other == one) {
        Some(at) => {
            new.remove(at);
            false
        }
        None => true,
    });
}

/// Calls, messages and accesses that a service now makes at another of its endpoints.
fn moved(removed: &mut Vec<Thing>, added: &mut Vec<Thing>) -> Vec<Change> {
    let key = |thing: &Thing| thing.leads_to.clone().map(|to| (thing.kind, thing.of.clone(), to));
    let places =
        |things: &[Thing]| grouped(things.iter().enumerate().filter_map(|(i, t)| Some((key(t)?, i))));
    let (from, mut to) = (places(removed), places(added));
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (key, from) in from {
        let to = to.remove(&key).unwrap_or_default();
        // With several there is no telling which went where, unless all did.
        if from.len() == to.len() {
            pairs.extend(from.into_iter().zip(to));
        }
    }
    let mut changes = Vec::new();
    for (from, to) in &pairs {
        let (Some(old), Some(new)) = (removed.get(*from), added.get(*to)) else { continue };
        let mut change = change(new, What::Moved, facts(new.kind, &old.facts, &new.facts));
        change.moved_from = Some(old.id.clone());
        changes.push(change);
    }
    let (gone, came): (BTreeSet<usize>, BTreeSet<usize>) = pairs.into_iter().unzip();
    keep(removed, &gone);
    keep(added, &came);
    changes
}

fn keep(things: &mut Vec<Thing>, but: &BTreeSet<usize>) {
    let mut at = 0;
    things.retain(|_| {
        at += 1;
        !but.contains(&(at - 1))
    });
}

fn change(thing: &Thing, what: What, facts: Vec<Fact>) -> Change {
    let (kind, id, of) = (thing.kind, thing.id.clone(), thing.of.clone());
    Change { kind, id, what, moved_from: None, of, facts }
}

fn changed(old: &Thing, new: &Thing) -> Option<Change> {
    let mut facts = facts(new.kind, &old.facts, &new.facts);
    facts.extend(order(&old.script, &new.script));
    (!facts.is_empty()).then(|| change(new, What::Changed, facts))
}

/// What holds on one side only or differs, by key.
fn facts(kind: Kind, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<Fact> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differs = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
    // `retry: none` gives way to `retry.num_retries: 2`: what was off is said by the keys below.
    let gives_way = |key: &str, off: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
        let start = format!("{key}.");
        let below = other.range(start.clone()..).next().is_some_and(|(k, _)| k.starts_with(&start));
        below && off.get(key).is_some_and(|v| v == "none") && !other.contains_key(key)
    };
    let differs = differs.filter(|key| !gives_way(key, old, new) && !gives_way(key, new, old));
    let fact = |key: &String| {
        let default = BUILTINS.iter().find(|b| b.key.strip_prefix(kind.section()) == Some(key));
        let (old, new) = (old.get(key).cloned(), new.get(key).cloned());
        Fact { key: key.clone(), old, new, built_in: default.map(|b| b.value) }
    };
    differs.map(fact).collect()
}

/// Whether what both scripts do is done in another order, or with other work between.
fn order(old: &[Token], new: &[Token]) -> Option<Fact> {
    let (old, new) = (told(&shared(old, new)), told(&shared(new, old)));
    let (before, after) = (Some(old).filter(|t| !t.is_empty()), Some(new).filter(|t| !t.is_empty()));
    (before != after).then(|| Fact { key: "steps".to_owned(), old: before, new: after, built_in: None })
}

/// A script without what the other does not do: that is told as added or removed.
fn shared(script: &[Token], other: &[Token]) -> Vec<Token> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for token in other {
        if let Token::Edge(edge) = token {
            *left.entry(edge).or_default() += 1;
        }
    }
    let is_shared = |token: &&Token| match token {
        Token::Edge(edge) => left.get_mut(edge.as_str()).is_some_and(|count| {
            let had = *count > 0;
            *count = count.saturating_sub(1);
            had
        }),
        _ => true,
    };
    let mut kept: Vec<Token> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for token in script.iter().filter(is_shared) {
        match token {
            Token::Open => open.push(kept.len()),
            Token::Close => {
                // One step at the same time as nothing else is a step.
                let Some(from) = open.pop() else { continue };
                if steps(kept.get(from + 1..).unwrap_or_default()) < 2 {
                    kept.remove(from);
                    continue;
                }
            }
            _ => {}
        }
        kept.push(token.clone());
    }
    kept
}

/// How many steps there are, parallel ones counting as one.
fn steps(tokens: &[Token]) -> usize {
    let (mut depth, mut count) = (0_usize, 0);
    for token in tokens {
        if *token == Token::Close {
            depth = depth.saturating_sub(1);
            continue;
        }
        count += usize::from(depth == 0);
        depth += usize::from(*token == Token::Open);
    }
    count
}

/// `cart GET /cart, [ads, stock Count], work 5ms`: in brackets what happens at the same time.
fn told(script: &[Token]) -> String {
    let mut text = String::new();
    for token in script {
        let word = match token {
            Token::Open => "[",
            Token::Close => "]",
            Token::Edge(word) | Token::Work(word) => word.as_str(),
        };
        if !text.is_empty() && !text.ends_with('[') && *token != Token::Close {
            text.push_str(", ");
        }
        text.push_str(word);
    }
    text
}
