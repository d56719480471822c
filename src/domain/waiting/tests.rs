//! The line against a list on paper, whatever people do and lockers get free.

use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::bank::{BankPolicy, Mode};
use crate::domain::id::LocationId;
use crate::domain::name::Name;
use crate::domain::options::Options;
use crate::domain::term::TermScope;
use crate::domain::time::DateSpan;

fn waiter(id: i64, offer: Option<i64>) -> Waiter {
    Waiter {
        id: WaitingId(id),
        bank_id: BankId(1),
        term_id: TermId(1),
        member_id: MemberId(id + 100),
        since: Timestamp::UNIX_EPOCH,
        offer: offer.map(RentalId),
    }
}

fn bank(waiting_list: bool) -> Bank {
    let options = Options { waiting_list, ..Options::default() };
    Bank {
        id: BankId(1),
        location_id: LocationId(7),
        name: Name::parse("가", None).expect("valid"),
        mode: Mode::Choose,
        policy: BankPolicy { options, ..BankPolicy::default() },
        maintenance: None,
    }
}

fn term(id: i64, window_s: (i64, i64), last: Date) -> Term {
    let at = |second| Timestamp::from_second(second).expect("in range");
    Term {
        id: TermId(id),
        name: Name::parse("학기", None).expect("valid"),
        opens_at: at(window_s.0),
        closes_at: at(window_s.1),
        dates: DateSpan::new(date(2026, 3, 2), last).expect("in order"),
        scope: TermScope::Site,
    }
}

#[test]
fn one_waits_for_the_open_term_and_then_for_the_running_one() {
    let (june, july) = (date(2026, 6, 19), date(2026, 7, 31));
    let terms = [term(1, (100, 200), june), term(2, (500, 600), july)];
    let at = |second, today| {
        let now = Timestamp::from_second(second).expect("in range");
        term_to_wait_for(&terms, &bank(true), now, today).map(|term| term.id.0)
    };
    assert_eq!(at(99, june), None, "no window was open yet");
    assert_eq!(at(100, june), Some(1));
    assert_eq!(at(300, june), Some(1), "its days go on");
    assert_eq!(at(300, date(2026, 6, 20)), None, "its last day is over");
    assert_eq!(at(550, june), Some(2));
    assert_eq!(at(700, june), Some(2));
    assert_eq!(at(700, date(2026, 8, 1)), None);
    let other = Bank { id: BankId(2), ..bank(true) };
    let of_bank = Term { scope: TermScope::Bank(BankId(1)), ..term(1, (100, 200), june) };
    let now = Timestamp::from_second(150).expect("in range");
    assert_eq!(term_to_wait_for(&[of_bank], &other, now, june), None);
}

#[test]
fn who_waits_in_vain_is_told_why() {
    let (bank, term) = (bank(true), term(1, (100, 200), date(2026, 6, 19)));
    let wish = Wish {
        bank: Some(&bank),
        term: Some(&term),
        leaving: false,
        has_locker: false,
        today: date(2026, 6, 19),
    };
    assert_eq!(in_vain(&wish), None);
    let over = Wish { today: date(2026, 6, 20), ..wish };
    assert_eq!(in_vain(&over), Some(WaitingEnd::TermOver));
    assert_eq!(in_vain(&Wish { has_locker: true, ..over }), Some(WaitingEnd::HasLocker));
    assert_eq!(in_vain(&Wish { leaving: true, ..wish }), Some(WaitingEnd::MemberLeft));
    assert_eq!(in_vain(&Wish { bank: None, ..wish }), Some(WaitingEnd::ListClosed));
    assert_eq!(in_vain(&Wish { term: None, ..wish }), Some(WaitingEnd::ListClosed));
    let off = self::bank(false);
    assert_eq!(in_vain(&Wish { bank: Some(&off), ..wish }), Some(WaitingEnd::ListClosed));
    let elsewhere = Term { scope: TermScope::Bank(BankId(9)), ..term.clone() };
    assert_eq!(in_vain(&Wish { term: Some(&elsewhere), ..wish }), Some(WaitingEnd::ListClosed));
    for reason in WaitingEnd::ALL {
        assert_eq!(serde_json::to_value(reason).expect("JSON"), reason.name());
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Join,
    /// The n-th in the line holds something elsewhere, or does not any more.
    Busy(usize),
    Leave(usize),
    /// The n-th offer is confirmed, or is over.
    Confirm(usize),
    Over(usize),
    /// A locker that somebody has gets free.
    Free(usize),
    /// What the job does.
    Offer,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Join),
        1 => (0_usize..9).prop_map(Step::Busy),
        1 => (0_usize..9).prop_map(Step::Leave),
        1 => (0_usize..4).prop_map(Step::Confirm),
        1 => (0_usize..4).prop_map(Step::Over),
        2 => (0_usize..9).prop_map(Step::Free),
        3 => Just(Step::Offer),
    ]
}

