//! Ending many rentals by one order of staff, at a term's end: looked at first, then carried out.
//!
//! A dry run says what would be done and changes nothing. An order is stored with what was meant and goes
//! on in slices behind the request: whoever gave it may go away, and a restart goes on with it. Each
//! rental ends as if it were ended alone (`staff_rentals.rs`); one that ended meanwhile is let be, so that
//! an order repeated finds nothing more.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::clock::clock_untrusted;
use super::commissioning::demand_staff;
use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::staff_rentals::{read_reason, take_away};
use super::tokens::Caller;
use super::{Services, is_staff_for};
use crate::domain::id::{BankId, BulkEndId, MemberId, RentalId};
use crate::domain::member::Role;
use crate::domain::rental::{Rental, RentalState};
use crate::store::audit::AuditEntry;
use crate::store::bulk_ends;
use crate::store::{Lane, Site, Snapshot, StoreError, Tx, members};

pub use crate::store::bulk_ends::{BulkEnd, Choice, Place};

/// Rentals ended in one job: the writer is not kept from others for long.
const SLICE: usize = 16;

/// Most rentals that a dry run names; it counts all.
pub const NAMED_MAX: usize = 1_000;

/// Orders in one page of the list.
pub const PAGE_MAX: usize = 50;

/// A rental that an order would end.
#[derive(Debug, Clone)]
pub struct Meant {
    /// The rental.
    pub rental: Rental,
    /// Its bank.
    pub bank_id: BankId,
    /// Whose it is: student id and name; `None` when they have left since.
    pub member: Option<(String, String)>,
}

/// What an order would do.
#[derive(Debug, Clone)]
pub struct Preview {
    /// How many rentals it would end.
    pub found: usize,
    /// How many of them were opened: they wait until they were emptied.
    pub opened: usize,
    /// The first [`NAMED_MAX`], by locker.
    pub named: Vec<Meant>,
}

/// An order that was taken.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Begun {
    /// Its name, under which it can be followed.
    pub id: BulkEndId,
    /// How many rentals it ends.
    pub found: u32,
}

impl Services {
    /// What an order would end; nothing is changed. For staff of all banks concerned.
    pub async fn preview_bulk_end(
        &self,
        caller: Caller,
        place: Place,
        choice: Choice,
    ) -> Result<Preview, Error> {
        let snapshot = self.store.snapshot();
        self.demand_bulk_end(&snapshot, caller, place, choice)?;
        let meant = meant(&snapshot, place, choice, None);
        let (found, opened) = (meant.len(), meant.iter().filter(|(it, _)| it.opened).count());
        let named: Vec<_> = meant.into_iter().take(NAMED_MAX).collect();
        let asked: Vec<MemberId> = named.iter().map(|(it, _)| it.member_id).collect();
        let people = self.store.read(move |conn| {
            let one = |id| {
                let row = members::find_by_id(conn, id)?;
                Ok(row.map(|row| (row.student_id, row.name)))
            };
            asked.into_iter().map(one).collect::<Result<Vec<_>, StoreError>>()
        });
        let row = |((rental, bank_id), member)| Meant { rental, bank_id, member };
        Ok(Preview {
            found,
            opened,
            named: named.into_iter().zip(people.await?).map(row).collect(),
        })
    }

