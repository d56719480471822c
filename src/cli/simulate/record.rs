//! The simulator's byte log in a file: one line of JSON for each event, within a bound.
//!
//! The first line tells the Unix time of the zero of every `at_us`; each further line is numbered
//! and holds bytes, a fault that struck, or a broken rule. When the file reaches half the bound it
//! becomes `FILE.1`, in place of an older one, and a new one begins. Events that fell out of the
//! simulator's ring before they were written are told as lost.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::sim::{Event, Simulator};

/// How often new events are written. The ring holds far more than a line carries in this time.
const WRITE_EVERY: Duration = Duration::from_millis(100);
/// Events taken from the simulator at once.
const EVENTS_PER_PAGE: usize = 1_000;

/// A log that is being written.
pub(super) struct Record {
    path: PathBuf,
    file: BufWriter<File>,
    written: u64,
    bytes_max: u64,
    started_unix_ms: u64,
    last_seq: u64,
}

impl Record {
    /// Begins the file anew.
    pub(super) fn create(
        path: &Path,
        bytes_max: u64,
        simulator: &Simulator,
    ) -> anyhow::Result<Self> {
        let mut record = Self {
            path: path.to_path_buf(),
            file: open(path)?,
            written: 0,
            bytes_max,
            started_unix_ms: simulator.state().started_unix_ms,
            last_seq: 0,
        };
        record.begin()?;
        Ok(record)
    }

    /// Writes what happens until it is told to stop, and what was left then.
    pub(super) async fn follow(
        mut self,
        simulator: Simulator,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(WRITE_EVERY) => {}
            }
            self.write_new(&simulator)?;
        }
        Ok(())
    }

    /// Writes every event that is not written yet.
    fn write_new(&mut self, simulator: &Simulator) -> anyhow::Result<()> {
        loop {
            let page = simulator.events(self.last_seq, EVENTS_PER_PAGE);
            for (seq, event) in &page {
                let lost = seq - self.last_seq - 1;
                if lost > 0 {
                    self.line(&json!({ "event": "lost", "count": lost }))?;
                }
                self.last_seq = *seq;
                self.line(&numbered(*seq, event))?;
            }
            if page.len() < EVENTS_PER_PAGE {
                return self.file.flush().with_context(|| self.place());
            }
        }
    }

    fn begin(&mut self) -> anyhow::Result<()> {
        let started_unix_ms = self.started_unix_ms;
        self.line(&json!({ "event": "start", "started_unix_ms": started_unix_ms }))
    }

    fn line(&mut self, value: &serde_json::Value) -> anyhow::Result<()> {
        let text = format!("{value}\n");
        let length = text.len() as u64;
        if self.written > 0 && self.written + length > self.bytes_max / 2 {
            self.turn_over()?;
        }
        self.written += length;
        self.file.write_all(text.as_bytes()).with_context(|| self.place())
    }

    fn turn_over(&mut self) -> anyhow::Result<()> {
        self.file.flush().with_context(|| self.place())?;
        let mut old = self.path.clone().into_os_string();
        old.push(".1");
        std::fs::rename(&self.path, old).with_context(|| self.place())?;
        self.file = open(&self.path)?;
        self.written = 0;
        self.begin()
    }

    fn place(&self) -> String {
        format!("cannot write {}", self.path.display())
    }
}

fn open(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(BufWriter::new(file))
}

/// An event with its number; byte records carry theirs already.
fn numbered(seq: u64, event: &Event) -> serde_json::Value {
    let mut value = json!(event);
    value["seq"] = seq.into();
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Fault, FaultKind, SimBoard, SimBus, SimConfig};

    #[tokio::test]
    async fn the_log_is_numbered_and_bounded() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

        let place = tempfile::tempdir().expect("a directory");
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let bus = SimBus::tcp("east", listen, 19_200).with(SimBoard::cu16(0));
        let config = SimConfig { pacing: false, buses: vec![bus], ..SimConfig::default() };
        let simulator = Simulator::start(config).expect("started");
        let path = place.path().join("bytes.jsonl");
        let bytes_max = 4_000;
        let mut record = Record::create(&path, bytes_max, &simulator).expect("writable");
        simulator.fault(Fault::new("east", FaultKind::Duplicate).times(1)).expect("fine");
        let address = simulator.state().bus("east").and_then(|bus| bus.tcp).expect("listens");
        let mut client = tokio::net::TcpStream::connect(address).await.expect("connected");
        let mut ask = async |reply_len: usize| {
            client.write_all(&[0x02, 0x00, 0x30, 0x03, 0x35]).await.expect("written");
            client.read_exact(&mut vec![0; reply_len]).await.expect("answered");
        };
        ask(18).await;
        record.write_new(&simulator).expect("written");
        let text = std::fs::read_to_string(&path).expect("readable");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let told: Vec<_> = lines.iter().map(|line| line["event"].as_str().expect("text")).collect();
        assert_eq!(told, ["start", "bytes", "fault", "bytes"]);
        assert_eq!((&lines[1]["hex"], &lines[1]["seq"]), (&"02 00 30 03 35".into(), &1.into()));
        assert_eq!((&lines[2]["kind"], &lines[2]["name"]), (&"duplicate".into(), &"0".into()));
        for _ in 0..40 {
            ask(9).await;
        }
        record.write_new(&simulator).expect("written");
        let old = place.path().join("bytes.jsonl.1");
        let sizes = [&path, &old].map(|file| std::fs::metadata(file).expect("there").len());
        assert!(sizes.iter().sum::<u64>() <= bytes_max, "{sizes:?}");
        let begins = std::fs::read_to_string(&path).expect("readable");
        assert!(begins.starts_with(r#"{"event":"start""#), "{begins}");
    }
}
