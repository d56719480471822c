//! Locations and banks: where cabinets stand and under which policy their lockers are lent.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{BankId, LocationId, MemberId};
use super::name::Name;
use super::returning::ReturnPolicy;

/// A named place: "Science Library, 6th floor".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Its number.
    pub id: LocationId,
    /// Its name, unique on the site in Korean.
    pub name: Name,
}

/// How the lockers of a bank are lent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Students pick a locker, first come, first served.
    Choose,
}

impl Mode {
    /// Every mode; the database's CHECK lists the same names.
    pub const ALL: [Self; 1] = [Self::Choose];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Choose => "choose",
        }
    }
}

/// One cabinet of lockers at a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bank {
    /// Its number.
    pub id: BankId,
    /// Where it stands.
    pub location_id: LocationId,
    /// Its name; unique within its location in Korean.
    pub name: Name,
    /// How its lockers are lent.
    pub mode: Mode,
    /// Its policy.
    pub policy: BankPolicy,
    /// Set while people work on it: its doors raise no alarms.
    #[serde(default)]
    pub maintenance: Option<Maintenance>,
}

/// A bank that people work on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Since when.
    pub since: Timestamp,
    /// Who said so.
    pub by: MemberId,
    /// Why.
    pub reason: String,
}

/// From where renters may open the lockers of a bank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenFrom {
    /// From wherever they are logged in.
    #[default]
    Anywhere,
    /// Only when they prove to stand before it: signed in at its kiosk, or with the code it shows.
    Presence,
}

impl OpenFrom {
    /// Every value; the database's CHECK lists the same names.
    pub const ALL: [Self; 2] = [Self::Anywhere, Self::Presence];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anywhere => "anywhere",
            Self::Presence => "presence",
        }
    }

    /// Finds a value by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// The settings of one bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankPolicy {
    /// How long a hold keeps a locker for one student, in seconds; 10 to 3600.
    pub hold_seconds: u32,
    /// How long a door may stand open before it is an alarm, in seconds; 1 to 86400. `None`: as the
    /// site's configuration says.
    #[serde(default)]
    pub left_open_s: Option<u32>,
    /// From where renters may open.
    #[serde(default)]
    pub open_from: OpenFrom,
    /// How lockers are taken back.
    #[serde(default)]
    pub returns: ReturnPolicy,
}

impl Default for BankPolicy {
    fn default() -> Self {
        Self {
            hold_seconds: 60,
            left_open_s: None,
            open_from: OpenFrom::Anywhere,
            returns: ReturnPolicy::default(),
        }
    }
}

impl BankPolicy {
    /// Checks the settings as a whole; the text says which one is wrong and why.
    pub fn validated(self) -> Result<Self, String> {
        if !(10..=3600).contains(&self.hold_seconds) {
            return Err(format!("hold_seconds is {}; it must be 10 to 3600", self.hold_seconds));
        }
        self.returns.validated()?;
        match self.left_open_s {
            Some(seconds) if !(1..=86_400).contains(&seconds) => {
                Err(format!("left_open_s is {seconds}; it must be 1 to 86400"))
            }
            _ => Ok(self),
        }
    }

    /// How long a hold lives.
    #[must_use]
    pub fn hold(&self) -> Duration {
        Duration::from_secs(u64::from(self.hold_seconds))
    }
}
