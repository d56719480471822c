//! Scripted boards on the other end of a pty: they answer by the book unless a test bends them.
//!
//! Written without the codecs under test. One line speaks one family; every request is logged with
//! the time it was whole.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio_serial::{SerialPort, SerialStream};

use crate::domain::channel::Family;

/// Turns a request and the reply by the book into what really comes, each part after a delay.
pub(super) type Bend = Box<dyn FnMut(&[u8], Vec<u8>) -> Vec<(u64, Vec<u8>)> + Send>;

/// One board. Bit 0 is lock 1; a set input is a closed door.
#[derive(Clone)]
pub(super) struct FakeBoard {
    pub(super) inputs: u8,
    pub(super) relays: u8,
    pub(super) silent: bool,
    pub(super) door_opens: bool,
    pub(super) refuses: Option<(u8, u8)>,
    pub(super) pulses: u32,
    /// So many pulses move nothing.
    pub(super) jammed_pulses: u32,
}

impl FakeBoard {
    pub(super) const GOOD: Self = Self {
        inputs: 0xFF,
        relays: 0,
        silent: false,
        door_opens: true,
        refuses: None,
        pulses: 0,
        jammed_pulses: 0,
    };
}

pub(super) struct World {
    pub(super) family: Family,
    pub(super) boards: BTreeMap<u8, FakeBoard>,
    pub(super) log: Vec<(Instant, Vec<u8>)>,
    pub(super) echo: bool,
    pub(super) bend: Option<Bend>,
    /// The adapter vanishes when a request with this second byte was heard.
    pub(super) vanish_at: Option<u8>,
}

/// A pty behind a stable name.
pub(super) struct FakeLine {
    directory: tempfile::TempDir,
    world: Arc<Mutex<World>>,
    task: Option<JoinHandle<()>>,
}

impl FakeLine {
    pub(super) fn new(family: Family, boards: &[(u8, FakeBoard)]) -> Self {
        let boards = boards.iter().cloned().collect();
        let log = Vec::new();
        let world = World { family, boards, log, echo: false, bend: None, vanish_at: None };
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut line = Self { directory, world: Arc::new(Mutex::new(world)), task: None };
        line.plug();
        line
    }

    pub(super) fn port(&self) -> PathBuf {
        self.directory.path().join("port")
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no test panics holding it")
    }

    pub(super) fn board(&self, address: u8, change: impl FnOnce(&mut FakeBoard)) {
        change(self.world().boards.get_mut(&address).expect("on this line"));
    }

    /// Requests heard so far.
    pub(super) fn heard(&self) -> Vec<Vec<u8>> {
        self.world().log.iter().map(|(_, request)| request.clone()).collect()
    }

    /// Creates a new pty and points the name at it.
    pub(super) fn plug(&mut self) {
        let (master, mut slave) = SerialStream::pair().expect("a pty");
        let device = slave.name().expect("a slave has a name");
        slave.set_exclusive(false).expect("a pty may be shared");
        let next = self.directory.path().join("next");
        symlink(device, &next).expect("a fresh name");
        std::fs::rename(next, self.port()).expect("one directory");
        self.task = Some(tokio::spawn(serve(master, Arc::clone(&self.world))));
    }

    /// The adapter is pulled out.
    pub(super) async fn unplug(&mut self) {
        remove(&self.port());
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }
}

fn remove(path: &Path) {
    std::fs::remove_file(path).expect("the name stands");
}

async fn serve(mut master: SerialStream, world: Arc<Mutex<World>>) {
    let mut buffer = Vec::new();
    let mut chunk = [0; 64];
    loop {
        match master.read(&mut chunk).await {
            Ok(bytes) if bytes > 0 => buffer.extend_from_slice(&chunk[..bytes]),
            // Nobody has the other end open.
            _ => {
                tokio::time::sleep(Duration::from_millis(2)).await;
                continue;
            }
        }
        let (parts, vanish) = {
            let mut world = world.lock().expect("no test panics holding it");
            let length = if world.family == Family::KerongCu16 { 5 } else { 8 };
            if buffer.len() < length {
                continue;
            }
            let request: Vec<_> = buffer.drain(..length).collect();
            world.log.push((Instant::now(), request.clone()));
            (world.answer(&request), world.vanish_at == Some(request[1]))
        };
        if vanish {
            return;
        }
        for (delay_ms, part) in parts {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            if master.write_all(&part).await.is_err() {
                break;
            }
        }
    }
}

impl World {
    fn answer(&mut self, request: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let reply = match self.family {
            Family::KerongCu16 => self.kerong(request),
            _ => self.modbus(request),
        };
        let mut parts = if self.echo { vec![(0, request.to_vec())] } else { Vec::new() };
        let Some(reply) = reply else { return parts };
        parts.extend(match &mut self.bend {
            Some(bend) => bend(request, reply),
            None => vec![(1, reply)],
        });
        parts
    }

    fn kerong(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        let board = self.boards.get_mut(&(request[1] >> 4)).filter(|board| !board.silent)?;
        if request[2] == 0x31 {
            board.pulse(request[1] & 0x0F);
            return None;
        }
        let mut reply = vec![2, request[1], 0x35, board.inputs, 0xFF, 0, 0, 3];
        reply.push(reply.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
        Some(reply)
    }

    fn modbus(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        let board = self.boards.get_mut(&request[0]).filter(|board| !board.silent)?;
        let function = request[1];
        if let Some((refused, code)) = board.refuses
            && refused == function
        {
            return Some(with_crc(&[request[0], function | 0x80, code]));
        }
        match (function, request[2]) {
            (1, _) => Some(with_crc(&[request[0], 1, 1, board.relays])),
            (2, _) => Some(with_crc(&[request[0], 2, 1, board.inputs])),
            (3, _) => Some(with_crc(&[request[0], 3, 2, 0, 200])),
            (_, 2) => {
                board.pulse(request[3]);
                Some(request.to_vec())
            }
            (5, 0) if request[3] != 0xFF => {
                if request[4] == 0xFF {
                    board.pulse(request[3]);
                } else {
                    board.relays &= !(1 << request[3]);
                }
                Some(request.to_vec())
            }
            _ => {
                board.relays = 0;
                Some(request.to_vec())
            }
        }
    }
}

impl FakeBoard {
    fn pulse(&mut self, index: u8) {
        self.relays |= 1 << index;
        self.pulses += 1;
        if self.door_opens && self.pulses > self.jammed_pulses {
            self.inputs &= !(1 << index);
        }
    }
}

/// Appends the checksum, computed bit by bit.
pub(super) fn with_crc(body: &[u8]) -> Vec<u8> {
    let crc = body.iter().fold(0xFFFF_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 }
        })
    });
    [body, &crc.to_le_bytes()].concat()
}
