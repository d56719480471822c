//! One board of a configuration: its family, address, wiring and habits.
//!
//! Each family has its own legal addresses, lock counts and keys; [`SimBoard::check`] refuses what
//! does not fit and names the bus and the board. A board is named by its `name` or, without one,
//! by its configured address ([`BoardKey`]), so that two boards may share an address and still be
//! told apart. Read by `board.rs` and the family files.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{BAUD_RANGE, NAME_LEN_MAX, SimError, default_true, is_name};

/// Most relays a simulated Modbus board has (the 32-channel board).
pub const MODBUS_LOCKS_MAX: u8 = 32;
/// Locks of a CU16 board.
pub const CU16_LOCKS_MAX: u8 = 16;
/// Highest CU16 board number; 15 in the address byte means every board.
pub const CU16_ADDRESS_MAX: u8 = 14;
/// Locks of a CU48 board.
pub const CU48_LOCKS_MAX: u8 = 48;
/// Highest CU48 board number; 10 means every board.
pub const CU48_ADDRESS_MAX: u8 = 9;
/// Most locks of an "8A/80" board (the 50-way board).
pub const XOR_LOCKS_MAX: u8 = 50;
/// Highest address an "8A/80" board's switches can be set to; the lowest is 1.
pub const XOR_ADDRESS_MAX: u8 = 32;
/// Most locks of a WKLY board here: its read-all reply stays within the 48 bytes a frame may have.
pub const WKLY_LOCKS_MAX: u8 = 38;
/// Highest WKLY address.
pub const WKLY_ADDRESS_MAX: u8 = 31;

/// The wire protocols the simulator speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SimFamily {
    /// Modbus RTU relay board (Waveshare and kin).
    ModbusRelay,
    /// "8A/80" board with an XOR sum.
    XorBoard,
    /// KERONG CU16, 16 locks a board.
    KerongCu16,
    /// KERONG CU48, protocol 2.1 (commands 50 and 51).
    KerongCu48,
    /// KERONG CU48 with infrared sensors (commands 60 and 61).
    KerongCu48Ir,
    /// Board with the `57 4B 4C 59` head.
    Wkly,
}

impl SimFamily {
    /// Addresses and most locks of a board, and the unlock time it comes with in milliseconds.
    /// The relay boards have none: each flash carries its own.
    const fn limits(self) -> (RangeInclusive<u8>, u8, u16) {
        match self {
            Self::ModbusRelay => (1..=255, MODBUS_LOCKS_MAX, 500),
            Self::XorBoard => (1..=XOR_ADDRESS_MAX, XOR_LOCKS_MAX, 300),
            Self::KerongCu16 => (0..=CU16_ADDRESS_MAX, CU16_LOCKS_MAX, 550),
            Self::KerongCu48 | Self::KerongCu48Ir => (0..=CU48_ADDRESS_MAX, CU48_LOCKS_MAX, 550),
            Self::Wkly => (0..=WKLY_ADDRESS_MAX, WKLY_LOCKS_MAX, 300),
        }
    }
}

/// What the contact of an "8A/80" board's lock does, which decides what its status means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feedback {
    /// Conducts while locked: status 11 and bit 1 mean closed.
    Closing,
    /// Conducts while open: status 11 and bit 1 mean open.
    Opening,
}

/// Which status byte of an "8A/80" board comes first when it tells of all locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusOrder {
    /// The byte of the highest locks.
    #[default]
    HighestFirst,
    /// The byte of locks 1 to 8.
    LowestFirst,
}

/// What a board's lock inputs are wired to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Senses {
    /// A switch at the door.
    #[default]
    Door,
    /// The hook of the lock: reads closed while the latch holds, whatever the door does.
    Hook,
}

/// How a board is named: by its name, or by its configured address where it has none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "BoardKeyForm")]
pub struct BoardKey(String);

#[derive(Deserialize)]
#[serde(untagged)]
enum BoardKeyForm {
    Address(u8),
    Name(String),
}

impl From<BoardKeyForm> for BoardKey {
    fn from(form: BoardKeyForm) -> Self {
        match form {
            BoardKeyForm::Address(address) => Self::from(address),
            BoardKeyForm::Name(name) => Self(name),
        }
    }
}

impl BoardKey {
    /// The name or the address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it means this board: its name, or its configured address.
    #[must_use]
    pub fn means(&self, board: &SimBoard) -> bool {
        self.0 == board.name() || self.0.parse() == Ok(board.address)
    }
}

impl From<u8> for BoardKey {
    fn from(address: u8) -> Self {
        Self(address.to_string())
    }
}

