//! What the door watch remembers over a restart: each door as it was last known, and until when it
//! was watched. Without it nobody could tell what changed in the meantime.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::error::StoreError;
use super::state::{collect, instant};
use crate::domain::id::LockerId;

/// A door as it was last known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownDoor {
    /// Whose.
    pub locker_id: LockerId,
    /// True: open; false: closed.
    pub open: bool,
    /// When it was last seen, if nobody saw it any more when this was stored.
    pub unseen_since: Option<Timestamp>,
}

/// Stores a door as it is known now.
pub fn upsert(conn: &Connection, door: &KnownDoor) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO door (locker_id, state, unseen_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (locker_id) DO UPDATE SET
           state = excluded.state, unseen_ms = excluded.unseen_ms",
    )?
    .execute(params![
        door.locker_id.0,
        if door.open { "open" } else { "closed" },
        door.unseen_since.map(Timestamp::as_millisecond)
    ])?;
    Ok(())
}

/// Every door that was ever known.
pub fn list(conn: &Connection) -> Result<Vec<KnownDoor>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT locker_id, state, unseen_ms FROM door")?;
    collect(statement.query([])?, |row| {
        Ok(KnownDoor {
            locker_id: LockerId(row.get(0)?),
            open: row.get::<_, String>(1)? == "open",
            unseen_since: row.get::<_, Option<i64>>(2)?.map(instant),
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
        let since = Timestamp::from_millisecond(9).expect("in range");
        let closed = KnownDoor { locker_id: LockerId(101), open: false, unseen_since: None };
        upsert(&conn, &closed).expect("stored");
        let open = KnownDoor { open: true, unseen_since: Some(since), ..closed };
        upsert(&conn, &open).expect("stored");
        assert_eq!(list(&conn).expect("readable"), [open]);
        upsert(&conn, &closed).expect("stored");
        assert_eq!(list(&conn).expect("readable"), [closed]);
        update_watched(&conn, 9).expect("stored");
        assert_eq!(watched_until(&conn).expect("readable"), Some(since));
    }
}
