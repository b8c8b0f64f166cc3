//! Subsets: hosts with the labels a request asks for.

use super::super::PolicyInfo;

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "subsets",
    summary: "only hosts with the labels a request asks for (Envoy)",
    page: include_str!("subsets.md"),
};

/// What is done when no host has the labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fallback {
    /// No host.
    #[default]
    NoFallback,
    /// Any host.
    AnyEndpoint,
    /// The hosts with the labels of the default subset.
    DefaultSubset,
    /// Look again, with these of the labels only. For selectors.
    KeysSubset(Vec<String>),
}

/// Label names that requests may ask for together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    /// The names.
    pub keys: Vec<String>,
    /// What is done when no host has the values asked for; `None`: what the cluster does.
    pub fallback: Option<Fallback>,
}

impl Selector {
    /// These names, and the cluster's fallback.
    pub fn of<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self { keys: keys.into_iter().map(str::to_owned).collect(), fallback: None }
    }
}

/// Which hosts a request gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Those of the subset of this number: they have the labels.
    Subset(usize),
    /// All, as a fallback.
    Any,
    /// Those of the default subset, as a fallback.
    Default,
    /// None.
    Nobody,
}

/// Hosts grouped by label values.
///
/// ```
/// use loadpath::policy::balancer::tiers::{Choice, Fallback, Selector, Subsets};
/// let hosts: [&[(&str, &str)]; 3] = [&[("version", "1")], &[("version", "2")], &[("version", "2")]];
/// let subsets = Subsets::new(&hosts, &[Selector::of(["version"])], Fallback::AnyEndpoint, &[]);
/// assert_eq!(subsets.members(subsets.choose(&[("version", "2")])), [1, 2]);
/// assert_eq!(subsets.choose(&[("version", "3")]), Choice::Any);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subsets {
    selectors: Vec<Selector>,
    fallback: Fallback,
    sets: Vec<Set>,
    any: Vec<usize>,
    default: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Set {
    labels: Vec<(String, String)>,
    members: Vec<usize>,
}

/// A request's labels, or only those with these names.
#[derive(Clone, Copy)]
struct Asked<'a> {
    labels: &'a [(&'a str, &'a str)],
    only: Option<&'a [String]>,
}

impl<'a> Asked<'a> {
    fn labels(self) -> impl Iterator<Item = &'a (&'a str, &'a str)> {
        let wanted = move |key: &str| self.only.is_none_or(|only| only.iter().any(|name| name == key));
        self.labels.iter().filter(move |(key, _)| wanted(key))
    }

    fn is(self, set: &Set) -> bool {
        let held = |key: &str, value: &str| set.labels.iter().any(|(k, v)| k == key && v == value);
        self.labels().count() == set.labels.len() && self.labels().all(|(key, value)| held(key, value))
    }

    fn fits(self, selector: &Selector) -> bool {
        self.labels().count() == selector.keys.len()
            && self.labels().all(|(key, _)| selector.keys.iter().any(|name| name == key))
    }
}

fn value<'a>(labels: &'a [(&str, &str)], key: &str) -> Option<&'a str> {
    labels.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
}

impl Subsets {
    /// Groups hosts, given by their labels, for each selector by the values they have; a host that lacks
    /// a name of a selector is in none of its subsets.
    pub fn new(
        hosts: &[&[(&str, &str)]],
        selectors: &[Selector],
        fallback: Fallback,
        default_subset: &[(&str, &str)],
    ) -> Self {
        let mut sets: Vec<Set> = Vec::new();
        for (index, labels) in hosts.iter().enumerate() {
            for selector in selectors {
                let found: Option<Vec<(String, String)>> = selector
                    .keys
                    .iter()
                    .map(|key| Some((key.clone(), value(labels, key)?.to_owned())))
                    .collect();
                let Some(mut labels) = found.filter(|found| !found.is_empty()) else { continue };
                labels.sort();
                match sets.iter_mut().find(|set| set.labels == labels) {
                    Some(set) if set.members.last() == Some(&index) => {}
                    Some(set) => set.members.push(index),
                    None => sets.push(Set { labels, members: vec![index] }),
                }
            }
        }
        let is_default = |labels: &[(&str, &str)]| {
            default_subset.iter().all(|(key, wanted)| value(labels, key) == Some(*wanted))
        };
        let default =
            (0..hosts.len()).filter(|host| hosts.get(*host).is_some_and(|labels| is_default(labels)));
        let (default, any) = (default.collect(), (0..hosts.len()).collect());
        Self { selectors: selectors.to_vec(), fallback, sets, any, default }
    }

