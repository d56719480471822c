//! Availability of each locker, from the published state; time alone changes it, too.

use std::collections::HashMap;

use tokio::sync::watch;

use super::{Missed, Source, key};
use crate::domain::id::LockerId;
use crate::domain::locker::Availability;
use crate::domain::time::Monotonic;
use crate::service::Services;
use crate::service::live::stream::Change;
use crate::service::live::topic::{Audience, Scope, Topic};

/// Availability of each locker, from the published state.
#[derive(Default)]
pub(super) struct Lockers {
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
