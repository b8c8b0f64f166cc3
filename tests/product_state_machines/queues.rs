//! rabbitmq/rabbitmq-server, `deps/rabbit/test`. What SQS does with a redrive policy is from its documentation.

use loadpath::kernel::{Span, Time};
use loadpath::policy::messaging::{ConsumerId, DeadReason, Delivery, Overflow, WorkQueue, WorkQueueSettings};

use super::{millis, secs};

/// A queue, one consumer on it, and `messages` published.
fn queue(settings: WorkQueueSettings, messages: std::ops::Range<u32>) -> (WorkQueue<u32>, ConsumerId) {
    let mut queue = WorkQueue::new(settings);
    let consumer = queue.subscribe();
    for message in messages {
        queue.publish(message, Time::ZERO);
    }
    (queue, consumer)
}

/// Everything that waits, in the order of its delivery.
fn consume(queue: &mut WorkQueue<u32>, consumer: ConsumerId) -> (Vec<Delivery>, Vec<u32>) {
    std::iter::from_fn(|| queue.deliver(consumer, Time::ZERO)).unzip()
}

fn dead(queue: &mut WorkQueue<u32>) -> Vec<(u32, DeadReason)> {
    std::iter::from_fn(|| queue.take_dead()).map(|dead| (dead.item, dead.reason)).collect()
}

/// `dead_lettering_SUITE`: `dead_letter_nack_requeue`, `…_multiple`, `dead_letter_reject_requeue`: what comes back stands
/// where it stood.
#[test]
fn rabbitmq_requeues_in_order() {
    for nacked in [&[2][..], &[0, 1, 2], &[0]] {
        let (mut queue, consumer) = queue(WorkQueueSettings::default(), 0..3);
        let (tags, messages) = consume(&mut queue, consumer);
        assert_eq!(messages, [0, 1, 2]);
        for at in nacked {
            assert!(queue.nack(tags[*at], true));
        }
        let back: Vec<u32> = nacked.iter().map(|at| *at as u32).collect();
        assert_eq!(consume(&mut queue, consumer).1, back);
        assert!(dead(&mut queue).is_empty());
    }
    let (mut queue, consumer) = queue(WorkQueueSettings::default(), 0..3);
    let (first, _) = queue.deliver(consumer, Time::ZERO).expect("the first");
    assert!(queue.nack(first, true));
    assert_eq!(consume(&mut queue, consumer).1, [0, 1, 2]);
}

/// `dead_letter_nack_multiple`, `dead_letter_reject`, `dead_letter_reject_many`: a hundred in their order.
#[test]
fn rabbitmq_buries_what_is_rejected() {
    let (mut queue, consumer) = queue(WorkQueueSettings::default(), 0..100);
    let (tags, _) = consume(&mut queue, consumer);
    for tag in tags {
        assert!(queue.nack(tag, false));
    }
    assert!(dead(&mut queue).into_iter().eq((0..100).map(|n| (n, DeadReason::Rejected))));
    assert!(consume(&mut queue, consumer).1.is_empty());
}

/// `dead_letter_ttl`: a TTL of one millisecond.
#[test]
fn rabbitmq_buries_what_waited_too_long() {
    let settings = WorkQueueSettings { ttl: Some(Span::from_millis(1)), ..Default::default() };
    let (mut queue, consumer) = queue(settings, 0..1);
    queue.expire(millis(1));
    assert!(queue.deliver(consumer, millis(1)).is_none());
    assert_eq!(dead(&mut queue), [(0, DeadReason::Expired)]);
}

/// `dead_letter_max_length_drop_head`, `dead_letter_max_length_reject_publish_dlx`, and `max_length_drop_publish` of
/// `queue_length_limits_SUITE`: three messages into a queue of one.
#[test]
fn rabbitmq_keeps_one_of_three() {
    for (overflow, kept, buried) in [
        (Overflow::DropHead, 2, &[0, 1][..]),
        (Overflow::RejectPublishDlx, 0, &[1, 2]),
        (Overflow::RejectPublish, 0, &[]),
    ] {
        let settings = WorkQueueSettings { max_length: Some(1), overflow, ..Default::default() };
        let (mut queue, consumer) = queue(settings, 0..3);
        assert_eq!(consume(&mut queue, consumer).1, [kept]);
        let expected: Vec<_> = buried.iter().map(|n| (*n, DeadReason::MaxLength)).collect();
        assert_eq!(dead(&mut queue), expected);
    }
}

/// `max_length_reject_confirm` (`check_max_length_rejects`) and `max_length_drop_publish_requeue`: who is in somebody's
/// hands does not count, and comes back into a full queue.
#[test]
fn rabbitmq_counts_who_waits() {
    let settings =
        WorkQueueSettings { max_length: Some(1), overflow: Overflow::RejectPublish, ..Default::default() };
    let (mut queue, consumer) = queue(settings, 0..0);
    assert_eq!([1, 2, 3].map(|message| queue.publish(message, Time::ZERO)), [true, false, false]);
    let (first, _) = queue.deliver(consumer, Time::ZERO).expect("the first");
    assert!(queue.publish(2, Time::ZERO), "now there is room");
    assert!(queue.nack(first, true));
    assert_eq!(consume(&mut queue, consumer).1, [1, 2]);
}

/// `quorum_queue_SUITE`, `subscribe_redelivery_count` and `subscribe_redelivery_limit`: redeliveries are counted from 0,
/// and with a limit of 1 the second nack ends it.
#[test]
fn rabbitmq_limits_redeliveries() {
    for (limit, deliveries) in [(Some(1), 2), (None, 5)] {
        let settings = WorkQueueSettings { delivery_limit: limit, ..Default::default() };
        let (mut queue, consumer) = queue(settings, 0..1);
        for redelivered in 0..deliveries {
            let (tag, _) = queue.deliver(consumer, Time::ZERO).expect("delivered again");
            assert_eq!(queue.receive_count(tag), Some(redelivered + 1));
            assert!(queue.nack(tag, true));
        }
        assert_eq!(queue.deliver(consumer, Time::ZERO).is_none(), limit.is_some());
        assert_eq!(dead(&mut queue).len(), usize::from(limit.is_some()));
    }
}

/// SQS developer guide, *visibility timeout* (30 s) and *dead-letter queues* (`maxReceiveCount`): received as often as
/// that without being deleted, a message moves.
#[test]
fn sqs_moves_what_was_received_too_often() {
    for max_receive_count in [1, 3] {
        let (mut queue, consumer) = queue(WorkQueueSettings::sqs(Some(max_receive_count)), 0..1);
        for n in 0..u64::from(max_receive_count) {
            assert!(queue.deliver(consumer, secs(30 * n)).is_some());
            assert!(queue.deliver(consumer, secs(30 * n + 29)).is_none(), "invisible");
        }
        assert!(queue.deliver(consumer, secs(30 * u64::from(max_receive_count))).is_none());
        assert_eq!(dead(&mut queue), [(0, DeadReason::DeliveryLimit)]);
    }
}
