//! What a bank may offer beyond the plain rental: extension, swap, waiting list, longer holds.
//!
//! Each is off by default. Here stand the switches and whether they fit together; the rules of each
//! are with what they change.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bank::{Mistake, Mode};

/// Most extensions of one rental.
pub const EXTENSIONS_MAX: u16 = 12;

/// Most days of one extension, and of the time before the end in which it can be had.
pub const EXTENSION_DAYS_MAX: u16 = 366;

/// Longest time for which an offer stands, in minutes: two days.
pub const OFFER_MINUTES_MAX: u16 = 2_880;

/// What a bank offers beyond the plain rental.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How often a rental may be extended; 0 to 12, 0: never.
    pub extensions_max: u16,
    /// By how many days; 1 to 366. Must be set where extensions are.
    pub extension_days: Option<u16>,
    /// How many days before its last day a rental may be extended; 1 to 366.
    pub extension_from_days: u16,
    /// Whether a renter may swap to another free locker, keeping the dates.
    pub swaps: bool,
    /// Whether people may wait for a locker that gets free.
    pub waiting_list: bool,
    /// How long a locker is offered to who waits, in minutes; 1 to 2880.
    pub offer_minutes: u16,
    /// Whether a hold may be extended, once.
    pub hold_extension: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            extensions_max: 0,
            extension_days: None,
            extension_from_days: 14,
            swaps: false,
            waiting_list: false,
            offer_minutes: 60,
            hold_extension: false,
        }
    }
}

impl Options {
    /// Notes every setting that cannot be, or that cannot be beside another.
    pub fn check(&self, mode: Mode, hold_seconds: u32, note: &mut dyn FnMut(Mistake)) {
        if self.extensions_max > EXTENSIONS_MAX {
            let given = self.extensions_max;
            let text =
                format!("options.extensions_max is {given}; it must be 0 to {EXTENSIONS_MAX}");
            note(Mistake::of(&["options.extensions_max"], text));
        }
        let mut range = |field: &'static str, value: u16, max: u16| {
            if value == 0 || value > max {
                note(Mistake::of(&[field], format!("{field} is {value}; it must be 1 to {max}")));
            }
        };
        range("options.extension_from_days", self.extension_from_days, EXTENSION_DAYS_MAX);
        range("options.offer_minutes", self.offer_minutes, OFFER_MINUTES_MAX);
        self.extension_days
            .inspect(|days| range("options.extension_days", *days, EXTENSION_DAYS_MAX));
        if self.extensions_max > 0 && self.extension_days.is_none() {
            let text = "options.extensions_max allows extensions, but options.extension_days does \
                        not say how long one is";
            note(Mistake::of(&["options.extensions_max", "options.extension_days"], text));
        }
        if mode == Mode::Pool {
            let held = [
                (self.waiting_list, "options.waiting_list", "reservations have a calendar instead"),
                (self.hold_extension, "options.hold_extension", "there are no holds"),
            ];
            for (on, field, why) in held {
                if on {
                    let text = format!("{field} is for banks in choose mode: in pool mode {why}");
                    note(Mistake::of(&["mode", field], text));
                }
            }
        }
        if self.waiting_list && self.offer().as_secs() < u64::from(hold_seconds) {
            let text = format!(
                "an offer of {} minutes is shorter than a hold of {hold_seconds} seconds: who waited \
                 would have less time than who did not",
                self.offer_minutes
            );
            note(Mistake::of(&["options.offer_minutes", "hold_seconds"], text));
        }
    }

    /// How long a locker is offered to who waits.
    #[must_use]
    pub fn offer(&self) -> Duration {
        Duration::from_mins(u64::from(self.offer_minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(options: Options, mode: Mode) -> Vec<Vec<&'static str>> {
        let mut found = Vec::new();
        options.check(mode, 120, &mut |it| found.push(it.fields));
        found
    }

    #[test]
    fn everything_is_off_and_what_does_not_fit_is_told() {
        for mode in Mode::ALL {
            assert!(fields(Options::default(), mode).is_empty());
        }
        let long = Options { extensions_max: 1, ..Options::default() };
        assert_eq!(fields(long, Mode::Choose).len(), 1);
        let waits = Options { waiting_list: true, offer_minutes: 1, ..Options::default() };
        assert_eq!(fields(waits, Mode::Choose), [["options.offer_minutes", "hold_seconds"]]);
        let pool = Options { waiting_list: true, hold_extension: true, ..Options::default() };
        assert_eq!(fields(pool, Mode::Pool).len(), 2);
    }
}
