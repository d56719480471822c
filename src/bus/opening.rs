//! One opening from the queue to what was seen of it: events, outcome, and the rules between them.
//!
//! Nothing here talks to a wire: the port task feeds in what it sent and read. A pulse is never
//! repeated. Every accepted opening gets exactly one [`Happened::Ended`], also when its port or the
//! program goes away. "Confirmed" needs a sensor; an acknowledgement is only an acknowledgement.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::bus::doors::EQUAL_READS;
use crate::bus::power::Turn;
use crate::domain::channel::Channel;

/// Openings that may wait on one port.
pub const OPENS_WAITING_MAX: usize = 64;
/// Least time between two pulses of one lock: coils burn out.
pub const COOL_DOWN: Duration = Duration::from_secs(2);
/// How long the sensors are watched after a pulse before the door counts as stuck.
pub const WATCH: Duration = Duration::from_secs(3);
/// How long after an opening its door's closing is reported.
pub const CLOSING_WATCH: Duration = Duration::from_mins(10);
/// Events of one opening: sent, acknowledged, opened, ended, closed.
const EVENTS_MAX: usize = 8;

/// Why an opening was not even queued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenRefused {
    /// No such bus, board or lock is configured.
    #[error("channel {0} is not configured")]
    UnknownChannel(Channel),
    /// This lock was pulsed, or is about to be, too short a time ago.
    #[error("the lock was just opened: try again in {retry_after_ms} ms")]
    CoolingDown {
        /// Milliseconds until it may be pulsed again.
        retry_after_ms: u64,
    },
    /// Too many openings wait on this port.
    #[error("too many openings are waiting")]
    QueueFull,
}

/// Why it is not known whether a lock moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// The board did not answer the command, and no sensor can tell.
    NoAnswer,
    /// Boards of this kind do not answer this command, and no sensor can tell.
    NeverAnswers,
    /// The board answered something, but its output was seen off during the pulse.
    OutputStayedOff,
    /// The sensors gave no clear reading in time.
    NoClearReading,
    /// The port went away while or after the command was sent.
    PortLost,
    /// The program stopped first.
    Stopped,
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoAnswer => "the board did not answer",
            Self::NeverAnswers => "this kind of board does not answer, and there are no sensors",
            Self::OutputStayedOff => "the board's output was not seen on",
            Self::NoClearReading => "the sensors could not be read",
            Self::PortLost => "the port went away right after the command",
            Self::Stopped => "the program stopped before the door was seen",
        })
    }
}

/// How a pulse ended; decided once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PulseOutcome {
    /// Two equal reads after the pulse show the door open.
    Confirmed,
    /// The door was open before the pulse and still is: nothing more can be said.
    AlreadyOpen,
    /// The board acknowledged; there is no sensor to see the door.
    Accepted,
    /// The command went out, and the sensors say closed all the while.
    DoorStayedClosed,
    /// It went out, and nobody knows whether the lock moved.
    Unconfirmed(Doubt),
    /// The board said no, in its own words.
    Refused(String),
    /// Nothing was sent; the reason says why.
    Unreachable(String),
}

/// A step of an opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// The first byte of the command went out.
    Sent,
    /// The board acknowledged the command.
    Acknowledged,
    /// Two equal reads showed the door open that was not open before.
    DoorOpened,
    /// Two equal reads showed it closed again; may come long after `Ended`.
    DoorClosed,
    /// The outcome. Comes once; only `DoorClosed` may follow.
    Ended(PulseOutcome),
}

/// A step with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningEvent {
    /// When it happened, on the monotonic clock.
    pub at: Instant,
    /// What happened.
    pub what: Happened,
}

/// Follows one opening. Dropping it changes nothing about the opening.
#[derive(Debug)]
pub struct OpeningWatch {
    /// Steps as they are seen; ends when nothing more will come.
    pub events: mpsc::Receiver<OpeningEvent>,
}

impl OpeningWatch {
    /// Waits for the outcome, dropping other events on the way.
    pub async fn outcome(&mut self) -> PulseOutcome {
        while let Some(event) = self.events.recv().await {
            if let Happened::Ended(outcome) = event.what {
                return outcome;
            }
        }
        PulseOutcome::Unconfirmed(Doubt::Stopped)
    }
}

/// The writing end of an opening's events; ends the opening even when it is dropped.
#[derive(Debug)]
pub(super) struct EventSink {
    events: mpsc::Sender<OpeningEvent>,
    sent: bool,
    ended: bool,
}

impl EventSink {
    pub(super) fn new() -> (Self, OpeningWatch) {
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        (Self { events, sent: false, ended: false }, OpeningWatch { events: receiver })
    }

