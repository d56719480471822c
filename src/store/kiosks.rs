//! Kiosks: their banks, how they are paired, what they said of themselves, who signed in there.
//!
//! A sign-in at a kiosk is a row of `session` like any log-in; it has no refresh token, so its
//! hashes are of secrets that were thrown away.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use super::state::collect;
use crate::domain::id::{BankId, KioskId, MemberId, SessionId};
use crate::domain::kiosk::Kiosk;

/// A code that pairs a kiosk.
#[derive(Debug, Clone, Copy)]
pub struct Pairing {
    /// Keyed hash of the code.
    pub hash: [u8; 32],
    /// Until when it is good, unix milliseconds.
    pub expires_ms: i64,
}

/// What a kiosk said of itself last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When, unix milliseconds.
    pub at_ms: i64,
    /// From where.
    pub address: String,
    /// What it runs, if it said so.
    pub version: Option<String>,
}

/// What staff see of a kiosk beside what the published state has.
#[derive(Debug, Clone)]
pub struct KioskRow {
    /// Which.
    pub id: KioskId,
    /// Since when it is paired, unix milliseconds.
    pub paired_ms: Option<i64>,
    /// Until when its pairing code is good, if one waits.
    pub pairing_expires_ms: Option<i64>,
    /// What was written down of what it said last.
    pub seen: Option<Seen>,
}

/// A member's sign-in at a kiosk before it has a number.
#[derive(Debug, Clone)]
pub struct NewSignIn {
    /// Whose.
    pub member: MemberId,
    /// Where.
    pub kiosk: KioskId,
    /// Whether the code came from the member's own authenticator app.
    pub strong: bool,
    /// SHA-256 of two secrets that nobody keeps.
    pub hashes: [[u8; 32]; 2],
    /// Until when it is good, unix milliseconds.
    pub expires_ms: i64,
    /// The kiosk's address.
    pub address: String,
}

/// Makes a kiosk; a conflict says that the name is taken.
pub fn insert(
    conn: &Connection,
    name: &str,
    pairing: Pairing,
    by: MemberId,
    now_ms: i64,
) -> Result<KioskId, StoreError> {
    conn.prepare_cached(
        "INSERT INTO kiosk (name, created_ms, created_by, pairing_hash, pairing_expires_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![name, now_ms, by.0, pairing.hash, pairing.expires_ms])?;
    Ok(KioskId(conn.last_insert_rowid()))
}

/// Says beside which banks a kiosk stands.
pub fn replace_banks(conn: &Connection, id: KioskId, banks: &[BankId]) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM kiosk_bank WHERE kiosk_id = ?1")?.execute([id.0])?;
    let mut insert =
        conn.prepare_cached("INSERT INTO kiosk_bank (kiosk_id, bank_id) VALUES (?1, ?2)")?;
    for bank in banks {
        insert.execute([id.0, bank.0])?;
    }
    Ok(())
}

/// Names a kiosk anew.
pub fn update_name(conn: &Connection, id: KioskId, name: &str) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE kiosk SET name = ?2 WHERE id = ?1")?
        .execute(params![id.0, name])?;
    Ok(())
}

/// Gives a kiosk a new pairing code; its credential stays good until the code is used.
pub fn update_pairing(conn: &Connection, id: KioskId, pairing: Pairing) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE kiosk SET pairing_hash = ?2, pairing_expires_ms = ?3 WHERE id = ?1",
    )?
    .execute(params![id.0, pairing.hash, pairing.expires_ms])?;
    Ok(())
}

/// The kiosk that a pairing code is for, and until when the code is good.
pub fn find_by_pairing(
    conn: &Connection,
    hash: &[u8; 32],
) -> Result<Option<(KioskId, i64)>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT id, pairing_expires_ms FROM kiosk
             WHERE pairing_hash = ?1 AND revoked_ms IS NULL",
        )?
        .query_row([hash], |row| Ok((KioskId(row.get(0)?), row.get(1)?)))
        .optional()?)
}

/// Gives a kiosk its credential; the pairing code is used up and an earlier credential is dead.
pub fn update_paired(
    conn: &Connection,
    id: KioskId,
    credential_hash: &[u8; 32],
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE kiosk SET credential_hash = ?2, paired_ms = ?3, pairing_hash = NULL,
                          pairing_expires_ms = NULL
         WHERE id = ?1",
    )?
    .execute(params![id.0, credential_hash, now_ms])?;
    Ok(())
}

/// Ends a kiosk for good; its name is free again.
pub fn update_revoked(
    conn: &Connection,
    id: KioskId,
    by: MemberId,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE kiosk SET revoked_ms = ?2, revoked_by = ?3, pairing_hash = NULL,
                          pairing_expires_ms = NULL
         WHERE id = ?1 AND revoked_ms IS NULL",
    )?
    .execute(params![id.0, now_ms, by.0])?;
    Ok(())
}

