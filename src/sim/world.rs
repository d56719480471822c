//! The simulated hardware as a whole: boards, locks, power supplies, faults and records.
//!
//! One [`World`] stands behind one mutex; the lines (`line.rs`) hand it frames and carry out the
//! answers it returns, the handle (`sim.rs`) asks and acts. Nothing in here waits or does I/O, so
//! the mutex is only ever held for a moment. Every coil goes on in [`World::switch`] alone, which
//! is where the rules about coils are judged.

use std::collections::HashMap;
use std::path::PathBuf;

use super::SimError;
use super::board::{Addressed, Board, CoilSwitch, Execution, Target};
use super::config::{SimBus, SimConfig, SimFamily};
use super::fault::{Fault, FaultKind, Faults};
use super::lock::{CoilFinding, DoorAction, Sensor};
use super::log::Log;
use super::modbus;
use super::random::Random;
use super::report::{BusCounters, Direction, Violation, ViolationKind};

mod views;

/// Two pulses of one lock must start this far apart: two seconds, less what a busy machine may
/// shift between the client's clock and this one.
const PULSE_APART_US: u64 = 1_950_000;
/// Silence between boards that answer in turn.
const TURN_GAP_US: u64 = 5_000;

/// One serial line and what hangs on it.
#[derive(Debug)]
pub(super) struct Bus {
    pub(super) config: SimBus,
    pub(super) boards: Vec<Board>,
    pub(super) counters: BusCounters,
    /// The pseudo-terminal behind the link; none while unplugged.
    pub(super) pts: Option<PathBuf>,
    pub(super) connected: bool,
}

impl Bus {
    /// The time of one byte on the wire: start, eight data and stop bit.
    pub(super) fn byte_us(&self) -> u64 {
        10_000_000_u64.div_ceil(u64::from(self.config.baud))
    }
}

/// A reply on its way to the line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// When its first byte may leave.
    pub(super) due_us: u64,
    pub(super) bytes: Vec<u8>,
    /// Time from byte to byte when a fault drips it.
    pub(super) drip_us: Option<u64>,
    /// It follows the reply of another board to the same request; the line is not free between.
    pub(super) follows: bool,
}

/// The adapter vanishes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pulled {
    /// It comes back after this time; none: it stays away.
    pub(super) back_after_ms: Option<u32>,
}

/// What comes of a frame.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) answers: Vec<Answer>,
    /// A fault pulls the adapter.
    pub(super) pulled: Option<Pulled>,
}

/// How the faults that struck change a reply.
#[derive(Debug, Default)]
struct Damage {
    silent: bool,
    mute: bool,
    exception: Option<u8>,
    late_us: u64,
    drip_us: Option<u64>,
    pulled: Option<Pulled>,
}

/// A coil that draws from a supply for a time.
#[derive(Debug)]
struct Draw {
    place: (usize, usize, usize),
    from_us: u64,
    until_us: u64,
}

/// See the file's head.
#[derive(Debug)]
pub(super) struct World {
    seed: u64,
    pub(super) pacing: bool,
    started_unix_ms: u64,
    random: Random,
    pub(super) buses: Vec<Bus>,
    supplies: HashMap<String, Vec<Draw>>,
    faults: Faults,
    pub(super) log: Log,
}

impl World {
    /// Builds the hardware of a checked configuration.
    pub(super) fn new(config: &SimConfig, started_unix_ms: u64) -> Self {
        let mut random = Random::new(config.seed);
        let buses = config
            .buses
            .iter()
            .map(|bus| Bus {
                config: bus.clone(),
                boards: bus
                    .boards
                    .iter()
                    .map(|board| Board::new(board, config.physics, random.next_u64()))
                    .collect(),
                counters: BusCounters::default(),
                pts: None,
                connected: false,
            })
            .collect();
        Self {
            seed: config.seed,
            pacing: config.pacing,
            started_unix_ms,
            random,
            buses,
            supplies: HashMap::new(),
            faults: Faults::default(),
            log: Log::default(),
        }
    }

