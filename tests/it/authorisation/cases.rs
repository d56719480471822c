//! For each route: whose it is, a request that the right one may make, and how that is answered.

/// Whose the thing at the path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// Nobody's in particular: everybody of the role may.
    Everybody,
    /// One member's, or one bank's.
    Somebody,
}

/// One route's case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) owner: Owner,
    /// A body that the right one may send; `<name>` stands for the value of a parameter.
    pub(super) body: &'static str,
    /// The statuses with which the right one is let in.
    pub(super) may: &'static [u16],
}

impl Case {
    /// The header that goes with the body.
    pub(super) fn kind(&self) -> &'static str {
        match self.body.as_bytes().first() {
            Some(b'{') => super::JSON,
            Some(b'[') => "Content-Type: application/toml",
            _ => "Content-Type: text/csv",
        }
    }
}

const fn case(
    method: &'static str,
    path: &'static str,
    owner: Owner,
    body: &'static str,
    may: &'static [u16],
) -> Case {
    Case { method, path, owner, body, may }
}

use Owner::{Everybody, Somebody};

/// Every route; the right ones are let in in this order.
pub(super) const CASES: &[Case] = &[
    case("GET", "/", Everybody, "", &[308]),
    case("GET", "/api/swagger/", Everybody, "", &[200]),
    case("GET", "/api/openapi.json", Everybody, "", &[200]),
    case("GET", "/problems/{slug}", Everybody, "", &[200]),
    case("GET", "/api/v1/health", Everybody, "", &[200]),
    case("GET", "/api/v1/ws", Everybody, "", &[426]),
    case("POST", "/api/v1/auth/login", Everybody, r#"{"id":"ADMIN","password":"wrong"}"#, &[401]),
    case(
        "POST",
        "/api/v1/auth/login-or-register",
        Everybody,
        r#"{"student_id":"2024000003","name":"x","phone_number":"01070000003"}"#,
        &[401],
    ),
    case("POST", "/api/v1/auth/refresh", Everybody, r#"{"refresh_token":"x"}"#, &[401]),
    case("GET", "/api/v1/auth/me", Everybody, "", &[200]),
    case("GET", "/api/v1/lockers", Everybody, "", &[200]),
    case("GET", "/api/v1/lockers/summary", Everybody, "", &[200]),
    case("GET", "/api/v1/lockers/me", Everybody, "", &[200]),
    case("GET", "/api/v1/lockers/{locker_id}", Everybody, "", &[200]),
    // Another's hold is a conflict, not a matter of rights.
    case("POST", "/api/v1/lockers/{locker_id}/hold", Everybody, "", &[409]),
    case("POST", "/api/v1/banks/{bank_id}/hold", Everybody, "", &[409]),
    case("POST", "/api/v1/lockers/{locker_id}/confirm", Everybody, "", &[200, 409]),
    case("POST", "/api/v1/lockers/{locker_id}/release-hold", Everybody, "", &[409]),
    case("POST", "/api/v1/lockers/{locker_id}/open", Somebody, "", &[202, 409, 429]),
    case("GET", "/api/v1/openings/{operation_id}", Somebody, "", &[200]),
    case("GET", "/api/v1/operations/{key}", Somebody, "", &[200]),
    case("GET", "/api/v1/me/alarms", Everybody, "", &[200]),
    case("POST", "/api/v1/alarms/{alarm_id}/it-was-me", Somebody, "", &[200]),
    case("GET", "/api/v1/alarms", Everybody, "", &[200]),
    case("GET", "/api/v1/alarms/{alarm_id}", Somebody, "", &[200]),
    case("POST", "/api/v1/alarms/{alarm_id}/acknowledge", Somebody, r#"{"note":"x"}"#, &[200]),
    case("POST", "/api/v1/lockers/{locker_id}/mechanical-key", Somebody, r#"{"note":"x"}"#, &[200]),
    case("GET", "/api/v1/buses", Everybody, "", &[200]),
    case("GET", "/api/v1/buses/{bus}/exchanges", Everybody, "", &[200]),
    case("GET", "/api/v1/buses/{bus}/boards/{address}/exchanges", Everybody, "", &[200]),
    case("GET", "/api/v1/locks", Everybody, "", &[200]),
    case("GET", "/api/v1/mass-openings", Everybody, "", &[200]),
    case(
        "POST",
        "/api/v1/mass-openings",
        Somebody,
        r#"{"locker_ids":[202],"reason":"probe"}"#,
        &[202, 409],
    ),
    case("GET", "/api/v1/mass-openings/{mass_opening_id}", Somebody, "", &[200]),
    case("POST", "/api/v1/mass-openings/{mass_opening_id}/cancel", Somebody, "", &[200, 409]),
    case("GET", "/api/v1/banks/{bank_id}/layout", Somebody, "", &[200]),
    case("GET", "/api/v1/commissioning/proofs", Everybody, "", &[200]),
    case("GET", "/api/v1/commissioning/proofs/{proof_id}", Everybody, "", &[200]),
    case("GET", "/api/v1/commissioning/proofs/{proof_id}/report", Everybody, "", &[200]),
    case("GET", "/api/v1/commissioning/proofs/{proof_id}/labels", Everybody, "", &[200]),
    case("GET", "/api/v1/commissioning/scans/{scan_id}", Everybody, "", &[200]),
    case(
        "POST",
        "/api/v1/commissioning/proofs",
        Somebody,
        r#"{"bus":"east","board":2}"#,
        &[201, 409],
    ),
    case(
        "POST",
        "/api/v1/commissioning/proofs/{proof_id}/steps",
        Somebody,
        r#"{"action":"skip"}"#,
        &[200, 409, 422],
    ),
    case(
        "POST",
        "/api/v1/commissioning/proofs/{proof_id}/apply",
        Somebody,
        r#"{"bank_id":2}"#,
        &[200, 409, 422],
    ),
    case("DELETE", "/api/v1/commissioning/proofs/{proof_id}", Somebody, "", &[200, 204]),
    case(
        "POST",
        "/api/v1/commissioning/scans",
        Somebody,
        r#"{"bus":"east","from":1,"to":1}"#,
        &[202, 409],
    ),
    case("DELETE", "/api/v1/commissioning/scans/{scan_id}", Somebody, "", &[200, 204]),
    case(
        "POST",
        "/api/v1/commissioning/address",
        Somebody,
        r#"{"bus":"east","family":"modbus-relay","new":9,"one_board_connected":false}"#,
        &[409, 422],
    ),
    case("PUT", "/api/v1/banks/{bank_id}/layout", Somebody, "[[bad", &[400, 422]),
    case(
        "PUT",
        "/api/v1/banks/{bank_id}/maintenance",
        Somebody,
        r#"{"on":true,"reason":"x"}"#,
        &[200],
    ),
    case("GET", "/api/v1/returns", Everybody, "", &[200]),
    case("GET", "/api/v1/shortages", Everybody, "", &[200]),
    // Its locker can be had, and was not returned: both are let in, and told so.
    case("POST", "/api/v1/lockers/{locker_id}/replace", Somebody, "", &[409]),
    case("POST", "/api/v1/lockers/{locker_id}/free", Somebody, r#"{"reason":"x"}"#, &[409]),
    case("POST", "/api/v1/lockers/{locker_id}/release", Somebody, "", &[200, 409]),
    case("POST", "/api/v1/auth/logout", Everybody, "", &[204]),
];
