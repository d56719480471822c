//! Saying who one is: by password or, where the site allows it, by what the roster knows.
//!
//! Every way goes: limits, proof, limits again with what came of it, whether the account may log in
//! at all. Known and unknown accounts take the same steps in the same time; nothing is said of an
//! account before its owner was proven.

use serde::Serialize;
use subtle::ConstantTimeEq;

use super::Services;
use super::error::{Code, Error};
use super::limits::{self, Limit};
use super::passwords::{PASSWORD_BYTES_MAX, Verified};
use super::sessions::{Device, Tokens, session_ended};
use super::tokens::{Caller, Method};
use crate::domain::limit::{LimitKind, Subject};
use crate::domain::member::{self, Profile, Role};
use crate::store::audit::AuditEntry;
use crate::store::members::{self, MemberRow};
use crate::store::{Lane, Tx, accounts, counts, devices, throttle};

/// Longest id that somebody may type: the longest mail address.
const ID_BYTES_MAX: usize = 254;

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

/// What was typed, and who that is.
struct Typed {
    row: Option<MemberRow>,
    /// Whose failures these would be.
    limits: Vec<Limit>,
}

impl Services {
    /// Logs in with a password or, where the site allows it, by the roster triple.
    pub async fn log_in(
        &self,
        credentials: Credentials,
        totp_code: Option<&str>,
        device: Device,
    ) -> Result<Tokens, Error> {
        let (row, method) = match credentials {
            Credentials::Password { id, password } => {
                (self.check_password(&id, password, &device).await?, Method::Password)
            }
            Credentials::Roster(triple) => {
                (self.check_roster(triple, &device).await?, Method::Roster)
            }
        };
        let strong = self.second_factor(&row, method, totp_code).await?;
        self.open_session(&row, method, strong, device).await
    }

    /// Logs a student in by the roster triple; makes the account when the id is new and the site
    /// lets people register. The second value says whether it was made.
    pub async fn log_in_or_register(
        &self,
        triple: RosterTriple,
        totp_code: Option<&str>,
        device: Device,
    ) -> Result<(Tokens, bool), Error> {
        self.demand_roster_login()?;
        let profile = Profile::parse(&triple.student_id, &triple.name, Some(&triple.phone), None)
            .map_err(|error| Error::new(Code::Invalid, error.to_string()))?;
        let id = profile.student_id().to_owned();
        let known = self.store.read(move |conn| members::find_by_student_id(conn, &id)).await?;
        if known.is_some() || self.settings.registration != Registration::Open {
            let row = self.check_roster(triple, &device).await?;
            let strong = self.second_factor(&row, Method::Roster, totp_code).await?;
            return Ok((self.open_session(&row, Method::Roster, strong, device).await?, false));
        }
        let begun: Limit = (LimitKind::SignUp, Subject::address(&device.address));
        let rules = self.settings.limits;
        let row = self
            .store
            .write(Lane::Change, move |tx| {
                limits::take(tx, &rules, std::slice::from_ref(&begun))?;
                register(tx, &profile)
            })
            .await?;
        Ok((self.open_session(&row, Method::Roster, false, device).await?, true))
    }

    /// Proves a member by their password.
    async fn check_password(
        &self,
        id: &str,
        password: String,
        device: &Device,
    ) -> Result<MemberRow, Error> {
        if password.len() > PASSWORD_BYTES_MAX || id.len() > ID_BYTES_MAX {
            return Err(bad_credentials());
        }
        // First of all: who finds the threads busy is refused before anything is asked for them.
        let ticket = self.passwords.enter()?;
        let typed = self.who_is(id, device).await?;
        let stored = typed.row.as_ref().and_then(|row| row.password_hash.clone());
        let found = self.passwords.verify(&ticket, password, stored.clone()).await?;
        let rehashed = match &found {
            Verified::Right { rehashed } => rehashed.clone(),
            Verified::Wrong => None,
        };
        let row = typed.row.filter(|_| found != Verified::Wrong);
        let again = stored.zip(rehashed).zip(row.as_ref().map(|row| row.id));
        self.settle(typed.limits, row.is_some(), move |tx| {
            if let Some(((old, new), member)) = &again {
                accounts::update_rehashed(tx.conn, *member, old, new)?;
            }
            Ok(())
        })
        .await?;
        let row = row.ok_or_else(bad_credentials)?;
        demand_enabled(&row)?;
        Ok(row)
    }

