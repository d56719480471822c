//! Who looks after which bank. An admin makes an account staff; staff take a bank over with its
//! registration code, or an admin gives it to them.
//!
//! A code is good once, for whoever shows it first; a new one replaces it. The rights come from the
//! published state: they are there, or gone, with the commit.

use serde::Serialize;
use serde_json::json;

use super::error::{Code, Error};
use super::limits::{self, Limit};
use super::mails::{Mail, post};
use super::members::{Actor, member_not_found};
use super::secrets::draw_letters;
use super::tokens::Caller;
use super::{Services, is_staff_for};
use crate::domain::id::{BankId, MemberId};
use crate::domain::limit::{LimitKind, Subject};
use crate::domain::member::Role;
use crate::store::audit::AuditEntry;
use crate::store::members::MemberRow;
use crate::store::outbox::Recipient;
use crate::store::{Change, Lane, Tx, banks, members, registration_codes};

/// Letters of a registration code: 59 bits, and nobody may try more than a few.
const CODE_LETTERS: usize = 12;

/// Letters between two hyphens.
const GROUP_LETTERS: usize = 4;

/// Longest code that is looked at.
const CODE_CHARS_MAX: usize = 64;

/// A member of staff of a bank.
#[derive(Debug, Clone, Serialize)]
pub struct BankStaff {
    /// Their number.
    pub member_id: MemberId,
    /// Their id.
    pub student_id: String,
    /// Their name.
    pub name: String,
}

impl Services {
    /// Makes a bank's registration code; it is given back this once.
    pub async fn make_registration_code(
        &self,
        caller: Caller,
        bank: BankId,
    ) -> Result<String, Error> {
        Actor::Caller(caller).demand_admin()?;
        let letters = draw_letters(CODE_LETTERS)?;
        let hash = self.registration_hash(&letters);
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                demand_bank(tx, bank)?;
                let by = caller.member_id;
                registration_codes::upsert(tx.conn, bank, &hash, by, tx.now_ms())?;
                audit(tx, by, "bank.registration_code", bank, None)
            })
            .await?;
        let groups: Vec<&str> = (0..CODE_LETTERS)
            .step_by(GROUP_LETTERS)
            .filter_map(|at| letters.get(at..at + GROUP_LETTERS))
            .collect();
        Ok(groups.join("-"))
    }

    /// Gives a bank into the caller's care for its registration code.
    pub async fn claim_bank(
        &self,
        caller: Caller,
        code: &str,
        address: &str,
    ) -> Result<BankId, Error> {
        Actor::Caller(caller).demand_staff()?;
        if caller.role == Role::Admin {
            let detail = "admins look after every bank: there is nothing to take over";
            return Err(Error::new(Code::Forbidden, detail));
        }
        let hash = self.registration_hash(&plain(code)?);
        let limits = [
            (LimitKind::RegistrationCode, Subject::member(caller.member_id)),
            (LimitKind::Address, Subject::address(address)),
        ];
        let (rules, vault) = (self.settings.limits, self.vault.clone());
        let claimed = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                limits::check(tx, &limits)?;
                let id = caller.member_id;
                let row = members::find_by_id(tx.conn, id)?.ok_or_else(|| member_not_found(id))?;
                if row.role != Role::Staff {
                    return Err(Error::new(Code::Forbidden, "this is for staff"));
                }
                let claimed = claim(tx, &row, &hash, &limits)?;
                match claimed {
                    Claimed::Bank(bank) => tell(tx, &vault, &row, bank)?,
                    Claimed::Wrong => limits::fail(tx, &rules, &limits)?,
                    Claimed::Used => {}
                }
                Ok(claimed)
            })
            .await?;
        match claimed {
            Claimed::Bank(bank) => Ok(bank),
            Claimed::Used => {
                let detail = "this code was used: ask an admin for a new one";
                Err(Error::new(Code::CodeExpired, detail))
            }
            Claimed::Wrong => {
                Err(Error::new(Code::CodeWrong, "this is no bank's code: look at it again"))
            }
        }
    }

    /// Who looks after a bank, for its staff and admins.
    pub async fn bank_staff(&self, caller: Caller, bank: BankId) -> Result<Vec<BankStaff>, Error> {
        Actor::Caller(caller).demand_staff()?;
        let snapshot = self.store.snapshot();
        if !snapshot.site.banks.contains_key(&bank) {
            return Err(bank_not_found(bank));
        }
        if !is_staff_for(&snapshot, caller, bank) {
            return Err(Error::new(Code::Forbidden, "this is for staff of the bank"));
        }
        let rows = self.store.read(move |conn| members::list_rows_of_staff(conn, bank)).await?;
        let staff = rows.into_iter().map(|row| BankStaff {
            member_id: row.id,
            student_id: row.student_id,
            name: row.name,
        });
        Ok(staff.collect())
    }

    /// Takes a bank out of somebody's care.
    pub async fn remove_bank_staff(
        &self,
        caller: Caller,
        bank: BankId,
        id: MemberId,
    ) -> Result<(), Error> {
        Actor::Caller(caller).demand_admin()?;
        self.store
            .write(Lane::Change, move |tx| {
                demand_bank(tx, bank)?;
                if banks::delete_staff(tx.conn, id, Some(bank))? == 0 {
                    let detail = format!("member {id} does not look after bank {bank}");
                    return Err(Error::new(Code::MemberNotFound, detail));
                }
                tx.apply(&Change::Site);
                audit(tx, caller.member_id, "bank.staff_removed", bank, Some(id))
            })
            .await
    }

    fn registration_hash(&self, letters: &str) -> [u8; 32] {
        self.vault.keyed_hash("registration", letters)
    }
}

