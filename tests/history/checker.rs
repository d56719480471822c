//! Is there an order of the operations, each at one moment between its call and its answer, in which
//! a plain sequential model gives the very answers that were seen? Then the history is linearizable.
//!
//! The search is Wing and Gong's with memoised states as Lowe has it ("Testing for linearizability",
//! 2017), in its just-in-time form: the moments are walked in order of time, and an operation is
//! placed only when its answer comes, after whatever other pending ones must stand before it. What is
//! kept is the set of possible (state, pending operations already placed). Operations that only look
//! are placed as soon as they fit, which loses no order: they change nothing.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Debug;
use std::hash::Hash;

/// Microseconds since the history began, by the one clock of the test process.
pub type Micros = u64;

/// Most possibilities at one moment; more would say that the history is of no use.
const POSSIBILITIES_MAX: usize = 100_000;

/// What a sequential model says of one kind of operation.
pub trait Step {
    /// The state of the thing that is operated on.
    type State: Copy + Eq + Hash + Debug;

    /// The states after the operation, begun at `began`, with the answer that it got; none when that
    /// cannot be.
    fn next(&self, state: Self::State, began: Micros) -> Vec<Self::State>;

    /// Whether it may be placed as soon as it changes nothing: it never matters later.
    fn only_looks(&self) -> bool;
}

/// An operation with when it was called and when it was answered.
#[derive(Debug, Clone)]
pub struct Op<S> {
    /// When it was called.
    pub began: Micros,
    /// When its answer had come; at the latest then it had happened.
    pub ended: Micros,
    /// What was asked and answered.
    pub step: S,
}

/// No order explains the history any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit<T> {
    /// The operation whose answer fits nowhere.
    pub op: usize,
    /// What the thing may have been until then.
    pub states: Vec<T>,
    /// When all that came before was last settled: what is older does not matter.
    pub since: Micros,
}

/// One possible past: the state now, and which of the pending operations have happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Past<T> {
    state: T,
    placed: Vec<usize>,
}

impl<T: Copy> Past<T> {
    fn with(&self, state: T, op: usize) -> Self {
        let mut placed = self.placed.clone();
        if let Err(at) = placed.binary_search(&op) {
            placed.insert(at, op);
        }
        Self { state, placed }
    }

    fn has(&self, op: usize) -> bool {
        self.placed.binary_search(&op).is_ok()
    }
}

/// Looks for an order that explains everything; says where none is left.
pub fn check<S: Step>(start: S::State, ops: &[Op<S>]) -> Result<(), Misfit<S::State>> {
    let mut moments: Vec<(Micros, bool, usize)> = Vec::with_capacity(ops.len() * 2);
    for (number, op) in ops.iter().enumerate() {
        moments.push((op.began, false, number));
        moments.push((op.ended, true, number));
    }
    // At the same microsecond calls come first: that allows more.
    moments.sort_unstable();
    let mut pasts = HashSet::from([Past { state: start, placed: Vec::new() }]);
    let (mut pending, mut since) = (BTreeSet::new(), 0);
    for (time, answered, op) in moments {
        if !answered {
            pending.insert(op);
            continue;
        }
        let next = place(ops, &pasts, &pending, op);
        if next.is_empty() {
            let states: HashSet<S::State> = pasts.iter().map(|past| past.state).collect();
            return Err(Misfit { op, states: states.into_iter().collect(), since });
        }
        assert!(next.len() <= POSSIBILITIES_MAX, "too much may have happened at {time} µs");
        pending.remove(&op);
        pasts = next;
        if pasts.len() == 1 && pending.is_empty() {
            since = time;
        }
    }
    Ok(())
}

/// Every past in which `wanted` has happened, with as little else as it takes.
fn place<S: Step>(
    ops: &[Op<S>],
    pasts: &HashSet<Past<S::State>>,
    pending: &BTreeSet<usize>,
    wanted: usize,
) -> HashSet<Past<S::State>> {
    let (mut found, mut seen) = (HashSet::new(), HashSet::new());
    let mut open: Vec<Past<S::State>> = pasts.iter().cloned().collect();
    while let Some(past) = open.pop() {
        let past = look(ops, past, pending);
        if !seen.insert(past.clone()) {
            continue;
        }
        if past.has(wanted) {
            let placed = past.placed.iter().copied().filter(|op| *op != wanted).collect();
            found.insert(Past { state: past.state, placed });
            continue;
        }
        for op in pending.iter().copied().filter(|op| !past.has(*op)) {
            for state in ops[op].step.next(past.state, ops[op].began) {
                open.push(past.with(state, op));
            }
        }
    }
    found
}

