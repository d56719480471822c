//! What a step means in a given state: who asks for what, and the request that says so.

use jiff::ToSpan;
use jiff::civil::Date;
use lockerd::domain::time::DateSpan;
use serde_json::{Value, json};

use super::book::Row;
use super::plan::{CHOOSE, LOCKERS, MEMBERS, POOL, TERMS};
use super::rules::{View, bank_of, of_term};
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

/// One of so many requests is about what there is not.
const STRANGE: usize = 16;

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
    /// What a request is about in this state. Where there is nothing for it, it is mostly about what
    /// would come before it.
    pub fn of(ask: &Ask, view: &View<'_>) -> Self {
        let Ask { dice: [.., c], mut kind, .. } = *ask;
        let kinds = |it: Option<Kind>| it.filter(|_| c % STRANGE != 0);
        while let Some(before) = kinds(instead(kind, view)) {
            kind = before;
        }
        let ask = Ask { kind, ..*ask };
        match kind {
            Kind::Assign
            | Kind::Move
            | Kind::End
            | Kind::Change
            | Kind::BulkEnd
            | Kind::Free
            | Kind::Service
            | Kind::Case
            | Kind::Waive
            | Kind::TakeOff => Self::of_staff(&ask, view),
            _ => Self::of_student(&ask, view),
        }
    }

    fn of_student(ask: &Ask, view: &View<'_>) -> Self {
        let Ask { kind, dice: [a, b, c], .. } = *ask;
        let held = || own(view, ask, |row| row.is("held") && (c % 4 == 0 || view.is_alive(row)));
        let rented = || own(view, ask, |row| row.is("active") || row.is("returned"));
        let active =
            || own(view, ask, |row| row.is("active") || (c % 8 == 0 && row.is("returned")));
        let reserved = |wanted: &dyn Fn(&Row) -> bool| {
            let all = view.book.standing().filter(|row| row.is("reserved"));
            let (due, others): (Vec<&Row>, Vec<&Row>) = all.partition(|row| wanted(row));
            let found = pick(&due, a).or_else(|| pick(&others, a));
            found.map_or((member(b), 0), |row| (row.member, row.id))
        };
        match kind {
            Kind::HoldAny => Self::HoldAny(member(a)),
            Kind::Confirm => Self::Confirm(held()),
            Kind::GiveUp => Self::GiveUp(held()),
            Kind::ExtendHold => Self::ExtendHold(held()),
            Kind::Extend => Self::Extend(active()),
            Kind::Swap => Self::Swap(active(), near(active().locker, b)),
            Kind::Replace => {
                let short = |row: &Row| row.is("active") && view.is_short(row);
                let none = !view.book.standing().any(short);
                let own = if none { rented() } else { own(view, ask, short) };
                Self::Replace(own, (c % 2 == 0).then(|| near(own.locker, b)))
            }
            Kind::Return => Self::Return(rented(), b % 4 != 0),
            Kind::Open => Self::Open(rented()),
            Kind::Join => Self::Join(member(a)),
            Kind::Leave => {
                let line: Vec<i64> = view.book.line().map(|(_, it)| it.member).collect();
                let found = if line.is_empty() { None } else { Some(line[a % line.len()]) };
                Self::Leave(found.unwrap_or_else(|| member(a)))
            }
            Kind::Reserve => {
                let (ahead, more) =
                    if c % STRANGE == 0 { (a % 8, b % 5) } else { (a % 4 + 1, b % 3) };
                let first = view.today.saturating_add(days(ahead));
                let span = DateSpan::new(first, first.saturating_add(days(more)));
                Self::Reserve(member(c), span.expect("in order"))
            }
            Kind::Cancel => {
                let (member, id) = reserved(&|_| true);
                Self::Cancel(member, id)
            }
            Kind::CheckIn => {
                let (member, id) = reserved(&|row| row.first <= view.today);
                Self::CheckIn(member, id)
            }
            _ => Self::Hold(Own { member: member(a), locker: near(CHOOSE, b) }),
        }
    }

    fn of_staff(ask: &Ask, view: &View<'_>) -> Self {
        let Ask { kind, dice: [a, b, c], .. } = *ask;
        let active: Vec<&Row> = view.book.standing().filter(|row| row.is("active")).collect();
        let standing: Vec<&Row> = view.book.standing().collect();
        let of = |all: &[&Row]| pick(all, a).map_or(1, |row| row.id);
        let rental = || of(if active.is_empty() || c % STRANGE == 0 { &standing } else { &active });
        let key = |all: Vec<i64>| if all.is_empty() { 1 } else { all[a % all.len()] };
        match kind {
            Kind::Assign => {
                let first = view.today.saturating_add(days(c % 5));
                let given = Days::Given(first, first.saturating_add(days(c / 5 % 9)));
                let days = if c / 45 % 3 == 0 { Days::Term(term(c)) } else { given };
                Self::Assign(Own { member: member(a), locker: locker(b) }, days)
            }
            Kind::Move => Self::Move(rental(), locker(b)),
            Kind::End => Self::End(of(&standing)),
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
            Kind::Service => {
                let broken = LOCKERS.into_iter().find(|id| view.book.lent.get(id) == Some(&false));
                let mend = broken.filter(|_| b % 2 == 0);
                Self::Service(mend.unwrap_or_else(|| locker(a)), mend.is_some())
            }
            Kind::Case => {
                let id = key(open_cases(view));
                let state = view.book.cases.get(&id).map_or("", |it| it.state.as_str());
                let usual = match state {
                    "detected" => ["seal", "collect", "collect", "drop"],
                    "sealed" => ["collect", "collect", "unseal", "drop"],
                    "collected" => ["hand-back", "hand-back", "hand-back", "drop"],
                    _ => ["seal", "collect", "hand-back", "unseal"],
                };
                let strange = ["seal", "collect", "hand-back", "unseal"];
                let steps = if c % STRANGE == 0 { strange } else { usual };
                Self::Case(id, steps[b % 4], c % 4 != 0)
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

/// What is asked for instead, where there is nothing that a request of a kind could be about.
fn instead(kind: Kind, view: &View<'_>) -> Option<Kind> {
    let none = |wanted: &[&str]| !view.book.standing().any(|row| wanted.contains(&&*row.state));
    let missing = match kind {
        Kind::Confirm | Kind::GiveUp | Kind::ExtendHold => {
            !view.book.standing().any(|row| row.is("held") && view.is_alive(row))
        }
        Kind::Return | Kind::Open => none(&["active", "returned"]),
        Kind::Extend | Kind::Swap | Kind::Move => none(&["active"]),
        Kind::Replace => !view.book.standing().any(|row| row.is("active") && view.is_short(row)),
        Kind::Cancel => none(&["reserved"]),
        Kind::CheckIn => {
            let mut reserved = view.book.standing().filter(|row| row.is("reserved"));
            !reserved.any(|row| row.first <= view.today)
        }
        Kind::End | Kind::Change => none(&["held", "active", "reserved"]),
        Kind::Free => none(&["returned"]),
        Kind::Case => open_cases(view).is_empty(),
        Kind::Waive => view.book.penalties.values().all(|it| it.waived),
        Kind::TakeOff | Kind::Leave => view.book.line().next().is_none(),
        Kind::Join => {
            let open = view.open_term().map(|term| of_term(term).span());
            !view.plan.waiting_list || open.is_some_and(|it| !view.free_of_choose(it).is_empty())
        }
        _ => false,
    };
    missing.then_some(match kind {
        Kind::Cancel => Kind::Reserve,
        Kind::CheckIn | Kind::Free => Kind::Open,
        Kind::Replace => Kind::Service,
        Kind::Waive => Kind::Case,
        Kind::Case => Kind::Extend,
        Kind::TakeOff | Kind::Leave => Kind::Join,
        Kind::Join => Kind::HoldAny,
        Kind::Move | Kind::Change | Kind::End => Kind::Assign,
        Kind::Return | Kind::Open | Kind::Extend | Kind::Swap => Kind::Confirm,
        _ => Kind::Hold,
    })
}

fn open_cases(view: &View<'_>) -> Vec<i64> {
    let open = |state: &str| ["detected", "sealed", "collected"].contains(&state);
    view.book.cases.iter().filter(|(_, it)| open(&it.state)).map(|(id, _)| *id).collect()
}

fn pick<'a>(all: &[&'a Row], n: usize) -> Option<&'a Row> {
    if all.is_empty() { None } else { Some(all[n % all.len()]) }
}

/// Of those rows one, or somebody with some locker.
fn own(view: &View<'_>, ask: &Ask, wanted: impl Fn(&Row) -> bool) -> Own {
    let [a, b, c] = ask.dice;
    let all: Vec<&Row> = view.book.standing().filter(|row| wanted(row)).collect();
    let found = pick(&all, a).filter(|_| c % STRANGE != 0);
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

/// A locker, mostly of the same bank as another one.
fn near(other: i64, n: usize) -> i64 {
    let same: Vec<i64> = LOCKERS.into_iter().filter(|id| bank_of(*id) == bank_of(other)).collect();
    if n.is_multiple_of(STRANGE) { locker(n / STRANGE) } else { same[n % same.len()] }
}

fn term(n: usize) -> i64 {
    i64::try_from(n % TERMS.len() + 1).expect("small")
}

fn days(count: usize) -> jiff::Span {
    i64::try_from(count).expect("small").days()
}
