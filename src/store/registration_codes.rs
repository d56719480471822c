//! The codes with which staff take banks over: one for each bank, its keyed hash only.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use crate::domain::id::{BankId, MemberId};

/// Stores a bank's code in the place of the one before.
pub fn upsert(
    conn: &Connection,
    bank: BankId,
    code_hash: &[u8; 32],
    by: MemberId,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO registration_code (bank_id, code_hash, created_ms, created_by)
         VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![bank.0, code_hash, now_ms, by.0])?;
    Ok(())
}

/// The bank of a code, and whether the code was used.
pub fn find(conn: &Connection, code_hash: &[u8; 32]) -> Result<Option<(BankId, bool)>, StoreError> {
    let sql = "SELECT bank_id, used_ms IS NOT NULL FROM registration_code WHERE code_hash = ?1";
    let mut statement = conn.prepare_cached(sql)?;
    let found = statement.query_row([code_hash], |row| Ok((BankId(row.get(0)?), row.get(1)?)));
    Ok(found.optional()?)
}

/// Uses a code up; false when somebody was faster.
pub fn update_used(
    conn: &Connection,
    bank: BankId,
    by: MemberId,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE registration_code SET used_ms = ?2, used_by = ?3
             WHERE bank_id = ?1 AND used_ms IS NULL",
        )?
        .execute(params![bank.0, now_ms, by.0])?;
    Ok(changed == 1)
}

/// Takes a bank's code away, for good.
pub fn delete(conn: &Connection, bank: BankId) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM registration_code WHERE bank_id = ?1")?.execute([bank.0])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::memory_with_people;

    #[test]
    fn a_code_is_good_once_and_until_the_next_one() {
        let conn = memory_with_people();
        let (bank, member) = (BankId(1), MemberId(1));
        upsert(&conn, bank, &[1; 32], member, 5).expect("stored");
        upsert(&conn, bank, &[2; 32], member, 6).expect("stored");
        assert_eq!(find(&conn, &[1; 32]).expect("readable"), None);
        assert_eq!(find(&conn, &[2; 32]).expect("readable"), Some((bank, false)));
        assert!(update_used(&conn, bank, member, 7).expect("stored"));
        assert!(!update_used(&conn, bank, member, 8).expect("stored"));
        assert_eq!(find(&conn, &[2; 32]).expect("readable"), Some((bank, true)));
        delete(&conn, bank).expect("stored");
        assert_eq!(find(&conn, &[2; 32]).expect("readable"), None);
    }
}
