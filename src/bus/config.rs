//! What is wired to each serial port: typed, and checked before a task is started with it.
//!
//! The kernel accepts baud rates no adapter can make, and a wrong board address or lock count shows
//! only as silence, so [`BusConfig::check`] refuses them with words. Times are milliseconds.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::bus::codec::{Call, Codec, PULSE_MS_MAX, Request, codec};
use crate::domain::channel::{BusName, Family};

/// Baud rates that adapters make and boards speak.
pub const BAUDS: [u32; 8] = [4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 128_000, 256_000];
/// Most boards on one port: 15 addresses a KERONG bus, 32 unit loads an RS-485 line.
pub const BOARDS_MAX: usize = 32;
/// Bits a byte takes on the line: start, eight data, stop.
pub(super) const BITS_PER_BYTE: u32 = 10;
/// Longest pause, timeout or gap that makes sense, in milliseconds.
const WAIT_MS_MAX: u32 = 10_000;

/// One serial port and the boards on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusConfig {
    /// The name channels refer to.
    pub name: BusName,
    /// A stable name of the port, such as one below `/dev/serial/by-id`.
    pub port: PathBuf,
    /// One of [`BAUDS`]; always 8 data bits, no parity, 1 stop bit.
    pub baud: u32,
    /// Quiet time between frames; `None` takes the rule of the baud rate and families.
    pub gap_ms: Option<u32>,
    /// How long a board may take to answer, counted from the last bit of the request.
    pub reply_timeout_ms: u32,
    /// Pause between two polls of the same board.
    pub poll_interval_ms: u32,
    /// The boards, each with its own address.
    pub boards: Vec<BoardConfig>,
}

/// One lock board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardConfig {
    /// As set by its switches.
    pub address: u8,
    /// Its wire protocol.
    pub family: Family,
    /// How many locks it drives.
    pub locks: u8,
    /// Whether door or hook sensors are wired.
    pub doors: bool,
    /// The sensor bit of a closed door: the wiring decides, commissioning proves it.
    pub closed_bit: bool,
    /// Name of the power supply its coils share; boards with the same name take turns.
    pub power_supply: String,
    /// Pulse length, 1 to 1000. For boards that time it by a setting: what they are set to.
    pub pulse_ms: u16,
    /// Whether an unlock is answered, where the family leaves it open; `None` waits a little.
    pub answers_unlock: Option<bool>,
}

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bus {bus}: {why}")]
pub struct BusConfigError {
    /// The bus it is about.
    pub bus: BusName,
    /// What is wrong and what is accepted.
    pub why: String,
}

impl BusConfig {
    /// Refuses what cannot work on a wire.
    pub fn check(&self) -> Result<(), BusConfigError> {
        let refuse = |why: String| Err(BusConfigError { bus: self.name.clone(), why });
        if !BAUDS.contains(&self.baud) {
            return refuse(format!("baud {} is none of {BAUDS:?}", self.baud));
        }
        let waits = [
            ("gap_ms", self.gap_ms.unwrap_or(1)),
            ("reply_timeout_ms", self.reply_timeout_ms),
            ("poll_interval_ms", self.poll_interval_ms),
        ];
        for (what, wait_ms) in waits {
            if !(1..=WAIT_MS_MAX).contains(&wait_ms) {
                return refuse(format!("{what} must be 1 to {WAIT_MS_MAX}, not {wait_ms}"));
            }
        }
        if !(1..=BOARDS_MAX).contains(&self.boards.len()) {
            return refuse(format!("needs 1 to {BOARDS_MAX} boards, not {}", self.boards.len()));
        }
        let mut addresses = HashSet::new();
        for board in &self.boards {
            if !addresses.insert(board.address) {
                return refuse(format!("two boards have address {}", board.address));
            }
            board.check().or_else(refuse)?;
        }
        Ok(())
    }

    /// Quiet time between frames: 3.5 characters or 1.75 ms, and 1 ms more, and what a family needs.
    #[must_use]
    pub fn gap(&self) -> Duration {
        let families = self.boards.iter().map(|board| board.family);
        gap(self.baud, self.gap_ms, families)
    }
}

