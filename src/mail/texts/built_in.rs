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
    "rental_extended",
    "offer",
    "offer_expired",
    "waiting_ended",
    "reserved",
    "reservation_shortage",
    "reservation_cancelled",
    "no_show",
    "reminder",
    "overdue",
    "overdue_detected",
    "overdue_sealed",
    "overdue_unsealed",
    "overdue_collected",
    "overdue_handed_back",
    "overdue_closed",
    "penalty_waived",
    "rental_assigned",
    "rental_moved",
    "rental_ended",
    "rental_changed",
    "rental_lapsed",
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
    "place.ko.txt",
    "place.en.txt",
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
    "rental_extended.ko.txt",
    "rental_extended.en.txt",
    "offer.ko.txt",
    "offer.en.txt",
    "offer_expired.ko.txt",
    "offer_expired.en.txt",
    "waiting_ended.ko.txt",
    "waiting_ended.en.txt",
    "reserved.ko.txt",
    "reserved.en.txt",
    "reservation_shortage.ko.txt",
    "reservation_shortage.en.txt",
    "reservation_cancelled.ko.txt",
    "reservation_cancelled.en.txt",
    "no_show.ko.txt",
    "no_show.en.txt",
    "reminder.ko.txt",
    "reminder.en.txt",
    "overdue.ko.txt",
    "overdue.en.txt",
    "overdue_detected.ko.txt",
    "overdue_detected.en.txt",
    "overdue_sealed.ko.txt",
    "overdue_sealed.en.txt",
    "overdue_unsealed.ko.txt",
    "overdue_unsealed.en.txt",
    "overdue_collected.ko.txt",
    "overdue_collected.en.txt",
    "overdue_handed_back.ko.txt",
    "overdue_handed_back.en.txt",
    "overdue_closed.ko.txt",
    "overdue_closed.en.txt",
    "penalty_waived.ko.txt",
    "penalty_waived.en.txt",
    "rental_assigned.ko.txt",
    "rental_assigned.en.txt",
    "rental_moved.ko.txt",
    "rental_moved.en.txt",
    "rental_ended.ko.txt",
    "rental_ended.en.txt",
    "rental_changed.ko.txt",
    "rental_changed.en.txt",
    "rental_lapsed.ko.txt",
    "rental_lapsed.en.txt",
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
        "alarm.renter" => {
            ["forced_open", "opened_unwatched", "left_open"].map(|it| alarm(it, "renter")).to_vec()
        }
        "alarm.staff" => {
            ALARMS.map(|it| alarm(it, "staff")).into_iter().chain([at_kiosk()]).collect()
        }
        "daily" => vec![json!({
            "name": "관리자", "day": "2026-03-03", "yesterday": "2026-03-02", "openings": 412,
            "openings_failed": 3, "refused_log_ins": 17, "alarms": 2, "dead_mails": 1,
            "pruned": PRUNED.map(|what| json!({ "what": what, "rows": 120 })), "audit_rows": 5120,
            "audit_head": "01000000000000"
        })],
        _ => with_and_without_place(
            lending(kind).unwrap_or_else(|| vec![json!({ "name": "홍길동" })]),
        ),
    };
    listed.into_iter().filter_map(|value| value.as_object().cloned()).collect()
}

/// What the daily mail may say was forgotten.
pub(super) const PRUNED: [&str; 12] = [
    "openings", "alarms", "members", "sessions", "devices", "mails", "codes", "limits", "overdue",
    "waiting", "notes", "record",
];

/// The place of a locker, which is added where it is sent, is known or not.
fn with_and_without_place(samples: Vec<Value>) -> Vec<Value> {
    let unplaced =
        |sample: &Value| sample.get("locker_id").is_some() && sample.get("bank").is_none();
    let placed = |sample: Value| {
        if !unplaced(&sample) {
            return vec![sample];
        }
        let with = |bank: Value, location: Value| {
            let mut sample = sample.clone();
            (sample["bank"], sample["location"]) = (bank, location);
            sample
        };
        let names = (
            json!({ "ko": "사물함", "en": "Lockers" }),
            json!({ "ko": "정보관 1층", "en": "IT Hall 1F" }),
        );
        vec![with(names.0, names.1), with(Value::Null, Value::Null)]
    };
    samples.into_iter().flat_map(placed).collect()
}

