//! Decisions of the door watch that are not stored yet, oldest first, in wall time.
//!
//! Bounded: when too many wait, which needs a database that fails for long, the oldest alarm that
//! both began and ended meanwhile is given up as a whole; it was in the log. What is being stored
//! just now keeps its place.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::domain::alarm::{AlarmKind, ClearReason, Evidence, Subject};
use crate::domain::door_watch::{Decision, Moment, What};

/// Most decisions that wait.
pub(super) const PENDING_MAX: usize = 4_096;

/// A decision in wall time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) kind: AlarmKind,
    pub(super) subject: Subject,
    pub(super) at: Timestamp,
    pub(super) what: DueWhat,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DueWhat {
    Raise { evidence: Evidence<Timestamp>, count: u32 },
    Update { evidence: Evidence<Timestamp>, count: u32 },
    Escalate,
    Clear(ClearReason),
}

impl Due {
    pub(super) fn of(
        decision: &Decision,
        at: Timestamp,
        wall: impl Fn(Moment) -> Timestamp,
    ) -> Self {
        let what = match decision.what.clone() {
            What::Raise { evidence, count } => {
                DueWhat::Raise { evidence: evidence.map(wall), count }
            }
            What::Update { evidence, count } => {
                DueWhat::Update { evidence: evidence.map(wall), count }
            }
            What::Escalate => DueWhat::Escalate,
            What::Clear(reason) => DueWhat::Clear(reason),
        };
        Self { kind: decision.kind, subject: decision.subject.clone(), at, what }
    }

    fn is_about(&self, other: &Self) -> bool {
        self.kind == other.kind && self.subject == other.subject
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Pending {
    waiting: VecDeque<Due>,
    /// How many of the oldest are being stored.
    in_hand: usize,
}

impl Pending {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn push(&mut self, due: Due) {
        if self.waiting.len() >= PENDING_MAX {
            self.give_up();
        }
        self.waiting.push_back(due);
    }

    /// The oldest ones, at most `count`, to be stored: none of them is given up before it is said
    /// that they are stored, or others are taken.
    pub(super) fn take_in_hand(&mut self, count: usize) -> Vec<Due> {
        self.in_hand = count.min(self.waiting.len());
        self.waiting.iter().take(count).cloned().collect()
    }

    /// The oldest `count` are stored.
    pub(super) fn stored(&mut self, count: usize) {
        self.waiting.drain(..count.min(self.waiting.len()));
        self.in_hand = 0;
    }

    /// Makes room: the oldest alarm that is over goes, with all that became of it. Without one the
    /// oldest decision goes.
    fn give_up(&mut self) {
        let ended = |due: &Due| matches!(due.what, DueWhat::Clear(_));
        let begun = |due: &Due| matches!(due.what, DueWhat::Raise { .. });
        let whole =
            self.waiting.iter().enumerate().skip(self.in_hand).find_map(|(first, raised)| {
                let mut later = self.waiting.iter().enumerate().skip(first + 1);
                let end = later.find(|(_, due)| ended(due) && due.is_about(raised))?.0;
                begun(raised).then_some((first, end))
            });
        let (first, end) = whole.unwrap_or((self.in_hand, self.in_hand));
        let given_up = self.waiting[first].clone();
        tracing::error!(area = "store", alarm.kind = %given_up.kind,
            alarm.subject = %given_up.subject, "too many alarms wait: this one is given up");
        let mut place = 0;
        self.waiting.retain(|due| {
            let within = (first..=end).contains(&place);
            place += 1;
            !(within && due.is_about(&given_up))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::LockerId;

    fn due(locker: i64, what: DueWhat) -> Due {
        let subject = Subject::Locker(LockerId(locker));
        Due { kind: AlarmKind::LeftOpen, subject, at: Timestamp::UNIX_EPOCH, what }
    }

    fn raise(locker: i64) -> Due {
        let open_since = Timestamp::UNIX_EPOCH;
        let evidence = Evidence::StandsOpen { open_since, limit_ms: 1 };
        due(locker, DueWhat::Raise { evidence, count: 1 })
    }

    #[test]
    fn what_must_go_goes_as_a_whole_and_live_alarms_stay() {
        let mut pending = Pending::default();
        pending.push(raise(1));
        pending.push(raise(2));
        pending.push(due(2, DueWhat::Escalate));
        pending.push(due(2, DueWhat::Clear(ClearReason::DoorClosed)));
        pending.push(raise(2));
        for locker in 3.. {
            if pending.len() == PENDING_MAX {
                break;
            }
            pending.push(raise(locker));
        }
        pending.push(due(1, DueWhat::Escalate));
        assert_eq!(pending.len(), PENDING_MAX - 2);
        assert_eq!(pending.take_in_hand(3), [raise(1), raise(2), raise(3)]);
        pending.stored(2);
        assert_eq!(pending.take_in_hand(1), [raise(3)]);
    }

    #[test]
    fn what_is_being_stored_keeps_its_place() {
        let mut pending = Pending::default();
        pending.push(raise(1));
        pending.push(due(1, DueWhat::Clear(ClearReason::DoorClosed)));
        for locker in 2.. {
            if pending.len() == PENDING_MAX {
                break;
            }
            pending.push(raise(locker));
        }
        assert_eq!(pending.take_in_hand(2).len(), 2);
        pending.push(raise(1));
        pending.stored(2);
        // The oldest that was not in hand went instead.
        assert_eq!(pending.take_in_hand(1), [raise(3)]);
        assert_eq!(pending.len(), PENDING_MAX - 2);
    }
}
