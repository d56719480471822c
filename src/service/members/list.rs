//! Looking people up, and the same people as a file. Staff see everybody: who rents what is theirs
//! to know, passwords and secrets are nobody's.

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::{Actor, audit, member_not_found};
use crate::domain::id::{BankId, MemberId};
use crate::domain::member::{MemberState, Role};
use crate::domain::rental::Rental;
use crate::service::Services;
use crate::service::csv_file::{self, CsvFile};
use crate::service::error::{Code, Error};
use crate::store::audit::AuditEntry;
use crate::store::members::list::{self, PageEnd};
pub use crate::store::members::list::{MemberFilter, MemberOrder};
use crate::store::members::{self, MemberRow};
use crate::store::{Lane, Snapshot, StoreError, Tx, accounts};

/// Most people of one page.
pub const PAGE_MAX: usize = 100;

/// Most people of one file; more than any campus.
pub const EXPORT_ROWS_MAX: usize = csv_file::ROWS_MAX;

/// Longest text that is searched for, in characters.
const TEXT_CHARS_MAX: usize = 100;

/// The columns of an exported file; a roster import knows the first five.
const HEAD: [&str; 10] = [
    "student_id",
    "name",
    "phone",
    "email",
    "department",
    "role",
    "state",
    "joined",
    "last_login",
    "locker",
];

/// Somebody with what the snapshot knows of them.
#[derive(Debug, Clone)]
pub struct MemberSummary {
    /// Their account.
    pub row: MemberRow,
    /// Banks that they look after.
    pub banks: Vec<BankId>,
    /// What they hold or rent now.
    pub rentals: Vec<Rental>,
}

/// Somebody with everything that staff may know.
#[derive(Debug, Clone)]
pub struct MemberDetail {
    /// The same as in a list.
    pub summary: MemberSummary,
    /// Whether an authenticator app is set up.
    pub second_factor: bool,
}

/// A page of people.
#[derive(Debug, Clone)]
pub struct MemberPage {
    /// In the order asked for.
    pub members: Vec<MemberSummary>,
    /// How many the filter finds in all.
    pub total: i64,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

impl Services {
    /// A page of the people whom a filter finds.
    pub async fn members(
        &self,
        actor: Actor,
        filter: MemberFilter,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<MemberPage, Error> {
        actor.demand_staff()?;
        demand_short(&filter)?;
        let (order, limit) = (filter.order, limit.clamp(1, PAGE_MAX));
        let after = cursor.map(|cursor| read_cursor(cursor, &filter)).transpose()?;
        let (mut rows, total) = self
            .store
            .read(move |conn| {
                // One more than asked for tells whether there is a next page.
                let rows = list::list(conn, &filter, after, limit + 1)?;
                Ok((rows, list::count(conn, &filter)?))
            })
            .await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let end = rows.last().filter(|_| more).map(|row| PageEnd::of(row, order));
        let next = end.and_then(|end| serde_json::to_vec(&end).ok());
        let snapshot = self.store.snapshot();
        let members = rows.into_iter().map(|row| summary(&snapshot, row, self)).collect();
        Ok(MemberPage { members, total, next: next.map(|end| BASE64URL_NOPAD.encode(&end)) })
    }

    /// Everything that staff may know of somebody.
    pub async fn member(&self, actor: Actor, id: MemberId) -> Result<MemberDetail, Error> {
        actor.demand_staff()?;
        let found = self
            .store
            .read(move |conn| {
                let row = members::find_by_id(conn, id)?;
                Ok(row.zip(Some(accounts::has_second_factor(conn, id)?)))
            })
            .await?;
        let (row, second_factor) = found.ok_or_else(|| member_not_found(id))?;
        let summary = summary(&self.store.snapshot(), row, self);
        Ok(MemberDetail { summary, second_factor })
    }

    /// Somebody of whom everything is to be shown; written down.
    pub async fn reveal_member(&self, actor: Actor, id: MemberId) -> Result<MemberRow, Error> {
        actor.demand_staff()?;
        self.store
            .write(Lane::Change, move |tx| {
                let row = members::find_by_id(tx.conn, id)?.ok_or_else(|| member_not_found(id))?;
                audit(tx, actor.id(), "member.reveal", id, &json!({}))?;
                Ok(row)
            })
            .await
    }

    /// Writes down whose ids and ways to reach them a list shows in full.
    pub async fn note_revealed(&self, actor: Actor, shown: &[MemberSummary]) -> Result<(), Error> {
        if shown.is_empty() {
            return Ok(());
        }
        let ids: Vec<MemberId> = shown.iter().map(|it| it.row.id).collect();
        let detail = json!({ "members": ids }).to_string();
        let entry = move |tx: &mut Tx<'_>| {
            let (actor, action) = (actor.id(), "member.reveal");
            tx.audit(&AuditEntry { actor, action, subject: "site:1", detail: &detail })
        };
        Ok(self.store.write::<_, StoreError, _>(Lane::Change, entry).await?)
    }

