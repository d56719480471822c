//! What a technician asks of a line: which boards are there, what they tell, which address they have.
//!
//! Everything is written once over a [`Wire`], which is either a port that the command line opened for
//! itself or one that the running server owns. Only harmless questions are ever sent, also to addresses
//! where nothing is expected; the one exception is [`address`], which asks first whether a board is
//! alone. Nothing here moves a lock but [`prove`], through [`Bus::open_once`](super::Bus::open_once) and
//! all its coil rules.

use crate::bus::codec::Unsupported;
use crate::bus::transaction::{Gone, PortError};
use crate::domain::channel::BusName;

pub mod address;
pub mod prove;
pub mod scan;
pub mod sharing;
pub mod status;
mod wire;

pub use scan::{FoundBoard, Progress, ScanPlan, ScanReport, scan};
pub use sharing::Sharing;
pub use status::{Answered, BoardReport, StatusPlan, status};
pub use wire::Wire;

/// Why a tool could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The port cannot be opened.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The port went away in between.
    #[error("the port went away: {0}")]
    Gone(String),
    /// No such bus is configured.
    #[error("there is no bus {0} in the configuration")]
    UnknownBus(BusName),
    /// Too many questions wait, or openings kept the port.
    #[error("the bus is busy: try again in a moment")]
    Busy,
    /// The question makes no sense for this family.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
}

impl From<Gone> for ToolError {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone.0)
    }
}
