//! Calls that are found piece by piece: each once, with everything that shows it. Must not know any
//! format.

use super::clues::keys::is_telemetry;
use super::clues::roles::Role;
use super::{Evidence, EvidenceKind};
use crate::source::{Span, Spanned};
use crate::spec;
use crate::spec::vocabulary::{Communication, Policy, Protocol, Target};
use std::collections::HashMap;

/// A call that was found.
#[derive(Debug)]
struct Call {
    /// The caller's place among the parties.
    from: usize,
    /// How it travels, where that is evident.
    protocol: Option<Protocol>,
    /// What shows it; never empty.
    evidence: Vec<Evidence>,
}

/// Who calls and is called.
#[derive(Debug)]
struct Party {
    id: Spanned<String>,
    role: Role,
}

/// What shows a call, before it is known what else it means.
#[derive(Debug, Clone, Copy)]
pub struct Clue<'c> {
    /// What it is.
    pub kind: EvidenceKind,
    /// Where.
    pub span: Span,
    /// What is to be seen there.
    pub detail: &'c str,
    /// How the call travels, where that is evident.
    pub protocol: Option<Protocol>,
}

/// Calls by caller and callee, in the order of the callers, then in that in which they were found.
#[derive(Debug, Default)]
pub struct Calls {
    parties: Vec<Party>,
    places: HashMap<String, usize>,
    all: Vec<Call>,
    /// Places by caller and id of the callee.
    index: Vec<HashMap<String, usize>>,
    doubtful: Vec<Evidence>,
}

impl Calls {
    /// No calls yet between these.
    pub fn new(parties: impl Iterator<Item = (Spanned<String>, Role)>) -> Self {
        let parties: Vec<_> = parties.map(|(id, role)| Party { id, role }).collect();
        let places = parties.iter().enumerate().map(|(at, party)| (party.id.value.clone(), at)).collect();
        let index = parties.iter().map(|_| HashMap::new()).collect();
        Self { parties, places, index, ..Self::default() }
    }

    /// Adds what shows a call of the one at `from`. A service does not call itself. What is called need not be
    /// known.
    pub fn add(&mut self, from: usize, to: &str, clue: Clue<'_>) {
        let Some(evidence) = self.evidence(from, to, clue).filter(|e| e.from != e.to) else { return };
        let protocol = match self.role(to) {
            Some(Role::Broker(_, protocol)) => Some(protocol),
            Some(Role::Datastore(_)) => None,
            _ => clue.protocol,
        };
        let Some(index) = self.index.get_mut(from) else { return };
        if let Some(call) = index.get(to).and_then(|at| self.all.get_mut(*at)) {
            call.protocol = call.protocol.or(protocol);
            call.evidence.push(evidence);
            return;
        }
        index.insert(to.to_owned(), self.all.len());
        self.all.push(Call { from, protocol, evidence: vec![evidence] });
    }

    /// Adds what shows a call too weakly.
    pub fn doubt(&mut self, from: usize, to: &str, clue: Clue<'_>) {
        self.doubtful.extend(self.evidence(from, to, clue).filter(|e| e.from != e.to));
    }

    fn evidence(&self, from: usize, to: &str, clue: Clue<'_>) -> Option<Evidence> {
        let party = self.parties.get(from)?;
        let collects = party.role == Role::Telemetry || self.role(to) == Some(Role::Telemetry);
        let told =
            matches!(clue.kind, EvidenceKind::Environment | EvidenceKind::Config | EvidenceKind::Command);
        Some(Evidence {
            from: party.id.value.clone(),
            to: to.to_owned(),
            kind: clue.kind,
            span: clue.span,
            detail: clue.detail.to_owned(),
            telemetry: collects || (told && is_telemetry(clue.detail)),
        })
    }

    /// What the one of an id is.
    fn role(&self, id: &str) -> Option<Role> {
        self.places.get(id).and_then(|at| self.parties.get(*at)).map(|party| party.role)
    }

    /// What each is.
    pub fn roles(&self) -> impl Iterator<Item = Role> {
        self.parties.iter().map(|party| party.role)
    }

