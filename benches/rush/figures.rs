//! Counting and rounding: latencies by kind of request, what a phase has cost, per-unit figures.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::usage::Usage;

/// Longest latency that is told apart, in microseconds; longer ones count as this.
const LATENCY_US_MAX: u64 = 60_000_000;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `POST …/hold`.
    Hold,
    /// `POST …/confirm`.
    Confirm,
    /// `POST …/release`.
    Release,
    /// `GET /lockers`.
    List,
    /// `GET /lockers` with the newest tag.
    ListUnchanged,
    /// Whatever a server of `limits.rs` answers.
    Plain,
}

/// Latencies by kind of request.
#[derive(Debug, Clone, Default)]
pub struct Timings(BTreeMap<Kind, Histogram<u64>>);

impl Timings {
    /// Notes one request.
    pub fn record(&mut self, kind: Kind, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(LATENCY_US_MAX);
        self.of(kind).saturating_record(took_us);
    }

    /// Adds those of another round.
    pub fn add(&mut self, other: &Self) {
        for (kind, histogram) in &other.0 {
            self.of(*kind).add(histogram).expect("all have the same bounds");
        }
    }

    /// All requests, of whatever kind.
    pub fn count(&self) -> u64 {
        self.0.values().map(Histogram::len).sum()
    }

    /// The figures of each kind.
    pub fn latencies(&self) -> BTreeMap<Kind, Latency> {
        self.0.iter().map(|(kind, histogram)| (*kind, Latency::of(histogram))).collect()
    }

    fn of(&mut self, kind: Kind) -> &mut Histogram<u64> {
        self.0.entry(kind).or_insert_with(|| {
            Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).expect("the bounds are in order")
        })
    }
}

/// Latencies of one kind of request, in milliseconds, as the client sees them.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    /// Requests.
    pub count: u64,
    /// Half of them are faster.
    pub p50_ms: f64,
    /// One in a hundred is slower.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            count: histogram.len(),
            p50_ms: number(histogram.value_at_quantile(0.5)) / 1_000.0,
            p99_ms: number(histogram.value_at_quantile(0.99)) / 1_000.0,
            max_ms: number(histogram.max()) / 1_000.0,
        }
    }
}

/// What a phase has taken.
#[derive(Debug, Clone, Default)]
pub struct Spent {
    /// From the first request to the last answer.
    pub wall: Duration,
    /// By the server.
    pub server: Usage,
    /// CPU time of the client, nanoseconds.
    pub client_cpu_ns: u64,
}

impl Spent {
    /// Adds what another round has taken.
    pub fn add(&mut self, other: &Self) {
        self.wall += other.wall;
        self.server.add(&other.server);
        self.client_cpu_ns += other.client_cpu_ns;
    }
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts here stay far below 2^52")]
pub const fn number(count: u64) -> f64 {
    count as f64
}

/// A length as a number to calculate with.
pub fn length(count: usize) -> f64 {
    number(u64::try_from(count).unwrap_or(u64::MAX))
}

/// `amount` for each of `count`; 0 when there are none.
pub fn each(amount: f64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { amount / number(count) }
}
