//! Staying logged in and logging out: sessions, their access tokens and their refresh tokens.

use data_encoding::BASE64URL_NOPAD;
use jiff::SignedDuration;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::Services;
use super::accounts::{RosterLogin, demand_enabled};
use super::error::{Code, Error};
use super::secrets;
use super::tokens::{Caller, Method, RefreshSecrets, RefreshToken};
use crate::domain::id::{DeviceId, MemberId, SessionId};
use crate::domain::member::Role;
use crate::store::audit::AuditEntry;
use crate::store::devices;
use crate::store::members::{self, MemberRow};
use crate::store::sessions::{self, NewSession, SessionRow};
use crate::store::{Lane, Tx};

mod ending;
mod last_used;

pub use ending::SessionView;

pub(super) use ending::{end_session, end_sessions_of};
pub use last_used::LastUsed;

/// Within this time the token before the newest counts as a lost answer, not as theft.
const SUPERSEDED_GRACE_MS: i64 = 10_000;

/// Log-ins issued in one job: the writer is not kept from others for long.
const ISSUE_SLICE: usize = 500;

/// Devices forgotten in one job, and most such jobs of one run.
const FORGET_SLICE: usize = 500;
const FORGET_JOBS_MAX: usize = 200;

/// Longest client name kept of a log-in.
const USER_AGENT_CHARS_MAX: usize = 200;

/// Most log-ins of one member on devices of their own; one more ends the oldest.
const SESSIONS_OF_MEMBER_MAX: usize = 50;

/// Bytes of a device's secret.
const DEVICE_SECRET_BYTES: usize = 32;

/// How long an access token lives that was given out while the database fails: its log-in may have to end.
const DEGRADED_LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// How long a browser keeps its device's secret, in seconds: a year.
pub const DEVICE_COOKIE_S: i64 = 365 * 24 * 3_600;

/// What is kept of the device a log-in came from.
#[derive(Debug, Clone)]
pub struct Device {
    /// What the client called itself.
    pub user_agent: String,
    /// The client's address.
    pub address: String,
    /// SHA-256 of the device's secret: of the `lockerd_device` cookie, if a browser sent one.
    pub secret_hash: Option<[u8; 32]>,
    /// Whether it is a browser: those without a known secret are given one.
    pub is_browser: bool,
}

/// A fresh pair of tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Sent with each request.
    pub access_token: String,
    /// Good once, for the next pair.
    pub refresh_token: String,
    /// How long the access token lives, in seconds.
    pub expires_in_s: i64,
    /// Whose.
    pub member_id: MemberId,
    /// Their role.
    pub role: Role,
    /// The secret that a browser without one is given.
    pub device_secret: Option<String>,
}

