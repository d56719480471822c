//! The published test vectors against encoder, parser and decoder, and what no bytes may ever do.
//!
//! Vector signs: `>` request, `<` reply, `!b` broken integrity, `!s` intact but to be rejected.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;
use crate::bus::explain::{Direction, explain};

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

/// Everything the encoder of a family can produce, within the tested sizes.
fn producible(family: Family) -> HashMap<Vec<u8>, Call> {
    let mut frames = HashMap::new();
    for address in 0..=4 {
        for locks in [8, 16] {
            let per_lock = (1..=locks).flat_map(|lock| {
                let pulse = move |steps: u16| Request::Pulse { lock, duration_ms: steps * 100 };
                (1..=10).map(pulse).chain([Request::Off { lock }])
            });
            let all = [Request::Status, Request::Relays, Request::AllOff, Request::Version];
            for request in per_lock.chain(all) {
                let call = Call { address, locks, request };
                if let Ok(frame) = codec(family).encode(&call) {
                    frames.insert(frame.bytes().to_vec(), call);
                }
            }
        }
    }
    frames
}

#[test]
fn every_vector_of_a_built_family_is_met_and_the_others_are_counted() {
    let counts = |family| [">", "<", "!b", "!s"].map(|sign| of(family, sign).len());
    assert_eq!(counts(Family::KerongCu16), [9, 6, 3, 2]);
    assert_eq!(counts(Family::ModbusRelay), [17, 4, 2, 4]);
    let mut others = BTreeMap::new();
    for vector in vectors() {
        if vector.family.parse::<Family>().is_err() {
            *others.entry(vector.family).or_insert(0) += 1;
        }
    }
    let skipped: Vec<_> = others.keys().map(String::as_str).collect();
    let names = [
        "5a5a",
        "dc02",
        "kerong-cu12",
        "kerong-cu48",
        "kerong-cu48-ir",
        "r4d8a08",
        "winnsen",
        "wkly",
        "xor-board",
    ];
    assert_eq!(skipped, names, "families that are not built");
    assert_eq!(others.values().sum::<i32>(), 71, "their vectors");
}

#[test]
fn requests_are_what_the_encoder_produces() {
    let produced: Vec<_> = [Family::KerongCu16, Family::ModbusRelay]
        .into_iter()
        .map(|family| {
            let frames = producible(family);
            of(family, ">").iter().filter(|vector| frames.contains_key(&vector.bytes)).count()
        })
        .collect();
    // Status twice and three unlocks; one off, all off, two pulses and three reads.
    assert_eq!(produced, [5, 7]);
}

#[test]
fn every_request_is_read_as_the_request_it_is() {
    let says = |hex: &str, words: &str| (hex.replace(' ', ""), words.to_owned());
    let words = HashMap::from([
        says("02 00 30 03 35", "status of board 0"),
        says("02 10 30 03 45", "status of board 1"),
        says("02 00 31 03 36", "unlock board 0 lock 1"),
        says("02 0F 31 03 45", "unlock board 0 lock 16"),
        says("02 12 31 03 48", "unlock board 1 lock 3"),
        says("02 00 33 03 38", "unlock ALL 16 locks of board 0"),
        says("02 F0 32 03 27", "status of every board"),
        says("02 00 32 03 37", "status of board 0, as one of all"),
        says("02 00 37 00 37 03 73", "set unlock time of board 0 to 550 ms"),
        says("01 05 00 00 FF 00 8C 3A", "board 1: relay 1 on"),
        says("01 05 00 00 00 00 CD CA", "relay 1 off"),
        says("01 05 00 00 55 00 F2 9A", "relay 1 toggle"),
        says("01 05 00 FF 00 00 FD FA", "ALL relays off"),
        says("01 05 00 FF FF 00 BC 0A", "ALL relays on"),
        says("01 05 02 00 00 07 8D B0", "flash on (timed pulse) relay 1 for 700 ms"),
        says("01 05 02 04 00 04 8C 70", "flash on (timed pulse) relay 5 for 400 ms"),
        says("01 05 04 00 00 07 8D 38", "flash off (timed) relay 1 for 700 ms"),
        says("01 01 00 00 00 08 3D CC", "read 8 relays from 1"),
        says("01 01 00 00 00 10 3D C6", "read 16 relays from 1"),
        says("01 02 00 00 00 08 79 CC", "read 8 inputs from 1"),
        says("01 0F 00 00 00 10 02 00 00 E2 20", "write 16 relays from 1; on: none"),
        says("01 03 10 00 00 08 40 CC", "read 8 channel modes from 1"),
        says("00 03 40 00 00 01 90 1B", "every board: read the device address"),
        says("00 06 40 00 00 01 5C 1B", "every board: set address 1"),
        says("01 06 20 00 00 05 42 09", "set serial parameters 115200 8N1"),
        says("00 03 80 00 00 01 AC 1B", "read the firmware version"),
    ]);
    for family in Family::ALL {
        for vector in of(family, ">") {
            let said = explain(family, &vector.bytes);
            assert_eq!(said.error, None, "{}", vector.line);
            let [frame] = &said.frames[..] else { panic!("one frame: {}", vector.line) };
            let words = &words[&hex(&vector.bytes).replace(' ', "")];
            assert!(frame.meaning.contains(words), "{}: {}", vector.line, frame.meaning);
            let twin = [0x05, 0x06].contains(&vector.bytes[1]) && family == Family::ModbusRelay;
            let direction = if twin { Direction::RequestOrReply } else { Direction::Request };
            assert_eq!(frame.direction, direction, "{}", vector.line);
        }
    }
}

