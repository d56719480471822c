//! `lockerd demo` on a free port with its data in a temporary place.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::Client;
use super::process::{Process, lockerd};

/// A running demo.
pub struct Demo {
    /// The line that it printed.
    pub told: Value,
    /// Somebody at its door.
    pub nobody: Client,
    /// The simulator's control API.
    pub simulator: Client,
    _process: Process,
    /// Where it works; removed at the end.
    pub place: TempDir,
}

impl Demo {
    /// Starts the campus demo.
    #[track_caller]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts it with more arguments.
    #[track_caller]
    pub fn with(more: &[&str]) -> Self {
        let place = tempfile::tempdir().expect("a temporary place");
        let mut command = lockerd();
        command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--data"]);
        command.arg(place.path().join("data")).args(more);
        let mut process = Process::start(command, &place.path().join("log"));
        let told: Value = serde_json::from_str(&process.line()).expect("a line of JSON");
        let client = |key: &str| Client::nobody(address(&told[key]));
        Self { nobody: client("url"), simulator: client("sim_url"), told, _process: process, place }
    }

    /// The first student, 홍길동, logged in by roster.
    #[track_caller]
    pub fn gildong(&self) -> Client {
        self.nobody.log_in(&gildong())
    }

    /// The second student, 김철수, logged in by roster.
    #[track_caller]
    pub fn cheolsu(&self) -> Client {
        self.nobody.log_in(&cheolsu())
    }
}

/// What the first student types.
pub fn gildong() -> Value {
    json!({ "student_id": "2023321234", "name": "홍길동", "phone_number": "01012345678" })
}

/// What the second student types.
pub fn cheolsu() -> Value {
    json!({ "student_id": "2023325678", "name": "김철수", "phone_number": "01087654321" })
}

/// The address in a URL.
#[track_caller]
pub fn address(url: &Value) -> SocketAddr {
    let text = url.as_str().and_then(|url| url.strip_prefix("http://")).expect("a URL");
    text.parse().expect("an address")
}
