//! Making oneself an account: data and password first, then the code that was mailed.
//!
//! The answer to a sign-up is the same in shape, status and time whether id and address are known
//! or not: the password is hashed in each case, and somebody who cannot sign up gets a row that no
//! code fits. Whoever has the account already is told by mail. Nothing is an account before its
//! address was proven; until then it waits beside its code and is forgotten with it.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Services;
use super::accounts::Registration;
use super::codes::{self, CodeSent, Drawn, Redeemed, expired};
use super::error::{Code, Error};
use super::limits::{self, Limit};
use super::mails::{self, Mail};
use super::passwords::weak;
use super::secrets::Vault;
use super::sessions::{Device, Tokens, end_sessions_of, session_ended};
use super::tokens::Method;
use crate::domain::id::MemberId;
use crate::domain::limit::{LimitKind, LimitRules, Subject};
use crate::domain::member::{Profile, Role};
use crate::domain::password::{self, Owner};
use crate::store::accounts::{self, SignedUp};
use crate::store::audit::AuditEntry;
use crate::store::codes::Purpose;
use crate::store::members::{self, MemberRow};
use crate::store::outbox::Recipient;
use crate::store::{Lane, Tx};

const PURPOSE: Purpose = Purpose::SignUp;

/// What somebody says of themselves.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// Student id.
    pub student_id: String,
    /// Full name.
    pub name: String,
    /// Phone number.
    pub phone: String,
    /// E-mail address; the code goes there.
    pub email: String,
    /// The password of the account to be.
    pub password: String,
    /// The language of mails: `ko` or `en`.
    pub language: String,
    /// The version of the privacy notice that was agreed to.
    pub consent: String,
}

/// What waits for its code.
#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    email: String,
    language: String,
    /// `None`: no code fits.
    account: Option<AccountToBe>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct AccountToBe {
    student_id: String,
    name: String,
    phone: String,
    password_hash: String,
    consent: String,
    consent_ms: i64,
    /// The row of the roster that becomes the account.
    fill: Option<i64>,
}

/// What can become of a sign-up.
enum Decision {
    /// A new account.
    New,
    /// The account of somebody whom the roster has.
    Fill(MemberId),
    /// There is one already.
    Known(Box<MemberRow>),
    /// Nothing.
    Nobody,
}

impl Services {
    /// Who can make themselves an account here: nobody where codes cannot be mailed.
    #[must_use]
    pub const fn registration(&self) -> Registration {
        if self.mail_on() { self.settings.registration } else { Registration::Closed }
    }

