//! Locations, banks, lockers and terms as staff manage them over the API: made, changed, retired, taken
//! out of service, written about, drawn, and carried from one site to another as a file.

use jiff::{SignedDuration, Timestamp};
use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply};
use crate::support::inside::{Inside, open_now, term};

const JSON: &str = "Content-Type: application/json";
const TOML: &str = "Content-Type: application/toml";

/// A site with an admin, and staff of its only bank.
struct House {
    inside: Inside,
    admin: Client,
    staff: Client,
}

fn house(lockers: impl IntoIterator<Item = i64>) -> House {
    let inside = Inside::start(lockers, 3, open_now);
    inside.add("ADMIN", Role::Admin, &[]);
    inside.add("STAFF01", Role::Staff, &[1]);
    House { admin: inside.account("ADMIN"), staff: inside.account("STAFF01"), inside }
}

fn call(who: &Client, method: &str, path: &str, body: &Value) -> Reply {
    who.call(method, &format!("/api/v1/{path}"), &[JSON], &body.to_string())
}

fn get(who: &Client, path: &str) -> Value {
    who.get(&format!("/api/v1/{path}")).expect(200).json()
}

fn delete(who: &Client, path: &str) -> Reply {
    who.call("DELETE", &format!("/api/v1/{path}"), &[], "")
}

impl House {
    fn texts(&self, sql: &str) -> Vec<String> {
        let conn = self.inside.sql();
        let mut statement = conn.prepare(sql).expect("good SQL");
        let rows = statement.query_map([], |row| row.get(0)).expect("readable");
        rows.collect::<Result<_, _>>().expect("readable")
    }

    fn audited(&self, action: &str) -> Vec<String> {
        self.texts(&format!("SELECT subject FROM audit WHERE action = '{action}' ORDER BY id"))
    }
}

