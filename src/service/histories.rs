//! What happened to a locker, for staff of its bank, and with a member, for staff and for themselves: one
//! line of time on pages, the newest first.

use super::commissioning::demand_staff;
use super::error::Error;
use super::members::member_not_found;
use super::rental_lists::{cursor_of, read_cursor};
use super::rentals::locker_not_found;
use super::tokens::Caller;
use super::{Services, is_staff_for};
use crate::domain::id::{LockerId, MemberId};
use crate::service::error::Code;
use crate::store::histories::{self, Mark};
use crate::store::members;

pub use crate::store::histories::{Case, Entry, Person, What};

/// Most entries of one page.
pub const PAGE_MAX: usize = 100;

/// A page of a history.
#[derive(Debug, Clone)]
pub struct HistoryPage {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

impl Services {
    /// What happened to a locker: rentals, service, notes, overdue steps. For staff of its bank, also
    /// after it was retired.
    pub async fn locker_history(
        &self,
        caller: Caller,
        id: LockerId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<HistoryPage, Error> {
        let snapshot = self.store.snapshot();
        let bank = snapshot.site.bank_of(id).ok_or_else(|| locker_not_found(id))?;
        if !is_staff_for(&snapshot, caller, bank) {
            return Err(Error::new(Code::Forbidden, format!("you do not look after bank {bank}")));
        }
        let before = cursor.map(read_cursor::<Mark>).transpose()?;
        let limit = limit.min(PAGE_MAX);
        let entries =
            self.store.read(move |conn| histories::of_locker(conn, id, before, limit + 1)).await?;
        Ok(page(entries, limit))
    }

    /// What happened with a member: rentals, overdue cases, penalties. For staff.
    pub async fn member_history(
        &self,
        caller: Caller,
        id: MemberId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<HistoryPage, Error> {
        demand_staff(caller)?;
        let known = self.store.read(move |conn| members::find_by_id(conn, id)).await?;
        known.ok_or_else(|| member_not_found(id))?;
        self.history_of(id, cursor, limit).await
    }

    /// What happened with the caller themselves.
    pub async fn own_history(
        &self,
        caller: Caller,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<HistoryPage, Error> {
        self.history_of(caller.member_id, cursor, limit).await
    }

    async fn history_of(
        &self,
        id: MemberId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<HistoryPage, Error> {
        let before = cursor.map(read_cursor::<Mark>).transpose()?;
        let limit = limit.min(PAGE_MAX);
        let read = self.store.read(move |conn| histories::of_member(conn, id, before, limit + 1));
        Ok(page(read.await?, limit))
    }
}

/// A page of at most `limit` entries, of which one more was asked for.
fn page(mut entries: Vec<Entry>, limit: usize) -> HistoryPage {
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(|entry| cursor_of(&entry.mark));
    HistoryPage { entries, next }
}
