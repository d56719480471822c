//! A whole port task against scripted boards on a pty: below the serial API, where drivers fail.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bus::codec::{Request, StatusOrder};
use crate::bus::config::PortAddress;
use crate::bus::config::tests::{board, bus};
use crate::bus::tools::{self, Answered, Progress, ScanPlan, Sharing, StatusPlan, Wire};
use crate::bus::{
    BoardLink, Bus, BusConfig, Doubt, Happened, OfflineClass, OpenRefused, PortLink, PulseOutcome,
};
use crate::domain::channel::{BusName, Channel, DoorState, Family};

mod coils;
mod fake;
mod truth;

use fake::{FakeBoard, FakeLine, with_crc};

/// Longest wait for anything in these tests.
const PATIENCE: Duration = Duration::from_secs(8);

struct Running {
    bus: Bus,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Running {
    fn new(configs: Vec<BusConfig>) -> Self {
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        for config in &configs {
            config.check().expect("a sound configuration");
        }
        Self { bus: Bus::start(configs, &tracker, &stop), tracker, stop }
    }

    async fn end(self) {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(PATIENCE, self.tracker.wait()).await.expect("tasks end");
    }

    async fn until(&self, what: &str, holds: impl Fn(&Bus) -> bool) {
        let give_up = Instant::now() + PATIENCE;
        while !holds(&self.bus) {
            assert!(Instant::now() < give_up, "{what}: {:#?}", self.bus.health());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn until_door(&self, text: &str, state: DoorState) {
        let door = channel(text);
        self.until(text, |bus| bus.door(&door).state == state).await;
    }

    async fn open(&self, text: &str) -> PulseOutcome {
        let mut watch = self.bus.open(&channel(text)).expect("accepted");
        tokio::time::timeout(PATIENCE, watch.outcome()).await.expect("every opening ends")
    }

    fn board(&self, index: usize) -> crate::bus::BoardHealth {
        self.bus.health()[0].boards[index].clone()
    }
}

fn channel(text: &str) -> Channel {
    text.parse().expect("a valid channel")
}

fn modbus(line: &FakeLine, addresses: &[u8]) -> BusConfig {
    bus(line.port(), addresses.iter().map(|one| board(*one, Family::ModbusRelay)).collect())
}

fn without_doors(mut config: BusConfig) -> BusConfig {
    config.boards.iter_mut().for_each(|board| board.doors = false);
    config
}

fn is_pulse(request: &[u8]) -> bool {
    request[1] == 5 && request[2] == 2
}

fn all_off(address: u8) -> Vec<u8> {
    with_crc(&[address, 5, 0, 0xFF, 0, 0])
}

#[tokio::test]
async fn outputs_are_switched_off_before_the_first_poll_and_at_stop() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD), (2, FakeBoard::GOOD)]);
    let running = Running::new(vec![modbus(&line, &[1, 2])]);
    running.until_door("east/2/8", DoorState::Closed).await;
    let heard = line.heard();
    assert_eq!(heard[..2], [all_off(1), all_off(2)]);
    assert!(heard[2..].iter().all(|request| request[1] != 5), "once per connect");
    running.end().await;
    let heard = line.heard();
    assert_eq!(heard[heard.len() - 2..], [all_off(1), all_off(2)]);
}

#[tokio::test]
async fn an_opening_goes_ahead_of_polls_and_is_confirmed_by_reads() {
    let boards: Vec<_> = (1..=6).map(|address| (address, FakeBoard::GOOD)).collect();
    let line = FakeLine::new(Family::ModbusRelay, &boards);
    let mut config = modbus(&line, &[1, 2, 3, 4, 5, 6]);
    config.poll_interval_ms = 1;
    let running = Running::new(vec![config]);
    running.until_door("east/6/3", DoorState::Closed).await;
    let before = line.heard().len();
    let mut watch = running.bus.open(&channel("east/6/3")).expect("accepted");
    let mut seen = Vec::new();
    while seen.last() != Some(&Happened::Ended(PulseOutcome::Confirmed)) {
        seen.push(watch.events.recv().await.expect("ends confirmed").what);
    }
    let first = [Happened::Sent, Happened::Acknowledged, Happened::DoorOpened];
    assert_eq!(seen[..3], first);
    let ahead = line.heard()[before..].iter().position(|request| is_pulse(request));
    assert!(ahead.expect("sent") <= 1, "at most what was under way: {ahead:?}");
    let pulses = line.heard().iter().filter(|request| is_pulse(request)).count();
    assert_eq!(pulses, 1, "never repeated");
    line.board(6, |board| board.inputs = 0xFF);
    let closed = tokio::time::timeout(PATIENCE, watch.events.recv()).await.expect("reported");
    assert_eq!(closed.map(|event| event.what), Some(Happened::DoorClosed));
    running.end().await;
}

