//! Who may call what, tried on the real server: each route of the access table with nobody, the wrong
//! role, the wrong owner, the right one, an expired token and some fifty tampered ones. A route
//! that has no line in `cases` fails the test.

use std::collections::BTreeMap;

use lockerd::http::access::{Access, ROUTES, Route};
use lockerd::sim::{DoorAction, Physics, SimBoard, SimBus};
use serde_json::json;

use crate::support::boards::{Boards, bus_toml, modbus_toml};
use crate::support::http::{Client, Reply};
use crate::support::people::Kiosk;
use crate::support::site::{PASSWORD, Plan, Site};
use crate::support::until;

mod cases;
mod tokens;

use cases::{CASES, Case, Owner};

/// Who rents.
const OWNER: &str = "2023000001";

/// Somebody who left their locker of bank 2 late and pays for it, and somebody who has not left it yet.
const LATE: &str = "
    INSERT INTO rental (id, bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
        confirmed_ms, returned_ms, ended_ms, end_reason)
      SELECT 901, 2, 202, id, 'ended', '2020-01-01', '2020-06-30', 1, 1, 2, 2, 'returned'
      FROM member WHERE student_id = '2024000002';
    INSERT INTO overdue_case (id, rental_id, bank_id, locker_id, member_id, ended_on, state,
        detected_ms, closed_ms, late_days)
      SELECT 1, id, 2, 202, member_id, ends_on, 'returned', 1, 2, 3 FROM rental WHERE id = 901;
    INSERT INTO penalty (id, member_id, case_id, first_on, last_on, made_ms)
      SELECT 1, member_id, 1, '2089-01-01', '2089-01-03', 2 FROM rental WHERE id = 901;
    INSERT INTO rental (id, bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
        confirmed_ms)
      SELECT 902, 2, 202, id, 'active', '2021-01-01', '2021-06-30', 1, 1
      FROM member WHERE student_id = '2024000003';";

const JSON: &str = "Content-Type: application/json";

/// What stands in paths whatever the house is like.
const CONSTANT: [(&str, &str); 15] = [
    ("locker_id", "201"),
    ("bank_id", "2"),
    ("bus", "east"),
    ("address", "1"),
    ("slug", "locker_taken"),
    ("reservation_id", "999999"),
    ("key", "a-key"),
    ("waiting_id", "1"),
    ("kind", "log_in"),
    ("subject", "member:1"),
    ("job", "prune"),
    ("penalty_id", "1"),
    ("audit_id", "1"),
    ("mail_id", "1"),
    ("number", "1"),
];

/// A site in which everything has an owner.
struct House {
    site: Site,
    boards: Boards,
    /// A value for each parameter of a path: things of the owner, in the bank of the staff.
    values: BTreeMap<&'static str, String>,
    /// Rents a locker of bank 2.
    owner: Client,
    /// A student who owns none of it.
    stranger: Client,
    /// Looks after bank 2.
    staff: Client,
    /// Looks after bank 1.
    other_staff: Client,
    admin: Client,
    /// A kiosk of bank 2.
    kiosk: Option<Kiosk>,
}

impl House {
    #[track_caller]
    fn build() -> Self {
        let place = tempfile::tempdir().expect("a temporary place");
        let line = SimBus::new("east", place.path().join("east"), 19_200);
        let boards = Boards::with(
            vec![line.with(SimBoard::modbus(1, 8)).with(SimBoard::modbus(2, 8))],
            Physics { auto_close_ms: Some(1_500), ..Physics::default() },
        );
        let plan = Plan::default()
            .lockers(1, [101])
            .wired(2, 201, ("east", 1, 1))
            .wired(2, 202, ("east", 1, 2))
            .wired(2, 203, ("east", 1, 3))
            .students(4)
            .staff("STAFF01", 1)
            .staff("STAFF02", 2)
            .admin()
            .bus(&bus_toml("east", 19_200, &[&modbus_toml(1), &modbus_toml(2)]));
        let mut site = Site::prepare_in(place, &plan);
        let add = ["member", "add", "--id", OWNER, "--name", "김주인", "--password-stdin"];
        let email = ["--email", "owner@korea.ac.kr", "--phone", "01099990000"];
        site.command(&[&add[..], &email[..]].concat(), PASSWORD).ok();
        site.sql().execute_batch(LATE).expect("consistent");
        site.serve();
        let mut house = Self {
            owner: site.account(OWNER),
            stranger: site.student(1),
            other_staff: site.account("STAFF01"),
            staff: site.account("STAFF02"),
            admin: site.account("ADMIN"),
            kiosk: None,
            values: BTreeMap::new(),
            boards,
            site,
        };
        house.fill();
        house
    }

