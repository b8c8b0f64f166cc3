//! `service endpoint`: how a call, a traffic source or an expectation names what it means.

use crate::source::Spanned;
use crate::spec::decode::{Ctx, Decode};
use crate::spec::facts::Facts;
use crate::spec::schema::Defs;
use crate::spec::tree::Node;
use serde_json::{Value, json};

/// A service, with one of its endpoints or without.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Id of the service (or datastore, queue, topic where one may stand).
    pub service: Spanned<String>,
    /// Name of the endpoint, `GET /cart/{id}`, as written.
    pub endpoint: Option<Spanned<String>>,
}

impl Target {
    /// Splits a scalar at its first white space.
    pub fn of(node: &Node) -> Option<Self> {
        let text = node.text()?;
        let start = text.len() - text.trim_start().len();
        let trimmed = text.trim();
        let end = trimmed.find(char::is_whitespace).map_or(start + trimmed.len(), |at| start + at);
        let service = Spanned::new(text.get(start..end)?.to_owned(), node.part(start, end));
        let rest = text.get(end..)?;
        let name = rest.trim();
        let endpoint = (!name.is_empty()).then(|| {
            let from = end + rest.len() - rest.trim_start().len();
            Spanned::new(name.to_owned(), node.part(from, from + name.len()))
        });
        (!service.value.is_empty()).then_some(Self { service, endpoint })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.service)?;
        self.endpoint.as_ref().map_or(Ok(()), |e| write!(f, " {}", e.value))
    }
}

impl Decode for Target {
    fn decode<'n>(node: &'n Node, ctx: &mut Ctx<'n>) -> Option<Self> {
        Self::of(node)
            .or_else(|| ctx.expected(node, "a service, or a service and its endpoint: `cart GET /cart/{id}`"))
    }
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": ["string", "number", "boolean"], "pattern": r"\S" })
    }
    fn tell(&self, facts: &mut Facts) {
        facts.say(self);
    }
}
