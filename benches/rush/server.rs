//! The real program as a child process: a demo site, or `serve` on data that a demo has left.
//!
//! Each site has a data directory of its own on the build directory's disk. A site that is dropped
//! is killed; [`Site::stop`] ends it in order and keeps its data for `verify.rs`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde::Deserialize;
use tempfile::TempDir;

use crate::process::Process;

/// How large a site is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Lockers.
    pub lockers: usize,
    /// Students with tokens.
    pub students: usize,
}

/// A student with a token.
#[derive(Debug, Clone, Deserialize)]
pub struct Student {
    /// The student id.
    pub student_id: String,
    /// The access token.
    pub token: String,
}

/// A running site.
pub struct Site {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its students.
    pub students: Vec<Student>,
    process: Process,
    data: Data,
}

/// What a site leaves behind; the directory goes with it.
pub struct Data {
    dir: TempDir,
    students: Vec<Student>,
}

impl Data {
    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.dir.path().join("data/lockerd.db")
    }
}

/// Where everything is written: on the disk of the build directory.
pub fn workspace() -> anyhow::Result<PathBuf> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).to_path_buf();
    std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
    Ok(path)
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_lockerd"))
}

impl Site {
    /// A demo site where everything is free.
    pub fn demo(size: Size) -> anyhow::Result<Self> {
        let dir = TempDir::with_prefix_in("rush-", workspace()?)?;
        let (data, tokens) = (dir.path().join("data"), dir.path().join("tokens"));
        let mut command = program();
        command.args(["demo", "--json", "--listen", "127.0.0.1:0"]);
        command.arg("--lockers").arg(size.lockers.to_string());
        command.arg("--students").arg(size.students.to_string());
        command.arg("--data").arg(data).arg("--tokens").arg(&tokens);
        let (process, line) = Process::start(&mut command)?;
        let ready: serde_json::Value = serde_json::from_str(&line).context("the ready line")?;
        let url = ready["url"].as_str().context("the ready line has no url")?;
        let students = std::fs::read_to_string(&tokens)?
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<Student>, _>>()
            .context("the tokens")?;
        anyhow::ensure!(students.len() == size.students, "{} tokens", students.len());
        let data = Data { dir, students: students.clone() };
        Ok(Self { address: address(url)?, students, process, data })
    }

    /// `lockerd serve` on what a demo has left: no boards, and no password is ever hashed.
    pub fn serve(data: Data) -> anyhow::Result<Self> {
        let config = data.dir.path().join("config.toml");
        let data_dir = data.dir.path().join("data").display().to_string();
        let data_dir = toml::Value::from(data_dir);
        let text = format!(
            "data_dir = {data_dir}\n[clock]\nrtc = true\n[http]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"warn\"\n"
        );
        std::fs::write(&config, text)?;
        let (process, line) = Process::start(program().arg("serve").arg("--config").arg(config))?;
        let url = line.split_whitespace().last().context("the ready line is empty")?;
        Ok(Self { address: address(url)?, students: data.students.clone(), process, data })
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Ends it in order.
    pub fn stop(self) -> anyhow::Result<Data> {
        self.process.stop()?;
        Ok(self.data)
    }
}

/// The address in a URL as the program prints it.
pub fn address(url: &str) -> anyhow::Result<SocketAddr> {
    let text = url.trim();
    let text = text.strip_prefix("http://").unwrap_or(text);
    text.parse().with_context(|| format!("{url:?} is no address"))
}
