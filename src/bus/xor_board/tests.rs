//! What an XOR board's bytes may mean, where sources and frames contradict each other.

use super::*;

fn closed(mut frame: Vec<u8>) -> Vec<u8> {
    frame.push(xor(&frame));
    frame
}

fn all(locks: u8) -> Call {
    Call::new(1, locks, Request::Status)
}

fn inputs(parsed: Parsed) -> Vec<u8> {
    let Parsed::Reply { reply: Reply::Status { inputs, .. }, .. } = parsed else {
        panic!("{parsed:?}")
    };
    inputs.set_locks(50).collect()
}

#[test]
fn the_order_of_the_bytes_is_a_setting() {
    let frame = closed(vec![0x80, 1, 0x01, 0x00, 0x02, 0x33]);
    assert_eq!(inputs(XorBoard.parse(&frame, &all(24))), [2, 17]);
    let other = Call { status_order: StatusOrder::LowestFirst, ..all(24) };
    assert_eq!(inputs(XorBoard.parse(&frame, &other)), [1, 18]);
}

#[test]
fn a_reply_that_begins_like_a_short_frame_is_read_whole() {
    // The first five bytes are an intact answer about lock 1, or our own question.
    for data in [[0x01, 0x00, 0x80], [0x00, 0x33, 0xB2]] {
        let frame = closed([&[0x80, 1], &data[..], &[0x33]].concat());
        assert_eq!(xor(&frame[..5]), 0, "the trap is set");
        for length in 2..7 {
            assert_eq!(XorBoard.parse(&frame[..length], &all(24)), Parsed::NeedMore);
        }
        let bytes = [data[2], data[1], data[0]];
        let expected: Vec<_> = LockBits::from_wire(&bytes).set_locks(24).collect();
        assert_eq!(inputs(XorBoard.parse(&frame, &all(24))), expected);
    }
}

#[test]
fn a_board_larger_than_the_locks_in_use_is_read_whole_as_well() {
    // 25 locks would fit into 4 bytes, the board sends 7; the first five bytes are intact.
    let frame = closed(vec![0x80, 7, 0x33, 0x3E, 0x8A, 0, 0, 0, 0x01, 0x33]);
    assert_eq!(xor(&frame[..5]), 0, "the trap is set");
    let call = Call::new(7, 25, Request::Status);
    for length in 2..11 {
        assert_eq!(XorBoard.parse(&frame[..length], &call), Parsed::NeedMore, "{length}");
    }
    assert_eq!(inputs(XorBoard.parse(&frame, &call)), [1, 34, 36, 40, 42, 43, 44, 45, 46, 49, 50]);
}

#[test]
fn an_echo_before_the_reply_is_told_from_a_longer_reply() {
    let call = all(24);
    let sent = XorBoard.encode(&call).expect("legal");
    let reply = closed(vec![0x80, 1, 0, 0, 2, 0x33]);
    let heard = [sent.bytes(), &reply].concat();
    // Together they have the shape of a reply of twelve bytes.
    assert!(is_read_all(&heard));
    let echo = Parsed::Discard { bytes: 5, why: Mismatch::Echo };
    assert_eq!(XorBoard.parse(&heard, &call), echo);
    assert_eq!(XorBoard.parse_at_rest(sent.bytes(), &call), echo, "nobody answered");
}

#[test]
fn a_stale_short_frame_before_the_reply_is_told_from_a_longer_reply() {
    let stale = closed(vec![0x80, 1, 2, 0x11]);
    let reply = closed(vec![0x80, 1, 0, 0, 2, 0x33]);
    let heard = [&stale[..], &reply].concat();
    assert!(is_read_all(&heard), "the trap is set");
    for parsed in [XorBoard.parse(&heard, &all(24)), XorBoard.parse_at_rest(&heard, &all(24))] {
        assert_eq!(parsed, Parsed::Discard { bytes: 5, why: Mismatch::Command });
    }
    // The states of a large board may look like a short frame and the head of the next.
    let large = [0x80, 1, 2, 0x33, 0xB0, 0x80, 1, 0x0F, 0x2A, 0x33, 0x97];
    let parsed = XorBoard.parse(&large, &all(37));
    assert!(matches!(parsed, Parsed::Reply { bytes: 11, .. }), "{parsed:?}");
}

