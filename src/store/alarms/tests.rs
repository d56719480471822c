//! Alarms in a database in memory.

use super::*;
use crate::domain::channel::BusName;
use crate::store::StoreError;
use crate::store::error::Constraint;
use crate::store::open::memory_with_people;

fn at(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(ms).expect("in range")
}

fn locker(id: i64) -> Subject {
    Subject::Locker(LockerId(id))
}

fn bus() -> BusName {
    BusName::parse("east").expect("valid")
}

fn evidence() -> Evidence<jiff::Timestamp> {
    Evidence::StandsOpen { open_since: at(1), limit_ms: 180_000 }
}

fn raise(conn: &Connection, kind: AlarmKind, subject: &Subject, ms: i64) -> AlarmId {
    let bank_id = subject.wire().0.is_none().then_some(BankId(1));
    let evidence = evidence();
    let new = NewAlarm { kind, subject, bank_id, at: at(ms), count: 1, evidence: &evidence };
    insert(conn, &new).expect("stored")
}

fn ids(alarms: &[Alarm]) -> Vec<i64> {
    alarms.iter().map(|alarm| alarm.id.0).collect()
}

#[test]
fn one_alarm_of_a_kind_about_one_thing_is_live() {
    let conn = memory_with_people();
    let id = raise(&conn, AlarmKind::LeftOpen, &locker(101), 5);
    let (evidence, subject) = (evidence(), locker(101));
    let again = NewAlarm {
        kind: AlarmKind::LeftOpen,
        subject: &subject,
        bank_id: Some(BankId(1)),
        at: at(6),
        count: 1,
        evidence: &evidence,
    };
    let error = insert(&conn, &again).expect_err("it is live");
    assert!(matches!(error, StoreError::Conflict(Constraint::Unique(_))), "{error}");
    raise(&conn, AlarmKind::LeftOpen, &locker(102), 6);
    raise(&conn, AlarmKind::Jammed, &locker(101), 6);
    update_cleared(&conn, id, 7, ClearReason::DoorClosed).expect("stored");
    assert_ne!(raise(&conn, AlarmKind::LeftOpen, &locker(101), 8), id);
}

#[test]
fn every_name_is_known_to_the_schema_and_everything_is_read_back() {
    let conn = memory_with_people();
    let subjects =
        [locker(101), Subject::Board(bus(), 3), Subject::Bus(bus()), Subject::Bank(BankId(1))];
    for (number, kind) in (0_i64..).zip(AlarmKind::ALL) {
        for subject in &subjects {
            let id = raise(&conn, *kind, subject, number);
            let alarm = find(&conn, id).expect("readable").expect("there");
            assert_eq!((alarm.kind, &alarm.subject), (*kind, subject));
            assert_eq!(alarm.bank_id.is_some(), subject.wire().0.is_none());
            assert_eq!(find_live(&conn, *kind, subject).expect("readable"), Some(alarm));
        }
    }
    for reason in ClearReason::ALL {
        let id = raise(&conn, AlarmKind::Jammed, &locker(102), 5);
        update_cleared(&conn, id, 9, *reason).expect("the CHECK knows it");
        let alarm = find(&conn, id).expect("readable").expect("there");
        assert_eq!(alarm.cleared, Some((at(9), *reason)));
    }
    let id = raise(&conn, AlarmKind::LeftOpen, &locker(102), 5);
    for kind in StepKind::ALL {
        let step = Step { at: at(6), kind: *kind, actor: Some(MemberId(1)), note: None };
        insert_step(&conn, id, &step).expect("the CHECK knows it");
    }
    let steps = list_steps(&conn, id).expect("readable");
    assert_eq!(steps.iter().map(|step| step.kind).collect::<Vec<_>>(), StepKind::ALL);
    let more = Evidence::StandsOpen { open_since: at(1), limit_ms: 5 };
    update_seen(&conn, id, 8, 4, &more).expect("stored");
    update_escalated(&conn, id, 9).expect("stored");
    let word = Acknowledgement { at: at(10), by: MemberId(1), note: "봤음".to_owned() };
    update_acknowledged(&conn, id, &word).expect("stored");
    update_claimed(&conn, id, 11, MemberId(2)).expect("stored");
    update_claimed(&conn, id, 12, MemberId(1)).expect("the first stands");
    let alarm = find(&conn, id).expect("readable").expect("there");
    assert_eq!((alarm.count, alarm.last_seen_at, alarm.evidence), (4, at(9), more));
    assert_eq!(alarm.escalated_at, Some(at(9)));
    assert_eq!(alarm.acknowledged, Some(word));
    assert_eq!(alarm.claimed, Some((at(11), MemberId(2))));
}

