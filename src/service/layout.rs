//! The layout of banks as a file: exported as TOML or CSV, and read back.
//!
//! TOML is the site file itself (docs/guide/site-file.md). CSV has one line a locker, for spreadsheets;
//! it carries no terms, no hours and no fixtures. Both are read into a [`SiteFile`], so that one import takes both, all or nothing.
//! Exporting and importing again changes nothing.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord, Trim};
use jiff::Timestamp;

use super::commissioning::demand_admin;
use super::error::{Code, Error};
use super::site::{
    BankEntry, ClosingEntry, FixtureEntry, Imported, LocationEntry, LockerEntry, SiteFile,
    TermEntry,
};
use super::tokens::Caller;
use super::{Services, is_staff_for};
use crate::domain::bank::OpenFrom;
use crate::domain::hours::Closing;
use crate::domain::id::BankId;
use crate::domain::layout::{Fixture, Level};
use crate::domain::locker::{Locker, parse_locker_id};
use crate::domain::term::{Term, TermScope};
use crate::store::Snapshot;

/// Columns of a CSV layout, in the order of an export.
const COLUMNS: [&str; 18] = [
    "location_ko",
    "location_en",
    "bank_ko",
    "bank_en",
    "hold_seconds",
    "left_open_s",
    "open_from",
    "locker",
    "bus",
    "board",
    "lock",
    "in_service",
    "col",
    "row",
    "width",
    "height",
    "level",
    "accessible",
];
/// Columns that a file must have.
const NEEDED: [&str; 3] = ["location_ko", "bank_ko", "locker"];
/// Mistakes of one file that are told at once.
const MISTAKES_MAX: usize = 20;
/// What spreadsheets put before UTF-8.
const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// How a layout is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayoutFormat {
    /// A site file.
    Toml,
    /// One line a locker.
    Csv,
}

impl LayoutFormat {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Toml, Self::Csv];

    /// Its name, also the ending of its files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Csv => "csv",
        }
    }

    /// The format of a file; anything but `.csv` is TOML.
    #[must_use]
    pub fn of(path: &std::path::Path) -> Self {
        let ending = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        if ending.eq_ignore_ascii_case("csv") { Self::Csv } else { Self::Toml }
    }

    /// Reads a layout; the text names the line that is wrong.
    pub fn read(self, text: &str) -> Result<SiteFile, String> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        match self {
            Self::Toml => toml::from_str(text).map_err(|error| error.to_string()),
            Self::Csv => read_csv(text),
        }
    }

    /// Writes a layout.
    pub fn write(self, file: &SiteFile) -> Result<String, Error> {
        let failed = |why: String| {
            tracing::error!(area = "store", error = %why, "a layout cannot be written");
            Error::new(Code::Internal, "something went wrong on our side; it was logged")
        };
        match self {
            Self::Toml => toml::to_string(file).map_err(|error| failed(error.to_string())),
            Self::Csv => write_csv(file).map_err(|error| failed(error.to_string())),
        }
    }
}

impl std::str::FromStr for LayoutFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| format!("{text:?} is no format: write toml or csv"))
    }
}

