//! The rental against a simple model: a handful of flags that anybody can check by eye.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

const OWNER: MemberId = MemberId(1);
const UNTIL: u64 = 50;

fn held() -> Rental {
    Rental {
        id: RentalId(1),
        locker_id: LockerId(101),
        member_id: OWNER,
        term_id: TermId(1),
        dates: DateSpan::new(date(2026, 9, 1), date(2026, 12, 20)).expect("in order"),
        state: RentalState::Held { until: Monotonic(UNTIL) },
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Confirm,
    ReleaseHold,
    Release,
    Expire,
}

/// What a person with pencil and paper would keep of one rental.
#[derive(Debug, Default, Clone, Copy)]
struct Model {
    confirmed: bool,
    over: bool,
}

impl Model {
    /// Whether the step may be taken; takes it if so.
    fn take(&mut self, step: Step, mine: bool, now: u64) -> bool {
        let hold_alive = !self.confirmed && !self.over && now < UNTIL;
        match step {
            Step::Expire => {
                self.over |= !self.confirmed && now >= UNTIL;
                true
            }
            Step::Confirm if mine && hold_alive => {
                self.confirmed = true;
                true
            }
            Step::ReleaseHold if mine && hold_alive => {
                self.over = true;
                true
            }
            Step::Release if mine && self.confirmed && !self.over => {
                self.over = true;
                true
            }
            _ => false,
        }
    }

    fn live(self, now: u64) -> bool {
        !self.over && (self.confirmed || now < UNTIL)
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Confirm),
        Just(Step::ReleaseHold),
        Just(Step::Release),
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
                Step::ReleaseHold => rental.release_hold(by, at),
                Step::Release => rental.release(by),
                Step::Expire => Ok(rental.expire(at)),
            };
            prop_assert_eq!(next.is_ok(), model.take(step, mine, now), "{:?} at {}", step, now);
            rental = next.unwrap_or(rental);
            prop_assert_eq!(rental.is_live(at), model.live(now));
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
    assert_eq!(held().release(OWNER), Err(RentalError::OnlyHeld));
    assert_eq!(active.confirm(OWNER, alive), Err(RentalError::AlreadyActive));
    assert_eq!(active.release_hold(OWNER, alive), Err(RentalError::AlreadyActive));
    let over = active.release(OWNER).expect("mine");
    assert_eq!(over.state, RentalState::Ended(EndReason::Returned));
    assert_eq!(over.release(OWNER), Err(RentalError::Ended));
}
