//! What is kept of the clock: the newest believed time, whether it is believed, and the word of the
//! command line (`lockerd time confirm`), which is a file, so that it reaches a server that runs as
//! well as one that is about to start. Its time is what counts; it may be another user's.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::error::StoreError;
use super::open::DataDir;
use crate::domain::clock_trust::Note;

/// What an earlier look wrote down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptClock {
    /// The newest believed time, in unix milliseconds.
    pub trusted_ms: Option<i64>,
    /// Whether the time was believed.
    pub trusted: bool,
    /// The clock's origin when an admin vouched for it (`domain/clock_trust.rs`).
    pub confirmed_origin_ms: Option<i64>,
    /// The last note of a time service.
    pub noted: Option<Note>,
}

/// Reads it.
pub fn load(conn: &Connection) -> Result<KeptClock, StoreError> {
    let sql = "SELECT trusted_ms, trusted, confirmed_origin_ms, noted_ms, noted_origin_ms
               FROM heartbeat";
    Ok(conn.query_row(sql, [], |row| {
        let (at_ms, origin_ms): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
        let noted = at_ms.zip(origin_ms).map(|(at_ms, origin_ms)| Note { at_ms, origin_ms });
        Ok(KeptClock {
            noted,
            trusted_ms: row.get(0)?,
            trusted: row.get(1)?,
            confirmed_origin_ms: row.get(2)?,
        })
    })?)
}

/// Writes it, and that the program is alive.
pub fn update(conn: &Connection, kept: &KeptClock, now_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE heartbeat SET at_ms = max(at_ms, ?1), trusted_ms = ?2, trusted = ?3,
           confirmed_origin_ms = ?4, noted_ms = ?5, noted_origin_ms = ?6",
    )?
    .execute(params![
        now_ms,
        kept.trusted_ms,
        kept.trusted,
        kept.confirmed_origin_ms,
        kept.noted.map(|note| note.at_ms),
        kept.noted.map(|note| note.origin_ms)
    ])?;
    Ok(())
}

/// Leaves the word of the command line, and says where.
pub fn leave_word(dir: &DataDir) -> io::Result<PathBuf> {
    let path = dir.clock_word();
    std::fs::File::create(&path)?;
    Ok(path)
}

/// When that word was left, if there is one.
#[must_use]
pub fn word_left_at(path: &Path) -> Option<Timestamp> {
    let left = std::fs::metadata(path).and_then(|file| file.modified()).ok()?;
    Timestamp::try_from(left).ok()
}

/// Takes that word away.
pub fn take_word(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::memory;

    #[test]
    fn what_is_kept_of_the_clock_comes_back() {
        let conn = memory();
        let new =
            KeptClock { trusted_ms: None, trusted: true, confirmed_origin_ms: None, noted: None };
        assert_eq!(load(&conn).expect("readable"), new);
        let kept = KeptClock {
            trusted_ms: Some(7),
            trusted: false,
            confirmed_origin_ms: Some(-3),
            noted: Some(Note { at_ms: 4, origin_ms: -5 }),
        };
        update(&conn, &kept, 9).expect("stored");
        assert_eq!(load(&conn).expect("readable"), kept);
        // When it was last alive only grows, whatever the clock says.
        update(&conn, &kept, 5).expect("stored");
        let alive: i64 =
            conn.query_row("SELECT at_ms FROM heartbeat", [], |row| row.get(0)).expect("one row");
        assert_eq!(alive, 9);
    }

    #[test]
    fn a_word_is_found_with_its_time_and_taken_once() {
        let place = tempfile::tempdir().expect("a temporary place");
        let dir = DataDir::new(place.path());
        assert_eq!(word_left_at(&dir.clock_word()), None);
        let path = leave_word(&dir).expect("left");
        assert!(word_left_at(&path).is_some());
        take_word(&path).expect("taken");
        assert_eq!(word_left_at(&path), None);
    }
}
