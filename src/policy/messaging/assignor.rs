//! Who in a group reads which partitions: Kafka's assignors.

use std::collections::{BTreeMap, BTreeSet};

use super::PolicyInfo;

const PAGE: &str = include_str!("assignor.md");

const RANGE: PolicyInfo = PolicyInfo {
    name: "range",
    summary: "per topic, in stretches; the first members get one more (Kafka)",
    page: PAGE,
};
const ROUND_ROBIN: PolicyInfo = PolicyInfo {
    name: "round_robin_assignor",
    summary: "all partitions dealt out in turn (Kafka)",
    page: PAGE,
};
const STICKY: PolicyInfo = PolicyInfo {
    name: "sticky",
    summary: "balanced, and as few partitions move as can be (Kafka)",
    page: PAGE,
};
const COOPERATIVE: PolicyInfo = PolicyInfo {
    name: "cooperative_sticky",
    summary: "sticky, and only what moves is taken away, in a second round (Kafka)",
    page: PAGE,
};

pub(super) const ALL: &[(&PolicyInfo, Assignor)] = &[
    (&RANGE, Assignor::Range),
    (&COOPERATIVE, Assignor::CooperativeSticky),
    (&STICKY, Assignor::Sticky),
    (&ROUND_ROBIN, Assignor::RoundRobin),
];

/// A partition of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// Topics are numbered in the order of their names.
    pub topic: u32,
    /// From 0.
    pub partition: u32,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// Topics it subscribes to.
    pub topics: Vec<u32>,
    /// What it owned before; only the sticky ones ask.
    pub owned: Vec<TopicPartition>,
    /// The generation of the group in which it owned that; `None` is older than all.
    pub generation: Option<u32>,
}

/// Partitions per member, in the members' order.
pub type Assignment = Vec<Vec<TopicPartition>>;

/// How partitions are shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Assignor {
    /// Each topic for itself. Kafka's default.
    #[default]
    Range,
    /// All partitions of all topics, one each in turn.
    RoundRobin,
    /// Balanced, and owners keep what they can.
    Sticky,
    /// The same; what changes hands is held back until its owner gave it up.
    CooperativeSticky,
}

impl Assignor {
    /// Shares `topics` (number, partitions) out. Members stand in the order of their ids.
    ///
    /// ```
    /// use loadpath::policy::messaging::{Assignor, Member};
    /// let member = || Member { topics: vec![0], ..Default::default() };
    /// let shares = Assignor::Range.assign(&[(0, 5)], &[member(), member()]);
    /// assert_eq!(shares.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2]);
    /// ```
    pub fn assign(self, topics: &[(u32, u32)], members: &[Member]) -> Assignment {
        let topics: BTreeMap<u32, u32> = topics.iter().copied().collect();
        match self {
            Self::Range => range(&topics, members),
            Self::RoundRobin => round_robin(&topics, members),
            Self::Sticky => sticky(&topics, members),
            Self::CooperativeSticky => hold_back(sticky(&topics, members), members),
        }
    }
}

/// Takes out of an assignment what another member still owns: that one gives it up first, then all meet again.
pub fn hold_back(mut shares: Assignment, members: &[Member]) -> Assignment {
    for (index, share) in shares.iter_mut().enumerate() {
        let others = || members.iter().enumerate().filter(|(other, _)| *other != index);
        share.retain(|partition| !others().any(|(_, member)| member.owned.contains(partition)));
    }
    shares
}

fn partitions(topics: &BTreeMap<u32, u32>) -> impl Iterator<Item = TopicPartition> + '_ {
    topics.iter().flat_map(|(topic, n)| (0..*n).map(|partition| TopicPartition { topic: *topic, partition }))
}

fn range(topics: &BTreeMap<u32, u32>, members: &[Member]) -> Assignment {
    let mut shares = vec![Vec::new(); members.len()];
    for (topic, partitions) in topics {
        let readers = members.iter().filter(|member| member.topics.contains(topic)).count() as u32;
        let mut next = 0;
        let mut place = 0;
        for (member, share) in members.iter().zip(&mut shares) {
            if !member.topics.contains(topic) {
                continue;
            }
            let size = partitions / readers + u32::from(place < partitions % readers);
            share.extend((next..next + size).map(|partition| TopicPartition { topic: *topic, partition }));
            next += size;
            place += 1;
        }
    }
    shares
}

fn round_robin(topics: &BTreeMap<u32, u32>, members: &[Member]) -> Assignment {
    let mut shares = vec![Vec::new(); members.len()];
    let mut turn = 0;
    for partition in partitions(topics) {
        let n = members.len();
        let reads = |at: &usize| members.get(*at).is_some_and(|m| m.topics.contains(&partition.topic));
        let Some(next) = (0..n).map(|i| (turn + i) % n).find(reads) else { continue };
        if let Some(share) = shares.get_mut(next) {
            share.push(partition);
        }
        turn = next + 1;
    }
    shares
}

