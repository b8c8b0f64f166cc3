//! What can be worked out of both versions: retries, time, depth.

use crate::analysis::{Durations, EndpointGraph, Stop, depths, entries, worst_path_of_each};
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
    /// Calls.
    Calls,
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
    of: fn(&Worked<'_>) -> Vec<Value>,
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
    QuantityInfo { name: "depth", title: "calls in a row", unit: Unit::Calls, worse: Worse::Up, of: depth },
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
struct Value {
    about: String,
    /// Infinite: nothing bounds it. `None`: it is not known.
    value: Option<f64>,
    path: Vec<Step>,
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
}

/// The quantities that differ, of what both versions have.
pub(super) fn compare(old: &Architecture, new: &Architecture) -> Vec<Quantity> {
    let worked = |arch| Worked { arch, calls: EndpointGraph::of(arch) };
    let (old, new) = (worked(old), worked(new));
    let mut found = Vec::new();
    for info in QUANTITIES {
        let before: BTreeMap<String, Option<f64>> =
            (info.of)(&old).into_iter().map(|v| (v.about, v.value)).collect();
        let mut after = (info.of)(&new);
        after.sort_by(|a, b| a.about.cmp(&b.about));
        for Value { about, value, path } in after {
            let Some(old) = before.get(&about).copied() else { continue };
            if !same(old, value) {
                found.push(Quantity { info, about, old, new: value, path });
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

fn amplification(of: &Worked<'_>) -> Vec<Value> {
    let step = |edge, factor: f64| {
        let (from, to) = of.arch.ends(edge);
        let value = format!("×{}", (factor * 100.0).round() / 100.0);
        Step { from: of.arch.id(from).to_owned(), to: of.arch.id(to).to_owned(), value }
    };
    let paths = worst_path_of_each(of.arch, &of.calls).into_iter();
    let value = |path: crate::analysis::AmplifiedPath| Value {
        about: path.entry.id(of.arch),
        value: Some(path.product),
        path: path.hops.iter().map(|hop| step(hop.edge, hop.factor)).collect(),
    };
    paths.map(value).collect()
}

/// Without an entry's own time or any call that takes some there is nothing to tell.
fn duration(of: &Worked<'_>) -> Vec<Value> {
    let durations = Durations::of(of.arch);
    let value = |stop: Stop| {
        let worst = durations.worst(stop);
        let bounded = worst.unbounded.is_empty();
        let seconds = worst.total.0 as f64 / 1e9;
        Value {
            about: stop.id(of.arch),
            value: Some(if bounded { seconds } else { f64::INFINITY }),
            path: Vec::new(),
        }
    };
    entries(of.arch, &of.calls).into_iter().map(value).collect()
}

fn depth(of: &Worked<'_>) -> Vec<Value> {
    let depths = depths(of.arch, &of.calls);
    let value = |stop: Stop| {
        let calls = of.calls.stop(stop).and_then(|n| depths.get(n.index())).copied();
        Value { about: stop.id(of.arch), value: calls.map(|n| n as f64), path: Vec::new() }
    };
    entries(of.arch, &of.calls).into_iter().map(value).collect()
}
