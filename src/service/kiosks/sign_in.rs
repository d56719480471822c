//! Members at kiosks: a student id and a code, for a short time that ends by itself.
//!
//! A sign-in gives no rights of staff, whoever it is: it is a student's, at the banks of its kiosk.
//! The answer to a wrong one does not tell which of id and code was wrong. At most one member is
//! signed in at a kiosk: the next one ends the one before.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{SignIn, audit, end_sign_ins};
use crate::domain::id::{BankId, KioskId, LockerId, MemberId, SessionId};
use crate::domain::kiosk::Kiosk;
use crate::domain::limit::{FAILURES_MAX, LimitKind, LimitRules, Subject};
use crate::domain::member::{self, Role};
use crate::domain::totp::{compact, looks_like_code};
use crate::service::Services;
use crate::service::accounts::demand_enabled;
use crate::service::error::{Code, Error};
use crate::service::limits::{self, Limit};
use crate::service::members::{Actor, managed};
use crate::service::rentals::locker_not_found;
use crate::service::secrets::{self, Vault};
use crate::service::sessions::{end_session, session_ended};
use crate::service::tokens::{Caller, Method};
use crate::service::totp::{Taken, demand_reason, take_code};
use crate::store::audit::AuditEntry;
use crate::store::kiosks::{self, NewSignIn};
use crate::store::members::{self, MemberRow};
use crate::store::{Lane, Tx, throttle};

/// Digits of a one-time code.
const ONE_TIME_DIGITS: usize = 8;

/// How long a one-time code is good.
const ONE_TIME_MS: i64 = 10 * 60 * 1_000;

/// How often a one-time code may be missed.
const ONE_TIME_TRIES: u32 = 5;

/// A member who signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Sent with each request, as any access token.
    pub access_token: String,
    /// How long it is good at most, in seconds.
    pub expires_in_s: i64,
    /// How long it is good without a request, in seconds.
    pub idle_s: i64,
    /// Whose.
    pub member_id: MemberId,
}

/// A code for a member without a phone; shown once.
#[derive(Debug, Clone)]
pub struct OneTimeCode {
    /// Typed at a kiosk.
    pub code: String,
    /// How long it is good, in seconds.
    pub expires_in_s: i64,
}

/// What was typed at a kiosk.
#[derive(Clone)]
struct Typed {
    kiosk: KioskId,
    /// Keyed hash of the id, for limits.
    id_hash: [u8; 32],
    student_id: Option<String>,
    code: String,
}

/// How a try to sign in went; a wrong one is a committed count, not a refusal.
enum Tried {
    In(Box<MemberRow>, SessionId, bool),
    Wrong { tries_left: u32, wait_ms: i64 },
}

