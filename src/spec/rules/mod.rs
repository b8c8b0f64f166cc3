//! The rules of reading itself: what makes a file, a key or a value unacceptable.

use crate::finding::RuleInfo;

macro_rules! rule {
    ($name:ident, $id:literal, $summary:literal) => {
        #[doc = $summary]
        pub static $name: RuleInfo = RuleInfo::error($id, $summary, include_str!(concat!($id, ".md")));
    };
}

rule!(UNREADABLE_FILE, "unreadable-file", "a file that cannot be read");
rule!(NOT_UTF8, "not-utf8", "a text that is not UTF-8");
rule!(INVALID_YAML, "invalid-yaml", "a text that is not YAML");
rule!(INCLUDE_CYCLE, "include-cycle", "files that include each other");
rule!(LIMIT_EXCEEDED, "limit-exceeded", "a file beyond what is read: size, depth, values");
rule!(UNKNOWN_FIELD, "unknown-field", "a key the schema does not know");
rule!(INVALID_VALUE, "invalid-value", "a value the schema does not allow");
rule!(DUPLICATE_DEFINITION, "duplicate-definition", "the same id or key twice");

/// The rules of reading.
pub static RULES: &[&RuleInfo] = &[
    &UNREADABLE_FILE,
    &NOT_UTF8,
    &INVALID_YAML,
    &INCLUDE_CYCLE,
    &LIMIT_EXCEEDED,
    &UNKNOWN_FIELD,
    &INVALID_VALUE,
    &DUPLICATE_DEFINITION,
];
