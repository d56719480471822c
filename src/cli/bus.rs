//! `lockerd bus`: what a technician needs at the cabinet. The tools open the port themselves, so
//! the server must not hold it; they never unlock anything except with `open`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use comfy_table::Table;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{runtime, say, say_json};
use crate::bus::codec::LockBits;
use crate::bus::config::PortAddress;
use crate::bus::tools::{self, Answered, ScanPlan, StatusPlan};
use crate::bus::{Bus, Explanation, Happened, PulseOutcome, explain};
use crate::config::Config;
use crate::domain::channel::{Channel, Family};

#[derive(Debug, Subcommand)]
pub(super) enum BusCommand {
    /// Look for boards with read requests only.
    ///
    /// Example: lockerd bus scan /dev/ttyUSB0 --baud 9600 --baud 19200
    Scan(ScanArgs),
    /// Read everything one board tells.
    ///
    /// Example: lockerd bus status /dev/ttyUSB0 --baud 19200 --family kerong-cu16 --address 0
    Status(StatusArgs),
    /// Open one lock of the configuration and say what was seen.
    ///
    /// Example: lockerd bus open east/0/3 --config /etc/lockerd/config.toml
    Open(OpenArgs),
    /// Read a frame aloud, or say exactly why it is rejected. Exit code 0: its integrity holds.
    ///
    /// Example: lockerd bus decode kerong-cu16 02 00 30 03 35
    Decode(DecodeArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ScanArgs {
    /// The serial port, or a gateway as tcp://host:port.
    port: PortAddress,
    /// Baud rates to try; may be given several times.
    #[arg(long = "baud", value_name = "BAUD", default_values_t = [9_600, 19_200])]
    bauds: Vec<u32>,
    /// Families to try; all when left out.
    #[arg(long = "family", value_name = "FAMILY")]
    families: Vec<Family>,
    /// First address.
    #[arg(long, default_value_t = 0)]
    from: u8,
    /// Last address.
    #[arg(long, default_value_t = 32)]
    to: u8,
    /// How long a board may take to answer, in milliseconds.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(10..=5_000))]
    timeout_ms: u32,
    /// Print what was found as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
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
    /// Print what it tells as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct OpenArgs {
    /// Which lock: BUS/BOARD/LOCK.
    channel: Channel,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Print what was seen as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct DecodeArgs {
    /// The board family.
    family: Family,
    /// The bytes in hexadecimal, with or without spaces.
    #[arg(required = true, value_name = "HEX")]
    hex: Vec<String>,
    /// Print what it means as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &BusCommand) -> anyhow::Result<()> {
    match command {
        BusCommand::Scan(args) => runtime(1)?.block_on(scan(args)),
        BusCommand::Status(args) => runtime(1)?.block_on(status(args)),
        BusCommand::Open(args) => runtime(1)?.block_on(open(args)),
        BusCommand::Decode(args) => decode(args),
    }
}

async fn scan(args: &ScanArgs) -> anyhow::Result<()> {
    if args.from > args.to {
        bail!("--from {} is after --to {}", args.from, args.to);
    }
    let families =
        if args.families.is_empty() { Family::ALL.to_vec() } else { args.families.clone() };
    let plan = ScanPlan {
        port: args.port.clone(),
        bauds: args.bauds.clone(),
        families,
        addresses: args.from..=args.to,
        reply_timeout_ms: args.timeout_ms,
    };
    let found = tools::scan(&plan, |board| {
        if !args.json {
            say(format!("{} at address {}, {} baud", board.family, board.address, board.baud));
        }
    })
    .await?;
    if args.json {
        let boards: Vec<Value> = found
            .iter()
            .map(|board| {
                json!({ "family": board.family, "address": board.address, "baud": board.baud })
            })
            .collect();
        say_json(&json!({ "boards": boards }))?;
    }
    if found.is_empty() {
        bail!("no board answered on {}: check power, wiring (A/B) and baud rate", args.port);
    }
    Ok(())
}

async fn status(args: &StatusArgs) -> anyhow::Result<()> {
    let plan = StatusPlan {
        port: args.port.clone(),
        baud: args.baud,
        family: args.family,
        address: args.address,
        locks: args.locks,
        reply_timeout_ms: 200,
    };
    let report = tools::status(&plan).await?;
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

async fn open(args: &OpenArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let mut buses = config.buses()?;
    buses.retain(|bus| bus.name == args.channel.bus);
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let bus = Bus::start(buses, &tracker, &stop);
    let seen = watch(&bus, args).await;
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    let (steps, outcome) = seen?;
    let (ok, words) = in_words(&outcome);
    if args.json {
        say_json(&json!({ "steps": steps, "opened": ok, "outcome": words }))?;
    } else {
        say(&words);
    }
    if ok { Ok(()) } else { bail!("{words}") }
}

async fn watch(bus: &Bus, args: &OpenArgs) -> anyhow::Result<(Vec<&'static str>, PulseOutcome)> {
    let mut watch = bus.open(&args.channel).context("not opened")?;
    let mut steps = Vec::new();
    while let Some(event) = watch.events.recv().await {
        let step = match event.what {
            Happened::Sent => "sent",
            Happened::Acknowledged => "acknowledged",
            Happened::SentAgain => "sent again: the door stayed closed",
            Happened::DoorOpened => "door opened",
            Happened::DoorClosed => "door closed",
            Happened::Ended(outcome) => return Ok((steps, outcome)),
        };
        if !args.json {
            say(step);
        }
        steps.push(step);
    }
    bail!("the bus stopped before the opening ended")
}

fn in_words(outcome: &PulseOutcome) -> (bool, String) {
    match outcome {
        PulseOutcome::Confirmed => (true, "opened: the sensor shows it".to_owned()),
        PulseOutcome::AlreadyOpen => (true, "the door was open before and still is".to_owned()),
        PulseOutcome::Accepted => {
            (true, "the board acknowledged; it has no sensors: look at the door".to_owned())
        }
        PulseOutcome::DoorStayedClosed => {
            (false, "the door did not open: push it and try again".to_owned())
        }
        PulseOutcome::Unconfirmed(doubt) => {
            (false, format!("not known whether it opened: {doubt}"))
        }
        PulseOutcome::Refused(text) => (false, format!("the board refused: {text}")),
        PulseOutcome::Unreachable(text) => (false, format!("nothing was sent: {text}")),
    }
}

fn decode(args: &DecodeArgs) -> anyhow::Result<()> {
    let bytes = parse_hex(&args.hex)?;
    let explanation = explain(args.family, &bytes);
    if args.json {
        say_json(&as_json(&explanation))?;
    } else {
        describe(&explanation);
    }
    match explanation.error {
        None => Ok(()),
        Some(error) => bail!("rejected: {error}"),
    }
}

fn describe(explanation: &Explanation) {
    if !explanation.leading.is_empty() {
        let hex = crate::bus::codec::hex(&explanation.leading);
        say(format!("skipped {} leading bytes: {hex}", explanation.leading.len()));
    }
    for frame in &explanation.frames {
        let hex = crate::bus::codec::hex(&frame.bytes);
        say(format!("{hex}\n  {}: {}", frame.direction.name(), frame.meaning));
    }
}

fn as_json(explanation: &Explanation) -> Value {
    let frames: Vec<Value> = explanation
        .frames
        .iter()
        .map(|frame| {
            json!({
                "offset": frame.offset,
                "bytes": crate::bus::codec::hex(&frame.bytes),
                "direction": frame.direction.name(),
                "meaning": frame.meaning,
            })
        })
        .collect();
    json!({
        "leading": crate::bus::codec::hex(&explanation.leading),
        "frames": frames,
        "error": explanation.error,
    })
}

fn parse_hex(parts: &[String]) -> anyhow::Result<Vec<u8>> {
    let text: String = parts.concat().chars().filter(|c| !c.is_whitespace()).collect();
    let text = text.replace("0x", "").replace("0X", "");
    data_encoding::HEXUPPER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| {
        anyhow::anyhow!("{text:?} is not hexadecimal: write bytes like 02 00 30 03 35")
    })
}
