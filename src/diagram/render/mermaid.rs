//! Mermaid flowcharts, drawn by GitHub, GitLab and many wikis inside Markdown.
//!
//! Ids are made up (`n0`, `n1`, …), because reserved words such as `end` break a chart as ids; texts are
//! quoted, and what may mean something to Mermaid is written as `#` and its code.

use super::Renderer;
use crate::diagram::{Diagram, Edge, Flow, Node, Shape, caption};
use crate::finding::Severity;
use std::fmt::Write as _;

pub(super) const RENDERER: Renderer = Renderer {
    name: "mermaid",
    summary: "a Mermaid flowchart, drawn by GitHub, GitLab and wikis inside Markdown",
    page: include_str!("mermaid.md"),
    extension: "mmd",
    render,
};

/// Beyond so many lines between nodes their captions would bury them.
const DENSE: usize = 60;

fn render(diagram: &Diagram) -> String {
    let (name, counts) = diagram.headline();
    let title: String = format!("{name}: {counts}").chars().map(printable).collect();
    // The front matter is YAML: a JSON string is one there too.
    let mut out = format!("---\ntitle: {}\n---\nflowchart LR\n", serde_json::Value::from(title));
    let mut grouped = vec![false; diagram.nodes.len()];
    for (at, cluster) in diagram.clusters.iter().enumerate() {
        let label = escaped(&format!("{} {}", diagram.group_by.word(), cluster.name));
        let _ = writeln!(out, "  subgraph g{at}[\"{label}\"]");
        for node in &cluster.nodes {
            let _ = diagram.nodes.get(*node).map(|each| writeln!(out, "    n{node}{}", shape(each)));
            if let Some(grouped) = grouped.get_mut(*node) {
                *grouped = true;
            }
        }
        out.push_str("  end\n");
    }
    for (at, node) in diagram.nodes.iter().enumerate() {
        if grouped.get(at) == Some(&false) {
            let _ = writeln!(out, "  n{at}{}", shape(node));
        }
    }
    for edge in &diagram.edges {
        let _ = writeln!(out, "  {}", line(diagram, edge));
    }
    styles(diagram, &mut out);
    out
}

/// The text of a node between the brackets that give it its shape.
fn shape(node: &Node) -> String {
    let entry = if node.entry { "▶ " } else { "" };
    let mut label = format!("{entry}<b>{}</b>", escaped(&caption::shorten(caption::name(node))));
    let cycle = if node.in_cycle { "⟳ cycle" } else { "" };
    for part in [caption::details(node), joined(&[&node.mark.badge(), cycle])] {
        if !part.is_empty() {
            let _ = write!(label, "<br/>{}", escaped(&part));
        }
    }
    let (open, close) = match node.shape {
        Shape::Service => ("(", ")"),
        Shape::Gateway => ("{{", "}}"),
        Shape::Job => (">", "]"),
        Shape::Datastore => ("[(", ")]"),
        Shape::Queue => ("[[", "]]"),
        Shape::Topic => ("[/", "/]"),
    };
    format!("{open}\"{label}\"{close}")
}

fn line(diagram: &Diagram, edge: &Edge) -> String {
    let marked = matches!(edge.mark.worst(), Some(Severity::Error | Severity::Warning));
    // Data cannot be dotted and thick at once: a thick line keeps its round head.
    let arrow = match (edge.flow, marked || edge.in_cycle) {
        (_, false) if edge.assumed => "-.->",
        (Flow::Sync, false) => "-->",
        (Flow::Sync, true) => "==>",
        (Flow::Async, _) => "-.->",
        (Flow::Data, false) => "--o",
        (Flow::Data, true) => "==o",
    };
    let cycle = if edge.in_cycle { "⟳" } else { "" };
    let assumed = if edge.assumed { "assumed" } else { "" };
    let badge = joined(&[&edge.mark.badge(), cycle, assumed]);
    let optional = if edge.soft { "optional" } else { "" };
    let asked = joined(&[edge.protocol.unwrap_or_default(), &edge.caption]);
    let parts = if diagram.edges.len() > DENSE {
        vec![badge]
    } else {
        vec![asked, joined(&[optional, &edge.policy]), badge]
    };
    let parts: Vec<_> = parts.iter().filter(|p| !p.is_empty()).map(|p| escaped(p)).collect();
    let label = if parts.is_empty() { String::new() } else { format!("|\"{}\"|", parts.join("<br/>")) };
    format!("n{} {arrow}{label} n{}", edge.from, edge.to)
}

/// Classes of nodes and the width of marked lines. No line ends in a semicolon: Mermaid would take a `#`
/// before it for the start of an entity.
fn styles(diagram: &Diagram, out: &mut String) {
    type Belongs = fn(&Node) -> bool;
    let classes: [(&str, &str, Belongs); 6] = [
        ("store", "fill:#e3f1e5,stroke:#3d6b47,color:#1f2933", |n| n.shape == Shape::Datastore),
        ("channel", "fill:#fdf1d6,stroke:#8d6b1e,color:#1f2933", |n| {
            matches!(n.shape, Shape::Queue | Shape::Topic)
        }),
        ("external", "fill:#ffffff,stroke:#52606d,stroke-dasharray:5 4,color:#1f2933", |n| n.external),
        ("focus", "stroke:#1f2933,stroke-width:4px", |n| n.in_focus),
        ("warned", "stroke:#9a6200,stroke-width:3px", |n| n.mark.worst() == Some(Severity::Warning)),
        ("failed", "stroke:#b3261e,stroke-width:4px", |n| n.mark.worst() == Some(Severity::Error)),
    ];
    for (name, style, belongs) in classes {
        let members = diagram.nodes.iter().enumerate().filter(|(_, n)| belongs(n));
        let members: Vec<_> = members.map(|(at, _)| format!("n{at}")).collect();
        if !members.is_empty() {
            let _ = writeln!(out, "  classDef {name} {style}\n  class {} {name}", members.join(","));
        }
    }
    for (severity, style) in [
        (Severity::Warning, "stroke:#9a6200,stroke-width:3px"),
        (Severity::Error, "stroke:#b3261e,stroke-width:4px"),
    ] {
        let marked = diagram.edges.iter().enumerate().filter(|(_, e)| e.mark.worst() == Some(severity));
        let marked: Vec<_> = marked.map(|(at, _)| at.to_string()).collect();
        if !marked.is_empty() {
            let _ = writeln!(out, "  linkStyle {} {style}", marked.join(","));
        }
    }
}

fn joined(words: &[&str]) -> String {
    words.iter().filter(|w| !w.is_empty()).copied().collect::<Vec<_>>().join(" · ")
}

/// Letters and digits of any script and harmless signs as they are, the rest as `#` and its code point.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().map(printable) {
        if c.is_alphanumeric()
            || !c.is_ascii()
            || matches!(c, ' ' | '-' | '_' | '.' | ',' | '/' | '+' | '{' | '}')
        {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}

/// Control characters would end the line or the text.
fn printable(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}
