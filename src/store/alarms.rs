//! Alarms and what became of them.
//!
//! The schema allows one live alarm of a kind and subject; who raises one looks for it first, in
//! the same transaction. Rows are never deleted here. Called by the jobs of `service/alarms.rs`.

use rusqlite::{Connection, Row, params};

use super::error::StoreError;
use super::state::{collect, instant};
use crate::domain::alarm::{
    Acknowledgement, Alarm, AlarmChoice, AlarmKind, ClearReason, Evidence, Severity, Step,
    StepKind, Subject,
};
use crate::domain::channel::BusName;
use crate::domain::id::{AlarmId, BankId, LockerId, MemberId, RentalId};

/// Most steps of one alarm that are read: the newest.
pub const STEPS_MAX: usize = 200;

const COLUMNS: &str = "SELECT id, kind, subject, bank_id, raised_ms, last_seen_ms, count,
    escalated_ms, cleared_ms, clear_reason, acknowledged_ms, acknowledged_by, acknowledge_note,
    claimed_ms, claimed_by, evidence FROM alarm";

/// An alarm before it has a number.
#[derive(Debug, Clone)]
pub struct NewAlarm<'a> {
    /// What is wrong.
    pub kind: AlarmKind,
    /// With what.
    pub subject: &'a Subject,
    /// The locker's bank.
    pub bank_id: Option<BankId>,
    /// Since when.
    pub at: jiff::Timestamp,
    /// How often its cause was seen.
    pub count: u32,
    /// What was seen.
    pub evidence: &'a Evidence<jiff::Timestamp>,
}

/// Which alarms are listed, newest first; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct AlarmFilter {
    /// Only those that this member of staff looks after: of their banks, and of boards and ports
    /// to which such a bank is wired.
    pub staff: Option<MemberId>,
    /// Where they stand.
    pub state: Option<AlarmChoice>,
    /// Of one kind.
    pub kind: Option<AlarmKind>,
    /// So urgent.
    pub severity: Option<Severity>,
    /// Of one bank, with the boards and ports that it is wired to.
    pub bank_id: Option<BankId>,
    /// Of one locker.
    pub locker_id: Option<LockerId>,
    /// Raised at this wall time (unix milliseconds) or later.
    pub since_ms: Option<i64>,
    /// Raised before this wall time.
    pub until_ms: Option<i64>,
    /// Older than this one: where the page before ended.
    pub before: Option<AlarmId>,
    /// Most rows.
    pub limit: u32,
}

/// Stores a new live alarm.
pub fn insert(conn: &Connection, new: &NewAlarm<'_>) -> Result<AlarmId, StoreError> {
    let (bus, board) = new.subject.wire();
    conn.prepare_cached(
        "INSERT INTO alarm (kind, severity, subject, locker_id, bank_id, bus, board, raised_ms,
                            last_seen_ms, count, evidence)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10)",
    )?
    .execute(params![
        new.kind.name(),
        new.kind.severity().name(),
        new.subject.to_string(),
        new.subject.locker().map(|id| id.0),
        new.bank_id.map(|id| id.0),
        bus.map(BusName::as_str),
        board,
        new.at.as_millisecond(),
        new.count,
        json(new.evidence)?
    ])?;
    Ok(AlarmId(conn.last_insert_rowid()))
}

/// Notes that the cause goes on: how often it was seen by now, and what was seen.
pub fn update_seen(
    conn: &Connection,
    id: AlarmId,
    at_ms: i64,
    count: u32,
    evidence: &Evidence<jiff::Timestamp>,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE alarm SET last_seen_ms = max(last_seen_ms, ?2), count = max(count, ?3),
                          evidence = ?4
         WHERE id = ?1",
    )?
    .execute(params![id.0, at_ms, count, json(evidence)?])?;
    Ok(())
}

/// Notes that staff have to act; the first time stands.
pub fn update_escalated(conn: &Connection, id: AlarmId, at_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE alarm SET escalated_ms = coalesce(escalated_ms, ?2),
                          last_seen_ms = max(last_seen_ms, ?2)
         WHERE id = ?1",
    )?
    .execute([id.0, at_ms])?;
    Ok(())
}

/// Ends a live alarm.
pub fn update_cleared(
    conn: &Connection,
    id: AlarmId,
    at_ms: i64,
    reason: ClearReason,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE alarm SET cleared_ms = ?2, clear_reason = ?3 WHERE id = ?1 AND cleared_ms IS NULL",
    )?
    .execute(params![id.0, at_ms, reason.name()])?;
    Ok(())
}

