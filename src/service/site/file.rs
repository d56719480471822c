//! The site file: what may stand in it. docs/guide/site-file.md shows it to people.
//!
//! Everything is as written; `plan` reads it. The same entries carry a layout that is exported, and those
//! that a CSV file has.

use serde::{Deserialize, Serialize};

use crate::domain::bank::{Mode, OpenFrom};
use crate::domain::hours::WeekHours;
use crate::domain::layout::{FixtureKind, Front, Level};
use crate::domain::options::Options;
use crate::domain::overdue::OverduePolicy;
use crate::domain::pool::PoolPolicy;
use crate::domain::returning::ReturnPolicy;

/// A site file (`bank import`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteFile {
    /// Places with their banks.
    #[serde(default, rename = "location", skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<LocationEntry>,
    /// Application windows for the whole site.
    #[serde(default, rename = "term", skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<TermEntry>,
}

/// A place. One that exists under its Korean name gets the banks added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocationEntry {
    /// Korean name.
    pub name_ko: String,
    /// English name; the Korean one when left out.
    pub name_en: Option<String>,
    /// Its cabinets.
    #[serde(default, rename = "bank", skip_serializing_if = "Vec::is_empty")]
    pub banks: Vec<BankEntry>,
    /// Application windows for this place only.
    #[serde(default, rename = "term", skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<TermEntry>,
}

/// A cabinet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankEntry {
    /// Korean name.
    pub name_ko: String,
    /// English name; the Korean one when left out.
    pub name_en: Option<String>,
    /// How its lockers are lent: choose or pool; choose when left out.
    pub mode: Option<Mode>,
    /// How long a hold keeps a locker, in seconds.
    pub hold_seconds: Option<u32>,
    /// How long a door may stand open before it is an alarm, in seconds.
    pub left_open_s: Option<u32>,
    /// From where renters may open: anywhere or presence.
    pub open_from: Option<OpenFrom>,
    /// To which side its doors look: N, E, S or W.
    pub front: Option<Front>,
    /// How its lockers are taken back.
    pub returns: Option<ReturnPolicy>,
    /// How reservations are taken, in pool mode.
    pub pool: Option<PoolPolicy>,
    /// How those who are late are dealt with.
    pub overdue: Option<OverduePolicy>,
    /// What is offered beyond the plain rental.
    pub options: Option<Options>,
    /// When renters may open; day and night when left out.
    pub hours: Option<WeekHours>,
    /// Days on which renters may not open.
    #[serde(default, rename = "closing", skip_serializing_if = "Vec::is_empty")]
    pub closings: Vec<ClosingEntry>,
    /// What stands in its grid beside lockers.
    #[serde(default, rename = "fixture", skip_serializing_if = "Vec::is_empty")]
    pub fixtures: Vec<FixtureEntry>,
    /// Its lockers.
    #[serde(default, rename = "locker", skip_serializing_if = "Vec::is_empty")]
    pub lockers: Vec<LockerEntry>,
    /// Application windows for this bank only.
    #[serde(default, rename = "term", skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<TermEntry>,
}

/// Days on which a bank stays closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosingEntry {
    /// The first day.
    pub first_on: String,
    /// The last day; the first when left out.
    pub last_on: Option<String>,
    /// Why, in Korean.
    pub name_ko: String,
    /// Why, in English; the Korean name when left out.
    pub name_en: Option<String>,
}

/// Something in a bank's grid that is no locker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixtureEntry {
    /// kiosk, pillar, wall or gap.
    pub kind: FixtureKind,
    /// Leftmost column, from 1.
    pub col: u16,
    /// Topmost row, from 1.
    pub row: u16,
    /// Columns it takes; 1 when left out.
    pub width: Option<u16>,
    /// Rows it takes; 1 when left out.
    pub height: Option<u16>,
    /// What is written there, in Korean.
    pub label_ko: Option<String>,
    /// What is written there, in English.
    pub label_en: Option<String>,
}

/// A compartment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockerEntry {
    /// The number on its door.
    pub id: i64,
    /// The bus its board hangs on; without it the locker is opened by key.
    pub bus: Option<String>,
    /// The board's address.
    pub board: Option<u8>,
    /// The lock's number on the board, from 1.
    pub lock: Option<u8>,
    /// False to set it up without lending it.
    pub in_service: Option<bool>,
    /// Leftmost column in its bank's grid, from 1.
    pub col: Option<u16>,
    /// Topmost row, from 1.
    pub row: Option<u16>,
    /// Columns it takes; 1 when left out.
    pub width: Option<u16>,
    /// Rows it takes; 1 when left out.
    pub height: Option<u16>,
    /// How high it hangs: top, eye, middle or low.
    pub level: Option<Level>,
    /// Whether it can be used from a wheelchair.
    pub accessible: Option<bool>,
}

/// An application window. Times without an offset are the site's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermEntry {
    /// Korean name.
    pub name_ko: String,
    /// English name; the Korean one when left out.
    pub name_en: Option<String>,
    /// First instant at which claims are accepted, for example `2026-08-24T10:00:00`.
    pub opens_at: String,
    /// First instant at which they are not any more.
    pub closes_at: String,
    /// First day of the rentals.
    pub starts_on: String,
    /// Last day of the rentals.
    pub ends_on: String,
}
