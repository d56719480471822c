//! A request on its way through the boards, and the reply on its way back.
//!
//! Every board of the family and speed that is addressed draws its faults, obeys or not, and
//! answers; faults bend the reply in a fixed order: fields, bits, checksum, length, repetition,
//! noise. Boards that answer at the same time collide. Called by `line.rs` for each frame.

use super::{
    Addressed, Answer, Bus, Execution, Heard, Opens, Outcome, Pulled, Target, World, byte_us,
};
use crate::sim::board::CoilSwitch;
use crate::sim::config::SimFamily;
use crate::sim::fault::{Asked, FaultKind, UnplugMoment};
use crate::sim::modbus;
use crate::sim::random::Random;
use crate::sim::report::{BoardPlace, ViolationKind};

/// Silence between boards that answer in turn.
pub(super) const TURN_GAP_US: u64 = 5_000;
/// What a Modbus board says when it cannot do what is asked.
const DEVICE_FAILURE: u8 = 0x04;

/// How the faults that struck change what a board does.
#[derive(Debug, Default)]
struct Damage {
    struck: Vec<FaultKind>,
    late_us: u64,
    slow_us: u64,
    drip_us: Option<u64>,
    pulled: Option<(UnplugMoment, Pulled)>,
}

impl Damage {
    fn of(struck: Vec<FaultKind>) -> Self {
        let mut damage = Self::default();
        for kind in &struck {
            match *kind {
                FaultKind::Late { ms } => damage.late_us += u64::from(ms) * 1_000,
                FaultKind::Slow { ms } => damage.slow_us += u64::from(ms) * 1_000,
                FaultKind::Drip { ms } => damage.drip_us = Some(u64::from(ms) * 1_000),
                FaultKind::Unplug { moment, back_after_ms } => {
                    damage.pulled = Some((moment, Pulled { back_after_ms }));
                }
                _ => {}
            }
        }
        Self { struck, ..damage }
    }

    fn has(&self, kind: FaultKind) -> bool {
        self.struck.contains(&kind)
    }

    /// Whether the board never hears of the request.
    fn is_deaf(&self) -> bool {
        let early = self.pulled.is_some_and(|(when, _)| when == UnplugMoment::BeforeRequest);
        early || self.has(FaultKind::Silent) || self.has(FaultKind::BaudGarbage)
    }

    /// Whether the reply is lost.
    fn is_mute(&self) -> bool {
        let lost = |(when, _)| matches!(when, UnplugMoment::BeforeReply | UnplugMoment::CoilOn);
        self.has(FaultKind::SilentObeys) || self.pulled.is_some_and(lost)
    }

    /// The refusal that is wanted, as the code of a Modbus exception.
    fn refusal(&self) -> Option<u8> {
        self.struck.iter().find_map(|kind| match *kind {
            FaultKind::Exception { code } => Some(code),
            FaultKind::Nak => Some(DEVICE_FAILURE),
            FaultKind::Cooldown { .. } => Some(modbus::DEVICE_BUSY),
            _ => None,
        })
    }

    /// The adapter is pulled as soon as the board has done what it does.
    fn pulled_at_once(&self) -> Option<Pulled> {
        let (moment, pulled) = self.pulled?;
        let later = matches!(moment, UnplugMoment::WithinReply | UnplugMoment::AfterReply);
        (!later).then_some(pulled)
    }
}

impl World {
    /// Lets every board of the family and speed see a frame.
    pub(in crate::sim) fn request(
        &mut self,
        bus: usize,
        family: SimFamily,
        frame: &[u8],
        heard_as: Heard,
    ) -> Outcome {
        let now_us = heard_as.at_us;
        self.tick(now_us);
        let mut outcome = Outcome::default();
        let mut in_turn = Vec::new();
        let mut at_once: Vec<Answer> = Vec::new();
        let mut heard = false;
        let byte_us = if self.pacing { byte_us(heard_as.baud) } else { 0 };
        let target = family.target(frame);
        self.buses[bus].counters.requests += 1;
        for index in self.boards_in_order(bus, family, heard_as.baud) {
            if self.buses[bus].boards[index].addressed(frame) == Addressed::No {
                continue;
            }
            heard = true;
            let (execution, damage) = self.obey((bus, index), frame, target, now_us);
            outcome.pulled = damage.pulled_at_once().or(outcome.pulled);
            let shaped = self.shape((bus, index), execution.reply, target.lock, &damage);
            let Some(bytes) = shaped else { continue };
            let answer = self.schedule((bus, index), bytes, &damage, now_us + execution.after_us);
            if execution.in_turn {
                in_turn.push(answer);
            } else {
                collide(&mut at_once, answer, byte_us, &mut self.random);
            }
        }
        if !heard {
            self.buses[bus].counters.unaddressed += 1;
        } else if target.opens == Opens::Many {
            let detail = format!("command {:02X} opens several locks at once", target.command);
            self.violate_line(bus, ViolationKind::OpenAllSent, now_us, detail);
        }
        self.queue_in_turn(byte_us, &mut in_turn);
        outcome.answers = at_once;
        outcome.answers.append(&mut in_turn);
        outcome
    }

