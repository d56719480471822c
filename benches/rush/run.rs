//! Runs the scenarios against fresh servers and adds their rounds up.
//!
//! Everything the client does happens on one thread; connections stand before the clock starts.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;
use tokio::task::LocalSet;

use crate::client::Connection;
use crate::crowd::{Crowd, Pick, Tally};
use crate::figures::{Kind, Latency, Spent, Timings, each, length, number};
use crate::profile::Profile;
use crate::server::{Site, Size};
use crate::usage::{Usage, own_cpu_ns, peak_rss_bytes};
use crate::verify::{self, Findings};

/// How long a fresh server is watched doing nothing: what its boards cost is told apart.
const IDLE: Duration = Duration::from_millis(400);

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How large the site is.
    pub size: Size,
    /// Connections of the client.
    pub connections: usize,
    /// Fresh servers for each rush.
    pub rounds: u32,
    /// How long lists, cycles and the limits are driven.
    pub window: Duration,
    /// Whether holds and confirms carry an `Idempotency-Key`.
    pub idempotency: bool,
    /// Where profiles of the rushes go; none are made without it.
    pub perf: Option<PathBuf>,
}

/// The figures of a scenario.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Which scenario.
    pub name: String,
    /// What is counted: claim, cycle or request.
    pub unit: &'static str,
    /// How many were done, in all rounds together.
    pub done: u64,
    /// Units a second, all rounds together.
    pub per_s: f64,
    /// Units a second, by round.
    pub per_s_by_round: Vec<f64>,
    /// Requests a second.
    pub requests_per_s: f64,
    /// Holds refused because somebody else was faster.
    pub refused: u64,
    /// Server CPU for each unit, milliseconds.
    pub server_cpu_ms: f64,
    /// The same by thread name.
    pub server_cpu_ms_by_thread: BTreeMap<String, f64>,
    /// Cores that the server used while it did nothing, 0.01 being 10 ms a second.
    pub idle_cores: f64,
    /// Client CPU for each unit, milliseconds.
    pub client_cpu_ms: f64,
    /// Bytes at the disk for each unit.
    pub disk_bytes: f64,
    /// The most memory the server had resident, in MiB, in any round.
    pub peak_rss_mib: f64,
    /// Latencies as the client saw them.
    pub latencies: BTreeMap<Kind, Latency>,
    /// What verification found; empty: everything is in order.
    pub problems: Vec<String>,
}

/// Opens connections, runs `work` on each, and tells what it took.
pub fn drive<W, F>(
    pid: u32,
    address: SocketAddr,
    connections: usize,
    work: W,
) -> anyhow::Result<Spent>
where
    W: Fn(usize, Connection) -> F,
    F: Future<Output = anyhow::Result<()>> + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut opened = Vec::with_capacity(connections);
        for _ in 0..connections {
            opened.push(Connection::open(address).await.context("cannot connect")?);
        }
        let (usage, cpu_ns, started) = (Usage::of(pid)?, own_cpu_ns()?, Instant::now());
        let tasks: Vec<_> = opened
            .into_iter()
            .enumerate()
            .map(|(number, connection)| tokio::task::spawn_local(work(number, connection)))
            .collect();
        for task in tasks {
            task.await??;
        }
        Ok(Spent {
            wall: started.elapsed(),
            client_cpu_ns: own_cpu_ns()?.saturating_sub(cpu_ns),
            server: Usage::of(pid)?.since(&usage),
        })
    })
}

/// Rounds of one scenario, added up.
#[derive(Default)]
struct Sum {
    spent: Spent,
    idle: Spent,
    timings: Timings,
    done: u64,
    refused: u64,
    by_round: Vec<f64>,
    peak_rss_bytes: u64,
    problems: Vec<String>,
}

impl Sum {
    fn watch_idle(&mut self, site: &Site) -> anyhow::Result<()> {
        let (usage, started) = (Usage::of(site.pid())?, Instant::now());
        std::thread::sleep(IDLE);
        let server = Usage::of(site.pid())?.since(&usage);
        self.idle.add(&Spent { wall: started.elapsed(), server, client_cpu_ns: 0 });
        Ok(())
    }

    fn add(&mut self, spent: &Spent, tally: &Tally, done: u64) {
        self.spent.add(spent);
        self.timings.add(&tally.timings);
        self.done += done;
        self.refused += tally.refused;
        self.by_round.push(number(done) / spent.wall.as_secs_f64());
    }

    fn note_memory(&mut self, site: &Site) -> anyhow::Result<()> {
        self.peak_rss_bytes = self.peak_rss_bytes.max(peak_rss_bytes(site.pid())?);
        Ok(())
    }

    fn outcome(self, name: &str, unit: &'static str) -> Outcome {
        let Self { spent, idle, timings, done, .. } = self;
        let wall_s = spent.wall.as_secs_f64();
        let each_ms = |cpu_ns: u64| each(number(cpu_ns) / 1e6, done);
        let threads = spent.server.thread_cpu_ns.iter();
        Outcome {
            name: name.to_owned(),
            unit,
            done,
            per_s: number(done) / wall_s,
            per_s_by_round: self.by_round,
            requests_per_s: number(timings.count()) / wall_s,
            refused: self.refused,
            server_cpu_ms: each_ms(spent.server.cpu_ns()),
            server_cpu_ms_by_thread: threads
                .map(|(name, cpu_ns)| (name.clone(), each_ms(*cpu_ns)))
                .collect(),
            idle_cores: number(idle.server.cpu_ns()) / 1e9 / idle.wall.as_secs_f64().max(1e-9),
            client_cpu_ms: each_ms(spent.client_cpu_ns),
            disk_bytes: each(number(spent.server.disk_bytes), done),
            peak_rss_mib: number(self.peak_rss_bytes) / 1_048_576.0,
            latencies: timings.latencies(),
            problems: self.problems,
        }
    }
}

