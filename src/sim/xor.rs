//! The board side of the "8A/80" boards with an XOR sum (2 to 50 locks).
//!
//! Requests `8A AA LL 11 X` (open), `80 AA LL 33 X` (read one), `80 AA 00 33 X` (read all),
//! `90 AA S1 S2 S3 X` (open by bitmap), `9A`/`9B AA LL 11 X` (hold on, release). X is the XOR of all
//! bytes before it. A status is 11 or 00: which of them is "closed" is the lock's wiring. Lock 0
//! opens all, one after another, and is answered only after the run, with the request's own bytes;
//! so is a lock that stayed closed. Anything with a wrong sum or for another board gets silence.

use super::board::{Addressed, Board, CoilSwitch, Execution, Layout, Opens, Target};
use super::config::StatusOrder;
use super::framer::Found;

const OPEN: u8 = 0x8A;
const READ: u8 = 0x80;
const BITMAP: u8 = 0x90;
const HOLD: u8 = 0x9A;
const RELEASE: u8 = 0x9B;
const VERSION: u8 = 0x82;
const CHANGED: u8 = 0x81;

const ORDER: u8 = 0x11;
const QUESTION: u8 = 0x33;
/// A status that conducts.
const CONDUCTS: u8 = 0x11;

const LEN_SHORT: usize = 5;
/// An open that names its seconds.
const LEN_TIMED: usize = 6;
/// Bitmaps of three and of seven bytes.
const LEN_BITMAPS: [usize; 2] = [6, 10];
const TIMED_S_MAX: u8 = 9;

/// Finds a request at the start of the buffer by its first byte.
pub(super) fn find_frame(buffer: &[u8]) -> Found {
    match buffer.first() {
        None => Found::More,
        Some(&(READ | VERSION | HOLD | RELEASE)) => one_of(buffer, &[LEN_SHORT]),
        Some(&OPEN) => match buffer.get(LEN_SHORT - 1) {
            Some(1..=TIMED_S_MAX) => one_of(buffer, &[LEN_SHORT, LEN_TIMED]),
            _ => one_of(buffer, &[LEN_SHORT]),
        },
        Some(&BITMAP) => one_of(buffer, &LEN_BITMAPS),
        Some(_) => {
            Found::Noise(buffer.iter().position(|byte| starts(*byte)).unwrap_or(buffer.len()))
        }
    }
}

const fn starts(byte: u8) -> bool {
    matches!(byte, OPEN | READ | BITMAP | HOLD | RELEASE | VERSION)
}

/// The shortest of these lengths whose sum holds.
fn one_of(buffer: &[u8], lengths: &[usize]) -> Found {
    for len in lengths {
        match buffer.get(..*len) {
            None => return Found::More,
            Some(frame) if holds(frame) => return Found::Frame(*len),
            Some(_) => {}
        }
    }
    // Only the start byte is given up: the true frame may begin inside this one.
    Found::Noise(1)
}

/// Whether the frame's address is this board's; there is no broadcast.
pub(super) fn addressed(board: &Board, frame: &[u8]) -> Addressed {
    if frame.get(1) == Some(&board.address) { Addressed::Own } else { Addressed::No }
}

/// First byte, and the lock that an open or a read of one names.
pub(super) fn target(frame: &[u8]) -> Target {
    let command = frame.first().copied().unwrap_or(0);
    let lock = frame.get(2).copied().filter(|lock| command != BITMAP && *lock > 0);
    let opens = match command {
        OPEN if lock.is_none() => Opens::Many,
        OPEN | HOLD => Opens::One,
        BITMAP => {
            let data = frame.get(2..frame.len().saturating_sub(1)).unwrap_or_default();
            Opens::count(data.iter().map(|byte| byte.count_ones() as usize).sum())
        }
        _ => Opens::Nothing,
    };
    Target { command, lock, opens }
}

/// Obeys a request addressed to this board.
pub(super) fn execute(board: &mut Board, frame: &[u8], now_us: u64) -> Execution {
    match (frame.first().copied(), frame.get(2).copied(), frame.get(3).copied()) {
        (Some(OPEN), Some(0), Some(ORDER)) => open_all(board, frame),
        (Some(OPEN), Some(lock), Some(ORDER)) => open(board, frame, lock, now_us),
        (Some(READ), Some(0), Some(QUESTION)) => read_all(board, now_us),
        (Some(READ), Some(lock), Some(QUESTION)) => match index(board, lock) {
            Some(index) => {
                let status = status_byte(board.door_bit(index, now_us));
                Execution::reply(sealed(vec![READ, board.address, lock, status]))
            }
            None => Execution::default(),
        },
        (Some(BITMAP), ..) => open_bitmap(board, frame),
        (Some(command @ (HOLD | RELEASE)), Some(lock), Some(ORDER)) => {
            let Some(index) = index(board, lock) else { return Execution::default() };
            let change = if command == HOLD {
                CoilSwitch::On { after_us: 0, duration_us: None }
            } else {
                CoilSwitch::Off
            };
            let status = status_byte(board.door_bit(index, now_us));
            let reply = sealed(vec![command, board.address, lock, status]);
            Execution { coils: vec![(index, change)], ..Execution::reply(reply) }
        }
        _ => Execution::default(),
    }
}

