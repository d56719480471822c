//! One step of a port: choose what is most urgent, do it, note what was seen.
//!
//! An opening waits for at most the request under way and one gap, and, right after a connect, for the
//! switching-off of its own board: a later one would cut its pulse short.

use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::Port;
use super::board::{MISSES_SILENT, SwitchOff};
use crate::bus::codec::{LockBits, Refusal, Reply, Request};
use crate::bus::health::{BoardLink, Exchanged};
use crate::bus::opening::Doubt;
use crate::bus::scanner::{Echo, Heard};
use crate::bus::transaction::{Gone, Line, Received};

/// Longest time a port sleeps when nothing is due.
const IDLE_MAX: Duration = Duration::from_secs(2);

/// What is most urgent.
enum Work {
    Open(usize),
    Again(Pending),
    Tool,
    SwitchOff(usize),
    CheckOff(usize),
    Poll(usize),
    Wait(Instant),
}

/// A prepared second pulse: the board's place and the lock.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    pub(super) board: usize,
    pub(super) lock: u8,
}

/// A finished request to one board.
pub(super) struct Answer {
    pub(super) heard: Option<Heard>,
    pub(super) sent_at: Instant,
}

impl Port {
    /// Does one thing.
    pub(super) async fn step(&mut self, line: &mut Line) -> Result<(), Gone> {
        self.beat();
        let now = Instant::now();
        for board in &mut self.boards {
            board.expire(now);
        }
        self.count_strays(line, now);
        for index in 0..self.boards.len() {
            if self.boards[index].is_stale(now) {
                self.publish_unknown(index);
            }
        }
        self.prepare_second_pulses(now);
        let work = self.choose(now, line.echo());
        if !matches!(work, Work::Wait(_)) && now < self.rest_until {
            // The gap is waited out with nothing chosen: an opening that comes meanwhile goes first.
            return self.idle(line, self.rest_until).await;
        }
        let done = self.carry_out(line, work).await;
        self.rest_until = self.rest_until.max(line.free_at());
        done
    }

    async fn carry_out(&mut self, line: &mut Line, work: Work) -> Result<(), Gone> {
        match work {
            Work::Open(index) => match self.waiting.remove(index) {
                Some(open) => self.pulse(line, open).await,
                None => Ok(()),
            },
            Work::Again(pending) => self.pulse_again(line, pending).await,
            Work::Tool => self.ask_for_tool(line).await,
            Work::SwitchOff(index) => self.switch_off(line, index).await,
            Work::CheckOff(index) => self.check_off(line, index).await,
            Work::Poll(index) => self.poll(line, index).await,
            Work::Wait(until) => self.idle(line, until).await,
        }
    }

    fn choose(&mut self, now: Instant, echo: Echo) -> Work {
        let mut wake = now + IDLE_MAX;
        for (index, open) in self.waiting.iter().enumerate() {
            let board = &self.boards[open.board];
            if board.quiet_until > now {
                wake = wake.min(board.quiet_until);
            } else if board.may_switch_off(now) {
                return Work::SwitchOff(open.board);
            } else if board.off == SwitchOff::Due {
                wake = wake.min(board.pulse_until);
            } else if board.wants_look(open.lock)
                || (echo == Echo::Unknown && board.needs_echo_known())
            {
                return Work::Poll(open.board);
            } else {
                match open.turn.may_start(now) {
                    Ok(()) => return Work::Open(index),
                    Err(at) => wake = wake.min(at),
                }
            }
        }
        match self.second_pulse_due(now) {
            Ok(Some(pending)) => return Work::Again(pending),
            Ok(None) => {}
            Err(at) => wake = wake.min(at),
        }
        let calm = |index: &usize| self.boards[*index].quiet_until <= now;
        let all = || (0..self.boards.len()).filter(calm);
        if let Some(index) = all().find(|index| self.boards[*index].may_switch_off(now)) {
            return Work::SwitchOff(index);
        }
        if let Some(index) = all().find(|index| self.boards[*index].off == SwitchOff::Unseen) {
            return Work::CheckOff(index);
        }
        let due = |watched: bool| {
            let boards = all().filter(|index| self.boards[*index].is_watched() == watched);
            let first = boards.min_by_key(|index| self.boards[*index].due())?;
            (self.boards[first].due() <= now).then_some(first)
        };
        // A technician's questions and the polls take turns.
        if !self.tools.is_empty() && !self.last_was_tool {
            return Work::Tool;
        }
        // Watched doors and the others take turns, so that neither starves the other.
        let watched_first = !self.last_poll_watched;
        if let Some(index) = due(watched_first).or_else(|| due(!watched_first)) {
            return Work::Poll(index);
        }
        if !self.tools.is_empty() {
            return Work::Tool;
        }
        let times = |board: &super::Board| [Some(board.due()), board.expires_at(now)];
        let dues = self.boards.iter().flat_map(times);
        Work::Wait(dues.flatten().fold(wake, Instant::min))
    }

