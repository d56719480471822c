//! Simulated lock boards: the other end of the wire, down to the coil.
//!
//! A [`Simulator`] opens one pseudo-terminal (or TCP gateway) per bus and speaks the boards'
//! protocols on it, with byte timing, faults, and a physical model of every lock and door. It
//! records every byte and pulse and judges the rules a client must keep (coil times, one coil per
//! power supply, gaps, turns). It shares no code with the bus driver: an error of one must not
//! hide in the other. Tests, the demo and `lockerd simulate` use it, directly or through
//! `http/simulator.rs`. One task per bus; all state stands behind one mutex that is never held
//! while waiting.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod board;
mod config;
mod fault;
mod framer;
mod gateway;
mod kerong;
mod line;
mod lock;
mod log;
mod modbus;
mod port;
mod pty;
mod random;
mod report;
mod scenario;
mod wkly;
mod world;
mod xor;

pub use config::{
    AUTO_CLOSE_MS_MIN, BOARDS_PER_BUS_MAX, BUSES_MAX, BoardKey, CU16_ADDRESS_MAX, CU16_LOCKS_MAX,
    CU48_ADDRESS_MAX, CU48_LOCKS_MAX, Feedback, MODBUS_LOCKS_MAX, Physics, SUPPLIES_MAX, Senses,
    SimBoard, SimBus, SimConfig, SimFamily, SimSupply, StatusOrder, WKLY_ADDRESS_MAX,
    WKLY_LOCKS_MAX, XOR_ADDRESS_MAX, XOR_LOCKS_MAX,
};
pub use fault::{
    ActiveFault, BIT_FLIPS_MAX, BOUNCE_EDGES_MAX, FAULT_DELAY_MS_MAX, FAULTS_MAX, Fault, FaultKind,
    NOISE_BYTES_MAX, UnplugMoment,
};
pub use lock::{DoorAction, DoorPosition, LatchPosition, Sensor};
pub use log::{BYTE_RECORDS_MAX, VIOLATIONS_MAX};
pub use report::{
    Assertions, BoardPlace, BoardState, BusCounters, BusState, ByteRecord, Direction, Event,
    LockPulses, LockState, Pulse, SimState, Strike, SupplyState, Violation, ViolationKind,
};

pub use scenario::{
    Action, CHOICES_MAX, Expect, Progress, REPEAT_MAX, SCENARIO_MS_MAX, STEPS_MAX, Scenario,
    ScenarioState, Step, When,
};

use line::{Line, ORDERS_MAX, Order};
use world::World;

/// Why the simulator cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The configuration breaks a rule.
    #[error("simulator configuration: {0}")]
    Config(String),
    /// A pseudo-terminal, its link or a gateway could not be made.
    #[error("bus {bus:?}: cannot set up {place}: {source}")]
    Port {
        /// The bus.
        bus: String,
        /// Its link or address.
        place: String,
        /// What the system said.
        source: io::Error,
    },
    /// Started outside a tokio runtime.
    #[error("the simulator must be started inside a tokio runtime")]
    NoRuntime,
    /// The simulator has been stopped.
    #[error("the simulator has been stopped")]
    Stopped,
    /// No bus of this name.
    #[error("unknown bus {name:?}; known are {known}")]
    UnknownBus {
        /// What was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No board of this name or configured address on the bus.
    #[error("bus {bus:?} has no board {board}; known are {known}")]
    UnknownBoard {
        /// The bus.
        bus: String,
        /// What was asked for.
        board: String,
        /// The names there are.
        known: String,
    },
    /// No lock of this number on the board.
    #[error("board {board} has no lock {lock}; its locks are 1 to {locks}")]
    UnknownLock {
        /// The board.
        board: String,
        /// What was asked for.
        lock: u8,
        /// Its last lock.
        locks: u8,
    },
    /// A fault that makes no sense.
    #[error("fault: {0}")]
    Fault(String),
    /// As many faults as there may be are in force.
    #[error("fault: at most {FAULTS_MAX} at a time; clear some first")]
    FaultsFull,
    /// A scenario that cannot be run.
    #[error("scenario: {0}")]
    Scenario(String),
    /// A scenario is under way.
    #[error("a scenario is running; stop it first")]
    ScenarioRunning,
}

