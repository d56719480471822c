//! Which reminder a renter is due: before the end, on the last day, daily while late.
//!
//! Pure: whoever asks knows what was sent before. A reminder that was missed, because the machine was
//! off, is made up for as long as no later one is due. Sent by `service/reminders.rs`.

use jiff::ToSpan;
use jiff::civil::Date;

use super::overdue::OverduePolicy;
use super::overdue_case::late_days;
use super::time::DateSpan;

/// What a reminder is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReminderKind {
    /// The rental ends in some days.
    Before,
    /// The rental ends today.
    LastDay,
    /// The rental is over and the locker was not returned.
    Late,
}

impl ReminderKind {
    /// Every kind; the database's CHECK lists the same names.
    pub const ALL: [Self; 3] = [Self::Before, Self::LastDay, Self::Late];

    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::LastDay => "last_day",
            Self::Late => "late",
        }
    }
}

/// A reminder that is due unless it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reminder {
    /// What it is about.
    pub kind: ReminderKind,
    /// Days left until the last day, or days since it.
    pub days: u32,
    /// It was sent if one of its kind, about the same last day, was sent on this day or later.
    pub since: Date,
}

/// The reminder that is due on `today` for a rental of these dates. A day before the rental began
/// reminds of nothing: whoever claims later knows the end from that.
#[must_use]
pub fn due(policy: &OverduePolicy, dates: DateSpan, today: Date) -> Option<Reminder> {
    let last = dates.last();
    if today > last {
        let days = late_days(last, today);
        let late = Reminder { kind: ReminderKind::Late, days, since: today };
        return policy.remind_while_late.then_some(late);
    }
    if today == last && policy.remind_on_last_day {
        return Some(Reminder { kind: ReminderKind::LastDay, days: 0, since: today });
    }
    let days = late_days(today, last);
    let of = |before: &u16| last.saturating_sub(i32::from(*before).days());
    let passed = policy.reminder_days.iter().map(of).filter(|on| *on <= today);
    let since = passed.max().filter(|on| dates.first() <= *on)?;
    Some(Reminder { kind: ReminderKind::Before, days, since })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn policy(reminder_days: &[u16]) -> OverduePolicy {
        OverduePolicy { reminder_days: reminder_days.to_vec(), ..OverduePolicy::default() }
    }

    fn dates() -> DateSpan {
        DateSpan::new(date(2026, 9, 10), date(2026, 9, 30)).expect("in order")
    }

    #[test]
    fn the_latest_day_that_has_come_is_reminded_of() {
        let policy = policy(&[25, 7, 1]);
        let on = |day| due(&policy, dates(), date(2026, 9, day));
        let before = |days, since| {
            Some(Reminder { kind: ReminderKind::Before, days, since: date(2026, 9, since) })
        };
        assert_eq!(on(12), None, "25 days before the end it had not begun");
        assert_eq!((on(22), on(23), on(28)), (None, before(7, 23), before(2, 23)));
        assert_eq!(on(29), before(1, 29));
        let last = Reminder { kind: ReminderKind::LastDay, days: 0, since: date(2026, 9, 30) };
        assert_eq!(on(30), Some(last));
        let late = due(&policy, dates(), date(2026, 10, 3)).expect("late");
        assert_eq!((late.kind, late.days, late.since), (ReminderKind::Late, 3, date(2026, 10, 3)));
    }

    #[test]
    fn what_is_switched_off_is_not_sent() {
        let quiet =
            OverduePolicy { remind_on_last_day: false, remind_while_late: false, ..policy(&[1]) };
        let last = due(&quiet, dates(), date(2026, 9, 30)).expect("the missed one of the eve");
        assert_eq!(
            (last.kind, last.days, last.since),
            (ReminderKind::Before, 0, date(2026, 9, 29))
        );
        assert_eq!(due(&quiet, dates(), date(2026, 10, 1)), None);
        assert_eq!(due(&policy(&[]), dates(), date(2026, 9, 29)), None);
    }

    proptest! {
        /// A machine that is on some days sends each reminder at most once, never one after a later
        /// one, and none is lost while it is on the day after.
        #[test]
        fn each_is_sent_once_whatever_days_are_missed(
            days in prop::collection::btree_set(1_u16..20, 0..4),
            on in prop::collection::vec(any::<bool>(), 25),
        ) {
            let policy = policy(&days.iter().rev().copied().collect::<Vec<_>>());
            let mut sent: Vec<(ReminderKind, Date)> = Vec::new();
            for (day, on) in (0_i32..).zip(on) {
                let today = dates().first().saturating_add(day.days());
                let Some(reminder) = due(&policy, dates(), today).filter(|_| on) else { continue };
                let before = sent.iter().any(|(kind, on)| *kind == reminder.kind && reminder.since <= *on);
                if !before {
                    sent.push((reminder.kind, today));
                }
                // Whatever was missed is made up for by now.
                let covered = sent.iter().any(|(kind, on)| *kind == reminder.kind && reminder.since <= *on);
                prop_assert!(covered);
            }
            let before = sent.iter().filter(|(kind, _)| *kind == ReminderKind::Before).count();
            prop_assert!(before <= days.len());
            prop_assert!(sent.iter().filter(|(kind, _)| *kind == ReminderKind::LastDay).count() <= 1);
            prop_assert!(sent.windows(2).all(|pair| pair[0].1 < pair[1].1));
        }
    }
}
