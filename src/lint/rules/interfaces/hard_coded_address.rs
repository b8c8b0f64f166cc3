//! hard-coded-address: a number where a name belongs.

use crate::finding::{Finding, RuleInfo, Severity};
use crate::lint::{Context, Rule};
use crate::model::Node;
use crate::source::{Span, Spanned};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// a number where a name belongs.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "hard-coded-address",
        "an IP address where a name belongs",
        include_str!("hard-coded-address.md"),
    )
    .reads(&[
        "services.environment",
        "services.metadata",
        "services.instances.host",
        "datastores.environment",
        "datastores.metadata",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    for (_, node) in ctx.arch.nodes() {
        instances(node, out);
        for (name, value) in node.environment() {
            out.extend(text(node, "environment", name, value));
        }
        for (name, value) in node.metadata() {
            // What is noted down is not what anybody is called by.
            out.extend(text(node, "metadata", name, value).map(|f| f.severity(Severity::Info)));
        }
    }
}

fn text(node: &Node, section: &str, name: &Spanned<String>, value: &Spanned<String>) -> Option<Finding> {
    let lower = name.value.to_ascii_lowercase();
    // Four numbers with dots between them may be something else.
    if ["version", "release", "mask", "subnet", "cidr"].iter().any(|word| lower.ends_with(word)) {
        return None;
    }
    let address = value.value.split([',', ';', ' ']).find_map(address)?;
    let id = &node.id.value;
    let finding = Finding::new(
        RULE.info,
        value.span,
        format!("`{}` of `{id}` holds the fixed address {address}", name.value),
    );
    let finding = finding.label("wrong as soon as what stands there moves");
    Some(finding.help(HELP).about(format!("{id} {section}.{}", name.value)))
}

const HELP: &str = "write a name that DNS or the discovery resolves";

/// Instances of a service that stand at numbers: one finding for all of them.
fn instances(node: &Node, out: &mut Vec<Finding>) {
    let hosts: Vec<(IpAddr, Span)> = node
        .service()
        .into_iter()
        .flat_map(|s| &s.instances)
        .filter_map(|i| i.value.host.as_ref())
        .filter_map(|host| Some((address(&host.value)?, host.span)))
        .collect();
    let Some(((address, first), rest)) = hosts.split_first() else { return };
    let id = &node.id.value;
    let message = match rest.len() {
        0 => format!("an instance of `{id}` stands at the fixed address {address}"),
        more => format!("{} instances of `{id}` stand at fixed addresses", more + 1),
    };
    let mut finding = Finding::new(RULE.info, *first, message).severity(Severity::Info);
    for (_, span) in rest.iter().take(3) {
        finding = finding.also(*span, "");
    }
    out.push(finding.label("wrong as soon as it moves").help(HELP).about(format!("{id} instances.host")));
}

/// The address of `10.0.0.5`, `10.0.0.5:80`, `http://10.0.0.5/path`, `[fd00::5]:80`, where it is one host of
/// a real network.
fn address(text: &str) -> Option<IpAddr> {
    let (scheme, rest) = text.split_once("://").map_or((None, text), |(scheme, rest)| (Some(scheme), rest));
    let (host, path) = rest.split_once(['/', '?', '#']).unwrap_or((rest, ""));
    // 10.0.0.0/8 is many hosts.
    if scheme.is_none() && !path.is_empty() && path.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let address = if let Some(inside) = host.strip_prefix('[') {
        IpAddr::V6(inside.split_once(']')?.0.parse().ok()?)
    } else if let Some((host, _)) = host.split_once(':').filter(|(_, port)| is_port(port)) {
        IpAddr::V4(host.parse().ok()?)
    } else {
        host.parse().ok()?
    };
    is_somewhere(address).then_some(address)
}

/// Whether a packet to it leaves the machine for one certain host: no loopback, no address to listen at, none
/// of the documentation (RFC 5737, RFC 3849), none that means the same on every link (RFC 3927, RFC 4291),
/// no group.
fn is_somewhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => {
            !(a.is_loopback()
                || a.octets()[0] == 0
                || a.is_documentation()
                || a.is_link_local()
                || a.is_multicast()
                || a == Ipv4Addr::BROADCAST)
        }
        IpAddr::V6(a) => {
            let [first, second, ..] = a.segments();
            !(a == Ipv6Addr::LOCALHOST
                || a == Ipv6Addr::UNSPECIFIED
                || (first, second) == (0x2001, 0x0db8)
                || first & 0xffc0 == 0xfe80
                || a.is_multicast())
        }
    }
}
