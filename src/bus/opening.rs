//! One opening from the queue to what was seen of it: events, outcome, and the rules between them.
//!
//! Nothing here talks to a wire: the port task feeds in what it sent and read. A pulse is repeated
//! only when two equal reads show its door closed after it, and then once. Every accepted opening gets
//! exactly one [`Happened::Ended`], also when its port or the program goes away. "Confirmed" needs a
//! sensor; an acknowledgement is only an acknowledgement.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::bus::config::Duty;
use crate::bus::doors::EQUAL_READS;
use crate::bus::power::Turn;
use crate::domain::channel::Channel;

/// Openings that may wait on one port.
pub const OPENS_WAITING_MAX: usize = 64;
/// The span in which the pulses of one lock are counted.
const MINUTE: Duration = Duration::from_mins(1);
/// How long the sensors are watched after a pulse before the door counts as stuck.
pub const WATCH: Duration = Duration::from_secs(3);
/// How long a watch goes on at least after a second pulse may be sent.
const AGAIN_GRACE: Duration = Duration::from_millis(500);
/// How long after an opening its door's closing is reported.
pub const CLOSING_WATCH: Duration = Duration::from_mins(10);
/// Events of one opening: sent, acknowledged, again, opened, ended, closed.
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
    /// The door was seen closed after the pulse, and a second and last pulse went out.
    SentAgain,
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
            Happened::Acknowledged
            | Happened::SentAgain
            | Happened::DoorOpened
            | Happened::DoorClosed => {}
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
///
/// A coil rests between two pulses and gets only so many in a minute ([`Duty`]); both count from the
/// end of the pulse as the board times it.
#[derive(Debug, Clone, Default)]
pub(super) struct CoolDowns(Arc<Mutex<HashMap<Channel, Pulses>>>);

/// The last pulses of one lock.
#[derive(Debug, Clone, Default)]
struct Pulses {
    /// One is waiting to be sent.
    queued: bool,
    /// When the coil was off again, oldest first; no more than a minute may hold.
    over_at: VecDeque<Instant>,
}

/// The right to pulse one lock; given back when the pulse never went out.
#[derive(Debug)]
pub(super) struct Reserved {
    cool_downs: CoolDowns,
    channel: Channel,
    duty: Duty,
}

impl CoolDowns {
    /// Reserves the lock, or says in how many milliseconds it is free.
    pub(super) fn reserve(
        &self,
        channel: &Channel,
        duty: Duty,
        now: Instant,
    ) -> Result<Reserved, u64> {
        let mut locks = self.lock();
        let pulses = locks.entry(channel.clone()).or_default();
        if let Some(left_ms) = pulses.left_ms(duty, now) {
            return Err(left_ms);
        }
        pulses.queued = true;
        Ok(Reserved { cool_downs: self.clone(), channel: channel.clone(), duty })
    }

    /// A pulse of an earlier run, over at `over_at`; in the order in which they were.
    pub(super) fn remember(&self, channel: &Channel, duty: Duty, over_at: Instant) {
        self.lock().entry(channel.clone()).or_default().pulsed(duty, over_at);
    }

