//! Lockers: made one by one or as a range, changed, retired, taken out of service, written about.

use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::banks::{demand_bank, recheck};
use super::{audit, bank_not_found, demand_room, demand_text, demand_unused, note_service};
use crate::domain::channel::Channel;
use crate::domain::id::{BankId, LockerId};
use crate::domain::layout::{Level, Place, Run};
use crate::domain::locker::{Locker, parse_locker_id};
use crate::service::error::{Code, Error};
use crate::service::idempotency::{Answer, RequestKey, once};
use crate::service::members::Actor;
use crate::service::rentals::locker_not_found;
use crate::service::site::LOCKERS_MAX;
use crate::service::tokens::Caller;
use crate::service::{Services, is_staff_for};
use crate::store::{Lane, Site, Snapshot, StoreError, lockers};

pub use crate::store::lockers::{Note, ServiceStep};

/// Most lockers of one range.
pub const RANGE_MAX: i64 = 500;
/// Most notes or steps of one question.
pub const PAGE_MAX: u32 = 100;

/// A range of lockers of one bank.
#[derive(Debug, Clone)]
pub struct NewLockers {
    /// The first number.
    pub from: i64,
    /// The last number.
    pub to: i64,
    /// Where the first one is wired; each next one has the next lock of the same board.
    pub channel: Option<Channel>,
    /// Whether they are lent.
    pub in_service: bool,
    /// Where they stand.
    pub run: Option<Run>,
    /// How high they hang.
    pub level: Option<Level>,
    /// Whether they can be used from a wheelchair.
    pub accessible: bool,
}

