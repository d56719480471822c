//! What the site keeps about a member, for that member: the account in words and every row that
//! concerns them. No hashes, keys or codes.

use serde_json::{Map, Value};

use super::member_not_found;
use crate::service::Services;
use crate::service::accounts::RosterLogin;
use crate::service::error::{Code, Error};
use crate::service::tokens::{Caller, Method};
use crate::store::members::{self, MemberRow};
use crate::store::personal;

/// Everything kept about a member.
#[derive(Debug, Clone)]
pub struct OwnData {
    /// Their account.
    pub row: MemberRow,
    /// Every other section by name, each a list of objects.
    pub sections: Map<String, Value>,
}

impl Services {
    /// Everything kept about the caller.
    pub async fn own_data(&self, caller: Caller) -> Result<OwnData, Error> {
        if caller.method == Method::Kiosk {
            return Err(super::not_at_kiosk());
        }
        if caller.method == Method::Roster && self.settings.roster_login != RosterLogin::Full {
            let detail = "log in with your password to see your data";
            return Err(Error::new(Code::PasswordNeeded, detail));
        }
        let id = caller.member_id;
        let found = self
            .store
            .read(move |conn| {
                Ok(members::find_by_id(conn, id)?.zip(Some(personal::sections(conn, id)?)))
            })
            .await?;
        let (row, sections) = found.ok_or_else(|| member_not_found(id))?;
        Ok(OwnData { row, sections })
    }
}
