//! The reservations of the published state: by number, by member, by the day on which they begin, and
//! how many claim each day of each bank.
//!
//! Part of [`Snapshot`](super::Snapshot). The maps share structure between versions, so a reservation
//! that comes or goes costs the same whether twenty or twenty thousand wait.

use jiff::civil::Date;

use crate::domain::id::{BankId, MemberId, RentalId};
use crate::domain::pool::Reservation;
use crate::domain::pool::room::DayCounts;

static NO_COUNTS: std::sync::LazyLock<DayCounts> = std::sync::LazyLock::new(DayCounts::default);

/// Every reservation that waits for its day.
#[derive(Debug, Clone, Default)]
pub(super) struct Reserved {
    by_id: imbl::HashMap<RentalId, Reservation>,
    by_member: imbl::HashMap<MemberId, Vec<RentalId>>,
    by_day: imbl::OrdSet<(BankId, Date, RentalId)>,
    counts: imbl::HashMap<BankId, DayCounts>,
}

impl Reserved {
    /// Takes one in; one of the same number is replaced.
    pub(super) fn put(&mut self, it: Reservation) {
        self.remove(it.id);
        self.by_id.insert(it.id, it);
        self.by_member.entry(it.member_id).or_default().push(it.id);
        self.by_day.insert((it.bank_id, it.dates.first(), it.id));
        self.counts.entry(it.bank_id).or_default().add(it.dates);
    }

    /// Forgets one.
    pub(super) fn remove(&mut self, id: RentalId) {
        let Some(it) = self.by_id.remove(&id) else { return };
        self.by_day.remove(&(it.bank_id, it.dates.first(), id));
        if let Some(ids) = self.by_member.get_mut(&it.member_id) {
            ids.retain(|kept| *kept != id);
            if ids.is_empty() {
                self.by_member.remove(&it.member_id);
            }
        }
        if let Some(counts) = self.counts.get_mut(&it.bank_id) {
            counts.remove(it.dates);
            if counts.is_empty() {
                self.counts.remove(&it.bank_id);
            }
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Reservation> {
        self.by_id.values()
    }

    pub(super) fn find(&self, id: RentalId) -> Option<&Reservation> {
        self.by_id.get(&id)
    }

    pub(super) fn of_member(&self, member: MemberId) -> impl Iterator<Item = &Reservation> {
        let ids = self.by_member.get(&member);
        ids.into_iter().flatten().filter_map(|id| self.by_id.get(id))
    }

    /// Those of a bank that begin on a day or before, by when they begin.
    pub(super) fn until(&self, bank: BankId, last: Date) -> impl Iterator<Item = &Reservation> {
        let (from, to) = ((bank, Date::MIN, RentalId(i64::MIN)), (bank, last, RentalId(i64::MAX)));
        self.by_day.range(from..=to).filter_map(|(.., id)| self.by_id.get(id))
    }

    /// How many claim each day of a bank.
    pub(super) fn counts(&self, bank: BankId) -> &DayCounts {
        self.counts.get(&bank).unwrap_or(&NO_COUNTS)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::time::DateSpan;

    fn reservation(id: i64, bank: i64, member: i64, first: i8, last: i8) -> Reservation {
        Reservation {
            id: RentalId(id),
            bank_id: BankId(bank),
            member_id: MemberId(member),
            dates: DateSpan::new(date(2026, 3, first), date(2026, 3, last)).expect("in order"),
            accessible: false,
            unserved: false,
        }
    }

    proptest! {
        /// Every way to look at them agrees with a plain list, whatever comes and goes.
        #[test]
        fn all_ways_to_look_agree(
            steps in prop::collection::vec((1_i64..9, 1_i64..3, 1_i64..4, 1_i8..20, 0_i8..5, any::<bool>()), 0..60),
        ) {
            let (mut kept, mut list) = (Reserved::default(), Vec::<Reservation>::new());
            for (id, bank, member, first, length, comes) in steps {
                list.retain(|it| it.id.0 != id);
                if comes {
                    let it = reservation(id, bank, member, first, first + length);
                    list.push(it);
                    kept.put(it);
                } else {
                    kept.remove(RentalId(id));
                }
            }
            list.sort_by_key(|it| (it.dates.first(), it.id));
            prop_assert_eq!(kept.all().count(), list.len());
            let days = DateSpan::new(date(2026, 3, 1), date(2026, 3, 30)).expect("in order");
            for key in 1..4 {
                let bank = BankId(key);
                let until: Vec<Reservation> = kept.until(bank, date(2026, 3, 9)).copied().collect();
                let of_bank = || list.iter().filter(|it| it.bank_id == bank);
                let plain: Vec<Reservation> =
                    of_bank().filter(|it| it.dates.first() <= date(2026, 3, 9)).copied().collect();
                prop_assert_eq!(until, plain);
                let counts: Vec<u32> = days
                    .days()
                    .map(|day| of_bank().map(|it| u32::from(it.dates.contains(day))).sum())
                    .collect();
                prop_assert_eq!(kept.counts(bank).on(days), counts);
                let mut mine: Vec<i64> = kept.of_member(MemberId(key)).map(|it| it.id.0).collect();
                mine.sort_unstable();
                let of_member = list.iter().filter(|it| it.member_id.0 == key);
                let mut plain: Vec<i64> = of_member.map(|it| it.id.0).collect();
                plain.sort_unstable();
                prop_assert_eq!(mine, plain);
            }
        }
    }
}
