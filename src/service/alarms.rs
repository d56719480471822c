//! Alarms for people: who may see which, taking note, "it was me", the mechanical key, maintenance.
//!
//! Alarms that people still have to see are published in memory with a version, after the commit
//! that made them; pages of the history come from the database. Every change of an alarm takes its
//! turn, so that what is published is in the order of the commits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::watch;

use super::door_watch::UNSEEN_MAX;
use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::rentals::locker_not_found;
use super::tokens::Caller;
use super::{Services, is_staff_for};
use crate::domain::alarm::{
    Acknowledgement, Alarm, AlarmChoice, AlarmKind, ClearReason, Severity, Step, StepKind, Subject,
};
use crate::domain::bank::Maintenance;
use crate::domain::id::{AlarmId, BankId, LockerId, MemberId, RentalId};
use crate::domain::member::Role;
use crate::domain::rental::RentalState;
use crate::store::alarms::{self, AlarmFilter};
use crate::store::audit::AuditEntry;
use crate::store::{Change, Lane, Snapshot, StoreError, Tx, banks, members};

pub(super) mod tell;

/// Longest note or reason, in characters.
pub const NOTE_CHARS_MAX: usize = 500;

/// Most alarms of one page.
pub const PAGE_MAX: u32 = 100;

/// Most alarms that a renter is shown.
const MINE_MAX: u32 = 20;

/// Alarms that people still have to see, at one moment.
#[derive(Debug, Default)]
pub struct AlarmsSnapshot {
    /// Counts up with each published change of this process.
    pub version: u64,
    /// Every live one and the newest that nobody acknowledged, by number. One that did not change
    /// since the version before is the same `Arc`.
    pub alarms: BTreeMap<AlarmId, Arc<Alarm>>,
}

/// Where they are published.
#[derive(Debug, Default)]
pub struct PublishedAlarms {
    /// Taken by whoever changes an alarm, until the change is published.
    turn: tokio::sync::Mutex<()>,
    current: ArcSwap<AlarmsSnapshot>,
    version: watch::Sender<u64>,
}

impl PublishedAlarms {
    /// Publishes alarms as they were committed.
    pub(super) fn publish(&self, changed: Vec<Alarm>) {
        if changed.is_empty() {
            return;
        }
        let before = self.current.load();
        let mut alarms = before.alarms.clone();
        for alarm in changed {
            if alarm.is_open() {
                alarms.insert(alarm.id, Arc::new(alarm));
            } else {
                alarms.remove(&alarm.id);
            }
        }
        forget_old(&mut alarms);
        let version = before.version + 1;
        self.current.store(Arc::new(AlarmsSnapshot { version, alarms }));
        self.version.send_replace(version);
    }
}

impl PublishedAlarms {
    /// Takes alarms off that were forgotten.
    pub(super) fn forget(&self, gone: &[AlarmId]) {
        let before = self.current.load();
        if !gone.iter().any(|id| before.alarms.contains_key(id)) {
            return;
        }
        let mut alarms = before.alarms.clone();
        alarms.retain(|id, _| !gone.contains(id));
        let version = before.version + 1;
        self.current.store(Arc::new(AlarmsSnapshot { version, alarms }));
        self.version.send_replace(version);
    }
}

/// Keeps every live alarm and the newest of the others.
fn forget_old(alarms: &mut BTreeMap<AlarmId, Arc<Alarm>>) {
    let unseen = |(_, alarm): &(&AlarmId, &Arc<Alarm>)| alarm.cleared.is_some();
    let kept = usize::try_from(UNSEEN_MAX).unwrap_or(usize::MAX);
    let excess = alarms.iter().filter(unseen).count().saturating_sub(kept);
    let old: Vec<AlarmId> = alarms.iter().filter(unseen).take(excess).map(|(id, _)| *id).collect();
    for id in old {
        alarms.remove(&id);
    }
}

/// Which alarms are asked for, newest first.
#[derive(Debug, Clone, Default)]
pub struct AlarmQuery {
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
    /// Raised at this time or later.
    pub since: Option<Timestamp>,
    /// Raised before this time.
    pub until: Option<Timestamp>,
    /// Older than this one: where the page before ended.
    pub before: Option<AlarmId>,
    /// Most alarms of the page, 1 to [`PAGE_MAX`].
    pub limit: u32,
}

