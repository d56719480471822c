//! Pages of people for staff: searched, filtered, in an order. A page begins where the one before
//! ended (its last key and number), so that nobody is missed or doubled while people come and go.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};

use super::super::error::StoreError;
use super::super::state::collect;
use super::{COLUMNS, MemberRow, read};
use crate::domain::member::{MemberState, Role};

/// Where an account stands, as [`MemberRow::state`] says it.
const STATE: &str = "CASE WHEN left_ms IS NOT NULL THEN 'left'
    WHEN disabled_ms IS NOT NULL THEN 'disabled' WHEN leaving_ms IS NOT NULL THEN 'leaving'
    WHEN password_hash IS NULL THEN 'not_signed_up' ELSE 'active' END";

/// People read at once when all are shown: memory stays small.
const VISIT_SLICE: usize = 1_000;

/// In which order people are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MemberOrder {
    /// By student id.
    #[default]
    StudentId,
    /// By name.
    Name,
    /// The newest account first.
    Joined,
    /// Who logged in last comes first.
    LastLogin,
}

impl MemberOrder {
    /// Every order with its published name.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::StudentId, "student_id"),
        (Self::Name, "name"),
        (Self::Joined, "joined"),
        (Self::LastLogin, "last_login"),
    ];

    const fn key(self) -> &'static str {
        match self {
            Self::StudentId => "student_id",
            Self::Name => "name",
            Self::Joined => "joined_ms",
            Self::LastLogin => "coalesce(last_login_ms, 0)",
        }
    }

    const fn is_newest_first(self) -> bool {
        matches!(self, Self::Joined | Self::LastLogin)
    }
}

/// Where a page ended: what it was ordered by, and whose row it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PageEnd {
    /// An order by text.
    Text(String, i64),
    /// An order by time.
    Time(i64, i64),
}

impl PageEnd {
    /// The end of a page whose last row is this one.
    #[must_use]
    pub fn of(row: &MemberRow, order: MemberOrder) -> Self {
        match order {
            MemberOrder::StudentId => Self::Text(row.student_id.clone(), row.id.0),
            MemberOrder::Name => Self::Text(row.name.clone(), row.id.0),
            MemberOrder::Joined => Self::Time(row.joined_ms, row.id.0),
            MemberOrder::LastLogin => Self::Time(row.last_login_ms.unwrap_or(0), row.id.0),
        }
    }

    /// Whether a page in this order can end like this.
    #[must_use]
    pub const fn fits(&self, order: MemberOrder) -> bool {
        matches!(self, Self::Time(..)) == order.is_newest_first()
    }

    fn into_values(self) -> [Value; 2] {
        match self {
            Self::Text(key, id) => [key.into(), id.into()],
            Self::Time(key, id) => [key.into(), id.into()],
        }
    }
}

/// Which people are listed; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct MemberFilter {
    /// A part of the student id, name, e-mail address or phone number.
    pub text: Option<String>,
    /// The whole student id, in upper case.
    pub student_id: Option<String>,
    /// Of one role.
    pub role: Option<Role>,
    /// In one state; `None`: everybody who has not left.
    pub state: Option<MemberState>,
    /// In which order.
    pub order: MemberOrder,
}

impl MemberFilter {
    fn condition(&self) -> (String, Vec<Value>) {
        let text = self.text.as_deref();
        let digits: Option<String> = text
            .filter(|text| text.chars().all(|c| c.is_ascii_digit() || " +-().".contains(c)))
            .map(|text| text.chars().filter(char::is_ascii_digit).collect::<String>())
            .filter(|digits| digits.len() >= 3);
        let values = vec![
            text.map(containing).into(),
            digits.map(|digits| containing(&digits)).into(),
            self.role.map(|role| role.name().to_owned()).into(),
            self.state.map(|state| state.name().to_owned()).into(),
            self.student_id.clone().into(),
        ];
        let sql = format!(
            "(?1 IS NULL OR student_id LIKE ?1 ESCAPE '!' OR name LIKE ?1 ESCAPE '!'
               OR email LIKE ?1 ESCAPE '!' OR phone LIKE ?2 ESCAPE '!')
             AND (?3 IS NULL OR role = ?3)
             AND (?5 IS NULL OR student_id = ?5)
             AND CASE WHEN ?4 IS NULL THEN left_ms IS NULL ELSE {STATE} = ?4 END"
        );
        (sql, values)
    }
}

/// A LIKE pattern that finds `text` anywhere, its own wildcards taken literally.
fn containing(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern + "%"
}

/// How many people a filter finds.
pub fn count(conn: &Connection, filter: &MemberFilter) -> Result<i64, StoreError> {
    let (condition, values) = filter.condition();
    let sql = format!("SELECT count(*) FROM member WHERE {condition}");
    Ok(conn.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?)
}

/// At most `limit` people behind the end of a page, in the filter's order.
pub fn list(
    conn: &Connection,
    filter: &MemberFilter,
    after: Option<PageEnd>,
    limit: usize,
) -> Result<Vec<MemberRow>, StoreError> {
    let (condition, mut values) = filter.condition();
    let (key, newest_first) = (filter.order.key(), filter.order.is_newest_first());
    let (beyond, direction) = if newest_first { ("<", "DESC") } else { (">", "ASC") };
    values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    let behind = match after {
        Some(end) => {
            values.extend(end.into_values());
            format!("AND ({key}, id) {beyond} (?7, ?8)")
        }
        None => String::new(),
    };
    let sql = format!(
        "{COLUMNS} WHERE {condition} {behind} ORDER BY {key} {direction}, id {direction} LIMIT ?6"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query(params_from_iter(values))?, read)
}

