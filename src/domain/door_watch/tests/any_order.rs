//! All rules of the door watch at once, against any order of events.

use std::collections::{BTreeSet, HashMap};

use DoorState::{Closed, Open, Unknown};
use proptest::prelude::*;

use super::*;

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
enum Event {
    Pass(u64),
    Set(i64, DoorState),
    Edges(i64, u64),
    Begin(i64),
    Sent(i64),
    End(i64, Outcome),
    Link(Link),
    Offline(bool),
    Maintenance(bool),
    Key(i64),
}

fn event() -> impl Strategy<Value = Event> {
    let number = || 101_i64..=106;
    let state = prop_oneof![3 => Just(Closed), 3 => Just(Open), 1 => Just(Unknown)];
    let link = prop_oneof![Just(Link::Online), Just(Link::Silent), Just(Link::Unknown)];
    prop_oneof![
        4 => prop_oneof![Just(200_u64), Just(1_000), Just(6_000), Just(31_000), Just(200_000)]
            .prop_map(Event::Pass),
        8 => (number(), state).prop_map(|(number, state)| Event::Set(number, state)),
        1 => (number(), 1_u64..9).prop_map(|(number, more)| Event::Edges(number, more)),
        3 => number().prop_map(Event::Begin),
        3 => number().prop_map(Event::Sent),
        3 => (number(), prop::sample::select(&Outcome::ALL[..]))
            .prop_map(|(number, outcome)| Event::End(number, outcome)),
        1 => link.prop_map(Event::Link),
        1 => any::<bool>().prop_map(Event::Offline),
        1 => any::<bool>().prop_map(Event::Maintenance),
        1 => number().prop_map(Event::Key),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever happens: raised once, cleared when live only, never without what it rests on.
    #[test]
    fn no_alarm_without_evidence_and_none_twice(events in prop::collection::vec(event(), 1..120)) {
        let mut bench = Bench::blind();
        let mut live: BTreeSet<String> = BTreeSet::new();
        let mut shown: HashMap<i64, (DoorState, bool)> = HashMap::new();
        let mut under_way: BTreeSet<i64> = BTreeSet::new();
        let mut opening = 0;
        for event in events {
            match event {
                Event::Pass(ms) => { bench.after(ms); }
                Event::Set(number, state) => { bench.after(1).set(number, state); }
                Event::Edges(number, more) => { bench.edges(number, more); }
                Event::Begin(number) => {
                    opening += 1;
                    under_way.insert(number);
                    bench.begin(number, opening);
                }
                Event::Sent(number) if under_way.contains(&number) => bench.sent(number),
                Event::Sent(_) => {}
                Event::End(number, outcome) => {
                    if under_way.remove(&number) {
                        bench.watch.opening_ended(LockerId(number), id(opening), outcome, bench.now);
                    }
                }
                Event::Link(link) => bench.link = (link, bench.now),
                Event::Offline(away) => bench.offline = away.then_some(bench.now),
                Event::Maintenance(on) => {
                    for door in &mut bench.doors { door.maintenance = on; }
                }
                Event::Key(number) => bench.watch.mechanical_key(LockerId(number), bench.now),
            }
            let maintenance = bench.doors[0].maintenance;
            for decision in bench.decide() {
                let name = format!("{} {}", decision.kind, decision.subject);
                match &decision.what {
                    What::Raise { evidence, count } => {
                        prop_assert!(live.insert(name.clone()), "{} twice", name);
                        prop_assert!(*count >= 1);
                        let number = decision.subject.locker().map(|id| id.0);
                        prop_assert!(number.is_none() || !maintenance, "{} in maintenance", name);
                        check(evidence, number, &bench, &shown, &under_way)?;
                    }
                    What::Update { .. } | What::Escalate => prop_assert!(live.contains(&name)),
                    What::Clear(_) => prop_assert!(live.remove(&name), "{} was not live", name),
                }
            }
            for door in &bench.doors {
                let seen = shown.entry(door.locker_id.0).or_insert((Unknown, false));
                *seen = (door.state, seen.1 || door.state == Closed);
            }
        }
        // Nothing is watched any more: nothing stays live.
        bench.watch.observe(&[], bench.now);
        for decision in bench.watch.take_decisions() {
            live.remove(&format!("{} {}", decision.kind, decision.subject));
        }
        prop_assert!(live.is_empty(), "{:?}", live);
    }
}

/// What an alarm rests on was really shown, and nothing excused it.
fn check(
    evidence: &Evidence<Moment>,
    number: Option<i64>,
    bench: &Bench,
    shown: &HashMap<i64, (DoorState, bool)>,
    under_way: &BTreeSet<i64>,
) -> Result<(), TestCaseError> {
    let before = number.and_then(|number| shown.get(&number)).copied();
    let state = number.map(|number| {
        bench.doors.iter().find(|door| door.locker_id.0 == number).expect("there").state
    });
    match evidence {
        Evidence::DoorOpened { last_seen_closed, seen_open, .. } => {
            prop_assert_eq!((before.map(|it| it.0), state), (Some(Closed), Some(Open)));
            prop_assert!(!number.is_some_and(|number| under_way.contains(&number)), "excused");
            let (Moment::At(closed), Moment::At(open)) = (last_seen_closed, seen_open) else {
                panic!("this run's own")
            };
            prop_assert!(closed <= open);
        }
        Evidence::FoundOpen { .. } => {
            prop_assert_eq!((before, state), (Some((Unknown, true)), Some(Open)));
            prop_assert!(!number.is_some_and(|number| under_way.contains(&number)), "excused");
        }
        Evidence::StandsOpen { open_since: Moment::At(since), limit_ms } => {
            prop_assert_eq!(state, Some(Open));
            prop_assert!(since.ms_until(bench.now) >= *limit_ms);
        }
        Evidence::DoorDidNotMove { openings } => prop_assert!(openings.len() >= 2),
        Evidence::Chatter { edges, .. } => prop_assert!(*edges >= 6),
        Evidence::OpenedTogether { lockers, .. } => prop_assert!(lockers.len() >= 3),
        Evidence::NoAnswer { since: Moment::At(since), .. } => {
            prop_assert!(since.ms_until(bench.now) >= 5_000);
        }
        other => panic!("{other:?}"),
    }
    Ok(())
}
