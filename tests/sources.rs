//! One graph from many sources: what merges, what contradicts, and what is kept of where it came from.
#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use loadpath::import::{self, Input};
use loadpath::model::{Architecture, build};
use loadpath::source::MemoryLoader;
use loadpath::spec::{Limits, Reader};

/// What files said.
struct Said {
    arch: Architecture,
    findings: Vec<String>,
}

/// Reads `roots` of `files` as one system.
fn read(files: &[(&str, &str)], roots: &[&str]) -> Said {
    let loader = MemoryLoader::new(files.iter().map(|(name, text)| (*name, *text)));
    let mut reader = Reader::new(&loader, Limits::default());
    let roots = roots.iter().filter_map(|name| reader.root(name)).collect();
    let (documents, _) = import::read(&mut reader, Input { roots, ..Input::default() });
    let (arch, unresolved) = build(&documents);
    let findings = reader.findings.iter().chain(&unresolved).map(|f| {
        let at = reader.sources.locate(f.primary.span);
        let file = &reader.sources.file(f.primary.span.file).name;
        format!("{} {file}:{}:{} {}", f.rule.id, at.line, at.column, f.message)
    });
    Said { findings: findings.collect(), arch }
}

impl Said {
    fn nodes(&self) -> Vec<&str> {
        self.arch.graph.node_weights().map(|node| node.id.value.as_str()).collect()
    }

    /// `from>to (what shows it, …)`, sorted.
    fn edges(&self) -> Vec<String> {
        let graph = &self.arch.graph;
        let mut all: Vec<_> = graph
            .edge_indices()
            .map(|edge| {
                let (from, to) = graph.edge_endpoints(edge).unwrap();
                let shown: Vec<_> = graph[edge].evidence.iter().map(|e| e.source.to_string()).collect();
                format!("{}>{} ({})", graph[from].id.value, graph[to].id.value, shown.join(", "))
            })
            .collect();
        all.sort();
        all
    }
}

const BASE: &str =
    "services:\n  web: { image: x/web, environment: { CART_ADDR: 'cart:80' } }\n  cart: { image: x/cart }\n";
const OVER: &str = "services:\n  web: { environment: { DB_HOST: db } }\n  db: { image: postgres }\n";

#[test]
fn imports_of_one_format_are_read_together() {
    let files = [
        ("loadpath.yaml", "import:\n  - compose: compose.yaml\n  - compose: compose.prod.yaml\n"),
        ("compose.yaml", BASE),
        ("compose.prod.yaml", OVER),
    ];
    for roots in [&["loadpath.yaml"][..], &["compose.yaml", "compose.prod.yaml"]] {
        let said = read(&files, roots);
        assert_eq!(said.nodes(), ["web", "cart", "db"]);
        assert_eq!(said.edges(), ["web>cart (environment CART_ADDR)", "web>db (environment DB_HOST)"]);
        assert!(said.findings.is_empty(), "{:?}", said.findings);
    }
}
