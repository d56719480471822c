//! Giving back: a returned locker waits until it is surely empty, and only then others may have it.
//!
//! The rule is `domain/returning.rs`; here it is fed with what the bus shows and carried out. It is
//! asked by the return itself, every few seconds, and by a claim that meets a returned locker, each
//! time inside the transaction that acts on it. Openings tell of themselves (`note_opening`).
//! While the database fails, or openings of that time are not stored yet, nothing is freed.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::commissioning::demand_staff;
use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::openings::{PartOf, Wanted};
use super::rentals::{audit, locker_not_found, not_your_locker, refuse};
use super::tokens::Caller;
use super::{Services, is_staff_for, overdue};
use crate::domain::alarm::{AlarmKind, Subject};
use crate::domain::channel::Channel;
use crate::domain::id::{BankId, LockerId, MemberId, OpeningId, RentalId};
use crate::domain::mass_opening::parse_reason;
use crate::domain::opening::{OpenedAs, Opening};
use crate::domain::rental::{EndReason, Rental, RentalState};
use crate::domain::returning::{self, DoorSight, Sight, Verdict, WaitsFor};
use crate::domain::time::Monotonic;
use crate::store::audit::AuditEntry;
use crate::store::{
    Change, Lane, Snapshot, StoreError, Tx, fallback, members, openings, outbox, rentals,
};

/// Most returned rentals looked at in one job: the writer is not kept from others for long.
const SETTLE_SLICE: usize = 64;

/// Most returned lockers of one page.
pub const PAGE_MAX: usize = 100;

/// What a renter says with a return.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReturnWish {
    /// The locker is empty: counts where no sensor shows the door.
    pub emptied: bool,
    /// Open it one last time: the closing door is the return.
    pub open: bool,
    /// The code that the bank's kiosk shows, for that opening, if it was typed.
    pub presence_code: Option<String>,
}

/// A locker that was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenBack {
    /// Which.
    pub locker_id: LockerId,
    /// What it waits for; `None` when it is free.
    #[serde(default)]
    pub waits_for: Option<WaitsFor>,
    /// From when on it is free, as far as that is known.
    #[serde(default)]
    pub free_at: Option<Timestamp>,
    /// The last opening, which the return waits for; then it is not returned yet.
    #[serde(default)]
    pub opening: Option<OpeningId>,
}

/// A locker that was given back and is not free yet, for staff.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The rental.
    pub rental: Rental,
    /// Its bank.
    pub bank_id: BankId,
    /// Who returned it: student id and name; `None` when they have left since.
    pub member: Option<(String, String)>,
    /// When.
    pub returned_at: Timestamp,
    /// What it waits for.
    pub waits_for: Option<WaitsFor>,
    /// From when on it is free, as far as that is known.
    pub free_at: Option<Timestamp>,
}

impl Services {
    /// Takes the caller's locker back. Asked again, it tells how that goes, and takes the renter's
    /// word that it is empty.
    pub async fn release(
        &self,
        caller: Caller,
        locker: LockerId,
        wish: ReturnWish,
        key: Option<RequestKey>,
    ) -> Result<Answer<GivenBack>, Error> {
        self.known_locker(locker)?;
        if wish.open {
            let wanted = Wanted { locker, presence_code: wish.presence_code, key };
            return self.return_by_door(caller, wanted).await;
        }
        self.take_back(caller, locker, wish.emptied, key).await
    }

