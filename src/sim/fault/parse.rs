//! The flat form of a fault that a person writes, turned into a [`Fault`] with a clear error.
//!
//! Keys that every fault may have stand beside those that only some kinds take; one that the kind
//! does not take is refused, and so is a missing one.

use serde::Deserialize;

use super::{Fault, FaultKind, UnplugMoment};
use crate::sim::config::BoardKey;

/// Every kind, for the error text.
const KINDS: &str = "silent, silent_obeys, acks_but_dead, late, slow, noise, suffix_noise, \
                     truncated, bit_flip, bit_flip_fixed, wrong_address, wrong_command, \
                     wrong_lock, wrong_length, bad_checksum, duplicate, coalesced, collision, \
                     unsolicited, exception, nak, cooldown, drip, baud_garbage, board_reset, \
                     unplug, echo, partial_echo, stalled, sensor_open, sensor_closed, inverted, \
                     bounce, spring_back, stuck_latch, welded";
/// Time between the edges of a chattering switch when none is given. Milliseconds.
const BOUNCE_MS: u32 = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultBody {
    bus: String,
    kind: String,
    board: Option<BoardKey>,
    lock: Option<u8>,
    command: Option<u8>,
    times: Option<u32>,
    probability: Option<f64>,
    for_ms: Option<u32>,
    ms: Option<u32>,
    bytes: Option<u32>,
    bits: Option<u32>,
    edges: Option<u32>,
    code: Option<u8>,
    moment: Option<UnplugMoment>,
    back_after_ms: Option<u32>,
}

impl FaultBody {
    /// Takes the keys that the kind needs; what it does not take is left behind.
    fn kind(&mut self) -> Result<FaultKind, String> {
        let kind = self.kind.as_str();
        let needs = |name: &str| format!("kind {kind:?} needs {name:?}");
        let ms = |key: &mut Option<u32>| key.take().ok_or_else(|| needs("ms"));
        let bytes = |key: &mut Option<u32>| key.take().ok_or_else(|| needs("bytes"));
        let bits = |key: &mut Option<u32>| key.take().ok_or_else(|| needs("bits"));
        Ok(match kind {
            "silent" => FaultKind::Silent,
            "silent_obeys" => FaultKind::SilentObeys,
            "acks_but_dead" => FaultKind::AcksButDead,
            "late" => FaultKind::Late { ms: ms(&mut self.ms)? },
            "slow" => FaultKind::Slow { ms: ms(&mut self.ms)? },
            "noise" => FaultKind::Noise { bytes: bytes(&mut self.bytes)? },
            "suffix_noise" => FaultKind::SuffixNoise { bytes: bytes(&mut self.bytes)? },
            "truncated" => FaultKind::Truncated { bytes: bytes(&mut self.bytes)? },
            "bit_flip" => FaultKind::BitFlip { bits: bits(&mut self.bits)? },
            "bit_flip_fixed" => FaultKind::BitFlipFixed { bits: bits(&mut self.bits)? },
            "wrong_address" => FaultKind::WrongAddress,
            "wrong_command" => FaultKind::WrongCommand,
            "wrong_lock" => FaultKind::WrongLock,
            "wrong_length" => FaultKind::WrongLength,
            "bad_checksum" => FaultKind::BadChecksum,
            "duplicate" => FaultKind::Duplicate,
            "coalesced" => FaultKind::Coalesced,
            "collision" => FaultKind::Collision,
            "unsolicited" => FaultKind::Unsolicited,
            "exception" => {
                FaultKind::Exception { code: self.code.take().ok_or_else(|| needs("code"))? }
            }
            "nak" => FaultKind::Nak,
            "cooldown" => FaultKind::Cooldown { ms: ms(&mut self.ms)? },
            "drip" => FaultKind::Drip { ms: ms(&mut self.ms)? },
            "baud_garbage" => FaultKind::BaudGarbage,
            "board_reset" => FaultKind::BoardReset,
            "unplug" => FaultKind::Unplug {
                moment: self.moment.take().unwrap_or_default(),
                back_after_ms: self.back_after_ms.take(),
            },
            "echo" => FaultKind::Echo,
            "partial_echo" => FaultKind::PartialEcho { bytes: bytes(&mut self.bytes)? },
            "stalled" => FaultKind::Stalled,
            "sensor_open" => FaultKind::SensorOpen,
            "sensor_closed" => FaultKind::SensorClosed,
            "inverted" => FaultKind::Inverted,
            "bounce" => FaultKind::Bounce {
                edges: self.edges.take().ok_or_else(|| needs("edges"))?,
                ms: self.ms.take().unwrap_or(BOUNCE_MS),
            },
            "spring_back" => FaultKind::SpringBack,
            "stuck_latch" => FaultKind::StuckLatch,
            "welded" => FaultKind::Welded,
            other => return Err(format!("unknown kind {other:?}; known are {KINDS}")),
        })
    }

    /// A key that was given and that the kind does not take.
    fn stray(&self) -> Option<&'static str> {
        [
            ("ms", self.ms.is_some()),
            ("bytes", self.bytes.is_some()),
            ("bits", self.bits.is_some()),
            ("edges", self.edges.is_some()),
            ("code", self.code.is_some()),
            ("moment", self.moment.is_some()),
            ("back_after_ms", self.back_after_ms.is_some()),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }
}

impl TryFrom<FaultBody> for Fault {
    type Error = String;

    fn try_from(mut body: FaultBody) -> Result<Self, String> {
        let kind = body.kind()?;
        if let Some(name) = body.stray() {
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
            for_ms: body.for_ms,
        })
    }
}