/// A page of alarms.
#[derive(Debug, Clone)]
pub struct AlarmPage {
    /// Newest first.
    pub alarms: Vec<Alarm>,
    /// Where the next page begins; `None` when this was the last.
    pub next: Option<AlarmId>,
}

/// An alarm that was answered to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Answered {
    /// Which.
    pub alarm_id: AlarmId,
    /// When, unix milliseconds.
    pub at_ms: i64,
}

/// A noted use of the mechanical key.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct KeyUse {
    /// Whose door.
    pub locker_id: LockerId,
    /// Until when the door may be opened, in milliseconds from now on; a door that stands open is
    /// excused until it is closed.
    pub window_ms: u64,
}

/// A bank's maintenance as it is now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MaintenanceState {
    /// Which bank.
    pub bank_id: BankId,
    /// Set while it is in maintenance.
    pub maintenance: Option<Maintenance>,
}

impl Services {
    /// Alarms that people still have to see. Not all of them are for everybody: see
    /// [`Services::may_see_alarm`].
    #[must_use]
    pub fn alarms_snapshot(&self) -> Arc<AlarmsSnapshot> {
        self.alarms.current.load_full()
    }

    /// Tells when a newer state of the alarms was published.
    #[must_use]
    pub fn subscribe_alarms(&self) -> watch::Receiver<u64> {
        self.alarms.version.subscribe()
    }

    /// Whether the caller looks after what an alarm is about: staff see their banks' and those of
    /// boards and ports that a bank of theirs is wired to, admins see all.
    #[must_use]
    pub fn may_see_alarm(&self, caller: Caller, alarm: &Alarm) -> bool {
        let snapshot = self.store.snapshot();
        let mut banks = banks_of(&snapshot, &alarm.subject);
        banks.extend(alarm.bank_id);
        caller.role == Role::Admin
            || banks.into_iter().any(|bank| is_staff_for(&snapshot, caller, bank))
    }

