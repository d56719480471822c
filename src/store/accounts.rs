//! What people change of their own account: password and mail address, and the sign-up that fills
//! a row of the roster.
//!
//! The rows themselves belong to `store/members.rs`. Called by the use-cases for log-in, sign-up,
//! passwords and mail addresses.

use rusqlite::{Connection, params};

use super::error::StoreError;
use crate::domain::id::MemberId;

/// Whether a member has a second factor.
pub fn has_second_factor(conn: &Connection, member: MemberId) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM totp WHERE member_id = ?1 AND state = 'active')",
        )?
        .query_row([member.0], |row| row.get(0))?)
}

/// Whether a live member has a phone number.
pub fn is_phone_taken(conn: &Connection, phone: &str) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM member WHERE phone = ?1 AND left_ms IS NULL)",
        )?
        .query_row([phone], |row| row.get(0))?)
}

/// Gives a member another password, if they still have the one with `old` as its hash; false when
/// it was changed meanwhile.
pub fn update_password(
    conn: &Connection,
    member: MemberId,
    (old, new): (Option<&str>, &str),
    now_ms: i64,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE member SET password_hash = ?3, password_changed_ms = ?4
             WHERE id = ?1 AND password_hash IS ?2 AND left_ms IS NULL",
        )?
        .execute(params![member.0, old, new, now_ms])?;
    Ok(changed == 1)
}

/// Stores the same password under a stronger hash, if it is still the same.
pub fn update_rehashed(
    conn: &Connection,
    member: MemberId,
    old: &str,
    new: &str,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE member SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2",
    )?
    .execute(params![member.0, old, new])?;
    Ok(())
}

/// Gives a member another mail address, proven at `now_ms`; a conflict when somebody else has it.
pub fn update_email(
    conn: &Connection,
    member: MemberId,
    email: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE member SET email = ?2, email_verified_ms = ?3 WHERE id = ?1 AND left_ms IS NULL",
    )?
    .execute(params![member.0, email, now_ms])?;
    Ok(())
}

/// Notes that the mail address which a member has was proven.
pub fn update_email_verified(
    conn: &Connection,
    member: MemberId,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE member SET email_verified_ms = ?2
         WHERE id = ?1 AND email IS NOT NULL AND left_ms IS NULL",
    )?
    .execute([member.0, now_ms])?;
    Ok(())
}

/// Keeps to which privacy notice a member agreed.
pub fn update_consent(
    conn: &Connection,
    member: MemberId,
    version: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE member SET consent_version = ?2, consent_ms = ?3
         WHERE id = ?1 AND left_ms IS NULL",
    )?
    .execute(params![member.0, version, now_ms])?;
    Ok(())
}

/// What a sign-up brings beside the profile.
#[derive(Debug, Clone, Copy)]
pub struct SignedUp<'a> {
    /// The proven address.
    pub email: &'a str,
    /// A phone number, kept where the row has none.
    pub phone: &'a str,
    /// argon2id in PHC form.
    pub password_hash: &'a str,
    /// `ko` or `en`.
    pub language: &'a str,
    /// The privacy notice that was agreed to, and when.
    pub consent: (&'a str, i64),
}

/// Makes a row of the roster an account; false when it has become one meanwhile. A conflict names
/// what somebody else has.
pub fn update_signed_up(
    conn: &Connection,
    member: MemberId,
    with: &SignedUp<'_>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE member SET email = ?2, email_verified_ms = ?7, password_hash = ?3,
               password_changed_ms = ?7, language = ?4, consent_version = ?5, consent_ms = ?6,
               phone = coalesce(phone, ?8)
             WHERE id = ?1 AND password_hash IS NULL AND left_ms IS NULL",
        )?
        .execute(params![
            member.0,
            with.email,
            with.password_hash,
            with.language,
            with.consent.0,
            with.consent.1,
            now_ms,
            with.phone
        ])?;
    Ok(changed == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::members;
    use crate::store::open::memory_with_people;

    #[test]
    fn a_password_is_replaced_only_while_it_is_the_one_that_was_looked_at() {
        let conn = memory_with_people();
        let change = |old, new| update_password(&conn, MemberId(1), (old, new), 7).expect("stored");
        assert!(change(None, "one"));
        assert!(!change(None, "two"));
        assert!(change(Some("one"), "two"));
        update_rehashed(&conn, MemberId(1), "one", "three").expect("stored");
        let row = || members::find_by_id(&conn, MemberId(1)).expect("readable").expect("there");
        assert_eq!(row().password_hash.as_deref(), Some("two"));
        assert_eq!(row().password_changed_ms, Some(7));
        update_rehashed(&conn, MemberId(1), "two", "three").expect("stored");
        assert_eq!(row().password_hash.as_deref(), Some("three"));
    }

    #[test]
    fn a_row_of_the_roster_becomes_an_account_once() {
        let conn = memory_with_people();
        let with = SignedUp {
            email: "a@b.kr",
            phone: "01011112222",
            password_hash: "hash",
            language: "en",
            consent: ("1", 5),
        };
        assert!(update_signed_up(&conn, MemberId(1), &with, 7).expect("stored"));
        assert!(!update_signed_up(&conn, MemberId(1), &with, 8).expect("stored"));
        let row = members::find_by_id(&conn, MemberId(1)).expect("readable").expect("there");
        assert_eq!((row.email.as_deref(), row.language.as_str()), (Some("a@b.kr"), "en"));
        assert_eq!((row.email_verified_ms, row.consent), (Some(7), Some(("1".to_owned(), 5))));
        assert_eq!(row.phone.as_deref(), Some("01011112222"));
        let taken = update_email(&conn, MemberId(2), "a@b.kr", 9);
        assert!(matches!(taken, Err(StoreError::Conflict(_))));
    }
}