impl Services {
    /// The layout of one bank, or of the whole site with its terms.
    pub fn export_layout(&self, bank: Option<BankId>) -> Result<SiteFile, Error> {
        let snapshot = self.store.snapshot();
        let site = &snapshot.site;
        if let Some(bank) = bank
            && !site.banks.contains_key(&bank)
        {
            return Err(Error::new(Code::BankNotFound, "there is no such bank"));
        }
        let terms = |scope: TermScope| -> Vec<TermEntry> {
            site.terms.iter().filter(|term| term.scope == scope).map(term_entry).collect()
        };
        let mut file = SiteFile::default();
        for location in site.locations.values() {
            let of_it = |it: BankId| bank.is_none_or(|bank| bank == it);
            let banks: Vec<BankEntry> = site
                .banks
                .values()
                .filter(|it| it.location_id == location.id && of_it(it.id))
                .map(|it| BankEntry {
                    name_ko: it.name.ko.clone(),
                    name_en: Some(it.name.en.clone()),
                    hold_seconds: Some(it.policy.hold_seconds),
                    left_open_s: it.policy.left_open_s,
                    mode: Some(it.mode),
                    open_from: Some(it.policy.open_from),
                    returns: Some(it.policy.returns),
                    pool: Some(it.policy.pool),
                    overdue: Some(it.policy.overdue.clone()),
                    options: Some(it.policy.options),
                    hours: it.policy.hours.clone(),
                    closings: it.policy.closings.iter().map(closing_entry).collect(),
                    front: site.layouts.get(&it.id).and_then(|layout| layout.front),
                    fixtures: fixtures_of(&snapshot, it.id),
                    lockers: lockers_of(&snapshot, it.id),
                    terms: terms(TermScope::Bank(it.id)),
                })
                .collect();
            if banks.is_empty() && bank.is_some() {
                continue;
            }
            file.locations.push(LocationEntry {
                name_ko: location.name.ko.clone(),
                name_en: Some(location.name.en.clone()),
                banks,
                terms: if bank.is_none() {
                    terms(TermScope::Location(location.id))
                } else {
                    Vec::new()
                },
            });
        }
        if bank.is_none() {
            file.terms = terms(TermScope::Site);
        }
        Ok(file)
    }

    /// The layout of a bank for its staff.
    pub fn bank_layout(&self, caller: Caller, bank: BankId) -> Result<SiteFile, Error> {
        if !is_staff_for(&self.store.snapshot(), caller, bank) {
            return Err(Error::new(Code::Forbidden, "this is for staff of the bank"));
        }
        self.export_layout(Some(bank))
    }

    /// Changes one bank to a layout, all or nothing; what it does not name stays.
    pub async fn put_bank_layout(
        &self,
        caller: Caller,
        bank: BankId,
        format: LayoutFormat,
        text: &str,
    ) -> Result<Imported, Error> {
        demand_admin(caller)?;
        if !self.store.snapshot().site.banks.contains_key(&bank) {
            return Err(Error::new(Code::BankNotFound, "there is no such bank"));
        }
        let file = format.read(text).map_err(|why| Error::new(Code::Invalid, why))?;
        self.update_site(file, Some(bank), Some(caller.member_id)).await
    }
}

fn lockers_of(snapshot: &Snapshot, bank: BankId) -> Vec<LockerEntry> {
    let entry = |locker: &Locker| {
        let channel = locker.channel.as_ref();
        LockerEntry {
            id: locker.id.0,
            bus: channel.map(|it| it.bus.as_str().to_owned()),
            board: channel.map(|it| it.board),
            lock: channel.map(|it| it.lock),
            in_service: Some(locker.in_service),
            col: locker.place.map(|it| it.col),
            row: locker.place.map(|it| it.row),
            width: locker.place.map(|it| it.width),
            height: locker.place.map(|it| it.height),
            level: locker.level,
            accessible: Some(locker.accessible),
        }
    };
    snapshot.site.lockers_of(bank).map(entry).collect()
}

fn fixtures_of(snapshot: &Snapshot, bank: BankId) -> Vec<FixtureEntry> {
    let entry = |fixture: &Fixture| FixtureEntry {
        kind: fixture.kind,
        col: fixture.place.col,
        row: fixture.place.row,
        width: Some(fixture.place.width),
        height: Some(fixture.place.height),
        label_ko: fixture.label.as_ref().map(|it| it.ko.clone()),
        label_en: fixture.label.as_ref().map(|it| it.en.clone()),
    };
    let layout = snapshot.site.layouts.get(&bank);
    layout.map(|layout| layout.fixtures.iter().map(entry).collect()).unwrap_or_default()
}

fn closing_entry(closing: &Closing) -> ClosingEntry {
    ClosingEntry {
        first_on: closing.dates.first().to_string(),
        last_on: Some(closing.dates.last().to_string()),
        name_ko: closing.name.ko.clone(),
        name_en: Some(closing.name.en.clone()),
    }
}

