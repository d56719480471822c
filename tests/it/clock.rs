//! What goes on and what waits while the server does not know the time, and who may tell it. On a
//! clock that the test turns; the last ones as the program itself meets it: files and a restart.

use std::fs::File;
use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lockerd::clock::Clock;
use lockerd::domain::member::Role;
use lockerd::service::jobs::JOBS;
use serde_json::{Value, json};

use crate::support::http::Client;
use crate::support::inside::{Inside, open_now};
use crate::support::site::{Plan, Site};
use crate::support::until;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn site() -> Inside {
    let site = Inside::start(1..=9, 3, open_now);
    site.add("ADMIN1", Role::Admin, &[]);
    site.add("STAFF1", Role::Staff, &[1]);
    site
}

/// One look of the watching job.
#[track_caller]
fn look(site: &Inside) -> usize {
    site.run(site.services.look_at_clock()).expect("stored")
}

#[track_caller]
fn clock(client: &Client) -> Value {
    client.get("/api/v1/clock").expect(200).json()
}

#[track_caller]
fn confirm(admin: &Client, time: Timestamp) -> crate::support::http::Reply {
    admin.post_json("/api/v1/clock/confirm", &json!({ "time": time.to_string() }))
}

/// The audit log's rows about the clock, with what each says.
#[track_caller]
fn rows(conn: &rusqlite::Connection) -> Vec<String> {
    let sql = "SELECT action || ' ' || detail FROM audit WHERE subject = 'clock' ORDER BY id";
    let mut statement = conn.prepare(sql).expect("good SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("readable");
    rows.collect::<Result<_, _>>().expect("readable")
}

/// The place of a job in the table.
fn job(name: &str) -> usize {
    JOBS.iter().position(|job| job.name == name).expect("a job of this name")
}

#[test]
fn windows_stay_shut_and_everything_else_goes_on() {
    let site = site();
    let (mine, other) = (site.student(0), site.student(1));
    mine.locker(1, "hold").expect(201);
    let keyed = other.post_keyed("/api/v1/lockers/2/hold", "tap").expect(201);
    site.clock.distrust();
    let refusal = site.student(2).locker(3, "hold").refused(409, "clock_untrusted");
    assert_eq!(refusal["window"]["state"], "clock_untrusted", "{refusal}");
    assert!(refusal["window"]["server_time"].is_string(), "{refusal}");
    site.student(2).post("/api/v1/banks/1/hold").refused(409, "clock_untrusted");
    // What was answered before is answered again.
    assert_eq!(other.post_keyed("/api/v1/lockers/2/hold", "tap").expect(201).json(), keyed.json());
    other.locker(2, "release-hold").expect(200);
    other.locker(2, "hold").refused(409, "clock_untrusted");
    // Holds count on, and may be confirmed; the rental may be given back.
    site.pass(59_999);
    assert_eq!(mine.mine()["hold_expires_in_ms"], 1);
    mine.locker(1, "confirm").expect(200);
    mine.give_back(1);
    // Whoever waits sees why.
    let page = mine.get("/api/v1/lockers/1").expect(200).json();
    assert_eq!(page["window"]["state"], "clock_untrusted");
    let health = site.nobody().health();
    assert_eq!(
        (&health["status"], &health["clock"]["trusted"]),
        (&json!("degraded"), &json!(false))
    );
    assert_eq!(health["clock"]["why"], "nobody_vouches");
    site.clock.trust();
    mine.locker(1, "hold").expect(201);
    assert_eq!(site.nobody().health()["status"], "ok");
    site.demand_clean();
}

#[test]
fn a_renter_opens_by_a_wrong_calendar_and_nobody_is_late_by_it() {
    let site = site();
    let (admin, path) = (site.account("ADMIN1"), "/api/v1/banks/1/policy");
    let mut policy = admin.get(path).expect(200).json();
    policy["overdue"]["late_opening"] = "never".into();
    admin.call("PUT", path, &["Content-Type: application/json"], &policy.to_string()).expect(200);
    site.student(0).rent(1);
    let late: Timestamp = "2095-01-01T00:00:00Z".parse().expect("a time");
    site.clock.jump_to(late);
    // No lock is wired here: that it comes to that says that the renter may open.
    let open = |n: usize| site.student(n).locker(1, "open");
    let overdue = || {
        let summary = site.student(0).get("/api/v1/lockers/summary").expect(200).json();
        summary.to_string().contains("\"overdue\":1")
    };
    open(0).refused(403, "overdue");
    assert!(overdue());
    site.clock.distrust();
    open(0).refused(409, "not_wired");
    open(1).refused(404, "not_your_locker");
    assert!(!overdue());
}

#[test]
fn without_a_date_the_first_in_line_may_open_and_the_next_may_not() {
    let site = site();
    site.student(0).rent(1);
    let next =
        "INSERT INTO rental (bank_id, locker_id, member_id, term_id, state, starts_on, ends_on, held_ms,
                  confirmed_ms) SELECT 1, 1, id, 1, 'active', '2091-01-01', '2091-06-30', 1, 1
                FROM member WHERE student_id = '2024000001'";
    site.sql().execute_batch(next).expect("stored");
    let again = site.again();
    again.clock.distrust();
    again.student(0).locker(1, "open").refused(409, "not_wired");
    again.student(1).locker(1, "open").refused(403, "outside_dates");
}

