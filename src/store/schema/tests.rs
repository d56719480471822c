//! A file of an earlier version: copied first, then brought up to date with all that was in it.

use super::*;
use crate::store::open::{self, DataDir, Missing};

/// Version 1 as it was released.
const V0001: &str = include_str!("../../../migrations/V0001__house.sql");

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

const V0001_HASH: &str = "5ffff0df784f98bd7e1c04e54164bc11c7c995a6a5d02f9ea8718f438af4ec3e";

/// A data directory with a database of version 1 that holds one row of what the update rebuilds.
fn version_1() -> (tempfile::TempDir, DataDir) {
    let temp = tempfile::tempdir().expect("a place");
    let dir = DataDir::new(temp.path());
    let mut conn = Connection::open(dir.database()).expect("created");
    conn.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA application_id = {}",
        open::APPLICATION_ID
    ))
    .expect("settable");
    embedded::migrations::runner()
        .set_target(refinery::Target::Version(1))
        .run(&mut conn)
        .expect("version 1");
    conn.execute_batch(
        "INSERT INTO location (id, name_ko, name_en) VALUES (1, '가', 'A');
         INSERT INTO bank (id, location_id, name_ko, name_en, mode, hold_seconds)
           VALUES (1, 1, '가', 'A', 'choose', 60);
         INSERT INTO locker (id, bank_id, bus, board, lock, in_service)
           VALUES (101, 1, 'east', 1, 48, 0), (102, 1, NULL, NULL, NULL, 1);
         INSERT INTO member (id, student_id, name, role, joined_ms)
           VALUES (1, 'A1', '가', 'student', 1);
         INSERT INTO term (id, name_ko, name_en, opens_ms, closes_ms, starts_on, ends_on)
           VALUES (1, '가', 'A', 1, 2, '2026-03-01', '2026-06-30');
         INSERT INTO rental (id, locker_id, member_id, term_id, state, starts_on, ends_on, held_ms)
           VALUES (1, 101, 1, 1, 'held', '2026-03-01', '2026-06-30', 1);
         INSERT INTO session (id, member_id, method, family_hash, refresh_hash, issued_ms,
             refreshed_ms, expires_ms, user_agent, address, ended_ms, end_reason)
           VALUES (1, 1, 'roster', zeroblob(32), zeroblob(32), 1, 5, 9, 'x', '::1', 7, 'log_out');
         INSERT INTO outbox (id, kind, member_id, payload, created_ms, due_ms)
           VALUES (1, 'rental_confirmed', 1, '{}', 3, 3), (2, 'rental_confirmed', 1, '{}', 4, 4);",
    )
    .expect("consistent");
    (temp, dir)
}

fn update(dir: &DataDir, second: i64) -> Result<Connection, OpenError> {
    open::writable(&dir.database(), Missing::Refuse, open::BUSY_TIMEOUT, at(second))
}

fn names(dir: &DataDir) -> Vec<String> {
    let found = backups(&dir.database()).expect("readable");
    let name = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
    found.iter().map(name).collect()
}

#[test]
fn an_update_keeps_every_row_and_leaves_a_whole_copy_of_the_old_file() {
    let (_temp, dir) = version_1();
    let conn = update(&dir, 1).expect("brought up to date");
    assert_eq!(version(&conn).expect("readable"), known_version());
    let locker: String = conn
        .query_row(
            "SELECT bank_id || bus || board || '/' || lock || in_service FROM locker WHERE id = 101",
            [],
            |row| row.get(0),
        )
        .expect("still there");
    assert_eq!(locker, "1east1/480");
    conn.execute_batch("UPDATE locker SET lock = 50 WHERE id = 101").expect("the range grew");
    conn.execute_batch("UPDATE locker SET lock = 51 WHERE id = 101").expect_err("but not beyond");
    // References lead to the rebuilt table, and are guarded again.
    conn.execute_batch("DELETE FROM locker WHERE id = 101").expect_err("a rental refers to it");
    conn.execute_batch("INSERT INTO locker (id, bank_id) VALUES (103, 9)").expect_err("no bank 9");

    assert_eq!(names(&dir), ["lockerd-v0001-19700101T000001Z.db"]);
    let backup = dir.path().join("lockerd-v0001-19700101T000001Z.db");
    let copy = Connection::open(&backup).expect("there");
    assert_eq!(version(&copy).expect("readable"), 1);
    let rows: i64 =
        copy.query_row("SELECT count(*) FROM rental", [], |row| row.get(0)).expect("readable");
    assert_eq!(rows, 1);
    drop((conn, copy));
    update(&dir, 2).expect("nothing to do");
    assert_eq!(names(&dir).len(), 1, "no backup without an update");
}

