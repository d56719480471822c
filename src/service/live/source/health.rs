//! Whether database, buses and boards answer and the clock is trusted; counters are not told live.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::watch;

use super::{Missed, Source};
use crate::service::Services;
use crate::service::live::stream::Change;
use crate::service::live::topic::{Audience, Scope, Topic};

/// How often links of buses and boards are compared: nobody rings when they change.
const HEALTH_PERIOD: Duration = Duration::from_secs(1);

/// Whether database, buses and boards answer and the clock is trusted.
#[derive(Default)]
pub(super) struct Health {
    said: HashMap<u128, String>,
    looked_at: Option<Instant>,
}

impl Source for Health {
    fn bell(&self, _: &Services) -> Option<watch::Receiver<u64>> {
        None
    }

    fn look(&mut self, services: &Services) -> Result<Vec<Change>, Missed> {
        if self.looked_at.is_some_and(|at| at.elapsed() < HEALTH_PERIOD) {
            return Ok(Vec::new());
        }
        self.looked_at = Some(Instant::now());
        let health = services.health();
        let database = json!({ "database": health.database.status }).to_string();
        let buses = health.buses.iter().map(|bus| {
            let boards: Vec<_> = bus
                .boards
                .iter()
                .map(|board| json!({ "address": board.address, "status": board.status }))
                .collect();
            json!({ "bus": bus.name, "status": bus.status, "reason": bus.reason, "boards": boards })
                .to_string()
        });
        let scope = Scope { topic: Topic::Health, bank: None, audience: Audience::Staff };
        let mut changes = Vec::new();
        let clock = json!({ "clock_trusted": services.clock_is_trusted() }).to_string();
        for (key, json) in (0_u128..).zip([database, clock].into_iter().chain(buses)) {
            if self.said.get(&key) != Some(&json) {
                self.said.insert(key, json.clone());
                changes.push(Change { scope, key, json: Some(json) });
            }
        }
        Ok(changes)
    }

    fn forget(&mut self) {
        *self = Self::default();
    }
}
