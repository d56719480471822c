//! The simulator through its pseudo-terminals, as a client of the wire sees it.

use std::io::ErrorKind;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};
use tokio_serial::{SerialPortBuilderExt as _, SerialStream};

use super::*;

const CU16_STATUS: &str = "02 00 30 03 35";
const CU16_CLOSED: &str = "02 00 35 FF FF 00 00 03 38";
const FLASH: &str = "01 05 02 00 00 07 8D B0";
const INPUTS: &str = "01 02 00 00 00 08 79 CC";
/// Long enough for a reply that leaves at once, even on a busy machine.
const REPLY: Duration = Duration::from_secs(2);
/// Long enough to be sure that none comes; the simulator answers within a few milliseconds.
const NO_REPLY: Duration = Duration::from_millis(80);

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect()
}

fn config(directory: &TempDir) -> SimConfig {
    SimConfig {
        pacing: false,
        physics: Physics { bounce_ms: 0, ..Physics::default() },
        buses: vec![
            SimBus::new("east", directory.path().join("east"), 19_200)
                .with(SimBoard::cu16(0))
                .with(SimBoard::cu16(1)),
            SimBus::new("west", directory.path().join("west"), 9_600)
                .with(SimBoard::modbus(1, 8))
                .with(SimBoard::modbus(2, 8)),
        ],
        ..SimConfig::default()
    }
}

fn start() -> (TempDir, Simulator) {
    let directory = tempfile::tempdir().expect("a directory");
    let sim = Simulator::start(config(&directory)).expect("started");
    (directory, sim)
}

fn open(directory: &TempDir, bus: &str, baud: u32) -> SerialStream {
    let link = directory.path().join(bus);
    tokio_serial::new(link.to_str().expect("text"), baud).open_native_async().expect("opens")
}

/// Reads until `count` bytes have come or the time is over.
async fn read(port: &mut SerialStream, count: usize, wait: Duration) -> Vec<u8> {
    let mut bytes = Vec::new();
    let deadline = Instant::now() + wait;
    let mut buffer = [0_u8; 256];
    while bytes.len() < count {
        let left = deadline.saturating_duration_since(Instant::now());
        match timeout(left, port.read(&mut buffer)).await {
            Ok(Ok(got)) if got > 0 => bytes.extend_from_slice(&buffer[..got]),
            _ => break,
        }
    }
    bytes
}

/// A Modbus body with its CRC.
fn with_crc(body: &str) -> String {
    let sum = crc::Crc::<u16>::new(&crc::CRC_16_MODBUS).checksum(&hex(body)).to_le_bytes();
    format!("{body} {:02X} {:02X}", sum[0], sum[1])
}

async fn ask(port: &mut SerialStream, request: &str, reply: &str) {
    let want = hex(reply);
    port.write_all(&hex(request)).await.expect("written");
    let got = read(port, want.len(), REPLY).await;
    assert_eq!(got, want, "reply to {request}");
}

