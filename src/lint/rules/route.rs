//! What the name of an endpoint says: its method, its path, and what everybody uses such a path for.
//!
//! Owns names only. Must not know what is wrong with any of them.

/// The method of `GET /cart/{id}`, the path that follows it.
pub fn method_and_path(name: &str) -> Option<(&str, &str)> {
    let (method, path) = name.split_once(char::is_whitespace)?;
    let path = path.trim_start();
    (path.starts_with('/') && method.chars().all(|c| c.is_ascii_alphabetic())).then_some((method, path))
}

/// The path of `GET /cart/{id}` or `/cart/{id}`.
pub fn path(name: &str) -> Option<&str> {
    method_and_path(name).map(|(_, path)| path).or_else(|| name.starts_with('/').then_some(name))
}

/// Whether an endpoint is there to be asked if its service lives: by the path of the service's health
/// check, by the names everybody gives such paths, or by the service gRPC has for it.
pub fn is_health(name: &str, checked: Option<&str>) -> bool {
    let Some(path) = path(name) else { return name.contains("grpc.health.") };
    if checked.is_some_and(|checked| checked == path) {
        return true;
    }
    let mut words = path.split('/').filter(|w| !w.is_empty());
    let health = |w: &str| matches!(w, "health" | "healthz" | "healthcheck" | "health-check" | "_health");
    match (words.next(), words.next()) {
        (Some("live" | "livez" | "ready" | "readyz" | "ping" | "metrics"), None) => true,
        _ => path.split('/').any(health),
    }
}

/// Whether a path has the same meaning at every site: files that browsers and robots ask for.
pub fn is_well_known(name: &str) -> bool {
    let path = path(name).unwrap_or_default();
    path.starts_with("/.well-known/") || matches!(path, "/robots.txt" | "/favicon.ico" | "/sitemap.xml")
}

/// Whether it is where people sign in or up: nobody can be asked who they are before.
pub fn is_sign_in(name: &str) -> bool {
    let last = path(name).and_then(|p| p.trim_end_matches('/').rsplit('/').next());
    let words = ["login", "signin", "sign-in", "signup", "sign-up", "register"];
    last.is_some_and(|last| words.contains(&last.to_ascii_lowercase().as_str()))
}

/// Whether a name carries a version: `/v1/cart`, `/2024-01-31/cart`, `shop.v1beta1.Cart/Get`.
pub fn has_version(name: &str) -> bool {
    name.split(['/', '.', ' ']).any(|word| {
        let number =
            word.strip_prefix(['v', 'V']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        number || crate::finding::Date::parse(word).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_are_for() {
        for (name, health) in [
            ("GET /healthz", true),
            ("/health", true),
            ("GET /actuator/health", true),
            ("GET /health/live", true),
            ("GET /ready", true),
            ("grpc.health.v1.Health/Check", true),
            ("GET /own", true),
            ("GET /orders/ready", false),
            ("GET /healthcare", false),
            ("Ping", false),
            ("GET /", false),
        ] {
            assert_eq!(is_health(name, Some("/own")), health, "{name}");
        }
        for (name, version) in [
            ("GET /v1/cart", true),
            ("GET /api/v2beta1", true),
            ("GET /2024-01-31/cart", true),
            ("shop.v1.Cart/Get", true),
            ("GET /cart/{id}", false),
            ("GET /vouchers", false),
            ("Convert", false),
        ] {
            assert_eq!(has_version(name), version, "{name}");
        }
        assert_eq!(method_and_path("GET /a"), Some(("GET", "/a")));
        assert_eq!(method_and_path("/a"), None);
        assert_eq!(method_and_path("Get a"), None);
        assert!(is_sign_in("POST /api/Login") && !is_sign_in("GET /logins"));
        assert!(is_well_known("GET /.well-known/jwks.json") && !is_well_known("GET /known"));
    }
}
