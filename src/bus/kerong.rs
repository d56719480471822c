//! KERONG lock boards: one engine for the dialects of CU16, CU48 and CU48 with item sensors.
//!
//! All frames are `02 … 03 SUM`, SUM the low byte of the sum of all bytes before it. A [`Dialect`]
//! says where the command stands, which lengths a state reply has, and how an unlock is answered.
//! Data may hold 02 and 03, so the end is found by the length each command fixes, never by a scan.
//! The first byte tells no dialect from another: they must not be mixed on one line. Over TCP the
//! maker's gateway passes the same bytes on. Unlocking all locks at once is never asked for.

use crate::bus::codec::{
    Call, Capabilities, Codec, Frame, LockBits, Mismatch, Parsed, Reply, Request, Skipped,
    Unsupported, check,
};
use crate::domain::channel::Family;

mod dialects;
pub(super) mod explain;

pub use dialects::{CU16, CU48, CU48_IR};

/// First byte of every frame.
const START: u8 = 0x02;
/// Last byte but one of every frame.
const END: u8 = 0x03;
/// End mark and sum.
const TAIL_BYTES: usize = 2;

/// How a dialect answers an unlock, if at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnlockAnswer {
    /// Never.
    Never,
    /// Some firmware does, with a whole state reply.
    State,
    /// Some firmware does, with the state command and no data.
    Short,
}

/// What tells one dialect from another.
#[derive(Debug)]
pub struct Dialect {
    family: Family,
    capabilities: &'static Capabilities,
    /// The lock index shares the address byte, in its low half; else it has a byte of its own.
    lock_in_address: bool,
    /// Asks one board for its state.
    status: u8,
    /// Releases one lock.
    unlock: u8,
    /// Commands whose frames carry no data, all of them asked by a master.
    requests: &'static [u8],
    /// Answers `status`.
    state: u8,
    /// Commands whose frames carry a state.
    states: &'static [u8],
    /// Lengths of a frame with a state, longest first.
    state_bytes: &'static [usize],
    /// Bytes of hook bits in a state; item bits, as many, may follow.
    hook_bytes: usize,
    unlock_answer: UnlockAnswer,
}

impl Dialect {
    /// Where the command stands.
    const fn command_at(&self) -> usize {
        if self.lock_in_address { 2 } else { 3 }
    }

    /// Length of a request without data.
    const fn request_bytes(&self) -> usize {
        self.command_at() + 1 + TAIL_BYTES
    }

    /// Board and lock index of a frame.
    fn target(&self, frame: &[u8]) -> (u8, u8) {
        let byte = |at: usize| frame.get(at).copied().unwrap_or_default();
        if self.lock_in_address { (byte(1) >> 4, byte(1) & 0x0F) } else { (byte(1), byte(2)) }
    }

    /// The whole request; `None` when the dialect has no such command.
    fn request(&self, call: Call) -> Option<Vec<u8>> {
        let (command, lock_index) = match call.request {
            Request::Status => (self.status, 0),
            Request::Pulse { lock, .. } => (self.unlock, lock.saturating_sub(1)),
            Request::StatusOne { .. }
            | Request::Relays
            | Request::Modes { .. }
            | Request::On { .. }
            | Request::AllOff
            | Request::Off { .. }
            | Request::Version
            | Request::ReadAddress
            | Request::SetAddress { .. } => return None,
        };
        let mut bytes = vec![START];
        if self.lock_in_address {
            bytes.push((call.address << 4) | lock_index);
        } else {
            bytes.extend([call.address, lock_index]);
        }
        bytes.extend([command, END]);
        bytes.push(sum(&bytes));
        Some(bytes)
    }

    /// The lengths a command fixes, longest first, for what a listener on this bus may meet.
    fn lengths(&self, command: u8) -> Vec<usize> {
        if self.requests.contains(&command) {
            vec![self.request_bytes()]
        } else if self.states.contains(&command) {
            self.state_bytes.to_vec()
        } else {
            Vec::new()
        }
    }

