//! What the fuzz targets share: a family and a call from the first bytes, and chunks from the rest.
//!
//! The rules the codecs are judged by are those of the property tests, written from the protocol
//! notes and not from the codecs.

use lockerd::bus::codec::{Call, Request, StatusOrder};
use lockerd::bus::scanner::Echo;
use lockerd::domain::channel::Family;

#[path = "../../src/bus/codec/tests/rules.rs"]
pub mod rules;

/// What the first bytes of an input choose.
pub struct Setting {
    /// The family that is listened for.
    pub family: Family,
    /// What was asked, also what no board can be asked.
    pub call: Call,
    /// What is known of the line's echo.
    pub echo: Echo,
}

impl Setting {
    /// Reads a setting off the first bytes; the others are for the line.
    pub fn read(data: &[u8]) -> Option<(Self, &[u8])> {
        let (&[family, address, locks, request, of, flags], bytes) = data.split_first_chunk()?;
        let family = Family::ALL[usize::from(family) % Family::ALL.len()];
        let call = Call::new(address % 40, locks % 56, pick_request(request, of));
        let order =
            if flags & 1 == 0 { StatusOrder::HighestFirst } else { StatusOrder::LowestFirst };
        let echo = [Echo::Unknown, Echo::Absent, Echo::Present][usize::from(flags >> 1) % 3];
        Some((Self { family, call: Call { status_order: order, ..call }, echo }, bytes))
    }
}

fn pick_request(kind: u8, of: u8) -> Request {
    match kind % 11 {
        0 => Request::Status,
        1 => Request::StatusOne { lock: of },
        2 => Request::Pulse { lock: of, duration_ms: 300 },
        3 => Request::Relays,
        4 => Request::AllOff,
        5 => Request::Version,
        6 => Request::ReadAddress,
        7 => Request::SetAddress { new: of },
        8 => Request::Modes { first: of },
        9 => Request::On { lock: of },
        _ => Request::Off { lock: of },
    }
}

/// Cuts bytes into the chunks a line might deliver: each begins with its length.
pub fn chunks(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (&length, rest) = bytes.split_first()?;
        let (chunk, later) = rest.split_at(usize::from(length).min(rest.len()));
        bytes = later;
        Some(chunk)
    })
}

/// A reply to a status request as the boards of a family give it, its inputs filled from `data`.
pub fn status_reply(family: Family, call: &Call, data: &[u8; 12]) -> Vec<u8> {
    let (address, bits) = (call.address, usize::from(call.locks).div_ceil(8));
    let body = match family {
        Family::ModbusRelay => [&[address, 2, bits as u8], &data[..bits]].concat(),
        Family::XorBoard if bits <= 3 => [&[0x80, address], &data[..3], &[0x33]].concat(),
        Family::XorBoard => [&[0x80, address], &data[..7], &[0x33]].concat(),
        Family::KerongCu16 => [&[2, address << 4, 0x35], &data[..4]].concat(),
        Family::KerongCu48 => [&[2, address, data[6], 0x65], &data[..6]].concat(),
        Family::KerongCu48Ir => [&[2, address, data[0], 0x75], &data[..]].concat(),
        Family::Wkly => {
            let states = data.map(|byte| byte & 1);
            [&b"WKLY"[..], &[22, address, 0x84, 0, 12], &states].concat()
        }
    };
    rules::closed(family.name(), body)
}
