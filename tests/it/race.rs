//! Contention: many students at one locker, one student at many lockers, and everybody at once.
//!
//! Each judgement is also held against a database whose guards were removed by hand: there it must
//! fail, or it would be worth nothing.

use std::sync::{Arc, Barrier};

use crate::support::Dice;
use crate::support::http::{Client, Reply, Wire, at_once};
use crate::support::site::{Plan, Site};

/// What guards a locker against a second renter. An index of the name must stay: a query asks for
/// it by name.
const DROP_LOCKER_GUARDS: &str = "DROP INDEX rental_live_locker;
    CREATE INDEX rental_live_locker ON rental (locker_id, ends_on) WHERE ended_ms IS NULL;
    DROP TRIGGER rental_insert_overlap";
/// What guards a member against a second locker.
const DROP_MEMBER_GUARDS: &str =
    "DROP INDEX rental_live_member; DROP TRIGGER rental_insert_overlap";

/// Attempts at a double where the guards are gone; each is with fresh lockers.
const MUTANT_TRIES: i64 = 10;

/// Whether a request carries an idempotency key: with one the writer decides alone, without one
/// the published state may refuse first.
#[derive(Clone, Copy)]
enum Keyed {
    Yes,
    No,
}

fn hold_request(who: &Client, locker: i64, keyed: Keyed) -> String {
    let line = format!("Idempotency-Key: hold-{locker}");
    let lines = match keyed {
        Keyed::Yes => vec![line.as_str()],
        Keyed::No => Vec::new(),
    };
    who.request("POST", &format!("/api/v1/lockers/{locker}/hold"), &lines, "")
}

/// Everybody asks for one locker.
fn crowd_at_one_locker(crowd: &[Client], locker: i64, keyed: Keyed) -> Vec<Reply> {
    let requests = crowd.iter().map(|who| hold_request(who, locker, keyed)).collect();
    at_once(crowd[0].address, requests)
}

/// One member asks for many lockers.
fn member_at_many_lockers(
    who: &Client,
    lockers: impl Iterator<Item = i64>,
    keyed: Keyed,
) -> Vec<Reply> {
    at_once(who.address, lockers.map(|locker| hold_request(who, locker, keyed)).collect())
}

/// Exactly one wins, and each loser is told `code`.
fn judge(replies: &[Reply], code: &str) -> Result<(), String> {
    let winners = replies.iter().filter(|reply| reply.status == 201).count();
    if winners != 1 {
        return Err(format!("{winners} winners"));
    }
    let losers = replies.iter().filter(|reply| reply.status != 201);
    let strange: Vec<_> = losers.filter(|it| it.status != 409 || it.code() != code).collect();
    if strange.is_empty() { Ok(()) } else { Err(format!("{strange:?}")) }
}

#[test]
fn of_a_hundred_students_at_one_locker_one_wins() {
    let site = Site::start(&Plan::default().lockers(1, 1..=4).students(100));
    let crowd = site.crowd(100);
    for (locker, keyed) in [(1, Keyed::No), (2, Keyed::Yes)] {
        let replies = crowd_at_one_locker(&crowd, locker, keyed);
        judge(&replies, "locker_taken").expect("one winner");
        let winner = replies.iter().position(|reply| reply.status == 201).expect("one");
        assert_eq!(crowd[winner].mine()["locker_id"], locker);
        assert_eq!(site.number("SELECT count(*) FROM rental WHERE ended_ms IS NULL"), 1);
        crowd[winner].locker(locker, "release-hold").expect(200);
    }
    site.demand_clean();
}

#[test]
fn of_fifty_holds_of_one_member_one_is_granted() {
    let site = Site::start(&Plan::default().lockers(1, 1..=100).students(1));
    let member = site.student(0);
    for (lockers, keyed) in [(1..=50, Keyed::No), (51..=100, Keyed::Yes)] {
        let replies = member_at_many_lockers(&member, lockers.clone(), keyed);
        judge(&replies, "already_holding").expect("one granted");
        let won = lockers.zip(&replies).find(|(_, reply)| reply.status == 201).expect("one").0;
        assert_eq!(member.mine()["locker_id"], won);
        member.locker(won, "release-hold").expect(200);
    }
    site.demand_clean();
}

#[test]
fn any_free_locker_is_given_to_one_each() {
    let site = Site::start(&Plan::default().lockers(1, 1..=30).students(40));
    let crowd = site.crowd(40);
    let requests = crowd.iter().map(|who| who.request("POST", "/api/v1/banks/1/hold", &[], ""));
    let replies = at_once(crowd[0].address, requests.collect());
    let mut given: Vec<i64> = replies
        .iter()
        .filter(|reply| reply.status == 201)
        .map(|reply| reply.json()["locker_id"].as_i64().expect("a number"))
        .collect();
    given.sort_unstable();
    assert_eq!(given, (1..=30).collect::<Vec<_>>());
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        reply.refused(409, "no_free_locker");
    }
    site.demand_clean();
}

