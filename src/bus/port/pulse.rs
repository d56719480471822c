//! Pulses: the one thing a port does that moves something, and everything that guards it.
//!
//! A pulse goes out at most once for an opening, and once more only when two equal reads after it show
//! the door closed, its coil has rested and its supply is free. The board times it; where the site
//! allows a software pulse, the coil is switched off on every way out of here, and by the all-off of
//! the next connect when the port went away in between.

use std::time::{Duration, Instant};

use tracing::{debug, error};

use super::Port;
use super::work::{Answer, Pending};
use crate::bus::codec::{Call, Reply, Request};
use crate::bus::opening::{
    Doubt, EventSink, Happened, PulseOutcome, Pulsed, SecondPulse, WaitingOpen, Watch,
};
use crate::bus::scanner::{Echo, Heard};
use crate::bus::transaction::{Gone, Line, NotSent};
use crate::domain::channel::{Channel, DoorState};

/// Longest wait for a reply that some boards give and others do not.
const OPTIONAL_REPLY: Duration = Duration::from_millis(100);
/// Longest rest of a coil for which an opening still waits to pulse again.
const AGAIN_REST_MAX: Duration = Duration::from_secs(5);
/// How often a coil that this program holds is told to go off before the board is given up.
const OFF_TRIES_MAX: u32 = 5;
/// How long a supply is left alone when a coil of it may have stayed on.
const HELD_MAX: Duration = Duration::from_secs(10);
/// How long each of those waits for its answer.
const OFF_REPLY_MAX: Duration = Duration::from_millis(150);

/// What is known of a pulse right after it went out: `Err` says what instead of an acknowledgement.
type Acknowledged = Result<(), PulseOutcome>;

/// A pulse that went out.
struct Sent {
    at: Instant,
    coil_off_at: Instant,
    acknowledged: Result<Acknowledged, Gone>,
}

/// Why no pulse went out.
enum Unsent {
    /// The board cannot do it.
    Refused(String),
    /// The port went away.
    Gone(NotSent),
}

impl Port {
    /// Sends one pulse and begins to watch its door.
    pub(super) async fn pulse(&mut self, line: &mut Line, open: WaitingOpen) -> Result<(), Gone> {
        let WaitingOpen { board: index, lock, once, turn, reserved, mut sink, place } = open;
        let sent = match self.send_pulse(line, index, lock).await {
            Ok(sent) => sent,
            Err(Unsent::Refused(why)) => {
                sink.end(PulseOutcome::Refused(why));
                return Ok(());
            }
            Err(Unsent::Gone(not_sent)) => {
                sink.end(if not_sent.started {
                    reserved.pulsed(Instant::now() + self.coil(index));
                    PulseOutcome::Unconfirmed(Doubt::PortLost)
                } else {
                    PulseOutcome::Unreachable(not_sent.gone.0.clone())
                });
                return Err(not_sent.gone);
            }
        };
        turn.spend(sent.coil_off_at);
        reserved.pulsed(sent.coil_off_at);
        drop(place);
        sink.note(Happened::Sent, sent.at);
        let acknowledged = match sent.acknowledged {
            Ok(acknowledged) => acknowledged,
            Err(gone) => {
                sink.end(PulseOutcome::Unconfirmed(Doubt::PortLost));
                return Err(gone);
            }
        };
        if acknowledged == Ok(()) {
            sink.note(Happened::Acknowledged, Instant::now());
        }
        self.follow((index, lock), sink, &acknowledged, (sent.at, sent.coil_off_at), once);
        Ok(())
    }

    /// Sends the second and last pulse of an opening whose door is seen closed.
    pub(super) async fn pulse_again(
        &mut self,
        line: &mut Line,
        pending: Pending,
    ) -> Result<(), Gone> {
        let Pending { board: index, lock } = pending;
        let taken = self.boards[index].watch_mut(lock).and_then(Watch::take_second);
        let Some(SecondPulse { turn, reserved }) = taken else { return Ok(()) };
        let sent = match self.send_pulse(line, index, lock).await {
            Ok(sent) => sent,
            Err(Unsent::Refused(_)) => return Ok(()),
            Err(Unsent::Gone(not_sent)) => {
                if not_sent.started {
                    reserved.pulsed(Instant::now() + self.coil(index));
                }
                return Err(not_sent.gone);
            }
        };
        turn.spend(sent.coil_off_at);
        reserved.pulsed(sent.coil_off_at);
        self.shared.lock().boards[index].counters.retries += 1;
        if let Some(watch) = self.boards[index].watch_mut(lock) {
            watch.sent_again(sent.at);
            if matches!(sent.acknowledged, Ok(Ok(()))) {
                watch.acknowledged(Instant::now());
            }
        }
        sent.acknowledged.map(|_| ())
    }

