//! The last run of each job, for staff and so that a daily job knows after a restart whether it ran
//! today. Written by `service/jobs.rs`.

use rusqlite::{Connection, named_params};

use super::error::StoreError;
use super::state::collect;

/// A job's last run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRun {
    /// Which job.
    pub name: String,
    /// When it began, in unix milliseconds.
    pub started_ms: i64,
    /// How long it took.
    pub duration_ms: u64,
    /// How much it did, or why it failed.
    pub result: Result<u64, String>,
    /// When the last one began that succeeded.
    pub succeeded_ms: Option<i64>,
}

/// Keeps a run instead of the one before.
pub fn upsert(conn: &Connection, run: &JobRun) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO job_run (name, started_ms, duration_ms, count, error, succeeded_ms)
         VALUES (:name, :started_ms, :duration_ms, :count, :error, :succeeded_ms)
         ON CONFLICT (name) DO UPDATE SET started_ms = excluded.started_ms,
           duration_ms = excluded.duration_ms, count = excluded.count, error = excluded.error,
           succeeded_ms = excluded.succeeded_ms",
    )?
    .execute(named_params! {
        ":name": run.name,
        ":started_ms": run.started_ms,
        ":duration_ms": i64::try_from(run.duration_ms).unwrap_or(i64::MAX),
        ":count": run.result.as_ref().ok().map(|count| i64::try_from(*count).unwrap_or(i64::MAX)),
        ":error": run.result.as_ref().err(),
        ":succeeded_ms": run.succeeded_ms,
    })?;
    Ok(())
}

/// Every run that is kept.
pub fn list(conn: &Connection) -> Result<Vec<JobRun>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT name, started_ms, duration_ms, count, error, succeeded_ms FROM job_run",
    )?;
    collect(statement.query([])?, |row| {
        let count: Option<i64> = row.get(3)?;
        let error: Option<String> = row.get(4)?;
        Ok(JobRun {
            name: row.get(0)?,
            started_ms: row.get(1)?,
            duration_ms: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
            result: match error {
                Some(error) => Err(error),
                None => Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0)),
            },
            succeeded_ms: row.get(5)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::memory;

    #[test]
    fn the_last_run_of_a_job_replaces_the_one_before() {
        let conn = memory();
        let done = JobRun {
            name: "prune".to_owned(),
            started_ms: 5,
            duration_ms: 7,
            result: Ok(3),
            succeeded_ms: Some(5),
        };
        upsert(&conn, &done).expect("stored");
        let failed = JobRun { started_ms: 9, result: Err("no room".to_owned()), ..done };
        upsert(&conn, &failed).expect("stored");
        assert_eq!(list(&conn).expect("readable"), [failed]);
    }
}
