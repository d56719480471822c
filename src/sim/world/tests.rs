//! Boards together: supplies, turns, collisions and faults, without a line or a clock.

use proptest::prelude::*;

use super::reply::TURN_GAP_US;
use super::*;
use crate::sim::config::{Physics, SimBoard, SimFamily};
use crate::sim::framer::Framer;

mod faults;

const FAMILIES: [SimFamily; 6] = [
    SimFamily::ModbusRelay,
    SimFamily::XorBoard,
    SimFamily::KerongCu16,
    SimFamily::KerongCu48,
    SimFamily::KerongCu48Ir,
    SimFamily::Wkly,
];
const STATUS_ALL: [u8; 5] = [0x02, 0xF0, 0x32, 0x03, 0x27];

fn world(pacing: bool, buses: Vec<SimBus>) -> World {
    let physics = Physics { bounce_ms: 0, ..Physics::default() };
    World::new(&SimConfig { pacing, physics, buses, ..SimConfig::default() }, 1_700_000_000_000)
}

fn kerong(world: &mut World, bus: usize, frame: &[u8], now_us: u64) -> Outcome {
    world.request(bus, SimFamily::KerongCu16, frame, at(now_us, 19_200))
}

fn modbus(world: &mut World, frame: &[u8], now_us: u64) -> Outcome {
    world.request(0, SimFamily::ModbusRelay, frame, at(now_us, 9_600))
}

fn at(at_us: u64, baud: u32) -> Heard {
    Heard { at_us, baud }
}

fn unlock(world: &mut World, bus: usize, board: u8, lock: u8, now_us: u64) {
    let address = board << 4 | (lock - 1);
    let sum = 0x02_u8.wrapping_add(address).wrapping_add(0x31).wrapping_add(0x03);
    kerong(world, bus, &[0x02, address, 0x31, 0x03, sum], now_us);
}

fn kinds(world: &mut World, now_us: u64) -> Vec<ViolationKind> {
    world.violations(now_us).into_iter().map(|violation| violation.kind).collect()
}

fn two_buses() -> Vec<SimBus> {
    vec![
        SimBus::new("east", "e", 19_200).with(SimBoard::cu16(0)).with(SimBoard::cu16(1)),
        SimBus::new("west", "w", 19_200).with(SimBoard::cu16(0)),
    ]
}

#[test]
fn one_coil_per_supply_even_across_buses() {
    let mut world = world(false, two_buses());
    unlock(&mut world, 0, 0, 1, 0);
    unlock(&mut world, 0, 1, 1, 550_000);
    assert_eq!(kinds(&mut world, 2_000_000), [], "one after the other is fine");
    unlock(&mut world, 0, 0, 2, 3_000_000);
    unlock(&mut world, 1, 0, 1, 3_549_999);
    let broken = world.violations(4_000_000);
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0].kind, ViolationKind::CoilsTogether);
    assert_eq!((broken[0].bus.as_str(), broken[0].lock), ("west", Some(1)));
    assert!(broken[0].detail.contains("east/0/2"), "{}", broken[0].detail);
}

#[test]
fn separate_supplies_may_draw_together() {
    let mut buses = two_buses();
    buses[1].boards[0].power_supply = "second".to_owned();
    let mut world = world(false, buses);
    unlock(&mut world, 0, 0, 1, 0);
    unlock(&mut world, 1, 0, 1, 0);
    assert_eq!(kinds(&mut world, 1_000_000), []);
}

#[test]
fn a_second_pulse_within_two_seconds_is_noted() {
    let mut world = world(false, two_buses());
    unlock(&mut world, 0, 0, 1, 0);
    unlock(&mut world, 0, 0, 1, 2_000_000);
    assert_eq!(kinds(&mut world, 3_000_000), []);
    unlock(&mut world, 0, 0, 1, 3_500_000);
    assert_eq!(kinds(&mut world, 5_000_000), [ViolationKind::PulseTooSoon]);
    let pulses = world.pulses(3_600_000);
    assert_eq!(pulses.len(), 3);
    assert_eq!((pulses[0].commanded_ms, pulses[0].duration_ms), (Some(550), 550));
    assert_eq!(pulses[2].duration_ms, 100, "still on");
    assert_eq!(pulses[1].at_unix_ms, 1_700_000_002_000);
}

