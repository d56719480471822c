//! Many small changes by a job that goes by the calendar, without keeping the writer from others.
//!
//! A slice is one short job of the writer, which decides about each thing again; after it the writer
//! and the card are left to others for a moment. At a word of the end, and when the time is not believed
//! any more, it is cut off, which is an error: a daily job that was cut off is due again the same day,
//! and finds what was not done.

use std::time::Duration;

use super::Services;
use super::clock::clock_untrusted;
use super::error::Error;
use crate::store::{Lane, StoreError, Tx};

/// Things in one job of the writer.
const SLICE: usize = 16;

/// How long the writer is left to others between two slices.
const REST: Duration = Duration::from_millis(3);

impl Services {
    /// Does something about each thing that was found, in slices; says about how many it did. `work`
    /// says whether anything was left to do. An error when it was cut off: what was done by then stays.
    pub(super) async fn in_slices<T, W>(&self, found: Vec<T>, work: W) -> Result<usize, Error>
    where
        T: Copy + Send + Sync + 'static,
        W: Fn(&mut Tx<'_>, &Self, T) -> Result<bool, Error> + Copy + Send + 'static,
    {
        let mut done = 0;
        for (number, slice) in found.chunks(SLICE).enumerate() {
            if number > 0 {
                tokio::time::sleep(REST).await;
            }
            if self.stopping.is_cancelled() {
                return Err(StoreError::Closed.into());
            }
            if !self.clock_is_trusted() {
                return Err(clock_untrusted());
            }
            let (own, slice) = (self.own()?, slice.to_vec());
            let write = move |tx: &mut Tx<'_>| {
                let mut count = 0;
                for one in &slice {
                    count += usize::from(work(tx, &own, *one)?);
                }
                Ok::<_, Error>(count)
            };
            done += self.store.write(Lane::Housekeeping, write).await?;
        }
        Ok(done)
    }
}
