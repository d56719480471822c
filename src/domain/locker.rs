//! One compartment: its number, where it is wired and stands, and whether it can be lent.

use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::id::{BankId, LockerId};
use super::layout::{Level, Place};

/// Highest number a locker may have: eight digits still fit its label.
pub const LOCKER_ID_MAX: i64 = 99_999_999;

/// A locker as staff set it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locker {
    /// The number people see.
    pub id: LockerId,
    /// The cabinet it belongs to.
    pub bank_id: BankId,
    /// Where its lock is wired; `None` for one that is opened by key only.
    pub channel: Option<Channel>,
    /// False while it is broken or set aside: it is not lent, its history stays.
    pub in_service: bool,
    /// Where it stands in its bank's grid, when somebody said so.
    #[serde(default)]
    pub place: Option<Place>,
    /// How high it hangs, when somebody said so.
    #[serde(default)]
    pub level: Option<Level>,
    /// Whether it can be reached and used from a wheelchair.
    #[serde(default)]
    pub accessible: bool,
}

impl Locker {
    /// A locker in service, without a wire and a place.
    #[must_use]
    pub const fn new(id: LockerId, bank_id: BankId) -> Self {
        Self {
            id,
            bank_id,
            channel: None,
            in_service: true,
            place: None,
            level: None,
            accessible: false,
        }
    }
}

/// What everybody may know of a locker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// Can be held now, when an application window is open.
    Free,
    /// Held by somebody for a minute.
    Held,
    /// Rented.
    Taken,
    /// Not lent for now.
    OutOfService,
}

impl Availability {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Held => "held",
            Self::Taken => "taken",
            Self::OutOfService => "out_of_service",
        }
    }
}

/// Checks a locker's number: 1 to [`LOCKER_ID_MAX`].
pub fn parse_locker_id(number: i64) -> Result<LockerId, String> {
    if (1..=LOCKER_ID_MAX).contains(&number) {
        Ok(LockerId(number))
    } else {
        Err(format!("locker number {number} must be between 1 and {LOCKER_ID_MAX}"))
    }
}
