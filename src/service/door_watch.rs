//! The door watch at work: shows the rules what the bus publishes, and stores what they decide.
//!
//! One loop looks with each published change of a door and every second; another stores, so that a
//! slow card hides no door. Openings tell the watch before their command leaves, under the same lock,
//! so that the excuse always comes before the door. What was decided waits in memory until it is
//! committed, in its order: while the database fails it is kept, up to a bound, and stored when it
//! heals. Nothing here opens, refuses or ends anything: an alarm never
//! costs anybody a locker.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Services;
use super::error::{Code, Error};
use crate::bus::{BoardLink, DoorReading, DoorTable, PortHealth, PortLink};
use crate::clock::Clock;
use crate::domain::alarm::{Alarm, Evidence};
use crate::domain::channel::BusName;
use crate::domain::door_watch::{
    BoardSighting, BusSighting, DoorSighting, DoorWatch, Link, Moment, Restored, RestoredDoor,
    Thresholds,
};
use crate::domain::id::LockerId;
use crate::domain::opening::Opening;
use crate::domain::time::Monotonic;
use crate::store::doors::KnownDoor;
use crate::store::{Lane, Snapshot, StoreError, Tx, alarms, doors};

mod carry_out;
mod pending;

use carry_out::carry_out;
use pending::{Due, DueWhat, Pending};

/// How often the watch looks when nothing changes: thresholds pass without a change.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// How often what waits is tried again when nothing new is decided.
const STORE_PERIOD: Duration = Duration::from_secs(1);

/// Pause after a look, so that a wall of doors that opens at once is not looked at door by door;
/// and after storing, so that what comes together is stored together.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// How often it is stored that the doors are watched: the most by which the beginning of a gap
/// may be told too early after a power cut.
const WATCHED_PERIOD_MS: u64 = 60_000;

/// Decisions stored in one job: the writer is not kept from others for long.
const STORE_SLICE: usize = 32;

/// Doors stored in one job.
const DOORS_SLICE: usize = 256;

/// Jobs of decisions in a row; then doors have their turn.
const JOBS_MAX: usize = 8;

/// Cleared alarms that nobody acknowledged, taken up at start: the newest.
pub(super) const UNSEEN_MAX: u32 = 1_000;

/// The door watch with what it has not stored yet.
pub struct Watch {
    inner: Mutex<Inner>,
    /// Wakes the loop that looks: something else than a door changed.
    pub(super) due: Notify,
    /// Wakes the loop that stores.
    unstored: Notify,
    window_ms: u64,
}

struct Inner {
    rules: DoorWatch,
    pending: Pending,
    /// Doors that are not stored yet as they are known; at most one entry a locker.
    moved: BTreeMap<LockerId, KnownDoor>,
    watched_at: Option<Monotonic>,
    restored: bool,
}

impl Watch {
    pub(super) fn new(thresholds: Thresholds) -> Self {
        let inner = Inner {
            rules: DoorWatch::new(thresholds),
            pending: Pending::default(),
            moved: BTreeMap::new(),
            watched_at: None,
            restored: false,
        };
        let window_ms = thresholds.open_window_ms;
        Self { inner: Mutex::new(inner), due: Notify::new(), unstored: Notify::new(), window_ms }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change is whole before the lock is let go, so a poisoned one is still sound.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the rules something, and takes what they decide.
    pub(super) fn tell<T>(&self, clock: &Clock, tell: impl FnOnce(&mut DoorWatch) -> T) -> T {
        let mut inner = self.lock();
        let told = tell(&mut inner.rules);
        if inner.collect(clock) {
            self.unstored.notify_one();
        }
        told
    }
}

impl Inner {
    /// Takes what was decided into the queue, in wall time; says whether anything is to be stored.
    fn collect(&mut self, clock: &Clock) -> bool {
        let decisions = self.rules.take_decisions();
        let wall = |moment| match moment {
            Moment::At(at) => clock.wall_at(at),
            Moment::Earlier(at) => at,
        };
        for decision in &decisions {
            let due = Due::of(decision, clock.wall_at(decision.at), wall);
            match &due.what {
                DueWhat::Raise { .. } => tracing::warn!(
                    area = "bus", alarm.kind = %due.kind, alarm.subject = %due.subject,
                    "alarm: {} at {}", due.kind, due.subject
                ),
                DueWhat::Clear(reason) => tracing::info!(
                    area = "bus", alarm.kind = %due.kind, alarm.subject = %due.subject,
                    "alarm over: {} at {}, {reason}", due.kind, due.subject
                ),
                DueWhat::Update { .. } | DueWhat::Escalate => {}
            }
            self.pending.push(due);
        }
        for (id, memory) in self.rules.take_moved() {
            let unseen_since = memory.unseen_since.map(wall);
            self.moved.insert(id, KnownDoor { locker_id: id, open: memory.open, unseen_since });
        }
        !decisions.is_empty() || !self.moved.is_empty()
    }
}

impl Services {
    /// Watches the doors until `stop`; then stores what is still to be stored.
    pub async fn watch_doors(&self, stop: CancellationToken) {
        // Before the first look, which is compared with it.
        self.report_watch(self.remember_watch().await);
        let looked = CancellationToken::new();
        let look = async {
            self.look_until(&stop).await;
            looked.cancel();
        };
        tokio::join!(look, self.store_watch_until(&looked));
    }

