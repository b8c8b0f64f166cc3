//! Spans of Jaeger's JSON. What its page puts inside a span for its own ends (the whole chain of parents, up to the
//! root) is passed over.

use super::span::{Owner, Raw};
use super::tags::TagList;
use super::text::Text;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JaegerSpan<'a> {
    #[serde(borrow, default, rename = "traceID")]
    trace: Cow<'a, str>,
    #[serde(borrow, default, rename = "spanID")]
    id: Cow<'a, str>,
    /// As older versions wrote it.
    #[serde(borrow, default, rename = "parentSpanID")]
    parent: Text<'a>,
    #[serde(borrow, default)]
    operation_name: Text<'a>,
    #[serde(borrow, default)]
    references: Option<Vec<Reference<'a>>>,
    #[serde(borrow, default)]
    start_time: Text<'a>,
    #[serde(borrow, default)]
    duration: Text<'a>,
    #[serde(borrow, default = "none")]
    tags: Option<TagList<'a, Text<'a>>>,
    #[serde(borrow, default, rename = "processID")]
    process_id: Text<'a>,
    #[serde(borrow, default)]
    process: Option<Process<'a>>,
}

const fn none<'a>() -> Option<TagList<'a, Text<'a>>> {
    None
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, default, rename = "traceID")]
    trace: Text<'a>,
    #[serde(borrow, default, rename = "spanID")]
    id: Text<'a>,
    #[serde(borrow, default, rename = "refType")]
    kind: Text<'a>,
}

#[derive(Deserialize)]
struct Process<'a> {
    #[serde(borrow, default, rename = "serviceName")]
    service: Text<'a>,
}

/// Reads a span.
pub fn span(bytes: &[u8]) -> serde_json::Result<Raw<'_>> {
    let read: JaegerSpan<'_> = serde_json::from_slice(bytes)?;
    let mut inside: Vec<_> = read.references.unwrap_or_default();
    inside.retain(|r| r.trace == Text::Other || r.trace.text() == read.trace);
    // What it waits for comes before what it follows.
    let child = inside.iter().position(|r| r.kind.text() == "CHILD_OF").unwrap_or(0);
    let parent = inside.into_iter().nth(child).map_or(read.parent, |r| r.id);
    let owner = match (read.process_id.said(), read.process.and_then(|p| p.service.said())) {
        (Some(key), _) => Owner::Process(key),
        (None, Some(name)) => Owner::Named(name),
        (None, None) => Owner::Unknown,
    };
    Ok(Raw {
        owner,
        trace: read.trace,
        id: read.id,
        parent: parent.said().unwrap_or_default(),
        name: read.operation_name.said().unwrap_or_default(),
        start_ns: read.start_time.number().saturating_mul(1000),
        duration_ns: read.duration.number().saturating_mul(1000),
        tags: read.tags.map(|list| list.tags).unwrap_or_default(),
    })
}

/// The services of processes, by their keys.
pub fn processes(bytes: &[u8]) -> serde_json::Result<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let read: HashMap<Cow<'_, str>, Process<'_>> = serde_json::from_slice(bytes)?;
    Ok(read.into_iter().filter_map(|(key, process)| Some((key, process.service.said()?))).collect())
}
