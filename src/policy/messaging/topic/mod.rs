//! A partitioned log: what was written stays for a while, and every group reads all of it.

mod group;
mod partitioner;

use std::collections::VecDeque;

use super::{PolicyInfo, Span, Time};
use crate::kernel::Stream;

pub use group::{Group, OffsetReset};
pub use partitioner::{Partitioner, murmur2};

pub(super) const INFO: PolicyInfo = PolicyInfo {
    name: "topic",
    summary: "a partitioned log: order within a partition, each group reads all, retention",
    page: include_str!("topic.md"),
};

/// Partitions and retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicSettings {
    /// Default 1.
    pub partitions: u32,
    /// How records without a key, or all of them, are spread.
    pub partitioner: Partitioner,
    /// How long records are kept. Default 7 days.
    pub retention: Option<Span>,
    /// How many are kept in each partition. Default all.
    pub retention_records: Option<u64>,
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self {
            partitions: 1,
            partitioner: Partitioner::default(),
            retention: Some(Span::from_secs(7 * 24 * 3600)),
            retention_records: None,
        }
    }
}

/// A record and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<T> {
    /// What was written.
    pub item: T,
    /// When.
    pub at: Time,
    /// In which partition.
    pub partition: u32,
    /// At which place in it.
    pub offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Log<T> {
    start: u64,
    records: VecDeque<(Time, T)>,
}

/// The log.
///
/// ```
/// use loadpath::kernel::{Stream, Time};
/// use loadpath::policy::messaging::{Topic, TopicSettings};
/// let mut topic = Topic::new(TopicSettings { partitions: 3, ..Default::default() });
/// let draws = &mut Stream::new(1, 0, "doc", "topic");
/// let (first, _) = topic.publish(Some(b"cart-7"), "added", Time::ZERO, draws);
/// assert_eq!(topic.publish(Some(b"cart-7"), "paid", Time::ZERO, draws), (first, 1), "one key, one partition");
/// ```
#[derive(Debug, Clone)]
pub struct Topic<T> {
    settings: TopicSettings,
    spread: partitioner::Spread,
    logs: Vec<Log<T>>,
}

impl<T: Clone> Topic<T> {
    /// Empty; no partitions count as one.
    pub fn new(settings: TopicSettings) -> Self {
        let partitions = settings.partitions.max(1);
        let log = Log { start: 0, records: VecDeque::new() };
        Self {
            settings,
            spread: partitioner::Spread::new(settings.partitioner, partitions),
            logs: vec![log; partitions as usize],
        }
    }

    /// Writes a record; gives its partition and offset.
    pub fn publish(&mut self, key: Option<&[u8]>, item: T, now: Time, draws: &mut Stream) -> (u32, u64) {
        let partition = self.spread.partition(key, draws);
        let most = self.settings.retention_records.unwrap_or(u64::MAX);
        let Some(log) = self.logs.get_mut(partition as usize) else { return (partition, 0) };
        log.records.push_back((now, item));
        let offset = log.start + log.records.len() as u64 - 1;
        while log.records.len() as u64 > most && log.records.pop_front().is_some() {
            log.start += 1;
        }
        (partition, offset)
    }

    /// Drops what is older than the retention.
    pub fn expire(&mut self, now: Time) {
        let Some(retention) = self.settings.retention else { return };
        for log in &mut self.logs {
            while log.records.front().is_some_and(|(at, _)| now.since(*at) > retention) {
                log.records.pop_front();
                log.start += 1;
            }
        }
    }

    /// Drops what stands before this place: whoever keeps the log knows that nobody reads it again.
    pub fn forget_before(&mut self, partition: u32, offset: u64) {
        let Some(log) = self.logs.get_mut(partition as usize) else { return };
        while log.start < offset && log.records.pop_front().is_some() {
            log.start += 1;
        }
    }

    /// The record at this place; `None` when it is not there yet or no longer.
    pub fn read(&self, partition: u32, offset: u64) -> Option<Record<T>> {
        let log = self.logs.get(partition as usize)?;
        let (at, item) = log.records.get(usize::try_from(offset.checked_sub(log.start)?).ok()?)?;
        Some(Record { item: item.clone(), at: *at, partition, offset })
    }

    /// How many partitions.
    pub fn partitions(&self) -> u32 {
        self.logs.len() as u32
    }

    /// The first offset that is there, and the one the next record gets.
    pub fn offsets(&self, partition: u32) -> (u64, u64) {
        self.logs
            .get(partition as usize)
            .map_or((0, 0), |log| (log.start, log.start + log.records.len() as u64))
    }
}

#[cfg(test)]
mod tests;
