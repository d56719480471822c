//! Opening many lockers by one order of staff: turn by turn, each through the path of a single
//! opening (`service/openings.rs`).
//!
//! One worker per power supply, each with one opening under way: a supply feeds one coil at a time
//! anyway, and so somebody who opens a single locker waits for one of ours at most. The order is
//! committed before the first turn and its end after the last; what happens to lockers in between is
//! told by their openings alone, also while the database fails. Stopping acts at once, whatever the
//! database does. A restart never goes on with an order: it is written down as interrupted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::accounts::RosterLogin;
use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::identity::demand_shown;
use super::openings::{PartOf, Wanted};
use super::rentals::locker_not_found;
use super::tokens::{Caller, Method};
use super::{Services, is_staff_for};
use crate::domain::id::{BankId, LockerId, MassOpeningId};
use crate::domain::mass_opening::{
    LOCKERS_MAX, Line, LineState, MassOpening, MassOpeningHead, RunState, SkipReason, parse_reason,
};
use crate::domain::member::Role;
use crate::store::audit::AuditEntry;
use crate::store::snapshot::Site;
use crate::store::{Constraint, Lane, StoreError, Tx, fallback, mass_openings, members};

mod runs;
mod turns;

pub use runs::MassOpenings;

use runs::Run;
use turns::{Next, Turns};

/// Bounds of the time after which a lock that cools down or is in use is tried again.
const BUSY_WAIT_MIN: Duration = Duration::from_millis(100);
const BUSY_WAIT_MAX: Duration = Duration::from_secs(2);

/// Orders in one page of the list.
pub const PAGE_MAX: usize = 50;

/// Which lockers are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Every locker of a bank.
    Bank(BankId),
    /// These.
    Lockers(Vec<LockerId>),
}

/// What an order would do; nothing is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// How many lockers are meant.
    pub lockers: usize,
    /// How many of them have no electric lock: their turn is passed.
    pub unwired: usize,
    /// How long it takes while every door opens at once.
    pub takes: Duration,
}

/// What a locker takes whose door opens at once.
const TURN: Duration = Duration::from_secs(1);

/// How a turn went.
enum Tried {
    /// It is over, with this.
    Over(LineState),
    /// Nothing was done: the lock is busy, or `everyone` is to wait. Worth another try after `wait`.
    Busy { wait: Duration, everyone: bool },
}

impl Services {
    /// What an order would do. For staff of all banks concerned.
    pub fn forecast_many(&self, caller: Caller, selection: Selection) -> Result<Forecast, Error> {
        let (_, lockers) = self.selected(caller, selection)?;
        let mut turns: BTreeMap<String, u32> = BTreeMap::new();
        let mut unwired = 0;
        for id in &lockers {
            let Some(channel) = self.known_locker(*id)? else {
                unwired += 1;
                continue;
            };
            let supply = self.bus.supply(&channel).unwrap_or_default();
            *turns.entry(supply.to_owned()).or_default() += 1;
        }
        let longest = turns.into_values().max().unwrap_or_default();
        Ok(Forecast { lockers: lockers.len(), unwired, takes: TURN * longest })
    }

