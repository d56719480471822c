//! Proving the wiring of one board: which lock opens which door, and what its sensors mean.
//!
//! A technician opens each lock once and closes its door again; this machine says what comes next, takes
//! what was seen and judges it. It is pure: whoever drives it reads the inputs, pulses the lock and
//! passes the time on. Invariants: a lock that is proven stays proven whatever comes after it; one lock
//! is under way at a time; a lock is not pulsed again before [`REST_MS`] have passed. It is stored as it
//! is after each step, so that a proof goes on where it was left.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::channel::{BusName, Channel, Family};
use super::id::LockerId;

mod conclusion;
mod verdict;

pub use conclusion::Conclusion;
pub use verdict::Verdict;

/// Least time between two pulses of one lock, in milliseconds: its coil must cool.
pub const REST_MS: u64 = 2_000;

/// A set of locks of one board, counted from 1; lock numbers beyond 64 are in no set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LockSet(u64);

impl LockSet {
    /// Whether a lock is in it.
    #[must_use]
    pub const fn has(self, lock: u8) -> bool {
        lock >= 1 && lock <= 64 && (self.0 >> (lock - 1)) & 1 == 1
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The locks in it, lowest first.
    pub fn locks(self) -> impl Iterator<Item = u8> {
        (1..=64).filter(move |lock| self.has(*lock))
    }

    /// The locks whose bit differs, of those that both readings know.
    const fn differing(self, other: Self, known: Self) -> Self {
        Self((self.0 ^ other.0) & known.0)
    }

    const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl FromIterator<u8> for LockSet {
    fn from_iter<T: IntoIterator<Item = u8>>(locks: T) -> Self {
        let bit = |lock: u8| if (1..=64).contains(&lock) { 1 << (lock - 1) } else { 0 };
        Self(locks.into_iter().fold(0, |bits, lock| bits | bit(lock)))
    }
}

/// The raw inputs of a board at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reading {
    /// Inputs that are 1, read with the highest byte first or as the family has it.
    pub inputs: LockSet,
    /// The same bytes read the other way round, where boards of the family differ in that.
    pub lowest_first: Option<LockSet>,
    /// Inputs that were reported at all; empty when the board has none or did not answer.
    pub known: LockSet,
    /// The input of the lock under way, read alone, where the family can.
    pub one: Option<bool>,
}

/// What pulsing one lock moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The input that changed.
    pub sensor: Option<u8>,
    /// The bit it showed before, with the door closed.
    pub closed_bit: Option<bool>,
}

/// What is known of one lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LockResult {
    /// It opens this door.
    Proven {
        /// The number on the door.
        number: LockerId,
        /// What its sensor showed.
        #[serde(flatten)]
        moved: Moved,
    },
    /// It was left out; what was seen last says why, if anything was.
    Skipped {
        /// The last verdict on it.
        why: Option<Verdict>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
enum Stage {
    Ready,
    Pulsed,
    Number { moved: Moved },
    Close { moved: Moved, number: LockerId },
}

/// What the technician is asked to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Close all doors and have this lock pulsed.
    Pulse {
        /// The lock, from 1.
        lock: u8,
    },
    /// A pulse is under way; nothing but what it moved is awaited.
    Wait {
        /// The lock.
        lock: u8,
    },
    /// Say which number stands on the door that opened.
    Number {
        /// The lock.
        lock: u8,
        /// The number that is expected there.
        proposed: Option<LockerId>,
    },
    /// Close the door.
    Close {
        /// The lock.
        lock: u8,
        /// The number on the door.
        number: LockerId,
    },
    /// Every lock is proven or left out.
    Done,
}

impl Step {
    /// The published name: pulse, wait, number, close or done.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pulse { .. } => "pulse",
            Self::Wait { .. } => "wait",
            Self::Number { .. } => "number",
            Self::Close { .. } => "close",
            Self::Done => "done",
        }
    }

    /// The lock it is about.
    #[must_use]
    pub const fn lock(self) -> Option<u8> {
        match self {
            Self::Pulse { lock }
            | Self::Wait { lock }
            | Self::Number { lock, .. }
            | Self::Close { lock, .. } => Some(lock),
            Self::Done => None,
        }
    }
}

/// Why an event does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Something else is awaited.
    #[error("that is not what comes next: {expected} does", expected = .0.name())]
    OutOfTurn(Step),
    /// The coil must cool.
    #[error("the coil must rest: pulse it again in {0} ms")]
    Resting(u64),
}

/// The proof of one board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    bus: BusName,
    board: u8,
    family: Family,
    locks: u8,
    /// The numbers that the site's layout has now, by lock.
    expected: BTreeMap<u8, LockerId>,
    results: BTreeMap<u8, LockResult>,
    /// The lock under way; 0 when all are through.
    at: u8,
    #[serde(flatten)]
    stage: Stage,
    /// What was last seen of the lock under way or the one before.
    last: Option<Verdict>,
    /// Readings that only the usual and only the other byte order explains.
    usual_order: u32,
    other_order: u32,
    /// When each lock was pulsed last, on the clock of whoever drives this; not kept.
    #[serde(skip)]
    pulsed_at_ms: BTreeMap<u8, u64>,
}

