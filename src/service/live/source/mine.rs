//! What each member holds, rents and has reserved, with its door; and alarms at it. Told to that member
//! alone.
//!
//! A rental is told whenever anything of it changes, also what is not said here: `GET /lockers/me` has
//! the whole. A site has thousands of them and is in a rush when most of them change, so only a newer
//! state is compared, rental by rental, and only a newer door is looked up.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;

use super::super::stream::Change;
use super::super::topic::{Audience, Scope, Topic};
use super::{Missed, Source};
use crate::domain::alarm::Alarm;
use crate::domain::channel::DoorState;
use crate::domain::id::{AlarmId, LockerId, MemberId, RentalId};
use crate::domain::pool::Reservation;
use crate::domain::rental::Rental;
use crate::domain::returning::Verdict;
use crate::service::Services;
use crate::store::Snapshot;

/// Keys of alarms begin here: numbers of rentals stay far below.
const ALARM_KEYS: u128 = 1 << 64;

/// What was said of each rental, reservation and alarm.
#[derive(Default)]
pub(super) struct Mine {
    said: HashMap<RentalId, Said>,
    /// The versions of the state and of the doors at the last look.
    looked: Option<(u64, u64)>,
    alarms: OwnAlarms,
    /// Over, and the last word about them was said.
    over: Vec<(MemberId, u128)>,
}

/// What was said of a rental.
#[derive(Clone, Copy)]
struct Said {
    right: Right,
    door: DoorState,
}

/// A right to a locker, or to some locker of a bank.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    Rental(Rental),
    Reservation(Reservation),
}

impl Right {
    const fn member(&self) -> MemberId {
        match self {
            Self::Rental(rental) => rental.member_id,
            Self::Reservation(it) => it.member_id,
        }
    }

    const fn locker(&self) -> Option<LockerId> {
        match self {
            Self::Rental(rental) => Some(rental.locker_id),
            Self::Reservation(_) => None,
        }
    }
}

impl Source for Mine {
    fn bell(&self, services: &Services) -> Option<watch::Receiver<u64>> {
        // Doors and alarms ring for their own topics.
        Some(services.store.subscribe())
    }

    fn look(&mut self, services: &Services) -> Result<Vec<Change>, Missed> {
        let (snapshot, doors) = (services.store.snapshot(), *services.bus.subscribe().borrow());
        let forgotten = |(member, key)| Change { scope: scope(member), key, json: None };
        let mut changes: Vec<Change> = self.over.drain(..).map(forgotten).collect();
        let (version_before, doors_before) = self.looked.unzip();
        if version_before != Some(snapshot.version) {
            self.compare_rights(services, &snapshot, &mut changes);
        }
        if doors_before != Some(doors) {
            self.compare_doors(services, &snapshot, &mut changes);
        }
        self.looked = Some((snapshot.version, doors));
        self.alarms.compare(services, &snapshot, &mut changes, &mut self.over);
        Ok(changes)
    }

    fn forget(&mut self) {
        let mut alarms = std::mem::take(&mut self.alarms);
        alarms.anew = true;
        *self = Self { alarms, ..Self::default() };
    }
}

impl Mine {
    fn compare_rights(
        &mut self,
        services: &Services,
        snapshot: &Snapshot,
        changes: &mut Vec<Change>,
    ) {
        let rentals = snapshot.rentals().map(|rental| (rental.id, Right::Rental(*rental)));
        let reserved = snapshot.reservations().map(|it| (it.id, Right::Reservation(*it)));
        let mut live = 0;
        for (id, right) in rentals.chain(reserved) {
            live += 1;
            if self.said.get(&id).is_none_or(|said| said.right != right) {
                changes.push(self.tell(services, snapshot, id, right));
            }
        }
        if self.said.len() == live {
            return;
        }
        let is_over =
            |id: &RentalId| snapshot.rental(*id).is_none() && snapshot.reservation(*id).is_none();
        let over: Vec<RentalId> = self.said.keys().copied().filter(is_over).collect();
        for (id, said) in over.into_iter().filter_map(|id| Some((id, self.said.remove(&id)?))) {
            let (member, key) = (said.right.member(), key(id));
            let last = json!({
                "rental_id": id, "locker_id": said.right.locker(), "state": "over",
            });
            changes.push(Change { scope: scope(member), key, json: Some(last.to_string()) });
            self.over.push((member, key));
        }
    }

