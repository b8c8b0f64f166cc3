//! How an instance is chosen.

use crate::spec::decode::{Ctx, choice, record};
use crate::spec::scalar::Positive;
use crate::spec::schema::with;
use crate::spec::tree::Node;
use crate::spec::units::Share;
use serde_json::{Value, json};

choice! {
    /// Which instance gets the next request.
    BalancingPolicy {
        /// In turn.
        #[default] RoundRobin = "round_robin",
        /// Uniformly at random.
        Random = "random",
        /// The fewest outstanding requests (nginx).
        LeastConnections = "least_connections",
        /// In turn by weight, smoothly (nginx).
        WeightedRoundRobin = "weighted_round_robin",
        /// By the client's address (nginx).
        IpHash = "ip_hash",
        /// The better of `choice_count` random ones (Envoy).
        LeastRequest = "least_request",
        /// In turn by weight, by earliest deadline (Envoy).
        WeightedEdf = "weighted_edf",
        /// The better of two distinct random ones (nginx, Finagle).
        RandomTwo = "random_two",
        /// Load times a moving average of latency (Finagle, Linkerd).
        PeakEwma = "peak_ewma",
        /// A ring of hashes (Envoy).
        RingHash = "ring_hash",
        /// A table of hashes (Maglev).
        Maglev = "maglev",
        /// Probes instead of balance (Prequal).
        Prequal = "prequal",
    }
}

record! {
    /// How an instance is chosen.
    Balancing {
        /// The algorithm.
        policy: BalancingPolicy,
        /// Instances looked at (`least_request`).
        choice_count: Positive,
        /// How strongly load counts against weight (`least_request`).
        active_request_bias: f64,
        /// What is hashed: `client_ip`, or a name of yours.
        hash_key: String,
        /// Below this share of healthy instances all are used.
        healthy_panic_threshold: Share,
        /// Same zone first.
        zone_aware: bool,
    }
    validate: hash_has_key;
    schema: balancing_schema;
}

fn hash_has_key<'n>(balancing: &Balancing, node: &'n Node, ctx: &mut Ctx<'n>) {
    let Some(policy) = &balancing.policy else { return };
    let hashing = matches!(policy.value, BalancingPolicy::RingHash | BalancingPolicy::Maglev);
    if hashing && !ctx.given(node, "hash_key") {
        let message = format!("`{}` hashes a key, and none is named", policy.word());
        ctx.reject_with(
            policy.span,
            message,
            Some("add `hash_key: client_ip`, or a key of yours".to_owned()),
        );
    }
}

fn balancing_schema(schema: Value) -> Value {
    let hashing = [BalancingPolicy::RingHash.word(), BalancingPolicy::Maglev.word()];
    let hashes = json!({ "required": ["policy"], "properties": { "policy": { "enum": hashing } } });
    with(schema, json!({ "if": hashes, "then": { "required": ["hash_key"] } }))
}
