//! Ending log-ins: by whoever holds them, by staff, and because of what became of the account.
//!
//! A log-in that ended is in the published state at once, so that access tokens already out are
//! refused as well. Nothing here touches a rental or an opening under way.

use serde_json::json;

use super::audit_session;
use crate::domain::id::{MemberId, SessionId};
use crate::service::error::Error;
use crate::store::audit::AuditEntry;
use crate::store::{Change, Tx, sessions};

/// Ends one log-in of `member`, whatever `actor` did to that end.
pub(super) fn end_session(
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
