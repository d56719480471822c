//! Rentals as staff look them up, live ones and the whole history, on pages and as a file. Staff see those
//! of their banks, admins all.

use data_encoding::BASE64URL_NOPAD;
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::commissioning::demand_staff;
use super::csv_file::{self, CsvFile};
use super::error::{Code, Error};
use super::staff_rentals::{demand_staff_of, rental_not_found};
use super::tokens::Caller;
use super::{Services, is_staff_for};
use crate::domain::id::{BankId, LocationId, LockerId, MemberId, RentalId, TermId};
use crate::domain::member::Role;
use crate::store::audit::AuditEntry;
use crate::store::rentals::list;
use crate::store::{Lane, Snapshot, StoreError};

pub use crate::store::rentals::list::{RentalFilter, RentalOrder, RentalRow, StoredState};

/// Most rentals of one page.
pub const PAGE_MAX: usize = 100;

/// Longest text that is searched for, in characters.
const TEXT_CHARS_MAX: usize = 100;

/// The columns of an exported file.
const HEAD: [&str; 17] = [
    "rental_id",
    "bank_id",
    "locker_id",
    "student_id",
    "name",
    "term_id",
    "state",
    "starts_on",
    "ends_on",
    "held_at",
    "confirmed_at",
    "opened_at",
    "returned_at",
    "ended_at",
    "end_reason",
    "extensions",
    "follows_rental_id",
];

/// Which rentals are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct RentalQuery {
    /// Of one bank.
    pub bank: Option<BankId>,
    /// Of the banks of one location.
    pub location: Option<LocationId>,
    /// In one state.
    pub state: Option<StoredState>,
    /// Only those that are not over.
    pub live: bool,
    /// Active ones past their last day.
    pub late: bool,
    /// Of one locker.
    pub locker: Option<LockerId>,
    /// Of one member.
    pub member: Option<MemberId>,
    /// A part of the member's student id or name.
    pub text: Option<String>,
    /// Granted by one term.
    pub term: Option<TermId>,
    /// With a day at or after this one.
    pub from: Option<Date>,
    /// With a day at or before this one.
    pub to: Option<Date>,
    /// In which order.
    pub order: RentalOrder,
}

/// A page of rentals.
#[derive(Debug, Clone)]
pub struct RentalPage {
    /// In the order asked for.
    pub rentals: Vec<RentalRow>,
    /// Where the next page begins; `None` on the last. Of a long history a page may be short and still
    /// not the last.
    pub next: Option<String>,
}

