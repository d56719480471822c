//! What runs by itself: each job at most once more whatever the clock does, what staff see of it, and a
//! demo whose time is turned.

use jiff::{SignedDuration, Timestamp};
use lockerd::domain::member::Role;
use lockerd::service::jobs::{GoesBy, JOBS, Schedule};
use serde_json::{Value, json};

use crate::support::demo::Demo;
use crate::support::http::Client;
use crate::support::inside::{Inside, open_now};
use crate::support::process::{lockerd, run};
use crate::support::site::{Plan, Site};
use crate::support::until;

const YEAR: SignedDuration = SignedDuration::from_hours(24 * 365);

#[track_caller]
fn listed(staff: &Client, name: &str) -> Value {
    let reply = staff.get("/api/v1/jobs").expect(200).json();
    let jobs = reply["jobs"].as_array().expect("a list");
    jobs.iter().find(|job| job["name"] == name).expect("in the list").clone()
}

/// Wakes every job twice; the names of those that ran, in their order.
fn woken(site: &Inside) -> Vec<&'static str> {
    let mut ran = Vec::new();
    for _ in 0..2 {
        for (index, job) in JOBS.iter().enumerate() {
            if site.run(site.services.run_due_job(index)).is_some() {
                ran.push(job.name);
            }
        }
    }
    ran
}

#[test]
fn each_job_runs_at_most_once_more_whatever_the_clock_does() {
    let site = Inside::start(1..=2, 2, open_now);
    let all: Vec<_> = JOBS.iter().map(|job| job.name).collect();
    assert_eq!(woken(&site), all, "once at the start");
    let mine = site.student(0);
    mine.locker(1, "hold").expect(201);
    let now = site.clock.now();
    let daily = |job: &&lockerd::service::jobs::Job| matches!(job.schedule, Schedule::Daily(_));
    let by_day: Vec<_> = JOBS.iter().filter(daily).map(|job| job.name).collect();
    for jump in [SignedDuration::from_hours(24 * 30), SignedDuration::from_hours(24 * 31)] {
        site.clock.jump_to(now + jump);
        assert_eq!(woken(&site), by_day, "a period does not count by the wall");
    }
    // A year back is behind what was stored: whatever ends something waits.
    site.pass(60_000);
    site.run(site.services.look_at_clock()).expect("stored");
    site.clock.jump_to(now - YEAR);
    site.pass(3_600_000);
    let go_on = JOBS.iter().filter(|job| job.goes_by == GoesBy::AnyTime);
    let go_on: Vec<_> = go_on.map(|job| job.name).collect();
    assert!(go_on.len() < JOBS.len(), "something waits");
    assert_eq!(woken(&site), go_on);
    // Only what its own clock ended is ended.
    let history = site.history();
    assert_eq!(history, ["1 2024000000 ended hold_expired"]);
    site.demand_clean();
}

#[test]
fn a_long_downtime_gives_one_run() {
    let site = Inside::start(1..=2, 1, open_now);
    woken(&site);
    site.pass(30 * 86_400_000);
    let ran = woken(&site);
    assert_eq!(ran.len(), JOBS.len(), "{ran:?}");
}

#[test]
fn staff_see_the_jobs_and_an_admin_runs_one() {
    let site = Inside::start(1..=2, 1, open_now);
    site.add("ADMIN1", Role::Admin, &[]);
    site.add("STAFF1", Role::Staff, &[1]);
    let (admin, staff) = (site.account("ADMIN1"), site.account("STAFF1"));
    site.student(0).get("/api/v1/jobs").refused(403, "forbidden");
    let before = listed(&staff, "prune");
    assert_eq!(before["last_run"], Value::Null);
    assert_eq!((&before["schedule"], &before["running"]), (&json!("every 15 min"), &json!(false)));
    assert_eq!(before["needs_trusted_time"], true);
    staff.post("/api/v1/jobs/prune/run").refused(403, "forbidden");
    admin.post("/api/v1/jobs/nonsense/run").refused(404, "job_not_found");
    let run = admin.post("/api/v1/jobs/prune/run").expect(200).json();
    assert_eq!((&run["result"], &run["count"]), (&json!("done"), &json!(0)), "{run}");
    let after = listed(&staff, "prune");
    assert_eq!(after["last_run"], run);
    let next: Timestamp = after["next_run_at"].as_str().expect("a time").parse().expect("RFC 3339");
    assert_eq!(next, site.clock.now() + SignedDuration::from_mins(15));
    let rows = "SELECT count(*) FROM audit WHERE action = 'job.run' AND subject = 'job:prune'
                  AND actor_id IS NOT NULL";
    let rows: i64 = site.sql().query_row(rows, [], |row| row.get(0)).expect("readable");
    assert_eq!(rows, 1);
    // Its last run is known after a restart.
    let again = site.again();
    assert_eq!(listed(&again.account("STAFF1"), "prune")["last_run"], run);
}

