//! Giving a board another address over the wire, where its family can.
//!
//! The write goes to the address that every board listens to, so with two boards connected both would
//! take it, and they could not be told apart any more. [`guard`] therefore asks first, by the same
//! address and at every single one, and only a line with exactly one board passes. [`set`] reads back
//! what the board made of it: some listen to the new address only after their power was cycled.

use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::bus::Question;
use crate::bus::codec::{ADDRESS_ANY, Call, Reply, Request, codec};
use crate::bus::scanner::Heard;
use crate::bus::tools::scan::PROBE_LOCKS;
use crate::bus::tools::sharing::{ASKED, Sharing, is_broken, probe, sharing};
use crate::bus::tools::{ToolError, Wire};
use crate::domain::channel::Family;

/// How often the write is tried when nothing is heard of it.
const WRITES_MAX: u8 = 2;

/// Which board is to have which address.
#[derive(Debug, Clone)]
pub struct AddressPlan {
    /// The line's baud rate.
    pub baud: u32,
    /// The board's family.
    pub family: Family,
    /// The address it is to have.
    pub new: u8,
    /// Addresses of this family that the configuration lists on this line; empty where none is known.
    pub configured: Vec<u8>,
    /// How long a board may take to answer, in milliseconds.
    pub reply_timeout_ms: u32,
}

/// Why no address was set. Nothing was written, except where it says so.
#[derive(Debug, thiserror::Error)]
pub enum AddressRefused {
    /// The line.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The family's address is a matter of switches.
    #[error("{}", switches(*.0))]
    Switches(Family),
    /// Nobody answered.
    #[error("no {family} board answered at {baud} baud: check power, wiring and speed")]
    Nobody {
        /// The family asked for.
        family: Family,
        /// The speed it was asked at.
        baud: u32,
    },
    /// Several boards are connected.
    #[error("several boards answer ({0}): connect only the one that is to get the address")]
    Several(String),
    /// Another board belongs to the line; silent just now, it would take the write all the same.
    #[error(
        "the configuration lists other {0} boards on this bus ({1}), which would take the address too: \
         disconnect them, then stop the server and use `lockerd bus address`"
    )]
    Configured(Family, String),
    /// It was cancelled before anything was written.
    #[error("cancelled; nothing was written")]
    Cancelled,
    /// It was written, and the board did not take it.
    #[error("the board was told, but still says that its address is {0}")]
    NotTaken(u8),
    /// It was written, and nothing was heard afterwards.
    #[error("the board was told and is silent now: switch its power off and on and scan again")]
    SilentAfter,
}

/// How a board's address is set where no command does it.
fn switches(family: Family) -> String {
    let can = codec(family).capabilities();
    let (first, last) = (can.address_first, can.address_last);
    format!(
        "a {family} board's address is set by its switches, not by command: switch its power off, set \
         the DIP or rotary switch to a number from {first} to {last} that no other board has, switch \
         it on and run `lockerd bus scan`"
    )
}

/// What became of a new address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressSet {
    /// The board answers at its new address.
    Done,
    /// It keeps the new address, and answers there after its power was cycled.
    AfterPowerCycle,
}

impl AddressPlan {
    fn wait(&self) -> Duration {
        Duration::from_millis(u64::from(self.reply_timeout_ms))
    }

    fn to_any(&self, request: Request) -> Question {
        let call = Call::new(ADDRESS_ANY, PROBE_LOCKS, request);
        Question::new(self.family, call, self.wait())
    }

    /// Demands that the configuration knows no board of the family besides the one at `own`, which may
    /// also stand there with the address that it is to get.
    fn demand_no_other(&self, own: Option<u8>) -> Result<(), AddressRefused> {
        let is_it = |address: &u8| own.is_none_or(|own| *address == own || *address == self.new);
        if self.configured.len() < 2 && self.configured.iter().all(is_it) {
            return Ok(());
        }
        let others = self.configured.iter().filter(|it| Some(**it) != own);
        let list: Vec<_> = others.map(|it| format!("address {it}")).collect();
        Err(AddressRefused::Configured(self.family, list.join(", ")))
    }

    fn probe_at(&self, address: u8) -> Call {
        Call::new(address, PROBE_LOCKS, probe(self.family))
    }
}

