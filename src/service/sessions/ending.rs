//! Ending log-ins: by whoever holds them, by staff, and because of what became of the account.
//!
//! A log-in that ended is in the published state at once, so that access tokens already out are
//! refused as well. Nothing here touches a rental or an opening under way.

use serde_json::json;

use super::audit_session;
use crate::domain::id::{MemberId, SessionId};
use crate::domain::mass_opening::parse_reason;
use crate::domain::member::Role;
use crate::service::Services;
use crate::service::accounts::RosterLogin;
use crate::service::error::{Code, Error};
use crate::service::tokens::{Caller, Method};
use crate::store::audit::AuditEntry;
use crate::store::members;
use crate::store::{Change, Lane, StoreError, Tx, sessions};

/// Log-ins ended in one job: the writer is not kept from others for long.
const SLICE: usize = 500;

/// Most such jobs of one run.
const SLICES_MAX: usize = 4_000;

/// A log-in as its holder and staff see it. Times are unix milliseconds.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// What is stored, with the newest use.
    pub info: sessions::SessionInfo,
    /// Whether it is the caller's own of this moment.
    pub current: bool,
}

impl Services {
    /// Ends the caller's log-in at once, also for access tokens already out.
    pub async fn log_out(&self, caller: Caller) -> Result<(), Error> {
        self.store
            .write(Lane::Change, move |tx| {
                end_session(tx, Some(caller.member_id), caller.session_id, "log_out")
            })
            .await
            .map(drop)
    }

    /// The caller's live log-ins, newest first.
    pub async fn my_sessions(&self, caller: Caller) -> Result<Vec<SessionView>, Error> {
        self.demand_own_device(caller)?;
        self.sessions_of(caller, caller.member_id).await
    }

    /// Ends one of the caller's log-ins.
    pub async fn end_my_session(&self, caller: Caller, id: SessionId) -> Result<(), Error> {
        self.demand_own_device(caller)?;
        let actor = caller.member_id;
        self.store.write(Lane::Change, move |tx| end_one_of(tx, actor, actor, id, "log_out")).await
    }

    /// Ends all of the caller's log-ins, or all but this one; says how many.
    pub async fn log_out_everywhere(
        &self,
        caller: Caller,
        keep_this: bool,
    ) -> Result<usize, Error> {
        self.demand_own_device(caller)?;
        let (member, keep) = (caller.member_id, keep_this.then_some(caller.session_id));
        self.store
            .write(Lane::Change, move |tx| {
                end_all_of(tx, Some(member), member, "log_out_everywhere", keep)
            })
            .await
    }

    /// A member's live log-ins, for staff.
    pub async fn sessions_of_member(
        &self,
        caller: Caller,
        member: MemberId,
    ) -> Result<Vec<SessionView>, Error> {
        demand_staff(caller)?;
        let row = self.store.read(move |conn| members::find_by_id(conn, member)).await?;
        demand_staff_for(caller, row.map(|row| row.role))?;
        self.sessions_of(caller, member).await
    }

    /// Ends a member's log-ins; says how many.
    pub async fn log_member_out(&self, caller: Caller, member: MemberId) -> Result<usize, Error> {
        demand_staff(caller)?;
        self.store
            .write(Lane::Change, move |tx| {
                let row = members::find_by_id(tx.conn, member)?;
                demand_staff_for(caller, row.map(|row| row.role))?;
                end_all_of(tx, Some(caller.member_id), member, "by_staff", None)
            })
            .await
    }

    /// Ends one log-in of a member.
    pub async fn end_session_of_member(
        &self,
        caller: Caller,
        member: MemberId,
        id: SessionId,
    ) -> Result<(), Error> {
        demand_staff(caller)?;
        self.store
            .write(Lane::Change, move |tx| {
                let row = members::find_by_id(tx.conn, member)?;
                demand_staff_for(caller, row.map(|row| row.role))?;
                end_one_of(tx, caller.member_id, member, id, "by_staff")
            })
            .await
    }

