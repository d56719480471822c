//! What a coil may never be asked, and what a technician may.

use std::time::{Duration, Instant};

use super::*;
use crate::bus::codec::{Call, Reply};
use crate::bus::scanner::Heard;
use crate::bus::tools::ToolError;
use crate::bus::{Question, Unsupported};

/// Everything an opening told, up to its outcome, with when.
async fn told(running: &Running, text: &str) -> Vec<(Instant, Happened)> {
    let mut watch = running.bus.open(&channel(text)).expect("accepted");
    let mut told = Vec::new();
    while !matches!(told.last(), Some((_, Happened::Ended(_)))) {
        let event = tokio::time::timeout(PATIENCE, watch.events.recv()).await.expect("ends");
        let event = event.expect("an outcome comes before the end");
        told.push((event.at, event.what));
    }
    told
}

fn at(told: &[(Instant, Happened)], what: &Happened) -> Option<Instant> {
    told.iter().find(|(_, happened)| happened == what).map(|(at, _)| *at)
}

#[tokio::test]
async fn a_door_seen_closed_gets_one_more_pulse_after_its_coil_has_rested() {
    let stiff = FakeBoard { jammed_pulses: 1, ..FakeBoard::GOOD };
    let jammed = FakeBoard { door_opens: false, ..FakeBoard::GOOD };
    let line = FakeLine::new(Family::ModbusRelay, &[(1, stiff), (2, jammed)]);
    let mut config = modbus(&line, &[1, 2]);
    config.boards[1].power_supply = "other".to_owned();
    let running = Running::new(vec![config]);
    running.until_door("east/2/1", DoorState::Closed).await;
    let (opened, stuck) = tokio::join!(told(&running, "east/1/3"), told(&running, "east/2/1"));
    let [first, again] = [Happened::Sent, Happened::SentAgain].map(|what| at(&opened, &what));
    let rest = again.expect("sent again") - first.expect("sent");
    assert!(rest >= Duration::from_millis(2_100), "100 ms of pulse and 2 s of rest: {rest:?}");
    assert_eq!(opened.last().expect("ended").1, Happened::Ended(PulseOutcome::Confirmed));
    assert_eq!(stuck.last().expect("ended").1, Happened::Ended(PulseOutcome::DoorStayedClosed));
    assert!(at(&stuck, &Happened::SentAgain).is_some());
    let pulses =
        |address| line.heard().iter().filter(|one| one[0] == address && is_pulse(one)).count();
    assert_eq!((pulses(1), pulses(2)), (2, 2), "one second pulse and no third");
    assert_eq!(running.board(0).counters.retries, 1);
    running.end().await;
}

#[tokio::test]
async fn no_second_pulse_where_nothing_shows_a_closed_door() {
    // One board without sensors, one whose inputs fall silent with the pulse, one told not to.
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD), (2, FakeBoard::GOOD)]);
    line.board(2, |board| board.door_opens = false);
    let mut config = modbus(&line, &[1, 2]);
    config.boards[0].doors = false;
    config.boards[1].retry_pulse = false;
    for (board, name) in config.boards.iter_mut().zip(["one", "two"]) {
        board.power_supply = name.to_owned();
    }
    let running = Running::new(vec![config]);
    running.until_door("east/2/1", DoorState::Closed).await;
    let (unseen, jammed) = tokio::join!(told(&running, "east/1/1"), told(&running, "east/2/1"));
    assert_eq!(unseen.last().expect("ended").1, Happened::Ended(PulseOutcome::Accepted));
    assert_eq!(jammed.last().expect("ended").1, Happened::Ended(PulseOutcome::DoorStayedClosed));
    assert_eq!(line.heard().iter().filter(|one| is_pulse(one)).count(), 2);
    running.end().await;
}

#[tokio::test]
async fn a_board_without_timer_is_pulsed_only_when_allowed_and_always_released() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    let mut config = modbus(&line, &[1]);
    config.boards[0].timed_pulse = false;
    assert!(config.check().is_err(), "not without the site's word");
    config.allow_software_pulse = true;
    let mut deaf = 2;
    line.world().bend = Some(Box::new(move |request, reply| {
        let off = request[..5] == [1, 5, 0, 2, 0];
        if off && deaf > 0 {
            deaf -= 1;
            return Vec::new();
        }
        vec![(1, reply)]
    }));
    let running = Running::new(vec![config]);
    running.until_door("east/1/3", DoorState::Closed).await;
    assert_eq!(running.open("east/1/3").await, PulseOutcome::Confirmed);
    let log = line.world().log.clone();
    let switched = |value: u8| {
        let of = move |one: &&(Instant, Vec<u8>)| one.1[..5] == [1, 5, 0, 2, value];
        log.iter().filter(of).map(|(at, _)| *at).collect::<Vec<_>>()
    };
    let (on, off) = (switched(0xFF), switched(0));
    assert_eq!((on.len(), off.len()), (1, 3), "off until it is answered");
    let coil = off[0] - on[0];
    assert!(coil >= Duration::from_millis(90), "{coil:?}");
    assert_eq!(line.world().boards[&1].relays, 0);
    running.end().await;
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_software_pulse_ends_it() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    let mut config = modbus(&line, &[1]);
    (config.boards[0].timed_pulse, config.allow_software_pulse) = (false, true);
    config.boards[0].pulse_ms = 500;
    let running = Running::new(vec![config]);
    running.until_door("east/1/3", DoorState::Closed).await;
    let _watch = running.bus.open(&channel("east/1/3")).expect("accepted");
    running.until("the coil", |_| line.world().boards[&1].relays != 0).await;
    running.end().await;
    assert_eq!(line.world().boards[&1].relays, 0);
    let heard = line.heard();
    assert!(heard.contains(&with_crc(&[1, 5, 0, 2, 0, 0])), "released by itself, not by all-off");
}

