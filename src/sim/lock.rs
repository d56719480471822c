//! One lock with its coil, latch, door and door switch, as a machine of timed events.
//!
//! Nothing runs while nobody looks: [`Lock::advance`] applies every event up to a moment, in
//! order, and each reading first advances. A coil on for `release_ms` lets the latch go, a closed
//! door then springs open `opens_after_ms` later unless it is jammed; closing latches. Coil time
//! burns: one stretch above two seconds, or five seconds within a minute, ruins the coil.
//! All times are microseconds since the simulator started. Called by `world.rs` under its lock.

use std::collections::VecDeque;

use super::config::{Physics, Senses};
use super::random::Random;

/// Pulses remembered per lock; older ones only count in the totals.
pub(super) const PULSES_KEPT_PER_LOCK: usize = 128;
/// A single stretch longer than this ruins a coil.
const BURN_SINGLE_US: u64 = 2_000_000;
/// This much coil time within [`BURN_WINDOW_US`] ruins a coil.
const BURN_TOTAL_US: u64 = 5_000_000;
const BURN_WINDOW_US: u64 = 60_000_000;
/// The longest a lock's coil may be on, whatever was commanded.
const COIL_MAX_US: u64 = 1_000_000;
/// The bounce pattern of a switch changes this often.
const BOUNCE_STEP_US: u64 = 300;

/// Where the door stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorPosition {
    /// Ajar or wide open.
    Open,
    /// Shut.
    Closed,
}

/// Whether the latch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LatchPosition {
    /// Holds the door.
    Locked,
    /// Lets the door go.
    Released,
}

/// What a person or a broken hinge does to a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorAction {
    /// Pulled open by hand; against a locked latch that is a break-in.
    Open,
    /// Pushed shut; the latch catches.
    Close,
    /// From now on the door does not spring open.
    Jam,
    /// The door springs open again at the next pulse.
    Unjam,
    /// An item is put inside (CU16 infrared sensor).
    PutItem,
    /// The item is taken out.
    TakeItem,
}

/// A door switch that no longer follows its door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensor {
    /// Follows the door.
    #[default]
    Works,
    /// Always reads open.
    StuckOpen,
    /// Always reads closed.
    StuckClosed,
}

/// What is broken about a lock, as the faults in force say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "ailments that come and go independently")]
pub(super) struct Ailment {
    /// Whether the switch moves.
    pub(super) sensor: Sensor,
    /// The switch reads the other way round.
    pub(super) inverted: bool,
    /// Whatever the coil does, the latch does not let go.
    pub(super) stuck_latch: bool,
    /// Without current the switch reads closed, also while the door is open.
    pub(super) springs_back: bool,
    /// A relay that is on stays on.
    pub(super) welded: bool,
    /// The switch chatters for a while.
    pub(super) chatter: Option<Chatter>,
}

/// A switch that changes to and fro with nothing moving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chatter {
    /// The first edge.
    pub(super) from_us: u64,
    /// An even number, so that it ends with the truth.
    pub(super) edges: u32,
    /// Time from edge to edge.
    pub(super) step_us: u64,
}

impl Chatter {
    fn is_wrong(self, now_us: u64) -> bool {
        let step = now_us.checked_sub(self.from_us).and_then(|us| us.checked_div(self.step_us));
        step.is_some_and(|step| step < u64::from(self.edges) && step % 2 == 0)
    }
}

/// A rule a coil broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CoilFinding {
    /// On for more than 1,000 ms; the moment it passed them.
    TooLong { at_us: u64 },
    /// On beyond the end of its first command; the moment of that end.
    Overrun { at_us: u64, commanded_us: u64 },
}

