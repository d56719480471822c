//! Runs a scenario on a simulator, one at a time, and keeps its progress for who asks.
//!
//! The task holds the simulator weakly while it waits, so that a forgotten scenario does not keep
//! the hardware alive. It ends with its last step, when something it waits for does not come, when
//! it is stopped, or with the simulator; what is expected is judged in each case.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{
    Action, Assertions, Before, LockPlace, Scenario, SimError, Simulator, Step, WITHIN_MS, When,
};
use crate::sim::Inner;
use crate::sim::random::Random;

/// Lines of a scenario's log that are kept.
const LOG_LINES_MAX: usize = 500;
/// How often a step looks for what it waits for.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// How far a scenario is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScenarioState {
    /// Under way.
    Running,
    /// All steps done, all expectations met.
    Passed,
    /// Something was not as expected.
    Failed,
    /// Stopped before its end, with all expectations met so far.
    Stopped,
}

/// What a scenario has done and found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The scenario's title.
    pub title: String,
    /// How far it is.
    pub state: ScenarioState,
    /// Steps done.
    pub steps_done: usize,
    /// Steps in all.
    pub steps: usize,
    /// Actions done, repetitions included.
    pub actions: u64,
    /// The last 500 actions in words, with the time since the start.
    pub log: VecDeque<String>,
    /// What was not as expected.
    pub failures: Vec<String>,
    /// What was found at the end; none while it runs.
    pub assertions: Option<Assertions>,
}

/// A scenario that was started.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Run {
    progress: Arc<Mutex<Progress>>,
    stop: CancellationToken,
    done: CancellationToken,
}

impl Run {
    /// Its progress now.
    pub(in crate::sim) fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is under way.
    pub(in crate::sim) fn is_running(&self) -> bool {
        !self.done.is_cancelled()
    }

    /// Asks it to end.
    pub(in crate::sim) fn stop(&self) {
        self.stop.cancel();
    }

