//! What a step means in a given state: who asks for what, and the request that says so.

use jiff::ToSpan;
use jiff::civil::Date;
use lockerd::domain::time::DateSpan;
use serde_json::{Value, json};

use super::book::Row;
use super::plan::{CHOOSE, LOCKERS, MEMBERS, POOL, TERMS};
use super::rules::View;
use super::step::{Ask, Kind};

/// Somebody's wish about a locker of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own {
    /// Who.
    pub member: i64,
    /// Which locker.
    pub locker: i64,
}

/// For which days staff give a locker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Days {
    /// Those of a term.
    Term(i64),
    /// From then until then.
    Given(Date, Date),
}

/// Which rentals staff end together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Many {
    /// Those of a term.
    Term(i64),
    /// Those whose last day was before this one.
    EndedBefore(Date),
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// See [`Kind::Hold`]; so with the others.
    Hold(Own),
    HoldAny(i64),
    Confirm(Own),
    GiveUp(Own),
    ExtendHold(Own),
    Extend(Own),
    Swap(Own, i64),
    Replace(Own, Option<i64>),
    Return(Own, bool),
    Open(Own),
    Join(i64),
    Leave(i64),
    Reserve(i64, DateSpan),
    Cancel(i64, i64),
    CheckIn(i64, i64),
    Assign(Own, Days),
    Move(i64, i64),
    End(i64),
    Change(i64, Date),
    BulkEnd(i64, Many),
    Free(i64),
    Service(i64, bool),
    Case(i64, &'static str, bool),
    Waive(i64),
    TakeOff(i64),
}

