//! Second factors of members: sealed secrets, the last step that was used, recovery codes.
//!
//! Whether a code was used is decided by the statement that notes its use ([`update_step`],
//! [`update_recovery_used`]): of any number of equal codes one changes a row.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use crate::domain::id::MemberId;

/// Whether a second factor is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was shown to its owner and waits for its first code.
    Pending,
    /// It is in force.
    Active,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
        }
    }
}

/// A stored second factor.
#[derive(Debug, Clone)]
pub struct TotpRow {
    /// The secret, sealed for `totp:MEMBER`.
    pub sealed: Vec<u8>,
    /// When it was made, unix milliseconds.
    pub created_ms: i64,
    /// When its first code was shown.
    pub confirmed_ms: Option<i64>,
}

/// Finds a member's second factor.
pub fn find(
    conn: &Connection,
    member: MemberId,
    state: State,
) -> Result<Option<TotpRow>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT sealed, created_ms, confirmed_ms FROM totp WHERE member_id = ?1 AND state = ?2",
        )?
        .query_row(params![member.0, state.name()], |row| {
            Ok(TotpRow { sealed: row.get(0)?, created_ms: row.get(1)?, confirmed_ms: row.get(2)? })
        })
        .optional()?)
}

/// Keeps a new secret beside the one in force; one that waited before is forgotten.
pub fn insert_pending(
    conn: &Connection,
    member: MemberId,
    sealed: &[u8],
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO totp (member_id, state, sealed, created_ms)
         VALUES (?1, 'pending', ?2, ?3)",
    )?
    .execute(params![member.0, sealed, now_ms])?;
    Ok(())
}

/// Puts the waiting secret in force in the place of the one before; `step` is that of its first
/// code.
pub fn update_confirmed(
    conn: &Connection,
    member: MemberId,
    step: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM totp WHERE member_id = ?1 AND state = 'active'")?
        .execute([member.0])?;
    conn.prepare_cached(
        "UPDATE totp SET state = 'active', confirmed_ms = ?2, last_step = ?3
         WHERE member_id = ?1 AND state = 'pending'",
    )?
    .execute(params![member.0, now_ms, step])?;
    Ok(())
}

/// Notes that the code of a step was used; false when it or a later one was used before.
pub fn update_step(conn: &Connection, member: MemberId, step: i64) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE totp SET last_step = ?2
             WHERE member_id = ?1 AND state = 'active' AND last_step < ?2",
        )?
        .execute([member.0, step])?;
    Ok(changed == 1)
}

/// Forgets a member's second factor with its recovery codes; false when there was none.
pub fn delete(conn: &Connection, member: MemberId) -> Result<bool, StoreError> {
    let gone = conn.prepare_cached("DELETE FROM totp WHERE member_id = ?1")?.execute([member.0])?;
    conn.prepare_cached("DELETE FROM recovery_code WHERE member_id = ?1")?.execute([member.0])?;
    Ok(gone > 0)
}

/// Gives a member recovery codes (their keyed hashes) in the place of those before.
pub fn replace_recovery(
    conn: &Connection,
    member: MemberId,
    hashes: &[[u8; 32]],
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM recovery_code WHERE member_id = ?1")?.execute([member.0])?;
    let mut insert = conn.prepare_cached(
        "INSERT INTO recovery_code (member_id, code_hash, created_ms) VALUES (?1, ?2, ?3)",
    )?;
    for hash in hashes {
        insert.execute(params![member.0, hash, now_ms])?;
    }
    Ok(())
}

/// Notes that a recovery code was used; false when it is none of the member's or was used before.
pub fn update_recovery_used(
    conn: &Connection,
    member: MemberId,
    hash: &[u8; 32],
    now_ms: i64,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE recovery_code SET used_ms = ?3
             WHERE member_id = ?1 AND code_hash = ?2 AND used_ms IS NULL",
        )?
        .execute(params![member.0, hash, now_ms])?;
    Ok(changed == 1)
}

/// How many recovery codes of a member were not used yet.
pub fn count_recovery(conn: &Connection, member: MemberId) -> Result<u32, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT count(*) FROM recovery_code WHERE member_id = ?1 AND used_ms IS NULL",
        )?
        .query_row([member.0], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::accounts::has_second_factor;
    use crate::store::open::memory_with_people;

    const MEMBER: MemberId = MemberId(1);

    #[test]
    fn the_one_in_force_stays_until_the_new_one_is_confirmed() {
        let conn = memory_with_people();
        insert_pending(&conn, MEMBER, b"first", 1).expect("stored");
        assert!(!has_second_factor(&conn, MEMBER).expect("readable"));
        update_confirmed(&conn, MEMBER, 10, 2).expect("stored");
        insert_pending(&conn, MEMBER, b"second", 3).expect("stored");
        insert_pending(&conn, MEMBER, b"third", 4).expect("replaced");
        let sealed = |state| find(&conn, MEMBER, state).expect("readable").expect("there").sealed;
        assert_eq!(sealed(State::Active), b"first");
        assert_eq!(sealed(State::Pending), b"third");
        update_confirmed(&conn, MEMBER, 5, 6).expect("stored");
        assert_eq!(sealed(State::Active), b"third");
        assert!(find(&conn, MEMBER, State::Pending).expect("readable").is_none());
        assert!(delete(&conn, MEMBER).expect("stored") && !delete(&conn, MEMBER).expect("fine"));
    }

    #[test]
    fn a_step_is_used_once_and_none_before_it_afterwards() {
        let conn = memory_with_people();
        insert_pending(&conn, MEMBER, b"secret", 1).expect("stored");
        assert!(!update_step(&conn, MEMBER, 1).expect("readable"), "it is not in force");
        update_confirmed(&conn, MEMBER, 10, 2).expect("stored");
        for (step, good) in [(10, false), (11, true), (11, false), (10, false), (13, true)] {
            assert_eq!(update_step(&conn, MEMBER, step).expect("readable"), good, "{step}");
        }
        assert!(!update_step(&conn, MemberId(2), 99).expect("readable"));
    }

    #[test]
    fn recovery_codes_are_good_once_and_a_new_set_ends_the_old() {
        let conn = memory_with_people();
        replace_recovery(&conn, MEMBER, &[[1; 32], [2; 32]], 1).expect("stored");
        let used = |member, hash: u8| {
            update_recovery_used(&conn, member, &[hash; 32], 5).expect("readable")
        };
        assert!(used(MEMBER, 1) && !used(MEMBER, 1));
        assert!(!used(MemberId(2), 2));
        assert_eq!(count_recovery(&conn, MEMBER).expect("readable"), 1);
        replace_recovery(&conn, MEMBER, &[[3; 32]], 1).expect("stored");
        assert!(!used(MEMBER, 2) && used(MEMBER, 3));
    }
}
