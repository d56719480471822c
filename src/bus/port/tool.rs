//! Questions of a technician on a port that is in use: one transaction each, between two polls.
//!
//! Openings still go first and wait for at most one of them. A question may be asked at another speed
//! and in another family than the port's own; both are set back before anything else is sent.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Port;
use crate::bus::codec::{Call, Frame, codec};
use crate::bus::config::gap;
use crate::bus::health::Exchanged;
use crate::bus::scanner::{Heard, Tally};
use crate::bus::transaction::{Gone, Line, Received};
use crate::domain::channel::Family;

/// Questions that may wait on one port.
pub(in crate::bus) const TOOLS_WAITING_MAX: usize = 8;

/// One question to one address.
#[derive(Debug)]
pub(in crate::bus) struct ToolAsk {
    pub(in crate::bus) family: Family,
    pub(in crate::bus) call: Call,
    pub(in crate::bus) frame: Frame,
    pub(in crate::bus) wait: Duration,
    /// Another speed than the port's own.
    pub(in crate::bus) baud: Option<u32>,
    pub(in crate::bus) answer: oneshot::Sender<ToolAnswer>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolAnswer {
    /// The reply or refusal; `None` when the deadline passed.
    pub heard: Option<Heard>,
    /// What else was on the line.
    pub tally: Tally,
    /// All bytes heard, at most 64.
    pub rx: Vec<u8>,
    /// From the end of the request to the end of the reply.
    pub after: Option<Duration>,
}

impl Port {
    /// Asks the oldest waiting question.
    pub(super) async fn ask_for_tool(&mut self, line: &mut Line) -> Result<(), Gone> {
        self.last_was_tool = true;
        let Some(ask) = self.tools.pop_front() else { return Ok(()) };
        if ask.answer.is_closed() {
            return Ok(());
        }
        let own_baud = self.config.baud;
        let baud = ask.baud.unwrap_or(own_baud);
        let own_gap = self.config.gap();
        line.set_gap(own_gap.max(gap(baud, None, std::iter::once(ask.family))));
        line.set_baud(baud)?;
        let (received, sent_at) = exchange(line, &ask).await?;
        let configured = self.boards.iter().position(|board| {
            board.config.address == ask.call.address && board.config.family == ask.family
        });
        let exchanged = Exchanged::new(sent_at, ask.frame.bytes(), &received);
        self.shared.lock().keep(configured.filter(|_| baud == own_baud), exchanged);
        // A late reply must fall into silence, and the last byte must be out before the speed changes.
        let late = if received.heard.as_ref().is_ok_and(Option::is_none) {
            ask.wait
        } else {
            Duration::ZERO
        };
        self.rest_until = line.free_at() + late;
        line.set_gap(own_gap);
        if baud != own_baud {
            tokio::time::sleep_until(self.rest_until.into()).await;
            line.set_baud(own_baud)?;
        }
        let Received { heard, tally, raw, after } = received;
        let answer = ToolAnswer { heard: heard?, tally, rx: raw, after };
        // Whoever asked may have left.
        let _ = ask.answer.send(answer);
        Ok(())
    }
}

async fn exchange(line: &mut Line, ask: &ToolAsk) -> Result<(Received, Instant), Gone> {
    let sent_at = line.send(&ask.frame).await.map_err(|not_sent| not_sent.gone)?;
    Ok((line.receive(codec(ask.family), &ask.call, ask.wait).await, sent_at))
}
