//! Reservations that cannot be served: fewer compartments are left than were promised.
//!
//! Something broke, or somebody has not left, after the reservations were made. Those who reserved last
//! are short first. They are told once, from the day before on, and offered another bank of the
//! location that has room for the same days. Called by `shortages.rs`, which tells and lists all
//! shortages, and by the check-in.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::check_in::note_unserved;
use super::{described, opens_on};
use crate::domain::bank::{Bank, Mode};
use crate::domain::id::{BankId, RentalId};
use crate::domain::pool::Reservation;
use crate::domain::pool::room::is_left_behind;
use crate::domain::rental::Rental;
use crate::domain::shortage::ShortageReason;
use crate::domain::time::DateSpan;
use crate::service::Services;
use crate::service::error::Error;
use crate::service::shortages::{EVE_HOUR, Shortage, TELL_SLICE};
use crate::store::audit::AuditEntry;
use crate::store::{Lane, Snapshot, Tx, outbox, rentals};

/// Those who wait for a compartment, and what there is for them, at one moment.
pub(in crate::service) struct Line<'a> {
    snapshot: &'a Snapshot,
    today: Date,
    zone: TimeZone,
    /// Whether it is so late that whoever is still there today is not expected to leave tonight.
    eve: bool,
}

impl Services {
    /// The line as it is now.
    pub(in crate::service) fn line<'a>(&self, snapshot: &'a Snapshot) -> Line<'a> {
        let now = self.clock.now().to_zoned(self.clock.zone().clone());
        Line::new(snapshot, now.date(), now.hour() >= EVE_HOUR, self.clock.zone())
    }

    /// Tells each member once whose reservation begins by tomorrow and cannot be served, except `told`.
    pub(in crate::service) async fn tell_short_reservations(
        &self,
        told: &BTreeSet<RentalId>,
    ) -> Result<usize, Error> {
        let short = self.line(&self.store.snapshot()).short();
        let due: Vec<RentalId> = short.into_iter().filter(|id| !told.contains(id)).collect();
        for slice in due.chunks(TELL_SLICE) {
            let (own, slice) = (self.own()?, slice.to_vec());
            self.store
                .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                    slice.iter().try_for_each(|id| tell(tx, &own, *id))
                })
                .await?;
        }
        Ok(due.len())
    }
}

impl<'a> Line<'a> {
    /// The line in a state. `eve`: see [`EVE_HOUR`].
    pub(in crate::service) fn new(
        snapshot: &'a Snapshot,
        today: Date,
        eve: bool,
        zone: &TimeZone,
    ) -> Self {
        Self { snapshot, today, zone: zone.clone(), eve }
    }

