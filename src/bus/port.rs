//! The task that owns one serial port, from the first attempt to open it until the program stops.
//!
//! One request is under way at a time. What comes next is decided anew after each: openings first,
//! then switching off after a connect, then polls, with watched doors and the others taking turns. A
//! port that goes away is dropped at once and tried again for ever; meanwhile its doors are unknown
//! and openings end as unreachable. All outputs are switched off after each connect and at stop.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::bus::config::BusConfig;
use crate::bus::doors::Doors;
use crate::bus::health::{OfflineClass, PortBoard, PortLink};
use crate::bus::opening::{CoolDowns, Doubt, PulseOutcome, WaitingOpen};
use crate::bus::power::PowerSupplies;
use crate::bus::transaction::{Gone, Line};
use crate::domain::channel::DoorState;

mod board;
mod pulse;
pub(super) mod tool;
mod work;

use board::{Board, PROBE_MAX, Probe};
use tool::ToolAsk;

/// First pause before a lost port is tried again.
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// Longest pause between two tries.
const RETRY_MAX: Duration = Duration::from_secs(2);
/// How long an open port may be mute before it counts as online all the same: its boards are silent.
const ONLINE_UNHEARD: Duration = Duration::from_secs(2);
/// Direct questions about doors that may wait on one port.
pub(super) const READS_WAITING_MAX: usize = 64;
/// Longest time spent on switching off at stop.
const STOP_MAX: Duration = Duration::from_millis(3_500);

/// A direct question about one door.
pub(super) struct ReadDoor {
    pub(super) board: usize,
    pub(super) lock: u8,
    pub(super) answer: oneshot::Sender<DoorState>,
}

/// What a port task is given.
pub(super) struct PortTask {
    pub(super) config: BusConfig,
    pub(super) opens: mpsc::Receiver<WaitingOpen>,
    pub(super) reads: mpsc::Receiver<ReadDoor>,
    pub(super) tools: mpsc::Receiver<ToolAsk>,
    pub(super) doors: Doors,
    pub(super) supplies: PowerSupplies,
    pub(super) cool_downs: CoolDowns,
    pub(super) shared: Arc<PortBoard>,
    /// Counts up as long as the task goes on.
    pub(super) beats: Arc<AtomicU64>,
    pub(super) stop: CancellationToken,
}

/// The state of a port task.
struct Port {
    config: BusConfig,
    reply_timeout: Duration,
    opens: mpsc::Receiver<WaitingOpen>,
    reads: mpsc::Receiver<ReadDoor>,
    tool_asks: mpsc::Receiver<ToolAsk>,
    doors: Doors,
    supplies: PowerSupplies,
    cool_downs: CoolDowns,
    shared: Arc<PortBoard>,
    beats: Arc<AtomicU64>,
    stop: CancellationToken,
    boards: Vec<Board>,
    waiting: VecDeque<WaitingOpen>,
    tools: VecDeque<ToolAsk>,
    last_was_tool: bool,
    last_asked: usize,
    last_poll_watched: bool,
    /// The gap after the last exchange ends here.
    rest_until: Instant,
    heard_any: bool,
}

/// Why the port is no longer served.
enum Left {
    Stopped,
    Lost(Gone),
}

impl PortTask {
    /// Runs until told to stop.
    pub(super) async fn run(self) {
        let now = Instant::now();
        let poll_interval_ms = self.config.poll_interval_ms;
        let boards = self.config.boards.iter();
        let boards = boards.map(|board| Board::new(board.clone(), poll_interval_ms, now)).collect();
        let port = Port {
            reply_timeout: Duration::from_millis(u64::from(self.config.reply_timeout_ms)),
            config: self.config,
            opens: self.opens,
            reads: self.reads,
            tool_asks: self.tools,
            doors: self.doors,
            supplies: self.supplies,
            cool_downs: self.cool_downs,
            shared: self.shared,
            beats: self.beats,
            stop: self.stop,
            boards,
            waiting: VecDeque::new(),
            tools: VecDeque::new(),
            last_was_tool: false,
            last_asked: 0,
            last_poll_watched: false,
            rest_until: Instant::now(),
            heard_any: false,
        };
        port.run().await;
    }
}

impl Port {
    async fn run(mut self) {
        let mut pause = RETRY_FIRST;
        while !self.stop.is_cancelled() {
            self.beat();
            let BusConfig { port, baud, echo, .. } = &self.config;
            match Line::open(port, *baud, self.config.gap(), *echo).await {
                Ok(mut line) => {
                    match self.serve(&mut line).await {
                        Left::Stopped => self.switch_all_off(&mut line).await,
                        Left::Lost(Gone(reason)) => {
                            // The kernel gives the number to the next adapter unless it is closed.
                            drop(line);
                            self.set_offline(&reason, OfflineClass::Missing);
                        }
                    }
                    if std::mem::take(&mut self.heard_any) {
                        pause = RETRY_FIRST;
                    }
                }
                Err(error) => self.set_offline(&error.reason, error.class),
            }
            self.wait_away(pause).await;
            pause = (pause * 2).min(RETRY_MAX);
        }
        self.end_all(Doubt::Stopped, "the program is stopping");
    }

