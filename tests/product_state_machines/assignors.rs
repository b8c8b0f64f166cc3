//! apache/kafka: `clients/src/test/java/org/apache/kafka/clients/consumer/…`, the cases without racks.
//!
//! Shares are written as the tests of racks write them: `t1-0` is partition 0 of topic 1, members apart by `;`.

use loadpath::policy::messaging::{Assignor, Member, TopicPartition};

/// `0-1 2-0` as topic partitions.
fn parse(text: &str) -> Vec<TopicPartition> {
    let partition = |word: &str| {
        let (topic, partition) = word.split_once('-').expect("topic-partition");
        let number = |text: &str| text.parse().expect("a number");
        TopicPartition { topic: number(topic), partition: number(partition) }
    };
    text.split_whitespace().map(partition).collect()
}

/// Members in the order of their ids, each `topics` or `topics: owned` or `topics: owned @ generation`.
fn members(text: &str) -> Vec<Member> {
    text.split(';')
        .map(|member| {
            let (topics, rest) = member.split_once(':').unwrap_or((member, ""));
            let (owned, generation) = rest.split_once('@').unwrap_or((rest, "1"));
            Member {
                topics: topics.split_whitespace().map(|topic| topic.parse().expect("a topic")).collect(),
                owned: parse(owned),
                generation: generation.trim().parse().ok(),
            }
        })
        .collect()
}

fn check(assignor: Assignor, sizes: &[(u32, u32)], who: &str, expected: &str) {
    let sorted = |mut share: Vec<TopicPartition>| {
        share.sort_unstable();
        share
    };
    let shares: Vec<_> = assignor.assign(sizes, &members(who)).into_iter().map(sorted).collect();
    let expected: Vec<_> = expected.split(';').map(|share| sorted(parse(share))).collect();
    assert_eq!(shares, expected, "{assignor:?} {sizes:?} {who}");
}

/// `RangeAssignorTest`.
#[test]
fn range() {
    for (test, sizes, who, expected) in [
        ("testOneConsumerNoTopic", &[][..], "", ""),
        ("testOneConsumerNonexistentTopic", &[], "1", ""),
        ("testOneConsumerOneTopic", &[(1, 3)], "1", "1-0 1-1 1-2"),
        ("testOnlyAssignsPartitionsFromSubscribedTopics", &[(1, 3), (9, 3)], "1", "1-0 1-1 1-2"),
        ("testOneConsumerMultipleTopics", &[(1, 1), (2, 2)], "1 2", "1-0 2-0 2-1"),
        ("testTwoConsumersOneTopicOnePartition", &[(1, 1)], "1;1", "1-0;"),
        ("testTwoConsumersOneTopicTwoPartitions", &[(1, 2)], "1;1", "1-0;1-1"),
        ("testMultipleConsumersMixedTopics", &[(1, 3), (2, 2)], "1;1 2;1", "1-0;1-1 2-0 2-1;1-2"),
        ("testTwoConsumersTwoTopicsSixPartitions", &[(1, 3), (2, 3)], "1 2;1 2", "1-0 1-1 2-0 2-1;1-2 2-2"),
        (
            "testStaticMemberRangeAssignmentPersistent",
            &[(1, 5), (2, 4)],
            "1 2;1 2;1 2;1 2",
            "1-0 1-1 2-0;1-2 2-1;1-3 2-2;1-4 2-3",
        ),
    ] {
        println!("{test}");
        check(Assignor::Range, sizes, who, expected);
    }
}

