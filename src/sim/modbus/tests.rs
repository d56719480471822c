//! The relay board against the hand-written frames of the vector file.

use super::*;
use crate::sim::config::{Physics, SimBoard, SimFamily};
use crate::sim::framer::Framer;
use crate::sim::lock::DoorAction;

fn board(locks: u8) -> Board {
    Board::new(&SimBoard::modbus(1, locks), Physics { bounce_ms: 0, ..Physics::default() }, 1)
}

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect()
}

/// A body sealed with its CRC, for requests the vector file does not hold.
fn with_crc(body: &str) -> Vec<u8> {
    sealed(hex(body))
}

fn ask(board: &mut Board, frame: &[u8]) -> Option<Vec<u8>> {
    let is_whole = find_frame(frame) == Found::Frame(frame.len()) || frame_at_silence(frame);
    assert!(is_whole, "{frame:02X?}");
    let execution = execute(board, frame, 0);
    for (n, change) in execution.coils {
        match change {
            CoilSwitch::On { after_us, duration_us } => {
                board.locks[n].energise(0, after_us, duration_us);
            }
            CoilSwitch::Off => board.locks[n].switch_off(0),
        }
    }
    execution.reply
}

/// The lines of one mark under the relay family of the vector file.
fn vectors(mark: &str) -> Vec<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/vectors.txt");
    let text = std::fs::read_to_string(path).expect("the vector file");
    let mut family = "";
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# family=") {
            family = name.split(' ').next().unwrap_or_default();
        } else if family == "modbus-relay"
            && let Some(rest) = line.strip_prefix(mark)
        {
            found.push(hex(rest.split(';').next().unwrap_or_default()));
        }
    }
    assert!(!found.is_empty(), "no {mark:?} lines");
    found
}

#[test]
fn every_request_of_the_vector_file_is_answered_and_no_broken_one() {
    for frame in vectors("> ") {
        let reply = ask(&mut board(16), &frame);
        assert!(reply.is_some_and(|reply| crc_holds(&reply)), "{frame:02X?}");
    }
    for frame in vectors("!b ") {
        let mut framer = Framer::new(SimFamily::ModbusRelay);
        assert!(framer.feed(&frame).is_empty(), "{frame:02X?}");
        assert_eq!(framer.silence(), None, "{frame:02X?}");
    }
}

#[test]
fn a_flash_is_answered_with_itself_and_timed_by_the_board() {
    let mut board = board(8);
    let flash = hex("01 05 02 00 00 07 8D B0");
    assert_eq!(ask(&mut board, &flash), Some(flash.clone()));
    assert!(board.locks[0].coil_on(699_999));
    assert!(!board.locks[0].coil_on(700_000));
    assert_eq!(target(&flash), Target { command: 5, lock: Some(1), opens: Opens::One });
    assert_eq!(target(&hex("01 05 00 FF 00 00 FD FA")).lock, None);
}

#[test]
fn relays_read_back_and_switch_one_by_one_and_together() {
    let mut board = board(8);
    ask(&mut board, &hex("01 05 02 00 00 07 8D B0"));
    ask(&mut board, &with_crc("01 05 00 06 FF 00"));
    let read = hex("01 01 00 00 00 08 3D CC");
    assert_eq!(ask(&mut board, &read), Some(hex("01 01 01 41 91 B8")), "relays 1 and 7");
    ask(&mut board, &hex("01 05 00 FF 00 00 FD FA"));
    assert_eq!(ask(&mut board, &read), Some(with_crc("01 01 01 00")));
    ask(&mut board, &hex("01 05 00 00 55 00 F2 9A"));
    assert_eq!(ask(&mut board, &read), Some(with_crc("01 01 01 01")), "toggled on");
    ask(&mut board, &hex("01 05 00 00 55 00 F2 9A"));
    assert_eq!(ask(&mut board, &read), Some(with_crc("01 01 01 00")), "toggled off");
    let many = with_crc("01 0F 00 00 00 08 01 A1");
    assert_eq!(ask(&mut board, &many), Some(with_crc("01 0F 00 00 00 08")));
    assert_eq!(ask(&mut board, &read), Some(with_crc("01 01 01 A1")));
    ask(&mut board, &with_crc("01 05 04 00 00 07"));
    assert!(!board.locks[0].coil_on(0), "a flash-off interrupts it");
    assert!(board.locks[0].coil_on(700_000), "and then it is on again");
}