#[test]
fn each_change_of_mind_is_written_down_once() {
    let site = site();
    assert_eq!(rows(&site.sql()), Vec::<String>::new(), "trusted from the start");
    site.clock.distrust();
    assert_eq!((look(&site), look(&site)), (1, 0));
    site.pass(3_600_000);
    assert_eq!(look(&site), 0);
    site.clock.trust();
    assert_eq!((look(&site), look(&site)), (1, 0));
    let rows = rows(&site.sql());
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].starts_with("clock.untrusted {") && rows[0].contains("nobody_vouches"));
    assert!(rows[1].starts_with("clock.trusted {") && rows[1].contains("real_time_clock"));
    site.demand_clean();
}

#[test]
fn an_admin_vouches_by_the_time_of_their_own_and_a_step_ends_that() {
    let site = site();
    let (admin, staff) = (site.account("ADMIN1"), site.account("STAFF1"));
    site.clock.distrust();
    look(&site);
    confirm(&staff, site.clock.now()).refused(403, "forbidden");
    site.student(0).get("/api/v1/clock").refused(403, "forbidden");
    let wrong = confirm(&admin, site.clock.now() + SignedDuration::from_millis(120_001));
    assert_eq!(wrong.refused(409, "clock_differs")["difference_ms"], 120_001);
    admin.post_json("/api/v1/clock/confirm", &json!({ "time": "noon" })).refused(422, "invalid");
    assert_eq!(clock(&staff)["trusted"], false);

    let state =
        confirm(&admin, site.clock.now() - SignedDuration::from_secs(90)).expect(200).json();
    assert_eq!((&state["trusted"], &state["by"]), (&json!(true), &json!("admin")), "{state}");
    site.student(0).locker(1, "hold").expect(201);
    // A small correction is not a step; a larger one is, and setting it back heals nothing.
    site.clock.jump_to(site.clock.now() + SignedDuration::from_secs(30));
    assert_eq!(clock(&staff)["trusted"], true);
    site.clock.jump_to(site.clock.now() + SignedDuration::from_secs(1));
    site.student(1).locker(2, "hold").refused(409, "clock_untrusted");
    look(&site);
    site.clock.jump_to(site.clock.now() - SignedDuration::from_secs(31));
    assert_eq!(look(&site), 0);
    let state = clock(&staff);
    assert_eq!((&state["trusted"], &state["why"]), (&json!(false), &json!("stepped")), "{state}");
    let rows = rows(&site.sql());
    let actions: Vec<_> = rows.iter().filter_map(|row| row.split(' ').next()).collect();
    let told = ["clock.untrusted", "clock.confirmed", "clock.trusted", "clock.untrusted"];
    assert_eq!(actions, told);
    assert!(rows[1].contains("-90000"), "{rows:?}");
}

#[test]
fn a_clock_a_year_back_is_not_believed_until_an_admin_says_that_the_other_was_wrong() {
    let site = site();
    let right = site.clock.now();
    let future = right + SignedDuration::from_hours(24 * 365);
    site.clock.jump_to(future);
    look(&site);
    site.pass(60_000);
    look(&site);
    site.clock.jump_to(right);
    let (admin, student) = (site.account("ADMIN1"), site.student(0));
    student.locker(1, "hold").refused(409, "clock_untrusted");
    let state = clock(&admin);
    assert_eq!(state["why"], "behind", "{state}");
    let stored: Timestamp =
        state["last_stored"].as_str().expect("a time").parse().expect("RFC 3339");
    assert!(stored >= future, "{state}");
    look(&site);
    confirm(&admin, right).expect(200);
    student.locker(1, "hold").expect(201);
    // And it stays so.
    let again = site.again();
    again.student(1).locker(2, "hold").expect(201);
    let last = rows(&again.sql());
    assert!(last.iter().any(|row| row.starts_with("clock.confirmed")), "{last:?}");
}

