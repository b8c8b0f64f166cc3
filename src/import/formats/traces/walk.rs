//! Through a text to its spans.

use super::collect::Collector;
use super::dialect::Dialect;
use super::json::{Broken, Stream};
use super::{jaeger, otlp, zipkin};

/// Levels of what is wrapped around spans.
const DEEPEST: u8 = 12;

/// A text on its way into a collector.
pub struct Walk<'w, 'r> {
    dialect: Dialect,
    stream: &'w mut Stream<'r>,
    to: &'w mut Collector,
    /// Values at the top that were read to their end.
    pub whole: u64,
}

impl<'w, 'r> Walk<'w, 'r> {
    /// Of a text of a dialect.
    pub fn new(dialect: Dialect, stream: &'w mut Stream<'r>, to: &'w mut Collector) -> Self {
        Self { dialect, stream, to, whole: 0 }
    }

    /// Reads everything: one value, or one on every line.
    pub fn run(&mut self) -> Result<(), Broken> {
        while self.stream.peek()?.is_some() {
            let read = self.value(0);
            self.to.settle();
            read?;
            self.whole += 1;
        }
        Ok(())
    }

    fn value(&mut self, depth: u8) -> Result<(), Broken> {
        let zipkin = self.dialect == Dialect::Zipkin;
        match self.stream.peek()?.ok_or(Broken::Cut)? {
            b'[' if depth < DEEPEST => self.list(|walk| walk.value(depth + 1)),
            b'{' if zipkin => self.span(),
            b'{' if depth < DEEPEST => self.object(depth),
            _ => self.stream.skip(),
        }
    }

    fn list(&mut self, each: impl Fn(&mut Self) -> Result<(), Broken>) -> Result<(), Broken> {
        self.stream.pass(b'[')?;
        if self.stream.passed(b']')? {
            return Ok(());
        }
        loop {
            each(self)?;
            if !self.stream.passed(b',')? {
                return self.stream.pass(b']');
            }
        }
    }

    fn object(&mut self, depth: u8) -> Result<(), Broken> {
        self.stream.pass(b'{')?;
        if self.stream.passed(b'}')? {
            return Ok(());
        }
        let mut scope = false;
        loop {
            let (key, length) = self.stream.key()?;
            let list = self.stream.peek()? == Some(b'[');
            match (key.get(..length).unwrap_or_default(), self.dialect) {
                (b"spans", dialect) if list => {
                    scope |= dialect == Dialect::Jaeger;
                    self.list(Self::span)?;
                }
                (b"data", Dialect::Jaeger) | (b"resourceSpans" | b"batches" | b"trace", Dialect::Otlp) => {
                    self.value(depth + 1)?;
                }
                (b"scopeSpans" | b"instrumentationLibrarySpans", Dialect::Otlp) => {
                    scope = true;
                    self.value(depth + 1)?;
                }
                (b"resource", Dialect::Otlp) => {
                    scope = true;
                    self.resource()?;
                }
                (b"processes", Dialect::Jaeger) => {
                    scope = true;
                    self.processes()?;
                }
                _ => self.stream.skip()?,
            }
            if !self.stream.passed(b',')? {
                break;
            }
        }
        if scope {
            self.to.settle();
            self.to.begin();
        }
        self.stream.pass(b'}')
    }

    fn span(&mut self) -> Result<(), Broken> {
        let (bytes, place) = self.stream.value()?;
        if bytes.is_empty() {
            self.to.unread(place, "it is too long".to_owned());
            return Ok(());
        }
        let read = match self.dialect {
            Dialect::Otlp => otlp::span(bytes),
            Dialect::Jaeger => jaeger::span(bytes),
            Dialect::Zipkin => zipkin::span(bytes),
        };
        self.to.span(bytes, read, place);
        Ok(())
    }

    fn resource(&mut self) -> Result<(), Broken> {
        let (bytes, place) = self.stream.value()?;
        match otlp::service(bytes) {
            Ok(service) => self.to.resource(service.as_deref()),
            Err(error) => {
                self.to.unread(place, format!("its resource is broken: {error}"));
                self.to.resource(None);
            }
        }
        Ok(())
    }

    fn processes(&mut self) -> Result<(), Broken> {
        let (bytes, place) = self.stream.value()?;
        match jaeger::processes(bytes) {
            Ok(all) => all.iter().for_each(|(key, service)| self.to.process(key, service)),
            Err(error) => self.to.unread(place, format!("its processes are broken: {error}")),
        }
        Ok(())
    }
}
