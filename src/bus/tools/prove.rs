//! The hands of a commissioning: reads a board's inputs, pulses a lock once and sees what it moved.
//!
//! What is seen goes into a [`Proof`], which judges it; nothing is decided here. A pulse goes out through
//! the bus with all its coil rules, and never a second time. An input counts as changed when two equal
//! reads show it; then a moment more is waited for others that move with it. Called by the command line
//! and by the service, on a bus that runs.

use std::time::{Duration, Instant};

use crate::bus::codec::{Call, LockBits, Reply, Request, StatusOrder, codec};
use crate::bus::scanner::Heard;
use crate::bus::tools::ToolError;
use crate::bus::{Bus, Happened, OpenRefused, OpeningWatch, PulseOutcome, Question};
use crate::domain::channel::{BusName, Channel, Family};
use crate::domain::commissioning::{LockSet, Proof, ProofError, Reading};

/// How long a board may take to answer a question of a proof.
const REPLY_MAX: Duration = Duration::from_millis(250);
/// How long after a pulse its door may take to move an input.
const MOVE_MAX: Duration = Duration::from_secs(3);
/// How long other inputs are waited for after the first one changed.
const SETTLE: Duration = Duration::from_millis(300);
/// How long a closing door may take to show.
const CLOSE_MAX: Duration = Duration::from_secs(3);
/// Pause between two reads.
const LOOK_EVERY: Duration = Duration::from_millis(60);
/// Reads until two are equal; a fluttering input gets no more.
const READS_MAX: usize = 12;
/// Longest wait for a pulse to be sent: others may be before it.
const SEND_MAX: Duration = Duration::from_secs(20);

/// Why a step of a proof could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// It is not its turn.
    #[error(transparent)]
    Turn(#[from] ProofError),
    /// The line.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The board cannot be read steadily.
    #[error("the board's inputs change from read to read: check the sensor cables")]
    Unsteady,
    /// The board did not answer.
    #[error("board {0} does not answer: check power, cable and address")]
    Silent(u8),
    /// No such board is configured.
    #[error("bus {0} has no board {1} in the configuration")]
    UnknownBoard(BusName, u8),
}

/// The longest that a pulse that the bus accepted is awaited and watched, until its door moved.
pub const PULSE_MAX: Duration = SEND_MAX.saturating_add(MOVE_MAX).saturating_add(SETTLE);

/// Asks one configured board of a running bus.
pub struct Prober {
    bus: Bus,
    name: BusName,
    address: u8,
    family: Family,
    locks: u8,
}

impl Prober {
    /// Of a configured board.
    pub fn new(bus: &Bus, name: &BusName, address: u8) -> Result<Self, ProveError> {
        let boards = bus.boards(name).unwrap_or_default();
        let unknown = || ProveError::UnknownBoard(name.clone(), address);
        let board = boards.iter().find(|board| board.address == address).ok_or_else(unknown)?;
        let (family, locks) = (board.family, board.locks);
        Ok(Self { bus: bus.clone(), name: name.clone(), address, family, locks })
    }

    /// The board's family.
    #[must_use]
    pub const fn family(&self) -> Family {
        self.family
    }

    /// How many locks it drives.
    #[must_use]
    pub const fn locks(&self) -> u8 {
        self.locks
    }

    /// Whether the line's adapter hears its own requests; `None` before that is known.
    pub async fn has_echo(&self) -> Option<bool> {
        let answered = self.ask(Request::Status, StatusOrder::default()).await.ok()?;
        Some(answered.echo_bytes > 0)
    }

    /// The inputs now, after two equal reads. A board without inputs gives an empty reading.
    pub async fn steady(&self, lock: u8) -> Result<Reading, ProveError> {
        let mut last = self.read(lock).await?;
        for _ in 0..READS_MAX {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = self.read(lock).await?;
            if now == last {
                return Ok(now);
            }
            last = now;
        }
        Err(ProveError::Unsteady)
    }

    /// Pulses the lock that is next and tells the proof what moved. A pulse that does not get through
    /// is told to the proof too.
    pub async fn pulse(&self, proof: &mut Proof, now_ms: u64) -> Result<(), ProveError> {
        self.pulse_by(proof, now_ms, Bus::open_once).await
    }

