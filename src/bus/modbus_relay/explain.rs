//! Names Modbus RTU frames of relay boards for people, also those this program never sends.
//!
//! Writes are answered by the same bytes, so function 05 and 06 frames are "request, or the identical
//! reply". A function this family does not use is still named when its checksum holds.

use super::{
    COIL_ALL, COIL_FLASH_OFF, COIL_FLASH_ON, EXCEPTION, EXCEPTION_BYTES, FIXED_BYTES,
    PULSE_STEP_MS, READ_COILS, READ_INPUTS, READ_REGISTERS, REGISTER_ADDRESS, REGISTER_MODE,
    REGISTER_VERSION, WRITE_COIL, WRITE_COILS, WRITE_REGISTER, checksum, intact, refusal, word,
};
use crate::bus::codec::{LockBits, hex};
use crate::bus::explain::{Direction, Dissect, list};

/// Longest Modbus RTU frame (Modbus over Serial Line 1.02, section 2.5.1).
const ANY_BYTES_MAX: usize = 256;
/// Shortest: address, function and checksum.
const ANY_BYTES_MIN: usize = 4;
const REGISTER_SERIAL: u16 = 0x2000;
const BAUDS: [u32; 8] = [4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 128_000, 256_000];

/// Knows the lengths and names of this family's frames.
pub(in crate::bus) struct Dissector;

impl Dissect for Dissector {
    fn lengths(&self, rest: &[u8]) -> Vec<usize> {
        let Some(function) = rest.get(1) else { return Vec::new() };
        let counted = |at: usize, around: usize| match rest.get(at) {
            Some(&count) if (1..=250).contains(&count) => Some(around + usize::from(count)),
            _ => None,
        };
        let mut lengths: Vec<_> = match *function {
            READ_COILS | READ_INPUTS | READ_REGISTERS => {
                counted(2, EXCEPTION_BYTES).into_iter().chain([FIXED_BYTES]).collect()
            }
            WRITE_COIL | WRITE_REGISTER => vec![FIXED_BYTES],
            WRITE_COILS => counted(6, 9).into_iter().chain([FIXED_BYTES]).collect(),
            code if code & EXCEPTION != 0 && code & 0x70 == 0 => vec![EXCEPTION_BYTES],
            _ if (ANY_BYTES_MIN..=ANY_BYTES_MAX).contains(&rest.len()) && intact(rest) => {
                vec![rest.len()]
            }
            _ => Vec::new(),
        };
        lengths.sort_unstable();
        lengths.dedup();
        lengths
    }

    fn fault(&self, frame: &[u8]) -> Option<String> {
        let (body, found) = frame.split_last_chunk::<2>()?;
        let expected = checksum(body);
        (expected != *found)
            .then(|| format!("bad CRC: expected {}, found {}", hex(&expected), hex(found)))
    }

    fn describe(&self, frame: &[u8]) -> (Direction, String) {
        let [board, function, ..] = *frame else { return (Direction::Request, String::new()) };
        let to = if board == 0 { "every board".to_owned() } else { format!("board {board}") };
        let (direction, text) = match function {
            WRITE_COIL => (Direction::RequestOrReply, coil(frame)),
            WRITE_REGISTER => (Direction::RequestOrReply, register(frame)),
            READ_COILS | READ_INPUTS | READ_REGISTERS => read(function, frame),
            WRITE_COILS => many(frame),
            code if code & EXCEPTION != 0 => {
                let why = refusal(frame.get(2).copied().unwrap_or_default());
                (Direction::Reply, format!("refuses function {:02X}: {why}", code & !EXCEPTION))
            }
            _ => (Direction::RequestOrReply, format!("function {function:02X}, not used here")),
        };
        (direction, format!("{to}: {text}"))
    }
}