/// What each owns and may keep: it still exists and is still subscribed to. Of several that claim one partition
/// the newest generation has it; in one generation nobody has.
fn kept(topics: &BTreeMap<u32, u32>, members: &[Member]) -> Assignment {
    let exists = |member: &Member, p: &TopicPartition| {
        member.topics.contains(&p.topic) && topics.get(&p.topic).is_some_and(|n| p.partition < *n)
    };
    let mut claims: BTreeMap<TopicPartition, (usize, Option<u32>)> = BTreeMap::new();
    let mut disputed = BTreeSet::new();
    for (at, member) in members.iter().enumerate() {
        for p in member.owned.iter().filter(|p| exists(member, p)) {
            let claim = claims.entry(*p).or_insert((at, member.generation));
            if claim.0 != at && claim.1 == member.generation {
                disputed.insert(*p);
            } else if claim.1 < member.generation {
                *claim = (at, member.generation);
            }
        }
    }
    let mut keep = |(at, member): (usize, &Member)| {
        let mut owned = member.owned.clone();
        owned.retain(|p| {
            // Taken out, so that one named twice is kept once.
            let mine = claims.get(p).is_some_and(|claim| claim.0 == at) && !disputed.contains(p);
            mine && claims.remove(p).is_some()
        });
        owned
    };
    members.iter().enumerate().map(&mut keep).collect()
}

fn sticky(topics: &BTreeMap<u32, u32>, members: &[Member]) -> Assignment {
    let set = |member: &Member| member.topics.iter().copied().collect::<BTreeSet<u32>>();
    let alike = members.windows(2).all(|pair| matches!(pair, [a, b] if set(a) == set(b)));
    let shares = kept(topics, members);
    if alike { even(topics, members, shares) } else { uneven(topics, members, shares) }
}

/// All read the same topics: everybody keeps up to its quota, the rest is dealt to who has less.
fn even(topics: &BTreeMap<u32, u32>, members: &[Member], mut shares: Assignment) -> Assignment {
    let Some(first) = members.first() else { return shares };
    let all: Vec<TopicPartition> = partitions(topics).filter(|p| first.topics.contains(&p.topic)).collect();
    let (least, mut extra) = (all.len() / members.len(), all.len() % members.len());
    for share in &mut shares {
        let full = share.len() > least && extra > 0;
        extra -= usize::from(full);
        share.truncate(least + usize::from(full));
    }
    let given: BTreeSet<TopicPartition> = shares.iter().flatten().copied().collect();
    let mut free = all.into_iter().filter(|p| !given.contains(p));
    // First who is below the lower quota, round and round. Then one more for as many as it takes, and first
    // for those who needed nothing to reach it.
    let sizes = || shares.iter().map(Vec::len).enumerate();
    let mut next: Vec<usize> = sizes().filter(|(_, size)| *size == least).map(|(index, _)| index).collect();
    let mut below: Vec<usize> = sizes().filter(|(_, size)| *size < least).map(|(index, _)| index).collect();
    while !below.is_empty() {
        below.retain(|index| {
            let Some(share) = shares.get_mut(*index) else { return false };
            share.extend(free.next());
            if share.len() == least {
                next.push(*index);
            }
            share.len() < least
        });
    }
    for index in next {
        if let Some(share) = shares.get_mut(index) {
            share.extend(free.next());
        }
    }
    shares
}

