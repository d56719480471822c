//! The audit chain: who did what, each row sealed with a hash over the row before it.
//!
//! `hash = SHA-256(previous hash ‖ at_ms ‖ actor_id ‖ action ‖ subject ‖ detail)` where the numbers
//! are 8 bytes big-endian (no actor: 0) and each text is preceded by its length in 8 bytes, so that
//! no two different rows have the same bytes. The first row's previous hash is 32 zero bytes, and
//! rows are numbered from 1 without gaps. The chain alone shows a change in the middle; that its end
//! was cut off or written anew shows only against a head that is kept elsewhere (`service/audit`).

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::error::StoreError;
use super::state::collect;
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
pub struct AuditHead {
    /// The newest row's number: how many rows there are.
    pub rows: i64,
    /// The newest row's hash; zeros before the first.
    pub hash: Hash,
}

impl AuditHead {
    /// Reads the newest row.
    pub fn load(conn: &Connection) -> Result<Self, StoreError> {
        let newest = conn
            .query_row("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1", [], |row| {
                Ok(Self { rows: row.get(0)?, hash: row.get(1)? })
            })
            .optional()?;
        Ok(newest.unwrap_or_default())
    }

    /// Appends a row and moves on to it.
    pub fn append(
        &mut self,
        conn: &Connection,
        at_ms: i64,
        entry: &AuditEntry<'_>,
    ) -> Result<(), StoreError> {
        let hash = link(&self.hash, at_ms, entry);
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
        *self = Self { rows: conn.last_insert_rowid(), hash };
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

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The number does not follow on the one before: rows are missing, or one was put in.
    NumberJumps {
        /// The number that should stand there.
        expected: i64,
    },
    /// A value is not of its kind: a number where a text belongs, a member that cannot be.
    NotARow,
    /// The hash does not fit the row and the one before it.
    HashDoesNotFit,
    /// The row is not the one that the signed head names.
    NotTheHead,
    /// The table ends before the row that the signed head names.
    EndsBeforeHead {
        /// How many rows the head knows.
        rows: i64,
    },
}

/// The first row that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Its number, as it stands there; after the last for a table that ends too early.
    pub id: i64,
    /// Its time, if it can be read, unix milliseconds.
    pub at_ms: Option<i64>,
    /// Its action, if it can be read.
    pub action: Option<String>,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What a walk over the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every link holds, up to here.
    Intact(AuditHead),
    /// The first row that is not as it was written.
    Broken(BadRow),
}

/// Walks the whole chain; with a known head it must also be the chain of that head.
pub fn verify(conn: &Connection, known: Option<&AuditHead>) -> Result<Verdict, StoreError> {
    let mut walk = Walk::new(known.copied());
    while walk.step(conn, SLICE)? {}
    Ok(walk.verdict())
}

/// Rows of one step of a walk when nobody else says.
const SLICE: u32 = 10_000;

/// A walk over the chain in steps, so that no step holds a connection for long. Rows are never
/// changed, so those of earlier steps stay as they were seen.
#[derive(Debug, Clone)]
pub struct Walk {
    reached: AuditHead,
    known: Option<AuditHead>,
    bad: Option<BadRow>,
}

impl Walk {
    /// From the first row.
    #[must_use]
    pub const fn new(known: Option<AuditHead>) -> Self {
        Self { reached: AuditHead { rows: 0, hash: [0; 32] }, known, bad: None }
    }

    /// Looks at the next rows; false when the walk is over.
    pub fn step(&mut self, conn: &Connection, limit: u32) -> Result<bool, StoreError> {
        let mut statement = conn.prepare_cached(
            "SELECT id, at_ms, actor_id, action, subject, detail, hash FROM audit
             WHERE id >= ?1 ORDER BY id LIMIT ?2",
        )?;
        // At first from below 1: such a row is one that was put in.
        let next = if self.reached.rows == 0 { i64::MIN } else { self.reached.rows + 1 };
        let mut rows = statement.query(params![next, limit])?;
        let mut seen = 0;
        while let Some(row) = rows.next()? {
            seen += 1;
            if let Err(bad) = self.look(row)? {
                self.bad = Some(bad);
                return Ok(false);
            }
        }
        if seen == limit {
            return Ok(true);
        }
        if let Some(known) = self.known.filter(|known| self.reached.rows < known.rows) {
            self.bad = Some(BadRow {
                id: self.reached.rows + 1,
                at_ms: None,
                action: None,
                flaw: Flaw::EndsBeforeHead { rows: known.rows },
            });
        }
        Ok(false)
    }

