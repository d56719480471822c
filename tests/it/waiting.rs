//! The line before a full bank, on a clock that the test turns: first come, first offered. The job runs
//! when the test calls it.

use jiff::{SignedDuration, Timestamp};
use lockerd::domain::member::Role;
use lockerd::domain::options::Options;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply, at_once};
use crate::support::inside::Inside;

const HOLD_MS: u64 = 60_000;
const OFFER_MS: u64 = 60 * 60_000;
const LINE: &str = "/api/v1/banks/1/waiting";

fn waiting_list() -> Options {
    Options { waiting_list: true, offer_minutes: 60, ..Options::default() }
}

/// A term whose window is open for a day and whose rentals last until the tenth of September.
fn term(now: Timestamp) -> String {
    let day = SignedDuration::from_hours(24);
    format!(
        "[[term]]\nname_ko = '여름'\nopens_at = '{}'\ncloses_at = '{}'\n\
         starts_on = '2026-08-01'\nends_on = '2026-09-10'\n",
        now - day,
        now + day
    )
}

/// A bank with a waiting list, full: student n rents locker n + 1. More students are there.
fn full(lockers: usize, students: usize) -> Inside {
    let last = i64::try_from(lockers).expect("small");
    let site = Inside::start(1..=last, students, term);
    site.offer(1, waiting_list());
    for (n, locker) in (0..lockers).zip(1..) {
        site.student(n).rent(locker);
    }
    site
}

/// Runs the job; how many changed.
#[track_caller]
fn offer(site: &Inside) -> usize {
    site.run(site.services.make_offers()).expect("it works")
}

/// What somebody waits for before bank 1.
#[track_caller]
fn wait_of(who: &Client) -> Value {
    who.get(LINE).expect(200).json()["waiting"][0].clone()
}

fn leave(who: &Client) -> Reply {
    who.call("DELETE", LINE, &[], "")
}

