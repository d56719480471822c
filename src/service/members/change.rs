//! What staff change of accounts: data, role, whether they may log in, a new password.
//!
//! Rentals and history hang on the member's number and stay whatever changes. Who gets another role
//! or is disabled is logged out at once: their tokens say what they were.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Actor, audit, demand_banks, demand_other_admin, insert, managed, member_not_found, put_banks,
};
use crate::domain::id::{BankId, MemberId};
use crate::domain::member::{self, Profile, Role};
use crate::service::Services;
use crate::service::codes::{CodeSent, Drawn};
use crate::service::error::{Code, Error};
use crate::service::idempotency::{Answer, RequestKey, once};
use crate::service::mails::{Mail, post};
use crate::service::own_account::post_reset;
use crate::service::sessions::end_sessions_of;
use crate::service::tokens::Caller;
use crate::store::codes::{self, Purpose};
use crate::store::members::{self, Changes, MemberRow};
use crate::store::outbox::{self, NewMessage, Recipient};
use crate::store::{Change, Lane, Tx, banks};

/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 500;

/// A person whom staff make an account for; they set their password themselves.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// Their data.
    pub profile: Profile,
    /// Faculty or office.
    pub department: Option<String>,
    /// The language of mails.
    pub language: Option<String>,
    /// What they may do at large.
    pub role: Role,
    /// Banks that a staff member looks after.
    pub staff_of: Vec<BankId>,
}

/// Data as somebody typed it; what is `None` stays, what is empty is taken away.
#[derive(Debug, Clone, Default)]
pub struct TypedChanges {
    /// Student id.
    pub student_id: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Faculty or office.
    pub department: Option<String>,
    /// ko or en.
    pub language: Option<String>,
}

impl TypedChanges {
    /// Checks everything and brings it into its one form.
    pub fn parse(&self) -> Result<Changes, Error> {
        let filled = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let parsed = || {
            Ok::<_, member::MemberError>(Changes {
                student_id: self.student_id.as_deref().map(member::parse_student_id).transpose()?,
                name: self.name.as_deref().map(member::parse_name).transpose()?,
                phone: (self.phone.as_ref())
                    .map(|text| filled(text).as_deref().map(member::parse_phone).transpose())
                    .transpose()?,
                email: (self.email.as_ref())
                    .map(|text| filled(text).as_deref().map(member::parse_email).transpose())
                    .transpose()?,
                department: self.department.as_deref().map(member::parse_department).transpose()?,
                language: self.language.as_deref().map(member::parse_language).transpose()?,
            })
        };
        parsed().map_err(|error| Error::new(Code::Invalid, error.to_string()))
    }
}

/// An account that was made.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Made {
    /// Its number.
    pub member_id: MemberId,
}

/// A code for a new password.
#[derive(Debug, Clone)]
pub struct PasswordReset {
    /// By which the code is known, and how long it is good.
    pub sent: CodeSent,
    /// The code, to be handed over; `None` when it was mailed.
    pub code: Option<String>,
}

