//! `lockerd bank`: locations, banks, lockers and terms from a file.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use super::{offline, say, say_json};
use crate::config::Config;
use crate::service::site::SiteFile;

#[derive(Debug, Subcommand)]
pub(super) enum BankCommand {
    /// Take a site file, all or nothing. The server must not be running.
    ///
    /// Example: lockerd bank import site.toml --config /etc/lockerd/config.toml
    Import(ImportArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// The site file (docs/guide/site-file.md shows one).
    file: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Print what was made as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &BankCommand) -> anyhow::Result<()> {
    let BankCommand::Import(args) = command;
    let config = Config::load(&args.config)?;
    let name = args.file.display();
    let text =
        std::fs::read_to_string(&args.file).with_context(|| format!("cannot read {name}"))?;
    let file: SiteFile = toml::from_str(&text).with_context(|| format!("{name}"))?;
    let made = offline::with_services(&config, async |services| {
        services
            .import_site(file)
            .await
            .map_err(|error| anyhow::anyhow!("{name}: {}", error.detail))
    })?;
    if args.json {
        return say_json(&made);
    }
    say(format!("made {} banks, {} lockers, {} terms", made.banks, made.lockers, made.terms));
    Ok(())
}
