//! Pictures: one [`Diagram`] of an architecture, drawn by each of the [`RENDERERS`].
//!
//! Owns what a picture shows: which nodes and edges a [`View`] leaves, which calls become one line, what
//! is grouped, and which marks findings and cycles leave. A renderer owns one syntax and its escaping.
//! **Nothing here depends on colour alone**, and the same input gives the same bytes. Must not know files
//! or the terminal: renderers return text.

mod build;
mod caption;
mod group;
mod marks;
pub mod render;
mod view;

pub use marks::Mark;
pub use render::{RENDERERS, Renderer};
pub use view::{Direction, GroupBy, UnknownFocus, View};

use crate::finding::Finding;
use crate::model::Architecture;
use crate::source::Sources;

/// What is drawn. Indices point into the lists of this value.
#[derive(Debug, Clone)]
pub struct Diagram {
    /// Of the system.
    pub name: Option<String>,
    /// The node in focus, how far the picture reaches from it, and which way; `None` for the whole system.
    pub focus: Option<Focus>,
    /// Nodes of the whole system, whatever is shown.
    pub nodes_in_all: usize,
    /// Nodes in document order.
    pub nodes: Vec<Node>,
    /// Lines between nodes: all communications of one kind and protocol, in the order of their first.
    pub edges: Vec<Edge>,
    /// Single communications, one for each edge of the model, in document order.
    pub communications: Vec<Communication>,
    /// What the clusters are, where there are any.
    pub group_by: GroupBy,
    /// Groups of nodes, in the order of their first node; layers in the order of `lint.layers`.
    pub clusters: Vec<Cluster>,
    /// Groups of services that call one another in a circle, as indices of nodes; those in the picture.
    pub cycles: Vec<Vec<usize>>,
}

/// Where a picture looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Focus {
    /// Id of the node.
    pub id: String,
    /// Edges it reaches.
    pub depth: usize,
    /// Which way.
    pub direction: Direction,
}

/// What a node is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// A service that answers requests.
    Service,
    /// A gateway or a backend for one frontend: where requests come in.
    Gateway,
    /// A job or cron job: nobody calls it.
    Job,
    /// A datastore.
    Datastore,
    /// A queue.
    Queue,
    /// A topic.
    Topic,
}

/// One node.
#[derive(Debug, Clone)]
pub struct Node {
    /// As written.
    pub id: String,
    /// `service`, `external`, `datastore`, `queue` or `topic`.
    pub kind: &'static str,
    /// What it is drawn as.
    pub shape: Shape,
    /// What it is for: `service`, `gateway`, `bff`, `job`, `cron`; else its kind.
    pub role: &'static str,
    /// Run by someone else.
    pub external: bool,
    /// The name people say.
    pub title: Option<String>,
    /// The team.
    pub owner: Option<String>,
    /// A word of the user's.
    pub layer: Option<String>,
    /// Where its copies stand.
    pub zone: Option<String>,
    /// What it is made with; the kind of a datastore.
    pub technology: Vec<String>,
    /// Copies, where a number was said.
    pub replicas: Option<u32>,
    /// `healthy`, `unhealthy`, `starting` or `stopped`, where it was said.
    pub status: Option<&'static str>,
    /// Names of the endpoints that can be called.
    pub endpoints: Vec<String>,
    /// Queues and topics whose messages it handles.
    pub consumes: Vec<String>,
    /// Requests from outside enter here.
    pub entry: bool,
    /// The picture is about it.
    pub in_focus: bool,
    /// It calls itself, through others or directly.
    pub in_cycle: bool,
    /// Findings about it.
    pub mark: Mark,
}

/// How two nodes communicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flow {
    /// The caller waits for another service.
    Sync,
    /// A message; nobody waits.
    Async,
    /// Data read or written.
    Data,
}

impl Flow {
    /// `sync`, `async` or `data`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Async => "async",
            Self::Data => "data",
        }
    }
}

/// One line of the picture.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Index of the node it leaves.
    pub from: usize,
    /// Index of the node it enters.
    pub to: usize,
    /// How they communicate.
    pub flow: Flow,
    /// How it travels, where that is known.
    pub protocol: Option<&'static str>,
    /// What it stands for, as indices of [`Diagram::communications`].
    pub communications: Vec<usize>,
    /// `GetCart`, `×5`, `read + write`: what is asked, shortly.
    pub caption: String,
    /// `timeout 2s · 2 retries`, where all calls it stands for agree; may be empty.
    pub policy: String,
    /// Requests survive the failure of every call it stands for.
    pub soft: bool,
    /// Only the order of starting shows what it stands for.
    pub assumed: bool,
    /// It closes a circle of synchronous calls.
    pub in_cycle: bool,
    /// Findings about it.
    pub mark: Mark,
}

/// One edge of the model.
#[derive(Debug, Clone)]
pub struct Communication {
    /// As [`Architecture::edge_id`] gives it.
    pub id: String,
    /// Index of the node it leaves.
    pub from: usize,
    /// Index of the node it enters.
    pub to: usize,
    /// Name of the endpoint or handler that does it, where it is not all of them.
    pub from_endpoint: Option<String>,
    /// Name of the endpoint that is called, where it is known.
    pub to_endpoint: Option<String>,
    /// How it travels, where that is known.
    pub protocol: Option<&'static str>,
    /// How they communicate.
    pub flow: Flow,
    /// `call`, `publish`, `consume`, `read` or `write`.
    pub operation: &'static str,
    /// Where it is said.
    pub evidence: Vec<Evidence>,
    /// Findings about it.
    pub mark: Mark,
}

/// Where an edge is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// `call`, `dependencies`, `communications`, `depends_on`, …
    pub source: String,
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
}

/// Nodes that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The owner, layer or zone.
    pub name: String,
    /// Its nodes.
    pub nodes: Vec<usize>,
}

impl Diagram {
    /// The picture of an architecture, with the findings that are not suppressed marked in it. The only
    /// mistake there is: a focus that names nothing.
    pub fn new(
        arch: &Architecture,
        findings: &[Finding],
        sources: &Sources,
        view: &View,
    ) -> Result<Self, UnknownFocus> {
        build::build(arch, findings, sources, view)
    }

    /// The headline: name, counts, and what part of the system is shown.
    pub fn headline(&self) -> (String, String) {
        caption::headline(self)
    }
}
