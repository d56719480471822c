//! When requests last came with each log-in: noted in memory, written down every now and then.
//!
//! A request must cost the database nothing, so what is newer than the last writing is lost with
//! the process. Lists show the newer of both.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::id::SessionId;
use crate::service::Services;
use crate::service::error::Error;
use crate::store::{Lane, sessions};

/// Most log-ins remembered between two writings; what comes beyond is written next time.
const SESSIONS_MAX: usize = 50_000;

/// Log-ins written in one job: the writer is not kept from others for long.
const SLICE: usize = 500;

/// See the module. Times are unix milliseconds.
#[derive(Debug, Default)]
pub struct LastUsed(Mutex<HashMap<SessionId, i64>>);

impl LastUsed {
    /// Notes a request.
    pub fn note(&self, id: SessionId, now_ms: i64) {
        let mut noted = self.lock();
        if noted.len() < SESSIONS_MAX || noted.contains_key(&id) {
            noted.insert(id, now_ms);
        }
    }

    /// The last request that is not written down yet.
    pub fn of(&self, id: SessionId) -> Option<i64> {
        self.lock().get(&id).copied()
    }

    fn all(&self) -> Vec<(SessionId, i64)> {
        self.lock().iter().map(|(id, at_ms)| (*id, *at_ms)).collect()
    }

    /// Forgets what was written, unless a newer request came meanwhile.
    fn forget(&self, written: &[(SessionId, i64)]) {
        let mut noted = self.lock();
        for (id, at_ms) in written {
            if noted.get(id) == Some(at_ms) {
                noted.remove(id);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Services {
    /// Writes down when log-ins were last used; says of how many.
    pub async fn write_last_used(&self) -> Result<usize, Error> {
        let noted = self.last_used.all();
        for slice in noted.chunks(SLICE) {
            let written = slice.to_vec();
            self.store
                .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                    for (id, at_ms) in &written {
                        sessions::update_last_used(tx.conn, *id, *at_ms)?;
                    }
                    Ok(())
                })
                .await?;
            self.last_used.forget(slice);
        }
        Ok(noted.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_again_while_it_was_written_is_kept() {
        let last_used = LastUsed::default();
        last_used.note(SessionId(1), 10);
        last_used.note(SessionId(2), 10);
        let written = last_used.all();
        last_used.note(SessionId(2), 11);
        last_used.forget(&written);
        assert_eq!((last_used.of(SessionId(1)), last_used.of(SessionId(2))), (None, Some(11)));
    }

    #[test]
    fn the_memory_is_bounded_and_known_ones_go_on() {
        let last_used = LastUsed::default();
        for id in 0..=SESSIONS_MAX {
            last_used.note(SessionId(i64::try_from(id).expect("small")), 1);
        }
        assert_eq!(last_used.all().len(), SESSIONS_MAX);
        last_used.note(SessionId(0), 2);
        assert_eq!(last_used.of(SessionId(0)), Some(2));
    }
}
