//! From a latency as it is written to the distribution it describes.

use crate::kernel::{Distribution, Span};
use crate::spec::units::Duration;
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
        Some(LatencyDistribution::Lognormal) => {
            // Without a spread of its own a lognormal is as uneven as an exponential.
            let deviation = latency.stddev.map_or(mean, |d| span(d.value));
            Some(lognormal(mean.seconds() * 1e9, deviation.seconds() * 1e9))
        }
        Some(LatencyDistribution::Constant) | None => Some(Distribution::Constant(mean)),
    }
}

/// The lognormal with this mean and standard deviation, in nanoseconds: σ² = ln(1 + s²/m²), μ = ln m − σ²/2.
fn lognormal(mean: f64, deviation: f64) -> Distribution {
    if mean <= 0.0 || deviation <= 0.0 {
        return Distribution::Constant(Span::from_nanos_f64(mean));
    }
    let variance = libm::log1p((deviation / mean) * (deviation / mean));
    Distribution::LogNormal { mu: libm::log(mean) - variance / 2.0, sigma: libm::sqrt(variance) }
}

const fn span(duration: Duration) -> Span {
    Span::from_nanos(duration.0)
}
