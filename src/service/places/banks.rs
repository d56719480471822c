//! Banks: made, changed, retired, and their policies.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use serde_json::json;

use super::locations::demand_location;
use super::{BANKS_MAX, audit, bank_not_found, check_bank, demand_room, demand_unused, mistaken};
use crate::bus::{BoardLink, PortLink};
use crate::domain::bank::{Bank, BankPolicy, Mode};
use crate::domain::channel::BusName;
use crate::domain::id::{BankId, LocationId, LockerId};
use crate::domain::name::Name;
use crate::domain::term::TermScope;
use crate::service::Services;
use crate::service::error::{Code, Error};
use crate::service::idempotency::{Answer, RequestKey};
use crate::service::members::Actor;
use crate::service::tokens::Caller;
use crate::store::{Site, Tx, banks, lockers, policies, registration_codes, terms};

/// A board that lockers of a bank hang on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankBoard {
    /// The bus.
    pub bus: BusName,
    /// Its address there.
    pub address: u8,
    /// Whether it answers; `None` when nobody knows yet, or the configuration has no such board.
    pub answers: Option<bool>,
}

/// A bank with what belongs to it.
#[derive(Debug, Clone)]
pub struct BankView {
    /// The bank.
    pub bank: Bank,
    /// The name of its location; its own when that is retired.
    pub location: Name,
    /// How many lockers.
    pub lockers: usize,
    /// How many of them are lent.
    pub in_service: usize,
    /// The boards that they hang on.
    pub boards: Vec<BankBoard>,
    /// Since when it is kept for the history only.
    pub retired_at: Option<jiff::Timestamp>,
}

/// A bank before it has a number.
#[derive(Debug, Clone)]
pub struct NewBank {
    /// Where it stands.
    pub location_id: LocationId,
    /// Its name.
    pub name: Name,
    /// How its lockers are lent.
    pub mode: Mode,
    /// Its settings.
    pub policy: BankPolicy,
}

/// What is to be different of a bank; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct BankChange {
    /// Its name.
    pub name: Option<Name>,
    /// Where it stands.
    pub location_id: Option<LocationId>,
    /// How its lockers are lent; only while nobody has one.
    pub mode: Option<Mode>,
}

/// A bank as a site has it.
#[must_use]
pub fn view(site: &Site, bank: &Bank) -> BankView {
    let location = site.locations.get(&bank.location_id).map(|location| location.name.clone());
    let channels = site.lockers_of(bank.id).filter_map(|locker| locker.channel.as_ref());
    let boards: BTreeSet<(&BusName, u8)> =
        channels.map(|channel| (&channel.bus, channel.board)).collect();
    let board =
        |(bus, address): (&BusName, u8)| BankBoard { bus: bus.clone(), address, answers: None };
    BankView {
        bank: bank.clone(),
        location: location.unwrap_or_else(|| bank.name.clone()),
        lockers: site.lockers_of(bank.id).count(),
        in_service: site.lockers_of(bank.id).filter(|locker| locker.in_service).count(),
        boards: boards.into_iter().map(board).collect(),
        retired_at: None,
    }
}

fn with_answers(mut view: BankView, answering: &HashMap<(BusName, u8), bool>) -> BankView {
    for board in &mut view.boards {
        board.answers = answering.get(&(board.bus.clone(), board.address)).copied();
    }
    view
}

