//! One attempt to open one locker, with everything that was seen of it.
//!
//! The product says only what it has seen. "Opened" needs a sensor or the board's own state; a
//! board's acknowledgement alone is an acknowledgement.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::id::{LockerId, MassOpeningId, MemberId, OpeningId};

/// A step of an opening, in the order they normally come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The server accepted the request and wrote it down.
    Requested,
    /// The command's bytes left for the board.
    Sent,
    /// The board acknowledged the command.
    Acknowledged,
    /// The door was seen closed, and a second and last pulse left.
    SentAgain,
    /// A sensor showed the door open.
    Opened,
    /// A sensor showed the door closed again.
    Closed,
}

impl Phase {
    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Sent => "sent",
            Self::Acknowledged => "acknowledged",
            Self::SentAgain => "sent_again",
            Self::Opened => "opened",
            Self::Closed => "closed",
        }
    }
}

/// How an opening ended; decided once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A sensor or the board's state showed the door open.
    Opened,
    /// The door was open before the pulse and still is: nothing more can be said.
    AlreadyOpen,
    /// The sensor showed it closed all the while: push it and try again.
    DoorDidNotOpen,
    /// The board acknowledged, and this bank has no sensors: we cannot see the door.
    Unseen,
    /// The board did not answer: nobody knows whether the lock moved.
    NoAnswer,
    /// The board answered that it will not.
    Refused,
    /// The port is away: nothing was sent.
    Unreachable,
    /// The server stopped in between, and the door could not tell afterwards.
    Interrupted,
}

impl Outcome {
    /// Every outcome; the database's CHECK lists the same names.
    pub const ALL: [Self; 8] = [
        Self::Opened,
        Self::AlreadyOpen,
        Self::DoorDidNotOpen,
        Self::Unseen,
        Self::NoAnswer,
        Self::Refused,
        Self::Unreachable,
        Self::Interrupted,
    ];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::AlreadyOpen => "already_open",
            Self::DoorDidNotOpen => "door_did_not_open",
            Self::Unseen => "unseen",
            Self::NoAnswer => "no_answer",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether trying again may help the person at the door.
    #[must_use]
    pub const fn may_retry(self) -> bool {
        !matches!(self, Self::Opened | Self::AlreadyOpen)
    }

    /// Finds an outcome by its stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// By what right a locker is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenedAs {
    /// The renter, in the rental's dates.
    Renter,
    /// Staff of the bank, or an admin.
    Staff,
}

impl OpenedAs {
    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Renter => "renter",
            Self::Staff => "staff",
        }
    }

    /// Finds one by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Renter, Self::Staff].into_iter().find(|known| known.name() == name)
    }
}

/// A phase with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseAt {
    /// What was seen.
    pub phase: Phase,
    /// When, in wall time.
    pub at: Timestamp,
}

/// One attempt to open one locker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Its name, given before anything happened.
    pub id: OpeningId,
    /// Which locker.
    pub locker_id: LockerId,
    /// Who asked.
    pub member_id: MemberId,
    /// By what right.
    pub opened_as: OpenedAs,
    /// The order it belongs to, when many lockers are opened at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mass_opening: Option<MassOpeningId>,
    /// Whether it is the last one of a return: when the door was seen open, the locker is given back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub returns: bool,
    /// What was seen, oldest first; never empty.
    pub phases: Vec<PhaseAt>,
    /// How it ended; `None` while it is under way.
    pub outcome: Option<Outcome>,
}

impl Opening {
    /// A request that was just accepted.
    #[must_use]
    pub fn requested(
        id: OpeningId,
        locker_id: LockerId,
        member_id: MemberId,
        opened_as: OpenedAs,
        at: Timestamp,
    ) -> Self {
        let phases = vec![PhaseAt { phase: Phase::Requested, at }];
        Self {
            id,
            locker_id,
            member_id,
            opened_as,
            mass_opening: None,
            returns: false,
            phases,
            outcome: None,
        }
    }

    /// Notes a phase; a phase that was already seen is not noted twice. Phases never go back in
    /// time, whatever the wall clock did in between.
    pub fn see(&mut self, phase: Phase, at: Timestamp) {
        let at = self.phases.last().map_or(at, |last| at.max(last.at));
        if !self.phases.iter().any(|seen| seen.phase == phase) {
            self.phases.push(PhaseAt { phase, at });
        }
    }

    /// Notes the outcome; the first one stands.
    pub fn end(&mut self, outcome: Outcome) {
        self.outcome.get_or_insert(outcome);
    }

    /// Whether the lock moved, or may have: the command left, or nobody knows whether it did.
    #[must_use]
    pub fn may_have_moved(&self) -> bool {
        let doubted = |outcome| !matches!(outcome, Outcome::Refused | Outcome::Unreachable);
        self.at(Phase::Sent).is_some() || self.outcome.is_some_and(doubted)
    }

    /// Whether the door was seen open.
    #[must_use]
    pub fn was_seen_open(&self) -> bool {
        let open = |outcome| matches!(outcome, Outcome::Opened | Outcome::AlreadyOpen);
        self.at(Phase::Opened).is_some() || self.outcome.is_some_and(open)
    }

    /// When a phase was seen.
    #[must_use]
    pub fn at(&self, phase: Phase) -> Option<Timestamp> {
        self.phases.iter().find(|seen| seen.phase == phase).map(|seen| seen.at)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_outcome_is_decided_once_and_a_phase_seen_once() {
        let at = |second| Timestamp::from_second(second).expect("in range");
        let id = OpeningId(Uuid::nil());
        let mut opening = Opening::requested(id, LockerId(1), MemberId(1), OpenedAs::Renter, at(1));
        opening.see(Phase::Sent, at(2));
        opening.see(Phase::Sent, at(3));
        opening.end(Outcome::Opened);
        opening.end(Outcome::NoAnswer);
        assert_eq!(opening.at(Phase::Sent), Some(at(2)));
        assert_eq!(opening.at(Phase::Closed), None);
        opening.see(Phase::Opened, at(1));
        assert_eq!(opening.at(Phase::Opened), Some(at(2)), "the clock was set back");
        assert_eq!(opening.outcome, Some(Outcome::Opened));
    }

    #[test]
    fn a_lock_may_have_moved_when_the_command_left_or_nobody_knows() {
        let id = OpeningId(Uuid::nil());
        let at = Timestamp::UNIX_EPOCH;
        let requested = Opening::requested(id, LockerId(1), MemberId(1), OpenedAs::Renter, at);
        assert!(!requested.may_have_moved());
        let ended = |outcome| Opening { outcome: Some(outcome), ..requested.clone() };
        assert!(!ended(Outcome::Unreachable).may_have_moved());
        assert!(!ended(Outcome::Refused).may_have_moved());
        assert!(ended(Outcome::Interrupted).may_have_moved());
        let mut sent = ended(Outcome::Refused);
        sent.see(Phase::Sent, at);
        assert!(sent.may_have_moved());
    }

    #[test]
    fn outcome_names_are_found_again() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_name(outcome.name()), Some(outcome));
        }
        assert_eq!(Outcome::from_name("fine"), None);
    }
}