#[test]
fn inputs_show_the_doors_in_the_wired_polarity() {
    let mut board = board(8);
    let read = hex("01 02 00 00 00 08 79 CC");
    board.locks[1].act(DoorAction::Open, 0);
    assert_eq!(ask(&mut board, &read), Some(with_crc("01 02 01 FD")));
    board.config.closed_bit = false;
    assert_eq!(ask(&mut board, &read), Some(with_crc("01 02 01 02")));
    board.config.door_inputs = false;
    assert_eq!(ask(&mut board, &read), Some(hex("01 82 02 C1 61")));
}

#[test]
fn registers_tell_version_and_address_and_take_a_new_one() {
    let mut board = board(8);
    let version = hex("00 03 80 00 00 01 AC 1B");
    assert_eq!(ask(&mut board, &version), Some(hex("01 03 02 00 C8 B9 D2")));
    let address = hex("00 03 40 00 00 01 90 1B");
    assert_eq!(ask(&mut board, &address), Some(hex("01 03 02 00 01 79 84")));
    let modes = hex("01 03 10 00 00 08 40 CC");
    assert_eq!(ask(&mut board, &modes).map(|reply| reply.len()), Some(3 + 16 + 2));
    let move_to_9 = with_crc("00 06 40 00 00 09");
    assert_eq!(ask(&mut board, &move_to_9), Some(move_to_9.clone()));
    assert_eq!(addressed(&board, &hex("09 01 00 00")), Addressed::Own);
    assert_eq!(addressed(&board, &hex("01 01 00 00")), Addressed::No);
}

#[test]
fn nonsense_gets_the_exception_it_deserves() {
    for (request, code) in [
        ("01 05 00 00 12 34", ILLEGAL_VALUE),
        ("01 05 02 00 00 00", ILLEGAL_VALUE),
        ("01 05 02 00 80 00", ILLEGAL_VALUE),
        ("01 05 02 08 00 07", ILLEGAL_ADDRESS),
        ("01 05 00 08 FF 00", ILLEGAL_ADDRESS),
        ("01 01 00 00 00 09", ILLEGAL_ADDRESS),
        ("01 02 00 00 00 00", ILLEGAL_VALUE),
        ("01 03 12 34 00 01", ILLEGAL_ADDRESS),
        ("01 06 40 00 01 00", ILLEGAL_VALUE),
        ("01 06 80 00 00 01", ILLEGAL_ADDRESS),
        ("01 06 20 00 03 01", ILLEGAL_VALUE),
        ("01 0F 00 00 00 08 02 00 00", ILLEGAL_VALUE),
        ("01 10 00 00 00 01 02 00 00", ILLEGAL_FUNCTION),
    ] {
        let frame = with_crc(request);
        let reply = ask(&mut board(8), &frame).expect(request);
        assert_eq!(reply[..3], [1, frame[1] | 0x80, code], "{request}");
    }
    assert!(!frame_at_silence(&with_crc("01 0F")), "a known function has its length");
    assert_eq!(ask(&mut board(8), &with_crc("00 05 00 FF 00 00")), None, "broadcast");
}

#[test]
fn after_a_broken_frame_the_board_hears_nothing_until_silence() {
    let mut framer = Framer::new(SimFamily::ModbusRelay);
    let good = hex("01 01 00 00 00 08 3D CC");
    assert!(framer.feed(&hex("01 01 00 00 00 08 3D CD")).is_empty());
    assert!(framer.feed(&good).is_empty(), "no gap between the two");
    assert_eq!(framer.silence(), None);
    assert_eq!(framer.feed(&good[..5]), Vec::<Vec<u8>>::new());
    assert_eq!(framer.feed(&good[5..]), std::slice::from_ref(&good));
    framer.feed(&good[..5]);
    assert_eq!(framer.silence(), None);
    assert_eq!(framer.feed(&good), [good]);
}

#[test]
fn another_address_keeps_the_crc_right() {
    let mut reply = hex("01 02 01 00 A1 88");
    readdress(&mut reply);
    assert_eq!(reply, hex("02 02 01 00 A1 CC"));
}
