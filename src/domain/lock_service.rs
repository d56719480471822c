//! Which locks a technician should look at, and why.
//!
//! A lock that wears out shows it long before it fails: it needs a second pulse, or stays shut. The
//! figures are counted over a span of days from stored openings; the rules here judge them. Pure.

use serde::Serialize;

use super::id::LockerId;

/// Openings that stayed shut after which a lock is to be looked at.
pub const JAMS_DUE: u32 = 2;
/// Commands without an answer after which a lock is to be looked at.
pub const UNANSWERED_DUE: u32 = 2;
/// Second pulses in a hundred openings from which on a lock is to be looked at.
pub const RETRIES_DUE_PERCENT: u32 = 20;
/// Fewer openings than this say nothing about a share.
pub const OPENINGS_TELLING: u32 = 10;

/// What was counted of one lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LockFigures {
    /// The locker it closes.
    pub locker_id: LockerId,
    /// Openings whose command went out.
    pub openings: u32,
    /// Openings that needed a second pulse.
    pub retries: u32,
    /// Openings whose door was seen closed all the while.
    pub jams: u32,
    /// Openings of which nobody knows whether they moved the lock.
    pub unanswered: u32,
    /// Mean time from the command to the board's acknowledgement, in milliseconds; `None` where the
    /// board never acknowledged.
    pub acknowledged_mean_ms: Option<u32>,
    /// The slowest acknowledgement, in milliseconds.
    pub acknowledged_max_ms: Option<u32>,
    /// Mean time from the command to the open door, in milliseconds; `None` without sensors.
    pub opened_mean_ms: Option<u32>,
}

/// Why a lock is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceReason {
    /// It stayed shut [`JAMS_DUE`] times or more: latch, bolt or door rub.
    Jams,
    /// It often needs a second pulse: the latch is stiff or the supply weak.
    Retries,
    /// Its board did not answer: wiring or address.
    Unanswered,
    /// Its sensor is known to be broken.
    SensorFault,
}

impl ServiceReason {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jams => "jams",
            Self::Retries => "retries",
            Self::Unanswered => "unanswered",
            Self::SensorFault => "sensor_fault",
        }
    }
}

impl LockFigures {
    /// Why this lock is to be looked at; empty when it is not.
    #[must_use]
    pub fn reasons(&self, sensor_fault: bool) -> Vec<ServiceReason> {
        let telling = self.openings >= OPENINGS_TELLING;
        let often = u64::from(self.retries) * 100
            >= u64::from(self.openings) * u64::from(RETRIES_DUE_PERCENT);
        [
            (self.jams >= JAMS_DUE, ServiceReason::Jams),
            (telling && often, ServiceReason::Retries),
            (self.unanswered >= UNANSWERED_DUE, ServiceReason::Unanswered),
            (sensor_fault, ServiceReason::SensorFault),
        ]
        .into_iter()
        .filter_map(|(holds, reason)| holds.then_some(reason))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(openings: u32, retries: u32, jams: u32, unanswered: u32) -> LockFigures {
        LockFigures {
            locker_id: LockerId(101),
            openings,
            retries,
            jams,
            unanswered,
            acknowledged_mean_ms: None,
            acknowledged_max_ms: None,
            opened_mean_ms: None,
        }
    }

    #[test]
    fn each_reason_begins_at_its_edge() {
        use ServiceReason::{Jams, Retries, SensorFault, Unanswered};
        for (figures, reasons) in [
            (figures(100, 19, 1, 1), vec![]),
            (figures(100, 20, 1, 1), vec![Retries]),
            (figures(9, 9, 0, 0), vec![]),
            (figures(10, 2, 0, 0), vec![Retries]),
            (figures(2, 0, 2, 0), vec![Jams]),
            (figures(2, 0, 0, 2), vec![Unanswered]),
            (figures(0, 0, 0, 0), vec![]),
        ] {
            assert_eq!(figures.reasons(false), reasons, "{figures:?}");
        }
        assert_eq!(figures(0, 0, 0, 0).reasons(true), [SensorFault]);
    }
}
