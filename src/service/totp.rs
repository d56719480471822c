//! The second factor: setting up an authenticator app, showing its codes at log-in, losing it.
//!
//! A secret is stored sealed and shown once. A new one waits beside the one in force until its
//! first code was typed. A code is good once: the statement that notes its step is the question
//! whether it was used. Recovery codes stand in for the app, each once. Whoever has an app in force
//! must show a code at every log-in; where the site demands one of a role, a log-in without it can
//! do nothing but set one up. `totp/log_in.rs` has what a log-in asks.

use serde_json::{Value, json};

use super::Services;
use super::accounts::RosterLogin;
use super::error::{Code, Error};
use super::identity::{Fresh, Proof};
use super::limits::{self, Limit};
use super::mails::{Mail, post};
use super::members::{Actor, managed};
use super::secrets::{self, Vault};
use super::sessions::{end_sessions_of, session_ended};
use super::tokens::{Caller, Method};
use crate::domain::id::MemberId;
use crate::domain::limit::{LimitKind, Subject};
use crate::domain::totp::{Secret, compact, looks_like_code};
use crate::store::audit::AuditEntry;
use crate::store::members::{self, MemberRow};
use crate::store::outbox::Recipient;
use crate::store::totp::{self, State};
use crate::store::{Lane, Tx, accounts, sessions};

mod log_in;

/// How long a new secret waits for its first code.
const PENDING_MS: i64 = 15 * 60 * 1_000;

/// Recovery codes of one set.
const RECOVERY_CODES: usize = 10;

/// Letters of a recovery code: 49 bits of 31 letters.
const RECOVERY_LETTERS: usize = 10;

/// Longest reason for a reset, in characters.
const REASON_CHARS_MAX: usize = 500;

/// What an authenticator app needs; shown once.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The `otpauth` address.
    pub uri: String,
    /// The secret as people type it.
    pub secret_base32: String,
}

/// How a member's second factor stands.
#[derive(Debug, Clone, Copy)]
pub struct TotpStatus {
    /// Since when it is in force, unix milliseconds.
    pub confirmed_ms: Option<i64>,
    /// Whether a new secret waits for its first code.
    pub is_pending: bool,
    /// Recovery codes that were not used yet.
    pub recovery_codes_left: u32,
    /// Whether the site demands it of this account.
    pub is_demanded: bool,
}

/// What a code turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// A code of the app.
    App,
    /// A recovery code.
    Recovery,
    /// No good code.
    Wrong,
}

