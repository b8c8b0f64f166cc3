//! Messaging: queues that deliver at least once, partitioned logs with consumer groups, an event bus.
//!
//! Messages are whatever the caller hands in; nothing here knows a service, a connection or a clock.

mod assignor;
mod event_bus;
mod topic;
mod work_queue;

use super::PolicyInfo;
use crate::kernel::{Span, Time};

pub use assignor::{Assignment, Assignor, Member, TopicPartition, hold_back};
pub use event_bus::{EventBus, SubscriptionId};
pub use topic::{Group, OffsetReset, Partitioner, Record, Topic, TopicSettings, murmur2};
pub use work_queue::{
    ConsumerId, Dead, DeadReason, Delivery, Overflow, Requeue, WorkQueue, WorkQueueSettings,
};

/// Everything that carries messages, the default first.
pub static MESSAGING: &[&PolicyInfo] = &[&work_queue::INFO, &topic::INFO, &event_bus::INFO];

/// How a group's partitions are shared out.
pub static ASSIGNORS: &[(&PolicyInfo, Assignor)] = assignor::ALL;
