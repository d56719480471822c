//! What each dialect takes for an answer, and what it never asks.

use super::*;

fn status(address: u8) -> Call {
    Call::new(address, 16, Request::Status)
}

fn summed(body: &[u8]) -> Vec<u8> {
    let mut frame = [body, &[END]].concat();
    frame.push(sum(&frame));
    frame
}

fn pulse(address: u8, locks: u8, lock: u8) -> Call {
    Call::new(address, locks, Request::Pulse { lock, duration_ms: 550 })
}

#[test]
fn data_may_hold_start_and_end_bytes() {
    let frame = [0x02, 0x00, 0x35, 0x02, 0x03, 0x00, 0x00, 0x03, 0x3F];
    let Parsed::Reply { bytes: 9, reply: Reply::Status { inputs, .. }, .. } =
        CU16.parse(&frame, &status(0))
    else {
        panic!("not taken");
    };
    assert_eq!(inputs.set_locks(16).collect::<Vec<_>>(), [2, 9, 10]);
}

#[test]
fn reply_to_another_boards_question_is_discarded() {
    let frame = [0x02, 0x10, 0x35, 0, 0, 0, 0, 0x03, 0x4A];
    let parsed = CU16.parse(&frame, &status(0));
    assert_eq!(parsed, Parsed::Discard { bytes: 9, why: Mismatch::Address(1) });
}

#[test]
fn unlock_takes_its_own_optional_reply_only() {
    let own = |address: u8| summed(&[0x02, address, 0x35, 0, 0, 0, 0]);
    for address in [0x10, 0x12] {
        let taken = CU16.parse(&own(address), &pulse(1, 16, 3));
        assert!(matches!(taken, Parsed::Reply { reply: Reply::Done, .. }), "{address:02X}");
    }
    let other = CU16.parse(&own(0x13), &pulse(1, 16, 3));
    assert_eq!(other, Parsed::Discard { bytes: 9, why: Mismatch::Lock });
}

#[test]
fn a_late_state_is_no_answer_to_an_unlock_of_a_cu48() {
    let cases = [(&CU48, summed(&[2, 1, 0, 0x65, 0, 0, 0, 0, 0, 0])), {
        let state = summed(&[2, 1, 0, 0x75, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        (&CU48_IR, state)
    }];
    for (dialect, late) in cases {
        let parsed = dialect.parse(&late, &pulse(1, 48, 3));
        assert_eq!(parsed, Parsed::Discard { bytes: late.len(), why: Mismatch::Command });
    }
}

#[test]
fn an_ir_board_may_answer_with_three_lengths_and_the_longest_counts() {
    let call = Call::new(0, 48, Request::Status);
    // Hook byte 1 and 2 look like the end of a short frame: the sum of 02 00 00 75 03 is 7A.
    let data = [0x03, 0x7A, 0, 0, 0, 0x80];
    let long = summed(&[&[2, 0, 0, 0x75][..], &data, &[1, 0, 0, 0, 0, 0]].concat());
    for length in 4..18 {
        assert_eq!(CU48_IR.parse(&long[..length], &call), Parsed::NeedMore, "{length}");
    }
    let Parsed::Reply { bytes: 18, reply: Reply::Status { inputs, items, known }, .. } =
        CU48_IR.parse(&long, &call)
    else {
        panic!("not taken")
    };
    assert_eq!(inputs, LockBits::from_wire(&data));
    assert_eq!(items, Some([1].into_iter().collect()));
    assert_eq!(known, LockBits::first(48));

    let without_items = summed(&[2, 0, 0, 0x75, 0, 0, 0, 0, 0, 0x80]);
    assert_eq!(CU48_IR.parse(&without_items, &call), Parsed::NeedMore, "more may follow");
    let rest = CU48_IR.parse_at_rest(&without_items, &call);
    let Parsed::Reply { bytes: 12, reply: Reply::Status { inputs, items: None, .. }, .. } = rest
    else {
        panic!("{rest:?}")
    };
    assert!(inputs.lock(48));

    let short = summed(&[2, 0, 2, 0x75]);
    let taken = CU48_IR.parse_at_rest(&short, &pulse(0, 48, 3));
    assert!(matches!(taken, Parsed::Reply { bytes: 6, reply: Reply::Done, .. }), "{taken:?}");
    let other = CU48_IR.parse_at_rest(&short, &pulse(0, 48, 4));
    assert_eq!(other, Parsed::Discard { bytes: 6, why: Mismatch::Lock });
    let nothing = CU48_IR.parse_at_rest(&short, &call);
    assert_eq!(nothing, Parsed::Discard { bytes: 6, why: Mismatch::Length });
}

#[test]
fn a_cu48_state_ignores_its_lock_byte() {
    let state = summed(&[2, 3, 0x2A, 0x65, 1, 0, 0, 0, 0, 0]);
    let parsed = CU48.parse(&state, &Call::new(3, 40, Request::Status));
    let Parsed::Reply { reply: Reply::Status { inputs, items: None, known }, .. } = parsed else {
        panic!("{parsed:?}")
    };
    assert!(inputs.lock(1));
    assert_eq!(known, LockBits::first(40));
}

#[test]
fn what_a_board_cannot_do_is_refused_before_the_wire() {
    let requests = [
        Request::Relays,
        Request::AllOff,
        Request::Version,
        Request::On { lock: 1 },
        Request::StatusOne { lock: 1 },
        Request::SetAddress { new: 3 },
    ];
    for dialect in [&CU16, &CU48, &CU48_IR] {
        for request in requests {
            let refused = dialect.encode(&Call::new(0, 16, request));
            assert_eq!(refused, Err(Unsupported::Command(dialect.family)));
        }
        assert!(dialect.encode(&pulse(0, 8, 9)).is_err());
    }
    assert!(CU16.encode(&status(15)).is_err(), "15 addresses every board");
    assert!(CU48.encode(&status(10)).is_err(), "10 addresses every board");
    assert!(CU48_IR.encode(&pulse(0, 49, 49)).is_err(), "index 30 is all locks");
}
