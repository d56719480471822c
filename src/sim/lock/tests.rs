//! The mechanics of a lock, on a clock of plain numbers.

use super::*;

fn lock() -> Lock {
    Lock::new(Physics { bounce_ms: 0, ..Physics::default() }, 1)
}

#[test]
fn a_pulse_opens_the_door_after_release_and_spring() {
    let mut lock = lock();
    lock.energise(1_000_000, 1_000_000, Some(400_000));
    assert!(lock.coil_on(1_000_000));
    assert_eq!(lock.latch(1_029_999), LatchPosition::Locked);
    assert_eq!(lock.latch(1_030_000), LatchPosition::Released);
    assert_eq!(lock.door(1_149_999), DoorPosition::Closed);
    assert_eq!(lock.door(1_150_000), DoorPosition::Open);
    assert!(lock.coil_on(1_399_999));
    assert!(!lock.coil_on(1_400_000));
    assert_eq!(lock.coil_times_us(9_000_000), (400_000, 400_000));
    lock.act(DoorAction::Close, 2_000_000);
    assert_eq!(lock.latch(2_000_000), LatchPosition::Locked);
    assert!(lock.reads_closed(Senses::Door, 2_000_000));
    assert!(lock.findings.is_empty());
}

#[test]
fn a_pulse_too_short_or_a_jam_leaves_it_shut_and_locked() {
    let mut lock = lock();
    lock.energise(0, 0, Some(29_000));
    assert_eq!(lock.door(900_000), DoorPosition::Closed);
    lock.act(DoorAction::Jam, 1_000_000);
    lock.energise(1_000_000, 1_000_000, Some(400_000));
    assert_eq!(lock.latch(1_100_000), LatchPosition::Released);
    assert_eq!(lock.latch(1_400_000), LatchPosition::Locked);
    assert_eq!(lock.door(5_000_000), DoorPosition::Closed);
    lock.act(DoorAction::Unjam, 5_000_000);
    lock.energise(5_000_000, 5_000_000, Some(400_000));
    assert_eq!(lock.door(5_200_000), DoorPosition::Open);
}

#[test]
fn a_door_pulled_open_counts_as_forced_only_against_a_locked_latch() {
    let mut lock = lock();
    lock.act(DoorAction::Open, 10);
    assert_eq!((lock.forced_count, lock.door(10)), (1, DoorPosition::Open));
    lock.act(DoorAction::Close, 20);
    lock.energise(100, 100, Some(400_000));
    lock.act(DoorAction::Open, 50_000);
    assert_eq!(lock.forced_count, 1);
}

#[test]
fn it_falls_shut_by_itself_when_told_to() {
    let physics = Physics { auto_close_ms: Some(4_000), bounce_ms: 0, ..Physics::default() };
    let mut lock = Lock::new(physics, 1);
    lock.energise(0, 0, Some(400_000));
    assert_eq!(lock.door(4_149_999), DoorPosition::Open);
    assert_eq!(lock.door(4_150_000), DoorPosition::Closed);
    assert_eq!(lock.latch(4_150_000), LatchPosition::Locked);
}

#[test]
fn a_held_coil_is_reported_and_burns_and_pushes_the_door_open_again() {
    let mut lock = lock();
    lock.energise(0, 0, None);
    lock.act(DoorAction::Close, 500_000);
    assert_eq!(lock.door(620_000), DoorPosition::Open, "the latch was held open");
    lock.advance(1_000_000);
    assert!(lock.findings.is_empty(), "exactly 1,000 ms are allowed");
    lock.advance(1_000_001);
    assert_eq!(lock.findings, [CoilFinding::TooLong { at_us: 1_000_000 }]);
    lock.advance(2_000_000);
    assert!(!lock.burnt);
    lock.advance(2_000_001);
    assert!(lock.burnt);
    lock.switch_off(3_000_000);
    assert_eq!(lock.coil_times_us(3_000_000), (3_000_000, 3_000_000));
    assert_eq!(lock.findings.len(), 1, "told once");
    lock.act(DoorAction::Close, 3_000_000);
    lock.energise(4_000_000, 4_000_000, Some(500_000));
    assert_eq!(lock.door(5_000_000), DoorPosition::Closed, "a burnt coil moves nothing");
}

#[test]
fn five_seconds_within_a_minute_burn_but_not_over_two() {
    let mut quick = lock();
    let mut slow = lock();
    for n in 0..6_u64 {
        quick.energise(n * 2_000_000, n * 2_000_000, Some(900_000));
        slow.energise(n * 20_000_000, n * 20_000_000, Some(900_000));
    }
    quick.advance(200_000_000);
    slow.advance(200_000_000);
    assert!(quick.burnt, "5.4 s within 11 s");
    assert!(!slow.burnt, "2.7 s in any minute");
}

#[test]
fn a_second_flash_on_top_overruns_the_first() {
    let mut lock = lock();
    lock.energise(0, 0, Some(500_000));
    assert_eq!(lock.energise(400_000, 400_000, Some(500_000)), Some(0));
    lock.advance(2_000_000);
    assert_eq!(lock.findings, [CoilFinding::Overrun { at_us: 500_000, commanded_us: 500_000 }]);
    assert_eq!(lock.pulse_count, 2);
    assert_eq!(lock.coil_times_us(2_000_000).1, 900_000);
    assert_eq!(lock.stretches[0].until_us, Some(400_000));
}

#[test]
fn the_switch_bounces_then_settles_and_a_stuck_one_never_moves() {
    let mut lock = Lock::new(Physics { bounce_ms: 20, ..Physics::default() }, 9);
    lock.act(DoorAction::Open, 1_000_000);
    let reads: Vec<bool> =
        (0..60).map(|n| lock.reads_closed(Senses::Door, 1_000_000 + n * BOUNCE_STEP_US)).collect();
    assert!(reads.contains(&true) && reads.contains(&false), "{reads:?}");
    assert!(!lock.reads_closed(Senses::Door, 1_020_000));
    lock.ails(Ailment { sensor: Sensor::StuckClosed, ..Ailment::default() }, 1_020_000);
    assert!(lock.reads_closed(Senses::Door, 1_020_000));
    lock.act(DoorAction::Close, 2_000_000);
    lock.ails(Ailment { sensor: Sensor::StuckOpen, ..Ailment::default() }, 3_000_000);
    assert!(!lock.reads_closed(Senses::Door, 3_000_000));
}

#[test]
fn the_pulse_history_stays_bounded() {
    let mut lock = lock();
    for n in 0..500_u64 {
        lock.energise(n * 100_000_000, n * 100_000_000, Some(10_000));
    }
    assert_eq!(lock.stretches.len(), PULSES_KEPT_PER_LOCK);
    assert_eq!(lock.pulse_count, 500);
}
