//! What happens, told as it happens: one publisher, any number of listeners.
//!
//! The publisher looks at every [`source`] when a bell rings, at most once per [`PUBLISH_PERIOD`],
//! and puts what is different into the [`stream`], rendered once for everybody. A [`Listener`] takes
//! from there what it may hear: it has no queue of its own, so one that is slow costs nothing, and
//! one that is too slow takes a snapshot. Called by http, which owns sockets and their manners.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::select_all;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Services;
use super::error::{Code, Error};
use super::tokens::Caller;
use crate::domain::id::MemberId;
use crate::store::snapshot::Site;

pub mod source;
pub mod stream;
pub mod topic;

use source::Source;
use stream::Stream;
use topic::{Scope, Wish};

/// Shortest time between two publications: whatever happens meanwhile is one message.
pub const PUBLISH_PERIOD: Duration = Duration::from_millis(50);

/// How often the sources are looked at when no bell rings: time alone changes things, too.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// Most listeners of one member: a few devices with a few pages each.
pub const LISTENERS_PER_MEMBER_MAX: usize = 8;

/// The stream and those who listen.
pub struct Live {
    session: String,
    stream: Mutex<Stream>,
    head: watch::Sender<u64>,
    listeners: Mutex<HashMap<MemberId, usize>>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            session: Uuid::now_v7().simple().to_string(),
            stream: Mutex::default(),
            head: watch::Sender::new(0),
            listeners: Mutex::default(),
        }
    }
}

impl Live {
    /// Names this run of the program: versions of another run mean nothing.
    #[must_use]
    pub fn session(&self) -> &str {
        &self.session
    }

    fn stream(&self) -> MutexGuard<'_, Stream> {
        // Each change is whole before the lock is let go, so a poisoned one is still sound.
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listeners(&self) -> MutexGuard<'_, HashMap<MemberId, usize>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a listener was when it left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The run of the program it was in.
    pub session: String,
    /// The version it had reached.
    pub version: u64,
}

/// What a listener gets next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Nothing new for this listener.
    None,
    /// A `delta` message; there may be more.
    Delta(String),
    /// It missed too much or the site was changed: it must take snapshots.
    Lost,
}

/// Somebody who listens. Gives its place back when dropped.
pub struct Listener {
    services: Arc<Services>,
    caller: Caller,
    wishes: Vec<Wish>,
    version: u64,
    head: watch::Receiver<u64>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut listeners = self.services.live.listeners();
        if let Some(count) = listeners.get_mut(&self.caller.member_id) {
            *count -= 1;
            if *count == 0 {
                listeners.remove(&self.caller.member_id);
            }
        }
    }
}

impl Listener {
    /// Where it stands.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Waits until something was published that it has not looked at.
    pub async fn changed(&mut self) {
        if self.head.changed().await.is_err() {
            // The sender lives as long as the services, which this listener holds.
            std::future::pending::<()>().await;
        }
    }

    /// Goes on with a new token of the same member: the role may be another now.
    pub const fn is_now(&mut self, caller: Caller) {
        self.caller = caller;
    }

    /// Listens to something else from now on; snapshots are due.
    pub fn wish(&mut self, wishes: Vec<Wish>) {
        self.wishes = wishes;
    }

    /// Takes up where it left, if that is still known here.
    pub fn resume(&mut self, resume: &Resume) -> bool {
        let live = &self.services.live;
        let known = resume.session == live.session && live.stream().keeps(resume.version);
        if known {
            self.version = resume.version;
            self.head.mark_changed();
        }
        known
    }

    /// One `snapshot` message per topic; afterwards it stands at their version.
    pub fn snapshots(&mut self) -> Vec<String> {
        let snapshot = self.services.store.snapshot();
        let stream = self.services.live.stream();
        self.version = stream.head();
        let mut topics: Vec<_> = self.wishes.iter().map(|wish| wish.topic).collect();
        topics.sort_unstable();
        topics.dedup();
        let hears = |scope: &Scope| hears(&self.wishes, self.caller, &snapshot, scope);
        let message = |topic: topic::Topic| {
            format!(
                "{{\"type\":\"snapshot\",\"topic\":\"{}\",\"version\":{},\"groups\":{}}}",
                topic.name(),
                self.version,
                stream.snapshot(topic, hears)
            )
        };
        topics.into_iter().map(message).collect()
    }

