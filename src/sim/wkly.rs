//! The board side of the boards with the `57 4B 4C 59` head (WKLY).
//!
//! `57 4B 4C 59 LEN ADDR CMD DATA… X`: LEN counts the whole frame, X is the XOR of every byte before
//! it. 82 opens one lock, 83 reads one, 84 reads all, 80 opens several together, 87 one after
//! another, 86 all, 81 flashes a lamp, 88 and 89 hold a coil on and let it go. Replies carry a
//! status (00 done, FF failed) and lock states (00 open, 01 closed unless wired the other way).
//! 85 is the board's own word when a lock changed. A lock it does not have is answered with FF.

use super::board::{Addressed, Board, CoilSwitch, Execution, Layout, Opens, Target};
use super::framer::Found;

const HEAD: [u8; 4] = [0x57, 0x4B, 0x4C, 0x59];
const LEN_AT: usize = 4;
const ADDRESS_AT: usize = 5;
const COMMAND_AT: usize = 6;
const DATA_AT: usize = 7;
const LEN_MIN: usize = 8;
/// Longest frame of a request or reply.
const LEN_MAX: usize = 48;

const OPEN_TOGETHER: u8 = 0x80;
const FLASH_LAMP: u8 = 0x81;
const OPEN: u8 = 0x82;
const READ: u8 = 0x83;
const READ_ALL: u8 = 0x84;
const CHANGED: u8 = 0x85;
const OPEN_ALL: u8 = 0x86;
const OPEN_IN_TURN: u8 = 0x87;
const HOLD: u8 = 0x88;
const RELEASE: u8 = 0x89;

const DONE: u8 = 0x00;
const FAILED: u8 = 0xFF;

/// Finds a request at the start of the buffer by its head and length byte.
pub(super) fn find_frame(buffer: &[u8]) -> Found {
    if !HEAD.iter().zip(buffer).all(|(head, byte)| head == byte) {
        let next = buffer.iter().skip(1).position(|byte| *byte == HEAD[0]);
        return Found::Noise(next.map_or(buffer.len(), |at| at + 1));
    }
    let Some(len) = buffer.get(LEN_AT).map(|len| usize::from(*len)) else { return Found::More };
    if !(LEN_MIN..=LEN_MAX).contains(&len) {
        return Found::Noise(1);
    }
    match buffer.get(..len) {
        None => Found::More,
        Some(frame) if sum(frame) == 0 => Found::Frame(len),
        // Only the start byte is given up: the true frame may begin inside this one.
        Some(_) => Found::Noise(1),
    }
}

/// Whether the frame's address is this board's; there is no broadcast.
pub(super) fn addressed(board: &Board, frame: &[u8]) -> Addressed {
    if frame.get(ADDRESS_AT) == Some(&board.address) { Addressed::Own } else { Addressed::No }
}

/// Command, and the lock that an order for one names.
pub(super) fn target(frame: &[u8]) -> Target {
    let command = command(frame);
    let lock = match command {
        FLASH_LAMP | OPEN | READ | HOLD | RELEASE => data(frame).first().copied(),
        _ => None,
    };
    let opens = match command {
        OPEN | HOLD => Opens::One,
        OPEN_ALL => Opens::Many,
        OPEN_TOGETHER | OPEN_IN_TURN => Opens::count(data(frame).len().saturating_sub(1)),
        _ => Opens::Nothing,
    };
    Target { command, lock, opens }
}

/// Obeys a request addressed to this board.
pub(super) fn execute(board: &mut Board, frame: &[u8], now_us: u64) -> Execution {
    let command = command(frame);
    match (command, data(frame)) {
        (READ_ALL, []) => read_all(board, now_us),
        (OPEN_ALL, []) => {
            let all: Vec<usize> = (0..board.locks.len()).collect();
            let (coils, _) = board.one_after_another(&all);
            Execution { coils, ..answer(board, command, &[DONE]) }
        }
        (OPEN_TOGETHER | OPEN_IN_TURN, [count, locks @ ..])
            if usize::from(*count) == locks.len() =>
        {
            open_several(board, command, locks)
        }
        (FLASH_LAMP | OPEN | READ | HOLD | RELEASE, [lock]) => match index(board, *lock) {
            Some(index) => order_for_one(board, command, index, now_us),
            None if matches!(command, OPEN | READ) => {
                answer(board, command, &[FAILED, *lock, FAILED])
            }
            None => answer(board, command, &[FAILED, *lock]),
        },
        _ => Execution::default(),
    }
}

