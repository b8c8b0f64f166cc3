//! How available something can be at the most, from what is declared of everything it cannot do without.
//!
//! Two fields, two meanings. `slo.availability` is measured at the interface, dependencies included: what
//! promises it is one factor, and what lies behind it is not looked at. `availability` is a node's own alone:
//! it is one factor for each node of the whole closure, once. What says neither counts as 1, so that the
//! product is an upper bound whatever is unknown. Failures are taken as independent of one another, and those
//! of several calls of one request to the same node as the same failure.

use super::failure::{Element, FailureGraph};
use crate::model::words::{Share, Slo};
use crate::model::{Architecture, EndpointRef, NodeKind};
use petgraph::graph::{EdgeIndex, NodeIndex};
use std::collections::{HashMap, HashSet, VecDeque};

/// Where a number was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// `slo.availability` of the endpoint with this index.
    EndpointSlo(usize),
    /// `slo.availability` of the service.
    Slo,
    /// `availability` of the node: its own alone.
    Own,
}

/// One number of the product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor {
    /// Whose.
    pub node: NodeIndex,
    /// The share of requests that succeed.
    pub number: Share,
    /// Where it was said.
    pub said: Said,
    /// The call or access by which the node is needed; `None` for the one that promises.
    pub by: Option<EdgeIndex>,
}

/// Factors that are needed together.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// In this part of the requests.
    pub share: f64,
    /// Nearest first.
    pub factors: Vec<Factor>,
}

impl Group {
    /// 1 − share · (1 − Π factors).
    pub fn value(&self) -> f64 {
        let all: f64 = self.factors.iter().map(|f| f.number.fraction()).product();
        if self.share >= 1.0 { all } else { 1.0 - self.share * (1.0 - all) }
    }
}

/// How available something can be at the most, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Ceiling {
    /// What it is about: an endpoint, or a service without endpoints.
    pub of: Element,
    /// First what every request needs, then what only a part of them needs.
    pub groups: Vec<Group>,
    /// The product of the groups.
    pub value: f64,
    /// What is needed and says no number: services and datastores, nearest first.
    pub unknown: Vec<NodeIndex>,
    /// Whether everything that is needed was looked at; if not, it is still an upper bound.
    pub complete: bool,
}

impl Ceiling {
    /// The product in words: `99.95% × 99.9% × (1 − 30% × (1 − 99%))`, of about eight numbers.
    pub fn product(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut left = 8_usize;
        for group in &self.groups {
            if left == 0 {
                parts.push("…".to_owned());
                break;
            }
            let mut all: Vec<_> = group.factors.iter().take(left).map(|f| f.number.to_string()).collect();
            left -= all.len();
            if all.len() < group.factors.len() {
                all.push("…".to_owned());
            }
            let all = all.join(" × ");
            let share = percent(group.share);
            parts.push(match (group.share >= 1.0, self.groups.len()) {
                (true, _) => all,
                (false, 1) => format!("1 − {share} × (1 − {all})"),
                (false, _) => format!("(1 − {share} × (1 − {all}))"),
            });
        }
        parts.join(" × ")
    }

    /// All numbers, in the order of the product.
    pub fn factors(&self) -> impl Iterator<Item = &Factor> {
        self.groups.iter().flat_map(|g| g.factors.iter())
    }
}

/// A share in percent, with three digits of what is missing to 100%: `99.85%`, `99.9985%`.
pub fn percent(share: f64) -> String {
    let missing = (1.0 - share) * 100.0;
    let mut digits = 2_usize;
    let mut scale = missing.abs();
    while scale > 0.0 && scale < 1.0 && digits < 10 {
        scale *= 10.0;
        digits += 1;
    }
    let text = format!("{:.digits$}", share * 100.0);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}%")
}

/// A promise of availability, and what can be reached at the most.
#[derive(Debug, Clone, PartialEq)]
pub struct Promise {
    /// Who promises: an endpoint, or a service.
    pub of: Element,
    /// What is promised.
    pub number: Share,
    /// What can be reached; `None` where no number is known.
    pub ceiling: Option<Ceiling>,
}

