//! What the boards of a family can do, and what is refused before anything is sent.
//!
//! The port task, the tools and the commissioning ask these facts and never the family's name. Each
//! codec's `encode` runs [`check`] first, so that no frame leaves for an address, lock or pulse
//! length that does not exist, and then refuses the commands its boards lack.

use super::{ADDRESS_ANY, Call, PULSE_MS_MAX, Request, codec};
use crate::domain::channel::Family;

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
    /// An address no board can be given.
    #[error("a {family} board can be given address {first} to {last}, not {address}")]
    NewAddress {
        /// The family.
        family: Family,
        /// The refused address.
        address: u8,
        /// Lowest address of a board.
        first: u8,
        /// Highest address of a board.
        last: u8,
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
    /// The reply to a pulse is, or may be, byte for byte the request.
    pub pulse_reply_like_request: bool,
    /// Outputs can be read back and switched off.
    pub reads_outputs: bool,
    /// An output can be switched on until it is switched off: what a software pulse needs.
    pub holds_output: bool,
    /// Status always works, even on a board without door sensors.
    pub status_without_doors: bool,
    /// The input of one lock can be read alone.
    pub reads_one: bool,
    /// Item sensors are, or may be, reported beside the doors.
    pub items: bool,
    /// The address is read and set by command, not by switches.
    pub sets_address: bool,
    /// The same bytes are spoken over TCP by the maker's gateway.
    pub over_tcp: bool,
    /// The order of the input bytes differs between boards ([`StatusOrder`](super::StatusOrder)).
    pub uses_status_order: bool,
    /// Boards of this family are built or set with either meaning of the input bit. Elsewhere the
    /// wiring alone decides, so `closed_bit` is proven at commissioning for every family.
    pub polarity_differs: bool,
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

/// Checks what all families have in common: address, number of locks, lock and pulse length.
pub fn check(family: Family, call: Call) -> Result<(), Unsupported> {
    let can = codec(family).capabilities();
    let (first, last) = (can.address_first, can.address_last);
    let of_any = matches!(call.request, Request::ReadAddress | Request::SetAddress { .. })
        && can.sets_address
        && call.address == ADDRESS_ANY;
    if !(first..=last).contains(&call.address) && !of_any {
        return Err(Unsupported::Address { family, address: call.address, first, last });
    }
    if !(1..=can.locks_max).contains(&call.locks) {
        return Err(Unsupported::Locks { family, locks: call.locks, max: can.locks_max });
    }
    if let Some(lock) = lock_of(call.request)
        && !(1..=call.locks).contains(&lock)
    {
        return Err(Unsupported::Lock { lock, locks: call.locks });
    }
    match call.request {
        Request::Pulse { duration_ms, .. } if !(1..=PULSE_MS_MAX).contains(&duration_ms) => {
            Err(Unsupported::Pulse(duration_ms))
        }
        Request::SetAddress { new } if can.sets_address && !(first..=last).contains(&new) => {
            Err(Unsupported::NewAddress { family, address: new, first, last })
        }
        _ => Ok(()),
    }
}

/// The lock a request is about, if it is about one.
fn lock_of(request: Request) -> Option<u8> {
    match request {
        Request::StatusOne { lock }
        | Request::Modes { first: lock }
        | Request::Pulse { lock, .. }
        | Request::On { lock }
        | Request::Off { lock } => Some(lock),
        Request::Status
        | Request::Relays
        | Request::AllOff
        | Request::Version
        | Request::ReadAddress
        | Request::SetAddress { .. } => None,
    }
}
