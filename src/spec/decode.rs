//! From the spanned tree to typed values, collecting findings instead of stopping at the first.
//!
//! One trait, [`Decode`], says for each type how it is read and what its JSON Schema is, so that the two
//! cannot drift apart. `record!` and `choice!` write it for mappings and for closed sets of words.

pub use super::collections::{ID_PATTERN, Ids, Map, Switch, check_id};
use super::facts::Facts;
use super::rules::{INVALID_VALUE, UNKNOWN_FIELD};
use super::schema::Defs;
use super::tree::{Kind, Node};
use crate::finding::{Edit, Finding, nearest, same_word};
use crate::source::{Piece, Span, Spanned};
use serde_json::{Map as JsonMap, Value, json};
use std::collections::BTreeSet;

/// A value that may stand in a document.
pub trait Decode: Sized + Clone + Send + Sync {
    /// Reads it. `None` means that a finding has been raised.
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self>;

    /// What the JSON Schema says of it.
    fn schema(defs: &mut Defs) -> Value;

    /// Tells what it says, key by key. The steps of an endpoint tell nothing: the model has them as edges.
    fn tell(&self, facts: &mut Facts);

    /// Takes from `lower` what is not said here, key by key. Values that are not mappings stay.
    fn fill(&mut self, lower: &Self) {
        let _ = lower;
    }

    /// What stands under a name whose value cannot be read, so that what names it is not blamed as well.
    fn stand_in(node: &Node) -> Option<Self> {
        let _ = node;
        None
    }
}

/// Where findings go, and where in the document the reader is.
#[derive(Default)]
pub struct Ctx<'n> {
    /// What was found so far.
    pub findings: Vec<Finding>,
    pub(super) path: Vec<&'n str>,
    /// Mappings with a key that was misspelt, and the key it was read as.
    pub(super) meant: BTreeSet<(Span, &'static str)>,
}

impl<'n> Ctx<'n> {
    /// At the root of a document.
    pub const fn new() -> Self {
        Self { findings: Vec::new(), path: Vec::new(), meant: BTreeSet::new() }
    }

    /// Reads the value of `key` one level deeper.
    pub fn enter<T>(&mut self, key: &'n str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(key);
        let value = read(self);
        self.path.pop();
        value
    }

    /// Reads a child and keeps its bytes.
    pub fn spanned<T: Decode>(&mut self, node: &'n Node) -> Option<Spanned<T>> {
        T::decode(node, self).map(|value| Spanned::new(value, node.span))
    }

    /// The place in the document, for the identity of a finding: `services.web.timeout`.
    pub fn place(&self) -> String {
        self.path.join(".")
    }

    /// Whether a mapping has a key, perhaps misspelt.
    pub fn given(&self, node: &Node, key: &'static str) -> bool {
        node.get(key).is_some() || self.meant.contains(&(node.span, key))
    }

    /// Raises invalid-value.
    pub fn reject(&mut self, span: Span, message: impl Into<String>) {
        self.reject_with(span, message, None);
    }

    /// Raises invalid-value with a help line.
    pub fn reject_with(&mut self, span: Span, message: impl Into<String>, help: Option<String>) {
        let mut finding = Finding::new(&INVALID_VALUE, span, message).about(self.place());
        finding.help.extend(help);
        self.findings.push(finding);
    }

    /// Gives what was just raised its fix.
    pub fn fixed_by(&mut self, edit: Edit) {
        if let Some(last) = self.findings.last_mut() {
            last.fix = Some(edit);
        }
    }

    /// Raises invalid-value and gives nothing.
    pub fn invalid<T>(&mut self, span: Span, message: impl Into<String>) -> Option<T> {
        self.reject(span, message);
        None
    }

