//! What differs between the products.

use crate::kernel::Span;

/// What happens to a message that finds the queue full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Overflow {
    /// The oldest waiting message goes. `RabbitMQ`'s default.
    #[default]
    DropHead,
    /// The new one is refused.
    RejectPublish,
    /// The new one is refused, and dead. Classic queues only.
    RejectPublishDlx,
}

/// Where a message goes that comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Requeue {
    /// To the place it had, before everything younger.
    #[default]
    Front,
    /// Behind all that wait.
    Back,
}

/// A queue's settings; the default is a `RabbitMQ` quorum queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkQueueSettings {
    /// Unacknowledged messages a consumer may hold; 0 is unlimited. Default 0.
    pub prefetch: u32,
    /// The same for all consumers together. Default unlimited.
    pub max_ack_pending: Option<u32>,
    /// How long a consumer may keep a message before it is delivered anew. Default 30 min, `RabbitMQ`'s
    /// `consumer_timeout`.
    pub ack_timeout: Option<Span>,
    /// That time for the first, second, … delivery, the last for all further ones; stands in for
    /// `ack_timeout`. Default none.
    pub backoff: Vec<Span>,
    /// *Redeliveries* a message survives. Default 20: it is delivered 21 times.
    pub delivery_limit: Option<u32>,
    /// Whether a nack counts towards the limit like a crash or a timeout. Default yes; `RabbitMQ` 4.3: no.
    pub nack_counts: bool,
    /// Waiting messages; those delivered and unacknowledged do not count. Default unlimited.
    pub max_length: Option<u32>,
    /// What happens beyond that. Default drop-head.
    pub overflow: Overflow,
    /// How long a message may wait. Default forever.
    pub ttl: Option<Span>,
    /// Where what comes back goes. Default to its old place.
    pub requeue: Requeue,
}

impl Default for WorkQueueSettings {
    fn default() -> Self {
        Self {
            prefetch: 0,
            max_ack_pending: None,
            ack_timeout: Some(Span::from_secs(30 * 60)),
            backoff: Vec::new(),
            delivery_limit: Some(20),
            nack_counts: true,
            max_length: None,
            overflow: Overflow::DropHead,
            ttl: None,
            requeue: Requeue::Front,
        }
    }
}

impl WorkQueueSettings {
    /// Amazon SQS: visibility timeout 30 s, kept for 4 days. `max_receive_count` of the redrive policy counts
    /// all deliveries; 120 000 messages may be in flight.
    pub fn sqs(max_receive_count: Option<u32>) -> Self {
        Self {
            max_ack_pending: Some(120_000),
            ack_timeout: Some(Span::from_secs(30)),
            delivery_limit: max_receive_count.map(|n| n.saturating_sub(1)),
            ttl: Some(Span::from_secs(4 * 24 * 3600)),
            ..Self::default()
        }
    }

    /// A NATS `JetStream` pull or push consumer: `AckWait` 30 s, `MaxAckPending` 1000. `MaxDeliver` counts all
    /// deliveries, `None` is its default −1.
    pub fn jetstream(max_deliver: Option<u32>) -> Self {
        Self {
            max_ack_pending: Some(1000),
            ack_timeout: Some(Span::from_secs(30)),
            delivery_limit: max_deliver.map(|n| n.saturating_sub(1)),
            ..Self::default()
        }
    }

    /// A `RabbitMQ` classic queue: like a quorum queue, without a limit on deliveries.
    pub fn rabbitmq_classic() -> Self {
        Self { delivery_limit: None, ..Self::default() }
    }

    /// For the `n`th delivery, from 1.
    pub(super) fn timeout(&self, n: u32) -> Option<Span> {
        let step = self.backoff.get(n.saturating_sub(1) as usize).or(self.backoff.last());
        step.copied().or(self.ack_timeout)
    }
}
