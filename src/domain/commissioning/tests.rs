//! The proof of a board, alone: honest walls, crossed ones, and any order of events.

use proptest::prelude::*;

use super::*;

fn proof(locks: u8) -> Proof {
    let bus = BusName::parse("east").expect("valid");
    Proof::new((bus, 1), Family::ModbusRelay, locks, BTreeMap::new())
}

/// Inputs 1 to 8, those of `ones` being 1.
fn reading(ones: &[u8]) -> Reading {
    Reading {
        inputs: ones.iter().copied().collect(),
        known: (1..=8).collect(),
        ..Reading::default()
    }
}

/// Opens and closes the lock that is next; its input goes from `before` to `after` and back.
fn prove(proof: &mut Proof, number: i64, before: &[u8], after: &[u8]) {
    let at = proof.pulsed_at_ms.values().max().copied().unwrap_or(0) + REST_MS;
    proof.pulse(at).expect("its turn");
    proof.observe(&reading(before), &reading(after)).expect("its turn");
    proof.number(Some(LockerId(number))).expect("its turn");
    proof.closed(&reading(before)).expect("its turn");
}

#[test]
fn numbers_in_another_order_and_inverted_switches_are_derived() {
    let mut proof = proof(3);
    for (lock, number) in [(1, 103), (2, 101), (3, 102)] {
        prove(&mut proof, number, &[], &[lock]);
    }
    let found = proof.conclude();
    assert_eq!(proof.step(), Step::Done);
    assert!(found.sound, "{:?}", found.troubles());
    assert_eq!(found.closed_bit, Some(false));
    let wiring: Vec<_> = found.wiring.iter().map(|(lock, number)| (*lock, number.0)).collect();
    assert_eq!(wiring, [(1, 103), (2, 101), (3, 102)]);
}

#[test]
fn the_next_number_is_proposed_and_the_layouts_goes_first() {
    let bus = BusName::parse("east").expect("valid");
    let layout = BTreeMap::from([(3, LockerId(210))]);
    let mut proof = Proof::new((bus, 1), Family::ModbusRelay, 3, layout);
    let proposed = |proof: &mut Proof, lock: u8| {
        proof.pulse(0).expect("its turn");
        proof.observe(&reading(&[1, 2, 3]), &reading(&[4 - lock])).expect("its turn");
        let Step::Number { proposed, .. } = proof.step() else { return None };
        proof.repeat();
        proposed
    };
    assert_eq!(proposed(&mut proof, 1), None, "several inputs moved");
    assert_eq!(proof.last(), Some(&Verdict::SeveralMoved { sensors: vec![1, 2] }));
    assert_eq!(proof.step(), Step::Pulse { lock: 1 });
    prove(&mut proof, 101, &[1, 2, 3], &[2, 3]);
    proof.pulse(REST_MS).expect("its turn");
    proof.observe(&reading(&[1, 2, 3]), &reading(&[1, 3])).expect("its turn");
    assert_eq!(proof.step(), Step::Number { lock: 2, proposed: Some(LockerId(102)) });
    proof.skip();
    proof.pulse(REST_MS).expect("its turn");
    proof.observe(&reading(&[1, 2, 3]), &reading(&[1, 2])).expect("its turn");
    assert_eq!(proof.step(), Step::Number { lock: 3, proposed: Some(LockerId(210)) });
    proof.number(Some(LockerId(211))).expect("its turn");
    let other = Verdict::OtherDoor { number: LockerId(211), expected: LockerId(210) };
    assert_eq!(proof.last(), Some(&other));
}

#[test]
fn crossed_sensors_are_found_and_are_no_sound_board() {
    let mut proof = proof(2);
    prove(&mut proof, 101, &[1, 2], &[1]);
    assert_eq!(proof.last(), Some(&Verdict::Crossed { number: LockerId(101), sensor: 2 }));
    prove(&mut proof, 102, &[1, 2], &[2]);
    let found = proof.conclude();
    assert_eq!(found.crossed, BTreeMap::from([(1, 2), (2, 1)]));
    assert!(found.finished && !found.sound);
    assert!(found.troubles()[0].contains("wired to input 2"), "{:?}", found.troubles());
}

#[test]
fn each_mishap_has_its_verdict_and_a_next_step() {
    let mut proof = proof(3);
    let pulse = |proof: &mut Proof, at_ms: u64, after: &[u8]| {
        proof.pulse(at_ms).expect("its turn");
        proof.observe(&reading(&[1, 2, 3]), &reading(after)).expect("its turn");
    };
    pulse(&mut proof, 0, &[1, 2, 3]);
    proof.number(None).expect("its turn");
    assert_eq!(proof.last(), Some(&Verdict::NothingMoved));
    assert_eq!(proof.pulse(1_999), Err(ProofError::Resting(1)));
    pulse(&mut proof, 2_000, &[2, 3]);
    proof.number(None).expect("its turn");
    assert_eq!(proof.last(), Some(&Verdict::SensorWithoutDoor { sensor: 1 }));
    pulse(&mut proof, 4_000, &[2, 3]);
    proof.number(Some(LockerId(7))).expect("its turn");
    proof.closed(&reading(&[2, 3])).expect("its turn");
    assert_eq!(proof.last(), Some(&Verdict::NotClosed { sensor: 1 }));
    proof.closed(&reading(&[1, 2, 3])).expect("its turn");
    pulse(&mut proof, 6_000, &[2, 3]);
    assert_eq!(proof.last(), Some(&Verdict::SensorTaken { sensor: 1, lock: 1 }));
    pulse(&mut proof, 8_000, &[1, 3]);
    proof.number(Some(LockerId(7))).expect("its turn");
    assert_eq!(proof.last(), Some(&Verdict::NumberTaken { number: LockerId(7), lock: 1 }));
    assert!(matches!(proof.step(), Step::Number { lock: 2, .. }), "asked again");
    proof.skip();
    proof.pulse(10_000).expect("its turn");
    proof.pulse_failed("the board does not answer".to_owned()).expect("its turn");
    proof.skip();
    let found = proof.conclude();
    assert_eq!((found.wiring.len(), found.skipped.len(), found.sound), (1, 2, false));
    for result in proof.results().values() {
        if let LockResult::Skipped { why } = result {
            assert!(!why.as_ref().expect("told").next().is_empty());
        }
    }
    proof.revisit();
    assert_eq!(proof.step(), Step::Pulse { lock: 2 });
    assert_eq!(proof.conclude().wiring.len(), 1, "what is proven stays");
}

