//! Mailed codes: eight digits, good for ten minutes, five tries and one use.
//!
//! What is stored is a hash with a key that is not in the database, bound to the row, so that a
//! code fits its own row only. Who asked for something that cannot be gets a row that no code fits:
//! the answer is the same. `redeem` runs in a job that ends with `Ok`, or a missed try would not
//! be counted; `Redeemed::into_result` makes the refusal outside.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Services;
use super::error::{Code, Error};
use super::secrets::{self, Vault};
use crate::domain::id::MemberId;
use crate::store::Tx;
use crate::store::codes::{self, CodeRow, NewCode, Purpose};

/// Digits of a code.
const DIGITS: usize = 8;

/// How long a code is good, in milliseconds.
const LIFETIME_MS: i64 = 10 * 60 * 1000;

/// Tries of one code.
pub const TRIES_MAX: u32 = 5;

/// Codes of one member for a forgotten password that are good side by side: what a stranger asks for
/// does not take away the code that the owner is just typing.
const SIDE_BY_SIDE_MAX: usize = 3;

/// In the row of a code for a new password: whether it was mailed, or handed over.
const MAILED: &str = "mailed";

/// How long after the first code another one is sent in its place, in milliseconds.
const SENT_AGAIN_MS: i64 = 60 * 60 * 1000;

/// That a code was mailed, or would have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSent {
    /// Which one; needed with the code.
    pub id: String,
    /// How long it is good, in seconds.
    pub expires_in_s: i64,
}

/// A code on its way.
#[derive(Debug, Clone)]
pub(super) struct Drawn {
    /// The row that it fits.
    pub(super) id: String,
    text: String,
    hash: [u8; 32],
    no_hash: [u8; 32],
}

impl Drawn {
    /// Draws a code for a new row.
    pub(super) fn new(vault: &Vault) -> Result<Self, Error> {
        Self::again(vault, Uuid::new_v4().to_string())
    }

    /// Draws another code for a row.
    pub(super) fn again(vault: &Vault, id: String) -> Result<Self, Error> {
        let text = secrets::draw_digits(DIGITS)?;
        let hash = hash_of(vault, &id, &text);
        Ok(Self { id, text, hash, no_hash: secrets::draw()? })
    }

    /// What the one who asked is told.
    pub(super) fn sent(&self) -> CodeSent {
        CodeSent { id: self.id.clone(), expires_in_s: LIFETIME_MS / 1_000 }
    }

    /// The code itself, to be handed over where it cannot be mailed.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What its mail must say, beside the secret. No name: that of a member is looked up when it is
    /// sent, and a stranger's would be whatever they typed.
    pub(super) fn payload() -> Value {
        json!({ "minutes": LIFETIME_MS / 60_000 })
    }

    /// What its mail must say and the database must not.
    pub(super) fn secret(&self) -> Value {
        json!({ "code": self.text })
    }

    /// Stores the row; without `fits` it is one that no code fits.
    pub(super) fn store(
        &self,
        tx: &Tx<'_>,
        purpose: Purpose,
        member_id: Option<MemberId>,
        fits: bool,
        payload: &Value,
    ) -> Result<(), Error> {
        let code = NewCode {
            id: &self.id,
            purpose,
            member_id,
            payload: &payload.to_string(),
            code_hash: if fits { self.hash } else { self.no_hash },
            expires_ms: tx.now_ms() + LIFETIME_MS,
        };
        Ok(codes::insert(tx.conn, &code, tx.now_ms())?)
    }

    /// Stores the row of a member's code for a new password beside the newest of the others; one that
    /// is mailed proves the address when it comes back.
    pub(super) fn store_reset(
        &self,
        tx: &Tx<'_>,
        member: MemberId,
        mailed: bool,
    ) -> Result<(), Error> {
        let (purpose, others) = (Purpose::PasswordReset, SIDE_BY_SIDE_MAX - 1);
        codes::update_surplus(tx.conn, member, purpose, others, tx.now_ms())?;
        self.store(tx, purpose, Some(member), true, &json!({ MAILED: mailed }))
    }

