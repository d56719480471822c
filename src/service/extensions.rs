//! More time: a longer rental, and a hold that gets its time again, once.
//!
//! Whether a rental may be longer is `domain/extension.rs`; here it is told what stands around the
//! rental, and carried out. The database has the last word on claims of others, whose dead holds
//! are ended first.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Services;
use super::clock::clock_untrusted;
use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::rentals::{self as claims, Held, Moment, not_your_locker, refuse};
use super::tokens::Caller;
use super::waiting::{days_waited_for, option_off};
use crate::domain::bank::{Bank, Mode};
use crate::domain::extension::{Around, Extension, ExtensionError};
use crate::domain::id::{LockerId, MemberId};
use crate::domain::rental::{Rental, RentalState};
use crate::domain::time::DateSpan;
use crate::store::audit::AuditEntry;
use crate::store::{Change, Constraint, Lane, Snapshot, StoreError, Tx, outbox, rentals};

/// A rental that was extended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Extended {
    /// Which locker.
    pub locker_id: LockerId,
    /// For which days by now.
    pub dates: DateSpan,
    /// How often it can be extended after that.
    pub left: u16,
}

/// Whether a rental can be extended now.
#[derive(Debug, Clone, Copy)]
pub struct Extendable {
    /// The last day that an extension would give; `None`: it cannot be extended any more.
    pub until: Option<Date>,
    /// From which day on, when it is too early.
    pub from: Option<Date>,
    /// How often it can be extended yet.
    pub left: u16,
    /// Why not now; `None`: it can.
    pub refusal: Option<Code>,
}

impl Services {
    /// Gives the caller's rental of a locker more days.
    pub async fn extend(
        &self,
        caller: Caller,
        locker: LockerId,
        key: Option<RequestKey>,
    ) -> Result<Answer<Extended>, Error> {
        self.known_locker(locker)?;
        self.demand_at_its_kiosk(caller, locker)?;
        let own = self.own()?;
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "extend", key.as_ref(), |tx| {
                    extend_job(tx, &own, caller.member_id, locker)
                })
            })
            .await
    }

    /// Gives the caller's hold of a locker its time again, once.
    pub async fn extend_hold(
        &self,
        caller: Caller,
        locker: LockerId,
        key: Option<RequestKey>,
    ) -> Result<Answer<Held>, Error> {
        self.known_locker(locker)?;
        self.demand_at_its_kiosk(caller, locker)?;
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "extend-hold", key.as_ref(), |tx| {
                    extend_hold_job(tx, caller.member_id, locker)
                })
            })
            .await
    }

    /// Whether a rental can be extended now, as its renter sees it; `None` for what is no rental, or where
    /// the bank extends none.
    pub(super) fn extendable(&self, snapshot: &Snapshot, rental: &Rental) -> Option<Extendable> {
        let (_, bank) = snapshot.site.locker(rental.locker_id)?;
        let options = &bank.policy.options;
        if options.extensions_max == 0 || rental.state != RentalState::Active {
            return None;
        }
        let moment = self.moment();
        let planned = Extension::of(rental, options, moment.today);
        let allowed = extension(snapshot, rental, moment);
        let from = match planned {
            Err(ExtensionError::Early { from }) => Some(from),
            _ => None,
        };
        // What it would be on its first possible day.
        let planned = planned.or_else(|_| Extension::of(rental, options, rental.dates.last()));
        Some(Extendable {
            until: planned.ok().map(|it| it.dates.last()),
            from,
            left: options.extensions_max.saturating_sub(rental.extensions),
            refusal: allowed.err().map(|error| error.code),
        })
    }
}

/// The extension that a rental may have now, in its renter's name.
fn extension(snapshot: &Snapshot, rental: &Rental, moment: Moment) -> Result<Extension, Error> {
    claims::demand_staying(snapshot, rental.member_id)?;
    let place = snapshot.site.locker(rental.locker_id);
    let (locker, bank) = place.ok_or_else(|| not_your_locker(rental.locker_id))?;
    if bank.policy.options.extensions_max > 0 && !moment.trusted {
        return Err(clock_untrusted());
    }
    let explain = |error| explain(error, rental);
    let asked = Extension::of(rental, &bank.policy.options, moment.today).map_err(explain)?;
    if !locker.in_service {
        return Err(claims::out_of_service());
    }
    asked.demand_room(&around(snapshot, rental, bank, &asked, moment)).map_err(explain)?;
    Ok(asked)
}

fn around(
    snapshot: &Snapshot,
    rental: &Rental,
    bank: &Bank,
    asked: &Extension,
    moment: Moment,
) -> Around {
    let now = moment.monotonic;
    let other = |it: &&Rental| it.id != rental.id;
    let live = snapshot.of_locker(rental.locker_id).filter(other).filter(|it| it.is_live(now));
    let mine = snapshot.of_member(rental.member_id).filter(other).filter(|it| it.binds_member(now));
    let reserved = snapshot.reservations_of(rental.member_id).map(|it| it.dates);
    Around {
        waited_for: days_waited_for(snapshot, bank.id).collect(),
        claimed: live.map(|it| it.dates).collect(),
        own: mine.map(|it| it.dates).chain(reserved).collect(),
        full_on: full_day(snapshot, bank, asked.added, moment),
    }
}

