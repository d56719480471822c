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

/// One thing to be asked of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// In which protocol.
    pub family: Family,
    /// Of whom, and what.
    pub call: Call,
    /// How long the answer may take, counted from the end of the request.
    pub wait: Duration,
    /// How long to listen on after an answer: a second one tells of two boards with one address.
    pub linger: Duration,
    /// Another speed than the port's own.
    pub baud: Option<u32>,
}

impl Question {
    /// A question at the port's own speed that ends with its first answer.
    #[must_use]
    pub const fn new(family: Family, call: Call, wait: Duration) -> Self {
        Self { family, call, wait, linger: Duration::ZERO, baud: None }
    }
}

/// A question that waits for its turn.
#[derive(Debug)]
pub(in crate::bus) struct ToolAsk {
    pub(in crate::bus) question: Question,
    pub(in crate::bus) frame: Frame,
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
    /// Bytes that came after the reply, while it was listened on.
    pub extra: usize,
}

impl Port {
    /// Asks the oldest waiting question.
    pub(super) async fn ask_for_tool(&mut self, line: &mut Line) -> Result<(), Gone> {
        self.last_was_tool = true;
        let Some(ask) = self.tools.pop_front() else { return Ok(()) };
        if ask.answer.is_closed() {
            return Ok(());
        }
        let Question { family, call, wait, .. } = ask.question;
        let own_baud = self.config.baud;
        let baud = ask.question.baud.unwrap_or(own_baud);
        let own_gap = self.config.gap();
        line.set_gap(own_gap.max(gap(baud, None, std::iter::once(family))));
        line.set_baud(baud)?;
        let (received, extra, sent_at) = exchange(line, &ask.question, &ask.frame).await?;
        let configured = self.boards.iter().position(|board| {
            board.config.address == call.address && board.config.family == family
        });
        let exchanged = Exchanged::new(sent_at, ask.frame.bytes(), &received);
        self.shared.lock().keep(configured.filter(|_| baud == own_baud), exchanged);
        // A late reply must fall into silence, and the last byte must be out before the speed changes.
        let late =
            if received.heard.as_ref().is_ok_and(Option::is_none) { wait } else { Duration::ZERO };
        self.rest_until = line.free_at() + late;
        line.set_gap(own_gap);
        if baud != own_baud {
            tokio::time::sleep_until(self.rest_until.into()).await;
            line.set_baud(own_baud)?;
        }
        // Whoever asked may have left.
        let _ = ask.answer.send(answer(received, extra)?);
        Ok(())
    }
}

/// Sends a question, waits for its answer and listens on as long as is wished.
pub(in crate::bus) async fn exchange(
    line: &mut Line,
    question: &Question,
    frame: &Frame,
) -> Result<(Received, usize, Instant), Gone> {
    let sent_at = line.send(frame).await.map_err(|not_sent| not_sent.gone)?;
    let codec = codec(question.family);
    let received = line.receive(codec, &question.call, question.wait).await;
    let answered = matches!(received.heard, Ok(Some(_)));
    let extra = if answered { line.linger(question.linger).await? } else { 0 };
    Ok((received, extra, sent_at))
}

/// What whoever asked is told.
pub(in crate::bus) fn answer(received: Received, extra: usize) -> Result<ToolAnswer, Gone> {
    let Received { heard, tally, raw, after } = received;
    Ok(ToolAnswer { heard: heard?, tally, rx: raw, after, extra })
}
