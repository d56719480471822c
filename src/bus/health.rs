//! How the ports and boards are doing: link state, counters and the last raw exchanges.
//!
//! The port task writes, the support page and the alarms read; the lock is held for a copy only.
//! Counters count since start and never decrease.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::bus::codec::hex;
use crate::bus::config::BusConfig;
use crate::bus::scanner::Tally;
use crate::domain::channel::{BusName, Family};

/// Raw exchanges kept for each port.
pub const EXCHANGES_KEPT: usize = 200;

/// Why a port cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OfflineClass {
    /// No such device: unplugged, or another name.
    Missing,
    /// The service may not open it.
    Permission,
    /// Another program holds it.
    Busy,
    /// Anything else; the reason tells.
    Other,
}

/// Whether the port is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortLink {
    /// Open and in use.
    Online,
    /// Not usable; tried again all the time.
    Offline {
        /// In words, for a technician.
        reason: String,
        /// For a program.
        class: OfflineClass,
    },
}

/// Whether a board answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BoardLink {
    /// Its last requests were answered.
    Online,
    /// Several requests in a row were not.
    Silent,
    /// Not asked yet, or its port is away.
    Unknown,
}

/// What was counted for one board since start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Requests sent.
    pub sent: u64,
    /// Requests answered, refusals included.
    pub answered: u64,
    /// Requests that had to be answered and were not.
    pub timeouts: u64,
    /// Replies with a wrong checksum or end mark.
    pub bad_checksum: u64,
    /// Intact replies of other boards while this one was asked: perhaps two share an address.
    pub wrong_address: u64,
    /// Intact replies of this board to another question.
    pub mismatched: u64,
    /// Bytes that belong to no frame.
    pub noise_bytes: u64,
    /// Our own bytes heard back.
    pub echo_bytes: u64,
    /// Times bytes came after the deadline had passed.
    pub late: u64,
    /// Requests the board refused.
    pub refused: u64,
}

/// One board's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardHealth {
    /// Its address.
    pub address: u8,
    /// Its family.
    pub family: Family,
    /// Whether it answers.
    pub link: BoardLink,
    /// When that last changed.
    pub since: Instant,
    /// Milliseconds since its last answer; `None` before the first.
    pub last_answer_age_ms: Option<u64>,
    /// Door sensors are configured but the board refuses to read inputs.
    pub refuses_inputs: bool,
    /// What was counted.
    pub counters: Counters,
}

/// One port's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortHealth {
    /// The bus.
    pub name: BusName,
    /// Its device.
    pub port: PathBuf,
    /// Whether it is open.
    pub link: PortLink,
    /// When the link last changed.
    pub since: Instant,
    /// Times it came back after an outage.
    pub reconnects: u64,
    /// Its boards in configured order.
    pub boards: Vec<BoardHealth>,
}

/// One raw exchange, for the support page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawExchange {
    /// When the first byte went out.
    pub at: Instant,
    /// The request's bytes in hex.
    pub tx: String,
    /// All bytes heard while waiting, at most 64, in hex.
    pub rx: String,
    /// How it was judged.
    pub verdict: String,
}

/// What one port task shares with readers.
#[derive(Debug)]
pub(super) struct PortBoard(Mutex<PortState>);

#[derive(Debug)]
pub(super) struct PortState {
    name: BusName,
    port: PathBuf,
    link: PortLink,
    since: Instant,
    reconnects: u64,
    was_online: bool,
    pub(super) boards: Vec<BoardRecord>,
    exchanges: VecDeque<Exchanged>,
}

#[derive(Debug)]
pub(super) struct BoardRecord {
    address: u8,
    family: Family,
    link: BoardLink,
    since: Instant,
    pub(super) last_answer: Option<Instant>,
    pub(super) refuses_inputs: bool,
    pub(super) counters: Counters,
}

#[derive(Debug)]
pub(super) struct Exchanged {
    pub(super) at: Instant,
    pub(super) tx: Vec<u8>,
    pub(super) rx: Vec<u8>,
    pub(super) verdict: String,
}

