//! The texts that come with the program, and sample data to try every one of them with.

use serde_json::{Map, Value, json};

/// Every kind of mail that has a text. Alarms of all kinds share one for renters and one for staff.
pub const KINDS: &[&str] = &[
    "sign_up_code",
    "sign_up_known",
    "password_reset",
    "password_changed",
    "email_change_code",
    "email_changed",
    "account_disabled",
    "account_enabled",
    "account_deleted",
    "totp_changed",
    "staff_of_bank",
    "rental_confirmed",
    "returned",
    "shortage",
    "rental_replaced",
    "rental_assigned",
    "rental_moved",
    "rental_ended",
    "rental_changed",
    "alarm.renter",
    "alarm.staff",
    "daily",
    "test",
];

macro_rules! sources {
    ($($name:literal),+ $(,)?) => {
        /// Every built-in template by its file name.
        pub(super) const SOURCES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("built_in/", $name)))),+];
    };
}

sources! {
    "layout.html",
    "foot.ko.txt",
    "foot.en.txt",
    "sign_up_code.ko.txt",
    "sign_up_code.en.txt",
    "sign_up_known.ko.txt",
    "sign_up_known.en.txt",
    "password_reset.ko.txt",
    "password_reset.en.txt",
    "password_changed.ko.txt",
    "password_changed.en.txt",
    "email_change_code.ko.txt",
    "email_change_code.en.txt",
    "email_changed.ko.txt",
    "email_changed.en.txt",
    "account_disabled.ko.txt",
    "account_disabled.en.txt",
    "account_enabled.ko.txt",
    "account_enabled.en.txt",
    "account_deleted.ko.txt",
    "account_deleted.en.txt",
    "totp_changed.ko.txt",
    "totp_changed.en.txt",
    "staff_of_bank.ko.txt",
    "staff_of_bank.en.txt",
    "rental_confirmed.ko.txt",
    "rental_confirmed.en.txt",
    "returned.ko.txt",
    "returned.en.txt",
    "shortage.ko.txt",
    "shortage.en.txt",
    "rental_replaced.ko.txt",
    "rental_replaced.en.txt",
    "rental_assigned.ko.txt",
    "rental_assigned.en.txt",
    "rental_moved.ko.txt",
    "rental_moved.en.txt",
    "rental_ended.ko.txt",
    "rental_ended.en.txt",
    "rental_changed.ko.txt",
    "rental_changed.en.txt",
    "alarm.renter.ko.txt",
    "alarm.renter.en.txt",
    "alarm.staff.ko.txt",
    "alarm.staff.en.txt",
    "daily.ko.txt",
    "daily.en.txt",
    "test.ko.txt",
    "test.en.txt",
}

/// What a mail of this kind may carry, as those who post it write it.
pub(super) fn samples(kind: &str) -> Vec<Map<String, Value>> {
    let listed = match kind {
        "sign_up_code" | "password_reset" | "email_change_code" => {
            vec![json!({ "name": "홍길동", "minutes": 10, "code": "12345678" })]
        }
        "account_disabled" => vec![json!({ "name": "홍길동", "reason": "분실 신고" })],
        "totp_changed" => ["enrolled", "reissued", "removed", "reset"]
            .map(|what| json!({ "name": "홍길동", "what": what }))
            .to_vec(),
        "staff_of_bank" => vec![
            json!({ "name": "이직원", "bank": "정보관 1층" }),
            json!({ "name": "이직원", "bank": { "ko": "정보관 1층", "en": "IT Hall 1F" } }),
        ],
        "rental_confirmed" => vec![json!({
            "name": "홍길동", "locker_id": 101, "starts_on": "2026-03-02", "ends_on": "2026-06-19"
        })],
        "returned" => vec![json!({
            "name": "홍길동", "locker_id": 101, "free_at": "2026-06-19T05:30:00Z"
        })],
        "shortage" => [
            ("occupied", json!(102), Value::Null),
            ("occupied", Value::Null, Value::Null),
            ("out_of_service", json!(102), json!("경첩 수리")),
        ]
        .map(|(reason, offered, why)| {
            json!({
                "name": "홍길동", "locker_id": 101, "starts_on": "2026-03-02",
                "ends_on": "2026-06-19", "reason": reason, "why": why, "offered": offered
            })
        })
        .to_vec(),
        "rental_replaced" => vec![json!({
            "name": "홍길동", "locker_id": 102, "former_locker_id": 101, "starts_on": "2026-03-02",
            "ends_on": "2026-06-19"
        })],
        "rental_assigned" | "rental_moved" | "rental_ended" | "rental_changed" => {
            [(json!(102), true), (json!(102), false), (Value::Null, false)]
                .iter()
                // Only what was never bound to a locker can be ended without one.
                .filter(|(locker, _)| kind == "rental_ended" || !locker.is_null())
                .map(|(locker, to_be_emptied)| {
                    json!({
                        "name": "홍길동", "locker_id": locker, "former_locker_id": 101,
                        "starts_on": "2026-03-02", "ends_on": "2026-06-19",
                        "former_ends_on": "2026-06-12", "to_be_emptied": to_be_emptied,
                        "reason": "경첩 수리"
                    })
                })
                .collect()
        }
        "alarm.renter" => {
            ["forced_open", "opened_unwatched", "left_open"].map(|it| alarm(it, "renter")).to_vec()
        }
        "alarm.staff" => ALARMS.map(|it| alarm(it, "staff")).to_vec(),
        "daily" => vec![json!({
            "name": "관리자", "day": "2026-03-03", "yesterday": "2026-03-02", "openings": 412,
            "openings_failed": 3, "refused_log_ins": 17, "alarms": 2, "dead_mails": 1,
            "pruned": [{ "what": "openings", "rows": 120 }], "audit_rows": 5120,
            "audit_head": "01000000000000"
        })],
        _ => vec![json!({ "name": "홍길동" })],
    };
    listed.into_iter().filter_map(|value| value.as_object().cloned()).collect()
}

const ALARMS: [&str; 7] = [
    "forced_open",
    "opened_unwatched",
    "left_open",
    "jammed",
    "sensor_fault",
    "board_offline",
    "bus_offline",
];

fn alarm(kind: &str, audience: &str) -> Value {
    let of_bus = kind.ends_with("_offline");
    let place = |name: &str, english: &str| {
        if of_bus { Value::Null } else { json!({ "ko": name, "en": english }) }
    };
    json!({
        "name": "홍길동",
        "audience": audience,
        "alarm_id": 7,
        "kind": kind,
        "severity": "warning",
        "locker_id": if of_bus { Value::Null } else { 101.into() },
        "bank": place("사물함", "Lockers"),
        "location": place("정보관 1층", "IT Hall 1F"),
        "bus": if of_bus { "east".into() } else { Value::Null },
        "board": if kind == "board_offline" { 3.into() } else { Value::Null },
        "raised_at": "2026-03-02T00:05:00Z",
        "evidence": {},
    })
}
