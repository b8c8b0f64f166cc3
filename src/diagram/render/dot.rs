//! DOT, for Graphviz: `loadpath graph | dot -Tsvg > shop.svg`.
//!
//! Names are set in HTML-like labels (a bold name over small print); everything else is a quoted string.

use super::Renderer;
use crate::diagram::{Cluster, Diagram, Edge, Flow, Mark, Node, Shape, caption};
use crate::finding::Severity;
use std::fmt::Write as _;

pub(super) const RENDERER: Renderer = Renderer {
    name: "dot",
    summary: "DOT for Graphviz: `loadpath graph | dot -Tsvg > graph.svg`",
    page: include_str!("dot.md"),
    extension: "dot",
    render,
};

/// Beyond so many lines between nodes their captions would bury them; pointers still show them.
const DENSE: usize = 60;

const INK: &str = "#1f2933";
const FAINT: &str = "#52606d";

/// Colours of lightness so different that they also tell apart in grey.
const fn colour(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "#b3261e",
        Severity::Warning => "#9a6200",
        Severity::Info => FAINT,
    }
}

fn render(diagram: &Diagram) -> String {
    let mut out = String::new();
    let (name, _) = diagram.headline();
    let _ = writeln!(out, "digraph {} {{", quoted(&name));
    head(diagram, &mut out);
    let mut grouped = vec![false; diagram.nodes.len()];
    for (at, group) in diagram.clusters.iter().enumerate() {
        cluster(diagram, at, group, &mut out);
        for node in &group.nodes {
            if let Some(grouped) = grouped.get_mut(*node) {
                *grouped = true;
            }
        }
    }
    for (each, _) in diagram.nodes.iter().zip(&grouped).filter(|(_, grouped)| !**grouped) {
        let _ = writeln!(out, "  {}", node(each));
    }
    out.push('\n');
    for each in &diagram.edges {
        out.extend(edge(diagram, each).map(|line| format!("  {line}\n")));
    }
    out.push_str("}\n");
    out
}

fn head(diagram: &Diagram, out: &mut String) {
    let (name, counts) = diagram.headline();
    let legend = legend(diagram);
    let small =
        |text: &str| format!("<br align=\"left\"/><font point-size=\"11\" color=\"{FAINT}\">{text}</font>");
    let mut title = format!("<font point-size=\"18\"><b>{}</b></font>", html(&name));
    title.push_str(&small(&html(&counts)));
    for line in &legend {
        title.push_str(&small(&html(line)));
    }
    let dense = diagram.edges.len() > DENSE;
    let (nodesep, ranksep) = if dense { (0.18, 1.1) } else { (0.3, 0.55) };
    let _ = writeln!(
        out,
        "  graph [rankdir=LR, nodesep={nodesep}, ranksep={ranksep}, pad=0.3, bgcolor=white, \
         fontname=\"Helvetica,Arial,sans-serif\", fontcolor=\"{INK}\", labelloc=t, labeljust=l,\n    \
         label=<{title}<br align=\"left\"/>>];"
    );
    let _ = writeln!(
        out,
        "  node [fontname=\"Helvetica,Arial,sans-serif\", fontsize=12, fontcolor=\"{INK}\", \
         color=\"#486581\", fillcolor=\"#f0f6fc\", style=\"rounded,filled\", shape=box, margin=\"0.16,0.08\"];"
    );
    let _ = writeln!(
        out,
        "  edge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=9, fontcolor=\"{FAINT}\", \
         color=\"#627d98\", arrowsize=0.8];\n"
    );
}

