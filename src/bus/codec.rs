//! What every board family must answer, free of I/O and time.
//!
//! A family is a pure [`Codec`]: it turns a [`Call`] into the bytes of one frame and reads a reply
//! out of a buffer that may begin with noise, hold half a frame or someone else's. What a family can
//! do stands in its [`Capabilities`]; the port task asks those and never the family's name.
//!
//! Lines that fail and devices that refuse are kept apart: a parsed frame is a reply or a refusal,
//! everything else is a reason to go on listening until the deadline.

use crate::bus::{kerong, modbus_relay};
use crate::domain::channel::Family;

/// Longest frame any family sends or accepts, in bytes. Lengths read from the wire are capped by it.
pub const FRAME_BYTES_MAX: usize = 32;
/// Longest pulse any lock is given, in milliseconds, whatever the configuration says.
pub const PULSE_MS_MAX: u16 = 1_000;

/// What is asked of one board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// The door or hook inputs of all locks.
    Status,
    /// Which outputs are on now.
    Relays,
    /// One board-timed pulse on one lock, counted from 1. A board with a fixed pulse ignores the time.
    Pulse {
        /// The lock's number from 1, as printed beside the terminals.
        lock: u8,
        /// Wished pulse in milliseconds, 1 to [`PULSE_MS_MAX`]; rounded up to the board's step.
        duration_ms: u16,
    },
    /// Every output of the board off.
    AllOff,
    /// One output off, the lock counted from 1.
    Off {
        /// The lock's number from 1.
        lock: u8,
    },
    /// The firmware's version.
    Version,
    /// One output on.
    On {
        /// Lock.
        lock: u8,
    },
}

impl Request {
    /// Whether it may energise a coil.
    #[must_use]
    pub const fn moves_a_lock(self) -> bool {
        matches!(self, Self::Pulse { .. } | Self::On { .. })
    }
}

/// One request to one board, with what is needed to judge the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The board's address as set by its switches.
    pub address: u8,
    /// How many locks the board drives: fixes the length of bit lists.
    pub locks: u8,
    /// What is asked.
    pub request: Request,
}

/// The bytes of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame(Vec<u8>);

impl Frame {
    /// Wraps bytes a codec built.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        debug_assert!(bytes.len() <= FRAME_BYTES_MAX, "codecs build short frames");
        Self(bytes)
    }

    /// The bytes as they go on the wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// One bit for each lock of a board; bit 0 is lock 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockBits(u64);

impl LockBits {
    /// Takes bytes in wire order: the lowest bit of the first byte is lock 1. At most 8 bytes count.
    #[must_use]
    pub fn from_wire(bytes: &[u8]) -> Self {
        let bits = bytes.iter().take(8).rev().fold(0, |bits, byte| (bits << 8) | u64::from(*byte));
        Self(bits)
    }

    /// The bit of one lock, counted from 1; false beyond the last.
    #[must_use]
    pub fn lock(self, lock: u8) -> bool {
        (1..=64).contains(&lock) && (self.0 >> (lock - 1)) & 1 == 1
    }

    /// The locks of the first `locks` whose bit is set.
    pub fn set_locks(self, locks: u8) -> impl Iterator<Item = u8> {
        (1..=locks).filter(move |lock| self.lock(*lock))
    }
}

/// What a board answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The raw inputs: what 1 means is a matter of the wiring (`closed_bit`).
    Status {
        /// Door or hook input of each lock.
        inputs: LockBits,
        /// Item sensors, where the family reports them.
        items: Option<LockBits>,
    },
    /// The outputs, 1 meaning energised.
    Relays(LockBits),
    /// The command was taken.
    Done,
    /// Firmware version in hundredths: 200 is V2.00.
    Version(u16),
}

/// Why bytes were dropped that are part of no intact frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// Nothing that could begin a frame.
    Noise,
    /// It had the shape of the awaited frame but its checksum or end mark is wrong.
    BadChecksum,
}

/// Why an intact frame is not the awaited one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// Another board spoke; its address is given.
    Address(u8),
    /// The right board answered another command.
    Command,
    /// The right command for another lock.
    Lock,
    /// The right command with another number of data bytes than asked.
    Length,
    /// Our own request came back.
    Echo,
}

/// What stands at the start of the receive buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// Perhaps the start of a frame: more bytes are needed to tell.
    NeedMore,
    /// Drop these bytes and look again.
    Skip {
        /// How many, at least 1.
        bytes: usize,
        /// Why.
        why: Skipped,
    },
    /// An intact frame that is not the awaited one: drop it and look again.
    Discard {
        /// Its length.
        bytes: usize,
        /// In what it differs.
        why: Mismatch,
    },
    /// The awaited reply.
    Reply {
        /// Its length.
        bytes: usize,
        /// What it says.
        reply: Reply,
        /// Whether it is byte for byte the request, so that an echo would look the same.
        like_request: bool,
    },
    /// The awaited board refused.
    Refused {
        /// Its length.
        bytes: usize,
        /// Why, as the board says.
        refusal: Refusal,
    },
}

