//! Modbus RTU relay boards: Waveshare 8, 8D, 16, 32, IO-8 and kin, firmware V2.
//!
//! Function 05 on coil 0x0200+n is the board-timed pulse ("flash on"), value x 100 ms; its reply is
//! byte for byte the request, so on a line with echo it proves nothing by itself. Function 01 reads
//! outputs, 02 inputs, 03 registers. CRC-16/MODBUS, low byte first (Modbus over Serial Line 1.02).
//! Lengths read from the wire are capped: a shifted byte must not stall the line. The address is a
//! register; Waveshare boards answer about it to address 00 too, whatever Modbus forbids.

use crate::bus::codec::{
    ADDRESS_ANY, Call, Capabilities, Codec, FRAME_BYTES_MAX, Frame, LockBits, MODES_PER_READ,
    Mismatch, Parsed, PulseTiming, Refusal, Reply, Request, Skipped, Unsupported, check,
};
use crate::domain::channel::Family;

pub(super) mod explain;

/// Reads outputs.
pub(super) const READ_COILS: u8 = 0x01;
/// Reads inputs.
pub(super) const READ_INPUTS: u8 = 0x02;
/// Reads registers.
pub(super) const READ_REGISTERS: u8 = 0x03;
/// Switches or pulses one output, or all.
pub(super) const WRITE_COIL: u8 = 0x05;
/// Writes one register.
pub(super) const WRITE_REGISTER: u8 = 0x06;
/// Switches several outputs.
pub(super) const WRITE_COILS: u8 = 0x0F;
/// Set in the function of a refusal.
pub(super) const EXCEPTION: u8 = 0x80;
/// Coil that stands for all outputs.
pub(super) const COIL_ALL: u16 = 0x00FF;
/// First coil of the board-timed pulses.
pub(super) const COIL_FLASH_ON: u16 = 0x0200;
/// First coil of the inverse pulses.
pub(super) const COIL_FLASH_OFF: u16 = 0x0400;
/// Value that switches an output on.
const ON: u16 = 0xFF00;
/// First register of the channel modes; 0 is the normal mode.
pub(super) const REGISTER_MODE: u16 = 0x1000;
/// Register with the device address.
pub(super) const REGISTER_ADDRESS: u16 = 0x4000;
/// Register with the firmware's version in hundredths.
pub(super) const REGISTER_VERSION: u16 = 0x8000;
/// Most locks a board of this family drives.
pub(super) const LOCKS_MAX: u8 = 32;
/// Unit of a pulse in milliseconds.
pub(super) const PULSE_STEP_MS: u16 = 100;
/// Most data bytes of a reply that is still listened to.
const DATA_BYTES_MAX: u8 = MODES_PER_READ * 2;
/// A request, or the reply to a write.
const FIXED_BYTES: usize = 8;
/// A refusal.
const EXCEPTION_BYTES: usize = 5;

const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_MODBUS);

const CAPABILITIES: Capabilities = Capabilities {
    address_first: 1,
    address_last: 255,
    locks_max: LOCKS_MAX,
    pulse: PulseTiming::Commanded { step_ms: PULSE_STEP_MS },
    answers_pulse: true,
    pulse_reply_like_request: true,
    reads_outputs: true,
    holds_output: true,
    status_without_doors: false,
    reads_one: false,
    items: false,
    sets_address: true,
    over_tcp: false,
    uses_status_order: false,
    polarity_differs: false,
    gap_ms_min: 0,
};

/// The codec of Modbus relay boards.
#[derive(Debug, Clone, Copy)]
pub struct ModbusRelay;

impl Codec for ModbusRelay {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn encode(&self, call: &Call) -> Result<Frame, Unsupported> {
        check(Family::ModbusRelay, *call)?;
        request_bytes(*call)
            .map(|bytes| Frame::new(bytes.to_vec()))
            .ok_or(Unsupported::Command(Family::ModbusRelay))
    }

    fn parse(&self, buffer: &[u8], call: &Call) -> Parsed {
        let [address, found, ..] = *buffer else { return Parsed::NeedMore };
        let noise = Parsed::Skip { bytes: 1, why: Skipped::Noise };
        let Some(sent) = request_bytes(*call) else { return noise };
        let function = sent[1];
        if let Some(parsed) = own_echo(buffer, &sent) {
            return parsed;
        }
        let length = match found {
            READ_COILS | READ_INPUTS | READ_REGISTERS => match buffer.get(2) {
                None => return Parsed::NeedMore,
                Some(&count @ 1..=DATA_BYTES_MAX) => EXCEPTION_BYTES + usize::from(count),
                Some(_) => return noise,
            },
            WRITE_COIL | WRITE_REGISTER | WRITE_COILS => FIXED_BYTES,
            refused if refused & EXCEPTION != 0 && refused & 0x70 == 0 => EXCEPTION_BYTES,
            _ => return noise,
        };
        debug_assert!(length <= FRAME_BYTES_MAX, "lengths from the wire are capped");
        let Some(frame) = buffer.get(..length) else { return Parsed::NeedMore };
        let ours = speaks_for(address, *call) && found & !EXCEPTION == function;
        if !intact(frame) {
            let why = if ours { Skipped::BadChecksum } else { Skipped::Noise };
            return Parsed::Skip { bytes: 1, why };
        }
        let discard = |why| Parsed::Discard { bytes: length, why };
        if !speaks_for(address, *call) {
            return discard(Mismatch::Address(address));
        }
        if !ours {
            return discard(Mismatch::Command);
        }
        if found & EXCEPTION != 0 {
            return Parsed::Refused { bytes: length, refusal: refusal(frame[2]) };
        }
        match read_reply(frame, *call, &sent) {
            Ok(reply) => Parsed::Reply { bytes: length, reply, like_request: *frame == sent },
            Err(why) => discard(why),
        }
    }
}