    async fn take_back(
        &self,
        caller: Caller,
        locker: LockerId,
        emptied: bool,
        key: Option<RequestKey>,
    ) -> Result<Answer<GivenBack>, Error> {
        let own = self.own()?;
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "release", key.as_ref(), |tx| {
                    release_job(tx, &own, caller.member_id, locker, emptied)
                })
            })
            .await
    }

    /// Opens the door one last time; when it was seen open, the locker is returned, and the closing
    /// door finishes it. An opening that fails leaves the rental as it is.
    async fn return_by_door(
        &self,
        caller: Caller,
        wanted: Wanted,
    ) -> Result<Answer<GivenBack>, Error> {
        let (snapshot, locker) = (self.store.snapshot(), wanted.locker);
        let (place, bank) = snapshot.site.locker(locker).ok_or_else(|| locker_not_found(locker))?;
        let mine = mine_of(&snapshot, caller.member_id, locker, self.clock.today());
        if !mine.is_some_and(|rental| rental.state == RentalState::Active) {
            return Err(not_your_locker(locker));
        }
        let seen = place.channel.as_ref().is_some_and(|channel| self.has_sensor(locker, channel));
        if !bank.policy.returns.by_door || !seen {
            let detail =
                "this locker is not returned by its door: empty it, close it, and return it";
            return Err(Error::new(Code::ReturnByDoorOff, detail));
        }
        let opened = self.open_for(caller, wanted, PartOf::Return).await?;
        let waits_for = Some(WaitsFor::Door);
        Ok(opened.map(|id| GivenBack {
            locker_id: locker,
            waits_for,
            free_at: None,
            opening: Some(id),
        }))
    }

    /// Has a return written down that is over by now and keeps the next renter out: once their opening
    /// is under way, it could not be told from one of the former renter.
    pub(super) async fn settle_before(
        &self,
        member: MemberId,
        locker: LockerId,
    ) -> Result<(), Error> {
        let (snapshot, now) = (self.store.snapshot(), self.clock.monotonic());
        let mut others = snapshot.of_locker(locker).filter(|it| it.member_id != member);
        if !others.any(|it| self.is_due(&snapshot, it, now)) {
            return Ok(());
        }
        let own = self.own()?;
        let settle = move |tx: &mut Tx<'_>| settle_locker(tx, &own, locker);
        self.store.write(Lane::Opening, settle).await
    }

    /// Frees a returned locker at once: staff have seen that it is empty.
    pub async fn free(
        &self,
        caller: Caller,
        locker: LockerId,
        reason: &str,
        key: Option<RequestKey>,
    ) -> Result<Answer<GivenBack>, Error> {
        let snapshot = self.store.snapshot();
        let (_, bank) = snapshot.site.locker(locker).ok_or_else(|| locker_not_found(locker))?;
        if !is_staff_for(&snapshot, caller, bank.id) {
            return Err(Error::new(Code::Forbidden, "this is for staff of the bank"));
        }
        let reason = parse_reason(reason).map_err(|text| Error::new(Code::Invalid, text))?;
        let own = self.own()?;
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "free", key.as_ref(), |tx| {
                    free_job(tx, &own, caller.member_id, locker, &reason)
                })
            })
            .await
    }

    /// Ends returns whose locker is surely empty by now, and notes doors that were seen closed; says
    /// how many changed.
    pub async fn settle_returns(&self) -> Result<usize, Error> {
        if self.store.degraded().is_some() || self.has_unstored_openings() {
            return Ok(0);
        }
        let (snapshot, now) = (self.store.snapshot(), self.clock.monotonic());
        let due: Vec<RentalId> = snapshot
            .returned()
            .filter(|rental| {
                let (seen, verdict) = self.judge(&snapshot, rental, false, now);
                verdict == Some(Verdict::Free) || seen != **rental
            })
            .map(|rental| rental.id)
            .collect();
        let mut settled = 0;
        for slice in due.chunks(SETTLE_SLICE) {
            let (own, slice) = (self.own()?, slice.to_vec());
            settled += self
                .store
                .write(Lane::Housekeeping, move |tx| {
                    let mut count = 0;
                    for id in &slice {
                        count += usize::from(settle(tx, &own, *id)?);
                    }
                    Ok::<_, Error>(count)
                })
                .await?;
        }
        Ok(settled)
    }

    /// Lockers of the caller's banks that were given back and are not free yet, by number, those
    /// behind `after`, at most `limit`; [`PAGE_MAX`] and one more to see whether there is one.
    pub async fn waiting_returns(
        &self,
        caller: Caller,
        bank: Option<BankId>,
        after: Option<RentalId>,
        limit: usize,
    ) -> Result<Vec<Waiting>, Error> {
        demand_staff(caller)?;
        let (snapshot, now) = (self.store.snapshot(), self.clock.monotonic());
        let mut found: Vec<(Rental, BankId)> = snapshot
            .returned()
            .filter(|rental| after.is_none_or(|after| after < rental.id))
            .filter_map(|rental| Some((*rental, snapshot.site.locker(rental.locker_id)?.1.id)))
            .filter(|(_, id)| bank.is_none_or(|bank| bank == *id))
            .filter(|(_, id)| is_staff_for(&snapshot, caller, *id))
            .collect();
        found.sort_by_key(|(rental, _)| rental.id);
        found.truncate(limit.min(PAGE_MAX + 1));
        let asked: Vec<_> = found.iter().map(|(it, _)| (it.id, it.member_id)).collect();
        let told = self.store.read(move |conn| {
            let one = |(id, member)| {
                let person = members::find_by_id(conn, member)?;
                let person = person.map(|row| (row.student_id, row.name));
                Ok((rentals::returned_ms(conn, id)?, person))
            };
            asked.into_iter().map(one).collect::<Result<Vec<_>, StoreError>>()
        });
        let row = |((rental, bank_id), (returned_ms, member)): (_, (Option<i64>, _))| {
            let (_, verdict) = self.judge(&snapshot, &rental, false, now);
            Waiting {
                rental,
                bank_id,
                member,
                returned_at: Timestamp::from_millisecond(returned_ms.unwrap_or_default())
                    .unwrap_or_default(),
                waits_for: verdict.and_then(Verdict::waits_for),
                free_at: verdict.and_then(|verdict| self.free_at(verdict)),
            }
        };
        Ok(found.into_iter().zip(told.await?).map(row).collect())
    }

    /// A rental with what a look at its locker shows, and whether that makes the locker free; `None`
    /// for one that was not given back.
    pub(super) fn judge(
        &self,
        snapshot: &Snapshot,
        rental: &Rental,
        staff: bool,
        now: Monotonic,
    ) -> (Rental, Option<Verdict>) {
        let Some((locker, bank)) = snapshot.site.locker(rental.locker_id) else {
            return (*rental, None);
        };
        let sight = self.sight(locker.id, locker.channel.as_ref());
        let seen = returning::looked(*rental, &sight, now);
        (seen, returning::verdict(&seen, &sight, bank.policy.returns, staff, now))
    }

    /// Whether a returned rental only waits to be written down as over, and that can be done.
    pub(super) fn is_due(&self, snapshot: &Snapshot, rental: &Rental, now: Monotonic) -> bool {
        rental.is_returned()
            && self.store.degraded().is_none()
            && self.judge(snapshot, rental, false, now).1 == Some(Verdict::Free)
            && !self.has_unstored_openings()
    }

    /// When a verdict makes the locker free, in wall time.
    pub(super) fn free_at(&self, verdict: Verdict) -> Option<Timestamp> {
        let wait_ms = match verdict {
            Verdict::Free => 0,
            Verdict::FreeAt(at) => self.clock.monotonic().ms_until(at),
            _ => return None,
        };
        let wait = SignedDuration::from_millis(i64::try_from(wait_ms).unwrap_or(i64::MAX));
        self.clock.now().checked_add(wait).ok()
    }

    pub(super) fn sight(&self, locker: LockerId, channel: Option<&Channel>) -> Sight {
        let door = channel.filter(|channel| self.has_sensor(locker, channel)).map(|channel| {
            let reading = self.bus.door(channel);
            let read_at = reading.read_at.map(|at| self.clock.monotonic_of(at));
            DoorSight { state: reading.state, read_at }
        });
        Sight { under_way: self.openings.is_under_way(locker), door }
    }

    /// Whether a sensor shows the door, and can be believed.
    fn has_sensor(&self, locker: LockerId, channel: &Channel) -> bool {
        let boards = self.bus.boards(&channel.bus).unwrap_or_default();
        let sees = boards.iter().any(|board| board.address == channel.board && board.doors);
        let faulty = Subject::Locker(locker);
        sees && !self.alarms_snapshot().alarms.values().any(|alarm| {
            alarm.kind == AlarmKind::SensorFault
                && alarm.cleared.is_none()
                && alarm.subject == faulty
        })
    }

    /// Whether openings of a time without database are not stored yet: then nobody can say what was
    /// opened.
    fn has_unstored_openings(&self) -> bool {
        fallback::has_spill(&self.store.dir().spill())
    }

    pub(super) fn own(&self) -> Result<Arc<Self>, Error> {
        self.own.upgrade().ok_or_else(|| StoreError::Closed.into())
    }
}

