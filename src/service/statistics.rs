//! Figures for charts, for staff of their banks: lockers by day, the last rush by minute, openings by
//! weekday and hour, who was late, the longest waits. Counted from what is stored, on a reading
//! connection, one figure at a time: nobody who claims or opens waits for one.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::Services;
use super::error::{Code, Error};
use super::rental_lists::banks_asked;
use super::tokens::Caller;
use crate::domain::id::{BankId, LocationId, LockerId, TermId};
use crate::domain::opening::Outcome;
use crate::domain::rental::RentalState;
use crate::domain::statistics::{LockerLine, Occupancy, Stay, WeekHours, by_minute, occupancy};
use crate::domain::term::Term;
use crate::store::StoreError;
use crate::store::statistics::{self, LockerRow, ROWS_MAX, StayRow};

pub use crate::domain::statistics::weekdays;
pub use crate::store::statistics::{CaseRow, WaitRow};

/// Most days of one question.
pub const DAYS_MAX: i32 = 400;

/// Days of a question that names none.
const DAYS_DEFAULT: i64 = 30;

/// Minutes of a rush that are counted.
const RUSH_MINUTES: usize = 60;

/// Longest waits that are named.
const WAITS_MAX: u32 = 20;

/// What a question is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// One bank.
    pub bank: Option<BankId>,
    /// The banks of one location.
    pub location: Option<LocationId>,
    /// The first day; 29 days before the last when left out.
    pub from: Option<Date>,
    /// The last day; today when left out.
    pub to: Option<Date>,
}

/// Whole days of the site: which, and their instants (unix milliseconds, the last one not included).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: Date,
    /// The last.
    pub to: Date,
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
}

/// Lockers by day.
#[derive(Debug, Clone)]
pub struct OccupancyFigures {
    /// The days that are over, and today; none to come.
    pub days: Vec<Date>,
    /// Each bank's counts, one for each day.
    pub banks: Vec<(BankId, Occupancy)>,
}

/// How the rush of a term went.
#[derive(Debug, Clone)]
pub struct RushFigures {
    /// The term.
    pub term: Term,
    /// Holds granted in each minute after the window opened.
    pub holds: Vec<u32>,
    /// Holds of that hour confirmed in each minute.
    pub confirms: Vec<u32>,
    /// From the opening of the window to the first confirmed claim, in milliseconds.
    pub first_ms: Option<i64>,
    /// From hold to confirm, the median of those confirmed, in milliseconds.
    pub median_confirm_ms: Option<i64>,
}

/// Openings by weekday and hour.
#[derive(Debug, Clone)]
pub struct OpeningFigures {
    /// Which days.
    pub days: Days,
    /// All of them.
    pub matrix: WeekHours,
    /// By how they ended; `None`: under way.
    pub outcomes: BTreeMap<Option<&'static str>, u64>,
}

/// Who was late in one bank.
#[derive(Debug, Clone, Copy)]
pub struct OverdueFigures {
    /// Which.
    pub bank_id: BankId,
    /// Rentals that ended in these days.
    pub ended: u64,
    /// Those of them that were given back after their last day.
    pub late: u64,
    /// Rentals that are late now.
    pub late_now: u64,
}

/// The longest waits.
#[derive(Debug, Clone)]
pub struct WaitFigures {
    /// As of then (unix milliseconds): what has not ended counts until it.
    pub now_ms: i64,
    /// For a locker, on the waiting list.
    pub waiting: Vec<WaitRow>,
    /// Of things in a locker, from the detection of an overdue case to its collection or end.
    pub collecting: Vec<CaseRow>,
}

impl Services {
    /// Lockers by day: in service, taken, overdue, free.
    pub async fn occupancy_figures(
        &self,
        caller: Caller,
        asked: Asked,
    ) -> Result<OccupancyFigures, Error> {
        let banks = self.banks_of_figure(caller, asked)?;
        let (days, zone) = (self.days_of_figure(asked)?, self.clock.zone().clone());
        let (now_ms, today) = (self.clock.now().as_millisecond(), self.clock.today());
        let mut dates = Vec::new();
        let mut day = days.from;
        while day <= days.to && day <= today {
            dates.push(day);
            day = next(day);
        }
        let mut instants = Vec::new();
        for day in &dates {
            // The last millisecond of the day, or now.
            instants.push((start_ms(next(*day), &zone)? - 1).min(now_ms));
        }
        let _turn = self.figure_turn.lock().await;
        let banks = self
            .store
            .read(move |conn| {
                let mut counted = Vec::new();
                for bank in banks {
                    let stays = statistics::stays(conn, bank, (days.from_ms, days.to_ms))?;
                    if stays.len() > ROWS_MAX {
                        return Ok(None);
                    }
                    let lockers = statistics::lockers(conn, bank)?;
                    let changes = statistics::service_changes(conn, bank)?;
                    let lines = lines(&lockers, changes, &stays, &zone);
                    counted.push((bank, occupancy(&instants, lines.values())));
                }
                Ok(Some(counted))
            })
            .await?;
        Ok(OccupancyFigures { days: dates, banks: banks.ok_or_else(too_much)? })
    }

