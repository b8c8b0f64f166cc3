//! Istio's traffic rules: what all callers of a service agree on, as `DestinationRule` and `VirtualService`.

use super::{Export, Exported, list, mapping, text, word};
use crate::model::{Architecture, EdgeKind};
use crate::source::{Span, Spanned};
use crate::spec::facts::tree;
use crate::spec::tree::{Kind, Node};
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;

/// Istio.
pub static EXPORT: Export = Export {
    name: "istio",
    summary: "DestinationRules and VirtualServices: what all callers of a service agree on",
    write,
};

const VERSION: &str = "networking.istio.io/v1";

/// What is said of calls, by key (`retry.num_retries`): the value and its place.
type Said = BTreeMap<String, (String, Span)>;

fn write(arch: &Architecture) -> Exported {
    let mut out = Exported::default();
    let mut documents = Vec::new();
    for (index, node) in arch.nodes().filter(|(_, node)| node.service().is_some()) {
        let mut said = agreed(arch, index, &mut out);
        let id = &node.id.value;
        if let Some((preset, span)) = said.remove("preset").filter(|(preset, _)| preset != "istio") {
            out.lose(format!("`preset: {preset}` of calls to `{id}`: the defaults of Istio hold"), span);
        }
        said.remove("protocol");
        let host = || Some(word(id.as_str()));
        let named = || mapping([("name", host())]);
        if let Some(policy) = destination(&mut said) {
            let spec = mapping([("host", host()), ("trafficPolicy", Some(policy))]);
            documents.extend(object("DestinationRule", named(), spec));
        }
        if let Some((timeout, retries)) = route(&mut said) {
            let to = mapping([("destination", mapping([("host", host())]))]);
            let http =
                [("route", list(to.into_iter().collect())), ("timeout", timeout), ("retries", retries)];
            let http = list(mapping(http).into_iter().collect());
            let spec = mapping([("hosts", list(host().into_iter().collect())), ("http", http)]);
            documents.extend(object("VirtualService", named(), spec));
        }
        for (key, (_, span)) in said {
            out.lose(format!("`{key}` of calls to `{id}`"), span);
        }
    }
    out.text = documents.join("---\n");
    out
}

fn object(kind: &str, metadata: Option<Node>, spec: Option<Node>) -> Option<String> {
    let version = ("apiVersion", Some(word(VERSION)));
    let root = mapping([version, ("kind", Some(word(kind))), ("metadata", metadata), ("spec", spec)])?;
    Some(text(&root))
}

/// What all calls of a service say alike; where they differ no rule of Istio can say it.
fn agreed(arch: &Architecture, service: NodeIndex, out: &mut Exported) -> Said {
    let incoming = arch.incoming(service).into_iter();
    let edges = incoming.filter_map(|e| arch.graph.edge_weight(e)).filter(|e| e.kind == EdgeKind::Call);
    let mut all = edges.map(|edge| said(&tree(&Spanned::new(edge.policy.clone(), edge.span))));
    let Some(mut agreed) = all.next() else {
        let upstream = arch.upstream(service).map(|p| tree(&Spanned::new(p.clone(), Span::default())));
        return upstream.map(|policy| said(&policy)).unwrap_or_default();
    };
    for other in all {
        let keys: Vec<_> = agreed.keys().chain(other.keys()).cloned().collect();
        for key in keys {
            let (ours, theirs) = (agreed.get(&key), other.get(&key));
            if ours.map(|(value, _)| value) != theirs.map(|(value, _)| value) {
                let span = ours.or(theirs).map_or(Span::default(), |(_, span)| *span);
                let id = arch.id(service);
                out.lose(format!("`{key}` of calls to `{id}`, which differs between callers"), span);
                agreed.remove(&key);
            }
        }
    }
    agreed
}

/// Every single value below a node. Policies are a few levels deep.
fn said(root: &Node) -> Said {
    let mut all = Said::new();
    let mut waiting = vec![(String::new(), root)];
    while let Some((path, node)) = waiting.pop() {
        let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match &node.kind {
            Kind::Scalar { text, .. } => {
                all.insert(path, (text.to_string(), node.span));
            }
            Kind::Sequence(items) => {
                let words: Vec<_> = items.iter().filter_map(Node::text).collect();
                all.insert(path, (words.join(","), node.span));
            }
            Kind::Mapping(entries) => {
                waiting.extend(entries.iter().map(|e| (below(&e.key.value), &e.value)));
            }
            Kind::Null => {}
        }
    }
    all
}

