//! Integration tests: the real binary on loopback, against simulated boards on pseudo-terminals.
//!
//! Each test starts what it needs (`support`) and shares nothing with the others, so they run in
//! parallel. Where time must be turned (`hold`), the same parts run inside the test process on a
//! clock that is moved by hand.

mod alarms;
mod audit;
mod bad_input;
mod cli;
mod clock;
mod commissioning;
mod crash;
mod degraded;
mod durability;
mod extend;
mod flow;
mod help;
mod history;
mod hold;
mod hours;
mod jobs;
mod kiosk;
mod limits;
mod live;
mod live_own;
mod log_in;
mod mail;
mod mail_texts;
mod mass_opening;
mod members;
mod model;
mod opening;
mod overdue;
mod passwords;
mod place_commands;
mod places;
mod pool;
mod presence;
mod privacy;
mod prove;
mod public_site;
mod race;
mod returning;
mod rights;
mod roles;
mod roster;
mod routes;
mod sessions;
mod shortages;
mod sign_up;
mod simulator;
mod staff_lists;
mod staff_rentals;
mod statistics;
mod support;
mod swap;
mod totp;
mod waiting;
mod walk;
mod web_app;
mod wire;
