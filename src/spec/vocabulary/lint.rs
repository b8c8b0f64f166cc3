//! What the linter is told: levels, thresholds, layers and contracts.

use super::service::Texts;
use crate::source::Spanned;
use crate::spec::decode::{Ctx, Decode, Map, choice, decode_record, record};
use crate::spec::facts::Facts;
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
            Kind::Scalar { .. } => settings.level = ctx.spanned(node),
            _ => return ctx.expected(node, "a level, or a mapping with `level` and thresholds"),
        }
        Some(settings)
    }
    fn schema(defs: &mut Defs) -> Value {
        let (level, number) = (Level::schema(defs), f64::schema(defs));
        json!({ "anyOf": [level, { "type": "object", "properties": { "level": level }, "additionalProperties": number }] })
    }
    fn tell(&self, facts: &mut Facts) {
        if let Some(level) = &self.level {
            facts.say(&level.word());
        }
        for (name, number) in &self.numbers {
            facts.under(name, |facts| facts.say(&number.value));
        }
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
    /// All that some may depend on.
    AllowOnly {
        /// Who is bound; names or patterns as under `forbid`.
        from: Texts = required,
        /// All they may depend on, beside each other and their own datastores.
        to: Texts = required,
    }
}

record! {
    /// The only ones who may.
    Protect {
        /// Who may; names or patterns as under `forbid`.
        from: Texts = required,
        /// What nobody else may depend on.
        to: Texts = required,
    }
}

record! {
    /// Parts that do not depend on each other.
    Parts {
        /// One pattern: each that it matches is a part. Several: what one of them matches is a part.
        services: Texts = required,
        /// Paths of several edges count as well.
        transitive: bool,
    }
}

/// Parts that do not depend on each other: patterns, or a mapping with `services` and `transitive`.
#[derive(Debug, Clone, Default)]
pub struct Independent {
    /// The patterns.
    pub services: Texts,
    /// Paths of several edges count as well.
    pub transitive: bool,
}

impl Decode for Independent {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        if !matches!(node.kind, Kind::Mapping(_)) {
            return Texts::decode(node, ctx).map(|services| Self { services, transitive: false });
        }
        let parts: Parts = decode_record(node, ctx)?;
        let services = parts.services?.value;
        Some(Self { services, transitive: parts.transitive.is_some_and(|t| t.value) })
    }
    fn schema(defs: &mut Defs) -> Value {
        json!({ "anyOf": [Texts::schema(defs), Parts::schema(defs)] })
    }
    fn tell(&self, facts: &mut Facts) {
        self.services.tell(facts);
        if self.transitive {
            facts.under("transitive", |facts| facts.say(&true));
        }
    }
}

record! {
    /// A rule of your own.
    Contract {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
        /// What it weighs, whatever its rule weighs.
        level: Level,
        /// These dependencies must not be.
        forbid: Relation,
        /// These depend on nothing else.
        allow_only: AllowOnly,
        /// Nobody else depends on these.
        protect: Protect,
        /// None of these depends on another.
        independent: Independent,
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