#[test]
fn the_copy_can_be_put_back_and_the_newest_three_are_kept() {
    let (_temp, dir) = version_1();
    for second in 1..6 {
        drop(update(&dir, second).expect("brought up to date"));
        let newest = dir.path().join(names(&dir).pop().expect("a backup"));
        fs::copy(newest, dir.database()).expect("put back");
    }
    let kept = ["000003", "000004", "000005"];
    let kept = kept.map(|time| format!("lockerd-v0001-19700101T{time}Z.db"));
    assert_eq!(names(&dir), kept);
    let conn = update(&dir, 6).expect("the copy of a copy is whole");
    assert_eq!(version(&conn).expect("readable"), known_version());
}

#[test]
fn without_room_nothing_is_touched_and_the_words_say_what_to_do() {
    let (_temp, dir) = version_1();
    let conn = Connection::open(dir.database()).expect("there");
    let bytes = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    let size =
        u64::try_from(bytes("PRAGMA page_count") * bytes("PRAGMA page_size")).expect("small");
    let needed = 3 * size + ROOM_BYTES_MIN;
    let path = dir.database();
    demand_room(&conn, &path, |_| Ok(needed)).expect("just enough");
    let error = demand_room(&conn, &path, |_| Ok(needed - 1)).expect_err("one byte short");
    let text = error.to_string();
    assert!(text.contains("MB free") && text.contains("make room"), "{text}");
    assert!(names(&dir).is_empty());
    assert!(free_bytes(dir.path()).expect("a file system") > 0);
}

#[test]
fn version_1_is_as_it_was_released() {
    // Others have files of it: a change of this text would leave them behind.
    use sha2::{Digest, Sha256};
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(V0001));
    assert_eq!(hash, V0001_HASH);
}

#[test]
fn people_log_ins_and_messages_are_taken_over() {
    let (_temp, dir) = version_1();
    let conn = update(&dir, 1).expect("brought up to date");
    let one = |sql: &str| -> String { conn.query_row(sql, [], |row| row.get(0)).expect("one") };
    let session = "SELECT method || ' ' || last_used_ms || ' ' || strong || ' ' || end_reason
                   FROM session WHERE id = 1";
    assert_eq!(one(session), "roster 5 0 log_out");
    // Whoever has no password and is a student came from a roster.
    assert_eq!(one("SELECT language || ' ' || on_roster FROM member WHERE id = 1"), "ko 1");
    // What waited before there was a sender is not told years later.
    let messages = "SELECT count(DISTINCT message_id) || ' ' || min(dropped_ms)
                    FROM outbox WHERE due_ms IS NULL AND sent_ms IS NULL AND dead_ms IS NULL";
    assert_eq!(one(messages), "2 3");
}

#[test]
fn rentals_are_taken_over_with_what_is_known_of_their_doors() {
    let (_temp, dir) = version_1();
    let conn = Connection::open(dir.database()).expect("there");
    let opening = |number: u8, locker: i64, at: i64, outcome: &str| {
        format!(
            "INSERT INTO opening (id, locker_id, member_id, opened_as, requested_ms, outcome)
             VALUES ('00000000-0000-7000-8000-0000000000{number:02}', {locker}, 1, 'renter', {at},
                     '{outcome}');"
        )
    };
    conn.execute_batch(&format!(
        "INSERT INTO member (id, student_id, name, role, joined_ms)
           VALUES (2, 'A2', '나', 'student', 1), (3, 'A3', '다', 'student', 1);
         INSERT INTO rental (id, locker_id, member_id, term_id, state, starts_on, ends_on, held_ms,
             confirmed_ms, ended_ms, end_reason)
           VALUES (2, 102, 2, 1, 'ended', '2026-03-01', '2026-03-09', 1, 2, 20, 'returned'),
                  (3, 102, 3, 1, 'active', '2026-03-10', '2026-03-19', 25, 30, NULL, NULL),
                  (4, 101, 2, 1, 'active', '2026-07-01', '2026-07-19', 25, 30, NULL, NULL);
         {}{}{}",
        opening(1, 102, 10, "opened"),
        opening(2, 102, 40, "no_answer"),
        opening(3, 101, 40, "unreachable"),
    ))
    .expect("consistent");
    drop(conn);
    let conn = update(&dir, 1).expect("brought up to date");
    let sql = "SELECT group_concat(id || ' ' || state || ' ' || coalesce(opened_ms, '-'), ', ')
               FROM (SELECT * FROM rental ORDER BY id)";
    let rows: String = conn.query_row(sql, [], |row| row.get(0)).expect("one");
    assert_eq!(rows, "1 held -, 2 ended 10, 3 active 40, 4 active 30");
    let policy: String = conn
        .query_row("SELECT grace_minutes || return_unseen || return_by_door FROM bank", [], |row| {
            row.get(0)
        })
        .expect("one");
    assert_eq!(policy, "10renter0");
    // The guards and indexes are those of the rebuilt table.
    let index = "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'rental%'
                 ORDER BY name";
    let mut statement = conn.prepare(index).expect("good SQL");
    let names = statement.query_map([], |row| row.get::<_, String>(0)).expect("readable");
    let names: Vec<String> = names.collect::<Result<_, _>>().expect("text");
    let wanted = [
        "rental_freed",
        "rental_live_ends",
        "rental_live_locker",
        "rental_live_member",
        "rental_of_bank",
        "rental_of_locker",
        "rental_of_member",
        "rental_over",
        "rental_reserved",
        "rental_shortage_told",
    ];
    assert_eq!(names, wanted);
    conn.execute_batch("DELETE FROM rental WHERE id = 2").expect_err("history is kept");
    conn.execute_batch("UPDATE rental SET starts_on = '2026-03-01' WHERE id = 4")
        .expect_err("it would overlap with the hold of the same locker");
    for (set, why) in [
        ("state = 'returned'", "without a time"),
        ("returned_ms = 50", "still active"),
        ("closed_ms = 50", "not returned"),
        ("state = 'lent'", "no such state"),
        ("follows_id = 99", "no such rental"),
    ] {
        conn.execute_batch(&format!("UPDATE rental SET {set} WHERE id = 3")).expect_err(why);
    }
    conn.execute_batch("UPDATE rental SET state = 'returned', returned_ms = 50 WHERE id = 3")
        .expect("whole");
    conn.execute_batch("UPDATE bank SET grace_minutes = 1441").expect_err("a day at most");
}

