//! What staff and technicians are told of locks, boards and ports: figures, locks to be serviced, and
//! the last raw exchanges of a board.
//!
//! Figures of a lock are counted from stored openings; those of boards and ports from what the bus has
//! seen since the program started.

use jiff::SignedDuration;
use serde::Serialize;

use super::error::{Code, Error};
use super::tokens::Caller;
use super::{Services, is_staff_for};
use crate::bus::health::REPLY_TIME_CLASSES_MS;
use crate::bus::{BoardLink, PortHealth, PortLink, RawExchange};
use crate::domain::alarm::AlarmKind;
use crate::domain::channel::BusName;
use crate::domain::id::{BankId, LockerId};
use crate::domain::lock_service::{LockFigures, ServiceReason};
use crate::domain::member::Role;
use crate::store::openings;

/// Days that are counted when nobody says otherwise.
pub const DAYS: u32 = 90;
/// Most days that can be counted.
pub const DAYS_MAX: u32 = 730;

/// One lock with why it is to be looked at.
#[derive(Debug, Clone, Serialize)]
pub struct LockReport {
    /// Its bank.
    pub bank_id: BankId,
    /// Where it is wired, as bus/board/lock.
    pub channel: Option<String>,
    /// What was counted.
    #[serde(flatten)]
    pub figures: LockFigures,
    /// Why it is to be looked at; empty when it is not.
    pub reasons: Vec<ServiceReason>,
}

/// One port.
#[derive(Debug, Clone, Serialize)]
pub struct PortFigures {
    /// The bus.
    pub name: String,
    /// Its device or gateway.
    pub port: String,
    /// online or offline.
    pub status: &'static str,
    /// Why it is offline, in words.
    pub reason: Option<String>,
    /// Since when it is so, RFC 3339.
    pub since: String,
    /// How often it came back after an outage since start.
    pub reconnects: u64,
    /// Its boards.
    pub boards: Vec<BoardFigures>,
}

/// One board since start.
#[derive(Debug, Clone, Serialize)]
pub struct BoardFigures {
    /// Its address.
    pub address: u8,
    /// Its family.
    pub family: &'static str,
    /// online, silent or unknown.
    pub status: &'static str,
    /// Since when it is so, RFC 3339.
    pub since: String,
    /// Requests sent.
    pub sent: u64,
    /// Requests answered, refusals included.
    pub answered: u64,
    /// Requests that had to be answered and were not.
    pub timeouts: u64,
    /// Requests the board refused.
    pub refused: u64,
    /// Frames with a wrong checksum or end mark.
    pub bad_frames: u64,
    /// Intact frames of other boards while this one was asked.
    pub wrong_address: u64,
    /// Intact answers to something else.
    pub mismatched: u64,
    /// Frames nobody asked for.
    pub unsolicited: u64,
    /// Answers that came after the deadline.
    pub late: u64,
    /// Bytes that belong to no frame.
    pub noise_bytes: u64,
    /// Times bytes had to be skipped to find a frame.
    pub resyncs: u64,
    /// Our own bytes heard back.
    pub echo_bytes: u64,
    /// Echoes that came back spoilt.
    pub collisions: u64,
    /// Second pulses sent because a door stayed closed.
    pub retries: u64,
    /// How fast it answers.
    pub reply_times: ReplyTimeFigures,
}

/// How fast a board answers.
#[derive(Debug, Clone, Serialize)]
pub struct ReplyTimeFigures {
    /// The mean in milliseconds.
    pub mean_ms: Option<f64>,
    /// The slowest in milliseconds.
    pub slowest_ms: Option<f64>,
    /// How many answers took at most so many milliseconds; the last entry, without a bound, the rest.
    pub classes: Vec<ReplyTimeClass>,
}

/// One class of reply times.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ReplyTimeClass {
    /// Its upper bound in milliseconds.
    pub up_to_ms: Option<u32>,
    /// Answers in it.
    pub count: u64,
}

/// One raw exchange with its wall time.
#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    /// When the first byte went out, RFC 3339.
    pub at: String,
    /// The request's bytes in hex.
    pub sent: String,
    /// All bytes heard while waiting, in hex.
    pub heard: String,
    /// From the end of the request to the end of the reply, in milliseconds.
    pub after_ms: Option<f64>,
    /// How it was judged.
    pub verdict: String,
}

