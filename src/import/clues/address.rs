//! Hosts in a text: URLs, `host:port`, lists of them, connection strings, arguments. Which of them are
//! services is not known here.

use super::keys::{is_address, is_address_flag};
use crate::spec::vocabulary::Protocol;
use std::ops::Range;

/// A host that stands in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Address {
    /// The host as written.
    pub host: String,
    /// Its bytes.
    pub range: Range<usize>,
    /// The port, where there is one.
    pub port: Option<u16>,
    /// The scheme in lower case, where there is one.
    pub scheme: Option<String>,
}

impl Address {
    /// How a call travels, by scheme and well-known port.
    pub fn protocol(&self) -> Option<Protocol> {
        match (self.port, self.scheme.as_deref()) {
            (Some(4317 | 50051), _) | (_, Some("grpc" | "grpcs")) => Some(Protocol::Grpc),
            (_, Some("http" | "https" | "ws" | "wss")) => Some(Protocol::Http),
            (_, Some("amqp" | "amqps" | "nats" | "mqtt" | "stomp")) | (Some(5672 | 5671), _) => {
                Some(Protocol::MessageQueue)
            }
            (Some(9092), _) | (_, Some("kafka")) => Some(Protocol::EventStream),
            _ => None,
        }
    }
}

/// `redis:7` is an image: below this, a number after a colon is no port unless a scheme says so.
const LEAST_PORT: u16 = 20;

/// What ends a token: none of these may stand in a host.
const ENDS: [char; 17] =
    [',', ';', '(', ')', '[', ']', '{', '}', '"', '\'', '|', '<', '>', '&', '=', '\\', '`'];

/// Hosts in the value of a variable. `named` says that the variable's name is that of an address, so that
/// a bare word is one.
pub fn in_value(text: &str, named: bool) -> Vec<Address> {
    let hosts_only = named && text.split([',', ';']).all(|part| plain(part.trim()).is_some());
    scan(text, hosts_only, &mut None)
}

/// Hosts in an argument of a command, or in a whole command line. `flag` is the argument before, and
/// becomes the last one of this.
pub fn in_argument(text: &str, flag: &mut Option<String>) -> Vec<Address> {
    scan(text, false, flag)
}

fn scan(text: &str, bare: bool, flag: &mut Option<String>) -> Vec<Address> {
    let (mut found, covered) = urls(text);
    let mut at = 0;
    let mut setting: Option<&str> = None;
    let mut covered = covered.into_iter().peekable();
    for (gap, end) in
        text.char_indices().filter(|(_, c)| c.is_whitespace() || ENDS.contains(c)).chain([(text.len(), ' ')])
    {
        let token = text.get(at..gap).unwrap_or_default();
        let start = at;
        at = gap + end.len_utf8();
        if end == '=' {
            setting = Some(token);
            continue;
        }
        let named = setting.map_or(bare || flag.as_deref().is_some_and(is_address_flag), is_address);
        // `Server=tcp:sql,1433` and `hosts=a,b` go on after a comma; anything else ends the setting.
        if end != ',' {
            setting = None;
        }
        if token.is_empty() {
            continue;
        }
        while covered.next_if(|range| range.end <= start).is_some() {}
        let free = covered.peek().is_none_or(|range| range.start >= start + token.len());
        if free && let Some(address) = host(token, start, named) {
            found.push(address);
        }
        *flag = Some(token.to_owned());
    }
    found.sort_by_key(|a| a.range.start);
    found
}

/// `scheme://[user[:password]@]host[:port][,host[:port]…]`, and the bytes they cover.
fn urls(text: &str) -> (Vec<Address>, Vec<Range<usize>>) {
    let (mut found, mut covered) = (Vec::new(), Vec::new());
    for (at, _) in text.match_indices("://") {
        let before = text.get(..at).unwrap_or_default();
        let scheme_at =
            before.rfind(|c: char| !(c.is_ascii_alphanumeric() || "+.-".contains(c))).map_or(0, |i| i + 1);
        let scheme = before.get(scheme_at..).unwrap_or_default().to_lowercase();
        let start = at + 3;
        let rest = text.get(start..).unwrap_or_default();
        let end =
            rest.find(|c: char| c.is_whitespace() || "/?#\"'`;|<>\\)]}".contains(c)).unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        let hosts_at = authority.rfind('@').map_or(0, |i| i + 1);
        let mut from = start + hosts_at;
        for part in authority.get(hosts_at..).unwrap_or_default().split(',') {
            if let Some((host, port)) = plain(part).filter(|_| !part.ends_with(':')) {
                let range = from..from + host.len();
                found.push(Address { host: host.to_owned(), range, port, scheme: Some(scheme.clone()) });
            }
            from += part.len() + 1;
        }
        covered.push(scheme_at..start + end.max(1));
    }
    (found, covered)
}

