//! Locations, banks, lockers and terms as staff manage them: made, changed and retired.
//!
//! Admins make, change and retire; staff of a bank look after what its lockers need from day to day. The
//! command line may do what an admin may. Every change is one transaction with its audit row, and keeps
//! what `check_bank` demands: nothing in a bank's grid overlaps, and no setting contradicts a term.
//! What is retired leaves every list and claim; its rows stay for the history.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::members::Actor;
use super::{Services, shortages};
use crate::domain::bank::{Bank, Mistake};
use crate::domain::id::{BankId, LocationId, LockerId, MemberId, TermId};
use crate::domain::layout;
use crate::domain::term;
use crate::store::audit::AuditEntry;
use crate::store::{Change, Lane, Site, StoreError, Tx, lockers as locker_rows};

pub mod banks;
pub mod locations;
pub mod lockers;
pub mod map;
pub mod terms;

/// Most locations of a site.
const LOCATIONS_MAX: usize = 500;
/// Most banks of a site.
const BANKS_MAX: usize = 1_000;
/// Most terms of a site that are not retired.
const TERMS_MAX: usize = 1_000;
/// Numbers that a refusal names at most.
const NAMED_MAX: usize = 20;
/// Why a locker was put out of service or back by a site file.
const IMPORTED: &str = "as a site file says";
/// Most characters of a reason or note.
pub const TEXT_CHARS_MAX: usize = 500;

impl Services {
    /// Changes places in one transaction, once per key; the snapshot shows them afterwards.
    async fn change_places<T, F>(
        &self,
        actor: Actor,
        operation: &'static str,
        key: Option<RequestKey>,
        mut work: F,
    ) -> Result<Answer<T>, Error>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        self.store
            .write(Lane::Change, move |tx| {
                let job = |tx: &mut Tx<'_>| {
                    let value = work(tx)?;
                    tx.apply(&Change::Site);
                    Ok(value)
                };
                match actor {
                    Actor::Caller(caller) => {
                        once(tx, caller.member_id, operation, key.as_ref(), job)
                    }
                    Actor::CommandLine => Ok(Answer { value: { job }(tx)?, replayed: false }),
                }
            })
            .await
    }
}

/// Demands what must hold for a bank whatever was changed: nothing in its grid overlaps, and its settings
/// go with every term that still takes claims or will.
pub(super) fn check_bank(site: &Site, bank: &Bank, now: Timestamp) -> Result<(), Error> {
    let within = |text: String| format!("bank {:?}: {text}", bank.name.ko);
    let places = site.lockers_of(bank.id).filter_map(|it| Some((it.id, it.place?)));
    let fixtures = site.layouts.get(&bank.id).map_or(&[][..], |layout| &layout.fixtures);
    layout::check(places, fixtures).map_err(|text| Error::new(Code::Invalid, within(text)))?;
    let terms = site.terms.iter().filter(|term| now < term.closes_at);
    let mistakes: Vec<Mistake> = terms.filter_map(|it| term::contradiction(it, bank)).collect();
    if mistakes.is_empty() { Ok(()) } else { Err(mistaken(&mistakes)) }
}

/// Refuses settings, naming each.
pub(super) fn mistaken(mistakes: &[Mistake]) -> Error {
    let list = serde_json::to_value(mistakes).unwrap_or_default();
    Error::new(Code::Invalid, Mistake::join(mistakes)).with("mistakes", list)
}

/// Writes down that a locker was taken out of service or put back. Whoever rents it is told when it is
/// taken out. Without a reason a site file said so.
pub(super) fn note_service(
    tx: &mut Tx<'_>,
    (locker, today): (LockerId, Date),
    in_service: bool,
    reason: Option<&str>,
    by: Option<MemberId>,
) -> Result<(), Error> {
    let step = (in_service, reason.unwrap_or(IMPORTED), by);
    locker_rows::insert_service(tx.conn, locker, step, tx.now_ms())?;
    if in_service {
        return Ok(());
    }
    shortages::tell_out_of_service(tx, locker, reason, today)
}

/// Demands that nobody holds or rents any of these lockers.
fn demand_unused(tx: &Tx<'_>, lockers: impl IntoIterator<Item = LockerId>) -> Result<(), Error> {
    let live = |id: &LockerId| tx.snapshot().of_locker(*id).any(|it| it.is_live(tx.monotonic));
    let used: Vec<LockerId> = lockers.into_iter().filter(live).collect();
    let Some(first) = used.first() else { return Ok(()) };
    let detail = match used.len() {
        1 => format!("locker {first} is rented or held: end that first"),
        more => format!("{more} lockers are rented or held, locker {first} first: end that first"),
    };
    let named: Vec<i64> = used.iter().take(NAMED_MAX).map(|id| id.0).collect();
    Err(Error::new(Code::StillInUse, detail).with("locker_ids", named).with("count", used.len()))
}

/// Refuses everybody but staff and admins.
/// Takes a reason or note: trimmed, not empty, not endless.
fn demand_text(what: &str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    match text.chars().count() {
        1..=TEXT_CHARS_MAX => Ok(text.to_owned()),
        0 => Err(Error::new(Code::Invalid, format!("{what}: say something, others will ask"))),
        _ => {
            let detail = format!("{what} may have at most {TEXT_CHARS_MAX} characters");
            Err(Error::new(Code::Invalid, detail))
        }
    }
}

fn demand_room(kept: usize, most: usize, what: &str) -> Result<(), Error> {
    if kept < most {
        return Ok(());
    }
    Err(Error::new(Code::Invalid, format!("there are {kept} {what} already, which is the most")))
}

fn audit(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &'static str,
    subject: &str,
    detail: &serde_json::Value,
) -> Result<(), StoreError> {
    let detail = detail.to_string();
    tx.audit(&AuditEntry { actor: actor.id(), action, subject, detail: &detail })
}

pub(super) fn bank_not_found(id: BankId) -> Error {
    Error::new(Code::BankNotFound, format!("there is no bank {id}"))
}

fn location_not_found(id: LocationId) -> Error {
    Error::new(Code::LocationNotFound, format!("there is no location {id}"))
}

fn term_not_found(id: TermId) -> Error {
    Error::new(Code::TermNotFound, format!("there is no term {id}"))
}
