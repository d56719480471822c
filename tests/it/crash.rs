//! The process ends without warning, in the middle of a rush or of an opening: what was
//! acknowledged is there afterwards, and nothing happens twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use lockerd::sim::{DoorAction, Physics, SimBoard, SimBus};
use serde_json::{Value, json};

use crate::support::Dice;
use crate::support::boards::{Boards, bus_toml, cu16_toml, modbus_toml};
use crate::support::http::{Client, Wire};
use crate::support::site::{Plan, Site};
use crate::support::until;

/// What a student knows for certain when the server is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// The last answer said: nothing held or rented.
    Nothing,
    /// The last answer granted this hold.
    Held(i64),
    /// The last answer confirmed this rental.
    Rented(i64),
    /// The last request was not answered.
    Unknown,
}

/// Holds, confirms and releases until the server is gone; what was certain then. Every other
/// student keeps the first locker, so that there is something to lose.
fn rush(who: &Client, seed: u64, answered: &AtomicUsize) -> Known {
    let mut dice = Dice::new(seed);
    let mut wire = Wire::connect(who.address);
    let mut known = Known::Nothing;
    loop {
        let (locker, what) = match known {
            Known::Held(locker) => (locker, "confirm"),
            Known::Rented(locker) if seed.is_multiple_of(2) => (locker, "release"),
            Known::Rented(_) => (0, "me"),
            Known::Nothing | Known::Unknown => {
                (i64::try_from(dice.below(200)).expect("small") + 1, "hold")
            }
        };
        let request = match what {
            "me" => who.request("GET", "/api/v1/lockers/me", &[], ""),
            "release" => who.request(
                "POST",
                &format!("/api/v1/lockers/{locker}/release"),
                &["Content-Type: application/json"],
                r#"{"emptied":true}"#,
            ),
            _ => who.request("POST", &format!("/api/v1/lockers/{locker}/{what}"), &[], ""),
        };
        let Ok(reply) = wire.call(request) else {
            return if what == "me" { known } else { Known::Unknown };
        };
        answered.fetch_add(1, Ordering::Relaxed);
        known = match (what, reply.status) {
            ("hold", 201) => Known::Held(locker),
            ("confirm", 200) => Known::Rented(locker),
            ("release", 200) => Known::Nothing,
            ("hold", 409) | ("me", 200) => known,
            _ => panic!("{what} {locker}: {reply:?}"),
        };
    }
}

#[test]
fn what_was_acknowledged_in_a_rush_is_there_after_a_kill() {
    const STUDENTS: usize = 32;
    const ROUNDS: usize = 2;
    let mut site = Site::start(&Plan::default().lockers(1, 1..=200).students(STUDENTS * ROUNDS));
    let mut earlier: Vec<(usize, i64)> = Vec::new();
    for round in 0..ROUNDS {
        let answered = Arc::new(AtomicUsize::new(0));
        let crowd: Vec<(usize, Client)> =
            (round * STUDENTS..(round + 1) * STUDENTS).map(|n| (n, site.student(n))).collect();
        let threads: Vec<_> = crowd
            .iter()
            .cloned()
            .map(|(n, who)| {
                let answered = Arc::clone(&answered);
                let seed = u64::try_from(n).expect("small");
                std::thread::spawn(move || (n, rush(&who, seed, &answered)))
            })
            .collect();
        until("the rush is under way", || (answered.load(Ordering::Relaxed) > 800).then_some(()));
        site.kill();
        let known: BTreeMap<usize, Known> =
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        site.demand_clean();
        site.serve();
        site.demand_clean();
        let mut rented = 0;
        for (n, who) in &crowd {
            let mine = site.again(who).mine();
            match known[n] {
                Known::Nothing => assert_eq!(mine, Value::Null, "student {n}"),
                Known::Held(locker) => {
                    assert_eq!(
                        (&mine["locker_id"], &mine["state"]),
                        (&json!(locker), &json!("held"))
                    );
                }
                Known::Rented(locker) => {
                    rented += 1;
                    earlier.push((*n, locker));
                    let wanted = (&json!(locker), &json!("active"));
                    assert_eq!((&mine["locker_id"], &mine["state"]), wanted, "student {n}");
                }
                Known::Unknown => {}
            }
        }
        assert!(rented > 3, "too few had confirmed to prove anything: {known:?}");
    }
    // Rentals of the first round survived the second kill as well.
    for (n, locker) in earlier {
        assert_eq!(site.student(n).mine()["locker_id"], locker, "student {n}");
    }
}

#[test]
fn a_hold_has_its_full_time_again_after_a_restart() {
    let plan = Plan::default().lockers(1, 1..=2).students(2).hold_seconds(60);
    let mut site = Site::start(&plan);
    let (mine, other) = (site.student(0), site.student(1));
    mine.locker(1, "hold").expect(201);
    let left_ms = |who: &Client| who.mine()["hold_expires_in_ms"].as_u64().expect("ms");
    until("some of its time is gone", || (left_ms(&mine) < 59_000).then_some(()));
    site.kill();
    site.serve();
    let (mine, other) = (site.again(&mine), site.again(&other));
    assert!(left_ms(&mine) > 59_000, "{}", mine.mine());
    other.locker(1, "hold").refused(409, "locker_taken");
    mine.locker(1, "confirm").expect(200);
    site.demand_clean();
}