/// One stretch of current through a coil.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the unit stands last in every name")]
pub(super) struct Stretch {
    pub(super) from_us: u64,
    /// The time the command asked for; none when it was switched on without one.
    pub(super) commanded_us: Option<u64>,
    /// Its end once known; may lie in the future while a board's timer runs.
    pub(super) until_us: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Coil {
    from_us: u64,
    until_us: Option<u64>,
    commanded_us: Option<u64>,
    told_long: bool,
    told_overrun: bool,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Burn,
    Release,
    Spring,
    CoilOff,
    AutoClose,
}

/// One lock; see the file's head.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    physics: Physics,
    /// Different for each lock, for its bounce pattern.
    seed: u64,
    door: DoorPosition,
    latch: LatchPosition,
    /// Last change of the door, for the bounce; none before the first.
    door_changed_us: Option<u64>,
    /// The same of the latch.
    latch_changed_us: Option<u64>,
    coil: Option<Coil>,
    burn_at_us: Option<u64>,
    release_at_us: Option<u64>,
    spring_at_us: Option<u64>,
    auto_close_at_us: Option<u64>,
    finished_us: u64,
    longest_us: u64,
    ailment: Ailment,
    pub(super) jammed: bool,
    pub(super) item: bool,
    pub(super) burnt: bool,
    pub(super) pulse_count: u64,
    pub(super) forced_count: u64,
    pub(super) stretches: VecDeque<Stretch>,
    pub(super) findings: Vec<CoilFinding>,
}

impl Lock {
    /// A locked, closed, empty compartment.
    pub(super) fn new(physics: Physics, seed: u64) -> Self {
        Self {
            physics,
            seed,
            door: DoorPosition::Closed,
            latch: LatchPosition::Locked,
            door_changed_us: None,
            latch_changed_us: None,
            coil: None,
            burn_at_us: None,
            release_at_us: None,
            spring_at_us: None,
            auto_close_at_us: None,
            finished_us: 0,
            longest_us: 0,
            ailment: Ailment::default(),
            jammed: false,
            item: false,
            burnt: false,
            pulse_count: 0,
            forced_count: 0,
            stretches: VecDeque::new(),
            findings: Vec::new(),
        }
    }

    /// Applies everything that happens up to `now_us`. A moment in the past changes nothing.
    pub(super) fn advance(&mut self, now_us: u64) {
        // Ends: each event clears its own time, and a cycle (auto-close under a held coil, then
        // spring) takes at least AUTO_CLOSE_MS_MIN of simulated time.
        while let Some((at_us, event)) = self.next_event()
            && at_us <= now_us
        {
            self.apply(at_us, event);
        }
        self.note_long_coil(now_us);
    }

