//! `lockerd bus status`: everything one board tells.

use anyhow::bail;
use comfy_table::Table;
use serde_json::{Value, json};

use super::{say, say_json};
use crate::bus::codec::{LockBits, StatusOrder};
use crate::bus::config::PortAddress;
use crate::bus::tools::{self, Answered, StatusPlan, Wire};
use crate::domain::channel::Family;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct StatusArgs {
    /// The serial port, or a gateway as tcp://host:port.
    port: PortAddress,
    /// Its baud rate.
    #[arg(long)]
    baud: u32,
    /// The board's family.
    #[arg(long)]
    family: Family,
    /// The board's address.
    #[arg(long)]
    address: u8,
    /// How many locks it drives.
    #[arg(long, default_value_t = 8)]
    locks: u8,
    /// The bytes of its inputs come with locks 1 to 8 first (8A/80 boards only).
    #[arg(long)]
    lowest_first: bool,
    /// Print what it tells as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &StatusArgs) -> anyhow::Result<()> {
    let plan = StatusPlan {
        baud: args.baud,
        family: args.family,
        address: args.address,
        locks: args.locks,
        status_order: if args.lowest_first {
            StatusOrder::LowestFirst
        } else {
            StatusOrder::HighestFirst
        },
        reply_timeout_ms: 200,
    };
    let mut wire = Wire::own(args.port.clone());
    let report = tools::status(&mut wire, &plan).await?;
    let bits = |answer: &Option<Answered<LockBits>>| match answer {
        Some(Answered::Value(bits)) => {
            json!((1..=args.locks).map(|lock| u8::from(bits.lock(lock))).collect::<Vec<_>>())
        }
        Some(Answered::Refused(refusal)) => json!(refusal.to_string()),
        Some(Answered::Silent) => json!("no answer"),
        None => Value::Null,
    };
    let version = match &report.version {
        Some(Answered::Value(version)) => json!(f64::from(*version) / 100.0),
        Some(Answered::Refused(refusal)) => json!(refusal.to_string()),
        Some(Answered::Silent) => json!("no answer"),
        None => Value::Null,
    };
    let items = report.items.map(Answered::Value);
    let (inputs, relays, items) = (bits(&report.inputs), bits(&report.relays), bits(&items));
    if args.json {
        say_json(&json!({
            "inputs": inputs, "relays": relays, "items": items, "version": version
        }))?;
    } else {
        let mut table = Table::new();
        table.set_header(["what", "lock 1 first"]);
        for (what, value) in
            [("inputs", &inputs), ("relays", &relays), ("items", &items), ("version", &version)]
        {
            let text = if value.is_null() {
                "not told by this family".to_owned()
            } else {
                value.to_string()
            };
            table.add_row([what.to_owned(), text]);
        }
        say(table.to_string());
    }
    let silent = |answer: &Option<Answered<LockBits>>| matches!(answer, Some(Answered::Silent));
    if silent(&report.inputs) || silent(&report.relays) {
        bail!("board {} does not answer", args.address);
    }
    Ok(())
}
