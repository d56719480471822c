//! The board side of the KERONG CU16 (commands 30 to 38).
//!
//! Requests `02 ADDR CMD 03 SUM`, status replies `02 ADDR 35 D1 D2 D3 D4 03 SUM`; the sum is the
//! low byte of all bytes before it. The high half of ADDR is the board, the low half the lock
//! index. D1, D2 are the hooks, D3, D4 the infrared item sensors. An unlock (31) is answered only
//! by boards configured so, and then with a status frame; 32 to F0 makes every board answer 36 in
//! address order; 33 runs through all locks one after another; 37 reads or sets the unlock time
//! and answers 38 (one source only). Anything with a wrong sum or for another board gets silence.

use super::board::{Addressed, Board, CoilSwitch, Execution, Layout, Opens, Registers, Target};
use super::framer::Found;

pub(super) mod cu48;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const LEN_SHORT: usize = 5;
const LEN_SET_TIME: usize = 7;
const BROADCAST: u8 = 0xF0;

const STATUS: u8 = 0x30;
const UNLOCK: u8 = 0x31;
const STATUS_ALL: u8 = 0x32;
const UNLOCK_ALL: u8 = 0x33;
const STATUS_REPLY: u8 = 0x35;
const STATUS_ALL_REPLY: u8 = 0x36;
const UNLOCK_TIME: u8 = 0x37;
const UNLOCK_TIME_REPLY: u8 = 0x38;

/// Finds a request at the start of the buffer by the length of its command.
pub(super) fn find_frame(buffer: &[u8]) -> Found {
    if buffer.first() != Some(&STX) {
        return Found::Noise(buffer.iter().position(|byte| *byte == STX).unwrap_or(buffer.len()));
    }
    match buffer.get(2) {
        None => Found::More,
        Some(&(STATUS..=UNLOCK_ALL)) => frame_of(buffer, LEN_SHORT),
        Some(&UNLOCK_TIME) => match frame_of(buffer, LEN_SET_TIME) {
            set @ Found::Frame(_) => set,
            // Without data it asks for the time.
            other => match frame_of(buffer, LEN_SHORT) {
                query @ Found::Frame(_) => query,
                _ => other,
            },
        },
        Some(_) => Found::Noise(1),
    }
}

fn frame_of(buffer: &[u8], len: usize) -> Found {
    match buffer.get(..len) {
        None => Found::More,
        Some(frame) if frame[len - 2] == ETX && frame[len - 1] == sum(&frame[..len - 1]) => {
            Found::Frame(len)
        }
        // Only the start byte is given up: the true frame may begin inside this one.
        Some(_) => Found::Noise(1),
    }
}

/// The board number in the high half; 15 means every board, for the status of the bus only.
pub(super) fn addressed(board: &Board, frame: &[u8]) -> Addressed {
    let (address, command) = head(frame);
    if address == BROADCAST && command == STATUS_ALL {
        Addressed::Every
    } else if address >> 4 == board.address {
        Addressed::Own
    } else {
        Addressed::No
    }
}

/// Command, and the lock an unlock names.
pub(super) fn target(frame: &[u8]) -> Target {
    let (address, command) = head(frame);
    let opens = match command {
        UNLOCK => Opens::One,
        UNLOCK_ALL => Opens::Many,
        _ => Opens::Nothing,
    };
    Target { command, lock: (command == UNLOCK).then_some((address & 0x0F) + 1), opens }
}

/// Obeys a request addressed to this board.
pub(super) fn execute(board: &mut Board, frame: &[u8], now_us: u64) -> Execution {
    let (address, command) = head(frame);
    let Registers::Kerong { unlock_time_10ms } = board.registers else {
        return Execution::default();
    };
    match command {
        STATUS => Execution::reply(status(board, STATUS_REPLY, now_us)),
        STATUS_ALL => Execution {
            in_turn: address == BROADCAST,
            ..Execution::reply(status(board, STATUS_ALL_REPLY, now_us))
        },
        UNLOCK => {
            let index = usize::from(address & 0x0F);
            if index >= board.locks.len() {
                return Execution::default();
            }
            let reply = board.config.answers_unlock().then(|| status(board, STATUS_REPLY, now_us));
            let on = CoilSwitch::On { after_us: 0, duration_us: Some(board.pulse_us()) };
            Execution { reply, coils: vec![(index, on)], ..Execution::default() }
        }
        UNLOCK_ALL => {
            let all: Vec<usize> = (0..board.locks.len()).collect();
            let (coils, _) = board.one_after_another(&all);
            Execution { coils, ..Execution::default() }
        }
        UNLOCK_TIME => {
            let time = match frame.get(3..LEN_SET_TIME - 2) {
                Some(&[high, low]) if frame.len() == LEN_SET_TIME => {
                    u16::from_be_bytes([high, low]).max(1)
                }
                _ => unlock_time_10ms,
            };
            board.registers = Registers::Kerong { unlock_time_10ms: time };
            let [high, low] = time.to_be_bytes();
            Execution::reply(sealed(vec![STX, board.address << 4, UNLOCK_TIME_REPLY, high, low]))
        }
        _ => Execution::default(),
    }
}

/// Where the fields of a reply stand; none names a lock.
pub(super) const fn layout() -> Layout {
    Layout { command: 2, lock: None, length: None, sum_len: 1 }
}

/// Moves a reply to the next board.
pub(super) fn readdress(reply: &mut [u8]) {
    if let Some(address) = reply.get_mut(1) {
        *address = address.wrapping_add(0x10);
    }
    reseal(reply);
}

/// Puts the right sum at the end.
pub(super) fn reseal(reply: &mut [u8]) {
    if let Some((last, body)) = reply.split_last_mut() {
        *last = sum(body);
    }
}

fn status(board: &mut Board, command: u8, now_us: u64) -> Vec<u8> {
    let mut hooks = 0_u16;
    let mut items = 0_u16;
    for index in 0..board.locks.len().min(16) {
        hooks |= u16::from(board.door_bit(index, now_us)) << index;
        items |= u16::from(board.locks[index].item) << index;
    }
    let ([d1, d2], [d3, d4]) = (hooks.to_le_bytes(), items.to_le_bytes());
    sealed(vec![STX, board.address << 4, command, d1, d2, d3, d4])
}

fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    body.push(ETX);
    body.push(sum(&body));
    body
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |total, byte| total.wrapping_add(*byte))
}

/// Address and command byte.
fn head(frame: &[u8]) -> (u8, u8) {
    (frame.get(1).copied().unwrap_or(0), frame.get(2).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests;