    /// Raises invalid-value with a help line and gives nothing.
    pub fn invalid_with<T>(
        &mut self,
        span: Span,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Option<T> {
        self.reject_with(span, message, help);
        None
    }

    /// Raises invalid-value for something of the wrong form.
    pub fn expected<T>(&mut self, node: &Node, what: &str) -> Option<T> {
        let key = self.path.last().copied().unwrap_or("the document");
        let found = match node.text() {
            Some(text) => format!("`{}`", shorten(text)),
            None => node.what().to_owned(),
        };
        self.invalid(node.span, format!("`{key}` wants {what}, found {found}"))
    }

    /// Raises unknown-field with the nearest known key, which it gives back.
    pub fn unknown_field(&mut self, key: &Spanned<Piece>, known: &[&'static str]) -> Option<&'static str> {
        let place = self.path.last().map_or_else(|| "the document".to_owned(), |k| format!("`{k}`"));
        let finding =
            Finding::new(&UNKNOWN_FIELD, key.span, format!("unknown key `{}` in {place}", shorten(key)));
        let near = nearest(key, known.iter().copied());
        let near = known.iter().find(|k| Some(**k) == near).copied();
        let finding = match near {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help("keys of your own start with `x-`"),
        };
        let finding = finding.note(format!("known keys: {}", known.join(", ")));
        self.findings.push(finding.about(format!("{}.{}", self.place(), key.value)));
        near
    }
}

/// A text cut to what an error message can hold.
pub fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= 60 && line.len() == text.len() {
        return line.to_owned();
    }
    line.chars().take(57).chain("…".chars()).collect()
}

/// A mapping with known keys; written by `record!`.
pub trait Record: Default {
    /// Reads the value of `key`; `false` where the record does not know the key.
    fn set<'n>(&mut self, key: &'n str, node: &'n Node, ctx: &mut Ctx<'n>) -> bool;
    /// The keys it knows, in order.
    fn keys(out: &mut Vec<&'static str>);
    /// The properties of its JSON Schema, and which are required.
    fn properties(defs: &mut Defs, out: &mut JsonMap<String, Value>, required: &mut Vec<Value>);
    /// Keys that must be there.
    fn required(out: &mut Vec<&'static str>);
    /// What no single key can tell.
    fn validate<'n>(&self, node: &'n Node, ctx: &mut Ctx<'n>) {
        let _ = (node, ctx);
    }
    /// Makes the best of what could not be read.
    fn mend(&mut self, node: &Node) {
        let _ = node;
    }
}

/// Reads a record: every key is looked at, whatever is wrong with the others.
pub fn decode_record<'n, R: Record>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<R> {
    let entries = match &node.kind {
        Kind::Mapping(entries) => entries.as_slice(),
        Kind::Null => &[],
        _ => return super::scalar::not_a_mapping(node, ctx),
    };
    let mut record = R::default();
    for entry in entries {
        let known = ctx.enter(&entry.key.value, |ctx| record.set(&entry.key.value, &entry.value, ctx));
        if !known && !entry.key.value.starts_with("x-") {
            let mut keys = Vec::new();
            R::keys(&mut keys);
            let meant = ctx.unknown_field(&entry.key, &keys);
            if let Some(meant) = meant.filter(|meant| !ctx.given(node, meant)) {
                if same_word(&entry.key, keys.iter().copied()) == Some(meant) {
                    ctx.fixed_by(Edit::word(entry.key.span, &entry.key, meant));
                }
                ctx.meant.insert((node.span, meant));
                read_as(&mut record, meant, &entry.value, ctx);
            }
        }
    }
    let mut required = Vec::new();
    R::required(&mut required);
    for key in required {
        if !ctx.given(node, key) {
            let at = entries.first().map_or(node.span, |e| e.key.span);
            ctx.reject(at, format!("`{key}` is missing here"));
        }
    }
    record.validate(node, ctx);
    record.mend(node);
    Some(record)
}

/// Reads a misspelt key as the one that was meant: a slip of the finger hides no mistake below it, and what
/// it defines can be named. A value of the wrong form shows that something else was meant.
fn read_as<'n, R: Record>(record: &mut R, meant: &'static str, node: &'n Node, ctx: &mut Ctx<'n>) {
    let before = ctx.findings.len();
    ctx.enter(meant, |ctx| record.set(meant, node, ctx));
    if ctx.findings.iter().skip(before).any(|f| f.primary.span == node.span) {
        ctx.findings.truncate(before);
    }
}

