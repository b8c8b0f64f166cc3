//! How single values are read: texts, numbers, truth values, quantities with units.

use super::decode::{Ctx, Decode, shorten};
use super::facts::Facts;
use super::schema::Defs;
use super::tree::Node;
use super::units::{Duration, Rate, Share, Size};
use crate::finding::{Edit, nearest, same_word};
use serde_json::{Value, json};

impl Decode for String {
    /// Any single value, as written: `1.10` stays `1.10`, `on` is a word.
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        node.text().map(str::to_owned).or_else(|| ctx.expected(node, "a text"))
    }
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": ["string", "number", "boolean"] })
    }
    fn tell(&self, facts: &mut Facts) {
        facts.say(self);
    }
}

impl Decode for bool {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        match node.plain() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => {
                let refused = ctx.expected(node, "`true` or `false`");
                if let Some(meant) = node.text().and_then(truth) {
                    ctx.fixed_by(Edit { span: node.span, text: meant.to_string() });
                }
                refused
            }
        }
    }
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": "boolean" })
    }
    fn tell(&self, facts: &mut Facts) {
        facts.say(self);
    }
}

/// What YAML 1.1 and quotes make of a truth value.
fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Whole numbers of at most this size are read: enough for any count, and exact in every JSON reader.
const LARGEST: u64 = 1_000_000_000_000_000;

fn whole<'n>(node: &'n Node, ctx: &mut Ctx<'n>, least: u64, most: u64) -> Option<u64> {
    let digits = node.plain().filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
    let number = digits.and_then(|t| t.parse::<u64>().ok()).filter(|n| (least..=most).contains(n));
    if node.plain().is_none()
        && let Some(text) = node.text()
        && let Ok(meant) = text.parse::<u64>()
    {
        let help = Some(format!("write {text} without quotes"));
        ctx.reject_with(node.span, format!("`\"{text}\"` is a text, not a number"), help);
        if (least..=most).contains(&meant) {
            ctx.fixed_by(Edit { span: node.span, text: meant.to_string() });
        }
        return None;
    }
    number.or_else(|| ctx.expected(node, &format!("a whole number from {least} to {most}")))
}

impl Decode for u64 {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        whole(node, ctx, 0, LARGEST)
    }
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": "integer", "minimum": 0, "maximum": LARGEST })
    }
    fn tell(&self, facts: &mut Facts) {
        facts.say(self);
    }
}

impl Decode for u32 {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        whole(node, ctx, 0, u64::from(Self::MAX)).and_then(|n| Self::try_from(n).ok())
    }
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": "integer", "minimum": 0, "maximum": Self::MAX })
    }
    fn tell(&self, facts: &mut Facts) {
        facts.say(self);
    }
}

/// A count of at least one and at most a million: replicas, workers, partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Positive(pub u32);

impl Positive {
    const MOST: u32 = 1_000_000;
}

impl Decode for Positive {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        whole(node, ctx, 1, u64::from(Self::MOST)).and_then(|n| u32::try_from(n).ok()).map(Self)
    }
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": "integer", "minimum": 1, "maximum": Self::MOST })
    }
    fn tell(&self, facts: &mut Facts) {
        facts.say(&self.0);
    }
}

impl Decode for f64 {
    /// A plain decimal number from 0 to 10¹².
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        let decimal = |t: &&str| {
            t.bytes().all(|b| b.is_ascii_digit() || b == b'.') && t.starts_with(|c: char| c.is_ascii_digit())
        };
        let number =
            node.plain().filter(decimal).filter(|t| !t.ends_with('.')).and_then(|t| t.parse::<Self>().ok());
        number.filter(|n| *n <= 1e12).or_else(|| ctx.expected(node, "a number from 0 to 1000000000000"))
    }
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": "number", "minimum": 0, "maximum": 1e12 })
    }
    fn tell(&self, facts: &mut Facts) {
        facts.say(self);
    }
}

macro_rules! quantity {
    ($ty:ty, $what:literal) => {
        impl Decode for $ty {
            fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
                let Some(text) = node.text() else { return ctx.expected(node, $what) };
                <$ty>::parse(text).map_err(|message| ctx.reject(node.span, message)).ok()
            }
            fn schema(_: &mut Defs) -> Value {
                json!({ "type": "string", "minLength": 1, "pattern": <$ty>::PATTERN })
            }
            fn tell(&self, facts: &mut Facts) {
                facts.say(self);
            }
        }
    };
}

quantity!(Duration, "a duration such as `250ms`");
quantity!(Rate, "a rate such as `200/s`");
quantity!(Share, "a share such as `0.1%`");
quantity!(Size, "a size such as `16KiB`");

/// A date, `2027-03-31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub crate::finding::Date);

impl Decode for Date {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        let date = node.text().and_then(crate::finding::Date::parse).map(Self);
        date.or_else(|| ctx.expected(node, "a date such as `2027-03-31`"))
    }
    fn schema(_: &mut Defs) -> Value {
        // The days of each month; that 2027 has no 29 February, a pattern cannot say.
        let long = "(01|03|05|07|08|10|12)-(0[1-9]|[12][0-9]|3[01])";
        let short = "(04|06|09|11)-(0[1-9]|[12][0-9]|30)";
        let pattern = format!("^[0-9]{{4}}-({long}|{short}|02-(0[1-9]|[12][0-9]))$");
        json!({ "type": "string", "format": "date", "pattern": pattern })
    }
    fn tell(&self, facts: &mut Facts) {
        facts.say(&self.0);
    }
}

/// The index of a word in a closed set, or a finding with the nearest one.
pub fn decode_word<'n>(node: &'n Node, ctx: &mut Ctx<'n>, words: &[&str]) -> Option<usize> {
    let Some(text) = node.text() else {
        return ctx.expected(node, &format!("one of {}", words.join(", ")));
    };
    if let Some(at) = words.iter().position(|w| *w == text) {
        return Some(at);
    }
    let key = ctx.path.last().copied().unwrap_or_default();
    let near = nearest(text, words.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let allowed = format!("allowed: {}", words.join(", "));
    let message = format!("`{}` is no value of `{key}`", shorten(text));
    ctx.reject_with(
        node.span,
        message,
        Some(near.map_or_else(|| allowed.clone(), |n| format!("{n} ({allowed})"))),
    );
    if let Some(same) = same_word(text, words.iter().copied()) {
        ctx.fixed_by(Edit::word(node.span, text, same));
    }
    None
}

/// A policy or a latency is often written as the one number it is not.
pub(super) fn not_a_mapping<R: super::decode::Record>(node: &Node, ctx: &mut Ctx<'_>) -> Option<R> {
    let key = ctx.path.last().copied().unwrap_or_default();
    let mut keys = Vec::new();
    R::keys(&mut keys);
    let number = node.text().filter(|text| text.starts_with(|c: char| c.is_ascii_digit())).map(shorten);
    let knows = |key: &str| keys.contains(&key);
    let help = match number {
        Some(mean) if knows("quantiles") => Some(format!("{{ distribution: constant, mean: {mean} }}")),
        None if knows("quantiles") => Some("{ p50: 10ms, p99: 50ms }".to_owned()),
        Some(number) if knows("num_retries") => Some(format!("{{ num_retries: {number} }}")),
        _ => None,
    };
    let help = help.map(|example| format!("write `{key}: {example}`"));
    let nothing = ctx.expected(node, "a mapping");
    if let Some(last) = ctx.findings.last_mut() {
        last.help.extend(help);
    }
    nothing
}