    /// Who waits for a compartment of a bank on a day, those who reserved first before the others. Who is
    /// too late for check-in, or may not come any more, waits no longer.
    pub(in crate::service) fn waiting(&self, bank: &Bank, on: Date) -> Vec<&'a Reservation> {
        let leavers = &self.snapshot.site.leavers;
        let mut waiting: Vec<&Reservation> = self
            .snapshot
            .reservations_until(bank.id, on)
            .filter(|it| it.dates.contains(on) && !leavers.contains(&it.member_id))
            .filter(|it| !it.is_no_show(&bank.policy.pool, self.today))
            .collect();
        waiting.sort_unstable_by_key(|it| it.id);
        waiting
    }

    /// Whose reservation cannot be served on a day.
    pub(in crate::service) fn short_on(&self, bank: &Bank, on: Date) -> Vec<&'a Reservation> {
        let waiting = self.waiting(bank, on);
        let free = self.free_on(bank, on);
        waiting.into_iter().skip(free).collect()
    }

    /// Whether a reservation cannot be served on its first day, or today when that is over.
    pub(in crate::service) fn is_short(&self, bank: &Bank, it: &Reservation) -> bool {
        let on = it.dates.first().max(self.today);
        self.short_on(bank, on).iter().any(|short| short.id == it.id)
    }

    /// Whether a reservation begins by tomorrow: before that nobody is told, much may change.
    pub(in crate::service) fn is_near(&self, it: &Reservation) -> bool {
        it.dates.first() <= self.today.saturating_add(1.day())
    }

    /// Every reservation that begins by tomorrow and cannot be served.
    pub(in crate::service) fn short(&self) -> BTreeSet<RentalId> {
        let days = [self.today, self.today.saturating_add(1.day())];
        let banks = self.snapshot.site.banks.values().filter(|bank| bank.mode == Mode::Pool);
        let short = banks.flat_map(|bank| days.map(|day| (self.short_on(bank, day), day)));
        let begins = |(short, day): (Vec<&'a Reservation>, Date)| {
            let near = move |it: &&Reservation| it.dates.first().max(self.today) == day;
            short.into_iter().filter(near).map(|it| it.id)
        };
        short.flat_map(begins).collect()
    }

    /// Reservations that begin on a day and cannot be served, for staff; who it is, and whether they were
    /// told, is not in the state.
    pub(in crate::service) fn shortages_on(
        &self,
        banks: impl Iterator<Item = &'a Bank>,
        on: Date,
    ) -> Vec<Shortage> {
        let row = |bank: &'a Bank, it: &Reservation| Shortage {
            id: it.id,
            locker_id: None,
            bank_id: bank.id,
            member_id: it.member_id,
            dates: it.dates,
            member: None,
            reason: ShortageReason::TooFew,
            occupied_until: None,
            told: false,
            alternatives: Vec::new(),
            alternative_banks: self.offers(bank, it).collect(),
        };
        let mut found = Vec::new();
        for bank in banks.filter(|bank| bank.mode == Mode::Pool) {
            let short = self.short_on(bank, on).into_iter();
            found.extend(short.filter(|it| it.dates.first() == on).map(|it| row(bank, it)));
        }
        found
    }

    /// The days of a reservation that are not over.
    pub(in crate::service) fn still(&self, it: &Reservation) -> DateSpan {
        DateSpan::new(it.dates.first().max(self.today), it.dates.last()).unwrap_or(it.dates)
    }

    /// Whether another bank can take a reservation over.
    pub(in crate::service) fn takes(&self, other: &Bank, it: &Reservation) -> bool {
        let days = self.still(it);
        opens_on(other, days.first(), &self.zone)
            && self.snapshot.room(other.id, days, self.today).full_days().is_empty()
            && (days.first() > self.today || self.free_on(other, self.today) > 0)
    }

    /// Banks of the same location that can take a reservation over.
    pub(in crate::service) fn offers(
        &self,
        bank: &Bank,
        it: &Reservation,
    ) -> impl Iterator<Item = BankId> {
        let others = self.snapshot.site.banks.values().filter(|other| {
            other.mode == Mode::Pool && other.id != bank.id && other.location_id == bank.location_id
        });
        others.filter(|other| self.takes(other, it)).map(|other| other.id)
    }

    /// How many compartments are free on a day for those who wait, as known now.
    fn free_on(&self, bank: &Bank, on: Date) -> usize {
        let stays = |rental: &Rental| {
            let today_last = self.eve && rental.dates.last() == self.today && on > self.today;
            rental.dates.contains(on)
                || is_left_behind(rental, self.today)
                || (today_last && rental.occupies(self.today))
        };
        let lockers = self.snapshot.site.lockers_of(bank.id);
        lockers
            .filter(|locker| locker.in_service && !self.snapshot.of_locker(locker.id).any(stays))
            .count()
    }
}

/// Tells one member; a shortage that is over by now is not told.
fn tell(tx: &mut Tx<'_>, own: &Services, id: RentalId) -> Result<(), Error> {
    let snapshot = tx.snapshot();
    let Some(it) = snapshot.reservation(id).copied() else { return Ok(()) };
    let Some(bank) = snapshot.site.banks.get(&it.bank_id) else { return Ok(()) };
    let line = own.line(snapshot);
    if !line.is_short(bank, &it) {
        return Ok(());
    }
    let offered = line.offers(bank, &it).next();
    let named = offered.and_then(|id| snapshot.site.banks.get(&id)).map(|bank| &bank.name);
    let mut payload = described(snapshot, bank, it.dates);
    payload["offered"] = json!(named);
    let (kind, member) = ("reservation_shortage", it.member_id);
    outbox::insert(tx.conn, kind, member, &payload.to_string(), tx.now_ms())?;
    rentals::update_shortage_told(tx.conn, id, Some(tx.now_ms()))?;
    note_unserved(tx, id)?;
    let detail = json!({ "bank_id": it.bank_id, "offered_bank_id": offered }).to_string();
    let (subject, action) = (format!("rental:{id}"), "rental.shortage_told");
    Ok(tx.audit(&AuditEntry { actor: None, action, subject: &subject, detail: &detail })?)
}