/// The JSON Schema of a record.
pub fn record_schema<R: Record>(defs: &mut Defs, about: &str) -> Value {
    let (mut properties, mut required) = (JsonMap::new(), Vec::new());
    R::properties(defs, &mut properties, &mut required);
    let kind = if required.is_empty() { json!(["object", "null"]) } else { json!("object") };
    let mut schema = json!({ "description": about, "type": kind, "properties": properties,
        "patternProperties": { "^x-": {} }, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = Value::Array(required);
    }
    schema
}

/// Declares mappings: each key with its type and its sentence. Every field becomes
/// `Option<Spanned<type>>`. `key["name"]` where the key is no Rust name, `= required` where it must be
/// there, `..field: Type` to take in the keys of another record, `validate: f` for what no single key tells
/// and `schema: f` for the same in the schema, `mend: f` for what becomes of parts that cannot be read.
macro_rules! record {
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident $([$key:literal])? : $ty:ty $(= $required:ident)? , )*
            $( .. $flat:ident : $flat_ty:ty , )?
        }
        $( validate: $validate:path ; )?
        $( mend: $mend:path ; )?
        $( schema: $schema:path ; )?
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Default)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: Option<$crate::source::Spanned<$ty>>, )*
            $( #[doc = "Its further keys."] pub $flat: $flat_ty, )?
        }

        impl $crate::spec::decode::Record for $name {
            fn set<'n>(&mut self, key: &'n str, node: &'n $crate::spec::tree::Node,
                ctx: &mut $crate::spec::decode::Ctx<'n>) -> bool {
                $( if key == $crate::spec::decode::key!($field $([$key])?) {
                    self.$field = ctx.spanned(node);
                    return true;
                } )*
                $( if self.$flat.set(key, node, ctx) { return true; } )?
                let _ = (key, node, ctx);
                false
            }
            fn keys(out: &mut Vec<&'static str>) {
                $( out.push($crate::spec::decode::key!($field $([$key])?)); )*
                $( <$flat_ty as $crate::spec::decode::Record>::keys(out); )?
                let _ = out;
            }
            fn properties(defs: &mut $crate::spec::schema::Defs,
                out: &mut serde_json::Map<String, serde_json::Value>, required: &mut Vec<serde_json::Value>) {
                $(
                    let schema = <$ty as $crate::spec::decode::Decode>::schema(defs);
                    let about = concat!($($doc),+).trim();
                    out.insert($crate::spec::decode::key!($field $([$key])?).to_owned(),
                        $crate::spec::schema::described(schema, about));
                    if $crate::spec::decode::is_required!($($required)?) {
                        required.push($crate::spec::decode::key!($field $([$key])?).into());
                    }
                )*
                $( <$flat_ty as $crate::spec::decode::Record>::properties(defs, out, required); )?
                let _ = (defs, out, required);
            }
            fn required(out: &mut Vec<&'static str>) {
                $( if $crate::spec::decode::is_required!($($required)?) {
                    out.push($crate::spec::decode::key!($field $([$key])?));
                } )*
                let _ = out;
            }
            $( fn validate<'n>(&self, node: &'n $crate::spec::tree::Node, ctx: &mut $crate::spec::decode::Ctx<'n>) {
                $validate(self, node, ctx);
            } )?
            $( fn mend(&mut self, node: &$crate::spec::tree::Node) {
                $mend(self, node);
            } )?
        }

        impl $crate::spec::decode::Decode for $name {
            fn decode<'n>(node: &'n $crate::spec::tree::Node, ctx: &mut $crate::spec::decode::Ctx<'n>) -> Option<Self> {
                $crate::spec::decode::decode_record(node, ctx)
            }
            fn schema(defs: &mut $crate::spec::schema::Defs) -> serde_json::Value {
                defs.define(stringify!($name), |defs| {
                    let schema = $crate::spec::decode::record_schema::<Self>(defs, concat!($($about),+).trim());
                    $( let schema = $schema(schema); )?
                    schema
                })
            }
            fn tell(&self, facts: &mut $crate::spec::facts::Facts) {
                $( if let Some(value) = &self.$field {
                    facts.at($crate::spec::decode::key!($field $([$key])?), value.span, |facts| {
                        $crate::spec::decode::Decode::tell(&value.value, facts);
                    });
                } )*
                $( $crate::spec::decode::Decode::tell(&self.$flat, facts); )?
                let _ = facts;
            }
            fn fill(&mut self, lower: &Self) {
                $( $crate::spec::decode::fill(&mut self.$field, lower.$field.as_ref()); )*
                $( self.$flat.fill(&lower.$flat); )?
                let _ = lower;
            }
            fn stand_in(node: &$crate::spec::tree::Node) -> Option<Self> {
                let mut record = Self::default();
                $crate::spec::decode::Record::mend(&mut record, node);
                Some(record)
            }
        }
    };
}

/// Declares a closed set of words.
macro_rules! choice {
    (
        $(#[doc = $about:literal])+
        $name:ident { $( $(#[doc = $doc:literal])+ $(#[$meta:ident])? $variant:ident = $word:literal , )+ }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub enum $name { $( $(#[doc = $doc])+ $(#[$meta])? $variant, )+ }

        impl $name {
            /// All, in the order of the documentation.
            pub const ALL: &'static [Self] = &[ $( Self::$variant ),+ ];

            /// The word as it stands in a document.
            pub const fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl $crate::spec::decode::Decode for $name {
            fn decode<'n>(node: &'n $crate::spec::tree::Node, ctx: &mut $crate::spec::decode::Ctx<'n>) -> Option<Self> {
                let words = [ $( $word ),+ ];
                let at = $crate::spec::scalar::decode_word(node, ctx, &words)?;
                Self::ALL.get(at).copied()
            }
            fn schema(_: &mut $crate::spec::schema::Defs) -> serde_json::Value {
                serde_json::json!({ "enum": [ $( $word ),+ ] })
            }
            fn tell(&self, facts: &mut $crate::spec::facts::Facts) {
                facts.say(&self.word());
            }
        }
    };
}

/// The key of a field: its Rust name unless another is given.
macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident [$key:literal]) => {
        $key
    };
}

/// Whether a field was marked `= required`.
macro_rules! is_required {
    () => {
        false
    };
    (required) => {
        true
    };
}

pub(crate) use {choice, is_required, key, record};

/// Takes a field from the layer below, or merges it with what stands there.
pub fn fill<T: Decode>(field: &mut Option<Spanned<T>>, lower: Option<&Spanned<T>>) {
    match (field, lower) {
        (Some(field), Some(lower)) => field.value.fill(&lower.value),
        (field @ None, Some(lower)) => *field = Some(lower.clone()),
        (_, None) => {}
    }
}
