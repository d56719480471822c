//! What is simulated: buses, boards and the mechanics of their locks.
//!
//! The types deserialise straight from TOML or JSON; an unknown key is refused, everything but
//! names, links, addresses and families has a default. [`SimConfig::check`] states every rule a
//! configuration must keep, so the rest of the simulator can rely on them: names and links are
//! unique, and a board's configured address is unique on its bus and lasts as its name there.
//! [`crate::sim::Simulator::start`] calls it; nothing is created before it passed.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::SimError;

/// Most buses one simulator runs.
pub const BUSES_MAX: usize = 32;
/// Most boards on one bus, as many as an RS-485 driver feeds.
pub const BOARDS_PER_BUS_MAX: usize = 32;
/// Most relays a simulated Modbus board has (the 32-channel board).
pub const MODBUS_LOCKS_MAX: u8 = 32;
/// Locks of a CU16 board.
pub const CU16_LOCKS_MAX: u8 = 16;
/// Highest CU16 board number; 15 in the address byte means every board.
pub const CU16_ADDRESS_MAX: u8 = 14;
/// Shortest time before a door falls shut by itself; shorter ones would flap.
pub const AUTO_CLOSE_MS_MIN: u32 = 100;

/// Everything a simulator is started with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimConfig {
    /// Seed of every random choice: bounce, noise bytes and the probability of a fault.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Whether bytes take their time on the wire. False sends replies at once, for fast tests.
    #[serde(default = "default_true")]
    pub pacing: bool,
    /// How every lock and door moves.
    #[serde(default)]
    pub physics: Physics,
    /// The serial lines.
    #[serde(default)]
    pub buses: Vec<SimBus>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self { seed: default_seed(), pacing: true, physics: Physics::default(), buses: Vec::new() }
    }
}

/// The mechanics shared by all locks of a simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Physics {
    /// Time a coil must be on before its latch lets go. Milliseconds.
    pub release_ms: u32,
    /// Time from the release until a closed door has sprung open. Milliseconds.
    pub opens_after_ms: u32,
    /// Time the door switch chatters after it changed. Milliseconds; 0 is a perfect switch.
    pub bounce_ms: u32,
    /// Closes an open door by itself after this time (at least 100 ms); none leaves it open.
    pub auto_close_ms: Option<u32>,
}

impl Default for Physics {
    fn default() -> Self {
        Self { release_ms: 30, opens_after_ms: 120, bounce_ms: 5, auto_close_ms: None }
    }
}

/// One serial line with its boards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimBus {
    /// Name in the control API: 1 to 32 characters of a-z, 0-9 and '-'.
    pub name: String,
    /// Symbolic link to the pseudo-terminal, the path a client opens.
    pub link: PathBuf,
    /// Speed of the boards, in bits a second (300 to 1,000,000).
    #[serde(default = "default_baud")]
    pub baud: u32,
    /// The boards on the line.
    #[serde(default)]
    pub boards: Vec<SimBoard>,
}

impl SimBus {
    /// A bus without boards yet.
    #[must_use]
    pub fn new(name: &str, link: impl Into<PathBuf>, baud: u32) -> Self {
        Self { name: name.to_owned(), link: link.into(), baud, boards: Vec::new() }
    }

    /// The same bus with one more board.
    #[must_use]
    pub fn with(mut self, board: SimBoard) -> Self {
        self.boards.push(board);
        self
    }
}

/// The wire protocols the simulator speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SimFamily {
    /// Modbus RTU relay board (Waveshare and kin).
    ModbusRelay,
    /// KERONG CU16, 16 locks a board.
    KerongCu16,
}

