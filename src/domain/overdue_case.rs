//! What becomes of a rental that was not returned in time: who is late, and the steps of a case.
//!
//! [`TRANSITIONS`] is the machine itself: a step that is not in it is refused, and the drawing in
//! docs/ref/states.md is made from it. A case belongs to one missed last day; a rental whose last day
//! is moved and missed again gets a new one. The use-cases stand in `service/overdue.rs`.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::id::RentalId;
use super::rental::{Rental, RentalState};
use super::time::Monotonic;

/// Most things on the list of one case.
pub const ITEMS_MAX: usize = 50;

/// Longest description of a thing, longest reference to its photo, in characters.
pub const ITEM_CHARS_MAX: usize = 200;

/// Longest name of a place where things are kept, and of whoever fetched them, in characters.
pub const PLACE_CHARS_MAX: usize = 100;

/// Where a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// The last day is over and the locker was not returned.
    Detected,
    /// Its renter may not open any more, where the bank says so.
    Sealed,
    /// Staff emptied the locker and keep the things.
    Collected,
    /// Somebody fetched the things.
    HandedBack,
    /// The locker was returned after all.
    Returned,
    /// Staff let it be.
    Dropped,
}

impl CaseState {
    /// Every state in the order of the chain; the database's CHECK lists the same names.
    pub const ALL: [Self; 6] = [
        Self::Detected,
        Self::Sealed,
        Self::Collected,
        Self::HandedBack,
        Self::Returned,
        Self::Dropped,
    ];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Sealed => "sealed",
            Self::Collected => "collected",
            Self::HandedBack => "handed_back",
            Self::Returned => "returned",
            Self::Dropped => "dropped",
        }
    }

    /// Finds a state by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Whether something is still to be done.
    #[must_use]
    pub fn is_open(self) -> bool {
        TRANSITIONS.iter().any(|it| it.from == self)
    }

    /// Where a step leads from here; `None`: it cannot be taken.
    #[must_use]
    pub fn after(self, step: CaseStep) -> Option<Transition> {
        TRANSITIONS.iter().find(|it| it.from == self && it.step == step).copied()
    }
}

/// What somebody does about a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseStep {
    /// Its renter may not open any more.
    Seal,
    /// Its renter may open again.
    Unseal,
    /// Staff emptied the locker.
    Collect,
    /// Somebody fetched the things.
    HandBack,
    /// The renter returned the locker, or the rental ended in another way.
    Return,
    /// Nothing more is to be done.
    Drop,
}

impl CaseStep {
    /// Every step.
    pub const ALL: [Self; 6] =
        [Self::Seal, Self::Unseal, Self::Collect, Self::HandBack, Self::Return, Self::Drop];

    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Unseal => "unseal",
            Self::Collect => "collect",
            Self::HandBack => "hand-back",
            Self::Return => "return",
            Self::Drop => "drop",
        }
    }
}

/// A step that can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// From where.
    pub from: CaseState,
    /// Which.
    pub step: CaseStep,
    /// Where it leads.
    pub to: CaseState,
    /// Whether whoever takes it must say why: it leaves the usual way.
    pub needs_reason: bool,
}

const fn usual(from: CaseState, step: CaseStep, to: CaseState) -> Transition {
    Transition { from, step, to, needs_reason: false }
}

const fn with_reason(from: CaseState, step: CaseStep, to: CaseState) -> Transition {
    Transition { from, step, to, needs_reason: true }
}

/// Every step that can be taken. What was collected is not put back: the locker may be somebody
/// else's by then.
pub const TRANSITIONS: &[Transition] = &[
    usual(CaseState::Detected, CaseStep::Seal, CaseState::Sealed),
    with_reason(CaseState::Detected, CaseStep::Collect, CaseState::Collected),
    usual(CaseState::Detected, CaseStep::Return, CaseState::Returned),
    with_reason(CaseState::Detected, CaseStep::Drop, CaseState::Dropped),
    with_reason(CaseState::Sealed, CaseStep::Unseal, CaseState::Detected),
    usual(CaseState::Sealed, CaseStep::Collect, CaseState::Collected),
    usual(CaseState::Sealed, CaseStep::Return, CaseState::Returned),
    with_reason(CaseState::Sealed, CaseStep::Drop, CaseState::Dropped),
    usual(CaseState::Collected, CaseStep::HandBack, CaseState::HandedBack),
    with_reason(CaseState::Collected, CaseStep::Drop, CaseState::Dropped),
];

