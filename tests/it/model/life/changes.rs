//! Which rows may change by what: the legal lives of reservations, holds and rentals, of waits, cases and
//! penalties. What was refused may only have written down what was over already.

use lockerd::domain::overdue_case::{CaseState, TRANSITIONS};
use lockerd::domain::rental::RentalState;

use super::book::{Book, Case, Row, Wait};
use super::deed::Deed;
use super::plan::{HOLD_MS, OFFER_MS};
use super::rules::{View, of_term};

/// What happened: the requests that were granted, and the job that ran.
#[derive(Debug, Default)]
pub struct Happened {
    /// Granted requests.
    pub deeds: Vec<Deed>,
    /// The jobs that ran.
    pub jobs: Vec<&'static str>,
    /// Whether the program was started again.
    pub restarted: bool,
}

impl Happened {
    fn deed(&self, wanted: impl Fn(&Deed) -> bool) -> bool {
        self.deeds.iter().any(wanted)
    }

    fn job(&self, name: &str) -> bool {
        self.jobs.contains(&name)
    }

    fn moved(&self) -> bool {
        self.deed(|it| matches!(it, Deed::Swap(..) | Deed::Replace(..) | Deed::Move(..)))
    }

    fn ended(&self) -> bool {
        self.deed(|it| matches!(it, Deed::End(_) | Deed::BulkEnd(..))) || self.job("end-many")
    }

    fn step(&self, name: &str) -> bool {
        self.deed(|it| matches!(it, Deed::Case(_, step, _) if *step == name))
    }
}

/// Demands that everything that changed might change so. `before` is the state in which it happened.
pub fn demand_legal(before: &View<'_>, after: &Book, what: &Happened) {
    for (id, next) in &after.rows {
        let had = before.book.rows.get(id);
        if had != Some(next) {
            demand_row(before, after, (had, next), what);
        }
    }
    for (id, next) in &after.waits {
        let had = before.book.waits.get(id);
        if had != Some(next) {
            demand_wait(had, next, what);
        }
    }
    for (id, next) in &after.cases {
        let had = before.book.cases.get(id);
        if had != Some(next) {
            demand_case(had, next, what);
        }
    }
    for (id, next) in &after.penalties {
        let case = &after.cases[&next.case];
        let days = i64::from((next.last - next.first).get_days()) + 1;
        let late = case.late_days.expect("a case with a penalty knows how late it was");
        assert_eq!(days, before.plan.penalty_days(late), "penalty {id}: {next:?} for {case:?}");
        let had = before.book.penalties.get(id);
        let waived = what.step("drop") || what.deed(|it| matches!(it, Deed::Waive(it) if it == id));
        assert!(had.is_none_or(|had| had.waived == next.waived || waived), "{next:?}: {what:?}");
    }
    demand_times(before, after, what);
}

fn demand_row(before: &View<'_>, after: &Book, (had, next): (Option<&Row>, &Row), what: &Happened) {
    let from = had.map(|row| row.state.as_str());
    let legal = match (from, next.state.as_str()) {
        (None, _) => is_new(next, what),
        (Some(from), to) if from == to => true,
        (Some("reserved"), "active") => what.deed(|it| matches!(it, Deed::CheckIn(..))),
        (Some("held"), "active") => {
            had.is_some_and(|row| before.is_alive(row))
                && what.deed(|it| matches!(it, Deed::Confirm(_)))
        }
        (Some("active"), "returned") => {
            what.moved() || what.ended() || what.deed(|it| matches!(it, Deed::Return(..)))
        }
        (Some("reserved" | "held" | "active" | "returned"), "ended") => {
            had.is_some_and(|row| is_legal_end(before, row, next, what))
        }
        _ => false,
    };
    assert!(legal, "{had:?} became {next:?} by {what:?}");
    if let Some(had) = had {
        demand_same(had, next, what);
    }
    let begins = !matches!(from, Some("held" | "active" | "returned"));
    if begins && next.stands() && !next.is("reserved") {
        demand_empty(before, after, next);
    }
}

fn is_new(next: &Row, what: &Happened) -> bool {
    match next.state.as_str() {
        "reserved" => what.deed(|it| matches!(it, Deed::Reserve(..))),
        "held" => {
            what.job("make-offers")
                || what.deed(|it| matches!(it, Deed::Hold(_) | Deed::HoldAny(_)))
        }
        "active" => what.moved() || what.deed(|it| matches!(it, Deed::Assign(..))),
        _ => false,
    }
}

