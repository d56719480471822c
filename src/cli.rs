//! Floor 4: the command line. Each command exits 0 only when it did what was asked; an error is
//! one line on standard error that says what to do.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rustix::fs::Mode;

mod audit;
mod bank;
mod bus;
mod check;
mod demo;
mod init;
mod keys;
mod location;
mod locker;
mod member;
mod offline;
mod places;
mod serve;
mod simulate;
mod term;
mod time;

/// Campus lockers with electric locks: one program, one database, one owner of each serial port.
#[derive(Debug, Parser)]
#[command(name = "lockerd", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the data directory, its keys and the first admin.
    ///
    /// Example: lockerd init --config /etc/lockerd/config.toml
    Init(init::InitArgs),
    /// Serve the site until SIGTERM or SIGINT.
    ///
    /// Example: lockerd serve --config /etc/lockerd/config.toml
    Serve(ConfigArg),
    /// Start a site on temporary data with simulated boards and sample people.
    ///
    /// Example: lockerd demo --listen 127.0.0.1:3000
    Demo(demo::DemoArgs),
    /// Run simulated boards alone.
    ///
    /// Example: lockerd simulate --config boards.toml --listen 127.0.0.1:3900
    Simulate(simulate::SimulateArgs),
    /// Look at boards, open a lock, read frames aloud.
    #[command(subcommand)]
    Bus(bus::BusCommand),
    /// Set up locations, banks, lockers and terms.
    #[command(subcommand)]
    Bank(bank::BankCommand),
    /// The places at which banks stand.
    #[command(subcommand)]
    Location(location::LocationCommand),
    /// Compartments, and whether they are lent.
    #[command(subcommand)]
    Locker(locker::LockerCommand),
    /// When claims are accepted and which days they grant.
    #[command(subcommand)]
    Term(term::TermCommand),
    /// Make accounts.
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Look after the keys that sign access tokens.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Prove that the audit log is as it was written.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Vouch for the clock of a machine that nobody else tells the time.
    #[command(subcommand)]
    Time(time::TimeCommand),
    /// Print the API document (OpenAPI 3.1) as JSON.
    ///
    /// Example: lockerd openapi > openapi.json
    Openapi,
    /// Check the configuration and the database; changes nothing.
    ///
    /// Example: lockerd check --config /etc/lockerd/config.toml
    Check(check::CheckArgs),
}

/// Which configuration.
#[derive(Debug, clap::Args)]
struct ConfigArg {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
}

/// Runs the command line.
#[must_use]
pub fn run() -> ExitCode {
    // What the program writes (rentals, keys, tokens) is its owner's business only.
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Init(args) => init::run(&args),
        Command::Serve(arg) => serve::run(&arg.config),
        Command::Demo(args) => demo::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Time(command) => time::run(&command),
        Command::Bus(command) => bus::run(&command),
        Command::Bank(command) => bank::run(&command),
        Command::Location(command) => location::run(&command),
        Command::Locker(command) => locker::run(&command),
        Command::Term(command) => term::run(&command),
        Command::Member(command) => member::run(&command),
        Command::Keys(command) => keys::run(&command),
        Command::Audit(command) => audit::run(&command),
        Command::Openapi => {
            say(crate::http::api_document());
            Ok(())
        }
        Command::Check(args) => check::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr().lock(), "lockerd: {}", in_one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes, each said once: some carry their cause in their own words already.
fn in_one_line(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line
}

/// Prints a line on standard output; a reader that has gone is no error.
fn say(line: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", line.as_ref());
    let _ = out.flush();
}

/// Prints a value as one line of JSON.
fn say_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    say(serde_json::to_string(value)?);
    Ok(())
}

/// A runtime for commands that need one.
fn runtime(worker_threads: usize) -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(worker_threads)
        .enable_all()
        .build()?)
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::in_one_line;

    #[test]
    fn each_cause_is_said_once() {
        let error = anyhow!("disk full").context("cannot write x");
        assert_eq!(in_one_line(&error), "cannot write x: disk full");
        let error = anyhow!("disk full").context("cannot write x: disk full");
        assert_eq!(in_one_line(&error), "cannot write x: disk full");
    }
}
