//! How a bank looks from the front, on which days it is open, and how much room they have.
//!
//! All is for everybody who is logged in: nothing here tells who rents what.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::banks::{demand_bank, recheck, subject};
use super::{audit, bank_not_found};
use crate::domain::bank::{Bank, Mode};
use crate::domain::hours::{CalendarDay, Openness, Span};
use crate::domain::id::{BankId, LockerId};
use crate::domain::layout::{self, BankLayout, Level, Place};
use crate::domain::locker::Locker;
use crate::domain::name::Name;
use crate::domain::pool::PoolPolicy;
use crate::domain::time::DateSpan;
use crate::service::Services;
use crate::service::error::{Code, Error};
use crate::service::idempotency::{Answer, RequestKey};
use crate::service::members::Actor;
use crate::store::{banks, lockers};

/// Most days of one calendar.
pub const CALENDAR_DAYS_MAX: i64 = 92;
/// Days of a calendar when no end is asked for.
const CALENDAR_DAYS: i64 = 31;

/// A locker on a map.
#[derive(Debug, Clone)]
pub struct CellView {
    /// Which.
    pub locker_id: LockerId,
    /// Where it is drawn.
    pub place: Place,
    /// How high it hangs.
    pub level: Option<Level>,
    /// Whether it can be used from a wheelchair.
    pub accessible: bool,
}

/// A bank as it is drawn.
#[derive(Debug, Clone)]
pub struct MapView {
    /// Which.
    pub bank_id: BankId,
    /// Its name.
    pub name: Name,
    /// Columns of the whole.
    pub cols: u16,
    /// Rows of the whole.
    pub rows: u16,
    /// The lockers in the order of their numbers.
    pub cells: Vec<CellView>,
    /// What else stands there.
    pub layout: BankLayout,
    /// Whether nobody said where the lockers stand: they are in the order of their numbers.
    pub computed: bool,
}

/// Where a locker is to stand.
#[derive(Debug, Clone, Copy)]
pub struct CellOrder {
    /// Which.
    pub locker_id: LockerId,
    /// Where.
    pub place: Place,
    /// How high it hangs.
    pub level: Option<Level>,
    /// Whether it can be used from a wheelchair.
    pub accessible: bool,
}

/// A span of a calendar's day.
#[derive(Debug, Clone, Copy)]
pub struct SpanView {
    /// As it was set.
    pub span: Span,
    /// From this instant on it is open.
    pub opens_at: Timestamp,
    /// From this instant on it is not any more.
    pub closes_at: Timestamp,
}

/// A day of a calendar.
#[derive(Debug, Clone)]
pub struct DayView {
    /// Which.
    pub date: Date,
    /// Why the bank stays closed.
    pub closing: Option<Name>,
    /// When it is open; empty when it is closed.
    pub spans: Vec<SpanView>,
    /// In pool mode: how many more reservations it can bear; `None` for a day that is over, and while
    /// the database fails and takes none.
    pub left: Option<u32>,
}

/// When a bank is open.
#[derive(Debug, Clone)]
pub struct CalendarView {
    /// Which.
    pub bank_id: BankId,
    /// Whether it is open now, or when it opens next.
    pub now: Openness,
    /// How reservations are taken, and the days on which one that is made today may begin; in pool mode.
    pub pool: Option<(PoolPolicy, DateSpan)>,
    /// Of the state that it shows, of the day, and whether the database fails: the same as long as
    /// nothing can differ but what is open now.
    pub version: (u64, Date, bool),
    /// The days that were asked for.
    pub days: Vec<DayView>,
}

