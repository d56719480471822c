//! Who looks after which bank: registration codes, single use under a crowd, and rights that come
//! and go at once.

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply, at_once};
use crate::support::inside::{Inside, open_now};

const CLAIM: &str = "/api/v1/banks/claim";
const JSON: &str = "Content-Type: application/json";

fn site() -> (Inside, Client) {
    let inside = Inside::start([101], 1, open_now);
    inside.add("ADMIN1", Role::Admin, &[]);
    let admin = inside.account("ADMIN1");
    (inside, admin)
}

fn code(admin: &Client) -> String {
    let made = admin.post("/api/v1/banks/1/registration-code").expect(201).json();
    made["code"].as_str().expect("a code").to_owned()
}

fn claim(client: &Client, code: &str) -> Reply {
    client.post_json(CLAIM, &json!({ "code": code }))
}

fn staff_of_bank(client: &Client) -> Vec<String> {
    let list = client.get("/api/v1/banks/1/staff").expect(200).json();
    let rows = list["staff"].as_array().expect("rows").iter();
    rows.map(|row| row["student_id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn one_of_a_hundred_takes_the_bank_and_its_rights_are_there_at_once() {
    let (inside, admin) = site();
    let staff: Vec<Client> = ["STAFF1", "STAFF2", "STAFF3", "STAFF4"]
        .into_iter()
        .map(|id| {
            inside.add(id, Role::Staff, &[]);
            inside.account(id)
        })
        .collect();
    let code = code(&admin);
    assert_eq!(code.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4], "{code}");
    let stored: Vec<u8> = inside
        .sql()
        .query_row("SELECT code_hash FROM registration_code", [], |row| row.get(0))
        .expect("a row");
    assert_ne!(stored, code.as_bytes(), "only a hash is kept");
    staff[0].get("/api/v1/banks/1/staff").refused(403, "forbidden");
    let body = json!({ "code": code.to_uppercase().replace('-', " ") }).to_string();
    let requests = (0..100).map(|n| staff[n % 4].request("POST", CLAIM, &[JSON], &body));
    let replies = at_once(admin.address, requests.collect());
    let won: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(won.len(), 1, "exactly one");
    assert_eq!(won[0].json()["bank_id"], 1);
    assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 410)), "the others are told");
    let now = staff_of_bank(&admin);
    assert_eq!(now.len(), 1);
    let winner = inside.account(&now[0]);
    assert_eq!(staff_of_bank(&winner), now, "the right is there");
    claim(&staff[0], &code).refused(410, "code_expired");
    inside.demand_clean();
}

#[test]
fn a_new_code_replaces_the_old_one_and_guessing_is_slowed_down() {
    let (inside, admin) = site();
    inside.add("STAFF1", Role::Staff, &[]);
    let staff = inside.account("STAFF1");
    let (old, new) = (code(&admin), code(&admin));
    claim(&staff, &old).refused(422, "code_wrong");
    claim(&staff, &new).refused(429, "too_many_attempts");
    inside.pass(1_100);
    claim(&staff, &new).expect(200);
    claim(&staff, &"x".repeat(65)).refused(422, "invalid");
    staff.post_json(CLAIM, &json!({})).refused(400, "bad_json");
}

#[test]
fn only_accounts_that_an_admin_made_staff_take_a_bank() {
    let (inside, admin) = site();
    let code = code(&admin);
    claim(&inside.student(0), &code).refused(403, "forbidden");
    claim(&admin, &code).refused(403, "forbidden");
    inside.student(0).post("/api/v1/banks/1/registration-code").refused(403, "forbidden");
    inside.add("STAFF1", Role::Staff, &[1]);
    let staff = inside.account("STAFF1");
    staff.post("/api/v1/banks/1/registration-code").refused(403, "forbidden");
    admin.post("/api/v1/banks/9/registration-code").refused(404, "bank_not_found");
    admin.get("/api/v1/banks/9/staff").refused(404, "bank_not_found");
}

#[test]
fn a_bank_is_given_and_taken_and_a_token_of_before_feels_it() {
    let (inside, admin) = site();
    let id = inside.add("STAFF1", Role::Staff, &[1]);
    let staff = inside.account("STAFF1");
    assert_eq!(staff_of_bank(&staff), ["STAFF1"]);
    let remove = |id: &str| admin.call("DELETE", &format!("/api/v1/banks/1/staff/{id}"), &[], "");
    staff.call("DELETE", &format!("/api/v1/banks/1/staff/{id}"), &[], "").refused(403, "forbidden");
    remove(&id.to_string()).expect(204);
    remove(&id.to_string()).refused(404, "member_not_found");
    staff.get("/api/v1/banks/1/staff").refused(403, "forbidden");
    let put = |banks: Value| {
        let path = format!("/api/v1/members/{id}/banks");
        admin.call("PUT", &path, &[JSON], &json!({ "banks": banks }).to_string())
    };
    put(json!([9])).refused(404, "bank_not_found");
    put(json!([1])).expect(204);
    assert_eq!(staff_of_bank(&staff), ["STAFF1"]);
    put(json!([])).expect(204);
    staff.get("/api/v1/banks/1/staff").refused(403, "forbidden");
    inside.demand_clean();
}