impl Services {
    /// Opens a log-in for somebody who has proven who they are; `strong` when a second factor was
    /// shown as well.
    pub(super) async fn open_session(
        &self,
        row: &MemberRow,
        method: Method,
        strong: bool,
        device: Device,
    ) -> Result<Tokens, Error> {
        let refresh = RefreshSecrets::draw()?;
        let mut session = NewSession {
            member_id: row.id,
            method: method.name(),
            family_hash: refresh.family_hash(),
            refresh_hash: refresh.secret_hash(),
            expires_ms: self.refresh_expiry_ms(),
            user_agent: device.user_agent.chars().take(USER_AGENT_CHARS_MAX).collect(),
            address: device.address,
            strong,
            device_id: None,
        };
        let alone = self.settings.single_device && row.role == Role::Student;
        let others_kept = if alone { 0 } else { SESSIONS_OF_MEMBER_MAX - 1 };
        let (known, role, changed_ms) = (device.secret_hash, row.role, row.password_changed_ms);
        let drawn = if device.is_browser { Some(draw_device_secret()?) } else { None };
        let drawn_hash = drawn.as_deref().and_then(device_hash);
        let (session_id, is_new) = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                // Staff may have decided otherwise since the proof, and the password is another one.
                let row = members::find_by_id(tx.conn, session.member_id)?;
                let same =
                    |row: &MemberRow| row.role == role && row.password_changed_ms == changed_ms;
                let row = row.filter(same).ok_or_else(session_ended)?;
                demand_enabled(&row)?;
                let (device_id, is_new) = note_device(tx, session.member_id, known, drawn_hash)?;
                session.device_id = device_id;
                let id = sessions::insert(tx.conn, &session, tx.now_ms())?;
                members::update_last_login(tx.conn, session.member_id, tx.now_ms())?;
                audit_session(tx, Some(session.member_id), id, "session.open", session.method)?;
                make_room(tx, session.member_id, id, others_kept)?;
                Ok((id, is_new))
            })
            .await?;
        let caller = Caller { member_id: row.id, role: row.role, session_id, method, strong };
        let mut tokens =
            self.tokens(caller, &refresh.token(session_id), self.settings.access_lifetime)?;
        tokens.device_secret = drawn.filter(|_| is_new);
        Ok(tokens)
    }

    /// Trades a refresh token for a new pair.
    pub async fn refresh(&self, text: &str) -> Result<Tokens, Error> {
        let token = RefreshToken::parse(text).ok_or_else(session_ended)?;
        let next = token.rotated()?;
        let (new_hash, expires_ms) = (next.secret_hash(), self.refresh_expiry_ms());
        let roster_login = self.settings.roster_login;
        let rotated = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                rotate(tx, &token, &new_hash, expires_ms, roster_login)
            })
            .await;
        match rotated {
            Ok(Judged::Good(caller)) => self.tokens(caller, &next, self.settings.access_lifetime),
            Ok(judged) => Err(refused(&judged)),
            // Whoever is logged in may still open a door: what memory knows needs no writing.
            Err(_) if self.store.degraded().is_some() => self.go_on(text).await,
            Err(error) => Err(error),
        }
    }

    /// While nothing can be written: the newest refresh token stays the newest, and lets its owner go on for
    /// a while. Nobody is logged out meanwhile, not even a thief; that is for the database that can be written.
    async fn go_on(&self, text: &str) -> Result<Tokens, Error> {
        let token = RefreshToken::parse(text).ok_or_else(session_ended)?;
        let id = token.session_id;
        let (session, owner) = self
            .store
            .read(move |conn| {
                let session = sessions::find(conn, id)?;
                let owner = match &session {
                    Some(session) => members::find_by_id(conn, session.member_id)?,
                    None => None,
                };
                Ok((session, owner))
            })
            .await?;
        let now_ms = self.clock.now().as_millisecond();
        match judge(&token, session, owner, self.settings.roster_login, now_ms) {
            Judged::Good(caller) => {
                self.tokens(caller, &token, DEGRADED_LIFETIME.min(self.settings.access_lifetime))
            }
            judged => Err(refused(&judged)),
        }
    }

    /// Logs every student in at once and gives student id and access token: for load drivers.
    pub async fn issue_student_tokens(&self) -> Result<Vec<(String, String)>, Error> {
        let students = self.store.read(members::list_students).await?;
        let mut tokens = Vec::with_capacity(students.len());
        for slice in students.chunks(ISSUE_SLICE) {
            let secrets: Vec<RefreshSecrets> =
                slice.iter().map(|_| RefreshSecrets::draw()).collect::<Result<_, _>>()?;
            let (slice, expires_ms) = (slice.to_vec(), self.refresh_expiry_ms());
            let issued: Vec<(String, Caller)> = self
                .store
                .write::<_, Error, _>(Lane::Change, move |tx| {
                    let pairs = slice.iter().zip(&secrets);
                    pairs
                        .map(|(student, secrets)| issue(tx, student, secrets, expires_ms))
                        .collect()
                })
                .await?;
            for (student_id, caller) in issued {
                let lifetime = self.settings.access_lifetime;
                let token = self.token_keys.issue(caller, self.clock.now(), lifetime)?;
                tokens.push((student_id, token));
            }
        }
        Ok(tokens)
    }

    /// Forgets devices whose cookie is dead by now; says how many.
    pub async fn forget_devices(&self) -> Result<usize, Error> {
        let before_ms = self.clock.now().as_millisecond() - DEVICE_COOKIE_S * 1_000;
        let mut forgotten = 0;
        for _ in 0..FORGET_JOBS_MAX {
            let count = self
                .store
                .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                    let count = devices::delete_old(tx.conn, before_ms, FORGET_SLICE)?;
                    if count > 0 {
                        let (subject, detail) = ("device:all", json!({ "count": count }));
                        let (actor, action, detail) = (None, "device.forget", detail.to_string());
                        tx.audit(&AuditEntry { actor, action, subject, detail: &detail })?;
                    }
                    Ok(count)
                })
                .await?;
            forgotten += count;
            if count < FORGET_SLICE {
                break;
            }
        }
        Ok(forgotten)
    }

    /// Checks an access token without asking the database; also says until when it is good. Only
    /// whole log-ins pass: none at a kiosk, none without a second factor that the site demands.
    pub fn authenticate_until(&self, token: &str) -> Result<(Caller, jiff::Timestamp), Error> {
        let (caller, until) = self.identify(token)?;
        Self::refuse_at_kiosk(caller)?;
        self.demand_second_factor(caller)?;
        Ok((caller, until))
    }

    /// Checks an access token of whatever live log-in.
    pub fn identify(&self, token: &str) -> Result<(Caller, jiff::Timestamp), Error> {
        let now = self.clock.now();
        let (caller, until) = self.token_keys.check_until(token, now)?;
        if self.store.snapshot().session_ended(caller.session_id) {
            return Err(session_ended());
        }
        self.demand_live_at_kiosk(caller)?;
        self.last_used.note(caller.session_id, now.as_millisecond());
        Ok((caller, until))
    }

    fn tokens(
        &self,
        caller: Caller,
        refresh: &RefreshToken,
        lifetime: SignedDuration,
    ) -> Result<Tokens, Error> {
        Ok(Tokens {
            access_token: self.token_keys.issue(caller, self.clock.now(), lifetime)?,
            refresh_token: refresh.encode(),
            expires_in_s: lifetime.as_secs(),
            member_id: caller.member_id,
            role: caller.role,
            device_secret: None,
        })
    }

    fn refresh_expiry_ms(&self) -> i64 {
        let lifetime: SignedDuration = self.settings.refresh_lifetime;
        self.clock.now().as_millisecond()
            + i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX / 2)
    }
}

