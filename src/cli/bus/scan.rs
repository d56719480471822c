//! `lockerd bus scan`: which boards answer, at which speed.

use anyhow::bail;
use serde_json::json;

use super::{say, say_json, show_progress, until_interrupted};
use crate::bus::config::PortAddress;
use crate::bus::tools::{Progress, ScanPlan, ScanReport, Sharing, Wire, scan};
use crate::domain::channel::Family;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ScanArgs {
    /// The serial port, or a gateway as tcp://host:port.
    port: PortAddress,
    /// Baud rates to try; may be given several times. Left out: 9600, 19200, 38400 and 115200.
    #[arg(long = "baud", value_name = "BAUD")]
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
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=5_000))]
    timeout_ms: u32,
    /// Print what was found as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &ScanArgs) -> anyhow::Result<()> {
    if args.from > args.to {
        bail!("--from {} is after --to {}", args.from, args.to);
    }
    let plan = ScanPlan::new(&args.bauds, &args.families, args.from..=args.to);
    if plan.bauds.is_empty() {
        bail!("no adapter makes these baud rates: {:?}", args.bauds);
    }
    let plan = ScanPlan { reply_timeout_ms: args.timeout_ms, ..plan };
    let mut wire = Wire::own(args.port.clone());
    let report = scan(&mut wire, &plan, &until_interrupted(), |news| match news {
        Progress::Asked { asked, total } => show_progress(&format!("{asked} of {total} asked")),
        Progress::Found(board) if !args.json => {
            show_progress("");
            say(format!("{} at address {}, {} baud", board.family, board.address, board.baud));
        }
        Progress::Found(_) => {}
    })
    .await?;
    show_progress("");
    if args.json {
        say_json(&json!(report))?;
    } else {
        describe(&report);
    }
    judge(args, &report)
}

fn describe(report: &ScanReport) {
    for board in &report.boards {
        if let Some(sharing) = board.sharing.filter(|it| *it != Sharing::Alone) {
            say(format!("{} at address {}: {sharing}", board.family, board.address));
        }
    }
    for noisy in &report.noisy {
        let (family, address, baud) = (noisy.family, noisy.address, noisy.baud);
        say(format!("{family} at address {address}, {baud} baud: only noise; {}", noisy.sharing));
    }
    for noise in &report.noise {
        say(format!(
            "at {} baud {} questions got {} bytes that are no answer: a board at another speed, two \
             with one address, or a bad line",
            noise.baud, noise.questions, noise.bytes
        ));
    }
    if report.echo {
        say("the adapter hears its own requests: write echo = \"present\" for this bus");
    }
    if !report.boards.is_empty() {
        say("two boards that say the same at the same moment look like one: count them");
    }
}

fn judge(args: &ScanArgs, report: &ScanReport) -> anyhow::Result<()> {
    let shared = report.boards.iter().filter_map(|board| board.sharing);
    let shared = shared.chain(report.noisy.iter().map(|noisy| noisy.sharing));
    if !report.finished {
        bail!("interrupted after {} questions", report.asked);
    }
    if shared.into_iter().any(|it| matches!(it, Sharing::Suspected { .. })) {
        bail!("two boards seem to share an address: disconnect all but one and set its address");
    }
    if report.boards.is_empty() {
        bail!("no board answered on {}: check power, wiring (A/B) and baud rate", args.port);
    }
    Ok(())
}
