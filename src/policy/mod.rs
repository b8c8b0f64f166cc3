//! What real systems do with load and failure: load balancers, circuit breakers, outlier
//! detection, retries, limits, queues.
//!
//! Pure state machines: time and randomness are handed in, nothing here knows a graph, a file or a
//! clock, so any Rust program can use them on their own. Each is the real one, with its real
//! defaults, under its own name; its page (Markdown, beside the code) says whose it is.
//!
//! **Adding a policy** is one file, one `mod` line and one line in its family's slice.

pub mod balancer;
pub mod breaker;
pub mod limit;
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
pub fn all() -> impl Iterator<Item = (&'static str, &'static PolicyInfo)> {
    let balancers = balancer::BALANCERS.iter().map(|b| ("load balancing policy", &b.about));
    let breakers = breaker::BREAKERS.iter().map(|about| ("circuit breaker", about));
    let jitters = retry::JITTERS.iter().map(|(about, _)| ("jitter of a back-off", about));
    let queues = queue::QUEUES.iter().map(|q| ("queue discipline", &q.about));
    let budgets = retry::BUDGETS.iter().map(|about| ("limit of retries", about));
    let outliers = outlier::OUTLIERS.iter().map(|about| ("outlier detection", about));
    let limits = limit::LIMITS.iter().map(|about| ("limit", about));
    balancers.chain(breakers).chain(outliers).chain(jitters).chain(budgets).chain(limits).chain(queues)
}