impl From<&str> for BoardKey {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl std::fmt::Display for BoardKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for BoardKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.parse::<u8>() {
            Ok(address) => serializer.serialize_u8(address),
            Err(_) => serializer.serialize_str(&self.0),
        }
    }
}

/// One board as it comes out of its box, wired and addressed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimBoard {
    /// Address set on the board. Modbus 1 to 255, "8A/80" 1 to 32, CU16 0 to 14, CU48 0 to 9,
    /// WKLY 0 to 31. It stays the board's name in the control API, if it has no `name`, even
    /// after the board was given another address over the wire.
    pub address: u8,
    /// Name in the control API, unique on the bus: 1 to 32 characters of a-z, 0-9 and '-'. Two
    /// boards with one address need names of their own.
    #[serde(default)]
    pub name: Option<String>,
    /// The protocol it speaks.
    pub family: SimFamily,
    /// Locks wired to it. Modbus 1 to 32, "8A/80" 1 to 50, CU16 1 to 16, CU48 1 to 48, WKLY 1 to
    /// 38.
    #[serde(default = "default_locks")]
    pub locks: u8,
    /// The bit that means "closed": true = 1. On WKLY boards the lock state: true = 01.
    #[serde(default = "default_true")]
    pub closed_bit: bool,
    /// Locks whose contact is wired the other way round than `closed_bit` says, from 1.
    #[serde(default)]
    pub inverted_locks: Vec<u8>,
    /// What the lock inputs are wired to.
    #[serde(default)]
    pub senses: Senses,
    /// Modbus boards: digital inputs exist and hang on the doors. The others always have them.
    #[serde(default = "default_true")]
    pub door_inputs: bool,
    /// Whether an unlock command is answered; none: as the family does (KERONG boards are silent,
    /// the others answer). Relay boards always answer.
    #[serde(default)]
    pub answers_unlock: Option<bool>,
    /// "8A/80" and WKLY boards: time from the start of a pulse until the board looks at the lock
    /// and answers with what it sees. Milliseconds; 0 answers "still closed" of a closed door.
    #[serde(default)]
    pub unlock_reply_ms: u32,
    /// "8A/80" and WKLY boards: tells of every change of a lock by itself (frame 81 or 85).
    #[serde(default)]
    pub reports_changes: bool,
    /// "8A/80" boards: another word for `closed_bit`; none: as `closed_bit` says.
    #[serde(default)]
    pub feedback: Option<Feedback>,
    /// "8A/80" boards: which status byte comes first.
    #[serde(default)]
    pub status_order: StatusOrder,
    /// "8A/80" boards: status bytes of a read-all reply, 3 to 7; none: 3 up to 24 locks, else 7.
    #[serde(default)]
    pub status_bytes: Option<u8>,
    /// Name of the supply that feeds its coils; boards with the same name share it.
    #[serde(default = "default_power_supply")]
    pub power_supply: String,
    /// Unlock time set in the board; none: as it comes (KERONG 550, the others 300). Relay boards
    /// are told with each command. Milliseconds, at least 10.
    #[serde(default)]
    pub pulse_ms: Option<u16>,
    /// Time from the end of a request to the start of the reply, with pacing. Milliseconds.
    #[serde(default = "default_turnaround_ms")]
    pub turnaround_ms: u32,
    /// Speed of this board alone; none: that of its bus. Bits a second, 300 to 1,000,000.
    #[serde(default)]
    pub baud: Option<u32>,
}

impl SimBoard {
    /// A board with every setting at its default.
    #[must_use]
    pub fn new(family: SimFamily, address: u8, locks: u8) -> Self {
        Self {
            address,
            name: None,
            family,
            locks,
            closed_bit: true,
            inverted_locks: Vec::new(),
            senses: Senses::default(),
            door_inputs: true,
            answers_unlock: None,
            unlock_reply_ms: 0,
            reports_changes: false,
            feedback: None,
            status_order: StatusOrder::default(),
            status_bytes: None,
            power_supply: default_power_supply(),
            pulse_ms: None,
            turnaround_ms: default_turnaround_ms(),
            baud: None,
        }
    }

    /// A Modbus relay board with door inputs.
    #[must_use]
    pub fn modbus(address: u8, locks: u8) -> Self {
        Self::new(SimFamily::ModbusRelay, address, locks)
    }

    /// An "8A/80" board that answers unlock commands.
    #[must_use]
    pub fn xor(address: u8, locks: u8) -> Self {
        Self::new(SimFamily::XorBoard, address, locks)
    }

    /// A CU16 with all 16 locks, silent to unlock commands.
    #[must_use]
    pub fn cu16(address: u8) -> Self {
        Self::new(SimFamily::KerongCu16, address, CU16_LOCKS_MAX)
    }

