//! Deterministic random streams.
//!
//! A stream is named by what it is for, not by when it was made: its seed is a stable hash of the
//! run's seed, the replication, the purpose and the entity's name. So adding a service, or
//! changing one policy, leaves the draws of all others as they were, and two policies can be
//! compared under common random numbers. The generator is xoshiro256++ (Blackman, Vigna 2019).

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::stats::normal_quantile;
use super::ziggurat;

/// 2⁻⁵³: the step between neighbouring values of [`Stream::unit`].
const UNIT_STEP: f64 = 1.0 / 9_007_199_254_740_992.0;

/// A source of random numbers that gives the same ones on every platform, forever.
///
/// ```
/// use loadpath::kernel::Stream;
/// let mut draws = Stream::new(1, 0, "work", "cart GET /cart/{id}");
/// let mut again = Stream::new(1, 0, "work", "cart GET /cart/{id}");
/// assert_eq!(draws.bits(), again.bits());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    generator: Xoshiro256PlusPlus,
}

impl Stream {
    /// The stream of one purpose of one entity in one replication of a run.
    pub fn new(seed: u64, replication: u32, purpose: &str, name: &str) -> Self {
        let mut hash = Fnv::default();
        hash.write(&seed.to_le_bytes());
        hash.write(&replication.to_le_bytes());
        hash.write(purpose.as_bytes());
        hash.write(&[0]);
        hash.write(name.as_bytes());
        Self { generator: Xoshiro256PlusPlus::seed_from_u64(hash.0) }
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform in [0, 1), 53 bits.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * UNIT_STEP
    }

    /// Uniform in (0, 1): never an end of it, so that a quantile function stays finite.
    #[inline]
    pub fn open_unit(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) * (2.0 * UNIT_STEP)
    }

    /// True with this probability; takes one draw in every case.
    #[inline]
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Uniform in 0..`bound`, zero when `bound` is zero. One draw (multiply and shift, Lemire
    /// 2019); the bias is below `bound`/2⁶⁴.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// Exponential with mean 1.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        ziggurat::exponential(self)
    }

    /// Standard normal, by inversion: one draw each, monotone in it.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        normal_quantile(self.open_unit())
    }
}

/// FNV-1a, 64 bits: stable across versions and platforms, unlike the hashes of `std`.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_value_stable() {
        // Written down once: if this changes, every published forecast changes with it.
        let mut stream = Stream::new(1, 0, "work", "cart");
        assert_eq!([stream.bits(), stream.bits()], [3_369_709_481_413_318_986, 17_703_233_268_301_114_408]);
    }

    #[test]
    fn every_part_of_the_name_counts() {
        let first = |seed, replication, purpose, name| Stream::new(seed, replication, purpose, name).bits();
        let base = first(1, 0, "work", "cart");
        for other in [
            first(2, 0, "work", "cart"),
            first(1, 1, "work", "cart"),
            first(1, 0, "errors", "cart"),
            first(1, 0, "work", "card"),
            first(1, 0, "workc", "art"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn below_is_even() {
        let mut stream = Stream::new(1, 0, "test", "below");
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        assert!(counts.iter().all(|n| (9_600..10_400).contains(n)), "{counts:?}");
    }

    /// Streams that differ in the seed, the replication or the name only are as good as independent: means of
    /// many draws spread as they must, and neighbours do not go together.
    #[test]
    fn neighbouring_streams_are_independent() {
        const DRAWS: u32 = 2_000;
        let score = |seed: u64, replication: u32, name: &str| {
            let mut stream = Stream::new(seed, replication, "work", name);
            let mean = (0..DRAWS).map(|_| stream.exponential()).sum::<f64>() / f64::from(DRAWS);
            (mean - 1.0) * f64::from(DRAWS).sqrt()
        };
        let families: [Vec<f64>; 3] = [
            (0..1_000).map(|seed| score(seed, 0, "web")).collect(),
            (0..1_000).map(|replication| score(1, replication, "web")).collect(),
            (0..1_000).map(|n| score(1, 0, &format!("svc-{n}"))).collect(),
        ];
        for z in families {
            let n = z.len() as f64;
            let mean = z.iter().sum::<f64>() / n;
            let variance = z.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
            let together = z.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / n;
            // Four standard errors each: 1/√n, √(2/n) and 1/√n.
            assert!(mean.abs() < 4.0 / n.sqrt(), "mean {mean}");
            assert!((variance - 1.0).abs() < 4.0 * (2.0 / n).sqrt(), "variance {variance}");
            assert!(together.abs() < 4.0 / n.sqrt(), "lag-one covariance {together}");
        }
    }
}