    /// The second pulse whose turn has come; `Err` says when to ask again.
    fn second_pulse_due(&self, now: Instant) -> Result<Option<Pending>, Instant> {
        let mut ask_again: Option<Instant> = None;
        let ready = |(_, board): &(usize, &super::Board)| board.off != SwitchOff::Due;
        for (place, board) in self.boards.iter().enumerate().filter(ready) {
            for (lock, second) in board.second_pulses() {
                let from = if board.quiet_until > now {
                    board.quiet_until
                } else {
                    match second.turn.may_start(now) {
                        Ok(()) => return Ok(Some(Pending { board: place, lock })),
                        Err(at) => at,
                    }
                };
                ask_again = Some(ask_again.map_or(from, |at| at.min(from)));
            }
        }
        ask_again.map_or(Ok(None), Err)
    }

    /// Asks one thing and notes everything about it; the board must be able to do it.
    pub(super) async fn ask(
        &mut self,
        line: &mut Line,
        index: usize,
        request: Request,
    ) -> Result<Option<Answer>, Gone> {
        self.ask_within(line, index, request, self.reply_timeout).await
    }

    /// The same, with its own patience.
    pub(super) async fn ask_within(
        &mut self,
        line: &mut Line,
        index: usize,
        request: Request,
        wait: Duration,
    ) -> Result<Option<Answer>, Gone> {
        let board = &self.boards[index];
        let call = board.config.call(request);
        let frame = match board.codec.encode(&call) {
            Ok(frame) => frame,
            Err(error) => {
                let bus = &self.config.name;
                warn!(area = "bus", bus.name = %bus, "bus {bus} cannot ask: {error}");
                return Ok(None);
            }
        };
        let sent_at = line.send(&frame).await.map_err(|not_sent| not_sent.gone)?;
        let received = line.receive(board.codec, &call, wait).await;
        self.note(index, frame.bytes(), sent_at, &received);
        let heard = received.heard?;
        self.judge(index, heard.as_ref(), line.sent_until(), true);
        Ok(Some(Answer { heard, sent_at }))
    }

    /// Counts an exchange and keeps its bytes.
    pub(super) fn note(&mut self, index: usize, tx: &[u8], at: Instant, received: &Received) {
        let late = received.tally.stranger.and_then(|stranger| {
            let now = Instant::now();
            self.boards
                .iter()
                .position(|board| board.config.address == stranger && board.quiet_until > now)
        });
        let answered = matches!(received.heard, Ok(Some(_)));
        let mut tally = received.tally;
        let mut state = self.shared.lock();
        if let Some(late) = late {
            tally.wrong_address = tally.wrong_address.saturating_sub(1);
            state.boards[late].counters.late += 1;
        }
        let record = &mut state.boards[index];
        record.counters.sent += 1;
        record.counters.answered += u64::from(answered);
        record.counters.refused += u64::from(matches!(received.heard, Ok(Some(Heard::Refused(_)))));
        record.counters.add(&tally);
        if answered {
            record.last_answer = Some(Instant::now());
        }
        if let Some(after) = received.after {
            record.reply_times.add(after);
        }
        record.exchanges.keep(Exchanged::new(at, tx, received));
        drop(state);
        self.heard_any |= answered;
        self.last_asked = index;
    }

    /// Draws the conclusions about the board; silence counts only where an answer is `owed`.
    pub(super) fn judge(
        &mut self,
        index: usize,
        heard: Option<&Heard>,
        deadline: Instant,
        owed: bool,
    ) {
        let now = Instant::now();
        let board = &mut self.boards[index];
        let address = board.config.address;
        let bus = &self.config.name;
        if heard.is_some() {
            let was_silent = board.answered(now);
            self.shared.lock().boards[index].set_link(BoardLink::Online);
            if was_silent {
                info!(area = "bus", bus.name = %bus, "board {address} on bus {bus} answers again");
            }
        } else if owed {
            let became_silent = board.missed(deadline.max(now), self.reply_timeout);
            let mut state = self.shared.lock();
            state.boards[index].counters.timeouts += 1;
            if became_silent {
                state.boards[index].set_link(BoardLink::Silent);
                drop(state);
                warn!(
                    area = "bus", bus.name = %bus,
                    "board {address} on bus {bus} is silent after {MISSES_SILENT} requests"
                );
                self.publish_unknown(index);
            }
        }
    }