#[test]
fn a_relay_left_on_is_found_by_looking() {
    let bus = SimBus::new("east", "e", 9_600).with(SimBoard::modbus(1, 8));
    let mut world = world(false, vec![bus]);
    let on = [0x01, 0x05, 0x00, 0x00, 0xFF, 0x00, 0x8C, 0x3A];
    modbus(&mut world, &on, 0);
    assert_eq!(kinds(&mut world, 1_000_000), []);
    assert_eq!(kinds(&mut world, 1_100_000), [ViolationKind::CoilTooLong]);
    modbus(&mut world, &on, 1_200_000);
    assert_eq!(world.pulses(2_500_000).len(), 1, "already on");
    let state = world.state(2_500_000);
    let lock = state.lock("east", 1, 1).expect("there");
    assert!(lock.burnt && lock.coil_on && lock.coil_ms_total == 2_500);
    let off = [0x01, 0x05, 0x00, 0xFF, 0x00, 0x00, 0xFD, 0xFA];
    modbus(&mut world, &off, 2_600_000);
    assert!(!world.state(2_600_000).lock("east", 1, 1).expect("there").coil_on);
}

#[test]
fn boards_answer_the_whole_bus_in_turn_without_overlap() {
    let mut buses = two_buses();
    buses[0].boards.reverse();
    let mut world = world(true, buses);
    let answers = kerong(&mut world, 0, &STATUS_ALL, 0).answers;
    let senders: Vec<u8> = answers.iter().map(|answer| answer.bytes[1]).collect();
    assert_eq!(senders, [0x00, 0x10], "by address, not by configuration");
    assert_eq!(answers[0].due_us, 2_000);
    assert_eq!(answers[1].due_us, 2_000 + 9 * 521 + TURN_GAP_US);
    assert_eq!((answers[0].follows, answers[1].follows), (false, true));
}

#[test]
fn two_boards_with_one_address_answer_into_each_other() {
    let bus =
        SimBus::new("east", "e", 9_600).with(SimBoard::modbus(1, 8)).with(SimBoard::modbus(2, 8));
    let mut world = world(false, vec![bus]);
    world.act(("east", &2.into(), 1), DoorAction::Open, 0).expect("known");
    let set = [0x00, 0x06, 0x40, 0x00, 0x00, 0x01, 0x5C, 0x1B];
    let answers = modbus(&mut world, &set, 0).answers;
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].bytes, set, "equal replies look like one");
    let read = [0x01, 0x02, 0x00, 0x00, 0x00, 0x08, 0x79, 0xCC];
    let answers = modbus(&mut world, &read, 0).answers;
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].bytes[..3], [0x01, 0x02, 0x01]);
    let sum = crc::Crc::<u16>::new(&crc::CRC_16_MODBUS).checksum(&answers[0].bytes[..4]);
    assert_ne!(answers[0].bytes[4..], sum.to_le_bytes(), "what differs is garbled");
    assert_eq!(world.state(0).buses[0].boards[1].address, 1);
}

#[test]
fn a_busy_board_answers_one_thing_after_the_other() {
    let mut world = world(true, two_buses());
    let late = Fault::new("east", FaultKind::Late { ms: 300 }).board(0).times(1);
    world.add_fault(late, 0).expect("fine");
    let status = [0x02, 0x00, 0x30, 0x03, 0x35];
    let first = kerong(&mut world, 0, &status, 0).answers[0].due_us;
    let second = kerong(&mut world, 0, &status, 100_000).answers[0].due_us;
    let other = kerong(&mut world, 0, &[0x02, 0x10, 0x30, 0x03, 0x45], 100_000).answers[0].due_us;
    assert_eq!((first, second, other), (302_000, 302_000, 102_000));
}

#[test]
fn faults_bend_the_reply_in_a_fixed_order() {
    let mut world = world(false, two_buses());
    for kind in [
        FaultKind::Noise { bytes: 2 },
        FaultKind::Duplicate,
        FaultKind::Truncated { bytes: 3 },
        FaultKind::WrongAddress,
    ] {
        world.add_fault(Fault::new("east", kind), 0).expect("fine");
    }
    let status = [0x02, 0x00, 0x30, 0x03, 0x35];
    let bytes = &kerong(&mut world, 0, &status, 0).answers[0].bytes;
    assert_eq!(bytes[2..], [0x02, 0x10, 0x35, 0x02, 0x10, 0x35]);
    world.clear_faults(0);
    let bytes = &kerong(&mut world, 0, &status, 0).answers[0].bytes;
    assert_eq!(bytes[..3], [0x02, 0x00, 0x35]);
}

