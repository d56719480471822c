//! What stands in the way of a request, read plainly from the stored rows: the codes with which it may
//! be refused. None: it must be granted. Which of several reasons is told is not laid down.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use lockerd::domain::overdue_case::{CaseState, CaseStep};
use lockerd::domain::rental::RentalState;
use lockerd::domain::time::DateSpan;

use super::book::{Book, Row};
use super::deed::{Days, Deed, Many, Own};
use super::plan::{
    ADVANCE_DAYS, CHOOSE, DAYS_MAX, EXTENSION_FROM_DAYS, LOCKERS, POOL, Plan, RESERVATIONS_MAX,
    TERMS,
};

/// From which hour on whoever is there today is not expected to leave any more.
const EVE_HOUR: i8 = 18;

/// Why something is refused.
pub type Reasons = BTreeSet<&'static str>;

/// The state at one moment.
pub struct View<'a> {
    /// How the banks are run.
    pub plan: &'a Plan,
    /// What is stored.
    pub book: &'a Book,
    /// The day on the site.
    pub today: Date,
    /// The hour there.
    pub hour: i8,
    /// The wall time, in milliseconds after the start.
    pub since_ms: i64,
    /// The time that nobody sets.
    pub counted_ms: u64,
    /// Whether the wall clock is believed.
    pub trusted: bool,
}

/// The bank of a locker.
pub fn bank_of(locker: i64) -> i64 {
    if locker < 10 { CHOOSE } else { POOL }
}

fn lockers_of(bank: i64) -> impl Iterator<Item = i64> {
    LOCKERS.into_iter().filter(move |id| bank_of(*id) == bank)
}

