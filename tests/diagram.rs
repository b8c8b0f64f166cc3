//! Pictures: what they show, that their syntax holds whatever names a user chose, and how they look.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use loadpath::diagram::{Diagram, Direction, GroupBy, RENDERERS, View};
use loadpath::finding::{Finding, RuleInfo, Severity};
use loadpath::model::Architecture;
use loadpath::source::{FileId, Sources, Span};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

const SHOP: &str = r"
name: shop
services:
  web:
    kind: gateway
    owner: storefront
    exposure: public
    replicas: 3
    technology: [typescript, node]
    endpoints:
      GET /checkout/{id}:
        calls:
          - { call: 'cart GET /cart/{id}', timeout: 300ms, retry: { num_retries: 2 } }
          - { call: payment Charge, timeout: 900ms, optional: true }
          - { publish: orders, type: order.created }
          - write: orders-db
      GET /cart: { calls: [{ call: 'cart GET /cart/{id}', timeout: 300ms, retry: { num_retries: 2 } }] }
  cart:
    owner: basket
    endpoints:
      GET /cart/{id}: { calls: [{ call: pricing Quote, protocol: grpc }, { read: orders-db }] }
  pricing:
    owner: basket
    layer: core
    endpoints:
      Quote: { calls: [{ call: promo Apply, protocol: grpc }, { call: promo List, protocol: grpc }] }
      Bulk: {}
  promo:
    title: Promotions
    owner: basket
    layer: core
    status: unhealthy
    endpoints: { Apply: { calls: [{ call: pricing Bulk, protocol: grpc }] }, List: {} }
  payment: { external: true, endpoints: [Charge], zone: eu-1 }
  mailer: { owner: marketing, consumes: { orders: {}, prices: {} } }
  repricer: { kind: cron, owner: marketing, endpoints: { run: { calls: [{ publish: prices }] } } }
datastores: { orders-db: { kind: postgres, owner: storefront, replicas: 2 } }
queues: { orders: {} }
topics: { prices: {} }
";

static RULE: RuleInfo = RuleInfo::warning("made-up", "a rule for tests", "");

fn read(text: &str) -> (Architecture, Vec<Finding>, Sources) {
    let (documents, sources, mut findings) = loadpath::spec::read_text("shop.yaml", text);
    let (arch, more) = loadpath::model::build(&documents);
    findings.extend(more);
    (arch, findings, sources)
}

fn finding(subject: &str, severity: Severity) -> Finding {
    Finding::new(&RULE, Span::new(FileId(0), 0, 0), "made up").about(subject).severity(severity)
}

fn diagram(text: &str, view: &View) -> Diagram {
    let (arch, _, sources) = read(text);
    Diagram::new(&arch, &[], &sources, view).unwrap()
}

fn render(name: &str, diagram: &Diagram) -> String {
    let renderer = RENDERERS.iter().find(|r| r.name == name).unwrap();
    (renderer.render)(diagram)
}

fn ids(diagram: &Diagram) -> String {
    diagram.nodes.iter().map(|n| n.id.as_str()).collect::<Vec<_>>().join(" ")
}

/// The shop with an error on a service, a warning on a call, and one of each kind of subject.
fn marked() -> Diagram {
    let (arch, _, sources) = read(SHOP);
    let mut hidden = finding("mailer", Severity::Error);
    hidden.suppressed = true;
    let findings = [
        finding("promo", Severity::Error),
        finding("promo Apply", Severity::Warning),
        finding("web GET /cart → cart GET /cart/{id}", Severity::Warning),
        finding("payment", Severity::Info),
        hidden,
    ];
    Diagram::new(&arch, &findings, &sources, &View::default()).unwrap()
}

#[test]
fn a_shop_in_every_format() {
    let shop = marked();
    for renderer in RENDERERS {
        let text = (renderer.render)(&shop);
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{}", renderer.name);
        insta::assert_snapshot!(format!("shop_{}", renderer.name), text);
    }
}

#[test]
fn formats_are_told_apart_and_explained() {
    let names: Vec<_> = RENDERERS.iter().flat_map(|r| [r.name, r.extension]).collect();
    assert_eq!(names, ["dot", "dot", "mermaid", "mmd", "json", "json"]);
    assert!(RENDERERS.iter().all(|r| !r.summary.is_empty() && !r.summary.ends_with('.')));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for renderer in RENDERERS {
        assert_eq!((renderer.render)(&marked()), (renderer.render)(&marked()), "{}", renderer.name);
    }
}

