//! Kiosks as staff and the devices themselves see them: making, pairing, naming, revoking, and what
//! is known of each.
//!
//! A kiosk's credential is checked against the published state, without a query and in constant
//! time; a revoked one is dead with the commit. What kiosks say of themselves is kept in memory and
//! written down every now and then: a heartbeat costs no write. Staff manage the kiosks all of whose
//! banks are theirs and see those that serve one of theirs. `kiosks/sign_in.rs` has members at
//! kiosks, `kiosks/table.rs` what is in memory.

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::{Code, Error};
use super::limits::{self, Limit};
use super::secrets;
use super::sessions::end_session;
use super::tokens::Caller;
use super::{Services, is_staff_for};
use crate::domain::id::{BankId, KioskId, MemberId};
use crate::domain::kiosk::{self, Kiosk};
use crate::domain::limit::{LimitKind, Subject};
use crate::domain::member::Role;
use crate::domain::totp::compact;
use crate::store::audit::AuditEntry;
use crate::store::kiosks::{self, Pairing, Seen};
use crate::store::{Change, Constraint, Lane, Snapshot, StoreError, Tx};

mod sign_in;
mod table;

pub use sign_in::{OneTimeCode, SignedIn};
pub use table::KioskTable;

use table::SignIn;

/// Most kiosks of a site.
const KIOSKS_MAX: usize = 256;

/// Most kiosks of a page.
pub const PAGE_MAX: u32 = 100;

/// Letters of a pairing code: 39 bits of 31 letters, for a quarter of an hour, once.
const PAIRING_LETTERS: usize = 8;

/// How long a pairing code is good.
const PAIRING_LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// Bytes of the secret in a credential.
const SECRET_BYTES: usize = 32;

/// Longest version that a kiosk may say it runs, in characters.
const VERSION_CHARS_MAX: usize = 100;

/// A code that pairs a kiosk; shown once.
#[derive(Debug, Clone)]
pub struct PairingCode {
    /// Which kiosk.
    pub kiosk_id: KioskId,
    /// Typed at the kiosk.
    pub code: String,
    /// How long it is good, in seconds.
    pub expires_in_s: i64,
}

/// A kiosk that was paired.
#[derive(Debug, Clone)]
pub struct Paired {
    /// Which.
    pub kiosk_id: KioskId,
    /// Its name.
    pub name: String,
    /// What it shows from now on.
    pub credential: String,
}

/// Who is signed in at a kiosk.
#[derive(Debug, Clone)]
pub struct SignedInView {
    /// The member.
    pub member_id: MemberId,
    /// Their student id.
    pub student_id: String,
    /// Their name.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
}

/// A kiosk as staff see it.
#[derive(Debug, Clone)]
pub struct KioskView {
    /// Number, name and banks.
    pub kiosk: Kiosk,
    /// Since when it is paired, unix milliseconds.
    pub paired_ms: Option<i64>,
    /// Until when a pairing code waits, unix milliseconds.
    pub pairing_expires_ms: Option<i64>,
    /// What it said of itself last.
    pub seen: Option<Seen>,
    /// Whether it is paired and has been silent for too long.
    pub is_silent: bool,
    /// Who is signed in there.
    pub signed_in: Option<SignedInView>,
}

/// How much of a kiosk must be a member of staff's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    EveryBank,
    AnyBank,
}

impl Services {
    /// Makes a kiosk beside these banks, to be paired with a code.
    pub async fn add_kiosk(
        &self,
        caller: Caller,
        name: &str,
        banks: Vec<BankId>,
    ) -> Result<PairingCode, Error> {
        demand_staff(caller)?;
        let name = kiosk::parse_name(name).map_err(|why| Error::new(Code::Invalid, why))?;
        let banks = self.own_banks(caller, banks)?;
        let (code, pairing) = self.draw_pairing()?;
        let kiosk_id = self
            .store
            .write(Lane::Change, move |tx| {
                if tx.snapshot().site.kiosks.len() >= KIOSKS_MAX {
                    let detail = format!("a site has at most {KIOSKS_MAX} kiosks");
                    return Err(Error::new(Code::Invalid, detail));
                }
                let id = kiosks::insert(tx.conn, &name, pairing, caller.member_id, tx.now_ms())
                    .map_err(name_taken)?;
                kiosks::replace_banks(tx.conn, id, &banks)?;
                let detail = json!({ "name": name, "banks": banks });
                audit(tx, Some(caller.member_id), id, "kiosk.add", &detail)?;
                tx.apply(&Change::Site);
                Ok(id)
            })
            .await?;
        Ok(PairingCode { kiosk_id, code, expires_in_s: PAIRING_LIFETIME.as_secs() })
    }

