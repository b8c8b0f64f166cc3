//! overload: more work than there is time for.

use super::words;
use crate::analysis::{Carrier, Kind, Station};
use crate::finding::{Finding, RuleInfo, Setting, Severity};
use crate::lint::amounts::percent;
use crate::lint::{Context, Rule};

/// more work than there is time for.
pub static RULE: Rule = Rule {
    info: &RuleInfo::error("overload", "more work than there is time for", include_str!("overload.md"))
        .settings(&[
            Setting::new("warning", 0.8, "utilization from which it is a warning"),
            Setting::new("error", 1.0, "utilization from which it is an error"),
        ])
        .reads(&[
            "traffic.rate",
            "traffic.peak",
            "traffic.users",
            "traffic.think_time",
            "services.endpoints.calls.probability",
            "services.endpoints.calls.times",
            "services.endpoints.latency",
            "services.replicas",
            "services.workers",
            "services.instances",
            "services.status",
            "services.autoscaling.max",
            "services.consumes.concurrency",
            "datastores.replicas",
            "datastores.workers",
            "datastores.latency",
        ]),
    check,
};

/// Utilization at a kind of load, if it is known.
fn utilization(station: &Station, kind: Kind) -> Option<f64> {
    words::of(&station.busy, kind).map(|busy| busy / station.servers)
}

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let (warning, error) = (ctx.number(RULE.info, "warning"), ctx.number(RULE.info, "error"));
    for station in ctx.load().stations() {
        let reaches = |kind, threshold: f64| {
            utilization(station, kind).filter(|rho| *rho > 0.0 && *rho >= threshold - words::NEAR)
        };
        let (name, who) = name(ctx, station);
        let at_least = words::at_least(&station.busy);
        let (kind, rho, severity, message) = if let Some(rho) = reaches(Kind::Base, error) {
            let words = format!("{name} cannot keep up: {who} {at_least}{} busy", percent(rho));
            (Kind::Base, rho, Severity::Error, words)
        } else if let Some(rho) = reaches(Kind::Base, warning) {
            let words = format!("{name} has little to spare: {who} {at_least}{} busy", percent(rho));
            (Kind::Base, rho, Severity::Warning, words)
        } else if let Some(rho) = reaches(Kind::Users, error) {
            // Users who wait do not ask: they queue, and the queue ends.
            let words = format!("users queue at {name}: {who} {} busy, if they did not wait", percent(rho));
            (Kind::Users, rho, Severity::Warning, words)
        } else if let Some(rho) = reaches(Kind::Peak, error) {
            let words =
                format!("{name} cannot carry the declared peak: {who} {at_least}{} busy", percent(rho));
            (Kind::Peak, rho, Severity::Warning, words)
        } else {
            continue;
        };
        let finding = Finding::new(RULE.info, words::says(ctx, station.carrier), message)
            .severity(severity)
            .label(words::capacity(ctx, station))
            .note(words::sum(ctx, station, kind));
        let mut finding = words::way(ctx, finding, station, kind);
        if let Some(peak) =
            utilization(station, Kind::Peak).filter(|peak| kind == Kind::Base && *peak > rho + words::NEAR)
        {
            finding = finding.note(format!("at the declared peak it would be {} busy", percent(peak)));
        }
        out.push(
            finding
                .help(help(station, kind, warning))
                .number("utilization", rho)
                .number("capacity", station.servers)
                .about(words::id(ctx, station.carrier)),
        );
    }
    out.extend(ctx.load().assumed_stations().filter_map(|station| assumed(ctx, station, error)));
}

/// A service that does not say how much it can do at once, and could not keep up with what a simulation assumes.
fn assumed(ctx: &Context<'_>, station: &Station, error: f64) -> Option<Finding> {
    let rho = utilization(station, Kind::Base).filter(|rho| *rho >= error - words::NEAR)?;
    let service = &ctx.arch.graph[station.carrier.node()];
    let id = ctx.id(station.carrier.node());
    let silent = match service.service() {
        Some(s) if s.workers.is_some() => "replicas",
        Some(s) if s.replicas.is_some() || !s.instances.is_empty() || s.autoscaling.is_some() => "workers",
        _ => "workers and replicas",
    };
    let needed = (words::of(&station.busy, Kind::Base)? / error.max(0.01)).floor() + 1.0;
    let message = format!("`{id}` keeps {needed} workers busy and does not say how many it has");
    let finding = Finding::new(RULE.info, service.id.span, message)
        .severity(Severity::Info)
        .label(format!("{silent} not said: a simulation assumes 1, which would be {} busy", percent(rho)))
        .note(words::sum(ctx, station, Kind::Base));
    Some(
        words::way(ctx, finding, station, Kind::Base)
            .help(format!("say `workers` and `replicas` of `{id}`, together at least {needed}"))
            .number("utilization", rho)
            .number("capacity", station.servers)
            .about(id),
    )
}

/// Who cannot keep up, and what of it is busy.
fn name(ctx: &Context<'_>, station: &Station) -> (String, &'static str) {
    let id = ctx.id(station.carrier.node());
    match station.carrier {
        Carrier::Handler(at) => {
            let channel = ctx.arch.endpoint(at).map_or("", |e| e.name.value.as_str());
            (format!("`{id}` with `{channel}`"), "its handlers would be")
        }
        Carrier::Service(_) => (format!("`{id}`"), "its workers would be"),
        Carrier::Datastore(_) => (format!("`{id}`"), "it would be"),
    }
}

fn help(station: &Station, kind: Kind, warning: f64) -> String {
    let each = station.servers / f64::from(station.replicas);
    let busy = words::of(&station.busy, kind).unwrap_or(0.0);
    // At the threshold itself it is still found.
    let needed = (busy / (each * warning.clamp(0.01, 1.0)) + words::NEAR).floor() + 1.0;
    let what = match station.carrier {
        Carrier::Service(_) => "workers",
        Carrier::Handler(_) => "concurrency",
        Carrier::Datastore(_) => "accesses at once",
    };
    let which = if station.scales { "`max` replicas of `autoscaling`" } else { "replicas" };
    format!(
        "below {} it is with {needed} {which}, with more {what} per replica, or with less work per request",
        percent(warning)
    )
}
