//! Bounded records of the simulator: every byte, fault and broken rule with its time.
//!
//! One ring of numbered events; the violations are also kept apart, because they must not fall
//! out, and counted by kind. `world.rs` owns one [`Log`] and turns its entries into the records of
//! `report.rs` on request.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use super::fault::FaultKind;
use super::report::{BoardPlace, ByteRecord, Direction, Event, Strike, Violation, ViolationKind};

/// Events kept, all buses together.
pub const BYTE_RECORDS_MAX: usize = 20_000;
/// Violations kept; later ones are only counted.
pub const VIOLATIONS_MAX: usize = 1_000;

#[derive(Debug)]
struct Entry {
    seq: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    Bytes { bus: usize, direction: Direction, at_us: u64, bytes: Box<[u8]> },
    Strike(Box<Strike>),
    Violation(Box<Violation>),
}

/// The records.
#[derive(Debug, Default)]
pub(super) struct Log {
    events: VecDeque<Entry>,
    last_seq: u64,
    violations: Vec<Violation>,
    /// All violations, also those no longer kept.
    pub(super) violation_count: u64,
    /// The same by kind.
    pub(super) counts: BTreeMap<ViolationKind, u64>,
}

impl Log {
    fn note(&mut self, what: What) {
        if self.events.len() >= BYTE_RECORDS_MAX {
            self.events.pop_front();
        }
        self.last_seq += 1;
        self.events.push_back(Entry { seq: self.last_seq, what });
    }

    /// Notes bytes that went over the bus with this index.
    pub(super) fn note_bytes(&mut self, bus: usize, direction: Direction, at_us: u64, b: &[u8]) {
        self.note(What::Bytes { bus, direction, at_us, bytes: b.into() });
    }

    /// Notes a fault that struck a request.
    pub(super) fn note_strike(
        &mut self,
        at_us: u64,
        place: BoardPlace,
        command: u8,
        fault: FaultKind,
    ) {
        self.note(What::Strike(Box::new(Strike { at_us, place, command, fault })));
    }

    /// Notes a broken rule. The first ones are kept: they are nearest to the cause.
    pub(super) fn note_violation(&mut self, violation: Violation) {
        self.violation_count += 1;
        *self.counts.entry(violation.kind).or_default() += 1;
        tracing::warn!(
            area = "sim",
            bus = violation.bus,
            kind = ?violation.kind,
            "rule broken: {}",
            violation.detail
        );
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(violation.clone());
        }
        self.note(What::Violation(Box::new(violation)));
    }

    /// The violations kept, by time.
    pub(super) fn violations(&self) -> Vec<Violation> {
        let mut all = self.violations.clone();
        all.sort_by_key(|violation| violation.at_us);
        all
    }

    /// Up to `limit` byte records after number `after`, oldest first.
    pub(super) fn bytes(&self, after: u64, limit: usize, names: &[&str]) -> Vec<ByteRecord> {
        let record = |entry: &Entry| match event(entry, names) {
            Event::Bytes(record) => Some(record),
            _ => None,
        };
        self.after(after).filter_map(record).take(limit).collect()
    }

    /// Up to `limit` events after number `after` with their numbers, oldest first.
    pub(super) fn events(&self, after: u64, limit: usize, names: &[&str]) -> Vec<(u64, Event)> {
        self.after(after).map(|entry| (entry.seq, event(entry, names))).take(limit).collect()
    }

    fn after(&self, after: u64) -> impl Iterator<Item = &Entry> {
        let from = self.events.partition_point(|entry| entry.seq <= after);
        self.events.iter().skip(from)
    }
}

fn event(entry: &Entry, names: &[&str]) -> Event {
    match &entry.what {
        What::Bytes { bus, direction, at_us, bytes } => Event::Bytes(ByteRecord {
            seq: entry.seq,
            bus: names.get(*bus).copied().unwrap_or_default().to_owned(),
            direction: *direction,
            at_us: *at_us,
            hex: hex(bytes),
        }),
        What::Strike(strike) => Event::Fault(Strike::clone(strike)),
        What::Violation(violation) => Event::Violation(Violation::clone(violation)),
    }
}

/// Bytes as upper-case pairs with single spaces.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for (n, byte) in bytes.iter().enumerate() {
        let space = if n == 0 { "" } else { " " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{space}{byte:02X}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::report::ViolationKind;

    #[test]
    fn the_byte_ring_is_bounded_and_pages_by_number() {
        let mut log = Log::default();
        for n in 0..BYTE_RECORDS_MAX as u64 + 10 {
            log.note_bytes(0, Direction::Rx, n, &[0x02, 0xAB]);
        }
        let all = log.bytes(0, usize::MAX, &["east"]);
        assert_eq!(all.len(), BYTE_RECORDS_MAX);
        assert_eq!((all[0].seq, all[0].hex.as_str()), (11, "02 AB"));
        let tail = log.bytes(all[all.len() - 3].seq, usize::MAX, &["east"]);
        assert_eq!(tail.len(), 2);
        assert_eq!(log.bytes(0, 5, &["east"]).len(), 5);
    }

    #[test]
    fn violations_are_bounded_but_counted() {
        let mut log = Log::default();
        for n in 0..VIOLATIONS_MAX as u64 + 5 {
            log.note_violation(Violation {
                at_us: 10_000 - n,
                kind: ViolationKind::TalkedOver,
                bus: "east".to_owned(),
                board: None,
                name: None,
                lock: None,
                detail: String::new(),
            });
        }
        let kept = log.violations();
        assert_eq!(kept.len(), VIOLATIONS_MAX);
        assert!(kept[0].at_us < kept[1].at_us);
        assert_eq!(log.violation_count, VIOLATIONS_MAX as u64 + 5);
    }
}
