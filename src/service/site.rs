//! Setting a site up from a file: locations, banks, lockers with their channels, and terms.
//!
//! The file is checked as a whole and taken as a whole: one mistake anywhere and nothing changes.

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::{Code, Error};
use super::{Services, shortages};
use crate::domain::bank::{BankPolicy, Mode, OpenFrom};
use crate::domain::channel::{BusName, Channel};
use crate::domain::id::{BankId, LocationId, LockerId, MemberId, TermId};
use crate::domain::locker::{Locker, parse_locker_id};
use crate::domain::name::Name;
use crate::domain::returning::{ReturnPolicy, Unseen};
use crate::domain::term::{Term, TermScope};
use crate::domain::time::DateSpan;
use crate::store::audit::AuditEntry;
use crate::store::{Change, Lane, Tx, banks};

/// Most lockers of one file; the largest campus wall known has a fifth of it.
const LOCKERS_MAX: usize = 20_000;

/// A site file (`bank import`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteFile {
    /// Places with their banks.
    #[serde(default, rename = "location", skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<LocationEntry>,
    /// Application windows for the whole site.
    #[serde(default, rename = "term", skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<TermEntry>,
}

/// A place. One that exists under its Korean name gets the banks added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocationEntry {
    /// Korean name.
    pub name_ko: String,
    /// English name; the Korean one when left out.
    pub name_en: Option<String>,
    /// Its cabinets.
    #[serde(default, rename = "bank", skip_serializing_if = "Vec::is_empty")]
    pub banks: Vec<BankEntry>,
    /// Application windows for this place only.
    #[serde(default, rename = "term", skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<TermEntry>,
}

/// A cabinet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankEntry {
    /// Korean name.
    pub name_ko: String,
    /// English name; the Korean one when left out.
    pub name_en: Option<String>,
    /// How long a hold keeps a locker, in seconds.
    pub hold_seconds: Option<u32>,
    /// How long a door may stand open before it is an alarm, in seconds.
    pub left_open_s: Option<u32>,
    /// From where renters may open: anywhere or presence.
    pub open_from: Option<OpenFrom>,
    /// How long a former renter may open again, in minutes.
    pub grace_minutes: Option<u32>,
    /// Whose word counts where no sensor shows the door: `renter` or `staff`.
    pub return_unseen: Option<Unseen>,
    /// Whether the closing door may be the return.
    pub return_by_door: Option<bool>,
    /// Its lockers.
    #[serde(default, rename = "locker", skip_serializing_if = "Vec::is_empty")]
    pub lockers: Vec<LockerEntry>,
    /// Application windows for this bank only.
    #[serde(default, rename = "term", skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<TermEntry>,
}

/// A compartment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockerEntry {
    /// The number on its door.
    pub id: i64,
    /// The bus its board hangs on; without it the locker is opened by key.
    pub bus: Option<String>,
    /// The board's address.
    pub board: Option<u8>,
    /// The lock's number on the board, from 1.
    pub lock: Option<u8>,
    /// False to set it up without lending it.
    pub in_service: Option<bool>,
}

/// An application window. Times without an offset are the site's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermEntry {
    /// Korean name.
    pub name_ko: String,
    /// English name; the Korean one when left out.
    pub name_en: Option<String>,
    /// First instant at which claims are accepted, for example `2026-08-24T10:00:00`.
    pub opens_at: String,
    /// First instant at which they are not any more.
    pub closes_at: String,
    /// First day of the rentals.
    pub starts_on: String,
    /// Last day of the rentals.
    pub ends_on: String,
}

/// What an import made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Banks.
    pub banks: usize,
    /// Lockers.
    pub lockers: usize,
    /// Terms.
    pub terms: usize,
}

/// A checked file.
#[derive(Debug, Clone)]
struct Plan {
    locations: Vec<PlannedLocation>,
    terms: Vec<Term>,
    counts: Imported,
}

#[derive(Debug, Clone)]
struct PlannedLocation {
    name: Name,
    banks: Vec<PlannedBank>,
    terms: Vec<Term>,
}

#[derive(Debug, Clone)]
struct PlannedBank {
    name: Name,
    policy: BankPolicy,
    rules: Rules,
    lockers: Vec<Locker>,
    terms: Vec<Term>,
}

/// What the file says of who may open and when a locker is free; what it leaves out a known bank
/// keeps: an older file must not loosen a rule by not knowing of it.
#[derive(Debug, Clone, Copy)]
struct Rules {
    open_from: Option<OpenFrom>,
    grace_minutes: Option<u32>,
    unseen: Option<Unseen>,
    by_door: Option<bool>,
}

impl Rules {
    fn over(self, policy: &BankPolicy, known: &BankPolicy) -> BankPolicy {
        BankPolicy {
            open_from: self.open_from.unwrap_or(known.open_from),
            returns: ReturnPolicy {
                grace_minutes: self.grace_minutes.unwrap_or(known.returns.grace_minutes),
                unseen: self.unseen.unwrap_or(known.returns.unseen),
                by_door: self.by_door.unwrap_or(known.returns.by_door),
            },
            ..policy.clone()
        }
    }
}

