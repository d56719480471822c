//! Another locker of the same bank for the same days, because the renter would rather have it.
//!
//! The new one takes the place of the old one as in a shortage ([`Rental::replaced`]). Nobody swaps
//! who is late, and nobody takes a locker that somebody in the line waits for. Used by
//! `service/swaps.rs`.

use jiff::civil::Date;

use super::bank::Bank;
use super::locker::Locker;
use super::rental::{Rental, RentalState};
use super::time::DateSpan;

/// Why a locker is not swapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwapError {
    /// The bank swaps no lockers.
    Off,
    /// The rental is not confirmed, or was given back.
    NotActive,
    /// Its last day is over.
    Over,
    /// The other locker is the same one.
    Same,
    /// The other locker is of another bank.
    OtherBank,
    /// The other locker is not lent for now.
    OutOfService,
    /// Somebody waits for a locker of the bank.
    OthersWait,
}

/// Whether the renter may have `target` instead on `today`, if it is free. `waited_for`: the days that
/// people wait for before the bank, without an offer.
pub fn check(
    rental: &Rental,
    bank: &Bank,
    target: &Locker,
    waited_for: &[DateSpan],
    today: Date,
) -> Result<(), SwapError> {
    if !bank.policy.options.swaps {
        return Err(SwapError::Off);
    }
    if rental.state != RentalState::Active {
        return Err(SwapError::NotActive);
    }
    if rental.sealed || rental.dates.last() < today {
        return Err(SwapError::Over);
    }
    if target.id == rental.locker_id {
        return Err(SwapError::Same);
    }
    if target.bank_id != bank.id {
        return Err(SwapError::OtherBank);
    }
    if !target.in_service {
        return Err(SwapError::OutOfService);
    }
    let waits = waited_for.iter().any(|days| days.overlaps(rental.dates));
    if waits { Err(SwapError::OthersWait) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::bank::{BankPolicy, Mode};
    use crate::domain::id::{BankId, LocationId, LockerId, MemberId, RentalId, TermId};
    use crate::domain::name::Name;
    use crate::domain::options::Options;
    use crate::domain::time::Monotonic;

    const OWNER: MemberId = MemberId(1);

    fn bank(swaps: bool) -> Bank {
        let options = Options { swaps, ..Options::default() };
        Bank {
            id: BankId(1),
            location_id: LocationId(1),
            name: Name::parse("가", None).expect("valid"),
            mode: Mode::Choose,
            policy: BankPolicy { options, ..BankPolicy::default() },
            maintenance: None,
        }
    }

    fn span(from: i8, to: i8) -> DateSpan {
        DateSpan::new(date(2026, 9, from), date(2026, 9, to)).expect("in order")
    }

    fn rental() -> Rental {
        Rental {
            id: RentalId(1),
            locker_id: LockerId(101),
            member_id: OWNER,
            term_id: Some(TermId(1)),
            dates: span(5, 20),
            opened: false,
            extensions: 1,
            hold_extended: false,
            sealed: false,
            state: RentalState::Active,
        }
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let (mine, other) = (rental(), Locker::new(LockerId(102), BankId(1)));
        let on = |day| date(2026, 9, day);
        let try_it = |rental: &Rental, target: &Locker, day| {
            check(rental, &bank(true), target, &[span(21, 30)], on(day))
        };
        assert_eq!(try_it(&mine, &other, 20), Ok(()), "on the last day");
        assert_eq!(try_it(&mine, &other, 1), Ok(()), "before the first one");
        assert_eq!(check(&mine, &bank(false), &other, &[], on(9)), Err(SwapError::Off));
        assert_eq!(try_it(&mine, &other, 21), Err(SwapError::Over));
        assert_eq!(try_it(&Rental { sealed: true, ..mine }, &other, 9), Err(SwapError::Over));
        let held = Rental { state: RentalState::Held { until: Monotonic(9) }, ..mine };
        assert_eq!(try_it(&held, &other, 9), Err(SwapError::NotActive));
        let same = Locker::new(LockerId(101), BankId(1));
        assert_eq!(try_it(&mine, &same, 9), Err(SwapError::Same));
        let far = Locker::new(LockerId(201), BankId(2));
        assert_eq!(try_it(&mine, &far, 9), Err(SwapError::OtherBank));
        let broken = Locker { in_service: false, ..other.clone() };
        assert_eq!(try_it(&mine, &broken, 9), Err(SwapError::OutOfService));
        let waits = check(&mine, &bank(true), &other, &[span(20, 30)], on(9));
        assert_eq!(waits, Err(SwapError::OthersWait));
    }

    proptest! {
        /// Whatever is swapped how often: one locker at a time binds the renter, for the same days, and
        /// what was opened keeps others out until it is emptied.
        #[test]
        fn one_locker_at_a_time_for_the_same_days(
            steps in prop::collection::vec((101_i64..106, any::<bool>(), 1_i8..26), 1..12)
        ) {
            let (mut all, now) = (vec![rental()], Monotonic(0));
            for (target, opened, day) in steps {
                let mine = *all.last().expect("one at least");
                let target = Locker::new(LockerId(target), BankId(1));
                let taken = all.iter().any(|it| it.is_live(now) && it.locker_id == target.id);
                let may = check(&mine, &bank(true), &target, &[], date(2026, 9, day));
                prop_assert_eq!(may.is_ok(), target.id != mine.locker_id && day <= 20);
                if may.is_err() || taken {
                    continue;
                }
                let old = Rental { opened, ..mine }.replaced(OWNER, now).expect("active");
                prop_assert_eq!(old.is_live(now), opened);
                *all.last_mut().expect("one at least") = old;
                let id = RentalId(mine.id.0 + 1);
                all.push(Rental { id, locker_id: target.id, opened: false, ..mine });
                let binding: Vec<_> = all.iter().filter(|it| it.binds_member(now)).collect();
                prop_assert_eq!(binding.len(), 1);
                prop_assert_eq!((binding[0].dates, binding[0].extensions), (mine.dates, 1));
                let mut live: Vec<_> =
                    all.iter().filter(|it| it.is_live(now)).map(|it| it.locker_id).collect();
                live.sort_unstable();
                live.dedup();
                prop_assert_eq!(live.len(), all.iter().filter(|it| it.is_live(now)).count());
            }
        }
    }
}
