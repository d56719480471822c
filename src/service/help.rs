//! Calling staff: somebody at their locker, or at a kiosk, asks for help.
//!
//! A request is an alarm of its own kind, so that it stands where staff look: live until one of them takes
//! note, told by mail and by the live topic. A member asks about a locker of theirs, or about an opening
//! of theirs when the locker is not any more; then the bank is what it is about, and whoever has the
//! locker by now hears nothing of it. One that nobody answered takes in the next about the same thing:
//! staff are called once. When nobody comes for a while, they are called again, and admins with them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Services;
use super::alarms::tell::{Called, note, tell_staff};
use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::limits::{self, Limit};
use super::openings::opening_not_found;
use super::rentals::locker_not_found;
use super::tokens::Caller;
use crate::domain::alarm::{
    Alarm, AlarmKind, EVIDENCE_REQUESTS_MAX, Evidence, HelpReason, HelpRequest, Step, StepKind,
    Subject,
};
use crate::domain::id::{AlarmId, BankId, KioskId, LockerId, MemberId, OpeningId};
use crate::domain::kiosk::Kiosk;
use crate::domain::limit::{self, LimitKind, LimitRules};
use crate::domain::opening::Phase;
use crate::domain::rental::RentalState;
use crate::store::alarms::{self, NewAlarm};
use crate::store::audit::AuditEntry;
use crate::store::{Lane, Snapshot, Tx};

/// For how long after an opening its member may ask for help about it, when the locker is not theirs.
const OPENING_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// What a member asks for help with; the locker that they rent when nothing is named.
#[derive(Debug, Clone, Copy, Default)]
pub struct HelpWish {
    /// A locker of theirs.
    pub locker: Option<LockerId>,
    /// An opening of theirs.
    pub operation: Option<OpeningId>,
    /// Why.
    pub reason: Option<HelpReason>,
}

/// A request that staff were told of.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct HelpAsked {
    /// The alarm that it is.
    pub alarm_id: AlarmId,
    /// The locker that the alarm is about, if it is about one.
    pub locker_id: Option<LockerId>,
    /// The bank whose staff see it.
    pub bank_id: BankId,
    /// When it was asked, unix milliseconds.
    pub at_ms: i64,
    /// How often help was asked for since staff answered last; 1 or more.
    pub count: u32,
}

/// A request on its way into the database.
#[derive(Debug, Clone)]
struct Request {
    /// Who asks; `None` for somebody at a kiosk.
    member: Option<MemberId>,
    subject: Subject,
    bank: BankId,
    reason: Option<HelpReason>,
    locker: Option<LockerId>,
    operation: Option<OpeningId>,
    kiosk: Option<KioskId>,
    limit: Limit,
}

