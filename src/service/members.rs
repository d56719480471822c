//! Accounts as staff see them: who may manage whom, making one, and what all of `members/` shares.
//!
//! Staff look everybody up and manage students; admins manage staff and admins as well. Each change
//! runs in one job of the writer with its audit row, which names fields and never their values.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;

use super::Services;
use super::error::{Code, Error};
use super::tokens::{Caller, Method};
use crate::domain::id::{BankId, MemberId};
use crate::domain::member::{Profile, Role};
use crate::store::audit::AuditEntry;
use crate::store::members::MemberRow;
use crate::store::{Change, Lane, StoreError, Tx, banks, members};

pub mod change;
pub mod deletion;
pub mod import;
pub mod list;
pub mod own_data;
pub mod roster_file;

pub use import::RosterRow;

/// Names by number, of those who have not left.
pub type Names = HashMap<MemberId, String>;

/// A person to make an account for.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// Their data.
    pub profile: Profile,
    /// What they may do at large.
    pub role: Role,
    /// Their password; without one they log in another way or not at all.
    pub password: Option<String>,
    /// Banks that a staff member looks after.
    pub staff_of: Vec<BankId>,
}

/// Who asks for a change of accounts.
#[derive(Debug, Clone, Copy)]
pub enum Actor {
    /// Somebody who is logged in.
    Caller(Caller),
    /// Whoever may read and write the data directory.
    CommandLine,
}

impl Actor {
    /// Who it is for the audit log; `None` for the command line.
    #[must_use]
    pub const fn id(self) -> Option<MemberId> {
        match self {
            Self::Caller(caller) => Some(caller.member_id),
            Self::CommandLine => None,
        }
    }

    const fn role(self) -> Role {
        match self {
            Self::Caller(caller) => caller.role,
            Self::CommandLine => Role::Admin,
        }
    }

    /// Refuses students, and staff who stand at a kiosk.
    pub fn demand_staff(self) -> Result<(), Error> {
        if self.role() == Role::Student {
            return Err(Error::new(Code::Forbidden, "this is for staff"));
        }
        match self {
            Self::Caller(Caller { method: Method::Kiosk, .. }) => Err(not_at_kiosk()),
            _ => Ok(()),
        }
    }

    /// Refuses everybody but admins.
    pub fn demand_admin(self) -> Result<(), Error> {
        self.demand_staff()?;
        if self.role() == Role::Admin {
            return Ok(());
        }
        Err(Error::new(Code::Forbidden, "this is for admins"))
    }

    /// Refuses whoever may not manage accounts of this role.
    pub fn demand_manages(self, role: Role) -> Result<(), Error> {
        self.demand_staff()?;
        if role == Role::Student || self.role() == Role::Admin {
            return Ok(());
        }
        let detail = "accounts of staff and admins are managed by admins";
        Err(Error::new(Code::Forbidden, detail))
    }
}

impl Services {
    /// The names of people whom something names that the caller was let see.
    pub async fn names_of(&self, ids: impl Iterator<Item = MemberId>) -> Result<Names, Error> {
        let ids: BTreeSet<MemberId> = ids.collect();
        if ids.is_empty() {
            return Ok(Names::new());
        }
        Ok(self.store.read(move |conn| members::find_names(conn, &ids)).await?)
    }

    /// Makes an account from the command line.
    pub async fn add_member(&self, new: NewMember) -> Result<MemberId, Error> {
        let hash = match new.password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        self.store
            .write(Lane::Change, move |tx| {
                demand_banks(tx, &new.staff_of)?;
                let id = insert(tx, None, &new.profile, new.role, hash.as_deref())?;
                put_banks(tx, id, &new.staff_of)?;
                Ok(id)
            })
            .await
    }
}

/// The live member of this number, whom the actor may manage.
pub(super) fn managed(tx: &Tx<'_>, actor: Actor, id: MemberId) -> Result<MemberRow, Error> {
    let row = members::find_by_id(tx.conn, id)?.ok_or_else(|| member_not_found(id))?;
    actor.demand_manages(row.role)?;
    Ok(row)
}

/// Refuses to take the rights of the last admin who can log in.
fn demand_other_admin(tx: &Tx<'_>, row: &MemberRow) -> Result<(), Error> {
    if row.role == Role::Admin
        && row.disabled.is_none()
        && !members::has_other_admin(tx.conn, row.id)?
    {
        let detail = "this is the last admin who can log in: make somebody else an admin first";
        return Err(Error::new(Code::LastAdmin, detail));
    }
    Ok(())
}

fn demand_banks(tx: &Tx<'_>, ids: &[BankId]) -> Result<(), Error> {
    let unknown = ids.iter().find(|id| !tx.snapshot().site.banks.contains_key(id));
    unknown
        .map_or(Ok(()), |id| Err(Error::new(Code::BankNotFound, format!("there is no bank {id}"))))
}

/// Gives banks into a staff member's care.
fn put_banks(tx: &mut Tx<'_>, id: MemberId, ids: &[BankId]) -> Result<(), StoreError> {
    for bank in ids {
        banks::insert_staff(tx.conn, id, *bank)?;
    }
    if !ids.is_empty() {
        tx.apply(&Change::Site);
    }
    Ok(())
}

fn insert(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    profile: &Profile,
    role: Role,
    password_hash: Option<&str>,
) -> Result<MemberId, StoreError> {
    let id = members::insert(tx.conn, profile, role, password_hash, tx.now_ms())?;
    audit(tx, actor, "member.add", id, &json!({ "role": role }))?;
    Ok(id)
}

/// Writes down what was done to an account.
pub(super) fn audit(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    action: &'static str,
    id: MemberId,
    detail: &serde_json::Value,
) -> Result<(), StoreError> {
    let (subject, detail) = (format!("member:{id}"), detail.to_string());
    tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })
}

/// There is no such member, or not any more.
pub(super) fn member_not_found(id: MemberId) -> Error {
    Error::new(Code::MemberNotFound, format!("there is no member {id}"))
}

fn not_at_kiosk() -> Error {
    Error::new(Code::NotAtKiosk, "this cannot be done at a kiosk: log in elsewhere")
}