/// The first of these days on which a bank in pool mode has promised all it has. In choose mode each
/// locker is promised by itself.
fn full_day(snapshot: &Snapshot, bank: &Bank, added: DateSpan, moment: Moment) -> Option<Date> {
    match bank.mode {
        Mode::Choose => None,
        Mode::Pool => snapshot.room(bank.id, added, moment.today).full_days().first().copied(),
    }
}

fn explain(error: ExtensionError, rental: &Rental) -> Error {
    let locker = rental.locker_id;
    match error {
        ExtensionError::Off => option_off("extensions_max", "this bank extends no rentals"),
        ExtensionError::NotActive => not_your_locker(locker),
        ExtensionError::Over => last_day_over(),
        ExtensionError::Used => Error::new(
            Code::ExtensionsUsed,
            "this rental was extended as often as the bank allows: return it by its last day",
        ),
        ExtensionError::Early { from } => {
            Error::new(Code::ExtensionEarly, format!("this rental can be extended from {from} on"))
                .with("from", from.to_string())
        }
        ExtensionError::OthersWait => Error::new(
            Code::OthersWait,
            "others wait for a locker of this bank: return yours by its last day",
        ),
        ExtensionError::LockerClaimed => Error::new(
            Code::LockerTaken,
            "somebody has this locker after you: return it by its last day",
        ),
        ExtensionError::HasAnother => {
            Error::new(Code::AlreadyRenting, "you have another locker for some of these days")
        }
        ExtensionError::Full(day) => {
            let detail = format!("the bank is full on {day}: return the locker by its last day");
            Error::new(Code::DayFull, detail).with("full_days", vec![day.to_string()])
        }
    }
}

pub(super) fn last_day_over() -> Error {
    let detail = "the last day of this rental is over: empty the locker and return it";
    Error::new(Code::LastDayOver, detail)
}

/// The caller's rental of a locker: the one that ends first.
pub(super) fn mine_of(
    snapshot: &Snapshot,
    member: MemberId,
    locker: LockerId,
) -> Result<Rental, Error> {
    let mine = || snapshot.of_member(member).filter(|it| it.locker_id == locker);
    let active = mine().filter(|it| it.state == RentalState::Active);
    let held = |it: &Rental| matches!(it.state, RentalState::Held { .. });
    active.min_by_key(|it| it.dates.last()).copied().ok_or_else(|| {
        if mine().any(held) {
            refuse(crate::domain::rental::RentalError::OnlyHeld, locker)
        } else {
            not_your_locker(locker)
        }
    })
}

fn extend_job(
    tx: &mut Tx<'_>,
    own: &Services,
    member: MemberId,
    locker: LockerId,
) -> Result<Extended, Error> {
    let moment = Moment { monotonic: tx.monotonic, ..own.moment() };
    let mine = mine_of(tx.snapshot(), member, locker)?;
    let asked = extension(tx.snapshot(), &mine, moment)?;
    claims::end_dead_holds(tx, locker, member)?;
    let longer = asked.carried_out(mine);
    let stored = rentals::update_extended(tx.conn, &longer).map_err(|error| match &error {
        StoreError::Conflict(Constraint::RentalLocker) => {
            explain(ExtensionError::LockerClaimed, &mine)
        }
        StoreError::Conflict(Constraint::RentalMember) => {
            explain(ExtensionError::HasAnother, &mine)
        }
        _ => error.into(),
    })?;
    if !stored {
        return Err(not_your_locker(locker));
    }
    let ends_on = longer.dates.last().to_string();
    let detail = json!({ "locker_id": locker, "ends_on": ends_on, "from": mine.dates.last() });
    let (subject, detail) = (format!("rental:{}", mine.id), detail.to_string());
    let action = "rental.extend";
    tx.audit(&AuditEntry { actor: Some(member), action, subject: &subject, detail: &detail })?;
    let payload = json!({ "locker_id": locker, "ends_on": ends_on, "left": asked.left });
    outbox::insert(tx.conn, "rental_extended", member, &payload.to_string(), tx.now_ms())?;
    tx.apply(&Change::Rental(longer));
    Ok(Extended { locker_id: locker, dates: longer.dates, left: asked.left })
}

fn extend_hold_job(tx: &mut Tx<'_>, member: MemberId, locker: LockerId) -> Result<Held, Error> {
    let site = &tx.snapshot().site;
    let (_, bank) = site.locker(locker).ok_or_else(|| not_your_locker(locker))?;
    if !bank.policy.options.hold_extension {
        return Err(option_off("hold_extension", "this bank extends no holds"));
    }
    let (now, time) = (tx.monotonic, bank.policy.hold());
    let mine = claims::own(tx, member, locker, |state| matches!(state, RentalState::Held { .. }))
        .or_else(|| claims::own(tx, member, locker, |_| true))
        .ok_or_else(claims::hold_expired)?;
    let longer = mine.extend_hold(member, now, time).map_err(|error| refuse(error, locker))?;
    if !rentals::update_hold_extended(tx.conn, mine.id)? {
        return Err(claims::hold_expired());
    }
    claims::audit(tx, Some(member), "rental.extend_hold", locker, mine.id)?;
    tx.apply(&Change::Rental(longer));
    let RentalState::Held { until } = longer.state else { return Err(claims::hold_expired()) };
    Ok(Held { locker_id: locker, expires_in_ms: now.ms_until(until) })
}