    pub(super) fn note(&mut self, what: Happened, at: Instant) {
        match what {
            Happened::Ended(_) if self.ended => return,
            Happened::Ended(_) => self.ended = true,
            Happened::Sent => self.sent = true,
            Happened::Acknowledged | Happened::DoorOpened | Happened::DoorClosed => {}
        }
        // The queue holds every step there can be; a receiver that left needs none.
        let _ = self.events.try_send(OpeningEvent { at, what });
    }

    pub(super) fn end(&mut self, outcome: PulseOutcome) {
        self.note(Happened::Ended(outcome), Instant::now());
    }
}

impl Drop for EventSink {
    fn drop(&mut self) {
        self.end(if self.sent {
            PulseOutcome::Unconfirmed(Doubt::Stopped)
        } else {
            PulseOutcome::Unreachable("the bus has stopped".to_owned())
        });
    }
}

/// When each lock may be pulsed again. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct CoolDowns(Arc<Mutex<HashMap<Channel, Pulsed>>>);

#[derive(Debug, Clone, Copy)]
enum Pulsed {
    Queued,
    At(Instant),
}

/// The right to pulse one lock; given back when the pulse never went out.
#[derive(Debug)]
pub(super) struct Reserved {
    cool_downs: CoolDowns,
    channel: Channel,
}

impl CoolDowns {
    /// Reserves the lock, or says in how many milliseconds it is free.
    pub(super) fn reserve(&self, channel: &Channel, now: Instant) -> Result<Reserved, u64> {
        let mut pulses = self.lock();
        if let Some(left_ms) = left_ms(&pulses, channel, now) {
            return Err(left_ms);
        }
        pulses.insert(channel.clone(), Pulsed::Queued);
        Ok(Reserved { cool_downs: self.clone(), channel: channel.clone() })
    }

