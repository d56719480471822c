//! A keep-alive connection that can be opened before it is used.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context;

use crate::PASSWORD;

/// Longest wait for an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The id of the n-th student of a demo for load drivers.
pub fn student(number: usize) -> String {
    format!("L{:07}", number + 1)
}

/// An answer.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What `Retry-After` says, in seconds.
    pub retry_after_s: Option<u64>,
    /// The body.
    pub body: String,
}

/// See the file's head.
pub struct Wire(BufReader<TcpStream>, SocketAddr);

impl Wire {
    /// Opens a connection.
    pub fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream), address))
    }

    /// A log-in with a password.
    pub fn log_in(&mut self, id: &str, password: &str) -> anyhow::Result<Answer> {
        let body = serde_json::json!({ "id": id, "password": password }).to_string();
        self.post("/api/v1/auth/login", "Content-Type: application/json\r\n", &body)
    }

    /// The access token of somebody with the common password.
    pub fn token(&mut self, id: &str) -> anyhow::Result<String> {
        let answer = self.log_in(id, PASSWORD)?;
        anyhow::ensure!(answer.status == 200, "{id}: {} {}", answer.status, answer.body);
        let body: serde_json::Value = serde_json::from_str(&answer.body)?;
        Ok(body["access_token"].as_str().context("no token")?.to_owned())
    }

    /// One request; `headers` are whole lines with their ends.
    pub fn post(&mut self, path: &str, headers: &str, body: &str) -> anyhow::Result<Answer> {
        let (address, length) = (self.1, body.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        self.0.get_mut().write_all(request.as_bytes())?;
        self.answer()
    }

    fn answer(&mut self) -> anyhow::Result<Answer> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let status = line.split(' ').nth(1).context("no status")?.parse()?;
        let (mut length, mut retry_after_s) = (0, None);
        loop {
            line.clear();
            self.0.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name {
                "content-length" => length = value.parse()?,
                "retry-after" => retry_after_s = value.parse().ok(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(Answer { status, retry_after_s, body: String::from_utf8(body)? })
    }
}