    /// Works until the device is gone or the program stops.
    async fn serve(&mut self, line: &mut Line) -> Left {
        let now = Instant::now();
        for board in &mut self.boards {
            board.begin(now);
            // An earlier run may have pulsed a lock that nobody can switch off.
            if !board.capabilities().reads_outputs {
                let coil = Duration::from_millis(u64::from(board.config.coil_ms()));
                self.supplies.may_be_busy(&board.config.power_supply, now + coil);
            }
        }
        self.heard_any = false;
        while !self.stop.is_cancelled() {
            // A port that opens and is gone at once was never online.
            if self.heard_any || now.elapsed() >= ONLINE_UNHEARD {
                self.set_online();
            }
            self.take_commands();
            if let Err(gone) = self.step(line).await {
                return Left::Lost(gone);
            }
        }
        Left::Stopped
    }

    /// Takes what is queued, without waiting.
    fn take_commands(&mut self) {
        while let Ok(open) = self.opens.try_recv() {
            self.waiting.push_back(open);
        }
        while let Ok(read) = self.reads.try_recv() {
            self.take_read(read);
        }
        while let Ok(ask) = self.tool_asks.try_recv() {
            self.tools.push_back(ask);
        }
    }

    fn take_read(&mut self, read: ReadDoor) {
        let board = &mut self.boards[read.board];
        let full = board.probes.len() >= READS_WAITING_MAX;
        // Dropping the question answers it with unknown.
        if board.sees_doors() && !full {
            let until = Instant::now() + PROBE_MAX;
            let ReadDoor { lock, answer, .. } = read;
            board.probes.push(Probe { lock, until, answer, last_open: None, equal: 0 });
        }
    }

    /// Waits until `until`, a command, a stop or the loss of the device.
    async fn idle(&mut self, line: &mut Line, until: Instant) -> Result<(), Gone> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => {}
            Some(open) = self.opens.recv() => self.waiting.push_back(open),
            Some(read) = self.reads.recv() => self.take_read(read),
            Some(ask) = self.tool_asks.recv() => self.tools.push_back(ask),
            heard = line.listen() => return heard,
            () = tokio::time::sleep_until(until.into()) => {}
        }
        Ok(())
    }

    fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits before the next attempt to open the port; refuses what comes in meanwhile.
    async fn wait_away(&mut self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.stop.is_cancelled() {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {}
                Some(mut open) = self.opens.recv() => {
                    open.sink.end(PulseOutcome::Unreachable(self.away_reason()));
                }
                Some(read) = self.reads.recv() => drop(read),
                // A dropped question tells whoever asked that the port is away.
                Some(ask) = self.tool_asks.recv() => drop(ask),
                () = tokio::time::sleep_until(until.into()) => return,
            }
        }
    }

    fn away_reason(&self) -> String {
        match &self.shared.health().link {
            PortLink::Offline { reason, .. } => reason.clone(),
            PortLink::Online => "the port is being closed".to_owned(),
        }
    }

    fn set_online(&mut self) {
        if self.shared.lock().set_link(PortLink::Online) {
            let (bus, port) = (&self.config.name, &self.config.port);
            info!(area = "bus", bus.name = %bus, "port {port} of bus {bus} is open");
        }
    }

    fn set_offline(&mut self, reason: &str, class: OfflineClass) {
        let link = PortLink::Offline { reason: reason.to_owned(), class };
        if self.shared.lock().set_link(link) {
            let bus = &self.config.name;
            warn!(area = "bus", bus.name = %bus, "bus {bus} is offline: {reason}");
        }
        self.end_all(Doubt::PortLost, reason);
    }

    /// Ends every opening and question, and forgets the doors.
    fn end_all(&mut self, doubt: Doubt, reason: &str) {
        self.take_commands();
        self.tools.clear();
        for mut open in std::mem::take(&mut self.waiting) {
            open.sink.end(PulseOutcome::Unreachable(reason.to_owned()));
        }
        for index in 0..self.boards.len() {
            self.boards[index].lose_watchers(doubt);
            self.publish_unknown(index);
        }
    }

    fn publish_unknown(&mut self, index: usize) {
        let board = &mut self.boards[index];
        let seen = board.forget_doors();
        self.doors.publish(&self.config.name, board.config.address, &seen, None);
    }

    /// At stop: no output stays on, as far as boards listen.
    async fn switch_all_off(&mut self, line: &mut Line) {
        self.end_all(Doubt::Stopped, "the program is stopping");
        let give_up = Instant::now() + STOP_MAX;
        for index in 0..self.boards.len() {
            let switches = self.boards[index].capabilities().reads_outputs;
            if !switches {
                continue;
            }
            if Instant::now() >= give_up || self.switch_off(line, index).await.is_err() {
                let bus = &self.config.name;
                warn!(area = "bus", bus.name = %bus, "bus {bus} closed before all was off");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