    /// Gives a kiosk a new pairing code. Its credential is good until the code was used.
    pub async fn new_pairing_code(
        &self,
        caller: Caller,
        id: KioskId,
    ) -> Result<PairingCode, Error> {
        self.demand_kiosk(caller, id, Own::EveryBank)?;
        let (code, pairing) = self.draw_pairing()?;
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                kiosks::update_pairing(tx.conn, id, pairing)?;
                audit(tx, Some(caller.member_id), id, "kiosk.pairing_code", &json!({}))
            })
            .await?;
        Ok(PairingCode { kiosk_id: id, code, expires_in_s: PAIRING_LIFETIME.as_secs() })
    }

    /// Names a kiosk anew or puts it beside other banks.
    pub async fn update_kiosk(
        &self,
        caller: Caller,
        id: KioskId,
        name: Option<String>,
        banks: Option<Vec<BankId>>,
    ) -> Result<Kiosk, Error> {
        let known = self.demand_kiosk(caller, id, Own::EveryBank)?;
        let name = name.map(|name| kiosk::parse_name(&name)).transpose();
        let name = name.map_err(|why| Error::new(Code::Invalid, why))?;
        let banks = banks.map(|banks| self.own_banks(caller, banks)).transpose()?;
        let kiosk = Kiosk {
            name: name.unwrap_or(known.name),
            banks: banks.unwrap_or(known.banks),
            ..known
        };
        let stored = kiosk.clone();
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                kiosks::update_name(tx.conn, id, &stored.name).map_err(name_taken)?;
                kiosks::replace_banks(tx.conn, id, &stored.banks)?;
                let detail = json!({ "name": stored.name, "banks": stored.banks });
                audit(tx, Some(caller.member_id), id, "kiosk.change", &detail)?;
                tx.apply(&Change::Site);
                Ok(())
            })
            .await?;
        Ok(kiosk)
    }

    /// Ends a kiosk for good, with whoever is signed in there.
    pub async fn revoke_kiosk(&self, caller: Caller, id: KioskId) -> Result<(), Error> {
        self.demand_kiosk(caller, id, Own::EveryBank)?;
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                kiosks::update_revoked(tx.conn, id, caller.member_id, tx.now_ms())?;
                end_sign_ins(tx, Some(caller.member_id), Some(id), "by_staff")?;
                audit(tx, Some(caller.member_id), id, "kiosk.revoke", &json!({}))?;
                tx.apply(&Change::Site);
                Ok(())
            })
            .await?;
        self.kiosks.forget(id);
        Ok(())
    }

    /// Ends the sign-in of whoever stands at a kiosk.
    pub async fn end_kiosk_session(&self, caller: Caller, id: KioskId) -> Result<(), Error> {
        self.demand_kiosk(caller, id, Own::AnyBank)?;
        self.end_sign_in_at(id, Some(caller.member_id), "by_staff").await
    }

    /// The kiosks that the caller looks after, by number; the second value is where the next page
    /// begins.
    pub async fn kiosks(
        &self,
        caller: Caller,
        after: Option<KioskId>,
        limit: u32,
    ) -> Result<(Vec<KioskView>, Option<KioskId>), Error> {
        demand_staff(caller)?;
        let rows = self.store.read(kiosks::list_rows).await?;
        let snapshot = self.store.snapshot();
        let from = after.map_or(0, |id| id.0.saturating_add(1));
        let mut views: Vec<KioskView> = rows
            .into_iter()
            .filter(|row| row.id.0 >= from)
            .filter_map(|row| {
                let kiosk = snapshot.site.kiosks.get(&row.id)?;
                owns(&snapshot, caller, kiosk, Own::AnyBank)
                    .then(|| self.kiosk_view(&snapshot, kiosk.clone(), row))
            })
            .take(limit.min(PAGE_MAX) as usize + 1)
            .collect();
        let more = views.len() > limit as usize;
        views.truncate(limit as usize);
        let next = views.last().filter(|_| more).map(|view| view.kiosk.id);
        Ok((views, next))
    }

    fn kiosk_view(&self, snapshot: &Snapshot, kiosk: Kiosk, row: kiosks::KioskRow) -> KioskView {
        let seen = self.kiosks.seen(kiosk.id).or(row.seen);
        let now_ms = self.clock.now().as_millisecond();
        let silent_ms = i64::try_from(self.settings.kiosk.silent.as_millis()).unwrap_or(i64::MAX);
        let heard_ms = seen.as_ref().map(|seen| seen.at_ms).max(row.paired_ms);
        let is_silent = kiosk.credential_hash.is_some()
            && heard_ms.is_none_or(|at_ms| now_ms.saturating_sub(at_ms) > silent_ms);
        let signed_in = self
            .kiosks
            .signed_in(kiosk.id, self.clock.monotonic(), &self.settings.kiosk)
            .filter(|it| !snapshot.session_ended(it.session_id))
            .map(|it| SignedInView {
                member_id: it.member_id,
                student_id: it.student_id,
                name: it.name,
                since: it.since,
            });
        let (paired_ms, pairing_expires_ms) = (row.paired_ms, row.pairing_expires_ms);
        KioskView { kiosk, paired_ms, pairing_expires_ms, seen, is_silent, signed_in }
    }

    /// Pairs a device with the kiosk that a code is for. A device that was paired before is
    /// locked out.
    pub async fn pair_kiosk(&self, code: &str, address: &str) -> Result<Paired, Error> {
        let hash = self.vault.keyed_hash("kiosk-pairing", &paper(code));
        let secret = secrets::draw::<SECRET_BYTES>()?;
        let credential_hash: [u8; 32] = Sha256::digest(secret).into();
        let limits: [Limit; 1] = [(LimitKind::KioskPairing, Subject::address(address))];
        let rules = self.settings.limits;
        let paired = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                limits::check(tx, &limits)?;
                let Some((id, expires_ms)) = kiosks::find_by_pairing(tx.conn, &hash)? else {
                    limits::fail(tx, &rules, &limits)?;
                    return Ok(None);
                };
                if expires_ms <= tx.now_ms() {
                    let detail = "this pairing code is too old: have staff make a new one";
                    return Err(Error::new(Code::CodeExpired, detail));
                }
                kiosks::update_paired(tx.conn, id, &credential_hash, tx.now_ms())?;
                end_sign_ins(tx, None, Some(id), "by_staff")?;
                audit(tx, None, id, "kiosk.pair", &json!({}))?;
                tx.apply(&Change::Site);
                Ok(Some(id))
            })
            .await?;
        let id = paired
            .ok_or_else(|| Error::new(Code::CodeWrong, "the pairing code is wrong or was used"))?;
        self.kiosks.forget(id);
        let name = self.store.snapshot().site.kiosks.get(&id).map(|kiosk| kiosk.name.clone());
        let credential = format!("{id}.{}", BASE64URL_NOPAD.encode(&secret));
        Ok(Paired { kiosk_id: id, name: name.unwrap_or_default(), credential })
    }

    /// The kiosk behind a credential; notes that it was heard of.
    pub fn authenticate_kiosk(&self, credential: &str, address: &str) -> Result<Kiosk, Error> {
        let kiosk = self.find_kiosk(credential).ok_or_else(|| {
            let detail = "this device is not paired as a kiosk, or not any more: pair it anew";
            Error::new(Code::KioskUnknown, detail)
        })?;
        self.kiosks.hear(kiosk.id, self.clock.now().as_millisecond(), address, None);
        Ok(kiosk)
    }

    fn find_kiosk(&self, credential: &str) -> Option<Kiosk> {
        let (id, secret) = credential.split_once('.')?;
        let secret = BASE64URL_NOPAD.decode(secret.as_bytes()).ok()?;
        let shown: [u8; 32] = Sha256::digest(&secret).into();
        let snapshot = self.store.snapshot();
        let kiosk = snapshot.site.kiosks.get(&KioskId(id.parse().ok()?))?;
        let known = kiosk.credential_hash?;
        bool::from(known.ct_eq(&shown)).then(|| kiosk.clone())
    }

    /// Takes down what a kiosk says of itself.
    pub fn hear_kiosk(&self, kiosk: &Kiosk, address: &str, version: &str) -> Result<(), Error> {
        if version.chars().count() > VERSION_CHARS_MAX {
            let detail = format!("version must have at most {VERSION_CHARS_MAX} characters");
            return Err(Error::new(Code::Invalid, detail));
        }
        let now_ms = self.clock.now().as_millisecond();
        self.kiosks.hear(kiosk.id, now_ms, address, Some(version));
        Ok(())
    }

    /// Writes down what kiosks said of themselves since the last time; says how many.
    pub async fn note_kiosks(&self) -> Result<usize, Error> {
        let news = self.kiosks.take_news();
        if news.is_empty() {
            return Ok(0);
        }
        let count = news.len();
        self.store
            .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                for (id, seen) in &news {
                    kiosks::update_seen(tx.conn, *id, seen)?;
                }
                Ok(())
            })
            .await?;
        Ok(count)
    }

    /// The banks of a wish, if they are all the caller's to give.
    fn own_banks(&self, caller: Caller, banks: Vec<BankId>) -> Result<Vec<BankId>, Error> {
        let banks = kiosk::parse_banks(banks).map_err(|why| Error::new(Code::Invalid, why))?;
        let snapshot = self.store.snapshot();
        for bank in &banks {
            if !snapshot.site.banks.contains_key(bank) {
                return Err(Error::new(Code::BankNotFound, format!("there is no bank {bank}")));
            }
            if !is_staff_for(&snapshot, caller, *bank) {
                let detail = format!("you do not look after bank {bank}");
                return Err(Error::new(Code::Forbidden, detail));
            }
        }
        Ok(banks)
    }

    fn demand_kiosk(&self, caller: Caller, id: KioskId, own: Own) -> Result<Kiosk, Error> {
        demand_staff(caller)?;
        let snapshot = self.store.snapshot();
        let seen = snapshot.site.kiosks.get(&id);
        let seen = seen.filter(|kiosk| owns(&snapshot, caller, kiosk, Own::AnyBank));
        let kiosk =
            seen.ok_or_else(|| Error::new(Code::KioskNotFound, "there is no such kiosk"))?;
        if !owns(&snapshot, caller, kiosk, own) {
            let detail = "this kiosk also serves banks of others: ask an admin";
            return Err(Error::new(Code::Forbidden, detail));
        }
        Ok(kiosk.clone())
    }

    fn draw_pairing(&self) -> Result<(String, Pairing), Error> {
        let code = secrets::draw_letters(PAIRING_LETTERS)?;
        let hash = self.vault.keyed_hash("kiosk-pairing", &code);
        let expires = self.clock.now() + PAIRING_LIFETIME;
        Ok((code, Pairing { hash, expires_ms: expires.as_millisecond() }))
    }
}

