//! Occupied is not rented: whoever comes next is told beforehand, cannot open what somebody has not
//! emptied, and takes another one for the same dates. On a clock that the test turns.

use jiff::SignedDuration;
use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::Client;
use crate::support::inside::Inside;

/// Two terms that follow each other: until the end of August and from September on. The window of
/// the second opens two hours after that of the first.
fn terms(now: jiff::Timestamp) -> String {
    let hour = SignedDuration::from_hours(1);
    let term = |name: &str, window: (jiff::Timestamp, jiff::Timestamp), dates: (&str, &str)| {
        format!(
            "[[term]]\nname_ko = '{name}'\nopens_at = '{}'\ncloses_at = '{}'\n\
             starts_on = '{}'\nends_on = '{}'\n",
            window.0, window.1, dates.0, dates.1
        )
    };
    term("여름", (now - hour, now + hour), ("2026-08-01", "2026-08-31"))
        + &term("가을", (now + hour * 2, now + hour * 24 * 30), ("2026-09-01", "2026-12-18"))
}

/// Lockers 1 to 4; student 0 has locker 1 until August, student 1 the same from September on.
struct Changeover {
    site: Inside,
}

impl Changeover {
    fn start() -> Self {
        let site = Inside::start(1..=4, 4, terms);
        site.student(0).rent(1);
        site.clock.advance(std::time::Duration::from_hours(3));
        site.student(1).rent(1);
        site.add("STAFF01", Role::Staff, &[1]);
        site.add("STAFF02", Role::Staff, &[]);
        Self { site }
    }

    /// Turns the clock to a time in Seoul, long after the last list was made.
    fn at(&self, time: &str) {
        self.site.pass(60_000);
        self.site.clock.jump_to(format!("{time}:00+09:00").parse().expect("a time"));
    }

    fn tell(&self) -> usize {
        self.site.run(self.site.services.tell_shortages()).expect("it works")
    }

    /// Lends a locker or not, as staff do by an import.
    fn lend(&self, locker: i64, in_service: bool) {
        let file = format!(
            "[[location]]\nname_ko = '정보관'\n[[location.bank]]\nname_ko = '사물함'\n\
             [[location.bank.locker]]\nid = {locker}\nin_service = {in_service}\n"
        );
        let file = toml::from_str(&file).expect("a site file");
        self.site.run(self.site.services.update_site(file, None, None)).expect("taken");
    }
}

fn shortages(staff: &Client, question: &str) -> Vec<Value> {
    let list = staff.get(&format!("/api/v1/shortages{question}")).expect(200).json();
    list["shortages"].as_array().expect("rows").clone()
}

#[test]
fn the_next_renter_is_told_on_the_eve_and_cannot_open_what_is_not_empty() {
    let change = Changeover::start();
    let site = &change.site;
    change.at("2026-08-31T12:00");
    let staff = site.account("STAFF01");
    let rows = shortages(&staff, "");
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!((&row["locker_id"], &row["reason"]), (&json!(1), &json!("occupied")), "{row}");
    assert_eq!(row["renter"]["student_id"], "2024****01", "{row}");
    assert_eq!(row["occupied_until"], "2026-08-31", "{row}");
    assert_eq!((&row["told"], &row["alternatives"]), (&json!(false), &json!([2, 3, 4])), "{row}");
    assert_eq!(shortages(&staff, "?on=2026-09-02"), [] as [Value; 0]);
    assert_eq!(shortages(&staff, "?on=2026-09-01&bank_id=1&limit=1").len(), 1);
    assert_eq!(shortages(&site.account("STAFF02"), ""), [] as [Value; 0], "not their bank");
    site.student(0).get("/api/v1/shortages").refused(403, "forbidden");
    staff.get("/api/v1/shortages?on=soon").refused(422, "invalid");

    // At noon the locker is in rightful use for half a day more.
    assert_eq!(change.tell(), 0);
    change.at("2026-08-31T18:00");
    assert_eq!(change.tell(), 1);
    assert_eq!(change.tell(), 0, "once");
    let told = site.mails("shortage");
    let wanted = json!({
        "locker_id": 1, "starts_on": "2026-09-01", "ends_on": "2026-12-18",
        "reason": "occupied", "why": null, "offered": 2,
    });
    assert_eq!(told, [wanted]);
    let staff = site.account("STAFF01");
    assert_eq!(shortages(&staff, "")[0]["told"], true);

    change.at("2026-09-01T09:00");
    let (late, mine) = (site.student(0), site.student(1));
    let refusal = mine.locker(1, "open").refused(409, "occupied");
    assert_eq!(refusal["offered_locker_id"], 2, "{refusal}");
    assert_eq!(
        (&refusal["starts_on"], &refusal["ends_on"]),
        (&json!("2026-09-01"), &json!("2026-12-18"))
    );
    assert_eq!(change.tell(), 0, "the same shortage is not told anew");

    // The one before has emptied it: the locker is to be had after all.
    late.give_back(1);
    mine.locker(1, "open").refused(409, "not_wired");
    mine.locker(1, "replace").refused(409, "no_shortage");
    assert_eq!(change.tell(), 0);
    assert_eq!(site.number("SELECT count(*) FROM rental WHERE shortage_told_ms IS NOT NULL"), 0);
    site.demand_clean();
}

