//! Istio's traffic rules as our policies: `DestinationRule` and `VirtualService`, key by key. What has no
//! counterpart is noted as left out.

use super::left_out::LeftOut;
use super::names::Names;
use super::objects::Object;
use crate::import::Note;
use crate::import::tree::{at, entry, mapping, section, text, text_at, word};
use crate::source::Span;
use crate::spec::tree::{Entry, Kind, Node};
use std::collections::BTreeMap;

/// The group of Istio's traffic rules.
pub const GROUP: &str = "networking.istio.io";

/// What callers of one service do: the entries of its policy.
#[derive(Debug, Default)]
struct Upstream {
    entries: Vec<Entry>,
}

impl Upstream {
    /// Adds a key; the first that says it counts.
    fn add(&mut self, key: &str, value: Option<Node>) {
        let Some(value) = value else { return };
        if !self.entries.iter().any(|e| e.key.value == key) {
            self.entries.push(entry(key, value.span, value));
        }
    }
}

/// The section `upstreams`, and what is not carried over.
pub fn upstreams(
    objects: &[Object<'_>],
    names: &Names<'_>,
    left_out: &mut LeftOut,
    notes: &mut Vec<Note>,
) -> Option<Node> {
    let mut found: BTreeMap<usize, Upstream> = BTreeMap::new();
    for object in objects.iter().filter(|o| o.group == GROUP) {
        match object.kind {
            "DestinationRule" => destination_rule(object, names, &mut found, left_out, notes),
            "VirtualService" => virtual_service(object, names, &mut found, left_out, notes),
            _ => {}
        }
    }
    let mut root = Span::default();
    let mut entries = Vec::new();
    for (unit, mut upstream) in found {
        let (Some(unit), Some(first)) = (names.units.get(unit), upstream.entries.first()) else { continue };
        let span = first.value.span;
        root = span;
        upstream.entries.insert(0, entry("preset", span, word("istio", span)));
        entries.extend(section(span, upstream.entries).map(|node| entry(&unit.id.value, span, node)));
    }
    section(root, entries)
}

fn unknown(object: &Object<'_>, host: &Node, notes: &mut Vec<Note>) {
    let name = host.text().unwrap_or_default();
    let text = format!(
        "{} `{}` routes to `{name}`, which these files do not define",
        object.kind, object.name.value
    );
    notes.push(Note { text, span: Some(host.span) });
}

fn destination_rule(
    object: &Object<'_>,
    names: &Names<'_>,
    found: &mut BTreeMap<usize, Upstream>,
    left_out: &mut LeftOut,
    notes: &mut Vec<Note>,
) {
    let Some(host) = object.at(&["spec", "host"]) else { return };
    let Some(unit) = names.resolve(host.text().unwrap_or_default(), object.namespace) else {
        return unknown(object, host, notes);
    };
    let subsets = object.at(&["spec", "subsets"]).map_or(&[][..], Node::items);
    for policy in subsets.iter().filter_map(|s| s.get("trafficPolicy")) {
        left_out.add(object, "subsets.trafficPolicy", policy);
    }
    if let Some(spec) = object.at(&["spec"]) {
        left_out.rest(object, "", spec, &["host", "subsets", "trafficPolicy"]);
    }
    let Some(policy) = object.at(&["spec", "trafficPolicy"]) else { return };
    let upstream = found.entry(unit).or_default();
    for part in policy.entries() {
        let node = &part.value;
        match part.key.value.as_str() {
            "loadBalancer" => upstream.add("load_balancing", balancing(object, node, left_out)),
            "connectionPool" => upstream.add("limits", limits(object, node, left_out)),
            "outlierDetection" => upstream.add("outlier_detection", outliers(object, node, left_out)),
            "tls" => {
                left_out.rest(object, "tls.", node, &["mode"]);
                let mode = text_at(node, &["mode"]);
                let encrypted = !mode.is_empty() && mode != "DISABLE";
                upstream.add("tls", encrypted.then(|| word("true", node.span)));
            }
            other => left_out.add(object, other, node),
        }
    }
}

/// What tells whom a hash is of, and how the ring is made.
const HASH_KEYS: [&str; 7] = [
    "httpHeaderName",
    "httpQueryParameterName",
    "httpCookie",
    "useSourceIp",
    "maglev",
    "ringHash",
    "minimumRingSize",
];

fn balancing(object: &Object<'_>, node: &Node, left_out: &mut LeftOut) -> Option<Node> {
    left_out.rest(
        object,
        "loadBalancer.",
        node,
        &["simple", "consistentHash", "warmup", "warmupDurationSecs"],
    );
    if let Some(warm_up) = node.get("warmup") {
        left_out.rest(object, "loadBalancer.warmup.", warm_up, &["duration"]);
    }
    let warm_up = at(node, &["warmup", "duration"]).or_else(|| node.get("warmupDurationSecs"));
    let slow_start = warm_up.and_then(|d| mapping(d.span, [("window", Some(d.clone()))]));
    if let Some(hash) = node.get("consistentHash") {
        left_out.rest(object, "loadBalancer.consistentHash.", hash, &HASH_KEYS);
        if let Some(cookie) = hash.get("httpCookie") {
            left_out.rest(object, "loadBalancer.consistentHash.httpCookie.", cookie, &["name"]);
        }
        let keys = ["httpHeaderName", "httpQueryParameterName"];
        let key = keys.iter().find_map(|key| hash.get(key));
        let key = key.or_else(|| at(hash, &["httpCookie", "name"])).cloned();
        let key = key.or_else(|| hash.get("useSourceIp").map(|n| word("client_ip", n.span)));
        let maglev = hash.get("maglev");
        let size = at(hash, &["ringHash", "minimumRingSize"]).or_else(|| hash.get("minimumRingSize"));
        let policy = if maglev.is_some() { "maglev" } else { "ring_hash" };
        return mapping(
            node.span,
            [
                ("policy", Some(word(policy, hash.span))),
                ("hash_key", key),
                ("minimum_ring_size", size.cloned()),
                ("table_size", maglev.and_then(|m| m.get("tableSize")).cloned()),
                ("slow_start", slow_start),
            ],
        );
    }
    let simple = node.get("simple");
    let policy = match simple.and_then(Node::text) {
        Some("ROUND_ROBIN") => Some("weighted_edf"),
        Some("LEAST_REQUEST" | "LEAST_CONN" | "UNSPECIFIED") => Some("least_request"),
        Some("RANDOM") => Some("random"),
        Some(_) => {
            left_out.add(object, "loadBalancer.simple", simple?);
            None
        }
        None => None,
    };
    mapping(
        node.span,
        [
            ("policy", policy.zip(simple).map(|(policy, node)| word(policy, node.span))),
            ("slow_start", slow_start),
        ],
    )
}

fn limits(object: &Object<'_>, node: &Node, left_out: &mut LeftOut) -> Option<Node> {
    left_out.rest(object, "connectionPool.", node, &["tcp", "http"]);
    if let Some(tcp) = node.get("tcp") {
        left_out.rest(object, "connectionPool.tcp.", tcp, &["maxConnections"]);
    }
    if let Some(http) = node.get("http") {
        let read = ["http1MaxPendingRequests", "http2MaxRequests", "maxConcurrentStreams", "maxRetries"];
        left_out.rest(object, "connectionPool.http.", http, &read);
    }
    mapping(
        node.span,
        [
            ("max_connections", at(node, &["tcp", "maxConnections"]).cloned()),
            ("max_pending_requests", at(node, &["http", "http1MaxPendingRequests"]).cloned()),
            ("max_requests", at(node, &["http", "http2MaxRequests"]).cloned()),
            ("max_concurrent_streams", at(node, &["http", "maxConcurrentStreams"]).cloned()),
            ("max_retries", at(node, &["http", "maxRetries"]).cloned()),
        ],
    )
}

fn outliers(object: &Object<'_>, node: &Node, left_out: &mut LeftOut) -> Option<Node> {
    let read =
        ["consecutive5xxErrors", "consecutiveErrors", "interval", "baseEjectionTime", "maxEjectionPercent"];
    left_out.rest(object, "outlierDetection.", node, &read);
    let errors = node.get("consecutive5xxErrors").or_else(|| node.get("consecutiveErrors"));
    let percent = node.get("maxEjectionPercent");
    mapping(
        node.span,
        [
            ("consecutive_5xx", errors.filter(|n| n.text() != Some("0")).cloned()),
            ("interval", node.get("interval").cloned()),
            ("base_ejection_time", node.get("baseEjectionTime").cloned()),
            ("max_ejection_percent", percent.and_then(|n| Some(word(format!("{}%", n.text()?), n.span)))),
        ],
    )
}

fn virtual_service(
    object: &Object<'_>,
    names: &Names<'_>,
    found: &mut BTreeMap<usize, Upstream>,
    left_out: &mut LeftOut,
    notes: &mut Vec<Note>,
) {
    let gateways = object.at(&["spec", "gateways"]).map_or(&[][..], Node::items);
    let inside = gateways.is_empty() || gateways.iter().any(|g| g.text() == Some("mesh"));
    let routes = object.at(&["spec", "http"]).map_or(&[][..], Node::items);
    let others = ["tcp", "tls"].iter().filter_map(|key| object.at(&["spec", key])).flat_map(Node::items);
    for route in routes.iter().chain(others) {
        for host in destinations(route) {
            if names.resolve(host.text().unwrap_or_default(), object.namespace).is_none() {
                unknown(object, host, notes);
            }
        }
        left_out.rest(object, "", route, &["name", "match", "route", "timeout", "retries"]);
        special(object, route, left_out);
    }
    // What holds at a gateway does not hold for the services' own calls.
    if !inside {
        return;
    }
    let hosts = object.at(&["spec", "hosts"]).map_or(&[][..], Node::items);
    let hosts: Vec<_> = hosts.iter().filter_map(|h| names.resolve(h.text()?, object.namespace)).collect();
    // The route that takes everything says what holds; those with a match are special cases of it.
    let Some(route) = routes.iter().find(|r| r.get("match").is_none()).or(routes.first()) else { return };
    for special in routes.iter().filter(|r| !std::ptr::eq(*r, route)) {
        for key in ["timeout", "retries"] {
            if let Some(node) = special.get(key) {
                left_out.add(object, &format!("{key} of a route with a match"), node);
            }
        }
    }
    let timeout = route.get("timeout").map(|node| match node.text() {
        Some("0s" | "0") => word("none", node.span),
        _ => node.clone(),
    });
    let retry = route.get("retries").and_then(|node| retries(object, node, left_out));
    for unit in hosts {
        let upstream = found.entry(unit).or_default();
        upstream.add("timeout", timeout.clone());
        upstream.add("retry", retry.clone());
    }
}

/// What makes a route hold for some requests only, or for parts of them.
fn special(object: &Object<'_>, route: &Node, left_out: &mut LeftOut) {
    if let Some(node) = route.get("match") {
        left_out.add(object, "match", node);
    }
    let targets = route.get("route").map_or(&[][..], Node::items);
    for target in targets {
        left_out.rest(object, "route.", target, &["destination", "weight"]);
        let parts = [&["weight"][..], &["destination", "subset"]];
        for node in parts.iter().filter(|_| targets.len() > 1).filter_map(|path| at(target, path)) {
            left_out.add(object, "weights and subsets of a route", node);
        }
    }
}

/// The hosts a route leads to.
pub fn destinations(route: &Node) -> impl Iterator<Item = &Node> {
    let targets = route.get("route").map_or(&[][..], Node::items);
    targets.iter().filter_map(|t| at(t, &["destination", "host"]))
}

fn retries(object: &Object<'_>, node: &Node, left_out: &mut LeftOut) -> Option<Node> {
    left_out.rest(object, "retries.", node, &["attempts", "perTryTimeout", "retryOn", "backoff"]);
    let attempts = node.get("attempts");
    if attempts.and_then(Node::text) == Some("0") {
        return attempts.map(|n| word("none", n.span));
    }
    // Without a word the proxy's own list holds.
    let said = node.get("retryOn").filter(|on| on.text().is_some_and(|text| !text.trim().is_empty()));
    let retry_on = said.map(|on| {
        let mut words: Vec<&str> = Vec::new();
        for word in on.text().unwrap_or_default().split(',').map(str::trim).filter(|w| !w.is_empty()) {
            let ours = match word {
                "5xx" | "gateway-error" => "5xx",
                "connect-failure" | "refused-stream" => "connect-failure",
                "reset" | "reset-before-request" => "reset",
                "retriable-4xx" => "retriable-4xx",
                "unavailable" => "unavailable",
                "resource-exhausted" => "rate-limited",
                status if status.starts_with('5') && status.len() == 3 => "5xx",
                "429" => "rate-limited",
                "deadline-exceeded" => "timeout",
                _ => {
                    left_out.add(object, &format!("retryOn: {word}"), on);
                    continue;
                }
            };
            if !words.contains(&ours) {
                words.push(ours);
            }
        }
        // Of what has no counterpart nothing is retried here; an empty list says so.
        Node::new(on.span, Kind::Sequence(words.into_iter().map(|w| text(w, on.span)).collect()))
    });
    let backoff = node.get("backoff").and_then(|base| mapping(base.span, [("base", Some(base.clone()))]));
    mapping(
        node.span,
        [
            ("num_retries", attempts.cloned()),
            ("per_try_timeout", node.get("perTryTimeout").cloned()),
            ("retry_on", retry_on),
            ("backoff", backoff),
        ],
    )
}

/// Services that a `VirtualService` lets in through a gateway: host, namespace, place.
pub fn let_in<'n>(objects: &[Object<'n>]) -> Vec<(&'n str, &'n str, Span)> {
    let mut found = Vec::new();
    for object in objects.iter().filter(|o| o.group == GROUP && o.kind == "VirtualService") {
        let gateways = object.at(&["spec", "gateways"]).map_or(&[][..], Node::items);
        if gateways.iter().all(|g| g.text() == Some("mesh")) {
            continue;
        }
        let routes = ["http", "tcp", "tls"].iter().filter_map(|key| object.at(&["spec", key]));
        for host in routes.flat_map(Node::items).flat_map(destinations) {
            found.extend(host.text().map(|name| (name, object.namespace, host.span)));
        }
    }
    // Gateway API.
    for object in objects.iter().filter(|o| o.group == "gateway.networking.k8s.io") {
        let parents = object.at(&["spec", "parentRefs"]).map_or(&[][..], Node::items);
        let gateway = |p: &Node| matches!(text_at(p, &["kind"]), "" | "Gateway");
        if !parents.iter().any(gateway) {
            continue;
        }
        let rules = object.at(&["spec", "rules"]).map_or(&[][..], Node::items).iter();
        for backend in rules.filter_map(|r| r.get("backendRefs")).flat_map(Node::items) {
            let space = text_at(backend, &["namespace"]);
            let space = if space.is_empty() { object.namespace } else { space };
            found.extend(backend.get("name").and_then(|n| Some((n.text()?, space, n.span))));
        }
    }
    found
}
