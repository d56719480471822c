//! Whether the server's memory stays flat over the life of one process.

use std::fs;

use std::time::Duration;

use anyhow::Context;

/// Growth that is no leak: buffers find their size.
const GROWTH_PART: u64 = 5;
const GROWTH_KIB: u64 = 4 * 1024;
/// Runs shorter than this say nothing about memory.
const LENGTH_MIN: Duration = Duration::from_secs(30);

/// Resident memory, sample by sample.
#[derive(Debug, Default)]
pub struct Memory {
    samples_kib: Vec<u64>,
}

impl Memory {
    /// Takes a sample of a process.
    pub fn note(&mut self, pid: u32) -> anyhow::Result<()> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
        self.samples_kib.push(kib.parse()?);
        Ok(())
    }

    /// The medians of the second and of the last quarter.
    fn medians_kib(&self) -> Option<(u64, u64)> {
        let quarter = self.samples_kib.len() / 4;
        let median = |from: usize| {
            let mut part = self.samples_kib.get(from..from + quarter)?.to_vec();
            part.sort_unstable();
            part.get(part.len() / 2).copied()
        };
        Some((median(quarter)?, median(self.samples_kib.len() - quarter)?))
    }

    /// What is wrong with it after a run of this length, in words.
    pub fn judge(&self, length: Duration) -> anyhow::Result<Option<String>> {
        if length < LENGTH_MIN {
            return Ok(None);
        }
        let (second, last) = self.medians_kib().context("no samples of memory")?;
        let most = second + second / GROWTH_PART + GROWTH_KIB;
        Ok((last > most).then(|| format!("memory grew from {second} KiB to {last} KiB")))
    }

    /// Both medians in words.
    pub fn told(&self) -> String {
        match self.medians_kib() {
            Some((second, last)) => format!(
                "memory of the last process: median {second} KiB in its second quarter, \
                 {last} KiB in its last"
            ),
            None => "memory: too few samples".to_owned(),
        }
    }
}
