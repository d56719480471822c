//! Faults a test or a person puts on the line, and how they find their request.
//!
//! A fault names a bus and, if wanted, a board, a lock or a command byte. Each request that
//! matches draws the fault's probability and uses up one of its `times`; without `times` it stays
//! until cleared. Several faults may hit one request. `echo`, `sensor_open` and `sensor_closed`
//! are states rather than events: they hold until cleared. `world.rs` owns the list.

use serde::{Deserialize, Serialize};

use super::SimError;
use super::board::Target;
use super::config::{BoardKey, SimBoard};
use super::random::Random;

/// Most faults that may be set at a time.
pub const FAULTS_MAX: usize = 64;
/// Longest delay of a fault, in milliseconds.
pub const FAULT_DELAY_MS_MAX: u32 = 60_000;
/// Most noise bytes before a reply.
pub const NOISE_BYTES_MAX: u32 = 64;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// The board neither obeys nor answers.
    Silent,
    /// The board obeys but does not answer.
    SilentObeys,
    /// The reply leaves this much later.
    Late {
        /// Delay beyond the board's turnaround. Milliseconds.
        ms: u32,
    },
    /// Random bytes come before the reply.
    Noise {
        /// How many.
        bytes: u32,
    },
    /// The reply stops early.
    Truncated {
        /// How many of its bytes are still sent.
        bytes: u32,
    },
    /// The reply carries the next address, with a right checksum.
    WrongAddress,
    /// The reply's last byte is wrong.
    BadChecksum,
    /// The reply is sent twice.
    Duplicate,
    /// A Modbus board refuses with this code and does nothing.
    Exception {
        /// The exception code.
        code: u8,
    },
    /// The reply comes byte by byte.
    Drip {
        /// Time from byte to byte. Milliseconds.
        ms: u32,
    },
    /// The request is obeyed and then the adapter vanishes, as from a coil's interference.
    Unplug {
        /// It comes back after this time; none: it stays away until replugged. Milliseconds.
        back_after_ms: Option<u32>,
    },
    /// The bus hears its own requests back first, until cleared.
    Echo,
    /// The door switch reads open whatever the door does, until cleared.
    SensorOpen,
    /// The door switch reads closed whatever the door does, until cleared.
    SensorClosed,
}

impl FaultKind {
    /// Whether it is a state that holds until cleared, instead of hitting requests.
    pub(super) const fn is_state(self) -> bool {
        matches!(self, Self::Echo | Self::SensorOpen | Self::SensorClosed)
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
            return refuse("echo and sensor faults hold until cleared: no times, command, chance");
        }
        match self.kind {
            FaultKind::Late { ms } | FaultKind::Drip { ms } if ms > FAULT_DELAY_MS_MAX => {
                refuse("ms must be at most 60000")
            }
            FaultKind::Unplug { back_after_ms: Some(ms) } if ms > FAULT_DELAY_MS_MAX => {
                refuse("back_after_ms must be at most 60000")
            }
            FaultKind::Noise { bytes } if !(1..=NOISE_BYTES_MAX).contains(&bytes) => {
                refuse("bytes must be 1 to 64")
            }
            FaultKind::Echo if self.board.is_some() || self.lock.is_some() => {
                refuse("echo belongs to a whole bus")
            }
            FaultKind::SensorOpen | FaultKind::SensorClosed if self.board.is_none() => {
                refuse("a sensor fault needs its board")
            }
            _ => Ok(()),
        }
    }
}

/// The flat form a person writes; turned into a [`Fault`] with a clear error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultBody {
    bus: String,
    kind: String,
    board: Option<BoardKey>,
    lock: Option<u8>,
    command: Option<u8>,
    times: Option<u32>,
    probability: Option<f64>,
    ms: Option<u32>,
    bytes: Option<u32>,
    code: Option<u8>,
    back_after_ms: Option<u32>,
}

impl TryFrom<FaultBody> for Fault {
    type Error = String;

