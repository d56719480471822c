//! The device behind a line: a serial port of this machine, or a gateway that carries the same bytes
//! over TCP (KERONG KR-BU and other transparent gateways).
//!
//! Only bytes pass here, no timing: that is `transaction`'s. A read of no bytes means that the device
//! is gone. The port is never flushed: that blocks a worker thread for as long as the adapter likes.
//! A gateway that stops acknowledging our bytes counts as gone after [`UNACKNOWLEDGED_MAX`]; one that
//! takes them and reaches no board shows as silent boards.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_serial::{SerialPort as _, SerialPortBuilderExt, SerialStream};

use crate::bus::config::PortAddress;
use crate::bus::health::OfflineClass;
use crate::bus::transaction::{Gone, PortError};

/// Longest wait for a gateway to take a connection.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// How long bytes may stay unacknowledged before a gateway counts as gone.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(2);

/// An open device. Dropping it closes it.
pub(super) enum Transport {
    /// A serial port of this machine.
    Serial(SerialStream),
    /// A connection to a gateway.
    Gateway(TcpStream),
}

impl Transport {
    /// Opens the device for us alone; a serial port as 8N1.
    pub(super) async fn open(address: &PortAddress, baud: u32) -> Result<Self, PortError> {
        match address {
            PortAddress::Device(path) => tokio_serial::new(path.to_string_lossy(), baud)
                .open_native_async()
                .map(Self::Serial)
                .map_err(|error| classify(path, &error)),
            PortAddress::Gateway(host) => connect(host).await.map(Self::Gateway),
        }
    }

    /// One read, waiting for bytes; safe to cancel.
    pub(super) async fn read(&mut self, chunk: &mut [u8]) -> Result<usize, Gone> {
        loop {
            let read = match self {
                Self::Serial(stream) => stream.read(chunk).await,
                Self::Gateway(stream) => stream.read(chunk).await,
            };
            match read {
                Ok(0) => return Err(gone()),
                Ok(bytes) => return Ok(bytes),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Gone(format!("read failed: {error}"))),
            }
        }
    }

    /// What is there already; `None` when nothing is.
    pub(super) fn read_now(&mut self, chunk: &mut [u8]) -> Result<Option<usize>, Gone> {
        loop {
            let read = match self {
                Self::Serial(stream) => stream.try_read(chunk),
                Self::Gateway(stream) => stream.try_read(chunk),
            };
            match read {
                Ok(0) => return Err(gone()),
                Ok(bytes) => return Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Gone(format!("read failed: {error}"))),
            }
        }
    }

    /// Gives bytes to the kernel; returns how many it took.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Serial(stream) => stream.write(bytes).await,
            Self::Gateway(stream) => stream.write(bytes).await,
        }
    }

    /// Changes the speed of a serial port; a gateway's is set in the gateway.
    pub(super) fn set_baud(&mut self, baud: u32) -> Result<(), Gone> {
        match self {
            Self::Serial(stream) => stream
                .set_baud_rate(baud)
                .map_err(|error| Gone(format!("the port refuses {baud} baud: {error}"))),
            Self::Gateway(_) => Ok(()),
        }
    }
}

fn gone() -> Gone {
    Gone("the device is gone".to_owned())
}

async fn connect(host: &str) -> Result<TcpStream, PortError> {
    let offline =
        |class, why: String| PortError { reason: format!("gateway {host}: {why}"), class };
    let connecting = TcpStream::connect(host);
    let stream = match tokio::time::timeout(CONNECT_MAX, connecting).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            let why = "it refuses the connection: is another program connected to it?";
            return Err(offline(OfflineClass::Busy, why.to_owned()));
        }
        Ok(Err(error)) => return Err(offline(OfflineClass::Missing, error.to_string())),
        Err(_elapsed) => {
            let why = "it does not answer: is it plugged in and on this network?";
            return Err(offline(OfflineClass::Missing, why.to_owned()));
        }
    };
    let tuned = tune(&stream);
    tuned.map_err(|error| offline(OfflineClass::Other, error.to_string()))?;
    Ok(stream)
}

/// Short frames leave at once, and a dead gateway is noticed soon.
fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX))?;
    let probing = TcpKeepalive::new().with_time(UNACKNOWLEDGED_MAX).with_interval(CONNECT_MAX / 2);
    socket.set_tcp_keepalive(&probing)
}

/// Whether `text` is a host and a port, as in `192.168.1.200:5000`.
pub(super) fn is_host_and_port(text: &str) -> bool {
    let named = text.rsplit_once(':').is_some_and(|(host, port)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        !host.is_empty() && host.chars().all(plain) && port.parse::<u16>().is_ok_and(|it| it > 0)
    });
    named || text.parse::<SocketAddr>().is_ok_and(|address| address.port() > 0)
}

/// Why the port could not be opened, for people and for programs.
fn classify(path: &Path, error: &tokio_serial::Error) -> PortError {
    use tokio_serial::ErrorKind;
    let class = match error.kind() {
        ErrorKind::Io(io::ErrorKind::NotFound) => OfflineClass::Missing,
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => OfflineClass::Permission,
        // A node whose device left in between gives ENODEV or ENXIO, which arrive as plain text.
        _ if error.description.starts_with("No such device") => OfflineClass::Missing,
        ErrorKind::NoDevice => OfflineClass::Busy,
        _ => OfflineClass::Other,
    };
    let port = path.display();
    let reason = match class {
        OfflineClass::Missing => format!("{port} is not there: is the adapter plugged in?"),
        OfflineClass::Permission => {
            format!("{port} may not be opened by this user: see the group of the device")
        }
        OfflineClass::Busy => format!("{port} is in use by another program"),
        OfflineClass::Other => format!("{port}: {error}"),
    };
    PortError { reason, class }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_are_a_host_and_a_port() {
        for good in ["192.168.1.200:5000", "kr-bu.local:5000", "[::1]:5000"] {
            assert!(is_host_and_port(good), "{good}");
        }
        for bad in ["192.168.1.200", "kr-bu:", ":5000", "kr bu:5000", "kr-bu:0", "kr-bu:99999"] {
            assert!(!is_host_and_port(bad), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_gateway_that_takes_nobody_is_told_from_one_that_is_away() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
        let host = listener.local_addr().expect("bound").to_string();
        let address = PortAddress::Gateway(host);
        assert!(Transport::open(&address, 19_200).await.is_ok());
        drop(listener);
        let Err(error) = Transport::open(&address, 19_200).await else { panic!("nobody listens") };
        assert_eq!(error.class, OfflineClass::Busy);
    }
}
