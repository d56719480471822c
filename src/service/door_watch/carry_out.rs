//! Carrying decisions of the door watch out inside one transaction: the alarm's row, its history,
//! the audit chain, and what people are to be told (`service/alarms/tell.rs`).

use jiff::civil::Date;

use super::pending::{Due, DueWhat};
use crate::domain::alarm::{AlarmKind, Severity, Step, StepKind};
use crate::domain::id::AlarmId;
use crate::service::alarms::tell::{Called, note, tell_renter, tell_staff};
use crate::service::error::Error;
use crate::store::Tx;
use crate::store::alarms::{self, NewAlarm};

/// Carries decisions out; gives the alarms that changed. One that was carried out before, or whose
/// alarm is gone, changes nothing.
pub(super) fn carry_out(
    tx: &mut Tx<'_>,
    decisions: &[Due],
    today: Date,
) -> Result<Vec<AlarmId>, Error> {
    let mut changed = Vec::with_capacity(decisions.len());
    for due in decisions {
        let live = alarms::find_live(tx.conn, due.kind, &due.subject)?;
        let id = match (&due.what, live) {
            (DueWhat::Raise { .. }, None) => raise(tx, due, today)?,
            (
                DueWhat::Raise { evidence, count } | DueWhat::Update { evidence, count },
                Some(live),
            ) => {
                alarms::update_seen(tx.conn, live.id, due.at.as_millisecond(), *count, evidence)?;
                // A sensor chatters for days: its row says how often, not a step for each time.
                if due.kind == AlarmKind::Jammed {
                    step(tx, live.id, due, StepKind::Updated, Some(count.to_string()))?;
                }
                Some(live.id)
            }
            (DueWhat::Escalate, Some(live)) => {
                alarms::update_escalated(tx.conn, live.id, due.at.as_millisecond())?;
                step(tx, live.id, due, StepKind::Escalated, None)?;
                note(tx, None, &live, "alarm.escalate")?;
                tell_staff(tx, &live, due.at, Called::Once)?;
                Some(live.id)
            }
            (DueWhat::Clear(reason), Some(live)) => {
                alarms::update_cleared(tx.conn, live.id, due.at.as_millisecond(), *reason)?;
                step(tx, live.id, due, StepKind::Cleared, Some(reason.name().to_owned()))?;
                note(tx, None, &live, "alarm.clear")?;
                Some(live.id)
            }
            (_, None) => None,
        };
        changed.extend(id);
    }
    Ok(changed)
}

/// Stores a new alarm and tells whom it concerns; nothing for a locker that is gone.
fn raise(tx: &mut Tx<'_>, due: &Due, today: Date) -> Result<Option<AlarmId>, Error> {
    let DueWhat::Raise { evidence, count } = &due.what else { return Ok(None) };
    let bank_id = match due.subject.locker() {
        Some(locker) => match tx.snapshot().site.locker(locker) {
            Some((_, bank)) => Some(bank.id),
            None => return Ok(None),
        },
        None => None,
    };
    let (kind, subject) = (due.kind, &due.subject);
    let new = NewAlarm { kind, subject, bank_id, at: due.at, count: *count, evidence };
    let id = alarms::insert(tx.conn, &new)?;
    let Some(alarm) = alarms::find(tx.conn, id)? else { return Ok(None) };
    step(tx, id, due, StepKind::Raised, None)?;
    note(tx, None, &alarm, "alarm.raise")?;
    if matches!(kind, AlarmKind::ForcedOpen | AlarmKind::LeftOpen) {
        tell_renter(tx, &alarm, due.at, today)?;
    }
    // A door left open is first of all the renter's affair.
    if kind.severity() > Severity::Info && kind != AlarmKind::LeftOpen {
        tell_staff(tx, &alarm, due.at, Called::Once)?;
    }
    Ok(Some(id))
}

fn step(
    tx: &Tx<'_>,
    id: AlarmId,
    due: &Due,
    kind: StepKind,
    note: Option<String>,
) -> Result<(), Error> {
    Ok(alarms::insert_step(tx.conn, id, &Step { at: due.at, kind, actor: None, note })?)
}