    /// Runs a change of alarms to its end, even when the request that started it is gone, and
    /// publishes the alarms whose numbers the work gives. `then` runs after the commit.
    pub(super) async fn change_alarms<T, F, G>(
        &self,
        lane: Lane,
        mut work: F,
        then: G,
    ) -> Result<T, Error>
    where
        F: FnMut(&mut Tx<'_>) -> Result<(T, Vec<AlarmId>), Error> + Send + 'static,
        G: FnOnce(&Self, &T) + Send + 'static,
        T: Send + 'static,
    {
        let Some(own) = self.own.upgrade() else { return Err(StoreError::Closed.into()) };
        let task = self.tracker.spawn(async move {
            let _turn = own.alarms.turn.lock().await;
            let job = move |tx: &mut Tx<'_>| {
                let (value, ids) = work(tx)?;
                let mut changed = Vec::with_capacity(ids.len());
                for id in ids {
                    changed.extend(alarms::find(tx.conn, id)?);
                }
                Ok::<_, Error>((value, changed))
            };
            let (value, changed) = own.store.write(lane, job).await?;
            own.alarms.publish(changed);
            then(&own, &value);
            Ok(value)
        });
        task.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// A page of alarms that the caller looks after.
    pub async fn alarms(&self, caller: Caller, query: AlarmQuery) -> Result<AlarmPage, Error> {
        demand_staff(caller)?;
        let limit = query.limit.clamp(1, PAGE_MAX);
        let filter = AlarmFilter {
            staff: (caller.role != Role::Admin).then_some(caller.member_id),
            state: query.state,
            kind: query.kind,
            severity: query.severity,
            bank_id: query.bank_id,
            locker_id: query.locker_id,
            since_ms: query.since.map(Timestamp::as_millisecond),
            until_ms: query.until.map(Timestamp::as_millisecond),
            before: query.before,
            limit: limit + 1,
        };
        let mut found = self.store.read(move |conn| alarms::list(conn, &filter)).await?;
        let kept = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = found.len() > kept;
        found.truncate(kept);
        let next = found.last().filter(|_| more).map(|alarm| alarm.id);
        Ok(AlarmPage { alarms: found, next })
    }

    /// One alarm with what became of it.
    pub async fn alarm(&self, caller: Caller, id: AlarmId) -> Result<(Alarm, Vec<Step>), Error> {
        demand_staff(caller)?;
        let read = move |conn: &_| Ok((alarms::find(conn, id)?, alarms::list_steps(conn, id)?));
        let (alarm, steps) = self.store.read(read).await?;
        let alarm = alarm.filter(|alarm| self.may_see_alarm(caller, alarm));
        Ok((alarm.ok_or_else(|| alarm_not_found(id))?, steps))
    }

    /// Alarms at the locker that the caller rents, since they rent it; newest first.
    pub async fn my_alarms(&self, caller: Caller) -> Result<Vec<Alarm>, Error> {
        let Some(rental) = self.active_rental(caller.member_id) else { return Ok(Vec::new()) };
        let mine = move |conn: &_| alarms::list_of_rental(conn, rental, MINE_MAX);
        Ok(self.store.read(mine).await?)
    }

    /// Takes note of an alarm, with which a request for help is over. With `mended`, staff also
    /// declare the cause of a jam gone.
    pub async fn acknowledge_alarm(
        &self,
        caller: Caller,
        id: AlarmId,
        (note, mended): (String, bool),
        key: Option<RequestKey>,
    ) -> Result<Answer<Answered>, Error> {
        // For staff without this alarm there is none; the job decides about the rest.
        let (alarm, _) = self.alarm(caller, id).await?;
        demand_text("note", &note)?;
        if mended && alarm.kind != AlarmKind::Jammed {
            let detail = "only a jam can be declared mended: other alarms end with their cause";
            return Err(Error::new(Code::Invalid, detail));
        }
        let work = move |tx: &mut Tx<'_>| {
            let (mut changed, mut was_live) = (Vec::new(), false);
            let answer = once(tx, caller.member_id, "acknowledge", key.as_ref(), |tx| {
                let answer;
                (answer, was_live) = acknowledge(tx, caller.member_id, id, &note, mended)?;
                changed.push(id);
                Ok(answer)
            })?;
            Ok(((answer, was_live), changed))
        };
        let (kind, subject) = (alarm.kind, alarm.subject);
        let then = move |services: &Self, done: &(Answer<Answered>, bool)| {
            // An old alarm, or a repeat, says nothing of one that is live by now.
            if done.1 {
                services.watch.tell(&services.clock, |rules| {
                    rules.acknowledged(kind, &subject);
                    if mended {
                        rules.mended(kind, &subject);
                    }
                });
            }
        };
        let (answer, _) = self.change_alarms(Lane::Change, work, then).await?;
        Ok(answer)
    }