impl Promise {
    /// What can be reached, where that is less than what is promised.
    pub fn broken_by(&self) -> Option<&Ceiling> {
        // Products of numbers that are written in decimal carry a little noise.
        self.ceiling.as_ref().filter(|c| self.number.fraction() > c.value + 1e-9)
    }
}

/// Parts that are looked at for all promises of an architecture, before each is looked at less deeply.
const BUDGET: usize = 1_000_000;

/// Every `slo.availability` of the user's own services, those of a service's endpoints before its own.
pub fn promises(arch: &Architecture, graph: &FailureGraph) -> Vec<Promise> {
    let mut budget = BUDGET;
    let mut found = Vec::new();
    for (node, _, service) in arch.services().filter(|(.., s)| !s.external) {
        let number = |slo: Option<&Slo>| Some(slo?.availability?.value);
        let endpoints = service.endpoints.iter().enumerate().filter_map(|(endpoint, e)| {
            let at = EndpointRef { service: node, endpoint };
            Some((Element::Endpoint(at), number(e.slo.as_ref().map(|s| &*s.value))?))
        });
        let whole = number(service.slo.as_ref().map(|s| &*s.value)).map(|n| (Element::Service(node), n));
        for (of, number) in endpoints.chain(whole) {
            found.push(Promise { of, number, ceiling: ceiling(arch, graph, of, &mut budget) });
        }
    }
    found
}

/// Parts that are looked at for one ceiling, at the most, and when the budget of all is used up.
const LIMITS: [usize; 2] = [2_000, 32];

/// The lower of the two readings for an endpoint or service, `None` where no number is known. Of a service
/// with endpoints it is that of its best one: how requests are spread over them is not known, and no mixture
/// is better. The endpoint of its own health check is left out. `budget` counts parts that are looked at.
pub fn ceiling(
    arch: &Architecture,
    graph: &FailureGraph,
    of: Element,
    budget: &mut usize,
) -> Option<Ceiling> {
    let parts = match of {
        Element::Service(node) => covered(arch, node),
        other => vec![other],
    };
    let mut best: Option<Ceiling> = None;
    for part in parts {
        let promised = Walk::new(arch, graph, part, true).run(budget);
        let own = Walk::new(arch, graph, part, false).run(budget);
        let lower = if own.value < promised.value { own } else { promised };
        if best.as_ref().is_none_or(|b| lower.value > b.value) {
            best = Some(lower);
        }
    }
    best.filter(|c| c.factors().next().is_some())
}

/// What a promise of a service covers: the endpoints that can be called, but the one its own health check
/// asks; the service itself where it names none.
pub fn covered(arch: &Architecture, node: NodeIndex) -> Vec<Element> {
    let Some(service) = arch.graph[node].service() else { return Vec::new() };
    let check = service.health_check.as_ref().and_then(|h| h.value.on()).and_then(|h| h.path.as_ref());
    let asked = |name: &str| check.is_some_and(|path| name.split_whitespace().last() == Some(path.as_str()));
    let callable = service.endpoints.iter().enumerate().filter(|(_, e)| e.consumes.is_none());
    let callable = callable.filter(|(_, e)| !asked(&e.name.value));
    let parts = callable.map(|(endpoint, _)| Element::Endpoint(EndpointRef { service: node, endpoint }));
    let parts: Vec<Element> = parts.collect();
    if parts.is_empty() { vec![Element::Service(node)] } else { parts }
}