    /// Reserves lock and supply for every opening that wants its second pulse.
    pub(super) fn prepare_second_pulses(&mut self, now: Instant) {
        for board in &mut self.boards {
            let duty = board.config.duty();
            for watch in board.watches.iter_mut().filter(|watch| watch.wants_again(now)) {
                let lock = watch.lock;
                let channel =
                    Channel { bus: self.config.name.clone(), board: board.config.address, lock };
                let second = self.cool_downs.reserve(&channel, duty, now).ok().map(|reserved| {
                    SecondPulse { turn: self.supplies.queue(&board.config.power_supply), reserved }
                });
                watch.prepare(second, now);
            }
        }
    }

    /// A coil that this program switched on may still be on: nobody else gets its supply for a while,
    /// and its board is told to switch off until it answers.
    fn hold_supply(&mut self, index: usize) {
        let board = &mut self.boards[index];
        board.may_be_on = true;
        self.supplies.may_be_busy(&board.config.power_supply, Instant::now() + HELD_MAX);
    }

    fn coil(&self, index: usize) -> Duration {
        Duration::from_millis(u64::from(self.boards[index].config.coil_ms()))
    }

    async fn send_pulse(
        &mut self,
        line: &mut Line,
        index: usize,
        lock: u8,
    ) -> Result<Sent, Unsent> {
        let board = &self.boards[index];
        let request = if board.config.timed_pulse {
            Request::Pulse { lock, duration_ms: board.config.pulse_ms }
        } else {
            Request::On { lock }
        };
        let call = board.config.call(request);
        let timed = board.config.timed_pulse;
        let frame =
            board.codec.encode(&call).map_err(|error| Unsent::Refused(error.to_string()))?;
        let at = line.send(&frame).await.map_err(Unsent::Gone)?;
        let coil = self.coil(index);
        let coil_off_at = line.sent_until() + coil;
        self.boards[index].pulse_until = coil_off_at;
        if timed {
            let acknowledged =
                self.acknowledge(line, index, &call, (frame.bytes(), at), None).await;
            return Ok(Sent { at, coil_off_at, acknowledged });
        }
        let acknowledged =
            self.acknowledge(line, index, &call, (frame.bytes(), at), Some(coil)).await;
        let off = match &acknowledged {
            Ok(_) => self.release(line, index, lock, coil_off_at).await,
            // The next connect begins with everything off.
            Err(gone) => Err(gone.clone()),
        };
        if off.is_err() {
            self.hold_supply(index);
        }
        let coil_off_at = Instant::now().max(coil_off_at);
        self.boards[index].pulse_until = coil_off_at;
        Ok(Sent { at, coil_off_at, acknowledged: off.and(acknowledged) })
    }

    /// Ends a software pulse: waits for its time and switches the coil off until that is answered.
    async fn release(
        &mut self,
        line: &mut Line,
        index: usize,
        lock: u8,
        off_at: Instant,
    ) -> Result<(), Gone> {
        // What the request itself takes on the line is part of the pulse.
        tokio::time::sleep_until(off_at.into()).await;
        for _ in 0..OFF_TRIES_MAX {
            let wait = self.reply_timeout.min(OFF_REPLY_MAX);
            let answer = self.ask_within(line, index, Request::Off { lock }, wait).await?;
            if answer.is_some_and(|answer| answer.heard.is_some()) {
                return Ok(());
            }
        }
        let (bus, address) = (&self.config.name, self.boards[index].config.address);
        error!(
            area = "bus", bus.name = %bus,
            "board {address} on bus {bus} did not confirm that the coil of lock {lock} is off"
        );
        self.hold_supply(index);
        self.boards[index].off_tried(false);
        Ok(())
    }

