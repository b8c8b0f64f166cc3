//! Spans of Zipkin's JSON, version 2.

use super::span::{Owner, Raw};
use super::tags::{Kind, TagList};
use super::text::Text;
use serde::Deserialize;
use std::borrow::Cow;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ZipkinSpan<'a> {
    #[serde(borrow, default)]
    trace_id: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    parent_id: Text<'a>,
    #[serde(borrow, default)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    timestamp: Text<'a>,
    #[serde(borrow, default)]
    duration: Text<'a>,
    #[serde(borrow, default)]
    local_endpoint: Option<Endpoint<'a>>,
    #[serde(borrow, default)]
    remote_endpoint: Option<Endpoint<'a>>,
    #[serde(borrow, default = "none")]
    tags: Option<TagList<'a, Text<'a>>>,
}

const fn none<'a>() -> Option<TagList<'a, Text<'a>>> {
    None
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint<'a> {
    #[serde(borrow, default)]
    service_name: Text<'a>,
}

/// Reads a span.
pub fn span(bytes: &[u8]) -> serde_json::Result<Raw<'_>> {
    let read: ZipkinSpan<'_> = serde_json::from_slice(bytes)?;
    let mut tags = read.tags.map(|list| list.tags).unwrap_or_default();
    tags.kind = Kind::of(&read.kind).or(tags.kind);
    tags.peer(0, read.remote_endpoint.and_then(|e| e.service_name.said()));
    let local = read.local_endpoint.and_then(|e| e.service_name.said());
    Ok(Raw {
        owner: local.map_or(Owner::Unknown, Owner::Named),
        trace: read.trace_id,
        id: read.id,
        parent: read.parent_id.said().unwrap_or_default(),
        name: read.name.said().unwrap_or_default(),
        start_ns: read.timestamp.number().saturating_mul(1000),
        duration_ns: read.duration.number().saturating_mul(1000),
        tags,
    })
}
