//! Guards of the rules of `security`.

use crate::support::{ROOT, check, judged, words};
use loadpath::report::{CheckReport, FINDING_FORMATS, Style};

#[test]
fn guards_of_public_without_auth() {
    let found = ["error public-without-auth"];
    let system = |service: &str, endpoints: &str| {
        format!(
            "services:\n  a: {{ kind: gateway, dependencies: [b], {service} endpoints: {{ {endpoints} }} }}\n  b: {{}}\n"
        )
    };
    check(&system("exposure: public, auth: none,", "E: { version: v1 }"), &found);
    check(&system("exposure: public, auth: oidc,", "E: { version: v1 }"), &[]);
    check(&system("exposure: public,", "E: { version: v1 }"), &[]);
    check(&system("exposure: internal, auth: none,", "E: {}"), &[]);
    check(&system("auth: none,", "E: {}"), &[]);
    check(&system("exposure: public, auth: none,", "E: { auth: oidc, version: v1 }"), &[]);
    check(&system("exposure: public, auth: none,", "E: { exposure: internal }"), &[]);
    check(&system("auth: none,", "E: { exposure: public, version: v1 }"), &found);
    check(&system("exposure: public, auth: oidc,", "E: { auth: none, version: v1 }"), &found);
    // One word is one cause; each own word is one of its own.
    check(&system("exposure: public, auth: none,", "E: { version: v1 }, F: { version: v1 }"), &found);
    let two = system("exposure: public,", "E: { auth: none, version: v1 }, F: { auth: none, version: v1 }");
    check(&two, &["error public-without-auth"; 2]);
    // A service of which no endpoint is listed.
    check("services: { a: { exposure: public, auth: none, dependencies: [b] }, b: {} }", &found);
    // Before anybody can say who they are, and where nobody need be asked.
    for path in [
        "/healthz",
        "/health/live",
        "/ping",
        "/v1/login",
        "/sign-up",
        "/.well-known/jwks.json",
        "/robots.txt",
    ] {
        check(&system("exposure: public, auth: none,", &format!("GET {path}: {{}}")), &[]);
    }
    check(&system("exposure: public, auth: none, health_check: { path: /up },", "GET /up: {}"), &[]);
    check(&system("exposure: public, auth: none,", "GET /healthz: {}, GET /orders: {}"), &found);
}

#[test]
fn guards_of_unstated_auth() {
    let found = ["info unstated-auth"];
    let system = |service: &str, endpoints: &str| {
        format!(
            "lint: {{ rules: {{ unstated-auth: info }} }}\nservices:\n  a: {{ kind: gateway, dependencies: [b], \
             {service} endpoints: {{ {endpoints} }} }}\n  b: {{}}\n"
        )
    };
    check(&system("exposure: public,", "E: {}, F: {}"), &found);
    check(&system("", "E: { exposure: public }, F: {}"), &found);
    check(&system("", "E: {}"), &[]);
    check(&system("exposure: public, auth: oidc,", "E: {}"), &[]);
    check(&system("exposure: public,", "E: { auth: oidc }"), &[]);
    check(&system("exposure: public,", "GET /healthz: {}"), &[]);
    check(&system("exposure: public, external: true,", "E: {}"), &[]);
    check(&system("exposure: public,", "E: {}").replacen("info", "allow", 1), &[]);
    let plain = system("exposure: public,", "E: {}");
    check(plain.split_once('\n').unwrap().1, &[]);
}

