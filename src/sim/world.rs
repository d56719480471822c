//! The simulated hardware as a whole: boards, locks, power supplies, faults and records.
//!
//! One [`World`] stands behind one mutex; the lines (`line.rs`) hand it frames and carry out the
//! answers it returns, the handle (`sim.rs`) asks and acts. Nothing in here waits or does I/O, so
//! the mutex is only ever held for a moment. Every coil goes on in [`World::switch`] alone, which
//! is where the rules about coils are judged.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::SimError;
use super::board::{Addressed, Board, CoilSwitch, Execution, Opens, Target};
use super::config::{BoardKey, SimBus, SimConfig, SimFamily};
use super::fault::{Fault, FaultKind, Faults};
use super::lock::{Ailment, CoilFinding, DoorAction, Sensor};
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
    /// Where the gateway listens; none while unplugged.
    pub(super) tcp: Option<SocketAddr>,
    pub(super) connected: bool,
}

impl Bus {
    /// Whether a board here hears a client at this speed.
    pub(super) fn hears(&self, baud: u32) -> bool {
        let is = |own: Option<u32>| own.unwrap_or(self.config.baud) == baud;
        self.config.boards.is_empty() && is(None)
            || self.config.boards.iter().any(|board| is(board.baud))
    }
}

/// The time of one byte on the wire: start, eight data and stop bit.
pub(super) fn byte_us(baud: u32) -> u64 {
    10_000_000_u64.div_ceil(u64::from(baud.max(1)))
}

/// Bytes that were complete at a moment, and how fast they came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub(super) at_us: u64,
    /// Bits a second.
    pub(super) baud: u32,
}

