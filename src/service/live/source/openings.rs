//! Openings that are followed, as each step of them is recorded.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use tokio::sync::{broadcast, watch};

use super::{Missed, Source};
use crate::domain::id::{BankId, OpeningId};
use crate::domain::opening::{Opening, Outcome};
use crate::service::Services;
use crate::service::live::stream::Change;
use crate::service::live::topic::{Audience, Scope, Topic};
use crate::store::Snapshot;

/// Openings that are followed, as each step of them is recorded.
pub(super) struct Openings {
    news: broadcast::Receiver<Opening>,
    known: HashMap<OpeningId, Scope>,
    first: bool,
}

impl Openings {
    pub(super) fn new(services: &Services) -> Self {
        Self { news: services.openings.news(), known: HashMap::new(), first: true }
    }

    fn tell(&mut self, snapshot: &Snapshot, opening: &Opening) -> Option<Change> {
        let bank: BankId = snapshot.site.bank_of(opening.locker_id)?;
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