#[test]
fn the_newest_believed_time_only_grows_and_outlives_the_program() {
    let site = site();
    let stored = |site: &Inside| clock(&site.account("STAFF1"))["last_stored"].clone();
    let first = stored(&site);
    site.pass(59_999);
    look(&site);
    assert_eq!(stored(&site), first, "once a minute");
    site.pass(1);
    look(&site);
    assert_eq!(stored(&site), site.clock.now().to_string());
    let newest = site.clock.now();
    site.clock.jump_to(newest - SignedDuration::from_mins(2));
    site.pass(60_000);
    look(&site);
    assert_eq!(stored(&site), newest.to_string());
    // By a clock that is not believed nothing is stored.
    site.clock.distrust();
    site.clock.jump_to(newest + DAY);
    look(&site);
    site.pass(60_000);
    look(&site);
    assert_eq!(stored(&site), newest.to_string());
    site.clock.trust();
    site.clock.jump_to(newest - SignedDuration::from_millis(120_001));
    let again = site.again();
    assert_eq!(clock(&again.account("STAFF1"))["why"], "behind");
}

#[test]
fn an_admins_word_outlives_the_program() {
    let site = site();
    site.clock.distrust();
    look(&site);
    confirm(&site.account("ADMIN1"), site.clock.now()).expect(200);
    let again = site.again();
    again.clock.distrust();
    assert_eq!(clock(&again.account("STAFF1"))["by"], "admin");
    // A machine that was switched off in between counts from another moment.
    again.clock.jump_to(again.clock.now() + SignedDuration::from_secs(31));
    assert_eq!(clock(&again.account("STAFF1"))["trusted"], false);
}

#[test]
fn nothing_is_forgotten_by_a_clock_that_jumped_and_then_each_thing_once() {
    let site = site();
    let prune = job("prune");
    let run = |site: &Inside| site.run(site.services.run_due_job(prune));
    assert_eq!(run(&site).expect("the first one").result, Ok(0));
    let mine = site.student(0);
    mine.post_keyed("/api/v1/lockers/1/hold", "tap").expect(201);
    let kept = || -> i64 {
        let sql = "SELECT count(*) FROM idempotency";
        site.sql().query_row(sql, [], |row| row.get(0)).expect("readable")
    };
    // A month ahead, and nobody vouches for that.
    site.clock.distrust();
    site.clock.jump_to(site.clock.now() + SignedDuration::from_hours(24 * 30));
    site.pass(900_000);
    assert_eq!(run(&site), None);
    assert_eq!(kept(), 1);
    let listed = |name: &str| {
        let jobs = site.account("STAFF1").get("/api/v1/jobs").expect(200).json();
        let jobs = jobs["jobs"].as_array().expect("a list").clone();
        jobs.into_iter().find(|job| job["name"] == name).expect("in the list")
    };
    let waiting = listed("prune");
    assert_eq!(waiting["waits_for_trusted_time"], true, "{waiting}");
    assert_eq!(waiting["next_run_at"], Value::Null);
    // It is right after all: made up for once.
    site.clock.trust();
    assert_eq!(run(&site).expect("it is due").result, Ok(1));
    assert_eq!(run(&site), None);
    assert_eq!(kept(), 0);
    assert_eq!(listed("prune")["waits_for_trusted_time"], false);
}

/// The machine's time.
fn site_time() -> Timestamp {
    Clock::system(TimeZone::UTC).now()
}

/// A site served by the program, on whose machine nobody vouches for the clock but `note`.
fn unsure(note: bool) -> Site {
    let place = tempfile::tempdir().expect("a temporary place");
    let path = place.path().join("synchronized");
    if note {
        File::create(&path).expect("touched");
    }
    let lines = format!("synchronised_file = '{}'\n", path.display());
    let plan =
        Plan::default().lockers(1, 1..=9).students(3).staff("STAFF1", 1).admin().clock(&lines);
    let mut site = Site::prepare_in(place, &plan);
    site.serve();
    site
}

#[track_caller]
fn becomes(site: &Site, trusted: bool, key: &str, word: &str) {
    until("the clock's state", || {
        let clock = site.nobody().health()["clock"].clone();
        (clock["trusted"] == trusted && clock[key] == word).then_some(())
    });
}