    /// Lets every board of the family see a frame that was complete at `now_us`.
    pub(super) fn request(
        &mut self,
        bus: usize,
        family: SimFamily,
        frame: &[u8],
        now_us: u64,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let mut in_turn = Vec::new();
        let mut at_once: Vec<Answer> = Vec::new();
        let mut heard = false;
        let target = family.target(frame);
        self.buses[bus].counters.requests += 1;
        for index in self.boards_in_order(bus, family) {
            if self.buses[bus].boards[index].addressed(frame) == Addressed::No {
                continue;
            }
            heard = true;
            let (execution, damage, shape) = self.obey(bus, index, frame, target, now_us);
            if damage.pulled.is_some() {
                outcome.pulled = damage.pulled;
            }
            let Some(reply) = execution.reply else { continue };
            let bytes = self.shape(family, reply, &shape);
            let answer = self.schedule(bus, index, bytes, &damage, now_us);
            if execution.in_turn { in_turn.push(answer) } else { merge(&mut at_once, answer) }
        }
        if !heard {
            self.buses[bus].counters.unaddressed += 1;
        }
        self.queue_in_turn(bus, &mut in_turn);
        outcome.answers = at_once;
        outcome.answers.append(&mut in_turn);
        outcome
    }

    fn boards_in_order(&self, bus: usize, family: SimFamily) -> Vec<usize> {
        let boards = &self.buses[bus].boards;
        let mut order: Vec<usize> =
            (0..boards.len()).filter(|n| boards[*n].config.family == family).collect();
        order.sort_by_key(|n| boards[*n].address);
        order
    }

    /// Draws the faults for one board, then lets it obey unless one of them forbids it.
    fn obey(
        &mut self,
        bus: usize,
        index: usize,
        frame: &[u8],
        target: Target,
        now_us: u64,
    ) -> (Execution, Damage, Vec<FaultKind>) {
        let Bus { config, boards, .. } = &mut self.buses[bus];
        let board = &mut boards[index];
        board.requests += 1;
        let is_modbus = board.config.family == SimFamily::ModbusRelay;
        let (name, address) = (&config.name, board.config.address);
        let struck = self.faults.strike(name, address, target, is_modbus, &mut self.random);
        let damage = damage_of(&struck);
        if damage.silent {
            return (Execution::default(), damage, struck);
        }
        if let Some(code) = damage.exception {
            return (modbus::exception(board.address, target.command, code), damage, struck);
        }
        let mut execution = board.execute(frame, now_us);
        for (lock, change) in std::mem::take(&mut execution.coils) {
            self.switch((bus, index, lock), change, now_us);
        }
        if damage.mute || damage.pulled.is_some() {
            execution.reply = None;
        }
        (execution, damage, struck)
    }

    /// Bends the reply as the faults that struck say.
    fn shape(&mut self, family: SimFamily, mut reply: Vec<u8>, struck: &[FaultKind]) -> Vec<u8> {
        let has = |kind| struck.contains(&kind);
        if has(FaultKind::WrongAddress) {
            family.readdress(&mut reply);
        }
        if has(FaultKind::BadChecksum)
            && let Some(last) = reply.last_mut()
        {
            *last = last.wrapping_add(1);
        }
        for kind in struck {
            if let FaultKind::Truncated { bytes } = kind {
                reply.truncate(*bytes as usize);
            }
        }
        if has(FaultKind::Duplicate) {
            reply = [reply.as_slice(), reply.as_slice()].concat();
        }
        for kind in struck {
            if let FaultKind::Noise { bytes } = kind {
                reply.splice(0..0, self.random.bytes(*bytes as usize));
            }
        }
        reply
    }

    fn schedule(
        &mut self,
        bus: usize,
        index: usize,
        bytes: Vec<u8>,
        damage: &Damage,
        now_us: u64,
    ) -> Answer {
        let board = &mut self.buses[bus].boards[index];
        let turnaround_us =
            if self.pacing { u64::from(board.config.turnaround_ms) * 1_000 } else { 0 };
        let due_us = (now_us + turnaround_us + damage.late_us).max(board.busy_until_us);
        board.busy_until_us = due_us;
        board.replies += 1;
        Answer { due_us, bytes, drip_us: damage.drip_us, follows: false }
    }

    /// Lets each board wait until the one before has sent and left a gap.
    fn queue_in_turn(&self, bus: usize, answers: &mut [Answer]) {
        let byte_us = self.buses[bus].byte_us();
        let mut free_us = 0;
        for (turn, answer) in answers.iter_mut().enumerate() {
            answer.follows = turn > 0;
            answer.due_us = answer.due_us.max(free_us);
            if self.pacing {
                free_us = answer.due_us + answer.bytes.len() as u64 * byte_us + TURN_GAP_US;
            }
        }
    }

