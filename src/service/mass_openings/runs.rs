//! Orders to open many lockers, as long as something may happen to them: each has one [`Run`].
//!
//! Memory is ahead of the database here: where each locker is between its turn and the stored end
//! stands in the run alone, and while the database fails also the end. Bounded by [`RUNS_MAX`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::id::{LockerId, MassOpeningId, OpeningId};
use crate::domain::mass_opening::{LineState, MassOpening, RunState};
use crate::service::error::{Code, Error};
use crate::service::tokens::Caller;

/// Most orders that run or whose end is not stored yet.
const RUNS_MAX: usize = 64;

/// How long an order is remembered after its end is stored, so that listeners hear of it.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Orders of this run of the program that run, whose end is not stored yet, or that ended just now.
#[derive(Default)]
pub struct MassOpenings {
    runs: Mutex<HashMap<MassOpeningId, Arc<Run>>>,
    bell: watch::Sender<u64>,
}

impl MassOpenings {
    fn runs(&self) -> MutexGuard<'_, HashMap<MassOpeningId, Arc<Run>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rings when a locker has its turn, and when an order begins or is over.
    pub(in crate::service) fn bell(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    pub(super) fn ring(&self) {
        self.bell.send_modify(|count| *count += 1);
    }

    /// Every order that listeners may want to hear of.
    pub(in crate::service) fn orders(&self) -> Vec<MassOpening> {
        let told = |run: &&Arc<Run>| run.is_stored.load(Ordering::Relaxed);
        self.runs().values().filter(told).map(|run| run.order().clone()).collect()
    }

    /// Forgets an order that never began.
    pub(super) fn forget(&self, id: MassOpeningId) {
        self.runs().remove(&id);
    }

    /// Orders whose end waits to be stored. Forgets those that were long enough remembered.
    pub(super) fn to_be_stored(&self) -> Vec<Arc<Run>> {
        let mut runs = self.runs();
        let before = runs.len();
        runs.retain(|_, run| run.end_stored.get().is_none_or(|at| at.elapsed() < REMEMBERED));
        if runs.len() < before {
            self.ring();
        }
        let waits = |run: &&Arc<Run>| {
            run.end_stored.get().is_none() && run.order().head.state != RunState::Running
        };
        runs.values().filter(waits).cloned().collect()
    }

    pub(super) fn see(
        &self,
        run: &Run,
        locker: LockerId,
        state: LineState,
        opening: Option<OpeningId>,
    ) {
        run.order().see(locker, state, opening);
        self.ring();
    }

    pub(super) fn get(&self, id: MassOpeningId) -> Option<Arc<Run>> {
        self.runs().get(&id).cloned()
    }

    pub(super) fn begin(&self, run: &Arc<Run>) -> Result<(), Error> {
        let mut runs = self.runs();
        let open = runs.values().filter(|run| run.end_stored.get().is_none());
        if open.count() >= RUNS_MAX {
            let detail = "too many mass openings at once: wait for one to end";
            return Err(Error::new(Code::Overloaded, detail).retry_after_ms(10_000));
        }
        runs.insert(run.id, Arc::clone(run));
        Ok(())
    }
}

/// One order under way.
pub(super) struct Run {
    pub(super) id: MassOpeningId,
    pub(super) caller: Caller,
    order: Mutex<MassOpening>,
    pub(super) cancel: CancellationToken,
    /// Whether its beginning is stored: before that nobody hears of it.
    is_stored: AtomicBool,
    /// When its end was stored.
    end_stored: OnceLock<Instant>,
}

impl Run {
    pub(super) fn new(caller: Caller, order: MassOpening) -> Arc<Self> {
        Arc::new(Self {
            id: order.head.id,
            caller,
            order: Mutex::new(order),
            cancel: CancellationToken::new(),
            is_stored: AtomicBool::new(false),
            end_stored: OnceLock::new(),
        })
    }

    /// Its beginning is stored.
    pub(super) fn stored(&self) {
        self.is_stored.store(true, Ordering::Relaxed);
    }

    /// Its end is stored.
    pub(super) fn end_stored(&self) {
        self.end_stored.get_or_init(Instant::now);
    }

    pub(super) fn order(&self) -> MutexGuard<'_, MassOpening> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
