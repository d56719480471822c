//! A blocking HTTP/1.1 client on a bare socket: tests need control over every byte, for slow
//! clients, half bodies and requests that really leave together.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use serde_json::Value;

/// Longest wait for bytes of an answer; above the longest wait that a test asks the server for.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer that is read.
const REPLY_BYTES_MAX: usize = 16 << 20;

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("no JSON ({error}): {} {}", self.status, self.text()),
        }
    }

    /// Demands a status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Demands a refusal: a whole problem document (RFC 9457) of this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let document = self.json();
        assert_eq!(document["code"], code, "{document}");
        assert_eq!(document["status"], status, "{document}");
        assert_eq!(document["type"], format!("/problems/{code}"), "{document}");
        for key in ["title", "detail", "instance", "request_id"] {
            assert!(document[key].as_str().is_some_and(|it| !it.is_empty()), "{key}: {document}");
        }
        assert_eq!(self.header("x-request-id"), document["request_id"].as_str());
        document
    }

    /// The code of a problem document, or nothing.
    pub fn code(&self) -> String {
        let document: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        document["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// One connection.
pub struct Wire(pub TcpStream);

impl Wire {
    /// Connects.
    #[track_caller]
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(READ_TIMEOUT)).expect("a timeout can be set");
        stream.set_nodelay(true).expect("nodelay can be set");
        Self(stream)
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.write_all(bytes.as_ref())
    }

    /// Reads one answer; an early end is an error.
    pub fn reply(&mut self) -> io::Result<Reply> {
        let mut head = Vec::with_capacity(512);
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.byte()?);
            if head.len() > REPLY_BYTES_MAX {
                return Err(bad("an endless head"));
            }
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let status = status.and_then(|it| it.parse().ok()).ok_or_else(|| bad("no status"))?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut reply = Reply { status, headers, body: Vec::new() };
        reply.body = self.body(&reply)?;
        Ok(reply)
    }

    /// Sends a request and reads its answer.
    pub fn call(&mut self, request: impl AsRef<[u8]>) -> io::Result<Reply> {
        self.send(request)?;
        self.reply()
    }

    /// Whether the beginning of an answer has come; does not wait.
    pub fn has_answer(&self) -> bool {
        self.0.set_nonblocking(true).expect("settable");
        let seen = self.0.peek(&mut [0]);
        self.0.set_nonblocking(false).expect("settable");
        seen.is_ok_and(|count| count > 0)
    }

    /// Reads until the other side closes; what had come before then.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = self.0.read_to_end(&mut bytes);
        bytes
    }

    fn body(&mut self, reply: &Reply) -> io::Result<Vec<u8>> {
        if reply.status == 204 || reply.status == 304 {
            return Ok(Vec::new());
        }
        if let Some(length) = reply.header("content-length") {
            return self.exactly(length.parse().map_err(|_| bad("content-length"))?);
        }
        if reply.header("transfer-encoding") != Some("chunked") {
            return Ok(self.rest());
        }
        let mut body = Vec::new();
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                line.push(self.byte()?);
            }
            let text = String::from_utf8_lossy(&line).trim().to_owned();
            let length = usize::from_str_radix(&text, 16).map_err(|_| bad("chunk length"))?;
            body.extend(self.exactly(length)?);
            self.exactly(2)?;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.0.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > REPLY_BYTES_MAX {
            return Err(bad("an endless body"));
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(body)
    }
}

