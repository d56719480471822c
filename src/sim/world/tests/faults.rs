//! Every fault that bends a reply or ails a lock, family by family where they differ.

use super::at;
use crate::sim::config::{Physics, SimBoard, SimFamily, SimSupply};
use crate::sim::fault::UnplugMoment;
use crate::sim::lock::{DoorPosition, LatchPosition};
use crate::sim::world::*;

const CU16_STATUS: [u8; 5] = [0x02, 0x00, 0x30, 0x03, 0x35];
const CU16_CLOSED: [u8; 9] = [0x02, 0x00, 0x35, 0xFF, 0xFF, 0x00, 0x00, 0x03, 0x38];
const XOR_OPEN: [u8; 5] = [0x8A, 0x01, 0x01, 0x11, 0x9B];
const XOR_READ: [u8; 5] = [0x80, 0x01, 0x01, 0x33, 0xB3];
const WKLY_OPEN: [u8; 9] = [0x57, 0x4B, 0x4C, 0x59, 0x09, 0x00, 0x82, 0x01, 0x83];
const WKLY_ALL: [u8; 8] = [0x57, 0x4B, 0x4C, 0x59, 0x08, 0x00, 0x84, 0x85];
const FLASH: [u8; 8] = [0x01, 0x05, 0x02, 0x00, 0x00, 0x07, 0x8D, 0xB0];
const INPUTS: [u8; 8] = [0x01, 0x02, 0x00, 0x00, 0x00, 0x08, 0x79, 0xCC];

/// One bus with a board of each family that matters, each with its own supply.
fn world() -> World {
    let own = |name: &str, board: SimBoard| SimBoard { power_supply: name.into(), ..board };
    let bus = SimBus::new("all", "a", 9_600)
        .with(own("cu16", SimBoard::cu16(0).named("cu16")))
        .with(own("xor", SimBoard::xor(1, 8).named("xor")))
        .with(own("wkly", SimBoard::wkly(0, 12).named("wkly")))
        .with(own("modbus", SimBoard::modbus(1, 8).named("modbus")));
    let physics = Physics { bounce_ms: 0, ..Physics::default() };
    let config = SimConfig { pacing: false, physics, buses: vec![bus], ..SimConfig::default() };
    World::new(&config, 0)
}

fn send(world: &mut World, frame: &[u8], now_us: u64) -> Outcome {
    let family = match frame {
        [0x02, ..] => SimFamily::KerongCu16,
        [0x57, ..] => SimFamily::Wkly,
        [0x80 | 0x8A, ..] => SimFamily::XorBoard,
        _ => SimFamily::ModbusRelay,
    };
    world.request(0, family, frame, at(now_us, 9_600))
}

fn ask(world: &mut World, frame: &[u8], now_us: u64) -> Vec<u8> {
    let mut answers = send(world, frame, now_us).answers;
    assert!(answers.len() <= 1);
    answers.pop().map(|answer| answer.bytes).unwrap_or_default()
}

fn once(world: &mut World, kind: FaultKind) {
    world.add_fault(Fault::new("all", kind).times(1), 0).expect("fine");
}

fn on(world: &mut World, board: &str, kind: FaultKind, now_us: u64) -> u64 {
    world.add_fault(Fault::new("all", kind).board(board), now_us).expect("fine")
}

fn lock<T>(
    world: &mut World,
    board: usize,
    look: impl FnOnce(&mut crate::sim::lock::Lock) -> T,
) -> T {
    look(&mut world.buses[0].boards[board].locks[0])
}

#[test]
fn wrong_fields_carry_a_right_sum() {
    let mut world = world();
    once(&mut world, FaultKind::WrongCommand);
    let reply = ask(&mut world, &CU16_STATUS, 0);
    assert_eq!(reply, [0x02, 0x00, 0x36, 0xFF, 0xFF, 0x00, 0x00, 0x03, 0x39]);
    once(&mut world, FaultKind::WrongLock);
    assert_eq!(ask(&mut world, &XOR_READ, 0), [0x80, 0x01, 0x02, 0x11, 0x92]);
    once(&mut world, FaultKind::WrongAddress);
    assert_eq!(ask(&mut world, &XOR_READ, 0), [0x80, 0x02, 0x01, 0x11, 0x92]);
    once(&mut world, FaultKind::WrongLength);
    let reply = ask(&mut world, &WKLY_ALL, 0);
    assert_eq!((reply[4], reply.iter().fold(0, |sum, byte| sum ^ byte)), (0xFF, 0));
    once(&mut world, FaultKind::WrongLength);
    let reply = ask(&mut world, &XOR_READ, 0);
    assert_eq!(reply, [0x80, 0x01, 0x00, 0x01, 0x11, 0x91], "a byte too many");
    once(&mut world, FaultKind::WrongLength);
    assert_eq!(ask(&mut world, &INPUTS, 0)[..4], [0x01, 0x02, 0xFF, 0xFF]);
}

