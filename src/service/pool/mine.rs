//! What a member sees of their own reservations, and of the rentals that these became.
//!
//! Read from the published state without waiting. The word for how they stand is that of the most
//! pressing one: overdue before using before reserved, and idle when there is nothing.

use jiff::civil::Date;

use super::short::Line;
use crate::domain::bank::{Bank, Mode};
use crate::domain::id::{BankId, LockerId, RentalId};
use crate::domain::name::Name;
use crate::domain::pool::Reservation;
use crate::domain::rental::{Rental, RentalState};
use crate::domain::time::DateSpan;
use crate::service::Services;
use crate::service::rentals::Moment;
use crate::service::tokens::Caller;

/// How a member stands with banks in pool mode, the more pressing the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PoolStatus {
    /// Nothing.
    Idle,
    /// A reservation waits for its day or for its check-in.
    Reserved,
    /// A compartment is theirs.
    Using,
    /// A compartment was not given back in time.
    Overdue,
}

impl PoolStatus {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Reserved => "reserved",
            Self::Using => "using",
            Self::Overdue => "overdue",
        }
    }
}

/// A reservation of the caller, or the rental that it has become.
#[derive(Debug, Clone)]
pub struct MyReservation {
    /// Its number.
    pub id: RentalId,
    /// In which bank.
    pub bank_id: BankId,
    /// Its name.
    pub bank: Name,
    /// From which day to which day.
    pub dates: DateSpan,
    /// How it stands.
    pub status: PoolStatus,
    /// The compartment, once it is bound.
    pub locker_id: Option<LockerId>,
    /// Whether one at an accessible height was wished for; of one that waits.
    pub accessible: bool,
    /// The last day on which it may be checked in; of one that waits.
    pub check_in_until: Option<Date>,
    /// Whether it cannot be served on its first day, as known now; another bank may be offered.
    pub short: bool,
    /// A bank of the same location that has room for the same days; of one that cannot be served.
    pub offered_bank_id: Option<BankId>,
}

impl Services {
    /// How the caller stands with banks in pool mode, and their reservations and rentals there, by when
    /// they begin. What was given back is among their lockers.
    #[must_use]
    pub fn my_reservations(&self, caller: Caller) -> (PoolStatus, Vec<MyReservation>) {
        let (snapshot, moment) = (self.store.snapshot(), self.moment());
        let line = self.line(&snapshot);
        let waiting = snapshot.reservations_of(caller.member_id).filter_map(|it| {
            let bank = snapshot.site.banks.get(&it.bank_id)?;
            Some(waiting_view(&line, bank, it))
        });
        let rented = snapshot.of_member(caller.member_id).filter_map(|rental| {
            let (_, bank) = snapshot.site.locker(rental.locker_id)?;
            let in_use = bank.mode == Mode::Pool && rental.state == RentalState::Active;
            in_use.then(|| rented_view(bank, rental, moment))
        });
        let mut mine: Vec<MyReservation> = waiting.chain(rented).collect();
        mine.sort_by_key(|it| (it.dates.first(), it.id));
        let status = mine.iter().map(|it| it.status).max().unwrap_or(PoolStatus::Idle);
        (status, mine)
    }
}

fn waiting_view(line: &Line<'_>, bank: &Bank, it: &Reservation) -> MyReservation {
    let short = line.is_near(it) && line.is_short(bank, it);
    MyReservation {
        id: it.id,
        bank_id: bank.id,
        bank: bank.name.clone(),
        dates: it.dates,
        status: PoolStatus::Reserved,
        locker_id: None,
        accessible: it.accessible,
        check_in_until: Some(it.check_in_until(&bank.policy.pool)),
        short,
        offered_bank_id: if short { line.offers(bank, it).next() } else { None },
    }
}

fn rented_view(bank: &Bank, rental: &Rental, moment: Moment) -> MyReservation {
    // Nobody is late by a clock that may be wrong.
    let late = moment.trusted && rental.dates.last() < moment.today;
    MyReservation {
        id: rental.id,
        bank_id: bank.id,
        bank: bank.name.clone(),
        dates: rental.dates,
        status: if late { PoolStatus::Overdue } else { PoolStatus::Using },
        locker_id: Some(rental.locker_id),
        accessible: false,
        check_in_until: None,
        short: false,
        offered_bank_id: None,
    }
}
