//! The world as its observers see it: snapshots made on request.
//!
//! Each view first settles every lock to the asked moment, so that what a timer did since the last
//! look is counted. Cheap enough for a thousand locks at a person's pace.

use super::{Bus, Supply, World};
use crate::sim::board::Board;
use crate::sim::report::{
    Assertions, BoardPlace, BoardState, BusState, ByteRecord, Event, LockPulses, LockState, Pulse,
    SimState, SupplyState, Violation,
};

impl World {
    /// Everything at `now_us`.
    pub(in crate::sim) fn state(&mut self, now_us: u64) -> SimState {
        self.settle(now_us);
        SimState {
            seed: self.seed,
            pacing: self.pacing,
            started_unix_ms: self.started_unix_ms,
            at_us: now_us,
            violations: self.log.violation_count,
            faults: self.faults.active.clone(),
            buses: self.buses.iter_mut().map(|bus| bus_state(bus, now_us)).collect(),
        }
    }

    /// Every remembered pulse that has begun, by its start.
    pub(in crate::sim) fn pulses(&mut self, now_us: u64) -> Vec<Pulse> {
        self.settle(now_us);
        let mut pulses = Vec::new();
        for bus in &self.buses {
            for board in &bus.boards {
                for (lock, number) in board.locks.iter().zip(1_u8..) {
                    for stretch in lock.stretches.iter().filter(|s| s.from_us <= now_us) {
                        let until_us = stretch.until_us.map_or(now_us, |until| until.min(now_us));
                        pulses.push(Pulse {
                            bus: bus.config.name.clone(),
                            board: board.config.address,
                            name: board.config.name(),
                            lock: number,
                            at_unix_ms: self.started_unix_ms + stretch.from_us / 1_000,
                            at_us: stretch.from_us,
                            commanded_ms: stretch.commanded_us.map(|us| us / 1_000),
                            duration_ms: until_us.saturating_sub(stretch.from_us) / 1_000,
                        });
                    }
                }
            }
        }
        pulses.sort_by_key(|pulse| pulse.at_us);
        pulses
    }

    /// Every rule broken up to `now_us`.
    pub(in crate::sim) fn violations(&mut self, now_us: u64) -> Vec<Violation> {
        self.settle(now_us);
        self.log.violations()
    }

    /// Byte records after a number, oldest first.
    pub(in crate::sim) fn bytes(&self, after: u64, limit: usize) -> Vec<ByteRecord> {
        let names: Vec<&str> = self.buses.iter().map(|bus| bus.config.name.as_str()).collect();
        self.log.bytes(after, limit, &names)
    }

    /// Events after a number, oldest first.
    pub(in crate::sim) fn events(
        &mut self,
        after: u64,
        limit: usize,
        now_us: u64,
    ) -> Vec<(u64, Event)> {
        self.settle(now_us);
        let names: Vec<&str> = self.buses.iter().map(|bus| bus.config.name.as_str()).collect();
        self.log.events(after, limit, &names)
    }

    /// What can be said about the client up to `now_us`.
    pub(in crate::sim) fn assertions(&mut self, now_us: u64) -> Assertions {
        self.settle(now_us);
        let mut said = Assertions {
            at_us: now_us,
            violations: self.log.counts.clone(),
            longest_coil_ms: 0,
            shortest_gap_us: self.buses.iter().filter_map(|bus| bus.shortest_gap_us).min(),
            talked_over_bytes: 0,
            burnt: 0,
            supplies: self.supply_states(),
            locks: Vec::new(),
        };
        for bus in &self.buses {
            said.talked_over_bytes += bus.counters.talked_over_bytes;
            for board in &bus.boards {
                for (lock, number) in board.locks.iter().zip(1_u8..) {
                    let (_, longest_us) = lock.coil_times_us(now_us);
                    said.longest_coil_ms = said.longest_coil_ms.max(longest_us / 1_000);
                    said.burnt += u64::from(lock.burnt);
                    if lock.pulse_count > 0 {
                        let place = BoardPlace::of(&bus.config, &board.config);
                        let pulses = lock.pulse_count;
                        said.locks.push(LockPulses { place, lock: number, pulses });
                    }
                }
            }
        }
        said
    }

    fn supply_states(&self) -> Vec<SupplyState> {
        let state = |(name, supply): (&String, &Supply)| SupplyState {
            name: name.clone(),
            coils_max: supply.coils_max,
            coils_together_max: supply.coils_together_max,
            brownouts: supply.brownouts,
        };
        self.supplies.iter().map(state).collect()
    }
}

fn bus_state(bus: &mut Bus, now_us: u64) -> BusState {
    BusState {
        name: bus.config.name.clone(),
        link: bus.config.link.clone(),
        pts: bus.pts.clone(),
        tcp: bus.tcp,
        baud: bus.config.baud,
        unplugged: bus.pts.is_none() && bus.tcp.is_none(),
        connected: bus.connected,
        counters: bus.counters,
        boards: bus.boards.iter_mut().map(|board| board_state(board, now_us)).collect(),
    }
}

fn board_state(board: &mut Board, now_us: u64) -> BoardState {
    let locks = board
        .locks
        .iter_mut()
        .zip(1_u8..)
        .map(|(lock, number)| {
            let (total_us, longest_us) = lock.coil_times_us(now_us);
            LockState {
                lock: number,
                door: lock.door(now_us),
                latch: lock.latch(now_us),
                sensor: lock.ailment().sensor,
                coil_on: lock.coil_on(now_us),
                coil_ms_total: total_us / 1_000,
                longest_coil_ms: longest_us / 1_000,
                pulses: lock.pulse_count,
                burnt: lock.burnt,
                jammed: lock.jammed,
                forced: lock.forced_count,
                item: lock.item,
            }
        })
        .collect();
    BoardState {
        board: board.config.address,
        name: board.config.name(),
        address: board.address,
        family: board.config.family,
        power_supply: board.config.power_supply.clone(),
        requests: board.requests,
        replies: board.replies,
        resets: board.resets,
        locks,
    }
}