fn bad(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Sends every request on a connection of its own that is open already, all at the same moment;
/// the answers in the order of the requests.
#[track_caller]
pub fn at_once(address: SocketAddr, requests: Vec<String>) -> Vec<Reply> {
    let start = Arc::new(Barrier::new(requests.len()));
    let threads: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let (mut wire, start) = (Wire::connect(address), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                wire.call(request).expect("an answer")
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
}

/// Somebody at a keyboard: an address and perhaps a token. Each request has its own connection.
#[derive(Debug, Clone)]
pub struct Client {
    /// Where the server is.
    pub address: SocketAddr,
    /// The access token.
    pub token: Option<String>,
}

impl Client {
    /// Nobody in particular.
    pub const fn nobody(address: SocketAddr) -> Self {
        Self { address, token: None }
    }

    /// The same server with another token.
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { address: self.address, token: Some(token.into()) }
    }

    /// The bytes of a request; `headers` are whole lines.
    pub fn request(&self, method: &str, path: &str, headers: &[&str], body: &str) -> String {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        if let Some(token) = &self.token {
            let _ = write!(text, "Authorization: Bearer {token}\r\n");
        }
        for line in headers {
            let _ = write!(text, "{line}\r\n");
        }
        if !body.is_empty() || method == "POST" {
            let _ = write!(text, "Content-Length: {}\r\n", body.len());
        }
        text + "\r\n" + body
    }

    /// Sends a request on a new connection.
    pub fn try_call(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> io::Result<Reply> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        stream.set_nodelay(true)?;
        let mut lines = vec!["Connection: close"];
        lines.extend(headers);
        Wire(stream).call(self.request(method, path, &lines, body))
    }

    /// Sends a request that must be answered.
    #[track_caller]
    pub fn call(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Reply {
        match self.try_call(method, path, headers, body) {
            Ok(reply) => reply,
            Err(error) => panic!("{method} {path} was not answered: {error}"),
        }
    }

    /// GET.
    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[], "")
    }

    /// POST without a body.
    #[track_caller]
    pub fn post(&self, path: &str) -> Reply {
        self.call("POST", path, &[], "")
    }

    /// POST without a body, under an idempotency key.
    #[track_caller]
    pub fn post_keyed(&self, path: &str, key: &str) -> Reply {
        self.call("POST", path, &[&format!("Idempotency-Key: {key}")], "")
    }

    /// POST of a JSON body.
    #[track_caller]
    pub fn post_json(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path, &["Content-Type: application/json"], &body.to_string())
    }

    /// Logs in; the same client with the token.
    #[track_caller]
    pub fn log_in(&self, body: &Value) -> Self {
        let reply = self.post_json("/api/v1/auth/login", body).expect(200).json();
        self.with_token(reply["access_token"].as_str().expect("an access token"))
    }

    /// Hold or confirm or the like: `POST /api/v1/lockers/{locker}/{what}`.
    #[track_caller]
    pub fn locker(&self, locker: i64, what: &str) -> Reply {
        self.post(&format!("/api/v1/lockers/{locker}/{what}"))
    }

    /// Holds and confirms a locker.
    #[track_caller]
    pub fn rent(&self, locker: i64) {
        self.locker(locker, "hold").expect(201);
        self.locker(locker, "confirm").expect(200);
    }

    /// Gives a locker back, saying that it is empty.
    #[track_caller]
    pub fn give_back(&self, locker: i64) -> Value {
        let path = format!("/api/v1/lockers/{locker}/release");
        self.post_json(&path, &serde_json::json!({ "emptied": true })).expect(200).json()
    }

    /// What `lockers/me` says of the caller's locker.
    #[track_caller]
    pub fn mine(&self) -> Value {
        self.get("/api/v1/lockers/me").expect(200).json()["locker"].clone()
    }

    /// The state of a locker as the list has it.
    #[track_caller]
    pub fn state_of(&self, locker: i64) -> String {
        let list = self.get("/api/v1/lockers").expect(200).json();
        let rows = list["lockers"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["locker_id"] == locker).expect("the locker");
        row["state"].as_str().expect("a state").to_owned()
    }

    /// Asks for an opening's outcome, waiting for it; the whole answer.
    #[track_caller]
    pub fn outcome(&self, operation_id: &str) -> Value {
        let path = format!("/api/v1/openings/{operation_id}?wait_s=15");
        self.get(&path).expect(200).json()
    }

    /// The health document.
    #[track_caller]
    pub fn health(&self) -> Value {
        self.get("/api/v1/health").expect(200).json()
    }
}