impl Services {
    /// A member calls staff.
    pub async fn ask_for_help(
        &self,
        caller: Caller,
        wish: HelpWish,
        key: Option<RequestKey>,
    ) -> Result<Answer<HelpAsked>, Error> {
        let (locker, is_theirs) = self.locker_of_wish(caller, wish).await?;
        let bank = self.store.snapshot().site.bank_of(locker);
        let bank = bank.ok_or_else(|| locker_not_found(locker))?;
        let member = caller.member_id;
        let request = Request {
            member: Some(member),
            subject: if is_theirs { Subject::Locker(locker) } else { Subject::Bank(bank) },
            bank,
            reason: wish.reason,
            locker: Some(locker),
            operation: wish.operation,
            kiosk: self.kiosks.kiosk_of(caller.session_id),
            limit: (LimitKind::Help, limit::Subject::member(member)),
        };
        let rules = self.settings.limits;
        let work = move |tx: &mut Tx<'_>| {
            let mut changed = Vec::new();
            let answer = once(tx, member, "help", key.as_ref(), |tx| {
                let asked = ask(tx, &rules, &request)?;
                changed.push(asked.alarm_id);
                Ok(asked)
            })?;
            Ok((answer, changed))
        };
        self.change_alarms(Lane::Change, work, |_, _| {}).await
    }

    /// Somebody at a kiosk calls staff: nobody knows who, and the kiosk's first bank is meant when
    /// none is named.
    pub async fn ask_for_help_at(
        &self,
        kiosk: &Kiosk,
        bank: Option<BankId>,
        reason: Option<HelpReason>,
    ) -> Result<HelpAsked, Error> {
        let bank = bank.or_else(|| kiosk.banks.first().copied());
        let bank = bank.filter(|bank| kiosk.serves(*bank)).ok_or_else(|| {
            Error::new(Code::BankNotFound, "this kiosk does not stand beside that bank")
        })?;
        let request = Request {
            member: None,
            subject: Subject::Bank(bank),
            bank,
            reason,
            locker: None,
            operation: None,
            kiosk: Some(kiosk.id),
            limit: (LimitKind::Help, limit::Subject::numbered("kiosk", kiosk.id.0)),
        };
        let rules = self.settings.limits;
        let work = move |tx: &mut Tx<'_>| {
            let asked = ask(tx, &rules, &request)?;
            Ok((asked, vec![asked.alarm_id]))
        };
        self.change_alarms(Lane::Change, work, |_, _| {}).await
    }

    /// Calls staff again to requests that nobody answered for the time after which a door left open
    /// is escalated; says how many.
    pub async fn call_staff_again(&self) -> Result<usize, Error> {
        let patience_ms = i64::try_from(self.settings.alarms.escalate_ms).unwrap_or(i64::MAX);
        let now_ms = self.clock.now().as_millisecond();
        let waits = |alarm: &Alarm| {
            alarm.kind.is_request()
                && alarm.cleared.is_none()
                && alarm.escalated_at.is_none()
                && now_ms.saturating_sub(alarm.raised_at.as_millisecond()) >= patience_ms
        };
        let published = self.alarms_snapshot();
        let due = published.alarms.values().filter(|alarm| waits(alarm));
        let due: Vec<AlarmId> = due.map(|alarm| alarm.id).collect();
        if due.is_empty() {
            return Ok(0);
        }
        let work = move |tx: &mut Tx<'_>| {
            let mut called = Vec::with_capacity(due.len());
            for id in &due {
                called.extend(call_again(tx, *id)?);
            }
            Ok((called.len(), called))
        };
        self.change_alarms(Lane::Housekeeping, work, |_, _| {}).await
    }

    /// The locker that a wish is about, and whether it is the member's now.
    async fn locker_of_wish(
        &self,
        caller: Caller,
        wish: HelpWish,
    ) -> Result<(LockerId, bool), Error> {
        let snapshot = self.store.snapshot();
        let Some(operation) = wish.operation else {
            let mine = self.my_rental(&snapshot, caller.member_id).map(|rental| rental.locker_id);
            let theirs = wish.locker.or(mine).filter(|id| has(&snapshot, caller.member_id, *id));
            return Ok((theirs.ok_or_else(nothing_of_theirs)?, true));
        };
        let opening = self.opening(caller, operation, Duration::ZERO).await?.opening;
        let asked_at = opening.at(Phase::Requested).unwrap_or_default();
        let age = self.clock.now().duration_since(asked_at);
        if opening.member_id != caller.member_id || age > OPENING_AGE_MAX {
            return Err(opening_not_found());
        }
        if wish.locker.is_some_and(|locker| locker != opening.locker_id) {
            let detail = "the opening is of another locker: send the one or the other";
            return Err(Error::new(Code::Invalid, detail));
        }
        Ok((opening.locker_id, has(&snapshot, caller.member_id, opening.locker_id)))
    }
}

/// Whether a member rents a locker, also one that they gave back and that is not empty yet.
fn has(snapshot: &Snapshot, member: MemberId, locker: LockerId) -> bool {
    snapshot.of_member(member).any(|rental| {
        rental.locker_id == locker
            && matches!(rental.state, RentalState::Active | RentalState::Returned(_))
    })
}

