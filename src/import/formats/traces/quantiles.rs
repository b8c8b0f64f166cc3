//! Lengths of time, counted: any number of them in a little memory, each within 0.4 % of what it was.

use std::collections::BTreeMap;

/// Values of one power of two are told apart in so many steps.
const STEPS: u64 = 128;

/// The quantiles that are said, of those that so many values can show.
const SHARES: [f64; 9] = [0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999];

/// Lengths of time in nanoseconds.
#[derive(Debug, Clone, Default)]
pub struct Quantiles {
    steps: BTreeMap<u32, u64>,
    /// How many.
    pub count: u64,
    /// All together, nanoseconds.
    pub total_ns: u128,
}

impl Quantiles {
    /// Counts one.
    pub fn add(&mut self, ns: u64) {
        *self.steps.entry(step(ns)).or_default() += 1;
        self.count += 1;
        self.total_ns += u128::from(ns);
    }

    /// The value of a rank from 1.
    fn ranked(&self, rank: u64) -> u64 {
        let mut before = 0;
        for (step, count) in &self.steps {
            before += count;
            if before >= rank {
                return middle(*step);
            }
        }
        self.steps.last_key_value().map_or(0, |(step, _)| middle(*step))
    }

    /// The value below which a share of them lies (Hazen: the kth of n stands for (k − ½)/n).
    pub fn at(&self, share: f64) -> u64 {
        let rank = (share * self.count as f64 + 0.5).clamp(1.0, self.count.max(1) as f64);
        let (low, part) = (self.ranked(rank as u64), rank.fract());
        let high = self.ranked((rank as u64 + 1).min(self.count));
        low + ((high.saturating_sub(low)) as f64 * part) as u64
    }

    /// The arithmetic mean, nanoseconds.
    pub fn mean_ns(&self) -> u64 {
        u64::try_from(self.total_ns / u128::from(self.count.max(1))).unwrap_or(u64::MAX)
    }

    /// Shares with their values, rising, the smallest and the largest value among them. Each end stands twice,
    /// so that nothing is made up beyond what was seen. Fewer than two where all are the same.
    pub fn points(&self) -> Vec<(f64, u64)> {
        let (least, most) = (self.at(0.0).max(LEAST_NS), self.at(1.0).max(LEAST_NS));
        if least == most {
            return Vec::new();
        }
        let end = (0.5 / self.count as f64).max(0.000_001);
        let inner = SHARES.into_iter().filter(|share| *share > end * 1.001 && 1.0 - share > end * 1.001);
        let mut points = vec![(end.min(END) / 2.0, least), (end, least)];
        points.extend(inner.map(|share| (share, self.at(share).max(LEAST_NS))));
        points.extend([(1.0 - end, most), (1.0 - end.min(END) / 2.0, most)]);
        points
    }
}

/// The outermost share.
const END: f64 = 0.00001;

/// What takes no time takes this: nothing has no logarithm.
const LEAST_NS: u64 = 1000;

fn step(ns: u64) -> u32 {
    let power = (ns | 1).ilog2();
    if power < 7 {
        return ns as u32;
    }
    ((u64::from(power) - 6) * STEPS + (ns >> (power - 7)) - STEPS) as u32
}

fn middle(step: u32) -> u64 {
    let step = u64::from(step);
    if step < STEPS {
        return step;
    }
    let width = (step / STEPS - 1) as u32;
    ((STEPS + step % STEPS) << width) + ((1 << width) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Quantiles {
        let mut all = Quantiles::default();
        values.into_iter().for_each(|v| all.add(v));
        all
    }

    #[test]
    fn a_value_is_kept_within_half_a_percent() {
        for power in 0..64 {
            for value in [1_u64 << power, (1 << power) + (1 << power) / 3, (1 << power) + ((1 << power) - 1)]
            {
                let kept = middle(step(value));
                assert!(kept.abs_diff(value) as f64 <= 0.004 * value as f64, "{value} is {kept}");
            }
        }
    }

    #[test]
    fn quantiles_of_the_numbers_to_a_thousand() {
        let all = of((1..=1000).map(|v| v * 1_000_000));
        for (share, expected) in [(0.5, 500.5), (0.9, 900.5), (0.99, 990.5), (0.0, 1.0), (1.0, 1000.0)] {
            let found = all.at(share) as f64 / 1e6;
            assert!((found - expected).abs() <= expected * 0.005, "{share}: {found}");
        }
        assert_eq!(all.mean_ns(), 500_500_000);
    }

    #[test]
    fn points_rise_and_end_where_the_values_end() {
        for count in [2, 3, 10, 20, 500, 20_000] {
            let points = of((1..=count).map(|v| v * 1_000_000)).points();
            assert!(points.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1), "{points:?}");
            assert!(points.first().unwrap().0 > 0.0 && points.last().unwrap().0 < 1.0);
        }
        assert!(of([5, 5, 5]).points().is_empty());
        assert_eq!(of([0, 5_000_000]).points().first().unwrap().1, LEAST_NS);
    }
}
