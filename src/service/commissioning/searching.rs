//! Scans and new addresses on a port that the server uses: questions between two polls, in the background.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Claim, Search, board_not_found, bus_name, demand_admin, demand_staff};
use crate::bus::config::BAUDS;
use crate::bus::tools::address::{AddressPlan, guard, set};
use crate::bus::tools::{Progress, ScanPlan, Wire, scan};
use crate::domain::channel::{BusName, Family};
use crate::service::Services;
use crate::service::error::{Code, Error};
use crate::service::tokens::Caller;
use crate::store::audit::AuditEntry;
use crate::store::{Lane, StoreError};

/// What is to be looked for.
#[derive(Debug, Clone)]
pub struct ScanOrder {
    /// The bus.
    pub bus: String,
    /// Speeds; the bus's own when empty.
    pub bauds: Vec<u32>,
    /// Families; all when empty.
    pub families: Vec<Family>,
    /// First and last address.
    pub addresses: (u8, u8),
}

/// Which address the one board on a bus is to have.
#[derive(Debug, Clone)]
pub struct AddressOrder {
    /// The bus.
    pub bus: String,
    /// The board's family.
    pub family: Family,
    /// Its new address.
    pub new: u8,
    /// The line's speed; the bus's own when left out.
    pub baud: Option<u32>,
}

impl Services {
    /// Begins to look for boards; answers the id to ask for.
    pub fn start_scan(&self, caller: Caller, order: &ScanOrder) -> Result<Uuid, Error> {
        demand_admin(caller)?;
        let (bus, own_baud) = self.known_bus(&order.bus)?;
        let (first, last) = order.addresses;
        if first > last {
            return Err(Error::new(Code::Invalid, "the first address is after the last"));
        }
        if let Some(odd) = order.bauds.iter().find(|baud| !BAUDS.contains(baud)) {
            return Err(Error::new(Code::Invalid, format!("baud {odd} is none of {BAUDS:?}")));
        }
        let bauds = if order.bauds.is_empty() { &[own_baud][..] } else { &order.bauds };
        let plan = ScanPlan::new(bauds, &order.families, first..=last);
        let (search, claim) = self.begin_search("scan", &bus)?;
        let id = search.id;
        let wire = Wire::shared(self.bus.clone(), bus);
        self.detach(|_| run_scan(search, claim, wire, plan));
        Ok(id)
    }

    /// Begins to give the one connected board an address; answers the id to ask for.
    pub async fn start_address(&self, caller: Caller, order: AddressOrder) -> Result<Uuid, Error> {
        demand_admin(caller)?;
        let (bus, own_baud) = self.known_bus(&order.bus)?;
        let boards = self.bus.boards(&bus).unwrap_or_default().iter();
        let boards = boards.filter(|board| board.family == order.family);
        let plan = AddressPlan {
            baud: order.baud.unwrap_or(own_baud),
            family: order.family,
            new: order.new,
            configured: boards.map(|board| board.address).collect(),
            reply_timeout_ms: 60,
        };
        let (search, claim) = self.begin_search("address", &bus)?;
        let detail = json!({ "family": order.family, "new": order.new }).to_string();
        let subject = format!("bus:{bus}");
        self.store
            .write::<_, StoreError, _>(Lane::Change, move |tx| {
                let action = "commissioning.address";
                let (subject, detail) = (subject.as_str(), detail.as_str());
                tx.audit(&AuditEntry { actor: Some(caller.member_id), action, subject, detail })
            })
            .await?;
        let id = search.id;
        let wire = Wire::shared(self.bus.clone(), bus);
        self.detach(|_| run_address(search, claim, wire, plan));
        Ok(id)
    }

    /// How a scan or a new address goes.
    pub fn search(&self, caller: Caller, id: Uuid) -> Result<Value, Error> {
        demand_staff(caller)?;
        Ok(self.commissioning.find(id)?.view())
    }

    /// Cancels it: it ends with what it has after the question under way.
    pub fn cancel_search(&self, caller: Caller, id: Uuid) -> Result<Value, Error> {
        demand_admin(caller)?;
        let search = self.commissioning.find(id)?;
        search.stop.cancel();
        Ok(search.view())
    }

    /// A configured bus and its speed.
    fn known_bus(&self, text: &str) -> Result<(BusName, u32), Error> {
        let name = bus_name(text)?;
        let baud = self.bus.baud(&name).ok_or_else(board_not_found)?;
        Ok((name, baud))
    }

    fn begin_search(&self, kind: &str, bus: &BusName) -> Result<(Arc<Search>, Claim), Error> {
        let claim = self.commissioning.claim(bus)?;
        let id = Uuid::now_v7();
        let view = json!({
            "id": id, "kind": kind, "bus": bus, "status": "running", "asked": 0, "total": null,
            "boards": [], "result": null, "error": null,
        });
        let stop: CancellationToken = self.stopping.child_token();
        let search = Arc::new(Search { id, stop, view: Mutex::new(view) });
        self.commissioning.remember(&search);
        Ok((search, claim))
    }
}

async fn run_scan(search: Arc<Search>, claim: Claim, mut wire: Wire, plan: ScanPlan) {
    let done = scan(&mut wire, &plan, &search.stop, |news| {
        search.change(|view| match news {
            Progress::Asked { asked, total } => {
                (view["asked"], view["total"]) = (json!(asked), json!(total));
            }
            Progress::Found(board) => {
                if let Value::Array(boards) = &mut view["boards"] {
                    boards.push(json!(board));
                }
            }
        });
    })
    .await;
    drop(claim);
    search.change(|view| match done {
        Ok(report) => {
            view["status"] = json!(if report.finished { "done" } else { "cancelled" });
            view["boards"] = json!(report.boards);
            view["result"] = json!(report);
        }
        Err(error) => {
            (view["status"], view["error"]) = (json!("failed"), json!(error.to_string()));
        }
    });
}

async fn run_address(search: Arc<Search>, claim: Claim, mut wire: Wire, plan: AddressPlan) {
    let looked = guard(&mut wire, &plan, &search.stop, |address| {
        search.change(|view| view["asked"] = json!(address));
    });
    let done = match looked.await {
        Ok(own) => set(&mut wire, &plan, &search.stop).await.map(|outcome| (own, outcome)),
        Err(refused) => Err(refused),
    };
    drop(claim);
    search.change(|view| match done {
        Ok((old, outcome)) => {
            view["status"] = json!("done");
            view["result"] = json!({ "old": old, "new": plan.new, "outcome": outcome });
        }
        Err(refused) => {
            (view["status"], view["error"]) = (json!("failed"), json!(refused.to_string()));
        }
    });
}
