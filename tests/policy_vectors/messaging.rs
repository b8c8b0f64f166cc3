//! Queues and topics.

use loadpath::kernel::Time;
use loadpath::policy::messaging::{Assignor, DeadReason, Member, WorkQueue, WorkQueueSettings};
use serde_json::{Value, json};

use super::Check;

pub const CHECKS: &[(&str, Check)] =
    &[("ms-kafka-range", kafka_range), ("ms-rabbit-delivery-limit", rabbit_delivery_limit)];

fn number(value: &Value) -> u32 {
    value.as_u64().and_then(|n| u32::try_from(n).ok()).expect("a small number")
}

fn kafka_range(vector: &Value) {
    let config = &vector["config"];
    // JSON objects come in the order of their names, as Kafka sorts topics.
    let topics = config["topics"].as_object().expect("topics");
    let names: Vec<&String> = topics.keys().collect();
    let sizes: Vec<(u32, u32)> = (0..).zip(topics.values().map(number)).collect();
    assert_eq!(vector["input"]["subscriptions"], "both to both");
    let consumers = config["consumers"].as_array().expect("a list");
    let member = |_| Member { topics: (0..).take(sizes.len()).collect(), ..Default::default() };
    let members: Vec<Member> = consumers.iter().map(member).collect();
    let shares = Assignor::Range.assign(&sizes, &members);
    assert_eq!(shares.len(), vector["expected"].as_object().expect("shares").len());
    for (consumer, share) in consumers.iter().zip(&shares) {
        let share: Vec<String> =
            share.iter().map(|at| format!("{}-{}", names[at.topic as usize], at.partition)).collect();
        assert_eq!(json!(share), vector["expected"][consumer.as_str().expect("a name")]);
    }
}

fn rabbit_delivery_limit(vector: &Value) {
    let limit = number(&vector["config"]["delivery_limit"]);
    assert!(vector["config"]["dead_letter_exchange"].is_string());
    assert_eq!(vector["input"]["consumer"], "always crashes before ack");
    assert_eq!(WorkQueueSettings::default().delivery_limit, Some(limit), "it is the default");
    let mut queue = WorkQueue::new(WorkQueueSettings { delivery_limit: Some(limit), ..Default::default() });
    queue.publish("poison", Time::ZERO);
    let mut deliveries = 0;
    loop {
        let consumer = queue.subscribe();
        if queue.deliver(consumer, Time::ZERO).is_none() {
            break;
        }
        deliveries += 1;
        queue.unsubscribe(consumer);
    }
    assert_eq!(json!(deliveries), vector["expected"]["deliveries"]);
    let dead = queue.take_dead().expect("dead");
    assert_eq!((dead.item, dead.reason, dead.deliveries), ("poison", DeadReason::DeliveryLimit, deliveries));
    assert_eq!(vector["expected"]["then"], "dead-lettered");
}