/// A refusal in the family's own numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The code on the wire.
    pub code: u8,
    /// Its meaning.
    pub meaning: &'static str,
    /// The board lacks what was asked, so that asking again soon makes no sense.
    pub permanent: bool,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (code {:02X})", self.meaning, self.code)
    }
}

/// A request the family or board cannot take; nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// The family has no such command.
    #[error("{0} boards have no such command")]
    Command(Family),
    /// The address is outside the family's range.
    #[error("a {family} board's address is {first} to {last}, not {address}")]
    Address {
        /// The family.
        family: Family,
        /// The refused address.
        address: u8,
        /// Lowest legal address.
        first: u8,
        /// Highest legal address.
        last: u8,
    },
    /// The lock is not on this board.
    #[error("lock {lock} is not on a board with {locks} locks")]
    Lock {
        /// The refused lock.
        lock: u8,
        /// How many the board has.
        locks: u8,
    },
    /// More locks than the family's boards drive.
    #[error("a {family} board drives 1 to {max} locks, not {locks}")]
    Locks {
        /// The family.
        family: Family,
        /// The refused number.
        locks: u8,
        /// The most it can have.
        max: u8,
    },
    /// A pulse outside 1 to [`PULSE_MS_MAX`].
    #[error("a pulse lasts 1 to {PULSE_MS_MAX} ms, not {0}")]
    Pulse(u16),
}

/// How long a board's pulse lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PulseTiming {
    /// Each command carries the time, in steps of this many milliseconds.
    Commanded {
        /// The step.
        step_ms: u16,
    },
    /// A setting of the board; the configuration says what it is.
    BoardSetting,
}

/// What boards of a family can do.
#[expect(clippy::struct_excessive_bools, reason = "independent facts of a data sheet")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Lowest address of a single board.
    pub address_first: u8,
    /// Highest address of a single board.
    pub address_last: u8,
    /// Most locks of one board.
    pub locks_max: u8,
    /// Who times the pulse.
    pub pulse: PulseTiming,
    /// The pulse command is always answered. Where false, silence proves nothing.
    pub answers_pulse: bool,
    /// The reply to a pulse is byte for byte the request.
    pub pulse_reply_like_request: bool,
    /// Outputs can be read back and switched off.
    pub reads_outputs: bool,
    /// Status always works, even on a board without door sensors.
    pub status_without_doors: bool,
    /// Output can be held.
    pub holds_output: bool,
    /// Over TCP.
    pub over_tcp: bool,
    /// Quiet time the family needs between frames, beyond the bus's own rule, in milliseconds.
    pub gap_ms_min: u32,
}

impl Capabilities {
    /// How long the coil is on when `wished_ms` is asked for, in milliseconds.
    #[must_use]
    pub fn coil_ms(&self, wished_ms: u16) -> u16 {
        match self.pulse {
            PulseTiming::Commanded { step_ms } => {
                wished_ms.clamp(1, PULSE_MS_MAX).div_ceil(step_ms) * step_ms
            }
            PulseTiming::BoardSetting => wished_ms,
        }
    }
}

/// One wire protocol, without I/O.
pub trait Codec: Sync {
    /// What boards of this family can do.
    fn capabilities(&self) -> &'static Capabilities;

    /// The frame that asks this; refuses what the family or the board cannot do.
    fn encode(&self, call: &Call) -> Result<Frame, Unsupported>;

    /// Judges what stands at the start of `buffer` while `call` awaits its answer.
    ///
    /// Never reports more bytes than the buffer holds, and at least one unless more are needed.
    fn parse(&self, buffer: &[u8], call: &Call) -> Parsed;
}

/// The codec of a family.
#[must_use]
pub fn codec(family: Family) -> &'static dyn Codec {
    match family {
        Family::ModbusRelay => &modbus_relay::ModbusRelay,
        Family::KerongCu16 => &kerong::Cu16,
    }
}

/// Checks what all families have in common: address, number of locks and pulse length.
pub(super) fn check(family: Family, call: Call) -> Result<(), Unsupported> {
    let can = codec(family).capabilities();
    let (first, last) = (can.address_first, can.address_last);
    if !(first..=last).contains(&call.address) {
        return Err(Unsupported::Address { family, address: call.address, first, last });
    }
    if !(1..=can.locks_max).contains(&call.locks) {
        return Err(Unsupported::Locks { family, locks: call.locks, max: can.locks_max });
    }
    if let Request::Pulse { lock, .. } | Request::Off { lock } = call.request
        && !(1..=call.locks).contains(&lock)
    {
        return Err(Unsupported::Lock { lock, locks: call.locks });
    }
    if let Request::Pulse { duration_ms, .. } = call.request
        && !(1..=PULSE_MS_MAX).contains(&duration_ms)
    {
        return Err(Unsupported::Pulse(duration_ms));
    }
    Ok(())
}

/// Bytes as people write them: `01 05 FF`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        let space = if text.is_empty() { "" } else { " " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{space}{byte:02X}");
    }
    text
}

#[cfg(test)]
pub(super) mod tests;
