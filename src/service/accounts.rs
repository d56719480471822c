//! Logging in, staying logged in and logging out.

use jiff::SignedDuration;
use serde::Serialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::Services;
use super::error::{Code, Error};
use super::passwords::PASSWORD_BYTES_MAX;
use super::tokens::{Caller, Method, RefreshSecrets, RefreshToken};
use crate::domain::id::{MemberId, SessionId};
use crate::domain::member::{self, Profile, Role};
use crate::store::audit::AuditEntry;
use crate::store::members::{self, MemberRow};
use crate::store::sessions::{self, NewSession, SessionRow};
use crate::store::{Change, Lane, Tx};

/// Within this time the token before the newest counts as a lost answer, not as theft.
const SUPERSEDED_GRACE_MS: i64 = 10_000;

/// Log-ins issued in one job: the writer is not kept from others for long.
const ISSUE_SLICE: usize = 500;

/// Longest client name kept of a log-in.
const USER_AGENT_CHARS_MAX: usize = 200;

/// How far the roster triple (student id, name, phone) opens the site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RosterLogin {
    /// Not at all.
    #[default]
    Off,
    /// To claim a locker; opening one needs a log-in with a password.
    Claim,
    /// For everything a student does.
    Full,
}

/// Who may make themselves an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Nobody: accounts come from staff and the roster.
    #[default]
    Closed,
    /// Whoever logs in by a roster triple with a new student id.
    Open,
}

/// How somebody says who they are.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Student id or e-mail address, and password.
    Password {
        /// Either of the two.
        id: String,
        /// As typed.
        password: String,
    },
    /// Personal data as the roster has it.
    Roster(RosterTriple),
}

/// The data by which a roster log-in knows a student.
#[derive(Debug, Clone)]
pub struct RosterTriple {
    /// Student id.
    pub student_id: String,
    /// Full name.
    pub name: String,
    /// Phone number.
    pub phone: String,
}

/// What is kept of the device a log-in came from.
#[derive(Debug, Clone)]
pub struct Device {
    /// What the client called itself.
    pub user_agent: String,
    /// The client's address.
    pub address: String,
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
}

/// What a member sees of their own account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Their data.
    pub row: MemberRow,
    /// How this log-in was proven.
    pub method: Method,
}

impl Services {
    /// Logs in with a password or, where the site allows it, by the roster triple.
    pub async fn log_in(&self, credentials: Credentials, device: Device) -> Result<Tokens, Error> {
        let (row, method) = match credentials {
            Credentials::Password { id, password } => {
                (self.check_password(&id, password).await?, Method::Password)
            }
            Credentials::Roster(triple) => (self.check_roster(&triple).await?, Method::Roster),
        };
        self.open_session(&row, method, device).await
    }

    /// Logs a student in by the roster triple; makes the account when the id is new and the site
    /// lets people register. The second value says whether it was made.
    pub async fn log_in_or_register(
        &self,
        triple: RosterTriple,
        device: Device,
    ) -> Result<(Tokens, bool), Error> {
        self.demand_roster_login()?;
        let profile = Profile::parse(&triple.student_id, &triple.name, Some(&triple.phone), None)
            .map_err(|error| Error::new(Code::Invalid, error.to_string()))?;
        let id = profile.student_id().to_owned();
        let known = self.store.read(move |conn| members::find_by_student_id(conn, &id)).await?;
        if known.is_some() {
            let row = self.check_roster(&triple).await?;
            return Ok((self.open_session(&row, Method::Roster, device).await?, false));
        }
        if self.settings.registration == Registration::Closed {
            return Err(bad_credentials());
        }
        let row = self.store.write(Lane::Change, move |tx| register(tx, &profile)).await?;
        Ok((self.open_session(&row, Method::Roster, device).await?, true))
    }

    async fn check_password(&self, id: &str, password: String) -> Result<MemberRow, Error> {
        if password.len() > PASSWORD_BYTES_MAX || id.len() > 254 {
            return Err(bad_credentials());
        }
        let (student_id, email) = (member::parse_student_id(id).ok(), member::parse_email(id).ok());
        let row = self
            .store
            .read(move |conn| match (student_id, email) {
                (Some(id), _) => members::find_by_student_id(conn, &id),
                (None, Some(email)) => members::find_by_email(conn, &email),
                (None, None) => Ok(None),
            })
            .await?;
        let hash = row.as_ref().and_then(|row| row.password_hash.clone());
        let matches = self.passwords.verify(password, hash).await?;
        row.filter(|_| matches).ok_or_else(bad_credentials)
    }