/// Whether a frame with this address may answer the call. Asked of every board, the one on the line
/// may answer with its own address; given a new address, it may already use it.
fn speaks_for(address: u8, call: Call) -> bool {
    call.address == address
        || call.address == ADDRESS_ANY
        || call.request == Request::SetAddress { new: address }
}

/// The request as it goes on the wire; `None` when the family has no such command.
fn request_bytes(call: Call) -> Option<[u8; FIXED_BYTES]> {
    let (function, target, value) = wire_fields(call)?;
    let ([target_high, target_low], [high, low]) = (target.to_be_bytes(), value.to_be_bytes());
    let body = [call.address, function, target_high, target_low, high, low];
    let [crc_low, crc_high] = checksum(&body);
    Some([call.address, function, target_high, target_low, high, low, crc_low, crc_high])
}

/// Function, target and value of a request; locks count from 0 on the wire.
fn wire_fields(call: Call) -> Option<(u8, u16, u16)> {
    let count = u16::from(call.locks);
    let index = |lock: u8| u16::from(lock.saturating_sub(1));
    Some(match call.request {
        Request::StatusOne { .. } => return None,
        Request::Status => (READ_INPUTS, 0, count),
        Request::Relays => (READ_COILS, 0, count),
        Request::Modes { first } => {
            let count = u16::from(modes_asked(call.locks, first));
            (READ_REGISTERS, REGISTER_MODE + index(first), count)
        }
        Request::Pulse { lock, duration_ms } => {
            (WRITE_COIL, COIL_FLASH_ON + index(lock), duration_ms.div_ceil(PULSE_STEP_MS))
        }
        Request::On { lock } => (WRITE_COIL, index(lock), ON),
        Request::AllOff => (WRITE_COIL, COIL_ALL, 0),
        Request::Off { lock } => (WRITE_COIL, index(lock), 0),
        Request::Version => (READ_REGISTERS, REGISTER_VERSION, 1),
        Request::ReadAddress => (READ_REGISTERS, REGISTER_ADDRESS, 1),
        Request::SetAddress { new } => (WRITE_REGISTER, REGISTER_ADDRESS, u16::from(new)),
    })
}

/// How many modes are read from `first` on.
fn modes_asked(locks: u8, first: u8) -> u8 {
    (locks + 1).saturating_sub(first).min(MODES_PER_READ)
}

/// A read request that came back: a reply never begins so, its third byte counts data.
fn own_echo(buffer: &[u8], sent: &[u8]) -> Option<Parsed> {
    if matches!(sent, [_, WRITE_COIL | WRITE_REGISTER, ..]) {
        return None;
    }
    if buffer.starts_with(sent) {
        return Some(Parsed::Discard { bytes: sent.len(), why: Mismatch::Echo });
    }
    sent.starts_with(buffer).then_some(Parsed::NeedMore)
}

/// What an intact frame of the right board and function says.
fn read_reply(frame: &[u8], call: Call, sent: &[u8]) -> Result<Reply, Mismatch> {
    let data = frame.get(3..frame.len() - 2).unwrap_or_default();
    let of_length = |bytes: usize| (data.len() == bytes).then_some(()).ok_or(Mismatch::Length);
    let bits_bytes = usize::from(call.locks).div_ceil(8);
    match call.request {
        Request::Status => {
            of_length(bits_bytes)?;
            let known = LockBits::first(usize::from(call.locks));
            Ok(Reply::Status { inputs: LockBits::from_wire(data), items: None, known })
        }
        Request::StatusOne { .. } => Err(Mismatch::Command),
        Request::Relays => {
            of_length(bits_bytes)?;
            Ok(Reply::Relays(LockBits::from_wire(data)))
        }
        Request::Version => {
            of_length(2)?;
            Ok(Reply::Version(word(data, 0)))
        }
        Request::Modes { first } => {
            let count = modes_asked(call.locks, first);
            of_length(usize::from(count) * 2)?;
            let odd = |at: &u8| word(data, usize::from(*at) * 2) != 0;
            Ok(Reply::Modes { not_normal: (0..count).filter(odd).map(|at| first + at).collect() })
        }
        Request::ReadAddress => {
            of_length(2)?;
            match u8::try_from(word(data, 0)) {
                Ok(own) if own >= CAPABILITIES.address_first => Ok(Reply::Address(own)),
                _ => Err(Mismatch::Command),
            }
        }
        Request::Pulse { .. }
        | Request::On { .. }
        | Request::AllOff
        | Request::Off { .. }
        | Request::SetAddress { .. } => {
            if frame[2..4] != sent[2..4] {
                Err(Mismatch::Lock)
            } else if frame[4..6] != sent[4..6] {
                Err(Mismatch::Command)
            } else {
                Ok(Reply::Done)
            }
        }
    }
}

