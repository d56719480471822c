//! Do two boards share an address? Asked of a board by asking it the same harmless thing several times.
//!
//! Two boards with one address answer together: their bytes collide and no checksum holds, or one is
//! slower and its answer comes behind the first. Two boards that say the very same bytes at the very same
//! moment look like one, and nothing on the line can tell them apart; [`Sharing::Alone`] therefore only
//! says that nothing spoke against it.

use std::time::Duration;

use serde::Serialize;

use crate::bus::ToolAnswer;
use crate::bus::codec::{Call, Request, codec};
use crate::bus::scanner::Heard;
use crate::bus::tools::{ToolError, Wire};
use crate::domain::channel::Family;

/// How often a board is asked.
pub const ASKED: u8 = 8;
/// Broken answers out of [`ASKED`] from which on a second board is suspected; one is a spark.
const BROKEN_MIN: u8 = 2;
/// How long a second answer is waited for.
const LINGER: Duration = Duration::from_millis(40);

/// Whether one address is one board, as far as the line can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Sharing {
    /// All answers were whole, single and alike.
    Alone,
    /// Answers came broken, twice or differently.
    Suspected {
        /// Questions that got bytes but no whole answer, or one among noise.
        broken: u8,
        /// Answers behind which more bytes came.
        followed: u8,
        /// Whole answers that differ from the first one while nobody touched anything.
        differing: u8,
    },
    /// It answered some questions only: a bad line rather than a second board.
    Unsteady {
        /// Questions without any answer.
        silent: u8,
    },
}

impl std::fmt::Display for Sharing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Alone => f.write_str("one board, as far as the line can tell"),
            Self::Suspected { broken, followed, differing } => write!(
                f,
                "two boards seem to share this address ({broken} broken, {followed} double and \
                 {differing} differing answers of {ASKED}): disconnect all but one and set its address"
            ),
            Self::Unsteady { silent } => write!(
                f,
                "{silent} of {ASKED} questions were not answered: check cable, termination and power"
            ),
        }
    }
}

/// The read that every board of a family answers, sensors or not.
pub(super) fn probe(family: Family) -> Request {
    if codec(family).capabilities().reads_outputs { Request::Relays } else { Request::Status }
}

/// Asks [`ASKED`] times and judges the answers together.
pub async fn sharing(
    wire: &mut Wire,
    family: Family,
    call: Call,
    (wait, baud): (Duration, u32),
) -> Result<Sharing, ToolError> {
    let mut answers = Vec::with_capacity(usize::from(ASKED));
    for _ in 0..ASKED {
        if let Some(answer) = wire.ask_if_known(family, call, (wait, LINGER), baud).await? {
            answers.push(answer);
        }
    }
    Ok(judge(&answers))
}

/// Whether bytes came that are part of no whole answer and not our own.
pub(super) fn is_broken(answer: &ToolAnswer) -> bool {
    let tally = &answer.tally;
    tally.noise_bytes > 0 || tally.bad_checksum > 0
}

fn judge(answers: &[ToolAnswer]) -> Sharing {
    let count = |is: &dyn Fn(&ToolAnswer) -> bool| {
        u8::try_from(answers.iter().filter(|answer| is(answer)).count()).unwrap_or(u8::MAX)
    };
    let replies = |answer: &ToolAnswer| match answer.heard {
        Some(Heard::Reply { reply, .. }) => Some(reply),
        _ => None,
    };
    let first = answers.iter().find_map(replies);
    let whole = |answer: &&ToolAnswer| answer.heard.is_some() && !is_broken(answer);
    let length = answers.iter().filter(whole).map(|answer| answer.rx.len()).min();
    let broken = count(&is_broken);
    // A second answer may also arrive in the same read as the first.
    let longer = |answer: &ToolAnswer| length.is_some_and(|length| answer.rx.len() > length);
    let followed = count(&|answer| {
        answer.heard.is_some() && !is_broken(answer) && (answer.extra > 0 || longer(answer))
    });
    let differing = count(&|answer| replies(answer).is_some_and(|reply| Some(reply) != first));
    let silent = count(&|answer| answer.heard.is_none() && !is_broken(answer));
    if broken >= BROKEN_MIN || followed >= BROKEN_MIN || differing >= BROKEN_MIN {
        Sharing::Suspected { broken, followed, differing }
    } else if silent >= BROKEN_MIN {
        Sharing::Unsteady { silent }
    } else {
        Sharing::Alone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::codec::{LockBits, Reply};
    use crate::bus::scanner::Tally;

    fn answer(bits: &[u8]) -> ToolAnswer {
        let reply = Reply::Relays(LockBits::from_wire(bits));
        ToolAnswer {
            heard: Some(Heard::Reply { reply, proven: true }),
            tally: Tally::default(),
            rx: vec![0; 6],
            after: Some(Duration::from_millis(4)),
            extra: 0,
        }
    }

    fn garbled() -> ToolAnswer {
        let tally = Tally { noise_bytes: 6, bad_checksum: 1, ..Tally::default() };
        ToolAnswer { heard: None, tally, after: None, ..answer(&[0]) }
    }

    fn silent() -> ToolAnswer {
        ToolAnswer { heard: None, after: None, rx: Vec::new(), ..answer(&[0]) }
    }

    /// Eight answers, the last `count` of them odd.
    fn eight(count: usize, odd: &ToolAnswer) -> Vec<ToolAnswer> {
        let odd_from = usize::from(ASKED) - count;
        (0..usize::from(ASKED))
            .map(|at| if at < odd_from { answer(&[0]) } else { odd.clone() })
            .collect()
    }

    #[test]
    fn whole_single_and_equal_answers_are_one_board_and_a_spark_is_forgiven() {
        assert_eq!(judge(&eight(0, &garbled())), Sharing::Alone);
        assert_eq!(judge(&eight(1, &garbled())), Sharing::Alone);
        assert_eq!(judge(&eight(1, &silent())), Sharing::Alone);
    }

    #[test]
    fn collisions_double_answers_and_contradictions_are_suspected() {
        let suspected =
            |broken, followed, differing| Sharing::Suspected { broken, followed, differing };
        assert_eq!(judge(&eight(2, &garbled())), suspected(2, 0, 0));
        assert_eq!(judge(&eight(8, &garbled())), suspected(8, 0, 0));
        let late = ToolAnswer { extra: 6, ..answer(&[0]) };
        assert_eq!(judge(&eight(3, &late)), suspected(0, 3, 0));
        let coalesced = ToolAnswer { rx: vec![0; 12], ..answer(&[0]) };
        assert_eq!(judge(&eight(3, &coalesced)), suspected(0, 3, 0));
        assert_eq!(judge(&eight(4, &answer(&[1]))), suspected(0, 0, 4));
    }

    #[test]
    fn silence_now_and_then_is_a_bad_line_and_no_second_board() {
        assert_eq!(judge(&eight(3, &silent())), Sharing::Unsteady { silent: 3 });
    }
}