impl Proof {
    /// Begins with the first lock of a board.
    #[must_use]
    pub fn new(
        (bus, board): (BusName, u8),
        family: Family,
        locks: u8,
        expected: BTreeMap<u8, LockerId>,
    ) -> Self {
        let mut proof = Self {
            bus,
            board,
            family,
            locks,
            expected,
            results: BTreeMap::new(),
            at: 0,
            stage: Stage::Ready,
            last: None,
            usual_order: 0,
            other_order: 0,
            pulsed_at_ms: BTreeMap::new(),
        };
        proof.advance();
        proof
    }

    /// The bus.
    #[must_use]
    pub const fn bus(&self) -> &BusName {
        &self.bus
    }

    /// The board's address.
    #[must_use]
    pub const fn board(&self) -> u8 {
        self.board
    }

    /// The board's family.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.family
    }

    /// How many locks it drives.
    #[must_use]
    pub const fn locks(&self) -> u8 {
        self.locks
    }

    /// What is known so far, by lock.
    #[must_use]
    pub const fn results(&self) -> &BTreeMap<u8, LockResult> {
        &self.results
    }

    /// What was seen last.
    #[must_use]
    pub const fn last(&self) -> Option<&Verdict> {
        self.last.as_ref()
    }

    /// The number the site's layout expects at a lock.
    #[must_use]
    pub fn expected(&self, lock: u8) -> Option<LockerId> {
        self.expected.get(&lock).copied()
    }

    /// The channel of a lock of this board.
    #[must_use]
    pub fn channel(&self, lock: u8) -> Channel {
        Channel { bus: self.bus.clone(), board: self.board, lock }
    }

    /// What comes next.
    #[must_use]
    pub fn step(&self) -> Step {
        let lock = self.at;
        match self.stage {
            _ if lock == 0 => Step::Done,
            Stage::Ready => Step::Pulse { lock },
            Stage::Pulsed => Step::Wait { lock },
            Stage::Number { .. } => Step::Number { lock, proposed: self.proposed() },
            Stage::Close { number, .. } => Step::Close { lock, number },
        }
    }

    /// The layout's number, else the one after the last proven door.
    fn proposed(&self) -> Option<LockerId> {
        let after = || {
            let proven = self.results.range(..self.at).rev().find_map(|(_, it)| proven(it));
            proven.map(|(number, _)| LockerId(number.0 + 1))
        };
        let free = |number: &LockerId| self.lock_of(*number).is_none();
        self.expected(self.at).or_else(after).filter(free)
    }

    fn lock_of(&self, number: LockerId) -> Option<u8> {
        let mut known = self.results.iter();
        known.find_map(|(lock, it)| (proven(it)?.0 == number).then_some(*lock))
    }

    /// Begins the pulse of the lock that is next; the caller then sends it. Times are of any clock
    /// that does not go back.
    pub fn pulse(&mut self, at_ms: u64) -> Result<u8, ProofError> {
        let Step::Pulse { lock } = self.step() else {
            return Err(ProofError::OutOfTurn(self.step()));
        };
        if let Some(before) = self.pulsed_at_ms.get(&lock) {
            let left = (before + REST_MS).saturating_sub(at_ms);
            if left > 0 {
                return Err(ProofError::Resting(left));
            }
        }
        self.pulsed_at_ms.insert(lock, at_ms);
        self.stage = Stage::Pulsed;
        Ok(lock)
    }

    /// No pulse went out, or nobody knows.
    pub fn pulse_failed(&mut self, why: String) -> Result<(), ProofError> {
        let Stage::Pulsed = self.stage else { return Err(ProofError::OutOfTurn(self.step())) };
        self.stage = Stage::Ready;
        self.last = Some(Verdict::PulseFailed { why });
        Ok(())
    }

    /// Takes the inputs before the pulse and after what it moved has come to rest.
    pub fn observe(&mut self, before: &Reading, after: &Reading) -> Result<(), ProofError> {
        let Stage::Pulsed = self.stage else { return Err(ProofError::OutOfTurn(self.step())) };
        self.learn_order(before);
        self.learn_order(after);
        let known = before.known.both(after.known);
        let (was, is) = (self.inputs(before), self.inputs(after));
        let changed: Vec<u8> = was.differing(is, known).locks().collect();
        let (verdict, stage) = match changed[..] {
            [] if known.is_empty() => (Verdict::NoInputs, Self::asking(None, was)),
            [] => (Verdict::NoSensorMoved, Self::asking(None, was)),
            [sensor] => match self.lock_with_sensor(sensor) {
                Some(lock) => (Verdict::SensorTaken { sensor, lock }, Stage::Ready),
                None => (Verdict::SensorMoved { sensor }, Self::asking(Some(sensor), was)),
            },
            _ => (Verdict::SeveralMoved { sensors: changed }, Stage::Ready),
        };
        (self.last, self.stage) = (Some(verdict), stage);
        Ok(())
    }

    fn asking(sensor: Option<u8>, was: LockSet) -> Stage {
        Stage::Number { moved: Moved { sensor, closed_bit: sensor.map(|it| was.has(it)) } }
    }

    fn lock_with_sensor(&self, sensor: u8) -> Option<u8> {
        let taken = |it: &LockResult| proven(it).is_some_and(|(_, it)| it.sensor == Some(sensor));
        self.results.iter().find_map(|(lock, it)| taken(it).then_some(*lock))
    }

    /// The number on the door that opened; `None` when no door did.
    pub fn number(&mut self, number: Option<LockerId>) -> Result<(), ProofError> {
        let Stage::Number { moved } = self.stage else {
            return Err(ProofError::OutOfTurn(self.step()));
        };
        let (verdict, stage) = match (number, moved.sensor) {
            (None, None) => (Verdict::NothingMoved, Stage::Ready),
            (None, Some(sensor)) => (Verdict::SensorWithoutDoor { sensor }, Stage::Ready),
            (Some(number), _) => {
                if let Some(lock) = self.lock_of(number) {
                    (Verdict::NumberTaken { number, lock }, self.stage)
                } else {
                    let expected = self.expected(self.at).filter(|it| *it != number);
                    let verdict = expected.map_or(Verdict::Opened { number }, |expected| {
                        Verdict::OtherDoor { number, expected }
                    });
                    (verdict, Stage::Close { moved, number })
                }
            }
        };
        (self.last, self.stage) = (Some(verdict), stage);
        Ok(())
    }

    /// The technician says that the door is closed; these are the inputs now.
    pub fn closed(&mut self, now: &Reading) -> Result<(), ProofError> {
        let Stage::Close { moved, number } = self.stage else {
            return Err(ProofError::OutOfTurn(self.step()));
        };
        if let Moved { sensor: Some(sensor), closed_bit: Some(bit) } = moved {
            let back = now.known.has(sensor) && self.inputs(now).has(sensor) == bit;
            if !back {
                self.last = Some(Verdict::NotClosed { sensor });
                return Ok(());
            }
        }
        let crossed = moved.sensor.filter(|sensor| *sensor != self.at);
        self.last = Some(match (crossed, moved.sensor) {
            (Some(sensor), _) => Verdict::Crossed { number, sensor },
            (None, Some(_)) => Verdict::Proven { number },
            (None, None) => Verdict::ProvenUnseen { number },
        });
        self.results.insert(self.at, LockResult::Proven { number, moved });
        self.advance();
        Ok(())
    }

    /// Begins the lock under way anew; what is proven stays.
    pub fn repeat(&mut self) {
        self.stage = Stage::Ready;
    }

    /// Leaves the lock under way out.
    pub fn skip(&mut self) {
        if self.at == 0 {
            return;
        }
        let why = self.last.take().filter(Verdict::is_trouble);
        self.results.insert(self.at, LockResult::Skipped { why });
        self.advance();
    }

    /// Takes locks up again that were left out, the first one first, unless a door stands open in
    /// another. Does nothing to proven ones.
    pub fn revisit(&mut self) {
        self.results.retain(|_, it| matches!(it, LockResult::Proven { .. }));
        if self.at == 0 || self.stage == Stage::Ready {
            self.at = 0;
            self.advance();
        }
    }

    /// After it was read back: a pulse that was under way then is over, and nobody saw what it moved.
    #[must_use]
    pub fn resumed(mut self) -> Self {
        if self.stage == Stage::Pulsed {
            self.stage = Stage::Ready;
        }
        self
    }

    fn advance(&mut self) {
        let open = |lock: &u8| !self.results.contains_key(lock);
        let after = (self.at.saturating_add(1)..=self.locks).find(open);
        self.at = after.or_else(|| (1..=self.locks).find(open)).unwrap_or(0);
        self.stage = Stage::Ready;
    }

    /// The inputs in the byte order that readings speak for.
    fn inputs(&self, reading: &Reading) -> LockSet {
        match reading.lowest_first {
            Some(other) if self.other_order > self.usual_order => other,
            _ => reading.inputs,
        }
    }

    /// The lock read alone tells the two orders apart where they disagree about it.
    fn learn_order(&mut self, reading: &Reading) {
        let (Some(one), Some(other)) = (reading.one, reading.lowest_first) else { return };
        let (usual, other) = (reading.inputs.has(self.at), other.has(self.at));
        if usual != other {
            self.usual_order += u32::from(usual == one);
            self.other_order += u32::from(other == one);
        }
    }
}

fn proven(result: &LockResult) -> Option<(LockerId, Moved)> {
    match result {
        LockResult::Proven { number, moved } => Some((*number, *moved)),
        LockResult::Skipped { .. } => None,
    }
}

#[cfg(test)]
mod tests;