impl Services {
    /// Signs a member in at a kiosk with their student id and a code: of their authenticator app,
    /// or one that staff gave them.
    pub async fn sign_in_at(
        &self,
        kiosk: &Kiosk,
        id: &str,
        code: &str,
        address: &str,
    ) -> Result<SignedIn, Error> {
        let id = id.trim().to_uppercase();
        let typed = Typed {
            kiosk: kiosk.id,
            id_hash: self.vault.keyed_hash("kiosk-id", &id),
            student_id: member::parse_student_id(&id).ok(),
            code: compact(code),
        };
        self.demand_time_for(&typed.code)?;
        let lifetime = self.settings.kiosk.session;
        let hash = |secret: [u8; 32]| -> [u8; 32] { Sha256::digest(secret).into() };
        let session = NewSignIn {
            member: MemberId(0),
            kiosk: kiosk.id,
            strong: false,
            hashes: [hash(secrets::draw()?), hash(secrets::draw()?)],
            expires_ms: (self.clock.now() + lifetime).as_millisecond(),
            address: address.to_owned(),
        };
        let (vault, rules) = (self.vault.clone(), self.settings.limits);
        let tried = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                try_sign_in(tx, &vault, &rules, &typed, session.clone())
            })
            .await?;
        let (row, session_id, strong) = match tried {
            Tried::In(row, session, strong) => (row, session, strong),
            Tried::Wrong { tries_left, wait_ms } => return Err(wrong(tries_left, wait_ms)),
        };
        let now = self.clock.monotonic();
        let sign_in = SignIn {
            session_id,
            member_id: row.id,
            student_id: row.student_id,
            name: row.name,
            since: self.clock.now(),
            begun: now,
            used: now,
        };
        self.kiosks.begin(kiosk.id, sign_in);
        // Whoever it is: at a kiosk nobody has more rights than a student.
        let (role, method) = (Role::Student, Method::Kiosk);
        let caller = Caller { member_id: row.id, role, session_id, method, strong };
        Ok(SignedIn {
            access_token: self.token_keys.issue(caller, self.clock.now(), lifetime)?,
            expires_in_s: lifetime.as_secs(),
            idle_s: self.settings.kiosk.idle.as_secs(),
            member_id: row.id,
        })
    }

    /// Ends the sign-in at a kiosk; none is fine.
    pub async fn sign_out_at(&self, kiosk: &Kiosk) -> Result<(), Error> {
        self.end_sign_in_at(kiosk.id, None, "log_out").await
    }

    pub(super) async fn end_sign_in_at(
        &self,
        kiosk: KioskId,
        actor: Option<MemberId>,
        reason: &'static str,
    ) -> Result<(), Error> {
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                let ended = end_sign_ins(tx, actor, Some(kiosk), reason)?;
                if ended > 0 && actor.is_some() {
                    audit(tx, actor, kiosk, "kiosk.end_session", &serde_json::json!({}))?;
                }
                Ok(())
            })
            .await
    }

    /// Gives a student without a phone a code for one sign-in at a kiosk.
    pub async fn give_one_time_code(
        &self,
        actor: Actor,
        member: MemberId,
        reason: &str,
    ) -> Result<OneTimeCode, Error> {
        actor.demand_staff()?;
        let reason = demand_reason(reason)?;
        let (id, code) = (Uuid::now_v7().to_string(), secrets::draw_digits(ONE_TIME_DIGITS)?);
        let hash = one_time_hash(&self.vault, &id, &code);
        let stored = kiosks::OneTimeCode { id, hash, tries: 0 };
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                if managed(tx, actor, member)?.role != Role::Student {
                    return Err(Error::new(Code::Forbidden, "one-time codes are for students"));
                }
                let (now_ms, subject) = (tx.now_ms(), format!("member:{member}"));
                kiosks::insert_one_time(tx.conn, member, &stored, now_ms, now_ms + ONE_TIME_MS)?;
                let detail = serde_json::json!({ "reason": reason }).to_string();
                let (actor, action) = (actor.id(), "kiosk.one_time_code");
                Ok(tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?)
            })
            .await?;
        Ok(OneTimeCode { code, expires_in_s: ONE_TIME_MS / 1_000 })
    }

    /// Refuses a sign-in at a kiosk that is over; one that is not counts as used now. Other log-ins
    /// pass.
    pub(in crate::service) fn demand_live_at_kiosk(&self, caller: Caller) -> Result<(), Error> {
        if caller.method != Method::Kiosk {
            return Ok(());
        }
        let now = self.clock.monotonic();
        let kiosk = self.kiosks.touch(caller.session_id, now, &self.settings.kiosk);
        let snapshot = self.store.snapshot();
        let known = kiosk.is_some_and(|id| snapshot.site.kiosks.contains_key(&id));
        if known { Ok(()) } else { Err(session_ended()) }
    }

    /// Refuses a sign-in at a kiosk where only whole log-ins will do.
    pub fn refuse_at_kiosk(caller: Caller) -> Result<(), Error> {
        if caller.method == Method::Kiosk {
            let detail = "this cannot be done at a kiosk: use your phone or a computer";
            return Err(Error::new(Code::NotAtKiosk, detail));
        }
        Ok(())
    }

    /// Whether the caller stands at a kiosk of this bank; a refusal when they are signed in at one
    /// of other banks.
    pub(in crate::service) fn at_kiosk_of(
        &self,
        caller: Caller,
        bank: BankId,
    ) -> Result<bool, Error> {
        if caller.method != Method::Kiosk {
            return Ok(false);
        }
        let kiosk = self.kiosks.kiosk_of(caller.session_id);
        let snapshot = self.store.snapshot();
        let kiosk = kiosk.and_then(|id| snapshot.site.kiosks.get(&id));
        if kiosk.is_some_and(|kiosk| kiosk.serves(bank)) {
            return Ok(true);
        }
        let detail = "this kiosk is not one of that bank: go to the one beside the locker";
        Err(Error::new(Code::NotAtKiosk, detail).with("bank_id", bank.0))
    }

    /// Refuses a claim at a kiosk for a locker that it does not stand beside. Other log-ins pass.
    pub(in crate::service) fn demand_at_its_kiosk(
        &self,
        caller: Caller,
        locker: LockerId,
    ) -> Result<(), Error> {
        if caller.method != Method::Kiosk {
            return Ok(());
        }
        let snapshot = self.store.snapshot();
        let (_, bank) = snapshot.site.locker(locker).ok_or_else(|| locker_not_found(locker))?;
        self.at_kiosk_of(caller, bank.id).map(drop)
    }

    /// Ends the sign-ins that nobody uses any more; says how many.
    pub async fn end_idle_sign_ins(&self) -> Result<usize, Error> {
        let over = self.kiosks.all_over(self.clock.monotonic(), &self.settings.kiosk);
        if over.is_empty() {
            return Ok(0);
        }
        let sessions = over.clone();
        self.store
            .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                for (session, reason) in &sessions {
                    end_session(tx, None, *session, reason)?;
                }
                Ok(())
            })
            .await?;
        for (session, _) in &over {
            self.kiosks.end(*session);
        }
        Ok(over.len())
    }

    /// Ends sign-ins that an earlier run of the program knew: nobody can tell who stands there now.
    pub async fn end_lost_sign_ins(&self) -> Result<usize, Error> {
        self.store.write(Lane::Housekeeping, |tx| end_sign_ins(tx, None, None, "idle")).await
    }
}

