//! Scripted runs: what happens to the hardware and when, and what must be true at the end.
//!
//! A scenario is a list of steps, each an action at a time, after the step before, or when
//! something was seen on the hardware. A step may repeat and may choose among actions at random
//! from the scenario's seed. [`Expect`] is judged when it ends: counts of broken rules and pulses
//! are those since it began. Files in TOML are kept in `tests/scenarios`; `scenario/play.rs` runs
//! them. Every wait and repetition is bounded.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::config::{BoardKey, SimConfig};
use super::fault::Fault;
use super::lock::DoorAction;
use super::report::{Assertions, ViolationKind};
use super::world::World;
use super::{SimError, Simulator};

mod play;

pub use play::{Progress, ScenarioState};
pub(super) use play::{Run, start};

/// Most steps of a scenario.
pub const STEPS_MAX: usize = 1_000;
/// Most actions a step chooses from.
pub const CHOICES_MAX: usize = 64;
/// Most repetitions of a step.
pub const REPEAT_MAX: u32 = 1_000_000;
/// Longest time in a scenario. Milliseconds; a day.
pub const SCENARIO_MS_MAX: u64 = 86_400_000;
/// How long a step waits for what it wants to see when it does not say. Milliseconds.
const WITHIN_MS: u64 = 60_000;

/// A scripted run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, in one line.
    pub title: String,
    /// Seed of its random choices.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Hardware it can run on, for `lockerd simulate` without a configuration of its own.
    #[serde(default)]
    pub simulator: Option<SimConfig>,
    /// What happens, in order.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
    /// What must be true at the end.
    #[serde(default)]
    pub expect: Expect,
}

/// One step: when, what, how often.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// This long after the scenario began. Milliseconds.
    pub at_ms: Option<u64>,
    /// This long after the step before was done. Milliseconds.
    pub after_ms: Option<u64>,
    /// As soon as this was seen; an `after_ms` counts from then.
    pub when: Option<When>,
    /// What happens.
    #[serde(rename = "do")]
    pub action: Option<Action>,
    /// One of these happens, at random, anew in each repetition.
    #[serde(default)]
    pub choose: Vec<Action>,
    /// How often; 1 if not given.
    pub repeat: Option<u32>,
    /// Time between repetitions. Milliseconds.
    pub every_ms: Option<u64>,
}

/// What a step waits for: exactly one of `pulse` and `connected`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// A lock as `bus/board/lock` is pulsed.
    pub pulse: Option<String>,
    /// A client has this bus open.
    pub connected: Option<String>,
    /// The how-manieth pulse since the scenario began; 1 if not given.
    pub nth: Option<u64>,
    /// The scenario fails if it was not seen within this time; a minute if not given.
    pub within_ms: Option<u64>,
}

/// What may happen.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Someone acts on a door.
    Door {
        /// The lock as `bus/board/lock`; `*` for the lock takes one at random.
        at: String,
        /// What is done.
        action: DoorAction,
    },
    /// A fault is put in force.
    Fault(Fault),
    /// Every fault ends.
    ClearFaults,
    /// The adapter of a bus is pulled.
    Unplug(String),
    /// The adapter of a bus is put back.
    Replug(String),
    /// Nothing: a time of peace, or one choice among others.
    Nothing,
}

/// What must be true at the end; what is not given is not judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// Most broken rules since the scenario began.
    pub violations: Option<u64>,
    /// Kinds that are not counted in `violations`.
    pub except: Vec<ViolationKind>,
    /// Most pulses of any one lock since the scenario began.
    pub pulses_per_lock_max: Option<u64>,
    /// Pulses of single locks since the scenario began, by `bus/board/lock`.
    pub pulses: BTreeMap<String, u64>,
    /// Longest time a coil may have been on. Milliseconds.
    pub longest_coil_ms_max: Option<u64>,
    /// Most coils of a supply together.
    pub coils_together_max: Option<usize>,
    /// Most ruined coils.
    pub burnt: Option<u64>,
    /// Most brown-outs of all supplies.
    pub brownouts: Option<u64>,
}

/// A place in a scenario: bus, board, and a lock or any lock.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LockPlace {
    bus: String,
    board: BoardKey,
    /// None is `*`.
    lock: Option<u8>,
}

impl LockPlace {
    fn parse(text: &str) -> Result<Self, SimError> {
        let refuse = || SimError::Scenario(format!("{text:?} is no bus/board/lock"));
        let mut parts = text.split('/');
        let (Some(bus), Some(board), Some(lock), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(refuse());
        };
        let lock = if lock == "*" { None } else { Some(lock.parse().map_err(|_| refuse())?) };
        Ok(Self { bus: bus.to_owned(), board: BoardKey::from(board), lock })
    }
}

