//! The published test vectors against encoder, parser and decoder; the properties stand beside.
//!
//! Vector signs: `>` request, `<` reply, `~` a board's own telling, `!b` broken integrity, `!s` intact
//! but to be rejected.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;
use crate::bus::explain::{Direction, Explanation, explain};
use crate::bus::kerong::CU48;
use crate::bus::scanner::{Echo, Heard, Scanner};

mod properties;
pub(in crate::bus) mod rules;
pub(in crate::bus) mod samples;

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/vectors.txt");

struct Vector {
    family: String,
    sign: String,
    bytes: Vec<u8>,
    line: String,
}

fn vectors() -> Vec<Vector> {
    let text = std::fs::read_to_string(VECTORS).expect("the vector file stands in the tree");
    let mut family = String::new();
    let mut vectors = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# family=") {
            family = rest.split(' ').next().unwrap_or_default().to_owned();
            continue;
        }
        let Some((sign, rest)) = line.split_once(' ') else { continue };
        if !["<", ">", "~", "!b", "!s"].contains(&sign) {
            continue;
        }
        let hex = rest.split(';').next().unwrap_or_default();
        let byte = |text| u8::from_str_radix(text, 16).expect("hex");
        let bytes = hex.split_whitespace().map(byte).collect();
        let (sign, line) = (sign.to_owned(), line.to_owned());
        vectors.push(Vector { family: family.clone(), sign, bytes, line });
    }
    vectors
}

fn of(family: Family, sign: &str) -> Vec<Vector> {
    let mine = |vector: &Vector| vector.family == family.name() && vector.sign == sign;
    vectors().into_iter().filter(mine).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let byte = |text| u8::from_str_radix(text, 16).expect("hex");
    text.split_whitespace().map(byte).collect()
}

/// The decoder's words about a vector whose integrity must hold.
fn accepted(family: Family, vector: &Vector) -> Explanation {
    let said = explain(family, &vector.bytes);
    assert_eq!(said.error, None, "{}", vector.line);
    assert_eq!(said.frames.len(), 1, "{}", vector.line);
    said
}

#[test]
fn every_vector_of_a_built_family_is_met_and_the_others_are_counted() {
    let counts = |family| [">", "<", "~", "!b", "!s"].map(|sign| of(family, sign).len());
    assert_eq!(counts(Family::ModbusRelay), [17, 4, 0, 2, 4]);
    assert_eq!(counts(Family::XorBoard), [6, 7, 0, 2, 3]);
    assert_eq!(counts(Family::KerongCu16), [9, 6, 0, 3, 2]);
    assert_eq!(counts(Family::KerongCu48), [5, 1, 0, 1, 1]);
    assert_eq!(counts(Family::KerongCu48Ir), [3, 4, 0, 0, 1]);
    assert_eq!(counts(Family::Wkly), [6, 4, 1, 4, 1]);
    let mut others = BTreeMap::new();
    for vector in vectors() {
        if vector.family.parse::<Family>().is_err() {
            *others.entry(vector.family).or_insert(0) += 1;
        }
    }
    let others: Vec<_> = others.iter().map(|(family, count)| (family.as_str(), *count)).collect();
    let skipped = [("5a5a", 1), ("dc02", 1), ("kerong-cu12", 9), ("r4d8a08", 5), ("winnsen", 5)];
    assert_eq!(others, skipped, "families that are not built, and their vectors");
}

#[test]
fn requests_are_what_the_encoder_produces_and_the_dangerous_ones_are_not() {
    let never = [
        "01 05 00 00 55 00 F2 9A",
        "01 05 00 FF FF 00 BC 0A",
        "01 05 04 00 00 07 8D 38",
        "01 0F 00 00 00 10 02 00 00 E2 20",
        "01 06 20 00 00 05 42 09",
        "00 03 80 00 00 01 AC 1B",
        "8A 01 00 11 9A",
        "02 00 33 03 38",
        "02 F0 32 03 27",
        "02 00 32 03 37",
        "02 00 37 00 37 03 73",
        "02 0A 00 50 03 5F",
        "02 00 30 51 03 86",
        "57 4B 4C 59 0C 00 80 03 01 02 03 86",
        "57 4B 4C 59 0C 00 87 03 01 02 03 81",
    ];
    let mut not_sent = BTreeSet::new();
    for family in Family::ALL {
        let frames = properties::producible(family);
        for vector in of(family, ">") {
            if !frames.contains_key(&vector.bytes) {
                not_sent.insert(hex(&vector.bytes));
            }
        }
    }
    assert_eq!(not_sent, never.map(str::to_owned).into_iter().collect());
}

