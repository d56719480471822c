//! The door watch: what is an alarm and what is not. A state machine over all doors, boards and
//! ports, fed with what the bus publishes, with openings and with time; it gives decisions.
//!
//! Rules, as the product has them. A door that goes from closed to open with no excuse is forced;
//! an opening excuses its door until it is first seen closed after it, or for a while if it never
//! opened (`door.rs`). A door that was closed before a gap in the watch and is open after it was
//! opened unwatched: nobody is accused. Doors of one board that turn open in one reading are a
//! broken sensor line, not hands. Each alarm is raised once, holds its evidence, and is cleared when
//! its cause ends. Pure: no clock, no I/O; called by `service/door_watch.rs` under a lock.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::alarm::{AlarmKind, ClearReason, EVIDENCE_OPENINGS_MAX, Evidence, Subject};
use super::channel::DoorState;
use super::id::{LockerId, OpeningId};
use super::opening::Outcome;
use super::time::Monotonic;

mod door;
mod terms;

pub use terms::{
    BoardSighting, BusSighting, Decision, DoorSighting, Link, Memory, Moment, Restored,
    RestoredDoor, Thresholds, What,
};

use door::{Door, Turn};

/// Least time between two updates of one alarm whose cause goes on: each is a write to the card.
pub const UPDATE_MS_MIN: u64 = 30_000;

/// Door alarms that a sensor fault keeps from being raised.
pub const SILENCED: [AlarmKind; 3] =
    [AlarmKind::ForcedOpen, AlarmKind::OpenedUnwatched, AlarmKind::LeftOpen];

type Key = (AlarmKind, Subject);

/// An alarm whose cause stands.
#[derive(Debug, Clone, Copy)]
struct Live {
    raised_at: Monotonic,
    seen_at: Monotonic,
    updated_at: Monotonic,
    count: u32,
    escalated: bool,
    acknowledged: bool,
}

/// See the module.
#[derive(Debug)]
pub struct DoorWatch {
    thresholds: Thresholds,
    doors: HashMap<LockerId, Door>,
    /// One entry for each live alarm; at most one per kind and door, board or port.
    live: HashMap<Key, Live>,
    decisions: Vec<Decision>,
    /// Doors of which the next run is to know something else.
    moved: BTreeMap<LockerId, Memory>,
}