/// Draws the secret that a browser keeps to be known again.
fn draw_device_secret() -> Result<String, Error> {
    Ok(BASE64URL_NOPAD.encode(&secrets::draw::<DEVICE_SECRET_BYTES>()?))
}

/// What is stored of a device's secret; `None` for what cannot be one.
#[must_use]
pub fn device_hash(secret: &str) -> Option<[u8; 32]> {
    let bytes = BASE64URL_NOPAD.decode(secret.as_bytes()).ok()?;
    (bytes.len() == DEVICE_SECRET_BYTES).then(|| Sha256::digest(&bytes).into())
}

/// Notes from which device a member logged in. One that is not known, also with a secret that was
/// never given out here, is a new one with the secret drawn for it; true says that it is.
fn note_device(
    tx: &mut Tx<'_>,
    member: MemberId,
    known: Option<[u8; 32]>,
    drawn: Option<[u8; 32]>,
) -> Result<(Option<DeviceId>, bool), Error> {
    let now_ms = tx.now_ms();
    let found = known.map(|hash| devices::find(tx.conn, &hash)).transpose()?.flatten();
    let (device, is_new) = match (found, drawn) {
        (Some(device), _) => (device, false),
        (None, Some(hash)) => (devices::insert(tx.conn, &hash, now_ms)?, true),
        (None, None) => return Ok((None, false)),
    };
    devices::touch(tx.conn, device, now_ms)?;
    devices::note_member(tx.conn, member, device, now_ms)?;
    Ok((Some(device), is_new))
}

/// Ends the oldest log-ins of a member on devices of their own, so that beside `newest` this many
/// are left. A sign-in at a kiosk is nobody's device.
fn make_room(
    tx: &mut Tx<'_>,
    member: MemberId,
    newest: SessionId,
    others_kept: usize,
) -> Result<(), Error> {
    let others = sessions::list_devices_of(tx.conn, member, newest)?;
    for session in others.into_iter().skip(others_kept) {
        end_session(tx, Some(member), session, "other_device")?;
    }
    Ok(())
}

/// What a refresh token is worth.
enum Judged {
    /// It is the newest of its log-in.
    Good(Caller),
    /// It was the newest a moment ago.
    Superseded,
    /// An old token of a real family: either side may be the thief, so both are logged out.
    Reused(MemberId, SessionId),
    /// The member is gone or may not log in.
    Disabled(MemberId),
    /// Log-ins of this kind do not go on.
    Over(SessionId),
    /// It is of no log-in.
    Unknown,
}

