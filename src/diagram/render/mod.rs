//! The formats a diagram is drawn in. A member is a file here, its `mod` line and its line in
//! [`RENDERERS`]; it owns one syntax and how text is escaped in it.

mod dot;
mod json;
mod mermaid;

use super::Diagram;

/// A format of pictures.
#[derive(Debug, Clone, Copy)]
pub struct Renderer {
    /// The word on the command line.
    pub name: &'static str,
    /// One line, for help.
    pub summary: &'static str,
    /// Its page, Markdown.
    pub page: &'static str,
    /// Of files, without the dot.
    pub extension: &'static str,
    /// Draws. The text ends with a line break.
    pub render: fn(&Diagram) -> String,
}

/// All formats, the default first.
pub const RENDERERS: &[Renderer] = &[dot::RENDERER, mermaid::RENDERER, json::RENDERER];
