//! Guards of the rules of `interfaces`.

use crate::support::{BOUNDED, calls, check, words};

#[test]
fn guards_of_protocol_mismatch() {
    let found = ["error protocol-mismatch"];
    let system = |call: &str, endpoint: &str, kinds: (&str, &str)| {
        format!(
            "{BOUNDED}\nservices:\n  a: {{ kind: {}, endpoints: {{ E: {{ calls: [{{ call: b, {call} }}] }} }} }}\n  \
             b: {{ kind: {}, endpoints: {{ {endpoint} }} }}\n",
            kinds.0, kinds.1
        )
    };
    let services = ("service", "service");
    for (call, endpoint, wrong) in [
        ("protocol: http", "F: { protocol: grpc }", true),
        ("protocol: grpc", "F: { protocol: grpc }", false),
        ("protocol: message_queue", "F: { protocol: http }", true),
        // What one side does not say is not wrong.
        ("protocol: http", "F: {}", false),
        ("", "F: { protocol: grpc }", false),
        // A method and a path are HTTP, but a queue may hand its messages to them.
        ("protocol: grpc", "GET /f: {}", true),
        ("protocol: http", "GET /f: {}", false),
        ("protocol: grpc", "/f: {}", false),
        ("protocol: message_queue", "POST /f: {}", false),
        ("protocol: grpc", "GET /f: { protocol: grpc }", false),
        ("method: POST", "GET /f: {}", true),
        ("method: get", "GET /f: {}", false),
        ("method: HEAD", "GET /f: {}", false),
        ("method: HEAD", "POST /f: {}", true),
        ("method: POST", "/f: {}", false),
        ("method: POST", "F: {}", false),
        // One call, one finding.
        ("protocol: http, method: POST", "GET /f: { protocol: grpc }", true),
    ] {
        check(&system(call, endpoint, services), if wrong { &found } else { &[] });
    }
    // Gateways translate, on either side.
    check(&system("protocol: http", "F: { protocol: grpc }", ("gateway", "service")), &[]);
    check(&system("protocol: http", "F: { protocol: grpc }", ("service", "gateway")), &[]);
    check(&system("protocol: http", "F: { protocol: grpc }", ("bff", "service")), &found);
    // A path with the method that is said is the one that is meant.
    let two =
        |call: &str| system(call, "GET /f: {}, POST /f: {}", services).replacen("call: b,", "call: b /f,", 1);
    check(&two("method: POST"), &[]);
    check(&two("method: GET"), &[]);
    check(&two("method: PUT"), &found);
    let inherited = system("", "F: { protocol: grpc }", services).replacen(
        "timeout: 1s",
        "protocol: http, timeout: 1s",
        1,
    );
    check(&inherited, &found);
    assert!(words(&inherited).contains("http here (from defaults at line 1)"), "{}", words(&inherited));
    // Listed on its own, and as a fallback.
    let listed = "services: { a: { endpoints: [E] }, b: { endpoints: { F: { protocol: grpc } } } }
communications: [{ from: a, to: b, protocol: http, timeout: 1s }]";
    check(listed, &found);
    let fallback = "fallback: { call: c, protocol: http }";
    let fallback = format!(
        "{}  c: {{ endpoints: {{ F: {{ protocol: grpc }} }} }}\n",
        system(fallback, "F: {}", services)
    );
    check(&fallback, &found);
}

#[test]
fn guards_of_calls_deprecated() {
    // Judged on 2026-06-01.
    let (warning, error) = (["warning calls-deprecated"], ["error calls-deprecated"]);
    let system = |about: &str, a: &str, b: &str| {
        let text = calls(BOUNDED, &["a > b.F"]);
        let text = text.replacen("F: {", &format!("F: {{ {about},"), 1);
        let text = text.replacen("  a:\n", &format!("  a:\n    owner: {a}\n"), 1);
        text.replacen("  b:\n", &format!("  b:\n    owner: {b}\n"), 1)
    };
    for (about, expected) in [
        ("deprecated: true", &warning[..]),
        ("deprecated: true, sunset: 2026-06-02", &warning),
        ("deprecated: true, sunset: 2026-06-01", &error),
        ("deprecated: true, sunset: 2020-01-01", &error),
        ("sunset: 2026-06-02", &warning),
        ("sunset: 2026-06-01", &error),
        ("deprecated: false", &[]),
        ("deprecated: false, sunset: 2020-01-01", &[]),
        ("version: v1", &[]),
    ] {
        check(&system(about, "x", "y"), expected);
        // The same team knows.
        check(&system(about, "x", "x"), &[]);
    }
    let own = "defaults: { call: { timeout: 1s } }\nservices: { a: { endpoints: { E: { calls: [call: a F] }, F: { deprecated: true } } } }";
    check(own, &["warning cyclic-dependency"]);
    // Without owners nobody is the same team.
    let nobody = calls(BOUNDED, &["a > b.F"]).replacen("F: {", "F: { deprecated: true,", 1);
    check(&nobody, &warning);
    // What goes away itself need not move, unless what it calls is gone.
    let leaving = |day: &str| {
        let text = system(&format!("deprecated: true, sunset: {day}"), "x", "y");
        text.replacen("E: {", "E: { deprecated: true,", 1)
    };
    check(&leaving("2026-06-02"), &[]);
    check(&leaving("2026-06-01"), &error);
    // A call of the service, which has others too, is not known to go there.
    let several =
        "services: { a: { dependencies: [b] }, b: { endpoints: { E: {}, F: { deprecated: true } } } }";
    check(several, &[]);
    let said = words(&system("sunset: 2026-06-02", "x", "y"));
    assert!(said.contains("call what replaces it until 2026-06-02; `y` knows what does"), "{said}");
}

