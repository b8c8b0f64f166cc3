//! How long work takes: constants, exponentials and what is made of them, lognormals, and what was fitted to
//! quantiles.
//!
//! Owns sampling and exact moments. Must not know what is being timed.

use std::fmt;

use super::stats::{normal_cdf, normal_quantile};
use super::{Span, Stream};

/// The 99th percentile of a standard normal, as written in the published fits.
const Z99: f64 = 2.326_35;

/// A distribution of a length of time. [`Distribution::sample`] takes a fixed number of draws from
/// the stream for each kind but those made of exponentials (ziggurat: nearly always one each).
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
    /// The sum of so many exponentials, with this mean: the more, the more even. Squared variation 1/shape.
    Erlang {
        /// Of the whole.
        mean: Span,
        /// How many; at least 1.
        shape: u32,
    },
    /// One of two exponentials: few long jobs among many short ones.
    HyperExponential {
        /// The probability of the first.
        first: f64,
        /// The means of both, in nanoseconds.
        means: [f64; 2],
    },
    /// Anything between these two, evenly.
    Uniform {
        /// The least.
        from: Span,
        /// The most.
        to: Span,
    },
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

    /// The hyperexponential with this mean and standard deviation and balanced means (both kinds bring the same
    /// load: p₁·m₁ = p₂·m₂). With c² = s²/m², p = (1 + √((c²−1)/(c²+1)))/2. A deviation of the mean or less is
    /// an exponential.
    pub fn hyperexponential(mean: Span, deviation: Span) -> Self {
        let scv = if mean.is_zero() { 0.0 } else { deviation.seconds() / mean.seconds() };
        let scv = scv * scv;
        if scv <= 1.0 {
            return Self::Exponential(mean);
        }
        let first = 0.5 * (1.0 + libm::sqrt((scv - 1.0) / (scv + 1.0)));
        let half = mean.nanos() as f64 / 2.0;
        Self::HyperExponential { first, means: [half / first, half / (1.0 - first)] }
    }

    /// Uniform around a mean: ±√3 deviations, but not below zero. Without a deviation from 0 to twice the mean.
    pub fn uniform(mean: Span, deviation: Option<Span>) -> Self {
        let reach = deviation.map_or(mean, |d| d.scaled(libm::sqrt(3.0))).min(mean);
        Self::Uniform { from: mean - reach, to: mean + reach }
    }

    /// One draw.
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> Span {
        match self {
            Self::Constant(span) => *span,
            Self::Exponential(mean) => Span::from_nanos_f64(stream.exponential() * mean.nanos() as f64),
            Self::Erlang { mean, shape } => {
                let sum: f64 = (0..*shape).map(|_| stream.exponential()).sum();
                Span::from_nanos_f64(sum * mean.nanos() as f64 / f64::from((*shape).max(1)))
            }
            Self::HyperExponential { first, means } => {
                let mean = if stream.chance(*first) { means[0] } else { means[1] };
                Span::from_nanos_f64(stream.exponential() * mean)
            }
            Self::Uniform { from, to } => {
                let width = to.nanos().saturating_sub(from.nanos()) as f64;
                Span::from_nanos_f64(from.nanos() as f64 + stream.unit() * width)
            }
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
            Self::Erlang { mean, shape } => {
                let stage = mean.nanos() as f64 / f64::from((*shape).max(1));
                Span::from_nanos_f64(stage * above_zero(p, |x| erlang_cdf(*shape, x)))
            }
            Self::HyperExponential { first, means } => {
                let tail = |x: f64, mean: f64| libm::exp(-x / mean);
                let below = |x: f64| 1.0 - first * tail(x, means[0]) - (1.0 - first) * tail(x, means[1]);
                Span::from_nanos_f64(above_zero(p, below))
            }
            Self::Uniform { from, to } => {
                let width = to.nanos().saturating_sub(from.nanos()) as f64;
                Span::from_nanos_f64(from.nanos() as f64 + p * width)
            }
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
            Self::Constant(span) | Self::Exponential(span) | Self::Erlang { mean: span, .. } => *span,
            _ => Span::from_nanos_f64(self.moment(1.0)),
        }
    }

    /// The squared coefficient of variation, variance over mean²: 0 for a constant, 1 for an exponential.
    pub fn scv(&self) -> f64 {
        match self {
            Self::Constant(_) => 0.0,
            Self::Exponential(_) => 1.0,
            Self::Erlang { shape, .. } => 1.0 / f64::from((*shape).max(1)),
            _ => {
                let mean = self.moment(1.0);
                if mean > 0.0 { (self.moment(2.0) / (mean * mean) - 1.0).max(0.0) } else { 0.0 }
            }
        }
    }

    /// E[X^`power`] in nanoseconds^`power`, for a power of 1 or 2; only of the kinds that are not known otherwise.
    fn moment(&self, power: f64) -> f64 {
        let raised = |x: f64| if power > 1.0 { x * x } else { x };
        match self {
            Self::Constant(span) | Self::Exponential(span) | Self::Erlang { mean: span, .. } => {
                raised(span.nanos() as f64)
            }
            // E[X^n] = n!·m^n
            Self::HyperExponential { first, means } => {
                power * (first * raised(means[0]) + (1.0 - first) * raised(means[1]))
            }
            Self::Uniform { from, to } => {
                let (from, to) = (from.nanos() as f64, to.nanos() as f64);
                if power > 1.0 { (from * from + from * to + to * to) / 3.0 } else { f64::midpoint(from, to) }
            }
            Self::LogNormal { mu, sigma } => {
                let (mu, sigma) = (mu * power, sigma * power);
                libm::exp(mu + 0.5 * sigma * sigma)
            }
            Self::Pieces(pieces) => {
                let mut from = f64::NEG_INFINITY;
                let mut sum = 0.0;
                for piece in pieces {
                    let (a, b) = (piece.intercept * power, piece.slope * power);
                    // E[exp(a + b·Z); from < Z ≤ until] = exp(a + b²/2) (Φ(until − b) − Φ(from − b))
                    sum += libm::exp(a + 0.5 * b * b) * (normal_cdf(piece.until - b) - normal_cdf(from - b));
                    from = piece.until;
                }
                sum
            }
        }
    }
}

