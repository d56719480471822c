//! Proving a board through the API: the same steps as on the command line, on the server's own bus.
//!
//! A proof is named by its bus and board and kept as a file after each step. With a pulse that the bus
//! accepts, and before it leaves, the board's doors are excused until it was watched. A board with a rented
//! locker is refused, at the start and at each pulse, unless somebody said at the start why it must be;
//! who did, and who had each lock pulsed, stands in the audit chain.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{board_not_found, bus_name, demand_admin, demand_staff, paper};
use crate::bus::tools::ToolError;
use crate::bus::tools::prove::{PULSE_MAX, Prober, ProveError};
use crate::bus::{Bus, OpenRefused, OpeningWatch};
use crate::domain::channel::{BusName, Channel};
use crate::domain::commissioning::{Proof, Step};
use crate::domain::id::{BankId, LockerId, MemberId};
use crate::domain::locker::{Locker, parse_locker_id};
use crate::domain::time::Monotonic;
use crate::service::Services;
use crate::service::error::{Code, Error};
use crate::service::tokens::Caller;
use crate::store::audit::AuditEntry;
use crate::store::{Change, Lane, StoreError, Tx, lockers, proofs};

/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 200;
/// The shape of [`Kept`] that this program writes.
const VERSION: u32 = 1;
/// How much later than the proof the door watch may see a door: two polls of a long bus, in milliseconds.
const LATE_MS: u64 = 1_000;

/// Which board is to be proven.
#[derive(Debug, Clone)]
pub struct ProofOrder {
    /// The bus.
    pub bus: String,
    /// The board's address.
    pub board: u8,
    /// Why it is done although a locker of the board is rented.
    pub force_reason: Option<String>,
}

/// What the technician did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofAction {
    /// Stands before closed doors and wants the next lock pulsed.
    Pulse,
    /// Read the number of the door that opened; `None`: none did.
    Number(Option<i64>),
    /// Closed the door.
    Closed,
    /// Wants the lock under way again.
    Repeat,
    /// Leaves it out.
    Skip,
    /// Wants what was left out again.
    Revisit,
}

/// A proof as it is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    echo: Option<bool>,
    /// Why it is done although a locker of the board is rented.
    #[serde(default)]
    force_reason: Option<String>,
    proof: Proof,
}

impl Services {
    /// Begins the proof of a board; an unfinished one of it is an error.
    pub async fn start_proof(&self, caller: Caller, order: ProofOrder) -> Result<Value, Error> {
        demand_admin(caller)?;
        let bus = bus_name(&order.bus)?;
        let prober = Prober::new(&self.bus, &bus, order.board).map_err(|_| board_not_found())?;
        let reason = order.force_reason.as_deref().map(str::trim).filter(|it| !it.is_empty());
        if reason.is_some_and(|it| it.chars().count() > REASON_CHARS_MAX) {
            let detail = format!("the reason may have {REASON_CHARS_MAX} characters");
            return Err(Error::new(Code::Invalid, detail));
        }
        let expected = self.lockers_on(&bus, order.board);
        if let (Some(locker), None) = (self.rented_of(expected.values()), reason) {
            return Err(board_rented(locker, "send force with a reason"));
        }
        let _claim = self.commissioning.claim(&bus)?;
        for id in self.proof_ids().await? {
            let kept = self.read_proof(&id).await?;
            if *kept.proof.bus() == bus && kept.proof.step() != Step::Done {
                let detail =
                    format!("proof {id} of this bus is not finished: go on with it or delete it");
                return Err(Error::new(Code::CommissioningBusy, detail).with("id", id));
            }
        }
        let proof = Proof::new((bus, order.board), prober.family(), prober.locks(), expected);
        let echo = prober.has_echo().await;
        let force_reason = reason.map(str::to_owned);
        let kept = Kept { version: VERSION, echo, force_reason, proof };
        let id = id_of(&kept.proof);
        let detail = json!({ "force_reason": reason }).to_string();
        self.audit_proof(caller.member_id, "commissioning.prove", &id, detail).await?;
        self.write_proof(&id, &kept).await?;
        Ok(self.proof_view(&id, &kept))
    }

    /// Every proof, finished or not.
    pub async fn proofs(&self, caller: Caller) -> Result<Vec<Value>, Error> {
        demand_staff(caller)?;
        let mut list = Vec::new();
        for id in self.proof_ids().await? {
            let kept = self.read_proof(&id).await?;
            list.push(self.proof_view(&id, &kept));
        }
        Ok(list)
    }

