//! Whom an alarm is told to, and the words for it: messages to the renter and to staff, each with a step
//! in the alarm's history, and rows of the audit chain.
//!
//! Everything happens inside the transaction that changes the alarm. Called by the door watch, which
//! sees faults, and by `service/help.rs`, where people ask for staff.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::banks_of;
use crate::domain::alarm::{Alarm, AlarmKind, Evidence, HelpReason, Step, StepKind};
use crate::domain::id::MemberId;
use crate::service::error::Error;
use crate::store::audit::AuditEntry;
use crate::store::{Snapshot, Tx, alarms, members, outbox};

/// How often staff were called to an alarm before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Called {
    /// Never: staff of the bank are told, admins where it has none.
    Once,
    /// They were, and nobody came: admins are told as well.
    Again,
}

/// Writes an alarm's change into the audit chain.
pub(in crate::service) fn note(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    alarm: &Alarm,
    action: &'static str,
) -> Result<(), Error> {
    let detail = json!({ "kind": alarm.kind, "about": alarm.subject.to_string() }).to_string();
    let subject = format!("alarm:{}", alarm.id);
    Ok(tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?)
}

/// Writes a message to whoever rents the locker on that day, if anybody does.
pub(in crate::service) fn tell_renter(
    tx: &Tx<'_>,
    alarm: &Alarm,
    at: Timestamp,
    today: Date,
) -> Result<(), Error> {
    let occupant = |locker| tx.snapshot().occupant(locker, today);
    let renter = alarm.subject.locker().and_then(occupant).map(|rental| rental.member_id);
    let Some(renter) = renter else { return Ok(()) };
    let payload = payload(tx.snapshot(), alarm, "renter").to_string();
    outbox::insert(tx.conn, message(alarm.kind), renter, &payload, tx.now_ms())?;
    step(tx, alarm, at, StepKind::RenterTold, None)
}

/// Writes messages to those who look after what the alarm is about; to the admins where nobody does.
pub(in crate::service) fn tell_staff(
    tx: &Tx<'_>,
    alarm: &Alarm,
    at: Timestamp,
    called: Called,
) -> Result<(), Error> {
    let mut people = BTreeSet::new();
    for bank in banks_of(tx.snapshot(), &alarm.subject) {
        let staff = members::list_staff_of(tx.conn, bank)?;
        people.extend(if staff.is_empty() { members::list_admins(tx.conn)? } else { staff });
    }
    if people.is_empty() || called == Called::Again {
        people.extend(members::list_admins(tx.conn)?);
    }
    let payload = payload(tx.snapshot(), alarm, "staff").to_string();
    for member in &people {
        outbox::insert(tx.conn, message(alarm.kind), *member, &payload, tx.now_ms())?;
    }
    if people.is_empty() {
        return Ok(());
    }
    step(tx, alarm, at, StepKind::StaffTold, Some(people.len().to_string()))
}

fn step(
    tx: &Tx<'_>,
    alarm: &Alarm,
    at: Timestamp,
    kind: StepKind,
    note: Option<String>,
) -> Result<(), Error> {
    Ok(alarms::insert_step(tx.conn, alarm.id, &Step { at, kind, actor: None, note })?)
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
        AlarmKind::Help => "alarm.help",
    }
}

/// What a text in any language needs.
fn payload(snapshot: &Snapshot, alarm: &Alarm, audience: &str) -> Value {
    let site = &snapshot.site;
    let bank = alarm.bank_id.and_then(|id| site.banks.get(&id));
    let location = bank.and_then(|bank| site.locations.get(&bank.location_id));
    let (bus, board) = alarm.subject.wire();
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
        "reason": reason(alarm),
        "evidence": alarm.evidence,
    })
}

/// Why help is wanted, as the newest request says.
fn reason(alarm: &Alarm) -> Option<&'static str> {
    match &alarm.evidence {
        Evidence::AskedForHelp { requests } => requests.last()?.reason.map(HelpReason::name),
        _ => None,
    }
}
