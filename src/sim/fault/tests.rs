//! Which requests a fault strikes, and how it is written.

use super::*;
use crate::sim::board::{Opens, Target};
use crate::sim::config::SimBoard;
use crate::sim::random::Random;

fn target(command: u8, lock: Option<u8>) -> Target {
    Target { command, lock, opens: Opens::Nothing }
}

#[test]
fn a_fault_strikes_only_its_target_and_so_many_times() {
    let mut faults = Faults::default();
    let mut random = Random::new(1);
    let fault = Fault::new("east", FaultKind::Silent).board(2).lock(3).command(0x31).times(2);
    faults.add(fault, 0).expect("room");
    let mut strike = |bus: &str, board, command, lock| {
        let (board, target) = (&SimBoard::cu16(board), target(command, lock));
        faults.strike(Asked { bus, board, target, since_pulse_us: None }, &mut random).len()
    };
    assert_eq!(strike("west", 2, 0x31, Some(3)), 0);
    assert_eq!(strike("east", 1, 0x31, Some(3)), 0);
    assert_eq!(strike("east", 2, 0x30, Some(3)), 0);
    assert_eq!(strike("east", 2, 0x31, Some(4)), 0);
    assert_eq!(strike("east", 2, 0x31, None), 0);
    assert_eq!(strike("east", 2, 0x31, Some(3)), 1);
    assert_eq!(strike("east", 2, 0x31, Some(3)), 1);
    assert_eq!(strike("east", 2, 0x31, Some(3)), 0);
    assert!(faults.active.is_empty());
}

#[test]
fn probability_uses_the_seed_and_exceptions_pass_by_other_families() {
    let mut faults = Faults::default();
    faults.add(Fault::new("east", FaultKind::Silent).probability(0.25), 0).expect("room");
    faults.add(Fault::new("east", FaultKind::Exception { code: 4 }), 0).expect("room");
    let mut random = Random::new(2);
    let hits: usize = (0..1_000)
        .map(|_| {
            let target = target(0x30, None);
            let board = &SimBoard::cu16(1);
            let asked = Asked { bus: "east", board, target, since_pulse_us: None };
            faults.strike(asked, &mut random).len()
        })
        .sum();
    assert!((200..300).contains(&hits), "{hits}");
    assert_eq!(faults.active[1].struck, 0);
}

#[test]
fn json_is_checked_with_helpful_words() {
    let parse = |text: &str| serde_json::from_str::<Fault>(text).map_err(|e| e.to_string());
    let fault = parse(r#"{"bus":"east","kind":"late","ms":300,"times":1}"#).expect("valid");
    assert_eq!(fault.kind, FaultKind::Late { ms: 300 });
    for (text, says) in [
        (r#"{"bus":"e","kind":"late"}"#, "needs \"ms\""),
        (r#"{"bus":"e","kind":"sluggish"}"#, "silent_obeys"),
        (r#"{"bus":"e","kind":"silent","ms":3}"#, "takes no \"ms\""),
        (r#"{"bus":"e","kind":"silent","tmes":3}"#, "tmes"),
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.contains(says), "{error}");
    }
    for (fault, says) in [
        (Fault::new("e", FaultKind::Silent).probability(1.5), "probability"),
        (Fault::new("e", FaultKind::Silent).times(0), "times"),
        (Fault::new("e", FaultKind::Echo).times(1), "hold until cleared"),
        (Fault::new("e", FaultKind::SensorOpen), "needs its board"),
        (Fault::new("e", FaultKind::Late { ms: 70_000 }), "60000"),
    ] {
        let error = fault.check().expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn the_list_is_bounded() {
    let mut faults = Faults::default();
    for _ in 0..FAULTS_MAX {
        faults.add(Fault::new("east", FaultKind::Silent), 0).expect("room");
    }
    assert!(faults.add(Fault::new("east", FaultKind::Silent), 0).is_err());
}
