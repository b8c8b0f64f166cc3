//! Queues and topics: lag, drain, fetched ahead, delivered again, one reader per partition.

use super::{event, two};
use crate::kernel::{Distribution, Span};
use crate::sim::{Action, Consumer, Outcome, Plan, Queue, QueueId, Step, Target, simulate};

/// `two`, whose `front` publishes each of its 99 requests; consumers of two instances work so many milliseconds.
fn published(queue: Queue, works: &[u64]) -> Plan {
    let mut plan = two(1);
    let publish = Step::Publish { queue: QueueId(0), probability: 1.0, times: 1 };
    let publishing = plan.add_endpoint("front 2", plan.endpoints[1].service, None, 0.0, &[publish]);
    plan.edges[1].target = Target::One(publishing);
    plan.queues = vec![queue];
    for (n, millis) in works.iter().enumerate() {
        let service = plan.add_service(&format!("reader {n}"), 2);
        let work = Some(Distribution::Constant(Span::from_millis(*millis)));
        let endpoint = plan.add_endpoint(&format!("reader {n}"), service, work, 0.0, &[]);
        plan.endpoints[endpoint.index()].handler = true;
        plan.queues[0].consumers.push(Consumer::new(endpoint, 1));
    }
    plan
}

fn run(plan: &Plan) -> Outcome {
    simulate(plan, 1, 1, 1).expect("a valid plan")
}

fn oldest(outcome: &Outcome) -> f64 {
    outcome.queues[0].age.max.expect("acknowledged")
}

#[test]
fn a_backlog_drains_at_what_is_left_of_the_capacity() {
    // Readers of 2·10/s are gone for 3 s; 30 messages come in meanwhile, and one was in their hands: they drain
    // at 20/s − 10/s in 3.1 s.
    let mut plan = published(Queue::new("mails"), &[100]);
    plan.events = vec![event(2_050, Some(3_000), Action::Kill { unlisted_after: None }, &[3, 4])];
    let outcome = run(&plan);
    let mails = &outcome.queues[0];
    assert_eq!((mails.acknowledged, mails.left), (99, 0));
    assert_eq!(mails.depth_max, 31);
    assert!((3.0..3.2).contains(&oldest(&outcome)), "{}", oldest(&outcome));
    // The last that waits is published about 6.1 s after they went; later ones find nobody before them.
    plan.warm_up = Span::from_millis(8_250);
    assert!((oldest(&run(&plan)) - 0.1).abs() < 1e-9);
    plan.warm_up = Span::from_millis(7_650);
    assert!(oldest(&run(&plan)) > 0.1);
}

#[test]
fn what_is_not_acknowledged_in_time_is_delivered_again() {
    let mut queue = Queue::new("mails");
    queue.ack_timeout = Some(Span::from_millis(100));
    queue.max_deliveries = Some(3);
    queue.dead_letter = Some(QueueId(1));
    let mut plan = published(queue, &[150]);
    plan.queues[0].consumers[0].concurrency = 10;
    plan.queues.push(Queue::new("dead"));
    let outcome = run(&plan);
    let mails = &outcome.queues[0];
    // Each three times, and the third is dead before it is done.
    assert_eq!((mails.delivered, mails.redelivered, mails.acknowledged), (297, 198, 0));
    assert_eq!((mails.dead_lettered, outcome.queues[1].published), (99, 99));
    plan.queues[0].ack_timeout = Some(Span::from_millis(200));
    let mails = run(&plan).queues[0].clone();
    assert_eq!((mails.delivered, mails.acknowledged, mails.dead_lettered), (99, 99, 0));
}

#[test]
fn what_is_fetched_ahead_waits_where_it_is() {
    // The second instance is ten times slower.
    let mut plan = published(Queue::new("mails"), &[50]);
    plan.instances[4].speed = 0.1;
    let outcome = run(&plan);
    let calls = outcome.instances[4].requests;
    assert!((16..=20).contains(&calls), "one in five or six: it is busy for five of them: {calls}");
    assert!(oldest(&outcome) < 0.6);
    // Every other message, of 500 ms each at 5/s: the last of fifty is done after 25 s.
    plan.queues[0].consumers[0].prefetch = Some(0);
    let outcome = run(&plan);
    assert!((49..=50).contains(&outcome.instances[4].requests));
    assert!((14.0..16.0).contains(&oldest(&outcome)), "{}", oldest(&outcome));
    // It is gone at 5 s, and what it had not begun goes to the other at once.
    plan.events = vec![event(5_020, None, Action::Kill { unlisted_after: None }, &[4])];
    let outcome = run(&plan);
    assert_eq!((outcome.queues[0].acknowledged, outcome.queues[0].left), (99, 0));
    // Of 25 it had done nine; the tenth was in its hands.
    assert!((15..=17).contains(&outcome.queues[0].redelivered), "{}", outcome.queues[0].redelivered);
}