impl Services {
    /// Makes a secret for the caller's app. One that is in force stays so until the new one is
    /// confirmed.
    pub async fn enrol_totp(&self, caller: Caller, proof: Proof) -> Result<Enrolment, Error> {
        if caller.method == Method::Roster && self.settings.roster_login != RosterLogin::Full {
            let detail = "log in with your password to set up an authenticator app";
            return Err(Error::new(Code::PasswordNeeded, detail));
        }
        self.show_again(caller, proof, Fresh::Enough).await?;
        let secret = Secret::new(secrets::draw()?);
        let row = self.member_row(caller.member_id).await?.ok_or_else(session_ended)?;
        let uri = secret.uri(&row.student_id).ok_or_else(broken)?;
        let sealed = self.vault.seal(&purpose(row.id), secret.bytes())?;
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                totp::insert_pending(tx.conn, row.id, &sealed, tx.now_ms())?;
                audit(tx, Some(row.id), row.id, "totp.enrol", &json!({}))
            })
            .await?;
        Ok(Enrolment { uri, secret_base32: secret.base32() })
    }

    /// Puts the waiting secret in force by its first code; gives a set of recovery codes, shown
    /// once. Other log-ins of the account end: they were made without it.
    pub async fn confirm_totp(&self, caller: Caller, code: &str) -> Result<Vec<String>, Error> {
        self.demand_time_for(code)?;
        let (member, session, vault) = (caller.member_id, caller.session_id, self.vault.clone());
        let (codes, hashes) = self.draw_recovery_codes(member)?;
        let row = self.member_row(member).await?.ok_or_else(session_ended)?;
        let (code, rules) = (code.to_owned(), self.settings.limits);
        let limits = second_factor_limits(member);
        let confirmed = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                limits::check(tx, &limits)?;
                let Some(pending) = totp::find(tx.conn, member, State::Pending)? else {
                    let detail = "no new authenticator app waits for its first code";
                    return Err(Error::new(Code::TotpNotEnrolled, detail));
                };
                if tx.now_ms() - pending.created_ms > PENDING_MS {
                    let detail = "this took too long: set the authenticator app up again";
                    return Err(Error::new(Code::CodeExpired, detail));
                }
                let secret = open(&vault, member, &pending.sealed)?;
                let Some(step) = secret.step_of(&code, tx.now) else {
                    limits::fail(tx, &rules, &limits)?;
                    return Ok(false);
                };
                limits::succeed(tx, &limits)?;
                let again = accounts::has_second_factor(tx.conn, member)?;
                totp::update_confirmed(tx.conn, member, step, tx.now_ms())?;
                totp::replace_recovery(tx.conn, member, &hashes, tx.now_ms())?;
                sessions::update_strong(tx.conn, session)?;
                end_sessions_of(tx, member, "account_changed", Some(session))?;
                let what = if again { "reissued" } else { "enrolled" };
                audit(tx, Some(member), member, "totp.confirm", &json!({ "what": what }))?;
                tell(tx, &vault, &row, what)?;
                Ok(true)
            })
            .await?;
        if confirmed { Ok(codes) } else { Err(wrong_code()) }
    }

    /// How the caller's second factor stands.
    pub async fn totp_status(&self, caller: Caller) -> Result<TotpStatus, Error> {
        let (member, demanded) = (caller.member_id, self.demands_second_factor_of(caller));
        let status = self
            .store
            .read(move |conn| {
                let active = totp::find(conn, member, State::Active)?;
                Ok(TotpStatus {
                    confirmed_ms: active.and_then(|row| row.confirmed_ms),
                    is_pending: totp::find(conn, member, State::Pending)?.is_some(),
                    recovery_codes_left: totp::count_recovery(conn, member)?,
                    is_demanded: demanded,
                })
            })
            .await?;
        Ok(status)
    }

    /// Gives the caller a new set of recovery codes; those before are dead.
    pub async fn renew_recovery_codes(
        &self,
        caller: Caller,
        proof: Proof,
    ) -> Result<Vec<String>, Error> {
        self.show_again(caller, proof, Fresh::Enough).await?;
        let member = caller.member_id;
        let (codes, hashes) = self.draw_recovery_codes(member)?;
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                if !accounts::has_second_factor(tx.conn, member)? {
                    return Err(not_enrolled());
                }
                totp::replace_recovery(tx.conn, member, &hashes, tx.now_ms())?;
                audit(tx, Some(member), member, "totp.recovery_codes", &json!({}))
            })
            .await?;
        Ok(codes)
    }

    /// Takes the caller's second factor away; refused where the site demands one.
    pub async fn remove_totp(&self, caller: Caller, proof: Proof) -> Result<(), Error> {
        if self.demands_second_factor_of(caller) {
            let detail = "this site demands an authenticator app of this account: set up another \
                          one in its place";
            return Err(Error::new(Code::Forbidden, detail));
        }
        self.show_again(caller, proof, Fresh::NotEnough).await?;
        let (member, vault) = (caller.member_id, self.vault.clone());
        let row = self.member_row(member).await?.ok_or_else(session_ended)?;
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                if !totp::delete(tx.conn, member)? {
                    return Err(not_enrolled());
                }
                audit(tx, Some(member), member, "totp.remove", &json!({}))?;
                tell(tx, &vault, &row, "removed")
            })
            .await
    }

    /// Takes a member's second factor away because the phone is lost: staff a student's, admins
    /// anybody's. All log-ins of the account end.
    pub async fn reset_totp(
        &self,
        actor: Actor,
        member: MemberId,
        reason: &str,
    ) -> Result<(), Error> {
        actor.demand_staff()?;
        let (reason, vault) = (demand_reason(reason)?, self.vault.clone());
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                let row = managed(tx, actor, member)?;
                if !totp::delete(tx.conn, member)? {
                    return Err(not_enrolled());
                }
                limits::succeed(tx, &second_factor_limits(member))?;
                end_sessions_of(tx, member, "account_changed", None)?;
                audit(tx, actor.id(), member, "totp.reset", &json!({ "reason": reason }))?;
                tell(tx, &vault, &row, "reset")
            })
            .await
    }

    /// Whether the site wants a second factor of this account.
    fn demands_second_factor_of(&self, caller: Caller) -> bool {
        self.settings.second_factor.is_demanded_of(caller.role)
    }

    /// Refuses a log-in without the second factor that the site demands.
    pub fn demand_second_factor(&self, caller: Caller) -> Result<(), Error> {
        if self.demands_second_factor_of(caller) && !caller.strong {
            let detail = "set up an authenticator app first: this site demands one of your account";
            return Err(Error::new(Code::SecondFactorMissing, detail));
        }
        Ok(())
    }

    /// Refuses a code of an app while nobody knows the time: a right one would be called wrong, and
    /// one taken on a wrong clock would use up steps that are still to come.
    pub(super) fn demand_time_for(&self, code: &str) -> Result<(), Error> {
        if !looks_like_code(code) || self.clock_is_trusted() {
            return Ok(());
        }
        let detail = "the server does not know the time and cannot check the code of an app: use \
                      a recovery code, or ask staff for a one-time code";
        Err(Error::new(Code::ClockUntrusted, detail))
    }

    /// Takes a code of a member's app, or a recovery code.
    pub(super) async fn use_second_factor(
        &self,
        member: MemberId,
        code: &str,
    ) -> Result<(), Error> {
        self.demand_time_for(code)?;
        let (vault, rules, code) = (self.vault.clone(), self.settings.limits, code.to_owned());
        let limits = second_factor_limits(member);
        let taken = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                limits::check(tx, &limits)?;
                let taken = take_code(tx, &vault, member, &code)?;
                match taken {
                    Taken::Wrong => limits::fail(tx, &rules, &limits)?,
                    Taken::App => limits::succeed(tx, &limits)?,
                    Taken::Recovery => {
                        limits::succeed(tx, &limits)?;
                        audit(tx, Some(member), member, "totp.recovery_used", &json!({}))?;
                    }
                }
                Ok(taken)
            })
            .await?;
        if taken == Taken::Wrong { Err(wrong_code()) } else { Ok(()) }
    }

    fn draw_recovery_codes(&self, member: MemberId) -> Result<(Vec<String>, Vec<[u8; 32]>), Error> {
        let codes = (0..RECOVERY_CODES).map(|_| secrets::draw_letters(RECOVERY_LETTERS));
        let codes = codes.collect::<Result<Vec<_>, _>>()?;
        let hashes = codes.iter().map(|code| recovery_hash(&self.vault, member, code)).collect();
        let shown = codes.iter().map(|code| {
            let (first, second) = code.split_at(RECOVERY_LETTERS / 2);
            format!("{first}-{second}")
        });
        Ok((shown.collect(), hashes))
    }

    async fn member_row(&self, member: MemberId) -> Result<Option<MemberRow>, Error> {
        Ok(self.store.read(move |conn| members::find_by_id(conn, member)).await?)
    }
}

