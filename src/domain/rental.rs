//! One member's right to one locker between two dates: held, active, given back, over.
//!
//! ```text
//!          confirm (hold alive)             release
//!   held ───────────────────────► active ──────────────► returned
//!    │ release-hold → HoldReleased  │ never in use → Returned  │ surely empty, or staff say so
//!    │ time is up   → HoldExpired   │ staff → EndedByStaff     │ (see returning) → Returned
//!    │                              │ moved → Replaced         │
//!    ▼                              ▼                          ▼
//!   ended ◄─────────────────────────┴──────────────────────────┘
//! ```
//! A hold whose deadline has passed is dead for whoever meets it, whether or not anything has
//! written that down yet. A returned rental keeps others from the locker until it was emptied, but
//! not its member from another one.

use std::time::Duration;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::id::{LockerId, MemberId, RentalId, TermId};
use super::returning::Return;
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
    /// Another locker, or the next rental of the same one, took its place.
    Replaced,
    /// Its reservation was given up before it began.
    Cancelled,
    /// Nobody came to check its reservation in.
    NoShow,
    /// Staff emptied the locker of somebody who was late.
    Collected,
}

impl EndReason {
    /// Every reason; the database's CHECK lists the same names.
    pub const ALL: [Self; 8] = [
        Self::HoldExpired,
        Self::HoldReleased,
        Self::Returned,
        Self::EndedByStaff,
        Self::Replaced,
        Self::Cancelled,
        Self::NoShow,
        Self::Collected,
    ];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HoldExpired => "hold_expired",
            Self::HoldReleased => "hold_released",
            Self::Returned => "returned",
            Self::EndedByStaff => "ended_by_staff",
            Self::Replaced => "replaced",
            Self::Cancelled => "cancelled",
            Self::NoShow => "no_show",
            Self::Collected => "collected",
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
    /// Given back; others wait until the locker is surely empty.
    Returned(Return),
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
            Self::Returned(_) => "returned",
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
    /// The hold was extended already.
    #[error("this hold was extended already")]
    HoldExtended,
    /// The step wants an active rental, and this is a hold.
    #[error("this locker is only held, not rented")]
    OnlyHeld,
    /// The step wants a returned rental.
    #[error("this rental was not returned")]
    NotReturned,
    /// It is over, or given back.
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
    /// The term that granted it; `None` in pool mode and where staff gave other dates.
    pub term_id: Option<TermId>,
    /// From which day to which day.
    pub dates: DateSpan,
    /// Whether the door was opened in it, or may have been: then something may be inside.
    pub opened: bool,
    /// How often it was extended.
    pub extensions: u16,
    /// Whether its hold was extended; only once.
    pub hold_extended: bool,
    /// Whether its overdue case was sealed: where the policy says so its renter opens no more.
    pub sealed: bool,
    /// Where it stands.
    pub state: RentalState,
}

impl Rental {
    /// Whether it keeps others from the locker at `now`.
    #[must_use]
    pub fn is_live(&self, now: Monotonic) -> bool {
        match self.state {
            RentalState::Held { until } => now < until,
            RentalState::Active | RentalState::Returned(_) => true,
            RentalState::Ended(_) => false,
        }
    }

    /// Whether it keeps its member from another locker at `now`: a returned one does not.
    #[must_use]
    pub fn binds_member(&self, now: Monotonic) -> bool {
        self.is_live(now) && !self.is_returned()
    }

    /// Whether it was given back and the locker is not free yet.
    #[must_use]
    pub const fn is_returned(&self) -> bool {
        matches!(self.state, RentalState::Returned(_))
    }

    /// Whether the locker is in use under it on `today`, also past its last day: it has begun, and
    /// nobody has seen the locker empty since.
    #[must_use]
    pub fn occupies(&self, today: Date) -> bool {
        let confirmed = matches!(self.state, RentalState::Active | RentalState::Returned(_));
        confirmed && self.dates.first() <= today
    }