/// A token outside of URLs: `host:port`, or a bare host where `named` says that it is one.
fn host(token: &str, at: usize, named: bool) -> Option<Address> {
    let tcp = if token.starts_with("tcp:") { 4 } else { 0 };
    let body = token.get(tcp..)?;
    let body = body.split('/').next()?;
    let user = body.rfind('@').map_or(0, |i| i + 1);
    let (host, port) = plain(body.get(user..)?)?;
    let number = host.bytes().all(|b| b.is_ascii_digit());
    let told = port.is_some_and(|p| p >= LEAST_PORT) || (named && user == 0 && !number);
    let from = at + tcp + user;
    told.then(|| Address { host: host.to_owned(), range: from..from + host.len(), port, scheme: None })
}

/// `host`, `host:`, `host:port` or `host:port:port`, and nothing else.
fn plain(text: &str) -> Option<(&str, Option<u16>)> {
    let text = text.split('/').next()?;
    let mut parts = text.split(':');
    let host = parts
        .next()
        .filter(|h| !h.is_empty() && h.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)))?;
    let first = parts.next();
    let number = |p: &str| p.parse::<u16>().ok();
    let port = match first {
        None | Some("") => None,
        Some(port) => Some(number(port)?),
    };
    parts.all(|p| number(p).is_some()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(found: Vec<Address>) -> Vec<String> {
        let text = |a: Address| {
            let scheme = a.scheme.map(|s| format!("{s} ")).unwrap_or_default();
            format!("{scheme}{}{}", a.host, a.port.map(|p| format!(" {p}")).unwrap_or_default())
        };
        found.into_iter().map(text).collect()
    }

    #[test]
    fn hosts_in_values() {
        for (name, value, expected) in [
            ("CART_ADDR", "cart:7100", &["cart 7100"][..]),
            ("ANY", "http://cart:8080/x?y=z", &["http cart 8080"]),
            ("ANY", "http://cart/x", &["http cart"]),
            ("KAFKA", "a:9092,b:9092", &["a 9092", "b 9092"]),
            ("ANY", "mongodb://u:p@a:27017,b:27017/db?replicaSet=x", &["mongodb a 27017", "mongodb b 27017"]),
            ("ANY", "http://a:1,http://b:2", &["http a 1", "http b 2"]),
            ("ANY", "jdbc:postgresql://db/orders", &["postgresql db"]),
            ("ANY", "jdbc:sqlserver://sql:1433;databaseName=x", &["sqlserver sql 1433"]),
            ("ConnectionString", "Server=sqlbox;Database=orders;User Id=app;Password=P@ss", &["sqlbox"]),
            ("ConnectionString", "Server=tcp:sqlbox,1433;Initial Catalog=orders", &["sqlbox"]),
            ("DB", "Host=pg;Port=5432;Username=user;Database=orders", &["pg"]),
            ("DSN", "root:secret@tcp(mysql:3306)/orders?parseTime=true", &["mysql 3306"]),
            ("POSTGRES_SEEDS", "postgresql", &["postgresql"]),
            ("SEEDS", "c1, c2", &["c1", "c2"]),
            ("EventBusConnection", "rabbitmq", &["rabbitmq"]),
            ("POSTGRES_USER", "user", &[]),
            ("DB", "orders", &[]),
            ("REDIS", "redis:7", &[]),
            ("VOTERS", "1@kafka:9093", &["kafka 9093"]),
            ("ZOO_SERVERS", "server.1=zoo1:2888:3888;2181", &["zoo1 2888"]),
            ("JAVA_OPTS", "-Xmx1g -Ddb.host=mongo -Dapp.orders.enabled=false", &["mongo"]),
            ("CART_ADDR", "cart:", &["cart"]),
            ("ASPNETCORE_URLS", "http://*:80", &[]),
            ("HOST", "a sentence about orders, not a host", &[]),
            ("TEXT", "see orders: it works", &[]),
            ("ANY", "http://", &[]),
            ("ANY", "://é", &[]),
        ] {
            assert_eq!(show(in_value(value, is_address(name))), expected, "{name}={value}");
        }
    }

    #[test]
    fn hosts_in_commands() {
        for (command, expected) in [
            ("-t 30 -n 5 -h storefront", &["storefront"][..]),
            ("-cp=reg.http://registry:5000", &["reg.http registry 5000"]),
            ("--db.host orders-db --name orders", &["orders-db"]),
            ("--server=orders --user=orders", &["orders"]),
            ("run orders", &[]),
            ("wait-for-it.sh db:5432 -- run", &["db 5432"]),
            ("sh -c \"curl http://web/health\"", &["http web"]),
        ] {
            assert_eq!(show(in_argument(command, &mut None)), expected, "{command}");
        }
    }
}
