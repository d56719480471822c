//! From the start of the process to its first healthy answer, with a long history behind it.
//!
//! A demo makes the site with 1,000 lockers, SQL adds rentals that are over, then `lockerd serve`
//! is started on it again and again and asked for `/api/v1/health` until it answers 200. The files
//! are in the page cache: the figure is the program's own part. `docs/guide/benchmarks.md` tells
//! more.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use rusqlite::Connection;

#[path = "rush/process.rs"]
mod process;

use process::Process;

/// Lockers of the site.
const LOCKERS: u32 = 1_000;

/// Longest wait for the first healthy answer.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// Tries of `/health` before a run has failed; each waits for an answer.
const TRIES_MAX: u32 = 1_000;

#[derive(Debug, Parser)]
struct Options {
    /// Starts for each size of history.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=100))]
    runs: u8,
    /// Past rentals in the database.
    #[arg(long, num_args = 1.., default_values_t = [100_000, 1_000_000])]
    rentals: Vec<u32>,
    /// Two starts with a short history: shows that it runs.
    #[arg(long)]
    quick: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let (runs, sizes) =
        if options.quick { (2, vec![1_000]) } else { (options.runs, options.rentals) };
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(place)?;
    for rentals in sizes {
        let dir = tempfile::TempDir::with_prefix_in("startup-", place)?;
        let config = prepare(dir.path(), rentals)?;
        let mut starts = Vec::new();
        for _ in 0..runs {
            starts.push(start(&config)?);
        }
        say(rentals, &mut starts)?;
    }
    Ok(())
}

/// A site with a history; gives its configuration file.
fn prepare(dir: &Path, rentals: u32) -> anyhow::Result<PathBuf> {
    let data = dir.join("data");
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockerd"));
    command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--students", "2000"]);
    command.arg("--lockers").arg(LOCKERS.to_string()).arg("--data").arg(&data);
    let (demo, _) = Process::start(&mut command)?;
    demo.stop()?;
    add_past_rentals(&data.join("lockerd.db"), rentals)?;
    let config = dir.join("config.toml");
    let data = toml::Value::from(data.display().to_string());
    let text = format!(
        "data_dir = {data}\n[clock]\nrtc = true\n[http]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"warn\"\n"
    );
    std::fs::write(&config, text)?;
    Ok(config)
}

fn add_past_rentals(database: &Path, rentals: u32) -> anyhow::Result<()> {
    let conn = Connection::open(database)?;
    // A site of many years: each rental lasted ten days and was returned.
    let added = conn.execute(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
         INSERT INTO rental (bank_id, locker_id, member_id, term_id, state, starts_on, ends_on, held_ms,
                             confirmed_ms, ended_ms, end_reason)
         SELECT (SELECT min(id) FROM bank), 1 + i % ?2, (SELECT min(id) FROM member) + i % 2000, (SELECT min(id) FROM term),
                'ended', '2020-03-01', '2020-03-10', 1583000000000 + i, 1583000001000 + i,
                1583700000000 + i, 'returned'
         FROM n",
        [rentals, LOCKERS],
    )?;
    anyhow::ensure!(added == usize::try_from(rentals)?, "{added} rentals were added");
    Ok(())
}

/// One start: until it says where it listens, and until it answers.
#[derive(Debug, Clone, Copy)]
struct Start {
    listening: Duration,
    healthy: Duration,
}

fn start(config: &Path) -> anyhow::Result<Start> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockerd"));
    command.arg("serve").arg("--config").arg(config);
    let began = Instant::now();
    let (server, line) = Process::start(&mut command)?;
    let listening = began.elapsed();
    let address = line.trim().rsplit_once("http://").context("the ready line has no URL")?.1;
    for _ in 0..TRIES_MAX {
        if is_healthy(address)? {
            let healthy = began.elapsed();
            server.stop()?;
            return Ok(Start { listening, healthy });
        }
        if began.elapsed() > START_TIMEOUT {
            break;
        }
    }
    anyhow::bail!("no healthy answer from {address}")
}

fn is_healthy(address: &str) -> anyhow::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(START_TIMEOUT))?;
    stream.write_all(
        b"GET /api/v1/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200") && answer.contains("\"status\":\"ok\""))
}

fn say(rentals: u32, starts: &mut [Start]) -> anyhow::Result<()> {
    starts.sort_by_key(|start| start.healthy);
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let median = starts.get(starts.len() / 2).context("at least one start")?;
    let slowest = starts.last().context("at least one start")?;
    writeln!(
        std::io::stdout().lock(),
        "{LOCKERS} lockers, {rentals} past rentals, {} starts: healthy after {:.1} ms (median; \
         listening after {:.1}), at most {:.1} ms",
        starts.len(),
        ms(median.healthy),
        ms(median.listening),
        ms(slowest.healthy)
    )?;
    Ok(())
}
