//! What is simulated: buses, boards and the mechanics of their locks.
//!
//! The types deserialise straight from TOML or JSON; an unknown key is refused, everything but
//! names, links, addresses and families has a default. [`SimConfig::check`] states every rule a
//! configuration must keep, so the rest of the simulator can rely on them: names and links are
//! unique, and a board's name is unique on its bus and lasts, whatever its address becomes.
//! [`crate::sim::Simulator::start`] calls it; nothing is created before it passed.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::SimError;

mod board;

pub use board::{
    BoardKey, CU16_ADDRESS_MAX, CU16_LOCKS_MAX, CU48_ADDRESS_MAX, CU48_LOCKS_MAX, Feedback,
    MODBUS_LOCKS_MAX, Senses, SimBoard, SimFamily, StatusOrder, WKLY_ADDRESS_MAX, WKLY_LOCKS_MAX,
    XOR_ADDRESS_MAX, XOR_LOCKS_MAX,
};

/// Most buses one simulator runs.
pub const BUSES_MAX: usize = 32;
/// Most boards on one bus, as many as an RS-485 driver feeds.
pub const BOARDS_PER_BUS_MAX: usize = 32;
/// Most power supplies that may be described.
pub const SUPPLIES_MAX: usize = 64;
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
    /// Power supplies that bear more than one coil; all others bear one.
    #[serde(default)]
    pub supplies: Vec<SimSupply>,
    /// The serial lines.
    #[serde(default)]
    pub buses: Vec<SimBus>,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            seed: default_seed(),
            pacing: true,
            physics: Physics::default(),
            supplies: Vec::new(),
            buses: Vec::new(),
        }
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

/// A power supply. When more coils draw from it than it bears, it browns out: every board on it
/// drops its outputs, forgets what it was doing and answers nothing for a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimSupply {
    /// The name that boards give as their `power_supply`.
    pub name: String,
    /// Coils it bears at a time, at least 1.
    pub coils_max: u8,
}

/// One serial line with its boards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimBus {
    /// Name in the control API: 1 to 32 characters of a-z, 0-9 and '-'.
    pub name: String,
    /// Symbolic link to the pseudo-terminal, the path a client opens. Either this or `tcp`.
    #[serde(default)]
    pub link: Option<PathBuf>,
    /// The line hangs on a transparent gateway (as the KR-BU) that listens here: the same bytes
    /// over TCP, one client at a time. Port 0 takes a free one, told in the state.
    #[serde(default)]
    pub tcp: Option<SocketAddr>,
    /// Speed of the boards, in bits a second (300 to 1,000,000).
    #[serde(default = "default_baud")]
    pub baud: u32,
    /// The boards on the line.
    #[serde(default)]
    pub boards: Vec<SimBoard>,
}

impl SimBus {
    /// A bus without boards yet, behind a link.
    #[must_use]
    pub fn new(name: &str, link: impl Into<PathBuf>, baud: u32) -> Self {
        let link = Some(link.into());
        Self { name: name.to_owned(), link, tcp: None, baud, boards: Vec::new() }
    }

    /// A bus without boards yet, behind a TCP gateway.
    #[must_use]
    pub fn tcp(name: &str, listen: SocketAddr, baud: u32) -> Self {
        Self { name: name.to_owned(), link: None, tcp: Some(listen), baud, boards: Vec::new() }
    }

    /// The same bus with one more board.
    #[must_use]
    pub fn with(mut self, board: SimBoard) -> Self {
        self.boards.push(board);
        self
    }
}

/// Longest name of a bus, a board or a power supply, in characters.
const NAME_LEN_MAX: usize = 32;

fn is_name(name: &str) -> bool {
    (1..=NAME_LEN_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

const BAUD_RANGE: RangeInclusive<u32> = 300..=1_000_000;

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
        self.check_supplies()?;
        let mut names = HashSet::new();
        let mut links = HashSet::new();
        for bus in &self.buses {
            bus.check()?;
            if !names.insert(&bus.name) {
                return refuse(format!("bus {:?} stands twice", bus.name));
            }
            if let Some(link) = &bus.link
                && !links.insert(link)
            {
                return refuse(format!("bus {:?}: link {} stands twice", bus.name, link.display()));
            }
        }
        Ok(())
    }

    fn check_supplies(&self) -> Result<(), SimError> {
        let refuse = |text: String| Err(SimError::Config(text));
        if self.supplies.len() > SUPPLIES_MAX {
            return refuse(format!("at most {SUPPLIES_MAX} supplies"));
        }
        let mut names = HashSet::new();
        for supply in &self.supplies {
            if supply.coils_max == 0 {
                return refuse(format!("supply {:?}: coils_max must be at least 1", supply.name));
            }
            if !names.insert(&supply.name) {
                return refuse(format!("supply {:?} stands twice", supply.name));
            }
        }
        Ok(())
    }
}

impl SimBus {
    fn check(&self) -> Result<(), SimError> {
        let name = &self.name;
        let refuse = |text: String| Err(SimError::Config(format!("bus {name:?}: {text}")));
        if !is_name(name) {
            return refuse("the name must be 1 to 32 of a-z, 0-9 and '-'".to_owned());
        }
        if self.link.is_some() == self.tcp.is_some() {
            return refuse("either a link or a tcp address is needed".to_owned());
        }
        if !BAUD_RANGE.contains(&self.baud) {
            return refuse("baud must be 300 to 1000000".to_owned());
        }
        if self.boards.len() > BOARDS_PER_BUS_MAX {
            return refuse(format!("at most {BOARDS_PER_BUS_MAX} boards"));
        }
        let mut names = HashSet::new();
        for board in &self.boards {
            board.check(name)?;
            if !names.insert(board.name()) {
                return refuse(format!("board {} stands twice", board.name()));
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

#[cfg(test)]
mod tests;
