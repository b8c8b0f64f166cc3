//! Which variables and which folder a file is read with, and how its scalars are expanded.

use super::dotenv;
use super::interpolate::{Expanded, Trouble, Vars, expand};
use crate::finding::Finding;
use crate::import::Note;
use crate::source::{FileId, Span};
use crate::spec::Reader;
use crate::spec::rules::{INVALID_VALUE, LIMIT_EXCEEDED};
use crate::spec::tree::Node;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

/// All expansions of one import together may be this long, in bytes.
const LONGEST: usize = 64 << 20;

/// What surrounds a file.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The file whose folder its paths are relative to.
    pub base: String,
    /// The values of its variables.
    pub vars: Rc<Vars>,
}

/// A scalar with its variables put in, and where it came from.
#[derive(Debug, Clone)]
pub struct Text {
    expanded: Expanded,
    node: Node,
}

impl Text {
    /// A value that was made elsewhere; all of it points at `span`.
    pub fn opaque(text: String, span: Span) -> Self {
        Self { expanded: Expanded::opaque(text), node: Node::new(span, crate::spec::tree::Kind::Null) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.expanded.text
    }

    /// Where a part of it stands, as exactly as can be told.
    pub fn span(&self, range: Range<usize>) -> Span {
        self.expanded.source(range).map_or(self.node.span, |source| self.node.part(source.start, source.end))
    }
}

/// The scopes of all files of an import, and what was found while expanding.
#[derive(Debug, Default)]
pub struct Scopes {
    files: BTreeMap<FileId, Scope>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What must be set where compose runs.
    pub notes: Vec<Note>,
    /// Variables without a value.
    pub unset: BTreeSet<String>,
    spent: usize,
}

impl Scopes {
    /// Says what surrounds a file.
    pub fn insert(&mut self, file: FileId, scope: Scope) {
        self.files.insert(file, scope);
    }

    /// Whether it was said what surrounds a file.
    pub fn knows(&self, file: FileId) -> bool {
        self.files.contains_key(&file)
    }

    /// What surrounds a file.
    pub fn of(&self, file: FileId) -> Scope {
        self.files.get(&file).cloned().unwrap_or_default()
    }

    /// A scalar with its variables put in; `None` for what is no scalar.
    pub fn text(&mut self, node: &Node) -> Option<Text> {
        let raw = node.text()?;
        if !raw.contains('$') {
            return Some(Text { expanded: Expanded::literal(raw.to_owned()), node: node.clone() });
        }
        if self.spent > LONGEST {
            return None;
        }
        let vars = self.files.get(&node.span.file).map(|scope| Rc::clone(&scope.vars)).unwrap_or_default();
        let expanded = expand(raw, &vars);
        self.spent += expanded.text.len() + raw.len();
        if self.spent > LONGEST {
            let finding = Finding::new(&LIMIT_EXCEEDED, node.span, "variables expand to more than is read");
            self.findings.push(finding.label("reading of variables stopped here"));
        }
        for problem in &expanded.problems {
            let span = node.part(problem.source.start, problem.source.end);
            self.report(&problem.what, span);
        }
        Some(Text { expanded, node: node.clone() })
    }

    /// The same as a plain string.
    pub fn string(&mut self, node: &Node) -> Option<String> {
        self.text(node).map(|text| text.as_str().to_owned())
    }

    /// A key of the user's (the name of a service in `depends_on`), variables put in.
    pub fn key(&mut self, key: &crate::source::Spanned<crate::source::Piece>) -> String {
        let kind = crate::spec::tree::Kind::Scalar { text: key.value.clone(), plain: false };
        self.string(&Node::new(key.span, kind)).unwrap_or_default()
    }

    fn report(&mut self, what: &Trouble, span: Span) {
        match what {
            Trouble::Syntax(message) => {
                let finding = Finding::new(&INVALID_VALUE, span, *message).label("no variable");
                self.findings.push(finding.help("write `$$` for a dollar sign"));
            }
            Trouble::TooLong => {
                let finding = Finding::new(&LIMIT_EXCEEDED, span, "variables expand to more than is read");
                self.findings.push(finding);
            }
            Trouble::Required { name, message } => {
                let reason = if message.is_empty() { String::new() } else { format!(": {message}") };
                let text = format!("`{name}` must be set where compose runs{reason}");
                if !self.notes.iter().any(|note| note.text == text) {
                    self.notes.push(Note { text, span: Some(span) });
                }
            }
            Trouble::Unset(name) => {
                self.unset.insert(name.clone());
            }
        }
    }
}

/// The variables of a `.env`, those of `outer` before its own. A file that is not there has none.
pub fn load_vars(reader: &mut Reader<'_>, path: &str, outer: &Vars) -> Vars {
    let mut vars = Vars::new();
    if let Ok(bytes) = reader.loader().load(path)
        && let Some(file) = reader.utf8(path, bytes)
    {
        let read = dotenv::parse(&reader.sources.file(file).text, outer);
        vars.extend(read.into_iter().map(|a| (a.name, a.value)));
    }
    vars.extend(outer.iter().map(|(k, v)| (k.clone(), v.clone())));
    vars
}
