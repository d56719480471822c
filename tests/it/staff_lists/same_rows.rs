//! Every export beside its list: the same question finds the same rows in the same order, and the file can be
//! asked whatever the list can. A new export without a line here is an error.

use std::collections::BTreeSet;

use lockerd::http::access::ROUTES;
use serde_json::Value;

use super::files::{busy, lines};
use crate::routes::concrete;
use crate::support::http::Client;

/// What is about a page and not about which rows there are.
const OF_PAGES: [&str; 5] = ["cursor", "before", "limit", "after", "reveal"];

/// A list with its file.
struct Pair {
    /// The list's path below `/api/v1`; the file's is the same with `/export`.
    path: &'static str,
    /// What its rows are called in the answer.
    rows: &'static str,
    /// The field by which a row is known; the file's first column.
    id: &'static str,
    /// A question that finds some rows.
    some: &'static str,
    /// Questions that find fewer.
    fewer: &'static [&'static str],
}

const fn pair(
    path: &'static str,
    (rows, id): (&'static str, &'static str),
    some: &'static str,
    fewer: &'static [&'static str],
) -> Pair {
    Pair { path, rows, id, some, fewer }
}

const PAIRS: &[Pair] = &[
    pair(
        "rentals",
        ("rentals", "rental_id"),
        "state=all",
        &["state=live", "late=true", "q=2024000003", "bank_id=2", "state=live&sort=locker"],
    ),
    pair(
        "openings",
        ("openings", "operation_id"),
        "",
        &["outcome=opened", "outcome=opened&locker_id=2", "bank_id=2", "to=2026-01-31"],
    ),
    pair(
        "alarms",
        ("alarms", "alarm_id"),
        "state=all",
        &["state=cleared", "kind=jammed", "severity=critical", "bank_id=2", "locker_id=2"],
    ),
    pair("returns", ("returns", "rental_id"), "", &["bank_id=2"]),
    pair("shortages", ("shortages", "rental_id"), "", &["on=2026-08-29", "bank_id=2"]),
    pair(
        "penalties",
        ("penalties", "penalty_id"),
        "",
        &["q=2024000001", "live=true", "bank_id=2", "member_id=99"],
    ),
    pair("waiting", ("waiting", "waiting_id"), "", &["bank_id=2"]),
    pair("mails", ("mails", "mail_id"), "state=all", &["state=sent"]),
    pair("locks", ("locks", "locker_id"), "", &["due=true", "bank_id=2", "bank_id=1&due=true"]),
    pair(
        "overdue",
        ("cases", "case_id"),
        "state=all",
        &["state=open", "q=2024000001", "bank_id=2", "since=2026-08-25T00:00:00Z"],
    ),
    pair(
        "banks/{bank_id}/lockers",
        ("lockers", "locker_id"),
        "",
        &["in_service=false", "in_service=true", "wired=true", "wired=true&in_service=false"],
    ),
    pair(
        "members",
        ("members", "student_id"),
        "",
        &[
            "q=2024000003",
            "student_id=2024000004",
            "role=student&sort=joined",
            "role=staff",
            "state=leaving",
            "q=%EA%B9%80&role=admin",
        ],
    ),
    pair(
        "audit",
        ("rows", "audit_id"),
        "action=session.",
        &["action=session.&actor=2", "action=session.&from=2027-01-01T00:00:00Z"],
    ),
];

fn name_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The rows of all pages of a list. Whom the members' list covers it is asked to show.
#[track_caller]
fn listed(who: &Client, pair: &Pair, question: &str) -> Vec<String> {
    let path = concrete(&format!("/api/v1/{}", pair.path));
    let shown = if pair.path == "members" { "&reveal=true" } else { "" };
    let (mut all, mut cursor) = (Vec::new(), String::new());
    for _ in 0..40 {
        let page = who.get(&format!("{path}?{question}{shown}{cursor}")).expect(200).json();
        let rows = page[pair.rows].as_array().unwrap_or_else(|| panic!("no {}: {page}", pair.rows));
        all.extend(rows.iter().map(|row| name_of(&row[pair.id])));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
    panic!("{path}: the pages do not end");
}

#[track_caller]
fn filed(who: &Client, pair: &Pair, question: &str) -> Vec<String> {
    let path = concrete(pair.path);
    let head = if pair.path == "audit" { "id" } else { pair.id };
    let file = lines(who, &format!("{path}/export?{question}"), &format!("{head},"));
    let first = |line: &String| line.split(',').next().unwrap_or_default().to_owned();
    file.iter().map(first).collect()
}

#[test]
fn every_export_has_the_rows_of_its_list_under_the_same_question() {
    let site = busy();
    let admin = site.account("ADMIN");
    for pair in PAIRS {
        let all = listed(&admin, pair, pair.some);
        assert!(!all.is_empty(), "{}: nothing to compare", pair.path);
        for question in std::iter::once(&pair.some).chain(pair.fewer) {
            let list = listed(&admin, pair, question);
            let mut file = filed(&admin, pair, question);
            if pair.path == "audit" {
                // Read as a log: the oldest first.
                file.reverse();
            }
            assert_eq!(file, list, "{}?{question}", pair.path);
        }
        for question in pair.fewer {
            let some = listed(&admin, pair, question).len();
            let sorted_only = question.contains("in_service=true") || question.contains("actor");
            assert!(some < all.len() || sorted_only, "{}?{question} leaves nothing out", pair.path);
        }
    }
}

#[test]
fn a_file_can_be_asked_whatever_its_list_can() {
    let site = busy();
    let document = site.nobody().get("/api/openapi.json").expect(200).json();
    let asked = |path: &str| -> BTreeSet<String> {
        let listed = document["paths"][path]["get"]["parameters"].as_array();
        let listed = listed.unwrap_or_else(|| panic!("{path} takes nothing")).iter();
        let names = listed.filter(|it| it["in"] == "query").map(|it| name_of(&it["name"]));
        names.filter(|name| !OF_PAGES.contains(&name.as_str())).collect()
    };
    let exports = ROUTES.iter().filter(|route| route.path.ends_with("/export"));
    let mut seen = 0;
    for route in exports {
        let list = route.path.trim_end_matches("/export");
        let known = PAIRS.iter().any(|pair| format!("/api/v1/{}", pair.path) == list);
        assert!(known, "{}: compare it with its list", route.path);
        assert_eq!(asked(route.path), asked(list), "{list}");
        seen += 1;
    }
    assert_eq!(seen, PAIRS.len());
}