/// One board as it comes out of its box, wired and addressed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimBoard {
    /// Address set on the board. Modbus 1 to 255, CU16 0 to 14. It stays the board's name in the
    /// control API even after the board was given another address over the wire.
    pub address: u8,
    /// The protocol it speaks.
    pub family: SimFamily,
    /// Locks wired to it. Modbus 1 to 32, CU16 1 to 16.
    #[serde(default = "default_locks")]
    pub locks: u8,
    /// The bit that means "closed": true = 1.
    #[serde(default = "default_true")]
    pub closed_bit: bool,
    /// Modbus boards: digital inputs exist and hang on the doors. CU16 boards always have them.
    #[serde(default = "default_true")]
    pub door_inputs: bool,
    /// CU16 boards: an unlock command gets a status frame as its reply.
    #[serde(default)]
    pub answers_unlock: bool,
    /// Name of the supply that feeds its coils; boards with the same name share it.
    #[serde(default = "default_power_supply")]
    pub power_supply: String,
    /// CU16 boards: unlock time set in the board. Milliseconds, 10 to 65,535.
    #[serde(default = "default_pulse_ms")]
    pub pulse_ms: u16,
    /// Time from the end of a request to the start of the reply, with pacing. Milliseconds.
    #[serde(default = "default_turnaround_ms")]
    pub turnaround_ms: u32,
}

impl SimBoard {
    /// A board with every setting at its default.
    #[must_use]
    pub fn new(family: SimFamily, address: u8, locks: u8) -> Self {
        Self {
            address,
            family,
            locks,
            closed_bit: true,
            door_inputs: true,
            answers_unlock: false,
            power_supply: default_power_supply(),
            pulse_ms: default_pulse_ms(),
            turnaround_ms: default_turnaround_ms(),
        }
    }

    /// A Modbus relay board with door inputs.
    #[must_use]
    pub fn modbus(address: u8, locks: u8) -> Self {
        Self::new(SimFamily::ModbusRelay, address, locks)
    }

    /// A CU16 with all 16 locks, silent to unlock commands.
    #[must_use]
    pub fn cu16(address: u8) -> Self {
        Self::new(SimFamily::KerongCu16, address, CU16_LOCKS_MAX)
    }

    fn check(&self, bus: &str) -> Result<(), SimError> {
        let (addresses, locks_max) = match self.family {
            SimFamily::ModbusRelay => (1..=255, MODBUS_LOCKS_MAX),
            SimFamily::KerongCu16 => (0..=CU16_ADDRESS_MAX, CU16_LOCKS_MAX),
        };
        let place = format!("bus {bus:?} board {}", self.address);
        if !addresses.contains(&self.address) {
            return Err(SimError::Config(format!(
                "{place}: the address must be {} to {}",
                addresses.start(),
                addresses.end()
            )));
        }
        if !(1..=locks_max).contains(&self.locks) {
            return Err(SimError::Config(format!("{place}: locks must be 1 to {locks_max}")));
        }
        if self.power_supply.is_empty() || self.power_supply.len() > NAME_LEN_MAX {
            return Err(SimError::Config(format!("{place}: power_supply must be 1 to 32 long")));
        }
        if self.pulse_ms < 10 {
            return Err(SimError::Config(format!("{place}: pulse_ms must be at least 10")));
        }
        Ok(())
    }
}

/// Longest name of a bus or a power supply, in characters.
const NAME_LEN_MAX: usize = 32;
const BAUD_RANGE: std::ops::RangeInclusive<u32> = 300..=1_000_000;

impl SimConfig {
    /// Checks every rule; the error names the bus and board that breaks it.
    pub fn check(&self) -> Result<(), SimError> {
        let refuse = |text: String| Err(SimError::Config(text));
        if self.buses.is_empty() || self.buses.len() > BUSES_MAX {
            return refuse(format!("1 to {BUSES_MAX} buses are needed"));
        }
        if self.physics.auto_close_ms.is_some_and(|ms| ms < AUTO_CLOSE_MS_MIN) {
            return refuse(format!("auto_close_ms must be at least {AUTO_CLOSE_MS_MIN}"));
        }
        let mut names = HashSet::new();
        let mut links = HashSet::new();
        for bus in &self.buses {
            let name = &bus.name;
            let name_ok = (1..=NAME_LEN_MAX).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            if !name_ok {
                return refuse(format!("bus name {name:?} must be 1 to 32 of a-z, 0-9 and '-'"));
            }
            if !names.insert(name) {
                return refuse(format!("bus {name:?} stands twice"));
            }
            if !links.insert(&bus.link) {
                return refuse(format!("bus {name:?}: link {} stands twice", bus.link.display()));
            }
            if !BAUD_RANGE.contains(&bus.baud) {
                return refuse(format!("bus {name:?}: baud must be 300 to 1000000"));
            }
            if bus.boards.len() > BOARDS_PER_BUS_MAX {
                return refuse(format!("bus {name:?}: at most {BOARDS_PER_BUS_MAX} boards"));
            }
            let mut addresses = HashSet::new();
            for board in &bus.boards {
                board.check(name)?;
                if !addresses.insert(board.address) {
                    return refuse(format!("bus {name:?}: board {} stands twice", board.address));
                }
            }
        }
        Ok(())
    }
}