/// What a token is worth beside what is known of its log-in and of whose it is.
fn judge(
    token: &RefreshToken,
    session: Option<SessionRow>,
    owner: Option<MemberRow>,
    roster_login: RosterLogin,
    now_ms: i64,
) -> Judged {
    let Some(session) = session else {
        return Judged::Unknown;
    };
    if session.ended || session.expires_ms <= now_ms || !token.is_of_family(&session.family_hash) {
        return Judged::Unknown;
    }
    let Some(row) = owner.filter(|row| row.disabled.is_none()) else {
        return Judged::Disabled(session.member_id);
    };
    let method = Method::from_name(&session.method);
    let goes_on = match method {
        // The site may have stopped to take names and phone numbers: such log-ins end with it.
        Method::Roster => roster_login != RosterLogin::Off,
        // A sign-in at a kiosk is for a moment: it never goes on.
        Method::Kiosk => false,
        Method::Password | Method::Issued => true,
    };
    if !goes_on {
        return Judged::Over(session.id);
    }
    if token.has_secret(&session.refresh_hash) {
        return Judged::Good(Caller {
            member_id: row.id,
            role: row.role,
            session_id: session.id,
            method,
            strong: session.strong,
        });
    }
    if is_lost_answer(&session, token, now_ms) {
        return Judged::Superseded;
    }
    Judged::Reused(session.member_id, session.id)
}

/// Draws the consequences; a revoked family is a committed change, not a refusal.
fn rotate(
    tx: &mut Tx<'_>,
    token: &RefreshToken,
    new_hash: &[u8; 32],
    expires_ms: i64,
    roster_login: RosterLogin,
) -> Result<Judged, Error> {
    let now_ms = tx.now_ms();
    let session = sessions::find(tx.conn, token.session_id)?;
    let owner = match &session {
        Some(session) => members::find_by_id(tx.conn, session.member_id)?,
        None => None,
    };
    let judged = judge(token, session, owner, roster_login, now_ms);
    match &judged {
        Judged::Good(caller) => {
            sessions::update_refreshed(tx.conn, caller.session_id, new_hash, expires_ms, now_ms)?;
        }
        Judged::Reused(member, session) => {
            end_session(tx, Some(*member), *session, "token_reuse")?;
        }
        Judged::Disabled(member) => {
            end_sessions_of(tx, *member, "account_changed", None)?;
        }
        Judged::Over(session) => {
            end_session(tx, None, *session, "account_changed")?;
        }
        Judged::Superseded | Judged::Unknown => {}
    }
    Ok(judged)
}

/// Why a refresh token is not taken.
fn refused(judged: &Judged) -> Error {
    if let Judged::Superseded = judged {
        let detail = "a newer refresh token was issued a moment ago: use that one";
        return Error::new(Code::RefreshSuperseded, detail);
    }
    session_ended()
}

fn is_lost_answer(session: &SessionRow, token: &RefreshToken, now_ms: i64) -> bool {
    session.previous_hash.is_some_and(|hash| token.has_secret(&hash))
        && now_ms - session.refreshed_ms <= SUPERSEDED_GRACE_MS
}

fn audit_session(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    session: SessionId,
    action: &'static str,
    how: &str,
) -> Result<(), Error> {
    let (subject, detail) = (format!("session:{session}"), json!({ "how": how }).to_string());
    let entry = AuditEntry { actor, action, subject: &subject, detail: &detail };
    Ok(tx.audit(&entry)?)
}

fn issue(
    tx: &mut Tx<'_>,
    (member_id, student_id): &(MemberId, String),
    secrets: &RefreshSecrets,
    expires_ms: i64,
) -> Result<(String, Caller), Error> {
    let session = NewSession {
        member_id: *member_id,
        method: Method::Issued.name(),
        family_hash: secrets.family_hash(),
        refresh_hash: secrets.secret_hash(),
        expires_ms,
        user_agent: String::new(),
        address: String::new(),
        strong: false,
        device_id: None,
    };
    let session_id = sessions::insert(tx.conn, &session, tx.now_ms())?;
    let caller = Caller {
        member_id: *member_id,
        role: Role::Student,
        session_id,
        method: Method::Issued,
        strong: false,
    };
    Ok((student_id.clone(), caller))
}

pub(super) fn session_ended() -> Error {
    Error::new(Code::SessionEnded, "this log-in has ended: log in again")
}