#[test]
fn replies_are_read_with_the_right_values() {
    for vector in of(Family::KerongCu16, "<") {
        let said = explain(Family::KerongCu16, &vector.bytes);
        assert_eq!((said.error, said.frames.len()), (None, 1), "{}", vector.line);
        assert_eq!(said.frames[0].direction, Direction::Reply);
        let call = Call { address: vector.bytes[1] >> 4, locks: 16, request: Request::Status };
        let parsed = codec(Family::KerongCu16).parse(&vector.bytes, &call);
        if vector.bytes[2] == 0x36 {
            // The answer to a question this program never asks.
            assert_eq!(parsed, Parsed::Discard { bytes: 9, why: Mismatch::Command });
            continue;
        }
        let Parsed::Reply { bytes: 9, reply: Reply::Status { inputs, items }, .. } = parsed else {
            panic!("{}: {parsed:?}", vector.line)
        };
        let items = items.expect("this family reports items");
        for lock in 1..=16_u8 {
            let (byte, bit) = (usize::from((lock - 1) / 8), (lock - 1) % 8);
            assert_eq!(inputs.lock(lock), vector.bytes[3 + byte] >> bit & 1 == 1);
            assert_eq!(items.lock(lock), vector.bytes[5 + byte] >> bit & 1 == 1);
        }
    }
    let locks = |from: &[u8]| LockBits::from_wire(from);
    let cases = [
        ("01 05 02 00 00 07 8D B0", Request::Pulse { lock: 1, duration_ms: 700 }, Reply::Done),
        ("01 01 01 41 91 B8", Request::Relays, Reply::Relays(locks(&[0x41]))),
        ("01 03 02 00 C8 B9 D2", Request::Version, Reply::Version(200)),
        ("01 03 02 00 01 79 84", Request::Version, Reply::Version(1)),
    ];
    for (vector, (expected_hex, request, expected)) in
        of(Family::ModbusRelay, "<").iter().zip(cases)
    {
        assert_eq!(hex(&vector.bytes), expected_hex);
        let call = Call { address: 1, locks: 8, request };
        let parsed = codec(Family::ModbusRelay).parse(&vector.bytes, &call);
        let Parsed::Reply { bytes, reply, .. } = parsed else { panic!("{parsed:?}") };
        assert_eq!((bytes, reply), (vector.bytes.len(), expected));
        assert_eq!(explain(Family::ModbusRelay, &vector.bytes).error, None);
    }
}

#[test]
fn broken_vectors_are_rejected_for_the_right_reason() {
    let reasons = [
        (Family::KerongCu16, vec!["bad sum: expected 35", "end mark 03 missing", "8 of 9 bytes"]),
        (Family::ModbusRelay, vec!["bad CRC", "bad CRC: expected A1 88, found A1 89"]),
    ];
    for (family, reasons) in reasons {
        for (vector, reason) in of(family, "!b").iter().zip(reasons) {
            let said = explain(family, &vector.bytes);
            let error = said.error.expect("rejected");
            assert!(error.contains(reason), "{}: {error}", vector.line);
            assert!(said.frames.is_empty(), "{}", vector.line);
        }
    }
}