    fn boards_in_order(&self, bus: usize, family: SimFamily, baud: u32) -> Vec<usize> {
        let Bus { config, boards, .. } = &self.buses[bus];
        let mut order: Vec<usize> = (0..boards.len())
            .filter(|n| {
                let board = &boards[*n].config;
                board.family == family && board.baud.unwrap_or(config.baud) == baud
            })
            .collect();
        order.sort_by_key(|n| boards[*n].address);
        order
    }

    /// Draws the faults for one board, then lets it obey unless one of them forbids it.
    fn obey(
        &mut self,
        (bus, index): (usize, usize),
        frame: &[u8],
        target: Target,
        now_us: u64,
    ) -> (Execution, Damage) {
        let Bus { config, boards, .. } = &mut self.buses[bus];
        let board = &mut boards[index];
        board.requests += 1;
        if board.boots_until_us > now_us {
            return (Execution::default(), Damage::default());
        }
        let wanted = target.lock.and_then(|lock| board.locks.get(usize::from(lock) - 1));
        let since_pulse_us = wanted
            .filter(|_| target.opens != Opens::Nothing)
            .and_then(|lock| Some(now_us.saturating_sub(lock.last_pulse_us()?)));
        let asked = Asked { bus: &config.name, board: &board.config, target, since_pulse_us };
        let damage = Damage::of(self.faults.strike(asked, &mut self.random));
        for kind in &damage.struck {
            let place = BoardPlace::of(config, &board.config);
            self.log.note_strike(now_us, place, target.command, *kind);
        }
        if damage.has(FaultKind::BoardReset) {
            self.reset((bus, index), now_us);
            return (Execution::default(), damage);
        }
        if damage.is_deaf() {
            let garbage = damage.has(FaultKind::BaudGarbage).then(|| self.garbage());
            return (Execution { reply: garbage, ..Execution::default() }, damage);
        }
        let board = &mut self.buses[bus].boards[index];
        let mut execution = match damage.refusal() {
            Some(code) => Execution {
                reply: board.refusal(frame, target.command, code),
                ..Execution::default()
            },
            None => board.execute(frame, now_us),
        };
        for (lock, change) in std::mem::take(&mut execution.coils) {
            if !damage.has(FaultKind::AcksButDead) {
                self.switch((bus, index, lock), later(change, damage.slow_us), now_us);
            }
        }
        // The coils may have pulled the supply down, and the board with it.
        if damage.is_mute() || self.buses[bus].boards[index].boots_until_us > now_us {
            execution.reply = None;
        }
        (execution, damage)
    }

    /// Bends the reply as the faults that struck say; none: nothing is sent for now.
    fn shape(
        &mut self,
        (bus, index): (usize, usize),
        reply: Option<Vec<u8>>,
        lock: Option<u8>,
        damage: &Damage,
    ) -> Option<Vec<u8>> {
        let family = self.buses[bus].boards[index].config.family;
        let unasked = damage.has(FaultKind::Unsolicited).then(|| {
            let board = &mut self.buses[bus].boards[index];
            board.word_out_of_turn(lock, reply.as_deref())
        });
        let mut reply = match reply {
            Some(mut reply) if !damage.has(FaultKind::BaudGarbage) => {
                bend_fields(family, &mut reply, damage);
                self.bend_bytes(&mut reply, family, damage);
                reply
            }
            Some(garbage) => garbage,
            None => Vec::new(),
        };
        if damage.pulled.is_some_and(|(when, _)| when == UnplugMoment::WithinReply) {
            reply.truncate(reply.len() / 2);
        }
        reply.splice(0..0, unasked.flatten().unwrap_or_default());
        if reply.is_empty() {
            return None;
        }
        let held = &mut self.buses[bus].held;
        reply.splice(0..0, std::mem::take(held));
        if damage.has(FaultKind::Coalesced) {
            *held = reply;
            return None;
        }
        Some(reply)
    }

    fn bend_bytes(&mut self, reply: &mut Vec<u8>, family: SimFamily, damage: &Damage) {
        for kind in &damage.struck {
            if let FaultKind::BitFlipFixed { bits } = *kind {
                let body_len = reply.len().saturating_sub(family.layout(reply).sum_len);
                flip(reply.get_mut(..body_len).unwrap_or_default(), bits, &mut self.random);
                family.reseal(reply);
            }
        }
        if damage.has(FaultKind::BadChecksum)
            && let Some(last) = reply.last_mut()
        {
            *last = last.wrapping_add(1);
        }
        for kind in &damage.struck {
            match *kind {
                FaultKind::BitFlip { bits } => flip(reply, bits, &mut self.random),
                FaultKind::Truncated { bytes } => reply.truncate(bytes as usize),
                FaultKind::Collision => {
                    let from = reply.len() / 2;
                    let over = self.random.bytes(reply.len() - from);
                    reply.splice(from.., over);
                }
                _ => {}
            }
        }
        if damage.has(FaultKind::Duplicate) {
            *reply = [reply.as_slice(), reply.as_slice()].concat();
        }
        for kind in &damage.struck {
            match *kind {
                FaultKind::Noise { bytes } => {
                    reply.splice(0..0, self.random.bytes(bytes as usize));
                }
                FaultKind::SuffixNoise { bytes } => reply.extend(self.random.bytes(bytes as usize)),
                _ => {}
            }
        }
    }

