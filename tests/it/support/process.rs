//! The real binary as a child process: started, spoken to, and never left behind.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;

/// The binary under test; the surroundings must not change what it does.
pub fn lockerd() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockerd"));
    for (name, _) in std::env::vars() {
        if name.starts_with("LOCKERD_") {
            command.env_remove(name);
        }
    }
    command.env_remove("RUST_LOG").env_remove("JOURNAL_STREAM").env_remove("NOTIFY_SOCKET");
    command
}

/// How a command that ends by itself went.
#[derive(Debug)]
pub struct Done {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it complained.
    pub err: String,
    /// How long it took.
    pub took: Duration,
}

impl Done {
    /// Demands success.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Demands an orderly refusal: exit code 1, one line on standard error, nothing else.
    #[track_caller]
    pub fn failed(self) -> Self {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(self.err.trim_end().lines().count(), 1, "{self:?}");
        self
    }
}

/// Runs a command to its end, with `input` on standard input.
#[track_caller]
pub fn run(command: &mut Command, input: &str) -> Done {
    let begun = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    // A program that does not read its input may be gone by now.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    Done {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        took: begun.elapsed(),
    }
}

/// A server under way; killed when dropped.
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Process {
    /// Starts it with its standard error appended to `log`.
    #[track_caller]
    pub fn start(mut command: Command, log: &Path) -> Self {
        let err = File::options().create(true).append(true).open(log).expect("a log");
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(err).spawn();
        let mut child = spawned.expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines, log: log.to_path_buf() }
    }

    /// The next line of its standard output.
    #[track_caller]
    pub fn line(&mut self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(error) => {
                panic!("{error}: {:?}, and it wrote: {}", self.child.try_wait(), self.log())
            }
        }
    }

    /// What it has written to standard error so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, signal).expect("it is there");
    }

    /// Whether it is still running.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        super::until("the process ends", || self.child.try_wait().expect("it is ours"))
    }

    /// Ends it without warning, as a power cut would, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Resident memory in kB and open files, from the kernel's books.
    pub fn usage(&self) -> (u64, usize) {
        let place = PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = std::fs::read_to_string(place.join("status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        let rss_kb = line.trim().trim_end_matches(" kB").parse().expect("a number");
        let files = std::fs::read_dir(place.join("fd")).expect("it runs").count();
        (rss_kb, files)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
