//! Keeping house: the saved state, and what is old enough to be forgotten.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Services;
use super::error::{Code, Error};
use crate::store::{Change, Lane, fallback, idempotency, sessions};

/// Most rows that one pruning job deletes: the writer is not kept from others for long.
const PRUNE_MAX: usize = 500;

/// Most pruning jobs of one run; what is left waits for the next.
const PRUNE_JOBS_MAX: usize = 200;

/// The version that was saved last.
#[derive(Debug, Default)]
pub struct SavedVersion(AtomicU64);

impl Services {
    /// Saves the published state when it has changed since; says how many files were written.
    pub async fn save_state(&self) -> Result<usize, Error> {
        let snapshot = self.store.snapshot();
        let degraded = self.store.degraded().is_some();
        if degraded || self.saved.0.load(Ordering::Relaxed) == snapshot.version {
            return Ok(0);
        }
        let (dir, version) = (self.store.dir().clone(), snapshot.version);
        let save = move || {
            fallback::save(&dir.snapshot(), &snapshot)?;
            fallback::keep_ballast(&dir.ballast())
        };
        let saved = tokio::task::spawn_blocking(save).await;
        match saved {
            Ok(Ok(())) => {
                self.saved.0.store(version, Ordering::Relaxed);
                Ok(1)
            }
            Ok(Err(error)) => {
                Err(Error::new(Code::Internal, format!("the state was not saved: {error}")))
            }
            Err(_) => Ok(0),
        }
    }

    /// Forgets answers older than a day and log-ins that ended longer ago than any access token
    /// lives; says how many answers.
    pub async fn prune(&self) -> Result<usize, Error> {
        let mut forgotten = 0;
        for _ in 0..PRUNE_JOBS_MAX {
            let count = self.prune_some().await?;
            forgotten += count;
            if count < PRUNE_MAX {
                break;
            }
        }
        Ok(forgotten)
    }

    async fn prune_some(&self) -> Result<usize, Error> {
        let before_ms = sessions::remembered_from(self.clock.now());
        self.store
            .write(Lane::Housekeeping, move |tx| {
                let old = tx.snapshot().ended_sessions().any(|(_, ended_ms)| ended_ms < before_ms);
                if old {
                    tx.apply(&Change::SessionsForgotten(before_ms));
                }
                Ok(idempotency::delete_old(tx.conn, tx.now_ms(), PRUNE_MAX)?)
            })
            .await
    }
}
