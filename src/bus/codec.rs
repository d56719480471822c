//! What every board family must answer, free of I/O and time.
//!
//! A family is a pure [`Codec`]: it turns a [`Call`] into the bytes of one frame and reads a reply
//! out of a buffer that may begin with noise, hold half a frame or someone else's. What a family can
//! do stands in its [`Capabilities`]; the port task asks those and never the family's name.
//!
//! Lines that fail and devices that refuse are kept apart: a parsed frame is a reply or a refusal,
//! everything else is a reason to go on listening until the deadline.

use serde::{Deserialize, Serialize};

use crate::bus::{kerong, modbus_relay, wkly, xor_board};
use crate::domain::channel::Family;

mod bits;
mod capabilities;

pub use bits::LockBits;
pub use capabilities::{Capabilities, PulseTiming, Unsupported, check};

/// Longest frame any family sends or accepts, in bytes. Lengths read from the wire are capped by it.
pub const FRAME_BYTES_MAX: usize = 48;
/// Longest pulse any lock is given, in milliseconds, whatever the configuration says.
pub const PULSE_MS_MAX: u16 = 1_000;

/// What is asked of one board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// The door or hook inputs of all locks.
    Status,
    /// The door or hook input of one lock alone.
    StatusOne {
        /// The lock's number from 1.
        lock: u8,
    },
    /// Which outputs are on now.
    Relays,
    /// The channel modes of up to [`MODES_PER_READ`] locks: each must be the normal one.
    Modes {
        /// The first lock to be read, from 1.
        first: u8,
    },
    /// One board-timed pulse on one lock, counted from 1. A board with a fixed pulse ignores the time.
    Pulse {
        /// The lock's number from 1, as printed beside the terminals.
        lock: u8,
        /// Wished pulse in milliseconds, 1 to [`PULSE_MS_MAX`]; rounded up to the board's step.
        duration_ms: u16,
    },
    /// One output on until it is switched off again, the lock counted from 1. Only for the guarded
    /// software pulse; a board that times its pulse itself is never asked so.
    On {
        /// The lock's number from 1.
        lock: u8,
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
    /// The board's own address. Asked of [`ADDRESS_ANY`], the one board on the line tells it.
    ReadAddress,
    /// Gives the board another address. Sent to [`ADDRESS_ANY`] every board on the line takes it, so
    /// only one may be connected.
    SetAddress {
        /// The address it is to have.
        new: u8,
    },
}

/// The address every board listens to; for reading and setting addresses only.
pub const ADDRESS_ANY: u8 = 0;
/// Most channel modes one request reads, so that its reply stays below [`FRAME_BYTES_MAX`].
pub const MODES_PER_READ: u8 = 16;

/// In which order a board sends the bytes of its inputs. The sources contradict each other, so
/// commissioning finds it out; one family alone has the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatusOrder {
    /// The byte with lock 1 comes last.
    #[default]
    HighestFirst,
    /// The byte with lock 1 comes first.
    LowestFirst,
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
    /// How its input bytes are ordered; see [`Capabilities::uses_status_order`].
    pub status_order: StatusOrder,
}

impl Call {
    /// A request to a board whose input bytes come in the usual order.
    #[must_use]
    pub fn new(address: u8, locks: u8, request: Request) -> Self {
        Self { address, locks, request, status_order: StatusOrder::default() }
    }
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

/// What a board answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The raw inputs: what 1 means is a matter of the wiring (`closed_bit`).
    Status {
        /// Door or hook input of each lock.
        inputs: LockBits,
        /// Item sensors, where the family reports them.
        items: Option<LockBits>,
        /// Locks whose input was really reported: the others are unknown, whatever `inputs` says.
        known: LockBits,
    },
    /// The raw input of the one lock asked about.
    One(bool),
    /// The outputs, 1 meaning energised.
    Relays(LockBits),
    /// Channel modes; empty means that all locks asked about are in the normal mode.
    Modes {
        /// Locks in a mode that is not the normal one.
        not_normal: LockBits,
    },
    /// The command was taken.
    Done,
    /// Firmware version in hundredths: 200 is V2.00.
    Version(u16),
    /// The board's own address.
    Address(u8),
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status { inputs, items, known } => {
                write!(
                    f,
                    "inputs at 1: {}, at 0: {}",
                    inputs.and(*known),
                    inputs.not().and(*known)
                )?;
                match items {
                    Some(items) if !items.is_empty() => write!(f, "; items in: {items}"),
                    _ => Ok(()),
                }
            }
            Self::One(input) => write!(f, "its input is at {}", u8::from(*input)),
            Self::Relays(on) => write!(f, "outputs on: {on}"),
            Self::Modes { not_normal } => write!(f, "channels not in normal mode: {not_normal}"),
            Self::Done => f.write_str("done"),
            Self::Version(hundredths) => {
                write!(f, "firmware V{}.{:02}", hundredths / 100, hundredths % 100)
            }
            Self::Address(address) => write!(f, "its address is {address}"),
        }
    }
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
    /// The board told of a change by itself; it answers nothing.
    Unsolicited,
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

    /// The same when the line has fallen quiet: nothing more belongs to what the buffer holds.
    ///
    /// Where one intact frame may be the beginning of a longer one, this takes what is there. It may
    /// still want more: a slow board's pause looks the same.
    fn parse_at_rest(&self, buffer: &[u8], call: &Call) -> Parsed {
        self.parse(buffer, call)
    }
}

/// The codec of a family.
#[must_use]
pub fn codec(family: Family) -> &'static dyn Codec {
    match family {
        Family::ModbusRelay => &modbus_relay::ModbusRelay,
        Family::XorBoard => &xor_board::XorBoard,
        Family::KerongCu16 => &kerong::CU16,
        Family::KerongCu48 => &kerong::CU48,
        Family::KerongCu48Ir => &kerong::CU48_IR,
        Family::Wkly => &wkly::Wkly,
    }
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