#[test]
fn guards_of_plaintext_across_boundary() {
    let found = ["warning plaintext-across-boundary"];
    let system = |top: &str, call: &str, a: &str, b: &str| {
        format!(
            "{top}\nservices:\n  a: {{ {a} endpoints: {{ E: {{ calls: [{{ call: b, timeout: 1s, {call} }}] }} }} }}\n  \
             b: {{ {b} endpoints: [F] }}\n"
        )
    };
    let (dmz, core) = ("trust_zone: dmz,", "trust_zone: core,");
    check(&system("", "", dmz, core), &found);
    check(&system("", "tls: false", dmz, core), &found);
    check(&system("", "tls: true", dmz, core), &[]);
    check(&system("", "", core, core), &[]);
    check(&system("", "tls: false", core, core), &[]);
    // One side that says nothing is no boundary.
    check(&system("", "", dmz, ""), &[]);
    check(&system("", "", "", core), &[]);
    check(&system("", "tls: false", "", ""), &[]);
    // Said once for all calls, and by a mesh.
    check(&system("defaults: { call: { tls: true } }", "", dmz, core), &[]);
    check(&system("upstreams: { b: { tls: true } }", "", dmz, core), &[]);
    check(&system("mesh: { mtls: true }", "", dmz, core), &[]);
    check(&system("mesh: { mtls: false }", "", dmz, core), &found);
    let said = words(&system("defaults: { call: { tls: false } }", "", dmz, core));
    assert!(said.contains("switched off here (from defaults at line 1)"), "{said}");
    // What leaves the system: only what is said to be in the open, which no mesh changes.
    let external = "external: true,";
    check(&system("", "", "", external), &[]);
    check(&system("", "tls: false", "", external), &found);
    check(&system("mesh: { mtls: true }", "tls: false", "", external), &found);
    check(&system("mesh: { mtls: true }", "", dmz, "external: true, trust_zone: internet,"), &found);
    // Messages, and edges without detail.
    check(&system("", "protocol: message_queue", dmz, core), &[]);
    check("services: { a: { trust_zone: dmz, dependencies: [b] }, b: { trust_zone: core } }", &[]);
    // One connection is one cause.
    let twice = system("", "", dmz, core).replacen("calls: [", "calls: [{ call: b, timeout: 1s }, ", 1);
    check(&twice, &found);
    let store = |top: &str, store: &str| {
        format!(
            "{top}\nservices: {{ a: {{ trust_zone: core, endpoints: {{ E: {{ calls: [read: d, write: d] }} }} }} }}\n\
             datastores: {{ d: {{ {store} }} }}"
        )
    };
    check(&store("", "trust_zone: data"), &found);
    check(&store("", "trust_zone: data, tls: true"), &[]);
    check(&store("", "trust_zone: data, tls: false"), &found);
    check(&store("", "trust_zone: core"), &[]);
    check(&store("", ""), &[]);
    check(&store("mesh: { mtls: true }", "trust_zone: data"), &found);
}

/// A service with one variable.
fn variable(name: &str, value: &str) -> String {
    format!("services: {{ a: {{ dependencies: [b], environment: {{ {name}: '{value}' }} }}, b: {{}} }}\n")
}

