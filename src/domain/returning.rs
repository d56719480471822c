//! When a returned locker is free for the next one.
//!
//! Its door must have been seen closed after the rental's last opening; if it was opened at all,
//! the bank's grace must have passed since, in which only the former renter may open it again,
//! which starts all this anew. Without sensors the renter's word stands for the closed door where
//! the bank takes it. The word of staff is good always, except while an opening is under way.
//!
//! What was seen is kept in the [`Return`]; all its times count on the monotonic clock, so that no
//! jump of the wall clock gives a full locker away.

use std::time::Duration;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::bank::Mistake;
use super::channel::DoorState;
use super::rental::{Rental, RentalState};
use super::time::Monotonic;

/// Longest grace, in minutes: a day.
pub const GRACE_MINUTES_MAX: u32 = 1_440;

/// Whose word counts where no sensor shows the door.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// The renter's.
    #[default]
    Renter,
    /// That of staff alone.
    Staff,
}

impl Unseen {
    /// Every value; the database's CHECK lists the same names.
    pub const ALL: [Self; 2] = [Self::Renter, Self::Staff];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Renter => "renter",
            Self::Staff => "staff",
        }
    }

    /// Finds a value by its stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// How a bank takes its lockers back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReturnPolicy {
    /// How long the former renter may open the locker again, in minutes; 0 to 1440.
    pub grace_minutes: u32,
    /// Whose word counts where no sensor shows the door.
    pub unseen: Unseen,
    /// Whether a renter may have the door opened one last time, and its closing is the return.
    pub by_door: bool,
}

impl Default for ReturnPolicy {
    fn default() -> Self {
        Self { grace_minutes: 10, unseen: Unseen::Renter, by_door: false }
    }
}

impl ReturnPolicy {
    /// Notes every setting that cannot be.
    pub fn check(&self, note: &mut dyn FnMut(Mistake)) {
        if self.grace_minutes > GRACE_MINUTES_MAX {
            let minutes = self.grace_minutes;
            let text =
                format!("returns.grace_minutes is {minutes}; it must be 0 to {GRACE_MINUTES_MAX}");
            note(Mistake::of(&["returns.grace_minutes"], text));
        }
    }

    /// How long the former renter may open the locker again.
    #[must_use]
    pub fn grace(&self) -> Duration {
        Duration::from_mins(u64::from(self.grace_minutes))
    }
}

/// What is known of a locker that was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Return {
    /// Since when.
    pub since: Monotonic,
    /// When its lock last moved, or may have, as far as a look at the door may have been before
    /// it: only what is seen after this counts. `None`: any look counts.
    pub moved: Option<Monotonic>,
    /// From when on the door is known to be closed after the last opening.
    pub closed: Option<Monotonic>,
    /// When the renter said that it is empty, after the last opening.
    pub emptied: Option<Monotonic>,
    /// Whether the last day was over by then: whoever was late may open again only where the bank lets
    /// those who are late open.
    pub late: bool,
    /// Whether staff took the rental away, and nobody was seen to open the locker since: its things are
    /// still inside.
    pub untouched: bool,
}

impl Return {
    /// Given back at `since`.
    #[must_use]
    pub const fn new(since: Monotonic, moved: Option<Monotonic>) -> Self {
        Self { since, moved, closed: None, emptied: None, late: false, untouched: false }
    }
}

/// What can be seen of a locker's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorSight {
    /// Open, closed or unknown.
    pub state: DoorState,
    /// When it was last read.
    pub read_at: Option<Monotonic>,
}

/// What can be seen of a locker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Whether an opening of it has no outcome yet.
    pub under_way: bool,
    /// Its door; `None` without a sensor that can be believed.
    pub door: Option<DoorSight>,
}

/// Whether a returned locker is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Now.
    Free,
    /// From then on, if nobody opens it before.
    FreeAt(Monotonic),
    /// When its door was seen closed.
    WaitsForDoor,
    /// When its renter says that it is empty.
    WaitsForConfirmation,
    /// When staff say so.
    WaitsForStaff,
}

/// What a returned locker waits for, as clients know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// The door must be seen closed, after the opening that is under way.
    Door,
    /// The former renter may open it again for a while.
    Grace,
    /// The renter must say that it is empty.
    Confirmation,
    /// Staff must say that it is empty.
    Staff,
}

impl WaitsFor {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Door => "door",
            Self::Grace => "grace",
            Self::Confirmation => "confirmation",
            Self::Staff => "staff",
        }
    }
}

