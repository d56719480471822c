//! Application windows: when students may claim, and for which dates.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::bank::{Bank, Mistake};
use super::id::{BankId, LocationId, TermId};
use super::name::Name;
use super::time::DateSpan;

/// Which banks a term is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermScope {
    /// The whole site.
    Site,
    /// Every bank of one location.
    Location(LocationId),
    /// One bank.
    Bank(BankId),
}

/// An application window and the rental dates it grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Its number.
    pub id: TermId,
    /// Its name, for example "2026학년도 2학기".
    pub name: Name,
    /// From this instant on claims are accepted.
    pub opens_at: Timestamp,
    /// From this instant on they are not any more.
    pub closes_at: Timestamp,
    /// The days a claim is good for.
    pub dates: DateSpan,
    /// The banks it is for.
    pub scope: TermScope,
}

/// Where an instant stands to the application windows of a bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window<'a> {
    /// This term takes claims now.
    Open(&'a Term),
    /// None does; this one opens next.
    Before(&'a Term),
    /// None does and none will; this one closed last.
    After(&'a Term),
    /// There is no term for this bank at all.
    None,
}

impl Term {
    /// Checks that the window and its dates make sense together; the text says what does not.
    pub fn validated(self) -> Result<Self, String> {
        if self.opens_at >= self.closes_at {
            return Err(format!(
                "term {:?} closes at {}, before it opens at {}",
                self.name.ko, self.closes_at, self.opens_at
            ));
        }
        Ok(self)
    }

    /// Whether it is for a bank.
    #[must_use]
    pub fn covers(&self, bank: &Bank) -> bool {
        match self.scope {
            TermScope::Site => true,
            TermScope::Location(id) => id == bank.location_id,
            TermScope::Bank(id) => id == bank.id,
        }
    }
}

/// What a term and the policy of a bank that it is for cannot have together.
#[must_use]
pub fn contradiction(term: &Term, bank: &Bank) -> Option<Mistake> {
    let window = term.closes_at.duration_since(term.opens_at);
    let too_long = i64::from(bank.policy.hold_seconds) > window.as_secs();
    if !too_long || !term.covers(bank) {
        return None;
    }
    let text = format!(
        "hold_seconds of bank {:?} is {}, longer than the window from opens_at to closes_at of \
         term {:?}: {} s",
        bank.name.ko,
        bank.policy.hold_seconds,
        term.name.ko,
        window.as_secs()
    );
    Some(Mistake::of(&["hold_seconds", "opens_at", "closes_at"], text))
}

/// A step that a term refuses once somebody was granted a locker by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TermChangeError {
    /// The window opens at another instant than the one at which it was opened.
    #[error("opens_at cannot change any more: people were granted lockers by this term")]
    Opened,
    /// The window would be closed at an instant that is over.
    #[error("closes_at cannot be set into the past: people were granted lockers by this term")]
    ClosesInThePast,
    /// A first or last day would be one that is over.
    #[error(
        "starts_on and ends_on cannot be set into the past: people were granted lockers by this term"
    )]
    DaysInThePast,
}

impl Term {
    /// Checks a change of a term by which somebody was granted a locker: it is for the future only.
    /// The window's opening stays; its end may move to any instant that is not over, a day to one that is
    /// not over. What was granted keeps its days. Before the first grant everything may change.
    pub fn check_change(
        &self,
        next: &Self,
        now: Timestamp,
        today: Date,
    ) -> Result<(), TermChangeError> {
        if next.opens_at != self.opens_at {
            return Err(TermChangeError::Opened);
        }
        if next.closes_at != self.closes_at && next.closes_at < now {
            return Err(TermChangeError::ClosesInThePast);
        }
        let moved = |old: Date, new: Date| old != new && new < today;
        let days = (self.dates, next.dates);
        if moved(days.0.first(), days.1.first()) || moved(days.0.last(), days.1.last()) {
            return Err(TermChangeError::DaysInThePast);
        }
        Ok(())
    }
}