impl Services {
    /// Makes an account without a password.
    pub async fn create_member(
        &self,
        caller: Caller,
        new: NewPerson,
        key: Option<RequestKey>,
    ) -> Result<Answer<Made>, Error> {
        Actor::Caller(caller).demand_manages(new.role)?;
        if !new.staff_of.is_empty() && new.role != Role::Staff {
            return Err(banks_are_for_staff());
        }
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "create-member", key.as_ref(), |tx| {
                    create(tx, caller.member_id, &new)
                })
            })
            .await
    }

    /// Changes somebody's data; gives the names of what is different now.
    pub async fn change_member(
        &self,
        actor: Actor,
        id: MemberId,
        typed: TypedChanges,
    ) -> Result<Vec<&'static str>, Error> {
        actor.demand_staff()?;
        let changes = typed.parse()?;
        self.store
            .write(Lane::Change, move |tx| {
                let row = managed(tx, actor, id)?;
                change(tx, actor.id(), &row, changes.clone())
            })
            .await
    }

    /// Gives somebody another role; their log-ins end.
    pub async fn set_role(&self, actor: Actor, id: MemberId, role: Role) -> Result<(), Error> {
        actor.demand_admin()?;
        self.store
            .write(Lane::Change, move |tx| {
                let row = managed(tx, actor, id)?;
                if row.role == role {
                    return Ok(());
                }
                demand_other_admin(tx, &row)?;
                members::update_role(tx.conn, id, role)?;
                // What was begun as one role is not carried on as another.
                for purpose in [Purpose::PasswordReset, Purpose::EmailChange] {
                    codes::update_replaced(tx.conn, id, purpose, tx.now_ms())?;
                }
                if row.role == Role::Staff {
                    banks::delete_staff(tx.conn, id, None)?;
                    tx.apply(&Change::Site);
                }
                let detail = json!({ "from": row.role, "to": role });
                audit(tx, actor.id(), "member.role", id, &detail)?;
                end_sessions_of(tx, id, "account_changed", None)?;
                Ok(())
            })
            .await
    }

    /// Gives a member of staff these banks and no others into their care.
    pub async fn set_staff_banks(
        &self,
        actor: Actor,
        id: MemberId,
        ids: Vec<BankId>,
    ) -> Result<(), Error> {
        actor.demand_admin()?;
        self.store
            .write(Lane::Change, move |tx| {
                let row = managed(tx, actor, id)?;
                if row.role != Role::Staff {
                    return Err(banks_are_for_staff());
                }
                demand_banks(tx, &ids)?;
                banks::delete_staff(tx.conn, id, None)?;
                put_banks(tx, id, &ids)?;
                tx.apply(&Change::Site);
                Ok(audit(tx, actor.id(), "member.banks", id, &json!({ "banks": ids }))?)
            })
            .await
    }

    /// Keeps somebody out from now on; their rental stays.
    pub async fn disable_member(
        &self,
        actor: Actor,
        id: MemberId,
        reason: String,
    ) -> Result<(), Error> {
        actor.demand_staff()?;
        demand_reason(&reason)?;
        if actor.id() == Some(id) {
            return Err(Error::new(Code::Forbidden, "you cannot disable your own account"));
        }
        let vault = self.vault.clone();
        self.store
            .write(Lane::Change, move |tx| {
                let row = managed(tx, actor, id)?;
                demand_other_admin(tx, &row)?;
                let since_ms = row.disabled.as_ref().map_or(tx.now_ms(), |(since_ms, _)| *since_ms);
                members::update_disabled(tx.conn, id, Some((since_ms, reason.trim())))?;
                // The reason may name people: it stays with the account and goes with it.
                audit(tx, actor.id(), "member.disable", id, &json!({}))?;
                end_sessions_of(tx, id, "by_staff", None)?;
                if row.disabled.is_none() {
                    let payload = json!({ "name": row.name, "reason": reason.trim() });
                    tell(tx, &vault, &row, "account_disabled", payload)?;
                }
                Ok(())
            })
            .await
    }

    /// Lets somebody in again.
    pub async fn enable_member(&self, actor: Actor, id: MemberId) -> Result<(), Error> {
        actor.demand_staff()?;
        let vault = self.vault.clone();
        self.store
            .write(Lane::Change, move |tx| {
                let row = managed(tx, actor, id)?;
                if row.disabled.is_none() {
                    return Ok(());
                }
                members::update_disabled(tx.conn, id, None)?;
                audit(tx, actor.id(), "member.enable", id, &json!({}))?;
                tell(tx, &vault, &row, "account_enabled", json!({ "name": row.name }))
            })
            .await
    }

    /// Makes a code with which somebody sets a new password: mailed, or given back once to be handed
    /// over when there is no address. The old password stays good until then.
    pub async fn reset_member_password(
        &self,
        actor: Actor,
        id: MemberId,
    ) -> Result<PasswordReset, Error> {
        actor.demand_staff()?;
        let drawn = Drawn::new(&self.vault)?;
        let (code, vault, mail_on) = (drawn.clone(), self.vault.clone(), self.mail_on());
        let mailed = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                let row = managed(tx, actor, id)?;
                let mailed = mail_on && row.email.is_some();
                if mailed {
                    post_reset(tx, &vault, &code, &row)?;
                } else {
                    code.store_reset(tx, id, false)?;
                }
                audit(tx, actor.id(), "member.reset", id, &json!({ "mailed": mailed }))?;
                Ok(mailed)
            })
            .await?;
        let code = (!mailed).then(|| drawn.text().to_owned());
        Ok(PasswordReset { sent: drawn.sent(), code })
    }

    /// Ends every log-in of somebody, from the command line.
    pub async fn log_out_member(&self, id: MemberId) -> Result<usize, Error> {
        self.store.write(Lane::Change, move |tx| end_sessions_of(tx, id, "by_staff", None)).await
    }

    /// Changes what members decide about their own account.
    pub async fn change_own(&self, caller: Caller, language: &str) -> Result<(), Error> {
        let language = member::parse_language(language)
            .map_err(|error| Error::new(Code::Invalid, error.to_string()))?;
        let id = caller.member_id;
        self.store
            .write(Lane::Change, move |tx| {
                let row = members::find_by_id(tx.conn, id)?.ok_or_else(|| member_not_found(id))?;
                let language = Some(language.clone());
                change(tx, Some(id), &row, Changes { language, ..Changes::default() })?;
                Ok(())
            })
            .await
    }
}