impl Services {
    /// Every wired lock that the caller looks after, with what was counted in the last `days`;
    /// `due_only` leaves out those that need nothing.
    pub async fn lock_reports(
        &self,
        caller: Caller,
        bank: Option<BankId>,
        days: u32,
        due_only: bool,
    ) -> Result<Vec<LockReport>, Error> {
        demand_staff(caller)?;
        let since = self.clock.now() - SignedDuration::from_hours(24 * i64::from(days));
        let since_ms = since.as_millisecond();
        let figures = self.store.read(move |conn| openings::lock_figures(conn, since_ms)).await?;
        let snapshot = self.store.snapshot();
        let reports = figures.into_iter().filter_map(|figures| {
            let (locker, its_bank) = snapshot.site.locker(figures.locker_id)?;
            let wanted = bank.is_none_or(|bank| bank == its_bank.id);
            if !wanted || !is_staff_for(&snapshot, caller, its_bank.id) {
                return None;
            }
            let reasons = figures.reasons(self.has_sensor_fault(figures.locker_id));
            let channel = locker.channel.as_ref().map(ToString::to_string);
            let report = LockReport { bank_id: its_bank.id, channel, figures, reasons };
            (!due_only || !report.reasons.is_empty()).then_some(report)
        });
        Ok(reports.collect())
    }

    /// Every port with its boards.
    pub fn port_figures(&self, caller: Caller) -> Result<Vec<PortFigures>, Error> {
        demand_staff(caller)?;
        Ok(self.bus.health().into_iter().map(|port| self.port_figure(port)).collect())
    }

    /// The last exchanges with one board, oldest first; without an address those with addresses where
    /// no board is configured.
    pub fn exchanges(
        &self,
        caller: Caller,
        bus: &BusName,
        board: Option<u8>,
    ) -> Result<Vec<Exchange>, Error> {
        demand_staff(caller)?;
        let Some(raw) = self.bus.exchanges(bus, board) else {
            let detail = match board {
                Some(board) => format!("there is no board {board} on a bus {bus}"),
                None => format!("there is no bus {bus}"),
            };
            return Err(Error::new(Code::BoardNotFound, detail));
        };
        Ok(raw.into_iter().map(|one| self.exchange(one)).collect())
    }

    fn exchange(&self, raw: RawExchange) -> Exchange {
        Exchange {
            at: self.clock.wall_of(raw.at).to_string(),
            sent: raw.tx,
            heard: raw.rx,
            after_ms: raw.after_us.map(to_ms),
            verdict: raw.verdict.into_owned(),
        }
    }

    fn port_figure(&self, port: PortHealth) -> PortFigures {
        let since = |at| self.clock.wall_of(at).to_string();
        let (status, reason) = match port.link {
            PortLink::Online => ("online", None),
            PortLink::Offline { reason, .. } => ("offline", Some(reason)),
        };
        let boards = port.boards.into_iter().map(|board| {
            let (counters, times) = (board.counters, board.reply_times);
            let bounds = REPLY_TIME_CLASSES_MS.iter().map(|bound| Some(*bound)).chain([None]);
            let class = |(up_to_ms, count)| ReplyTimeClass { up_to_ms, count };
            BoardFigures {
                address: board.address,
                family: board.family.name(),
                status: match board.link {
                    BoardLink::Online => "online",
                    BoardLink::Silent => "silent",
                    BoardLink::Unknown => "unknown",
                },
                since: since(board.since),
                sent: counters.sent,
                answered: counters.answered,
                timeouts: counters.timeouts,
                refused: counters.refused,
                bad_frames: counters.bad_checksum,
                wrong_address: counters.wrong_address,
                mismatched: counters.mismatched,
                unsolicited: counters.unsolicited,
                late: counters.late,
                noise_bytes: counters.noise_bytes,
                resyncs: counters.resyncs,
                echo_bytes: counters.echo_bytes,
                collisions: counters.collisions,
                retries: counters.retries,
                reply_times: ReplyTimeFigures {
                    mean_ms: times.mean_us().map(to_ms),
                    slowest_ms: (times.count > 0).then(|| to_ms(times.slowest_us)),
                    classes: bounds.zip(times.classes).map(class).collect(),
                },
            }
        });
        PortFigures {
            name: port.name.to_string(),
            port: port.port.to_string(),
            status,
            reason,
            since: since(port.since),
            reconnects: port.reconnects,
            boards: boards.collect(),
        }
    }

    /// Whether a live alarm says that the sensor of a locker's door is broken.
    fn has_sensor_fault(&self, locker: LockerId) -> bool {
        self.alarms_snapshot().alarms.values().any(|alarm| {
            alarm.kind == AlarmKind::SensorFault
                && alarm.cleared.is_none()
                && alarm.subject.locker() == Some(locker)
        })
    }
}

fn demand_staff(caller: Caller) -> Result<(), Error> {
    match caller.role {
        Role::Staff | Role::Admin => Ok(()),
        Role::Student => Err(Error::new(Code::Forbidden, "this is for staff")),
    }
}

/// Microseconds as milliseconds with three decimals.
fn to_ms(us: u64) -> f64 {
    std::time::Duration::from_micros(us).as_secs_f64() * 1_000.0
}
