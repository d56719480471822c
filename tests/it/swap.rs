//! Another locker of the bank for the same days, on a clock that the test turns.

use jiff::{SignedDuration, Timestamp};
use lockerd::domain::options::Options;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply, at_once};
use crate::support::inside::Inside;
use crate::support::people::second_bank;

/// A term that is open for a day, with rentals until the tenth of September; and a second bank of one
/// locker, 201.
fn term(now: Timestamp) -> String {
    let day = SignedDuration::from_hours(24);
    format!(
        "[[term]]\nname_ko = '여름'\nopens_at = '{}'\ncloses_at = '{}'\n\
         starts_on = '2026-08-01'\nends_on = '2026-09-10'\n{}",
        now - day,
        now + day,
        second_bank([201])
    )
}

fn swaps() -> Options {
    let extensions = Options { extensions_max: 1, extension_days: Some(7), ..Options::default() };
    Options { swaps: true, extension_from_days: 60, ..extensions }
}

fn swap(who: &Client, locker: i64, target: i64) -> Reply {
    let path = format!("/api/v1/lockers/{locker}/swap");
    who.post_json(&path, &json!({ "locker_id": target }))
}

#[test]
fn a_renter_swaps_to_a_free_locker_and_keeps_the_dates() {
    let site = Inside::start(1..=4, 3, term);
    let (mine, other) = (site.student(0), site.student(1));
    mine.rent(1);
    assert_eq!(swap(&mine, 1, 2).refused(409, "option_off")["option"], "swaps");
    site.offer(1, swaps());
    mine.locker(1, "extend").expect(200);
    let line = ["Idempotency-Key: swap", "Content-Type: application/json"];
    let call = || mine.call("POST", "/api/v1/lockers/1/swap", &line, r#"{"locker_id":2}"#);
    let wanted = json!({
        "locker_id": 2, "former_locker_id": 1, "starts_on": "2026-08-01", "ends_on": "2026-09-17",
    });
    assert_eq!(call().expect(200).json(), wanted);
    assert_eq!(call().expect(200).json(), wanted, "the same request");
    assert_eq!(site.history(), ["1 2024000000 ended replaced", "2 2024000000 active -"]);
    assert_eq!(site.number("SELECT follows_id FROM rental WHERE locker_id = 2"), 1);
    assert_eq!(site.mails("rental_replaced").len(), 1);
    other.rent(1);

    // What was extended stays so, also after a restart.
    let site = site.again();
    let mine = site.student(0);
    assert_eq!(mine.mine()["extendable"]["reason"], "extensions_used");
    mine.locker(2, "extend").refused(409, "extensions_used");
    site.demand_clean();
}

#[test]
fn what_was_opened_is_returned_until_it_is_emptied() {
    let site = Inside::start(1..=2, 2, term);
    site.offer(1, swaps());
    site.student(0).rent(1);
    site.sql().execute_batch("UPDATE rental SET opened_ms = held_ms").expect("stored");
    let site = site.again();
    let (mine, other) = (site.student(0), site.student(1));
    swap(&mine, 1, 2).expect(200);
    assert_eq!(site.history(), ["1 2024000000 returned -", "2 2024000000 active -"]);
    other.locker(1, "hold").refused(409, "locker_taken");
    let both = mine.get("/api/v1/lockers/me").expect(200).json();
    assert_eq!(both["locker"]["locker_id"], 2);
    assert_eq!(both["returning"][0]["locker_id"], 1);
    mine.give_back(1);
    site.pass(10 * 60_000);
    other.locker(1, "hold").expect(201);
    site.demand_clean();
}

#[test]
fn each_refusal_of_a_swap_has_its_reason() {
    let site = Inside::start(1..=4, 3, term);
    site.offer(1, swaps());
    let (mine, other) = (site.student(0), site.student(1));
    mine.rent(1);
    other.rent(2);
    swap(&mine, 1, 2).refused(409, "locker_taken");
    swap(&mine, 1, 1).refused(422, "invalid");
    swap(&mine, 1, 201).refused(422, "invalid");
    swap(&mine, 1, 99).refused(404, "locker_not_found");
    swap(&mine, 2, 3).refused(404, "not_your_locker");
    other.post("/api/v1/lockers/2/swap").refused(415, "unsupported_type");
    site.student(2).locker(3, "hold").expect(201);
    swap(&site.student(2), 3, 4).refused(409, "only_held");
    swap(&mine, 1, 3).refused(409, "locker_taken");
    let broken = "[[location]]\nname_ko = '정보관'\n[[location.bank]]\nname_ko = '사물함'\n\
                  [[location.bank.locker]]\nid = 4\nin_service = false\n";
    let file = toml::from_str(broken).expect("a site file");
    site.run(site.services.update_site(file, None, None)).expect("taken");
    swap(&mine, 1, 4).refused(409, "out_of_service");
    // The day after the last one the locker is to be emptied, not swapped.
    let last: Timestamp = "2026-09-11T00:00:00+09:00".parse().expect("a time");
    let wait = last.duration_since(site.clock.now());
    site.clock.advance(wait.try_into().expect("later"));
    swap(&site.student(0), 1, 3).refused(409, "last_day_over");
    site.clock.distrust();
    swap(&site.student(0), 1, 3).refused(409, "clock_untrusted");
    assert_eq!(site.mails("rental_replaced"), [] as [Value; 0]);
    site.demand_clean();
}

#[test]
fn of_many_who_swap_to_one_locker_one_has_it() {
    let site = Inside::start(1..=21, 20, term);
    site.offer(1, swaps());
    let crowd: Vec<Client> = (0..20).map(|n| site.student(n)).collect();
    for (who, locker) in crowd.iter().zip(1..) {
        who.rent(locker);
    }
    let json = ["Content-Type: application/json"];
    let requests = crowd.iter().zip(1..).map(|(who, locker)| {
        let path = format!("/api/v1/lockers/{locker}/swap");
        who.request("POST", &path, &json, r#"{"locker_id":21}"#)
    });
    let replies = at_once(crowd[0].address, requests.collect());
    let won: Vec<_> = replies.iter().filter(|it| it.status == 200).collect();
    assert_eq!(won.len(), 1, "{replies:?}");
    for lost in replies.iter().filter(|it| it.status != 200) {
        lost.refused(409, "locker_taken");
    }
    for who in &crowd {
        assert_eq!(who.mine()["state"], "active", "everybody has one");
    }
    assert_eq!(site.number("SELECT count(*) FROM rental WHERE ended_ms IS NULL"), 20);
    site.demand_clean();
}