/// What an import does with banks and lockers that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taking {
    /// They are mistakes of the file.
    New,
    /// They are made as the file has them. One that the file does not name stays as it is.
    Update {
        /// The only bank that may be touched.
        only: Option<BankId>,
        /// Who asked for it; `None` on the command line.
        actor: Option<MemberId>,
        /// The site's day.
        today: Date,
    },
}

impl Services {
    /// Takes a site file, all or nothing. What exists already is an error.
    pub async fn import_site(&self, file: SiteFile) -> Result<Imported, Error> {
        self.take_site(file, Taking::New).await
    }

    /// Takes a site file, all or nothing: what exists is changed to what it says, what is new is made,
    /// what it does not name stays. Terms that exist under their name stay as they are.
    pub async fn update_site(
        &self,
        file: SiteFile,
        only: Option<BankId>,
        actor: Option<MemberId>,
    ) -> Result<Imported, Error> {
        let today = self.clock.today();
        self.take_site(file, Taking::Update { only, actor, today }).await
    }

    async fn take_site(&self, file: SiteFile, taking: Taking) -> Result<Imported, Error> {
        let plan = Planner { zone: self.clock.zone().clone(), counts: Imported::default() }
            .plan(file)
            .map_err(|text| Error::new(Code::Invalid, text))?;
        self.store.write(Lane::Change, move |tx| carry_out(tx, &plan, taking)).await
    }
}

struct Planner {
    zone: jiff::tz::TimeZone,
    counts: Imported,
}

impl Planner {
    fn plan(mut self, file: SiteFile) -> Result<Plan, String> {
        let locations = file
            .locations
            .into_iter()
            .map(|entry| self.location(entry))
            .collect::<Result<Vec<_>, String>>()?;
        let terms = self.terms(file.terms)?;
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
        let terms = self.terms(entry.terms).map_err(within)?;
        Ok(PlannedLocation { name, banks, terms })
    }

    fn bank(&mut self, entry: BankEntry) -> Result<PlannedBank, String> {
        let within = |error| format!("bank {:?}: {error}", entry.name_ko);
        let name = Name::parse(&entry.name_ko, entry.name_en.as_deref()).map_err(within)?;
        let standard = BankPolicy::default();
        let policy = BankPolicy {
            hold_seconds: entry.hold_seconds.unwrap_or(standard.hold_seconds),
            left_open_s: entry.left_open_s,
            ..standard.clone()
        };
        let rules = Rules {
            open_from: entry.open_from,
            grace_minutes: entry.grace_minutes,
            unseen: entry.return_unseen,
            by_door: entry.return_by_door,
        };
        let policy = rules.over(&policy, &standard).validated().map_err(within)?;
        self.counts.banks += 1;
        let lockers = entry
            .lockers
            .iter()
            .map(|locker| self.locker(locker))
            .collect::<Result<Vec<_>, String>>()
            .map_err(within)?;
        let terms = self.terms(entry.terms).map_err(within)?;
        Ok(PlannedBank { name, policy, rules, lockers, terms })
    }

    fn locker(&mut self, entry: &LockerEntry) -> Result<Locker, String> {
        let id = parse_locker_id(entry.id)?;
        let channel = match (&entry.bus, entry.board, entry.lock) {
            (None, None, None) => None,
            (Some(bus), Some(board), Some(lock)) => Some(
                BusName::parse(bus)
                    .and_then(|bus| Channel::new(bus, board, lock))
                    .map_err(|error| format!("locker {id}: {error}"))?,
            ),
            _ => return Err(format!("locker {id}: give bus, board and lock together, or none")),
        };
        self.counts.lockers += 1;
        // The bank's number is known when it is made.
        let in_service = entry.in_service.unwrap_or(true);
        Ok(Locker { id, bank_id: BankId(0), channel, in_service })
    }

    fn terms(&mut self, entries: Vec<TermEntry>) -> Result<Vec<Term>, String> {
        entries.into_iter().map(|entry| self.term(&entry)).collect()
    }

    fn term(&mut self, entry: &TermEntry) -> Result<Term, String> {
        let within = |error: String| format!("term {:?}: {error}", entry.name_ko);
        let name = Name::parse(&entry.name_ko, entry.name_en.as_deref()).map_err(within)?;
        let day = |text: &str| {
            text.parse::<Date>().map_err(|_| {
                format!("term {:?}: {text:?} is not a date like 2026-09-01", entry.name_ko)
            })
        };
        let dates = DateSpan::new(day(&entry.starts_on)?, day(&entry.ends_on)?)
            .ok_or_else(|| within("it ends before it starts".to_owned()))?;
        self.counts.terms += 1;
        Term {
            id: TermId(0),
            name,
            opens_at: self.instant(&entry.opens_at).map_err(within)?,
            closes_at: self.instant(&entry.closes_at).map_err(within)?,
            dates,
            scope: TermScope::Site,
        }
        .validated()
    }

