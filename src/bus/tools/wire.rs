//! A line that questions can be asked on, whoever owns its port.
//!
//! A port of our own is opened at the first question and keeps the line's manners itself; on a port that
//! the server uses each question is one transaction between two polls. After a question that nobody
//! answered both rest as long as its answer could have taken, so that a late one falls into silence.

use std::time::Duration;

use crate::bus::codec::{Call, codec};
use crate::bus::config::{EchoSetting, PortAddress, gap};
use crate::bus::port::tool::{answer, exchange};
use crate::bus::tools::ToolError;
use crate::bus::transaction::Line;
use crate::bus::{Bus, Question, ToolAnswer, Unsupported};
use crate::domain::channel::{BusName, Family};

/// Where questions are asked.
pub struct Wire {
    make: Make,
    echo_bytes: u64,
}

enum Make {
    Own { port: PortAddress, line: Option<Line> },
    Shared { bus: Bus, name: BusName },
}

impl Wire {
    /// A port that nobody else uses; opened at the first question.
    #[must_use]
    pub const fn own(port: PortAddress) -> Self {
        Self { make: Make::Own { port, line: None }, echo_bytes: 0 }
    }

    /// A port of the running server.
    #[must_use]
    pub const fn shared(bus: Bus, name: BusName) -> Self {
        Self { make: Make::Shared { bus, name }, echo_bytes: 0 }
    }

    /// Whether the adapter was heard to repeat our own requests.
    #[must_use]
    pub const fn has_echo(&self) -> bool {
        self.echo_bytes > 0
    }

    /// Asks one thing at one speed; refuses what could move a lock.
    pub async fn ask(&mut self, question: Question, baud: u32) -> Result<ToolAnswer, ToolError> {
        let question = Question { baud: Some(baud), ..question };
        let answered = match &mut self.make {
            Make::Own { port, line } => ask_alone(port, line, &question, baud).await?,
            Make::Shared { bus, name } => bus.ask(name, question).await?,
        };
        self.echo_bytes += u64::from(answered.tally.echo_bytes);
        Ok(answered)
    }

    /// The same where an address or a command that the family does not know is no error: `None`.
    pub(super) async fn ask_if_known(
        &mut self,
        family: Family,
        call: Call,
        (wait, linger): (Duration, Duration),
        baud: u32,
    ) -> Result<Option<ToolAnswer>, ToolError> {
        let question = Question { linger, ..Question::new(family, call, wait) };
        match self.ask(question, baud).await {
            Err(ToolError::Unsupported(_)) => Ok(None),
            answered => answered.map(Some),
        }
    }
}

async fn ask_alone(
    port: &PortAddress,
    open: &mut Option<Line>,
    question: &Question,
    baud: u32,
) -> Result<ToolAnswer, ToolError> {
    if question.call.request.moves_a_lock() {
        return Err(Unsupported::Command(question.family).into());
    }
    let frame = codec(question.family).encode(&question.call)?;
    let gap = gap(baud, None, std::iter::once(question.family));
    let mut line = match open.take() {
        Some(line) => line,
        None => Line::open(port, baud, gap, EchoSetting::Auto).await?,
    };
    line.set_gap(gap);
    // The last byte must be out before the speed changes.
    tokio::time::sleep_until(line.free_at().into()).await;
    line.set_baud(baud)?;
    let (received, extra, _) = exchange(&mut line, question, &frame).await?;
    let answered = answer(received, extra)?;
    if answered.heard.is_none() {
        tokio::time::sleep(question.wait).await;
    }
    // A line that failed was dropped on the way: the next question opens the port anew.
    *open = Some(line);
    Ok(answered)
}