pub(super) fn term_entry(term: &Term) -> TermEntry {
    let instant = |at: Timestamp| at.to_string();
    TermEntry {
        name_ko: term.name.ko.clone(),
        name_en: Some(term.name.en.clone()),
        opens_at: instant(term.opens_at),
        closes_at: instant(term.closes_at),
        starts_on: term.dates.first().to_string(),
        ends_on: term.dates.last().to_string(),
    }
}

fn write_csv(file: &SiteFile) -> Result<String, csv::Error> {
    fn text<T: ToString>(value: Option<&T>) -> String {
        value.map(T::to_string).unwrap_or_default()
    }
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(COLUMNS)?;
    for location in &file.locations {
        for bank in &location.banks {
            for locker in &bank.lockers {
                csv.write_record([
                    location.name_ko.clone(),
                    text(location.name_en.as_ref()),
                    bank.name_ko.clone(),
                    text(bank.name_en.as_ref()),
                    text(bank.hold_seconds.as_ref()),
                    text(bank.left_open_s.as_ref()),
                    bank.open_from.map(OpenFrom::name).unwrap_or_default().to_owned(),
                    locker.id.to_string(),
                    text(locker.bus.as_ref()),
                    text(locker.board.as_ref()),
                    text(locker.lock.as_ref()),
                    text(locker.in_service.as_ref()),
                    text(locker.col.as_ref()),
                    text(locker.row.as_ref()),
                    text(locker.width.as_ref()),
                    text(locker.height.as_ref()),
                    locker.level.map(Level::name).unwrap_or_default().to_owned(),
                    text(locker.accessible.as_ref()),
                ])?;
            }
        }
    }
    let bytes = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Where each column of a file stands.
struct Columns(HashMap<String, usize>);

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, String> {
        let mut places = HashMap::new();
        for (place, name) in header.iter().enumerate() {
            if !COLUMNS.contains(&name) {
                let known = COLUMNS.join(", ");
                return Err(format!("line 1: column {name:?} is not known; known are {known}"));
            }
            if places.insert(name.to_owned(), place).is_some() {
                return Err(format!("line 1: column {name:?} stands twice"));
            }
        }
        match NEEDED.iter().find(|name| !places.contains_key(**name)) {
            Some(missing) => Err(format!("line 1: column {missing:?} is missing")),
            None => Ok(Self(places)),
        }
    }

    /// A cell; `None` when it is empty or its column is missing.
    fn text<'a>(&self, row: &'a StringRecord, name: &str) -> Option<&'a str> {
        row.get(*self.0.get(name)?).filter(|text| !text.is_empty())
    }

    fn number<T: std::str::FromStr>(
        &self,
        row: &StringRecord,
        name: &str,
    ) -> Result<Option<T>, String> {
        let Some(text) = self.text(row, name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("{name} {text:?} is not a number that fits"))
    }
}

fn read_csv(text: &str) -> Result<SiteFile, String> {
    let mut csv = ReaderBuilder::new().trim(Trim::All).flexible(false).from_reader(text.as_bytes());
    let columns = Columns::of(csv.headers().map_err(|error| error.to_string())?)?;
    let mut file = SiteFile::default();
    let (mut seen, mut mistakes) = (Seen::default(), Vec::new());
    for row in csv.records() {
        // A line of another length ends the reading: what follows is not to be trusted.
        let row = row.map_err(|error| error.to_string())?;
        let line = row.position().map_or(0, csv::Position::line);
        if let Err(why) = take_row(&columns, &row, line, &mut seen, &mut file) {
            mistakes.push(format!("line {line}: {why}"));
        }
        if mistakes.len() >= MISTAKES_MAX {
            break;
        }
    }
    if mistakes.is_empty() { Ok(file) } else { Err(mistakes.join("; ")) }
}

