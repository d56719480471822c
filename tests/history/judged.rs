//! The judge on trial: histories written by hand, legal ones and one of each wrong kind.

use super::checker::Micros;
use super::partition::{Part, judge, judge_part};
use super::record::{Answer, Call, Event, History, Restart};

const HOLD_US: Micros = 10_000_000;

fn history(events: &[Event]) -> History {
    History {
        hold_us: HOLD_US,
        lockers: vec![1, 2],
        members: 2,
        events: events.to_vec(),
        restarts: Vec::new(),
    }
}

/// An event from one millisecond to another.
fn event(member: i64, (began_ms, ended_ms): (u64, u64), call: Call, answer: Answer) -> Event {
    Event { member, call, answer, began: began_ms * 1_000, ended: ended_ms * 1_000 }
}

fn held(member: i64, at: (u64, u64), locker: i64) -> Event {
    event(member, at, Call::Hold(locker), Answer::Held { locker, left_ms: 10_000 })
}

fn confirmed(member: i64, at: (u64, u64), locker: i64) -> Event {
    event(member, at, Call::Confirm(locker), Answer::Confirmed)
}

fn given_up(member: i64, at: (u64, u64), locker: i64) -> Event {
    event(member, at, Call::GiveUp(locker), Answer::GivenUp)
}

fn returned(member: i64, at: (u64, u64), locker: i64) -> Event {
    event(member, at, Call::Return(locker), Answer::Returned { freed: true })
}

fn refused(member: i64, at: (u64, u64), call: Call, code: &str, locker: Option<i64>) -> Event {
    event(member, at, call, Answer::Refused { code: code.to_owned(), locker })
}

fn cut(member: i64, at: (u64, u64), call: Call) -> Event {
    event(member, at, call, Answer::Cut)
}

fn mine(member: i64, at: (u64, u64), locker: Option<(i64, &str)>) -> Event {
    let locker = locker.map(|(locker, state)| (locker, state.to_owned()));
    event(member, at, Call::Mine, Answer::Mine(locker))
}

fn list(at: (u64, u64), first: &str, second: &str) -> Event {
    let rows = vec![(1, first.to_owned()), (2, second.to_owned())];
    // Of a member who has nothing, so that only the lockers are looked at.
    event(3, at, Call::List, Answer::List { rows, mine: None })
}

#[track_caller]
fn legal(events: &[Event], restarts: &[(u64, u64)]) {
    let verdict = judge(&with_restarts(events, restarts));
    assert_eq!(verdict.map_err(|finding| finding.story), Ok(()));
}

/// Demands that this part finds it, and that it takes the last of the events to do so.
#[track_caller]
fn wrong(events: &[Event], restarts: &[(u64, u64)], part: Part) {
    let history = with_restarts(events, restarts);
    let finding = judge_part(&history, part).expect_err("this cannot have happened");
    assert!(judge(&history).is_err_and(|smallest| smallest.size <= finding.size));
    assert!(finding.story.contains(&part.to_string()), "{}", finding.story);
    legal(&events[..events.len() - 1], restarts);
}

fn with_restarts(events: &[Event], restarts: &[(u64, u64)]) -> History {
    let restart = |(began_ms, ended_ms): &(u64, u64)| Restart {
        began: began_ms * 1_000,
        ended: ended_ms * 1_000,
    };
    History { restarts: restarts.iter().map(restart).collect(), ..history(events) }
}

#[test]
fn a_life_of_a_locker_is_legal() {
    legal(
        &[
            held(1, (0, 5), 1),
            refused(2, (6, 9), Call::Hold(1), "locker_taken", None),
            list((10, 11), "held", "free"),
            confirmed(1, (12, 20), 1),
            mine(1, (21, 22), Some((1, "active"))),
            refused(1, (23, 24), Call::Hold(2), "already_renting", Some(1)),
            returned(1, (25, 30), 1),
            held(2, (26, 40), 1),
            refused(2, (41, 42), Call::Hold(2), "already_holding", Some(1)),
            given_up(2, (43, 50), 1),
            refused(2, (51, 52), Call::Confirm(1), "hold_expired", None),
            list((60, 61), "free", "free"),
        ],
        &[],
    );
}

#[test]
fn two_holds_of_one_locker_are_wrong() {
    let events = [held(1, (0, 9), 1), held(2, (1, 8), 1)];
    wrong(&events, &[], Part::Locker(1));
    // One after the other is as it should be.
    legal(&[held(1, (0, 9), 1), given_up(1, (2, 12), 1), held(2, (1, 11), 1)], &[]);
}

#[test]
fn two_lockers_of_one_member_are_wrong() {
    wrong(&[held(1, (0, 9), 1), held(1, (1, 8), 2)], &[], Part::Member(1));
    wrong(&[held(1, (0, 1), 1), confirmed(1, (2, 3), 1), held(1, (4, 5), 2)], &[], Part::Member(1));
}