    /// Puts this code into the place of the row's former one.
    pub(super) fn replace(&self, tx: &Tx<'_>, fits: bool) -> Result<(), Error> {
        let hash = if fits { self.hash } else { self.no_hash };
        let expires_ms = tx.now_ms() + LIFETIME_MS;
        Ok(codes::update_sent_again(tx.conn, &self.id, &hash, expires_ms)?)
    }
}

/// What is stored of a code.
pub(super) fn hash_of(vault: &Vault, id: &str, text: &str) -> [u8; 32] {
    vault.keyed_hash(&format!("code:{id}"), text)
}

/// What came of a code.
pub(super) enum Redeemed {
    /// It fits; whether it was used up depends on who asked.
    Good(CodeRow),
    /// It does not fit; the try was counted.
    Wrong,
    /// There is no such code any more.
    Expired,
}

impl Redeemed {
    /// The row, or the refusal.
    pub(super) fn into_result(self) -> Result<CodeRow, Error> {
        match self {
            Self::Good(row) => Ok(row),
            Self::Wrong => {
                let detail =
                    "the code is wrong: take it from the mail that came after this request";
                Err(Error::new(Code::CodeWrong, detail))
            }
            Self::Expired => Err(expired()),
        }
    }
}

/// Whether the code for a new password went to the account's address.
pub(super) fn was_mailed(row: &CodeRow) -> bool {
    let payload: Value = serde_json::from_str(&row.payload).unwrap_or_default();
    payload[MAILED] == true
}

/// The refusal of a code that is over.
pub(super) fn expired() -> Error {
    let detail = "the code is too old, was used, or was missed too often: ask for another one";
    Error::new(Code::CodeExpired, detail)
}

/// Looks at a code without using it up; a miss is counted.
pub(super) fn look(
    tx: &Tx<'_>,
    vault: &Vault,
    purpose: Purpose,
    (id, typed): (&str, &str),
) -> Result<Redeemed, Error> {
    let Some(row) = codes::find(tx.conn, id, purpose)? else { return Ok(Redeemed::Expired) };
    let now_ms = tx.now_ms();
    if row.used || row.tries >= TRIES_MAX || !(row.created_ms..row.expires_ms).contains(&now_ms) {
        return Ok(Redeemed::Expired);
    }
    let digits: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    // Compared as keyed hashes: what time it takes tells nothing of the code.
    if hash_of(vault, id, &digits) != row.code_hash {
        codes::update_missed(tx.conn, id)?;
        return Ok(Redeemed::Wrong);
    }
    Ok(Redeemed::Good(row))
}

/// Uses a code up; of many that come with the same code exactly one gets it.
pub(super) fn redeem(
    tx: &Tx<'_>,
    vault: &Vault,
    purpose: Purpose,
    typed: (&str, &str),
) -> Result<Redeemed, Error> {
    let found = look(tx, vault, purpose, typed)?;
    if matches!(found, Redeemed::Good(_)) && !codes::update_used(tx.conn, typed.0, tx.now_ms())? {
        return Ok(Redeemed::Expired);
    }
    Ok(found)
}

/// The row for which another code may be sent.
pub(super) fn find_to_send_again(
    tx: &Tx<'_>,
    purpose: Purpose,
    id: &str,
) -> Result<Option<CodeRow>, Error> {
    let row = codes::find(tx.conn, id, purpose)?;
    Ok(row.filter(|row| !row.used && tx.now_ms() < row.created_ms + SENT_AGAIN_MS))
}

impl Services {
    /// Refuses what needs a mail on a site that sends none.
    pub(super) fn demand_mail(&self) -> Result<(), Error> {
        if self.mail_on() {
            return Ok(());
        }
        Err(Error::new(Code::MailOff, "this needs mail, and the site sends none: ask staff"))
    }
}
