//! `lockerd locker`: compartments, and whether they are lent.

use clap::Subcommand;
use serde_json::json;

use super::places::{self, ListArgs};
use crate::domain::id::{BankId, LockerId};
use crate::domain::layout::Level;
use crate::domain::locker::Locker;
use crate::service::members::Actor;
use crate::service::places::lockers;
use crate::store::check;

#[derive(Debug, Subcommand)]
pub(super) enum LockerCommand {
    /// Print the lockers with wires and places; a server may be running.
    ///
    /// Example: lockerd locker list --bank 1
    List(LockersArgs),
    /// Take a locker out of service, or put it back. The server must not be running.
    ///
    /// Example: lockerd locker service 101 --out --reason "broken hinge"
    Service(ServiceArgs),
    /// Retire a locker; its number is not used again. The server must not be running.
    ///
    /// Example: lockerd locker retire 101
    Retire(RetireArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct LockersArgs {
    /// Only those of this bank, by its number.
    #[arg(long)]
    bank: Option<i64>,
    #[command(flatten)]
    common: ListArgs,
}

#[derive(Debug, clap::Args)]
#[group(id = "where_to", required = true, multiple = false, args = ["out", "back"])]
pub(super) struct ServiceArgs {
    /// Its number.
    locker: i64,
    /// It is not lent any more.
    #[arg(long)]
    out: bool,
    /// It is lent again.
    #[arg(long)]
    back: bool,
    /// Why; whoever rents it is told.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    common: ListArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct RetireArgs {
    /// Its number.
    locker: i64,
    #[command(flatten)]
    common: ListArgs,
}

pub(super) fn run(command: &LockerCommand) -> anyhow::Result<()> {
    match command {
        LockerCommand::List(args) => list(args),
        LockerCommand::Service(args) => {
            let (id, in_service) = (LockerId(args.locker), args.back);
            places::change(&args.common, async |services| {
                let actor = Actor::CommandLine;
                services.put_service(actor, id, in_service, &args.reason, None).await
            })?;
            let text = format!("locker {id} is {}", service(in_service));
            let value = json!({ "locker_id": id, "in_service": in_service });
            places::done(&args.common, &text, &value)
        }
        LockerCommand::Retire(args) => {
            let id = LockerId(args.locker);
            places::change(&args.common, async |services| {
                services.retire_locker(Actor::CommandLine, id, None).await
            })?;
            let text = format!("retired locker {id}");
            places::done(&args.common, &text, &json!({ "locker_id": id }))
        }
    }
}

const fn service(in_service: bool) -> &'static str {
    if in_service { "in service" } else { "out of service" }
}

fn list(args: &LockersArgs) -> anyhow::Result<()> {
    let kept = places::read(&args.common.config)?;
    let banks: Vec<BankId> = match args.bank {
        Some(bank) => vec![kept.bank(bank)?.id],
        None => kept.site.banks.keys().copied().collect(),
    };
    let mut rows = Vec::new();
    for bank in banks {
        let reasons = check::reasons(&kept.path, bank)?;
        for setup in lockers::setups(&kept.site, bank, reasons) {
            let reason = setup.reason.unwrap_or_default();
            rows.push(row(&setup.locker, &reason));
        }
    }
    let head = ["locker", "bank", "wire", "service", "place", "level", "accessible", "reason"];
    places::list(&args.common, &head, &rows)
}

fn row(locker: &Locker, reason: &str) -> (Vec<String>, serde_json::Value) {
    let wire = locker.channel.as_ref().map(ToString::to_string);
    let place = locker.place.map(|it| it.to_string());
    let cells = vec![
        locker.id.to_string(),
        locker.bank_id.to_string(),
        wire.clone().unwrap_or_else(|| "by key".to_owned()),
        service(locker.in_service).to_owned(),
        place.unwrap_or_default(),
        locker.level.map(Level::name).unwrap_or_default().to_owned(),
        if locker.accessible { "yes" } else { "" }.to_owned(),
        reason.to_owned(),
    ];
    let value = json!({
        "locker_id": locker.id, "bank_id": locker.bank_id, "wire": wire,
        "in_service": locker.in_service, "place": locker.place, "level": locker.level,
        "accessible": locker.accessible, "reason": reason,
    });
    (cells, value)
}