/// How waits ended, in the order of joining; `-` for those that go on.
fn ends(site: &Inside) -> Vec<String> {
    let conn = site.sql();
    let sql = "SELECT student_id || ' ' || coalesce(end_reason, '-') FROM waiting
               JOIN member ON member.id = member_id ORDER BY waiting.id";
    let mut statement = conn.prepare(sql).expect("good SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("readable");
    rows.collect::<Result<_, _>>().expect("readable")
}

/// Turns the clock to a time in Seoul.
fn at(site: &Inside, time: &str) {
    let then: Timestamp = format!("{time}:00+09:00").parse().expect("a time");
    let wait = then.duration_since(site.clock.now());
    site.clock.advance(wait.try_into().expect("later"));
}

#[test]
fn who_joins_has_a_place_and_leaves_it() {
    let site = Inside::start(1..=2, 4, term);
    let (first, second) = (site.student(2), site.student(3));
    assert_eq!(first.post(LINE).refused(409, "option_off")["option"], "waiting_list");
    let view = first.get(LINE).expect(200).json();
    assert_eq!((&view["can_join"], &view["reason"]), (&json!(false), &json!("option_off")));
    site.offer(1, waiting_list());
    site.student(0).rent(1);
    first.post(LINE).refused(409, "locker_free");
    assert_eq!(first.get(LINE).expect(200).json()["reason"], "locker_free");
    site.student(1).rent(2);
    site.student(1).post(LINE).refused(409, "already_renting");
    first.post("/api/v1/banks/9/waiting").refused(404, "bank_not_found");
    leave(&first).refused(404, "not_waiting");

    let joined = first.post_keyed(LINE, "once").expect(201).json();
    let wanted =
        json!({ "waiting_id": 1, "starts_on": "2026-08-01", "ends_on": "2026-09-10", "place": 1 });
    assert_eq!(joined, wanted);
    assert_eq!(first.post_keyed(LINE, "once").expect(201).json(), wanted, "the same request");
    assert_eq!(first.post(LINE).refused(409, "already_waiting")["bank_id"], 1);
    assert_eq!(second.post(LINE).expect(201).json()["place"], 2);
    let view = second.get(LINE).expect(200).json();
    assert_eq!((&view["count"], &view["term_id"]), (&json!(2), &json!(1)), "{view}");
    assert_eq!((&view["can_join"], &view["reason"]), (&json!(false), &json!("already_waiting")));
    assert_eq!(view["waiting"][0]["place"], 2, "{view}");
    assert_eq!(view["waiting"][0]["offer"], Value::Null);
    let summary = second.get("/api/v1/lockers/summary").expect(200).json();
    assert_eq!(summary["locations"][0]["banks"][0]["waiting"], 2);

    leave(&first).expect(204);
    leave(&first).refused(404, "not_waiting");
    assert_eq!(wait_of(&second)["place"], 1);
    assert_eq!(first.post(LINE).expect(201).json()["place"], 2, "at the end again");
    assert_eq!(ends(&site), ["2024000002 left", "2024000003 -", "2024000002 -"]);
    let data = first.get("/api/v1/me/data").expect(200).json();
    assert_eq!(data["waiting"].as_array().map(Vec::len), Some(2));
    assert_eq!(data["waiting"][1]["end_reason"], "left");
    assert_eq!(data["waiting"][0]["since_at"], site.clock.now().to_string());
    site.demand_clean();
}

#[test]
fn what_gets_free_is_offered_in_the_order_of_joining() {
    let site = full(2, 7);
    let (third, fourth, other) = (site.student(3), site.student(4), site.student(5));
    third.post(LINE).expect(201);
    fourth.post(LINE).expect(201);
    assert_eq!(offer(&site), 0, "nothing is free");
    site.student(0).give_back(1);
    // Free, and yet not for those who did not wait.
    assert_eq!(other.state_of(1), "free");
    other.locker(1, "hold").refused(409, "others_wait");
    other.post_keyed("/api/v1/lockers/1/hold", "keyed").refused(409, "others_wait");
    other.post("/api/v1/banks/1/hold").refused(409, "others_wait");
    fourth.locker(1, "hold").refused(409, "others_wait");
    assert_eq!(other.post(LINE).expect(201).json()["place"], 3, "what is free is not for them");

    assert_eq!(offer(&site), 1);
    assert_eq!(offer(&site), 0, "once");
    let mine = wait_of(&third);
    let until = site.clock.now() + SignedDuration::from_hours(1);
    let wanted = json!({ "locker_id": 1, "expires_in_ms": OFFER_MS, "until": until.to_string() });
    assert_eq!((&mine["offer"], &mine["place"]), (&wanted, &Value::Null), "{mine}");
    let held = third.mine();
    assert_eq!((&held["state"], &held["offer"]), (&json!("held"), &json!(true)), "{held}");
    assert_eq!(held["hold_expires_in_ms"], OFFER_MS);
    assert_eq!(wait_of(&fourth)["place"], 1);
    let mails = site.mails("offer");
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["until"], until.to_string());
    assert_eq!((&mails[0]["locker_id"], &mails[0]["bank"]["ko"]), (&json!(1), &json!("사물함")));

    // A hold's time is long over, an offer's is not.
    site.pass(OFFER_MS - 1);
    let (third, fourth) = (site.student(3), site.student(4));
    assert_eq!(site.run(site.services.expire_holds()).expect("it works"), 0);
    fourth.locker(1, "confirm").refused(409, "hold_expired");
    third.locker(1, "confirm").expect(200);
    assert_eq!(third.mine()["offer"], false);
    site.student(1).give_back(2);
    assert_eq!(offer(&site), 1);
    assert_eq!(wait_of(&fourth)["offer"]["locker_id"], 2);
    fourth.locker(2, "release-hold").expect(200);
    assert_eq!(offer(&site), 1);
    let other = site.student(5);
    assert_eq!(wait_of(&other)["offer"]["locker_id"], 2);
    assert_eq!(ends(&site), ["2024000003 taken", "2024000004 declined", "2024000005 -"]);
    leave(&other).expect(204);
    assert_eq!(ends(&site)[2], "2024000005 declined");
    // Nobody waits any more: whoever comes first has it.
    site.student(6).locker(2, "hold").expect(201);
    site.demand_clean();
}

