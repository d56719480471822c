//! The doors as last seen: written by the port tasks, read by everyone, without waiting.
//!
//! A door's state is published after two equal reads, since hook switches bounce and a sum of bytes
//! cannot see every error. Unknown is a state of its own: no sensor, no answer, port away, or not yet
//! two equal reads; it never counts as closed. Each board's doors are replaced as a whole.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::bus::config::BusConfig;
use crate::domain::channel::{BusName, Channel, DoorState};

/// Reads that must agree before a door's state is published.
pub const EQUAL_READS: u8 = 2;

/// One door as last published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorReading {
    /// Open, closed or unknown.
    pub state: DoorState,
    /// When its board's inputs were last read; `None` before the first time.
    pub read_at: Option<Instant>,
    /// When the state last changed.
    pub changed_at: Option<Instant>,
    /// How often a read of its input differed from the read before, since start: more than the
    /// published changes when a switch chatters.
    pub edges: u64,
}

impl DoorReading {
    const NEVER: Self =
        Self { state: DoorState::Unknown, read_at: None, changed_at: None, edges: 0 };
}

/// One door as its board's task publishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// Open, closed or unknown.
    pub(super) state: DoorState,
    /// Raw changes of its input since start.
    pub(super) edges: u64,
}

#[derive(Debug, Clone, Copy)]
struct Door {
    seen: Seen,
    changed_at: Option<Instant>,
}

impl Door {
    const NEW: Self = Self { seen: Seen { state: DoorState::Unknown, edges: 0 }, changed_at: None };
}

/// The doors of one board.
#[derive(Debug, Clone)]
struct BoardDoors {
    doors: Arc<[Door]>,
    read_at: Option<Instant>,
}

type Places = HashMap<(BusName, u8), usize>;

/// All doors of all boards at one moment.
#[derive(Debug, Clone)]
pub struct DoorTable {
    places: Arc<Places>,
    boards: Vec<Arc<BoardDoors>>,
}

impl DoorTable {
    /// One door; unknown for a channel that is not configured.
    #[must_use]
    pub fn get(&self, channel: &Channel) -> DoorReading {
        let place = self.places.get(&(channel.bus.clone(), channel.board));
        place.map_or(DoorReading::NEVER, |place| self.boards[*place].get(channel.lock))
    }

    /// Every configured door with its channel, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (Channel, DoorReading)> {
        self.places.iter().flat_map(|((bus, board), place)| {
            let doors = &self.boards[*place];
            (1_u8..).zip(doors.doors.iter()).map(|(lock, _)| {
                let channel = Channel { bus: bus.clone(), board: *board, lock };
                (channel, doors.get(lock))
            })
        })
    }
}

impl BoardDoors {
    fn get(&self, lock: u8) -> DoorReading {
        let index = usize::from(lock).checked_sub(1);
        index.and_then(|index| self.doors.get(index)).map_or(DoorReading::NEVER, |door| {
            DoorReading {
                state: door.seen.state,
                read_at: self.read_at,
                changed_at: door.changed_at,
                edges: door.seen.edges,
            }
        })
    }
}

/// Where the port tasks publish. Clones share the doors.
#[derive(Debug, Clone)]
pub(super) struct Doors {
    places: Arc<Places>,
    boards: Arc<[ArcSwap<BoardDoors>]>,
    changes: watch::Sender<u64>,
}

impl Doors {
    /// All doors of these buses, unknown for now.
    pub(super) fn new(configs: &[BusConfig]) -> Self {
        let mut places = Places::new();
        let mut boards = Vec::new();
        for bus in configs {
            for board in &bus.boards {
                places.insert((bus.name.clone(), board.address), boards.len());
                let doors = vec![Door::NEW; usize::from(board.locks)].into();
                boards.push(ArcSwap::from_pointee(BoardDoors { doors, read_at: None }));
            }
        }
        let changes = watch::Sender::new(0);
        Self { places: Arc::new(places), boards: boards.into(), changes }
    }

    /// Publishes a board's states as read at `read_at`; `None` keeps the time of the last read.
    pub(super) fn publish(
        &self,
        bus: &BusName,
        address: u8,
        seen: &[Seen],
        read_at: Option<Instant>,
    ) {
        let Some(place) = self.places.get(&(bus.clone(), address)) else { return };
        let old = self.boards[*place].load();
        let states = |seen: &Seen| seen.state;
        let changed = old.doors.iter().map(|door| door.seen.state).ne(seen.iter().map(states));
        let moved = old.doors.iter().map(|door| door.seen).ne(seen.iter().copied());
        let doors = if moved {
            let at = Some(read_at.unwrap_or_else(Instant::now));
            let next = |(new, old): (&Seen, &Door)| {
                let changed_at = if new.state == old.seen.state { old.changed_at } else { at };
                Door { seen: *new, changed_at }
            };
            seen.iter().zip(old.doors.iter()).map(next).collect()
        } else {
            Arc::clone(&old.doors)
        };
        let read_at = read_at.or(old.read_at);
        self.boards[*place].store(Arc::new(BoardDoors { doors, read_at }));
        if changed {
            self.changes.send_modify(|version| *version += 1);
        }
    }

