//! One open line: quiet before talking, write, listen until the reply or the deadline.
//!
//! Invariants: nothing is sent before the gap since the last byte in either direction has passed, also
//! after errors; what the kernel still holds is drained and counted first, so a late reply never
//! answers the next request. What is known of the adapter's echo is kept here, because it is a fact of
//! the line and not of a board. Used by the port task and by the tools of the command line, one caller
//! at a time.

use std::io;
use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use crate::bus::codec::{Call, Codec, Frame};
use crate::bus::config::{BITS_PER_BYTE, EchoSetting, PortAddress};
use crate::bus::health::OfflineClass;
use crate::bus::scanner::{BUFFER_BYTES, Echo, Heard, Scanner, Tally};
use crate::bus::transport::Transport;

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
    /// From the end of the request to the end of the reply, if one came.
    pub(super) after: Option<Duration>,
}

/// Reads in a row without the expected echo after which an adapter no longer counts as echoing.
const ECHO_MISSES_MAX: u8 = 3;

/// An open port. Dropping it closes the device.
pub(super) struct Line {
    device: Transport,
    baud: u32,
    gap: Duration,
    busy_until: Instant,
    strays: usize,
    echo: Echo,
    /// The echo is what the configuration says, whatever is heard.
    echo_is_fixed: bool,
    echo_misses: u8,
}

impl Line {
    /// Opens the device for us alone.
    pub(super) async fn open(
        port: &PortAddress,
        baud: u32,
        gap: Duration,
        echo: EchoSetting,
    ) -> Result<Self, PortError> {
        let device = Transport::open(port, baud).await?;
        // Whoever had the port before may have been talking.
        let busy_until = Instant::now();
        Ok(Self {
            device,
            baud,
            gap,
            busy_until,
            strays: 0,
            echo: match echo {
                EchoSetting::Auto => Echo::Unknown,
                EchoSetting::Present => Echo::Present,
                EchoSetting::Absent => Echo::Absent,
            },
            echo_is_fixed: echo != EchoSetting::Auto,
            echo_misses: 0,
        })
    }

    /// What is known of the adapter's echo.
    pub(super) fn echo(&self) -> Echo {
        self.echo
    }

    /// Keeps another gap from now on.
    pub(super) fn set_gap(&mut self, gap: Duration) {
        self.gap = gap;
    }

    /// Speaks at another speed from now on.
    pub(super) fn set_baud(&mut self, baud: u32) -> Result<(), Gone> {
        if self.baud != baud {
            self.device.set_baud(baud)?;
            self.baud = baud;
        }
        Ok(())
    }

    /// Bytes heard since the last call while nobody was asked.
    pub(super) fn take_strays(&mut self) -> usize {
        std::mem::take(&mut self.strays)
    }

    /// How long bytes take on the line.
    fn wire_time(&self, bytes: usize) -> Duration {
        let bits = u64::from(BITS_PER_BYTE) * u64::try_from(bytes).unwrap_or(u64::MAX);
        Duration::from_micros(
            (bits.saturating_mul(1_000_000)).div_ceil(u64::from(self.baud.max(1))),
        )
    }

    /// What the last reply taught about the echo.
    fn learn_echo(&mut self, scanner: &Scanner<'_>, heard: Option<&Heard>) {
        if self.echo_is_fixed {
            return;
        }
        let without = heard.is_some() && scanner.missed_echo();
        self.echo_misses = if without { self.echo_misses.saturating_add(1) } else { 0 };
        self.echo =
            if self.echo_misses >= ECHO_MISSES_MAX { Echo::Unknown } else { scanner.echo(heard) };
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
        self.busy_until = Instant::now().max(at + self.wire_time(frame.bytes().len()));
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
        let asked_until = self.busy_until;
        let deadline = asked_until + wait;
        let mut scanner = Scanner::new(codec, call, self.echo);
        let mut raw = Vec::with_capacity(BUFFER_BYTES);
        let heard = self.listen_for(&mut scanner, deadline, &mut raw).await;
        if let Ok(heard) = &heard {
            self.learn_echo(&scanner, heard.as_ref());
        }
        let answered = matches!(heard, Ok(Some(_)));
        let after = answered.then(|| self.busy_until.saturating_duration_since(asked_until));
        Received { heard, tally: scanner.tally(), raw, after }
    }

    /// Waits for bytes nobody asked for; safe to cancel. An error means the device is gone.
    pub(super) async fn listen(&mut self) -> Result<(), Gone> {
        let mut chunk = [0; BUFFER_BYTES];
        let bytes = self.device.read(&mut chunk).await?;
        self.strays = self.strays.saturating_add(bytes);
        self.busy_until = Instant::now();
        Ok(())
    }

    /// Listens on for a while; returns how many bytes came.
    pub(super) async fn linger(&mut self, span: Duration) -> Result<usize, Gone> {
        let (until, before) = (Instant::now() + span, self.strays);
        while Instant::now() < until {
            let Ok(heard) = timeout_at(until.into(), self.listen()).await else { break };
            heard?;
        }
        Ok(self.strays - before)
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
            match timeout_at(until.into(), self.device.read(&mut chunk)).await {
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
            let write = self.device.write(&bytes[written..]);
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
            match self.device.read_now(&mut chunk)? {
                Some(bytes) => drained += bytes,
                None => break,
            }
        }
        self.strays = self.strays.saturating_add(drained);
        Ok(drained)
    }
}
