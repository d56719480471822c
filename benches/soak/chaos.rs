//! Everything that goes wrong: faults on the wires, pulled adapters, a killed server.
//!
//! Left out is what makes a blameless client break the rules of the coils or lie in good faith: a
//! welded relay, a stalled adapter that delivers a pulse when its time is long over, and switches
//! that read open with the door closed.

use std::time::{Duration, Instant};

use lockerd::sim::{Fault, FaultKind, UnplugMoment};

use crate::dice::Dice;
use crate::site::{BOARDS, KINDS, LOCKS, Site};
use crate::tally::Tally;

/// Pause between two mishaps, and what is added at random. Milliseconds.
const PAUSE_MS: u64 = 50;
const PAUSE_MORE_MS: u64 = 150;
/// How long a fault lasts, least and more. Milliseconds.
const FAULT_MS: u64 = 200;
const FAULT_MORE_MS: u64 = 1_300;
/// How long a pulled adapter or a killed server stays away at most. Milliseconds.
const AWAY_MS: u64 = 1_500;
/// Least time between two kills.
const KILL_EVERY: Duration = Duration::from_secs(10);
/// One in so many mishaps is a pulled adapter.
const UNPLUG_ONE_IN: u64 = 20;

/// Faults of replies and of boards, for a while.
const KINDS_OF_FAULT: [FaultKind; 22] = [
    FaultKind::Silent,
    FaultKind::SilentObeys,
    FaultKind::AcksButDead,
    FaultKind::Late { ms: 60 },
    FaultKind::Late { ms: 250 },
    FaultKind::Slow { ms: 30 },
    FaultKind::Noise { bytes: 9 },
    FaultKind::SuffixNoise { bytes: 9 },
    FaultKind::Truncated { bytes: 3 },
    FaultKind::BitFlip { bits: 1 },
    FaultKind::WrongAddress,
    FaultKind::WrongCommand,
    FaultKind::WrongLock,
    FaultKind::WrongLength,
    FaultKind::BadChecksum,
    FaultKind::Duplicate,
    FaultKind::Coalesced,
    FaultKind::Collision,
    FaultKind::Unsolicited,
    FaultKind::Nak,
    FaultKind::Drip { ms: 4 },
    FaultKind::BaudGarbage,
];

/// Faults that strike once.
const ONCE: [FaultKind; 2] = [FaultKind::BoardReset, FaultKind::BitFlipFixed { bits: 1 }];

/// Faults of one lock, for a while.
const OF_A_LOCK: [FaultKind; 4] = [
    FaultKind::SensorClosed,
    FaultKind::StuckLatch,
    FaultKind::SpringBack,
    // Shorter than two reads are apart.
    FaultKind::Bounce { edges: 10, ms: 4 },
];

/// Faults of a whole bus, for a while.
const OF_A_BUS: [FaultKind; 2] = [FaultKind::Echo, FaultKind::PartialEcho { bytes: 4 }];

/// When an adapter vanishes by a fault.
const MOMENTS: [UnplugMoment; 5] = [
    UnplugMoment::BeforeRequest,
    UnplugMoment::BeforeReply,
    UnplugMoment::WithinReply,
    UnplugMoment::AfterReply,
    UnplugMoment::CoilOn,
];

/// Goes on for `length` from `begun`, kills in the first half only; leaves everything whole.
pub fn rage(
    site: &Site,
    dice: &Dice,
    tally: &Tally,
    begun: Instant,
    length: Duration,
) -> anyhow::Result<()> {
    let mut kill_at = begun + KILL_EVERY / 2;
    let mut away: Vec<(Instant, &'static str)> = Vec::new();
    while begun.elapsed() < length {
        std::thread::sleep(Duration::from_millis(PAUSE_MS + dice.below(PAUSE_MORE_MS)));
        let now = Instant::now();
        let (back, still): (Vec<_>, Vec<_>) = away.into_iter().partition(|(at, _)| *at <= now);
        away = still;
        for (_, bus) in back {
            site.runtime.block_on(site.simulator.replug(bus))?;
        }
        if now >= kill_at && begun.elapsed() < length / 2 {
            tally.kill();
            site.kill(Duration::from_millis(dice.below(AWAY_MS)))?;
            kill_at = Instant::now() + KILL_EVERY + Duration::from_millis(dice.below(AWAY_MS));
        } else if dice.one_in(UNPLUG_ONE_IN) {
            let Some(kind) = dice.pick(&KINDS) else { continue };
            tally.unplug();
            site.runtime.block_on(site.simulator.unplug(kind.name))?;
            away.push((now + Duration::from_millis(dice.below(AWAY_MS)), kind.name));
        } else {
            harm(site, dice, tally)?;
        }
    }
    site.simulator.clear_faults();
    for kind in &KINDS {
        site.runtime.block_on(site.simulator.replug(kind.name))?;
    }
    Ok(())
}

/// Puts one fault in force.
fn harm(site: &Site, dice: &Dice, tally: &Tally) -> anyhow::Result<()> {
    let board = 1 + u8::try_from(dice.below(u64::from(BOARDS)))?;
    let lock = 1 + u8::try_from(dice.below(u64::from(LOCKS)))?;
    let for_ms = u32::try_from(FAULT_MS + dice.below(FAULT_MORE_MS))?;
    let Some(bus) = dice.pick(&KINDS).map(|kind| kind.name) else { return Ok(()) };
    let drawn = |kinds: &[FaultKind]| {
        dice.pick(kinds)
            .map_or_else(|| Fault::new(bus, FaultKind::Silent), |it| Fault::new(bus, *it))
    };
    let fault = match dice.below(20) {
        0 | 1 => drawn(&ONCE).board(board).times(1),
        2 | 3 => drawn(&OF_A_LOCK).board(board).lock(lock).for_ms(for_ms * 3),
        4 => drawn(&OF_A_BUS).for_ms(for_ms),
        5 => {
            let moment = dice.pick(&MOMENTS).copied().unwrap_or_default();
            let back_after_ms = Some(u32::try_from(dice.below(AWAY_MS))?);
            let kind = FaultKind::Unplug { moment, back_after_ms };
            Fault::new(bus, kind).board(board).times(1).for_ms(for_ms)
        }
        _ => drawn(&KINDS_OF_FAULT).board(board).for_ms(for_ms),
    };
    tally.fault(name(fault.kind));
    site.fault(fault)
}

/// A fault's name, without its figures.
fn name(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Silent => "silent",
        FaultKind::SilentObeys => "silent_obeys",
        FaultKind::AcksButDead => "acks_but_dead",
        FaultKind::Late { .. } => "late",
        FaultKind::Slow { .. } => "slow",
        FaultKind::Noise { .. } | FaultKind::SuffixNoise { .. } => "noise",
        FaultKind::Truncated { .. } => "truncated",
        FaultKind::BitFlip { .. } | FaultKind::BitFlipFixed { .. } => "bit_flip",
        FaultKind::Unplug { .. } => "unplug",
        FaultKind::Echo | FaultKind::PartialEcho { .. } => "echo",
        FaultKind::BoardReset => "board_reset",
        FaultKind::SensorClosed | FaultKind::StuckLatch | FaultKind::SpringBack => "of a lock",
        FaultKind::Bounce { .. } => "bounce",
        FaultKind::WrongAddress
        | FaultKind::WrongCommand
        | FaultKind::WrongLock
        | FaultKind::WrongLength => "wrong field",
        _ => "other",
    }
}
