//! `lockerd check`: is the configuration sound, is the database whole? Changes nothing.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::json;

use super::{say, say_json};
use crate::config::Config;
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
    let database = if let Some(path) = &args.database {
        path.clone()
    } else {
        let config = Config::load(&args.config)?;
        for bus in &config.buses {
            if !bus.port.exists() {
                notes.push(format!("bus {}: {} is not there now", bus.name, bus.port.display()));
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