    fn compare_doors(
        &mut self,
        services: &Services,
        snapshot: &Snapshot,
        changes: &mut Vec<Change>,
    ) {
        for (channel, reading) in services.bus.doors().iter() {
            let Some(locker) = snapshot.site.by_channel.get(&channel) else { continue };
            for rental in snapshot.of_locker(*locker) {
                if self.said.get(&rental.id).is_some_and(|said| said.door != reading.state) {
                    let right = Right::Rental(*rental);
                    changes.push(self.tell(services, snapshot, rental.id, right));
                }
            }
        }
    }

    fn tell(
        &mut self,
        services: &Services,
        snapshot: &Snapshot,
        id: RentalId,
        right: Right,
    ) -> Change {
        let site = &snapshot.site;
        let place = right.locker().and_then(|locker| site.locker(locker));
        let channel = place.and_then(|(locker, _)| locker.channel.as_ref());
        let door = channel.map_or(DoorState::Unknown, |channel| services.bus.door(channel).state);
        self.said.insert(id, Said { right, door });
        let json = match right {
            Right::Rental(rental) => {
                let now = services.clock.monotonic();
                let (_, verdict) = services.judge(snapshot, &rental, false, now);
                json!({
                    "rental_id": id,
                    "locker_id": rental.locker_id,
                    "bank_id": site.bank_of(rental.locker_id),
                    "state": rental.state.name(),
                    "starts_on": rental.dates.first(),
                    "ends_on": rental.dates.last(),
                    "waits_for": verdict.and_then(Verdict::waits_for),
                    "door": door,
                })
            }
            Right::Reservation(it) => json!({
                "rental_id": id,
                "locker_id": null,
                "bank_id": it.bank_id,
                "state": "reserved",
                "starts_on": it.dates.first(),
                "ends_on": it.dates.last(),
                "waits_for": null,
                "door": null,
            }),
        };
        Change { scope: scope(right.member()), key: key(id), json: Some(json.to_string()) }
    }
}

/// Alarms that began while somebody rented their locker.
#[derive(Default)]
struct OwnAlarms {
    seen: BTreeMap<AlarmId, Arc<Alarm>>,
    /// The newest alarm that was met. Whose those before the first look are, only the database knows.
    newest: Option<AlarmId>,
    /// Who rented the locker when the alarm began.
    owners: HashMap<AlarmId, MemberId>,
    /// Everything must be said again.
    anew: bool,
}

impl OwnAlarms {
    fn compare(
        &mut self,
        services: &Services,
        snapshot: &Snapshot,
        changes: &mut Vec<Change>,
        over: &mut Vec<(MemberId, u128)>,
    ) {
        let published = services.alarms_snapshot();
        let alarms = &published.alarms;
        let anew = std::mem::take(&mut self.anew);
        let seen = std::mem::replace(&mut self.seen, alarms.clone());
        let last = alarms.last_key_value().map_or(AlarmId(0), |(id, _)| *id);
        let newest = *self.newest.get_or_insert(last);
        self.newest = Some(newest.max(last));
        for (id, alarm) in alarms {
            if !anew && seen.get(id).is_some_and(|known| Arc::ptr_eq(known, alarm)) {
                continue;
            }
            let occupant = |locker| snapshot.occupant(locker, services.clock.today());
            if newest < *id
                && let Some(rental) = alarm.subject.locker().and_then(occupant)
            {
                self.owners.insert(*id, rental.member_id);
            }
            let Some(owner) = self.owners.get(id) else { continue };
            let json = json!({
                "alarm_id": id,
                "locker_id": alarm.subject.locker(),
                "kind": alarm.kind.name(),
                "state": alarm.state().name(),
            });
            let json = Some(json.to_string());
            changes.push(Change { scope: scope(*owner), key: alarm_key(*id), json });
        }
        for id in seen.into_keys().filter(|id| !alarms.contains_key(id)) {
            let Some(owner) = self.owners.remove(&id) else { continue };
            let last = json!({ "alarm_id": id, "state": "over" }).to_string();
            changes.push(Change { scope: scope(owner), key: alarm_key(id), json: Some(last) });
            over.push((owner, alarm_key(id)));
        }
    }
}

fn key(id: RentalId) -> u128 {
    u128::from(id.0.unsigned_abs())
}

fn alarm_key(id: AlarmId) -> u128 {
    ALARM_KEYS + u128::from(id.0.unsigned_abs())
}

const fn scope(member: MemberId) -> Scope {
    Scope { topic: Topic::Mine, bank: None, audience: Audience::Member(member) }
}
