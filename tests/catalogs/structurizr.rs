//! Structurizr: the DSL and the JSON of one workspace say the same; the public examples.

use crate::{corpus, read, read_some};
use serde_json::Value;

pub const DSL: &str = "workspace \"Shop\" {
  !identifiers hierarchical
  !const TECH \"Java\"
  model {
    archetypes {
      api = container {
        technology \"${TECH} and Spring\"
        tag \"API\"
      }
      https = -> {
        technology \"HTTPS\"
      }
    }
    customer = person \"Customer\"
    payments = softwareSystem \"Payments\"
    shop = softwareSystem \"Online Shop\" {
      group \"Core\" {
        web = api \"Web\" {
          --https-> payments \"charges\"
          login = component \"Login\" {
            -> shop.orders \"keeps sessions\"
          }
        }
      }
      orders = container \"Orders\" \"\" \"PostgreSQL 16\" \"Store\"
      container \"Order Events\" \"\" \"Kafka topic\" \"Bus\" {
        web -> this \"publishes\"
      }
      !include mailer.dsl
      orders -> web \"notifies\"
    }
    customer -> shop.web \"orders\"
    shop -> payments \"charges\"
    deploymentEnvironment \"Live\" {
      deploymentNode \"x\" {
        containerInstance shop.web
      }
    }
    !script groovy {
      x -> y
    }
  }
  views {
    styles {
      element \"Store\" {
        shape cylinder
      }
      element \"Bus\" {
        shape Pipe
      }
    }
  }
}
";
const MAILER: &str = "mailer = container \"Mailer\" {\n  -> web \"asks\" \"gRPC\"\n}\n";

#[test]
fn the_language_is_read_as_structurizr_reads_it() {
    let said = read_some(&[("x/workspace.dsl", DSL), ("x/mailer.dsl", MAILER)], 1);
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    assert_eq!(said.nodes(), ["payments", "web", "mailer", "orders", "order-events"]);
    assert_eq!(said.edges(), ["mailer>web", "web>order-events", "web>orders", "web>payments"]);
    let web = said.arch.graph.node_weights().find(|n| *n.id == *"web").unwrap();
    assert!(web.service().unwrap().exposure.is_some(), "a person uses it");
    let notes = [
        "`!script` is not covered and was passed over: x/workspace.dsl:39",
        "not drawn, since a datastore calls nobody: Orders → Web",
    ];
    assert_eq!(said.notes, notes);
}

#[test]
fn mistakes_are_told_at_their_bytes() {
    let text = "workspace {
  model {
    a = softwareSystem \"A\" {
      b = container \"B\"
      b = container \"C\"
    }
    a.b -> gone \"x\"
    b -> bb
    !include ../secret.dsl
    !include https://example.com/x.dsl
    !include workspace.dsl
  }
";
    let said = read(&[("x/workspace.dsl", text)]);
    let starts = [
        "include-cycle 11:14 `x/workspace.dsl` includes itself",
        "duplicate-definition 5:7 the identifier `b` is there twice",
        "invalid-value 1:1 this block has no end",
        "invalid-value 7:5 no element is called `a.b`",
        "invalid-value 7:12 no element is called `gone`",
        "invalid-value 8:10 no element is called `bb`",
    ];
    for start in starts {
        assert!(said.findings.iter().any(|f| f.starts_with(start)), "{start}: {:?}", said.findings);
    }
    assert!(said.notes.iter().any(|n| n.starts_with("`../secret.dsl` is not followed")), "{:?}", said.notes);
    assert!(said.notes.iter().any(|n| n.ends_with("nothing is fetched")), "{:?}", said.notes);
}

