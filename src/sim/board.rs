//! One board: its address, registers, locks and counters, whatever protocol it speaks.
//!
//! The families (`modbus.rs`, `kerong.rs`) read a board and say what it answers and which coils
//! it switches; they change no lock themselves, so that `world.rs` sees every coil go on. A new
//! family is one more file with the functions that [`SimFamily`] and [`Board`] dispatch to here.
//! `framer.rs` cuts the byte stream for them.

use super::config::{Physics, SimBoard, SimFamily};
use super::framer::Found;
use super::kerong::{self, cu48};
use super::lock::Lock;
use super::{modbus, wkly, xor};

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
    /// The other families have nothing that can be set.
    Nothing,
}

impl Registers {
    /// As the board comes out of its box.
    fn fresh(config: &SimBoard) -> Self {
        match config.family {
            SimFamily::ModbusRelay => Self::Modbus {
                modes: vec![0; usize::from(config.locks)],
                serial: modbus::SERIAL_9600_8N1,
            },
            SimFamily::KerongCu16 => {
                Self::Kerong { unlock_time_10ms: config.unlock_ms().div_ceil(10) }
            }
            SimFamily::XorBoard
            | SimFamily::KerongCu48
            | SimFamily::KerongCu48Ir
            | SimFamily::Wkly => Self::Nothing,
        }
    }
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

/// How many coils a frame asks to switch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opens {
    /// None.
    Nothing,
    /// A single one.
    One,
    /// Several with one command, which a careful client never asks for.
    Many,
}

impl Opens {
    /// For so many coils.
    pub(super) const fn count(coils: usize) -> Self {
        match coils {
            0 => Self::Nothing,
            1 => Self::One,
            _ => Self::Many,
        }
    }
}

/// Where the fields of a reply stand, for the faults that bend them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Index of the command byte.
    pub(super) command: usize,
    /// Index of the byte that names the lock, if one does.
    pub(super) lock: Option<usize>,
    /// Index of a length byte, if there is one.
    pub(super) length: Option<usize>,
    /// Bytes of the checksum at the end.
    pub(super) sum_len: usize,
}

/// What a frame asks for, as far as a fault needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// The command or function byte.
    pub(super) command: u8,
    /// The lock it names, from 1.
    pub(super) lock: Option<u8>,
    /// How many coils it wants on.
    pub(super) opens: Opens,
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
    /// The board is busy for so long before it replies.
    pub(super) after_us: u64,
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
    /// The bits it told last, where it tells of changes by itself.
    pub(super) told: Vec<bool>,
    /// Its previous reply leaves no earlier than this; it answers one thing after the other.
    pub(super) busy_until_us: u64,
    /// It is starting up and hears nothing before.
    pub(super) boots_until_us: u64,
    /// Times it started anew.
    pub(super) resets: u64,
}

impl Board {
    /// A fresh board; `seed` gives each of its locks a bounce pattern of its own.
    pub(super) fn new(config: &SimBoard, physics: Physics, seed: u64) -> Self {
        let locks = (0..u64::from(config.locks))
            .map(|n| Lock::new(physics, seed.wrapping_add(n.wrapping_mul(0x9E37_79B9))))
            .collect();
        Self {
            address: config.address,
            config: config.clone(),
            registers: Registers::fresh(config),
            locks,
            told: (0..usize::from(config.locks)).map(|n| config.closed_bit_of(n)).collect(),
            requests: 0,
            replies: 0,
            busy_until_us: 0,
            boots_until_us: 0,
            resets: 0,
        }
    }

    /// Whether `frame` is for this board.
    pub(super) fn addressed(&self, frame: &[u8]) -> Addressed {
        match self.config.family {
            SimFamily::ModbusRelay => modbus::addressed(self, frame),
            SimFamily::XorBoard => xor::addressed(self, frame),
            SimFamily::KerongCu16 => kerong::addressed(self, frame),
            SimFamily::KerongCu48 | SimFamily::KerongCu48Ir => cu48::addressed(self, frame),
            SimFamily::Wkly => wkly::addressed(self, frame),
        }
    }

    /// Does what `frame` says to registers, and tells the reply and the coils to switch.
    pub(super) fn execute(&mut self, frame: &[u8], now_us: u64) -> Execution {
        match self.config.family {
            SimFamily::ModbusRelay => modbus::execute(self, frame, now_us),
            SimFamily::XorBoard => xor::execute(self, frame, now_us),
            SimFamily::KerongCu16 => kerong::execute(self, frame, now_us),
            SimFamily::KerongCu48 | SimFamily::KerongCu48Ir => cu48::execute(self, frame, now_us),
            SimFamily::Wkly => wkly::execute(self, frame, now_us),
        }
    }

    /// What the board says by itself when a lock has changed, if its family can.
    pub(super) fn changed(&self, index: usize, bit: bool) -> Option<Vec<u8>> {
        match self.config.family {
            SimFamily::XorBoard => Some(xor::changed(self, index, bit)),
            SimFamily::Wkly => Some(wkly::changed(self, index, bit)),
            _ => None,
        }
    }

    /// The refusal of a request in the way of the family, if it has one. `code` is the Modbus one.
    pub(super) fn refusal(&self, frame: &[u8], command: u8, code: u8) -> Option<Vec<u8>> {
        match self.config.family {
            SimFamily::ModbusRelay => modbus::exception(self.address, command, code).reply,
            SimFamily::XorBoard => xor::refusal(self, frame),
            SimFamily::Wkly => Some(wkly::refusal(self, frame)),
            SimFamily::KerongCu16 | SimFamily::KerongCu48 | SimFamily::KerongCu48Ir => None,
        }
    }