/// A request: who asks (`None`: staff), and the method, path and body.
pub type Request = (Option<i64>, &'static str, String, Value);

impl Deed {
    /// What a request is about in this state. What there is not is asked for all the same.
    pub fn of(ask: &Ask, view: &View<'_>) -> Self {
        match ask.kind {
            Kind::Assign
            | Kind::Move
            | Kind::End
            | Kind::Change
            | Kind::BulkEnd
            | Kind::Free
            | Kind::Service
            | Kind::Case
            | Kind::Waive
            | Kind::TakeOff => Self::of_staff(ask, view),
            _ => Self::of_student(ask, view),
        }
    }

    fn of_student(ask: &Ask, view: &View<'_>) -> Self {
        let Ask { kind, dice: [a, b, c], .. } = *ask;
        let held = || own(view, ask, |row| row.is("held"));
        let rented = || own(view, ask, |row| row.is("active") || row.is("returned"));
        let reserved = || {
            let all: Vec<&Row> = view.book.standing().filter(|row| row.is("reserved")).collect();
            pick(&all, a).map_or((member(b), 0), |row| (row.member, row.id))
        };
        match kind {
            Kind::HoldAny => Self::HoldAny(member(a)),
            Kind::Confirm => Self::Confirm(held()),
            Kind::GiveUp => Self::GiveUp(held()),
            Kind::ExtendHold => Self::ExtendHold(held()),
            Kind::Extend => Self::Extend(rented()),
            Kind::Swap => Self::Swap(rented(), locker(b)),
            Kind::Replace => Self::Replace(rented(), (c % 2 == 0).then(|| locker(b))),
            Kind::Return => Self::Return(rented(), b % 4 != 0),
            Kind::Open => Self::Open(rented()),
            Kind::Join => Self::Join(member(a)),
            Kind::Leave => Self::Leave(member(a)),
            Kind::Reserve => {
                let first = view.today.saturating_add(days(a % 7));
                let last = first.saturating_add(days(b % 4));
                Self::Reserve(member(c), DateSpan::new(first, last).expect("in order"))
            }
            Kind::Cancel => Self::Cancel(reserved().0, reserved().1),
            Kind::CheckIn => Self::CheckIn(reserved().0, reserved().1),
            _ => Self::Hold(Own { member: member(a), locker: LOCKERS[b % 4] }),
        }
    }

    fn of_staff(ask: &Ask, view: &View<'_>) -> Self {
        let Ask { kind, dice: [a, b, c], .. } = *ask;
        let standing: Vec<&Row> = view.book.standing().collect();
        let rental = || pick(&standing, a).map_or(1, |row| row.id);
        let key = |all: Vec<i64>| if all.is_empty() { 1 } else { all[a % all.len()] };
        match kind {
            Kind::Assign => {
                let first = view.today.saturating_add(days(c % 5));
                let given = Days::Given(first, first.saturating_add(days(c / 5 % 9)));
                let days = if c / 45 % 3 == 0 { Days::Term(term(c)) } else { given };
                Self::Assign(Own { member: member(a), locker: locker(b) }, days)
            }
            Kind::Move => Self::Move(rental(), locker(b)),
            Kind::End => Self::End(rental()),
            Kind::Change => {
                let from = view.today.saturating_sub(2.days());
                Self::Change(rental(), from.saturating_add(days(b % 16)))
            }
            Kind::BulkEnd => {
                let many = Many::EndedBefore(view.today);
                let bank = if a % 2 == 0 { CHOOSE } else { POOL };
                Self::BulkEnd(bank, if b % 3 == 0 { Many::Term(term(c)) } else { many })
            }
            Kind::Free => Self::Free(own(view, ask, |row| row.is("returned")).locker),
            Kind::Service => Self::Service(locker(a), b % 2 == 0),
            Kind::Case => {
                let step = ["seal", "collect", "collect", "hand-back", "unseal", "drop"][b % 6];
                let open = |state: &str| ["detected", "sealed", "collected"].contains(&state);
                let cases = view.book.cases.iter().filter(|(_, it)| open(&it.state));
                Self::Case(key(cases.map(|(id, _)| *id).collect()), step, c % 4 != 0)
            }
            Kind::Waive => Self::Waive(key(view.book.penalties.keys().copied().collect())),
            _ => Self::TakeOff(key(view.book.line().map(|(id, _)| id).collect())),
        }
    }

    /// The request that asks for it.
    pub fn request(&self) -> Request {
        let of = |locker: i64, what: &str| format!("/api/v1/lockers/{locker}/{what}");
        let plain =
            |own: &Own, what: &str| (Some(own.member), "POST", of(own.locker, what), Value::Null);
        let line = format!("/api/v1/banks/{CHOOSE}/waiting");
        match self {
            Self::Hold(own) => plain(own, "hold"),
            Self::HoldAny(who) => {
                (Some(*who), "POST", format!("/api/v1/banks/{CHOOSE}/hold"), Value::Null)
            }
            Self::Confirm(own) => plain(own, "confirm"),
            Self::GiveUp(own) => plain(own, "release-hold"),
            Self::ExtendHold(own) => plain(own, "extend-hold"),
            Self::Extend(own) => plain(own, "extend"),
            Self::Open(own) => plain(own, "open"),
            Self::Swap(own, to) => {
                let body = json!({ "locker_id": to });
                (Some(own.member), "POST", of(own.locker, "swap"), body)
            }
            Self::Replace(own, to) => {
                let body = to.map_or(Value::Null, |to| json!({ "locker_id": to }));
                (Some(own.member), "POST", of(own.locker, "replace"), body)
            }
            Self::Return(own, emptied) => {
                let body = json!({ "emptied": emptied });
                (Some(own.member), "POST", of(own.locker, "release"), body)
            }
            Self::Join(who) => (Some(*who), "POST", line, Value::Null),
            Self::Leave(who) => (Some(*who), "DELETE", line, Value::Null),
            Self::Reserve(who, days) => {
                let (first, last) = (days.first().to_string(), days.last().to_string());
                let body = json!({ "starts_on": first, "ends_on": last });
                (Some(*who), "POST", format!("/api/v1/banks/{POOL}/reservations"), body)
            }
            Self::Cancel(who, id) => {
                (Some(*who), "DELETE", format!("/api/v1/reservations/{id}"), Value::Null)
            }
            Self::CheckIn(who, id) => {
                (Some(*who), "POST", format!("/api/v1/reservations/{id}/check-in"), Value::Null)
            }
            _ => self.staff_request(),
        }
    }

    fn staff_request(&self) -> Request {
        let why = "왜냐하면";
        let rental = |id: &i64, what: &str| format!("/api/v1/rentals/{id}{what}");
        let post = |path: String, body: Value| (None, "POST", path, body);
        match self {
            Self::Assign(own, days) => {
                let mut body =
                    json!({ "locker_id": own.locker, "member_id": own.member, "reason": why });
                match days {
                    Days::Term(id) => body["term_id"] = json!(id),
                    Days::Given(first, last) => {
                        body["starts_on"] = first.to_string().into();
                        body["ends_on"] = last.to_string().into();
                    }
                }
                post("/api/v1/rentals".to_owned(), body)
            }
            Self::Move(id, to) => {
                post(rental(id, "/move"), json!({ "locker_id": to, "reason": why }))
            }
            Self::End(id) => post(rental(id, "/end"), json!({ "reason": why })),
            Self::Change(id, last) => {
                let body = json!({ "ends_on": last.to_string(), "reason": why });
                (None, "PATCH", rental(id, ""), body)
            }
            Self::BulkEnd(bank, many) => {
                let mut body = json!({ "bank_id": bank, "reason": why });
                match many {
                    Many::Term(id) => body["term_id"] = json!(id),
                    Many::EndedBefore(day) => body["ended_before"] = day.to_string().into(),
                }
                post(rental(&0, "").replace("/0", "/bulk-end"), body)
            }
            Self::Service(locker, on) => {
                let body = json!({ "in_service": on, "reason": why });
                (None, "PUT", format!("/api/v1/lockers/{locker}/service"), body)
            }
            Self::Case(id, step, explained) => {
                let mut body = json!({});
                if *explained {
                    body["reason"] = why.into();
                }
                match *step {
                    "collect" => {
                        body["items"] = json!([{ "description": "가방" }]);
                        body["storage"] = "사무실".into();
                    }
                    "hand-back" => body["to"] = "홍길동".into(),
                    _ => {}
                }
                post(format!("/api/v1/overdue/{id}/{step}"), body)
            }
            Self::Waive(id) => {
                post(format!("/api/v1/penalties/{id}/waive"), json!({ "reason": why }))
            }
            Self::TakeOff(id) => {
                (None, "DELETE", format!("/api/v1/waiting/{id}"), json!({ "reason": why }))
            }
            Self::Free(locker) => {
                post(format!("/api/v1/lockers/{locker}/free"), json!({ "reason": why }))
            }
            student => unreachable!("{student:?} is asked by students"),
        }
    }
}

fn pick<'a>(all: &[&'a Row], n: usize) -> Option<&'a Row> {
    if all.is_empty() { None } else { Some(all[n % all.len()]) }
}

/// Of those rows one, or somebody with some locker.
fn own(view: &View<'_>, ask: &Ask, wanted: impl Fn(&Row) -> bool) -> Own {
    let [a, b, c] = ask.dice;
    let all: Vec<&Row> = view.book.standing().filter(|row| wanted(row)).collect();
    let found = pick(&all, a).filter(|_| c % 16 != 0);
    let strange = Own { member: member(a), locker: locker(b) };
    found.map_or(strange, |row| Own {
        member: row.member,
        locker: row.locker.unwrap_or(strange.locker),
    })
}

fn member(n: usize) -> i64 {
    i64::try_from(n % MEMBERS + 1).expect("small")
}

fn locker(n: usize) -> i64 {
    LOCKERS[n % LOCKERS.len()]
}

fn term(n: usize) -> i64 {
    i64::try_from(n % TERMS.len() + 1).expect("small")
}

fn days(count: usize) -> jiff::Span {
    i64::try_from(count).expect("small").days()
}
