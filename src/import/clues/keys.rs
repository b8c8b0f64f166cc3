//! Which names of variables, flags and settings hold an address. Must not know their values.

/// Last words of a name whose value is an address.
const ADDRESS: [&str; 40] = [
    "host",
    "hosts",
    "hostname",
    "hostnames",
    "addr",
    "addrs",
    "address",
    "addresses",
    "url",
    "urls",
    "uri",
    "uris",
    "server",
    "servers",
    "seed",
    "seeds",
    "broker",
    "brokers",
    "endpoint",
    "endpoints",
    "connection",
    "connections",
    "connectionstring",
    "connect",
    "dsn",
    "node",
    "nodes",
    "peer",
    "peers",
    "upstream",
    "upstreams",
    "backend",
    "source",
    "target",
    "master",
    "bootstrap",
    "contactpoints",
    "points",
    "proxy",
    "gateway",
];

/// Ends of a last word that was written without a separator: `DBHOST`, `mysqlhost`.
const ENDS: [&str; 9] = ["host", "hosts", "addr", "address", "url", "uri", "server", "servers", "endpoint"];

/// Words of a name whose value is an address that is not called: who may call, where to listen, what to
/// tell others, what to run.
const NEVER: [&str; 13] = [
    "cors",
    "origin",
    "origins",
    "allowed",
    "advertised",
    "advertise",
    "listen",
    "listener",
    "listeners",
    "bind",
    "redirect",
    "virtual",
    "trusted",
];

/// Words of a name whose value is an address for a browser.
const BROWSER: [&str; 6] = ["external", "public", "callback", "redirect", "browser", "client"];

/// Words of a name that belongs to tracing, metrics or logs.
const TELEMETRY: [&str; 8] = ["otel", "otlp", "jaeger", "zipkin", "prometheus", "statsd", "loki", "datadog"];

/// `POSTGRES_HOST`, `EventBusConnection`, `-Dspring.data.mongodb.host`: its words in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            lower = false;
            words.push(String::new());
            continue;
        }
        if words.is_empty() || (c.is_ascii_uppercase() && lower) {
            words.push(String::new());
        }
        lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        if let Some(last) = words.last_mut() {
            last.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

fn any(name: &str, list: &[&str]) -> bool {
    words(name).iter().any(|word| list.contains(&word.as_str()))
}

/// Whether a bare word as the value of this name is a host.
pub fn is_address(name: &str) -> bool {
    let mut words = words(name);
    // `ES_HOST_1`, `server.1`
    while words.len() > 1 && words.last().is_some_and(|w| w.bytes().all(|b| b.is_ascii_digit())) {
        words.pop();
    }
    let Some(last) = words.last() else { return false };
    let string = last == "string" && words.iter().rev().nth(1).is_some_and(|w| w == "connection");
    string || ADDRESS.contains(&last.as_str()) || ENDS.iter().any(|end| last.ends_with(end))
}

/// Whether an address in the value of this name is never called by whoever has it.
pub fn is_never_called(name: &str) -> bool {
    let no_proxy = words(name).ends_with(&["no".to_owned(), "proxy".to_owned()]);
    // `REDIS_IMAGE=redis:7`, but `IMAGE_PROVIDER_HOST` is a host.
    let image = words(name).last().is_some_and(|last| last == "image" || last == "tag");
    no_proxy || image || name.eq_ignore_ascii_case("hostname") || any(name, &NEVER)
}

/// Whether an address in the value of this name is handed to a browser.
pub fn is_for_browsers(name: &str) -> bool {
    any(name, &BROWSER)
}

/// Whether the name belongs to tracing, metrics or logs.
pub fn is_telemetry(name: &str) -> bool {
    any(name, &TELEMETRY)
}

/// Whether the argument after this flag is a host.
pub fn is_address_flag(flag: &str) -> bool {
    matches!(flag, "-h" | "-H")
        || flag.strip_prefix('-').is_some_and(|name| is_address(name.trim_start_matches('-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_hold_an_address() {
        for (name, expected) in [
            ("POSTGRES_HOST", true),
            ("DBHOST", true),
            ("EventBusConnection", true),
            ("ConnectionString", true),
            ("DB_CONNECTION_STRING", true),
            ("POSTGRES_SEEDS", true),
            ("spring.data.mongodb.uri", true),
            ("ZOO_SERVERS", true),
            ("server.1", true),
            ("POSTGRES_USER", false),
            ("DB", false),
            ("KAFKA_TOPIC", false),
            ("DB_PORT", false),
            ("LOG_LEVEL", false),
        ] {
            assert_eq!(is_address(name), expected, "{name}");
        }
        for name in ["CORS_ORIGINS", "NO_PROXY", "KAFKA_ADVERTISED_LISTENERS", "REDIS_IMAGE", "HOSTNAME"] {
            assert!(is_never_called(name), "{name}");
        }
        assert!(!is_never_called("HTTP_PROXY") && !is_never_called("DB_HOSTNAME"));
    }
}