    /// One proof.
    pub async fn proof(&self, caller: Caller, id: &str) -> Result<Value, Error> {
        demand_staff(caller)?;
        Ok(self.proof_view(id, &self.read_proof(id).await?))
    }

    /// Carries out one step; answers the proof as it is then.
    pub async fn step_proof(
        &self,
        caller: Caller,
        id: &str,
        action: ProofAction,
    ) -> Result<Value, Error> {
        demand_admin(caller)?;
        // Only what is there gets a lock.
        self.read_proof(id).await?;
        let lock = self.commissioning.step_lock(id);
        let Ok(_step) = lock.try_lock() else {
            let detail = "a step of this proof is under way: wait for its answer";
            return Err(Error::new(Code::CommissioningBusy, detail).retry_after_ms(1_000));
        };
        let mut kept = self.read_proof(id).await?;
        let _claim = self.commissioning.claim(kept.proof.bus())?;
        let (bus, board) = (kept.proof.bus(), kept.proof.board());
        let prober = Prober::new(&self.bus, bus, board).map_err(|_| board_not_found())?;
        if action == ProofAction::Pulse {
            self.pulse_next(caller, id, &prober, &mut kept).await?;
        }
        let proof = &mut kept.proof;
        match action {
            ProofAction::Pulse => {}
            ProofAction::Closed => prober.closed(proof).await.map_err(|error| explain(&error))?,
            ProofAction::Number(number) => {
                let number = number.map(parse_locker_id).transpose();
                let number = number.map_err(|why| Error::new(Code::Invalid, why))?;
                proof.number(number).map_err(|error| explain(&error.into()))?;
            }
            ProofAction::Repeat => proof.repeat(),
            ProofAction::Skip => proof.skip(),
            ProofAction::Revisit => proof.revisit(),
        }
        kept.echo = prober.has_echo().await.or(kept.echo);
        self.write_proof(id, &kept).await?;
        Ok(self.proof_view(id, &kept))
    }

    /// Forgets a proof; what was applied stays.
    pub async fn delete_proof(&self, caller: Caller, id: &str) -> Result<(), Error> {
        demand_admin(caller)?;
        self.read_proof(id).await?;
        let lock = self.commissioning.step_lock(id);
        let _step = lock.lock().await;
        self.audit_proof(caller.member_id, "commissioning.forget", id, "{}".to_owned()).await?;
        let path = self.proof_path(id)?;
        self.on_disk(move || proofs::remove(&path)).await
    }

    /// The report of a proof for programs, with the lines for config.toml.
    pub async fn proof_report(&self, caller: Caller, id: &str) -> Result<Value, Error> {
        demand_staff(caller)?;
        let kept = self.read_proof(id).await?;
        Ok(paper::report_json(&[kept.proof], kept.echo))
    }

    /// The page of door labels.
    pub async fn proof_labels(&self, caller: Caller, id: &str) -> Result<String, Error> {
        demand_staff(caller)?;
        Ok(paper::labels(&[self.read_proof(id).await?.proof]))
    }

