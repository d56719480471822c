//! What the door watch is told and what it answers: thresholds, sightings, what an earlier run knew,
//! decisions. All times of this run are monotonic; only what an earlier run left is in wall time.

use jiff::Timestamp;

use crate::domain::alarm::{AlarmKind, ClearReason, Evidence, Subject};
use crate::domain::channel::{BusName, DoorState};
use crate::domain::id::LockerId;
use crate::domain::time::Monotonic;

/// From when on something is an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// How long an opening whose door never opened still excuses it, in milliseconds.
    pub open_window_ms: u64,
    /// How long a door may stand open where its bank says nothing else, in milliseconds.
    pub left_open_ms: u64,
    /// How long after the renter staff are told of a door left open, in milliseconds.
    pub escalate_ms: u64,
    /// Openings in a row without door movement that make a jam.
    pub jam_openings: u32,
    /// Changes of a sensor's input within the window that make a chatter.
    pub chatter_edges: u32,
    /// That window, in milliseconds.
    pub chatter_window_ms: u64,
    /// Doors of one board that turn open in one reading and make a sensor fault.
    pub sensor_fault_doors: u32,
    /// How long a board or port is silent before it counts as offline, in milliseconds.
    pub offline_ms: u64,
}

/// A time of this process, or of one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// On this process' clock.
    At(Monotonic),
    /// In wall time, from before the start.
    Earlier(Timestamp),
}

/// One door as published.
#[derive(Debug, Clone, Copy)]
pub struct DoorSighting {
    /// Whose.
    pub locker_id: LockerId,
    /// What is known of it.
    pub state: DoorState,
    /// Since when.
    pub since: Monotonic,
    /// Changes of its input since start; never decreases.
    pub edges: u64,
    /// How long it may stand open, if its bank says; in milliseconds.
    pub left_open_ms: Option<u64>,
    /// Whether its bank is in maintenance.
    pub maintenance: bool,
}

/// Whether a board answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It does.
    Online,
    /// It missed several requests in a row.
    Silent,
    /// Not asked yet.
    Unknown,
}

/// One board with the doors that are wired to it.
#[derive(Debug, Clone)]
pub struct BoardSighting {
    /// Its address.
    pub address: u8,
    /// Whether it answers.
    pub link: Link,
    /// Since when.
    pub since: Monotonic,
    /// When its inputs were last read.
    pub read_at: Monotonic,
    /// The doors of lockers.
    pub doors: Vec<DoorSighting>,
}

/// One port with its boards.
#[derive(Debug, Clone)]
pub struct BusSighting {
    /// Its name.
    pub bus: BusName,
    /// Why it is away; `None` while it is open.
    pub offline: Option<String>,
    /// Since when.
    pub since: Monotonic,
    /// Its boards.
    pub boards: Vec<BoardSighting>,
}

/// What is to be done about an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Of which kind.
    pub kind: AlarmKind,
    /// About what.
    pub subject: Subject,
    /// When the cause was seen.
    pub at: Monotonic,
    /// What.
    pub what: What,
}

/// See [`Decision`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It begins.
    Raise {
        /// What was seen.
        evidence: Evidence<Moment>,
        /// How often; 1 or more.
        count: u32,
    },
    /// More was seen of its cause.
    Update {
        /// What was seen.
        evidence: Evidence<Moment>,
        /// How often by now.
        count: u32,
    },
    /// Its cause goes on: staff have to act.
    Escalate,
    /// Its cause ended.
    Clear(ClearReason),
}

/// An alarm that was live when the program ended.
#[derive(Debug, Clone)]
pub struct Restored {
    /// Of which kind.
    pub kind: AlarmKind,
    /// About what.
    pub subject: Subject,
    /// How often its cause was seen.
    pub count: u32,
    /// Whether staff were told.
    pub escalated: bool,
    /// Whether somebody took note.
    pub acknowledged: bool,
    /// The lockers whose sensors are in doubt.
    pub doubted: Vec<LockerId>,
}

/// What the next run is to know of a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Whether it is open, as far as anybody knows.
    pub open: bool,
    /// When it was last seen, while nobody sees it; `None` while it is seen.
    pub unseen_since: Option<Moment>,
}

/// A door as the program knew it when it ended.
#[derive(Debug, Clone, Copy)]
pub struct RestoredDoor {
    /// Whose.
    pub locker_id: LockerId,
    /// Whether it was open.
    pub open: bool,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// Whether an opening was under way, or had been a moment before.
    pub excused: bool,
}
