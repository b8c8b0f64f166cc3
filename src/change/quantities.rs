//! What can be worked out of both versions: retries, time, availability, load.

use crate::analysis::{
    AmplifiedPath, Carrier, Ceiling, Durations, EndpointGraph, FailureGraph, Load, Place, Stop, ceiling,
    depths, entries, worst_path_of_each,
};
use crate::model::Architecture;
use std::collections::BTreeMap;

/// Which way is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worse {
    /// More.
    Up,
    /// Less.
    Down,
    /// Neither.
    Neither,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `27×`.
    Times,
    /// Seconds.
    Seconds,
    /// Things that are counted.
    Count,
    /// A part of 1, in which little is missing: `99.93%`.
    Share,
    /// A part of 1 that may be more.
    Busy,
    /// Per second.
    Rate,
}

/// A quantity's descriptor.
#[derive(Debug)]
pub struct QuantityInfo {
    /// `retry_amplification`, as programs read it.
    pub name: &'static str,
    /// `retry amplification`, as people do.
    pub title: &'static str,
    /// How it is written.
    pub unit: Unit,
    /// Which way is worse.
    pub worse: Worse,
    of: fn(&Worked<'_>) -> Vec<Amount>,
}

/// The quantities, in the order in which they are told.
pub static QUANTITIES: &[QuantityInfo] = &[
    QuantityInfo {
        name: "retry_amplification",
        title: "retry amplification",
        unit: Unit::Times,
        worse: Worse::Up,
        of: amplification,
    },
    QuantityInfo {
        name: "worst_duration_s",
        title: "longest duration",
        unit: Unit::Seconds,
        worse: Worse::Up,
        of: duration,
    },
    QuantityInfo {
        name: "availability_ceiling",
        title: "availability at the most",
        unit: Unit::Share,
        worse: Worse::Down,
        of: availability,
    },
    QuantityInfo {
        name: "entries_failing_with_one_replica",
        title: "entry points that fail with its one replica",
        unit: Unit::Count,
        worse: Worse::Up,
        of: single_points,
    },
    QuantityInfo { name: "depth", title: "calls in a row", unit: Unit::Count, worse: Worse::Up, of: depth },
    QuantityInfo { name: "load_per_s", title: "load", unit: Unit::Rate, worse: Worse::Neither, of: load },
    QuantityInfo {
        name: "utilization",
        title: "utilization",
        unit: Unit::Busy,
        worse: Worse::Up,
        of: utilization,
    },
];

/// A step of the path that proves a quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Id of the service it starts at.
    pub from: String,
    /// Id of where it ends.
    pub to: String,
    /// What it adds, as text.
    pub value: String,
}

/// What a quantity is of one thing.
struct Amount {
    about: String,
    /// Infinite: nothing bounds it. `None`: it is not known.
    value: Option<f64>,
    path: Vec<Step>,
    sum: String,
}

impl Amount {
    fn new(about: impl Into<String>, value: Option<f64>) -> Self {
        Self { about: about.into(), value, path: Vec::new(), sum: String::new() }
    }
}

/// A quantity that differs.
#[derive(Debug, Clone)]
pub struct Quantity {
    /// Which.
    pub info: &'static QuantityInfo,
    /// What it is of: an entry, a service.
    pub about: String,
    /// What it was; infinite where nothing bounded it, `None` where it was not known.
    pub old: Option<f64>,
    /// What it is.
    pub new: Option<f64>,
    /// What proves the new value, where a path does.
    pub path: Vec<Step>,
    /// The product behind the new value, in words; may be empty.
    pub sum: String,
}

/// What a difference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// It got worse.
    Worse,
    /// It got better.
    Better,
    /// It is neither, or one side is not known.
    Other,
}

impl Trend {
    /// `worse`, `better` or `other`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Other => "other",
        }
    }
}

impl Quantity {
    /// What the difference means.
    pub fn trend(&self) -> Trend {
        let (Some(old), Some(new)) = (self.old, self.new) else { return Trend::Other };
        match self.info.worse {
            Worse::Neither => Trend::Other,
            Worse::Up if new > old => Trend::Worse,
            Worse::Down if new < old => Trend::Worse,
            Worse::Up | Worse::Down => Trend::Better,
        }
    }
}

/// An architecture with what is shared by several quantities.
struct Worked<'a> {
    arch: &'a Architecture,
    calls: EndpointGraph,
    failures: FailureGraph,
    load: Load,
}