#[tokio::test]
async fn an_opening_that_comes_in_a_gap_is_the_next_thing_sent() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD), (2, FakeBoard::GOOD)]);
    let mut config = modbus(&line, &[1, 2]);
    (config.poll_interval_ms, config.gap_ms) = (1, Some(150));
    let running = Running::new(vec![config]);
    running.until_door("east/2/3", DoorState::Closed).await;
    let before = line.heard().len();
    running.until("a poll", |_| line.heard().len() > before).await;
    // The poll is answered by now, and the line rests.
    tokio::time::sleep(Duration::from_millis(40)).await;
    let rested = line.heard().len();
    let mut watch = running.bus.open(&channel("east/2/3")).expect("accepted");
    assert_eq!(watch.events.recv().await.expect("sent").what, Happened::Sent);
    running.until("the pulse", |_| line.heard().len() > rested).await;
    assert!(is_pulse(&line.heard()[rested]), "a poll went ahead");
    running.end().await;
}

#[tokio::test]
async fn an_open_door_is_said_to_be_open_already() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    line.board(1, |board| board.inputs = 0b1111_1110);
    let running = Running::new(vec![modbus(&line, &[1])]);
    running.until_door("east/1/1", DoorState::Open).await;
    assert_eq!(running.open("east/1/1").await, PulseOutcome::AlreadyOpen);
    running.end().await;
}

#[tokio::test]
async fn a_silent_board_is_told_and_starves_nobody() {
    let silent = FakeBoard { silent: true, ..FakeBoard::GOOD };
    let line = FakeLine::new(Family::ModbusRelay, &[(1, silent), (2, FakeBoard::GOOD)]);
    let mut config = modbus(&line, &[1, 2]);
    config.boards[0].doors = false;
    let running = Running::new(vec![config]);
    running.until("silent", |bus| bus.health()[0].boards[0].link == BoardLink::Silent).await;
    let unconfirmed = PulseOutcome::Unconfirmed(Doubt::NoAnswer);
    assert_eq!(running.open("east/1/1").await, unconfirmed);
    let polled = |address| line.heard().iter().filter(|one| one[0] == address).count();
    running.until("the other is asked on", |_| polled(2) > 5 * polled(1)).await;
    assert_eq!(running.board(1).counters.timeouts, 0);
    // It comes back, is asked again at its slow pace, and is switched off first.
    line.board(1, |board| board.silent = false);
    let before = line.heard().len();
    running.until("back", |bus| bus.health()[0].boards[0].link == BoardLink::Online).await;
    let off = |line: &FakeLine| line.heard()[before..].contains(&all_off(1));
    running.until("switched off", |_| off(&line)).await;
    running.end().await;
}

#[tokio::test]
async fn a_late_reply_never_answers_the_next_request() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    let mut lies = 2;
    line.world().bend = Some(Box::new(move |request, reply| {
        if request[1] == 2 && lies > 0 {
            lies -= 1;
            // The doors as they are not, after the deadline of 60 ms.
            return vec![(85, with_crc(&[1, 2, 1, 0x00]))];
        }
        vec![(1, reply)]
    }));
    let running = Running::new(vec![modbus(&line, &[1])]);
    let mut changes = running.bus.subscribe();
    running.until_door("east/1/1", DoorState::Closed).await;
    assert_eq!(*changes.borrow_and_update(), 1, "never open in between");
    let counters = running.board(0).counters;
    assert!(counters.timeouts >= 2 && counters.late >= 2, "{counters:?}");
    running.end().await;
}