/// `RoundRobinAssignorTest`.
#[test]
fn round_robin() {
    for (test, sizes, who, expected) in [
        ("testOneConsumerNoTopic", &[][..], "", ""),
        ("testOneConsumerNonexistentTopic", &[], "1", ""),
        ("testOneConsumerOneTopic", &[(1, 3)], "1", "1-0 1-1 1-2"),
        ("testOnlyAssignsPartitionsFromSubscribedTopics", &[(1, 3), (9, 3)], "1", "1-0 1-1 1-2"),
        ("testOneConsumerMultipleTopics", &[(1, 1), (2, 2)], "1 2", "1-0 2-0 2-1"),
        ("testTwoConsumersOneTopicOnePartition", &[(1, 1)], "1;1", "1-0;"),
        ("testTwoConsumersOneTopicTwoPartitions", &[(1, 2)], "1;1", "1-0;1-1"),
        ("testMultipleConsumersMixedTopics", &[(1, 3), (2, 2)], "1;1 2;1", "1-0;1-1 2-0 2-1;1-2"),
        (
            "testTwoDynamicConsumersTwoTopicsSixPartitions",
            &[(1, 3), (2, 3)],
            "1 2;1 2",
            "1-0 1-2 2-1;1-1 2-0 2-2",
        ),
        (
            "testStaticMemberAssignmentPersistent",
            &[(1, 3), (2, 3)],
            "1 2;1 2;1 2;1 2",
            "1-0 2-1;1-1 2-2;1-2;2-0",
        ),
        (
            // The javadoc of AbstractStickyAssignorTest.testPoorRoundRobinAssignmentScenario.
            "poor round robin",
            &[(1, 2), (2, 1), (3, 2), (4, 1), (5, 2)],
            "1 2 3 4 5;1 3 5;1 3 5;1 2 3 4 5",
            "1-0 3-0 5-0;1-1 3-1 5-1;;2-0 4-0",
        ),
    ] {
        println!("{test}");
        check(Assignor::RoundRobin, sizes, who, expected);
    }
}

/// `internals/AbstractStickyAssignorTest`, where all members read the same topics.
#[test]
fn sticky_alike() {
    for (test, sizes, who, expected) in [
        ("testOneConsumerOneTopic", &[(0, 3)][..], "0", "0-0 0-1 0-2"),
        ("testOnlyAssignsPartitionsFromSubscribedTopics", &[(0, 2)], "0: 0-0 0-1 9-0 9-1", "0-0 0-1"),
        ("testOneConsumerMultipleTopics", &[(1, 1), (2, 2)], "1 2", "1-0 2-0 2-1"),
        ("testTwoConsumersOneTopicTwoPartitions", &[(0, 2)], "0;0", "0-0;0-1"),
        ("testTwoConsumersTwoTopicsSixPartitions", &[(1, 3), (2, 3)], "1 2;1 2", "1-0 1-2 2-1;1-1 2-0 2-2"),
        (
            "testConsumerOwningMinQuotaExpectedMaxQuota",
            &[(1, 2), (2, 3)],
            "1 2: 1-0 2-1;1 2: 1-1 2-2",
            "1-0 2-1 2-0;1-1 2-2",
        ),
        (
            // Kafka walks over owners in the order of a hash map, in which consumer2 comes before consumer1.
            "testMaxQuotaConsumerMoreThanNumExpectedMaxCapacityMembers",
            &[(1, 2), (2, 2)],
            "1 2: 1-1 2-1;1 2: 1-0 2-0;1 2",
            "1-1 2-1;1-0;2-0",
        ),
        (
            "testAllConsumersAreUnderMinQuota",
            &[(1, 2), (2, 3)],
            "1 2: 1-0;1 2: 1-1;1 2",
            "1-0 2-1;1-1 2-2;2-0",
        ),
        ("testAddRemoveConsumerOneTopic", &[(0, 3)], "0: 0-0 0-1 0-2;0", "0-0 0-1;0-2"),
        ("testAddRemoveConsumerOneTopic, one left", &[(0, 3)], "0: 0-2", "0-0 0-1 0-2"),
        ("testAddRemoveTwoConsumersTwoTopics", &[(1, 3), (2, 4)], "1 2;1 2", "1-0 1-2 2-1 2-3;1-1 2-0 2-2"),
        (
            "testAddRemoveTwoConsumersTwoTopics, two more",
            &[(1, 3), (2, 4)],
            "1 2: 1-0 1-2 2-1 2-3;1 2: 1-1 2-0 2-2;1 2;1 2",
            "1-0 1-2;1-1 2-0;2-1 2-3;2-2",
        ),
        (
            "testAddRemoveTwoConsumersTwoTopics, two less",
            &[(1, 3), (2, 4)],
            "1 2: 2-1 2-3;1 2: 2-2",
            "2-1 2-3 1-0 2-0;2-2 1-1 1-2",
        ),
        (
            "testAllConsumersReachExpectedQuotaAndAreConsideredFilled",
            &[(0, 4)],
            "0: 0-0 0-1;0: 0-2;0",
            "0-0 0-1;0-2;0-3",
        ),
        ("testNoExceptionThrownWhenOnlySubscribedTopicDeleted", &[], "0: 0-0 0-1 0-2", ""),
        (
            "testRackAwareAssignmentWithUniformSubscription",
            &[(1, 6), (2, 7), (3, 2)],
            "1 2 3;1 2 3;1 2 3",
            "1-0 1-3 2-0 2-3 2-6;1-1 1-4 2-1 2-4 3-0;1-2 1-5 2-2 2-5 3-1",
        ),
    ] {
        println!("{test}");
        check(Assignor::Sticky, sizes, who, expected);
    }
}

