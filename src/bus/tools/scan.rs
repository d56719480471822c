//! Which boards are on a line, at which speed, of which family, with which address.
//!
//! Every pair of baud rate and family is tried, the usual pairs first, with the one harmless read that
//! all boards of the family answer; only an intact reply of that family counts. Broadcast questions are
//! left out: a board that ignores them would be missed, and several that answer would collide. What was
//! heard without being a reply is reported by speed and address: noise, or two boards in one voice.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::bus::codec::{Call, codec};
use crate::bus::config::BAUDS;
use crate::bus::scanner::Heard;
use crate::bus::tools::sharing::{Sharing, is_broken, probe, sharing};
use crate::bus::tools::{ToolError, Wire};
use crate::domain::channel::Family;

/// Locks asked about in a scan: the smallest boards have as many.
pub(super) const PROBE_LOCKS: u8 = 8;
/// Addresses at one speed that are looked at again when only noise came from them. More of them, or more
/// than half of those asked, are a wrong speed or a bad line, not boards that share an address.
const NOISY_MAX: usize = 8;
/// Speeds that are tried when none are given, in this order.
pub const BAUDS_TRIED: [u32; 4] = [9_600, 19_200, 38_400, 115_200];

/// What a scan tries: every baud rate with every family at every address.
#[derive(Debug, Clone)]
pub struct ScanPlan {
    /// Baud rates to try, in order.
    pub bauds: Vec<u32>,
    /// Families to try.
    pub families: Vec<Family>,
    /// First and last address; addresses a family does not know are skipped.
    pub addresses: RangeInclusive<u8>,
    /// How long each board may take to answer, in milliseconds.
    pub reply_timeout_ms: u32,
}

impl ScanPlan {
    /// Every family at the usual speeds, those that adapters cannot make left out.
    #[must_use]
    pub fn new(bauds: &[u32], families: &[Family], addresses: RangeInclusive<u8>) -> Self {
        let all =
            |given: &[u32]| if given.is_empty() { BAUDS_TRIED.to_vec() } else { given.to_vec() };
        let mut bauds = all(bauds);
        bauds.retain(|baud| BAUDS.contains(baud));
        let families = if families.is_empty() { Family::ALL.to_vec() } else { families.to_vec() };
        Self { bauds, families, addresses, reply_timeout_ms: 60 }
    }

    fn wait(&self) -> Duration {
        Duration::from_millis(u64::from(self.reply_timeout_ms))
    }

    /// The pairs in the order they are tried: what comes out of the box first.
    fn pairs(&self) -> Vec<(u32, Family)> {
        let all =
            || self.bauds.iter().flat_map(|baud| self.families.iter().map(move |it| (*baud, *it)));
        let usual = |pair: &(u32, Family)| pair.0 == usual_baud(pair.1);
        all().filter(usual).chain(all().filter(|pair| !usual(pair))).collect()
    }

    fn addresses_of(&self, family: Family) -> RangeInclusive<u8> {
        let can = codec(family).capabilities();
        let (first, last) = (*self.addresses.start(), *self.addresses.end());
        first.max(can.address_first)..=last.min(can.address_last)
    }

    fn total(&self) -> usize {
        self.pairs().iter().map(|(_, family)| self.addresses_of(*family).count()).sum()
    }
}

/// The speed boards of a family are delivered with (protocol notes 0).
const fn usual_baud(family: Family) -> u32 {
    match family {
        Family::KerongCu16 | Family::KerongCu48 | Family::KerongCu48Ir => 19_200,
        Family::ModbusRelay | Family::XorBoard | Family::Wkly => 9_600,
    }
}

/// A board that answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundBoard {
    /// The baud rate it was found at.
    pub baud: u32,
    /// The family it answers as.
    pub family: Family,
    /// Its address.
    pub address: u8,
    /// Whether it seems to be alone at it; `None` when the scan was cancelled before that was asked.
    pub sharing: Option<Sharing>,
}

/// An address from which only noise came, time and again: perhaps two boards with one voice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Noisy {
    /// The baud rate.
    pub baud: u32,
    /// The family that was asked.
    pub family: Family,
    /// The address.
    pub address: u8,
    /// What repeated questions showed.
    pub sharing: Sharing,
}

/// Bytes at one speed that were no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Noise {
    /// The baud rate.
    pub baud: u32,
    /// Questions that got such bytes.
    pub questions: u32,
    /// How many bytes.
    pub bytes: u32,
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ScanReport {
    /// The boards, in the order they were found.
    pub boards: Vec<FoundBoard>,
    /// Addresses that two boards seem to share so thoroughly that neither is understood.
    pub noisy: Vec<Noisy>,
    /// Noise by speed: a board that speaks at another speed, or a bad line.
    pub noise: Vec<Noise>,
    /// The adapter hears its own requests.
    pub echo: bool,
    /// False when it was cancelled.
    pub finished: bool,
    /// Questions asked.
    pub asked: usize,
}