/// Lockers and channels by the line they stood in.
#[derive(Default)]
struct Seen {
    lockers: HashMap<i64, u64>,
    channels: HashMap<(String, u8, u8), u64>,
}

fn take_row(
    columns: &Columns,
    row: &StringRecord,
    line: u64,
    seen: &mut Seen,
    file: &mut SiteFile,
) -> Result<(), String> {
    let needed = |name: &str| {
        columns.text(row, name).ok_or_else(|| format!("{name} is empty")).map(str::to_owned)
    };
    let (location_ko, bank_ko) = (needed("location_ko")?, needed("bank_ko")?);
    let id: i64 = columns.number(row, "locker")?.ok_or("locker is empty")?;
    parse_locker_id(id)?;
    if let Some(before) = seen.lockers.insert(id, line) {
        return Err(format!("locker {id} stands in line {before} already"));
    }
    let locker = LockerEntry {
        id,
        bus: columns.text(row, "bus").map(str::to_owned),
        board: columns.number(row, "board")?,
        lock: columns.number(row, "lock")?,
        in_service: flag("in_service", columns.text(row, "in_service"))?,
        col: columns.number(row, "col")?,
        row: columns.number(row, "row")?,
        width: columns.number(row, "width")?,
        height: columns.number(row, "height")?,
        level: level(columns.text(row, "level"))?,
        accessible: flag("accessible", columns.text(row, "accessible"))?,
    };
    match (&locker.bus, locker.board, locker.lock) {
        (None, None, None) => {}
        (Some(bus), Some(board), Some(lock)) => {
            if let Some(before) = seen.channels.insert((bus.clone(), board, lock), line) {
                return Err(format!("{bus}/{board}/{lock} stands in line {before} already"));
            }
        }
        _ => return Err("give bus, board and lock together, or none".to_owned()),
    }
    let own = |name: &str| columns.text(row, name).map(str::to_owned);
    let known = file.locations.iter().position(|it| it.name_ko == location_ko);
    let place = known.unwrap_or(file.locations.len());
    if known.is_none() {
        let name_en = own("location_en");
        file.locations.push(LocationEntry {
            name_ko: location_ko,
            name_en,
            ..LocationEntry::default()
        });
    }
    let entry = BankEntry {
        name_ko: bank_ko,
        name_en: own("bank_en"),
        hold_seconds: columns.number(row, "hold_seconds")?,
        left_open_s: columns.number(row, "left_open_s")?,
        open_from: open_from(columns.text(row, "open_from"))?,
        ..BankEntry::default()
    };
    put(&mut file.locations[place], entry, locker)
}

/// Adds a locker to its bank, which the lines before may have made; they must agree about it.
fn put(location: &mut LocationEntry, entry: BankEntry, locker: LockerEntry) -> Result<(), String> {
    let Some(bank) = location.banks.iter_mut().find(|it| it.name_ko == entry.name_ko) else {
        location.banks.push(BankEntry { lockers: vec![locker], ..entry });
        return Ok(());
    };
    let same = bank.name_en == entry.name_en
        && bank.hold_seconds == entry.hold_seconds
        && bank.left_open_s == entry.left_open_s
        && bank.open_from == entry.open_from;
    if !same {
        let name = &entry.name_ko;
        return Err(format!(
            "bank {name:?} has another bank_en, hold_seconds, left_open_s or open_from than in a \
             line before"
        ));
    }
    bank.lockers.push(locker);
    Ok(())
}

fn open_from(text: Option<&str>) -> Result<Option<OpenFrom>, String> {
    let known = |text: &str| {
        OpenFrom::from_name(&text.to_ascii_lowercase())
            .ok_or_else(|| format!("open_from {text:?} must be anywhere or presence"))
    };
    text.map(known).transpose()
}

fn level(text: Option<&str>) -> Result<Option<Level>, String> {
    let known = |text: &str| {
        Level::from_name(&text.to_ascii_lowercase())
            .ok_or_else(|| format!("level {text:?} must be top, eye, middle or low"))
    };
    text.map(known).transpose()
}