/// How showing a code went; a wrong one is a committed failure, not a refusal.
#[derive(Debug, Clone, Copy)]
enum Claimed {
    Bank(BankId),
    Used,
    Wrong,
}

fn claim(
    tx: &mut Tx<'_>,
    row: &MemberRow,
    hash: &[u8; 32],
    limits: &[Limit],
) -> Result<Claimed, Error> {
    let bank = match registration_codes::find(tx.conn, hash)? {
        None => return Ok(Claimed::Wrong),
        Some((_, true)) => return Ok(Claimed::Used),
        Some((bank, false)) => bank,
    };
    if !registration_codes::update_used(tx.conn, bank, row.id, tx.now_ms())? {
        return Ok(Claimed::Used);
    }
    limits::succeed(tx, limits)?;
    banks::insert_staff(tx.conn, row.id, bank)?;
    tx.apply(&Change::Site);
    audit(tx, row.id, "bank.claim", bank, Some(row.id))?;
    Ok(Claimed::Bank(bank))
}

fn tell(
    tx: &Tx<'_>,
    vault: &super::secrets::Vault,
    row: &MemberRow,
    bank: BankId,
) -> Result<(), Error> {
    let Some(known) = tx.snapshot().site.banks.get(&bank).filter(|_| row.email.is_some()) else {
        return Ok(());
    };
    let bank = if row.language == "en" { &known.name.en } else { &known.name.ko };
    let mail = Mail {
        kind: "staff_of_bank",
        to: Recipient::Member(row.id),
        payload: json!({ "name": row.name, "bank": bank }),
        secret: None,
    };
    post(tx, vault, &mail)
}

/// A code as it was drawn: hyphens and capitals are only for people.
fn plain(code: &str) -> Result<String, Error> {
    if code.chars().count() > CODE_CHARS_MAX {
        let detail = format!("code has at most {CODE_CHARS_MAX} characters");
        return Err(Error::new(Code::Invalid, detail));
    }
    let letters = code.chars().filter(|c| !c.is_whitespace() && *c != '-');
    Ok(letters.flat_map(char::to_lowercase).collect())
}

fn demand_bank(tx: &Tx<'_>, bank: BankId) -> Result<(), Error> {
    let known = tx.snapshot().site.banks.contains_key(&bank);
    if known { Ok(()) } else { Err(bank_not_found(bank)) }
}

fn bank_not_found(bank: BankId) -> Error {
    Error::new(Code::BankNotFound, format!("there is no bank {bank}"))
}

fn audit(
    tx: &mut Tx<'_>,
    by: MemberId,
    action: &'static str,
    bank: BankId,
    member: Option<MemberId>,
) -> Result<(), Error> {
    let (subject, detail) = (format!("bank:{bank}"), json!({ "member_id": member }).to_string());
    Ok(tx.audit(&AuditEntry { actor: Some(by), action, subject: &subject, detail: &detail })?)
}