    /// Wires the proven lockers as was found, all or nothing. Numbers that are no lockers yet are made
    /// in `bank`, and refused without one. The lines for config.toml are answered, not written.
    pub async fn apply_proof(
        &self,
        caller: Caller,
        id: &str,
        bank: Option<BankId>,
    ) -> Result<Value, Error> {
        demand_admin(caller)?;
        let kept = self.read_proof(id).await?;
        let found = kept.proof.conclude();
        if let Some((lock, sensor)) = found.crossed.first_key_value() {
            let detail = format!(
                "the sensor of lock {lock} is wired to input {sensor}: swap the cables and prove again"
            );
            return Err(Error::new(Code::ProofStep, detail));
        }
        let wiring: Vec<(LockerId, Channel)> = found
            .wiring
            .iter()
            .map(|(lock, number)| (*number, kept.proof.channel(*lock)))
            .collect();
        if let Some(bank) = bank
            && !self.store.snapshot().site.banks.contains_key(&bank)
        {
            return Err(Error::new(Code::BankNotFound, "there is no such bank"));
        }
        let subject = format!("proof:{id}");
        let detail = json!({ "lockers": wiring.len() }).to_string();
        let wired = wiring.len();
        self.store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                rewire(tx, &wiring, bank)?;
                let (action, actor) = ("commissioning.apply", Some(caller.member_id));
                tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?;
                tx.apply(&Change::Site);
                Ok(())
            })
            .await?;
        let config = paper::config_lines(&[kept.proof], kept.echo);
        Ok(json!({ "lockers": wired, "config": config }))
    }

    /// A proof for people; `wired` says whether the site's lockers hang by now as was found.
    fn proof_view(&self, id: &str, kept: &Kept) -> Value {
        let proof = &kept.proof;
        let found = proof.conclude();
        let (proposed, number) = match proof.step() {
            Step::Number { proposed, .. } => (proposed, None),
            Step::Close { number, .. } => (None, Some(number)),
            _ => (None, None),
        };
        let last = proof.last().map(|verdict| {
            json!({
                "code": verdict, "text": verdict.to_string(), "next": verdict.next(),
                "trouble": verdict.is_trouble(),
            })
        });
        json!({
            "id": id,
            "bus": proof.bus(),
            "board": proof.board(),
            "family": proof.family(),
            "locks": proof.locks(),
            "step": {
                "name": proof.step().name(), "lock": proof.step().lock(), "proposed": proposed,
                "number": number,
            },
            "last": last,
            "results": proof.results(),
            "troubles": found.troubles(),
            "wired": self.is_wired(&kept.proof),
            "conclusion": found,
        })
    }

    /// Whether every proven locker hangs on its lock; not while nothing is proven.
    fn is_wired(&self, proof: &Proof) -> bool {
        let (snapshot, wiring) = (self.store.snapshot(), proof.conclude().wiring);
        let hangs = |(lock, locker): (&u8, &LockerId)| {
            snapshot.site.by_channel.get(&proof.channel(*lock)) == Some(locker)
        };
        !wiring.is_empty() && wiring.iter().all(hangs)
    }

    fn lockers_on(&self, bus: &BusName, board: u8) -> BTreeMap<u8, LockerId> {
        let snapshot = self.store.snapshot();
        let here = snapshot.site.by_channel.iter();
        let here = here.filter(|(channel, _)| channel.bus == *bus && channel.board == board);
        here.map(|(channel, locker)| (channel.lock, *locker)).collect()
    }

    fn rented_of<'a>(&self, lockers: impl IntoIterator<Item = &'a LockerId>) -> Option<LockerId> {
        let snapshot = self.store.snapshot();
        lockers.into_iter().copied().find(|it| snapshot.of_locker(*it).next().is_some())
    }

    /// Has the next lock pulsed, if it is its turn and nobody was given a locker of the board meanwhile.
    async fn pulse_next(
        &self,
        caller: Caller,
        id: &str,
        prober: &Prober,
        kept: &mut Kept,
    ) -> Result<(), Error> {
        let proof = &mut kept.proof;
        let lockers = self.lockers_on(proof.bus(), proof.board());
        let rented = self.rented_of(lockers.values());
        if let (Some(locker), None) = (rented, &kept.force_reason) {
            let next = "delete this proof and begin it again with force and a reason";
            return Err(board_rented(locker, next));
        }
        // Out of turn nothing is pulsed, as the prober will say.
        if let Step::Pulse { lock } = proof.step() {
            self.demand_shown(caller).await?;
            let detail = json!({
                "proof": id, "locker_id": lockers.get(&lock), "force_reason": kept.force_reason,
            });
            let subject = format!("channel:{}", proof.channel(lock));
            let action = "commissioning.pulse";
            self.audit_step(caller.member_id, action, subject, detail.to_string()).await?;
        }
        let now_ms = self.clock.monotonic().0;
        let doors = lockers.into_values().collect::<Vec<_>>();
        let open = |bus: &Bus, channel: &Channel| self.open_excused(bus, channel, &doors);
        let pulsed = prober.pulse_by(proof, now_ms, open).await;
        let end = Monotonic(self.clock.monotonic().0.saturating_add(LATE_MS));
        self.watch.tell(&self.clock, |rules| rules.trial_ended(doors.iter().copied(), end));
        pulsed.map_err(|error| explain(&error))
    }

    /// Hands a pulse to the bus; when it is accepted any of these doors may open now, and nobody forced
    /// it. Under the lock of the watch, so that the excuse comes before the door.
    fn open_excused(
        &self,
        bus: &Bus,
        channel: &Channel,
        doors: &[LockerId],
    ) -> Result<OpeningWatch, OpenRefused> {
        let now = self.clock.monotonic();
        let watch_ms = u64::try_from(PULSE_MAX.as_millis()).unwrap_or(u64::MAX);
        let until = Monotonic(now.0.saturating_add(watch_ms).saturating_add(LATE_MS));
        self.watch.tell(&self.clock, |rules| {
            let watch = bus.open_once(channel)?;
            rules.trial_begun(doors.iter().copied(), now, until);
            Ok(watch)
        })
    }

    async fn audit_proof(
        &self,
        actor: MemberId,
        action: &'static str,
        id: &str,
        detail: String,
    ) -> Result<(), Error> {
        self.audit_step(actor, action, format!("proof:{id}"), detail).await
    }

    async fn audit_step(
        &self,
        actor: MemberId,
        action: &'static str,
        subject: String,
        detail: String,
    ) -> Result<(), Error> {
        let done = self.store.write::<_, StoreError, _>(Lane::Change, move |tx| {
            tx.audit(&AuditEntry { actor: Some(actor), action, subject: &subject, detail: &detail })
        });
        Ok(done.await?)
    }

    fn proof_path(&self, id: &str) -> Result<PathBuf, Error> {
        // The id becomes a file's name: only what a bus and a board can make passes.
        parse_id(id).ok_or_else(proof_not_found)?;
        Ok(self.store.dir().proofs().join(format!("{id}.json")))
    }

    async fn proof_ids(&self) -> Result<Vec<String>, Error> {
        let directory = self.store.dir().proofs();
        let names = self.on_disk(move || proofs::list(&directory)).await?;
        Ok(names.into_iter().filter(|name| parse_id(name).is_some()).collect())
    }

    async fn read_proof(&self, id: &str) -> Result<Kept, Error> {
        let path = self.proof_path(id)?;
        let kept: Option<Kept> = self.on_disk(move || proofs::load(&path)).await?;
        let kept = kept.ok_or_else(proof_not_found)?;
        Ok(Kept { proof: kept.proof.resumed(), ..kept })
    }

    async fn write_proof(&self, id: &str, kept: &Kept) -> Result<(), Error> {
        let path = self.proof_path(id)?;
        let value = json!(kept);
        self.on_disk(move || {
            if let Some(directory) = path.parent() {
                std::fs::create_dir_all(directory)?;
            }
            proofs::save(&path, &value)
        })
        .await
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let done = tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other);
        done.and_then(|done| done).map_err(|error| {
            tracing::error!(area = "store", %error, "the file of a proof cannot be used");
            Error::new(Code::Internal, "something went wrong on our side; it was logged")
        })
    }
}

