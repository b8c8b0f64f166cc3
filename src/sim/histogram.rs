//! Latencies by the thousand: percentiles to three digits, count, mean, least and greatest exactly.

use crate::kernel::Span;

/// Differences below 128 ns are not kept apart: percentiles have three digits from 262 µs on and are
/// within 64 ns below. Halves the memory of nanoseconds.
const RESOLUTION_NANOS: u64 = 128;
/// Anything longer is counted as one hour; the greatest value itself is kept exactly.
const LONGEST_NANOS: u64 = 3_600_000_000_000;
/// Significant digits.
const DIGITS: u8 = 3;

/// A histogram of lengths of time. Takes no memory until something is recorded, about 200 kB while
/// something is, and 16 bytes per bucket in use once it is packed.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    buckets: Option<Box<hdrhistogram::Histogram<u64>>>,
    /// Instead of `buckets`, once packed: the middle of each that is in use, rising, and its count.
    packed: Vec<(u64, u64)>,
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
            self.unpack();
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
        if self.buckets.is_none() {
            self.unpack();
        }
        let Some(mine) = &mut self.buckets else { return };
        if let Some(theirs) = &other.buckets {
            // Both have the same bounds, which is all that can fail.
            mine.add(&**theirs).unwrap_or_default();
        }
        for (middle, count) in &other.packed {
            mine.saturating_record_n(*middle, *count);
        }
    }

    /// Gives back the memory of buckets not in use. Every answer stays the same.
    pub fn pack(&mut self) {
        if let Some(buckets) = self.buckets.take() {
            let used = buckets.iter_recorded();
            self.packed = used
                .map(|it| (middle(&buckets, it.value_iterated_to()), it.count_since_last_iteration()))
                .collect();
        }
    }

    fn unpack(&mut self) {
        self.buckets = empty();
        if let Some(buckets) = &mut self.buckets {
            for (middle, count) in std::mem::take(&mut self.packed) {
                buckets.saturating_record_n(middle, count);
            }
        }
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        if let Some(buckets) = &mut self.buckets {
            buckets.reset();
        }
        self.packed.clear();
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
        if self.count == 0 {
            return None;
        }
        let found = match &self.buckets {
            Some(buckets) => middle(buckets, buckets.value_at_quantile(q)),
            None => self.packed_quantile(q)?,
        };
        Some(found.clamp(self.least, self.greatest) as f64 / 1e9)
    }

    fn packed_quantile(&self, q: f64) -> Option<u64> {
        if q <= 0.0 {
            return Some(self.least);
        }
        let wanted = (q.min(1.0) * self.count as f64).ceil() as u64;
        let mut so_far = 0;
        let reached = |(_, count): &&(u64, u64)| {
            so_far += count;
            so_far >= wanted
        };
        self.packed.iter().find(reached).map(|(middle, _)| *middle)
    }
}

/// The middle of the bucket with this top, which would be too long on average.
fn middle(buckets: &hdrhistogram::Histogram<u64>, top: u64) -> u64 {
    top - (top - buckets.lowest_equivalent(top)) / 2
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
    fn packing_changes_no_answer() {
        let ask = |h: &Histogram| {
            let quantiles = [0.0, 1e-6, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0].map(|q| h.quantile(q));
            (quantiles, h.count(), h.mean(), h.min(), h.max())
        };
        let (mut one, mut two) = (Histogram::default(), Histogram::default());
        for i in 0..20_000u64 {
            one.record(Span::from_nanos(i * i * i % 7_919_000_017));
            two.record(Span::from_nanos(i * 40_000_000_000 / (1 + i % 100)));
        }
        let mut both = one.clone();
        both.add(&two);
        for histogram in [&one, &two, &both, &Histogram::default()] {
            let mut packed = histogram.clone();
            packed.pack();
            assert!(packed.buckets.is_none());
            assert_eq!(ask(&packed), ask(histogram));
            packed.pack();
            let mut again = Histogram::default();
            again.add(&packed);
            assert_eq!(ask(&again), ask(histogram));
        }
        two.pack();
        one.add(&two);
        assert_eq!(ask(&one), ask(&both));
        two.pack();
        two.record(Span::from_secs(1));
        assert_eq!(two.count(), 20_001);
        assert!(two.buckets.is_some() && two.packed.is_empty());
    }

    #[test]
    fn the_longest_is_kept_exactly() {
        let mut one = Histogram::default();
        one.record(Span::from_secs(7200));
        assert_eq!((one.max(), one.quantile(0.5)), (Some(7200.0), Some(7200.0)));
    }
}
