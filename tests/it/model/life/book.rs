//! The database at one moment, read with SQL of its own, and what the published state says beside it:
//! both must tell the same.

use std::collections::BTreeMap;

use jiff::civil::Date;
use lockerd::domain::rental::{Rental, RentalState};
use lockerd::domain::time::DateSpan;
use lockerd::store::Snapshot;
use rusqlite::Connection;

use crate::support::inside::Inside;

/// A reservation, hold or rental, also one that is over.
#[expect(clippy::struct_excessive_bools, reason = "columns of a table")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub id: i64,
    /// Its locker, once there is one.
    pub locker: Option<i64>,
    /// Whose it is.
    pub member: i64,
    /// The term that granted it.
    pub term: Option<i64>,
    /// Its stored state.
    pub state: String,
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
    /// Whether the door was opened in it.
    pub opened: bool,
    /// How often it was extended.
    pub extensions: u16,
    /// Whether its hold was extended.
    pub hold_extended: bool,
    /// Whether its overdue case was sealed.
    pub sealed: bool,
    /// Whether its renter said, after the return, that the locker is empty.
    pub emptied: bool,
    /// Of a returned one: whether its last day was over by then, and whether staff took it away.
    pub late: bool,
    /// See `late`.
    pub untouched: bool,
    /// Of a reservation: whether it was not served although somebody may have come.
    pub unserved: bool,
    /// In whose place it came.
    pub follows: Option<i64>,
    /// Why it is over.
    pub end: Option<String>,
}

impl Row {
    /// Its days.
    pub fn span(&self) -> DateSpan {
        DateSpan::new(self.first, self.last).expect("in order")
    }

    /// Whether it is in this state.
    pub fn is(&self, state: &str) -> bool {
        self.state == state
    }

    /// Whether it is not over.
    pub fn stands(&self) -> bool {
        !self.is("ended")
    }

    /// Whether the locker is in use under it on a day: begun, and nobody has seen it empty since.
    pub fn occupies(&self, today: Date) -> bool {
        (self.is("active") || self.is("returned")) && self.first <= today
    }

    /// As the published state has it, which knows less.
    fn published(&self) -> Self {
        Self { follows: None, ..self.clone() }
    }

    fn of(rental: &Rental) -> Self {
        let returned = match rental.state {
            RentalState::Returned(it) => Some(it),
            _ => None,
        };
        Self {
            id: rental.id.0,
            locker: Some(rental.locker_id.0),
            member: rental.member_id.0,
            term: rental.term_id.map(|id| id.0),
            state: rental.state.name().to_owned(),
            first: rental.dates.first(),
            last: rental.dates.last(),
            opened: rental.opened,
            extensions: rental.extensions,
            hold_extended: rental.hold_extended,
            sealed: rental.sealed,
            emptied: returned.is_some_and(|it| it.emptied.is_some()),
            late: returned.is_some_and(|it| it.late),
            untouched: returned.is_some_and(|it| it.untouched),
            unserved: false,
            follows: None,
            end: None,
        }
    }
}

/// Somebody in the line, also who is not any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Who.
    pub member: i64,
    /// For which term.
    pub term: i64,
    /// The hold that is their offer.
    pub offer: Option<i64>,
    /// Why they wait no more.
    pub end: Option<String>,
}

/// An overdue case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Of which rental.
    pub rental: i64,
    /// The last day that was missed.
    pub ended_on: Date,
    /// Where it stands.
    pub state: String,
    /// How late the locker was emptied, in days.
    pub late_days: Option<i64>,
}

/// A penalty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Penalty {
    /// Whose.
    pub member: i64,
    /// For which case.
    pub case: i64,
    /// Its first day.
    pub first: Date,
    /// Its last day.
    pub last: Date,
    /// Whether it was taken back.
    pub waived: bool,
}

/// Everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    /// Reservations, holds and rentals.
    pub rows: BTreeMap<i64, Row>,
    /// The line.
    pub waits: BTreeMap<i64, Wait>,
    /// Overdue cases.
    pub cases: BTreeMap<i64, Case>,
    /// Penalties.
    pub penalties: BTreeMap<i64, Penalty>,
    /// Whether each locker is in service.
    pub lent: BTreeMap<i64, bool>,
    /// The states of what is live, with the times that are not stored.
    pub times: BTreeMap<i64, RentalState>,
}

impl Book {
    /// Reads it, and demands that the published state says the same.
    pub fn read(site: &Inside) -> Self {
        let conn = site.sql();
        let snapshot = site.services.store.snapshot();
        let book = Self {
            rows: rows(&conn),
            waits: waits(&conn),
            cases: cases(&conn),
            penalties: penalties(&conn),
            lent: lent(&conn),
            times: snapshot.rentals().map(|it| (it.id.0, it.state)).collect(),
        };
        book.demand_published(&snapshot);
        book
    }

    /// The same without the times that are not stored.
    pub fn stored(&self) -> Self {
        Self { times: BTreeMap::new(), ..self.clone() }
    }

    /// What is not over.
    pub fn standing(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().filter(|row| row.stands())
    }

