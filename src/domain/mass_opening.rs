//! One order to open many lockers: a fire drill, the end of a term.
//!
//! It moves no lock itself. Each locker has its turn and then its own opening, which alone says what
//! was seen; here stands where each locker is on that way, and how the whole ended. An order that a
//! restart cut off never goes on by itself.

use jiff::Timestamp;

use super::id::{BankId, LockerId, MassOpeningId, MemberId, OpeningId};
use super::opening::Outcome;

/// Most lockers of one order; the largest cabinet known has a fifth of it.
pub const LOCKERS_MAX: usize = 1_000;

/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 200;

/// How the whole stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Lockers have their turns.
    Running,
    /// Every locker had its turn.
    Done,
    /// Somebody stopped it.
    Cancelled,
    /// The server stopped in between.
    Interrupted,
}

impl RunState {
    /// Every state; the database's CHECK lists the same names.
    pub const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Cancelled, Self::Interrupted];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// Finds a state by its stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Why a locker's turn passed without an opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// It has no electric lock.
    NotWired,
    /// Its lock was in use or cooling down for too long.
    Busy,
    /// Whoever gave the order may not open it, or not any more.
    NotAllowed,
}

impl SkipReason {
    /// Every reason; the database's CHECK lists the same names.
    pub const ALL: [Self; 3] = [Self::NotWired, Self::Busy, Self::NotAllowed];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotWired => "not_wired",
            Self::Busy => "busy",
            Self::NotAllowed => "not_allowed",
        }
    }
}

/// Where a locker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineState {
    /// Its turn comes.
    Waiting,
    /// It is its turn.
    Opening,
    /// Its opening ended like this.
    Ended(Outcome),
    /// Its turn passed without an opening.
    Skipped(SkipReason),
    /// The order was stopped before its turn.
    Cancelled,
    /// The server stopped before its turn.
    NotReached,
}

impl LineState {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Opening => "opening",
            Self::Ended(Outcome::DoorDidNotOpen) => "did_not_open",
            Self::Ended(outcome) => outcome.name(),
            Self::Skipped(_) => "skipped",
            Self::Cancelled => "cancelled",
            Self::NotReached => "not_reached",
        }
    }

    /// Whether a sensor showed the door open.
    #[must_use]
    pub const fn was_seen_open(self) -> bool {
        matches!(self, Self::Ended(Outcome::Opened | Outcome::AlreadyOpen))
    }
}

/// One locker of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub locker_id: LockerId,
    /// Where it is.
    pub state: LineState,
    /// Its own opening, once there is one.
    pub opening: Option<OpeningId>,
}

/// An order without its lockers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MassOpeningHead {
    /// Its name.
    pub id: MassOpeningId,
    /// Who gave it.
    pub member_id: MemberId,
    /// Their name.
    pub member_name: String,
    /// The banks of its lockers, by number.
    pub banks: Vec<BankId>,
    /// Why.
    pub reason: String,
    /// How many lockers.
    pub lockers: usize,
    /// Since when.
    pub started_at: Timestamp,
    /// Until when; `None` while it runs.
    pub ended_at: Option<Timestamp>,
    /// How it stands.
    pub state: RunState,
}

/// An order with its lockers in the order of their turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MassOpening {
    /// The whole.
    pub head: MassOpeningHead,
    /// Each locker, once.
    pub lines: Vec<Line>,
}

impl MassOpening {
    /// The lockers that nobody saw open, whatever the reason, while none is left to wait for.
    pub fn not_seen_open(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.state.was_seen_open())
    }

    /// How many lockers are in each state, by its published name.
    #[must_use]
    pub fn counts(&self) -> std::collections::BTreeMap<&'static str, usize> {
        let mut counts = std::collections::BTreeMap::new();
        for line in &self.lines {
            *counts.entry(line.state.name()).or_default() += 1;
        }
        counts
    }

    /// Notes where a locker is.
    pub fn see(&mut self, locker: LockerId, state: LineState, opening: Option<OpeningId>) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.locker_id == locker) {
            line.state = state;
            line.opening = line.opening.or(opening);
        }
    }

    /// Ends it: as done when no locker waits any more, else as cancelled or as interrupted. The
    /// first end stands.
    pub fn end(&mut self, cancelled: bool, now: Timestamp) {
        if self.head.state != RunState::Running {
            return;
        }
        let open = |line: &Line| matches!(line.state, LineState::Waiting | LineState::Opening);
        let (state, unreached) = match (self.lines.iter().any(open), cancelled) {
            (false, _) => (RunState::Done, LineState::NotReached),
            (true, true) => (RunState::Cancelled, LineState::Cancelled),
            (true, false) => (RunState::Interrupted, LineState::NotReached),
        };
        for line in self.lines.iter_mut().filter(|line| open(line)) {
            // What was begun is told by its opening, which may be settled later.
            line.state = match line.opening {
                Some(_) => LineState::Ended(Outcome::Interrupted),
                None => unreached,
            };
        }
        self.head.state = state;
        self.head.ended_at = Some(now);
    }
}

