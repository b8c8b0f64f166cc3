//! A consumer group: one reader per partition, generations, committed offsets.

use super::super::{Assignor, Member, TopicPartition};
use super::{Record, Topic};

/// Where a group begins that has committed nothing, or whose place is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OffsetReset {
    /// At the end: only what comes. Kafka's default.
    #[default]
    Latest,
    /// At the oldest record there is.
    Earliest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    owner: Option<u32>,
    committed: Option<u64>,
    /// The next record its owner reads; `None` until it looked.
    position: Option<u64>,
}

/// The readers of one topic that share it among them. Groups know nothing of each other.
///
/// ```
/// use loadpath::kernel::{Stream, Time};
/// use loadpath::policy::messaging::{Assignor, Group, OffsetReset, Topic, TopicSettings};
/// let mut topic = Topic::new(TopicSettings::default());
/// let mut group = Group::new(Assignor::Range, OffsetReset::Earliest, topic.partitions());
/// group.join(1);
/// topic.publish(None, "a", Time::ZERO, &mut Stream::new(1, 0, "doc", "group"));
/// let record = group.poll(1, &topic).expect("written");
/// assert!(group.commit(1, group.generation(), record.partition, record.offset + 1));
/// assert_eq!(group.lag(&topic), 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    assignor: Assignor,
    reset: OffsetReset,
    /// In the order of their numbers, each with the partition it looks at first.
    members: Vec<(u32, usize)>,
    places: Vec<Place>,
    generation: u32,
    unsettled: bool,
}

impl Group {
    /// Nobody in it.
    pub fn new(assignor: Assignor, reset: OffsetReset, partitions: u32) -> Self {
        let place = Place { owner: None, committed: None, position: None };
        Self {
            assignor,
            reset,
            members: Vec::new(),
            places: vec![place; partitions.max(1) as usize],
            generation: 0,
            unsettled: false,
        }
    }

    /// A member comes: a rebalance.
    pub fn join(&mut self, member: u32) {
        if let Err(at) = self.members.binary_search_by_key(&member, |(id, _)| *id) {
            self.members.insert(at, (member, 0));
            self.rebalance();
        }
    }

    /// A member leaves, or its session timed out: a rebalance. What it had not committed is read again.
    pub fn leave(&mut self, member: u32) {
        if let Ok(at) = self.members.binary_search_by_key(&member, |(id, _)| *id) {
            self.members.remove(at);
            self.rebalance();
        }
    }

    /// Shares the partitions out anew: a new generation. Where the assignor is eager all go back to what is
    /// committed; a cooperative one lets owners read on where nothing changed.
    pub fn rebalance(&mut self) {
        self.generation += 1;
        let partition = |n: usize| TopicPartition { topic: 0, partition: n as u32 };
        let owned = |id: u32| {
            let theirs = self.places.iter().enumerate().filter(move |(_, place)| place.owner == Some(id));
            theirs.map(|(n, _)| partition(n)).collect()
        };
        let generation = Some(self.generation);
        let member = |id: u32| Member { topics: vec![0], owned: owned(id), generation };
        let members: Vec<Member> = self.members.iter().map(|(id, _)| member(*id)).collect();
        let shares = self.assignor.assign(&[(0, self.places.len() as u32)], &members);
        let mut owners = vec![None; self.places.len()];
        for ((id, _), share) in self.members.iter().zip(&shares) {
            for at in share {
                if let Some(owner) = owners.get_mut(at.partition as usize) {
                    *owner = Some(*id);
                }
            }
        }
        self.unsettled = !self.members.is_empty() && owners.contains(&None);
        let eager = self.assignor != Assignor::CooperativeSticky;
        for (place, owner) in self.places.iter_mut().zip(owners) {
            if eager || place.owner != owner {
                place.position = None;
            }
            place.owner = owner;
        }
    }

    /// Whether partitions were given up and wait for a second rebalance: cooperative assignors only.
    pub const fn unsettled(&self) -> bool {
        self.unsettled
    }

    /// How many rebalances there were.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Who reads a partition.
    pub fn owner(&self, partition: u32) -> Option<u32> {
        self.places.get(partition as usize)?.owner
    }

    /// The next record for a member, its partitions in turn; `None` when it has read all.
    pub fn poll<T: Clone>(&mut self, member: u32, topic: &Topic<T>) -> Option<Record<T>> {
        let (_, turn) = self.members.iter_mut().find(|(id, _)| *id == member)?;
        let (n, first, reset) = (self.places.len(), *turn, self.reset);
        for partition in (0..n).map(|i| (first + i) % n) {
            let Some(place) = self.places.get_mut(partition).filter(|p| p.owner == Some(member)) else {
                continue;
            };
            let (start, end) = topic.offsets(partition as u32);
            let fresh = if reset == OffsetReset::Latest { end } else { start };
            // A place that retention took is no place.
            let wanted = place.position.or(place.committed).filter(|at| *at >= start && *at <= end);
            let at = wanted.unwrap_or(fresh);
            let record = topic.read(partition as u32, at);
            place.position = Some(at + u64::from(record.is_some()));
            if record.is_some() {
                *turn = (partition + 1) % n;
                return record;
            }
        }
        None
    }

    /// Everything before `offset` is done. Refused from an older generation, and from who is not the owner.
    pub fn commit(&mut self, member: u32, generation: u32, partition: u32, offset: u64) -> bool {
        let current = generation == self.generation;
        let place = self.places.get_mut(partition as usize).filter(|p| current && p.owner == Some(member));
        place.map(|place| place.committed = Some(offset)).is_some()
    }

    /// What is committed.
    pub fn committed(&self, partition: u32) -> Option<u64> {
        self.places.get(partition as usize)?.committed
    }

    /// Records that are there and not committed, all partitions together. One that nothing was ever committed
    /// of counts from where the group would begin.
    pub fn lag<T: Clone>(&self, topic: &Topic<T>) -> u64 {
        let behind = |(partition, place): (u32, &Place)| {
            let (start, end) = topic.offsets(partition);
            let fresh = if self.reset == OffsetReset::Latest { end } else { start };
            end.saturating_sub(place.committed.or(place.position).unwrap_or(fresh).max(start))
        };
        (0..).zip(&self.places).map(behind).sum()
    }
}
