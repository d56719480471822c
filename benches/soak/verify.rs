//! The verdict at the end: on the hardware as it was treated, and on the records as they were kept.

use lockerd::sim::ViolationKind;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::site::{Site, Stopped};
use crate::tally::Tally;

/// Rules that hold whatever the wire does. Talking over a board that answers too late is no breach.
const NEVER: [ViolationKind; 5] = [
    ViolationKind::CoilTooLong,
    ViolationKind::CoilOverrun,
    ViolationKind::CoilsTogether,
    ViolationKind::PulseTooSoon,
    ViolationKind::OpenAllSent,
];

/// What the boards have to say.
pub fn hardware(site: &Site, tally: &Tally) -> Vec<String> {
    let said = site.simulator.assertions();
    let mut breaches: Vec<String> = site
        .simulator
        .violations()
        .into_iter()
        .filter(|it| NEVER.contains(&it.kind))
        .map(|it| format!("{it:?}"))
        .collect();
    if said.burnt > 0 {
        breaches.push(format!("{} burnt coils", said.burnt));
    }
    let pulses: u64 = said.locks.iter().map(|lock| lock.pulses).sum();
    if pulses != tally.pulses() {
        let known = tally.pulses();
        breaches.push(format!("{pulses} pulses at the boards, {known} within openings"));
    }
    breaches
}

/// What the database has to say: every accepted opening with the outcome that was told.
pub fn records(stopped: &Stopped, tally: &Tally) -> anyhow::Result<Vec<String>> {
    let mut breaches = Vec::new();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(stopped.database(), flags)?;
    let mut find = database.prepare("SELECT outcome FROM opening WHERE id = ?1")?;
    for (id, told) in tally.accepted() {
        let stored: Option<Option<String>> = find.query_row([&id], |row| row.get(0)).optional()?;
        match stored {
            None => breaches.push(format!("{id}: told as {told}, no record")),
            Some(None) => breaches.push(format!("{id}: told as {told}, no outcome stored")),
            Some(Some(outcome)) if outcome != told => {
                breaches.push(format!("{id}: told as {told}, stored as {outcome}"));
            }
            Some(Some(_)) => {}
        }
    }
    let unsettled: i64 =
        database.query_row("SELECT count(*) FROM opening WHERE outcome IS NULL", [], |row| {
            row.get(0)
        })?;
    if unsettled > 0 {
        breaches.push(format!("{unsettled} openings without an outcome"));
    }
    if let Err(error) = stopped.run(&["check"]) {
        breaches.push(format!("{error:#}"));
    }
    Ok(breaches)
}

/// What was checked, in words.
pub fn told(tally: &Tally) -> String {
    format!("faults: {}\nchecked {} records", tally.faults(), tally.accepted().len())
}
