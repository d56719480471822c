//! Reads raw bytes aloud for a person with a bus analyser or a log.
//!
//! Unlike the parsers it does not wait for a certain reply: it names every frame of the family,
//! requests and replies, skips and reports what stands before the first one, and says exactly why
//! bytes are rejected. [`Explanation::error`] is `None` exactly when the integrity of the given bytes
//! holds: leading rubbish is forgiven, a broken frame or bytes behind the last one are not.

use crate::bus::codec::hex;
use crate::bus::{kerong, modbus_relay, wkly, xor_board};
use crate::domain::channel::Family;

/// Most bytes that are explained at once; a longer input is refused.
pub const EXPLAIN_BYTES_MAX: usize = 4_096;

/// Who would have sent a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The master asked.
    Request,
    /// A board answered.
    Reply,
    /// Request and reply are the same bytes.
    RequestOrReply,
}

impl Direction {
    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Reply => "reply",
            Self::RequestOrReply => "request, or the identical reply",
        }
    }
}

/// One intact frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedFrame {
    /// Where it begins in the given bytes.
    pub offset: usize,
    /// The frame itself.
    pub bytes: Vec<u8>,
    /// Who would have sent it.
    pub direction: Direction,
    /// What it says, in words.
    pub meaning: String,
}

/// What the given bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// The intact frames, in order.
    pub frames: Vec<ExplainedFrame>,
    /// Bytes before the first frame, or before the broken one when none is intact.
    pub leading: Vec<u8>,
    /// Why the bytes are rejected; `None` when their integrity holds.
    pub error: Option<String>,
}

/// How a family's frames are told apart without knowing what was asked.
pub(super) trait Dissect {
    /// Lengths a frame that begins here may have, in the order they are believed when several hold;
    /// empty when none can begin here.
    fn lengths(&self, rest: &[u8]) -> Vec<usize>;
    /// Why no frame begins here although it looks like the head of one.
    fn misfit(&self, _rest: &[u8]) -> Option<String> {
        None
    }
    /// Whether a frame whose integrity fails is surely one, and not noise that happens to begin so.
    fn is_shaped(&self, _frame: &[u8]) -> bool {
        true
    }
    /// What is wrong with the integrity of this whole frame.
    fn fault(&self, frame: &[u8]) -> Option<String>;
    /// Who would have sent an intact frame, and what it says.
    fn describe(&self, frame: &[u8]) -> (Direction, String);
}

/// What begins at one offset.
enum Found {
    Frame(usize),
    Broken { length: usize, why: String },
    Truncated(String),
    Misfit(String),
    Nothing,
}

/// Names every frame in `bytes`, or says why not.
#[must_use]
pub fn explain(family: Family, bytes: &[u8]) -> Explanation {
    let dissector: &dyn Dissect = match family {
        Family::ModbusRelay => &modbus_relay::explain::Dissector,
        Family::XorBoard => &xor_board::explain::Dissector,
        Family::KerongCu16 => &kerong::explain::CU16_FRAMES,
        Family::KerongCu48 => &kerong::explain::CU48_FRAMES,
        Family::KerongCu48Ir => &kerong::explain::CU48_IR_FRAMES,
        Family::Wkly => &wkly::explain::Dissector,
    };
    if bytes.is_empty() || bytes.len() > EXPLAIN_BYTES_MAX {
        let error = format!("give 1 to {EXPLAIN_BYTES_MAX} bytes, not {}", bytes.len());
        return Explanation { error: Some(error), ..Explanation::default() };
    }
    let Some(first) = next_frame(dissector, bytes, 0) else {
        return nothing_intact(dissector, family, bytes);
    };
    let ends = whole_from(dissector, bytes);
    let mut explanation = Explanation {
        leading: bytes[..first].to_vec(),
        error: broken_within(dissector, bytes, first),
        frames: Vec::new(),
    };
    let mut at = first;
    while at < bytes.len() {
        match look(dissector, &bytes[at..]) {
            Found::Frame(likeliest) => {
                let mut intact = intact_lengths(dissector, &bytes[at..]);
                let length = intact.find(|length| ends[at + length]).unwrap_or(likeliest);
                let frame = &bytes[at..at + length];
                let (direction, meaning) = dissector.describe(frame);
                let bytes = frame.to_vec();
                explanation.frames.push(ExplainedFrame { offset: at, bytes, direction, meaning });
                at += length;
            }
            other => {
                let why = format!("behind the frames, at byte {}: {}", at + 1, says(&other));
                explanation.error.get_or_insert(why);
                let Some(next) = next_frame(dissector, bytes, at) else { break };
                at = next;
            }
        }
    }
    explanation
}

