//! The figures as text for people and as JSON for programs, beside those of the older server.

use std::io::Write;

use serde::Serialize;

use crate::limits::Limit;
use crate::raw::Raw;
use crate::run::Outcome;

/// What the older server, written in Go over `PostgreSQL` and Redis, reached on a machine of two
/// cores, the client among them.
struct Older {
    name: &'static str,
    per_s: f64,
    server_cpu_ms: Option<f64>,
}

const OLDER: [Older; 5] = [
    Older { name: "blind", per_s: 1_059.0, server_cpu_ms: Some(1.52) },
    Older { name: "known", per_s: 1_774.0, server_cpu_ms: Some(0.99) },
    Older { name: "list-first", per_s: 426.0, server_cpu_ms: Some(3.76) },
    Older { name: "cycles", per_s: 1_469.0, server_cpu_ms: None },
    Older { name: "lists", per_s: 1_948.0, server_cpu_ms: None },
];

/// Threads that cost less for each unit are left out of the text, milliseconds.
const SHOWN_MS_MIN: f64 = 0.000_1;

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Mean time of a sync of 4 KiB at the disk, milliseconds.
    pub sync_ms: f64,
    /// The scenarios.
    pub outcomes: Vec<Outcome>,
    /// Size of the list of all lockers, in bytes.
    pub list_bytes: Option<usize>,
    /// Servers that do nothing.
    pub limits: Vec<Limit>,
    /// SQLite alone.
    pub raw: Vec<Raw>,
}

/// Prints a line.
pub fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

impl Report {
    /// Whether verification found nothing.
    pub fn is_clean(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.problems.is_empty())
    }

    /// The limits and how near the lists come to them.
    pub fn say_limits(&self) -> std::io::Result<()> {
        for limit in &self.limits {
            say(&format!(
                "{:<16} {:>9.0} requests/s   server {:.4} ms, client {:.4} ms CPU a request   \
                 p99 {:.2} ms",
                limit.name, limit.per_s, limit.server_cpu_ms, limit.client_cpu_ms, limit.p99_ms
            ))?;
        }
        for raw in &self.raw {
            say(&format!(
                "SQLite alone     {:>9.0} claims/s with {} a commit",
                raw.per_s, raw.claims_per_commit
            ))?;
        }
        let lists = self.outcomes.iter().find(|outcome| outcome.name == "lists");
        let body = self.limits.iter().find(|limit| limit.name == "prepared body");
        if let (Some(lists), Some(body), Some(bytes)) = (lists, body, self.list_bytes) {
            say(&format!(
                "a list has {bytes} bytes; lists reach {:.0} % of a prepared body of that size",
                100.0 * lists.per_s / body.per_s
            ))?;
        }
        Ok(())
    }
}

/// Prints the figures of one scenario.
pub fn say_outcome(outcome: &Outcome) -> std::io::Result<()> {
    let Outcome { name, unit, per_s, .. } = outcome;
    say(&format!(
        "\n{name}: {per_s:.0} {unit}s/s   ({} {unit}s, {} rounds{}; {:.0} requests/s, {} refused)",
        outcome.done,
        outcome.per_s_by_round.len(),
        spread(&outcome.per_s_by_round),
        outcome.requests_per_s,
        outcome.refused
    ))?;
    if let Some(older) = OLDER.iter().find(|older| name.split(' ').next() == Some(older.name))
        && !name.ends_with("unchanged")
    {
        let cpu = older.server_cpu_ms.map_or_else(String::new, |cpu_ms| {
            format!("; {cpu_ms} ms CPU: {:.1} times less", cpu_ms / outcome.server_cpu_ms)
        });
        let times = per_s / older.per_s;
        say(&format!("  older server: {:.0} {unit}s/s: {times:.1} times{cpu}", older.per_s))?;
    }
    let threads: Vec<String> = outcome
        .server_cpu_ms_by_thread
        .iter()
        .filter(|(_, cpu_ms)| **cpu_ms >= SHOWN_MS_MIN)
        .map(|(name, cpu_ms)| format!("{name} {cpu_ms:.4}"))
        .collect();
    say(&format!(
        "  CPU a {unit}: server {:.4} ms ({}), client {:.4} ms; idle server {:.3} cores",
        outcome.server_cpu_ms,
        threads.join(", "),
        outcome.client_cpu_ms,
        outcome.idle_cores
    ))?;
    say(&format!(
        "  memory at most {:.1} MiB; at the disk {:.1} kB a {unit}",
        outcome.peak_rss_mib,
        outcome.disk_bytes / 1e3
    ))?;
    for (kind, latency) in &outcome.latencies {
        say(&format!(
            "  {:<14} {:>8}   p50 {:>7.2}   p99 {:>7.2}   max {:>7.2} ms",
            format!("{kind:?}"),
            latency.count,
            latency.p50_ms,
            latency.p99_ms,
            latency.max_ms
        ))?;
    }
    if outcome.problems.is_empty() {
        return say("  verified: in order");
    }
    outcome.problems.iter().try_for_each(|problem| say(&format!("  PROBLEM: {problem}")))
}

fn spread(by_round: &[f64]) -> String {
    if by_round.len() < 2 {
        return String::new();
    }
    let least = by_round.iter().copied().fold(f64::INFINITY, f64::min);
    let most = by_round.iter().copied().fold(0.0, f64::max);
    format!(" of {least:.0} to {most:.0}")
}