#[test]
fn every_request_is_read_as_the_request_it_is() {
    let words = HashMap::from(REQUESTS);
    for family in Family::ALL {
        for vector in of(family, ">") {
            let said = accepted(family, &vector);
            let frame = &said.frames[0];
            let words = words[hex(&vector.bytes).as_str()];
            assert!(frame.meaning.contains(words), "{}: {}", vector.line, frame.meaning);
            let twin = match family {
                Family::ModbusRelay => [0x05, 0x06].contains(&vector.bytes[1]),
                Family::XorBoard => vector.bytes[0] == 0x8A,
                _ => false,
            };
            let direction = if twin { Direction::RequestOrReply } else { Direction::Request };
            assert_eq!(frame.direction, direction, "{}", vector.line);
        }
    }
}

/// What the decoder calls each request among the vectors.
const REQUESTS: [(&str, &str); 46] = [
    ("02 00 30 03 35", "status of board 0"),
    ("02 10 30 03 45", "status of board 1"),
    ("02 00 31 03 36", "unlock board 0 lock 1"),
    ("02 0F 31 03 45", "unlock board 0 lock 16"),
    ("02 12 31 03 48", "unlock board 1 lock 3"),
    ("02 00 33 03 38", "unlock ALL 16 locks of board 0"),
    ("02 F0 32 03 27", "status of every board"),
    ("02 00 32 03 37", "status of board 0, as one of all"),
    ("02 00 37 00 37 03 73", "set unlock time of board 0 to 550 ms"),
    ("02 00 00 50 03 55", "status of board 0"),
    ("02 0A 00 50 03 5F", "status of every board"),
    ("02 00 00 51 03 56", "unlock board 0 lock 1"),
    ("02 00 2F 51 03 85", "unlock board 0 lock 48"),
    ("02 00 30 51 03 86", "unlock ALL 48 locks of board 0"),
    ("02 00 00 60 03 65", "status of board 0"),
    ("02 00 00 61 03 66", "unlock board 0 lock 1"),
    ("02 00 01 61 03 67", "unlock board 0 lock 2"),
    ("8A 01 01 11 9B", "open board 1 lock 1"),
    ("8A 01 0C 11 96", "open board 1 lock 12"),
    ("8A 03 0C 11 94", "open board 3 lock 12"),
    ("8A 01 00 11 9A", "open ALL locks of board 1"),
    ("80 01 01 33 B3", "read board 1 lock 1"),
    ("80 01 00 33 B2", "read all of board 1"),
    ("57 4B 4C 59 09 00 82 01 83", "open board 0 channel 1"),
    ("57 4B 4C 59 09 01 82 01 82", "open board 1 channel 1"),
    ("57 4B 4C 59 09 00 83 01 82", "read board 0 channel 1"),
    ("57 4B 4C 59 08 00 84 85", "read all of board 0"),
    ("57 4B 4C 59 0C 00 80 03 01 02 03 86", "open 3 channels of board 0 together: 1, 2, 3"),
    ("57 4B 4C 59 0C 00 87 03 01 02 03 81", "one after another: 1, 2, 3"),
    ("01 05 00 00 FF 00 8C 3A", "board 1: relay 1 on"),
    ("01 05 00 00 00 00 CD CA", "relay 1 off"),
    ("01 05 00 00 55 00 F2 9A", "relay 1 toggle"),
    ("01 05 00 FF 00 00 FD FA", "ALL relays off"),
    ("01 05 00 FF FF 00 BC 0A", "ALL relays on"),
    ("01 05 02 00 00 07 8D B0", "flash on (timed pulse) relay 1 for 700 ms"),
    ("01 05 02 04 00 04 8C 70", "flash on (timed pulse) relay 5 for 400 ms"),
    ("01 05 04 00 00 07 8D 38", "flash off (timed) relay 1 for 700 ms"),
    ("01 01 00 00 00 08 3D CC", "read 8 relays from 1"),
    ("01 01 00 00 00 10 3D C6", "read 16 relays from 1"),
    ("01 02 00 00 00 08 79 CC", "read 8 inputs from 1"),
    ("01 0F 00 00 00 10 02 00 00 E2 20", "write 16 relays from 1; on: none"),
    ("01 03 10 00 00 08 40 CC", "read 8 channel modes from 1"),
    ("00 03 40 00 00 01 90 1B", "every board: read the device address"),
    ("00 06 40 00 00 01 5C 1B", "every board: set address 1"),
    ("01 06 20 00 00 05 42 09", "set serial parameters 115200 8N1"),
    ("00 03 80 00 00 01 AC 1B", "read the firmware version"),
];

