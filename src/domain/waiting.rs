//! The line before a bank that is full: who waits for a locker for the days of a term.
//!
//! Who joined first is first. A locker that gets free is offered to the first who can take it: it is
//! held for them, for the bank's `offer_minutes`, and they confirm it or give it up. Whoever gave an
//! offer up, or let it pass, is out of the line and may join again at its end. As long as somebody
//! waits without an offer, nobody else may hold a locker there for these days. Used by
//! `service/waiting.rs`.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::bank::Bank;
use super::id::{BankId, LockerId, MemberId, RentalId, TermId, WaitingId};
use super::term::{Term, Window, window};

/// Why somebody does not wait any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingEnd {
    /// They confirmed what they were offered.
    Taken,
    /// They gave the offer up.
    Declined,
    /// They let the offer pass.
    OfferExpired,
    /// They left the line.
    Left,
    /// They got a locker for these days in another way.
    HasLocker,
    /// The last day of the term is over.
    TermOver,
    /// Staff took them off the line.
    ByStaff,
    /// The bank has no waiting list any more, or is not there for this term any more.
    ListClosed,
    /// Their account was closed, or is leaving.
    MemberLeft,
}

impl WaitingEnd {
    /// Every reason; the database's CHECK lists the same names.
    pub const ALL: [Self; 9] = [
        Self::Taken,
        Self::Declined,
        Self::OfferExpired,
        Self::Left,
        Self::HasLocker,
        Self::TermOver,
        Self::ByStaff,
        Self::ListClosed,
        Self::MemberLeft,
    ];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Declined => "declined",
            Self::OfferExpired => "offer_expired",
            Self::Left => "left",
            Self::HasLocker => "has_locker",
            Self::TermOver => "term_over",
            Self::ByStaff => "by_staff",
            Self::ListClosed => "list_closed",
            Self::MemberLeft => "member_left",
        }
    }
}

/// Somebody in the line. The numbers are given in the order of joining, so the lower one is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiter {
    /// Their place, to be compared.
    pub id: WaitingId,
    /// Before which bank.
    pub bank_id: BankId,
    /// For the days of which term.
    pub term_id: TermId,
    /// Who.
    pub member_id: MemberId,
    /// Since when.
    pub since: Timestamp,
    /// The hold that is their offer, while it stands.
    pub offer: Option<RentalId>,
}

impl Waiter {
    /// The same with an offer, or again without one.
    #[must_use]
    pub const fn offered(self, offer: Option<RentalId>) -> Self {
        Self { offer, ..self }
    }
}

/// The term for whose days one waits before a bank: the one that takes claims now, else the one that
/// opened last and whose last day is not over.
#[must_use]
pub fn term_to_wait_for<'a>(
    terms: &'a [Term],
    bank: &Bank,
    now: Timestamp,
    today: Date,
) -> Option<&'a Term> {
    if let Window::Open(term) = window(terms, bank, now) {
        return Some(term).filter(|term| today <= term.dates.last());
    }
    let running = |term: &&Term| term.opens_at <= now && today <= term.dates.last();
    let mine = terms.iter().filter(|term| term.covers(bank)).filter(running);
    mine.max_by_key(|term| (term.opens_at, term.id))
}

/// What is known of the thing that somebody waits for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The bank; `None` when it was retired.
    pub bank: Option<&'a Bank>,
    /// The term; `None` when it was retired.
    pub term: Option<&'a Term>,
    /// Whether the member is gone or leaving.
    pub leaving: bool,
    /// Whether the member has a locker for days of the term by now, other than the offer.
    pub has_locker: bool,
    /// The site's day.
    pub today: Date,
}

/// Why somebody without an offer waits in vain by now; `None`: they go on waiting.
#[must_use]
pub fn in_vain(wish: &Wish<'_>) -> Option<WaitingEnd> {
    let (Some(bank), Some(term)) = (wish.bank, wish.term) else {
        return Some(WaitingEnd::ListClosed);
    };
    if wish.leaving {
        Some(WaitingEnd::MemberLeft)
    } else if wish.has_locker {
        Some(WaitingEnd::HasLocker)
    } else if term.dates.last() < wish.today {
        Some(WaitingEnd::TermOver)
    } else if !bank.policy.options.waiting_list || !term.covers(bank) {
        Some(WaitingEnd::ListClosed)
    } else {
        None
    }
}

/// To whom which free locker is offered: the first in the line who can take one now gets the first.
/// Whoever has an offer already gets no second one.
pub fn offers<'a>(
    line: impl IntoIterator<Item = &'a Waiter>,
    can_take: impl Fn(&Waiter) -> bool,
    free: impl IntoIterator<Item = LockerId>,
) -> Vec<(Waiter, LockerId)> {
    let next = line.into_iter().filter(|it| it.offer.is_none() && can_take(it));
    next.copied().zip(free).collect()
}

#[cfg(test)]
mod tests;