/// What a promise needs directly and says how available it is, each node once, with the part of requests that
/// needs it: a node's promise, else its own number, which its interface cannot exceed. For a service: what
/// each of its endpoints needs.
pub fn direct_dependencies(arch: &Architecture, graph: &FailureGraph, of: Element) -> Vec<(f64, Factor)> {
    let parts = match of {
        Element::Service(node) => covered(arch, node),
        other => vec![other],
    };
    let mut found: Vec<(f64, Factor)> = Vec::new();
    // Of each node its place above, how many parts need it, and the last of them.
    let mut places: HashMap<NodeIndex, (usize, usize, Option<Element>)> = HashMap::new();
    for part in &parts {
        for (edge, to) in graph.certain_needs(*part) {
            let (Some(by), true) = (edge, to.node() != of.node()) else { continue };
            let Some(mut factor) = promise(arch, to).or_else(|| own(arch, to.node())) else { continue };
            factor.by = Some(by);
            let share = arch.graph[by].probability;
            let (at, needed, last) = places.entry(factor.node).or_insert((found.len(), 0, None));
            if *last != Some(*part) {
                (*needed, *last) = (*needed + 1, Some(*part));
            }
            match found.get_mut(*at) {
                None => found.push((share, factor)),
                Some((s, f)) if lost(share, factor.number) > lost(*s, f.number) => (*s, *f) = (share, factor),
                Some(_) => {}
            }
        }
    }
    found.retain(|(_, f)| places.get(&f.node).is_some_and(|(_, needed, _)| *needed == parts.len()));
    found
}

/// The part of requests that is lost to something.
fn lost(share: f64, number: Share) -> f64 {
    share * (1.0 - number.fraction())
}

/// What is promised at an interface: of the endpoint, else of its service.
fn promise(arch: &Architecture, part: Element) -> Option<Factor> {
    let node = part.node();
    let service = arch.graph[node].service()?;
    let factor = |number: Share, said| Factor { node, number, said, by: None };
    if let Element::Endpoint(at) = part
        && let Some(number) = arch.endpoint(at)?.slo.as_ref().and_then(|s| s.value.availability)
    {
        return Some(factor(number.value, Said::EndpointSlo(at.endpoint)));
    }
    let number = service.slo.as_ref()?.value.availability?;
    matches!(part, Element::Endpoint(_) | Element::Service(_)).then(|| factor(number.value, Said::Slo))
}

/// A node's own number.
fn own(arch: &Architecture, node: NodeIndex) -> Option<Factor> {
    let number = match &arch.graph[node].kind {
        NodeKind::Service(service) => service.availability?,
        NodeKind::Datastore(store) => store.availability?,
        NodeKind::Queue(_) | NodeKind::Topic(_) => return None,
    };
    Some(Factor { node, number: number.value, said: Said::Own, by: None })
}

/// A walk through everything one part needs.
struct Walk<'a> {
    arch: &'a Architecture,
    graph: &'a FailureGraph,
    start: Element,
    /// Whether a promise stands for all that lies behind it.
    promises: bool,
    seen: HashSet<Element>,
    /// The group and place of each node's number.
    counted: HashMap<NodeIndex, (usize, usize)>,
    groups: Vec<Group>,
    /// Needed only in a part of the requests: looked at when everything that is always needed is known.
    later: Vec<(f64, EdgeIndex, Element)>,
    reached: Vec<NodeIndex>,
    complete: bool,
}

impl<'a> Walk<'a> {
    fn new(arch: &'a Architecture, graph: &'a FailureGraph, start: Element, promises: bool) -> Self {
        Self {
            arch,
            graph,
            start,
            promises,
            seen: HashSet::new(),
            counted: HashMap::new(),
            groups: Vec::new(),
            later: Vec::new(),
            reached: Vec::new(),
            complete: true,
        }
    }

    fn run(mut self, budget: &mut usize) -> Ceiling {
        self.group(1.0, self.start, None, budget);
        // What most requests need comes first, so that each node counts with its largest share. What is
        // needed in a part of that part is left out: it can only lower the product.
        let mut later = std::mem::take(&mut self.later);
        later.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (share, edge, part) in later {
            self.group(share, part, Some(edge), budget);
        }
        let unknown = self.reached.iter().filter(|n| !self.counted.contains_key(n)).copied().collect();
        let groups: Vec<_> = self.groups.into_iter().filter(|g| !g.factors.is_empty()).collect();
        let value = groups.iter().map(Group::value).product();
        Ceiling { of: self.start, groups, value, unknown, complete: self.complete }
    }

