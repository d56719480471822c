//! Calls and the replies boards give to them, at random, for the properties.
//!
//! The replies are put together here by the protocol notes, and each stands beside what it says, so
//! that a codec that reads them differently is found out.

use proptest::prelude::*;

use super::super::{Call, LockBits, Reply, Request, StatusOrder};
use super::rules;
use crate::domain::channel::Family;

/// A call, the bytes of a reply to it, and what these say.
#[derive(Debug, Clone)]
pub(in crate::bus) struct Answered {
    pub(in crate::bus) family: Family,
    pub(in crate::bus) call: Call,
    pub(in crate::bus) bytes: Vec<u8>,
    pub(in crate::bus) reply: Reply,
}

pub(in crate::bus) fn any_request() -> impl Strategy<Value = Request> {
    prop_oneof![
        Just(Request::Status),
        Just(Request::Relays),
        Just(Request::AllOff),
        Just(Request::Version),
        Just(Request::ReadAddress),
        any::<u8>().prop_map(|new| Request::SetAddress { new }),
        (0..=52_u8).prop_map(|lock| Request::StatusOne { lock }),
        (0..=52_u8).prop_map(|first| Request::Modes { first }),
        (0..=52_u8).prop_map(|lock| Request::On { lock }),
        (0..=52_u8).prop_map(|lock| Request::Off { lock }),
        (0..=52_u8, 0..=1010_u16)
            .prop_map(|(lock, duration_ms)| Request::Pulse { lock, duration_ms }),
    ]
}

fn any_order() -> impl Strategy<Value = StatusOrder> {
    prop_oneof![Just(StatusOrder::HighestFirst), Just(StatusOrder::LowestFirst)]
}

/// Any call of any family, also those no board can be asked.
pub(in crate::bus) fn any_call() -> impl Strategy<Value = (Family, Call)> {
    let family = prop::sample::select(&Family::ALL[..]);
    (family, 0..=40_u8, 0..=52_u8, any_request(), any_order()).prop_map(
        |(family, address, locks, request, status_order)| {
            (family, Call { status_order, ..Call::new(address, locks, request) })
        },
    )
}

/// Any reply a board may give to a legal call, with data at random.
pub(in crate::bus) fn any_answer() -> impl Strategy<Value = Answered> {
    let family = prop::sample::select(&Family::ALL[..]);
    let data = prop::collection::vec(
        prop_oneof![any::<u8>(), Just(0x02), Just(0x03), Just(0x33), Just(0x80), Just(0x8A)],
        64,
    );
    (family, 0..=9_u8, any::<u8>(), any::<bool>(), 0..3_u8, any_order(), data).prop_map(
        |(family, address, locks, by_itself, shape, status_order, data)| {
            let answer = match family {
                Family::ModbusRelay => modbus(address + 1, locks % 32 + 1, shape, &data),
                Family::XorBoard => xor_board(address + 1, locks % 50 + 1, shape, &data),
                Family::KerongCu16 => kerong_cu16(address, shape, &data),
                Family::KerongCu48 => kerong_cu48(address, locks % 48 + 1, &data),
                Family::KerongCu48Ir => kerong_cu48_ir(address, shape, &data),
                Family::Wkly => wkly(address, locks % 38 + 1, shape, &data),
            };
            let order = if by_itself { status_order } else { StatusOrder::default() };
            answer.in_order(family, order)
        },
    )
}

/// Call, bytes up to the check, reply.
struct Draft(Call, Vec<u8>, Reply);

impl Draft {
    /// Turns the input bytes of an XOR board round if asked to, and closes the frame.
    fn in_order(self, family: Family, order: StatusOrder) -> Answered {
        let Self(mut call, mut bytes, reply) = self;
        call.status_order = order;
        let turn = order == StatusOrder::LowestFirst && call.request == Request::Status;
        if family == Family::XorBoard && turn {
            let end = bytes.len() - 1;
            bytes[2..end].reverse();
        }
        let bytes = rules::closed(family.name(), bytes);
        Answered { family, call, bytes, reply }
    }
}

fn status(inputs: &[u8], items: Option<&[u8]>, known: u8) -> Reply {
    Reply::Status {
        inputs: LockBits::from_wire(inputs),
        items: items.map(LockBits::from_wire),
        known: (1..=known).collect(),
    }
}

