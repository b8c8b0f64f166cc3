//! What carries load, and how the load gets there, in the words of a finding.

use crate::analysis::{By, Carrier, Flow, Inflow, Kind, Place, Station, Work};
use crate::finding::Finding;
use crate::lint::Context;
use crate::lint::amounts::{amount, count, percent, rate, time};
use crate::model::NodeKind;
use crate::source::Span;

/// What is near enough to a threshold to have reached it: sums of decimals miss it by a little.
pub const NEAR: f64 = 1e-9;

/// `cart`, or `mailer orders` for a handler: its identity.
pub fn id(ctx: &Context<'_>, carrier: Carrier) -> String {
    match carrier {
        Carrier::Handler(at) => ctx.arch.endpoint_id(at),
        Carrier::Service(node) | Carrier::Datastore(node) => ctx.id(node).to_owned(),
    }
}

/// Where it is said how much can be done at once.
pub fn says(ctx: &Context<'_>, carrier: Carrier) -> Span {
    let node = &ctx.arch.graph[carrier.node()];
    let said = match (carrier, &node.kind) {
        (Carrier::Service(_), NodeKind::Service(service)) => service.workers.map(|w| w.span),
        (Carrier::Datastore(_), NodeKind::Datastore(store)) => store.workers.map(|w| w.span),
        (Carrier::Handler(at), _) => {
            let handler = ctx.arch.endpoint(at).and_then(|e| e.consumes.as_ref());
            handler.and_then(|c| c.settings.concurrency).map(|c| c.span)
        }
        _ => None,
    };
    said.unwrap_or(node.id.span)
}

/// `2 replicas × 4 workers = 8 at once`.
pub fn capacity(ctx: &Context<'_>, station: &Station) -> String {
    let what = match station.carrier {
        Carrier::Service(_) => "worker",
        Carrier::Handler(_) => "message",
        Carrier::Datastore(_) => "access",
    };
    let each = station.servers / f64::from(station.replicas);
    let each = if what == "access" && (each - 1.0).abs() > NEAR {
        format!("{} accesses", amount(each))
    } else {
        count(each, what)
    };
    let up_to = if station.scales { "up to " } else { "" };
    let replicas = count(f64::from(station.replicas), "replica");
    let origin = ctx.origin(says(ctx, station.carrier));
    format!("{up_to}{replicas} × {each} = {} at once{origin}", amount(station.servers))
}

/// The rate of one kind.
pub fn of(flow: &Flow, kind: Kind) -> Option<f64> {
    match kind {
        Kind::Base => flow.base,
        Kind::Users => Some(flow.base? + flow.users?),
        Kind::Peak => flow.peak,
        Kind::Storm => flow.storm,
    }
}

/// `240/s × 10ms = 2.4 at once`, the largest works first.
pub fn sum(ctx: &Context<'_>, station: &Station, kind: Kind) -> String {
    let busy = |w: &Work| of(&w.flow, kind).unwrap_or(0.0) * w.seconds;
    let mut works: Vec<&Work> = station.works.iter().filter(|w| busy(w) > 0.0).collect();
    works.sort_by(|a, b| busy(b).total_cmp(&busy(a)).then(a.place.cmp(&b.place)));
    let several = works.len() > 1;
    let part = |w: &&Work| {
        let name = match w.place {
            Place::Endpoint(at) if several => {
                ctx.arch.endpoint(at).map_or_else(String::new, |e| format!(" (`{}`)", e.name.value))
            }
            _ => String::new(),
        };
        format!("{} × {}{name}", rate(of(&w.flow, kind).unwrap_or(0.0)), time(w.seconds))
    };
    let mut parts: Vec<String> = works.iter().take(4).map(part).collect();
    if works.len() > 4 {
        parts.push(format!("{} more", works.len() - 4));
    }
    let total = of(&station.busy, kind).unwrap_or(0.0);
    format!(
        "{} = {} at once, {} of {}",
        parts.join(" + "),
        amount(total),
        percent(total / station.servers),
        amount(station.servers)
    )
}

/// `at least ` where more may come than is said.
pub const fn at_least(flow: &Flow) -> &'static str {
    if flow.complete { "" } else { "at least " }
}

/// Adds the way most of the load takes, step by step, and where it comes from.
pub fn way(ctx: &Context<'_>, finding: Finding, station: &Station, kind: Kind) -> Finding {
    let busy = |w: &&Work| of(&w.flow, kind).unwrap_or(0.0) * w.seconds;
    let Some(work) = station.works.iter().max_by(|a, b| busy(a).total_cmp(&busy(b))) else { return finding };
    let terms = match ctx.load().main_path(work.place, kind) {
        // Users may be a part of it only, and not on the way to this.
        terms if terms.is_empty() => ctx.load().main_path(work.place, Kind::Base),
        terms => terms,
    };
    path(ctx, finding, &terms)
}

/// Adds the steps of a way.
pub fn path(ctx: &Context<'_>, mut finding: Finding, terms: &[Inflow]) -> Finding {
    for term in terms {
        finding = match term.by {
            By::Edge(edge) => ctx.hop(finding, edge, rate(term.rate)),
            By::Traffic(index) => {
                let Some(traffic) = ctx.arch.traffic.get(index) else { continue };
                let words = format!("most of it comes from here: {}", rate(term.rate));
                finding.also(traffic.span, words).hop(
                    traffic.span,
                    "traffic",
                    ctx.id(traffic.to.node),
                    rate(term.rate),
                )
            }
        };
    }
    finding
}
