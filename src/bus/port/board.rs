//! What the port task keeps in mind about one board: when to ask it next, and who waits for it.
//!
//! A board that does not answer is asked more slowly and never delays the others. After a missed
//! deadline it is left alone for as long again, so that its late reply falls into silence; the first
//! state it then reports is not believed, since it may be the answer to the question before.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::bus::codec::{Capabilities, Codec, LockBits, Request};
use crate::bus::config::BoardConfig;
use crate::bus::doors::{Debounce, EQUAL_READS, Seen};
use crate::bus::opening::{Doubt, SecondPulse, Watch};
use crate::domain::channel::DoorState;

/// Misses in a row after which a board counts as silent.
pub(super) const MISSES_SILENT: u8 = 3;
/// Age of a board's last believed read beyond which its doors are unknown.
const BELIEVED_MAX: Duration = Duration::from_secs(5);
/// Reads that an opening waits for while its door is unknown.
const LOOKS_FIRST: u8 = 2;
/// Unanswered switchings-off after which a board that answers other things gets no more of them.
const OFFS_UNANSWERED_MAX: u8 = 5;
/// Pause between two polls of a silent board.
const SILENT_PAUSE: Duration = Duration::from_secs(2);
/// Pause between two polls of a board without doors, only to know that it is there.
const PRESENCE_PAUSE: Duration = Duration::from_secs(2);
/// Pause between two polls while a door is watched or a change awaits its confirmation.
const FAST_PAUSE: Duration = Duration::from_millis(60);
/// Fast polls in a row for changes nobody waits for; a fluttering switch gets no more.
const RECHECKS_MAX: u8 = 3;
/// A board that refused to read its inputs is asked for them again at every so many polls.
const INPUTS_AGAIN_EVERY: u32 = 15;
/// Longest time a direct question about a door may take.
pub(super) const PROBE_MAX: Duration = Duration::from_millis(1_500);

/// Someone who wants to know a door's state now.
pub(super) struct Probe {
    pub(super) lock: u8,
    pub(super) until: Instant,
    pub(super) answer: oneshot::Sender<DoorState>,
    pub(super) last_open: Option<bool>,
    pub(super) equal: u8,
}

/// How far the switching-off of all outputs has come since the port was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SwitchOff {
    /// To be done before anything else is asked of the board.
    Due,
    /// It was not answered: to be done again when the board answers anything.
    Unanswered,
    /// It was answered, and it is to be seen whether the outputs are off.
    Unseen,
    /// Nothing is left to do.
    Settled,
}

/// One board as the port task sees it.
pub(super) struct Board {
    pub(super) config: BoardConfig,
    pub(super) codec: &'static dyn Codec,
    pub(super) off: SwitchOff,
    pub(super) misses: u8,
    /// Its inputs cannot be read, it says.
    pub(super) refuses_inputs: bool,
    /// Not to be asked before this time.
    pub(super) quiet_until: Instant,
    /// Its last pulse is over at this time.
    pub(super) pulse_until: Instant,
    pub(super) watches: Vec<Watch>,
    pub(super) probes: Vec<Probe>,
    debounce: Vec<Debounce>,
    asked_at: Option<Instant>,
    pause: Duration,
    distrusts_next: bool,
    rechecks: u8,
    polls: u32,
    /// Refused reads of its inputs in a row.
    unread: u8,
    /// When its inputs were last read and believed; `None` while its doors are unknown.
    believed_at: Option<Instant>,
    /// Reads since its doors became unknown.
    looks: u8,
    /// Switchings-off in a row that were not answered.
    offs_unanswered: u8,
    /// A coil that this program holds may still be on.
    pub(super) may_be_on: bool,
}

impl Board {
    pub(super) fn new(config: BoardConfig, poll_interval_ms: u32, now: Instant) -> Self {
        let codec = config.codec();
        let locks = usize::from(config.locks);
        Self {
            codec,
            off: SwitchOff::Settled,
            misses: 0,
            refuses_inputs: false,
            quiet_until: now,
            pulse_until: now,
            watches: Vec::new(),
            probes: Vec::new(),
            debounce: vec![Debounce::NEW; locks],
            asked_at: None,
            pause: Duration::from_millis(u64::from(poll_interval_ms)),
            distrusts_next: false,
            rechecks: 0,
            polls: 0,
            unread: 0,
            believed_at: None,
            looks: 0,
            offs_unanswered: 0,
            may_be_on: false,
            config,
        }
    }

