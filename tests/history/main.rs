//! Checked histories of the running binary: many devices at once over real HTTP, with `kill -9` in
//! the middle; then it is asked whether any order of what happened explains every answer.
//!
//! A test program of its own, which runs when the others are done: it takes what a core gives.
//! `docs/guide/proofs.md` tells how it works and how to run it with 64 devices and many seeds. A
//! history that fails says its seed; the same seed makes the same choices, though not the same
//! timing. The checker must be able to fail: `judged` shows it each kind of wrong history, and
//! `mutants` (a test build) three wrong programs.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

#[path = "../it"]
mod it {
    #[expect(dead_code, reason = "what the other tests need of it")]
    pub mod support;
}

mod checker;
mod client;
mod judged;
#[cfg(feature = "mutants")]
mod mutants;
mod partition;
mod record;
mod rental;
mod run;
mod server;

use it::support;
use run::{Counts, Shape, make};

/// Histories, each with its own server, at the same time.
const AT_ONCE: u64 = 4;

/// Histories when nobody asks for more.
const SEEDS: u64 = 4;

/// Devices when nobody asks for more.
const CLIENTS: u64 = 16;

/// A number from the environment, for runs by hand.
fn asked(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number"))
}

/// What all histories had together, and what was wrong with any.
#[derive(Default)]
struct Tally {
    sum: Counts,
    wrong: String,
}

impl Tally {
    fn add(&mut self, seed: u64, counts: Counts, verdict: Result<(), String>) {
        self.sum.requests += counts.requests;
        self.sum.granted += counts.granted;
        self.sum.met_dead += counts.met_dead;
        self.sum.expired += counts.expired;
        self.sum.unknown += counts.unknown;
        if let Err(story) = verdict {
            let _ = writeln!(self.wrong, "seed {seed}: {story}");
        }
    }
}

/// Figures for whoever runs this by hand.
#[expect(clippy::print_stdout, reason = "shown by --nocapture alone")]
fn tell(figures: &str) {
    println!("{figures}");
}

/// The next seed below `end`.
fn one_of(next: &AtomicU64, end: u64) -> Option<u64> {
    let seed = next.fetch_add(1, Ordering::Relaxed);
    (seed < end).then_some(seed)
}

#[test]
fn no_answer_of_a_whole_history_contradicts_another_whatever_was_killed() {
    let seeds = asked("LOCKERD_HISTORY_SEEDS", SEEDS);
    let first = asked("LOCKERD_HISTORY_FIRST", 1);
    let clients = usize::try_from(asked("LOCKERD_HISTORY_CLIENTS", CLIENTS)).expect("few");
    let (next, tally) = (AtomicU64::new(first), Mutex::new(Tally::default()));
    let began = Instant::now();
    let work = || {
        while let Some(seed) = one_of(&next, first + seeds) {
            let (counts, verdict) = match make(&Shape::whole(clients), seed, None) {
                Ok((made, counts)) => (counts, made.verdict()),
                Err(strange) => (Counts::default(), Err(strange)),
            };
            tally.lock().expect("no panic").add(seed, counts, verdict);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(seeds) {
            scope.spawn(work);
        }
    });
    let tally = tally.into_inner().expect("no panic");
    assert!(tally.wrong.is_empty(), "{}", tally.wrong);
    tell(&format!("{seeds} seeds, {clients} devices, {:?}: {:?}", began.elapsed(), tally.sum));
    let each = usize::try_from(seeds).expect("few");
    let Counts { requests, granted, met_dead, expired, unknown } = tally.sum;
    // Far below what a busy machine gets done: a history with hardly anything in it proves nothing.
    assert!(requests > 500 * each && granted > 50 * each, "too thin: {:?}", tally.sum);
    assert!(met_dead > each && expired >= each, "hardly a hold died: {:?}", tally.sum);
    assert!(unknown > 0, "nothing was cut off: {:?}", tally.sum);
}