fn create(tx: &mut Tx<'_>, by: MemberId, new: &NewPerson) -> Result<Made, Error> {
    demand_banks(tx, &new.staff_of)?;
    let id = insert(tx, Some(by), &new.profile, new.role, None)?;
    let more = Changes {
        department: new.department.clone().map(Some),
        language: new.language.clone(),
        ..Changes::default()
    };
    members::update(tx.conn, id, &more)?;
    put_banks(tx, id, &new.staff_of)?;
    Ok(Made { member_id: id })
}

/// Changes what is different, and writes down which fields that were.
pub(super) fn change(
    tx: &mut Tx<'_>,
    by: Option<MemberId>,
    row: &MemberRow,
    changes: Changes,
) -> Result<Vec<&'static str>, Error> {
    let changes = changes.beyond(row);
    let fields = changes.fields();
    if fields.is_empty() {
        return Ok(fields);
    }
    members::update(tx.conn, row.id, &changes)?;
    if changes.email.is_some() {
        // What was mailed to the former address proves nothing any more.
        for purpose in [Purpose::PasswordReset, Purpose::EmailChange] {
            codes::update_replaced(tx.conn, row.id, purpose, tx.now_ms())?;
        }
        if let Some(old) = &row.email {
            // Whoever changed it: the owner must hear of it where they still look.
            let message_id = uuid::Uuid::now_v7().to_string();
            let message = NewMessage {
                kind: "email_changed",
                to: Recipient::AddressOf(row.id, old, &row.language),
                payload: &json!({ "name": row.name }).to_string(),
                sealed: None,
                message_id: &message_id,
            };
            outbox::insert_message(tx.conn, &message, tx.now_ms())?;
        }
    }
    audit(tx, by, "member.change", row.id, &json!({ "fields": fields }))?;
    Ok(fields)
}

/// Puts a mail to somebody into the outbox, if they have an address.
pub(super) fn tell(
    tx: &Tx<'_>,
    vault: &crate::service::secrets::Vault,
    row: &MemberRow,
    kind: &'static str,
    payload: serde_json::Value,
) -> Result<(), Error> {
    if row.email.is_none() {
        return Ok(());
    }
    post(tx, vault, &Mail { kind, to: Recipient::Member(row.id), payload, secret: None })
}

/// Refuses an empty reason and one that is too long.
pub(super) fn demand_reason(reason: &str) -> Result<(), Error> {
    if (1..=REASON_CHARS_MAX).contains(&reason.trim().chars().count()) {
        return Ok(());
    }
    let detail = format!("reason must have 1 to {REASON_CHARS_MAX} characters");
    Err(Error::new(Code::Invalid, detail))
}

fn banks_are_for_staff() -> Error {
    let detail = "banks are for staff: admins look after every bank, students after none";
    Error::new(Code::Invalid, detail)
}
