//! What a claim costs with a million past rentals behind it, and with none.
//!
//! Two sites of the same size, each served by a process of its own: in one of them SQL has added rentals
//! that are over, many for each locker and each student. Students hold and confirm one locker after the
//! other on one connection, in rounds that alternate between the two. `docs/guide/benchmarks.md` tells
//! more.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use hdrhistogram::Histogram;
use rusqlite::Connection;

#[path = "rush/process.rs"]
mod process;
#[path = "rush/server.rs"]
mod server;
#[path = "rush/usage.rs"]
mod usage;

use server::{Site, Size, Student};
use usage::{Usage, own_cpu_ns, peak_rss_bytes};

/// How many times the cost without a history a claim may cost with it.
const LIMIT: f64 = 1.2;

/// Days from one past rental of a locker to the next; each lasted ten.
const DAYS_APART: u32 = 12;

/// Longest wait for an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Parser)]
struct Options {
    /// Past rentals of the one site; the other has none.
    #[arg(long, default_value_t = 1_000_000)]
    rentals: u32,
    /// Rounds at each site; one before them warms up and is not counted.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=20))]
    rounds: u16,
    /// Claims of one round, each by another student of another locker.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=200))]
    claims: u16,
    /// A few claims and a short history: shows that it runs.
    #[arg(long)]
    quick: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let asked = Options::parse();
    let quick = Options { rentals: 20_000, rounds: 2, claims: 20, ..Options::parse() };
    let options = if asked.quick { quick } else { asked };
    let claims = usize::from(options.claims);
    let all = claims * (usize::from(options.rounds) + 1);
    let size = Size { lockers: all, students: all };
    let (bare, filled) = (Site::demo(size)?.stop()?, Site::demo(size)?.stop()?);
    let took = fill(&filled.database(), options.rentals, all)?;
    let mut sites = [Measured::of(Site::serve(bare)?)?, Measured::of(Site::serve(filled)?)?];
    for round in 0..=usize::from(options.rounds) {
        let which = round * claims..(round + 1) * claims;
        // Who comes first in a round takes turns as well.
        if round % 2 == 1 {
            sites.reverse();
        }
        for site in &mut sites {
            site.round(which.clone(), round > 0)?;
        }
        if round % 2 == 1 {
            sites.reverse();
        }
    }
    let rentals = options.rentals;
    say(&format!(
        "{rentals} past rentals were added in {:.0} s; {all} lockers and students, {} claims at each \
         site in {} rounds, one connection",
        took.as_secs_f64(),
        claims * usize::from(options.rounds),
        options.rounds
    ))?;
    let [bare, filled] = sites;
    let (bare, filled) = (bare.figures(all)?, filled.figures(all)?);
    bare.say("without past rentals")?;
    filled.say(&format!("with {rentals}"))?;
    say(&format!(
        "{rentals} past rentals cost {:.2} times the server's CPU of a claim, {:.2} times its median \
         time and {:.2} times its mean (limit {LIMIT})",
        filled.cpu_ms / bare.cpu_ms,
        filled.median_ms / bare.median_ms,
        filled.mean_ms / bare.mean_ms
    ))
}

/// Adds rentals of past years that are over, in the order in which they came; says how long that took.
fn fill(database: &Path, rentals: u32, lockers: usize) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let conn = Connection::open(database)?;
    let added = conn.execute(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1),
           one (first) AS (SELECT min(id) FROM locker),
           someone (first) AS (SELECT min(id) FROM member WHERE role = 'student')
         INSERT INTO rental (bank_id, locker_id, member_id, term_id, state, starts_on, ends_on, held_ms,
                             confirmed_ms, opened_ms, returned_ms, ended_ms, end_reason)
         SELECT bank_id, locker.id, someone.first + (i * 7 + i / ?2) % ?2, (SELECT min(id) FROM term),
                'ended', date('2000-01-01', '+' || (i / ?2 * ?3) || ' days'),
                date('2000-01-01', '+' || (i / ?2 * ?3 + 9) || ' days'),
                946684800000 + i, 946684801000 + i, 946684900000 + i, 946685000000 + i,
                946685600000 + i, 'returned'
         FROM n, one, someone JOIN locker ON locker.id = one.first + i % ?2",
        (rentals, u32::try_from(lockers)?, DAYS_APART),
    )?;
    anyhow::ensure!(added == usize::try_from(rentals)?, "{added} rentals were added");
    // As on a site of many years: nothing of it is still to be moved into the database.
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(began.elapsed())
}

