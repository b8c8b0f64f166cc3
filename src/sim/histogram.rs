//! Latencies by the thousand: percentiles to three digits, count, mean, least and greatest exactly.
//!
//! The buckets are those of an HDR histogram (Tene; hdrhistogram 7.6 gives the same percentiles): as wide as the
//! resolution at first, and twice as wide with every octave from there, 1,024 to an octave. They are made as
//! high as there are values: a run has a histogram per endpoint, and one over an hour is 200 kB of zeros.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::kernel::Span;

/// Differences below 128 ns are not kept apart: percentiles have three digits from 131 µs on and are
/// within 64 ns below.
const RESOLUTION_BITS: u32 = 7;
/// Anything longer is counted as one hour; the greatest value itself is kept exactly.
const LONGEST_NANOS: u64 = 3_600_000_000_000;
/// Buckets to an octave: three significant digits.
const OCTAVE_BITS: u32 = 10;

/// The bucket of a value.
#[inline]
fn bucket(nanos: u64) -> usize {
    let units = nanos.min(LONGEST_NANOS) >> RESOLUTION_BITS;
    let octave = (units | 1 << OCTAVE_BITS).ilog2() - OCTAVE_BITS;
    ((u64::from(octave) << OCTAVE_BITS) + (units >> octave)) as usize
}

/// The middle of a bucket: its top would be too long on average.
fn middle(bucket: usize) -> u64 {
    let octave = (bucket >> OCTAVE_BITS).saturating_sub(1);
    let shift = octave as u32 + RESOLUTION_BITS;
    let (low, last) = (((bucket - (octave << OCTAVE_BITS)) as u64) << shift, (1 << shift) - 1);
    low + last - last / 2
}

/// A histogram of lengths of time. Takes no memory until something is recorded, about 50 kB where values reach
/// a second, and 16 bytes per bucket in use once it is packed.
#[derive(Debug, Clone, Default)]
pub struct Histogram {
    counts: Vec<u32>,
    /// What was packed: buckets, rising, and their counts.
    packed: Vec<(usize, u64)>,
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
        let at = bucket(nanos);
        match self.counts.get_mut(at) {
            Some(count) if *count < u32::MAX => *count += 1,
            _ => self.record_higher(at),
        }
    }

    /// Beyond what was recorded so far, or more often than 32 bits count.
    #[cold]
    fn record_higher(&mut self, at: usize) {
        if at < self.counts.len() {
            self.pack();
        }
        self.counts.resize(((at >> OCTAVE_BITS) + 1) << OCTAVE_BITS, 0);
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
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
        self.packed = merge(&self.buckets(), &other.buckets());
        self.counts = Vec::new();
    }

    /// Gives back the memory of buckets not in use. Every answer stays the same.
    pub fn pack(&mut self) {
        self.packed = self.buckets().into_owned();
        self.counts = Vec::new();
    }

    /// The buckets in use, rising, and their counts.
    fn buckets(&self) -> Cow<'_, [(usize, u64)]> {
        if self.counts.is_empty() {
            return Cow::Borrowed(&self.packed);
        }
        let all = self.counts.iter().enumerate();
        let used: Vec<_> =
            all.filter(|(_, count)| **count > 0).map(|(at, count)| (at, u64::from(*count))).collect();
        Cow::Owned(if self.packed.is_empty() { used } else { merge(&self.packed, &used) })
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.counts.fill(0);
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
        if q <= 0.0 {
            return self.min();
        }
        let wanted = (q.min(1.0) * self.count as f64).ceil() as u64;
        // From above: what is asked for mostly lies there.
        let mut beyond = self.count - wanted.clamp(1, self.count);
        let mut reached = |count: u64| {
            let found = count > beyond;
            beyond = beyond.saturating_sub(count);
            found
        };
        let at = if self.packed.is_empty() {
            let used = self.counts.get(..=bucket(self.greatest))?;
            used.iter().rposition(|count| reached(u64::from(*count)))?
        } else {
            let used = self.buckets();
            let found = used.iter().rposition(|(_, count)| reached(*count))?;
            used.get(found)?.0
        };
        Some(middle(at).clamp(self.least, self.greatest) as f64 / 1e9)
    }
}

/// Both lists as one.
fn merge(one: &[(usize, u64)], two: &[(usize, u64)]) -> Vec<(usize, u64)> {
    let mut both = Vec::with_capacity(one.len().max(two.len()));
    let (mut left, mut right) = (one.iter().copied().peekable(), two.iter().copied().peekable());
    while let (Some(a), Some(b)) = (left.peek().copied(), right.peek().copied()) {
        let order = a.0.cmp(&b.0);
        both.push(match order {
            Ordering::Less => a,
            Ordering::Greater => b,
            Ordering::Equal => (a.0, a.1 + b.1),
        });
        if order != Ordering::Greater {
            left.next();
        }
        if order != Ordering::Less {
            right.next();
        }
    }
    both.extend(left.chain(right));
    both
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
    fn percentiles_are_those_of_the_hdr_histogram() {
        let mut theirs =
            hdrhistogram::Histogram::<u64>::new_with_bounds(128, LONGEST_NANOS, 3).expect("bounds");
        let mut ours = Histogram::default();
        for i in 0..50_000u64 {
            let nanos = (i * i * i * 29 % LONGEST_NANOS) >> (i % 30);
            ours.record(Span::from_nanos(nanos));
            theirs.saturating_record(nanos);
        }
        for q in [1e-6, 0.01, 0.1, 0.3, 0.5, 0.9, 0.99, 0.999, 1.0] {
            let top = theirs.value_at_quantile(q);
            let middle = top - (top - theirs.lowest_equivalent(top)) / 2;
            let middle = middle.clamp(ours.least, ours.greatest);
            assert_eq!(ours.quantile(q), Some(middle as f64 / 1e9), "{q}");
        }
    }

    #[test]
    fn a_full_bucket_goes_on_counting() {
        let mut one = Histogram::default();
        one.record(Span::from_millis(1));
        one.counts.iter_mut().filter(|count| **count > 0).for_each(|count| *count = u32::MAX);
        one.record(Span::from_millis(1));
        one.pack();
        assert_eq!(one.packed.iter().map(|(_, count)| count).sum::<u64>(), 1 << 32);
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
            assert!(packed.counts.is_empty());
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
        let mut packed = two.clone();
        packed.pack();
        assert_eq!(ask(&packed), ask(&two));
    }

    #[test]
    fn the_longest_is_kept_exactly() {
        let mut one = Histogram::default();
        one.record(Span::from_secs(7200));
        assert_eq!((one.max(), one.quantile(0.5)), (Some(7200.0), Some(7200.0)));
    }
}