    /// How the rush of a term went in the caller's banks, by minute.
    pub async fn rush_figures(&self, caller: Caller, term: TermId) -> Result<RushFigures, Error> {
        let banks = self.banks_of_figure(caller, Asked::default())?;
        let snapshot = self.store.snapshot();
        let site = &snapshot.site;
        let missing = || Error::new(Code::TermNotFound, format!("there is no term {term}"));
        let term = site.terms.iter().find(|it| it.id == term).cloned().ok_or_else(missing)?;
        let of_term = |bank: &BankId| site.banks.get(bank).is_some_and(|bank| term.covers(bank));
        let banks: Vec<BankId> = banks.into_iter().filter(of_term).collect();
        let opens_ms = term.opens_at.as_millisecond();
        let minutes = i64::try_from(RUSH_MINUTES).unwrap_or(i64::MAX);
        let hour = (opens_ms, opens_ms + minutes * 60_000);
        let id = term.id;
        let _turn = self.figure_turn.lock().await;
        let read = self.store.read(move |conn| {
            let mut all = Vec::new();
            for bank in banks {
                all.extend(statistics::claims(conn, (bank, id), hour)?);
            }
            Ok::<_, StoreError>(all)
        });
        let claims = read.await?;
        if claims.len() > ROWS_MAX {
            return Err(too_much());
        }
        let confirmed = || claims.iter().filter_map(|(held, at)| Some((*held, (*at)?)));
        let mut taken: Vec<i64> = confirmed().map(|(held, at)| at - held).collect();
        taken.sort_unstable();
        Ok(RushFigures {
            holds: by_minute(opens_ms, RUSH_MINUTES, claims.iter().map(|(held, _)| *held)),
            confirms: by_minute(opens_ms, RUSH_MINUTES, confirmed().map(|(_, at)| at)),
            first_ms: confirmed().map(|(_, at)| at - opens_ms).min(),
            median_confirm_ms: taken.get(taken.len() / 2).copied(),
            term,
        })
    }

    /// Openings by weekday and hour of the site, and by how they ended.
    pub async fn opening_figures(
        &self,
        caller: Caller,
        asked: Asked,
    ) -> Result<OpeningFigures, Error> {
        let banks = self.banks_of_figure(caller, asked)?;
        let (days, zone) = (self.days_of_figure(asked)?, self.clock.zone().clone());
        let _turn = self.figure_turn.lock().await;
        let read = self
            .store
            .read(move |conn| statistics::openings(conn, &banks, (days.from_ms, days.to_ms)));
        let (mut matrix, mut outcomes) = (WeekHours::default(), BTreeMap::new());
        for (at, outcome, count) in read.await? {
            matrix.add(at, count, &zone);
            *outcomes.entry(outcome.map(Outcome::name)).or_default() += count;
        }
        Ok(OpeningFigures { days, matrix, outcomes })
    }

    /// How many rentals that ended in these days were given back late, by bank.
    pub async fn overdue_figures(
        &self,
        caller: Caller,
        asked: Asked,
    ) -> Result<(Days, Vec<OverdueFigures>), Error> {
        let banks = self.banks_of_figure(caller, asked)?;
        let (days, zone) = (self.days_of_figure(asked)?, self.clock.zone().clone());
        let late_now = self.late_now();
        let _turn = self.figure_turn.lock().await;
        let read = self.store.read(move |conn| {
            let mut counted = Vec::new();
            for bank_id in banks {
                let ended = statistics::ended(conn, bank_id, (days.from_ms, days.to_ms))?;
                let (rows, mut given_back, mut late) = (ended.len(), 0, 0);
                for row in &ended {
                    let limit = start_ms(next(row.ends_on), &zone);
                    let behind = limit.is_ok_and(|limit| row.returned_ms >= limit);
                    // What ended by itself behind its last day, because its member never had it.
                    let lapsed = behind && !row.was_had;
                    given_back += u64::from(!lapsed);
                    late += u64::from(behind && !lapsed);
                }
                let late_now = late_now.get(&bank_id).copied().unwrap_or_default();
                counted.push((rows, OverdueFigures { bank_id, ended: given_back, late, late_now }));
            }
            Ok::<_, StoreError>(counted)
        });
        let counted = read.await?;
        if counted.iter().any(|(rows, _)| *rows > ROWS_MAX) {
            return Err(too_much());
        }
        Ok((days, counted.into_iter().map(|(_, figures)| figures).collect()))
    }

