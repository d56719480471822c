//! The rest of the coils across a restart: what an earlier run pulsed a moment ago still cools down.
//!
//! The bus counts pulses in memory. A program that crashed and was started again at once would pulse
//! a hot coil a second time, so the last openings are read back before anything is served. Called once
//! by `app`; a database that cannot be read costs the memory, never the start.

use std::time::Duration;

use jiff::Timestamp;

use super::Services;
use super::error::Error;
use crate::domain::opening::{Opening, Phase};
use crate::store::openings;

/// Pulses older than this no longer count against any rule of a coil.
const COUNTS_FOR: Duration = Duration::from_mins(1);
/// Openings that are looked at; more cannot have been within a minute.
const OPENINGS_MAX: u32 = 4096;

impl Services {
    /// Tells the bus of the pulses of the last minute. To be called before openings are served.
    pub async fn remember_pulses(&self) -> Result<(), Error> {
        let newest = move |conn: &_| openings::list_newest(conn, OPENINGS_MAX);
        let newest = self.store.read(newest).await?;
        let now = self.clock.now();
        for opening in newest.iter().rev() {
            let Ok(Some(channel)) = self.known_locker(opening.locker_id) else { continue };
            for ago in pulses(opening, now).filter(|ago| *ago < COUNTS_FOR) {
                self.bus.remember_pulse(&channel, ago);
            }
        }
        Ok(())
    }
}

/// How long ago an opening pulsed its lock. One that was cut off may have done so last of all.
fn pulses(opening: &Opening, now: Timestamp) -> impl Iterator<Item = Duration> {
    let ago = move |at: Timestamp| Duration::try_from(now.duration_since(at)).unwrap_or_default();
    let asked = opening.at(Phase::Requested).map(ago);
    let cut_off = opening.outcome.is_none() && asked.is_some_and(|asked| asked < COUNTS_FOR);
    let sent = [Phase::Sent, Phase::SentAgain].into_iter().filter_map(|it| opening.at(it));
    sent.map(ago).chain(cut_off.then_some(Duration::ZERO))
}
