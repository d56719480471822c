//! Boards whose frames begin with the letters WKLY.
//!
//! `57 4B 4C 59 LEN ADDR CMD DATA… BCC`: LEN counts the whole frame, BCC is the XOR of every byte
//! before it, header and length too (protocol notes 3). Channels count from 1. LEN is believed from
//! 8 to 48 only, so that a shifted byte cannot stall the line. Some boards never answer command 82:
//! silence proves nothing there. Opening several or all channels at once is never asked for.

use crate::bus::codec::{
    Call, Capabilities, Codec, FRAME_BYTES_MAX, Frame, Mismatch, Parsed, PulseTiming, Refusal,
    Reply, Request, Skipped, Unsupported, check,
};
use crate::domain::channel::Family;

pub(super) mod explain;

/// Begins every frame.
const HEADER: [u8; 4] = *b"WKLY";
/// Opens one channel.
const OPEN: u8 = 0x82;
/// Reads one channel.
const READ_ONE: u8 = 0x83;
/// Reads all channels.
const READ_ALL: u8 = 0x84;
/// The board tells of a change by itself.
const CHANGED: u8 = 0x85;
/// A command was carried out.
const OK: u8 = 0x00;
/// A command failed, or a channel's state cannot be read.
const FAILED: u8 = 0xFF;
/// State of a channel that is open; the wiring may mean the opposite.
const STATE_OPEN: u8 = 0x00;
/// State of a channel that is closed.
const STATE_CLOSED: u8 = 0x01;
/// Where LEN, address, command and data stand.
const LENGTH_AT: usize = 4;
const ADDRESS_AT: usize = 5;
const COMMAND_AT: usize = 6;
const DATA_AT: usize = 7;
/// A frame without data.
const FRAME_BYTES_MIN: usize = DATA_AT + 1;
/// Most channels whose states fit into one frame, beside status and count.
const LOCKS_MAX: u8 = 38;

const CAPABILITIES: Capabilities = Capabilities {
    address_first: 0,
    address_last: 31,
    locks_max: LOCKS_MAX,
    pulse: PulseTiming::BoardSetting,
    answers_pulse: false,
    pulse_reply_like_request: false,
    reads_outputs: false,
    holds_output: false,
    status_without_doors: true,
    reads_one: true,
    items: false,
    sets_address: false,
    over_tcp: false,
    uses_status_order: false,
    polarity_differs: true,
    gap_ms_min: 0,
};

/// The codec of WKLY boards.
#[derive(Debug, Clone, Copy)]
pub struct Wkly;

impl Codec for Wkly {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn encode(&self, call: &Call) -> Result<Frame, Unsupported> {
        check(Family::Wkly, *call)?;
        request_bytes(*call).map(Frame::new).ok_or(Unsupported::Command(Family::Wkly))
    }

    fn parse(&self, buffer: &[u8], call: &Call) -> Parsed {
        let skip = |bytes, why| Parsed::Skip { bytes, why };
        let noise = buffer.iter().take_while(|byte| **byte != HEADER[0]).count();
        if noise > 0 {
            return skip(noise, Skipped::Noise);
        }
        if !HEADER.iter().zip(buffer).all(|(mark, byte)| mark == byte) {
            return skip(1, Skipped::Noise);
        }
        let Some(&length) = buffer.get(LENGTH_AT) else { return Parsed::NeedMore };
        let length = usize::from(length);
        if !(FRAME_BYTES_MIN..=FRAME_BYTES_MAX).contains(&length) {
            return skip(1, Skipped::Noise);
        }
        let Some(frame) = buffer.get(..length) else { return Parsed::NeedMore };
        if xor(frame) != 0 {
            return skip(1, Skipped::BadChecksum);
        }
        match judge(frame, *call) {
            Ok(Answer::Reply(reply)) => Parsed::Reply { bytes: length, reply, like_request: false },
            Ok(Answer::Refused(refusal)) => Parsed::Refused { bytes: length, refusal },
            Err(why) => Parsed::Discard { bytes: length, why },
        }
    }
}

/// What the awaited frame says.
enum Answer {
    Reply(Reply),
    Refused(Refusal),
}

