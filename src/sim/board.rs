//! One board: its address, registers, locks and counters, whatever protocol it speaks.
//!
//! The families (`modbus.rs`, `kerong.rs`) read a board and say what it answers and which coils
//! it switches; they change no lock themselves, so that `world.rs` sees every coil go on. A new
//! family is one more file with the five functions that [`SimFamily`] dispatches to here, and one
//! more variant of [`SimFamily`] and of [`Registers`].

use super::config::{Physics, SimBoard, SimFamily};
use super::lock::Lock;
use super::{kerong, modbus};

/// What a board remembers beside its locks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Registers {
    /// Modbus holding registers.
    Modbus {
        /// 0x1000 and following: mode of each channel, 0 is normal.
        modes: Vec<u16>,
        /// 0x2000: parity in the high byte, speed code in the low one.
        serial: u16,
    },
    /// KERONG settings.
    Kerong {
        /// Unlock time in units of 10 ms.
        unlock_time_10ms: u16,
    },
}

/// Whether a frame is meant for a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addressed {
    /// To another board.
    No,
    /// To this one alone.
    Own,
    /// To every board on the bus.
    Every,
}

/// What a frame asks for, as far as a fault needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// The command or function byte.
    pub(super) command: u8,
    /// The lock it names, from 1.
    pub(super) lock: Option<u8>,
}

/// A change of a coil that a frame asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CoilSwitch {
    /// Current after a delay, for a time; without a time until switched off.
    On { after_us: u64, duration_us: Option<u64> },
    /// No current from now on.
    Off,
}

/// What a board does about a frame.
#[derive(Debug, Default)]
pub(super) struct Execution {
    /// The reply, if the board gives one.
    pub(super) reply: Option<Vec<u8>>,
    /// Boards answering in turn wait for those with lower addresses.
    pub(super) in_turn: bool,
    /// Coils to switch: lock index from 0 and what to do, in order.
    pub(super) coils: Vec<(usize, CoilSwitch)>,
}

impl Execution {
    /// Nothing but a reply.
    pub(super) fn reply(bytes: Vec<u8>) -> Self {
        Self { reply: Some(bytes), ..Self::default() }
    }
}

/// One board on a bus.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) config: SimBoard,
    /// The address it listens to now; starts as the configured one.
    pub(super) address: u8,
    pub(super) registers: Registers,
    pub(super) locks: Vec<Lock>,
    /// Requests it obeyed or answered.
    pub(super) requests: u64,
    /// Replies it sent.
    pub(super) replies: u64,
    /// Its previous reply leaves no earlier than this; it answers one thing after the other.
    pub(super) busy_until_us: u64,
}

impl Board {
    /// A fresh board; `seed` gives each of its locks a bounce pattern of its own.
    pub(super) fn new(config: &SimBoard, physics: Physics, seed: u64) -> Self {
        let registers = match config.family {
            SimFamily::ModbusRelay => Registers::Modbus {
                modes: vec![0; usize::from(config.locks)],
                serial: modbus::SERIAL_9600_8N1,
            },
            SimFamily::KerongCu16 => {
                Registers::Kerong { unlock_time_10ms: config.pulse_ms.div_ceil(10) }
            }
        };
        let locks = (0..u64::from(config.locks))
            .map(|n| Lock::new(physics, seed.wrapping_add(n.wrapping_mul(0x9E37_79B9))))
            .collect();
        Self {
            address: config.address,
            config: config.clone(),
            registers,
            locks,
            requests: 0,
            replies: 0,
            busy_until_us: 0,
        }
    }

    /// Whether `frame` is for this board.
    pub(super) fn addressed(&self, frame: &[u8]) -> Addressed {
        match self.config.family {
            SimFamily::ModbusRelay => modbus::addressed(self, frame),
            SimFamily::KerongCu16 => kerong::addressed(self, frame),
        }
    }

