//! The staff's shorter lists as CSV files: alarms, returned lockers, shortages, penalties, who waits, mails,
//! locks, the lockers of a bank. Each has what its list has, and who took it along is written down.
//! Rentals, openings, overdue cases, members and the audit log write theirs beside their lists.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::Services;
use super::alarms::{self, AlarmQuery};
use super::csv_file::{self, CsvFile};
use super::error::Error;
use super::mails::{self, MessageState, masked};
use super::penalties::{self, PenaltyWish};
use super::places::lockers::LockerFilter;
use super::returning;
use super::tokens::Caller;
use crate::domain::alarm::{Alarm, ClearReason};
use crate::domain::channel::BusName;
use crate::domain::id::BankId;
use crate::domain::layout::Level;
use crate::domain::lock_service::ServiceReason;
use crate::domain::returning::WaitsFor;
use crate::domain::time::DateSpan;

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

    /// The penalties that are asked for, newest first. For staff, those for lockers of their banks.
    pub async fn export_penalties(
        &self,
        caller: Caller,
        wish: PenaltyWish,
    ) -> Result<String, Error> {
        let zone = self.clock.zone();
        let mut file = CsvFile::new(&[
            "penalty_id",
            "student_id",
            "name",
            "case_id",
            "bank_id",
            "locker_id",
            "late_days",
            "first_on",
            "last_on",
            "made_at",
            "waived_at",
            "waived_by",
            "waived_reason",
        ]);
        let asked = json!({ "filter": format!("{wish:?}") });
        let mut wish = PenaltyWish { before: None, ..wish };
        while file.rows() <= csv_file::ROWS_MAX {
            let rows = self.penalties(caller, wish.clone(), penalties::PAGE_MAX).await?;
            for row in &rows {
                let (student_id, name) = row.member.clone().unwrap_or_default();
                let waived = row.waived.as_ref();
                file.row(&[
                    &row.id.to_string(),
                    &student_id,
                    &name,
                    &row.case_id.to_string(),
                    &row.bank_id.to_string(),
                    &row.locker_id.to_string(),
                    &row.late_days.to_string(),
                    &row.first_on.to_string(),
                    &row.last_on.to_string(),
                    &csv_file::at(Some(row.made_ms), zone),
                    &csv_file::at(waived.map(|(at_ms, ..)| *at_ms), zone),
                    &csv_file::some(waived.map(|(_, by, _)| by)),
                    waived.map_or("", |(.., reason)| reason),
                ]);
            }
            match rows.last() {
                Some(last) if rows.len() == penalties::PAGE_MAX => wish.before = Some(last.id),
                _ => break,
            }
        }
        self.exported(caller, "penalty.export", &asked, file).await
    }

    /// Who waits for a locker, in the order of joining. For staff, before their banks.
    pub async fn export_waiting(
        &self,
        caller: Caller,
        bank: Option<BankId>,
    ) -> Result<String, Error> {
        let zone = self.clock.zone();
        let mut file = CsvFile::new(&[
            "waiting_id",
            "bank_id",
            "term_id",
            "starts_on",
            "ends_on",
            "student_id",
            "name",
            "since",
            "place",
            "offered_locker_id",
            "offered_until",
        ]);
        let mut after = None;
        loop {
            let rows = self.lines(caller, bank, (after, returning::PAGE_MAX)).await?;
            for row in &rows {
                let (student_id, name) = row.member.clone().unwrap_or_default();
                let (it, waiter) = (&row.standing, &row.standing.waiter);
                let at = |at: Timestamp| csv_file::at(Some(at.as_millisecond()), zone);
                file.row(&[
                    &waiter.id.to_string(),
                    &waiter.bank_id.to_string(),
                    &waiter.term_id.to_string(),
                    &csv_file::some(it.dates.map(DateSpan::first)),
                    &csv_file::some(it.dates.map(DateSpan::last)),
                    &student_id,
                    &name,
                    &at(waiter.since),
                    &csv_file::some(it.place),
                    &csv_file::some(it.offer.map(|offer| offer.locker_id)),
                    &it.offer.map_or_else(String::new, |offer| at(offer.until)),
                ]);
            }
            match rows.last() {
                Some(last) if rows.len() == returning::PAGE_MAX => {
                    after = Some(last.standing.waiter.id);
                }
                _ => break,
            }
        }
        self.exported(caller, "waiting.export", &json!({ "bank_id": bank }), file).await
    }

    /// What became of mails, newest first; of an address as much as the list shows. For staff.
    pub async fn export_mails(
        &self,
        caller: Caller,
        state: Option<MessageState>,
    ) -> Result<String, Error> {
        let zone = self.clock.zone();
        let mut file = CsvFile::new(&[
            "mail_id",
            "kind",
            "state",
            "member_id",
            "address",
            "written_at",
            "state_at",
            "attempts",
            "last_error",
        ]);
        let mut before = None;
        while file.rows() <= csv_file::ROWS_MAX {
            let page = self.mails(caller, state, before, mails::PAGE_MAX).await?;
            for row in &page.mails {
                file.row(&[
                    &row.id.to_string(),
                    &row.kind,
                    row.state.name(),
                    &csv_file::some(row.member_id),
                    &row.address.as_deref().map_or_else(String::new, masked),
                    &csv_file::at(Some(row.created_ms), zone),
                    &csv_file::at(Some(row.state_ms), zone),
                    &row.attempts.to_string(),
                    row.last_error.as_deref().unwrap_or_default(),
                ]);
            }
            if page.next.is_none() {
                break;
            }
            before = page.next;
        }
        let asked = json!({ "state": state.map(MessageState::name) });
        self.exported(caller, "mail.export", &asked, file).await
    }

    /// Locks with what was counted of them in the last days, and why they are to be looked at. For
    /// staff, of their banks.
    pub async fn export_locks(
        &self,
        caller: Caller,
        bank: Option<BankId>,
        days: u32,
        due_only: bool,
    ) -> Result<String, Error> {
        let mut file = CsvFile::new(&[
            "locker_id",
            "bank_id",
            "channel",
            "openings",
            "retries",
            "jams",
            "unanswered",
            "acknowledged_mean_ms",
            "acknowledged_max_ms",
            "opened_mean_ms",
            "reasons",
        ]);
        for it in self.lock_reports(caller, bank, days, due_only).await? {
            let (figures, reasons) = (&it.figures, it.reasons.iter());
            let reasons: Vec<_> = reasons.map(|reason| ServiceReason::name(*reason)).collect();
            file.row(&[
                &figures.locker_id.to_string(),
                &it.bank_id.to_string(),
                it.channel.as_deref().unwrap_or_default(),
                &figures.openings.to_string(),
                &figures.retries.to_string(),
                &figures.jams.to_string(),
                &figures.unanswered.to_string(),
                &csv_file::some(figures.acknowledged_mean_ms),
                &csv_file::some(figures.acknowledged_max_ms),
                &csv_file::some(figures.opened_mean_ms),
                &reasons.join(" "),
            ]);
        }
        let asked = json!({ "bank_id": bank, "days": days, "due": due_only });
        self.exported(caller, "lock.export", &asked, file).await
    }

    /// Lockers of a bank with wires and places. For its staff.
    pub async fn export_lockers(
        &self,
        caller: Caller,
        bank: BankId,
        filter: LockerFilter,
    ) -> Result<String, Error> {
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
        for it in self.lockers_of_bank(caller, bank, filter).await? {
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
        let asked = json!({
            "bank_id": bank, "in_service": filter.in_service, "wired": filter.wired,
        });
        self.exported(caller, "locker.export", &asked, file).await
    }
}

/// The bus and the board that an alarm is about; empty where it is about none.
fn place(alarm: &Alarm) -> (String, String) {
    let (bus, board) = alarm.subject.wire();
    (bus.map_or("", BusName::as_str).to_owned(), csv_file::some(board))
}