impl Services {
    /// A bank as it is drawn.
    pub fn map(&self, id: BankId) -> Result<MapView, Error> {
        let snapshot = self.store.snapshot();
        let site = &snapshot.site;
        let bank = site.banks.get(&id).ok_or_else(|| bank_not_found(id))?;
        let layout = site.layouts.get(&id).cloned().unwrap_or_default();
        let lockers: Vec<&Locker> = site.lockers_of(id).collect();
        let map = layout::arrange(&lockers, &layout.fixtures);
        let cell = |cell: &layout::Cell<'_>| CellView {
            locker_id: cell.locker.id,
            place: cell.place,
            level: cell.locker.level,
            accessible: cell.locker.accessible,
        };
        Ok(MapView {
            bank_id: id,
            name: bank.name.clone(),
            cols: map.cols,
            rows: map.rows,
            cells: map.cells.iter().map(cell).collect(),
            layout,
            computed: map.computed,
        })
    }

    /// Says where the lockers of a bank stand, all at once: those that are not named lose their place.
    /// For admins.
    pub async fn put_map(
        &self,
        actor: Actor,
        id: BankId,
        layout: BankLayout,
        cells: Vec<CellOrder>,
        key: Option<RequestKey>,
    ) -> Result<Answer<BankId>, Error> {
        actor.demand_admin()?;
        self.change_places(actor, "bank.map", key, move |tx| {
            demand_bank(tx, id)?;
            let site = std::sync::Arc::clone(&tx.snapshot().site);
            for locker in site.lockers_of(id).filter(|locker| locker.place.is_some()) {
                lockers::update(tx.conn, &Locker { place: None, ..locker.clone() })?;
            }
            for cell in &cells {
                let had = lockers::find(tx.conn, cell.locker_id)?;
                let Some(had) = had.filter(|it| it.bank_id == id && it.place.is_none()) else {
                    let locker = cell.locker_id;
                    let detail = format!("locker {locker} is not of this bank, or stands twice");
                    return Err(Error::new(Code::Invalid, detail));
                };
                let CellOrder { place, level, accessible, .. } = *cell;
                let next = Locker { place: Some(place.validated().map_err(invalid)?), ..had };
                lockers::update(tx.conn, &Locker { level, accessible, ..next })?;
            }
            banks::update_layout(tx.conn, id, &layout)?;
            recheck(tx, id)?;
            let detail = json!({ "cells": cells.len(), "fixtures": layout.fixtures.len() });
            audit(tx, actor, "bank.map", &subject(id), &detail)?;
            Ok(id)
        })
        .await
    }

    /// When a bank is open from one day to another, both included, and in pool mode how much room each
    /// day has; from today for a month when nothing is said.
    pub fn calendar(
        &self,
        id: BankId,
        from: Option<Date>,
        to: Option<Date>,
    ) -> Result<CalendarView, Error> {
        let snapshot = self.store.snapshot();
        let bank = snapshot.site.banks.get(&id).ok_or_else(|| bank_not_found(id))?;
        let from = from.unwrap_or_else(|| self.clock.today());
        let to = match to {
            Some(to) => to,
            None => from.checked_add((CALENDAR_DAYS - 1).days()).map_err(beyond)?,
        };
        let days = i64::from((to - from).get_days()) + 1;
        if !(1..=CALENDAR_DAYS_MAX).contains(&days) {
            let detail = format!("from {from} to {to} must be 1 to {CALENDAR_DAYS_MAX} days");
            return Err(Error::new(Code::Invalid, detail));
        }
        let (opening, today) = (bank.policy.opening(), self.clock.today());
        let dates = (0..days).map_while(|n| from.checked_add(n.days()).ok());
        let mut days: Vec<DayView> =
            dates.map(|date| day(opening.day(date, self.clock.zone()))).collect();
        // A start on a broken database knows of no reservations: it must not promise their days.
        let failing = self.store.degraded().is_some();
        let still = DateSpan::new(from.max(today), to);
        if let Some(still) = still.filter(|_| bank.mode == Mode::Pool && !failing) {
            let room = snapshot.room(id, still, today);
            let behind = days.iter_mut().filter(|day| day.date >= today);
            behind.zip(room.left()).for_each(|(day, (_, left))| day.left = Some(left));
        }
        let pool = &bank.policy.pool;
        Ok(CalendarView {
            bank_id: id,
            now: opening.at(self.clock.now(), self.clock.zone()),
            pool: (bank.mode == Mode::Pool).then(|| (*pool, pool.starts(today))),
            version: (snapshot.version, today, failing),
            days,
        })
    }

    /// Demands that a bank is open to its renters now. By a clock that is not believed no bank is shut:
    /// nobody is kept from their things by a guess.
    pub(in crate::service) fn demand_open(&self, bank: &Bank) -> Result<(), Error> {
        if !self.clock_is_trusted() {
            return Ok(());
        }
        let now = self.clock.now();
        let Openness::Closed { opens_at } = bank.policy.opening().at(now, self.clock.zone()) else {
            return Ok(());
        };
        let detail = match opens_at {
            Some(at) => {
                let local = at.to_zoned(self.clock.zone().clone());
                format!("the bank is closed: it opens at {}", local.strftime("%Y-%m-%d %H:%M"))
            }
            None => "the bank is closed: ask staff when it opens".to_owned(),
        };
        let opens_at = opens_at.map(|at| at.to_string());
        Err(Error::new(Code::BankClosed, detail)
            .with("opens_at", opens_at)
            .with("server_time", now.to_string()))
    }
}

fn day(day: CalendarDay<'_>) -> DayView {
    let span = |(span, opens_at, closes_at)| SpanView { span, opens_at, closes_at };
    DayView {
        date: day.date,
        closing: day.closing.map(|closing| closing.name.clone()),
        spans: day.spans.into_iter().map(span).collect(),
        left: None,
    }
}

fn invalid(text: String) -> Error {
    Error::new(Code::Invalid, text)
}

fn beyond(_: jiff::Error) -> Error {
    Error::new(Code::Invalid, "from is too far away")
}
