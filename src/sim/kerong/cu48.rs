//! The board side of the KERONG CU48: protocol 2.1, and the dialect with infrared sensors.
//!
//! Requests `02 ADDR LOCK CMD 03 SUM`; LOCK counts from 0, 30 means all 48, ADDR 0A every board.
//! Protocol 2.1 knows 50 (status, reply 65 with six bytes of hooks) and 51 (unlock, never answered);
//! the other dialect 60 (reply 75 with six bytes of hooks and six of items) and 61, which boards
//! configured so answer with a short 75. Boards asked together answer in address order. All 48 are
//! opened one after another. Anything with a wrong sum or for another board gets silence.

use super::super::board::{Addressed, Board, CoilSwitch, Execution, Layout, Opens, Target};
use super::super::config::SimFamily;
use super::super::framer::Found;
use super::{ETX, STX, sealed, sum};

const LEN: usize = 6;
const EVERY_BOARD: u8 = 0x0A;
const EVERY_LOCK: u8 = 0x30;
const STATUS_BYTES: usize = 6;

/// The command bytes of a dialect.
struct Commands {
    status: u8,
    unlock: u8,
    reply: u8,
}

const fn commands(family: SimFamily) -> Commands {
    match family {
        SimFamily::KerongCu48Ir => Commands { status: 0x60, unlock: 0x61, reply: 0x75 },
        _ => Commands { status: 0x50, unlock: 0x51, reply: 0x65 },
    }
}

/// Finds a request of the dialect at the start of the buffer.
pub(in crate::sim) fn find_frame(family: SimFamily, buffer: &[u8]) -> Found {
    if buffer.first() != Some(&STX) {
        return Found::Noise(buffer.iter().position(|byte| *byte == STX).unwrap_or(buffer.len()));
    }
    let known = commands(family);
    match buffer.get(3) {
        None => Found::More,
        Some(command) if *command != known.status && *command != known.unlock => Found::Noise(1),
        Some(_) => match buffer.get(..LEN) {
            None => Found::More,
            Some(frame) if frame[LEN - 2] == ETX && frame[LEN - 1] == sum(&frame[..LEN - 1]) => {
                Found::Frame(LEN)
            }
            // Only the start byte is given up: the true frame may begin inside this one.
            Some(_) => Found::Noise(1),
        },
    }
}

/// Whether the frame is for this board or for every one.
pub(in crate::sim) fn addressed(board: &Board, frame: &[u8]) -> Addressed {
    match frame.get(1) {
        Some(&EVERY_BOARD) => Addressed::Every,
        Some(&address) if address == board.address => Addressed::Own,
        _ => Addressed::No,
    }
}

/// Command, and the lock an unlock names.
pub(in crate::sim) fn target(family: SimFamily, frame: &[u8]) -> Target {
    let (address, lock, command) = head(frame);
    let unlock = command == commands(family).unlock;
    let every = lock == EVERY_LOCK || address == EVERY_BOARD;
    Target {
        command,
        lock: (unlock && lock < EVERY_LOCK).then_some(lock.saturating_add(1)),
        opens: match (unlock, every) {
            (false, _) => Opens::Nothing,
            (true, false) => Opens::One,
            (true, true) => Opens::Many,
        },
    }
}

/// Obeys a request addressed to this board.
pub(in crate::sim) fn execute(board: &mut Board, frame: &[u8], now_us: u64) -> Execution {
    let (address, lock, command) = head(frame);
    let known = commands(board.config.family);
    if command == known.status {
        let reply = status(board, lock, now_us);
        return Execution { in_turn: address == EVERY_BOARD, ..Execution::reply(reply) };
    }
    let index = usize::from(lock);
    let coils = if lock == EVERY_LOCK {
        let all: Vec<usize> = (0..board.locks.len()).collect();
        board.one_after_another(&all).0
    } else if index < board.locks.len() {
        vec![(index, CoilSwitch::On { after_us: 0, duration_us: Some(board.pulse_us()) })]
    } else {
        return Execution::default();
    };
    let answers = board.config.answers_unlock() && address != EVERY_BOARD;
    let reply = answers.then(|| match board.config.family {
        SimFamily::KerongCu48Ir => sealed(vec![STX, board.address, lock, known.reply]),
        _ => status(board, lock, now_us),
    });
    Execution { reply, coils, ..Execution::default() }
}

fn status(board: &mut Board, lock: u8, now_us: u64) -> Vec<u8> {
    let (mut hooks, mut items) = ([0_u8; STATUS_BYTES], [0_u8; STATUS_BYTES]);
    for index in 0..board.locks.len().min(STATUS_BYTES * 8) {
        hooks[index / 8] |= u8::from(board.door_bit(index, now_us)) << (index % 8);
        items[index / 8] |= u8::from(board.locks[index].item) << (index % 8);
    }
    let mut body = vec![STX, board.address, lock, commands(board.config.family).reply];
    body.extend(hooks);
    if board.config.family == SimFamily::KerongCu48Ir {
        body.extend(items);
    }
    sealed(body)
}

/// Where the fields of a reply stand.
pub(in crate::sim) const fn layout() -> Layout {
    Layout { command: 3, lock: Some(2), length: None, sum_len: 1 }
}

/// Moves a reply to the next board.
pub(in crate::sim) fn readdress(reply: &mut [u8]) {
    if let Some(address) = reply.get_mut(1) {
        *address = address.wrapping_add(1);
    }
    super::reseal(reply);
}

/// Address, lock and command byte.
fn head(frame: &[u8]) -> (u8, u8, u8) {
    let at = |place: usize| frame.get(place).copied().unwrap_or(0);
    (at(1), at(2), at(3))
}

#[cfg(test)]
mod tests;