#[test]
fn an_offer_that_passes_goes_to_the_next_one() {
    let site = full(1, 4);
    for n in 1..=2 {
        site.student(n).post(LINE).expect(201);
    }
    site.student(0).give_back(1);
    assert_eq!(offer(&site), 1);
    site.pass(OFFER_MS);
    let (late, next) = (site.student(1), site.student(2));
    // Dead before anything wrote it down, and still nobody else's than the next one's.
    assert_eq!(wait_of(&late)["offer"], Value::Null);
    site.student(3).locker(1, "hold").refused(409, "others_wait");
    late.locker(1, "confirm").refused(409, "hold_expired");
    assert_eq!(ends(&site), ["2024000001 offer_expired", "2024000002 -"]);
    let told = site.mails("offer_expired");
    assert_eq!((&told[0]["locker_id"], &told[0]["withdrawn"]), (&json!(1), &json!(false)));
    assert_eq!(offer(&site), 1);
    assert_eq!(wait_of(&next)["offer"]["expires_in_ms"], OFFER_MS);
    // Nobody confirms: the job itself meets the dead offer and ends it.
    site.pass(OFFER_MS);
    assert_eq!(site.run(site.services.expire_holds()).expect("it works"), 1);
    assert_eq!(ends(&site), ["2024000001 offer_expired", "2024000002 offer_expired"]);
    assert_eq!(offer(&site), 0);
    site.student(3).locker(1, "hold").expect(201);
    assert_eq!(late.post(LINE).status, 401, "the token is an hour old");
    site.student(1).post(LINE).expect(201);
    site.demand_clean();
}

#[test]
fn a_restart_keeps_the_line_and_gives_offers_their_full_time_again() {
    let site = full(1, 4);
    for n in 1..=3 {
        site.student(n).post(LINE).expect(201);
    }
    site.student(0).give_back(1);
    assert_eq!(offer(&site), 1);
    site.pass(OFFER_MS / 2);
    let site = site.again();
    let first = site.student(1);
    assert_eq!(wait_of(&first)["offer"]["expires_in_ms"], OFFER_MS, "not a hold's time");
    assert_eq!(wait_of(&site.student(2))["place"], 1);
    assert_eq!(wait_of(&site.student(3))["place"], 2);
    assert_eq!(offer(&site), 0);
    site.student(3).locker(1, "hold").refused(409, "others_wait");
    site.pass(HOLD_MS);
    first.locker(1, "confirm").expect(200);
    let site = site.again();
    assert_eq!(ends(&site), ["2024000001 taken", "2024000002 -", "2024000003 -"]);
    assert_eq!(wait_of(&site.student(2))["place"], 1);
    site.demand_clean();
}

#[test]
fn after_the_window_an_offer_is_the_only_way_and_the_term_ends_the_wait() {
    let site = full(2, 6);
    site.student(3).post(LINE).expect(201);
    at(&site, "2026-09-01T10:00");
    site.student(0).give_back(1);
    site.student(4).locker(1, "hold").refused(403, "outside_window");
    assert_eq!(offer(&site), 1);
    site.student(3).locker(1, "confirm").expect(200);
    // Free after the window: who joins now is offered it, who does not cannot have it.
    site.student(1).give_back(2);
    site.student(4).locker(2, "hold").refused(403, "outside_window");
    site.student(4).post(LINE).expect(201);
    site.student(5).post(LINE).expect(201);
    assert_eq!(offer(&site), 1);
    // On its last day a term still has a waiting list, on the day after it has none.
    at(&site, "2026-09-10T23:59");
    site.run(site.services.expire_holds()).expect("it works");
    assert_eq!(offer(&site), 1);
    site.student(4).post(LINE).expect(201);
    site.student(5).locker(2, "confirm").expect(200);
    at(&site, "2026-09-11T00:00");
    assert_eq!(offer(&site), 1);
    assert_eq!(
        ends(&site),
        [
            "2024000003 taken",
            "2024000004 offer_expired",
            "2024000005 taken",
            "2024000004 term_over"
        ]
    );
    assert_eq!(site.mails("waiting_ended")[0]["reason"], "term_over");
    let refusal = site.student(4).post(LINE).refused(403, "outside_window");
    assert_eq!(refusal["window"]["state"], "after", "{refusal}");
    site.demand_clean();
}

