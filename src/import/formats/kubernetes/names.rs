//! Which workloads make one service, what it is called, and which hosts mean it.
//!
//! Callers know Services, not workloads: what a Service selects is one service under its name, however
//! many workloads or further Services it has.

use super::istio::GROUP;
use super::objects::{Labels, Object, labels, selects};
use super::workload::Workload;
use crate::source::Spanned;
use std::collections::{BTreeMap, HashMap, HashSet};

/// One service of the system.
#[derive(Debug)]
pub struct Unit<'n> {
    /// Its id.
    pub id: Spanned<String>,
    /// Its namespace.
    pub namespace: &'n str,
    /// Its workloads, by place; none where the files hold only its Service.
    pub workloads: Vec<usize>,
    /// Its Services, by place among the objects; none where nobody can call it by name.
    pub services: Vec<usize>,
}

/// The services of the system and their names.
#[derive(Debug, Default)]
pub struct Names<'n> {
    /// All services, in document order.
    pub units: Vec<Unit<'n>>,
    /// Unit by namespace and name of a Service.
    hosts: HashMap<(&'n str, String), usize>,
    /// Unit by a host outside of the cluster, in lower case; of `*.example.com` the part after the star.
    outside: HashMap<String, usize>,
}

/// Whether an object is a Service that gives workloads a host.
fn is_service(object: &Object<'_>) -> bool {
    object.kind == "Service" && object.group.is_empty()
}

impl<'n> Names<'n> {
    /// The services of these objects.
    pub fn new(objects: &[Object<'n>], workloads: &[Workload<'n>]) -> Self {
        let selectors: Vec<_> = objects
            .iter()
            .enumerate()
            .filter(|(_, o)| is_service(o))
            .map(|(at, o)| (at, o.namespace, labels(o.at(&["spec", "selector"]))))
            .collect();
        let index = BySelector::new(&selectors);
        let mut all = Self::default();
        let mut by_service: BTreeMap<usize, usize> = BTreeMap::new();
        let mut by_workload: HashMap<usize, usize> = HashMap::new();
        for (at, workload) in workloads.iter().enumerate() {
            let object = &workload.object;
            let named: Vec<usize> = index.of(object.namespace, &workload.labels);
            let chosen = named
                .iter()
                .copied()
                .find(|s| objects.get(*s).is_some_and(|o| o.name.value == object.name.value));
            let chosen = chosen.or_else(|| named.iter().copied().find(|s| by_service.contains_key(s)));
            let chosen = chosen.or_else(|| nearest(objects, &named, &object.name.value));
            let known = chosen.and_then(|service| by_service.get(&service).copied());
            let unit = known.unwrap_or_else(|| {
                let name = chosen.and_then(|s| objects.get(s)).map_or(&object.name, |o| &o.name);
                all.unit(name.clone(), object.namespace)
            });
            by_workload.insert(at, unit);
            if let Some(found) = all.units.get_mut(unit) {
                found.workloads.push(at);
                for service in named {
                    if by_service.get(&service).is_none_or(|known| *known == unit) {
                        if by_service.insert(service, unit).is_none() {
                            found.services.push(service);
                        }
                    }
                }
            }
        }
        all.alone(objects, &selectors, &mut by_service);
        for (service, unit) in by_service {
            if let Some(object) = objects.get(service) {
                all.hosts.entry((object.namespace, object.name.value.to_lowercase())).or_insert(unit);
            }
        }
        for (at, workload) in workloads.iter().enumerate().filter(|(_, w)| w.object.kind == "Service") {
            let unit = by_workload.get(&at).copied();
            let object = &workload.object;
            all.hosts.extend(unit.map(|unit| ((object.namespace, object.name.value.to_lowercase()), unit)));
        }
        all.unique();
        all
    }

