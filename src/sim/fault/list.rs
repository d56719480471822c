//! The faults in force, and how they find their request.

use super::{ActiveFault, FAULTS_MAX, Fault, FaultKind, SimError, UnplugMoment};
use crate::sim::board::{Opens, Target};
use crate::sim::config::{SimBoard, SimFamily};
use crate::sim::random::Random;

/// A request as one board hears it.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Asked<'a> {
    pub(in crate::sim) bus: &'a str,
    pub(in crate::sim) board: &'a SimBoard,
    pub(in crate::sim) target: Target,
    /// Time since the last pulse of the lock it wants to open, if there was one.
    pub(in crate::sim) since_pulse_us: Option<u64>,
}

impl Asked<'_> {
    fn is_hit_by(&self, fault: &Fault) -> bool {
        let target = self.target;
        fault.bus == self.bus
            && !fault.kind.is_state()
            && fault.board.as_ref().is_none_or(|want| want.means(self.board))
            && fault.lock.is_none_or(|want| target.lock == Some(want))
            && fault.command.is_none_or(|want| want == target.command)
            && match fault.kind {
                FaultKind::Exception { .. } => self.board.family == SimFamily::ModbusRelay,
                FaultKind::Unplug { moment: UnplugMoment::CoilOn, .. } => {
                    target.opens != Opens::Nothing
                }
                FaultKind::Cooldown { ms } => {
                    self.since_pulse_us.is_some_and(|us| us < u64::from(ms) * 1_000)
                }
                _ => true,
            }
    }
}

/// The faults in force.
#[derive(Debug, Default)]
pub(in crate::sim) struct Faults {
    pub(in crate::sim) active: Vec<ActiveFault>,
    last_id: u64,
}

impl Faults {
    /// Adds a checked fault and returns its number.
    pub(in crate::sim) fn add(&mut self, fault: Fault, now_us: u64) -> Result<u64, SimError> {
        if self.active.len() >= FAULTS_MAX {
            return Err(SimError::FaultsFull);
        }
        self.last_id += 1;
        let (id, left) = (self.last_id, fault.times);
        self.active.push(ActiveFault { id, fault, struck: 0, left, since_us: now_us });
        Ok(id)
    }

    /// Ends one fault; false if there is none of this number.
    pub(in crate::sim) fn remove(&mut self, id: u64) -> bool {
        let before = self.active.len();
        self.active.retain(|active| active.id != id);
        self.active.len() < before
    }

    /// Ends those whose time is over; the latest of their ends, if there were any.
    pub(in crate::sim) fn expire(&mut self, now_us: u64) -> Option<u64> {
        let ended = |active: &ActiveFault| active.until_us().filter(|until| *until <= now_us);
        let last = self.active.iter().filter_map(ended).max()?;
        self.active.retain(|active| ended(active).is_none());
        Some(last)
    }

    /// The kinds that strike this request, in the order they were set.
    pub(in crate::sim) fn strike(
        &mut self,
        asked: Asked<'_>,
        random: &mut Random,
    ) -> Vec<FaultKind> {
        let mut struck = Vec::new();
        for active in &mut self.active {
            let fault = &active.fault;
            if asked.is_hit_by(fault) && fault.probability.is_none_or(|p| random.chance(p)) {
                active.struck += 1;
                active.left = active.left.map(|left| left.saturating_sub(1));
                struck.push(fault.kind);
            }
        }
        self.active.retain(|active| active.left != Some(0));
        struck
    }

    /// How many bytes of each piece the bus echoes; none: it does not.
    pub(in crate::sim) fn echoes(&self, bus: &str) -> Option<usize> {
        self.of_bus(bus).find_map(|kind| match kind {
            FaultKind::Echo => Some(usize::MAX),
            FaultKind::PartialEcho { bytes } => usize::try_from(bytes).ok(),
            _ => None,
        })
    }

    /// Whether nothing is read from the bus.
    pub(in crate::sim) fn stalls(&self, bus: &str) -> bool {
        self.of_bus(bus).any(|kind| kind == FaultKind::Stalled)
    }

    fn of_bus(&self, bus: &str) -> impl Iterator<Item = FaultKind> {
        self.active.iter().filter(move |it| it.fault.bus == bus).map(|it| it.fault.kind)
    }
}
