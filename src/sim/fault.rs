//! Faults a test or a person puts on the line.
//!
//! A fault names a bus and, if wanted, a board, a lock or a command byte. Each request that
//! matches draws the fault's probability and uses up one of its `times`; without `times` it stays
//! until cleared, or until its `for_ms` is over. Several faults may hit one request. Echoes, a
//! stalled reader and whatever ails a lock are states rather than events: they hold until cleared.
//! `fault/parse.rs` reads the form a person writes, `fault/list.rs` finds what strikes a request.

use serde::{Deserialize, Serialize};

use super::SimError;
use super::config::BoardKey;

mod list;
mod parse;

pub(super) use list::{Asked, Faults};
use parse::FaultBody;

/// Most faults that may be set at a time.
pub const FAULTS_MAX: usize = 64;
/// Longest delay of a fault, in milliseconds.
pub const FAULT_DELAY_MS_MAX: u32 = 60_000;
/// Most noise bytes around a reply.
pub const NOISE_BYTES_MAX: u32 = 64;
/// Most bits of a reply that are turned over.
pub const BIT_FLIPS_MAX: u32 = 64;
/// Most edges of a chattering switch.
pub const BOUNCE_EDGES_MAX: u32 = 1_000;

/// When a fault pulls the adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnplugMoment {
    /// Before the board has the request: it is not obeyed.
    BeforeRequest,
    /// The request is obeyed, the reply is lost.
    #[default]
    BeforeReply,
    /// Half of the reply has come.
    WithinReply,
    /// The reply has come.
    AfterReply,
    /// As a coil goes on, as from its interference; requests that open nothing pass.
    CoilOn,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// The board neither obeys nor answers.
    Silent,
    /// The board obeys but does not answer.
    SilentObeys,
    /// The board answers but its lock gets no current.
    AcksButDead,
    /// The reply leaves this much later.
    Late {
        /// Delay beyond the board's turnaround. Milliseconds.
        ms: u32,
    },
    /// The board obeys and answers this much later.
    Slow {
        /// Delay of both. Milliseconds.
        ms: u32,
    },
    /// Random bytes come before the reply.
    Noise {
        /// How many.
        bytes: u32,
    },
    /// Random bytes come after the reply.
    SuffixNoise {
        /// How many.
        bytes: u32,
    },
    /// The reply stops early.
    Truncated {
        /// How many of its bytes are still sent.
        bytes: u32,
    },
    /// Random bits of the reply are turned over.
    BitFlip {
        /// How many.
        bits: u32,
    },
    /// Random bits before the checksum are turned over, and the checksum is right again.
    BitFlipFixed {
        /// How many.
        bits: u32,
    },
    /// The reply carries the next address, with a right checksum.
    WrongAddress,
    /// The reply carries the next command byte, with a right checksum.
    WrongCommand,
    /// The reply names the next lock, with a right checksum; one that names none stays as it is.
    WrongLock,
    /// The length byte of the reply says 255, or, where there is none, the reply has a byte too
    /// many. The checksum is right.
    WrongLength,
    /// The reply's last byte is wrong.
    BadChecksum,
    /// The reply is sent twice.
    Duplicate,
    /// The reply is held back and sent together with the next one on the bus.
    Coalesced,
    /// Another board talks over the end of the reply.
    Collision,
    /// A frame that nobody asked for comes before the reply: the board's own word that a lock
    /// changed, or, in families without one, the reply of another board.
    Unsolicited,
    /// A Modbus board refuses with this code and does nothing.
    Exception {
        /// The exception code.
        code: u8,
    },
    /// The board refuses in the way of its family and does nothing; KERONG boards stay silent.
    Nak,
    /// The board refuses to pulse a lock that was pulsed less than this time ago.
    Cooldown {
        /// Milliseconds.
        ms: u32,
    },
    /// The reply comes byte by byte.
    Drip {
        /// Time from byte to byte. Milliseconds.
        ms: u32,
    },
    /// The board runs at another speed: it understands nothing and answers garbage.
    BaudGarbage,
    /// The board starts anew: outputs off, settings but its address lost, deaf for 300 ms.
    BoardReset,
    /// The adapter vanishes.
    Unplug {
        /// When.
        moment: UnplugMoment,
        /// It comes back after this time; none: it stays away until replugged. Milliseconds.
        back_after_ms: Option<u32>,
    },
    /// The bus hears its own requests back first, until cleared.
    Echo,
    /// The bus hears the first bytes of what it sent back, until cleared.
    PartialEcho {
        /// How many bytes of each piece that was sent.
        bytes: u32,
    },
    /// Nothing is read from the client any more, so that its port fills up, until cleared.
    Stalled,
    /// The door switch reads open whatever the door does, until cleared.
    SensorOpen,
    /// The door switch reads closed whatever the door does, until cleared.
    SensorClosed,
    /// The door switch reads the other way round, until cleared.
    Inverted,
    /// The door switch chatters once, with nothing moving; holds until cleared.
    Bounce {
        /// Changes of the switch, an even number from 2 to 1,000.
        edges: u32,
        /// Time from change to change. Milliseconds, at least 1.
        ms: u32,
    },
    /// The switch reads closed without current, also while the door is open, until cleared.
    SpringBack,
    /// The latch does not let go whatever the coil does, until cleared.
    StuckLatch,
    /// A relay that goes on stays on whatever is commanded, until cleared.
    Welded,
}