fn take(said: &mut Said, key: &str) -> Option<Node> {
    said.remove(key).map(|(value, _)| word(value))
}

/// `trafficPolicy`.
fn destination(said: &mut Said) -> Option<Node> {
    let tcp = mapping([("maxConnections", take(said, "limits.max_connections"))]);
    let http = mapping([
        ("http1MaxPendingRequests", take(said, "limits.max_pending_requests")),
        ("http2MaxRequests", take(said, "limits.max_requests")),
        ("maxConcurrentStreams", take(said, "limits.max_concurrent_streams")),
        ("maxRetries", take(said, "limits.max_retries")),
    ]);
    let percent = said.remove("outlier_detection.max_ejection_percent");
    let outliers = mapping([
        ("consecutive5xxErrors", take(said, "outlier_detection.consecutive_5xx")),
        ("interval", take(said, "outlier_detection.interval")),
        ("baseEjectionTime", take(said, "outlier_detection.base_ejection_time")),
        ("maxEjectionPercent", percent.map(|(value, _)| word(value.trim_end_matches('%')))),
    ]);
    let encrypted = said.get("tls").is_some_and(|(value, _)| value == "true");
    let tls = encrypted.then(|| said.remove("tls")).and(mapping([("mode", Some(word("ISTIO_MUTUAL")))]));
    mapping([
        ("loadBalancer", balancing(said)),
        ("connectionPool", mapping([("tcp", tcp), ("http", http)])),
        ("outlierDetection", outliers),
        ("tls", tls),
    ])
}

fn balancing(said: &mut Said) -> Option<Node> {
    let window = take(said, "load_balancing.slow_start.window");
    let warm_up = ("warmup", mapping([("duration", window)]));
    let policy = said.get("load_balancing.policy").map(|(policy, _)| policy.clone()).unwrap_or_default();
    let simple = match policy.as_str() {
        "weighted_edf" | "round_robin" => Some("ROUND_ROBIN"),
        "least_request" => Some("LEAST_REQUEST"),
        "random" => Some("RANDOM"),
        _ => None,
    };
    let hashes = matches!(policy.as_str(), "ring_hash" | "maglev");
    if simple.is_some() || hashes {
        said.remove("load_balancing.policy");
    }
    if !hashes {
        return mapping([("simple", simple.map(word)), warm_up]);
    }
    let key = said.remove("load_balancing.hash_key").map(|(key, _)| key).unwrap_or_default();
    let source = (key == "client_ip").then(|| word("true"));
    let header = (!key.is_empty() && source.is_none()).then(|| word(key));
    let size = take(said, "load_balancing.minimum_ring_size");
    let slots = take(said, "load_balancing.table_size");
    let maglev = mapping([("tableSize", slots)]);
    let maglev = maglev
        .or_else(|| (policy == "maglev").then(|| Node::new(Span::default(), Kind::Mapping(Vec::new()))));
    let hash = mapping([
        ("httpHeaderName", header),
        ("useSourceIp", source),
        ("ringHash", mapping([("minimumRingSize", size)])),
        ("maglev", maglev),
    ]);
    mapping([("consistentHash", hash), warm_up])
}

/// `timeout` and `retries` of a route, where one is said.
fn route(said: &mut Said) -> Option<(Option<Node>, Option<Node>)> {
    let timeout = said.remove("timeout").map(|(value, _)| word(if value == "none" { "0s" } else { &value }));
    let off = said.get("retry").is_some_and(|(value, _)| value == "none");
    if off {
        said.remove("retry");
        return Some((timeout, mapping([("attempts", Some(word("0")))])));
    }
    let on = said.get("retry.retry_on").map(|(on, _)| on.clone()).filter(|on| !on.is_empty());
    let on = on.map(|on| {
        said.remove("retry.retry_on");
        let words = on.split(',').map(|word| match word {
            "rate-limited" => "429",
            "timeout" => "deadline-exceeded",
            other => other,
        });
        word(words.collect::<Vec<_>>().join(","))
    });
    let retries = mapping([
        ("attempts", take(said, "retry.num_retries")),
        ("perTryTimeout", take(said, "retry.per_try_timeout")),
        ("retryOn", on),
        ("backoff", take(said, "retry.backoff.base")),
    ]);
    (timeout.is_some() || retries.is_some()).then_some((timeout, retries))
}
