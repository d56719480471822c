//! `lockerd bank`: locations, banks, lockers and terms from a file, and back into one; looking at banks
//! and retiring them.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use serde_json::json;

use super::places::{self, ListArgs};
use super::{offline, say, say_json};
use crate::config::Config;
use crate::domain::id::BankId;
use crate::service::layout::LayoutFormat;
use crate::service::members::Actor;
use crate::service::places::banks::{self, BankView};

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
    /// Print the banks; a server may be running.
    ///
    /// Example: lockerd bank list --json
    List(ListArgs),
    /// Print one bank with its settings and hours; a server may be running.
    ///
    /// Example: lockerd bank show 1
    Show(OneArgs),
    /// Retire a bank with its lockers, when nobody rents or holds one. The server must not be running.
    ///
    /// Example: lockerd bank retire 1
    Retire(OneArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct OneArgs {
    /// Its number.
    bank: i64,
    #[command(flatten)]
    common: ListArgs,
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
        BankCommand::List(args) => list(args),
        BankCommand::Show(args) => show(args),
        BankCommand::Retire(args) => {
            let id = BankId(args.bank);
            places::change(&args.common, async |services| {
                services.retire_bank(Actor::CommandLine, id, None).await
            })?;
            places::done(&args.common, &format!("retired bank {id}"), &json!({ "bank_id": id }))
        }
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

fn value(view: &BankView) -> serde_json::Value {
    let bank = &view.bank;
    json!({
        "bank_id": bank.id, "name": places::name(&bank.name), "location_id": bank.location_id,
        "location": places::name(&view.location), "mode": bank.mode, "lockers": view.lockers,
        "in_service": view.in_service, "maintenance": bank.maintenance.is_some(),
    })
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let kept = places::read(&args.config)?;
    let row = |bank| {
        let view = banks::view(&kept.site, bank);
        let cells = vec![
            view.bank.id.to_string(),
            view.location.ko.clone(),
            view.bank.name.ko.clone(),
            view.lockers.to_string(),
            view.in_service.to_string(),
        ];
        (cells, value(&view))
    };
    let rows: Vec<_> = kept.site.banks.values().map(row).collect();
    places::list(args, &["bank", "location", "name", "lockers", "in service"], &rows)
}

fn show(args: &OneArgs) -> anyhow::Result<()> {
    let kept = places::read(&args.common.config)?;
    let bank = kept.bank(args.bank)?;
    let view = banks::view(&kept.site, bank);
    let policy = serde_json::to_value(&bank.policy)?;
    if args.common.json {
        let mut shown = value(&view);
        shown["policy"] = policy;
        return say_json(&shown);
    }
    say(format!("bank {}: {} ({}), {}", bank.id, bank.name.ko, bank.name.en, view.location.ko));
    say(format!("{} lockers, {} in service", view.lockers, view.in_service));
    if let Some(maintenance) = &bank.maintenance {
        say(format!("in maintenance since {}: {}", maintenance.since, maintenance.reason));
    }
    let simple = policy.as_object().into_iter().flatten();
    for (setting, value) in simple.filter(|(_, value)| !value.is_array() && !value.is_object()) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        say(format!("{setting}: {}", if value == "null" { "not set" } else { &value }));
    }
    if let Some(hours) = &bank.policy.hours {
        for (day, spans) in hours.days() {
            let spans: Vec<String> = spans.iter().map(ToString::to_string).collect();
            let spans = if spans.is_empty() { "closed".to_owned() } else { spans.join(", ") };
            say(format!("{day}: {spans}"));
        }
    }
    for closing in &bank.policy.closings {
        let (first, last) = (closing.dates.first(), closing.dates.last());
        say(format!("closed {first} to {last}: {}", closing.name.ko));
    }
    Ok(())
}
