//! The second factor at log-in: with the password, or in a second step that a ticket ties to the
//! first.
//!
//! A ticket says who has shown a password and until when the code may follow. It is sealed, not
//! stored: what it opens is good once anyway.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::domain::id::MemberId;
use crate::service::Services;
use crate::service::accounts::demand_enabled;
use crate::service::error::{Code, Error};
use crate::service::sessions::{Device, Tokens, session_ended};
use crate::service::tokens::Method;
use crate::store::accounts;
use crate::store::members::MemberRow;

/// How long after the password the code may come.
const TICKET_MS: i64 = 5 * 60 * 1_000;

/// What tickets are sealed for.
const PURPOSE: &str = "log-in ticket";

/// A log-in that lacks its code.
#[derive(Serialize, Deserialize)]
struct Ticket {
    member: MemberId,
    method: Method,
    /// When the password was last changed that it was given for.
    password_changed_ms: Option<i64>,
    until_ms: i64,
}

impl Services {
    /// Asks for the second factor of somebody who has shown the first; whether one was shown. With
    /// one in force and no code, the refusal carries a ticket for the second step.
    pub(in crate::service) async fn second_factor(
        &self,
        row: &MemberRow,
        method: Method,
        code: Option<&str>,
    ) -> Result<bool, Error> {
        let member = row.id;
        if !self.store.read(move |conn| accounts::has_second_factor(conn, member)).await? {
            return Ok(false);
        }
        let Some(code) = code else {
            let ticket = self.ticket(row, method)?;
            let detail = "send the code of your authenticator app, or a recovery code, with this \
                          ticket";
            return Err(Error::new(Code::SecondFactorNeeded, detail)
                .with("ticket", ticket)
                .with("expires_in", TICKET_MS / 1_000));
        };
        self.use_second_factor(member, code).await?;
        Ok(true)
    }

    /// The second step of a log-in: the ticket of the first and a code.
    pub async fn log_in_second(
        &self,
        ticket: &str,
        code: &str,
        device: Device,
    ) -> Result<Tokens, Error> {
        let ticket = self.open_ticket(ticket)?;
        self.use_second_factor(ticket.member, code).await?;
        let row = self.member_row(ticket.member).await?;
        // A ticket is good for the password that it was given for.
        let same = |row: &MemberRow| row.password_changed_ms == ticket.password_changed_ms;
        let row = row.filter(same).ok_or_else(session_ended)?;
        demand_enabled(&row)?;
        self.open_session(&row, ticket.method, true, device).await
    }

    fn ticket(&self, row: &MemberRow, method: Method) -> Result<String, Error> {
        let ticket = Ticket {
            member: row.id,
            method,
            password_changed_ms: row.password_changed_ms,
            until_ms: self.clock.now().as_millisecond() + TICKET_MS,
        };
        let ticket = serde_json::to_vec(&ticket).unwrap_or_default();
        Ok(BASE64URL_NOPAD.encode(&self.vault.seal(PURPOSE, &ticket)?))
    }

    fn open_ticket(&self, text: &str) -> Result<Ticket, Error> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap_or_default();
        let plain = self.vault.open(PURPOSE, &bytes).unwrap_or_default();
        let ticket: Ticket = serde_json::from_slice(&plain).map_err(|_| {
            Error::new(Code::BadCredentials, "this is no ticket of a log-in: log in again")
        })?;
        if ticket.until_ms <= self.clock.now().as_millisecond() {
            let detail = "the code came too late: log in again";
            return Err(Error::new(Code::CodeExpired, detail));
        }
        Ok(ticket)
    }
}