    /// Switches one coil and judges the rules about coils. `place` is bus, board and lock index.
    fn switch(&mut self, place: (usize, usize, usize), change: CoilSwitch, now_us: u64) {
        let (bus, board, lock) = place;
        let board_state = &mut self.buses[bus].boards[board];
        let supply = board_state.config.power_supply.clone();
        let Some(lock_state) = board_state.locks.get_mut(lock) else { return };
        let CoilSwitch::On { after_us, duration_us } = change else {
            lock_state.switch_off(now_us);
            self.draws(&supply, now_us).retain(|draw| draw.place != place);
            self.collect_findings(place);
            return;
        };
        if duration_us.is_none() && lock_state.is_held(now_us) {
            return;
        }
        let from_us = now_us + after_us;
        let until_us = duration_us.map_or(u64::MAX, |duration| from_us + duration);
        let previous_us = lock_state.energise(now_us, from_us, duration_us);
        self.collect_findings(place);
        if let Some(apart_us) = previous_us.map(|previous| from_us.saturating_sub(previous))
            && apart_us < PULSE_APART_US
        {
            let detail = format!("pulsed {} ms after the previous pulse", apart_us / 1_000);
            self.violate(place, ViolationKind::PulseTooSoon, from_us, detail);
        }
        let draws = self.draws(&supply, now_us);
        draws.retain(|draw| draw.place != place);
        let other = draws.iter().find(|draw| draw.from_us < until_us && from_us < draw.until_us);
        let other_place = other.map(|draw| draw.place);
        draws.push(Draw { place, from_us, until_us });
        if let Some((bus, board, lock)) = other_place {
            let bus = &self.buses[bus];
            let detail = format!(
                "power supply {supply:?} already feeds {}/{}/{}",
                bus.config.name,
                bus.boards[board].config.address,
                lock + 1
            );
            self.violate(place, ViolationKind::CoilsTogether, from_us, detail);
        }
    }

    /// The coils a supply feeds now or later.
    fn draws(&mut self, supply: &str, now_us: u64) -> &mut Vec<Draw> {
        let draws = self.supplies.entry(supply.to_owned()).or_default();
        draws.retain(|draw| draw.until_us > now_us);
        draws
    }

