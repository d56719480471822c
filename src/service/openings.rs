//! Opening a locker: authorise, write the intent down, pulse, watch, write down what was seen.
//!
//! The intent is committed before the bus is told, and an intent moves a coil at most once: after
//! a crash it is settled by reading the door, never by a second pulse. While the database fails,
//! the last published state says who may open, and the record goes to the spill file until it can
//! be stored. Subscribers hear only of what was written down in one of the two.

use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, kept, once};
use super::limits::{self, Limit};
use super::presence::{PresenceUse, presence_used, use_presence};
use super::rentals::locker_not_found;
use super::tokens::Caller;
use super::{Services, is_staff_for, returning};
use crate::bus::{Doubt, Happened, OpenRefused, OpeningEvent, OpeningWatch, PulseOutcome};
use crate::domain::channel::{Channel, DoorState};
use crate::domain::id::{BankId, LockerId, MassOpeningId, OpeningId};
use crate::domain::limit::{LimitKind, Subject};
use crate::domain::opening::{OpenedAs, Opening, Outcome, Phase};
use crate::domain::rental::{Rental, RentalState};
use crate::store::audit::AuditEntry;
use crate::store::{Lane, StoreError, Tx, fallback, openings};

mod registry;

pub use registry::LiveOpenings;

use registry::Spilled;

/// Longest wait of one question for an opening's outcome.
pub const WAIT_MAX: Duration = Duration::from_secs(30);

/// How long a question still waits for an outcome when the end has begun; less than the time that
/// requests under way are given.
const STOP_PATIENCE: Duration = Duration::from_millis(1_500);

/// Spilled openings stored in one job: the writer is not kept from others for long.
const REPLAY_SLICE: usize = 100;

/// How long an opening that was cut off waits for its board to be heard before nobody can tell.
const SETTLE_PATIENCE: jiff::SignedDuration = jiff::SignedDuration::from_mins(10);

/// How often and how long a repeated request looks for the answer of its first one.
const REPEAT_LOOKS_MAX: usize = 20;
const REPEAT_WAIT: Duration = Duration::from_millis(50);

/// An opening as the one who asked sees it.
#[derive(Debug, Clone)]
pub struct OpeningView {
    /// What was seen.
    pub opening: Opening,
    /// When trying again makes sense, in milliseconds; `None` when it is under way or was opened.
    pub retry_after_ms: Option<u64>,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which locker.
    pub locker: LockerId,
    /// The code that the bank's kiosk shows, if it was typed.
    pub presence_code: Option<String>,
    /// The client's key for this request.
    pub key: Option<RequestKey>,
}

/// What an opening is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartOf {
    /// Of nothing else.
    Nothing,
    /// Of an order to open many.
    Many(MassOpeningId),
    /// Of a return: the door is opened one last time.
    Return,
}

/// By what right, through which wire, and which presence code that uses up.
struct Permit {
    opened_as: OpenedAs,
    channel: Channel,
    presence: Option<PresenceUse>,
}

impl Services {
    /// Starts to open a locker; the answer comes when the intent is stored. Progress is asked for
    /// with [`Services::opening`]. A caller that goes away in between changes nothing: what was
    /// begun is carried out and settled.
    pub async fn open(&self, caller: Caller, wanted: Wanted) -> Result<Answer<OpeningId>, Error> {
        self.open_for(caller, wanted, PartOf::Nothing).await
    }