/// The same test's cases of several members that claim one partition.
#[test]
fn sticky_claims() {
    for (test, sizes, who, expected) in [
        (
            "testOwnedPartitionsAreInvalidatedForConsumerWithStaleGeneration",
            &[(0, 3), (2, 3)][..],
            "0 2: 0-0 0-2 2-1 @ 10;0 2: 0-0 0-2 2-1 @ 9",
            "0-0 0-2 2-1;0-1 2-0 2-2",
        ),
        (
            "testOwnedPartitionsAreInvalidatedForConsumerWithNoGeneration",
            &[(0, 3), (2, 3)],
            "0 2: 0-0 0-2 2-1 @ 10;0 2: 0-0 0-2 2-1 @ none",
            "0-0 0-2 2-1;0-1 2-0 2-2",
        ),
        (
            "testPartitionsTransferringOwnershipIncludeThePartitionClaimedByMultipleConsumersInSameGeneration",
            &[(0, 3)],
            "0: 0-0 0-1;0: 0-0 0-2;0",
            "0-1;0-2;0-0",
        ),
        (
            "testEnsurePartitionsAssignedToHighestGeneration",
            &[(0, 3), (2, 3), (3, 3)],
            "0 2 3: 0-0 2-0 3-0 @ 10;0 2 3: 0-1 2-1 3-1 @ 9;0 2 3: 2-1 3-0 3-2 @ 8",
            "0-0 2-0 3-0;0-1 2-1 3-1;0-2 2-2 3-2",
        ),
        (
            "testNoReassignmentOnCurrentMembers",
            &[(0, 3), (1, 3), (2, 3), (3, 3)],
            "0 1 2 3: @ none;0 1 2 3: 0-0 2-0 1-0 @ 9;0 1 2 3: 3-2 2-2 1-1 @ 8;0 1 2 3: 3-1 0-1 0-2 @ 7",
            "1-2 2-1 3-0;0-0 2-0 1-0;3-2 2-2 1-1;3-1 0-1 0-2",
        ),
        (
            "testOwnedPartitionsAreInvalidatedForConsumerWithMultipleGeneration",
            &[(0, 3), (2, 3)],
            "0 2: 0-0 2-1 0-1 @ 10;0 2: 0-0 2-1 2-2 @ 8",
            "0-0 2-1 0-1;0-2 2-2 2-0",
        ),
    ] {
        println!("{test}");
        check(Assignor::Sticky, sizes, who, expected);
    }
}

