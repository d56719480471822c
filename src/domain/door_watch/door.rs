//! One door of the watch: what is known of it, what excuses it, what it counted.
//!
//! Invariants: unknown never counts as closed; a door is accused only when it was seen closed
//! before; an excuse is spent when the door is first seen closed after it was used. An excuse does
//! not run out while nobody can see the door: what happened meanwhile may have been its doing.

use std::collections::VecDeque;

use super::{DoorSighting, Memory, Moment, RestoredDoor};
use crate::domain::alarm::Evidence;
use crate::domain::channel::DoorState;
use crate::domain::id::OpeningId;
use crate::domain::opening::Outcome;
use crate::domain::time::Monotonic;

/// What a sighting showed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing new.
    None,
    /// It is closed, and was not.
    Closed,
    /// It is open, was not, and has an excuse or nobody knows better.
    Opened,
    /// It went from closed to open while watched, without an excuse.
    OpenedAlone(Evidence<Moment>),
    /// It was closed before nobody watched, is open now, and has no excuse.
    FoundOpen(Evidence<Moment>),
}

/// Why a door may be open.
#[derive(Debug, Clone, Copy)]
struct Excuse {
    /// From when on.
    since: Monotonic,
    /// Until when, if the door does not open.
    until: Monotonic,
    /// An opening that has not ended: the excuse holds however long it waits for its turn.
    in_flight: bool,
    /// When its command left.
    sent: Option<Monotonic>,
    /// The door was seen to open after the command left.
    opened: bool,
    /// The door is open under it: the next closing spends it.
    used: bool,
}

/// A time in which a commissioning may open the door.
#[derive(Debug, Clone, Copy)]
struct Trial {
    since: Monotonic,
    until: Monotonic,
}

#[derive(Debug)]
pub(super) struct Door {
    state: DoorState,
    /// The last state that was known: `Some(true)` open, `Some(false)` closed.
    known: Option<bool>,
    /// When it was last seen, in the state that is known.
    last_seen: Option<Moment>,
    /// Since when nobody sees it, while its state is unknown.
    gap_since: Monotonic,
    /// Since when it is seen open.
    pub(super) open_since: Option<Monotonic>,
    excuse: Option<Excuse>,
    trial: Option<Trial>,
    last_opening: Option<OpeningId>,
    edges: Option<u64>,
    /// The newest changes of its input, at most as many as make a chatter.
    edge_times: VecDeque<Monotonic>,
    /// Openings in a row that did not move it: the newest, and how many in all.
    pub(super) stuck: Vec<OpeningId>,
    pub(super) stuck_count: u32,
    /// One of several that opened together: its sensor is not believed until it says closed.
    pub(super) doubted: bool,
    pub(super) maintenance: bool,
}

impl Door {
    pub(super) const fn new(now: Monotonic) -> Self {
        Self {
            state: DoorState::Unknown,
            known: None,
            last_seen: None,
            gap_since: now,
            open_since: None,
            excuse: None,
            trial: None,
            last_opening: None,
            edges: None,
            edge_times: VecDeque::new(),
            stuck: Vec::new(),
            stuck_count: 0,
            doubted: false,
            maintenance: false,
        }
    }

    pub(super) fn restore(&mut self, known: RestoredDoor) {
        if self.known.is_some() {
            return;
        }
        self.known = Some(known.open);
        self.gap_since = Monotonic(0);
        self.last_seen = Some(Moment::Earlier(known.last_seen));
        if known.excused && self.excuse.is_none() {
            // Good for what happened before the start, and for nothing after it.
            let (since, until) = (Monotonic(0), Monotonic(1));
            self.excuse = Some(Excuse { until, ..Excuse::new(since) });
        }
    }

    /// Takes a sighting; `silent` doors are followed but not accused.
    pub(super) fn see(
        &mut self,
        sighting: &DoorSighting,
        read_at: Monotonic,
        silent: bool,
        now: Monotonic,
    ) -> Turn {
        let (before, known_before) = (self.state, self.known);
        self.state = sighting.state;
        self.maintenance = sighting.maintenance;
        if self.maintenance {
            self.doubted = false;
            self.forget_jam();
        }
        match sighting.state {
            DoorState::Unknown => {
                if before != DoorState::Unknown {
                    self.gap_since = sighting.since;
                }
                Turn::None
            }
            DoorState::Closed => {
                self.known = Some(false);
                self.last_seen = Some(Moment::At(read_at));
                self.open_since = None;
                self.doubted = false;
                self.seen_closed(now);
                if before == DoorState::Closed { Turn::None } else { Turn::Closed }
            }
            DoorState::Open => {
                self.known = Some(true);
                let last_seen = self.last_seen.replace(Moment::At(read_at));
                if before == DoorState::Open {
                    return Turn::None;
                }
                let gap = (before == DoorState::Unknown).then_some(self.gap_since);
                // Open before the gap and after it: as far as anybody knows the same opening.
                if known_before == Some(true) {
                    self.open_since.get_or_insert(sighting.since);
                    return Turn::None;
                }
                self.open_since = Some(sighting.since);
                let excused = self.use_excuse(sighting.since, gap) || silent;
                self.judge(last_seen, sighting.since, (gap.is_some(), excused))
            }
        }
    }

    /// Whether it is seen closed now.
    pub(super) fn is_closed(&self) -> bool {
        self.state == DoorState::Closed
    }

