//! Floor 1: what a locker, rental, term, opening and member is, and the rules between them.
//!
//! Pure: no clock, no I/O, no async. Whoever needs the time gets it as an argument. State machines
//! consume `self` and return the next state or the reason why not, so an impossible step does not
//! compile or does not pass silently. Everything above may import from here; this floor imports
//! from no other.

pub mod alarm;
pub mod bank;
pub mod channel;
pub mod clock_trust;
pub mod commissioning;
pub mod door_watch;
pub mod extension;
pub mod hours;
pub mod id;
pub mod kiosk;
pub mod layout;
pub mod limit;
pub mod lock_service;
pub mod locker;
pub mod mass_opening;
pub mod member;
pub mod name;
pub mod opening;
pub mod options;
pub mod overdue;
pub mod overdue_case;
pub mod password;
pub mod pool;
pub mod reminder;
pub mod rental;
pub mod returning;
pub mod schedule;
pub mod shortage;
pub mod states;
pub mod statistics;
pub mod swap;
pub mod term;
pub mod time;
pub mod totp;
pub mod waiting;