    /// The same where `open` hands the pulse to the bus; it is called in the lock's turn only.
    pub async fn pulse_by(
        &self,
        proof: &mut Proof,
        now_ms: u64,
        open: impl FnOnce(&Bus, &Channel) -> Result<OpeningWatch, OpenRefused> + Send,
    ) -> Result<(), ProveError> {
        let Some(lock) = proof.step().lock() else {
            return Ok(proof.pulse(now_ms).map(drop)?);
        };
        let before = self.steady(lock).await?;
        let lock = proof.pulse(now_ms)?;
        let channel = Channel { bus: self.name.clone(), board: self.address, lock };
        let sent = match open(&self.bus, &channel) {
            Ok(watch) => is_sent(watch).await,
            Err(OpenRefused::CoolingDown { retry_after_ms }) => {
                Err(format!("the coil must rest {retry_after_ms} ms more"))
            }
            Err(refused) => Err(refused.to_string()),
        };
        let seen = match sent {
            Ok(()) => self.what_moved(lock, &before).await,
            Err(why) => return Ok(proof.pulse_failed(why)?),
        };
        match seen {
            Ok(after) => Ok(proof.observe(&before, &after)?),
            Err(error) => Ok(proof.pulse_failed(error.to_string())?),
        }
    }

    /// The door was closed, says the technician: waits a little for its sensor to show it.
    pub async fn closed(&self, proof: &mut Proof) -> Result<(), ProveError> {
        let Some(lock) = proof.step().lock() else {
            return Ok(proof.closed(&Reading::default())?);
        };
        let give_up = Instant::now() + CLOSE_MAX;
        loop {
            let now = self.steady(lock).await?;
            proof.closed(&now)?;
            let waits = proof.step().lock() == Some(lock) && proof.step().name() == "close";
            if !waits || Instant::now() >= give_up {
                return Ok(());
            }
        }
    }

    /// Waits for inputs to change and to come to rest.
    async fn what_moved(&self, lock: u8, before: &Reading) -> Result<Reading, ProveError> {
        let give_up = Instant::now() + MOVE_MAX;
        loop {
            let now = self.steady(lock).await?;
            if now != *before {
                tokio::time::sleep(SETTLE).await;
                let later = self.steady(lock).await?;
                // A hook may fall back while its door stands open.
                return Ok(if later == *before { now } else { later });
            }
            if Instant::now() >= give_up || now.known.is_empty() {
                return Ok(now);
            }
        }
    }

    async fn read(&self, lock: u8) -> Result<Reading, ProveError> {
        let can = codec(self.family).capabilities();
        let Some((inputs, known)) = self.inputs(StatusOrder::HighestFirst).await? else {
            return Ok(Reading::default());
        };
        let mut reading = Reading { inputs, known, ..Reading::default() };
        if can.uses_status_order {
            let other = self.inputs(StatusOrder::LowestFirst).await?;
            reading.lowest_first = other.map(|(inputs, _)| inputs);
        }
        if can.uses_status_order && can.reads_one {
            let answered = self.ask(Request::StatusOne { lock }, StatusOrder::default()).await?;
            if let Some(Heard::Reply { reply: Reply::One(bit), .. }) = answered.heard {
                reading.one = Some(bit);
            }
        }
        Ok(reading)
    }

    /// Inputs and which of them were reported; `None` when the board refuses to read any.
    async fn inputs(&self, order: StatusOrder) -> Result<Option<(LockSet, LockSet)>, ProveError> {
        for _ in 0..3 {
            match self.ask(Request::Status, order).await?.heard {
                Some(Heard::Reply { reply: Reply::Status { inputs, known, .. }, .. }) => {
                    return Ok(Some((self.set(inputs), self.set(known))));
                }
                Some(Heard::Refused(_)) => return Ok(None),
                _ => {}
            }
        }
        Err(ProveError::Silent(self.address))
    }

    fn set(&self, bits: LockBits) -> LockSet {
        bits.set_locks(self.locks).collect()
    }

    async fn ask(&self, request: Request, status_order: StatusOrder) -> Result<Asked, ToolError> {
        let call = Call { status_order, ..Call::new(self.address, self.locks, request) };
        let question = Question::new(self.family, call, REPLY_MAX);
        let answer = self.bus.ask(&self.name, question).await?;
        Ok(Asked { heard: answer.heard, echo_bytes: answer.tally.echo_bytes })
    }
}

struct Asked {
    heard: Option<Heard>,
    echo_bytes: u32,
}

/// Waits until the pulse is on its way; `Err` says why none is.
async fn is_sent(mut watch: OpeningWatch) -> Result<(), String> {
    let wait = async {
        while let Some(event) = watch.events.recv().await {
            match event.what {
                Happened::Ended(PulseOutcome::Refused(why)) => {
                    return Err(format!("the board refused: {why}"));
                }
                Happened::Ended(PulseOutcome::Unreachable(why)) => {
                    return Err(format!("nothing was sent: {why}"));
                }
                Happened::Sent | Happened::Ended(_) => return Ok(()),
                _ => {}
            }
        }
        Err("the bus stopped".to_owned())
    };
    match tokio::time::timeout(SEND_MAX, wait).await {
        Ok(sent) => sent,
        Err(_elapsed) => Err("the bus was busy all the time".to_owned()),
    }
}
