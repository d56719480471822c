//! The "8A/80" board against the frames of its protocol.

use super::*;
use crate::sim::config::{Feedback, Physics, SimBoard, SimFamily};
use crate::sim::framer::Framer;
use crate::sim::lock::DoorAction;

fn board(locks: u8) -> Board {
    let physics = Physics { bounce_ms: 0, ..Physics::default() };
    Board::new(&SimBoard::xor(1, locks), physics, 1)
}

fn ask(board: &mut Board, frame: &[u8]) -> Execution {
    assert_eq!(find_frame(frame), Found::Frame(frame.len()), "{frame:02X?}");
    assert_eq!(addressed(board, frame), Addressed::Own, "{frame:02X?}");
    execute(board, frame, 1_000)
}

fn reply(board: &mut Board, frame: &[u8]) -> Vec<u8> {
    ask(board, frame).reply.expect("answered")
}

const OPEN_1: [u8; 5] = [0x8A, 0x01, 0x01, 0x11, 0x9B];
const READ_1: [u8; 5] = [0x80, 0x01, 0x01, 0x33, 0xB3];
const READ_ALL: [u8; 5] = [0x80, 0x01, 0x00, 0x33, 0xB2];

#[test]
fn one_lock_is_read_with_either_wiring() {
    let mut closing = board(8);
    assert_eq!(reply(&mut closing, &READ_1), [0x80, 0x01, 0x01, 0x11, 0x91]);
    closing.locks[0].act(DoorAction::Open, 0);
    assert_eq!(reply(&mut closing, &READ_1), [0x80, 0x01, 0x01, 0x00, 0x80]);
    let mut opening = board(8);
    opening.config.feedback = Some(Feedback::Opening);
    assert_eq!(reply(&mut opening, &READ_1), [0x80, 0x01, 0x01, 0x00, 0x80]);
    assert_eq!(ask(&mut opening, &[0x80, 0x01, 0x09, 0x33, 0xBB]).reply, None, "no such lock");
}

#[test]
fn all_locks_are_read_in_either_order_and_length() {
    let mut eight = board(8);
    for lock in &mut eight.locks {
        lock.act(DoorAction::Open, 0);
    }
    assert_eq!(reply(&mut eight, &READ_ALL), [0x80, 0x01, 0x00, 0x00, 0x00, 0x33, 0xB2]);
    eight.locks[1].act(DoorAction::Close, 0);
    assert_eq!(reply(&mut eight, &READ_ALL), [0x80, 0x01, 0x00, 0x00, 0x02, 0x33, 0xB0]);
    eight.config.status_order = StatusOrder::LowestFirst;
    assert_eq!(reply(&mut eight, &READ_ALL), [0x80, 0x01, 0x02, 0x00, 0x00, 0x33, 0xB0]);
    eight.config.status_bytes = Some(7);
    assert_eq!(reply(&mut eight, &READ_ALL).len(), 11);
    assert_eq!(reply(&mut board(50), &READ_ALL).len(), 11);
    assert_eq!(reply(&mut board(50), &READ_ALL)[2], 0x03, "locks 49 and 50 first");
}

#[test]
fn an_open_answers_with_what_the_board_sees_then() {
    let mut quick = board(8);
    let execution = ask(&mut quick, &OPEN_1);
    assert_eq!(execution.reply.as_deref(), Some(OPEN_1.as_slice()), "still closed: as an echo");
    let on = CoilSwitch::On { after_us: 0, duration_us: Some(300_000) };
    assert_eq!(execution.coils, [(0, on)]);
    let mut patient = board(8);
    patient.config.unlock_reply_ms = 200;
    let execution = ask(&mut patient, &OPEN_1);
    assert_eq!(execution.reply.as_deref(), Some([0x8A, 0x01, 0x01, 0x00, 0x8A].as_slice()));
    assert_eq!(execution.after_us, 200_000);
    assert_eq!(patient.locks[0].pulse_count, 0, "only a copy was asked");
    patient.config.answers_unlock = Some(false);
    assert_eq!(ask(&mut patient, &OPEN_1).reply, None);
    let timed = [0x8A, 0x01, 0x01, 0x11, 0x02, 0x99];
    let on = CoilSwitch::On { after_us: 0, duration_us: Some(2_000_000) };
    assert_eq!(ask(&mut quick, &timed).coils, [(0, on)]);
}

#[test]
fn all_are_opened_one_after_another_and_answered_after_the_run() {
    let mut eight = board(8);
    let all = [0x8A, 0x01, 0x00, 0x11, 0x9A];
    assert_eq!(target(&all).opens, Opens::Many);
    let execution = ask(&mut eight, &all);
    assert_eq!((execution.coils.len(), execution.after_us), (8, 2_400_000));
    assert_eq!(execution.reply.as_deref(), Some(all.as_slice()), "as an echo");
    let on = CoilSwitch::On { after_us: 2_100_000, duration_us: Some(300_000) };
    assert_eq!(execution.coils[7], (7, on));
    let bitmap = [0x90, 0x01, 0x05, 0x00, 0x00, 0x94];
    assert_eq!(target(&bitmap).opens, Opens::Many);
    let coils = ask(&mut eight, &bitmap).coils;
    assert_eq!(coils.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn hold_and_release_and_the_board_s_own_word() {
    let mut eight = board(8);
    let hold = [0x9A, 0x01, 0x02, 0x11, 0x88];
    let on = CoilSwitch::On { after_us: 0, duration_us: None };
    assert_eq!(ask(&mut eight, &hold).coils, [(1, on)]);
    let release = [0x9B, 0x01, 0x02, 0x11, 0x89];
    assert_eq!(ask(&mut eight, &release).coils, [(1, CoilSwitch::Off)]);
    assert_eq!(changed(&eight, 0, true), [0x81, 0x01, 0x01, 0x11, 0x90]);
    assert_eq!(ask(&mut eight, &[0x82, 0x01, 0x00, 0x22, 0xA1]).reply, None);
    assert_eq!(refusal(&eight, &OPEN_1).expect("known"), OPEN_1);
    assert_eq!(target(&OPEN_1), Target { command: 0x8A, lock: Some(1), opens: Opens::One });
    let mut moved = vec![0x80, 0x01, 0x01, 0x11, 0x91];
    readdress(&mut moved);
    assert_eq!(moved, [0x80, 0x02, 0x01, 0x11, 0x92]);
}

#[test]
fn noise_and_wrong_sums_get_silence() {
    let mut framer = Framer::new(SimFamily::XorBoard);
    let mut stream = vec![0xFA, 0xFD, 0x99, 0x99];
    stream.extend(READ_1);
    assert_eq!(framer.feed(&stream), [READ_1]);
    assert!(framer.bad);
    assert_eq!(find_frame(&[0x80, 0x01, 0x01, 0x33, 0xB2]), Found::Noise(1));
    assert_eq!(addressed(&board(8), &[0x80, 0x02, 0x01, 0x33, 0xB0]), Addressed::No);
}