    /// Makes one thing of each kind.
    #[track_caller]
    fn fill(&mut self) {
        self.owner.rent(201);
        until("every door is known", || {
            (self.site.number("SELECT count(*) FROM door") == 3).then_some(())
        });
        let mut put = |name, value: &str| self.values.insert(name, value.to_owned());
        for (name, value) in CONSTANT {
            put(name, value);
        }
        for name in ["second_session_id", "third_session_id"] {
            let again = self.site.account(OWNER);
            let list = again.get("/api/v1/auth/sessions").expect(200).json();
            let list = list["sessions"].as_array().expect("a list").clone();
            let own = list.iter().find(|it| it["current"] == true).expect("the one that asks");
            put(name, &own["session_id"].to_string());
        }
        let me = self.owner.get("/api/v1/auth/me").expect(200).json();
        put("member_id", &me["member_id"].to_string());
        let late = until("somebody is noticed to be late", || {
            let open = self.staff.get("/api/v1/overdue?state=open").expect(200).json();
            open["cases"][0]["case_id"].as_i64()
        });
        put("case_id", &late.to_string());
        let place = json!({ "name": { "ko": "빈 곳" } });
        let place = self.admin.post_json("/api/v1/locations", &place).expect(201).json();
        put("location_id", &place["location_id"].to_string());
        let term = json!({
            "name": { "ko": "다음 학기" }, "opens_at": "2089-01-01T00:00:00",
            "closes_at": "2089-01-02T00:00:00", "starts_on": "2089-02-01", "ends_on": "2089-06-30",
        });
        let term = self.admin.post_json("/api/v1/terms", &term).expect(201).json();
        put("term_id", &term["term_id"].to_string());
        self.boards.door("east", 1, 1, DoorAction::Open);
        let alarm = until("the alarm", || {
            let list = self.staff.get("/api/v1/alarms").expect(200).json();
            Some(list["alarms"][0].clone()).filter(|alarm| !alarm.is_null())
        });
        put("alarm_id", &alarm["alarm_id"].to_string());
        self.boards.close("east", 1, 1);
        let keyed = self.owner.post_keyed("/api/v1/lockers/201/open", "a-key").expect(202).json();
        let operation = keyed["operation_id"].as_str().expect("an id").to_owned();
        self.owner.outcome(&operation);
        put("operation_id", &operation);
        let kiosk = Kiosk::pair(&self.staff, "로비", &[2]);
        put("kiosk_id", &kiosk.id.to_string());
        self.kiosk = Some(kiosk);
        let order = json!({ "locker_ids": [203], "reason": "probe" });
        let mass = self.staff.post_json("/api/v1/mass-openings", &order).expect(202).json();
        put("mass_opening_id", mass["mass_opening_id"].as_str().expect("an id"));
        let order = json!({ "bank_id": 2, "ended_before": "2020-01-01", "reason": "probe" });
        let ended = self.staff.post_json("/api/v1/rentals/bulk-end", &order).expect(202).json();
        put("bulk_end_id", ended["bulk_end_id"].as_str().expect("an id"));
        let rental = self.site.number("SELECT max(id) FROM rental WHERE locker_id = 201");
        put("rental_id", &rental.to_string());
        let order = json!({ "bus": "east", "board": 2 });
        let proof = self.admin.post_json("/api/v1/commissioning/proofs", &order).expect(201).json();
        put("proof_id", proof["id"].as_str().expect("an id"));
        let order = json!({ "bus": "east", "families": ["modbus-relay"], "from": 1, "to": 2 });
        let scan = self.admin.post_json("/api/v1/commissioning/scans", &order).expect(202).json();
        put("scan_id", scan["id"].as_str().expect("an id"));
        let path = format!("/api/v1/commissioning/scans/{}", scan["id"].as_str().expect("an id"));
        until("the scan is over", || {
            (self.admin.get(&path).expect(200).json()["state"] != "running").then_some(())
        });
    }