#[test]
fn a_job_that_finds_nothing_does_not_wear_the_card() {
    let site = Inside::start(1..=2, 1, open_now);
    let expire = JOBS.iter().position(|job| job.name == "expire-holds").expect("in the table");
    let tidy = |site: &Inside| site.run(site.services.run_woken_job(expire)).expect("it ran");
    let stored = |site: &Inside| -> i64 {
        let sql = "SELECT count FROM job_run WHERE name = 'expire-holds'";
        site.sql().query_row(sql, [], |row| row.get(0)).expect("stored")
    };
    tidy(&site);
    assert_eq!(stored(&site), 0);
    let mine = site.student(0);
    mine.locker(1, "hold").expect(201);
    site.pass(60_000);
    // What it did is stored, and not overwritten by the next that did nothing.
    assert_eq!(tidy(&site).result, Ok(1));
    assert_eq!(tidy(&site).result, Ok(0));
    assert_eq!(stored(&site), 1);
    site.pass(3_600_000);
    tidy(&site);
    assert_eq!(stored(&site), 0);
}

#[test]
fn the_program_runs_its_jobs_and_ends_in_order() {
    let plan = Plan::default().lockers(1, 1..=2).students(1).hold_seconds(10).staff("STAFF1", 1);
    let mut site = Site::start(&plan);
    let staff = site.account("STAFF1");
    for job in JOBS {
        until(job.name, || {
            (listed(&staff, job.name)["last_run"]["result"] == "done").then_some(())
        });
    }
    // The quick ones go on.
    let began = |name: &str| listed(&staff, name)["last_run"]["started_at"].clone();
    let first = began("save-state");
    until("it runs again", || (began("save-state") != first).then_some(()));
    assert_eq!(began("prune"), listed(&staff, "prune")["last_run"]["started_at"]);
    site.stop();
    site.demand_clean();
}

#[test]
fn a_demos_time_is_turned_by_its_simulator_and_the_jobs_notice() {
    let demo = Demo::start();
    let staff =
        |id: &str, password: &str| demo.nobody.log_in(&json!({ "id": id, "password": password }));
    let pruned = || listed(&staff("STAFF01", "demo-staff-password"), "prune")["last_run"].clone();
    let first = until("the first run", || Some(pruned()).filter(|run| !run.is_null()));
    let mine = demo.cheolsu();
    mine.locker(101, "hold").expect(201);
    let time = |reply: Value| -> Timestamp {
        reply["server_time"].as_str().expect("a time").parse().expect("RFC 3339")
    };
    let before = time(demo.simulator.get("/clock").expect(200).json());
    let turned = demo.simulator.post_json("/clock", &json!({ "advance_s": 1_200 })).expect(200);
    let after = time(turned.json());
    assert!(after >= before + SignedDuration::from_secs(1_200), "{before} {after}");
    assert_eq!(mine.mine(), Value::Null, "the hold is over");
    until("it is due and runs", || (pruned() != first).then_some(()));
    // To a time, further than any token lives; what is past is past.
    let to = after + SignedDuration::from_hours(100);
    let turned = demo.simulator.post_json("/clock", &json!({ "to": to.to_string() })).expect(200);
    assert!(time(turned.json()) >= to);
    mine.get("/api/v1/auth/me").refused(401, "unauthenticated");
    let health = demo.nobody.health();
    assert!(time(health.clone()) >= to && health["clock"]["trusted"] == true, "{health}");
    for nonsense in [
        json!({ "to": before.to_string() }),
        json!({}),
        json!({ "advance_s": -1 }),
        json!({ "advance_s": 1, "to": to.to_string() }),
        json!({ "advance_s": 999_999_999 }),
    ] {
        demo.simulator.post_json("/clock", &nonsense).expect(400);
    }
}

#[test]
fn a_demo_may_begin_on_any_day() {
    let demo = Demo::with(&["--begins-at", "2031-03-02T10:00"]);
    let health = demo.nobody.health();
    let time = health["server_time"].as_str().expect("a time");
    assert!(time.starts_with("2031-03-02T01:0"), "{time}");
    assert_eq!(health["clock"]["trusted"], true, "{health}");
    demo.gildong().rent(101);
    for bad in [["--begins-at", "1999-01-01T00:00"], ["--begins-at", "2101-01-01T00:00"]] {
        let done = run(lockerd().args(["demo", "--listen", "127.0.0.1:0"]).args(bad), "").failed();
        assert!(done.err.contains("2000 to 2100"), "{done:?}");
    }
}

#[test]
fn a_real_site_has_no_address_that_turns_its_time() {
    let demo = Demo::start();
    for path in ["/clock", "/api/v1/clock/turn", "/demo/clock"] {
        demo.nobody.post_json(path, &json!({ "advance_s": 60 })).refused(404, "not_found");
    }
}