/// Wires lockers; whoever hung on one of these wires before hangs on none now.
fn rewire(tx: &Tx<'_>, wiring: &[(LockerId, Channel)], bank: Option<BankId>) -> Result<(), Error> {
    for (number, channel) in wiring {
        lockers::clear_channel(tx.conn, *number)?;
        lockers::clear_channel_at(tx.conn, channel)?;
    }
    for (number, channel) in wiring {
        if lockers::find_bank(tx.conn, *number)?.is_some() {
            lockers::update_channel(tx.conn, *number, channel)?;
        } else if let Some(bank_id) = bank {
            let channel = Some(channel.clone());
            let locker = Locker { channel, ..Locker::new(*number, bank_id) };
            lockers::insert(tx.conn, &locker)?;
        } else {
            let detail = format!("there is no locker {number}: send a bank_id to make it in");
            return Err(Error::new(Code::LockerNotFound, detail));
        }
    }
    Ok(())
}

fn id_of(proof: &Proof) -> String {
    format!("{}-{}", proof.bus(), proof.board())
}

fn parse_id(id: &str) -> Option<(BusName, u8)> {
    let (bus, board) = id.rsplit_once('-')?;
    let name = BusName::parse(bus).ok()?;
    let address: u8 = board.parse().ok()?;
    (format!("{name}-{address}") == id).then_some((name, address))
}

fn explain(error: &ProveError) -> Error {
    let code = match error {
        ProveError::Turn(_) => Code::ProofStep,
        ProveError::UnknownBoard(..) => Code::BoardNotFound,
        ProveError::Tool(ToolError::Busy) => Code::Overloaded,
        ProveError::Silent(_) | ProveError::Unsteady | ProveError::Tool(_) => Code::BoardSilent,
    };
    Error::new(code, error.to_string())
}

fn board_rented(locker: LockerId, next: &str) -> Error {
    let detail = format!("locker {locker} on this board is rented: {next}");
    Error::new(Code::BoardRented, detail).with("locker_id", locker.0)
}

fn proof_not_found() -> Error {
    Error::new(Code::ProofNotFound, "there is no such proof")
}
