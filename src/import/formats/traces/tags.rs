//! What the tags of a span say, with the names OpenTelemetry, `OpenTracing`, Zipkin and Envoy have for it.

use super::text::Text;
use crate::spec::vocabulary::Protocol;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::marker::PhantomData;

/// What a span does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Nothing is said: work inside a service, or the side of a call that comes from who is around it.
    #[default]
    Internal,
    /// Answers a call.
    Server,
    /// Makes a call.
    Client,
    /// Sends a message.
    Producer,
    /// Handles a message.
    Consumer,
}

impl Kind {
    /// The kind of `server`, `SERVER`, `SPAN_KIND_SERVER` or 2.
    pub fn of(said: &Text<'_>) -> Option<Self> {
        let word = said.text().trim_start_matches("SPAN_KIND_");
        let known = [
            ("internal", 1, Self::Internal),
            ("server", 2, Self::Server),
            ("client", 3, Self::Client),
            ("producer", 4, Self::Producer),
            ("consumer", 5, Self::Consumer),
        ];
        let number = said.number();
        let found = known.iter().find(|(name, at, _)| word.eq_ignore_ascii_case(name) || number == *at);
        found.map(|(.., kind)| *kind)
    }
}

/// What is on the other side, strongest name first.
const PEERS: usize = 5;

/// What is worth knowing of a span's tags.
#[derive(Debug, Default)]
pub struct Tags<'a> {
    /// What it does.
    pub kind: Option<Kind>,
    /// It failed.
    pub error: bool,
    /// How it travels.
    pub protocol: Option<Protocol>,
    /// Names of the other side: said as such, a proxy's cluster, an address, a database, a URL's host.
    pub peers: [Option<Cow<'a, str>>; PEERS],
    /// The product of a database.
    pub database: Option<Cow<'a, str>>,
    /// The product of a broker, and what is sent to or received from.
    pub broker: Option<Cow<'a, str>>,
    /// The queue or topic.
    pub destination: Option<Cow<'a, str>>,
    /// What is done to the database.
    pub operation: Option<Cow<'a, str>>,
    /// `GET`.
    pub method: Option<Cow<'a, str>>,
    /// `/cart/{id}`.
    pub route: Option<Cow<'a, str>>,
}

impl<'a> Tags<'a> {
    /// Takes a tag in.
    pub fn take(&mut self, key: &str, value: Text<'a>) {
        match key {
            "span.kind" => self.kind = Kind::of(&value),
            // Zipkin says why, which may be nothing; elsewhere it is a truth value.
            "error" => self.error |= value != Text::Is(false) && value.text() != "false",
            "otel.status_code" => self.error |= value.text() == "ERROR",
            "http.status_code" | "http.response.status_code" => {
                self.error |= value.number() >= 500;
                self.travels(Protocol::Http);
            }
            "grpc.status_code" | "rpc.grpc.status_code" => self.protocol = Some(Protocol::Grpc),
            "rpc.system" | "component" if value.text() == "grpc" => self.protocol = Some(Protocol::Grpc),
            "http.method" | "http.request.method" => {
                self.travels(Protocol::Http);
                self.method = value.said();
            }
            "http.route" => self.route = value.said(),
            "peer.service" => self.peer(0, value.said()),
            "upstream_cluster.name" | "upstream_cluster" => {
                let host = value.said().as_deref().and_then(outbound).map(|h| Cow::Owned(h.to_owned()));
                self.peer(1, host);
            }
            "server.address" | "net.peer.name" | "peer.hostname" | "peer.address" => {
                self.peer(2, value.said().and_then(host));
            }
            "db.name" | "db.namespace" | "db.instance" => self.peer(3, value.said()),
            "http.url" | "url.full" => {
                self.travels(Protocol::Http);
                self.peer(4, value.said().and_then(|url| host(after_scheme(url)?)));
            }
            "db.system" | "db.system.name" | "db.type" => self.database = value.said(),
            "db.operation" | "db.operation.name" | "db.statement" | "db.query.text" | "sql.query" => {
                self.operation = self.operation.take().or(value.said());
            }
            "messaging.system" => self.broker = value.said(),
            "messaging.destination.name"
            | "messaging.destination"
            | "message_bus.destination"
            | "kafka.topic"
            | "rabbit.queue" => self.destination = value.said(),
            _ if key.starts_with("http.") => self.travels(Protocol::Http),
            _ => {}
        }
    }

    /// The side it calls, unless a better name is known.
    pub fn peer(&mut self, rank: usize, name: Option<Cow<'a, str>>) {
        if let (Some(place), Some(name)) = (self.peers.get_mut(rank), name) {
            place.get_or_insert(name);
        }
    }

    /// gRPC travels over HTTP: it is not taken back.
    fn travels(&mut self, protocol: Protocol) {
        self.protocol.get_or_insert(protocol);
    }
}

/// The host of an Envoy cluster of Istio's: `outbound|9080||ratings.shop.svc.cluster.local`.
fn outbound(cluster: &str) -> Option<&str> {
    let host = cluster.strip_prefix("outbound|")?.rsplit('|').next()?;
    (!host.is_empty()).then_some(host)
}

/// What comes behind `https://`.
fn after_scheme(url: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let at = url.find("://")? + 3;
    // Who asks stands before the host: a password would look like a port.
    let authority = url.get(at..)?.split(['/', '?', '#']).next()?;
    if authority.contains('@') {
        return None;
    }
    match url {
        Cow::Borrowed(url) => url.get(at..).map(Cow::Borrowed),
        Cow::Owned(url) => url.get(at..).map(|rest| Cow::Owned(rest.to_owned())),
    }
}