/// The same test where members read different topics, and the cooperative rounds of
/// `testRackAwareAssignmentWithNonEqualSubscription`.
#[test]
fn sticky_mixed() {
    check(Assignor::Sticky, &[(1, 3), (2, 2)], "1;1 2;1", "1-0 1-2;2-0 2-1;1-1");
    let sizes = &[(1, 6), (2, 7), (3, 2)];
    let fresh = "1-5 2-0 2-2 2-4 2-6;1-3 2-1 2-3 2-5 3-0;1-0 1-1 1-2 1-4 3-1";
    check(Assignor::Sticky, sizes, "1 2 3;1 2 3;1 3", fresh);
    let owned = "1 2 3: 1-5 2-0 2-2 2-4 2-6;1 2 3: 1-3 2-1 2-3 2-5 3-0;1 3: 1-0 1-1 1-2 1-4 3-1";
    check(Assignor::Sticky, sizes, owned, fresh);
    let owned = "1 2 3: 1-0 1-1 1-2 1-3 1-4;1 2 3: 1-5 2-0 2-1 2-2 2-3;1 3: 2-4 2-5 2-6 3-0 3-1";
    let between = "1-2 1-3 1-4;2-0 2-1 2-2 2-3;3-0 3-1";
    check(Assignor::CooperativeSticky, sizes, owned, between);
    let owned = "1 2 3: 1-2 1-3 1-4;1 2 3: 2-0 2-1 2-2 2-3;1 3: 3-0 3-1";
    let after = "1-2 1-3 1-4 2-4 2-5;2-0 2-1 2-2 2-3 2-6;1-0 1-1 1-5 3-0 3-1";
    check(Assignor::CooperativeSticky, sizes, owned, after);
}

/// `verifyValidityAndBalance` for the cases that expect no one share: members read different topics, one leaves
/// (`testReassignmentAfterOneConsumerLeaves`: topics of 1 to 19 partitions, member i reads the first i), or all owned
/// something (`testMoveExistingAssignments`), or stale claims meet
/// (`testSubscriptionNotEqualAndAssignSamePartitionWith3Generation`).
#[test]
fn sticky_balances_what_can_be_balanced() {
    let sizes: Vec<(u32, u32)> = (1..20).map(|n| (n, n)).collect();
    let reads = |n: u32| Member { topics: (1..=n).collect(), ..Member::default() };
    let first: Vec<Member> = (1..20).map(reads).collect();
    let shares = Assignor::Sticky.assign(&sizes, &first);
    balanced(&first, &shares);
    let left = |at: &usize| *at != 9;
    let second: Vec<Member> = (0..19)
        .filter(left)
        .map(|at| Member { owned: shares[at].clone(), generation: Some(1), ..first[at].clone() })
        .collect();
    let again = Assignor::Sticky.assign(&sizes, &second);
    balanced(&second, &again);
    let stay =
        second.iter().zip(&again).map(|(m, share)| share.iter().filter(|p| m.owned.contains(p)).count());
    let owned: usize = second.iter().map(|member| member.owned.len()).sum();
    assert_eq!(stay.sum::<usize>(), owned, "nobody loses anything when one leaves");

    let moved = members("1 2: 1-0;1 2 3 4: 2-0 3-0;2 3 4 5 6: 4-0 5-0 6-0");
    let ones: Vec<(u32, u32)> = (1..7).map(|n| (n, 1)).collect();
    balanced(&moved, &Assignor::Sticky.assign(&ones, &moved));

    for [a, b, c] in [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]] {
        let claims = format!("0: 0-0 0-2 @ {a};0: 0-1 0-2 0-3 @ {b};0: 0-2 0-4 0-5 @ {c};1: 1-0 @ 2");
        let claims = members(&claims);
        let shares = Assignor::Sticky.assign(&[(0, 6), (1, 1)], &claims);
        balanced(&claims, &shares);
        assert!(shares.iter().all(|share| (1..=2).contains(&share.len())));
    }
}

/// Each partition once, to a reader; none could move to a reader with two or more less.
fn balanced(members: &[Member], shares: &[Vec<TopicPartition>]) {
    let mut all: Vec<&TopicPartition> = shares.iter().flatten().collect();
    let given = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), given, "no partition twice");
    for (member, share) in members.iter().zip(shares) {
        for partition in share {
            assert!(member.topics.contains(&partition.topic));
            let readers = members.iter().zip(shares).filter(|(m, _)| m.topics.contains(&partition.topic));
            assert!(readers.map(|(_, other)| other.len()).all(|size| size + 1 >= share.len()));
        }
    }
}
