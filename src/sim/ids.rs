//! Places in the dense arrays of a plan, one type per array so that they cannot be mixed up.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident in $array:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            #[doc = concat!("Its place in `", $array, "`.")]
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A service, datastore or external system.
    ServiceId in "Plan::services";
    /// One running copy of a service.
    InstanceId in "Plan::instances";
    /// Something a service can be asked, or a handler of messages.
    EndpointId in "Plan::endpoints";
    /// A call as it stands in a script, with its policies.
    EdgeId in "Plan::edges";
    /// How the instances of one caller reach the instances of one service.
    UpstreamId in "Plan::upstreams";
    /// A circuit breaker.
    BreakerId in "Plan::breakers";
    /// A queue or a topic.
    QueueId in "Plan::queues";
    /// A source of traffic.
    SourceId in "Plan::sources";
}
