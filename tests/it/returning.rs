//! A locker given back is free when it is surely empty: the closed door, the grace, the renter's
//! word, the word of staff; over real boards, with the clock in hand, and over a restart.

use lockerd::domain::member::Role;
use lockerd::sim::{DoorAction, SimBoard, SimBus};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::boards::{Boards, bus_toml, modbus_toml};
use crate::support::http::Client;
use crate::support::inside::{Inside, open_now};
use crate::support::live::Socket;
use crate::support::people::Kiosk;
use crate::support::site::{Plan, Site};
use crate::support::until;

const MINUTE_MS: u64 = 60_000;
/// How long a former renter may open again in these tests.
const GRACE_MS: u64 = 2 * MINUTE_MS;

/// Wired with a door sensor, and without one.
const SEEN: i64 = 1_001;
const SEEN_TOO: i64 = 1_002;
const BLIND: i64 = 1_003;

/// A site on a clock of its own with real boards: bank 1 has lockers 1 to 3 without electric locks,
/// bank 2 the wired ones with two minutes of grace.
struct Bench {
    site: Inside,
    boards: Boards,
    _links: TempDir,
}

impl Bench {
    fn start() -> Self {
        let place = tempfile::tempdir().expect("a temporary place");
        let link = place.path().join("west");
        let blind = SimBoard { door_inputs: false, ..SimBoard::modbus(2, 8) };
        let bus = SimBus::new("west", &link, 9_600).with(SimBoard::modbus(1, 8)).with(blind);
        let boards = Boards::start(vec![bus]);
        let blind = modbus_toml(2) + "doors = false\n";
        let lines = bus_toml("west", 9_600, &[&modbus_toml(1), &blind]);
        let lines = lines.replace("port = 'west'", &format!("port = '{}'", link.display()));
        let settings = format!("[auth]\nroster_login = 'full'\n{lines}");
        let site = Inside::configured(&settings, 1..=3, 3, open_now);
        let locker = |id: i64, board: u8, lock: u8| {
            format!(
                "[[location.bank.locker]]\nid = {id}\nbus = 'west'\nboard = {board}\nlock = {lock}\n"
            )
        };
        let wall = format!(
            "[[location]]\nname_ko = '도서관'\n[[location.bank]]\nname_ko = '벽'\n\
             returns = {{ grace_minutes = 2, by_door = true }}\n{}{}{}",
            locker(SEEN, 1, 3),
            locker(SEEN_TOO, 1, 4),
            locker(BLIND, 2, 1)
        );
        let wall = toml::from_str(&wall).expect("a site file");
        site.run(site.services.import_site(wall)).expect("taken");
        Self { site, boards, _links: place }
    }

    /// A student who rents a locker whose door is known.
    fn renter(&self, n: usize, locker: i64) -> Client {
        let student = self.site.student(n);
        student.rent(locker);
        if locker != BLIND {
            until("the door is known", || (student.mine()["door"] == "closed").then_some(()));
        }
        student
    }

    /// Closes a door and waits until that is known, also to the opening before it.
    fn close(&self, lock: u8) {
        self.boards.close("west", 1, lock);
        let known = || {
            let sql =
                "SELECT count(*) FROM opening WHERE opened_ms IS NOT NULL AND closed_ms IS NULL";
            let open: i64 = self.site.sql().query_row(sql, [], |row| row.get(0)).expect("a count");
            (open == 0).then_some(())
        };
        until("the closing is known", known);
    }

    /// Asks until the rule has an answer that is not about the door.
    fn settled(&self, who: &Client) -> Value {
        until("the door is seen closed", || {
            self.site.pass(10);
            self.site.run(self.site.services.settle_returns()).expect("it works");
            let mine = who.mine();
            (mine["waits_for"] != "door").then_some(mine)
        })
    }

    fn mails(&self, kind: &str) -> i64 {
        let sql = "SELECT count(*) FROM outbox WHERE kind = ?1";
        self.site.sql().query_row(sql, [kind], |row| row.get(0)).expect("a count")
    }
}

/// Opens a locker, waiting for its lock to be cool; how it went.
fn open(who: &Client, locker: i64) -> String {
    let opened = until("the lock is cool", || {
        let reply = who.locker(locker, "open");
        (reply.status != 429).then_some(reply)
    });
    let opened = opened.expect(202).json();
    let outcome = who.outcome(opened["operation_id"].as_str().expect("an id"));
    outcome["outcome"].as_str().expect("an outcome").to_owned()
}