/// Function 05: one output, a pulse, or all outputs.
fn coil(frame: &[u8]) -> String {
    let (target, value) = (word(frame, 2), word(frame, 4));
    let action = match value {
        0xFF00 => "on".to_owned(),
        0x0000 => "off".to_owned(),
        0x5500 => "toggle".to_owned(),
        other => format!("unknown value {other:04X}"),
    };
    let time_ms = u32::from(value) * u32::from(PULSE_STEP_MS);
    let number = u32::from(target & 0x00FF) + 1;
    match target {
        COIL_ALL => format!("ALL relays {action}"),
        0x0000..COIL_ALL => format!("relay {number} {action}"),
        _ if target & 0xFF00 == COIL_FLASH_ON => {
            format!("flash on (timed pulse) relay {number} for {time_ms} ms")
        }
        _ if target & 0xFF00 == COIL_FLASH_OFF => {
            format!("flash off (timed) relay {number} for {time_ms} ms")
        }
        other => format!("coil {other:04X} {action}"),
    }
}

/// Function 06: one setting.
fn register(frame: &[u8]) -> String {
    let (target, value) = (word(frame, 2), word(frame, 4));
    match target {
        REGISTER_ADDRESS => format!("set address {value}"),
        REGISTER_SERIAL => {
            let parity = match value >> 8 {
                0 => "N",
                1 => "E",
                2 => "O",
                _ => "?",
            };
            let baud = BAUDS
                .get(usize::from(value & 0x00FF))
                .map_or_else(|| "unknown baud".to_owned(), ToString::to_string);
            format!("set serial parameters {baud} 8{parity}1")
        }
        _ if target & 0xFF00 == REGISTER_MODE => {
            format!("set mode {value} of channel {}", (target & 0x00FF) + 1)
        }
        other => format!("write register {other:04X} = {value:04X}"),
    }
}

/// Functions 01 to 03: the request has two words, the reply a count and data.
fn read(function: u8, frame: &[u8]) -> (Direction, String) {
    let count = frame.get(2).copied().unwrap_or_default();
    let data = frame.get(3..frame.len().saturating_sub(2)).unwrap_or_default();
    let pairs = function != READ_REGISTERS || count.is_multiple_of(2);
    let reply = usize::from(count) == data.len() && count > 0 && pairs;
    if reply {
        let text = match function {
            READ_REGISTERS => {
                let words: Vec<_> = (0..data.len() / 2).map(|at| word(data, at * 2)).collect();
                let hundredths = match words[..] {
                    [one] => {
                        format!(
                            " (as a version V{}.{:02}, as an address {one})",
                            one / 100,
                            one % 100
                        )
                    }
                    _ => String::new(),
                };
                let words: Vec<_> = words.iter().map(|word| format!("{word:04X}")).collect();
                format!("registers {}{hundredths}", words.join(" "))
            }
            READ_COILS => format!("relays on: {}", bits(data)),
            _ => format!("inputs at 1: {}", bits(data)),
        };
        return (Direction::Reply, text);
    }
    let (first, count) = (word(frame, 2), word(frame, 4));
    let what = match (function, first) {
        (READ_COILS, _) => format!("read {count} relays from {}", u32::from(first) + 1),
        (READ_INPUTS, _) => format!("read {count} inputs from {}", u32::from(first) + 1),
        (_, REGISTER_ADDRESS) => "read the device address".to_owned(),
        (_, REGISTER_VERSION) => "read the firmware version".to_owned(),
        (_, REGISTER_SERIAL) => "read the serial parameters".to_owned(),
        _ if first & 0xFF00 == REGISTER_MODE => {
            format!("read {count} channel modes from {}", (first & 0x00FF) + 1)
        }
        _ => format!("read {count} registers from {first:04X}"),
    };
    (Direction::Request, what)
}

/// Function 0F: several outputs at once.
fn many(frame: &[u8]) -> (Direction, String) {
    let (first, count) = (u32::from(word(frame, 2)) + 1, word(frame, 4));
    if frame.len() == FIXED_BYTES {
        return (Direction::Reply, format!("{count} relays from {first} were written"));
    }
    let data = frame.get(7..frame.len().saturating_sub(2)).unwrap_or_default();
    (Direction::Request, format!("write {count} relays from {first}; on: {}", bits(data)))
}

fn bits(data: &[u8]) -> String {
    let locks = u8::try_from(data.len().min(8) * 8).unwrap_or(u8::MAX);
    list(LockBits::from_wire(data).set_locks(locks))
}