    fn next_event(&self) -> Option<(u64, Event)> {
        [
            self.burn_at_us.map(|at| (at, Event::Burn)),
            self.release_at_us.map(|at| (at, Event::Release)),
            self.spring_at_us.map(|at| (at, Event::Spring)),
            self.coil.and_then(|coil| coil.until_us).map(|at| (at, Event::CoilOff)),
            self.auto_close_at_us.map(|at| (at, Event::AutoClose)),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
    }

    fn apply(&mut self, at_us: u64, event: Event) {
        match event {
            Event::Burn => {
                self.burn_at_us = None;
                self.release_at_us = None;
                self.burnt = true;
            }
            Event::Release => {
                self.release_at_us = None;
                if !self.ailment.stuck_latch {
                    self.latch_moves(LatchPosition::Released, at_us);
                    self.plan_spring(at_us);
                }
            }
            Event::Spring => {
                self.spring_at_us = None;
                self.door_moves(DoorPosition::Open, at_us);
            }
            Event::CoilOff => self.end_current(at_us),
            Event::AutoClose => self.close(at_us),
        }
    }

    fn plan_spring(&mut self, at_us: u64) {
        if self.door == DoorPosition::Closed && !self.jammed {
            self.spring_at_us = Some(at_us + ms(self.physics.opens_after_ms));
        }
    }

    fn door_moves(&mut self, to: DoorPosition, at_us: u64) {
        self.auto_close_at_us = match (to, self.physics.auto_close_ms) {
            (DoorPosition::Open, Some(auto_ms)) => Some(at_us + ms(auto_ms)),
            _ => None,
        };
        if self.door != to {
            self.door = to;
            self.door_changed_us = Some(at_us);
        }
    }

    fn latch_moves(&mut self, to: LatchPosition, at_us: u64) {
        if self.latch != to {
            self.latch = to;
            self.latch_changed_us = Some(at_us);
        }
    }

    fn close(&mut self, at_us: u64) {
        self.spring_at_us = None;
        self.door_moves(DoorPosition::Closed, at_us);
        let held_released = self.latch == LatchPosition::Released
            && self.coil.is_some_and(|coil| coil.from_us <= at_us);
        if held_released {
            self.plan_spring(at_us);
        } else {
            self.latch_moves(LatchPosition::Locked, at_us);
        }
    }

    /// The relay opens, unless its contacts are welded.
    fn end_current(&mut self, at_us: u64) {
        if !self.ailment.welded {
            return self.finish_coil(at_us);
        }
        if let Some(coil) = &mut self.coil {
            coil.until_us = None;
            if let Some(last) = self.stretches.back_mut() {
                last.until_us = None;
            }
        }
    }

    fn finish_coil(&mut self, at_us: u64) {
        self.note_long_coil(at_us);
        let Some(coil) = self.coil.take() else { return };
        let on_us = at_us.saturating_sub(coil.from_us);
        self.finished_us += on_us;
        self.longest_us = self.longest_us.max(on_us);
        self.burn_at_us = None;
        self.release_at_us = None;
        if let Some(last) = self.stretches.back_mut() {
            last.until_us = Some(at_us.max(last.from_us));
        }
        if self.door == DoorPosition::Closed && self.spring_at_us.is_none() {
            self.latch_moves(LatchPosition::Locked, at_us);
        }
    }

    fn note_long_coil(&mut self, now_us: u64) {
        if self.ailment.welded {
            // The client is not to blame for a relay that does not open.
            return;
        }
        let Some(coil) = &mut self.coil else { return };
        let on_us = now_us.saturating_sub(coil.from_us);
        if on_us > COIL_MAX_US && !coil.told_long {
            coil.told_long = true;
            self.findings.push(CoilFinding::TooLong { at_us: coil.from_us + COIL_MAX_US });
        }
        if let Some(commanded_us) = coil.commanded_us
            && on_us > commanded_us
            && !coil.told_overrun
        {
            coil.told_overrun = true;
            let at_us = coil.from_us + commanded_us;
            self.findings.push(CoilFinding::Overrun { at_us, commanded_us });
        }
    }

    /// Sends current through the coil from `from_us` (now or later); without a duration until
    /// [`Lock::switch_off`]. Returns the start of the pulse before, if there was one.
    pub(super) fn energise(
        &mut self,
        now_us: u64,
        from_us: u64,
        duration_us: Option<u64>,
    ) -> Option<u64> {
        self.advance(now_us);
        let previous_us = self.stretches.back().map(|stretch| stretch.from_us);
        let until_us = duration_us.map(|duration| from_us + duration);
        if let Some(coil) = &mut self.coil {
            coil.until_us = until_us;
            if let Some(last) = self.stretches.back_mut() {
                last.until_us = Some(from_us);
            }
        } else {
            self.coil = Some(Coil {
                from_us,
                until_us,
                commanded_us: duration_us,
                told_long: false,
                told_overrun: false,
            });
            if !self.burnt {
                self.release_at_us = Some(from_us + ms(self.physics.release_ms));
                self.burn_at_us = Some(from_us + self.burns_after_us(from_us));
            }
        }
        self.pulse_count += 1;
        if self.stretches.len() >= PULSES_KEPT_PER_LOCK {
            self.stretches.pop_front();
        }
        self.stretches.push_back(Stretch { from_us, commanded_us: duration_us, until_us });
        previous_us
    }

    /// How much longer the coil bears current from `from_us` on.
    fn burns_after_us(&self, from_us: u64) -> u64 {
        let window_from_us = from_us.saturating_sub(BURN_WINDOW_US);
        let used_us: u64 = self
            .stretches
            .iter()
            .map(|stretch| {
                let until_us = stretch.until_us.unwrap_or(from_us).min(from_us);
                until_us.saturating_sub(stretch.from_us.max(window_from_us))
            })
            .sum();
        // One microsecond more: exactly two seconds are still borne.
        (BURN_SINGLE_US + 1).min(BURN_TOTAL_US.saturating_sub(used_us))
    }

    /// Ends the current at once, also one that a timer was going to start.
    pub(super) fn switch_off(&mut self, now_us: u64) {
        self.advance(now_us);
        if self.coil.is_some() {
            self.end_current(now_us);
        }
    }

    /// What is broken from now on, and what is whole again.
    pub(super) fn ails(&mut self, ailment: Ailment, now_us: u64) {
        self.advance(now_us);
        let was_welded = std::mem::replace(&mut self.ailment, ailment).welded;
        let stuck_on = self.coil.is_some_and(|coil| coil.until_us.is_none());
        if was_welded && !ailment.welded && stuck_on {
            if let Some(coil) = &mut self.coil {
                (coil.told_long, coil.told_overrun) = (true, true);
            }
            self.finish_coil(now_us);
        }
    }

    /// What is broken now.
    pub(super) const fn ailment(&self) -> Ailment {
        self.ailment
    }

    /// When the last pulse began.
    pub(super) fn last_pulse_us(&self) -> Option<u64> {
        self.stretches.back().map(|stretch| stretch.from_us)
    }

    /// Whether current flows at `now_us`.
    pub(super) fn coil_on(&mut self, now_us: u64) -> bool {
        self.advance(now_us);
        self.coil.is_some_and(|coil| coil.from_us <= now_us)
    }

    /// Whether the coil is on until someone switches it off.
    pub(super) fn is_held(&mut self, now_us: u64) -> bool {
        self.advance(now_us);
        self.coil.is_some_and(|coil| coil.from_us <= now_us && coil.until_us.is_none())
    }

    /// Total coil time and the longest single stretch up to `now_us`, the running one included.
    pub(super) fn coil_times_us(&self, now_us: u64) -> (u64, u64) {
        let running_us = self.coil.map_or(0, |coil| now_us.saturating_sub(coil.from_us));
        (self.finished_us + running_us, self.longest_us.max(running_us))
    }

    /// Someone acts on the door by hand.
    pub(super) fn act(&mut self, action: DoorAction, now_us: u64) {
        self.advance(now_us);
        match action {
            DoorAction::Open => {
                if self.door == DoorPosition::Closed && self.latch == LatchPosition::Locked {
                    self.forced_count += 1;
                }
                self.spring_at_us = None;
                self.latch_moves(LatchPosition::Released, now_us);
                self.door_moves(DoorPosition::Open, now_us);
            }
            DoorAction::Close => self.close(now_us),
            DoorAction::Jam => {
                self.jammed = true;
                self.spring_at_us = None;
            }
            DoorAction::Unjam => self.jammed = false,
            DoorAction::PutItem => self.item = true,
            DoorAction::TakeItem => self.item = false,
        }
    }

    /// The door's place at `now_us`.
    pub(super) fn door(&mut self, now_us: u64) -> DoorPosition {
        self.advance(now_us);
        self.door
    }

    /// The latch's place at `now_us`.
    pub(super) fn latch(&mut self, now_us: u64) -> LatchPosition {
        self.advance(now_us);
        self.latch
    }

    /// What the switch says at `now_us`: true is "closed". Chatters after a change.
    pub(super) fn reads_closed(&mut self, senses: Senses, now_us: u64) -> bool {
        self.advance(now_us);
        let closed = match self.ailment.sensor {
            Sensor::StuckOpen => false,
            Sensor::StuckClosed => true,
            Sensor::Works => self.contact_closed(senses, now_us),
        };
        closed != self.ailment.inverted
    }

    fn contact_closed(&mut self, senses: Senses, now_us: u64) -> bool {
        let (mut closed, changed_us) = match senses {
            Senses::Door => (self.door == DoorPosition::Closed, self.door_changed_us),
            Senses::Hook => (self.latch == LatchPosition::Locked, self.latch_changed_us),
        };
        if self.ailment.springs_back && !self.coil_on(now_us) {
            closed = true;
        }
        let bouncing =
            changed_us.is_some_and(|changed_us| now_us < changed_us + ms(self.physics.bounce_ms));
        if bouncing {
            return Random::new(self.seed ^ (now_us / BOUNCE_STEP_US)).chance(0.5);
        }
        let wrong = self.ailment.chatter.is_some_and(|chatter| chatter.is_wrong(now_us));
        closed != wrong
    }
}

fn ms(ms: u32) -> u64 {
    u64::from(ms) * 1_000
}

#[cfg(test)]
mod tests;