    fn instant(&self, text: &str) -> Result<jiff::Timestamp, String> {
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Ok(instant);
        }
        text.parse::<DateTime>()
            .and_then(|local| local.to_zoned(self.zone.clone()))
            .map(|zoned| zoned.timestamp())
            .map_err(|_| format!("{text:?} is not a time like 2026-08-24T10:00:00"))
    }
}

fn carry_out(tx: &mut Tx<'_>, plan: &Plan, taking: Taking) -> Result<Imported, Error> {
    if taking != Taking::New {
        // Wires may change places: all ends are loose before the first is fixed.
        let banks = plan.locations.iter().flat_map(|location| &location.banks);
        for locker in banks.flat_map(|bank| &bank.lockers) {
            banks::clear_channel(tx.conn, locker.id)?;
        }
    }
    for location in &plan.locations {
        let location_id = banks::insert_location(tx.conn, &location.name)?;
        for bank in &location.banks {
            take_bank(tx, location_id, bank, taking)?;
        }
        insert_terms(tx, &location.terms, TermScope::Location(location_id), taking)?;
    }
    insert_terms(tx, &plan.terms, TermScope::Site, taking)?;
    let detail = json!(plan.counts).to_string();
    let (actor, action) = match taking {
        Taking::New => (None, "site.import"),
        Taking::Update { actor, .. } => (actor, "site.update"),
    };
    tx.audit(&AuditEntry { actor, action, subject: "site:1", detail: &detail })?;
    tx.apply(&Change::Site);
    Ok(plan.counts)
}

fn take_bank(
    tx: &mut Tx<'_>,
    location: LocationId,
    bank: &PlannedBank,
    taking: Taking,
) -> Result<(), Error> {
    let within = |error| named(error, &format!("bank {:?}", bank.name.ko));
    let known = match taking {
        Taking::New => None,
        Taking::Update { .. } => banks::find(tx.conn, location, &bank.name.ko)?,
    };
    if let Taking::Update { only: Some(only), .. } = taking
        && known != Some(only)
    {
        let text = format!("bank {:?} is not bank {only}: import it on its own", bank.name.ko);
        return Err(Error::new(Code::Invalid, text));
    }
    let id = match known {
        Some(id) => {
            let policy = match tx.snapshot().site.banks.get(&id) {
                Some(known) => bank.rules.over(&bank.policy, &known.policy),
                None => bank.policy.clone(),
            };
            banks::update(tx.conn, id, &bank.name, &policy).map_err(within)?;
            id
        }
        None => banks::insert(tx.conn, location, &bank.name, Mode::Choose, &bank.policy)
            .map_err(within)?,
    };
    for locker in &bank.lockers {
        take_locker(tx, &Locker { bank_id: id, ..locker.clone() }, taking)?;
    }
    insert_terms(tx, &bank.terms, TermScope::Bank(id), taking)
}

fn take_locker(tx: &mut Tx<'_>, locker: &Locker, taking: Taking) -> Result<(), Error> {
    let within = |error| named(error, &describe(locker.id, locker.channel.as_ref()));
    let known = match taking {
        Taking::New => None,
        Taking::Update { .. } => banks::find_bank_of(tx.conn, locker.id)?,
    };
    match known {
        None => banks::insert_locker(tx.conn, locker).map_err(within),
        Some(bank) if bank == locker.bank_id => {
            let was_lent =
                tx.snapshot().site.lockers.get(&locker.id).is_some_and(|it| it.in_service);
            banks::update_locker(tx.conn, locker).map_err(within)?;
            match taking {
                Taking::Update { today, .. } if was_lent && !locker.in_service => {
                    shortages::tell_out_of_service(tx, locker.id, today)
                }
                _ => Ok(()),
            }
        }
        Some(bank) => {
            let text = format!("locker {} belongs to bank {bank}", locker.id);
            Err(Error::new(Code::Invalid, text))
        }
    }
}

fn insert_terms(
    tx: &Tx<'_>,
    terms: &[Term],
    scope: TermScope,
    taking: Taking,
) -> Result<(), Error> {
    for term in terms {
        if taking != Taking::New && banks::has_term(tx.conn, &term.name.ko)? {
            continue;
        }
        banks::insert_term(tx.conn, &Term { scope, ..term.clone() })
            .map_err(|error| named(error, &format!("term {:?}", term.name.ko)))?;
    }
    Ok(())
}

fn describe(id: LockerId, channel: Option<&Channel>) -> String {
    match channel {
        Some(channel) => format!("locker {id} on {channel}"),
        None => format!("locker {id}"),
    }
}

/// A broken rule names the entry of the file that broke it.
fn named(error: crate::store::StoreError, what: &str) -> Error {
    let conflict = matches!(error, crate::store::StoreError::Conflict(_));
    let text = format!("{what}: {error}");
    let error = Error::from(error);
    if conflict { error.reworded(Code::Invalid, text) } else { error }
}
