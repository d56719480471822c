//! What no bytes may ever do, whatever the family.

use std::collections::HashMap;

use proptest::prelude::*;

use super::super::{
    Call, Codec, FRAME_BYTES_MAX, Frame, Mismatch, Parsed, Request, Unsupported, codec,
};
use super::rules::{Effect, effect, holds};
use super::samples::{any_answer, any_call};
use crate::bus::explain::{Direction, explain};
use crate::domain::channel::Family;

/// Bytes with more marks and heads of frames among them than chance would give.
fn telling_bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let marks = prop::sample::select(&b"\x00\x01\x02\x03\x05\x06\x09\x33\x80\x81\x8A\x11WKLY"[..]);
    let commands = prop_oneof![0x30..=0x37_u8, 0x50..=0x75_u8, 0x82..=0x86_u8];
    prop::collection::vec(prop_oneof![any::<u8>(), marks, commands], 0..most)
}

/// What a codec may never say about these bytes.
fn judge(codec: &dyn Codec, family: Family, call: Call, bytes: &[u8]) -> Result<(), TestCaseError> {
    for parsed in [codec.parse(bytes, &call), codec.parse_at_rest(bytes, &call)] {
        match parsed {
            Parsed::NeedMore => prop_assert!(bytes.len() < FRAME_BYTES_MAX),
            Parsed::Skip { bytes: skipped, .. } => {
                prop_assert!((1..=bytes.len()).contains(&skipped));
            }
            Parsed::Reply { bytes: length, .. }
            | Parsed::Refused { bytes: length, .. }
            | Parsed::Discard { bytes: length, .. } => {
                prop_assert!(length <= bytes.len());
                prop_assert!(holds(family.name(), &bytes[..length]), "{parsed:?}");
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_bytes_break_a_parser_or_pass_without_integrity(
        (family, call) in any_call(),
        bytes in telling_bytes(60),
    ) {
        judge(codec(family), family, call, &bytes)?;
    }

    #[test]
    fn a_spoilt_reply_is_never_taken_for_one_with_integrity(
        answer in any_answer(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let mut bytes = answer.bytes;
        let place = at.index(bytes.len());
        bytes[place] ^= 1 << bit;
        judge(codec(answer.family), answer.family, answer.call, &bytes)?;
    }

    #[test]
    fn a_reply_says_what_the_board_meant(answer in any_answer()) {
        let codec = codec(answer.family);
        prop_assert!(codec.encode(&answer.call).is_ok());
        let parsed = codec.parse_at_rest(&answer.bytes, &answer.call);
        let Parsed::Reply { bytes, reply, .. } = parsed else { panic!("{answer:?}: {parsed:?}") };
        prop_assert_eq!((bytes, reply), (answer.bytes.len(), answer.reply));
        let said = explain(answer.family, &answer.bytes);
        prop_assert_eq!(said.error, None);
        prop_assert_eq!(said.frames.len(), 1);
        prop_assert_ne!(said.frames[0].direction, Direction::Request);
    }

    #[test]
    fn what_is_encoded_is_decoded_and_a_changed_bit_is_noticed(
        (family, call) in any_call(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let Ok(frame) = codec(family).encode(&call) else { return Ok(()) };
        prop_assert!(frame.bytes().len() <= FRAME_BYTES_MAX);
        prop_assert!(holds(family.name(), frame.bytes()));
        let said = explain(family, frame.bytes());
        prop_assert_eq!(said.error, None);
        prop_assert_eq!(said.frames.len(), 1);
        prop_assert_ne!(said.frames[0].direction, Direction::Reply);
        let mut spoilt = frame.bytes().to_vec();
        spoilt[at.index(frame.bytes().len())] ^= 1 << bit;
        prop_assert!(explain(family, &spoilt).error.is_some());
    }

    #[test]
    fn a_request_opens_the_one_lock_it_names_or_nothing((family, call) in any_call()) {
        let Ok(frame) = codec(family).encode(&call) else { return Ok(()) };
        let expected = match call.request {
            Request::Pulse { lock, .. } | Request::On { lock } => {
                Effect::Opens { board: call.address, lock }
            }
            _ => Effect::None,
        };
        prop_assert_eq!(effect(family.name(), frame.bytes()), expected, "{:?}", frame);
    }

    #[test]
    fn our_own_request_is_known_when_it_comes_back((family, call) in any_call()) {
        let codec = codec(family);
        let Ok(frame) = codec.encode(&call) else { return Ok(()) };
        match codec.parse_at_rest(frame.bytes(), &call) {
            Parsed::Discard { bytes, why: Mismatch::Echo } => {
                prop_assert_eq!(bytes, frame.bytes().len());
            }
            Parsed::Reply { bytes, like_request: true, .. } => {
                prop_assert_eq!(bytes, frame.bytes().len());
            }
            other => panic!("{family} {call:?}: {other:?}"),
        }
    }

    #[test]
    fn the_decoder_accounts_for_every_byte_it_accepts(
        (family, call) in any_call(),
        answer in any_answer(),
        noise in telling_bytes(12),
        more in telling_bytes(12),
    ) {
        let frame = codec(family).encode(&call).map(|frame| frame.bytes().to_vec());
        for family in [family, answer.family] {
            let frames = [frame.clone().unwrap_or_default(), answer.bytes.clone()];
            let bytes = [noise.clone(), frames.concat(), more.clone()].concat();
            let said = explain(family, &bytes);
            for frame in &said.frames {
                prop_assert!(holds(family.name(), &frame.bytes), "{:?}", frame);
            }
            if said.error.is_none() {
                let framed: usize = said.frames.iter().map(|frame| frame.bytes.len()).sum();
                prop_assert_eq!(said.leading.len() + framed, bytes.len());
            }
        }
    }

    #[test]
    fn the_decoder_names_request_and_reply_in_order(answer in any_answer()) {
        let sent = codec(answer.family).encode(&answer.call).expect("legal");
        let said = explain(answer.family, &[sent.bytes(), &answer.bytes].concat());
        prop_assert_eq!(said.error, None);
        let lengths: Vec<_> = said.frames.iter().map(|frame| frame.bytes.len()).collect();
        prop_assert_eq!(lengths, [sent.bytes().len(), answer.bytes.len()]);
    }
}

/// Every call with a small board, whether a family takes it or not.
fn all_calls() -> impl Iterator<Item = Call> {
    let requests = (0..=51).flat_map(|lock| {
        [
            Request::Pulse { lock, duration_ms: 400 },
            Request::Pulse { lock, duration_ms: 700 },
            Request::On { lock },
            Request::Off { lock },
            Request::StatusOne { lock },
            Request::Modes { first: lock },
            Request::SetAddress { new: lock },
        ]
    });
    let plain =
        [Request::Status, Request::Relays, Request::AllOff, Request::Version, Request::ReadAddress];
    let requests: Vec<_> = requests.chain(plain).collect();
    (0..=34).flat_map(move |address| {
        let requests = requests.clone();
        [8, 16, 48, 50].into_iter().flat_map(move |locks| {
            requests.clone().into_iter().map(move |request| Call::new(address, locks, request))
        })
    })
}

/// Every frame a family can send, at the addresses and sizes tried.
pub(super) fn producible(family: Family) -> HashMap<Vec<u8>, Call> {
    let encode = |call: Call| {
        let frame: Result<Frame, Unsupported> = codec(family).encode(&call);
        frame.ok().map(|frame| (frame.bytes().to_vec(), call))
    };
    all_calls().filter_map(encode).collect()
}

#[test]
fn no_frame_that_can_be_sent_opens_more_than_one_lock() {
    for family in Family::ALL {
        let frames = producible(family);
        assert!(frames.len() > 100, "{family}");
        for (frame, call) in frames {
            assert_ne!(effect(family.name(), &frame), Effect::OpensMany, "{family} {call:?}");
        }
    }
}

#[test]
fn capabilities_say_what_the_encoder_takes() {
    for family in Family::ALL {
        let codec = codec(family);
        let can = codec.capabilities();
        let takes = |request| {
            let call = Call::new(can.address_first, can.locks_max, request);
            codec.encode(&call).is_ok()
        };
        let pulse = Request::Pulse { lock: can.locks_max, duration_ms: 500 };
        assert!(takes(Request::Status) && takes(pulse), "{family}");
        assert_eq!(takes(Request::StatusOne { lock: 1 }), can.reads_one, "{family}");
        assert_eq!(takes(Request::On { lock: 1 }), can.holds_output, "{family}");
        for request in [Request::Relays, Request::AllOff, Request::Off { lock: 1 }] {
            assert_eq!(takes(request), can.reads_outputs, "{family}");
        }
        for request in [Request::ReadAddress, Request::SetAddress { new: 2 }] {
            assert_eq!(takes(request), can.sets_address, "{family}");
        }
        let last = Call::new(can.address_last, 1, Request::Status);
        assert!(codec.encode(&last).is_ok(), "{family}");
        if let Some(beyond) = can.address_last.checked_add(1) {
            assert!(codec.encode(&Call::new(beyond, 1, Request::Status)).is_err(), "{family}");
        }
        let many = Call::new(can.address_first, can.locks_max + 1, Request::Status);
        assert!(codec.encode(&many).is_err(), "{family}");
    }
}