    /// Bytes nobody asked for: late, when some board was just given up, else noise.
    fn count_strays(&mut self, line: &mut Line, now: Instant) {
        let strays = line.take_strays();
        if strays == 0 {
            return;
        }
        let late = self
            .boards
            .iter()
            .position(|board| board.misses > 0 && board.quiet_until + self.reply_timeout > now);
        let mut state = self.shared.lock();
        if let Some(index) = late {
            state.boards[index].counters.late += 1;
        } else {
            let bytes = u64::try_from(strays).unwrap_or(u64::MAX);
            state.boards[self.last_asked].counters.noise_bytes += bytes;
        }
    }

    /// Switches all outputs of a board off, best effort.
    pub(super) async fn switch_off(&mut self, line: &mut Line, index: usize) -> Result<(), Gone> {
        let answer = self.ask(line, index, Request::AllOff).await?;
        let answered = answer.is_some_and(|answer| answer.heard.is_some());
        self.boards[index].off_tried(answered);
        Ok(())
    }

    /// Looks whether a board's outputs are off; also the first read that shows an echo.
    async fn check_off(&mut self, line: &mut Line, index: usize) -> Result<(), Gone> {
        self.boards[index].off = SwitchOff::Settled;
        let Some(answer) = self.ask(line, index, Request::Relays).await? else { return Ok(()) };
        let board = &self.boards[index];
        let idle = answer.sent_at >= board.pulse_until;
        if let Some(Heard::Reply { reply: Reply::Relays(on), .. }) = answer.heard
            && idle
            && let Some(lock) = on.set_locks(board.config.locks).next()
        {
            let (bus, address) = (&self.config.name, board.config.address);
            warn!(
                area = "bus", bus.name = %bus,
                "output {lock} of board {address} on bus {bus} stays on although switched off"
            );
        }
        Ok(())
    }

    async fn poll(&mut self, line: &mut Line, index: usize) -> Result<(), Gone> {
        self.last_was_tool = false;
        let board = &mut self.boards[index];
        board.asked(Instant::now());
        self.last_poll_watched = board.is_watched();
        let request = board.poll_request();
        let Some(answer) = self.ask(line, index, request).await? else { return Ok(()) };
        match answer.heard {
            Some(Heard::Reply { reply: Reply::Status { inputs, known, .. }, .. }) => {
                self.take_inputs(index, (inputs, known), answer.sent_at);
            }
            Some(Heard::Refused(refusal)) if request == Request::Status && refusal.permanent => {
                self.set_refuses_inputs(index, Some(refusal));
            }
            Some(Heard::Refused(_))
                if request == Request::Status && self.boards[index].withheld_inputs() =>
            {
                self.publish_unknown(index);
            }
            _ => {}
        }
        Ok(())
    }

    /// The board cannot, or can again, read its inputs; a change is logged once.
    fn set_refuses_inputs(&mut self, index: usize, refusal: Option<Refusal>) {
        let board = &mut self.boards[index];
        if board.refuses_inputs == refusal.is_some() {
            return;
        }
        board.refuses_inputs = refusal.is_some();
        self.shared.lock().boards[index].refuses_inputs = refusal.is_some();
        let (bus, address) = (&self.config.name, board.config.address);
        if let Some(refusal) = refusal {
            board.lose_watchers(Doubt::NoClearReading);
            warn!(
                area = "bus", bus.name = %bus,
                "board {address} on bus {bus} has no readable inputs: {refusal}"
            );
            self.publish_unknown(index);
        } else {
            info!(area = "bus", bus.name = %bus, "board {address} on bus {bus} reads inputs again");
        }
    }

    fn take_inputs(&mut self, index: usize, (inputs, known): (LockBits, LockBits), at: Instant) {
        if !self.boards[index].config.doors {
            return;
        }
        self.set_refuses_inputs(index, None);
        let board = &mut self.boards[index];
        if let Some(states) = board.read_inputs(inputs, known, at) {
            let address = board.config.address;
            self.doors.publish(&self.config.name, address, &states, Some(at));
        }
    }
}