/// What a mail about a locker may carry; `None`: it is about something else.
fn lending(kind: &str) -> Option<Vec<Value>> {
    let listed = match kind {
        "rental_confirmed" | "rental_lapsed" => vec![json!({
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
        "rental_replaced" => [true, false]
            .map(|to_be_emptied| {
                placed(json!({
                    "name": "홍길동", "locker_id": 102, "former_locker_id": 101,
                    "starts_on": "2026-03-02", "ends_on": "2026-06-19",
                    "to_be_emptied": to_be_emptied
                }))
            })
            .to_vec(),
        "rental_extended" => [0, 1, 2]
            .map(|left| {
                json!({ "name": "홍길동", "locker_id": 101, "ends_on": "2026-07-03", "left": left })
            })
            .to_vec(),
        "offer" | "offer_expired" | "waiting_ended" => waiting(kind),
        "reserved" | "reservation_cancelled" | "no_show" => vec![reservation(&Value::Null)],
        "reservation_shortage" => {
            vec![
                reservation(&json!({ "ko": "2번 사물함", "en": "Bank 2" })),
                reservation(&Value::Null),
            ]
        }
        "reminder"
        | "overdue"
        | "overdue_detected"
        | "overdue_sealed"
        | "overdue_unsealed"
        | "overdue_collected"
        | "overdue_handed_back"
        | "overdue_closed" => late(kind),
        "penalty_waived" => {
            vec![json!({ "name": "홍길동", "locker_id": 101, "until": "2026-06-25" })]
        }
        "rental_assigned" | "rental_moved" | "rental_ended" | "rental_changed" => by_staff(kind),
        _ => return None,
    };
    Some(listed)
}

fn by_staff(kind: &str) -> Vec<Value> {
    [(json!(102), true), (json!(102), false), (Value::Null, false)]
        .iter()
        // Only what was never bound to a locker can be ended without one.
        .filter(|(locker, _)| kind == "rental_ended" || !locker.is_null())
        .map(|(locker, to_be_emptied)| {
            placed(json!({
                "name": "홍길동", "locker_id": locker, "former_locker_id": 101,
                "starts_on": "2026-03-02", "ends_on": "2026-06-19",
                "former_ends_on": "2026-06-12", "to_be_emptied": to_be_emptied,
                "reason": "경첩 수리"
            }))
        })
        .collect()
}

/// With where the locker stands.
fn placed(mut told: Value) -> Value {
    told["bank"] = json!({ "ko": "사물함", "en": "Lockers" });
    told["location"] = json!({ "ko": "정보관 1층", "en": "IT Hall 1F" });
    told
}

fn waiting(kind: &str) -> Vec<Value> {
    let bank = json!({ "ko": "사물함", "en": "Lockers" });
    let location = json!({ "ko": "정보관 1층", "en": "IT Hall 1F" });
    let one = |bank: Value, withdrawn: bool, reason: &str, why: Option<&str>| match kind {
        "offer" => json!({
            "name": "홍길동", "locker_id": 101, "bank": bank, "location": location,
            "until": "2026-03-02T05:30:00Z", "starts_on": "2026-03-02", "ends_on": "2026-06-19"
        }),
        "offer_expired" => json!({
            "name": "홍길동", "locker_id": 101, "bank": bank, "location": location,
            "withdrawn": withdrawn
        }),
        _ => json!({
            "name": "홍길동", "bank": bank, "location": location, "reason": reason, "why": why
        }),
    };
    vec![
        one(bank.clone(), false, "by_staff", Some("분실 신고")),
        one(bank, true, "list_closed", None),
        one(Value::Null, false, "term_over", None),
    ]
}

fn reservation(offered: &Value) -> Value {
    json!({
        "name": "홍길동", "bank": { "ko": "사물함", "en": "Lockers" },
        "location": { "ko": "정보관 1층", "en": "IT Hall 1F" }, "starts_on": "2026-03-02",
        "ends_on": "2026-03-04", "check_in_until": "2026-03-02", "offered": offered
    })
}

/// Everything that mails about the end of a rental may carry; each says a part of it.
fn late(kind: &str) -> Vec<Value> {
    let one = |days: u32, place: bool, harsh: bool| {
        let name =
            |ko: &str, en: &str| if place { json!({ "ko": ko, "en": en }) } else { Value::Null };
        json!({
            "name": "홍길동", "locker_id": 101, "ends_on": "2026-06-19", "ended_on": "2026-06-19",
            "bank": name("사물함", "Lockers"), "location": name("정보관 1층", "IT Hall 1F"),
            "days_left": days, "late_days": days, "may_open": !harsh, "penalty": harsh,
            "seal_on": if harsh { Value::Null } else { "2026-06-26".into() },
            "penalty_until": if harsh { "2026-06-25".into() } else { Value::Null },
            "items": 3, "storage": "정보관 1층", "handed_to": "홍길동",
            "how": if harsh { "returned" } else { "dropped" }, "penalty_lifted": !harsh,
        })
    };
    match kind {
        "reminder" => vec![one(7, true, false), one(1, false, false), one(0, true, false)],
        _ => vec![one(1, true, false), one(3, false, true)],
    }
}

const ALARMS: [&str; 8] = [
    "forced_open",
    "opened_unwatched",
    "left_open",
    "jammed",
    "sensor_fault",
    "board_offline",
    "bus_offline",
    "help",
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
        "reason": if kind == "help" { "door_stuck".into() } else { Value::Null },
        "evidence": {},
    })
}

/// A call for staff by somebody who is not signed in.
fn at_kiosk() -> Value {
    let mut call = alarm("help", "staff");
    (call["locker_id"], call["reason"]) = (Value::Null, Value::Null);
    call
}