const LOCKERS: i64 = 5;

/// A bank on paper: who waits, who cannot take anything for now, and what became of each locker.
#[derive(Default)]
struct Paper {
    line: Vec<Waiter>,
    busy: Vec<WaitingId>,
    joined: i64,
    /// Lockers that somebody rents.
    rented: Vec<LockerId>,
    /// Offers that stand, by locker.
    offered: BTreeMap<LockerId, WaitingId>,
}

impl Paper {
    fn free(&self) -> Vec<LockerId> {
        let taken = |id: &LockerId| self.rented.contains(id) || self.offered.contains_key(id);
        (1..=LOCKERS).map(LockerId).filter(|id| !taken(id)).collect()
    }

    fn nth_offer(&self, n: usize) -> Option<(LockerId, WaitingId)> {
        self.offered.iter().nth(n).map(|(locker, waiter)| (*locker, *waiter))
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Join => {
                self.joined += 1;
                self.line.push(waiter(self.joined, None));
            }
            Step::Busy(n) => {
                let Some(id) = self.line.get(n).map(|it| it.id) else { return };
                match self.busy.iter().position(|known| *known == id) {
                    Some(at) => drop(self.busy.remove(at)),
                    None => self.busy.push(id),
                }
            }
            Step::Leave(n) => {
                let id = self.line.get(n).filter(|it| it.offer.is_none()).map(|it| it.id);
                self.line.retain(|it| Some(it.id) != id);
            }
            Step::Confirm(n) | Step::Over(n) => {
                let Some((locker, id)) = self.nth_offer(n) else { return };
                self.offered.remove(&locker);
                self.line.retain(|it| it.id != id);
                if matches!(step, Step::Confirm(_)) {
                    self.rented.push(locker);
                }
            }
            Step::Free(n) if n < self.rented.len() => drop(self.rented.remove(n)),
            Step::Free(_) | Step::Offer => {}
        }
    }
}

proptest! {
    #[test]
    fn the_line_keeps_its_order_and_no_locker_is_offered_twice(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut paper = Paper { rented: (1..=LOCKERS).map(LockerId).collect(), ..Paper::default() };
        for step in steps {
            paper.take(step);
            if !matches!(step, Step::Offer) {
                continue;
            }
            let (free, busy) = (paper.free(), paper.busy.clone());
            let can_take = |it: &Waiter| !busy.contains(&it.id);
            let made = offers(&paper.line, can_take, free.iter().copied());
            let able: Vec<WaitingId> = paper
                .line
                .iter()
                .filter(|it| it.offer.is_none() && can_take(it))
                .map(|it| it.id)
                .collect();
            // As many as there are lockers or people, the first of the line, in its order.
            prop_assert_eq!(made.len(), free.len().min(able.len()));
            let ids: Vec<WaitingId> = made.iter().map(|(it, _)| it.id).collect();
            prop_assert_eq!(&ids[..], &able[..made.len()], "somebody was overtaken");
            for (waiter, locker) in made {
                prop_assert!(free.contains(&locker), "{locker} is somebody's");
                let before = paper.offered.insert(locker, waiter.id);
                prop_assert_eq!(before, None, "{} was offered twice", locker);
                let kept = paper.line.iter_mut().find(|it| it.id == waiter.id).expect("in line");
                *kept = kept.offered(Some(RentalId(locker.0)));
            }
            let mut holders: Vec<_> = paper.offered.values().collect();
            holders.sort_unstable();
            holders.dedup();
            prop_assert_eq!(holders.len(), paper.offered.len(), "one offer each");
            // Nothing more is to be done: asked again, the same line gives nothing.
            let again = offers(&paper.line, |it| !busy.contains(&it.id), paper.free());
            prop_assert!(again.is_empty());
        }
    }
}
