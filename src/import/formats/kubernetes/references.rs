//! Whether Istio's rules lead to what is there: hosts, ports, subsets. What files do not hold at all (no Service,
//! no `DestinationRule` of a host) is not judged: others may hold it.

use super::istio::GROUP;
use super::names::Names;
use super::objects::Object;
use crate::finding::{Finding, Severity, nearest};
use crate::import::tree::{at, text_at};
use crate::source::Span;
use crate::spec::rules::INVALID_VALUE;
use crate::spec::tree::Node;
use std::collections::{BTreeMap, HashMap};

/// A host as namespace and name; outside of the cluster without a namespace.
type Key = (String, String);

fn key(host: &str, namespace: &str) -> Key {
    let host = host.trim_end_matches('.').to_lowercase();
    let mut parts = host.split('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => (namespace.to_owned(), name.to_owned()),
        (Some(name), Some(space), None | Some("svc")) => (space.to_owned(), name.to_owned()),
        _ => (String::new(), host),
    }
}

fn warning(span: Span, message: String) -> Finding {
    Finding::new(&INVALID_VALUE, span, message).severity(Severity::Warning)
}

/// What can be led to.
struct Known<'o, 'n> {
    names: &'o Names<'n>,
    /// Ports of Services.
    ports: HashMap<Key, Vec<&'n str>>,
    /// Subsets of hosts.
    subsets: HashMap<Key, Vec<&'n str>>,
}

/// All that leads nowhere.
pub fn check(objects: &[Object<'_>], names: &Names<'_>, findings: &mut Vec<Finding>) {
    let mut known = Known { names, ports: HashMap::new(), subsets: HashMap::new() };
    for object in objects {
        let items = |path: &[&str]| object.at(path).map_or(&[][..], Node::items);
        match (object.group, object.kind) {
            ("", "Service") => {
                let ports = items(&["spec", "ports"]).iter().map(|port| text_at(port, &["port"]));
                known.ports.insert(key(&object.name.value, object.namespace), ports.collect());
            }
            (GROUP, "DestinationRule") => {
                let subsets = items(&["spec", "subsets"]).iter().map(|subset| text_at(subset, &["name"]));
                let host = key(object.text(&["spec", "host"]), object.namespace);
                known.subsets.entry(host).or_default().extend(subsets);
            }
            _ => {}
        }
    }
    for object in objects.iter().filter(|o| o.group == GROUP && o.kind == "VirtualService") {
        let routes = ["http", "tcp", "tls"].iter().filter_map(|key| object.at(&["spec", key]));
        for route in routes.flat_map(Node::items) {
            destinations(route).for_each(|destination| known.destination(object, destination, findings));
        }
    }
    protocols(objects, findings);
}

/// Everything a route leads to, mirrors included.
fn destinations(route: &Node) -> impl Iterator<Item = &Node> {
    let list = |key: &str| route.get(key).map_or(&[][..], Node::items).iter();
    let listed = list("route").chain(list("mirrors")).filter_map(|target| target.get("destination"));
    listed.chain(route.get("mirror"))
}

impl Known<'_, '_> {
    fn destination(&self, rule: &Object<'_>, destination: &Node, findings: &mut Vec<Finding>) {
        let Some(host) = destination.get("host") else { return };
        let said = host.text().unwrap_or_default();
        let (name, place) = (&rule.name.value, key(said, rule.namespace));
        let about = |finding: Finding| finding.about(name).about(said);
        // Without a single Service they stand elsewhere.
        let judged = !self.ports.is_empty() && !said.contains('*');
        if judged && self.names.resolve(said, rule.namespace).is_none() {
            let near = nearest(&place.1, self.ports.keys().map(|(_, name)| name.as_str()));
            let message =
                format!("VirtualService `{name}` leads to `{said}`, which these files do not define");
            let help = near.map_or_else(
                || "add its Service or ServiceEntry, or take the route away".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            findings.push(about(warning(host.span, message).label("no Service has this name").help(help)));
            return;
        }
        let port = at(destination, &["port", "number"]);
        if let Some(ports) = self.ports.get(&place).filter(|ports| !ports.is_empty()) {
            let all = ports.join(", ");
            match port.and_then(|port| Some((port.text()?, port.span))) {
                Some((port, span)) if !ports.contains(&port) => {
                    let message =
                        format!("VirtualService `{name}` leads to port {port} of `{said}`, which has {all}");
                    findings.push(about(warning(span, message).help("name a port of its Service")));
                }
                None if ports.len() > 1 => {
                    let message =
                        format!("VirtualService `{name}` leads to `{said}` without a port, which has {all}");
                    findings
                        .push(about(warning(host.span, message).help("say which: `port: { number: … }`")));
                }
                _ => {}
            }
        }
        if let (Some(subset), Some(subsets)) = (destination.get("subset"), self.subsets.get(&place))
            && let Some(wanted) = subset.text().filter(|wanted| !subsets.contains(wanted))
        {
            let message = format!(
                "VirtualService `{name}` leads to the subset `{wanted}` of `{said}`, which no DestinationRule defines"
            );
            let near = nearest(wanted, subsets.iter().copied());
            let help = near.map_or_else(
                || format!("add it to the `subsets` of the DestinationRule of `{said}`"),
                |near| format!("did you mean `{near}`?"),
            );
            findings.push(about(warning(subset.span, message).help(help)));
        }
    }
}

/// Ports of outside hosts that several entries give different protocols.
fn protocols(objects: &[Object<'_>], findings: &mut Vec<Finding>) {
    let mut known: BTreeMap<(&str, &str), (&str, Span)> = BTreeMap::new();
    for entry in objects.iter().filter(|o| o.group == GROUP && o.kind == "ServiceEntry") {
        let items = |key: &str| entry.at(&["spec", key]).map_or(&[][..], Node::items);
        for (host, port) in
            items("hosts").iter().flat_map(|host| items("ports").iter().map(move |p| (host, p)))
        {
            let (Some(name), Some(protocol)) = (host.text(), port.get("protocol")) else { continue };
            let (number, said) = (text_at(port, &["number"]), protocol.text().unwrap_or_default());
            let (first, span) = *known.entry((name, number)).or_insert((said, protocol.span));
            if first != said {
                let message = format!("two ServiceEntries give `{name}:{number}` different protocols");
                let finding = warning(protocol.span, message).label(format!("{said} here"));
                let finding = finding.also(span, format!("{first} here")).about(format!("{name}:{number}"));
                findings.push(finding.help("one port speaks one protocol: take one of them away"));
            }
        }
    }
}