    /// Begins to open many lockers; the answer comes when the order is stored. For staff of all
    /// banks concerned.
    pub async fn open_many(
        &self,
        caller: Caller,
        selection: Selection,
        reason: &str,
        key: Option<RequestKey>,
    ) -> Result<Answer<MassOpeningId>, Error> {
        let reason = parse_reason(reason).map_err(|text| Error::new(Code::Invalid, text))?;
        let (banks, lockers) = self.selected(caller, selection)?;
        let lines = lockers.iter().map(|id| Line {
            locker_id: *id,
            state: LineState::Waiting,
            opening: None,
        });
        let head = MassOpeningHead {
            id: MassOpeningId(Uuid::now_v7()),
            member_id: caller.member_id,
            member_name: String::new(),
            banks,
            reason,
            lockers: lockers.len(),
            started_at: self.clock.now(),
            ended_at: None,
            state: RunState::Running,
        };
        let order = MassOpening { head, lines: lines.collect() };
        let run = Run::new(caller, order);
        self.openings_of_many.begin(&run)?;
        let Some(own) = self.own.upgrade() else { return Err(StoreError::Closed.into()) };
        // Begun is carried out, also when the one who asked has gone meanwhile.
        let begun = self.tracker.spawn(async move { own.begin_many(run, key).await });
        begun.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    async fn begin_many(
        self: Arc<Self>,
        run: Arc<Run>,
        key: Option<RequestKey>,
    ) -> Result<Answer<MassOpeningId>, Error> {
        let stored = self.store_order(&run, key).await;
        match &stored {
            Ok(answer) if !answer.replayed => {
                let id = run.id;
                run.stored();
                self.openings_of_many.ring();
                tracing::info!(area = "bus", mass_opening.id = %id, "many lockers are opened");
                self.detach(move |services| async move { services.carry_out_many(&run).await });
            }
            _ => {
                self.openings_of_many.forget(run.id);
            }
        }
        stored
    }

    /// The banks and lockers that are meant, by number; refused unless the caller is staff of all.
    fn selected(
        &self,
        caller: Caller,
        selection: Selection,
    ) -> Result<(Vec<BankId>, Vec<LockerId>), Error> {
        if caller.role == Role::Student {
            return Err(Error::new(Code::Forbidden, "only staff may open many lockers at once"));
        }
        if caller.method == Method::Roster && self.settings.roster_login != RosterLogin::Full {
            let detail = "log in with your password to open lockers";
            return Err(Error::new(Code::PasswordNeeded, detail));
        }
        let snapshot = self.store.snapshot();
        let lockers = meant(&snapshot.site, selection)?;
        if !(1..=LOCKERS_MAX).contains(&lockers.len()) {
            let detail = format!("1 to {LOCKERS_MAX} lockers, not {}", lockers.len());
            return Err(Error::new(Code::Invalid, detail));
        }
        let mut banks = BTreeSet::new();
        for id in &lockers {
            let found = snapshot.site.locker(*id);
            let (_, bank) = found.ok_or_else(|| locker_not_found(*id))?;
            banks.insert(bank.id);
        }
        if !banks.iter().all(|bank| is_staff_for(&snapshot, caller, *bank)) {
            let detail = "you look after some of these lockers only, or none";
            return Err(Error::new(Code::Forbidden, detail));
        }
        Ok((banks.into_iter().collect(), lockers.into_iter().collect()))
    }

    async fn store_order(
        &self,
        run: &Arc<Run>,
        key: Option<RequestKey>,
    ) -> Result<Answer<MassOpeningId>, Error> {
        let (order, caller) = (run.order().clone(), run.caller);
        let (answer, name) = self
            .store
            .write(Lane::Change, move |tx| {
                let member = members::find_by_id(tx.conn, caller.member_id)?;
                let name = member.map(|member| member.name).unwrap_or_default();
                let answer = once(tx, caller.member_id, "mass-open", key.as_ref(), |tx| {
                    demand_shown(tx, caller)?;
                    mass_openings::insert(tx.conn, &order).map_err(under_way)?;
                    let detail = json!({
                        "reason": order.head.reason,
                        "banks": order.head.banks,
                        "lockers": order.head.lockers,
                    });
                    audit(tx, caller, "mass_opening.start", order.head.id, &detail)?;
                    Ok(order.head.id)
                })?;
                Ok::<_, Error>((answer, name))
            })
            .await?;
        run.order().head.member_name = name;
        Ok(answer)
    }

    /// Gives each locker its turn, then writes the end down.
    async fn carry_out_many(&self, run: &Run) {
        let mut supplies: BTreeMap<String, Vec<LockerId>> = BTreeMap::new();
        for line in &run.order().lines {
            let channel = self.known_locker(line.locker_id).ok().flatten();
            let supply = channel.as_ref().and_then(|channel| self.bus.supply(channel));
            // Those without a supply move nothing: they need not wait for each other's coils.
            supplies.entry(supply.unwrap_or_default().to_owned()).or_default().push(line.locker_id);
        }
        join_all(supplies.values().map(|lockers| self.open_in_turn(run, lockers))).await;
        run.order().end(run.cancel.is_cancelled(), self.clock.now());
        self.openings_of_many.ring();
        if let Err(error) = self.store_end(run).await {
            tracing::warn!(area = "store", mass_opening.id = %run.id, %error, "its end waits");
        }
    }

    async fn open_in_turn(&self, run: &Run, lockers: &[LockerId]) {
        let mut turns = Turns::new(lockers);
        while !run.cancel.is_cancelled() && !self.stopping.is_cancelled() {
            let locker = match turns.next(Instant::now()) {
                Next::Open(locker) => locker,
                Next::Wait(until) => {
                    self.rest_in_between(run, until).await;
                    continue;
                }
                Next::Over => return,
            };
            self.openings_of_many.see(run, locker, LineState::Opening, None);
            let mut rest_until = None;
            let state = match self.open_one_of_many(run, locker).await {
                Tried::Over(state) => {
                    turns.had();
                    state
                }
                Tried::Busy { wait, everyone } => {
                    let now = Instant::now();
                    rest_until = everyone.then_some(now + wait);
                    if turns.busy(locker, now + wait, now) {
                        LineState::Waiting
                    } else {
                        LineState::Skipped(SkipReason::Busy)
                    }
                }
            };
            self.openings_of_many.see(run, locker, state, None);
            if let Some(until) = rest_until {
                self.rest_in_between(run, until).await;
            }
        }
    }

    /// Waits until then, or until the order is to stop.
    async fn rest_in_between(&self, run: &Run, until: Instant) {
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {}
            () = run.cancel.cancelled() => {}
            () = self.stopping.cancelled() => {}
        }
    }