fn modbus(address: u8, locks: u8, shape: u8, data: &[u8]) -> Draft {
    let inputs = &data[..usize::from(locks).div_ceil(8)];
    let count = u8::try_from(inputs.len()).expect("at most 4");
    let read = |function| [&[address, function, count], inputs].concat();
    let call = |request| Call::new(address, locks, request);
    let on = LockBits::from_wire(inputs);
    match shape {
        0 => Draft(call(Request::Status), read(2), status(inputs, None, locks)),
        1 => Draft(call(Request::Relays), read(1), Reply::Relays(on)),
        _ => {
            let version = u16::from_be_bytes([data[0], data[1]]);
            let bytes = vec![address, 3, 2, data[0], data[1]];
            Draft(call(Request::Version), bytes, Reply::Version(version))
        }
    }
}

fn xor_board(address: u8, locks: u8, shape: u8, data: &[u8]) -> Draft {
    let call = |request| Call::new(address, locks, request);
    let made = data[0] & 1 == 1;
    let state = if made { 0x11 } else { 0 };
    match shape {
        0 => {
            // The three sizes that are built: 24 and 50 locks.
            let least = usize::from(locks).div_ceil(8);
            let count = if least <= 3 { 3 } else { 7 };
            let inputs = &data[..count];
            let highest_first: Vec<_> = inputs.iter().rev().copied().collect();
            let bytes = [&[0x80, address][..], &highest_first, &[0x33]].concat();
            Draft(call(Request::Status), bytes, status(inputs, None, locks))
        }
        1 => {
            let bytes = vec![0x80, address, locks, state];
            Draft(call(Request::StatusOne { lock: locks }), bytes, Reply::One(made))
        }
        _ => {
            let pulse = Request::Pulse { lock: locks, duration_ms: 300 };
            Draft(call(pulse), vec![0x8A, address, locks, state], Reply::Done)
        }
    }
}

fn kerong_cu16(address: u8, shape: u8, data: &[u8]) -> Draft {
    let bytes = [&[2, address << 4, 0x35], &data[..4]].concat();
    if shape == 0 {
        let pulse = Request::Pulse { lock: data[4] % 16 + 1, duration_ms: 550 };
        return Draft(Call::new(address, 16, pulse), bytes, Reply::Done);
    }
    let call = Call::new(address, 16, Request::Status);
    Draft(call, bytes, status(&data[..2], Some(&data[2..4]), 16))
}

fn kerong_cu48(address: u8, locks: u8, data: &[u8]) -> Draft {
    let bytes = [&[2, address, data[6], 0x65], &data[..6]].concat();
    Draft(Call::new(address, locks, Request::Status), bytes, status(&data[..6], None, locks))
}

fn kerong_cu48_ir(address: u8, shape: u8, data: &[u8]) -> Draft {
    let call = |request| Call::new(address, 48, request);
    let head = [2, address, 0, 0x75];
    match shape {
        0 => {
            let pulse = Request::Pulse { lock: data[0] % 48 + 1, duration_ms: 550 };
            Draft(call(pulse), head.to_vec(), Reply::Done)
        }
        1 => {
            let bytes = [&head, &data[..6]].concat();
            Draft(call(Request::Status), bytes, status(&data[..6], None, 48))
        }
        _ => {
            let bytes = [&head, &data[..12]].concat();
            Draft(call(Request::Status), bytes, status(&data[..6], Some(&data[6..12]), 48))
        }
    }
}

fn wkly(address: u8, locks: u8, shape: u8, data: &[u8]) -> Draft {
    let call = |request| Call::new(address, locks, request);
    let framed = |command, data: &[u8]| {
        let length = u8::try_from(data.len() + 8).expect("short");
        [&b"WKLY"[..], &[length, address, command], data].concat()
    };
    let closed = data[0] & 1;
    match shape {
        0 => {
            let states: Vec<_> = data[..usize::from(locks)]
                .iter()
                .map(|it| [0, 1, 0xFF][*it as usize % 3])
                .collect();
            let of = |wanted: fn(u8) -> bool| {
                (1..).zip(&states).filter(|(_, it)| wanted(**it)).map(|(lock, _)| lock).collect()
            };
            let (inputs, known) = (of(|state| state == 1), of(|state| state != 0xFF));
            let bytes = framed(0x84, &[&[0, locks], &states[..]].concat());
            Draft(call(Request::Status), bytes, Reply::Status { inputs, items: None, known })
        }
        1 => {
            let one = Request::StatusOne { lock: locks };
            Draft(call(one), framed(0x83, &[0, locks, closed]), Reply::One(closed == 1))
        }
        _ => {
            let pulse = Request::Pulse { lock: locks, duration_ms: 300 };
            Draft(call(pulse), framed(0x82, &[0, locks, closed]), Reply::Done)
        }
    }
}
