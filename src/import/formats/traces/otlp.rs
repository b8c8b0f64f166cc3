//! Spans of OTLP JSON.

use super::span::{Owner, Raw};
use super::tags::{Kind, TagList, TagValue};
use super::text::Text;
use serde::Deserialize;
use std::borrow::Cow;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OtlpSpan<'a> {
    #[serde(borrow, default)]
    trace_id: Cow<'a, str>,
    #[serde(borrow, default)]
    span_id: Cow<'a, str>,
    #[serde(borrow, default)]
    parent_span_id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    start_time_unix_nano: Text<'a>,
    #[serde(borrow, default)]
    end_time_unix_nano: Text<'a>,
    #[serde(borrow, default = "none")]
    attributes: Option<TagList<'a, AnyValue<'a>>>,
    #[serde(borrow, default)]
    status: Option<Status<'a>>,
}

const fn none<'a>() -> Option<TagList<'a, AnyValue<'a>>> {
    None
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(borrow, default)]
    code: Text<'a>,
}

/// A value with its type: `{"stringValue": "cart"}`.
#[expect(clippy::struct_field_names, reason = "the names of the format")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyValue<'a> {
    #[serde(borrow, default)]
    string_value: Option<Text<'a>>,
    #[serde(borrow, default)]
    int_value: Option<Text<'a>>,
    #[serde(default)]
    bool_value: Option<bool>,
}

impl<'a> TagValue<'a> for AnyValue<'a> {
    fn content(self) -> Text<'a> {
        let said = self.string_value.or(self.int_value);
        said.or_else(|| self.bool_value.map(Text::Is)).unwrap_or_default()
    }
}

/// Reads a span.
pub fn span(bytes: &[u8]) -> serde_json::Result<Raw<'_>> {
    let read: OtlpSpan<'_> = serde_json::from_slice(bytes)?;
    let list = read.attributes;
    let mut tags = list.map(|list| list.tags).unwrap_or_default();
    tags.kind = Kind::of(&read.kind).or(tags.kind);
    if let Some(Status { code }) = read.status {
        tags.error |= code.number() == 2 || code.text() == "STATUS_CODE_ERROR";
    }
    let (start_ns, end_ns) = (read.start_time_unix_nano.number(), read.end_time_unix_nano.number());
    Ok(Raw {
        owner: Owner::Resource,
        trace: read.trace_id,
        id: read.span_id,
        parent: read.parent_span_id.said().unwrap_or_default(),
        name: read.name.said().unwrap_or_default(),
        start_ns,
        duration_ns: end_ns.saturating_sub(start_ns),
        tags,
    })
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow, default = "none")]
    attributes: Option<TagList<'a, AnyValue<'a>>>,
}

/// The service a resource names.
pub fn service(bytes: &[u8]) -> serde_json::Result<Option<Cow<'_, str>>> {
    let read: Resource<'_> = serde_json::from_slice(bytes)?;
    Ok(read.attributes.and_then(|list| list.service))
}
