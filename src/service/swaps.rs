//! Another free locker of the same bank in place of one's own, for the same days.
//!
//! The rule is `domain/swap.rs`; the exchange itself is the one of a shortage
//! (`shortages::put_in_place`): what was opened counts as returned, so that its things can still be
//! taken out, and everything else has ended as replaced.

use super::Services;
use super::clock::clock_untrusted;
use super::error::{Code, Error};
use super::extensions::{last_day_over, mine_of};
use super::idempotency::{Answer, RequestKey, once};
use super::rentals::{self as claims, Moment, locker_not_found, not_your_locker};
use super::returning::TakenBy;
use super::shortages::{Replacement, demand_free, put_in_place, tell_replaced};
use super::tokens::Caller;
use super::waiting::{days_waited_for, option_off, others_wait};
use crate::domain::id::{LockerId, MemberId};
use crate::domain::swap::{self, SwapError};
use crate::domain::time::DateSpan;
use crate::store::{Lane, Tx};

impl Services {
    /// Gives the caller another locker of the same bank in place of theirs.
    pub async fn swap(
        &self,
        caller: Caller,
        locker: LockerId,
        target: LockerId,
        key: Option<RequestKey>,
    ) -> Result<Answer<Replacement>, Error> {
        self.known_locker(locker)?;
        let own = self.own()?;
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "swap", key.as_ref(), |tx| {
                    swap_job(tx, &own, caller.member_id, locker, target)
                })
            })
            .await
    }
}

fn swap_job(
    tx: &mut Tx<'_>,
    own: &Services,
    member: MemberId,
    locker: LockerId,
    target: LockerId,
) -> Result<Replacement, Error> {
    claims::demand_staying(tx.snapshot(), member)?;
    let moment = Moment { monotonic: tx.monotonic, ..own.moment() };
    let mine = mine_of(tx.snapshot(), member, locker)?;
    let site = &tx.snapshot().site;
    let (_, bank) = site.locker(locker).ok_or_else(|| not_your_locker(locker))?;
    if bank.policy.options.swaps && !moment.trusted {
        return Err(clock_untrusted());
    }
    let (wanted, _) = site.locker(target).ok_or_else(|| locker_not_found(target))?;
    let waited_for: Vec<DateSpan> = days_waited_for(tx.snapshot(), bank.id).collect();
    swap::check(&mine, bank, wanted, &waited_for, moment.today)
        .map_err(|error| explain(error, locker))?;
    demand_free(tx, own, target, mine.dates, moment)?;
    let id = put_in_place(tx, own, &mine, target, TakenBy::Renter)?;
    tell_replaced(tx, "rental.swap", &mine, (id, target))?;
    Ok(Replacement { locker_id: target, former_locker_id: locker, dates: mine.dates })
}

fn explain(error: SwapError, locker: LockerId) -> Error {
    match error {
        SwapError::Off => option_off("swaps", "this bank swaps no lockers"),
        SwapError::NotActive => not_your_locker(locker),
        SwapError::Over => last_day_over(),
        SwapError::Same => Error::new(Code::Invalid, "this is your locker: pick another one"),
        SwapError::OtherBank => {
            Error::new(Code::Invalid, "the other locker must be of the same bank")
        }
        SwapError::OutOfService => claims::out_of_service(),
        SwapError::OthersWait => others_wait()
            .reworded(Code::OthersWait, "others wait for a locker of this bank: keep yours"),
    }
}