async fn ask_in_vain(port: &mut SerialStream, request: &str) {
    port.write_all(&hex(request)).await.expect("written");
    let got = read(port, 1, NO_REPLY).await;
    assert!(got.is_empty(), "{request} was answered {got:02X?}");
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + REPLY;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn boards_answer_their_own_requests_only() {
    let (directory, sim) = start();
    let mut east = open(&directory, "east", 19_200);
    let mut west = open(&directory, "west", 9_600);
    ask(&mut east, CU16_STATUS, CU16_CLOSED).await;
    ask(&mut east, "02 10 30 03 45", "02 10 35 FF FF 00 00 03 48").await;
    ask_in_vain(&mut east, "02 00 30 03 36").await;
    ask_in_vain(&mut east, "02 20 30 03 55").await;
    ask(&mut west, "01 01 00 00 00 08 3D CC", &with_crc("01 01 01 00")).await;
    ask_in_vain(&mut west, &with_crc("03 01 00 00 00 08")).await;
    ask_in_vain(&mut west, "01 05 02 00 02 00 04 D2").await;
    ask(&mut west, FLASH, FLASH).await;
    let state = sim.state();
    let west = state.bus("west").expect("there").counters;
    assert_eq!((west.bad_frames, west.unaddressed), (1, 1));
    assert!(state.bus("east").expect("there").connected);
}

#[tokio::test]
async fn a_flash_opens_the_door_after_its_delay_and_closing_latches_it() {
    let (directory, sim) = start();
    let mut west = open(&directory, "west", 9_600);
    ask(&mut west, INPUTS, &with_crc("01 02 01 FF")).await;
    ask(&mut west, FLASH, FLASH).await;
    let lock = |sim: &Simulator| sim.state().lock("west", 1, 1).cloned().expect("there");
    let right_after = lock(&sim);
    assert!(right_after.coil_on);
    until("the door opens", || lock(&sim).door == DoorPosition::Open).await;
    let pulse = sim.pulses().pop().expect("one pulse");
    assert!(sim.now_us() - pulse.at_us >= 150_000, "30 ms release and 120 ms spring");
    assert_eq!((pulse.bus.as_str(), pulse.board, pulse.lock), ("west", 1, 1));
    assert_eq!(pulse.commanded_ms, Some(700));
    ask(&mut west, INPUTS, &with_crc("01 02 01 FE")).await;
    until("the board ends its flash", || !lock(&sim).coil_on).await;
    assert_eq!(lock(&sim).coil_ms_total, 700);
    sim.door("west", 1, 1, DoorAction::Close).expect("known");
    ask(&mut west, INPUTS, &with_crc("01 02 01 FF")).await;
    assert_eq!(lock(&sim).latch, LatchPosition::Locked);
    assert_eq!(sim.violations(), []);
}

#[tokio::test]
async fn a_silent_unlock_opens_and_the_whole_bus_answers_in_order() {
    let (directory, sim) = start();
    let mut east = open(&directory, "east", 19_200);
    ask_in_vain(&mut east, "02 12 31 03 48").await;
    until("the door opens", || {
        sim.state().lock("east", 1, 3).is_some_and(|lock| lock.door == DoorPosition::Open)
    })
    .await;
    let both = "02 00 36 FF FF 00 00 03 39 02 10 36 FB FF 00 00 03 45";
    ask(&mut east, "02 F0 32 03 27", both).await;
}

#[tokio::test]
async fn each_fault_shows_on_the_wire() {
    let (directory, sim) = start();
    let mut port = open(&directory, "east", 19_200);
    let once = |kind| sim.fault(Fault::new("east", kind).board(0).times(1)).expect("fine");
    let closed = hex(CU16_CLOSED);
    once(FaultKind::Silent);
    ask_in_vain(&mut port, CU16_STATUS).await;
    ask(&mut port, CU16_STATUS, CU16_CLOSED).await;
    once(FaultKind::Truncated { bytes: 4 });
    port.write_all(&hex(CU16_STATUS)).await.expect("written");
    assert_eq!(read(&mut port, 9, NO_REPLY).await, closed[..4]);
    once(FaultKind::WrongAddress);
    ask(&mut port, CU16_STATUS, "02 10 35 FF FF 00 00 03 48").await;
    once(FaultKind::BadChecksum);
    ask(&mut port, CU16_STATUS, "02 00 35 FF FF 00 00 03 39").await;
    once(FaultKind::Duplicate);
    ask(&mut port, CU16_STATUS, &[CU16_CLOSED, CU16_CLOSED].join(" ")).await;
    once(FaultKind::Noise { bytes: 3 });
    port.write_all(&hex(CU16_STATUS)).await.expect("written");
    assert_eq!(read(&mut port, 12, REPLY).await[3..], closed);
    for (kind, least_ms) in [(FaultKind::Late { ms: 60 }, 60), (FaultKind::Drip { ms: 8 }, 72)] {
        once(kind);
        let start = Instant::now();
        ask(&mut port, CU16_STATUS, CU16_CLOSED).await;
        assert!(start.elapsed() >= Duration::from_millis(least_ms), "{kind:?}");
    }
    sim.fault(Fault::new("east", FaultKind::Echo)).expect("fine");
    ask(&mut port, CU16_STATUS, &[CU16_STATUS, CU16_CLOSED].join(" ")).await;
    sim.clear_faults();
    ask(&mut port, CU16_STATUS, CU16_CLOSED).await;
    assert_eq!(sim.state().faults, []);
}

#[tokio::test]
async fn faults_on_commands_obey_or_refuse() {
    let (directory, sim) = start();
    let mut port = open(&directory, "west", 9_600);
    let pulses = || sim.pulses().len();
    let fault = |kind| Fault::new("west", kind).board(1).lock(1).command(5).times(1);
    sim.fault(fault(FaultKind::Silent)).expect("fine");
    ask(&mut port, INPUTS, &with_crc("01 02 01 FF")).await;
    ask_in_vain(&mut port, FLASH).await;
    assert_eq!(pulses(), 0);
    sim.fault(fault(FaultKind::Exception { code: 4 })).expect("fine");
    ask(&mut port, FLASH, &with_crc("01 85 04")).await;
    assert_eq!(pulses(), 0);
    sim.fault(fault(FaultKind::SilentObeys)).expect("fine");
    ask_in_vain(&mut port, FLASH).await;
    assert_eq!(pulses(), 1);
}

#[tokio::test]
async fn unplug_and_replug_as_a_usb_adapter_does() {
    let (directory, sim) = start();
    let link = directory.path().join("east");
    let mut port = open(&directory, "east", 19_200);
    ask(&mut port, CU16_STATUS, CU16_CLOSED).await;
    sim.unplug("east").await.expect("known");
    sim.unplug("east").await.expect("twice is no error");
    assert!(std::fs::symlink_metadata(&link).is_err(), "the link is gone");
    let mut buffer = [0_u8; 4];
    assert_eq!(timeout(REPLY, port.read(&mut buffer)).await.expect("at once").expect("end"), 0);
    assert!(port.write(&[1]).await.is_err());
    assert!(sim.state().bus("east").expect("there").unplugged);
    sim.replug("east").await.expect("known");
    let mut again = open(&directory, "east", 19_200);
    ask(&mut again, CU16_STATUS, CU16_CLOSED).await;
    let pts = sim.state().bus("east").and_then(|bus| bus.pts.clone()).expect("plugged");
    assert_eq!(std::fs::read_link(&link).expect("a link"), pts);
    assert!(matches!(sim.unplug("north").await, Err(SimError::UnknownBus { .. })));
}

#[tokio::test]
async fn a_coil_may_throw_the_adapter_off_the_bus() {
    let (directory, sim) = start();
    let mut port = open(&directory, "west", 9_600);
    let kind = FaultKind::Unplug { moment: UnplugMoment::CoilOn, back_after_ms: Some(50) };
    sim.fault(Fault::new("west", kind).command(5).times(1)).expect("fine");
    port.write_all(&hex(FLASH)).await.expect("written");
    assert_eq!(read(&mut port, 1, REPLY).await, [0_u8; 0], "end of file, no reply");
    assert_eq!(sim.pulses().len(), 1, "but the coil is on");
    until("it is back", || !sim.state().bus("west").expect("there").unplugged).await;
    let mut again = open(&directory, "west", 9_600);
    ask(&mut again, "01 01 00 00 00 08 3D CC", &with_crc("01 01 01 01")).await;
}

#[tokio::test]
async fn a_client_at_another_speed_hears_garbage_and_is_counted() {
    let (directory, sim) = start();
    let mut port = open(&directory, "east", 9_600);
    port.write_all(&hex(CU16_STATUS)).await.expect("written");
    let got = read(&mut port, 9, NO_REPLY).await;
    assert!((1..=3).contains(&got.len()), "{got:02X?}");
    let counters = sim.state().bus("east").expect("there").counters;
    assert_eq!((counters.baud_mismatches, counters.requests), (1, 0));
    drop(port);
    let mut right = open(&directory, "east", 19_200);
    ask(&mut right, CU16_STATUS, CU16_CLOSED).await;
}

#[tokio::test]
async fn a_half_frame_is_forgotten_after_silence() {
    let (directory, _sim) = start();
    let mut port = open(&directory, "west", 9_600);
    ask_in_vain(&mut port, "01 05 02 00").await;
    ask(&mut port, FLASH, FLASH).await;
}

#[tokio::test]
async fn the_next_client_gets_no_reply_meant_for_the_last() {
    let (directory, sim) = start();
    let late = Fault::new("east", FaultKind::Late { ms: 60 }).times(1);
    sim.fault(late).expect("fine");
    let mut port = open(&directory, "east", 19_200);
    port.write_all(&hex(CU16_STATUS)).await.expect("written");
    until("it is heard", || sim.state().bus("east").expect("there").counters.requests == 1).await;
    drop(port);
    until("it is sent", || sim.state().bus("east").expect("there").counters.replies == 1).await;
    let mut port = open(&directory, "east", 19_200);
    ask(&mut port, "02 10 30 03 45", "02 10 35 FF FF 00 00 03 48").await;
    port.write_all(&hex(CU16_STATUS)).await.expect("written");
    until("a reply waits", || sim.state().bus("east").expect("there").counters.replies == 3).await;
    drop(port);
    until("the client is seen to go", || !sim.state().bus("east").expect("there").connected).await;
    let mut port = open(&directory, "east", 19_200);
    ask(&mut port, "02 10 30 03 45", "02 10 35 FF FF 00 00 03 48").await;
}

#[tokio::test]
async fn every_byte_is_on_record() {
    let (directory, sim) = start();
    let mut port = open(&directory, "east", 19_200);
    ask(&mut port, CU16_STATUS, CU16_CLOSED).await;
    let records = sim.bytes(0);
    let lines: Vec<_> = records.iter().map(|r| (r.direction, r.hex.as_str())).collect();
    assert_eq!(lines, [(Direction::Rx, CU16_STATUS), (Direction::Tx, CU16_CLOSED)]);
    assert!(records[0].at_us <= records[1].at_us);
    assert_eq!(sim.bytes(records[0].seq).len(), 1);
}

#[tokio::test]
async fn two_families_share_a_bus_without_disturbing_each_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let bus = SimBus::new("mixed", directory.path().join("mixed"), 9_600)
        .with(SimBoard::cu16(0))
        .with(SimBoard::modbus(1, 8));
    let config = SimConfig { pacing: false, buses: vec![bus], ..SimConfig::default() };
    let sim = Simulator::start(config).expect("started");
    let mut port = open(&directory, "mixed", 9_600);
    for _ in 0..5 {
        ask(&mut port, CU16_STATUS, CU16_CLOSED).await;
        ask(&mut port, INPUTS, &with_crc("01 02 01 FF")).await;
    }
    let counters = sim.state().bus("mixed").expect("there").counters;
    assert_eq!((counters.requests, counters.replies, counters.bad_frames), (10, 10, 0));
}

