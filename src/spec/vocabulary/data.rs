//! Datastores, queues and topics, and who consumes them.

use super::call::Step;
use super::latency::Latency;
use super::service::{Exposure, Texts};
use crate::source::Spanned;
use crate::spec::decode::{Map, choice, record};
use crate::spec::scalar::Positive;
use crate::spec::units::{Duration, Share};
use std::sync::Arc;

choice! {
    /// What keeps the data.
    DatastoreKind {
        /// PostgreSQL.
        Postgres = "postgres",
        /// MySQL or MariaDB.
        Mysql = "mysql",
        /// MongoDB.
        Mongodb = "mongodb",
        /// Redis or Valkey.
        Redis = "redis",
        /// Memcached.
        Memcached = "memcached",
        /// Elasticsearch or OpenSearch.
        Elasticsearch = "elasticsearch",
        /// Cassandra or ScyllaDB.
        Cassandra = "cassandra",
        /// Amazon DynamoDB.
        Dynamodb = "dynamodb",
        /// Objects: S3, GCS, MinIO.
        ObjectStore = "object_store",
        /// Another relational database.
        Sql = "sql",
        /// Anything else.
        #[default] Other = "other",
    }
}

record! {
    /// A database, cache or store.
    Datastore {
        /// Lies on top of the definition of the same id.
        overlay: bool,
        /// What it is.
        kind: DatastoreKind,
        /// The service it belongs to.
        service: String,
        /// The team.
        owner: String,
        /// Copies.
        replicas: Positive,
        /// The schema or database name, where several share one server.
        schema: String,
        /// Its own alone.
        availability: Share,
        /// Someone else keeps it alive.
        managed: bool,
        /// Survives the loss of one copy by itself.
        ha: bool,
        /// The zone it stands in.
        zone: String,
        /// What it trusts: accesses between two of these cross a boundary.
        trust_zone: String,
        /// It is reached encrypted.
        tls: bool,
        /// Who may reach it.
        exposure: Exposure,
        /// The datastore it is a copy of, for reading.
        replica_of: String,
        /// Time of one access.
        latency: Arc<Latency>,
        /// Accesses at once per copy.
        workers: Positive,
        /// Anything of yours.
        metadata: Map<String>,
        /// The variables of its processes.
        environment: Map<String>,
        /// Words of yours.
        tags: Texts,
    }
}

record! {
    /// A message queue: each message goes to one consumer.
    Queue {
        /// Lies on top of the definition of the same id.
        overlay: bool,
        /// The team.
        owner: String,
        /// Deliveries until a message is dead.
        max_deliveries: Positive,
        /// The queue dead messages go to.
        dead_letter: String,
        /// A delivery that is not acknowledged by then is repeated.
        visibility_timeout: Duration,
        /// Messages that may wait.
        max_length: Positive,
        /// Messages come from outside.
        external_producers: bool,
        /// Messages go outside.
        external_consumers: bool,
        /// Words of yours.
        tags: Texts,
    }
}

record! {
    /// A log or topic: each consumer group gets every message.
    Topic {
        /// Lies on top of the definition of the same id.
        overlay: bool,
        /// The team.
        owner: String,
        /// Consumers of one group at once, at most.
        partitions: Positive,
        /// Messages are kept so long.
        retention: Duration,
        /// Messages come from outside.
        external_producers: bool,
        /// Messages go outside.
        external_consumers: bool,
        /// Words of yours.
        tags: Texts,
    }
}

record! {
    /// How a service consumes a queue or topic.
    Consume {
        /// Types of messages it handles; all where none are named.
        types: Vec<Spanned<String>>,
        /// The consumer group; the service's id where none is named.
        group: String,
        /// Messages at once per instance: so many consumers of a queue, readers of a topic.
        concurrency: Positive,
        /// Messages of a queue that each of them may hold unacknowledged; 0 is unlimited.
        prefetch: u32,
        /// Own work per message.
        latency: Arc<Latency>,
        /// Share of messages whose handling fails.
        error_rate: Share,
        /// What it does with a message.
        calls: Vec<Spanned<Step>>,
        /// A cycle through this handler ends: it does not publish forever.
        ends: bool,
    }
}
