//! Calls that are found piece by piece: each once, with everything that shows it. Must not know any
//! format.

use super::Evidence;
use crate::source::{Span, Spanned};
use crate::spec;
use crate::spec::vocabulary::{Communication, Policy, Protocol, Target};
use std::collections::HashMap;

/// A call that was found.
#[derive(Debug)]
pub struct Call {
    /// Where the caller is defined.
    from: Span,
    /// How it travels, where that is evident.
    protocol: Option<Protocol>,
    /// What shows it; never empty.
    evidence: Vec<Evidence>,
}

/// Calls by caller and callee, in the order in which they were found.
#[derive(Debug, Default)]
pub struct Calls {
    all: Vec<Call>,
    index: HashMap<(String, String), usize>,
}

impl Calls {
    /// Adds what shows a call; `from` is where the caller is defined. A service does not call itself.
    pub fn add(&mut self, evidence: Evidence, from: Span, protocol: Option<Protocol>) {
        if evidence.from == evidence.to {
            return;
        }
        let key = (evidence.from.clone(), evidence.to.clone());
        if let Some(call) = self.index.get(&key).and_then(|at| self.all.get_mut(*at)) {
            call.protocol = call.protocol.or(protocol);
            call.evidence.push(evidence);
            return;
        }
        self.index.insert(key, self.all.len());
        self.all.push(Call { from, protocol, evidence: vec![evidence] });
    }

    /// Whether a call is known.
    pub fn has(&self, from: &str, to: &str) -> bool {
        self.index.contains_key(&(from.to_owned(), to.to_owned()))
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Caller and callee of each.
    pub fn ends(&self) -> impl Iterator<Item = (&str, &str)> {
        let strongest = self.all.iter().filter_map(|call| call.evidence.first());
        strongest.map(|evidence| (evidence.from.as_str(), evidence.to.as_str()))
    }

    /// Brings the strongest evidence of each to the front.
    pub fn sort(&mut self) {
        for call in &mut self.all {
            call.evidence.sort_by_key(|e| e.kind);
        }
    }

    /// As the section of a document; each points at its first evidence.
    pub fn communications(&self, root: Span) -> Option<Spanned<Vec<Spanned<Communication>>>> {
        let all: Vec<_> =
            self.all.iter().filter_map(|c| communication(c.from, c.protocol, &c.evidence)).collect();
        (!all.is_empty()).then(|| Spanned::new(all, root))
    }

    /// What showed each, as edges of the model keep it.
    pub fn sources(&self) -> Vec<Vec<spec::Evidence>> {
        self.all.iter().map(|call| call.evidence.iter().map(Evidence::to_source).collect()).collect()
    }

    /// All evidence, by call.
    pub fn into_evidence(self) -> Vec<Evidence> {
        self.all.into_iter().flat_map(|call| call.evidence).collect()
    }
}

/// A call as a communication that points at its strongest evidence; `None` where there is none.
pub fn communication(
    from: Span,
    protocol: Option<Protocol>,
    evidence: &[Evidence],
) -> Option<Spanned<Communication>> {
    let strongest = evidence.first()?;
    let target = |id: &str, span| {
        let service = Spanned::new(id.to_owned(), span);
        Some(Spanned::new(Target { service, endpoint: None }, span))
    };
    let protocol = protocol.map(|protocol| Spanned::new(protocol, strongest.span));
    let communication = Communication {
        from: target(&strongest.from, from),
        to: target(&strongest.to, strongest.span),
        policy: Policy { protocol, ..Policy::default() },
        ..Communication::default()
    };
    Some(Spanned::new(communication, strongest.span))
}