/// Shows at most `most` people whom a filter finds, one after the other; says how many.
pub fn visit(
    conn: &Connection,
    filter: &MemberFilter,
    most: usize,
    mut see: impl FnMut(&MemberRow),
) -> Result<usize, StoreError> {
    let (mut seen, mut after) = (0, None);
    while seen < most {
        let wanted = VISIT_SLICE.min(most - seen);
        let rows = list(conn, filter, after.take(), wanted)?;
        rows.iter().for_each(&mut see);
        seen += rows.len();
        match rows.last() {
            Some(last) if rows.len() == wanted => after = Some(PageEnd::of(last, filter.order)),
            _ => break,
        }
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::member::Profile;
    use crate::store::members::{find_by_id, insert, update_disabled, update_on_roster};
    use crate::store::open::memory;

    fn people() -> Connection {
        let conn = memory();
        for (number, (id, name, role)) in [
            ("A100", "홍길동", Role::Student),
            ("A200", "김하나", Role::Student),
            ("B300", "이_둘", Role::Staff),
            ("B400", "박100%", Role::Admin),
        ]
        .into_iter()
        .enumerate()
        {
            let phone = format!("010-0000-000{number}");
            let email = format!("{}@korea.ac.kr", id.to_lowercase());
            let profile = Profile::parse(id, name, Some(&phone), Some(&email)).expect("valid");
            let joined = 10 + i64::try_from(number).expect("small");
            insert(&conn, &profile, role, Some("hash"), joined).expect("new");
        }
        conn
    }

    fn ids(conn: &Connection, filter: &MemberFilter) -> Vec<String> {
        let rows = list(conn, filter, None, 100).expect("readable");
        assert_eq!(count(conn, filter).expect("readable"), i64::try_from(rows.len()).expect("few"));
        rows.into_iter().map(|row| row.student_id).collect()
    }

    #[test]
    fn a_part_of_what_people_know_finds_them_and_wildcards_are_letters() {
        let conn = people();
        for (text, found) in [
            ("a1", vec!["A100"]),
            ("길동", vec!["A100"]),
            ("B300@KOREA", vec!["B300"]),
            ("010-0000-0001", vec!["A200"]),
            ("%", vec!["B400"]),
            ("_", vec!["B300"]),
            ("!", vec![]),
            ("박100", vec!["B400"]),
        ] {
            let filter = MemberFilter { text: Some(text.to_owned()), ..MemberFilter::default() };
            assert_eq!(ids(&conn, &filter), found, "{text}");
        }
        let staff = MemberFilter { role: Some(Role::Staff), ..MemberFilter::default() };
        assert_eq!(ids(&conn, &staff), ["B300"]);
    }

    #[test]
    fn each_state_is_the_same_in_sql_and_in_the_program() {
        let conn = people();
        let id = |number| crate::domain::id::MemberId(number);
        conn.execute("UPDATE member SET password_hash = NULL WHERE id = 1", []).expect("stored");
        update_on_roster(&conn, id(2), false, Some(5)).expect("stored");
        update_disabled(&conn, id(3), Some((6, "lost keys"))).expect("stored");
        for (number, state) in [
            (1, MemberState::NotSignedUp),
            (2, MemberState::Leaving),
            (3, MemberState::Disabled),
            (4, MemberState::Active),
        ] {
            let row = find_by_id(&conn, id(number)).expect("readable").expect("there");
            assert_eq!(row.state(), state);
            let filter = MemberFilter { state: Some(state), ..MemberFilter::default() };
            assert_eq!(ids(&conn, &filter), [row.student_id]);
        }
        conn.execute("UPDATE member SET left_ms = 9 WHERE id = 4", []).expect("stored");
        let left = MemberFilter { state: Some(MemberState::Left), ..MemberFilter::default() };
        assert_eq!(ids(&conn, &left), ["B400"]);
        assert_eq!(ids(&conn, &MemberFilter::default()).len(), 3, "who left is not listed");
    }

    #[test]
    fn pages_of_one_give_everybody_once_in_every_order() {
        let conn = people();
        conn.execute("UPDATE member SET last_login_ms = 7 WHERE id IN (2, 3)", []).expect("stored");
        for (order, expected) in [
            (MemberOrder::StudentId, ["A100", "A200", "B300", "B400"]),
            (MemberOrder::Name, ["A200", "B400", "B300", "A100"]),
            (MemberOrder::Joined, ["B400", "B300", "A200", "A100"]),
            (MemberOrder::LastLogin, ["B300", "A200", "B400", "A100"]),
        ] {
            let filter = MemberFilter { order, ..MemberFilter::default() };
            let (mut found, mut end) = (Vec::new(), None);
            for _ in 0..4 {
                let page = list(&conn, &filter, end, 1).expect("readable");
                let row = page.into_iter().next().expect("one more");
                end = Some(PageEnd::of(&row, order));
                assert!(end.as_ref().is_some_and(|end| end.fits(order)));
                found.push(row.student_id);
            }
            assert_eq!(found, expected, "{order:?}");
            assert!(list(&conn, &filter, end, 1).expect("readable").is_empty());
        }
    }
}