    /// A frame that nobody asked for: its own word about a lock, or, in families without one, the
    /// reply of the next board.
    pub(super) fn word_out_of_turn(
        &self,
        lock: Option<u8>,
        reply: Option<&[u8]>,
    ) -> Option<Vec<u8>> {
        let index = lock.map_or(0, |lock| usize::from(lock.saturating_sub(1)));
        let told = self.told.get(index).copied().unwrap_or(false);
        self.changed(index, told).or_else(|| {
            let mut other = reply?.to_vec();
            self.config.family.readdress(&mut other);
            Some(other)
        })
    }

    /// Forgets its settings, but not its address, and hears nothing for a while.
    pub(super) fn start_anew(&mut self, boots_until_us: u64) {
        self.registers = Registers::fresh(&self.config);
        self.boots_until_us = boots_until_us;
        self.resets += 1;
    }

    /// The frames in which the board tells by itself what changed since it told last.
    pub(super) fn news(&mut self, now_us: u64) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for index in 0..self.locks.len() {
            let bit = self.door_bit(index, now_us);
            if self.told[index] != bit {
                self.told[index] = bit;
                frames.extend(self.changed(index, bit));
            }
        }
        frames
    }

    /// The bit that a board with this polarity reports for the lock at `index`.
    pub(super) fn door_bit(&mut self, index: usize, now_us: u64) -> bool {
        let closed_bit = self.config.closed_bit_of(index);
        let senses = self.config.senses;
        self.locks
            .get_mut(index)
            .is_some_and(|lock| lock.reads_closed(senses, now_us) == closed_bit)
    }

    /// The bit that the lock at `index` will show when the board answers an unlock that begins
    /// now. A copy of the lock is asked: what a person does meanwhile is not foreseen.
    pub(super) fn bit_after_pulse(&self, index: usize, now_us: u64, pulse_us: u64) -> bool {
        let Some(mut lock) = self.locks.get(index).cloned() else { return false };
        lock.energise(now_us, now_us, Some(pulse_us));
        let closed = lock.reads_closed(self.config.senses, now_us + self.unlock_reply_us());
        closed == self.config.closed_bit_of(index)
    }

    /// The unlock time set in the board.
    pub(super) fn pulse_us(&self) -> u64 {
        match self.registers {
            Registers::Kerong { unlock_time_10ms } => u64::from(unlock_time_10ms) * 10_000,
            _ => u64::from(self.config.unlock_ms()) * 1_000,
        }
    }

    /// Time from the start of a pulse to the answer.
    pub(super) fn unlock_reply_us(&self) -> u64 {
        u64::from(self.config.unlock_reply_ms) * 1_000
    }

    /// Pulses for these locks, each after the one before, and how long they take together.
    pub(super) fn one_after_another(&self, indexes: &[usize]) -> (Vec<(usize, CoilSwitch)>, u64) {
        let pulse_us = self.pulse_us();
        let mut after_us = 0;
        let mut coils = Vec::with_capacity(indexes.len());
        for index in indexes {
            coils.push((*index, CoilSwitch::On { after_us, duration_us: Some(pulse_us) }));
            after_us += pulse_us;
        }
        (coils, after_us)
    }
}

impl SimFamily {
    /// Looks for a frame at the start of what was received.
    pub(super) fn find_frame(self, buffer: &[u8]) -> Found {
        match self {
            Self::ModbusRelay => modbus::find_frame(buffer),
            Self::XorBoard => xor::find_frame(buffer),
            Self::KerongCu16 => kerong::find_frame(buffer),
            Self::KerongCu48 | Self::KerongCu48Ir => cu48::find_frame(self, buffer),
            Self::Wkly => wkly::find_frame(buffer),
        }
    }

    /// Takes what is left when the line falls silent as a whole frame, where the family does so.
    pub(super) fn frame_at_silence(self, buffer: &[u8]) -> bool {
        self == Self::ModbusRelay && modbus::frame_at_silence(buffer)
    }

    /// Command and lock of a frame whose integrity holds.
    pub(super) fn target(self, frame: &[u8]) -> Target {
        match self {
            Self::ModbusRelay => modbus::target(frame),
            Self::XorBoard => xor::target(frame),
            Self::KerongCu16 => kerong::target(frame),
            Self::KerongCu48 | Self::KerongCu48Ir => cu48::target(self, frame),
            Self::Wkly => wkly::target(frame),
        }
    }

    /// The same reply as if another board had sent it, checksum right.
    pub(super) fn readdress(self, reply: &mut [u8]) {
        match self {
            Self::ModbusRelay => modbus::readdress(reply),
            Self::XorBoard => xor::readdress(reply),
            Self::KerongCu16 => kerong::readdress(reply),
            Self::KerongCu48 | Self::KerongCu48Ir => cu48::readdress(reply),
            Self::Wkly => wkly::readdress(reply),
        }
    }

    /// Where the fields of a reply stand.
    pub(super) fn layout(self, reply: &[u8]) -> Layout {
        match self {
            Self::ModbusRelay => modbus::layout(reply),
            Self::XorBoard => xor::layout(reply),
            Self::KerongCu16 => kerong::layout(),
            Self::KerongCu48 | Self::KerongCu48Ir => cu48::layout(),
            Self::Wkly => wkly::layout(reply),
        }
    }

    /// Puts the right checksum at the end of a reply that was bent.
    pub(super) fn reseal(self, reply: &mut [u8]) {
        match self {
            Self::ModbusRelay => modbus::reseal(reply),
            Self::XorBoard => xor::reseal(reply),
            Self::KerongCu16 | Self::KerongCu48 | Self::KerongCu48Ir => kerong::reseal(reply),
            Self::Wkly => wkly::reseal(reply),
        }
    }
}
