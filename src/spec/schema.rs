//! The JSON Schema of the document, made of the types that read it.

use super::decode::Decode;
use super::vocabulary::Document;
use serde_json::{Map, Value, json};

/// The named parts of a schema.
#[derive(Debug, Default)]
pub struct Defs(Map<String, Value>);

impl Defs {
    /// Defines a part once and gives a reference to it; the placeholder makes recursion possible.
    pub fn define(&mut self, name: &str, schema: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), Value::Null);
            let schema = schema(self);
            self.0.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }
}

/// A schema with the sentence of the key it stands under.
pub fn described(schema: Value, about: &str) -> Value {
    match schema {
        Value::Object(object) => {
            let mut described = Map::from_iter([("description".to_owned(), about.into())]);
            described.extend(object);
            Value::Object(described)
        }
        other => other,
    }
}

/// Says further keywords of a schema.
#[must_use]
pub fn with(mut schema: Value, keywords: Value) -> Value {
    if let (Value::Object(schema), Value::Object(keywords)) = (&mut schema, keywords) {
        schema.extend(keywords);
    }
    schema
}

/// Exactly one of these keys is there.
#[must_use]
pub fn one_of(schema: Value, keys: &[&str]) -> Value {
    let one: Vec<_> = keys.iter().map(|key| json!({ "required": [key] })).collect();
    with(schema, json!({ "type": "object", "oneOf": one }))
}

/// At most one of two keys is there.
#[must_use]
pub fn not_both(schema: Value, keys: [&str; 2]) -> Value {
    with(schema, json!({ "not": { "required": keys } }))
}

/// The JSON Schema (draft 2020-12) of a loadpath document.
pub fn document_schema() -> Value {
    let mut defs = Defs::default();
    let root = Document::schema(&mut defs);
    let mut parts = std::mem::take(&mut defs.0);
    parts.sort_keys();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "loadpath",
        "$ref": root["$ref"],
        "$defs": parts,
    })
}
