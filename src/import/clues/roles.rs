//! What a service is by its image: a datastore, a broker, a telemetry tool. Must not know any format.

use crate::spec::vocabulary::{DatastoreKind, Protocol};

/// What a service is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// Keeps data.
    Datastore(DatastoreKind),
    /// Passes messages on: the technology, and how calls of it travel.
    Broker(&'static str, Protocol),
    /// Takes traces, metrics or logs.
    Telemetry,
    /// Anything else.
    Service,
}

const STORES: [(&str, DatastoreKind); 39] = [
    ("postgres", DatastoreKind::Postgres),
    ("postgresql", DatastoreKind::Postgres),
    ("postgis", DatastoreKind::Postgres),
    ("pgvector", DatastoreKind::Postgres),
    ("timescaledb", DatastoreKind::Postgres),
    ("cockroach", DatastoreKind::Postgres),
    ("mysql", DatastoreKind::Mysql),
    ("mariadb", DatastoreKind::Mysql),
    ("percona", DatastoreKind::Mysql),
    ("mongo", DatastoreKind::Mongodb),
    ("mongodb", DatastoreKind::Mongodb),
    ("redis", DatastoreKind::Redis),
    ("valkey", DatastoreKind::Redis),
    ("keydb", DatastoreKind::Redis),
    ("dragonfly", DatastoreKind::Redis),
    ("memcached", DatastoreKind::Memcached),
    ("memcache", DatastoreKind::Memcached),
    ("elasticsearch", DatastoreKind::Elasticsearch),
    ("opensearch", DatastoreKind::Elasticsearch),
    ("cassandra", DatastoreKind::Cassandra),
    ("scylla", DatastoreKind::Cassandra),
    ("scylladb", DatastoreKind::Cassandra),
    ("dynamodb", DatastoreKind::Dynamodb),
    ("minio", DatastoreKind::ObjectStore),
    ("seaweedfs", DatastoreKind::ObjectStore),
    ("mssql", DatastoreKind::Sql),
    ("oracle", DatastoreKind::Sql),
    ("clickhouse", DatastoreKind::Sql),
    ("influxdb", DatastoreKind::Other),
    ("couchdb", DatastoreKind::Other),
    ("couchbase", DatastoreKind::Other),
    ("neo4j", DatastoreKind::Other),
    ("arangodb", DatastoreKind::Other),
    ("rethinkdb", DatastoreKind::Other),
    ("eventstore", DatastoreKind::Other),
    ("meilisearch", DatastoreKind::Other),
    ("qdrant", DatastoreKind::Other),
    ("weaviate", DatastoreKind::Other),
    ("solr", DatastoreKind::Other),
];

const BROKERS: [(&str, Protocol); 9] = [
    ("kafka", Protocol::EventStream),
    ("redpanda", Protocol::EventStream),
    ("pulsar", Protocol::EventStream),
    ("rabbitmq", Protocol::MessageQueue),
    ("nats", Protocol::MessageQueue),
    ("activemq", Protocol::MessageQueue),
    ("artemis", Protocol::MessageQueue),
    ("mosquitto", Protocol::MessageQueue),
    ("emqx", Protocol::MessageQueue),
];

const TELEMETRY: [&str; 14] = [
    "otel",
    "otelcol",
    "opentelemetry",
    "jaeger",
    "zipkin",
    "prometheus",
    "grafana",
    "loki",
    "tempo",
    "fluentd",
    "fluentbit",
    "cadvisor",
    "telegraf",
    "alertmanager",
];

/// Words of something that uses a datastore or broker rather than being one.
const BESIDE: [&str; 41] = [
    "exporter",
    "express",
    "commander",
    "ui",
    "admin",
    "setup",
    "init",
    "backup",
    "migrate",
    "migration",
    "migrations",
    "insight",
    "redisinsight",
    "seed",
    "seeder",
    "client",
    "cli",
    "operator",
    "web",
    "dashboards",
    "dashboard",
    "connect",
    "rest",
    "proxy",
    "manager",
    "console",
    "bootstrap",
    "worker",
    "service",
    "api",
    "app",
    "adapter",
    "consumer",
    "producer",
    "gateway",
    "sync",
    "meta",
    "registry",
    "rebalance",
    "bootstrapper",
    "sentinel",
];

