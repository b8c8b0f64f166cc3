//! Lines of a model: elements, relationships, archetypes. Must not know files.

use super::{Archetype, Block, Parser};
use crate::import::formats::structurizr::words::{Line, Word};
use crate::import::formats::structurizr::workspace::{Element, Kind};
use crate::source::{Span, Spanned};

impl Parser<'_, '_> {
    /// The element around the line.
    pub(super) fn element(&self) -> Option<usize> {
        self.blocks.iter().rev().find_map(|(block, _)| match block {
            Block::Element(at) => Some(*at),
            _ => None,
        })
    }

    /// The element of a kind around the line.
    fn around(&self, kind: Kind) -> Option<usize> {
        self.blocks.iter().rev().find_map(|(block, _)| match block {
            Block::Element(at) if self.workspace.elements.get(*at).is_some_and(|e| e.kind == kind) => {
                Some(*at)
            }
            _ => None,
        })
    }

    /// The group around the line, inside the element around it.
    fn group(&self) -> Option<Spanned<String>> {
        match self.blocks.last() {
            Some((Block::Group(name), _)) => Some(name.clone()),
            _ => None,
        }
    }

    pub(super) fn model_line(&mut self, line: &Line, span: Span) {
        let assigned = line.words.get(1).is_some_and(|word| word.is("=")) && line.words.len() > 2;
        let identifier = line.words.first().filter(|_| assigned).map(Word::spanned);
        let words: &[Word] = line.words.get(if assigned { 2 } else { 0 }..).unwrap_or_default();
        if let Some(arrow) = words.iter().take(2).position(is_arrow) {
            return self.relation(words, arrow, line.opens, span);
        }
        let Some(keyword) = words.first() else { return self.enter(line.opens, Block::Other, span) };
        let said = keyword.text.to_lowercase();
        let archetype = self.archetypes.get(&said).cloned().unwrap_or_default();
        let base = if archetype.base.is_empty() { said.clone() } else { archetype.base.clone() };
        let parent = self.element();
        let kind = match base.as_str() {
            "person" => Kind::Person,
            "softwaresystem" => Kind::System,
            "container" => Kind::Container,
            "component" => Kind::Component,
            "element" => Kind::Custom,
            "group" => {
                let name = words.get(1).unwrap_or(keyword).spanned();
                return self.enter(line.opens, Block::Group(name), span);
            }
            "archetypes" => return self.enter(line.opens, Block::Archetypes, span),
            // What runs where is not asked here.
            "deploymentenvironment" | "properties" | "perspectives" | "url" => {
                return self.enter(line.opens, Block::Other, span);
            }
            _ => {
                let detail = parent.is_some_and(|at| self.element_detail(at, &said, words));
                if !detail {
                    self.not_covered(&keyword.text, keyword.span);
                }
                return self.enter(line.opens, Block::Other, span);
            }
        };
        let at = self.new_element(kind, identifier.as_ref(), words, &archetype);
        self.enter(line.opens, Block::Element(at), span);
    }

    fn new_element(
        &mut self,
        kind: Kind,
        identifier: Option<&Spanned<String>>,
        words: &[Word],
        archetype: &Archetype,
    ) -> usize {
        let word = |at: usize| words.get(at).filter(|w| !w.text.is_empty()).map(Word::spanned);
        let name =
            word(1).or_else(|| word(0)).unwrap_or_else(|| Spanned::new(String::new(), Span::default()));
        let parent = match kind {
            Kind::Container => self.around(Kind::System),
            Kind::Component => self.around(Kind::Container),
            _ => None,
        };
        // NAME, then DESCRIPTION, TECHNOLOGY of what runs, TAGS; of anything else a word for its kind first.
        let (description, technology, tags) = match kind {
            Kind::Person | Kind::System => (word(2), None, word(3)),
            Kind::Container | Kind::Component => (word(2), word(3), word(4)),
            Kind::Custom => (word(3), None, word(4)),
        };
        let own = tags.iter().flat_map(split_tags);
        let element = Element {
            identifier: identifier.cloned(),
            description: description.or_else(|| archetype.description.clone()),
            technology: technology.or_else(|| archetype.technology.clone()),
            tags: archetype.tags.iter().cloned().chain(own).collect(),
            group: self.group(),
            ..Element::new(kind, name, parent)
        };
        let at = self.workspace.elements.len();
        self.workspace.elements.push(element);
        if let Some(identifier) = identifier {
            self.identifiers.add(identifier, at, &self.workspace, &mut self.findings);
        }
        at
    }

