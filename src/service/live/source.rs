//! Where the changes come from: one source per topic, each knowing what it said last.
//!
//! A new topic is one more file with a [`Source`] and a line in [`all`]. Sources only look at what
//! was published or committed elsewhere; none asks the database or the wire.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::{broadcast, watch};

use super::stream::Change;
use super::topic::{Audience, Scope, Topic};
use crate::domain::channel::DoorState;
use crate::domain::id::{BankId, LockerId, OpeningId};
use crate::domain::locker::Availability;
use crate::domain::opening::{Opening, Outcome};
use crate::domain::time::Monotonic;
use crate::service::Services;
use crate::store::Snapshot;

/// How often links of buses and boards are compared: nobody rings when they change.
const HEALTH_PERIOD: Duration = Duration::from_secs(1);

/// Something was missed: everything must be told anew.
#[derive(Debug)]
pub struct Missed;

/// Gives the changes of one topic.
pub trait Source: Send {
    /// Rings when a look may find something; without one it is looked at each second.
    fn bell(&self, services: &Services) -> Option<watch::Receiver<u64>>;

    /// What is different from the last look; everything at the first one.
    fn look(&mut self, services: &Services) -> Result<Vec<Change>, Missed>;

    /// Makes the next look the first one again.
    fn forget(&mut self);
}

/// Every topic's source.
pub fn all(services: &Services) -> Vec<Box<dyn Source>> {
    vec![
        Box::new(Lockers::default()),
        Box::new(Doors::default()),
        Box::new(Openings::new(services)),
        Box::new(Links::default()),
    ]
}

fn key(locker: LockerId) -> u128 {
    u128::from(locker.0.unsigned_abs())
}

/// Availability of each locker, from the published state.
#[derive(Default)]
struct Lockers {
    said: HashMap<LockerId, Availability>,
    /// The version of the last look, and from when on time alone may have changed something.
    looked: Option<(u64, Monotonic)>,
}

impl Source for Lockers {
    fn bell(&self, services: &Services) -> Option<watch::Receiver<u64>> {
        Some(services.store.subscribe())
    }

    fn look(&mut self, services: &Services) -> Result<Vec<Change>, Missed> {
        let (version, now) = (services.store.snapshot().version, services.clock.monotonic());
        if self.looked.is_some_and(|(known, stale_at)| known == version && now < stale_at) {
            return Ok(Vec::new());
        }
        let listing = services.listing();
        self.looked = Some((listing.version(), listing.stale_at));
        let mut changes = Vec::new();
        for row in listing.rows() {
            if self.said.insert(row.locker.id, row.availability) == Some(row.availability) {
                continue;
            }
            let json = format!(
                "{{\"locker_id\":{},\"state\":\"{}\"}}",
                row.locker.id,
                row.availability.name()
            );
            let bank = Some(row.bank.id);
            let scope = Scope { topic: Topic::Lockers, bank, audience: Audience::Members };
            changes.push(Change { scope, key: key(row.locker.id), json: Some(json) });
        }
        Ok(changes)
    }

    fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Every wired door, from the bus' table.
#[derive(Default)]
struct Doors {
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

/// Openings that are followed, as each step of them is recorded.
struct Openings {
    news: broadcast::Receiver<Opening>,
    known: HashMap<OpeningId, Scope>,
    first: bool,
}

impl Openings {
    fn new(services: &Services) -> Self {
        Self { news: services.openings.news(), known: HashMap::new(), first: true }
    }

    fn tell(&mut self, snapshot: &Snapshot, opening: &Opening) -> Option<Change> {
        let bank: BankId = snapshot.site.locker(opening.locker_id).map(|(_, bank)| bank.id)?;
        let audience = Audience::MemberOrStaffOf(opening.member_id, bank);
        let scope = Scope { topic: Topic::Openings, bank: Some(bank), audience };
        self.known.insert(opening.id, scope);
        let json = json!({
            "operation_id": opening.id,
            "locker_id": opening.locker_id,
            "opened_as": opening.opened_as,
            "phases": opening.phases,
            "outcome": opening.outcome.map(Outcome::name),
        });
        Some(Change { scope, key: opening.id.0.as_u128(), json: Some(json.to_string()) })
    }
}

impl Source for Openings {
    fn bell(&self, services: &Services) -> Option<watch::Receiver<u64>> {
        Some(services.openings.bell())
    }

    fn look(&mut self, services: &Services) -> Result<Vec<Change>, Missed> {
        let snapshot = services.store.snapshot();
        let mut changes = Vec::new();
        if std::mem::take(&mut self.first) {
            let followed = services.openings.followed();
            changes.extend(followed.iter().filter_map(|opening| self.tell(&snapshot, opening)));
        }
        let mut told = HashSet::new();
        loop {
            match self.news.try_recv() {
                Ok(opening) => {
                    told.insert(opening.id);
                    changes.extend(self.tell(&snapshot, &opening));
                }
                Err(broadcast::error::TryRecvError::Lagged(_)) => return Err(Missed),
                Err(_) => break,
            }
        }
        // The last word of an opening and its end may come in one look: it is forgotten in the next.
        let over = |id: &OpeningId| !told.contains(id) && !services.openings.is_followed(*id);
        let ended: Vec<OpeningId> = self.known.keys().copied().filter(over).collect();
        for id in ended {
            if let Some(scope) = self.known.remove(&id) {
                changes.push(Change { scope, key: id.0.as_u128(), json: None });
            }
        }
        Ok(changes)
    }

    fn forget(&mut self) {
        self.known.clear();
        self.first = true;
    }
}

/// Whether database, buses and boards answer.
#[derive(Default)]
struct Links {
    said: HashMap<u128, String>,
    looked_at: Option<Instant>,
}

impl Source for Links {
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
        for (key, json) in (0_u128..).zip([database].into_iter().chain(buses)) {
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
