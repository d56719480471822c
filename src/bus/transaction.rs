//! One open line: quiet before talking, write, listen until the reply or the deadline.
//!
//! Invariants: nothing is sent before the gap since the last byte in either direction has passed, also
//! after errors; what the kernel still holds is drained and counted first, so a late reply never
//! answers the next request; the port is never flushed (that blocks a worker thread for as long as the
//! adapter likes); a read of no bytes means the device is gone. Used by the port task and by the tools
//! of the command line, one caller at a time.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout_at;
use tokio_serial::{SerialPortBuilderExt, SerialStream};

use crate::bus::codec::{Call, Codec, Frame};
use crate::bus::config::BITS_PER_BYTE;
use crate::bus::health::OfflineClass;
use crate::bus::scanner::{BUFFER_BYTES, Echo, Heard, Scanner, Tally};

/// Longest wait for a babbling line to fall quiet before we talk anyway.
const BABBLE_MAX: Duration = Duration::from_millis(250);
/// Longest wait for the kernel to take a request.
const WRITE_MAX: Duration = Duration::from_secs(1);
/// Quiet time after which a frame cut short no longer hides what follows it.
const QUIET: Duration = Duration::from_millis(20);
/// Reads of one drain; more would be a line that never stops.
const DRAIN_READS_MAX: u32 = 64;

/// Why a port could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PortError {
    /// In words.
    pub reason: String,
    /// For a program.
    pub class: OfflineClass,
}

/// The device went away; the line must be dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gone(pub(super) String);

/// A request that could not be written.
#[derive(Debug)]
pub(super) struct NotSent {
    /// Some of it may have gone out.
    pub(super) started: bool,
    pub(super) gone: Gone,
}

/// How a wait for a reply ended.
#[derive(Debug)]
pub(super) struct Received {
    /// `Ok(None)`: the deadline passed.
    pub(super) heard: Result<Option<Heard>, Gone>,
    pub(super) tally: Tally,
    /// What was heard, at most [`BUFFER_BYTES`].
    pub(super) raw: Vec<u8>,
}

/// An open port. Dropping it closes the device.
pub(super) struct Line {
    stream: SerialStream,
    byte_time: Duration,
    gap: Duration,
    busy_until: Instant,
    strays: usize,
    echo: Echo,
}

impl Line {
    /// Opens the device for us alone, 8N1.
    pub(super) fn open(path: &Path, baud: u32, gap: Duration) -> Result<Self, PortError> {
        let stream = tokio_serial::new(path.to_string_lossy(), baud)
            .open_native_async()
            .map_err(|error| classify(path, &error))?;
        let byte_time = Duration::from_micros(
            (u64::from(BITS_PER_BYTE) * 1_000_000).div_ceil(u64::from(baud.max(1))),
        );
        // Whoever had the port before may have been talking.
        let busy_until = Instant::now();
        Ok(Self { stream, byte_time, gap, busy_until, strays: 0, echo: Echo::Unknown })
    }

    /// What is known of the adapter's echo.
    pub(super) fn echo(&self) -> Echo {
        self.echo
    }

    /// Bytes heard since the last call while nobody was asked.
    pub(super) fn take_strays(&mut self) -> usize {
        std::mem::take(&mut self.strays)
    }

    /// Drains, waits out the gap and writes; returns when the first byte went out.
    pub(super) async fn send(&mut self, frame: &Frame) -> Result<Instant, NotSent> {
        let unsent = |gone| NotSent { started: false, gone };
        let give_up = Instant::now() + BABBLE_MAX;
        loop {
            let heard = self.drain().map_err(unsent)?;
            let now = Instant::now();
            if heard > 0 {
                self.busy_until = now;
            }
            let free_at = self.free_at().min(give_up);
            if now >= free_at {
                break;
            }
            tokio::time::sleep_until(free_at.into()).await;
        }
        let at = Instant::now();
        self.write(frame.bytes(), at).await?;
        // The kernel took the bytes at once; on the line they need their time.
        let bytes = u32::try_from(frame.bytes().len()).unwrap_or(u32::MAX);
        self.busy_until = Instant::now().max(at + self.byte_time * bytes);
        Ok(at)
    }

