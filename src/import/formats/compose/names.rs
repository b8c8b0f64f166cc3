//! Which service a host name means to another service. Must not know where the name was found.

use super::unit::Unit;
use std::collections::HashMap;

/// The names of all services.
pub struct Names {
    /// Ids as written.
    exact: HashMap<String, usize>,
    /// Ids in lower case.
    ids: HashMap<String, usize>,
    /// Container names and hostnames: they hold everywhere.
    hosts: HashMap<String, Vec<usize>>,
    /// Names that hold on one network.
    aliases: HashMap<(String, String), Vec<usize>>,
}

/// What a host name means.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// One service, by its place.
    One(usize),
    /// Several at once.
    Several(Vec<usize>),
    /// None of the file.
    Unknown,
}

impl Names {
    /// The names of these services.
    pub fn new(units: &[Unit]) -> Self {
        let mut all = Self {
            exact: HashMap::new(),
            ids: HashMap::new(),
            hosts: HashMap::new(),
            aliases: HashMap::new(),
        };
        for (at, unit) in units.iter().enumerate() {
            all.exact.insert(unit.id.value.clone(), at);
            all.ids.insert(unit.id.value.to_lowercase(), at);
            for name in &unit.names {
                add(all.hosts.entry(name.to_lowercase()).or_default(), at);
            }
            for (network, aliases) in &unit.networks {
                for alias in aliases {
                    add(all.aliases.entry((network.clone(), alias.to_lowercase())).or_default(), at);
                }
            }
        }
        all
    }

    /// What `host` means to the service at `from`: its own link, the id of a service, an alias on a network
    /// it is on, a container name or hostname. In this order, since compose answers so.
    pub fn resolve(&self, units: &[Unit], from: usize, host: &str) -> Meaning {
        let host = host.to_lowercase();
        let Some(unit) = units.get(from) else { return Meaning::Unknown };
        let linked =
            unit.links.iter().find(|l| l.alias.as_ref().is_some_and(|a| a.eq_ignore_ascii_case(&host)));
        if let Some(link) = linked
            && link.to.to_lowercase() != host
        {
            return self.global(&link.to.to_lowercase());
        }
        if let Some(at) = self.ids.get(&host) {
            return Meaning::One(*at);
        }
        let mut found = Vec::new();
        for (network, _) in &unit.networks {
            for at in self.aliases.get(&(network.clone(), host.clone())).into_iter().flatten() {
                add(&mut found, *at);
            }
        }
        if found.is_empty() { self.global(&host) } else { meaning(found) }
    }

    /// The service of this id.
    pub fn id(&self, id: &str) -> Option<usize> {
        self.exact.get(id).copied()
    }

    /// What a name means without regard to networks.
    pub fn global(&self, name: &str) -> Meaning {
        match self.ids.get(name) {
            Some(at) => Meaning::One(*at),
            None => meaning(self.hosts.get(name).cloned().unwrap_or_default()),
        }
    }

    /// Names other than ids that mean one service wherever they are used: name and place, sorted.
    pub fn unambiguous(&self) -> Vec<(&str, usize)> {
        let mut all: HashMap<&str, Vec<usize>> = HashMap::new();
        let named = self.hosts.iter().map(|(name, at)| (name.as_str(), at));
        let aliased = self.aliases.iter().map(|((_, name), at)| (name.as_str(), at));
        for (name, places) in named.chain(aliased) {
            for at in places {
                add(all.entry(name).or_default(), *at);
            }
        }
        let one = |(name, places): (_, Vec<usize>)| match places.as_slice() {
            [at] if !self.ids.contains_key(name) => Some((name, *at)),
            _ => None,
        };
        let mut found: Vec<_> = all.into_iter().filter_map(one).collect();
        found.sort_unstable();
        found
    }
}

fn add(places: &mut Vec<usize>, at: usize) {
    if !places.contains(&at) {
        places.push(at);
    }
}

fn meaning(places: Vec<usize>) -> Meaning {
    match places.as_slice() {
        [] => Meaning::Unknown,
        [one] => Meaning::One(*one),
        _ => Meaning::Several(places),
    }
}