/// What the signs mean that occur in this picture.
fn legend(diagram: &Diagram) -> Vec<String> {
    let line = |flow: Flow| diagram.edges.iter().any(|e| e.flow == flow);
    let node = |shape: Shape| diagram.nodes.iter().any(|n| n.shape == shape);
    let marked = |badge: char| {
        let nodes = diagram.nodes.iter().map(|n| &n.mark);
        nodes.chain(diagram.edges.iter().map(|e| &e.mark)).any(|mark| mark.badge().contains(badge))
    };
    let lines = [
        (line(Flow::Sync), "solid line: waits for the answer"),
        (line(Flow::Async), "dashed, open head: message"),
        (line(Flow::Data), "dotted, round head: data"),
        (diagram.edges.iter().any(|e| e.assumed), "dashed, assumed: start order only"),
        (diagram.edges.iter().any(|e| e.soft), "ring at the tail: optional"),
        (diagram.edges.iter().any(|e| e.caption.starts_with('×')), "×N at a line: N endpoints"),
    ];
    let nodes = [
        (diagram.nodes.iter().any(|n| n.entry), "▶ entry point"),
        (diagram.nodes.iter().any(|n| n.replicas > Some(1)), "×N in a node: N replicas"),
        (node(Shape::Gateway), "hexagon: gateway or bff"),
        (node(Shape::Job), "folded corner: job"),
        (node(Shape::Queue), "arrow: queue"),
        (node(Shape::Topic), "slanted: topic"),
        (diagram.nodes.iter().any(|n| n.external), "dashed border: external"),
        (diagram.focus.is_some(), "double border: in focus"),
        (diagram.nodes.iter().any(|n| n.in_cycle), "⟳ synchronous cycle"),
        (marked('✖'), "✖ errors"),
        (marked('⚠'), "⚠ warnings"),
    ];
    let said = |parts: &[(bool, &str)]| {
        parts.iter().filter(|(occurs, _)| *occurs).map(|(_, text)| *text).collect::<Vec<_>>().join("   ")
    };
    [said(&lines), said(&nodes)].into_iter().filter(|line| !line.is_empty()).collect()
}

fn cluster(diagram: &Diagram, at: usize, cluster: &Cluster, out: &mut String) {
    let what = diagram.group_by.word();
    let _ = writeln!(
        out,
        "  subgraph cluster_{at} {{\n    label=<<font point-size=\"9\" color=\"{FAINT}\">{what} </font>\
         <b>{}</b>>;\n    labeljust=l; fontsize=11; style=\"rounded,filled\"; color=\"#cbd2d9\"; \
         fillcolor=\"#fafbfc\"; margin=14;",
        html(&cluster.name)
    );
    for each in cluster.nodes.iter().filter_map(|at| diagram.nodes.get(*at)) {
        let _ = writeln!(out, "    {}", node(each));
    }
    out.push_str("  }\n");
}

fn node(node: &Node) -> String {
    let small =
        |text: &str, colour: &str| format!("<br/><font point-size=\"9\" color=\"{colour}\">{text}</font>");
    let entry = if node.entry { "▶ " } else { "" };
    let mut label = format!("{entry}<b>{}</b>", html(&caption::shorten(caption::name(node))));
    let details = caption::details(node);
    if !details.is_empty() {
        label.push_str(&small(&html(&details), FAINT));
    }
    let cycle = if node.in_cycle { "⟳ cycle" } else { "" };
    let badges: Vec<_> =
        [node.mark.badge(), cycle.to_owned()].into_iter().filter(|b| !b.is_empty()).collect();
    if !badges.is_empty() {
        let worst = node.mark.worst().map_or(INK, colour);
        label.push_str(&small(&format!("<b>{}</b>", html(&badges.join("  "))), worst));
    }
    let mut attributes = format!("label=<{label}>");
    // Shapes leave unlike room around their text: each has its margin.
    let (shape, fill, border, margin) = match node.shape {
        Shape::Service => ("", "", "", ""),
        Shape::Gateway => ("hexagon", "#e4e3f7", "#4b4a8c", "0,0.05"),
        Shape::Job => ("note", "#eef0f2", "#52606d", "0.16,0.08"),
        Shape::Datastore => ("cylinder", "#e3f1e5", "#3d6b47", "0.16,0.08"),
        Shape::Queue => ("cds", "#fdf1d6", "#8d6b1e", "0.25,0.12"),
        Shape::Topic => ("parallelogram", "#fdf1d6", "#8d6b1e", "0,0.03"),
    };
    if !shape.is_empty() {
        let _ = write!(
            attributes,
            ", shape={shape}, style=filled, fillcolor=\"{fill}\", color=\"{border}\", margin=\"{margin}\""
        );
    }
    if node.external {
        let rounded = if shape.is_empty() { "rounded," } else { "" };
        let _ = write!(attributes, ", style=\"{rounded}filled,dashed\", fillcolor=white, color=\"{FAINT}\"");
    }
    if node.in_focus {
        attributes.push_str(", peripheries=2");
    }
    attributes.push_str(&border_of(&node.mark, node.in_cycle));
    format!("{} [{attributes}, tooltip={}];", quoted(&node.id), quoted_label(&caption::node_hint(node)))
}

