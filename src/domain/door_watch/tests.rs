//! The rules of the door watch, each at the edge of its threshold.

use DoorState::{Closed, Open, Unknown};
use uuid::Uuid;

use super::*;
use crate::domain::channel::BusName;

mod any_order;
mod restart;

const THRESHOLDS: Thresholds = Thresholds {
    open_window_ms: 30_000,
    left_open_ms: 180_000,
    escalate_ms: 300_000,
    jam_openings: 2,
    chatter_edges: 6,
    chatter_window_ms: 10_000,
    sensor_fault_doors: 3,
    offline_ms: 5_000,
};

/// A bus with one board of six doors, whose lockers are 101 to 106, and a watch over it.
struct Bench {
    watch: DoorWatch,
    now: Monotonic,
    doors: Vec<DoorSighting>,
    link: (Link, Monotonic),
    offline: Option<Monotonic>,
}

fn east() -> BusName {
    BusName::parse("east").expect("valid")
}

fn board() -> Subject {
    Subject::Board(east(), 1)
}

fn locker(number: i64) -> Subject {
    Subject::Locker(LockerId(number))
}

fn id(number: u128) -> OpeningId {
    OpeningId(Uuid::from_u128(number))
}

impl Bench {
    /// Nothing was seen yet.
    fn blind() -> Self {
        let door = |number| DoorSighting {
            locker_id: LockerId(number),
            state: Unknown,
            since: Monotonic(0),
            edges: 0,
            left_open_ms: None,
            maintenance: false,
        };
        Self {
            watch: DoorWatch::new(THRESHOLDS),
            now: Monotonic(0),
            doors: (101..=106).map(door).collect(),
            link: (Link::Online, Monotonic(0)),
            offline: None,
        }
    }

    /// All doors were seen closed.
    fn closed() -> Self {
        let mut bench = Self::blind();
        bench.after(1_000);
        for number in 101..=106 {
            bench.set(number, Closed);
        }
        assert_eq!(bench.look(), [""; 0]);
        bench
    }

    fn after(&mut self, ms: u64) -> &mut Self {
        self.now = Monotonic(self.now.0 + ms);
        self
    }

    fn door(&mut self, number: i64) -> &mut DoorSighting {
        let found = self.doors.iter_mut().find(|door| door.locker_id.0 == number);
        found.expect("101 to 106")
    }

    /// What the bus publishes of a door from now on.
    fn set(&mut self, number: i64, state: DoorState) -> &mut Self {
        let now = self.now;
        let door = self.door(number);
        if door.state != state {
            (door.state, door.since) = (state, now);
            door.edges += 1;
        }
        self
    }

    fn edges(&mut self, number: i64, more: u64) -> &mut Self {
        self.door(number).edges += more;
        self
    }

    /// Lets the watch look, and gives what it decided, in short.
    fn look(&mut self) -> Vec<String> {
        self.decide().iter().map(told).collect()
    }

    fn decide(&mut self) -> Vec<Decision> {
        let board = BoardSighting {
            address: 1,
            link: self.link.0,
            since: self.link.1,
            read_at: self.now,
            doors: self.doors.clone(),
        };
        let bus = BusSighting {
            bus: east(),
            offline: self.offline.map(|_| "unplugged".to_owned()),
            since: self.offline.unwrap_or(Monotonic(0)),
            boards: vec![board],
        };
        self.watch.observe(&[bus], self.now);
        self.watch.take_decisions()
    }

    fn begin(&mut self, number: i64, opening: u128) {
        self.watch.opening_begun(LockerId(number), id(opening), self.now);
    }

    fn sent(&mut self, number: i64) {
        self.watch.opening_sent(LockerId(number), self.now);
    }

    fn end(&mut self, number: i64, opening: u128, outcome: Outcome) -> Vec<String> {
        self.watch.opening_ended(LockerId(number), id(opening), outcome, self.now);
        self.watch.take_decisions().iter().map(told).collect()
    }

    /// A whole opening that did not move the door.
    fn stuck(&mut self, number: i64, opening: u128) -> Vec<String> {
        self.begin(number, opening);
        self.sent(number);
        self.after(3_000);
        self.end(number, opening, Outcome::DoorDidNotOpen)
    }
}

fn told(decision: &Decision) -> String {
    let what = match &decision.what {
        What::Raise { .. } => "raise".to_owned(),
        What::Update { count, .. } => format!("update {count}"),
        What::Escalate => "escalate".to_owned(),
        What::Clear(reason) => format!("clear {reason}"),
    };
    format!("{what} {} {}", decision.kind, decision.subject)
}