/// Two bytes, high byte first; missing ones count as 0.
pub(super) fn word(bytes: &[u8], at: usize) -> u16 {
    let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
    u16::from_be_bytes([byte(at), byte(at + 1)])
}

/// The two checksum bytes in wire order.
pub(super) fn checksum(bytes: &[u8]) -> [u8; 2] {
    CRC.checksum(bytes).to_le_bytes()
}

/// Whether the last two bytes are the checksum of the others.
pub(super) fn intact(frame: &[u8]) -> bool {
    frame.split_last_chunk::<2>().is_some_and(|(body, found)| checksum(body) == *found)
}

/// Names an exception code (Modbus Application Protocol 1.1b3, section 7).
pub(super) fn refusal(code: u8) -> Refusal {
    let meaning = match code {
        0x01 => "illegal function: the board has no such command",
        0x02 => "illegal data address: the board has no such input or output",
        0x03 => "illegal data value",
        0x04 => "device failure",
        0x06 => "device busy",
        _ => "refused",
    };
    Refusal { code, meaning, permanent: (1..=3).contains(&code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(request: Request) -> Call {
        Call::new(1, 8, request)
    }

    fn framed(body: &[u8]) -> Vec<u8> {
        [body, &checksum(body)].concat()
    }

    #[test]
    fn pulse_is_rounded_up_to_the_boards_step() {
        for (duration_ms, steps) in [(1, 1), (100, 1), (101, 2), (550, 6), (1000, 10)] {
            let frame = ModbusRelay.encode(&call(Request::Pulse { lock: 5, duration_ms }));
            assert_eq!(&frame.expect("legal").bytes()[..6], [1, 5, 2, 4, 0, steps]);
        }
        let long = ModbusRelay.encode(&call(Request::Pulse { lock: 5, duration_ms: 1001 }));
        assert_eq!(long, Err(Unsupported::Pulse(1001)));
    }

    #[test]
    fn wrong_byte_count_is_no_answer() {
        let parsed = ModbusRelay.parse(&framed(&[1, 2, 2, 0, 0]), &call(Request::Status));
        assert_eq!(parsed, Parsed::Discard { bytes: 7, why: Mismatch::Length });
    }

    #[test]
    fn exception_of_the_asked_board_is_a_refusal() {
        let parsed = ModbusRelay.parse(&framed(&[1, 0x82, 2]), &call(Request::Status));
        assert!(matches!(parsed, Parsed::Refused { bytes: 5, refusal } if refusal.code == 2));
        let other = ModbusRelay.parse(&framed(&[2, 0x82, 2]), &call(Request::Status));
        assert_eq!(other, Parsed::Discard { bytes: 5, why: Mismatch::Address(2) });
    }

    #[test]
    fn echo_of_a_read_is_told_from_its_reply() {
        let sent = ModbusRelay.encode(&call(Request::Relays)).expect("legal");
        let heard = [sent.bytes(), &framed(&[1, 1, 1, 0x41])].concat();
        let echo = Parsed::Discard { bytes: 8, why: Mismatch::Echo };
        assert_eq!(ModbusRelay.parse(&heard, &call(Request::Relays)), echo);
        for length in 0..8 {
            let part = ModbusRelay.parse(&heard[..length], &call(Request::Relays));
            assert_eq!(part, Parsed::NeedMore, "{length} bytes");
        }
    }

    #[test]
    fn write_reply_for_another_lock_is_discarded() {
        let pulse = call(Request::Pulse { lock: 1, duration_ms: 500 });
        let parsed = ModbusRelay.parse(&framed(&[1, 5, 2, 1, 0, 5]), &pulse);
        assert_eq!(parsed, Parsed::Discard { bytes: 8, why: Mismatch::Lock });
    }

    #[test]
    fn count_byte_of_noise_is_capped() {
        let parsed = ModbusRelay.parse(&[1, 2, 0x55, 0, 0], &call(Request::Status));
        assert_eq!(parsed, Parsed::Skip { bytes: 1, why: Skipped::Noise });
    }
}