impl Services {
    /// Every bank by number, or the retired ones, the last one first. For staff.
    pub async fn banks(&self, caller: Caller, retired: bool) -> Result<Vec<BankView>, Error> {
        Actor::Caller(caller).demand_staff()?;
        let snapshot = self.store.snapshot();
        let site = &snapshot.site;
        if !retired {
            let answering = self.answering();
            let banks = site.banks.values().map(|bank| view(site, bank));
            return Ok(banks.map(|view| with_answers(view, &answering)).collect());
        }
        let rows = self.store.read(banks::list_retired).await?;
        let view = |row: banks::Retired<Bank>| BankView {
            retired_at: Some(row.at),
            ..view(site, &row.what)
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// One bank. For staff.
    pub fn bank(&self, caller: Caller, id: BankId) -> Result<BankView, Error> {
        Actor::Caller(caller).demand_staff()?;
        let site = &self.store.snapshot().site;
        let view = site.banks.get(&id).map(|bank| view(site, bank));
        Ok(with_answers(view.ok_or_else(|| bank_not_found(id))?, &self.answering()))
    }

    /// Which configured boards answer; a board behind a port that is away does not.
    fn answering(&self) -> HashMap<(BusName, u8), bool> {
        let mut answering = HashMap::new();
        for port in self.bus.health() {
            let is_away = matches!(port.link, PortLink::Offline { .. });
            for board in port.boards {
                let answers = match board.link {
                    BoardLink::Online => !is_away,
                    BoardLink::Silent => false,
                    BoardLink::Unknown if is_away => false,
                    BoardLink::Unknown => continue,
                };
                answering.insert((port.name.clone(), board.address), answers);
            }
        }
        answering
    }

    /// Makes a bank. For admins.
    pub async fn add_bank(
        &self,
        actor: Actor,
        new: NewBank,
        key: Option<RequestKey>,
    ) -> Result<Answer<BankId>, Error> {
        actor.demand_admin()?;
        let policy = new.policy.validated(new.mode).map_err(|mistakes| mistaken(&mistakes))?;
        self.change_places(actor, "bank.add", key, move |tx| {
            demand_room(tx.snapshot().site.banks.len(), BANKS_MAX, "banks")?;
            demand_location(tx, new.location_id)?;
            let id = banks::insert(tx.conn, new.location_id, &new.name, new.mode, &policy)?;
            recheck(tx, id)?;
            let detail = json!({ "location_id": new.location_id, "name": new.name });
            audit(tx, actor, "bank.add", &subject(id), &detail)?;
            Ok(id)
        })
        .await
    }

    /// Gives a bank another name or location. For admins.
    pub async fn change_bank(
        &self,
        actor: Actor,
        id: BankId,
        change: BankChange,
        key: Option<RequestKey>,
    ) -> Result<Answer<BankId>, Error> {
        actor.demand_admin()?;
        self.change_places(actor, "bank.change", key, move |tx| {
            let bank = demand_bank(tx, id)?;
            let name = change.name.clone().unwrap_or(bank.name);
            let location = change.location_id.unwrap_or(bank.location_id);
            demand_location(tx, location)?;
            banks::update(tx.conn, id, location, &name)?;
            if let Some(mode) = change.mode.filter(|mode| *mode != bank.mode) {
                demand_unlent(tx, id)?;
                let policy = bank.policy.clone().validated(mode);
                let policy = policy.map_err(|mistakes| mistaken(&mistakes))?;
                policies::update(tx.conn, id, mode, &policy)?;
            }
            recheck(tx, id)?;
            let detail = json!({
                "location_id": change.location_id, "name": change.name, "mode": change.mode
            });
            audit(tx, actor, "bank.change", &subject(id), &detail)?;
            Ok(id)
        })
        .await
    }

    /// Retires a bank with its lockers and the terms that were for it alone, when nobody rents or holds
    /// one of them or has reserved days. For admins.
    pub async fn retire_bank(
        &self,
        actor: Actor,
        id: BankId,
        key: Option<RequestKey>,
    ) -> Result<Answer<BankId>, Error> {
        actor.demand_admin()?;
        self.change_places(actor, "bank.retire", key, move |tx| {
            demand_bank(tx, id)?;
            let site = std::sync::Arc::clone(&tx.snapshot().site);
            let its: Vec<LockerId> = site.lockers_of(id).map(|locker| locker.id).collect();
            demand_unlent(tx, id)?;
            for locker in &its {
                lockers::retire(tx.conn, *locker, tx.now_ms())?;
            }
            for term in site.terms.iter().filter(|it| it.scope == TermScope::Bank(id)) {
                terms::retire(tx.conn, term.id, tx.now_ms())?;
            }
            banks::retire(tx.conn, id, tx.now_ms())?;
            registration_codes::delete(tx.conn, id)?;
            audit(tx, actor, "bank.retire", &subject(id), &json!({ "lockers": its.len() }))?;
            Ok(id)
        })
        .await
    }

    /// The settings of a bank. For staff.
    pub fn policy(&self, caller: Caller, id: BankId) -> Result<BankPolicy, Error> {
        Ok(self.bank(caller, id)?.bank.policy)
    }

    /// Gives a bank other settings, all at once. For admins.
    pub async fn put_policy(
        &self,
        actor: Actor,
        id: BankId,
        policy: BankPolicy,
        key: Option<RequestKey>,
    ) -> Result<Answer<BankId>, Error> {
        actor.demand_admin()?;
        self.change_places(actor, "bank.policy", key, move |tx| {
            let mode = demand_bank(tx, id)?.mode;
            let policy = policy.clone().validated(mode).map_err(|mistakes| mistaken(&mistakes))?;
            policies::update(tx.conn, id, mode, &policy)?;
            recheck(tx, id)?;
            audit(tx, actor, "bank.policy", &subject(id), &json!(policy))?;
            Ok(id)
        })
        .await
    }
}

/// Demands of a bank what must hold, as the transaction has it now.
pub(super) fn recheck(tx: &Tx<'_>, id: BankId) -> Result<(), Error> {
    let site = tx.site_now()?;
    site.banks.get(&id).map_or(Ok(()), |bank| check_bank(&site, bank, tx.now))
}

pub(super) fn demand_bank(tx: &Tx<'_>, id: BankId) -> Result<Bank, Error> {
    tx.snapshot().site.banks.get(&id).cloned().ok_or_else(|| bank_not_found(id))
}

/// Demands that nobody holds, rents or has reserved anything in a bank.
pub(in crate::service) fn demand_unlent(tx: &Tx<'_>, id: BankId) -> Result<(), Error> {
    let site = std::sync::Arc::clone(&tx.snapshot().site);
    demand_unused(tx, site.lockers_of(id).map(|locker| locker.id))?;
    let waiting = tx.snapshot().reservations_until(id, Date::MAX).count();
    if waiting == 0 {
        return Ok(());
    }
    let detail = format!("{waiting} reservations wait in this bank: they must be over first");
    Err(Error::new(Code::StillInUse, detail).with("reservations", waiting))
}

pub(super) fn subject(id: BankId) -> String {
    format!("bank:{id}")
}