/// The rental of a member that a return of this locker is about: the one in use, then the one that
/// was given back, then one that is still to come.
fn mine_of(
    snapshot: &Snapshot,
    member: MemberId,
    locker: LockerId,
    today: Date,
) -> Option<&Rental> {
    let place = |rental: &&Rental| match rental.state {
        RentalState::Active if rental.occupies(today) => 0,
        RentalState::Returned(_) => 1,
        RentalState::Active => 2,
        RentalState::Held { .. } | RentalState::Ended(_) => 3,
    };
    let mine = snapshot.of_member(member).filter(|rental| rental.locker_id == locker);
    mine.min_by_key(|rental| (place(rental), rental.dates.first()))
}

fn release_job(
    tx: &mut Tx<'_>,
    own: &Services,
    member: MemberId,
    locker: LockerId,
    emptied: bool,
) -> Result<GivenBack, Error> {
    let today = own.clock.today();
    let mine = mine_of(tx.snapshot(), member, locker, today).copied();
    let mine = mine.ok_or_else(|| not_your_locker(locker))?;
    let occupant = tx.snapshot().occupant(locker, today).map(|rental| rental.id);
    let in_use = mine.opened || mine.is_returned() || occupant == Some(mine.id);
    if mine.state == RentalState::Active && !in_use {
        let over = mine.give_up(member).map_err(|error| refuse(error, locker))?;
        rentals::update_ended(tx.conn, mine.id, EndReason::Returned, tx.now_ms())?;
        audit(tx, Some(member), "rental.release", locker, mine.id)?;
        tx.apply(&Change::Rental(over));
        overdue::note_ended(tx, own, &over)?;
        return Ok(GivenBack {
            locker_id: locker,
            waits_for: None,
            free_at: Some(tx.now),
            opening: None,
        });
    }
    // What was read of the door may be older than an opening that is still followed.
    let moved = own.openings.is_any_followed(locker).then_some(tx.monotonic);
    let returned =
        mine.release(member, tx.monotonic, moved).map_err(|error| refuse(error, locker))?;
    let said = if emptied { returning::emptied(returned, tx.monotonic) } else { returned };
    // By a clock that is not believed nobody is late.
    let late = !mine.is_returned() && own.clock_is_trusted();
    let said = if late { returning::returned_on(said, today) } else { said };
    if !mine.is_returned() {
        audit(tx, Some(member), "rental.release", locker, mine.id)?;
    } else if said != mine {
        audit(tx, Some(member), "rental.emptied", locker, mine.id)?;
    }
    let (seen, verdict) = judge_in(tx, own, &said, false)?;
    if seen != mine {
        rentals::update_known(tx.conn, &seen, tx.now_ms())?;
        tx.apply(&Change::Rental(seen));
    }
    if verdict == Verdict::Free {
        end(tx, own, &seen)?;
    }
    let (waits_for, free_at) = (verdict.waits_for(), own.free_at(verdict));
    Ok(GivenBack { locker_id: locker, waits_for, free_at, opening: None })
}