fn paced(directory: &TempDir, baud: u32) -> Simulator {
    let bus = SimBus::new("slow", directory.path().join("slow"), baud).with(SimBoard::modbus(1, 8));
    let physics = Physics { bounce_ms: 0, ..Physics::default() };
    let config = SimConfig { physics, buses: vec![bus], ..SimConfig::default() };
    Simulator::start(config).expect("started")
}

#[tokio::test]
async fn pacing_takes_the_time_of_the_wire() {
    let directory = tempfile::tempdir().expect("a directory");
    let sim = paced(&directory, 4_800);
    let mut port = open(&directory, "slow", 4_800);
    let start = Instant::now();
    ask(&mut port, FLASH, FLASH).await;
    // Sixteen bytes of ten bits, and 2 ms of the board.
    assert!(start.elapsed() >= Duration::from_micros(35_300), "{:?}", start.elapsed());
    let records = sim.bytes(0);
    let heard_us = sim.pulses()[0].at_us - records[0].at_us;
    assert!((16_600..17_000).contains(&heard_us), "the coil goes on with the last bit: {heard_us}");
    sleep(Duration::from_millis(10)).await;
    ask(&mut port, INPUTS, &with_crc("01 02 01 FF")).await;
    assert_eq!(sim.violations(), []);
}

