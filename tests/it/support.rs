//! What the tests are made of: processes, sites, simulated boards and a small HTTP client.
//!
//! Nothing here decides whether the program is right; helpers panic with what they saw when a
//! test's own ground gives way. Every wait polls a condition and has a deadline.

use std::time::{Duration, Instant};

pub mod boards;
pub mod demo;
pub mod http;
pub mod inside;
pub mod live;
pub mod people;
pub mod process;
pub mod site;
pub mod smtp;

/// Longest wait for something that should take a moment, on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits until `look` gives a value; panics with `what` when it does not within [`PATIENCE`].
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A small repeatable source of choices: the same seed makes the same test.
pub struct Dice(u64);

impl Dice {
    /// Starts from a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        // splitmix64: short, and good enough to pick lockers.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from((mixed ^ (mixed >> 31)) % limit).unwrap_or(0)
    }
}