/// Writes down what a kiosk said of itself.
pub fn update_seen(conn: &Connection, id: KioskId, seen: &Seen) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE kiosk SET seen_ms = ?2, address = ?3, version = coalesce(?4, version)
         WHERE id = ?1",
    )?
    .execute(params![id.0, seen.at_ms, seen.address, seen.version])?;
    Ok(())
}

/// What is stored of every kiosk that was not revoked, by number.
pub fn list_rows(conn: &Connection) -> Result<Vec<KioskRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, paired_ms, pairing_expires_ms, seen_ms, address, version FROM kiosk
         WHERE revoked_ms IS NULL ORDER BY id",
    )?;
    collect(statement.query([])?, |row| {
        let seen_ms: Option<i64> = row.get(3)?;
        let address: Option<String> = row.get(4)?;
        let version = row.get(5)?;
        Ok(KioskRow {
            id: KioskId(row.get(0)?),
            paired_ms: row.get(1)?,
            pairing_expires_ms: row.get(2)?,
            seen: seen_ms.zip(address).map(|(at_ms, address)| Seen { at_ms, address, version }),
        })
    })
}

/// Every kiosk that was not revoked, with its banks.
pub(super) fn list(conn: &Connection) -> Result<Vec<Kiosk>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, name, credential_hash FROM kiosk WHERE revoked_ms IS NULL ORDER BY id",
    )?;
    let mut kiosks = collect(statement.query([])?, |row| {
        Ok(Kiosk {
            id: KioskId(row.get(0)?),
            name: row.get(1)?,
            banks: Vec::new(),
            credential_hash: row.get(2)?,
        })
    })?;
    let mut statement =
        conn.prepare_cached("SELECT kiosk_id, bank_id FROM kiosk_bank ORDER BY bank_id")?;
    let pairs =
        collect(statement.query([])?, |row| Ok((KioskId(row.get(0)?), BankId(row.get(1)?))))?;
    for (id, bank) in pairs {
        if let Some(kiosk) = kiosks.iter_mut().find(|kiosk| kiosk.id == id) {
            kiosk.banks.push(bank);
        }
    }
    Ok(kiosks)
}

/// Stores a sign-in.
pub fn insert_sign_in(
    conn: &Connection,
    sign_in: &NewSignIn,
    now_ms: i64,
) -> Result<SessionId, StoreError> {
    let [family_hash, refresh_hash] = sign_in.hashes;
    conn.prepare_cached(
        "INSERT INTO session (member_id, method, strong, kiosk_id, family_hash, refresh_hash,
                              issued_ms, refreshed_ms, last_used_ms, expires_ms, user_agent,
                              address)
         VALUES (?1, 'kiosk', ?2, ?3, ?4, ?5, ?6, ?6, ?6, ?7, '', ?8)",
    )?
    .execute(params![
        sign_in.member.0,
        sign_in.strong,
        sign_in.kiosk.0,
        family_hash,
        refresh_hash,
        now_ms,
        sign_in.expires_ms,
        sign_in.address
    ])?;
    Ok(SessionId(conn.last_insert_rowid()))
}

/// Sign-ins that were not ended, at one kiosk or at all of them.
pub fn list_open_sign_ins(
    conn: &Connection,
    kiosk: Option<KioskId>,
) -> Result<Vec<(SessionId, MemberId)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, member_id FROM session
         WHERE ended_ms IS NULL AND method = 'kiosk' AND (?1 IS NULL OR kiosk_id = ?1)",
    )?;
    collect(statement.query([kiosk.map(|id| id.0)])?, |row| {
        Ok((SessionId(row.get(0)?), MemberId(row.get(1)?)))
    })
}

/// A code that staff gave to a member without a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneTimeCode {
    /// Its id, which its hash is made with.
    pub id: String,
    /// Keyed hash of the code.
    pub hash: [u8; 32],
    /// How often it was missed.
    pub tries: u32,
}

/// Gives a member a one-time code; one that was given before is dead.
pub fn insert_one_time(
    conn: &Connection,
    member: MemberId,
    code: &OneTimeCode,
    now_ms: i64,
    expires_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM code WHERE member_id = ?1 AND purpose = 'kiosk'")?
        .execute([member.0])?;
    conn.prepare_cached(
        "INSERT INTO code (id, purpose, member_id, payload, code_hash, tries, created_ms,
                           expires_ms)
         VALUES (?1, 'kiosk', ?2, '{}', ?3, ?4, ?5, ?6)",
    )?
    .execute(params![code.id, member.0, code.hash, code.tries, now_ms, expires_ms])?;
    Ok(())
}

/// The one-time code that a member may use now.
pub fn find_one_time(
    conn: &Connection,
    member: MemberId,
    now_ms: i64,
) -> Result<Option<OneTimeCode>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT id, code_hash, tries FROM code
             WHERE member_id = ?1 AND purpose = 'kiosk' AND used_ms IS NULL AND expires_ms > ?2",
        )?
        .query_row([member.0, now_ms], |row| {
            Ok(OneTimeCode { id: row.get(0)?, hash: row.get(1)?, tries: row.get(2)? })
        })
        .optional()?)
}

