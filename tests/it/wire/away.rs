//! Adapters that vanish at the worst moment and come back under another number.

use std::time::{Duration, Instant};

use lockerd::sim::{FaultKind, UnplugMoment, ViolationKind};

use super::lines::ALL;
use super::rig::{FIRST_BOARD, LOCKS, On, Rig, SECOND_BOARD};

/// Within this time a lost adapter is told of, and after this one a returned adapter is in use.
const NOTICED_MAX: Duration = Duration::from_secs(2);
const BACK_MAX: Duration = Duration::from_secs(5);
/// Longest wait for a door after a return: it is read twice.
const SEEN_MAX: Duration = Duration::from_secs(8);
/// How long the idle server is watched, and the part of a processor it may use meanwhile.
const WATCHED: Duration = Duration::from_secs(3);
const CPU_PART_MAX: f64 = 0.05;
/// Switches everything off on the relay boards (protocol page, 5.1).
const ALL_OFF: [&str; 2] = ["01 05 00 FF 00 00 FD FA", "02 05 00 FF 00 00 FD C9"];

#[test]
fn pulled_adapters_are_noticed_cost_nothing_and_come_back() {
    let mut rig = Rig::start();
    let unplugged = Instant::now();
    for line in &ALL {
        rig.boards.unplug(line.name);
    }
    rig.each(|on| {
        on.until_port("offline");
        assert!(unplugged.elapsed() < NOTICED_MAX, "{}", on.line.name);
        assert_eq!(on.door(FIRST_BOARD, 1), "unknown");
        let seen = on.opened(FIRST_BOARD, 1);
        assert_eq!(seen.outcome(), "unreachable", "{}: {seen:?}", on.line.name);
        assert_eq!(seen.phases(), ["requested"]);
    });

    let pid = rig.site.process().pid();
    let before = cpu(pid);
    std::thread::sleep(WATCHED);
    let used = cpu(pid).saturating_sub(before);
    let part = used.as_secs_f64() / WATCHED.as_secs_f64();
    assert!(part < CPU_PART_MAX, "{part:.3} of a processor while all adapters are away");

    let returned = Instant::now();
    for line in &ALL {
        rig.boards.replug(line.name);
    }
    rig.each(|on| {
        on.until_port("online");
        assert!(returned.elapsed() < BACK_MAX, "{}", on.line.name);
        on.demand_ready();
        assert!(returned.elapsed() < SEEN_MAX, "{}", on.line.name);
        assert_eq!(on.told_to_open(1), 0, "{}: an old request was sent late", on.line.name);
        let seen = on.opened(FIRST_BOARD, 1);
        assert_eq!(seen.outcome(), "opened", "{}: {seen:?}", on.line.name);
        assert_eq!(on.pulses(FIRST_BOARD, 1).len(), 1);
    });
    rig.demand_no_violations();
}

/// User and system time of a process so far, from the kernel's books.
fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    // The name in parentheses may hold spaces; the two times are 12th and 13th after it.
    let (_, rest) = stat.rsplit_once(')').expect("a name");
    let ticks = |at: usize| rest.split_whitespace().nth(at).and_then(|it| it.parse::<u64>().ok());
    // A tick is 10 ms on Linux.
    Duration::from_millis(10 * (ticks(11).expect("utime") + ticks(12).expect("stime")))
}

const MOMENTS: [UnplugMoment; 5] = [
    UnplugMoment::BeforeRequest,
    UnplugMoment::CoilOn,
    UnplugMoment::BeforeReply,
    UnplugMoment::WithinReply,
    UnplugMoment::AfterReply,
];

#[test]
fn an_adapter_that_vanishes_in_the_middle_of_an_opening_doubles_nothing() {
    let rig = Rig::start();
    rig.each(|on| {
        for (lock, moment) in (1..=LOCKS).zip(MOMENTS) {
            vanishes(on, lock, moment);
        }
    });
}

/// Opens one lock whose adapter goes away at a moment of the exchange.
fn vanishes(on: &On<'_>, lock: u8, moment: UnplugMoment) {
    let (since_us, heard) = (on.now_us(), on.heard(0).len());
    let gone = FaultKind::Unplug { moment, back_after_ms: Some(300) };
    let fault = on.fault(gone).board(FIRST_BOARD).lock(lock).command(on.line.unlock);
    on.set(fault.times(1));
    let seen = on.opened(FIRST_BOARD, lock);
    let told = format!("{}: {moment:?}: {seen:?}", on.line.name);
    // Where an unlock is not answered there is no moment within or after its answer.
    let in_reply = matches!(moment, UnplugMoment::WithinReply | UnplugMoment::AfterReply);
    let goes = on.line.answers || !in_reply;
    let wanted = if goes { "no_answer" } else { "opened" };
    assert_eq!(seen.outcome(), wanted, "{told}");
    assert!(!seen.has("sent_again"), "{told}");
    let moved = moment != UnplugMoment::BeforeRequest;
    on.until_port("online");
    on.until_door(FIRST_BOARD, lock, if moved { "open" } else { "closed" });
    assert_eq!(on.pulses(FIRST_BOARD, lock).len(), usize::from(moved), "{told}");
    assert_eq!(on.told_to_open(lock), 1, "{told}: it was sent again");
    if goes && on.line.name == "relay" {
        let heard = on.heard(0).split_off(heard);
        let unlock = heard.iter().position(|hex| hex.starts_with(&(on.line.unlock_head)(lock)));
        let after = &heard[unlock.expect("it was told to open") + 1..];
        // With the reply heard, a look at the doors may still go out before the adapter is gone.
        let looks =
            after.iter().take_while(|hex| hex.starts_with("01 02") || hex.starts_with("02 02"));
        let looks = looks.count().min(usize::from(moment == UnplugMoment::AfterReply));
        let after = &after[looks..];
        assert_eq!(after[..2], ALL_OFF, "{told}: outputs are switched off first");
    }
    // Half a frame on the wire when the adapter goes is nobody's fault; the coil's rules hold.
    on.demand_no_violations_since(since_us, &[ViolationKind::TalkedOver], &told);
    if moved {
        on.boards.close(on.line.name, FIRST_BOARD, lock);
    }
    on.until_door(SECOND_BOARD, 1, "closed");
}