/// Whether something may be over for its reason. What was opened is over when it was emptied alone: by
/// the renter's word and the grace, by that of staff, or because staff emptied it.
fn is_legal_end(before: &View<'_>, had: &Row, next: &Row, what: &Happened) -> bool {
    let staff_freed = what.deed(|it| matches!(it, Deed::Free(_)));
    let told = what.deed(|it| matches!(it, Deed::Return(_, true)));
    let at_once = told && before.plan.word_counts && before.plan.grace_minutes == 0;
    let continued = had.is("active") && what.job("detect-overdue");
    match (had.state.as_str(), next.end.as_deref().unwrap_or("-")) {
        ("reserved", "cancelled" | "no_show") => {
            // Whoever was not served has not stayed away.
            let reason = if had.unserved { "cancelled" } else { "no_show" };
            let over = before.trusted && before.check_in_until(had) < before.today;
            let missed =
                what.job("release-no-shows") && over && next.end.as_deref() == Some(reason);
            missed || what.deed(|it| matches!(it, Deed::Cancel(..)))
        }
        ("reserved", "ended_by_staff") => what.deed(|it| matches!(it, Deed::End(_))),
        ("held", "hold_expired") => !before.is_alive(had),
        ("held", "hold_released") => what.deed(|it| matches!(it, Deed::GiveUp(_) | Deed::Leave(_))),
        ("held", "ended_by_staff") => {
            what.job("make-offers") || what.deed(|it| matches!(it, Deed::End(_) | Deed::TakeOff(_)))
        }
        ("active" | "returned", "collected") => what.step("collect"),
        ("active", "returned") if had.opened => at_once,
        ("active", "returned") => {
            what.deed(|it| matches!(it, Deed::Return(..))) || continued || what.ended()
        }
        ("returned", "returned") => {
            before.is_due(had)
                || staff_freed
                || (told
                    && before.plan.word_counts
                    && (!had.opened || before.plan.grace_minutes == 0))
        }
        // The next rental of the same member and locker takes its place, with what is inside.
        ("active", "replaced") if had.opened => continued,
        ("active", "replaced") => continued || what.moved(),
        ("active", "ended_by_staff") => !had.opened && what.ended(),
        _ => false,
    }
}

/// Demands that nothing else of a row changed than by what may change it.
fn demand_same(had: &Row, next: &Row, what: &Happened) {
    let same = (had.member, had.term, had.first, had.follows)
        == (next.member, next.term, next.first, next.follows);
    let bound = had.locker == next.locker || (had.is("reserved") && next.is("active"));
    assert!(same && bound, "{had:?} became {next:?} by {what:?}");
    let longer = what.deed(|it| matches!(it, Deed::Extend(_)));
    let changed = what.deed(|it| matches!(it, Deed::Change(..)));
    assert!(had.last == next.last || longer || changed, "{next:?} by {what:?}");
    assert!(had.extensions == next.extensions || longer, "{next:?} by {what:?}");
    let opens = what.deed(|it| matches!(it, Deed::Open(_))) || what.job("detect-overdue");
    assert!(had.opened == next.opened || (next.opened && opens), "{next:?} by {what:?}");
}

/// Demands that nobody is given a locker in which somebody's things may be.
fn demand_empty(before: &View<'_>, after: &Book, next: &Row) {
    let Some(locker) = next.locker.filter(|_| next.first <= before.today) else { return };
    let mut others = after.of_locker(locker).filter(|row| row.id != next.id);
    let inside = others.find(|row| row.occupies(before.today));
    assert!(inside.is_none(), "{next:?} was given, and {inside:?} is inside");
}

fn demand_wait(had: Option<&Wait>, next: &Wait, what: &Happened) {
    let job = what.job("make-offers");
    let legal = match (had, next.end.as_deref()) {
        (None, None) => what.deed(|it| matches!(it, Deed::Join(_))),
        (Some(had), None) => had.end.is_none() && had.offer != next.offer && job,
        (Some(_), Some("taken")) => job || what.deed(|it| matches!(it, Deed::Confirm(_))),
        (Some(_), Some("declined")) => {
            what.deed(|it| matches!(it, Deed::GiveUp(_) | Deed::Leave(_)))
        }
        (Some(had), Some("offer_expired")) => had.offer.is_some(),
        (Some(had), Some("left")) => {
            had.offer.is_none() && what.deed(|it| matches!(it, Deed::Leave(_)))
        }
        (Some(_), Some("has_locker" | "term_over")) => job,
        (Some(_), Some("by_staff")) => {
            job || what.deed(|it| matches!(it, Deed::End(_) | Deed::TakeOff(_)))
        }
        _ => false,
    };
    assert!(legal, "{had:?} became {next:?} by {what:?}");
}