#[test]
fn a_door_that_opens_with_no_opening_behind_it_is_forced_once() {
    let mut bench = Bench::closed();
    bench.after(500).look();
    let closed_last = bench.now;
    bench.after(200).set(101, Open);
    let decisions = bench.decide();
    assert_eq!(told(&decisions[0]), "raise forced_open locker:101");
    let What::Raise { evidence, count: 1 } = &decisions[0].what else { panic!("{decisions:?}") };
    let wanted = Evidence::DoorOpened {
        last_seen_closed: Moment::At(closed_last),
        seen_open: Moment::At(bench.now),
        last_opening: None,
    };
    assert_eq!(evidence, &wanted);
    assert_eq!(bench.after(1_000).look(), [""; 0], "raised once");
    let closed = bench.after(1_000).set(101, Closed).look();
    assert_eq!(closed, ["clear door_closed forced_open locker:101"]);
    assert_eq!(bench.after(1_000).set(101, Open).look(), ["raise forced_open locker:101"]);
}

#[test]
fn an_opening_excuses_its_door_until_first_seen_closed_after_it() {
    let mut bench = Bench::closed();
    bench.begin(101, 1);
    bench.after(50);
    bench.sent(101);
    assert_eq!(bench.after(300).set(101, Open).look(), [""; 0]);
    assert_eq!(bench.end(101, 1, Outcome::Opened), [""; 0]);
    // The door may stand open as long as it likes, as far as force is concerned.
    assert_eq!(bench.after(100_000).look(), [""; 0]);
    assert_eq!(bench.set(101, Closed).look(), [""; 0]);
    assert_eq!(bench.after(100).set(101, Open).look(), ["raise forced_open locker:101"]);
}

#[test]
fn an_opening_whose_door_never_opened_excuses_it_for_the_window() {
    for (later_ms, wanted) in [(29_999, vec![]), (30_000, vec!["raise forced_open locker:101"])] {
        let mut bench = Bench::closed();
        bench.begin(101, 1);
        // Waiting for its turn takes nothing off the window.
        bench.after(60_000);
        assert_eq!(bench.look(), [""; 0]);
        bench.sent(101);
        let sent = bench.now;
        bench.after(3_000).look();
        bench.end(101, 1, Outcome::DoorDidNotOpen);
        bench.look();
        bench.now = Monotonic(sent.0 + later_ms);
        assert_eq!(bench.set(101, Open).look(), wanted, "{later_ms}");
    }
}

#[test]
fn a_second_pulse_gives_the_door_its_window_again() {
    for (later_ms, alarms) in [(29_999, 0), (30_000, 1)] {
        let mut bench = Bench::closed();
        bench.begin(101, 1);
        bench.sent(101);
        bench.after(4_000);
        bench.sent(101);
        let sent_again = bench.now;
        bench.after(3_000);
        bench.end(101, 1, Outcome::DoorDidNotOpen);
        bench.look();
        bench.now = Monotonic(sent_again.0 + later_ms);
        assert_eq!(bench.set(101, Open).look().len(), alarms, "{later_ms}");
    }
}

#[test]
fn an_opening_excuses_no_other_door_and_nothing_before_it() {
    let mut bench = Bench::closed();
    bench.begin(101, 1);
    assert_eq!(bench.after(100).set(102, Open).look(), ["raise forced_open locker:102"]);
    // Published before the opening was asked for, looked at after it.
    bench.set(103, Open).after(10);
    bench.begin(103, 2);
    assert_eq!(bench.look(), ["raise forced_open locker:103"]);
}

#[test]
fn an_opening_of_which_nothing_was_sent_excuses_nothing() {
    for outcome in [Outcome::Unreachable, Outcome::Refused] {
        let mut bench = Bench::closed();
        bench.begin(101, 1);
        bench.end(101, 1, outcome);
        bench.after(10).look();
        let opened = bench.after(10).set(101, Open).look();
        assert_eq!(opened, ["raise forced_open locker:101"], "{outcome:?}");
    }
    // But what an earlier one excuses stays excused.
    let mut bench = Bench::closed();
    bench.stuck(101, 1);
    bench.after(1_000).look();
    bench.begin(101, 2);
    bench.end(101, 2, Outcome::Refused);
    assert_eq!(bench.after(1_000).set(101, Open).look(), [""; 0]);
}

