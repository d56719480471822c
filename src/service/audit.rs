//! The audit chain for people: its signed head, verifying, reading, and exporting as a table.
//!
//! A head is `version (1) ‖ rows (8, big-endian) ‖ hash (32) ‖ signature (64)` in hex: 210 digits. It
//! is signed with Ed25519 over `lockerd audit head ‖ version ‖ rows ‖ hash` by the site's key
//! `audit.key`, which is not in the database. Kept outside of the machine (the daily mail carries it)
//! it proves later that no row up to it was changed, taken away or put in.

use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::Services;
use super::commissioning::demand_admin;
use super::csv_file::{self, CsvFile};
use super::error::{Code, Error};
use super::tokens::Caller;
use crate::store::Lane;
use crate::store::audit::{self, AuditEntry, AuditHead, Flaw, Found, From, Walk};

pub use crate::store::audit::{AuditFilter, AuditRow, BadRow, Verdict};

/// Most rows of one page.
pub const PAGE_MAX: u32 = 200;

/// Most rows of one export; a longer one goes on behind the last.
pub const EXPORT_MAX: u32 = 20_000;

/// Rows of one step of verifying: a reader is not kept from others for long.
const VERIFY_SLICE: u32 = 5_000;

/// The first byte of a head.
const HEAD_VERSION: u8 = 1;

const HEAD_BYTES: usize = 1 + 8 + 32 + 64;

const SIGNED_AS: &[u8] = b"lockerd audit head";

/// Signs heads of the audit chain. Cheap to clone.
#[derive(Clone)]
pub struct AuditKey(Arc<Ed25519KeyPair>);

impl AuditKey {
    /// The key of this seed; an error is a line for people.
    pub fn new(seed: &[u8; 32]) -> Result<Self, String> {
        Ed25519KeyPair::from_seed_unchecked(seed)
            .map(|pair| Self(Arc::new(pair)))
            .map_err(|error| format!("audit.key cannot be used: {error}"))
    }

    /// What is needed to check what it signed.
    #[must_use]
    pub fn public(&self) -> AuditPublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        AuditPublicKey(bytes)
    }

    /// Signs a head.
    #[must_use]
    pub fn sign(&self, head: &AuditHead) -> String {
        let body = body_of(head);
        let signature = self.0.sign(&[SIGNED_AS, &body].concat());
        HEXLOWER.encode(&[&body, signature.as_ref()].concat())
    }
}

/// Checks what an [`AuditKey`] signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditPublicKey([u8; 32]);

impl AuditPublicKey {
    /// Reads 64 hex digits.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).unwrap_or_default();
        let bytes = bytes.try_into().map_err(|_| "a public key has 64 hex digits".to_owned())?;
        Ok(Self(bytes))
    }

    /// 64 hex digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// Reads a signed head; one that this site's key has not signed is refused with words.
    pub fn read(&self, text: &str) -> Result<AuditHead, String> {
        // A mail program may have folded the long line.
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).unwrap_or_default();
        let Ok(bytes) = <[u8; HEAD_BYTES]>::try_from(bytes) else {
            return Err(format!(
                "a head has {} hex digits, this has {}: copy the whole line",
                2 * HEAD_BYTES,
                digits.len()
            ));
        };
        let (body, signature) = bytes.split_at(HEAD_BYTES - 64);
        if body.first() != Some(&HEAD_VERSION) {
            return Err("this head was written by another version of lockerd".to_owned());
        }
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(&[SIGNED_AS, body].concat(), signature)
            .map_err(|_| "this head was not signed by this site's audit.key".to_owned())?;
        let (mut rows, mut hash) = ([0; 8], [0; 32]);
        rows.copy_from_slice(&body[1..9]);
        hash.copy_from_slice(&body[9..]);
        Ok(AuditHead { rows: i64::from_be_bytes(rows), hash })
    }
}

fn body_of(head: &AuditHead) -> Vec<u8> {
    [&[HEAD_VERSION][..], &head.rows.to_be_bytes(), &head.hash].concat()
}