    fn schedule(
        &mut self,
        (bus, index): (usize, usize),
        bytes: Vec<u8>,
        damage: &Damage,
        ready_us: u64,
    ) -> Answer {
        let board = &mut self.buses[bus].boards[index];
        let turnaround_us =
            if self.pacing { u64::from(board.config.turnaround_ms) * 1_000 } else { 0 };
        let due_us =
            (ready_us + turnaround_us + damage.late_us + damage.slow_us).max(board.busy_until_us);
        board.busy_until_us = due_us;
        board.replies += 1;
        let pulled = match damage.pulled {
            Some((UnplugMoment::WithinReply | UnplugMoment::AfterReply, pulled)) => Some(pulled),
            _ => None,
        };
        Answer { due_us, bytes, drip_us: damage.drip_us, pulled, ..Answer::default() }
    }

    /// Lets each board wait until the one before has sent and left a gap.
    fn queue_in_turn(&self, byte_us: u64, answers: &mut [Answer]) {
        let mut free_us = 0;
        for (turn, answer) in answers.iter_mut().enumerate() {
            answer.follows = turn > 0;
            answer.due_us = answer.due_us.max(free_us);
            if self.pacing {
                free_us = answer.due_us + answer.bytes.len() as u64 * byte_us + TURN_GAP_US;
            }
        }
    }
}

/// The same change with all its times later.
const fn later(change: CoilSwitch, by_us: u64) -> CoilSwitch {
    match change {
        CoilSwitch::On { after_us, duration_us } => {
            CoilSwitch::On { after_us: after_us + by_us, duration_us }
        }
        CoilSwitch::Off => CoilSwitch::Off,
    }
}

/// Wrong address, command, lock or length, with a right checksum.
fn bend_fields(family: SimFamily, reply: &mut Vec<u8>, damage: &Damage) {
    if damage.has(FaultKind::WrongAddress) {
        family.readdress(reply);
    }
    let layout = family.layout(reply);
    let one_more = |reply: &mut Vec<u8>, at: Option<usize>| {
        if let Some(byte) = at.and_then(|at| reply.get_mut(at)) {
            *byte = byte.wrapping_add(1);
        }
    };
    if damage.has(FaultKind::WrongCommand) {
        one_more(reply, Some(layout.command));
    }
    if damage.has(FaultKind::WrongLock) {
        one_more(reply, layout.lock);
    }
    if damage.has(FaultKind::WrongLength) {
        match layout.length.and_then(|at| reply.get_mut(at)) {
            Some(length) => *length = u8::MAX,
            None => reply.insert((layout.command.max(1) + 1).min(reply.len()), 0),
        }
    }
    family.reseal(reply);
}

/// Turns random bits over, each at most once in a short reply by chance.
fn flip(bytes: &mut [u8], bits: u32, random: &mut Random) {
    let places = bytes.len() as u64 * 8;
    if places == 0 {
        return;
    }
    for _ in 0..bits {
        let place = usize::try_from(random.next_u64() % places).unwrap_or(0);
        bytes[place / 8] ^= 1 << (place % 8);
    }
}

/// Boards that answer at the same time drive the line together: where their bytes overlap and
/// differ, nobody can say what is read. Times without pacing are moments only.
fn collide(answers: &mut Vec<Answer>, answer: Answer, byte_us: u64, random: &mut Random) {
    let length_us = |it: &Answer| (it.bytes.len() as u64 * byte_us).max(1);
    let overlapping = answers.iter().position(|other| {
        other.due_us < answer.due_us + length_us(&answer)
            && answer.due_us < other.due_us + length_us(other)
    });
    let Some(place) = overlapping else {
        answers.push(answer);
        return;
    };
    let other = &mut answers[place];
    if answer.due_us < other.due_us {
        let first = std::mem::replace(other, answer);
        let second = std::mem::replace(other, first);
        return overlay(other, second, byte_us, random);
    }
    overlay(other, answer, byte_us, random);
}

/// Lays `second`, which starts no earlier, over `first`.
fn overlay(first: &mut Answer, second: Answer, byte_us: u64, random: &mut Random) {
    let offset_us = second.due_us - first.due_us;
    let offset = usize::try_from(offset_us.checked_div(byte_us).unwrap_or(0)).unwrap_or(0);
    let in_step = offset_us.checked_rem(byte_us).unwrap_or(0) == 0;
    for (n, byte) in second.bytes.into_iter().enumerate() {
        match first.bytes.get_mut(offset + n) {
            Some(other) if in_step && *other == byte => {}
            Some(other) => *other = random.bytes(1)[0],
            None => first.bytes.push(byte),
        }
    }
}
