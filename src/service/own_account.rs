//! What people change of their own account with their password: the password itself, a forgotten
//! one, the mail address.
//!
//! Whoever is logged in types the password again. A forgotten one is set anew with a mailed code;
//! known and unknown ids are answered alike, and the rules for the new password are told only to
//! somebody whose code was right. A new password ends the other log-ins, is told by mail, and
//! forgives the account's failures.

use serde_json::json;

use super::Services;
use super::accounts::bad_credentials;
use super::codes::{self, CodeSent, Drawn, Redeemed, expired};
use super::error::{Code, Error};
use super::limits::{self, Limit};
use super::mails::{self, Mail};
use super::passwords::{PASSWORD_BYTES_MAX, Ticket, Verified};
use super::secrets::Vault;
use super::sessions::{Device, end_sessions_of, session_ended};
use super::sign_up::{post_known, recipient};
use super::tokens::{Caller, Method};
use crate::domain::id::{MemberId, SessionId};
use crate::domain::limit::{LimitKind, LimitRules, Subject};
use crate::domain::member::{self, Role};
use crate::domain::password::Owner;
use crate::store::audit::AuditEntry;
use crate::store::codes::{self as code_rows, Purpose};
use crate::store::members::{self, MemberRow};
use crate::store::outbox::Recipient;
use crate::store::{Lane, StoreError, Tx, accounts, devices, throttle};

impl Services {
    /// Changes the caller's password; their other log-ins end.
    pub async fn change_password(
        &self,
        caller: Caller,
        current: String,
        new: String,
        device: &Device,
    ) -> Result<(), Error> {
        demand_password_log_in(caller)?;
        let ticket = self.passwords.enter()?;
        let row = self.prove_again(caller, current, &ticket, &device.address).await?;
        let owner = self.owner_of(&row).await?;
        let hash = self.passwords.hash_new(&ticket, new, owner).await?;
        let vault = self.vault.clone();
        let changed = self
            .store
            .write(Lane::Change, move |tx| {
                set_password(tx, &vault, &row, &hash, Some(caller.session_id))
            })
            .await?;
        if changed { Ok(()) } else { Err(bad_credentials()) }
    }

    /// Mails a code for a forgotten password, or does something that looks the same.
    pub async fn forgot_password(&self, id: &str, device: &Device) -> Result<CodeSent, Error> {
        self.demand_mail()?;
        let (student_id, email) = (member::parse_student_id(id).ok(), member::parse_email(id).ok());
        let one_form = student_id.clone().or_else(|| email.clone());
        let typed = one_form.unwrap_or_else(|| id.to_lowercase());
        let asked: Limit =
            (LimitKind::Mail, Subject::typed(&self.vault.keyed_hash("typed", &typed), None));
        let address: Limit = (LimitKind::Forgotten, Subject::address(&device.address));
        let drawn = Drawn::new(&self.vault)?;
        let (code, vault, rules) = (drawn.clone(), self.vault.clone(), self.settings.limits);
        let secret_hash = device.secret_hash;
        self.store
            .write(Lane::Change, move |tx| {
                let row = match (&student_id, &email) {
                    (Some(id), _) => members::find_by_student_id(tx.conn, id)?,
                    (None, Some(email)) => members::find_by_email(tx.conn, email)?,
                    (None, None) => None,
                };
                let member = row.as_ref().map(|row| row.id);
                // What strangers ask for is not held against a browser that the member has used.
                let known = devices::find_subject(tx.conn, member, secret_hash.as_ref())?;
                let is_known = known.is_some();
                let limits = known.map_or_else(
                    || vec![asked.clone(), address.clone()],
                    |device| vec![(LimitKind::Mail, device)],
                );
                limits::take(tx, &rules, &limits)?;
                let own = row.filter(|row| row.email.is_some() && row.password_hash.is_some());
                match own {
                    Some(row) if is_known || has_mail_left(tx, &rules, row.id)? => {
                        post_reset(tx, &vault, &code, &row)
                    }
                    _ => code.store(tx, Purpose::PasswordReset, None, false, &json!({})),
                }
            })
            .await?;
        Ok(drawn.sent())
    }

