//! How a bank deals with those who are late, as settings: when they are reminded, whether they may
//! still open, when their case is sealed, what it costs.
//!
//! The steps of a case stand in `overdue_case.rs`, which reminder is due in `reminder.rs`.

use serde::{Deserialize, Serialize};

use super::bank::Mistake;

/// Most reminders before the end.
pub const REMINDERS_MAX: usize = 5;

/// Longest time before the end at which a reminder can be sent, in days.
pub const REMINDER_DAYS_MAX: u16 = 60;

/// Most penalty days for one day late.
pub const PENALTY_FACTOR_MAX: u16 = 30;

/// Most days of one penalty.
pub const PENALTY_DAYS_MAX: u16 = 366;

/// Longest time after which a case is sealed by itself, in days.
pub const SEAL_DAYS_MAX: u16 = 366;

/// Whether a renter who is late may still open the locker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LateOpening {
    /// Not from the first minute after the end on: staff open.
    Never,
    /// Until the case is sealed, to empty it.
    #[default]
    UntilSealed,
    /// Also when it is sealed.
    Always,
}

impl LateOpening {
    /// Every value; the database's CHECK lists the same names.
    pub const ALL: [Self; 3] = [Self::Never, Self::UntilSealed, Self::Always];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::UntilSealed => "until_sealed",
            Self::Always => "always",
        }
    }

    /// Finds a value by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Whether a late renter may open.
    #[must_use]
    pub const fn permits(self, sealed: bool) -> bool {
        match self {
            Self::Never => false,
            Self::UntilSealed => !sealed,
            Self::Always => true,
        }
    }
}

/// How a bank deals with those who are late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OverduePolicy {
    /// How many days before the last day the renter is reminded; at most five of 1 to 60, the
    /// farthest first.
    pub reminder_days: Vec<u16>,
    /// Whether the renter is reminded on the last day.
    pub remind_on_last_day: bool,
    /// Whether the renter is told each day while late.
    pub remind_while_late: bool,
    /// Whether a renter who is late may still open.
    pub late_opening: LateOpening,
    /// After how many days late a case is sealed by itself; 1 to 366. `None`: staff seal it.
    pub seal_after_days: Option<u16>,
    /// Penalty days for each day late; 0 to 30, 0: there is no penalty.
    pub penalty_factor: u16,
    /// Most days of one penalty; 1 to 366 where there is one.
    pub penalty_max_days: u16,
}

impl Default for OverduePolicy {
    fn default() -> Self {
        Self {
            reminder_days: vec![7, 1],
            remind_on_last_day: true,
            remind_while_late: true,
            late_opening: LateOpening::UntilSealed,
            seal_after_days: None,
            penalty_factor: 0,
            penalty_max_days: 30,
        }
    }
}

impl OverduePolicy {
    /// Notes every setting that cannot be, or that cannot be beside another. `days_max`: the longest
    /// rental of the bank, where one is set.
    pub fn check(&self, days_max: Option<u16>, note: &mut dyn FnMut(Mistake)) {
        let Self { reminder_days, late_opening, seal_after_days, .. } = self;
        if reminder_days.len() > REMINDERS_MAX {
            let text = format!("overdue.reminder_days: at most {REMINDERS_MAX} reminders");
            note(Mistake::of(&["overdue.reminder_days"], text));
        }
        for days in reminder_days {
            if *days == 0 || *days > REMINDER_DAYS_MAX {
                let text = format!(
                    "overdue.reminder_days has {days}; a reminder comes 1 to {REMINDER_DAYS_MAX} \
                     days before the end (remind_on_last_day and remind_while_late are settings of \
                     their own)"
                );
                note(Mistake::of(&["overdue.reminder_days"], text));
            } else if let Some(max) = days_max
                && *days >= max
            {
                let text = format!(
                    "overdue.reminder_days has {days}, but a rental lasts {max} days at most: it \
                     would be sent before the rental begins"
                );
                note(Mistake::of(&["overdue.reminder_days", "pool.days_max"], text));
            }
        }
        if let Some(days) = seal_after_days {
            if *days == 0 || *days > SEAL_DAYS_MAX {
                let text =
                    format!("overdue.seal_after_days is {days}; it must be 1 to {SEAL_DAYS_MAX}");
                note(Mistake::of(&["overdue.seal_after_days"], text));
            }
            if *late_opening == LateOpening::Always {
                let text = "overdue.seal_after_days has no effect where overdue.late_opening is \
                            always: choose until_sealed, or leave seal_after_days out";
                note(Mistake::of(&["overdue.seal_after_days", "overdue.late_opening"], text));
            }
        }
        self.check_penalty(note);
    }

    fn check_penalty(&self, note: &mut dyn FnMut(Mistake)) {
        let Self { penalty_factor: factor, penalty_max_days: max, .. } = *self;
        if factor > PENALTY_FACTOR_MAX {
            let text =
                format!("overdue.penalty_factor is {factor}; it must be 0 to {PENALTY_FACTOR_MAX}");
            note(Mistake::of(&["overdue.penalty_factor"], text));
        }
        if max > PENALTY_DAYS_MAX {
            let text =
                format!("overdue.penalty_max_days is {max}; it must be 0 to {PENALTY_DAYS_MAX}");
            note(Mistake::of(&["overdue.penalty_max_days"], text));
        }
        if factor > 0 && max < factor {
            let text = format!(
                "overdue.penalty_factor is {factor}, but overdue.penalty_max_days is {max}: the first \
                 day late alone would cost more than the most there can be"
            );
            note(Mistake::of(&["overdue.penalty_factor", "overdue.penalty_max_days"], text));
        }
    }

    /// Penalty days for a return `late_days` days after the last day: late days x factor, at most
    /// `penalty_max_days`.
    #[must_use]
    pub fn penalty_days(&self, late_days: u32) -> u16 {
        let days = late_days.saturating_mul(u32::from(self.penalty_factor));
        u16::try_from(days).unwrap_or(u16::MAX).min(self.penalty_max_days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(policy: &OverduePolicy, days_max: Option<u16>) -> Vec<Vec<&'static str>> {
        let mut found = Vec::new();
        policy.check(days_max, &mut |it| found.push(it.fields));
        found
    }

    #[test]
    fn what_contradicts_itself_is_told() {
        assert!(mistakes(&OverduePolicy::default(), None).is_empty());
        let late = OverduePolicy { reminder_days: vec![0, 7], ..OverduePolicy::default() };
        assert_eq!(mistakes(&late, None), [["overdue.reminder_days"]]);
        assert_eq!(mistakes(&late, Some(7)).len(), 2);
        let always = OverduePolicy {
            late_opening: LateOpening::Always,
            seal_after_days: Some(3),
            penalty_factor: 4,
            penalty_max_days: 3,
            ..OverduePolicy::default()
        };
        assert_eq!(mistakes(&always, None).len(), 2);
    }

    #[test]
    fn a_penalty_grows_with_the_days_and_ends_at_its_most() {
        let policy =
            OverduePolicy { penalty_factor: 3, penalty_max_days: 10, ..OverduePolicy::default() };
        assert_eq!([0, 1, 3, 4, u32::MAX].map(|days| policy.penalty_days(days)), [0, 3, 9, 10, 10]);
        assert_eq!(OverduePolicy::default().penalty_days(5), 0);
    }
}
