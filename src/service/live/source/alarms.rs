//! Alarms that people still have to see, as they were published.
//!
//! Those of a door or a bank are for staff of that bank; those of boards and ports, which many banks may hang
//! on, for every staff member. Evidence and history are asked for with `GET /alarms/{id}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;

use super::super::stream::Change;
use super::super::topic::{Audience, Scope, Topic};
use super::{Missed, Source};
use crate::domain::alarm::Alarm;
use crate::domain::id::AlarmId;
use crate::service::Services;

/// What was said of each alarm.
#[derive(Default)]
pub(super) struct Alarms {
    said: BTreeMap<AlarmId, Arc<Alarm>>,
    /// Over, and the last word about them was said.
    over: Vec<(AlarmId, Scope)>,
}

impl Source for Alarms {
    fn bell(&self, services: &Services) -> Option<watch::Receiver<u64>> {
        Some(services.subscribe_alarms())
    }

    fn look(&mut self, services: &Services) -> Result<Vec<Change>, Missed> {
        let snapshot = services.alarms_snapshot();
        let forgotten = |(id, scope)| Change { scope, key: key(id), json: None };
        let mut changes: Vec<Change> = self.over.drain(..).map(forgotten).collect();
        for (id, alarm) in &snapshot.alarms {
            if self.said.get(id).is_some_and(|said| Arc::ptr_eq(said, alarm)) {
                continue;
            }
            changes.push(Change { scope: scope(alarm), key: key(*id), json: Some(render(alarm)) });
        }
        let gone = self.said.iter().filter(|(id, _)| !snapshot.alarms.contains_key(id));
        for (id, alarm) in gone {
            let last = json!({ "alarm_id": id, "state": "over" }).to_string();
            changes.push(Change { scope: scope(alarm), key: key(*id), json: Some(last) });
            self.over.push((*id, scope(alarm)));
        }
        self.said.clone_from(&snapshot.alarms);
        Ok(changes)
    }

    fn forget(&mut self) {
        *self = Self::default();
    }
}

fn key(id: AlarmId) -> u128 {
    u128::from(id.0.unsigned_abs())
}

fn scope(alarm: &Alarm) -> Scope {
    let audience = alarm.bank_id.map_or(Audience::Staff, Audience::StaffOf);
    Scope { topic: Topic::Alarms, bank: alarm.bank_id, audience }
}

fn render(alarm: &Alarm) -> String {
    let (bus, board) = alarm.subject.wire();
    json!({
        "alarm_id": alarm.id,
        "kind": alarm.kind.name(),
        "severity": alarm.kind.severity().name(),
        "state": alarm.state().name(),
        "locker_id": alarm.subject.locker(),
        "bank_id": alarm.bank_id,
        "bus": bus,
        "board": board,
        "raised_at": alarm.raised_at,
        "last_seen_at": alarm.last_seen_at,
        "count": alarm.count,
        "escalated_at": alarm.escalated_at,
        "cleared_at": alarm.cleared.map(|(at, _)| at),
        "it_was_me_at": alarm.claimed.map(|(at, _)| at),
    })
    .to_string()
}
