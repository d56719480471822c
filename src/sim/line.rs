//! One serial line: bytes between its port and the boards, with their time on the wire.
//!
//! A single task runs each line as a small state machine: it does what is due, then sleeps until
//! the next moment, a byte, an order or the stop. With pacing, received bytes count as heard only
//! when their last bit would have arrived, and replies leave byte by byte. The line judges what
//! belongs to the wire: the gap before a request and talking over a board, the latter only while it
//! is on time itself: a busy machine must not make faults of its own. A half frame is thrown
//! away after 20 ms of silence (3.5 characters would be too strict for a pseudo-terminal, whose
//! chunks may come late). Started by `sim.rs`.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::config::SimBus;
use super::framer::Framer;
use super::port::{self, Place, Port};
use super::pty::ReadResult;
use super::report::{Direction, ViolationKind};
use super::world::{Answer, Heard, Pulled, World, byte_us};

/// Orders that may wait for a line.
pub(super) const ORDERS_MAX: usize = 8;
/// Silence after which a half frame is thrown away.
const SILENCE_US: u64 = 20_000;
/// How often a port that nobody has open is looked at.
const NO_CLIENT_POLL_US: u64 = 20_000;
/// How often boards that tell of changes by themselves look at their locks.
const NEWS_US: u64 = 10_000;
/// Time the client has to read a reply before the adapter vanishes after it.
const PULL_AFTER_US: u64 = 5_000;
/// Longest sleep when nothing is due.
const IDLE_US: u64 = 60_000_000;
/// Paced bytes are sent in portions of about this time.
const PORTION_US: u64 = 2_000;
/// Behind its own times by more than this, the line knows no more when a byte was written.
const LATE_US: u64 = 5_000;
const READ_LEN: usize = 1_024;
/// Reads in one go before other things get their turn.
const READS_PER_TURN_MAX: usize = 4;
/// Received bytes that may be on their way through the wire.
const INBOX_BYTES_MAX: usize = 4_096;
/// Replies that may wait for the line.
const OUTBOX_MAX: usize = 64;

/// What the handle asks of a line.
#[derive(Debug)]
pub(super) enum Order {
    /// Pull the adapter.
    Unplug(oneshot::Sender<()>),
    /// Put it back: a new pseudo-terminal, or the gateway where it was.
    Replug(oneshot::Sender<io::Result<()>>),
}

#[derive(Debug)]
struct Arrived {
    end_us: u64,
    /// Bits a second.
    baud: u32,
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Sending {
    bytes: Vec<u8>,
    sent: usize,
    start_us: u64,
    /// When it should have begun.
    due_us: u64,
    /// Time of a byte; 0 sends all at once.
    step_us: u64,
    unasked: bool,
    pulled: Option<Pulled>,
}

impl Sending {
    /// How many bytes should have left by `now_us`.
    fn due(&self, now_us: u64) -> usize {
        match now_us.saturating_sub(self.start_us).checked_div(self.step_us) {
            None => self.bytes.len(),
            Some(count) => usize::try_from(count).unwrap_or(usize::MAX).min(self.bytes.len()),
        }
    }

    /// When the next portion is due.
    fn next_us(&self) -> u64 {
        let Some(portion) = PORTION_US.checked_div(self.step_us) else { return self.start_us };
        let upto = (self.sent as u64 + portion.max(1)).min(self.bytes.len() as u64);
        self.start_us + upto * self.step_us
    }

