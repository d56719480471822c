//! The staff's shorter lists as CSV files: alarms, returned lockers, shortages, the lockers of a bank. Each
//! has what its list has, and who took it along is written down. Rentals, openings, members and the audit
//! log write theirs beside their lists.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::Services;
use super::alarms::{self, AlarmQuery};
use super::csv_file::{self, CsvFile};
use super::error::Error;
use super::returning;
use super::tokens::Caller;
use crate::domain::alarm::{Alarm, ClearReason, Subject};
use crate::domain::id::BankId;
use crate::domain::layout::Level;
use crate::domain::returning::WaitsFor;

impl Services {
    /// The alarms that are asked for, newest first. For staff, those that they look after.
    pub async fn export_alarms(&self, caller: Caller, query: AlarmQuery) -> Result<String, Error> {
        let zone = self.clock.zone();
        let mut file = CsvFile::new(&[
            "alarm_id",
            "kind",
            "severity",
            "state",
            "bank_id",
            "locker_id",
            "bus",
            "board",
            "raised_at",
            "count",
            "cleared_at",
            "clear_reason",
            "acknowledged_at",
            "acknowledged_by",
            "note",
        ]);
        let asked = json!({ "filter": format!("{query:?}") });
        let mut query = AlarmQuery { before: None, limit: alarms::PAGE_MAX, ..query };
        while file.rows() <= csv_file::ROWS_MAX {
            let page = self.alarms(caller, query.clone()).await?;
            for alarm in &page.alarms {
                let at =
                    |at: Option<Timestamp>| csv_file::at(at.map(Timestamp::as_millisecond), zone);
                let word = alarm.acknowledged.as_ref();
                let (bus, board) = place(alarm);
                file.row(&[
                    &alarm.id.to_string(),
                    alarm.kind.name(),
                    alarm.kind.severity().name(),
                    alarm.state().name(),
                    &csv_file::some(alarm.bank_id),
                    &csv_file::some(alarm.subject.locker()),
                    &bus,
                    &board,
                    &at(Some(alarm.raised_at)),
                    &alarm.count.to_string(),
                    &at(alarm.cleared.map(|(at, _)| at)),
                    alarm.cleared.map_or("", |(_, reason)| ClearReason::name(reason)),
                    &at(word.map(|word| word.at)),
                    &csv_file::some(word.map(|word| word.by)),
                    word.map_or("", |word| &word.note),
                ]);
            }
            if page.next.is_none() {
                break;
            }
            query.before = page.next;
        }
        self.exported(caller, "alarm.export", &asked, file).await
    }

    /// Lockers that were given back and are not free yet. For staff, of their banks.
    pub async fn export_returns(
        &self,
        caller: Caller,
        bank: Option<BankId>,
    ) -> Result<String, Error> {
        let zone = self.clock.zone();
        let mut file = CsvFile::new(&[
            "rental_id",
            "bank_id",
            "locker_id",
            "student_id",
            "name",
            "returned_at",
            "waits_for",
            "free_at",
        ]);
        let mut after = None;
        loop {
            let rows = self.waiting_returns(caller, bank, after, returning::PAGE_MAX).await?;
            for row in &rows {
                let (student_id, name) = row.member.clone().unwrap_or_default();
                let at =
                    |at: Option<Timestamp>| csv_file::at(at.map(Timestamp::as_millisecond), zone);
                file.row(&[
                    &row.rental.id.to_string(),
                    &row.bank_id.to_string(),
                    &row.rental.locker_id.to_string(),
                    &student_id,
                    &name,
                    &at(Some(row.returned_at)),
                    row.waits_for.map_or("", WaitsFor::name),
                    &at(row.free_at),
                ]);
            }
            match rows.last() {
                Some(last) if rows.len() == returning::PAGE_MAX => after = Some(last.rental.id),
                _ => break,
            }
        }
        self.exported(caller, "return.export", &json!({ "bank_id": bank }), file).await
    }

    /// Rentals that begin on a day (tomorrow when left out) and whose locker is not to be had. For staff,
    /// of their banks.
    pub async fn export_shortages(
        &self,
        caller: Caller,
        on: Option<Date>,
        bank: Option<BankId>,
    ) -> Result<String, Error> {
        let mut file = CsvFile::new(&[
            "rental_id",
            "bank_id",
            "locker_id",
            "student_id",
            "name",
            "starts_on",
            "ends_on",
            "reason",
            "occupied_until",
            "told",
            "alternatives",
            "alternative_banks",
        ]);
        let mut after = None;
        let on = loop {
            let (on, rows) = self.shortages(caller, on, bank, (after, returning::PAGE_MAX)).await?;
            for row in &rows {
                let (student_id, name) = row.member.clone().unwrap_or_default();
                let others: Vec<String> =
                    row.alternatives.iter().map(ToString::to_string).collect();
                let banks: Vec<String> =
                    row.alternative_banks.iter().map(ToString::to_string).collect();
                file.row(&[
                    &row.id.to_string(),
                    &row.bank_id.to_string(),
                    &csv_file::some(row.locker_id),
                    &student_id,
                    &name,
                    &row.dates.first().to_string(),
                    &row.dates.last().to_string(),
                    row.reason.name(),
                    &csv_file::some(row.occupied_until),
                    if row.told { "true" } else { "false" },
                    &others.join(" "),
                    &banks.join(" "),
                ]);
            }
            match rows.last() {
                Some(last) if rows.len() == returning::PAGE_MAX => after = Some(last.id),
                _ => break on,
            }
        };
        let asked = json!({ "bank_id": bank, "on": on.to_string() });
        self.exported(caller, "shortage.export", &asked, file).await
    }

    /// The lockers of a bank with wires and places. For its staff.
    pub async fn export_lockers(&self, caller: Caller, bank: BankId) -> Result<String, Error> {
        let mut file = CsvFile::new(&[
            "locker_id",
            "bank_id",
            "bus",
            "board",
            "lock",
            "in_service",
            "reason",
            "col",
            "row",
            "level",
            "accessible",
        ]);
        for it in self.lockers_of_bank(caller, bank).await? {
            let locker = &it.locker;
            let flag = |flag| if flag { "true" } else { "false" };
            let wire = locker.channel.as_ref();
            file.row(&[
                &locker.id.to_string(),
                &locker.bank_id.to_string(),
                wire.map_or("", |wire| wire.bus.as_str()),
                &csv_file::some(wire.map(|wire| wire.board)),
                &csv_file::some(wire.map(|wire| wire.lock)),
                flag(locker.in_service),
                it.reason.as_deref().unwrap_or_default(),
                &csv_file::some(locker.place.map(|place| place.col)),
                &csv_file::some(locker.place.map(|place| place.row)),
                locker.level.map_or("", Level::name),
                flag(locker.accessible),
            ]);
        }
        self.exported(caller, "locker.export", &json!({ "bank_id": bank }), file).await
    }
}

/// The bus and the board that an alarm is about; empty where it is about none.
fn place(alarm: &Alarm) -> (String, String) {
    match &alarm.subject {
        Subject::Locker(_) => (String::new(), String::new()),
        Subject::Board(bus, address) => (bus.as_str().to_owned(), address.to_string()),
        Subject::Bus(bus) => (bus.as_str().to_owned(), String::new()),
    }
}