    /// Whether it keeps a claim for `dates` from the locker: it is live on one of these days, or it
    /// occupies the locker on the very day on which the claim begins to count.
    #[must_use]
    pub fn is_in_the_way(&self, dates: DateSpan, now: Monotonic, today: Date) -> bool {
        let occupied = dates.first() <= today && self.occupies(today);
        self.is_live(now) && (self.dates.overlaps(dates) || occupied)
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
            RentalState::Returned(_) | RentalState::Ended(_) => Err(RentalError::Ended),
        }
    }

    /// Gives a live hold of `by` its full time again, once. One that has more left, an offer to somebody
    /// who waited, keeps that.
    pub fn extend_hold(
        self,
        by: MemberId,
        now: Monotonic,
        hold: Duration,
    ) -> Result<Self, RentalError> {
        match self.owned_by(by)?.state {
            RentalState::Held { until } if until <= now => Err(RentalError::HoldExpired),
            RentalState::Held { .. } if self.hold_extended => Err(RentalError::HoldExtended),
            RentalState::Held { until } => {
                let state = RentalState::Held { until: until.max(now.after(hold)) };
                Ok(Self { state, hold_extended: true, ..self })
            }
            RentalState::Active => Err(RentalError::AlreadyActive),
            RentalState::Returned(_) | RentalState::Ended(_) => Err(RentalError::Ended),
        }
    }

    /// Gives a live hold of `by` up.
    pub fn release_hold(self, by: MemberId, now: Monotonic) -> Result<Self, RentalError> {
        match self.owned_by(by)?.state {
            RentalState::Held { until } if now < until => Ok(self.ended(EndReason::HoldReleased)),
            RentalState::Held { .. } => Err(RentalError::HoldExpired),
            RentalState::Active => Err(RentalError::AlreadyActive),
            RentalState::Returned(_) | RentalState::Ended(_) => Err(RentalError::Ended),
        }
    }

    /// Gives an active rental of `by` back. One that is returned already stays as it is. `moved`:
    /// see [`Return::moved`].
    pub fn release(
        self,
        by: MemberId,
        now: Monotonic,
        moved: Option<Monotonic>,
    ) -> Result<Self, RentalError> {
        match self.owned_by(by)?.state {
            RentalState::Active => {
                Ok(Self { state: RentalState::Returned(Return::new(now, moved)), ..self })
            }
            RentalState::Returned(_) => Ok(self),
            RentalState::Held { .. } => Err(RentalError::OnlyHeld),
            RentalState::Ended(_) => Err(RentalError::Ended),
        }
    }

    /// Ends an active rental of `by` under which the locker was never in use.
    pub fn give_up(self, by: MemberId) -> Result<Self, RentalError> {
        match self.owned_by(by)?.state {
            RentalState::Active => Ok(self.ended(EndReason::Returned)),
            RentalState::Held { .. } => Err(RentalError::OnlyHeld),
            RentalState::Returned(_) | RentalState::Ended(_) => Err(RentalError::Ended),
        }
    }

    /// Ends a returned rental: its locker is free.
    pub const fn freed(self) -> Result<Self, RentalError> {
        match self.state {
            RentalState::Returned(_) => Ok(self.ended(EndReason::Returned)),
            _ => Err(RentalError::NotReturned),
        }
    }

    /// Makes room for another locker in place of this one of `by`. What was opened is returned, so
    /// that its things can still be taken out; what was not is over.
    pub fn replaced(self, by: MemberId, now: Monotonic) -> Result<Self, RentalError> {
        match self.owned_by(by)?.state {
            RentalState::Active if self.opened => self.release(by, now, Some(now)),
            RentalState::Active => Ok(self.ended(EndReason::Replaced)),
            RentalState::Held { .. } => Err(RentalError::OnlyHeld),
            RentalState::Returned(_) | RentalState::Ended(_) => Err(RentalError::Ended),
        }
    }

    /// Ends a rental whose locker staff have emptied.
    pub const fn collected(self) -> Result<Self, RentalError> {
        match self.state {
            RentalState::Active | RentalState::Returned(_) => Ok(self.ended(EndReason::Collected)),
            RentalState::Held { .. } => Err(RentalError::OnlyHeld),
            RentalState::Ended(_) => Err(RentalError::Ended),
        }
    }

    /// Ends a rental that is over where `next`, of the same member and locker, goes on without a day
    /// between; gives both. What is inside stays inside.
    pub fn continued_by(self, next: Self) -> Result<(Self, Self), RentalError> {
        match (self.state, self.owned_by(next.member_id)?.state) {
            (RentalState::Active, RentalState::Active) => {
                let opened = self.opened || next.opened;
                Ok((self.ended(EndReason::Replaced), Self { opened, ..next }))
            }
            (RentalState::Held { .. }, _) => Err(RentalError::OnlyHeld),
            _ => Err(RentalError::Ended),
        }
    }

    /// Whether it is past its last day on `today`, or was returned only then.
    #[must_use]
    pub fn is_late(&self, today: Date) -> bool {
        match self.state {
            RentalState::Active => self.dates.last() < today,
            RentalState::Returned(it) => it.late,
            RentalState::Held { .. } | RentalState::Ended(_) => false,
        }
    }

    /// Takes it away by the word of staff. What may have things inside (`in_use`) is returned, so that
    /// they can still be taken out; everything else is over. One that is returned already stays as it
    /// is. `moved`: see [`Return::moved`].
    pub fn taken_away(
        self,
        in_use: bool,
        now: Monotonic,
        moved: Option<Monotonic>,
    ) -> Result<Self, RentalError> {
        match self.state {
            RentalState::Held { until } if until <= now => Err(RentalError::HoldExpired),
            RentalState::Active if in_use => {
                Ok(Self { state: RentalState::Returned(Return::new(now, moved)), ..self })
            }
            RentalState::Held { .. } | RentalState::Active => {
                Ok(self.ended(EndReason::EndedByStaff))
            }
            RentalState::Returned(_) => Ok(self),
            RentalState::Ended(_) => Err(RentalError::Ended),
        }
    }

    /// Gives an active rental another last day; its right is whole again, also after it was sealed.
    /// `None` when it would end before it begins.
    pub fn lasting_until(self, last: Date) -> Result<Option<Self>, RentalError> {
        match self.state {
            RentalState::Active => Ok(DateSpan::new(self.dates.first(), last).map(|dates| Self {
                dates,
                sealed: false,
                ..self
            })),
            RentalState::Held { .. } => Err(RentalError::OnlyHeld),
            RentalState::Returned(_) | RentalState::Ended(_) => Err(RentalError::Ended),
        }
    }

    /// Ends a hold whose time is up; leaves everything else as it is.
    #[must_use]
    pub fn expire(self, now: Monotonic) -> Self {
        if self.is_expired_hold(now) { self.ended(EndReason::HoldExpired) } else { self }
    }

    /// Ends a hold that was an offer, which is taken back or given up with the wait; leaves everything
    /// else as it is.
    #[must_use]
    pub const fn let_go(self, reason: EndReason) -> Self {
        match self.state {
            RentalState::Held { .. } => self.ended(reason),
            _ => self,
        }
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
