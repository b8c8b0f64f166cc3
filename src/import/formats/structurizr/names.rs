//! Identifiers of the DSL, and relationships between what they stand for. Must not know lines.

use super::words::Word;
use super::workspace::{Relation, Workspace};
use crate::finding::{Finding, nearest};
use crate::source::Spanned;
use crate::spec::decode::shorten;
use crate::spec::rules::{DUPLICATE_DEFINITION, INVALID_VALUE};
use std::collections::HashMap;

/// So many unknown names are compared with the known ones.
const MOST_HELPED: usize = 50;

/// One end of a relationship.
#[derive(Debug)]
enum End {
    /// The element whose block it is in.
    This(Option<usize>),
    /// Whatever is called so.
    Named(Word),
}

/// A relationship whose ends are not yet known: what is defined later may be named.
#[derive(Debug)]
struct Pending {
    from: End,
    to: End,
    /// The element around it.
    within: Option<usize>,
    /// Where it leads to.
    at: Word,
    description: String,
    technology: String,
}

/// Identifiers in lower case, with those of the elements around them before them where they are hierarchical.
#[derive(Debug, Default)]
pub struct Identifiers {
    /// Whether an identifier is unique only within its element.
    pub hierarchical: bool,
    known: HashMap<String, usize>,
    paths: HashMap<usize, String>,
    pending: Vec<Pending>,
}

impl Identifiers {
    /// Names the element at `at`; one that is there already is a mistake.
    pub fn add(
        &mut self,
        identifier: &Spanned<String>,
        at: usize,
        workspace: &Workspace,
        findings: &mut Vec<Finding>,
    ) {
        let lower = identifier.value.to_lowercase();
        let parent = workspace.elements.get(at).and_then(|e| e.parent).and_then(|p| self.paths.get(&p));
        let path = match parent {
            Some(parent) if self.hierarchical => format!("{parent}.{lower}"),
            _ => lower,
        };
        if self.known.contains_key(&path) {
            let message = format!("the identifier `{}` is there twice", identifier.value);
            let finding =
                Finding::new(&DUPLICATE_DEFINITION, identifier.span, message).about(&identifier.value);
            findings.push(finding.help("rename one, or say `!identifiers hierarchical` in the workspace"));
            return;
        }
        self.known.insert(path.clone(), at);
        self.paths.insert(at, path);
    }

    /// What a name means inside an element: something of it, of what is around it, or of the whole.
    pub fn find(&self, name: &str, within: Option<usize>, workspace: &Workspace) -> Option<usize> {
        let name = name.to_lowercase();
        let mut around = within;
        while let Some(at) = around.filter(|_| self.hierarchical) {
            let path = self.paths.get(&at).and_then(|path| self.known.get(&format!("{path}.{name}")));
            if let Some(found) = path {
                return Some(*found);
            }
            around = workspace.elements.get(at).and_then(|e| e.parent);
        }
        self.known.get(&name).copied()
    }

    /// Notes a relationship; without a source it is of the element around it. Its place.
    pub fn relate(
        &mut self,
        from: Option<&Word>,
        to: &Word,
        within: Option<usize>,
        (description, technology): (String, String),
    ) -> usize {
        let end = |word: &Word| {
            if word.text.eq_ignore_ascii_case("this") { End::This(within) } else { End::Named(word.clone()) }
        };
        let from = from.map_or(End::This(within), end);
        self.pending.push(Pending { from, to: end(to), within, at: to.clone(), description, technology });
        self.pending.len() - 1
    }

    /// Says more of a relationship.
    pub fn detail(&mut self, at: usize, what: &str, value: &str) {
        let Some(pending) = self.pending.get_mut(at) else { return };
        match what {
            "description" => value.clone_into(&mut pending.description),
            "technology" => value.clone_into(&mut pending.technology),
            _ => {}
        }
    }

    /// All relationships between what is known; what is not is a mistake.
    pub fn resolve(&mut self, workspace: &mut Workspace, findings: &mut Vec<Finding>) {
        let mut helped = 0;
        for pending in std::mem::take(&mut self.pending) {
            let mut end = |end: &End| match end {
                End::This(at) => *at,
                End::Named(word) => {
                    let found = self.find(&word.text, pending.within, workspace);
                    if found.is_none() {
                        helped += 1;
                        findings.push(self.unknown(word, helped <= MOST_HELPED));
                    }
                    found
                }
            };
            if let (Some(from), Some(to)) = (end(&pending.from), end(&pending.to)) {
                let Pending { description, technology, .. } = pending;
                workspace.relations.push(Relation {
                    from,
                    to,
                    span: pending.at.span,
                    description,
                    technology,
                });
            }
        }
    }

    fn unknown(&self, word: &Word, help: bool) -> Finding {
        let message = format!("no element is called `{}`", shorten(&word.text));
        let finding = Finding::new(&INVALID_VALUE, word.span, message).about(&word.text);
        let mut known: Vec<&str> = Vec::new();
        if help {
            known.extend(self.known.keys().map(String::as_str));
            known.sort_unstable();
        }
        match nearest(&word.text.to_lowercase(), known) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("a relationship leads to an identifier: `name = container \"…\"`"),
        }
    }
}
