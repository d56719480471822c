//! What a WKLY board's answers say, and what they do not.

use super::*;
use crate::bus::codec::LockBits;

fn framed(address: u8, command: u8, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(FRAME_BYTES_MIN + data.len()).expect("short");
    let mut frame = [&HEADER[..], &[length, address, command], data].concat();
    frame.push(xor(&frame));
    frame
}

fn parse(frame: &[u8], request: Request) -> Parsed {
    Wkly.parse(frame, &Call::new(3, 12, request))
}

fn discarded(frame: &[u8], why: Mismatch) -> Parsed {
    Parsed::Discard { bytes: frame.len(), why }
}

#[test]
fn a_channel_that_cannot_be_read_is_unknown_and_not_open() {
    let frame = framed(3, READ_ALL, &[0, 4, 1, 0, 0xFF, 1]);
    let Parsed::Reply { reply: Reply::Status { inputs, items: None, known }, .. } =
        parse(&frame, Request::Status)
    else {
        panic!("not taken")
    };
    assert_eq!(inputs, [1, 4].into_iter().collect());
    assert_eq!(known, [1, 2, 4].into_iter().collect(), "nor those beyond the board's count");
    let one = framed(3, READ_ONE, &[0, 2, 0xFF]);
    let parsed = parse(&one, Request::StatusOne { lock: 2 });
    assert!(matches!(parsed, Parsed::Refused { refusal, .. } if refusal.code == 0xFF));
}

#[test]
fn the_longest_state_fits_and_a_count_that_lies_does_not_pass() {
    let states = [1; LOCKS_MAX as usize];
    let frame = framed(3, READ_ALL, &[&[0, LOCKS_MAX], &states[..]].concat());
    assert_eq!(frame.len(), FRAME_BYTES_MAX);
    let parsed = Wkly.parse(&frame, &Call::new(3, LOCKS_MAX, Request::Status));
    let Parsed::Reply { reply: Reply::Status { known, .. }, .. } = parsed else {
        panic!("{parsed:?}")
    };
    assert_eq!(known, LockBits::first(usize::from(LOCKS_MAX)));
    let lie = framed(3, READ_ALL, &[0, 3, 1, 1]);
    assert_eq!(parse(&lie, Request::Status), discarded(&lie, Mismatch::Length));
}

#[test]
fn an_opening_is_answered_by_its_own_board_channel_and_command_only() {
    let pulse = Request::Pulse { lock: 2, duration_ms: 300 };
    for state in [0, 1, 0xFF] {
        let parsed = parse(&framed(3, OPEN, &[0, 2, state]), pulse);
        assert!(matches!(parsed, Parsed::Reply { reply: Reply::Done, .. }), "{parsed:?}");
    }
    let cases = [
        (framed(4, OPEN, &[0, 2, 0]), Mismatch::Address(4)),
        (framed(3, OPEN, &[0, 1, 0]), Mismatch::Lock),
        (framed(3, OPEN, &[0xFF, 1, 0]), Mismatch::Lock),
        (framed(3, READ_ONE, &[0, 2, 0]), Mismatch::Command),
        (framed(3, OPEN, &[7, 2, 0]), Mismatch::Command),
        (framed(3, OPEN, &[0, 2]), Mismatch::Length),
        (framed(3, CHANGED, &[2, 0]), Mismatch::Unsolicited),
        (framed(3, OPEN, &[2]), Mismatch::Echo),
    ];
    for (frame, why) in cases {
        assert_eq!(parse(&frame, pulse), discarded(&frame, why));
    }
    for data in [&[0xFF, 2, 0xFF][..], &[0xFF]] {
        let parsed = parse(&framed(3, OPEN, data), pulse);
        let Parsed::Refused { refusal, .. } = parsed else { panic!("{parsed:?}") };
        assert!(!refusal.permanent, "a fault may pass");
    }
}

#[test]
fn a_length_that_cannot_be_never_stalls_the_line() {
    for length in [0, 1, 7, 49, 0xFF] {
        let bytes = [&HEADER[..], &[length, 0, READ_ALL]].concat();
        let skip = Parsed::Skip { bytes: 1, why: Skipped::Noise };
        assert_eq!(parse(&bytes, Request::Status), skip, "{length}");
    }
    let other = b"SKLY\x08\x03\x84";
    assert_eq!(
        parse(other, Request::Status),
        Parsed::Skip { bytes: other.len(), why: Skipped::Noise },
        "one driver's other header is not believed"
    );
}