#[tokio::test]
async fn a_request_without_a_gap_and_one_into_a_reply_are_noted() {
    let directory = tempfile::tempdir().expect("a directory");
    let sim = paced(&directory, 1_200);
    let mut port = open(&directory, "slow", 1_200);
    ask(&mut port, INPUTS, &with_crc("01 02 01 FF")).await;
    ask(&mut port, INPUTS, &with_crc("01 02 01 FF")).await;
    let kinds = || sim.violations().iter().map(|v| v.kind).collect::<Vec<_>>();
    assert_eq!(kinds(), [ViolationKind::GapTooShort]);
    sleep(Duration::from_millis(35)).await;
    port.write_all(&hex(INPUTS)).await.expect("written");
    assert_eq!(read(&mut port, 1, REPLY).await.len(), 1);
    port.write_all(&hex(FLASH)).await.expect("written");
    read(&mut port, 64, Duration::from_millis(200)).await;
    assert_eq!(kinds(), [ViolationKind::GapTooShort, ViolationKind::TalkedOver]);
    assert_eq!(sim.pulses(), [], "nobody heard it");
}

#[tokio::test]
async fn a_line_that_is_late_itself_blames_nobody() {
    let directory = tempfile::tempdir().expect("a directory");
    let sim = paced(&directory, 1_200);
    let mut port = open(&directory, "slow", 1_200);
    port.write_all(&hex(INPUTS)).await.expect("written");
    assert_eq!(read(&mut port, 1, REPLY).await.len(), 1);
    // The whole reply would be over by then; the one thread here runs lines and client.
    std::thread::sleep(Duration::from_millis(100));
    port.write_all(&hex(FLASH)).await.expect("written");
    read(&mut port, 64, Duration::from_millis(200)).await;
    assert_eq!(sim.violations(), []);
}