/// Places everything that only looks and sees this state.
fn look<S: Step>(ops: &[Op<S>], past: Past<S::State>, pending: &BTreeSet<usize>) -> Past<S::State> {
    let fits = |op: &usize| {
        let step = &ops[*op].step;
        step.only_looks() && step.next(past.state, ops[*op].began) == [past.state]
    };
    let seen: Vec<usize> =
        pending.iter().copied().filter(|op| !past.has(*op)).filter(fits).collect();
    seen.into_iter().fold(past, |past, op| past.with(past.state, op))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A register, as in the literature: it makes the search itself visible.
    #[derive(Debug, Clone)]
    enum Register {
        Write(u8),
        Read(u8),
        /// A write that was never answered.
        MaybeWrite(u8),
    }

    impl Step for Register {
        type State = u8;

        fn next(&self, state: u8, _: Micros) -> Vec<u8> {
            match *self {
                Self::Write(value) => vec![value],
                Self::Read(value) if value == state => vec![state],
                Self::Read(_) => Vec::new(),
                Self::MaybeWrite(value) => vec![state, value],
            }
        }

        fn only_looks(&self) -> bool {
            matches!(self, Self::Read(_))
        }
    }

    use Register::{MaybeWrite, Read, Write};

    fn verdict(ops: &[(Micros, Micros, Register)]) -> Result<(), usize> {
        let ops: Vec<_> = ops
            .iter()
            .map(|(began, ended, step)| Op { began: *began, ended: *ended, step: step.clone() })
            .collect();
        check(0, &ops).map_err(|misfit| misfit.op)
    }

    #[test]
    fn what_overlaps_may_have_happened_in_any_order() {
        let writes = [(0, 9, Write(1)), (1, 8, Write(2))];
        for last in [1, 2] {
            let ops = [&writes[..], &[(10, 11, Read(last))]].concat();
            assert_eq!(verdict(&ops), Ok(()));
        }
        // A reader in between saw the one, then the other: there is one order left.
        let seen = [(2, 3, Read(2)), (4, 5, Read(1))];
        assert_eq!(verdict(&[&writes[..], &seen, &[(10, 11, Read(1))]].concat()), Ok(()));
        assert_eq!(verdict(&[&writes[..], &seen, &[(10, 11, Read(2))]].concat()), Err(4));
        // Nothing was written yet, and a write under way may be seen and then not unseen.
        assert_eq!(verdict(&[(0, 9, Write(1)), (1, 2, Read(0)), (3, 4, Read(1))]), Ok(()));
        assert_eq!(verdict(&[(0, 9, Write(1)), (1, 2, Read(1)), (3, 4, Read(0))]), Err(2));
    }

    #[test]
    fn what_was_answered_before_is_seen_after() {
        assert_eq!(verdict(&[(0, 1, Write(1)), (2, 3, Read(1))]), Ok(()));
        assert_eq!(verdict(&[(0, 1, Write(1)), (2, 3, Read(0))]), Err(1));
        // At the same microsecond nobody knows which was first.
        assert_eq!(verdict(&[(0, 2, Write(1)), (2, 3, Read(0))]), Ok(()));
    }

    #[test]
    fn what_was_cut_off_happened_or_not_but_never_both() {
        let cut = (0, 5, MaybeWrite(7));
        for value in [0, 7] {
            assert_eq!(verdict(&[cut.clone(), (6, 7, Read(value)), (8, 9, Read(value))]), Ok(()));
        }
        assert_eq!(verdict(&[cut.clone(), (6, 7, Read(7)), (8, 9, Read(0))]), Err(2));
        assert_eq!(verdict(&[cut, (6, 7, Read(0)), (8, 9, Read(7))]), Err(2));
    }

    #[test]
    fn a_long_history_of_many_at_once_takes_no_time_to_speak_of() {
        // Sixty-four clients, each one write behind the other; readers see the last of each round.
        let mut ops = Vec::new();
        for round in 0..50_u64 {
            let value = u8::try_from(round + 1).expect("small");
            let at = round * 100;
            ops.push((at, at + 50, Write(value)));
            ops.extend((0..63).map(|n| (at + n % 7, at + 60 + n, Read(value))));
        }
        assert_eq!(verdict(&ops), Ok(()));
    }
}
