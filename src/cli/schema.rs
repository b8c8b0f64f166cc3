//! `loadpath schema`.

use super::output::print;
use anyhow::Result;

/// Prints the JSON Schema of the document.
pub fn run() -> Result<u8> {
    let mut text = serde_json::to_string_pretty(&crate::spec::document_schema())?;
    text.push('\n');
    print(&text)?;
    Ok(0)
}