/// The request as it goes on the wire; `None` when the family has no such command, or none that is
/// safe for a coil.
fn request_bytes(call: Call) -> Option<Vec<u8>> {
    let (command, data) = match call.request {
        Request::Status => (READ_ALL, None),
        Request::StatusOne { lock } => (READ_ONE, Some(lock)),
        Request::Pulse { lock, .. } => (OPEN, Some(lock)),
        Request::Relays
        | Request::Modes { .. }
        | Request::On { .. }
        | Request::AllOff
        | Request::Off { .. }
        | Request::Version
        | Request::ReadAddress
        | Request::SetAddress { .. } => return None,
    };
    let length = if data.is_some() { 9 } else { 8 };
    let mut bytes = HEADER.to_vec();
    bytes.extend([length, call.address, command]);
    bytes.extend(data);
    bytes.push(xor(&bytes));
    Some(bytes)
}

/// Whether an intact frame answers the call, and what it says.
fn judge(frame: &[u8], call: Call) -> Result<Answer, Mismatch> {
    if request_bytes(call).is_some_and(|sent| sent == frame) {
        return Err(Mismatch::Echo);
    }
    let (address, command) = (frame[ADDRESS_AT], frame[COMMAND_AT]);
    if command == CHANGED {
        return Err(Mismatch::Unsolicited);
    }
    if address != call.address {
        return Err(Mismatch::Address(address));
    }
    let data = &frame[DATA_AT..frame.len() - 1];
    match call.request {
        Request::Status if command == READ_ALL => read_all(data, call.locks),
        Request::StatusOne { lock } if command == READ_ONE => {
            one_channel(data, lock)?.map_or(Ok(Answer::Refused(refused(FAILED))), |state| {
                Ok(match state {
                    STATE_OPEN | STATE_CLOSED => Answer::Reply(Reply::One(state == STATE_CLOSED)),
                    unknown => Answer::Refused(unreadable(unknown)),
                })
            })
        }
        Request::Pulse { lock, .. } if command == OPEN => Ok(match one_channel(data, lock)? {
            // The state beside it is from before or after: it proves nothing.
            Some(_) => Answer::Reply(Reply::Done),
            None => Answer::Refused(refused(FAILED)),
        }),
        _ => Err(Mismatch::Command),
    }
}

/// The state in an answer about one channel; `None` when the board says it failed.
fn one_channel(data: &[u8], lock: u8) -> Result<Option<u8>, Mismatch> {
    match *data {
        [_, channel, _] if channel != lock => Err(Mismatch::Lock),
        [FAILED] | [FAILED, _, _] => Ok(None),
        [OK, _, state] => Ok(Some(state)),
        [_, _, _] => Err(Mismatch::Command),
        _ => Err(Mismatch::Length),
    }
}

/// The states of all channels; those beyond the board's count stay unknown.
fn read_all(data: &[u8], locks: u8) -> Result<Answer, Mismatch> {
    match data {
        [FAILED, ..] => Ok(Answer::Refused(refused(FAILED))),
        [OK, count, states @ ..] if usize::from(*count) == states.len() => {
            let numbered = || (1..=locks).zip(states);
            let of = |wanted: fn(u8) -> bool| {
                numbered().filter(|(_, state)| wanted(**state)).map(|(lock, _)| lock).collect()
            };
            let inputs = of(|state| state == STATE_CLOSED);
            let known = of(|state| [STATE_OPEN, STATE_CLOSED].contains(&state));
            Ok(Answer::Reply(Reply::Status { inputs, items: None, known }))
        }
        [OK, ..] => Err(Mismatch::Length),
        _ => Err(Mismatch::Command),
    }
}

fn refused(code: u8) -> Refusal {
    let meaning = "hardware fault: the board could not do it, the lock's state is unknown";
    Refusal { code, meaning, permanent: false }
}

fn unreadable(code: u8) -> Refusal {
    Refusal { code, meaning: "the board cannot read this lock's state", permanent: false }
}

/// The XOR of all bytes; 0 over a whole intact frame.
fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |xor, byte| xor ^ byte)
}

#[cfg(test)]
mod tests;
