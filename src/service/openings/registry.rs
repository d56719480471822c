//! Openings whose progress can be watched, and those that the database does not know yet.
//!
//! An opening is followed from its intent until nothing more can be seen of it; meanwhile every
//! question about it is answered from here. No two openings of one locker are under way at once.
//! Both maps are bounded. Only `service/openings.rs` changes anything here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{broadcast, watch};

use crate::domain::id::{LockerId, MemberId, OpeningId};
use crate::domain::opening::Opening;
use crate::service::error::{Code, Error};
use crate::service::idempotency::RequestKey;

/// Most openings followed at once; more lockers than that do not open within their minutes.
const LIVE_MAX: usize = 4096;

/// Most spilled openings remembered until the database takes them.
const SPILLED_MAX: usize = 4096;

/// Steps of openings kept for the one who tells listeners of them; more within one look, and it
/// looks at all openings anew.
const NEWS_MAX: usize = 256;

/// Openings whose progress can be watched, and those that the database does not know yet.
pub struct LiveOpenings {
    live: Mutex<HashMap<OpeningId, watch::Receiver<Opening>>>,
    spilled: Mutex<Spilled>,
    news: broadcast::Sender<Opening>,
    bell: watch::Sender<u64>,
}

impl Default for LiveOpenings {
    fn default() -> Self {
        Self {
            live: Mutex::default(),
            spilled: Mutex::default(),
            news: broadcast::Sender::new(NEWS_MAX),
            bell: watch::Sender::default(),
        }
    }
}

/// What was spilled while the database fails: a repeat gets its first answer all the same.
#[derive(Default)]
pub(super) struct Spilled {
    pub(super) openings: HashMap<OpeningId, Opening>,
    pub(super) keys: HashMap<(MemberId, RequestKey), OpeningId>,
}

impl Spilled {
    pub(super) fn keep(&mut self, opening: &Opening) {
        if self.openings.len() < SPILLED_MAX || self.openings.contains_key(&opening.id) {
            self.openings.insert(opening.id, opening.clone());
        }
    }

    pub(super) fn keep_key(&mut self, member: MemberId, key: RequestKey, id: OpeningId) {
        if self.keys.len() < SPILLED_MAX {
            self.keys.insert((member, key), id);
        }
    }
}

impl LiveOpenings {
    fn with<T>(
        &self,
        work: impl FnOnce(&mut HashMap<OpeningId, watch::Receiver<Opening>>) -> T,
    ) -> T {
        work(&mut self.live.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn with_spilled<T>(&self, work: impl FnOnce(&mut Spilled) -> T) -> T {
        work(&mut self.spilled.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells whoever watches this opening, and whoever listens to all of them.
    pub(super) fn tell(&self, live: &watch::Sender<Opening>, opening: Opening) {
        // Without a listener there is nobody to tell.
        let _ = self.news.send(opening.clone());
        live.send_replace(opening);
        self.bell.send_modify(|count| *count += 1);
    }

    /// Every recorded step of every opening from now on.
    pub(in crate::service) fn news(&self) -> broadcast::Receiver<Opening> {
        self.news.subscribe()
    }

    /// Rings with each of these steps.
    pub(in crate::service) fn bell(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// Every opening that is still followed and of which more than the request is known: a mere
    /// request may not be stored yet.
    pub(in crate::service) fn followed(&self) -> Vec<Opening> {
        let begun = |opening: &Opening| opening.phases.len() > 1 || opening.outcome.is_some();
        let seen = |live: &watch::Receiver<Opening>| live.borrow().clone();
        self.with(|live| live.values().map(seen).filter(begun).collect())
    }

    /// Whether more may come of an opening.
    pub(in crate::service) fn is_followed(&self, id: OpeningId) -> bool {
        self.with(|live| live.contains_key(&id))
    }

    pub(super) fn get(&self, id: OpeningId) -> Option<watch::Receiver<Opening>> {
        self.with(|live| live.get(&id).cloned())
    }

    /// The opening of a locker whose outcome is still out.
    pub(super) fn under_way(&self, locker: LockerId) -> Option<watch::Receiver<Opening>> {
        self.with(|live| live.values().find(|seen| is_under_way(seen, locker)).cloned())
    }

    /// Whether a locker is being opened.
    pub(in crate::service) fn is_under_way(&self, locker: LockerId) -> bool {
        self.under_way(locker).is_some()
    }

    /// Whether more may come of an opening of a locker.
    pub(in crate::service) fn is_any_followed(&self, locker: LockerId) -> bool {
        self.with(|live| live.values().any(|seen| seen.borrow().locker_id == locker))
    }

    /// Starts to follow an opening unless one of the same locker is under way.
    pub(super) fn begin(&self, opening: &Opening) -> Result<watch::Sender<Opening>, Error> {
        self.with(|live| {
            let busy = live.values().find(|seen| is_under_way(seen, opening.locker_id));
            if let Some(other) = busy {
                let detail = "this locker is being opened right now";
                return Err(Error::new(Code::OpeningUnderWay, detail)
                    .with("operation_id", other.borrow().id.to_string()));
            }
            if live.len() >= LIVE_MAX {
                let detail = "too many lockers are being opened: try again in a moment";
                return Err(Error::new(Code::Overloaded, detail).retry_after_ms(2_000));
            }
            let (sender, receiver) = watch::channel(opening.clone());
            live.insert(opening.id, receiver);
            Ok(sender)
        })
    }

    pub(super) fn end(&self, id: OpeningId) {
        self.with(|live| live.remove(&id));
    }
}

fn is_under_way(seen: &watch::Receiver<Opening>, locker: LockerId) -> bool {
    let opening = seen.borrow();
    opening.locker_id == locker && opening.outcome.is_none()
}
