//! Longer rentals and longer holds, on a clock that the test turns.

use jiff::{SignedDuration, Timestamp};
use lockerd::domain::bank::{BankPolicy, Mode};
use lockerd::domain::id::BankId;
use lockerd::domain::options::Options;
use lockerd::domain::pool::PoolPolicy;
use lockerd::service::members::Actor;
use lockerd::service::places::banks::BankChange;
use serde_json::{Value, json};

use crate::support::http::{Client, at_once};
use crate::support::inside::{Inside, open_now};

const HOLD_MS: u64 = 60_000;

/// Twice by two weeks, from two weeks before the last day on.
const TWICE: Options = Options {
    extensions_max: 2,
    extension_days: Some(14),
    extension_from_days: 14,
    swaps: false,
    waiting_list: false,
    offer_minutes: 60,
    hold_extension: false,
};

fn term(name: &str, window: (Timestamp, Timestamp), dates: (&str, &str)) -> String {
    format!(
        "[[term]]\nname_ko = '{name}'\nopens_at = '{}'\ncloses_at = '{}'\nstarts_on = '{}'\n\
         ends_on = '{}'\n",
        window.0, window.1, dates.0, dates.1
    )
}

/// One term, open for a day, whose rentals last until the tenth of September.
fn until_september(now: Timestamp) -> String {
    let day = SignedDuration::from_hours(24);
    term("여름", (now - day, now + day), ("2026-08-01", "2026-09-10"))
}

/// Two terms that follow each other at the end of August; the window of the second opens in two hours.
fn two_terms(now: Timestamp) -> String {
    let hour = SignedDuration::from_hours(1);
    term("여름", (now - hour, now + hour), ("2026-08-01", "2026-08-31"))
        + &term("가을", (now + hour * 2, now + hour * 24 * 30), ("2026-09-01", "2026-12-18"))
}

/// Turns the clock to a time in Seoul.
fn at(site: &Inside, time: &str) {
    let then: Timestamp = format!("{time}:00+09:00").parse().expect("a time");
    let wait = then.duration_since(site.clock.now());
    site.clock.advance(wait.try_into().expect("later"));
}

fn extendable(who: &Client) -> Value {
    who.mine()["extendable"].clone()
}

#[test]
fn a_rental_is_extended_as_often_and_as_late_as_the_bank_allows() {
    let site = Inside::start(1..=2, 2, until_september);
    site.student(0).rent(1);
    let mine = site.student(0);
    assert_eq!(extendable(&mine), Value::Null, "this bank extends nothing");
    let refusal = mine.locker(1, "extend").refused(409, "option_off");
    assert_eq!(refusal["option"], "extensions_max");
    site.offer(1, TWICE);
    let wanted = json!({
        "possible": false, "until": "2026-09-24", "left": 2, "reason": "extension_early",
        "from": "2026-08-27",
    });
    assert_eq!(extendable(&mine), wanted);
    assert_eq!(mine.locker(1, "extend").refused(409, "extension_early")["from"], "2026-08-27");
    site.student(1).locker(1, "extend").refused(404, "not_your_locker");
    mine.locker(9, "extend").refused(404, "locker_not_found");

    at(&site, "2026-08-27T00:00");
    let mine = site.student(0);
    assert_eq!(extendable(&mine)["possible"], true);
    let path = "/api/v1/lockers/1/extend";
    let longer = mine.post_keyed(path, "more").expect(200).json();
    let wanted = json!({
        "locker_id": 1, "starts_on": "2026-08-01", "ends_on": "2026-09-24", "extensions_left": 1,
    });
    assert_eq!(longer, wanted);
    assert_eq!(mine.post_keyed(path, "more").expect(200).json(), wanted, "the same request");
    mine.locker(1, "extend").refused(409, "extension_early");
    assert_eq!(
        site.mails("rental_extended"),
        [json!({ "locker_id": 1, "ends_on": "2026-09-24", "left": 1 })]
    );

    // It is not forgotten with the process, and the last day is a day like the others.
    let site = site.again();
    at(&site, "2026-09-24T23:59");
    let mine = site.student(0);
    assert_eq!(extendable(&mine)["left"], 1);
    let longer = mine.locker(1, "extend").expect(200).json();
    assert_eq!((&longer["ends_on"], &longer["extensions_left"]), (&json!("2026-10-08"), &json!(0)));
    at(&site, "2026-10-08T12:00");
    let mine = site.student(0);
    mine.locker(1, "extend").refused(409, "extensions_used");
    let wanted = json!({ "possible": false, "until": null, "left": 0, "reason": "extensions_used", "from": null });
    assert_eq!(extendable(&mine), wanted);
    assert_eq!(mine.mine()["ends_on"], "2026-10-08");
    assert_eq!(site.number("SELECT extensions FROM rental"), 2);
    site.demand_clean();
}

