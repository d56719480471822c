//! Commissioning on a running site: looking for boards, giving addresses, proving boards.
//!
//! For admins; staff may look. What takes long runs beside the request and is asked for by its id. On one
//! bus one such thing runs at a time; polls and openings go on meanwhile. A proof is a file in the data
//! directory, so that it survives a restart; searches are forgotten with the process.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::error::{Code, Error};
use super::tokens::Caller;
use crate::domain::channel::BusName;
use crate::domain::member::Role;

pub mod paper;
mod proving;
mod searching;

pub use proving::{ProofAction, ProofOrder};
pub use searching::{AddressOrder, ScanOrder};

/// Searches that are remembered.
const SEARCHES_MAX: usize = 16;

/// What commissioning has under way.
#[derive(Default)]
pub struct Commissioning(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    searches: VecDeque<Arc<Search>>,
    /// Buses on which something is under way.
    busy: HashSet<BusName>,
    /// Locks of steps on one proof: the files are read and written under them.
    steps: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
}

/// A scan or a new address, under way or over.
struct Search {
    id: Uuid,
    stop: CancellationToken,
    view: Mutex<Value>,
}

impl Search {
    fn change(&self, change: impl FnOnce(&mut Value)) {
        change(&mut self.view.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn view(&self) -> Value {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Commissioning {
    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a bus for oneself until the claim is dropped.
    fn claim(self: &Arc<Self>, bus: &BusName) -> Result<Claim, Error> {
        if self.with(|inner| inner.busy.insert(bus.clone())) {
            Ok(Claim { commissioning: Arc::clone(self), bus: bus.clone() })
        } else {
            let detail = format!("something is being searched or proven on bus {bus}: let it end");
            Err(Error::new(Code::CommissioningBusy, detail).retry_after_ms(2_000))
        }
    }

    fn find(&self, id: Uuid) -> Result<Arc<Search>, Error> {
        let found = self.with(|inner| inner.searches.iter().find(|it| it.id == id).cloned());
        found
            .ok_or_else(|| Error::new(Code::ScanNotFound, "there is no such scan, or not any more"))
    }

    fn remember(&self, search: &Arc<Search>) {
        self.with(|inner| {
            inner.searches.push_back(Arc::clone(search));
            if inner.searches.len() > SEARCHES_MAX {
                inner.searches.pop_front();
            }
        });
    }

    /// The lock under which a proof's file is changed.
    fn step_lock(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        self.with(|inner| Arc::clone(inner.steps.entry(id.to_owned()).or_default()))
    }
}

/// A bus that is taken.
struct Claim {
    commissioning: Arc<Commissioning>,
    bus: BusName,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.commissioning.with(|inner| inner.busy.remove(&self.bus));
    }
}

/// Demands an admin.
pub fn demand_admin(caller: Caller) -> Result<(), Error> {
    match caller.role {
        Role::Admin => Ok(()),
        Role::Staff | Role::Student => Err(Error::new(Code::Forbidden, "this is for admins")),
    }
}

/// Demands staff or an admin.
pub fn demand_staff(caller: Caller) -> Result<(), Error> {
    match caller.role {
        Role::Staff | Role::Admin => Ok(()),
        Role::Student => Err(Error::new(Code::Forbidden, "this is for staff")),
    }
}

fn bus_name(text: &str) -> Result<BusName, Error> {
    BusName::parse(text).map_err(|error| Error::new(Code::Invalid, error.to_string()))
}

fn board_not_found() -> Error {
    Error::new(Code::BoardNotFound, "there is no such bus or board in the configuration")
}