    /// Whether the one at `from` is known to call an id.
    pub fn has(&self, from: usize, to: &str) -> bool {
        self.index.get(from).is_some_and(|index| index.contains_key(to))
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All have been found. Something that calls a service by its address is a service, whatever its image or
    /// name says; a datastore has no calls, and what else it waits for, or replicates to, is doubtful. Brings
    /// the strongest evidence of each to the front.
    pub fn settle(&mut self) {
        for call in &self.all {
            let spelled = |e: &Evidence| {
                matches!(e.kind, EvidenceKind::Environment | EvidenceKind::Command | EvidenceKind::Config)
                    && !e.telemetry
            };
            let to = call.evidence.first().and_then(|e| self.role(&e.to));
            if matches!(to, Some(Role::Service | Role::Broker(..)))
                && call.evidence.iter().any(spelled)
                && let Some(party) = self.parties.get_mut(call.from)
                && matches!(party.role, Role::Datastore(_))
            {
                party.role = Role::Service;
            }
        }
        let is_store =
            |call: &Call| matches!(self.parties.get(call.from).map(|p| p.role), Some(Role::Datastore(_)));
        let (stores, mut calls): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.all).into_iter().partition(is_store);
        calls.sort_by_key(|call| call.from);
        for call in &mut calls {
            call.evidence.sort_by_key(|e| e.kind);
        }
        self.all = calls;
        let known: std::collections::HashSet<_> = self.ends().collect();
        let mut doubtful = self.doubtful.clone();
        doubtful.extend(stores.into_iter().flat_map(|call| call.evidence));
        doubtful.retain(|e| !known.contains(&(e.from.as_str(), e.to.as_str())));
        doubtful.dedup_by(|a, b| a.from == b.from && a.to == b.to);
        self.doubtful = doubtful;
    }

    /// Caller and callee of each.
    fn ends(&self) -> impl Iterator<Item = (&str, &str)> {
        let strongest = self.all.iter().filter_map(|call| call.evidence.first());
        strongest.map(|evidence| (evidence.from.as_str(), evidence.to.as_str()))
    }

    /// Too weak to be drawn.
    pub fn doubtful(&self) -> &[Evidence] {
        &self.doubtful
    }

    /// How many there are that could call, and those that neither call nor are called.
    pub fn alone(&self) -> (usize, Vec<&str>) {
        let joined: std::collections::HashSet<&str> = self.ends().flat_map(|(from, to)| [from, to]).collect();
        let ids = self.parties.iter().map(|party| party.id.value.as_str());
        (self.parties.len(), ids.filter(|id| !joined.contains(id)).collect())
    }

    /// As the section of a document; each points at its strongest evidence.
    pub fn communications(&self, root: Span) -> Option<Spanned<Vec<Spanned<Communication>>>> {
        let all: Vec<_> = self.all.iter().filter_map(|call| self.communication(call)).collect();
        (!all.is_empty()).then(|| Spanned::new(all, root))
    }

    fn communication(&self, call: &Call) -> Option<Spanned<Communication>> {
        let (strongest, from) = (call.evidence.first()?, self.parties.get(call.from)?.id.span);
        let target = |id: &str, span| {
            let service = Spanned::new(id.to_owned(), span);
            Some(Spanned::new(Target { service, endpoint: None }, span))
        };
        let protocol = call.protocol.map(|protocol| Spanned::new(protocol, strongest.span));
        let communication = Communication {
            from: target(&strongest.from, from),
            to: target(&strongest.to, strongest.span),
            policy: Policy { protocol, ..Policy::default() },
            ..Communication::default()
        };
        Some(Spanned::new(communication, strongest.span))
    }

    /// What showed each, as edges of the model keep it.
    pub fn sources(&self) -> Vec<Vec<spec::Evidence>> {
        self.all.iter().map(|call| call.evidence.iter().map(Evidence::to_source).collect()).collect()
    }

    /// All evidence, by call, and what is doubtful.
    pub fn into_evidence(self) -> (Vec<Evidence>, Vec<Evidence>) {
        (self.all.into_iter().flat_map(|call| call.evidence).collect(), self.doubtful)
    }
}