/// What is wrong with a row, in one line: its number, time, action, and why.
#[must_use]
pub fn describe(bad: &BadRow, zone: &TimeZone) -> String {
    let mut text = format!("row {}", bad.id);
    if let Some(at) = bad.at_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()) {
        let _ = write!(text, ", {}", at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S"));
    }
    if let Some(action) = &bad.action {
        let _ = write!(text, ", {action}");
    }
    text + ": " + &why(bad)
}

/// Why a row is not as it was written.
#[must_use]
pub fn why(bad: &BadRow) -> String {
    match bad.flaw {
        Flaw::NumberJumps { expected } => {
            format!("number {expected} should stand here: a row is missing or was put in")
        }
        Flaw::NotARow => "a value in it is not of its kind".to_owned(),
        Flaw::HashDoesNotFit => {
            "its hash does not fit it and the row before: one of them was changed".to_owned()
        }
        Flaw::NotTheHead => {
            "it is not the row that the signed head names: the end was written anew".to_owned()
        }
        Flaw::EndsBeforeHead { rows } => {
            format!("it is missing: the signed head knows {rows} rows, the end was cut off")
        }
    }
}

/// The newest head, signed.
#[derive(Debug, Clone)]
pub struct SignedHead {
    /// The head.
    pub head: AuditHead,
    /// The same with its signature, 210 hex digits.
    pub hex: String,
    /// The key to check it with.
    pub public_key: AuditPublicKey,
}

/// A table of rows.
#[derive(Debug, Clone)]
pub struct Export {
    /// CSV in UTF-8 with a byte order mark, as Excel opens it in Korean.
    pub csv: String,
    /// The row behind which the rest follows; `None` when this is all.
    pub next: Option<i64>,
}

impl Services {
    /// Rows of the audit log, newest first; for admins.
    pub async fn audit_rows(
        &self,
        caller: Caller,
        filter: AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Found, Error> {
        demand_admin(caller)?;
        let (from, limit) = (From::Before(before.unwrap_or(i64::MAX)), limit.clamp(1, PAGE_MAX));
        Ok(self.store.read(move |conn| audit::list(conn, &filter, from, limit)).await?)
    }

    /// One row of the audit log; for admins.
    pub async fn audit_row(&self, caller: Caller, id: i64) -> Result<AuditRow, Error> {
        demand_admin(caller)?;
        let found = self.store.read(move |conn| audit::find(conn, id)).await?;
        found.ok_or_else(|| {
            Error::new(Code::AuditRowNotFound, format!("the audit log has no row {id}"))
        })
    }

    /// The newest head, signed; for admins.
    pub async fn audit_head(&self, caller: Caller) -> Result<SignedHead, Error> {
        demand_admin(caller)?;
        let head = self.store.read(AuditHead::load).await?;
        let hex = self.audit_key.sign(&head);
        Ok(SignedHead { head, hex, public_key: self.audit_key.public() })
    }

    /// Walks the whole chain, in steps; with a signed head it must be the chain of that head. For
    /// admins.
    pub async fn verify_audit(&self, caller: Caller, head: Option<&str>) -> Result<Verdict, Error> {
        demand_admin(caller)?;
        let read = |text| self.audit_key.public().read(text);
        let known = head.map(read).transpose().map_err(|text| Error::new(Code::Invalid, text))?;
        let mut walk = Walk::new(known);
        loop {
            let mut next = walk;
            let (more, walked) =
                self.store.read(move |conn| Ok((next.step(conn, VERIFY_SLICE)?, next))).await?;
            if !more {
                return Ok(walked.verdict());
            }
            walk = walked;
        }
    }

    /// Rows as a table, oldest first, behind the row `after`; who took it along is audited itself. For
    /// admins.
    pub async fn export_audit(
        &self,
        caller: Caller,
        filter: AuditFilter,
        after: i64,
    ) -> Result<Export, Error> {
        demand_admin(caller)?;
        let asked = json!({
            "actor": filter.actor.map(|id| id.0),
            "action": filter.action,
            "subject": filter.subject,
            "from_ms": filter.from_ms,
            "to_ms": filter.to_ms,
            "after": after,
        })
        .to_string();
        self.store
            .write(Lane::Change, move |tx| {
                Ok::<_, Error>(tx.audit(&AuditEntry {
                    actor: Some(caller.member_id),
                    action: "audit.export",
                    subject: "site:1",
                    detail: &asked,
                })?)
            })
            .await?;
        let zone = self.clock.zone().clone();
        let found = self
            .store
            .read(move |conn| audit::list(conn, &filter, From::After(after), EXPORT_MAX))
            .await?;
        Ok(Export { csv: table(&found.rows, &zone), next: found.reached })
    }
}

fn table(rows: &[AuditRow], zone: &TimeZone) -> String {
    let head = ["id", "time", "actor", "student_id", "name", "action", "subject", "detail", "hash"];
    let mut file = CsvFile::new(&head);
    for row in rows {
        let (name, student_id) = row.actor_name.clone().unwrap_or_default();
        file.row(&[
            &row.id.to_string(),
            &csv_file::at(Some(row.at_ms), zone),
            &csv_file::some(row.actor),
            &student_id,
            &name,
            &row.action,
            &row.subject,
            &row.detail,
            &HEXLOWER.encode(&row.hash),
        ]);
    }
    file.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::MemberId;

    fn head() -> AuditHead {
        AuditHead { rows: 5_120, hash: [9; 32] }
    }

    #[test]
    fn a_signed_head_is_read_back_and_no_changed_digit_passes() {
        let key = AuditKey::new(&[1; 32]).expect("a key");
        let hex = key.sign(&head());
        assert_eq!(hex.len(), 210);
        let public = key.public();
        assert_eq!(public.read(&hex).expect("signed"), head());
        let folded = format!("  {}\r\n {}\n", &hex[..76], hex[76..].to_uppercase());
        assert_eq!(public.read(&folded).expect("signed"), head());
        for at in 0..hex.len() {
            let mut changed = hex.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).expect("digits");
            assert!(public.read(&changed).is_err(), "digit {at}");
        }
        let other = AuditKey::new(&[2; 32]).expect("a key").public();
        let error = other.read(&hex).expect_err("another site's");
        assert!(error.contains("not signed by this site"), "{error}");
        for text in ["", "01", &hex[..208], "xyz"] {
            let error = public.read(text).expect_err(text);
            assert!(error.contains("210 hex digits"), "{error}");
        }
        assert_eq!(AuditPublicKey::parse(&public.to_hex()), Ok(public));
    }