    /// Looks up what was typed, and refuses when that must wait.
    async fn who_is(&self, id: &str, device: &Device) -> Result<Typed, Error> {
        let (student_id, email) = (member::parse_student_id(id).ok(), member::parse_email(id).ok());
        let one_form = student_id.clone().or_else(|| email.clone());
        let typed = self.vault.keyed_hash("typed", &one_form.unwrap_or_else(|| id.to_lowercase()));
        let (secret_hash, address) = (device.secret_hash, Subject::address(&device.address));
        let now_ms = self.clock.now().as_millisecond();
        let (row, limits, in_force) = self
            .store
            .read(move |conn| {
                let row = match (student_id, email) {
                    (Some(id), _) => members::find_by_student_id(conn, &id)?,
                    (None, Some(email)) => members::find_by_email(conn, &email)?,
                    (None, None) => None,
                };
                let member = row.as_ref().map(|row| row.id);
                let known = devices::find_subject(conn, member, secret_hash.as_ref())?;
                let stranger = (LimitKind::LogIn, Subject::typed(&typed, member));
                let limits = failures_of(known, stranger, address);
                // Both are asked about, whoever is known.
                let mut in_force = None;
                for (kind, subject) in &limits {
                    let found = throttle::hold(conn, *kind, subject, now_ms)?;
                    in_force = in_force.or(found.map(|found| (*kind, found)));
                }
                Ok((row, limits, in_force))
            })
            .await?;
        match in_force {
            Some((kind, hold)) => Err(limits::refusal(kind, hold)),
            None => Ok(Typed { row, limits }),
        }
    }

    /// Writes down how a proof went. Refuses when the limit was reached meanwhile, whatever came
    /// of the proof: of many guesses sent together only the first is looked at.
    pub(super) async fn settle(
        &self,
        limits: Vec<Limit>,
        proven: bool,
        mut and: impl FnMut(&mut Tx<'_>) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let (rules, today) = (self.settings.limits, self.clock.today());
        self.store
            .write(Lane::Change, move |tx| {
                limits::check(tx, &limits)?;
                if proven {
                    limits::succeed(tx, &limits)?;
                    and(tx)
                } else {
                    counts::add(tx.conn, today, counts::LOG_IN_REFUSED)?;
                    limits::fail(tx, &rules, &limits)
                }
            })
            .await
    }

    /// Proves a student by what the roster knows of them.
    async fn check_roster(
        &self,
        triple: RosterTriple,
        device: &Device,
    ) -> Result<MemberRow, Error> {
        self.demand_roster_login()?;
        let (Ok(id), Ok(name), Ok(phone)) = (
            member::parse_student_id(&triple.student_id),
            member::parse_name(&triple.name),
            member::parse_phone(&triple.phone),
        ) else {
            return Err(bad_credentials());
        };
        let typed = self.vault.keyed_hash("typed", &id);
        let (secret_hash, address) = (device.secret_hash, Subject::address(&device.address));
        let (rules, today) = (self.settings.limits, self.clock.today());
        let row = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                let row = members::find_by_student_id(tx.conn, &id)?;
                let member = row.as_ref().map(|row| row.id);
                let known = devices::find_subject(tx.conn, member, secret_hash.as_ref())?;
                let stranger = (LimitKind::RosterLogIn, Subject::typed(&typed, member));
                let limits = failures_of(known, stranger, address.clone());
                limits::check(tx, &limits)?;
                let row = row.filter(|row| is_the_one(row, &name, &phone));
                if row.is_some() {
                    limits::succeed(tx, &limits)?;
                } else {
                    counts::add(tx.conn, today, counts::LOG_IN_REFUSED)?;
                    limits::fail(tx, &rules, &limits)?;
                }
                Ok(row)
            })
            .await?
            .ok_or_else(bad_credentials)?;
        demand_enabled(&row)?;
        Ok(row)
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

/// Whose failures a try at a log-in counts with. Strangers' failures do not keep out the device that
/// the member has used before; and a campus behind one address is not kept out by what others do
/// there: whoever comes with a device of their own is not counted with it.
fn failures_of(known: Option<Subject>, stranger: Limit, address: Subject) -> Vec<Limit> {
    match known {
        Some(device) => vec![(LimitKind::LogInDevice, device)],
        None => vec![stranger, (LimitKind::Address, address)],
    }
}

/// Whether name and phone are the ones that the roster has. Staff and admins have more to lose
/// than that can prove.
fn is_the_one(row: &MemberRow, name: &str, phone: &str) -> bool {
    let same_name = row.name.as_bytes().ct_eq(name.as_bytes());
    let known_phone = row.phone.as_deref().unwrap_or_default();
    let same_phone = known_phone.as_bytes().ct_eq(phone.as_bytes());
    row.role == Role::Student && bool::from(same_name & same_phone)
}

/// Refuses an account that staff keep out. Asked only after its owner was proven.
pub(super) fn demand_enabled(row: &MemberRow) -> Result<(), Error> {
    match &row.disabled {
        Some((_, reason)) => {
            let detail = "staff have disabled this account: ask them";
            Err(Error::new(Code::AccountDisabled, detail).with("reason", reason.as_str()))
        }
        None => Ok(()),
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

/// The one refusal for whatever was wrong.
pub(super) fn bad_credentials() -> Error {
    Error::new(Code::BadCredentials, "id, password or personal data do not match")
}