impl PortBoard {
    pub(super) fn new(config: &BusConfig) -> Self {
        let record = |board: &crate::bus::config::BoardConfig| BoardRecord {
            address: board.address,
            family: board.family,
            link: BoardLink::Unknown,
            since: Instant::now(),
            last_answer: None,
            refuses_inputs: false,
            counters: Counters::default(),
        };
        let reason = "not opened yet".to_owned();
        Self(Mutex::new(PortState {
            name: config.name.clone(),
            port: config.port.clone(),
            link: PortLink::Offline { reason, class: OfflineClass::Other },
            since: Instant::now(),
            reconnects: 0,
            was_online: false,
            boards: config.boards.iter().map(record).collect(),
            exchanges: VecDeque::with_capacity(EXCHANGES_KEPT),
        }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, PortState> {
        // Counters and copies stay readable even after a panic elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn health(&self) -> PortHealth {
        let state = self.lock();
        let age_ms = |at: Instant| u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        let board = |record: &BoardRecord| BoardHealth {
            address: record.address,
            family: record.family,
            link: record.link,
            since: record.since,
            last_answer_age_ms: record.last_answer.map(age_ms),
            refuses_inputs: record.refuses_inputs,
            counters: record.counters,
        };
        PortHealth {
            name: state.name.clone(),
            port: state.port.clone(),
            link: state.link.clone(),
            since: state.since,
            reconnects: state.reconnects,
            boards: state.boards.iter().map(board).collect(),
        }
    }

    pub(super) fn exchanges(&self) -> Vec<RawExchange> {
        let raw = |one: &Exchanged| RawExchange {
            at: one.at,
            tx: hex(&one.tx),
            rx: hex(&one.rx),
            verdict: one.verdict.clone(),
        };
        self.lock().exchanges.iter().map(raw).collect()
    }
}

impl PortState {
    /// Notes the link; returns whether it changed, so that each change is logged once.
    pub(super) fn set_link(&mut self, link: PortLink) -> bool {
        if self.link == link {
            return false;
        }
        if link == PortLink::Online {
            self.reconnects += u64::from(self.was_online);
            self.was_online = true;
        } else {
            for board in &mut self.boards {
                board.set_link(BoardLink::Unknown);
            }
        }
        self.link = link;
        self.since = Instant::now();
        true
    }

    pub(super) fn keep(&mut self, exchange: Exchanged) {
        if self.exchanges.len() == EXCHANGES_KEPT {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(exchange);
    }
}

impl BoardRecord {
    /// Notes whether the board answers.
    pub(super) fn set_link(&mut self, link: BoardLink) {
        if self.link != link {
            self.link = link;
            self.since = Instant::now();
        }
    }
}

impl Counters {
    pub(super) fn add(&mut self, tally: &Tally) {
        self.noise_bytes += u64::from(tally.noise_bytes);
        self.bad_checksum += u64::from(tally.bad_checksum);
        self.wrong_address += u64::from(tally.wrong_address);
        self.mismatched += u64::from(tally.mismatched);
        self.echo_bytes += u64::from(tally.echo_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::config::tests::{board, bus};

    #[test]
    fn the_ring_is_bounded_and_the_first_connect_is_no_reconnect() {
        let shared = PortBoard::new(&bus("/x".into(), vec![board(1, Family::ModbusRelay)]));
        let away = PortLink::Offline { reason: "gone".to_owned(), class: OfflineClass::Missing };
        let mut state = shared.lock();
        assert!(state.set_link(PortLink::Online));
        assert!(!state.set_link(PortLink::Online), "no change");
        assert!(state.set_link(away) && state.set_link(PortLink::Online));
        for number in 0..=EXCHANGES_KEPT {
            let verdict = number.to_string();
            state.keep(Exchanged { at: Instant::now(), tx: vec![1], rx: Vec::new(), verdict });
        }
        drop(state);
        assert_eq!(shared.health().reconnects, 1);
        let kept = shared.exchanges();
        assert_eq!((kept.len(), kept[0].verdict.as_str()), (EXCHANGES_KEPT, "1"));
    }
}
