//! Guards of the rules of `messaging`.

use crate::support::{check, words};

/// `web` publishes, `mailer` consumes, to and from `q`; and what else there is.
fn system(web: &str, mailer: &str, more: &str) -> String {
    format!("services:\n  web: {{ kind: job, {web} }}\n  mailer: {{ kind: job, {mailer} }}\n{more}\n")
}

const SENDS: &str = "endpoints: { E: { calls: [{ publish: q }] } }";
const TAKES: &str = "consumes: { q: {} }";

#[test]
fn guards_of_orphan_topic() {
    let found = ["warning orphan-topic"];
    check(&system(SENDS, TAKES, "topics: { q: {} }"), &[]);
    check(&system(SENDS, "", "topics: { q: {} }"), &found);
    check(&system(SENDS, "", "queues: { q: {} }"), &found);
    check(&system("", "", "topics: { q: {} }"), &found);
    check(&system(SENDS, "", "topics: { q: { external_consumers: true } }"), &[]);
    check(&system(SENDS, "", "queues: { q: { external_consumers: true } }"), &[]);
    check(
        &system(SENDS, "", "topics: { q: { external_consumers: false, external_producers: true } }"),
        &found,
    );
    check(&system(SENDS, TAKES, "queues: { q: { dead_letter: dead }, dead: {} }"), &[]);
    check(&system(SENDS, "", "topics: { q: {} }\ncommunications: [{ from: q, to: mailer }]"), &[]);
    // Who meant another name has been told.
    let wrong = system(SENDS, "consumes: { qq: {} }", "topics: { q: {} }");
    check(&wrong, &["error undefined-queue"]);
}

#[test]
fn guards_of_phantom_consumer() {
    let found = ["warning phantom-consumer"];
    check(&system("", TAKES, "topics: { q: {} }"), &found);
    check(&system("", TAKES, "queues: { q: {} }"), &found);
    check(&system("", TAKES, "topics: { q: { external_producers: true } }"), &[]);
    check(&system("", TAKES, "topics: { q: { external_producers: false } }"), &found);
    check(&system("dependencies: [q]", TAKES, "topics: { q: {} }"), &[]);
    let dead = "queues: { q: {}, a: { dead_letter: q } }";
    check(&system("endpoints: { E: { calls: [{ publish: a }] } }", "consumes: { q: {}, a: {} }", dead), &[]);
    // Two consumers of the same silence have one cause.
    let two = system("consumes: { q: {} }", TAKES, "topics: { q: {} }");
    check(&two, &found);
    assert!(words(&two).contains("2 services consume `q`"), "{}", words(&two));
    let wrong = system("endpoints: { E: { calls: [{ publish: qq }] } }", TAKES, "topics: { q: {} }");
    check(&wrong, &["error undefined-queue"]);
}

#[test]
fn guards_of_missing_dead_letter() {
    let found = ["warning missing-dead-letter"];
    let of = |queue: &str| {
        system(
            SENDS,
            TAKES,
            &format!(
                "queues: {{ q: {{ {queue} }}, dead: {{}}, z: {{ dead_letter: dead, external_consumers: true }} }}"
            ),
        )
    };
    check(&of(""), &[]);
    check(&of("max_deliveries: 2"), &found);
    check(&of("max_deliveries: 1"), &[]);
    check(&of("max_deliveries: 1, visibility_timeout: 30s"), &[]);
    check(&of("visibility_timeout: 30s"), &found);
    check(&of("max_deliveries: 5, dead_letter: dead"), &[]);
    assert!(words(&of("max_deliveries: 5")).contains("after 5 deliveries it is dropped"));
    assert!(words(&of("visibility_timeout: 30s")).contains("never goes away"));
    // The end of the way needs none itself.
    let end = system(SENDS, TAKES, "queues: { q: { dead_letter: dead }, dead: { max_deliveries: 5 } }");
    check(&end, &[]);
}

#[test]
fn guards_of_consumers_exceed_partitions() {
    let found = ["info consumers-exceed-partitions"];
    let of = |mailer: &str, web: &str| {
        let web = format!("endpoints: {{ E: {{ calls: [{{ publish: q }}] }} }}, {web}");
        system(&web, mailer, "topics: { q: { partitions: 6 } }")
    };
    let takes = |n: u32, about: &str| format!("replicas: {n}, consumes: {{ q: {{ {about} }} }}");
    check(&of(&takes(6, ""), ""), &[]);
    check(&of(&takes(7, ""), ""), &found);
    check(&of(&takes(7, "group: g"), &takes(7, "group: h")), &[found[0]; 2]);
    // Members of a group share the partitions; groups do not.
    check(&of(&takes(4, "group: g"), &takes(3, "group: g")), &found);
    check(&of(&takes(4, "group: g"), &takes(3, "group: h")), &[]);
    check(&of("consumes: { q: { concurrency: 9 } }", ""), &[]);
    let unsaid = system(SENDS, &takes(7, ""), "topics: { q: {} }");
    check(&unsaid, &[]);
    let queue = system(SENDS, &takes(7, ""), "queues: { q: {} }");
    check(&queue, &[]);
}
