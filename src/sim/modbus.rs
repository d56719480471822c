//! The board side of the Modbus RTU relay boards (Waveshare 8, 16 and 32 channels, IO 8CH).
//!
//! From the vendor's command table and the Modbus serial line guide: function 01 reads relays,
//! 02 inputs, 03 holding registers, 05 switches, toggles or flashes a relay, 06 writes a register,
//! 0F writes many relays. The board times a flash itself. A bad CRC, another address or a half
//! frame get silence; a wrong function, address or value the exceptions 01, 02, 03. To the
//! broadcast address 00 it answers register reads and writes only, a vendor extension. A new
//! address listens at once, where hardware may want its power cycled first.

use super::board::{Addressed, Board, CoilSwitch, Execution, Layout, Opens, Registers, Target};
use super::framer::Found;

/// Register 0x2000 as shipped: no parity, 9600.
pub(super) const SERIAL_9600_8N1: u16 = 0x0001;

const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_MODBUS);
const BROADCAST: u8 = 0;
const LEN_MIN: usize = 4;
const LEN_FIXED: usize = 8;
/// Longest frame of any Modbus request.
const LEN_MAX: usize = 256;
const VERSION: u16 = 200;

const READ_RELAYS: u8 = 0x01;
const READ_INPUTS: u8 = 0x02;
const READ_REGISTERS: u8 = 0x03;
const WRITE_RELAY: u8 = 0x05;
const WRITE_REGISTER: u8 = 0x06;
const WRITE_RELAYS: u8 = 0x0F;

const ALL_RELAYS: u16 = 0x00FF;
const FLASH_ON: u16 = 0x0200;
const FLASH_OFF: u16 = 0x0400;
const FLASH_MAX: u16 = 0x7FFF;
const FLASH_UNIT_US: u64 = 100_000;

const REGISTER_MODE: u16 = 0x1000;
const REGISTER_SERIAL: u16 = 0x2000;
const REGISTER_ADDRESS: u16 = 0x4000;
const REGISTER_VERSION: u16 = 0x8000;

/// Modbus exception codes.
const ILLEGAL_FUNCTION: u8 = 0x01;
const ILLEGAL_ADDRESS: u8 = 0x02;
const ILLEGAL_VALUE: u8 = 0x03;
/// Busy with something else.
pub(super) const DEVICE_BUSY: u8 = 0x06;

/// Finds a request by the length its function has. An unknown function ends with silence.
pub(super) fn find_frame(buffer: &[u8]) -> Found {
    let len = match buffer {
        [] | [_] => return Found::More,
        [_, READ_RELAYS..=WRITE_REGISTER, ..] => LEN_FIXED,
        [_, WRITE_RELAYS, ..] => match buffer.get(6) {
            Some(count) => LEN_FIXED + 1 + usize::from(*count),
            None => return Found::More,
        },
        _ if buffer.len() > LEN_MAX => return Found::Broken,
        _ => return Found::More,
    };
    if len > LEN_MAX {
        return Found::Broken;
    }
    match buffer.get(..len) {
        None => Found::More,
        Some(frame) if crc_holds(frame) => Found::Frame(len),
        Some(_) => Found::Broken,
    }
}

/// A frame of a function this board does not know, ended by silence, still has a CRC.
pub(super) fn frame_at_silence(buffer: &[u8]) -> bool {
    let known = matches!(buffer.get(1), Some(&(READ_RELAYS..=WRITE_REGISTER | WRITE_RELAYS)));
    !known && buffer.len() >= LEN_MIN && crc_holds(buffer)
}

/// Whether the frame's address is this board's or the broadcast.
pub(super) fn addressed(board: &Board, frame: &[u8]) -> Addressed {
    match frame.first() {
        Some(&BROADCAST) => Addressed::Every,
        Some(&address) if address == board.address => Addressed::Own,
        _ => Addressed::No,
    }
}

/// Function, and the relay that function 05 names.
pub(super) fn target(frame: &[u8]) -> Target {
    let command = frame.get(1).copied().unwrap_or(0);
    let lock = (command == WRITE_RELAY)
        .then(|| word(frame, 2) & 0x00FF)
        .filter(|n| *n != ALL_RELAYS)
        .and_then(|n| u8::try_from(n + 1).ok());
    Target { command, lock, opens: opens(command, frame) }
}

fn opens(command: u8, frame: &[u8]) -> Opens {
    let (address, value) = (word(frame, 2), word(frame, 4));
    match (command, address) {
        (WRITE_RELAY, ALL_RELAYS) if value != 0 => Opens::Many,
        (WRITE_RELAY, _) if value != 0 => Opens::One,
        (WRITE_RELAYS, _) => {
            let data = frame.get(7..frame.len().saturating_sub(2)).unwrap_or_default();
            Opens::count(data.iter().map(|byte| byte.count_ones() as usize).sum())
        }
        _ => Opens::Nothing,
    }
}

