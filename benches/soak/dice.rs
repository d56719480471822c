//! Choices that the same seed repeats; each actor has a sequence of its own.

use std::cell::Cell;

/// One actor's sequence (splitmix64).
pub struct Dice(Cell<u64>);

impl Dice {
    /// The sequence of an actor.
    pub fn new(seed: u64, actor: usize) -> Self {
        let actor = u64::try_from(actor).unwrap_or(u64::MAX);
        Self(Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ actor.rotate_left(32)))
    }

    fn next(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        let mixed = self.0.get();
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub fn below(&self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// One of several.
    pub fn pick<'a, T>(&self, from: &'a [T]) -> Option<&'a T> {
        let length = u64::try_from(from.len()).ok()?;
        from.get(usize::try_from(self.below(length)).ok()?)
    }

    /// True once in so many times.
    pub fn one_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }
}