fn open(board: &Board, frame: &[u8], lock: u8, now_us: u64) -> Execution {
    let Some(index) = index(board, lock) else { return Execution::default() };
    let pulse_us = match frame.get(4) {
        Some(seconds) if frame.len() == LEN_TIMED => u64::from(*seconds) * 1_000_000,
        _ => board.pulse_us(),
    };
    let coils = vec![(index, CoilSwitch::On { after_us: 0, duration_us: Some(pulse_us) })];
    if !board.config.answers_unlock() {
        return Execution { coils, ..Execution::default() };
    }
    let status = status_byte(board.bit_after_pulse(index, now_us, pulse_us));
    let reply = sealed(vec![OPEN, board.address, lock, status]);
    Execution { coils, after_us: board.unlock_reply_us(), ..Execution::reply(reply) }
}

fn open_all(board: &Board, frame: &[u8]) -> Execution {
    let all: Vec<usize> = (0..board.locks.len()).collect();
    let (coils, run_us) = board.one_after_another(&all);
    Execution { coils, after_us: run_us, ..Execution::reply(frame.to_vec()) }
}

fn open_bitmap(board: &Board, frame: &[u8]) -> Execution {
    let data = frame.get(2..frame.len().saturating_sub(1)).unwrap_or_default();
    if data.len() != board.config.status_len() {
        return Execution::default();
    }
    let wanted: Vec<usize> =
        (0..board.locks.len()).filter(|index| data[index / 8] & (1 << (index % 8)) != 0).collect();
    let (coils, run_us) = board.one_after_another(&wanted);
    Execution { coils, after_us: run_us, ..Execution::reply(frame.to_vec()) }
}

fn read_all(board: &mut Board, now_us: u64) -> Execution {
    let mut bits = vec![0_u8; board.config.status_len()];
    for index in 0..board.locks.len() {
        if board.door_bit(index, now_us) {
            bits[index / 8] |= 1 << (index % 8);
        }
    }
    if board.config.status_order == StatusOrder::HighestFirst {
        bits.reverse();
    }
    let mut reply = vec![READ, board.address];
    reply.append(&mut bits);
    reply.push(QUESTION);
    Execution::reply(sealed(reply))
}

/// What the board says by itself when a lock has changed.
pub(super) fn changed(board: &Board, index: usize, bit: bool) -> Vec<u8> {
    let lock = u8::try_from(index + 1).unwrap_or(u8::MAX);
    sealed(vec![CHANGED, board.address, lock, status_byte(bit)])
}

/// The refusal of an open: the lock "is still closed" and got no pulse.
pub(super) fn refusal(board: &Board, frame: &[u8]) -> Option<Vec<u8>> {
    let lock = *frame.get(2)?;
    let index = index(board, lock)?;
    let status = status_byte(board.config.closed_bit_of(index));
    Some(sealed(vec![*frame.first()?, board.address, lock, status]))
}

/// Where the fields of a reply stand.
pub(super) fn layout(reply: &[u8]) -> Layout {
    let names_lock = reply.len() == LEN_SHORT && reply.first() != Some(&BITMAP);
    Layout { command: 0, lock: names_lock.then_some(2), length: None, sum_len: 1 }
}

/// Moves a reply to the next board.
pub(super) fn readdress(reply: &mut [u8]) {
    if let Some(address) = reply.get_mut(1) {
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

fn index(board: &Board, lock: u8) -> Option<usize> {
    (1..=board.config.locks).contains(&lock).then(|| usize::from(lock - 1))
}

const fn status_byte(bit: bool) -> u8 {
    if bit { CONDUCTS } else { 0x00 }
}

fn holds(frame: &[u8]) -> bool {
    let marked = match frame.first() {
        Some(&READ) => frame[3] == QUESTION,
        Some(&(OPEN | HOLD | RELEASE)) => frame[3] == ORDER,
        _ => true,
    };
    marked && sum(frame) == 0
}

fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    body.push(sum(&body));
    body
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |total, byte| total ^ byte)
}

#[cfg(test)]
mod tests;