/// A database without the guard has two winners sooner or later, and `check` sees them.
#[track_caller]
fn demand_double(drop_guards: &str, finding: &str, race: impl Fn(&[Client], i64) -> Vec<Reply>) {
    for round in 0..MUTANT_TRIES {
        let mut site = Site::prepare(&Plan::default().lockers(1, 1..=60).students(20));
        site.sql().execute_batch(drop_guards).expect("the guards were there");
        site.serve();
        let crowd = site.crowd(20);
        let verdict = judge(&race(&crowd, round), "locker_taken");
        let findings = site.findings();
        if verdict.is_err_and(|text| text.ends_with("winners")) {
            assert!(findings.iter().any(|it| it.contains(finding)), "{findings:?}");
            return;
        }
    }
    panic!("{MUTANT_TRIES} races without {drop_guards} and nobody won twice: the race is no race");
}

#[test]
fn without_its_index_a_locker_has_two_winners_and_the_judgement_fails() {
    for keyed in [Keyed::Yes, Keyed::No] {
        demand_double(DROP_LOCKER_GUARDS, "two live rentals of one locker", |crowd, round| {
            crowd_at_one_locker(crowd, round + 1, keyed)
        });
    }
}

#[test]
fn without_its_index_a_member_has_two_lockers_and_the_judgement_fails() {
    for keyed in [Keyed::Yes, Keyed::No] {
        demand_double(DROP_MEMBER_GUARDS, "two live rentals of one member", |crowd, _| {
            member_at_many_lockers(&crowd[0], 1..=20, keyed)
        });
    }
}

#[test]
fn a_mixed_rush_leaves_no_double_anywhere() {
    const STUDENTS: usize = 40;
    const LOCKERS: usize = 10;
    const STEPS: usize = 200;
    let site = Site::start(&Plan::default().lockers(1, 1..=10).students(STUDENTS));
    let crowd = site.crowd(STUDENTS);
    let start = Arc::new(Barrier::new(STUDENTS));
    let threads: Vec<_> = crowd
        .iter()
        .cloned()
        .zip(1..)
        .map(|(who, seed)| {
            let start = Arc::clone(&start);
            std::thread::spawn(move || {
                let (mut dice, mut wire) = (Dice::new(seed), Wire::connect(who.address));
                start.wait();
                let mut mine = 1;
                (0..STEPS).for_each(|_| step(&who, &mut wire, &mut dice, &mut mine, LOCKERS));
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }

    site.demand_clean();
    let list = crowd[0].get("/api/v1/lockers").expect(200).json();
    let rows = list["lockers"].as_array().expect("rows");
    let not_free: Vec<_> = rows.iter().filter(|row| row["state"] != "free").collect();
    let mut owned: Vec<i64> =
        crowd.iter().filter_map(|who| who.mine()["locker_id"].as_i64()).collect();
    owned.sort_unstable();
    let listed: Vec<i64> = not_free.iter().filter_map(|row| row["locker_id"].as_i64()).collect();
    assert_eq!(owned, listed, "what members have is not what the list says: {list}");
    let (rentals, busy) = (site.number("SELECT count(*) FROM rental"), listed.len());
    assert!(rentals > 100, "the rush was no rush: {rentals} rentals");
    for column in ["locker_id", "member_id"] {
        // Also what is over by now was never shared for a moment.
        let sql = format!(
            "SELECT count(*) FROM rental a JOIN rental b ON a.{column} = b.{column} AND a.id < b.id
             WHERE a.ended_ms IS NULL OR b.held_ms < a.ended_ms"
        );
        assert_eq!(site.number(&sql), 0, "two rentals of one {column} at the same time");
    }
    let live = site.number("SELECT count(*) FROM rental WHERE ended_ms IS NULL");
    assert_eq!(usize::try_from(live).expect("small"), busy);
}

/// One random request; its answer must be one of those that the call may give. `mine` is the
/// locker that the student had last.
fn step(who: &Client, wire: &mut Wire, dice: &mut Dice, mine: &mut usize, lockers: usize) {
    let anywhere = dice.below(lockers) + 1;
    let (what, locker): (&str, usize) = match dice.below(10) {
        0..=3 => ("hold", anywhere),
        4 | 5 => ("confirm", *mine),
        6 => ("release-hold", *mine),
        7 | 8 => ("release", *mine),
        _ => ("confirm", anywhere),
    };
    let path = format!("/api/v1/lockers/{locker}/{what}");
    let (kind, body): (&[&str], &str) = match what {
        "release" => (&["Content-Type: application/json"], r#"{"emptied":true}"#),
        _ => (&[], ""),
    };
    let reply = wire.call(who.request("POST", &path, kind, body)).expect("an answer");
    match (what, reply.status) {
        ("hold", 201) => *mine = locker,
        ("confirm" | "release-hold" | "release", 200) | ("release", 404) => {}
        (_, 409) => assert!(!reply.code().is_empty(), "{reply:?}"),
        _ => panic!("{what} {locker}: {reply:?}"),
    }
}
