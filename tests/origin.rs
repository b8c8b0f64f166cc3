//! The system of the formal definition and its operations: register, add communication, get by id and by
//! name, list, dependencies of, health of, graph.

use loadpath::model::{self, Architecture, Edge, EdgeKind, Node, NodeKind, Service};
use loadpath::source::{FileId, Span, Spanned};
use loadpath::spec::read_text;
use loadpath::spec::units::Duration;
use loadpath::spec::vocabulary::{Protocol, Status};

fn architecture() -> Architecture {
    let (documents, _, findings) =
        read_text("order-platform.yaml", include_str!("../examples/order-platform.yaml"));
    assert!(findings.is_empty(), "{findings:?}");
    let (arch, findings) = model::build(&documents);
    assert!(findings.is_empty(), "{findings:?}");
    arch
}

#[test]
fn three_services_with_endpoints_status_and_health_paths() {
    let arch = architecture();
    let listed: Vec<_> = arch.services().map(|(_, node, _)| node.id.value.as_str()).collect();
    assert_eq!(listed, ["user-service", "order-service", "payment-service"]);
    for (_, _, service) in arch.services() {
        assert_eq!(service.status.map(|s| s.value), Some(Status::Healthy));
        assert_eq!(service.version.as_deref(), Some("1.0.0"));
        let health = service.health_check.as_ref().and_then(|h| h.value.on()).and_then(|h| h.path.as_ref());
        assert_eq!(health.map(|p| p.value.as_str()), Some("/health"));
    }
    let orders = arch.find("order-service").and_then(|n| arch.graph[n].service()).unwrap();
    let endpoints: Vec<_> = orders.endpoints.iter().map(|e| e.name.value.as_str()).collect();
    assert_eq!(endpoints, ["GET /orders", "POST /orders"]);
}

#[test]
fn the_communication_is_one_edge_of_get_five_seconds_and_three_retries() {
    let arch = architecture();
    let (orders, users) = (arch.find("order-service").unwrap(), arch.find("user-service").unwrap());
    let between: Vec<_> = arch.outgoing(orders).into_iter().filter(|e| arch.ends(*e).1 == users).collect();
    assert_eq!(between.len(), 1, "`dependencies` names the same target: it is the same edge");
    let edge = &arch.graph[between[0]];
    assert_eq!(edge.protocol(), Some(Protocol::Http));
    assert_eq!(edge.policy.method.as_ref().map(|m| m.value.as_str()), Some("GET"));
    assert_eq!(edge.attempts(), 4, "three retries beside the first attempt");
    assert_eq!(edge.per_try_timeout().map(|t| t.value), Some(Duration::from_millis(5_000)));
    assert_eq!(arch.edge_label(between[0]), "order-service → user-service GET /users/{id}");
    let sources: Vec<_> = edge.evidence.iter().map(|e| &*e.source).collect();
    assert_eq!(sources, ["dependencies", "communications"]);
}

#[test]
fn questions_are_answered_in_document_order() {
    let arch = architecture();
    let orders = arch.service_named("Order Service").unwrap();
    assert_eq!(arch.id(orders), "order-service");
    let names = |nodes: Vec<_>| nodes.into_iter().map(|n| arch.id(n).to_owned()).collect::<Vec<_>>();
    assert_eq!(names(arch.dependencies(orders)), ["user-service", "payment-service"]);
    assert_eq!(names(arch.dependents(arch.find("payment-service").unwrap())), ["order-service"]);
    assert_eq!(arch.health(orders).unwrap().status, Status::Healthy);
    assert_eq!(arch.health(orders).unwrap().troubled, []);
    assert_eq!((arch.graph.node_count(), arch.graph.edge_count()), (3, 2));
}

#[test]
fn services_register_and_communicate_by_hand() {
    let nowhere = Span::new(FileId(0), 0, 0);
    let service = |id: &str, status| Node {
        id: Spanned::new(id.to_owned(), nowhere),
        whole: nowhere,
        owner: None,
        tags: Vec::new(),
        zone: None,
        trust_zone: None,
        kind: NodeKind::Service(Box::new(Service {
            status: Some(Spanned::new(status, nowhere)),
            ..Service::default()
        })),
    };
    let mut arch = Architecture::default();
    let web = arch.register(service("web", Status::Healthy)).unwrap();
    let cart = arch.register(service("cart", Status::Stopped)).unwrap();
    assert!(arch.register(service("web", Status::Healthy)).is_err(), "an id is taken once");
    arch.communicate(web, cart, Edge::new(EdgeKind::Call, nowhere, "by hand"));
    assert_eq!(arch.dependencies(web), [cart]);
    assert_eq!(arch.health(web).unwrap().troubled, [cart]);
}