    /// Everything that is needed for certain once `from` is.
    fn group(&mut self, share: f64, from: Element, by: Option<EdgeIndex>, budget: &mut usize) {
        self.groups.push(Group { share, factors: Vec::new() });
        let mut queue = VecDeque::new();
        if self.seen.insert(from) {
            queue.push_back((from, by));
        }
        let mut limit = if *budget > 0 { LIMITS[0] } else { LIMITS[1] };
        while let Some((part, by)) = queue.pop_front() {
            if limit == 0 {
                self.complete = false;
                break;
            }
            limit -= 1;
            *budget = budget.saturating_sub(1);
            if self.count(part, by) {
                continue;
            }
            for (edge, to) in self.graph.certain_needs(part) {
                let share = edge.map_or(1.0, |e| self.arch.graph[e].probability);
                match edge {
                    Some(edge) if share < 1.0 => self.later.push((share, edge, to)),
                    _ if self.seen.insert(to) => queue.push_back((to, edge.or(by))),
                    _ => {}
                }
            }
        }
    }

    /// Takes the number of a part in, and says whether it stands for all that lies behind.
    fn count(&mut self, part: Element, by: Option<EdgeIndex>) -> bool {
        let node = part.node();
        // What is promised here is what is asked for.
        let promised = self.promises && node != self.start.node();
        let promise = if promised { promise(self.arch, part) } else { None };
        let found = match part {
            Element::Node(node) => own(self.arch, node),
            _ => None,
        };
        if matches!(part, Element::Node(_)) && !self.arch.graph[node].is_channel() || promise.is_some() {
            self.reached.push(node);
        }
        let Some(factor) = promise.or(found) else { return false };
        let factor = Factor { by, ..factor };
        let group = self.groups.len() - 1;
        match self.counted.get(&node).copied() {
            // The lower of several of one node; never twice, and not for a smaller part of the requests.
            Some((of, at)) if of == group => {
                let known = &mut self.groups[of].factors[at];
                if factor.number < known.number {
                    *known = factor;
                }
            }
            Some(_) => {}
            None => {
                let factors = &mut self.groups[group].factors;
                self.counted.insert(node, (group, factors.len()));
                factors.push(factor);
            }
        }
        promise.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_keep_three_digits_of_what_is_missing() {
        let cases = [
            (1.0, "100%"),
            (0.0, "0%"),
            (0.3, "30%"),
            (0.912_345, "91.23%"),
            (0.990_123, "99.012%"),
            (0.9985, "99.85%"),
            (0.998_765_4, "99.877%"),
            (0.999_985, "99.9985%"),
            (0.999_999, "99.9999%"),
            // Ten digits are the most.
            (1.0 - 1e-15, "100%"),
        ];
        for (share, expected) in cases {
            assert_eq!(percent(share), expected, "{share}");
        }
    }

    fn ceiling(groups: &[(f64, usize)]) -> Ceiling {
        let number = Share::parse("99.9%").unwrap_or_default();
        let factor = Factor { node: NodeIndex::new(0), number, said: Said::Own, by: None };
        let groups = groups.iter().map(|(share, n)| Group { share: *share, factors: vec![factor; *n] });
        let of = Element::Node(NodeIndex::new(0));
        Ceiling { of, groups: groups.collect(), value: 1.0, unknown: Vec::new(), complete: true }
    }

    #[test]
    fn products_show_eight_numbers() {
        let eight = ["99.9%"; 8].join(" × ");
        assert_eq!(ceiling(&[(1.0, 8)]).product(), eight);
        assert_eq!(ceiling(&[(1.0, 9)]).product(), format!("{eight} × …"));
        assert_eq!(ceiling(&[(1.0, 8), (0.3, 1)]).product(), format!("{eight} × …"));
        let seven = ["99.9%"; 7].join(" × ");
        let rest = "(1 − 30% × (1 − 99.9%";
        assert_eq!(ceiling(&[(1.0, 7), (0.3, 1)]).product(), format!("{seven} × {rest}))"));
        assert_eq!(ceiling(&[(1.0, 7), (0.3, 2)]).product(), format!("{seven} × {rest} × …))"));
        assert_eq!(ceiling(&[(0.3, 1)]).product(), "1 − 30% × (1 − 99.9%)");
    }
}
