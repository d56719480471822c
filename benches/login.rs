//! Logging in under load, and what it tells a stranger.
//!
//! Five hundred people log in at once while staff open lockers; the server runs with 512 MB. Beside
//! it the same hashes without bounds, in a process with the same limit. Then known and unknown
//! accounts with wrong passwords, in turns, and what checking an access token costs.
//! `docs/guide/benchmarks.md` tells more.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use hdrhistogram::Histogram;
use rusqlite::Connection;

#[path = "login/cost.rs"]
mod cost;
#[path = "rush/process.rs"]
mod process;
#[path = "login/storm.rs"]
mod storm;
#[path = "login/unbounded.rs"]
mod unbounded;
#[path = "login/wire.rs"]
mod wire;

use process::Process;
use wire::Wire;

/// What the server and the unbounded variant may take, in KiB.
const MEMORY_KIB: u32 = 512 * 1024;

/// The password of everybody on the site.
const PASSWORD: &str = "demo-admin-password";

#[derive(Debug, Parser)]
struct Options {
    /// People who log in at once.
    #[arg(long, default_value_t = 500)]
    people: usize,
    /// How often they do.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Known and unknown accounts, each.
    #[arg(long, default_value_t = 2_000)]
    accounts: usize,
    /// A few of everything: shows that it runs.
    #[arg(long)]
    quick: bool,
    /// The unbounded variant itself; started by this program under the limit.
    #[arg(long, hide = true)]
    unbounded: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let mut options = Options::parse();
    if options.unbounded {
        return unbounded::run(options.people);
    }
    if options.quick {
        (options.people, options.rounds, options.accounts) = (120, 1, 20);
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(place)?;
    let dir = tempfile::TempDir::with_prefix_in("login-", place)?;
    let config = prepare(dir.path(), options.people.max(options.accounts))?;
    let (server, address) = serve(&config)?;
    let memory_before = memory_kib(server.0.id(), "VmHWM")?;
    let told = storm::run(address, options.people, options.rounds)?;
    told.say(memory_before, memory_kib(server.0.id(), "VmHWM")?)?;
    server.stop()?;
    unbounded::compare(options.people)?;
    let (server, address) = serve(&config)?;
    enumerate(address, options.accounts)?;
    server.stop()?;
    cost::run(&dir.path().join("data"))
}

/// A site of many people who all have the same password; gives its configuration file.
fn prepare(dir: &Path, students: usize) -> anyhow::Result<PathBuf> {
    let data = dir.join("data");
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockerd"));
    command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--lockers", "160"]);
    // The first of them is somebody else.
    command.arg("--students").arg((students + 1).to_string()).arg("--data").arg(&data);
    let (demo, _) = Process::start(&mut command)?;
    demo.stop()?;
    let conn = Connection::open(data.join("lockerd.db"))?;
    conn.execute(
        "UPDATE member SET password_hash =
           (SELECT password_hash FROM member WHERE role = 'admin' LIMIT 1)
         WHERE role = 'student'",
        [],
    )?;
    let config = dir.join("config.toml");
    let data = toml::Value::from(data.display().to_string());
    // Everybody here is behind one address: the ceiling for one is not what is measured.
    let text = format!(
        "data_dir = {data}\n[clock]\nrtc = true\n[http]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"error\"\n\
                 [limits]\naddress_failures = 100000\n"
    );
    std::fs::write(&config, text)?;
    Ok(config)
}

/// Serves the site with little memory.
fn serve(config: &Path) -> anyhow::Result<(Process, SocketAddr)> {
    let mut command = limited(env!("CARGO_BIN_EXE_lockerd"));
    command.arg("serve").arg("--config").arg(config);
    let (process, line) = Process::start(&mut command)?;
    let url = line.split_whitespace().last().context("an empty line")?;
    let address = url.strip_prefix("http://").context("no URL")?.parse()?;
    Ok((process, address))
}

/// A program that may have [`MEMORY_KIB`] of private memory and no more; address space that it only
/// sets aside does not count.
fn limited(program: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -d {MEMORY_KIB}; exec \"$0\" \"$@\"")).arg(program);
    command
}

/// A line of `/proc/PID/status`, in KiB.
fn memory_kib(pid: u32, key: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)).context("no such line")?;
    let number = line.trim_start_matches(':').split_whitespace().next().context("no number")?;
    Ok(number.parse()?)
}

/// Wrong passwords for known and unknown accounts in turns: the time must not tell which is which.
fn enumerate(address: SocketAddr, accounts: usize) -> anyhow::Result<()> {
    let (mut known, mut unknown) = (histogram()?, histogram()?);
    let mut wire = Wire::connect(address)?;
    // The first passwords pay for the memory that the threads keep.
    for number in 0..4 {
        wire.log_in(&format!("WARMUP{number}"), "wrong")?;
    }
    for number in 0..accounts {
        for (times, id) in
            [(&mut known, wire::student(number)), (&mut unknown, format!("X{number:08}"))]
        {
            let began = Instant::now();
            let answer = wire.log_in(&id, "not the password")?;
            times.record(micros(began.elapsed()))?;
            anyhow::ensure!(answer.status == 401, "{id}: {}", answer.status);
        }
    }
    let ms = |times: &Histogram<u64>| Duration::from_micros(times.value_at_quantile(0.5));
    let (with, without) = (ms(&known), ms(&unknown));
    let apart = with.abs_diff(without);
    say(&format!(
        "{accounts} known and {accounts} unknown accounts: median {:.2} ms and {:.2} ms, {:.3} ms apart \
         ({:.2} %; limits 2 ms and 5 %)",
        millis(with),
        millis(without),
        millis(apart),
        100.0 * apart.as_secs_f64() / without.as_secs_f64()
    ))
}

fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
