//! Mails: put into the outbox with the change they tell of, and what people see of them there.
//!
//! `delivery` carries them out, `daily` writes the one that admins get each morning. A mail that
//! cannot be delivered never keeps anything else from being done: whoever posts one only adds a row
//! to their own transaction.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::Services;
use super::commissioning::{demand_admin, demand_staff};
use super::error::{Code, Error};
use super::secrets::Vault;
use super::tokens::Caller;
use crate::domain::id::{BankId, LockerId};
use crate::domain::member::parse_email;
use crate::domain::time::DateSpan;
use crate::mail::Letter;
use crate::mail::kept::Letterbox;
use crate::store::audit::AuditEntry;
use crate::store::outbox::{self, NewMessage, Recipient};
use crate::store::{Lane, Snapshot, Tx};

mod daily;
mod delivery;

pub use delivery::{Delivering, MailHealth};

pub use crate::mail::kept::Kept;
pub use crate::store::outbox::{MessageRow, MessageState};

/// Most mails of one page.
pub const PAGE_MAX: u32 = 100;

/// Kinds that carry a code: it is erased when the mail is given up.
const WITH_CODE: [&str; 3] = ["sign_up_code", "password_reset", "email_change_code"];

/// Longest wait for what the server says to a test mail: whoever asked waits before a screen.
const TEST_PATIENCE: Duration = Duration::from_secs(25);

/// A mail before it is stored.
#[derive(Debug, Clone)]
pub struct Mail<'a> {
    /// By which its text is found.
    pub kind: &'static str,
    /// Whom it is for.
    pub to: Recipient<'a>,
    /// A JSON object with what its text needs.
    pub payload: Value,
    /// The same for what must not be read in the database (codes). Its `minutes`, here or in the
    /// payload, say for how long it makes sense to deliver it.
    pub secret: Option<Value>,
}

/// Bank and location, as mails name them; none for a bank that is gone or unknown. What is posted without
/// them gets them when it is sent.
pub(super) fn place(snapshot: &Snapshot, id: impl Into<Option<BankId>>) -> Value {
    let bank = id.into().and_then(|id| snapshot.site.banks.get(&id));
    let location = bank.and_then(|bank| snapshot.site.locations.get(&bank.location_id));
    json!({ "bank": bank.map(|it| &it.name), "location": location.map(|it| &it.name) })
}

/// What a mail tells of a rental: the locker, where it stands, and the days.
pub(super) fn rental(snapshot: &Snapshot, locker: LockerId, dates: DateSpan) -> Value {
    let mut told = place(snapshot, snapshot.site.bank_of(locker));
    told["locker_id"] = json!(locker);
    told["starts_on"] = dates.first().to_string().into();
    told["ends_on"] = dates.last().to_string().into();
    told
}

/// Puts a mail into the outbox, in the transaction of what it tells of.
pub fn post(tx: &Tx<'_>, vault: &Vault, mail: &Mail<'_>) -> Result<(), Error> {
    let message_id = Uuid::now_v7().to_string();
    let sealed = match &mail.secret {
        Some(secret) => Some(vault.seal(&purpose(&message_id), secret.to_string().as_bytes())?),
        None => None,
    };
    let message = NewMessage {
        kind: mail.kind,
        to: mail.to,
        payload: &mail.payload.to_string(),
        sealed: sealed.as_deref(),
        message_id: &message_id,
    };
    Ok(outbox::insert_message(tx.conn, &message, tx.now_ms())?)
}

/// What the secret part of a message is sealed for.
#[must_use]
pub fn purpose(message_id: &str) -> String {
    format!("outbox:{message_id}")
}

/// An address of which only enough is shown to recognise it.
#[must_use]
pub fn masked(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((name, host)) => {
            format!("{}***@{host}", name.chars().take(2).collect::<String>())
        }
        None => "***".to_owned(),
    }
}

/// A page of mails, newest first.
#[derive(Debug, Clone)]
pub struct MailPage {
    /// Newest first.
    pub mails: Vec<MessageRow>,
    /// Where the next page begins; `None` when this was the last.
    pub next: Option<i64>,
}

/// How a test mail went.
#[derive(Debug, Clone)]
pub struct TestResult {
    /// Whether the server took it.
    pub accepted: bool,
    /// What the server said, or why it could not be asked.
    pub said: String,
}

impl Services {
    /// Whether this site sends mails; without them no code can be mailed.
    #[must_use]
    pub const fn mail_on(&self) -> bool {
        self.mailer.is_on()
    }

    /// What is in the box, newest first, if mails go there.
    #[must_use]
    pub fn mailbox(&self) -> Option<Vec<Kept>> {
        self.mailer.kept().map(Letterbox::list)
    }