impl BoardConfig {
    fn check(&self) -> Result<(), String> {
        let board = format!("board {}", self.address);
        if !(1..=PULSE_MS_MAX).contains(&self.pulse_ms) {
            return Err(format!("{board}: pulse_ms must be 1 to {PULSE_MS_MAX}"));
        }
        let probe = self.call(Request::Status);
        self.codec().encode(&probe).map_err(|error| format!("{board}: {error}"))?;
        Ok(())
    }

    /// The codec of its family.
    pub(super) fn codec(&self) -> &'static dyn Codec {
        codec(self.family)
    }

    /// A request to this board.
    pub(super) fn call(&self, request: Request) -> Call {
        Call::new(self.address, self.locks, request)
    }
}

/// The gap rule for a line with these families; a configured gap may only lengthen a family's own.
pub(super) fn gap(
    baud: u32,
    configured_ms: Option<u32>,
    families: impl Iterator<Item = Family>,
) -> Duration {
    let character_us = u64::from(BITS_PER_BYTE) * 1_000_000 / u64::from(baud.max(1));
    let quiet_us = (character_us * 7 / 2).max(1_750) + 1_000;
    let rule_ms = u32::try_from(quiet_us.div_ceil(1_000)).unwrap_or(u32::MAX);
    let family_ms = families.map(|family| codec(family).capabilities().gap_ms_min).max();
    let gap_ms = configured_ms.unwrap_or(rule_ms).max(family_ms.unwrap_or(0));
    Duration::from_millis(u64::from(gap_ms))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::bus) fn board(address: u8, family: Family) -> BoardConfig {
        BoardConfig {
            address,
            family,
            locks: if family == Family::KerongCu16 { 16 } else { 8 },
            doors: true,
            closed_bit: true,
            power_supply: "main".to_owned(),
            pulse_ms: 100,
            answers_unlock: Some(false),
        }
    }

    pub(in crate::bus) fn bus(port: PathBuf, boards: Vec<BoardConfig>) -> BusConfig {
        BusConfig {
            name: BusName::parse("east").expect("valid"),
            port,
            baud: 115_200,
            gap_ms: None,
            reply_timeout_ms: 60,
            poll_interval_ms: 20,
            boards,
        }
    }

    #[test]
    fn gap_follows_the_measured_rule() {
        let modbus = || [Family::ModbusRelay].into_iter();
        let mixed = || [Family::ModbusRelay, Family::KerongCu16].into_iter();
        assert_eq!(gap(9_600, None, modbus()), Duration::from_millis(5));
        assert_eq!(gap(115_200, None, modbus()), Duration::from_millis(3));
        assert_eq!(gap(19_200, None, mixed()), Duration::from_millis(25));
        assert_eq!(gap(19_200, Some(40), mixed()), Duration::from_millis(40));
        assert_eq!(gap(19_200, Some(4), mixed()), Duration::from_millis(25));
    }

    type Spoil = fn(&mut BusConfig);

    #[test]
    fn what_cannot_work_is_refused_with_words() {
        let good = || bus("/dev/null".into(), vec![board(1, Family::ModbusRelay)]);
        assert_eq!(good().check(), Ok(()));
        let spoilt: [(Spoil, &str); 7] = [
            (|bus| bus.baud = 12_345, "baud 12345"),
            (|bus| bus.reply_timeout_ms = 0, "reply_timeout_ms"),
            (|bus| bus.boards.clear(), "1 to 32 boards"),
            (|bus| bus.boards.push(bus.boards[0].clone()), "two boards have address 1"),
            (|bus| bus.boards[0].pulse_ms = 1_001, "pulse_ms"),
            (|bus| bus.boards[0].locks = 33, "1 to 32 locks"),
            (|bus| bus.boards[0].address = 0, "address is 1 to 255"),
        ];
        for (spoil, why) in spoilt {
            let mut config = good();
            spoil(&mut config);
            let error = config.check().expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
