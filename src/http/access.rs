//! Who may call what: one table of every route. Tests walk it: each route must be reachable through
//! the dispatcher, be in the API document, and refuse whoever it must refuse.

use crate::domain::member::Role;
use crate::service::live::topic::Topic;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Whoever is logged in; what they see or change is their own.
    Member,
    /// Staff and admins; staff see what belongs to their banks.
    Staff,
    /// Admins alone.
    Admin,
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
    route("POST", "/api/v1/lockers/{locker_id}/free", Access::Staff),
    route("POST", "/api/v1/lockers/{locker_id}/replace", Access::Member),
    route("GET", "/api/v1/returns", Access::Staff),
    route("GET", "/api/v1/shortages", Access::Staff),
    route("POST", "/api/v1/lockers/{locker_id}/open", Access::Member),
    route("POST", "/api/v1/banks/{bank_id}/hold", Access::Member),
    route("GET", "/api/v1/buses", Access::Staff),
    route("GET", "/api/v1/buses/{bus}/exchanges", Access::Staff),
    route("GET", "/api/v1/buses/{bus}/boards/{address}/exchanges", Access::Staff),
    route("GET", "/api/v1/locks", Access::Staff),
    route("POST", "/api/v1/lockers/{locker_id}/mechanical-key", Access::Staff),
    route("PUT", "/api/v1/banks/{bank_id}/maintenance", Access::Staff),
    route("GET", "/api/v1/banks/{bank_id}/layout", Access::Staff),
    route("PUT", "/api/v1/banks/{bank_id}/layout", Access::Admin),
    route("POST", "/api/v1/commissioning/scans", Access::Admin),
    route("GET", "/api/v1/commissioning/scans/{scan_id}", Access::Staff),
    route("DELETE", "/api/v1/commissioning/scans/{scan_id}", Access::Admin),
    route("POST", "/api/v1/commissioning/address", Access::Admin),
    route("GET", "/api/v1/commissioning/proofs", Access::Staff),
    route("POST", "/api/v1/commissioning/proofs", Access::Admin),
    route("GET", "/api/v1/commissioning/proofs/{proof_id}", Access::Staff),
    route("DELETE", "/api/v1/commissioning/proofs/{proof_id}", Access::Admin),
    route("POST", "/api/v1/commissioning/proofs/{proof_id}/steps", Access::Admin),
    route("POST", "/api/v1/commissioning/proofs/{proof_id}/apply", Access::Admin),
    route("GET", "/api/v1/commissioning/proofs/{proof_id}/report", Access::Staff),
    route("GET", "/api/v1/commissioning/proofs/{proof_id}/labels", Access::Staff),
    route("GET", "/api/v1/alarms", Access::Staff),
    route("GET", "/api/v1/alarms/{alarm_id}", Access::Staff),
    route("POST", "/api/v1/alarms/{alarm_id}/acknowledge", Access::Staff),
    route("POST", "/api/v1/alarms/{alarm_id}/it-was-me", Access::Member),
    route("GET", "/api/v1/me/alarms", Access::Member),
    route("GET", "/api/v1/openings/{operation_id}", Access::Member),
    route("POST", "/api/v1/mass-openings", Access::Staff),
    route("GET", "/api/v1/mass-openings", Access::Staff),
    route("GET", "/api/v1/mass-openings/{mass_opening_id}", Access::Staff),
    route("POST", "/api/v1/mass-openings/{mass_opening_id}/cancel", Access::Staff),
    route("GET", "/api/v1/operations/{key}", Access::Member),
    route("GET", "/api/v1/health", Access::Public),
    // Who listens says so in the first message; TOPICS says who may hear what.
    route("GET", "/api/v1/ws", Access::Public),
    route("GET", "/api/openapi.json", Access::Public),
    route("GET", "/api/swagger/", Access::Public),
    route("GET", "/problems/{slug}", Access::Public),
    route("GET", "/", Access::Public),
];

/// Who may hear a topic of the live socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearers {
    /// Whoever is logged in: it names nobody.
    Members,
    /// Members their own, staff those of their banks, admins all.
    OwnersAndStaff,
    /// Staff those of their banks, admins all.
    StaffOfTheBank,
    /// All staff and admins.
    Staff,
}

/// Every topic of the live socket. What of it somebody hears is decided for each bank and owner
/// when it is told (`service/live/topic.rs`).
pub const TOPICS: &[(Topic, Hearers)] = &[
    (Topic::Lockers, Hearers::Members),
    (Topic::Doors, Hearers::StaffOfTheBank),
    (Topic::Openings, Hearers::OwnersAndStaff),
    (Topic::MassOpenings, Hearers::StaffOfTheBank),
    (Topic::Alarms, Hearers::StaffOfTheBank),
    (Topic::Health, Hearers::Staff),
];

/// Whether a role may ask for a topic at all; what is not in the table nobody may.
#[must_use]
pub fn may_hear(role: Role, topic: Topic) -> bool {
    TOPICS.iter().any(|(listed, hearers)| {
        *listed == topic
            && match hearers {
                Hearers::Members | Hearers::OwnersAndStaff => true,
                Hearers::StaffOfTheBank | Hearers::Staff => role != Role::Student,
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_stands_in_the_table_once() {
        for topic in Topic::ALL {
            let listed = TOPICS.iter().filter(|(listed, _)| *listed == topic).count();
            assert_eq!(listed, 1, "{}", topic.name());
        }
    }

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
