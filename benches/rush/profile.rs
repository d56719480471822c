//! `--perf DIR`: has `perf` look at the server during a rush.
//!
//! One file for each round, `perf.NAME.ROUND.data`; `perf report --sort comm,symbol -i FILE` shows
//! it. The profile covers the rush only, not the start of the server or the verification.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

/// Samples a second, for each thread that runs; an odd number keeps clear of the kernel's ticks.
const SAMPLES_PER_S: &str = "4999";

/// How long `perf` may take to attach itself.
const ATTACH: Duration = Duration::from_millis(500);

/// `perf` at work.
pub struct Profile(Option<Child>);

impl Profile {
    /// Attaches to a server; does nothing without a directory.
    pub fn start(dir: Option<&Path>, pid: u32, name: &str, round: u32) -> anyhow::Result<Self> {
        let Some(dir) = dir else { return Ok(Self(None)) };
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let file: PathBuf = dir.join(format!("perf.{}.{round}.data", name.replace(' ', "-")));
        let child = Command::new("perf")
            .args(["record", "--quiet", "-g", "-F", SAMPLES_PER_S, "-o"])
            .arg(file)
            .args(["-p", &pid.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start perf: is it installed?")?;
        std::thread::sleep(ATTACH);
        Ok(Self(Some(child)))
    }

    /// Has it write its file.
    pub fn stop(mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.0.take() {
            kill_process(Pid::from_child(&child), Signal::INT)?;
            child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // The run has failed already; a profile of it is of no use.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
