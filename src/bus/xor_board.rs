//! The boards with frames 8A and 80 and an XOR: Shuoming, CM06 and kin, 8 to 50 locks.
//!
//! `8A AA LL 11 X` opens, `80 AA LL 33 X` reads one lock, `80 AA 00 33 X` all; X is the XOR of all
//! bytes before it (protocol notes 2). Lock 0 with 8A opens everything and is never sent. The length
//! of a read-all reply follows from the board's size, not from the locks in use, and its data may hold
//! 33, 80 and 8A: the shortest intact frame of a size that is built counts. A failed opening is answered by the request itself,
//! and what the status of an opening means differs: either proves only that the board answered.

use crate::bus::codec::{
    Call, Capabilities, Codec, Frame, LockBits, Mismatch, Parsed, PulseTiming, Reply, Request,
    Skipped, StatusOrder, Unsupported, check,
};
use crate::domain::channel::Family;

pub(super) mod explain;

/// Begins a request to open, and its reply.
const OPEN: u8 = 0x8A;
/// Begins a request to read, and its reply.
const READ: u8 = 0x80;
/// Begin what some firmware tells by itself when a door moves.
const CHANGES: [u8; 2] = [0x81, 0x82];
/// Last byte but one of a request to open; as a status, contact made.
const MADE: u8 = 0x11;
/// Status of a contact not made.
const BROKEN: u8 = 0x00;
/// Last byte but one of a request to read, and of a read-all reply.
const READ_MARK: u8 = 0x33;
/// Length of all frames but the read-all reply.
const SHORT_BYTES: usize = 5;
/// Bytes around the data of a read-all reply.
const AROUND_BYTES: usize = 4;
/// Least data bytes of a read-all reply, whatever the board's size.
const DATA_BYTES_MIN: usize = 3;
/// Length of the read-all reply of boards with up to 24 locks, and with 50.
const LONG_BYTES_BUILT: [usize; 2] = [7, 11];
/// Longest read-all reply that the protocol notes allow; the decoder reads it aloud.
const LONG_BYTES_MAX: usize = 12;
/// Addresses the switches offer.
const ADDRESS_LAST: u8 = 32;

const CAPABILITIES: Capabilities = Capabilities {
    address_first: 1,
    address_last: ADDRESS_LAST,
    locks_max: 50,
    pulse: PulseTiming::BoardSetting,
    answers_pulse: true,
    pulse_reply_like_request: true,
    reads_outputs: false,
    holds_output: false,
    status_without_doors: true,
    reads_one: true,
    items: false,
    sets_address: false,
    over_tcp: false,
    uses_status_order: true,
    polarity_differs: true,
    gap_ms_min: 0,
};

/// The codec of XOR boards.
#[derive(Debug, Clone, Copy)]
pub struct XorBoard;

impl Codec for XorBoard {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn encode(&self, call: &Call) -> Result<Frame, Unsupported> {
        check(Family::XorBoard, *call)?;
        request_bytes(*call)
            .map(|bytes| Frame::new(bytes.to_vec()))
            .ok_or(Unsupported::Command(Family::XorBoard))
    }

    fn parse(&self, buffer: &[u8], call: &Call) -> Parsed {
        look(buffer, *call, false)
    }

    fn parse_at_rest(&self, buffer: &[u8], call: &Call) -> Parsed {
        look(buffer, *call, true)
    }
}

/// The request as it goes on the wire; `None` when the family has no such command.
fn request_bytes(call: Call) -> Option<[u8; SHORT_BYTES]> {
    let (head, lock, mark) = match call.request {
        Request::Status => (READ, 0, READ_MARK),
        Request::StatusOne { lock } => (READ, lock, READ_MARK),
        Request::Pulse { lock, .. } => (OPEN, lock, MADE),
        Request::Relays
        | Request::Modes { .. }
        | Request::On { .. }
        | Request::AllOff
        | Request::Off { .. }
        | Request::Version
        | Request::ReadAddress
        | Request::SetAddress { .. } => return None,
    };
    let body = [head, call.address, lock, mark];
    Some([head, call.address, lock, mark, xor(&body)])
}

fn look(buffer: &[u8], call: Call, at_rest: bool) -> Parsed {
    let begins = |byte: &u8| [OPEN, READ].contains(byte) || CHANGES.contains(byte);
    let noise = buffer.iter().take_while(|byte| !begins(byte)).count();
    if noise > 0 {
        return Parsed::Skip { bytes: noise, why: Skipped::Noise };
    }
    let [head, address, ..] = *buffer else { return Parsed::NeedMore };
    if !(CAPABILITIES.address_first..=ADDRESS_LAST).contains(&address) {
        return Parsed::Skip { bytes: 1, why: Skipped::Noise };
    }
    if head == READ {
        return look_read(buffer, call, at_rest);
    }
    let Some(&frame) = buffer.first_chunk::<SHORT_BYTES>() else { return Parsed::NeedMore };
    if xor(&frame) == 0 {
        return judge_short(frame, call);
    }
    let awaited = head == OPEN && address == call.address;
    let why = if awaited { Skipped::BadChecksum } else { Skipped::Noise };
    Parsed::Skip { bytes: 1, why }
}