    /// What the walk has found so far.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        self.bad.map_or(Verdict::Intact(self.reached), Verdict::Broken)
    }

    fn look(&mut self, row: &Row<'_>) -> Result<Result<(), BadRow>, StoreError> {
        let id: i64 = row.get(0)?;
        let stored = Stored::read(row)?;
        let bad = |flaw| {
            let (at_ms, action) = (stored.at_ms, stored.action.map(str::to_owned));
            Ok(Err(BadRow { id, at_ms, action, flaw }))
        };
        let expected = self.reached.rows + 1;
        if id != expected {
            return bad(Flaw::NumberJumps { expected });
        }
        let Some((at_ms, entry, hash)) = stored.whole() else { return bad(Flaw::NotARow) };
        if link(&self.reached.hash, at_ms, &entry) != hash {
            return bad(Flaw::HashDoesNotFit);
        }
        if self.known.is_some_and(|known| known.rows == id && known.hash != hash) {
            return bad(Flaw::NotTheHead);
        }
        self.reached = AuditHead { rows: id, hash };
        Ok(Ok(()))
    }
}

/// Who stands in a row.
#[derive(Clone, Copy)]
enum Actor {
    Nobody,
    Member(MemberId),
    /// Nothing that could be one.
    Impossible,
}

/// A row as it stands there, whatever somebody made of it.
struct Stored<'a> {
    at_ms: Option<i64>,
    actor: Actor,
    action: Option<&'a str>,
    subject: Option<&'a str>,
    detail: Option<&'a str>,
    hash: Option<Hash>,
}

impl<'a> Stored<'a> {
    fn read(row: &'a Row<'_>) -> Result<Self, StoreError> {
        let text = |column| -> Result<Option<&'a str>, StoreError> {
            Ok(row.get_ref(column)?.as_str().ok())
        };
        let actor = match row.get_ref(2)? {
            ValueRef::Null => Actor::Nobody,
            // 0 has the same hash as nobody, and no member has it.
            ValueRef::Integer(id) if id != 0 => Actor::Member(MemberId(id)),
            _ => Actor::Impossible,
        };
        Ok(Self {
            at_ms: row.get_ref(1)?.as_i64().ok(),
            actor,
            action: text(3)?,
            subject: text(4)?,
            detail: text(5)?,
            hash: row.get_ref(6)?.as_blob().ok().and_then(|bytes| bytes.try_into().ok()),
        })
    }

    fn whole(&self) -> Option<(i64, AuditEntry<'a>, Hash)> {
        let actor = match self.actor {
            Actor::Nobody => None,
            Actor::Member(id) => Some(id),
            Actor::Impossible => return None,
        };
        let entry = AuditEntry {
            actor,
            action: self.action?,
            subject: self.subject?,
            detail: self.detail?,
        };
        Some((self.at_ms?, entry, self.hash?))
    }
}

/// Which rows are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Done by this member.
    pub actor: Option<MemberId>,
    /// Actions that begin so.
    pub action: Option<String>,
    /// Done to this, as noun:id.
    pub subject: Option<String>,
    /// At this time or later, unix milliseconds.
    pub from_ms: Option<i64>,
    /// Before this time.
    pub to_ms: Option<i64>,
}