/// For each place, whether everything from there on is intact frames: of two ways to cut the bytes,
/// the one that leaves no rest is right.
fn whole_from(dissector: &dyn Dissect, bytes: &[u8]) -> Vec<bool> {
    let mut whole = vec![true; bytes.len() + 1];
    for at in (0..bytes.len()).rev() {
        whole[at] = intact_lengths(dissector, &bytes[at..]).any(|length| whole[at + length]);
    }
    whole
}

/// Lengths at which an intact frame begins here, in the order they are believed.
fn intact_lengths(dissector: &dyn Dissect, rest: &[u8]) -> impl Iterator<Item = usize> {
    let intact = move |length: &usize| {
        rest.get(..*length).is_some_and(|frame| dissector.fault(frame).is_none())
    };
    dissector.lengths(rest).into_iter().filter(intact)
}

/// Where the next intact frame begins, at or after `from`.
fn next_frame(dissector: &dyn Dissect, bytes: &[u8], from: usize) -> Option<usize> {
    (from..bytes.len()).find(|at| matches!(look(dissector, &bytes[*at..]), Found::Frame(_)))
}

/// A whole but broken frame among the leading bytes is more than noise.
fn broken_within(dissector: &dyn Dissect, bytes: &[u8], end: usize) -> Option<String> {
    (0..end).find_map(|at| match look(dissector, &bytes[at..]) {
        Found::Broken { length, why }
            if at + length <= end && dissector.is_shaped(&bytes[at..at + length]) =>
        {
            Some(format!("before the first intact frame, at byte {}: {why}", at + 1))
        }
        _ => None,
    })
}

fn nothing_intact(dissector: &dyn Dissect, family: Family, bytes: &[u8]) -> Explanation {
    let mut looks = (0..bytes.len()).map(|at| (at, look(dissector, &bytes[at..])));
    let starts = looks.find(|(_, found)| !matches!(found, Found::Nothing));
    let (leading, why) = match starts {
        Some((at, found)) => (&bytes[..at], says(&found)),
        None => (bytes, format!("no {family} frame begins anywhere in {}", hex(bytes))),
    };
    Explanation { frames: Vec::new(), leading: leading.to_vec(), error: Some(why) }
}

fn says(found: &Found) -> String {
    match found {
        Found::Frame(length) => format!("an intact frame of {length} bytes"),
        Found::Broken { why, .. } | Found::Truncated(why) | Found::Misfit(why) => why.clone(),
        Found::Nothing => "no known frame begins here".to_owned(),
    }
}

fn look(dissector: &dyn Dissect, rest: &[u8]) -> Found {
    let lengths = dissector.lengths(rest);
    if let Some(length) = intact_lengths(dissector, rest).next() {
        return Found::Frame(length);
    }
    let whole: Vec<_> = lengths.iter().copied().filter(|length| *length <= rest.len()).collect();
    let exact = whole.iter().find(|length| **length == rest.len());
    let wanted: Vec<_> = lengths.iter().map(usize::to_string).collect();
    let truncated = format!("truncated: {} of {} bytes", rest.len(), wanted.join(" or "));
    if let Some(&length) = exact.or(whole.iter().max()) {
        let mut why = dissector.fault(&rest[..length]).unwrap_or_default();
        if exact.is_none() && whole.len() < lengths.len() {
            why = format!("{why}, or {truncated}");
        }
        return Found::Broken { length, why };
    }
    if lengths.is_empty() {
        return dissector.misfit(rest).map_or(Found::Nothing, Found::Misfit);
    }
    Found::Truncated(truncated)
}