/// What begins with [`READ`]: a short frame, or the reply to read-all in one of its lengths.
fn look_read(buffer: &[u8], call: Call, at_rest: bool) -> Parsed {
    let awaits_all = call.request == Request::Status && buffer[1] == call.address;
    let least = if awaits_all { least_bytes(call.locks) } else { AROUND_BYTES + DATA_BYTES_MIN };
    let Some(&short) = buffer.first_chunk::<SHORT_BYTES>() else { return Parsed::NeedMore };
    if xor(&short) == 0 && awaits_all {
        return look_short_or_all(buffer, short, call, at_rest);
    }
    if xor(&short) == 0 {
        return judge_short(short, call);
    }
    let [.., longest] = LONG_BYTES_BUILT;
    match find_read_all(buffer, least) {
        Some(frame) if awaits_all => read_all(frame, call),
        Some(frame) => Parsed::Discard { bytes: frame.len(), why: stranger(frame[1], call) },
        None if awaits_one(short, call) => Parsed::Skip { bytes: 1, why: Skipped::BadChecksum },
        None if buffer.len() < longest => Parsed::NeedMore,
        None if awaits_all => Parsed::Skip { bytes: 1, why: Skipped::BadChecksum },
        None => Parsed::Skip { bytes: 1, why: Skipped::Noise },
    }
}

/// An intact short frame while a read-all reply is awaited. The states of some doors make the first
/// bytes of a reply look like a short frame; and a short frame before a reply, such as the echo of the
/// question, makes both together look like one of the longer replies.
fn look_short_or_all(buffer: &[u8], short: [u8; SHORT_BYTES], call: Call, at_rest: bool) -> Parsed {
    let [small, large] = LONG_BYTES_BUILT;
    let least = least_bytes(call.locks);
    let next_begins = buffer[SHORT_BYTES..].starts_with(&[READ, call.address]);
    let is_echo = request_bytes(call) == Some(short);
    if next_begins && (is_echo || least <= small) {
        return judge_short(short, call);
    }
    let ends = at_rest || buffer.len() >= large;
    match find_read_all(buffer, least) {
        Some(frame) => read_all(frame, call),
        None if ends => judge_short(short, call),
        None => Parsed::NeedMore,
    }
}

/// The read-all reply these bytes begin with, in a length of boards that are built. No other is
/// believed: one stray byte would shift every door, and the XOR cannot see a zero.
fn find_read_all(buffer: &[u8], least: usize) -> Option<&[u8]> {
    let lengths = LONG_BYTES_BUILT.into_iter().filter(|length| *length >= least);
    let mut whole = lengths.filter_map(|length| buffer.get(..length));
    whole.find(|frame| is_read_all(frame))
}

/// Whether broken bytes have the head of the one short reply that is awaited.
fn awaits_one(short: [u8; SHORT_BYTES], call: Call) -> bool {
    matches!(call.request, Request::StatusOne { lock }
        if short[1] == call.address && short[2] == lock && [BROKEN, MADE].contains(&short[3]))
}

/// Why a frame that is not awaited is none: another board, or another command.
fn stranger(address: u8, call: Call) -> Mismatch {
    if address == call.address { Mismatch::Command } else { Mismatch::Address(address) }
}

/// An intact frame of five bytes.
fn judge_short(frame: [u8; SHORT_BYTES], call: Call) -> Parsed {
    let [head, address, lock, status, _] = frame;
    let sent = request_bytes(call);
    let discard = |why| Parsed::Discard { bytes: SHORT_BYTES, why };
    if CHANGES.contains(&head) {
        return discard(Mismatch::Unsolicited);
    }
    if address != call.address {
        return discard(Mismatch::Address(address));
    }
    let (asked, reply) = match call.request {
        Request::Pulse { lock, .. } if head == OPEN => (lock, Reply::Done),
        Request::StatusOne { lock } if head == READ => (lock, Reply::One(status == MADE)),
        _ if sent == Some(frame) => return discard(Mismatch::Echo),
        _ => return discard(Mismatch::Command),
    };
    let like_request = sent == Some(frame);
    match (status, reply) {
        _ if lock != asked => discard(Mismatch::Lock),
        (BROKEN | MADE, _) => Parsed::Reply { bytes: SHORT_BYTES, reply, like_request },
        (READ_MARK, Reply::One(_)) => discard(Mismatch::Echo),
        _ => discard(Mismatch::Command),
    }
}

/// The shortest read-all reply that tells of this many locks.
fn least_bytes(locks: u8) -> usize {
    AROUND_BYTES + usize::from(locks).div_ceil(8).max(DATA_BYTES_MIN)
}

/// Whether mark and XOR of a whole read-all reply are right.
fn is_read_all(frame: &[u8]) -> bool {
    matches!(frame, [.., READ_MARK, _]) && xor(frame) == 0
}

/// What an intact read-all reply says.
fn read_all(frame: &[u8], call: Call) -> Parsed {
    let mut data = frame[2..frame.len() - 2].to_vec();
    if call.status_order == StatusOrder::HighestFirst {
        data.reverse();
    }
    let reported = (data.len() * 8).min(usize::from(call.locks));
    let inputs = LockBits::from_wire(&data);
    let reply = Reply::Status { inputs, items: None, known: LockBits::first(reported) };
    Parsed::Reply { bytes: frame.len(), reply, like_request: false }
}

/// The XOR of all bytes; 0 over a whole intact frame.
fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |xor, byte| xor ^ byte)
}

#[cfg(test)]
mod tests;
