//! Floor 2: the serial buses with their lock boards. The only place that opens a serial port.
//!
//! One task per port owns it (`port`); everyone else holds a [`Bus`], a cheap handle. Families of
//! boards are pure codecs (`codec`, `modbus_relay`, `xor_board`, `kerong`, `wkly`); `scanner` finds
//! replies in noise, `transaction` keeps the line's manners, `opening`, `power` and `doors` hold the
//! rules of pulses, supplies and sensors. Invariants: a pulse is sent once, and once more only when its
//! door is seen closed after it; one coil per supply at a time; a coil is timed by its board, never
//! longer than a second; a door without two equal reads is unknown; nothing here ends the program, and
//! a lost port is tried again for ever.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::channel::{BusName, Channel, DoorState};

pub mod codec;
pub mod config;
pub mod doors;
pub mod explain;
pub mod health;
pub mod kerong;
pub mod modbus_relay;
pub mod opening;
mod port;
mod power;
pub mod scanner;
pub mod tools;
mod transaction;
mod transport;
pub mod wkly;
pub mod xor_board;

pub use codec::Unsupported;
pub use config::{BoardConfig, BusConfig, BusConfigError};
pub use doors::{DoorReading, DoorTable};
pub use explain::{Explanation, explain};
pub use health::{
    BoardHealth, BoardLink, Counters, OfflineClass, PortHealth, PortLink, RawExchange,
};
pub use opening::{Doubt, Happened, OpenRefused, OpeningEvent, OpeningWatch, PulseOutcome};
pub use port::tool::{Question, ToolAnswer};
pub use transaction::PortError;

use codec::codec;
use doors::Doors;
use health::PortBoard;
use opening::{CoolDowns, EventSink, OPENS_WAITING_MAX, WaitingOpen};
use port::tool::{TOOLS_WAITING_MAX, ToolAsk};
use port::{PortTask, READS_WAITING_MAX, ReadDoor};
use power::PowerSupplies;
use tools::ToolError;

/// Longest wait for a direct reading of a door.
const READ_DOOR_MAX: Duration = Duration::from_secs(3);

/// Longest wait for the answer to a technician's question.
const TOOL_WAIT_MAX: Duration = Duration::from_secs(5);
/// Longest wait until such a question has its turn.
const TOOL_TURN_MAX: Duration = Duration::from_secs(20);

/// All buses. Clones share them.
#[derive(Debug, Clone)]
pub struct Bus(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ports: HashMap<BusName, Port>,
    doors: Doors,
    supplies: PowerSupplies,
    cool_downs: CoolDowns,
}

/// The sending end of one port task.
#[derive(Debug)]
struct Port {
    baud: u32,
    boards: Vec<BoardConfig>,
    opens: mpsc::Sender<WaitingOpen>,
    reads: mpsc::Sender<ReadDoor>,
    tools: mpsc::Sender<ToolAsk>,
    places: Arc<Semaphore>,
    shared: Arc<PortBoard>,
    beats: Arc<AtomicU64>,
}

impl Bus {
    /// Starts one task per port; each ends after `stop`, with all outputs off and the port closed.
    ///
    /// Never fails: a port that is away is tried for ever. [`BusConfig::check`] belongs before it;
    /// what it would refuse is refused here at each use.
    #[must_use]
    pub fn start(configs: Vec<BusConfig>, tracker: &TaskTracker, stop: &CancellationToken) -> Self {
        let doors = Doors::new(&configs);
        let (supplies, cool_downs) = (PowerSupplies::default(), CoolDowns::default());
        let mut ports = HashMap::new();
        for config in configs {
            let (opens, opens_receiver) = mpsc::channel(OPENS_WAITING_MAX);
            let (reads, reads_receiver) = mpsc::channel(READS_WAITING_MAX);
            let (tools, tools_receiver) = mpsc::channel(TOOLS_WAITING_MAX);
            let shared = Arc::new(PortBoard::new(&config));
            let places = Arc::new(Semaphore::new(OPENS_WAITING_MAX));
            let boards = config.boards.clone();
            let beats = Arc::new(AtomicU64::new(0));
            let port = Port {
                baud: config.baud,
                boards,
                opens,
                reads,
                tools,
                places,
                shared: Arc::clone(&shared),
                beats: Arc::clone(&beats),
            };
            ports.insert(config.name.clone(), port);
            let task = PortTask {
                config,
                opens: opens_receiver,
                reads: reads_receiver,
                tools: tools_receiver,
                doors: doors.clone(),
                supplies: supplies.clone(),
                cool_downs: cool_downs.clone(),
                shared,
                beats,
                stop: stop.clone(),
            };
            tracker.spawn(task.run());
        }
        Self(Arc::new(Inner { ports, doors, supplies, cool_downs }))
    }

