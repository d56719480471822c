//! Limits: whoever failed or did something too often has to wait.
//!
//! A use-case asks `Services::check_limits` before the work that is to be guarded, and counts in
//! the job that writes down how it went: `check` again, then `fail` or `succeed`. The second
//! look makes parallel guesses worthless: of many that were let in together only the first is
//! looked at. A refusal from a job undoes what the job wrote, so a job that counts a failure ends
//! with `Ok` and the refusal is made outside. The rules stand in `domain/limit.rs`.

use serde_json::json;

use super::Services;
use super::error::{Code, Error};
use super::tokens::Caller;
use crate::domain::id::MemberId;
use crate::domain::limit::{
    FAILURES_MAX, Hold, LOCKED_RETRY_MS, LimitKind, LimitRules, Subject, Tally,
};
use crate::domain::member::Role;
use crate::store::audit::AuditEntry;
use crate::store::{Lane, Tx};
use crate::store::{members, throttle};

pub use crate::store::throttle::HeldRow;

/// A limit that a use-case asks for.
pub(super) type Limit = (LimitKind, Subject);

/// Most limits on a page.
pub const PAGE_MAX: u32 = 100;

/// A page of the limits in force.
#[derive(Debug, Clone)]
pub struct LimitPage {
    /// By kind and subject.
    pub limits: Vec<HeldRow>,
    /// Where the next page begins.
    pub next: Option<(String, String)>,
}

impl Services {
    /// The limits in force, for staff.
    pub async fn limits(
        &self,
        caller: Caller,
        after: Option<(String, String)>,
        limit: u32,
    ) -> Result<LimitPage, Error> {
        demand_staff(caller)?;
        let (limit, now_ms) = (limit.clamp(1, PAGE_MAX), self.clock.now().as_millisecond());
        let mut limits = self
            .store
            .read(move |conn| {
                let after = after.as_ref().map(|(kind, subject)| (kind.as_str(), subject.as_str()));
                throttle::list_held(conn, after, limit + 1, now_ms)
            })
            .await?;
        let more = limits.len() > limit as usize;
        limits.truncate(limit as usize);
        let last = limits.last().filter(|_| more);
        let next = last.map(|row| (row.kind.clone(), row.subject.clone()));
        Ok(LimitPage { limits, next })
    }

    /// Releases a limit that is in force: for staff.
    pub async fn release_limit(
        &self,
        caller: Caller,
        kind: String,
        subject: String,
    ) -> Result<(), Error> {
        demand_staff(caller)?;
        let kind = LimitKind::from_name(&kind).ok_or_else(limit_not_found)?;
        self.store
            .write(Lane::Change, move |tx| {
                let row = throttle::find_held(tx.conn, kind.name(), &subject)?;
                let held = row.filter(|row| row.tally.hold(tx.now_ms()).is_some());
                let row = held.ok_or_else(limit_not_found)?;
                if let Some((member, _)) = &row.member
                    && let Some(whose) = members::find_by_id(tx.conn, *member)?
                    && whose.role != Role::Student
                    && caller.role != Role::Admin
                {
                    let detail = "only admins release the limits of staff and admins";
                    return Err(Error::new(Code::Forbidden, detail));
                }
                throttle::delete_held(tx.conn, kind, &row)?;
                audit(tx, Some(caller.member_id), "limit.release", kind, &subject)
            })
            .await
    }

    /// Refuses when one of these limits is in force.
    pub(super) async fn check_limits(&self, limits: &[Limit]) -> Result<(), Error> {
        let (asked, now_ms) = (limits.to_vec(), self.clock.now().as_millisecond());
        let held = self
            .store
            .read(move |conn| {
                for (kind, subject) in &asked {
                    if let Some(hold) = throttle::hold(conn, *kind, subject, now_ms)? {
                        return Ok(Some((*kind, hold)));
                    }
                }
                Ok(None)
            })
            .await?;
        held.map_or(Ok(()), |(kind, hold)| Err(refusal(kind, hold)))
    }
}

/// [`Services::check_limits`] inside a job.
pub(super) fn check(tx: &Tx<'_>, limits: &[Limit]) -> Result<(), Error> {
    for (kind, subject) in limits {
        if let Some(hold) = throttle::hold(tx.conn, *kind, subject, tx.now_ms())? {
            return Err(refusal(*kind, hold));
        }
    }
    Ok(())
}

/// Counts one more failure or use. The job must end with `Ok`, or it is undone.
pub(super) fn fail(tx: &mut Tx<'_>, rules: &LimitRules, limits: &[Limit]) -> Result<(), Error> {
    for (kind, subject) in limits {
        let before = throttle::find(tx.conn, *kind, subject)?;
        let mut tally = kind.rule(rules).count(before, tx.now_ms());
        if throttle::failures_of_member(tx.conn, *kind, subject)? + 1 >= i64::from(FAILURES_MAX) {
            tally.until_ms = Tally::LOCKED;
        }
        throttle::upsert(tx.conn, *kind, subject, &tally)?;
        if tally.until_ms == Tally::LOCKED {
            audit(tx, None, "limit.lock", *kind, subject.text())?;
        }
    }
    Ok(())
}

/// Forgets the failures in a row; what counts uses within a window stays.
pub(super) fn succeed(tx: &Tx<'_>, limits: &[Limit]) -> Result<(), Error> {
    for (kind, subject) in limits.iter().filter(|(kind, _)| kind.is_a_ladder()) {
        throttle::delete(tx.conn, *kind, subject)?;
    }
    Ok(())
}

/// Takes one of what may be done a number of times: [`check`] and count.
pub(super) fn take(tx: &mut Tx<'_>, rules: &LimitRules, limits: &[Limit]) -> Result<(), Error> {
    check(tx, limits)?;
    fail(tx, rules, limits)
}

/// Takes one if there is room; false when the limit is in force.
pub(super) fn has_room(tx: &mut Tx<'_>, rules: &LimitRules, limit: &Limit) -> Result<bool, Error> {
    if throttle::hold(tx.conn, limit.0, &limit.1, tx.now_ms())?.is_some() {
        return Ok(false);
    }
    fail(tx, rules, std::slice::from_ref(limit))?;
    Ok(true)
}

fn audit(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    action: &'static str,
    kind: LimitKind,
    whom: &str,
) -> Result<(), Error> {
    let detail = json!({ "whom": whom }).to_string();
    let subject = format!("limit:{}", kind.name());
    Ok(tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?)
}

/// The refusal of a limit that is in force.
pub(super) fn refusal(kind: LimitKind, hold: Hold) -> Error {
    let code = if kind.is_of_failures() { Code::TooManyAttempts } else { Code::TooManyRequests };
    let (ms, detail) = match hold {
        Hold::Locked => {
            let text = "far too many tries failed: set a new password, or ask staff to release it";
            (LOCKED_RETRY_MS, text.to_owned())
        }
        Hold::For(ms) => {
            let seconds = ms.saturating_add(999) / 1_000;
            let what = if kind.is_of_failures() { "tries failed" } else { "were asked for" };
            (ms, format!("too many {what}: wait {seconds} s and try again"))
        }
    };
    Error::new(code, detail).retry_after_ms(u64::try_from(ms).unwrap_or(0))
}

fn demand_staff(caller: Caller) -> Result<(), Error> {
    if caller.role == Role::Student {
        return Err(Error::new(Code::Forbidden, "this is for staff"));
    }
    Ok(())
}

fn limit_not_found() -> Error {
    Error::new(Code::LimitNotFound, "there is no such limit in force")
}