    /// The people whom a filter finds as a CSV file that Excel opens in Korean; written down.
    pub async fn export_members(
        &self,
        actor: Actor,
        filter: MemberFilter,
    ) -> Result<String, Error> {
        actor.demand_staff()?;
        demand_short(&filter)?;
        let (role, state) = (filter.role, filter.state);
        // What was looked for may name somebody.
        let searched = filter.text.is_some() || filter.student_id.is_some();
        let snapshot = self.store.snapshot();
        let renting = move |id| {
            let lockers = snapshot.of_member(id).map(|rental| rental.locker_id.to_string());
            lockers.collect::<Vec<_>>().join(" ")
        };
        let (text, rows) = self
            .store
            .read(move |conn| {
                let mut text = csv_head();
                let rows = list::visit(conn, &filter, EXPORT_ROWS_MAX + 1, |row| {
                    text.push_str(&csv_row(row, renting(row.id)));
                })?;
                Ok((text, rows))
            })
            .await?;
        if rows > EXPORT_ROWS_MAX {
            let detail = format!("these are more than {EXPORT_ROWS_MAX} people: filter them");
            return Err(Error::new(Code::Invalid, detail));
        }
        let detail = json!({
            "rows": rows, "role": role.map(Role::name), "state": state.map(MemberState::name),
            "searched": searched,
        });
        self.store
            .write::<_, StoreError, _>(Lane::Change, move |tx| {
                tx.audit(&AuditEntry {
                    actor: actor.id(),
                    action: "member.export",
                    subject: "site:1",
                    detail: &detail.to_string(),
                })
            })
            .await?;
        Ok(text)
    }
}

/// Refuses to look for what is nobody's name or number.
fn demand_short(filter: &MemberFilter) -> Result<(), Error> {
    for (name, text) in [("q", &filter.text), ("student_id", &filter.student_id)] {
        if text.as_ref().is_some_and(|text| text.chars().count() > TEXT_CHARS_MAX) {
            let detail = format!("{name} may have at most {TEXT_CHARS_MAX} characters");
            return Err(Error::new(Code::Invalid, detail));
        }
    }
    Ok(())
}

fn summary(snapshot: &Snapshot, row: MemberRow, services: &Services) -> MemberSummary {
    let now = services.clock.monotonic();
    let banks = snapshot.site.staff.get(&row.id).cloned().unwrap_or_default();
    let rentals = snapshot.of_member(row.id).filter(|rental| rental.is_live(now)).copied();
    MemberSummary { rentals: rentals.collect(), banks, row }
}

fn read_cursor(text: &str, filter: &MemberFilter) -> Result<PageEnd, Error> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let end: Option<PageEnd> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    end.filter(|end| end.fits(filter.order)).ok_or_else(|| {
        Error::new(Code::Invalid, "cursor must be next_cursor of the page before, in its order")
    })
}

/// The first line of an exported file.
#[must_use]
pub fn csv_head() -> String {
    CsvFile::new(&HEAD).into_text()
}

/// A line of an exported file; `lockers` are those that the person holds or rents.
#[must_use]
pub fn csv_row(row: &MemberRow, lockers: String) -> String {
    csv_file::line(&fields(row, lockers).each_ref().map(String::as_str))
}

fn fields(row: &MemberRow, locker: String) -> [String; 10] {
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    let at = |ms: Option<i64>| {
        let at = ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        at.map_or_else(String::new, |at| at.to_string())
    };
    [
        row.student_id.clone(),
        row.name.clone(),
        row.phone.as_deref().map_or_else(String::new, hyphenated),
        given(&row.email),
        given(&row.department),
        row.role.name().to_owned(),
        row.state().name().to_owned(),
        at(Some(row.joined_ms)),
        at(row.last_login_ms),
        locker,
    ]
}

/// A phone number as people write it: with hyphens a spreadsheet does not take it for a number and
/// its leading zero away.
fn hyphenated(digits: &str) -> String {
    let area = if digits.starts_with("02") { 2 } else { 3 };
    let (middle, end) = (digits.get(area..), digits.len().saturating_sub(4));
    match middle {
        Some(_) if digits.starts_with('0') && end > area => {
            format!("{}-{}-{}", &digits[..area], &digits[area..end], &digits[end..])
        }
        _ => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_keep_their_zero() {
        for (digits, text) in [
            ("01012345678", "010-1234-5678"),
            ("0212345678", "02-1234-5678"),
            ("0311234567", "031-123-4567"),
            ("15881234", "15881234"),
        ] {
            assert_eq!(hyphenated(digits), text);
        }
    }
}
