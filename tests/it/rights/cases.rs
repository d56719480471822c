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
    /// A parameter that stands for another thing than usual: its name, and that of the value.
    pub(super) with: Option<(&'static str, &'static str)>,
}

impl Case {
    /// The same with another value for a parameter.
    const fn with(self, parameter: &'static str, value: &'static str) -> Self {
        Self { with: Some((parameter, value)), ..self }
    }

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
    Case { method, path, owner, body, may, with: None }
}

use Owner::{Everybody, Somebody};

const REASON: &str = r#"{"reason":"probe"}"#;
const PROOF: &str = r#"{"password":"correct horse battery staple"}"#;
const SIGN_UP: &str = r#"{"student_id":"2024777777","name":"홍길순","phone_number":"01000007777","email":"a@korea.ac.kr","password":"a fine long password","language":"ko","consent":"1"}"#;

/// Every route; the right ones are let in in this order.
pub(super) const CASES: &[Case] = &[
    case("GET", "/", Everybody, "", &[308]),
    case("GET", "/api/swagger/", Everybody, "", &[200]),
    case("GET", "/api/openapi.json", Everybody, "", &[200]),
    case("GET", "/problems/{slug}", Everybody, "", &[200]),
    case("GET", "/api/v1/health", Everybody, "", &[200]),
    case("GET", "/api/v1/ws", Everybody, "", &[426]),
    case("POST", "/api/v1/auth/login", Everybody, r#"{"id":"NOBODY","password":"x"}"#, &[401, 429]),
    case(
        "POST",
        "/api/v1/auth/login-or-register",
        Everybody,
        r#"{"student_id":"2099000003","name":"x","phone_number":"01070990003"}"#,
        &[200, 201, 401, 429],
    ),
    case("POST", "/api/v1/auth/refresh", Everybody, r#"{"refresh_token":"x"}"#, &[401]),
    case("GET", "/api/v1/auth/me", Everybody, "", &[200]),
    // Before anything that ends the log-ins of a member.
    case("GET", "/api/v1/auth/sessions", Everybody, "", &[200]),
    case("DELETE", "/api/v1/auth/sessions/{session_id}", Somebody, "", &[204])
        .with("session_id", "second_session_id"),
    case("GET", "/api/v1/members/{member_id}/sessions", Everybody, "", &[200]),
    case("DELETE", "/api/v1/members/{member_id}/sessions/{session_id}", Everybody, "", &[204])
        .with("session_id", "third_session_id"),
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
    case("GET", "/api/v1/banks/{bank_id}/map", Everybody, "", &[200]),
    case("GET", "/api/v1/banks/{bank_id}/calendar", Everybody, "", &[200]),
    case("GET", "/api/v1/banks", Everybody, "", &[200]),
    case("GET", "/api/v1/banks/{bank_id}", Everybody, "", &[200]),
    case("GET", "/api/v1/banks/{bank_id}/policy", Everybody, "", &[200]),
    case("GET", "/api/v1/banks/{bank_id}/lockers", Somebody, "", &[200]),
    case("GET", "/api/v1/lockers/{locker_id}/service", Somebody, "", &[200]),
    case("GET", "/api/v1/lockers/{locker_id}/notes", Somebody, "", &[200]),
    case("GET", "/api/v1/locations", Everybody, "", &[200]),
    case("GET", "/api/v1/terms", Everybody, "", &[200]),
    case(
        "PUT",
        "/api/v1/banks/{bank_id}/policy",
        Somebody,
        r#"{"hold_seconds":60,"open_from":"anywhere","closings":[]}"#,
        &[200],
    ),
    case(
        "PUT",
        "/api/v1/banks/{bank_id}/map",
        Somebody,
        r#"{"cells":[{"locker":201,"col":1,"row":1}]}"#,
        &[200],
    ),
    case("POST", "/api/v1/banks/{bank_id}/lockers", Somebody, r#"{"from":290,"to":291}"#, &[201]),
    case("PATCH", "/api/v1/banks/{bank_id}", Somebody, r#"{"name":{"ko":"새 이름"}}"#, &[200]),
    case("POST", "/api/v1/banks", Somebody, r#"{"location_id":1,"name":{"ko":"새"}}"#, &[201]),
    case("PATCH", "/api/v1/lockers/{locker_id}", Somebody, r#"{"level":"eye"}"#, &[200]),
    case("POST", "/api/v1/lockers/{locker_id}/notes", Somebody, r#"{"text":"x"}"#, &[201]),
    case(
        "PUT",
        "/api/v1/lockers/{locker_id}/service",
        Somebody,
        r#"{"in_service":true,"reason":"x"}"#,
        &[200],
    ),
    case("POST", "/api/v1/locations", Somebody, r#"{"name":{"ko":"새"}}"#, &[201]),
    case("PATCH", "/api/v1/locations/{location_id}", Somebody, r#"{"name":{"ko":"다른"}}"#, &[200]),
    case("DELETE", "/api/v1/locations/{location_id}", Somebody, "", &[204]),
    case(
        "POST",
        "/api/v1/terms",
        Somebody,
        r#"{"name":{"ko":"새"},"opens_at":"2088-01-01T00:00:00","closes_at":"2088-01-02T00:00:00",
            "starts_on":"2088-02-01","ends_on":"2088-02-02"}"#,
        &[201],
    ),
    case("PATCH", "/api/v1/terms/{term_id}", Somebody, r#"{"ends_on":"2089-07-31"}"#, &[200]),
    case("DELETE", "/api/v1/terms/{term_id}", Somebody, "", &[204]),
    // What is rented is not retired.
    case("DELETE", "/api/v1/lockers/{locker_id}", Somebody, "", &[409]),
    case("DELETE", "/api/v1/banks/{bank_id}", Somebody, "", &[409]),
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
    case("GET", "/api/v1/privacy-notice", Everybody, "", &[200]),
    case("POST", "/api/v1/auth/sign-up", Everybody, SIGN_UP, &[403]),
    case(
        "POST",
        "/api/v1/auth/sign-up/resend",
        Everybody,
        r#"{"sign_up_id":"01900000-0000-7000-8000-000000000000"}"#,
        &[403],
    ),
    case(
        "POST",
        "/api/v1/auth/sign-up/confirm",
        Everybody,
        r#"{"sign_up_id":"01900000-0000-7000-8000-000000000000","code":"12345678"}"#,
        &[403],
    ),
    case("POST", "/api/v1/auth/password/forgot", Everybody, r#"{"id":"NOBODY"}"#, &[202, 409]),
    case(
        "POST",
        "/api/v1/auth/password/reset",
        Everybody,
        r#"{"reset_id":"01900000-0000-7000-8000-000000000000","code":"12345678","password":"a fine long password"}"#,
        &[410, 422],
    ),
    case(
        "POST",
        "/api/v1/auth/login/second-factor",
        Everybody,
        r#"{"ticket":"x","code":"123456"}"#,
        &[401],
    ),
    case("POST", "/api/v1/kiosk/pair", Everybody, r#"{"code":"abcdefgh"}"#, &[410, 422]),
    case("PATCH", "/api/v1/me", Everybody, r#"{"language":"en"}"#, &[204]),
    case("GET", "/api/v1/me/data", Everybody, "", &[200]),
    case("GET", "/api/v1/auth/totp", Everybody, "", &[200]),
    case("POST", "/api/v1/auth/totp/confirm", Everybody, r#"{"code":"123456"}"#, &[409]),
    case("POST", "/api/v1/auth/totp/recovery-codes", Everybody, PROOF, &[409]),
    case("DELETE", "/api/v1/auth/totp", Everybody, PROOF, &[409]),
    case("POST", "/api/v1/auth/totp", Everybody, PROOF, &[201]),
    case(
        "POST",
        "/api/v1/auth/email",
        Everybody,
        r#"{"email":"new@korea.ac.kr","password":"correct horse battery staple"}"#,
        &[202, 409],
    ),
    case(
        "POST",
        "/api/v1/auth/email/confirm",
        Everybody,
        r#"{"change_id":"01900000-0000-7000-8000-000000000000","code":"12345678"}"#,
        &[410, 422],
    ),
    case("GET", "/api/v1/kiosk", Everybody, "", &[200]),
    case("GET", "/api/v1/kiosk/presence", Everybody, "", &[200]),
    case("POST", "/api/v1/kiosk/heartbeat", Everybody, r#"{"version":"1"}"#, &[204]),
    case("POST", "/api/v1/kiosk/sign-in", Everybody, r#"{"id":"NOBODY","code":"123456"}"#, &[401]),
    case("POST", "/api/v1/kiosk/sign-out", Everybody, "", &[204]),
    case("GET", "/api/v1/kiosks", Everybody, "", &[200]),
    case(
        "PATCH",
        "/api/v1/kiosks/{kiosk_id}",
        Somebody,
        r#"{"name":"로비 2","bank_ids":[2]}"#,
        &[200, 204],
    ),
    case("POST", "/api/v1/kiosks", Somebody, r#"{"name":"로비 3","bank_ids":[2]}"#, &[201]),
    case("POST", "/api/v1/kiosks/{kiosk_id}/pairing-code", Somebody, "", &[201]),
    case("DELETE", "/api/v1/kiosks/{kiosk_id}/session", Somebody, "", &[204]),
    case("DELETE", "/api/v1/kiosks/{kiosk_id}", Somebody, "", &[204]),
    case("PUT", "/api/v1/banks/{bank_id}/opening", Somebody, r#"{"open_from":"anywhere"}"#, &[200]),
    case("POST", "/api/v1/banks/{bank_id}/presence-key", Somebody, "", &[204]),
    case("POST", "/api/v1/banks/{bank_id}/registration-code", Somebody, "", &[201]),
    case("GET", "/api/v1/banks/{bank_id}/staff", Somebody, "", &[200]),
    case("POST", "/api/v1/banks/claim", Everybody, r#"{"code":"abcd-efgh-jkmn"}"#, &[422]),
    case("GET", "/api/v1/limits", Everybody, "", &[200]),
    case("DELETE", "/api/v1/limits/{kind}/{subject}", Everybody, "", &[404]),
    case("GET", "/api/v1/members", Everybody, "", &[200]),
    case("GET", "/api/v1/members/export", Everybody, "", &[200]),
    case(
        "POST",
        "/api/v1/members/import",
        Everybody,
        "student_id,name\n2024999999,홍길순\n",
        &[200],
    ),
    case(
        "POST",
        "/api/v1/members",
        Everybody,
        r#"{"student_id":"2024888888","name":"홍길순"}"#,
        &[201],
    ),
    case("GET", "/api/v1/members/{member_id}", Everybody, "", &[200]),
    case(
        "PATCH",
        "/api/v1/members/{member_id}",
        Everybody,
        r#"{"department":"컴퓨터학과"}"#,
        &[200],
    ),
    case("POST", "/api/v1/members/{member_id}/one-time-code", Everybody, REASON, &[201]),
    case("POST", "/api/v1/members/{member_id}/reset-password", Everybody, "", &[200]),
    case("DELETE", "/api/v1/members/{member_id}/totp", Everybody, REASON, &[204, 409]),
    case("PUT", "/api/v1/members/{member_id}/banks", Somebody, r#"{"banks":[]}"#, &[204, 409, 422]),
    case("GET", "/api/v1/retention", Somebody, "", &[200]),
    case("GET", "/api/v1/audit", Somebody, "", &[200]),
    case("GET", "/api/v1/audit/head", Somebody, "", &[200]),
    case("GET", "/api/v1/audit/verify", Somebody, "", &[200]),
    case("GET", "/api/v1/audit/export", Somebody, "", &[200]),
    case("GET", "/api/v1/audit/{audit_id}", Somebody, "", &[200]),
    case("GET", "/api/v1/mails", Everybody, "", &[200]),
    // This site sends no mail: there is none to be sent again, and no box to look into.
    case("POST", "/api/v1/mails/test", Somebody, r#"{"to":"a@korea.ac.kr"}"#, &[409]),
    case("POST", "/api/v1/mails/{mail_id}/retry", Everybody, "", &[404, 409]),
    case("DELETE", "/api/v1/mails/{mail_id}", Everybody, "", &[204, 404, 409]),
    case("GET", "/api/v1/clock", Everybody, "", &[200]),
    case("POST", "/api/v1/clock/confirm", Everybody, r#"{"time":"2020-01-01T00:00:00Z"}"#, &[409]),
    case("GET", "/api/v1/jobs", Everybody, "", &[200]),
    case("POST", "/api/v1/jobs/{job}/run", Everybody, "", &[200]),
    case("GET", "/mailbox", Everybody, "", &[404]),
    case("GET", "/mailbox/{number}", Everybody, "", &[404]),
    case("GET", "/mailbox/{number}/html", Everybody, "", &[404]),
    case("GET", "/api/v1/mailbox", Everybody, "", &[404]),
    case("GET", "/api/v1/mailbox/{number}", Everybody, "", &[404]),
    case("GET", "/api/v1/rentals", Everybody, "", &[200]),
    case("GET", "/api/v1/rentals/export", Everybody, "", &[200]),
    case("GET", "/api/v1/bulk-ends", Everybody, "", &[200]),
    case("GET", "/api/v1/bulk-ends/{bulk_end_id}", Somebody, "", &[200]),
    case("GET", "/api/v1/lockers/{locker_id}/history", Somebody, "", &[200]),
    case("GET", "/api/v1/members/{member_id}/history", Everybody, "", &[200]),
    case("GET", "/api/v1/me/history", Everybody, "", &[200]),
    case("GET", "/api/v1/openings", Everybody, "", &[200]),
    case("GET", "/api/v1/openings/export", Everybody, "", &[200]),
    case("GET", "/api/v1/alarms/export", Everybody, "", &[200]),
    case("GET", "/api/v1/returns/export", Everybody, "", &[200]),
    case("GET", "/api/v1/shortages/export", Everybody, "", &[200]),
    case("GET", "/api/v1/banks/{bank_id}/lockers/export", Somebody, "", &[200]),
    case("GET", "/api/v1/statistics/occupancy", Everybody, "", &[200]),
    case("GET", "/api/v1/statistics/rush", Everybody, "", &[422]),
    case("GET", "/api/v1/statistics/openings", Everybody, "", &[200]),
    case("GET", "/api/v1/statistics/overdue", Everybody, "", &[200]),
    case("GET", "/api/v1/statistics/waits", Everybody, "", &[200]),
    // The locker is its owner's already, and stays so: nothing here changes what comes after.
    case(
        "POST",
        "/api/v1/rentals",
        Somebody,
        r#"{"locker_id":201,"member_id":1,"ends_on":"2020-01-01","reason":"probe"}"#,
        &[404, 409, 422],
    ),
    case(
        "POST",
        "/api/v1/rentals/bulk-end",
        Somebody,
        r#"{"bank_id":2,"ended_before":"2020-01-01","reason":"probe"}"#,
        &[202],
    ),
    case(
        "POST",
        "/api/v1/rentals/{rental_id}/move",
        Somebody,
        r#"{"locker_id":201,"reason":"probe"}"#,
        &[422],
    ),
    case(
        "PATCH",
        "/api/v1/rentals/{rental_id}",
        Somebody,
        r#"{"ends_on":"2020-01-01","reason":"probe"}"#,
        &[422],
    ),
    case("GET", "/api/v1/returns", Everybody, "", &[200]),
    case("GET", "/api/v1/shortages", Everybody, "", &[200]),
    // Its locker can be had: the owner is let in, and told so.
    case("POST", "/api/v1/lockers/{locker_id}/replace", Somebody, "", &[409]),
    case("POST", "/api/v1/lockers/{locker_id}/release", Somebody, "", &[200]),
    // What is returned stays so.
    case("POST", "/api/v1/rentals/{rental_id}/end", Somebody, REASON, &[200]),
    // Behind the return: what was opened waits for its grace, and an account for its locker.
    case("POST", "/api/v1/lockers/{locker_id}/free", Somebody, REASON, &[200]),
    case(
        "POST",
        "/api/v1/auth/password",
        Everybody,
        r#"{"current_password":"correct horse battery staple","new_password":"correct horse battery staple"}"#,
        &[204],
    ),
    case("POST", "/api/v1/auth/logout", Everybody, "", &[204]),
    // Whoever is let in next is logged in anew: the owner has just left.
    case("POST", "/api/v1/auth/logout-everywhere", Everybody, r#"{"keep_this":true}"#, &[200]),
    case("DELETE", "/api/v1/members/{member_id}/sessions", Everybody, "", &[200]),
    case("POST", "/api/v1/members/{member_id}/disable", Everybody, REASON, &[204]),
    case("POST", "/api/v1/members/{member_id}/enable", Everybody, "", &[204]),
    // The door may still stand open: then the locker is not returned, and the account stays.
    case("DELETE", "/api/v1/me", Everybody, PROOF, &[204, 409]),
    case("PUT", "/api/v1/members/{member_id}/role", Somebody, r#"{"role":"student"}"#, &[204, 404]),
    case("DELETE", "/api/v1/members/{member_id}", Somebody, REASON, &[204, 404, 409]),
    case("DELETE", "/api/v1/banks/{bank_id}/staff/{member_id}", Somebody, "", &[204, 404]),
    case("POST", "/api/v1/keys/rotate", Somebody, "", &[200]),
    case("POST", "/api/v1/sessions/log-out-everybody", Somebody, r#"{"reason":"x"}"#, &[200]),
];
