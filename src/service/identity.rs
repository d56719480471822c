//! Showing once more who one is, in a log-in that stands: with the password, or a code of the app.
//!
//! A log-in counts as shown for [`PROVEN_MS`], since whoever made it has just typed their password, and
//! so does each proof after it. New tokens do not renew it; it ends with the log-in. What is dangerous
//! (opening many lockers, pulses of commissioning) asks for it in the transaction that begins the act,
//! so that a repeat under the same key gets its answer whatever the time is by then. Who may do something
//! is asked before: a proof gives nobody a right. Failures count like those of a log-in.

use jiff::Timestamp;
use serde_json::json;

use super::Services;
use super::error::{Code, Error};
use super::sessions::session_ended;
use super::tokens::Caller;
use crate::store::audit::AuditEntry;
use crate::store::{Lane, Tx, accounts, sessions};

/// How long it counts that somebody showed who they are.
pub const PROVEN_MS: i64 = 10 * 60 * 1_000;

/// What somebody who is logged in shows to be asked no further.
#[derive(Debug, Clone, Default)]
pub struct Proof {
    /// Their password.
    pub password: Option<String>,
    /// A code of their app, or a recovery code.
    pub code: Option<String>,
    /// The client's address: failures count for it as well.
    pub address: String,
}

/// Whether an earlier proof is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fresh {
    Enough,
    NotEnough,
}

impl Services {
    /// Takes a password or a code for the caller's log-in; until when it counts.
    pub async fn prove(&self, caller: Caller, proof: Proof) -> Result<Timestamp, Error> {
        let how = if proof.code.is_some() { "code" } else { "password" };
        self.show_again(caller, proof, Fresh::NotEnough).await?;
        let at_ms = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                if !sessions::update_proven(tx.conn, caller.session_id, tx.now_ms())? {
                    return Err(session_ended());
                }
                let subject = format!("session:{}", caller.session_id);
                let detail = json!({ "how": how }).to_string();
                let (actor, action) = (Some(caller.member_id), "session.prove");
                tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?;
                Ok(tx.now_ms())
            })
            .await?;
        Ok(Timestamp::from_millisecond(at_ms + PROVEN_MS).unwrap_or_default())
    }

    /// Has somebody who is logged in show once more who they are.
    pub(super) async fn show_again(
        &self,
        caller: Caller,
        proof: Proof,
        fresh: Fresh,
    ) -> Result<(), Error> {
        match (proof.code, proof.password) {
            (Some(code), _) => self.use_second_factor(caller.member_id, &code).await,
            (None, Some(password)) => {
                let ticket = self.passwords.enter()?;
                self.prove_again(caller, password, &ticket, &proof.address).await.map(drop)
            }
            (None, None) if fresh == Fresh::Enough && self.has_shown(caller).await? => Ok(()),
            (None, None) => {
                let detail = "type your password again, or a code of your authenticator app";
                Err(Error::new(Code::PasswordNeeded, detail))
            }
        }
    }

    /// Whether the caller showed a moment ago who they are.
    pub(super) async fn has_shown(&self, caller: Caller) -> Result<bool, Error> {
        let (session, now_ms) = (caller.session_id, self.clock.now().as_millisecond());
        let proven_ms = self.store.read(move |conn| sessions::proven_ms(conn, session)).await?;
        Ok(counts(proven_ms, now_ms))
    }

    /// Refuses what is dangerous unless the caller showed a moment ago who they are.
    pub(super) async fn demand_shown(&self, caller: Caller) -> Result<(), Error> {
        if self.has_shown(caller).await? {
            return Ok(());
        }
        let member = caller.member_id;
        Err(proof_needed(
            self.store.read(move |conn| accounts::has_second_factor(conn, member)).await?,
        ))
    }
}

/// The same inside a transaction.
pub(super) fn demand_shown(tx: &Tx<'_>, caller: Caller) -> Result<(), Error> {
    if counts(sessions::proven_ms(tx.conn, caller.session_id)?, tx.now_ms()) {
        return Ok(());
    }
    Err(proof_needed(accounts::has_second_factor(tx.conn, caller.member_id)?))
}

/// The refusal; it says whether a code would do as well.
fn proof_needed(has_app: bool) -> Error {
    let detail = "enter your password again: POST /api/v1/auth/prove";
    Error::new(Code::ProofNeeded, detail).with("second_factor", has_app)
}

/// Whether a proof of then counts now. One from the future is of a clock that was wrong.
fn counts(proven_ms: Option<i64>, now_ms: i64) -> bool {
    proven_ms.is_some_and(|at_ms| (0..=PROVEN_MS).contains(&now_ms.saturating_sub(at_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_counts_for_ten_minutes_and_never_before_it_was_given() {
        let at_ms = 1_000_000;
        assert!(counts(Some(at_ms), at_ms));
        assert!(counts(Some(at_ms), at_ms + PROVEN_MS));
        assert!(!counts(Some(at_ms), at_ms + PROVEN_MS + 1));
        assert!(!counts(Some(at_ms), at_ms - 1));
        assert!(!counts(None, at_ms));
    }
}