#[test]
fn a_time_services_note_opens_the_windows() {
    let site = unsure(false);
    let mine = site.student(0);
    mine.locker(1, "hold").refused(409, "clock_untrusted");
    File::create(site.path("synchronized")).expect("touched");
    becomes(&site, true, "by", "time_service");
    mine.locker(1, "hold").expect(201);
    // A note from the future was written by another clock than this.
    let later = SystemTime::from(site_time() + SignedDuration::from_hours(1));
    let file = File::options().write(true).open(site.path("synchronized")).expect("there");
    file.set_modified(later).expect("touched");
    becomes(&site, false, "why", "stepped");
    until("both are written down", || (rows(&site.sql()).len() == 3).then_some(()));
    site.demand_clean();
}

#[test]
fn a_clock_that_was_set_while_the_program_was_stopped_has_no_word_of_an_old_note() {
    let mut site = unsure(true);
    becomes(&site, true, "by", "time_service");
    let noted = "SELECT count(*) FROM heartbeat WHERE noted_ms IS NOT NULL";
    until("the note is written down", || (site.number(noted) == 1).then_some(()));
    site.stop();
    site.serve();
    assert_eq!(site.nobody().health()["clock"]["by"], "time_service", "nothing has changed");
    site.stop();
    // As if the clock had been a day behind when the note was first seen.
    let set = "UPDATE heartbeat SET noted_origin_ms = noted_origin_ms - 86400000";
    site.sql().execute_batch(set).expect("stored");
    site.serve();
    assert_eq!(site.nobody().health()["clock"]["why"], "stepped");
    File::create(site.path("synchronized")).expect("touched");
    becomes(&site, true, "by", "time_service");
    site.stop();
    site.demand_clean();
}

#[test]
fn a_restart_with_a_clock_behind_ends_the_trust_before_anything_is_served() {
    let mut site = unsure(true);
    becomes(&site, true, "by", "time_service");
    site.student(0).rent(1);
    site.stop();
    let ahead = "UPDATE heartbeat SET trusted_ms = trusted_ms + 7200000";
    site.sql().execute_batch(ahead).expect("stored");
    site.serve();
    site.student(1).locker(2, "hold").refused(409, "clock_untrusted");
    assert_eq!(site.nobody().health()["clock"]["why"], "behind");
    let job = site.account("ADMIN").post("/api/v1/jobs/prune/run");
    job.refused(409, "clock_untrusted");
    assert_eq!(site.number("SELECT count(*) FROM audit WHERE action = 'clock.untrusted'"), 1);
    // The rental is as it was.
    assert_eq!(site.number("SELECT count(*) FROM rental WHERE state = 'active'"), 1);
    site.stop();
    site.demand_clean();
}

#[test]
fn the_command_line_vouches_to_a_server_that_runs_and_to_the_next_that_starts() {
    let mut site = unsure(false);
    site.command(&["time", "confirm", "2020-01-01T00:00"], "").failed();
    site.command(&["time", "confirm", "noon"], "").failed();
    let now = || {
        let seoul = TimeZone::get("Asia/Seoul").expect("bundled");
        site_time().to_zoned(seoul).strftime("%Y-%m-%dT%H:%M:%S").to_string()
    };
    let done = site.command(&["time", "confirm", &now()], "").ok();
    assert!(done.out.contains("has heard it"), "{done:?}");
    becomes(&site, true, "by", "admin");
    // The word outlives the program, not a change that the database knows nothing of.
    site.stop();
    site.sql().execute_batch("UPDATE heartbeat SET confirmed_origin_ms = NULL").expect("stored");
    site.serve();
    becomes(&site, false, "why", "nobody_vouches");
    site.stop();
    let done = site.command(&["time", "confirm", &now()], "").ok();
    assert!(done.out.contains("within ten minutes"), "{done:?}");
    let word = site.data_dir().join("clock.confirmed");
    let old = SystemTime::from(site_time() - SignedDuration::from_mins(11));
    File::options().write(true).open(&word).and_then(|file| file.set_modified(old)).expect("aged");
    site.serve();
    assert_eq!(site.nobody().health()["clock"]["trusted"], false, "too old");
    assert!(!word.exists());
    site.stop();
    site.command(&["time", "confirm", &now()], "").ok();
    site.serve();
    assert_eq!(site.nobody().health()["clock"]["by"], "admin");
    let words = site.number("SELECT count(*) FROM audit WHERE action = 'clock.confirmed'");
    assert_eq!(words, 2);
    site.account("ADMIN").get("/api/v1/clock").expect(200);
}