/// The quantities that differ, of what both versions have.
pub(super) fn compare(old: &Architecture, new: &Architecture) -> Vec<Quantity> {
    let worked = |arch| Worked {
        arch,
        calls: EndpointGraph::of(arch),
        failures: FailureGraph::of(arch),
        load: Load::of(arch),
    };
    let (old, new) = (worked(old), worked(new));
    let mut found = Vec::new();
    for info in QUANTITIES {
        let before: BTreeMap<String, Option<f64>> =
            (info.of)(&old).into_iter().map(|v| (v.about, v.value)).collect();
        let mut after = (info.of)(&new);
        after.sort_by(|a, b| a.about.cmp(&b.about));
        for Amount { about, value, path, sum } in after {
            let Some(old) = before.get(&about).copied() else { continue };
            if !same(old, value) {
                found.push(Quantity { info, about, old, new: value, path, sum });
            }
        }
    }
    found
}

/// Sums in another order differ in their last bits.
fn same(old: Option<f64>, new: Option<f64>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) if old.is_finite() && new.is_finite() => {
            (old - new).abs() <= 1e-9 * old.abs().max(new.abs())
        }
        _ => old == new,
    }
}

/// Parts that are looked at for all answers of one kind: about a second of work. What is left is not known.
const BUDGET: usize = 4_000_000;

fn amplification(of: &Worked<'_>) -> Vec<Amount> {
    let step = |edge, factor: f64| {
        let (from, to) = of.arch.ends(edge);
        let value = format!("×{}", (factor * 100.0).round() / 100.0);
        Step { from: of.arch.id(from).to_owned(), to: of.arch.id(to).to_owned(), value }
    };
    let value = |path: AmplifiedPath| Amount {
        path: path.hops.iter().map(|hop| step(hop.edge, hop.factor)).collect(),
        ..Amount::new(path.entry.id(of.arch), Some(path.product))
    };
    worst_path_of_each(of.arch, &of.calls).into_iter().map(value).collect()
}

fn duration(of: &Worked<'_>) -> Vec<Amount> {
    let durations = Durations::of(of.arch);
    let value = |stop: Stop| {
        let worst = durations.worst(stop);
        let seconds = worst.total.0 as f64 / 1e9;
        let seconds = if worst.unbounded.is_empty() { seconds } else { f64::INFINITY };
        Amount::new(stop.id(of.arch), Some(seconds))
    };
    entries(of.arch, &of.calls).into_iter().map(value).collect()
}

fn depth(of: &Worked<'_>) -> Vec<Amount> {
    let depths = depths(of.arch, &of.calls);
    let value = |stop: Stop| {
        let calls = of.calls.stop(stop).and_then(|n| depths.get(n.index())).copied();
        // What is in no call is called by nobody and calls nobody.
        Amount::new(stop.id(of.arch), Some(calls.unwrap_or(0) as f64))
    };
    entries(of.arch, &of.calls).into_iter().map(value).collect()
}

fn availability(of: &Worked<'_>) -> Vec<Amount> {
    let mut budget = BUDGET;
    let value = |entry| {
        let most = ceiling(of.arch, &of.failures, entry, &mut budget);
        let sum = most.as_ref().map(Ceiling::product).unwrap_or_default();
        Amount { sum, ..Amount::new(entry.name(of.arch), most.map(|c| c.value)) }
    };
    of.failures.entries.iter().copied().map(value).collect()
}

/// Of what could have a second replica and is declared to have one; nothing fails with one of several.
fn single_points(of: &Worked<'_>) -> Vec<Amount> {
    let mut budget = BUDGET;
    let judged = of.arch.nodes().filter(|(_, node)| node.can_be_single());
    let value = |(index, node): (_, &crate::model::Node)| {
        let single = node.copies_at_least().is_some_and(|copies| copies.value == 1);
        let count = if !single {
            Some(0)
        } else if budget == 0 {
            None
        } else {
            let blast = of.failures.blast(&[index], &mut budget);
            blast.map_or(Some(0), |b| b.complete.then_some(b.entries.len())).filter(|_| budget > 0)
        };
        Amount::new(&node.id.value, count.map(|n| n as f64))
    };
    judged.map(value).collect()
}

fn load(of: &Worked<'_>) -> Vec<Amount> {
    let flow = |index, node: &crate::model::Node| match node.service() {
        Some(_) => of.load.service(of.arch, index),
        None => of.load.at(Place::Node(index)),
    };
    of.arch.nodes().map(|(index, node)| Amount::new(&node.id.value, flow(index, node).base)).collect()
}

fn utilization(of: &Worked<'_>) -> Vec<Amount> {
    let stations = of.load.stations().map(|station| {
        let about = match station.carrier {
            Carrier::Handler(at) => of.arch.endpoint_id(at),
            Carrier::Service(node) | Carrier::Datastore(node) => of.arch.id(node).to_owned(),
        };
        Amount::new(about, station.utilization())
    });
    stations.collect()
}
