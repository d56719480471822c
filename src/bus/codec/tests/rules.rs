//! The families' rules written out a second time, from the protocol notes and not from the codecs.
//!
//! Property tests and fuzz targets judge the codecs by them, so nothing here may use a codec. Families
//! go by name, so that the fuzz targets can read this file without the crate around it.

use std::ops::RangeInclusive;

/// What a frame does to the locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// It releases one lock, counted from 1.
    Opens {
        /// The board's address.
        board: u8,
        /// The lock.
        lock: u8,
    },
    /// It releases more than one lock, or holds more than one output.
    OpensMany,
}

/// Whether a whole frame's integrity holds.
pub fn holds(family: &str, frame: &[u8]) -> bool {
    if frame.len() < 4 {
        return false;
    }
    let xor = xor(frame);
    match family {
        "modbus-relay" => frame[frame.len() - 2..] == crc(&frame[..frame.len() - 2]),
        "xor-board" => {
            let marked = frame.len() < 7 || frame[0] != 0x80 || frame[frame.len() - 2] == 0x33;
            xor == 0 && marked
        }
        "wkly" => frame.starts_with(b"WKLY") && usize::from(frame[4]) == frame.len() && xor == 0,
        _ => {
            let (found, rest) = (frame[frame.len() - 1], &frame[..frame.len() - 1]);
            frame[0] == 2 && rest[rest.len() - 1] == 3 && sum(rest) == found
        }
    }
}

/// The frame that has this body: adds end mark and check.
pub fn closed(family: &str, mut body: Vec<u8>) -> Vec<u8> {
    match family {
        "modbus-relay" => body.extend(crc(&body)),
        "xor-board" | "wkly" => body.push(xor(&body)),
        _ => {
            body.push(3);
            body.push(sum(&body));
        }
    }
    body
}

fn crc(bytes: &[u8]) -> [u8; 2] {
    let crc = bytes.iter().fold(0xFFFF_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 }
        })
    });
    crc.to_le_bytes()
}

fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |xor, byte| xor ^ byte)
}

fn sum(bytes: &[u8]) -> u8 {
    let total: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    total.to_le_bytes()[0]
}

/// Lengths a frame on the line may have.
fn lengths(family: &str) -> RangeInclusive<usize> {
    match family {
        "modbus-relay" => 5..=37,
        "xor-board" => 5..=12,
        "kerong-cu16" => 5..=9,
        "kerong-cu48" => 6..=12,
        "kerong-cu48-ir" => 6..=18,
        _ => 8..=48,
    }
}

/// Whether some intact frame begins at the start of these bytes.
pub fn begins_intact(family: &str, bytes: &[u8]) -> bool {
    let head = match family {
        "xor-board" => bytes.first().is_some_and(|head| (0x80..=0x8A).contains(head)),
        _ => true,
    };
    let mut whole = lengths(family).filter_map(|length| bytes.get(..length));
    head && whole.any(|frame| holds(family, frame))
}

/// Whether an intact frame stands anywhere in these bytes.
pub fn holds_somewhere(family: &str, bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| begins_intact(family, &bytes[at..]))
}

/// What an intact request does to the locks.
pub fn effect(family: &str, frame: &[u8]) -> Effect {
    let opens = |board: u8, lock: u8| Effect::Opens { board, lock };
    match family {
        "modbus-relay" => modbus_effect(frame),
        "xor-board" => match *frame {
            [0x80 | 0x9B, ..] => Effect::None,
            [0x8A, board, lock, 0x11, _] if lock > 0 => opens(board, lock),
            _ => Effect::OpensMany,
        },
        "kerong-cu16" => match *frame {
            [_, address, 0x31, ..] if address >> 4 < 15 => opens(address >> 4, (address & 15) + 1),
            [_, _, 0x31 | 0x33, ..] => Effect::OpensMany,
            _ => Effect::None,
        },
        "kerong-cu48" | "kerong-cu48-ir" => match *frame {
            [_, board, index, 0x51 | 0x61, ..] if board < 10 && index < 48 => {
                opens(board, index + 1)
            }
            [_, _, _, 0x51 | 0x61, ..] => Effect::OpensMany,
            _ => Effect::None,
        },
        _ => match *frame {
            [_, _, _, _, _, _, 0x81 | 0x83..=0x85 | 0x89, ..] => Effect::None,
            [_, _, _, _, 9, board, 0x82, lock, _] if lock > 0 => opens(board, lock),
            _ => Effect::OpensMany,
        },
    }
}

fn modbus_effect(frame: &[u8]) -> Effect {
    let [board, 0x05, high, low, value_high, value_low, ..] = *frame else {
        let writes_many = frame.get(1) == Some(&0x0F);
        return if writes_many { Effect::OpensMany } else { Effect::None };
    };
    match (high, value_high, value_low) {
        (0x00 | 0x02, 0x00, 0x00) => Effect::None,
        _ if board == 0 || (high == 0 && low == 0xFF) => Effect::OpensMany,
        (0x00, 0xFF, 0x00) | (0x02, _, _) => Effect::Opens { board, lock: low + 1 },
        _ => Effect::OpensMany,
    }
}
