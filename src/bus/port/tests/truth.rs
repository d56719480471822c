//! What is said of doors must be what was read, and recently.

use super::*;

#[tokio::test]
async fn a_door_that_stood_open_before_the_first_look_is_not_said_to_have_opened() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    line.board(1, |board| board.inputs = 0b1111_1011);
    let mut config = modbus(&line, &[1]);
    config.poll_interval_ms = 2_000;
    let running = Running::new(vec![config]);
    // At once after the start: nobody has looked yet.
    assert_eq!(running.open("east/1/3").await, PulseOutcome::AlreadyOpen);
    let heard = line.heard();
    let pulse = heard.iter().position(|one| is_pulse(one)).expect("sent");
    assert!(heard[..pulse].iter().filter(|one| one[1] == 2).count() >= 2, "looked at first");
    running.end().await;
}

#[tokio::test]
async fn doors_that_are_never_read_twice_in_a_row_are_forgotten() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    let running = Running::new(vec![modbus(&line, &[1])]);
    running.until_door("east/1/1", DoorState::Closed).await;
    // Every answer comes behind a miss, so that it may be the answer to the question before.
    let mut turn = 0_u32;
    line.world().bend = Some(Box::new(move |request, reply| {
        turn += u32::from(request[1] == 2);
        if request[1] == 2 && turn.is_multiple_of(2) { Vec::new() } else { vec![(1, reply)] }
    }));
    running.until_door("east/1/1", DoorState::Unknown).await;
    assert_eq!(running.board(0).link, BoardLink::Online, "it answers all the while");
    running.end().await;
}

#[tokio::test]
async fn a_port_that_opens_and_is_gone_at_once_was_never_online() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    // The adapter vanishes with the very first request, every time it is opened.
    line.world().vanish_at = Some(5);
    let running = Running::new(vec![modbus(&line, &[1])]);
    running.until("it was tried", |_| !line.heard().is_empty()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let health = running.bus.health()[0].clone();
    assert!(matches!(health.link, PortLink::Offline { .. }), "{health:?}");
    assert_eq!(health.reconnects, 0);
    running.end().await;
}

#[tokio::test]
async fn a_board_that_never_confirms_the_switching_off_is_still_read() {
    let line = FakeLine::new(Family::ModbusRelay, &[(1, FakeBoard::GOOD)]);
    line.world().bend =
        Some(Box::new(
            |request, reply| {
                if request[..4] == [1, 5, 0, 0xFF] { Vec::new() } else { vec![(1, reply)] }
            },
        ));
    let running = Running::new(vec![modbus(&line, &[1])]);
    running.until_door("east/1/1", DoorState::Closed).await;
    assert_eq!(running.open("east/1/1").await, PulseOutcome::Confirmed);
    running.end().await;
}