    /// [`Services::open`] as a part of something else.
    pub(super) async fn open_for(
        &self,
        caller: Caller,
        wanted: Wanted,
        part_of: PartOf,
    ) -> Result<Answer<OpeningId>, Error> {
        let Some(own) = self.own.upgrade() else { return Err(StoreError::Closed.into()) };
        let opened =
            self.tracker.spawn(async move { own.open_to_the_end(caller, wanted, part_of).await });
        opened.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// [`Services::open_for`], for callers that do not go away.
    pub(super) async fn open_to_the_end(
        &self,
        caller: Caller,
        wanted: Wanted,
        part_of: PartOf,
    ) -> Result<Answer<OpeningId>, Error> {
        let Wanted { locker, presence_code, key } = wanted;
        if let Some(answer) = self.kept_opening(caller, key.as_ref()).await? {
            return Ok(answer);
        }
        let permit = match self.permit(caller, locker, presence_code.as_deref()) {
            Ok(permit) => permit,
            Err(mut refusal) => {
                if refusal.code == Code::PresenceWrong {
                    refusal = self.count_wrong_presence(caller, refusal).await;
                }
                if refusal.code != Code::LockerNotFound {
                    self.demand_patience(caller).await?;
                    self.note_refusal(caller, locker, refusal.code);
                }
                return Err(refusal);
            }
        };
        let id = OpeningId(Uuid::now_v7());
        let now = self.clock.now();
        if permit.opened_as == OpenedAs::Renter {
            self.settle_before(caller.member_id, locker).await?;
        }
        let opening = Opening {
            mass_opening: if let PartOf::Many(id) = part_of { Some(id) } else { None },
            returns: part_of == PartOf::Return,
            ..Opening::requested(id, locker, caller.member_id, permit.opened_as, now)
        };
        let begun = match self.bus.cooling_ms(&permit.channel) {
            Some(ms) => Err(cooling(ms)),
            None => self.openings.begin(&opening),
        };
        let live = match begun {
            Ok(live) => live,
            // What stands in the way may be this very request, sent twice at once.
            Err(refusal) => {
                let repeat = self.repeat_under_way(caller, locker, key.as_ref()).await?;
                return repeat.ok_or(refusal);
            }
        };
        match self.intend(caller, &opening, permit.presence, key).await {
            Ok(answer) if !answer.replayed => {
                self.openings.tell(&live, opening.clone());
                self.carry_out(opening, &permit.channel, live);
                Ok(answer)
            }
            other => {
                self.openings.end(id);
                other
            }
        }
    }

    /// What a repeated request was answered the first time, also while the lock cools down.
    async fn kept_opening(
        &self,
        caller: Caller,
        key: Option<&RequestKey>,
    ) -> Result<Option<Answer<OpeningId>>, Error> {
        let Some(key) = key else { return Ok(None) };
        let known = (caller.member_id, key.clone());
        if let Some(id) = self.openings.with_spilled(|spilled| spilled.keys.get(&known).copied()) {
            return Ok(Some(Answer { value: id, replayed: true }));
        }
        let now_ms = self.clock.now().as_millisecond();
        match kept(&self.store, caller.member_id, "open", key, now_ms).await {
            // The job asks again inside its transaction; a slow or failing reader keeps nobody out.
            Err(error) if is_database_failure(error.code) || error.code == Code::Overloaded => {
                Ok(None)
            }
            other => other,
        }
    }

    /// The answer of the same request that another connection is just storing.
    async fn repeat_under_way(
        &self,
        caller: Caller,
        locker: LockerId,
        key: Option<&RequestKey>,
    ) -> Result<Option<Answer<OpeningId>>, Error> {
        if key.is_none() {
            return Ok(None);
        }
        for _ in 0..REPEAT_LOOKS_MAX {
            let under_way = self.openings.under_way(locker);
            if let Some(answer) = self.kept_opening(caller, key).await? {
                return Ok(Some(answer));
            }
            let Some(mut live) = under_way else { return Ok(None) };
            let _ = tokio::time::timeout(REPEAT_WAIT, live.changed()).await;
        }
        Ok(None)
    }

    /// Writes the intent down, in the spill when the database fails: that keeps no renter from
    /// their things.
    async fn intend(
        &self,
        caller: Caller,
        opening: &Opening,
        presence: Option<PresenceUse>,
        key: Option<RequestKey>,
    ) -> Result<Answer<OpeningId>, Error> {
        match self.store_intent(caller, opening, presence, key.clone()).await {
            Err(error) if is_database_failure(error.code) => {
                self.claim_presence(presence)?;
                self.spill(opening).await;
                if let Some(key) = key {
                    let keep = |spilled: &mut Spilled| {
                        spilled.keep_key(caller.member_id, key, opening.id);
                    };
                    self.openings.with_spilled(keep);
                }
                Ok(Answer { value: opening.id, replayed: false })
            }
            Ok(answer) => {
                self.note_presence(presence.filter(|_| !answer.replayed));
                Ok(answer)
            }
            refused => refused,
        }
    }

    /// Decides by what right the caller may open the locker, from the published state alone.
    fn permit(&self, caller: Caller, id: LockerId, code: Option<&str>) -> Result<Permit, Error> {
        let snapshot = self.store.snapshot();
        let (locker, bank) = snapshot.site.locker(id).ok_or_else(|| locker_not_found(id))?;
        let is_staff = is_staff_for(&snapshot, caller, bank.id);
        let rents = self.renter_permit(caller, id).and_then(|()| self.demand_open(bank));
        let opened_as = match rents {
            Ok(()) => OpenedAs::Renter,
            Err(_) if is_staff => OpenedAs::Staff,
            Err(refusal) => return Err(refusal),
        };
        let presence = if is_staff { None } else { self.prove_presence(caller, bank, code)? };
        let channel = locker.channel.clone().ok_or_else(|| {
            Error::new(Code::NotWired, "this locker has no electric lock: ask staff for its key")
        })?;
        Ok(Permit { opened_as, channel, presence })
    }

    fn renter_permit(&self, caller: Caller, locker: LockerId) -> Result<(), Error> {
        let snapshot = self.store.snapshot();
        let (monotonic, today) = (self.clock.monotonic(), self.clock.today());
        let mine: Vec<&Rental> = snapshot
            .of_member(caller.member_id)
            .filter(|rental| rental.locker_id == locker && rental.is_live(monotonic))
            .collect();
        // "I forgot something": until the locker is free, whoever returned it may open it again.
        let mut returned = mine.iter().filter(|rental| rental.is_returned());
        if let Some(rental) = returned.find(|rental| !self.is_due(&snapshot, rental, monotonic)) {
            return self.demand_not_sealed_off(&snapshot, rental, today);
        }
        let mut active = mine.iter().filter(|rental| rental.state == RentalState::Active);
        if self.clock_is_trusted() {
            let mut in_dates = active.clone().filter(|rental| rental.dates.contains(today));
            if let Some(rental) = in_dates.next() {
                return self.demand_to_be_had(&snapshot, rental, today);
            }
            if let Some(rental) = active.find(|rental| rental.is_late(today)) {
                self.demand_not_sealed_off(&snapshot, rental, today)?;
                // Whoever never got in because somebody earlier never left does not get in late.
                return self.demand_to_be_had(&snapshot, rental, today);
            }
        } else {
            // Without a date to go by, whoever is first in line has their things in it.
            let line = snapshot.of_locker(locker).filter(|it| it.is_live(monotonic));
            let first = line.map(|it| it.dates.first()).min();
            let mut first_in_line = active.filter(|rental| Some(rental.dates.first()) == first);
            if let Some(rental) = first_in_line.next() {
                return self.demand_not_sealed_off(&snapshot, rental, today);
            }
        }
        Err(match mine.iter().find(|rental| !rental.is_returned()) {
            None => Error::new(Code::NotYourLocker, format!("you do not rent locker {locker}")),
            Some(rental) if matches!(rental.state, RentalState::Held { .. }) => {
                Error::new(Code::OnlyHeld, "confirm the locker first: so far it is only held")
            }
            Some(rental) => Error::new(
                Code::OutsideDates,
                format!("your rental is from {} to {}", rental.dates.first(), rental.dates.last()),
            )
            .with("starts_on", rental.dates.first().to_string())
            .with("ends_on", rental.dates.last().to_string()),
        })
    }

    async fn store_intent(
        &self,
        caller: Caller,
        opening: &Opening,
        presence: Option<PresenceUse>,
        key: Option<RequestKey>,
    ) -> Result<Answer<OpeningId>, Error> {
        let (opening, clock) = (opening.clone(), self.clock.clone());
        self.store
            .write(Lane::Opening, move |tx| {
                once(tx, caller.member_id, "open", key.as_ref(), |tx| {
                    if opening.opened_as == OpenedAs::Renter {
                        returning::demand_still_theirs(tx, &opening, clock.today())?;
                    }
                    if let Some(presence) = presence
                        && !use_presence(tx, presence)?
                    {
                        return Err(presence_used(&clock));
                    }
                    openings::upsert(tx.conn, &opening)?;
                    audit(tx, &opening, "opening.request", "{}")?;
                    Ok(opening.id)
                })
            })
            .await
    }

    async fn spill(&self, opening: &Opening) {
        self.openings.with_spilled(|spilled| spilled.keep(opening));
        let (dir, copy) = (self.store.dir().clone(), opening.clone());
        let spill = move || fallback::spill(&dir.spill(), &dir.ballast(), &copy);
        let written = tokio::task::spawn_blocking(spill).await;
        if let Ok(Err(error)) = written {
            // Not even a line can be written: the log is the last witness, the door opens.
            tracing::error!(
                area = "store",
                opening.id = %opening.id,
                locker.id = %opening.locker_id,
                member.id = %opening.member_id,
                outcome = ?opening.outcome,
                %error,
                "an opening could be recorded in this log only",
            );
        }
    }

    fn carry_out(&self, mut opening: Opening, channel: &Channel, live: watch::Sender<Opening>) {
        let id = opening.id;
        // Before the command can leave: the excuse comes before the door.
        self.watch_begun(&opening);
        match self.bus.open(channel) {
            Ok(seen) => self.detach(move |services| async move {
                services.follow(opening, seen, &live).await;
                services.openings.end(id);
            }),
            Err(refused) => {
                tracing::warn!(area = "bus", %channel, %refused, "an opening was refused");
                opening.end(match refused {
                    OpenRefused::UnknownChannel(_) => Outcome::Unreachable,
                    OpenRefused::CoolingDown { .. } | OpenRefused::QueueFull => Outcome::Refused,
                });
                self.watch_ended(&opening);
                self.detach(move |services| async move {
                    services.record(&opening).await;
                    services.openings.tell(&live, opening);
                    services.openings.end(id);
                });
            }
        }
    }

    /// Takes down what the bus sees until it has nothing more to tell.
    async fn follow(
        &self,
        mut opening: Opening,
        mut seen: OpeningWatch,
        live: &watch::Sender<Opening>,
    ) {
        while let Some(event) = seen.events.recv().await {
            self.take_down(&mut opening, event);
            // What has come in the meantime is written in the same commit.
            while let Ok(event) = seen.events.try_recv() {
                self.take_down(&mut opening, event);
            }
            self.record(&opening).await;
            self.openings.tell(live, opening.clone());
        }
        if opening.outcome.is_none() {
            // The bus ended without a verdict: the program is stopping.
            opening.end(Outcome::Interrupted);
            self.watch_ended(&opening);
            self.record(&opening).await;
            self.openings.tell(live, opening);
        }
    }

    fn take_down(&self, opening: &mut Opening, event: OpeningEvent) {
        let at = self.clock.wall_of(event.at);
        match event.what {
            Happened::Sent => {
                opening.see(Phase::Sent, at);
                self.watch_sent(opening.locker_id, event.at);
            }
            Happened::Acknowledged => opening.see(Phase::Acknowledged, at),
            Happened::SentAgain => {
                opening.see(Phase::SentAgain, at);
                // The door has its full time to be opened again.
                self.watch_sent(opening.locker_id, event.at);
            }
            Happened::DoorOpened => opening.see(Phase::Opened, at),
            Happened::DoorClosed => opening.see(Phase::Closed, at),
            Happened::Ended(outcome) => {
                opening.end(verdict(&outcome));
                self.watch_ended(opening);
            }
        }
    }

    async fn record(&self, opening: &Opening) {
        let (stored, own) = (opening.clone(), self.own());
        let result = match own {
            Ok(own) => {
                let note = move |tx: &mut Tx<'_>| {
                    openings::upsert(tx.conn, &stored)?;
                    returning::note_opening(tx, &own, &stored)
                };
                self.store.write::<_, Error, _>(Lane::Opening, note).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::warn!(area = "store", opening.id = %opening.id, %error, "goes to the spill");
            self.spill(opening).await;
        }
    }

    /// Records a refused attempt without making the caller wait.
    /// Refuses somebody who was refused too often. Asked of refused openings only: whoever may open
    /// a locker is never kept from it, and a failing database keeps nobody.
    async fn demand_patience(&self, caller: Caller) -> Result<(), Error> {
        match self.check_limits(&[refused_openings_of(caller)]).await {
            Err(refusal) if refusal.code == Code::TooManyRequests => Err(refusal),
            _ => Ok(()),
        }
    }

    fn note_refusal(&self, caller: Caller, locker: LockerId, code: Code) {
        self.detach(move |services| async move {
            let detail = json!({ "code": code.name() }).to_string();
            let (limit, rules) = (refused_openings_of(caller), services.settings.limits);
            let noted = services
                .store
                .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                    if !limits::has_room(tx, &rules, &limit)? {
                        return Ok(());
                    }
                    Ok(tx.audit(&AuditEntry {
                        actor: Some(caller.member_id),
                        action: "opening.refused",
                        subject: &format!("locker:{locker}"),
                        detail: &detail,
                    })?)
                })
                .await;
            if let Err(error) = noted {
                tracing::warn!(area = "audit", %error, "a refused opening was not recorded");
            }
        });
    }

    /// An opening, after waiting for its outcome for at most `wait`; its owner and staff of the
    /// bank may see it.
    pub async fn opening(
        &self,
        caller: Caller,
        id: OpeningId,
        wait: Duration,
    ) -> Result<OpeningView, Error> {
        let opening = if let Some(mut live) = self.openings.get(id) {
            self.demand_view(caller, &live.borrow())?;
            let decided = live.wait_for(|opening| opening.outcome.is_some());
            tokio::select! {
                _ = tokio::time::timeout(wait.min(WAIT_MAX), decided) => {}
                () = self.nearly_stopped() => {}
            }
            live.borrow().clone()
        } else {
            let opening = self.recorded(id).await?.ok_or_else(opening_not_found)?;
            self.demand_view(caller, &opening)?;
            opening
        };
        let retry = opening.outcome.is_some_and(Outcome::may_retry);
        let retry_after_ms = retry.then(|| self.retry_after_ms(opening.locker_id));
        Ok(OpeningView { opening, retry_after_ms })
    }

    /// An opening as it was written down, in the database or meanwhile in the spill.
    async fn recorded(&self, id: OpeningId) -> Result<Option<Opening>, Error> {
        match self.openings.with_spilled(|spilled| spilled.openings.get(&id).cloned()) {
            Some(opening) => Ok(Some(opening)),
            None => Ok(self.store.read(move |conn| openings::find(conn, id)).await?),
        }
    }

    /// The outcome of an opening as soon as there is one; `None` when nobody can tell, also because
    /// the program is ending.
    pub(super) async fn outcome_of(&self, id: OpeningId) -> Option<Outcome> {
        if let Some(mut live) = self.openings.get(id) {
            tokio::select! {
                _ = live.wait_for(|opening| opening.outcome.is_some()) => {}
                () = self.nearly_stopped() => {}
            }
            return live.borrow().outcome;
        }
        self.recorded(id).await.ok().flatten()?.outcome
    }

    /// Passes when the end has begun and the usual opening would be decided by now.
    async fn nearly_stopped(&self) {
        self.stopping.cancelled().await;
        tokio::time::sleep(STOP_PATIENCE).await;
    }

    fn demand_view(&self, caller: Caller, opening: &Opening) -> Result<(), Error> {
        let snapshot = self.store.snapshot();
        let bank = snapshot.site.bank_of(opening.locker_id);
        let staff = |bank: BankId| is_staff_for(&snapshot, caller, bank);
        if opening.member_id == caller.member_id || bank.is_some_and(staff) {
            Ok(())
        } else {
            Err(opening_not_found())
        }
    }

    fn retry_after_ms(&self, locker: LockerId) -> u64 {
        let snapshot = self.store.snapshot();
        let channel = snapshot.site.lockers.get(&locker).and_then(|it| it.channel.as_ref());
        channel.and_then(|channel| self.bus.cooling_ms(channel)).unwrap_or(0)
    }

    /// Stores what was spilled, then settles openings that an earlier run left without an outcome,
    /// by looking at the door. In this order: a spilled outcome is better than a look afterwards.
    pub async fn settle_openings(&self) -> Result<usize, Error> {
        if self.store.degraded().is_some() {
            return Ok(0);
        }
        let replayed = self.replay_spill().await?;
        let unsettled = self.store.read(openings::list_unsettled).await?;
        let stale: Vec<Opening> = unsettled
            .into_iter()
            .filter(|opening| self.openings.get(opening.id).is_none())
            .collect();
        for mut opening in stale.iter().cloned() {
            let channel = self.known_locker(opening.locker_id).ok().flatten();
            if channel.as_ref().is_some_and(|channel| self.may_tell_later(channel, &opening)) {
                continue;
            }
            let door = match &channel {
                Some(channel) => self.bus.read_door(channel).await,
                None => DoorState::Unknown,
            };
            if door == DoorState::Open {
                opening.see(Phase::Opened, self.clock.now());
                opening.end(Outcome::Opened);
            } else {
                opening.end(Outcome::Interrupted);
            }
            let (settled, own) = (opening.clone(), self.own()?);
            self.store
                .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                    openings::update_settled(tx.conn, &settled)?;
                    returning::note_opening(tx, &own, &settled)
                })
                .await?;
            tracing::info!(
                area = "bus",
                opening.id = %opening.id,
                outcome = ?opening.outcome,
                "an opening that was cut off is settled",
            );
        }
        Ok(replayed + stale.len())
    }

    /// Whether the board of a recent opening has not been heard yet: its port may only be opening.
    fn may_tell_later(&self, channel: &Channel, opening: &Opening) -> bool {
        let requested = opening.at(Phase::Requested).unwrap_or_default();
        let recent = self.clock.now().duration_since(requested) < SETTLE_PATIENCE;
        recent && !self.bus.was_heard(channel)
    }

    /// Stores what was spilled while the database failed; says how many lines there were.
    async fn replay_spill(&self) -> Result<usize, Error> {
        let path = self.store.dir().spill();
        if !fallback::has_spill(&path) {
            return Ok(0);
        }
        let taking = path.clone();
        let spilled = tokio::task::spawn_blocking(move || fallback::take_spill(&taking)).await;
        let spilled = match spilled {
            Ok(Ok(spilled)) => spilled,
            Ok(Err(error)) => {
                tracing::error!(area = "store", %error, "the spill of openings is unreadable");
                return Ok(0);
            }
            Err(_) => return Ok(0),
        };
        let count = spilled.len();
        for slice in spilled.chunks(REPLAY_SLICE) {
            let (slice, own) = (slice.to_vec(), self.own()?);
            self.store
                .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                    slice.iter().try_for_each(|opening| replay(tx, &own, opening))
                })
                .await?;
        }
        let stored: Vec<OpeningId> = spilled.iter().map(|opening| opening.id).collect();
        self.openings.with_spilled(|spilled| {
            for id in stored {
                spilled.openings.remove(&id);
            }
        });
        if let Err(error) = fallback::clear_taken_spill(&path) {
            tracing::error!(area = "store", %error, "the spill of openings stays");
        }
        Ok(count)
    }
}