#[test]
fn a_quick_close_before_the_outcome_is_told_spends_the_excuse() {
    let mut bench = Bench::closed();
    bench.begin(101, 1);
    bench.sent(101);
    bench.after(200).set(101, Open).look();
    bench.after(200).set(101, Closed).look();
    bench.after(200);
    bench.end(101, 1, Outcome::Opened);
    bench.after(200).look();
    assert_eq!(bench.after(200).set(101, Open).look(), ["raise forced_open locker:101"]);
}

#[test]
fn a_door_closed_while_its_opening_waits_may_still_be_opened_by_it() {
    let mut bench = Bench::closed();
    bench.set(101, Open).look();
    bench.begin(101, 1);
    bench.after(100).set(101, Closed).look();
    bench.after(100);
    bench.sent(101);
    assert_eq!(bench.after(300).set(101, Open).look(), [""; 0]);
    bench.end(101, 1, Outcome::Opened);
    bench.after(100).set(101, Closed).look();
    assert_eq!(bench.after(100).set(101, Open).look(), ["raise forced_open locker:101"]);
}

#[test]
fn a_door_found_open_after_an_outage_was_opened_unwatched() {
    let mut bench = Bench::closed();
    bench.after(1_000).look();
    let seen = bench.now;
    bench.after(500).set(101, Unknown).set(102, Unknown).look();
    bench.after(60_000).set(101, Open).set(102, Closed);
    let decisions = bench.decide();
    assert_eq!(
        decisions.iter().map(told).collect::<Vec<_>>(),
        ["raise opened_unwatched locker:101"]
    );
    let What::Raise { evidence, .. } = &decisions[0].what else { panic!("{decisions:?}") };
    let (last_seen_closed, found_open) = (Moment::At(seen), Moment::At(bench.now));
    assert_eq!(evidence, &Evidence::FoundOpen { last_seen_closed, found_open });
    let closed = bench.after(1_000).set(101, Closed).look();
    assert_eq!(closed, ["clear door_closed opened_unwatched locker:101"]);
}

#[test]
fn a_door_that_was_open_before_the_outage_is_nothing_new() {
    let mut bench = Bench::closed();
    bench.begin(101, 1);
    bench.sent(101);
    bench.after(100).set(101, Open).look();
    bench.end(101, 1, Outcome::Opened);
    bench.after(100).set(101, Unknown).look();
    assert_eq!(bench.after(60_000).set(101, Open).look(), [""; 0]);
}

#[test]
fn an_opening_just_before_the_outage_explains_the_open_door_after_it() {
    let mut bench = Bench::closed();
    bench.begin(101, 1);
    bench.sent(101);
    bench.after(100).set(101, Unknown).look();
    bench.end(101, 1, Outcome::NoAnswer);
    assert_eq!(bench.after(3_600_000).set(101, Open).look(), [""; 0]);
    // One whose window was over when the outage began explains nothing.
    let mut bench = Bench::closed();
    bench.stuck(101, 1);
    bench.after(27_000).set(101, Unknown).look();
    assert_eq!(bench.after(5_000).set(101, Open).look(), ["raise opened_unwatched locker:101"]);
}

#[test]
fn a_door_that_was_never_seen_closed_accuses_nobody() {
    let mut bench = Bench::blind();
    bench.after(1_000).set(101, Open);
    assert_eq!(bench.look(), [""; 0]);
}

#[test]
fn a_door_left_open_is_an_alarm_at_its_limit_and_staffs_affair_later() {
    let mut bench = Bench::closed();
    bench.begin(101, 1);
    bench.sent(101);
    bench.set(101, Open).look();
    bench.end(101, 1, Outcome::Opened);
    assert_eq!(bench.after(179_900).look(), [""; 0]);
    assert_eq!(bench.after(100).look(), ["raise left_open locker:101"]);
    assert_eq!(bench.after(299_900).look(), [""; 0]);
    assert_eq!(bench.after(100).look(), ["escalate left_open locker:101"]);
    assert_eq!(bench.after(900_000).look(), [""; 0], "once");
    assert_eq!(bench.set(101, Closed).look(), ["clear door_closed left_open locker:101"]);
    // A bank's own limit.
    bench.begin(102, 2);
    bench.sent(102);
    bench.door(102).left_open_ms = Some(10_000);
    bench.set(102, Open).look();
    assert_eq!(bench.after(9_900).look(), [""; 0]);
    assert_eq!(bench.after(100).look(), ["raise left_open locker:102"]);
    // Whoever took note need not be told again.
    bench.watch.acknowledged(AlarmKind::LeftOpen, &locker(102));
    assert_eq!(bench.after(900_000).look(), [""; 0]);
}

