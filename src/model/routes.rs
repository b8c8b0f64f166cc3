//! Endpoints by the names callers use, for services that have many.

use super::Endpoint;
use std::collections::{BTreeSet, HashMap};

/// The endpoints of a service that can be called.
#[derive(Debug, Default)]
pub struct Routes {
    /// The first of each name.
    exact: HashMap<String, usize>,
    /// By their paths with `{}` in place of open parts: method and index, in document order.
    paths: HashMap<String, Vec<(Option<String>, usize)>>,
    /// Which parts are open, for each form of path there is.
    forms: BTreeSet<Vec<bool>>,
}

impl Routes {
    /// Indexes endpoints; linear in their names.
    pub fn of(endpoints: &[Endpoint]) -> Self {
        let mut this = Self::default();
        for (i, endpoint) in endpoints.iter().enumerate().filter(|(_, e)| e.consumes.is_none()) {
            let name = endpoint.name.value.as_str();
            this.exact.entry(name.to_owned()).or_insert(i);
            let Some((method, path)) = route(name) else { continue };
            let form: Vec<bool> = path.split('/').map(is_open).collect();
            this.paths.entry(with_open(path, &form)).or_default().push((method.map(str::to_owned), i));
            this.forms.insert(form);
        }
        this
    }

    /// The endpoint a caller means: the same words; a bare path, which is any method; a path with other words
    /// in place of `{…}`. Of several the first. One look-up for each form of path.
    pub fn find(&self, name: &str) -> Option<usize> {
        if let Some(exact) = self.exact.get(name) {
            return Some(*exact);
        }
        let (method, path) = route(name)?;
        let parts = path.split('/').count();
        let fits = |own: &Option<String>| own.is_none() || method.is_none() || own.as_deref() == method;
        let same_form = self.forms.iter().filter(|form| form.len() == parts);
        let found = same_form.filter_map(|form| {
            let routes = self.paths.get(&with_open(path, form))?;
            routes.iter().find(|(own, _)| fits(own)).map(|(_, i)| *i)
        });
        found.min()
    }
}

/// Method and path of a name that has a path.
fn route(name: &str) -> Option<(Option<&str>, &str)> {
    let (method, path) = match name.split_once(char::is_whitespace) {
        Some((method, path)) => (Some(method), path.trim()),
        None => (None, name),
    };
    path.starts_with('/').then_some((method, path))
}

fn is_open(part: &str) -> bool {
    part.starts_with('{') && part.ends_with('}')
}

fn with_open(path: &str, open: &[bool]) -> String {
    let parts = path.split('/').zip(open).map(|(part, open)| if *open { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}
