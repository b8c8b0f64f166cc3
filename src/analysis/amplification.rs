//! How many attempts one request from outside can become: the product of attempts along a path.

use super::endpoints::{EndpointGraph, Stop};
use crate::model::words::{Retry, RetryCondition, ServiceKind};
use crate::model::{Architecture, Edge};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::{BTreeMap, BTreeSet};

/// One hop of a path.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryHop {
    /// The call.
    pub edge: EdgeIndex,
    /// By how much it multiplies: its attempts, or less under a budget.
    pub factor: f64,
}

/// The worst path from an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct AmplifiedPath {
    /// Where it starts.
    pub entry: Stop,
    /// How often the clients of the entry try, as `upstreams` says of it; 1 where it says nothing.
    pub clients: f64,
    /// All hops down to the last that retries; those that do not have factor 1.
    pub hops: Vec<RetryHop>,
    /// The product: attempts at the last hop for one request of a client of the entry.
    pub product: f64,
    /// Entries whose worst path ends with the same retries and is no worse.
    pub others: usize,
}

/// The share of a budget that says none (Envoy's `budget_percent`).
const BUDGET: f64 = 0.2;

/// By how much a call multiplies requests in an outage of what it calls: its attempts, times the mesh's; under
/// a budget at most 1 + the budget's share.
pub fn factor(arch: &Architecture, edge: &Edge) -> f64 {
    product(arch, edge, |policy| is_retried(policy, &OUTAGE))
}

/// The same when what it calls runs and answers that something behind it fails.
pub fn factor_of_failures(arch: &Architecture, edge: &Edge) -> f64 {
    product(arch, edge, |policy| is_retried(policy, &FAILURE))
}

/// The same for the clients of a service that traffic stands for: what `upstreams` says of it counts for them.
pub fn factor_of_clients(arch: &Architecture, service: NodeIndex) -> f64 {
    let retry = arch.upstream(service).and_then(|policy| policy.retry.as_ref()?.value.on());
    retry.filter(|policy| is_retried(policy, &FAILURE)).map_or(1.0, attempts)
}

/// How often the clients of each entry try.
struct Clients<'a> {
    arch: &'a Architecture,
    named: BTreeSet<(NodeIndex, Option<usize>)>,
}

impl<'a> Clients<'a> {
    fn of(arch: &'a Architecture) -> Self {
        let tried = arch.scenarios.iter().filter_map(|s| s.traffic.as_ref()).flatten();
        let all = arch.traffic.iter().chain(tried);
        Self { arch, named: all.map(|t| (t.to.node, t.to.endpoint)).collect() }
    }

    fn try_times(&self, entry: Stop) -> f64 {
        let is_named = [None, entry.endpoint].iter().any(|at| self.named.contains(&(entry.service, *at)));
        if is_named { factor_of_clients(self.arch, entry.service) } else { 1.0 }
    }
}

/// What an outage looks like to who calls.
const OUTAGE: [RetryCondition; 5] = [
    RetryCondition::ServerError,
    RetryCondition::Unavailable,
    RetryCondition::Timeout,
    RetryCondition::ConnectFailure,
    RetryCondition::Reset,
];

/// What the failure of something behind looks like: an answer, or none in time.
const FAILURE: [RetryCondition; 3] =
    [RetryCondition::ServerError, RetryCondition::Unavailable, RetryCondition::Timeout];

fn is_retried(policy: &Retry, conditions: &[RetryCondition]) -> bool {
    let on = policy.retry_on.as_ref();
    // An attempt that has a time of its own can be followed by another; else the call is over.
    let can = |c: RetryCondition| c != RetryCondition::Timeout || policy.per_try_timeout.is_some();
    on.is_none_or(|on| on.iter().any(|c| conditions.contains(&c.value) && can(c.value)))
}

fn product(arch: &Architecture, edge: &Edge, counts: impl Fn(&Retry) -> bool) -> f64 {
    let mesh = arch.mesh.as_ref().and_then(|m| m.retry.as_ref()).and_then(|r| r.value.on());
    let layers = edge.retry().into_iter().chain(mesh).filter(|policy| counts(policy));
    layers.map(attempts).product()
}

fn attempts(policy: &Retry) -> f64 {
    let attempts = policy.num_retries.map_or(1.0, |n| f64::from(n.value) + 1.0);
    let budget = policy.budget.as_ref().and_then(|b| b.value.on());
    budget.map_or(attempts, |b| attempts.min(1.0 + b.percent.map_or(BUDGET, |p| p.fraction())))
}

