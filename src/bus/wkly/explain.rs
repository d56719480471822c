//! Names WKLY frames for people, also those this program never sends.
//!
//! Every frame tells its own length, so a command nobody knows is named as such when its XOR holds.

use super::{
    ADDRESS_AT, CHANGED, COMMAND_AT, DATA_AT, FAILED, FRAME_BYTES_MIN, HEADER, LENGTH_AT, OK, OPEN,
    READ_ALL, READ_ONE, STATE_CLOSED, STATE_OPEN, xor,
};
use crate::bus::codec::FRAME_BYTES_MAX;
use crate::bus::explain::{Direction, Dissect, list};

/// Opens several channels at once.
const OPEN_SEVERAL: u8 = 0x80;
/// Lets a channel's lamp flash.
const FLASH: u8 = 0x81;
/// Opens all channels.
const OPEN_ALL: u8 = 0x86;
/// Opens several channels one after another.
const OPEN_IN_TURN: u8 = 0x87;
/// Holds a channel on, and off.
const HOLD_ON: u8 = 0x88;
const HOLD_OFF: u8 = 0x89;

/// Knows the lengths and names of this family's frames.
pub(in crate::bus) struct Dissector;

/// Whether everything up to the length byte, as far as it is there, is the head of a frame.
fn has_head(rest: &[u8]) -> bool {
    HEADER.iter().zip(rest).all(|(mark, byte)| mark == byte)
}

impl Dissect for Dissector {
    fn lengths(&self, rest: &[u8]) -> Vec<usize> {
        match rest.get(LENGTH_AT) {
            _ if !has_head(rest) => Vec::new(),
            None => vec![FRAME_BYTES_MIN],
            Some(&length) => {
                let length = usize::from(length);
                let believed = (FRAME_BYTES_MIN..=FRAME_BYTES_MAX).contains(&length);
                believed.then_some(length).into_iter().collect()
            }
        }
    }

    fn misfit(&self, rest: &[u8]) -> Option<String> {
        let length = rest.get(LENGTH_AT).filter(|_| has_head(rest))?;
        Some(format!(
            "LEN {length:02X} ({length}) is not {FRAME_BYTES_MIN} to {FRAME_BYTES_MAX}: \
             the head is dropped and the rest searched anew"
        ))
    }

    fn fault(&self, frame: &[u8]) -> Option<String> {
        let (found, body) = frame.split_last()?;
        let expected = xor(body);
        (expected != *found).then(|| format!("bad XOR: expected {expected:02X}, found {found:02X}"))
    }

    fn describe(&self, frame: &[u8]) -> (Direction, String) {
        let byte = |at: usize| frame.get(at).copied().unwrap_or_default();
        let (board, command) = (byte(ADDRESS_AT), byte(COMMAND_AT));
        let data = frame.get(DATA_AT..frame.len() - 1).unwrap_or_default();
        let request = |text: String| (Direction::Request, text);
        let reply = |text: String| (Direction::Reply, text);
        match (command, data) {
            (CHANGED, [channel, state]) => reply(format!(
                "unsolicited: board {board} channel {channel} is now {}",
                door(*state)
            )),
            (READ_ALL, []) => request(format!("read all of board {board}")),
            (READ_ALL, [verdict, count, states @ ..]) => {
                reply(all_states(board, *verdict, *count, states))
            }
            (OPEN_ALL, []) => request(format!("open ALL channels of board {board}")),
            (OPEN_SEVERAL | OPEN_IN_TURN, [count, channels @ ..]) if !channels.is_empty() => {
                let how = if command == OPEN_SEVERAL { "together" } else { "one after another" };
                let channels = list(channels.iter().copied());
                request(format!("open {count} channels of board {board} {how}: {channels}"))
            }
            (OPEN_ALL | OPEN_SEVERAL | OPEN_IN_TURN | READ_ALL, [status]) => {
                let what = deed(command);
                reply(format!("board {board} answers {what}: {}", verdict(*status)))
            }
            (FLASH | OPEN | READ_ONE | HOLD_ON | HOLD_OFF, [channel]) => {
                request(format!("{} board {board} channel {channel}", deed(command)))
            }
            (FLASH | HOLD_ON | HOLD_OFF, [status, channel]) => reply(format!(
                "board {board} answers {} channel {channel}: {}",
                deed(command),
                verdict(*status)
            )),
            (OPEN | READ_ONE, [status, channel, state]) => reply(format!(
                "board {board} answers {} channel {channel}: {}, {}",
                deed(command),
                verdict(*status),
                door(*state)
            )),
            _ => {
                let bytes = data.len();
                let text =
                    format!("board {board}: command {command:02X} with {bytes} bytes, not known");
                (Direction::RequestOrReply, text)
            }
        }
    }
}

fn deed(command: u8) -> &'static str {
    match command {
        OPEN_SEVERAL => "open several together",
        FLASH => "flash the lamp of",
        OPEN => "open",
        READ_ONE => "read",
        READ_ALL => "read all",
        OPEN_ALL => "open ALL",
        OPEN_IN_TURN => "open several in turn",
        HOLD_ON => "hold on",
        _ => "hold off",
    }
}

fn verdict(status: u8) -> String {
    match status {
        OK => "done".to_owned(),
        FAILED => "failed (hardware fault)".to_owned(),
        other => format!("unknown status {other:02X}"),
    }
}

fn door(state: u8) -> String {
    match state {
        STATE_OPEN => "open (00)".to_owned(),
        STATE_CLOSED => "closed (01)".to_owned(),
        other => format!("state unknown ({other:02X})"),
    }
}

fn all_states(board: u8, code: u8, count: u8, states: &[u8]) -> String {
    let of = |wanted: fn(u8) -> bool| {
        list((1..).zip(states).filter(|(_, state)| wanted(**state)).map(|(lock, _)| lock))
    };
    let closed = of(|state| state == STATE_CLOSED);
    let unknown = of(|state| ![STATE_OPEN, STATE_CLOSED].contains(&state));
    let verdict = verdict(code);
    format!(
        "board {board} answers read all: {verdict}, {count} channels, closed (01) at {closed}; \
         unknown at {unknown}"
    )
}