    /// Waits for the board's word on a pulse, at most `within`.
    async fn acknowledge(
        &mut self,
        line: &mut Line,
        index: usize,
        call: &Call,
        (tx, sent_at): (&[u8], Instant),
        within: Option<Duration>,
    ) -> Result<Acknowledged, Gone> {
        let board = &self.boards[index];
        let owed = board.capabilities().answers_pulse && board.config.answers_unlock != Some(false);
        let wait = match (owed, board.config.answers_unlock) {
            (true, _) => self.reply_timeout,
            (false, Some(false)) => Duration::ZERO,
            (false, _) => OPTIONAL_REPLY.min(self.reply_timeout),
        };
        let wait = within.map_or(wait, |within| wait.min(within));
        let received = line.receive(board.codec, call, wait).await;
        self.note(index, tx, sent_at, &received);
        let heard = received.heard?;
        self.judge(index, heard.as_ref(), line.sent_until(), owed);
        let doubt = |doubt| Ok(Err(PulseOutcome::Unconfirmed(doubt)));
        match heard {
            Some(Heard::Refused(refusal)) => Ok(Err(PulseOutcome::Refused(refusal.to_string()))),
            Some(Heard::Reply { proven: true, .. }) => Ok(Ok(())),
            Some(Heard::Reply { .. }) => self.look_at_output(line, index, call).await,
            None if owed || self.boards[index].config.answers_unlock == Some(true) => {
                doubt(Doubt::NoAnswer)
            }
            None => doubt(Doubt::NeverAnswers),
        }
    }

    /// On a line whose echo is not known, a reply like the request proves nothing: where outputs can be
    /// read, this one must be seen on.
    async fn look_at_output(
        &mut self,
        line: &mut Line,
        index: usize,
        call: &Call,
    ) -> Result<Acknowledged, Gone> {
        let unconfirmed = |doubt| Ok(Err(PulseOutcome::Unconfirmed(doubt)));
        let Request::Pulse { lock, .. } = call.request else {
            return unconfirmed(Doubt::NoAnswer);
        };
        if !self.boards[index].capabilities().reads_outputs {
            return unconfirmed(Doubt::NoAnswer);
        }
        let answer = self.ask(line, index, Request::Relays).await?;
        match answer.and_then(|answer: Answer| answer.heard) {
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
        (index, lock): (usize, u8),
        mut sink: EventSink,
        acknowledged: &Acknowledged,
        (sent_at, coil_off_at): (Instant, Instant),
        once: bool,
    ) {
        let board = &mut self.boards[index];
        let (bus, address) = (&self.config.name, board.config.address);
        debug!(
            area = "bus", bus.name = %bus,
            "pulse on {bus}/{address}/{lock} sent, acknowledged: {acknowledged:?}"
        );
        let sees_doors = board.sees_doors();
        match acknowledged {
            Err(refused @ PulseOutcome::Refused(_)) => sink.end(refused.clone()),
            Ok(()) if !sees_doors => sink.end(PulseOutcome::Accepted),
            Err(doubt) if !sees_doors => sink.end(doubt.clone()),
            _ => {
                let channel = Channel { bus: bus.clone(), board: address, lock };
                // Unknown after the looks that come first: seen open afterwards, it is open.
                let was_open = self.doors.get(&channel).state == DoorState::Open;
                // A new opening takes over the watch for its door's closing.
                board.watches.retain(|watch| watch.lock != lock || watch.opening_until().is_some());
                let doubt = match acknowledged {
                    Err(PulseOutcome::Unconfirmed(Doubt::NoAnswer)) => Doubt::NoAnswer,
                    _ => Doubt::NoClearReading,
                };
                let off = board.config.duty().off;
                // A door that was open and is closed by somebody meanwhile must not spring open.
                let again = board.config.retry_pulse && !once && !was_open && off <= AGAIN_REST_MAX;
                let again_from = again.then(|| coil_off_at + off);
                let pulsed = Pulsed { lock, was_open, sent_at, doubt, again_from };
                board.watches.push(Watch::new(sink, pulsed));
            }
        }
    }
}