    /// Takes an order to end many rentals; the answer comes when it is stored. For staff of all banks
    /// concerned.
    pub async fn begin_bulk_end(
        &self,
        caller: Caller,
        (place, choice): (Place, Choice),
        reason: &str,
        key: Option<RequestKey>,
    ) -> Result<Answer<Begun>, Error> {
        let reason = read_reason(caller, reason)?;
        let own = self.own()?;
        let id = BulkEndId(Uuid::now_v7());
        let begun = self
            .store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "rental.bulk_end", key.as_ref(), |tx| {
                    own.demand_bulk_end(tx.snapshot(), caller, place, choice)?;
                    let meant = meant(tx.snapshot(), place, choice, None);
                    let newest = meant.iter().map(|(it, _)| it.id).max().unwrap_or(RentalId(0));
                    let order = BulkEnd {
                        id,
                        member_id: caller.member_id,
                        place,
                        choice,
                        reason: reason.clone(),
                        newest,
                        found: u32::try_from(meant.len()).unwrap_or(u32::MAX),
                        ended: 0,
                        returned: 0,
                        started_at: tx.now,
                        done_at: None,
                    };
                    bulk_ends::insert(tx.conn, &order)?;
                    audit(tx, Some(caller.member_id), "rental.bulk_end", &order)?;
                    Ok(Begun { id, found: order.found })
                })
            })
            .await?;
        if !begun.replayed {
            self.detach(|services| async move {
                if let Err(error) = services.carry_on_bulk_ends().await {
                    tracing::warn!(area = "jobs", %error, "ending many rentals goes on later");
                }
            });
        }
        Ok(begun)
    }

    /// Goes on with every order that is not done; says how many rentals were ended. One at a time.
    pub async fn carry_on_bulk_ends(&self) -> Result<usize, Error> {
        if self.store.degraded().is_some() {
            return Ok(0);
        }
        let _turn = self.bulk_end_turn.lock().await;
        let mut count = 0;
        for order in self.store.read(bulk_ends::list_running).await? {
            count += self.carry_out_bulk_end(&order).await?;
        }
        Ok(count)
    }

    async fn carry_out_bulk_end(&self, order: &BulkEnd) -> Result<usize, Error> {
        let snapshot = self.store.snapshot();
        let mut ids = Vec::new();
        for (rental, _) in meant(&snapshot, order.place, order.choice, Some(order.newest)) {
            ids.push(rental.id);
        }
        drop(snapshot);
        for slice in ids.chunks(SLICE) {
            if self.stopping.is_cancelled() {
                return Ok(0);
            }
            let (own, order, slice) = (self.own()?, order.clone(), slice.to_vec());
            self.store
                .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                    end_slice(tx, &own, &order, &slice)
                })
                .await?;
        }
        let id = order.id;
        self.store
            .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                if bulk_ends::update_done(tx.conn, id, tx.now_ms())?
                    && let Some(done) = bulk_ends::find(tx.conn, id)?
                {
                    audit(tx, Some(done.member_id), "rental.bulk_end_done", &done)?;
                }
                Ok(())
            })
            .await?;
        Ok(ids.len())
    }

    /// An order as it stands. For staff of all its banks.
    pub async fn bulk_end(&self, caller: Caller, id: BulkEndId) -> Result<BulkEnd, Error> {
        demand_staff(caller)?;
        let order = self.store.read(move |conn| bulk_ends::find(conn, id)).await?;
        let snapshot = self.store.snapshot();
        let order = order.filter(|order| looks_after(&snapshot, caller, order.place));
        let missing = "there is no such ending of many rentals in banks that you look after";
        order.ok_or_else(|| Error::new(Code::BulkEndNotFound, missing))
    }

    /// Orders for banks that the caller looks after, newest first, before `before`; and where the next
    /// page begins, if there is one.
    pub async fn bulk_ends(
        &self,
        caller: Caller,
        before: Option<BulkEndId>,
    ) -> Result<(Vec<BulkEnd>, Option<BulkEndId>), Error> {
        demand_staff(caller)?;
        let mut all =
            self.store.read(move |conn| bulk_ends::list(conn, before, PAGE_MAX + 1)).await?;
        let more = all.len() > PAGE_MAX;
        all.truncate(PAGE_MAX);
        let next = all.last().filter(|_| more).map(|order| order.id);
        let snapshot = self.store.snapshot();
        all.retain(|order| looks_after(&snapshot, caller, order.place));
        Ok((all, next))
    }

    fn demand_bulk_end(
        &self,
        snapshot: &Snapshot,
        caller: Caller,
        place: Place,
        choice: Choice,
    ) -> Result<(), Error> {
        demand_staff(caller)?;
        let site = &snapshot.site;
        let (known, code, text) = match place {
            Place::Bank(id) => {
                (site.banks.contains_key(&id), Code::BankNotFound, format!("there is no bank {id}"))
            }
            Place::Location(id) => (
                site.locations.contains_key(&id),
                Code::LocationNotFound,
                format!("there is no location {id}"),
            ),
        };
        if !known {
            return Err(Error::new(code, text));
        }
        if !looks_after(snapshot, caller, place) {
            return Err(Error::new(Code::Forbidden, "this is for staff of all banks concerned"));
        }
        match choice {
            Choice::Term(id) if !site.terms.iter().any(|term| term.id == id) => {
                Err(Error::new(Code::TermNotFound, format!("there is no term {id}")))
            }
            Choice::EndedBefore(_) if !self.clock_is_trusted() => Err(clock_untrusted()),
            Choice::EndedBefore(day) if day > self.clock.today() => {
                let detail = "ended_before must be today or earlier: name the term to end what has \
                              not ended";
                Err(Error::new(Code::Invalid, detail))
            }
            _ => Ok(()),
        }
    }
}