    /// Begins a sign-up: mails the code, or does something that looks the same.
    pub async fn sign_up(&self, wish: SignUp, device: &Device) -> Result<CodeSent, Error> {
        self.demand_open_registration()?;
        self.demand_mail()?;
        self.demand_consent(Some(&wish.consent))?;
        let profile = parse(&wish)?;
        self.demand_domain(profile.email().unwrap_or_default())?;
        password::check_length(&password::normalised(&wish.password), Role::Student, false)
            .map_err(|error| weak(&error))?;
        let ticket = self.passwords.enter()?;
        let limits = self.sign_up_limits(profile.email().unwrap_or_default(), device);
        self.check_limits(&limits).await?;
        self.check_limits(&[(LimitKind::Address, Subject::address(&device.address))]).await?;
        let owner = self.owner_of_profile(&profile);
        let hash = self.passwords.hash_new(&ticket, wish.password, owner).await?;
        let drawn = Drawn::new(&self.vault)?;
        let (vault, rules) = (self.vault.clone(), self.settings.limits);
        let (mode, language, consent) = (self.settings.registration, wish.language, wish.consent);
        let code = drawn.clone();
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                limits::take(tx, &rules, &limits)?;
                let decision = decide(tx, mode, &profile)?;
                if let Decision::Known(row) = &decision {
                    post_known(tx, &vault, &rules, row)?;
                }
                let fill = match decision {
                    Decision::New => Some(None),
                    Decision::Fill(id) => Some(Some(id.0)),
                    Decision::Known(_) | Decision::Nobody => None,
                };
                let account = fill.map(|fill| AccountToBe {
                    student_id: profile.student_id().to_owned(),
                    name: profile.name().to_owned(),
                    phone: profile.phone().unwrap_or_default().to_owned(),
                    password_hash: hash.clone(),
                    consent: consent.clone(),
                    consent_ms: tx.now_ms(),
                    fill,
                });
                let email = profile.email().unwrap_or_default().to_owned();
                let waiting = Waiting { email, language: language.clone(), account };
                store_and_mail(tx, &vault, &code, &waiting)
            })
            .await?;
        Ok(drawn.sent())
    }

    /// Mails another code for a sign-up; the former one is good no longer.
    pub async fn send_sign_up_again(&self, id: String, device: &Device) -> Result<CodeSent, Error> {
        self.demand_open_registration()?;
        self.demand_mail()?;
        let drawn = Drawn::again(&self.vault, id)?;
        let (code, vault, rules) = (drawn.clone(), self.vault.clone(), self.settings.limits);
        let address: Limit = (LimitKind::SignUp, Subject::address(&device.address));
        self.store
            .write(Lane::Change, move |tx| {
                let row = codes::find_to_send_again(tx, PURPOSE, &code.id)?.ok_or_else(expired)?;
                let waiting = read(&row.payload)?;
                let recipient = (LimitKind::Mail, recipient(&vault, &waiting.email));
                limits::take(tx, &rules, &[address.clone(), recipient])?;
                code.replace(tx, waiting.account.is_some())?;
                post_code(tx, &vault, &code, &waiting)
            })
            .await?;
        Ok(drawn.sent())
    }

    /// Ends a sign-up with the code that was mailed: the account is made and logged in.
    pub async fn confirm_sign_up(
        &self,
        id: String,
        typed: String,
        device: Device,
    ) -> Result<Tokens, Error> {
        self.demand_open_registration()?;
        let address: [Limit; 1] = [(LimitKind::Address, Subject::address(&device.address))];
        self.check_limits(&address).await?;
        let (vault, rules) = (self.vault.clone(), self.settings.limits);
        let registration = self.settings.registration;
        let made = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                let found = codes::redeem(tx, &vault, PURPOSE, (&id, &typed))?;
                match &found {
                    Redeemed::Good(row) => {
                        let waiting = read(&row.payload)?;
                        return Ok(Ok(make(tx, registration, &waiting)?));
                    }
                    Redeemed::Wrong | Redeemed::Expired => limits::fail(tx, &rules, &address)?,
                }
                Ok(Err(found))
            })
            .await?;
        let row = match made {
            Ok(row) => row,
            Err(found) => return Err(found.into_result().err().unwrap_or_else(expired)),
        };
        self.open_session(&row, Method::Password, false, device).await
    }

    fn demand_open_registration(&self) -> Result<(), Error> {
        if self.settings.registration == Registration::Closed {
            let detail = "people cannot make themselves an account here: ask staff for one";
            return Err(Error::new(Code::RegistrationClosed, detail));
        }
        Ok(())
    }

    /// Refuses whoever did not agree to the privacy notice in force.
    pub(super) fn demand_consent(&self, consent: Option<&str>) -> Result<(), Error> {
        let version = self.settings.privacy.version.as_str();
        if consent == Some(version) {
            return Ok(());
        }
        let detail =
            "read the privacy notice in force and agree to it: send its version as consent";
        Err(Error::new(Code::ConsentNeeded, detail).with("version", version))
    }

    /// On an open site the address must be of the campus; on others the roster knows who belongs.
    pub(super) fn demand_domain(&self, email: &str) -> Result<(), Error> {
        let domains = &self.settings.email_domains;
        let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
        let of_campus = domains.iter().any(|known| known.eq_ignore_ascii_case(domain));
        if self.settings.registration != Registration::Open || domains.is_empty() || of_campus {
            return Ok(());
        }
        let detail = format!("the e-mail address must end in @{}", domains.join(" or @"));
        Err(Error::new(Code::Invalid, detail))
    }

    fn sign_up_limits(&self, email: &str, device: &Device) -> [Limit; 2] {
        [
            (LimitKind::SignUp, Subject::address(&device.address)),
            (LimitKind::Mail, recipient(&self.vault, email)),
        ]
    }

    fn owner_of_profile(&self, profile: &Profile) -> Owner {
        let own =
            [Some(profile.student_id()), Some(profile.name()), profile.phone(), profile.email()];
        let words = own.into_iter().flatten().map(str::to_owned);
        let words = words.chain(self.settings.password_words.iter().cloned()).collect();
        Owner { role: Role::Student, has_second_factor: false, words }
    }
}

fn parse(wish: &SignUp) -> Result<Profile, Error> {
    let invalid = |text: String| Error::new(Code::Invalid, text);
    if !matches!(wish.language.as_str(), "ko" | "en") {
        return Err(invalid("language must be ko or en".to_owned()));
    }
    if wish.phone.trim().is_empty() || wish.email.trim().is_empty() {
        return Err(invalid("phone number and e-mail address are needed".to_owned()));
    }
    Profile::parse(&wish.student_id, &wish.name, Some(&wish.phone), Some(&wish.email))
        .map_err(|error| invalid(error.to_string()))
}

/// Whose mails are counted: an address as it was typed, whoever has it.
pub(super) fn recipient(vault: &Vault, email: &str) -> Subject {
    Subject::recipient(&vault.keyed_hash("recipient", email))
}

