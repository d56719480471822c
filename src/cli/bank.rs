//! `lockerd bank`: locations, banks, lockers and terms from a file, and back into one.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use super::{offline, say, say_json};
use crate::config::Config;
use crate::domain::id::BankId;
use crate::service::layout::LayoutFormat;

#[derive(Debug, Subcommand)]
pub(super) enum BankCommand {
    /// Take a site file (TOML) or a layout (CSV), all or nothing. The server must not be running.
    ///
    /// Example: lockerd bank import site.toml --config /etc/lockerd/config.toml
    Import(ImportArgs),
    /// Print the layout of a bank or of the whole site. The server must not be running.
    ///
    /// Example: lockerd bank export --format csv > lockers.csv
    Export(ExportArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// The file (docs/guide/site-file.md shows both kinds); .csv is read as CSV.
    file: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Change what exists to what the file says. What the file does not name stays as it is.
    #[arg(long)]
    update: bool,
    /// Print what was made as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct ExportArgs {
    /// Only this bank, by its number; everything and the terms when left out.
    #[arg(long)]
    bank: Option<i64>,
    /// toml or csv.
    #[arg(long, default_value = "toml")]
    format: LayoutFormat,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
}

pub(super) fn run(command: &BankCommand) -> anyhow::Result<()> {
    match command {
        BankCommand::Import(args) => import(args),
        BankCommand::Export(args) => export(args),
    }
}

fn import(args: &ImportArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let name = args.file.display();
    let text =
        std::fs::read_to_string(&args.file).with_context(|| format!("cannot read {name}"))?;
    let read = LayoutFormat::of(&args.file).read(&text);
    let file = read.map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
    let made = offline::with_services(&config, async |services| {
        let taken = if args.update {
            services.update_site(file, None, None).await
        } else {
            services.import_site(file).await
        };
        taken.map_err(|error| anyhow::anyhow!("{name}: {}", error.detail))
    })?;
    if args.json {
        return say_json(&made);
    }
    let done = if args.update { "made or changed" } else { "made" };
    say(format!("{done} {} banks, {} lockers, {} terms", made.banks, made.lockers, made.terms));
    Ok(())
}

fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let text = offline::with_services(&config, async |services| {
        let file = services.export_layout(args.bank.map(BankId));
        let text = file.and_then(|file| args.format.write(&file));
        text.map_err(|error| anyhow::anyhow!("{}", error.detail))
    })?;
    say(text.trim_end());
    Ok(())
}