/// Obeys a request whose CRC holds and that is addressed to this board.
pub(super) fn execute(board: &mut Board, frame: &[u8], now_us: u64) -> Execution {
    let broadcast = frame.first() == Some(&BROADCAST);
    let function = frame.get(1).copied().unwrap_or(0);
    let done = match function {
        READ_RELAYS => read_bits(board, frame, |board, n| board.locks[n].coil_on(now_us)),
        READ_INPUTS if !board.config.door_inputs => Err(ILLEGAL_ADDRESS),
        READ_INPUTS => read_bits(board, frame, |board, n| board.door_bit(n, now_us)),
        READ_REGISTERS => read_registers(board, frame),
        WRITE_RELAY => write_relay(board, frame, now_us),
        WRITE_REGISTER => write_register(board, frame),
        WRITE_RELAYS => write_relays(board, frame),
        _ => Err(ILLEGAL_FUNCTION),
    };
    let mut execution = match done {
        Ok(execution) => execution,
        Err(code) => exception(board.address, function, code),
    };
    if broadcast && !matches!(function, READ_REGISTERS | WRITE_REGISTER) {
        execution.reply = None;
    }
    execution
}

/// The exception reply `address, function | 80, code`.
pub(super) fn exception(address: u8, function: u8, code: u8) -> Execution {
    Execution::reply(sealed(vec![address, function | 0x80, code]))
}

/// Where the fields of a reply stand.
pub(super) fn layout(reply: &[u8]) -> Layout {
    let function = reply.get(1).copied().unwrap_or(0);
    Layout {
        command: 1,
        lock: (function == WRITE_RELAY).then_some(3),
        length: matches!(function, READ_RELAYS..=READ_REGISTERS).then_some(2),
        sum_len: 2,
    }
}

/// Moves a reply to the next address.
pub(super) fn readdress(reply: &mut [u8]) {
    if let Some(address) = reply.first_mut() {
        *address = if *address == u8::MAX { 1 } else { *address + 1 };
    }
    reseal(reply);
}

/// Puts the right CRC at the end.
pub(super) fn reseal(reply: &mut [u8]) {
    let Some(body_len) = reply.len().checked_sub(2).filter(|len| *len > 0) else { return };
    let sum = CRC.checksum(&reply[..body_len]).to_le_bytes();
    reply[body_len..].copy_from_slice(&sum);
}

fn read_bits(
    board: &mut Board,
    frame: &[u8],
    mut bit: impl FnMut(&mut Board, usize) -> bool,
) -> Result<Execution, u8> {
    let range = relay_range(board, frame)?;
    let mut bytes = vec![0_u8; range.len().div_ceil(8)];
    for (place, n) in range.enumerate() {
        if bit(board, n) {
            bytes[place / 8] |= 1 << (place % 8);
        }
    }
    Ok(read_reply(board.address, frame[1], &bytes))
}

/// First and count of a request as relay indexes, refused beyond the board's last.
fn relay_range(board: &Board, frame: &[u8]) -> Result<std::ops::Range<usize>, u8> {
    let (start, count) = (usize::from(word(frame, 2)), usize::from(word(frame, 4)));
    if !(1..=2_000).contains(&count) {
        return Err(ILLEGAL_VALUE);
    }
    if start + count > board.locks.len() {
        return Err(ILLEGAL_ADDRESS);
    }
    Ok(start..start + count)
}

fn read_registers(board: &Board, frame: &[u8]) -> Result<Execution, u8> {
    let (start, count) = (word(frame, 2), word(frame, 4));
    if !(1..=125).contains(&count) {
        return Err(ILLEGAL_VALUE);
    }
    let mut bytes = Vec::with_capacity(usize::from(count) * 2);
    for offset in 0..count {
        let register = start.checked_add(offset).ok_or(ILLEGAL_ADDRESS)?;
        bytes.extend(register_value(board, register).ok_or(ILLEGAL_ADDRESS)?.to_be_bytes());
    }
    Ok(read_reply(board.address, READ_REGISTERS, &bytes))
}

fn register_value(board: &Board, register: u16) -> Option<u16> {
    let Registers::Modbus { modes, serial } = &board.registers else { return None };
    match register {
        REGISTER_SERIAL => Some(*serial),
        REGISTER_ADDRESS => Some(u16::from(board.address)),
        REGISTER_VERSION => Some(VERSION),
        REGISTER_MODE.. => modes.get(usize::from(register - REGISTER_MODE)).copied(),
        _ => None,
    }
}

