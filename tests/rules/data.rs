//! Guards of the rules of `data`.

use crate::support::{check, words};

/// Services with something said of them and what their endpoint does, and datastores.
fn system(services: &[(&str, &str, &str)], stores: &str) -> String {
    let service = |(id, about, calls): &(&str, &str, &str)| {
        format!("  {id}: {{ {about} endpoints: {{ E: {{ calls: [{calls}] }} }} }}\n")
    };
    let services = services.iter().map(service).collect::<Vec<_>>().concat();
    format!("services:\n{services}datastores: {{ {stores} }}\n")
}

#[test]
fn guards_of_shared_datastore() {
    let found = ["warning shared-datastore"];
    let two = |a: &str, b: &str, stores: &str| system(&[("a", "", a), ("b", "", b)], stores);
    check(&two("write: d", "write: d", "d: {}"), &found);
    check(&two("write: d", "read: d", "d: {}"), &[]);
    check(&two("write: d, write: d", "read: d", "d: {}"), &[]);
    // Schemas of their own on one server are not shared; a replica is the same data.
    check(&two("write: d", "write: e", "d: { schema: x }, e: { schema: x }"), &[]);
    check(&two("write: d", "write: e", "d: {}, e: { replica_of: d }"), &found);
    check(&two("write: d", "read: e", "d: {}, e: { replica_of: d }"), &[]);
    check(&two("write: c", "write: d", "c: { replica_of: e }, d: { replica_of: e }, e: {}"), &found);
    // Each a copy of the other: nobody knows what is meant.
    check(&two("write: c", "write: d", "c: { replica_of: d }, d: { replica_of: c }"), &[]);
    let of = |kind: &str| system(&[("a", "", "write: d"), ("b", kind, "write: d")], "d: {}");
    check(&of("kind: job,"), &[]);
    check(&of("kind: cron,"), &found);
    // What is only known as a dependency may be reading.
    let bare = "services: { a: { dependencies: [d] }, b: { dependencies: [d] } }\ndatastores: { d: {} }";
    check(bare, &[]);
    let three = [("a", "", "write: d"), ("b", "", "write: d"), ("c", "", "write: d")];
    check(&system(&three, "d: {}"), &found);
    assert!(words(&system(&three, "d: {}")).contains("3 services write `d`"));
}

#[test]
fn guards_of_foreign_datastore_access() {
    let found = ["warning foreign-datastore-access"];
    let of = |about: &str, calls: &str, store: &str| {
        let own = ("b", "owner: y,", "read: d");
        system(&[("a", about, calls), own], &format!("d: {{ {store} }}"))
    };
    check(&of("owner: x,", "read: d", "owner: y"), &found);
    check(&of("owner: x,", "write: d, read: d", "owner: y"), &found);
    check(&of("owner: x,", "read: d", "service: b"), &found);
    check(&of("owner: y,", "read: d", "owner: y"), &[]);
    check(&of("", "read: d", "owner: y"), &[]);
    check(&of("owner: x,", "read: d", ""), &[]);
    check(&of("owner: x, kind: job,", "write: d", "owner: y"), &[]);
    check(&of("owner: x, kind: cron,", "write: d", "owner: y"), &found);
    // The datastore's own owner goes before that of its service; its service is at home.
    check(&of("owner: x,", "read: d", "service: a, owner: y"), &[]);
    check(&of("owner: y,", "read: d", "service: b, owner: y"), &[]);
    // What several write is one cause.
    let both = [("a", "owner: x,", "write: d"), ("b", "owner: y,", "write: d")];
    check(&system(&both, "d: { owner: y }"), &["warning shared-datastore"]);
    let third = [both[0], both[1], ("c", "owner: z,", "read: d")];
    check(&system(&third, "d: { owner: y }"), &[found[0], "warning shared-datastore"]);
}

#[test]
fn guards_of_dual_write() {
    let of = |calls: &str, kind: &str| {
        let yaml =
            system(&[("a", "", calls), ("b", "consumes: { t: {} },", "")], &format!("d: {{ {kind} }}"));
        format!(
            "lint: {{ rules: {{ dual-write: info }} }}\ntopics: {{ t: {{ external_producers: true }} }}\n{yaml}"
        )
    };
    let found = ["info dual-write"];
    check(&of("write: d, publish: t", ""), &found);
    check(&of("publish: t, { parallel: [write: d] }", ""), &found);
    check(&of("write: d, { publish: t, via: outbox }", ""), &[]);
    check(&of("write: d, { publish: t, via: CDC }", ""), &[]);
    check(&of("write: d, { publish: t, via: kafka }", ""), &found);
    check(&of("write: d, { publish: t, via: outbox }, publish: t", ""), &found);
    check(&of("read: d, publish: t", ""), &[]);
    check(&of("write: d", ""), &[]);
    check(&of("write: d, publish: t", "kind: memcached"), &[]);
    check(&of("write: d, publish: t", "kind: redis"), &found);
    check(&of("write: d, publish: t", "").replace("info }", "allow }"), &[]);
    // Handlers do it as well; a service as a whole may do it elsewhere.
    let handler = "lint: { rules: { dual-write: info } }\ntopics: { t: {}, u: {} }\ndatastores: { d: {} }\n\
         services: { a: { endpoints: { E: { calls: [publish: u] } } }, \
         b: { consumes: { u: { calls: [write: d, publish: t] } } }, c: { consumes: { t: {} } } }";
    check(handler, &found);
    let whole = of("write: d", "");
    check(&format!("{whole}communications: [{{ from: a, to: t }}]\n"), &[]);
    check(&format!("{whole}communications: [{{ from: a E, to: t }}]\n"), &found);
}

#[test]
fn guards_of_public_datastore() {
    let of = |exposure: &str| {
        system(&[("a", "", "read: d"), ("b", "", "read: d")], &format!("d: {{ {exposure} }}"))
    };
    check(&of("exposure: public"), &["error public-datastore"]);
    check(&of("exposure: internal"), &[]);
    check(&of(""), &[]);
}

#[test]
fn datastores_name_what_is_there() {
    let of = |about: &str| {
        system(&[("a", "", "read: orders"), ("b", "", "read: d")], &format!("orders: {{}}, d: {{ {about} }}"))
    };
    check(&of("replica_of: orders"), &[]);
    check(&of("replica_of: order"), &["error undefined-datastore"]);
    assert!(words(&of("replica_of: order")).contains("did you mean `orders`?"));
    check(&of("replica_of: a"), &["error undefined-datastore"]);
    check(&of("service: a"), &[]);
    check(&of("service: c"), &["error undefined-service"]);
}