    /// What it has not heard yet, as one message.
    pub fn news(&mut self) -> News {
        let snapshot = self.services.store.snapshot();
        let hears = |scope: &Scope| hears(&self.wishes, self.caller, &snapshot, scope);
        let Some(batch) = self.services.live.stream().since(self.version, hears) else {
            return News::Lost;
        };
        self.version = batch.version;
        if batch.pieces.is_empty() {
            return News::None;
        }
        News::Delta(format!(
            "{{\"type\":\"delta\",\"version\":{},\"changes\":[{}]}}",
            batch.version,
            batch.pieces.join(",")
        ))
    }
}

fn hears(
    wishes: &[Wish],
    caller: Caller,
    snapshot: &crate::store::Snapshot,
    scope: &Scope,
) -> bool {
    wishes.iter().any(|wish| wish.covers(scope)) && scope.audience.admits(caller, snapshot)
}

impl Services {
    /// Lets somebody listen from now on; refused to a member with too many listeners already.
    pub fn listen(&self, caller: Caller, wishes: Vec<Wish>) -> Result<Listener, Error> {
        let Some(services) = self.own.upgrade() else {
            return Err(crate::store::StoreError::Closed.into());
        };
        let mut listeners = self.live.listeners();
        let count = listeners.entry(caller.member_id).or_default();
        if *count >= LISTENERS_PER_MEMBER_MAX {
            let detail = "this account listens on too many devices or pages: close one";
            return Err(Error::new(Code::Overloaded, detail));
        }
        *count += 1;
        drop(listeners);
        let head = self.live.head.subscribe();
        let version = self.live.stream().head();
        Ok(Listener { services, caller, wishes, version, head })
    }

    /// Publishes what happens until `stop`. The one publisher of this process.
    pub async fn publish_live(self: Arc<Self>, stop: CancellationToken) {
        let mut publisher = Publisher::new(&self);
        loop {
            publisher.publish(&self);
            let last = tokio::time::Instant::now();
            tokio::select! {
                () = stop.cancelled() => return,
                () = publisher.rung() => {}
                () = tokio::time::sleep(LOOK_PERIOD) => {}
            }
            // Told at once after a quiet while; in a rush one message tells of all that happened since the last.
            tokio::time::sleep_until(last + PUBLISH_PERIOD).await;
        }
    }
}

struct Publisher {
    sources: Vec<Box<dyn Source>>,
    bells: Vec<watch::Receiver<u64>>,
    /// The places and lockers that listeners know of.
    site: Option<Arc<Site>>,
}

impl Publisher {
    fn new(services: &Services) -> Self {
        let sources = source::all(services);
        let bells = sources.iter().filter_map(|source| source.bell(services)).collect();
        Self { sources, bells, site: None }
    }

    /// Waits for any bell.
    async fn rung(&mut self) {
        let bells = self.bells.iter_mut().map(|bell| Box::pin(bell.changed()));
        if select_all(bells).await.0.is_err() {
            // Who rang is gone: the program is ending.
            std::future::pending::<()>().await;
        }
    }

    fn publish(&mut self, services: &Services) {
        let site = Arc::clone(&services.store.snapshot().site);
        let known = self.site.as_ref().is_some_and(|known| Arc::ptr_eq(known, &site));
        let changes = if known { self.look(services) } else { None };
        let live = &services.live;
        let news = if let Some(changes) = changes {
            live.stream().publish(changes)
        } else {
            self.sources.iter_mut().for_each(|source| source.forget());
            if let Some(all) = self.look(services) {
                self.site = Some(site);
                live.stream().reset(all);
                true
            } else {
                // So much happens that something was missed again: the next look begins anew.
                self.site = None;
                false
            }
        };
        if news {
            let head = live.stream().head();
            live.head.send_replace(head);
        }
    }

    /// The changes of all sources; `None` when one of them missed something.
    fn look(&mut self, services: &Services) -> Option<Vec<stream::Change>> {
        let mut changes = Vec::new();
        for source in &mut self.sources {
            changes.extend(source.look(services).ok()?);
        }
        Some(changes)
    }
}
