//! The bounded queue before the writer: lanes by urgency, taken in batches under one lock.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How urgent a change is; the writer takes from the first lane that has something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Openings: somebody stands before a door.
    Opening,
    /// Claims, returns, log-ins: somebody waits at a screen.
    Change,
    /// Tidying: nobody waits.
    Housekeeping,
}

/// Most jobs waiting in one lane; one more is refused at once.
pub const LANE_MAX: usize = 512;

const LANES: usize = 3;

#[derive(Debug)]
struct State<J> {
    lanes: [VecDeque<J>; LANES],
    closed: bool,
}

/// What the writer gets when it asks for work.
#[derive(Debug)]
pub enum Taken<J> {
    /// At least one job, at most as many as asked for.
    Jobs(Vec<J>),
    /// Nothing came within the time given.
    Nothing,
    /// Closed and empty.
    Closed,
}

/// Why a job was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// The lane is full.
    Full,
    /// The writer is shutting down.
    Closed,
}

/// A multi-producer, single-consumer queue of jobs.
#[derive(Debug)]
pub struct Queue<J> {
    state: Mutex<State<J>>,
    arrived: Condvar,
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        let lanes = std::array::from_fn(|_| VecDeque::new());
        Self { state: Mutex::new(State { lanes, closed: false }), arrived: Condvar::new() }
    }
}

impl<J> Queue<J> {
    /// Appends a job to its lane, or hands it back.
    pub fn put(&self, lane: Lane, job: J) -> Result<(), (Rejected, J)> {
        let mut state = self.lock();
        if state.closed {
            return Err((Rejected::Closed, job));
        }
        let queue = &mut state.lanes[lane as usize];
        if queue.len() >= LANE_MAX {
            return Err((Rejected::Full, job));
        }
        queue.push_back(job);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for work, at most for `patience` if given, and takes up to `most` jobs, urgent ones
    /// first. Never waits for more once there is one.
    pub fn take(&self, most: usize, patience: Option<Duration>) -> Taken<J> {
        let mut state = self.lock();
        while state.lanes.iter().all(VecDeque::is_empty) {
            if state.closed {
                return Taken::Closed;
            }
            state = match patience {
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let waited = self.arrived.wait_timeout(state, patience);
                    let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() && state.lanes.iter().all(VecDeque::is_empty) {
                        return if state.closed { Taken::Closed } else { Taken::Nothing };
                    }
                    state
                }
            };
        }
        let mut jobs = Vec::with_capacity(most.min(64));
        for lane in &mut state.lanes {
            let room = most - jobs.len();
            let count = lane.len().min(room);
            jobs.extend(lane.drain(..count));
        }
        Taken::Jobs(jobs)
    }

    /// Accepts nothing more; what is queued is still handed out.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// How many jobs wait.
    pub fn waiting(&self) -> usize {
        self.lock().lanes.iter().map(VecDeque::len).sum()
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(taken: Taken<u32>) -> Vec<u32> {
        match taken {
            Taken::Jobs(jobs) => jobs,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn urgent_jobs_come_first_and_batches_are_bounded() {
        let queue = Queue::default();
        for (lane, job) in
            [(Lane::Housekeeping, 1), (Lane::Change, 2), (Lane::Opening, 3), (Lane::Change, 4)]
        {
            queue.put(lane, job).expect("room");
        }
        assert_eq!(jobs(queue.take(3, None)), [3, 2, 4]);
        assert_eq!(jobs(queue.take(3, None)), [1]);
        assert!(matches!(queue.take(3, Some(Duration::from_millis(1))), Taken::Nothing));
    }

    #[test]
    fn a_full_lane_refuses_and_others_do_not() {
        let queue = Queue::default();
        for job in 0..LANE_MAX {
            queue.put(Lane::Change, job).expect("room");
        }
        assert_eq!(queue.put(Lane::Change, 0), Err((Rejected::Full, 0)));
        assert_eq!(queue.put(Lane::Opening, 0), Ok(()));
        assert_eq!(queue.waiting(), LANE_MAX + 1);
    }

    #[test]
    fn closing_hands_out_what_is_left() {
        let queue = Queue::default();
        queue.put(Lane::Change, 1).expect("room");
        queue.close();
        assert_eq!(queue.put(Lane::Change, 2), Err((Rejected::Closed, 2)));
        assert_eq!(jobs(queue.take(9, None)), [1]);
        assert!(matches!(queue.take(9, None), Taken::Closed));
    }
}
