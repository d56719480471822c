//! One member's right to one locker between two dates: held, then active, then ended.
//!
//! ```text
//!            confirm (hold alive)
//!   held ─────────────────────────► active
//!    │ release-hold → HoldReleased    │ release → Returned
//!    │ time is up   → HoldExpired     │ staff   → EndedByStaff
//!    ▼                                ▼
//!   ended ◄───────────────────────────┘
//! ```
//! A hold whose deadline has passed is dead for whoever meets it, whether or not anything has
//! written that down yet.

use serde::{Deserialize, Serialize};

use super::id::{LockerId, MemberId, RentalId, TermId};
use super::time::{DateSpan, Monotonic};

/// Why a rental is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The hold's time was up before it was confirmed.
    HoldExpired,
    /// The student gave the hold up.
    HoldReleased,
    /// The renter returned the locker.
    Returned,
    /// Staff ended it.
    EndedByStaff,
}

impl EndReason {
    /// Every reason; the database's CHECK lists the same names.
    pub const ALL: [Self; 4] =
        [Self::HoldExpired, Self::HoldReleased, Self::Returned, Self::EndedByStaff];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HoldExpired => "hold_expired",
            Self::HoldReleased => "hold_released",
            Self::Returned => "returned",
            Self::EndedByStaff => "ended_by_staff",
        }
    }
}

/// Where a rental stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RentalState {
    /// Kept for one student until the deadline.
    Held {
        /// The instant from which on it is dead.
        until: Monotonic,
    },
    /// Confirmed.
    Active,
    /// Over; stays in the history.
    Ended(EndReason),
}

impl RentalState {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held { .. } => "held",
            Self::Active => "active",
            Self::Ended(_) => "ended",
        }
    }
}

/// A step that a rental refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RentalError {
    /// It belongs to somebody else.
    #[error("this rental belongs to another member")]
    NotMine,
    /// The hold was not confirmed in time.
    #[error("the hold has expired")]
    HoldExpired,
    /// The step wants a hold, and this is an active rental.
    #[error("this rental is confirmed already")]
    AlreadyActive,
    /// The step wants an active rental, and this is a hold.
    #[error("this locker is only held, not rented")]
    OnlyHeld,
    /// It is over.
    #[error("this rental has ended")]
    Ended,
}

/// One rental.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rental {
    /// Its number.
    pub id: RentalId,
    /// Which locker.
    pub locker_id: LockerId,
    /// Whose right it is.
    pub member_id: MemberId,
    /// The term that granted it.
    pub term_id: TermId,
    /// From which day to which day.
    pub dates: DateSpan,
    /// Where it stands.
    pub state: RentalState,
}

impl Rental {
    /// Whether it keeps others from the locker at `now`.
    #[must_use]
    pub fn is_live(&self, now: Monotonic) -> bool {
        match self.state {
            RentalState::Held { until } => now < until,
            RentalState::Active => true,
            RentalState::Ended(_) => false,
        }
    }

    /// Whether it is a hold whose time is up at `now`.
    #[must_use]
    pub fn is_expired_hold(&self, now: Monotonic) -> bool {
        matches!(self.state, RentalState::Held { until } if until <= now)
    }

    /// Turns a live hold of `by` into an active rental.
    pub fn confirm(self, by: MemberId, now: Monotonic) -> Result<Self, RentalError> {
        match self.owned_by(by)?.state {
            RentalState::Held { until } if now < until => {
                Ok(Self { state: RentalState::Active, ..self })
            }
            RentalState::Held { .. } => Err(RentalError::HoldExpired),
            RentalState::Active => Err(RentalError::AlreadyActive),
            RentalState::Ended(_) => Err(RentalError::Ended),
        }
    }

    /// Gives a live hold of `by` up.
    pub fn release_hold(self, by: MemberId, now: Monotonic) -> Result<Self, RentalError> {
        match self.owned_by(by)?.state {
            RentalState::Held { until } if now < until => Ok(self.ended(EndReason::HoldReleased)),
            RentalState::Held { .. } => Err(RentalError::HoldExpired),
            RentalState::Active => Err(RentalError::AlreadyActive),
            RentalState::Ended(_) => Err(RentalError::Ended),
        }
    }

    /// Ends an active rental of `by`.
    pub fn release(self, by: MemberId) -> Result<Self, RentalError> {
        match self.owned_by(by)?.state {
            RentalState::Active => Ok(self.ended(EndReason::Returned)),
            RentalState::Held { .. } => Err(RentalError::OnlyHeld),
            RentalState::Ended(_) => Err(RentalError::Ended),
        }
    }

    /// Ends a hold whose time is up; leaves everything else as it is.
    #[must_use]
    pub fn expire(self, now: Monotonic) -> Self {
        if self.is_expired_hold(now) { self.ended(EndReason::HoldExpired) } else { self }
    }

    fn owned_by(&self, member: MemberId) -> Result<&Self, RentalError> {
        if self.member_id == member { Ok(self) } else { Err(RentalError::NotMine) }
    }

    const fn ended(self, reason: EndReason) -> Self {
        Self { state: RentalState::Ended(reason), ..self }
    }
}

#[cfg(test)]
mod tests;
