//! The secrets behind the presence codes of banks, and which code each member used last.

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::state::collect;
use crate::domain::id::{BankId, MemberId};

/// Gives a bank a secret, sealed for `presence:BANK`, in the place of the one before. What members
/// used of the old one is forgotten: its codes mean nothing any more.
pub fn replace_key(
    conn: &Connection,
    bank: BankId,
    sealed: &[u8],
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO bank_key (bank_id, sealed, created_ms) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![bank.0, sealed, now_ms])?;
    conn.prepare_cached("DELETE FROM presence_use WHERE bank_id = ?1")?.execute([bank.0])?;
    Ok(())
}

/// Whether a bank has a secret.
pub fn has_key(conn: &Connection, bank: BankId) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM bank_key WHERE bank_id = ?1")?.exists([bank.0])?)
}

/// Every bank's secret as it is stored.
pub(super) fn list_keys(conn: &Connection) -> Result<Vec<(BankId, Vec<u8>)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT bank_id, sealed FROM bank_key")?;
    collect(statement.query([])?, |row| Ok((BankId(row.get(0)?), row.get(1)?)))
}

/// Notes that a member used the code of a step at a bank; false when they used it or a later one
/// before.
pub fn upsert_use(
    conn: &Connection,
    bank: BankId,
    member: MemberId,
    step: i64,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "INSERT INTO presence_use (bank_id, member_id, step) VALUES (?1, ?2, ?3)
             ON CONFLICT (bank_id, member_id) DO UPDATE SET step = excluded.step
             WHERE step < excluded.step",
        )?
        .execute([bank.0, member.0, step])?;
    Ok(changed == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bank::OpenFrom;
    use crate::store::banks;
    use crate::store::open::memory_with_people;

    #[test]
    fn every_rule_of_a_bank_is_known_to_the_schema_and_read_back() {
        let conn = memory_with_people();
        for from in OpenFrom::ALL {
            banks::update_open_from(&conn, BankId(1), from).expect("the CHECK knows it");
            assert_eq!(banks::list(&conn).expect("readable")[0].policy.open_from, from);
        }
    }

    #[test]
    fn a_step_is_good_once_for_each_member_until_the_key_changes() {
        let conn = memory_with_people();
        let uses =
            |member, step| upsert_use(&conn, BankId(1), MemberId(member), step).expect("readable");
        assert!(uses(1, 5) && !uses(1, 5) && !uses(1, 4));
        assert!(uses(2, 5) && uses(1, 6));
        replace_key(&conn, BankId(1), b"sealed", 1).expect("stored");
        replace_key(&conn, BankId(1), b"other", 2).expect("replaced");
        let keys = list_keys(&conn).expect("readable");
        assert_eq!(keys, [(BankId(1), b"other".to_vec())]);
        assert!(uses(1, 6), "a code of the new key is another code");
    }
}
