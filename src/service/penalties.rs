//! Penalties: whoever returned a locker late claims none for some days.
//!
//! A penalty is made where an overdue case learns how late its locker was emptied (`overdue.rs`), and
//! taken back by staff with a reason. Claims ask `demand_no_penalty`, first of the snapshot and
//! again inside their job; what was held before may still be confirmed.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::commissioning::demand_staff;
use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::tokens::Caller;
use super::{Services, is_staff_for};
use crate::domain::id::{BankId, MemberId, OverdueCaseId, PenaltyId};
use crate::domain::mass_opening::parse_reason;
use crate::domain::member::Role;
use crate::store::audit::AuditEntry;
use crate::store::overdue::CaseRow;
use crate::store::penalties::{self, NewPenalty};
pub use crate::store::penalties::{PenaltyFilter, PenaltyRow};
use crate::store::{Change, Lane, Snapshot, Tx, outbox};

/// Most penalties of one page.
pub const PAGE_MAX: usize = 100;

/// Most penalties that a member is shown: the newest.
const MINE_MAX: usize = 20;

/// Longest text that is searched for, in characters.
const TEXT_CHARS_MAX: usize = 100;

/// A penalty that was taken back.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Waived {
    /// Which.
    pub penalty_id: PenaltyId,
    /// The last day of what else the member has; `None`: they may claim again.
    pub penalty_until: Option<Date>,
}

/// Which penalties staff ask for; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct PenaltyWish {
    /// Of one bank.
    pub bank_id: Option<BankId>,
    /// Of one member.
    pub member_id: Option<MemberId>,
    /// Only those in force today.
    pub live: bool,
    /// A part of student id or name.
    pub text: Option<String>,
    /// Older than this one: where the page before ended.
    pub before: Option<PenaltyId>,
}

/// Whoever returned a locker late claims nothing until the last day of the penalty is over.
pub(super) fn demand_no_penalty(
    snapshot: &Snapshot,
    member: MemberId,
    today: Date,
) -> Result<(), Error> {
    let Some(until) = snapshot.penalty_until(member).filter(|until| today <= *until) else {
        return Ok(());
    };
    let from = until.saturating_add(1.day());
    let detail = format!("you returned a locker late: you can have one again from {from} on");
    Err(Error::new(Code::Penalty, detail).with("until", until.to_string()))
}

/// Whoever has a penalty keeps their account until it is over: a new one would know nothing of it.
pub(super) fn demand_penalty_over(
    snapshot: &Snapshot,
    member: MemberId,
    today: Date,
) -> Result<(), Error> {
    demand_no_penalty(snapshot, member, today).map_err(|refusal| {
        let detail = "after a late return an account can be deleted when its penalty is over";
        refusal.reworded(Code::Penalty, detail)
    })
}

/// Makes the penalty for a locker that was emptied on `returned_on`, as its bank has it: so many days
/// from the next one on. Gives its last day; `None` when there is none.
pub(super) fn impose(
    tx: &mut Tx<'_>,
    case: &CaseRow,
    returned_on: Date,
) -> Result<Option<Date>, Error> {
    let bank = tx.snapshot().site.banks.get(&case.bank_id);
    let late_days = case.late_days.unwrap_or_default();
    let days = bank.map_or(0, |bank| bank.policy.overdue.penalty_days(late_days));
    if days == 0 {
        return Ok(None);
    }
    let last_on = returned_on.saturating_add(i32::from(days).days());
    let new = NewPenalty {
        member_id: case.member_id,
        case_id: case.id,
        first_on: returned_on.saturating_add(1.day()),
        last_on,
    };
    let id = penalties::insert(tx.conn, &new, tx.now_ms())?;
    let all = penalties::last_day(tx.conn, case.member_id)?;
    tx.apply(&Change::Penalty(case.member_id, all));
    let detail = json!({ "case_id": case.id, "late_days": late_days, "days": days });
    let (subject, detail) = (format!("penalty:{id}"), detail.to_string());
    let action = "penalty.make";
    tx.audit(&AuditEntry { actor: None, action, subject: &subject, detail: &detail })?;
    Ok(Some(last_on))
}

impl Services {
    /// The last day on which the caller may claim nothing; `None`: they may.
    #[must_use]
    pub fn penalty_until(&self, caller: Caller) -> Option<Date> {
        let until = self.store.snapshot().penalty_until(caller.member_id);
        until.filter(|until| self.clock.today() <= *until)
    }

