//! The compose importer: small systems of our own, case by case; exact spans; mutated texts; and a real
//! system beside the project, where it is there.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test, or what is built beside one: it panics, prints and counts freely"
)] // a test may stop, and says when it is skipped

use loadpath::import::formats::compose::{self, Trouble, Vars, expand, parse_dotenv};
use loadpath::import::{EvidenceKind, ImportFile, Imported, by_name, recognise};
use loadpath::source::{LoadError, Loader, MemoryLoader, Sources, Spanned};
use loadpath::spec::vocabulary::{DatastoreKind, Protocol, Target};
use loadpath::spec::{Limits, Reader, Switch};
use proptest::prelude::*;

/// What an import said, as text.
struct Said {
    imported: Imported,
    sources: Sources,
    findings: Vec<String>,
}

/// Imports `roots` of `files` in order.
fn import(files: &[(&str, &str)], roots: &[&str]) -> Said {
    let loader = MemoryLoader::new(files.iter().map(|(name, text)| (*name, *text)));
    let mut reader = Reader::new(&loader, Limits::default());
    let trees: Vec<_> = roots.iter().filter_map(|root| reader.root(root)).map(ImportFile::from).collect();
    let imported = (compose::FORMAT.import)(&mut reader, trees);
    let all = imported.findings.iter().chain(&reader.findings);
    let findings = all.map(|f| {
        let at = reader.sources.locate(f.primary.span);
        format!("{} {}:{} {}", f.rule.id, at.line, at.column, f.message)
    });
    let findings = findings.collect();
    Said { imported, sources: reader.sources, findings }
}

fn one(text: &str) -> Said {
    import(&[("compose.yaml", text)], &["compose.yaml"])
}

impl Said {
    /// The edges of the document, in order.
    fn edges(&self) -> Vec<String> {
        let edges = self.imported.document.document.communications.iter().flat_map(|c| c.iter());
        let name = |t: Option<&Spanned<Target>>| t.map(|t| t.value.to_string()).unwrap_or_default();
        edges.map(|c| format!("{}>{}", name(c.from.as_ref()), name(c.to.as_ref()))).collect()
    }

    /// The evidence: edge, kind, place, the bytes there, detail.
    fn evidence(&self) -> Vec<String> {
        let all = self.imported.evidence.iter().map(|e| {
            let at = self.sources.locate(e.span);
            let file = &self.sources.file(e.span.file).name;
            let (kind, text) = (e.kind.word(), self.sources.text(e.span));
            format!("{}>{} {kind} {file}:{}:{} `{text}` {}", e.from, e.to, at.line, at.column, e.detail)
        });
        all.collect()
    }

    fn notes(&self) -> Vec<&str> {
        self.imported.notes.iter().map(|n| n.text.as_str()).collect()
    }
}

/// Edges of one file, without a finding.
fn check(text: &str, expected: &[&str]) {
    let said = one(text);
    assert_eq!(said.edges(), expected, "{text}");
    assert!(said.findings.is_empty(), "{text}: {:?}", said.findings);
}

