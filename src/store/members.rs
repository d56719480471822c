//! People with an account: found one by one, made and changed. Whole lists stand in `list`, what
//! makes somebody nameless in `privacy`.
//!
//! Live members only, unless a function says otherwise: whoever left is a row for the history.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::state::collect;
use crate::domain::id::{BankId, MemberId};
use crate::domain::member::{MemberState, Profile, Role};

pub mod list;
pub mod privacy;

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
    /// When the account was closed; `None` of a live one.
    pub left_ms: Option<i64>,
}

impl MemberRow {
    /// Where the account stands; [`list`] says the same in SQL.
    #[must_use]
    pub const fn state(&self) -> MemberState {
        if self.left_ms.is_some() {
            MemberState::Left
        } else if self.disabled.is_some() {
            MemberState::Disabled
        } else if self.leaving_ms.is_some() {
            MemberState::Leaving
        } else if self.password_hash.is_none() {
            MemberState::NotSignedUp
        } else {
            MemberState::Active
        }
    }
}

/// What can be changed of a person; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Student id.
    pub student_id: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// Phone number; `Some(None)` takes it away. So with the others.
    pub phone: Option<Option<String>>,
    /// E-mail address; another one counts as not proven.
    pub email: Option<Option<String>>,
    /// Faculty or office.
    pub department: Option<Option<String>>,
    /// The language of mails.
    pub language: Option<String>,
}

impl Changes {
    /// Leaves out what `row` has already.
    #[must_use]
    pub fn beyond(mut self, row: &MemberRow) -> Self {
        self.student_id = self.student_id.filter(|it| *it != row.student_id);
        self.name = self.name.filter(|it| *it != row.name);
        self.phone = self.phone.filter(|it| *it != row.phone);
        self.email = self.email.filter(|it| *it != row.email);
        self.department = self.department.filter(|it| *it != row.department);
        self.language = self.language.filter(|it| *it != row.language);
        self
    }

    /// The published names of what is changed.
    #[must_use]
    pub fn fields(&self) -> Vec<&'static str> {
        [
            (self.student_id.is_some(), "student_id"),
            (self.name.is_some(), "name"),
            (self.phone.is_some(), "phone_number"),
            (self.email.is_some(), "email"),
            (self.department.is_some(), "department"),
            (self.language.is_some(), "language"),
        ]
        .into_iter()
        .filter_map(|(changed, name)| changed.then_some(name))
        .collect()
    }
}

const COLUMNS: &str = "SELECT id, student_id, name, phone, email, role, password_hash, department,
    language, on_roster, joined_ms, last_login_ms, email_verified_ms, password_changed_ms,
    leaving_ms, disabled_ms, disabled_reason, consent_version, consent_ms, left_ms FROM member";

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
        left_ms: row.get("left_ms")?,
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

/// The names of these members, of those who have not left.
pub fn find_names(
    conn: &Connection,
    ids: &BTreeSet<MemberId>,
) -> Result<HashMap<MemberId, String>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT name FROM member WHERE id = ?1 AND left_ms IS NULL")?;
    let mut names = HashMap::with_capacity(ids.len());
    for id in ids {
        if let Some(name) = statement.query_row([id.0], |row| row.get(0)).optional()? {
            names.insert(*id, name);
        }
    }
    Ok(names)
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

/// Changes what is given; a conflict names the column that somebody else has.
pub fn update(conn: &Connection, id: MemberId, changes: &Changes) -> Result<(), StoreError> {
    let (phone, email) = (changes.phone.as_ref(), changes.email.as_ref());
    let department = changes.department.as_ref();
    conn.prepare_cached(
        "UPDATE member SET
           student_id = coalesce(?2, student_id), name = coalesce(?3, name),
           phone = CASE WHEN ?4 THEN ?5 ELSE phone END,
           email = CASE WHEN ?6 THEN ?7 ELSE email END,
           email_verified_ms = CASE WHEN ?6 AND email IS NOT ?7 THEN NULL ELSE email_verified_ms END,
           department = CASE WHEN ?8 THEN ?9 ELSE department END,
           language = coalesce(?10, language)
         WHERE id = ?1 AND left_ms IS NULL",
    )?
    .execute(params![
        id.0,
        changes.student_id,
        changes.name,
        phone.is_some(),
        phone.and_then(Option::as_deref),
        email.is_some(),
        email.and_then(Option::as_deref),
        department.is_some(),
        department.and_then(Option::as_deref),
        changes.language
    ])?;
    Ok(())
}