    /// The caller's own penalties, newest first.
    pub async fn own_penalties(&self, caller: Caller) -> Result<Vec<PenaltyRow>, Error> {
        let filter = PenaltyFilter {
            member_id: Some(caller.member_id),
            limit: MINE_MAX,
            ..PenaltyFilter::default()
        };
        Ok(self.store.read(move |conn| penalties::list(conn, &filter)).await?)
    }

    /// Penalties for lockers of the caller's banks, newest first, at most `limit`.
    pub async fn penalties(
        &self,
        caller: Caller,
        wish: PenaltyWish,
        limit: usize,
    ) -> Result<Vec<PenaltyRow>, Error> {
        demand_staff(caller)?;
        if let Some(bank) = wish.bank_id
            && !is_staff_for(&self.store.snapshot(), caller, bank)
        {
            return Err(Error::new(Code::Forbidden, "this is for staff of the bank"));
        }
        if wish.text.as_ref().is_some_and(|text| text.chars().count() > TEXT_CHARS_MAX) {
            let detail = format!("q may have at most {TEXT_CHARS_MAX} characters");
            return Err(Error::new(Code::Invalid, detail));
        }
        let filter = PenaltyFilter {
            staff: (caller.role != Role::Admin).then_some(caller.member_id),
            member_id: wish.member_id,
            bank_id: wish.bank_id,
            live_on: wish.live.then(|| self.clock.today()),
            text: wish.text,
            before: wish.before,
            limit: limit.min(PAGE_MAX + 1),
        };
        Ok(self.store.read(move |conn| penalties::list(conn, &filter)).await?)
    }

    /// Takes a penalty back, for staff of the bank that it is for.
    pub async fn waive_penalty(
        &self,
        caller: Caller,
        id: PenaltyId,
        reason: &str,
        key: Option<RequestKey>,
    ) -> Result<Answer<Waived>, Error> {
        demand_staff(caller)?;
        let reason = parse_reason(reason).map_err(|text| Error::new(Code::Invalid, text))?;
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "waive-penalty", key.as_ref(), |tx| {
                    waive_job(tx, caller, id, &reason)
                })
            })
            .await
    }
}

fn waive_job(
    tx: &mut Tx<'_>,
    caller: Caller,
    id: PenaltyId,
    reason: &str,
) -> Result<Waived, Error> {
    let theirs = |row: &PenaltyRow| is_staff_for(tx.snapshot(), caller, row.bank_id);
    let row = penalties::find(tx.conn, id)?.filter(theirs).ok_or_else(|| {
        Error::new(Code::PenaltyNotFound, format!("there is no penalty {id} of your banks"))
    })?;
    if !take_back(tx, &row, caller.member_id, reason)? {
        let detail = "this penalty was taken back already";
        return Err(Error::new(Code::PenaltyWaived, detail));
    }
    let payload = json!({
        "locker_id": row.locker_id, "bank_id": row.bank_id, "until": row.last_on.to_string(),
    });
    outbox::insert(tx.conn, "penalty_waived", row.member_id, &payload.to_string(), tx.now_ms())?;
    let penalty_until = penalties::last_day(tx.conn, row.member_id)?;
    Ok(Waived { penalty_id: id, penalty_until })
}

/// Takes back the penalty that a case led to, by the word of staff who let the case be; whoever calls tells
/// the member. False when there was none, or it was taken back before.
pub(super) fn waive_of_case(
    tx: &mut Tx<'_>,
    case: OverdueCaseId,
    by: MemberId,
    reason: &str,
) -> Result<bool, Error> {
    match penalties::find_by_case(tx.conn, case)? {
        Some(row) => take_back(tx, &row, by, reason),
        None => Ok(false),
    }
}

/// Takes a penalty back and writes that down; false when that was done before.
fn take_back(tx: &mut Tx<'_>, row: &PenaltyRow, by: MemberId, reason: &str) -> Result<bool, Error> {
    if !penalties::update_waived(tx.conn, row.id, by, reason, tx.now_ms())? {
        return Ok(false);
    }
    let penalty_until = penalties::last_day(tx.conn, row.member_id)?;
    tx.apply(&Change::Penalty(row.member_id, penalty_until));
    let detail = json!({ "case_id": row.case_id, "reason": reason }).to_string();
    let (actor, subject) = (Some(by), format!("penalty:{}", row.id));
    let action = "penalty.waive";
    tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?;
    Ok(true)
}