#[test]
fn nobody_is_offered_anything_by_a_clock_that_nobody_vouches_for() {
    let site = full(1, 3);
    let mine = site.student(1);
    mine.post(LINE).expect(201);
    site.student(0).give_back(1);
    site.clock.distrust();
    assert_eq!(offer(&site), 0);
    site.student(2).post(LINE).refused(409, "clock_untrusted");
    at(&site, "2026-12-01T10:00");
    assert_eq!(offer(&site), 0, "not even the end of the term is believed");
    assert_eq!(ends(&site), ["2024000001 -"]);
    site.clock.trust();
    assert_eq!(offer(&site), 1);
    assert_eq!(ends(&site), ["2024000001 term_over"]);
}

#[test]
fn staff_see_the_line_of_their_bank_and_take_somebody_off_it() {
    let site = full(1, 4);
    site.add("STAFF1", Role::Staff, &[1]);
    site.add("STAFF2", Role::Staff, &[]);
    for n in 1..=3 {
        site.student(n).post(LINE).expect(201);
    }
    site.student(0).give_back(1);
    assert_eq!(offer(&site), 1);
    let (staff, other) = (site.account("STAFF1"), site.account("STAFF2"));
    let list = |who: &Client, question: &str| {
        who.get(&format!("/api/v1/waiting{question}")).expect(200).json()
    };
    let page = list(&staff, "?limit=2");
    let rows = page["waiting"].as_array().expect("rows");
    assert_eq!(rows.len(), 2, "{page}");
    assert_eq!(rows[0]["member"]["student_id"], "2024****01", "{page}");
    assert_eq!((&rows[0]["offer"]["locker_id"], &rows[0]["place"]), (&json!(1), &Value::Null));
    assert_eq!((&rows[1]["place"], &rows[1]["bank_id"]), (&json!(1), &json!(1)), "{page}");
    let next = page["next_cursor"].as_str().expect("one more").to_owned();
    let page = list(&staff, &format!("?limit=2&cursor={next}&bank_id=1"));
    assert_eq!(page["waiting"][0]["member"]["student_id"], "2024****03", "{page}");
    assert_eq!(page["next_cursor"], Value::Null);
    assert_eq!(list(&staff, "?bank_id=2")["waiting"], json!([]));
    assert_eq!(list(&other, "")["waiting"], json!([]), "not their bank");
    site.student(1).get("/api/v1/waiting").refused(403, "forbidden");
    for wrong in ["bank_id=x", "cursor=x", "limit=0"] {
        staff.get(&format!("/api/v1/waiting?{wrong}")).refused(422, "invalid");
    }

    let remove = |who: &Client, id: &Value, reason: &str| {
        let (path, body) = (format!("/api/v1/waiting/{id}"), json!({ "reason": reason }));
        who.call("DELETE", &path, &["Content-Type: application/json"], &body.to_string())
    };
    remove(&other, &rows[0]["waiting_id"], "x").refused(403, "forbidden");
    remove(&site.student(1), &rows[0]["waiting_id"], "x").refused(403, "forbidden");
    remove(&staff, &rows[0]["waiting_id"], " ").refused(422, "invalid");
    remove(&staff, &json!(99), "x").refused(404, "waiting_not_found");
    remove(&staff, &rows[0]["waiting_id"], "졸업").expect(204);
    remove(&staff, &rows[0]["waiting_id"], "졸업").refused(404, "waiting_not_found");
    assert_eq!(site.mails("waiting_ended")[0]["why"], "졸업");
    assert_eq!(site.student(1).mine(), Value::Null, "the offer is gone with it");
    assert_eq!(
        site.history().last().map(String::as_str),
        Some("1 2024000001 ended ended_by_staff")
    );
    assert_eq!(offer(&site), 1);
    assert_eq!(wait_of(&site.student(2))["offer"]["locker_id"], 1);
    assert_eq!(ends(&site), ["2024000001 by_staff", "2024000002 -", "2024000003 -"]);
    site.demand_clean();
}

