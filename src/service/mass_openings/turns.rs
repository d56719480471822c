//! Whose turn is next among the lockers of one supply.
//!
//! A lock that cools down or is in use goes to the end, so that it keeps no other waiting; it is
//! given up only when nothing but such locks is left and none of them has opened for a while. Used
//! by the one worker of the supply; no clock of its own.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::domain::id::LockerId;

/// How long the locks that are left may cool down or be in use before their turns pass.
pub(super) const BUSY_PATIENCE: Duration = Duration::from_secs(30);

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This one's turn.
    Open(LockerId),
    /// None is ready before this time.
    Wait(Instant),
    /// Every locker had its turn.
    Over,
}

#[derive(Debug)]
struct Turn {
    locker: LockerId,
    /// Set for a lock that was busy: when it may be tried again.
    ready_at: Option<Instant>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Turns {
    left: VecDeque<Turn>,
    /// Until when they are waited for, while only busy locks are left.
    deadline: Option<Instant>,
}

impl Turns {
    pub(super) fn new(lockers: &[LockerId]) -> Self {
        let turn = |locker: &LockerId| Turn { locker: *locker, ready_at: None };
        Self { left: lockers.iter().map(turn).collect(), deadline: None }
    }

    /// Takes the first locker that is ready.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        let is_ready = |turn: &Turn| turn.ready_at.is_none_or(|at| at <= now);
        if let Some(place) = self.left.iter().position(is_ready)
            && let Some(turn) = self.left.remove(place)
        {
            return Next::Open(turn.locker);
        }
        self.left.iter().filter_map(|turn| turn.ready_at).min().map_or(Next::Over, Next::Wait)
    }

    /// The one that was taken is busy, and may be tried again at `ready_at`. Puts it at the end;
    /// says no when it was waited for long enough.
    pub(super) fn busy(&mut self, locker: LockerId, ready_at: Instant, now: Instant) -> bool {
        let only_busy = self.left.iter().all(|turn| turn.ready_at.is_some());
        if only_busy && *self.deadline.get_or_insert(now + BUSY_PATIENCE) <= now {
            return false;
        }
        self.left.push_back(Turn { locker, ready_at: Some(ready_at) });
        true
    }

    /// The one that was taken had its opening: the others have their time anew.
    pub(super) const fn had(&mut self) {
        self.deadline = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: LockerId = LockerId(1);
    const B: LockerId = LockerId(2);
    const C: LockerId = LockerId(3);

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_busy_lock_goes_to_the_end_and_the_others_go_on() {
        let now = Instant::now();
        let mut turns = Turns::new(&[A, B, C]);
        assert_eq!(turns.next(now), Next::Open(A));
        assert!(turns.busy(A, now + SECOND, now));
        assert_eq!(turns.next(now), Next::Open(B));
        turns.had();
        // Ready again, it still comes after those that had no turn yet.
        let now = now + SECOND;
        assert_eq!(turns.next(now), Next::Open(C));
        turns.had();
        assert_eq!(turns.next(now), Next::Open(A));
        turns.had();
        assert_eq!(turns.next(now), Next::Over);
    }

    #[test]
    fn only_the_last_ones_pass_and_only_after_the_limit() {
        let begun = Instant::now();
        let mut turns = Turns::new(&[A, B, C]);
        // Its time does not run while another comes, however long that takes.
        assert_eq!(turns.next(begun), Next::Open(A));
        assert!(turns.busy(A, begun + SECOND, begun));
        assert_eq!(turns.next(begun), Next::Open(B));
        let now = begun + 2 * BUSY_PATIENCE;
        assert!(turns.busy(B, now + 2 * SECOND, now));
        assert_eq!(turns.next(now), Next::Open(C));
        turns.had();

        assert_eq!(turns.next(now), Next::Open(A));
        assert!(turns.busy(A, now + SECOND, now));
        assert_eq!(turns.next(now), Next::Wait(now + SECOND));
        // One that opens gives the other its time again.
        let now = now + BUSY_PATIENCE.saturating_sub(SECOND);
        assert_eq!(turns.next(now), Next::Open(B));
        turns.had();
        assert_eq!(turns.next(now), Next::Open(A));
        assert!(turns.busy(A, now, now));
        let almost = now + BUSY_PATIENCE.saturating_sub(Duration::from_millis(1));
        assert_eq!(turns.next(almost), Next::Open(A));
        assert!(turns.busy(A, almost, almost));
        let over = now + BUSY_PATIENCE;
        assert_eq!(turns.next(over), Next::Open(A));
        assert!(!turns.busy(A, over, over));
        assert_eq!(turns.next(over), Next::Over);
    }
}
