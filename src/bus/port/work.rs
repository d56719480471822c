//! One step of a port: choose what is most urgent, do it, note what was seen.
//!
//! An opening waits for at most the request under way and one gap, and, right after a connect, for the
//! switching-off of its own board: a later one would cut its pulse short.

use std::time::{Duration, Instant};

use tracing::{debug, info, warn};

use super::Port;
use super::board::{MISSES_SILENT, SwitchOff};
use crate::bus::codec::{Call, LockBits, Refusal, Reply, Request};
use crate::bus::health::{BoardLink, Exchanged};
use crate::bus::opening::{Doubt, EventSink, Happened, PulseOutcome, WaitingOpen, Watch};
use crate::bus::scanner::{Echo, Heard};
use crate::bus::transaction::{Gone, Line, Received};
use crate::domain::channel::{Channel, DoorState};

/// Longest wait for a reply that some boards give and others do not.
const OPTIONAL_REPLY: Duration = Duration::from_millis(100);
/// Longest time a port sleeps when nothing is due.
const IDLE_MAX: Duration = Duration::from_secs(2);

/// What is most urgent.
enum Work {
    Open(usize),
    SwitchOff(usize),
    CheckOff(usize),
    Poll(usize),
    Wait(Instant),
}

/// A finished request to one board.
struct Answer {
    heard: Option<Heard>,
    sent_at: Instant,
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
        let work = self.choose(now);
        if !matches!(work, Work::Wait(_)) && now < self.rest_until {
            // The gap is waited out with nothing chosen: an opening that comes meanwhile goes first.
            return self.idle(line, self.rest_until).await;
        }
        let done = self.carry_out(line, work).await;
        self.rest_until = line.free_at();
        done
    }

    async fn carry_out(&mut self, line: &mut Line, work: Work) -> Result<(), Gone> {
        match work {
            Work::Open(index) => match self.waiting.remove(index) {
                Some(open) => self.pulse(line, open).await,
                None => Ok(()),
            },
            Work::SwitchOff(index) => self.switch_off(line, index).await,
            Work::CheckOff(index) => self.check_off(line, index).await,
            Work::Poll(index) => self.poll(line, index).await,
            Work::Wait(until) => self.idle(line, until).await,
        }
    }

    fn choose(&mut self, now: Instant) -> Work {
        let mut wake = now + IDLE_MAX;
        for (index, open) in self.waiting.iter().enumerate() {
            let board = &self.boards[open.board];
            if board.quiet_until > now {
                wake = wake.min(board.quiet_until);
            } else if board.off == SwitchOff::Due {
                return Work::SwitchOff(open.board);
            } else {
                match open.turn.may_start(now) {
                    Ok(()) => return Work::Open(index),
                    Err(at) => wake = wake.min(at),
                }
            }
        }
        let calm = |index: &usize| self.boards[*index].quiet_until <= now;
        let all = || (0..self.boards.len()).filter(calm);
        if let Some(index) = all().find(|index| self.boards[*index].off == SwitchOff::Due) {
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
        // Watched doors and the others take turns, so that neither starves the other.
        let watched_first = !self.last_poll_watched;
        if let Some(index) = due(watched_first).or_else(|| due(!watched_first)) {
            return Work::Poll(index);
        }
        let dues = self.boards.iter().flat_map(|board| [Some(board.due()), board.expires_at()]);
        Work::Wait(dues.flatten().fold(wake, Instant::min))
    }

    /// Asks one thing and notes everything about it; the board must be able to do it.
    async fn ask(
        &mut self,
        line: &mut Line,
        index: usize,
        request: Request,
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
        let received = line.receive(board.codec, &call, self.reply_timeout).await;
        self.note(index, frame.bytes(), sent_at, &received);
        let heard = received.heard?;
        self.judge(index, heard.as_ref(), line.sent_until(), true);
        Ok(Some(Answer { heard, sent_at }))
    }

    /// Counts an exchange and keeps its bytes.
    fn note(&mut self, index: usize, tx: &[u8], at: Instant, received: &Received) {
        let late = received.tally.stranger.and_then(|stranger| {
            let now = Instant::now();
            self.boards
                .iter()
                .position(|board| board.config.address == stranger && board.quiet_until > now)
        });
        let verdict = match &received.heard {
            Ok(Some(Heard::Reply { reply, proven: true })) => format!("{reply:?}"),
            Ok(Some(Heard::Reply { .. })) => "reply, or our own echo".to_owned(),
            Ok(Some(Heard::Refused(refusal))) => format!("refused: {refusal}"),
            Ok(None) if received.raw.is_empty() => "no answer".to_owned(),
            Ok(None) => format!("no valid answer: {:?}", received.tally),
            Err(Gone(reason)) => reason.clone(),
        };
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
        let (tx, rx) = (tx.to_vec(), received.raw.clone());
        state.keep(Exchanged { at, tx, rx, verdict });
        drop(state);
        self.heard_any |= answered;
        self.last_asked = index;
    }

    /// Draws the conclusions about the board; silence counts only where an answer is `owed`.
    fn judge(&mut self, index: usize, heard: Option<&Heard>, deadline: Instant, owed: bool) {
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
        let board = &mut self.boards[index];
        board.asked(Instant::now());
        self.last_poll_watched = board.is_watched();
        let request = board.poll_request();
        let Some(answer) = self.ask(line, index, request).await? else { return Ok(()) };
        match answer.heard {
            Some(Heard::Reply { reply: Reply::Status { inputs, .. }, .. }) => {
                self.take_inputs(index, inputs, answer.sent_at);
            }
            Some(Heard::Refused(refusal)) if request == Request::Status && refusal.permanent => {
                self.set_refuses_inputs(index, Some(refusal));
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

    fn take_inputs(&mut self, index: usize, inputs: LockBits, at: Instant) {
        if !self.boards[index].config.doors {
            return;
        }
        self.set_refuses_inputs(index, None);
        let board = &mut self.boards[index];
        if let Some(states) = board.read_inputs(inputs, at) {
            let address = board.config.address;
            self.doors.publish(&self.config.name, address, &states, Some(at));
        }
    }

    /// Sends one pulse, once, and begins to watch its door.
    async fn pulse(&mut self, line: &mut Line, open: WaitingOpen) -> Result<(), Gone> {
        let WaitingOpen { board: index, lock, turn, reserved, mut sink, place } = open;
        let board = &self.boards[index];
        let can = board.capabilities();
        let request = Request::Pulse { lock, duration_ms: board.config.pulse_ms };
        let call = board.config.call(request);
        let frame = match board.codec.encode(&call) {
            Ok(frame) => frame,
            Err(error) => {
                sink.end(PulseOutcome::Refused(error.to_string()));
                return Ok(());
            }
        };
        let sent_at = match line.send(&frame).await {
            Ok(at) => at,
            Err(not_sent) => {
                sink.end(if not_sent.started {
                    reserved.pulsed(Instant::now());
                    PulseOutcome::Unconfirmed(Doubt::PortLost)
                } else {
                    PulseOutcome::Unreachable(not_sent.gone.0.clone())
                });
                return Err(not_sent.gone);
            }
        };
        let coil = Duration::from_millis(u64::from(can.coil_ms(board.config.pulse_ms)));
        let coil_off_at = line.sent_until() + coil;
        turn.spend(coil_off_at);
        reserved.pulsed(sent_at);
        drop(place);
        sink.note(Happened::Sent, sent_at);
        self.boards[index].pulse_until = coil_off_at;
        let acknowledged = match self.acknowledge(line, index, &call, frame.bytes(), sent_at).await
        {
            Ok(acknowledged) => acknowledged,
            Err(gone) => {
                sink.end(PulseOutcome::Unconfirmed(Doubt::PortLost));
                return Err(gone);
            }
        };
        if acknowledged == Ok(()) {
            sink.note(Happened::Acknowledged, Instant::now());
        }
        self.follow(index, lock, sink, sent_at, acknowledged);
        Ok(())
    }

    /// Waits for the board's word on a pulse: `Err` says what is known instead.
    async fn acknowledge(
        &mut self,
        line: &mut Line,
        index: usize,
        call: &Call,
        tx: &[u8],
        sent_at: Instant,
    ) -> Result<Result<(), PulseOutcome>, Gone> {
        let board = &self.boards[index];
        let owed = board.capabilities().answers_pulse;
        let wait = match (owed, board.config.answers_unlock) {
            (true, _) => self.reply_timeout,
            (false, Some(false)) => Duration::ZERO,
            (false, _) => OPTIONAL_REPLY.min(self.reply_timeout),
        };
        let received = line.receive(board.codec, call, wait).await;
        self.note(index, tx, sent_at, &received);
        let heard = received.heard?;
        self.judge(index, heard.as_ref(), line.sent_until(), owed);
        let doubt = |doubt| Ok(Err(PulseOutcome::Unconfirmed(doubt)));
        match heard {
            Some(Heard::Refused(refusal)) => Ok(Err(PulseOutcome::Refused(refusal.to_string()))),
            Some(Heard::Reply { proven: true, .. }) if line.echo() != Echo::Present => Ok(Ok(())),
            Some(Heard::Reply { .. }) => self.look_at_output(line, index, call).await,
            None if owed || self.boards[index].config.answers_unlock == Some(true) => {
                doubt(Doubt::NoAnswer)
            }
            None => doubt(Doubt::NeverAnswers),
        }
    }

    /// On a line that may echo, the reply to a pulse proves nothing: the output must be seen on.
    async fn look_at_output(
        &mut self,
        line: &mut Line,
        index: usize,
        call: &Call,
    ) -> Result<Result<(), PulseOutcome>, Gone> {
        let unconfirmed = |doubt| Ok(Err(PulseOutcome::Unconfirmed(doubt)));
        let Request::Pulse { lock, .. } = call.request else { return Ok(Ok(())) };
        if !self.boards[index].capabilities().pulse_reply_like_request {
            return Ok(Ok(()));
        }
        let answer = self.ask(line, index, Request::Relays).await?;
        match answer.and_then(|answer| answer.heard) {
            Some(Heard::Reply { reply: Reply::Relays(on), .. })
                // No echo on this line after all: the reply was the board's.
                if on.lock(lock) || line.echo() == Echo::Absent =>
            {
                Ok(Ok(()))
            }
            Some(_) => unconfirmed(Doubt::OutputStayedOff),
            None => unconfirmed(Doubt::NoAnswer),
        }
    }

    /// Watches the door of a pulse that went out, or ends the opening where none can be seen.
    fn follow(
        &mut self,
        index: usize,
        lock: u8,
        mut sink: EventSink,
        sent_at: Instant,
        acknowledged: Result<(), PulseOutcome>,
    ) {
        let board = &mut self.boards[index];
        let (bus, address) = (&self.config.name, board.config.address);
        debug!(
            area = "bus", bus.name = %bus,
            "pulse on {bus}/{address}/{lock} sent, acknowledged: {acknowledged:?}"
        );
        let sees_doors = board.sees_doors();
        match acknowledged {
            Err(refused @ PulseOutcome::Refused(_)) => sink.end(refused),
            Ok(()) if !sees_doors => sink.end(PulseOutcome::Accepted),
            Err(doubt) if !sees_doors => sink.end(doubt),
            _ => {
                let channel = Channel { bus: bus.clone(), board: address, lock };
                let was_open = self.doors.get(&channel).state == DoorState::Open;
                // A new opening takes over the watch for its door's closing.
                board.watches.retain(|watch| watch.lock != lock || watch.opening_until().is_some());
                let doubt = match acknowledged {
                    Err(PulseOutcome::Unconfirmed(Doubt::NoAnswer)) => Doubt::NoAnswer,
                    _ => Doubt::NoClearReading,
                };
                board.watches.push(Watch::new(lock, sink, was_open, sent_at, doubt));
            }
        }
    }
}
