//! Envoy, with one worker.

mod choices;
mod failures;

use serde_json::{Map, Value, json};

use super::backends::{Answer, Backends, Proxy, free_port, get, program};
use super::same;

/// A host: its place among the back ends, its priority, its weight, its health.
type Endpoint = (usize, u32, u32, &'static str);

/// So many hosts of one priority and these weights.
fn weighted(weights: &[u32]) -> Vec<Endpoint> {
    weights.iter().enumerate().map(|(index, weight)| (index, 0, *weight, "HEALTHY")).collect()
}

/// A cluster of these hosts, with these fields.
fn cluster(backends: &Backends, name: &str, endpoints: &[Endpoint], more: &Value) -> Value {
    let address = |port: u16| json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
    let most = endpoints.iter().map(|endpoint| endpoint.1).max().unwrap_or(0);
    let levels: Vec<Value> = (0..=most)
        .map(|priority| {
            let inside = endpoints.iter().filter(|endpoint| endpoint.1 == priority);
            let hosts: Vec<Value> = inside
                .map(|(index, _, weight, health)| {
                    let place = address(backends.addresses[*index].port());
                    json!({
                        "endpoint": { "address": place },
                        "load_balancing_weight": weight,
                        "health_status": health,
                    })
                })
                .collect();
            json!({ "priority": priority, "lb_endpoints": hosts })
        })
        .collect();
    let mut fields = Map::new();
    fields.insert("name".into(), name.into());
    fields.insert("type".into(), "STATIC".into());
    fields.insert("connect_timeout".into(), "1s".into());
    fields.insert("load_assignment".into(), json!({ "cluster_name": name, "endpoints": levels }));
    fields.extend(more.as_object().cloned().unwrap_or_default());
    Value::Object(fields)
}

/// These clusters, chosen by the header `x-cluster`; the route has these fields.
fn envoy(clusters: &[Value], route: &Value) -> Option<Proxy> {
    const FILTERS: &str = "type.googleapis.com/envoy.extensions.filters";
    let (program, port) = (program("envoy")?, free_port());
    let mut action = route.as_object().cloned().unwrap_or_default();
    action.insert("cluster_header".into(), "x-cluster".into());
    let manager = json!({
        "@type": format!("{FILTERS}.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "front",
        "internal_address_config": {
            "cidr_ranges": [{ "address_prefix": "10.0.0.0", "prefix_len": 8 }],
        },
        "route_config": { "virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "include_attempt_count_in_response": true,
            "routes": [{ "match": { "prefix": "/" }, "route": action }],
        }] },
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": format!("{FILTERS}.http.router.v3.Router") },
        }],
    });
    let config = json!({
        "static_resources": {
            "listeners": [{
                "address": { "socket_address": { "address": "127.0.0.1", "port_value": port } },
                "filter_chains": [{ "filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager,
                }] }],
            }],
            "clusters": clusters,
        },
    });
    let config = config.to_string();
    let args = ["--concurrency", "1", "--disable-hot-restart", "-l", "error", "--config-yaml", &config];
    Some(Proxy::start(&program, &args, "", port))
}

/// A request to a cluster, with a key.
fn ask(proxy: &Proxy, cluster: &str, path: &str, key: &str) -> Answer {
    get(proxy.port, path, &[("x-cluster", cluster), ("x-key", key)])
}

fn sequence(proxy: &Proxy, cluster: &str, requests: usize) -> Vec<usize> {
    let host = || ask(proxy, cluster, "/", "a").backend.expect("an answer of a back end");
    (0..requests).map(|_| host()).collect()
}

/// Our picks from each start until they are theirs; Envoy draws its start.
fn from_some_start(name: &str, starts: u64, theirs: &[usize], ours: impl Fn(u64) -> Vec<usize>) {
    let found = (0..starts).find(|start| ours(*start) == theirs);
    let name = found.map_or_else(|| name.to_owned(), |start| format!("{name}, start {start}"));
    same("Envoy", &name, &ours(found.unwrap_or(0)), theirs);
}