    /// Sets a forgotten password anew, or a first one, with the code that was mailed or handed over;
    /// every log-in ends. The first one of an account is its sign-up and needs `consent` as one.
    pub async fn reset_password(
        &self,
        id: String,
        typed: String,
        new: String,
        consent: Option<&str>,
        device: &Device,
    ) -> Result<(), Error> {
        if new.len() > PASSWORD_BYTES_MAX {
            return Err(Error::new(Code::Invalid, "the password is too long"));
        }
        let ticket = self.passwords.enter()?;
        let address: [Limit; 1] = [(LimitKind::Address, Subject::address(&device.address))];
        self.check_limits(&address).await?;
        let row = self.look_at_reset(id.clone(), typed.clone(), address.clone()).await?;
        if row.password_hash.is_none() {
            self.demand_consent(consent)?;
        }
        let owner = self.owner_of(&row).await?;
        let hash = self.passwords.hash_new(&ticket, new, owner).await?;
        let (vault, version) = (self.vault.clone(), self.settings.privacy.version.clone());
        self.store
            .write(Lane::Change, move |tx| {
                let purpose = Purpose::PasswordReset;
                let code = codes::redeem(tx, &vault, purpose, (&id, &typed))?.into_result()?;
                // Read anew: whatever the password was meanwhile, the code was mailed to its owner.
                let row = members::find_by_id(tx.conn, row.id)?.ok_or_else(expired)?;
                set_password(tx, &vault, &row, &hash, None)?;
                if codes::was_mailed(&code) {
                    accounts::update_email_verified(tx.conn, row.id, tx.now_ms())?;
                }
                if row.password_hash.is_none() {
                    keep_consent(tx, row.id, &version)?;
                }
                Ok::<_, Error>(())
            })
            .await
    }

