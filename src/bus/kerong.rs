//! KERONG CU16, the dialect with commands 30 to 39 ("C1" in the protocol notes).
//!
//! Request `02 ADDR CMD 03 SUM`, reply `02 ADDR CMD D1 D2 D3 D4 03 SUM`; SUM is the low byte of the
//! sum of all bytes before it. The high nibble of ADDR is the board, the low one the lock less one.
//! Data may hold 02 and 03, so the end is found by the length each command fixes, never by a scan.
//! The unlock command is answered by some firmware only: a caller must not count on it.

use crate::bus::codec::{
    Call, Capabilities, Codec, Frame, LockBits, Mismatch, Parsed, PulseTiming, Reply, Request,
    Skipped, Unsupported, check,
};
use crate::domain::channel::Family;

pub(super) mod explain;

/// First byte of every frame.
pub(super) const START: u8 = 0x02;
/// Last byte but one of every frame.
pub(super) const END: u8 = 0x03;
/// Asks one board for its state.
pub(super) const STATUS: u8 = 0x30;
/// Releases one lock.
pub(super) const UNLOCK: u8 = 0x31;
/// Asks every board, or one, for its state.
pub(super) const STATUS_ALL: u8 = 0x32;
/// Releases all locks of a board. Never sent: the supply feeds one coil.
pub(super) const UNLOCK_ALL: u8 = 0x33;
/// Answers [`STATUS`], and on some firmware [`UNLOCK`].
pub(super) const STATUS_REPLY: u8 = 0x35;
/// Answers [`STATUS_ALL`].
pub(super) const STATUS_ALL_REPLY: u8 = 0x36;
/// Length of a request without data.
pub(super) const REQUEST_BYTES: usize = 5;
/// Length of a state reply.
pub(super) const REPLY_BYTES: usize = 9;

/// Boards 0 to 14; 15 addresses all at once. Switches usually offer 0 to 9 only.
const CAPABILITIES: Capabilities = Capabilities {
    address_first: 0,
    address_last: 14,
    locks_max: 16,
    pulse: PulseTiming::BoardSetting,
    answers_pulse: false,
    pulse_reply_like_request: false,
    reads_outputs: false,
    status_without_doors: true,
    holds_output: false,
    over_tcp: true,
    gap_ms_min: 25,
};

/// The codec of KERONG CU16 boards.
#[derive(Debug, Clone, Copy)]
pub struct Cu16;

impl Codec for Cu16 {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn encode(&self, call: &Call) -> Result<Frame, Unsupported> {
        check(Family::KerongCu16, *call)?;
        let (command, lock_index) = match call.request {
            Request::Status => (STATUS, 0),
            Request::Pulse { lock, .. } => (UNLOCK, lock - 1),
            Request::Relays
            | Request::AllOff
            | Request::Off { .. }
            | Request::On { .. }
            | Request::Version => {
                return Err(Unsupported::Command(Family::KerongCu16));
            }
        };
        let mut bytes = vec![START, (call.address << 4) | lock_index, command, END];
        bytes.push(sum(&bytes));
        Ok(Frame::new(bytes))
    }

    fn parse(&self, buffer: &[u8], call: &Call) -> Parsed {
        let noise = buffer.iter().take_while(|byte| **byte != START).count();
        if noise > 0 {
            return Parsed::Skip { bytes: noise, why: Skipped::Noise };
        }
        let [_, address, command, ..] = *buffer else { return Parsed::NeedMore };
        let Some(length) = frame_bytes(command) else {
            return Parsed::Skip { bytes: 1, why: Skipped::Noise };
        };
        let Some(frame) = buffer.get(..length) else { return Parsed::NeedMore };
        if !intact(frame) {
            return Parsed::Skip { bytes: 1, why: Skipped::BadChecksum };
        }
        match judge(frame, address, command, *call) {
            Ok(reply) => Parsed::Reply { bytes: length, reply, like_request: false },
            Err(why) => Parsed::Discard { bytes: length, why },
        }
    }
}

