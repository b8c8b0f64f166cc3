use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::kernel::Span;

fn secs(n: u64) -> Time {
    Time::ZERO + Span::from_secs(n)
}

fn drain(queue: &mut WorkQueue<u32>) -> Vec<(u32, DeadReason, u32)> {
    std::iter::from_fn(|| queue.take_dead()).map(|d| (d.item, d.reason, d.deliveries)).collect()
}

proptest! {
    /// The obvious queue keeps all messages in one list, each with who holds it, and looks through it all.
    #[test]
    fn nothing_is_lost_or_in_two_places(
        ops in prop::collection::vec((0u64..4, 0u8..7, any::<prop::sample::Index>()), 1..200),
        prefetch in 0u32..3, limit in 0u32..4,
    ) {
        let settings = WorkQueueSettings {
            prefetch, delivery_limit: Some(limit), ack_timeout: Some(Span::from_nanos(6)), ..Default::default()
        };
        let mut queue = WorkQueue::new(settings);
        // Message → (deliveries, holder, deadline).
        let mut slow: BTreeMap<u32, (u32, Option<usize>, u64)> = BTreeMap::new();
        let mut dead = Vec::new();
        let mut live: Vec<(ConsumerId, usize)> = Vec::new();
        let mut open: Vec<(Delivery, u32)> = Vec::new();
        let (mut now, mut published, mut joined) = (0u64, 0u32, 0usize);
        for (wait, op, which) in ops {
            now += wait;
            let at = Time::from_nanos(now);
            queue.expire(at);
            let mut late: Vec<(u64, u32)> = slow.iter().filter(|(_, m)| m.1.is_some() && m.2 <= now)
                .map(|(id, m)| (m.2, *id)).collect();
            late.sort_unstable();
            let fail = |slow: &mut BTreeMap<u32, (u32, Option<usize>, u64)>, dead: &mut Vec<u32>, id: u32| {
                let message = slow.get_mut(&id).expect("there");
                message.1 = None;
                if message.0 > limit { slow.remove(&id); dead.push(id); }
            };
            for (_, id) in late { fail(&mut slow, &mut dead, id); }
            open.retain(|(_, id)| slow.get(id).is_some_and(|m| m.1.is_some()));
            match op {
                0 => { live.push((queue.subscribe(), joined)); joined += 1; }
                1 if !live.is_empty() => {
                    let (consumer, name) = live.swap_remove(which.index(live.len()));
                    queue.unsubscribe(consumer);
                    let theirs: Vec<u32> = slow.iter().filter(|(_, m)| m.1 == Some(name)).map(|(id, _)| *id).collect();
                    for id in theirs { fail(&mut slow, &mut dead, id); }
                }
                2 if !open.is_empty() => {
                    let (delivery, id) = open.swap_remove(which.index(open.len()));
                    prop_assert!(queue.ack(delivery) && !queue.ack(delivery));
                    slow.remove(&id);
                }
                3 if !open.is_empty() => {
                    let (delivery, id) = open.swap_remove(which.index(open.len()));
                    prop_assert!(queue.nack(delivery, true));
                    fail(&mut slow, &mut dead, id);
                }
                4 | 5 if !live.is_empty() => {
                    let (consumer, name) = live[which.index(live.len())];
                    let holds = slow.values().filter(|m| m.1 == Some(name)).count();
                    let next = slow.iter().find(|(_, m)| m.1.is_none()).map(|(id, _)| *id)
                        .filter(|_| prefetch == 0 || holds < prefetch as usize);
                    let got = queue.deliver(consumer, at);
                    prop_assert_eq!(got.map(|(_, id)| id), next);
                    if let (Some((delivery, id)), Some(message)) = (got, next.and_then(|id| slow.get_mut(&id))) {
                        *message = (message.0 + 1, Some(name), now + 6);
                        prop_assert_eq!(queue.receive_count(delivery), Some(message.0));
                        open.push((delivery, id));
                    }
                }
                _ => { queue.publish(published, at); slow.insert(published, (0, None, 0)); published += 1; }
            }
            open.retain(|(_, id)| slow.get(id).is_some_and(|m| m.1.is_some()));
            prop_assert_eq!(queue.len(), slow.values().filter(|m| m.1.is_none()).count());
            prop_assert_eq!(queue.unacked(), slow.values().filter(|m| m.1.is_some()).count());
        }
        let mut buried: Vec<u32> = drain(&mut queue).into_iter().map(|(id, reason, deliveries)| {
            assert_eq!((reason, deliveries), (DeadReason::DeliveryLimit, limit + 1));
            id
        }).collect();
        buried.sort_unstable();
        dead.sort_unstable();
        prop_assert_eq!(buried, dead);
    }
}