#[test]
fn flipped_bits_break_the_sum_unless_it_is_repaired() {
    let mut world = world();
    let differing = |reply: &[u8]| -> u32 {
        reply.iter().zip(CU16_CLOSED).map(|(got, want)| (got ^ want).count_ones()).sum()
    };
    once(&mut world, FaultKind::BitFlip { bits: 1 });
    assert_eq!(differing(&ask(&mut world, &CU16_STATUS, 0)), 1);
    once(&mut world, FaultKind::BitFlipFixed { bits: 1 });
    let reply = ask(&mut world, &CU16_STATUS, 0);
    assert_eq!(differing(&reply[..8]), 1);
    let sum = reply[..8].iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    assert_eq!(reply[8], sum);
}

#[test]
fn replies_are_held_joined_and_surrounded() {
    let mut world = world();
    once(&mut world, FaultKind::Coalesced);
    assert_eq!(ask(&mut world, &CU16_STATUS, 0), [0_u8; 0]);
    let joined = ask(&mut world, &XOR_READ, 0);
    assert_eq!(joined, [CU16_CLOSED.as_slice(), &[0x80, 0x01, 0x01, 0x11, 0x91]].concat());
    once(&mut world, FaultKind::SuffixNoise { bytes: 4 });
    let noisy = ask(&mut world, &CU16_STATUS, 0);
    assert_eq!((noisy.len(), &noisy[..9]), (13, CU16_CLOSED.as_slice()));
    once(&mut world, FaultKind::Collision);
    let garbled = ask(&mut world, &CU16_STATUS, 0);
    assert_eq!((garbled.len(), &garbled[..4]), (9, &CU16_CLOSED[..4]));
    assert_ne!(garbled[4..], CU16_CLOSED[4..]);
    once(&mut world, FaultKind::Unsolicited);
    let reply = ask(&mut world, &XOR_READ, 0);
    assert_eq!(reply, [0x81, 0x01, 0x01, 0x11, 0x90, 0x80, 0x01, 0x01, 0x11, 0x91]);
    once(&mut world, FaultKind::Unsolicited);
    let reply = ask(&mut world, &CU16_STATUS, 0);
    assert_eq!((reply[1], &reply[9..]), (0x10, CU16_CLOSED.as_slice()), "another board's");
}

#[test]
fn each_family_refuses_in_its_own_way_and_nothing_moves() {
    let mut world = world();
    for (frame, refusal) in [
        (FLASH.as_slice(), vec![0x01, 0x85, 0x04, 0x43, 0x53]),
        (XOR_OPEN.as_slice(), XOR_OPEN.to_vec()),
        (WKLY_OPEN.as_slice(), vec![0x57, 0x4B, 0x4C, 0x59, 0x0B, 0, 0x82, 0xFF, 1, 0xFF, 0x81]),
        (&[0x02, 0x00, 0x31, 0x03, 0x36], vec![]),
    ] {
        once(&mut world, FaultKind::Nak);
        assert_eq!(ask(&mut world, frame, 0), refusal, "{frame:02X?}");
    }
    assert_eq!(world.pulses(1_000_000), []);
}

#[test]
fn a_cooldown_refuses_only_a_lock_that_was_just_pulsed() {
    let mut world = world();
    on(&mut world, "modbus", FaultKind::Cooldown { ms: 5_000 }, 0);
    assert_eq!(ask(&mut world, &FLASH, 0), FLASH);
    assert_eq!(ask(&mut world, &FLASH, 4_999_999)[1..3], [0x85, 0x06]);
    assert_eq!(ask(&mut world, &INPUTS, 4_999_999).len(), 6, "a question is no unlock");
    assert_eq!(ask(&mut world, &FLASH, 5_000_000), FLASH);
    assert_eq!(world.pulses(6_000_000).len(), 2);
}

#[test]
fn boards_may_lie_lag_or_speak_another_speed() {
    let mut world = world();
    once(&mut world, FaultKind::AcksButDead);
    assert_eq!(ask(&mut world, &FLASH, 0), FLASH);
    assert_eq!(world.pulses(1_000), [], "no current");
    once(&mut world, FaultKind::BaudGarbage);
    let garbage = ask(&mut world, &FLASH, 0);
    assert!((1..=3).contains(&garbage.len()));
    assert_eq!(world.pulses(1_000), [], "not understood");
    once(&mut world, FaultKind::Slow { ms: 200 });
    let answer = send(&mut world, &FLASH, 0).answers.remove(0);
    assert_eq!(answer.due_us, 200_000);
    assert_eq!(world.pulses(300_000)[0].at_us, 200_000, "it obeys late as well");
}

