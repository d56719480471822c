//! Making accounts: one by one and from a file.

use serde::Deserialize;
use serde_json::json;

use super::Services;
use super::error::{Code, Error};
use crate::domain::id::{BankId, MemberId};
use crate::domain::member::{Profile, Role};
use crate::store::audit::AuditEntry;
use crate::store::{Change, Lane, StoreError, Tx, banks, members};

/// Most people of one file.
pub const ROWS_MAX: usize = 100_000;

/// People stored in one job: the writer is not kept from others for long.
const SLICE: usize = 500;

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

/// A line of a roster file.
#[derive(Debug, Clone, Deserialize)]
pub struct RosterRow {
    /// Student id.
    pub student_id: String,
    /// Full name.
    pub name: String,
    /// Phone number, may be empty.
    #[serde(default)]
    pub phone: Option<String>,
    /// E-mail address, may be empty.
    #[serde(default)]
    pub email: Option<String>,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct RosterReport {
    /// Accounts made.
    pub added: usize,
    /// People who had an account already; left as they are.
    pub known: usize,
    /// Lines that could not be taken, with why.
    pub errors: Vec<RosterError>,
}

/// A line of a roster file that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RosterError {
    /// Which line of the file, the head being 1.
    pub line: usize,
    /// What is wrong with it.
    pub error: String,
}

impl Services {
    /// Makes an account.
    pub async fn add_member(&self, new: NewMember) -> Result<MemberId, Error> {
        let hash = match new.password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        self.store
            .write(Lane::Change, move |tx| {
                for bank in &new.staff_of {
                    if !tx.snapshot().site.banks.contains_key(bank) {
                        return Err(Error::new(
                            Code::BankNotFound,
                            format!("there is no bank {bank}"),
                        ));
                    }
                }
                let id = insert(tx, &new.profile, new.role, hash.as_deref())?;
                for bank in &new.staff_of {
                    banks::insert_staff(tx.conn, id, *bank)?;
                }
                if !new.staff_of.is_empty() {
                    tx.apply(&Change::Site);
                }
                Ok(id)
            })
            .await
    }

    /// Makes accounts for the people of a roster; those known are left as they are, lines that
    /// cannot be taken are reported and do not keep others out.
    pub async fn import_roster(
        &self,
        rows: Vec<(usize, RosterRow)>,
    ) -> Result<RosterReport, Error> {
        let mut report = RosterReport::default();
        let mut people = Vec::with_capacity(rows.len());
        for (line, row) in rows {
            match Profile::parse(
                &row.student_id,
                &row.name,
                row.phone.as_deref(),
                row.email.as_deref(),
            ) {
                Ok(profile) => people.push((line, profile)),
                Err(error) => report.errors.push(RosterError { line, error: error.to_string() }),
            }
        }
        for slice in people.chunks(SLICE) {
            let slice = slice.to_vec();
            let part = self.store.write(Lane::Change, move |tx| insert_slice(tx, &slice)).await?;
            report.added += part.added;
            report.known += part.known;
            report.errors.extend(part.errors);
        }
        report.errors.sort_by_key(|error| error.line);
        Ok(report)
    }
}

fn insert_slice(tx: &mut Tx<'_>, people: &[(usize, Profile)]) -> Result<RosterReport, Error> {
    let mut report = RosterReport::default();
    for (line, profile) in people {
        if members::find_by_student_id(tx.conn, profile.student_id())?.is_some() {
            report.known += 1;
            continue;
        }
        match insert(tx, profile, Role::Student, None) {
            Ok(_) => report.added += 1,
            Err(StoreError::Conflict(conflict)) => {
                let error = Error::from(StoreError::Conflict(conflict)).detail.into_owned();
                report.errors.push(RosterError { line: *line, error });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(report)
}

fn insert(
    tx: &mut Tx<'_>,
    profile: &Profile,
    role: Role,
    password_hash: Option<&str>,
) -> Result<MemberId, StoreError> {
    let id = members::insert(tx.conn, profile, role, password_hash, tx.now_ms())?;
    let (subject, detail) = (format!("member:{id}"), json!({ "role": role }).to_string());
    tx.audit(&AuditEntry {
        actor: None,
        action: "member.add",
        subject: &subject,
        detail: &detail,
    })?;
    Ok(id)
}