#[test]
fn both_lengths_are_taken_and_a_byte_too_many_is_not() {
    for count in 3..=8 {
        let data: Vec<_> = (1..=count).collect();
        let frame = closed([&[0x80, 1][..], &data, &[0x33]].concat());
        for locks in [8, 24] {
            let parsed = XorBoard.parse_at_rest(&frame, &all(locks));
            let taken = matches!(parsed, Parsed::Reply { bytes, .. } if bytes == frame.len());
            // A stray 00 in the frame of a smaller board shifts its doors, and the XOR holds.
            assert_eq!(taken, [3, 7].contains(&count), "{count} bytes: {parsed:?}");
        }
    }
    // Nine bytes of this reply about 25 locks are intact as well.
    let long = [0x80, 1, 3, 0x80, 0x80, 2, 0x33, 0x33, 0x80, 0x33, 0x33];
    assert!(is_read_all(&long[..9]) && is_read_all(&long), "the trap is set");
    assert_eq!(XorBoard.parse(&long[..9], &all(25)), Parsed::NeedMore);
    for parsed in [XorBoard.parse(&long, &all(25)), XorBoard.parse_at_rest(&long, &all(25))] {
        assert!(matches!(parsed, Parsed::Reply { bytes: 11, .. }), "{parsed:?}");
    }
    let short = closed(vec![0x80, 1, 0, 0, 2, 0x33]);
    let parsed = XorBoard.parse(&short, &all(50));
    assert_eq!(parsed, Parsed::NeedMore, "50 locks do not fit into 3 bytes");
}

#[test]
fn the_status_of_an_opening_proves_only_that_the_board_answered() {
    let call = Call::new(1, 8, Request::Pulse { lock: 2, duration_ms: 300 });
    for (status, like_request) in [(0x00, false), (0x11, true)] {
        let parsed = XorBoard.parse(&closed(vec![0x8A, 1, 2, status]), &call);
        assert_eq!(parsed, Parsed::Reply { bytes: 5, reply: Reply::Done, like_request });
    }
    let cases = [
        (vec![0x8A, 1, 3, 0x00], Mismatch::Lock),
        (vec![0x8A, 1, 0, 0x11], Mismatch::Lock),
        (vec![0x8A, 2, 2, 0x00], Mismatch::Address(2)),
        (vec![0x8A, 1, 2, 0x44], Mismatch::Command),
        (vec![0x80, 1, 2, 0x00], Mismatch::Command),
        (vec![0x81, 1, 2, 0x00], Mismatch::Unsolicited),
        (vec![0x82, 1, 2, 0x11], Mismatch::Unsolicited),
    ];
    for (frame, why) in cases {
        let parsed = XorBoard.parse(&closed(frame), &call);
        assert_eq!(parsed, Parsed::Discard { bytes: 5, why });
    }
}

#[test]
fn a_late_read_all_reply_is_no_answer_to_an_opening() {
    let call = Call::new(1, 8, Request::Pulse { lock: 2, duration_ms: 300 });
    let late = closed(vec![0x80, 1, 0, 0, 2, 0x33]);
    let parsed = XorBoard.parse(&late, &call);
    assert_eq!(parsed, Parsed::Discard { bytes: 7, why: Mismatch::Command });
}

#[test]
fn a_question_about_one_lock_is_told_from_its_answer() {
    let call = Call::new(1, 8, Request::StatusOne { lock: 2 });
    let sent = XorBoard.encode(&call).expect("legal");
    let echo = Parsed::Discard { bytes: 5, why: Mismatch::Echo };
    assert_eq!(XorBoard.parse(sent.bytes(), &call), echo);
    assert_eq!(XorBoard.encode(&Call::new(1, 8, Request::StatusOne { lock: 0 })).ok(), None);
}