/// Where requests begin: what `traffic` names, else what is public, else what nobody calls; and always what
/// begins by itself: handlers of messages, jobs. In document order.
pub fn entries(arch: &Architecture, calls: &EndpointGraph) -> Vec<Stop> {
    let mut entries: Vec<Stop> = Vec::new();
    for traffic in &arch.traffic {
        let (service, endpoint) = (traffic.to.node, traffic.to.endpoint);
        entries.push(Stop { service, endpoint });
        if endpoint.is_none() {
            // It may be any.
            entries.extend(arch.endpoints().filter(|at| at.service == service).map(Stop::from));
        }
    }
    if entries.is_empty() {
        entries.extend(arch.entry_points().into_iter().map(Stop::from));
        let whole = arch.services().filter(|(_, _, s)| s.endpoints.iter().all(|e| e.consumes.is_some()));
        let whole = whole.map(|(service, ..)| Stop { service, endpoint: None });
        entries.extend(whole.filter(|stop| calls.stop(*stop).is_none_or(|n| calls.callers(n).is_empty())));
    }
    for (service, _, about) in arch.services() {
        let runs = matches!(about.kind, ServiceKind::Job | ServiceKind::Cron);
        let handles = |i: &usize| about.endpoints.get(*i).is_some_and(|e| e.consumes.is_some());
        let own = (0..about.endpoints.len()).filter(|i| runs || handles(i));
        entries.extend(own.map(|i| Stop { service, endpoint: Some(i) }));
        if runs {
            entries.push(Stop { service, endpoint: None });
        }
    }
    entries.sort_unstable();
    entries.dedup();
    entries
}

/// For every pair of services between which the worst path of an entry retries last, the path with the
/// largest product; the first of equals. Without those that do not retry. Linear: the best below each
/// endpoint is known before its callers'; calls inside a loop are left out (request-loop speaks of those).
pub fn worst_paths(arch: &Architecture, calls: &EndpointGraph) -> Vec<AmplifiedPath> {
    let best = best_below(arch, calls);
    let clients = Clients::of(arch);
    let mut worst: BTreeMap<(NodeIndex, NodeIndex), AmplifiedPath> = BTreeMap::new();
    for entry in entries(arch, calls) {
        let Some(here) = calls.stop(entry).and_then(|n| best.get(n.index())) else { continue };
        let Some(last) = here.last else { continue };
        let path = worst.entry(arch.ends(last)).or_insert_with(|| AmplifiedPath {
            entry,
            clients: 1.0,
            hops: Vec::new(),
            product: 0.0,
            others: 0,
        });
        path.others += usize::from(path.product > 0.0);
        let tries = clients.try_times(entry);
        let product = (here.product * tries).min(f64::MAX);
        if product > path.product {
            (path.entry, path.clients, path.product) = (entry, tries, product);
        }
    }
    let mut worst: Vec<_> = worst.into_values().collect();
    for path in &mut worst {
        path.hops = hops(&best, calls, path.entry);
    }
    worst.sort_by_key(|path| path.entry);
    worst
}

/// For every entry its worst path, those that do not retry included.
pub fn worst_path_of_each(arch: &Architecture, calls: &EndpointGraph) -> Vec<AmplifiedPath> {
    let (best, clients) = (best_below(arch, calls), Clients::of(arch));
    let path = |entry: Stop| {
        let below = calls.stop(entry).and_then(|n| best.get(n.index())).map_or(1.0, |b| b.product);
        let tries = clients.try_times(entry);
        let product = (below * tries).min(f64::MAX);
        AmplifiedPath { entry, clients: tries, hops: hops(&best, calls, entry), product, others: 0 }
    };
    entries(arch, calls).into_iter().map(path).collect()
}

/// The worst path from an entry.
fn hops(best: &[Best], calls: &EndpointGraph, entry: Stop) -> Vec<RetryHop> {
    let mut hops = Vec::new();
    let mut at = calls.stop(entry);
    while let Some(next) = at.and_then(|n| best.get(n.index())).and_then(|b| b.next) {
        hops.push(RetryHop { edge: next.edge, factor: next.factor });
        at = next.to;
    }
    hops
}

/// The worst there is below a node.
struct Best {
    product: f64,
    next: Option<Next>,
    /// The call that retries last.
    last: Option<EdgeIndex>,
}