    /// Looks at the doors until `stop`, and once more then. Waits for no database.
    async fn look_until(&self, stop: &CancellationToken) {
        let mut changes = self.bus.subscribe();
        let mut ticks = tokio::time::interval(LOOK_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {}
                Ok(()) = changes.changed() => {}
                () = self.watch.due.notified() => {}
            }
            self.look_at_doors();
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK_PAUSE) => {}
            }
        }
        self.look_at_doors();
    }

    /// Stores what is decided until the last look was `looked`, and the rest then.
    async fn store_watch_until(&self, looked: &CancellationToken) {
        let mut ticks = tokio::time::interval(STORE_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !looked.is_cancelled() {
            tokio::select! {
                () = looked.cancelled() => break,
                _ = ticks.tick() => {}
                () = self.watch.unstored.notified() => {}
            }
            self.report_watch(self.store_watch().await);
            tokio::select! {
                () = looked.cancelled() => {}
                () = tokio::time::sleep(LOOK_PAUSE) => {}
            }
        }
        self.watch.lock().watched_at = None;
        self.report_watch(self.store_watch().await);
    }

    fn report_watch(&self, stored: Result<(), Error>) {
        if let Err(error) = stored {
            let waiting = self.watch.lock().pending.len();
            tracing::warn!(area = "store", %error, waiting, "alarms are not stored yet");
        }
    }

    /// One look at everything.
    fn look_at_doors(&self) {
        let sightings = self.sightings();
        let now = self.clock.monotonic();
        self.watch.tell(&self.clock, |rules| rules.observe(&sightings, now));
    }

    /// One attempt to store what was decided.
    async fn store_watch(&self) -> Result<(), Error> {
        if self.store.degraded().is_some() {
            return Ok(());
        }
        self.remember_watch().await?;
        self.store_decisions().await?;
        self.store_doors().await
    }

    /// Takes up what an earlier run left, once; on a failing database later.
    async fn remember_watch(&self) -> Result<(), Error> {
        if self.watch.lock().restored || self.store.degraded().is_some() {
            return Ok(());
        }
        let window_ms = i64::try_from(self.watch.window_ms).unwrap_or(i64::MAX);
        let (open, known, watched_until, opened) = self
            .store
            .read(move |conn| {
                let watched = doors::watched_until(conn)?;
                let since_ms = watched.map_or(i64::MAX, |at| at.as_millisecond() - window_ms);
                let opened = doors::list_opened_since(conn, since_ms)?;
                Ok((alarms::list_open(conn, UNSEEN_MAX)?, doors::list(conn)?, watched, opened))
            })
            .await?;
        let now = self.clock.monotonic();
        {
            let mut inner = self.watch.lock();
            inner.restored = true;
            let watched = |alarm: &&Alarm| alarm.cleared.is_none() && !alarm.kind.is_request();
            for alarm in open.iter().filter(watched) {
                inner.rules.restore_alarm(restored(alarm), now);
            }
            for KnownDoor { locker_id, open, unseen_since } in known {
                let Some(last_seen) = unseen_since.or(watched_until) else { break };
                let excused = opened.contains(&locker_id);
                let door = RestoredDoor { locker_id, open, last_seen, excused };
                inner.rules.restore_door(door);
            }
            inner.collect(&self.clock);
        }
        self.alarms.publish(open);
        Ok(())
    }

    /// Everything that the bus shows, in the words of the rules.
    fn sightings(&self) -> Vec<BusSighting> {
        let (snapshot, table) = (self.store.snapshot(), self.bus.doors());
        let mut wired = wired_doors(&snapshot, &table, &self.clock);
        let now = self.clock.monotonic();
        let bus = |port: PortHealth| BusSighting {
            boards: port
                .boards
                .iter()
                .map(|board| {
                    let place = (port.name.clone(), board.address);
                    let (read_at, doors) = wired.remove(&place).unwrap_or((None, Vec::new()));
                    BoardSighting {
                        address: board.address,
                        link: match board.link {
                            BoardLink::Online => Link::Online,
                            BoardLink::Silent => Link::Silent,
                            BoardLink::Unknown => Link::Unknown,
                        },
                        since: self.clock.monotonic_of(board.since),
                        read_at: read_at.map_or(now, |at| self.clock.monotonic_of(at)),
                        doors,
                    }
                })
                .collect(),
            offline: match port.link {
                PortLink::Online => None,
                PortLink::Offline { reason, .. } => Some(reason),
            },
            since: self.clock.monotonic_of(port.since),
            bus: port.name,
        };
        self.bus.health().into_iter().map(bus).collect()
    }

    async fn store_decisions(&self) -> Result<(), Error> {
        let mut slice_max = STORE_SLICE;
        for _ in 0..JOBS_MAX {
            let slice = self.watch.lock().pending.take_in_hand(slice_max);
            if slice.is_empty() {
                return Ok(());
            }
            let (count, today) = (slice.len(), self.clock.today());
            let work = move |tx: &mut Tx<'_>| Ok(((), carry_out(tx, &slice, today)?));
            match self.change_alarms(Lane::Change, work, |_, ()| {}).await {
                Ok(()) => {}
                // One that can never be stored must not keep the others out.
                Err(error) if error.code == Code::Internal && count == 1 => {
                    tracing::error!(area = "store", %error, "an alarm has no place: it is left out");
                }
                Err(error) if error.code == Code::Internal => {
                    slice_max = 1;
                    continue;
                }
                Err(error) => return Err(error),
            }
            self.watch.lock().pending.stored(count);
        }
        self.watch.unstored.notify_one();
        Ok(())
    }

    /// Stores doors as they are known now, and at times until when they were watched.
    async fn store_doors(&self) -> Result<(), Error> {
        // As of now, not of the commit: a door may change while this waits for its turn.
        let (now, watched_ms) = (self.clock.monotonic(), self.clock.now().as_millisecond());
        let (slice, watched) = {
            let inner = self.watch.lock();
            let slice: Vec<_> = inner.moved.values().take(DOORS_SLICE).copied().collect();
            let due = |at: Monotonic| at.ms_until(now) >= WATCHED_PERIOD_MS;
            (slice, inner.watched_at.is_none_or(due))
        };
        if slice.is_empty() && !watched {
            return Ok(());
        }
        let rows = slice.clone();
        self.store
            .write::<_, StoreError, _>(Lane::Housekeeping, move |tx| {
                for door in &rows {
                    // A locker may have been taken out meanwhile.
                    if tx.snapshot().site.lockers.contains_key(&door.locker_id) {
                        doors::upsert(tx.conn, door)?;
                    }
                }
                doors::update_watched(tx.conn, watched_ms)
            })
            .await?;
        let mut inner = self.watch.lock();
        inner.watched_at = Some(now);
        for door in slice {
            if inner.moved.get(&door.locker_id) == Some(&door) {
                inner.moved.remove(&door.locker_id);
            }
        }
        Ok(())
    }

    /// An opening is about to be handed to the bus.
    pub(super) fn watch_begun(&self, opening: &Opening) {
        let now = self.clock.monotonic();
        self.watch.tell(&self.clock, |rules| {
            rules.opening_begun(opening.locker_id, opening.id, now);
        });
    }

    /// The command of an opening left, or left again.
    pub(super) fn watch_sent(&self, locker: LockerId, at: Instant) {
        let at = self.clock.monotonic_of(at);
        self.watch.tell(&self.clock, |rules| rules.opening_sent(locker, at));
    }

    /// An opening has its outcome.
    pub(super) fn watch_ended(&self, opening: &Opening) {
        let Some(outcome) = opening.outcome else { return };
        let now = self.clock.monotonic();
        self.watch.tell(&self.clock, |rules| {
            rules.opening_ended(opening.locker_id, opening.id, outcome, now);
        });
    }
}

