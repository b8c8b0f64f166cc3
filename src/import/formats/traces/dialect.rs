//! Who wrote the traces, by how a text begins.

use super::json::Stream;

/// How traces are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// OTLP JSON, one message or one a line, and what Tempo answers.
    Otlp,
    /// What Jaeger's API answers and its page saves.
    Jaeger,
    /// Zipkin v2: a list of spans, or of lists of spans.
    Zipkin,
}

impl Dialect {
    /// The dialect of a text that begins like this.
    pub fn of(head: &[u8]) -> Option<Self> {
        look(&mut Stream::new(Box::new(head), 0), 0)
    }
}

/// What an object is by its keys.
#[derive(Debug, Default)]
struct Seen {
    /// `traceID`, `spans`, `processes`: two of them make a trace of Jaeger's.
    jaeger: u8,
    /// `traceId`, `id` and something of `timestamp`, `kind`, `localEndpoint`: a span of Zipkin's.
    trace: bool,
    id: bool,
    zipkin: bool,
}

/// Looks into lists and what is wrapped around traces, a few levels deep.
fn look(stream: &mut Stream<'_>, level: u8) -> Option<Dialect> {
    match stream.peek().ok()?? {
        b'[' if level < 4 => {
            stream.pass(b'[').ok()?;
            look(stream, level + 1)
        }
        b'{' if level < 4 => {
            stream.pass(b'{').ok()?;
            object(stream, level)
        }
        _ => None,
    }
}

fn object(stream: &mut Stream<'_>, level: u8) -> Option<Dialect> {
    let mut seen = Seen::default();
    loop {
        let (key, length) = stream.key().ok()?;
        let list = matches!(stream.peek(), Ok(Some(b'[')));
        match key.get(..length)? {
            b"resourceSpans" | b"scopeSpans" | b"instrumentationLibrarySpans" if list => {
                return Some(Dialect::Otlp);
            }
            b"data" | b"batches" | b"trace" => return look(stream, level + 1),
            b"traceID" | b"spans" | b"processes" => seen.jaeger += 1,
            b"traceId" => seen.trace = true,
            b"id" => seen.id = true,
            b"timestamp" | b"kind" | b"localEndpoint" => seen.zipkin = true,
            _ => {}
        }
        if seen.jaeger >= 2 {
            return Some(Dialect::Jaeger);
        }
        if seen.trace && seen.id && seen.zipkin {
            return Some(Dialect::Zipkin);
        }
        stream.skip().ok()?;
        if !stream.passed(b',').ok()? {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_is_known_by_its_first_object() {
        for (text, expected) in [
            (r#"{"resourceSpans":[]}"#, Some(Dialect::Otlp)),
            ("\u{feff} {\"resourceSpans\":[{\"reso", Some(Dialect::Otlp)),
            (r#"{"batches":[{"resource":{},"instrumentationLibrarySpans":[]}]}"#, Some(Dialect::Otlp)),
            (r#"{"trace":{"resourceSpans":[{}]}}"#, Some(Dialect::Otlp)),
            (r#"{"data":[{"traceID":"a","spans":["#, Some(Dialect::Jaeger)),
            (r#"{"total":0,"data":[{"processes":{"p":{}},"spans":["#, Some(Dialect::Jaeger)),
            (r#"{"traceID":"a","spans":["#, Some(Dialect::Jaeger)),
            (r#"[{"traceId":"a","id":"b","name":"c","timestamp":"#, Some(Dialect::Zipkin)),
            (r#"[[{"traceId":"a","id":"b","kind":"CLIENT"}]]"#, Some(Dialect::Zipkin)),
            (r#"{"resourceMetrics":[]}"#, None),
            (r#"{"services":{"web":{"data":[1]}}}"#, None),
            (r#"[{"traceId":"a","id":7,"message":"a log"}]"#, None),
            (r#"{"data":[]}"#, None),
            ("services: {}", None),
            ("", None),
        ] {
            assert_eq!(Dialect::of(text.as_bytes()), expected, "{text}");
        }
    }
}
