//! A transparent TCP gateway in front of a line, as the KERONG KR-BU is: the same bytes, no framing.
//!
//! One client at a time: who comes while another is connected waits in the system's backlog. A
//! client that closes is found by the end of its stream. Dropping the gateway resets the client
//! and refuses new ones, as an adapter that lost its power. Called by `port.rs` only.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};

use super::pty::ReadResult;

/// A listening gateway.
#[derive(Debug)]
pub(super) struct Gateway {
    listener: TcpListener,
    client: Option<TcpStream>,
}

impl Gateway {
    /// Listens at once; port 0 takes a free one. Needs a tokio runtime.
    pub(super) fn open(address: SocketAddr) -> io::Result<(Self, SocketAddr)> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        Ok((Self { listener, client: None }, address))
    }

    /// Whether a client is connected.
    pub(super) const fn is_attached(&self) -> bool {
        self.client.is_some()
    }

    /// Completes when there may be something to read, or when a client has come.
    pub(super) async fn readable(&mut self) {
        if let Some(client) = &self.client {
            // An error shows at the read that follows.
            let _ = client.readable().await;
            return;
        }
        match self.listener.accept().await {
            Ok((client, _)) => {
                let _ = client.set_nodelay(true);
                self.client = Some(client);
            }
            Err(error) => tracing::debug!(area = "sim", %error, "a client could not connect"),
        }
    }

    /// Reads what is there, and notices a client that has gone.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> ReadResult {
        let Some(client) = &self.client else { return ReadResult::NoClient };
        match client.try_read(buffer) {
            Ok(count) if count > 0 => ReadResult::Bytes(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => ReadResult::Nothing,
            _ => {
                self.client = None;
                ReadResult::NoClient
            }
        }
    }

    /// Writes at once what fits and returns how many bytes that was.
    pub(super) fn write(&self, bytes: &[u8]) -> usize {
        self.client.as_ref().map_or(0, |client| client.try_write(bytes).unwrap_or(0))
    }
}
