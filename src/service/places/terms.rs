//! Terms: when claims are accepted and which days they grant.
//!
//! Before a term granted anybody a locker, all of it may change. Afterwards it changes for the future only
//! (`Term::check_change`), and what was granted keeps its days whatever is changed.

use jiff::Timestamp;
use serde_json::json;

use super::{
    TERMS_MAX, audit, bank_not_found, check_bank, demand_room, location_not_found, term_not_found,
};
use crate::domain::id::{BankId, TermId};
use crate::domain::term::{Term, TermScope};
use crate::service::Services;
use crate::service::error::{Code, Error};
use crate::service::idempotency::{Answer, RequestKey};
use crate::service::layout::term_entry;
use crate::service::members::Actor;
use crate::service::site::{TermEntry, term_of};
use crate::service::tokens::Caller;
use crate::store::banks::Retired;
use crate::store::{Site, Tx, terms};

/// A term with where it stands.
#[derive(Debug, Clone)]
pub struct TermView {
    /// The term.
    pub term: Term,
    /// before, open or after.
    pub state: &'static str,
    /// Since when it is kept for the history only.
    pub retired_at: Option<Timestamp>,
}

/// What is to be different of a term; `None` stays. Times without an offset are the site's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TermChange {
    /// Korean name.
    pub name_ko: Option<String>,
    /// English name.
    pub name_en: Option<String>,
    /// First instant at which claims are accepted.
    pub opens_at: Option<String>,
    /// First instant at which they are not any more.
    pub closes_at: Option<String>,
    /// First day of the rentals.
    pub starts_on: Option<String>,
    /// Last day of the rentals.
    pub ends_on: Option<String>,
}

/// A term as it stands at an instant.
#[must_use]
pub fn view(term: &Term, now: Timestamp) -> TermView {
    let state = if now < term.opens_at {
        "before"
    } else if now < term.closes_at {
        "open"
    } else {
        "after"
    };
    TermView { term: term.clone(), state, retired_at: None }
}

/// The terms of a site by when they open, or only those that are for a bank.
#[must_use]
pub fn views(site: &Site, bank: Option<BankId>, now: Timestamp) -> Vec<TermView> {
    let is_for = |term: &&Term| match bank {
        None => true,
        Some(id) => site.banks.get(&id).is_some_and(|bank| term.covers(bank)),
    };
    let mut views: Vec<TermView> =
        site.terms.iter().filter(is_for).map(|term| view(term, now)).collect();
    views.sort_by_key(|it| (it.term.opens_at, it.term.id));
    views
}

impl Services {
    /// The terms by when they open, perhaps only those that are for a bank; or the retired ones, the last
    /// one first. For staff.
    pub async fn terms(
        &self,
        caller: Caller,
        bank: Option<BankId>,
        retired: bool,
    ) -> Result<Vec<TermView>, Error> {
        Actor::Caller(caller).demand_staff()?;
        let (snapshot, now) = (self.store.snapshot(), self.clock.now());
        if let Some(bank) = bank
            && !snapshot.site.banks.contains_key(&bank)
        {
            return Err(bank_not_found(bank));
        }
        if !retired {
            return Ok(views(&snapshot.site, bank, now));
        }
        let rows = self.store.read(terms::list_retired).await?;
        let wanted = |row: &Retired<Term>| {
            let bank = bank.and_then(|id| snapshot.site.banks.get(&id));
            bank.is_none_or(|bank| row.what.covers(bank))
        };
        let view =
            |row: Retired<Term>| TermView { retired_at: Some(row.at), ..view(&row.what, now) };
        Ok(rows.into_iter().filter(wanted).map(view).collect())
    }

    /// One term. For staff.
    pub fn term(&self, caller: Caller, id: TermId) -> Result<TermView, Error> {
        Actor::Caller(caller).demand_staff()?;
        let snapshot = self.store.snapshot();
        let found = snapshot.site.terms.iter().find(|term| term.id == id);
        found.map(|term| view(term, self.clock.now())).ok_or_else(|| term_not_found(id))
    }

    /// Makes a term. For admins.
    pub async fn add_term(
        &self,
        actor: Actor,
        entry: &TermEntry,
        scope: TermScope,
        key: Option<RequestKey>,
    ) -> Result<Answer<TermId>, Error> {
        actor.demand_admin()?;
        let term = Term { scope, ..self.read_term(entry)? };
        self.change_places(actor, "term.add", key, move |tx| {
            demand_room(tx.snapshot().site.terms.len(), TERMS_MAX, "terms")?;
            demand_scope(tx, scope)?;
            let id = terms::insert(tx.conn, &term)?;
            recheck(tx, &term)?;
            audit(tx, actor, "term.add", &subject(id), &json!(term))?;
            Ok(id)
        })
        .await
    }