/// A row for people.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// Its number.
    pub id: i64,
    /// When, unix milliseconds.
    pub at_ms: i64,
    /// Who; `None` for the program itself and the command line.
    pub actor: Option<MemberId>,
    /// Their name and student id, as they are now.
    pub actor_name: Option<(String, String)>,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// A JSON object with what else matters.
    pub detail: String,
    /// The row's link of the chain.
    pub hash: Hash,
}

/// Which way a list goes on.
#[derive(Debug, Clone, Copy)]
pub enum From {
    /// Older than this row, newest first.
    Before(i64),
    /// Newer than this row, oldest first.
    After(i64),
}

/// Rows that were found, and the row that the search came to.
#[derive(Debug, Clone)]
pub struct Found {
    /// In the order asked for.
    pub rows: Vec<AuditRow>,
    /// Where to go on; `None` when all rows were looked at.
    pub reached: Option<i64>,
}

/// Most rows that one search looks at: a filter that fits nothing must not keep a connection.
pub const SEARCH_MAX: i64 = 50_000;

/// Lists rows. Of a long table only [`SEARCH_MAX`] rows are looked at: a page may be short and still
/// not the last.
pub fn list(
    conn: &Connection,
    filter: &AuditFilter,
    from: From,
    limit: u32,
) -> Result<Found, StoreError> {
    let (start, compare, order) = match from {
        From::Before(id) => (id, "<", "DESC"),
        From::After(id) => (id, ">", "ASC"),
    };
    let sql = format!(
        "SELECT audit.id, at_ms, actor_id, action, subject, detail, hash, name, student_id
         FROM (SELECT * FROM audit WHERE id {compare} ?1 ORDER BY id {order} LIMIT ?2) AS audit
         LEFT JOIN member ON member.id = actor_id
         WHERE (?3 IS NULL OR actor_id = ?3) AND (?4 IS NULL OR substr(action, 1, length(?4)) = ?4)
           AND (?5 IS NULL OR subject = ?5) AND (?6 IS NULL OR at_ms >= ?6)
           AND (?7 IS NULL OR at_ms < ?7)
         ORDER BY audit.id {order} LIMIT ?8"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = collect(
        statement.query(params![
            start,
            SEARCH_MAX,
            filter.actor.map(|id| id.0),
            filter.action,
            filter.subject,
            filter.from_ms,
            filter.to_ms,
            limit
        ])?,
        read_row,
    )?;
    // A whole page ends at its last row, a short one at the last row that was looked at.
    let whole = rows.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    let reached = if whole { rows.last().map(|row| row.id) } else { edge(conn, from)? };
    Ok(Found { rows, reached })
}

/// The row at which a search from here stops looking, if there are more behind it.
fn edge(conn: &Connection, from: From) -> Result<Option<i64>, StoreError> {
    let (start, compare, order) = match from {
        From::Before(id) => (id, "<", "DESC"),
        From::After(id) => (id, ">", "ASC"),
    };
    let sql =
        format!("SELECT id FROM audit WHERE id {compare} ?1 ORDER BY id {order} LIMIT 2 OFFSET ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let last = collect(statement.query([start, SEARCH_MAX - 1])?, |row| Ok(row.get::<_, i64>(0)?))?;
    Ok(if last.len() == 2 { last.first().copied() } else { None })
}

/// Finds a row by its number.
pub fn find(conn: &Connection, id: i64) -> Result<Option<AuditRow>, StoreError> {
    let found = list(conn, &AuditFilter::default(), From::After(id.saturating_sub(1)), 1)?;
    Ok(found.rows.into_iter().next().filter(|row| row.id == id))
}

fn read_row(row: &Row<'_>) -> Result<AuditRow, StoreError> {
    let name: Option<String> = row.get(7)?;
    Ok(AuditRow {
        id: row.get(0)?,
        at_ms: row.get(1)?,
        actor: row.get::<_, Option<i64>>(2)?.map(MemberId),
        actor_name: name.zip(row.get(8)?),
        action: row.get(3)?,
        subject: row.get(4)?,
        detail: row.get(5)?,
        hash: row.get(6)?,
    })
}

#[cfg(test)]
mod tests;
