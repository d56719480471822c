//! How the ports and boards are doing: link state, counters and the last raw exchanges.
//!
//! The port task writes, the support page and the alarms read; the lock is held for a copy only.
//! Counters count since start and never decrease.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::bus::codec::hex;
use crate::bus::config::{BusConfig, PortAddress};
use crate::bus::scanner::{Heard, Tally};
use crate::bus::transaction::{Gone, Received};
use crate::domain::channel::{BusName, Family};

/// Raw exchanges kept for each board, and for each port of those with addresses that have no board.
pub const EXCHANGES_KEPT: usize = 200;
/// Upper bounds of the reply time classes, in milliseconds; one more class holds what is slower.
pub const REPLY_TIME_CLASSES_MS: [u32; 9] = [2, 5, 10, 20, 50, 100, 200, 500, 1_000];

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

impl PortLink {
    /// Why it is offline, for a program; `None` when it is not.
    #[must_use]
    pub const fn class(&self) -> Option<OfflineClass> {
        match self {
            Self::Online => None,
            Self::Offline { class, .. } => Some(*class),
        }
    }
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
    /// Frames with which a board told of a change by itself.
    pub unsolicited: u64,
    /// Bytes that belong to no frame.
    pub noise_bytes: u64,
    /// Our own bytes heard back.
    pub echo_bytes: u64,
    /// Echoes that came back spoilt or not at all: somebody talked into a request.
    pub collisions: u64,
    /// Times bytes came after the deadline had passed.
    pub late: u64,
    /// Requests the board refused.
    pub refused: u64,
    /// Second pulses sent because a door stayed closed.
    pub retries: u64,
    /// Times bytes had to be skipped to find a frame.
    pub resyncs: u64,
}

/// How fast a board answers, from the end of the request to the end of the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplyTimes {
    /// Replies counted.
    pub count: u64,
    /// All of them together, in microseconds.
    pub total_us: u64,
    /// The slowest, in microseconds.
    pub slowest_us: u64,
    /// How many fell into each class of [`REPLY_TIME_CLASSES_MS`], the last one beyond them.
    pub classes: [u64; REPLY_TIME_CLASSES_MS.len() + 1],
}

impl ReplyTimes {
    pub(super) fn add(&mut self, after: Duration) {
        let us = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        self.count += 1;
        self.total_us = self.total_us.saturating_add(us);
        self.slowest_us = self.slowest_us.max(us);
        let slower = |limit_ms: &&u32| us > u64::from(**limit_ms) * 1_000;
        self.classes[REPLY_TIME_CLASSES_MS.iter().take_while(slower).count()] += 1;
    }

    /// The mean in microseconds; `None` before the first reply.
    #[must_use]
    pub fn mean_us(&self) -> Option<u64> {
        self.total_us.checked_div(self.count)
    }
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
    /// How fast it answers.
    pub reply_times: ReplyTimes,
}

/// One port's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortHealth {
    /// The bus.
    pub name: BusName,
    /// Its device.
    pub port: PortAddress,
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
    /// From the end of the request to the end of the reply, in microseconds.
    pub after_us: Option<u64>,
    /// How it was judged.
    pub verdict: Cow<'static, str>,
}

/// What one port task shares with readers.
#[derive(Debug)]
pub(super) struct PortBoard(Mutex<PortState>);

#[derive(Debug)]
pub(super) struct PortState {
    name: BusName,
    port: PortAddress,
    link: PortLink,
    since: Instant,
    reconnects: u64,
    was_online: bool,
    pub(super) boards: Vec<BoardRecord>,
    /// Exchanges with addresses that are no configured board.
    strangers: Exchanges,
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
    pub(super) reply_times: ReplyTimes,
    pub(super) exchanges: Exchanges,
}

/// The last exchanges, oldest first.
#[derive(Debug, Default)]
pub(super) struct Exchanges(VecDeque<Exchanged>);

impl Exchanges {
    pub(super) fn keep(&mut self, exchange: Exchanged) {
        if self.0.len() == EXCHANGES_KEPT {
            self.0.pop_front();
        }
        self.0.push_back(exchange);
    }

    fn raw(&self) -> Vec<RawExchange> {
        let raw = |one: &Exchanged| RawExchange {
            at: one.at,
            tx: hex(&one.tx),
            rx: hex(&one.rx),
            after_us: one.after_us,
            verdict: one.verdict.clone(),
        };
        self.0.iter().map(raw).collect()
    }
}

#[derive(Debug)]
pub(super) struct Exchanged {
    at: Instant,
    tx: Box<[u8]>,
    rx: Box<[u8]>,
    after_us: Option<u64>,
    verdict: Cow<'static, str>,
}

