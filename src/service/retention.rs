//! How long things are kept, and forgetting what is older.
//!
//! A run goes through every kind of row in slices, each slice one small job of the writer that also
//! writes down how many rows went; what a run does not manage waits for the next. Counts that must
//! stay right (figures of locks, lists of mass openings) are kept before rows go. Codes, counts and
//! browsers, which live by their own terms, are forgotten by `upkeep` and `sessions`.

use jiff::SignedDuration;

use super::error::{Code, Error};
use super::members::{Actor, deletion};
use super::tokens::Caller;
use super::{Retention, Services};
use crate::domain::id::{AlarmId, MemberId};
use crate::store::members::privacy;
use crate::store::retention::{self, Pruned, RECORD_KEPT_MS};
use crate::store::{Lane, Tx, members};

/// Rows forgotten in one job: the writer is not kept from others for long.
const SLICE: usize = 500;

/// People made nameless, and cases forgotten, in one job: each touches up to a dozen tables, and an opening
/// may wait behind it.
const PEOPLE_SLICE: usize = 5;

/// An alarm that nobody acknowledged is kept for so many times its term: it waits for people, and what
/// is kept of people must end some day.
pub(super) const UNSEEN_TERMS: u32 = 2;

/// Most jobs of one kind in one run.
const JOBS_MAX: usize = 200;

/// Rows of the record that staff are shown.
const RECORD_SHOWN: usize = 200;

/// What is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Openings,
    Waiting,
    Alarms,
    Members,
    Overdue,
    Notes,
    Sessions,
    Mails,
    Record,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Openings,
        Self::Waiting,
        Self::Alarms,
        Self::Members,
        Self::Overdue,
        Self::Notes,
        Self::Sessions,
        Self::Mails,
        Self::Record,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Openings => "openings",
            Self::Waiting => "waiting",
            Self::Alarms => "alarms",
            Self::Members => "members",
            Self::Overdue => "overdue",
            Self::Notes => "notes",
            Self::Sessions => "sessions",
            Self::Mails => "mails",
            Self::Record => "record",
        }
    }

    const fn slice(self) -> usize {
        match self {
            Self::Members | Self::Overdue => PEOPLE_SLICE,
            _ => SLICE,
        }
    }
}

/// What the site keeps for how long, and what it forgot last.
#[derive(Debug, Clone)]
pub struct RetentionState {
    /// How long.
    pub kept: Retention,
    /// What was forgotten, newest first.
    pub record: Vec<Pruned>,
}

impl Services {
    /// Forgets what is old enough; says how many rows that were.
    pub async fn forget_old(&self) -> Result<usize, Error> {
        let run_ms = self.clock.now().as_millisecond();
        let mut total = 0;
        for kind in Kind::ALL {
            let mut rows = 0;
            for _ in 0..JOBS_MAX {
                let count = self.forget_slice(kind, run_ms).await?;
                rows += count;
                if count < kind.slice() {
                    break;
                }
            }
            if rows > 0 {
                tracing::info!(area = "jobs", what = kind.name(), rows, "forgotten");
            }
            total += rows;
        }
        Ok(total)
    }

    /// How long things are kept and what was forgotten last, for admins.
    pub async fn retention(&self, caller: Caller) -> Result<RetentionState, Error> {
        Actor::Caller(caller).demand_admin()?;
        let record =
            self.store.read(move |conn| retention::list_record(conn, RECORD_SHOWN)).await?;
        Ok(RetentionState { kept: self.settings.retention, record })
    }

    async fn forget_slice(&self, kind: Kind, run_ms: i64) -> Result<usize, Error> {
        let kept = self.settings.retention;
        let before_ms = |age: SignedDuration| {
            run_ms.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
        };
        let before_ms = match kind {
            // Who once waited is as personal as who once opened.
            Kind::Openings | Kind::Waiting => before_ms(kept.openings),
            Kind::Alarms => before_ms(kept.alarms),
            Kind::Members => before_ms(kept.members),
            // What staff wrote about a locker is told of whoever had it, as a case is.
            Kind::Overdue | Kind::Notes => before_ms(kept.overdue),
            Kind::Sessions => before_ms(kept.sessions),
            Kind::Mails => before_ms(kept.mails),
            Kind::Record => run_ms.saturating_sub(RECORD_KEPT_MS),
        };
        if kind == Kind::Alarms {
            let term_ms = run_ms.saturating_sub(before_ms);
            let unseen_before_ms =
                run_ms.saturating_sub(term_ms.saturating_mul(i64::from(UNSEEN_TERMS)));
            return self.forget_alarms((before_ms, unseen_before_ms), run_ms).await;
        }
        let vault = self.vault.clone();
        self.store
            .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                let rows = match kind {
                    Kind::Openings => retention::delete_openings(tx.conn, before_ms, SLICE)?,
                    Kind::Waiting => retention::delete_waiting(tx.conn, before_ms, SLICE)?,
                    Kind::Members => forget_members(tx, &vault, before_ms)?,
                    Kind::Overdue => retention::delete_overdue(tx.conn, before_ms, PEOPLE_SLICE)?,
                    Kind::Notes => retention::delete_notes(tx.conn, before_ms, SLICE)?,
                    Kind::Sessions => retention::delete_sessions(tx.conn, before_ms, SLICE)?,
                    Kind::Mails => retention::delete_mails(tx.conn, before_ms, SLICE)?,
                    Kind::Record => {
                        return Ok(retention::delete_record(tx.conn, before_ms, SLICE)?);
                    }
                    Kind::Alarms => 0,
                };
                note(tx, run_ms, kind, rows)
            })
            .await
    }

    async fn forget_alarms(&self, before_ms: (i64, i64), run_ms: i64) -> Result<usize, Error> {
        let work = move |tx: &mut Tx<'_>| {
            let gone = retention::delete_alarms(tx.conn, before_ms, SLICE)?;
            note(tx, run_ms, Kind::Alarms, gone.len())?;
            Ok((gone, Vec::new()))
        };
        let then = |services: &Self, gone: &Vec<AlarmId>| services.alarms.forget(gone);
        Ok(self.change_alarms(Lane::Housekeeping, work, then).await?.len())
    }
}

/// Makes people nameless who left, or are leaving with nothing rented, long enough ago.
fn forget_members(
    tx: &mut Tx<'_>,
    vault: &super::secrets::Vault,
    before_ms: i64,
) -> Result<usize, Error> {
    let due = privacy::list_due(tx.conn, before_ms, PEOPLE_SLICE)?;
    let mut rows = 0;
    for id in &due {
        rows += usize::from(forget_member(tx, vault, *id)?);
    }
    Ok(rows)
}

/// Makes one person nameless; false when they still hold or rent a locker, or are the last admin.
fn forget_member(
    tx: &mut Tx<'_>,
    vault: &super::secrets::Vault,
    id: MemberId,
) -> Result<bool, Error> {
    let Some(row) = members::find_by_id(tx.conn, id)? else {
        privacy::anonymise(tx.conn, id, tx.now_ms())?;
        return Ok(true);
    };
    match deletion::delete(tx, vault, None, &row, Some("retention")) {
        Ok(()) => Ok(true),
        // A hold that nobody confirmed is in the way for a minute at most.
        Err(error) if matches!(error.code, Code::StillRenting | Code::LastAdmin) => Ok(false),
        Err(error) => Err(error),
    }
}

fn note(tx: &Tx<'_>, run_ms: i64, kind: Kind, rows: usize) -> Result<usize, Error> {
    if rows > 0 {
        retention::insert_record(tx.conn, run_ms, kind.name(), rows)?;
    }
    Ok(rows)
}