/// News of a scan under way.
#[derive(Debug)]
pub enum Progress<'a> {
    /// Another address was asked.
    Asked {
        /// How many questions of the scan are done.
        asked: usize,
        /// How many it has.
        total: usize,
    },
    /// A board answered.
    Found(&'a FoundBoard),
}

/// Looks for boards with read requests only; tells of each step at once. Ends early after `stop`.
pub async fn scan(
    wire: &mut Wire,
    plan: &ScanPlan,
    stop: &CancellationToken,
    mut tell: impl FnMut(Progress<'_>),
) -> Result<ScanReport, ToolError> {
    let mut report = ScanReport::default();
    let mut noisy = Vec::new();
    let total = plan.total();
    for (baud, family) in plan.pairs() {
        for address in plan.addresses_of(family) {
            if stop.is_cancelled() {
                report.echo = wire.has_echo();
                return Ok(report);
            }
            let call = Call::new(address, PROBE_LOCKS, probe(family));
            let timing = (plan.wait(), Duration::ZERO);
            let asked = wire.ask_if_known(family, call, timing, baud).await?;
            report.asked += 1;
            tell(Progress::Asked { asked: report.asked, total });
            let Some(answer) = asked else { continue };
            let answered = match answer.heard {
                Some(Heard::Reply { proven, .. }) => proven,
                Some(Heard::Refused(_)) => true,
                None => false,
            };
            if answered {
                let board = FoundBoard { baud, family, address, sharing: None };
                tell(Progress::Found(&board));
                report.boards.push(board);
            } else if is_broken(&answer) {
                report.hear_noise(baud, answer.tally.noise_bytes);
                noisy.push((baud, family, address));
            }
        }
    }
    report.look_again(wire, plan, stop, &noisy).await?;
    report.echo = wire.has_echo();
    Ok(report)
}

impl ScanReport {
    fn hear_noise(&mut self, baud: u32, bytes: u32) {
        if let Some(noise) = self.noise.iter_mut().find(|noise| noise.baud == baud) {
            noise.questions += 1;
            noise.bytes = noise.bytes.saturating_add(bytes);
        } else {
            self.noise.push(Noise { baud, questions: 1, bytes });
        }
    }

    /// Asks found boards and the few noisy addresses again, to tell one board from two.
    async fn look_again(
        &mut self,
        wire: &mut Wire,
        plan: &ScanPlan,
        stop: &CancellationToken,
        noisy: &[(u32, Family, u8)],
    ) -> Result<(), ToolError> {
        let call = |family, address| Call::new(address, PROBE_LOCKS, probe(family));
        for board in &mut self.boards {
            if stop.is_cancelled() {
                return Ok(());
            }
            let (family, timing) = (board.family, (plan.wait(), board.baud));
            let judged = sharing(wire, family, call(family, board.address), timing).await?;
            board.sharing = Some(judged);
        }
        for &(baud, family, address) in noisy {
            let at_speed = noisy.iter().filter(|it| it.0 == baud).count();
            let asked: usize = plan.families.iter().map(|it| plan.addresses_of(*it).count()).sum();
            if at_speed > NOISY_MAX || at_speed * 2 > asked {
                continue;
            }
            if stop.is_cancelled() {
                return Ok(());
            }
            let timing = (plan.wait(), baud);
            let judged = sharing(wire, family, call(family, address), timing).await?;
            if matches!(judged, Sharing::Suspected { .. }) {
                self.noisy.push(Noisy { baud, family, address, sharing: judged });
            }
        }
        self.finished = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_out_of_the_box_is_tried_first() {
        let plan = ScanPlan::new(&[], &[Family::KerongCu16, Family::ModbusRelay], 0..=20);
        let pairs = plan.pairs();
        assert_eq!(pairs[0], (9_600, Family::ModbusRelay));
        assert_eq!(pairs[1], (19_200, Family::KerongCu16));
        assert_eq!(pairs.len(), 8);
        assert_eq!(plan.total(), 4 * (20 + 15), "a family's own addresses only");
    }

    #[test]
    fn speeds_no_adapter_makes_are_left_out() {
        assert_eq!(ScanPlan::new(&[12_345, 9_600], &[], 0..=1).bauds, [9_600]);
    }
}
