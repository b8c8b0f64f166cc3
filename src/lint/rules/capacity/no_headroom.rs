//! no-headroom: the load fits, until one replica or zone is lost.

use super::{overload, words};
use crate::analysis::{Kind, Loss};
use crate::finding::{Finding, RuleInfo};
use crate::lint::amounts::{amount, percent};
use crate::lint::{Context, Rule};

/// the load fits, until one replica or zone is lost.
pub static RULE: Rule = Rule {
    info: &RuleInfo::warning(
        "no-headroom",
        "the load fits, until one replica or zone is lost",
        include_str!("no-headroom.md"),
    )
    .reads(&[
        "traffic.rate",
        "traffic.repeat",
        "traffic.states",
        "traffic.replay",
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
        "services.instances.zone",
        "services.instances.speed",
    ]),
    check,
};

fn check(ctx: &Context<'_>, out: &mut Vec<Finding>) {
    let overloaded = ctx.number(overload::RULE.info, "warning");
    for station in ctx.load().stations() {
        let (Some((loss, left)), Some(rho)) = (&station.after_loss, station.utilization()) else { continue };
        let busy = rho * station.servers;
        // One copy alone, and one that is too busy already, are other findings.
        if *left <= 0.0 || busy <= left + words::NEAR || rho >= overloaded - words::NEAR {
            continue;
        }
        let after = busy / left;
        let id = words::id(ctx, station.carrier);
        let (gone, rest) = match loss {
            Loss::Replica => ("a replica".to_owned(), "the others"),
            Loss::Zone(zone) => (format!("zone `{zone}`"), "the other zones"),
        };
        let at_least = words::at_least(&station.busy);
        let message = format!("without {gone}, {rest} of `{id}` would be {at_least}{} busy", percent(after));
        let finding = Finding::new(RULE.info, words::says(ctx, station.carrier), message)
            .label(words::capacity(ctx, station))
            .note(words::sum(ctx, station, Kind::Base))
            .note(format!(
                "without {gone} there is room for {}: {} / {0} = {}",
                amount(*left),
                amount(busy),
                percent(after)
            ));
        out.push(
            words::way(ctx, finding, station, Kind::Base)
                .help("add replicas, spread them over more zones, or declare `autoscaling`")
                .number("utilization", rho)
                .number("utilization_after_loss", after)
                .about(id),
        );
    }
}
