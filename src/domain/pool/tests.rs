//! The rules of dates, check-in and which compartment comes first.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn march(day: i8) -> Date {
    date(2026, 3, day)
}

fn span(first: i8, last: i8) -> DateSpan {
    DateSpan::new(march(first), march(last)).expect("in order")
}

fn policy(days_max: u16, advance_days: u16, check_in_days: Option<u16>) -> PoolPolicy {
    PoolPolicy { days_max: Some(days_max), advance_days, check_in_days, reservations_max: 1 }
}

fn reservation(first: i8, last: i8) -> Reservation {
    Reservation {
        id: RentalId(7),
        bank_id: BankId(1),
        member_id: MemberId(3),
        dates: span(first, last),
        accessible: false,
        unserved: false,
    }
}

#[test]
fn dates_begin_tomorrow_within_the_window_and_end_in_time() {
    let policy = policy(3, 5, None);
    let check = |first, last| policy.check_dates(span(first, last), march(10), |_| true);
    assert_eq!(policy.starts(march(10)), span(11, 15));
    for (first, last, expected) in [
        (10, 11, Err(DatesRefused::TooEarly)),
        (11, 11, Ok(())),
        (11, 13, Ok(())),
        (11, 14, Err(DatesRefused::TooLong)),
        (15, 17, Ok(())),
        (16, 16, Err(DatesRefused::TooFar)),
    ] {
        assert_eq!(check(first, last), expected, "{first}..{last}");
    }
    let endless = PoolPolicy { days_max: None, ..policy };
    let refused = endless.check_dates(span(11, 11), march(10), |_| true);
    assert_eq!(refused, Err(DatesRefused::TooLong), "such a bank takes none");
}

#[test]
fn a_closed_day_is_neither_first_nor_last_but_may_lie_between() {
    let policy = policy(9, 9, None);
    let closed_on = |closed: i8, first, last| {
        policy.check_dates(span(first, last), march(10), |day| day != march(closed))
    };
    assert_eq!(closed_on(12, 12, 14), Err(DatesRefused::Closed(march(12))));
    assert_eq!(closed_on(14, 12, 14), Err(DatesRefused::Closed(march(14))));
    assert_eq!(closed_on(13, 12, 14), Ok(()));
    for refused in [
        DatesRefused::TooEarly,
        DatesRefused::TooFar,
        DatesRefused::TooLong,
        DatesRefused::Closed(march(1)),
    ] {
        assert!(!refused.name().is_empty() && !refused.to_string().is_empty());
    }
}

#[test]
fn check_in_is_open_for_its_days_and_not_beyond_the_last_one() {
    let (one, two, all) = (policy(9, 9, Some(1)), policy(9, 9, Some(2)), policy(9, 9, None));
    let it = reservation(10, 12);
    let at = |policy: &PoolPolicy, day| it.check_in(policy, march(day));
    for policy in [&one, &two, &all] {
        assert_eq!(at(policy, 9), Err(CheckInRefused::TooEarly));
        assert_eq!(at(policy, 10), Ok(()));
        assert!(!it.is_no_show(policy, march(10)));
        assert_eq!(at(policy, 13), Err(CheckInRefused::TooLate));
    }
    assert_eq!(at(&one, 11), Err(CheckInRefused::TooLate));
    assert_eq!((at(&two, 11), at(&all, 12)), (Ok(()), Ok(())));
    assert!(it.is_no_show(&two, march(12)));
    // Two days of check-in of a reservation for one day end with it.
    assert_eq!(reservation(10, 10).check_in_until(&two), march(10));
}

#[test]
fn what_it_becomes_keeps_its_number_and_dates() {
    let it = reservation(10, 12);
    let rental = it.bound(LockerId(101));
    assert_eq!((rental.id, rental.dates, rental.member_id), (it.id, it.dates, it.member_id));
    assert_eq!((rental.locker_id, rental.state), (LockerId(101), RentalState::Active));
    assert!(rental.occupies(march(10)) && !rental.opened);
}

#[test]
fn the_longest_empty_comes_first_and_height_only_on_wish() {
    let locker = |id, accessible| Locker { accessible, ..Locker::new(LockerId(id), BankId(1)) };
    let free = [
        (locker(1, false), Some(20)),
        (locker(2, true), Some(30)),
        (locker(3, false), None),
        (locker(4, true), Some(10)),
        (locker(5, false), Some(5)),
    ];
    let order = |wish, kept| {
        let mut sorted: Vec<_> =
            free.iter().map(|(it, freed)| preference(it, Date::MAX, *freed, wish, kept)).collect();
        sorted.sort_unstable();
        sorted.into_iter().map(|(.., id)| id.0).collect::<Vec<_>>()
    };
    assert_eq!(order(false, false), [3, 5, 4, 1, 2]);
    assert_eq!(order(false, true), [3, 5, 1, 4, 2]);
    assert_eq!(order(true, false), [4, 2, 3, 5, 1]);
    assert_eq!(order(true, true), [4, 2, 3, 5, 1]);
}

proptest! {
    /// Whatever is allowed begins in the future, ends within the longest duration, and can be checked
    /// in on its first day.
    #[test]
    fn what_may_be_reserved_can_be_checked_in(
        days_max in 1_u16..20, advance in 1_u16..20, check_in in prop::option::of(1_u16..20),
        first in 1_i8..28, length in 0_i8..20,
    ) {
        let policy = policy(days_max, advance, check_in);
        let today = march(5);
        let last = march(first).saturating_add(i64::from(length).days());
        let dates = DateSpan::new(march(first), last).expect("in order");
        let allowed = policy.check_dates(dates, today, |_| true).is_ok();
        let plain = march(first) > today
            && i32::from(first) - 5 <= i32::from(advance)
            && i32::from(length) < i32::from(days_max);
        prop_assert_eq!(allowed, plain);
        let it = Reservation { dates, ..reservation(1, 1) };
        prop_assert_eq!(it.check_in(&policy, dates.first()), Ok(()));
        prop_assert!(dates.contains(it.check_in_until(&policy)));
        prop_assert!(it.is_no_show(&policy, dates.last().saturating_add(1.day())));
    }
}