/// Lock numbers for people: `1, 3` or `none`.
pub(super) fn list(locks: impl Iterator<Item = u8>) -> String {
    let numbers: Vec<_> = locks.map(|lock| lock.to_string()).collect();
    if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kerong(bytes: &[u8]) -> Explanation {
        explain(Family::KerongCu16, bytes)
    }

    #[test]
    fn leading_bytes_are_skipped_and_every_frame_is_named() {
        let bytes = [0xFA, 0xFD, 2, 0, 0x30, 3, 0x35, 2, 0, 0x35, 0, 0, 0, 0, 3, 0x3A];
        let said = kerong(&bytes);
        assert_eq!((said.error, said.leading), (None, vec![0xFA, 0xFD]));
        let offsets: Vec<_> = said.frames.iter().map(|frame| frame.offset).collect();
        assert_eq!(offsets, [2, 7]);
        assert_eq!(said.frames[0].direction, Direction::Request);
        assert_eq!(said.frames[1].direction, Direction::Reply);
    }

    #[test]
    fn rejection_says_exactly_why() {
        let cases: [(&[u8], &str); 5] = [
            (&[2, 0, 0x30, 3, 0x36], "bad sum: expected 35, found 36"),
            (&[2, 0, 0x35, 0, 0, 0, 0, 4, 0x3A], "end mark 03 missing at byte 8: found 04"),
            (&[2, 0, 0x35, 0, 0, 0, 0, 3], "truncated: 8 of 9 bytes"),
            (&[0x99, 0x98], "no kerong-cu16 frame begins anywhere"),
            (&[], "give 1 to"),
        ];
        for (bytes, why) in cases {
            let error = kerong(bytes).error.expect("rejected");
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_reply_that_lost_a_zero_byte_is_rejected_although_its_sum_holds() {
        let error = kerong(&[2, 0, 0x35, 0, 0, 0, 3, 0x3A]).error.expect("rejected");
        assert!(error.contains("8 of 9"), "{error}");
    }

    #[test]
    fn a_broken_frame_beside_an_intact_one_is_rejected() {
        let (good, bad) = ([2, 0, 0x30, 3, 0x35], [2, 0, 0x30, 3, 0x36]);
        for bytes in [[good, bad].concat(), [bad, good].concat(), [good, bad, good].concat()] {
            let said = kerong(&bytes);
            assert!(said.error.expect("rejected").contains("bad sum"), "{}", hex(&bytes));
            assert!(!said.frames.is_empty());
        }
    }

    #[test]
    fn of_two_ways_to_cut_the_bytes_the_one_without_a_rest_is_right() {
        let lengths = |bytes: &[u8]| -> Vec<usize> {
            let said = explain(Family::XorBoard, bytes);
            assert_eq!(said.error, None);
            said.frames.iter().map(|frame| frame.bytes.len()).collect()
        };
        // Five bytes of it are an intact frame too, but then two would be left over.
        assert_eq!(lengths(&[0x80, 1, 1, 0, 0x80, 0x33, 0x33]), [7]);
        // Question and answer together have the shape of one long answer.
        let question = [0x80, 1, 0, 0x33, 0xB2];
        let answer = [0x80, 1, 0, 0, 2, 0x33, 0xB0];
        assert_eq!(lengths(&[&question[..], &answer].concat()), [5, 7]);
    }

    #[test]
    fn a_head_without_the_shape_of_a_frame_is_noise_like_any_other() {
        let noise = [0x80, 0x77, 0x12, 0x34, 0x56, 0x8A];
        let said = explain(Family::XorBoard, &[&noise[..], &[0x80, 1, 1, 0x11, 0x91]].concat());
        assert_eq!((said.error, said.leading), (None, noise.to_vec()));
        let broken = [0x80, 1, 1, 0x11, 0x90];
        let said = explain(Family::XorBoard, &[&broken[..], &[0x80, 1, 1, 0x11, 0x91]].concat());
        assert!(said.error.expect("rejected").contains("expected 91, found 90"));
    }

    #[test]
    fn a_command_nobody_knows_holds_by_its_check() {
        let known_by_none: [(Family, &[u8]); 3] = [
            (Family::KerongCu48, &[2, 0, 0, 0x44, 3, 0x49]),
            (Family::XorBoard, &[0x80, 1, 1, 0x44, 0xC4]),
            (Family::Wkly, b"WKLY\x09\x00\x99\x01\x98"),
        ];
        for (family, bytes) in known_by_none {
            let said = explain(family, bytes);
            assert_eq!((said.error, said.frames.len()), (None, 1), "{family}");
            let meaning = &said.frames[0].meaning;
            assert!(meaning.contains("not known") || meaning.contains("unknown"), "{meaning}");
        }
    }

    #[test]
    fn an_unknown_modbus_function_with_a_good_checksum_holds() {
        let mut bytes = vec![1, 0x11];
        bytes.extend(modbus_relay::checksum(&bytes));
        let said = explain(Family::ModbusRelay, &bytes);
        assert_eq!(said.error, None);
        assert!(said.frames[0].meaning.contains("function 11"), "{}", said.frames[0].meaning);
    }
}