fn try_sign_in(
    tx: &mut Tx<'_>,
    vault: &Vault,
    rules: &LimitRules,
    typed: &Typed,
    session: NewSignIn,
) -> Result<Tried, Error> {
    let row = match &typed.student_id {
        Some(id) => members::find_by_student_id(tx.conn, id)?,
        None => None,
    };
    let whose = row.as_ref().map(|row| row.id);
    let limits: [Limit; 2] = [
        (LimitKind::KioskCode, Subject::typed(&typed.id_hash, whose)),
        (LimitKind::Kiosk, Subject::numbered("kiosk", typed.kiosk.0)),
    ];
    limits::check(tx, &limits)?;
    let proof = match &row {
        Some(row) => check_code(tx, vault, row, &typed.code)?,
        None => None,
    };
    let (Some(row), Some(strong)) = (row, proof) else {
        limits::fail(tx, rules, &limits)?;
        return count_wrong(tx, &limits);
    };
    demand_enabled(&row)?;
    limits::succeed(tx, &limits)?;
    end_sign_ins(tx, Some(row.id), Some(typed.kiosk), "log_out")?;
    let session = NewSignIn { member: row.id, strong, ..session };
    let id = kiosks::insert_sign_in(tx.conn, &session, tx.now_ms())?;
    members::update_last_login(tx.conn, row.id, tx.now_ms())?;
    let how = if strong { "app" } else { "one_time_code" };
    let detail = serde_json::json!({ "how": how, "session": id });
    audit(tx, Some(row.id), typed.kiosk, "kiosk.sign_in", &detail)?;
    Ok(Tried::In(Box::new(row), id, strong))
}

/// Whether a code is the member's, and if so whether it came from their own app.
fn check_code(
    tx: &Tx<'_>,
    vault: &Vault,
    row: &MemberRow,
    code: &str,
) -> Result<Option<bool>, Error> {
    if looks_like_code(code) {
        return Ok((take_code(tx, vault, row.id, code)? == Taken::App).then_some(true));
    }
    let Some(known) = kiosks::find_one_time(tx.conn, row.id, tx.now_ms())? else {
        return Ok(None);
    };
    let shown = one_time_hash(vault, &known.id, code);
    if known.tries >= ONE_TIME_TRIES || !bool::from(known.hash.ct_eq(&shown)) {
        kiosks::update_one_time_missed(tx.conn, &known.id)?;
        return Ok(None);
    }
    Ok(kiosks::update_one_time_used(tx.conn, &known.id, tx.now_ms())?.then_some(false))
}

fn count_wrong(tx: &Tx<'_>, limits: &[Limit]) -> Result<Tried, Error> {
    let (mut tries_left, mut wait_ms) = (FAILURES_MAX, 0);
    for (kind, subject) in limits {
        if let Some(tally) = throttle::find(tx.conn, *kind, subject)? {
            if kind.is_a_ladder() {
                tries_left = tries_left.min(FAILURES_MAX.saturating_sub(tally.count));
            }
            wait_ms = wait_ms.max(tally.until_ms.saturating_sub(tx.now_ms()));
        }
    }
    Ok(Tried::Wrong { tries_left, wait_ms })
}

/// The wait is told for the next try, as the limit itself will.
fn wrong(tries_left: u32, wait_ms: i64) -> Error {
    let wait_ms = u64::try_from(wait_ms)
        .unwrap_or(0)
        .min(crate::domain::limit::LOCKED_RETRY_MS.unsigned_abs());
    Error::new(Code::BadCredentials, "the id or the code is wrong")
        .with("tries_left", tries_left)
        .retry_after_ms(wait_ms)
}

fn one_time_hash(vault: &Vault, id: &str, code: &str) -> [u8; 32] {
    vault.keyed_hash(&format!("code:{id}"), code)
}
