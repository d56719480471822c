//! The lines before banks in the published state: who waits where, in their order.
//!
//! Everybody in one map by number, which is the order of joining; and for each bank and term those
//! without an offer, so that a claim sees at once whether somebody waits.

use crate::domain::id::{BankId, MemberId, RentalId, TermId, WaitingId};
use crate::domain::term::Term;
use crate::domain::time::DateSpan;
use crate::domain::waiting::Waiter;

/// Everybody who waits, with an offer or without.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    all: imbl::OrdMap<WaitingId, Waiter>,
    /// Those without an offer; a line that is empty is not in it.
    unoffered: imbl::HashMap<(BankId, TermId), imbl::OrdSet<WaitingId>>,
    by_member: imbl::HashMap<MemberId, imbl::OrdSet<WaitingId>>,
}

impl Lines {
    pub(super) fn put(&mut self, waiter: Waiter) {
        self.remove(waiter.id);
        if waiter.offer.is_none() {
            self.unoffered.entry((waiter.bank_id, waiter.term_id)).or_default().insert(waiter.id);
        }
        self.by_member.entry(waiter.member_id).or_default().insert(waiter.id);
        self.all.insert(waiter.id, waiter);
    }

    pub(super) fn remove(&mut self, id: WaitingId) {
        let Some(waiter) = self.all.remove(&id) else { return };
        forget(&mut self.unoffered, &(waiter.bank_id, waiter.term_id), id);
        forget(&mut self.by_member, &waiter.member_id, id);
    }

    /// Everybody in the order of joining.
    pub fn all(&self) -> impl Iterator<Item = &Waiter> {
        self.all.values()
    }

    /// Whether nobody waits anywhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Somebody who waits.
    #[must_use]
    pub fn find(&self, id: WaitingId) -> Option<&Waiter> {
        self.all.get(&id)
    }

    /// What a member waits for.
    pub fn of_member(&self, id: MemberId) -> impl Iterator<Item = &Waiter> {
        let ids = self.by_member.get(&id);
        ids.into_iter().flatten().filter_map(|id| self.all.get(id))
    }

    /// Whoever was offered this hold of a member.
    #[must_use]
    pub fn of_offer(&self, member: MemberId, rental: RentalId) -> Option<&Waiter> {
        self.of_member(member).find(|it| it.offer == Some(rental))
    }

    /// The banks and terms that somebody without an offer waits for.
    pub fn waited_for(&self) -> impl Iterator<Item = (BankId, TermId)> {
        self.unoffered.keys().copied()
    }

    /// Those without an offer who wait for a bank and term, in the order of joining.
    pub fn line(&self, bank: BankId, term: TermId) -> impl Iterator<Item = &Waiter> {
        let ids = self.unoffered.get(&(bank, term));
        ids.into_iter().flatten().filter_map(|id| self.all.get(id))
    }

    /// How many wait for a bank and term without an offer.
    #[must_use]
    pub fn count(&self, bank: BankId, term: TermId) -> usize {
        self.unoffered.get(&(bank, term)).map_or(0, imbl::OrdSet::len)
    }

    /// The place of somebody in their line, from 1; `None` for who has an offer.
    #[must_use]
    pub fn place(&self, waiter: &Waiter) -> Option<usize> {
        let line = self.unoffered.get(&(waiter.bank_id, waiter.term_id))?;
        line.contains(&waiter.id).then(|| line.range(..=waiter.id).count())
    }

    /// The days of the terms that somebody waits for before a bank, without an offer.
    pub fn days_waited_for<'a>(
        &'a self,
        bank: BankId,
        terms: &'a [Term],
    ) -> impl Iterator<Item = DateSpan> + 'a {
        let waited = move |term: &&Term| self.unoffered.contains_key(&(bank, term.id));
        terms.iter().filter(waited).map(|term| term.dates)
    }
}

fn forget<K: std::hash::Hash + Eq + Clone>(
    index: &mut imbl::HashMap<K, imbl::OrdSet<WaitingId>>,
    key: &K,
    id: WaitingId,
) {
    let Some(ids) = index.get_mut(key) else { return };
    ids.remove(&id);
    if ids.is_empty() {
        index.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The maps agree with a plain list whoever comes, is offered something and goes.
        #[test]
        fn lines_agree_with_a_list(
            steps in prop::collection::vec((1_i64..12, 1_i64..3, 1_i64..3, 1_i64..4, 0..3), 0..60)
        ) {
            let (mut lines, mut list) = (Lines::default(), Vec::<Waiter>::new());
            for (id, bank, term, member, what) in steps {
                let known = list.iter().find(|it| it.id.0 == id).copied();
                let next = Waiter {
                    id: WaitingId(id),
                    bank_id: known.map_or(BankId(bank), |it| it.bank_id),
                    term_id: known.map_or(TermId(term), |it| it.term_id),
                    member_id: known.map_or(MemberId(member), |it| it.member_id),
                    since: Timestamp::UNIX_EPOCH,
                    offer: (what == 1).then_some(RentalId(id)),
                };
                list.retain(|it| it.id != next.id);
                if what == 2 {
                    lines.remove(next.id);
                } else {
                    list.push(next);
                    lines.put(next);
                }
            }
            list.sort_by_key(|it| it.id);
            prop_assert_eq!(lines.all().copied().collect::<Vec<_>>(), list.clone());
            prop_assert_eq!(lines.is_empty(), list.is_empty());
            for (bank, term) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
                let (bank, term) = (BankId(bank), TermId(term));
                let mine = |it: &&Waiter| (it.bank_id, it.term_id) == (bank, term);
                let line: Vec<_> =
                    list.iter().filter(mine).filter(|it| it.offer.is_none()).copied().collect();
                prop_assert_eq!(lines.line(bank, term).copied().collect::<Vec<_>>(), line.clone());
                prop_assert_eq!(lines.count(bank, term), line.len());
                prop_assert_eq!(lines.waited_for().any(|it| it == (bank, term)), !line.is_empty());
                for (place, waiter) in (1..).zip(&line) {
                    prop_assert_eq!(lines.place(waiter), Some(place));
                }
            }
            for it in &list {
                prop_assert_eq!(lines.find(it.id), Some(it));
                prop_assert!(lines.of_member(it.member_id).any(|found| found == it));
                if let Some(offer) = it.offer {
                    prop_assert_eq!(lines.of_offer(it.member_id, offer), Some(it));
                    prop_assert_eq!(lines.place(it), None);
                }
            }
            let by_member: usize = (1..4).map(|id| lines.of_member(MemberId(id)).count()).sum();
            prop_assert_eq!(by_member, list.len());
        }
    }
}
