//! What one step of a proof showed, in words, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::id::LockerId;

/// What was seen of one lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// One input changed.
    SensorMoved {
        /// Which.
        sensor: u8,
    },
    /// No input changed.
    NoSensorMoved,
    /// The board has no inputs, or they could not be read.
    NoInputs,
    /// More than one input changed.
    SeveralMoved {
        /// Which.
        sensors: Vec<u8>,
    },
    /// The input that changed belongs to a lock that is proven already.
    SensorTaken {
        /// The input.
        sensor: u8,
        /// Whose it is.
        lock: u8,
    },
    /// The pulse was refused or did not get through.
    PulseFailed {
        /// Why.
        why: String,
    },
    /// A door opened.
    Opened {
        /// Its number.
        number: LockerId,
    },
    /// A door opened, another one than the layout expects.
    OtherDoor {
        /// The number that opened.
        number: LockerId,
        /// The number that was expected.
        expected: LockerId,
    },
    /// Neither a door nor an input moved.
    NothingMoved,
    /// An input changed, but no door opened.
    SensorWithoutDoor {
        /// The input.
        sensor: u8,
    },
    /// The number belongs to a lock that is proven already.
    NumberTaken {
        /// The number.
        number: LockerId,
        /// The lock that opened it.
        lock: u8,
    },
    /// The sensor does not show the door closed.
    NotClosed {
        /// The input.
        sensor: u8,
    },
    /// Opened, seen open, closed, seen closed.
    Proven {
        /// The door's number.
        number: LockerId,
    },
    /// Opened and closed, but no sensor saw it.
    ProvenUnseen {
        /// The door's number.
        number: LockerId,
    },
    /// Proven, but its sensor is wired to the input of another lock.
    Crossed {
        /// The door's number.
        number: LockerId,
        /// The input it is wired to.
        sensor: u8,
    },
}

impl Verdict {
    /// Whether something is to be mended.
    #[must_use]
    pub const fn is_trouble(&self) -> bool {
        !matches!(
            self,
            Self::SensorMoved { .. } | Self::Opened { .. } | Self::Proven { .. } | Self::NoInputs
        )
    }

    /// What to do next, in one sentence; empty when all is well.
    #[must_use]
    pub const fn next(&self) -> &'static str {
        match self {
            Self::SensorMoved { .. } | Self::Opened { .. } | Self::Proven { .. } => "",
            Self::NoInputs => "look at the doors yourself: nothing else can",
            Self::NoSensorMoved => {
                "if a door opened: check its sensor and the cable; else say that none did"
            }
            Self::SeveralMoved { .. } => {
                "close all doors, keep hands off, and repeat; if it stays so, coils or sensors are \
                 wired together"
            }
            Self::SensorTaken { .. } => {
                "close all doors and repeat; if it stays so, two sensors share one input or the \
                 other door is loose"
            }
            Self::PulseFailed { .. } => "look at the board and the cable, then repeat",
            Self::OtherDoor { .. } => {
                "fine if the layout is to follow the wiring; else swap the coils"
            }
            Self::NothingMoved => {
                "check the coil's cable and the power supply, then repeat; skip it if no lock is wired"
            }
            Self::SensorWithoutDoor { .. } => {
                "push the door a little and repeat: the latch may be stiff, or the sensor is at the hook"
            }
            Self::NumberTaken { .. } => {
                "read the number again; if it is right, two locks are wired to one door"
            }
            Self::NotClosed { .. } => {
                "close the door until it clicks; if it is closed, check its sensor, or repeat"
            }
            Self::ProvenUnseen { .. } => {
                "its sensor is missing or broken: nobody will see this door"
            }
            Self::Crossed { .. } => "swap the sensor cables, then prove both locks anew",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SensorMoved { sensor } => write!(f, "input {sensor} changed"),
            Self::NoSensorMoved => f.write_str("no input changed"),
            Self::NoInputs => f.write_str("this board has no inputs that can be read"),
            Self::SeveralMoved { sensors } => {
                let list: Vec<_> = sensors.iter().map(u8::to_string).collect();
                write!(f, "several inputs changed at once: {}", list.join(", "))
            }
            Self::SensorTaken { sensor, lock } => {
                write!(f, "input {sensor} changed, which belongs to lock {lock}")
            }
            Self::PulseFailed { why } => write!(f, "not opened: {why}"),
            Self::Opened { number } => write!(f, "door {number} opened"),
            Self::OtherDoor { number, expected } => {
                write!(f, "door {number} opened, where the layout has {expected}")
            }
            Self::NothingMoved => f.write_str("nothing moved"),
            Self::SensorWithoutDoor { sensor } => {
                write!(f, "input {sensor} changed, but no door opened")
            }
            Self::NumberTaken { number, lock } => {
                write!(f, "door {number} was opened by lock {lock} already")
            }
            Self::NotClosed { sensor } => write!(f, "input {sensor} does not show the door closed"),
            Self::Proven { number } => write!(f, "door {number} is proven"),
            Self::ProvenUnseen { number } => write!(f, "door {number} is proven, without a sensor"),
            Self::Crossed { number, sensor } => {
                write!(f, "door {number} is proven, but its sensor is wired to input {sensor}")
            }
        }
    }
}
