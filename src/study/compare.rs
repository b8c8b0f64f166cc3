//! The same scenario under several variants of a system: common random numbers, paired differences.

use crate::kernel::stats::t_interval;
use crate::sim::{Compiled, EndpointOutcome, Estimate, Outcome, PlanError, Replications};

/// How often and with which random numbers everything is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Of the random numbers; the same for all variants.
    pub seed: u64,
    /// Of each variant.
    pub replications: u32,
    /// Processors; the result does not depend on it.
    pub threads: usize,
}

/// A number of an entry that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Successes per second.
    Goodput,
    /// Share of requests that succeed.
    Availability,
    /// Mean latency of successes, in seconds.
    Mean,
    /// Half of the successes are faster, in seconds.
    P50,
    /// All but one in a hundred, in seconds.
    P99,
    /// All but one in a thousand, in seconds.
    P999,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Goodput, Self::Availability, Self::Mean, Self::P50, Self::P99, Self::P999];

    /// As the JSON says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Goodput => "goodput_per_s",
            Self::Availability => "availability",
            Self::Mean => "mean_s",
            Self::P50 => "p50_s",
            Self::P99 => "p99_s",
            Self::P999 => "p999_s",
        }
    }

    /// As tables say it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Goodput => "goodput",
            Self::Availability => "success",
            Self::Mean => "mean",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
        }
    }

    /// Whether more of it is better.
    pub const fn more_is_better(self) -> bool {
        matches!(self, Self::Goodput | Self::Availability)
    }

    /// What an entry shows of it; a quantile without samples enough has no interval and is left out.
    pub fn of(self, requests: &EndpointOutcome) -> Option<&Estimate> {
        self.seen(requests).filter(|estimate| estimate.ci95.is_some())
    }

    /// The same, with an interval or without.
    pub fn seen(self, requests: &EndpointOutcome) -> Option<&Estimate> {
        let latency = &requests.latency;
        match self {
            Self::Goodput => Some(&requests.goodput_per_s),
            Self::Availability => Some(&requests.availability),
            Self::Mean => latency.mean.as_ref(),
            Self::P50 => latency.p50.as_ref(),
            Self::P99 => latency.p99.as_ref(),
            Self::P999 => latency.p999.as_ref(),
        }
    }
}

/// What a variant changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The whole interval of the difference lies on the good side.
    Better,
    /// On the bad side.
    Worse,
    /// Zero lies inside: no difference is shown.
    NotShown,
}

impl Change {
    /// As the JSON says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NotShown => "not_shown",
        }
    }
}

/// One number of one entry under one variant, beside the same under the base.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The entry.
    pub entry: String,
    /// What is compared.
    pub metric: Metric,
    /// Under the base.
    pub base: f64,
    /// Under the variant.
    pub value: f64,
    /// Variant minus base, the mean over pairs of replications.
    pub difference: f64,
    /// The 95% interval of that, paired.
    pub ci95: (f64, f64),
    /// What that means.
    pub change: Change,
}

/// A variant and what it changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// Per entry and metric, in this order.
    pub differences: Vec<Difference>,
}

/// Simulates one.
///
/// # Errors
/// Those of the engine.
pub fn outcome(compiled: &Compiled, effort: Effort) -> Result<Outcome, PlanError> {
    let mut runs = Replications::new(&compiled.plan, effort.seed)?;
    runs.add(effort.replications.max(2), effort.threads)?;
    Ok(runs.outcome())
}

/// The differences between two outcomes of the same seed and number of replications.
pub fn differences(base: &Outcome, variant: &Outcome) -> Vec<Difference> {
    let mut all = Vec::new();
    for source in &base.sources {
        let Some(other) = variant.sources.iter().find(|s| s.name == source.name) else { continue };
        for metric in Metric::ALL {
            let pair = metric.of(&source.requests).zip(metric.of(&other.requests));
            all.extend(pair.and_then(|(a, b)| difference(&source.name, metric, a, b)));
        }
    }
    all
}

fn difference(entry: &str, metric: Metric, base: &Estimate, value: &Estimate) -> Option<Difference> {
    if base.replications.len() != value.replications.len() {
        return None;
    }
    let pairs: Vec<f64> = base.replications.iter().zip(&value.replications).map(|(a, b)| b - a).collect();
    let (mean, half) = t_interval(&pairs, 0.95)?;
    // Less than a millionth of the value is rounding.
    let near = 1e-6 * base.value.abs();
    let change = match (mean - half > near, mean + half < -near) {
        (true, _) if metric.more_is_better() => Change::Better,
        (true, _) => Change::Worse,
        (_, true) if metric.more_is_better() => Change::Worse,
        (_, true) => Change::Better,
        _ => Change::NotShown,
    };
    Some(Difference {
        entry: entry.to_owned(),
        metric,
        base: base.value,
        value: value.value,
        difference: mean,
        ci95: (mean - half, mean + half),
        change,
    })
}

/// An input that nobody said, and what happens when it is another.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// What was assumed and what was tried instead.
    pub input: String,
    /// Where the result moves most, as a share of the base: goodput, availability, mean or p99 of an entry.
    pub most: Option<Difference>,
}

impl Moved {
    /// How far the result moves, as a share of the base; 0 where no difference is shown.
    pub fn share(&self) -> f64 {
        self.most.as_ref().map_or(0.0, share)
    }
}

fn share(found: &Difference) -> f64 {
    if found.change == Change::NotShown {
        0.0
    } else {
        (found.difference / found.base.abs().max(1e-12)).abs()
    }
}

/// Ranks inputs by how far they move the result.
pub fn rank(compared: Vec<Compared>) -> Vec<Moved> {
    let mut all: Vec<Moved> = compared
        .into_iter()
        .map(|one| {
            let most = one
                .differences
                .into_iter()
                .filter(|d| share(d) > 0.0)
                .reduce(|a, b| if share(&b) > share(&a) { b } else { a });
            Moved { input: one.name, most }
        })
        .collect();
    all.sort_by(|a, b| b.share().total_cmp(&a.share()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(values: &[f64]) -> Estimate {
        let value = values.iter().sum::<f64>() / values.len() as f64;
        Estimate { value, ci95: Some((0.0, 0.0)), replications: values.to_vec() }
    }

    #[test]
    fn pairs_show_what_intervals_of_their_own_would_hide() {
        // Spread of 100 between replications, a difference of 1 ± 0.1 within each.
        let base = estimate(&[100.0, 200.0, 300.0]);
        let slower = estimate(&[101.0, 201.1, 300.9]);
        for (metric, expected) in [(Metric::P99, Change::Worse), (Metric::Goodput, Change::Better)] {
            let found = difference("web", metric, &base, &slower).expect("pairs");
            assert_eq!(found.change, expected);
            // Mean 1, deviation 0.1, t(0.975, 2) = 4.302653: ± 0.248414.
            assert!((found.difference - 1.0).abs() < 1e-9);
            assert!((found.ci95.1 - 1.248_414).abs() < 1e-5, "{found:?}");
        }
        let both = estimate(&[101.0, 199.0, 300.5]);
        assert_eq!(difference("web", Metric::P99, &base, &both).expect("pairs").change, Change::NotShown);
        assert_eq!(difference("web", Metric::P99, &base, &estimate(&[1.0])), None, "no pairs");
    }
}
