//! What a user may write: types with spans, units, includes, overlays; and the JSON Schema of it.
//!
//! A text becomes a spanned [`tree`], trees of several files are joined ([`load`], `overlay`), and
//! [`decode`] makes the types of [`vocabulary`] out of them. Every mistake is a finding, none stops the
//! others. Must not know what the document means: names are resolved in `model`.

mod collections;
pub mod decode;
pub mod facts;
pub mod load;
mod overlay;
pub mod parse;
pub mod presets;
mod replay;
pub mod rules;
pub mod scalar;
pub mod schema;
mod syntax;
pub mod tree;
pub mod units;
pub mod vocabulary;
pub mod write;

pub use decode::{Decode, Ids, Map, Switch};
pub use load::{Evidence, FileDocument, FileTree, Reader, read_text};
pub use overlay::nothing_below;
pub use parse::Limits;
pub use replay::read_replays;
pub use schema::document_schema;
pub use syntax::is_template;