/// Notes that a one-time code was missed.
pub fn update_one_time_missed(conn: &Connection, id: &str) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE code SET tries = tries + 1 WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Notes that a one-time code was used; false when it was used before.
pub fn update_one_time_used(conn: &Connection, id: &str, now_ms: i64) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached("UPDATE code SET used_ms = ?2 WHERE id = ?1 AND used_ms IS NULL")?
        .execute(params![id, now_ms])?;
    Ok(changed == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::Constraint;
    use crate::store::open::memory_with_people;

    const BY: MemberId = MemberId(1);

    fn kiosk(conn: &Connection, name: &str, code: u8) -> Result<KioskId, StoreError> {
        let id = insert(conn, name, Pairing { hash: [code; 32], expires_ms: 100 }, BY, 1)?;
        replace_banks(conn, id, &[BankId(1)])?;
        Ok(id)
    }

    #[test]
    fn a_code_pairs_once_and_a_new_credential_ends_the_old() {
        let conn = memory_with_people();
        let id = kiosk(&conn, "로비", 1).expect("new");
        assert_eq!(find_by_pairing(&conn, &[1; 32]).expect("readable"), Some((id, 100)));
        update_paired(&conn, id, &[7; 32], 5).expect("stored");
        assert_eq!(find_by_pairing(&conn, &[1; 32]).expect("readable"), None);
        update_pairing(&conn, id, Pairing { hash: [2; 32], expires_ms: 200 }).expect("stored");
        assert_eq!(list(&conn).expect("readable")[0].credential_hash, Some([7; 32]));
        update_paired(&conn, id, &[8; 32], 6).expect("stored");
        let known = list(&conn).expect("readable");
        assert_eq!(known[0].credential_hash, Some([8; 32]));
        assert!(known[0].serves(BankId(1)));
    }

    #[test]
    fn a_revoked_kiosk_is_gone_and_its_name_free() {
        let conn = memory_with_people();
        let id = kiosk(&conn, "로비", 1).expect("new");
        let taken = kiosk(&conn, "로비", 2);
        assert!(matches!(taken, Err(StoreError::Conflict(Constraint::Unique(_)))), "{taken:?}");
        update_revoked(&conn, id, BY, 9).expect("stored");
        assert!(list(&conn).expect("readable").is_empty());
        assert_eq!(find_by_pairing(&conn, &[1; 32]).expect("readable"), None);
        let next = kiosk(&conn, "로비", 3).expect("free again");
        let seen = Seen { at_ms: 3, address: "10.0.0.9".to_owned(), version: None };
        update_seen(&conn, next, &seen).expect("stored");
        assert_eq!(list_rows(&conn).expect("readable")[0].seen, Some(seen));
    }

    #[test]
    fn open_sign_ins_are_found_by_kiosk() {
        let conn = memory_with_people();
        let (one, two) = (kiosk(&conn, "가", 1).expect("new"), kiosk(&conn, "나", 2).expect("new"));
        let sign_in = |kiosk| {
            let sign_in = NewSignIn {
                member: BY,
                kiosk,
                strong: true,
                hashes: [[1; 32], [2; 32]],
                expires_ms: 9,
                address: String::new(),
            };
            insert_sign_in(&conn, &sign_in, 1).expect("stored")
        };
        let (first, second) = (sign_in(one), sign_in(two));
        let open = |kiosk| list_open_sign_ins(&conn, kiosk).expect("readable");
        assert_eq!(open(Some(two)), [(second, BY)]);
        assert_eq!(open(None).len(), 2);
        crate::store::sessions::update_ended(&conn, first, "idle", 5).expect("stored");
        assert_eq!(open(None), [(second, BY)]);
    }

    #[test]
    fn a_one_time_code_is_good_once_and_the_newest_counts() {
        let conn = memory_with_people();
        let code = |id: &str, hash| OneTimeCode { id: id.repeat(36), hash: [hash; 32], tries: 0 };
        let found = |now_ms| find_one_time(&conn, BY, now_ms).expect("readable");
        insert_one_time(&conn, BY, &code("a", 1), 1, 100).expect("stored");
        insert_one_time(&conn, BY, &code("b", 2), 2, 100).expect("stored");
        assert_eq!(found(99), Some(code("b", 2)));
        assert_eq!(found(100), None);
        let id = code("b", 2).id;
        update_one_time_missed(&conn, &id).expect("stored");
        assert_eq!(found(50).map(|code| code.tries), Some(1));
        assert!(update_one_time_used(&conn, &id, 51).expect("stored"));
        assert!(!update_one_time_used(&conn, &id, 52).expect("stored"));
        assert_eq!(found(60), None);
    }
}
