//! The formats of findings: each is what its readers take it for, whatever the texts in it say.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics as a test does")]

mod hostile;
mod program;

use jsonschema::Validator;
use serde_json::Value;

/// The JSON Schema that SARIF is published with. One of its patterns, for a property we do not write, has a
/// stray bracket and is no regular expression of JSON Schema.
fn sarif() -> Validator {
    let mut schema: Value = serde_json::from_str(include_str!("../data/sarif-schema-2.1.0.json")).unwrap();
    for part in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{part}/properties/language")).unwrap();
        let pattern = language.as_object_mut().unwrap().remove("pattern");
        assert_eq!(pattern.unwrap(), "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$");
    }
    jsonschema::draft7::options().should_validate_formats(true).build(&schema).unwrap()
}

/// Our own of `check -f json`.
fn json() -> Validator {
    let schema: Value = serde_json::from_str(include_str!("../../schemas/check.schema.json")).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
}

/// What is wrong with a text by a schema.
fn complaints(schema: &Validator, text: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(text).unwrap();
    schema.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect()
}
