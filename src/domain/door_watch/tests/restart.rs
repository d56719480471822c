//! What a watch that begins with what an earlier run left says of doors and alarms.

use super::*;

#[test]
fn after_a_restart_only_a_change_is_an_alarm() {
    let stop = jiff::Timestamp::from_second(1_000).expect("in range");
    let known = |number, open, excused| RestoredDoor {
        locker_id: LockerId(number),
        open,
        last_seen: stop,
        excused,
    };
    let mut bench = Bench::blind();
    bench.watch.restore_door(known(101, false, false));
    bench.watch.restore_door(known(102, true, false));
    bench.watch.restore_door(known(103, false, true));
    bench.look();
    bench.after(2_000);
    for number in 101..=103 {
        bench.set(number, Open);
    }
    let decisions = bench.decide();
    assert_eq!(
        decisions.iter().map(told).collect::<Vec<_>>(),
        ["raise opened_unwatched locker:101"]
    );
    let What::Raise { evidence, .. } = &decisions[0].what else { panic!("{decisions:?}") };
    let found_open = Moment::At(bench.now);
    let last_seen_closed = Moment::Earlier(stop);
    assert_eq!(evidence, &Evidence::FoundOpen { last_seen_closed, found_open });
    // What excused the gap excuses nothing after it.
    bench.after(100).set(103, Closed).look();
    assert_eq!(bench.after(100).set(103, Open).look(), ["raise forced_open locker:103"]);
}

#[test]
fn alarms_of_an_earlier_run_go_on_and_end() {
    let mut bench = Bench::blind();
    for (kind, subject) in [
        (AlarmKind::ForcedOpen, locker(101)),
        (AlarmKind::LeftOpen, locker(102)),
        (AlarmKind::BusOffline, Subject::Bus(east())),
        (AlarmKind::Jammed, locker(103)),
        (AlarmKind::ForcedOpen, locker(999)),
        (AlarmKind::SensorFault, board()),
    ] {
        let doubted = if subject == board() { vec![LockerId(104)] } else { Vec::new() };
        let restored =
            Restored { kind, subject, count: 1, escalated: false, acknowledged: false, doubted };
        bench.watch.restore_alarm(restored, bench.now);
    }
    let mut first = bench.after(100).look();
    first.sort();
    let wanted = ["clear back bus_offline bus:east", "clear not_watched forced_open locker:999"];
    assert_eq!(first, wanted, "doors that nobody sees yet stay as they were");
    let mut then =
        bench.after(1_000).set(101, Closed).set(102, Open).set(103, Open).set(104, Closed).look();
    then.sort();
    let wanted = [
        "clear calm sensor_fault board:east/1",
        "clear door_closed forced_open locker:101",
        "clear door_opened jammed locker:103",
    ];
    assert_eq!(then, wanted);
    assert_eq!(bench.after(300_000).look()[0], "escalate left_open locker:102");
}

#[test]
fn an_alarm_taken_up_after_its_door_was_seen_closed_is_over() {
    let restored = |kind, number| Restored {
        kind,
        subject: locker(number),
        count: 1,
        escalated: false,
        acknowledged: false,
        doubted: Vec::new(),
    };
    let mut bench = Bench::closed();
    bench.after(1_000).set(103, Unknown).look();
    for (kind, number) in [
        (AlarmKind::ForcedOpen, 101),
        (AlarmKind::LeftOpen, 101),
        (AlarmKind::Jammed, 102),
        (AlarmKind::LeftOpen, 103),
    ] {
        bench.watch.restore_alarm(restored(kind, number), bench.now);
    }
    let wanted =
        ["clear door_closed forced_open locker:101", "clear door_closed left_open locker:101"];
    assert_eq!(bench.look(), wanted);
    // The next one is an alarm of its own.
    assert_eq!(bench.after(100).set(101, Open).look(), ["raise forced_open locker:101"]);
    let wanted = ["clear door_closed left_open locker:103"];
    assert_eq!(bench.after(100).set(103, Closed).look(), wanted);
}

#[test]
fn a_board_doubted_before_the_restart_is_believed_once_all_its_doors_read_closed() {
    let mut bench = Bench::closed();
    let restored = Restored {
        kind: AlarmKind::SensorFault,
        subject: board(),
        count: 3,
        escalated: false,
        acknowledged: false,
        doubted: vec![LockerId(101), LockerId(102), LockerId(103)],
    };
    bench.watch.restore_alarm(restored, bench.now);
    assert_eq!(bench.after(100).set(101, Open).look()[0], "raise forced_open locker:101");
}