    pub(super) fn capabilities(&self) -> &'static Capabilities {
        self.codec.capabilities()
    }

    /// Forgets what was known: the port was opened anew.
    pub(super) fn begin(&mut self, now: Instant) {
        let switches = self.capabilities().reads_outputs;
        self.off = if switches { SwitchOff::Due } else { SwitchOff::Settled };
        self.misses = 0;
        self.offs_unanswered = 0;
        self.refuses_inputs = false;
        self.quiet_until = now;
        self.asked_at = None;
        self.distrusts_next = false;
        self.forget_doors();
    }

    /// Whether its sensors can be read.
    pub(super) fn sees_doors(&self) -> bool {
        self.config.doors && !self.refuses_inputs
    }

    pub(super) fn is_silent(&self) -> bool {
        self.misses >= MISSES_SILENT
    }

    /// What a poll asks: doors if it has any, else something harmless.
    pub(super) fn poll_request(&self) -> Request {
        let ask_again = self.config.doors && self.polls.is_multiple_of(INPUTS_AGAIN_EVERY);
        if self.sees_doors() || ask_again || self.capabilities().status_without_doors {
            Request::Status
        } else {
            Request::Relays
        }
    }

    /// Whether its doors were read too long ago to be believed still.
    pub(super) fn is_stale(&self, now: Instant) -> bool {
        self.believed_at.is_some_and(|at| now.saturating_duration_since(at) > BELIEVED_MAX)
    }

    /// Whether a lock's door is to be looked at before it is pulsed: without knowing it closed, nobody
    /// could say afterwards that it opened.
    pub(super) fn wants_look(&self, lock: u8) -> bool {
        let index = usize::from(lock).saturating_sub(1);
        let unknown = self.debounce.get(index).is_some_and(|door| !door.is_known());
        unknown && self.sees_doors() && self.misses == 0 && self.looks < LOOKS_FIRST
    }

    /// Whether all its outputs are to be switched off, and no pulse of ours is under way.
    pub(super) fn may_switch_off(&self, now: Instant) -> bool {
        self.off == SwitchOff::Due && self.pulse_until <= now
    }

    /// Whether someone waits for the next read.
    pub(super) fn is_watched(&self) -> bool {
        !self.probes.is_empty() || self.watches.iter().any(|watch| watch.opening_until().is_some())
    }

    /// When it is to be polled next.
    pub(super) fn due(&self) -> Instant {
        let Some(asked_at) = self.asked_at else { return self.quiet_until };
        let unsure = self.rechecks < RECHECKS_MAX
            && self.debounce.iter().any(|door| door.is_open_question());
        let pause = if self.is_watched() {
            FAST_PAUSE.min(self.pause)
        } else if self.is_silent() {
            SILENT_PAUSE.max(self.pause)
        } else if !self.sees_doors() && self.misses == 0 {
            PRESENCE_PAUSE.max(self.pause)
        } else if unsure {
            FAST_PAUSE.min(self.pause)
        } else {
            self.pause
        };
        (asked_at + pause).max(self.quiet_until)
    }

    /// A poll went out at `at`.
    pub(super) fn asked(&mut self, at: Instant) {
        self.polls = self.polls.wrapping_add(1);
        self.asked_at = Some(at);
    }

    /// It answered. Returns whether it had been silent.
    pub(super) fn answered(&mut self, now: Instant) -> bool {
        let was_silent = self.is_silent();
        self.misses = 0;
        // A board that missed its switching-off gets it as soon as no pulse of ours is on.
        let again = self.may_be_on || self.offs_unanswered < OFFS_UNANSWERED_MAX;
        if self.off == SwitchOff::Unanswered && now >= self.pulse_until && again {
            self.off = SwitchOff::Due;
        }
        was_silent
    }

    /// It did not answer in time. Returns whether it just became silent.
    pub(super) fn missed(&mut self, deadline: Instant, reply_timeout: Duration) -> bool {
        self.misses = self.misses.saturating_add(1);
        self.quiet_until = deadline + reply_timeout;
        self.distrusts_next = true;
        self.watches.iter_mut().for_each(Watch::missed);
        for probe in &mut self.probes {
            (probe.last_open, probe.equal) = (None, 0);
        }
        if self.misses == MISSES_SILENT {
            // It may have lost its power, and come back with its outputs anyhow.
            if self.capabilities().reads_outputs {
                self.off = SwitchOff::Unanswered;
            }
            self.forget_doors();
            return true;
        }
        false
    }

    /// It answered but would not tell its inputs this time. Returns whether its doors are unknown now.
    pub(super) fn withheld_inputs(&mut self) -> bool {
        self.unread = self.unread.saturating_add(1);
        self.unread == MISSES_SILENT
    }

    /// The switching-off was tried.
    pub(super) fn off_tried(&mut self, answered: bool) {
        self.off = match answered {
            true => SwitchOff::Unseen,
            // A coil that is held by nobody's timer is tried for until it is known to be off.
            false if self.may_be_on => SwitchOff::Due,
            false => SwitchOff::Unanswered,
        };
        self.may_be_on &= !answered;
        self.offs_unanswered = if answered { 0 } else { self.offs_unanswered.saturating_add(1) };
    }

    /// Takes the inputs read by a question asked at `asked_at`, of which `known` were reported; returns the states to publish.
    pub(super) fn read_inputs(
        &mut self,
        inputs: LockBits,
        known: LockBits,
        asked_at: Instant,
    ) -> Option<Vec<Seen>> {
        self.unread = 0;
        self.looks = self.looks.saturating_add(1);
        if std::mem::take(&mut self.distrusts_next) {
            return None;
        }
        let closed_bit = self.config.closed_bit;
        let is_open = |lock: u8| inputs.lock(lock) != closed_bit;
        let read = |(lock, door): (u8, &mut Debounce)| {
            if known.lock(lock) { door.read(is_open(lock)) } else { door.forget() }
        };
        let states = (1..).zip(&mut self.debounce).map(read).collect();
        self.believed_at = Some(asked_at);
        let unsure = self.debounce.iter().any(|door| door.is_open_question());
        self.rechecks = if unsure { self.rechecks.saturating_add(1) } else { 0 };
        for watch in self.watches.iter_mut().filter(|watch| known.lock(watch.lock)) {
            watch.read(is_open(watch.lock), asked_at);
        }
        for mut probe in std::mem::take(&mut self.probes) {
            if !known.lock(probe.lock) {
                self.probes.push(probe);
                continue;
            }
            let open = is_open(probe.lock);
            probe.equal = if probe.last_open == Some(open) { probe.equal + 1 } else { 1 };
            probe.last_open = Some(open);
            if probe.equal >= EQUAL_READS {
                // Whoever asked may have left.
                let _ = probe.answer.send(if open { DoorState::Open } else { DoorState::Closed });
            } else {
                self.probes.push(probe);
            }
        }
        Some(states)
    }

    /// Ends watches and questions whose time is up.
    pub(super) fn expire(&mut self, now: Instant) {
        self.watches.retain_mut(|watch| !watch.is_over(now));
        // A dropped question reads as unknown.
        self.probes.retain(|probe| probe.until > now && !probe.answer.is_closed());
    }

    /// When time alone gives something to do.
    pub(super) fn expires_at(&self, now: Instant) -> Option<Instant> {
        let watches = self.watches.iter().filter_map(Watch::opening_until);
        let again = self.watches.iter().filter_map(Watch::again_from).filter(|at| *at > now);
        watches.chain(again).chain(self.probes.iter().map(|probe| probe.until)).min()
    }

    /// The opening of a lock that is under way.
    pub(super) fn watch_mut(&mut self, lock: u8) -> Option<&mut Watch> {
        self.watches.iter_mut().find(|it| it.lock == lock && it.opening_until().is_some())
    }

    /// The second pulses that wait for their turn.
    pub(super) fn second_pulses(&self) -> impl Iterator<Item = (u8, &SecondPulse)> {
        self.watches.iter().filter_map(|watch| Some((watch.lock, watch.second()?)))
    }

    /// Whether a read must come before its first pulse: the pulse's answer may look like an echo, and
    /// no output can be read to tell.
    pub(super) fn needs_echo_known(&self) -> bool {
        let can = self.capabilities();
        can.pulse_reply_like_request && !can.reads_outputs && self.asked_at.is_none()
    }

    /// Ends all watches and questions: its doors cannot be seen any more.
    pub(super) fn lose_watchers(&mut self, doubt: Doubt) {
        self.probes.clear();
        for watch in std::mem::take(&mut self.watches) {
            watch.lose(doubt);
        }
    }

    /// All its doors are unknown from now on.
    pub(super) fn forget_doors(&mut self) -> Vec<Seen> {
        self.rechecks = 0;
        self.looks = 0;
        self.believed_at = None;
        self.debounce.iter_mut().map(Debounce::forget).collect()
    }
}