fn release(who: &Client, locker: i64) -> Value {
    who.locker(locker, "release").expect(200).json()
}

#[test]
fn a_used_locker_is_its_former_renters_until_the_grace_is_over() {
    let bench = Bench::start();
    let (mine, other) = (bench.renter(0, SEEN), bench.site.student(1));
    assert_eq!(open(&mine, SEEN), "opened");
    bench.close(3);
    bench.site.pass(1_000);
    let given = release(&mine, SEEN);
    assert_eq!((&given["state"], &given["waits_for"]), (&json!("returned"), &json!("grace")));
    let free_at = bench.site.clock.now() + jiff::SignedDuration::from_millis(120_000);
    assert_eq!(given["free_at"], free_at.to_string(), "{given}");
    other.locker(SEEN, "hold").refused(409, "locker_taken");
    other.locker(SEEN, "open").refused(404, "not_your_locker");
    assert_eq!(other.state_of(SEEN), "taken");
    let summary = other.get("/api/v1/lockers/summary").expect(200).json();
    let bank = &summary["locations"][1]["banks"][0];
    assert_eq!((&bank["taken"], &bank["returning"]), (&json!(1), &json!(1)), "{bank}");
    assert_eq!(mine.mine()["state"], "returned");
    assert_eq!(mine.get("/api/v1/lockers").expect(200).json()["my_locker_id"], Value::Null);

    // Asked again, it is the same return.
    bench.site.pass(MINUTE_MS);
    let again = release(&mine, SEEN);
    assert_eq!(again["free_at"], free_at.to_string(), "{again}");
    // "I forgot something": then all begins anew.
    assert_eq!(open(&mine, SEEN), "opened");
    assert_eq!(mine.mine()["waits_for"], "door");
    bench.site.pass(GRACE_MS);
    assert_eq!(bench.site.run(bench.site.services.settle_returns()).expect("it works"), 0);
    let (mine, other) = (bench.site.student(0), bench.site.student(1));
    other.locker(SEEN, "hold").refused(409, "locker_taken");
    bench.close(3);
    assert_eq!(bench.settled(&mine)["waits_for"], "grace");
    bench.site.pass(GRACE_MS - 1);
    other.locker(SEEN, "hold").refused(409, "locker_taken");
    bench.site.pass(1);
    mine.locker(SEEN, "open").refused(404, "not_your_locker");
    // Nothing has written it down, and whoever claims it finds it free.
    assert_eq!(bench.site.history(), [format!("{SEEN} 2024000000 returned -")]);
    other.locker(SEEN, "hold").expect(201);
    assert_eq!(
        bench.site.history(),
        [format!("{SEEN} 2024000000 ended returned"), format!("{SEEN} 2024000001 held -")]
    );
    assert_eq!(bench.mails("returned"), 1);
    mine.locker(SEEN, "open").refused(404, "not_your_locker");
    bench.site.demand_clean();
    bench.boards.demand_no_violations();
}

#[test]
fn never_opened_and_closed_is_free_at_once_and_an_open_door_is_waited_for() {
    let bench = Bench::start();
    let mine = bench.renter(0, SEEN);
    let given = release(&mine, SEEN);
    assert_eq!(given["waits_for"], Value::Null, "{given}");
    assert_eq!(given["free_at"], bench.site.clock.now().to_string());
    mine.locker(SEEN, "release").refused(404, "not_your_locker");

    mine.rent(SEEN_TOO);
    bench.boards.door("west", 1, 4, DoorAction::Open);
    until("the open door is seen", || (mine.mine()["door"] == "open").then_some(()));
    assert_eq!(release(&mine, SEEN_TOO)["waits_for"], "door");
    // Whoever gave one back may have another, and sees both.
    mine.rent(SEEN);
    let both = mine.get("/api/v1/lockers/me").expect(200).json();
    assert_eq!(both["locker"]["locker_id"], SEEN, "{both}");
    assert_eq!(both["returning"][0]["locker_id"], SEEN_TOO, "{both}");
    assert_eq!(both["returning"][0]["waits_for"], "door", "{both}");
    bench.site.pass(10 * MINUTE_MS);
    assert_eq!(bench.site.run(bench.site.services.settle_returns()).expect("it works"), 0);
    bench.boards.close("west", 1, 4);
    // Nobody opened it through us, but it stood open: its grace counts from the closed door.
    let waiting = until("the door is seen closed", || {
        bench.site.run(bench.site.services.settle_returns()).expect("it works");
        let both = mine.get("/api/v1/lockers/me").expect(200).json();
        (both["returning"][0]["waits_for"] == "grace").then_some(both)
    });
    assert_eq!(waiting["returning"][0]["state"], "returned");
    bench.site.pass(GRACE_MS);
    assert_eq!(bench.site.run(bench.site.services.settle_returns()).expect("it works"), 1);
    assert_eq!(mine.state_of(SEEN_TOO), "free");
    bench.site.demand_clean();
}

