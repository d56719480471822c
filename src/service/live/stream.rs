//! The stream of changes: what everybody could hear now, and the last changes in order.
//!
//! Pure. Each published change of a scope gets the next version and is rendered once; listeners
//! share the text. A listener that knows a version kept here catches up from there, any other one
//! takes a snapshot: both give the same picture. Versions are without gaps, so that a listener who
//! hears only some scopes still knows exactly where it stands. The history is bounded by
//! [`KEPT_MAX`] and [`KEPT_BYTES_MAX`], whoever is slow.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use super::topic::{Scope, Topic};

/// Most changes kept for listeners that come back: in a rush each claim is one for its member alone.
pub const KEPT_MAX: usize = 4_096;

/// Most text kept for them.
pub const KEPT_BYTES_MAX: usize = 1 << 20;

/// Changes given to a listener at once, in bytes; one change may be longer.
pub const BATCH_BYTES_MAX: usize = 64 << 10;

/// Identifies an item within its topic.
pub type ItemKey = u128;

/// An item that has changed.
#[derive(Debug, Clone)]
pub struct Change {
    /// Where it belongs.
    pub scope: Scope,
    /// Which item.
    pub key: ItemKey,
    /// What it is now, as JSON; `None`: it is over, and snapshots no longer show it. Nobody is told
    /// so, the last word about it was said.
    pub json: Option<String>,
}

/// One published change of a scope.
#[derive(Debug)]
struct Piece {
    version: u64,
    scope: Scope,
    text: Arc<str>,
}

/// The present items of a scope, with their text once somebody asked for it.
#[derive(Debug, Default)]
struct Group {
    items: BTreeMap<ItemKey, String>,
    text: OnceLock<String>,
}

/// What a listener has not heard yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Where the listener stands afterwards.
    pub version: u64,
    /// The changes in order, each a JSON object.
    pub pieces: Vec<Arc<str>>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Stream {
    head: u64,
    /// The newest version that is not kept any more: `pieces` are `floor + 1` to `head`.
    floor: u64,
    pieces: VecDeque<Piece>,
    bytes: usize,
    groups: BTreeMap<Scope, Group>,
}

impl Stream {
    /// The newest version.
    #[must_use]
    pub const fn head(&self) -> u64 {
        self.head
    }

    /// Takes changes in; says whether anybody is to be told. Several changes of one item are one.
    pub fn publish(&mut self, changes: Vec<Change>) -> bool {
        let before = self.head;
        let mut scopes: BTreeMap<Scope, BTreeMap<ItemKey, Option<String>>> = BTreeMap::new();
        for change in changes {
            scopes.entry(change.scope).or_default().insert(change.key, change.json);
        }
        for (scope, items) in scopes {
            let told: Vec<&str> = items.values().flatten().map(String::as_str).collect();
            if !told.is_empty() {
                self.push(scope, &told);
            }
            self.take(scope, items);
        }
        self.head != before
    }

    /// Begins anew with these items: every listener takes a snapshot.
    pub fn reset(&mut self, changes: Vec<Change>) {
        self.groups.clear();
        self.pieces.clear();
        self.bytes = 0;
        self.head += 1;
        self.floor = self.head;
        for change in changes {
            self.take(change.scope, BTreeMap::from([(change.key, change.json)]));
        }
    }

    fn push(&mut self, scope: Scope, items: &[&str]) {
        self.head += 1;
        let mut text = format!("{{\"version\":{},\"topic\":\"{}\",", self.head, scope.topic.name());
        write_group(&mut text, scope, items.iter().copied());
        self.bytes += text.len();
        self.pieces.push_back(Piece { version: self.head, scope, text: text.into() });
        while self.pieces.len() > KEPT_MAX || self.bytes > KEPT_BYTES_MAX {
            let Some(oldest) = self.pieces.pop_front() else { break };
            self.bytes -= oldest.text.len();
            self.floor = oldest.version;
        }
    }

    fn take(&mut self, scope: Scope, items: BTreeMap<ItemKey, Option<String>>) {
        let group = self.groups.entry(scope).or_default();
        group.text = OnceLock::new();
        for (key, json) in items {
            match json {
                Some(json) => group.items.insert(key, json),
                None => group.items.remove(&key),
            };
        }
        if group.items.is_empty() {
            self.groups.remove(&scope);
        }
    }

    /// Whether a listener that stands at `version` can catch up without a snapshot.
    #[must_use]
    pub const fn keeps(&self, version: u64) -> bool {
        self.floor <= version && version <= self.head
    }

    /// What a listener that stands at `version` has not heard, at most [`BATCH_BYTES_MAX`]; `None`
    /// when it must take a snapshot.
    #[must_use]
    pub fn since(&self, version: u64, hears: impl Fn(&Scope) -> bool) -> Option<Batch> {
        if !self.keeps(version) {
            return None;
        }
        let known = usize::try_from(version - self.floor).unwrap_or(usize::MAX);
        let mut batch = Batch { version: self.head, pieces: Vec::new() };
        let mut bytes = 0;
        for piece in self.pieces.iter().skip(known).filter(|piece| hears(&piece.scope)) {
            bytes += piece.text.len();
            if bytes > BATCH_BYTES_MAX && !batch.pieces.is_empty() {
                // What was left out in between is not for this listener.
                batch.version = piece.version - 1;
                break;
            }
            batch.pieces.push(Arc::clone(&piece.text));
        }
        Some(batch)
    }

    /// Everything of a topic that a listener may hear, as a JSON array of groups. The text of a
    /// group is made once and shared until it changes.
    #[must_use]
    pub fn snapshot(&self, topic: Topic, hears: impl Fn(&Scope) -> bool) -> String {
        let mut text = "[".to_owned();
        for (scope, group) in &self.groups {
            if scope.topic != topic || !hears(scope) {
                continue;
            }
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(group.text.get_or_init(|| {
                let mut text = "{".to_owned();
                write_group(&mut text, *scope, group.items.values().map(String::as_str));
                text
            }));
        }
        text.push(']');
        text
    }
}

/// Writes `"bank":3,"items":[…]}`.
fn write_group<'a>(text: &mut String, scope: Scope, items: impl Iterator<Item = &'a str>) {
    if let Some(bank) = scope.bank {
        let _ = write!(text, "\"bank\":{bank},");
    }
    text.push_str("\"items\":[");
    for (number, item) in items.enumerate() {
        if number > 0 {
            text.push(',');
        }
        text.push_str(item);
    }
    text.push_str("]}");
}

#[cfg(test)]
mod tests;