#[test]
fn guards_of_unversioned_public_endpoint() {
    let found = ["info unversioned-public-endpoint"];
    let system = |service: &str, endpoint: &str| {
        format!(
            "services:\n  a: {{ kind: bff, exposure: public, endpoints: [GET /v1/a], dependencies: [b] }}\n  \
             b: {{ {service} endpoints: {{ {endpoint} }} }}\n"
        )
    };
    let public = "exposure: public,";
    check(&system(public, "GET /carts: {}"), &found);
    check(&system("", "GET /carts: { exposure: public }"), &found);
    check(&system(public, "Convert: {}"), &found);
    check(&system("", "GET /carts: {}"), &[]);
    check(&system(public, "GET /carts: { exposure: internal }"), &[]);
    check(&system(public, "GET /carts: { version: v1 }"), &[]);
    for name in [
        "GET /v2/carts",
        "GET /2024-01-31/carts",
        "shop.v1.Cart/Get",
        "GET /healthz",
        "GET /",
        "POST /graphql",
        "GET /robots.txt",
    ] {
        check(&system(public, &format!("{name}: {{}}")), &[]);
    }
    check(&system("exposure: public, health_check: { path: /up },", "GET /up: {}"), &[]);
    check(&system("exposure: public, external: true,", "GET /carts: {}"), &[]);
    check(
        &system("exposure: public, consumes: { q: {} },", "GET /v1/x: {}").replacen(
            "services:",
            "queues: { q: { external_producers: true } }\nservices:",
            1,
        ),
        &[],
    );
    // A system without versions does not speak of them.
    check(&system(public, "GET /carts: {}").replace("/v1/a", "/a"), &[]);
}

#[test]
fn guards_of_hard_coded_address() {
    let (warning, info) = (["warning hard-coded-address"], ["info hard-coded-address"]);
    let system = |about: &str| format!("services: {{ a: {{ dependencies: [b], {about} }}, b: {{}} }}");
    for (value, is_found) in [
        ("10.1.2.3", true),
        ("10.1.2.3:8080", true),
        ("http://10.1.2.3/v1", true),
        ("redis://user@10.1.2.3:6379/0", true),
        ("fd00::5", true),
        ("[fd00::5]:80", true),
        ("cart:80,10.1.2.3:80", true),
        ("8.8.8.8", true),
        ("127.0.0.1:80", false),
        ("http://127.9.9.9", false),
        ("::1", false),
        ("[::1]:80", false),
        ("0.0.0.0:80", false),
        ("::", false),
        ("192.0.2.7", false),
        ("198.51.100.7", false),
        ("203.0.113.7", false),
        ("2001:db8::7", false),
        ("169.254.169.254", false),
        ("fe80::1", false),
        ("224.0.0.1", false),
        ("ff02::1", false),
        ("255.255.255.255", false),
        ("10.0.0.0/8", false),
        ("10.0.0.256", false),
        ("10.0.0", false),
        ("cart:8080", false),
        ("v10.1.2.3", false),
        ("localhost", false),
    ] {
        check(
            &system(&format!("environment: {{ B_ADDR: '{value}' }}")),
            if is_found { &warning } else { &[] },
        );
        check(&system(&format!("metadata: {{ addr: '{value}' }}")), if is_found { &info } else { &[] });
        let one = is_found && !value.contains(',');
        check(
            &system(&format!("instances: [{{ host: '{value}' }}, {{ host: b.local }}]")),
            if one { &info } else { &[] },
        );
    }
    check(&system("environment: { AGENT_VERSION: 1.2.3.4, POOL_CIDR: 10.1.2.3, NETMASK: 10.1.2.3 }"), &[]);
    // Each name is one cause; the instances of a service are one.
    check(&system("environment: { A: 10.1.2.3, B: 10.1.2.3 }"), &["warning hard-coded-address"; 2]);
    check(&system("instances: [{ host: 10.1.2.3 }, { host: 10.1.2.4 }, { host: b.local }]"), &info);
    let store =
        "services: { a: { dependencies: [d] } }\ndatastores: { d: { environment: { PEER: 10.1.2.3 } } }";
    check(store, &warning);
}

#[test]
fn guards_of_missing_gateway() {
    let found = ["info missing-gateway"];
    let system = |lint: &str, services: &[&str]| {
        let list = services.iter().enumerate().map(|(i, about)| format!("  s{i}: {{ {about} }}\n"));
        let names = (0..services.len()).map(|i| format!("s{i}")).collect::<Vec<_>>().join(", ");
        format!("{lint}\nservices:\n  hub: {{ dependencies: [{names}] }}\n{}", list.collect::<String>())
    };
    let public = "exposure: public";
    check(&system("", &[public; 3]), &found);
    check(&system("", &[public; 2]), &[]);
    check(&system("", &["endpoints: { E: { exposure: public, version: v1 } }"; 3]), &found);
    check(&system("", &["exposure: internal"; 3]), &[]);
    check(&system("", &[public, public, "exposure: public, external: true"]), &[]);
    check(&system("", &[public, public, "exposure: public, kind: gateway"]), &[]);
    check(&system("", &[public, public, public, "kind: bff"]), &[]);
    // All its endpoints are taken back in.
    check(&system("", &[public, public, "exposure: public, endpoints: { E: { exposure: internal } }"]), &[]);
    let max = |max: u32| format!("lint: {{ rules: {{ missing-gateway: {{ max: {max} }} }} }}");
    check(&system(&max(3), &[public; 3]), &[]);
    check(&system(&max(1), &[public; 2]), &found);
}
