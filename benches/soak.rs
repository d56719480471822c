//! The soak: thousands of openings over HTTP while wires, boards and the server itself fail.
//!
//! The real program runs as a process of its own on boards simulated here, of every family, with
//! pacing off. Members open their lockers as fast as the coils' rules allow and close them again;
//! faults, pulled adapters and kills are drawn from one seed. Every opening is judged as it ends, by
//! what its lock really did, and all of them once more against the database. `SOAK_SECONDS` and
//! `SOAK_SEED` set length and choices; `docs/guide/benchmarks.md` tells what must hold.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;

#[path = "soak/chaos.rs"]
mod chaos;
#[path = "soak/client.rs"]
mod client;
#[path = "soak/dice.rs"]
mod dice;
#[path = "soak/member.rs"]
mod member;
#[path = "soak/memory.rs"]
mod memory;
#[path = "rush/process.rs"]
mod process;
#[path = "soak/site.rs"]
mod site;
#[path = "soak/tally.rs"]
mod tally;
#[path = "soak/verify.rs"]
mod verify;

use dice::Dice;
use site::Site;
use tally::Tally;

/// How long it goes on when nothing else is said.
const SECONDS_DEFAULT: u64 = 60;
/// The choices when nothing else is said.
const SEED_DEFAULT: u64 = 1;
/// How often a line is printed.
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// How often the main thread looks around.
const LOOK_EVERY: Duration = Duration::from_millis(500);

fn main() -> anyhow::Result<()> {
    let seconds = number("SOAK_SECONDS", SECONDS_DEFAULT)?;
    let seed = number("SOAK_SEED", SEED_DEFAULT)?;
    say(&format!("soak: {seconds} s, SOAK_SEED={seed}"))?;
    let breaches = soak(Duration::from_secs(seconds), seed)?;
    for breach in &breaches {
        say(&format!("BREACH {breach}"))?;
    }
    anyhow::ensure!(breaches.is_empty(), "{} breaches, SOAK_SEED={seed}", breaches.len());
    Ok(())
}

/// Runs it; what was broken, in words.
fn soak(length: Duration, seed: u64) -> anyhow::Result<Vec<String>> {
    let workspace = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(workspace)?;
    let dir = TempDir::with_prefix_in("soak-", workspace)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let site = Arc::new(Site::start(dir.path(), seed, runtime.handle().clone())?);
    let tally = Arc::new(Tally::default());
    let begun = Instant::now();
    let until = begun + length;
    let mut memory = memory::Memory::default();
    let mut report_at = begun + REPORT_EVERY;
    std::thread::scope(|scope| -> anyhow::Result<()> {
        for number in 0..site.members.len() {
            let (site, tally) = (&site, &tally);
            scope.spawn(move || member::live(site, number, &Dice::new(seed, number), tally, until));
        }
        let (chaos_site, chaos_tally) = (Arc::clone(&site), Arc::clone(&tally));
        let chaos = scope.spawn(move || {
            chaos::rage(&chaos_site, &Dice::new(seed, usize::MAX), &chaos_tally, begun, length)
        });
        while Instant::now() < until {
            std::thread::sleep(LOOK_EVERY);
            // Kills end with the first half: one process is watched for the whole second half.
            if begun.elapsed() > length / 2 {
                memory.note(site.pid())?;
            }
            if Instant::now() >= report_at {
                report_at += REPORT_EVERY;
                say(&tally.line(begun.elapsed()))?;
            }
        }
        chaos.join().map_err(|_| anyhow::anyhow!("the chaos panicked"))?
    })?;
    say(&tally.line(begun.elapsed()))?;
    let memory_breach = memory.judge(length)?;
    say(&memory.told())?;
    let hardware = verify::hardware(&site, &tally);
    let site = Arc::into_inner(site).context("the site is still in use")?;
    let stopped = site.stop()?;
    let mut breaches = tally.breaches();
    breaches.extend(memory_breach);
    breaches.extend(hardware);
    breaches.extend(verify::records(&stopped, &tally)?);
    say(&verify::told(&tally))?;
    Ok(breaches)
}

/// A whole number from the environment.
fn number(name: &str, default: u64) -> anyhow::Result<u64> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} must be a whole number")),
        Err(_) => Ok(default),
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
