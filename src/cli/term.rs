//! `lockerd term`: when claims are accepted and which days they grant.

use anyhow::bail;
use clap::Subcommand;
use serde_json::json;

use super::places::{self, ListArgs, NameArgs};
use crate::clock::Clock;
use crate::domain::id::{BankId, LocationId, TermId};
use crate::domain::term::TermScope;
use crate::service::members::Actor;
use crate::service::places::terms::{self, TermChange, TermView};
use crate::service::site::TermEntry;

#[derive(Debug, Subcommand)]
pub(super) enum TermCommand {
    /// Print the terms by when they open; a server may be running.
    ///
    /// Example: lockerd term list --bank 1
    List(TermsArgs),
    /// Make a term. Times without an offset are the site's. The server must not be running.
    ///
    /// Example: lockerd term add --name-ko 2학기 --opens 2026-08-24T10:00:00
    /// --closes 2026-09-04T18:00:00 --first 2026-08-24 --last 2026-12-18
    Add(AddArgs),
    /// Change a term: freely until it granted a locker, then for the future only. The server must not be
    /// running.
    ///
    /// Example: lockerd term change 3 --closes 2026-09-05T18:00:00
    Change(ChangeArgs),
    /// Retire a term by which nobody rents or holds a locker. The server must not be running.
    ///
    /// Example: lockerd term retire 3
    Retire(RetireArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct TermsArgs {
    /// Only those that are for this bank, by its number.
    #[arg(long)]
    bank: Option<i64>,
    #[command(flatten)]
    common: ListArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    name: NameArgs,
    /// First instant at which claims are accepted.
    #[arg(long, value_name = "TIME")]
    opens: String,
    /// First instant at which they are not any more.
    #[arg(long, value_name = "TIME")]
    closes: String,
    /// First day of the rentals.
    #[arg(long, value_name = "DATE")]
    first: String,
    /// Last day of the rentals.
    #[arg(long, value_name = "DATE")]
    last: String,
    /// For the banks of this location only, by its number.
    #[arg(long, conflicts_with = "bank")]
    location: Option<i64>,
    /// For this bank only, by its number.
    #[arg(long)]
    bank: Option<i64>,
    #[command(flatten)]
    common: ListArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct ChangeArgs {
    /// Its number.
    term: i64,
    /// Korean name.
    #[arg(long, value_name = "NAME")]
    name_ko: Option<String>,
    /// English name.
    #[arg(long, value_name = "NAME")]
    name_en: Option<String>,
    /// First instant at which claims are accepted.
    #[arg(long, value_name = "TIME")]
    opens: Option<String>,
    /// First instant at which they are not any more.
    #[arg(long, value_name = "TIME")]
    closes: Option<String>,
    /// First day of the rentals to come.
    #[arg(long, value_name = "DATE")]
    first: Option<String>,
    /// Last day of the rentals to come.
    #[arg(long, value_name = "DATE")]
    last: Option<String>,
    #[command(flatten)]
    common: ListArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct RetireArgs {
    /// Its number.
    term: i64,
    #[command(flatten)]
    common: ListArgs,
}

pub(super) fn run(command: &TermCommand) -> anyhow::Result<()> {
    match command {
        TermCommand::List(args) => list(args),
        TermCommand::Add(args) => add(args),
        TermCommand::Change(args) => change(args),
        TermCommand::Retire(args) => {
            let id = TermId(args.term);
            places::change(&args.common, async |services| {
                services.retire_term(Actor::CommandLine, id, None).await
            })?;
            places::done(&args.common, &format!("retired term {id}"), &json!({ "term_id": id }))
        }
    }
}

fn add(args: &AddArgs) -> anyhow::Result<()> {
    let scope = match (args.location, args.bank) {
        (Some(id), None) => TermScope::Location(LocationId(id)),
        (None, Some(id)) => TermScope::Bank(BankId(id)),
        _ => TermScope::Site,
    };
    let entry = TermEntry {
        name_ko: args.name.name_ko.clone(),
        name_en: args.name.name_en.clone(),
        opens_at: args.opens.clone(),
        closes_at: args.closes.clone(),
        starts_on: args.first.clone(),
        ends_on: args.last.clone(),
    };
    let made = places::change(&args.common, async |services| {
        services.add_term(Actor::CommandLine, &entry, scope, None).await
    })?;
    let text = format!("made term {}", made.value);
    places::done(&args.common, &text, &json!({ "term_id": made.value }))
}

fn change(args: &ChangeArgs) -> anyhow::Result<()> {
    let id = TermId(args.term);
    let change = TermChange {
        name_ko: args.name_ko.clone(),
        name_en: args.name_en.clone(),
        opens_at: args.opens.clone(),
        closes_at: args.closes.clone(),
        starts_on: args.first.clone(),
        ends_on: args.last.clone(),
    };
    if change == TermChange::default() {
        bail!("say what is to be different: --name-ko, --opens, --closes, --first or --last");
    }
    places::change(&args.common, async |services| {
        services.change_term(Actor::CommandLine, id, change, None).await
    })?;
    places::done(&args.common, &format!("changed term {id}"), &json!({ "term_id": id }))
}

fn list(args: &TermsArgs) -> anyhow::Result<()> {
    let kept = places::read(&args.common.config)?;
    let bank = args.bank.map(|bank| kept.bank(bank)).transpose()?.map(|bank| bank.id);
    let zone = kept.config.zone()?;
    let now = Clock::system(zone.clone()).now();
    let views = terms::views(&kept.site, bank, now);
    let row = |TermView { term, state, .. }: &TermView| {
        let scope = match term.scope {
            TermScope::Site => "site".to_owned(),
            TermScope::Location(id) => format!("location {id}"),
            TermScope::Bank(id) => format!("bank {id}"),
        };
        let local = |at: jiff::Timestamp| {
            at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        let cells = vec![
            term.id.to_string(),
            term.name.ko.clone(),
            (*state).to_owned(),
            local(term.opens_at),
            local(term.closes_at),
            term.dates.first().to_string(),
            term.dates.last().to_string(),
            scope.clone(),
        ];
        let value = json!({
            "term_id": term.id, "name": places::name(&term.name), "state": state,
            "opens_at": term.opens_at, "closes_at": term.closes_at,
            "starts_on": term.dates.first(), "ends_on": term.dates.last(), "for": scope,
        });
        (cells, value)
    };
    let rows: Vec<_> = views.iter().map(row).collect();
    let head = ["term", "name", "state", "opens", "closes", "first day", "last day", "for"];
    places::list(&args.common, &head, &rows)
}
