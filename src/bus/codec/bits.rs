//! One bit for each lock of a board, as inputs, outputs and masks.
//!
//! Bit 0 is lock 1; a lock number of 0 or beyond 64 has no bit. Families put the bytes they received
//! into the order of [`LockBits::from_wire`] before they build one.

use std::fmt;

/// The last lock that has a bit.
const LOCK_LAST: u8 = 64;

/// One bit for each lock of a board; bit 0 is lock 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LockBits(u64);

impl LockBits {
    /// No bit set.
    pub const NONE: Self = Self(0);

    /// Takes bytes in wire order: the lowest bit of the first byte is lock 1. At most 8 bytes count.
    #[must_use]
    pub fn from_wire(bytes: &[u8]) -> Self {
        let bits = bytes.iter().take(8).rev().fold(0, |bits, byte| (bits << 8) | u64::from(*byte));
        Self(bits)
    }

    /// The bits of locks 1 to `locks`.
    #[must_use]
    pub fn first(locks: usize) -> Self {
        (1..=64_u8).take(locks).collect()
    }

    /// The bit of one lock, counted from 1; false beyond the last.
    #[must_use]
    pub fn lock(self, lock: u8) -> bool {
        (1..=64).contains(&lock) && (self.0 >> (lock - 1)) & 1 == 1
    }

    /// The locks of the first `locks` whose bit is set.
    pub fn set_locks(self, locks: u8) -> impl Iterator<Item = u8> {
        (1..=locks).filter(move |lock| self.lock(*lock))
    }

    /// The bits that are set in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Each bit the other way.
    #[must_use]
    pub const fn not(self) -> Self {
        Self(!self.0)
    }

    /// Whether no bit is set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<u8> for LockBits {
    /// Sets the bits of these locks, counted from 1; others have none.
    fn from_iter<T: IntoIterator<Item = u8>>(locks: T) -> Self {
        let bit = |lock: u8| if (1..=64).contains(&lock) { 1 << (lock - 1) } else { 0 };
        Self(locks.into_iter().fold(0, |bits, lock| bits | bit(lock)))
    }
}

/// Lock numbers for people: `1, 3-8` or `none`.
impl fmt::Display for LockBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        let mut lock = 1;
        while lock <= LOCK_LAST {
            let run = (lock..=LOCK_LAST).take_while(|it| self.lock(*it)).count();
            let Ok(run @ 1..) = u8::try_from(run) else {
                lock += 1;
                continue;
            };
            match run {
                1 => write!(f, "{before}{lock}")?,
                _ => write!(f, "{before}{lock}-{}", lock + run - 1)?,
            }
            before = ", ";
            lock += run;
        }
        f.write_str(if before.is_empty() { "none" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_lock_numbers_and_runs_of_them() {
        let text = |locks: &[u8]| locks.iter().copied().collect::<LockBits>().to_string();
        assert_eq!(text(&[]), "none");
        assert_eq!(text(&[1, 3, 4, 5, 48, 64]), "1, 3-5, 48, 64");
        assert_eq!(LockBits::first(16).to_string(), "1-16");
        assert_eq!(LockBits::NONE.not().to_string(), "1-64");
    }
}
