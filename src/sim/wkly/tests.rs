//! The WKLY board against the frames of its protocol.

use super::*;
use crate::sim::config::{Physics, SimBoard, SimFamily};
use crate::sim::framer::Framer;
use crate::sim::lock::DoorAction;

fn board() -> Board {
    let physics = Physics { bounce_ms: 0, ..Physics::default() };
    Board::new(&SimBoard::wkly(0, 12), physics, 1)
}

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect()
}

fn ask(board: &mut Board, frame: &str) -> Execution {
    let frame = hex(frame);
    assert_eq!(find_frame(&frame), Found::Frame(frame.len()), "{frame:02X?}");
    assert_eq!(addressed(board, &frame), Addressed::Own);
    execute(board, &frame, 1_000)
}

fn reply(board: &mut Board, frame: &str) -> Vec<u8> {
    ask(board, frame).reply.expect("answered")
}

const OPEN_1: &str = "57 4B 4C 59 09 00 82 01 83";
const READ_1: &str = "57 4B 4C 59 09 00 83 01 82";

#[test]
fn one_is_opened_and_read() {
    let mut zero = board();
    let execution = ask(&mut zero, OPEN_1);
    let on = CoilSwitch::On { after_us: 0, duration_us: Some(300_000) };
    assert_eq!(execution.coils, [(0, on)]);
    assert_eq!(execution.reply, Some(hex("57 4B 4C 59 0B 00 82 00 01 01 80")), "not yet open");
    zero.config.unlock_reply_ms = 200;
    assert_eq!(reply(&mut zero, OPEN_1), hex("57 4B 4C 59 0B 00 82 00 01 00 81"));
    zero.config.answers_unlock = Some(false);
    assert_eq!(ask(&mut zero, OPEN_1).reply, None);
    zero.locks[0].act(DoorAction::Open, 0);
    assert_eq!(reply(&mut zero, READ_1), hex("57 4B 4C 59 0B 00 83 00 01 00 80"));
    zero.config.closed_bit = false;
    assert_eq!(reply(&mut zero, READ_1)[9], 0x01, "wired the other way round");
}

#[test]
fn all_are_read_in_one_frame() {
    let mut zero = board();
    zero.locks[2].act(DoorAction::Open, 0);
    let all = reply(&mut zero, "57 4B 4C 59 08 00 84 85");
    assert_eq!(all[..9], hex("57 4B 4C 59 16 00 84 00 0C"));
    assert_eq!(all[9..21], [1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(sum(&all), 0);
    let longest = Board::new(&SimBoard::wkly(0, 38), Physics::default(), 1).config.locks;
    assert_eq!(10 + usize::from(longest), LEN_MAX);
}

#[test]
fn several_are_opened_together_or_in_turn() {
    let mut zero = board();
    let together = ask(&mut zero, "57 4B 4C 59 0C 00 80 03 01 02 03 86");
    assert!(together.coils.iter().all(|(_, on)| matches!(on, CoilSwitch::On { after_us: 0, .. })));
    let in_turn = ask(&mut zero, "57 4B 4C 59 0C 00 87 03 01 02 03 81");
    assert_eq!((in_turn.coils.len(), in_turn.after_us), (3, 900_000));
    let all = ask(&mut zero, "57 4B 4C 59 08 00 86 87");
    assert_eq!(all.coils.len(), 12);
    assert_eq!(all.reply, Some(hex("57 4B 4C 59 09 00 86 00 86")));
    assert_eq!(target(&hex("57 4B 4C 59 08 00 86 87")).opens, Opens::Many);
    assert_eq!(target(&hex(OPEN_1)), Target { command: 0x82, lock: Some(1), opens: Opens::One });
}

#[test]
fn a_lock_it_does_not_have_is_refused() {
    let mut zero = board();
    let refused = reply(&mut zero, "57 4B 4C 59 09 00 83 0D 8E");
    assert_eq!(refused, hex("57 4B 4C 59 0B 00 83 FF 0D FF 8C"));
    assert_eq!(refusal(&zero, &hex(OPEN_1)), hex("57 4B 4C 59 0B 00 82 FF 01 FF 81"));
    assert_eq!(changed(&zero, 1, false), hex("57 4B 4C 59 0A 00 85 02 00 84"));
}

#[test]
fn wrong_lengths_and_sums_get_silence() {
    assert_eq!(find_frame(&hex("57 4B 4C 59 FF 00 83")), Found::Noise(1));
    assert_eq!(find_frame(&hex("57 4B 4C 59 05 00 80")), Found::Noise(1));
    assert_eq!(find_frame(&hex("57 4B 4C 59 08 00 84 84")), Found::Noise(1));
    assert_eq!(find_frame(&hex("57 4B 4C")), Found::More);
    let mut framer = Framer::new(SimFamily::Wkly);
    let mut stream = hex("00 57 4B 4C 59 FF");
    stream.extend(hex(READ_1));
    assert_eq!(framer.feed(&stream), [hex(READ_1)]);
}