#[test]
fn who_is_late_or_unsure_of_the_day_extends_nothing() {
    let site = Inside::start(1..=2, 1, until_september);
    site.offer(1, TWICE);
    let mine = site.student(0);
    mine.locker(1, "hold").expect(201);
    mine.locker(1, "extend").refused(409, "only_held");
    assert_eq!(extendable(&mine), Value::Null);
    mine.locker(1, "confirm").expect(200);
    at(&site, "2026-09-10T10:00");
    let mine = site.student(0);
    assert_eq!(extendable(&mine)["possible"], true);
    site.clock.distrust();
    mine.locker(1, "extend").refused(409, "clock_untrusted");
    assert_eq!(extendable(&mine)["reason"], "clock_untrusted");
    site.clock.trust();
    at(&site, "2026-09-11T00:00");
    let mine = site.student(0);
    mine.locker(1, "extend").refused(409, "last_day_over");
    assert_eq!(extendable(&mine)["reason"], "last_day_over");
    assert_eq!(site.mails("rental_extended"), [] as [Value; 0]);
}

#[test]
fn an_extension_takes_no_day_that_is_promised_to_somebody() {
    let site = Inside::start(1..=5, 5, two_terms);
    site.offer(1, TWICE);
    for n in 0..4 {
        site.student(n).rent(i64::try_from(n).expect("small") + 1);
    }
    at(&site, "2026-08-24T13:00");
    // Locker 1 is somebody's from September on, and student 1 has locker 2 again himself.
    site.student(4).rent(1);
    site.student(1).rent(2);
    let locked = site.student(0).locker(1, "extend").refused(409, "locker_taken");
    assert_eq!(locked["locker_id"], Value::Null, "whose it is, is nobody's business");
    assert_eq!(extendable(&site.student(0))["reason"], "locker_taken");
    site.student(1).locker(2, "extend").refused(409, "already_renting");
    // The other way round: what was extended cannot be claimed for these days.
    site.student(2).locker(3, "extend").expect(200);
    site.student(0).locker(3, "hold").refused(409, "locker_taken");
    // A hold keeps the days, a dead one does not, whether or not that was written down.
    site.student(0).locker(4, "hold").expect(201);
    site.student(3).locker(4, "extend").refused(409, "locker_taken");
    site.pass(HOLD_MS);
    site.student(3).locker(4, "extend").expect(200);
    assert!(site.history().contains(&"4 2024000000 ended hold_expired".to_owned()));
    site.demand_clean();
}

#[test]
fn of_an_extension_and_a_claim_at_the_same_moment_one_wins() {
    let site = Inside::start(1..=8, 9, two_terms);
    site.offer(1, TWICE);
    let renters: Vec<Client> = (0..8).map(|n| site.student(n)).collect();
    for (who, locker) in renters.iter().zip(1..) {
        who.rent(locker);
    }
    at(&site, "2026-08-24T13:00");
    let renters: Vec<Client> = (0..8).map(|n| site.student(n)).collect();
    let other = site.student(8);
    for (who, locker) in renters.iter().zip(1..) {
        let request = |client: &Client, what: &str| {
            client.request("POST", &format!("/api/v1/lockers/{locker}/{what}"), &[], "")
        };
        let requests = vec![request(who, "extend"), request(&other, "hold")];
        let replies = at_once(site.nobody().address, requests);
        let (extended, held) = (replies[0].status == 200, replies[1].status == 201);
        assert!(extended != held, "locker {locker}: {replies:?}");
        if held {
            replies[0].refused(409, "locker_taken");
            other.locker(locker, "release-hold").expect(200);
        } else {
            replies[1].refused(409, "locker_taken");
        }
        site.demand_clean();
    }
}