    /// What the next run is to know of it; nothing while nothing is known.
    pub(super) fn memory(&self) -> Option<Memory> {
        let unseen = self.state == DoorState::Unknown;
        let unseen_since = if unseen { self.last_seen } else { None };
        self.known.map(|open| Memory { open, unseen_since })
    }

    /// A door that is open and was last seen closed, if it was seen before.
    fn judge(
        &self,
        last_seen_closed: Option<Moment>,
        at: Monotonic,
        (after_gap, excused): (bool, bool),
    ) -> Turn {
        let Some(last_seen_closed) = last_seen_closed.filter(|_| !excused) else {
            return Turn::Opened;
        };
        let open = Moment::At(at);
        if after_gap {
            Turn::FoundOpen(Evidence::FoundOpen { last_seen_closed, found_open: open })
        } else {
            let last_opening = self.last_opening;
            Turn::OpenedAlone(Evidence::DoorOpened {
                last_seen_closed,
                seen_open: open,
                last_opening,
            })
        }
    }

    /// Whether something excuses that the door opened at `at`, or in the gap that began at `gap`.
    fn use_excuse(&mut self, at: Monotonic, gap: Option<Monotonic>) -> bool {
        // Not what happened before the trial: a gap that began earlier may hide another hand.
        let begun = gap.unwrap_or(at);
        let tried = self.trial.is_some_and(|it| it.since <= begun && begun < it.until);
        self.use_opening(at, gap) || tried
    }

    fn use_opening(&mut self, at: Monotonic, gap: Option<Monotonic>) -> bool {
        let Some(excuse) = &mut self.excuse else { return false };
        let holds = excuse.in_flight || gap.unwrap_or(at) < excuse.until;
        if at < excuse.since || !holds {
            return false;
        }
        excuse.used = true;
        excuse.opened |= excuse.sent.is_some();
        true
    }

    fn seen_closed(&mut self, now: Monotonic) {
        let Some(excuse) = &mut self.excuse else { return };
        if excuse.in_flight {
            // It was open before; the command may still open it.
            excuse.used = false;
        } else if excuse.used || now >= excuse.until {
            self.excuse = None;
        }
    }

    pub(super) fn opening_begun(&mut self, id: OpeningId, now: Monotonic) {
        self.last_opening = Some(id);
        // What still holds of an earlier excuse holds on, should this opening come to nothing.
        let earlier = self.excuse.filter(|it| it.in_flight || it.used || now < it.until);
        let excuse = earlier.unwrap_or_else(|| Excuse::new(now));
        let used = excuse.used || self.state == DoorState::Open;
        self.excuse = Some(Excuse { in_flight: true, sent: None, opened: false, used, ..excuse });
    }

    pub(super) const fn opening_sent(&mut self, at: Monotonic) {
        if let Some(excuse) = &mut self.excuse {
            excuse.sent = Some(at);
        }
    }

    pub(super) fn opening_ended(&mut self, outcome: Outcome, window_ms: u64) {
        let Some(excuse) = &mut self.excuse else { return };
        excuse.in_flight = false;
        let moved = !matches!(outcome, Outcome::Refused | Outcome::Unreachable);
        if let Some(sent) = excuse.sent.filter(|_| moved) {
            excuse.until = excuse.until.max(Monotonic(sent.0.saturating_add(window_ms)));
        }
        // Opened and closed again before this was told.
        if excuse.opened && self.state == DoorState::Closed {
            self.excuse = None;
        }
    }

    /// The mechanical key excuses the door as it is, or until `until`.
    pub(super) fn key_used(&mut self, now: Monotonic, until: Monotonic) {
        let mut excuse = self.excuse.unwrap_or_else(|| Excuse::new(now));
        excuse.used |= self.state == DoorState::Open;
        excuse.until = excuse.until.max(until);
        self.excuse = Some(excuse);
    }

    /// A commissioning may open the door from `since` until `until`: that excuses what it opens
    /// meanwhile, and nothing that was open before.
    pub(super) const fn trial_begun(&mut self, since: Monotonic, until: Monotonic) {
        self.trial = Some(Trial { since, until });
    }

    /// The trial ends at `at`, if not before.
    pub(super) fn trial_ended(&mut self, at: Monotonic) {
        if let Some(trial) = &mut self.trial {
            trial.until = trial.until.min(at);
        }
    }

    pub(super) fn forget_jam(&mut self) {
        self.stuck.clear();
        self.stuck_count = 0;
    }

    /// Counts the changes of its input; returns how many are new.
    pub(super) fn count_edges(
        &mut self,
        edges: u64,
        limit: u32,
        window_ms: u64,
        now: Monotonic,
    ) -> u32 {
        let new = edges.saturating_sub(self.edges.unwrap_or(edges));
        self.edges = Some(edges);
        let new = u32::try_from(new).unwrap_or(u32::MAX);
        let kept = usize::try_from(limit).unwrap_or(usize::MAX);
        for _ in 0..new.min(limit) {
            self.edge_times.push_back(now);
        }
        while self.edge_times.len() > kept
            || self.edge_times.front().is_some_and(|at| at.ms_until(now) >= window_ms)
        {
            self.edge_times.pop_front();
        }
        new
    }

    /// How many of the counted changes are within the window.
    pub(super) fn edges_within(&self) -> u32 {
        u32::try_from(self.edge_times.len()).unwrap_or(u32::MAX)
    }
}

impl Excuse {
    const fn new(since: Monotonic) -> Self {
        Self { since, until: since, in_flight: false, sent: None, opened: false, used: false }
    }
}