#[test]
fn the_time_a_door_stands_open_unseen_is_not_held_against_it() {
    let mut bench = Bench::closed();
    bench.begin(101, 1);
    bench.sent(101);
    bench.set(101, Open).look();
    bench.after(100_000).set(101, Unknown).look();
    assert_eq!(bench.after(500_000).look(), [""; 0], "nobody sees it open");
    assert_eq!(bench.set(101, Open).look(), ["raise left_open locker:101"], "the same opening");
}

#[test]
fn two_openings_in_a_row_without_movement_are_a_jam() {
    let mut bench = Bench::closed();
    assert_eq!(bench.stuck(101, 1), [""; 0]);
    assert_eq!(bench.stuck(101, 2), ["raise jammed locker:101"]);
    assert_eq!(bench.stuck(101, 3), ["update 3 jammed locker:101"]);
    // Nobody knows whether it moved: neither a third nor an end.
    bench.begin(101, 4);
    assert_eq!(bench.end(101, 4, Outcome::NoAnswer), [""; 0]);
    assert_eq!(bench.after(100).set(101, Open).look(), ["clear door_opened jammed locker:101"]);
    bench.set(101, Closed).look();
    assert_eq!(bench.stuck(101, 5), [""; 0], "the count began anew");
    bench.begin(101, 6);
    bench.end(101, 6, Outcome::Opened);
    assert_eq!(bench.stuck(101, 7), [""; 0]);
    assert_eq!(bench.stuck(101, 8), ["raise jammed locker:101"]);
    bench.watch.mended(AlarmKind::Jammed, &locker(101));
    assert_eq!(bench.stuck(101, 9), [""; 0], "staff mended it");
    let Some(Decision { what: What::Raise { evidence, count }, .. }) = ({
        bench.begin(101, 10);
        bench.watch.opening_ended(LockerId(101), id(10), Outcome::DoorDidNotOpen, bench.now);
        bench.watch.take_decisions().pop()
    }) else {
        panic!("a jam")
    };
    assert_eq!((count, evidence), (2, Evidence::DoorDidNotMove { openings: vec![id(9), id(10)] }));
}

#[test]
fn six_edges_in_ten_seconds_are_a_chatter() {
    let mut bench = Bench::closed();
    for _ in 0..5 {
        assert_eq!(bench.edges(101, 1).look(), [""; 0]);
    }
    assert_eq!(bench.after(9_900).edges(101, 1).look(), ["raise sensor_fault locker:101"]);
    let mut bench = Bench::closed();
    bench.edges(101, 5).look();
    assert_eq!(bench.after(10_000).edges(101, 1).look(), [""; 0], "the window has passed");
    assert_eq!(bench.edges(101, 5).look(), ["raise sensor_fault locker:101"]);
    // Updated seldom, cleared after a quiet window.
    assert_eq!(bench.after(9_000).edges(101, 3).look(), [""; 0]);
    assert_eq!(bench.after(9_000).edges(101, 3).look(), [""; 0]);
    assert_eq!(bench.after(9_000).edges(101, 3).look(), [""; 0]);
    assert_eq!(bench.after(9_000).edges(101, 3).look(), ["update 18 sensor_fault locker:101"]);
    assert_eq!(bench.after(9_900).look(), [""; 0]);
    assert_eq!(bench.after(100).look(), ["clear calm sensor_fault locker:101"]);
}

#[test]
fn while_its_sensor_is_broken_a_door_accuses_nobody() {
    let mut bench = Bench::closed();
    assert_eq!(bench.set(101, Open).look(), ["raise forced_open locker:101"]);
    let chatter = bench.after(1_000).edges(101, 6).look();
    let wanted = ["raise sensor_fault locker:101", "clear sensor_fault forced_open locker:101"];
    assert_eq!(chatter, wanted);
    bench.edges(101, 5).set(101, Closed).look();
    assert_eq!(bench.after(1_000).set(101, Open).look(), [""; 0]);
    for _ in 0..40 {
        assert!(!bench.after(9_000).edges(101, 1).look().concat().contains("open"));
    }
    bench.after(9_900).look();
    assert_eq!(bench.after(100).look(), ["clear calm sensor_fault locker:101"]);
    assert_eq!(bench.after(179_800).look(), [""; 0], "its time began when it could be believed");
    assert_eq!(bench.after(100).look(), ["raise left_open locker:101"]);
}