fn free_job(
    tx: &mut Tx<'_>,
    own: &Services,
    staff: MemberId,
    locker: LockerId,
    reason: &str,
) -> Result<GivenBack, Error> {
    let returned: Vec<Rental> =
        tx.snapshot().of_locker(locker).filter(|rental| rental.is_returned()).copied().collect();
    if returned.is_empty() {
        let detail = format!("locker {locker} was not returned: nothing is to be freed");
        return Err(Error::new(Code::NotReturned, detail));
    }
    for rental in &returned {
        if judge_in(tx, own, rental, true)?.1 != Verdict::Free {
            let detail = "this locker is being opened right now: look into it afterwards";
            return Err(Error::new(Code::OpeningUnderWay, detail));
        }
        let detail = json!({ "locker_id": locker, "reason": reason }).to_string();
        let subject = format!("rental:{}", rental.id);
        let actor = Some(staff);
        tx.audit(&AuditEntry { actor, action: "rental.free", subject: &subject, detail: &detail })?;
        end(tx, own, rental)?;
    }
    Ok(GivenBack { locker_id: locker, waits_for: None, free_at: Some(tx.now), opening: None })
}

/// Ends a returned rental whose locker is free by now, or notes what was seen of its door; says
/// whether anything changed.
fn settle(tx: &mut Tx<'_>, own: &Services, id: RentalId) -> Result<bool, Error> {
    let Some(rental) = tx.snapshot().rental(id).filter(|it| it.is_returned()).copied() else {
        return Ok(false);
    };
    let (seen, verdict) = judge_in(tx, own, &rental, false)?;
    if verdict == Verdict::Free {
        audit(tx, None, "rental.freed", rental.locker_id, id)?;
        end(tx, own, &rental)?;
    } else if seen != rental {
        rentals::update_known(tx.conn, &seen, tx.now_ms())?;
        tx.apply(&Change::Rental(seen));
    }
    Ok(verdict == Verdict::Free || seen != rental)
}