    /// The renter says that it was them. Staff see it; the alarm stays theirs to acknowledge.
    pub async fn claim_alarm(
        &self,
        caller: Caller,
        id: AlarmId,
        key: Option<RequestKey>,
    ) -> Result<Answer<Answered>, Error> {
        let rental = self.active_rental(caller.member_id).ok_or_else(|| alarm_not_found(id))?;
        let work = move |tx: &mut Tx<'_>| {
            let mut changed = Vec::new();
            let answer = once(tx, caller.member_id, "it-was-me", key.as_ref(), |tx| {
                let answer = claim(tx, caller.member_id, rental, id)?;
                changed.push(id);
                Ok(answer)
            })?;
            Ok((answer, changed))
        };
        self.change_alarms(Lane::Change, work, |_, _| {}).await
    }

    /// Notes that staff opened a door with the mechanical key, or are about to.
    pub async fn note_mechanical_key(
        &self,
        caller: Caller,
        locker: LockerId,
        note: String,
        key: Option<RequestKey>,
    ) -> Result<Answer<KeyUse>, Error> {
        let snapshot = self.store.snapshot();
        let (_, bank) = snapshot.site.locker(locker).ok_or_else(|| locker_not_found(locker))?;
        demand_staff_of(&snapshot, caller, bank.id)?;
        demand_text("note", &note)?;
        let window_ms = self.settings.alarms.open_window_ms;
        let work = move |tx: &mut Tx<'_>| {
            let answer = once(tx, caller.member_id, "mechanical-key", key.as_ref(), |tx| {
                let (subject, detail) = (format!("locker:{locker}"), json!({ "note": note }));
                tx.audit(&AuditEntry {
                    actor: Some(caller.member_id),
                    action: "locker.mechanical_key",
                    subject: &subject,
                    detail: &detail.to_string(),
                })?;
                Ok(KeyUse { locker_id: locker, window_ms })
            })?;
            Ok((answer, Vec::new()))
        };
        self.change_alarms(Lane::Change, work, move |services, answer: &Answer<KeyUse>| {
            // A repeat excuses nothing more.
            if !answer.replayed {
                let now = services.clock.monotonic();
                services.watch.tell(&services.clock, |rules| rules.mechanical_key(locker, now));
            }
        })
        .await
    }

    /// Puts a bank into maintenance with a reason, or ends it with `None`. Its doors raise no alarms
    /// meanwhile.
    pub async fn set_maintenance(
        &self,
        caller: Caller,
        bank: BankId,
        reason: Option<String>,
        key: Option<RequestKey>,
    ) -> Result<Answer<MaintenanceState>, Error> {
        let snapshot = self.store.snapshot();
        if !snapshot.site.banks.contains_key(&bank) {
            return Err(Error::new(Code::BankNotFound, format!("there is no bank {bank}")));
        }
        demand_staff_of(&snapshot, caller, bank)?;
        if let Some(reason) = &reason {
            demand_text("reason", reason)?;
            if reason.trim().is_empty() {
                let detail = "say why the bank goes into maintenance: others will ask";
                return Err(Error::new(Code::Invalid, detail));
            }
        }
        let work = move |tx: &mut Tx<'_>| {
            let answer = once(tx, caller.member_id, "maintenance", key.as_ref(), |tx| {
                maintain(tx, caller.member_id, bank, reason.as_deref())
            })?;
            Ok((answer, Vec::new()))
        };
        self.change_alarms(Lane::Change, work, |services, _| services.watch.due.notify_one()).await
    }

    /// The rental under which a member has a locker now.
    fn active_rental(&self, member: MemberId) -> Option<RentalId> {
        let mine = self.my_rental(&self.store.snapshot(), member)?;
        matches!(mine.state, RentalState::Active | RentalState::Returned(_)).then_some(mine.id)
    }
}

/// The banks that an alarm is about: the locker's, or every one wired to the board or port.
fn banks_of(snapshot: &Snapshot, subject: &Subject) -> BTreeSet<BankId> {
    let site = &snapshot.site;
    if let Subject::Bank(bank) = subject {
        return BTreeSet::from([*bank]);
    }
    let wired = site.by_channel.iter().filter(|(channel, _)| match subject {
        Subject::Locker(_) | Subject::Bank(_) => false,
        Subject::Board(bus, address) => channel.bus == *bus && channel.board == *address,
        Subject::Bus(bus) => channel.bus == *bus,
    });
    let lockers = wired.map(|(_, locker)| *locker).chain(subject.locker());
    lockers.filter_map(|id| site.lockers.get(&id)).map(|locker| locker.bank_id).collect()
}

/// Stores a person's word on an alarm; says whether the alarm was live.
fn acknowledge(
    tx: &mut Tx<'_>,
    by: MemberId,
    id: AlarmId,
    note: &str,
    mended: bool,
) -> Result<(Answered, bool), Error> {
    let alarm = alarms::find(tx.conn, id)?.ok_or_else(|| alarm_not_found(id))?;
    // A request was there for people to take note of: it is over with that.
    let ends = if alarm.kind.is_request() {
        Some(ClearReason::Answered)
    } else {
        mended.then_some(ClearReason::Staff)
    };
    let ends = ends.filter(|_| alarm.cleared.is_none());
    if let Some(earlier) = alarm.acknowledged.as_ref().filter(|_| ends.is_none()) {
        let detail = "somebody has acknowledged this alarm already";
        let known = members::find_names(tx.conn, &BTreeSet::from([earlier.by]))?;
        let whom = json!({ "member_id": earlier.by, "name": known.get(&earlier.by) });
        return Err(Error::new(Code::AlarmAcknowledged, detail)
            .with("acknowledged_at", earlier.at.to_string())
            .with("acknowledged_by", whom));
    }
    let (at, actor, words) = (tx.now, Some(by), Some(note.to_owned()));
    if alarm.acknowledged.is_none() {
        let word = Acknowledgement { at, by, note: note.to_owned() };
        alarms::update_acknowledged(tx.conn, id, &word)?;
        let step = Step { at, kind: StepKind::Acknowledged, actor, note: words };
        alarms::insert_step(tx.conn, id, &step)?;
    }
    if let Some(reason) = ends {
        alarms::update_cleared(tx.conn, id, tx.now_ms(), reason)?;
        let reason = Some(reason.name().to_owned());
        let step = Step { at, kind: StepKind::Cleared, actor, note: reason };
        alarms::insert_step(tx.conn, id, &step)?;
    }
    let detail = json!({ "note": note, "mended": mended });
    audit(tx, by, "alarm.acknowledge", id, &detail.to_string())?;
    Ok((Answered { alarm_id: id, at_ms: tx.now_ms() }, alarm.cleared.is_none()))
}