/// P(sum of `shape` exponentials with mean 1 ≤ x) = 1 − e^−x·Σ xⁱ/i!
fn erlang_cdf(shape: u32, x: f64) -> f64 {
    let mut term = libm::exp(-x);
    let mut sum = 0.0;
    for i in 0..shape {
        sum += term;
        term *= x / f64::from(i + 1);
    }
    1.0 - sum
}

/// Where a distribution function of something positive reaches `p`, by bisection.
fn above_zero(p: f64, below: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while below(high) < p && high < 1e18 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if below(middle) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
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
        // The 99th percentile of Erlang-4 with mean 10: 2.5·10.045118 (half the χ² quantile of 8 degrees, 20.090235).
        check(
            &Distribution::Erlang { mean: MS(10), shape: 4 },
            &[(0.99, Span::from_nanos(25_112_794)), (0.5, Span::from_nanos(9_180_151))],
        );
        check(&Distribution::hyperexponential(MS(10), MS(20)), &[]);
        check(&Distribution::uniform(MS(10), None), &[(0.5, MS(10)), (0.9, MS(18))]);
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
    fn the_spread_is_that_of_samples() {
        let sigma = libm::sqrt(libm::log(5.0));
        let table = [
            (Distribution::Constant(MS(3)), 0.0),
            (Distribution::Exponential(MS(3)), 1.0),
            (Distribution::Erlang { mean: MS(3), shape: 4 }, 0.25),
            (Distribution::hyperexponential(MS(3), MS(6)), 4.0),
            (Distribution::uniform(MS(3), None), 1.0 / 3.0),
            (Distribution::uniform(MS(3), Some(MS(1))), 1.0 / 9.0),
            (Distribution::LogNormal { mu: 15.0, sigma }, 4.0),
        ];
        for (distribution, scv) in table {
            assert!((distribution.scv() - scv).abs() < 1e-6, "{distribution:?}: {}", distribution.scv());
        }
        let pieces = [(0.5, MS(4)), (0.9, MS(9)), (0.99, MS(20))];
        for distribution in [
            Distribution::from_quantiles(&pieces).expect("fits"),
            Distribution::hyperexponential(MS(3), MS(6)),
            Distribution::uniform(MS(3), Some(MS(1))),
            Distribution::Erlang { mean: MS(3), shape: 4 },
        ] {
            let mut stream = Stream::new(7, 0, "test", "spread");
            let samples: Vec<f64> =
                (0..400_000).map(|_| distribution.sample(&mut stream).nanos() as f64).collect();
            let mean = samples.iter().sum::<f64>() / samples.len() as f64;
            let square = samples.iter().map(|x| x * x).sum::<f64>() / samples.len() as f64;
            let scv = square / (mean * mean) - 1.0;
            assert!((scv / distribution.scv() - 1.0).abs() < 0.05, "{distribution:?}: {scv}");
        }
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