#[tokio::test]
async fn replies_are_found_among_everything_a_line_can_deliver() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    let mut turn = 0;
    line.world().bend = Some(Box::new(move |request, reply| {
        turn += usize::from(request[1] == 2);
        let mut broken = reply.clone();
        *broken.last_mut().expect("not empty") ^= 0x10;
        let stranger = with_crc(&[9, request[1], 1, 0]);
        match (request[1], turn % 6) {
            (2, 0) => vec![(1, [&[0xFA, 0xFD, 0x99][..], &reply].concat())],
            (2, 1) => vec![(1, broken), (1, reply)],
            (2, 2) => vec![(1, stranger), (1, reply)],
            (2, 3) => vec![(1, reply[..3].to_vec()), (2, reply)],
            (2, 4) => reply.iter().map(|byte| (1, vec![*byte])).collect(),
            (2, _) => vec![(1, reply.clone()), (0, reply)],
            _ => vec![(1, reply)],
        }
    }));
    let running = Running::new(vec![modbus(&line, &[1])]);
    running
        .until("all kinds met", |bus| {
            let seen = bus.health()[0].boards[0].counters;
            seen.bad_checksum >= 2 && seen.wrong_address >= 2 && seen.noise_bytes >= 6
        })
        .await;
    assert_eq!(running.bus.door(&channel("east/1/1")).state, DoorState::Closed);
    assert_eq!(running.board(0).counters.timeouts, 0);
    let exchanges = running.bus.exchanges(&BusName::parse("east").expect("valid"), Some(1));
    let exchanges = exchanges.expect("configured");
    assert!(exchanges.iter().any(|one| one.rx.starts_with("FA FD 99 01 02 01 FF")));
    assert_eq!(exchanges[0].tx, "01 05 00 FF 00 00 FD FA");
    running.end().await;
}

#[tokio::test]
async fn on_a_line_with_echo_only_the_board_acknowledges() {
    let dead = FakeBoard { silent: true, ..FakeBoard::GOOD };
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD), (2, dead)]);
    line.world().echo = true;
    let running = Running::new(vec![without_doors(modbus(&line, &[1, 2]))]);
    running.until("echo heard", |bus| bus.health()[0].boards[0].counters.echo_bytes > 0).await;
    assert_eq!(running.open("east/1/1").await, PulseOutcome::Accepted);
    let unconfirmed = PulseOutcome::Unconfirmed(Doubt::NoAnswer);
    assert_eq!(running.open("east/2/1").await, unconfirmed);
    running.end().await;
}

#[tokio::test]
async fn a_refusal_is_a_refusal_and_missing_inputs_end_no_poll() {
    let refusing = FakeBoard { refuses: Some((2, 2)), ..FakeBoard::GOOD };
    let line = FakeLine::new(Family::ModbusRelay, &[(1, refusing)]);
    let running = Running::new(vec![modbus(&line, &[1])]);
    running.until("told", |bus| bus.health()[0].boards[0].refuses_inputs).await;
    assert_eq!(running.open("east/1/1").await, PulseOutcome::Accepted, "no sensor to ask");
    line.board(1, |board| board.refuses = Some((5, 3)));
    let refused = running.open("east/1/2").await;
    assert!(matches!(&refused, PulseOutcome::Refused(why) if why.contains("value")), "{refused:?}");
    assert_eq!(running.bus.read_door(&channel("east/1/1")).await, DoorState::Unknown);
    running.end().await;
}

#[tokio::test]
async fn a_lost_port_heals_under_a_new_number() {
    let mut line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    let running = Running::new(vec![modbus(&line, &[1])]);
    running.until_door("east/1/1", DoorState::Closed).await;
    line.unplug().await;
    running.until_door("east/1/1", DoorState::Unknown).await;
    let away = |bus: &Bus| {
        matches!(bus.health()[0].link, PortLink::Offline { class: OfflineClass::Missing, .. })
    };
    running.until("offline", away).await;
    assert!(matches!(running.open("east/1/1").await, PulseOutcome::Unreachable(_)));
    assert_eq!(running.bus.read_door(&channel("east/1/1")).await, DoorState::Unknown);
    let before = line.heard().len();
    line.plug();
    running.until_door("east/1/1", DoorState::Closed).await;
    assert_eq!(line.heard()[before], all_off(1));
    assert_eq!(running.bus.health()[0].reconnects, 1);
    assert_eq!(running.open("east/1/1").await, PulseOutcome::Confirmed, "failures do not cool");
    running.end().await;
}