impl Scenario {
    /// Reads TOML, or JSON if it begins with a brace. Places are checked only when it is run.
    pub fn parse(text: &str) -> Result<Self, SimError> {
        let scenario: Self = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| SimError::Scenario(error.to_string()))?
        } else {
            toml::from_str(text).map_err(|error| SimError::Scenario(error.to_string()))?
        };
        scenario.check_form()?;
        Ok(scenario)
    }

    fn check_form(&self) -> Result<(), SimError> {
        if self.steps.len() > STEPS_MAX {
            return Err(SimError::Scenario(format!("at most {STEPS_MAX} steps")));
        }
        for (number, step) in (1_usize..).zip(&self.steps) {
            step.check_form()
                .map_err(|text| SimError::Scenario(format!("step {number}: {text}")))?;
        }
        Ok(())
    }

    /// Checks that every place it names exists on this hardware and every fault is sound.
    pub(super) fn check_places(&self, world: &World) -> Result<(), SimError> {
        for step in &self.steps {
            for action in step.action.iter().chain(&step.choose) {
                match action {
                    Action::Door { at, .. } => {
                        world.check_lock(&LockPlace::parse(at)?)?;
                    }
                    Action::Fault(fault) => world.check_fault(fault)?,
                    Action::Unplug(bus) | Action::Replug(bus) => {
                        world.find_bus(bus)?;
                    }
                    Action::ClearFaults | Action::Nothing => {}
                }
            }
            if let Some(when) = &step.when {
                if let Some(place) = &when.pulse {
                    world.check_lock(&LockPlace::parse(place)?)?;
                }
                if let Some(bus) = &when.connected {
                    world.find_bus(bus)?;
                }
            }
        }
        for place in self.expect.pulses.keys() {
            world.check_lock(&LockPlace::parse(place)?)?;
        }
        Ok(())
    }
}

impl Step {
    fn check_form(&self) -> Result<(), String> {
        let times = [self.at_ms, self.after_ms, self.every_ms];
        if times.into_iter().flatten().any(|ms| ms > SCENARIO_MS_MAX) {
            return Err(format!("no time may be above {SCENARIO_MS_MAX} ms"));
        }
        if self.at_ms.is_some() && (self.after_ms.is_some() || self.when.is_some()) {
            return Err("at_ms goes with neither after_ms nor when".to_owned());
        }
        if self.action.is_some() != self.choose.is_empty() {
            return Err("either do or choose is needed".to_owned());
        }
        if self.choose.len() > CHOICES_MAX {
            return Err(format!("at most {CHOICES_MAX} choices"));
        }
        if !(1..=REPEAT_MAX).contains(&self.repeat.unwrap_or(1)) {
            return Err(format!("repeat must be 1 to {REPEAT_MAX}"));
        }
        if let Some(when) = &self.when {
            if when.pulse.is_some() == when.connected.is_some() {
                return Err("when needs either pulse or connected".to_owned());
            }
            if when.pulse.as_ref().is_some_and(|place| place.ends_with('*')) {
                return Err("when needs one lock".to_owned());
            }
        }
        Ok(())
    }
}

/// What was counted before a scenario began.
#[derive(Debug)]
struct Before {
    violations: BTreeMap<ViolationKind, u64>,
    pulses: BTreeMap<(String, String, u8), u64>,
}

impl Before {
    fn of(said: &Assertions) -> Self {
        let pulses = said.locks.iter().map(|it| (key_of(it), it.pulses)).collect();
        Self { violations: said.violations.clone(), pulses }
    }
}

fn key_of(it: &super::report::LockPulses) -> (String, String, u8) {
    (it.place.bus.clone(), it.place.name.clone(), it.lock)
}

impl Expect {
    /// What is not as it should be, in words.
    fn failures(&self, said: &Assertions, before: &Before) -> Vec<String> {
        let mut failures = Vec::new();
        let mut most = |what: &str, got: u64, most: Option<u64>| {
            if most.is_some_and(|most| got > most) {
                let most = most.unwrap_or_default();
                failures.push(format!("{what}: {got}, at most {most} expected"));
            }
        };
        let broken = said.violations.iter().filter(|(kind, _)| !self.except.contains(kind));
        let broken: u64 = broken
            .map(|(kind, count)| count - before.violations.get(kind).copied().unwrap_or(0))
            .sum();
        most("broken rules", broken, self.violations);
        let since = |it: &super::report::LockPulses| {
            it.pulses - before.pulses.get(&key_of(it)).copied().unwrap_or(0)
        };
        let per_lock = said.locks.iter().map(since).max().unwrap_or(0);
        most("pulses of one lock", per_lock, self.pulses_per_lock_max);
        most("longest coil time in ms", said.longest_coil_ms, self.longest_coil_ms_max);
        most("ruined coils", said.burnt, self.burnt);
        let brownouts = said.supplies.iter().map(|supply| supply.brownouts).sum();
        most("brown-outs", brownouts, self.brownouts);
        let together = said.supplies.iter().map(|it| it.coils_together_max).max().unwrap_or(0);
        let together_max = self.coils_together_max.map(|most| most as u64);
        most("coils of one supply together", together as u64, together_max);
        for (place, wanted) in &self.pulses {
            let is_there = |it: &&super::report::LockPulses| {
                let by = |board: &str| format!("{}/{board}/{}", it.place.bus, it.lock) == *place;
                by(&it.place.name) || by(&it.place.board.to_string())
            };
            let got = said.locks.iter().find(is_there).map_or(0, since);
            if got != *wanted {
                failures.push(format!("pulses of {place}: {got}, {wanted} expected"));
            }
        }
        failures
    }
}

impl World {
    fn check_lock(&self, place: &LockPlace) -> Result<u8, SimError> {
        self.lock_of(&place.bus, &place.board, place.lock)
    }
}

const fn default_seed() -> u64 {
    1
}

#[cfg(test)]
mod tests;
