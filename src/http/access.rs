//! Who may call what: one table of every route. Tests walk it: each route must be reachable through
//! the dispatcher, be in the API document, and refuse whoever it must refuse.

use crate::domain::member::Role;
use crate::service::live::topic::Topic;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// A paired kiosk with its own credential; nobody who is logged in.
    Kiosk,
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
    // A literal is no parameter of its neighbour: lockers/me is no number.
    let literal = ROUTES.iter().any(|route| route.path == path);
    let known = |route: &&Route| if literal { route.path == path } else { fits(route.path, path) };
    let methods = ROUTES.iter().filter(known).map(|route| route.method);
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
    route("POST", "/api/v1/auth/prove", Access::Member),
    route("POST", "/api/v1/auth/logout", Access::Member),
    route("POST", "/api/v1/auth/logout-everywhere", Access::Member),
    route("GET", "/api/v1/auth/sessions", Access::Member),
    route("DELETE", "/api/v1/auth/sessions/{session_id}", Access::Member),
    route("GET", "/api/v1/me/data", Access::Member),
    route("PATCH", "/api/v1/me", Access::Member),
    route("DELETE", "/api/v1/me", Access::Member),
    route("GET", "/api/v1/members", Access::Staff),
    route("POST", "/api/v1/members", Access::Staff),
    route("GET", "/api/v1/members/export", Access::Staff),
    route("POST", "/api/v1/members/import", Access::Staff),
    route("GET", "/api/v1/members/{member_id}", Access::Staff),
    route("POST", "/api/v1/members/{member_id}/reveal", Access::Staff),
    route("PATCH", "/api/v1/members/{member_id}", Access::Staff),
    route("DELETE", "/api/v1/members/{member_id}", Access::Admin),
    route("PUT", "/api/v1/members/{member_id}/role", Access::Admin),
    route("PUT", "/api/v1/members/{member_id}/banks", Access::Admin),
    route("POST", "/api/v1/members/{member_id}/disable", Access::Staff),
    route("POST", "/api/v1/members/{member_id}/enable", Access::Staff),
    route("POST", "/api/v1/members/{member_id}/reset-password", Access::Staff),
    route("POST", "/api/v1/banks/{bank_id}/registration-code", Access::Admin),
    route("POST", "/api/v1/banks/claim", Access::Staff),
    route("GET", "/api/v1/banks/{bank_id}/staff", Access::Staff),
    route("DELETE", "/api/v1/banks/{bank_id}/staff/{member_id}", Access::Admin),
    route("GET", "/api/v1/retention", Access::Admin),
    route("GET", "/api/v1/members/{member_id}/sessions", Access::Staff),
    route("DELETE", "/api/v1/members/{member_id}/sessions", Access::Staff),
    route("DELETE", "/api/v1/members/{member_id}/sessions/{session_id}", Access::Staff),
    route("POST", "/api/v1/sessions/log-out-everybody", Access::Admin),
    route("POST", "/api/v1/keys/rotate", Access::Admin),
    route("GET", "/api/v1/auth/me", Access::Member),
    route("POST", "/api/v1/auth/login/second-factor", Access::Public),
    route("GET", "/api/v1/auth/totp", Access::Member),
    route("POST", "/api/v1/auth/totp", Access::Member),
    route("DELETE", "/api/v1/auth/totp", Access::Member),
    route("POST", "/api/v1/auth/totp/confirm", Access::Member),
    route("POST", "/api/v1/auth/totp/recovery-codes", Access::Member),
    route("DELETE", "/api/v1/members/{member_id}/totp", Access::Staff),
    route("POST", "/api/v1/members/{member_id}/one-time-code", Access::Staff),
    route("GET", "/api/v1/kiosks", Access::Staff),
    route("POST", "/api/v1/kiosks", Access::Staff),
    route("PATCH", "/api/v1/kiosks/{kiosk_id}", Access::Staff),
    route("DELETE", "/api/v1/kiosks/{kiosk_id}", Access::Staff),
    route("POST", "/api/v1/kiosks/{kiosk_id}/pairing-code", Access::Staff),
    route("DELETE", "/api/v1/kiosks/{kiosk_id}/session", Access::Staff),
    route("POST", "/api/v1/kiosk/pair", Access::Public),
    route("GET", "/api/v1/kiosk", Access::Kiosk),
    route("POST", "/api/v1/kiosk/heartbeat", Access::Kiosk),
    route("GET", "/api/v1/kiosk/presence", Access::Kiosk),
    route("POST", "/api/v1/kiosk/sign-in", Access::Kiosk),
    route("POST", "/api/v1/kiosk/sign-out", Access::Kiosk),
    route("POST", "/api/v1/kiosk/help", Access::Kiosk),
    route("PUT", "/api/v1/banks/{bank_id}/opening", Access::Admin),
    route("POST", "/api/v1/banks/{bank_id}/presence-key", Access::Admin),
    route("POST", "/api/v1/auth/sign-up", Access::Public),
    route("POST", "/api/v1/auth/sign-up/resend", Access::Public),
    route("POST", "/api/v1/auth/sign-up/confirm", Access::Public),
    route("GET", "/api/v1/privacy-notice", Access::Public),
    route("POST", "/api/v1/auth/password", Access::Member),
    route("POST", "/api/v1/auth/password/forgot", Access::Public),
    route("POST", "/api/v1/auth/password/reset", Access::Public),
    route("POST", "/api/v1/auth/email", Access::Member),
    route("POST", "/api/v1/auth/email/confirm", Access::Member),
    route("GET", "/api/v1/limits", Access::Staff),
    route("DELETE", "/api/v1/limits/{kind}/{subject}", Access::Staff),
    route("GET", "/api/v1/site", Access::Public),
    route("GET", "/api/v1/lockers", Access::Member),
    route("GET", "/api/v1/lockers/summary", Access::Member),
    route("GET", "/api/v1/lockers/me", Access::Member),
    route("GET", "/api/v1/lockers/{locker_id}", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/hold", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/confirm", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/release-hold", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/extend-hold", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/extend", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/swap", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/release", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/free", Access::Staff),
    route("POST", "/api/v1/lockers/{locker_id}/replace", Access::Member),
    route("GET", "/api/v1/rentals", Access::Staff),
    route("GET", "/api/v1/rentals/export", Access::Staff),
    route("GET", "/api/v1/rentals/{rental_id}", Access::Staff),
    route("POST", "/api/v1/rentals", Access::Staff),
    route("PATCH", "/api/v1/rentals/{rental_id}", Access::Staff),
    route("POST", "/api/v1/rentals/{rental_id}/move", Access::Staff),
    route("POST", "/api/v1/rentals/{rental_id}/end", Access::Staff),
    route("POST", "/api/v1/rentals/bulk-end", Access::Staff),
    route("GET", "/api/v1/bulk-ends", Access::Staff),
    route("GET", "/api/v1/bulk-ends/{bulk_end_id}", Access::Staff),
    route("GET", "/api/v1/lockers/{locker_id}/history", Access::Staff),
    route("GET", "/api/v1/members/{member_id}/history", Access::Staff),
    route("GET", "/api/v1/me/history", Access::Member),
    route("GET", "/api/v1/openings", Access::Staff),
    route("GET", "/api/v1/openings/export", Access::Staff),
    route("GET", "/api/v1/alarms/export", Access::Staff),
    route("GET", "/api/v1/returns/export", Access::Staff),
    route("GET", "/api/v1/shortages/export", Access::Staff),
    route("GET", "/api/v1/penalties/export", Access::Staff),
    route("GET", "/api/v1/waiting/export", Access::Staff),
    route("GET", "/api/v1/mails/export", Access::Staff),
    route("GET", "/api/v1/locks/export", Access::Staff),
    route("GET", "/api/v1/banks/{bank_id}/lockers/export", Access::Staff),
    route("GET", "/api/v1/statistics/occupancy", Access::Staff),
    route("GET", "/api/v1/statistics/rush", Access::Staff),
    route("GET", "/api/v1/statistics/openings", Access::Staff),
    route("GET", "/api/v1/statistics/overdue", Access::Staff),
    route("GET", "/api/v1/statistics/waits", Access::Staff),
    route("GET", "/api/v1/returns", Access::Staff),
    route("GET", "/api/v1/shortages", Access::Staff),
    route("GET", "/api/v1/overdue", Access::Staff),
    route("GET", "/api/v1/overdue/export", Access::Staff),
    route("GET", "/api/v1/overdue/{case_id}", Access::Staff),
    route("POST", "/api/v1/overdue/{case_id}/seal", Access::Staff),
    route("POST", "/api/v1/overdue/{case_id}/unseal", Access::Staff),
    route("POST", "/api/v1/overdue/{case_id}/collect", Access::Staff),
    route("POST", "/api/v1/overdue/{case_id}/hand-back", Access::Staff),
    route("POST", "/api/v1/overdue/{case_id}/drop", Access::Staff),
    route("GET", "/api/v1/penalties", Access::Staff),
    route("POST", "/api/v1/penalties/{penalty_id}/waive", Access::Staff),
    route("GET", "/api/v1/me/penalties", Access::Member),
    route("POST", "/api/v1/lockers/{locker_id}/open", Access::Member),
    route("POST", "/api/v1/banks/{bank_id}/hold", Access::Member),
    route("GET", "/api/v1/banks/{bank_id}/waiting", Access::Member),
    route("POST", "/api/v1/banks/{bank_id}/waiting", Access::Member),
    route("DELETE", "/api/v1/banks/{bank_id}/waiting", Access::Member),
    route("GET", "/api/v1/waiting", Access::Staff),
    route("DELETE", "/api/v1/waiting/{waiting_id}", Access::Staff),
    route("POST", "/api/v1/banks/{bank_id}/reservations", Access::Member),
    route("GET", "/api/v1/reservations/me", Access::Member),
    route("DELETE", "/api/v1/reservations/{reservation_id}", Access::Member),
    route("POST", "/api/v1/reservations/{reservation_id}/check-in", Access::Member),
    route("POST", "/api/v1/reservations/{reservation_id}/replace", Access::Member),
    route("GET", "/api/v1/banks/{bank_id}/map", Access::Member),
    route("GET", "/api/v1/banks/{bank_id}/calendar", Access::Member),
    route("PUT", "/api/v1/banks/{bank_id}/map", Access::Admin),
    route("GET", "/api/v1/banks", Access::Staff),
    route("POST", "/api/v1/banks", Access::Admin),
    route("GET", "/api/v1/banks/{bank_id}", Access::Staff),
    route("PATCH", "/api/v1/banks/{bank_id}", Access::Admin),
    route("DELETE", "/api/v1/banks/{bank_id}", Access::Admin),
    route("GET", "/api/v1/banks/{bank_id}/policy", Access::Staff),
    route("PUT", "/api/v1/banks/{bank_id}/policy", Access::Admin),
    route("GET", "/api/v1/banks/{bank_id}/lockers", Access::Staff),
    route("POST", "/api/v1/banks/{bank_id}/lockers", Access::Admin),
    route("PATCH", "/api/v1/lockers/{locker_id}", Access::Admin),
    route("DELETE", "/api/v1/lockers/{locker_id}", Access::Admin),
    route("GET", "/api/v1/lockers/{locker_id}/service", Access::Staff),
    route("PUT", "/api/v1/lockers/{locker_id}/service", Access::Staff),
    route("GET", "/api/v1/lockers/{locker_id}/notes", Access::Staff),
    route("POST", "/api/v1/lockers/{locker_id}/notes", Access::Staff),
    route("GET", "/api/v1/locations", Access::Staff),
    route("POST", "/api/v1/locations", Access::Admin),
    route("PATCH", "/api/v1/locations/{location_id}", Access::Admin),
    route("DELETE", "/api/v1/locations/{location_id}", Access::Admin),
    route("GET", "/api/v1/terms", Access::Staff),
    route("POST", "/api/v1/terms", Access::Admin),
    route("PATCH", "/api/v1/terms/{term_id}", Access::Admin),
    route("DELETE", "/api/v1/terms/{term_id}", Access::Admin),
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
    route("POST", "/api/v1/help", Access::Member),
    route("GET", "/api/v1/openings/{operation_id}", Access::Member),
    route("POST", "/api/v1/mass-openings", Access::Staff),
    route("GET", "/api/v1/mass-openings", Access::Staff),
    route("GET", "/api/v1/mass-openings/{mass_opening_id}", Access::Staff),
    route("POST", "/api/v1/mass-openings/{mass_opening_id}/cancel", Access::Staff),
    route("GET", "/api/v1/operations/{key}", Access::Member),
    route("GET", "/api/v1/mails", Access::Staff),
    route("POST", "/api/v1/mails/test", Access::Admin),
    route("POST", "/api/v1/mails/{mail_id}/retry", Access::Staff),
    route("DELETE", "/api/v1/mails/{mail_id}", Access::Staff),
    route("GET", "/api/v1/audit", Access::Admin),
    route("GET", "/api/v1/audit/head", Access::Admin),
    route("GET", "/api/v1/audit/verify", Access::Admin),
    route("GET", "/api/v1/audit/export", Access::Admin),
    route("GET", "/api/v1/audit/{audit_id}", Access::Admin),
    // On a demonstration only: elsewhere there is nothing at these.
    route("GET", "/api/v1/mailbox", Access::Public),
    route("GET", "/api/v1/mailbox/{number}", Access::Public),
    route("GET", "/demo", Access::Public),
    route("GET", "/demo/api/site", Access::Public),
    route("GET", "/api/v1/health", Access::Public),
    route("GET", "/api/v1/clock", Access::Staff),
    route("POST", "/api/v1/clock/confirm", Access::Admin),
    route("GET", "/api/v1/jobs", Access::Staff),
    route("POST", "/api/v1/jobs/{job}/run", Access::Admin),
    // Who listens says so in the first message; TOPICS says who may hear what.
    route("GET", "/api/v1/ws", Access::Public),
    route("GET", "/api/openapi.json", Access::Public),
    route("GET", "/api/swagger/", Access::Public),
    route("GET", "/problems/{slug}", Access::Public),
    route("GET", "/mailbox", Access::Public),
    route("GET", "/mailbox/{number}", Access::Public),
    route("GET", "/mailbox/{number}/html", Access::Public),
    route("GET", "/", Access::Public),
];

/// Who may hear a topic of the live socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearers {
    /// Whoever is logged in: it names nobody.
    Members,
    /// Everybody their own alone, staff and admins too.
    Owners,
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
    (Topic::Site, Hearers::Members),
    (Topic::Mine, Hearers::Owners),
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
                Hearers::Members | Hearers::Owners | Hearers::OwnersAndStaff => true,
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
            ("/api/v1/lockers/101", "GET, PATCH, DELETE"),
            ("/api/v1/lockers/me", "GET"),
            ("/api/v1/lockers//hold", ""),
            ("/api/v1/lockers/101/hold/", ""),
            ("/", "GET"),
            ("", ""),
        ] {
            assert_eq!(allowed(path), methods, "{path}");
        }
    }
}
