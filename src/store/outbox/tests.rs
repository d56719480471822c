//! Messages on their way through being due, sent, dead and dropped.

use super::*;
use crate::store::open::memory_with_people;

fn post(conn: &Connection, kind: &str, to: Recipient<'_>, sealed: bool) -> i64 {
    let message_id = Uuid::now_v7().to_string();
    let sealed = sealed.then_some(b"sealed".as_slice());
    let message =
        NewMessage { kind, to, payload: "{\"name\":\"가\"}", sealed, message_id: &message_id };
    insert_message(conn, &message, 10).expect("stored");
    conn.last_insert_rowid()
}

fn due(conn: &Connection, now_ms: i64) -> Vec<i64> {
    list_due(conn, now_ms, 10).expect("readable").iter().map(|row| row.id).collect()
}

fn erased(conn: &Connection, id: i64) -> bool {
    let sql = "SELECT sealed IS NULL FROM outbox WHERE id = ?1";
    conn.query_row(sql, [id], |row| row.get(0)).expect("there")
}

#[test]
fn codes_come_first_and_only_what_is_due() {
    let conn = memory_with_people();
    let plain = post(&conn, "rental_confirmed", Recipient::Member(MemberId(1)), false);
    let code = post(&conn, "sign_up_code", Recipient::Address("a@b.kr", "en"), true);
    assert_eq!(due(&conn, 9), [] as [i64; 0]);
    assert_eq!(due(&conn, 10), [code, plain]);
    update_put_off(&conn, code, 500, "451 later").expect("stored");
    assert_eq!(due(&conn, 499), [plain]);
    assert_eq!(due(&conn, 500), [code, plain]);
    assert_eq!(update_hurried(&conn, 20).expect("stored"), 1);
    assert_eq!(due(&conn, 20), [code, plain]);
}

#[test]
fn address_and_language_are_looked_up_when_it_is_sent() {
    let conn = memory_with_people();
    post(&conn, "x", Recipient::Member(MemberId(1)), false);
    post(&conn, "x", Recipient::Address("new@b.kr", "en"), false);
    conn.execute_batch("UPDATE member SET email = 'now@b.kr', language = 'en' WHERE id = 1")
        .expect("stored");
    let rows = list_due(&conn, 10, 10).expect("readable");
    assert_eq!(rows[0].address.as_deref(), Some("now@b.kr"));
    assert_eq!(rows[0].language, "en");
    assert_eq!(rows[0].member.as_ref().map(|member| member.name.as_str()), Some("가"));
    assert_eq!(rows[1].address.as_deref(), Some("new@b.kr"));
    assert!(rows[1].member.is_none());
    conn.execute_batch("UPDATE member SET left_ms = 5 WHERE id = 1").expect("stored");
    let rows = list_due(&conn, 10, 10).expect("readable");
    assert!(rows[0].member.as_ref().is_some_and(|member| member.left));
}

#[test]
fn the_secret_goes_when_it_is_not_due_any_more() {
    let conn = memory_with_people();
    let [sent, dead, dropped] =
        [1, 2, 3].map(|_| post(&conn, "sign_up_code", Recipient::Address("a@b.kr", "ko"), true));
    assert!(update_sent(&conn, sent, 20).expect("stored"));
    assert!(update_dead(&conn, dead, 21, "550 nobody").expect("stored"));
    assert!(update_dropped(&conn, dropped, 22, "given up").expect("stored"));
    for id in [sent, dead, dropped] {
        assert!(erased(&conn, id), "{id}");
        assert!(!update_sent(&conn, id, 30).expect("stored"), "{id} has its fate");
    }
    assert_eq!(due(&conn, i64::MAX), [] as [i64; 0]);
    let state = |id| find(&conn, id).expect("readable").map(|row| (row.state, row.state_ms));
    assert_eq!(state(sent), Some((MessageState::Sent, 20)));
    assert_eq!(state(dead), Some((MessageState::Dead, 21)));
    assert_eq!(state(dropped), Some((MessageState::Dropped, 22)));
    assert_eq!(count_dead(&conn).expect("readable"), 1);
    assert!(update_revived(&conn, dead, 40).expect("stored"));
    assert_eq!(due(&conn, 40), [dead]);
    assert_eq!(count_due(&conn).expect("readable"), 1);
}

#[test]
fn staff_page_through_them_and_old_ones_are_forgotten() {
    let conn = memory_with_people();
    let ids: Vec<i64> =
        (0..5).map(|_| post(&conn, "x", Recipient::Member(MemberId(1)), false)).collect();
    update_sent(&conn, ids[0], 100).expect("stored");
    update_sent(&conn, ids[2], 200).expect("stored");
    let page = |state, before| -> Vec<i64> {
        list(&conn, state, before, 2).expect("readable").iter().map(|row| row.id).collect()
    };
    assert_eq!(page(None, None), [ids[4], ids[3]]);
    assert_eq!(page(None, Some(ids[3])), [ids[2], ids[1]]);
    assert_eq!(page(Some(MessageState::Sent), None), [ids[2], ids[0]]);
    assert_eq!(delete_old(&conn, 200, 10).expect("deleted"), 1);
    assert_eq!(page(Some(MessageState::Sent), None), [ids[2]]);
    assert_eq!(update_all_dropped(&conn, 300, "off", 2).expect("stored"), 2);
    assert_eq!(count_due(&conn).expect("readable"), 1);
    let said = "SELECT count(*) FROM outbox WHERE dropped_ms = 300
                  AND (payload <> '{}' OR sealed IS NOT NULL)";
    let said: i64 = conn.query_row(said, [], |row| row.get(0)).expect("a number");
    assert_eq!(said, 0, "what a dropped one said is erased");
}

#[test]
fn an_address_of_a_member_that_left_is_not_shown() {
    let conn = memory_with_people();
    conn.execute_batch("UPDATE member SET email = 'a@b.kr', left_ms = 5 WHERE id = 1")
        .expect("stored");
    let id = post(&conn, "x", Recipient::Member(MemberId(1)), false);
    assert_eq!(find(&conn, id).expect("readable").and_then(|row| row.address), None);
}
