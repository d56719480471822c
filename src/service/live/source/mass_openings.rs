//! Orders to open many lockers: how the whole stands, then each locker of it as its turn comes.
//!
//! An order is told to staff of any of its banks, in a scope of each bank: the lockers of that bank.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Missed, Source};
use crate::domain::id::{BankId, LockerId, MassOpeningId};
use crate::domain::mass_opening::{LineState, MassOpening, RunState};
use crate::service::Services;
use crate::service::live::stream::{Change, ItemKey};
use crate::service::live::topic::{Audience, Scope, Topic};
use crate::store::Snapshot;

#[derive(Default)]
pub(super) struct MassOpenings {
    said: HashMap<MassOpeningId, Said>,
    /// How often the bell had rung at the last look.
    looked: Option<u64>,
}

/// What was said of an order.
#[derive(Default)]
struct Said {
    state: Option<RunState>,
    lines: HashMap<LockerId, LineState>,
    /// Every item of it, to be forgotten when it is over.
    items: BTreeSet<(Scope, ItemKey)>,
}

impl Said {
    /// What is different in `order` from what was said.
    fn tell(&mut self, snapshot: &Snapshot, order: &MassOpening) -> Vec<Change> {
        let (id, state) = (order.head.id, order.head.state);
        let mut changes = Vec::new();
        if self.state.replace(state) != Some(state) {
            let json = json!({ "mass_opening_id": id, "state": state.name() });
            let banks = order.head.banks.iter();
            changes.extend(banks.map(|bank| self.item(*bank, id.0.as_u128(), &json)));
        }
        for line in &order.lines {
            if self.lines.insert(line.locker_id, line.state) == Some(line.state) {
                continue;
            }
            let Some(bank) = snapshot.site.bank_of(line.locker_id) else { continue };
            let result = line.state.name();
            let json = json!({
                "mass_opening_id": id, "locker_id": line.locker_id, "result": result,
            });
            // The lower half of an order's name is random: the next numbers are nobody else's.
            let key = id.0.as_u128().wrapping_add(super::key(line.locker_id));
            changes.push(self.item(bank, key, &json));
        }
        changes
    }

    fn item(&mut self, bank: BankId, key: ItemKey, json: &Value) -> Change {
        let audience = Audience::StaffOf(bank);
        let scope = Scope { topic: Topic::MassOpenings, bank: Some(bank), audience };
        self.items.insert((scope, key));
        Change { scope, key, json: Some(json.to_string()) }
    }
}

impl Source for MassOpenings {
    fn bell(&self, services: &Services) -> Option<watch::Receiver<u64>> {
        Some(services.openings_of_many.bell())
    }

    fn look(&mut self, services: &Services) -> Result<Vec<Change>, Missed> {
        let rung = *services.openings_of_many.bell().borrow();
        if self.looked.replace(rung) == Some(rung) {
            return Ok(Vec::new());
        }
        let snapshot = services.store.snapshot();
        let orders = services.openings_of_many.orders();
        let mut changes = Vec::new();
        for order in &orders {
            let said = self.said.entry(order.head.id).or_default();
            changes.extend(said.tell(&snapshot, order));
        }
        let over = |id: &MassOpeningId| !orders.iter().any(|order| order.head.id == *id);
        let over: Vec<MassOpeningId> = self.said.keys().copied().filter(over).collect();
        for said in over.iter().filter_map(|id| self.said.remove(id)) {
            let forget = |(scope, key)| Change { scope, key, json: None };
            changes.extend(said.items.into_iter().map(forget));
        }
        Ok(changes)
    }

    fn forget(&mut self) {
        *self = Self::default();
    }
}