impl Verdict {
    /// What it waits for; `None` when it is free.
    #[must_use]
    pub const fn waits_for(self) -> Option<WaitsFor> {
        match self {
            Self::Free => None,
            Self::FreeAt(_) => Some(WaitsFor::Grace),
            Self::WaitsForDoor => Some(WaitsFor::Door),
            Self::WaitsForConfirmation => Some(WaitsFor::Confirmation),
            Self::WaitsForStaff => Some(WaitsFor::Staff),
        }
    }
}

/// A rental with what a look at its locker tells of it. Anything but a returned one stays as it is.
#[must_use]
pub fn looked(rental: Rental, sight: &Sight, now: Monotonic) -> Rental {
    let (RentalState::Returned(mut it), Some(door)) = (rental.state, sight.door) else {
        return rental;
    };
    let mut opened = rental.opened;
    match door.state {
        // Whoever opened it: something may be inside, and it is not closed any more.
        DoorState::Open => (opened, it.closed, it.untouched) = (true, None, false),
        DoorState::Closed if !sight.under_way && it.closed.is_none() => {
            let is_later = |moved| door.read_at.is_some_and(|read_at| read_at > moved);
            it.closed = it.moved.is_none_or(is_later).then_some(now);
        }
        DoorState::Closed | DoorState::Unknown => {}
    }
    Rental { opened, state: RentalState::Returned(it), ..rental }
}

/// A rental whose lock moves, or has moved: what was known of its door is void.
#[must_use]
pub fn moved(rental: Rental, now: Monotonic) -> Rental {
    let state = match rental.state {
        RentalState::Returned(it) => {
            RentalState::Returned(Return { moved: Some(now), closed: None, emptied: None, ..it })
        }
        other => other,
    };
    Rental { opened: true, state, ..rental }
}

/// A rental whose door was opened, as far as can be seen: what was inside may have been taken out.
#[must_use]
pub fn touched(rental: Rental) -> Rental {
    let RentalState::Returned(it) = rental.state else { return rental };
    Rental { state: RentalState::Returned(Return { untouched: false, ..it }), ..rental }
}

/// A returned rental that staff took away: what is inside is still to be taken out.
#[must_use]
pub fn left_inside(rental: Rental) -> Rental {
    let RentalState::Returned(it) = rental.state else { return rental };
    Rental { state: RentalState::Returned(Return { untouched: true, ..it }), ..rental }
}

/// A returned rental whose renter says that the locker is empty.
#[must_use]
pub fn emptied(rental: Rental, now: Monotonic) -> Rental {
    let RentalState::Returned(it) = rental.state else { return rental };
    let emptied = Some(it.emptied.unwrap_or(now));
    Rental { state: RentalState::Returned(Return { emptied, ..it }), ..rental }
}

/// A rental that is returned on `today`, perhaps past its last day; any other stays as it is.
#[must_use]
pub fn returned_on(rental: Rental, today: Date) -> Rental {
    let RentalState::Returned(it) = rental.state else { return rental };
    let late = rental.dates.last() < today;
    Rental { state: RentalState::Returned(Return { late, ..it }), ..rental }
}

/// Whether the locker of a returned rental is free, after [`looked`]; `None` for any other rental.
/// `staff`: somebody of the staff says that it is empty.
#[must_use]
pub fn verdict(
    rental: &Rental,
    sight: &Sight,
    policy: ReturnPolicy,
    staff: bool,
    now: Monotonic,
) -> Option<Verdict> {
    let RentalState::Returned(it) = rental.state else { return None };
    if sight.under_way {
        return Some(Verdict::WaitsForDoor);
    }
    if staff {
        return Some(Verdict::Free);
    }
    if it.untouched && sight.door.is_some() {
        return Some(Verdict::WaitsForStaff);
    }
    let empty_since = match (sight.door, it.closed, policy.unseen, it.emptied) {
        (Some(_), Some(closed), _, _) => closed,
        (Some(_), None, _, _) => return Some(Verdict::WaitsForDoor),
        (None, _, Unseen::Staff, _) => return Some(Verdict::WaitsForStaff),
        (None, _, Unseen::Renter, None) => return Some(Verdict::WaitsForConfirmation),
        (None, _, Unseen::Renter, Some(emptied)) => emptied,
    };
    let free_at = empty_since.max(it.since).after(policy.grace());
    let must_wait = rental.opened && now < free_at;
    Some(if must_wait { Verdict::FreeAt(free_at) } else { Verdict::Free })
}

#[cfg(test)]
mod tests;
