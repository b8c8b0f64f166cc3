//! Entities of a catalog and references between them. Must not know what a kind means.

use crate::finding::Finding;
use crate::import::ImportFile;
use crate::import::tree::{at, text_at};
use crate::source::{Span, Spanned};
use crate::spec::decode::shorten;
use crate::spec::rules::{DUPLICATE_DEFINITION, INVALID_VALUE};
use crate::spec::tree::Node;
use std::collections::HashMap;

/// The namespace of an entity that names none.
const DEFAULT: &str = "default";

/// What an entity is known by: kind, namespace and name in lower case.
pub type Key = (String, String, String);

/// One entity.
#[derive(Debug)]
pub struct Entity<'n> {
    /// What it is known by.
    pub key: Key,
    /// Its name as written.
    pub name: Spanned<String>,
    /// All that is said of it.
    pub node: &'n Node,
}

impl<'n> Entity<'n> {
    /// What stands at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&'n Node> {
        at(self.node, path)
    }

    /// The nodes of a list below `spec`; a single value is a list of one.
    pub fn listed(&self, key: &str) -> &'n [Node] {
        let Some(node) = self.at(&["spec", key]) else { return &[] };
        if node.text().is_some() { std::slice::from_ref(node) } else { node.items() }
    }

    /// What a reference of this entity means; without a kind it is of `kind`.
    pub fn refers(&self, text: &str, kind: Option<&str>) -> Option<Key> {
        reference(text, kind, &self.key.1)
    }
}

/// All entities, and where each is.
#[derive(Debug, Default)]
pub struct Catalog<'n> {
    /// In the order of the files.
    pub entities: Vec<Entity<'n>>,
    index: HashMap<Key, usize>,
}

impl<'n> Catalog<'n> {
    /// The entities of these files; what is no entity, or there twice, is said.
    pub fn new(files: &'n [ImportFile], findings: &mut Vec<Finding>) -> Self {
        let mut all = Self::default();
        for node in files.iter().flat_map(|f| &f.documents).filter(|node| is_entity(node)) {
            let Some(entity) = entity(node, findings) else { continue };
            if let Some(first) = all.find(&entity.key) {
                let message = format!("the {} `{}` is there twice", entity.key.0, entity.name.value);
                let finding = Finding::new(&DUPLICATE_DEFINITION, entity.name.span, message);
                let finding =
                    finding.label("again here, not read").also(first.name.span, "first defined here");
                findings.push(finding.help("names are unique for a kind and a namespace"));
                continue;
            }
            all.index.insert(entity.key.clone(), all.entities.len());
            all.entities.push(entity);
        }
        all
    }

    /// The entity of a key.
    pub fn find(&self, key: &Key) -> Option<&Entity<'n>> {
        self.entities.get(self.place(key)?)
    }

    /// Its place.
    pub fn place(&self, key: &Key) -> Option<usize> {
        self.index.get(key).copied()
    }

    /// The entities of one kind, with their places.
    pub fn of<'c>(&'c self, kind: &'c str) -> impl Iterator<Item = (usize, &'c Entity<'n>)> {
        self.entities.iter().enumerate().filter(move |(_, entity)| entity.key.0 == kind)
    }
}

/// Whether a document is an entity of the catalog, or a template that makes some.
pub fn is_entity(node: &Node) -> bool {
    let version = text_at(node, &["apiVersion"]);
    let ours = version.starts_with("backstage.io/") || version.starts_with("scaffolder.backstage.io/");
    ours && node.get("kind").and_then(Node::text).is_some()
}

fn entity<'n>(node: &'n Node, findings: &mut Vec<Finding>) -> Option<Entity<'n>> {
    let kind = text_at(node, &["kind"]).to_lowercase();
    let name = at(node, &["metadata", "name"]);
    let Some((written, span)) = name.and_then(|n| Some((n.text()?, n.span))) else {
        let at = name.or_else(|| node.get("kind")).map_or(node.span, |n| n.span);
        let finding =
            Finding::new(&INVALID_VALUE, at, format!("this {} has no name", text_at(node, &["kind"])));
        findings.push(finding.label("not read").help("give it a `metadata.name`"));
        return None;
    };
    if !is_name(written) {
        findings.push(no_name(written, span));
        return None;
    }
    let namespace = match text_at(node, &["metadata", "namespace"]) {
        "" => DEFAULT.to_owned(),
        namespace => namespace.to_lowercase(),
    };
    let key = (kind, namespace, written.to_lowercase());
    Some(Entity { key, name: Spanned::new(written.to_owned(), span), node })
}

/// What the catalog's own validator takes for a name: words of letters and digits with one of `-_.` between
/// them, 63 characters at most (catalog-model, `KubernetesValidatorFunctions.isValidObjectName`).
fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63 && text.chars().all(inner) && word(text.chars().next()) && word(text.chars().next_back())
}

fn no_name(text: &str, span: Span) -> Finding {
    let finding = Finding::new(&INVALID_VALUE, span, format!("`{}` is no name of an entity", shorten(text)));
    let finding = finding.label("not read").about(text);
    if text.contains("${{") || text.contains("{{") {
        return finding.help("this is a template of the scaffolder: read the files it makes");
    }
    finding
        .help("letters and digits, with `-`, `_` or `.` between them, 63 at most; `title` holds a longer one")
}

/// `[kind:][namespace/]name`, in lower case; `None` where a part is empty, or the kind neither said nor known.
fn reference(text: &str, kind: Option<&str>, namespace: &str) -> Option<Key> {
    let (said, rest) = text.split_once(':').map_or((None, text), |(kind, rest)| (Some(kind), rest));
    let (within, name) = rest.split_once('/').unwrap_or((namespace, rest));
    let parts = [said.or(kind)?, within, name].map(|part| part.trim().to_lowercase());
    let whole = parts.iter().all(|part| !part.is_empty() && !part.contains(char::is_whitespace));
    let [kind, namespace, name] = parts;
    whole.then_some((kind, namespace, name))
}

/// An owner as people say it: the name, with its namespace where it is not the default one.
pub fn called(key: &Key) -> String {
    if key.1 == DEFAULT { key.2.clone() } else { format!("{}/{}", key.1, key.2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_have_defaults() {
        for (text, kind, expected) in [
            ("petstore", Some("api"), Some("api/ours/petstore")),
            ("component:artist-lookup", Some("api"), Some("component/ours/artist-lookup")),
            ("default/team-a", Some("group"), Some("group/default/team-a")),
            ("User:Other/Jane", Some("group"), Some("user/other/jane")),
            ("artists-db", None, None),
            ("resource:", None, None),
            ("resource:a b", None, None),
        ] {
            let found =
                reference(text, kind, "ours").map(|(kind, space, name)| format!("{kind}/{space}/{name}"));
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn names_are_those_of_the_catalog() {
        for (text, expected) in [
            ("artists-db", true),
            ("a.b_C-1", true),
            ("a", true),
            ("", false),
            ("-a", false),
            ("a.", false),
            ("invalid component", false),
            ("${{ values.name | dump }}", false),
            (&"a".repeat(64), false),
        ] {
            assert_eq!(is_name(text), expected, "{text}");
        }
    }
}
