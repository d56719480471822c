//! Coils and the supplies that feed them, and the rules a client must keep about both.
//!
//! Every coil goes on in [`World::switch`] alone. A supply that feeds more coils than it bears
//! browns out at that moment: each of its boards starts anew, outputs off. What the board of a
//! welded relay does is no fault of the client, so it breaks no rule, but it draws current.

use super::{CoilFinding, CoilSwitch, World};
use crate::sim::report::ViolationKind;

/// Two pulses of one lock must start this far apart: two seconds, less what a busy machine may
/// shift between the client's clock and this one.
const PULSE_APART_US: u64 = 1_950_000;
/// A board that starts anew answers nothing for so long.
const BOOT_US: u64 = 300_000;
/// Coils a supply bears that nobody described.
const COILS_MAX_DEFAULT: u8 = 1;

/// Bus, board and lock index.
pub(super) type Place = (usize, usize, usize);

/// A coil that draws from a supply for a time.
#[derive(Debug)]
struct Draw {
    place: Place,
    from_us: u64,
    until_us: u64,
    /// Its relay is welded: no rule is broken by it.
    welded: bool,
}

impl Draw {
    fn draws_at(&self, at_us: u64) -> bool {
        self.from_us <= at_us && at_us < self.until_us
    }
}

/// One supply and what hangs on it.
#[derive(Debug)]
pub(super) struct Supply {
    pub(super) coils_max: u8,
    draws: Vec<Draw>,
    /// Most coils it ever fed at a time.
    pub(super) coils_together_max: usize,
    pub(super) brownouts: u64,
    /// When it will be asked for too much.
    overload_at_us: Option<u64>,
}

impl Supply {
    /// A supply that bears so many coils.
    pub(super) const fn new(coils_max: u8) -> Self {
        Self {
            coils_max,
            draws: Vec::new(),
            coils_together_max: 0,
            brownouts: 0,
            overload_at_us: None,
        }
    }

    fn coils_at(&self, at_us: u64) -> usize {
        self.draws.iter().filter(|draw| draw.draws_at(at_us)).count()
    }

    /// Most coils at a time while the coil drawn last is on: only its start and the starts within
    /// it can be the worst moment. The moment comes with it.
    fn worst_of(&self, new: &Draw) -> (usize, u64) {
        let starts = self.draws.iter().map(|draw| draw.from_us).filter(|at| new.draws_at(*at));
        starts
            .chain([new.from_us])
            .map(|at_us| (self.coils_at(at_us) + 1, at_us))
            .max_by_key(|(count, at_us)| (*count, std::cmp::Reverse(*at_us)))
            .unwrap_or((1, new.from_us))
    }
}

impl World {
    /// Switches one coil and judges the rules about coils.
    pub(super) fn switch(&mut self, place: Place, change: CoilSwitch, now_us: u64) {
        let (bus, board, lock) = place;
        let board_state = &mut self.buses[bus].boards[board];
        let supply = board_state.config.power_supply.clone();
        let Some(lock_state) = board_state.locks.get_mut(lock) else { return };
        let welded = lock_state.ailment().welded;
        let CoilSwitch::On { after_us, duration_us } = change else {
            lock_state.switch_off(now_us);
            self.supply(&supply).draws.retain(|draw| draw.place != place || draw.welded);
            self.collect_findings(place);
            return;
        };
        if duration_us.is_none() && lock_state.is_held(now_us) {
            return;
        }
        let from_us = now_us + after_us;
        let until_us = match duration_us {
            Some(duration_us) if !welded => from_us + duration_us,
            _ => u64::MAX,
        };
        let previous_us = lock_state.energise(now_us, from_us, duration_us);
        self.collect_findings(place);
        if let Some(apart_us) = previous_us.map(|previous| from_us.saturating_sub(previous))
            && apart_us < PULSE_APART_US
        {
            let detail = format!("pulsed {} ms after the previous pulse", apart_us / 1_000);
            self.violate(place, ViolationKind::PulseTooSoon, from_us, detail);
        }
        self.load(&supply, Draw { place, from_us, until_us, welded }, now_us);
    }