fn restored(alarm: &Alarm) -> Restored {
    let doubted = match &alarm.evidence {
        Evidence::OpenedTogether { lockers, .. } => lockers.clone(),
        _ => Vec::new(),
    };
    Restored {
        kind: alarm.kind,
        subject: alarm.subject.clone(),
        count: alarm.count,
        escalated: alarm.escalated_at.is_some(),
        acknowledged: alarm.acknowledged.is_some(),
        doubted,
    }
}

type BoardDoors = (Option<Instant>, Vec<DoorSighting>);

/// The doors of lockers by bus and board, in the order of their numbers.
fn wired_doors(
    snapshot: &Snapshot,
    table: &DoorTable,
    clock: &Clock,
) -> HashMap<(BusName, u8), BoardDoors> {
    let mut wired: HashMap<(BusName, u8), BoardDoors> = HashMap::new();
    for locker in snapshot.site.lockers.values() {
        let Some(channel) = &locker.channel else { continue };
        let Some(bank) = snapshot.site.banks.get(&locker.bank_id) else { continue };
        let DoorReading { state, read_at, changed_at, edges } = table.get(channel);
        let place = wired.entry((channel.bus.clone(), channel.board)).or_default();
        place.0 = read_at;
        place.1.push(DoorSighting {
            locker_id: locker.id,
            state,
            since: changed_at.map_or(Monotonic(0), |at| clock.monotonic_of(at)),
            edges,
            left_open_ms: bank.policy.left_open_s.map(|seconds| u64::from(seconds) * 1_000),
            maintenance: bank.maintenance.is_some(),
        });
    }
    wired
}