    /// Looks at a code before anything is said of the account that it is for.
    async fn look_at_reset(
        &self,
        id: String,
        typed: String,
        address: [Limit; 1],
    ) -> Result<MemberRow, Error> {
        let (vault, rules) = (self.vault.clone(), self.settings.limits);
        let found = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                let found = codes::look(tx, &vault, Purpose::PasswordReset, (&id, &typed))?;
                match found {
                    Redeemed::Good(code) => {
                        let id = code.member_id.ok_or_else(expired)?;
                        let row = members::find_by_id(tx.conn, id)?;
                        Ok(Ok(row.ok_or_else(expired)?))
                    }
                    missed => {
                        limits::fail(tx, &rules, &address)?;
                        Ok(Err(missed))
                    }
                }
            })
            .await?;
        found.map_err(|missed| missed.into_result().err().unwrap_or_else(expired))
    }

    /// Begins to change the caller's mail address: the code goes to the new one.
    pub async fn change_email(
        &self,
        caller: Caller,
        email: &str,
        password: String,
        device: &Device,
    ) -> Result<CodeSent, Error> {
        demand_password_log_in(caller)?;
        self.demand_mail()?;
        let email = member::parse_email(email)
            .map_err(|error| Error::new(Code::Invalid, error.to_string()))?;
        let ticket = self.passwords.enter()?;
        let row = self.prove_again(caller, password, &ticket, &device.address).await?;
        if row.role == Role::Student {
            self.demand_domain(&email)?;
        }
        if row.email.as_ref() == Some(&email) {
            return Err(Error::new(Code::Invalid, "this is your address already"));
        }
        // Not with the mails that strangers can have sent to the account.
        let limits = [
            (LimitKind::Mail, Subject::numbered("owner", row.id.0)),
            (LimitKind::Mail, recipient(&self.vault, &email)),
        ];
        let drawn = Drawn::new(&self.vault)?;
        let (code, vault, rules) = (drawn.clone(), self.vault.clone(), self.settings.limits);
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                limits::take(tx, &rules, &limits)?;
                let taken = members::find_by_email(tx.conn, &email)?;
                let purpose = Purpose::EmailChange;
                code_rows::update_replaced(tx.conn, row.id, purpose, tx.now_ms())?;
                let payload = json!({ "email": email });
                code.store(tx, purpose, Some(row.id), taken.is_none(), &payload)?;
                match &taken {
                    Some(owner) => post_known(tx, &vault, &rules, owner),
                    None => mails::post(
                        tx,
                        &vault,
                        &Mail {
                            kind: "email_change_code",
                            to: Recipient::AddressOf(row.id, &email, &row.language),
                            payload: Drawn::payload(),
                            secret: Some(code.secret()),
                        },
                    ),
                }
            })
            .await?;
        Ok(drawn.sent())
    }

    /// Ends a change of the caller's mail address with the code that was mailed there; the old
    /// address is told.
    pub async fn confirm_email(
        &self,
        caller: Caller,
        id: String,
        typed: String,
    ) -> Result<(), Error> {
        demand_password_log_in(caller)?;
        let vault = self.vault.clone();
        let missed = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                let purpose = Purpose::EmailChange;
                let own = code_rows::find(tx.conn, &id, purpose)?
                    .is_some_and(|row| row.member_id == Some(caller.member_id));
                if !own {
                    return Ok(Some(Redeemed::Expired));
                }
                match codes::redeem(tx, &vault, purpose, (&id, &typed))? {
                    Redeemed::Good(code) => set_email(tx, &vault, caller, &code.payload),
                    missed => Ok(Some(missed)),
                }
            })
            .await?;
        missed.map_or(Ok(()), |missed| missed.into_result().map(|_| ()))
    }

    /// Has the caller's password typed again; their failures count for the account.
    pub(super) async fn prove_again(
        &self,
        caller: Caller,
        password: String,
        ticket: &Ticket,
        address: &str,
    ) -> Result<MemberRow, Error> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Err(bad_credentials());
        }
        let limits = [
            (LimitKind::PasswordAgain, Subject::member(caller.member_id)),
            (LimitKind::Address, Subject::address(address)),
        ];
        self.check_limits(&limits).await?;
        let row = self.own_row(caller.member_id).await?;
        let found = self.passwords.verify(ticket, password, row.password_hash.clone()).await?;
        let right = found != Verified::Wrong;
        self.settle(limits.to_vec(), right, |_| Ok(())).await?;
        if right { Ok(row) } else { Err(bad_credentials()) }
    }

    async fn own_row(&self, id: MemberId) -> Result<MemberRow, Error> {
        let row = self.store.read(move |conn| members::find_by_id(conn, id)).await?;
        row.ok_or_else(session_ended)
    }

    /// What a new password of a member must not be made of.
    async fn owner_of(&self, row: &MemberRow) -> Result<Owner, Error> {
        let id = row.id;
        let has_second_factor =
            self.store.read(move |conn| accounts::has_second_factor(conn, id)).await?;
        let own = [Some(&row.student_id), Some(&row.name), row.phone.as_ref(), row.email.as_ref()];
        let words = own.into_iter().flatten().chain(&self.settings.password_words);
        Ok(Owner { role: row.role, has_second_factor, words: words.cloned().collect() })
    }
}

/// Personal data or a moment at a kiosk are not enough to change how somebody logs in.
fn demand_password_log_in(caller: Caller) -> Result<(), Error> {
    match caller.method {
        Method::Password => Ok(()),
        Method::Kiosk => {
            Err(Error::new(Code::NotAtKiosk, "this cannot be done at a kiosk: log in elsewhere"))
        }
        Method::Roster | Method::Issued => {
            Err(Error::new(Code::PasswordNeeded, "log in with your password first"))
        }
    }
}

/// Takes one of the mails that an account gets in an hour, whoever asks; false when none is left.
fn has_mail_left(tx: &mut Tx<'_>, rules: &LimitRules, member: MemberId) -> Result<bool, Error> {
    limits::has_room(tx, rules, &(LimitKind::Mail, Subject::member(member)))
}

