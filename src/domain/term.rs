//! Application windows: when students may claim, and for which dates.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::bank::Bank;
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

    fn covers(&self, bank: &Bank) -> bool {
        match self.scope {
            TermScope::Site => true,
            TermScope::Location(id) => id == bank.location_id,
            TermScope::Bank(id) => id == bank.id,
        }
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
}
