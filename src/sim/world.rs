//! The simulated hardware as a whole: boards, locks, power supplies, faults and records.
//!
//! One [`World`] stands behind one mutex; the lines (`line.rs`) hand it frames and carry out the
//! answers it returns, the handle (`sim.rs`) asks and acts. Nothing in here waits or does I/O, so
//! the mutex is only ever held for a moment. `world/reply.rs` takes a request to its boards,
//! `world/power.rs` switches the coils and judges the rules about them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::SimError;
use super::board::{Addressed, Board, CoilSwitch, Execution, Opens, Target};
use super::config::{BoardKey, SimBus, SimConfig};
use super::fault::{ActiveFault, Fault, FaultKind, Faults};
use super::lock::{Ailment, Chatter, CoilFinding, DoorAction, Sensor};
use super::log::Log;
use super::random::Random;
use super::report::{BusCounters, Direction, Violation, ViolationKind};

mod power;
mod reply;
mod views;

use power::Supply;

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
    /// Replies held back, for the next one to take along.
    pub(super) held: Vec<u8>,
    /// Shortest silence before a request so far, with pacing.
    pub(super) shortest_gap_us: Option<u64>,
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
    /// The adapter vanishes once it has left.
    pub(super) pulled: Option<Pulled>,
}

/// The adapter vanishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// See the file's head.
#[derive(Debug)]
pub(super) struct World {
    seed: u64,
    pub(super) pacing: bool,
    started_unix_ms: u64,
    random: Random,
    pub(super) buses: Vec<Bus>,
    supplies: BTreeMap<String, Supply>,
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
                held: Vec::new(),
                shortest_gap_us: None,
            })
            .collect();
        Self {
            seed: config.seed,
            pacing: config.pacing,
            started_unix_ms,
            random,
            buses,
            supplies: config
                .supplies
                .iter()
                .map(|supply| (supply.name.clone(), Supply::new(supply.coils_max)))
                .collect(),
            faults: Faults::default(),
            log: Log::default(),
        }
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

    /// How many bytes of what the client sends come back to it; none: nothing does.
    pub(super) fn echoes(&self, bus: usize) -> Option<usize> {
        self.faults.echoes(&self.buses[bus].config.name)
    }

    /// Whether nothing is read from the client.
    pub(super) fn stalls(&mut self, bus: usize, now_us: u64) -> bool {
        self.tick(now_us);
        self.faults.stalls(&self.buses[bus].config.name)
    }

    /// Lets happen what was due up to `now_us` by itself: ends of faults and brown-outs.
    pub(super) fn tick(&mut self, now_us: u64) {
        if let Some(at_us) = self.faults.expire(now_us) {
            self.apply_ailments(at_us);
        }
        self.brown_out(now_us);
    }

    /// Puts a fault in force and returns its number.
    pub(super) fn add_fault(&mut self, fault: Fault, now_us: u64) -> Result<u64, SimError> {
        self.tick(now_us);
        self.check_fault(&fault)?;
        let id = self.faults.add(fault, now_us)?;
        self.apply_ailments(now_us);
        Ok(id)
    }

    /// Checks that a fault makes sense and that its place exists.
    pub(super) fn check_fault(&self, fault: &Fault) -> Result<(), SimError> {
        fault.check()?;
        let bus = self.find_bus(&fault.bus)?;
        if let Some(key) = &fault.board {
            let board = self.find_board(bus, key)?;
            if let Some(lock) = fault.lock {
                self.find_lock(bus, board, lock)?;
            }
        }
        Ok(())
    }

    /// How many locks a board has, if this lock, or any for none, is one of them.
    pub(super) fn lock_of(
        &self,
        bus: &str,
        key: &BoardKey,
        lock: Option<u8>,
    ) -> Result<u8, SimError> {
        let bus = self.find_bus(bus)?;
        let board = self.find_board(bus, key)?;
        if let Some(lock) = lock {
            self.find_lock(bus, board, lock)?;
        }
        Ok(self.buses[bus].boards[board].config.locks)
    }

    /// Ends every fault.
    pub(super) fn clear_faults(&mut self, now_us: u64) {
        self.tick(now_us);
        self.faults.active.clear();
        self.apply_ailments(now_us);
    }

    /// Ends one fault; false if there is none of this number.
    pub(super) fn clear_fault(&mut self, id: u64, now_us: u64) -> bool {
        self.tick(now_us);
        let found = self.faults.remove(id);
        self.apply_ailments(now_us);
        found
    }

    /// Sets what is broken about each lock as the faults in force say; the last one wins.
    fn apply_ailments(&mut self, now_us: u64) {
        let mut healed = Vec::new();
        for (bus_index, bus) in self.buses.iter_mut().enumerate() {
            for (board_index, board) in bus.boards.iter_mut().enumerate() {
                for (lock, number) in board.locks.iter_mut().zip(1_u8..) {
                    let here = |active: &&ActiveFault| {
                        let fault = &active.fault;
                        fault.bus == bus.config.name
                            && fault.board.as_ref().is_some_and(|key| key.means(&board.config))
                            && fault.lock.is_none_or(|only| only == number)
                    };
                    let ailment = ailment_of(self.faults.active.iter().filter(here));
                    if lock.ailment().welded && !ailment.welded {
                        healed.push((bus_index, board_index, usize::from(number) - 1));
                    }
                    lock.ails(ailment, now_us);
                }
            }
        }
        for place in healed {
            self.unload(place);
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
        self.tick(now_us);
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

fn ailment_of<'a>(faults: impl Iterator<Item = &'a ActiveFault>) -> Ailment {
    let mut ailment = Ailment::default();
    for active in faults {
        match active.fault.kind {
            FaultKind::SensorOpen => ailment.sensor = Sensor::StuckOpen,
            FaultKind::SensorClosed => ailment.sensor = Sensor::StuckClosed,
            FaultKind::Inverted => ailment.inverted = true,
            FaultKind::SpringBack => ailment.springs_back = true,
            FaultKind::StuckLatch => ailment.stuck_latch = true,
            FaultKind::Welded => ailment.welded = true,
            FaultKind::Bounce { edges, ms } => {
                let (from_us, step_us) = (active.since_us, u64::from(ms) * 1_000);
                ailment.chatter = Some(Chatter { from_us, edges, step_us });
            }
            _ => {}
        }
    }
    ailment
}

#[cfg(test)]
mod tests;