    /// What is not over of a locker.
    pub fn of_locker(&self, locker: i64) -> impl Iterator<Item = &Row> {
        self.standing().filter(move |row| row.locker == Some(locker))
    }

    /// What is not over of a member.
    pub fn of_member(&self, member: i64) -> impl Iterator<Item = &Row> {
        self.standing().filter(move |row| row.member == member)
    }

    /// Who is in the line, in its order.
    pub fn line(&self) -> impl Iterator<Item = (i64, &Wait)> {
        self.waits.iter().filter(|(_, it)| it.end.is_none()).map(|(id, it)| (*id, it))
    }

    /// The last day of a member's penalties that were not taken back.
    pub fn penalty_until(&self, member: i64) -> Option<Date> {
        let mine = self.penalties.values().filter(|it| it.member == member && !it.waived);
        mine.map(|it| it.last).max()
    }

    fn demand_published(&self, snapshot: &Snapshot) {
        let bound: BTreeMap<i64, Row> =
            snapshot.rentals().map(|it| (it.id.0, Row::of(it))).collect();
        let stored = self.standing().filter(|row| !row.is("reserved"));
        let stored: BTreeMap<i64, Row> = stored.map(|row| (row.id, row.published())).collect();
        assert_eq!(bound, stored, "what is published is not what is stored");
        let reserved: BTreeMap<i64, (i64, DateSpan, bool)> = snapshot
            .reservations()
            .map(|it| (it.id.0, (it.member_id.0, it.dates, it.unserved)))
            .collect();
        let stored = self.standing().filter(|row| row.is("reserved"));
        let stored = stored.map(|row| (row.id, (row.member, row.span(), row.unserved))).collect();
        assert_eq!(reserved, stored, "reservations are published that are not stored so");
        let line: Vec<(i64, i64, i64, Option<i64>)> = snapshot
            .lines()
            .all()
            .map(|it| (it.id.0, it.member_id.0, it.term_id.0, it.offer.map(|id| id.0)))
            .collect();
        let stored: Vec<_> =
            self.line().map(|(id, it)| (id, it.member, it.term, it.offer)).collect();
        assert_eq!(line, stored, "a line is published that is not stored so");
        for row in self.rows.values() {
            let shown = snapshot.penalty_until(lockerd::domain::id::MemberId(row.member));
            assert_eq!(shown, self.penalty_until(row.member), "penalties of member {}", row.member);
        }
    }
}

/// Every row that a question gives, by its number, which comes first.
fn all<T>(
    conn: &Connection,
    sql: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> BTreeMap<i64, T> {
    let mut statement = conn.prepare(sql).expect("good SQL");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, read(row)?))).expect("readable");
    rows.collect::<Result<_, _>>().expect("readable")
}

fn day(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Date> {
    Ok(row.get::<_, String>(at)?.parse().expect("a day"))
}

fn rows(conn: &Connection) -> BTreeMap<i64, Row> {
    let sql = "SELECT id, locker_id, member_id, term_id, state, starts_on, ends_on,
                 opened_ms IS NOT NULL, extensions, hold_extended, sealed_ms IS NOT NULL,
                 emptied_ms IS NOT NULL, returned_late, untouched,
                 unserved_ms IS NOT NULL AND state = 'reserved',
                 follows_id, end_reason FROM rental";
    all(conn, sql, |row| {
        Ok(Row {
            id: row.get(0)?,
            locker: row.get(1)?,
            member: row.get(2)?,
            term: row.get(3)?,
            state: row.get(4)?,
            first: day(row, 5)?,
            last: day(row, 6)?,
            opened: row.get(7)?,
            extensions: row.get(8)?,
            hold_extended: row.get(9)?,
            sealed: row.get(10)?,
            emptied: row.get(11)?,
            late: row.get(12)?,
            untouched: row.get(13)?,
            unserved: row.get(14)?,
            follows: row.get(15)?,
            end: row.get(16)?,
        })
    })
}

fn waits(conn: &Connection) -> BTreeMap<i64, Wait> {
    let sql = "SELECT id, member_id, term_id, rental_id, end_reason FROM waiting";
    all(conn, sql, |row| {
        Ok(Wait { member: row.get(1)?, term: row.get(2)?, offer: row.get(3)?, end: row.get(4)? })
    })
}

fn cases(conn: &Connection) -> BTreeMap<i64, Case> {
    let sql = "SELECT id, rental_id, ended_on, state, late_days FROM overdue_case";
    all(conn, sql, |row| {
        Ok(Case {
            rental: row.get(1)?,
            ended_on: day(row, 2)?,
            state: row.get(3)?,
            late_days: row.get(4)?,
        })
    })
}

fn penalties(conn: &Connection) -> BTreeMap<i64, Penalty> {
    let sql =
        "SELECT id, member_id, case_id, first_on, last_on, waived_ms IS NOT NULL FROM penalty";
    all(conn, sql, |row| {
        Ok(Penalty {
            member: row.get(1)?,
            case: row.get(2)?,
            first: day(row, 3)?,
            last: day(row, 4)?,
            waived: row.get(5)?,
        })
    })
}

fn lent(conn: &Connection) -> BTreeMap<i64, bool> {
    all(conn, "SELECT id, in_service FROM locker", |row| row.get(1))
}