/// Words of what sets something up and exits.
const ONE_SHOT: [&str; 14] = [
    "init",
    "setup",
    "migrate",
    "migrator",
    "migration",
    "migrations",
    "seed",
    "seeder",
    "bootstrap",
    "bootstrapper",
    "provision",
    "provisioner",
    "installer",
    "initializer",
];

/// Whether a service of this id sets something up and exits; nobody calls it, whatever its image.
pub fn is_one_shot(id: &str) -> bool {
    words(id).iter().any(|word| ONE_SHOT.contains(&word.as_str()))
}

/// What a service is, by its image, then its id, then the variables that set up a new database.
pub fn role(id: &str, image: &str, has_variable: &dyn Fn(&str) -> bool) -> Role {
    if is_one_shot(id) {
        return Role::Service;
    }
    let (folder, name) = image_name(image);
    let name = words(name);
    if folder.contains(&"mssql") || folder.contains(&"azure-sql-edge") {
        return Role::Datastore(DatastoreKind::Sql);
    }
    if let Some(role) = of_words(&name) {
        return role;
    }
    let id = words(id);
    if let Some(role) = of_words(&id) {
        return role;
    }
    let last = id.last().map(String::as_str);
    if matches!(last, Some("db" | "database")) {
        let kind = [
            ("MYSQL_DATABASE", DatastoreKind::Mysql),
            ("MYSQL_ROOT_PASSWORD", DatastoreKind::Mysql),
            ("POSTGRES_PASSWORD", DatastoreKind::Postgres),
            ("POSTGRES_DB", DatastoreKind::Postgres),
            ("MONGO_INITDB_DATABASE", DatastoreKind::Mongodb),
        ];
        let kind = kind.iter().find(|(variable, _)| has_variable(variable));
        return Role::Datastore(kind.map_or(DatastoreKind::Other, |(_, kind)| *kind));
    }
    Role::Service
}

fn of_words(words: &[String]) -> Option<Role> {
    let has = |word: &str| words.iter().any(|w| w == word);
    if BESIDE.iter().any(|word| has(word)) {
        return TELEMETRY.iter().any(|word| has(word)).then_some(Role::Telemetry);
    }
    let broker =
        BROKERS.iter().find(|(word, _)| has(word)).map(|(word, protocol)| Role::Broker(word, *protocol));
    let store = STORES.iter().find(|(word, _)| has(word)).map(|(_, kind)| Role::Datastore(*kind));
    broker.or(store).or_else(|| TELEMETRY.iter().any(|word| has(word)).then_some(Role::Telemetry))
}

/// `registry:5000/folder/name:tag@digest`: its folders and its name.
fn image_name(image: &str) -> (Vec<&str>, &str) {
    let image = image.split('@').next().unwrap_or_default();
    let mut parts: Vec<&str> = image.split('/').collect();
    let last = parts.pop().unwrap_or_default();
    (parts, last.split(':').next().unwrap_or_default())
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|p| !p.is_empty());
    parts.map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_by_image_and_name() {
        let sql = |kind| Role::Datastore(kind);
        for (id, image, expected) in [
            ("a", "postgres:15", sql(DatastoreKind::Postgres)),
            ("a", "docker.io/bitnami/postgresql:15@sha256:ab", sql(DatastoreKind::Postgres)),
            ("a", "mcr.microsoft.com/mssql/server:2019-latest", sql(DatastoreKind::Sql)),
            ("a", "confluentinc/cp-kafka:7", Role::Broker("kafka", Protocol::EventStream)),
            ("a", "provectuslabs/kafka-ui", Role::Service),
            ("a", "mongo-express", Role::Service),
            ("a", "registry:5000/shop/web", Role::Service),
            ("valkey-cart", "shop:cart", sql(DatastoreKind::Redis)),
            ("user-db", "shop/user-db", sql(DatastoreKind::Other)),
            ("redis-worker", "shop/worker", Role::Service),
            ("a", "otel/opentelemetry-collector-contrib:1", Role::Telemetry),
            ("db-migrate", "postgres:17", Role::Service),
            ("a", "prom/mysqld-exporter", Role::Service),
        ] {
            assert_eq!(role(id, image, &|_| false), expected, "{id} {image}");
        }
    }
}
