//! How long own work takes, as a distribution.

use crate::kernel::{Distribution, Span};
use crate::spec::units::{Duration, Share};
use crate::spec::vocabulary::{Latency, LatencyDistribution};

/// The distribution a latency describes; the reader saw to it that it describes one.
pub fn distribution(latency: &Latency) -> Option<Distribution> {
    let (p50, p99) = (latency.p50.map(|d| span(d.value)), latency.p99.map(|d| span(d.value)));
    if let (Some(p50), Some(p99)) = (p50, p99) {
        return Distribution::from_percentiles(p50, p99).ok();
    }
    if latency.quantiles.is_some() {
        let points: Vec<_> = latency.table().into_iter().map(|(q, d)| (q.fraction(), span(d))).collect();
        return Distribution::from_quantiles(&points).ok();
    }
    let mean = span(latency.mean?.value);
    match latency.distribution.as_ref().map(|d| d.value) {
        Some(LatencyDistribution::Exponential) => Some(Distribution::Exponential(mean)),
        Some(LatencyDistribution::Erlang) => {
            Some(Distribution::Erlang { mean, shape: latency.shape.map_or(2, |s| s.value.0) })
        }
        Some(LatencyDistribution::Hyperexponential) => {
            // Without a spread of its own twice as uneven as an exponential.
            let deviation = latency.stddev.map_or(mean.times(2), |d| span(d.value));
            Some(Distribution::hyperexponential(mean, deviation))
        }
        Some(LatencyDistribution::Uniform) => {
            Some(Distribution::uniform(mean, latency.stddev.map(|d| span(d.value))))
        }
        Some(LatencyDistribution::Lognormal) => {
            // Without a spread of its own a lognormal is as uneven as an exponential.
            let deviation = latency.stddev.map_or(mean, |d| span(d.value));
            Some(Distribution::lognormal(mean, deviation))
        }
        Some(LatencyDistribution::Constant) | None => Some(Distribution::Constant(mean)),
    }
}

/// What all but one in a hundred stay below: as declared, else that of the distribution, rounded up to a
/// microsecond.
pub fn p99(latency: &Latency) -> Option<Duration> {
    let declared = latency.p99.map(|d| d.value);
    let listed = || {
        let asked = Share::parse("99%").ok();
        latency.table().into_iter().find(|(q, _)| Some(*q) == asked).map(|(_, d)| d)
    };
    declared.or_else(listed).or_else(|| {
        let nanos = distribution(latency)?.quantile(0.99).nanos();
        Some(Duration(nanos.div_ceil(1000).saturating_mul(1000)))
    })
}

const fn span(duration: Duration) -> Span {
    Span::from_nanos(duration.0)
}
