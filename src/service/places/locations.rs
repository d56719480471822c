//! Locations: the places at which banks stand.

use serde_json::json;

use super::{LOCATIONS_MAX, audit, demand_room, location_not_found};
use crate::domain::bank::Location;
use crate::domain::id::LocationId;
use crate::domain::name::Name;
use crate::domain::term::TermScope;
use crate::service::Services;
use crate::service::error::{Code, Error};
use crate::service::idempotency::{Answer, RequestKey};
use crate::service::members::Actor;
use crate::service::tokens::Caller;
use crate::store::{Site, Tx, banks, terms};

/// A location with what stands there.
#[derive(Debug, Clone)]
pub struct LocationView {
    /// The location.
    pub location: Location,
    /// How many banks.
    pub banks: usize,
    /// How many lockers.
    pub lockers: usize,
    /// Since when it is kept for the history only.
    pub retired_at: Option<jiff::Timestamp>,
}

/// A location as a site has it; an unknown one has nothing.
#[must_use]
pub fn view(site: &Site, location: &Location) -> LocationView {
    let at_it = |id| site.banks.get(id).is_some_and(|bank| bank.location_id == location.id);
    LocationView {
        location: location.clone(),
        banks: site.banks.keys().filter(|id| at_it(id)).count(),
        lockers: site.lockers.values().filter(|locker| at_it(&locker.bank_id)).count(),
        retired_at: None,
    }
}

impl Services {
    /// Every location by number, or the retired ones, the last one first. For staff.
    pub async fn locations(
        &self,
        caller: Caller,
        retired: bool,
    ) -> Result<Vec<LocationView>, Error> {
        Actor::Caller(caller).demand_staff()?;
        if !retired {
            let site = &self.store.snapshot().site;
            return Ok(site.locations.values().map(|location| view(site, location)).collect());
        }
        let rows = self.store.read(banks::list_retired_locations).await?;
        let view = |row: banks::Retired<Location>| LocationView {
            location: row.what,
            banks: 0,
            lockers: 0,
            retired_at: Some(row.at),
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// One location. For staff.
    pub fn location(&self, caller: Caller, id: LocationId) -> Result<LocationView, Error> {
        Actor::Caller(caller).demand_staff()?;
        let site = &self.store.snapshot().site;
        site.locations.get(&id).map(|it| view(site, it)).ok_or_else(|| location_not_found(id))
    }

    /// Makes a location. For admins.
    pub async fn add_location(
        &self,
        actor: Actor,
        name: Name,
        key: Option<RequestKey>,
    ) -> Result<Answer<LocationId>, Error> {
        actor.demand_admin()?;
        self.change_places(actor, "location.add", key, move |tx| {
            demand_room(tx.snapshot().site.locations.len(), LOCATIONS_MAX, "locations")?;
            let id = banks::insert_location(tx.conn, &name)?;
            audit(tx, actor, "location.add", &subject(id), &json!({ "name": name }))?;
            Ok(id)
        })
        .await
    }

    /// Gives a location another name. For admins.
    pub async fn rename_location(
        &self,
        actor: Actor,
        id: LocationId,
        name: Name,
        key: Option<RequestKey>,
    ) -> Result<Answer<LocationId>, Error> {
        actor.demand_admin()?;
        self.change_places(actor, "location.change", key, move |tx| {
            demand_location(tx, id)?;
            banks::update_location(tx.conn, id, &name)?;
            audit(tx, actor, "location.change", &subject(id), &json!({ "name": name }))?;
            Ok(id)
        })
        .await
    }

    /// Retires a location at which no bank stands any more, with the terms that were for it alone. For
    /// admins.
    pub async fn retire_location(
        &self,
        actor: Actor,
        id: LocationId,
        key: Option<RequestKey>,
    ) -> Result<Answer<LocationId>, Error> {
        actor.demand_admin()?;
        self.change_places(actor, "location.retire", key, move |tx| {
            demand_location(tx, id)?;
            let site = std::sync::Arc::clone(&tx.snapshot().site);
            let standing: Vec<i64> = site
                .banks
                .values()
                .filter(|bank| bank.location_id == id)
                .map(|bank| bank.id.0)
                .take(super::NAMED_MAX)
                .collect();
            if let Some(first) = standing.first() {
                let detail = format!("bank {first} stands there: move or retire its banks first");
                return Err(Error::new(Code::StillInUse, detail).with("bank_ids", standing));
            }
            for term in site.terms.iter().filter(|it| it.scope == TermScope::Location(id)) {
                terms::retire(tx.conn, term.id, tx.now_ms())?;
            }
            banks::retire_location(tx.conn, id, tx.now_ms())?;
            audit(tx, actor, "location.retire", &subject(id), &json!({}))?;
            Ok(id)
        })
        .await
    }
}

pub(super) fn demand_location(tx: &Tx<'_>, id: LocationId) -> Result<(), Error> {
    let known = tx.snapshot().site.locations.contains_key(&id);
    if known { Ok(()) } else { Err(location_not_found(id)) }
}

fn subject(id: LocationId) -> String {
    format!("location:{id}")
}
