//! A lean HTTP/1.1 client: one keep-alive connection, one request at a time.
//!
//! It shares the machine with the server it measures, so it does no more than it must: requests
//! are written as prepared bytes, an answer is read for its status and `Content-Length` only.
//! Invariant: between two calls nothing of an answer is left in the buffer. Used by `crowd.rs`,
//! `verify.rs` and `limits.rs`.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Largest answer that is taken, head and body: a list of 4,800 lockers has 250 kB.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Longest wait for one answer; a server that hangs must end the run, not stop it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// An answer; the body is borrowed from the connection until its next request.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// The status code.
    pub status: u16,
    /// The head, from the status line to the empty line.
    pub head: &'a [u8],
    /// The body.
    pub body: &'a [u8],
}

impl<'a> Reply<'a> {
    /// The value of a header, the name given in lower case.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        header(self.head, name)
    }

    /// The number that follows a key in a flat JSON body.
    pub fn number(&self, key: &str) -> Option<u64> {
        let text = std::str::from_utf8(self.body).ok()?;
        let (_, rest) = text.split_once(&format!("\"{key}\":"))?;
        let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
        digits.parse().ok()
    }
}

/// One connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 4 << 10], filled: 0 })
    }

    /// Sends a whole request and waits for the whole answer.
    pub async fn call(&mut self, request: &[u8]) -> io::Result<Reply<'_>> {
        let Ok(ends) = tokio::time::timeout(ANSWER_TIMEOUT, self.exchange(request)).await else {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the server did not answer"));
        };
        let (head_len, len) = ends?;
        let head = &self.buffer[..head_len];
        Ok(Reply { status: status(head)?, head, body: &self.buffer[head_len..len] })
    }

    /// Gives the lengths of the head and of head and body.
    async fn exchange(&mut self, request: &[u8]) -> io::Result<(usize, usize)> {
        self.filled = 0;
        self.stream.write_all(request).await?;
        let mut searched = 0;
        let head_len = loop {
            self.fill().await?;
            if let Some(end) = end_of_head(&self.buffer[..self.filled], searched) {
                break end;
            }
            searched = self.filled.saturating_sub(3);
        };
        let head = &self.buffer[..head_len];
        let body_len = match header(head, "content-length").map(str::parse::<usize>) {
            Some(Ok(length)) => length,
            Some(Err(_)) => return Err(odd("its Content-Length is no number")),
            None if status(head)? == 304 => 0,
            None => return Err(odd("it has no Content-Length")),
        };
        let len = head_len + body_len;
        if len > ANSWER_BYTES_MAX {
            return Err(odd("it is too large"));
        }
        if self.buffer.len() < len {
            self.buffer.resize(len, 0);
        }
        while self.filled < len {
            self.fill().await?;
        }
        if self.filled > len {
            return Err(odd("more follows than was announced"));
        }
        Ok((head_len, len))
    }

    async fn fill(&mut self) -> io::Result<()> {
        if self.filled == self.buffer.len() {
            if self.filled >= ANSWER_BYTES_MAX {
                return Err(odd("it is too large"));
            }
            self.buffer.resize(self.filled * 2, 0);
        }
        let count = self.stream.read(&mut self.buffer[self.filled..]).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.filled += count;
        Ok(())
    }
}

fn odd(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("an answer that is not expected: {why}"))
}

fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let found = bytes.get(from..)?.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(from + found + 4)
}

fn status(head: &[u8]) -> io::Result<u16> {
    head.get(9..12)
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| odd("it has no status line"))
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (found, rest) = line.split_at_checked(name.len())?;
        let value = rest.strip_prefix(b":")?;
        let value = found.eq_ignore_ascii_case(name.as_bytes()).then_some(value)?;
        std::str::from_utf8(value).ok().map(str::trim)
    })
}

/// A request without a body: its bytes as they go over the wire. `headers` are whole lines.
pub fn request(method: &str, path: &str, headers: &str) -> Vec<u8> {
    let length = if method == "POST" { "content-length: 0\r\n" } else { "" };
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{length}{headers}\r\n").into_bytes()
}

/// A POST with a JSON body; `headers` are whole lines.
pub fn post_json(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}