fn decide(tx: &Tx<'_>, mode: Registration, profile: &Profile) -> Result<Decision, Error> {
    let by_id = members::find_by_student_id(tx.conn, profile.student_id())?;
    let by_email = members::find_by_email(tx.conn, profile.email().unwrap_or_default())?;
    let own_email = by_email.as_ref().map(|row| row.id) == by_id.as_ref().map(|row| row.id);
    if let Some(row) = by_email.filter(|_| !own_email) {
        return Ok(Decision::Known(Box::new(row)));
    }
    Ok(match by_id {
        None if mode == Registration::Open => Decision::New,
        Some(row)
            if row.password_hash.is_some()
                || row.role != Role::Student
                || accounts::has_second_factor(tx.conn, row.id)? =>
        {
            Decision::Known(Box::new(row))
        }
        Some(row) if is_whom_the_roster_has(&row, mode, profile) => Decision::Fill(row.id),
        None | Some(_) => Decision::Nobody,
    })
}

/// Whether somebody says of themselves what the roster says; what it does not know is not asked. Where
/// the roster decides who belongs, id and name alone, which fellow students know, are not enough.
fn is_whom_the_roster_has(row: &MemberRow, mode: Registration, profile: &Profile) -> bool {
    let same = |known: Option<&str>, told: Option<&str>| known.is_none() || known == told;
    let says_more = row.phone.is_some() || row.email.is_some();
    (says_more || mode == Registration::Open)
        && row.name == profile.name()
        && same(row.phone.as_deref(), profile.phone())
        && same(row.email.as_deref(), profile.email())
        && row.disabled.is_none()
        && row.leaving_ms.is_none()
}

fn store_and_mail(
    tx: &Tx<'_>,
    vault: &Vault,
    code: &Drawn,
    waiting: &Waiting,
) -> Result<(), Error> {
    let payload = serde_json::to_value(waiting).unwrap_or_default();
    code.store(tx, PURPOSE, None, waiting.account.is_some(), &payload)?;
    post_code(tx, vault, code, waiting)
}

/// Mails the code, if there is one that fits.
fn post_code(tx: &Tx<'_>, vault: &Vault, code: &Drawn, waiting: &Waiting) -> Result<(), Error> {
    let Some(account) = &waiting.account else { return Ok(()) };
    let (email, language) = (waiting.email.as_str(), waiting.language.as_str());
    let mail = Mail {
        kind: "sign_up_code",
        to: match account.fill {
            Some(id) => Recipient::AddressOf(MemberId(id), email, language),
            None => Recipient::Address(email, language),
        },
        payload: Drawn::payload(),
        secret: Some(code.secret()),
    };
    mails::post(tx, vault, &mail)
}

/// Tells the owner of an account that somebody tried to sign up with their id or address, a few times
/// an hour at most.
pub(super) fn post_known(
    tx: &mut Tx<'_>,
    vault: &Vault,
    rules: &LimitRules,
    row: &MemberRow,
) -> Result<(), Error> {
    let told: Limit = (LimitKind::SignUpKnown, Subject::member(row.id));
    if row.email.is_none() || !limits::has_room(tx, rules, &told)? {
        return Ok(());
    }
    let mail = Mail {
        kind: "sign_up_known",
        to: Recipient::Member(row.id),
        payload: json!({ "name": row.name }),
        secret: None,
    };
    mails::post(tx, vault, &mail)
}

fn read(payload: &str) -> Result<Waiting, Error> {
    serde_json::from_str(payload).map_err(|_| expired())
}

/// Makes the account that waited. What somebody else took meanwhile is refused by its name.
fn make(tx: &mut Tx<'_>, mode: Registration, waiting: &Waiting) -> Result<MemberRow, Error> {
    let Some(account) = &waiting.account else { return Err(expired()) };
    let profile = Profile::parse(
        &account.student_id,
        &account.name,
        Some(&account.phone),
        Some(&waiting.email),
    )
    .map_err(|error| Error::new(Code::Invalid, error.to_string()))?;
    let with = SignedUp {
        email: &waiting.email,
        phone: &account.phone,
        password_hash: &account.password_hash,
        language: &waiting.language,
        consent: (&account.consent, account.consent_ms),
    };
    let id = match account.fill {
        Some(id) => {
            // Staff may have decided otherwise while the code was on its way.
            let row = members::find_by_id(tx.conn, MemberId(id))?;
            let same = |row: &MemberRow| {
                row.role == Role::Student && is_whom_the_roster_has(row, mode, &profile)
            };
            row.filter(same).ok_or_else(expired)?;
            end_sessions_of(tx, MemberId(id), "password_changed", None)?;
            MemberId(id)
        }
        None => members::insert(tx.conn, &profile, Role::Student, None, tx.now_ms())?,
    };
    if !accounts::update_signed_up(tx.conn, id, &with, tx.now_ms())? {
        return Err(Error::new(Code::StudentIdTaken, "this student id has an account already"));
    }
    let detail =
        json!({ "consent": account.consent, "roster": account.fill.is_some() }).to_string();
    let subject = format!("member:{id}");
    let entry = AuditEntry {
        actor: Some(id),
        action: "member.sign_up",
        subject: &subject,
        detail: &detail,
    };
    tx.audit(&entry)?;
    members::find_by_id(tx.conn, id)?.ok_or_else(session_ended)
}