/// A thicker border or line: the sign that also reads without colour, beside the badge.
fn border_of(mark: &Mark, in_cycle: bool) -> String {
    match mark.worst() {
        Some(severity @ (Severity::Error | Severity::Warning)) => {
            let width = if severity == Severity::Error { "3.2" } else { "2.4" };
            format!(", penwidth={width}, color=\"{}\"", colour(severity))
        }
        _ if in_cycle => format!(", penwidth=2.4, color=\"{INK}\""),
        _ => String::new(),
    }
}

fn edge(diagram: &Diagram, edge: &Edge) -> Option<String> {
    let (from, to) = (diagram.nodes.get(edge.from)?, diagram.nodes.get(edge.to)?);
    let mut attributes = match edge.flow {
        Flow::Sync => "arrowhead=normal".to_owned(),
        Flow::Async => "arrowhead=vee, style=dashed".to_owned(),
        Flow::Data => "arrowhead=dot, style=dotted, penwidth=1.6".to_owned(),
    };
    if edge.soft {
        attributes.push_str(", dir=both, arrowtail=odot");
    }
    if edge.assumed {
        // Later attributes count.
        attributes.push_str(", style=dashed");
    }
    attributes.push_str(&border_of(&edge.mark, edge.in_cycle));
    let badge = edge.mark.badge();
    let cycle = if edge.in_cycle { "⟳" } else { "" };
    let first = [edge.protocol.unwrap_or_default(), &edge.caption];
    let assumed = if edge.assumed { "assumed" } else { "" };
    let lines = if diagram.edges.len() > DENSE {
        vec![joined(&[&badge, cycle, assumed])]
    } else {
        vec![joined(&first), edge.policy.clone(), joined(&[&badge, cycle, assumed])]
    };
    let label = lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    if !label.is_empty() {
        let _ = write!(attributes, ", label={}", quoted_label(&label));
    }
    let hint = quoted_label(&caption::edge_hint(diagram, edge));
    let _ = write!(attributes, ", tooltip={hint}, labeltooltip={hint}");
    Some(format!("{} -> {} [{attributes}];", quoted(&from.id), quoted(&to.id)))
}

fn joined(words: &[&str]) -> String {
    words.iter().filter(|w| !w.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

/// A quoted string that stands for itself: a name. DOT knows one escape, `\"`; a backslash before the
/// closing quote would take it away, so every backslash is doubled.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars().map(printable) {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A quoted string that is shown: line breaks become `\n`, and `&`, which would start an entity, is one.
fn quoted_label(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(|line| quoted(&line.replace('&', "&amp;"))).collect();
    let bare = lines.iter().map(|line| line.get(1..line.len() - 1).unwrap_or_default());
    format!("\"{}\"", bare.collect::<Vec<_>>().join("\\n"))
}

/// Text within an HTML-like label, which is XML. An empty text would be a syntax error in some elements.
fn html(text: &str) -> String {
    if text.trim().is_empty() {
        return "&#160;".to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars().map(printable) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '[' => out.push_str("&#91;"),
            ']' => out.push_str("&#93;"),
            c => out.push(c),
        }
    }
    out
}

/// Control characters and the two non-characters XML forbids become spaces.
fn printable(c: char) -> char {
    if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c }
}
