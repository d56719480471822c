//! What a process has used so far, as the kernel counts it.
//!
//! CPU time is read twice: from `/proc/PID/task/*/schedstat`, exact to the nanosecond and by
//! thread, and from `/proc/PID/stat`, in ticks of 10 ms, which also knows threads that have ended.
//! The exact one is reported; if both differ by more than ticks explain, the larger one is.

use std::collections::BTreeMap;
use std::fs;
use std::io;

/// A clock tick of `/proc/PID/stat` in nanoseconds (`USER_HZ` is 100 on Linux).
const TICK_NS: u64 = 10_000_000;

/// Ticks by which the two counts may differ by rounding alone: two counters, read twice.
const ROUNDING_TICKS: u64 = 4;

/// Counters of one process at one moment.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// CPU time by thread name, nanoseconds.
    pub thread_cpu_ns: BTreeMap<String, u64>,
    /// User and system time of the whole process, nanoseconds, in whole ticks.
    pub tick_cpu_ns: u64,
    /// Bytes that the process caused to be written at the disk.
    pub disk_bytes: u64,
}

impl Usage {
    /// Reads the counters of a process.
    pub fn of(pid: u32) -> io::Result<Self> {
        let mut usage = Self {
            tick_cpu_ns: tick_cpu_ns(&fs::read_to_string(format!("/proc/{pid}/stat"))?)?,
            disk_bytes: field(&fs::read_to_string(format!("/proc/{pid}/io"))?, "write_bytes:")?,
            ..Self::default()
        };
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?.path();
            // A thread may end between the listing and the look.
            let Ok(name) = fs::read_to_string(task.join("comm")) else { continue };
            let Ok(cpu_ns) = fs::read_to_string(task.join("schedstat")) else { continue };
            let cpu_ns = first_number(&cpu_ns)?;
            *usage.thread_cpu_ns.entry(name.trim_end().to_owned()).or_default() += cpu_ns;
        }
        Ok(usage)
    }

    /// What was used since an earlier moment.
    pub fn since(&self, earlier: &Self) -> Self {
        let threads = self.thread_cpu_ns.iter().map(|(name, cpu_ns)| {
            let before = earlier.thread_cpu_ns.get(name).copied().unwrap_or(0);
            (name.clone(), cpu_ns.saturating_sub(before))
        });
        Self {
            thread_cpu_ns: threads.collect(),
            tick_cpu_ns: self.tick_cpu_ns.saturating_sub(earlier.tick_cpu_ns),
            disk_bytes: self.disk_bytes.saturating_sub(earlier.disk_bytes),
        }
    }

    /// Adds what was used elsewhere.
    pub fn add(&mut self, other: &Self) {
        for (name, cpu_ns) in &other.thread_cpu_ns {
            *self.thread_cpu_ns.entry(name.clone()).or_default() += cpu_ns;
        }
        self.tick_cpu_ns += other.tick_cpu_ns;
        self.disk_bytes += other.disk_bytes;
    }

    /// CPU time of all threads, nanoseconds.
    pub fn cpu_ns(&self) -> u64 {
        let exact: u64 = self.thread_cpu_ns.values().sum();
        let lost = self.tick_cpu_ns > exact + ROUNDING_TICKS * TICK_NS + exact / 20;
        if lost { self.tick_cpu_ns } else { exact }
    }
}

/// CPU time of the calling thread, nanoseconds.
pub fn own_cpu_ns() -> io::Result<u64> {
    first_number(&fs::read_to_string("/proc/thread-self/schedstat")?)
}

/// The most memory the process has had resident, in bytes.
pub fn peak_rss_bytes(pid: u32) -> io::Result<u64> {
    Ok(field(&fs::read_to_string(format!("/proc/{pid}/status"))?, "VmHWM:")? * 1024)
}

fn odd(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("/proc says {text:?}"))
}

fn first_number(text: &str) -> io::Result<u64> {
    let word = text.split_whitespace().next().ok_or_else(|| odd(text))?;
    word.parse().map_err(|_| odd(text))
}

fn field(text: &str, name: &str) -> io::Result<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| odd(text))?;
    first_number(value)
}

fn tick_cpu_ns(stat: &str) -> io::Result<u64> {
    // The name in parentheses may hold spaces, so count from behind it: utime and stime are the
    // 12th and 13th fields after it.
    let (_, rest) = stat.rsplit_once(')').ok_or_else(|| odd(stat))?;
    let mut fields = rest.split_whitespace().skip(11);
    let ticks = [fields.next(), fields.next()]
        .into_iter()
        .map(|field| field.and_then(|field| field.parse::<u64>().ok()))
        .sum::<Option<u64>>()
        .ok_or_else(|| odd(stat))?;
    Ok(ticks * TICK_NS)
}