#[test]
fn the_closing_door_is_the_return_where_the_bank_says_so() {
    let bench = Bench::start();
    let mine = bench.renter(0, SEEN);
    let path = format!("/api/v1/lockers/{SEEN}/release");
    let given = mine.post_json(&path, &json!({ "open": true })).expect(200).json();
    assert_eq!((&given["state"], &given["waits_for"]), (&json!("active"), &json!("door")));
    mine.outcome(given["operation_id"].as_str().expect("an opening"));
    until("the open door makes it a return", || (mine.mine()["state"] == "returned").then_some(()));
    bench.close(3);
    assert_eq!(bench.settled(&mine)["waits_for"], "grace");

    // A door that does not open is no return: the things are still inside.
    let stuck = bench.renter(1, SEEN_TOO);
    bench.boards.door("west", 1, 4, DoorAction::Jam);
    let path = format!("/api/v1/lockers/{SEEN_TOO}/release");
    let given = stuck.post_json(&path, &json!({ "open": true })).expect(200).json();
    let outcome = stuck.outcome(given["operation_id"].as_str().expect("an opening"));
    assert_eq!(outcome["outcome"], "door_did_not_open", "{outcome}");
    assert_eq!(stuck.mine()["state"], "active");

    let blind = bench.renter(2, BLIND);
    let path = format!("/api/v1/lockers/{BLIND}/release");
    blind.post_json(&path, &json!({ "open": true })).refused(409, "return_by_door_off");
    blind.post_json(&path, &json!({ "opened": true })).refused(400, "bad_json");
    mine.post_json(&path, &json!({ "open": true })).refused(404, "not_your_locker");
    bench.site.demand_clean();
}

#[test]
fn a_return_by_the_door_is_an_opening_like_others_and_asks_for_the_code_on_the_screen() {
    let bench = Bench::start();
    bench.site.add("ADMIN1", Role::Admin, &[]);
    let admin = bench.site.account("ADMIN1");
    let rule = r#"{"open_from":"presence"}"#;
    admin
        .call("PUT", "/api/v1/banks/2/opening", &["Content-Type: application/json"], rule)
        .expect(200);
    let kiosk = Kiosk::pair(&admin, "벽", &[2]);
    let mine = bench.renter(0, SEEN);
    let path = format!("/api/v1/lockers/{SEEN}/release");
    mine.post_json(&path, &json!({ "open": true })).refused(403, "presence_needed");
    let wrong = json!({ "open": true, "presence_code": "000000" });
    mine.post_json(&path, &wrong).refused(403, "presence_wrong");
    assert_eq!(mine.mine()["state"], "active");
    bench.site.pass(1_000);
    let right = json!({ "open": true, "presence_code": kiosk.code(2) });
    let given = mine.post_json(&path, &right).expect(200).json();
    mine.outcome(given["operation_id"].as_str().expect("an opening"));
    until("the open door makes it a return", || (mine.mine()["state"] == "returned").then_some(()));
    // Whoever forgot something stands before it as well.
    mine.locker(SEEN, "open").refused(403, "presence_needed");
    bench.site.demand_clean();
}

#[test]
fn without_sensors_the_renters_word_counts_and_each_opening_makes_it_void() {
    let bench = Bench::start();
    let mine = bench.renter(0, BLIND);
    assert_eq!(open(&mine, BLIND), "unseen");
    let given = release(&mine, BLIND);
    assert_eq!(given["waits_for"], "confirmation", "{given}");
    assert_eq!(given["free_at"], Value::Null, "{given}");
    bench.site.pass(1);
    assert_eq!(mine.give_back(BLIND)["waits_for"], "grace");
    bench.site.pass(MINUTE_MS);
    assert_eq!(open(&mine, BLIND), "unseen");
    assert_eq!(mine.mine()["waits_for"], "confirmation");
    bench.site.pass(GRACE_MS);
    assert_eq!(bench.site.run(bench.site.services.settle_returns()).expect("it works"), 0);
    let mine = bench.site.student(0);
    mine.give_back(BLIND);
    bench.site.pass(GRACE_MS);
    assert_eq!(bench.site.run(bench.site.services.settle_returns()).expect("it works"), 1);
    assert_eq!(mine.mine(), Value::Null);
    // A bare return of a locker without a lock waits for the word, too.
    mine.rent(1);
    assert_eq!(release(&mine, 1)["waits_for"], "confirmation");
    assert_eq!(mine.give_back(1)["waits_for"], Value::Null);
    bench.site.demand_clean();
}