#[test]
fn intact_vectors_that_answer_nothing_are_handled_by_their_meaning() {
    let status = Call { address: 0, locks: 16, request: Request::Status };
    let inputs = Call { address: 1, locks: 8, request: Request::Status };
    let pulse = Request::Pulse { lock: 4, duration_ms: 500 };
    let discard = |bytes, why| Parsed::Discard { bytes, why };
    let refusal = modbus_relay::refusal(2);
    let expected = [
        (Family::KerongCu16, status, discard(9, Mismatch::Address(1))),
        (Family::KerongCu16, status, discard(5, Mismatch::Echo)),
        (Family::ModbusRelay, inputs, Parsed::Refused { bytes: 5, refusal }),
        (Family::ModbusRelay, inputs, discard(6, Mismatch::Address(2))),
        (Family::ModbusRelay, inputs, discard(7, Mismatch::Length)),
        (Family::ModbusRelay, Call { request: pulse, ..inputs }, discard(8, Mismatch::Lock)),
    ];
    let vectors: Vec<_> = [Family::KerongCu16, Family::ModbusRelay]
        .into_iter()
        .flat_map(|family| of(family, "!s"))
        .collect();
    assert_eq!(vectors.len(), expected.len());
    for (vector, (family, call, parsed)) in vectors.iter().zip(expected) {
        assert_eq!(explain(family, &vector.bytes).error, None, "{}", vector.line);
        assert_eq!(codec(family).parse(&vector.bytes, &call), parsed, "{}", vector.line);
    }
}

pub(in crate::bus) fn any_call() -> impl Strategy<Value = (Family, Call)> {
    let request = prop_oneof![
        Just(Request::Status),
        Just(Request::Relays),
        Just(Request::AllOff),
        Just(Request::Version),
        (1..=8_u8).prop_map(|lock| Request::Off { lock }),
        (1..=8_u8, 1..=1000_u16)
            .prop_map(|(lock, duration_ms)| Request::Pulse { lock, duration_ms }),
    ];
    let family = prop_oneof![Just(Family::KerongCu16), Just(Family::ModbusRelay)];
    (family, 1..=4_u8, 8..=16_u8, request)
        .prop_map(|(family, address, locks, request)| (family, Call { address, locks, request }))
}

/// Whether a whole frame's integrity holds, by the family's rule written out once more.
pub(in crate::bus) fn holds(family: Family, frame: &[u8]) -> bool {
    match family {
        Family::KerongCu16 => {
            let (sum, rest) = frame.split_last().expect("not empty");
            rest.last() == Some(&3)
                && rest.iter().map(|byte| u32::from(*byte)).sum::<u32>() % 256 == u32::from(*sum)
        }
        Family::ModbusRelay => {
            let crc = frame[..frame.len() - 2].iter().fold(0xFFFF_u16, |crc, byte| {
                (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
                    if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 }
                })
            });
            frame[frame.len() - 2..] == crc.to_le_bytes()
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_break_a_parser_or_pass_without_integrity(
        (family, call) in any_call(),
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0..=6_u8, 0x30..=0x37_u8], 0..40),
    ) {
        match codec(family).parse(&bytes, &call) {
            Parsed::NeedMore => prop_assert!(bytes.len() < FRAME_BYTES_MAX),
            Parsed::Skip { bytes: skipped, .. } => {
                prop_assert!((1..=bytes.len()).contains(&skipped));
            }
            Parsed::Reply { bytes: length, .. }
            | Parsed::Refused { bytes: length, .. }
            | Parsed::Discard { bytes: length, .. } => {
                prop_assert!(length <= bytes.len());
                prop_assert!(holds(family, &bytes[..length]));
            }
        }
    }

    #[test]
    fn what_is_encoded_is_decoded_and_a_changed_bit_is_noticed(
        (family, call) in any_call(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let Ok(frame) = codec(family).encode(&call) else { return Ok(()) };
        prop_assert!(frame.bytes().len() <= FRAME_BYTES_MAX);
        let said = explain(family, frame.bytes());
        prop_assert_eq!(said.error, None);
        prop_assert_eq!(said.frames.len(), 1);
        let mut spoilt = frame.bytes().to_vec();
        spoilt[at.index(frame.bytes().len())] ^= 1 << bit;
        prop_assert!(explain(family, &spoilt).error.is_some());
    }

    #[test]
    fn the_decoder_accounts_for_every_byte_it_accepts(
        (family, call) in any_call(),
        noise in prop::collection::vec(any::<u8>(), 0..12),
        more in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let frame = codec(family).encode(&call).map(|frame| frame.bytes().to_vec());
        let bytes = [noise, frame.unwrap_or_default(), more].concat();
        let said = explain(family, &bytes);
        for frame in &said.frames {
            prop_assert!(holds(family, &frame.bytes));
        }
        if said.error.is_none() {
            let framed: usize = said.frames.iter().map(|frame| frame.bytes.len()).sum();
            prop_assert_eq!(said.leading.len() + framed, bytes.len());
        }
    }
}