    /// Puts a coil on its supply.
    fn load(&mut self, name: &str, new: Draw, now_us: u64) {
        let supply = self.supply(name);
        supply.draws.retain(|draw| draw.until_us > now_us && draw.place != new.place);
        let (count, at_us) = supply.worst_of(&new);
        supply.coils_together_max = supply.coils_together_max.max(count);
        let too_many = count > usize::from(supply.coils_max);
        let mut others = supply.draws.iter().filter(|draw| draw.draws_at(at_us));
        let blameless = new.welded || others.clone().any(|draw| draw.welded);
        let other = others.next().map(|draw| draw.place);
        let place = new.place;
        supply.draws.push(new);
        if !too_many {
            return;
        }
        supply.overload_at_us = Some(supply.overload_at_us.map_or(at_us, |first| first.min(at_us)));
        if let (Some((bus, board, lock)), false) = (other, blameless) {
            let bus = &self.buses[bus];
            let detail = format!(
                "power supply {name:?} already feeds {}/{}/{}",
                bus.config.name,
                bus.boards[board].config.name(),
                lock + 1
            );
            self.violate(place, ViolationKind::CoilsTogether, at_us, detail);
        }
        self.brown_out(now_us);
    }

    fn supply(&mut self, name: &str) -> &mut Supply {
        self.supplies.entry(name.to_owned()).or_insert_with(|| Supply::new(COILS_MAX_DEFAULT))
    }

    /// Lets the supplies go down that were asked for too much up to `now_us`.
    pub(super) fn brown_out(&mut self, now_us: u64) {
        let due = |supply: &Supply| supply.overload_at_us.is_some_and(|at| at <= now_us);
        let down: Vec<String> =
            self.supplies.iter().filter(|(_, it)| due(it)).map(|(name, _)| name.clone()).collect();
        for name in down {
            let supply = self.supply(&name);
            let Some(at_us) = supply.overload_at_us.take() else { continue };
            if supply.coils_at(at_us) <= usize::from(supply.coils_max) {
                continue;
            }
            supply.brownouts += 1;
            supply.draws.retain(|draw| draw.welded);
            tracing::warn!(area = "sim", supply = name, "brown-out: its boards start anew");
            for bus in 0..self.buses.len() {
                for board in 0..self.buses[bus].boards.len() {
                    if self.buses[bus].boards[board].config.power_supply == name {
                        self.reset((bus, board), at_us);
                    }
                }
            }
        }
    }

    /// Starts a board anew: outputs off, settings but the address lost, deaf for a while.
    pub(super) fn reset(&mut self, (bus, board): (usize, usize), at_us: u64) {
        for lock in 0..self.buses[bus].boards[board].locks.len() {
            self.switch((bus, board, lock), CoilSwitch::Off, at_us);
        }
        self.buses[bus].boards[board].start_anew(at_us + BOOT_US);
    }

    /// A relay that was welded lets go: its coil draws no more.
    pub(super) fn unload(&mut self, place: Place) {
        let supply = self.buses[place.0].boards[place.1].config.power_supply.clone();
        self.supply(&supply).draws.retain(|draw| draw.place != place);
    }

    /// Brings every lock to `now_us` and notes what their coils did.
    pub(super) fn settle(&mut self, now_us: u64) {
        self.tick(now_us);
        for bus in 0..self.buses.len() {
            for board in 0..self.buses[bus].boards.len() {
                for lock in 0..self.buses[bus].boards[board].locks.len() {
                    self.buses[bus].boards[board].locks[lock].advance(now_us);
                    self.collect_findings((bus, board, lock));
                }
            }
        }
    }

    fn collect_findings(&mut self, place: (usize, usize, usize)) {
        let lock = &mut self.buses[place.0].boards[place.1].locks[place.2];
        for finding in std::mem::take(&mut lock.findings) {
            match finding {
                CoilFinding::TooLong { at_us } => {
                    let detail = "coil on for more than 1000 ms".to_owned();
                    self.violate(place, ViolationKind::CoilTooLong, at_us, detail);
                }
                CoilFinding::Overrun { at_us, commanded_us } => {
                    let detail = format!("coil on beyond its {} ms", commanded_us / 1_000);
                    self.violate(place, ViolationKind::CoilOverrun, at_us, detail);
                }
            }
        }
    }
}