    async fn check_roster(&self, triple: &RosterTriple) -> Result<MemberRow, Error> {
        self.demand_roster_login()?;
        let (Ok(id), Ok(name), Ok(phone)) = (
            member::parse_student_id(&triple.student_id),
            member::parse_name(&triple.name),
            member::parse_phone(&triple.phone),
        ) else {
            return Err(bad_credentials());
        };
        let row = self.store.read(move |conn| members::find_by_student_id(conn, &id)).await?;
        // Staff and admins have more to lose than a name and a phone number can prove.
        row.filter(|row| {
            let same_name = row.name.as_bytes().ct_eq(name.as_bytes());
            let known_phone = row.phone.as_deref().unwrap_or_default();
            let same_phone = known_phone.as_bytes().ct_eq(phone.as_bytes());
            row.role == Role::Student && bool::from(same_name & same_phone)
        })
        .ok_or_else(bad_credentials)
    }

    fn demand_roster_login(&self) -> Result<(), Error> {
        if self.settings.roster_login == RosterLogin::Off {
            let detail = "this site does not log in by name and phone: use your password";
            return Err(Error::new(Code::RosterLoginOff, detail));
        }
        Ok(())
    }

    async fn open_session(
        &self,
        row: &MemberRow,
        method: Method,
        device: Device,
    ) -> Result<Tokens, Error> {
        let secrets = RefreshSecrets::draw()?;
        let session = NewSession {
            member_id: row.id,
            method: method.name(),
            family_hash: secrets.family_hash(),
            refresh_hash: secrets.secret_hash(),
            expires_ms: self.refresh_expiry_ms(),
            user_agent: device.user_agent.chars().take(USER_AGENT_CHARS_MAX).collect(),
            address: device.address,
        };
        let session_id = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                let id = sessions::insert(tx.conn, &session, tx.now_ms())?;
                members::update_last_login(tx.conn, session.member_id, tx.now_ms())?;
                audit_session(tx, session.member_id, id, "session.open", session.method)?;
                Ok(id)
            })
            .await?;
        let caller = Caller { member_id: row.id, role: row.role, session_id, method };
        self.tokens(caller, &secrets.token(session_id))
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
            .await?;
        match rotated {
            Rotated::Next(caller) => self.tokens(caller, &next),
            Rotated::Superseded => Err(Error::new(
                Code::RefreshSuperseded,
                "a newer refresh token was issued a moment ago: use that one",
            )),
            Rotated::Refused => Err(session_ended()),
        }
    }

    /// Ends the caller's log-in at once, also for access tokens already out.
    pub async fn log_out(&self, caller: Caller) -> Result<(), Error> {
        self.store
            .write(Lane::Change, move |tx| {
                end_session(tx, caller.member_id, caller.session_id, "log_out")
            })
            .await
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

    /// Checks an access token without asking the database.
    pub fn authenticate(&self, token: &str) -> Result<Caller, Error> {
        self.authenticate_until(token).map(|(caller, _)| caller)
    }

    /// Checks an access token; also says until when it is good.
    pub fn authenticate_until(&self, token: &str) -> Result<(Caller, jiff::Timestamp), Error> {
        let (caller, until) = self.token_keys.check_until(token, self.clock.now())?;
        if self.store.snapshot().session_ended(caller.session_id) {
            return Err(session_ended());
        }
        Ok((caller, until))
    }

    /// The caller's own account.
    pub async fn account(&self, caller: Caller) -> Result<Account, Error> {
        let id = caller.member_id;
        let row = self.store.read(move |conn| members::find_by_id(conn, id)).await?;
        let row = row.ok_or_else(session_ended)?;
        Ok(Account { row, method: caller.method })
    }

    fn tokens(&self, caller: Caller, refresh: &RefreshToken) -> Result<Tokens, Error> {
        let lifetime = self.settings.access_lifetime;
        Ok(Tokens {
            access_token: self.token_keys.issue(caller, self.clock.now(), lifetime)?,
            refresh_token: refresh.encode(),
            expires_in_s: lifetime.as_secs(),
            member_id: caller.member_id,
            role: caller.role,
        })
    }

    fn refresh_expiry_ms(&self) -> i64 {
        let lifetime: SignedDuration = self.settings.refresh_lifetime;
        self.clock.now().as_millisecond()
            + i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX / 2)
    }
}

