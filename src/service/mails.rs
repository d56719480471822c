//! Mails: put into the outbox with the change they tell of.

use serde_json::Value;
use uuid::Uuid;

use super::Services;
use super::error::Error;
use super::secrets::Vault;
use crate::store::Tx;
use crate::store::outbox::{self, NewMessage, Recipient};

/// A mail before it is stored.
#[derive(Debug, Clone)]
pub struct Mail<'a> {
    /// By which its text is found.
    pub kind: &'static str,
    /// Whom it is for.
    pub to: Recipient<'a>,
    /// A JSON object with what its text needs.
    pub payload: Value,
    /// The same for what must not be read in the database (codes).
    pub secret: Option<Value>,
}

impl Services {
    /// Whether this site sends mails; without them no code can be mailed.
    #[must_use]
    pub const fn mail_on(&self) -> bool {
        self.mailer.is_on()
    }
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