#[tokio::test]
async fn a_technician_asks_between_polls_and_moves_nothing() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD), (9, FakeBoard::GOOD)]);
    let running = Running::new(vec![modbus(&line, &[1])]);
    running.until_door("east/1/1", DoorState::Closed).await;
    let east = BusName::parse("east").expect("valid");
    let ask = |address, request, baud| {
        let call = Call::new(address, 8, request);
        let wait = Duration::from_millis(40);
        let question = Question::new(Family::ModbusRelay, call, wait);
        running.bus.ask(&east, Question { baud, ..question })
    };
    let answer = ask(9, Request::Version, None).await.expect("asked");
    assert!(matches!(answer.heard, Some(Heard::Reply { reply: Reply::Version(200), .. })));
    assert!(answer.after.is_some());
    let nobody = ask(7, Request::Version, Some(9_600)).await.expect("asked");
    assert_eq!(nobody.heard, None);
    for request in [Request::Pulse { lock: 1, duration_ms: 100 }, Request::On { lock: 1 }] {
        let refused = ask(9, request, None).await.expect_err("moves a lock");
        assert!(matches!(refused, ToolError::Unsupported(Unsupported::Command(_))));
    }
    let strangers = running.bus.exchanges(&east, None).expect("configured");
    assert_eq!(strangers.len(), 2);
    assert_eq!(strangers[0].rx, "09 03 02 00 C8 58 13");
    assert_eq!(strangers[0].verdict, "firmware V2.00");
    assert_eq!(strangers[1].verdict, "no answer");
    let own = running.bus.exchanges(&east, Some(1)).expect("configured");
    assert!(own.iter().any(|one| one.verdict == "inputs at 1: 1-8, at 0: none"), "{own:?}");
    running.until("polls go on", |bus| bus.health()[0].boards[0].counters.answered > 5).await;
    assert_eq!(running.board(0).counters.timeouts, 0, "the speed was set back");
    let west = BusName::parse("west").expect("valid");
    let call = Call::new(1, 8, Request::Status);
    let unknown = running.bus.ask(&west, Question::new(Family::ModbusRelay, call, PATIENCE)).await;
    assert!(matches!(unknown, Err(ToolError::UnknownBus(_))));
    running.end().await;
}

#[tokio::test]
async fn a_technician_is_not_starved_by_polls_that_are_always_due() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD), (2, FakeBoard::GOOD)]);
    let mut config = modbus(&line, &[1, 2]);
    config.poll_interval_ms = 1;
    let running = Running::new(vec![config]);
    running.until_door("east/2/1", DoorState::Closed).await;
    let east = BusName::parse("east").expect("valid");
    let before = running.board(0).counters.sent;
    for _ in 0..10 {
        let call = Call::new(2, 8, Request::Version);
        let wait = Duration::from_millis(40);
        let asked = running.bus.ask(&east, Question::new(Family::ModbusRelay, call, wait));
        let answer = tokio::time::timeout(PATIENCE, asked).await.expect("a turn");
        assert!(answer.expect("answered").heard.is_some());
    }
    assert!(running.board(0).counters.sent > before, "nor are the polls");
    running.end().await;
}

#[tokio::test]
async fn an_echo_told_by_the_configuration_is_stripped_from_the_first_frame_on() {
    let dead = FakeBoard { silent: true, ..FakeBoard::GOOD };
    let line = FakeLine::new(Family::ModbusRelay, &[(1, dead)]);
    line.world().echo = true;
    let mut config = without_doors(modbus(&line, &[1]));
    config.echo = crate::bus::config::EchoSetting::Present;
    let running = Running::new(vec![config]);
    assert_eq!(
        running.open("east/1/1").await,
        PulseOutcome::Unconfirmed(Doubt::NoAnswer),
        "an echo is no answer"
    );
    assert!(running.board(0).counters.echo_bytes >= 16);
    assert_eq!(running.board(0).counters.answered, 0);
    running.end().await;
}