fn owns(snapshot: &Snapshot, caller: Caller, kiosk: &Kiosk, own: Own) -> bool {
    let mut banks = kiosk.banks.iter();
    let mine = |bank: &BankId| is_staff_for(snapshot, caller, *bank);
    match own {
        _ if caller.role == Role::Admin => true,
        Own::EveryBank => banks.all(mine),
        Own::AnyBank => banks.any(mine),
    }
}

/// Ends the sign-ins at a kiosk, or at all of them, inside a job; says how many.
fn end_sign_ins(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    kiosk: Option<KioskId>,
    reason: &'static str,
) -> Result<usize, Error> {
    let open = kiosks::list_open_sign_ins(tx.conn, kiosk)?;
    for (session, _) in &open {
        end_session(tx, actor, *session, reason)?;
    }
    Ok(open.len())
}

/// A code from paper as it was drawn: small letters, no spaces or hyphens.
fn paper(code: &str) -> String {
    compact(code).to_ascii_lowercase().replace('-', "")
}

/// Refuses students.
pub fn demand_staff(caller: Caller) -> Result<(), Error> {
    match caller.role {
        Role::Staff | Role::Admin => Ok(()),
        Role::Student => Err(Error::new(Code::Forbidden, "this is for staff")),
    }
}

fn name_taken(error: StoreError) -> Error {
    match error {
        StoreError::Conflict(Constraint::Unique(_)) => {
            Error::new(Code::NameTaken, "another kiosk has this name: pick another name")
        }
        other => other.into(),
    }
}

fn audit(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    kiosk: KioskId,
    action: &'static str,
    detail: &Value,
) -> Result<(), Error> {
    let (subject, detail) = (format!("kiosk:{kiosk}"), detail.to_string());
    Ok(tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?)
}