fn write_register(board: &mut Board, frame: &[u8]) -> Result<Execution, u8> {
    let (register, value) = (word(frame, 2), word(frame, 4));
    let [high, low] = value.to_be_bytes();
    let Registers::Modbus { modes, serial } = &mut board.registers else {
        return Err(ILLEGAL_ADDRESS);
    };
    match register {
        REGISTER_ADDRESS => {
            let address = u8::try_from(value).ok().filter(|address| *address > 0);
            board.address = address.ok_or(ILLEGAL_VALUE)?;
        }
        // Taken over by hardware only at its next power-on, so the line keeps its speed here.
        REGISTER_SERIAL if high <= 2 && low <= 7 => *serial = value,
        REGISTER_SERIAL => return Err(ILLEGAL_VALUE),
        REGISTER_MODE.. => {
            let mode =
                modes.get_mut(usize::from(register - REGISTER_MODE)).ok_or(ILLEGAL_ADDRESS)?;
            if value > 3 {
                return Err(ILLEGAL_VALUE);
            }
            *mode = value;
        }
        _ => return Err(ILLEGAL_ADDRESS),
    }
    Ok(Execution::reply(frame.to_vec()))
}

/// Function 05: switch, toggle, flash; the reply repeats the request.
fn write_relay(board: &mut Board, frame: &[u8], now_us: u64) -> Result<Execution, u8> {
    let (address, value) = (word(frame, 2), word(frame, 4));
    let relay = |base: u16| {
        let n = usize::from(address - base);
        if n < board.locks.len() { Ok(n) } else { Err(ILLEGAL_ADDRESS) }
    };
    let coils = match address {
        ALL_RELAYS => {
            let mut coils = Vec::with_capacity(board.locks.len());
            for n in 0..board.locks.len() {
                coils.push((n, switch(board, n, value, now_us)?));
            }
            coils
        }
        FLASH_OFF.. => {
            let after_us = flash_us(value)?;
            let n = relay(FLASH_OFF)?;
            // A flash-off is a gap in a relay that is on: off now, on again after the time.
            vec![(n, CoilSwitch::Off), (n, CoilSwitch::On { after_us, duration_us: None })]
        }
        FLASH_ON.. => {
            let duration_us = Some(flash_us(value)?);
            vec![(relay(FLASH_ON)?, CoilSwitch::On { after_us: 0, duration_us })]
        }
        _ => {
            let n = relay(0)?;
            vec![(n, switch(board, n, value, now_us)?)]
        }
    };
    Ok(Execution { coils, ..Execution::reply(frame.to_vec()) })
}

fn switch(board: &mut Board, n: usize, value: u16, now_us: u64) -> Result<CoilSwitch, u8> {
    let on = CoilSwitch::On { after_us: 0, duration_us: None };
    match value {
        0x0000 => Ok(CoilSwitch::Off),
        0x5500 if board.locks[n].coil_on(now_us) => Ok(CoilSwitch::Off),
        0xFF00 | 0x5500 => Ok(on),
        _ => Err(ILLEGAL_VALUE),
    }
}

fn flash_us(value: u16) -> Result<u64, u8> {
    if (1..=FLASH_MAX).contains(&value) {
        Ok(u64::from(value) * FLASH_UNIT_US)
    } else {
        Err(ILLEGAL_VALUE)
    }
}

fn write_relays(board: &Board, frame: &[u8]) -> Result<Execution, u8> {
    let range = relay_range(board, frame)?;
    let data = &frame[7..frame.len() - 2];
    if data.len() != range.len().div_ceil(8) {
        return Err(ILLEGAL_VALUE);
    }
    let coils = range
        .enumerate()
        .map(|(place, n)| {
            let on = data[place / 8] & (1 << (place % 8)) != 0;
            let change = CoilSwitch::On { after_us: 0, duration_us: None };
            (n, if on { change } else { CoilSwitch::Off })
        })
        .collect();
    let reply = sealed([&[board.address], &frame[1..6]].concat());
    Ok(Execution { coils, ..Execution::reply(reply) })
}

fn read_reply(address: u8, function: u8, data: &[u8]) -> Execution {
    let count = u8::try_from(data.len()).unwrap_or(u8::MAX);
    Execution::reply(sealed([&[address, function, count], data].concat()))
}

/// Appends the CRC, low byte first.
fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let sum = CRC.checksum(&body);
    body.extend(sum.to_le_bytes());
    body
}

fn crc_holds(frame: &[u8]) -> bool {
    let Some((body, sum)) = frame.split_last_chunk::<2>() else { return false };
    CRC.checksum(body).to_le_bytes() == *sum
}

/// The big-endian word at `at`; requests are checked to be long enough by their length rule.
fn word(frame: &[u8], at: usize) -> u16 {
    match frame.get(at..at + 2) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
