//! Taking a roster: who is new, who has changed, who is gone. A preview is the same plan with nothing
//! written.
//!
//! The plan is made from everybody at once ([`plan`], pure), so that two people who swap their phone
//! numbers are no conflict; it is carried out in slices, so that the writer is not kept from others,
//! and to its end when the one who asked is gone. What the plan went by is asked again at each step:
//! who became staff, proved an address or left meanwhile is left alone, and reported. A second import
//! of the same file changes nothing. Lines with errors are left out and reported; nobody is ever
//! deleted.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::roster_file::{Encoding, LineNote, LineReason, Person, RawRow, RosterFile};
use super::{Actor, audit, change, insert};
use crate::domain::id::MemberId;
use crate::domain::member::Role;
use crate::service::Services;
use crate::service::error::{Code, Error};
use crate::store::audit::AuditEntry;
use crate::store::members::{self, Changes, MemberRow};
use crate::store::{Change, Lane, StoreError, Tx};

pub mod plan;

use plan::{Plan, Step};

/// Steps carried out in one job.
const SLICE: usize = 500;

/// Changes, leavers and errors that a report shows; the counts are of all.
pub const SHOWN_MAX: usize = 1_000;

/// So many may always leave without a word.
pub const LEAVERS_FREE: usize = 20;

const NO_STUDENT_ANY_MORE: &str = "became staff or left a moment ago: nothing was changed";
const PROVEN_MEANWHILE: &str = "the e-mail address was proven by its owner a moment ago: it stays";

/// A person whom a set-up brings along.
#[derive(Debug, Clone, Deserialize)]
pub struct RosterRow {
    /// Student id.
    pub student_id: String,
    /// Full name.
    pub name: String,
    /// Phone number, may be empty.
    #[serde(default)]
    pub phone: Option<String>,
    /// E-mail address, may be empty.
    #[serde(default)]
    pub email: Option<String>,
}

/// How a roster is taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportOptions {
    /// Only say what it would do.
    pub dry_run: bool,
    /// Whoever the last roster had and this one has not can only empty and return from now on.
    pub mark_leavers: bool,
    /// How many leavers the preview named, where it asks for that.
    pub confirm_leavers: Option<usize>,
}

/// One value that a roster changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// `name`, `phone_number`, `email` or `department`.
    pub field: &'static str,
    /// As it was.
    pub before: Option<String>,
    /// As it is then.
    pub after: Option<String>,
}

/// A person whom a roster changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedPerson {
    /// On which line of the file.
    pub line: usize,
    /// Who.
    pub student_id: String,
    /// What.
    pub fields: Vec<FieldChange>,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RosterReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// How the file is written; `None` when it was no file.
    pub encoding: Option<Encoding>,
    /// Lines with data.
    pub rows: usize,
    /// Accounts made.
    pub new: usize,
    /// People whose data changed.
    pub changed: usize,
    /// People who are as the file has them.
    pub unchanged: usize,
    /// People who had been leaving and are on the roster again.
    pub returning: usize,
    /// People who are gone from the roster.
    pub leavers: usize,
    /// Lines that were left out.
    pub refused: usize,
    /// Repeat this number as `confirm_leavers`: so many would leave that it may be the wrong file, or
    /// lines that cannot be read may be about some of them.
    pub confirm_leavers: Option<usize>,
    /// Who changed, the first [`SHOWN_MAX`].
    pub changes: Vec<ChangedPerson>,
    /// The student ids of who is gone, the first [`SHOWN_MAX`].
    pub leaving: Vec<String>,
    /// Why lines were left out, the first [`SHOWN_MAX`].
    pub errors: Vec<LineNote>,
    /// What else people should know, the first [`SHOWN_MAX`].
    pub notes: Vec<LineNote>,
}

/// What a slice did.
#[derive(Debug, Default)]
struct Done {
    new: usize,
    changed: usize,
    returning: usize,
    leavers: usize,
    errors: Vec<LineNote>,
    notes: Vec<LineNote>,
}