#[test]
fn staff_see_what_waits_and_free_it_with_a_reason() {
    let bench = Bench::start();
    let mine = bench.renter(0, SEEN);
    bench.site.add("STAFF01", Role::Staff, &[2]);
    bench.site.add("STAFF02", Role::Staff, &[1]);
    let (staff, stranger) = (bench.site.account("STAFF01"), bench.site.account("STAFF02"));
    let path = format!("/api/v1/lockers/{SEEN}/free");
    let reason = json!({ "reason": "문을 확인함" });
    staff.post_json(&path, &reason).refused(409, "not_returned");
    bench.boards.door("west", 1, 3, DoorAction::Open);
    until("the open door is seen", || (mine.mine()["door"] == "open").then_some(()));
    release(&mine, SEEN);

    let list = staff.get("/api/v1/returns").expect(200).json();
    let row = &list["returns"][0];
    assert_eq!((&row["locker_id"], &row["waits_for"]), (&json!(SEEN), &json!("door")), "{list}");
    assert_eq!(row["renter"]["student_id"], "2024****00", "{list}");
    assert_eq!(row["returned_at"], bench.site.clock.now().to_string(), "{list}");
    assert_eq!(list["next_cursor"], Value::Null);
    let others = stranger.get("/api/v1/returns").expect(200).json();
    assert_eq!(others["returns"], json!([]), "another bank's staff");
    assert_eq!(staff.get("/api/v1/returns?bank_id=1").expect(200).json()["returns"], json!([]));
    staff.get("/api/v1/returns?on=2026-09-01").refused(422, "invalid");
    mine.get("/api/v1/returns").refused(403, "forbidden");

    staff.post_json(&path, &json!({ "reason": " " })).refused(422, "invalid");
    stranger.post_json(&path, &reason).refused(403, "forbidden");
    mine.post_json(&path, &reason).refused(403, "forbidden");
    let freed = staff.post_json(&path, &reason).expect(200).json();
    assert_eq!((&freed["state"], &freed["waits_for"]), (&json!("returned"), &Value::Null));
    assert_eq!(mine.state_of(SEEN), "free");
    staff.post_json(&path, &reason).refused(409, "not_returned");
    let sql = "SELECT actor_id IS NOT NULL AND detail LIKE '%확인함%' FROM audit
               WHERE action = 'rental.free'";
    let told: bool = bench.site.sql().query_row(sql, [], |row| row.get(0)).expect("one row");
    assert!(told, "who freed it and why is on record");
    bench.site.demand_clean();
}

#[test]
fn staff_alone_where_the_bank_does_not_take_the_renters_word() {
    let site = Inside::start([1], 2, open_now);
    let wall = "[[location]]\nname_ko = '도서관'\n[[location.bank]]\nname_ko = '벽'\n\
                returns = { unseen = 'staff' }\n[[location.bank.locker]]\nid = 7\n";
    site.run(site.services.import_site(toml::from_str(wall).expect("a site file"))).expect("taken");
    site.add("STAFF01", Role::Staff, &[2]);
    let mine = site.student(0);
    mine.rent(7);
    assert_eq!(mine.give_back(7)["waits_for"], "staff");
    site.pass(24 * 60 * MINUTE_MS);
    assert_eq!(site.run(site.services.settle_returns()).expect("it works"), 0);
    let (staff, other) = (site.account("STAFF01"), site.student(1));
    other.locker(7, "hold").refused(409, "locker_taken");
    other.post("/api/v1/banks/2/hold").refused(409, "no_free_locker");
    let reason = json!({ "reason": "empty" });
    staff.post_json("/api/v1/lockers/7/free", &reason).expect(200);
    other.post("/api/v1/banks/2/hold").expect(201);
    site.demand_clean();
}

