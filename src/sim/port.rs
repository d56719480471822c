//! The client's side of a line: a pseudo-terminal behind a link, or a TCP gateway.
//!
//! Both give bytes, take bytes, and come and go with the adapter; a terminal also knows the speed
//! its client has set. A terminal that is put back always has another number than before, as a USB
//! adapter that was renumbered. Called by `line.rs` only.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::config::SimBus;
use super::gateway::Gateway;
use super::pty::{self, ReadResult};

/// See the file's head.
#[derive(Debug)]
pub(super) enum Port {
    /// The adapter is away.
    Unplugged,
    /// A pseudo-terminal.
    Terminal(pty::Port),
    /// A TCP gateway.
    Gateway(Gateway),
}

/// Where an open port is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The slave side of a terminal.
    Terminal(PathBuf),
    /// The address of a gateway.
    Gateway(SocketAddr),
}

impl Port {
    /// Opens the port of a bus: a terminal under another path than `last`, or a gateway at the
    /// address of `last` again.
    pub(super) fn open(bus: &SimBus, last: Option<&Place>) -> io::Result<(Self, Place)> {
        if let Some(wanted) = bus.tcp {
            let address = match last {
                Some(Place::Gateway(address)) => *address,
                _ => wanted,
            };
            let (gateway, address) = Gateway::open(address)?;
            return Ok((Self::Gateway(gateway), Place::Gateway(address)));
        }
        let (mut terminal, mut path) = pty::Port::open(bus.baud)?;
        if last == Some(&Place::Terminal(path.clone())) {
            // The old number is taken until the new one is there.
            let (other, other_path) = pty::Port::open(bus.baud)?;
            (terminal, path) = (other, other_path);
        }
        if let Some(link) = &bus.link {
            pty::point(link, &path)?;
        }
        Ok((Self::Terminal(terminal), Place::Terminal(path)))
    }

    /// Completes when there may be something to read; never while no client is there. True says
    /// that a client hung up: call [`Port::detach`], or it would be reported for ever.
    pub(super) async fn readable(&mut self) -> bool {
        match self {
            Self::Unplugged => std::future::pending().await,
            Self::Terminal(terminal) => terminal.readable().await,
            Self::Gateway(gateway) => {
                gateway.readable().await;
                false
            }
        }
    }

    /// Takes a terminal that hung up out of its registration.
    pub(super) fn detach(&mut self) {
        if let Self::Terminal(terminal) = self {
            terminal.detach();
        }
    }

    /// Reads what is there, and follows a client that comes or goes.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> ReadResult {
        match self {
            Self::Unplugged => ReadResult::NoClient,
            Self::Terminal(terminal) => terminal.read(buffer),
            Self::Gateway(gateway) => gateway.read(buffer),
        }
    }

    /// Writes at once what fits and returns how many bytes that was.
    pub(super) fn write(&self, bytes: &[u8]) -> usize {
        match self {
            Self::Unplugged => 0,
            Self::Terminal(terminal) => terminal.write(bytes),
            Self::Gateway(gateway) => gateway.write(bytes),
        }
    }

    /// Makes the port fresh for the next client. Fails where it cannot be used again.
    pub(super) fn renew(&self, baud: u32) -> io::Result<()> {
        match self {
            Self::Terminal(terminal) => terminal.renew(baud),
            _ => Ok(()),
        }
    }

    /// Whether a client is there.
    pub(super) const fn is_attached(&self) -> bool {
        match self {
            Self::Unplugged => false,
            Self::Terminal(terminal) => matches!(terminal, pty::Port::Attached(_)),
            Self::Gateway(gateway) => gateway.is_attached(),
        }
    }

    /// Whether nothing tells of the next client but looking.
    pub(super) const fn must_be_watched(&self) -> bool {
        matches!(self, Self::Terminal(pty::Port::Waiting(_)))
    }

    /// The speed the client has set, in bits a second; none over TCP.
    pub(super) fn client_baud(&self) -> Option<u32> {
        match self {
            Self::Terminal(terminal) => terminal.client_baud(),
            _ => None,
        }
    }
}

/// Takes the link of a terminal away, if it still leads there.
pub(super) fn unlink(bus: &SimBus, place: &Place) {
    if let (Some(link), Place::Terminal(path)) = (&bus.link, place) {
        pty::unpoint(link, path);
    }
}