fn nothing_of_theirs() -> Error {
    let detail =
        "you rent no such locker: name an opening of yours, or ask at the kiosk or by phone";
    Error::new(Code::NotYourLocker, detail)
}

/// Stores a request: with the one that waits for an answer, or as a new one that staff are told of.
fn ask(tx: &mut Tx<'_>, rules: &LimitRules, request: &Request) -> Result<HelpAsked, Error> {
    limits::take(tx, rules, std::slice::from_ref(&request.limit))?;
    let live = alarms::find_live(tx.conn, AlarmKind::Help, &request.subject)?;
    let (id, count, step) = match live {
        Some(live) => {
            let (count, evidence) = (live.count.saturating_add(1), added(&live, request, tx.now));
            alarms::update_seen(tx.conn, live.id, tx.now_ms(), count, &evidence)?;
            (live.id, count, StepKind::Updated)
        }
        None => (insert(tx, request)?, 1, StepKind::Raised),
    };
    let words = request.reason.map(|reason| reason.name().to_owned());
    let step = Step { at: tx.now, kind: step, actor: request.member, note: words };
    alarms::insert_step(tx.conn, id, &step)?;
    let detail = json!({
        "about": request.subject.to_string(), "reason": request.reason, "kiosk_id": request.kiosk,
        "operation_id": request.operation,
    });
    tx.audit(&AuditEntry {
        actor: request.member,
        action: "alarm.ask_for_help",
        subject: &format!("alarm:{id}"),
        detail: &detail.to_string(),
    })?;
    if count == 1
        && let Some(alarm) = alarms::find(tx.conn, id)?
    {
        tell_staff(tx, &alarm, tx.now, Called::Once)?;
    }
    Ok(HelpAsked {
        alarm_id: id,
        locker_id: request.subject.locker(),
        bank_id: request.bank,
        at_ms: tx.now_ms(),
        count,
    })
}

fn insert(tx: &Tx<'_>, request: &Request) -> Result<AlarmId, Error> {
    let evidence = Evidence::AskedForHelp { requests: vec![request.at(tx.now)] };
    let new = NewAlarm {
        kind: AlarmKind::Help,
        subject: &request.subject,
        bank_id: Some(request.bank),
        at: tx.now,
        count: 1,
        evidence: &evidence,
    };
    Ok(alarms::insert(tx.conn, &new)?)
}

/// The evidence of a request that waits, with one more: the newest stay.
fn added(live: &Alarm, request: &Request, now: Timestamp) -> Evidence<Timestamp> {
    let mut requests = match &live.evidence {
        Evidence::AskedForHelp { requests } => requests.clone(),
        _ => Vec::new(),
    };
    requests.push(request.at(now));
    let excess = requests.len().saturating_sub(EVIDENCE_REQUESTS_MAX);
    requests.drain(..excess);
    Evidence::AskedForHelp { requests }
}

impl Request {
    const fn at(&self, at: Timestamp) -> HelpRequest<Timestamp> {
        HelpRequest {
            at,
            reason: self.reason,
            locker_id: self.locker,
            operation_id: self.operation,
            kiosk_id: self.kiosk,
        }
    }
}

/// Calls staff and admins to a request; nothing when somebody was faster.
fn call_again(tx: &mut Tx<'_>, id: AlarmId) -> Result<Option<AlarmId>, Error> {
    let alarm = alarms::find(tx.conn, id)?;
    let waiting = alarm.filter(|alarm| alarm.cleared.is_none() && alarm.escalated_at.is_none());
    let Some(alarm) = waiting else { return Ok(None) };
    alarms::update_escalated(tx.conn, id, tx.now_ms())?;
    let step = Step { at: tx.now, kind: StepKind::Escalated, actor: None, note: None };
    alarms::insert_step(tx.conn, id, &step)?;
    note(tx, None, &alarm, "alarm.escalate")?;
    tell_staff(tx, &alarm, tx.now, Called::Again)?;
    Ok(Some(id))
}
