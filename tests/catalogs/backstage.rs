//! Backstage: references, names, locations, and the public examples.

use crate::{corpus, one, read_some};

const CATALOG: &str = "apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: shop, title: The Shop, tags: [web] }
spec: { type: website, owner: user:jane, system: portal, consumesApis: [cart, 'Component:default/legacy', payments, nowhere] }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: cart-service }
spec:
  type: service
  owner: ops/basket
  providesApis: [cart]
  dependsOn: [resource:cart-db, 'resource:orders', component:helper]
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: { name: Cart }
spec: { type: grpc, lifecycle: deprecated }
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: { name: payments }
spec: { type: openapi, definition: { $text: ./payments.yaml }, owner: { $text: ./owner.txt } }
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: { name: cart-db }
spec: { type: postgresql-database, owner: ops/basket }
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: { name: orders }
spec: { type: kafka-topic, owner: ops/basket }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: helper }
spec: { type: library, dependsOn: [resource:cart-db] }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: legacy, namespace: default }
spec: { type: cronjob }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: shop, namespace: other }
spec: { type: service, consumesApis: [default/cart] }
";

#[test]
fn consumers_call_providers() {
    let said = one(CATALOG);
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    assert_eq!(
        said.nodes(),
        ["shop", "cart-service", "payments", "legacy", "shop.other", "cart-db", "orders"]
    );
    let expected = [
        "cart-service>cart-db",
        "cart-service>orders",
        "shop.other>cart-service",
        "shop>cart-service",
        "shop>legacy",
        "shop>payments",
    ];
    assert_eq!(said.edges(), expected);
    let node = |id: &str| said.arch.graph.node_weights().find(|n| *n.id == *id).unwrap();
    assert_eq!(node("shop").owner.as_ref().unwrap().value, "jane");
    assert_eq!(node("cart-service").owner.as_ref().unwrap().value, "ops/basket");
    let cart = &node("cart-service").service().unwrap().endpoints[0];
    assert_eq!(cart.name.value, "Cart");
    assert!(cart.deprecated.is_some_and(|d| d.value));
    assert!(node("payments").service().unwrap().external);
    let notes = [
        "`shop` consumes `Component:default/legacy`, which is no API but a component: taken for a dependency on it",
        "named, and not defined in these files: `api:nowhere` of `shop`",
        "left out, since a library is a part of what uses it: `helper`",
        "`$text` is not followed: what it says of `owner` of `payments` is not known",
    ];
    assert_eq!(said.notes, notes);
}

#[test]
fn what_is_wrong_is_said_where_it_stands() {
    let text = CATALOG
        .replace("name: legacy,", "name: '${{ values.name | dump }}',")
        .replace("component:helper", "helper")
        .replace("{ name: helper }", "{ name: my helper }")
        .replace("{ name: orders }", "{ name: cart-db }");
    let said = one(&text);
    let expected = [
        "invalid-value 13:52 `helper` is no reference to an entity",
        "duplicate-definition 32:19 the resource `cart-db` is there twice",
        "invalid-value 37:19 `my helper` is no name of an entity",
        "invalid-value 42:19 `${{ values.name | dump }}` is no name of an entity",
    ];
    let mut found: Vec<_> = said.findings.iter().filter(|f| !f.contains("undefined")).cloned().collect();
    found.sort_by_key(|f| f.split(' ').nth(1).and_then(|at| at.split(':').next()?.parse::<u32>().ok()));
    assert_eq!(found, expected);
}

#[test]
fn locations_lead_to_files_below_and_nowhere_else() {
    let all = "apiVersion: backstage.io/v1alpha1
kind: Location
metadata: { name: all }
spec: { targets: [./parts/a.yaml, '../secret.yaml', 'https://example.com/b.yaml', ./parts/more-*.yaml] }
";
    let part = |name: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{ name: {name} }}\nspec: {{ type: service }}\n"
        )
    };
    // It leads back, which is no circle: each file is read once.
    let back = format!(
        "{}---\napiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {{ name: back }}\nspec: {{ target: ../all.yaml }}\n",
        part("a")
    );
    let (more, secret) = (part("more"), part("secret"));
    let files = [
        ("x/all.yaml", all),
        ("x/parts/a.yaml", &back),
        ("x/parts/more-1.yaml", &more),
        ("secret.yaml", &secret),
    ];
    let said = read_some(&files, 1);
    assert!(said.findings.is_empty(), "{:?}", said.findings);
    assert_eq!(said.nodes(), ["a", "more"]);
    let notes = [
        "`../secret.yaml` is not followed: it lies outside of the folder of the file that was named",
        "`https://example.com/b.yaml` is not followed: nothing is fetched",
    ];
    assert!(notes.iter().all(|note| said.notes.iter().any(|n| n == note)), "{:?}", said.notes);
    let gone = all.replace("./parts/a.yaml", "./parts/gone.yaml");
    let said = read_some(&[("x/all.yaml", &gone)], 1);
    assert_eq!(said.findings, ["unreadable-file 4:19 cannot read `x/parts/gone.yaml`: no such file"]);
}

#[test]
fn the_public_examples_are_read() {
    let below = "19-backstage/stored-examples";
    let names = [
        "components/petstore-component",
        "components/searcher-component",
        "components/wayback-archive-component",
        "components/wayback-search-component",
        "components/www-artist-component",
        "components/artist-lookup-component",
        "components/invalid-component",
        "artists-db-resource",
        "artist-engagement-portal-system",
    ];
    let mut files = Vec::new();
    for name in names {
        let Some(text) = corpus(&format!("{below}/{name}.yaml")) else { return };
        files.push((format!("{name}.yaml"), text));
    }
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let said = read_some(&files, files.len());
    // Read by hand: wayback-search consumes what wayback-archive provides.
    let expected = ["artist-lookup>artists-db", "wayback-search>wayback-archive", "www-artist>artist-lookup"];
    assert_eq!(said.edges(), expected);
    assert_eq!(said.findings, ["invalid-value 4:9 `invalid component` is no name of an entity"]);
    assert!(said.notes.iter().any(|n| n.contains("there is a component of that name")), "{:?}", said.notes);
    let Some(template) = corpus("19-backstage/create-app/template/content/catalog-info.yaml") else { return };
    let said = one(&template);
    assert_eq!(said.findings, ["invalid-value 4:9 `${{ values.name | dump }}` is no name of an entity"]);
    assert!(said.nodes().is_empty());
}

pub const MUTATED: &str = CATALOG;
