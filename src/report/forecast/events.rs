//! The log of a simulation: one JSON object a line, in the order of time.

use crate::sim::{About, Compiled, Entry, InstanceId};
use serde_json::{Map, Value, json};

/// One line, without its end. Correlation ids are `r` and the number of a request in the replication, message ids `m`
/// and that of a message; keys that do not apply are left out.
pub fn event_line(compiled: &Compiled, entry: &Entry) -> String {
    let mut line = Map::new();
    line.insert("at_s".to_owned(), json!(entry.at.seconds()));
    line.insert("type".to_owned(), entry.kind.name().into());
    if let Some(request) = entry.request {
        line.insert("correlation_id".to_owned(), correlation(request).into());
    }
    if let Some(message) = entry.message {
        line.insert("message_id".to_owned(), format!("m{message}").into());
    }
    about(compiled, entry.about, &mut line);
    if let Some(cause) = entry.end {
        line.insert("error".to_owned(), cause.name().into());
    }
    if let Some(took) = entry.took {
        line.insert("took_ms".to_owned(), json!(took.seconds() * 1e3));
    }
    Value::Object(line).to_string()
}

/// `r17`: what names a request in logs and traces.
pub fn correlation(request: u32) -> String {
    format!("r{request}")
}

fn about(compiled: &Compiled, about: About, line: &mut Map<String, Value>) {
    let plan = &compiled.plan;
    let mut say = |key: &str, value: Value| line.insert(key.to_owned(), value);
    let service = |instance: InstanceId| {
        let instance = &plan.instances[instance.index()];
        (plan.services[instance.service.index()].name.as_str(), instance.name.as_str())
    };
    match about {
        About::Source(source) => {
            say("source", plan.sources[source.index()].name.as_str().into());
        }
        About::Work(endpoint, instance) => {
            let (service, instance) = service(instance);
            say("service", service.into());
            say("instance", instance.into());
            say("endpoint", plan.endpoints[endpoint.index()].name.as_str().into());
        }
        About::Instance(instance) => {
            let (service, instance) = service(instance);
            say("service", service.into());
            say("instance", instance.into());
        }
        About::Host(upstream, caller, instance) => {
            let (service, instance) = service(instance);
            say("service", service.into());
            say("instance", instance.into());
            say("upstream", plan.upstreams[upstream.index()].name.as_str().into());
            say("caller_instance", caller.into());
        }
        About::Breaker(breaker, caller) => {
            say("breaker", plan.breakers[breaker.index()].name.as_str().into());
            say("caller_instance", caller.into());
        }
        About::Queue(queue) => {
            say("queue", plan.queues[queue.index()].name.as_str().into());
        }
        About::Happening(event) => {
            let event = &plan.events[event as usize];
            say("what", event.action.name().into());
            let all = event.instances.iter().map(|i| Value::from(service(*i).1));
            say("instances", all.collect::<Vec<_>>().into());
        }
    }
}
