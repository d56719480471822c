//! Faults on the reading of doors: nothing false is ever published, and the truth comes back.

use std::time::{Duration, Instant};

use lockerd::sim::{DoorAction, FaultKind, ViolationKind};

use super::lines::LATE_MS;
use super::rig::{FIRST_BOARD, On, Rig, SECOND_BOARD};

/// Pause between two looks at what is published.
const LOOK_EVERY: Duration = Duration::from_millis(40);
/// Longest a fault may stay in force before the test gives up on it.
const IN_FORCE_MAX: Duration = Duration::from_secs(20);

/// A fault, how often it strikes, and the rules it makes a blameless client break.
type Case = (FaultKind, u32, &'static [ViolationKind]);

/// A reply that comes when the board was given up meets what is sent to the next one.
const TALKS_LATE: &[ViolationKind] = &[ViolationKind::TalkedOver];

const CASES: [Case; 24] = [
    (FaultKind::Silent, 2, &[]),
    (FaultKind::Late { ms: LATE_MS }, 2, TALKS_LATE),
    (FaultKind::Slow { ms: LATE_MS }, 2, TALKS_LATE),
    (FaultKind::Drip { ms: 60 }, 2, TALKS_LATE),
    (FaultKind::Drip { ms: 2 }, 2, &[]),
    (FaultKind::Noise { bytes: 7 }, 2, &[]),
    (FaultKind::Noise { bytes: 64 }, 2, TALKS_LATE),
    (FaultKind::SuffixNoise { bytes: 7 }, 2, &[]),
    (FaultKind::Truncated { bytes: 1 }, 2, &[]),
    (FaultKind::Truncated { bytes: 4 }, 2, &[]),
    (FaultKind::BitFlip { bits: 1 }, 2, &[]),
    (FaultKind::BitFlipFixed { bits: 1 }, 1, &[]),
    (FaultKind::BitFlipFixed { bits: 5 }, 1, &[]),
    (FaultKind::WrongAddress, 2, &[]),
    (FaultKind::WrongCommand, 2, &[]),
    (FaultKind::WrongLength, 2, &[]),
    (FaultKind::BadChecksum, 2, &[]),
    (FaultKind::Duplicate, 2, &[]),
    (FaultKind::Coalesced, 2, &[]),
    (FaultKind::Collision, 2, &[]),
    (FaultKind::Unsolicited, 2, &[]),
    (FaultKind::Nak, 2, &[]),
    (FaultKind::BaudGarbage, 2, &[]),
    (FaultKind::BoardReset, 1, &[]),
];

#[test]
fn no_fault_of_a_reply_makes_a_door_look_other_than_it_is() {
    let rig = Rig::start();
    rig.each(|on| {
        let (mut open, mut closed) = (1, 2);
        on.hand(FIRST_BOARD, open, DoorAction::Open);
        on.until_door(FIRST_BOARD, open, "open");
        for (kind, times, excused) in CASES {
            let since_us = on.now_us();
            let fault = on.fault(kind).board(FIRST_BOARD).command(on.line.status).times(times);
            stays_true(on, on.set(fault), kind, (open, closed));
            // Not only what was known before: what changes now is seen as well.
            on.hand(FIRST_BOARD, open, DoorAction::Close);
            on.hand(FIRST_BOARD, closed, DoorAction::Open);
            (open, closed) = (closed, open);
            on.until_door(FIRST_BOARD, open, "open");
            on.until_door(FIRST_BOARD, closed, "closed");
            on.demand_no_violations_since(since_us, excused, &format!("{kind:?}"));
        }
        on.until_door(SECOND_BOARD, 1, "closed");
    });
    assert!(rig.boards.simulator.pulses().is_empty());
}

/// As long as a fault is in force and a moment longer, doors are published as they are or unknown.
fn stays_true(on: &On<'_>, fault: u64, kind: FaultKind, (open, closed): (u8, u8)) {
    let give_up = Instant::now() + IN_FORCE_MAX;
    let mut looks_left = 3;
    while looks_left > 0 {
        assert!(Instant::now() < give_up, "{}: {kind:?} never struck", on.line.name);
        let told = (on.door(FIRST_BOARD, open), on.door(FIRST_BOARD, closed));
        assert!(
            told.0 != "closed" && told.1 != "open",
            "{}: {kind:?}: an open and a closed door were told as {told:?}",
            on.line.name
        );
        looks_left -= u32::from(!on.is_set(fault));
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A switch that blinks for less than two reads of a line are apart.
const BLINK_MS: u32 = 30;
/// Blinks on each line; a single read meets about every third.
const BLINKS: u64 = 12;

#[test]
fn a_single_odd_read_is_never_published() {
    let rig = Rig::start();
    rig.each(|on| {
        on.hand(FIRST_BOARD, 1, DoorAction::Open);
        on.until_door(FIRST_BOARD, 1, "open");
        for blink in 0..BLINKS {
            // At another moment between two polls each time.
            std::thread::sleep(Duration::from_millis(60 + 7 * blink));
            let kind = FaultKind::Inverted;
            let ids = [1, 2]
                .map(|lock| on.set(on.fault(kind).board(FIRST_BOARD).lock(lock).for_ms(BLINK_MS)));
            stays_true(on, ids[1], kind, (1, 2));
        }
    });
    rig.demand_no_violations();
}

#[test]
fn states_of_a_line_are_survived() {
    let rig = Rig::start();
    rig.each(|on| {
        on.hand(FIRST_BOARD, 1, DoorAction::Open);
        on.until_door(FIRST_BOARD, 1, "open");
        for kind in [
            FaultKind::PartialEcho { bytes: 1 },
            FaultKind::PartialEcho { bytes: 3 },
            FaultKind::PartialEcho { bytes: 64 },
            FaultKind::Stalled,
        ] {
            stays_true(on, on.set(on.fault(kind).for_ms(400)), kind, (1, 2));
            on.until_door(FIRST_BOARD, 1, "open");
            on.until_door(FIRST_BOARD, 2, "closed");
            let seen = on.opened(SECOND_BOARD, 3);
            assert_eq!(seen.outcome(), "opened", "{} after {kind:?}: {seen:?}", on.line.name);
            on.close(SECOND_BOARD, 3);
            std::thread::sleep(Duration::from_millis(2_200));
        }
        assert_eq!(on.pulses(SECOND_BOARD, 3).len(), 4);
        // A stalled reader hears in one piece what was meant to be apart, and may answer it late.
        on.demand_no_violations_since(
            rig.ready_us,
            &[ViolationKind::GapTooShort, ViolationKind::TalkedOver],
            "states",
        );
    });
}