#[test]
fn a_reset_board_drops_everything_and_boots() {
    let mut world = world();
    let set_time = [0x02, 0x00, 0x37, 0x00, 0x14, 0x03, 0x50];
    let ask_time = [0x02, 0x00, 0x37, 0x03, 0x3C];
    assert_eq!(ask(&mut world, &set_time, 0)[4], 0x14);
    ask(&mut world, &[0x02, 0x00, 0x31, 0x03, 0x36], 1_000);
    once(&mut world, FaultKind::BoardReset);
    assert_eq!(ask(&mut world, &CU16_STATUS, 51_000), [0_u8; 0]);
    assert_eq!(world.pulses(60_000)[0].duration_ms, 50, "the output went off");
    assert_eq!(ask(&mut world, &CU16_STATUS, 350_999), [0_u8; 0], "it still boots");
    assert_eq!(ask(&mut world, &ask_time, 351_000)[4], 0x37, "as it came");
    let state = world.state(400_000);
    assert_eq!((state.buses[0].boards[0].resets, state.buses[0].boards[0].address), (1, 0));
}

#[test]
fn the_adapter_vanishes_at_the_wanted_moment() {
    let unplug = |moment| FaultKind::Unplug { moment, back_after_ms: None };
    for (moment, pulses, sent, at_once) in [
        (UnplugMoment::BeforeRequest, 0, 0, true),
        (UnplugMoment::BeforeReply, 1, 0, true),
        (UnplugMoment::WithinReply, 1, 4, false),
        (UnplugMoment::AfterReply, 1, 8, false),
        (UnplugMoment::CoilOn, 1, 0, true),
    ] {
        let mut world = world();
        once(&mut world, unplug(moment));
        let outcome = send(&mut world, &FLASH, 0);
        assert_eq!(outcome.pulled.is_some(), at_once, "{moment:?}");
        let reply = outcome.answers.first();
        assert_eq!(reply.map_or(0, |answer| answer.bytes.len()), sent, "{moment:?}");
        assert_eq!(reply.is_some_and(|answer| answer.pulled.is_some()), !at_once, "{moment:?}");
        assert_eq!(world.pulses(1_000).len(), pulses, "{moment:?}");
    }
    let mut world = world();
    once(&mut world, unplug(UnplugMoment::CoilOn));
    assert!(send(&mut world, &INPUTS, 0).pulled.is_none(), "no coil, no interference");
    assert!(send(&mut world, &FLASH, 0).pulled.is_some());
}

#[test]
fn switches_lie_in_every_way() {
    let mut world = world();
    let closed = |world: &mut World, now_us| ask(world, &XOR_READ, now_us)[3] == 0x11;
    let id = on(&mut world, "xor", FaultKind::Inverted, 0);
    assert!(!closed(&mut world, 0));
    assert!(world.clear_fault(id, 0));
    assert!(!world.clear_fault(id, 0), "it is gone");
    on(&mut world, "xor", FaultKind::Bounce { edges: 4, ms: 100 }, 1_000_000);
    let seen: Vec<bool> = (0..6).map(|n| closed(&mut world, 1_050_000 + n * 100_000)).collect();
    assert_eq!(seen, [false, true, false, true, true, true], "four edges");
    world.clear_faults(2_000_000);
    on(&mut world, "xor", FaultKind::SpringBack, 2_000_000);
    ask(&mut world, &XOR_OPEN, 2_000_000);
    assert!(!closed(&mut world, 2_200_000), "open while the coil is on");
    assert!(closed(&mut world, 2_400_000), "the hook is back");
    assert_eq!(lock(&mut world, 1, |it| it.door(2_400_000)), DoorPosition::Open);
}

#[test]
fn a_fault_may_end_by_itself() {
    let mut world = world();
    let fault = Fault::new("all", FaultKind::SensorOpen).board("xor").for_ms(500);
    world.add_fault(fault, 1_000_000).expect("fine");
    assert_eq!(ask(&mut world, &XOR_READ, 1_499_999)[3], 0x00);
    assert_eq!(ask(&mut world, &XOR_READ, 1_500_000)[3], 0x11);
    assert_eq!(world.state(1_500_000).faults, []);
}