impl Services {
    /// Takes a roster file, or says what it would do. Goes on to its end when the one who asked is
    /// gone.
    pub async fn import_roster_file(
        &self,
        actor: Actor,
        bytes: Vec<u8>,
        options: ImportOptions,
    ) -> Result<RosterReport, Error> {
        actor.demand_staff()?;
        let read = tokio::task::spawn_blocking(move || RosterFile::read(&bytes)).await;
        let file = read.map_err(|_| Error::new(Code::Overloaded, "the server is ending"))??;
        let (tell, told) = tokio::sync::oneshot::channel();
        self.detach(move |services| async move {
            let _ = tell.send(services.take_roster(actor, file, options).await);
        });
        told.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Makes and changes the people of a set-up as if they stood in a roster.
    pub async fn import_roster(
        &self,
        rows: Vec<(usize, RosterRow)>,
    ) -> Result<RosterReport, Error> {
        let rows = rows.iter().map(|(line, row)| RawRow {
            line: *line,
            student_id: row.student_id.as_str().into(),
            name: row.name.as_str().into(),
            phone: row.phone.as_deref().map(Into::into),
            email: row.email.as_deref().map(Into::into),
            department: None,
        });
        let file = RosterFile::of_rows(rows)?;
        self.take_roster(Actor::CommandLine, file, ImportOptions::default()).await
    }

    async fn take_roster(
        &self,
        actor: Actor,
        file: RosterFile,
        options: ImportOptions,
    ) -> Result<RosterReport, Error> {
        let Ok(_turn) = self.roster_turn.try_lock() else {
            let detail = "another roster is being imported: wait for it and try again";
            return Err(Error::new(Code::Overloaded, detail).retry_after_ms(5_000));
        };
        let plan =
            self.store.read(move |conn| Ok(Plan::make(file, &members::list_known(conn)?))).await?;
        let mut report = plan.report(options);
        if options.dry_run {
            return Ok(report);
        }
        if let Some(leavers) = report.confirm_leavers {
            let doubt = match plan.unreadable {
                0 => String::new(),
                lines => format!(", while {lines} lines may be about anybody"),
            };
            let detail = format!(
                "{leavers} of {} people would leave the roster{doubt}: look at the preview, and \
                 repeat the number as confirm_leavers if it is right",
                plan.roster_before
            );
            return Err(Error::new(Code::RosterShrinks, detail).with("leavers", leavers));
        }
        let done = self.carry_out_plan(actor.id(), plan, options.mark_leavers).await?;
        report.refused += done.errors.len();
        report.errors.extend(done.errors);
        report.errors.sort_by_key(|note| note.line);
        report.errors.truncate(SHOWN_MAX);
        report.notes.extend(done.notes);
        report.notes.truncate(SHOWN_MAX);
        (report.new, report.changed) = (done.new, done.changed);
        (report.returning, report.leavers) = (done.returning, done.leavers);
        self.note_import(actor.id(), &report).await?;
        Ok(report)
    }

    async fn carry_out_plan(
        &self,
        by: Option<MemberId>,
        plan: Plan,
        mark_leavers: bool,
    ) -> Result<Done, Error> {
        let mut done = Done::default();
        let (entangled, rest) = plan.into_steps(mark_leavers);
        for (steps, together) in [(entangled, true), (rest, false)] {
            for slice in steps.chunks(SLICE) {
                let steps = slice.to_vec();
                let work = move |tx: &mut Tx<'_>| carry_out(tx, by, &steps, together);
                match self.store.write(Lane::Change, work).await {
                    Ok(part) => done.add(part),
                    // Undone as a whole: none of them may lose a number to a swap that failed.
                    Err(error) if together && is_conflict(error.code) => {
                        done.errors.extend(
                            slice.iter().map(|step| step.note(LineReason::Taken, &error.detail)),
                        );
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(done)
    }

    async fn note_import(&self, by: Option<MemberId>, report: &RosterReport) -> Result<(), Error> {
        let detail = json!({
            "rows": report.rows, "new": report.new, "changed": report.changed,
            "returning": report.returning, "leavers": report.leavers, "refused": report.refused,
        })
        .to_string();
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                Ok(tx.audit(&AuditEntry {
                    actor: by,
                    action: "roster.import",
                    subject: "site:1",
                    detail: &detail,
                })?)
            })
            .await
    }
}

impl Done {
    fn add(&mut self, part: Self) {
        self.new += part.new;
        self.changed += part.changed;
        self.returning += part.returning;
        self.leavers += part.leavers;
        self.errors.extend(part.errors);
        self.notes.extend(part.notes);
    }
}

const fn is_conflict(code: Code) -> bool {
    matches!(code, Code::PhoneTaken | Code::EmailTaken | Code::StudentIdTaken)
}

/// Carries steps out; `together`: they pass numbers on to each other, so all ends are loosened
/// before the first is fixed, and one conflict undoes them all.
fn carry_out(
    tx: &mut Tx<'_>,
    by: Option<MemberId>,
    steps: &[Step],
    together: bool,
) -> Result<Done, Error> {
    if together {
        for step in steps {
            step.loosen(tx)?;
        }
    }
    let mut done = Done::default();
    for step in steps {
        match carry_out_step(tx, by, step, &mut done) {
            Err(error) if is_conflict(error.code) && !together => {
                done.errors.push(step.note(LineReason::Taken, &error.detail));
            }
            carried => carried?,
        }
    }
    if done.returning + done.leavers > 0 {
        tx.apply(&Change::Site);
    }
    Ok(done)
}

fn carry_out_step(
    tx: &mut Tx<'_>,
    by: Option<MemberId>,
    step: &Step,
    done: &mut Done,
) -> Result<(), Error> {
    match step {
        Step::Make(person) => {
            let id = insert(tx, by, &person.profile, Role::Student, None)?;
            make_of_roster(tx, id, person)?;
            done.new += 1;
        }
        Step::Change { id, changes, .. } => {
            let Some(row) = student(tx, *id)? else {
                done.errors.push(step.note(LineReason::Gone, NO_STUDENT_ANY_MORE));
                return Ok(());
            };
            let mut changes = changes.clone();
            if row.email_verified_ms.is_some() && changes.email.take().is_some() {
                done.notes.push(step.note(LineReason::Proven, PROVEN_MEANWHILE));
            }
            let fields = change::change(tx, by, &row, changes)?;
            done.changed += usize::from(!fields.is_empty());
            members::update_on_roster(tx.conn, *id, true, None)?;
            if row.leaving_ms.is_some() {
                audit(tx, by, "member.returning", *id, &json!({}))?;
                done.returning += 1;
            }
        }
        Step::Leave(id) => {
            if !student(tx, *id)?.is_some_and(|row| row.on_roster) {
                return Ok(());
            }
            let now_ms = tx.now_ms();
            members::update_on_roster(tx.conn, *id, false, Some(now_ms))?;
            audit(tx, by, "member.leaving", *id, &json!({}))?;
            done.leavers += 1;
        }
    }
    Ok(())
}

/// The live student of this number, as of now.
fn student(tx: &Tx<'_>, id: MemberId) -> Result<Option<MemberRow>, StoreError> {
    let row = members::find_by_id(tx.conn, id)?;
    Ok(row.filter(|row| row.role == Role::Student))
}

fn make_of_roster(tx: &Tx<'_>, id: MemberId, person: &Person) -> Result<(), StoreError> {
    if let Some(department) = &person.department {
        let department = Some(Some(department.clone()));
        members::update(tx.conn, id, &Changes { department, ..Changes::default() })?;
    }
    members::update_on_roster(tx.conn, id, true, None)
}

#[cfg(test)]
mod tests;
