//! Reading the published state from the database: at start, after healing, after a change of site.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, Row};

use super::error::StoreError;
use super::rentals::LiveState;
use super::snapshot::{Site, Snapshot};
use super::{
    banks, kiosks, lockers, members, penalties, presence, rentals, sessions, terms, waiting,
};
use crate::clock::Clock;
use crate::domain::id::RentalId;
use crate::domain::name::Name;
use crate::domain::rental::{Rental, RentalState};
use crate::domain::returning::Return;

/// Loads everything. Holds and returns that `known` (the state this process published before) knows
/// keep their times; any other open hold, offer or grace gets its full time again, never less.
pub(super) fn load(
    conn: &Connection,
    clock: &Clock,
    known: Option<&Snapshot>,
) -> Result<Snapshot, StoreError> {
    let site = site(conn)?;
    let now = clock.monotonic();
    let lines = waiting::list_live(conn)?;
    let offers: HashSet<RentalId> = lines.iter().filter_map(|it| it.offer).collect();
    let mut live = Vec::new();
    for stored in rentals::list_live(conn)? {
        let kept = known.and_then(|snapshot| {
            snapshot.of_locker(stored.locker_id).find(|rental| rental.id == stored.id)
        });
        let state = match (stored.state, kept.map(|rental| rental.state)) {
            (LiveState::Active, _) => RentalState::Active,
            (LiveState::Held, Some(state @ RentalState::Held { .. })) => state,
            (LiveState::Held, _) => {
                let time = site.locker(stored.locker_id).map(|(_, bank)| {
                    let is_offer = offers.contains(&stored.id);
                    if is_offer { bank.policy.options.offer() } else { bank.policy.hold() }
                });
                RentalState::Held { until: now.after(time.unwrap_or_default()) }
            }
            (LiveState::Returned { closed, emptied, late, untouched }, kept) => {
                let anew = Return::new(now, Some(now));
                let it = if let Some(RentalState::Returned(it)) = kept { it } else { anew };
                RentalState::Returned(Return {
                    late,
                    untouched,
                    closed: closed.then(|| it.closed.unwrap_or(now)),
                    emptied: emptied.then(|| it.emptied.unwrap_or(now)),
                    ..it
                })
            }
        };
        live.push(Rental {
            id: stored.id,
            locker_id: stored.locker_id,
            member_id: stored.member_id,
            term_id: stored.term_id,
            dates: stored.dates,
            opened: stored.opened,
            extensions: stored.extensions,
            hold_extended: stored.hold_extended,
            sealed: stored.sealed,
            state,
        });
    }
    let ended = sessions::list_ended_since(conn, sessions::remembered_from(clock.now()))?;
    let version = known.map_or(1, |snapshot| snapshot.version + 1);
    let reserved = rentals::list_reserved(conn)?;
    let snapshot = Snapshot::new(version, Arc::new(site), live, ended);
    let penalties = penalties::list_last_days(conn)?;
    Ok(snapshot.with_reservations(reserved).with_lines(lines).with_penalties(penalties))
}

/// Loads places, lockers, terms, staff, leavers, kiosks and presence keys.
pub(super) fn site(conn: &Connection) -> Result<Site, StoreError> {
    let mut site = Site {
        locations: banks::list_locations(conn)?.into_iter().map(|it| (it.id, it)).collect(),
        banks: banks::list(conn)?.into_iter().map(|it| (it.id, it)).collect(),
        lockers: lockers::list(conn)?.into_iter().map(|it| (it.id, it)).collect(),
        retired: lockers::list_retired(conn)?.into_iter().collect(),
        layouts: banks::list_layouts(conn)?.into_iter().collect(),
        terms: terms::list(conn)?,
        kiosks: kiosks::list(conn)?.into_iter().map(|it| (it.id, it)).collect(),
        presence_keys: presence::list_keys(conn)?.into_iter().collect(),
        leavers: members::list_leavers(conn)?.into_iter().collect(),
        ..Site::default()
    };
    for (member, bank) in banks::list_staff(conn)? {
        site.staff.entry(member).or_default().push(bank);
    }
    site.index_channels();
    Ok(site)
}

/// Reads a stored date.
pub(super) fn date(
    row: &Row<'_>,
    index: usize,
    table: &'static str,
    column: &'static str,
) -> Result<Date, StoreError> {
    let text: String = row.get(index)?;
    text.parse().map_err(|_| StoreError::Inconsistent { table, column, value: text })
}

/// Reads a name in both languages from a column and the one after it.
pub(super) fn named(row: &Row<'_>, ko: usize) -> Result<Name, StoreError> {
    Ok(Name { ko: row.get(ko)?, en: row.get(ko + 1)? })
}

/// Reads a stored instant.
pub(super) fn instant(ms: i64) -> Timestamp {
    // Out of range only for years beyond 9999: what is stored came from a Timestamp.
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}

/// Collects rows through a fallible reader.
pub(super) fn collect<T>(
    mut rows: rusqlite::Rows<'_>,
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.push(read(row)?);
    }
    Ok(list)
}
