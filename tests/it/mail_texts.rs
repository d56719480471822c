//! What mails say of a place, whoever posted them and however little they wrote down.

use lockerd::domain::member::Role;
use serde_json::json;

use crate::support::inside::{Inside, open_now};
use crate::support::site::student_id;

const SETTINGS: &str = "[auth]\nroster_login = 'full'\n[mail]\ntransport = 'box'\n";

/// Two students with an address: one reads Korean, one English.
fn site() -> Inside {
    let site = Inside::configured(SETTINGS, [101, 102], 2, open_now);
    site.add("STAFF1", Role::Staff, &[1]);
    for (n, language) in [(0, "ko"), (1, "en")] {
        let sql = "UPDATE member SET email = student_id || '@korea.ac.kr', language = ?2
                   WHERE student_id = ?1";
        site.sql().execute(sql, [&student_id(n), language]).expect("stored");
    }
    site
}

/// The newest mail to a student, and how many there are.
fn newest(site: &Inside, n: usize) -> String {
    site.run(site.services.deliver_mails()).expect("delivered");
    let to = format!("{}@korea.ac.kr", student_id(n));
    let kept = site.services.mailer.kept().expect("a box").list();
    kept.into_iter().find(|mail| mail.letter.to == to).expect("such a mail").letter.text
}

#[test]
fn a_locker_is_named_with_its_place() {
    let site = site();
    site.student(0).rent(101);
    site.student(1).rent(102);
    assert!(newest(&site, 0).contains("- 장소: 정보관 사물함\n"), "{}", newest(&site, 0));
    assert!(newest(&site, 1).contains("- Where: 사물함, 정보관\n"), "{}", newest(&site, 1));
    let staff = site.account("STAFF1");
    let end = |rental: i64| {
        let path = format!("/api/v1/rentals/{rental}/end");
        staff.post_json(&path, &json!({ "reason": "공사" })).expect(200);
    };
    end(1);
    end(2);
    assert!(newest(&site, 0).contains("- 장소: 정보관 사물함\n- 사유: 공사\n"));
    assert!(newest(&site, 1).contains("- Where: 사물함, 정보관\n- Reason: 공사\n"));
}

#[test]
fn a_mail_without_a_place_is_sent_all_the_same() {
    let site = site();
    for (kind, payload) in [
        ("returned", json!({ "locker_id": 999, "free_at": "2026-08-24T01:00:00Z" })),
        (
            "rental_ended",
            json!({ "locker_id": null, "bank_id": 1, "starts_on": "2026-08-24",
                "ends_on": "2026-08-25", "to_be_emptied": false, "reason": "공사" }),
        ),
    ] {
        let sql = "INSERT INTO outbox (kind, member_id, payload, message_id, created_ms, due_ms)
                   SELECT ?1, id, ?2, ?1, 1, 1 FROM member WHERE student_id = ?3";
        let of = [kind, &payload.to_string(), &student_id(0)];
        assert_eq!(site.sql().execute(sql, of).expect("stored"), 1);
        let text = newest(&site, 0);
        assert_eq!(text.contains("- 장소: 정보관 사물함\n"), kind == "rental_ended", "{text}");
    }
    assert_eq!(site.number("SELECT count(*) FROM outbox WHERE dead_ms IS NOT NULL"), 0);
}
