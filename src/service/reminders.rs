//! The daily job that reminds renters: before the end, on the last day, and daily while late.
//!
//! Which one is due is a rule (`domain/reminder.rs`); what was sent is in the table `reminder`, so that
//! a repeated run sends nothing twice and a missed one is made up for. Whoever rents the locker on has
//! nothing to empty. Whoever is late is reminded
//! while their case waits for them: not on the day on which they were told of it, and not any more
//! when staff have emptied the locker.

use jiff::civil::Date;
use serde_json::json;

use super::Services;
use super::error::Error;
use super::mails::place;
use crate::domain::id::RentalId;
use crate::domain::overdue_case::continued_by;
use crate::domain::reminder::{Reminder, ReminderKind, due};
use crate::domain::rental::{Rental, RentalState};
use crate::store::audit::AuditEntry;
use crate::store::{Snapshot, StoreError, Tx, outbox, overdue, reminders};

/// Rentals asked about in one question.
const ASKED_MAX: usize = 500;

impl Services {
    /// Sends each reminder that is due and was not sent; says how many. An error when it was cut off: the
    /// day is not over.
    pub async fn remind(&self) -> Result<usize, Error> {
        if let Some(degraded) = self.store.degraded() {
            return Err(StoreError::Degraded(degraded.trouble).into());
        }
        let (snapshot, today) = (self.store.snapshot(), self.clock.today());
        let began_ms = self.day_began_ms(today);
        let found: Vec<(RentalId, Date, Reminder)> = snapshot
            .rentals()
            .filter_map(|it| Some((it.id, it.dates.last(), due_of(&snapshot, it, today)?)))
            .collect();
        let mut unsent = Vec::new();
        for asked in found.chunks(ASKED_MAX) {
            let asked = asked.to_vec();
            let read = self.store.read(move |conn| {
                let mut unsent = Vec::new();
                for (id, ends_on, reminder) in &asked {
                    if reminders::is_unsent(conn, *id, *ends_on, reminder, began_ms)? {
                        unsent.push(*id);
                    }
                }
                Ok(unsent)
            });
            unsent.extend(read.await?);
        }
        self.in_slices(unsent, remind_one).await
    }

    /// The first instant of a day of the site, unix milliseconds.
    fn day_began_ms(&self, day: Date) -> i64 {
        let began = day.to_zoned(self.clock.zone().clone());
        began.map_or(i64::MIN, |began| began.timestamp().as_millisecond())
    }
}

/// The reminder that the renter is due by the rules, whether or not it was sent.
fn due_of(snapshot: &Snapshot, rental: &Rental, today: Date) -> Option<Reminder> {
    if rental.state != RentalState::Active {
        return None;
    }
    let (_, bank) = snapshot.site.locker(rental.locker_id)?;
    let goes_on = continued_by(rental, snapshot.of_locker(rental.locker_id)).is_some();
    due(&bank.policy.overdue, rental.dates, today).filter(|_| !goes_on)
}

fn remind_one(tx: &mut Tx<'_>, own: &Services, id: RentalId) -> Result<bool, Error> {
    let Some(rental) = tx.snapshot().rental(id).copied() else { return Ok(false) };
    let (today, ends_on) = (own.clock.today(), rental.dates.last());
    let Some(reminder) = due_of(tx.snapshot(), &rental, today) else { return Ok(false) };
    let began_ms = own.day_began_ms(today);
    if !reminders::is_unsent(tx.conn, id, ends_on, &reminder, began_ms)? {
        return Ok(false);
    }
    reminders::insert(tx.conn, id, ends_on, reminder.kind, today)?;
    let Some((_, bank)) = tx.snapshot().site.locker(rental.locker_id) else { return Ok(false) };
    let mut payload = place(tx.snapshot(), bank.id);
    payload["locker_id"] = json!(rental.locker_id);
    let kind = if reminder.kind == ReminderKind::Late {
        let late = own.lateness(tx.snapshot(), &rental, today);
        let will_be_sealed = overdue::is_sealed_by_itself(tx.conn, id, ends_on)?;
        payload["ended_on"] = ends_on.to_string().into();
        payload["late_days"] = reminder.days.into();
        payload["may_open"] = late.is_some_and(|late| late.may_open).into();
        payload["seal_on"] = json!(late.and_then(|late| late.seal_on).filter(|_| will_be_sealed));
        "overdue"
    } else {
        payload["ends_on"] = ends_on.to_string().into();
        payload["days_left"] = reminder.days.into();
        "reminder"
    };
    outbox::insert(tx.conn, kind, rental.member_id, &payload.to_string(), tx.now_ms())?;
    let detail = json!({ "kind": reminder.kind.name(), "days": reminder.days }).to_string();
    let (action, subject) = ("rental.remind", format!("rental:{id}"));
    tx.audit(&AuditEntry { actor: None, action, subject: &subject, detail: &detail })?;
    Ok(true)
}
