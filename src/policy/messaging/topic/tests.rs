use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::Assignor;
use super::*;

fn draws() -> Stream {
    Stream::new(1, 0, "test", "topic")
}

/// The values that Kafka's `UtilsTest` expects, as signed numbers.
#[test]
fn murmur_is_kafkas() {
    for (key, hash) in [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
    ] {
        assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
    }
}

proptest! {
    /// Members come and go, read and commit at random. Each partition has one owner, a partition is read in
    /// order with no gap, again only from what was committed on, and two groups do not disturb each other.
    #[test]
    fn a_group_reads_everything_in_order(
        ops in prop::collection::vec((0u8..6, 0u32..4), 1..200), which in 0usize..4,
    ) {
        let (_, assignor) = super::super::ASSIGNORS[which];
        let mut topic = Topic::new(TopicSettings { partitions: 3, ..Default::default() });
        let mut group = Group::new(assignor, OffsetReset::Earliest, 3);
        let mut other = Group::new(Assignor::Range, OffsetReset::Earliest, 3);
        other.join(9);
        let (mut written, mut read_by_other) = (0u32, 0u32);
        // Per partition: the next offset, what is committed.
        let mut next: BTreeMap<u32, u64> = (0..3).map(|p| (p, 0)).collect();
        let mut done = next.clone();
        let mut draws = draws();
        let mut members = 0;
        for (op, member) in ops {
            let before: Vec<Option<u32>> = (0..3).map(|p| group.owner(p)).collect();
            let generation = group.generation();
            match op {
                0 => group.join(member),
                1 => group.leave(member),
                2 => {
                    if let Some(record) = group.poll(member, &topic) {
                        let want = next.get_mut(&record.partition).expect("a partition");
                        prop_assert_eq!(record.offset, *want);
                        prop_assert_eq!(group.owner(record.partition), Some(member));
                        *want += 1;
                    }
                }
                3 => for partition in 0..3 {
                    let at = next[&partition];
                    prop_assert!(!group.commit(member, generation.wrapping_sub(1), partition, at));
                    if group.commit(member, generation, partition, at) {
                        prop_assert_eq!(group.owner(partition), Some(member));
                        done.insert(partition, at);
                    }
                },
                _ => {
                    topic.publish(Some(&member.to_le_bytes()), written, Time::ZERO, &mut draws);
                    written += 1;
                    read_by_other += u32::from(other.poll(9, &topic).is_some());
                }
            }
            while group.unsettled() { group.rebalance(); }
            if group.generation() != generation {
                members = usize::from(group.owner(0).is_some());
                for partition in 0..3u32 {
                    let kept = before[partition as usize] == group.owner(partition);
                    if assignor != Assignor::CooperativeSticky || !kept {
                        next.insert(partition, done[&partition]);
                    }
                }
            }
            prop_assert!((0..3).all(|p| group.owner(p).is_some() == (members == 1)));
        }
        prop_assert_eq!(read_by_other, written);
        let rest: u64 = (0..3).map(|p| topic.offsets(p).1 - done[&p]).sum();
        // What was never committed counts from where it was read to.
        prop_assert!(group.lag(&topic) <= rest);
    }
}

#[test]
fn retention_by_count_and_by_time() {
    let settings = TopicSettings {
        retention: Some(Span::from_nanos(10)),
        retention_records: Some(3),
        ..TopicSettings::default()
    };
    let mut topic = Topic::new(settings);
    for n in 0..5 {
        topic.publish(None, n, Time::from_nanos(n), &mut draws());
    }
    assert_eq!(topic.offsets(0), (2, 5));
    topic.expire(Time::from_nanos(13));
    assert_eq!((topic.offsets(0), topic.read(0, 2)), ((3, 5), None));
    for (reset, first) in [(OffsetReset::Earliest, Some(3)), (OffsetReset::Latest, None)] {
        let mut group = Group::new(Assignor::Range, reset, 1);
        group.join(1);
        assert_eq!(group.poll(1, &topic).map(|record| record.item), first);
    }
}

#[test]
fn without_a_key_a_partition_takes_a_batch() {
    let settings = |partitioner| TopicSettings { partitions: 4, partitioner, ..TopicSettings::default() };
    let mut draws = draws();
    let mut topic = Topic::new(settings(Partitioner::KeyOrSticky(5)));
    let sticky: Vec<u32> = (0..100).map(|n| topic.publish(None, n, Time::ZERO, &mut draws).0).collect();
    assert!(sticky.chunks(5).all(|batch| batch.iter().all(|p| *p == batch[0])));
    assert!((0..4).all(|p| sticky.contains(&p)));
    let mut topic = Topic::new(settings(Partitioner::RoundRobin));
    let turns: Vec<u32> = (0..6).map(|n| topic.publish(Some(b"k"), n, Time::ZERO, &mut draws).0).collect();
    assert_eq!(turns, [0, 1, 2, 3, 0, 1]);
}