#[tokio::test]
async fn links_go_with_the_simulator_and_nothing_is_overwritten() {
    let (directory, sim) = start();
    let link = directory.path().join("east");
    assert!(link.exists());
    sim.stop().await;
    assert!(std::fs::symlink_metadata(&link).is_err());
    assert!(matches!(sim.replug("east").await, Err(SimError::Stopped)));
    let (directory, sim) = start();
    let link = directory.path().join("west");
    let clone = sim.clone();
    drop(sim);
    assert!(link.exists(), "one handle is left");
    drop(clone);
    assert!(std::fs::symlink_metadata(&link).is_err());
    std::fs::write(&link, "precious").expect("written");
    let error = Simulator::start(config(&directory)).expect_err("in the way");
    assert!(
        matches!(&error, SimError::Port { source, .. }
        if source.kind() == ErrorKind::AlreadyExists),
        "{error}"
    );
    assert!(std::fs::symlink_metadata(directory.path().join("east")).is_err(), "cleaned up");
    assert_eq!(std::fs::read(&link).expect("still there"), b"precious");
}

fn at_any_port() -> std::net::SocketAddr {
    std::net::SocketAddr::from(([127, 0, 0, 1], 0))
}

fn unpaced(buses: Vec<SimBus>) -> Simulator {
    let physics = Physics { bounce_ms: 0, ..Physics::default() };
    let config = SimConfig { pacing: false, physics, buses, ..SimConfig::default() };
    Simulator::start(config).expect("started")
}