#[test]
fn guards_of_inline_secret() {
    let found = ["error inline-secret"];
    for (name, value, is_found) in [
        ("DB_PASSWORD", "kR7vQ2mXz9Lw", true),
        ("dbPassword", "kR7vQ2mXz9Lw", true),
        ("client-secret", "kR7vQ2mXz9Lw", true),
        ("PGPASSWORD", "kR7vQ2mXz9Lw", true),
        ("apiKey", "kR7vQ2mXz9Lw", true),
        ("AWS_SECRET_ACCESS_KEY", "kR7vQ2mXz9LwkR7vQ2mXz9LwkR7vQ2mXz9LwkR7v", true),
        // Of two kinds: signs between words are none.
        ("DB_PASSWORD", "rain!over!hills", true),
        ("DB_PASSWORD", "rain-over_hills.", false),
        ("DB_PASSWORD", "rainoverhills", false),
        ("DB_PASSWORD", "rain9ov", false),
        ("DB_PASSWORD", "rain9ove", true),
        // The form alone.
        ("SETTING", "AKIAQ7RV2MXZ9LWB4TNC", true),
        ("SETTING", "ghp_kR7vQ2mXz9LwkR7vQ2mXz9LwkR7vQ2mXz9Lw", true),
        ("SETTING", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.kR7vQ2mXz9LwkR7vQ2mXz9Lw", true),
        ("DB_URL", "postgres://shop:kR7vQ2mXz9Lw@db:5432/shop", true),
        // Another name, another meaning.
        ("DB_HOST", "kR7vQ2mXz9Lw", false),
        ("PASSWORD_FILE", "kR7vQ2mXz9Lw", false),
        ("TOKEN_TTL", "kR7vQ2mXz9Lw", false),
        ("KEY", "kR7vQ2mXz9Lw", false),
        ("PARTITION_KEY", "kR7vQ2mXz9Lw", false),
        ("ALLOW_EMPTY_PASSWORD", "yes", false),
        // What stands for another.
        ("DB_PASSWORD", "${DB_PASSWORD}", false),
        ("DB_PASSWORD", "${DB_PASSWORD:-kR7vQ2mXz9Lw}", false),
        ("DB_PASSWORD", "$DB_PASSWORD", false),
        ("DB_PASSWORD", "<kR7vQ2mXz9Lw>", false),
        ("DB_PASSWORD", "{{ vault.Db9 }}", false),
        ("DB_PASSWORD", "changeme99", false),
        ("DB_PASSWORD", "Your-Password-9", false),
        ("DB_PASSWORD", "vault:kv/Shop9#db", false),
        ("DB_PASSWORD", "arn:aws:secretsmanager:eu:Shop9", false),
        ("DB_PASSWORD", "/run/secrets/Db9", false),
        ("TOKEN", "https://auth/v1/Issue9", false),
        ("SETTING", "AKIAIOSFODNN7EXAMPLE", false),
        ("DB_URL", "postgres://shop:${PW}@db:5432/shop", false),
        ("DB_URL", "postgres://shop@db:5432/shop", false),
        // Plain words and short ones.
        ("DB_PASSWORD", "postgres", false),
        ("DB_PASSWORD", "fake_password", false),
        ("DB_PASSWORD", "hunter2", false),
        ("DB_PASSWORD", "", false),
        ("DB_PASSWORD", "86400000000", false),
        ("DB_URL", "amqp://guest:guest@rabbit", false),
    ] {
        check(&variable(name, value), if is_found { &found } else { &[] });
    }
    check("services: { a: { dependencies: [b], metadata: { token: kR7vQ2mXz9Lw } }, b: {} }", &found);
    check(
        "services: { a: { dependencies: [d] } }\ndatastores: { d: { environment: { ROOT_PASSWORD: kR7vQ2mXz9Lw } } }",
        &found,
    );
    let pem = "services:\n  a:\n    dependencies: [b]\n    environment:\n      TLS: |\n        -----BEGIN PRIVATE KEY-----\n        MIIkR7vQ2mXz9Lw\n        -----END PRIVATE KEY-----\n  b: {}\n";
    check(pem, &found);
    // What two services take from one place is one secret.
    check(
        "services:\n  a: { dependencies: [b], environment: &e { PASSWORD: kR7vQ2mXz9Lw } }\n  b: { environment: *e }\n",
        &found,
    );
}

#[test]
fn a_secret_is_shown_nowhere() {
    // Not the one of the page, which SARIF carries.
    let secret = "Zq8tB4nYw6Hd";
    let url = format!("http://shop:{secret}@10.1.2.3/");
    let one_line = format!(
        "services: {{ a: {{ owner: x, dependencies: [b], environment: {{ URL: '{url}' }} }}, b: {{ environment: {{ B_TOKEN: {secret} }} }} }}\n"
    );
    let lines = format!(
        "services:\n  a:\n    dependencies: [b]\n    environment:\n      A_TOKEN: \"{secret}\"\n      ADDR: 10.1.2.3\n  b: {{}}\n"
    );
    let pem = format!(
        "services:\n  a:\n    dependencies: [b]\n    environment:\n      TLS: |\n        -----BEGIN PRIVATE KEY-----\n        {secret}\n  b: {{}}\n"
    );
    for text in [one_line, lines, pem] {
        let (mut findings, sources) = judged(&vec![(ROOT.to_owned(), text.clone().into_bytes())]);
        // Another finding shows every line there is, and the one that knows is not shown itself.
        let file = findings[0].primary.span.file;
        let mut all = findings[0].clone();
        for (at, line) in text
            .split_inclusive('\n')
            .scan(0, |at, line| Some((std::mem::replace(at, *at + line.len()), line)))
        {
            all = all.also(loadpath::source::Span::new(file, at as u32, (at + line.len()) as u32), "here");
        }
        for finding in &mut findings {
            finding.suppressed = true;
        }
        all.secrets.clear();
        findings.push(all);
        for format in FINDING_FORMATS {
            let report = CheckReport::new(&sources, &findings);
            let said = (format.render)(&[report], &Style { verbose: true, ..Style::default() });
            assert!(!said.contains(secret) && !said.is_empty(), "{}: {said}", format.name);
        }
        // Saved and shown again, and shown to a team it does not belong to.
        let mut saved = loadpath::report::read(&json(&CheckReport::new(&sources, &findings))).unwrap();
        saved.supply(ROOT, &text);
        for mut report in saved.reports() {
            report.only(&["x".to_owned()]);
            let human = loadpath::report::finding_format("human").unwrap();
            let said = (human.render)(&[report], &Style::default());
            assert!(!said.contains(secret), "{said}");
        }
    }
}

fn json(report: &CheckReport<'_>) -> String {
    let json = loadpath::report::finding_format("json").unwrap();
    (json.render)(std::slice::from_ref(report), &Style::default())
}