/// A state as the parser tells it, from bytes with the lowest lock first.
fn state(inputs: &[u8], items: Option<&[u8]>, known: usize) -> Reply {
    Reply::Status {
        inputs: LockBits::from_wire(inputs),
        items: items.map(LockBits::from_wire),
        known: LockBits::first(known),
    }
}

/// What is asked, what the reply says, and the decoder's words; in the order of the vectors.
fn expected_replies(family: Family) -> Vec<(Call, Reply, &'static str)> {
    let pulse = |lock| Request::Pulse { lock, duration_ms: 700 };
    let (all, one) = (Request::Status, |lock| Request::StatusOne { lock });
    match family {
        Family::ModbusRelay => {
            let call = |request| Call::new(1, 8, request);
            vec![
                (call(pulse(1)), Reply::Done, "flash on (timed pulse) relay 1"),
                (
                    call(Request::Relays),
                    Reply::Relays(LockBits::from_wire(&[0x41])),
                    "relays on: 1, 7",
                ),
                (call(Request::Version), Reply::Version(200), "V2.00"),
                (call(Request::ReadAddress), Reply::Address(1), "address 1"),
            ]
        }
        Family::XorBoard => {
            let call = |locks, request| Call::new(1, locks, request);
            vec![
                (call(8, all), state(&[0, 0, 0], None, 8), "made at locks none"),
                (call(8, pulse(1)), Reply::Done, "answer to open board 1 lock 1"),
                (call(8, one(1)), Reply::One(true), "lock 1: contact made (11)"),
                (call(8, one(1)), Reply::One(false), "lock 1: contact not made (00)"),
                (call(24, all), state(&[2, 0, 0], None, 24), "locks 2 (highest byte first)"),
                (call(50, all), state(&[3, 7, 6, 5, 4, 2, 1], None, 50), "1, 2, 9, 10, 11"),
                (call(24, all), state(&[0x8A, 0x80, 0x33], None, 24), "2, 4, 8, 16, 17"),
            ]
        }
        Family::KerongCu16 => {
            let call = |address| Call::new(address, 16, all);
            let of = |hooks: &[u8], items: &[u8]| state(hooks, Some(items), 16);
            vec![
                (call(0), of(&[0, 0], &[0, 0]), "hook bit 1 at locks none; items at none"),
                (call(0), of(&[0xFF, 0xFF], &[0, 0]), "hook bit 1 at locks 1, 2, 3"),
                (call(0), of(&[0xFE, 0xFF], &[1, 0]), "items at 1"),
                (call(2), of(&[0, 0x80], &[0, 0x80]), "locks 16; items at 16"),
                (call(0), of(&[0, 0], &[0, 0]), "answers status of all"),
                (call(0), of(&[2, 3], &[0, 0]), "hook bit 1 at locks 2, 9, 10"),
            ]
        }
        Family::KerongCu48 => {
            let hooks = [7, 0, 0, 0, 0, 0xC0];
            vec![(Call::new(0, 48, all), state(&hooks, None, 48), "1, 2, 3, 47, 48")]
        }
        Family::KerongCu48Ir => {
            let reply =
                |hook, item| state(&[hook, 0, 0, 0, 0, 0], Some(&[item, 0, 0, 0, 0, 0]), 48);
            let call = Call::new(0, 48, all);
            vec![
                (call, reply(0, 0), "locks none; items at none"),
                (call, reply(1, 0), "locks 1; items at none"),
                (call, reply(4, 0), "locks 3; items at none"),
                (call, reply(0, 1), "locks none; items at 1"),
            ]
        }
        Family::Wkly => {
            let call = |request| Call::new(0, 12, request);
            vec![
                (call(pulse(1)), Reply::Done, "answers open channel 1: done, open (00)"),
                (call(one(1)), Reply::One(false), "answers read channel 1: done, open (00)"),
                (call(one(7)), Reply::One(false), "answers read channel 7"),
                (call(all), Reply::Done, "answers open ALL: done"),
            ]
        }
    }
}

