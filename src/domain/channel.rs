//! Where a lock and its sensors are wired: bus, board address and lock number.
//!
//! Technicians read these three off a cable label, a DIP switch and a terminal block, so the lock
//! number counts from 1 as printed on the boards; only the codecs turn it into a wire index.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Most locks any supported board family drives.
pub const LOCKS_PER_BOARD_MAX: u8 = 50;

/// A malformed channel part; the text says what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// A bus name that is empty, too long or has other characters.
    #[error("bus name {0:?} must be 1 to 32 characters of a-z, 0-9 and '-'")]
    BusName(String),
    /// A lock number outside 1..=50.
    #[error("lock {0} must be between 1 and {LOCKS_PER_BOARD_MAX}")]
    Lock(u8),
    /// Text that is not `BUS/BOARD/LOCK`.
    #[error("channel {0:?} must look like bus/board/lock, for example east/1/3")]
    Syntax(String),
}

/// The configured name of one serial port with boards on it. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BusName(Arc<str>);

impl BusName {
    /// Accepts 1 to 32 characters of `a-z`, `0-9` and `-`.
    pub fn parse(text: &str) -> Result<Self, ChannelError> {
        let ok = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if ok { Ok(Self(text.into())) } else { Err(ChannelError::BusName(text.to_owned())) }
    }

    /// The name as configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for BusName {
    type Error = ChannelError;

    fn try_from(text: String) -> Result<Self, ChannelError> {
        Self::parse(&text)
    }
}

impl From<BusName> for String {
    fn from(name: BusName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for BusName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One lock with its door sensor: bus, board address and lock number (from 1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Channel {
    /// The serial port the board hangs on.
    pub bus: BusName,
    /// The board's address as set by its switches; the family limits the range.
    pub board: u8,
    /// The lock's number on its board, from 1 as printed beside the terminals.
    pub lock: u8,
}

impl Channel {
    /// Builds a channel; refuses a lock number outside 1..=50.
    pub fn new(bus: BusName, board: u8, lock: u8) -> Result<Self, ChannelError> {
        if (1..=LOCKS_PER_BOARD_MAX).contains(&lock) {
            Ok(Self { bus, board, lock })
        } else {
            Err(ChannelError::Lock(lock))
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.bus, self.board, self.lock)
    }
}

impl FromStr for Channel {
    type Err = ChannelError;

    fn from_str(text: &str) -> Result<Self, ChannelError> {
        let syntax = || ChannelError::Syntax(text.to_owned());
        let mut parts = text.split('/');
        let (Some(bus), Some(board), Some(lock), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(syntax());
        };
        let board = board.parse().map_err(|_| syntax())?;
        let lock = lock.parse().map_err(|_| syntax())?;
        Self::new(BusName::parse(bus)?, board, lock)
    }
}

impl TryFrom<String> for Channel {
    type Error = ChannelError;

    fn try_from(text: String) -> Result<Self, ChannelError> {
        text.parse()
    }
}

impl From<Channel> for String {
    fn from(channel: Channel) -> Self {
        channel.to_string()
    }
}

/// A family of lock boards that share one wire protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Modbus RTU relay boards (Waveshare 8, 8D, 16, 32, IO-8 and kin).
    ModbusRelay,
    /// The boards with frames 8A and 80 and an XOR, 8 to 50 locks (Shuoming, CM06 and kin).
    XorBoard,
    /// KERONG CU16, 16 locks a board.
    KerongCu16,
    /// KERONG CU48, protocol 2.1, 48 locks a board.
    KerongCu48,
    /// KERONG CU48 with item sensors, commands 60 and 61.
    KerongCu48Ir,
    /// Boards whose frames begin with the letters WKLY.
    Wkly,
}

impl Family {
    /// Every family that is built, in the order the documentation lists them.
    pub const ALL: [Self; 6] = [
        Self::ModbusRelay,
        Self::XorBoard,
        Self::KerongCu16,
        Self::KerongCu48,
        Self::KerongCu48Ir,
        Self::Wkly,
    ];

    /// The name used in configuration, on the command line and in the vector file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ModbusRelay => "modbus-relay",
            Self::XorBoard => "xor-board",
            Self::KerongCu16 => "kerong-cu16",
            Self::KerongCu48 => "kerong-cu48",
            Self::KerongCu48Ir => "kerong-cu48-ir",
            Self::Wkly => "wkly",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Family {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|family| family.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|family| family.name()).collect();
            format!("unknown board family {text:?}; known are {}", names.join(", "))
        })
    }
}

/// What is known of a door. Unknown never counts as closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorState {
    /// A sensor showed it open in two equal reads.
    Open,
    /// A sensor showed it closed in two equal reads.
    Closed,
    /// No sensor, no answer, or not yet two equal reads.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_text_round_trips() {
        let channel: Channel = "east-1/15/50".parse().expect("valid");
        assert_eq!(channel.to_string(), "east-1/15/50");
    }

    #[test]
    fn bad_channels_say_what_is_accepted() {
        for (text, says) in [
            ("east/1", "bus/board/lock"),
            ("east/1/0", "between 1 and 50"),
            ("east/1/51", "between 1 and 50"),
            ("Ost/1/1", "a-z"),
            ("east/300/1", "bus/board/lock"),
            ("east/1/1/1", "bus/board/lock"),
        ] {
            let error = text.parse::<Channel>().expect_err(text).to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn family_names_parse_back() {
        for family in Family::ALL {
            assert_eq!(family.name().parse(), Ok(family));
        }
        let stranger = "winnsen".parse::<Family>().expect_err("not built");
        assert!(stranger.contains("kerong-cu16"), "{stranger}");
    }

    #[test]
    fn family_names_are_the_same_in_files() {
        for family in Family::ALL {
            let text = serde_json::to_string(&family).expect("a name");
            assert_eq!(text, format!("\"{}\"", family.name()));
        }
    }
}