    async fn open_one_of_many(&self, run: &Run, locker: LockerId) -> Tried {
        let wanted = Wanted { locker, presence_code: None, key: None };
        let refusal = match self.open_to_the_end(run.caller, wanted, PartOf::Many(run.id)).await {
            Ok(opening) => {
                let id = Some(opening.value);
                self.openings_of_many.see(run, locker, LineState::Opening, id);
                let outcome = self.outcome_of(opening.value).await;
                // Without one, its opening will tell when it is settled.
                return Tried::Over(outcome.map_or(LineState::Opening, LineState::Ended));
            }
            Err(refusal) => refusal,
        };
        let wait = Duration::from_millis(refusal.retry_after_ms.unwrap_or_default());
        let wait = wait.clamp(BUSY_WAIT_MIN, BUSY_WAIT_MAX);
        match refusal.code {
            Code::LockCooling | Code::OpeningUnderWay => Tried::Busy { wait, everyone: false },
            Code::Overloaded => Tried::Busy { wait, everyone: true },
            Code::NotWired => Tried::Over(LineState::Skipped(SkipReason::NotWired)),
            _ => Tried::Over(LineState::Skipped(SkipReason::NotAllowed)),
        }
    }

    /// Stores how an order ended, once the openings of a failing database are stored.
    async fn store_end(&self, run: &Run) -> Result<bool, Error> {
        if self.store.degraded().is_some() || fallback::has_spill(&self.store.dir().spill()) {
            return Ok(false);
        }
        let (order, caller) = (run.order().clone(), run.caller);
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                if mass_openings::update_ended(tx.conn, &order)? {
                    audit_end(tx, Some(caller), &order)?;
                }
                Ok(())
            })
            .await?;
        run.end_stored();
        Ok(true)
    }

    /// Stores the ends that a failing database did not take, and writes orders of an earlier run of
    /// the program down as interrupted; says how many.
    pub async fn settle_mass_openings(&self) -> Result<usize, Error> {
        if self.store.degraded().is_some() {
            return Ok(0);
        }
        let mut settled = 0;
        let ended = self.openings_of_many.to_be_stored();
        for run in ended {
            settled += usize::from(self.store_end(&run).await?);
        }
        for id in self.store.read(mass_openings::list_running).await? {
            if self.openings_of_many.get(id).is_some() {
                continue;
            }
            let now = self.clock.now();
            self.store
                .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                    if let Some(mut order) = mass_openings::find(tx.conn, id)? {
                        order.end(false, now);
                        mass_openings::update_ended(tx.conn, &order)?;
                        audit_end(tx, None, &order)?;
                    }
                    Ok(())
                })
                .await?;
            settled += 1;
        }
        Ok(settled)
    }

    /// An order as it stands; for staff of any of its banks.
    pub async fn mass_opening(
        &self,
        caller: Caller,
        id: MassOpeningId,
    ) -> Result<MassOpening, Error> {
        let order = match self.openings_of_many.get(id).map(|run| run.order().clone()) {
            Some(order) => Some(order),
            None => self.store.read(move |conn| mass_openings::find(conn, id)).await?,
        };
        let order = order.filter(|order| self.may_see(caller, &order.head));
        order.ok_or_else(mass_opening_not_found)
    }

    /// Orders of the caller's banks, newest first, at most [`PAGE_MAX`], before `before` if given.
    pub async fn mass_openings(
        &self,
        caller: Caller,
        before: Option<MassOpeningId>,
    ) -> Result<Vec<MassOpeningHead>, Error> {
        let banks = match caller.role {
            Role::Admin => None,
            Role::Staff => {
                let snapshot = self.store.snapshot();
                Some(snapshot.site.staff.get(&caller.member_id).cloned().unwrap_or_default())
            }
            Role::Student => {
                return Err(Error::new(Code::Forbidden, "mass openings are for staff"));
            }
        };
        let list = move |conn: &_| mass_openings::list(conn, banks.as_deref(), before, PAGE_MAX);
        let mut heads = self.store.read(list).await?;
        for head in &mut heads {
            if let Some(run) = self.openings_of_many.get(head.id) {
                head.clone_from(&run.order().head);
            }
        }
        Ok(heads)
    }

    /// Stops an order before its next turn; what is under way ends. One that has ended stays as it
    /// is. For staff of any of its banks.
    pub async fn cancel_mass_opening(
        &self,
        caller: Caller,
        id: MassOpeningId,
    ) -> Result<MassOpening, Error> {
        let order = self.mass_opening(caller, id).await?;
        let run = self.openings_of_many.get(id);
        let Some(run) = run.filter(|_| order.head.state == RunState::Running) else {
            return Ok(order);
        };
        if !run.cancel.is_cancelled() {
            run.cancel.cancel();
            self.detach(move |services| async move {
                let noted = services
                    .store
                    .write::<_, StoreError, _>(Lane::Change, move |tx| {
                        audit(tx, caller, "mass_opening.cancel", id, &json!({}))
                    })
                    .await;
                if let Err(error) = noted {
                    let member = caller.member_id;
                    tracing::error!(
                        area = "audit", mass_opening.id = %id, member.id = %member, %error,
                        "who stopped it could be recorded in this log only",
                    );
                }
            });
        }
        let order = run.order().clone();
        Ok(order)
    }

    fn may_see(&self, caller: Caller, head: &MassOpeningHead) -> bool {
        let snapshot = self.store.snapshot();
        head.banks.iter().any(|bank| is_staff_for(&snapshot, caller, *bank))
    }
}

