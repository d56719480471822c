//! Every family at its ordinary work, jammed, refusing, wired the wrong way round, and dead.

use lockerd::sim::{DoorAction, FaultKind};

use super::lines::Refusal;
use super::rig::{FIRST_BOARD, LOCKS, On, Rig, SECOND_BOARD};
use crate::support::until;

/// Least time from one pulse of a lock to the next, in microseconds: two seconds of rest.
const REST_US: u64 = 2_000_000;

#[test]
fn each_family_opens_what_was_claimed_and_jams_are_told() {
    let rig = Rig::start();
    rig.each(|on| {
        on.hand(FIRST_BOARD, 4, DoorAction::Jam);
        let jammed = on.open(FIRST_BOARD, 4);
        claims_and_opens(on);
        refuses(on);
        let seen = on.outcome(&jammed);
        assert_eq!(seen.outcome(), "door_did_not_open", "{seen:?}");
        assert!(seen.has("sent_again") && !seen.has("opened"), "{seen:?}");
        let pulses = on.pulses(FIRST_BOARD, 4);
        assert_eq!(pulses.len(), 2, "{pulses:?}");
        assert!(pulses[1].at_us - pulses[0].at_us >= REST_US, "{pulses:?}");
        on.until_door(FIRST_BOARD, 4, "closed");
    });
    rig.demand_no_violations();
}

/// Lock 3 by its renter: the right bytes once, the door seen open, and closed by hand.
fn claims_and_opens(on: &On<'_>) {
    let renter = on.student();
    renter.rent(on.locker(FIRST_BOARD, 3));
    let seen = on.opened(FIRST_BOARD, 3);
    assert_eq!(seen.outcome(), "opened", "{seen:?}");
    let answered = ["requested", "sent", "acknowledged", "opened"];
    let wanted = answered.iter().copied().filter(|it| *it != "acknowledged" || on.line.answers);
    assert_eq!(seen.phases(), wanted.collect::<Vec<_>>(), "{}", on.line.name);
    let heard = on.heard(0);
    let frames = heard.iter().filter(|hex| *hex == on.line.opens_third).count();
    assert_eq!((frames, on.told_to_open(3)), (1, 1), "{}: {heard:?}", on.line.name);
    assert_eq!(on.pulses(FIRST_BOARD, 3).len(), 1);
    assert!(on.pulses(SECOND_BOARD, 3).is_empty(), "the other board moved");
    assert_eq!(renter.mine()["door"], "open");
    on.close(FIRST_BOARD, 3);
    until("the renter sees it closed", || (renter.mine()["door"] == "closed").then_some(()));
}

/// A board that says no is quoted; one whose answer means nothing is judged by its door.
fn refuses(on: &On<'_>) {
    // A board that says nothing about openings cannot say no either.
    let kind = if on.line.answers { FaultKind::Nak } else { FaultKind::Silent };
    on.set(on.fault(kind).board(FIRST_BOARD).lock(5).command(on.line.unlock).times(1));
    let seen = on.opened(FIRST_BOARD, 5);
    let pulses = on.pulses(FIRST_BOARD, 5).len();
    match on.line.refusal {
        Refusal::Said => {
            assert_eq!((seen.outcome(), pulses), ("refused", 0), "{seen:?}");
            assert_eq!(seen.phases(), ["requested", "sent"], "{seen:?}");
        }
        Refusal::Unclear => {
            assert_eq!((seen.outcome(), pulses), ("opened", 1), "{seen:?}");
            assert!(seen.has("sent_again"), "{seen:?}");
        }
    }
}