/// Finds the term of `bank` that takes claims at `now`; of several the one that opened last, so
/// that next term's window wins over a long one still open.
#[must_use]
pub fn window<'a>(terms: &'a [Term], bank: &Bank, now: Timestamp) -> Window<'a> {
    let mine = || terms.iter().filter(|term| term.covers(bank));
    let open = mine()
        .filter(|term| term.opens_at <= now && now < term.closes_at)
        .max_by_key(|term| (term.opens_at, term.id));
    if let Some(term) = open {
        return Window::Open(term);
    }
    let next =
        mine().filter(|term| now < term.opens_at).min_by_key(|term| (term.opens_at, term.id));
    if let Some(term) = next {
        return Window::Before(term);
    }
    mine().max_by_key(|term| (term.closes_at, term.id)).map_or(Window::None, Window::After)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::bank::{BankPolicy, Mode};

    fn term(id: i64, opens_s: i64, closes_s: i64, scope: TermScope) -> Term {
        Term {
            id: TermId(id),
            name: Name::parse("학기", None).expect("valid"),
            opens_at: Timestamp::from_second(opens_s).expect("in range"),
            closes_at: Timestamp::from_second(closes_s).expect("in range"),
            dates: DateSpan::new(date(2026, 9, 1), date(2026, 12, 20)).expect("in order"),
            scope,
        }
    }

    fn bank() -> Bank {
        Bank {
            id: BankId(1),
            location_id: LocationId(7),
            name: Name::parse("가", None).expect("valid"),
            mode: Mode::Choose,
            policy: BankPolicy::default(),
            maintenance: None,
        }
    }

    fn at(terms: &[Term], second: i64) -> String {
        let now = Timestamp::from_second(second).expect("in range");
        match window(terms, &bank(), now) {
            Window::Open(term) => format!("open {}", term.id),
            Window::Before(term) => format!("before {}", term.id),
            Window::After(term) => format!("after {}", term.id),
            Window::None => "none".to_owned(),
        }
    }

    #[test]
    fn the_window_opens_at_its_instant_and_closes_before_its_end() {
        let terms = [term(1, 100, 200, TermScope::Site)];
        assert_eq!(at(&terms, 99), "before 1");
        assert_eq!(at(&terms, 100), "open 1");
        assert_eq!(at(&terms, 199), "open 1");
        assert_eq!(at(&terms, 200), "after 1");
        assert_eq!(at(&[], 1), "none");
    }

    #[test]
    fn next_term_wins_over_one_still_open_and_foreign_ones_do_not_count() {
        let terms = [
            term(1, 100, 900, TermScope::Location(LocationId(7))),
            term(2, 500, 600, TermScope::Bank(BankId(1))),
            term(3, 550, 600, TermScope::Bank(BankId(2))),
        ];
        assert_eq!(at(&terms, 400), "open 1");
        assert_eq!(at(&terms, 560), "open 2");
        assert_eq!(at(&terms, 700), "open 1");
    }

    #[test]
    fn a_window_that_closes_before_it_opens_is_refused() {
        assert!(term(1, 5, 5, TermScope::Site).validated().is_err());
        assert!(term(1, 5, 6, TermScope::Site).validated().is_ok());
    }

    #[test]
    fn a_hold_that_outlives_its_window_is_a_contradiction() {
        let mut bank = bank();
        bank.policy.hold_seconds = 61;
        let found = contradiction(&term(1, 100, 160, TermScope::Site), &bank).expect("found");
        assert_eq!(found.fields, ["hold_seconds", "opens_at", "closes_at"]);
        assert_eq!(contradiction(&term(1, 100, 161, TermScope::Site), &bank), None);
        assert_eq!(contradiction(&term(1, 100, 160, TermScope::Bank(BankId(2))), &bank), None);
    }

    #[test]
    fn a_term_that_granted_something_changes_for_the_future_only() {
        let old = term(1, 100, 200, TermScope::Site);
        let today = date(2026, 10, 1);
        let check = |change: fn(&mut Term), now_s: i64| {
            let mut next = old.clone();
            change(&mut next);
            old.check_change(&next, Timestamp::from_second(now_s).expect("in range"), today)
        };
        assert_eq!(check(|_| {}, 900), Ok(()), "its name");
        assert_eq!(
            check(|it| it.opens_at = Timestamp::UNIX_EPOCH, 50),
            Err(TermChangeError::Opened)
        );
        let close = |it: &mut Term| it.closes_at = Timestamp::from_second(150).expect("in range");
        assert_eq!(check(close, 150), Ok(()), "at once");
        assert_eq!(check(close, 151), Err(TermChangeError::ClosesInThePast));
        let day = |month, day| date(2026, month, day);
        for (first, last, checked) in [
            (day(9, 1), day(10, 1), Ok(())),
            (day(9, 1), day(9, 30), Err(TermChangeError::DaysInThePast)),
            (day(8, 31), day(12, 20), Err(TermChangeError::DaysInThePast)),
            (day(10, 1), day(12, 20), Ok(())),
        ] {
            let dates = DateSpan::new(first, last).expect("in order");
            let next = Term { dates, ..old.clone() };
            assert_eq!(old.check_change(&next, Timestamp::UNIX_EPOCH, today), checked, "{dates}");
        }
    }
}
