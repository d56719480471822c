//! What a proof says about a board as a whole.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{LockResult, Proof, Step, proven};
use crate::domain::id::LockerId;

/// The findings of a proof, also of one that is not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conclusion {
    /// Every lock is proven or left out.
    pub finished: bool,
    /// Finished, every lock proven, and nothing to be mended.
    pub sound: bool,
    /// Which lock opens which number.
    pub wiring: BTreeMap<u8, LockerId>,
    /// The bit of a closed door, as most sensors have it; `None` when no sensor moved.
    pub closed_bit: Option<bool>,
    /// Locks whose sensor has it the other way: one switch is of the other kind.
    pub odd: Vec<u8>,
    /// Locks whose sensor hangs on another input, with that input.
    pub crossed: BTreeMap<u8, u8>,
    /// Proven locks without a working sensor.
    pub unseen: Vec<u8>,
    /// Locks that were left out.
    pub skipped: Vec<u8>,
    /// Whether the byte of locks 1 to 8 comes first; `None` when nothing told.
    pub lowest_first: Option<bool>,
    /// Doors that moved to another lock than the layout had: number before and now, by lock.
    pub moved: BTreeMap<u8, (LockerId, LockerId)>,
}

impl Conclusion {
    /// What is to be mended, a sentence each.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let mut list = Vec::new();
        for (lock, sensor) in &self.crossed {
            list.push(format!(
                "the sensor of lock {lock} is wired to input {sensor}: swap the cables and prove again"
            ));
        }
        for lock in &self.odd {
            list.push(format!(
                "the sensor of lock {lock} has open and closed the other way round than the others: \
                 change its switch (normally open or closed)"
            ));
        }
        for lock in &self.unseen {
            list.push(format!("lock {lock} opens, but no sensor sees its door"));
        }
        for lock in &self.skipped {
            list.push(format!("lock {lock} is not proven"));
        }
        list
    }
}

impl Proof {
    /// What is known of the board by now.
    #[must_use]
    pub fn conclude(&self) -> Conclusion {
        let known: BTreeMap<u8, _> =
            self.results.iter().filter_map(|(lock, it)| Some((*lock, proven(it)?))).collect();
        let bits = || known.iter().filter_map(|(lock, (_, it))| Some((*lock, it.closed_bit?)));
        let ones = bits().filter(|(_, bit)| *bit).count();
        let closed_bit = (bits().count() > 0).then(|| ones * 2 >= bits().count());
        let odd =
            bits().filter(|(_, bit)| Some(*bit) != closed_bit).map(|(lock, _)| lock).collect();
        let crossed = known
            .iter()
            .filter_map(|(lock, (_, it))| Some((*lock, it.sensor.filter(|it| it != lock)?)))
            .collect();
        // A board without any sensor is wired so; one lock without is a fault.
        let any_sensor = closed_bit.is_some();
        let unseen = known
            .iter()
            .filter(|(_, (_, it))| any_sensor && it.sensor.is_none())
            .map(|(lock, _)| *lock)
            .collect();
        let is_skipped = |it: &LockResult| matches!(it, LockResult::Skipped { .. });
        let skipped =
            self.results.iter().filter(|(_, it)| is_skipped(it)).map(|(lock, _)| *lock).collect();
        let moved = known
            .iter()
            .filter_map(|(lock, (number, _))| {
                let before = self.expected(*lock).filter(|it| it != number)?;
                Some((*lock, (before, *number)))
            })
            .collect();
        let told = self.usual_order != self.other_order;
        let mut conclusion = Conclusion {
            finished: self.step() == Step::Done,
            sound: false,
            wiring: known.iter().map(|(lock, (number, _))| (*lock, *number)).collect(),
            closed_bit,
            odd,
            crossed,
            unseen,
            skipped,
            lowest_first: told.then_some(self.other_order > self.usual_order),
            moved,
        };
        conclusion.sound = conclusion.finished && conclusion.troubles().is_empty();
        conclusion
    }
}