    /// Ends every log-in there is but the caller's; says how many. Goes on to its end when the
    /// one who asked is gone.
    pub async fn log_everybody_out(&self, caller: Caller, reason: &str) -> Result<usize, Error> {
        if caller.role != Role::Admin {
            return Err(Error::new(Code::Forbidden, "only admins log everybody out"));
        }
        let reason = parse_reason(reason).map_err(|text| Error::new(Code::Invalid, text))?;
        let newest = self.store.read(sessions::find_newest).await?;
        let (tell, told) = tokio::sync::oneshot::channel();
        self.detach(|services| async move {
            let ended = services.end_everybody(caller, newest, &reason).await;
            let _ = tell.send(ended);
        });
        told.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    async fn end_everybody(
        &self,
        caller: Caller,
        newest: SessionId,
        reason: &str,
    ) -> Result<usize, Error> {
        let mut ended = 0;
        for _ in 0..SLICES_MAX {
            let reason = reason.to_owned();
            let count = self
                .store
                .write::<_, Error, _>(Lane::Change, move |tx| {
                    let slice = sessions::list_live(tx.conn, newest, caller.session_id, SLICE)?;
                    let actor = Some(caller.member_id);
                    end_slice(tx, actor, &slice, "session.end_everybody", "by_staff", &reason)
                })
                .await?;
            ended += count;
            if count < SLICE {
                break;
            }
        }
        Ok(ended)
    }

    /// Writes down which log-ins have expired: they are dead before that. Says how many.
    pub async fn end_expired_sessions(&self) -> Result<usize, Error> {
        let mut ended = 0;
        for _ in 0..SLICES_MAX {
            let count = self
                .store
                .write::<_, Error, _>(Lane::Housekeeping, |tx| {
                    let slice = sessions::list_expired(tx.conn, tx.now_ms(), SLICE)?;
                    end_slice(tx, None, &slice, "session.expire", "expired", "")
                })
                .await?;
            ended += count;
            if count < SLICE {
                break;
            }
        }
        Ok(ended)
    }

    async fn sessions_of(
        &self,
        caller: Caller,
        member: MemberId,
    ) -> Result<Vec<SessionView>, Error> {
        let now_ms = self.clock.now().as_millisecond();
        let live = self.store.read(move |conn| sessions::list_of(conn, member, now_ms)).await?;
        let view = |mut info: sessions::SessionInfo| {
            let noted_ms = self.last_used.of(info.id).unwrap_or(info.last_used_ms);
            info.last_used_ms = info.last_used_ms.max(noted_ms);
            SessionView { current: info.id == caller.session_id, info }
        };
        Ok(live.into_iter().map(view).collect())
    }

    /// Whoever stands at a kiosk or only knows what the roster knows does not see where the member
    /// logs in from.
    fn demand_own_device(&self, caller: Caller) -> Result<(), Error> {
        match caller.method {
            Method::Kiosk => {
                Err(Error::new(Code::NotAtKiosk, "look after your log-ins on a device of your own"))
            }
            Method::Roster if self.settings.roster_login != RosterLogin::Full => {
                let detail = "log in with your password to look after your log-ins";
                Err(Error::new(Code::PasswordNeeded, detail))
            }
            _ => Ok(()),
        }
    }
}

fn demand_staff(caller: Caller) -> Result<(), Error> {
    if caller.role == Role::Student {
        return Err(Error::new(Code::Forbidden, "only staff look after other people's log-ins"));
    }
    Ok(())
}

/// Staff look after students, admins after everybody.
fn demand_staff_for(caller: Caller, role: Option<Role>) -> Result<(), Error> {
    match role {
        None => Err(Error::new(Code::MemberNotFound, "there is no such member")),
        Some(role) if caller.role == Role::Admin || role == Role::Student => Ok(()),
        Some(_) => Err(Error::new(Code::Forbidden, "only admins look after the log-ins of staff")),
    }
}

fn end_one_of(
    tx: &mut Tx<'_>,
    actor: MemberId,
    member: MemberId,
    id: SessionId,
    reason: &'static str,
) -> Result<(), Error> {
    let theirs = sessions::find(tx.conn, id)?.is_some_and(|row| row.member_id == member);
    if theirs && end_session(tx, Some(actor), id, reason)? {
        return Ok(());
    }
    Err(Error::new(Code::SessionNotFound, "there is no such log-in, or it has ended"))
}

fn end_slice(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    slice: &[SessionId],
    action: &'static str,
    how: &'static str,
    reason: &str,
) -> Result<usize, Error> {
    for session in slice {
        end_quietly(tx, *session, how)?;
    }
    if !slice.is_empty() {
        let detail = json!({ "count": slice.len(), "reason": reason }).to_string();
        tx.audit(&AuditEntry { actor, action, subject: "session:all", detail: &detail })?;
    }
    Ok(slice.len())
}

/// Ends one log-in of `member`, whatever `actor` did to that end.
pub(in crate::service) fn end_session(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    session: SessionId,
    reason: &'static str,
) -> Result<bool, Error> {
    let ended = end_quietly(tx, session, reason)?;
    if ended {
        audit_session(tx, actor, session, "session.end", reason)?;
    }
    Ok(ended)
}

/// Ends every log-in of a member but `keep`; says how many. `reason` is one that the schema knows:
/// `password_changed`, `account_changed`, … The record names nobody: who changed what stands in
/// the caller's own row of the audit log, in the same transaction.
pub(in crate::service) fn end_sessions_of(
    tx: &mut Tx<'_>,
    member: MemberId,
    reason: &'static str,
    keep: Option<SessionId>,
) -> Result<usize, Error> {
    end_all_of(tx, None, member, reason, keep)
}

/// The same, by somebody.
pub(super) fn end_all_of(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    member: MemberId,
    reason: &'static str,
    keep: Option<SessionId>,
) -> Result<usize, Error> {
    let live = sessions::list_live_of(tx.conn, member, keep)?;
    for session in &live {
        end_quietly(tx, *session, reason)?;
    }
    if !live.is_empty() {
        let subject = format!("member:{member}");
        let detail = json!({ "how": reason, "count": live.len() }).to_string();
        let action = "session.end_all";
        tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?;
    }
    Ok(live.len())
}

fn end_quietly(tx: &mut Tx<'_>, session: SessionId, reason: &'static str) -> Result<bool, Error> {
    let ended = sessions::update_ended(tx.conn, session, reason, tx.now_ms())?;
    if ended {
        tx.apply(&Change::SessionEnded(session, tx.now_ms()));
    }
    Ok(ended)
}