#[test]
fn a_page_shows_what_was_asked_for_and_to_staff_what_is_theirs() {
    let conn = memory_with_people();
    conn.execute_batch(
        "INSERT INTO bank (id, location_id, name_ko, name_en, mode, hold_seconds)
           VALUES (2, 1, '나', 'B', 'choose', 60);
         INSERT INTO locker (id, bank_id, bus, board, lock)
           VALUES (201, 2, 'east', 3, 1), (103, 1, 'east', 4, 1);
         INSERT INTO bank_staff (member_id, bank_id) VALUES (1, 1), (2, 2);",
    )
    .expect("consistent");
    let mine = raise(&conn, AlarmKind::ForcedOpen, &locker(101), 10).0;
    let board_3 = raise(&conn, AlarmKind::BoardOffline, &Subject::Board(bus(), 3), 20).0;
    let port = raise(&conn, AlarmKind::BusOffline, &Subject::Bus(bus()), 30).0;
    let second = raise(&conn, AlarmKind::LeftOpen, &locker(101), 40).0;
    let all = AlarmFilter { limit: 50, ..AlarmFilter::default() };
    let page = |filter: &AlarmFilter| ids(&list(&conn, filter).expect("readable"));
    assert_eq!(page(&all), [second, port, board_3, mine]);
    let staff = |id| AlarmFilter { staff: Some(MemberId(id)), ..all.clone() };
    assert_eq!(page(&staff(1)), [second, port, mine]);
    assert_eq!(page(&staff(2)), [port, board_3]);
    let bank_2 = AlarmFilter { bank_id: Some(BankId(2)), ..all.clone() };
    assert_eq!(page(&bank_2), [port, board_3]);
    let first_two = AlarmFilter { limit: 2, ..all.clone() };
    assert_eq!(page(&first_two), [second, port]);
    let next_two = AlarmFilter { before: Some(AlarmId(port)), ..first_two };
    assert_eq!(page(&next_two), [board_3, mine]);
    let window = AlarmFilter { since_ms: Some(20), until_ms: Some(40), ..all.clone() };
    assert_eq!(page(&window), [port, board_3]);
    let kind = AlarmFilter { kind: Some(AlarmKind::LeftOpen), ..all.clone() };
    assert_eq!(page(&kind), [second]);
    let of_locker = AlarmFilter { locker_id: Some(LockerId(101)), ..all.clone() };
    assert_eq!(page(&of_locker), [second, mine]);

    update_cleared(&conn, AlarmId(mine), 50, ClearReason::DoorClosed).expect("stored");
    let word = Acknowledgement { at: at(50), by: MemberId(1), note: String::new() };
    update_acknowledged(&conn, AlarmId(port), &word).expect("stored");
    let state = |state| AlarmFilter { state: Some(state), ..all.clone() };
    assert_eq!(page(&state(AlarmChoice::Live)), [second, board_3]);
    assert_eq!(page(&state(AlarmChoice::Acknowledged)), [port]);
    assert_eq!(page(&state(AlarmChoice::Cleared)), [mine]);
    assert_eq!(page(&state(AlarmChoice::Unseen)), [second, board_3, mine]);
    assert_eq!(page(&state(AlarmChoice::Standing)), [port]);
    assert_eq!(page(&state(AlarmChoice::Over)), [] as [i64; 0]);
    let severe =
        AlarmFilter { severity: Some(Severity::Critical), limit: 10, ..Default::default() };
    assert_eq!(page(&severe), [port, board_3, mine]);
    assert_eq!(ids(&list_open(&conn, 9).expect("readable")), [second, port, board_3, mine]);
    assert_eq!(ids(&list_open(&conn, 0).expect("readable")), [second, port, board_3]);
}

#[test]
fn a_renter_is_shown_nothing_from_before_their_time() {
    let conn = memory_with_people();
    conn.execute_batch(
        "INSERT INTO rental (id, bank_id, locker_id, member_id, term_id, state, starts_on, ends_on, held_ms,
                             confirmed_ms)
           VALUES (1, 1, 101, 1, 1, 'active', '2026-03-01', '2026-06-30', 10, 20);",
    )
    .expect("consistent");
    let before = raise(&conn, AlarmKind::ForcedOpen, &locker(101), 19);
    update_cleared(&conn, before, 19, ClearReason::DoorClosed).expect("stored");
    let mine = raise(&conn, AlarmKind::ForcedOpen, &locker(101), 20);
    raise(&conn, AlarmKind::ForcedOpen, &locker(102), 21);
    let shown = list_of_rental(&conn, RentalId(1), 9).expect("readable");
    assert_eq!(ids(&shown), [mine.0]);
    let find = |id| find_of_rental(&conn, RentalId(1), id).expect("readable").is_some();
    assert!(find(mine) && !find(before));
}
