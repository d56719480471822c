//! Reading a site file: every entry is checked by itself before anything is written.
//!
//! What the file leaves out of a bank's settings or a locker stays as it was; `over` puts both together
//! when it is known what was there. Called by the import and, for terms and closings, by the API.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::file::{
    BankEntry, ClosingEntry, FixtureEntry, LocationEntry, LockerEntry, SiteFile, TermEntry,
};
use super::{Imported, LOCKERS_MAX};
use crate::domain::bank::{BankPolicy, Mistake, Mode, OpenFrom};
use crate::domain::channel::{BusName, Channel};
use crate::domain::hours::{Closing, WeekHours};
use crate::domain::id::{LockerId, TermId};
use crate::domain::layout::{Fixture, Front, Level, Place};
use crate::domain::locker::{Locker, parse_locker_id};
use crate::domain::name::Name;
use crate::domain::options::Options;
use crate::domain::overdue::OverduePolicy;
use crate::domain::pool::PoolPolicy;
use crate::domain::returning::ReturnPolicy;
use crate::domain::term::{Term, TermScope};
use crate::domain::time::DateSpan;

/// A checked file.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) locations: Vec<PlannedLocation>,
    pub(super) terms: Vec<Term>,
    pub(super) counts: Imported,
}

#[derive(Debug, Clone)]
pub(super) struct PlannedLocation {
    pub(super) name: Name,
    pub(super) banks: Vec<PlannedBank>,
    pub(super) terms: Vec<Term>,
}

#[derive(Debug, Clone)]
pub(super) struct PlannedBank {
    pub(super) name: Name,
    /// `None`: as it is.
    pub(super) mode: Option<Mode>,
    pub(super) settings: PlannedSettings,
    /// `None`: as it is.
    pub(super) front: Option<Front>,
    pub(super) fixtures: Option<Vec<Fixture>>,
    pub(super) lockers: Vec<PlannedLocker>,
    pub(super) terms: Vec<Term>,
}

/// What the file says of a bank's settings; what it leaves out stays as it is.
#[derive(Debug, Clone)]
pub(super) struct PlannedSettings {
    pub(super) hold_seconds: Option<u32>,
    pub(super) left_open_s: Option<u32>,
    pub(super) open_from: Option<OpenFrom>,
    pub(super) returns: Option<ReturnPolicy>,
    pub(super) pool: Option<PoolPolicy>,
    pub(super) overdue: Option<OverduePolicy>,
    pub(super) options: Option<Options>,
    pub(super) hours: Option<WeekHours>,
    pub(super) closings: Option<Vec<Closing>>,
}

impl PlannedSettings {
    /// The settings of a bank that had these.
    pub(super) fn over(&self, had: BankPolicy) -> BankPolicy {
        BankPolicy {
            hold_seconds: self.hold_seconds.unwrap_or(had.hold_seconds),
            left_open_s: self.left_open_s.or(had.left_open_s),
            open_from: self.open_from.unwrap_or(had.open_from),
            returns: self.returns.unwrap_or(had.returns),
            pool: self.pool.unwrap_or(had.pool),
            overdue: self.overdue.clone().unwrap_or(had.overdue),
            options: self.options.unwrap_or(had.options),
            hours: self.hours.clone().or(had.hours),
            closings: self.closings.clone().unwrap_or(had.closings),
        }
    }
}

/// What the file says of a locker. Its wire is as the file has it; of the rest, what it leaves out stays.
#[derive(Debug, Clone)]
pub(super) struct PlannedLocker {
    pub(super) id: LockerId,
    pub(super) channel: Option<Channel>,
    pub(super) in_service: Option<bool>,
    pub(super) place: Option<Place>,
    pub(super) level: Option<Level>,
    pub(super) accessible: Option<bool>,
}

impl PlannedLocker {
    /// The locker that it makes of another one.
    pub(super) fn over(&self, had: &Locker) -> Locker {
        Locker {
            id: had.id,
            bank_id: had.bank_id,
            channel: self.channel.clone(),
            in_service: self.in_service.unwrap_or(had.in_service),
            place: self.place.or(had.place),
            level: self.level.or(had.level),
            accessible: self.accessible.unwrap_or(had.accessible),
        }
    }
}

pub(super) struct Planner {
    pub(super) zone: TimeZone,
    pub(super) counts: Imported,
}

impl Planner {
    pub(super) fn plan(mut self, file: SiteFile) -> Result<Plan, String> {
        let locations = file
            .locations
            .into_iter()
            .map(|entry| self.location(entry))
            .collect::<Result<Vec<_>, String>>()?;
        let terms = self.terms(&file.terms)?;
        if self.counts.lockers > LOCKERS_MAX {
            return Err(format!("{} lockers are more than {LOCKERS_MAX}", self.counts.lockers));
        }
        if self.counts == Imported::default() {
            return Err("the file has neither a bank nor a term".to_owned());
        }
        Ok(Plan { locations, terms, counts: self.counts })
    }

    fn location(&mut self, entry: LocationEntry) -> Result<PlannedLocation, String> {
        let name = Name::parse(&entry.name_ko, entry.name_en.as_deref())
            .map_err(|error| format!("location {:?}: {error}", entry.name_ko))?;
        let within = |error| format!("location {:?}: {error}", name.ko);
        let banks = entry
            .banks
            .into_iter()
            .map(|bank| self.bank(bank))
            .collect::<Result<Vec<_>, String>>()
            .map_err(within)?;
        let terms = self.terms(&entry.terms).map_err(within)?;
        Ok(PlannedLocation { name, banks, terms })
    }

