//! Which partition a record goes to.

use crate::kernel::Stream;

/// How records are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Partitioner {
    /// By the hash of the key; without one, so many records to one partition, then to another drawn at random.
    /// Kafka's default, whose producer counts `batch.size` bytes instead of records.
    KeyOrSticky(u32),
    /// In turn, whatever the key. Kafka's `RoundRobinPartitioner`.
    RoundRobin,
}

impl Default for Partitioner {
    /// 16 KiB of 1 KiB records.
    fn default() -> Self {
        Self::KeyOrSticky(16)
    }
}

/// A partitioner at work, for one producer.
#[derive(Debug, Clone)]
pub(super) struct Spread {
    how: Partitioner,
    partitions: u32,
    current: u32,
    /// Records that the current partition still takes.
    left: u32,
}

impl Spread {
    pub fn new(how: Partitioner, partitions: u32) -> Self {
        Self { how, partitions, current: 0, left: 0 }
    }

    pub fn partition(&mut self, key: Option<&[u8]>, draws: &mut Stream) -> u32 {
        match (self.how, key) {
            (Partitioner::KeyOrSticky(_), Some(key)) => (murmur2(key) & 0x7fff_ffff) % self.partitions,
            (Partitioner::KeyOrSticky(batch), None) => {
                if self.left == 0 {
                    self.current = draws.below(u64::from(self.partitions)) as u32;
                    self.left = batch.max(1);
                }
                self.left -= 1;
                self.current
            }
            (Partitioner::RoundRobin, _) => {
                let next = self.current;
                self.current = (next + 1) % self.partitions;
                next
            }
        }
    }
}

/// 32-bit `MurmurHash2` (Austin Appleby) with the seed that Kafka's clients share; the default partitioner
/// drops its sign and takes the remainder.
pub fn murmur2(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c_u32 ^ key.len() as u32;
    let (blocks, rest) = key.as_chunks::<4>();
    for block in blocks {
        let k = u32::from_le_bytes(*block).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ (k ^ (k >> 24)).wrapping_mul(M);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |sum, byte| (sum << 8) | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}