    /// From when on the next request may be sent.
    pub(super) fn free_at(&self) -> Instant {
        self.busy_until + self.gap
    }

    /// When the last byte sent has left the line.
    pub(super) fn sent_until(&self) -> Instant {
        self.busy_until
    }

    /// Listens for the reply to `call` until `wait` after the request has left.
    pub(super) async fn receive(
        &mut self,
        codec: &dyn Codec,
        call: &Call,
        wait: Duration,
    ) -> Received {
        let deadline = self.busy_until + wait;
        let mut scanner = Scanner::new(codec, call, self.echo);
        let mut raw = Vec::with_capacity(BUFFER_BYTES);
        let heard = self.listen_for(&mut scanner, deadline, &mut raw).await;
        if let Ok(heard) = &heard {
            self.echo = scanner.echo(heard.as_ref());
        }
        Received { heard, tally: scanner.tally(), raw }
    }

    /// Waits for bytes nobody asked for; safe to cancel. An error means the device is gone.
    pub(super) async fn listen(&mut self) -> Result<(), Gone> {
        let mut chunk = [0; BUFFER_BYTES];
        let bytes = read(&mut self.stream, &mut chunk).await?;
        self.strays = self.strays.saturating_add(bytes);
        self.busy_until = Instant::now();
        Ok(())
    }

    async fn listen_for(
        &mut self,
        scanner: &mut Scanner<'_>,
        deadline: Instant,
        raw: &mut Vec<u8>,
    ) -> Result<Option<Heard>, Gone> {
        let mut chunk = [0; BUFFER_BYTES];
        let mut look_at = None;
        loop {
            let now = Instant::now();
            if now >= deadline {
                return Ok(scanner.look_further());
            }
            let until = look_at.map_or(deadline, |at: Instant| at.min(deadline));
            match timeout_at(until.into(), read(&mut self.stream, &mut chunk)).await {
                Err(_elapsed) => {
                    look_at = None;
                    if let Some(heard) = scanner.look_further() {
                        return Ok(Some(heard));
                    }
                }
                Ok(bytes) => {
                    let bytes = &chunk[..bytes?];
                    self.busy_until = Instant::now();
                    raw.extend(bytes.iter().take(BUFFER_BYTES - raw.len()));
                    if let Some(heard) = scanner.push(bytes) {
                        return Ok(Some(heard));
                    }
                    look_at = scanner.is_partial().then(|| self.busy_until + QUIET);
                }
            }
        }
    }

    async fn write(&mut self, bytes: &[u8], at: Instant) -> Result<(), NotSent> {
        let mut written = 0;
        while written < bytes.len() {
            let write = self.stream.write(&bytes[written..]);
            let why = match timeout_at((at + WRITE_MAX).into(), write).await {
                Ok(Ok(count)) if count > 0 => {
                    written += count;
                    continue;
                }
                Ok(Ok(_)) => "the port takes no bytes".to_owned(),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(Err(error)) => format!("write failed: {error}"),
                Err(_elapsed) => "the port did not take the request in time".to_owned(),
            };
            return Err(NotSent { started: written > 0, gone: Gone(why) });
        }
        Ok(())
    }

    /// Empties the kernel's queue; returns how many bytes it held.
    fn drain(&mut self) -> Result<usize, Gone> {
        let mut chunk = [0; BUFFER_BYTES];
        let mut drained = 0;
        for _ in 0..DRAIN_READS_MAX {
            match self.stream.try_read(&mut chunk) {
                Ok(0) => return Err(Gone("the device is gone".to_owned())),
                Ok(bytes) => drained += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Gone(format!("read failed: {error}"))),
            }
        }
        self.strays = self.strays.saturating_add(drained);
        Ok(drained)
    }
}

/// One read; no bytes mean that the device is gone, for ever and without waiting.
async fn read(stream: &mut SerialStream, chunk: &mut [u8]) -> Result<usize, Gone> {
    loop {
        match stream.read(chunk).await {
            Ok(0) => return Err(Gone("the device is gone".to_owned())),
            Ok(bytes) => return Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Gone(format!("read failed: {error}"))),
        }
    }
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
