//! What stands around a reply must neither hide nor replace it.

use proptest::prelude::*;

use super::*;
use crate::bus::codec::tests::rules;
use crate::bus::codec::tests::samples::{any_answer, any_call};
use crate::bus::codec::{Request, codec};
use crate::bus::modbus_relay;
use crate::domain::channel::Family;

fn modbus(request: Request) -> (&'static dyn Codec, Call) {
    (codec(Family::ModbusRelay), Call::new(1, 8, request))
}

fn framed(body: &[u8]) -> Vec<u8> {
    [body, &modbus_relay::checksum(body)].concat()
}

fn relays(on: u8) -> Vec<u8> {
    framed(&[1, 1, 1, on])
}

#[test]
fn echo_is_learnt_from_a_read_and_dropped_before_a_write_is_believed() {
    let (codec, read) = modbus(Request::Relays);
    let sent = codec.encode(&read).expect("legal");
    let mut scanner = Scanner::new(codec, &read, Echo::Unknown);
    let heard = scanner.push(&[sent.bytes(), &relays(0)].concat());
    assert!(matches!(heard, Some(Heard::Reply { proven: true, .. })));
    assert_eq!(scanner.echo(heard.as_ref()), Echo::Present);
    assert_eq!(scanner.tally().echo_bytes, 8);

    let (codec, pulse) = modbus(Request::Pulse { lock: 1, duration_ms: 500 });
    let sent = codec.encode(&pulse).expect("legal");
    let mut missing_board = Scanner::new(codec, &pulse, Echo::Present);
    assert_eq!(missing_board.push(sent.bytes()), None, "only the echo came back");
    assert!(missing_board.push(sent.bytes()).is_some(), "now the board answered");
}

#[test]
fn on_a_line_with_echo_a_spoilt_echo_is_a_collision_and_the_reply_is_still_found() {
    let (codec, read) = modbus(Request::Relays);
    let sent = codec.encode(&read).expect("legal");
    let mut spoilt = sent.bytes().to_vec();
    spoilt[4] ^= 0x40;
    let partial = &sent.bytes()[3..];
    for echo in [spoilt.as_slice(), partial, &[]] {
        let mut scanner = Scanner::new(codec, &read, Echo::Present);
        let heard = scanner.push(&[echo, &relays(0x41)].concat());
        let heard = heard.or_else(|| scanner.look_further());
        assert!(matches!(heard, Some(Heard::Reply { proven: true, .. })), "{echo:?}");
        assert_eq!((scanner.tally().collisions, scanner.tally().echo_bytes), (1, 0), "{echo:?}");
        assert!(scanner.missed_echo());
    }
    let mut noisy = Scanner::new(codec, &read, Echo::Present);
    let bytes = [&[0xFA][..], sent.bytes(), &relays(0x41)].concat();
    let heard = bytes.iter().find_map(|byte| noisy.push(&[*byte]));
    assert!(heard.is_some(), "byte by byte, behind noise");
    let tally = noisy.tally();
    assert_eq!((tally.noise_bytes, tally.echo_bytes, tally.collisions), (1, 8, 0));
}