#[test]
fn a_locker_that_breaks_is_taken_back_and_its_waiter_keeps_the_place() {
    let site = full(2, 4);
    for n in 2..=3 {
        site.student(n).post(LINE).expect(201);
    }
    site.student(0).give_back(1);
    assert_eq!(offer(&site), 1);
    let broken = "[[location]]\nname_ko = '정보관'\n[[location.bank]]\nname_ko = '사물함'\n\
                  [[location.bank.locker]]\nid = 1\nin_service = false\n";
    let file = toml::from_str(broken).expect("a site file");
    site.run(site.services.update_site(file, None, None)).expect("taken");
    site.student(2).locker(1, "confirm").refused(409, "out_of_service");
    assert_eq!(offer(&site), 1);
    assert_eq!(offer(&site), 0);
    assert_eq!(site.mails("offer_expired")[0]["withdrawn"], true);
    assert_eq!(wait_of(&site.student(2))["place"], 1, "before those who came later");
    site.student(1).give_back(2);
    assert_eq!(offer(&site), 1);
    assert_eq!(wait_of(&site.student(2))["offer"]["locker_id"], 2);
    site.demand_clean();
}

#[test]
fn who_cannot_take_a_locker_now_is_passed_over_and_who_has_one_is_out() {
    let second = |now| term(now) + &crate::support::people::second_bank([201]);
    let site = Inside::start(1..=1, 5, second);
    site.offer(1, waiting_list());
    site.student(0).rent(1);
    for n in 1..=3 {
        site.student(n).post(LINE).expect(201);
    }
    // The first one holds another locker just now.
    site.student(1).locker(201, "hold").expect(201);
    site.student(0).give_back(1);
    assert_eq!(offer(&site), 1);
    assert_eq!(wait_of(&site.student(2))["offer"]["locker_id"], 1);
    assert_eq!(wait_of(&site.student(1))["place"], 1);
    site.student(1).locker(201, "confirm").expect(200);
    assert_eq!(offer(&site), 1);
    assert_eq!(ends(&site), ["2024000001 has_locker", "2024000002 -", "2024000003 -"]);
    assert_eq!(site.mails("waiting_ended"), [] as [Value; 0], "they did it themselves");
    // The list is closed: who waits is told, an offer that was made stands.
    site.offer(1, Options::default());
    assert_eq!(offer(&site), 1);
    assert_eq!(site.mails("waiting_ended")[0]["reason"], "list_closed");
    site.student(2).locker(1, "confirm").expect(200);
    assert_eq!(
        ends(&site),
        ["2024000001 has_locker", "2024000002 taken", "2024000003 list_closed"]
    );
    site.demand_clean();
}

