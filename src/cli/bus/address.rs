//! `lockerd bus address`: gives the one connected board another address.

use anyhow::bail;
use serde_json::json;

use super::{Keyboard, say, say_json, show_progress, until_interrupted};
use crate::bus::config::PortAddress;
use crate::bus::tools::Wire;
use crate::bus::tools::address::{AddressPlan, AddressSet, guard, set};
use crate::domain::channel::Family;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct AddressArgs {
    /// The serial port, or a gateway as tcp://host:port.
    port: PortAddress,
    /// The board's family.
    #[arg(long)]
    family: Family,
    /// The address it is to have.
    #[arg(long)]
    new: u8,
    /// The line's baud rate.
    #[arg(long, default_value_t = 9_600)]
    baud: u32,
    /// How long a board may take to answer, in milliseconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=5_000))]
    timeout_ms: u32,
    /// Do not ask before the address is written.
    #[arg(long)]
    yes: bool,
    /// Print what was done as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &AddressArgs) -> anyhow::Result<()> {
    let plan = AddressPlan {
        baud: args.baud,
        family: args.family,
        new: args.new,
        configured: Vec::new(),
        reply_timeout_ms: args.timeout_ms,
    };
    let mut wire = Wire::own(args.port.clone());
    let stop = until_interrupted();
    let guarded = guard(&mut wire, &plan, &stop, |address| {
        show_progress(&format!("looking for other boards: {address}"));
    });
    let own = guarded.await?;
    show_progress("");
    if !args.yes && !agreed(own, args.new).await {
        bail!("nothing was written");
    }
    let done = set(&mut wire, &plan, &stop).await?;
    if args.json {
        return say_json(&json!({ "old": own, "new": args.new, "outcome": done }));
    }
    say(match done {
        AddressSet::Done => format!("it answers at address {} now", args.new),
        AddressSet::AfterPowerCycle => format!(
            "it took address {}: switch its power off and on, then look with lockerd bus scan",
            args.new
        ),
    });
    Ok(())
}

async fn agreed(own: u8, new: u8) -> bool {
    say(format!("one board answers, at address {own}: give it address {new}? [y/N]"));
    let answer = Keyboard::new().line().await;
    answer.is_some_and(|line| matches!(line.trim(), "y" | "Y" | "yes"))
}