/// Demands that exactly one board is connected; returns its address. Writes nothing.
///
/// Boards that keep silent to the common address, and boards of other families, are not seen by the
/// first question; the walk over all addresses of the family sees the former. Boards that are silent
/// to both are known by the configuration alone.
pub async fn guard(
    wire: &mut Wire,
    plan: &AddressPlan,
    stop: &CancellationToken,
    mut tell: impl FnMut(u8),
) -> Result<u8, AddressRefused> {
    let can = codec(plan.family).capabilities();
    if !can.sets_address {
        return Err(AddressRefused::Switches(plan.family));
    }
    // Refuses an address that no board can have before anything is asked.
    codec(plan.family)
        .encode(&plan.to_any(Request::SetAddress { new: plan.new }).call)
        .map_err(ToolError::from)?;
    plan.demand_no_other(None)?;
    let own = ask_common(wire, plan).await?;
    plan.demand_no_other(Some(own))?;
    let mut others = Vec::new();
    for address in can.address_first..=can.address_last {
        if stop.is_cancelled() {
            return Err(AddressRefused::Cancelled);
        }
        tell(address);
        let question = Question::new(plan.family, plan.probe_at(address), plan.wait());
        let answer = wire.ask(question, plan.baud).await?;
        if address != own && (answer.heard.is_some() || is_broken(&answer)) {
            others.push(format!("address {address}"));
        }
    }
    if !others.is_empty() {
        let list = format!("address {own}, {}", others.join(", "));
        return Err(AddressRefused::Several(list));
    }
    let timing = (plan.wait(), plan.baud);
    let judged = sharing(wire, plan.family, plan.probe_at(own), timing).await?;
    if matches!(judged, Sharing::Suspected { .. }) {
        return Err(AddressRefused::Several(format!("address {own}: {judged}")));
    }
    Ok(own)
}

/// Asks whoever is there for its address, several times: two boards contradict or garble each other.
async fn ask_common(wire: &mut Wire, plan: &AddressPlan) -> Result<u8, AddressRefused> {
    let mut told: Vec<u8> = Vec::new();
    let mut broken = 0_u8;
    for _ in 0..ASKED {
        let answer = wire.ask(plan.to_any(Request::ReadAddress), plan.baud).await?;
        broken += u8::from(is_broken(&answer));
        match answer.heard {
            Some(Heard::Reply { reply: Reply::Address(own), .. }) if !told.contains(&own) => {
                told.push(own);
            }
            _ => {}
        }
    }
    match told[..] {
        [own] if broken < 2 => Ok(own),
        [] if broken == 0 => Err(AddressRefused::Nobody { family: plan.family, baud: plan.baud }),
        _ => {
            let list: Vec<_> = told.iter().map(|own| format!("address {own}")).collect();
            let list = if list.is_empty() { vec!["several at once".to_owned()] } else { list };
            Err(AddressRefused::Several(format!("{}; {broken} garbled answers", list.join(", "))))
        }
    }
}

/// Writes the new address to the one board that [`guard`] found, and reads back what became of it.
/// Once it was written, `stop` comes too late.
pub async fn set(
    wire: &mut Wire,
    plan: &AddressPlan,
    stop: &CancellationToken,
) -> Result<AddressSet, AddressRefused> {
    if stop.is_cancelled() {
        return Err(AddressRefused::Cancelled);
    }
    for _ in 0..WRITES_MAX {
        wire.ask(plan.to_any(Request::SetAddress { new: plan.new }), plan.baud).await?;
        // Its answer is byte for byte the request, so that only what it says afterwards counts.
        let question = Question::new(plan.family, plan.probe_at(plan.new), plan.wait());
        if wire.ask(question, plan.baud).await?.heard.is_some() {
            return Ok(AddressSet::Done);
        }
        let told = wire.ask(plan.to_any(Request::ReadAddress), plan.baud).await?.heard;
        match told {
            Some(Heard::Reply { reply: Reply::Address(own), .. }) if own == plan.new => {
                return Ok(AddressSet::AfterPowerCycle);
            }
            Some(Heard::Reply { reply: Reply::Address(own), .. }) => {
                return Err(AddressRefused::NotTaken(own));
            }
            _ => {}
        }
    }
    Err(AddressRefused::SilentAfter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::config::PortAddress;

    fn plan(new: u8, configured: &[u8]) -> AddressPlan {
        AddressPlan {
            baud: 9_600,
            family: Family::ModbusRelay,
            new,
            configured: configured.to_vec(),
            reply_timeout_ms: 20,
        }
    }

    #[tokio::test]
    async fn a_write_that_was_cancelled_before_it_asks_nothing() {
        let port: PortAddress = "/dev/there-is-no-such-port".parse().expect("valid");
        let (mut wire, stop) = (Wire::own(port), CancellationToken::new());
        let refused = set(&mut wire, &plan(3, &[]), &stop).await.expect_err("no port");
        assert!(matches!(refused, AddressRefused::Tool(_)), "{refused}");
        stop.cancel();
        let refused = set(&mut wire, &plan(3, &[]), &stop).await.expect_err("cancelled");
        assert!(matches!(refused, AddressRefused::Cancelled), "{refused}");
    }

    #[test]
    fn a_board_that_the_configuration_lists_counts_though_it_is_silent() {
        let passes = |new, configured: &[u8], own| {
            let plan = plan(new, configured);
            plan.demand_no_other(None).and_then(|()| plan.demand_no_other(Some(own))).is_ok()
        };
        assert!(passes(3, &[], 1), "none is known");
        assert!(passes(3, &[1], 1), "it is the one");
        assert!(passes(3, &[3], 1), "it stands there as it is to be");
        assert!(!passes(3, &[2], 1), "another one");
        assert!(!passes(3, &[1, 3], 1), "two");
        assert!(!passes(3, &[1, 2], 1), "two");
        let why = plan(3, &[1, 2]).demand_no_other(Some(1)).expect_err("two").to_string();
        assert!(why.contains("(address 2)"), "{why}");
    }
}
