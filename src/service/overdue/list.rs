//! Overdue cases for staff: pages with counts, one with its history, and all of them as a file.

use data_encoding::BASE64URL_NOPAD;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::steps::case_not_found;
use crate::domain::id::OverdueCaseId;
use crate::domain::member::Role;
use crate::domain::overdue_case::{CaseState, late_days};
use crate::service::commissioning::demand_staff;
use crate::service::csv_file::{self, CsvFile};
use crate::service::error::{Code, Error};
use crate::service::tokens::Caller;
use crate::service::{Services, is_staff_for};
use crate::store::audit::AuditEntry;
use crate::store::overdue::list::{self, CaseEnd};
pub use crate::store::overdue::list::{CaseFilter, CaseOrder, ListedCase};
use crate::store::overdue::{self, Item, StepRow};
use crate::store::penalties::{self, PenaltyRow};
use crate::store::{Lane, StoreError};

/// Most cases of one page.
pub const PAGE_MAX: usize = 100;

/// Most cases of one file.
pub const EXPORT_ROWS_MAX: usize = 50_000;

/// Longest text that is searched for, in characters.
const TEXT_CHARS_MAX: usize = 100;

/// The columns of an exported file.
const HEAD: [&str; 16] = [
    "case_id",
    "state",
    "bank_id",
    "locker_id",
    "student_id",
    "name",
    "ended_on",
    "late_days",
    "detected",
    "sealed",
    "collected",
    "items",
    "storage",
    "handed_back",
    "handed_to",
    "closed",
];

/// A page of cases.
#[derive(Debug, Clone)]
pub struct CasePage {
    /// In the order asked for.
    pub cases: Vec<ListedCase>,
    /// How many stand where, whatever states were asked for.
    pub counts: Vec<(CaseState, u32)>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

/// A case with everything that is known of it.
#[derive(Debug, Clone)]
pub struct CaseDetail {
    /// The case.
    pub listed: ListedCase,
    /// Its history, oldest first.
    pub steps: Vec<StepRow>,
    /// What was found.
    pub items: Vec<Item>,
    /// The penalty that it led to.
    pub penalty: Option<PenaltyRow>,
}

impl Services {
    /// A page of the cases of the caller's banks that a filter finds.
    pub async fn overdue_cases(
        &self,
        caller: Caller,
        filter: CaseFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<CasePage, Error> {
        let filter = self.own_cases(caller, filter)?;
        let order = filter.order;
        let after = cursor.map(|cursor| read_cursor(cursor, order)).transpose()?;
        let (mut cases, counts) = self
            .store
            .read(move |conn| {
                // One more than asked for tells whether there is a next page.
                let cases = list::list(conn, &filter, after, limit + 1)?;
                Ok((cases, list::counts(conn, &filter)?))
            })
            .await?;
        let more = cases.len() > limit;
        cases.truncate(limit);
        let end = cases.last().filter(|_| more).map(|case| case.end(order));
        let next = end.and_then(|end| serde_json::to_vec(&end).ok());
        Ok(CasePage { cases, counts, next: next.map(|end| BASE64URL_NOPAD.encode(&end)) })
    }

    /// One case of the caller's banks.
    pub async fn overdue_case(
        &self,
        caller: Caller,
        id: OverdueCaseId,
    ) -> Result<CaseDetail, Error> {
        demand_staff(caller)?;
        let snapshot = self.store.snapshot();
        let found = self
            .store
            .read(move |conn| {
                let Some(listed) = list::find(conn, id)? else { return Ok(None) };
                Ok::<_, StoreError>(Some(CaseDetail {
                    listed,
                    steps: overdue::list_steps(conn, id)?,
                    items: overdue::list_items(conn, id)?,
                    penalty: penalties::find_by_case(conn, id)?,
                }))
            })
            .await?;
        let theirs = |it: &CaseDetail| is_staff_for(&snapshot, caller, it.listed.case.bank_id);
        found.filter(theirs).ok_or_else(|| case_not_found(id))
    }

    /// The cases of the caller's banks that a filter finds as a CSV file that Excel opens in Korean;
    /// written down.
    pub async fn export_overdue(
        &self,
        caller: Caller,
        filter: CaseFilter,
    ) -> Result<String, Error> {
        let filter = self.own_cases(caller, filter)?;
        let read = move |conn: &_| list::list(conn, &filter, None, EXPORT_ROWS_MAX + 1);
        let cases = self.store.read(read).await?;
        if cases.len() > EXPORT_ROWS_MAX {
            let detail = format!("these are more than {EXPORT_ROWS_MAX} cases: filter them");
            return Err(Error::new(Code::Invalid, detail));
        }
        let mut file = CsvFile::new(&HEAD);
        let (zone, today) =
            (self.clock.zone(), self.clock_is_trusted().then(|| self.clock.today()));
        for case in &cases {
            file.row(&cells(case, today, zone).each_ref().map(String::as_str));
        }
        let (actor, detail) = (Some(caller.member_id), json!({ "rows": cases.len() }).to_string());
        self.store
            .write::<_, StoreError, _>(Lane::Change, move |tx| {
                tx.audit(&AuditEntry {
                    actor,
                    action: "overdue.export",
                    subject: "site:1",
                    detail: &detail,
                })
            })
            .await?;
        Ok(file.into_text())
    }

    /// Checks a filter and narrows it to what the caller looks after.
    fn own_cases(&self, caller: Caller, filter: CaseFilter) -> Result<CaseFilter, Error> {
        demand_staff(caller)?;
        if let Some(bank) = filter.bank_id
            && !is_staff_for(&self.store.snapshot(), caller, bank)
        {
            return Err(Error::new(Code::Forbidden, "this is for staff of the bank"));
        }
        if filter.text.as_ref().is_some_and(|text| text.chars().count() > TEXT_CHARS_MAX) {
            let detail = format!("q may have at most {TEXT_CHARS_MAX} characters");
            return Err(Error::new(Code::Invalid, detail));
        }
        let staff = (caller.role != Role::Admin).then_some(caller.member_id);
        Ok(CaseFilter { staff, ..filter })
    }
}

fn read_cursor(text: &str, order: CaseOrder) -> Result<CaseEnd, Error> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let end: Option<CaseEnd> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    end.filter(|end| end.order == order).ok_or_else(|| {
        Error::new(Code::Invalid, "cursor must be next_cursor of the page before, in its order")
    })
}

/// The cells of a case. One whose locker was not emptied counts its days until `today`, if that is known.
fn cells(listed: &ListedCase, today: Option<Date>, zone: &TimeZone) -> [String; 16] {
    let case = &listed.case;
    let still = today.filter(|_| case.state.is_open()).map(|today| late_days(case.ended_on, today));
    let at = |ms: Option<i64>| csv_file::at(ms, zone);
    let (student_id, name) = listed.member.clone().unwrap_or_default();
    [
        case.id.to_string(),
        case.state.name().to_owned(),
        case.bank_id.to_string(),
        case.locker_id.to_string(),
        student_id,
        name,
        case.ended_on.to_string(),
        case.late_days.or(still).map_or_else(String::new, |days| days.to_string()),
        at(Some(case.detected_ms)),
        at(case.sealed_ms),
        at(case.collected_ms),
        listed.items.to_string(),
        case.storage.clone().unwrap_or_default(),
        at(case.handed_back_ms),
        case.handed_to.clone().unwrap_or_default(),
        at(case.closed_ms),
    ]
}
