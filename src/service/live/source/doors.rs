//! Every wired door, from the bus' table.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::json;
use tokio::sync::watch;

use super::{Missed, Source, key};
use crate::domain::channel::DoorState;
use crate::domain::id::LockerId;
use crate::service::Services;
use crate::service::live::stream::Change;
use crate::service::live::topic::{Audience, Scope, Topic};

/// Every wired door, from the bus' table.
#[derive(Default)]
pub(super) struct Doors {
    said: HashMap<LockerId, (DoorState, Option<Instant>)>,
}

impl Source for Doors {
    fn bell(&self, services: &Services) -> Option<watch::Receiver<u64>> {
        Some(services.bus.subscribe())
    }

    fn look(&mut self, services: &Services) -> Result<Vec<Change>, Missed> {
        let (site, doors) = (services.store.snapshot().site.clone(), services.bus.doors());
        let mut changes = Vec::new();
        for (channel, reading) in doors.iter() {
            let wired = site.by_channel.get(&channel).and_then(|id| site.locker(*id));
            let Some((locker, bank)) = wired else { continue };
            let now = (reading.state, reading.changed_at);
            if self.said.insert(locker.id, now) == Some(now) {
                continue;
            }
            let since = reading.changed_at.map(|at| services.clock.wall_of(at));
            let json = json!({ "locker_id": locker.id, "door": reading.state, "since": since });
            let scope = Scope {
                topic: Topic::Doors,
                bank: Some(bank.id),
                audience: Audience::StaffOf(bank.id),
            };
            changes.push(Change { scope, key: key(locker.id), json: Some(json.to_string()) });
        }
        Ok(changes)
    }

    fn forget(&mut self) {
        self.said.clear();
    }
}
