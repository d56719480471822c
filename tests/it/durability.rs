//! An acknowledged claim is on the disk: the system calls of the real binary show the write-ahead
//! log synced between a claim's write and its answer. A page cache survives a killed process, so
//! no crash test can show this.

use std::collections::HashMap;
use std::process::Command;

use crate::support::process::lockerd;
use crate::support::site::{Plan, Site};
use crate::support::until;

/// What matters of a trace, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    /// A claim came in: its request line.
    Asked(String),
    /// Bytes went into the write-ahead log.
    Written,
    /// The write-ahead log was synced, and the call returned 0.
    Synced,
    /// A claim was answered with success.
    Answered,
}

/// A call that was under way when another thread's line came in between.
const UNFINISHED: &str = " <unfinished ...>";

/// Reads the lines of `strace -f -y`; a call counts at the moment it returned, except an answer,
/// which counts when it was begun.
fn events(trace: &str) -> Vec<Event> {
    let mut pending: HashMap<&str, String> = HashMap::new();
    let mut events = Vec::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        // After the thread comes the time.
        let Some((_, call)) = rest.trim_start().split_once(' ') else { continue };
        if let Some(begun) = call.strip_suffix(UNFINISHED) {
            events.extend(answer(begun));
            pending.insert(thread, begun.to_owned());
        } else if call.starts_with("<... ") {
            let Some(begun) = pending.remove(thread) else { continue };
            let tail = call.split_once("resumed>").map_or("", |(_, tail)| tail);
            events.extend(done(&format!("{begun}{tail}")));
        } else {
            events.extend(answer(call));
            events.extend(done(call));
        }
    }
    events
}

/// An answer leaves when its call begins.
fn answer(call: &str) -> Option<Event> {
    let sends = ["write(", "writev(", "sendto(", "sendmsg("];
    let success = call.contains("HTTP/1.1 200") || call.contains("HTTP/1.1 201");
    (success && sends.iter().any(|name| call.starts_with(name))).then_some(Event::Answered)
}

/// What a finished call did.
fn done(call: &str) -> Option<Event> {
    let on_wal = call.contains("lockerd.db-wal>");
    let name = call.split('(').next().unwrap_or_default();
    match name {
        "pwrite64" | "write" | "pwritev" | "writev" if on_wal => Some(Event::Written),
        "fdatasync" | "fsync" if on_wal && call.trim_end().ends_with("= 0") => Some(Event::Synced),
        "recvfrom" | "read" | "recvmsg" => {
            let line = call.split('"').nth(1)?.strip_prefix("POST ")?;
            Some(Event::Asked(line.split(' ').next().unwrap_or_default().to_owned()))
        }
        _ => None,
    }
}

/// Demands of every answered claim that its request was followed by a write to the log, then by a
/// sync of it, then by the answer. Says how many claims were judged. A job may write meanwhile: what
/// is written after that sync is its own.
fn judge(events: &[Event]) -> Result<usize, String> {
    let mut judged = 0;
    let mut since: Option<(&str, Vec<&Event>)> = None;
    for event in events {
        match (event, &mut since) {
            (Event::Asked(what), _) => since = Some((what, Vec::new())),
            (Event::Answered, Some((what, seen))) => {
                let written = seen.iter().position(|it| **it == Event::Written);
                let synced = seen.iter().rposition(|it| **it == Event::Synced);
                match (written, synced) {
                    (None, _) => return Err(format!("{what} was answered without a write")),
                    (Some(written), Some(synced)) if written < synced => judged += 1,
                    _ => return Err(format!("{what} was answered before its write was synced")),
                }
                since = None;
            }
            (event, Some((_, seen))) => seen.push(event),
            (_, None) => {}
        }
    }
    Ok(judged)
}

#[test]
fn a_claim_is_synced_before_it_is_answered() {
    const CLAIMS: i64 = 6;
    let mut site = Site::prepare(&Plan::default().lockers(1, 1..=CLAIMS).students(1));
    let trace = site.path("trace");
    let mut command = Command::new("strace");
    // -D: the server is our child and the tracer its grandchild, so that killing works as always.
    command.args(["-D", "-f", "-tt", "-y", "-s", "80", "-e"]);
    command.arg("trace=pwrite64,pwritev,write,writev,fdatasync,fsync,sendto,sendmsg,recvfrom,read");
    command.arg("-o").arg(&trace).arg(lockerd().get_program());
    command.args(["serve", "--config"]).arg(site.config()).current_dir(site.path("."));
    let found = Command::new("strace").arg("-V").output();
    assert!(found.is_ok(), "this test records system calls: apt-get install strace");
    site.serve_by(command);
    let student = site.student(0);
    for locker in 1..=CLAIMS {
        student.rent(locker);
        student.give_back(locker);
    }
    site.process().kill();
    let judged = until("the trace is whole", || {
        let text = std::fs::read_to_string(&trace).expect("the trace");
        text.contains("+++ killed by SIGKILL").then(|| judge(&events(&text)))
    });
    // Hold, confirm and release of each locker, and the log-in.
    let wanted = usize::try_from(CLAIMS * 3 + 1).expect("small");
    assert_eq!(judged, Ok(wanted), "trace in {}", trace.display());
}

/// One claim as strace shows it, with a sync that another thread interrupts.
const SYNCED: &str = r#"
101 12:00:00.000001 recvfrom(12<socket:[5]>, "POST /api/v1/lockers/1/hold HTTP"..., 8192, 0, NULL, NULL) = 180
102 12:00:00.000002 pwrite64(9</data/lockerd.db-wal>, "\0\0"..., 24, 32) = 24
102 12:00:00.000003 pwrite64(9</data/lockerd.db-wal>, "\r\0"..., 4096, 56) = 4096
102 12:00:00.000004 fdatasync(9</data/lockerd.db-wal> <unfinished ...>
101 12:00:00.000005 recvfrom(12<socket:[5]>, 0x7f, 8192, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)
102 12:00:00.000006 <... fdatasync resumed>) = 0
101 12:00:00.000007 writev(12<socket:[5]>, [{iov_base="HTTP/1.1 201 Created\r\ncontent-type"..., iov_len=180}], 1) = 180
"#;

/// The trace without the lines of one call.
fn without(call: &str) -> String {
    SYNCED.lines().filter(|line| !line.contains(call)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_checker_sees_a_claim_that_is_synced() {
    assert_eq!(judge(&events(SYNCED)), Ok(1));
    assert_eq!(judge(&events(&SYNCED.repeat(3))), Ok(3));
}

#[test]
fn the_checker_fails_where_the_sync_is_missing_late_or_refused() {
    // PRAGMA synchronous = NORMAL: no sync of the log at a commit.
    let normal = without("fdatasync");
    assert!(judge(&events(&normal)).expect_err("no sync").contains("before its write was synced"));

    // The answer leaves while the sync is still under way.
    let mut lines: Vec<&str> = SYNCED.trim().lines().collect();
    let answer = lines.pop().expect("an answer");
    lines.insert(4, answer);
    judge(&events(&lines.join("\n"))).expect_err("answered during the sync");

    let failed = SYNCED.replace("resumed>) = 0", "resumed>) = -1 EIO (Input/output error)");
    judge(&events(&failed)).expect_err("the sync failed");

    let elsewhere =
        SYNCED.replace("fdatasync(9</data/lockerd.db-wal>", "fdatasync(8</data/lockerd.db>");
    judge(&events(&elsewhere)).expect_err("another file was synced");

    let unwritten = without("pwrite64");
    assert!(judge(&events(&unwritten)).expect_err("no write").contains("without a write"));
}