/// Where the rush takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `lockerd demo`: with simulated boards in the same process; three passwords were hashed.
    Demo,
    /// `lockerd serve` on what a demo has left: no boards, no password hashed.
    Serve,
}

impl Place {
    fn open(self, size: Size) -> anyhow::Result<Site> {
        let demo = Site::demo(size)?;
        match self {
            Self::Demo => Ok(demo),
            Self::Serve => Site::serve(demo.stop()?),
        }
    }
}

/// The semester rush.
pub fn rush(name: &str, pick: Pick, place: Place, plan: &Plan) -> anyhow::Result<Outcome> {
    let mut sum = Sum::default();
    for round in 0..plan.rounds {
        let site = place.open(plan.size)?;
        sum.watch_idle(&site)?;
        let (students, seed) = (site.students.clone(), 0x9E37_79B9_7F4A_7C15 + u64::from(round));
        let crowd = Crowd::new(students, plan.size.lockers, pick, plan.idempotency, seed);
        let profile = Profile::start(plan.perf.as_deref(), site.pid(), name, round)?;
        let spent = drive(site.pid(), site.address, plan.connections, |_, connection| {
            Rc::clone(&crowd).rush(connection)
        })?;
        profile.stop()?;
        sum.note_memory(&site)?;
        let tally = crowd.tally();
        sum.add(&spent, &tally, u64::try_from(tally.claims.len())?);
        finish(site, &tally, &mut sum)?;
    }
    Ok(sum.outcome(name, "claim"))
}

/// Students hold, confirm and release lockers of their own.
pub fn cycles(plan: &Plan) -> anyhow::Result<Outcome> {
    let mut sum = Sum::default();
    let site = Site::demo(plan.size)?;
    sum.watch_idle(&site)?;
    let students = site.students.clone();
    let crowd = Crowd::new(students, plan.size.lockers, Pick::Blind, plan.idempotency, 1);
    let until = Instant::now() + plan.window;
    let spent = drive(site.pid(), site.address, plan.connections, |number, connection| {
        Rc::clone(&crowd).cycle(connection, (number, plan.connections), until)
    })?;
    sum.note_memory(&site)?;
    let tally = crowd.tally();
    sum.add(&spent, &tally, tally.cycles);
    finish(site, &tally, &mut sum)?;
    Ok(sum.outcome("cycles", "cycle"))
}

/// The list of all lockers, whole and unchanged; also gives the size of the list in bytes.
pub fn lists(plan: &Plan) -> anyhow::Result<(Vec<Outcome>, usize)> {
    let site = Site::demo(plan.size)?;
    let mut outcomes = Vec::new();
    for (name, unchanged) in [("lists", false), ("lists unchanged", true)] {
        let mut sum = Sum::default();
        sum.watch_idle(&site)?;
        let students = site.students.clone();
        let crowd = Crowd::new(students, plan.size.lockers, Pick::Blind, false, 1);
        let until = Instant::now() + plan.window;
        let spent = drive(site.pid(), site.address, plan.connections, |number, connection| {
            Rc::clone(&crowd).list(connection, number, unchanged, until)
        })?;
        sum.note_memory(&site)?;
        let tally = crowd.tally();
        sum.add(&spent, &tally, tally.timings.count());
        let mut findings = Findings::default();
        verify::answers(&tally, &mut findings);
        sum.problems = findings.into_words();
        outcomes.push(sum.outcome(name, "request"));
    }
    let body_bytes = list_bytes(&site)?;
    site.stop()?;
    Ok((outcomes, body_bytes))
}

fn list_bytes(site: &Site) -> anyhow::Result<usize> {
    let headers = format!("authorization: Bearer {}\r\n", site.students[0].token);
    let counted = Rc::new(std::cell::Cell::new(0));
    drive(site.pid(), site.address, 1, |_, mut connection| {
        let counted = Rc::clone(&counted);
        let list = crate::client::request("GET", "/api/v1/lockers", &headers);
        async move {
            counted.set(connection.call(&list).await?.body.len());
            Ok(())
        }
    })?;
    Ok(counted.get())
}

/// Verifies over the API, ends the site, verifies in the database.
fn finish(site: Site, tally: &Tally, sum: &mut Sum) -> anyhow::Result<()> {
    let mut findings = Findings::default();
    verify::answers(tally, &mut findings);
    verify::over_the_api(&site, &tally.claims, &mut findings)?;
    let students = site.students.clone();
    let data = site.stop()?;
    verify::in_the_database(&data, &students, tally, &mut findings)?;
    sum.problems.extend(findings.into_words());
    Ok(())
}

/// Mean of the time that the disk takes to keep 4 KiB.
pub fn sync_ms() -> anyhow::Result<f64> {
    const SYNCS: usize = 50;
    let mut file = tempfile::tempfile_in(crate::server::workspace()?)?;
    let started = Instant::now();
    for _ in 0..SYNCS {
        std::io::Write::write_all(&mut file, &[0x5A; 4096])?;
        file.sync_data()?;
    }
    Ok(started.elapsed().as_secs_f64() * 1e3 / length(SYNCS))
}
