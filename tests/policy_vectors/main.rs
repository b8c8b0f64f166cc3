//! The policies against what the real products do.
//!
//! `tests/data/policy-vectors.json` holds figures from their own tests and documentation, each with its
//! source. Every vector of the file is run, and nothing is run that is not in the file.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test, or what is built beside one: it panics, prints and counts freely"
)] // a test says what it found, and stops where it cannot go on

mod balancing;
mod breaking;
mod discovering;
mod hashing;
mod limiting;
mod messaging;
mod more;
mod outliers;
mod retrying;

use loadpath::kernel::Stream;
use serde_json::Value;

/// Runs one vector; panics where the policy does something else.
type Check = fn(&Value);

const FAMILIES: &[&[(&str, Check)]] = &[
    balancing::CHECKS,
    hashing::CHECKS,
    breaking::CHECKS,
    outliers::CHECKS,
    retrying::CHECKS,
    limiting::CHECKS,
    discovering::CHECKS,
    messaging::CHECKS,
];

#[test]
fn every_vector_holds() {
    let file: Value = serde_json::from_str(include_str!("../data/policy-vectors.json")).expect("JSON");
    let vectors = file["vectors"].as_array().expect("a list of vectors");
    let checks = || FAMILIES.iter().copied().flatten();
    let ids: Vec<&str> = vectors.iter().filter_map(|vector| vector["id"].as_str()).collect();
    let run: Vec<&str> = checks().map(|(id, _)| *id).collect();
    assert_eq!(sorted(&ids), sorted(&run), "the vectors of the file are those that are run");
    for vector in vectors {
        let (id, check) = checks().find(|(id, _)| vector["id"] == *id).expect("compared above");
        println!("{id}: {}", vector["source"]["repo"]);
        check(vector);
    }
}

fn sorted<'a>(ids: &[&'a str]) -> Vec<&'a str> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().expect("a list").iter().map(|n| n.as_u64().expect("a whole number")).collect()
}

fn small(value: &Value) -> Vec<u32> {
    numbers(value).into_iter().map(|n| u32::try_from(n).expect("a small number")).collect()
}

fn draws() -> Stream {
    Stream::new(1, 0, "test", "vectors")
}