    /// What is said of an element in its block; whether it is something that can be said.
    fn element_detail(&mut self, at: usize, said: &str, words: &[Word]) -> bool {
        let value = words.get(1).map(Word::spanned);
        let Some(element) = self.workspace.elements.get_mut(at) else { return false };
        match said {
            "description" => element.description = value.or(element.description.take()),
            "technology" => element.technology = value.or(element.technology.take()),
            "tag" | "tags" => {
                let given: Vec<_> = words.iter().skip(1).map(Word::spanned).collect();
                element.tags.extend(given.iter().flat_map(split_tags));
            }
            _ => return false,
        }
        true
    }

    fn relation(&mut self, words: &[Word], arrow: usize, opens: bool, span: Span) {
        let (Some(sign), Some(to)) = (words.get(arrow), words.get(arrow + 1)) else {
            return self.enter(opens, Block::Other, span);
        };
        let this = self.element();
        let from = words.first().filter(|_| arrow > 0);
        let archetype =
            sign.text.strip_prefix("--").and_then(|s| s.strip_suffix("->")).map(str::to_lowercase);
        let archetype = archetype.and_then(|name| self.archetypes.get(&name).cloned()).unwrap_or_default();
        let text = |at: usize| words.get(arrow + at).map(|w| w.text.clone()).filter(|t| !t.is_empty());
        let given = |said: Option<Spanned<String>>| said.map(|s| s.value).unwrap_or_default();
        let description = text(2).unwrap_or_else(|| given(archetype.description));
        let technology = text(3).unwrap_or_else(|| given(archetype.technology));
        let at = self.identifiers.relate(from, to, this, (description, technology));
        self.enter(opens, Block::Relation(at), span);
    }

    pub(super) fn relation_detail(&mut self, at: usize, first: &str, line: &Line, span: Span) {
        if let Some(value) = line.words.get(1) {
            self.identifiers.detail(at, first, &value.text);
        }
        self.enter(line.opens, Block::Other, span);
    }

    /// `name = base {` among archetypes, or `container {` for what holds for all of them.
    pub(super) fn archetype(&mut self, line: &Line, span: Span) {
        let assigned = line.words.get(1).is_some_and(|word| word.is("="));
        let base = line.words.get(if assigned { 2 } else { 0 });
        let (Some(name), Some(base)) = (line.words.first(), base) else { return };
        let arrow = base.text.strip_prefix("--").and_then(|s| s.strip_suffix("->"));
        let below = arrow.unwrap_or(&base.text).to_lowercase();
        let mut made = self.archetypes.get(&below).cloned().unwrap_or_default();
        if made.base.is_empty() {
            made.base = below;
        }
        let name = name.text.to_lowercase();
        self.archetypes.insert(name.clone(), made);
        self.enter(line.opens, Block::Archetype(name), span);
    }

    pub(super) fn archetype_detail(&mut self, name: &str, first: &str, line: &Line) {
        let Some(archetype) = self.archetypes.get_mut(name) else { return };
        let value = line.words.get(1).map(Word::spanned);
        match first {
            "description" => archetype.description = value,
            "technology" => archetype.technology = value,
            "tag" | "tags" => {
                let given: Vec<_> = line.words.iter().skip(1).map(Word::spanned).collect();
                archetype.tags.extend(given.iter().flat_map(split_tags));
            }
            _ => {}
        }
    }
}

/// `->`, or `--name->` of an archetype.
fn is_arrow(word: &Word) -> bool {
    !word.quoted && (word.text == "->" || (word.text.starts_with("--") && word.text.ends_with("->")))
}

fn split_tags(tags: &Spanned<String>) -> Vec<Spanned<String>> {
    let all = tags.value.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    all.map(|tag| Spanned::new(tag.to_owned(), tags.span)).collect()
}
