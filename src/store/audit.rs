//! The audit chain: who did what, each row sealed with a hash over the row before it.
//!
//! `hash = SHA-256(previous hash ‖ at_ms ‖ actor_id ‖ action ‖ subject ‖ detail)` where the numbers
//! are 8 bytes big-endian (no actor: 0) and each text is preceded by its length in 8 bytes, so that
//! no two different rows have the same bytes. The first row's previous hash is 32 zero bytes.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::error::StoreError;
use crate::domain::id::MemberId;

/// A link of the chain.
pub type Hash = [u8; 32];

/// One thing somebody did.
#[derive(Debug, Clone)]
pub struct AuditEntry<'a> {
    /// Who; `None` for the program itself and the command line.
    pub actor: Option<MemberId>,
    /// What, as noun.verb.
    pub action: &'a str,
    /// To what, as noun:id.
    pub subject: &'a str,
    /// A JSON object with what else matters; never a secret.
    pub detail: &'a str,
}

/// The end of the chain; the writer carries it along.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditHead(Hash);

impl AuditHead {
    /// Reads the newest row's hash.
    pub fn load(conn: &Connection) -> Result<Self, StoreError> {
        let newest = conn
            .query_row("SELECT hash FROM audit ORDER BY id DESC LIMIT 1", [], |row| row.get(0))
            .optional()?;
        Ok(Self(newest.unwrap_or_default()))
    }

    /// Appends a row and moves on to it.
    pub fn append(
        &mut self,
        conn: &Connection,
        at_ms: i64,
        entry: &AuditEntry<'_>,
    ) -> Result<(), StoreError> {
        let hash = link(&self.0, at_ms, entry);
        conn.prepare_cached(
            "INSERT INTO audit (at_ms, actor_id, action, subject, detail, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            at_ms,
            entry.actor.map(|id| id.0),
            entry.action,
            entry.subject,
            entry.detail,
            hash
        ])?;
        self.0 = hash;
        Ok(())
    }
}

fn link(previous: &Hash, at_ms: i64, entry: &AuditEntry<'_>) -> Hash {
    let mut digest = Sha256::new();
    digest.update(previous);
    digest.update(at_ms.to_be_bytes());
    digest.update(entry.actor.map_or(0, |id| id.0).to_be_bytes());
    for text in [entry.action, entry.subject, entry.detail] {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    digest.finalize().into()
}

/// What a walk over the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every link holds; this many rows and this last hash.
    Intact {
        /// How many.
        rows: u64,
        /// The newest row's hash.
        head: Hash,
    },
    /// The first row whose hash is not what the row before it and its own fields give.
    BrokenAt {
        /// Its number.
        id: i64,
    },
}

/// Walks the whole chain.
pub fn verify(conn: &Connection) -> Result<Verdict, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, at_ms, actor_id, action, subject, detail, hash FROM audit ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let (mut previous, mut count): (Hash, u64) = ([0; 32], 0);
    while let Some(row) = rows.next()? {
        let (action, subject, detail): (String, String, String) =
            (row.get(3)?, row.get(4)?, row.get(5)?);
        let actor = row.get::<_, Option<i64>>(2)?.map(MemberId);
        let entry = AuditEntry { actor, action: &action, subject: &subject, detail: &detail };
        let expected = link(&previous, row.get(1)?, &entry);
        if expected != row.get::<_, Hash>(6)? {
            return Ok(Verdict::BrokenAt { id: row.get(0)? });
        }
        (previous, count) = (expected, count + 1);
    }
    Ok(Verdict::Intact { rows: count, head: previous })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::memory;

    fn entry(detail: &str) -> AuditEntry<'_> {
        AuditEntry { actor: Some(MemberId(7)), action: "rental.hold", subject: "locker:1", detail }
    }

    #[test]
    fn a_chain_of_three_holds_and_a_changed_row_breaks_it_there() {
        let conn = memory();
        let mut head = AuditHead::load(&conn).expect("readable");
        for at_ms in 0..3 {
            head.append(&conn, at_ms, &entry("{}")).expect("appended");
        }
        assert_eq!(AuditHead::load(&conn).expect("readable"), head);
        assert!(matches!(verify(&conn), Ok(Verdict::Intact { rows: 3, .. })));
        conn.execute_batch(
            "DROP TRIGGER audit_no_update; UPDATE audit SET detail = '{\"x\":1}' WHERE id = 2",
        )
        .expect("tampered");
        assert_eq!(verify(&conn).expect("readable"), Verdict::BrokenAt { id: 2 });
    }

    #[test]
    fn rows_can_be_neither_changed_nor_deleted() {
        let conn = memory();
        AuditHead::load(&conn).expect("readable").append(&conn, 1, &entry("{}")).expect("appended");
        for sql in ["UPDATE audit SET at_ms = 0", "DELETE FROM audit"] {
            let error = conn.execute_batch(sql).expect_err(sql).to_string();
            assert!(error.contains("append_only"), "{error}");
        }
    }
}