#[test]
fn variables_are_put_in() {
    let vars: Vars = [("A", "a"), ("E", ""), ("P", "7100")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    for (text, expected) in [
        ("plain", "plain"),
        ("$A", "a"),
        ("$A-b", "a-b"),
        ("${A}b", "ab"),
        ("x$P:y", "x7100:y"),
        ("$$A", "$A"),
        ("$${A}", "${A}"),
        ("${U}", ""),
        ("${U:-d}", "d"),
        ("${U-d}", "d"),
        ("${E:-d}", "d"),
        ("${E-d}", ""),
        ("${A:-d}", "a"),
        ("${A:+alt}", "alt"),
        ("${E:+alt}", ""),
        ("${E+alt}", "alt"),
        ("${U+alt}", ""),
        ("${A:?no}", "a"),
        ("${E?no}", ""),
        ("${U:?no}", ""),
        ("${U:-${A}}", "a"),
        ("${U:-${V:-${W:-deep}}}!", "deep!"),
        ("${U:-r/i:${V:-1.2}}", "r/i:1.2"),
        ("${U:-Server=s;User Id=u;Password=P@w}", "Server=s;User Id=u;Password=P@w"),
        ("${U:-$$}", "$"),
        ("${U:-http://a:${P}/x}", "http://a:7100/x"),
        ("${A", "${A"),
        ("$", "$"),
        ("$1", "$1"),
        ("${}", "${}"),
        ("${A!x}", "${A!x}"),
        ("é${A}é", "éaé"),
    ] {
        assert_eq!(expand(text, &vars).text, expected, "{text}");
    }
    let syntax =
        |text: &str| expand(text, &vars).problems.iter().any(|p| matches!(p.what, Trouble::Syntax(_)));
    for (text, wrong) in
        [("${A", true), ("$", true), ("$1", true), ("${A!x}", true), ("$$", false), ("${U:?m}", false)]
    {
        assert_eq!(syntax(text), wrong, "{text}");
    }
    let required = expand("${U:?set it}", &vars).problems;
    assert!(
        matches!(&required[0].what, Trouble::Required { name, message } if name == "U" && message == "set it")
    );
}

#[test]
fn expansion_is_bounded() {
    let mut vars = Vars::new();
    vars.insert("A".to_owned(), "x".repeat(60_000));
    assert!(expand(&"$A".repeat(1000), &vars).text.len() <= compose::LONGEST);
    let deep = "${U:-".repeat(10_000) + &"}".repeat(10_000);
    assert!(expand(&deep, &vars).problems.iter().any(|p| p.what == Trouble::TooLong));
    let doubling: String = (0..64).flat_map(|i| [format!("V{}=$V{i}$V{i}\n", i + 1)]).collect();
    let total: usize =
        parse_dotenv(&format!("V0=xxxxxxxx\n{doubling}"), &Vars::new()).iter().map(|a| a.value.len()).sum();
    assert!(total <= 4 << 20);
}

#[test]
fn dotenv_lines() {
    let outer: Vars = [("OUT".to_owned(), "o".to_owned())].into();
    for (line, expected) in [
        ("A=1", Some("1")),
        ("  export A = 1 ", Some("1")),
        ("A=word    # a comment", Some("word")),
        ("A=word#no", Some("word#no")),
        ("A= # nothing", Some("")),
        ("A=", Some("")),
        ("A='$OUT # x'", Some("$OUT # x")),
        ("A=\"$OUT # x\" # c", Some("o # x")),
        ("A=\"a\\\"b\\n\"", Some("a\"b\n")),
        ("A=\"\\$OUT\"", Some("$OUT")),
        ("A=${OUT}:${B:-80}", Some("o:80")),
        ("A=x=y", Some("x=y")),
        ("A: yaml", Some("yaml")),
        ("A=\"two\nlines\"", Some("two\nlines")),
        ("A=\"open", Some("\"open")),
        ("# A=1", None),
        ("A", None),
        ("", None),
    ] {
        let found = parse_dotenv(&format!("B1=0\n{line}\nC1=2\n"), &outer);
        let value = found.iter().find(|a| a.name == "A").map(|a| a.value.as_str());
        assert_eq!(value, expected, "{line}");
        assert!(found.iter().any(|a| a.name == "C1" && a.value == "2"), "the line after {line}");
    }
    let chain = parse_dotenv("P=7100\nADDR=cart:${P}\nURL=http://${ADDR}\n", &Vars::new());
    assert_eq!(chain[2].value, "http://cart:7100");
}

/// A system in which `web` has this under it, beside services that it may name.
fn with_web(web: &str) -> String {
    let others = ["cart", "orders", "user", "sqlbox", "rabbitmq", "a", "b"]
        .map(|n| format!("  {n}: {{image: x/{n}}}\n"));
    format!("services:\n{}  web:\n    image: x/web\n{web}", others.concat())
}

#[test]
fn addresses_in_variables_and_commands() {
    for (web, expected) in [
        ("    environment:\n      - CART_ADDR=cart:7100\n", &["web>cart"][..]),
        ("    environment: {CART_ADDR: 'cart:7100'}\n", &["web>cart"]),
        ("    environment: {ANY: 'http://u:p@cart/x'}\n", &["web>cart"]),
        ("    environment: {ANY: 'jdbc:sqlserver://sqlbox:1433;databaseName=orders'}\n", &["web>sqlbox"]),
        ("    environment: {BROKERS: 'a:9092,b:9092'}\n", &["web>a", "web>b"]),
        (
            "    environment:\n      - ConnectionString=${X:-Server=sqlbox;Database=orders;User Id=user;Password=P@s}\n",
            &["web>sqlbox"],
        ),
        ("    environment: {EventBusConnection: rabbitmq}\n", &["web>rabbitmq"]),
        ("    environment: {DSN: 'root:p@tcp(sqlbox:3306)/orders'}\n", &["web>sqlbox"]),
        ("    environment: {POSTGRES_USER: user, DB: orders, TOPIC: cart}\n", &[]),
        (
            "    environment: {CORS_ORIGINS: 'http://cart', NO_PROXY: 'cart,orders', REDIS_IMAGE: 'cart:80'}\n",
            &[],
        ),
        ("    environment: {SELF_URL: 'http://web:80', X: 'http://localhost:80'}\n", &[]),
        ("    environment: {PORT: 80, DB: \"off\", R: 16.8, N: }\n", &[]),
        ("    healthcheck: {test: 'curl http://cart/health'}\n", &[]),
        ("    command: \"-t 30 -n 5 -h cart\"\n", &["web>cart"]),
        ("    command: \"-t 30 -h localhost orders\"\n", &[]),
        ("    command: [\"-h\", \"cart\", \"orders\"]\n", &["web>cart"]),
        ("    command: [run, '-cp=reg.http://cart:5000']\n", &["web>cart"]),
        (
            "    entrypoint: [wait, 'cart:80']\n    command: run --upstream=orders\n",
            &["web>cart", "web>orders"],
        ),
        ("    environment:\n      CART: $$cart\n      X_URL: http://$${cart}\n", &[]),
        ("    links: [cart, 'orders:o']\n    environment: {X: 'http://o'}\n", &["web>orders", "web>cart"]),
        ("    external_links: [cart, nobody]\n", &["web>cart"]),
    ] {
        check(&with_web(web), expected);
    }
}

#[test]
fn depends_on_in_its_shapes() {
    for (web, expected) in [
        ("    depends_on: [cart, orders]\n", &["web>cart", "web>orders"][..]),
        ("    depends_on:\n      cart: {condition: service_healthy, restart: true}\n", &["web>cart"]),
        (
            "    depends_on:\n      cart: {condition: service_started, required: true}\n      gone: {required: false}\n",
            &["web>cart"],
        ),
        ("    depends_on:\n      - ${CART:-cart}\n", &["web>cart"]),
        ("    depends_on: [web]\n", &[]),
        ("    depends_on: [cart, nobody]\n", &["web>cart", "web>nobody"]),
        ("    depends_on:\n      cart: {condition: service_completed_successfully}\n", &[]),
    ] {
        check(&with_web(web), expected);
    }
    let merged = "x-h: &h {condition: service_healthy}\nx-d: &d\n  cart: {<<: *h}\nx-e: &e {restart: always}\n\
        services:\n  cart: {image: c}\n  web:\n    <<: [*e, {image: w}]\n    depends_on: {<<: *d}\n";
    check(merged, &["web>cart"]);
    let said = one(&with_web("    depends_on: cart\n"));
    assert_eq!(said.edges(), ["web>cart"]);
    assert_eq!(
        said.findings,
        ["invalid-value 11:17 `depends_on` wants a list or a mapping of services, found a single value"]
    );
}

#[test]
fn start_order_counts_where_addresses_do_not_tell() {
    let told = with_web("    environment: {C: 'http://cart'}\n    depends_on: [cart, orders]\n");
    let said = one(&told);
    assert_eq!(said.edges(), ["web>cart"]);
    let doubtful: Vec<_> = said.imported.doubtful.iter().map(|e| (e.to.as_str(), e.kind)).collect();
    assert_eq!(doubtful, [("orders", EvidenceKind::DependsOn)]);
    assert!(said.notes().iter().any(|n| n.contains("web → orders")), "{:?}", said.notes());

    // One address beside two services it says nothing of: it does not tell.
    check(
        &with_web("    environment: {C: 'http://cart'}\n    depends_on: [cart, orders, user]\n"),
        &["web>cart", "web>orders", "web>user"],
    );
    // Brokers and datastores are used by whoever waits for them.
    check(
        &with_web("    environment: {C: 'http://cart'}\n    depends_on: [cart, rabbitmq]\n"),
        &["web>cart", "web>rabbitmq"],
    );
    // What sets up and exits is not called.
    check("services:\n  db-migrate: {image: m}\n  web: {image: w, depends_on: [db-migrate]}\n", &[]);
}

#[test]
fn names_of_services() {
    let system = "services:\n  cart: {image: c, hostname: carts, container_name: shop-cart}\n\
        \x20 one: {image: j, networks: {n1: {aliases: [trace]}}}\n  two: {image: j, networks: {n2: {aliases: [trace]}}}\n\
        \x20 twin-a: {image: t, hostname: twin}\n  twin-b: {image: t, hostname: twin}\n\
        \x20 pub: {image: p, ports: ['5105:80', '6000-6002:1', {published: '7000', target: 1}]}\n\
        \x20 web:\n    image: w\n    networks: [n2]\n    environment:\n";
    for (value, expected) in [
        ("http://carts:8080", Some("web>cart")),
        ("http://CARTS", Some("web>cart")),
        ("http://shop-cart", Some("web>cart")),
        ("http://trace:4317", Some("web>two")),
        ("http://twin", None),
        ("http://nobody", None),
        ("http://host.docker.internal:5105", Some("web>pub")),
        ("http://host.docker.internal:6001", Some("web>pub")),
        ("http://host.docker.internal:7000", Some("web>pub")),
        ("http://host.docker.internal:1", None),
    ] {
        let said = one(&format!("{system}      URL: {value}\n"));
        assert_eq!(said.edges(), expected.into_iter().collect::<Vec<_>>(), "{value}");
        let ambiguous =
            said.notes().iter().any(|n| n.starts_with("`twin` is a name of `twin-a` and `twin-b`"));
        assert_eq!(ambiguous, value == "http://twin");
    }
    let said = one(&format!("{system}      URL_EXTERNAL: http://host.docker.internal:5105\n"));
    assert!(said.edges().is_empty(), "an address for browsers");
    let aliases = said.imported.document.document.aliases.as_ref().unwrap();
    let aliases: Vec<_> = aliases.iter().map(|(name, id)| (name.as_str(), id.as_str())).collect();
    assert_eq!(aliases, [("carts", "cart"), ("shop-cart", "cart")]);
}

#[test]
fn evidence_points_at_the_bytes() {
    let compose = "services:\n  cart: {image: c}\n  db: {image: postgres}\n  web:\n    image: w\n    env_file: web.env\n\
        \x20   environment:\n      - CART_ADDR\n      - DSN=postgres://u:p@${DB_HOST:-db}:5432/x\n      - \"URL=http://cart:80/\"\n\
        \x20   command: run --cart \"http://${CART}/\"\n    depends_on: [cart]\n";
    let files = [
        ("s/compose.yaml", compose),
        ("s/.env", "CART=cart\nCART_ADDR=${CART}:7100\n"),
        ("s/web.env", "# x\nPG_HOST=db # y\n"),
    ];
    let said = import(&files, &["s/compose.yaml"]);
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    assert_eq!(
        said.evidence(),
        [
            "web>db environment s/web.env:2:9 `db` PG_HOST",
            "web>db environment s/compose.yaml:9:39 `db` DSN",
            "web>cart environment s/compose.yaml:8:9 `CART_ADDR` CART_ADDR",
            "web>cart environment s/compose.yaml:10:21 `cart` URL",
            "web>cart command s/compose.yaml:11:33 `${CART}` run --cart \"http://cart/\"",
            "web>cart depends_on s/compose.yaml:12:18 `cart` ",
        ]
    );
    let communications = said.imported.document.document.communications.as_ref().unwrap();
    let spans: Vec<_> =
        communications.iter().map(|c| said.sources.locate(c.to.as_ref().unwrap().span)).collect();
    assert_eq!((spans[0].line, spans[1].line, spans[1].column), (2, 8, 9), "at the strongest evidence");
}

#[test]
fn files_lie_on_top_of_each_other() {
    let base = "name: shop\nservices:\n  cart: {image: c}\n  orders: {image: o}\n  db: {image: mysql}\n  web:\n    image: w\n\
        \x20   environment:\n      - A=http://cart\n      - B=keep\n    command: run http://db\n    depends_on: [db]\n    ports: ['1:1']\n";
    for (over, expected) in [
        ("services:\n  web:\n    environment: {A: 'http://orders'}\n", "web>orders web>db"),
        ("services:\n  web:\n    environment:\n      - C=http://orders\n", "web>cart web>orders web>db"),
        ("services:\n  web:\n    command: [run]\n", "web>cart web>db"),
        (
            "services:\n  web:\n    depends_on: {orders: {condition: service_healthy}}\n    environment: {A: x}\n    command: run\n",
            "web>db web>orders",
        ),
        ("services:\n  web:\n    depends_on: !reset []\n    command: !reset null\n", "web>cart"),
        ("services:\n  web:\n    environment: !override {B: 'http://orders'}\n", "web>orders web>db"),
        ("services:\n  web: !reset null\n", ""),
        ("services:\n  new: {image: n, depends_on: [web], ports: !reset []}\n", "web>cart web>db new>web"),
        ("# nothing\n", "web>cart web>db"),
        ("services:\n", "web>cart web>db"),
    ] {
        let said = import(&[("compose.yaml", base), ("over.yaml", over)], &["compose.yaml", "over.yaml"]);
        assert_eq!(said.edges().join(" "), expected, "{over}");
        assert!(said.findings.is_empty(), "{over}: {:?}", said.findings);
        assert_eq!(said.imported.document.document.name.as_ref().unwrap().value, "shop");
    }
}

#[test]
fn a_service_may_be_named_like_a_key() {
    let base = "services:\n  test:\n    image: t\n    depends_on: [command]\n  command: {image: c}\n";
    let over = "services:\n  test: {environment: [A=1]}\n  command: {image: d}\n";
    let said = import(&[("compose.yaml", base), ("over.yaml", over)], &["compose.yaml", "over.yaml"]);
    assert_eq!(said.edges(), ["test>command"]);
}

#[test]
fn the_example_of_the_page_is_true() {
    let page = compose::FORMAT.page;
    let block = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    check(block, &["shop>cart", "shop>db"]);
    assert_eq!(one(block).imported.evidence.len(), 4);
}

#[test]
fn a_large_system_is_read_in_one_go() {
    let service = |i: usize| {
        format!(
            "  s{i}: {{image: x, environment: {{U: 'http://s{}:80', V: '${{P:-http://s{}}}'}}, depends_on: [s{}]}}\n",
            i + 1,
            i + 2,
            i + 1
        )
    };
    let text = format!("services:\n{}", (0..5000).flat_map(|i| [service(i)]).collect::<String>());
    assert_eq!(one(&text).edges().len(), 5000 + 4998);
}

#[test]
fn services_extend_and_files_include() {
    let shared = "services:\n  base:\n    image: b\n    env_file: base.env\n    environment: {A: 'http://cart'}\n  deep:\n    extends: base\n    depends_on: [db]\n";
    let inner = "services:\n  cart: {image: c, environment: {X: '${WHO}', Y_HOST: '${WHO}'}}\n";
    let root = "include:\n  - inner/compose.yaml\n  - path: [other/a.yaml, other/b.yaml]\n    env_file: other/o.env\nservices:\n  db: {image: postgres}\n\
        \x20 web:\n    extends: {file: lib/shared.yaml, service: deep}\n    environment: {B: 'http://late'}\n";
    let files = [
        ("compose.yaml", root),
        ("lib/shared.yaml", shared),
        ("lib/base.env", "L_URL=http://early\n"),
        ("inner/compose.yaml", inner),
        ("inner/.env", "WHO=db\n"),
        ("other/a.yaml", "services:\n  late: {image: l}\n  early: {image: e}\n"),
        ("other/b.yaml", "services:\n  late: {environment: {U: 'http://${O}'}}\n"),
        ("other/o.env", "O=cart\n"),
    ];
    let said = import(&files, &["compose.yaml"]);
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    assert_eq!(said.edges(), ["cart>db", "late>cart", "web>early", "web>cart", "web>late", "web>db"]);
    let only = import(
        &[("c.yaml", "include: [x/compose.yaml]\n"), ("x/compose.yaml", "services: {a: {image: a}}\n")],
        &["c.yaml"],
    );
    assert_eq!(only.imported.document.document.services.as_ref().unwrap().0.iter().count(), 1);
}

#[test]
fn mistakes_are_findings_at_the_place() {
    for (text, expected) in [
        (
            "services:\n  a: {image: '${X', command: 'x ${}'}\n",
            &[
                "invalid-value 2:15 `${` has no closing brace",
                "invalid-value 2:33 `${` is followed by no variable",
            ][..],
        ),
        (
            "services:\n  a: {image: x, command: 'echo $ 1'}\n",
            &["invalid-value 2:32 `$` is followed by no variable"],
        ),
        (
            "services:\n  a: {extends: b}\n  b: {extends: {service: a}}\n",
            &["invalid-value 2:16 `b` extends itself", "invalid-value 3:26 `a` extends itself"],
        ),
        ("services:\n  web: {extends: wbe}\n", &["invalid-value 2:18 there is no service `wbe` to extend"]),
        (
            "services:\n  web: {extends: {file: no.yaml, service: x}}\n",
            &["unreadable-file 2:25 cannot read `no.yaml`: no such file"],
        ),
        ("include: [no.yaml]\n", &["unreadable-file 1:11 cannot read `no.yaml`: no such file"]),
        (
            "include: [compose.yaml]\nservices: {a: {image: x}}\n",
            &["include-cycle 1:11 `compose.yaml` includes itself"],
        ),
        (
            "services:\n  a: {image: x, env_file: [no.env, {path: other.env, required: false}]}\n",
            &["unreadable-file 2:28 cannot read `no.env`: no such file"],
        ),
        (
            "services:\n  a: [image]\n  b: {image: x}\n",
            &["invalid-value 2:6 the service `a` wants a mapping, found a list"],
        ),
        ("services: [a]\n", &["invalid-value 1:11 `services` wants a mapping, found a list"]),
        ("services:\n  a b: {image: x}\n", &["invalid-value 2:3 `a b` is no id: ids have no white space"]),
        (
            "services:\n  a: {image: x, deploy: {replicas: many}}\n",
            &["invalid-value 2:36 replicas are a whole number, found `many`"],
        ),
        (
            "services:\n  a: {image: x, healthcheck: {test: t, interval: 5 sec}}\n",
            &["invalid-value 2:50 `5 sec` has the unknown unit `sec`: write `5s`"],
        ),
    ] {
        assert_eq!(one(text).findings, expected, "{text}");
    }
}

#[test]
fn chains_are_followed_so_far() {
    let chain = |n: usize| {
        let links = (0..n).flat_map(|i| [format!("  s{i}: {{extends: s{}}}\n", i + 1)]);
        format!("services:\n{}  s{n}: {{image: x}}\n", links.collect::<String>())
    };
    assert!(one(&chain(20)).findings.is_empty());
    let said = one(&chain(200)).findings;
    assert!(
        said.iter().all(|f| f.contains("extends more than 32 levels deep")) && !said.is_empty(),
        "{said:?}"
    );
}

#[test]
fn services_keep_what_is_known_of_them() {
    let said = import(
        &[
            (
                "compose.yaml",
                "services:\n  db: {image: 'postgres:15', deploy: {replicas: 2}}\n  cache: {image: docker.io/valkey/valkey}\n\
                 \x20 k: {image: 'confluentinc/cp-kafka:7'}\n  off: {image: x, scale: 0, healthcheck: {disable: true}}\n\
                 \x20 web:\n    image: w\n    deploy: {replicas: '${N}'}\n    profiles: [full]\n    environment: {B: 'k:9092', D: 'db:5432', O: 'grpc://off:1'}\n\
                 \x20   healthcheck:\n      test: [CMD, curl, 'http://localhost/ready?x']\n      interval: 1m30s\n      timeout: 500ms\n      retries: \"4\"\n",
            ),
            (".env", "N=3"),
        ],
        &["compose.yaml"],
    );
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    let document = &said.imported.document.document;
    let stores = &document.datastores.as_ref().unwrap().0;
    let kinds: Vec<_> =
        stores.iter().map(|(id, d)| (id.as_str(), d.kind.unwrap().value, d.replicas.map(|r| r.0))).collect();
    assert_eq!(kinds, [("db", DatastoreKind::Postgres, Some(2)), ("cache", DatastoreKind::Redis, None)]);
    let services = &document.services.as_ref().unwrap().0;
    let get = |id: &str| &services.get(id).unwrap().value;
    assert_eq!(get("k").technology.as_ref().unwrap().0[0].value, "kafka");
    assert_eq!(get("off").status.unwrap().word(), "stopped");
    assert!(matches!(*get("off").health_check.as_ref().unwrap().value, Switch::Off));
    let web = get("web");
    assert_eq!(web.replicas.unwrap().0, 3);
    assert_eq!(said.sources.text(web.replicas.unwrap().span), "'${N}'");
    let Switch::On(check) = &*web.health_check.as_ref().unwrap().value else { panic!("a check") };
    let said_of_check = (
        check.interval.unwrap().to_string(),
        check.timeout.unwrap().to_string(),
        check.unhealthy_threshold.unwrap().0,
    );
    assert_eq!(said_of_check, ("1m30s".to_owned(), "500ms".to_owned(), 4));
    assert_eq!(check.path.as_ref().unwrap().value, "/ready");
    let protocols = document.communications.as_ref().unwrap().iter();
    let protocols: Vec<_> = protocols.map(|c| c.policy.protocol.map(|p| p.value)).collect();
    assert_eq!(protocols, [Some(Protocol::EventStream), None, Some(Protocol::Grpc)]);
    assert!(said.notes().iter().any(|n| n.contains("web (full)")));
}

#[test]
fn a_proxy_calls_who_wears_its_labels() {
    let system = "services:\n  edge: {image: 'traefik:3'}\n  a: {image: a, labels: [traefik.enable=true, 'traefik.http.routers.a.rule=Host(`a`)']}\n\
        \x20 b: {image: b, labels: {traefik.enable: 'false', traefik.http.routers.b.rule: x}}\n  c: {image: c}\n";
    check(system, &["edge>a"]);
}

#[test]
fn what_is_not_there_is_said() {
    let said = one("services:\n  a: {image: a}\n  b: {image: b}\n");
    assert_eq!(
        said.notes(),
        [
            "no address of another service stands in compose.yaml: edges cannot be known from there; add traces or an overlay"
        ]
    );
    let said = one(
        "services:\n  a: {image: '${TAG}', depends_on: [b]}\n  b: {image: '${V:?choose one}'}\n  c: {image: c}\n",
    );
    let notes = said.notes();
    assert!(notes.contains(
        &"no edge stands in compose.yaml for 1 of 3 services; they may have some that stand elsewhere: `c`"
    ));
    assert!(notes.contains(&"`V` must be set where compose runs: choose one"));
    assert!(notes.iter().any(|n| n.starts_with("taken as empty") && n.ends_with(": `TAG`")), "{notes:?}");
}

#[test]
fn keys_compose_does_not_know_are_mistakes() {
    let said = one("x-own: { a: b }
service: {}
services:
  web:
    image: x/web
    enviroment: [A=http://db]
    x-mine: 1
    healthcheck: { tset: [CMD, x] }
    deploy: { replica: 2 }
  db: { image: postgres }
");
    assert_eq!(
        said.findings,
        [
            "unknown-field 2:1 unknown key `service` in the document",
            "unknown-field 6:5 unknown key `enviroment` in `web`",
            "unknown-field 8:20 unknown key `tset` in `healthcheck`",
            "unknown-field 9:15 unknown key `replica` in `deploy`",
        ]
    );
    let help: Vec<_> = said.imported.findings.iter().map(|f| f.help[0].clone()).collect();
    let wanted = ["services", "environment", "test", "replicas"].map(|key| format!("did you mean `{key}`?"));
    assert_eq!(help, wanted);
}

#[test]
fn compose_files_are_told_from_our_own() {
    for (name, text, expected) in [
        ("docker-compose.yml", "services: {a: {image: x}}", true),
        ("shop.yaml", "services: {a: {image: x}}", true),
        ("shop.yaml", "services: {a: {build: .}, b: }", true),
        ("compose.full.yaml", "services: {a: {environment: [X]}}", true),
        ("any.yaml", "services: {a: {depends_on: [b]}}", true),
        ("any.yaml", "services: {a: {extends: {service: x}}}", true),
        ("any.yaml", "services: {a: }\nvolumes: {v: }", true),
        ("docker-compose.yml", "include: [a/b.yaml]", true),
        ("app.yaml", "include: [{path: v3/docker-compose.yml}]", true),
        ("app.yaml", "include: [v3/docker-compose.yml]", true),
        ("compose.extras.yaml", "# nothing", true),
        ("compose.yaml", "volumes: {a: }", true),
        ("loadpath.yaml", "# nothing", false),
        ("loadpath.yaml", "include: [teams/*.yaml]", false),
        ("loadpath.yaml", "services: {a: , b: }", false),
        ("loadpath.yaml", "services: {a: {replicas: 2}}", false),
        ("compose.yaml", "services: {a: {endpoints: [x]}}", false),
        ("compose.yaml", "services: {a: {image: x}}\ntraffic: []", false),
        ("compose.yaml", "services: {a: {ports: [1], replicas: 2, owner: x}}", false),
        ("x.yaml", "services: {a: {image: x}}\nimport: [{compose: y}]", false),
        ("deploy.yaml", "kind: Deployment\nspec: {}", false),
        ("x.yaml", "services: [mysql]", false),
        ("x.yaml", "[1, 2]", false),
    ] {
        let loader = MemoryLoader::new([(name, text)]);
        let mut reader = Reader::new(&loader, Limits::default());
        let tree = reader.root(name).unwrap();
        assert_eq!(recognise(&format!("dir/{name}"), &tree).is_some(), expected, "{name}: {text}");
    }
    assert!(by_name("compose").is_some() && by_name("cobol").is_none());
}

/// A text that has every construct, to be damaged.
const RICH: &str = "x-e: &e {A: 'http://b:${P:-80}', B: $$x}\ninclude: [{path: [i.yaml]}]\nservices:\n  a:\n    image: ${I:-r/i:${T-1}}\n\
    \x20   extends: {file: i.yaml, service: z}\n    environment: {<<: *e, C: , D_HOST: 'b,c'}\n    env_file: [{path: e.env, required: false}]\n\
    \x20   command: [\"-h\", b, 'x://u:p@b:1,c:2/é']\n    depends_on: {b: {condition: service_healthy}}\n    ports: ['1-3:4', {published: 5}]\n\
    \x20   networks: {n: {aliases: [q]}, m: }\n    links: ['b:bb']\n    healthcheck: {test: NONE, retries: 3, interval: 5s}\n\
    \x20 b: {image: postgres, deploy: {replicas: 2}, labels: [traefik.enable=true]}\n  c: !reset {image: traefik}\n";

proptest! {
    #[test]
    fn damaged_files_never_panic(
        edits in prop::collection::vec((0_usize..1200, "[ -~é\\n]{0,4}", 0_usize..9), 0..8),
        env in "([A-Z]{1,2}[=:][ -~\\n]{0,12}\\n?){0,4}",
    ) {
        let mut chars: Vec<char> = RICH.chars().collect();
        for (at, text, cut) in edits {
            let at = at % (chars.len() + 1);
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, text.chars());
        }
        let text: String = chars.into_iter().collect();
        let files = [("compose.yaml", text.as_str()), (".env", &env), ("e.env", &env), ("i.yaml", "services: {z: {extends: z, command: x}}")];
        let first = import(&files, &["compose.yaml", "compose.yaml"]);
        let second = import(&files, &["compose.yaml", "compose.yaml"]);
        prop_assert_eq!(first.evidence(), second.evidence());
        prop_assert_eq!(first.findings, second.findings);
    }

    #[test]
    fn any_text_expands(text in "[$:{}A?+\\-é ]{0,40}") {
        let vars: Vars = [("A".to_owned(), "a".to_owned())].into();
        let expanded = expand(&text, &vars);
        for at in 0..expanded.text.len() {
            if let Some(range) = expanded.source(at..at + 1) {
                prop_assert!(range.end <= text.len());
            }
        }
    }
}

/// Files of the disk, for the corpus.
struct Disk;

impl Loader for Disk {
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        std::fs::read(path).map_err(|_| LoadError::NotFound)
    }
    fn glob(&self, pattern: &str) -> Result<Vec<String>, LoadError> {
        Ok(vec![pattern.to_owned()])
    }
}

type Pairs = std::collections::BTreeSet<(String, String)>;

fn pairs(truth: &serde_json::Value, key: &str) -> Pairs {
    let edges = truth[key].as_array().into_iter().flatten();
    edges.map(|e| (e[0].as_str().unwrap().to_owned(), e[1].as_str().unwrap().to_owned())).collect()
}

/// Precision, recall of what the files show, recall of all: as `score.py` counts them.
fn score(set: &str, truth: &str, files: &[&str]) -> Option<(f64, f64, f64)> {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let Ok(text) = std::fs::read_to_string(corpus.join("truth").join(truth)) else {
        println!("skipped: {} is not there", corpus.join("truth").join(truth).display());
        return None;
    };
    let truth: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut reader = Reader::new(&Disk, Limits::default());
    let paths = files.iter().map(|f| corpus.join(set).join(f).to_string_lossy().into_owned());
    let trees: Vec<_> = paths.map(|path| ImportFile::from(reader.root(&path).unwrap())).collect();
    let imported = (compose::FORMAT.import)(&mut reader, trees);
    let edges: Pairs = imported.evidence.iter().map(|e| (e.from.clone(), e.to.clone())).collect();
    let known: Vec<_> = truth["services"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    let mut neutral = Pairs::new();
    for key in ["optional_edges", "telemetry_edges", "external_edges"] {
        neutral.extend(pairs(&truth, key));
    }
    let true_edges = pairs(&truth, "edges");
    let details = truth["edge_details"].as_array().unwrap().iter().filter(|e| e["recoverable"] == true);
    let evident: Pairs = details
        .map(|e| (e["from"].as_str().unwrap().to_owned(), e["to"].as_str().unwrap().to_owned()))
        .collect();
    let within = |e: &&(String, String)| known.contains(&e.0.as_str()) && known.contains(&e.1.as_str());
    let reported: Pairs = edges.iter().filter(|e| !neutral.contains(e)).filter(within).cloned().collect();
    let hits = reported.intersection(&true_edges).count() as f64;
    let list =
        |all: &Pairs, but: &Pairs| all.difference(but).map(|(a, b)| format!("{a}>{b}")).collect::<Vec<_>>();
    println!("{set}: wrong {:?}, missing {:?}", list(&reported, &true_edges), list(&evident, &edges));
    let shown = evident.intersection(&edges).count() as f64;
    Some((hits / reported.len() as f64, shown / evident.len() as f64, hits / true_edges.len() as f64))
}

#[test]
fn real_systems_are_read_as_measured() {
    for (set, truth, files, least) in [
        (
            "03-otel-demo-compose",
            "otel-demo.json",
            &["compose.yaml", "compose.full.yaml"][..],
            (0.97, 1.0, 1.0),
        ),
        (
            "01-sockshop-compose",
            "sock-shop-compose.json",
            &["deploy/docker-compose/docker-compose.yml"],
            (1.0, 1.0, 0.12),
        ),
        (
            "04-dsb-socialnetwork-compose",
            "dsb-social-network.json",
            &["socialNetwork/docker-compose.yml"],
            (0.83, 1.0, 0.15),
        ),
    ] {
        let Some((precision, evident, all)) = score(set, truth, files) else { continue };
        println!("{set}: precision {precision:.3}, recall of evident {evident:.3}, recall of all {all:.3}");
        assert!(
            precision >= least.0 && evident >= least.1 && all >= least.2,
            "{set}: {precision} {evident} {all}"
        );
    }
}
