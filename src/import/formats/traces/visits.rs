//! From the spans of a trace to visits: a request's stay in a service, with the calls it made and the time that
//! was the service's own.

use super::links::Links;
use super::span::{Name, Span};
use super::tags::Kind;
use super::tally::{Call, Callee, EndpointId, Tally, Visit};

/// A stay that is longer, or of a time nobody says, tells nothing of how long work takes.
const LONGEST_NS: u64 = 7 * 24 * 3600 * 1_000_000_000;

/// What is known of a visit before its calls are.
#[derive(Debug, Clone, Copy)]
struct Stay {
    /// The span it began with.
    root: usize,
    service: Name,
    endpoint: EndpointId,
    consumes: bool,
    end_ns: u64,
    failed: bool,
}

/// Counts what the spans of a trace show.
pub fn fold(spans: Vec<Span>, tally: &mut Tally) {
    let links = Links::of(spans);
    tally.traces += 1;
    tally.spans += links.spans.len() as u64;
    tally.orphans += links.orphans;
    let mut trace = Trace { tally, stays: Vec::new(), of: vec![None; links.spans.len()], calls: Vec::new() };
    trace.stays(&links);
    trace.others(&links);
    trace.count(&links);
}

struct Trace<'t> {
    tally: &'t mut Tally,
    stays: Vec<Stay>,
    /// The visit each span belongs to.
    of: Vec<Option<usize>>,
    /// Calls with the visit that makes them.
    calls: Vec<(usize, Call)>,
}

