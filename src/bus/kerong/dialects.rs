//! The three dialects as data, each from its own sources (protocol notes 1.1 to 1.3).
//!
//! CU16 ("C1") packs board and lock into one byte. CU48 ("C2", maker's document 2.1) never answers an
//! unlock. CU48 with item sensors ("C3") rests on two code bases and a log: its longest state reply
//! was seen on a wire, the shorter ones were only described.

use super::{Dialect, UnlockAnswer};
use crate::bus::codec::{Capabilities, PulseTiming};
use crate::domain::channel::Family;

/// What the boards of all dialects have in common.
const BOARD: Capabilities = Capabilities {
    address_first: 0,
    address_last: 9,
    locks_max: 48,
    pulse: PulseTiming::BoardSetting,
    answers_pulse: false,
    pulse_reply_like_request: false,
    reads_outputs: false,
    holds_output: false,
    status_without_doors: true,
    reads_one: false,
    items: false,
    sets_address: false,
    over_tcp: true,
    uses_status_order: false,
    polarity_differs: true,
    gap_ms_min: 0,
};

/// Asks every CU16 board, or one, for its state. Never sent.
pub(super) const CU16_STATUS_ALL: u8 = 0x32;
/// Releases all locks of a CU16 board. Never sent: the supply feeds one coil.
pub(super) const CU16_UNLOCK_ALL: u8 = 0x33;
/// Answers [`CU16_STATUS_ALL`].
pub(super) const CU16_STATE_OF_ALL: u8 = 0x36;

/// KERONG CU16. Boards 0 to 14; 15 addresses all at once. Switches usually offer 0 to 9 only.
pub const CU16: Dialect = Dialect {
    family: Family::KerongCu16,
    capabilities: &Capabilities {
        address_last: 14,
        locks_max: 16,
        items: true,
        gap_ms_min: 25,
        ..BOARD
    },
    lock_in_address: true,
    status: 0x30,
    unlock: 0x31,
    requests: &[0x30, 0x31, CU16_STATUS_ALL, CU16_UNLOCK_ALL],
    state: 0x35,
    states: &[0x35, CU16_STATE_OF_ALL],
    state_bytes: &[9],
    hook_bytes: 2,
    unlock_answer: UnlockAnswer::State,
};

/// KERONG CU48, protocol 2.1. Boards 0 to 9; 10 addresses all at once.
pub const CU48: Dialect = Dialect {
    family: Family::KerongCu48,
    capabilities: &BOARD,
    lock_in_address: false,
    status: 0x50,
    unlock: 0x51,
    requests: &[0x50, 0x51],
    state: 0x65,
    states: &[0x65],
    state_bytes: &[12],
    hook_bytes: 6,
    unlock_answer: UnlockAnswer::Never,
};

/// KERONG CU48 with item sensors. A state comes with items, without, or as a bare acknowledgement.
pub const CU48_IR: Dialect = Dialect {
    family: Family::KerongCu48Ir,
    capabilities: &Capabilities { items: true, ..BOARD },
    lock_in_address: false,
    status: 0x60,
    unlock: 0x61,
    requests: &[0x60, 0x61],
    state: 0x75,
    states: &[0x75],
    state_bytes: &[18, 12, 6],
    hook_bytes: 6,
    unlock_answer: UnlockAnswer::Short,
};