fn meant(site: &Site, selection: Selection) -> Result<BTreeSet<LockerId>, Error> {
    match selection {
        Selection::Bank(bank) => {
            if !site.banks.contains_key(&bank) {
                return Err(Error::new(Code::BankNotFound, format!("there is no bank {bank}")));
            }
            let of_bank = site.lockers.values().filter(|locker| locker.bank_id == bank);
            Ok(of_bank.map(|locker| locker.id).collect())
        }
        Selection::Lockers(ids) => {
            let given = ids.len();
            let lockers: BTreeSet<LockerId> = ids.into_iter().collect();
            if lockers.len() == given {
                Ok(lockers)
            } else {
                Err(Error::new(Code::Invalid, "a locker is named twice"))
            }
        }
    }
}

fn under_way(error: StoreError) -> Error {
    match error {
        StoreError::Conflict(Constraint::Unique(columns))
            if columns.starts_with("mass_opening_bank.") =>
        {
            let detail = "a bank has a mass opening that runs: wait for it, or stop it";
            Error::new(Code::MassOpeningUnderWay, detail)
        }
        other => other.into(),
    }
}

fn audit(
    tx: &mut Tx<'_>,
    caller: Caller,
    action: &'static str,
    id: MassOpeningId,
    detail: &serde_json::Value,
) -> Result<(), StoreError> {
    tx.audit(&AuditEntry {
        actor: Some(caller.member_id),
        action,
        subject: &format!("mass_opening:{id}"),
        detail: &detail.to_string(),
    })
}

fn audit_end(
    tx: &mut Tx<'_>,
    caller: Option<Caller>,
    order: &MassOpening,
) -> Result<(), StoreError> {
    let detail = json!({ "state": order.head.state.name(), "counts": order.counts() });
    tx.audit(&AuditEntry {
        actor: caller.map(|caller| caller.member_id),
        action: "mass_opening.end",
        subject: &format!("mass_opening:{}", order.head.id),
        detail: &detail.to_string(),
    })
}

fn mass_opening_not_found() -> Error {
    Error::new(Code::MassOpeningNotFound, "there is no such mass opening")
}