#[test]
fn a_full_queue_drops_its_head_or_refuses() {
    for (overflow, taken, dead) in [
        (Overflow::DropHead, [true, true, true], vec![(0, DeadReason::MaxLength, 0)]),
        (Overflow::RejectPublish, [true, true, false], vec![]),
    ] {
        let mut queue =
            WorkQueue::new(WorkQueueSettings { max_length: Some(2), overflow, ..Default::default() });
        assert_eq!([0, 1, 2].map(|item| queue.publish(item, Time::ZERO)), taken);
        assert_eq!((queue.len(), drain(&mut queue)), (2, dead));
    }
}

#[test]
fn messages_die_of_age_and_of_refusal() {
    let mut queue =
        WorkQueue::new(WorkQueueSettings { ttl: Some(Span::from_secs(10)), ..Default::default() });
    let worker = queue.subscribe();
    for item in 0..3 {
        assert!(queue.publish(item, secs(u64::from(item))));
    }
    let (first, _) = queue.deliver(worker, secs(5)).expect("waiting");
    assert!(queue.nack(first, false));
    queue.expire(secs(11));
    assert_eq!(drain(&mut queue), [(0, DeadReason::Rejected, 1), (1, DeadReason::Expired, 0)]);
    assert_eq!(queue.len(), 1);
}

/// SQS: a message received `maxReceiveCount` times and not deleted goes when its time is over.
#[test]
fn sqs_counts_receives_and_lets_visibility_be_extended() {
    let mut queue = WorkQueue::new(WorkQueueSettings::sqs(Some(2)));
    let worker = queue.subscribe();
    queue.publish(5, Time::ZERO);
    let (first, _) = queue.deliver(worker, Time::ZERO).expect("waiting");
    assert!(queue.extend(first, secs(40)) && queue.deliver(worker, secs(39)).is_none());
    let (second, _) = queue.deliver(worker, secs(40)).expect("visible again");
    assert_eq!((queue.receive_count(first), queue.receive_count(second)), (None, Some(2)));
    assert!(!queue.ack(first), "that delivery is over");
    assert!(queue.deliver(worker, secs(70)).is_none());
    assert_eq!(drain(&mut queue), [(5, DeadReason::DeliveryLimit, 2)]);
}

#[test]
fn jetstream_backs_off_and_bounds_what_is_pending() {
    let settings = WorkQueueSettings {
        backoff: vec![Span::from_secs(1), Span::from_secs(5)],
        max_ack_pending: Some(1),
        ..WorkQueueSettings::jetstream(None)
    };
    let mut queue = WorkQueue::new(settings);
    let (a, b) = (queue.subscribe(), queue.subscribe());
    for item in 0..2 {
        assert!(queue.publish(item, Time::ZERO));
    }
    assert!(queue.deliver(a, Time::ZERO).is_some() && queue.deliver(b, Time::ZERO).is_none());
    assert_eq!(queue.next_deadline(), Some(secs(1)));
    assert_eq!(queue.deliver(b, secs(1)).map(|(_, item)| item), Some(0));
    assert_eq!(queue.next_deadline(), Some(secs(6)));
    assert_eq!(queue.deliver(b, secs(6)).map(|(_, item)| item), Some(0));
    assert_eq!(queue.next_deadline(), Some(secs(11)), "the last step for all that follow");
}

#[test]
fn the_broker_serves_in_turn_and_returns_in_order() {
    let mut queue = WorkQueue::new(WorkQueueSettings { prefetch: 2, ..Default::default() });
    let (a, b) = (queue.subscribe(), queue.subscribe());
    for item in 0..6 {
        assert!(queue.publish(item, Time::ZERO));
    }
    let served: Vec<(ConsumerId, u32)> =
        std::iter::from_fn(|| queue.dispatch(Time::ZERO)).map(|(who, _, item)| (who, item)).collect();
    assert_eq!(served, [(a, 0), (b, 1), (a, 2), (b, 3)]);
    queue.unsubscribe(a);
    queue.unsubscribe(b);
    let c = queue.subscribe();
    let order: Vec<u32> = (0..2).filter_map(|_| queue.deliver(c, Time::ZERO)).map(|(_, item)| item).collect();
    assert_eq!((order, queue.len()), (vec![0, 1], 4));
}

#[test]
fn acknowledged_messages_leave_nothing_behind() {
    let mut queue = WorkQueue::new(WorkQueueSettings::default());
    let worker = queue.subscribe();
    for item in 0..10_000 {
        assert!(queue.publish(item, Time::ZERO));
        let (delivery, _) = queue.deliver(worker, Time::ZERO).expect("waiting");
        assert!(queue.ack(delivery));
    }
    assert!(queue.deadlines.len() < 100 && queue.held.len() == 1);
}