    pub(super) fn get(&self, channel: &Channel) -> DoorReading {
        let place = self.places.get(&(channel.bus.clone(), channel.board));
        place.map_or(DoorReading::NEVER, |place| self.boards[*place].load().get(channel.lock))
    }

    pub(super) fn table(&self) -> Arc<DoorTable> {
        let boards = self.boards.iter().map(ArcSwap::load_full).collect();
        Arc::new(DoorTable { places: Arc::clone(&self.places), boards })
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// Two equal reads make a state.
#[derive(Debug, Clone, Copy)]
pub(super) struct Debounce {
    last_open: Option<bool>,
    equal: u8,
    seen: Seen,
}

impl Debounce {
    pub(super) const NEW: Self =
        Self { last_open: None, equal: 0, seen: Seen { state: DoorState::Unknown, edges: 0 } };

    /// Takes one read; returns what is to be published now.
    pub(super) fn read(&mut self, open: bool) -> Seen {
        self.seen.edges += u64::from(self.last_open.is_some_and(|last| last != open));
        self.equal = if self.last_open == Some(open) { self.equal.saturating_add(1) } else { 1 };
        self.last_open = Some(open);
        if self.equal >= EQUAL_READS {
            self.seen.state = if open { DoorState::Open } else { DoorState::Closed };
        }
        self.seen
    }

    /// The door cannot be seen any more: unknown until two equal reads. Edges are kept.
    pub(super) fn forget(&mut self) -> Seen {
        let edges = self.seen.edges;
        *self = Self { seen: Seen { edges, ..Self::NEW.seen }, ..Self::NEW };
        self.seen
    }

    /// Whether its state is known.
    pub(super) fn is_known(self) -> bool {
        self.seen.state != DoorState::Unknown
    }

    /// Whether the last read awaits its confirmation.
    pub(super) fn is_open_question(self) -> bool {
        self.last_open.is_some() && self.equal < EQUAL_READS
    }
}

#[cfg(test)]
mod tests {
    use DoorState::{Closed, Open, Unknown};

    use super::*;
    use crate::bus::config::tests::{board, bus};
    use crate::domain::channel::Family;

    #[test]
    fn a_single_different_read_changes_nothing() {
        let mut door = Debounce::NEW;
        let reads = [true, true, false, true, false, false];
        let seen = reads.map(|open| door.read(open));
        assert_eq!(seen.map(|it| it.state), [Unknown, Open, Open, Open, Open, Closed]);
        assert_eq!(seen.map(|it| it.edges), [0, 0, 1, 2, 3, 3]);
        assert_eq!(door.forget(), Seen { state: Unknown, edges: 3 });
    }

    #[test]
    fn subscribers_hear_of_changes_only() {
        let config = bus("/dev/null".into(), vec![board(1, Family::ModbusRelay)]);
        let doors = Doors::new(std::slice::from_ref(&config));
        let mut changes = doors.subscribe();
        let at = Instant::now();
        let mut seen = [Seen { state: Closed, edges: 0 }; 8];
        doors.publish(&config.name, 1, &seen, Some(at));
        assert!(changes.has_changed().expect("alive"));
        changes.mark_unchanged();
        seen[1].edges = 2;
        doors.publish(&config.name, 1, &seen, Some(at));
        assert!(!changes.has_changed().expect("alive"));
        seen[2].state = Open;
        doors.publish(&config.name, 1, &seen, None);
        let channel = Channel::new(config.name.clone(), 1, 3).expect("valid");
        let table = doors.table();
        assert_eq!(table.get(&channel).state, Open);
        assert_eq!(table.get(&channel).read_at, Some(at), "an outage is no read");
        let chattering = Channel::new(config.name.clone(), 1, 2).expect("valid");
        assert_eq!(table.get(&chattering).edges, 2, "published without a change of state");
        assert_eq!(table.iter().count(), 8);
        let stranger = Channel::new(config.name, 2, 3).expect("valid");
        assert_eq!(table.get(&stranger).state, Unknown);
    }
}