#[test]
fn sensor_faults_hold_until_cleared_and_unknown_places_are_named() {
    let mut world = world(false, two_buses());
    let stuck = Fault::new("east", FaultKind::SensorOpen).board(1).lock(2);
    world.add_fault(stuck, 0).expect("fine");
    let bytes = &kerong(&mut world, 0, &[0x02, 0x10, 0x30, 0x03, 0x45], 0).answers[0].bytes;
    assert_eq!(bytes[3..5], [0xFD, 0xFF]);
    world.clear_faults(0);
    let bytes = &kerong(&mut world, 0, &[0x02, 0x10, 0x30, 0x03, 0x45], 0).answers[0].bytes;
    assert_eq!(bytes[3..5], [0xFF, 0xFF]);
    for (fault, says) in [
        (Fault::new("north", FaultKind::Silent), "east, west"),
        (Fault::new("east", FaultKind::Silent).board(7), "0, 1"),
        (Fault::new("east", FaultKind::Silent).board(1).lock(17), "1 to 16"),
    ] {
        let error = world.add_fault(fault, 0).expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
    }
}

proptest! {
    /// Whatever bytes come in whatever portions, with right checksums or without: no board
    /// panics, no framer hoards.
    #[test]
    fn no_bytes_upset_the_boards(
        portions in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..40), 0..8_u8),
            1..20,
        ),
    ) {
        let bus = SimBus::new("east", "e", 9_600)
            .with(SimBoard::modbus(1, 8))
            .with(SimBoard::cu16(0).named("cu16"))
            .with(SimBoard::xor(1, 50).named("xor"))
            .with(SimBoard::cu48(0).named("cu48"))
            .with(SimBoard::cu48_ir(0).named("cu48-ir"))
            .with(SimBoard::wkly(0, 24).named("wkly"));
        let mut world = world(true, vec![bus]);
        let mut framers = FAMILIES.map(Framer::new);
        for (n, (mut bytes, shape)) in (1_u64..).zip(portions) {
            match shape {
                0 => seal_modbus(&mut bytes),
                1 => seal_kerong(&mut bytes),
                2 => seal_xor(&mut bytes),
                3 => seal_cu48(&mut bytes),
                4 => seal_wkly(&mut bytes),
                _ => {}
            }
            for framer in &mut framers {
                let mut frames = framer.feed(&bytes);
                if shape < 6 {
                    frames.extend(framer.silence());
                    prop_assert!(framer.is_idle());
                }
                for frame in frames {
                    world.request(0, framer.family, &frame, at(n * 10_000, 9_600));
                }
            }
        }
        world.state(1_000_000_000);
    }
}

/// Makes a request for board 1 with a right CRC out of arbitrary bytes.
fn seal_modbus(bytes: &mut Vec<u8>) {
    if let [address, function, ..] = bytes.as_mut_slice() {
        *address &= 1;
        *function &= 0x1F;
        bytes.truncate(6);
        let sum = crc::Crc::<u16>::new(&crc::CRC_16_MODBUS).checksum(bytes);
        bytes.extend(sum.to_le_bytes());
    }
}

/// Makes a request for board 0 with a right sum out of arbitrary bytes.
fn seal_kerong(bytes: &mut Vec<u8>) {
    let low = bytes.first().map_or(0, |byte| byte & 0x0F);
    let command = 0x30 | bytes.get(1).map_or(0, |byte| byte & 0x07);
    *bytes = vec![0x02, low, command, 0x03];
    bytes.push(bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte)));
}

/// Makes a request for board 1 with a right sum out of arbitrary bytes.
fn seal_xor(bytes: &mut Vec<u8>) {
    let head = [0x8A, 0x80, 0x90, 0x9A, 0x9B, 0x82][bytes.len() % 6];
    let lock = bytes.first().map_or(0, |byte| byte % 52);
    let mark = if head == 0x80 { 0x33 } else { 0x11 };
    *bytes = vec![head, 1, lock, mark];
    if head == 0x90 {
        bytes.push(lock);
    }
    bytes.push(bytes.iter().fold(0, |sum, byte| sum ^ byte));
}

/// Makes a request for board 0 or for all with a right sum out of arbitrary bytes.
fn seal_cu48(bytes: &mut Vec<u8>) {
    let lock = bytes.first().map_or(0, |byte| byte % 52);
    let command = [0x50, 0x51, 0x60, 0x61][bytes.len() % 4];
    *bytes = vec![0x02, lock % 2 * 10, lock, command, 0x03];
    bytes.push(bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte)));
}

/// Makes a request for board 0 with a right length and sum out of arbitrary bytes.
fn seal_wkly(bytes: &mut Vec<u8>) {
    let command = 0x80 | bytes.first().map_or(0, |byte| byte & 0x0F);
    let len = u8::try_from(bytes.len() + 8).expect("short");
    let mut frame = vec![0x57, 0x4B, 0x4C, 0x59, len, 0, command];
    frame.append(bytes);
    frame.push(frame.iter().fold(0, |sum, byte| sum ^ byte));
    *bytes = frame;
}