/// What a rental past its last day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastEnd {
    /// Late: its locker was not returned.
    Late,
    /// Its member rents the locker on without a day between: the next rental takes its place.
    Continued(RentalId),
    /// Nothing of its member can be inside: somebody earlier never left, and it was never opened.
    NeverHad,
}

/// What a rental is once its last day is over; `None` before that, for one that was returned or never
/// confirmed, and while its member holds the locker for the days behind it. `of_locker`: the holds and
/// rentals of its locker.
#[must_use]
pub fn past_end<'a>(
    rental: &Rental,
    of_locker: impl IntoIterator<Item = &'a Rental>,
    today: Date,
    now: Monotonic,
) -> Option<PastEnd> {
    if rental.state != RentalState::Active || today <= rental.dates.last() {
        return None;
    }
    let (mut holds, mut shut_out) = (false, false);
    for other in of_locker {
        if follows(rental, other) {
            match other.state {
                RentalState::Active => return Some(PastEnd::Continued(other.id)),
                RentalState::Held { until } => holds |= now < until,
                RentalState::Returned(_) | RentalState::Ended(_) => {}
            }
        }
        let before = other.dates.first() < rental.dates.first();
        shut_out |= other.member_id != rental.member_id && before && other.occupies(today);
    }
    let is = if shut_out && !rental.opened { PastEnd::NeverHad } else { PastEnd::Late };
    (!holds).then_some(is)
}

/// The confirmed rental by which the member of an active one rents the same locker on, without a day
/// between. `of_locker`: the holds and rentals of that locker.
#[must_use]
pub fn continued_by<'a>(
    rental: &Rental,
    of_locker: impl IntoIterator<Item = &'a Rental>,
) -> Option<RentalId> {
    let next = |other: &&Rental| other.state == RentalState::Active && follows(rental, other);
    let active = rental.state == RentalState::Active;
    of_locker.into_iter().find(next).filter(|_| active).map(|other| other.id)
}

/// Whether `next` is of the same member and begins on the day after the last one of `rental`.
fn follows(rental: &Rental, next: &Rental) -> bool {
    let day_after = rental.dates.last().tomorrow().ok();
    next.member_id == rental.member_id && Some(next.dates.first()) == day_after
}

/// How many days after a last day another day is; 0 when it is not after it.
#[must_use]
pub fn late_days(last: Date, on: Date) -> u32 {
    let days = last.until(on).map_or(0, |span| span.get_days());
    u32::try_from(days).unwrap_or(0)
}

