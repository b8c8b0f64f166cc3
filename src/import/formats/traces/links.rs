//! Which span caused which: one tree or several out of the spans of a trace, whatever they say.

use super::span::{Name, Span};
use super::tags::Kind;

/// Spans of one identifier that are told apart; more are taken for copies.
const HALVES: usize = 16;

/// The spans of a trace, each once, with who caused whom.
#[derive(Debug)]
pub struct Links {
    /// The spans.
    pub spans: Vec<Span>,
    /// The cause of each.
    pub parents: Vec<Option<usize>>,
    /// All, causes before what they caused.
    pub order: Vec<usize>,
    /// How many name a cause that is not there.
    pub orphans: u64,
}

impl Links {
    /// Finds the cause of each span.
    pub fn of(spans: Vec<Span>) -> Self {
        let spans = once(spans);
        let mut ids: Vec<(u64, usize)> = spans.iter().map(|s| s.id).zip(0..).collect();
        ids.sort_unstable();
        let mut orphans = 0;
        let mut parents: Vec<_> = (0..spans.len())
            .map(|at| {
                let found = cause(&spans, &ids, at);
                orphans += u64::from(found.is_none() && spans.get(at).is_some_and(|s| s.parent != 0));
                found
            })
            .collect();
        cut_circles(&mut parents);
        let order = order(&parents);
        Self { spans, parents, order, orphans }
    }
}

/// Whether a span is the caller's side of a call.
const fn calls(kind: Kind) -> bool {
    matches!(kind, Kind::Client | Kind::Producer)
}

/// Each span once: what has the same identifier, service and side is the same span, reported again.
fn once(spans: Vec<Span>) -> Vec<Span> {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    let id = |at: &usize| spans.get(*at).map(|s| s.id);
    order.sort_by_key(|at| (id(at), *at));
    let mut copies = vec![false; spans.len()];
    for group in order.chunk_by(|a, b| id(a) == id(b)) {
        let mut halves: Vec<(Name, bool)> = Vec::new();
        for at in group {
            let Some(span) = spans.get(*at).filter(|s| s.id != 0) else { continue };
            let half = (span.service, calls(span.kind));
            let copy = halves.contains(&half) || halves.len() >= HALVES;
            match copies.get_mut(*at) {
                Some(place) if copy => *place = true,
                _ => halves.push(half),
            }
        }
    }
    spans.into_iter().zip(copies).filter(|(_, copy)| !copy).map(|(span, _)| span).collect()
}

/// The span that caused another. Two sides of a call may share an identifier (Zipkin): the caller's caused the
/// other's, and what names it as its cause was caused by the side that answers, unless it is the caller's own.
fn cause(spans: &[Span], ids: &[(u64, usize)], at: usize) -> Option<usize> {
    let span = spans.get(at)?;
    let named = |id: u64| {
        let from = ids.partition_point(|(known, _)| *known < id);
        let all = ids.iter().skip(from).take_while(move |(known, _)| *known == id && id != 0);
        all.filter_map(|(_, at)| Some((*at, spans.get(*at)?)))
    };
    if !calls(span.kind) {
        let caller = named(span.id).find(|(other, s)| *other != at && calls(s.kind));
        if let Some((other, _)) = caller {
            return Some(other);
        }
    }
    let candidates = || named(span.parent).filter(|(other, _)| *other != at);
    let own = candidates().find(|(_, s)| s.service == span.service);
    let found = own.or_else(|| candidates().find(|(_, s)| !calls(s.kind)));
    found.or_else(|| candidates().next()).map(|(other, _)| other)
}

/// Takes one link out of every circle.
fn cut_circles(parents: &mut [Option<usize>]) {
    // 0: not looked at, otherwise the walk on which it was.
    let mut walks = vec![0_usize; parents.len()];
    for start in 0..parents.len() {
        let mut at = start;
        while let Some(walk) = walks.get_mut(at).filter(|walk| **walk == 0) {
            *walk = start + 1;
            let Some(parent) = parents.get(at).copied().flatten() else { break };
            if walks.get(parent) == Some(&(start + 1)) {
                if let Some(cut) = parents.get_mut(at) {
                    *cut = None;
                }
                break;
            }
            at = parent;
        }
    }
}

