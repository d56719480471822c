//! What a simulator tells about itself: state, pulses, bytes and broken rules.
//!
//! Plain serialisable records, made on request by `world.rs` from the live state. Two clocks: `_us`
//! counts microseconds since the simulator started (monotonic), `at_unix_ms` is the same moment
//! in Unix time as it stood at the start.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::config::{BoardKey, SimBoard, SimBus, SimFamily};
use super::fault::{ActiveFault, FaultKind};
use super::lock::{DoorPosition, LatchPosition, Sensor};

/// The whole simulator at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimState {
    /// The seed it was started with.
    pub seed: u64,
    /// Whether bytes take their time.
    pub pacing: bool,
    /// When it was started, Unix milliseconds: the zero of every `at_us`.
    pub started_unix_ms: u64,
    /// The moment.
    pub at_us: u64,
    /// Violations counted since the start.
    pub violations: u64,
    /// Faults in force.
    pub faults: Vec<ActiveFault>,
    /// The buses, in configured order.
    pub buses: Vec<BusState>,
}

impl SimState {
    /// One lock of the state, by bus name, board (name or address) and lock number from 1.
    #[must_use]
    pub fn lock(&self, bus: &str, board: impl Into<BoardKey>, lock: u8) -> Option<&LockState> {
        let key = board.into();
        let board =
            self.bus(bus)?.boards.iter().find(|state| {
                state.name == key.as_str() || key.as_str().parse() == Ok(state.board)
            })?;
        board.locks.iter().find(|state| state.lock == lock)
    }

    /// One bus of the state.
    #[must_use]
    pub fn bus(&self, bus: &str) -> Option<&BusState> {
        self.buses.iter().find(|state| state.name == bus)
    }
}

/// One serial line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BusState {
    /// Its name.
    pub name: String,
    /// The link a client opens; none behind a gateway.
    pub link: Option<PathBuf>,
    /// Where the link leads; none while unplugged.
    pub pts: Option<PathBuf>,
    /// Where the gateway listens; none while unplugged, and behind a link.
    pub tcp: Option<SocketAddr>,
    /// Bits a second.
    pub baud: u32,
    /// Whether the adapter is away.
    pub unplugged: bool,
    /// Whether a client has the port open.
    pub connected: bool,
    /// What went over it.
    pub counters: BusCounters,
    /// Its boards, in configured order.
    pub boards: Vec<BoardState>,
}

/// Counts of one line since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct BusCounters {
    /// Frames with a right checksum.
    pub requests: u64,
    /// Replies sent, complete or not.
    pub replies: u64,
    /// Times the line fell silent after bytes that made no frame.
    pub bad_frames: u64,
    /// Frames for no board of this bus.
    pub unaddressed: u64,
    /// Bytes received.
    pub bytes_rx: u64,
    /// Bytes sent, echo included.
    pub bytes_tx: u64,
    /// Receptions while the client had set another speed; nothing was understood.
    pub baud_mismatches: u64,
    /// Bytes lost: sent while nobody had the port open or its buffer was full, or received while
    /// a board was sending or beyond the receive bound.
    pub lost_bytes: u64,
    /// Bytes of these that the client sent while a board answered it.
    pub talked_over_bytes: u64,
}

/// One board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BoardState {
    /// Configured address.
    pub board: u8,
    /// Name in the control API; the configured address if it was given none.
    pub name: String,
    /// The address it listens to now.
    pub address: u8,
    /// Its protocol.
    pub family: SimFamily,
    /// The supply of its coils.
    pub power_supply: String,
    /// Requests it was addressed by.
    pub requests: u64,
    /// Replies it gave.
    pub replies: u64,
    /// Times it started anew.
    pub resets: u64,
    /// Its locks, by number.
    pub locks: Vec<LockState>,
}

/// One lock.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each a key of the JSON")]
pub struct LockState {
    /// Number from 1, as printed beside the terminals.
    pub lock: u8,
    /// Where the door stands.
    pub door: DoorPosition,
    /// Whether the latch holds.
    pub latch: LatchPosition,
    /// Whether the switch follows the door.
    pub sensor: Sensor,
    /// Whether current flows through the coil.
    pub coil_on: bool,
    /// Coil time since the start. Milliseconds.
    pub coil_ms_total: u64,
    /// Longest single stretch of coil time. Milliseconds.
    pub longest_coil_ms: u64,
    /// Times the coil was commanded on.
    pub pulses: u64,
    /// Whether the coil is ruined by too much current.
    pub burnt: bool,
    /// Whether the door does not spring open.
    pub jammed: bool,
    /// Times the door was pulled open against a locked latch.
    pub forced: u64,
    /// Whether something lies inside.
    pub item: bool,
}