#[test]
fn boards_that_never_answer_get_an_honest_error() {
    let rig = Rig::start_with(|boards| {
        for bus in boards.simulator.state().buses {
            boards.fault(lockerd::sim::Fault::new(&bus.name, FaultKind::Silent));
        }
    });
    rig.each(|on| {
        assert_eq!(on.door(FIRST_BOARD, 1), "unknown");
        let ids = [on.open(FIRST_BOARD, 1), on.open(SECOND_BOARD, 2)];
        for id in ids {
            let seen = on.outcome(&id);
            assert_eq!(seen.outcome(), "no_answer", "{}: {seen:?}", on.line.name);
            assert_eq!(seen.phases(), ["requested", "sent"], "{}", on.line.name);
        }
        assert!(on.told_to_open(1) == 1, "{}: a pulse on no evidence", on.line.name);
        assert_eq!(on.door(FIRST_BOARD, 1), "unknown");
        assert!(!on.stands_open(FIRST_BOARD, 1));
    });
    assert!(rig.boards.simulator.pulses().is_empty());
    rig.demand_no_violations();
    rig.boards.simulator.clear_faults();
    rig.each(|on| {
        on.demand_ready();
        let seen = on.opened(FIRST_BOARD, LOCKS);
        assert_eq!(seen.outcome(), "opened", "{seen:?}");
    });
    rig.demand_no_violations();
}

#[test]
fn a_sensor_that_lies_is_never_taken_for_an_opening() {
    let rig = Rig::start();
    rig.each(|on| {
        let (stuck_open, stuck_closed, latch, twisted) = (1, 2, 3, 4);
        on.set(on.fault(FaultKind::SensorOpen).board(FIRST_BOARD).lock(stuck_open));
        on.set(on.fault(FaultKind::SensorClosed).board(FIRST_BOARD).lock(stuck_closed));
        on.set(on.fault(FaultKind::StuckLatch).board(FIRST_BOARD).lock(latch));
        on.set(on.fault(FaultKind::Inverted).board(FIRST_BOARD).lock(twisted));
        on.set(on.fault(FaultKind::SpringBack).board(SECOND_BOARD).lock(1));
        let chatter = FaultKind::Bounce { edges: 40, ms: 5 };
        for lock in [stuck_open, twisted] {
            on.until_door(FIRST_BOARD, lock, "open");
        }
        let ids = [stuck_open, stuck_closed, latch].map(|lock| on.open(FIRST_BOARD, lock));
        let spring = on.open(SECOND_BOARD, 1);
        on.set(on.fault(chatter).board(SECOND_BOARD).lock(2));
        let chatters = on.open(SECOND_BOARD, 2);
        let [open, closed, stuck] = ids.map(|id| on.outcome(&id));
        assert_eq!(open.outcome(), "already_open", "{open:?}");
        assert_eq!(closed.outcome(), "door_did_not_open", "{closed:?}");
        assert_eq!(stuck.outcome(), "door_did_not_open", "{stuck:?}");
        let counts = [stuck_open, stuck_closed, latch].map(|it| on.pulses(FIRST_BOARD, it).len());
        assert_eq!(counts, [1, 2, 2], "{}", on.line.name);
        assert!(!on.stands_open(FIRST_BOARD, latch));
        // The wrong way round, an open door reads closed: that is no opening.
        let twisted_seen = on.opened(FIRST_BOARD, twisted);
        assert_ne!(twisted_seen.outcome(), "opened", "{twisted_seen:?}");
        // What springs back at once may or may not be caught open; it gets no third pulse.
        let spring = on.outcome(&spring);
        let told = ["opened", "door_did_not_open"].contains(&spring.outcome());
        assert!(told, "{}: {spring:?}", on.line.name);
        let pulses = on.pulses(SECOND_BOARD, 1).len();
        assert_eq!(pulses, 1 + usize::from(spring.has("sent_again")), "{spring:?}");
        let chatters = on.outcome(&chatters);
        // It may have chattered open before its pulse.
        let told = ["opened", "already_open"].contains(&chatters.outcome());
        assert!(told && on.stands_open(SECOND_BOARD, 2), "{}: {chatters:?}", on.line.name);
    });
    rig.demand_no_violations();
    rig.boards.simulator.clear_faults();
    rig.each(|on| {
        for (lock, wanted) in [(1, "open"), (2, "open"), (3, "closed"), (4, "open")] {
            on.until_door(FIRST_BOARD, lock, wanted);
            assert_eq!(on.stands_open(FIRST_BOARD, lock), wanted == "open");
        }
    });
}
