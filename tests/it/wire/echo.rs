//! Adapters that hear themselves: found out, stripped, and never taken for a board.

use lockerd::sim::{Fault, FaultKind};
use serde_json::Value;

use super::rig::{FIRST_BOARD, On, Rig, SECOND_BOARD};
use crate::support::until;

fn echo_on_all_lines(boards: &crate::support::boards::Boards) {
    for bus in boards.simulator.state().buses {
        boards.fault(Fault::new(&bus.name, FaultKind::Echo));
    }
}

/// The figures of a board of this line.
fn figures(on: &On<'_>, board: u8) -> Value {
    let told = on.admin.get("/api/v1/buses").expect(200).json();
    let buses = told["buses"].as_array().expect("a list");
    let bus = buses.iter().find(|bus| bus["name"] == on.line.name).expect("the bus");
    let boards = bus["boards"].as_array().expect("a list").iter();
    boards.into_iter().find(|it| it["address"] == board).expect("the board").clone()
}

#[test]
fn an_adapter_with_echo_works_like_one_without() {
    let rig = Rig::start_with(echo_on_all_lines).ready();
    rig.each(|on| {
        let jammed = {
            on.hand(SECOND_BOARD, 2, lockerd::sim::DoorAction::Jam);
            on.open(SECOND_BOARD, 2)
        };
        let seen = on.opened(FIRST_BOARD, 3);
        assert_eq!(seen.outcome(), "opened", "{}: {seen:?}", on.line.name);
        assert_eq!(seen.has("acknowledged"), on.line.answers, "{}: {seen:?}", on.line.name);
        assert_eq!((on.pulses(FIRST_BOARD, 3).len(), on.told_to_open(3)), (1, 1));
        let figures = figures(on, FIRST_BOARD);
        assert!(figures["echo_bytes"].as_u64().is_some_and(|bytes| bytes >= 10), "{figures}");
        for quiet in ["collisions", "bad_frames", "mismatched"] {
            assert_eq!(figures[quiet], 0, "{}: {figures}", on.line.name);
        }
        on.close(FIRST_BOARD, 3);
        let seen = on.outcome(&jammed);
        assert_eq!(seen.outcome(), "door_did_not_open", "{}: {seen:?}", on.line.name);
    });
    rig.demand_no_violations();
}

#[test]
fn the_echo_of_a_dead_board_acknowledges_nothing() {
    let mut rig = Rig::start_with(|boards| {
        echo_on_all_lines(boards);
        for bus in boards.simulator.state().buses {
            boards.fault(Fault::new(&bus.name, FaultKind::Silent).board(SECOND_BOARD));
        }
    });
    rig.each(|on| on.until_door(FIRST_BOARD, 1, "closed"));
    rig.ready_us = rig.boards.simulator.now_us();
    rig.each(|on| {
        let seen = on.opened(SECOND_BOARD, 1);
        assert_eq!(seen.outcome(), "no_answer", "{}: {seen:?}", on.line.name);
        assert_eq!(seen.phases(), ["requested", "sent"], "{}: {seen:?}", on.line.name);
        // The board dies between two reads, when the echo is known for long.
        on.set(on.fault(FaultKind::Silent).board(FIRST_BOARD).command(on.line.unlock));
        let seen = on.opened(FIRST_BOARD, 2);
        assert_eq!(seen.outcome(), "door_did_not_open", "{}: {seen:?}", on.line.name);
        assert!(!seen.has("acknowledged"), "{}: {seen:?}", on.line.name);
    });
    assert!(rig.boards.simulator.pulses().is_empty());
    rig.demand_no_violations();
}

#[test]
fn an_echo_that_comes_and_goes_is_noticed() {
    let rig = Rig::start();
    rig.each(|on| {
        let echo = on.set(on.fault(FaultKind::Echo));
        until("the echo is counted", || {
            figures(on, FIRST_BOARD)["echo_bytes"].as_u64().filter(|bytes| *bytes > 0)
        });
        let seen = on.opened(FIRST_BOARD, 1);
        assert_eq!(seen.outcome(), "opened", "{}: {seen:?}", on.line.name);
        assert!(on.boards.simulator.clear_fault(echo), "it was in force");
        on.close(FIRST_BOARD, 1);
        let seen = on.opened(SECOND_BOARD, 1);
        assert_eq!(seen.outcome(), "opened", "{}: {seen:?}", on.line.name);
        assert_eq!((on.pulses(FIRST_BOARD, 1).len(), on.pulses(SECOND_BOARD, 1).len()), (1, 1));
    });
    rig.demand_no_violations();
}
