//! Who may call what: one table of every route. Tests walk it: each route must be reachable through
//! the dispatcher, be in the API document, and refuse whoever it must refuse.

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Whoever is logged in; what they see or change is their own.
    Member,
}

/// One route.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The HTTP method.
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}

const fn route(method: &'static str, path: &'static str, access: Access) -> Route {
    Route { method, path, access }
}

/// The methods that a path takes, as an Allow header has them; empty for an unknown path.
#[must_use]
pub fn allowed(path: &str) -> String {
    let methods = ROUTES.iter().filter(|route| fits(route.path, path)).map(|route| route.method);
    methods.collect::<Vec<_>>().join(", ")
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut known, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (known.next(), given.next()) {
            (None, None) => return true,
            (Some(parameter), Some(part)) if parameter.starts_with('{') && !part.is_empty() => {}
            (Some(name), Some(part)) if name == part => {}
            _ => return false,
        }
    }
}

/// Every route.
pub const ROUTES: &[Route] = &[
    route("POST", "/api/v1/auth/login", Access::Public),
    route("POST", "/api/v1/auth/login-or-register", Access::Public),
    route("POST", "/api/v1/auth/refresh", Access::Public),
    route("POST", "/api/v1/auth/logout", Access::Member),
    route("GET", "/api/v1/auth/me", Access::Member),
    route("GET", "/api/v1/lockers", Access::Member),
    route("GET", "/api/v1/lockers/summary", Access::Member),
    route("GET", "/api/v1/lockers/me", Access::Member),
    route("GET", "/api/v1/lockers/{locker_id}", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/hold", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/confirm", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/release-hold", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/release", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/open", Access::Member),
    route("POST", "/api/v1/banks/{bank_id}/hold", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/mechanical-key", Access::Member),
    route("PUT", "/api/v1/banks/{bank_id}/maintenance", Access::Member),
    route("GET", "/api/v1/alarms", Access::Member),
    route("GET", "/api/v1/alarms/{alarm_id}", Access::Member),
    route("POST", "/api/v1/alarms/{alarm_id}/acknowledge", Access::Member),
    route("POST", "/api/v1/alarms/{alarm_id}/it-was-me", Access::Member),
    route("GET", "/api/v1/me/alarms", Access::Member),
    route("GET", "/api/v1/openings/{operation_id}", Access::Member),
    route("GET", "/api/v1/operations/{key}", Access::Member),
    route("GET", "/api/v1/health", Access::Public),
    route("GET", "/api/openapi.json", Access::Public),
    route("GET", "/api/swagger/", Access::Public),
    route("GET", "/problems/{slug}", Access::Public),
    route("GET", "/", Access::Public),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_knows_its_methods() {
        for (path, methods) in [
            ("/api/v1/lockers/101/hold", "POST"),
            ("/api/v1/lockers/101", "GET"),
            ("/api/v1/lockers//hold", ""),
            ("/api/v1/lockers/101/hold/", ""),
            ("/", "GET"),
            ("", ""),
        ] {
            assert_eq!(allowed(path), methods, "{path}");
        }
    }
}