#[tokio::test]
async fn a_port_lost_with_the_pulse_leaves_it_unconfirmed() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    let running = Running::new(vec![modbus(&line, &[1])]);
    running.until_door("east/1/1", DoorState::Closed).await;
    line.world().vanish_at = Some(5);
    let lost = PulseOutcome::Unconfirmed(Doubt::PortLost);
    assert_eq!(running.open("east/1/1").await, lost);
    let again = running.bus.open(&channel("east/1/1")).err();
    assert!(matches!(again, Some(OpenRefused::CoolingDown { .. })), "it may have moved");
    running.end().await;
}

#[tokio::test]
async fn one_coil_of_a_supply_at_a_time_also_across_ports() {
    let east = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    let west = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    let mut config = without_doors(modbus(&west, &[1]));
    config.name = BusName::parse("west").expect("valid");
    let running = Running::new(vec![without_doors(modbus(&east, &[1])), config]);
    let opens = ["east/1/1", "west/1/1", "east/1/2", "west/1/2"];
    let mut watches: Vec<_> =
        opens.iter().map(|one| running.bus.open(&channel(one)).expect("accepted")).collect();
    for watch in &mut watches {
        assert_eq!(watch.outcome().await, PulseOutcome::Accepted);
    }
    let mut at: Vec<_> = [&east, &west]
        .iter()
        .flat_map(|line| line.world().log.clone())
        .filter(|(_, request)| is_pulse(request))
        .map(|(at, _)| at)
        .collect();
    at.sort();
    let rests: Vec<_> = at.windows(2).map(|two| two[1] - two[0]).collect();
    // A pulse of 100 ms and a rest of 150 ms, seen through the fake's own delay.
    assert_eq!(rests.len(), 3);
    assert!(rests.iter().all(|rest| rest.as_millis() >= 200), "{rests:?}");
    running.end().await;
}

#[tokio::test]
async fn openings_are_refused_at_once_when_they_cannot_be() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    let mut config = modbus(&line, &[1, 2, 3]);
    config.boards.iter_mut().for_each(|board| board.locks = 32);
    let running = Running::new(vec![config]);
    let open = |text: &str| running.bus.open(&channel(text)).map(|_| ());
    for text in ["west/1/1", "east/4/1", "east/1/33"] {
        assert_eq!(open(text), Err(OpenRefused::UnknownChannel(channel(text))));
    }
    assert_eq!(open("east/1/1"), Ok(()));
    assert_eq!(open("east/1/1"), Err(OpenRefused::CoolingDown { retry_after_ms: 2_000 }));
    let more = (1..=3_u8).flat_map(|board| (1..=32_u8).map(move |lock| (board, lock))).skip(1);
    let results: Vec<_> = more.map(|(board, lock)| open(&format!("east/{board}/{lock}"))).collect();
    assert_eq!(results.iter().filter(|one| one.is_ok()).count(), 63);
    assert_eq!(results.last(), Some(&Err(OpenRefused::QueueFull)));
    running.end().await;
}

#[tokio::test]
async fn stopping_ends_what_waits() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    line.board(1, |board| board.door_opens = false);
    let running = Running::new(vec![modbus(&line, &[1])]);
    let mut sent = running.bus.open(&channel("east/1/1")).expect("accepted");
    let mut waiting = running.bus.open(&channel("east/1/2")).expect("accepted");
    assert_eq!(sent.events.recv().await.map(|event| event.what), Some(Happened::Sent));
    let bus = running.bus.clone();
    running.end().await;
    assert_eq!(sent.outcome().await, PulseOutcome::Unconfirmed(Doubt::Stopped));
    assert!(matches!(waiting.outcome().await, PulseOutcome::Unreachable(_)));
    let mut after = bus.open(&channel("east/1/3")).expect("accepted");
    assert!(matches!(after.outcome().await, PulseOutcome::Unreachable(_)));
}

