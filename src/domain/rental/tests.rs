//! The rental against a simple model: a handful of flags that anybody can check by eye.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::returning::moved;

const OWNER: MemberId = MemberId(1);
const UNTIL: u64 = 50;
const HOLD: Duration = Duration::from_millis(30);

fn held() -> Rental {
    Rental {
        id: RentalId(1),
        locker_id: LockerId(101),
        member_id: OWNER,
        term_id: Some(TermId(1)),
        dates: DateSpan::new(date(2026, 9, 1), date(2026, 12, 20)).expect("in order"),
        opened: false,
        extensions: 0,
        hold_extended: false,
        sealed: false,
        state: RentalState::Held { until: Monotonic(UNTIL) },
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Confirm,
    ExtendHold,
    ReleaseHold,
    Release,
    GiveUp,
    Replace,
    Open,
    Freed,
    Expire,
}

/// What a person with pencil and paper would keep of one rental.
#[derive(Debug, Default, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "four marks on a sheet of paper")]
struct Model {
    confirmed: bool,
    opened: bool,
    returned: bool,
    over: bool,
    /// Until when the hold lives, once it was extended.
    extended: Option<u64>,
}

impl Model {
    fn until(self) -> u64 {
        self.extended.unwrap_or(UNTIL)
    }

    /// Whether the step may be taken; takes it if so.
    fn take(&mut self, step: Step, mine: bool, now: u64) -> bool {
        let hold_alive = !self.confirmed && !self.over && now < self.until();
        let rented = self.confirmed && !self.returned && !self.over;
        match step {
            Step::Expire => {
                self.over |= !self.confirmed && now >= self.until();
                true
            }
            Step::Confirm if mine && hold_alive => {
                self.confirmed = true;
                true
            }
            Step::ExtendHold if mine && hold_alive && self.extended.is_none() => {
                self.extended = Some(UNTIL.max(now + 30));
                true
            }
            Step::ReleaseHold if mine && hold_alive => {
                self.over = true;
                true
            }
            Step::Release if mine && self.confirmed && !self.over => {
                self.returned = true;
                true
            }
            Step::GiveUp if mine && rented => {
                self.over = true;
                true
            }
            Step::Replace if mine && rented => {
                self.returned = self.opened;
                self.over = !self.opened;
                true
            }
            Step::Open => {
                self.opened = true;
                true
            }
            Step::Freed if self.returned && !self.over => {
                self.over = true;
                true
            }
            _ => false,
        }
    }

    fn live(self, now: u64) -> bool {
        !self.over && (self.confirmed || now < self.until())
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Confirm),
        Just(Step::ExtendHold),
        Just(Step::ReleaseHold),
        Just(Step::Release),
        Just(Step::GiveUp),
        Just(Step::Replace),
        Just(Step::Open),
        Just(Step::Freed),
        Just(Step::Expire)
    ]
}

proptest! {
    #[test]
    fn behaves_as_the_model(steps in prop::collection::vec((step(), any::<bool>(), 0_u64..20), 1..12)) {
        let (mut rental, mut model, mut now) = (held(), Model::default(), 0);
        for (step, mine, wait) in steps {
            now += wait;
            let (by, at) = (if mine { OWNER } else { MemberId(2) }, Monotonic(now));
            let next = match step {
                Step::Confirm => rental.confirm(by, at),
                Step::ExtendHold => rental.extend_hold(by, at, HOLD),
                Step::ReleaseHold => rental.release_hold(by, at),
                Step::Release => rental.release(by, at, None),
                Step::GiveUp => rental.give_up(by),
                Step::Replace => rental.replaced(by, at),
                Step::Open => Ok(moved(rental, at)),
                Step::Freed => rental.freed(),
                Step::Expire => Ok(rental.expire(at)),
            };
            prop_assert_eq!(next.is_ok(), model.take(step, mine, now), "{:?} at {}", step, now);
            rental = next.unwrap_or(rental);
            prop_assert_eq!(rental.is_live(at), model.live(now));
            prop_assert_eq!(rental.hold_extended, model.extended.is_some());
            prop_assert_eq!(rental.is_returned(), model.returned && !model.over);
            prop_assert_eq!(rental.binds_member(at), model.live(now) && !model.returned);
        }
    }
}

