//! The job that keeps the lines: what got free is offered to whoever is first, and whoever waits in vain
//! is told so.
//!
//! It asks the state what is due, so that a missed run changes nothing and a second one does nothing;
//! every decision is made again inside the transaction. It goes by the calendar and waits while
//! nobody vouches for the clock.

use std::collections::BTreeSet;

use serde_json::json;

use super::{audit, end, end_offer, tell};
use crate::domain::id::{BankId, LockerId, TermId, WaitingId};
use crate::domain::rental::RentalState;
use crate::domain::waiting::{self as rules, Waiter, WaitingEnd, Wish};
use crate::service::Services;
use crate::service::error::{Code, Error};
use crate::service::penalties::demand_no_penalty;
use crate::service::rentals::{Moment, overlapping, place_hold};
use crate::store::rentals::NewHold;
use crate::store::{Change, Lane, Snapshot, Tx, waiting};

/// Most offers made, or people taken off a line, in one job: the writer is not kept from others for long.
const SLICE: usize = 32;

/// What is to become of somebody who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// The wait is over.
    End(WaitingEnd),
    /// The locker that was offered is not lent any more: they wait again, at their old place.
    Withdraw,
}

/// What the schema refused in this job.
#[derive(Debug, Default)]
struct Refused {
    lockers: BTreeSet<LockerId>,
    waiters: BTreeSet<WaitingId>,
}

impl Services {
    /// Offers what is free to those who wait, in the order of joining, and ends waits that are in vain;
    /// says how many changed.
    pub async fn make_offers(&self) -> Result<usize, Error> {
        if self.store.degraded().is_some() || self.store.snapshot().lines().is_empty() {
            return Ok(0);
        }
        let mut changed = self.tidy_lines().await?;
        let snapshot = self.store.snapshot();
        for (bank, term) in snapshot.lines().waited_for() {
            changed += self.offer_along(bank, term).await?;
        }
        Ok(changed)
    }

    async fn tidy_lines(&self) -> Result<usize, Error> {
        let (snapshot, moment) = (self.store.snapshot(), self.moment());
        let due: Vec<WaitingId> = snapshot
            .lines()
            .all()
            .filter(|it| due(&snapshot, it, moment).is_some())
            .map(|it| it.id)
            .collect();
        let mut changed = 0;
        for slice in due.chunks(SLICE) {
            let (own, slice) = (self.own()?, slice.to_vec());
            changed += self
                .store
                .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                    let moment = Moment { monotonic: tx.monotonic, ..own.moment() };
                    let mut changed = 0;
                    for id in &slice {
                        changed += usize::from(tidy(tx, *id, moment)?);
                    }
                    Ok(changed)
                })
                .await?;
        }
        Ok(changed)
    }

    /// Offers what is free to one line, slice by slice.
    async fn offer_along(&self, bank: BankId, term: TermId) -> Result<usize, Error> {
        let mut made = 0;
        let nobody = Refused::default();
        while next(self, &self.store.snapshot(), (bank, term), &nobody, self.moment()).is_some() {
            let own = self.own()?;
            let slice = self
                .store
                .write(Lane::Housekeeping, move |tx| offer_job(tx, &own, (bank, term)))
                .await?;
            made += slice;
            if slice < SLICE {
                break;
            }
        }
        Ok(made)
    }
}

/// What is to become of somebody who waits, if anything.
fn due(snapshot: &Snapshot, waiter: &Waiter, moment: Moment) -> Option<Due> {
    if !moment.trusted {
        return None;
    }
    let site = &snapshot.site;
    if let Some(offer) = waiter.offer {
        return match snapshot.rental(offer).map(|rental| (rental.state, rental.locker_id)) {
            // Somebody else ended it.
            None => Some(Due::End(WaitingEnd::ByStaff)),
            Some((RentalState::Held { until }, locker)) => {
                let lent = site.lockers.get(&locker).is_some_and(|it| it.in_service);
                (!lent && moment.monotonic < until).then_some(Due::Withdraw)
            }
            Some(_) => Some(Due::End(WaitingEnd::Taken)),
        };
    }
    let term = site.terms.iter().find(|term| term.id == waiter.term_id);
    let has_locker = term.is_some_and(|term| {
        let mut mine = snapshot.of_member(waiter.member_id);
        mine.any(|it| it.state == RentalState::Active && it.dates.overlaps(term.dates))
    });
    let wish = Wish {
        bank: site.banks.get(&waiter.bank_id),
        term,
        leaving: site.leavers.contains(&waiter.member_id),
        has_locker,
        today: moment.today,
    };
    rules::in_vain(&wish).map(Due::End)
}