/// Whether an intact frame answers the call, and what it says.
fn judge(frame: &[u8], address: u8, command: u8, call: Call) -> Result<Reply, Mismatch> {
    let (board, lock_index) = (address >> 4, address & 0x0F);
    if frame.len() == REQUEST_BYTES {
        return Err(Mismatch::Echo);
    }
    if board != call.address {
        return Err(Mismatch::Address(board));
    }
    if command != STATUS_REPLY {
        return Err(Mismatch::Command);
    }
    match call.request {
        Request::Status if lock_index == 0 => Ok(Reply::Status {
            inputs: LockBits::from_wire(&frame[3..5]),
            items: Some(LockBits::from_wire(&frame[5..7])),
        }),
        Request::Pulse { lock, .. } if lock_index == 0 || lock_index == lock - 1 => Ok(Reply::Done),
        _ => Err(Mismatch::Lock),
    }
}

/// The length the command fixes, for the commands a listener on this bus may meet.
fn frame_bytes(command: u8) -> Option<usize> {
    match command {
        STATUS..=UNLOCK_ALL => Some(REQUEST_BYTES),
        STATUS_REPLY | STATUS_ALL_REPLY => Some(REPLY_BYTES),
        _ => None,
    }
}

/// The sum of all bytes, low byte only.
pub(super) fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}

/// Whether the end mark and the sum of a whole frame are right.
fn intact(frame: &[u8]) -> bool {
    matches!(frame, [body @ .., end, found] if *end == END
        && sum(body).wrapping_add(END) == *found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(address: u8) -> Call {
        Call { address, locks: 16, request: Request::Status }
    }

    #[test]
    fn data_may_hold_start_and_end_bytes() {
        let frame = [0x02, 0x00, 0x35, 0x02, 0x03, 0x00, 0x00, 0x03, 0x3F];
        let Parsed::Reply { bytes: 9, reply: Reply::Status { inputs, .. }, .. } =
            Cu16.parse(&frame, &status(0))
        else {
            panic!("not taken");
        };
        assert_eq!(inputs.set_locks(16).collect::<Vec<_>>(), [2, 9, 10]);
    }

    #[test]
    fn reply_to_another_boards_question_is_discarded() {
        let frame = [0x02, 0x10, 0x35, 0, 0, 0, 0, 0x03, 0x4A];
        let parsed = Cu16.parse(&frame, &status(0));
        assert_eq!(parsed, Parsed::Discard { bytes: 9, why: Mismatch::Address(1) });
    }

    #[test]
    fn unlock_takes_its_own_optional_reply_only() {
        let pulse = Request::Pulse { lock: 3, duration_ms: 550 };
        let call = Call { address: 1, locks: 16, request: pulse };
        let own = |address: u8| {
            let mut frame = vec![0x02, address, 0x35, 0, 0, 0, 0, 0x03];
            frame.push(sum(&frame));
            frame
        };
        for address in [0x10, 0x12] {
            let taken = Cu16.parse(&own(address), &call);
            assert!(matches!(taken, Parsed::Reply { reply: Reply::Done, .. }), "{address:02X}");
        }
        let other = Cu16.parse(&own(0x13), &call);
        assert_eq!(other, Parsed::Discard { bytes: 9, why: Mismatch::Lock });
    }

    #[test]
    fn what_a_board_cannot_do_is_refused_before_the_wire() {
        for request in [Request::Relays, Request::AllOff, Request::Version] {
            let refused = Cu16.encode(&Call { address: 0, locks: 16, request });
            assert_eq!(refused, Err(Unsupported::Command(Family::KerongCu16)));
        }
        assert!(Cu16.encode(&status(15)).is_err(), "15 addresses every board");
        let pulse = Request::Pulse { lock: 9, duration_ms: 550 };
        assert!(Cu16.encode(&Call { address: 0, locks: 8, request: pulse }).is_err());
    }
}