/// Notes who took note; the first one stands.
pub fn update_acknowledged(
    conn: &Connection,
    id: AlarmId,
    word: &Acknowledgement,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE alarm SET acknowledged_ms = ?2, acknowledged_by = ?3, acknowledge_note = ?4
         WHERE id = ?1 AND acknowledged_ms IS NULL",
    )?
    .execute(params![id.0, word.at.as_millisecond(), word.by.0, word.note])?;
    Ok(())
}

/// Notes that the renter said it was them; the first time stands.
pub fn update_claimed(
    conn: &Connection,
    id: AlarmId,
    at_ms: i64,
    by: MemberId,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE alarm SET claimed_ms = ?2, claimed_by = ?3 WHERE id = ?1 AND claimed_ms IS NULL",
    )?
    .execute([id.0, at_ms, by.0])?;
    Ok(())
}

/// Adds a step to an alarm's history.
pub fn insert_step(conn: &Connection, id: AlarmId, step: &Step) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO alarm_step (alarm_id, at_ms, step, actor_id, note)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        id.0,
        step.at.as_millisecond(),
        step.kind.name(),
        step.actor.map(|id| id.0),
        step.note
    ])?;
    Ok(())
}

/// The live alarm of a kind about one thing.
pub fn find_live(
    conn: &Connection,
    kind: AlarmKind,
    subject: &Subject,
) -> Result<Option<Alarm>, StoreError> {
    let sql = format!("{COLUMNS} WHERE kind = ?1 AND subject = ?2 AND cleared_ms IS NULL");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![kind.name(), subject.to_string()])?;
    rows.next()?.map(read).transpose()
}

/// Finds an alarm.
pub fn find(conn: &Connection, id: AlarmId) -> Result<Option<Alarm>, StoreError> {
    let sql = format!("{COLUMNS} WHERE id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(read).transpose()
}

/// The newest [`STEPS_MAX`] steps of an alarm, oldest first.
pub fn list_steps(conn: &Connection, id: AlarmId) -> Result<Vec<Step>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT at_ms, step, actor_id, note FROM alarm_step WHERE alarm_id = ?1
         ORDER BY id DESC LIMIT ?2",
    )?;
    let limit = i64::try_from(STEPS_MAX).unwrap_or(i64::MAX);
    let mut steps = collect(statement.query([id.0, limit])?, |row| {
        let kind: String = row.get(1)?;
        Ok(Step {
            at: instant(row.get(0)?),
            kind: StepKind::from_name(&kind).ok_or(StoreError::Inconsistent {
                table: "alarm_step",
                column: "step",
                value: kind,
            })?,
            actor: row.get::<_, Option<i64>>(2)?.map(MemberId),
            note: row.get(3)?,
        })
    })?;
    steps.reverse();
    Ok(steps)
}

/// One page of alarms, newest first.
pub fn list(conn: &Connection, filter: &AlarmFilter) -> Result<Vec<Alarm>, StoreError> {
    let state = match filter.state {
        None => "",
        Some(AlarmChoice::Live) => " AND cleared_ms IS NULL AND acknowledged_ms IS NULL",
        Some(AlarmChoice::Acknowledged) => " AND acknowledged_ms IS NOT NULL",
        Some(AlarmChoice::Cleared) => " AND cleared_ms IS NOT NULL AND acknowledged_ms IS NULL",
        Some(AlarmChoice::Unseen) => " AND acknowledged_ms IS NULL",
        Some(AlarmChoice::Standing) => " AND cleared_ms IS NULL AND acknowledged_ms IS NOT NULL",
        Some(AlarmChoice::Over) => " AND cleared_ms IS NOT NULL AND acknowledged_ms IS NOT NULL",
    };
    let sql = format!(
        "{COLUMNS}
         WHERE (?1 IS NULL OR kind = ?1)
           AND (?2 IS NULL OR locker_id = ?2)
           AND (?3 IS NULL OR raised_ms >= ?3)
           AND (?4 IS NULL OR raised_ms < ?4)
           AND (?5 IS NULL OR id < ?5)
           AND (?6 IS NULL OR bank_id = ?6 OR EXISTS (
                 SELECT 1 FROM locker WHERE locker.bank_id = ?6 AND locker.bus = alarm.bus
                   AND (alarm.board IS NULL OR locker.board = alarm.board)))
           AND (?7 IS NULL OR EXISTS (
                 SELECT 1 FROM bank_staff WHERE member_id = ?7 AND bank_staff.bank_id = alarm.bank_id)
               OR EXISTS (
                 SELECT 1 FROM locker JOIN bank_staff USING (bank_id)
                 WHERE member_id = ?7 AND locker.bus = alarm.bus
                   AND (alarm.board IS NULL OR locker.board = alarm.board)))
           AND (?9 IS NULL OR severity = ?9)
           {state}
         ORDER BY id DESC LIMIT ?8"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query(params![
        filter.kind.map(AlarmKind::name),
        filter.locker_id.map(|id| id.0),
        filter.since_ms,
        filter.until_ms,
        filter.before.map(|id| id.0),
        filter.bank_id.map(|id| id.0),
        filter.staff.map(|id| id.0),
        filter.limit,
        filter.severity.map(Severity::name)
    ])?;
    collect(rows, read)
}

