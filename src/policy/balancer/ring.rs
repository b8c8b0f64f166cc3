//! Points on a circle, each owned by a host: what all consistent hashes have in common.

/// Sorted points; only as good as the hashes that made them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Ring {
    points: Vec<(u64, u32)>,
}

impl Ring {
    pub fn clear(&mut self) {
        self.points.clear();
    }

    pub fn add(&mut self, hash: u64, host: usize) {
        self.points.push((hash, host as u32));
    }

    /// To be called once all points are in. The points of earlier hosts come first among equals.
    pub fn sort(&mut self) {
        self.points.sort_unstable();
    }

    /// Of points with the same hash only the first stays.
    pub fn drop_equals(&mut self) {
        self.points.dedup_by_key(|point| point.0);
    }

    pub fn len(&self) -> usize {
        self.points.len()
    }

    pub fn points(&self) -> impl Iterator<Item = (u64, usize)> {
        self.points.iter().map(|(hash, host)| (*hash, *host as usize))
    }

    /// The index of the first point at or after this hash; after the last comes the first.
    pub fn at_or_after(&self, hash: u64) -> usize {
        let index = self.points.partition_point(|point| point.0 < hash);
        if index < self.points.len() { index } else { 0 }
    }

    /// The point of this index, counted round and round; `None` on an empty ring.
    pub fn point(&self, index: usize) -> Option<(u64, usize)> {
        let turned = index.checked_rem(self.points.len())?;
        self.points.get(turned).map(|(hash, host)| (*hash, *host as usize))
    }
}