    fn bank(&mut self, entry: BankEntry) -> Result<PlannedBank, String> {
        let within = |error| format!("bank {:?}: {error}", entry.name_ko);
        let name = Name::parse(&entry.name_ko, entry.name_en.as_deref()).map_err(within)?;
        let read = |list: &[ClosingEntry]| list.iter().map(closing).collect::<Result<Vec<_>, _>>();
        let closings = (!entry.closings.is_empty()).then(|| read(&entry.closings)).transpose();
        let read = |list: &[FixtureEntry]| list.iter().map(fixture).collect::<Result<Vec<_>, _>>();
        let fixtures = (!entry.fixtures.is_empty()).then(|| read(&entry.fixtures)).transpose();
        let settings = PlannedSettings {
            hold_seconds: entry.hold_seconds,
            left_open_s: entry.left_open_s,
            open_from: entry.open_from,
            returns: entry.returns,
            pool: entry.pool,
            overdue: entry.overdue,
            options: entry.options,
            hours: entry.hours,
            closings: closings.map_err(within)?,
        };
        // What is wrong whatever a known bank has is told before anything is written.
        let mode = entry.mode.unwrap_or_default();
        let checked = settings.over(BankPolicy::default()).validated(mode);
        checked.map_err(|mistakes| within(Mistake::join(&mistakes)))?;
        self.counts.banks += 1;
        let lockers = entry
            .lockers
            .iter()
            .map(|locker| self.locker(locker))
            .collect::<Result<Vec<_>, String>>()
            .map_err(within)?;
        let terms = self.terms(&entry.terms).map_err(within)?;
        let fixtures = fixtures.map_err(within)?;
        Ok(PlannedBank {
            name,
            mode: entry.mode,
            settings,
            front: entry.front,
            fixtures,
            lockers,
            terms,
        })
    }

    fn locker(&mut self, entry: &LockerEntry) -> Result<PlannedLocker, String> {
        let id = parse_locker_id(entry.id)?;
        let within = |error: String| format!("locker {id}: {error}");
        let channel = match (&entry.bus, entry.board, entry.lock) {
            (None, None, None) => None,
            (Some(bus), Some(board), Some(lock)) => Some(
                BusName::parse(bus)
                    .and_then(|bus| Channel::new(bus, board, lock))
                    .map_err(|error| within(error.to_string()))?,
            ),
            _ => return Err(within("give bus, board and lock together, or none".to_owned())),
        };
        self.counts.lockers += 1;
        let place = match (entry.col, entry.row) {
            (None, None) if entry.width.is_none() && entry.height.is_none() => None,
            (Some(col), Some(row)) => {
                Some(place(col, row, entry.width, entry.height).map_err(within)?)
            }
            _ => return Err(within("give col and row together".to_owned())),
        };
        let (in_service, level, accessible) = (entry.in_service, entry.level, entry.accessible);
        Ok(PlannedLocker { id, channel, in_service, place, level, accessible })
    }

    fn terms(&mut self, entries: &[TermEntry]) -> Result<Vec<Term>, String> {
        self.counts.terms += entries.len();
        entries.iter().map(|entry| term_of(entry, &self.zone)).collect()
    }
}

/// Reads a term; it is for the whole site, its number is not known.
pub(in crate::service) fn term_of(entry: &TermEntry, zone: &TimeZone) -> Result<Term, String> {
    let within = |error: String| format!("term {:?}: {error}", entry.name_ko);
    let name = Name::parse(&entry.name_ko, entry.name_en.as_deref()).map_err(within)?;
    let dates = dates(&entry.starts_on, &entry.ends_on).map_err(within)?;
    Term {
        id: TermId(0),
        name,
        opens_at: instant(&entry.opens_at, zone).map_err(within)?,
        closes_at: instant(&entry.closes_at, zone).map_err(within)?,
        dates,
        scope: TermScope::Site,
    }
    .validated()
}

/// Reads an instant; one without an offset is the site's.
fn instant(text: &str, zone: &TimeZone) -> Result<jiff::Timestamp, String> {
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Ok(instant);
    }
    text.parse::<DateTime>()
        .and_then(|local| local.to_zoned(zone.clone()))
        .map(|zoned| zoned.timestamp())
        .map_err(|_| format!("{text:?} is not a time like 2026-08-24T10:00:00"))
}

fn dates(first: &str, last: &str) -> Result<DateSpan, String> {
    let day = |text: &str| {
        text.parse::<Date>().map_err(|_| format!("{text:?} is not a date like 2026-09-01"))
    };
    DateSpan::new(day(first)?, day(last)?).ok_or_else(|| "it ends before it starts".to_owned())
}

/// Reads a closing.
fn closing(entry: &ClosingEntry) -> Result<Closing, String> {
    let within = |error: String| format!("closing {:?}: {error}", entry.name_ko);
    let name = Name::parse(&entry.name_ko, entry.name_en.as_deref()).map_err(within)?;
    let last = entry.last_on.as_ref().unwrap_or(&entry.first_on);
    Ok(Closing { dates: dates(&entry.first_on, last).map_err(within)?, name })
}

fn fixture(entry: &FixtureEntry) -> Result<Fixture, String> {
    let within = |why: String| format!("{}: {why}", entry.kind.name());
    let place = place(entry.col, entry.row, entry.width, entry.height).map_err(within)?;
    let label = match (&entry.label_ko, &entry.label_en) {
        (Some(ko), en) => Some(Name::parse(ko, en.as_deref())),
        (None, Some(en)) => Some(Name::parse(en, None)),
        (None, None) => None,
    };
    let label = label.transpose().map_err(|why| format!("{} at {place}: {why}", entry.kind.name()));
    Ok(Fixture { kind: entry.kind, place, label: label? })
}

fn place(col: u16, row: u16, width: Option<u16>, height: Option<u16>) -> Result<Place, String> {
    Place { col, row, width: width.unwrap_or(1), height: height.unwrap_or(1) }.validated()
}