    /// A CU48 with all 48 locks, silent to unlock commands.
    #[must_use]
    pub fn cu48(address: u8) -> Self {
        Self::new(SimFamily::KerongCu48, address, CU48_LOCKS_MAX)
    }

    /// A CU48 with infrared sensors and all 48 locks, silent to unlock commands.
    #[must_use]
    pub fn cu48_ir(address: u8) -> Self {
        Self::new(SimFamily::KerongCu48Ir, address, CU48_LOCKS_MAX)
    }

    /// A WKLY board that answers unlock commands.
    #[must_use]
    pub fn wkly(address: u8, locks: u8) -> Self {
        Self::new(SimFamily::Wkly, address, locks)
    }

    /// The same board under a name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Its name in the control API.
    #[must_use]
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.address.to_string())
    }

    /// Unlock time in milliseconds.
    pub(in crate::sim) fn unlock_ms(&self) -> u16 {
        self.pulse_ms.unwrap_or(self.family.limits().2)
    }

    /// Whether an unlock command gets a reply.
    pub(in crate::sim) fn answers_unlock(&self) -> bool {
        let silent = matches!(
            self.family,
            SimFamily::KerongCu16 | SimFamily::KerongCu48 | SimFamily::KerongCu48Ir
        );
        self.answers_unlock.unwrap_or(!silent)
    }

    /// The bit that the lock at `index` reports while closed.
    pub(in crate::sim) fn closed_bit_of(&self, index: usize) -> bool {
        let bit = match self.feedback {
            Some(feedback) => feedback == Feedback::Closing,
            None => self.closed_bit,
        };
        let inverted = self.inverted_locks.iter().any(|lock| usize::from(*lock) == index + 1);
        bit != inverted
    }

    /// Status bytes of an "8A/80" read-all reply.
    pub(in crate::sim) fn status_len(&self) -> usize {
        self.status_bytes.map_or(if self.locks > 24 { 7 } else { 3 }, usize::from)
    }

    /// Checks every rule; the error names the bus and the board.
    pub(super) fn check(&self, bus: &str) -> Result<(), SimError> {
        let (addresses, locks_max, _) = self.family.limits();
        let place = format!("bus {bus:?} board {}", self.name());
        let refuse = |text: String| Err(SimError::Config(format!("{place}: {text}")));
        if !addresses.contains(&self.address) {
            let (first, last) = addresses.into_inner();
            return refuse(format!("the address must be {first} to {last}"));
        }
        if !(1..=locks_max).contains(&self.locks) {
            return refuse(format!("locks must be 1 to {locks_max}"));
        }
        if self.inverted_locks.iter().any(|lock| !(1..=self.locks).contains(lock)) {
            return refuse(format!("inverted_locks must be 1 to {}", self.locks));
        }
        if self.power_supply.is_empty() || self.power_supply.len() > NAME_LEN_MAX {
            return refuse("power_supply must be 1 to 32 long".to_owned());
        }
        if self.unlock_ms() < 10 {
            return refuse("pulse_ms must be at least 10".to_owned());
        }
        if self.baud.is_some_and(|baud| !BAUD_RANGE.contains(&baud)) {
            return refuse("baud must be 300 to 1000000".to_owned());
        }
        if self.name.as_deref().is_some_and(|name| !is_name(name) || name.parse::<u8>().is_ok()) {
            return refuse(
                "the name must be 1 to 32 of a-z, 0-9 and '-', and no number".to_owned(),
            );
        }
        self.check_family_keys().or_else(refuse)
    }

    /// Keys that only some families know.
    fn check_family_keys(&self) -> Result<(), String> {
        let xor = self.family == SimFamily::XorBoard;
        let talks = xor || self.family == SimFamily::Wkly;
        let xor_keys = self.feedback.is_some()
            || self.status_bytes.is_some()
            || self.status_order != StatusOrder::default();
        if xor_keys && !xor {
            return Err("feedback, status_order and status_bytes are for xor-board".to_owned());
        }
        if !talks && (self.reports_changes || self.unlock_reply_ms > 0) {
            let text = "reports_changes and unlock_reply_ms are for xor-board and wkly";
            return Err(text.to_owned());
        }
        if self.feedback == Some(Feedback::Closing) && !self.closed_bit {
            return Err("feedback and closed_bit contradict each other".to_owned());
        }
        let needed = self.locks.div_ceil(8);
        if self.status_bytes.is_some_and(|count| count < needed.max(3) || count > 7) {
            return Err(format!("status_bytes must be {} to 7", needed.max(3)));
        }
        Ok(())
    }
}

const fn default_locks() -> u8 {
    16
}

fn default_power_supply() -> String {
    "main".to_owned()
}

const fn default_turnaround_ms() -> u32 {
    2
}