    /// Queues one pulse ahead of all polls and follows it.
    ///
    /// An accepted opening always ends; when its port is away it ends as unreachable.
    pub fn open(&self, channel: &Channel) -> Result<OpeningWatch, OpenRefused> {
        self.queue(channel, false)
    }

    /// The same without a second pulse, whatever the sensors show: for a commissioning, which does
    /// not know yet what they mean.
    pub fn open_once(&self, channel: &Channel) -> Result<OpeningWatch, OpenRefused> {
        self.queue(channel, true)
    }

    fn queue(&self, channel: &Channel, once: bool) -> Result<OpeningWatch, OpenRefused> {
        let unknown = || OpenRefused::UnknownChannel(channel.clone());
        let (port, board) = self.find(channel).ok_or_else(unknown)?;
        let place =
            Arc::clone(&port.places).try_acquire_owned().map_err(|_| OpenRefused::QueueFull)?;
        let reserved = self
            .0
            .cool_downs
            .reserve(channel, port.boards[board].duty(), Instant::now())
            .map_err(|retry_after_ms| OpenRefused::CoolingDown { retry_after_ms })?;
        let turn = self.0.supplies.queue(&port.boards[board].power_supply);
        let (sink, watch) = EventSink::new();
        let lock = channel.lock;
        let open = WaitingOpen { board, lock, once, turn, reserved, sink, place };
        match port.opens.try_send(open) {
            Ok(()) => Ok(watch),
            Err(TrySendError::Full(_)) => Err(OpenRefused::QueueFull),
            // The task has ended; dropping the opening told the watch so.
            Err(TrySendError::Closed(open)) => {
                drop(open);
                Ok(watch)
            }
        }
    }

    /// Remembers a pulse that an earlier run sent so long ago: its lock and its supply get the rest
    /// that they would have got. To be called in the order in which the pulses were.
    pub fn remember_pulse(&self, channel: &Channel, ago: Duration) {
        let Some((port, board)) = self.find(channel) else { return };
        let (board, now) = (&port.boards[board], Instant::now());
        let coil = Duration::from_millis(u64::from(board.coil_ms()));
        let Some(over_at) = now.checked_sub(ago).map(|sent_at| sent_at + coil) else { return };
        self.0.cool_downs.remember(channel, board.duty(), over_at);
        if over_at > now {
            self.0.supplies.queue(&board.power_supply).spend(over_at);
        }
    }

    /// In how many milliseconds a lock may be pulsed again; `None` when it may now.
    #[must_use]
    pub fn cooling_ms(&self, channel: &Channel) -> Option<u64> {
        let (port, board) = self.find(channel)?;
        self.0.cool_downs.left_ms(channel, port.boards[board].duty(), Instant::now())
    }

    /// The name of the power supply behind a channel; `None` for one that is not configured.
    #[must_use]
    pub fn supply(&self, channel: &Channel) -> Option<&str> {
        self.find(channel).map(|(port, board)| port.boards[board].power_supply.as_str())
    }

    /// Whether the board of a channel has been asked since its port is open, answered or not.
    #[must_use]
    pub fn was_heard(&self, channel: &Channel) -> bool {
        let Some((port, board)) = self.find(channel) else { return true };
        let health = port.shared.health();
        let known = health.boards.get(board).is_some_and(|it| it.link != BoardLink::Unknown);
        health.link == PortLink::Online && known
    }

