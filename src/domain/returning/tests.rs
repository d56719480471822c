//! The rule of product.md §1 against a history of everything that happened at one locker, and
//! each of its sentences by itself.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::id::{LockerId, MemberId, RentalId, TermId};
use crate::domain::rental::EndReason;
use crate::domain::time::DateSpan;

const OWNER: MemberId = MemberId(1);
const MINUTE_MS: u64 = 60_000;

fn active(opened: bool) -> Rental {
    Rental {
        id: RentalId(1),
        locker_id: LockerId(101),
        member_id: OWNER,
        term_id: Some(TermId(1)),
        dates: DateSpan::new(date(2026, 9, 1), date(2026, 12, 20)).expect("in order"),
        opened,
        extensions: 0,
        hold_extended: false,
        sealed: false,
        state: RentalState::Active,
    }
}

fn returned(opened: bool) -> Rental {
    active(opened).release(OWNER, Monotonic(1_000), None).expect("active")
}

fn policy(grace_minutes: u32, unseen: Unseen) -> ReturnPolicy {
    ReturnPolicy { grace_minutes, unseen, by_door: false }
}

fn sees(state: DoorState, read_at: u64) -> Sight {
    let door = Some(DoorSight { state, read_at: Some(Monotonic(read_at)) });
    Sight { under_way: false, door }
}

const BLIND: Sight = Sight { under_way: false, door: None };

/// Looks, and says what is to be done.
fn judge(rental: &mut Rental, sight: &Sight, policy: ReturnPolicy, now: u64) -> Verdict {
    *rental = looked(*rental, sight, Monotonic(now));
    verdict(rental, sight, policy, false, Monotonic(now)).expect("it is returned")
}

#[test]
fn never_opened_and_closed_is_free_at_once() {
    let closed = sees(DoorState::Closed, 900);
    assert_eq!(
        judge(&mut returned(false), &closed, policy(10, Unseen::Renter), 1_000),
        Verdict::Free
    );
    // A door that nobody can see just now is waited for, and so is one that stands open: it was
    // opened after all, and then there is grace.
    let mut rental = returned(false);
    let ten = policy(10, Unseen::Renter);
    assert_eq!(judge(&mut rental, &sees(DoorState::Unknown, 0), ten, 1_000), Verdict::WaitsForDoor);
    assert_eq!(
        judge(&mut rental, &sees(DoorState::Open, 1_100), ten, 1_200),
        Verdict::WaitsForDoor
    );
    let free_at = Verdict::FreeAt(Monotonic(2_000 + 10 * MINUTE_MS));
    assert_eq!(judge(&mut rental, &sees(DoorState::Closed, 1_900), ten, 2_000), free_at);
}

#[test]
fn the_grace_begins_when_the_door_is_seen_closed_and_anew_with_each_opening() {
    let (mut rental, two) = (returned(true), policy(2, Unseen::Renter));
    let free_at = |ms: u64| Verdict::FreeAt(Monotonic(ms));
    let closed = |read_at| sees(DoorState::Closed, read_at);
    assert_eq!(judge(&mut rental, &closed(900), two, 1_000), free_at(121_000));
    // Known once, known: an outage of the bus changes nothing.
    assert_eq!(judge(&mut rental, &sees(DoorState::Unknown, 900), two, 50_000), free_at(121_000));
    rental = moved(rental, Monotonic(100_000));
    // What was read before the lock moved says nothing.
    assert_eq!(judge(&mut rental, &closed(100_000), two, 100_050), Verdict::WaitsForDoor);
    assert_eq!(judge(&mut rental, &closed(100_100), two, 100_200), free_at(220_200));
    assert_eq!(judge(&mut rental, &closed(220_100), two, 220_199), free_at(220_200));
    assert_eq!(judge(&mut rental, &closed(220_100), two, 220_200), Verdict::Free);
}

#[test]
fn without_sensors_it_is_the_renters_word_or_that_of_staff() {
    let renters = policy(1, Unseen::Renter);
    let mut rental = returned(true);
    assert_eq!(judge(&mut rental, &BLIND, renters, 5_000), Verdict::WaitsForConfirmation);
    rental = emptied(rental, Monotonic(6_000));
    assert_eq!(judge(&mut rental, &BLIND, renters, 6_000), Verdict::FreeAt(Monotonic(66_000)));
    assert_eq!(emptied(rental, Monotonic(9_000)), rental, "said twice is said once");
    assert_eq!(judge(&mut rental, &BLIND, renters, 66_000), Verdict::Free);
    // Whoever opens it again must say it again.
    rental = moved(rental, Monotonic(60_000));
    assert_eq!(judge(&mut rental, &BLIND, renters, 61_000), Verdict::WaitsForConfirmation);

    let staffs = policy(0, Unseen::Staff);
    rental = emptied(returned(false), Monotonic(1_000));
    assert_eq!(judge(&mut rental, &BLIND, staffs, 9_000_000), Verdict::WaitsForStaff);
    assert_eq!(
        judge(&mut emptied(returned(false), Monotonic(2)), &BLIND, renters, 1_000),
        Verdict::Free
    );
}