impl Services {
    /// A page of the rentals that are asked for. For staff, of their banks.
    pub async fn rentals(
        &self,
        caller: Caller,
        query: RentalQuery,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<RentalPage, Error> {
        let filter = self.rental_filter(caller, &query)?;
        let after = cursor.map(read_cursor::<list::PageEnd>).transpose()?;
        let order = if filter.walks_history() { RentalOrder::Newest } else { filter.order };
        if !after.as_ref().is_none_or(|end| end.fits(order)) {
            return Err(bad_cursor());
        }
        let limit = limit.min(PAGE_MAX);
        let found = self.store.read(move |conn| list::list(conn, &filter, after, limit)).await?;
        Ok(RentalPage { rentals: found.rows, next: found.reached.map(|end| cursor_of(&end)) })
    }

    /// One hold, rental or reservation, also one that is over. For staff, of their banks.
    pub async fn rental(&self, caller: Caller, id: RentalId) -> Result<RentalRow, Error> {
        demand_staff(caller)?;
        let row = self.store.read(move |conn| list::find(conn, id)).await?;
        let row = row.ok_or_else(|| rental_not_found(id))?;
        demand_staff_of(&self.store.snapshot(), caller, row.bank_id, id)?;
        Ok(row)
    }

    /// The rentals that are asked for as a CSV file; written down. For staff, of their banks.
    pub async fn export_rentals(
        &self,
        caller: Caller,
        query: RentalQuery,
    ) -> Result<String, Error> {
        let filter = self.rental_filter(caller, &query)?;
        // Whom staff looked for is no business of a record that is never forgotten.
        let told =
            RentalFilter { text: filter.text.as_ref().map(|_| "…".to_owned()), ..filter.clone() };
        let (asked, zone) = (format!("{told:?}"), self.clock.zone().clone());
        let file = self
            .store
            .read(move |conn| {
                let mut file = CsvFile::new(&HEAD);
                list::visit(conn, &filter, csv_file::ROWS_MAX + 1, |row| {
                    file.row(&cells(row, &zone).each_ref().map(String::as_str));
                })?;
                Ok(file)
            })
            .await?;
        self.exported(caller, "rental.export", &json!({ "filter": asked }), file).await
    }

    fn rental_filter(&self, caller: Caller, query: &RentalQuery) -> Result<RentalFilter, Error> {
        let banks = banks_asked(&self.store.snapshot(), caller, query.bank, query.location)?;
        let text = query.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if text.is_some_and(|text| text.chars().count() > TEXT_CHARS_MAX) {
            let detail = format!("q may have at most {TEXT_CHARS_MAX} characters");
            return Err(Error::new(Code::Invalid, detail));
        }
        // By a clock that is not believed nobody is late: no last day is before all days.
        let today = if self.clock_is_trusted() { self.clock.today() } else { Date::MIN };
        let filter = RentalFilter {
            banks,
            state: query.state,
            live: query.live,
            locker: query.locker,
            member: query.member,
            text: text.map(str::to_owned),
            term: query.term,
            from: query.from,
            to: query.to,
            late_on: query.late.then_some(today),
            order: query.order,
        };
        if filter.walks_history() && filter.order != RentalOrder::Newest {
            let detail = "the whole history is listed the newest first: for another order ask for \
                          live rentals, a locker or a member";
            return Err(Error::new(Code::Invalid, detail));
        }
        Ok(filter)
    }

    /// Writes down who took a file along, and gives it; refuses one that is too long.
    pub(super) async fn exported(
        &self,
        caller: Caller,
        action: &'static str,
        asked: &Value,
        file: CsvFile,
    ) -> Result<String, Error> {
        let rows = file.rows();
        if rows > csv_file::ROWS_MAX {
            let detail = format!("these are more than {} rows: filter them", csv_file::ROWS_MAX);
            return Err(Error::new(Code::Invalid, detail));
        }
        let detail = json!({ "rows": rows, "asked": asked }).to_string();
        self.store
            .write::<_, StoreError, _>(Lane::Change, move |tx| {
                tx.audit(&AuditEntry {
                    actor: Some(caller.member_id),
                    action,
                    subject: "site:1",
                    detail: &detail,
                })
            })
            .await?;
        Ok(file.into_text())
    }
}

/// The banks that a question of staff is about: the given one or those of a location, all of which they
/// look after; without both, theirs. `None`: all, also retired ones.
pub(super) fn banks_asked(
    snapshot: &Snapshot,
    caller: Caller,
    bank: Option<BankId>,
    location: Option<LocationId>,
) -> Result<Option<Vec<BankId>>, Error> {
    demand_staff(caller)?;
    let site = &snapshot.site;
    let mine = |id: &BankId| is_staff_for(snapshot, caller, *id);
    let of_location = |id| site.banks.values().filter(move |bank| bank.location_id == id);
    match (bank, location) {
        (Some(_), Some(_)) => {
            Err(Error::new(Code::Invalid, "give bank_id or location_id, not both"))
        }
        (Some(id), None) if mine(&id) => Ok(Some(vec![id])),
        (Some(id), None) => {
            Err(Error::new(Code::Forbidden, format!("you do not look after bank {id}")))
        }
        (None, Some(id)) => Ok(Some(of_location(id).map(|bank| bank.id).filter(mine).collect())),
        (None, None) if caller.role == Role::Admin => Ok(None),
        (None, None) => Ok(Some(site.staff.get(&caller.member_id).cloned().unwrap_or_default())),
    }
}

/// Where the next page begins, as clients keep it.
pub(super) fn cursor_of(end: &impl Serialize) -> String {
    BASE64URL_NOPAD.encode(&serde_json::to_vec(end).unwrap_or_default())
}

/// Reads where a page begins.
pub(super) fn read_cursor<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let end = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    end.ok_or_else(bad_cursor)
}

fn bad_cursor() -> Error {
    Error::new(Code::Invalid, "cursor must be next_cursor of the page before, in its order")
}

fn cells(row: &RentalRow, zone: &jiff::tz::TimeZone) -> [String; 17] {
    let (student_id, name) = row.member.clone().unwrap_or_default();
    let at = |ms| csv_file::at(ms, zone);
    [
        row.id.to_string(),
        row.bank_id.to_string(),
        csv_file::some(row.locker_id),
        student_id,
        name,
        csv_file::some(row.term_id),
        row.state.name().to_owned(),
        row.dates.first().to_string(),
        row.dates.last().to_string(),
        at(Some(row.held_ms)),
        at(row.confirmed_ms),
        at(row.opened_ms),
        at(row.returned_ms),
        at(row.ended_ms),
        csv_file::some(row.end_reason.as_deref()),
        row.extensions.to_string(),
        csv_file::some(row.follows),
    ]
}