/// Alarms that people still have to see: every live one, and the newest of those that nobody
/// acknowledged, at most `limit` of these; newest first.
pub fn list_open(conn: &Connection, limit: u32) -> Result<Vec<Alarm>, StoreError> {
    let sql = format!(
        "{COLUMNS} WHERE cleared_ms IS NULL OR id IN (
           SELECT id FROM alarm WHERE cleared_ms IS NOT NULL AND acknowledged_ms IS NULL
           ORDER BY id DESC LIMIT ?1)
         ORDER BY id DESC"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query([limit])?, read)
}

/// One alarm of a rental's locker, raised since the rental was confirmed.
pub fn find_of_rental(
    conn: &Connection,
    rental: RentalId,
    id: AlarmId,
) -> Result<Option<Alarm>, StoreError> {
    let sql = format!(
        "{COLUMNS} WHERE id = ?2 AND EXISTS (
           SELECT 1 FROM rental WHERE rental.id = ?1 AND rental.locker_id = alarm.locker_id
             AND rental.confirmed_ms <= alarm.raised_ms)"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([rental.0, id.0])?;
    rows.next()?.map(read).transpose()
}

/// The alarms of a rental's locker since the rental was confirmed, newest first.
pub fn list_of_rental(
    conn: &Connection,
    rental: RentalId,
    limit: u32,
) -> Result<Vec<Alarm>, StoreError> {
    let sql = format!(
        "{COLUMNS} WHERE EXISTS (
           SELECT 1 FROM rental WHERE rental.id = ?1 AND rental.locker_id = alarm.locker_id
             AND rental.confirmed_ms <= alarm.raised_ms)
         ORDER BY id DESC LIMIT ?2"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query(params![rental.0, limit])?, read)
}

fn json(evidence: &Evidence<jiff::Timestamp>) -> Result<String, StoreError> {
    serde_json::to_string(evidence).map_err(|error| inconsistent("evidence", error.to_string()))
}

const fn inconsistent(column: &'static str, value: String) -> StoreError {
    StoreError::Inconsistent { table: "alarm", column, value }
}

fn read(row: &Row<'_>) -> Result<Alarm, StoreError> {
    let (kind, subject, evidence): (String, String, String) =
        (row.get(1)?, row.get(2)?, row.get(15)?);
    let at = |index| Ok::<_, StoreError>(row.get::<_, Option<i64>>(index)?.map(instant));
    let reason = |name: String| {
        ClearReason::from_name(&name).ok_or_else(|| inconsistent("clear_reason", name))
    };
    let member = |index| Ok::<_, StoreError>(MemberId(row.get(index)?));
    let cleared = match at(8)? {
        Some(cleared_at) => Some((cleared_at, reason(row.get(9)?)?)),
        None => None,
    };
    let acknowledged = match at(10)? {
        Some(at) => Some(Acknowledgement { at, by: member(11)?, note: row.get(12)? }),
        None => None,
    };
    let claimed = match at(13)? {
        Some(at) => Some((at, member(14)?)),
        None => None,
    };
    Ok(Alarm {
        id: AlarmId(row.get(0)?),
        kind: AlarmKind::from_name(&kind).ok_or_else(|| inconsistent("kind", kind))?,
        subject: subject.parse().map_err(|_| inconsistent("subject", subject))?,
        bank_id: row.get::<_, Option<i64>>(3)?.map(BankId),
        raised_at: instant(row.get(4)?),
        last_seen_at: instant(row.get(5)?),
        count: row.get(6)?,
        escalated_at: at(7)?,
        cleared,
        acknowledged,
        claimed,
        evidence: serde_json::from_str(&evidence)
            .map_err(|_| inconsistent("evidence", evidence))?,
    })
}

#[cfg(test)]
mod tests;
