//! The rules of reference: names that nothing defines.

use crate::finding::RuleInfo;

macro_rules! rule {
    ($name:ident, $id:literal, $summary:literal) => {
        #[doc = $summary]
        pub static $name: RuleInfo = RuleInfo::error($id, $summary, include_str!(concat!($id, ".md")));
    };
}

rule!(UNDEFINED_SERVICE, "undefined-service", "a service that nothing defines");
rule!(UNDEFINED_ENDPOINT, "undefined-endpoint", "an endpoint that its service does not have");
rule!(UNDEFINED_DATASTORE, "undefined-datastore", "a datastore that nothing defines");
rule!(UNDEFINED_QUEUE, "undefined-queue", "a queue or topic that nothing defines");

/// The rules of reference.
pub static RULES: &[&RuleInfo] =
    &[&UNDEFINED_SERVICE, &UNDEFINED_ENDPOINT, &UNDEFINED_DATASTORE, &UNDEFINED_QUEUE];