/// Gives somebody another role.
pub fn update_role(conn: &Connection, id: MemberId, role: Role) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE member SET role = ?2, leaving_ms = NULL, on_roster = 0
         WHERE id = ?1 AND left_ms IS NULL",
    )?
    .execute(params![id.0, role.name()])?;
    Ok(())
}

/// Keeps somebody out since when and why, or lets them in again.
pub fn update_disabled(
    conn: &Connection,
    id: MemberId,
    disabled: Option<(i64, &str)>,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE member SET disabled_ms = ?2, disabled_reason = ?3
         WHERE id = ?1 AND left_ms IS NULL",
    )?
    .execute(params![id.0, disabled.map(|it| it.0), disabled.map(|it| it.1)])?;
    Ok(())
}

/// Notes whether the roster has somebody; who is gone from it since `leaving_ms` is leaving.
pub fn update_on_roster(
    conn: &Connection,
    id: MemberId,
    on_roster: bool,
    leaving_ms: Option<i64>,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE member SET on_roster = ?2, leaving_ms = ?3 WHERE id = ?1 AND left_ms IS NULL",
    )?
    .execute(params![id.0, on_roster, leaving_ms])?;
    Ok(())
}

/// Every live member who is leaving.
pub(super) fn list_leavers(conn: &Connection) -> Result<Vec<MemberId>, StoreError> {
    let sql = "SELECT id FROM member WHERE leaving_ms IS NOT NULL AND left_ms IS NULL";
    ids(conn, sql, [])
}

/// A live member as a roster import needs them.
#[derive(Debug, Clone)]
pub struct KnownPerson {
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
    /// Faculty or office, if known.
    pub department: Option<String>,
    /// What they may do at large.
    pub role: Role,
    /// Whether the last roster had them.
    pub on_roster: bool,
    /// Whether they are gone from the roster.
    pub leaving: bool,
    /// Whether their address was proven.
    pub email_verified: bool,
}

/// Every live member, for a roster import.
pub fn list_known(conn: &Connection) -> Result<Vec<KnownPerson>, StoreError> {
    let sql = format!("{COLUMNS} WHERE left_ms IS NULL ORDER BY id");
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query([])?, |row| {
        let row = read(row)?;
        Ok(KnownPerson {
            id: row.id,
            student_id: row.student_id,
            name: row.name,
            phone: row.phone,
            email: row.email,
            department: row.department,
            role: row.role,
            on_roster: row.on_roster,
            leaving: row.leaving_ms.is_some(),
            email_verified: row.email_verified_ms.is_some(),
        })
    })
}

/// Whether anybody but this member is an admin who may log in.
pub fn has_other_admin(conn: &Connection, id: MemberId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM member
               WHERE id <> ?1 AND role = 'admin' AND left_ms IS NULL AND disabled_ms IS NULL
                 AND password_hash IS NOT NULL";
    Ok(conn.prepare_cached(sql)?.exists([id.0])?)
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
         WHERE bank_id = ?1 AND left_ms IS NULL AND disabled_ms IS NULL AND role = 'staff'
         ORDER BY id",
        [bank.0],
    )
}

/// The rows of every live member of staff who looks after a bank.
pub fn list_rows_of_staff(conn: &Connection, bank: BankId) -> Result<Vec<MemberRow>, StoreError> {
    let sql = format!(
        "{COLUMNS} JOIN bank_staff ON member_id = id
         WHERE bank_id = ?1 AND left_ms IS NULL AND role = 'staff' ORDER BY name, id"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query([bank.0])?, read)
}

/// Every live admin.
pub fn list_admins(conn: &Connection) -> Result<Vec<MemberId>, StoreError> {
    let sql = "SELECT id FROM member
               WHERE left_ms IS NULL AND disabled_ms IS NULL AND role = 'admin' ORDER BY id";
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