#[test]
fn a_door_without_a_sensor_is_proven_by_eye() {
    let mut proof = proof(1);
    let blind = Reading::default();
    proof.pulse(0).expect("its turn");
    proof.observe(&blind, &blind).expect("its turn");
    proof.number(Some(LockerId(5))).expect("its turn");
    proof.closed(&blind).expect("its turn");
    let found = proof.conclude();
    assert_eq!(found.closed_bit, None);
    assert!(found.sound, "a board without inputs is wired so: {:?}", found.troubles());
}

#[test]
fn the_lock_read_alone_tells_the_byte_order() {
    // 24 inputs; the lowest byte comes first, so that the usual reading has lock 1 at 17.
    let swapped = |ones: &[u8], one: bool| Reading {
        inputs: ones.iter().map(|lock| lock + 16).collect(),
        lowest_first: Some(ones.iter().copied().collect()),
        known: (1..=24).collect(),
        one: Some(one),
    };
    let mut proof = proof(2);
    proof.pulse(0).expect("its turn");
    proof.observe(&swapped(&[1, 2], true), &swapped(&[2], false)).expect("its turn");
    assert_eq!(proof.last(), Some(&Verdict::SensorMoved { sensor: 1 }));
    assert_eq!(proof.conclude().lowest_first, Some(true));
}

#[test]
fn it_goes_on_where_it_was_left() {
    let mut proof = proof(3);
    prove(&mut proof, 101, &[1, 2, 3], &[2, 3]);
    proof.pulse(9_000).expect("its turn");
    let kept = serde_json::to_string(&proof).expect("JSON");
    let back: Proof = serde_json::from_str(&kept).expect("what was written");
    let back = back.resumed();
    assert_eq!(back.step(), Step::Pulse { lock: 2 }, "nobody saw what the pulse moved");
    assert_eq!(back.conclude().wiring, BTreeMap::from([(1, LockerId(101))]));
}

#[derive(Debug, Clone)]
enum Event {
    Pulse(u64),
    Fail,
    Observe(u8, u8),
    Number(Option<i64>),
    Closed(u8),
    Repeat,
    Skip,
    Revisit,
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0_u64..1_500).prop_map(Event::Pulse),
        1 => Just(Event::Fail),
        4 => (0_u8..16, 0_u8..16).prop_map(|(before, after)| Event::Observe(before, after)),
        4 => proptest::option::of(100_i64..105).prop_map(Event::Number),
        4 => (0_u8..16).prop_map(Event::Closed),
        1 => Just(Event::Repeat),
        1 => Just(Event::Skip),
        1 => Just(Event::Revisit),
        1 => Just(Event::Restart),
    ]
}

fn bits(mask: u8) -> Reading {
    let ones: Vec<u8> = (1..=8).filter(|lock| mask >> (lock - 1) & 1 == 1).collect();
    reading(&ones)
}

proptest! {
    #[test]
    fn no_order_of_events_loses_a_proven_lock_or_hurries_a_coil(
        events in proptest::collection::vec(event(), 1..120),
    ) {
        let mut proof = proof(4);
        let (mut now_ms, mut pulses) = (0_u64, BTreeMap::new());
        for event in events {
            let before = proof.conclude().wiring;
            match event {
                Event::Pulse(later_ms) => {
                    now_ms += later_ms;
                    if let Ok(lock) = proof.pulse(now_ms) {
                        if let Some(last) = pulses.insert(lock, now_ms) {
                            prop_assert!(now_ms - last >= REST_MS, "lock {lock} had no rest");
                        }
                        prop_assert!(!before.contains_key(&lock), "a proven lock is let alone");
                        prop_assert!(proof.pulse(now_ms + 60_000).is_err(), "one at a time");
                    }
                }
                Event::Fail => drop(proof.pulse_failed("why".to_owned())),
                Event::Observe(was, is) => drop(proof.observe(&bits(was), &bits(is))),
                Event::Number(number) => drop(proof.number(number.map(LockerId))),
                Event::Closed(is) => drop(proof.closed(&bits(is))),
                Event::Repeat => proof.repeat(),
                Event::Skip => proof.skip(),
                Event::Revisit => proof.revisit(),
                Event::Restart => {
                    let kept = serde_json::to_string(&proof).expect("JSON");
                    proof = serde_json::from_str::<Proof>(&kept).expect("its own").resumed();
                    // The program was started again meanwhile; the bus itself keeps the rest.
                    now_ms += REST_MS;
                }
            }
            let after = proof.conclude().wiring;
            for (lock, number) in &before {
                prop_assert_eq!(after.get(lock), Some(number), "lock {} was lost", lock);
            }
            let mut numbers: Vec<_> = after.values().collect();
            numbers.sort_unstable();
            numbers.dedup();
            prop_assert_eq!(numbers.len(), after.len(), "one number, one lock");
        }
    }
}
