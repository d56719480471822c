//! The part of the configuration about the clock: what vouches for the time of this machine.

use std::path::PathBuf;

use serde::Deserialize;

/// What vouches for the clock.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockConfig {
    /// Whether a battery keeps the machine's clock going while it is switched off.
    pub rtc: bool,
    /// The file that a time service touches when it has synchronised the clock; gone after the
    /// machine was switched off.
    pub synchronised_file: PathBuf,
}

impl Default for ClockConfig {
    fn default() -> Self {
        let synchronised_file = PathBuf::from("/run/systemd/timesync/synchronized");
        Self { rtc: false, synchronised_file }
    }
}