    /// Whether a line that was on time would be further by now.
    fn is_late(&self, now_us: u64) -> bool {
        let begun_late_us = self.start_us.saturating_sub(self.due_us);
        begun_late_us.max(now_us.saturating_sub(self.next_us())) > LATE_US
    }
}

/// See the file's head.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one line")]
pub(super) struct Line {
    index: usize,
    shared: Arc<Shared>,
    config: SimBus,
    pacing: bool,
    /// The time of a byte at the speed of the last request.
    byte_us: u64,
    port: Port,
    /// Where the port is; none while unplugged.
    place: Option<Place>,
    /// Where it was before: a terminal comes back as another one, a gateway as the same.
    last_place: Option<Place>,
    /// Whether a client had the port open when it was last read.
    connected: bool,
    look_again_us: u64,
    replug_at_us: Option<u64>,
    /// The adapter vanishes then; the client is left the time to read what came before.
    pull_at: Option<(u64, Pulled)>,
    /// A fault keeps the client's bytes from being read.
    stalled: bool,
    /// When boards that tell of changes look again; none: no board here does.
    news_at_us: Option<u64>,
    framers: Vec<Framer>,
    inbox: VecDeque<Arrived>,
    /// When the last byte received so far has passed the wire.
    heard_until_us: u64,
    silence_at_us: Option<u64>,
    understood: bool,
    outbox: VecDeque<Answer>,
    sending: Option<Sending>,
    /// End of the last transmission either way, for the gap before the next request.
    last_end_us: Option<u64>,
}

impl Line {
    /// Opens the port of the bus.
    pub(super) fn open(index: usize, shared: &Arc<Shared>) -> io::Result<Self> {
        let world = shared.world();
        let bus = &world.buses[index];
        let (config, pacing) = (bus.config.clone(), world.pacing);
        drop(world);
        let mut families = Vec::new();
        for board in &config.boards {
            if !families.contains(&board.family) {
                families.push(board.family);
            }
        }
        let mut line = Self {
            index,
            shared: Arc::clone(shared),
            byte_us: byte_us(config.baud),
            news_at_us: config.boards.iter().any(|board| board.reports_changes).then_some(0),
            config,
            pacing,
            port: Port::Unplugged,
            place: None,
            last_place: None,
            connected: false,
            look_again_us: 0,
            replug_at_us: None,
            pull_at: None,
            stalled: false,
            framers: families.into_iter().map(Framer::new).collect(),
            inbox: VecDeque::new(),
            heard_until_us: 0,
            silence_at_us: None,
            understood: false,
            outbox: VecDeque::new(),
            sending: None,
            last_end_us: None,
        };
        line.plug()?;
        Ok(line)
    }

    /// Runs until stopped; the link is gone afterwards.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>, stop: CancellationToken) {
        loop {
            self.work();
            let now_us = self.shared.now_us();
            let wait = Duration::from_micros(self.next_us().saturating_sub(now_us));
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => break,
                },
                hung_up = self.port.readable(), if !self.stalled => {
                    if hung_up {
                        self.port.detach();
                    }
                    self.read();
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.unplug();
    }

    fn obey(&mut self, order: Order) {
        // The one who asked may have stopped waiting; that is no fault of the line.
        match order {
            Order::Unplug(done) => {
                self.replug_at_us = None;
                self.unplug();
                let _ = done.send(());
            }
            Order::Replug(done) => {
                let _ = done.send(self.plug());
            }
        }
    }

    fn plug(&mut self) -> io::Result<()> {
        self.replug_at_us = None;
        if self.place.is_some() {
            return Ok(());
        }
        let (port, place) = Port::open(&self.config, self.last_place.as_ref())?;
        self.port = port;
        self.look_again_us = 0;
        self.place = Some(place.clone());
        self.with_bus(|bus| match place {
            Place::Terminal(path) => bus.pts = Some(path),
            Place::Gateway(address) => bus.tcp = Some(address),
        });
        Ok(())
    }

    /// The last client has gone: the next one gets a fresh port.
    fn renew_port(&mut self) {
        let Err(error) = self.port.renew(self.config.baud) else { return };
        tracing::debug!(area = "sim", bus = self.config.name, %error, "new terminal");
        self.leave_place();
        if let Err(error) = self.plug() {
            tracing::error!(area = "sim", bus = self.config.name, %error, "port lost");
            self.unplug();
        }
    }

    fn leave_place(&mut self) {
        if let Some(place) = self.place.take() {
            port::unlink(&self.config, &place);
            self.last_place = Some(place);
        }
    }

