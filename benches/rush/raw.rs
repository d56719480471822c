//! SQLite alone: the statements of a hold and a confirm, without threads, HTTP or tokens.
//!
//! The schema is made by [`Store`], the statements are the store's own functions, and the pragmas
//! are those of its writer. One claim a commit is what a program without group commit could reach;
//! 64 claims a commit is what the statements themselves allow.

use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::tz::TimeZone;
use lockerd::clock::Clock;
use lockerd::domain::id::{LockerId, MemberId, TermId};
use lockerd::domain::time::DateSpan;
use lockerd::store::audit::{AuditEntry, AuditHead};
use lockerd::store::rentals::{self, NewHold};
use lockerd::store::{DataDir, Store, outbox};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::figures::number;

/// Lockers, and as many members: each claims once before all are freed again, untimed.
const LOCKERS: i64 = 1_000;

/// Rounds in which all lockers are claimed, at most: the tables must not grow without end.
const ROUNDS_MAX: u32 = 100;

/// Claims a second with so many claims in each commit.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Raw {
    /// Claims in one commit.
    pub claims_per_commit: usize,
    /// Claims a second.
    pub per_s: f64,
}

/// Measures one size of batch for about as long as `window`.
pub fn measure(claims_per_commit: usize, window: Duration) -> anyhow::Result<Raw> {
    let dir = TempDir::with_prefix_in("raw-", crate::server::workspace()?)?;
    let data = DataDir::new(dir.path());
    let clock = Clock::system(TimeZone::UTC);
    let (store, writer) = Store::open(&data, &clock)?;
    store.close();
    writer.join();
    let conn = Connection::open(data.database())?;
    conn.set_prepared_statement_cache_capacity(128);
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON; PRAGMA cache_size = -8192;
         PRAGMA journal_size_limit = 16777216",
    )?;
    fill(&conn)?;
    let today = clock.today();
    let dates = DateSpan::new(today, today).context("a day is a span")?;
    let mut audit = AuditHead::load(&conn)?;
    let (mut timed, mut claims) = (Duration::ZERO, 0_u64);
    let lockers: Vec<i64> = (1..=LOCKERS).collect();
    for _ in 0..ROUNDS_MAX {
        let started = Instant::now();
        for batch in lockers.chunks(claims_per_commit) {
            conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            for locker in batch {
                claim(&conn, &mut audit, *locker, dates, clock.now().as_millisecond())?;
            }
            conn.prepare_cached("COMMIT")?.execute([])?;
            claims += u64::try_from(batch.len())?;
            if timed + started.elapsed() >= window {
                break;
            }
        }
        timed += started.elapsed();
        if timed >= window {
            break;
        }
        conn.execute(
            "UPDATE rental SET state = 'ended', ended_ms = 2, end_reason = 'returned'
             WHERE ended_ms IS NULL",
            [],
        )?;
    }
    Ok(Raw { claims_per_commit, per_s: number(claims) / timed.as_secs_f64() })
}

fn fill(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(&format!(
        "BEGIN;
         INSERT INTO location (id, name_ko, name_en) VALUES (1, 'A', 'A');
         INSERT INTO bank (id, location_id, name_ko, name_en, mode, hold_seconds)
           VALUES (1, 1, 'A', 'A', 'choose', 60);
         INSERT INTO term (id, name_ko, name_en, opens_ms, closes_ms, starts_on, ends_on)
           VALUES (1, 'A', 'A', 1, 2, '2026-03-01', '2026-06-30');
         WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {LOCKERS})
         INSERT INTO locker (id, bank_id) SELECT id, 1 FROM n;
         WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {LOCKERS})
         INSERT INTO member (id, student_id, name, role, joined_ms)
           SELECT id, 'S' || id, 'S', 'student', 1 FROM n;
         COMMIT"
    ))
}

fn claim(
    conn: &Connection,
    audit: &mut AuditHead,
    locker: i64,
    dates: DateSpan,
    now_ms: i64,
) -> anyhow::Result<()> {
    let member = MemberId(locker);
    let hold =
        NewHold { locker_id: LockerId(locker), member_id: member, term_id: Some(TermId(1)), dates };
    let id = rentals::insert_hold(conn, &hold, now_ms)?;
    let (subject, detail) = (format!("rental:{id}"), format!("{{\"locker_id\":{locker}}}"));
    let mut note = |action| {
        let entry = AuditEntry { actor: Some(member), action, subject: &subject, detail: &detail };
        audit.append(conn, now_ms, &entry)
    };
    note("rental.hold")?;
    anyhow::ensure!(rentals::update_confirmed(conn, id, now_ms)?, "the hold is gone");
    note("rental.confirm")?;
    let payload = format!(
        "{{\"locker_id\":{locker},\"starts_on\":\"{}\",\"ends_on\":\"{}\"}}",
        dates.first(),
        dates.last()
    );
    outbox::insert(conn, "rental_confirmed", member, &payload, now_ms)?;
    Ok(())
}