/// The banks of a place.
fn banks_of(site: &Site, place: Place) -> impl Iterator<Item = BankId> {
    site.banks
        .values()
        .filter(move |bank| match place {
            Place::Bank(id) => bank.id == id,
            Place::Location(id) => bank.location_id == id,
        })
        .map(|bank| bank.id)
}

/// Whether the caller is staff of every bank of a place; of a location without banks admins are.
fn looks_after(snapshot: &Snapshot, caller: Caller, place: Place) -> bool {
    let mine = |bank| is_staff_for(snapshot, caller, bank);
    match place {
        Place::Bank(bank) => mine(bank),
        Place::Location(_) => {
            let mut banks = banks_of(&snapshot.site, place).peekable();
            caller.role == Role::Admin || (banks.peek().is_some() && banks.all(mine))
        }
    }
}

/// The active rentals that are meant, by locker; none newer than `newest`.
fn meant(
    snapshot: &Snapshot,
    place: Place,
    choice: Choice,
    newest: Option<RentalId>,
) -> Vec<(Rental, BankId)> {
    let banks: Vec<BankId> = banks_of(&snapshot.site, place).collect();
    let mut found: Vec<(Rental, BankId)> = snapshot
        .rentals()
        .filter(|it| it.state == RentalState::Active && newest.is_none_or(|newest| it.id <= newest))
        .filter(|it| is_chosen(it, choice))
        .filter_map(|it| Some((*it, snapshot.site.bank_of(it.locker_id)?)))
        .filter(|(_, bank)| banks.contains(bank))
        .collect();
    found.sort_by_key(|(it, _)| (it.locker_id, it.id));
    found
}

fn is_chosen(rental: &Rental, choice: Choice) -> bool {
    match choice {
        Choice::Term(id) => rental.term_id == Some(id),
        Choice::EndedBefore(day) => rental.dates.last() < day,
    }
}

fn end_slice(
    tx: &mut Tx<'_>,
    own: &Services,
    order: &BulkEnd,
    ids: &[RentalId],
) -> Result<(), Error> {
    let (mut ended, mut returned) = (0, 0);
    for id in ids {
        // It may have ended, moved its days or been given back since the order was taken.
        let rental = tx.snapshot().rental(*id).copied();
        let Some(rental) =
            rental.filter(|it| it.state == RentalState::Active && is_chosen(it, order.choice))
        else {
            continue;
        };
        if take_away(tx, own, order.member_id, &rental, &order.reason)?.over {
            ended += 1;
        } else {
            returned += 1;
        }
    }
    Ok(bulk_ends::update_progress(tx.conn, order.id, ended, returned)?)
}

fn audit(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    action: &'static str,
    order: &BulkEnd,
) -> Result<(), StoreError> {
    let (bank, location) = match order.place {
        Place::Bank(id) => (Some(id), None),
        Place::Location(id) => (None, Some(id)),
    };
    let (term, before) = match order.choice {
        Choice::Term(id) => (Some(id), None),
        Choice::EndedBefore(day) => (None, Some(day.to_string())),
    };
    let detail = json!({
        "bank_id": bank, "location_id": location, "term_id": term, "ended_before": before,
        "reason": order.reason, "found": order.found, "ended": order.ended,
        "returned": order.returned,
    });
    let (subject, detail) = (format!("bulk_end:{}", order.id), detail.to_string());
    tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })
}