#[test]
fn a_location_with_a_bank_is_made_changed_and_retired() {
    let house = house([]);
    let admin = &house.admin;
    let name = json!({ "name": { "ko": "과학도서관", "en": "Science Library" } });
    let made = call(admin, "POST", "locations", &name).expect(201).json();
    let location = made["location_id"].as_i64().expect("a number");
    assert_eq!((&made["banks"], &made["retired_at"]), (&json!(0), &Value::Null));
    call(admin, "POST", "locations", &name).refused(409, "name_taken");
    let bank = json!({ "location_id": location, "name": { "ko": "620호 옆" },
        "policy": { "hold_seconds": 90, "open_from": "anywhere", "closings": [] } });
    let bank = call(admin, "POST", "banks", &bank).expect(201).json();
    assert_eq!(bank["name"], json!({ "ko": "620호 옆", "en": "620호 옆" }));
    assert_eq!((&bank["policy"]["hold_seconds"], &bank["mode"]), (&json!(90), &json!("choose")));
    let path = format!("banks/{}", bank["bank_id"]);
    let changed = call(admin, "PATCH", &path, &json!({ "name": { "ko": "로비" } })).expect(200);
    assert_eq!(changed.json()["location"]["en"], "Science Library");
    assert_eq!(get(&house.staff, &path)["name"]["ko"], "로비", "all staff see all banks");

    let here = format!("locations/{location}");
    let refused = delete(admin, &here).refused(409, "still_in_use");
    assert_eq!(refused["bank_ids"], json!([bank["bank_id"]]));
    let code = admin.post(&format!("/api/v1/{path}/registration-code")).expect(201).json();
    assert_eq!(delete(admin, &path).status, 204);
    let claim = json!({ "code": code["code"] });
    house.staff.post_json("/api/v1/banks/claim", &claim).refused(422, "code_wrong");
    assert_eq!(delete(admin, &here).status, 204);
    for gone in [&path, &here] {
        assert_eq!(delete(admin, gone).status, 404);
    }
    let names = |list: &Value, key: &str| -> Vec<String> {
        let rows = list[key].as_array().expect("rows");
        rows.iter().map(|row| row["name"]["ko"].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(names(&get(admin, "banks"), "banks"), ["사물함"]);
    assert_eq!(names(&get(admin, "banks?retired=true"), "banks"), ["로비"]);
    assert_eq!(names(&get(admin, "locations"), "locations"), ["정보관"]);
    let retired = get(admin, "locations?retired=true");
    assert_eq!(retired["locations"][0]["retired_at"], house.inside.clock.now().to_string());
    // Its name is free again.
    call(admin, "POST", "locations", &name).expect(201);
    assert_eq!(house.audited("location.retire"), [format!("location:{location}")]);
    house.inside.demand_clean();
}

#[test]
fn lists_are_paged_filtered_and_sorted() {
    let house = house([]);
    for name in ["나", "다", "가"] {
        let bank =
            json!({ "location_id": 1, "name": { "ko": name, "en": format!("Wall {name}") } });
        call(&house.admin, "POST", "banks", &bank).expect(201);
    }
    let asked = |question: &str| {
        let page = get(&house.staff, &format!("banks?{question}"));
        let rows = page["banks"].as_array().expect("rows").clone();
        let names: Vec<String> =
            rows.iter().map(|row| row["name"]["ko"].as_str().expect("text").to_owned()).collect();
        (names.join(" "), page["next_cursor"].clone(), page["total"].clone())
    };
    assert_eq!(asked("limit=3"), ("사물함 나 다".to_owned(), json!("3"), json!(4)));
    assert_eq!(asked("limit=3&cursor=3"), ("가".to_owned(), Value::Null, json!(4)));
    assert_eq!(asked("sort=name").0, "가 나 다 사물함");
    assert_eq!(asked("q=wall").2, json!(3));
    assert_eq!(asked("location_id=2").2, json!(0));
    for wrong in ["sort=age", "limit=0", "cursor=x", "retired=perhaps", "location_id=x"] {
        house.staff.get(&format!("/api/v1/banks?{wrong}")).refused(422, "invalid");
    }
    house.inside.student(0).get("/api/v1/banks").refused(403, "forbidden");
}

#[test]
fn a_range_of_lockers_is_made_as_a_whole_or_not_at_all() {
    let house = house([105]);
    let range = json!({
        "from": 101, "to": 104, "wire": { "bus": "east", "board": 1, "lock": 5 },
        "layout": { "first": { "col": 1, "row": 1 }, "per_column": 3 }, "level": "top",
    });
    let made = call(&house.admin, "POST", "banks/1/lockers", &range).expect(201).json();
    assert_eq!(made["locker_ids"], json!([101, 102, 103, 104]));
    let list = get(&house.staff, "banks/1/lockers?wired=true");
    assert_eq!(list["total"], 4);
    let fourth = &list["lockers"][3];
    assert_eq!(fourth["wire"], json!({ "bus": "east", "board": 1, "lock": 8 }));
    assert_eq!(fourth["place"], json!({ "col": 2, "row": 1, "width": 1, "height": 1 }));

    for (body, code, status) in [
        (json!({ "from": 104, "to": 106 }), "number_taken", 409),
        (
            json!({ "from": 201, "wire": { "bus": "east", "board": 1, "lock": 8 } }),
            "channel_taken",
            409,
        ),
        (
            json!({ "from": 201, "to": 250, "wire": { "bus": "east", "board": 2, "lock": 2 } }),
            "invalid",
            422,
        ),
        (json!({ "from": 201, "to": 701 }), "invalid", 422),
        (json!({ "from": 202, "to": 201 }), "invalid", 422),
        (json!({ "from": 0 }), "invalid", 422),
        (
            json!({ "from": 201, "layout": { "first": { "col": 1, "row": 2 }, "per_row": 1 } }),
            "invalid",
            422,
        ),
    ] {
        call(&house.admin, "POST", "banks/1/lockers", &body).refused(status, code);
    }
    assert_eq!(get(&house.staff, "banks/1/lockers")["total"], 5);
    house.inside.demand_clean();
}

#[test]
fn overlapping_places_are_named_and_a_map_is_drawn_as_it_was_put() {
    let house = house([101, 102, 103]);
    let admin = &house.admin;
    let computed = get(&house.inside.student(0), "banks/1/map");
    assert_eq!((&computed["computed"], &computed["cols"]), (&json!(true), &json!(3)));
    assert_eq!(computed["cells"][2]["col"], 3);

    let map = json!({
        "front": "S",
        "cells": [
            { "locker": 101, "col": 1, "row": 1, "w": 2, "level": "top" },
            { "locker": 102, "col": 1, "row": 2, "accessible": true },
        ],
        "fixtures": [{ "kind": "kiosk", "col": 3, "row": 1, "h": 2, "label": { "ko": "키오스크" } }],
    });
    let put = call(admin, "PUT", "banks/1/map", &map).expect(200);
    let tag = put.header("etag").expect("a tag").to_owned();
    let drawn = put.json();
    assert_eq!(
        (&drawn["cols"], &drawn["rows"], &drawn["front"]),
        (&json!(3), &json!(3), &json!("S"))
    );
    let first = json!({ "locker": 101, "number": "101", "col": 1, "row": 1, "w": 2, "h": 1,
        "level": "top", "accessible": false });
    assert_eq!(drawn["cells"][0], first);
    assert_eq!(drawn["cells"][2]["row"], 3, "without a place it stands below the others");
    assert_eq!(drawn["fixtures"][0]["label"]["en"], "키오스크");
    let again = [format!("If-None-Match: {tag}")];
    let ask = |path: &str| admin.call("GET", path, &[again[0].as_str()], "");
    assert_eq!(ask("/api/v1/banks/1/map").status, 304);

    let place = json!({ "place": { "col": 2, "row": 1 } });
    let refused = call(admin, "PATCH", "lockers/103", &place).refused(422, "invalid");
    let detail = refused["detail"].as_str().expect("words");
    assert!(detail.contains("locker 101 and locker 103 overlap at column 2, row 1"), "{detail}");
    let outside = json!({ "place": { "col": 201, "row": 1 } });
    call(admin, "PATCH", "lockers/103", &outside).refused(422, "invalid");
    let place = json!({ "place": { "col": 2, "row": 2 }, "level": null });
    call(admin, "PATCH", "lockers/103", &place).expect(200);
    assert_eq!(ask("/api/v1/banks/1/map").status, 200, "it looks different now");
    // All at once: two lockers change places.
    let swapped = json!({ "cells": [
        { "locker": 101, "col": 1, "row": 2 }, { "locker": 102, "col": 1, "row": 1 },
    ] });
    let drawn = call(admin, "PUT", "banks/1/map", &swapped).expect(200).json();
    assert_eq!((&drawn["fixtures"], &drawn["front"]), (&json!([]), &Value::Null));
    for cells in [
        json!([{ "locker": 101, "col": 1, "row": 1 }, { "locker": 101, "col": 2, "row": 1 }]),
        json!([{ "locker": 999, "col": 1, "row": 1 }]),
        json!([{ "locker": 101, "col": 0, "row": 1 }]),
        json!([{ "locker": 101, "col": 1, "row": 200, "h": 2 }]),
    ] {
        call(admin, "PUT", "banks/1/map", &json!({ "cells": cells })).refused(422, "invalid");
    }
    assert_eq!(get(admin, "banks/1/map")["cells"][0]["row"], 2, "a refusal changed nothing");
}

#[test]
fn a_locker_out_of_service_keeps_its_history_and_its_renter_is_told() {
    let house = house([101, 102]);
    let (renter, holder) = (house.inside.student(0), house.inside.student(1));
    renter.rent(101);
    let broken = json!({ "in_service": false, "reason": "경첩이 부러짐" });
    let put = |who: &Client, locker: i64, body: &Value| {
        call(who, "PUT", &format!("lockers/{locker}/service"), body)
    };
    let now = put(&house.staff, 101, &broken).expect(200).json();
    assert_eq!((&now["in_service"], &now["reason"]), (&json!(false), &json!("경첩이 부러짐")));
    let told = "SELECT payload || ' ' || member.student_id FROM outbox
                JOIN member ON member.id = member_id WHERE kind = 'shortage'";
    let told = house.texts(told);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("\"reason\":\"out_of_service\""), "{told:?}");
    assert!(told[0].contains("\"why\":\"경첩이 부러짐\""), "{told:?}");
    // Another reason is kept, but not mailed; the rental goes on.
    put(&house.staff, 101, &json!({ "in_service": false, "reason": "부품 대기" })).expect(200);
    assert_eq!(renter.mine()["locker_id"], 101);
    assert_eq!(renter.state_of(101), "out_of_service");
    put(&house.staff, 101, &json!({ "in_service": true, "reason": "고침" })).expect(200);
    assert_eq!(renter.state_of(101), "taken");
    let page = get(&house.staff, "lockers/101/service?limit=2");
    let reasons = |page: &Value| -> Vec<String> {
        let steps = page["steps"].as_array().expect("steps");
        steps.iter().map(|it| it["reason"].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(reasons(&page), ["고침", "부품 대기"]);
    let cursor = page["next_cursor"].as_str().expect("another page");
    let page = get(&house.staff, &format!("lockers/101/service?limit=2&cursor={cursor}"));
    assert_eq!(
        (reasons(&page), &page["next_cursor"]),
        (vec!["경첩이 부러짐".to_owned()], &Value::Null)
    );

    // What is held cannot be confirmed any more once it is out of service.
    holder.locker(102, "hold").expect(201);
    put(&house.staff, 102, &broken).expect(200);
    holder.locker(102, "confirm").refused(409, "out_of_service");
    put(&house.staff, 102, &json!({ "in_service": false, "reason": " " })).refused(422, "invalid");
    put(&house.staff, 999, &broken).refused(404, "locker_not_found");
    assert_eq!(house.audited("locker.service").len(), 4);
    let mails = "SELECT message_id FROM outbox WHERE kind = 'shortage'";
    assert_eq!(house.texts(mails).len(), 1, "holders are told by the refusal");
    house.inside.demand_clean();
}

#[test]
fn what_is_rented_is_not_retired_and_what_is_retired_leaves_the_lists() {
    let house = house([101, 102, 103]);
    let (renter, holder) = (house.inside.student(0), house.inside.student(1));
    renter.rent(101);
    holder.locker(102, "hold").expect(201);
    for (path, count) in [("lockers/101", 1), ("lockers/102", 1), ("banks/1", 2)] {
        let refused = delete(&house.admin, path).refused(409, "still_in_use");
        assert_eq!(refused["count"], count, "{path}");
        assert_eq!(refused["locker_ids"].as_array().map(Vec::len), Some(count), "{path}");
    }
    house.staff.post_json("/api/v1/lockers/103/notes", &json!({ "text": "낡았음" })).expect(201);
    assert_eq!(delete(&house.admin, "lockers/103").status, 204);
    assert_eq!(
        renter.get("/api/v1/lockers").expect(200).json()["lockers"].as_array().map(Vec::len),
        Some(2)
    );
    renter.get("/api/v1/lockers/103").refused(404, "locker_not_found");
    house.inside.student(2).locker(103, "hold").refused(404, "locker_not_found");
    // Its history is still the staff's to read; its number is not used again.
    assert_eq!(get(&house.staff, "lockers/103/notes")["notes"][0]["text"], "낡았음");
    let again = call(&house.admin, "POST", "banks/1/lockers", &json!({ "from": 103 }));
    again.refused(409, "number_taken");

    renter.give_back(101);
    house.inside.pass(61_000);
    assert_eq!(delete(&house.admin, "banks/1").status, 204, "the hold has died by itself");
    let gone = holder.get("/api/v1/lockers").expect(200).json();
    assert_eq!(gone["lockers"], json!([]));
    house.staff.get("/api/v1/banks/1").refused(404, "bank_not_found");
    assert_eq!(house.texts("SELECT DISTINCT 'x' FROM locker WHERE retired_ms IS NULL"), [""; 0]);
    house.inside.demand_clean();
}

#[test]
fn a_locker_is_rewired_and_moved_while_nobody_rents_it() {
    let house = house([101, 102]);
    let admin = &house.admin;
    let bank = json!({ "location_id": 1, "name": { "ko": "둘째" } });
    let bank = call(admin, "POST", "banks", &bank).expect(201).json()["bank_id"].clone();
    let wire = json!({ "wire": { "bus": "east", "board": 1, "lock": 3 }, "place": { "col": 1, "row": 1 } });
    call(admin, "PATCH", "lockers/101", &wire).expect(200);
    let refused = call(
        admin,
        "PATCH",
        "lockers/102",
        &json!({ "wire": { "bus": "east", "board": 1, "lock": 3 } }),
    );
    let refused = refused.refused(409, "channel_taken");
    assert!(refused["detail"].as_str().is_some_and(|it| it.contains("east/1/3")), "{refused}");
    call(
        admin,
        "PATCH",
        "lockers/102",
        &json!({ "wire": { "bus": "east", "board": 1, "lock": 0 } }),
    )
    .refused(422, "invalid");
    let moved = call(admin, "PATCH", "lockers/101", &json!({ "bank_id": bank })).expect(200).json();
    assert_eq!((&moved["bank_id"], &moved["place"]), (&bank, &Value::Null));
    assert_eq!(moved["wire"]["lock"], 3, "what was not named stays");
    let loose = call(admin, "PATCH", "lockers/101", &json!({ "wire": null })).expect(200).json();
    assert_eq!(loose["wire"], Value::Null);
    house.inside.student(0).rent(102);
    call(admin, "PATCH", "lockers/102", &json!({ "bank_id": bank })).refused(409, "still_in_use");
    call(admin, "PATCH", "lockers/101", &json!({ "bank_id": 99 })).refused(404, "bank_not_found");
    house.staff.get("/api/v1/lockers/101/notes").refused(403, "forbidden");
}

#[test]
fn a_term_changes_freely_until_it_grants_and_then_for_the_future_only() {
    let house = house([101]);
    let admin = &house.admin;
    let next = json!({
        "name": { "ko": "다음 학기" }, "opens_at": "2027-02-20T10:00:00",
        "closes_at": "2027-02-25T18:00:00+09:00", "starts_on": "2027-03-01", "ends_on": "2027-06-20",
        "bank_id": 1,
    });
    let made = call(admin, "POST", "terms", &next).expect(201).json();
    assert_eq!(made["opens_at"], "2027-02-20T01:00:00Z", "the site's time");
    assert_eq!((&made["state"], &made["bank_id"]), (&json!("before"), &json!(1)));
    let path = format!("terms/{}", made["term_id"]);
    let changed = json!({ "opens_at": "2027-02-21T10:00:00", "ends_on": "2027-06-30" });
    let changed = call(admin, "PATCH", &path, &changed).expect(200).json();
    assert_eq!(
        (&changed["opens_at"], &changed["name"]["ko"]),
        (&json!("2027-02-21T01:00:00Z"), &json!("다음 학기"))
    );
    call(admin, "PATCH", &path, &json!({ "closes_at": "2027-02-21T09:00:00" }))
        .refused(422, "invalid");
    call(admin, "PATCH", &path, &json!({ "ends_on": "2027-02-30" })).refused(422, "invalid");
    call(admin, "POST", "terms", &next).refused(409, "name_taken");
    let list = get(&house.staff, "terms?state=open");
    assert_eq!((&list["total"], &list["terms"][0]["term_id"]), (&json!(1), &json!(1)));

    // The open term grants a rental: from now on it changes for the future only.
    house.inside.student(0).rent(101);
    for body in [
        json!({ "opens_at": "2026-08-01T00:00:00" }),
        json!({ "closes_at": "2026-08-24T09:59:59" }),
        json!({ "ends_on": "2026-08-23" }),
        json!({ "starts_on": "2026-08-20" }),
    ] {
        call(admin, "PATCH", "terms/1", &body).refused(409, "term_granted");
    }
    let shorter = json!({ "name": { "ko": "이번 학기" }, "ends_on": "2026-12-18" });
    call(admin, "PATCH", "terms/1", &shorter).expect(200);
    let mine = house.inside.student(0).mine();
    assert_eq!(mine["ends_on"], "2090-12-31", "what was granted keeps its days");
    // The window is closed at once.
    let now = house.inside.clock.now().to_string();
    call(admin, "PATCH", "terms/1", &json!({ "closes_at": now })).expect(200);
    house.inside.student(1).locker(101, "hold").refused(403, "outside_window");

    let refused = delete(admin, "terms/1").refused(409, "still_in_use");
    assert_eq!(refused["rentals"], 1);
    house.inside.student(0).give_back(101);
    assert_eq!(delete(admin, "terms/1").status, 204);
    // It granted something once: that is in the history, though not in memory any more.
    assert_eq!(get(admin, "terms?retired=true")["terms"][0]["name"]["ko"], "이번 학기");
    assert_eq!(delete(admin, &path).status, 204);
    assert_eq!(get(admin, "terms")["total"], 0);
    house.inside.demand_clean();
}

#[test]
fn settings_that_contradict_each_other_are_refused_with_their_fields() {
    let short = |now: Timestamp| {
        term(now + SignedDuration::from_hours(1), now + SignedDuration::from_mins(61))
    };
    let inside = Inside::start([101], 1, short);
    inside.add("ADMIN", Role::Admin, &[]);
    let admin = inside.account("ADMIN");
    let policy =
        |hold: u32| json!({ "hold_seconds": hold, "open_from": "anywhere", "closings": [] });
    let put = |body: &Value| call(&admin, "PUT", "banks/1/policy", body);
    let refused = put(&policy(61)).refused(422, "invalid");
    assert_eq!(refused["mistakes"][0]["fields"], json!(["hold_seconds", "opens_at", "closes_at"]));
    let refused = put(&json!({ "hold_seconds": 5, "left_open_s": 0, "open_from": "anywhere",
        "hours": { "mon": ["09:00-12:00", "11:00-13:00"] }, "closings": [] }));
    let fields = refused.refused(422, "invalid")["mistakes"].clone();
    let fields: Vec<&Value> =
        fields.as_array().expect("a list").iter().map(|it| &it["fields"][0]).collect();
    assert_eq!(fields, ["hold_seconds", "left_open_s", "hours"]);
    put(&json!({ "hold_seconds": 60 })).refused(400, "bad_json");
    put(&json!({ "hold_seconds": 60, "open_from": "anywhere", "closings": [], "colour": "red" }))
        .refused(400, "bad_json");
    assert_eq!(put(&policy(60)).expect(200).json()["hold_seconds"], 60);
    // The other way round: a term that is shorter than a hold.
    let term = json!({ "name": { "ko": "짧은" }, "opens_at": "2027-01-01T10:00:00",
        "closes_at": "2027-01-01T10:00:59", "starts_on": "2027-01-02", "ends_on": "2027-01-03" });
    call(&admin, "POST", "terms", &term).refused(422, "invalid");
    // And by a file.
    let file = "[[location]]\nname_ko = '정보관'\n[[location.bank]]\nname_ko = '사물함'\nhold_seconds = 61\n";
    let taken = admin.call("PUT", "/api/v1/banks/1/layout", &[TOML], file);
    assert_eq!(taken.refused(422, "invalid")["mistakes"][0]["fields"][0], "hold_seconds");
    assert_eq!(get(&admin, "banks/1/policy")["hold_seconds"], 60);
}

#[test]
fn a_change_that_is_repeated_under_its_key_is_made_once() {
    let house = house([]);
    let send = |key: &str, body: &Value| {
        let key = format!("Idempotency-Key: {key}");
        house.admin.call("POST", "/api/v1/locations", &[JSON, &key], &body.to_string())
    };
    let name = json!({ "name": { "ko": "새 곳" } });
    let first = send("k1", &name).expect(201);
    let again = send("k1", &name).expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.json()["location_id"], again.json()["location_id"]);
    send("k1", &json!({ "name": { "ko": "다른 곳" } })).refused(422, "key_reused");
    assert_eq!(house.audited("location.add").len(), 1);
}

/// A bank with everything that a file can say.
const RICH: &str = r#"
[[location]]
name_ko = "과학도서관"
name_en = "Science Library"

[[location.bank]]
name_ko = "620호 옆"
name_en = "By room 620"
mode = "choose"
hold_seconds = 90
left_open_s = 240
open_from = "presence"
front = "E"

[location.bank.returns]
grace_minutes = 5
unseen = "staff"
by_door = true

[location.bank.pool]
days_max = 7
advance_days = 20
reservations_max = 2

[location.bank.overdue]
reminder_days = [9, 2]
remind_on_last_day = true
remind_while_late = false
late_opening = "until_sealed"
seal_after_days = 3
penalty_factor = 2
penalty_max_days = 60

[location.bank.options]
extensions_max = 1
extension_days = 30
extension_from_days = 10
swaps = true
waiting_list = true
offer_minutes = 45
hold_extension = true

[location.bank.hours]
mon = ["09:00-12:00", "13:00-22:00"]
fri = ["18:00-02:00"]

[[location.bank.closing]]
first_on = "2026-09-24"
last_on = "2026-09-26"
name_ko = "추석"
name_en = "Chuseok"

[[location.bank.fixture]]
kind = "kiosk"
col = 3
row = 1
width = 1
height = 2
label_ko = "키오스크"
label_en = "Kiosk"

[[location.bank.fixture]]
kind = "gap"
col = 4
row = 1
width = 1
height = 1

[[location.bank.locker]]
id = 501
bus = "east"
board = 0
lock = 1
in_service = false
col = 1
row = 1
width = 2
height = 1
level = "top"
accessible = false

[[location.bank.locker]]
id = 502
in_service = true
accessible = true

[[location.bank.term]]
name_ko = "2027학년도 1학기"
name_en = "Spring 2027"
opens_at = "2027-02-20T01:00:00Z"
closes_at = "2027-02-25T09:00:00Z"
starts_on = "2027-03-01"
ends_on = "2027-06-20"
"#;

fn export(who: &Client, format: &str) -> String {
    let banks = get(who, "banks?q=620");
    let bank = &banks["banks"][0]["bank_id"];
    let path = format!("/api/v1/banks/{bank}/layout?format={format}");
    who.get(&path).expect(200).text()
}

#[test]
fn a_bank_goes_out_as_a_file_and_comes_in_as_it_was() {
    let house = house([]);
    let file = toml::from_str(RICH).expect("a site file");
    house.inside.run(house.inside.services.import_site(file)).expect("taken");
    let text = export(&house.admin, "toml");
    assert_eq!(text.trim(), RICH.trim());
    // Taking it again changes nothing, in either form.
    let before = house.texts(ALL);
    for (format, kind) in [("toml", TOML), ("csv", "Content-Type: text/csv")] {
        let out = export(&house.admin, format);
        let path = format!("/api/v1/banks/2/layout?format={format}");
        house.admin.call("PUT", &path, &[kind], &out).expect(200);
        assert_eq!(house.texts(ALL), before, "{format}");
    }
    // On an empty site it makes the same bank.
    let other = Inside::start([], 0, open_now);
    other.add("ADMIN", Role::Admin, &[]);
    let admin = other.account("ADMIN");
    other.run(other.services.import_site(toml::from_str(&text).expect("its own"))).expect("taken");
    assert_eq!(export(&admin, "toml"), text);
    other.demand_clean();
}

/// Everything that a layout can change.
const ALL: &str = "SELECT id || '|' || bank_id || '|' || coalesce(bus || board || '/' || lock, '') || in_service
        || coalesce(place_col || ',' || place_row || ',' || place_width || ',' || place_height, '-')
        || coalesce(level, '') || accessible FROM locker
    UNION ALL SELECT id || name_ko || name_en || hold_seconds || left_open_s || open_from || coalesce(front, '')
        FROM bank WHERE left_open_s IS NOT NULL
    UNION ALL SELECT bank_id || weekday || ':' || opens_min || '-' || closes_min FROM bank_hours
    UNION ALL SELECT first_on || last_on || name_ko || name_en FROM bank_closing
    UNION ALL SELECT position || kind || place_col || place_row || coalesce(label_ko || label_en, '')
        FROM bank_fixture
    UNION ALL SELECT name_ko || opens_ms || ends_on FROM term
    UNION ALL SELECT locker_id || reason FROM locker_service";

#[test]
fn what_a_file_leaves_out_stays_and_what_overlaps_is_refused_whole() {
    let house = house([]);
    let file = toml::from_str(RICH).expect("a site file");
    house.inside.run(house.inside.services.import_site(file)).expect("taken");
    let before = house.texts(ALL);
    let put = |text: &str| house.admin.call("PUT", "/api/v1/banks/2/layout", &[TOML], text);
    let head = "[[location]]\nname_ko = '과학도서관'\n[[location.bank]]\nname_ko = '620호 옆'\nname_en = 'By room 620'\n";
    put(&format!("{head}[[location.bank.locker]]\nid = 502\n")).expect(200);
    assert_eq!(house.texts(ALL), before, "settings, hours, places and service stay");
    for (lines, says) in [
        ("id = 502\ncol = 2\nrow = 1", "locker 501 and locker 502 overlap"),
        ("id = 502\ncol = 3\nrow = 2", "the kiosk at column 3, row 1 (1×2) and locker 502 overlap"),
        ("id = 502\ncol = 3", "give col and row together"),
        ("id = 502\ncol = 201\nrow = 1", "col 201 with 1 cells"),
        ("id = 502\nlevel = 'roof'", "roof"),
    ] {
        let reply = put(&format!("{head}[[location.bank.locker]]\n{lines}\n"));
        let detail = reply.refused(422, "invalid")["detail"].as_str().expect("words").to_owned();
        assert!(detail.contains(says), "{lines}: {detail}");
    }
    for lines in [
        "hours = { mon = ['9-12'] }",
        "hours = { moonday = ['09:00-12:00'] }",
        "hours = {}",
        "[[location.bank.closing]]\nfirst_on = '2026-09-02'\nlast_on = '2026-09-01'\nname_ko = 'x'",
        "[[location.bank.fixture]]\nkind = 'sofa'\ncol = 1\nrow = 1",
    ] {
        put(&format!("{head}{lines}\n")).refused(422, "invalid");
    }
    assert_eq!(house.texts(ALL), before, "one mistake and nothing changes");
    // A locker that a file takes out of service is noted as well.
    put(&format!("{head}[[location.bank.locker]]\nid = 502\nin_service = false\n")).expect(200);
    let steps = get(&house.admin, "lockers/502/service");
    assert_eq!(steps["steps"][0]["reason"], "as a site file says");
    // A retired number does not come back by a file.
    assert_eq!(delete(&house.admin, "lockers/502").status, 204);
    let again = put(&format!("{head}[[location.bank.locker]]\nid = 502\n"));
    let detail = again.refused(422, "invalid")["detail"].as_str().expect("words").to_owned();
    assert!(detail.contains("locker 502"), "{detail}");
}
