//! Turns at the power supplies: at most one coil of a supply is on at any time.
//!
//! A supply that feeds one 12 V coil comfortably sags under two, and then neither lock moves. Supplies
//! are known by name and shared by boards and ports, so turns are taken in one registry: first come,
//! first served across ports, and the next pulse not before the last one is over and a rest passed.
//! A [`Turn`] that is dropped leaves the queue, so an opening that ended never blocks the others.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Rest after a pulse before the next one on the same supply.
pub const REST: Duration = Duration::from_millis(150);
/// How long to wait before asking again when others are first.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// All power supplies. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct PowerSupplies(Arc<Mutex<HashMap<String, Supply>>>);

#[derive(Debug, Default)]
struct Supply {
    queue: VecDeque<u64>,
    next_ticket: u64,
    free_at: Option<Instant>,
}

/// A place in the queue of one supply.
#[derive(Debug)]
pub struct Turn {
    supplies: PowerSupplies,
    name: String,
    ticket: u64,
}

impl PowerSupplies {
    /// Takes a place at the end of the queue.
    #[must_use]
    pub fn queue(&self, name: &str) -> Turn {
        let mut supplies = self.lock();
        let supply = supplies.entry(name.to_owned()).or_default();
        let ticket = supply.next_ticket;
        supply.next_ticket += 1;
        supply.queue.push_back(ticket);
        Turn { supplies: self.clone(), name: name.to_owned(), ticket }
    }

    /// A coil that nobody here switched on may be on until `coil_off_at`: the next pulse waits for that
    /// and the rest after it.
    pub fn may_be_busy(&self, name: &str, coil_off_at: Instant) {
        let mut supplies = self.lock();
        let supply = supplies.entry(name.to_owned()).or_default();
        let free_at = coil_off_at + REST;
        supply.free_at = Some(supply.free_at.map_or(free_at, |at| at.max(free_at)));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Supply>> {
        // Each change is whole before the lock is let go, so a poisoned one is still sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Whether this pulse may start now; else when to ask again.
    ///
    /// After `Ok` nobody else gets the supply until this turn is spent or dropped.
    pub fn may_start(&self, now: Instant) -> Result<(), Instant> {
        let supplies = self.supplies.lock();
        let Some(supply) = supplies.get(&self.name) else { return Ok(()) };
        match supply.free_at {
            Some(at) if at > now => Err(at),
            _ if supply.queue.front() == Some(&self.ticket) => Ok(()),
            _ => Err(now + ASK_AGAIN),
        }
    }

    /// The pulse was sent: its coil is off at `coil_off_at`, and the supply rests after it.
    pub fn spend(self, coil_off_at: Instant) {
        if let Some(supply) = self.supplies.lock().get_mut(&self.name) {
            let free_at = coil_off_at + REST;
            supply.free_at = Some(supply.free_at.map_or(free_at, |at| at.max(free_at)));
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(supply) = self.supplies.lock().get_mut(&self.name) {
            supply.queue.retain(|ticket| *ticket != self.ticket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pulse_at_a_time_in_order_with_a_rest() {
        let supplies = PowerSupplies::default();
        let (first, second) = (supplies.queue("main"), supplies.queue("main"));
        let other = supplies.queue("other");
        let start = Instant::now();
        assert!(second.may_start(start).is_err(), "first come, first served");
        assert_eq!(first.may_start(start), Ok(()));
        assert_eq!(other.may_start(start), Ok(()), "another supply is free");
        let off_at = start + Duration::from_millis(500);
        first.spend(off_at);
        assert_eq!(second.may_start(start), Err(off_at + REST));
        assert_eq!(second.may_start(off_at + REST), Ok(()));
    }

    #[test]
    fn a_supply_that_may_be_busy_is_waited_for() {
        let supplies = PowerSupplies::default();
        let start = Instant::now();
        let off_at = start + Duration::from_millis(500);
        supplies.may_be_busy("main", off_at);
        supplies.may_be_busy("main", start);
        let turn = supplies.queue("main");
        assert_eq!(turn.may_start(start), Err(off_at + REST), "the longer one counts");
        assert_eq!(turn.may_start(off_at + REST), Ok(()));
    }

    #[test]
    fn a_dropped_turn_blocks_nobody() {
        let supplies = PowerSupplies::default();
        let (first, second) = (supplies.queue("main"), supplies.queue("main"));
        drop(first);
        assert_eq!(second.may_start(Instant::now()), Ok(()));
    }
}