#[test]
fn doors_that_open_together_are_a_broken_line_and_no_hands() {
    let mut bench = Bench::closed();
    bench.set(101, Open).set(102, Open);
    let two = bench.look();
    assert_eq!(two, ["raise forced_open locker:101", "raise forced_open locker:102"]);

    let mut bench = Bench::closed();
    bench.begin(104, 1);
    bench.sent(104);
    bench.after(200);
    for number in 101..=104 {
        bench.set(number, Open);
    }
    let decisions = bench.decide();
    assert_eq!(decisions.iter().map(told).collect::<Vec<_>>(), ["raise sensor_fault board:east/1"]);
    let What::Raise { evidence: Evidence::OpenedTogether { lockers, silences, .. }, count: 3 } =
        &decisions[0].what
    else {
        panic!("{decisions:?}")
    };
    assert_eq!(lockers[..], [LockerId(101), LockerId(102), LockerId(103)]);
    assert_eq!(silences[..], SILENCED);
    assert_eq!(bench.after(170_000).look(), [""; 0], "neither forced nor left open");
    for number in 101..=102 {
        bench.set(number, Closed);
    }
    assert_eq!(bench.look(), [""; 0]);
    assert_eq!(bench.set(103, Closed).look(), ["clear calm sensor_fault board:east/1"]);
    assert_eq!(bench.after(100).set(101, Open).look(), ["raise forced_open locker:101"]);
    // In two readings they are hands.
    let mut bench = Bench::closed();
    bench.set(101, Open).set(102, Open).after(200).set(103, Open);
    assert_eq!(bench.look().len(), 3);
    assert!(!bench.watch.is_live(AlarmKind::SensorFault, &board()));
}

#[test]
fn a_silent_board_is_offline_after_five_seconds() {
    let mut bench = Bench::closed();
    // Missing requests are the bus' business: without its word nothing is offline.
    bench.after(60_000);
    assert_eq!(bench.look(), [""; 0]);
    bench.link = (Link::Silent, bench.now);
    assert_eq!(bench.after(4_900).look(), [""; 0]);
    assert_eq!(bench.after(100).look(), ["raise board_offline board:east/1"]);
    assert_eq!(bench.after(60_000).look(), [""; 0]);
    bench.link = (Link::Online, bench.now);
    assert_eq!(bench.look(), ["clear back board_offline board:east/1"]);
    bench.link = (Link::Unknown, bench.now);
    assert_eq!(bench.after(60_000).look(), [""; 0]);
}

#[test]
fn a_port_that_is_away_speaks_for_its_boards() {
    let mut bench = Bench::closed();
    bench.link = (Link::Silent, bench.now);
    assert_eq!(bench.after(5_000).look(), ["raise board_offline board:east/1"]);
    bench.offline = Some(bench.now);
    assert_eq!(bench.after(4_900).look(), [""; 0]);
    let away = bench.after(100).look();
    let wanted = ["raise bus_offline bus:east", "clear bus_offline board_offline board:east/1"];
    assert_eq!(away, wanted);
    assert_eq!(bench.after(60_000).look(), [""; 0]);
    (bench.offline, bench.link) = (None, (Link::Unknown, bench.now));
    assert_eq!(bench.look(), ["clear back bus_offline bus:east"]);
}

#[test]
fn a_bank_in_maintenance_raises_no_door_alarm() {
    let mut bench = Bench::closed();
    bench.set(101, Open).look();
    bench.stuck(102, 1);
    bench.stuck(102, 2);
    for door in &mut bench.doors {
        door.maintenance = true;
    }
    let mut cleared = bench.after(10).look();
    cleared.sort();
    let wanted =
        ["clear maintenance forced_open locker:101", "clear maintenance jammed locker:102"];
    assert_eq!(cleared, wanted);
    for number in 103..=105 {
        bench.set(number, Open).edges(number, 9);
    }
    assert_eq!(bench.after(200_000).look(), [""; 0]);
    assert_eq!(bench.stuck(106, 3), [""; 0]);
    assert_eq!(bench.stuck(106, 4), [""; 0]);
    // The wire's alarms are no door alarms.
    bench.link = (Link::Silent, bench.now);
    assert_eq!(bench.after(5_000).look(), ["raise board_offline board:east/1"]);
    // Afterwards a door that still stands open gets its full time.
    for door in &mut bench.doors {
        door.maintenance = false;
    }
    bench.set(104, Closed).set(105, Closed).set(101, Closed).look();
    assert_eq!(bench.after(179_000).look(), [""; 0]);
    assert_eq!(bench.after(1_000).look(), ["raise left_open locker:103"]);
    assert_eq!(bench.set(104, Open).look(), ["raise forced_open locker:104"]);
}