#[test]
fn a_confirmation_that_is_lost_is_wrong() {
    let rented = [held(1, (0, 1), 1), confirmed(1, (2, 3), 1)];
    wrong(&[&rented[..], &[mine(1, (500, 501), None)]].concat(), &[(100, 400)], Part::Member(1));
    let seen = list((500, 501), "free", "free");
    wrong(&[&rented[..], &[seen]].concat(), &[(100, 400)], Part::Locker(1));
    wrong(&[&rented[..], &[held(2, (500, 501), 1)]].concat(), &[(100, 400)], Part::Locker(1));
    // That of a hold is no better.
    let held_only = [held(1, (0, 1), 1)];
    wrong(&[&held_only[..], &[held(2, (500, 501), 1)]].concat(), &[(100, 400)], Part::Locker(1));
}

#[test]
fn what_was_given_up_or_given_back_does_not_return() {
    let given = [held(1, (0, 1), 1), given_up(1, (2, 3), 1)];
    wrong(
        &[&given[..], &[mine(1, (500, 501), Some((1, "held")))]].concat(),
        &[(100, 400)],
        Part::Member(1),
    );
    let back = [held(1, (0, 1), 1), confirmed(1, (2, 3), 1), returned(1, (4, 5), 1)];
    wrong(&[&back[..], &[returned(1, (6, 7), 1)]].concat(), &[], Part::Locker(1));
    wrong(&[&back[..], &[list((6, 7), "taken", "free")]].concat(), &[], Part::Locker(1));
}

#[test]
fn a_hold_that_is_confirmed_cannot_be_given_up_as_well() {
    let both = [held(1, (0, 1), 1), confirmed(1, (2, 9), 1), given_up(1, (3, 8), 1)];
    wrong(&both, &[], Part::Locker(1));
}

#[test]
fn a_hold_lives_to_its_deadline_and_not_longer() {
    let hold = held(1, (0, 5), 1);
    // Between the earliest and the latest deadline both is possible.
    for (at, early, late) in [((9_000, 9_990), true, false), ((10_010, 10_020), false, true)] {
        let dead = [hold.clone(), list(at, "free", "free")];
        let alive = [hold.clone(), list(at, "held", "free")];
        if early {
            wrong(&dead, &[], Part::Locker(1));
        } else {
            legal(&dead, &[]);
        }
        if late {
            wrong(&alive, &[], Part::Locker(1));
        } else {
            legal(&alive, &[]);
        }
    }
    legal(&[hold.clone(), list((9_990, 10_002), "free", "free")], &[]);
    legal(&[hold.clone(), confirmed(1, (9_999, 10_030), 1)], &[]);
    wrong(&[hold.clone(), confirmed(1, (10_008, 10_030), 1)], &[], Part::Locker(1));
    wrong(&[hold.clone(), held(2, (5_000, 5_001), 1)], &[], Part::Locker(1));
    legal(&[hold, held(2, (10_008, 10_009), 1)], &[]);
}

#[test]
fn a_dead_hold_stays_dead() {
    let hold = held(1, (0, 5), 1);
    let seen = list((10_010, 10_011), "free", "free");
    let again = list((10_020, 10_021), "held", "free");
    wrong(&[hold.clone(), seen.clone(), again], &[], Part::Locker(1));
    // A confirmation that was asked for in time may come through a moment after a reader saw the
    // deadline pass; one asked for later may not.
    let look = list((10_001, 10_003), "free", "free");
    legal(&[hold.clone(), confirmed(1, (9_998, 10_012), 1), look.clone()], &[]);
    let late = confirmed(1, (10_009, 10_012), 1);
    wrong(&[hold.clone(), seen.clone(), late], &[], Part::Locker(1));
    // What nobody has written down may have its time again after a restart, what somebody met not.
    let renewed = mine(1, (10_900, 10_901), Some((1, "held")));
    legal(&[hold.clone(), seen, renewed.clone()], &[(10_100, 10_800)]);
    let met = refused(1, (10_010, 10_011), Call::Confirm(1), "hold_expired", None);
    wrong(&[hold, met, renewed], &[(10_100, 10_800)], Part::Member(1));
}

#[test]
fn a_restart_gives_a_hold_its_full_time_again_and_never_less() {
    let hold = held(1, (0, 5), 1);
    let restart = [(5_000, 5_500)];
    legal(&[hold.clone(), list((14_000, 14_900), "held", "free")], &restart);
    wrong(&[hold.clone(), list((14_000, 14_900), "free", "free")], &restart, Part::Locker(1));
    legal(&[hold.clone(), list((15_600, 15_601), "free", "free")], &restart);
    wrong(&[hold, list((15_600, 15_601), "held", "free")], &restart, Part::Locker(1));
}

