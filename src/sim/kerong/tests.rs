//! The CU16 board against hand-written frames.

use super::*;
use crate::sim::config::{Physics, SimBoard, SimFamily};
use crate::sim::framer::Framer;
use crate::sim::lock::DoorAction;

fn board(address: u8) -> Board {
    Board::new(&SimBoard::cu16(address), Physics { bounce_ms: 0, ..Physics::default() }, 1)
}

fn ask(board: &mut Board, frame: &[u8]) -> Execution {
    assert_eq!(find_frame(frame), Found::Frame(frame.len()), "{frame:02X?}");
    assert_ne!(addressed(board, frame), Addressed::No, "{frame:02X?}");
    execute(board, frame, 1_000)
}

#[test]
fn status_shows_hooks_and_items_in_nine_bytes() {
    let mut first = board(0);
    let status = [0x02, 0x00, 0x30, 0x03, 0x35];
    let reply = ask(&mut first, &status).reply.expect("answered");
    assert_eq!(reply, [0x02, 0x00, 0x35, 0xFF, 0xFF, 0x00, 0x00, 0x03, 0x38]);
    first.locks[0].act(DoorAction::Open, 0);
    first.locks[0].act(DoorAction::PutItem, 0);
    let mut opened = ask(&mut first, &status).reply.expect("answered");
    assert_eq!(opened, [0x02, 0x00, 0x35, 0xFE, 0xFF, 0x01, 0x00, 0x03, 0x38]);
    readdress(&mut opened);
    assert_eq!(opened, [0x02, 0x10, 0x35, 0xFE, 0xFF, 0x01, 0x00, 0x03, 0x48]);
    first.config.closed_bit = false;
    for lock in &mut first.locks {
        lock.act(DoorAction::Close, 0);
        lock.item = false;
    }
    let inverted = ask(&mut first, &status).reply.expect("answered");
    assert_eq!(inverted, [0x02, 0x00, 0x35, 0x00, 0x00, 0x00, 0x00, 0x03, 0x3A]);
}

#[test]
fn unlock_pulses_its_lock_and_answers_only_when_set_so() {
    let mut second = board(1);
    let unlock = [0x02, 0x12, 0x31, 0x03, 0x48];
    let quiet = ask(&mut second, &unlock);
    assert_eq!(quiet.reply, None);
    let on = CoilSwitch::On { after_us: 0, duration_us: Some(550_000) };
    assert_eq!(quiet.coils, [(2, on)]);
    assert_eq!(target(&unlock), Target { command: 0x31, lock: Some(3), opens: Opens::One });
    second.config.answers_unlock = Some(true);
    let reply = ask(&mut second, &unlock).reply.expect("answered");
    assert_eq!(reply, [0x02, 0x10, 0x35, 0xFF, 0xFF, 0x00, 0x00, 0x03, 0x48]);
    assert_eq!(addressed(&second, &[0x02, 0x00, 0x31, 0x03, 0x36]), Addressed::No);
}

#[test]
fn unlock_all_runs_through_the_locks_one_after_another() {
    let coils = ask(&mut board(0), &[0x02, 0x00, 0x33, 0x03, 0x38]).coils;
    assert_eq!(coils.len(), 16);
    let on = CoilSwitch::On { after_us: 15 * 550_000, duration_us: Some(550_000) };
    assert_eq!(coils[15], (15, on));
}

#[test]
fn the_status_of_the_bus_comes_from_every_board_in_turn() {
    let every = [0x02, 0xF0, 0x32, 0x03, 0x27];
    let mut zero = board(0);
    assert_eq!(addressed(&zero, &every), Addressed::Every);
    let execution = ask(&mut zero, &every);
    assert!(execution.in_turn);
    let reply = execution.reply.expect("answered");
    assert_eq!(reply, [0x02, 0x00, 0x36, 0xFF, 0xFF, 0x00, 0x00, 0x03, 0x39]);
    let one = ask(&mut zero, &[0x02, 0x00, 0x32, 0x03, 0x37]);
    assert!(!one.in_turn && one.reply.is_some());
    assert_eq!(addressed(&zero, &[0x02, 0xF0, 0x31, 0x03, 0x26]), Addressed::No);
}

#[test]
fn the_unlock_time_can_be_set_and_asked_for() {
    let mut zero = board(0);
    let set = ask(&mut zero, &[0x02, 0x00, 0x37, 0x00, 0x14, 0x03, 0x50]).reply;
    assert_eq!(set.expect("answered"), [0x02, 0x00, 0x38, 0x00, 0x14, 0x03, 0x51]);
    let asked = ask(&mut zero, &[0x02, 0x00, 0x37, 0x03, 0x3C]).reply;
    assert_eq!(asked.expect("answered"), [0x02, 0x00, 0x38, 0x00, 0x14, 0x03, 0x51]);
    let coils = ask(&mut zero, &[0x02, 0x00, 0x31, 0x03, 0x36]).coils;
    assert_eq!(coils[0].1, CoilSwitch::On { after_us: 0, duration_us: Some(200_000) });
}

#[test]
fn the_framer_survives_noise_and_splits() {
    let mut framer = Framer::new(SimFamily::KerongCu16);
    let stream =
        [0xFF, 0x02, 0x55, 0x02, 0x00, 0x30, 0x03, 0x36, 0x02, 0x00, 0x30, 0x03, 0x35, 0x02];
    let mut found = Vec::new();
    for byte in stream {
        found.extend(framer.feed(&[byte]));
    }
    assert_eq!(found, [[0x02, 0x00, 0x30, 0x03, 0x35]]);
    assert!(framer.bad && !framer.is_idle());
    assert_eq!(framer.silence(), None);
    assert!(framer.is_idle());
}