/// The hardware and its clock, shared by the lines and the handles.
#[derive(Debug)]
struct Shared {
    started: Instant,
    world: Mutex<World>,
}

impl Shared {
    fn now_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A test that panicked elsewhere must not hide its reason behind a poisoned mutex.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handle to running simulated hardware. Clones share it; it ends with [`Simulator::stop`] or
/// when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    orders: Vec<mpsc::Sender<Order>>,
    tasks: TaskTracker,
    /// The last scenario that was started.
    scenario: Mutex<Option<scenario::Run>>,
    stop: CancellationToken,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
        // The tasks may never run again if the runtime ends too, so the links go here.
        for bus in &mut self.shared.world().buses {
            if let (Some(link), Some(pts)) = (&bus.config.link, bus.pts.take()) {
                pty::unpoint(link, &pts);
            }
        }
    }
}

impl Simulator {
    /// Opens every port and starts the boards. The links exist when it returns.
    ///
    /// Must be called inside a tokio runtime with time and I/O. Fails on a configuration that
    /// breaks a rule, or when a pseudo-terminal or link cannot be made; nothing is left then.
    pub fn start(config: SimConfig) -> Result<Self, SimError> {
        config.check()?;
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| SimError::NoRuntime)?;
        let world = Mutex::new(World::new(&config, unix_now_ms()));
        let mut inner = Inner {
            shared: Arc::new(Shared { started: Instant::now(), world }),
            orders: Vec::with_capacity(config.buses.len()),
            tasks: TaskTracker::new(),
            scenario: Mutex::new(None),
            stop: CancellationToken::new(),
        };
        for (index, bus) in config.buses.into_iter().enumerate() {
            // On an error `inner` is dropped, which ends the lines started so far.
            let line = Line::open(index, &inner.shared).map_err(|source| SimError::Port {
                place: place_of(&bus),
                bus: bus.name,
                source,
            })?;
            let (orders, received) = mpsc::channel(ORDERS_MAX);
            inner.tasks.spawn_on(line.run(received, inner.stop.clone()), &runtime);
            inner.orders.push(orders);
        }
        inner.tasks.close();
        tracing::info!(
            area = "sim",
            buses = inner.orders.len(),
            "simulated boards are on the line"
        );
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Ends all tasks and removes the links; returns when that is done. Other handles stay usable
    /// for looking at what happened.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.wait().await;
    }

    /// Microseconds since the simulator started: the clock of every `at_us`.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.inner.shared.now_us()
    }

    /// Everything at this moment.
    #[must_use]
    pub fn state(&self) -> SimState {
        let now_us = self.now_us();
        self.world().state(now_us)
    }

    /// Acts on a door by hand. `board` is its name or configured address, `lock` counts from 1.
    pub fn door(
        &self,
        bus: &str,
        board: impl Into<BoardKey>,
        lock: u8,
        action: DoorAction,
    ) -> Result<(), SimError> {
        let now_us = self.now_us();
        self.world().act((bus, &board.into(), lock), action, now_us)
    }

    /// Puts a fault in force and returns its number.
    pub fn fault(&self, fault: Fault) -> Result<u64, SimError> {
        let now_us = self.now_us();
        self.world().add_fault(fault, now_us)
    }

    /// Ends every fault. An unplugged bus stays unplugged.
    pub fn clear_faults(&self) {
        let now_us = self.now_us();
        self.world().clear_faults(now_us);
    }

    /// Ends the fault of this number; false if there is none.
    #[must_use]
    pub fn clear_fault(&self, id: u64) -> bool {
        let now_us = self.now_us();
        self.world().clear_fault(id, now_us)
    }

    /// Pulls a bus' adapter: the link vanishes and an open client reads end of file. The boards
    /// keep their power. Does nothing if it is away already.
    pub async fn unplug(&self, bus: &str) -> Result<(), SimError> {
        let (done, is_done) = oneshot::channel();
        self.order(bus, Order::Unplug(done)).await?;
        is_done.await.map_err(|_| SimError::Stopped)
    }

    /// Puts a bus' adapter back: the link leads to a new pseudo-terminal. Does nothing if it is
    /// there already.
    pub async fn replug(&self, bus: &str) -> Result<(), SimError> {
        let (done, is_done) = oneshot::channel();
        self.order(bus, Order::Replug(done)).await?;
        let result = is_done.await.map_err(|_| SimError::Stopped)?;
        result.map_err(|source| {
            let world = self.world();
            let place = world.find_bus(bus).map(|n| place_of(&world.buses[n].config));
            SimError::Port { bus: bus.to_owned(), place: place.unwrap_or_default(), source }
        })
    }

    /// The remembered pulses that have begun, by their start: the last 128 of each lock.
    #[must_use]
    pub fn pulses(&self) -> Vec<Pulse> {
        let now_us = self.now_us();
        self.world().pulses(now_us)
    }

    /// Byte records numbered above `after`, oldest first; 0 asks for all that are kept
    /// ([`BYTE_RECORDS_MAX`]).
    #[must_use]
    pub fn bytes(&self, after: u64) -> Vec<ByteRecord> {
        self.bytes_page(after, BYTE_RECORDS_MAX)
    }

    /// At most `limit` byte records numbered above `after`, oldest first.
    #[must_use]
    pub fn bytes_page(&self, after: u64, limit: usize) -> Vec<ByteRecord> {
        self.world().bytes(after, limit)
    }

    /// At most `limit` events numbered above `after` with their numbers, oldest first: bytes,
    /// faults that struck and broken rules. The last [`BYTE_RECORDS_MAX`] are kept.
    #[must_use]
    pub fn events(&self, after: u64, limit: usize) -> Vec<(u64, Event)> {
        let now_us = self.now_us();
        self.world().events(after, limit, now_us)
    }

    /// What can be said about the client so far.
    #[must_use]
    pub fn assertions(&self) -> Assertions {
        let now_us = self.now_us();
        self.world().assertions(now_us)
    }

    /// The rules broken so far, by time: the first [`VIOLATIONS_MAX`].
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let now_us = self.now_us();
        self.world().violations(now_us)
    }

    /// Checks a scenario against this hardware and starts it, its times `speed` times as fast.
    /// Refused while another one is under way. Must be called inside a tokio runtime.
    pub fn start_scenario(&self, scenario: Scenario, speed: u32) -> Result<(), SimError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| SimError::NoRuntime)?;
        scenario.check_places(&self.world())?;
        let mut current = self.current_scenario();
        if current.as_ref().is_some_and(scenario::Run::is_running) {
            return Err(SimError::ScenarioRunning);
        }
        let (run, playing) = scenario::start(self, scenario, speed);
        self.inner.tasks.spawn_on(playing, &runtime);
        *current = Some(run);
        Ok(())
    }

    /// How far the last scenario is; none if there was none.
    #[must_use]
    pub fn scenario(&self) -> Option<Progress> {
        self.current_scenario().as_ref().map(scenario::Run::progress)
    }

    /// Ends the scenario that is under way and tells what it found.
    pub async fn stop_scenario(&self) -> Option<Progress> {
        if let Some(run) = self.current_scenario().as_ref() {
            run.stop();
        }
        self.scenario_ended().await
    }

    /// Waits for the scenario that is under way and tells what it found.
    pub async fn scenario_ended(&self) -> Option<Progress> {
        let run = self.current_scenario().clone()?;
        run.ended().await;
        Some(run.progress())
    }

    fn current_scenario(&self) -> MutexGuard<'_, Option<scenario::Run>> {
        self.inner.scenario.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.inner.shared.world()
    }

    async fn order(&self, bus: &str, order: Order) -> Result<(), SimError> {
        let index = self.world().find_bus(bus)?;
        let line = self.inner.orders.get(index).ok_or(SimError::Stopped)?;
        line.send(order).await.map_err(|_| SimError::Stopped)
    }
}

/// Where a bus is found, for error texts.
fn place_of(bus: &SimBus) -> String {
    match (&bus.link, bus.tcp) {
        (Some(link), _) => link.display().to_string(),
        (None, Some(address)) => address.to_string(),
        (None, None) => String::new(),
    }
}

/// Unix time in milliseconds, read once at the start for the pulses' `at_unix_ms`.
#[expect(clippy::disallowed_methods, reason = "the simulator is hardware: it knows no Clock")]
fn unix_now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