#[test]
fn a_focus_shows_its_neighbourhood() {
    for (focus, depth, direction, expected) in [
        ("cart", None, Direction::Both, "web cart pricing orders-db"),
        ("cart", Some(0), Direction::Both, "cart"),
        ("cart", Some(1), Direction::Upstream, "web cart"),
        ("cart", Some(1), Direction::Downstream, "cart pricing orders-db"),
        ("cart", Some(2), Direction::Downstream, "cart pricing promo orders-db"),
        ("cart", Some(9), Direction::Upstream, "web cart"),
        ("Promotions", None, Direction::Both, "pricing promo"),
        ("orders", None, Direction::Both, "web mailer orders"),
        ("orders", None, Direction::Downstream, "mailer orders"),
        ("orders-db", Some(usize::MAX), Direction::Upstream, "web cart orders-db"),
    ] {
        let view = View { focus: Some(focus.to_owned()), depth, direction, ..View::default() };
        let shown = diagram(SHOP, &view);
        assert_eq!(ids(&shown), expected, "{focus} {depth:?} {direction:?}");
        assert_eq!(shown.nodes.iter().filter(|n| n.in_focus).count(), 1);
        assert!(shown.communications.iter().all(|c| c.from < shown.nodes.len() && c.to < shown.nodes.len()));
    }
}

#[test]
fn an_unknown_focus_is_refused_with_the_nearest_name() {
    let (arch, _, sources) = read(SHOP);
    for (focus, says) in [
        ("pricng", "no service, datastore, queue or topic is called `pricng`: did you mean `pricing`?"),
        (
            "promotion",
            "no service, datastore, queue or topic is called `promotion`: did you mean `Promotions`?",
        ),
        ("warehouse", "no service, datastore, queue or topic is called `warehouse`"),
    ] {
        let view = View { focus: Some(focus.to_owned()), ..View::default() };
        assert_eq!(Diagram::new(&arch, &[], &sources, &view).unwrap_err().to_string(), says);
    }
}