    /// Returns when it has ended.
    pub(in crate::sim) async fn ended(&self) {
        self.done.cancelled().await;
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Starts a checked scenario whose times run `speed` times as fast; the future runs it.
pub(in crate::sim) fn start(
    simulator: &Simulator,
    scenario: Scenario,
    speed: u32,
) -> (Run, impl Future<Output = ()> + use<>) {
    let progress = Progress {
        title: scenario.title.clone(),
        state: ScenarioState::Running,
        steps_done: 0,
        steps: scenario.steps.len(),
        actions: 0,
        log: VecDeque::new(),
        failures: Vec::new(),
        assertions: None,
    };
    let run = Run {
        progress: Arc::new(Mutex::new(progress)),
        stop: simulator.inner.stop.child_token(),
        done: CancellationToken::new(),
    };
    let player = Player {
        inner: Arc::downgrade(&simulator.inner),
        random: Random::new(scenario.seed),
        before: Before::of(&simulator.assertions()),
        began: Instant::now(),
        speed: speed.max(1),
        run: run.clone(),
    };
    (run, player.play(scenario))
}

/// Why a scenario ends early.
enum End {
    Stopped,
    Failed(String),
}

struct Player {
    inner: Weak<Inner>,
    random: Random,
    before: Before,
    began: Instant,
    speed: u32,
    run: Run,
}

impl Player {
    async fn play(mut self, scenario: Scenario) {
        tracing::info!(area = "sim", scenario = scenario.title, "scenario begins");
        let mut stopped = false;
        for (number, step) in (1_usize..).zip(&scenario.steps) {
            match self.step(step).await {
                Ok(()) => self.run.change(|progress| progress.steps_done = number),
                Err(End::Stopped) => {
                    stopped = true;
                    break;
                }
                Err(End::Failed(why)) => {
                    let failure = format!("step {number}: {why}");
                    self.run.change(|progress| progress.failures.push(failure));
                    break;
                }
            }
        }
        self.judge(&scenario, stopped);
        self.run.done.cancel();
    }

    fn judge(&self, scenario: &Scenario, stopped: bool) {
        let said = self.inner.upgrade().map(|inner| Simulator { inner }.assertions());
        self.run.change(|progress| {
            if let Some(said) = &said {
                progress.failures.extend(scenario.expect.failures(said, &self.before));
            }
            progress.assertions = said;
            progress.state = match (progress.failures.is_empty(), stopped) {
                (false, _) => ScenarioState::Failed,
                (true, true) => ScenarioState::Stopped,
                (true, false) => ScenarioState::Passed,
            };
            tracing::info!(area = "sim", state = ?progress.state, "scenario ends");
        });
    }

    async fn step(&mut self, step: &Step) -> Result<(), End> {
        if let Some(when) = &step.when {
            self.see(when).await?;
        }
        let mut next = match step.at_ms {
            Some(at_ms) => self.began + self.scaled(at_ms),
            None => Instant::now() + self.scaled(step.after_ms.unwrap_or(0)),
        };
        for _ in 0..step.repeat.unwrap_or(1) {
            self.wait_until(next).await?;
            let action = step.action.as_ref().unwrap_or_else(|| {
                let choice = self.random.below(step.choose.len() as u64);
                &step.choose[usize::try_from(choice).unwrap_or(0)]
            });
            self.act(action).await?;
            next += self.scaled(step.every_ms.unwrap_or(0));
        }
        Ok(())
    }

    fn scaled(&self, ms: u64) -> Duration {
        Duration::from_millis(ms) / self.speed
    }

    async fn wait_until(&self, moment: Instant) -> Result<(), End> {
        tokio::select! {
            biased;
            () = self.run.stop.cancelled() => Err(End::Stopped),
            () = sleep_until(moment) => Ok(()),
        }
    }

    /// Waits until something was seen.
    async fn see(&self, when: &When) -> Result<(), End> {
        let deadline = Instant::now() + self.scaled(when.within_ms.unwrap_or(WITHIN_MS));
        let place = match &when.pulse {
            Some(text) => Some(LockPlace::parse(text).map_err(|error| End::of(&error))?),
            None => None,
        };
        loop {
            if self.is_seen(when, place.as_ref())? {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(End::Failed(format!("never seen: {when:?}")));
            }
            self.wait_until(Instant::now() + LOOK_EVERY).await?;
        }
    }

    fn is_seen(&self, when: &When, place: Option<&LockPlace>) -> Result<bool, End> {
        let simulator = self.simulator()?;
        let Some(place) = place else {
            let state = simulator.state();
            let bus = when.connected.as_deref().and_then(|name| state.bus(name));
            return Ok(bus.is_some_and(|bus| bus.connected));
        };
        let said = simulator.assertions();
        let there = said.locks.iter().find(|it| {
            let board = place.board.as_str();
            let named = it.place.name == board || it.place.board.to_string() == board;
            it.place.bus == place.bus && named && Some(it.lock) == place.lock
        });
        let pulses = there.map_or(0, |it| {
            it.pulses - self.before.pulses.get(&super::key_of(it)).copied().unwrap_or(0)
        });
        Ok(pulses >= when.nth.unwrap_or(1))
    }

    fn simulator(&self) -> Result<Simulator, End> {
        self.inner.upgrade().map(|inner| Simulator { inner }).ok_or(End::Stopped)
    }

    async fn act(&mut self, action: &Action) -> Result<(), End> {
        let simulator = self.simulator()?;
        let mut text = action.in_words();
        let done = match action {
            Action::Door { at, action } => {
                let place = LockPlace::parse(at).map_err(|error| End::of(&error))?;
                let last = simulator.world().check_lock(&place).map_err(|error| End::of(&error))?;
                let any = self.random.below(u64::from(last)) + 1;
                let lock = place.lock.unwrap_or_else(|| u8::try_from(any).unwrap_or(last));
                text = format!("door {}/{}/{lock}: {action:?}", place.bus, place.board);
                simulator.door(&place.bus, place.board.as_str(), lock, *action)
            }
            Action::Fault(fault) => match simulator.fault(fault.clone()) {
                Err(SimError::FaultsFull) => {
                    text += " (none added: too many are in force)";
                    Ok(())
                }
                other => other.map(|_| ()),
            },
            Action::ClearFaults => {
                simulator.clear_faults();
                Ok(())
            }
            Action::Unplug(bus) => simulator.unplug(bus).await,
            Action::Replug(bus) => simulator.replug(bus).await,
            Action::Nothing => Ok(()),
        };
        done.map_err(|error| End::of(&error))?;
        tracing::info!(area = "sim", "{text}");
        let line = format!("{} ms: {text}", self.began.elapsed().as_millis());
        self.run.change(|progress| {
            progress.actions += 1;
            if progress.log.len() >= LOG_LINES_MAX {
                progress.log.pop_front();
            }
            progress.log.push_back(line);
        });
        Ok(())
    }
}

impl Action {
    /// For the log, as it would be written.
    fn in_words(&self) -> String {
        match self {
            Self::Door { at, action } => format!("door {at}: {action:?}"),
            Self::Fault(fault) => format!("fault {}", serde_json::json!(fault)),
            Self::ClearFaults => "all faults end".to_owned(),
            Self::Unplug(bus) => format!("unplug {bus}"),
            Self::Replug(bus) => format!("replug {bus}"),
            Self::Nothing => "nothing".to_owned(),
        }
    }
}

impl End {
    fn of(error: &SimError) -> Self {
        if matches!(error, SimError::Stopped) {
            Self::Stopped
        } else {
            Self::Failed(error.to_string())
        }
    }
}
