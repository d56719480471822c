//! The same hashes without bounds: each log-in on a thread and with memory of its own.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::thread;

use anyhow::Context;
use argon2::{Algorithm, Argon2, Params, Version};

use crate::{limited, memory_kib, say};

/// As the program hashes: argon2id, 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// Hashes for everybody at once and prints the peak memory in KiB.
pub fn run(people: usize) -> anyhow::Result<()> {
    let threads: Vec<_> = (0..people)
        .map(|number| thread::Builder::new().stack_size(256 << 10).spawn(move || hash(number)))
        .collect::<Result<_, _>>()?;
    for thread in threads {
        thread.join().ok().context("a hash panicked")??;
    }
    say(&memory_kib(std::process::id(), "VmHWM")?.to_string())
}

fn hash(number: usize) -> anyhow::Result<()> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).ok().context("sound parameters")?;
    let mut output = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(&number.to_be_bytes(), &[7; 16], &mut output)
        .map_err(|error| anyhow::anyhow!("{error}"))
}

/// Runs it with the server's limit, and without one.
pub fn compare(people: usize) -> anyhow::Result<()> {
    let own = std::env::current_exe()?.display().to_string();
    let number = people.to_string();
    let arguments = ["--unbounded", "--people", &number];
    let mut free = std::process::Command::new(&own);
    for (name, command) in [("512 MB", &mut limited(&own)), ("no limit", &mut free)] {
        let done = command.args(arguments).stderr(Stdio::null()).output()?;
        let told = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        let end = match (told.parse::<f64>(), done.status.signal()) {
            (Ok(kib), _) => format!("peak memory {:.0} MB", kib * 1.024 / 1e3),
            (_, Some(signal)) => format!("killed by signal {signal}"),
            _ => format!("failed: {}", done.status),
        };
        say(&format!("  without bounds, {name}: {end}"))?;
    }
    Ok(())
}