fn demand_case(had: Option<&Case>, next: &Case, what: &Happened) {
    let Some(had) = had else {
        // Who is late for long is noticed and sealed in one run.
        let new = ["detected", "sealed"].contains(&&*next.state);
        assert!(what.job("detect-overdue") && new, "{next:?} by {what:?}");
        return;
    };
    let of = |name: &str| CaseState::from_name(name).expect("known");
    let (from, to) = (of(&had.state), of(&next.state));
    let legal = TRANSITIONS.iter().any(|it| it.from == from && it.to == to);
    // Noticed and sealed, or noticed and over, in one run of several jobs.
    let at_once = what.jobs.len() > 1;
    assert!(legal || at_once, "{had:?} became {next:?} by {what:?}");
    let same = (had.rental, had.ended_on) == (next.rental, next.ended_on);
    assert!(same, "{had:?} became {next:?} by {what:?}");
}

/// Demands that holds live as long as they should: their full time from the beginning, anew by an
/// extension and by a restart, and never less.
fn demand_times(before: &View<'_>, after: &Book, what: &Happened) {
    let offers: Vec<i64> = after.line().filter_map(|(_, it)| it.offer).collect();
    for (id, state) in &after.times {
        let RentalState::Held { until } = state else { continue };
        let time_ms = if offers.contains(id) { OFFER_MS } else { HOLD_MS };
        let full = before.counted_ms + time_ms;
        let longer = after.rows[id].hold_extended
            && !before.book.rows.get(id).is_some_and(|it| it.hold_extended);
        let expected = match before.book.times.get(id) {
            Some(RentalState::Held { until }) if longer => until.0.max(before.counted_ms + HOLD_MS),
            Some(RentalState::Held { until }) if !what.restarted => until.0,
            _ => full,
        };
        assert_eq!(until.0, expected, "hold {id} at {} by {what:?}", before.counted_ms);
    }
}

/// Demands that a granted request did what it says.
pub fn demand_done(before: &View<'_>, after: &Book, deed: &Deed) {
    let row = |id: &i64| after.rows.get(id);
    let new = |locker: i64, member: i64| {
        after.of_locker(locker).find(|it| it.member == member && it.is("active"))
    };
    let moved = |old: Option<&Row>, to: i64| {
        let new = old.and_then(|old| new(to, old.member));
        new.is_some_and(|new| old.is_some_and(|old| new.span() == old.span()))
    };
    let of_mine = |own: &super::deed::Own, state: &str| {
        after.of_locker(own.locker).any(|it| it.member == own.member && it.is(state))
    };
    let first = |own: &super::deed::Own| {
        let mine = before.book.of_locker(own.locker);
        let mine = mine.filter(|it| it.member == own.member && it.is("active"));
        mine.min_by_key(|it| it.last)
    };
    let done = match deed {
        Deed::Hold(own) => of_mine(own, "held"),
        Deed::HoldAny(member) => after.of_member(*member).any(|it| it.is("held")),
        Deed::Confirm(own) => of_mine(own, "active"),
        Deed::Extend(own) => {
            let longer = |old: &Row| row(&old.id).is_some_and(|it| it.last > old.last);
            first(own).is_some_and(longer)
        }
        Deed::Swap(own, to) | Deed::Replace(own, Some(to)) => moved(first(own), *to),
        Deed::Move(id, to) => moved(before.book.rows.get(id), *to),
        Deed::Join(member) => after.line().any(|(_, it)| it.member == *member),
        Deed::Leave(member) => !after.line().any(|(_, it)| it.member == *member),
        Deed::Reserve(member, span) => {
            after.of_member(*member).any(|it| it.is("reserved") && it.span() == *span)
        }
        Deed::CheckIn(_, id) => row(id).is_some_and(|it| it.is("active")),
        Deed::Assign(own, days) => {
            let last = match days {
                super::deed::Days::Term(id) => of_term(*id).last,
                super::deed::Days::Given(_, last) => *last,
            };
            new(own.locker, own.member).is_some()
                && after.of_member(own.member).any(|it| it.last == last && it.is("active"))
        }
        Deed::Cancel(_, id) => row(id).is_some_and(|it| !it.stands()),
        Deed::End(id) => row(id).is_some_and(|it| !it.stands() || it.is("returned")),
        Deed::Change(id, last) => row(id).is_some_and(|it| it.last == *last),
        Deed::Free(locker) => !after.of_locker(*locker).any(|it| it.is("returned")),
        Deed::Service(locker, on) => after.lent[locker] == *on,
        Deed::Waive(id) => after.penalties[id].waived,
        Deed::TakeOff(id) => after.waits[id].end.is_some(),
        Deed::Case(id, ..) => after.cases[id] != before.book.cases[id],
        _ => true,
    };
    assert!(done, "{deed:?} was granted and not done");
}