    /// In how many milliseconds the lock may be pulsed; `None` when it may now.
    pub(super) fn left_ms(&self, channel: &Channel, duty: Duty, now: Instant) -> Option<u64> {
        self.lock().get(channel)?.left_ms(duty, now)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Channel, Pulses>> {
        // Each change is whole before the lock is let go, so a poisoned one is still sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulses {
    fn left_ms(&self, duty: Duty, now: Instant) -> Option<u64> {
        let rested_at = self.over_at.back().map(|at| *at + duty.off);
        let counted = self.over_at.len().checked_sub(duty.pulses_per_minute.max(1));
        let fewer_at = counted.and_then(|at| self.over_at.get(at)).map(|at| *at + MINUTE);
        let waiting = self.queued.then(|| now + duty.off);
        let free_at = [rested_at, fewer_at, waiting].into_iter().flatten().max()?;
        let left = free_at.saturating_duration_since(now);
        let ms = || u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
        (!left.is_zero()).then(ms)
    }

    fn pulsed(&mut self, duty: Duty, over_at: Instant) {
        while self.over_at.len() >= duty.pulses_per_minute.max(1) {
            self.over_at.pop_front();
        }
        self.over_at.push_back(over_at);
    }
}

impl Reserved {
    /// The pulse went out, and its coil is off at `over_at`: from then on the lock cools down.
    pub(super) fn pulsed(self, over_at: Instant) {
        if let Some(pulses) = self.cool_downs.lock().get_mut(&self.channel) {
            pulses.pulsed(self.duty, over_at);
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some(pulses) = self.cool_downs.lock().get_mut(&self.channel) {
            pulses.queued = false;
        }
    }
}

/// An opening on its way to the port task.
#[derive(Debug)]
pub(super) struct WaitingOpen {
    pub(super) board: usize,
    pub(super) lock: u8,
    /// It gets no second pulse, whatever the sensors show.
    pub(super) once: bool,
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
    again: Again,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WatchPhase {
    Opening { until: Instant },
    Closing { until: Instant },
    Over,
}

/// The second pulse.
#[derive(Debug)]
enum Again {
    /// There is none: it was sent, or the board's configuration wants none.
    No,
    /// It may be sent from this time on, if the door is seen closed.
    From(Instant),
    /// It waits for its turn at the power supply.
    Waiting(SecondPulse),
}

/// What a second pulse needs.
#[derive(Debug)]
pub(super) struct SecondPulse {
    pub(super) turn: Turn,
    pub(super) reserved: Reserved,
}

/// What was known when a pulse went out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pulsed {
    /// Its lock, from 1.
    pub(super) lock: u8,
    /// The door was seen open before it: it is not said to have opened.
    pub(super) was_open: bool,
    /// When its first byte went out.
    pub(super) sent_at: Instant,
    /// How the opening ends without clear readings.
    pub(super) doubt: Doubt,
    /// From when on a second one may be sent; `None` for none.
    pub(super) again_from: Option<Instant>,
}

impl Watch {
    /// Begins to watch a door after its pulse.
    pub(super) fn new(sink: EventSink, pulsed: Pulsed) -> Self {
        let Pulsed { lock, was_open, sent_at, doubt, again_from } = pulsed;
        let until = again_from.map_or(sent_at, |at| at + AGAIN_GRACE).max(sent_at + WATCH);
        let phase = WatchPhase::Opening { until };
        let again = again_from.map_or(Again::No, Again::From);
        Self { lock, sink, was_open, doubt, last_open: None, equal: 0, phase, again }
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
                self.again = Again::No;
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

    /// A read was missed: what was read before it no longer says how the door stands now.
    pub(super) fn missed(&mut self) {
        (self.last_open, self.equal) = (None, 0);
    }

    /// Whether the last two reads after the pulse show the door closed.
    fn sees_closed(&self) -> bool {
        self.last_open == Some(false) && self.equal >= EQUAL_READS
    }

    /// Whether a second pulse is to be prepared now.
    pub(super) fn wants_again(&self, now: Instant) -> bool {
        let opening = self.opening_until().is_some();
        opening && self.sees_closed() && matches!(self.again, Again::From(at) if at <= now)
    }

    /// From when on a second pulse is to be prepared, while that is open.
    pub(super) fn again_from(&self) -> Option<Instant> {
        match self.again {
            Again::From(at) if self.opening_until().is_some() => Some(at),
            _ => None,
        }
    }

    /// The second pulse was prepared, or cannot be.
    pub(super) fn prepare(&mut self, second: Option<SecondPulse>, now: Instant) {
        self.again = second.map_or(Again::No, Again::Waiting);
        // Waiting for a turn is no reason to call the door stuck.
        if matches!(self.again, Again::Waiting(_)) {
            self.phase = WatchPhase::Opening { until: now + WATCH };
        }
    }

    /// The prepared second pulse, when the door is still seen closed.
    pub(super) fn second(&self) -> Option<&SecondPulse> {
        match &self.again {
            Again::Waiting(second) if self.sees_closed() => Some(second),
            _ => None,
        }
    }

    /// Takes the prepared second pulse to send it.
    pub(super) fn take_second(&mut self) -> Option<SecondPulse> {
        match std::mem::replace(&mut self.again, Again::No) {
            Again::Waiting(second) => Some(second),
            _ => None,
        }
    }

    /// The second pulse went out: what was read before it says nothing about it.
    pub(super) fn sent_again(&mut self, at: Instant) {
        self.sink.note(Happened::SentAgain, at);
        self.phase = WatchPhase::Opening { until: at + WATCH };
        self.missed();
    }

    /// The board acknowledged a pulse whose first one was not.
    pub(super) fn acknowledged(&mut self, at: Instant) {
        if self.doubt == Doubt::NoAnswer {
            self.doubt = Doubt::NoClearReading;
            self.sink.note(Happened::Acknowledged, at);
        }
    }

    /// Notices that time is up; returns whether there is nothing more to watch.
    pub(super) fn is_over(&mut self, now: Instant) -> bool {
        match self.phase {
            WatchPhase::Opening { until } if now >= until => {
                self.sink.end(if self.sees_closed() {
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
    use crate::bus::power::PowerSupplies;

    fn watch(was_open: bool) -> (Watch, OpeningWatch, Instant) {
        let (mut sink, events) = EventSink::new();
        let at = Instant::now();
        sink.note(Happened::Sent, at);
        let doubt = Doubt::NoClearReading;
        let pulsed = Pulsed { lock: 1, was_open, sent_at: at, doubt, again_from: None };
        (Watch::new(sink, pulsed), events, at)
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
    fn a_missed_read_makes_what_was_seen_before_it_old() {
        let (mut door, mut events, at) = watch(false);
        door.again = Again::From(at);
        door.read(false, at);
        door.read(false, at);
        assert!(door.wants_again(at));
        door.missed();
        assert!(!door.wants_again(at), "somebody may have opened it meanwhile");
        assert!(door.is_over(at + WATCH));
        let unclear = PulseOutcome::Unconfirmed(Doubt::NoClearReading);
        assert_eq!(seen(&mut events), [Happened::Sent, ended(unclear)]);
    }

    #[test]
    fn a_watch_lasts_beyond_the_time_of_its_second_pulse() {
        let (sink, _events) = EventSink::new();
        let at = Instant::now();
        let again_from = Some(at + Duration::from_secs(5));
        let doubt = Doubt::NoClearReading;
        let pulsed = Pulsed { lock: 1, was_open: false, sent_at: at, doubt, again_from };
        let mut door = Watch::new(sink, pulsed);
        door.read(false, at);
        door.read(false, at);
        assert!(!door.is_over(at + Duration::from_secs(5)));
        assert!(door.wants_again(at + Duration::from_secs(5)));
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
    fn a_second_pulse_needs_two_reads_of_a_closed_door_and_is_the_last() {
        let supplies = PowerSupplies::default();
        let cool_downs = CoolDowns::default();
        let channel: Channel = "east/1/1".parse().expect("valid");
        let (mut door, mut events, at) = watch(false);
        door.again = Again::From(at);
        assert!(!door.wants_again(at), "nothing was read");
        door.read(false, at);
        door.read(true, at);
        door.read(false, at);
        assert!(!door.wants_again(at), "one read is a bounce");
        door.read(false, at);
        assert!(door.wants_again(at));
        let second = || SecondPulse {
            turn: supplies.queue("main"),
            reserved: cool_downs.reserve(&channel, DUTY, at).expect("free"),
        };
        door.prepare(Some(second()), at);
        assert!(!door.wants_again(at) && door.second().is_some());
        door.read(true, at);
        assert!(door.second().is_none(), "perhaps it just opened");
        door.read(false, at);
        door.read(false, at);
        assert!(door.take_second().is_some());
        door.sent_again(at);
        door.read(false, at);
        door.read(false, at);
        assert!(!door.wants_again(at + WATCH) && door.second().is_none(), "once");
        assert!(door.is_over(at + WATCH));
        let told = [Happened::Sent, Happened::SentAgain, ended(PulseOutcome::DoorStayedClosed)];
        assert_eq!(seen(&mut events), told);
    }

    const DUTY: Duty = Duty { off: Duration::from_secs(2), pulses_per_minute: 3 };

    #[test]
    fn a_lock_cools_down_from_the_end_of_its_pulse_and_not_from_a_failure() {
        let cool_downs = CoolDowns::default();
        let channel: Channel = "east/1/1".parse().expect("valid");
        let at = Instant::now();
        let reserved = cool_downs.reserve(&channel, DUTY, at).expect("free");
        assert_eq!(cool_downs.reserve(&channel, DUTY, at).err(), Some(2_000), "already queued");
        drop(reserved);
        let over_at = at + Duration::from_millis(400);
        cool_downs.reserve(&channel, DUTY, at).expect("never sent").pulsed(over_at);
        assert_eq!(cool_downs.reserve(&channel, DUTY, at).err(), Some(2_400));
        assert_eq!(cool_downs.left_ms(&channel, DUTY, over_at), Some(2_000));
        assert!(cool_downs.reserve(&channel, DUTY, over_at + DUTY.off).is_ok());
    }

    #[test]
    fn a_pulse_of_an_earlier_run_lets_its_lock_rest_as_well() {
        let cool_downs = CoolDowns::default();
        let channel: Channel = "east/1/1".parse().expect("valid");
        let at = Instant::now();
        cool_downs.remember(&channel, DUTY, at);
        assert_eq!(cool_downs.left_ms(&channel, DUTY, at), Some(2_000));
        assert!(cool_downs.reserve(&channel, DUTY, at + DUTY.off).is_ok());
    }

    #[test]
    fn a_lock_gets_only_so_many_pulses_in_a_minute() {
        let cool_downs = CoolDowns::default();
        let channel: Channel = "east/1/1".parse().expect("valid");
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        for second in [0, 5, 10] {
            cool_downs.reserve(&channel, DUTY, at(second)).expect("rested").pulsed(at(second));
        }
        assert_eq!(cool_downs.left_ms(&channel, DUTY, at(20)), Some(40_000));
        let fourth = cool_downs.reserve(&channel, DUTY, at(60)).expect("the first is a minute old");
        fourth.pulsed(at(60));
        assert_eq!(cool_downs.left_ms(&channel, DUTY, at(62)), Some(3_000), "till the second is");
    }
}
