//! Kubernetes manifests: workloads and their Services become services, well-known images datastores,
//! addresses that containers are told edges; Istio's traffic rules become policies.
//!
//! Files are read as `kubectl apply -f` takes them: any number of documents, lists, any order. Must not
//! know what a document means.

mod document;
mod edges;
mod istio;
mod left_out;
mod names;
mod objects;
mod references;
mod workload;

use crate::finding::Finding;
use crate::import::clues::roles::{Role, role};
use crate::import::notes::{coverage, undrawn};
use crate::import::tree::{entry, section, text};
use crate::import::{Candidate, Format, ImportFile, Imported, Note, tree};
use crate::source::Span;
use crate::spec::Reader;
use crate::spec::decode::{Ctx, check_id};
use crate::spec::tree::Node;
use document::Parts;
use left_out::LeftOut;
use names::Names;
use objects::Object;
use std::collections::{BTreeMap, HashMap, HashSet};
use workload::Workload;

/// Kubernetes.
pub static FORMAT: Format = Format {
    name: "kubernetes",
    summary: "Kubernetes manifests with Istio's and the Gateway API's rules: services, datastores, calls by address, policies",
    page: include_str!("kubernetes.md"),
    streams: |_| false,
    glance,
    recognise: is_kubernetes,
    import,
};

/// Whether some document of a file says that it is an object, and none before it says that it is ours.
fn is_kubernetes(file: &Candidate<'_>) -> bool {
    let said = file.documents().find(|d| !d.is_null());
    said.is_some_and(objects::is_object) || file.documents().any(objects::is_object)
}

/// Whether a text says at the left edge that it is an object, and is no template.
fn glance(_: &str, text: &str) -> bool {
    let says =
        |key: &str| text.lines().any(|line| line.strip_prefix(key).is_some_and(|v| !v.trim().is_empty()));
    says("apiVersion:") && says("kind:") && !crate::spec::is_template(text)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of all formats")]
fn import(reader: &mut Reader<'_>, files: Vec<ImportFile>) -> Imported {
    let file = files.first().map(|f| f.file).unwrap_or_default();
    let root = files.first().map_or(Span::default(), |f| f.first().span);
    let mut findings: Vec<Finding> = Vec::new();
    let mut notes = Vec::new();
    let objects = objects::all(&files, &mut findings, &mut notes);
    let maps = workload::maps(&objects);
    let workloads = workload::all(&objects, &maps, &mut findings);
    let mut names = Names::new(&objects, &workloads);
    names.units.iter().for_each(|unit| {
        let mut ctx = Ctx::new();
        check_id(&unit.id.value, unit.id.span, &mut ctx);
        findings.append(&mut ctx.findings);
    });
    references::check(&objects, &names, &mut findings);
    let roles: Vec<Role> = names.units.iter().map(|unit| role_of(unit, &workloads)).collect();
    let mut found = edges::find(&names, &workloads, &roles);
    notes.append(&mut found.notes);
    let roles: Vec<Role> = found.calls.roles().collect();
    let tree = self::tree_of(&objects, &workloads, &mut names, &roles, root, &mut notes);
    let document = tree::document(tree, root, &mut findings);
    let files: Vec<_> = files.iter().map(|f| reader.sources.file(f.file).name.clone()).collect();
    let undrawn =
        undrawn(&found.calls, "not drawn, since several workloads share the map that holds the address");
    notes.splice(0..0, coverage(&files, &found.calls).into_iter().chain(undrawn));
    Imported::of(file, document, findings, notes).drawn(found.calls, root)
}

/// What a unit is, by the image of its first container.
fn role_of(unit: &names::Unit<'_>, workloads: &[Workload<'_>]) -> Role {
    let first = unit.workloads.first().and_then(|at| workloads.get(*at));
    let Some(container) = first.and_then(|w| w.containers.iter().find(|c| !c.init)) else {
        return Role::Service;
    };
    let has_variable = |name: &str| container.told.iter().any(|told| told.key == name);
    role(&unit.id.value, container.image, &has_variable)
}

fn tree_of(
    objects: &[Object<'_>],
    workloads: &[Workload<'_>],
    names: &mut Names<'_>,
    roles: &[Role],
    root: Span,
    notes: &mut Vec<Note>,
) -> Option<Node> {
    let scalers = document::scalers(objects);
    let mut left_out = LeftOut::default();
    let mut public: HashMap<usize, Span> = HashMap::new();
    for (host, namespace, span) in
        document::public_services(objects).into_iter().chain(istio::let_in(objects))
    {
        if let Some(unit) = names.resolve(host, namespace) {
            public.entry(unit).or_insert(span);
        }
    }
    let (mut services, mut datastores, mut aliases) = (Vec::new(), Vec::new(), BTreeMap::new());
    let ids: HashSet<&str> = names.units.iter().map(|u| u.id.value.as_str()).collect();
    for (at, unit) in names.units.iter().enumerate() {
        let role = roles.get(at).copied().unwrap_or(Role::Service);
        let parts = Parts { unit, objects, workloads, public: public.get(&at).copied(), role };
        let node = document::node(&parts, &scalers, &mut left_out);
        if matches!(role, Role::Datastore(_)) {
            datastores.push(node);
        } else {
            services.push(node);
        }
        for (name, span) in document::other_names(&parts) {
            if !ids.contains(name.as_str()) {
                aliases.entry(name).or_insert_with(Vec::new).push((unit.id.value.clone(), span));
            }
        }
    }
    let aliases = aliases.into_iter().filter_map(|(name, of)| match of.as_slice() {
        [(id, span)] => Some(entry(&name, *span, text(id.as_str(), *span))),
        _ => None,
    });
    let upstreams = istio::upstreams(objects, names, &mut left_out, notes);
    notes.extend(left_out.notes());
    let sections = [
        ("aliases", section(root, aliases.collect())),
        ("services", section(root, services)),
        ("datastores", section(root, datastores)),
        ("upstreams", upstreams),
    ];
    tree::mapping(root, sections)
}