impl FaultKind {
    /// Whether it is a state that holds until cleared, instead of hitting requests.
    pub(super) const fn is_state(self) -> bool {
        self.is_of_bus() || self.is_of_lock()
    }

    /// Whether it is a state of a whole bus.
    const fn is_of_bus(self) -> bool {
        matches!(self, Self::Echo | Self::PartialEcho { .. } | Self::Stalled)
    }

    /// Whether it is a state of locks.
    const fn is_of_lock(self) -> bool {
        matches!(
            self,
            Self::SensorOpen
                | Self::SensorClosed
                | Self::Inverted
                | Self::Bounce { .. }
                | Self::SpringBack
                | Self::StuckLatch
                | Self::Welded
        )
    }

    fn check(self) -> Result<(), SimError> {
        let refuse = |text: &str| Err(SimError::Fault(text.to_owned()));
        match self {
            Self::Late { ms } | Self::Slow { ms } | Self::Drip { ms } | Self::Cooldown { ms }
                if ms > FAULT_DELAY_MS_MAX =>
            {
                refuse("ms must be at most 60000")
            }
            Self::Unplug { back_after_ms: Some(ms), .. } if ms > FAULT_DELAY_MS_MAX => {
                refuse("back_after_ms must be at most 60000")
            }
            Self::Noise { bytes } | Self::SuffixNoise { bytes } | Self::PartialEcho { bytes }
                if !(1..=NOISE_BYTES_MAX).contains(&bytes) =>
            {
                refuse("bytes must be 1 to 64")
            }
            Self::BitFlip { bits } | Self::BitFlipFixed { bits }
                if !(1..=BIT_FLIPS_MAX).contains(&bits) =>
            {
                refuse("bits must be 1 to 64")
            }
            Self::Bounce { edges, ms }
                if edges % 2 == 1
                    || !(2..=BOUNCE_EDGES_MAX).contains(&edges)
                    || !(1..=FAULT_DELAY_MS_MAX).contains(&ms) =>
            {
                refuse("edges must be even, 2 to 1000, and ms 1 to 60000")
            }
            _ => Ok(()),
        }
    }
}

/// A fault and where it strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "FaultBody")]
pub struct Fault {
    /// The bus it strikes.
    pub bus: String,
    /// Only this board (its name or configured address; two boards may share an address).
    pub board: Option<BoardKey>,
    /// Only requests that name this lock, from 1.
    pub lock: Option<u8>,
    /// Only this command or function byte.
    pub command: Option<u8>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// For so many requests; none: until cleared.
    pub times: Option<u32>,
    /// Strikes a matching request with this probability, 0 to 1; none: always.
    pub probability: Option<f64>,
    /// Ends by itself after this time; none: it does not. Milliseconds.
    pub for_ms: Option<u32>,
}

impl Fault {
    /// A fault for every request on a bus, until cleared.
    #[must_use]
    pub fn new(bus: &str, kind: FaultKind) -> Self {
        Self {
            bus: bus.to_owned(),
            board: None,
            lock: None,
            command: None,
            kind,
            times: None,
            probability: None,
            for_ms: None,
        }
    }

    /// Only on one board.
    #[must_use]
    pub fn board(mut self, board: impl Into<BoardKey>) -> Self {
        self.board = Some(board.into());
        self
    }

    /// Only for requests that name this lock, from 1.
    #[must_use]
    pub fn lock(mut self, lock: u8) -> Self {
        self.lock = Some(lock);
        self
    }

    /// Only for one command byte.
    #[must_use]
    pub fn command(mut self, command: u8) -> Self {
        self.command = Some(command);
        self
    }

    /// Only for the next `times` matches.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Only with a probability, 0 to 1.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// Only for a time, in milliseconds.
    #[must_use]
    pub fn for_ms(mut self, for_ms: u32) -> Self {
        self.for_ms = Some(for_ms);
        self
    }

    /// Checks ranges and combinations.
    pub(super) fn check(&self) -> Result<(), SimError> {
        let refuse = |text: &str| Err(SimError::Fault(text.to_owned()));
        if self.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return refuse("probability must be between 0 and 1");
        }
        if self.times == Some(0) {
            return refuse("times must be at least 1");
        }
        if self.lock == Some(0) {
            return refuse("locks count from 1");
        }
        let counted = self.times.is_some() || self.probability.is_some() || self.command.is_some();
        if self.kind.is_state() && counted {
            return refuse("states hold until cleared: no times, command, chance");
        }
        if self.kind.is_of_bus() && (self.board.is_some() || self.lock.is_some()) {
            return refuse("echo and stalled belong to a whole bus");
        }
        if self.kind.is_of_lock() && self.board.is_none() {
            return refuse("a fault of a lock needs its board");
        }
        self.kind.check()
    }
}

/// A fault in force.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActiveFault {
    /// Its number, from 1.
    pub id: u64,
    /// What was asked for.
    #[serde(flatten)]
    pub fault: Fault,
    /// Requests it struck.
    pub struck: u64,
    /// Requests it will still strike; none: until cleared.
    pub left: Option<u32>,
    /// When it was set. Microseconds since the simulator started.
    pub since_us: u64,
}

impl ActiveFault {
    /// When it ends by itself.
    fn until_us(&self) -> Option<u64> {
        self.fault.for_ms.map(|ms| self.since_us + u64::from(ms) * 1_000)
    }
}

#[cfg(test)]
mod tests;