fn flag(name: &str, text: Option<&str>) -> Result<Option<bool>, String> {
    match text.map(str::to_ascii_lowercase).as_deref() {
        None => Ok(None),
        Some("true" | "1" | "yes") => Ok(Some(true)),
        Some("false" | "0" | "no") => Ok(Some(false)),
        Some(other) => Err(format!("{name} {other:?} must be true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: &str = "location_ko,location_en,bank_ko,bank_en,hold_seconds,left_open_s,open_from,locker,bus,board,lock,in_service,col,row,width,height,level,accessible
과학도서관,Science Library,\"620호, 옆\",By 620,60,,presence,501,east,0,1,true,1,1,1,2,top,false
과학도서관,Science Library,\"620호, 옆\",By 620,60,,presence,502,,,,false,2,1,1,1,low,true
정보관,Informatics,1층,1F,90,240,anywhere,101,east,0,2,true,,,,,,false
";

    #[test]
    fn both_formats_say_the_same() {
        let file = LayoutFormat::Csv.read(WALL).expect("sound");
        assert_eq!(file.locations.len(), 2);
        assert_eq!(file.locations[0].banks[0].lockers.len(), 2);
        for format in LayoutFormat::ALL {
            let text = format.write(&file).expect("written");
            assert_eq!(format.read(&text).expect("its own"), file, "{text}");
        }
        assert_eq!(LayoutFormat::Csv.write(&file).expect("written"), WALL);
    }

    #[test]
    fn the_guide_shows_files_that_are_read() {
        let guide = include_str!("../../docs/guide/site-file.md");
        let block = |begin: &str| {
            let rest = guide.split_once(begin).expect("a block").1;
            rest.split_once("```").expect("its end").0
        };
        let file = LayoutFormat::Toml.read(block("```toml\n")).expect("the example");
        let bank = &file.locations[0].banks[0];
        assert!(bank.hours.is_some() && bank.lockers.len() == 3 && file.terms.len() == 1);
        assert_eq!((bank.closings.len(), bank.fixtures.len()), (1, 1));
        let file = LayoutFormat::Csv.read(block("```\n")).expect("the example");
        assert_eq!(file.locations[0].banks[0].lockers[0].level, Some(Level::Top));
    }

    #[test]
    fn what_spreadsheets_make_of_it_is_read() {
        let text = "\u{FEFF}locker , bank_ko, location_ko\r\n 7 , 벽 , 집 \r\n";
        let file = LayoutFormat::Csv.read(text).expect("sound");
        assert_eq!(file.locations[0].banks[0].lockers[0].id, 7);
        assert_eq!(file.locations[0].banks[0].lockers[0].in_service, None);
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let head = "location_ko,bank_ko,locker,bus,board,lock,in_service\n";
        for (rows, says) in [
            ("집,벽,x,,,,\n", "line 2: locker \"x\""),
            ("집,벽,1,,,,\n집,벽,1,,,,\n", "line 3: locker 1 stands in line 2"),
            ("집,벽,1,east,1,,\n", "line 2: give bus, board and lock together"),
            ("집,벽,1,e,1,1,\n집,벽,2,e,1,1,\n", "line 3: e/1/1 stands in line 2"),
            ("집,벽,1,,,,maybe\n", "in_service \"maybe\" must be"),
            (",벽,1,,,,\n집,,2,,,,\n", "line 2: location_ko is empty; line 3: bank_ko is empty"),
            ("집,벽,0,,,,\n", "line 2: locker number 0"),
            ("집,벽,1,east,300,1,\n", "board \"300\""),
        ] {
            let error = LayoutFormat::Csv.read(&format!("{head}{rows}")).expect_err(rows);
            assert!(error.contains(says), "{rows}: {error}");
        }
        for (text, says) in [
            ("locker,bank_ko\n", "\"location_ko\" is missing"),
            ("locker,locker\n", "stands twice"),
            ("colour\n", "\"colour\" is not known"),
        ] {
            let error = LayoutFormat::Csv.read(text).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