pub const JSON: &str = r#"{ "name": "Shop", "model": {
  "people": [{ "id": "1", "name": "Customer", "relationships": [{ "id": "9", "sourceId": "1", "destinationId": "3" }] }],
  "softwareSystems": [
    { "id": "2", "name": "Online Shop", "containers": [
      { "id": "3", "name": "Web", "tags": "Element,Container", "properties": { "structurizr.dsl.identifier": "web" },
        "components": [{ "id": "5", "name": "Login", "relationships": [
          { "id": "10", "sourceId": "5", "destinationId": "4", "technology": "JDBC" },
          { "id": "11", "sourceId": "5", "destinationId": "6", "technology": "HTTPS" }] }],
        "relationships": [{ "id": "12", "sourceId": "3", "destinationId": "6", "linkedRelationshipId": "11" }] },
      { "id": "4", "name": "Orders", "technology": "PostgreSQL", "tags": "Element,Container,Store" }] },
    { "id": "6", "name": "Payments" }] },
  "views": { "configuration": { "styles": { "elements": [{ "tag": "Store", "shape": "Cylinder" }] } } } }"#;

#[test]
fn exported_workspaces_are_read() {
    let said = read(&[("workspace.json", JSON)]);
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    assert_eq!(said.nodes(), ["web", "payments", "orders"]);
    assert_eq!(said.edges(), ["web>orders", "web>payments"]);
    assert!(said.notes.is_empty(), "{:?}", said.notes);
}

#[test]
fn the_public_microservices_are_found_whole() {
    let Some(truth) = corpus("truth/structurizr-microservices.json") else { return };
    let truth: Value = serde_json::from_str(&truth).unwrap();
    let Some(text) = corpus("20-c4-asyncapi/examples/dsl/microservices/workspace.dsl") else { return };
    let said = read(&[("workspace.dsl", &text)]);
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    // The truth names datastores in words of its own, and has the user as a node: persons are outside here.
    let store = |word: &str| word.strip_suffix(" datastore").map(|s| s.to_lowercase().replace(' ', "-"));
    let ends =
        truth["edges"].as_array().unwrap().iter().map(|e| (e[0].as_str().unwrap(), e[1].as_str().unwrap()));
    let mut expected: Vec<_> = ends
        .filter(|(from, _)| *from != "user")
        .map(|(from, to)| format!("{from}>{}", store(to).unwrap_or_else(|| to.to_owned())))
        .collect();
    expected.sort();
    let plain = |edge: String| edge.replace("-database-schema", "").replace("-database", "");
    assert_eq!(said.edges().into_iter().map(plain).collect::<Vec<_>>(), expected);
    let public = said.arch.graph.node_weights().filter(|n| n.service().is_some_and(|s| s.exposure.is_some()));
    assert_eq!(public.map(|n| n.id.to_string()).collect::<Vec<_>>(), ["nginx", "spa"]);
}

#[test]
fn the_public_bank_says_the_same_in_both_forms() {
    let Some(dsl) = corpus("20-c4-asyncapi/examples/dsl/big-bank-plc/workspace.dsl") else { return };
    let Some(json) = corpus("20-c4-asyncapi/java/structurizr-export/src/test/resources/big-bank-plc.json")
    else {
        return;
    };
    let (dsl, json) = (read(&[("workspace.dsl", &dsl)]), read(&[("big-bank-plc.json", &json)]));
    assert!(dsl.findings.is_empty() && json.findings.is_empty(), "{:?} {:?}", dsl.findings, json.findings);
    // Structurizr keeps identifiers in small letters.
    let lower: Vec<_> = dsl.edges().iter().map(|e| e.to_lowercase()).collect();
    assert_eq!(lower, json.edges());
    assert!(dsl.edges().contains(&"apiApplication>mainframe".to_owned()), "{:?}", dsl.edges());
}

#[test]
fn deep_and_long_workspaces_end() {
    let deep = format!("workspace {{\nmodel {{\n{}", "group \"x\" {\n".repeat(100_000));
    let said = read(&[("workspace.dsl", &deep)]);
    assert!(said.findings.iter().any(|f| f.starts_with("limit-exceeded")), "{:?}", said.findings);
    let bomb = "workspace {\nmodel {\n!include a.dsl\n!include a.dsl\n}\n}\n";
    let again = "!include b.dsl\n".repeat(1000);
    let files = [("workspace.dsl", bomb), ("a.dsl", again.as_str()), ("b.dsl", &"x\n".repeat(2000))];
    let said = read_some(&files, 1);
    assert!(said.findings.iter().any(|f| f.starts_with("limit-exceeded")), "{:?}", said.findings);
}