    fn try_from(body: FaultBody) -> Result<Self, String> {
        let needs = |name: &str| format!("kind {:?} needs {name:?}", body.kind);
        let kind = match body.kind.as_str() {
            "silent" => FaultKind::Silent,
            "silent_obeys" => FaultKind::SilentObeys,
            "late" => FaultKind::Late { ms: body.ms.ok_or_else(|| needs("ms"))? },
            "noise" => FaultKind::Noise { bytes: body.bytes.ok_or_else(|| needs("bytes"))? },
            "truncated" => {
                FaultKind::Truncated { bytes: body.bytes.ok_or_else(|| needs("bytes"))? }
            }
            "wrong_address" => FaultKind::WrongAddress,
            "bad_checksum" => FaultKind::BadChecksum,
            "duplicate" => FaultKind::Duplicate,
            "exception" => FaultKind::Exception { code: body.code.ok_or_else(|| needs("code"))? },
            "drip" => FaultKind::Drip { ms: body.ms.ok_or_else(|| needs("ms"))? },
            "unplug" => FaultKind::Unplug { back_after_ms: body.back_after_ms },
            "echo" => FaultKind::Echo,
            "sensor_open" => FaultKind::SensorOpen,
            "sensor_closed" => FaultKind::SensorClosed,
            other => {
                return Err(format!(
                    "unknown kind {other:?}; known are silent, silent_obeys, late, noise, \
                     truncated, wrong_address, bad_checksum, duplicate, exception, drip, unplug, \
                     echo, sensor_open, sensor_closed"
                ));
            }
        };
        let stray = [
            (
                "ms",
                body.ms.is_some(),
                matches!(kind, FaultKind::Late { .. } | FaultKind::Drip { .. }),
            ),
            (
                "bytes",
                body.bytes.is_some(),
                matches!(kind, FaultKind::Noise { .. } | FaultKind::Truncated { .. }),
            ),
            ("code", body.code.is_some(), matches!(kind, FaultKind::Exception { .. })),
            (
                "back_after_ms",
                body.back_after_ms.is_some(),
                matches!(kind, FaultKind::Unplug { .. }),
            ),
        ];
        if let Some((name, ..)) = stray.iter().find(|(_, given, used)| *given && !*used) {
            return Err(format!("kind {:?} takes no {name:?}", body.kind));
        }
        Ok(Self {
            bus: body.bus,
            board: body.board,
            lock: body.lock,
            command: body.command,
            kind,
            times: body.times,
            probability: body.probability,
        })
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
}

/// The faults in force.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) active: Vec<ActiveFault>,
    last_id: u64,
}

impl Faults {
    /// Adds a checked fault and returns its number.
    pub(super) fn add(&mut self, fault: Fault) -> Result<u64, SimError> {
        if self.active.len() >= FAULTS_MAX {
            return Err(SimError::Fault(format!("at most {FAULTS_MAX} faults; clear some first")));
        }
        self.last_id += 1;
        let left = fault.times;
        self.active.push(ActiveFault { id: self.last_id, fault, struck: 0, left });
        Ok(self.last_id)
    }

    /// The kinds that strike this request, in the order they were set.
    pub(super) fn strike(
        &mut self,
        bus: &str,
        board: &SimBoard,
        target: Target,
        is_modbus: bool,
        random: &mut Random,
    ) -> Vec<FaultKind> {
        let mut struck = Vec::new();
        for active in &mut self.active {
            let fault = &active.fault;
            let hits = fault.bus == bus
                && !fault.kind.is_state()
                && fault.board.as_ref().is_none_or(|want| want.means(board))
                && fault.lock.is_none_or(|want| target.lock == Some(want))
                && fault.command.is_none_or(|want| want == target.command)
                && (is_modbus || !matches!(fault.kind, FaultKind::Exception { .. }))
                && fault.probability.is_none_or(|p| random.chance(p));
            if hits {
                active.struck += 1;
                active.left = active.left.map(|left| left.saturating_sub(1));
                struck.push(fault.kind);
            }
        }
        self.active.retain(|active| active.left != Some(0));
        struck
    }