impl DoorWatch {
    /// A watch that knows nothing yet.
    #[must_use]
    pub fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            doors: HashMap::new(),
            live: HashMap::new(),
            decisions: Vec::new(),
            moved: BTreeMap::new(),
        }
    }

    /// Takes up an alarm of an earlier run; one that is live already stays as it is. One of a door
    /// that is seen closed by now ends at once: its closing came before and is not seen again.
    pub fn restore_alarm(&mut self, alarm: Restored, now: Monotonic) {
        for id in alarm.doubted {
            let door = self.doors.entry(id).or_insert_with(|| Door::new(now));
            door.doubted = !door.is_closed();
        }
        let (kind, subject) = (alarm.kind, alarm.subject.clone());
        self.live.entry((alarm.kind, alarm.subject)).or_insert(Live {
            raised_at: now,
            seen_at: now,
            updated_at: now,
            count: alarm.count,
            escalated: alarm.escalated,
            acknowledged: alarm.acknowledged,
        });
        let door = subject.locker().and_then(|id| self.doors.get(&id));
        if SILENCED.contains(&kind) && door.is_some_and(Door::is_closed) {
            self.clear(kind, &subject, ClearReason::DoorClosed, now);
        }
    }

    /// Takes up what an earlier run knew of a door, unless more is known by now.
    pub fn restore_door(&mut self, known: RestoredDoor) {
        let door = self.doors.entry(known.locker_id).or_insert_with(|| Door::new(Monotonic(0)));
        door.restore(known);
        self.moved.extend(door.memory().map(|memory| (known.locker_id, memory)));
    }

    /// Takes everything that the bus shows at `now`. Doors and boards that are not among it are not
    /// watched any more.
    pub fn observe(&mut self, buses: &[BusSighting], now: Monotonic) {
        let mut seen = HashSet::new();
        for bus in buses {
            seen.insert(Subject::Bus(bus.bus.clone()));
            self.observe_bus(bus, now);
            for board in &bus.boards {
                let subject = Subject::Board(bus.bus.clone(), board.address);
                self.observe_link(bus, board, &subject, now);
                self.observe_doors(board, &subject, now);
                seen.extend(board.doors.iter().map(|door| Subject::Locker(door.locker_id)));
                seen.insert(subject);
            }
        }
        let lost = |key: &&Key| !seen.contains(&key.1);
        let lost: Vec<Key> = self.live.keys().filter(lost).cloned().collect();
        for (kind, subject) in lost {
            self.clear(kind, &subject, ClearReason::NotWatched, now);
        }
        self.doors.retain(|id, _| seen.contains(&Subject::Locker(*id)));
    }

    fn observe_bus(&mut self, bus: &BusSighting, now: Monotonic) {
        let subject = Subject::Bus(bus.bus.clone());
        match &bus.offline {
            None => self.clear(AlarmKind::BusOffline, &subject, ClearReason::Back, now),
            Some(reason) if self.is_offline(bus.since, now) => {
                let since = Moment::At(bus.since);
                let evidence = Evidence::NoAnswer { since, reason: Some(reason.clone()) };
                self.raise(AlarmKind::BusOffline, &subject, evidence, 1, now);
            }
            Some(_) => {}
        }
    }

    fn observe_link(
        &mut self,
        bus: &BusSighting,
        board: &BoardSighting,
        subject: &Subject,
        now: Monotonic,
    ) {
        let kind = AlarmKind::BoardOffline;
        match board.link {
            // The port's own alarm says it for all of its boards.
            _ if bus.offline.is_some() => {
                if self.is_live(AlarmKind::BusOffline, &Subject::Bus(bus.bus.clone())) {
                    self.clear(kind, subject, ClearReason::BusOffline, now);
                }
            }
            Link::Online => self.clear(kind, subject, ClearReason::Back, now),
            Link::Silent if self.is_offline(board.since, now) => {
                let since = Moment::At(board.since);
                self.raise(kind, subject, Evidence::NoAnswer { since, reason: None }, 1, now);
            }
            Link::Silent | Link::Unknown => {}
        }
    }

    const fn is_offline(&self, since: Monotonic, now: Monotonic) -> bool {
        since.ms_until(now) >= self.thresholds.offline_ms
    }

    fn observe_doors(&mut self, board: &BoardSighting, subject: &Subject, now: Monotonic) {
        let mut alone: BTreeMap<Monotonic, Vec<(LockerId, Evidence<Moment>)>> = BTreeMap::new();
        for sighting in &board.doors {
            let id = sighting.locker_id;
            if sighting.maintenance {
                self.clear_door(id, &AlarmKind::DOOR, ClearReason::Maintenance, now);
            }
            self.observe_edges(sighting, now);
            let silent = sighting.maintenance || self.is_silenced(id);
            let door = self.doors.entry(id).or_insert_with(|| Door::new(now));
            let before = door.memory();
            let turn = door.see(sighting, board.read_at, silent, now);
            let memory = door.memory().filter(|memory| before != Some(*memory));
            self.moved.extend(memory.map(|memory| (id, memory)));
            match turn {
                Turn::Closed => {
                    self.clear_door(id, &SILENCED, ClearReason::DoorClosed, now);
                }
                Turn::Opened => self.door_moved(id, now),
                Turn::OpenedAlone(evidence) => {
                    self.door_moved(id, now);
                    if !silent {
                        alone.entry(sighting.since).or_default().push((id, evidence));
                    }
                }
                Turn::FoundOpen(evidence) => {
                    self.door_moved(id, now);
                    if !silent {
                        let kind = AlarmKind::OpenedUnwatched;
                        self.raise(kind, &Subject::Locker(id), evidence, 1, sighting.since);
                    }
                }
                Turn::None => {}
            }
        }
        for (at, doors) in alone {
            self.opened_alone(subject, at, doors);
        }
        for sighting in &board.doors {
            self.observe_left_open(sighting, now);
        }
        let doubted =
            |door: &DoorSighting| self.doors.get(&door.locker_id).is_some_and(|door| door.doubted);
        if !board.doors.iter().any(doubted) {
            self.clear(AlarmKind::SensorFault, subject, ClearReason::Calm, now);
        }
    }

    /// Doors that turned open in one reading with no opening behind them: few were forced, many
    /// are one broken sensor line.
    fn opened_alone(
        &mut self,
        board: &Subject,
        at: Monotonic,
        doors: Vec<(LockerId, Evidence<Moment>)>,
    ) {
        let count = u32::try_from(doors.len()).unwrap_or(u32::MAX);
        if count < self.thresholds.sensor_fault_doors {
            for (id, evidence) in doors {
                self.raise(AlarmKind::ForcedOpen, &Subject::Locker(id), evidence, 1, at);
            }
            return;
        }
        let lockers: Vec<LockerId> = doors.into_iter().map(|(id, _)| id).collect();
        for id in &lockers {
            if let Some(door) = self.doors.get_mut(id) {
                door.doubted = true;
            }
        }
        let silences = SILENCED.to_vec();
        let evidence = Evidence::OpenedTogether { lockers, at: Moment::At(at), silences };
        self.raise(AlarmKind::SensorFault, board, evidence, count, at);
    }

    fn observe_edges(&mut self, sighting: &DoorSighting, now: Monotonic) {
        let (limit, window_ms) = (self.thresholds.chatter_edges, self.thresholds.chatter_window_ms);
        let door = self.doors.entry(sighting.locker_id).or_insert_with(|| Door::new(now));
        let new = door.count_edges(sighting.edges, limit, window_ms, now);
        let edges = door.edges_within();
        if sighting.maintenance {
            return;
        }
        let subject = Subject::Locker(sighting.locker_id);
        let key = (AlarmKind::SensorFault, subject.clone());
        let evidence = || Evidence::Chatter { edges, window_ms, silences: SILENCED.to_vec() };
        match self.live.get_mut(&key) {
            None if edges >= limit => {
                self.raise(key.0, &subject, evidence(), edges, now);
                self.clear_door(sighting.locker_id, &SILENCED, ClearReason::SensorFault, now);
            }
            Some(live) if new > 0 => {
                live.count = live.count.saturating_add(new);
                live.seen_at = now;
                let count = live.count;
                self.update(key.0, &subject, evidence(), count, now);
            }
            Some(live)
                if sighting.state != DoorState::Unknown
                    && live.seen_at.ms_until(now) >= window_ms =>
            {
                self.clear(key.0, &subject, ClearReason::Calm, now);
            }
            None | Some(_) => {}
        }
    }

    fn observe_left_open(&mut self, sighting: &DoorSighting, now: Monotonic) {
        let id = sighting.locker_id;
        let silenced = self.is_silenced(id);
        let Some(door) = self.doors.get_mut(&id) else { return };
        if sighting.maintenance || silenced {
            // Its time begins when the door can be believed, or the work is done.
            door.open_since = door.open_since.map(|_| now);
            return;
        }
        let (DoorState::Open, Some(open_since)) = (sighting.state, door.open_since) else { return };
        let limit_ms = sighting.left_open_ms.unwrap_or(self.thresholds.left_open_ms);
        let (kind, subject) = (AlarmKind::LeftOpen, Subject::Locker(id));
        match self.live.get_mut(&(kind, subject.clone())) {
            None if open_since.ms_until(now) >= limit_ms => {
                let open_since = Moment::At(open_since);
                let evidence = Evidence::StandsOpen { open_since, limit_ms };
                self.raise(kind, &subject, evidence, 1, now);
            }
            Some(live)
                if !live.escalated
                    && !live.acknowledged
                    && live.raised_at.ms_until(now) >= self.thresholds.escalate_ms =>
            {
                live.escalated = true;
                self.decide(kind, &subject, now, What::Escalate);
            }
            None | Some(_) => {}
        }
    }

    /// An opening was accepted; called before its command leaves, so that the excuse always comes
    /// before the door.
    pub fn opening_begun(&mut self, locker: LockerId, id: OpeningId, now: Monotonic) {
        self.doors.entry(locker).or_insert_with(|| Door::new(now)).opening_begun(id, now);
    }

    /// The command of an opening left; a second one counts anew.
    pub fn opening_sent(&mut self, locker: LockerId, at: Monotonic) {
        if let Some(door) = self.doors.get_mut(&locker) {
            door.opening_sent(at);
        }
    }

    /// An opening ended.
    pub fn opening_ended(
        &mut self,
        locker: LockerId,
        id: OpeningId,
        outcome: Outcome,
        now: Monotonic,
    ) {
        let window_ms = self.thresholds.open_window_ms;
        let Some(door) = self.doors.get_mut(&locker) else { return };
        door.opening_ended(outcome, window_ms);
        match outcome {
            Outcome::DoorDidNotOpen if door.maintenance => {}
            Outcome::DoorDidNotOpen => {
                door.stuck_count = door.stuck_count.saturating_add(1);
                if door.stuck.len() == EVIDENCE_OPENINGS_MAX {
                    door.stuck.remove(0);
                }
                door.stuck.push(id);
                let (count, openings) = (door.stuck_count, door.stuck.clone());
                if count >= self.thresholds.jam_openings {
                    let subject = Subject::Locker(locker);
                    let evidence = Evidence::DoorDidNotMove { openings };
                    self.raise(AlarmKind::Jammed, &subject, evidence, count, now);
                }
            }
            Outcome::Opened | Outcome::AlreadyOpen => self.door_moved(locker, now),
            // Nobody knows whether the door moved: neither a jam nor the end of one.
            Outcome::Unseen
            | Outcome::NoAnswer
            | Outcome::Refused
            | Outcome::Unreachable
            | Outcome::Interrupted => {}
        }
    }

    /// Staff opened the door with the mechanical key, or are about to: that excuses the door as it
    /// stands open, or its next opening within the window.
    pub fn mechanical_key(&mut self, locker: LockerId, now: Monotonic) {
        let until = Monotonic(now.0.saturating_add(self.thresholds.open_window_ms));
        self.doors.entry(locker).or_insert_with(|| Door::new(now)).key_used(now, until);
        let kinds = [AlarmKind::ForcedOpen, AlarmKind::OpenedUnwatched];
        self.clear_door(locker, &kinds, ClearReason::MechanicalKey, now);
    }

    /// A commissioning pulses a lock whose door it does not know: whichever of these doors opens from
    /// `now` until `until` was not forced. Alarms that stand stay.
    pub fn trial_begun(
        &mut self,
        doors: impl IntoIterator<Item = LockerId>,
        now: Monotonic,
        until: Monotonic,
    ) {
        for id in doors {
            self.doors.entry(id).or_insert_with(|| Door::new(now)).trial_begun(now, until);
        }
    }

    /// That pulse was watched to its end: doors that open from `at` on are judged as ever.
    pub fn trial_ended(&mut self, doors: impl IntoIterator<Item = LockerId>, at: Monotonic) {
        for id in doors {
            if let Some(door) = self.doors.get_mut(&id) {
                door.trial_ended(at);
            }
        }
    }

    /// Somebody took note of an alarm: it is not escalated any more.
    pub fn acknowledged(&mut self, kind: AlarmKind, subject: &Subject) {
        if let Some(live) = self.live.get_mut(&(kind, subject.clone())) {
            live.acknowledged = true;
        }
    }

    /// Staff declared the cause mended and stored it so: the count begins anew.
    pub fn mended(&mut self, kind: AlarmKind, subject: &Subject) {
        self.live.remove(&(kind, subject.clone()));
        if let Some(door) = subject.locker().and_then(|id| self.doors.get_mut(&id)) {
            door.forget_jam();
        }
    }

    /// What was decided since the last time, oldest first.
    pub fn take_decisions(&mut self) -> Vec<Decision> {
        std::mem::take(&mut self.decisions)
    }

    /// Doors of which the next run is to know something else than at the last time.
    pub fn take_moved(&mut self) -> BTreeMap<LockerId, Memory> {
        std::mem::take(&mut self.moved)
    }

    /// Whether an alarm of this kind stands.
    #[must_use]
    pub fn is_live(&self, kind: AlarmKind, subject: &Subject) -> bool {
        self.live.contains_key(&(kind, subject.clone()))
    }

    fn is_silenced(&self, locker: LockerId) -> bool {
        self.doors.get(&locker).is_some_and(|door| door.doubted)
            || self.is_live(AlarmKind::SensorFault, &Subject::Locker(locker))
    }

    fn door_moved(&mut self, locker: LockerId, now: Monotonic) {
        if let Some(door) = self.doors.get_mut(&locker) {
            door.forget_jam();
        }
        self.clear_door(locker, &[AlarmKind::Jammed], ClearReason::DoorOpened, now);
    }

    fn clear_door(
        &mut self,
        locker: LockerId,
        kinds: &[AlarmKind],
        reason: ClearReason,
        now: Monotonic,
    ) {
        for kind in kinds {
            self.clear(*kind, &Subject::Locker(locker), reason, now);
        }
    }

    /// Raises an alarm, or updates the one that is live when more was counted.
    fn raise(
        &mut self,
        kind: AlarmKind,
        subject: &Subject,
        evidence: Evidence<Moment>,
        count: u32,
        at: Monotonic,
    ) {
        if let Some(live) = self.live.get_mut(&(kind, subject.clone())) {
            if count > live.count {
                live.count = count;
                self.decide(kind, subject, at, What::Update { evidence, count });
            }
            return;
        }
        let live = Live {
            raised_at: at,
            seen_at: at,
            updated_at: at,
            count,
            escalated: false,
            acknowledged: false,
        };
        self.live.insert((kind, subject.clone()), live);
        self.decide(kind, subject, at, What::Raise { evidence, count });
    }

    /// Updates a live alarm, not more often than [`UPDATE_MS_MIN`].
    fn update(
        &mut self,
        kind: AlarmKind,
        subject: &Subject,
        evidence: Evidence<Moment>,
        count: u32,
        now: Monotonic,
    ) {
        let Some(live) = self.live.get_mut(&(kind, subject.clone())) else { return };
        if live.updated_at.ms_until(now) >= UPDATE_MS_MIN {
            live.updated_at = now;
            self.decide(kind, subject, now, What::Update { evidence, count });
        }
    }

    fn clear(&mut self, kind: AlarmKind, subject: &Subject, reason: ClearReason, now: Monotonic) {
        if self.live.remove(&(kind, subject.clone())).is_some() {
            self.decide(kind, subject, now, What::Clear(reason));
        }
    }

    fn decide(&mut self, kind: AlarmKind, subject: &Subject, at: Monotonic, what: What) {
        self.decisions.push(Decision { kind, subject: subject.clone(), at, what });
    }
}

#[cfg(test)]
mod tests;