#[test]
fn a_new_hold_has_its_full_time_and_a_repeated_one_what_is_left() {
    let short = |at, left_ms| event(1, at, Call::Hold(1), Answer::Held { locker: 1, left_ms });
    legal(&[held(1, (0, 5), 1), short((4_000, 4_001), 6_002)], &[]);
    wrong(&[short((4_000, 4_001), 6_002)], &[], Part::Locker(1));
    // A repeated hold does not live longer for it.
    let repeated = [held(1, (0, 5), 1), short((4_000, 4_001), 6_002)];
    let seen = list((10_020, 10_021), "held", "free");
    wrong(&[&repeated[..], &[seen]].concat(), &[], Part::Locker(1));
}

#[test]
fn what_was_cut_off_happened_or_not_before_the_kill_and_never_half() {
    let restart = [(100, 400)];
    for call in [Call::Hold(1), Call::HoldAny] {
        let asked = cut(1, (0, 90), call);
        for (look, state) in [(None, "free"), (Some((1, "held")), "held")] {
            legal(
                &[asked.clone(), mine(1, (500, 501), look), list((502, 503), state, "free")],
                &restart,
            );
        }
        // It did not happen by the first look: it cannot happen later.
        let late = [mine(1, (500, 501), None), mine(1, (510, 511), Some((1, "held")))];
        wrong(&[&[asked][..], &late].concat(), &restart, Part::Member(1));
    }
    let (hold, confirm) = (held(1, (0, 5), 1), cut(1, (6, 90), Call::Confirm(1)));
    for state in ["held", "active"] {
        legal(&[hold.clone(), confirm.clone(), mine(1, (500, 501), Some((1, state)))], &restart);
    }
    wrong(&[hold, confirm, mine(1, (500, 501), None)], &restart, Part::Member(1));
}

#[test]
fn a_refusal_must_be_true() {
    let hold = held(1, (0, 5), 1);
    let refuse = |member, call, code: &str, locker| refused(member, (10, 11), call, code, locker);
    for (refusal, part) in [
        (refuse(2, Call::Hold(2), "locker_taken", None), Part::Locker(2)),
        (refuse(1, Call::Hold(1), "locker_taken", None), Part::Locker(1)),
        (refuse(2, Call::HoldAny, "no_free_locker", None), Part::Locker(2)),
        (refuse(2, Call::Hold(2), "already_holding", Some(1)), Part::Locker(1)),
        (refuse(1, Call::Confirm(1), "hold_expired", None), Part::Locker(1)),
        (refuse(1, Call::GiveUp(1), "hold_expired", None), Part::Locker(1)),
        (refuse(1, Call::Return(1), "not_your_locker", None), Part::Locker(1)),
        (refuse(1, Call::Hold(2), "already_renting", Some(1)), Part::Locker(1)),
        (refuse(2, Call::Return(1), "only_held", None), Part::Locker(1)),
    ] {
        wrong(&[hold.clone(), refusal], &[], part);
    }
    legal(&[hold.clone(), refuse(1, Call::Return(1), "only_held", None)], &[]);
    // A reason that is not known here says nothing of anybody.
    legal(&[hold, refuse(2, Call::Hold(2), "not_emptied", None)], &[]);
}

#[test]
fn one_that_waits_to_be_emptied_is_free_for_nobody_until_it_is() {
    let waiting = event(1, (4, 5), Call::Return(1), Answer::Returned { freed: false });
    let back = [held(1, (0, 1), 1), confirmed(1, (2, 3), 1), waiting];
    let taken = list((6, 7), "taken", "free");
    legal(&[&back[..], &[taken.clone(), held(1, (8, 9), 2)]].concat(), &[]);
    legal(&[&back[..], &[taken, held(2, (8, 9), 1)]].concat(), &[]);
    let free = list((6, 7), "free", "free");
    let again = list((8, 9), "taken", "free");
    wrong(&[&back[..], &[free, again]].concat(), &[], Part::Locker(1));
}

#[test]
fn the_smallest_finding_is_told_with_what_came_before() {
    let mut events = vec![held(1, (0, 9), 1), held(2, (1, 8), 1)];
    let busy = (10..40).map(|n| list((n * 10, n * 10 + 5), "held", "free"));
    events.extend(busy);
    events.extend([returned(2, (500, 501), 2)]);
    let finding = judge(&history(&events)).expect_err("two wrongs");
    assert!(finding.size <= 3, "{}", finding.story);
    for part in ["no order", "held with 2 (hold 1)", "0.000 ..", "9.000 ms"] {
        assert!(finding.story.contains(part), "{part}: {}", finding.story);
    }
}