    #[test]
    fn a_table_opens_in_excel_and_runs_no_formula() {
        let row = |detail: &str| AuditRow {
            id: 3,
            at_ms: 1_772_409_900_000,
            actor: Some(MemberId(7)),
            actor_name: Some(("=가,\"나".to_owned(), "A7".to_owned())),
            action: "mail.drop".to_owned(),
            subject: "mail:1".to_owned(),
            detail: detail.to_owned(),
            hash: [0; 32],
        };
        let zone = TimeZone::get("Asia/Seoul").expect("bundled");
        let text = table(&[row("{}"), row(" @x"), row("\t=1")], &zone);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0].strip_prefix('\u{feff}').expect("a mark").split(',').count(), 9);
        let want = "3,2026-03-02 09:05:00,7,A7,\"'=가,\"\"나\",mail.drop,mail:1,{},";
        assert!(lines[1].starts_with(want), "{}", lines[1]);
        assert!(lines[2].contains(",\"' @x\",") && lines[3].contains("'\t=1"), "{text}");
    }

    #[test]
    fn a_bad_row_is_named_with_time_action_and_reason() {
        let bad = BadRow {
            id: 7,
            at_ms: Some(1_772_409_900_000),
            action: Some("rental.hold".to_owned()),
            flaw: Flaw::HashDoesNotFit,
        };
        let zone = TimeZone::get("Asia/Seoul").expect("bundled");
        let text = describe(&bad, &zone);
        assert!(text.starts_with("row 7, 2026-03-02 09:05:00, rental.hold: its hash"), "{text}");
        let bad =
            BadRow { id: 9, at_ms: None, action: None, flaw: Flaw::EndsBeforeHead { rows: 12 } };
        assert!(describe(&bad, &zone).starts_with("row 9: it is missing"));
    }
}
