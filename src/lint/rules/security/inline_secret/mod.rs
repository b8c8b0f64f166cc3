//! inline-secret: a password, key or token in the file itself.
//!
//! What it finds is never repeated: not in words, not in an identity, and the snippet shows `*` in its place.

mod shape;

use crate::finding::{Finding, RuleInfo};
use crate::lint::{Context, Rule};
use crate::model::Node;
use crate::source::{Span, Spanned};
use std::collections::BTreeSet;

/// a password, key or token in the file itself.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error(
        "inline-secret",
        "a password, key or token in the file itself",
        include_str!("inline-secret.md"),
    )
    .reads(&[
        "services.environment",
        "services.metadata",
        "datastores.environment",
        "datastores.metadata",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    // What several services take from one place (an anchor) is one secret.
    let mut seen = BTreeSet::new();
    for (_, node) in ctx.arch.nodes() {
        for (section, texts) in [("environment", node.environment()), ("metadata", node.metadata())] {
            for (name, value) in texts {
                if let Some(what) = shape::secret(&name.value, &value.value)
                    && seen.insert(value.span)
                {
                    out.push(finding(node, section, name, value.span, what));
                }
            }
        }
    }
}

fn finding(node: &Node, section: &str, name: &Spanned<String>, at: Span, what: &str) -> Finding {
    let id = &node.id.value;
    Finding::new(RULE.info, at, format!("`{}` of `{id}` holds {what}", name.value))
        .label("who can read this file has it")
        .secret(at)
        .help(format!(
            "take it from outside (`${{{}}}`, a secret store), and change it: it is known now",
            variable(name)
        ))
        .about(format!("{id} {section}.{}", name.value))
}

/// `apiKey` → `APIKEY`, `db.password` → `DB_PASSWORD`: a name a shell takes.
fn variable(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}