#[test]
fn any_free_locker_finds_one_whose_grace_has_just_passed() {
    let bench = Bench::start();
    let mine = bench.renter(0, BLIND);
    for (n, locker) in [(1, SEEN), (2, SEEN_TOO)] {
        bench.site.student(n).rent(locker);
    }
    open(&mine, BLIND);
    bench.site.pass(1);
    mine.give_back(BLIND);
    mine.post("/api/v1/banks/2/hold").refused(409, "no_free_locker");
    bench.site.pass(GRACE_MS);
    let held = mine.post("/api/v1/banks/2/hold").expect(201).json();
    assert_eq!(held["locker_id"], BLIND, "{held}");
    bench.site.demand_clean();
}

/// A served site with one wired locker, no grace, and the boards behind it.
fn served() -> (Site, Boards) {
    let place = tempfile::tempdir().expect("a temporary place");
    let bus = SimBus::new("east", place.path().join("east"), 9_600);
    let boards = Boards::start(vec![bus.with(SimBoard::modbus(1, 8))]);
    let plan = Plan::default()
        .wired(1, 101, ("east", 1, 3))
        .lockers(1, [102])
        .students(2)
        .policy("returns = { grace_minutes = 0 }")
        .bus(&bus_toml("east", 9_600, &[&modbus_toml(1)]));
    let mut site = Site::prepare_in(place, &plan);
    site.serve();
    (site, boards)
}

#[test]
fn an_open_door_outlives_a_restart_and_the_closing_one_is_told_live() {
    let (mut site, boards) = served();
    let mine = site.student(0);
    mine.rent(101);
    until("the door is known", || (mine.mine()["door"] == "closed").then_some(()));
    let opened = mine.locker(101, "open").expect(202).json();
    mine.outcome(opened["operation_id"].as_str().expect("an id"));
    assert_eq!(release(&mine, 101)["waits_for"], "door");
    site.kill();
    site.serve();
    let (mine, other) = (site.student(0), site.student(1));
    until("the open door is seen", || (mine.mine()["door"] == "open").then_some(()));
    other.locker(101, "hold").refused(409, "locker_taken");
    assert_eq!(mine.mine()["waits_for"], "door");
    let (mut socket, _) = Socket::listen(&other, &json!(["lockers"]));
    let picture = socket.message();
    assert!(picture.to_string().contains(r#"{"locker_id":101,"state":"taken"}"#), "{picture}");
    boards.close("east", 1, 3);
    let delta = socket.message();
    assert_eq!(
        delta["changes"][0]["items"],
        json!([{ "locker_id": 101, "state": "free" }]),
        "{delta}"
    );
    assert_eq!(mine.mine(), Value::Null);
    other.locker(101, "hold").expect(201);
    site.demand_clean();
}

#[test]
fn nothing_is_freed_while_the_database_fails_and_what_was_opened_then_counts() {
    let (site, boards) = served();
    let (mine, other) = (site.student(0), site.student(1));
    mine.rent(101);
    until("the door is known", || (mine.mine()["door"] == "closed").then_some(()));
    boards.door("east", 1, 3, DoorAction::Open);
    until("the open door is seen", || (mine.mine()["door"] == "open").then_some(()));
    assert_eq!(release(&mine, 101)["waits_for"], "door");
    let tool = site.sql();
    tool.execute_batch("BEGIN EXCLUSIVE").expect("free");
    other.locker(102, "hold").refused(503, "degraded");
    boards.close("east", 1, 3);
    until("the closed door is seen", || (mine.mine()["door"] == "closed").then_some(()));
    // The former renter still gets in, though nobody can write that down; the door stays open.
    let opened = mine.locker(101, "open").expect(202).json();
    let outcome = mine.outcome(opened["operation_id"].as_str().expect("an id"));
    assert_eq!(outcome["outcome"], "opened", "{outcome}");
    other.locker(101, "hold").refused(409, "locker_taken");
    tool.execute_batch("ROLLBACK").expect("done");
    until("the database is in use again", || {
        (site.nobody().health()["database"] == "ok").then_some(())
    });
    until("the opening of that time is stored", || {
        let sql = "SELECT count(*) FROM opening WHERE outcome = 'opened'";
        (site.number(sql) == 1).then_some(())
    });
    assert_eq!(mine.mine()["waits_for"], "door");
    other.locker(101, "hold").refused(409, "locker_taken");
    boards.close("east", 1, 3);
    until("it is free", || (other.state_of(101) == "free").then_some(()));
    site.demand_clean();
}
