//! Latencies by the thousand: percentiles to three digits, count, mean, least and greatest exactly.

use crate::kernel::Span;

/// Differences below 128 ns are not kept apart: percentiles have three digits from 262 µs on and are
/// within 64 ns below. Halves the memory of nanoseconds.
const RESOLUTION_NANOS: u64 = 128;
/// Anything longer is counted as one hour; the greatest value itself is kept exactly.
const LONGEST_NANOS: u64 = 3_600_000_000_000;
/// Significant digits.
const DIGITS: u8 = 3;

/// A histogram of lengths of time. Takes no memory until something is recorded.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    buckets: Option<Box<hdrhistogram::Histogram<u64>>>,
    count: u64,
    sum: u128,
    least: u64,
    greatest: u64,
}

impl Histogram {
    /// One more value.
    #[inline]
    pub fn record(&mut self, value: Span) {
        let nanos = value.nanos();
        self.least = if self.count == 0 { nanos } else { self.least.min(nanos) };
        self.greatest = self.greatest.max(nanos);
        self.count += 1;
        self.sum += u128::from(nanos);
        if self.buckets.is_none() {
            self.buckets = empty();
        }
        if let Some(buckets) = &mut self.buckets {
            buckets.saturating_record(nanos);
        }
    }

    /// All values of another one too.
    pub fn add(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.least = if self.count == 0 { other.least } else { self.least.min(other.least) };
        self.greatest = self.greatest.max(other.greatest);
        self.count += other.count;
        self.sum += other.sum;
        match (&mut self.buckets, &other.buckets) {
            // Both have the same bounds, which is all that can fail.
            (Some(mine), Some(theirs)) => mine.add(&**theirs).unwrap_or_default(),
            (mine, theirs) => mine.clone_from(theirs),
        }
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        if let Some(buckets) = &mut self.buckets {
            buckets.reset();
        }
        (self.count, self.sum, self.least, self.greatest) = (0, 0, 0, 0);
    }

    /// How many values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The exact mean in seconds; `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64 / 1e9)
    }

    /// The exact least value in seconds.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then(|| self.least as f64 / 1e9)
    }

    /// The exact greatest value in seconds.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then(|| self.greatest as f64 / 1e9)
    }

    /// The value in seconds that a share `q` of the values do not exceed, to three digits and never
    /// outside what was recorded.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let buckets = self.buckets.as_ref().filter(|_| self.count > 0)?;
        let top = buckets.value_at_quantile(q);
        // The middle of the bucket: its top would be too long on average.
        let middle = top - (top - buckets.lowest_equivalent(top)) / 2;
        Some(middle.clamp(self.least, self.greatest) as f64 / 1e9)
    }
}

fn empty() -> Option<Box<hdrhistogram::Histogram<u64>>> {
    hdrhistogram::Histogram::new_with_bounds(RESOLUTION_NANOS, LONGEST_NANOS, DIGITS).ok().map(Box::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_to_three_digits_and_the_rest_exactly() {
        let (mut one, mut two) = (Histogram::default(), Histogram::default());
        for i in 1..=10_000u64 {
            let half = if i % 2 == 0 { &mut one } else { &mut two };
            half.record(Span::from_micros(i));
        }
        one.add(&two);
        assert_eq!(one.count(), 10_000);
        assert_eq!(one.mean(), Some(0.005_000_5));
        assert_eq!((one.min(), one.max()), (Some(1e-6), Some(0.01)));
        for q in [0.1, 0.5, 0.9, 0.99, 0.999] {
            let found = one.quantile(q).expect("not empty");
            assert!((found / (0.01 * q) - 1.0).abs() < 0.001, "{q}: {found}");
        }
        one.clear();
        assert_eq!((one.count(), one.quantile(0.5), one.mean()), (0, None, None));
    }

    #[test]
    fn the_longest_is_kept_exactly() {
        let mut one = Histogram::default();
        one.record(Span::from_secs(7200));
        assert_eq!((one.max(), one.quantile(0.5)), (Some(7200.0), Some(7200.0)));
    }
}