/// Each reads something else: what is free goes to the reader with the least, then partitions move from who
/// has more to who has less by two or more, round and round, for as long as that helps. Topics with few readers
/// come first, in both.
fn uneven(topics: &BTreeMap<u32, u32>, members: &[Member], mut shares: Assignment) -> Assignment {
    let reads = |at: usize, p: TopicPartition| members.get(at).is_some_and(|m| m.topics.contains(&p.topic));
    let smallest = |shares: &Assignment, p: TopicPartition| {
        let readers = shares.iter().enumerate().filter(|(at, _)| reads(*at, p));
        readers.min_by_key(|(_, share)| share.len()).map(|(at, share)| (at, share.len()))
    };
    let mut all: Vec<TopicPartition> = partitions(topics).collect();
    all.sort_by_key(|p| members.iter().filter(|m| m.topics.contains(&p.topic)).count());
    let held = shares.iter().enumerate().flat_map(|(at, share)| share.iter().map(move |p| (*p, at)));
    let mut owners: BTreeMap<TopicPartition, usize> = held.collect();
    for partition in &all {
        if let std::collections::btree_map::Entry::Vacant(free) = owners.entry(*partition)
            && let Some((at, _)) = smallest(&shares, *partition)
            && let Some(share) = shares.get_mut(at)
        {
            share.push(*partition);
            free.insert(at);
        }
    }
    loop {
        let mut moved = false;
        for partition in &all {
            let Some(holder) = owners.get_mut(partition) else { continue };
            let Some((to, size)) = smallest(&shares, *partition) else { continue };
            if size + 1 < shares.get(*holder).map_or(0, Vec::len) {
                if let Some(share) = shares.get_mut(*holder) {
                    share.retain(|p| p != partition);
                }
                if let Some(share) = shares.get_mut(to) {
                    share.push(*partition);
                }
                (*holder, moved) = (to, true);
            }
        }
        if !moved {
            return shares;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tp(topic: u32, partition: u32) -> TopicPartition {
        TopicPartition { topic, partition }
    }

    proptest! {
        /// Whatever the assignor: each partition that somebody reads has exactly one reader in the group.
        #[test]
        fn each_partition_has_one_reader(
            sizes in prop::collection::vec(0u32..7, 1..4),
            reads in prop::collection::vec(prop::collection::vec(0u32..4, 0..4), 1..6),
            again in prop::collection::vec(prop::collection::vec(0u32..4, 0..4), 1..6),
        ) {
            let topics: Vec<(u32, u32)> = (0u32..).zip(sizes).collect();
            for (_, assignor) in ALL {
                let fresh: Vec<Member> = reads.iter().map(|topics| Member { topics: topics.clone(), ..Default::default() }).collect();
                let before = assignor.assign(&topics, &fresh);
                let owners: Vec<Member> = again.iter().enumerate().map(|(at, topics)| Member {
                    topics: topics.clone(), owned: before.get(at).cloned().unwrap_or_default(), generation: Some(1),
                }).collect();
                for (members, shares) in [(&fresh, before.clone()), (&owners, assignor.assign(&topics, &owners))] {
                    let held = *assignor == Assignor::CooperativeSticky;
                    for (topic, n) in &topics {
                        let read = members.iter().any(|m| m.topics.contains(topic));
                        for partition in 0..*n {
                            let who = shares.iter().flatten().filter(|p| **p == tp(*topic, partition)).count();
                            prop_assert!(who == usize::from(read) || held && who == 0, "{assignor:?}");
                        }
                    }
                    for (member, share) in members.iter().zip(&shares) {
                        prop_assert!(share.iter().all(|p| member.topics.contains(&p.topic)));
                    }
                }
            }
        }

        /// All alike: sizes differ by one at most, and nobody who stays loses more than its surplus.
        #[test]
        fn sticky_is_balanced_and_sticks(n in 0u32..40, before in 1usize..7, after in 1usize..7) {
            let member = |owned| Member { topics: vec![0], owned, generation: Some(1) };
            let first = Assignor::Sticky.assign(&[(0, n)], &vec![member(vec![]); before]);
            let owners: Vec<Member> = (0..after).map(|at| member(first.get(at).cloned().unwrap_or_default())).collect();
            let second = Assignor::Sticky.assign(&[(0, n)], &owners);
            let sizes: Vec<usize> = second.iter().map(Vec::len).collect();
            prop_assert!(sizes.iter().max().unwrap_or(&0) - sizes.iter().min().unwrap_or(&0) <= 1);
            for (owner, share) in owners.iter().zip(&second) {
                let stayed = share.iter().filter(|p| owner.owned.contains(p)).count();
                prop_assert!(stayed >= owner.owned.len().min(n as usize / after));
            }
        }
    }

    /// What Kafka's `RoundRobinAssignorTest` expects of mixed subscriptions: t1 has 3 partitions, t2 2.
    #[test]
    fn round_robin_skips_who_does_not_read() {
        let members: Vec<Member> =
            [vec![1], vec![1, 2], vec![1]].map(|topics| Member { topics, ..Default::default() }).to_vec();
        let shares = Assignor::RoundRobin.assign(&[(1, 3), (2, 2)], &members);
        assert_eq!(shares, [vec![tp(1, 0)], vec![tp(1, 1), tp(2, 0), tp(2, 1)], vec![tp(1, 2)]]);
    }

    /// Kafka's `constrainedAssign`: a member that was filled up to the quota stands behind those that were there.
    #[test]
    fn who_kept_its_quota_gets_the_rest_first() {
        let member = |owned| Member { topics: vec![0], owned, generation: Some(1) };
        let members = [member(vec![]), member(vec![tp(0, 1)])];
        let shares = Assignor::Sticky.assign(&[(0, 3)], &members);
        assert_eq!(shares, [vec![tp(0, 0)], vec![tp(0, 1), tp(0, 2)]]);
    }

    #[test]
    fn cooperation_takes_two_rounds() {
        let member = |owned| Member { topics: vec![0], owned, generation: Some(1) };
        let members = [member(vec![tp(0, 0), tp(0, 1)]), member(vec![])];
        let first = Assignor::CooperativeSticky.assign(&[(0, 2)], &members);
        assert_eq!(first, [vec![tp(0, 0)], vec![]], "its owner has not given it up yet");
        let members: Vec<Member> = first.into_iter().map(member).collect();
        assert_eq!(Assignor::CooperativeSticky.assign(&[(0, 2)], &members), [vec![tp(0, 0)], vec![tp(0, 1)]]);
    }
}