/// What is to become of something that may be missing. Read from a document: left out, `null` or a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is taken away.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T> Edit<T> {
    /// What becomes of what there was.
    pub fn over(self, had: Option<T>) -> Option<T> {
        match self {
            Self::Keep => had,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The same with another value, if that can be.
    pub fn try_map<U, E>(self, read: impl FnOnce(T) -> Result<U, E>) -> Result<Edit<U>, E> {
        Ok(match self {
            Self::Keep => Edit::Keep,
            Self::Clear => Edit::Clear,
            Self::Set(value) => Edit::Set(read(value)?),
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Edit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

/// What is to be different of a locker; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct LockerChange {
    /// Its bank; only while nobody rents or holds it. It loses its place when none is given.
    pub bank_id: Option<BankId>,
    /// Its wire.
    pub channel: Edit<Channel>,
    /// Where it stands.
    pub place: Edit<Place>,
    /// How high it hangs.
    pub level: Edit<Level>,
    /// Whether it can be used from a wheelchair.
    pub accessible: Option<bool>,
}

/// A locker as staff see it.
#[derive(Debug, Clone)]
pub struct LockerSetup {
    /// The locker.
    pub locker: Locker,
    /// Why it is out of service, when somebody said so.
    pub reason: Option<String>,
}

/// Which lockers of a bank are meant; what is `None` does not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct LockerFilter {
    /// Whether they are lent.
    pub in_service: Option<bool>,
    /// Whether they have an electric lock.
    pub wired: Option<bool>,
}

impl LockerFilter {
    fn finds(self, it: &LockerSetup) -> bool {
        self.in_service.is_none_or(|wanted| it.locker.in_service == wanted)
            && self.wired.is_none_or(|wanted| it.locker.channel.is_some() == wanted)
    }
}

impl Services {
    /// The lockers of a bank in the order of their numbers. For its staff.
    pub async fn lockers_of_bank(
        &self,
        caller: Caller,
        bank: BankId,
        filter: LockerFilter,
    ) -> Result<Vec<LockerSetup>, Error> {
        let snapshot = self.store.snapshot();
        if !snapshot.site.banks.contains_key(&bank) {
            return Err(bank_not_found(bank));
        }
        demand_staff_of(&snapshot, caller, bank)?;
        let reasons = self.store.read(move |conn| lockers::list_reasons(conn, bank)).await?;
        let mut all = setups(&snapshot.site, bank, reasons);
        all.retain(|it| filter.finds(it));
        Ok(all)
    }

    /// One locker as staff of its bank see it.
    pub async fn locker_setup(&self, caller: Caller, id: LockerId) -> Result<LockerSetup, Error> {
        let bank = self.demand_staff_of_locker(caller, id)?;
        let all = self.lockers_of_bank(caller, bank, LockerFilter::default()).await?;
        all.into_iter().find(|it| it.locker.id == id).ok_or_else(|| locker_not_found(id))
    }

    /// Refuses a wire to a bus that the configuration does not have, which is a slip of the hand. Where it
    /// has none at all the cabinets may be set up before their ports.
    fn demand_bus(&self, channel: Option<&Channel>) -> Result<(), Error> {
        let Some(channel) = channel else { return Ok(()) };
        let known: Vec<String> =
            self.bus.health().into_iter().map(|port| port.name.as_str().to_owned()).collect();
        if known.is_empty() || known.iter().any(|name| name == channel.bus.as_str()) {
            return Ok(());
        }
        let detail = format!(
            "there is no bus {} in the configuration: it has {}",
            channel.bus,
            known.join(", ")
        );
        Err(Error::new(Code::Invalid, detail))
    }

    /// Makes lockers; gives their numbers. For admins.
    pub async fn add_lockers(
        &self,
        actor: Actor,
        bank: BankId,
        new: NewLockers,
        key: Option<RequestKey>,
    ) -> Result<Answer<Vec<LockerId>>, Error> {
        actor.demand_admin()?;
        let today = self.clock.today();
        let planned = plan(bank, &new).map_err(|text| Error::new(Code::Invalid, text))?;
        self.demand_bus(new.channel.as_ref())?;
        self.change_places(actor, "locker.add", key, move |tx| {
            demand_bank(tx, bank)?;
            let most = LOCKERS_MAX.saturating_sub(planned.len() - 1);
            demand_room(tx.snapshot().site.lockers.len(), most, "lockers")?;
            for locker in &planned {
                lockers::insert(tx.conn, locker).map_err(|error| named(error, locker))?;
                if !locker.in_service {
                    note_service(
                        tx,
                        (locker.id, today),
                        false,
                        Some("not in service yet"),
                        actor.id(),
                    )?;
                }
            }
            recheck(tx, bank)?;
            let numbers: Vec<LockerId> = planned.iter().map(|locker| locker.id).collect();
            let detail = json!({ "from": new.from, "to": new.to, "channel": new.channel });
            audit(tx, actor, "locker.add", &super::banks::subject(bank), &detail)?;
            Ok(numbers)
        })
        .await
    }

    /// Changes a locker. For admins.
    pub async fn change_locker(
        &self,
        actor: Actor,
        id: LockerId,
        change: LockerChange,
        key: Option<RequestKey>,
    ) -> Result<Answer<LockerId>, Error> {
        actor.demand_admin()?;
        if let Edit::Set(place) = change.place {
            place.validated().map_err(|why| Error::new(Code::Invalid, why))?;
        }
        if change.channel != Edit::Keep {
            self.demand_no_opening(id)?;
        }
        if let Edit::Set(channel) = &change.channel {
            self.demand_bus(Some(channel))?;
        }
        self.change_places(actor, "locker.change", key, move |tx| {
            let had = lockers::find(tx.conn, id)?.ok_or_else(|| locker_not_found(id))?;
            let bank_id = change.bank_id.unwrap_or(had.bank_id);
            let moves = bank_id != had.bank_id;
            if moves {
                demand_bank(tx, bank_id)?;
                demand_unused(tx, [id])?;
            }
            let stood = had.place.filter(|_| !moves);
            let next = Locker {
                bank_id,
                channel: change.channel.clone().over(had.channel.clone()),
                place: change.place.clone().over(stood),
                level: change.level.clone().over(had.level),
                accessible: change.accessible.unwrap_or(had.accessible),
                ..had.clone()
            };
            lockers::update(tx.conn, &next).map_err(|error| named(error, &next))?;
            recheck(tx, bank_id)?;
            audit(tx, actor, "locker.change", &subject(id), &json!({ "from": had, "to": next }))?;
            Ok(id)
        })
        .await
    }

    /// Retires a locker that nobody rents or holds and takes it off its wire. Its number is not used
    /// again. For admins.
    pub async fn retire_locker(
        &self,
        actor: Actor,
        id: LockerId,
        key: Option<RequestKey>,
    ) -> Result<Answer<LockerId>, Error> {
        actor.demand_admin()?;
        self.demand_no_opening(id)?;
        self.change_places(actor, "locker.retire", key, move |tx| {
            let had = lockers::find(tx.conn, id)?.ok_or_else(|| locker_not_found(id))?;
            demand_unused(tx, [id])?;
            lockers::retire(tx.conn, id, tx.now_ms())?;
            let detail = json!({ "bank_id": had.bank_id, "channel": had.channel });
            audit(tx, actor, "locker.retire", &subject(id), &detail)?;
            Ok(id)
        })
        .await
    }

    /// Takes a locker out of service or puts it back. Its history stays; whoever rents it is told the
    /// reason. For staff of its bank.
    pub async fn put_service(
        &self,
        actor: Actor,
        id: LockerId,
        in_service: bool,
        reason: &str,
        key: Option<RequestKey>,
    ) -> Result<Answer<LockerId>, Error> {
        if let Actor::Caller(caller) = actor {
            self.demand_staff_of_locker(caller, id)?;
        }
        let (today, reason) = (self.clock.today(), demand_text("reason", reason)?);
        self.change_places(actor, "locker.service", key, move |tx| {
            let had = lockers::find(tx.conn, id)?.ok_or_else(|| locker_not_found(id))?;
            if had.in_service == in_service {
                // Another reason for what is so already is worth keeping, but not worth a mail.
                let step = (in_service, reason.as_str(), actor.id());
                lockers::insert_service(tx.conn, id, step, tx.now_ms())?;
            } else {
                lockers::update(tx.conn, &Locker { in_service, ..had })?;
                note_service(tx, (id, today), in_service, Some(&reason), actor.id())?;
            }
            let detail = json!({ "in_service": in_service, "reason": reason });
            audit(tx, actor, "locker.service", &subject(id), &detail)?;
            Ok(id)
        })
        .await
    }

    /// When a locker was taken out of service and put back, newest first, older than `before`. For staff
    /// of its bank, also after it was retired.
    pub async fn service_history(
        &self,
        caller: Caller,
        id: LockerId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ServiceStep>, Error> {
        self.demand_staff_of_locker(caller, id)?;
        let limit = limit.min(PAGE_MAX + 1);
        Ok(self.store.read(move |conn| lockers::list_service(conn, id, before, limit)).await?)
    }

    /// What was written about a locker, newest first, older than `before`. For staff of its bank, also
    /// after it was retired.
    pub async fn notes(
        &self,
        caller: Caller,
        id: LockerId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Note>, Error> {
        self.demand_staff_of_locker(caller, id)?;
        let limit = limit.min(PAGE_MAX + 1);
        Ok(self.store.read(move |conn| lockers::list_notes(conn, id, before, limit)).await?)
    }

    /// Writes something about a locker; gives the note's number. For staff of its bank. The words are in
    /// the note, not in the audit log.
    pub async fn add_note(
        &self,
        caller: Caller,
        id: LockerId,
        text: &str,
        key: Option<RequestKey>,
    ) -> Result<Answer<i64>, Error> {
        self.demand_staff_of_locker(caller, id)?;
        let text = demand_text("text", text)?;
        let actor = Actor::Caller(caller);
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "locker.note", key.as_ref(), |tx| {
                    let by = caller.member_id;
                    let note = lockers::insert_note(tx.conn, id, by, &text, tx.now_ms())?;
                    audit(tx, actor, "locker.note", &subject(id), &json!({ "note_id": note }))?;
                    Ok(note)
                })
            })
            .await
    }

    /// The bank of a locker that the caller looks after, also of a retired one.
    fn demand_staff_of_locker(&self, caller: Caller, id: LockerId) -> Result<BankId, Error> {
        let snapshot = self.store.snapshot();
        let bank = snapshot.site.bank_of(id).ok_or_else(|| locker_not_found(id))?;
        demand_staff_of(&snapshot, caller, bank)?;
        Ok(bank)
    }

    fn demand_no_opening(&self, id: LockerId) -> Result<(), Error> {
        if !self.openings.is_under_way(id) {
            return Ok(());
        }
        let detail = format!("locker {id} is being opened right now: try again in a moment");
        Err(Error::new(Code::OpeningUnderWay, detail))
    }
}

/// The lockers of a bank with why some are out of service.
#[must_use]
pub fn setups(
    site: &Site,
    bank: BankId,
    reasons: impl IntoIterator<Item = (LockerId, String)>,
) -> Vec<LockerSetup> {
    let mut reasons: std::collections::HashMap<_, _> = reasons.into_iter().collect();
    site.lockers_of(bank)
        .map(|locker| LockerSetup { locker: locker.clone(), reason: reasons.remove(&locker.id) })
        .collect()
}

/// The lockers of a range; the text says what cannot be.
fn plan(bank: BankId, new: &NewLockers) -> Result<Vec<Locker>, String> {
    if new.to < new.from || new.to - new.from >= RANGE_MAX {
        return Err(format!("{} to {} is no range of 1 to {RANGE_MAX} lockers", new.from, new.to));
    }
    let mut planned = Vec::new();
    for (n, number) in (0_u16..).zip(new.from..=new.to) {
        let id = parse_locker_id(number)?;
        let wire = |first: &Channel| {
            let lock = u8::try_from(n).ok().and_then(|n| first.lock.checked_add(n));
            let lock = lock.ok_or_else(|| format!("locker {id}: the board has no lock for it"))?;
            Channel::new(first.bus.clone(), first.board, lock)
                .map_err(|error| format!("locker {id}: {error}"))
        };
        let place = new.run.map(|run| run.place(n).map_err(|why| format!("locker {id}: {why}")));
        planned.push(Locker {
            id,
            bank_id: bank,
            channel: new.channel.as_ref().map(wire).transpose()?,
            in_service: new.in_service,
            place: place.transpose()?,
            level: new.level,
            accessible: new.accessible,
        });
    }
    Ok(planned)
}

fn demand_staff_of(snapshot: &Snapshot, caller: Caller, bank: BankId) -> Result<(), Error> {
    if is_staff_for(snapshot, caller, bank) {
        return Ok(());
    }
    Err(Error::new(Code::Forbidden, format!("you do not look after bank {bank}")))
}

/// A refusal of the schema says which locker it is about.
fn named(error: StoreError, locker: &Locker) -> Error {
    let error = Error::from(error);
    match (error.code, &locker.channel) {
        (Code::ChannelTaken, Some(channel)) => {
            let detail = format!("another locker hangs on {channel}: take it off first");
            error.reworded(Code::ChannelTaken, detail)
        }
        (Code::NumberTaken, _) => {
            let id = locker.id;
            let detail = format!("{id} is or was the number of a locker: it is not used again");
            error.reworded(Code::NumberTaken, detail)
        }
        _ => error,
    }
}

fn subject(id: LockerId) -> String {
    format!("locker:{id}")
}
