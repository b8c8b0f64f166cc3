//! How long work takes: constants, exponentials, lognormals, and what was fitted to quantiles.
//!
//! Owns sampling and exact means. Must not know what is being timed.

use std::fmt;

use super::stats::{normal_cdf, normal_quantile};
use super::{Span, Stream};

/// The 99th percentile of a standard normal, as written in the published fits.
const Z99: f64 = 2.326_35;

/// A distribution of a length of time. [`Distribution::sample`] takes a fixed number of draws from
/// the stream for each kind but the exponential (ziggurat: nearly always one).
///
/// ```
/// use loadpath::kernel::{Distribution, Span, Stream};
/// let work = Distribution::from_percentiles(Span::from_millis(4), Span::from_millis(20)).unwrap();
/// let mut draws = Stream::new(1, 0, "work", "web");
/// assert!(work.sample(&mut draws) > Span::ZERO);
/// assert!(work.mean() > Span::from_millis(4), "a long tail pulls the mean above the median");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// Always the same.
    Constant(Span),
    /// Memoryless, with this mean.
    Exponential(Span),
    /// exp(μ + σ·z) nanoseconds.
    LogNormal {
        /// The mean of the logarithm (of nanoseconds).
        mu: f64,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// ln x is linear in the normal score z between the given points; the first and last piece go
    /// on beyond the ends.
    Pieces(Box<[Piece]>),
}

/// One piece of a fit: ln x = `intercept` + `slope`·z for z up to `until`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    until: f64,
    intercept: f64,
    slope: f64,
}

/// Why quantiles make no distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistributionError {
    /// Fewer than two points.
    TooFew,
    /// A probability outside (0, 1), or two points that do not rise in it.
    BadProbability,
    /// A larger quantile that is shorter than a smaller one.
    Falling,
    /// A quantile of zero: its logarithm does not exist.
    Zero,
}

impl fmt::Display for DistributionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooFew => "at least two quantiles are needed",
            Self::BadProbability => "quantiles must lie between 0% and 100%, each named once",
            Self::Falling => "a higher percentile cannot be shorter than a lower one",
            Self::Zero => "a percentile must be longer than zero",
        })
    }
}

impl std::error::Error for DistributionError {}

impl Distribution {
    /// The lognormal with these percentiles: μ = ln p50, σ = ln(p99/p50)/2.32635. Equal ones are a
    /// constant.
    pub fn from_percentiles(p50: Span, p99: Span) -> Result<Self, DistributionError> {
        if p50 > p99 {
            return Err(DistributionError::Falling);
        }
        if p50 == p99 {
            return Ok(Self::Constant(p50));
        }
        if p50.is_zero() {
            return Err(DistributionError::Zero);
        }
        let (low, high) = (p50.nanos() as f64, p99.nanos() as f64);
        Ok(Self::LogNormal { mu: libm::log(low), sigma: libm::log(high / low) / Z99 })
    }

    /// Through all given points `(probability, value)`, linear in (z, ln x). In any order; two points
    /// give a lognormal, equal values a constant.
    pub fn from_quantiles(points: &[(f64, Span)]) -> Result<Self, DistributionError> {
        if points.len() < 2 {
            return Err(DistributionError::TooFew);
        }
        let mut points = points.to_vec();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        if points.iter().any(|(p, _)| !(*p > 0.0 && *p < 1.0)) {
            return Err(DistributionError::BadProbability);
        }
        if points.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(DistributionError::BadProbability);
        }
        if points.windows(2).any(|pair| pair[0].1 > pair[1].1) {
            return Err(DistributionError::Falling);
        }
        if points.windows(2).all(|pair| pair[0].1 == pair[1].1) {
            return Ok(Self::Constant(points[0].1));
        }
        if points[0].1.is_zero() {
            return Err(DistributionError::Zero);
        }
        let mut pieces: Vec<Piece> = points.windows(2).map(|pair| Piece::through(pair[0], pair[1])).collect();
        if let Some(last) = pieces.last_mut() {
            last.until = f64::INFINITY;
        }
        Ok(match pieces.as_slice() {
            [only] => Self::LogNormal { mu: only.intercept, sigma: only.slope },
            _ => Self::Pieces(pieces.into_boxed_slice()),
        })
    }

    /// The lognormal with this mean and standard deviation: σ² = ln(1 + s²/m²), μ = ln m − σ²/2. Without a
    /// spread it is a constant.
    pub fn lognormal(mean: Span, deviation: Span) -> Self {
        if mean.is_zero() || deviation.is_zero() {
            return Self::Constant(mean);
        }
        let (mean, deviation) = (mean.nanos() as f64, deviation.nanos() as f64);
        let variance = libm::log1p((deviation / mean) * (deviation / mean));
        Self::LogNormal { mu: libm::log(mean) - variance / 2.0, sigma: libm::sqrt(variance) }
    }

    /// One draw.
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> Span {
        match self {
            Self::Constant(span) => *span,
            Self::Exponential(mean) => Span::from_nanos_f64(stream.exponential() * mean.nanos() as f64),
            Self::LogNormal { mu, sigma } => Span::from_nanos_f64(libm::exp(mu + sigma * stream.normal())),
            Self::Pieces(pieces) => {
                let z = stream.normal();
                let piece = pieces.iter().find(|piece| z <= piece.until);
                Span::from_nanos_f64(piece.map_or(0.0, |p| libm::exp(p.intercept + p.slope * z)))
            }
        }
    }

    /// What a part `p` of all draws stays below, for 0 < p < 1, rounded to a nanosecond.
    pub fn quantile(&self, p: f64) -> Span {
        match self {
            Self::Constant(span) => *span,
            Self::Exponential(mean) => Span::from_nanos_f64(-libm::log1p(-p) * mean.nanos() as f64),
            Self::LogNormal { mu, sigma } => Span::from_nanos_f64(libm::exp(mu + sigma * normal_quantile(p))),
            Self::Pieces(pieces) => {
                let z = normal_quantile(p);
                let piece = pieces.iter().find(|piece| z <= piece.until);
                Span::from_nanos_f64(piece.map_or(0.0, |p| libm::exp(p.intercept + p.slope * z)))
            }
        }
    }

    /// The exact mean, rounded to a nanosecond.
    pub fn mean(&self) -> Span {
        match self {
            Self::Constant(span) | Self::Exponential(span) => *span,
            Self::LogNormal { mu, sigma } => Span::from_nanos_f64(libm::exp(mu + 0.5 * sigma * sigma)),
            Self::Pieces(pieces) => {
                let mut from = f64::NEG_INFINITY;
                let mut mean = 0.0;
                for piece in pieces {
                    // E[exp(a + b·Z); from < Z ≤ until] = exp(a + b²/2) (Φ(until − b) − Φ(from − b))
                    let weight = normal_cdf(piece.until - piece.slope) - normal_cdf(from - piece.slope);
                    mean += libm::exp(piece.intercept + 0.5 * piece.slope * piece.slope) * weight;
                    from = piece.until;
                }
                Span::from_nanos_f64(mean)
            }
        }
    }
}