#[test]
fn an_opening_under_way_outweighs_every_word() {
    let ten = policy(10, Unseen::Staff);
    for sight in [BLIND, sees(DoorState::Open, 1), sees(DoorState::Unknown, 1)] {
        let said = |under_way| {
            verdict(&returned(true), &Sight { under_way, ..sight }, ten, true, Monotonic(1_000))
        };
        assert_eq!(said(false), Some(Verdict::Free));
        assert_eq!(said(true), Some(Verdict::WaitsForDoor));
    }
    assert_eq!(verdict(&active(true), &BLIND, ten, true, Monotonic(0)), None);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    let mistakes = |minutes| {
        let mut found = Vec::new();
        policy(minutes, Unseen::Staff).check(&mut |mistake| found.push(mistake.text));
        found
    };
    assert!(mistakes(GRACE_MINUTES_MAX).is_empty());
    assert!(mistakes(GRACE_MINUTES_MAX + 1)[0].contains("grace_minutes is 1441"));
    for unseen in Unseen::ALL {
        assert_eq!(Unseen::from_name(unseen.name()), Some(unseen));
    }
}

/// Something that happens at a returned locker.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// The former renter opens it; the outcome comes later.
    Open,
    /// The outcome of the opening.
    Decided,
    /// Somebody moves the door, with or without us.
    Door(DoorState),
    /// The board is read.
    Read,
    /// The renter says that it is empty.
    Emptied,
    /// The rule is asked.
    Ask,
}

fn event() -> impl Strategy<Value = Event> {
    let door =
        prop_oneof![Just(DoorState::Open), Just(DoorState::Closed), Just(DoorState::Unknown)];
    prop_oneof![
        1 => Just(Event::Open),
        2 => Just(Event::Decided),
        2 => door.prop_map(Event::Door),
        4 => Just(Event::Read),
        1 => Just(Event::Emptied),
        6 => Just(Event::Ask),
    ]
}

/// The world with its whole history: what a person with a notebook would know.
#[derive(Debug, Default)]
struct Notebook {
    now: u64,
    under_way: bool,
    /// As it stands, and as it was last read with when.
    door: Option<DoorState>,
    read: Option<(DoorState, u64)>,
    /// Times of openings, of their outcomes, and of looks that showed the door open.
    stirred: Vec<u64>,
    /// Times at which the rule was asked while the last read was a closed door, with that read's.
    closed_looks: Vec<(u64, u64)>,
    emptied: Vec<u64>,
}

impl Notebook {
    /// Whether the locker may be given away, from the whole history.
    fn is_free(&self, opened_before: bool, sensors: bool, policy: ReturnPolicy) -> bool {
        if self.under_way {
            return false;
        }
        let stirred = self.stirred.iter().copied().max();
        let grace = if opened_before || stirred.is_some() { policy.grace().as_millis() } else { 0 };
        let passed = |since: u64| u128::from(self.now - since) >= grace;
        if sensors {
            // The first look since the last stir that showed a door read closed after it.
            let later = |(at, read): &&(u64, u64)| {
                stirred.is_none_or(|stirred| *read > stirred && *at > stirred)
            };
            self.closed_looks.iter().find(later).is_some_and(|(at, _)| passed(*at))
        } else {
            let later = |at: &&u64| stirred.is_none_or(|stirred| **at > stirred);
            policy.unseen == Unseen::Renter
                && self.emptied.iter().find(later).is_some_and(|at| passed(*at))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Step by step the rule says exactly what the whole history says.
    #[test]
    fn agrees_with_the_notebook(
        opened_before: bool,
        sensors: bool,
        staff_only: bool,
        grace_minutes in 0_u32..3,
        events in prop::collection::vec((event(), 1_u64..90_000), 1..40),
    ) {
        let unseen = if staff_only { Unseen::Staff } else { Unseen::Renter };
        let policy = policy(grace_minutes, unseen);
        let mut book = Notebook { now: 1_000, door: Some(DoorState::Closed), ..Notebook::default() };
        let mut rental = returned(opened_before);
        for (event, wait) in events {
            book.now += wait;
            let now = Monotonic(book.now);
            match event {
                Event::Open => {
                    rental = moved(rental, now);
                    book.under_way = true;
                    book.stirred.push(book.now);
                }
                Event::Decided if book.under_way => {
                    rental = moved(rental, now);
                    book.under_way = false;
                    book.stirred.push(book.now);
                }
                Event::Decided => {}
                Event::Door(state) => book.door = Some(state),
                Event::Read => book.read = book.door.map(|state| (state, book.now)),
                Event::Emptied => {
                    rental = emptied(rental, now);
                    book.emptied.push(book.now);
                }
                Event::Ask => {
                    let (state, read_at) = book.read.unwrap_or((DoorState::Unknown, 0));
                    let door = DoorSight { state, read_at: Some(Monotonic(read_at)) };
                    let sight = Sight { under_way: book.under_way, door: sensors.then_some(door) };
                    match state {
                        // Only what the look showed counts from then on, not when it was read.
                        DoorState::Open if sensors => book.stirred.push(book.now.min(read_at)),
                        DoorState::Closed if !book.under_way => {
                            book.closed_looks.push((book.now, read_at));
                        }
                        _ => {}
                    }
                    if state == DoorState::Open {
                        book.closed_looks.clear();
                    }
                    let verdict = judge(&mut rental, &sight, policy, book.now);
                    let free = book.is_free(opened_before, sensors, policy);
                    prop_assert_eq!(verdict == Verdict::Free, free, "{:?} {:?}", verdict, book);
                    if let Verdict::FreeAt(at) = verdict {
                        prop_assert!(at > now && !book.under_way);
                    }
                    if free {
                        let over = rental.freed().expect("returned");
                        prop_assert_eq!(over.state, RentalState::Ended(EndReason::Returned));
                        return Ok(());
                    }
                }
            }
        }
    }
}
