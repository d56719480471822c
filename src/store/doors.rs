//! What the door watch remembers over a restart: each door as it was last known, and until when it
//! was watched. Without it nobody could tell what changed in the meantime.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::error::StoreError;
use super::state::{collect, instant};
use crate::domain::channel::DoorState;
use crate::domain::id::LockerId;

/// A door as it was last known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownDoor {
    /// Whose.
    pub locker_id: LockerId,
    /// True: open; false: closed.
    pub open: bool,
    /// Since when.
    pub since: Timestamp,
}

/// Stores a door as it is known now; unknown is not stored: it is no knowledge.
pub fn upsert(
    conn: &Connection,
    locker: LockerId,
    state: DoorState,
    since_ms: i64,
) -> Result<(), StoreError> {
    let state = match state {
        DoorState::Open => "open",
        DoorState::Closed => "closed",
        DoorState::Unknown => return Ok(()),
    };
    conn.prepare_cached(
        "INSERT INTO door (locker_id, state, since_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (locker_id) DO UPDATE SET state = excluded.state, since_ms = excluded.since_ms",
    )?
    .execute(params![locker.0, state, since_ms])?;
    Ok(())
}

/// Every door that was ever known.
pub fn list(conn: &Connection) -> Result<Vec<KnownDoor>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT locker_id, state, since_ms FROM door")?;
    collect(statement.query([])?, |row| {
        Ok(KnownDoor {
            locker_id: LockerId(row.get(0)?),
            open: row.get::<_, String>(1)? == "open",
            since: instant(row.get(2)?),
        })
    })
}

/// Notes that the doors were watched until now.
pub fn update_watched(conn: &Connection, now_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE heartbeat SET watched_ms = ?1")?.execute([now_ms])?;
    Ok(())
}

/// Until when the doors were watched; `None` before the first time.
pub fn watched_until(conn: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT watched_ms FROM heartbeat";
    let watched: Option<i64> = conn.query_row(sql, [], |row| row.get(0))?;
    Ok(watched.map(instant))
}

/// Lockers with an opening requested at `since_ms` or later: their doors have a reason to be open.
pub fn list_opened_since(conn: &Connection, since_ms: i64) -> Result<Vec<LockerId>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT DISTINCT locker_id FROM opening WHERE requested_ms >= ?1")?;
    collect(statement.query([since_ms])?, |row| Ok(LockerId(row.get(0)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::memory_with_people;

    #[test]
    fn the_last_known_state_of_a_door_is_kept() {
        let conn = memory_with_people();
        assert_eq!(watched_until(&conn).expect("readable"), None);
        upsert(&conn, LockerId(101), DoorState::Closed, 5).expect("stored");
        upsert(&conn, LockerId(101), DoorState::Open, 9).expect("stored");
        upsert(&conn, LockerId(101), DoorState::Unknown, 11).expect("no knowledge");
        let since = Timestamp::from_millisecond(9).expect("in range");
        let known = KnownDoor { locker_id: LockerId(101), open: true, since };
        assert_eq!(list(&conn).expect("readable"), [known]);
        update_watched(&conn, 9).expect("stored");
        assert_eq!(watched_until(&conn).expect("readable"), Some(since));
    }
}