    /// Whom a request with these labels gets. The labels must be exactly those of a selector.
    pub fn choose(&self, labels: &[(&str, &str)]) -> Choice {
        let mut asked = Asked { labels, only: None };
        // Each round has fewer labels; more rounds than selectors would go in a circle.
        for _ in 0..=self.selectors.len() {
            if let Some(set) = self.sets.iter().position(|set| asked.is(set)) {
                return Choice::Subset(set);
            }
            let selector = self.selectors.iter().find(|selector| asked.fits(selector));
            match selector.and_then(|selector| selector.fallback.as_ref()) {
                Some(Fallback::KeysSubset(keys)) => asked.only = Some(keys),
                Some(fallback) => return Self::fall_back(fallback),
                None => return Self::fall_back(&self.fallback),
            }
        }
        Choice::Nobody
    }

    fn fall_back(fallback: &Fallback) -> Choice {
        match fallback {
            Fallback::AnyEndpoint => Choice::Any,
            Fallback::DefaultSubset => Choice::Default,
            Fallback::NoFallback | Fallback::KeysSubset(_) => Choice::Nobody,
        }
    }

    /// The hosts of a choice, in configuration order.
    pub fn members(&self, choice: Choice) -> &[usize] {
        match choice {
            Choice::Subset(set) => self.sets.get(set).map_or(&[], |set| &set.members),
            Choice::Any => &self.any,
            Choice::Default => &self.default,
            Choice::Nobody => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The five hosts of Envoy's documentation (`subsets.rst`) in short.
    const HOSTS: [&[(&str, &str)]; 5] = [
        &[("stage", "prod"), ("version", "1.0"), ("type", "std"), ("xlarge", "true")],
        &[("stage", "prod"), ("version", "1.0"), ("type", "std")],
        &[("stage", "prod"), ("version", "1.1"), ("type", "std")],
        &[("stage", "prod"), ("version", "1.1"), ("type", "bigmem")],
        &[("stage", "dev"), ("version", "1.2-pre"), ("type", "std")],
    ];

    fn documented() -> Subsets {
        let selectors = [&["stage", "type"][..], &["stage", "version"], &["version"], &["xlarge", "version"]]
            .map(|keys| Selector::of(keys.iter().copied()));
        Subsets::new(&HOSTS, &selectors, Fallback::DefaultSubset, &[("stage", "prod")])
    }

    #[test]
    fn exactly_the_labels_of_a_selector_are_found() {
        let subsets = documented();
        let members = |labels: &[(&str, &str)]| subsets.members(subsets.choose(labels)).to_vec();
        assert_eq!(members(&[("stage", "prod"), ("type", "std")]), [0, 1, 2]);
        assert_eq!(members(&[("type", "bigmem"), ("stage", "prod")]), [3]);
        assert_eq!(members(&[("version", "1.0")]), [0, 1]);
        assert_eq!(members(&[("xlarge", "true"), ("version", "1.0")]), [0]);
        // No selector, no such value, no labels: the default subset.
        for labels in [&[("other", "true")][..], &[("version", "9")], &[("stage", "prod")], &[]] {
            assert_eq!(subsets.choose(labels), Choice::Default, "{labels:?}");
        }
        assert_eq!(members(&[]), [0, 1, 2, 3]);
    }

    #[test]
    fn a_selector_may_fall_back_in_its_own_way() {
        let with = |keys: &[&str], fallback| Selector {
            fallback: Some(fallback),
            ..Selector::of(keys.iter().copied())
        };
        let selectors = [
            with(&["stage", "version"], Fallback::KeysSubset(vec!["stage".into()])),
            with(&["stage"], Fallback::NoFallback),
            with(&["type"], Fallback::AnyEndpoint),
        ];
        let subsets = Subsets::new(&HOSTS, &selectors, Fallback::DefaultSubset, &[("version", "1.0")]);
        let members = |labels: &[(&str, &str)]| subsets.members(subsets.choose(labels)).to_vec();
        assert_eq!(members(&[("stage", "prod"), ("version", "1.1")]), [2, 3]);
        assert_eq!(members(&[("stage", "prod"), ("version", "9")]), [0, 1, 2, 3]);
        assert_eq!(subsets.choose(&[("stage", "test"), ("version", "9")]), Choice::Nobody);
        assert_eq!(subsets.choose(&[("type", "tiny")]), Choice::Any);
        assert_eq!(members(&[("other", "1")]), [0, 1]);
    }
}