    /// Does what `frame` says to registers, and tells the reply and the coils to switch.
    pub(super) fn execute(&mut self, frame: &[u8], now_us: u64) -> Execution {
        match self.config.family {
            SimFamily::ModbusRelay => modbus::execute(self, frame, now_us),
            SimFamily::KerongCu16 => kerong::execute(self, frame, now_us),
        }
    }

    /// The bit that a board with this polarity reports for the lock at `index`.
    pub(super) fn door_bit(&mut self, index: usize, now_us: u64) -> bool {
        let closed_bit = self.config.closed_bit;
        self.locks.get_mut(index).is_some_and(|lock| lock.reads_closed(now_us) == closed_bit)
    }
}

impl SimFamily {
    /// Looks for a frame at the start of what was received.
    pub(super) fn find_frame(self, buffer: &[u8]) -> Found {
        match self {
            Self::ModbusRelay => modbus::find_frame(buffer),
            Self::KerongCu16 => kerong::find_frame(buffer),
        }
    }

    /// Takes what is left when the line falls silent as a whole frame, where the family does so.
    pub(super) fn frame_at_silence(self, buffer: &[u8]) -> bool {
        match self {
            Self::ModbusRelay => modbus::frame_at_silence(buffer),
            Self::KerongCu16 => false,
        }
    }

    /// Command and lock of a frame whose integrity holds.
    pub(super) fn target(self, frame: &[u8]) -> Target {
        match self {
            Self::ModbusRelay => modbus::target(frame),
            Self::KerongCu16 => kerong::target(frame),
        }
    }

    /// The same reply as if another board had sent it, checksum right.
    pub(super) fn readdress(self, reply: &mut [u8]) {
        match self {
            Self::ModbusRelay => modbus::readdress(reply),
            Self::KerongCu16 => kerong::readdress(reply),
        }
    }
}

/// What stands at the start of a receive buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Too little to tell.
    More,
    /// A frame of this many bytes, integrity checked.
    Frame(usize),
    /// This many bytes belong to no frame.
    Noise(usize),
    /// A broken frame: the board hears nothing more until the line falls silent.
    Broken,
}

/// Cuts the byte stream of one family into frames.
#[derive(Debug)]
pub(super) struct Framer {
    pub(super) family: SimFamily,
    buffer: Vec<u8>,
    deaf: bool,
    /// Bytes were thrown away since the last silence.
    pub(super) bad: bool,
}

impl Framer {
    /// An empty framer.
    pub(super) const fn new(family: SimFamily) -> Self {
        Self { family, buffer: Vec::new(), deaf: false, bad: false }
    }

    /// Whether nothing is waiting for its end.
    pub(super) const fn is_idle(&self) -> bool {
        self.buffer.is_empty() && !self.deaf
    }

    /// Takes received bytes and returns the frames they complete. Never keeps more than it was
    /// just given and the longest frame, for every family caps its lengths.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        if self.deaf {
            return frames;
        }
        self.buffer.extend_from_slice(bytes);
        while !self.buffer.is_empty() {
            match self.family.find_frame(&self.buffer) {
                Found::More => break,
                Found::Frame(len) => frames.push(self.buffer.drain(..len).collect()),
                Found::Noise(len) => {
                    self.bad = true;
                    self.buffer.drain(..len);
                }
                Found::Broken => {
                    self.bad = true;
                    self.deaf = true;
                    self.buffer.clear();
                }
            }
        }
        frames
    }

    /// Drops what was received so far: it was for another family.
    pub(super) fn forget(&mut self) {
        self.deaf = false;
        self.bad = false;
        self.buffer.clear();
    }

    /// The line fell silent: a half frame is thrown away, or taken if it is whole after all.
    pub(super) fn silence(&mut self) -> Option<Vec<u8>> {
        self.deaf = false;
        let rest = std::mem::take(&mut self.buffer);
        if rest.is_empty() {
            return None;
        }
        if self.family.frame_at_silence(&rest) {
            return Some(rest);
        }
        self.bad = true;
        None
    }
}
