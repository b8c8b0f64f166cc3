//! The least of many numbers, again and again.
//!
//! Most events that happen make another one: what is popped leaves a hole at the top, which the next push
//! fills on its way down instead of coming up from below. Four children to a node: half as deep as two.

/// A heap of numbers, the least on top.
#[derive(Debug, Default)]
pub(super) struct Heap {
    keys: Vec<u128>,
    /// The top was taken, and nothing has taken its place.
    hole: bool,
}

impl Heap {
    #[inline]
    pub(super) fn push(&mut self, key: u128) {
        if std::mem::take(&mut self.hole) {
            return self.sink(key);
        }
        let mut at = self.keys.len();
        self.keys.push(key);
        while at > 0 {
            let above = (at - 1) / 4;
            if self.keys[above] <= key {
                break;
            }
            self.keys[at] = self.keys[above];
            at = above;
        }
        self.keys[at] = key;
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<u128> {
        if self.hole
            && let Some(last) = self.keys.pop()
            && !self.keys.is_empty()
        {
            self.sink(last);
        }
        let least = self.keys.first().copied();
        self.hole = least.is_some();
        least
    }

    /// Lets this one sink from the top to where it belongs.
    #[inline]
    fn sink(&mut self, key: u128) {
        let keys = self.keys.as_mut_slice();
        let mut at = 0;
        loop {
            let first = 4 * at + 1;
            let least = if let Some([a, b, c, d]) = keys.get(first..first + 4) {
                let (left, right) = (usize::from(b < a), 2 + usize::from(d < c));
                first + if c.min(d) < a.min(b) { right } else { left }
            } else {
                let rest = keys.iter().enumerate().skip(first);
                match rest.min_by_key(|(_, key)| **key) {
                    Some((least, _)) => least,
                    None => break,
                }
            };
            if keys[least] >= key {
                break;
            }
            keys[at] = keys[least];
            at = least;
        }
        keys[at] = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Stream;

    #[test]
    fn what_comes_out_is_always_the_least() {
        let mut random = Stream::new(1, 0, "test", "heap");
        let (mut heap, mut sorted) = (Heap::default(), std::collections::BTreeSet::new());
        for round in 0..200_000u64 {
            // Grows and shrinks, through zero too.
            let grows = if round / 500 % 2 == 0 { 0.7 } else { 0.2 };
            if random.chance(grows) {
                let key = u128::from(random.bits()) << 32 | u128::from(round);
                heap.push(key);
                sorted.insert(key);
            } else {
                assert_eq!(heap.pop(), sorted.pop_first());
            }
        }
    }
}