#[test]
fn calls_between_two_nodes_become_one_line_with_a_short_caption() {
    let shop = marked();
    let lines: Vec<_> = shop
        .edges
        .iter()
        .map(|e| {
            let ends = [e.from, e.to].map(|at| shop.nodes[at].id.as_str());
            let signs =
                [(e.soft, "soft"), (e.in_cycle, "cycle")].map(|(is, sign)| if is { sign } else { "" });
            let words = [e.flow.name(), e.protocol.unwrap_or("-"), &e.caption, &e.policy, &e.mark.badge()];
            let words = words.into_iter().chain(signs).filter(|w| !w.is_empty()).collect::<Vec<_>>();
            format!("{} > {}: {}", ends[0], ends[1], words.join(", "))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    orders > mailer: async, message_queue
    prices > mailer: async, event_stream
    web > cart: sync, http, GET /cart/{id}, timeout 300ms · 2 retries, ⚠ 1
    web > payment: sync, -, Charge, timeout 900ms, soft
    web > orders: async, message_queue, order.created
    web > orders-db: data, postgres, write
    cart > pricing: sync, grpc, Quote
    cart > orders-db: data, postgres, read
    pricing > promo: sync, grpc, ×2, cycle
    promo > pricing: sync, grpc, Bulk, cycle
    repricer > prices: async, event_stream
    ");
}

#[test]
fn findings_mark_what_they_are_about_and_suppressed_ones_do_not() {
    let (arch, _, sources) = read(SHOP);
    let suppressed = |subject| Finding { suppressed: true, ..finding(subject, Severity::Error) };
    for (what, findings, badge_of_promo) in [
        ("nothing", vec![], ""),
        ("its id", vec![finding("promo", Severity::Warning)], "⚠ 1"),
        ("its endpoint", vec![finding("promo Apply", Severity::Error)], "✖ 1"),
        ("quoted, as names nothing resolves are", vec![finding("`promo Apply`", Severity::Error)], "✖ 1"),
        ("both at once", vec![finding("promo", Severity::Error).about("promo List")], "✖ 1"),
        ("two", vec![finding("promo", Severity::Error), finding("promo List", Severity::Warning)], "✖ 1 ⚠ 1"),
        ("an endpoint it has not", vec![finding("promo Remove", Severity::Error)], ""),
        ("suppressed", vec![suppressed("promo")], ""),
        ("worth knowing only", vec![finding("promo", Severity::Info)], ""),
    ] {
        let shop = Diagram::new(&arch, &findings, &sources, &View::default()).unwrap();
        let promo = shop.nodes.iter().find(|n| n.id == "promo").unwrap();
        assert_eq!(promo.mark.badge(), badge_of_promo, "{what}");
        assert!(shop.edges.iter().all(|e| e.mark.worst().is_none()), "{what}: no line is meant");
    }
}

#[test]
fn groups_are_chosen_where_they_tell_nodes_apart() {
    let services = |each: &[&str]| {
        let lines = each.iter().enumerate().map(|(i, keys)| format!("  s{i}: {{ {keys} }}\n"));
        format!("services:\n{}", lines.collect::<String>())
    };
    for (text, by, expected) in [
        (SHOP.to_owned(), GroupBy::Auto, "owner: storefront(2) basket(3) marketing(2)"),
        (SHOP.to_owned(), GroupBy::None, "none:"),
        (SHOP.to_owned(), GroupBy::Layer, "layer: core(2)"),
        (SHOP.to_owned(), GroupBy::Zone, "zone: eu-1(1)"),
        (services(&["owner: a", "owner: a"]), GroupBy::Auto, "none:"),
        (services(&["owner: a", "owner: b"]), GroupBy::Auto, "none:"),
        (services(&["owner: a", "owner: b", "owner: a", "", "", ""]), GroupBy::Auto, "none:"),
        (services(&["owner: a", "owner: b", "owner: a", ""]), GroupBy::Auto, "owner: a(2) b(1)"),
        (services(&["layer: x", "layer: y", "layer: x"]), GroupBy::Auto, "layer: x(2) y(1)"),
        (
            services(&["layer: x", "layer: y", "layer: x"]) + "lint: { layers: [y, x] }\n",
            GroupBy::Layer,
            "layer: y(1) x(2)",
        ),
    ] {
        let drawn = diagram(&text, &View { group_by: by, ..View::default() });
        let groups = drawn.clusters.iter().map(|c| format!(" {}({})", c.name, c.nodes.len()));
        assert_eq!(format!("{}:{}", drawn.group_by.word(), groups.collect::<String>()), expected, "{text}");
    }
}

#[test]
fn only_synchronous_calls_make_a_cycle() {
    for (calls, expected) in [
        (
            "a: { dependencies: [b] }, b: { dependencies: [c] }, c: { dependencies: [a] }",
            json!([["a", "b", "c"]]),
        ),
        ("a: { dependencies: [b] }, b: { dependencies: [c] }, c: {}", json!([])),
        ("a: { dependencies: [a] }, b: {}, c: {}", json!([["a"]])),
        ("a: { endpoints: { x: { calls: [{ publish: q }] } }, consumes: { q: {} } }", json!([])),
    ] {
        let drawn = diagram(&format!("services: {{ {calls} }}\nqueues: {{ q: {{}} }}"), &View::default());
        let graph: Value = serde_json::from_str(&render("json", &drawn)).unwrap();
        assert_eq!(graph["cycles"], expected, "{calls}");
    }
}

#[test]
fn json_has_the_keys_other_programs_count_on() {
    let graph: Value = serde_json::from_str(&render("json", &marked())).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(graph["version"], 1);
    for node in graph["nodes"].as_array().unwrap() {
        assert_eq!(
            keys(node),
            "id kind role title owner layer zone technology replicas status endpoints consumes entry findings"
        );
    }
    for edge in graph["edges"].as_array().unwrap() {
        assert_eq!(
            keys(edge),
            "id from to from_endpoint to_endpoint protocol kind operation evidence findings"
        );
        assert!(edge["evidence"].as_array().unwrap().iter().all(|e| keys(e) == "source file line"));
    }
    let edge = &graph["edges"][0];
    assert_eq!(edge["id"], "orders → mailer orders", "edges stand in the order of the model");
    assert_eq!(edge["evidence"], json!([{ "source": "consumes", "file": "shop.yaml", "line": 35 }]));
}

#[test]
fn online_boutique_is_the_public_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/online-boutique.yaml");
    let (arch, findings, sources) = read(&std::fs::read_to_string(path).unwrap());
    assert!(findings.is_empty(), "{:?}", findings.iter().map(|f| &f.message).collect::<Vec<_>>());
    let boutique = Diagram::new(&arch, &[], &sources, &View::default()).unwrap();
    let mut lines: Vec<_> = boutique
        .edges
        .iter()
        .map(|e| {
            let [from, to] = [e.from, e.to].map(|at| boutique.nodes[at].id.trim_end_matches("service"));
            format!("{from} {to} {}", e.protocol.unwrap_or("-"))
        })
        .collect();
    lines.sort_unstable();
    assert_eq!(boutique.nodes.len(), 12);
    assert_eq!(
        lines,
        [
            "cart redis-cart redis",
            "checkout cart grpc",
            "checkout currency grpc",
            "checkout email grpc",
            "checkout payment grpc",
            "checkout productcatalog grpc",
            "checkout shipping grpc",
            "frontend ad grpc",
            "frontend cart grpc",
            "frontend checkout grpc",
            "frontend currency grpc",
            "frontend productcatalog grpc",
            "frontend recommendation grpc",
            "frontend shipping grpc",
            "loadgenerator frontend http",
            "recommendation productcatalog grpc",
        ]
    );
    assert_eq!(boutique.headline().1, "11 services, 1 datastore · 16 connections");
}

/// A document whose every name and word is hostile. JSON is YAML.
fn hostile(id: &str, word: &str) -> String {
    let plain: String = id.chars().filter(|c| !c.is_whitespace()).collect();
    let id = format!("x{plain}");
    json!({
        "name": word,
        "services": {
            id.clone(): { "title": word, "owner": word, "technology": [word],
                "endpoints": { format!("GET /{plain}"): { "calls": [{ "call": "end" }, { "write": "graph" }] } } },
            "end": { "owner": word, "dependencies": [id] },
            "other": { "owner": "other" },
        },
        "datastores": { "graph": {} },
    })
    .to_string()
}

const WORDS: &[&str] = &[
    "plain",
    "say \"cheese\"",
    "back\\slash\\",
    "\\",
    "\\N \\G \\l",
    "a&b &amp; &lt;",
    "<b>bold</b>",
    "</b>",
    "<!-- x -->",
    "#quot; #35; 1#2",
    "a;b",
    "end",
    "subgraph",
    "graph",
    "two\nlines\r\nand \t tab",
    "{}[]()|",
    "%%{init: {}}%%",
    "`code` **bold** _it_",
    "a-->b --o ==> ---",
    "naïve – 中文 – العربية",
    "🛒 cart",
    "style x: y:#fff;",
    "bell \u{7}",
    "   ",
    "@{ shape: x }",
    ":::cls",
];

#[test]
fn hostile_names_break_no_format() {
    let accepts = graphviz();
    let check = |drawn: &Diagram| {
        holds(drawn).unwrap();
        let dot = render("dot", drawn);
        accepts.map_or(Ok(()), |accepts| accepts(&dot)).unwrap_or_else(|error| panic!("{error}\n{dot}"));
    };
    for word in WORDS {
        let drawn = diagram(&hostile(word, word), &View::default());
        assert_eq!(drawn.nodes.len(), 4, "{word:?}");
        check(&drawn);
    }
    // What no reader lets through, another program may put into a diagram.
    for word in ["", "\u{0}\u{7}\u{fffe}\u{ffff}", "\u{85}\u{2028}"] {
        let mut drawn = diagram(&hostile("plain", "plain"), &View::default());
        drawn.nodes[0].title = Some(word.to_owned());
        drawn.nodes[0].id = word.to_owned();
        drawn.clusters[0].name = word.to_owned();
        drawn.edges[0].caption = word.to_owned();
        check(&drawn);
    }
    if accepts.is_none() {
        println!("skipped: Graphviz is not here to judge the DOT");
    }
}

proptest! {
    #[test]
    fn no_name_breaks_a_format(id in "[^\u{0}-\u{1f}\\s]{1,9}", word in "[^\u{0}-\u{1f}]{0,12}") {
        let drawn = diagram(&hostile(&id, &word), &View::default());
        prop_assert!(holds(&drawn).is_ok(), "{:?}", holds(&drawn));
    }
}

/// Whether nothing a user wrote leaks out of its quotes, in any format.
fn holds(diagram: &Diagram) -> Result<(), String> {
    let graph: Value = serde_json::from_str(&render("json", diagram)).map_err(|e| e.to_string())?;
    let ids: Vec<_> = graph["nodes"].as_array().into_iter().flatten().map(|n| n["id"].clone()).collect();
    let own: Vec<_> = diagram.nodes.iter().map(|n| Value::from(n.id.as_str())).collect();
    if ids != own {
        return Err(format!("json: {ids:?}"));
    }
    dot_holds(&render("dot", diagram))?;
    mermaid_holds(&render("mermaid", diagram))
}

/// A lexer of DOT: quoted strings, HTML-like strings with balanced brackets, and little besides.
fn dot_holds(text: &str) -> Result<(), String> {
    let mut chars = text.chars();
    let mut depth = 0_i32;
    while let Some(c) = chars.next() {
        match c {
            '"' => loop {
                match chars.next() {
                    Some('"') => break,
                    Some('\\') => drop(chars.next()),
                    Some(c) if !c.is_control() => {}
                    other => return Err(format!("dot: {other:?} in a string\n{text}")),
                }
            },
            '<' => {
                let mut open = 1;
                while open > 0 {
                    match chars.next() {
                        Some('<') => open += 1,
                        Some('>') => open -= 1,
                        Some(c) if !c.is_control() => {}
                        other => return Err(format!("dot: {other:?} in a label\n{text}")),
                    }
                }
            }
            '-' if chars.as_str().starts_with('>') => drop(chars.next()),
            '{' | '[' => depth += 1,
            '}' | ']' => depth -= 1,
            c if c.is_ascii_alphanumeric() || matches!(c, ' ' | '\n' | '=' | ',' | ';' | '.' | '_') => {}
            c => return Err(format!("dot: a stray {c:?}\n{text}")),
        }
    }
    if depth == 0 { Ok(()) } else { Err(format!("dot: brackets\n{text}")) }
}

/// Mermaid, line by line: outside quotes only what loadpath writes, inside no quote and only codes after `#`.
fn mermaid_holds(text: &str) -> Result<(), String> {
    let body = text.splitn(4, '\n').nth(3).unwrap_or_default();
    for line in body.lines() {
        for (at, part) in line.split('"').enumerate() {
            let bad = |c: &char| match at % 2 {
                0 => !c.is_ascii() || matches!(c, '%' | '`' | '\\'),
                _ => c.is_control() || matches!(c, '`' | '\\' | '%' | '@' | ':'),
            };
            let codes = part.split('#').skip(1);
            let mut broken = codes.filter(|rest| rest.find(';').is_none_or(|end| !is_code(&rest[..end])));
            if part.chars().any(|c| bad(&c)) || (at % 2 == 1 && broken.next().is_some()) {
                return Err(format!("mermaid: {line}"));
            }
        }
        if line.matches('"').count() % 2 == 1 {
            return Err(format!("mermaid: quotes in {line}"));
        }
    }
    Ok(())
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

type Judge = fn(&str) -> Result<(), String>;

/// Graphviz's own judgement, where it is installed.
fn graphviz() -> Option<Judge> {
    fn accepts(dot: &str) -> Result<(), String> {
        let mut child = Command::new("dot")
            .arg("-Tsvg")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| e.to_string())?;
        child.stdin.take().unwrap().write_all(dot.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        // Fonts it misses are no concern here; what it cannot read is.
        let unread = errors.lines().any(|l| l.starts_with("Error") || l.starts_with("Warning"));
        if output.status.success() && !unread { Ok(()) } else { Err(errors) }
    }
    let there = Command::new("dot").arg("-V").stderr(Stdio::null()).status().is_ok_and(|s| s.success());
    there.then_some(accepts as Judge)
}
