//! A tree as YAML text. Must not know what it means.

use super::tree::{Kind, Node};
use std::fmt::Write;

/// What is said beside a node: in lines above it, and behind it.
#[derive(Debug, Clone, Default)]
pub struct Remark {
    /// Lines above.
    pub above: Vec<String>,
    /// Behind the key.
    pub behind: Option<String>,
}

/// The part of a path that stands for the items of a list.
pub const ITEM: &str = "[]";

/// Who says what beside the entries of mappings and the items of lists: by the keys from the root, [`ITEM`] for
/// those of a list, and by the number of the last.
pub type Remarks<'r> = dyn Fn(&[&str], usize) -> Remark + 'r;

/// As wide as a mapping on one line may be.
const WIDTH: usize = 100;

/// The text of a mapping.
pub fn yaml(root: &Node, remarks: &Remarks<'_>) -> String {
    let mut writer = Writer { out: String::new(), remarks };
    writer.block(root, 0, &mut Vec::new());
    writer.out
}

struct Writer<'r> {
    out: String,
    remarks: &'r Remarks<'r>,
}

impl Writer<'_> {
    /// The lines of what stands at an indentation. Trees are no deeper than documents may be.
    fn block<'n>(&mut self, node: &'n Node, indent: usize, path: &mut Vec<&'n str>) {
        let spaces = " ".repeat(indent);
        for (at, entry) in node.entries().iter().enumerate() {
            let key = entry.key.value.as_str();
            path.push(key);
            let Remark { above, behind } = (self.remarks)(path, at);
            if indent == 0 && at > 0 {
                self.out.push('\n');
            }
            for line in above {
                let _ = writeln!(self.out, "{spaces}# {line}");
            }
            let behind = behind.map(|text| format!("  # {text}")).unwrap_or_default();
            let _ = write!(self.out, "{spaces}{}:", scalar(key));
            self.value(&entry.value, indent, &behind, path);
            path.pop();
        }
        path.push(ITEM);
        for (at, item) in node.items().iter().enumerate() {
            let Remark { above, .. } = (self.remarks)(path, at);
            for line in above {
                let _ = writeln!(self.out, "{spaces}# {line}");
            }
            match flow(item) {
                Some(text) => {
                    let _ = writeln!(self.out, "{spaces}- {text}");
                }
                None => {
                    let from = self.out.len();
                    self.block(item, indent + 2, path);
                    // The first line of the item stands behind its dash.
                    self.out.replace_range(from..from + indent + 2, &format!("{spaces}- "));
                }
            }
        }
        path.pop();
    }

    fn value<'n>(&mut self, node: &'n Node, indent: usize, behind: &str, path: &mut Vec<&'n str>) {
        let short = flow(node).filter(|text| indent + text.len() < WIDTH && indent > 0);
        let empty = node.entries().is_empty() && node.items().is_empty();
        match short.or_else(|| flow(node).filter(|_| empty)) {
            Some(text) => {
                let _ = writeln!(self.out, " {text}{behind}");
            }
            None => {
                let _ = writeln!(self.out, "{behind}");
                self.block(node, indent + 2, path);
            }
        }
    }
}

/// A node on one line: a scalar, or a mapping or list of plain ones.
fn flow(node: &Node) -> Option<String> {
    let word = |node: &Node| match &node.kind {
        Kind::Scalar { text, .. } => is_word(text).then(|| text.to_string()),
        _ => None,
    };
    match &node.kind {
        Kind::Null => Some("{}".to_owned()),
        Kind::Scalar { text, .. } => Some(scalar(text)),
        Kind::Mapping(entries) if entries.is_empty() => Some("{}".to_owned()),
        Kind::Mapping(entries) => {
            let pair = |e: &super::tree::Entry| {
                let key = Some(e.key.value.as_str()).filter(|key| is_word(key))?;
                Some(format!("{key}: {}", word(&e.value)?))
            };
            let all: Option<Vec<_>> = entries.iter().map(pair).collect();
            Some(format!("{{ {} }}", all?.join(", "))).filter(|text| text.len() < WIDTH)
        }
        Kind::Sequence(items) => {
            let all: Option<Vec<_>> = items.iter().map(word).collect();
            Some(format!("[{}]", all?.join(", "))).filter(|text| text.len() < WIDTH)
        }
    }
}

/// Whether a text needs no quotes anywhere.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./%-@ ".contains(c))
        && !text.ends_with(' ')
        && text != "null"
}

/// A text as a scalar: plain where it can be, else in quotes.
fn scalar(text: &str) -> String {
    let inside = |c: char| c.is_alphanumeric() || "_./%-@ :{}()=?&,+*<>|!~'".contains(c);
    let plain = text.starts_with(|c: char| c.is_alphanumeric() || c == '/')
        && text.chars().all(inside)
        && !text.contains(": ")
        && !text.ends_with([' ', ':'])
        && !matches!(text, "null" | "Null" | "NULL");
    if plain {
        return text.to_owned();
    }
    if text.chars().any(char::is_control) {
        return serde_json::Value::from(text).to_string();
    }
    format!("'{}'", text.replace('\'', "''"))
}