impl View<'_> {
    /// Whether a row binds its locker now: a hold does until its time is up.
    pub fn is_alive(&self, row: &Row) -> bool {
        match self.book.times.get(&row.id) {
            Some(RentalState::Held { until }) => self.counted_ms < until.0,
            other => other.is_some(),
        }
    }

    /// Whether a returned locker is surely empty by the renter's word.
    pub fn is_due(&self, row: &Row) -> bool {
        let Some(RentalState::Returned(it)) = self.book.times.get(&row.id) else { return false };
        let Some(emptied) = it.emptied.filter(|_| self.plan.word_counts) else { return false };
        !row.opened || emptied.max(it.since).0 + self.plan.grace_ms() <= self.counted_ms
    }

    fn is_lent(&self, locker: i64) -> bool {
        self.book.lent.get(&locker) == Some(&true)
    }

    /// What keeps a claim for days from a locker.
    pub fn in_the_way(&self, locker: i64, span: DateSpan) -> Option<&Row> {
        self.book.of_locker(locker).find(|row| {
            let occupied = span.first() <= self.today && row.occupies(self.today);
            self.is_alive(row) && !self.is_due(row) && (row.span().overlaps(span) || occupied)
        })
    }

    /// What a member has on some of these days: the codes that say so.
    fn has_on(&self, member: i64, span: DateSpan, but: Option<i64>) -> Reasons {
        let mine = self.book.of_member(member).filter(|row| Some(row.id) != but);
        let of_days = mine.filter(|row| row.span().overlaps(span));
        let code = |row: &Row| match row.state.as_str() {
            "reserved" => Some("already_reserved"),
            "held" if self.is_alive(row) => Some("already_holding"),
            "active" => Some("already_renting"),
            _ => None,
        };
        of_days.filter_map(code).collect()
    }

    /// The term that takes claims now: the one that opened last.
    pub fn open_term(&self) -> Option<i64> {
        let at = u64::try_from(self.since_ms).ok()?;
        let open = |n: &i64| {
            let term = of_term(*n);
            term.opens_ms <= at && at < term.closes_ms
        };
        (1..=term_count()).rev().find(open)
    }

    /// The term for whose days one waits.
    fn term_to_wait_for(&self) -> Option<i64> {
        if let Some(open) = self.open_term() {
            return Some(open).filter(|n| self.today <= of_term(*n).last);
        }
        let at = u64::try_from(self.since_ms).ok()?;
        let running = |n: &i64| of_term(*n).opens_ms <= at && self.today <= of_term(*n).last;
        (1..=term_count()).rev().find(running)
    }

    /// Whether somebody without an offer waits before the first bank for some of these days.
    fn is_waited_for(&self, bank: i64, span: DateSpan) -> bool {
        let mut waits = self.book.line().filter(|(_, it)| it.offer.is_none());
        bank == CHOOSE && waits.any(|(_, it)| of_term(it.term).span().overlaps(span))
    }

    /// Lockers of the first bank that can be had for these days.
    pub fn free_of_choose(&self, span: DateSpan) -> Vec<i64> {
        let free = |id: &i64| self.is_lent(*id) && self.in_the_way(*id, span).is_none();
        lockers_of(CHOOSE).filter(free).collect()
    }

    /// Why somebody in the line cannot take an offer.
    pub fn cannot_take(&self, member: i64, term: i64) -> bool {
        !self.has_on(member, of_term(term).span(), None).is_empty() || self.is_penalized(member)
    }

    /// Whether a penalty keeps a member from claims today.
    pub fn is_penalized(&self, member: i64) -> bool {
        self.book.penalty_until(member).is_some_and(|last| self.today <= last)
    }

    /// What the second bank can give: in service, and nobody's things left behind.
    fn supply(&self) -> usize {
        let left_behind = |id: i64| {
            let mut of_locker = self.book.of_locker(id);
            of_locker.any(|row| row.occupies(self.today) && row.last < self.today)
        };
        lockers_of(POOL).filter(|id| self.is_lent(*id) && !left_behind(*id)).count()
    }

    /// What is promised for a day in the second bank.
    fn promised(&self, day: Date) -> usize {
        let of_pool = |row: &&Row| {
            row.is("reserved") || row.locker.is_some_and(|locker| bank_of(locker) == POOL)
        };
        self.book.standing().filter(of_pool).filter(|row| row.span().contains(day)).count()
    }

    /// How many more claims a day of the second bank can bear.
    pub fn left(&self, day: Date) -> usize {
        self.supply().saturating_sub(self.promised(day))
    }

    fn has_room(&self, span: DateSpan) -> bool {
        span.days().filter(|day| *day >= self.today).all(|day| self.left(day) > 0)
    }

    /// Whether every reservation can be served as known now: all lockers are there, nobody is late,
    /// no more is promised than there is, and no locker is bound before its day.
    pub fn is_whole(&self) -> bool {
        let days = (0..30).map(|n| self.today.saturating_add(n.days()));
        let kept = days.into_iter().all(|day| self.promised(day) <= self.supply());
        let bound = |id| self.book.of_locker(id).any(|row| row.first > self.today);
        self.supply() == lockers_of(POOL).count() && kept && !lockers_of(POOL).any(bound)
    }

    /// Why a request may be refused; `None`: that is not foretold.
    pub fn reasons(&self, deed: &Deed) -> Option<Reasons> {
        Some(match deed {
            Deed::Hold(own) => self.hold(own.member, Some(own.locker)),
            Deed::HoldAny(member) => self.hold(*member, None),
            Deed::Confirm(own) => return self.of_hold(own, &["out_of_service"]),
            Deed::GiveUp(own) => return self.of_hold(own, &[]),
            Deed::ExtendHold(own) => return self.extend_hold(own),
            Deed::Extend(own) => self.extend(own),
            Deed::Swap(own, to) => self.swap(own, *to),
            Deed::Replace(own, to) => self.replace(own, *to),
            Deed::Return(own, _) => self.give_back(own),
            Deed::Open(_) => return None,
            Deed::Join(member) => self.join(*member),
            Deed::Leave(member) => {
                let waits = self.book.line().any(|(_, it)| it.member == *member);
                when(&[("not_waiting", !waits)])
            }
            Deed::Reserve(member, span) => self.reserve(*member, *span),
            Deed::Cancel(member, id) => self.own_reservation(*member, *id),
            Deed::CheckIn(member, id) => self.check_in(*member, *id),
            staff => self.of_staff(staff),
        })
    }

    fn of_staff(&self, deed: &Deed) -> Reasons {
        let book = self.book;
        match deed {
            Deed::Assign(own, days) => self.assign(own, *days),
            Deed::Move(id, to) => self.move_to(*id, *to),
            Deed::End(id) => {
                let stands = book.rows.get(id).is_some_and(Row::stands);
                when(&[("rental_over", !stands), ("rental_not_found", !book.rows.contains_key(id))])
            }
            Deed::Change(id, last) => self.change(*id, *last),
            Deed::BulkEnd(_, Many::EndedBefore(_)) => when(&[("clock_untrusted", !self.trusted)]),
            Deed::Free(locker) => {
                let returned = book.of_locker(*locker).any(|row| row.is("returned"));
                when(&[("not_returned", !returned)])
            }
            Deed::Case(id, step, explained) => self.case(*id, step, *explained),
            Deed::Waive(id) => {
                let found = book.penalties.get(id);
                when(&[
                    ("penalty_not_found", found.is_none()),
                    ("penalty_waived", found.is_some_and(|it| it.waived)),
                ])
            }
            Deed::TakeOff(id) => {
                let waits = book.line().any(|(line, _)| line == *id);
                when(&[("waiting_not_found", !waits)])
            }
            _ => Reasons::new(),
        }
    }

    /// What keeps a member from any new claim.
    fn no_claim(&self, member: i64) -> Reasons {
        when(&[("penalty", self.is_penalized(member)), ("clock_untrusted", !self.trusted)])
    }

    fn hold(&self, member: i64, wanted: Option<i64>) -> Reasons {
        let mut why = self.no_claim(member);
        why.extend(when(&[
            ("wrong_mode", wanted.is_some_and(|locker| bank_of(locker) == POOL)),
            ("out_of_service", wanted.is_some_and(|locker| !self.is_lent(locker))),
        ]));
        let Some(term) = self.open_term() else {
            why.insert("outside_window");
            return why;
        };
        let span = of_term(term).span();
        let again = |row: &&Row| {
            row.is("held") && self.is_alive(row) && wanted.is_some() && row.locker == wanted
        };
        let mut mine = self.book.of_member(member).filter(|row| row.span().overlaps(span));
        if mine.any(|row| again(&row)) {
            return why;
        }
        why.extend(self.has_on(member, span, None));
        let free = self.free_of_choose(span);
        let free = wanted.map_or(!free.is_empty(), |it| self.in_the_way(it, span).is_none());
        let none = if wanted.is_some() { "locker_taken" } else { "no_free_locker" };
        why.extend(when(&[("others_wait", self.is_waited_for(CHOOSE, span)), (none, !free)]));
        why
    }

    /// A member's rows of a locker in these states.
    fn own(&self, own: &Own, states: &[&str]) -> Vec<&Row> {
        let mine = self.book.of_locker(own.locker).filter(|row| row.member == own.member);
        mine.filter(|row| states.contains(&row.state.as_str())).collect()
    }

    /// A wish about a hold; `also`: what else may stand in its way. Not foretold where one hold of a
    /// locker lives and another one has just died.
    fn of_hold(&self, own: &Own, also: &[&'static str]) -> Option<Reasons> {
        let held = self.own(own, &["held"]);
        let dead = held.iter().filter(|row| !self.is_alive(row)).count();
        if dead > 0 && dead < held.len() {
            return None;
        }
        let rented = |state: &str| held.is_empty() && !self.own(own, &[state]).is_empty();
        let (active, returned) = (rented("active"), rented("returned"));
        let broken = also.contains(&"out_of_service") && !self.is_lent(own.locker);
        Some(when(&[
            ("hold_expired", dead > 0 || (held.is_empty() && !active && !returned)),
            ("already_renting", active),
            ("not_your_locker", returned),
            ("out_of_service", broken && dead == 0 && !held.is_empty()),
        ]))
    }

    fn extend_hold(&self, own: &Own) -> Option<Reasons> {
        if !self.plan.hold_extension || bank_of(own.locker) == POOL {
            return Some(when(&[("option_off", true)]));
        }
        let mut why = self.of_hold(own, &[])?;
        let held = self.own(own, &["held"]);
        if held.iter().any(|row| row.hold_extended) {
            // Of two terms' holds either may be meant.
            if held.iter().any(|row| !row.hold_extended) {
                return None;
            }
            why.insert("hold_extended");
        }
        Some(why)
    }

    /// A member's rental of a locker that ends first, or why there is none.
    fn rented(&self, own: &Own) -> Result<&Row, Reasons> {
        let active = self.own(own, &["active"]).into_iter().min_by_key(|row| row.last);
        let held = !self.own(own, &["held"]).is_empty();
        active.ok_or_else(|| when(&[("only_held", held), ("not_your_locker", !held)]))
    }

    fn extend(&self, own: &Own) -> Reasons {
        let mine = match self.rented(own) {
            Ok(mine) => mine,
            Err(why) => return why,
        };
        if self.plan.extensions == 0 {
            return when(&[("option_off", true)]);
        }
        let span = |first: Date, last| DateSpan::new(first, last).expect("in order");
        let early = i64::from(EXTENSION_FROM_DAYS);
        let until = mine.last.saturating_add(i64::from(self.plan.extension_days).days());
        let whole = span(mine.first, until);
        let added = span(mine.last.saturating_add(1.day()), until);
        let others = self.book.of_locker(own.locker).filter(|row| row.id != mine.id);
        let mut claimed = others.filter(|row| self.is_alive(row) && row.span().overlaps(added));
        when(&[
            ("clock_untrusted", !self.trusted),
            ("last_day_over", mine.sealed || mine.last < self.today),
            ("extensions_used", mine.extensions >= self.plan.extensions),
            ("extension_early", self.today < mine.last.saturating_sub(early.days())),
            ("out_of_service", !self.is_lent(own.locker)),
            ("others_wait", self.is_waited_for(bank_of(own.locker), whole)),
            ("already_renting", !self.has_on(own.member, added, Some(mine.id)).is_empty()),
            ("locker_taken", claimed.next().is_some()),
            ("day_full", bank_of(own.locker) == POOL && !self.has_room(added)),
        ])
    }

    fn swap(&self, own: &Own, to: i64) -> Reasons {
        let mine = match self.rented(own) {
            Ok(mine) => mine,
            Err(why) => return why,
        };
        if !self.plan.swaps {
            return when(&[("option_off", true)]);
        }
        when(&[
            ("clock_untrusted", !self.trusted),
            ("last_day_over", mine.sealed || mine.last < self.today),
            ("invalid", to == own.locker || bank_of(to) != bank_of(own.locker)),
            ("out_of_service", !self.is_lent(to)),
            ("others_wait", self.is_waited_for(bank_of(own.locker), mine.span())),
            ("locker_taken", self.in_the_way(to, mine.span()).is_some()),
            // What was opened is still to be emptied: for a while it takes two.
            ("day_full", mine.opened && bank_of(to) == POOL && !self.has_room(mine.span())),
        ])
    }

    /// Whether a rental's locker is not to be had, as far as its renter is told by now: of who is there
    /// before them on the eve in the evening, or when these are late.
    pub fn is_short(&self, row: &Row) -> bool {
        let Some(locker) = row.locker else { return false };
        if !self.is_lent(locker) {
            return row.opened || row.last >= self.today;
        }
        let mut others = self.book.of_locker(locker).filter(|it| it.member != row.member);
        let before = others.find(|it| it.occupies(self.today) && it.first < row.first);
        let tomorrow = self.today.saturating_add(1.day());
        before.is_some_and(|it| {
            let eve = row.first == tomorrow && (it.last < self.today || self.hour >= EVE_HOUR);
            row.first <= self.today || eve
        })
    }

    fn is_occupied(&self, locker: i64) -> bool {
        self.book.of_locker(locker).any(|it| it.occupies(self.today) && !self.is_due(it))
    }

    fn replace(&self, own: &Own, to: Option<i64>) -> Reasons {
        let over = |row: &Row| row.sealed || row.last < self.today;
        let mine = self.own(own, &["active"]).into_iter();
        let mine = mine.min_by_key(|row| (over(row), row.first));
        let Some(mine) = mine else {
            return when(&[("not_your_locker", self.trusted), ("clock_untrusted", !self.trusted)]);
        };
        let full = mine.opened && bank_of(own.locker) == POOL && !self.has_room(mine.span());
        let taken = |id| self.in_the_way(id, mine.span()).is_some() || self.is_occupied(id);
        let mut why = when(&[
            ("clock_untrusted", !self.trusted),
            ("last_day_over", over(mine)),
            ("no_shortage", !self.is_short(mine)),
            ("day_full", full),
        ]);
        if let Some(to) = to {
            why.extend(when(&[
                ("invalid", bank_of(to) != bank_of(own.locker)),
                ("out_of_service", !self.is_lent(to)),
                ("locker_taken", taken(to)),
            ]));
        } else {
            // A return that only waits to be written down is taken by its number alone.
            let mut near = lockers_of(bank_of(own.locker)).filter(|id| self.is_lent(*id));
            let sure = near.any(|id| {
                let mut of_locker = self.book.of_locker(id);
                !taken(id) && !of_locker.any(|row| row.is("returned"))
            });
            why.extend(when(&[("no_free_locker", !sure)]));
        }
        why
    }

    fn give_back(&self, own: &Own) -> Reasons {
        let rented = !self.own(own, &["active", "returned"]).is_empty();
        let held = !self.own(own, &["held"]).is_empty();
        when(&[("only_held", !rented && held), ("not_your_locker", !rented && !held)])
    }

    fn join(&self, member: i64) -> Reasons {
        let mut why = self.no_claim(member);
        why.extend(when(&[("option_off", !self.plan.waiting_list)]));
        let Some(term) = self.term_to_wait_for() else {
            why.insert("outside_window");
            return why;
        };
        let span = of_term(term).span();
        let of_term = |it: &super::book::Wait| it.term == term;
        let waits = self.book.line().any(|(_, it)| it.member == member && of_term(it));
        let mut before = self.book.line().filter(|(_, it)| of_term(it) && it.offer.is_none());
        let claimable = self.open_term() == Some(term)
            && before.next().is_none()
            && !self.free_of_choose(span).is_empty();
        let mut mine = self.has_on(member, span, None);
        if mine.remove("already_reserved") {
            mine.insert("already_renting");
        }
        why.extend(mine);
        why.extend(when(&[("already_waiting", waits), ("locker_free", claimable)]));
        why
    }

    fn reserve(&self, member: i64, span: DateSpan) -> Reasons {
        let mut why = self.no_claim(member);
        let last_start = self.today.saturating_add(i64::from(ADVANCE_DAYS).days());
        let dates = self.today < span.first()
            && span.first() <= last_start
            && span.count() <= i32::from(DAYS_MAX);
        let mine = self.book.of_member(member).filter(|row| row.is("reserved")).count();
        why.extend(self.has_on(member, span, None));
        why.extend(when(&[
            ("dates_refused", !dates),
            ("too_many_reservations", mine >= usize::from(RESERVATIONS_MAX)),
            ("day_full", !self.has_room(span)),
        ]));
        why
    }

    fn own_reservation(&self, member: i64, id: i64) -> Reasons {
        let row = self.book.rows.get(&id).filter(|row| row.member == member && row.stands());
        when(&[
            ("reservation_not_found", row.is_none()),
            ("checked_in", row.is_some_and(|row| !row.is("reserved"))),
        ])
    }

    /// The last day on which a reservation may be checked in.
    pub fn check_in_until(&self, row: &Row) -> Date {
        let most = i64::from(DAYS_MAX);
        let kept = self.plan.check_in_days.filter(|_| !row.unserved).map_or(most, i64::from);
        let days = kept - 1;
        row.first.saturating_add(days.days()).min(row.last)
    }

    fn check_in(&self, member: i64, id: i64) -> Reasons {
        let why = self.own_reservation(member, id);
        let Some(row) = self.book.rows.get(&id).filter(|_| why.is_empty()) else { return why };
        let due = |row: &Row| row.first <= self.today && self.today <= self.check_in_until(row);
        let before = self.book.standing().filter(|it| it.is("reserved") && it.id < id && due(it));
        let free = lockers_of(POOL)
            .filter(|locker| self.is_lent(*locker))
            .filter(|locker| self.in_the_way(*locker, row.span()).is_none());
        when(&[
            ("clock_untrusted", !self.trusted),
            ("outside_dates", !due(row)),
            ("no_free_locker", before.count() >= free.count()),
        ])
    }

    fn assign(&self, own: &Own, days: Days) -> Reasons {
        let span = match days {
            Days::Term(id) => of_term(id).span(),
            Days::Given(first, last) => DateSpan::new(first, last).expect("in order"),
        };
        when(&[
            ("out_of_service", !self.is_lent(own.locker)),
            ("clock_untrusted", !self.trusted),
            ("invalid", span.last() < self.today),
            ("day_full", bank_of(own.locker) == POOL && !self.has_room(span)),
            ("locker_taken", self.in_the_way(own.locker, span).is_some()),
            ("already_renting", !self.has_on(own.member, span, None).is_empty()),
        ])
    }

    /// Why staff cannot change an active rental.
    fn no_change(&self, id: i64) -> Result<&Row, Reasons> {
        let row = self.book.rows.get(&id);
        let is = |state: &str| row.is_some_and(|row| row.is(state));
        if is("active") {
            return row.ok_or_else(Reasons::new);
        }
        Err(when(&[
            ("rental_not_found", row.is_none()),
            ("rental_over", is("ended") || is("returned") || is("reserved")),
            ("only_held", is("held")),
            ("clock_untrusted", !self.trusted),
        ]))
    }

    fn move_to(&self, id: i64, to: i64) -> Reasons {
        let row = match self.no_change(id) {
            Ok(row) => row,
            Err(why) => return why,
        };
        let more = row.opened || row.locker.map(bank_of) != Some(bank_of(to));
        let full = more && bank_of(to) == POOL && !self.has_room(row.span());
        when(&[
            ("clock_untrusted", !self.trusted),
            ("out_of_service", !self.is_lent(to)),
            ("invalid", row.locker == Some(to)),
            ("rental_over", row.last < self.today),
            ("day_full", full),
            ("locker_taken", self.in_the_way(to, row.span()).is_some()),
        ])
    }

    fn change(&self, id: i64, last: Date) -> Reasons {
        let row = match self.no_change(id) {
            Ok(row) => row,
            Err(why) => return why,
        };
        let mut why = when(&[
            ("clock_untrusted", !self.trusted),
            ("invalid", last < self.today || last < row.first),
        ]);
        let (Some(locker), Some(span)) = (row.locker, DateSpan::new(row.first, last)) else {
            return why;
        };
        if last == row.last {
            return why;
        }
        // What somebody late has is promised to nobody.
        let late = row.occupies(self.today) && row.last < self.today;
        let added = DateSpan::new(row.last.saturating_add(1.day()), last).filter(|_| !late);
        let full = added.is_some_and(|added| bank_of(locker) == POOL && !self.has_room(added));
        let mut others = self.book.of_locker(locker).filter(|it| it.id != id);
        why.extend(when(&[
            ("day_full", full),
            ("locker_taken", others.any(|it| self.is_alive(it) && it.span().overlaps(span))),
            ("already_renting", !self.has_on(row.member, span, Some(id)).is_empty()),
        ]));
        why
    }

    fn case(&self, id: i64, step: &str, explained: bool) -> Reasons {
        let Some(case) = self.book.cases.get(&id) else {
            return when(&[("overdue_case_not_found", true)]);
        };
        let state = CaseState::from_name(&case.state).expect("known");
        let wanted = CaseStep::ALL.into_iter().find(|it| it.name() == step).expect("known");
        let Some(taken) = state.after(wanted) else { return when(&[("overdue_step", true)]) };
        let over = !self.book.rows.get(&case.rental).is_some_and(Row::stands);
        let touches = ["seal", "collect"].contains(&step);
        when(&[
            ("invalid", taken.needs_reason && !explained),
            ("overdue_step", over && touches),
            ("clock_untrusted", step == "collect" && !self.trusted),
        ])
    }
}

/// A term by its number.
pub fn of_term(number: i64) -> super::plan::Term {
    TERMS[usize::try_from(number - 1).expect("a term")]
}

fn term_count() -> i64 {
    i64::try_from(TERMS.len()).expect("few")
}

/// The codes of what is so.
fn when(all: &[(&'static str, bool)]) -> Reasons {
    all.iter().filter(|(_, is_so)| *is_so).map(|(code, _)| *code).collect()
}