    /// Brings every lock to `now_us` and notes what their coils did.
    fn settle(&mut self, now_us: u64) {
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

    fn violate(
        &mut self,
        place: (usize, usize, usize),
        kind: ViolationKind,
        at_us: u64,
        detail: String,
    ) {
        let bus = &self.buses[place.0];
        self.log.note_violation(Violation {
            at_us,
            kind,
            bus: bus.config.name.clone(),
            board: Some(bus.boards[place.1].config.address),
            lock: u8::try_from(place.2 + 1).ok(),
            detail,
        });
    }

    /// Notes a rule of the line itself that was broken.
    pub(super) fn violate_line(
        &mut self,
        bus: usize,
        kind: ViolationKind,
        at_us: u64,
        detail: String,
    ) {
        let bus = self.buses[bus].config.name.clone();
        self.log.note_violation(Violation { at_us, kind, bus, board: None, lock: None, detail });
    }

    /// Notes bytes and counts them.
    pub(super) fn note_bytes(
        &mut self,
        bus: usize,
        direction: Direction,
        at_us: u64,
        bytes: &[u8],
    ) {
        let counters = &mut self.buses[bus].counters;
        match direction {
            Direction::Rx => counters.bytes_rx += bytes.len() as u64,
            Direction::Tx => counters.bytes_tx += bytes.len() as u64,
        }
        self.log.note_bytes(bus, direction, at_us, bytes);
    }

    /// A few bytes as a receiver at another speed hears them.
    pub(super) fn garbage(&mut self) -> Vec<u8> {
        let count = 1 + usize::from(self.random.chance(0.5)) + usize::from(self.random.chance(0.5));
        self.random.bytes(count)
    }

    /// Whether requests come back as an echo on this bus.
    pub(super) fn echoes(&self, bus: usize) -> bool {
        self.faults.echoes(&self.buses[bus].config.name)
    }

    /// Puts a fault in force and returns its number.
    pub(super) fn add_fault(&mut self, fault: Fault, now_us: u64) -> Result<u64, SimError> {
        fault.check()?;
        let bus = self.find_bus(&fault.bus)?;
        if let Some(address) = fault.board {
            let board = self.find_board(bus, address)?;
            if let Some(lock) = fault.lock {
                self.find_lock(bus, board, lock)?;
            }
        }
        let id = self.faults.add(fault)?;
        self.apply_sensors(now_us);
        Ok(id)
    }

    /// Ends every fault.
    pub(super) fn clear_faults(&mut self, now_us: u64) {
        self.faults.active.clear();
        self.apply_sensors(now_us);
    }

    /// Sets each door switch as the sensor faults in force say; the last one wins.
    fn apply_sensors(&mut self, now_us: u64) {
        for bus in &mut self.buses {
            for board in &mut bus.boards {
                for (lock, number) in board.locks.iter_mut().zip(1_u8..) {
                    lock.advance(now_us);
                    lock.sensor = Sensor::Works;
                    for active in &self.faults.active {
                        let fault = &active.fault;
                        let here = fault.bus == bus.config.name
                            && fault.board == Some(board.config.address)
                            && fault.lock.is_none_or(|only| only == number);
                        match fault.kind {
                            FaultKind::SensorOpen if here => lock.sensor = Sensor::StuckOpen,
                            FaultKind::SensorClosed if here => lock.sensor = Sensor::StuckClosed,
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    /// Acts on a door by hand.
    pub(super) fn act(
        &mut self,
        (bus, board, lock): (&str, u8, u8),
        action: DoorAction,
        now_us: u64,
    ) -> Result<(), SimError> {
        let bus = self.find_bus(bus)?;
        let board = self.find_board(bus, board)?;
        let lock = self.find_lock(bus, board, lock)?;
        self.buses[bus].boards[board].locks[lock].act(action, now_us);
        Ok(())
    }

    /// Index of the bus with this name.
    pub(super) fn find_bus(&self, name: &str) -> Result<usize, SimError> {
        self.buses.iter().position(|bus| bus.config.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.buses.iter().map(|bus| bus.config.name.as_str()).collect();
            SimError::UnknownBus { name: name.to_owned(), known: known.join(", ") }
        })
    }

    fn find_board(&self, bus: usize, address: u8) -> Result<usize, SimError> {
        let Bus { config, boards, .. } = &self.buses[bus];
        boards.iter().position(|board| board.config.address == address).ok_or_else(|| {
            let known: Vec<String> =
                boards.iter().map(|board| board.config.address.to_string()).collect();
            SimError::UnknownBoard {
                bus: config.name.clone(),
                board: address,
                known: known.join(", "),
            }
        })
    }

    fn find_lock(&self, bus: usize, board: usize, lock: u8) -> Result<usize, SimError> {
        let config = &self.buses[bus].boards[board].config;
        if (1..=config.locks).contains(&lock) {
            return Ok(usize::from(lock - 1));
        }
        Err(SimError::UnknownLock { board: config.address, lock, locks: config.locks })
    }
}

fn damage_of(struck: &[FaultKind]) -> Damage {
    let mut damage = Damage::default();
    for kind in struck {
        match *kind {
            FaultKind::Silent => damage.silent = true,
            FaultKind::SilentObeys => damage.mute = true,
            FaultKind::Late { ms } => damage.late_us += u64::from(ms) * 1_000,
            FaultKind::Drip { ms } => damage.drip_us = Some(u64::from(ms) * 1_000),
            FaultKind::Exception { code } => damage.exception = Some(code),
            FaultKind::Unplug { back_after_ms } => damage.pulled = Some(Pulled { back_after_ms }),
            _ => {}
        }
    }
    damage
}

/// Boards that answer at the same moment drive the line together: a 0 bit wins.
fn merge(answers: &mut Vec<Answer>, answer: Answer) {
    let Some(first) = answers.iter_mut().find(|other| other.due_us == answer.due_us) else {
        answers.push(answer);
        return;
    };
    let (mut long, short) = if first.bytes.len() >= answer.bytes.len() {
        (std::mem::take(&mut first.bytes), answer.bytes)
    } else {
        (answer.bytes, std::mem::take(&mut first.bytes))
    };
    for (byte, other) in long.iter_mut().zip(short) {
        *byte &= other;
    }
    first.bytes = long;
}

#[cfg(test)]
mod tests;