    /// Changes a term; see the head of this file for what may change when. For admins.
    pub async fn change_term(
        &self,
        actor: Actor,
        id: TermId,
        change: TermChange,
        key: Option<RequestKey>,
    ) -> Result<Answer<TermId>, Error> {
        actor.demand_admin()?;
        // Looking through the history may take a moment: not in the writer, who knows what is new.
        let granted = self.store.read(move |conn| terms::has_granted(conn, id)).await?;
        let snapshot = self.store.snapshot();
        let had = snapshot.site.terms.iter().find(|term| term.id == id);
        let next = self.read_term(&overlaid(had.ok_or_else(|| term_not_found(id))?, change))?;
        let clock = self.clock.clone();
        self.change_places(actor, "term.change", key, move |tx| {
            let had = demand_term(tx, id)?;
            let next = Term { id, scope: had.scope, ..next.clone() };
            if granted || tx.snapshot().rentals().any(|rental| rental.term_id == Some(id)) {
                had.check_change(&next, tx.now, clock.today())
                    .map_err(|error| Error::new(Code::TermGranted, error.to_string()))?;
            }
            terms::update(tx.conn, &next)?;
            recheck(tx, &next)?;
            audit(tx, actor, "term.change", &subject(id), &json!({ "from": had, "to": next }))?;
            Ok(id)
        })
        .await
    }

    /// Retires a term by which nobody rents or holds a locker any more. For admins.
    pub async fn retire_term(
        &self,
        actor: Actor,
        id: TermId,
        key: Option<RequestKey>,
    ) -> Result<Answer<TermId>, Error> {
        actor.demand_admin()?;
        self.change_places(actor, "term.retire", key, move |tx| {
            demand_term(tx, id)?;
            let now = tx.monotonic;
            let rentals = tx.snapshot().rentals();
            let live = rentals.filter(|it| it.term_id == Some(id) && it.is_live(now)).count();
            if live > 0 {
                let detail = format!(
                    "{live} lockers are rented or held by this term: close its window, and retire \
                     it when they are back"
                );
                return Err(Error::new(Code::StillInUse, detail).with("rentals", live));
            }
            terms::retire(tx.conn, id, tx.now_ms())?;
            audit(tx, actor, "term.retire", &subject(id), &json!({}))?;
            Ok(id)
        })
        .await
    }

    fn read_term(&self, entry: &TermEntry) -> Result<Term, Error> {
        term_of(entry, self.clock.zone()).map_err(|text| Error::new(Code::Invalid, text))
    }
}

/// A term as it would be written down, with the changes.
fn overlaid(term: &Term, change: TermChange) -> TermEntry {
    let had = term_entry(term);
    TermEntry {
        name_ko: change.name_ko.unwrap_or(had.name_ko),
        name_en: change.name_en.or(had.name_en),
        opens_at: change.opens_at.unwrap_or(had.opens_at),
        closes_at: change.closes_at.unwrap_or(had.closes_at),
        starts_on: change.starts_on.unwrap_or(had.starts_on),
        ends_on: change.ends_on.unwrap_or(had.ends_on),
    }
}

/// Demands of every bank that a term is for what must hold.
fn recheck(tx: &Tx<'_>, term: &Term) -> Result<(), Error> {
    let site = tx.site_now()?;
    let mut banks = site.banks.values().filter(|bank| term.covers(bank));
    banks.try_for_each(|bank| check_bank(&site, bank, tx.now))
}

fn demand_term(tx: &Tx<'_>, id: TermId) -> Result<Term, Error> {
    let found = tx.snapshot().site.terms.iter().find(|term| term.id == id).cloned();
    found.ok_or_else(|| term_not_found(id))
}

fn demand_scope(tx: &Tx<'_>, scope: TermScope) -> Result<(), Error> {
    let site = &tx.snapshot().site;
    match scope {
        TermScope::Location(id) if !site.locations.contains_key(&id) => Err(location_not_found(id)),
        TermScope::Bank(id) if !site.banks.contains_key(&id) => Err(bank_not_found(id)),
        _ => Ok(()),
    }
}

fn subject(id: TermId) -> String {
    format!("term:{id}")
}