    /// In how many milliseconds the lock may be pulsed; `None` when it may now.
    pub(super) fn left_ms(&self, channel: &Channel, now: Instant) -> Option<u64> {
        left_ms(&self.lock(), channel, now)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Channel, Pulsed>> {
        // Each change is whole before the lock is let go, so a poisoned one is still sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn left_ms(pulses: &HashMap<Channel, Pulsed>, channel: &Channel, now: Instant) -> Option<u64> {
    let left = match pulses.get(channel)? {
        Pulsed::Queued => COOL_DOWN,
        Pulsed::At(at) => (*at + COOL_DOWN).saturating_duration_since(now),
    };
    let ms = || u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
    (!left.is_zero()).then(ms)
}

impl Reserved {
    /// The pulse went out: from now on the lock cools down.
    pub(super) fn pulsed(self, at: Instant) {
        self.cool_downs.lock().insert(self.channel.clone(), Pulsed::At(at));
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut pulses = self.cool_downs.lock();
        if matches!(pulses.get(&self.channel), Some(Pulsed::Queued)) {
            pulses.remove(&self.channel);
        }
    }
}

/// An opening on its way to the port task.
#[derive(Debug)]
pub(super) struct WaitingOpen {
    pub(super) board: usize,
    pub(super) lock: u8,
    pub(super) turn: Turn,
    pub(super) reserved: Reserved,
    pub(super) sink: EventSink,
    /// Its place among [`OPENS_WAITING_MAX`].
    pub(super) place: OwnedSemaphorePermit,
}

/// An opening whose pulse went out and whose door is being watched.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) lock: u8,
    sink: EventSink,
    was_open: bool,
    doubt: Doubt,
    last_open: Option<bool>,
    equal: u8,
    phase: WatchPhase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WatchPhase {
    Opening { until: Instant },
    Closing { until: Instant },
    Over,
}

impl Watch {
    /// Begins to watch a door that was, or was not, seen open before its pulse at `sent_at`; without
    /// clear readings the opening ends in `doubt`.
    pub(super) fn new(
        lock: u8,
        sink: EventSink,
        was_open: bool,
        sent_at: Instant,
        doubt: Doubt,
    ) -> Self {
        let phase = WatchPhase::Opening { until: sent_at + WATCH };
        Self { lock, sink, was_open, doubt, last_open: None, equal: 0, phase }
    }

    /// Takes one read that was asked for after the pulse.
    pub(super) fn read(&mut self, open: bool, at: Instant) {
        self.equal = if self.last_open == Some(open) { self.equal.saturating_add(1) } else { 1 };
        self.last_open = Some(open);
        if self.equal < EQUAL_READS {
            return;
        }
        match (self.phase, open) {
            (WatchPhase::Opening { .. }, true) => {
                if self.was_open {
                    self.sink.note(Happened::Ended(PulseOutcome::AlreadyOpen), at);
                } else {
                    self.sink.note(Happened::DoorOpened, at);
                    self.sink.note(Happened::Ended(PulseOutcome::Confirmed), at);
                }
                self.phase = WatchPhase::Closing { until: at + CLOSING_WATCH };
            }
            // Seen closed in between: a later open is this pulse's doing.
            (WatchPhase::Opening { .. }, false) => self.was_open = false,
            (WatchPhase::Closing { .. }, false) => {
                self.sink.note(Happened::DoorClosed, at);
                self.phase = WatchPhase::Over;
            }
            (WatchPhase::Closing { .. }, true) | (WatchPhase::Over, _) => {}
        }
    }

    /// Notices that time is up; returns whether there is nothing more to watch.
    pub(super) fn is_over(&mut self, now: Instant) -> bool {
        match self.phase {
            WatchPhase::Opening { until } if now >= until => {
                let closed = self.last_open == Some(false) && self.equal >= EQUAL_READS;
                self.sink.end(if closed {
                    PulseOutcome::DoorStayedClosed
                } else {
                    PulseOutcome::Unconfirmed(self.doubt)
                });
                self.phase = WatchPhase::Over;
            }
            WatchPhase::Closing { until } if now >= until => self.phase = WatchPhase::Over,
            _ => {}
        }
        self.phase == WatchPhase::Over
    }

    /// Until when the door needs fast reads.
    pub(super) fn opening_until(&self) -> Option<Instant> {
        match self.phase {
            WatchPhase::Opening { until } => Some(until),
            _ => None,
        }
    }

    /// The port or the board's sensors went away.
    pub(super) fn lose(mut self, doubt: Doubt) {
        self.sink.end(PulseOutcome::Unconfirmed(doubt));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(was_open: bool) -> (Watch, OpeningWatch, Instant) {
        let (mut sink, events) = EventSink::new();
        let at = Instant::now();
        sink.note(Happened::Sent, at);
        (Watch::new(1, sink, was_open, at, Doubt::NoClearReading), events, at)
    }

    fn seen(watch: &mut OpeningWatch) -> Vec<Happened> {
        std::iter::from_fn(|| watch.events.try_recv().ok()).map(|event| event.what).collect()
    }

    fn ended(outcome: PulseOutcome) -> Happened {
        Happened::Ended(outcome)
    }

    #[test]
    fn two_equal_reads_confirm_and_the_closing_is_reported_later() {
        let (mut door, mut events, at) = watch(false);
        for open in [false, true, false, true, true] {
            door.read(open, at);
        }
        let opened = [Happened::Sent, Happened::DoorOpened, ended(PulseOutcome::Confirmed)];
        assert_eq!(seen(&mut events), opened);
        door.read(false, at);
        assert!(!door.is_over(at) && seen(&mut events).is_empty(), "one read is a bounce");
        door.read(false, at);
        assert_eq!(seen(&mut events), [Happened::DoorClosed]);
        assert!(door.is_over(at));
    }

    #[test]
    fn an_open_door_is_not_said_to_have_opened() {
        let (mut door, mut events, at) = watch(true);
        door.read(true, at);
        door.read(true, at);
        assert_eq!(seen(&mut events), [Happened::Sent, ended(PulseOutcome::AlreadyOpen)]);
    }

    #[test]
    fn silence_of_the_sensors_is_told_from_a_closed_door() {
        let (mut stuck, mut events, at) = watch(false);
        stuck.read(false, at);
        stuck.read(false, at);
        assert!(!stuck.is_over(at) && stuck.is_over(at + WATCH));
        assert_eq!(events.events.try_recv().expect("sent").what, Happened::Sent);
        assert_eq!(seen(&mut events), [ended(PulseOutcome::DoorStayedClosed)]);
        let (mut unread, mut events, at) = watch(false);
        assert!(unread.is_over(at + WATCH));
        let unclear = PulseOutcome::Unconfirmed(Doubt::NoClearReading);
        assert_eq!(seen(&mut events), [Happened::Sent, ended(unclear)]);
    }

    #[test]
    fn a_dropped_opening_still_ends_once() {
        let (sink, mut events) = EventSink::new();
        drop(sink);
        assert!(matches!(seen(&mut events)[..], [Happened::Ended(PulseOutcome::Unreachable(_))]));
        let (door, mut events, _) = watch(false);
        door.lose(Doubt::PortLost);
        let lost = ended(PulseOutcome::Unconfirmed(Doubt::PortLost));
        assert_eq!(seen(&mut events), [Happened::Sent, lost]);
    }

    #[test]
    fn a_lock_cools_down_from_its_pulse_and_not_from_a_failure() {
        let cool_downs = CoolDowns::default();
        let channel: Channel = "east/1/1".parse().expect("valid");
        let at = Instant::now();
        let reserved = cool_downs.reserve(&channel, at).expect("free");
        assert_eq!(cool_downs.reserve(&channel, at).err(), Some(2_000), "already queued");
        drop(reserved);
        cool_downs.reserve(&channel, at).expect("never sent").pulsed(at);
        let later = at + Duration::from_millis(500);
        assert_eq!(cool_downs.reserve(&channel, later).err(), Some(1_500));
        assert!(cool_downs.reserve(&channel, at + COOL_DOWN).is_ok());
    }
}