#[test]
fn the_mechanical_key_excuses_the_open_door_or_the_next_opening() {
    let mut bench = Bench::closed();
    bench.set(101, Open).look();
    bench.watch.mechanical_key(LockerId(101), bench.now);
    assert_eq!(bench.look(), ["clear mechanical_key forced_open locker:101"]);
    assert_eq!(bench.after(60_000).look(), [""; 0]);
    bench.set(101, Closed).look();
    assert_eq!(bench.after(100).set(101, Open).look(), ["raise forced_open locker:101"]);
    for (later_ms, alarms) in [(29_999, 0), (30_000, 1)] {
        let mut bench = Bench::closed();
        bench.watch.mechanical_key(LockerId(102), bench.now);
        assert_eq!(bench.after(later_ms).set(102, Open).look().len(), alarms, "{later_ms}");
    }
}

#[test]
fn what_the_next_start_is_to_know_is_told_when_it_changes() {
    let mut bench = Bench::closed();
    let seen = bench.now;
    let memory = |open, unseen_since| Memory { open, unseen_since };
    let moved = bench.watch.take_moved();
    assert_eq!((moved.len(), moved[&LockerId(101)]), (6, memory(false, None)));
    bench.after(500).set(101, Unknown).look();
    let moved = bench.watch.take_moved();
    assert_eq!(moved[&LockerId(101)], memory(false, Some(Moment::At(seen))));
    assert_eq!(moved.len(), 1);
    bench.after(500).look();
    assert!(bench.watch.take_moved().is_empty(), "as before");
    bench.after(10).set(101, Open).look();
    assert_eq!(bench.watch.take_moved()[&LockerId(101)], memory(true, None));
    // What an earlier run saw last stays so until somebody sees more.
    let last_seen = jiff::Timestamp::from_second(1_000).expect("in range");
    let mut bench = Bench::blind();
    let locker_id = LockerId(101);
    bench.watch.restore_door(RestoredDoor { locker_id, open: false, last_seen, excused: false });
    bench.after(60_000).look();
    let moved = bench.watch.take_moved();
    assert_eq!(moved[&locker_id], memory(false, Some(Moment::Earlier(last_seen))));
}

#[test]
fn a_trial_excuses_what_opens_in_it_and_clears_nothing() {
    let mut bench = Bench::closed();
    bench.after(100).set(105, Open);
    assert_eq!(bench.look(), ["raise forced_open locker:105"]);
    // Published before the trial, looked at after it.
    bench.set(104, Open);
    bench.after(10);
    let (begun, doors) = (bench.now, (101..=106).map(LockerId));
    bench.watch.trial_begun(doors.clone(), begun, Monotonic(begun.0 + 5_000));
    assert!(bench.watch.take_decisions().is_empty(), "what stands stays");
    assert_eq!(bench.look(), ["raise forced_open locker:104"]);
    assert_eq!(bench.after(500).set(102, Open).look(), [""; 0], "whichever door it is");
    assert!(bench.watch.is_live(AlarmKind::ForcedOpen, &locker(105)));
    bench.after(100);
    bench.watch.trial_ended(doors, Monotonic(bench.now.0 + 1_000));
    assert_eq!(bench.after(999).set(101, Open).look(), [""; 0], "seen a little late");
    assert_eq!(bench.after(1).set(103, Open).look(), ["raise forced_open locker:103"]);
    bench.set(102, Closed).look();
    assert_eq!(bench.after(100).set(102, Open).look(), ["raise forced_open locker:102"]);
}

#[test]
fn a_trial_that_nobody_ended_runs_out() {
    let mut bench = Bench::closed();
    let begun = bench.now;
    bench.watch.trial_begun([LockerId(101)], begun, Monotonic(begun.0 + 5_000));
    assert_eq!(bench.after(5_000).set(101, Open).look(), ["raise forced_open locker:101"]);
    // Nobody saw the door since before a trial: that is no accusation, and no excuse either.
    let mut bench = Bench::closed();
    bench.after(100).set(101, Unknown).look();
    let begun = bench.after(100).now;
    bench.watch.trial_begun([LockerId(101)], begun, Monotonic(begun.0 + 5_000));
    assert_eq!(bench.after(100).set(101, Open).look(), ["raise opened_unwatched locker:101"]);
}