/// All, parents first; siblings in the order in which they came.
fn order(parents: &[Option<usize>]) -> Vec<usize> {
    let mut first = vec![None; parents.len()];
    let mut next = vec![None; parents.len()];
    for (at, parent) in parents.iter().enumerate().rev() {
        if let Some(first) = parent.and_then(|parent| first.get_mut(parent)) {
            if let Some(next) = next.get_mut(at) {
                *next = *first;
            }
            *first = Some(at);
        }
    }
    let roots = parents.iter().enumerate().filter(|(_, p)| p.is_none());
    let mut order: Vec<usize> = roots.map(|(at, _)| at).collect();
    let mut at = 0;
    while let Some(span) = order.get(at).copied() {
        let mut child = first.get(span).copied().flatten();
        while let Some(found) = child {
            order.push(found);
            child = next.get(found).copied().flatten();
        }
        at += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::formats::traces::span::Seen;

    fn span(id: u64, parent: u64, service: u32, kind: Kind) -> Span {
        let none = Name::NONE;
        let (service, seen) = (Name(service), Seen::default());
        Span {
            id,
            parent,
            start_ns: 1,
            duration_ns: 1,
            service,
            name: none,
            peer: none,
            seen,
            kind,
            protocol: None,
            error: false,
            store: false,
            write: false,
        }
    }

    #[test]
    fn causes() {
        let (client, server, inner) = (Kind::Client, Kind::Server, Kind::Internal);
        for (about, spans, parents, orphans) in [
            (
                "a tree",
                vec![(1, 0, 0, server), (2, 1, 0, inner), (3, 2, 0, client)],
                vec![None, Some(0), Some(1)],
                0,
            ),
            (
                "a shared identifier",
                vec![(1, 0, 0, server), (2, 1, 1, server), (2, 1, 0, client), (3, 2, 1, inner)],
                vec![None, Some(2), Some(0), Some(1)],
                0,
            ),
            (
                "of the caller's own",
                vec![(2, 0, 1, server), (2, 0, 0, client), (3, 2, 0, inner)],
                vec![Some(1), None, Some(1)],
                0,
            ),
            ("an orphan", vec![(1, 9, 0, server)], vec![None], 1),
            ("its own cause", vec![(1, 1, 0, server)], vec![None], 1),
            (
                "copies",
                vec![(1, 0, 0, server), (1, 0, 0, server), (2, 1, 0, inner), (2, 1, 0, inner)],
                vec![None, Some(0)],
                0,
            ),
            (
                "a circle",
                vec![(1, 3, 0, inner), (2, 1, 0, inner), (3, 2, 0, inner), (4, 3, 0, inner)],
                vec![Some(2), None, Some(1), Some(2)],
                0,
            ),
            ("no identifiers", vec![(0, 0, 0, server), (0, 0, 0, server)], vec![None, None], 0),
        ] {
            let links = Links::of(spans.into_iter().map(|(a, b, c, d)| span(a, b, c, d)).collect());
            assert_eq!((&links.parents, links.orphans), (&parents, orphans), "{about}");
            let mut sorted = links.order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..parents.len()).collect::<Vec<_>>(), "{about}");
            let place = |at: usize| links.order.iter().position(|o| *o == at);
            assert!(
                parents.iter().enumerate().all(|(at, p)| p.is_none_or(|p| place(p) < place(at))),
                "{about}"
            );
        }
    }

    #[test]
    fn a_long_chain_and_many_of_one_identifier() {
        let chain = (1..=100_000).map(|id| span(id, id - 1, 0, Kind::Internal)).collect();
        assert_eq!(Links::of(chain).order.len(), 100_000);
        let same = (0..100_000).map(|i| span(1, 1, i, Kind::Internal)).collect();
        assert_eq!(Links::of(same).spans.len(), HALVES);
    }
}