impl Exchanged {
    pub(super) fn new(at: Instant, tx: &[u8], received: &Received) -> Self {
        let verdict = match &received.heard {
            Ok(Some(Heard::Reply { reply, proven: true })) => reply.to_string().into(),
            Ok(Some(Heard::Reply { .. })) => "reply, or our own echo".into(),
            Ok(Some(Heard::Refused(refusal))) => format!("refused: {refusal}").into(),
            Ok(None) if received.raw.is_empty() => "no answer".into(),
            Ok(None) => format!("no valid answer: {}", received.tally).into(),
            Err(Gone(reason)) => reason.clone().into(),
        };
        let us = |after: Duration| u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        let after_us = received.after.map(us);
        Self { at, tx: tx.into(), rx: received.raw.as_slice().into(), after_us, verdict }
    }
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
            reply_times: ReplyTimes::default(),
            exchanges: Exchanges::default(),
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
            strangers: Exchanges::default(),
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
            reply_times: record.reply_times,
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

    /// The exchanges with one board, or with addresses that have none.
    pub(super) fn exchanges(&self, address: Option<u8>) -> Option<Vec<RawExchange>> {
        let state = self.lock();
        let Some(address) = address else { return Some(state.strangers.raw()) };
        let board = state.boards.iter().find(|board| board.address == address)?;
        Some(board.exchanges.raw())
    }
}

impl PortState {
    /// Notes the link; returns whether that is news, so that each outage is logged once.
    pub(super) fn set_link(&mut self, link: PortLink) -> bool {
        if self.link == link {
            return false;
        }
        let flips = (link == PortLink::Online) != (self.link == PortLink::Online);
        let is_news = link.class() != self.link.class();
        if link == PortLink::Online {
            self.reconnects += u64::from(self.was_online);
            self.was_online = true;
        } else {
            for board in &mut self.boards {
                board.set_link(BoardLink::Unknown);
            }
        }
        self.link = link;
        // Another reason is not another outage.
        if flips {
            self.since = Instant::now();
        }
        is_news
    }

    /// Keeps an exchange with a board by its place, or with a stranger.
    pub(super) fn keep(&mut self, board: Option<usize>, exchange: Exchanged) {
        match board.and_then(|index| self.boards.get_mut(index)) {
            Some(board) => board.exchanges.keep(exchange),
            None => self.strangers.keep(exchange),
        }
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
        self.resyncs += u64::from(tally.noise_bytes > 0);
        self.noise_bytes += u64::from(tally.noise_bytes);
        self.bad_checksum += u64::from(tally.bad_checksum);
        self.wrong_address += u64::from(tally.wrong_address);
        self.mismatched += u64::from(tally.mismatched);
        self.unsolicited += u64::from(tally.unsolicited);
        self.echo_bytes += u64::from(tally.echo_bytes);
        self.collisions += u64::from(tally.collisions);
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
            let gone = Err(Gone(number.to_string()));
            let (tally, raw) = (Tally::default(), Vec::new());
            let received = Received { heard: gone, tally, raw, after: None };
            state.keep(Some(0), Exchanged::new(Instant::now(), &[1], &received));
            state.keep(None, Exchanged::new(Instant::now(), &[2], &received));
        }
        drop(state);
        assert_eq!(shared.health().reconnects, 1);
        for (address, tx) in [(Some(1), "01"), (None, "02")] {
            let kept = shared.exchanges(address).expect("known");
            assert_eq!((kept.len(), &*kept[0].verdict), (EXCHANGES_KEPT, "1"));
            assert_eq!(kept[0].tx, tx);
        }
        assert_eq!(shared.exchanges(Some(9)), None);
    }

    #[test]
    fn another_reason_is_not_another_outage() {
        let shared = PortBoard::new(&bus("/x".into(), vec![board(1, Family::ModbusRelay)]));
        let away = |reason: &str| PortLink::Offline {
            reason: reason.to_owned(),
            class: OfflineClass::Missing,
        };
        let mut state = shared.lock();
        state.set_link(PortLink::Online);
        assert!(state.set_link(away("it does not answer")));
        let since = state.since;
        assert!(!state.set_link(away("no route")), "logged once");
        assert_eq!((state.since, &state.link), (since, &away("no route")));
    }

    #[test]
    fn reply_times_fall_into_classes() {
        let mut times = ReplyTimes::default();
        assert_eq!(times.mean_us(), None);
        for ms in [1, 2, 3, 2_000] {
            times.add(Duration::from_millis(ms));
        }
        assert_eq!(times.classes, [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((times.mean_us(), times.slowest_us), (Some(501_500), 2_000_000));
    }
}