/// A site with what its claims took so far.
struct Measured {
    site: Site,
    wire: Wire,
    /// Hold and confirm together, microseconds.
    times: Histogram<u64>,
    server: Usage,
    client_cpu_ns: u64,
}

impl Measured {
    fn of(site: Site) -> anyhow::Result<Self> {
        let wire = Wire::connect(site.address)?;
        let times = Histogram::new_with_bounds(1, 60_000_000, 3)?;
        Ok(Self { site, wire, times, server: Usage::default(), client_cpu_ns: 0 })
    }

    /// Has these students claim a locker each.
    fn round(&mut self, which: std::ops::Range<usize>, counted: bool) -> anyhow::Result<()> {
        let pid = self.site.pid();
        let (before, own_before) = (Usage::of(pid)?, own_cpu_ns()?);
        for number in which {
            let student = self.site.students.get(number).context("too few students")?;
            let began = Instant::now();
            self.wire.claim(student, number + 1, "hold", 201)?;
            self.wire.claim(student, number + 1, "confirm", 200)?;
            if counted {
                self.times.record(u64::try_from(began.elapsed().as_micros())?.max(1))?;
            }
        }
        if counted {
            self.server.add(&Usage::of(pid)?.since(&before));
            self.client_cpu_ns += own_cpu_ns()?.saturating_sub(own_before);
        }
        Ok(())
    }

    /// What a claim cost; demands that each one is in the database.
    fn figures(self, claimed: usize) -> anyhow::Result<Figures> {
        let (memory, counted) = (peak_rss_bytes(self.site.pid())?, self.times.len());
        let data = self.site.stop()?;
        let conn = Connection::open(data.database())?;
        let sql = "SELECT count(*) FROM rental WHERE state = 'active'";
        let active: u32 = conn.query_row(sql, [], |row| row.get(0))?;
        anyhow::ensure!(
            usize::try_from(active)? == claimed,
            "{claimed} were claimed, {active} are there"
        );
        let each = |value: u64| approximate(value) / approximate(counted);
        let ms = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1e3;
        Ok(Figures {
            median_ms: ms(self.times.value_at_quantile(0.5)),
            mean_ms: self.times.mean() / 1e3,
            p99_ms: ms(self.times.value_at_quantile(0.99)),
            cpu_ms: each(self.server.cpu_ns()) / 1e6,
            client_cpu_ms: each(self.client_cpu_ns) / 1e6,
            disk_kib: each(self.server.disk_bytes) / 1024.0,
            memory_mib: approximate(memory) / f64::from(1 << 20),
        })
    }
}

/// What a claim cost.
struct Figures {
    median_ms: f64,
    mean_ms: f64,
    p99_ms: f64,
    cpu_ms: f64,
    client_cpu_ms: f64,
    disk_kib: f64,
    memory_mib: f64,
}

impl Figures {
    fn say(&self, what: &str) -> anyhow::Result<()> {
        say(&format!(
            "{what:22} median {:.3} ms, mean {:.3} ms, p99 {:.3} ms; CPU a claim: server {:.3} ms, client \
             {:.3} ms; {:.0} KiB at the disk; memory {:.0} MiB",
            self.median_ms,
            self.mean_ms,
            self.p99_ms,
            self.cpu_ms,
            self.client_cpu_ms,
            self.disk_kib,
            self.memory_mib
        ))
    }
}

/// Counts are far below the 2^53 up to which this is exact.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, and shown with few digits")]
const fn approximate(count: u64) -> f64 {
    count as f64
}

/// A keep-alive connection that waits for each answer.
struct Wire {
    stream: BufReader<TcpStream>,
}

impl Wire {
    fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Holds or confirms.
    fn claim(
        &mut self,
        student: &Student,
        locker: usize,
        what: &str,
        wanted: u16,
    ) -> anyhow::Result<()> {
        let request = format!(
            "POST /api/v1/lockers/{locker}/{what} HTTP/1.1\r\nhost: localhost\r\n\
             authorization: Bearer {}\r\ncontent-length: 0\r\n\r\n",
            student.token
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status: u16 = line.split(' ').nth(1).context("no status")?.parse()?;
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            if name == "content-length" {
                length = value.parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        let (who, body) = (&student.student_id, String::from_utf8_lossy(&body));
        anyhow::ensure!(status == wanted, "{who} {what} {locker}: {status} {body}");
        Ok(())
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
