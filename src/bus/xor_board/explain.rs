//! Names the frames of XOR boards for people, also those this program never sends.
//!
//! A frame of five bytes and a read-all reply may begin alike; what leaves no rest is right. What 11
//! and 00 mean for the door depends on a setting of the board, so they are named as contacts.

use super::{
    ADDRESS_LAST, BROKEN, CHANGES, LONG_BYTES, MADE, OPEN, READ, READ_MARK, SHORT_BYTES, xor,
};
use crate::bus::codec::LockBits;
use crate::bus::explain::{Direction, Dissect, list};

/// Opens several locks by a bit list, and its reply.
const OPEN_SEVERAL: u8 = 0x90;
/// Holds an output on, on boards made for magnets.
const HOLD: u8 = 0x9A;
/// Ends [`HOLD`].
const RELEASE: u8 = 0x9B;
/// Last byte but one of the question for the firmware's version.
const VERSION_MARK: u8 = 0x22;
/// Length of a request to open for some seconds.
const TIMED_BYTES: usize = 6;
/// Shortest and longest frame with a bit list of locks to open.
const SEVERAL_BYTES: std::ops::RangeInclusive<usize> = 6..=10;

/// Knows the lengths and names of this family's frames.
pub(in crate::bus) struct Dissector;

impl Dissect for Dissector {
    fn lengths(&self, rest: &[u8]) -> Vec<usize> {
        let Some(head) = rest.first() else { return Vec::new() };
        match *head {
            READ => {
                let long = LONG_BYTES.into_iter();
                let marked =
                    |length: &usize| rest.get(*length - 2).is_none_or(|mark| *mark == READ_MARK);
                [SHORT_BYTES].into_iter().chain(long.filter(marked)).collect()
            }
            OPEN => vec![SHORT_BYTES, TIMED_BYTES],
            OPEN_SEVERAL => SEVERAL_BYTES.collect(),
            HOLD | RELEASE => vec![SHORT_BYTES],
            head if CHANGES.contains(&head) => vec![SHORT_BYTES],
            _ => Vec::new(),
        }
    }

    fn is_shaped(&self, frame: &[u8]) -> bool {
        let [_, address, .., mark, _] = *frame else { return false };
        let marks = [BROKEN, MADE, READ_MARK];
        (1..=ADDRESS_LAST).contains(&address) && marks.contains(&mark)
    }

    fn fault(&self, frame: &[u8]) -> Option<String> {
        let (found, body) = frame.split_last()?;
        let expected = xor(body);
        (expected != *found).then(|| format!("bad XOR: expected {expected:02X}, found {found:02X}"))
    }

    fn describe(&self, frame: &[u8]) -> (Direction, String) {
        let byte = |at: usize| frame.get(at).copied().unwrap_or_default();
        let (head, board, lock, mark) = (byte(0), byte(1), byte(2), byte(3));
        let request = |text: String| (Direction::Request, text);
        let reply = |text: String| (Direction::Reply, text);
        let whose = if lock == 0 {
            format!("ALL locks of board {board}")
        } else {
            format!("board {board} lock {lock}")
        };
        match (head, frame.len(), mark) {
            (READ, SHORT_BYTES, READ_MARK) if lock == 0 => {
                request(format!("read all of board {board}"))
            }
            (READ, SHORT_BYTES, READ_MARK) => request(format!("read {whose}")),
            (READ, SHORT_BYTES, status) => reply(format!("{whose}: {}", contact(status))),
            (READ, ..) => reply(states(board, frame)),
            (OPEN, SHORT_BYTES, MADE) => {
                (Direction::RequestOrReply, format!("open {whose}; as a reply: {}", contact(MADE)))
            }
            (OPEN, SHORT_BYTES, status) => {
                reply(format!("answer to open {whose}: {}", contact(status)))
            }
            (OPEN, ..) => request(format!("open {whose} for {} s", byte(4))),
            (OPEN_SEVERAL, ..) => {
                let data = frame.get(2..frame.len() - 1).unwrap_or_default();
                let highest_first: Vec<_> = data.iter().rev().copied().collect();
                let locks = bits(&highest_first);
                let text = format!("open several locks of board {board}: {locks} (highest first)");
                (Direction::RequestOrReply, text)
            }
            (HOLD, ..) => (Direction::RequestOrReply, format!("hold {whose} on")),
            (RELEASE, ..) => (Direction::RequestOrReply, format!("release {whose}")),
            (_, _, VERSION_MARK) => request(format!("read the firmware version of board {board}")),
            _ => reply(format!("unsolicited: {whose}: {}", contact(mark))),
        }
    }
}

/// A status byte; what it means for the door is a setting of the board.
fn contact(status: u8) -> String {
    match status {
        MADE => "contact made (11), closed with closing feedback".to_owned(),
        BROKEN => "contact not made (00), open with closing feedback".to_owned(),
        other => format!("unknown status {other:02X}"),
    }
}

fn states(board: u8, frame: &[u8]) -> String {
    let data = frame.get(2..frame.len() - 2).unwrap_or_default();
    let reversed: Vec<_> = data.iter().rev().copied().collect();
    let (highest_first, lowest_first) = (bits(&reversed), bits(data));
    let either = if highest_first == lowest_first {
        highest_first
    } else {
        format!("{highest_first} (highest byte first), or {lowest_first} (lowest byte first)")
    };
    format!("board {board} answers read all: contact made at locks {either}")
}

fn bits(data: &[u8]) -> String {
    let locks = u8::try_from(data.len().min(8) * 8).unwrap_or(u8::MAX);
    list(LockBits::from_wire(data).set_locks(locks))
}