/// Checks a text that staff write down: 1 to `most` characters in one line, trimmed. An error names
/// `what`.
pub fn parse_line(text: &str, what: &str, most: usize) -> Result<String, String> {
    let text = text.trim();
    let ok = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if ok {
        Ok(text.to_owned())
    } else {
        Err(format!("{what} must be 1 to {most} characters in one line"))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::{LockerId, MemberId};
    use crate::domain::time::DateSpan;

    const NOW: Monotonic = Monotonic(5);

    fn rental(id: i64, member: i64, first: i8, last: i8) -> Rental {
        Rental {
            id: RentalId(id),
            locker_id: LockerId(101),
            member_id: MemberId(member),
            term_id: None,
            dates: DateSpan::new(date(2026, 9, first), date(2026, 9, last)).expect("in order"),
            opened: true,
            extensions: 0,
            hold_extended: false,
            sealed: false,
            state: RentalState::Active,
        }
    }

    #[test]
    fn only_who_was_not_returned_and_is_past_the_last_day_is_late() {
        let mine = rental(1, 1, 1, 10);
        let on = |rental: &Rental, day| past_end(rental, [rental], date(2026, 9, day), NOW);
        assert_eq!((on(&mine, 10), on(&mine, 11)), (None, Some(PastEnd::Late)));
        let returned = mine.release(MemberId(1), Monotonic(1), None).expect("active");
        assert_eq!(on(&returned, 11), None, "returned in time and waiting for its door");
        let held = Rental { state: RentalState::Held { until: Monotonic(9) }, ..mine };
        assert_eq!(on(&held, 11), None);
    }

    #[test]
    fn who_rents_on_or_never_had_the_locker_is_not_late() {
        let today = date(2026, 9, 11);
        let mine = rental(1, 1, 5, 10);
        let next = rental(2, 1, 11, 20);
        let is = |mine: &Rental, other: &Rental| past_end(mine, [mine, other], today, NOW);
        assert_eq!(is(&mine, &next), Some(PastEnd::Continued(RentalId(2))));
        assert_eq!(continued_by(&mine, [&mine, &next]), Some(RentalId(2)), "before the end, too");
        assert_eq!(continued_by(&next, [&mine, &next]), None);
        let later = rental(2, 1, 12, 20);
        assert_eq!(is(&mine, &later), Some(PastEnd::Late), "a day between");
        let others = rental(2, 2, 11, 20);
        assert_eq!(is(&mine, &others), Some(PastEnd::Late));
        let before = rental(3, 2, 1, 4);
        assert_eq!(is(&mine, &before), Some(PastEnd::Late), "was opened");
        let mine = Rental { opened: false, ..mine };
        assert_eq!(is(&mine, &before), Some(PastEnd::NeverHad));
        assert_eq!(is(&before, &mine), Some(PastEnd::Late));
    }

    #[test]
    fn who_holds_the_locker_for_the_days_behind_is_not_late_while_the_hold_lives() {
        let mine = rental(1, 1, 1, 10);
        let held = |member, first, until| {
            let state = RentalState::Held { until: Monotonic(until) };
            Rental { state, ..rental(2, member, first, 20) }
        };
        let late = Some(PastEnd::Late);
        for (other, is) in [
            (held(1, 11, 6), None),
            (held(1, 11, 5), late),
            (held(1, 12, 6), late),
            (held(2, 11, 6), late),
        ] {
            assert_eq!(past_end(&mine, [&mine, &other], date(2026, 9, 11), NOW), is, "{other:?}");
            assert_eq!(continued_by(&mine, [&mine, &other]), None, "nothing is confirmed");
        }
    }

    #[test]
    fn late_days_count_from_the_day_after_the_last() {
        let last = date(2024, 2, 28);
        for (on, days) in [(last, 0), (date(2024, 2, 29), 1), (date(2024, 3, 1), 2)] {
            assert_eq!(late_days(last, on), days);
        }
        assert_eq!(late_days(last, date(2024, 1, 1)), 0);
        assert_eq!(late_days(last, date(2025, 2, 28)), 366);
    }

    #[test]
    fn a_text_is_one_line_of_some_length() {
        assert_eq!(parse_line("  파란 가방 ", "description", 5), Ok("파란 가방".to_owned()));
        for bad in ["", "  ", "a\nb", "여섯 글자임"] {
            let error = parse_line(bad, "description", 5).expect_err(bad);
            assert!(error.starts_with("description must be 1 to 5"), "{error}");
        }
    }

    proptest! {
        /// Whatever is tried in whatever order: a closed case stays closed, the chain is never walked
        /// backwards but for a lifted seal, and things are handed back only after they were collected.
        #[test]
        fn a_case_goes_one_way(steps in prop::collection::vec(0..CaseStep::ALL.len(), 0..20)) {
            let (mut state, mut collected) = (CaseState::Detected, false);
            for step in steps.into_iter().map(|index| CaseStep::ALL[index]) {
                let Some(taken) = state.after(step) else { continue };
                prop_assert!(state.is_open());
                prop_assert!(taken.to > state || step == CaseStep::Unseal);
                collected |= taken.to == CaseState::Collected;
                prop_assert_eq!(collected, matches!(taken.to, CaseState::Collected | CaseState::HandedBack)
                    || (collected && taken.to == CaseState::Dropped));
                state = taken.to;
            }
        }
    }

    #[test]
    fn every_step_and_state_stands_in_the_table_and_each_edge_once() {
        for state in CaseState::ALL {
            let named = |it: &&Transition| it.from == state || it.to == state;
            assert!(TRANSITIONS.iter().any(|it| named(&it)), "{state:?}");
            assert_eq!(CaseState::from_name(state.name()), Some(state));
        }
        for (index, one) in TRANSITIONS.iter().enumerate() {
            let twice = |it: &Transition| it.from == one.from && it.step == one.step;
            assert!(!TRANSITIONS[index + 1..].iter().any(twice), "{one:?}");
        }
        assert!(CaseStep::ALL.iter().all(|step| TRANSITIONS.iter().any(|it| it.step == *step)));
    }
}