/// Takes a code inside a job: an app's by its step, a recovery code by its hash; each once.
pub(super) fn take_code(
    tx: &Tx<'_>,
    vault: &Vault,
    member: MemberId,
    code: &str,
) -> Result<Taken, Error> {
    let Some(active) = totp::find(tx.conn, member, State::Active)? else { return Ok(Taken::Wrong) };
    if !looks_like_code(code) {
        let hash = recovery_hash(vault, member, code);
        let used = totp::update_recovery_used(tx.conn, member, &hash, tx.now_ms())?;
        return Ok(if used { Taken::Recovery } else { Taken::Wrong });
    }
    let secret = open(vault, member, &active.sealed)?;
    let Some(step) = secret.step_of(code, tx.now) else { return Ok(Taken::Wrong) };
    Ok(if totp::update_step(tx.conn, member, step)? { Taken::App } else { Taken::Wrong })
}

fn recovery_hash(vault: &Vault, member: MemberId, code: &str) -> [u8; 32] {
    let code = compact(code).to_ascii_lowercase().replace('-', "");
    vault.keyed_hash(&format!("recovery:{member}"), &code)
}

fn second_factor_limits(member: MemberId) -> [Limit; 1] {
    [(LimitKind::SecondFactor, Subject::member(member))]
}

fn purpose(member: MemberId) -> String {
    format!("totp:{member}")
}

fn open(vault: &Vault, member: MemberId, sealed: &[u8]) -> Result<Secret, Error> {
    let plain = vault.open(&purpose(member), sealed);
    plain.as_deref().and_then(Secret::from_slice).ok_or_else(|| {
        tracing::error!(area = "store", member.id = %member, "a second factor cannot be unsealed");
        broken()
    })
}

pub(super) fn demand_reason(reason: &str) -> Result<String, Error> {
    let reason = reason.trim();
    if (1..=REASON_CHARS_MAX).contains(&reason.chars().count()) {
        return Ok(reason.to_owned());
    }
    let detail = format!("reason must have 1 to {REASON_CHARS_MAX} characters: it is kept");
    Err(Error::new(Code::Invalid, detail))
}

fn audit(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    member: MemberId,
    action: &'static str,
    detail: &Value,
) -> Result<(), Error> {
    let (subject, detail) = (format!("member:{member}"), detail.to_string());
    Ok(tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?)
}

fn tell(tx: &Tx<'_>, vault: &Vault, row: &MemberRow, what: &str) -> Result<(), Error> {
    let mail = Mail {
        kind: "totp_changed",
        to: Recipient::Member(row.id),
        payload: json!({ "name": row.name, "what": what }),
        secret: None,
    };
    post(tx, vault, &mail)
}

fn broken() -> Error {
    Error::new(Code::Internal, "something went wrong on our side; it was logged")
}

fn not_enrolled() -> Error {
    Error::new(Code::TotpNotEnrolled, "no authenticator app is set up for this account")
}

fn wrong_code() -> Error {
    let detail = "the code is wrong or was used: wait for the next one, and check that the phone \
                  sets its time by itself";
    Error::new(Code::CodeWrong, detail)
}