fn claim(tx: &mut Tx<'_>, by: MemberId, rental: RentalId, id: AlarmId) -> Result<Answered, Error> {
    let alarm = alarms::find_of_rental(tx.conn, rental, id)?.ok_or_else(|| alarm_not_found(id))?;
    if !alarm.kind.can_be_claimed() {
        let detail = "this alarm is about the lock itself: there is nothing to answer to";
        return Err(Error::new(Code::Invalid, detail));
    }
    if let Some((at, _)) = alarm.claimed {
        return Ok(Answered { alarm_id: id, at_ms: at.as_millisecond() });
    }
    alarms::update_claimed(tx.conn, id, tx.now_ms(), by)?;
    let step = Step { at: tx.now, kind: StepKind::Claimed, actor: Some(by), note: None };
    alarms::insert_step(tx.conn, id, &step)?;
    audit(tx, by, "alarm.it_was_me", id, "{}")?;
    Ok(Answered { alarm_id: id, at_ms: tx.now_ms() })
}

fn maintain(
    tx: &mut Tx<'_>,
    by: MemberId,
    bank: BankId,
    reason: Option<&str>,
) -> Result<MaintenanceState, Error> {
    let known = tx.snapshot().site.banks.get(&bank);
    let since = known.and_then(|bank| bank.maintenance.as_ref()).map_or(tx.now, |it| it.since);
    let maintenance = reason.map(|reason| Maintenance { since, by, reason: reason.to_owned() });
    banks::update_maintenance(tx.conn, bank, maintenance.as_ref())?;
    let (subject, detail) =
        (format!("bank:{bank}"), json!({ "on": reason.is_some(), "reason": reason }));
    tx.audit(&AuditEntry {
        actor: Some(by),
        action: "bank.maintenance",
        subject: &subject,
        detail: &detail.to_string(),
    })?;
    tx.apply(&Change::Site);
    Ok(MaintenanceState { bank_id: bank, maintenance })
}

fn audit(
    tx: &mut Tx<'_>,
    by: MemberId,
    action: &'static str,
    id: AlarmId,
    detail: &str,
) -> Result<(), StoreError> {
    tx.audit(&AuditEntry { actor: Some(by), action, subject: &format!("alarm:{id}"), detail })
}

fn demand_staff(caller: Caller) -> Result<(), Error> {
    match caller.role {
        Role::Staff | Role::Admin => Ok(()),
        Role::Student => Err(Error::new(Code::Forbidden, "alarms are for staff: see /me/alarms")),
    }
}

fn demand_staff_of(snapshot: &Snapshot, caller: Caller, bank: BankId) -> Result<(), Error> {
    if is_staff_for(snapshot, caller, bank) {
        Ok(())
    } else {
        Err(Error::new(Code::Forbidden, format!("you do not look after bank {bank}")))
    }
}

fn demand_text(what: &str, text: &str) -> Result<(), Error> {
    if text.chars().count() <= NOTE_CHARS_MAX {
        Ok(())
    } else {
        let detail = format!("the {what} may have at most {NOTE_CHARS_MAX} characters");
        Err(Error::new(Code::Invalid, detail))
    }
}

fn alarm_not_found(id: AlarmId) -> Error {
    Error::new(Code::AlarmNotFound, format!("there is no alarm {id} that you look after"))
}
