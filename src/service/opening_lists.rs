//! Openings as staff look them up, the newest first, on pages and as a file: those of their banks, in a
//! bounded time.

use serde_json::json;

use super::Services;
use super::csv_file::{self, CsvFile};
use super::error::Error;
use super::rental_lists::{banks_asked, cursor_of, read_cursor};
use super::statistics::Asked;
use super::tokens::Caller;
use crate::domain::id::{LockerId, MassOpeningId, MemberId};
use crate::domain::opening::{OpenedAs, Outcome, Phase};
use crate::store::openings::{self, OpeningFilter};

pub use crate::store::openings::ListedOpening;

/// Most openings of one page.
pub const PAGE_MAX: usize = 100;

/// Openings read at once for a file: memory stays small.
const SLICE: usize = 1_000;

const HEAD: [&str; 11] = [
    "operation_id",
    "bank_id",
    "locker_id",
    "student_id",
    "name",
    "opened_as",
    "requested_at",
    "acknowledged_at",
    "opened_at",
    "closed_at",
    "outcome",
];

/// Which openings are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpeningQuery {
    /// Of which bank or location, in which days (the last 30 when left out).
    pub asked: Asked,
    /// Of one locker.
    pub locker: Option<LockerId>,
    /// With one outcome.
    pub outcome: Option<Outcome>,
    /// By one right.
    pub opened_as: Option<OpenedAs>,
    /// Asked for by one member.
    pub member: Option<MemberId>,
    /// Of one order to open many.
    pub mass_opening: Option<MassOpeningId>,
}

impl Services {
    /// A page of the openings that are asked for, and where the next one begins. For staff, of their
    /// banks.
    pub async fn openings_of_banks(
        &self,
        caller: Caller,
        query: OpeningQuery,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<ListedOpening>, Option<String>), Error> {
        let filter = self.opening_filter(caller, query)?;
        let before = cursor.map(read_cursor::<(i64, String)>).transpose()?;
        let limit = limit.min(PAGE_MAX);
        let read =
            self.store.read(move |conn| openings::list(conn, &filter, before.as_ref(), limit + 1));
        let mut found = read.await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| cursor_of(&end_of(last)));
        Ok((found, next))
    }

    /// The openings that are asked for as a CSV file; written down. For staff, of their banks.
    pub async fn export_openings(
        &self,
        caller: Caller,
        query: OpeningQuery,
    ) -> Result<String, Error> {
        let filter = self.opening_filter(caller, query)?;
        let (asked, zone) = (format!("{filter:?}"), self.clock.zone().clone());
        let read = self.store.read(move |conn| {
            let (mut file, mut before) = (CsvFile::new(&HEAD), None);
            while file.rows() <= csv_file::ROWS_MAX {
                let rows = openings::list(conn, &filter, before.as_ref(), SLICE)?;
                for row in &rows {
                    file.row(&cells(row, &zone).each_ref().map(String::as_str));
                }
                match rows.last() {
                    Some(last) if rows.len() == SLICE => before = Some(end_of(last)),
                    _ => break,
                }
            }
            Ok(file)
        });
        let file = read.await?;
        self.exported(caller, "opening.export", &json!({ "filter": asked }), file).await
    }

    fn opening_filter(&self, caller: Caller, query: OpeningQuery) -> Result<OpeningFilter, Error> {
        let OpeningQuery { asked, locker, outcome, opened_as, member, mass_opening } = query;
        let banks = banks_asked(&self.store.snapshot(), caller, asked.bank, asked.location)?;
        let days = self.days_of_figure(asked)?;
        let (from_ms, to_ms) = (days.from_ms, days.to_ms);
        Ok(OpeningFilter {
            banks,
            locker,
            outcome,
            opened_as,
            member,
            mass_opening,
            from_ms,
            to_ms,
        })
    }
}

/// Where a page ends whose last opening is this one.
fn end_of(row: &ListedOpening) -> (i64, String) {
    let at = row.opening.at(Phase::Requested).unwrap_or_default();
    (at.as_millisecond(), row.opening.id.to_string())
}

fn cells(row: &ListedOpening, zone: &jiff::tz::TimeZone) -> [String; 11] {
    let (student_id, name) = row.member.clone().unwrap_or_default();
    let at = |phase| csv_file::at(row.opening.at(phase).map(jiff::Timestamp::as_millisecond), zone);
    [
        row.opening.id.to_string(),
        row.bank_id.to_string(),
        row.opening.locker_id.to_string(),
        student_id,
        name,
        OpenedAs::name(row.opening.opened_as).to_owned(),
        at(Phase::Requested),
        at(Phase::Acknowledged),
        at(Phase::Opened),
        at(Phase::Closed),
        csv_file::some(row.opening.outcome.map(Outcome::name)),
    ]
}
