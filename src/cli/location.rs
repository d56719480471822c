//! `lockerd location`: the places at which banks stand.

use clap::Subcommand;
use serde_json::json;

use super::places::{self, ListArgs, NameArgs};
use crate::domain::id::LocationId;
use crate::service::members::Actor;
use crate::service::places::locations;

#[derive(Debug, Subcommand)]
pub(super) enum LocationCommand {
    /// Print the locations; a server may be running.
    ///
    /// Example: lockerd location list --json
    List(ListArgs),
    /// Make a location. The server must not be running.
    ///
    /// Example: lockerd location add --name-ko 과학도서관 --name-en "Science Library"
    Add(AddArgs),
    /// Give a location another name. The server must not be running.
    ///
    /// Example: lockerd location change 2 --name-ko 중앙도서관
    Change(ChangeArgs),
    /// Retire a location without banks. The server must not be running.
    ///
    /// Example: lockerd location retire 2
    Retire(RetireArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct AddArgs {
    #[command(flatten)]
    name: NameArgs,
    #[command(flatten)]
    common: ListArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct ChangeArgs {
    /// Its number.
    location: i64,
    #[command(flatten)]
    name: NameArgs,
    #[command(flatten)]
    common: ListArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct RetireArgs {
    /// Its number.
    location: i64,
    #[command(flatten)]
    common: ListArgs,
}

pub(super) fn run(command: &LocationCommand) -> anyhow::Result<()> {
    match command {
        LocationCommand::List(args) => list(args),
        LocationCommand::Add(args) => {
            let name = args.name.read()?;
            let made = places::change(&args.common, async |services| {
                services.add_location(Actor::CommandLine, name, None).await
            })?;
            let text = format!("made location {}", made.value);
            places::done(&args.common, &text, &json!({ "location_id": made.value }))
        }
        LocationCommand::Change(args) => {
            let (id, name) = (LocationId(args.location), args.name.read()?);
            places::change(&args.common, async |services| {
                services.rename_location(Actor::CommandLine, id, name, None).await
            })?;
            let text = format!("changed location {id}");
            places::done(&args.common, &text, &json!({ "location_id": id }))
        }
        LocationCommand::Retire(args) => {
            let id = LocationId(args.location);
            places::change(&args.common, async |services| {
                services.retire_location(Actor::CommandLine, id, None).await
            })?;
            let text = format!("retired location {id}");
            places::done(&args.common, &text, &json!({ "location_id": id }))
        }
    }
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let kept = places::read(&args.config)?;
    let rows: Vec<_> = kept
        .site
        .locations
        .values()
        .map(|location| {
            let view = locations::view(&kept.site, location);
            let cells = vec![
                location.id.to_string(),
                location.name.ko.clone(),
                location.name.en.clone(),
                view.banks.to_string(),
                view.lockers.to_string(),
            ];
            let value = json!({
                "location_id": location.id, "name": places::name(&location.name),
                "banks": view.banks, "lockers": view.lockers,
            });
            (cells, value)
        })
        .collect();
    places::list(args, &["location", "name", "english", "banks", "lockers"], &rows)
}
