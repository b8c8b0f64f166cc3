//! How an instance is chosen.

use crate::policy::balancer::{Maglev, TABLE_SIZE};
use crate::spec::decode::{Ctx, choice, record};
use crate::spec::scalar::Positive;
use crate::spec::schema::with;
use crate::spec::tree::Node;
use crate::spec::units::{Duration, Share};
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
        /// The less busy of two distinct random ones (nginx).
        RandomTwo = "random_two",
        /// The less loaded of two distinct random ones (Finagle).
        P2c = "p2c",
        /// Load times a moving average of latency (Finagle, Linkerd).
        PeakEwma = "peak_ewma",
        /// A hash modulo the weights (nginx).
        Hash = "hash",
        /// A ring with points that stay (nginx, ketama).
        ConsistentHash = "consistent_hash",
        /// A ring whose instances take no more than their share (HAProxy).
        BoundedLoad = "bounded_load",
        /// A ring of hashes (Envoy).
        RingHash = "ring_hash",
        /// A table of hashes (Maglev).
        Maglev = "maglev",
        /// Probes instead of balance (Prequal).
        Prequal = "prequal",
    }
}

record! {
    /// An instance that has just joined gets less: weight × max((age/window)^(1/aggression), minimum).
    SlowStart {
        /// How long.
        window: Duration = required,
        /// 1 grows evenly, more grows faster at first.
        aggression: f64,
        /// Of its weight, at least.
        min_weight_percent: Share,
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
        /// `ring_hash`, `maglev`, `bounded_load`: percent of the average load that an instance may have;
        /// below 100 counts as 100.
        hash_balance_factor: Positive,
        /// `ring_hash`: points at least.
        minimum_ring_size: Positive,
        /// `maglev`: slots, a prime number.
        table_size: Positive,
        /// An instance that has just joined gets less.
        slow_start: SlowStart,
        /// `weighted_round_robin` and its kin: failures until an instance is left alone; 0 is never (nginx).
        max_fails: u32,
        /// How long it is left alone, in whole seconds (nginx).
        fail_timeout: Duration,
        /// `peak_ewma`: what an instance nothing is known of is taken for.
        default_rtt: Duration,
        /// `peak_ewma`: the time constant of forgetting.
        decay: Duration,
        /// Below this share of healthy instances all are used.
        healthy_panic_threshold: Share,
        /// Same zone first.
        zone_aware: bool,
    }
    validate: balancing;
    schema: balancing_schema;
}

/// Those that need to know what to hash.
const HASHING: [BalancingPolicy; 5] = [
    BalancingPolicy::BoundedLoad,
    BalancingPolicy::Hash,
    BalancingPolicy::ConsistentHash,
    BalancingPolicy::RingHash,
    BalancingPolicy::Maglev,
];

fn balancing<'n>(balancing: &Balancing, node: &'n Node, ctx: &mut Ctx<'n>) {
    table_is_prime(balancing, ctx);
    hash_has_key(balancing, node, ctx);
}

/// With another size an instance's preferences leave slots of the table out: Envoy refuses it. A schema cannot
/// say this.
fn table_is_prime(balancing: &Balancing, ctx: &mut Ctx<'_>) {
    let Some(size) = balancing.table_size.filter(|size| !Maglev::takes(size.value.0.into())) else { return };
    // No two prime numbers of this size are further apart.
    let next = (u64::from(size.value.0)..).take(1000).find(|size| Maglev::takes(*size));
    let why = if next.is_some() { "no prime number" } else { "too many" };
    let message = format!("a table of `maglev` with {} slots, which is {why}", size.value.0);
    let next = next.map(|next| format!("the next prime number is {next}; ")).unwrap_or_default();
    let help = format!("{next}Envoy's default is {TABLE_SIZE}");
    ctx.reject_with(size.span, message, Some(help));
}

fn hash_has_key<'n>(balancing: &Balancing, node: &'n Node, ctx: &mut Ctx<'n>) {
    let Some(policy) = &balancing.policy else { return };
    if HASHING.contains(&policy.value) && !ctx.given(node, "hash_key") {
        let message = format!("`{}` hashes a key, and none is named", policy.word());
        ctx.reject_with(
            policy.span,
            message,
            Some("add `hash_key: client_ip`, or a key of yours".to_owned()),
        );
    }
}

fn balancing_schema(schema: Value) -> Value {
    let hashing = HASHING.map(BalancingPolicy::word);
    let hashes = json!({ "required": ["policy"], "properties": { "policy": { "enum": hashing } } });
    with(schema, json!({ "if": hashes, "then": { "required": ["hash_key"] } }))
}

#[cfg(test)]
mod tests {
    use crate::spec::read_text;

    #[test]
    fn a_table_is_of_a_prime_size() {
        let findings = |size: u32| {
            let text = format!(
                "upstreams: {{ cart: {{ load_balancing: {{ policy: maglev, hash_key: user, table_size: {size} }} }} }}\n"
            );
            let (_, _, findings) = read_text("maglev.yaml", &text);
            let texts = findings.iter().map(|f| format!("{}: {}", f.message, f.help.join("")));
            texts.collect::<Vec<_>>()
        };
        assert_eq!(findings(65_521), [""; 0]);
        let message = "a table of `maglev` with 65536 slots, which is no prime number: ";
        let help = "the next prime number is 65537; Envoy's default is 65537";
        assert_eq!(findings(65_536), [format!("{message}{help}")]);
        assert!(findings(1_000_000)[0].contains("1000003"));
    }
}