impl Piece {
    fn through(from: (f64, Span), to: (f64, Span)) -> Self {
        let (z0, z1) = (normal_quantile(from.0), normal_quantile(to.0));
        let (y0, y1) = (libm::log(from.1.nanos() as f64), libm::log(to.1.nanos() as f64));
        let slope = (y1 - y0) / (z1 - z0);
        Self { until: z1, intercept: y0 - slope * z0, slope }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Span = Span::from_millis;

    /// Samples many and compares mean and percentiles with what was asked for.
    fn check(distribution: &Distribution, quantiles: &[(f64, Span)]) {
        let mut stream = Stream::new(7, 0, "test", "distribution");
        let mut samples: Vec<u64> = (0..400_000).map(|_| distribution.sample(&mut stream).nanos()).collect();
        samples.sort_unstable();
        let mean = samples.iter().map(|x| *x as f64).sum::<f64>() / samples.len() as f64;
        let exact = distribution.mean().nanos() as f64;
        assert!((mean / exact - 1.0).abs() < 0.01, "{distribution:?}: mean {mean}, exact {exact}");
        for (q, value) in quantiles {
            let exact = distribution.quantile(*q).nanos() as f64;
            assert!((exact / value.nanos() as f64 - 1.0).abs() < 1e-5, "{distribution:?}: q{q} {exact}");
            let found = samples[(q * samples.len() as f64) as usize] as f64;
            assert!((found / value.nanos() as f64 - 1.0).abs() < 0.03, "{distribution:?}: q{q} {found}");
        }
    }

    #[test]
    fn samples_have_the_mean_and_the_percentiles() {
        check(&Distribution::Constant(MS(3)), &[(0.5, MS(3))]);
        check(
            &Distribution::Exponential(MS(10)),
            &[(0.5, Span::from_nanos(6_931_472)), (0.99, Span::from_nanos(46_051_702))],
        );
        let two = [(0.5, MS(4)), (0.99, MS(20))];
        check(&Distribution::from_percentiles(MS(4), MS(20)).expect("fits"), &two);
        check(&Distribution::from_quantiles(&two).expect("fits"), &two);
        let four = [(0.5, MS(4)), (0.9, MS(9)), (0.99, MS(20)), (0.999, MS(50))];
        check(&Distribution::from_quantiles(&four).expect("fits"), &four);
    }

    #[test]
    fn a_lognormal_has_the_mean_and_spread_it_was_asked_for() {
        let made = Distribution::lognormal(MS(10), MS(10));
        assert_eq!(made.mean(), MS(10));
        // σ² = ln 2, so that the median is the mean divided by √2.
        let median = made.quantile(0.5).nanos() as f64;
        assert!((median * std::f64::consts::SQRT_2 / 1e7 - 1.0).abs() < 1e-6, "{median}");
        assert_eq!(Distribution::lognormal(MS(10), Span::ZERO), Distribution::Constant(MS(10)));
    }

    #[test]
    fn impossible_quantiles_are_refused() {
        use DistributionError as E;
        assert_eq!(Distribution::from_percentiles(MS(2), MS(1)), Err(E::Falling));
        assert_eq!(Distribution::from_percentiles(MS(0), MS(1)), Err(E::Zero));
        assert_eq!(Distribution::from_percentiles(MS(2), MS(2)), Ok(Distribution::Constant(MS(2))));
        let from = Distribution::from_quantiles;
        assert_eq!(from(&[(0.5, MS(2))]), Err(E::TooFew));
        assert_eq!(from(&[(0.5, MS(2)), (0.5, MS(3))]), Err(E::BadProbability));
        assert_eq!(from(&[(0.5, MS(2)), (1.0, MS(3))]), Err(E::BadProbability));
        assert_eq!(from(&[(0.9, MS(2)), (0.5, MS(3))]), Err(E::Falling));
    }
}
