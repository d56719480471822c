//! Simulated boards that live in the test process: they survive whatever happens to the server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use lockerd::sim::{
    Direction, DoorAction, DoorPosition, Fault, LockState, Physics, Pulse, Scenario, ScenarioState,
    SimBus, SimConfig, Simulator,
};
use tokio::runtime::Runtime;

/// Running boards; they end when dropped.
pub struct Boards {
    /// The simulator itself.
    pub simulator: Simulator,
    runtime: Runtime,
}

impl Boards {
    /// Starts them.
    #[track_caller]
    pub fn start(buses: Vec<SimBus>) -> Self {
        Self::with(buses, Physics::default())
    }

    /// Starts them with locks that move in a given way.
    #[track_caller]
    pub fn with(buses: Vec<SimBus>, physics: Physics) -> Self {
        Self::of(SimConfig { physics, buses, ..SimConfig::default() })
    }

    /// Starts them with everything as wanted.
    #[track_caller]
    pub fn of(config: SimConfig) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let guard = runtime.enter();
        let simulator = Simulator::start(config).expect("a sound simulator");
        drop(guard);
        Self { simulator, runtime }
    }

    /// Starts the bench that the kept scenarios run on (`tests/scenarios/bench.toml`), its links
    /// in a directory.
    #[track_caller]
    pub fn bench(place: &Path) -> Self {
        let text = std::fs::read_to_string(scenarios().join("bench.toml")).expect("the bench");
        let mut config: SimConfig = toml::from_str(&text).expect("a sound bench");
        for bus in config.buses.iter_mut().filter(|bus| bus.link.is_some()) {
            bus.link = Some(place.join(&bus.name));
        }
        Self::of(config)
    }

    /// Starts a kept scenario, its times so many times as fast.
    #[track_caller]
    pub fn begin(&self, scenario: &str, speed: u32) {
        let path = scenarios().join(format!("{scenario}.toml"));
        let text = std::fs::read_to_string(path).expect("a kept scenario");
        let scenario = Scenario::parse(&text).expect("a sound scenario");
        let _guard = self.runtime.enter();
        self.simulator.start_scenario(scenario, speed).expect("it fits the boards");
    }

    /// Waits until the scenario is over and demands that all was as expected.
    #[track_caller]
    pub fn demand_passed(&self) {
        let progress = self.runtime.block_on(self.simulator.scenario_ended());
        let progress = progress.expect("a scenario was started");
        assert_eq!(progress.state, ScenarioState::Passed, "{progress:#?}");
    }

    /// Where a gateway listens.
    pub fn gateway(&self, bus: &str) -> SocketAddr {
        self.simulator.state().bus(bus).and_then(|bus| bus.tcp).expect("a gateway")
    }

    /// Pulls a bus' adapter.
    pub fn unplug(&self, bus: &str) {
        self.runtime.block_on(self.simulator.unplug(bus)).expect("a known bus");
    }

    /// Puts it back.
    pub fn replug(&self, bus: &str) {
        self.runtime.block_on(self.simulator.replug(bus)).expect("a known bus");
    }

    /// Acts on a door by hand.
    pub fn door(&self, bus: &str, board: u8, lock: u8, action: DoorAction) {
        self.simulator.door(bus, board, lock, action).expect("a known lock");
    }

    /// Closes a door as a person does, who cannot while the coil still holds the latch back.
    #[track_caller]
    pub fn close(&self, bus: &str, board: u8, lock: u8) {
        super::until("the coil is off", || (!self.lock(bus, board, lock).coil_on).then_some(()));
        self.door(bus, board, lock, DoorAction::Close);
    }

    /// Puts a fault in force.
    pub fn fault(&self, fault: Fault) {
        self.simulator.fault(fault).expect("a sound fault");
    }

    /// One lock as it is now.
    pub fn lock(&self, bus: &str, board: u8, lock: u8) -> LockState {
        self.simulator.state().lock(bus, board, lock).expect("a known lock").clone()
    }

    /// Whether its door stands open.
    pub fn is_open(&self, bus: &str, board: u8, lock: u8) -> bool {
        self.lock(bus, board, lock).door == DoorPosition::Open
    }

    /// The pulses of one lock.
    pub fn pulses(&self, bus: &str, board: u8, lock: u8) -> Vec<Pulse> {
        let mut pulses = self.simulator.pulses();
        pulses.retain(|it| it.bus == bus && it.board == board && it.lock == lock);
        pulses
    }

    /// On which buses the boards received these bytes, once per time.
    pub fn heard(&self, frame: &str) -> Vec<String> {
        let records = self.simulator.bytes(0);
        let heard = records.iter().filter(|it| it.direction == Direction::Rx);
        heard.flat_map(|it| it.hex.matches(frame).map(|_| it.bus.clone())).collect()
    }

    /// Demands that no rule of the hardware was broken.
    #[track_caller]
    pub fn demand_no_violations(&self) {
        let violations = self.simulator.violations();
        assert!(violations.is_empty(), "{violations:?}");
    }
}

/// Where the scenarios are kept.
fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// One `[[bus]]` of a configuration, with quick polls; `boards` are lines after `[[bus.board]]`.
/// Its port is the link of the same name in the site's place, where the server is started.
pub fn bus_toml(name: &str, baud: u32, boards: &[&str]) -> String {
    let head = format!(
        "[[bus]]\nname = '{name}'\nport = '{name}'\nbaud = {baud}\nreply_timeout_ms = 100\n\
         poll_interval_ms = 100\n"
    );
    let boards = boards.iter().map(|board| format!("[[bus.board]]\n{board}\n"));
    boards.fold(head, |text, board| text + &board)
}

/// A board's line of [`bus_toml`]: a CU16.
pub fn cu16_toml(address: u8) -> String {
    format!("address = {address}\nfamily = 'kerong-cu16'\nlocks = 16\npulse_ms = 550\n")
}

/// A board's line of [`bus_toml`]: a relay board with 8 locks.
pub fn modbus_toml(address: u8) -> String {
    format!("address = {address}\nfamily = 'modbus-relay'\nlocks = 8\npulse_ms = 400\n")
}

/// Longer than any coil may be on.
pub const COIL_MS_MAX: u64 = 1_000;
