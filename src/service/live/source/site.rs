//! Whether the server can change anything and knows the time: what every page must tell whoever uses
//! it. Buses and boards are told to staff alone (`health.rs`).

use serde_json::json;
use tokio::sync::watch;

use super::{Missed, Source};
use crate::service::Services;
use crate::service::live::stream::Change;
use crate::service::live::topic::{Audience, Scope, Topic};

/// What was said last: whether the database is whole, whether the clock is trusted.
#[derive(Default)]
pub(super) struct SiteState {
    is_whole: Option<bool>,
    is_trusted: Option<bool>,
}

impl Source for SiteState {
    fn bell(&self, _: &Services) -> Option<watch::Receiver<u64>> {
        None
    }

    fn look(&mut self, services: &Services) -> Result<Vec<Change>, Missed> {
        let scope = Scope { topic: Topic::Site, bank: None, audience: Audience::Members };
        let mut changes = Vec::new();
        let is_whole = services.store.degraded().is_none();
        if self.is_whole.replace(is_whole) != Some(is_whole) {
            let json = json!({ "database": if is_whole { "ok" } else { "degraded" } });
            changes.push(Change { scope, key: 0, json: Some(json.to_string()) });
        }
        let is_trusted = services.clock_is_trusted();
        if self.is_trusted.replace(is_trusted) != Some(is_trusted) {
            let json = json!({ "clock_trusted": is_trusted });
            changes.push(Change { scope, key: 1, json: Some(json.to_string()) });
        }
        Ok(changes)
    }

    fn forget(&mut self) {
        *self = Self::default();
    }
}