#[test]
fn replies_are_read_with_the_right_values() {
    for family in Family::ALL {
        let (vectors, expected) = (of(family, "<"), expected_replies(family));
        assert_eq!(vectors.len(), expected.len(), "{family}");
        for (vector, (call, reply, words)) in vectors.iter().zip(expected) {
            let said = accepted(family, vector);
            assert!(said.frames[0].meaning.contains(words), "{}", said.frames[0].meaning);
            assert_ne!(said.frames[0].direction, Direction::Request, "{}", vector.line);
            let parsed = codec(family).parse(&vector.bytes, &call);
            let length = vector.bytes.len();
            if ANSWERS_TO_NOTHING_ASKED.contains(&hex(&vector.bytes).as_str()) {
                let why = Mismatch::Command;
                assert_eq!(parsed, Parsed::Discard { bytes: length, why }, "{}", vector.line);
                continue;
            }
            let like_request = family == Family::ModbusRelay && reply == Reply::Done;
            let expected = Parsed::Reply { bytes: length, reply, like_request };
            assert_eq!(parsed, expected, "{}", vector.line);
        }
    }
}

/// Replies to a status of every board and to an open-all, neither of which is ever asked.
const ANSWERS_TO_NOTHING_ASKED: [&str; 2] =
    ["02 00 36 00 00 00 00 03 3B", "57 4B 4C 59 09 00 86 00 86"];

#[test]
fn what_a_board_tells_by_itself_is_named_and_answers_nothing() {
    let [vector] = &of(Family::Wkly, "~")[..] else { panic!("one vector") };
    let said = accepted(Family::Wkly, vector);
    assert!(said.frames[0].meaning.contains("unsolicited: board 0 channel 2 is now open"));
    for request in [Request::Status, Request::StatusOne { lock: 2 }] {
        let parsed = codec(Family::Wkly).parse(&vector.bytes, &Call::new(0, 12, request));
        assert_eq!(parsed, Parsed::Discard { bytes: 10, why: Mismatch::Unsolicited });
    }
}

#[test]
fn broken_vectors_are_rejected_for_the_right_reason() {
    let (all, one) = (Request::Status, |lock| Request::StatusOne { lock });
    let pulse = Request::Pulse { lock: 1, duration_ms: 200 };
    let skip = |bytes, why| Parsed::Skip { bytes, why };
    let (bad, noise) = (Skipped::BadChecksum, Skipped::Noise);
    let cases = [
        (Family::ModbusRelay, 1, pulse, skip(1, bad), "bad CRC: expected "),
        (Family::ModbusRelay, 1, all, skip(1, bad), "bad CRC: expected A1 88, found A1 89"),
        (Family::XorBoard, 1, one(1), skip(1, bad), "bad XOR: expected 91, found 90"),
        (Family::XorBoard, 1, one(1), skip(4, noise), "bad XOR: expected 91, found 90"),
        (Family::KerongCu16, 0, all, skip(1, bad), "bad sum: expected 35, found 36"),
        (Family::KerongCu16, 0, all, skip(1, bad), "end mark 03 missing at byte 8: found 04"),
        (Family::KerongCu16, 0, all, Parsed::NeedMore, "truncated: 8 of 9 bytes"),
        (Family::KerongCu48, 0, all, skip(1, bad), "bad sum: expected 31, found 30"),
        (Family::Wkly, 0, all, skip(1, bad), "bad XOR: expected 85, found 84"),
        (Family::Wkly, 0, one(7), skip(1, bad), "bad XOR: expected 86, found 85"),
        (Family::Wkly, 0, one(1), skip(1, noise), "LEN FF (255) is not 8 to 48"),
        (Family::Wkly, 0, all, skip(1, noise), "LEN 05 (5) is not 8 to 48"),
    ];
    let vectors: Vec<_> = Family::ALL
        .into_iter()
        .flat_map(|family| of(family, "!b").into_iter().map(move |vector| (family, vector)))
        .collect();
    assert_eq!(vectors.len(), cases.len());
    for ((family, vector), (named, address, request, parsed, reason)) in vectors.iter().zip(cases) {
        assert_eq!(*family, named);
        let call = Call::new(address, 8, request);
        assert_eq!(codec(named).parse(&vector.bytes, &call), parsed, "{}", vector.line);
        let said = explain(named, &vector.bytes);
        let error = said.error.expect("rejected");
        assert!(error.contains(reason), "{}: {error}", vector.line);
        assert!(said.frames.is_empty(), "{}", vector.line);
        let mut scanner = Scanner::new(codec(named), &call, Echo::Absent);
        assert_eq!(scanner.push(&vector.bytes), None, "{}", vector.line);
        assert_eq!(scanner.look_further(), None, "{}", vector.line);
    }
}