    /// Reads a door now, with two equal reads; unknown without sensors or answer. Settles an opening
    /// that a crash interrupted.
    pub async fn read_door(&self, channel: &Channel) -> DoorState {
        let Some((port, board)) = self.find(channel) else { return DoorState::Unknown };
        let (answer, state) = oneshot::channel();
        if port.reads.try_send(ReadDoor { board, lock: channel.lock, answer }).is_err() {
            return DoorState::Unknown;
        }
        match tokio::time::timeout(READ_DOOR_MAX, state).await {
            Ok(Ok(state)) => state,
            _ => DoorState::Unknown,
        }
    }

    /// One door as last published.
    #[must_use]
    pub fn door(&self, channel: &Channel) -> DoorReading {
        self.0.doors.get(channel)
    }

    /// All doors as last published.
    #[must_use]
    pub fn doors(&self) -> Arc<DoorTable> {
        self.0.doors.table()
    }

    /// A number that grows with each published change of a door.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.doors.subscribe()
    }

    /// How all ports and boards are doing, by bus name.
    #[must_use]
    pub fn health(&self) -> Vec<PortHealth> {
        let mut ports: Vec<_> = self.0.ports.values().map(|port| port.shared.health()).collect();
        ports.sort_by(|one, other| one.name.cmp(&other.name));
        ports
    }

    /// A number for each port that grows at least every few seconds while its task is alive.
    pub fn beats(&self) -> impl Iterator<Item = u64> {
        self.0.ports.values().map(|port| port.beats.load(Ordering::Relaxed))
    }

    /// The last raw exchanges with a board, oldest first, at most [`health::EXCHANGES_KEPT`]; without
    /// an address those with addresses where no board is configured. `None`: no such bus or board.
    #[must_use]
    pub fn exchanges(&self, bus: &BusName, board: Option<u8>) -> Option<Vec<RawExchange>> {
        self.0.ports.get(bus)?.shared.exchanges(board)
    }

    /// The speed of a bus.
    #[must_use]
    pub fn baud(&self, bus: &BusName) -> Option<u32> {
        self.0.ports.get(bus).map(|port| port.baud)
    }

    /// The boards of a bus as configured.
    #[must_use]
    pub fn boards(&self, bus: &BusName) -> Option<&[BoardConfig]> {
        self.0.ports.get(bus).map(|port| port.boards.as_slice())
    }

    /// Asks one thing of one address on a port in use, between two polls. Nothing that moves a lock can
    /// be asked this way.
    pub async fn ask(&self, bus: &BusName, question: Question) -> Result<ToolAnswer, ToolError> {
        let port = self.0.ports.get(bus).ok_or_else(|| ToolError::UnknownBus(bus.clone()))?;
        if question.call.request.moves_a_lock() {
            return Err(ToolError::Unsupported(Unsupported::Command(question.family)));
        }
        let frame = codec(question.family).encode(&question.call)?;
        let (answer, answered) = oneshot::channel();
        let wait = question.wait.min(TOOL_WAIT_MAX);
        let linger = question.linger.min(TOOL_WAIT_MAX);
        let ask = ToolAsk { question: Question { wait, linger, ..question }, frame, answer };
        let away = || ToolError::Gone("the port is away".to_owned());
        match port.tools.try_send(ask) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(ToolError::Busy),
            Err(TrySendError::Closed(_)) => return Err(away()),
        }
        match tokio::time::timeout(wait + linger + TOOL_TURN_MAX, answered).await {
            Ok(answer) => answer.map_err(|_| away()),
            Err(_elapsed) => Err(ToolError::Busy),
        }
    }

    fn find(&self, channel: &Channel) -> Option<(&Port, usize)> {
        let port = self.0.ports.get(&channel.bus)?;
        let board = port.boards.iter().position(|board| {
            board.address == channel.board && (1..=board.locks).contains(&channel.lock)
        })?;
        Some((port, board))
    }
}