fn tidy(tx: &mut Tx<'_>, id: WaitingId, moment: Moment) -> Result<bool, Error> {
    let Some(waiter) = tx.snapshot().lines().find(id).copied() else { return Ok(false) };
    match due(tx.snapshot(), &waiter, moment) {
        Some(Due::End(reason)) => end(tx, &waiter, reason, (None, None))?,
        Some(Due::Withdraw) => withdraw(tx, &waiter)?,
        None => return Ok(false),
    }
    Ok(true)
}

fn withdraw(tx: &mut Tx<'_>, waiter: &Waiter) -> Result<(), Error> {
    let locker = end_offer(tx, waiter)?;
    waiting::update_offer(tx.conn, waiter.id, None, tx.now_ms())?;
    tell(tx, waiter, "offer_expired", json!({ "locker_id": locker, "withdrawn": true }))?;
    tx.apply(&Change::Waiting(waiter.offered(None)));
    Ok(())
}

/// Who would be offered what next, of those whom the schema did not refuse.
fn next(
    services: &Services,
    snapshot: &Snapshot,
    (bank, term): (BankId, TermId),
    refused: &Refused,
    moment: Moment,
) -> Option<(Waiter, LockerId)> {
    let site = &snapshot.site;
    let bank = site.banks.get(&bank)?;
    let term = site.terms.iter().find(|it| it.id == term && it.opens_at <= moment.now)?;
    if !moment.trusted {
        return None;
    }
    let can_take = |it: &Waiter| {
        let in_vain = due(snapshot, it, moment).is_some();
        let busy = overlapping(snapshot, it.member_id, term.dates, moment.monotonic).is_some();
        let mut reserved = snapshot.reservations_of(it.member_id);
        !in_vain
            && !busy
            && demand_no_penalty(snapshot, it.member_id, moment.today).is_ok()
            && !reserved.any(|own| own.dates.overlaps(term.dates))
            && !refused.waiters.contains(&it.id)
    };
    let free = site
        .lockers_of(bank.id)
        .filter(|it| it.in_service && !refused.lockers.contains(&it.id))
        .filter(|it| services.in_the_way(snapshot, it.id, term.dates, moment).is_none())
        .map(|it| it.id);
    let line = snapshot.lines().line(bank.id, term.id);
    rules::offers(line, can_take, free.take(1)).into_iter().next()
}

fn offer_job(tx: &mut Tx<'_>, own: &Services, line: (BankId, TermId)) -> Result<usize, Error> {
    let moment = Moment { monotonic: tx.monotonic, ..own.moment() };
    let (mut made, mut refused) = (0, Refused::default());
    for _ in 0..SLICE {
        let Some((waiter, locker)) = next(own, tx.snapshot(), line, &refused, moment) else {
            break;
        };
        match offer(tx, own, (&waiter, locker), moment) {
            Ok(()) => made += 1,
            // The schema, or an opening that is not settled, knows of somebody in the way: nobody is
            // overtaken for that.
            Err(error) if error.code == Code::LockerTaken => drop(refused.lockers.insert(locker)),
            Err(error) if matches!(error.code, Code::AlreadyHolding | Code::AlreadyRenting) => {
                refused.waiters.insert(waiter.id);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(made)
}

/// Keeps a locker for somebody who waits and tells them.
fn offer(
    tx: &mut Tx<'_>,
    own: &Services,
    (waiter, locker): (&Waiter, LockerId),
    moment: Moment,
) -> Result<(), Error> {
    let site = &tx.snapshot().site;
    let term = site.terms.iter().find(|it| it.id == waiter.term_id);
    let (Some(bank), Some(term)) = (site.banks.get(&waiter.bank_id), term) else {
        return Ok(());
    };
    let (time, dates) = (bank.policy.options.offer(), term.dates);
    let (member_id, term_id) = (waiter.member_id, Some(waiter.term_id));
    let hold = NewHold { locker_id: locker, member_id, term_id, dates };
    let id = place_hold(tx, own, &hold, time, moment)?;
    waiting::update_offer(tx.conn, waiter.id, Some(id), tx.now_ms())?;
    tx.apply(&Change::Waiting(waiter.offered(Some(id))));
    let detail = json!({ "locker_id": locker, "rental_id": id });
    audit(tx, "waiting.offer", waiter, None, detail)?;
    let time_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let payload = json!({
        "locker_id": locker,
        "until": own.clock.wall_in(time_ms),
        "starts_on": dates.first().to_string(),
        "ends_on": dates.last().to_string(),
    });
    tell(tx, waiter, "offer", payload)
}
