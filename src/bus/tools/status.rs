//! Everything one board tells when it is asked.

use std::time::Duration;

use crate::bus::Question;
use crate::bus::codec::{Call, LockBits, Refusal, Reply, Request, StatusOrder, Unsupported};
use crate::bus::scanner::Heard;
use crate::bus::tools::{ToolError, Wire};
use crate::domain::channel::Family;

/// One board to be read.
#[derive(Debug, Clone)]
pub struct StatusPlan {
    /// The line's baud rate.
    pub baud: u32,
    /// The board's family.
    pub family: Family,
    /// The board's address.
    pub address: u8,
    /// How many locks it drives.
    pub locks: u8,
    /// In which order it sends the bytes of its inputs, where that differs.
    pub status_order: StatusOrder,
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

/// Reads everything one board tells.
pub async fn status(wire: &mut Wire, plan: &StatusPlan) -> Result<BoardReport, ToolError> {
    let wait = Duration::from_millis(u64::from(plan.reply_timeout_ms));
    let mut report = BoardReport { inputs: None, items: None, relays: None, version: None };
    for request in [Request::Status, Request::Relays, Request::Version] {
        let call = Call::new(plan.address, plan.locks, request);
        let call = Call { status_order: plan.status_order, ..call };
        let asked = wire.ask(Question::new(plan.family, call, wait), plan.baud).await;
        let asked = match asked {
            // A wrong address or lock count is the caller's mistake; a missing command is not.
            Err(ToolError::Unsupported(Unsupported::Command(_))) => continue,
            asked => asked?.heard,
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
            (Request::Status, heard) => self.inputs = Some(without_value(heard)),
            (Request::Relays, heard) => self.relays = Some(without_value(heard)),
            (_, heard) => self.version = Some(without_value(heard)),
        }
    }
}

fn without_value<T>(heard: Option<Heard>) -> Answered<T> {
    match heard {
        Some(Heard::Refused(refusal)) => Answered::Refused(refusal),
        _ => Answered::Silent,
    }
}