impl Trace<'_> {
    /// Begins a visit with every span whose service is not that of its cause.
    fn stays(&mut self, links: &Links) {
        for at in &links.order {
            let Some(span) = links.spans.get(*at) else { continue };
            let cause = links.parents.get(*at).copied().flatten();
            let above = cause.and_then(|cause| self.of.get(cause).copied().flatten());
            let via = cause.and_then(|cause| links.spans.get(cause));
            let stay = above.and_then(|above| self.stays.get(above).copied());
            let goes_on = stay.is_some_and(|stay| {
                let handles = span.kind == Kind::Consumer && via.is_none_or(|via| via.kind != Kind::Consumer);
                span.service == Name::NONE || stay.service == span.service && !handles
            });
            let place = if goes_on {
                if let Some(stay) = above.and_then(|above| self.stays.get_mut(above)) {
                    // Nobody waits for the handling of a message: it ends with the last that is done.
                    if stay.consumes {
                        stay.end_ns = stay.end_ns.max(span.end_ns());
                        stay.failed |= span.error && cause == Some(stay.root);
                    }
                }
                above
            } else if span.service == Name::NONE {
                self.tally.nameless += 1;
                None
            } else {
                Some(self.begin(*at, span, above.zip(via)))
            };
            if let Some(of) = self.of.get_mut(*at) {
                *of = place;
            }
        }
    }

    fn begin(&mut self, at: usize, span: &Span, from: Option<(usize, &Span)>) -> usize {
        let consumes = span.kind == Kind::Consumer;
        let sent = from.filter(|(_, via)| via.kind == Kind::Producer).map(|(_, via)| via.peer);
        let channel = Some(span.peer).filter(|p| consumes && *p != Name::NONE).or(sent.filter(|_| consumes));
        let channel = channel.unwrap_or(Name::NONE);
        let endpoint = self.tally.endpoint(span, channel);
        let stay = Stay {
            root: at,
            service: span.service,
            endpoint,
            consumes,
            end_ns: span.end_ns(),
            failed: span.error,
        };
        self.stays.push(stay);
        // A span that calls, in another service than its cause: who asked for it is not in the trace.
        let served = !matches!(span.kind, Kind::Client | Kind::Producer);
        match from.filter(|_| served && !consumes) {
            Some((caller, via)) => {
                let (start_ns, end_ns) = within(span, via);
                let asked = via.protocol.filter(|_| via.kind == Kind::Client);
                let protocol = span.protocol.or(asked);
                let seen = if via.service == Name::NONE { span.seen } else { via.seen };
                let at = Callee::Endpoint(endpoint);
                let failed = span.error || via.error;
                let (waited, excuses) = (true, failed);
                let call = Call { callee: at, start_ns, end_ns, failed, excuses, waited, protocol, seen };
                self.calls.push((caller, call));
            }
            None if consumes => self.tally.consumed(channel, span),
            None => self.tally.entered(endpoint, span.start_ns),
        }
        self.stays.len() - 1
    }

    /// Calls of what leaves no span of its own: databases, services of others; and messages.
    fn others(&mut self, links: &Links) {
        let mut answered = vec![false; links.spans.len()];
        for at in links.order.iter().rev() {
            let Some(cause) = links.parents.get(*at).copied().flatten() else { continue };
            let left = self.of.get(*at) != self.of.get(cause);
            if left || is(&answered, *at) {
                set(&mut answered, cause);
            }
        }
        // What a library makes of a call below the span that stands for it is the same call.
        let mut below = vec![false; links.spans.len()];
        for at in &links.order {
            let (Some(span), Some(visit)) = (links.spans.get(*at), self.of.get(*at).copied().flatten())
            else {
                continue;
            };
            let cause = links.parents.get(*at).copied().flatten();
            let inside =
                cause.is_some_and(|c| self.of.get(c).copied().flatten() == Some(visit) && is(&below, c));
            let callee = match span.kind {
                _ if inside => None,
                Kind::Client if !is(&answered, *at) => Some(Callee::Other(span.peer, span.write)),
                Kind::Producer => Some(Callee::Channel(span.peer)),
                _ => None,
            };
            let callee = callee.filter(|_| span.peer != Name::NONE);
            if inside || callee.is_some() {
                set(&mut below, *at);
            }
            let Some(callee) = callee else { continue };
            let (start_ns, end_ns, failed) = (span.start_ns, span.end_ns(), span.error);
            let (protocol, seen, waited) = (span.protocol, span.seen, span.kind == Kind::Client);
            let call = Call {
                callee,
                start_ns,
                end_ns,
                failed,
                protocol,
                seen,
                waited,
                excuses: failed && !span.store,
            };
            self.calls.push((visit, call));
        }
    }

    /// Hands every visit on with its calls.
    fn count(&mut self, links: &Links) {
        self.calls.sort_by_key(|(visit, call)| (*visit, call.start_ns, call.end_ns, call.callee));
        let mut calls: Vec<Call> = Vec::new();
        let mut all = self.calls.iter().peekable();
        for (at, stay) in self.stays.iter().enumerate() {
            calls.clear();
            while let Some((_, call)) = all.next_if(|(visit, _)| *visit == at) {
                calls.push(*call);
            }
            let Some(root) = links.spans.get(stay.root) else { continue };
            for call in &mut calls {
                call.waited &= call.end_ns <= stay.end_ns;
            }
            let length = stay.end_ns.saturating_sub(root.start_ns);
            let timed = root.start_ns != 0 && length <= LONGEST_NS;
            let own = length - covered(&calls, root.start_ns, stay.end_ns).min(length);
            let blameless = calls.iter().any(|call| call.excuses && call.waited);
            self.tally.visit(&Visit {
                endpoint: stay.endpoint,
                start_ns: root.start_ns,
                own_ns: timed.then_some(own),
                failed: stay.failed,
                own_fault: stay.failed && !blameless,
                calls: &calls,
                protocol: root.protocol,
            });
        }
    }
}

fn is(all: &[bool], at: usize) -> bool {
    all.get(at).copied().unwrap_or_default()
}

fn set(all: &mut [bool], at: usize) {
    if let Some(place) = all.get_mut(at) {
        *place = true;
    }
}

/// When a call was answered, seen from the caller. Clocks differ: an answer that does not lie within the call is
/// laid into its middle; one that took longer was not waited for to its end.
fn within(span: &Span, via: &Span) -> (u64, u64) {
    let (start, end) = (span.start_ns, span.end_ns());
    if start >= via.start_ns && end <= via.end_ns() {
        return (start, end);
    }
    if via.kind == Kind::Client {
        let Some(rest) = via.duration_ns.checked_sub(span.duration_ns) else {
            return (via.start_ns, via.end_ns());
        };
        let start = via.start_ns.saturating_add(rest / 2);
        return (start, start.saturating_add(span.duration_ns));
    }
    // The cause is no call: what goes on after it is not waited for.
    let start = start.max(via.start_ns);
    (start, start.saturating_add(span.duration_ns))
}

/// How much of a time calls cover that are waited for, each moment once. The calls come by their start.
fn covered(calls: &[Call], from: u64, to: u64) -> u64 {
    let (mut covered, mut until) = (0, from);
    for call in calls.iter().filter(|call| call.waited) {
        let (start, end) = (call.start_ns.max(until), call.end_ns.min(to));
        covered += end.saturating_sub(start);
        until = until.max(end);
    }
    covered
}
