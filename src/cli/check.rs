//! `lockerd check`: is the configuration sound, is the database whole? Changes nothing.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::json;

use super::{say, say_json};
use crate::bus::BusConfig;
use crate::bus::config::PortAddress;
use crate::config::Config;
use crate::domain::channel::Channel;
use crate::domain::id::LockerId;
use crate::store::{DataDir, check};

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Check this database file instead of the configured one's.
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Print the findings as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let mut notes = Vec::new();
    let mut buses: Option<Vec<BusConfig>> = None;
    let database = if let Some(path) = &args.database {
        path.clone()
    } else {
        let config = Config::load(&args.config)?;
        buses = Some(config.buses()?);
        // Reads what it names and writes every text with sample data.
        config.mailer()?;
        for bus in &config.buses {
            if let PortAddress::Device(path) = &bus.port
                && !path.exists()
            {
                notes.push(format!("bus {}: {} is not there now", bus.name, path.display()));
            }
        }
        DataDir::new(&config.data_dir).database()
    };
    let mut findings = Vec::new();
    let there = database
        .try_exists()
        .with_context(|| format!("cannot look at {}: run as its owner", database.display()))?;
    if there {
        findings = check::check(&database)?;
        if let (Some(buses), true) = (&buses, findings.is_empty()) {
            notes.extend(unwired(buses, check::channels(&database)?));
        }
    } else if args.database.is_some() {
        bail!("{} does not exist", database.display());
    } else {
        notes.push(format!("{} is not there yet: run lockerd init", database.display()));
    }
    if args.json {
        say_json(&json!({ "clean": findings.is_empty(), "findings": findings, "notes": notes }))?;
    } else {
        for note in &notes {
            say(format!("note: {note}"));
        }
        for finding in &findings {
            say(finding);
        }
    }
    if !findings.is_empty() {
        bail!("{} findings", findings.len());
    }
    if !args.json {
        say("clean");
    }
    Ok(())
}

/// Lockers whose wire leads nowhere: their openings could only end as unreachable.
fn unwired(buses: &[BusConfig], channels: Vec<(LockerId, Channel)>) -> Vec<String> {
    let known = |channel: &Channel| {
        let boards = buses.iter().filter(|bus| bus.name == channel.bus).flat_map(|bus| &bus.boards);
        boards.into_iter().any(|it| it.address == channel.board && channel.lock <= it.locks)
    };
    let lost = channels.into_iter().filter(|(_, channel)| !known(channel));
    lost.map(|(id, channel)| format!("locker {id} is wired to {channel}, which is not configured"))
        .collect()
}