/// How trading a refresh token went; a revoked family is a committed change, not a refusal.
enum Rotated {
    Next(Caller),
    Superseded,
    Refused,
}

fn rotate(
    tx: &mut Tx<'_>,
    token: &RefreshToken,
    new_hash: &[u8; 32],
    expires_ms: i64,
    roster_login: RosterLogin,
) -> Result<Rotated, Error> {
    let now_ms = tx.now_ms();
    let Some(session) = sessions::find(tx.conn, token.session_id)? else {
        return Ok(Rotated::Refused);
    };
    if session.ended || session.expires_ms <= now_ms || !token.is_of_family(&session.family_hash) {
        return Ok(Rotated::Refused);
    }
    if Method::from_name(&session.method) == Method::Roster && roster_login == RosterLogin::Off {
        // The site has stopped to take names and phone numbers: such log-ins end with it.
        end_session(tx, session.member_id, session.id, "log_out")?;
        return Ok(Rotated::Refused);
    }
    if token.has_secret(&session.refresh_hash) {
        let Some(row) = members::find_by_id(tx.conn, session.member_id)? else {
            return Ok(Rotated::Refused);
        };
        sessions::update_refreshed(tx.conn, session.id, new_hash, expires_ms, now_ms)?;
        return Ok(Rotated::Next(Caller {
            member_id: row.id,
            role: row.role,
            session_id: session.id,
            method: Method::from_name(&session.method),
        }));
    }
    if is_lost_answer(&session, token, now_ms) {
        return Ok(Rotated::Superseded);
    }
    // An old token of a real family: either side may be the thief, so both are logged out.
    end_session(tx, session.member_id, session.id, "token_reuse")?;
    Ok(Rotated::Refused)
}

fn is_lost_answer(session: &SessionRow, token: &RefreshToken, now_ms: i64) -> bool {
    session.previous_hash.is_some_and(|hash| token.has_secret(&hash))
        && now_ms - session.refreshed_ms <= SUPERSEDED_GRACE_MS
}

fn end_session(
    tx: &mut Tx<'_>,
    member: MemberId,
    session: SessionId,
    reason: &'static str,
) -> Result<(), Error> {
    if sessions::update_ended(tx.conn, session, reason, tx.now_ms())? {
        tx.apply(&Change::SessionEnded(session, tx.now_ms()));
        audit_session(tx, member, session, "session.end", reason)?;
    }
    Ok(())
}

fn audit_session(
    tx: &mut Tx<'_>,
    member: MemberId,
    session: SessionId,
    action: &'static str,
    how: &str,
) -> Result<(), Error> {
    let (subject, detail) = (format!("session:{session}"), json!({ "how": how }).to_string());
    let entry = AuditEntry { actor: Some(member), action, subject: &subject, detail: &detail };
    Ok(tx.audit(&entry)?)
}

fn register(tx: &mut Tx<'_>, profile: &Profile) -> Result<MemberRow, Error> {
    let id = members::insert(tx.conn, profile, Role::Student, None, tx.now_ms())?;
    let subject = format!("member:{id}");
    let entry =
        AuditEntry { actor: Some(id), action: "member.register", subject: &subject, detail: "{}" };
    tx.audit(&entry)?;
    members::find_by_id(tx.conn, id)?.ok_or_else(session_ended)
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
    };
    let session_id = sessions::insert(tx.conn, &session, tx.now_ms())?;
    let caller =
        Caller { member_id: *member_id, role: Role::Student, session_id, method: Method::Issued };
    Ok((student_id.clone(), caller))
}

fn bad_credentials() -> Error {
    Error::new(Code::BadCredentials, "id, password or personal data do not match")
}

fn session_ended() -> Error {
    Error::new(Code::SessionEnded, "this log-in has ended: log in again")
}
