//! Latencies in buckets of two decimal digits, as `circllhist`, which Envoy uses, has them.

/// Two digits for each power of ten up to 10¹².
const BUCKETS: usize = 90 * 11 + 10;

/// Counts per bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Histogram {
    counts: Box<[u32]>,
    total: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { counts: vec![0; BUCKETS].into_boxed_slice(), total: 0 }
    }

    pub(super) fn len(&self) -> u64 {
        self.total
    }

    pub(super) fn clear(&mut self) {
        self.counts.fill(0);
        self.total = 0;
    }

    pub(super) fn insert(&mut self, value: u64) {
        let power = value.checked_ilog10().unwrap_or(0).saturating_sub(1);
        let digits = (value / 10u64.pow(power)) as usize;
        let index = (digits + 90 * power as usize).min(BUCKETS - 1);
        if let Some(count) = self.counts.get_mut(index) {
            *count += 1;
            self.total += 1;
        }
    }

    /// The quantile, straight between the ends of its bucket; zero when empty.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let wanted = share * self.total as f64;
        let mut below = 0.0;
        for (index, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = f64::from(*count);
            if below + count >= wanted {
                let (left, width) = bounds(index);
                return left + (wanted - below) / count * width;
            }
            below += count;
        }
        0.0
    }
}

fn bounds(index: usize) -> (f64, f64) {
    if index < 10 {
        return (index as f64, 1.0);
    }
    let power = (index - 10) / 90;
    let width = (0..power).fold(1.0, |width, _| width * 10.0);
    ((index - 90 * power) as f64 * width, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_within_its_bucket() {
        for value in [0, 5, 9, 10, 99, 100, 1_234, 987_654_321] {
            let mut histogram = Histogram::new();
            histogram.insert(value);
            let middle = histogram.quantile(0.5);
            assert!((middle - value as f64).abs() <= (value as f64 * 0.1).max(1.0), "{value}: {middle}");
        }
    }
}