/// Stores and mails the code for a forgotten password.
pub(super) fn post_reset(
    tx: &Tx<'_>,
    vault: &Vault,
    code: &Drawn,
    row: &MemberRow,
) -> Result<(), Error> {
    code.store_reset(tx, row.id, true)?;
    let mail = Mail {
        kind: "password_reset",
        to: Recipient::Member(row.id),
        payload: Drawn::payload(),
        secret: Some(code.secret()),
    };
    mails::post(tx, vault, &mail)
}

/// Gives a member a new password with everything that follows from it; false when it was changed
/// by somebody else meanwhile.
fn set_password(
    tx: &mut Tx<'_>,
    vault: &Vault,
    row: &MemberRow,
    hash: &str,
    keep: Option<SessionId>,
) -> Result<bool, Error> {
    let old = row.password_hash.as_deref();
    if !accounts::update_password(tx.conn, row.id, (old, hash), tx.now_ms())? {
        return Ok(false);
    }
    end_sessions_of(tx, row.id, "password_changed", keep)?;
    let purpose = Purpose::PasswordReset;
    code_rows::update_replaced(tx.conn, row.id, purpose, tx.now_ms())?;
    forgive(tx, row.id)?;
    let detail = json!({ "how": if keep.is_some() { "change" } else { "reset" } }).to_string();
    let subject = format!("member:{}", row.id);
    tx.audit(&AuditEntry {
        actor: Some(row.id),
        action: "member.password",
        subject: &subject,
        detail: &detail,
    })?;
    if row.email.is_some() {
        let mail = Mail {
            kind: "password_changed",
            to: Recipient::Member(row.id),
            payload: json!({ "name": row.name }),
            secret: None,
        };
        mails::post(tx, vault, &mail)?;
    }
    Ok(true)
}

/// Keeps that somebody agreed to the privacy notice when they took their account over.
fn keep_consent(tx: &mut Tx<'_>, member: MemberId, version: &str) -> Result<(), StoreError> {
    accounts::update_consent(tx.conn, member, version, tx.now_ms())?;
    let (subject, detail) = (format!("member:{member}"), json!({ "consent": version }).to_string());
    tx.audit(&AuditEntry {
        actor: Some(member),
        action: "member.consent",
        subject: &subject,
        detail: &detail,
    })
}

/// Forgets the failures of an account whose owner has proven to be there.
fn forgive(tx: &Tx<'_>, member: MemberId) -> Result<(), StoreError> {
    for kind in
        [LimitKind::LogIn, LimitKind::LogInDevice, LimitKind::RosterLogIn, LimitKind::PasswordAgain]
    {
        throttle::delete_of_member(tx.conn, kind, member)?;
    }
    Ok(())
}

fn set_email(
    tx: &mut Tx<'_>,
    vault: &Vault,
    caller: Caller,
    payload: &str,
) -> Result<Option<Redeemed>, Error> {
    let waiting: serde_json::Value = serde_json::from_str(payload).unwrap_or_default();
    let Some(email) = waiting["email"].as_str() else { return Ok(Some(Redeemed::Expired)) };
    let row = members::find_by_id(tx.conn, caller.member_id)?.ok_or_else(session_ended)?;
    accounts::update_email(tx.conn, row.id, email, tx.now_ms())?;
    // What was mailed to the former address proves nothing any more.
    code_rows::update_replaced(tx.conn, row.id, Purpose::PasswordReset, tx.now_ms())?;
    let subject = format!("member:{}", row.id);
    tx.audit(&AuditEntry {
        actor: Some(row.id),
        action: "member.email",
        subject: &subject,
        detail: "{}",
    })?;
    if let Some(old) = &row.email {
        let mail = Mail {
            kind: "email_changed",
            to: Recipient::AddressOf(row.id, old, &row.language),
            payload: json!({ "name": row.name }),
            secret: None,
        };
        mails::post(tx, vault, &mail)?;
    }
    Ok(None)
}
