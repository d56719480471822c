//! What must hold after every step, and after each job has run.

use lockerd::domain::id::BankId;

use super::book::{Book, Row};
use super::plan::{CHOOSE, POOL};
use super::rules::{View, bank_of, of_term};
use crate::support::inside::Inside;

/// Days of the calendar that are compared.
const CALENDAR_DAYS: i64 = 12;

/// Demands what holds always.
pub fn demand_always(site: &Inside, view: &View<'_>) {
    demand_no_overlap(view.book);
    for row in view.book.standing() {
        if row.is("active") || row.is("returned") {
            demand_one_inside(view.book, row);
        }
        let over = row.last < view.today;
        assert!(!over || row.is("held") || row.is("reserved") || row.locker.is_some(), "{row:?}");
        let sealed = view.book.cases.values().any(|it| it.rental == row.id && it.state == "sealed");
        assert!(!row.sealed || sealed, "{row:?} is sealed without a case");
    }
    demand_line(view);
    for case in view.book.cases.values().filter(|it| it.state == "collected") {
        let row = &view.book.rows[&case.rental];
        assert_eq!(row.end.as_deref(), Some("collected"), "{case:?}");
    }
    demand_calendar(site, view);
}

/// No two of one locker share a day, nor two of one member, of whom a returned one takes no more.
fn demand_no_overlap(book: &Book) {
    let standing: Vec<&Row> = book.standing().collect();
    for (at, one) in standing.iter().enumerate() {
        for other in &standing[at + 1..] {
            let of_locker = one.locker.is_some() && one.locker == other.locker;
            let back = one.is("returned") || other.is("returned");
            let of_member = one.member == other.member && !back;
            let shared = one.span().overlaps(other.span()) && (of_locker || of_member);
            assert!(!shared, "{one:?}\nand {other:?} share a day");
        }
    }
}

/// Nobody opened a locker in which somebody else's things are.
fn demand_one_inside(book: &Book, row: &Row) {
    let Some(locker) = row.locker.filter(|_| row.opened) else { return };
    let mut others = book.of_locker(locker).filter(|it| it.opened && it.member != row.member);
    assert!(others.next().is_none(), "two members have things in a locker: {row:?}");
}

/// Each offer is a hold of who waits, for the days waited for; nobody waits twice for a term.
fn demand_line(view: &View<'_>) {
    for (id, it) in view.book.line() {
        let mut same = view.book.line().filter(|(other, more)| {
            *other != id && more.member == it.member && more.term == it.term
        });
        assert!(same.next().is_none(), "member {} waits twice", it.member);
        let Some(offer) = it.offer else { continue };
        let row = &view.book.rows[&offer];
        let theirs = row.member == it.member && row.term == Some(it.term) && row.is("held");
        assert!(theirs && row.locker.is_some_and(|id| bank_of(id) == CHOOSE), "{it:?}: {row:?}");
    }
}

/// The calendar says what the rule read plainly gives, day by day.
fn demand_calendar(site: &Inside, view: &View<'_>) {
    let last = view.today.saturating_add(jiff::Span::new().days(CALENDAR_DAYS));
    let shown = site.services.calendar(BankId(POOL), Some(view.today), Some(last));
    for day in shown.expect("a calendar").days {
        let left = usize::try_from(day.left.expect("not over")).expect("small");
        assert_eq!(left, view.left(day.date), "left on {}", day.date);
    }
}

/// Demands what a job has done, of `names` that ran on a clock that is believed or does not matter.
pub fn demand_after(before: &View<'_>, view: &View<'_>, names: &[&str]) {
    let ran = |name: &str| names.contains(&name);
    if ran("expire-holds") {
        let dead = view.book.standing().find(|row| row.is("held") && !view.is_alive(row));
        assert_eq!(dead, None, "a dead hold is not written down");
    }
    if ran("settle-returns") {
        let due = view.book.standing().find(|row| view.is_due(row));
        assert_eq!(due, None, "a return is not written down");
    }
    if !view.trusted {
        return;
    }
    if ran("release-no-shows") {
        let waiting = view.book.standing().filter(|row| row.is("reserved"));
        let gone = waiting.into_iter().find(|row| view.check_in_until(row) < view.today);
        assert_eq!(gone, None, "nobody came for it");
    }
    if ran("detect-overdue") {
        demand_noticed(view);
    }
    if ran("make-offers") {
        demand_offered(before, view);
    }
}

/// Who is late has a case, unless they hold the locker for the days behind; a case that is open has its
/// rental.
fn demand_noticed(view: &View<'_>) {
    for row in view.book.standing().filter(|row| row.is("active") && row.last < view.today) {
        let of_end = |it: &&super::book::Case| it.rental == row.id && it.ended_on == row.last;
        let noticed = view.book.cases.values().any(|it| of_end(&it));
        let mut mine = view.book.of_member(row.member).filter(|it| it.locker == row.locker);
        let day_after = row.last.tomorrow().expect("not the end of time");
        let holds = mine.any(|it| it.is("held") && view.is_alive(it) && it.first == day_after);
        assert!(noticed || holds, "{row:?} was not noticed");
    }
    for case in view.book.cases.values().filter(|it| ["detected", "sealed"].contains(&&*it.state)) {
        let row = &view.book.rows[&case.rental];
        assert!(row.stands() && row.last == case.ended_on, "{case:?} is open for {row:?}");
    }
}

/// Nobody who can take a locker waits beside a free one, and nobody was overtaken.
fn demand_offered(before: &View<'_>, view: &View<'_>) {
    let waiting: Vec<_> = view.book.line().filter(|(_, it)| it.offer.is_none()).collect();
    for (id, it) in &waiting {
        if view.cannot_take(it.member, it.term) {
            continue;
        }
        let opened = i64::try_from(of_term(it.term).opens_ms).expect("small") <= view.since_ms;
        let free = view.free_of_choose(of_term(it.term).span());
        assert!(free.is_empty() || !opened, "{it:?} waits beside {free:?}");
        let had = |other: i64| before.book.waits.get(&other).and_then(|it| it.offer);
        let mut after = view.book.line().filter(|(other, more)| {
            other > id && more.term == it.term && more.offer.is_some() && had(*other).is_none()
        });
        let overtook = after.next();
        assert!(overtook.is_none(), "{it:?} was overtaken by {overtook:?}");
    }
}