/// Ends the returned rentals of a locker that are over by now, so that a claim finds it free.
pub(super) fn settle_locker(
    tx: &mut Tx<'_>,
    own: &Services,
    locker: LockerId,
) -> Result<(), Error> {
    let met: Vec<Rental> =
        tx.snapshot().of_locker(locker).filter(|rental| rental.is_returned()).copied().collect();
    for rental in &met {
        if judge_in(tx, own, rental, false)?.1 == Verdict::Free {
            audit(tx, None, "rental.freed", locker, rental.id)?;
            end(tx, own, rental)?;
        }
    }
    Ok(())
}

/// [`Services::judge`] with what only the database knows: openings that an earlier run left open,
/// and those of a time without database.
fn judge_in(
    tx: &Tx<'_>,
    own: &Services,
    rental: &Rental,
    staff: bool,
) -> Result<(Rental, Verdict), Error> {
    let (seen, verdict) = own.judge(tx.snapshot(), rental, staff, tx.monotonic);
    let doubtful =
        own.has_unstored_openings() || openings::has_unsettled(tx.conn, rental.locker_id)?;
    match verdict {
        // What was seen may be older than such an opening.
        _ if doubtful && !staff => Ok((*rental, Verdict::WaitsForDoor)),
        Some(verdict) => Ok((seen, verdict)),
        None => Ok((seen, Verdict::WaitsForStaff)),
    }
}

/// By whose doing a rental ends before its renter has given the locker back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenBy {
    /// Its renter took another locker, and empties this one.
    Renter,
    /// Staff: nobody stands before the locker, and what is inside stays there for now.
    Staff,
}

/// A rental in use as it is taken away, and what its locker waits for then; `None`: nothing can be
/// inside, because it was never in use, or has a lock that never moved, nothing of that is in doubt, and
/// its door does not stand open.
pub(super) fn taken_away(
    tx: &Tx<'_>,
    own: &Services,
    rental: &Rental,
    by: TakenBy,
) -> Result<Option<(Rental, Verdict)>, Error> {
    let (locker, today, trusted) = (rental.locker_id, own.clock.today(), own.clock_is_trusted());
    let occupies = tx.snapshot().occupant(locker, today).map(|it| it.id) == Some(rental.id);
    let in_use = rental.opened || occupies || !trusted;
    if rental.state != RentalState::Active || !in_use {
        return Ok(None);
    }
    let moved = own.openings.is_any_followed(locker).then_some(tx.monotonic);
    let returned = rental.taken_away(true, tx.monotonic, moved);
    let returned = returned.map_err(|error| refuse(error, locker))?;
    // By a clock that is not believed nobody is late.
    let returned = if trusted { returning::returned_on(returned, today) } else { returned };
    let returned = if by == TakenBy::Staff { returning::left_inside(returned) } else { returned };
    let (seen, verdict) = judge_in(tx, own, &returned, false)?;
    let in_doubt =
        moved.is_some() || own.has_unstored_openings() || openings::has_unsettled(tx.conn, locker)?;
    Ok((seen.opened || in_doubt).then_some((seen, verdict)))
}