    fn path(&self, pattern: &str) -> String {
        self.values.iter().fold(pattern.to_owned(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value)
        })
    }

    fn call(&self, who: &Client, case: &Case) -> Reply {
        let (path, body) = self.request(case);
        let headers: &[&str] = if body.is_empty() { &[] } else { &[case.kind()] };
        who.call(case.method, &path, headers, &body)
    }

    /// Called by whoever must be let in.
    fn call_rightly(&self, route: &Route, case: &Case) -> Reply {
        if route.access == Access::Kiosk {
            let (path, body) = self.request(case);
            return self.kiosk.as_ref().expect("paired").call(case.method, &path, &body);
        }
        self.call(&self.right(route, case), case)
    }

    /// Path and body of a case.
    fn request(&self, case: &Case) -> (String, String) {
        let path = match case.with {
            Some((name, other)) => case.path.replace(&format!("{{{name}}}"), &self.values[other]),
            None => case.path.to_owned(),
        };
        let path = self.path(&path);
        assert!(!path.contains('{'), "{path}: give its parameter a value");
        let body = self.values.iter().fold(case.body.to_owned(), |body, (name, value)| {
            body.replace(&format!("<{name}>"), value)
        });
        (path, body)
    }

    /// Who must be let in.
    fn right(&self, route: &Route, case: &Case) -> Client {
        match (route.access, case.owner) {
            (Access::Public, _) => self.site.nobody(),
            (Access::Kiosk, _) => unreachable!("a kiosk is no client: see call_rightly"),
            // Logging out is among the cases: who comes after it has logged in again.
            (Access::Member, _) => self.owner_again(),
            (Access::Staff, Owner::Everybody) => self.other_staff.clone(),
            (Access::Staff, _) => self.staff.clone(),
            (Access::Admin, _) => self.admin.clone(),
        }
    }

    /// The owner, logged in.
    fn owner_again(&self) -> Client {
        match self.owner.get("/api/v1/auth/me").status {
            200 => self.owner.clone(),
            _ => self.site.account(OWNER),
        }
    }

    /// Who must be refused, with a name for the report.
    fn wrong(&self, route: &Route, case: &Case) -> Vec<(&'static str, &Client)> {
        match (route.access, case.owner) {
            (Access::Public, _) | (Access::Member, Owner::Everybody) => Vec::new(),
            (Access::Kiosk, _) => vec![("the owner", &self.owner), ("an admin", &self.admin)],
            (Access::Member, _) => vec![("a stranger", &self.stranger)],
            (Access::Staff, Owner::Everybody) => {
                vec![("a student", &self.stranger), ("the owner", &self.owner)]
            }
            (Access::Staff, _) => vec![
                ("a student", &self.stranger),
                ("the owner", &self.owner),
                ("staff of another bank", &self.other_staff),
            ],
            (Access::Admin, _) => vec![
                ("a student", &self.stranger),
                ("the owner", &self.owner),
                ("staff of the bank", &self.staff),
            ],
        }
    }
}

fn case_of(route: &Route) -> &'static Case {
    let found = CASES.iter().find(|case| case.method == route.method && case.path == route.path);
    found.unwrap_or_else(|| {
        panic!("{} {}: say in rights/cases.rs who owns it", route.method, route.path)
    })
}

#[test]
fn each_route_has_its_case_and_each_case_its_route() {
    for route in ROUTES {
        case_of(route);
    }
    for case in CASES {
        let known = ROUTES.iter().any(|it| it.method == case.method && it.path == case.path);
        assert!(known, "{} {} is no route", case.method, case.path);
    }
}

#[test]
fn each_route_lets_in_whom_it_must_and_nobody_else() {
    let house = House::build();
    let mut breaches = Vec::new();
    let mut note = |name: &str, who: &str, reply: &Reply| {
        breaches.push(format!("{name}: {who} got {}: {}", reply.status, reply.text()));
    };
    for route in ROUTES {
        let (name, case) = (format!("{} {}", route.method, route.path), case_of(route));
        if !matches!(route.access, Access::Public) {
            let reply = house.call(&house.site.nobody(), case);
            let kiosk = route.access == Access::Kiosk;
            let code = if kiosk { "kiosk_unknown" } else { "unauthenticated" };
            if (reply.status, reply.code().as_str()) != (401, code) {
                note(&name, "nobody", &reply);
            }
        }
        for (who, client) in house.wrong(route, case) {
            let reply = house.call(client, case);
            let refused = if route.access == Access::Kiosk { 401..=401 } else { 403..=404 };
            if !refused.contains(&reply.status) {
                note(&name, who, &reply);
            }
        }
    }
    // What ends something comes last, in the order of the cases.
    for case in CASES {
        let route = ROUTES.iter().find(|it| it.method == case.method && it.path == case.path);
        let route = route.expect("a case has its route");
        let reply = house.call_rightly(route, case);
        if !case.may.contains(&reply.status) {
            note(&format!("{} {}", case.method, case.path), "the right one", &reply);
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn no_tampered_or_expired_token_passes_anywhere() {
    let house = House::build();
    let me = house.admin.get("/api/v1/auth/me").expect(200).json();
    let good = house.admin.token.clone().expect("a token");
    let bad = tokens::tampered(&good, &house.site.data_dir());
    assert!(bad.len() >= 40, "only {} tampered tokens", bad.len());
    assert_eq!(me["role"], "admin", "the token that is tampered with could do everything");
    let mut breaches = Vec::new();
    for route in ROUTES.iter().filter(|route| !matches!(route.access, Access::Public)) {
        let case = case_of(route);
        for (how, token) in &bad {
            let reply = house.call(&house.site.nobody().with_token(token.clone()), case);
            if reply.status != 401 {
                breaches.push(format!("{} {}: {how}: {}", route.method, route.path, reply.status));
            }
        }
    }
    assert!(breaches.is_empty(), "{} breaches\n{}", breaches.len(), breaches.join("\n"));
    // The token itself was good all the while.
    house.admin.get("/api/v1/auth/me").expect(200);
}