    /// Mails, for staff.
    pub async fn mails(
        &self,
        caller: Caller,
        state: Option<MessageState>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<MailPage, Error> {
        demand_staff(caller)?;
        let limit = limit.clamp(1, PAGE_MAX);
        let list = move |conn: &_| outbox::list(conn, state, before, limit + 1);
        let mut mails = self.store.read(list).await?;
        let whole = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = mails.len() > whole;
        mails.truncate(whole);
        let next = mails.last().filter(|_| more).map(|mail| mail.id);
        Ok(MailPage { mails, next })
    }

    /// Tries a mail anew that was given up; for staff.
    pub async fn retry_mail(&self, caller: Caller, id: i64) -> Result<(), Error> {
        demand_staff(caller)?;
        self.store
            .write(Lane::Change, move |tx| {
                let mail = outbox::find(tx.conn, id)?.ok_or_else(no_such_mail)?;
                if mail.state != MessageState::Dead {
                    let detail = "only a mail that was given up can be tried anew";
                    return Err(Error::new(Code::MailNotFound, detail));
                }
                if WITH_CODE.contains(&mail.kind.as_str()) {
                    let detail = "its code is gone: the person has to ask for a new one";
                    return Err(Error::new(Code::CodeExpired, detail));
                }
                outbox::update_revived(tx.conn, id, tx.now_ms())?;
                note(tx, caller, "mail.retry", id)
            })
            .await?;
        // An update rings no bell: only a new mail does.
        self.store.posted().notify_one();
        Ok(())
    }

    /// Drops a mail that waits or was given up; for staff.
    pub async fn drop_mail(&self, caller: Caller, id: i64) -> Result<(), Error> {
        demand_staff(caller)?;
        self.store
            .write(Lane::Change, move |tx| {
                outbox::find(tx.conn, id)?.ok_or_else(no_such_mail)?;
                if !outbox::update_dropped(tx.conn, id, tx.now_ms(), "dropped by staff")? {
                    let detail = "this mail was sent or dropped already";
                    return Err(Error::new(Code::MailNotFound, detail));
                }
                note(tx, caller, "mail.drop", id)
            })
            .await?;
        self.count_mails().await
    }

    /// Sends a test mail at once, past the outbox, and tells what came of it; for admins.
    pub async fn test_mail(
        &self,
        caller: Caller,
        to: &str,
        language: &str,
    ) -> Result<TestResult, Error> {
        demand_admin(caller)?;
        if !self.mail_on() {
            let detail = "this site sends no mail: set mail.transport in the configuration";
            return Err(Error::new(Code::MailOff, detail));
        }
        let to = parse_email(to).map_err(|error| Error::new(Code::Invalid, error.to_string()))?;
        let values = json!({ "name": "" }).as_object().cloned().unwrap_or_default();
        let text = self.mailer.texts().render("test", language, &values).map_err(|error| {
            Error::new(Code::Invalid, format!("the text cannot be written: {error}"))
        })?;
        let letter = Letter {
            to: to.clone(),
            subject: text.subject,
            text: text.text,
            html: text.html,
            message_id: Uuid::now_v7().to_string(),
            date: self.clock.now(),
        };
        let mut connection = self.mailer.connection();
        let sent = tokio::time::timeout(TEST_PATIENCE, connection.send(&letter)).await;
        let (accepted, said) = match sent {
            Ok(Ok(said)) => {
                connection.close().await;
                (true, said)
            }
            Ok(Err(error)) => (false, error.text),
            Err(_) => (false, format!("no answer within {} s", TEST_PATIENCE.as_secs())),
        };
        let detail = json!({ "to": masked(&to), "accepted": accepted }).to_string();
        self.store
            .write(Lane::Change, move |tx| {
                Ok::<_, Error>(tx.audit(&AuditEntry {
                    actor: Some(caller.member_id),
                    action: "mail.test",
                    subject: "site:1",
                    detail: &detail,
                })?)
            })
            .await?;
        Ok(TestResult { accepted, said })
    }
}

fn no_such_mail() -> Error {
    Error::new(Code::MailNotFound, "there is no such mail, or it was forgotten")
}

fn note(tx: &mut Tx<'_>, caller: Caller, action: &'static str, id: i64) -> Result<(), Error> {
    let subject = format!("mail:{id}");
    let actor = Some(caller.member_id);
    Ok(tx.audit(&AuditEntry { actor, action, subject: &subject, detail: "{}" })?)
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn an_address_is_shown_in_part() {
        assert_eq!(masked("hong.gildong@korea.ac.kr"), "ho***@korea.ac.kr");
        assert_eq!(masked("h@korea.ac.kr"), "h***@korea.ac.kr");
        assert_eq!(masked("nonsense"), "***");
    }
}
