//! People with an account.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use crate::domain::id::{BankId, MemberId};
use crate::domain::member::{Profile, Role};

/// What a log-in needs of a member.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// Their number.
    pub id: MemberId,
    /// Student id.
    pub student_id: String,
    /// Full name.
    pub name: String,
    /// Digits, if known.
    pub phone: Option<String>,
    /// Lower case, if known.
    pub email: Option<String>,
    /// What they may do at large.
    pub role: Role,
    /// argon2id in PHC form, if they have a password.
    pub password_hash: Option<String>,
    /// Faculty or office, if known.
    pub department: Option<String>,
    /// The language of their mails: `ko` or `en`.
    pub language: String,
    /// Whether the last roster had them.
    pub on_roster: bool,
    /// When the account was made, unix milliseconds; so are the others.
    pub joined_ms: i64,
    /// When they last logged in.
    pub last_login_ms: Option<i64>,
    /// When their address was last proven.
    pub email_verified_ms: Option<i64>,
    /// When their password was last changed.
    pub password_changed_ms: Option<i64>,
    /// Since when they can only empty their locker and return it.
    pub leaving_ms: Option<i64>,
    /// Since when staff keep them out, and why.
    pub disabled: Option<(i64, String)>,
    /// Which privacy notice they agreed to, and when.
    pub consent: Option<(String, i64)>,
}

const COLUMNS: &str = "SELECT id, student_id, name, phone, email, role, password_hash, department,
    language, on_roster, joined_ms, last_login_ms, email_verified_ms, password_changed_ms,
    leaving_ms, disabled_ms, disabled_reason, consent_version, consent_ms FROM member";

fn find(
    conn: &Connection,
    condition: &str,
    value: impl rusqlite::ToSql,
) -> Result<Option<MemberRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE left_ms IS NULL AND {condition}");
    let mut statement = conn.prepare_cached(&sql)?;
    statement.query_row([value], |row| Ok(read(row))).optional()?.transpose()
}

/// Reads a row of [`COLUMNS`].
fn read(row: &Row<'_>) -> Result<MemberRow, StoreError> {
    let role: String = row.get("role")?;
    let role = role.parse().map_err(|_| StoreError::Inconsistent {
        table: "member",
        column: "role",
        value: role,
    })?;
    let disabled_ms: Option<i64> = row.get("disabled_ms")?;
    let consent_version: Option<String> = row.get("consent_version")?;
    Ok(MemberRow {
        id: MemberId(row.get("id")?),
        student_id: row.get("student_id")?,
        name: row.get("name")?,
        phone: row.get("phone")?,
        email: row.get("email")?,
        role,
        password_hash: row.get("password_hash")?,
        department: row.get("department")?,
        language: row.get("language")?,
        on_roster: row.get("on_roster")?,
        joined_ms: row.get("joined_ms")?,
        last_login_ms: row.get("last_login_ms")?,
        email_verified_ms: row.get("email_verified_ms")?,
        password_changed_ms: row.get("password_changed_ms")?,
        leaving_ms: row.get("leaving_ms")?,
        disabled: disabled_ms.zip(row.get("disabled_reason")?),
        consent: consent_version.zip(row.get("consent_ms")?),
    })
}

/// Finds a live member by student id.
pub fn find_by_student_id(conn: &Connection, id: &str) -> Result<Option<MemberRow>, StoreError> {
    find(conn, "student_id = ?1", id)
}

/// Finds a live member by e-mail address.
pub fn find_by_email(conn: &Connection, email: &str) -> Result<Option<MemberRow>, StoreError> {
    find(conn, "email = ?1", email)
}

/// Finds a live member by number.
pub fn find_by_id(conn: &Connection, id: MemberId) -> Result<Option<MemberRow>, StoreError> {
    find(conn, "id = ?1", id.0)
}

/// Makes a member; a conflict names the column that somebody else has.
pub fn insert(
    conn: &Connection,
    profile: &Profile,
    role: Role,
    password_hash: Option<&str>,
    now_ms: i64,
) -> Result<MemberId, StoreError> {
    conn.prepare_cached(
        "INSERT INTO member (student_id, name, phone, email, role, password_hash, joined_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        profile.student_id(),
        profile.name(),
        profile.phone(),
        profile.email(),
        role.name(),
        password_hash,
        now_ms
    ])?;
    Ok(MemberId(conn.last_insert_rowid()))
}

/// Notes a log-in.
pub fn update_last_login(conn: &Connection, id: MemberId, now_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE member SET last_login_ms = ?2 WHERE id = ?1")?
        .execute([id.0, now_ms])?;
    Ok(())
}

/// Every live student's number and student id.
pub fn list_students(conn: &Connection) -> Result<Vec<(MemberId, String)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, student_id FROM member WHERE left_ms IS NULL AND role = 'student' ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| Ok((MemberId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every live member of staff who looks after a bank.
pub fn list_staff_of(conn: &Connection, bank: BankId) -> Result<Vec<MemberId>, StoreError> {
    ids(
        conn,
        "SELECT id FROM member JOIN bank_staff ON member_id = id
         WHERE bank_id = ?1 AND left_ms IS NULL AND role = 'staff' ORDER BY id",
        [bank.0],
    )
}

/// Every live admin.
pub fn list_admins(conn: &Connection) -> Result<Vec<MemberId>, StoreError> {
    let sql = "SELECT id FROM member WHERE left_ms IS NULL AND role = 'admin' ORDER BY id";
    ids(conn, sql, [])
}

fn ids(
    conn: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<MemberId>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(values, |row| Ok(MemberId(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many live members there are.
pub fn count(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn.query_row("SELECT count(*) FROM member WHERE left_ms IS NULL", [], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::Constraint;
    use crate::store::open::memory;

    fn profile(id: &str, phone: &str, email: &str) -> Profile {
        Profile::parse(id, "홍길동", Some(phone), Some(email)).expect("valid")
    }

    #[test]
    fn phone_and_email_are_unique_among_live_members_only() {
        let conn = memory();
        let first = profile("A100", "01012345678", "a@b.kr");
        let id = insert(&conn, &first, Role::Student, None, 1).expect("new");
        for (other, column) in [
            (profile("A100", "01000000000", "x@b.kr"), "member.student_id"),
            (profile("A200", "01012345678", "x@b.kr"), "member.phone"),
            (profile("A200", "01000000000", "a@b.kr"), "member.email"),
        ] {
            match insert(&conn, &other, Role::Student, None, 1) {
                Err(StoreError::Conflict(Constraint::Unique(columns))) => {
                    assert_eq!(columns, column);
                }
                result => panic!("{result:?}"),
            }
        }
        conn.execute("UPDATE member SET left_ms = 9 WHERE id = ?1", [id.0]).expect("stored");
        assert!(find_by_id(&conn, id).expect("readable").is_none());
        insert(&conn, &first, Role::Student, None, 1).expect("the earlier one has left");
    }

    #[test]
    fn every_role_is_known_to_the_schema_and_read_back() {
        let conn = memory();
        for role in Role::ALL {
            let profile = Profile::parse(role.name(), "가", None, None).expect("valid");
            insert(&conn, &profile, role, Some("hash"), 1).expect("the CHECK knows it");
            let found = find_by_student_id(&conn, profile.student_id()).expect("readable");
            assert_eq!(found.map(|row| row.role), Some(role));
        }
        assert_eq!(count(&conn).expect("readable"), 3);
    }
}
