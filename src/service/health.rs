//! How the site is doing, for people and for watchdogs.

use serde::Serialize;

use super::Services;
use super::mails::MailHealth;
use crate::bus::{BoardLink, PortLink};
use crate::store::Trouble;

/// The state of the whole.
#[derive(Debug, Clone, Serialize)]
pub struct Health {
    /// `ok`, or `degraded` when a part fails that people must look at.
    pub status: &'static str,
    /// The database.
    pub database: DatabaseHealth,
    /// Every serial port.
    pub buses: Vec<BusHealth>,
    /// The mails.
    pub mail: MailHealth,
}

/// The state of the database.
#[derive(Debug, Clone, Serialize)]
pub struct DatabaseHealth {
    /// `ok` or `degraded`.
    pub status: &'static str,
    /// What ails it.
    pub trouble: Option<Trouble>,
    /// Since when.
    pub since: Option<jiff::Timestamp>,
    /// How many changes wait to be stored.
    pub queued: usize,
}

/// The state of a serial port.
#[derive(Debug, Clone, Serialize)]
pub struct BusHealth {
    /// Its name.
    pub name: String,
    /// `online` or `offline`.
    pub status: &'static str,
    /// Why it is offline, in words.
    pub reason: Option<String>,
    /// How often it came back.
    pub reconnects: u64,
    /// Its boards.
    pub boards: Vec<BoardHealth>,
}

/// The state of a lock board.
#[derive(Debug, Clone, Serialize)]
pub struct BoardHealth {
    /// Its address.
    pub address: u8,
    /// Its family.
    pub family: &'static str,
    /// `online`, `silent` or `unknown`.
    pub status: &'static str,
    /// How long ago it answered last, in milliseconds.
    pub last_answer_age_ms: Option<u64>,
    /// Commands sent, answered, and unanswered.
    pub sent: u64,
    /// Answers that fitted.
    pub answered: u64,
    /// Commands without an answer in time.
    pub timeouts: u64,
    /// Frames that were damaged.
    pub bad_frames: u64,
}

impl Services {
    /// Looks at every part; asks nothing of database or wire, so it answers while they fail.
    #[must_use]
    pub fn health(&self) -> Health {
        let degraded = self.store.degraded();
        let database = DatabaseHealth {
            status: if degraded.is_some() { "degraded" } else { "ok" },
            trouble: degraded.map(|it| it.trouble),
            since: degraded.map(|it| it.since),
            queued: self.store.queued(),
        };
        let buses: Vec<BusHealth> = self.bus.health().into_iter().map(bus_health).collect();
        let failing = |bus: &BusHealth| {
            bus.status != "online" || bus.boards.iter().any(|board| board.status == "silent")
        };
        let mail = self.mail_health();
        let known = self.clock_is_trusted();
        let ok = degraded.is_none() && known && !buses.iter().any(failing) && !self.mail_fails();
        Health { status: if ok { "ok" } else { "degraded" }, database, buses, mail }
    }
}

fn bus_health(port: crate::bus::PortHealth) -> BusHealth {
    let (status, reason) = match port.link {
        PortLink::Online => ("online", None),
        PortLink::Offline { reason, .. } => ("offline", Some(reason)),
    };
    let boards = port.boards.into_iter().map(|board| BoardHealth {
        address: board.address,
        family: board.family.name(),
        status: match board.link {
            BoardLink::Online => "online",
            BoardLink::Silent => "silent",
            BoardLink::Unknown => "unknown",
        },
        last_answer_age_ms: board.last_answer_age_ms,
        sent: board.counters.sent,
        answered: board.counters.answered,
        timeouts: board.counters.timeouts,
        bad_frames: board.counters.bad_checksum,
    });
    BusHealth {
        name: port.name.as_str().to_owned(),
        status,
        reason,
        reconnects: port.reconnects,
        boards: boards.collect(),
    }
}