/// Stores one spilled opening. One that the database has no place for (it was restored from an
/// older backup) must not keep the others out.
fn replay(tx: &mut Tx<'_>, own: &Services, opening: &Opening) -> Result<(), Error> {
    match openings::upsert(tx.conn, opening) {
        Err(StoreError::Conflict(conflict)) => {
            tracing::error!(area = "store", ?opening, %conflict, "a spilled opening has no place");
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(()) => {
            returning::note_opening(tx, own, opening)?;
            Ok(audit(tx, opening, "opening.replayed", "{\"while\":\"degraded\"}")?)
        }
    }
}

fn verdict(outcome: &PulseOutcome) -> Outcome {
    match outcome {
        PulseOutcome::Confirmed => Outcome::Opened,
        PulseOutcome::AlreadyOpen => Outcome::AlreadyOpen,
        PulseOutcome::DoorStayedClosed => Outcome::DoorDidNotOpen,
        PulseOutcome::Accepted | PulseOutcome::Unconfirmed(Doubt::NeverAnswers) => Outcome::Unseen,
        PulseOutcome::Unconfirmed(Doubt::Stopped) => Outcome::Interrupted,
        PulseOutcome::Unconfirmed(_) => Outcome::NoAnswer,
        PulseOutcome::Refused(_) => Outcome::Refused,
        PulseOutcome::Unreachable(_) => Outcome::Unreachable,
    }
}

fn audit(
    tx: &mut Tx<'_>,
    opening: &Opening,
    action: &'static str,
    detail: &str,
) -> Result<(), StoreError> {
    tx.audit(&AuditEntry {
        actor: Some(opening.member_id),
        action,
        subject: &format!("locker:{}", opening.locker_id),
        detail,
    })
}

fn refused_openings_of(caller: Caller) -> Limit {
    (LimitKind::RefusedOpening, Subject::member(caller.member_id))
}

fn is_database_failure(code: Code) -> bool {
    matches!(code, Code::Degraded | Code::StorageFull)
}

fn cooling(ms: u64) -> Error {
    let seconds = ms.div_ceil(1_000);
    let detail = format!("the lock was opened a moment ago: wait {seconds} s and try again");
    Error::new(Code::LockCooling, detail).retry_after_ms(ms)
}

pub(super) fn opening_not_found() -> Error {
    Error::new(Code::OpeningNotFound, "there is no such opening")
}