/// A reply on its way to the line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// When its first byte may leave.
    pub(super) due_us: u64,
    pub(super) bytes: Vec<u8>,
    /// Time from byte to byte when a fault drips it.
    pub(super) drip_us: Option<u64>,
    /// It follows the reply of another board to the same request; the line is not free between.
    pub(super) follows: bool,
    /// The board speaks by itself, so a client cannot know that the line is taken.
    pub(super) unasked: bool,
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
                tcp: None,
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

    /// Lets every board of the family and speed see a frame.
    pub(super) fn request(
        &mut self,
        bus: usize,
        family: SimFamily,
        frame: &[u8],
        heard_as: Heard,
    ) -> Outcome {
        let now_us = heard_as.at_us;
        let mut outcome = Outcome::default();
        let mut in_turn = Vec::new();
        let mut at_once: Vec<Answer> = Vec::new();
        let mut heard = false;
        let byte_us = if self.pacing { byte_us(heard_as.baud) } else { 0 };
        let target = family.target(frame);
        self.buses[bus].counters.requests += 1;
        for index in self.boards_in_order(bus, family, heard_as.baud) {
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
            let answer = self.schedule((bus, index), bytes, &damage, now_us + execution.after_us);
            if execution.in_turn {
                in_turn.push(answer);
            } else {
                collide(&mut at_once, answer, byte_us, &mut self.random);
            }
        }
        if !heard {
            self.buses[bus].counters.unaddressed += 1;
        } else if target.opens == Opens::Many {
            let detail = format!("command {:02X} opens several locks at once", target.command);
            self.violate_line(bus, ViolationKind::OpenAllSent, now_us, detail);
        }
        self.queue_in_turn(byte_us, &mut in_turn);
        outcome.answers = at_once;
        outcome.answers.append(&mut in_turn);
        outcome
    }

    /// What boards say by themselves because a lock changed.
    pub(super) fn news(&mut self, bus: usize, now_us: u64) -> Vec<Answer> {
        let mut answers = Vec::new();
        for board in &mut self.buses[bus].boards {
            if board.config.reports_changes {
                for bytes in board.news(now_us) {
                    board.replies += 1;
                    let due_us = now_us.max(board.busy_until_us);
                    answers.push(Answer { due_us, bytes, unasked: true, ..Answer::default() });
                }
            }
        }
        answers
    }

    fn boards_in_order(&self, bus: usize, family: SimFamily, baud: u32) -> Vec<usize> {
        let Bus { config, boards, .. } = &self.buses[bus];
        let mut order: Vec<usize> = (0..boards.len())
            .filter(|n| {
                let board = &boards[*n].config;
                board.family == family && board.baud.unwrap_or(config.baud) == baud
            })
            .collect();
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
        let struck =
            self.faults.strike(&config.name, &board.config, target, is_modbus, &mut self.random);
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
        (bus, index): (usize, usize),
        bytes: Vec<u8>,
        damage: &Damage,
        ready_us: u64,
    ) -> Answer {
        let board = &mut self.buses[bus].boards[index];
        let turnaround_us =
            if self.pacing { u64::from(board.config.turnaround_ms) * 1_000 } else { 0 };
        let due_us = (ready_us + turnaround_us + damage.late_us).max(board.busy_until_us);
        board.busy_until_us = due_us;
        board.replies += 1;
        Answer { due_us, bytes, drip_us: damage.drip_us, follows: false, unasked: false }
    }

    /// Lets each board wait until the one before has sent and left a gap.
    fn queue_in_turn(&self, byte_us: u64, answers: &mut [Answer]) {
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
                bus.boards[board].config.name(),
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
            name: Some(bus.boards[place.1].config.name()),
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
        self.log.note_violation(Violation {
            at_us,
            kind,
            bus,
            board: None,
            name: None,
            lock: None,
            detail,
        });
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
        if let Some(key) = &fault.board {
            let board = self.find_board(bus, key)?;
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
                    let mut ailment = Ailment::default();
                    for active in &self.faults.active {
                        let fault = &active.fault;
                        let here = fault.bus == bus.config.name
                            && fault.board.as_ref().is_some_and(|key| key.means(&board.config))
                            && fault.lock.is_none_or(|only| only == number);
                        match fault.kind {
                            FaultKind::SensorOpen if here => ailment.sensor = Sensor::StuckOpen,
                            FaultKind::SensorClosed if here => ailment.sensor = Sensor::StuckClosed,
                            _ => {}
                        }
                    }
                    lock.ails(ailment, now_us);
                }
            }
        }
    }

    /// Acts on a door by hand.
    pub(super) fn act(
        &mut self,
        (bus, board, lock): (&str, &BoardKey, u8),
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

    /// Index of the board with this name, or with this configured address.
    fn find_board(&self, bus: usize, key: &BoardKey) -> Result<usize, SimError> {
        let Bus { config, boards, .. } = &self.buses[bus];
        boards.iter().position(|board| key.means(&board.config)).ok_or_else(|| {
            let known: Vec<String> = boards.iter().map(|board| board.config.name()).collect();
            SimError::UnknownBoard {
                bus: config.name.clone(),
                board: key.to_string(),
                known: known.join(", "),
            }
        })
    }

    fn find_lock(&self, bus: usize, board: usize, lock: u8) -> Result<usize, SimError> {
        let config = &self.buses[bus].boards[board].config;
        if (1..=config.locks).contains(&lock) {
            return Ok(usize::from(lock - 1));
        }
        Err(SimError::UnknownLock { board: config.name(), lock, locks: config.locks })
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

/// Boards that answer at the same time drive the line together: where their bytes overlap and
/// differ, nobody can say what is read. Times without pacing are moments only.
fn collide(answers: &mut Vec<Answer>, answer: Answer, byte_us: u64, random: &mut Random) {
    let length_us = |it: &Answer| (it.bytes.len() as u64 * byte_us).max(1);
    let overlapping = answers.iter().position(|other| {
        other.due_us < answer.due_us + length_us(&answer)
            && answer.due_us < other.due_us + length_us(other)
    });
    let Some(place) = overlapping else {
        answers.push(answer);
        return;
    };
    let other = &mut answers[place];
    if answer.due_us < other.due_us {
        let first = std::mem::replace(other, answer);
        let second = std::mem::replace(other, first);
        return overlay(other, second, byte_us, random);
    }
    overlay(other, answer, byte_us, random);
}

/// Lays `second`, which starts no earlier, over `first`.
fn overlay(first: &mut Answer, second: Answer, byte_us: u64, random: &mut Random) {
    let offset_us = second.due_us - first.due_us;
    let offset = usize::try_from(offset_us.checked_div(byte_us).unwrap_or(0)).unwrap_or(0);
    let in_step = offset_us.checked_rem(byte_us).unwrap_or(0) == 0;
    for (n, byte) in second.bytes.into_iter().enumerate() {
        match first.bytes.get_mut(offset + n) {
            Some(other) if in_step && *other == byte => {}
            Some(other) => *other = random.bytes(1)[0],
            None => first.bytes.push(byte),
        }
    }
}

#[cfg(test)]
mod tests;
