//! One-shot tools of the command line: they open the port themselves, ask, and close it.
//!
//! Only harmless reads are ever sent, never an unlock, also to addresses where nothing is expected.
//! The port must be free: the service keeps it for itself, and then the tools say so.

use std::time::Duration;

use crate::bus::codec::{Call, LockBits, Refusal, Reply, Request, Unsupported, codec};
use crate::bus::config::{EchoSetting, PortAddress, gap};
use crate::bus::scanner::{Heard, Tally};
use crate::bus::transaction::{Gone, Line, PortError};
use crate::domain::channel::{BusName, Family};

/// What a scan tries: every baud rate with every family at every address.
#[derive(Debug, Clone)]
pub struct ScanPlan {
    /// The device or gateway.
    pub port: PortAddress,
    /// Baud rates to try, in order.
    pub bauds: Vec<u32>,
    /// Families to try.
    pub families: Vec<Family>,
    /// First and last address; addresses a family does not know are skipped.
    pub addresses: std::ops::RangeInclusive<u8>,
    /// How long each board may take to answer, in milliseconds.
    pub reply_timeout_ms: u32,
}

/// A board that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundBoard {
    /// The baud rate it was found at.
    pub baud: u32,
    /// The family it answers as.
    pub family: Family,
    /// Its address.
    pub address: u8,
    /// What came on the line beside the answer: other boards with the same address, noise, echo.
    pub tally: Tally,
}

/// One board to be read.
#[derive(Debug, Clone)]
pub struct StatusPlan {
    /// The device or gateway.
    pub port: PortAddress,
    /// Its baud rate.
    pub baud: u32,
    /// The board's family.
    pub family: Family,
    /// The board's address.
    pub address: u8,
    /// How many locks it drives.
    pub locks: u8,
    /// How long it may take to answer, in milliseconds.
    pub reply_timeout_ms: u32,
}

/// What one board says; `None` where the family has no such question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardReport {
    /// The raw sensor bits.
    pub inputs: Option<Answered<LockBits>>,
    /// Item sensors, where the family reports them.
    pub items: Option<LockBits>,
    /// Which outputs are on.
    pub relays: Option<Answered<LockBits>>,
    /// Firmware version in hundredths.
    pub version: Option<Answered<u16>>,
}

/// The end of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered<T> {
    /// The board said this.
    Value(T),
    /// The board refused.
    Refused(Refusal),
    /// It did not answer in time.
    Silent,
}

/// Why a tool could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The port cannot be opened.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The port went away in between.
    #[error("the port went away: {0}")]
    Gone(String),
    /// No such bus is configured.
    #[error("there is no bus {0} in the configuration")]
    UnknownBus(BusName),
    /// Too many questions wait, or openings kept the port.
    #[error("the bus is busy: try again in a moment")]
    Busy,
    /// The question makes no sense for this family.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
}

impl From<Gone> for ToolError {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone.0)
    }
}

/// Looks for boards with read requests only; calls `found` for each at once.
pub async fn scan(
    plan: &ScanPlan,
    mut found: impl FnMut(&FoundBoard),
) -> Result<Vec<FoundBoard>, ToolError> {
    let wait = Duration::from_millis(u64::from(plan.reply_timeout_ms));
    let mut boards = Vec::new();
    for &baud in &plan.bauds {
        let gap = gap(baud, None, plan.families.iter().copied());
        let mut line = Line::open(&plan.port, baud, gap, EchoSetting::Auto).await?;
        for &family in &plan.families {
            for address in plan.addresses.clone() {
                let call = Call::new(address, PROBE_LOCKS, probe(family));
                let asked = ask(&mut line, family, &call, wait).await;
                // An address the family does not know is no reason to end the scan.
                let Some((Some(_), tally)) = skip_unsupported(asked)? else { continue };
                let board = FoundBoard { baud, family, address, tally };
                found(&board);
                boards.push(board);
            }
        }
    }
    Ok(boards)
}

/// Reads everything one board tells.
pub async fn status(plan: &StatusPlan) -> Result<BoardReport, ToolError> {
    let gap = gap(plan.baud, None, std::iter::once(plan.family));
    let mut line = Line::open(&plan.port, plan.baud, gap, EchoSetting::Auto).await?;
    let wait = Duration::from_millis(u64::from(plan.reply_timeout_ms));
    let mut report = BoardReport { inputs: None, items: None, relays: None, version: None };
    for request in [Request::Status, Request::Relays, Request::Version] {
        let call = Call::new(plan.address, plan.locks, request);
        let asked = ask(&mut line, plan.family, &call, wait).await;
        let asked = match asked {
            // A wrong address or lock count is the caller's mistake; a missing command is not.
            Err(ToolError::Unsupported(Unsupported::Command(_))) => continue,
            asked => asked?.0,
        };
        report.take(request, asked);
    }
    Ok(report)
}

impl BoardReport {
    fn take(&mut self, request: Request, heard: Option<Heard>) {
        match (request, heard) {
            (_, Some(Heard::Reply { reply: Reply::Status { inputs, items, .. }, .. })) => {
                self.inputs = Some(Answered::Value(inputs));
                self.items = items;
            }
            (_, Some(Heard::Reply { reply: Reply::Relays(on), .. })) => {
                self.relays = Some(Answered::Value(on));
            }
            (_, Some(Heard::Reply { reply: Reply::Version(version), .. })) => {
                self.version = Some(Answered::Value(version));
            }
            (
                _,
                Some(Heard::Reply {
                    reply: Reply::Done | Reply::One(_) | Reply::Modes { .. } | Reply::Address(_),
                    ..
                }),
            ) => {}
            (Request::Status, heard) => self.inputs = Some(without_value(heard)),
            (Request::Relays, heard) => self.relays = Some(without_value(heard)),
            (_, heard) => self.version = Some(without_value(heard)),
        }
    }
}

/// Locks asked about in a scan: the smallest boards have as many.
const PROBE_LOCKS: u8 = 8;

/// The read every board of a family answers, sensors or not.
fn probe(family: Family) -> Request {
    if codec(family).capabilities().reads_outputs { Request::Relays } else { Request::Status }
}

fn without_value<T>(heard: Option<Heard>) -> Answered<T> {
    match heard {
        Some(Heard::Refused(refusal)) => Answered::Refused(refusal),
        _ => Answered::Silent,
    }
}

fn skip_unsupported<T>(result: Result<T, ToolError>) -> Result<Option<T>, ToolError> {
    match result {
        Err(ToolError::Unsupported(_)) => Ok(None),
        other => other.map(Some),
    }
}

async fn ask(
    line: &mut Line,
    family: Family,
    call: &Call,
    wait: Duration,
) -> Result<(Option<Heard>, Tally), ToolError> {
    let codec = codec(family);
    let frame = codec.encode(call)?;
    line.send(&frame).await.map_err(|not_sent| not_sent.gone)?;
    let received = line.receive(codec, call, wait).await;
    let heard = received.heard?;
    if heard.is_none() {
        // A late reply must not look like the next address's.
        tokio::time::sleep(wait).await;
    }
    Ok((heard, received.tally))
}
