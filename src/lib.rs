//! lockerd: campus lockers with electric locks, in one program.
//!
//! The floors, from the ground up; a room imports only from floors below its own
//! (`tests/floors.rs` walks the imports):
//!
//! 1. [`domain`]: what a locker, rental, term, opening, member is, and the rules. Pure.
//! 2. [`store`], [`bus`], [`mail`], [`sim`]: SQLite; serial ports with lock boards; mails on their
//!    way; simulated boards.
//! 3. [`service`]: the use-cases, free of transport.
//! 4. [`http`], [`jobs`], [`cli`]: the REST API; what wakes by itself; the command line.
//!
//! Beside them: [`app`] builds and ends the whole, [`config`] reads `config.toml`, [`clock`] is the
//! only one that asks for the time, [`lifecycle`] knows signals and systemd, [`telemetry`] the log.

#[cfg(all(feature = "mutants", not(debug_assertions)))]
compile_error!(
    "the feature `mutants` makes programs that are wrong on purpose: never in a release"
);

pub mod app;
pub mod bus;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod http;
pub mod jobs;
pub mod lifecycle;
pub mod mail;
pub mod service;
pub mod sim;
pub mod store;
pub mod telemetry;
