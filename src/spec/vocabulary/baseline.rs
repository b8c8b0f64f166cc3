//! The file of findings that are forgiven, which `check --baseline` reads and writes.

use crate::source::Spanned;
use crate::spec::decode::{Ctx, record};
use crate::spec::scalar::Positive;
use crate::spec::tree::Node;

record! {
    /// Findings of one rule about the same things.
    BaselineEntry {
        /// The rule.
        rule: String = required,
        /// What they are about, for people.
        about: String,
        /// Their identity: 16 hexadecimal digits.
        fingerprint: String = required,
        /// How many there are.
        count: Positive,
    }
    validate: identity;
}

record! {
    /// A baseline.
    Baseline {
        /// Of this form: 1.
        version: u32 = required,
        /// What was checked: paths seen from this file, overlays and settings.
        of: Vec<Spanned<String>>,
        /// What is forgiven.
        findings: Vec<Spanned<BaselineEntry>>,
    }
}

fn identity<'n>(entry: &BaselineEntry, _: &'n Node, ctx: &mut Ctx<'n>) {
    let Some(fingerprint) = &entry.fingerprint else { return };
    let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if fingerprint.len() != 16 || !fingerprint.bytes().all(digit) {
        ctx.reject(fingerprint.span, "a fingerprint has 16 digits from 0 to f");
    }
}
