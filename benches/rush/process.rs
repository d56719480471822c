//! The program as a child process, for the benchmarks that start it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

/// Longest wait for a server to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(12);

/// How often it is asked whether it has ended.
const STOP_LOOK: Duration = Duration::from_millis(5);

/// A process that is killed when it is dropped.
pub struct Process(pub Child);

impl Process {
    /// Starts it with its output piped and gives the first line it prints.
    pub fn start(command: &mut Command) -> anyhow::Result<(Self, String)> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut process = Self(child.with_context(|| format!("cannot start {command:?}"))?);
        let out = process.0.stdout.take().context("no pipe")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "{command:?} ended before it was ready");
        Ok((process, line))
    }

    /// Asks it to end and waits until it has.
    pub fn stop(mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.0), Signal::TERM)?;
        let asked = Instant::now();
        while asked.elapsed() < STOP_TIMEOUT {
            if let Some(status) = self.0.try_wait()? {
                anyhow::ensure!(status.success(), "the server ended with {status}");
                return Ok(());
            }
            std::thread::sleep(STOP_LOOK);
        }
        anyhow::bail!("the server did not end within {STOP_TIMEOUT:?}")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already: then there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
