//! What has happened so far, counted by all threads.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Breaches that are told in words.
const BREACHES_MAX: usize = 20;

/// The counts.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Openings by outcome.
    outcomes: BTreeMap<String, u64>,
    /// Operation ids that the server has accepted, with the outcome that it told.
    accepted: BTreeMap<String, String>,
    refused: u64,
    second_pulses: u64,
    pulses: u64,
    /// Faults that were set, by kind.
    faults: BTreeMap<String, u64>,
    unplugs: u64,
    kills: u64,
    breaches: Vec<String>,
    breach_count: u64,
}

impl Tally {
    fn with<T>(&self, work: impl FnOnce(&mut Counts) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An opening has its outcome.
    pub fn opening(&self, id: &str, outcome: &str, pulses: u64, sent_again: bool) {
        self.with(|counts| {
            *counts.outcomes.entry(outcome.to_owned()).or_default() += 1;
            counts.accepted.insert(id.to_owned(), outcome.to_owned());
            counts.pulses += pulses;
            counts.second_pulses += u64::from(sent_again);
        });
    }

    /// A request was refused: the lock cools down, or too much is waiting.
    pub fn refused(&self) {
        self.with(|counts| counts.refused += 1);
    }

    /// A fault was set.
    pub fn fault(&self, kind: &str) {
        self.with(|counts| *counts.faults.entry(kind.to_owned()).or_default() += 1);
    }

    /// An adapter was pulled.
    pub fn unplug(&self) {
        self.with(|counts| counts.unplugs += 1);
    }

    /// The server was killed.
    pub fn kill(&self) {
        self.with(|counts| counts.kills += 1);
    }

    /// Something that must never happen.
    pub fn breach(&self, words: String) {
        self.with(|counts| {
            counts.breach_count += 1;
            if counts.breaches.len() < BREACHES_MAX {
                counts.breaches.push(words);
            }
        });
    }

    /// Everything that must never have happened.
    pub fn breaches(&self) -> Vec<String> {
        self.with(|counts| {
            let mut words = counts.breaches.clone();
            let more = counts.breach_count.saturating_sub(words.len() as u64);
            if more > 0 {
                words.push(format!("and {more} more"));
            }
            words
        })
    }

    /// Every accepted opening with the outcome that was told.
    pub fn accepted(&self) -> BTreeMap<String, String> {
        self.with(|counts| counts.accepted.clone())
    }

    /// Pulses that were seen during openings.
    pub fn pulses(&self) -> u64 {
        self.with(|counts| counts.pulses)
    }

    /// How it stands, in one line.
    pub fn line(&self, elapsed: Duration) -> String {
        self.with(|counts| {
            let all: u64 = counts.outcomes.values().sum();
            let outcomes: Vec<String> =
                counts.outcomes.iter().map(|(name, count)| format!("{name} {count}")).collect();
            format!(
                "{:>5} s: {all} openings ({}), {} pulses, {} of them second ones, {} refused; \
                 {} faults, {} unplugs, {} kills, {} breaches",
                elapsed.as_secs(),
                outcomes.join(", "),
                counts.pulses,
                counts.second_pulses,
                counts.refused,
                counts.faults.values().sum::<u64>(),
                counts.unplugs,
                counts.kills,
                counts.breach_count,
            )
        })
    }

    /// The faults by kind, in one line.
    pub fn faults(&self) -> String {
        self.with(|counts| {
            let kinds = counts.faults.iter().map(|(kind, count)| format!("{kind} {count}"));
            kinds.collect::<Vec<_>>().join(", ")
        })
    }
}