#[tokio::test]
async fn a_gateway_carries_the_same_bytes_to_one_client_at_a_time() {
    let bus = SimBus::tcp("east", at_any_port(), 19_200).with(SimBoard::cu16(0));
    let sim = unpaced(vec![bus]);
    let address = || sim.state().bus("east").and_then(|bus| bus.tcp);
    let first_address = address().expect("listens");
    let connect = || tokio::net::TcpStream::connect(first_address);
    let mut first = connect().await.expect("connected");
    let mut second = connect().await.expect("waits in the backlog");
    let mut buffer = [0_u8; 16];
    for (n, client) in [&mut first, &mut second].into_iter().enumerate() {
        client.write_all(&hex(CU16_STATUS)).await.expect("written");
        if n == 1 {
            let early = timeout(NO_REPLY, client.read(&mut buffer)).await;
            assert!(early.is_err(), "the first client still has the line");
        } else {
            let count = timeout(REPLY, client.read(&mut buffer)).await.expect("in time");
            assert_eq!(buffer[..count.expect("read")], hex(CU16_CLOSED));
        }
    }
    drop(first);
    let count = timeout(REPLY, second.read(&mut buffer)).await.expect("its turn").expect("read");
    assert_eq!(buffer[..count], hex(CU16_CLOSED));
    sim.unplug("east").await.expect("known");
    let gone = timeout(REPLY, second.read(&mut buffer)).await.expect("at once");
    assert!(gone.is_err() || gone.is_ok_and(|count| count == 0));
    assert_eq!(
        connect().await.map_err(|error| error.kind()).err(),
        Some(ErrorKind::ConnectionRefused)
    );
    assert!(sim.state().bus("east").expect("there").unplugged);
    sim.replug("east").await.expect("known");
    assert_eq!(address(), Some(first_address), "a gateway keeps its address");
    connect().await.expect("connected");
}

#[tokio::test]
async fn each_family_answers_on_its_own_bus() {
    let directory = tempfile::tempdir().expect("a directory");
    let bus = |name: &str, board| SimBus::new(name, directory.path().join(name), 9_600).with(board);
    let _sim = unpaced(vec![
        bus("xor", SimBoard::xor(1, 8)),
        bus("cu48", SimBoard::cu48(0)),
        bus("ir", SimBoard::cu48_ir(0)),
        bus("wkly", SimBoard::wkly(0, 2)),
    ]);
    for (name, request, reply) in [
        ("xor", "80 01 01 33 B3", "80 01 01 11 91"),
        ("cu48", "02 00 00 50 03 55", "02 00 00 65 FF FF FF FF FF FF 03 64"),
        ("ir", "02 00 00 60 03 65", "02 00 00 75 FF FF FF FF FF FF 00 00 00 00 00 00 03 74"),
        ("wkly", "57 4B 4C 59 08 00 84 85", "57 4B 4C 59 0C 00 84 00 02 01 01 83"),
    ] {
        ask(&mut open(&directory, name, 9_600), request, reply).await;
    }
}

#[tokio::test]
async fn a_board_that_reports_changes_speaks_by_itself() {
    let directory = tempfile::tempdir().expect("a directory");
    let chatty = SimBoard { reports_changes: true, ..SimBoard::wkly(0, 12) };
    let sim = unpaced(vec![SimBus::new("east", directory.path().join("east"), 9_600).with(chatty)]);
    let mut port = open(&directory, "east", 9_600);
    until("the client is seen", || sim.state().bus("east").expect("there").connected).await;
    sim.door("east", 0, 2, DoorAction::Open).expect("known");
    let told = hex("57 4B 4C 59 0A 00 85 02 00 84");
    assert_eq!(read(&mut port, told.len(), REPLY).await, told);
}

#[tokio::test]
async fn a_board_at_another_speed_is_found_there_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let fast = SimBoard { baud: Some(115_200), ..SimBoard::cu16(1) };
    let bus = SimBus::new("east", directory.path().join("east"), 19_200)
        .with(SimBoard::cu16(0))
        .with(fast);
    let _sim = unpaced(vec![bus]);
    let mut port = open(&directory, "east", 19_200);
    ask(&mut port, CU16_STATUS, CU16_CLOSED).await;
    ask_in_vain(&mut port, "02 10 30 03 45").await;
    drop(port);
    let mut port = open(&directory, "east", 115_200);
    ask(&mut port, "02 10 30 03 45", "02 10 35 FF FF 00 00 03 48").await;
    ask_in_vain(&mut port, CU16_STATUS).await;
}