/// The host at the beginning of an address, if it is a name that means the same everywhere.
fn host(address: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let end = address.find([':', '/', '?', '#']).unwrap_or(address.len());
    let name = address.get(..end)?;
    let named = name.contains(|c: char| c.is_ascii_alphabetic()) && name.is_ascii();
    let here = name.eq_ignore_ascii_case("localhost") || name.contains(['@', '[', ']', ' ', '<']);
    if !named || here {
        return None;
    }
    match address {
        Cow::Borrowed(address) => address.get(..end).map(Cow::Borrowed),
        Cow::Owned(mut address) => {
            address.truncate(end);
            Some(Cow::Owned(address))
        }
    }
}

/// A list of tags as a parser meets them: `[{key, value}]` with whatever `V` makes of a value, or `{key: value}`.
#[derive(Debug, Default)]
pub struct TagList<'a, V> {
    /// What they say.
    pub tags: Tags<'a>,
    /// The name of a service among them.
    pub service: Option<Cow<'a, str>>,
    values: PhantomData<fn() -> V>,
}

/// A value of a tag.
pub trait TagValue<'a> {
    /// Its content.
    fn content(self) -> Text<'a>;
}

impl<'a> TagValue<'a> for Text<'a> {
    fn content(self) -> Self {
        self
    }
}

impl<'a, V> TagList<'a, V> {
    fn take(&mut self, key: &str, value: Text<'a>) {
        if key == "service.name" {
            self.service = value.said();
        } else {
            self.tags.take(key, value);
        }
    }
}

/// One tag of a list.
#[derive(serde::Deserialize)]
struct Tag<'a, V> {
    #[serde(borrow, default)]
    key: Cow<'a, str>,
    #[serde(default = "Option::default")]
    value: Option<V>,
}

impl<'de: 'a, 'a, V: TagValue<'a> + Deserialize<'de>> Deserialize<'de> for TagList<'a, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyTags(PhantomData))
    }
}

struct AnyTags<'a, V>(PhantomData<fn() -> (&'a (), V)>);

impl<'de: 'a, 'a, V: TagValue<'a> + Deserialize<'de>> Visitor<'de> for AnyTags<'a, V> {
    type Value = TagList<'a, V>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("tags")
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(TagList { tags: Tags::default(), service: None, values: PhantomData })
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut all = TagList { tags: Tags::default(), service: None, values: PhantomData };
        while let Some(tag) = seq.next_element::<Tag<'a, V>>()? {
            if let Some(value) = tag.value {
                all.take(&tag.key, value.content());
            }
        }
        Ok(all)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut all = TagList { tags: Tags::default(), service: None, values: PhantomData };
        while let Some((key, value)) = map.next_entry::<Text<'_>, V>()? {
            all.take(key.text(), value.content());
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(tags: &[(&str, &'a str)]) -> Tags<'a> {
        let mut all = Tags::default();
        for (key, value) in tags {
            all.take(key, Text::Said(Cow::Borrowed(value)));
        }
        all
    }

    #[test]
    fn the_other_side_has_many_names() {
        for (key, value, expected) in [
            ("peer.service", "cart", Some("cart")),
            (
                "upstream_cluster.name",
                "outbound|9080||cart.shop.svc.cluster.local",
                Some("cart.shop.svc.cluster.local"),
            ),
            ("upstream_cluster.name", "inbound|9080||", None),
            ("net.peer.name", "orders-db", Some("orders-db")),
            ("server.address", "10.0.0.7", None),
            ("server.address", "localhost", None),
            ("peer.address", "cart:8080", Some("cart")),
            ("peer.address", "172.18.0.1:52196", None),
            ("db.name", "orders", Some("orders")),
            ("url.full", "https://api.pay.com:443/v1?key=x", Some("api.pay.com")),
            ("url.full", "https://user:password@pay.com/", None),
            ("http.url", "http://192.168.49.2:31653/", None),
        ] {
            let tags = of(&[(key, value)]);
            let found = tags.peers.iter().flatten().next();
            assert_eq!(found.map(|f| &**f), expected, "{key} {value}");
        }
    }

    #[test]
    fn failures_protocols_and_kinds() {
        for (tags, error, protocol) in [
            (&[("error", "")][..], true, None),
            (&[("error", "false")], false, None),
            (&[("http.status_code", "503")], true, Some(Protocol::Http)),
            (&[("http.status_code", "404")], false, Some(Protocol::Http)),
            (&[("otel.status_code", "ERROR")], true, None),
            (
                &[("http.method", "POST"), ("grpc.status_code", "0"), ("http.url", "x")],
                false,
                Some(Protocol::Grpc),
            ),
            (&[("rpc.system", "grpc")], false, Some(Protocol::Grpc)),
        ] {
            let all = of(tags);
            assert_eq!((all.error, all.protocol), (error, protocol), "{tags:?}");
        }
        for said in [
            Text::Number(2),
            Text::Said("2".into()),
            Text::Said("SPAN_KIND_SERVER".into()),
            Text::Said("server".into()),
        ] {
            assert_eq!(Kind::of(&said), Some(Kind::Server));
        }
        assert_eq!(Kind::of(&Text::Number(0)), None);
    }
}
