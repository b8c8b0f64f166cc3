//! Guards of the rules of `availability`.

use crate::support::{BOUNDED, calls, check};

#[test]
fn guards_of_stopped_dependency() {
    let stopped = |edges: &[&str], id: &str| {
        calls(BOUNDED, edges).replacen(&format!("  {id}:\n"), &format!("  {id}:\n    status: stopped\n"), 1)
    };
    let (warning, error) = (["warning stopped-dependency"], ["error stopped-dependency"]);
    check(&stopped(&["a > b"], "b"), &error);
    check(&stopped(&["a > b"], "a"), &[]);
    check(&stopped(&["a > b: optional: true"], "b"), &warning);
    check(&stopped(&["a > b: optional: false"], "b"), &error);
    check(&stopped(&["a > b: fallback: static"], "b"), &warning);
    check(&stopped(&["a > b: fallback: none"], "b"), &error);
    // One finding for one service; one hard call is enough.
    check(&stopped(&["a > b: optional: true", "c > b: fallback: cached"], "b"), &warning);
    check(&stopped(&["a > b: optional: true", "c > b"], "b"), &error);
    check(&stopped(&["a > b: protocol: message_queue"], "b"), &[]);
    check("services: { a: { dependencies: [b] }, b: { status: stopped } }", &error);
    check("services: { a: { dependencies: [b] }, b: { status: unhealthy } }", &[]);
}
