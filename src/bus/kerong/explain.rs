//! Names KERONG CU16 frames for people, also those this program never sends.
//!
//! Commands 37 to 40, 80 and 81 rest on a single source each (protocol notes 1.1); they are named
//! so that a log of someone else's master can be read, and are sent by nothing here.

use super::{
    END, REPLY_BYTES, REQUEST_BYTES, START, STATUS, STATUS_ALL, STATUS_ALL_REPLY, STATUS_REPLY,
    UNLOCK, UNLOCK_ALL, sum,
};
use crate::bus::codec::LockBits;
use crate::bus::explain::{Direction, Dissect, list};

const UNLOCK_TIME: u8 = 0x37;
const UNLOCK_TIME_REPLY: u8 = 0x38;
const UNLOCK_DELAY: u8 = 0x39;
const BAUD: u8 = 0x40;
const ADDRESSING: u8 = 0x80;
const SET_ADDRESS: u8 = 0x81;
/// Locks of a board.
const LOCKS: u8 = 16;
/// Unit of the unlock time in milliseconds.
const UNLOCK_TIME_UNIT_MS: u32 = 10;

/// Knows the lengths and names of this family's frames.
pub(in crate::bus) struct Dissector;

impl Dissect for Dissector {
    fn lengths(&self, rest: &[u8]) -> Vec<usize> {
        match *rest {
            [START] | [START, _] => vec![REQUEST_BYTES, REPLY_BYTES],
            [START, _, command, ..] => match command {
                STATUS..=UNLOCK_ALL => vec![REQUEST_BYTES],
                STATUS_REPLY | STATUS_ALL_REPLY => vec![REPLY_BYTES],
                UNLOCK_TIME => vec![REQUEST_BYTES, REQUEST_BYTES + 2],
                UNLOCK_TIME_REPLY | ADDRESSING | SET_ADDRESS => vec![REQUEST_BYTES, REPLY_BYTES],
                UNLOCK_DELAY | BAUD => vec![REQUEST_BYTES + 1],
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn fault(&self, frame: &[u8]) -> Option<String> {
        let [body @ .., end, found] = frame else { return Some("too short".to_owned()) };
        if *end != END {
            let at = body.len() + 1;
            return Some(format!("end mark {END:02X} missing at byte {at}: found {end:02X}"));
        }
        let expected = sum(body).wrapping_add(END);
        (expected != *found).then(|| format!("bad sum: expected {expected:02X}, found {found:02X}"))
    }

    fn describe(&self, frame: &[u8]) -> (Direction, String) {
        let byte = |at: usize| frame.get(at).copied().unwrap_or_default();
        let (address, command) = (byte(1), byte(2));
        let (board, lock) = (address >> 4, (address & 0x0F) + 1);
        let request = |text: String| (Direction::Request, text);
        match (command, frame.len()) {
            (STATUS, _) => request(format!("status of board {board}")),
            (UNLOCK, _) => request(format!("unlock board {board} lock {lock}")),
            (STATUS_ALL, _) if board == 15 => {
                request("status of every board on the bus".to_owned())
            }
            (STATUS_ALL, _) => request(format!("status of board {board}, as one of all")),
            (UNLOCK_ALL, _) => request(format!("unlock ALL {LOCKS} locks of board {board}")),
            (STATUS_REPLY, _) => (Direction::Reply, state(board, "status", frame)),
            (STATUS_ALL_REPLY, _) => (Direction::Reply, state(board, "status of all", frame)),
            (UNLOCK_TIME, REQUEST_BYTES) => request(format!("ask board {board}'s unlock time")),
            (UNLOCK_TIME, _) => {
                let time_ms = u32::from(u16::from_be_bytes([byte(3), byte(4)]));
                let time_ms = time_ms * UNLOCK_TIME_UNIT_MS;
                request(format!("set unlock time of board {board} to {time_ms} ms"))
            }
            (UNLOCK_TIME_REPLY, REQUEST_BYTES) => {
                request(format!("clear the busy state of board {board}"))
            }
            (UNLOCK_TIME_REPLY, _) => {
                (Direction::Reply, format!("board {board} answers about its unlock time"))
            }
            (UNLOCK_DELAY, _) => {
                request(format!("set delayed unlock of board {board} to {} s", byte(3)))
            }
            (BAUD, _) => request(format!("set baud rate of board {board} to {}", baud(byte(3)))),
            (SET_ADDRESS, REPLY_BYTES) => {
                request(format!("set address {:02X} on the board with {address:02X}", byte(3)))
            }
            _ => request(format!("addressing command {command:02X} to {address:02X}")),
        }
    }
}

fn state(board: u8, question: &str, frame: &[u8]) -> String {
    let bits = |from: usize| {
        let bytes = frame.get(from..from + 2).unwrap_or_default();
        list(LockBits::from_wire(bytes).set_locks(LOCKS))
    };
    let (hooks, items) = (bits(3), bits(5));
    format!("board {board} answers {question}: hook bit 1 at locks {hooks}; items at {items}")
}

fn baud(code: u8) -> String {
    let known = [9_600_u32, 19_200, 57_600, 115_200];
    known
        .get(usize::from(code))
        .map_or_else(|| format!("unknown code {code:02X}"), ToString::to_string)
}