/// One stretch of current through a lock's coil.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pulse {
    /// The bus.
    pub bus: String,
    /// The board's configured address.
    pub board: u8,
    /// The board's name.
    pub name: String,
    /// The lock, from 1.
    pub lock: u8,
    /// Its start, Unix milliseconds.
    pub at_unix_ms: u64,
    /// Its start, microseconds since the simulator started.
    pub at_us: u64,
    /// What the command asked for; none when switched on without a time. Milliseconds.
    pub commanded_ms: Option<u64>,
    /// How long the coil was on so far. Milliseconds.
    pub duration_ms: u64,
}

/// Which way bytes went, seen from the boards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client to the boards.
    Rx,
    /// From the boards to the client.
    Tx,
}

/// Bytes that went over a line together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByteRecord {
    /// Rising number, from 1; ask for what came after it.
    pub seq: u64,
    /// The bus.
    pub bus: String,
    /// Which way.
    pub direction: Direction,
    /// Start of the transmission, microseconds since the simulator started.
    pub at_us: u64,
    /// The bytes, as in `02 00 30 03 35`.
    pub hex: String,
}

/// Which board something happened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BoardPlace {
    /// The bus.
    pub bus: String,
    /// The board's configured address.
    pub board: u8,
    /// The board's name.
    pub name: String,
}

impl BoardPlace {
    /// The place of a board.
    pub(super) fn of(bus: &SimBus, board: &SimBoard) -> Self {
        Self { bus: bus.name.clone(), board: board.address, name: board.name() }
    }
}

/// A fault struck a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Strike {
    /// When, microseconds since the simulator started.
    pub at_us: u64,
    /// The board whose request it was.
    #[serde(flatten)]
    pub place: BoardPlace,
    /// The command or function byte of the request.
    pub command: u8,
    /// What struck.
    #[serde(flatten)]
    pub fault: FaultKind,
}

/// Something on the record: bytes, a fault that struck, or a broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Bytes went over a line.
    Bytes(ByteRecord),
    /// A fault struck.
    Fault(Strike),
    /// A rule was broken.
    Violation(Violation),
}

/// What can be said about a client after a run: the figures that `lockerd` must keep small.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assertions {
    /// The moment, microseconds since the simulator started.
    pub at_us: u64,
    /// Broken rules by kind.
    pub violations: BTreeMap<ViolationKind, u64>,
    /// The longest time a coil was on. Milliseconds.
    pub longest_coil_ms: u64,
    /// Shortest silence before a request; none without pacing. Microseconds.
    pub shortest_gap_us: Option<u64>,
    /// Bytes the client sent while a board was sending.
    pub talked_over_bytes: u64,
    /// Coils that are ruined.
    pub burnt: u64,
    /// The supplies that fed a coil or were described.
    pub supplies: Vec<SupplyState>,
    /// Every lock that was pulsed, by bus and board.
    pub locks: Vec<LockPulses>,
}

/// One power supply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SupplyState {
    /// Its name.
    pub name: String,
    /// Coils it bears at a time.
    pub coils_max: u8,
    /// Most coils it fed or would have had to feed at a time.
    pub coils_together_max: usize,
    /// Times it was asked for too much, and its boards started anew.
    pub brownouts: u64,
}

/// How often a lock was pulsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockPulses {
    /// Its board.
    #[serde(flatten)]
    pub place: BoardPlace,
    /// Its number, from 1.
    pub lock: u8,
    /// Times its coil was commanded on.
    pub pulses: u64,
}

/// A rule the client must keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViolationKind {
    /// A coil was on for more than 1,000 ms.
    CoilTooLong,
    /// A coil was on beyond the time its command asked for.
    CoilOverrun,
    /// More coils of one power supply were on together than it bears.
    CoilsTogether,
    /// A lock was pulsed again within two seconds.
    PulseTooSoon,
    /// Bytes came in while a board was sending.
    TalkedOver,
    /// Less than 3.5 characters of silence before a request; judged only with pacing.
    GapTooShort,
    /// One command that opens several locks was sent.
    OpenAllSent,
}

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// When, microseconds since the simulator started.
    pub at_us: u64,
    /// Which rule.
    pub kind: ViolationKind,
    /// On which bus.
    pub bus: String,
    /// Which board, for coils: its configured address.
    pub board: Option<u8>,
    /// The name of that board.
    pub name: Option<String>,
    /// Which lock, for coils.
    pub lock: Option<u8>,
    /// What was measured, in words.
    pub detail: String,
}
