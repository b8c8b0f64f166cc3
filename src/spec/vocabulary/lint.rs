//! What the linter is told: levels, thresholds, layers and contracts.

use super::service::Texts;
use crate::source::Spanned;
use crate::spec::decode::{Ctx, Decode, Map, choice, record};
use crate::spec::schema::{Defs, one_of};
use crate::spec::tree::{Kind, Node};
use serde_json::{Value, json};

choice! {
    /// What a rule weighs.
    Level {
        /// Off.
        Allow = "allow",
        /// Worth knowing.
        Info = "info",
        /// Likely to hurt.
        #[default] Warning = "warning",
        /// Wrong.
        Error = "error",
    }
}

/// The settings of one rule: its level and its thresholds. A word alone is the level.
#[derive(Debug, Clone, Default)]
pub struct RuleSettings {
    /// What it weighs.
    pub level: Option<Spanned<Level>>,
    /// Its thresholds by name; the rule says which it knows.
    pub numbers: Vec<(Spanned<String>, Spanned<f64>)>,
}

impl Decode for RuleSettings {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        let mut settings = Self::default();
        match &node.kind {
            Kind::Mapping(entries) => {
                for entry in entries {
                    ctx.enter(&entry.key.value, |ctx| match entry.key.value.as_str() {
                        "level" => settings.level = ctx.spanned(&entry.value),
                        _ => {
                            settings.numbers.extend(
                                ctx.spanned(&entry.value)
                                    .map(|n| (entry.key.clone().map(|key| key.to_string()), n)),
                            );
                        }
                    });
                }
            }
            Kind::Scalar { .. } => settings.level = Some(ctx.spanned(node)?),
            _ => return ctx.expected(node, "a level, or a mapping with `level` and thresholds"),
        }
        Some(settings)
    }
    fn schema(defs: &mut Defs) -> Value {
        let (level, number) = (Level::schema(defs), f64::schema(defs));
        json!({ "anyOf": [level, { "type": "object", "properties": { "level": level }, "additionalProperties": number }] })
    }
}

record! {
    /// Who must not depend on whom.
    Relation {
        /// Names or globs; `owner:`, `layer:` and `tag:` before a name choose by these.
        from: Texts = required,
        /// The same.
        to: Texts = required,
        /// Paths of several edges count as well.
        transitive: bool,
    }
}

record! {
    /// The only ones who may.
    AllowOnly {
        /// Who may.
        from: Texts = required,
        /// What.
        to: Texts = required,
    }
}

record! {
    /// A rule of your own.
    Contract {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
        /// What it weighs.
        level: Level,
        /// These edges must not be.
        forbid: Relation,
        /// Only these may call.
        allow_only: AllowOnly,
        /// Nobody else may call these.
        protect: AllowOnly,
        /// None of these depends on another.
        independent: Texts,
    }
    validate: one_contract;
    schema: contract_schema;
}

const CONTRACTS: [&str; 4] = ["forbid", "allow_only", "protect", "independent"];

fn contract_schema(schema: Value) -> Value {
    one_of(schema, &CONTRACTS)
}

fn one_contract<'n>(contract: &Contract, node: &'n Node, ctx: &mut Ctx<'n>) {
    let _ = contract;
    if CONTRACTS.iter().filter(|kind| ctx.given(node, kind)).count() != 1 {
        let at = node.entries().first().map_or(node.span, |e| e.key.span);
        ctx.reject(at, format!("a contract says one thing: one of {}", CONTRACTS.join(", ")));
    }
}

record! {
    /// What the linter is told.
    LintSettings {
        /// Levels and thresholds by rule.
        rules: Map<RuleSettings>,
        /// Layers from the outside in: each may call those after it.
        layers: Vec<Spanned<String>>,
        /// Rules of your own.
        contracts: Vec<Spanned<Contract>>,
    }
}