#[test]
fn a_twin_of_the_request_proves_nothing_before_the_echo_is_known() {
    let (codec, pulse) = modbus(Request::Pulse { lock: 1, duration_ms: 500 });
    let sent = codec.encode(&pulse).expect("legal");
    let proven = |echo| {
        let mut scanner = Scanner::new(codec, &pulse, echo);
        match scanner.push(sent.bytes()) {
            Some(Heard::Reply { proven, .. }) => (proven, scanner.echo(None)),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(proven(Echo::Unknown), (false, Echo::Unknown));
    assert_eq!(proven(Echo::Absent), (true, Echo::Absent));
}

#[test]
fn a_clean_read_shows_that_there_is_no_echo() {
    let (codec, read) = modbus(Request::Relays);
    for (noise, echo) in [(&[][..], Echo::Absent), (&[0xFF][..], Echo::Unknown)] {
        let mut scanner = Scanner::new(codec, &read, Echo::Unknown);
        let heard = scanner.push(&[noise, &relays(3)].concat());
        assert!(heard.is_some());
        assert_eq!(scanner.echo(heard.as_ref()), echo, "a broken echo may look like noise");
    }
}

#[test]
fn a_frame_cut_short_hides_the_reply_only_until_the_line_is_quiet() {
    let (codec, read) = modbus(Request::Relays);
    let mut scanner = Scanner::new(codec, &read, Echo::Absent);
    // It claims 16 data bytes, and then the true reply stands where they should.
    assert_eq!(scanner.push(&[&[1, 1, 16][..], &relays(0x41)].concat()), None);
    assert!(matches!(scanner.look_further(), Some(Heard::Reply { .. })));
    assert_eq!(scanner.tally().noise_bytes, 3);
}

#[test]
fn looking_further_keeps_a_slow_reply() {
    let (codec, read) = modbus(Request::Relays);
    let mut scanner = Scanner::new(codec, &read, Echo::Absent);
    let reply = relays(0x41);
    for byte in &reply[..5] {
        assert_eq!(scanner.push(&[*byte]), None);
        assert_eq!(scanner.look_further(), None);
    }
    assert!(scanner.push(&reply[5..]).is_some());
}

#[test]
fn a_bad_checksum_is_counted_once_and_the_next_frame_taken() {
    let (codec, read) = modbus(Request::Relays);
    let mut scanner = Scanner::new(codec, &read, Echo::Absent);
    let mut bad = relays(0x41);
    bad[5] ^= 1;
    assert!(scanner.push(&[bad, framed(&[2, 1, 1, 0]), relays(0x41)].concat()).is_some());
    let tally = scanner.tally();
    assert_eq!((tally.bad_checksum, tally.wrong_address, tally.stranger), (1, 1, Some(2)));
}

/// Whether noise and the first bytes of the reply happened to be an intact frame of another board,
/// as one in 65,536 is: no scanner can tell that from a true one.
fn swallowed(scanner: &Scanner<'_>) -> bool {
    let tally = scanner.tally();
    tally.wrong_address + tally.mismatched > 0
}

#[test]
fn noise_that_completes_a_foreign_frame_hides_one_reply_and_is_counted() {
    let (codec, read) = modbus(Request::Relays);
    let mut scanner = Scanner::new(codec, &read, Echo::Unknown);
    assert_eq!(scanner.push(&[&[235][..], &relays(164)].concat()), None);
    assert!(swallowed(&scanner));
    assert!(scanner.push(&relays(164)).is_some(), "the next one is found");
}

proptest! {
    #[test]
    fn any_chunks_stay_bounded_and_nothing_is_heard_without_an_intact_frame(
        (family, call) in any_call(),
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..6),
    ) {
        let mut scanner = Scanner::new(codec(family), &call, Echo::Unknown);
        let mut pushed = Vec::new();
        for chunk in chunks {
            pushed.extend_from_slice(&chunk);
            let heard = scanner.push(&chunk).or_else(|| scanner.look_further());
            prop_assert!(scanner.buffered() < BUFFER_BYTES);
            prop_assert_eq!(scanner.buffer.capacity(), BUFFER_BYTES);
            let intact = || rules::holds_somewhere(family.name(), &pushed);
            prop_assert!(heard.is_none() || intact(), "{:?}", heard);
        }
    }

    #[test]
    fn a_reply_is_found_behind_noise_in_any_chunks(
        answer in any_answer(),
        noise in prop::collection::vec(any::<u8>(), 0..60),
        chunk in 1..12_usize,
    ) {
        let mut scanner = Scanner::new(codec(answer.family), &answer.call, Echo::Unknown);
        let bytes = [&noise[..], &answer.bytes].concat();
        let mut heard = bytes.chunks(chunk).find_map(|chunk| scanner.push(chunk));
        heard = heard.or_else(|| scanner.look_further());
        let said = match heard {
            Some(Heard::Reply { reply, .. }) => Some(reply),
            _ => None,
        };
        // Noise that happens to be an intact frame, alone or with what follows, is one to anybody.
        let family = answer.family.name();
        let forged = || (0..noise.len()).any(|at| rules::begins_intact(family, &bytes[at..]));
        prop_assert!(said == Some(answer.reply) || forged(), "{:?}", heard);
    }
}