#[test]
fn an_account_that_goes_leaves_the_line_and_no_trace_in_it() {
    let site = full(1, 3);
    site.add("ADMIN1", Role::Admin, &[]);
    for n in 1..=2 {
        site.student(n).post(LINE).expect(201);
    }
    let gone = site.number("SELECT member_id FROM waiting WHERE id = 1");
    let (path, json) = (format!("/api/v1/members/{gone}"), ["Content-Type: application/json"]);
    let admin = site.account("ADMIN1");
    admin.call("DELETE", &path, &json, r#"{"reason":"졸업"}"#).expect(204);
    assert_eq!(site.number("SELECT count(*) FROM waiting"), 1, "who waits is personal");
    assert_eq!(wait_of(&site.student(2))["place"], 1);
    site.student(0).give_back(1);
    assert_eq!(offer(&site), 1);
    assert_eq!(wait_of(&site.student(2))["offer"]["locker_id"], 1);
    // What ended long ago is forgotten, what did not end is not.
    leave(&site.student(2)).expect(204);
    site.student(2).rent(1);
    site.pass(91 * 86_400_000);
    site.run(site.services.forget_old()).expect("it works");
    assert_eq!(site.number("SELECT count(*) FROM waiting"), 0);
    assert_eq!(site.number("SELECT sum(rows) FROM pruning WHERE what = 'waiting'"), 1);
    site.demand_clean();
}

#[test]
fn nobody_extends_or_swaps_before_those_who_wait() {
    let site = full(2, 4);
    let options = Options {
        swaps: true,
        extensions_max: 1,
        extension_days: Some(7),
        extension_from_days: 60,
        ..waiting_list()
    };
    site.offer(1, options);
    site.student(2).post(LINE).expect(201);
    let mine = site.student(1);
    mine.locker(2, "extend").refused(409, "others_wait");
    assert_eq!(mine.mine()["extendable"]["reason"], "others_wait");
    site.student(0).give_back(1);
    let target = json!({ "locker_id": 1 });
    mine.post_json("/api/v1/lockers/2/swap", &target).refused(409, "others_wait");
    assert_eq!(offer(&site), 1);
    mine.post_json("/api/v1/lockers/2/swap", &target).refused(409, "locker_taken");
    mine.locker(2, "extend").expect(200);
    leave(&site.student(2)).expect(204);
    mine.post_json("/api/v1/lockers/2/swap", &target).expect(200);
    site.demand_clean();
}

#[test]
fn a_hundred_who_join_at_once_have_a_place_each_and_get_what_is_free_in_that_order() {
    let site = full(5, 105);
    let crowd: Vec<Client> = (5..105).map(|n| site.student(n)).collect();
    let joins = crowd.iter().map(|who| who.request("POST", LINE, &[], ""));
    let replies = at_once(crowd[0].address, joins.collect());
    let mut places: Vec<i64> = replies
        .iter()
        .map(|reply| {
            assert_eq!(reply.status, 201, "{reply:?}");
            reply.json()["place"].as_i64().expect("a place")
        })
        .collect();
    let wanted: Vec<i64> = (1..=100).collect();
    let by_place: Vec<i64> = places.clone();
    places.sort_unstable();
    assert_eq!(places, wanted);
    // The same member many times has one place.
    let (one, again) = (&crowd[0], vec![crowd[0].request("POST", LINE, &[], ""); 20]);
    for reply in at_once(one.address, again) {
        reply.refused(409, "already_waiting");
    }
    for (n, locker) in (0..5).zip(1..) {
        site.student(n).give_back(locker);
    }
    assert_eq!(offer(&site), 5);
    let offered: Vec<bool> = crowd.iter().map(|who| !wait_of(who)["offer"].is_null()).collect();
    let first_five: Vec<bool> = by_place.iter().map(|place| *place <= 5).collect();
    assert_eq!(offered, first_five);
    // Everybody confirms every locker: only what was offered is theirs.
    let confirms = crowd.iter().flat_map(|who| {
        (1..=5).map(|locker| {
            who.request("POST", &format!("/api/v1/lockers/{locker}/confirm"), &[], "")
        })
    });
    let requests: Vec<String> = confirms.collect();
    let won: usize = requests
        .chunks(100)
        .map(|some| {
            let replies = at_once(crowd[0].address, some.to_vec());
            replies.iter().filter(|reply| reply.status == 200).count()
        })
        .sum();
    assert_eq!(won, 5);
    assert_eq!(site.number("SELECT count(*) FROM rental WHERE state = 'active'"), 5);
    assert_eq!(site.number("SELECT count(*) FROM waiting WHERE end_reason = 'taken'"), 5);
    assert_eq!(offer(&site), 0);
    site.demand_clean();
}
