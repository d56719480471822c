//! `lockerd bus`: what a technician needs at the cabinet. The tools open the port themselves, so
//! the server must not hold it; they never unlock anything except with `open` and `prove`.

use clap::Subcommand;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{runtime, say, say_json};
use crate::bus::{Bus, BusConfig};

mod address;
mod decode;
mod open;
mod prove;
mod scan;
mod status;

#[derive(Debug, Subcommand)]
pub(super) enum BusCommand {
    /// Look for boards with read requests only: family, address, speed, and two with one address.
    ///
    /// Ctrl-C ends it with what was found by then. Example: lockerd bus scan /dev/ttyUSB0
    Scan(scan::ScanArgs),
    /// Read everything one board tells.
    ///
    /// Example: lockerd bus status /dev/ttyUSB0 --baud 19200 --family kerong-cu16 --address 0
    Status(status::StatusArgs),
    /// Open one lock of the configuration and say what was seen.
    ///
    /// Example: lockerd bus open east/0/3 --config /etc/lockerd/config.toml
    Open(open::OpenArgs),
    /// Give the one connected board another address.
    ///
    /// Example: lockerd bus address /dev/ttyUSB0 --family modbus-relay --new 3
    Address(address::AddressArgs),
    /// Open each lock of a bus once, with you at the doors, and write down how it is wired.
    ///
    /// Goes on where it was left with --resume. Example: lockerd bus prove east --config config.toml
    Prove(prove::ProveArgs),
    /// Read a frame aloud, or say exactly why it is rejected. Exit code 0: its integrity holds.
    ///
    /// Example: lockerd bus decode kerong-cu16 02 00 30 03 35
    Decode(decode::DecodeArgs),
}

pub(super) fn run(command: &BusCommand) -> anyhow::Result<()> {
    match command {
        BusCommand::Scan(args) => runtime(1)?.block_on(scan::run(args)),
        BusCommand::Status(args) => runtime(1)?.block_on(status::run(args)),
        BusCommand::Open(args) => runtime(1)?.block_on(open::run(args)),
        BusCommand::Address(args) => runtime(1)?.block_on(address::run(args)),
        BusCommand::Prove(args) => runtime(2)?.block_on(prove::run(args)),
        BusCommand::Decode(args) => decode::run(args),
    }
}

/// Runs buses for as long as some work takes; they end with all locks off.
async fn with_bus<T>(
    configs: Vec<BusConfig>,
    work: impl AsyncFnOnce(Bus) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let done = work(Bus::start(configs, &tracker, &stop)).await;
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    done
}

/// Cancelled by Ctrl-C: what is under way then ends in order.
fn until_interrupted() -> CancellationToken {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            told.cancel();
        }
    });
    stop
}

/// A line on standard error that is written over, for a person who waits; nothing for a program.
fn show_progress(text: &str) {
    use std::io::{IsTerminal, Write};
    let mut err = std::io::stderr().lock();
    if err.is_terminal() {
        let _ = write!(err, "\r\x1b[K{text}");
        let _ = err.flush();
    }
}

/// Lines of standard input, read beside everything else so that Ctrl-C ends the wait.
struct Keyboard {
    lines: tokio::sync::mpsc::Receiver<String>,
    stop: CancellationToken,
}

impl Keyboard {
    /// Lines read ahead of their question.
    const AHEAD_MAX: usize = 64;

    fn new() -> Self {
        let (sender, lines) = tokio::sync::mpsc::channel(Self::AHEAD_MAX);
        // A thread of its own: the program need not wait for a key to end.
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if sender.blocking_send(line).is_err() {
                    break;
                }
            }
        });
        Self { lines, stop: until_interrupted() }
    }

    /// The next line; `None` at the end of the input and after Ctrl-C.
    async fn line(&mut self) -> Option<String> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            line = self.lines.recv() => line,
        }
    }
}
