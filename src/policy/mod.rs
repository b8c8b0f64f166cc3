//! What real systems do with load and failure: load balancers, circuit breakers, outlier detection,
//! retries, limits, queues, discovery, messaging.
//!
//! Pure state machines: time and randomness are handed in, nothing here knows a graph, a file or a
//! clock, so any Rust program can use them on their own. Each is the real one, with its real
//! defaults, under its own name; its page (Markdown, beside the code) says whose it is.
//!
//! **Adding a policy** is one file, one `mod` line and one line in its family's slice.

pub mod balancer;
pub mod breaker;
pub mod discovery;
pub mod limit;
pub mod messaging;
pub mod outlier;
pub mod queue;
pub mod retry;

/// What `explain`, the help, the schema and the tables say about a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyInfo {
    /// As written in the document: `snake_case`.
    pub name: &'static str,
    /// One line, lower-case: what it does.
    pub summary: &'static str,
    /// Its page, Markdown: what, parameters, defaults, source, how products differ.
    pub page: &'static str,
}

/// Every policy with the kind of thing it is, family by family, in the order of the lists.
pub fn all() -> Vec<(&'static str, &'static PolicyInfo)> {
    type Kind = (&'static str, &'static PolicyInfo);
    fn of(
        kind: &'static str,
        infos: impl Iterator<Item = &'static PolicyInfo>,
    ) -> impl Iterator<Item = Kind> {
        infos.map(move |info| (kind, info))
    }
    let mut all = Vec::new();
    all.extend(of("load balancing policy", balancer::BALANCERS.iter().map(|b| &b.about)));
    all.extend(of("choice of hosts", balancer::tiers::TIERS.iter()));
    all.extend(of("circuit breaker", breaker::BREAKERS.iter()));
    all.extend(of("outlier detection", outlier::OUTLIERS.iter()));
    all.extend(of("jitter of a back-off", retry::JITTERS.iter().map(|(about, _)| about)));
    all.extend(of("back-off of a product", retry::BACKOFFS.iter()));
    all.extend(of("limit of retries", retry::BUDGETS.iter()));
    all.extend(of("limit", limit::LIMITS.iter()));
    all.extend(of("queue discipline", queue::QUEUES.iter().map(|q| &q.about)));
    all.extend(of("service discovery", discovery::DISCOVERIES.iter().copied()));
    all.extend(of("active health check", discovery::HEALTH_CHECKS.iter().copied()));
    all.extend(of("messaging", messaging::MESSAGING.iter().copied()));
    all.extend(of("assignor of partitions", messaging::ASSIGNORS.iter().map(|(about, _)| *about)));
    all
}
