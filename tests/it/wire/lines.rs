//! The lines of the rig: one for each family, dialect and habit of a board.
//!
//! Each has two boards with supplies of their own. The bytes are written out from the protocol page,
//! not made by either side's codec.

use lockerd::sim::{Feedback, SimBoard, SimBus, StatusOrder};
use tempfile::TempDir;

use super::rig::{FIRST_BOARD, PULSE_MS, SECOND_BOARD};

/// Pause between two looks at a board's doors, and how long it may take to answer.
const POLL_MS: u32 = 100;
const REPLY_TIMEOUT_MS: u32 = 180;
/// Later than any reply is waited for, in milliseconds.
pub const LATE_MS: u32 = 260;

/// How a board of a line refuses to open a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// In words that mean no.
    Said,
    /// By an answer that means nothing, or by none at all.
    Unclear,
}

/// One kind of line.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// The bus and what messages call it.
    pub name: &'static str,
    family: &'static str,
    baud: u32,
    locks: u8,
    /// Further lines of the board's configuration.
    toml: &'static str,
    board: fn(u8) -> SimBoard,
    /// Behind a TCP gateway.
    pub tcp: bool,
    /// The command that reads doors.
    pub status: u8,
    /// The command that opens one lock.
    pub unlock: u8,
    /// Opens lock 3 of the first board.
    pub opens_third: &'static str,
    /// What the commands for one lock of the first board begin with.
    pub unlock_head: fn(u8) -> String,
    /// Whether an unlock is answered, and listened to.
    pub answers: bool,
    /// How it refuses.
    pub refusal: Refusal,
}

impl Line {
    /// Its simulated hardware.
    pub fn simulated(&self, place: &TempDir) -> SimBus {
        let bus = if self.tcp {
            SimBus::tcp(self.name, ([127, 0, 0, 1], 0).into(), self.baud)
        } else {
            SimBus::new(self.name, place.path().join(self.name), self.baud)
        };
        [FIRST_BOARD, SECOND_BOARD].into_iter().fold(bus, |bus, address| {
            let board = (self.board)(address);
            bus.with(SimBoard {
                power_supply: self.supply(address),
                pulse_ms: Some(PULSE_MS),
                answers_unlock: Some(self.answers),
                ..board
            })
        })
    }

    /// Its `[[bus]]` table; `port` as a server finds it.
    pub fn configured(&self, port: &str) -> String {
        let Self { name, family, baud, locks, toml, .. } = self;
        let head = format!(
            "[[bus]]\nname = '{name}'\nport = '{port}'\nbaud = {baud}\n\
             reply_timeout_ms = {REPLY_TIMEOUT_MS}\npoll_interval_ms = {POLL_MS}\n"
        );
        [FIRST_BOARD, SECOND_BOARD].into_iter().fold(head, |text, address| {
            let supply = self.supply(address);
            text + &format!(
                "[[bus.board]]\naddress = {address}\nfamily = '{family}'\nlocks = {locks}\n\
                 pulse_ms = {PULSE_MS}\npower_supply = '{supply}'\npulses_per_minute = 20\n{toml}\n"
            )
        })
    }

    fn supply(&self, address: u8) -> String {
        format!("{}-{address}", self.name)
    }
}

/// A relay board, which has no setting of its own for the time of a pulse.
fn relay(address: u8) -> SimBoard {
    SimBoard::modbus(address, 8)
}

fn xor_closing(address: u8) -> SimBoard {
    SimBoard::xor(address, 24)
}

fn xor_opening(address: u8) -> SimBoard {
    let feedback = Some(Feedback::Opening);
    SimBoard { feedback, status_order: StatusOrder::LowestFirst, ..SimBoard::xor(address, 50) }
}

fn wkly(address: u8) -> SimBoard {
    SimBoard { closed_bit: false, ..SimBoard::wkly(address, 24) }
}

fn wkly_mute(address: u8) -> SimBoard {
    SimBoard::wkly(address, 24)
}

fn relay_head(lock: u8) -> String {
    format!("01 05 02 {:02X} 00 02", lock - 1)
}

