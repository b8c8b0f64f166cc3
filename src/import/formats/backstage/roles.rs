//! What a Component or a Resource is by its `spec.type`, which is a word of the catalog's owners.
//!
//! Must not know the document.

use crate::import::clues::roles::{Role, role};
use crate::spec::vocabulary::DatastoreKind;

/// What stands for a Resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stand {
    /// A datastore.
    Datastore(DatastoreKind),
    /// A queue.
    Queue,
    /// A topic.
    Topic,
    /// A service that is run by someone else.
    Outside,
}

const QUEUES: [&str; 3] = ["queue", "queues", "sqs"];
const TOPICS: [&str; 8] = ["topic", "topics", "stream", "sns", "pubsub", "kinesis", "eventhub", "eventbus"];
const OBJECTS: [&str; 5] = ["bucket", "s3", "gcs", "blob", "objectstore"];
const STORES: [&str; 11] = [
    "database",
    "databases",
    "db",
    "datastore",
    "cache",
    "storage",
    "store",
    "table",
    "warehouse",
    "rds",
    "sql",
];

/// What a Resource of this type and name is.
pub fn stand(kind: &str, name: &str) -> Stand {
    let lower = kind.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let any = |list: &[&str]| words.iter().any(|word| list.contains(word));
    if any(&QUEUES) {
        return Stand::Queue;
    }
    if any(&TOPICS) {
        return Stand::Topic;
    }
    if any(&OBJECTS) {
        return Stand::Datastore(DatastoreKind::ObjectStore);
    }
    match role("", &lower, &|_| false) {
        Role::Datastore(kind) => Stand::Datastore(kind),
        // Only a type that speaks of data lets the name say of which.
        _ if any(&STORES) => match role(name, "", &|_| false) {
            Role::Datastore(kind) => Stand::Datastore(kind),
            _ => Stand::Datastore(DatastoreKind::Other),
        },
        _ => Stand::Outside,
    }
}

/// The kind of a service by the type of its Component, where it is one of ours.
pub fn service_kind(kind: &str) -> Option<&'static str> {
    match kind {
        "gateway" | "api-gateway" => Some("gateway"),
        "bff" => Some("bff"),
        "job" => Some("job"),
        "cron" | "cronjob" => Some("cron"),
        _ => None,
    }
}

/// How calls of an API of this type travel, where that is known.
pub fn protocol(kind: &str) -> Option<&'static str> {
    match kind {
        "openapi" | "graphql" | "trpc" | "mcp-server" => Some("http"),
        "grpc" => Some("grpc"),
        "asyncapi" => Some("event_stream"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_what_their_type_says() {
        for (kind, name, expected) in [
            ("database", "artists-db", Stand::Datastore(DatastoreKind::Other)),
            ("database", "orders-postgres", Stand::Datastore(DatastoreKind::Postgres)),
            ("postgresql", "orders", Stand::Datastore(DatastoreKind::Postgres)),
            ("redis-cache", "sessions", Stand::Datastore(DatastoreKind::Redis)),
            ("s3-bucket", "images", Stand::Datastore(DatastoreKind::ObjectStore)),
            ("kafka-topic", "orders", Stand::Topic),
            ("SQS queue", "mails", Stand::Queue),
            ("kubernetes-cluster", "redis-operator", Stand::Outside),
        ] {
            assert_eq!(stand(kind, name), expected, "{kind} {name}");
        }
    }
}