    /// The longest waits for a locker, and of things for being collected, of those that began in these
    /// days.
    pub async fn wait_figures(&self, caller: Caller, asked: Asked) -> Result<WaitFigures, Error> {
        let banks = self.banks_of_figure(caller, asked)?;
        let days = self.days_of_figure(asked)?;
        let now_ms = self.clock.now().as_millisecond();
        let _turn = self.figure_turn.lock().await;
        let read = self.store.read(move |conn| {
            let range = (days.from_ms, days.to_ms);
            let waiting = statistics::longest_waits(conn, &banks, range, now_ms, WAITS_MAX)?;
            let collecting = statistics::longest_cases(conn, &banks, range, now_ms, WAITS_MAX)?;
            Ok::<_, StoreError>(WaitFigures { now_ms, waiting, collecting })
        });
        Ok(read.await?)
    }

    /// The banks that a figure is about, by number.
    fn banks_of_figure(&self, caller: Caller, asked: Asked) -> Result<Vec<BankId>, Error> {
        let snapshot = self.store.snapshot();
        let banks = banks_asked(&snapshot, caller, asked.bank, asked.location)?;
        let mut banks = banks.unwrap_or_else(|| snapshot.site.banks.keys().copied().collect());
        banks.sort_unstable();
        Ok(banks)
    }

    /// The days that a question is about; at most [`DAYS_MAX`].
    pub(super) fn days_of_figure(&self, asked: Asked) -> Result<Days, Error> {
        let invalid = |text: String| Error::new(Code::Invalid, text);
        let to = asked.to.unwrap_or_else(|| self.clock.today());
        let from = match asked.from {
            Some(from) => from,
            None => to.checked_sub((DAYS_DEFAULT - 1).days()).unwrap_or(to),
        };
        let long = (to - from).get_days();
        if from > to || long >= DAYS_MAX {
            return Err(invalid(format!(
                "from and to must be 1 to {DAYS_MAX} days in their order"
            )));
        }
        let zone = self.clock.zone();
        Ok(Days { from, to, from_ms: start_ms(from, zone)?, to_ms: start_ms(next(to), zone)? })
    }

    /// How many rentals of each bank are late now; none by a clock that is not believed.
    fn late_now(&self) -> BTreeMap<BankId, u64> {
        if !self.clock_is_trusted() {
            return BTreeMap::new();
        }
        let (snapshot, today) = (self.store.snapshot(), self.clock.today());
        let mut late = BTreeMap::new();
        for rental in snapshot.rentals() {
            let is_late = rental.state == RentalState::Active && rental.dates.last() < today;
            if let Some(bank) = snapshot.site.bank_of(rental.locker_id).filter(|_| is_late) {
                *late.entry(bank).or_default() += 1;
            }
        }
        late
    }
}

/// What happened to each locker of a bank.
fn lines(
    lockers: &[LockerRow],
    changes: Vec<(LockerId, i64, bool)>,
    stays: &[StayRow],
    zone: &TimeZone,
) -> BTreeMap<LockerId, LockerLine> {
    let mut lines: BTreeMap<LockerId, LockerLine> = BTreeMap::new();
    for locker in lockers {
        let line = LockerLine { in_service: locker.in_service, ..LockerLine::default() };
        lines.insert(locker.id, line);
    }
    for (id, at_ms, in_service) in changes {
        let line = lines.entry(id).or_default();
        if line.changes.is_empty() {
            // Nothing is known of before its first change but that it was otherwise.
            line.in_service = !in_service;
        }
        line.changes.push((at_ms, in_service));
    }
    for locker in lockers {
        if let (Some(at_ms), Some(line)) = (locker.retired_ms, lines.get_mut(&locker.id)) {
            line.changes.push((at_ms, false));
        }
    }
    for stay in stays {
        let day_ms = |day| start_ms(day, zone).unwrap_or(i64::MAX);
        let line = lines.entry(stay.locker_id).or_default();
        line.stays.push(Stay {
            from_ms: stay.confirmed_ms.max(day_ms(stay.dates.first())),
            to_ms: stay.ended_ms.unwrap_or(i64::MAX),
            late_ms: day_ms(next(stay.dates.last())),
        });
    }
    lines
}

fn next(day: Date) -> Date {
    day.tomorrow().unwrap_or(day)
}

/// When a day begins at the site, unix milliseconds.
fn start_ms(day: Date, zone: &TimeZone) -> Result<i64, Error> {
    let begins = day.to_zoned(zone.clone()).map(|at| Timestamp::as_millisecond(at.timestamp()));
    begins.map_err(|_| Error::new(Code::Invalid, format!("{day} is out of range")))
}

fn too_much() -> Error {
    Error::new(
        Code::Invalid,
        "so much has happened since then that it cannot be counted: ask for later days or one bank",
    )
}
