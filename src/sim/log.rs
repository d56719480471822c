//! Bounded records of the simulator: every byte with its time, and every broken rule.
//!
//! Old entries fall out; the counts go on. `world.rs` owns one [`Log`] and turns its entries into
//! the records of `report.rs` on request.

use std::collections::VecDeque;
use std::fmt::Write as _;

use super::report::{ByteRecord, Direction, Violation};

/// Byte records kept, all buses together.
pub const BYTE_RECORDS_MAX: usize = 20_000;
/// Violations kept; later ones are only counted.
pub const VIOLATIONS_MAX: usize = 1_000;

#[derive(Debug)]
struct ByteEntry {
    seq: u64,
    bus: usize,
    direction: Direction,
    at_us: u64,
    bytes: Box<[u8]>,
}

/// The two records.
#[derive(Debug, Default)]
pub(super) struct Log {
    bytes: VecDeque<ByteEntry>,
    last_seq: u64,
    violations: Vec<Violation>,
    /// All violations, also those no longer kept.
    pub(super) violation_count: u64,
}

impl Log {
    /// Notes bytes that went over the bus with this index.
    pub(super) fn note_bytes(&mut self, bus: usize, direction: Direction, at_us: u64, b: &[u8]) {
        if self.bytes.len() >= BYTE_RECORDS_MAX {
            self.bytes.pop_front();
        }
        self.last_seq += 1;
        let entry = ByteEntry { seq: self.last_seq, bus, direction, at_us, bytes: b.into() };
        self.bytes.push_back(entry);
    }

    /// Notes a broken rule. The first ones are kept: they are nearest to the cause.
    pub(super) fn note_violation(&mut self, violation: Violation) {
        self.violation_count += 1;
        tracing::warn!(
            area = "sim",
            bus = violation.bus,
            kind = ?violation.kind,
            "rule broken: {}",
            violation.detail
        );
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(violation);
        }
    }

    /// The violations kept, by time.
    pub(super) fn violations(&self) -> Vec<Violation> {
        let mut all = self.violations.clone();
        all.sort_by_key(|violation| violation.at_us);
        all
    }

    /// Up to `limit` byte records after number `after`, oldest first.
    pub(super) fn bytes(&self, after: u64, limit: usize, names: &[&str]) -> Vec<ByteRecord> {
        let from = self.bytes.partition_point(|entry| entry.seq <= after);
        let record = |entry: &ByteEntry| ByteRecord {
            seq: entry.seq,
            bus: names.get(entry.bus).copied().unwrap_or_default().to_owned(),
            direction: entry.direction,
            at_us: entry.at_us,
            hex: hex(&entry.bytes),
        };
        self.bytes.iter().skip(from).take(limit).map(record).collect()
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