    fn look(&self, buffer: &[u8], call: Call, at_rest: bool) -> Parsed {
        let noise = buffer.iter().take_while(|byte| **byte != START).count();
        if noise > 0 {
            return Parsed::Skip { bytes: noise, why: Skipped::Noise };
        }
        let Some(&command) = buffer.get(self.command_at()) else { return Parsed::NeedMore };
        let lengths = self.lengths(command);
        let Some(&longest) = lengths.first() else {
            return Parsed::Skip { bytes: 1, why: Skipped::Noise };
        };
        if buffer.len() < longest && !at_rest {
            return Parsed::NeedMore;
        }
        let whole = lengths.iter().filter_map(|length| buffer.get(..*length));
        let Some(frame) = whole.into_iter().find(|frame| fault(frame).is_none()) else {
            if buffer.len() < longest {
                return Parsed::NeedMore;
            }
            return Parsed::Skip { bytes: 1, why: Skipped::BadChecksum };
        };
        match self.judge(frame, command, call) {
            Ok(reply) => Parsed::Reply { bytes: frame.len(), reply, like_request: false },
            Err(why) => Parsed::Discard { bytes: frame.len(), why },
        }
    }

    /// Whether an intact frame answers the call, and what it says.
    fn judge(&self, frame: &[u8], command: u8, call: Call) -> Result<Reply, Mismatch> {
        if self.request(call).is_some_and(|sent| sent == frame) {
            return Err(Mismatch::Echo);
        }
        let (board, lock_index) = self.target(frame);
        if board != call.address {
            return Err(Mismatch::Address(board));
        }
        if command != self.state {
            return Err(Mismatch::Command);
        }
        let is_short = frame.len() == self.request_bytes();
        match call.request {
            Request::Status if is_short => Err(Mismatch::Length),
            // Where the lock has a byte of its own, a state's means nothing (CU48 document 2.1).
            Request::Status if self.lock_in_address && lock_index != 0 => Err(Mismatch::Lock),
            Request::Status => Ok(self.read_state(frame, call.locks)),
            Request::Pulse { lock, .. } => {
                let answers = match self.unlock_answer {
                    UnlockAnswer::Never => false,
                    UnlockAnswer::State => !is_short,
                    UnlockAnswer::Short => is_short,
                };
                let own = lock_index == 0 || lock_index + 1 == lock;
                match (answers, own) {
                    (true, true) => Ok(Reply::Done),
                    (true, false) => Err(Mismatch::Lock),
                    (false, _) => Err(Mismatch::Command),
                }
            }
            _ => Err(Mismatch::Command),
        }
    }

    fn read_state(&self, frame: &[u8], locks: u8) -> Reply {
        let (hooks, items) = self.state_data(frame);
        let reported = hooks.len() * 8;
        Reply::Status {
            inputs: LockBits::from_wire(hooks),
            items: (!items.is_empty()).then(|| LockBits::from_wire(items)),
            known: LockBits::first(reported.min(usize::from(locks))),
        }
    }

    /// The hook bytes and the item bytes of a whole frame; none in a frame without data.
    fn state_data<'a>(&self, frame: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let data = frame.get(self.command_at() + 1..frame.len() - TAIL_BYTES).unwrap_or_default();
        data.split_at(data.len().min(self.hook_bytes))
    }
}

impl Codec for Dialect {
    fn capabilities(&self) -> &'static Capabilities {
        self.capabilities
    }

    fn encode(&self, call: &Call) -> Result<Frame, Unsupported> {
        check(self.family, *call)?;
        self.request(*call).map(Frame::new).ok_or(Unsupported::Command(self.family))
    }

    fn parse(&self, buffer: &[u8], call: &Call) -> Parsed {
        self.look(buffer, *call, false)
    }

    fn parse_at_rest(&self, buffer: &[u8], call: &Call) -> Parsed {
        self.look(buffer, *call, true)
    }
}

/// The sum of all bytes, low byte only.
fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}

/// What is wrong with the end mark or the sum of a whole frame.
fn fault(frame: &[u8]) -> Option<String> {
    let [body @ .., end, found] = frame else { return Some("too short".to_owned()) };
    if *end != END {
        let at = body.len() + 1;
        return Some(format!("end mark {END:02X} missing at byte {at}: found {end:02X}"));
    }
    let expected = sum(body).wrapping_add(END);
    (expected != *found).then(|| format!("bad sum: expected {expected:02X}, found {found:02X}"))
}

#[cfg(test)]
mod tests;