#[derive(Clone, Copy)]
struct Next {
    edge: EdgeIndex,
    factor: f64,
    /// Where the path goes on, if it does.
    to: Option<NodeIndex>,
}

fn best_below(arch: &Architecture, calls: &EndpointGraph) -> Vec<Best> {
    let nothing = || Best { product: 1.0, next: None, last: None };
    let mut best: Vec<Best> = calls.graph.node_indices().map(|_| nothing()).collect();
    for node in calls.callees_first() {
        let mut here = nothing();
        for (edge, to) in calls.calls(*node) {
            if calls.is_on_loop(*node, to) {
                continue;
            }
            // Either what is called is out itself, or what it calls in its turn is.
            let (itself, layer) =
                (factor(arch, &arch.graph[edge]), factor_of_failures(arch, &arch.graph[edge]));
            let below = &best[to.index()];
            let behind = (layer * below.product).min(f64::MAX);
            if itself > here.product {
                let next = Some(Next { edge, factor: itself, to: None });
                here = Best { product: itself, next, last: Some(edge) };
            }
            if below.last.is_some() && behind > here.product {
                let next = Some(Next { edge, factor: layer, to: Some(to) });
                here = Best { product: behind, next, last: below.last };
            }
        }
        best[node.index()] = here;
    }
    best
}

/// Calls that repeat the same failure, layer upon layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Layers {
    /// All calls of the group, in document order.
    pub calls: Vec<EdgeIndex>,
    /// The most of them in a row, the outermost first.
    pub row: Vec<EdgeIndex>,
}

/// Groups of calls in which each retries, without a budget, and so does one made right behind it, or right
/// before. Calls are of one group where such rows connect them. Linear.
pub fn retry_layers(arch: &Architecture, calls: &EndpointGraph) -> Vec<Layers> {
    let retries = |edge: EdgeIndex, conditions: &[RetryCondition]| {
        let budgeted = |p: &Retry| p.budget.as_ref().is_some_and(|b| b.value.on().is_some());
        product(arch, &arch.graph[edge], |p| is_retried(p, conditions) && !budgeted(p)) > 1.0
    };
    let mut row: BTreeMap<EdgeIndex, (usize, Option<EdgeIndex>)> = BTreeMap::new();
    let mut sets = petgraph::unionfind::UnionFind::<usize>::new(arch.graph.edge_count());
    for node in calls.callees_first() {
        let made = calls.calls(*node).into_iter().filter(|(_, to)| !calls.is_on_loop(*node, *to));
        let made: Vec<EdgeIndex> = made.map(|(e, _)| e).filter(|e| retries(*e, &OUTAGE)).collect();
        // The longest row that begins here.
        let deepest = made.iter().max_by_key(|e| (row.get(*e).map_or(1, |r| r.0), std::cmp::Reverse(**e)));
        let Some(deepest) = deepest.copied() else { continue };
        let behind = row.get(&deepest).map_or(1, |r| r.0);
        let callers = calls.callers(*node).into_iter().filter(|(_, from)| !calls.is_on_loop(*from, *node));
        let callers: Vec<EdgeIndex> = callers.map(|(e, _)| e).filter(|e| retries(*e, &FAILURE)).collect();
        for caller in &callers {
            row.insert(*caller, (behind + 1, Some(deepest)));
            sets.union(caller.index(), deepest.index());
        }
        for call in made.iter().filter(|_| !callers.is_empty()) {
            row.entry(*call).or_insert((1, None));
            sets.union(call.index(), deepest.index());
        }
    }
    let mut groups: BTreeMap<usize, Layers> = BTreeMap::new();
    for (edge, (length, _)) in &row {
        let group = groups
            .entry(sets.find(edge.index()))
            .or_insert_with(|| Layers { calls: Vec::new(), row: vec![*edge] });
        group.calls.push(*edge);
        if group.row.first().is_some_and(|first| row.get(first).is_some_and(|r| *length > r.0)) {
            group.row = vec![*edge];
        }
    }
    let mut groups: Vec<Layers> = groups.into_values().collect();
    for group in &mut groups {
        while let Some(next) = group.row.last().and_then(|e| row.get(e)).and_then(|r| r.1) {
            group.row.push(next);
        }
    }
    groups.sort_by(|a, b| a.calls.cmp(&b.calls));
    groups
}