    /// Whether the bus echoes.
    pub(super) fn echoes(&self, bus: &str) -> bool {
        self.active.iter().any(|a| a.fault.bus == bus && a.fault.kind == FaultKind::Echo)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::board::Opens;

    fn target(command: u8, lock: Option<u8>) -> Target {
        Target { command, lock, opens: Opens::Nothing }
    }

    #[test]
    fn a_fault_strikes_only_its_target_and_so_many_times() {
        let mut faults = Faults::default();
        let mut random = Random::new(1);
        let fault = Fault::new("east", FaultKind::Silent).board(2).lock(3).command(0x31).times(2);
        faults.add(fault).expect("room");
        let mut strike = |bus: &str, board, command, lock| {
            let board = SimBoard::cu16(board);
            faults.strike(bus, &board, target(command, lock), false, &mut random).len()
        };
        assert_eq!(strike("west", 2, 0x31, Some(3)), 0);
        assert_eq!(strike("east", 1, 0x31, Some(3)), 0);
        assert_eq!(strike("east", 2, 0x30, Some(3)), 0);
        assert_eq!(strike("east", 2, 0x31, Some(4)), 0);
        assert_eq!(strike("east", 2, 0x31, None), 0);
        assert_eq!(strike("east", 2, 0x31, Some(3)), 1);
        assert_eq!(strike("east", 2, 0x31, Some(3)), 1);
        assert_eq!(strike("east", 2, 0x31, Some(3)), 0);
        assert!(faults.active.is_empty());
    }

    #[test]
    fn probability_uses_the_seed_and_exceptions_pass_by_other_families() {
        let mut faults = Faults::default();
        faults.add(Fault::new("east", FaultKind::Silent).probability(0.25)).expect("room");
        faults.add(Fault::new("east", FaultKind::Exception { code: 4 })).expect("room");
        let mut random = Random::new(2);
        let hits: usize = (0..1_000)
            .map(|_| {
                let target = target(0x30, None);
                faults.strike("east", &SimBoard::cu16(1), target, false, &mut random).len()
            })
            .sum();
        assert!((200..300).contains(&hits), "{hits}");
        assert_eq!(faults.active[1].struck, 0);
    }

    #[test]
    fn json_is_checked_with_helpful_words() {
        let parse = |text: &str| serde_json::from_str::<Fault>(text).map_err(|e| e.to_string());
        let fault = parse(r#"{"bus":"east","kind":"late","ms":300,"times":1}"#).expect("valid");
        assert_eq!(fault.kind, FaultKind::Late { ms: 300 });
        for (text, says) in [
            (r#"{"bus":"e","kind":"late"}"#, "needs \"ms\""),
            (r#"{"bus":"e","kind":"slow"}"#, "silent_obeys"),
            (r#"{"bus":"e","kind":"silent","ms":3}"#, "takes no \"ms\""),
            (r#"{"bus":"e","kind":"silent","tmes":3}"#, "tmes"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(says), "{error}");
        }
        for (fault, says) in [
            (Fault::new("e", FaultKind::Silent).probability(1.5), "probability"),
            (Fault::new("e", FaultKind::Silent).times(0), "times"),
            (Fault::new("e", FaultKind::Echo).times(1), "hold until cleared"),
            (Fault::new("e", FaultKind::SensorOpen), "needs its board"),
            (Fault::new("e", FaultKind::Late { ms: 70_000 }), "60000"),
        ] {
            let error = fault.check().expect_err(says).to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn the_list_is_bounded() {
        let mut faults = Faults::default();
        for _ in 0..FAULTS_MAX {
            faults.add(Fault::new("east", FaultKind::Silent)).expect("room");
        }
        assert!(faults.add(Fault::new("east", FaultKind::Silent)).is_err());
    }
}