const fn default_seed() -> u64 {
    1
}

const fn default_true() -> bool {
    true
}

const fn default_baud() -> u32 {
    9_600
}

const fn default_locks() -> u8 {
    16
}

fn default_power_supply() -> String {
    "main".to_owned()
}

const fn default_pulse_ms() -> u16 {
    550
}

const fn default_turnaround_ms() -> u32 {
    2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_fills_in_defaults_and_refuses_unknown_keys() {
        let text = r#"
            seed = 7
            physics = { auto_close_ms = 4000 }
            [[buses]]
            name = "east"
            link = "/tmp/east"
            baud = 19200
            boards = [{ address = 0, family = "kerong-cu16", closed_bit = false }]
            [[buses]]
            name = "west"
            link = "/tmp/west"
            boards = [{ address = 1, family = "modbus-relay", locks = 8, power_supply = "b" }]
        "#;
        let config: SimConfig = toml::from_str(text).expect("valid");
        config.check().expect("keeps the rules");
        assert!(config.pacing);
        assert_eq!(config.physics.release_ms, 30);
        assert_eq!(config.buses[0].boards[0].pulse_ms, 550);
        assert!(!config.buses[0].boards[0].closed_bit);
        assert_eq!(config.buses[1].baud, 9_600);
        let error = toml::from_str::<SimConfig>("sede = 1").expect_err("a typing mistake");
        assert!(error.to_string().contains("sede"), "{error}");
    }

    #[test]
    fn the_example_of_the_manual_is_valid() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/simulator.md");
        let page = std::fs::read_to_string(path).expect("the manual");
        let (_, rest) = page.split_once("```toml\n").expect("an example");
        let (example, _) = rest.split_once("```").expect("its end");
        let config: SimConfig = toml::from_str(example).expect("valid");
        config.check().expect("keeps the rules");
        assert_eq!(config.buses.len(), 2);
    }

    #[test]
    fn each_broken_rule_is_named() {
        let good = SimBus::new("east", "/tmp/e", 9_600).with(SimBoard::modbus(1, 8));
        let with = |change: &dyn Fn(&mut SimBus)| {
            let mut bus = good.clone();
            change(&mut bus);
            SimConfig { buses: vec![bus], ..SimConfig::default() }
        };
        let cases: [(SimConfig, &str); 8] = [
            (SimConfig::default(), "1 to 32 buses"),
            (with(&|bus| bus.name = "Ost".into()), "a-z"),
            (with(&|bus| bus.baud = 1), "baud"),
            (with(&|bus| bus.boards.push(SimBoard::modbus(1, 8))), "stands twice"),
            (with(&|bus| bus.boards[0].address = 0), "1 to 255"),
            (with(&|bus| bus.boards[0].locks = 33), "1 to 32"),
            (with(&|bus| bus.boards[0] = SimBoard::cu16(15)), "0 to 14"),
            (
                SimConfig { buses: vec![good.clone(), good.clone()], ..SimConfig::default() },
                "stands twice",
            ),
        ];
        for (config, says) in cases {
            let error = config.check().expect_err(says).to_string();
            assert!(error.contains(says), "{error} should say {says}");
        }
        with(&|_| ()).check().expect("the base case is fine");
    }
}
