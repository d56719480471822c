//! Names the frames of the KERONG dialects for people, also those this program never sends.
//!
//! The CU16 commands 37 to 40, 80 and 81 rest on a single source each (protocol notes 1.1); they are
//! named so that a log of someone else's master can be read, and are sent by nothing here. A command
//! nobody knows is still named as such when end mark and sum of its frame hold.

use super::dialects::{CU16_STATE_OF_ALL, CU16_STATUS_ALL, CU16_UNLOCK_ALL};
use super::{CU16, CU48, CU48_IR, Dialect, START, fault};
use crate::bus::codec::LockBits;
use crate::bus::explain::{Direction, Dissect, list};

const UNLOCK_TIME: u8 = 0x37;
const UNLOCK_TIME_REPLY: u8 = 0x38;
const UNLOCK_DELAY: u8 = 0x39;
const BAUD: u8 = 0x40;
const ADDRESSING: u8 = 0x80;
const SET_ADDRESS: u8 = 0x81;
/// Unit of the unlock time in milliseconds.
const UNLOCK_TIME_UNIT_MS: u32 = 10;
/// Lock index of CU48 boards that stands for all locks.
const LOCK_INDEX_ALL: u8 = 0x30;
/// Address of CU48 boards that stands for every board.
const CU48_ADDRESS_ALL: u8 = 0x0A;
/// Address half of CU16 boards that stands for every board.
const CU16_ADDRESS_ALL: u8 = 0x0F;
/// Length of a CU16 request without data.
const CU16_SHORT: usize = CU16.request_bytes();
/// Length of a CU16 frame with four data bytes.
const CU16_LONG: usize = CU16_SHORT + 4;

/// Knows the lengths and names of one dialect's frames.
pub(in crate::bus) struct Dissector(&'static Dialect);

/// For frames of CU16 boards.
pub(in crate::bus) const CU16_FRAMES: Dissector = Dissector(&CU16);
/// For frames of CU48 boards.
pub(in crate::bus) const CU48_FRAMES: Dissector = Dissector(&CU48);
/// For frames of CU48 boards with item sensors.
pub(in crate::bus) const CU48_IR_FRAMES: Dissector = Dissector(&CU48_IR);

impl Dissect for Dissector {
    fn lengths(&self, rest: &[u8]) -> Vec<usize> {
        let Self(dialect) = self;
        if rest.first() != Some(&START) {
            return Vec::new();
        }
        let any = || [&[dialect.request_bytes()], dialect.state_bytes].concat();
        let Some(&command) = rest.get(dialect.command_at()) else { return any() };
        let known = dialect.lengths(command);
        if !known.is_empty() {
            return known;
        }
        let further = cu16_only(command);
        if dialect.lock_in_address && !further.is_empty() {
            return further;
        }
        let holds =
            |length: &usize| rest.get(..*length).is_some_and(|frame| fault(frame).is_none());
        any().into_iter().filter(holds).collect()
    }

    fn fault(&self, frame: &[u8]) -> Option<String> {
        fault(frame)
    }

    fn describe(&self, frame: &[u8]) -> (Direction, String) {
        let Self(dialect) = self;
        let command = frame.get(dialect.command_at()).copied().unwrap_or_default();
        let (board, lock_index) = dialect.target(frame);
        let lock = u16::from(lock_index) + 1;
        let request = |text: String| (Direction::Request, text);
        let every = if dialect.lock_in_address { CU16_ADDRESS_ALL } else { CU48_ADDRESS_ALL };
        let whose = if board == every {
            "every board on the bus".to_owned()
        } else {
            format!("board {board}")
        };
        if dialect.states.contains(&command) {
            return (Direction::Reply, state(dialect, frame, board, command));
        }
        if command == dialect.status {
            return request(format!("status of {whose}"));
        }
        if command == dialect.unlock {
            let all = !dialect.lock_in_address && lock_index == LOCK_INDEX_ALL;
            let locks = dialect.capabilities.locks_max;
            return request(if all {
                format!("unlock ALL {locks} locks of {whose}")
            } else {
                format!("unlock {whose} lock {lock}")
            });
        }
        if dialect.lock_in_address {
            return describe_cu16(command, board, &whose, frame);
        }
        unknown(command, &whose)
    }
}

/// Lengths of frames that only CU16 boards know.
fn cu16_only(command: u8) -> Vec<usize> {
    match command {
        UNLOCK_TIME => vec![CU16_SHORT, CU16_SHORT + 2],
        UNLOCK_TIME_REPLY | ADDRESSING | SET_ADDRESS => vec![CU16_SHORT, CU16_LONG],
        UNLOCK_DELAY | BAUD => vec![CU16_SHORT + 1],
        _ => Vec::new(),
    }
}

fn describe_cu16(command: u8, board: u8, whose: &str, frame: &[u8]) -> (Direction, String) {
    let byte = |at: usize| frame.get(at).copied().unwrap_or_default();
    let address = byte(1);
    let text = match (command, frame.len()) {
        (CU16_STATUS_ALL, _) if board == CU16_ADDRESS_ALL => format!("status of {whose}"),
        (CU16_STATUS_ALL, _) => format!("status of {whose}, as one of all"),
        (CU16_UNLOCK_ALL, _) => format!("unlock ALL 16 locks of {whose}"),
        (UNLOCK_TIME, CU16_SHORT) => format!("ask the unlock time of {whose}"),
        (UNLOCK_TIME, _) => {
            let time = u32::from(u16::from_be_bytes([byte(3), byte(4)]));
            format!("set unlock time of {whose} to {} ms", time * UNLOCK_TIME_UNIT_MS)
        }
        (UNLOCK_TIME_REPLY, CU16_SHORT) => format!("clear the busy state of {whose}"),
        (UNLOCK_TIME_REPLY, _) => {
            return (Direction::Reply, format!("{whose} answers about its unlock time"));
        }
        (UNLOCK_DELAY, _) => format!("set delayed unlock of {whose} to {} s", byte(3)),
        (BAUD, _) => format!("set baud rate of {whose} to {}", baud(byte(3))),
        (SET_ADDRESS, CU16_LONG) => {
            format!("set address {:02X} on the board with {address:02X}", byte(3))
        }
        (ADDRESSING | SET_ADDRESS, _) => {
            format!("addressing command {command:02X} to {address:02X}")
        }
        _ => return unknown(command, whose),
    };
    (Direction::Request, text)
}

fn unknown(command: u8, whose: &str) -> (Direction, String) {
    (Direction::RequestOrReply, format!("{whose}: command {command:02X}, not known"))
}

fn state(dialect: &Dialect, frame: &[u8], board: u8, command: u8) -> String {
    let (hooks, items) = dialect.state_data(frame);
    if hooks.is_empty() {
        return format!("board {board} acknowledges");
    }
    let question = if command == CU16_STATE_OF_ALL { "status of all" } else { "status" };
    let bits = |bytes| list(LockBits::from_wire(bytes).set_locks(dialect.capabilities.locks_max));
    let hooks = bits(hooks);
    let mut text = format!("board {board} answers {question}: hook bit 1 at locks {hooks}");
    if !items.is_empty() {
        text.push_str("; items at ");
        text.push_str(&bits(items));
    }
    text
}

fn baud(code: u8) -> String {
    let known = [9_600_u32, 19_200, 57_600, 115_200];
    known
        .get(usize::from(code))
        .map_or_else(|| format!("unknown code {code:02X}"), ToString::to_string)
}
