//! The semester rush over HTTP, against the real program in a process of its own.
//!
//! Run it with `cargo bench --bench rush`; `-- --help` shows the options, and
//! `docs/guide/benchmarks.md` says what each figure means. It fails when verification finds that a
//! locker was given twice or an acknowledged claim is missing.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

#[path = "rush/client.rs"]
mod client;
#[path = "rush/crowd.rs"]
mod crowd;
#[path = "rush/figures.rs"]
mod figures;
#[path = "rush/limits.rs"]
mod limits;
#[path = "rush/process.rs"]
mod process;
#[path = "rush/profile.rs"]
mod profile;
#[path = "rush/raw.rs"]
mod raw;
#[path = "rush/report.rs"]
mod report;
#[path = "rush/run.rs"]
mod run;
#[path = "rush/server.rs"]
mod server;
#[path = "rush/usage.rs"]
mod usage;
#[path = "rush/verify.rs"]
mod verify;

use crowd::Pick;
use report::{Report, say, say_outcome};
use run::{Outcome, Place, Plan};
use server::Size;

/// Body that stands for the list when the list itself was not measured, in bytes.
const BODY_BYTES: usize = 53_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    Blind,
    Known,
    ListFirst,
    Cycles,
    Lists,
    /// An empty handler, a prepared body, SQLite alone.
    Peers,
    All,
}

/// How many students get a locker in a second, and what it costs.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the command line")]
struct Options {
    /// What to run.
    #[arg(long, value_enum, default_value = "all")]
    scenario: Scenario,
    /// Fresh servers for each rush.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Keep-alive connections.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=512))]
    connections: u16,
    /// Send an Idempotency-Key with each hold and confirm.
    #[arg(long)]
    idempotency: bool,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
    /// A few seconds with small numbers: shows that it runs, the figures mean nothing.
    #[arg(long)]
    quick: bool,
    /// Lockers of the site (1 to 4800); twice as many students.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=4_800))]
    lockers: u16,
    /// Have perf record the server during each rush, into this directory.
    #[arg(long, value_name = "DIR")]
    perf: Option<PathBuf>,
    /// Serve a prepared body of this size instead of measuring.
    #[arg(long, hide = true)]
    serve_body_bytes: Option<usize>,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    fn plan(&self) -> Plan {
        let (size, rounds, window) = if self.quick {
            (Size { lockers: 100, students: 200 }, 1, Duration::from_millis(300))
        } else {
            let lockers = usize::from(self.lockers);
            let size = Size { lockers, students: 2 * lockers };
            (size, self.rounds, Duration::from_secs(3))
        };
        let connections = usize::from(self.connections);
        Plan {
            size,
            connections,
            rounds,
            window,
            idempotency: self.idempotency,
            perf: self.perf.clone(),
        }
    }

    fn wants(&self, scenario: Scenario) -> bool {
        self.scenario == Scenario::All || self.scenario == scenario
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let Some(body_bytes) = options.serve_body_bytes {
        return limits::serve(body_bytes);
    }
    let plan = options.plan();
    let mut report = Report { sync_ms: run::sync_ms()?, ..Report::default() };
    if !options.json {
        say(&format!(
            "{} lockers, {} students, {} connections; a sync of 4 KiB takes {:.2} ms",
            plan.size.lockers, plan.size.students, plan.connections, report.sync_ms
        ))?;
    }
    rushes(&options, &plan, &mut report)?;
    if options.wants(Scenario::Cycles) {
        keep(&options, &mut report, run::cycles(&plan)?)?;
    }
    if options.wants(Scenario::Lists) {
        let (outcomes, bytes) = run::lists(&plan)?;
        report.list_bytes = Some(bytes);
        for outcome in outcomes {
            keep(&options, &mut report, outcome)?;
        }
    }
    if options.wants(Scenario::Peers) {
        report.limits = limits::measure(&plan, report.list_bytes.unwrap_or(BODY_BYTES))?;
        for claims_per_commit in [1, 64] {
            report.raw.push(raw::measure(claims_per_commit, plan.window)?);
        }
    }
    if options.json {
        say(&serde_json::to_string(&report)?)?;
    } else if options.wants(Scenario::Peers) {
        say("\nlimits of this machine, with the same client:")?;
        report.say_limits()?;
    }
    anyhow::ensure!(report.is_clean(), "verification found problems");
    Ok(())
}

fn rushes(options: &Options, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let rushes = [
        (Scenario::Blind, "blind", Pick::Blind, Place::Demo),
        (Scenario::Known, "known", Pick::Known, Place::Demo),
        (Scenario::Known, "known (serve, no boards)", Pick::Known, Place::Serve),
        (Scenario::ListFirst, "list-first", Pick::ListFirst, Place::Demo),
    ];
    for (scenario, name, pick, place) in rushes {
        if options.wants(scenario) {
            keep(options, report, run::rush(name, pick, place, plan)?)?;
        }
    }
    Ok(())
}

fn keep(options: &Options, report: &mut Report, outcome: Outcome) -> anyhow::Result<()> {
    if !options.json {
        say_outcome(&outcome)?;
    }
    report.outcomes.push(outcome);
    Ok(())
}