    /// Services whose workloads are not in the files, and hosts outside of the cluster.
    fn alone(
        &mut self,
        objects: &[Object<'n>],
        selectors: &[(usize, &'n str, Labels<'n>)],
        by_service: &mut BTreeMap<usize, usize>,
    ) {
        for (at, namespace, _) in selectors {
            let (Some(object), false) = (objects.get(*at), by_service.contains_key(at)) else { continue };
            let unit = self.unit(object.name.clone(), namespace);
            by_service.insert(*at, unit);
            if let Some(found) = self.units.get_mut(unit) {
                found.services.push(*at);
            }
            let outside = object.text(&["spec", "externalName"]);
            if !outside.is_empty() {
                self.outside.entry(outside.trim_end_matches('.').to_lowercase()).or_insert(unit);
            }
        }
        for (at, object) in
            objects.iter().enumerate().filter(|(_, o)| o.group == GROUP && o.kind == "ServiceEntry")
        {
            let hosts = object.at(&["spec", "hosts"]).map_or(&[][..], |n| n.items());
            for host in hosts {
                let Some(name) = host.text().filter(|h| !h.is_empty()) else { continue };
                let key = name.trim_start_matches('*').to_lowercase();
                if self.outside.contains_key(&key) || is_below(&key, "local") {
                    continue;
                }
                let unit = self.unit(
                    Spanned::new(name.trim_start_matches("*.").to_owned(), host.span),
                    object.namespace,
                );
                self.outside.insert(key, unit);
                if let Some(found) = self.units.get_mut(unit) {
                    found.services.push(at);
                }
            }
        }
    }

    fn unit(&mut self, id: Spanned<String>, namespace: &'n str) -> usize {
        self.units.push(Unit { id, namespace, workloads: Vec::new(), services: Vec::new() });
        self.units.len() - 1
    }

    /// Gives services of one name in several namespaces the namespace as a last name.
    fn unique(&mut self) {
        let (mut seen, mut twice) = (HashMap::new(), HashSet::new());
        for unit in &self.units {
            if *seen.entry(unit.id.value.clone()).or_insert(unit.namespace) != unit.namespace {
                twice.insert(unit.id.value.clone());
            }
        }
        let (mut taken, mut numbers) = (HashSet::new(), HashMap::new());
        for unit in &mut self.units {
            if twice.contains(&unit.id.value) {
                unit.id.value = format!("{}.{}", unit.id.value, unit.namespace);
            }
            let name = unit.id.value.clone();
            let number = numbers.entry(name.clone()).or_insert(2);
            while !taken.insert(unit.id.value.clone()) {
                unit.id.value = format!("{name}-{number}");
                *number += 1;
            }
        }
    }

    /// What a host means to somebody in a namespace: `carts`, `carts.shop`, `carts.shop.svc.cluster.local`,
    /// `pod-0.carts`, or a name outside of the cluster.
    pub fn resolve(&self, host: &str, namespace: &str) -> Option<usize> {
        let host = host.trim_end_matches('.').to_lowercase();
        if let Some(unit) = self.outside.get(&host) {
            return Some(*unit);
        }
        let mut parts = host.split('.');
        let name = parts.next()?;
        let second = parts.next();
        let get = |namespace: &str, name: &str| self.hosts.get(&(namespace, name.to_owned())).copied();
        let found = match second {
            None | Some("svc") => get(namespace, name),
            Some(second) => match parts.next() {
                None => get(second, name).or_else(|| get(namespace, second).filter(|_| is_pod(name))),
                Some("svc") => get(second, name),
                Some(third) => get(third, second).filter(|_| is_pod(name)),
            },
        };
        found.or_else(|| self.wildcard(&host))
    }

    /// The longest `*.example.com` that covers a host.
    fn wildcard(&self, host: &str) -> Option<usize> {
        host.match_indices('.').find_map(|(at, _)| self.outside.get(host.get(at..)?).copied())
    }

    /// Whether a host is one of the cluster, were it defined: a single name or one that says so.
    pub fn is_inside(host: &str) -> bool {
        let host = host.trim_end_matches('.').to_lowercase();
        let named = |h: &str| {
            !h.is_empty()
                && h != "localhost"
                && h.starts_with(|c: char| c.is_ascii_lowercase())
                && h.len() > 1
        };
        let inside = is_below(&host, "svc") || is_below(&host, "svc.cluster.local");
        inside || (!host.contains('.') && named(&host))
    }
}

/// Whether a host is below a domain, both in lower case.
fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|before| before.ends_with('.'))
}

/// `web-0`: a pod of a `StatefulSet` has a host of its own below its Service.
fn is_pod(name: &str) -> bool {
    name.rsplit_once('-')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Of several Services the one whose name is nearest to the workload's: it begins it, and of those the
/// longest; else the first.
fn nearest(objects: &[Object<'_>], named: &[usize], workload: &str) -> Option<usize> {
    let begins =
        |service: &&usize| objects.get(**service).is_some_and(|o| workload.starts_with(&o.name.value));
    let length = |service: &&usize| objects.get(**service).map_or(0, |o| o.name.value.len());
    named.iter().filter(begins).max_by_key(length).or(named.first()).copied()
}

/// Services by the first pair their selector asks for, so that a thousand of them are not compared with a
/// thousand workloads.
struct BySelector<'s, 'n> {
    by_pair: HashMap<Pair<'n>, Vec<(usize, &'s Labels<'n>)>>,
}

/// A namespace, and a label in it.
type Pair<'n> = (&'n str, (&'n str, &'n str));

impl<'s, 'n> BySelector<'s, 'n> {
    fn new(selectors: &'s [(usize, &'n str, Labels<'n>)]) -> Self {
        let mut by_pair: HashMap<_, Vec<_>> = HashMap::new();
        for (at, namespace, selector) in selectors {
            if let Some(first) = selector.iter().max() {
                by_pair.entry((*namespace, *first)).or_default().push((*at, selector));
            }
        }
        Self { by_pair }
    }

    fn of(&self, namespace: &'n str, labels: &Labels<'n>) -> Vec<usize> {
        let candidates = labels.iter().filter_map(|pair| self.by_pair.get(&(namespace, *pair))).flatten();
        let mut found: Vec<_> = candidates.filter(|(_, s)| selects(s, labels)).map(|(at, _)| *at).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}
