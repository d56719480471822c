//! Carrying decisions of the door watch out inside one transaction: the alarm's row, its history,
//! the audit chain, and what people are to be told.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::pending::{Due, DueWhat};
use crate::domain::alarm::{Alarm, AlarmKind, Severity, Step, StepKind, Subject};
use crate::domain::id::{AlarmId, LockerId, MemberId};
use crate::service::alarms::banks_of;
use crate::service::error::Error;
use crate::store::alarms::{self, NewAlarm};
use crate::store::audit::AuditEntry;
use crate::store::{Snapshot, Tx, members, outbox};

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
                note(tx, &live, "alarm.escalate")?;
                tell_staff(tx, &live, due)?;
                Some(live.id)
            }
            (DueWhat::Clear(reason), Some(live)) => {
                alarms::update_cleared(tx.conn, live.id, due.at.as_millisecond(), *reason)?;
                step(tx, live.id, due, StepKind::Cleared, Some(reason.name().to_owned()))?;
                note(tx, &live, "alarm.clear")?;
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
    note(tx, &alarm, "alarm.raise")?;
    if matches!(kind, AlarmKind::ForcedOpen | AlarmKind::LeftOpen) {
        tell_renter(tx, &alarm, due, today)?;
    }
    // A door left open is first of all the renter's affair.
    if kind.severity() > Severity::Info && kind != AlarmKind::LeftOpen {
        tell_staff(tx, &alarm, due)?;
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

fn note(tx: &mut Tx<'_>, alarm: &Alarm, action: &'static str) -> Result<(), Error> {
    let detail = json!({ "kind": alarm.kind, "about": alarm.subject.to_string() }).to_string();
    let subject = format!("alarm:{}", alarm.id);
    Ok(tx.audit(&AuditEntry { actor: None, action, subject: &subject, detail: &detail })?)
}

fn tell_renter(tx: &Tx<'_>, alarm: &Alarm, due: &Due, today: Date) -> Result<(), Error> {
    let renter = alarm.subject.locker().and_then(|id| renter(tx.snapshot(), id, today));
    let Some(renter) = renter else { return Ok(()) };
    let payload = payload(tx.snapshot(), alarm, "renter").to_string();
    outbox::insert(tx.conn, message(alarm.kind), renter, &payload, tx.now_ms())?;
    step(tx, alarm.id, due, StepKind::RenterTold, None)
}

fn renter(snapshot: &Snapshot, locker: LockerId, today: Date) -> Option<MemberId> {
    snapshot.occupant(locker, today).map(|rental| rental.member_id)
}

fn tell_staff(tx: &Tx<'_>, alarm: &Alarm, due: &Due) -> Result<(), Error> {
    let mut people = BTreeSet::new();
    for bank in banks_of(tx.snapshot(), &alarm.subject) {
        let staff = members::list_staff_of(tx.conn, bank)?;
        people.extend(if staff.is_empty() { members::list_admins(tx.conn)? } else { staff });
    }
    if people.is_empty() {
        people.extend(members::list_admins(tx.conn)?);
    }
    let payload = payload(tx.snapshot(), alarm, "staff").to_string();
    for member in &people {
        outbox::insert(tx.conn, message(alarm.kind), *member, &payload, tx.now_ms())?;
    }
    if people.is_empty() {
        return Ok(());
    }
    step(tx, alarm.id, due, StepKind::StaffTold, Some(people.len().to_string()))
}

/// The kind of message by which the sender finds its text; who it is for stands in the payload.
const fn message(kind: AlarmKind) -> &'static str {
    match kind {
        AlarmKind::ForcedOpen => "alarm.forced_open",
        AlarmKind::OpenedUnwatched => "alarm.opened_unwatched",
        AlarmKind::LeftOpen => "alarm.left_open",
        AlarmKind::Jammed => "alarm.jammed",
        AlarmKind::SensorFault => "alarm.sensor_fault",
        AlarmKind::BoardOffline => "alarm.board_offline",
        AlarmKind::BusOffline => "alarm.bus_offline",
    }
}

/// What a text in any language needs.
fn payload(snapshot: &Snapshot, alarm: &Alarm, audience: &str) -> Value {
    let site = &snapshot.site;
    let bank = alarm.bank_id.and_then(|id| site.banks.get(&id));
    let location = bank.and_then(|bank| site.locations.get(&bank.location_id));
    let (bus, board) = match &alarm.subject {
        Subject::Locker(_) => (None, None),
        Subject::Board(bus, address) => (Some(bus.as_str()), Some(*address)),
        Subject::Bus(bus) => (Some(bus.as_str()), None),
    };
    json!({
        "audience": audience,
        "alarm_id": alarm.id,
        "kind": alarm.kind,
        "severity": alarm.kind.severity(),
        "locker_id": alarm.subject.locker(),
        "bank": bank.map(|bank| &bank.name),
        "location": location.map(|location| &location.name),
        "bus": bus,
        "board": board,
        "raised_at": alarm.raised_at,
        "evidence": alarm.evidence,
    })
}