#[test]
fn a_hold_gets_its_time_again_once() {
    let site = Inside::start(1..=3, 2, open_now);
    let (mine, other) = (site.student(0), site.student(1));
    mine.locker(1, "hold").expect(201);
    let refusal = mine.locker(1, "extend-hold").refused(409, "option_off");
    assert_eq!(refusal["option"], "hold_extension");
    site.offer(1, Options { hold_extension: true, ..Options::default() });
    site.pass(40_000);
    other.locker(1, "extend-hold").refused(409, "hold_expired");
    let path = "/api/v1/lockers/1/extend-hold";
    let longer = mine.post_keyed(path, "more").expect(200).json();
    assert_eq!(longer, json!({ "locker_id": 1, "expires_in_ms": HOLD_MS }));
    mine.post_keyed(path, "more").expect(200);
    mine.locker(1, "extend-hold").refused(409, "hold_extended");
    site.pass(HOLD_MS - 1);
    assert_eq!(mine.mine()["hold_expires_in_ms"], 1);
    other.locker(1, "hold").refused(409, "locker_taken");
    site.pass(1);
    mine.locker(1, "extend-hold").refused(409, "hold_expired");
    other.locker(1, "hold").expect(201);
    other.locker(1, "confirm").expect(200);
    other.locker(1, "extend-hold").refused(409, "already_renting");

    // A restart gives a hold its time anew, but no second extension.
    mine.locker(2, "hold").expect(201);
    mine.locker(2, "extend-hold").expect(200);
    let site = site.again();
    let mine = site.student(0);
    assert_eq!(mine.mine()["hold_expires_in_ms"], HOLD_MS);
    mine.locker(2, "extend-hold").refused(409, "hold_extended");
    mine.locker(2, "confirm").expect(200);
    site.demand_clean();
}

#[test]
fn in_pool_mode_no_day_is_added_on_which_everything_is_promised() {
    let site = Inside::start(1..=2, 4, |_| String::new());
    let pool = Options { extension_days: Some(7), extension_from_days: 60, ..TWICE };
    let had = site.services.store.snapshot().site.banks[&BankId(1)].policy.clone();
    let policy = BankPolicy {
        options: pool,
        pool: PoolPolicy { days_max: Some(14), ..PoolPolicy::default() },
        ..had
    };
    let by_hand = Actor::CommandLine;
    site.run(site.services.put_policy(by_hand, BankId(1), policy, None)).expect("fits");
    let mode = BankChange { mode: Some(Mode::Pool), ..BankChange::default() };
    site.run(site.services.change_bank(by_hand, BankId(1), mode, None)).expect("nobody has one");
    site.sql()
        .execute_batch(
            "INSERT INTO rental (bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
                 confirmed_ms)
               SELECT 1, 1, id, 'active', '2026-08-20', '2026-08-30', 1, 1
               FROM member WHERE student_id = '2024000000';
             INSERT INTO rental (bank_id, member_id, state, starts_on, ends_on, held_ms)
               SELECT 1, id, 'reserved', '2026-09-02', '2026-09-03', 1
               FROM member WHERE student_id = '2024000001';
             INSERT INTO rental (bank_id, member_id, state, starts_on, ends_on, held_ms)
               SELECT 1, id, 'reserved', '2026-09-03', '2026-09-06', 1
               FROM member WHERE student_id = '2024000002';",
        )
        .expect("consistent");
    let site = site.again();
    let mine = site.student(0);
    let refusal = mine.locker(1, "extend").refused(409, "day_full");
    assert_eq!(refusal["full_days"], json!(["2026-09-03"]), "two lockers, two reservations");
    site.sql()
        .execute_batch(
            "UPDATE rental SET state = 'ended', ended_ms = 2, end_reason = 'cancelled'
             WHERE starts_on = '2026-09-03'",
        )
        .expect("consistent");
    let site = site.again();
    let longer = site.student(0).locker(1, "extend").expect(200).json();
    assert_eq!(longer["ends_on"], "2026-09-06");
    site.demand_clean();
}
