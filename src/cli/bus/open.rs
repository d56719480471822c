//! `lockerd bus open`: one pulse on one configured lock, and what was seen of it.

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::json;

use super::{say, say_json, with_bus};
use crate::bus::{Bus, Happened, PulseOutcome};
use crate::config::Config;
use crate::domain::channel::Channel;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct OpenArgs {
    /// Which lock: BUS/BOARD/LOCK.
    channel: Channel,
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/lockerd/config.toml")]
    config: PathBuf,
    /// Print what was seen as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &OpenArgs) -> anyhow::Result<()> {
    let mut buses = Config::load(&args.config)?.buses()?;
    buses.retain(|bus| bus.name == args.channel.bus);
    let (steps, outcome) = with_bus(buses, async |bus| watch(&bus, args).await).await?;
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