#[test]
fn an_unanswered_request_is_settled_by_its_key() {
    const STUDENTS: usize = 24;
    let mut site = Site::start(&Plan::default().lockers(1, 1..=24).students(STUDENTS));
    let crowd = site.crowd(STUDENTS);
    let path = |n: usize| format!("/api/v1/lockers/{}/hold", n + 1);
    let key = |n: usize| format!("tap-{n}");
    let answered = Arc::new(Mutex::new(Vec::new()));
    let threads: Vec<_> = crowd
        .iter()
        .enumerate()
        .map(|(n, who)| {
            let request =
                who.request("POST", &path(n), &[&format!("Idempotency-Key: {}", key(n))], "");
            let (mut wire, answered) = (Wire::connect(who.address), Arc::clone(&answered));
            std::thread::spawn(move || {
                if wire.call(request).is_ok() {
                    answered.lock().expect("no panic").push(n);
                }
            })
        })
        .collect();
    until("some were answered", || (!answered.lock().expect("no panic").is_empty()).then_some(()));
    site.kill();
    for thread in threads {
        thread.join().expect("no panic");
    }
    site.demand_clean();
    site.serve();
    let answered = answered.lock().expect("no panic").clone();
    for (n, who) in crowd.iter().enumerate() {
        let who = site.again(who);
        let operation = who.get(&format!("/api/v1/operations/{}", key(n)));
        let carried_out = operation.status == 200;
        if carried_out {
            let operation = operation.json();
            assert_eq!(operation["operation"], "hold");
            assert_eq!(operation["answer"]["locker_id"], n + 1, "{operation}");
            assert_eq!(who.mine()["locker_id"], n + 1);
        } else {
            operation.refused(404, "operation_not_found");
            assert!(!answered.contains(&n), "an answer was given and forgotten");
            assert_eq!(who.mine(), Value::Null);
        }
        let again = who.post_keyed(&path(n), &key(n)).expect(201);
        assert_eq!(again.header("idempotency-replayed").is_some(), carried_out);
    }
    assert_eq!(site.number("SELECT count(*) FROM rental"), 24);
    site.demand_clean();
}

/// A renter of one locker on one board of either family, with slow doors.
struct Door {
    site: Site,
    boards: Boards,
    renter: Client,
    channel: (&'static str, u8, u8),
}

impl Door {
    fn start(family: &str, opens_after_ms: u32) -> Self {
        let place = tempfile::tempdir().expect("a temporary place");
        let link = place.path().join("east");
        let (bus, toml) = match family {
            "cu16" => (
                SimBus::new("east", link, 19_200).with(SimBoard::cu16(1)),
                bus_toml("east", 19_200, &[&cu16_toml(1)]),
            ),
            _ => (
                SimBus::new("east", link, 9_600).with(SimBoard::modbus(1, 8)),
                bus_toml("east", 9_600, &[&modbus_toml(1)]),
            ),
        };
        let boards = Boards::with(vec![bus], Physics { opens_after_ms, ..Physics::default() });
        let channel = ("east", 1, 3);
        let plan = Plan::default().wired(1, 101, channel).students(1).bus(&toml);
        let mut site = Site::prepare_in(place, &plan);
        site.serve();
        let renter = site.student(0);
        renter.rent(101);
        until("the door is known", || (renter.mine()["door"] == "closed").then_some(()));
        Self { site, boards, renter, channel }
    }

    fn pulses(&self) -> usize {
        let (bus, board, lock) = self.channel;
        self.boards.pulses(bus, board, lock).len()
    }

    /// Opens, and kills the server as soon as the coil is on.
    fn open_and_kill(&mut self) -> String {
        let opened = self.renter.post_keyed("/api/v1/lockers/101/open", "tap").expect(202).json();
        until("the coil is on", || (self.pulses() == 1).then_some(()));
        self.site.kill();
        let sql = "SELECT count(*) FROM opening WHERE outcome IS NULL";
        assert_eq!(self.site.number(sql), 1, "the outcome was known before the kill");
        opened["operation_id"].as_str().expect("an id").to_owned()
    }

    /// Serves again; how the opening was settled.
    fn settled(&mut self, id: &str) -> Value {
        self.site.serve();
        let renter = self.site.again(&self.renter);
        let opening = until("the opening is settled", || {
            let path = format!("/api/v1/openings/{id}");
            let opening = renter.get(&path).expect(200).json();
            opening["outcome"].is_string().then_some(opening)
        });
        // A repeat of the lost request is no second tap.
        let again = renter.post_keyed("/api/v1/lockers/101/open", "tap").expect(202);
        assert_eq!(again.json()["operation_id"], id);
        // Nothing is left that could still be sent.
        until("the door is known again", || (renter.mine()["door"] != "unknown").then_some(()));
        assert_eq!(self.pulses(), 1, "the lock was pulsed again");
        self.boards.demand_no_violations();
        opening
    }
}

#[test]
fn an_opening_cut_off_by_a_kill_is_settled_by_the_door_alone() {
    for family in ["cu16", "modbus"] {
        // The door springs open only after the server is gone.
        let mut door = Door::start(family, 600);
        let id = door.open_and_kill();
        let (bus, board, lock) = door.channel;
        until("the door is open", || door.boards.is_open(bus, board, lock).then_some(()));
        let opening = door.settled(&id);
        assert_eq!(opening["outcome"], "opened", "{family}: {opening}");
    }
}

#[test]
fn an_opening_cut_off_by_a_kill_with_the_door_closed_was_interrupted() {
    for family in ["cu16", "modbus"] {
        let mut door = Door::start(family, 120);
        let (bus, board, lock) = door.channel;
        door.boards.door(bus, board, lock, DoorAction::Jam);
        let id = door.open_and_kill();
        until("the coil is off", || (!door.boards.lock(bus, board, lock).coil_on).then_some(()));
        let opening = door.settled(&id);
        assert_eq!(opening["outcome"], "interrupted", "{family}: {opening}");
    }
}
