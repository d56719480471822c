//! Faults on the command that opens: no false "opened", no doubled pulse, the door has the last word.

use lockerd::sim::{FaultKind, ViolationKind};

use super::lines::LATE_MS;
use super::rig::{FIRST_BOARD, LOCKS, On, Rig, SECOND_BOARD};

/// What a fault does to the command it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// The lock moves, its answer is spoilt, changed or late.
    Moves,
    /// The same, and the late answer may cost another command.
    MovesLate,
    /// The lock does not move, and the answer is as if it had, or none.
    Still,
}

/// Openings under way on a line at a time: the simulator takes 64 faults for all lines together.
const CASES_AT_ONCE: usize = 6;

const CASES: [(FaultKind, Effect); 19] = [
    (FaultKind::SilentObeys, Effect::Moves),
    (FaultKind::Duplicate, Effect::Moves),
    (FaultKind::Noise { bytes: 6 }, Effect::Moves),
    (FaultKind::SuffixNoise { bytes: 6 }, Effect::Moves),
    (FaultKind::Truncated { bytes: 3 }, Effect::Moves),
    (FaultKind::BadChecksum, Effect::Moves),
    (FaultKind::WrongAddress, Effect::Moves),
    (FaultKind::WrongCommand, Effect::Moves),
    (FaultKind::WrongLock, Effect::Moves),
    (FaultKind::WrongLength, Effect::Moves),
    (FaultKind::BitFlip { bits: 1 }, Effect::Moves),
    (FaultKind::BitFlip { bits: 3 }, Effect::Moves),
    (FaultKind::Coalesced, Effect::Moves),
    (FaultKind::Collision, Effect::Moves),
    // Longer, and the late coil would still be on at the next turn of its supply.
    (FaultKind::Slow { ms: 60 }, Effect::Moves),
    (FaultKind::Truncated { bytes: 1 }, Effect::Moves),
    (FaultKind::Silent, Effect::Still),
    (FaultKind::AcksButDead, Effect::Still),
    (FaultKind::BoardReset, Effect::Still),
];

/// Faults that make a board talk when nobody listens: it may talk over the next command, which is
/// then lost, so that another lock's opening may need its second pulse.
const OUT_OF_TURN: [(FaultKind, Effect); 3] = [
    (FaultKind::Late { ms: LATE_MS }, Effect::MovesLate),
    (FaultKind::Drip { ms: 60 }, Effect::MovesLate),
    (FaultKind::Unsolicited, Effect::MovesLate),
];

/// Faults after which the board's acknowledgement cannot have been read.
const SPOILS_THE_ANSWER: [FaultKind; 8] = [
    FaultKind::SilentObeys,
    FaultKind::Late { ms: LATE_MS },
    FaultKind::Truncated { bytes: 3 },
    FaultKind::Truncated { bytes: 1 },
    FaultKind::BadChecksum,
    FaultKind::WrongAddress,
    FaultKind::WrongCommand,
    FaultKind::BitFlip { bits: 1 },
];

#[test]
fn each_fault_of_an_opening_ends_in_one_movement_and_the_truth() {
    let rig = Rig::start();
    rig.each(|on| {
        for cases in CASES.chunks(CASES_AT_ONCE) {
            round(on, cases);
        }
    });
    rig.demand_no_violations();
    rig.each(|on| {
        round(on, &OUT_OF_TURN);
        round(on, &[(FaultKind::BaudGarbage, Effect::Still)]);
        on.demand_no_violations_since(rig.ready_us, &[ViolationKind::TalkedOver], "out of turn");
    });
}

/// Opens one lock with each fault, on both boards in turn, all at the same time.
fn round(on: &On<'_>, cases: &[(FaultKind, Effect)]) {
    let begun_us = on.now_us();
    let places =
        (1..=LOCKS).map(|lock| (if lock % 2 == 0 { SECOND_BOARD } else { FIRST_BOARD }, lock));
    let ids: Vec<_> = cases
        .iter()
        .zip(places)
        .map(|((kind, effect), (board, lock))| {
            let fault = on.fault(*kind).board(board).lock(lock).command(on.line.unlock);
            on.set(fault.times(1));
            (*kind, *effect, board, lock, on.open(board, lock))
        })
        .collect();
    for (kind, effect, board, lock, id) in &ids {
        let seen = on.outcome(id);
        let told = format!("{}: {kind:?} on {board}/{lock}: {seen:?}", on.line.name);
        assert_eq!(seen.outcome(), "opened", "{told}");
        assert!(on.stands_open(*board, *lock), "{told}");
        let mut pulses = on.pulses(*board, *lock);
        pulses.retain(|it| it.at_us >= begun_us);
        assert_eq!(pulses.len(), 1, "{told}: {pulses:?}");
        if *effect != Effect::MovesLate {
            assert_eq!(seen.has("sent_again"), *effect == Effect::Still, "{told}");
        }
        if SPOILS_THE_ANSWER.contains(kind) {
            assert!(!seen.has("acknowledged"), "{told}");
        }
    }
    for (.., board, lock, _) in &ids {
        on.close(*board, *lock);
    }
    // The locks rest before the next round.
    std::thread::sleep(std::time::Duration::from_millis(2_100));
}
