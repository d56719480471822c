//! Setting a site up from a file: locations, banks, lockers with their channels, and terms.
//!
//! The file is checked as a whole and taken as a whole: one mistake anywhere and nothing changes. What it
//! changes keeps the rules that hold for every change of places ([`super::places`]).

use jiff::civil::Date;
use serde::Serialize;
use serde_json::json;

use super::Services;
use super::error::{Code, Error};
use super::places::banks::demand_unlent;
use super::places::{check_bank, mistaken, note_service};
use crate::domain::bank::BankPolicy;
use crate::domain::channel::Channel;
use crate::domain::id::{BankId, LocationId, LockerId, MemberId};
use crate::domain::layout::BankLayout;
use crate::domain::locker::Locker;
use crate::domain::term::{Term, TermScope};
use crate::store::audit::AuditEntry;
use crate::store::{Change, Lane, Tx, banks, lockers, policies, terms};

pub mod file;
mod plan;

pub use file::{
    BankEntry, ClosingEntry, FixtureEntry, LocationEntry, LockerEntry, SiteFile, TermEntry,
};
pub(super) use plan::term_of;

use plan::{Plan, PlannedBank, PlannedLocker, Planner};

/// Most lockers of one file; the largest campus wall known has a fifth of it.
pub(super) const LOCKERS_MAX: usize = 20_000;

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
        self.take_site(file, Taking::Update { only, actor }).await
    }

    async fn take_site(&self, file: SiteFile, taking: Taking) -> Result<Imported, Error> {
        let plan = Planner { zone: self.clock.zone().clone(), counts: Imported::default() }
            .plan(file)
            .map_err(|text| Error::new(Code::Invalid, text))?;
        let today = self.clock.today();
        self.store.write(Lane::Change, move |tx| carry_out(tx, &plan, taking, today)).await
    }
}

fn carry_out(tx: &mut Tx<'_>, plan: &Plan, taking: Taking, today: Date) -> Result<Imported, Error> {
    if taking != Taking::New {
        // Wires may change places: all ends are loose before the first is fixed.
        let banks = plan.locations.iter().flat_map(|location| &location.banks);
        for locker in banks.flat_map(|bank| &bank.lockers) {
            lockers::clear_channel(tx.conn, locker.id)?;
        }
    }
    for location in &plan.locations {
        let location_id = match banks::find_location(tx.conn, &location.name.ko)? {
            Some(known) => known,
            None => banks::insert_location(tx.conn, &location.name)?,
        };
        for bank in &location.banks {
            take_bank(tx, location_id, bank, (taking, today))?;
        }
        insert_terms(tx, &location.terms, TermScope::Location(location_id), taking)?;
    }
    insert_terms(tx, &plan.terms, TermScope::Site, taking)?;
    let site = tx.site_now()?;
    for bank in site.banks.values() {
        check_bank(&site, bank, tx.now)?;
    }
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
    (taking, today): (Taking, Date),
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
    let site = &tx.snapshot().site;
    let had = known.and_then(|id| site.banks.get(&id));
    let policy = bank.settings.over(had.map_or_else(BankPolicy::default, |it| it.policy.clone()));
    let mode = bank.mode.or(had.map(|it| it.mode)).unwrap_or_default();
    if let Some(it) = had
        && it.mode != mode
    {
        demand_unlent(tx, it.id)?;
    }
    let policy = policy.validated(mode).map_err(|mistakes| mistaken(&mistakes))?;
    let id = match known {
        Some(id) => {
            banks::update(tx.conn, id, location, &bank.name).map_err(within)?;
            policies::update(tx.conn, id, mode, &policy)?;
            id
        }
        None => banks::insert(tx.conn, location, &bank.name, mode, &policy).map_err(within)?,
    };
    let had = had.and_then(|it| site.layouts.get(&it.id)).cloned().unwrap_or_default();
    let layout = BankLayout {
        front: bank.front.or(had.front),
        fixtures: bank.fixtures.clone().unwrap_or(had.fixtures),
    };
    banks::update_layout(tx.conn, id, &layout)?;
    for locker in &bank.lockers {
        take_locker(tx, id, locker, (taking, today))?;
    }
    insert_terms(tx, &bank.terms, TermScope::Bank(id), taking)
}

fn take_locker(
    tx: &mut Tx<'_>,
    bank: BankId,
    planned: &PlannedLocker,
    (taking, today): (Taking, Date),
) -> Result<(), Error> {
    let within = |error| named(error, &describe(planned.id, planned.channel.as_ref()));
    let (known, actor) = match taking {
        Taking::New => (None, None),
        Taking::Update { actor, .. } => (lockers::find(tx.conn, planned.id)?, actor),
    };
    match &known {
        Some(had) if had.bank_id != bank => {
            let text = format!("locker {} belongs to bank {}", had.id, had.bank_id);
            return Err(Error::new(Code::Invalid, text));
        }
        Some(had) => lockers::update(tx.conn, &planned.over(had)).map_err(within)?,
        None => {
            let made = planned.over(&Locker::new(planned.id, bank));
            lockers::insert(tx.conn, &made).map_err(within)?;
        }
    }
    let was = known.is_none_or(|had| had.in_service);
    match planned.in_service {
        Some(now) if now != was => note_service(tx, (planned.id, today), now, None, actor),
        _ => Ok(()),
    }
}

fn insert_terms(
    tx: &Tx<'_>,
    entries: &[Term],
    scope: TermScope,
    taking: Taking,
) -> Result<(), Error> {
    for term in entries {
        if taking != Taking::New && terms::exists(tx.conn, &term.name.ko)? {
            continue;
        }
        terms::insert(tx.conn, &Term { scope, ..term.clone() })
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