#[tokio::test]
async fn kerong_boards_open_without_a_word() {
    let line = FakeLine::new(Family::KerongCu16, &[(0, FakeBoard::GOOD), (3, FakeBoard::GOOD)]);
    let boards = vec![board(0, Family::KerongCu16), board(3, Family::KerongCu16)];
    let mut config = bus(line.port(), boards);
    config.baud = 19_200;
    config.boards[0].answers_unlock = None;
    let running = Running::new(vec![config]);
    running.until_door("east/3/2", DoorState::Closed).await;
    assert_eq!(running.open("east/3/2").await, PulseOutcome::Confirmed);
    assert_eq!(running.bus.read_door(&channel("east/3/2")).await, DoorState::Open);
    assert_eq!(running.bus.read_door(&channel("east/3/16")).await, DoorState::Closed);
    assert!(line.heard().contains(&vec![2, 0x31, 0x31, 3, 0x67]));
    assert_eq!(running.board(1).counters.timeouts, 0, "no reply was owed");
    let log = line.world().log.clone();
    let gaps = log.windows(2).map(|two| two[1].0 - two[0].0);
    assert!(gaps.min() >= Some(Duration::from_millis(15)), "the family needs 25 ms");
    running.end().await;
}

#[tokio::test]
async fn a_port_in_use_is_told_and_taken_when_free() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    let first = Running::new(vec![modbus(&line, &[1])]);
    first.until_door("east/1/1", DoorState::Closed).await;
    let second = Running::new(vec![modbus(&line, &[1])]);
    let busy = |bus: &Bus| {
        matches!(bus.health()[0].link, PortLink::Offline { class: OfflineClass::Busy, .. })
    };
    second.until("busy", busy).await;
    first.end().await;
    second.until_door("east/1/1", DoorState::Closed).await;
    assert_eq!(second.bus.health()[0].reconnects, 0);
    second.end().await;
}

#[tokio::test]
async fn a_scan_finds_boards_with_reads_only() {
    let line = FakeLine::new(Family::ModbusRelay, &[(2, FakeBoard::GOOD), (3, FakeBoard::GOOD)]);
    let plan = ScanPlan::new(&[9_600], &[Family::ModbusRelay], 0..=4);
    let plan = ScanPlan { reply_timeout_ms: 30, ..plan };
    let mut told = 0;
    let mut wire = Wire::own(PortAddress::Device(line.port()));
    let stop = CancellationToken::new();
    let tell = |news: Progress<'_>| told += u32::from(matches!(news, Progress::Found(_)));
    let found = tools::scan(&mut wire, &plan, &stop, tell).await.expect("the port opens");
    assert!(found.finished && !found.echo && found.noise.is_empty(), "{found:?}");
    assert!(found.boards.iter().all(|board| board.sharing == Some(Sharing::Alone)));
    let boards: Vec<_> = found.boards.iter().map(|board| (board.baud, board.address)).collect();
    assert_eq!((boards, told), (vec![(9_600, 2), (9_600, 3)], 2));
    assert!(line.heard().iter().all(|request| request[1] == 1), "nothing but reads");
    stop.cancel();
    let cut = tools::scan(&mut wire, &plan, &stop, |_| {}).await.expect("the port is open");
    assert!(!cut.finished && cut.asked == 0);
    line.board(2, |board| board.refuses = Some((2, 2)));
    let plan = StatusPlan {
        baud: 9_600,
        family: Family::ModbusRelay,
        address: 2,
        locks: 8,
        status_order: StatusOrder::default(),
        reply_timeout_ms: 30,
    };
    let report = tools::status(&mut wire, &plan).await.expect("the port opens");
    assert_eq!(report.version, Some(Answered::Value(200)));
    assert!(matches!(report.inputs, Some(Answered::Refused(_))));
    assert!(matches!(report.relays, Some(Answered::Value(_))));
    let mut missing = Wire::own(PortAddress::Device("/nonexistent/port".into()));
    let error = tools::status(&mut missing, &plan).await.expect_err("no such port").to_string();
    assert!(error.contains("is the adapter plugged in"), "{error}");
}

#[test]
fn a_poll_of_a_board_without_doors_asks_for_its_outputs() {
    let mut config = board(1, Family::ModbusRelay);
    config.doors = false;
    let known = super::Board::new(config, 100, Instant::now());
    assert_eq!(known.poll_request(), Request::Relays);
}
