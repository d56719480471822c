//! Both CU48 dialects against the frames of their protocol.

use super::*;
use crate::sim::config::{Physics, SimBoard};
use crate::sim::lock::DoorAction;

fn board(config: &SimBoard) -> Board {
    Board::new(config, Physics { bounce_ms: 0, ..Physics::default() }, 1)
}

fn ask(board: &mut Board, frame: &[u8]) -> Execution {
    let found = find_frame(board.config.family, frame);
    assert_eq!(found, Found::Frame(frame.len()), "{frame:02X?}");
    assert_ne!(addressed(board, frame), Addressed::No, "{frame:02X?}");
    execute(board, frame, 1_000)
}

#[test]
fn status_shows_hooks_in_twelve_bytes() {
    let mut zero = board(&SimBoard::cu48(0));
    for index in 3..46 {
        zero.locks[index].act(DoorAction::Open, 0);
    }
    let reply = ask(&mut zero, &[0x02, 0x00, 0x00, 0x50, 0x03, 0x55]).reply;
    let vendor = [0x02, 0x00, 0x00, 0x65, 0x07, 0x00, 0x00, 0x00, 0x00, 0xC0, 0x03, 0x31];
    assert_eq!(reply.as_deref(), Some(vendor.as_slice()), "locks 1, 2, 3, 47, 48 are locked");
    let every = ask(&mut zero, &[0x02, 0x0A, 0x00, 0x50, 0x03, 0x5F]);
    assert!(every.in_turn && every.reply.is_some());
    let mut moved = vendor.to_vec();
    readdress(&mut moved);
    assert_eq!((moved[1], moved[11]), (0x01, 0x32));
}

#[test]
fn the_infrared_dialect_adds_the_items() {
    let mut zero = board(&SimBoard::cu48_ir(0));
    for lock in &mut zero.locks {
        lock.act(DoorAction::Open, 0);
    }
    zero.locks[0].act(DoorAction::PutItem, 0);
    let reply = ask(&mut zero, &[0x02, 0x00, 0x00, 0x60, 0x03, 0x65]).reply.expect("answered");
    let mut want = vec![0x02, 0x00, 0x00, 0x75, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x03, 0x7B];
    assert_eq!(reply, want);
    zero.locks[0].act(DoorAction::TakeItem, 0);
    zero.locks[2].act(DoorAction::Close, 0);
    (want[4], want[10], want[17]) = (4, 0, 0x7E);
    let reply = ask(&mut zero, &[0x02, 0x00, 0x00, 0x60, 0x03, 0x65]).reply;
    assert_eq!(reply, Some(want));
    let other = find_frame(SimFamily::KerongCu48Ir, &[0x02, 0x00, 0x00, 0x50, 0x03, 0x55]);
    assert_eq!(other, Found::Noise(1), "the older dialect is not understood");
}

#[test]
fn unlock_is_silent_unless_set_so() {
    let mut zero = board(&SimBoard::cu48(0));
    let last = [0x02, 0x00, 0x2F, 0x51, 0x03, 0x85];
    let execution = ask(&mut zero, &last);
    assert_eq!(execution.reply, None);
    let on = CoilSwitch::On { after_us: 0, duration_us: Some(550_000) };
    assert_eq!(execution.coils, [(47, on)]);
    let want = Target { command: 0x51, lock: Some(48), opens: Opens::One };
    assert_eq!(target(SimFamily::KerongCu48, &last), want);
    let mut infrared = board(&SimBoard::cu48_ir(0));
    infrared.config.answers_unlock = Some(true);
    let reply = ask(&mut infrared, &[0x02, 0x00, 0x01, 0x61, 0x03, 0x67]).reply;
    assert_eq!(reply.as_deref(), Some([0x02, 0x00, 0x01, 0x75, 0x03, 0x7B].as_slice()));
}

#[test]
fn all_48_are_opened_one_after_another() {
    let all = [0x02, 0x00, 0x30, 0x51, 0x03, 0x86];
    assert_eq!(target(SimFamily::KerongCu48, &all).opens, Opens::Many);
    let coils = ask(&mut board(&SimBoard::cu48(0)), &all).coils;
    let on = CoilSwitch::On { after_us: 47 * 550_000, duration_us: Some(550_000) };
    assert_eq!((coils.len(), coils[47]), (48, (47, on)));
}

#[test]
fn wrong_sums_get_silence() {
    let wrong = find_frame(SimFamily::KerongCu48, &[0x02, 0x00, 0x00, 0x50, 0x03, 0x56]);
    assert_eq!(wrong, Found::Noise(1));
    assert_eq!(find_frame(SimFamily::KerongCu48, &[0x02, 0x00, 0x00, 0x50]), Found::More);
}