#[tokio::test]
async fn boards_that_share_an_address_both_act_and_have_names() {
    let directory = tempfile::tempdir().expect("a directory");
    let twin = SimBoard { power_supply: "other".into(), ..SimBoard::modbus(1, 8).named("twin") };
    let bus = SimBus::new("west", directory.path().join("west"), 9_600)
        .with(SimBoard::modbus(1, 8))
        .with(twin);
    let sim = unpaced(vec![bus]);
    let mut port = open(&directory, "west", 9_600);
    ask(&mut port, FLASH, FLASH).await;
    let pulses = |board: BoardKey| sim.state().lock("west", board, 1).expect("there").pulses;
    assert_eq!((pulses(1.into()), pulses("twin".into())), (1, 1));
    sim.door("west", "twin", 3, DoorAction::Open).expect("known");
    let both = with_crc("01 02 01 FF");
    port.write_all(&hex(INPUTS)).await.expect("written");
    let got = read(&mut port, 6, REPLY).await;
    assert_eq!(got.len(), 6);
    assert_ne!(got, hex(&both), "the replies differ and collide");
    let (_, crc) = got.split_at(4);
    assert_ne!(hex(&with_crc("01 02 01 FB"))[4..], *crc);
}

#[tokio::test]
async fn the_adapter_goes_within_or_after_a_reply_and_comes_back_renumbered() {
    let (directory, sim) = start();
    for (moment, want) in [(UnplugMoment::WithinReply, 4), (UnplugMoment::AfterReply, 9)] {
        let mut port = open(&directory, "east", 19_200);
        let before = sim.state().bus("east").and_then(|bus| bus.pts.clone()).expect("plugged");
        let kind = FaultKind::Unplug { moment, back_after_ms: Some(30) };
        sim.fault(Fault::new("east", kind).times(1)).expect("fine");
        port.write_all(&hex(CU16_STATUS)).await.expect("written");
        assert_eq!(read(&mut port, want, REPLY).await, hex(CU16_CLOSED)[..want], "{moment:?}");
        assert_eq!(read(&mut port, 1, REPLY).await, [0_u8; 0], "then the end of file");
        drop(port);
        until("it is back", || {
            let now = sim.state().bus("east").and_then(|bus| bus.pts.clone());
            now.is_some_and(|now| now != before)
        })
        .await;
    }
}

#[tokio::test]
async fn a_partial_echo_and_a_stalled_reader() {
    let (directory, sim) = start();
    let mut port = open(&directory, "east", 19_200);
    ask(&mut port, CU16_STATUS, CU16_CLOSED).await;
    sim.fault(Fault::new("east", FaultKind::PartialEcho { bytes: 2 })).expect("fine");
    ask(&mut port, CU16_STATUS, &["02 00", CU16_CLOSED].join(" ")).await;
    sim.clear_faults();
    sim.fault(Fault::new("east", FaultKind::Stalled)).expect("fine");
    ask_in_vain(&mut port, CU16_STATUS).await;
    let full = timeout(NO_REPLY, port.write_all(&vec![0; 100_000])).await;
    assert!(full.is_err(), "the port fills up");
    let requests = || sim.state().bus("east").expect("there").counters.requests;
    assert_eq!(requests(), 2);
    sim.clear_faults();
    until("the reader goes on", || requests() == 3).await;
}

#[tokio::test]
async fn who_runs_into_an_unasked_frame_broke_no_rule() {
    let directory = tempfile::tempdir().expect("a directory");
    let chatty = SimBoard { reports_changes: true, ..SimBoard::xor(1, 8) };
    let bus = SimBus::new("slow", directory.path().join("slow"), 300).with(chatty);
    let physics = Physics { bounce_ms: 0, ..Physics::default() };
    let config = SimConfig { physics, buses: vec![bus], ..SimConfig::default() };
    let sim = Simulator::start(config).expect("started");
    let mut port = open(&directory, "slow", 300);
    until("the client is seen", || sim.state().bus("slow").expect("there").connected).await;
    sim.door("slow", 1, 1, DoorAction::Open).expect("known");
    assert_eq!(read(&mut port, 1, REPLY).await, [0x81]);
    port.write_all(&hex("80 01 01 33 B3")).await.expect("written");
    until("it is lost", || sim.state().bus("slow").expect("there").counters.lost_bytes == 5).await;
    assert_eq!(sim.violations(), []);
}
