//! What a rule says it reads is there to be written: each of its fields stands in the published schema.

use loadpath::lint::rules::all;
use serde_json::Value;

fn published() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/loadpath.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Everything a schema may stand for: what it refers to, its alternatives, what its lists hold and what
/// names of the user's lead to.
fn forms<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    let mut found: Vec<&Value> = Vec::new();
    let mut open = vec![schema];
    while let Some(schema) = open.pop() {
        if found.iter().any(|known| std::ptr::eq(*known, schema)) {
            continue;
        }
        found.push(schema);
        if let Some(pointer) = schema["$ref"].as_str().and_then(|r| r.strip_prefix('#')) {
            open.extend(root.pointer(pointer));
        }
        let alternatives = ["anyOf", "oneOf", "allOf"].iter().filter_map(|k| schema[*k].as_array());
        open.extend(alternatives.flatten());
        open.extend(["items", "additionalProperties"].iter().map(|k| &schema[*k]).filter(|s| s.is_object()));
    }
    found
}

/// Whether a document may have this field: `services.endpoints.calls.timeout`.
fn knows(root: &Value, field: &str) -> bool {
    let mut at = vec![root];
    for key in field.split('.') {
        let properties = at.iter().flat_map(|s| forms(root, s)).map(|s| &s["properties"][key]);
        at = properties.filter(|s| !s.is_null()).collect();
    }
    !at.is_empty()
}

#[test]
fn every_field_that_a_rule_reads_is_in_the_schema() {
    let schema = published();
    for rule in all() {
        for field in rule.info.reads {
            assert!(knows(&schema, field), "{}: no document has a `{field}`", rule.info.id);
        }
        assert!(!rule.info.reads.is_empty(), "{}: what does it read?", rule.info.id);
        let mut fields = rule.info.reads.to_vec();
        fields.sort_unstable();
        fields.dedup();
        assert_eq!(fields.len(), rule.info.reads.len(), "{}: a field twice", rule.info.id);
    }
}

#[test]
fn fields_are_looked_up_by_the_schema_alone() {
    let schema = published();
    for (field, known) in [
        ("name", true),
        ("services.owner", true),
        ("services.endpoints.calls.retry.backoff.base", true),
        ("services.endpoints.calls.parallel.call", true),
        ("services.instances.host", true),
        ("mesh.mtls", true),
        ("services.timeout", false),
        ("services.*.owner", false),
        ("owner", false),
        ("services.web.owner", false),
        ("", false),
    ] {
        assert_eq!(knows(&schema, field), known, "{field}");
    }
}
