//! Graphs that nobody draws by hand, each the worst of its kind for some way of walking a graph.

use std::fmt::Write as _;

/// A shape: its name, its usual size, and its document of a given size.
pub type Shape = (&'static str, usize, fn(usize) -> String);

/// All of them.
pub const SHAPES: &[Shape] = &[
    ("chain", 100_000, chain),
    ("ring", 10_000, ring),
    ("complete", 1_000, complete),
    ("star inward", 14_084, star_in),
    ("star outward", 14_084, star_out),
    ("parallel calls", 14_084, parallel),
    ("listed star", 14_084, listed),
    ("bare dependencies", 14_084, bare),
    ("one interface", 11_000, interface),
    ("ladder", 20_000, ladder),
    ("unknown names", 20_000, unknown),
];

/// One service: its name, and the calls of its only endpoint.
fn service(text: &mut String, name: usize, calls: impl Iterator<Item = usize>) {
    let _ = writeln!(
        text,
        "  s{name}:\n    owner: team-{}\n    endpoints:\n      Get:\n        calls:",
        name % 50
    );
    for to in calls {
        let _ = writeln!(text, "          - {{ call: s{to} Get }}");
    }
}

fn document<I: Iterator<Item = usize>>(services: usize, calls: impl Fn(usize) -> I) -> String {
    let mut text = "services:\n".to_owned();
    for i in 0..services {
        service(&mut text, i, calls(i));
    }
    text
}

/// Each calls the next.
pub fn chain(n: usize) -> String {
    document(n, |i| i + 1..(i + 2).min(n))
}

/// Each calls the next, the last the first.
pub fn ring(n: usize) -> String {
    document(n, |i| (i + 1) % n..(i + 1) % n + 1)
}

/// Each calls all others.
pub fn complete(n: usize) -> String {
    document(n, |i| (0..i).chain(i + 1..n))
}

/// All call one.
pub fn star_in(n: usize) -> String {
    document(n, |i| if i == 0 { 0..0 } else { 0..1 })
}

/// One calls all.
pub fn star_out(n: usize) -> String {
    document(n, |i| if i == 0 { 1..n } else { 0..0 })
}

/// Two services, one call again and again.
pub fn parallel(n: usize) -> String {
    let mut text = "services:\n".to_owned();
    service(&mut text, 0, (0..n).map(|_| 1));
    service(&mut text, 1, 0..0);
    text
}

/// One calls all, as communications listed on their own.
pub fn listed(n: usize) -> String {
    let mut text = document(n, |_| 0..0) + "communications:\n";
    for i in 1..n {
        let _ = writeln!(text, "  - {{ from: s0, to: s{i} }}\n  - {{ from: s{i}, to: s0 }}");
    }
    text
}

/// All depend on all of the few before them, without a word on how.
pub fn bare(n: usize) -> String {
    let mut text = "services:\n".to_owned();
    for i in 0..n {
        let all: Vec<_> = (i.saturating_sub(5)..i).map(|to| format!("s{to}")).collect();
        let _ = writeln!(text, "  s{i}: {{ dependencies: [{}] }}", all.join(", "));
    }
    text
}

/// One interface with an endpoint for every caller, who names it by an example.
pub fn interface(n: usize) -> String {
    let mut text = "services:\n  hub:\n    endpoints:\n".to_owned();
    for i in 0..n {
        let _ = writeln!(text, "      GET /things-{i}/{{id}}: {{}}");
    }
    for i in 0..n {
        let _ =
            writeln!(text, "  s{i}:\n    endpoints: {{ Get: {{ calls: [call: hub GET /things-{i}/42] }} }}");
    }
    text
}

/// Two ways at each of its rungs: paths without number.
pub fn ladder(n: usize) -> String {
    document(n, |i| if i + 2 < n { (i | 1) + 1..((i | 1) + 3).min(n) } else { 0..0 })
}

/// Every call names what nobody defines.
pub fn unknown(n: usize) -> String {
    document(n, |i| n + 7 * i..n + 7 * i + 1)
}