fn xor_head(lock: u8) -> String {
    format!("8A 01 {lock:02X} 11")
}

fn cu16_head(lock: u8) -> String {
    format!("02 1{:X} 31 03", lock - 1)
}

fn cu48_head(lock: u8) -> String {
    format!("02 01 {:02X} 51 03", lock - 1)
}

fn cu48_ir_head(lock: u8) -> String {
    format!("02 01 {:02X} 61 03", lock - 1)
}

fn wkly_head(lock: u8) -> String {
    format!("57 4B 4C 59 09 01 82 {lock:02X}")
}

const RELAY: Line = Line {
    name: "relay",
    family: "modbus-relay",
    baud: 9_600,
    locks: 8,
    toml: "",
    board: relay,
    tcp: false,
    status: 0x02,
    unlock: 0x05,
    opens_third: "01 05 02 02 00 02 EC 73",
    unlock_head: relay_head,
    answers: true,
    refusal: Refusal::Said,
};

const XOR_CLOSING: Line = Line {
    name: "xor-closing",
    family: "xor-board",
    baud: 9_600,
    locks: 24,
    toml: "",
    board: xor_closing,
    tcp: false,
    status: 0x80,
    unlock: 0x8A,
    opens_third: "8A 01 03 11 99",
    unlock_head: xor_head,
    answers: true,
    refusal: Refusal::Unclear,
};

const XOR_OPENING: Line = Line {
    name: "xor-opening",
    locks: 50,
    toml: "closed_bit = false\nstatus_order = 'lowest-first'",
    board: xor_opening,
    ..XOR_CLOSING
};

const CU16: Line = Line {
    name: "cu16",
    family: "kerong-cu16",
    baud: 19_200,
    locks: 16,
    toml: "answers_unlock = false",
    board: SimBoard::cu16,
    tcp: false,
    status: 0x30,
    unlock: 0x31,
    opens_third: "02 12 31 03 48",
    unlock_head: cu16_head,
    answers: false,
    refusal: Refusal::Unclear,
};

const CU16_ANSWERS: Line =
    Line { name: "cu16-answers", toml: "answers_unlock = true", answers: true, ..CU16 };

const CU48: Line = Line {
    name: "cu48",
    family: "kerong-cu48",
    locks: 48,
    toml: "",
    board: SimBoard::cu48,
    status: 0x50,
    unlock: 0x51,
    opens_third: "02 01 02 51 03 59",
    unlock_head: cu48_head,
    ..CU16
};

const CU48_IR: Line = Line {
    name: "cu48-ir",
    family: "kerong-cu48-ir",
    toml: "answers_unlock = true",
    board: SimBoard::cu48_ir,
    status: 0x60,
    unlock: 0x61,
    opens_third: "02 01 02 61 03 69",
    unlock_head: cu48_ir_head,
    answers: true,
    ..CU48
};

const CU48_IR_TCP: Line =
    Line { name: "cu48-ir-tcp", tcp: true, toml: "", answers: false, ..CU48_IR };

const WKLY: Line = Line {
    name: "wkly",
    family: "wkly",
    baud: 9_600,
    locks: 24,
    toml: "closed_bit = false\nanswers_unlock = true",
    board: wkly,
    tcp: false,
    status: 0x84,
    unlock: 0x82,
    opens_third: "57 4B 4C 59 09 01 82 03 80",
    unlock_head: wkly_head,
    answers: true,
    refusal: Refusal::Said,
};

const WKLY_MUTE: Line = Line {
    name: "wkly-mute",
    toml: "answers_unlock = false",
    board: wkly_mute,
    answers: false,
    refusal: Refusal::Unclear,
    ..WKLY
};

/// All of them.
pub const ALL: [Line; 10] = [
    RELAY,
    XOR_CLOSING,
    XOR_OPENING,
    CU16,
    CU16_ANSWERS,
    CU48,
    CU48_IR,
    CU48_IR_TCP,
    WKLY,
    WKLY_MUTE,
];
