//! Which reminders were sent: what makes sending them idempotent, whatever is repeated or restarted.
//!
//! A row is about one last day: an extended rental is reminded anew. Called by the job of
//! `service/reminders.rs`; forgotten by `retention.rs`.

use jiff::civil::Date;
use rusqlite::{Connection, params};

use super::error::StoreError;
use crate::domain::id::RentalId;
use crate::domain::reminder::{Reminder, ReminderKind};

/// Whether a reminder is still to be sent: none was, about this last day. Of one that is late only while
/// a case waits for the renter that was noticed before `day_began_ms`.
pub fn is_unsent(
    conn: &Connection,
    rental: RentalId,
    ends_on: Date,
    reminder: &Reminder,
    day_began_ms: i64,
) -> Result<bool, StoreError> {
    if reminder.kind == ReminderKind::Late {
        let sql = "SELECT 1 FROM overdue_case
                   WHERE rental_id = ?1 AND ended_on = ?2 AND state IN ('detected', 'sealed')
                     AND detected_ms < ?3";
        let mut statement = conn.prepare_cached(sql)?;
        if !statement.exists(params![rental.0, ends_on.to_string(), day_began_ms])? {
            return Ok(false);
        }
    }
    let sql = "SELECT 1 FROM reminder
               WHERE rental_id = ?1 AND ends_on = ?2 AND kind = ?3 AND sent_on >= ?4";
    let mut statement = conn.prepare_cached(sql)?;
    let (ends_on, since) = (ends_on.to_string(), reminder.since.to_string());
    Ok(!statement.exists(params![rental.0, ends_on, reminder.kind.name(), since])?)
}

/// Notes that a reminder was sent.
pub fn insert(
    conn: &Connection,
    rental: RentalId,
    ends_on: Date,
    kind: ReminderKind,
    sent_on: Date,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO reminder (rental_id, kind, sent_on, ends_on) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![rental.0, kind.name(), sent_on.to_string(), ends_on.to_string()])?;
    Ok(())
}