#[test]
fn latches_stick_and_relays_weld() {
    let mut world = world();
    on(&mut world, "xor", FaultKind::StuckLatch, 0);
    ask(&mut world, &XOR_OPEN, 0);
    assert_eq!(lock(&mut world, 1, |it| it.door(1_000_000)), DoorPosition::Closed);
    assert_eq!(lock(&mut world, 1, |it| it.latch(100_000)), LatchPosition::Locked);
    on(&mut world, "modbus", FaultKind::Welded, 0);
    ask(&mut world, &FLASH, 3_000_000);
    let off = [0x01, 0x05, 0x00, 0xFF, 0x00, 0x00, 0xFD, 0xFA];
    ask(&mut world, &off, 4_000_000);
    assert!(lock(&mut world, 3, |it| it.coil_on(6_000_000)), "whatever is commanded");
    let state = world.state(6_000_000);
    assert!(state.lock("all", "modbus", 1).expect("there").burnt, "the coil suffers");
    assert_eq!(world.violations(6_000_000), [], "and the client is not to blame");
    world.clear_faults(7_000_000);
    assert!(!lock(&mut world, 3, |it| it.coil_on(7_000_000)));
}

#[test]
fn a_supply_that_is_asked_for_too_much_browns_out() {
    let own = |board: SimBoard| SimBoard { power_supply: "psu".into(), ..board };
    let bus = SimBus::new("all", "a", 9_600)
        .with(own(SimBoard::modbus(1, 8)))
        .with(own(SimBoard::xor(1, 8).named("xor")));
    let physics = Physics { bounce_ms: 0, ..Physics::default() };
    let config = |coils_max| SimConfig {
        pacing: false,
        physics,
        supplies: vec![SimSupply { name: "psu".into(), coils_max }],
        buses: vec![bus.clone()],
        ..SimConfig::default()
    };
    let mut weak = World::new(&config(1), 0);
    ask(&mut weak, &FLASH, 0);
    assert_eq!(ask(&mut weak, &XOR_OPEN, 100_000), [0_u8; 0], "its board went down");
    assert_eq!(ask(&mut weak, &INPUTS, 150_000), [0_u8; 0], "and so did the other");
    let lengths: Vec<u64> = weak.pulses(500_000).iter().map(|it| it.duration_ms).collect();
    assert_eq!(lengths, [100, 0]);
    assert_eq!(ask(&mut weak, &INPUTS, 400_000).len(), 6, "booted");
    let said = weak.assertions(500_000);
    assert_eq!((said.supplies[0].brownouts, said.supplies[0].coils_together_max), (1, 2));
    assert_eq!(said.violations[&ViolationKind::CoilsTogether], 1);
    let mut strong = World::new(&config(2), 0);
    ask(&mut strong, &FLASH, 0);
    assert_eq!(ask(&mut strong, &XOR_OPEN, 100_000), XOR_OPEN);
    let said = strong.assertions(1_000_000);
    assert_eq!((said.supplies[0].brownouts, said.supplies[0].coils_together_max), (0, 2));
    assert!(said.violations.is_empty());
    assert_eq!(said.longest_coil_ms, 700);
    let pulses: Vec<_> = said.locks.iter().map(|it| (it.place.name.as_str(), it.pulses)).collect();
    assert_eq!(pulses, [("1", 1), ("xor", 1)]);
}

#[test]
fn a_board_that_opens_several_at_once_is_told_of() {
    for frame in [
        [0x8A, 0x01, 0x00, 0x11, 0x9A].as_slice(),
        &[0x02, 0x00, 0x33, 0x03, 0x38],
        &[0x01, 0x05, 0x00, 0xFF, 0xFF, 0x00, 0xBC, 0x0A],
        &[0x57, 0x4B, 0x4C, 0x59, 0x08, 0x00, 0x86, 0x87],
    ] {
        let mut world = world();
        send(&mut world, frame, 0);
        let kinds: Vec<_> = world.violations(0).iter().map(|it| it.kind).collect();
        assert!(kinds.contains(&ViolationKind::OpenAllSent), "{frame:02X?}: {kinds:?}");
    }
    let mut world = world();
    send(&mut world, &[0x01, 0x05, 0x00, 0xFF, 0x00, 0x00, 0xFD, 0xFA], 0);
    assert_eq!(world.violations(0), [], "all off is no opening");
}

#[test]
fn what_struck_stands_on_the_record() {
    let mut world = world();
    world.note_bytes(0, Direction::Rx, 5, &XOR_READ);
    once(&mut world, FaultKind::Late { ms: 300 });
    send(&mut world, &XOR_READ, 7);
    let events = world.events(0, 10, 8);
    let told = serde_json::to_value(&events[1].1).expect("JSON");
    assert_eq!((events[0].0, events[1].0, events.len()), (1, 2, 2));
    assert_eq!(
        (&told["event"], &told["kind"], &told["name"]),
        (&"fault".into(), &"late".into(), &"xor".into())
    );
    assert_eq!(
        (&told["ms"], &told["at_us"], &told["command"]),
        (&300.into(), &7.into(), &0x80.into())
    );
    assert_eq!(world.bytes(0, 10).len(), 1, "no bytes");
}
