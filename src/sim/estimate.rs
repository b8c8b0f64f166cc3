//! Numbers over replications with their uncertainty. Times are in seconds.

use super::histogram::Histogram;
use crate::kernel::stats::t_interval;

/// A number over all replications.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Over all replications together.
    pub value: f64,
    /// The two-sided 95% Student-t interval over the replications' own values. `None` with fewer than
    /// two replications, or when a replication has too few samples (fewer than 10/(1−q) for the
    /// quantile q).
    pub ci95: Option<(f64, f64)>,
    /// The value of each replication, those left out that have none.
    pub replications: Vec<f64>,
}

impl Estimate {
    /// The interval at another confidence: mean and half-width.
    pub fn interval(&self, confidence: f64) -> Option<(f64, f64)> {
        t_interval(&self.replications, confidence)
    }

    /// Over replications that each have a value; `sound` says whether every one has samples enough.
    pub(super) fn of(value: f64, replications: Vec<f64>, sound: bool) -> Self {
        let ci95 =
            t_interval(&replications, 0.95).filter(|_| sound).map(|(mean, half)| (mean - half, mean + half));
        Self { value, ci95, replications }
    }

    /// A value per replication whose mean is the value of all.
    pub(super) fn mean_of(replications: Vec<f64>) -> Self {
        let value = replications.iter().sum::<f64>() / (replications.len().max(1)) as f64;
        Self::of(value, replications, true)
    }
}

/// Latencies of successes, in seconds. Without any success every estimate is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct Latency {
    /// The mean, exact.
    pub mean: Option<Estimate>,
    /// The median.
    pub p50: Option<Estimate>,
    /// The 90th percentile.
    pub p90: Option<Estimate>,
    /// The 99th percentile.
    pub p99: Option<Estimate>,
    /// The 99.9th percentile.
    pub p999: Option<Estimate>,
    /// The least, exact.
    pub min: Option<f64>,
    /// The greatest, exact.
    pub max: Option<f64>,
    /// All latencies together, for any other quantile.
    pub histogram: HistogramView,
}

/// A merged histogram that compares by its numbers.
#[derive(Debug, Clone, Default)]
pub struct HistogramView(Histogram);

impl HistogramView {
    /// The histogram.
    pub fn get(&self) -> &Histogram {
        &self.0
    }
}

impl PartialEq for HistogramView {
    fn eq(&self, other: &Self) -> bool {
        (self.0.count(), self.0.mean(), self.0.max()) == (other.0.count(), other.0.mean(), other.0.max())
    }
}

impl Latency {
    pub(super) fn of(all: &[&Histogram]) -> Self {
        let mut merged = Histogram::default();
        for histogram in all {
            merged.add(histogram);
        }
        let estimate = |q: Option<f64>| {
            let value = |histogram: &Histogram| match q {
                Some(q) => histogram.quantile(q),
                None => histogram.mean(),
            };
            // The mean is asked for as many samples as the median.
            let enough = 10.0 / (1.0 - q.unwrap_or(0.5));
            let sound = all.iter().all(|histogram| histogram.count() as f64 >= enough);
            let each = all.iter().filter_map(|histogram| value(histogram)).collect();
            value(&merged).map(|value| Estimate::of(value, each, sound))
        };
        Self {
            mean: estimate(None),
            p50: estimate(Some(0.5)),
            p90: estimate(Some(0.9)),
            p99: estimate(Some(0.99)),
            p999: estimate(Some(0.999)),
            min: merged.min(),
            max: merged.max(),
            histogram: {
                merged.pack();
                HistogramView(merged)
            },
        }
    }
}