fn topic(partitions: Option<u32>) -> Queue {
    Queue { fan_out: true, partitions, ..Queue::new("prices") }
}

#[test]
fn one_reader_of_a_group_per_partition() {
    // Eight readers of 600 ms each: 6 partitions are as fast as the 10/s that come, 2 make a third of it.
    let run = |partitions| {
        let mut plan = published(topic(partitions), &[600]);
        plan.queues[0].consumers[0].concurrency = 4;
        run(&plan)
    };
    let enough = run(None);
    assert!((oldest(&enough) - 0.6).abs() < 1e-9, "{}", oldest(&enough));
    assert!(oldest(&run(Some(6))) < 0.7);
    let few = run(Some(2));
    assert!((62..=70).contains(&few.queues[0].depth_max), "{}", few.queues[0].depth_max);
    // Of 50 in a partition the last is done after 30 s: 20 s after it came.
    assert!((19.5..21.0).contains(&oldest(&few)), "{}", oldest(&few));
}

#[test]
fn groups_know_nothing_of_each_other() {
    let outcome = run(&published(topic(None), &[10, 250]));
    let prices = &outcome.queues[0];
    assert_eq!((prices.published, prices.acknowledged, prices.left), (198, 198, 0));
    // The slow one falls behind: two at once make 8/s of 10/s.
    assert!((15..=21).contains(&prices.depth_max), "{}", prices.depth_max);
    let half = prices.age.p50.as_ref().expect("acknowledged").value;
    assert!(half < 0.3, "the fast one does not: {half}");
}

#[test]
fn a_group_waits_for_a_silent_reader_and_shares_anew() {
    let mut plan = published(topic(Some(2)), &[10]);
    plan.drain = Span::from_secs(60);
    plan.events = vec![event(5_050, None, Action::Kill { unlisted_after: None }, &[3])];
    // Half of what came from 5.1 s on waits until 50.05 s.
    let outcome = run(&plan);
    assert_eq!((outcome.queues[0].acknowledged, outcome.queues[0].left), (99, 0));
    assert!((44.8..45.1).contains(&oldest(&outcome)), "{}", oldest(&outcome));
    // It is back after a second: it reads on where it was.
    plan.events = vec![event(5_050, Some(1_000), Action::Kill { unlisted_after: None }, &[3])];
    let outcome = run(&plan);
    assert_eq!((outcome.queues[0].acknowledged, outcome.queues[0].left), (99, 0));
    assert!((0.8..1.1).contains(&oldest(&outcome)), "{}", oldest(&outcome));
    // A record that fails is tried where it stands: the hundred in front of each partition, over and over.
    plan.events.clear();
    plan.endpoints.iter_mut().filter(|e| e.handler).for_each(|handler| handler.error_rate = 1.0);
    let prices = run(&plan).queues[0].clone();
    assert_eq!((prices.acknowledged, prices.left, prices.delivered), (0, 99, 2));
    plan.queues[0].max_deliveries = Some(3);
    let prices = run(&plan).queues[0].clone();
    assert_eq!((prices.dead_lettered, prices.delivered, prices.redelivered), (99, 99, 198));
}

#[test]
fn dead_letters_go_in_a_circle() {
    // One request sends many to each of two queues, nobody handles them in time, and each queue is where the dead of
    // the other go: all that is dead at once must not lie on the stack at once.
    const MANY: u32 = 20_000;
    let mut plan = published(Queue::new("one"), &[1_000_000, 1_000_000]);
    (plan.duration, plan.drain) = (Span::from_millis(150), Span::from_millis(175));
    plan.queues.push(Queue::new("other"));
    let other = plan.queues[0].consumers.pop().expect("two readers");
    plan.queues[1].consumers.push(other);
    for (queue, dead_letter) in plan.queues.iter_mut().zip([1, 0]) {
        queue.ack_timeout = Some(Span::from_millis(100));
        queue.max_deliveries = Some(1);
        queue.dead_letter = Some(QueueId(dead_letter));
        queue.consumers[0].prefetch = Some(0);
    }
    for step in &mut plan.steps {
        if let Step::Publish { times, .. } = step {
            *times = MANY;
        }
    }
    let also = Step::Publish { queue: QueueId(1), probability: 1.0, times: MANY };
    let at = plan.steps.iter().position(|step| matches!(step, Step::Publish { .. })).expect("it publishes");
    plan.steps.insert(at, also);
    for endpoint in &mut plan.endpoints {
        endpoint.script += u32::from(endpoint.script as usize > at);
    }
    // Sent at 0.1 s, dead at 0.2 s and at 0.3 s; the run ends at 0.325 s.
    for queue in run(&plan).queues {
        assert_eq!(queue.dead_lettered, 2 * u64::from(MANY), "{}", queue.name);
        assert_eq!(queue.published, 3 * u64::from(MANY), "{}", queue.name);
    }
}