fn order_for_one(board: &mut Board, command: u8, index: usize, now_us: u64) -> Execution {
    let lock = number(index);
    let on = |duration_us| vec![(index, CoilSwitch::On { after_us: 0, duration_us })];
    match command {
        READ => {
            let state = u8::from(board.door_bit(index, now_us));
            answer(board, command, &[DONE, lock, state])
        }
        OPEN => {
            let coils = on(Some(board.pulse_us()));
            if !board.config.answers_unlock() {
                return Execution { coils, ..Execution::default() };
            }
            let state = u8::from(board.bit_after_pulse(index, now_us, board.pulse_us()));
            let reply = answer(board, command, &[DONE, lock, state]);
            Execution { coils, after_us: board.unlock_reply_us(), ..reply }
        }
        HOLD => Execution { coils: on(None), ..answer(board, command, &[DONE, lock]) },
        RELEASE => Execution {
            coils: vec![(index, CoilSwitch::Off)],
            ..answer(board, command, &[DONE, lock])
        },
        _ => answer(board, command, &[DONE, lock]),
    }
}

fn open_several(board: &Board, command: u8, locks: &[u8]) -> Execution {
    let found: Option<Vec<usize>> = locks.iter().map(|lock| index(board, *lock)).collect();
    let Some(indexes) = found else { return answer(board, command, &[FAILED]) };
    if command == OPEN_IN_TURN {
        let (coils, run_us) = board.one_after_another(&indexes);
        return Execution { coils, after_us: run_us, ..answer(board, command, &[DONE]) };
    }
    let on = CoilSwitch::On { after_us: 0, duration_us: Some(board.pulse_us()) };
    let coils = indexes.into_iter().map(|index| (index, on)).collect();
    Execution { coils, ..answer(board, command, &[DONE]) }
}

fn read_all(board: &mut Board, now_us: u64) -> Execution {
    let mut body = vec![DONE, board.config.locks];
    for index in 0..board.locks.len() {
        body.push(u8::from(board.door_bit(index, now_us)));
    }
    answer(board, READ_ALL, &body)
}

/// What the board says by itself when a lock has changed.
pub(super) fn changed(board: &Board, index: usize, bit: bool) -> Vec<u8> {
    frame_of(board.address, CHANGED, &[number(index), u8::from(bit)])
}

/// The refusal of any order.
pub(super) fn refusal(board: &Board, frame: &[u8]) -> Vec<u8> {
    let command = command(frame);
    match (command, data(frame)) {
        (OPEN | READ, [lock]) => frame_of(board.address, command, &[FAILED, *lock, FAILED]),
        (FLASH_LAMP | HOLD | RELEASE, [lock]) => frame_of(board.address, command, &[FAILED, *lock]),
        _ => frame_of(board.address, command, &[FAILED]),
    }
}

/// Where the fields of a reply stand.
pub(super) fn layout(reply: &[u8]) -> Layout {
    let lock = match command(reply) {
        FLASH_LAMP | OPEN | READ | HOLD | RELEASE => Some(DATA_AT + 1),
        CHANGED => Some(DATA_AT),
        _ => None,
    };
    Layout { command: COMMAND_AT, lock, length: Some(LEN_AT), sum_len: 1 }
}

/// Moves a reply to the next board.
pub(super) fn readdress(reply: &mut [u8]) {
    if let Some(address) = reply.get_mut(ADDRESS_AT) {
        *address = address.wrapping_add(1);
    }
    reseal(reply);
}

/// Puts the right sum at the end.
pub(super) fn reseal(reply: &mut [u8]) {
    if let Some((last, body)) = reply.split_last_mut() {
        *last = sum(body);
    }
}

fn answer(board: &Board, command: u8, body: &[u8]) -> Execution {
    Execution::reply(frame_of(board.address, command, body))
}

fn frame_of(address: u8, command: u8, body: &[u8]) -> Vec<u8> {
    let len = u8::try_from(LEN_MIN + body.len()).unwrap_or(u8::MAX);
    let mut frame = [&HEAD, [len, address, command].as_slice(), body].concat();
    frame.push(sum(&frame));
    frame
}

fn command(frame: &[u8]) -> u8 {
    frame.get(COMMAND_AT).copied().unwrap_or(0)
}

fn data(frame: &[u8]) -> &[u8] {
    frame.get(DATA_AT..frame.len().saturating_sub(1)).unwrap_or_default()
}

fn index(board: &Board, lock: u8) -> Option<usize> {
    (1..=board.config.locks).contains(&lock).then(|| usize::from(lock - 1))
}

fn number(index: usize) -> u8 {
    u8::try_from(index + 1).unwrap_or(u8::MAX)
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |total, byte| total ^ byte)
}

#[cfg(test)]
mod tests;