#[test]
fn the_renter_of_a_shortage_takes_another_one_for_the_same_dates() {
    let change = Changeover::start();
    let site = &change.site;
    change.at("2026-09-01T09:00");
    let (mine, other, third) = (site.student(1), site.student(2), site.student(3));
    other.rent(2);
    other.locker(1, "replace").refused(404, "not_your_locker");
    other.locker(2, "replace").refused(409, "no_shortage");
    let path = "/api/v1/lockers/1/replace";
    mine.post_json(path, &json!({ "locker_id": 2 })).refused(409, "locker_taken");
    mine.post_json(path, &json!({ "locker_id": 9 })).refused(404, "locker_not_found");
    // Somebody else's hold counts as well, until it is dead.
    third.locker(3, "hold").expect(201);
    mine.post_json(path, &json!({ "locker_id": 3 })).refused(409, "locker_taken");
    site.pass(60_000);
    let key = "Idempotency-Key: swap";
    let taken = mine.call("POST", path, &[key], "").expect(200).json();
    let wanted = json!({
        "locker_id": 3, "former_locker_id": 1,
        "starts_on": "2026-09-01", "ends_on": "2026-12-18",
    });
    assert_eq!(taken, wanted, "the nearest free one");
    assert_eq!(mine.call("POST", path, &[key], "").expect(200).json(), wanted);
    assert_eq!(mine.mine()["locker_id"], 3);
    mine.locker(3, "open").refused(409, "not_wired");
    mine.locker(1, "open").refused(404, "not_your_locker");
    assert_eq!(
        site.history(),
        [
            "1 2024000000 active -",
            "1 2024000001 ended replaced",
            "2 2024000002 active -",
            "3 2024000003 ended hold_expired",
            "3 2024000001 active -",
        ]
    );
    let follows = "SELECT follows_id FROM rental WHERE locker_id = 3 AND ended_ms IS NULL";
    assert_eq!(site.number(follows), 2);
    assert_eq!(site.mails("rental_replaced").len(), 1);
    site.demand_clean();
}

#[test]
fn nobody_claims_a_locker_from_today_on_that_somebody_has_not_left() {
    let change = Changeover::start();
    let site = &change.site;
    // Student 2 had locker 4 until August as well.
    site.clock.advance(std::time::Duration::from_hours(1));
    let before = site.number("SELECT count(*) FROM rental");
    change.at("2026-08-24T10:30");
    site.student(2).rent(4);
    assert_eq!(site.number("SELECT count(*) FROM rental"), before + 1);
    change.at("2026-08-30T10:00");
    assert_eq!(site.student(3).state_of(4), "free", "for September, and it may be empty by then");
    change.at("2026-09-01T10:00");
    let other = site.student(3);
    assert_eq!(other.state_of(4), "taken");
    other.locker(4, "hold").refused(409, "locker_taken");
    let held = other.post("/api/v1/banks/1/hold").expect(201).json();
    assert!(held["locker_id"] == 2 || held["locker_id"] == 3, "{held}");
    site.student(2).give_back(4);
    other.locker(held["locker_id"].as_i64().expect("a number"), "release-hold").expect(200);
    other.locker(4, "hold").expect(201);
    site.demand_clean();
}

#[test]
fn a_locker_out_of_service_is_told_at_once_and_anew_when_it_breaks_again() {
    let change = Changeover::start();
    let site = &change.site;
    change.lend(1, false);
    // Both renters, the one of today and the one from September on, with different offers.
    let told = site.mails("shortage");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|mail| mail["reason"] == "out_of_service"), "{told:?}");
    assert_ne!(told[0]["offered"], told[1]["offered"], "{told:?}");
    assert_eq!(change.tell(), 0);
    let mine = site.student(0);
    let refusal = mine.locker(1, "open").refused(409, "out_of_service");
    assert_eq!(refusal["offered_locker_id"], 2, "{refusal}");
    let path = "/api/v1/lockers/1/replace";
    change.lend(4, false);
    mine.post_json(path, &json!({ "locker_id": 4 })).refused(409, "out_of_service");
    mine.post_json(path, &json!({ "locker_id": 2 })).expect(200);
    change.lend(1, true);
    assert_eq!(change.tell(), 0);
    change.lend(1, false);
    assert_eq!(site.mails("shortage").len(), 3, "the one who still has it");
    site.demand_clean();
}

#[test]
fn whoever_is_late_gets_no_other_locker() {
    let change = Changeover::start();
    let site = &change.site;
    change.at("2026-09-02T09:00");
    change.lend(1, false);
    let late = site.student(0);
    late.locker(1, "replace").refused(409, "last_day_over");
    assert_eq!(late.mine()["locker_id"], 1, "still theirs to empty");
    site.student(1).locker(1, "replace").expect(200);
    // What comes after it may be replaced all the same.
    let file = "[[term]]\nname_ko = '겨울'\nopens_at = '2026-09-01T00:00:00Z'\n\
                closes_at = '2026-12-01T00:00:00Z'\nstarts_on = '2026-12-19'\n\
                ends_on = '2027-02-28'\n";
    let file = toml::from_str(file).expect("a site file");
    site.run(site.services.import_site(file)).expect("taken");
    change.lend(1, true);
    late.rent(1);
    change.lend(1, false);
    late.locker(1, "replace").expect(200);
    let history = site.history();
    assert_eq!(history[0], "1 2024000000 active -");
    assert_eq!(history[3], "1 2024000000 ended replaced", "{history:?}");
    site.demand_clean();
}

#[test]
fn whoever_never_got_in_does_not_get_in_when_late() {
    let change = Changeover::start();
    let site = &change.site;
    change.at("2026-12-18T23:59");
    site.student(1).locker(1, "open").refused(409, "occupied");
    // Their days are over, and nothing has written down yet that they never had the locker.
    change.at("2026-12-19T00:00");
    site.student(1).locker(1, "open").refused(409, "occupied");
    site.student(0).locker(1, "open").refused(409, "not_wired");
    assert_eq!(site.run(site.services.detect_overdue()).expect("it works"), 2);
    site.student(1).locker(1, "open").refused(404, "not_your_locker");
    assert_eq!(site.history(), ["1 2024000000 active -", "1 2024000001 ended returned"]);
}