#[test]
fn each_refusal_has_its_reason() {
    let alive = Monotonic(UNTIL - 1);
    let late = Monotonic(UNTIL);
    let active = held().confirm(OWNER, alive).expect("alive");
    assert_eq!(held().confirm(MemberId(2), alive), Err(RentalError::NotMine));
    assert_eq!(held().confirm(OWNER, late), Err(RentalError::HoldExpired));
    assert_eq!(held().release_hold(OWNER, late), Err(RentalError::HoldExpired));
    let extend = |rental: Rental, at| rental.extend_hold(OWNER, at, HOLD);
    assert_eq!(extend(held(), late), Err(RentalError::HoldExpired));
    assert_eq!(held().extend_hold(MemberId(2), alive, HOLD), Err(RentalError::NotMine));
    let longer = extend(held(), alive).expect("alive");
    assert_eq!(longer.state, RentalState::Held { until: Monotonic(UNTIL - 1 + 30) });
    assert_eq!(extend(longer, late), Err(RentalError::HoldExtended), "once");
    let early = extend(held(), Monotonic(1)).expect("alive");
    assert_eq!(early.state, held().state, "never less than it had");
    assert_eq!(extend(active, alive), Err(RentalError::AlreadyActive));
    let release = |rental: Rental| rental.release(OWNER, alive, None);
    assert_eq!(release(held()), Err(RentalError::OnlyHeld));
    assert_eq!(held().give_up(OWNER), Err(RentalError::OnlyHeld));
    assert_eq!(held().replaced(OWNER, alive), Err(RentalError::OnlyHeld));
    assert_eq!(active.confirm(OWNER, alive), Err(RentalError::AlreadyActive));
    assert_eq!(active.release_hold(OWNER, alive), Err(RentalError::AlreadyActive));
    assert_eq!(active.freed(), Err(RentalError::NotReturned));
    let withdrawn = held().let_go(EndReason::EndedByStaff);
    assert_eq!(withdrawn.state, RentalState::Ended(EndReason::EndedByStaff));
    assert_eq!(active.let_go(EndReason::EndedByStaff), active);
    let returned = release(active).expect("mine");
    assert!(returned.is_returned() && returned.is_live(late));
    assert_eq!(release(returned), Ok(returned), "asking again changes nothing");
    assert_eq!(returned.confirm(OWNER, alive), Err(RentalError::Ended));
    assert_eq!(returned.replaced(OWNER, alive), Err(RentalError::Ended));
    let over = returned.freed().expect("returned");
    assert_eq!(over.state, RentalState::Ended(EndReason::Returned));
    assert_eq!(release(over), Err(RentalError::Ended));
    let replaced = active.replaced(OWNER, alive).expect("mine");
    assert_eq!(replaced.state, RentalState::Ended(EndReason::Replaced));
    let full = moved(active, alive).replaced(OWNER, late).expect("mine");
    assert!(full.is_returned(), "what was opened must be emptied first");
}

#[test]
fn a_claim_meets_what_shares_its_days_and_who_has_not_left() {
    let span = |from, to| DateSpan::new(date(2026, 9, from), date(2026, 9, to)).expect("in order");
    let now = Monotonic(0);
    let mine = |state| Rental { dates: span(5, 10), state, ..held() };
    let active = mine(RentalState::Active);
    let returned = active.release(OWNER, now, None).expect("mine");
    for rental in [active, returned] {
        assert!(rental.is_in_the_way(span(10, 12), now, date(2026, 9, 1)), "a common day");
        assert!(!rental.is_in_the_way(span(11, 12), now, date(2026, 9, 10)), "still to come");
        assert!(rental.is_in_the_way(span(11, 12), now, date(2026, 9, 11)), "has not left");
        assert!(!rental.is_in_the_way(span(1, 4), now, date(2026, 9, 4)), "has not begun");
        assert!(rental.occupies(date(2026, 9, 30)) && !rental.occupies(date(2026, 9, 4)));
    }
    let held = mine(RentalState::Held { until: Monotonic(9) });
    assert!(!held.is_in_the_way(span(11, 12), now, date(2026, 9, 11)), "a hold fills nothing");
    let over = returned.freed().expect("returned");
    assert!(!over.is_in_the_way(span(5, 10), now, date(2026, 9, 5)));
}