/// Writes down that a returned locker is free, and tells its former renter.
pub(super) fn end(tx: &mut Tx<'_>, own: &Services, rental: &Rental) -> Result<(), Error> {
    let over = rental.freed().map_err(|error| refuse(error, rental.locker_id))?;
    rentals::update_ended(tx.conn, rental.id, EndReason::Returned, tx.now_ms())?;
    let payload = json!({ "locker_id": rental.locker_id, "free_at": tx.now }).to_string();
    outbox::insert(tx.conn, "returned", rental.member_id, &payload, tx.now_ms())?;
    tx.apply(&Change::Rental(over));
    overdue::note_ended(tx, own, &over)
}

/// Takes down that a lock moved, or may have, for the rental that it was opened under: what was known of
/// a returned one's door is void. Carries a return by the door out once the door was seen open.
pub(super) fn note_opening(
    tx: &mut Tx<'_>,
    own: &Services,
    opening: &Opening,
) -> Result<(), Error> {
    note_moved(tx, opening, own.clock.today())?;
    if !opening.returns || !opening.was_seen_open() {
        return Ok(());
    }
    let (member, locker) = (opening.member_id, opening.locker_id);
    let is_active = |it: &Rental| it.locker_id == locker && it.state == RentalState::Active;
    if !tx.snapshot().of_member(member).any(is_active) {
        return Ok(());
    }
    release_job(tx, own, member, locker, false).map(drop)
}

fn note_moved(tx: &mut Tx<'_>, opening: &Opening, today: Date) -> Result<(), StoreError> {
    let Some(rental) = opened_under(tx.snapshot(), opening, today).copied() else {
        return Ok(());
    };
    let known = rental.opened && !rental.is_returned();
    if known || !opening.may_have_moved() {
        return Ok(());
    }
    let moved = returning::moved(rental, tx.monotonic);
    let moved = if opening.was_seen_open() { returning::touched(moved) } else { moved };
    if moved != rental {
        rentals::update_known(tx.conn, &moved, tx.now_ms())?;
        tx.apply(&Change::Rental(moved));
    }
    Ok(())
}

/// The rental that a locker was opened under: a renter's own, whatever the day, since theirs are the
/// things inside; for staff that of whoever uses it.
fn opened_under<'a>(snapshot: &'a Snapshot, opening: &Opening, today: Date) -> Option<&'a Rental> {
    let locker = opening.locker_id;
    let theirs = snapshot.of_member(opening.member_id).filter(|it| {
        it.locker_id == locker && matches!(it.state, RentalState::Active | RentalState::Returned(_))
    });
    let own = (opening.opened_as == OpenedAs::Renter)
        .then(|| theirs.min_by_key(|it| (it.dates.first(), it.id)))
        .flatten();
    own.or_else(|| snapshot.occupant(locker, today))
}

/// Demands inside the transaction that a renter's opening is still theirs: the locker may have been
/// freed, or sealed, since they asked.
pub(super) fn demand_still_theirs(
    tx: &Tx<'_>,
    opening: &Opening,
    today: Date,
) -> Result<(), Error> {
    let (snapshot, locker) = (tx.snapshot(), opening.locker_id);
    let mut theirs = snapshot.of_member(opening.member_id).filter(|rental| {
        rental.locker_id == locker
            && matches!(rental.state, RentalState::Active | RentalState::Returned(_))
    });
    let Some(first) = theirs.next() else { return Err(not_your_locker(locker)) };
    let sealed = |rental: &Rental| rental.sealed && rental.is_late(today);
    let bank = snapshot.site.locker(locker).map(|(_, bank)| bank);
    match bank.filter(|_| sealed(first) && theirs.all(sealed)) {
        Some(bank) => overdue::demand_may_open(bank, first, today),
        None => Ok(()),
    }
}
