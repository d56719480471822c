//! Saying who one is: by password or, where the site allows it, by what the roster knows.

use serde::Serialize;
use subtle::ConstantTimeEq;

use super::Services;
use super::error::{Code, Error};
use super::passwords::PASSWORD_BYTES_MAX;
use super::sessions::{Device, Tokens, session_ended};
use super::tokens::{Caller, Method};
use crate::domain::member::{self, Profile, Role};
use crate::store::audit::AuditEntry;
use crate::store::members::{self, MemberRow};
use crate::store::{Lane, Tx};

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
    /// Whom the roster has.
    Roster,
    /// Everybody; also whoever logs in by a roster triple with a new student id.
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
        self.open_session(&row, method, false, device).await
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
            return Ok((self.open_session(&row, Method::Roster, false, device).await?, false));
        }
        if self.settings.registration != Registration::Open {
            return Err(bad_credentials());
        }
        let row = self.store.write(Lane::Change, move |tx| register(tx, &profile)).await?;
        Ok((self.open_session(&row, Method::Roster, false, device).await?, true))
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

    /// The caller's own account.
    pub async fn account(&self, caller: Caller) -> Result<Account, Error> {
        let id = caller.member_id;
        let row = self.store.read(move |conn| members::find_by_id(conn, id)).await?;
        let row = row.ok_or_else(session_ended)?;
        Ok(Account { row, method: caller.method })
    }
}

fn register(tx: &mut Tx<'_>, profile: &Profile) -> Result<MemberRow, Error> {
    let id = members::insert(tx.conn, profile, Role::Student, None, tx.now_ms())?;
    let subject = format!("member:{id}");
    let entry =
        AuditEntry { actor: Some(id), action: "member.register", subject: &subject, detail: "{}" };
    tx.audit(&entry)?;
    members::find_by_id(tx.conn, id)?.ok_or_else(session_ended)
}

fn bad_credentials() -> Error {
    Error::new(Code::BadCredentials, "id, password or personal data do not match")
}