    /// The boards keep their power: coils and doors go on.
    fn unplug(&mut self) {
        self.leave_place();
        self.port = Port::Unplugged;
        self.connected = false;
        self.silence_at_us = Some(self.shared.now_us());
        self.pull_at = None;
        self.inbox.clear();
        self.outbox.clear();
        self.sending = None;
        self.with_bus(|bus| {
            bus.pts = None;
            bus.tcp = None;
            bus.connected = false;
        });
    }

    fn with_bus(&self, change: impl FnOnce(&mut super::world::Bus)) {
        change(&mut self.shared.world().buses[self.index]);
    }

    fn next_us(&self) -> u64 {
        let sending = self.sending.as_ref().map(Sending::next_us);
        let waiting = self.port.must_be_watched().then_some(self.look_again_us);
        let reply = self.outbox.front().map(|answer| answer.due_us);
        let now_us = self.shared.now_us();
        [
            sending.or(reply),
            waiting,
            self.replug_at_us,
            self.pull_at.map(|(at_us, _)| at_us),
            self.stalled.then_some(now_us + NO_CLIENT_POLL_US),
            self.news_at_us,
            self.silence_at_us,
            self.inbox.front().map(|arrived| arrived.end_us),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(now_us + IDLE_US)
    }

    /// Does everything that is due now.
    fn work(&mut self) {
        let now_us = self.shared.now_us();
        self.stalled = self.shared.world().stalls(self.index, now_us);
        if let Some((at_us, pulled)) = self.pull_at
            && at_us <= now_us
        {
            self.pull(pulled, at_us);
        }
        if self.replug_at_us.is_some_and(|at| at <= now_us)
            && let Err(error) = self.plug()
        {
            tracing::error!(area = "sim", bus = self.config.name, %error, "replug failed");
        }
        if self.port.must_be_watched() && self.look_again_us <= now_us {
            self.read();
        }
        while self.inbox.front().is_some_and(|arrived| arrived.end_us <= now_us) {
            if let Some(arrived) = self.inbox.pop_front() {
                self.hear(&arrived);
            }
        }
        if self.silence_at_us.is_some_and(|at| at <= now_us) {
            // On a busy machine the bytes that broke the silence may still wait to be read.
            self.read();
            if self.silence_at_us.is_some() {
                self.fall_silent(now_us);
            }
        }
        if self.news_at_us.is_some_and(|at| at <= now_us) {
            self.news_at_us = Some(now_us + NEWS_US);
            let news = self.shared.world().news(self.index, now_us);
            for answer in news {
                self.queue(answer);
            }
        }
        self.send(now_us);
    }

    /// Takes what the client has written, and notices when it comes or goes.
    fn read(&mut self) {
        let mut buffer = [0_u8; READ_LEN];
        // A fault may have been set since the line last looked.
        self.stalled = self.shared.world().stalls(self.index, self.shared.now_us());
        if self.stalled {
            return;
        }
        for _ in 0..READS_PER_TURN_MAX {
            let result = self.port.read(&mut buffer);
            let connected = self.port.is_attached();
            if connected != self.connected {
                self.connected = connected;
                self.with_bus(|bus| bus.connected = connected);
                if !connected {
                    self.renew_port();
                }
            }
            match result {
                ReadResult::Bytes(count) => self.arrive(&buffer[..count]),
                ReadResult::Nothing => return,
                ReadResult::NoClient => {
                    self.look_again_us = self.shared.now_us() + NO_CLIENT_POLL_US;
                    return;
                }
            }
        }
    }

    /// Bytes come from the client: judge their moment and send them through the wire.
    fn arrive(&mut self, bytes: &[u8]) {
        let now_us = self.shared.now_us();
        let mut world = self.shared.world();
        world.note_bytes(self.index, Direction::Rx, now_us, bytes);
        let unasked = self.sending.as_ref().is_some_and(|sending| sending.unasked);
        let talking = self.sending.is_some() || self.outbox.iter().any(|answer| answer.follows);
        if talking {
            // Half duplex: a board that sends hears nothing.
            let late = self.sending.as_ref().is_some_and(|sending| sending.is_late(now_us));
            if !unasked && !late {
                let detail = format!("{} bytes came while a board was sending", bytes.len());
                world.violate_line(self.index, ViolationKind::TalkedOver, now_us, detail);
                world.buses[self.index].counters.talked_over_bytes += bytes.len() as u64;
            }
            world.buses[self.index].counters.lost_bytes += bytes.len() as u64;
            return;
        }
        let waiting: usize = self.inbox.iter().map(|arrived| arrived.bytes.len()).sum();
        if waiting + bytes.len() > INBOX_BYTES_MAX {
            world.buses[self.index].counters.lost_bytes += bytes.len() as u64;
            return;
        }
        let baud = self.port.client_baud().unwrap_or(self.config.baud);
        if !world.buses[self.index].hears(baud) {
            world.buses[self.index].counters.baud_mismatches += 1;
            let garbage = world.garbage();
            drop(world);
            self.queue(Answer { due_us: now_us, bytes: garbage, ..Answer::default() });
            return;
        }
        self.byte_us = byte_us(baud);
        let wire_us = if self.pacing { bytes.len() as u64 * self.byte_us } else { 0 };
        let start_us = now_us.max(self.heard_until_us);
        let fresh = self.inbox.is_empty() && self.framers.iter().all(Framer::is_idle);
        if let Some(last_end_us) = self.last_end_us
            && fresh
        {
            self.judge_gap(&mut world, start_us, start_us.saturating_sub(last_end_us));
        }
        drop(world);
        let end_us = start_us + wire_us;
        self.heard_until_us = end_us;
        self.last_end_us = Some(end_us);
        self.silence_at_us = None;
        self.inbox.push_back(Arrived { end_us, baud, bytes: bytes.to_vec() });
    }

    fn judge_gap(&self, world: &mut World, at_us: u64, gap_us: u64) {
        if self.pacing {
            let shortest_us = &mut world.buses[self.index].shortest_gap_us;
            *shortest_us = Some(shortest_us.map_or(gap_us, |shortest| shortest.min(gap_us)));
        }
        let needed_us = self.byte_us * 7 / 2;
        if self.pacing && gap_us < needed_us {
            let detail = format!("{gap_us} us of silence before a request, {needed_us} needed");
            world.violate_line(self.index, ViolationKind::GapTooShort, at_us, detail);
        }
    }

    /// Bytes have passed the wire: echo them, cut them into frames, let the boards act.
    fn hear(&mut self, arrived: &Arrived) {
        self.silence_at_us = Some(arrived.end_us + SILENCE_US);
        let echo = self.shared.world().echoes(self.index);
        if let Some(len) = echo {
            self.put(&arrived.bytes[..len.min(arrived.bytes.len())], arrived.end_us);
        }
        let mut all = std::mem::take(&mut self.framers);
        let mut understood_by = None;
        for framer in &mut all {
            let frames = framer.feed(&arrived.bytes);
            let run_together = frames.len() > 1 || (frames.len() == 1 && !framer.is_idle());
            if run_together {
                self.judge_gap(&mut self.shared.world(), arrived.end_us, 0);
            }
            if !frames.is_empty() && framer.is_idle() {
                understood_by = Some(framer.family);
            }
            for frame in frames {
                self.take(framer, &frame, Heard { at_us: arrived.end_us, baud: arrived.baud });
            }
        }
        if understood_by.is_some() {
            // Boards of other families end such bytes by 3.5 characters of silence, which the
            // reply and the gap bring before the next request.
            for framer in all.iter_mut().filter(|framer| Some(framer.family) != understood_by) {
                framer.forget();
            }
        }
        self.framers = all;
    }

    fn take(&mut self, framer: &Framer, frame: &[u8], heard: Heard) {
        self.understood = true;
        let outcome = self.shared.world().request(self.index, framer.family, frame, heard);
        for answer in outcome.answers {
            self.queue(answer);
        }
        if let Some(pulled) = outcome.pulled {
            self.pull(pulled, heard.at_us);
        }
    }

    fn pull(&mut self, pulled: Pulled, at_us: u64) {
        self.unplug();
        self.replug_at_us = pulled.back_after_ms.map(|ms| at_us + u64::from(ms) * 1_000);
    }

    fn fall_silent(&mut self, now_us: u64) {
        self.silence_at_us = None;
        let mut all = std::mem::take(&mut self.framers);
        let mut bad = false;
        for framer in &mut all {
            if let Some(frame) = framer.silence() {
                let heard = Heard {
                    at_us: now_us,
                    baud: self.port.client_baud().unwrap_or(self.config.baud),
                };
                self.take(framer, &frame, heard);
            }
            bad |= std::mem::take(&mut framer.bad);
        }
        self.framers = all;
        // On a bus of mixed families each frame is noise to the other family.
        if bad && !std::mem::take(&mut self.understood) {
            self.with_bus(|bus| bus.counters.bad_frames += 1);
        }
        self.understood = false;
    }

    fn queue(&mut self, answer: Answer) {
        if self.outbox.len() >= OUTBOX_MAX {
            self.with_bus(|bus| bus.counters.lost_bytes += answer.bytes.len() as u64);
            return;
        }
        let place = self.outbox.partition_point(|other| other.due_us <= answer.due_us);
        self.outbox.insert(place, answer);
    }

    /// Sends what is due of the current reply, then starts the next.
    fn send(&mut self, now_us: u64) {
        for _ in 0..=OUTBOX_MAX {
            if self.sending.is_none() && !self.start_next(now_us) {
                return;
            }
            let Some(sending) = &self.sending else { return };
            let due = sending.due(now_us);
            let start_us = sending.start_us;
            let last = due == sending.bytes.len();
            if due > sending.sent {
                let at_once = last && sending.sent == 0;
                if !at_once {
                    // Bytes that came meanwhile were sent over the board's talk.
                    self.read();
                }
                self.put_portion(due, start_us, now_us);
            }
            if !last {
                return;
            }
            if let Some(pulled) = self.sending.take().and_then(|sending| sending.pulled) {
                self.pull_at = Some((now_us + PULL_AFTER_US, pulled));
            }
        }
    }

    fn start_next(&mut self, now_us: u64) -> bool {
        if self.outbox.front().is_none_or(|answer| answer.due_us > now_us) {
            return false;
        }
        // A client that has just closed the port must be noticed: its successor may not get this.
        self.read();
        let Some(answer) = self.outbox.pop_front() else { return false };
        let pace_us = if self.pacing { self.byte_us } else { 0 };
        let step_us = answer.drip_us.map_or(pace_us, |drip_us| drip_us.max(pace_us));
        let Answer { bytes, due_us, unasked, pulled, .. } = answer;
        let start_us = now_us;
        self.sending = Some(Sending { bytes, sent: 0, start_us, due_us, step_us, unasked, pulled });
        true
    }

    fn put_portion(&mut self, due: usize, start_us: u64, now_us: u64) {
        let Some(sending) = &mut self.sending else { return };
        let from = std::mem::replace(&mut sending.sent, due);
        let portion = sending.bytes[from..due].to_vec();
        if due == sending.bytes.len() {
            // Noted before the last byte leaves, so that who has the reply also finds the record.
            self.last_end_us = Some(now_us.max(self.last_end_us.unwrap_or(0)));
            let mut world = self.shared.world();
            world.note_bytes(self.index, Direction::Tx, start_us, &sending.bytes);
            world.buses[self.index].counters.replies += 1;
        }
        self.write(&portion);
    }

    /// Sends bytes at once.
    fn put(&self, bytes: &[u8], at_us: u64) {
        self.shared.world().note_bytes(self.index, Direction::Tx, at_us, bytes);
        self.write(bytes);
    }

    fn write(&self, bytes: &[u8]) {
        let lost = bytes.len() - self.port.write(bytes).min(bytes.len());
        if lost > 0 {
            self.with_bus(|bus| bus.counters.lost_bytes += lost as u64);
        }
    }
}