/// Checks a reason: 1 to [`REASON_CHARS_MAX`] characters without control characters, trimmed.
pub fn parse_reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    let ok = (1..=REASON_CHARS_MAX).contains(&text.chars().count())
        && !text.chars().any(char::is_control);
    if ok {
        Ok(text.to_owned())
    } else {
        Err(format!("reason must be 1 to {REASON_CHARS_MAX} characters in one line"))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn order(states: &[LineState]) -> MassOpening {
        let lines: Vec<Line> = (1..)
            .zip(states)
            .map(|(id, state)| Line { locker_id: LockerId(id), state: *state, opening: None })
            .collect();
        let head = MassOpeningHead {
            id: MassOpeningId(Uuid::nil()),
            member_id: MemberId(1),
            member_name: "가".to_owned(),
            banks: vec![BankId(1)],
            reason: "drill".to_owned(),
            lockers: lines.len(),
            started_at: Timestamp::UNIX_EPOCH,
            ended_at: None,
            state: RunState::Running,
        };
        MassOpening { head, lines }
    }

    const DONE: LineState = LineState::Ended(Outcome::Opened);
    const JAMMED: LineState = LineState::Ended(Outcome::DoorDidNotOpen);

    #[test]
    fn the_end_says_what_became_of_each_locker_and_stands() {
        let now = Timestamp::UNIX_EPOCH;
        for (states, cancelled, end, last) in [
            (vec![DONE, JAMMED], false, RunState::Done, JAMMED),
            // Stopped when there was nothing left to stop.
            (vec![DONE, DONE], true, RunState::Done, DONE),
            (vec![DONE, LineState::Waiting], true, RunState::Cancelled, LineState::Cancelled),
            (vec![DONE, LineState::Waiting], false, RunState::Interrupted, LineState::NotReached),
        ] {
            let mut order = order(&states);
            order.end(cancelled, now);
            assert_eq!((order.head.state, order.lines[1].state), (end, last));
            let before = order.clone();
            order.end(!cancelled, now);
            assert_eq!(order, before);
        }
    }

    #[test]
    fn what_was_begun_is_never_said_to_be_unreached() {
        let mut order = order(&[LineState::Waiting, LineState::Waiting]);
        order.see(LockerId(1), LineState::Opening, None);
        order.see(LockerId(1), LineState::Opening, Some(OpeningId(Uuid::nil())));
        order.end(false, Timestamp::UNIX_EPOCH);
        let states: Vec<_> = order.lines.iter().map(|line| line.state.name()).collect();
        assert_eq!(states, ["interrupted", "not_reached"]);
    }

    #[test]
    fn only_what_was_seen_open_counts_as_open() {
        let unseen = LineState::Ended(Outcome::Unseen);
        let order = order(&[DONE, JAMMED, unseen, LineState::Skipped(SkipReason::NotWired)]);
        let not: Vec<_> = order.not_seen_open().map(|line| line.locker_id.0).collect();
        assert_eq!(not, [2, 3, 4]);
        let counts: Vec<_> = order.counts().into_iter().collect();
        assert_eq!(counts, [("did_not_open", 1), ("opened", 1), ("skipped", 1), ("unseen", 1)]);
    }

    #[test]
    fn a_reason_is_one_line_of_some_length() {
        assert_eq!(parse_reason("  소방 훈련 "), Ok("소방 훈련".to_owned()));
        let long = "가".repeat(REASON_CHARS_MAX);
        assert!(parse_reason(&long).is_ok());
        for bad in ["", "   ", "a\nb", &format!("{long}가")] {
            assert!(parse_reason(bad).is_err(), "{bad}");
        }
    }
}