#[test]
fn alarms_are_taken_over_and_no_number_is_given_twice() {
    let (_temp, dir) = version_1();
    let mut conn = Connection::open(dir.database()).expect("there");
    conn.execute_batch("PRAGMA foreign_keys = OFF").expect("settable");
    let runner = embedded::migrations::runner().set_target(refinery::Target::Version(9));
    runner.set_grouped(true).run(&mut conn).expect("version 9");
    conn.execute_batch(
        "INSERT INTO alarm (id, kind, severity, subject, locker_id, bank_id, bus, raised_ms, last_seen_ms,
             count, cleared_ms, clear_reason, acknowledged_ms, acknowledged_by, acknowledge_note, evidence)
           VALUES (1, 'jammed', 'warning', 'locker:101', 101, 1, NULL, 2, 3, 4, 5, 'staff', 6, 1, 'oil', '{}'),
                  (2, 'bus_offline', 'critical', 'bus:east', NULL, NULL, 'east', 7, 8, 1, NULL, NULL, NULL,
                   NULL, NULL, '{}'),
                  (3, 'jammed', 'warning', 'locker:101', 101, 1, NULL, 2, 3, 4, NULL, NULL, NULL, NULL, NULL,
                   '{}');
         INSERT INTO alarm_step (alarm_id, at_ms, step) VALUES (1, 2, 'raised');
         DELETE FROM alarm WHERE id = 3;",
    )
    .expect("consistent");
    let indexes = |conn: &Connection| -> String {
        let sql = "SELECT group_concat(sql, ';') FROM (
                     SELECT sql FROM sqlite_schema WHERE tbl_name = 'alarm' AND sql LIKE 'CREATE%INDEX%'
                     ORDER BY name)";
        conn.query_row(sql, [], |row| row.get(0)).expect("one")
    };
    let before = indexes(&conn);
    drop(conn);
    let conn = update(&dir, 1).expect("brought up to date");
    assert_eq!(indexes(&conn), before);
    let rows = "SELECT group_concat(concat_ws(' ', id, kind, subject, locker_id, bank_id, bus, raised_ms,
                  last_seen_ms, count, cleared_ms, clear_reason, acknowledged_ms, acknowledge_note), ', ')
                FROM (SELECT * FROM alarm ORDER BY id)";
    let rows: String = conn.query_row(rows, [], |row| row.get(0)).expect("one");
    assert_eq!(
        rows,
        "1 jammed locker:101 101 1 2 3 4 5 staff 6 oil, 2 bus_offline bus:east east 7 8 1"
    );
    let asked = "INSERT INTO alarm (kind, severity, subject, locker_id, bank_id, bus, raised_ms,
                   last_seen_ms, count, evidence)
                 VALUES ('help', 'warning', 'bank:1', NULL, ?1, ?2, 9, 9, 1, '{}')";
    conn.execute(asked, (1, None::<&str>)).expect("a bank is enough");
    assert_eq!(conn.last_insert_rowid(), 4, "3 was somebody's");
    conn.execute(asked, (None::<i64>, None::<&str>)).expect_err("about nothing");
    conn.execute(asked, (1, Some("east"))).expect_err("about two things");
}