#[test]
fn intact_vectors_that_answer_nothing_are_handled_by_their_meaning() {
    let (all, one) = (Request::Status, |lock| Request::StatusOne { lock });
    let pulse = |lock| Request::Pulse { lock, duration_ms: 500 };
    let discard = |bytes, why| Parsed::Discard { bytes, why };
    let reply = |bytes, reply, like_request| Parsed::Reply { bytes, reply, like_request };
    let refusal = modbus_relay::refusal(2);
    let closed = state(&[0xFF; 6], None, 48);
    let cases = [
        (Family::ModbusRelay, Call::new(1, 8, all), Parsed::Refused { bytes: 5, refusal }),
        (Family::ModbusRelay, Call::new(1, 8, all), discard(6, Mismatch::Address(2))),
        (Family::ModbusRelay, Call::new(1, 8, all), discard(7, Mismatch::Length)),
        (Family::ModbusRelay, Call::new(1, 8, pulse(4)), discard(8, Mismatch::Lock)),
        (Family::XorBoard, Call::new(1, 8, pulse(1)), reply(5, Reply::Done, true)),
        (Family::XorBoard, Call::new(1, 8, one(1)), discard(5, Mismatch::Address(2))),
        (Family::XorBoard, Call::new(1, 8, one(1)), discard(5, Mismatch::Lock)),
        (Family::KerongCu16, Call::new(0, 16, all), discard(9, Mismatch::Address(1))),
        (Family::KerongCu16, Call::new(0, 16, all), discard(5, Mismatch::Echo)),
        (Family::KerongCu48, Call::new(0, 48, all), reply(12, closed, false)),
        (Family::KerongCu48Ir, Call::new(0, 48, pulse(1)), discard(6, Mismatch::Echo)),
        (Family::Wkly, Call::new(0, 12, one(7)), WKLY_FAULT),
    ];
    let vectors: Vec<_> = Family::ALL
        .into_iter()
        .flat_map(|family| of(family, "!s").into_iter().map(move |vector| (family, vector)))
        .collect();
    assert_eq!(vectors.len(), cases.len());
    for ((family, vector), (named, call, parsed)) in vectors.iter().zip(cases) {
        assert_eq!(*family, named);
        accepted(named, vector);
        assert_eq!(codec(named).parse_at_rest(&vector.bytes, &call), parsed, "{}", vector.line);
    }
}

/// What a WKLY board's FF is: a fault of its hardware, which may pass.
const WKLY_FAULT: Parsed = Parsed::Refused {
    bytes: 11,
    refusal: Refusal {
        code: 0xFF,
        meaning: "hardware fault: the board could not do it, the lock's state is unknown",
        permanent: false,
    },
};

#[test]
fn the_lock_byte_of_a_cu48_state_is_not_looked_at() {
    let [vector] = &of(Family::KerongCu48, "!s")[..] else { panic!("one vector") };
    let call = Call::new(0, 48, Request::Status);
    let plain = CU48.parse(&vector.bytes, &call);
    for lock_byte in 0..=u8::MAX {
        let mut bytes = vector.bytes.clone();
        bytes[2] = lock_byte;
        bytes[11] = bytes[11].wrapping_add(lock_byte);
        assert_eq!(CU48.parse(&bytes, &call), plain);
    }
}

#[test]
fn the_resync_vector_yields_exactly_one_frame() {
    let bytes = from_hex("FA FD 99 99 80 01 01 11 91");
    let said = explain(Family::XorBoard, &bytes);
    assert_eq!((said.error, said.leading), (None, from_hex("FA FD 99 99")));
    assert_eq!((said.frames.len(), said.frames[0].offset), (1, 4));
    let call = Call::new(1, 8, Request::StatusOne { lock: 1 });
    let mut scanner = Scanner::new(codec(Family::XorBoard), &call, Echo::Absent);
    let heard = scanner.push(&bytes);
    assert_eq!(heard, Some(Heard::Reply { reply: Reply::One(true), proven: true }));
    assert_eq!(scanner.tally().noise_bytes, 4);
    assert!(!scanner.is_partial());
}
