//! `/api/v1/statistics/…`: figures that a chart can be drawn from, for staff of their banks. Days and hours
//! are those of the site; each answer names its zone. What is not known is left out, never zero.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::members::time;
use super::page::value;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::domain::id::{BankId, LocationId, TermId};
use crate::service::error::Code;
use crate::service::statistics::{
    Asked, CaseRow, OverdueFigures, RushFigures, WaitFigures, WaitRow, weekdays,
};

/// What a figure is about. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FigureQuery {
    bank_id: Option<String>,
    location_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

/// Which term's rush.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RushQuery {
    term_id: Option<String>,
}

/// Lockers of one bank by day: in each list one number for each of `days`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BankOccupancyReply {
    /// Which.
    bank_id: i64,
    /// Lent at all.
    in_service: Vec<u32>,
    /// Rented, and not late.
    taken: Vec<u32>,
    /// Still in use past the last day of a rental.
    overdue: Vec<u32>,
    /// In service and neither taken nor overdue.
    free: Vec<u32>,
}

/// Lockers by day, as they were at the end of each.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OccupancyReply {
    /// The site's time zone.
    time_zone: String,
    /// The days, today as of now; days to come are left out.
    days: Vec<String>,
    /// By bank.
    banks: Vec<BankOccupancyReply>,
}

/// The first hour of a term's window, by minute.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RushReply {
    /// The site's time zone.
    time_zone: String,
    /// Which term.
    term_id: i64,
    /// When its window opened, RFC 3339.
    opens_at: String,
    /// Holds granted in each minute from then on.
    holds_by_minute: Vec<u32>,
    /// Holds of that hour confirmed in each minute.
    claims_by_minute: Vec<u32>,
    /// From the opening to the first confirmed claim, in milliseconds; `null`: there was none.
    first_claim_ms: Option<i64>,
    /// From hold to confirm, the median, in milliseconds.
    median_confirm_ms: Option<i64>,
}

/// Openings by weekday and hour.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpeningsReply {
    /// The site's time zone.
    time_zone: String,
    /// First day.
    from: String,
    /// Last day.
    to: String,
    /// What the rows are: mon to sun.
    weekdays: [&'static str; 7],
    /// One row for each weekday with 24 counts, that of the hour from midnight first.
    by_weekday_and_hour: Vec<Vec<u64>>,
    /// By how they ended; `under_way` have not.
    outcomes: BTreeMap<&'static str, u64>,
}

/// Who was late in one bank.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BankOverdueReply {
    /// Which.
    bank_id: i64,
    /// Rentals that ended in these days; those that went on in another locker are not counted.
    ended: u64,
    /// Those of them given back after their last day.
    late: u64,
    /// late / ended, 0 to 1; `null` when none ended.
    rate: Option<f64>,
    /// Rentals that are late now.
    late_now: u64,
}

/// Who was late, by bank.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OverdueReply {
    /// The site's time zone.
    time_zone: String,
    /// First day.
    from: String,
    /// Last day.
    to: String,
    /// By bank.
    banks: Vec<BankOverdueReply>,
}

/// A wait for a locker.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WaitReply {
    /// Its number on the waiting list.
    waiting_id: i64,
    /// For a locker of this bank.
    bank_id: i64,
    /// For the days of this term.
    term_id: i64,
    /// Who waited.
    member_id: i64,
    /// Since when, RFC 3339.
    since: String,
    /// Until when; `null`: still waiting.
    until: Option<String>,
    /// How it ended.
    end_reason: Option<String>,
    /// How long, in milliseconds.
    waited_ms: i64,
}

/// Things that stayed in a locker past their time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CollectingReply {
    /// The overdue case.
    case_id: i64,
    /// Its rental.
    rental_id: i64,
    /// Its bank.
    bank_id: i64,
    /// The number on its door.
    locker_id: i64,
    /// When it was detected, RFC 3339.
    detected_at: String,
    /// When the things were collected or the case closed; `null`: not yet.
    until: Option<String>,
    /// Where it stands.
    state: String,
    /// How long, in milliseconds.
    waited_ms: i64,
}

/// The longest waits, the longest first, at most twenty of each.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WaitsReply {
    /// The site's time zone.
    time_zone: String,
    /// For a locker, on the waiting list.
    waiting: Vec<WaitReply>,
    /// From the detection of an overdue case until its things were collected.
    collecting: Vec<CollectingReply>,
}

impl From<OverdueFigures> for BankOverdueReply {
    fn from(counted: OverdueFigures) -> Self {
        let OverdueFigures { bank_id, ended, late, late_now } = counted;
        let known = u32::try_from(late).ok().zip(u32::try_from(ended).ok());
        let rate = known.filter(|(_, ended)| *ended > 0);
        let rate = rate.map(|(late, ended)| f64::from(late) / f64::from(ended));
        Self { bank_id: bank_id.0, ended, late, rate, late_now }
    }
}

impl WaitReply {
    fn of(row: WaitRow, now_ms: i64) -> Self {
        Self {
            waiting_id: row.id,
            bank_id: row.bank_id.0,
            term_id: row.term_id.0,
            member_id: row.member_id.0,
            since: time(row.since_ms),
            until: row.ended_ms.map(time),
            end_reason: row.end_reason,
            waited_ms: row.ended_ms.unwrap_or(now_ms) - row.since_ms,
        }
    }
}

impl CollectingReply {
    fn of(row: CaseRow, now_ms: i64) -> Self {
        Self {
            case_id: row.id,
            rental_id: row.rental_id.0,
            bank_id: row.bank_id.0,
            locker_id: row.locker_id.0,
            detected_at: time(row.detected_ms),
            until: row.ended_ms.map(time),
            state: row.state,
            waited_ms: row.ended_ms.unwrap_or(now_ms) - row.detected_ms,
        }
    }
}

impl FigureQuery {
    fn read(&self) -> Result<Asked, Problem> {
        let number = |text: &Option<String>, name| value::<i64>(text.as_deref(), name, "a number");
        let day =
            |text: &Option<String>, name| value(text.as_deref(), name, "a day like 2026-09-01");
        Ok(Asked {
            bank: number(&self.bank_id, "bank_id")?.map(BankId),
            location: number(&self.location_id, "location_id")?.map(LocationId),
            from: day(&self.from, "from")?,
            to: day(&self.to, "to")?,
        })
    }
}

fn zone_name(api: &Api) -> String {
    api.services().clock.zone().iana_name().unwrap_or("UTC").to_owned()
}

pub(super) fn routes(api: &Api) -> Routes {
    occupancy(api)
        .or_route(rush(api))
        .or_route(openings(api))
        .or_route(overdue(api))
        .or_route(waits(api))
}

fn occupancy(api: &Api) -> Routes {
    path!("api" / "v1" / "statistics" / "occupancy")
        .and(warp::get())
        .and(warp::query::<FigureQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_occupancy)
}

/// Lockers by day and bank: in service, taken, overdue, free, as they were at the end of each day.
#[utoipa::path(
    get, path = "/api/v1/statistics/occupancy", tag = "statistics",
    params(
        ("bank_id" = Option<i64>, Query, description = "one bank; else all that the caller looks after"),
        ("location_id" = Option<i64>, Query, description = "the banks of one location"),
        ("from" = Option<String>, Query, description = "first day; 29 days before the last when left out"),
        ("to" = Option<String>, Query, description = "last day, at most 400 in all; today when left out"),
    ),
    responses(
        (status = 200, body = OccupancyReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_occupancy(
    query: FigureQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let counted = api.services().occupancy_figures(caller, query.read()?).await?;
    let bank = |(bank_id, it): (BankId, crate::domain::statistics::Occupancy)| BankOccupancyReply {
        bank_id: bank_id.0,
        in_service: it.in_service,
        taken: it.taken,
        overdue: it.overdue,
        free: it.free,
    };
    Ok(warp::reply::json(&OccupancyReply {
        time_zone: zone_name(&api),
        days: counted.days.iter().map(ToString::to_string).collect(),
        banks: counted.banks.into_iter().map(bank).collect(),
    })
    .into_response())
}

fn rush(api: &Api) -> Routes {
    path!("api" / "v1" / "statistics" / "rush")
        .and(warp::get())
        .and(warp::query::<RushQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_rush)
}

/// The first hour of a term's window in the caller's banks, by minute. Refused tries are not stored.
#[utoipa::path(
    get, path = "/api/v1/statistics/rush", tag = "statistics",
    params(("term_id" = i64, Query, description = "which term")),
    responses(
        (status = 200, body = RushReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_rush(
    query: RushQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let term: Option<TermId> = value(query.term_id.as_deref(), "term_id", "a number")?;
    crate::service::commissioning::demand_staff(caller)?;
    let term = term.ok_or_else(|| Problem::new(Code::Invalid, "say which term: term_id"))?;
    let RushFigures { term, holds, confirms, first_ms, median_confirm_ms } =
        api.services().rush_figures(caller, term).await?;
    Ok(warp::reply::json(&RushReply {
        time_zone: zone_name(&api),
        term_id: term.id.0,
        opens_at: term.opens_at.to_string(),
        holds_by_minute: holds,
        claims_by_minute: confirms,
        first_claim_ms: first_ms,
        median_confirm_ms,
    })
    .into_response())
}

fn openings(api: &Api) -> Routes {
    path!("api" / "v1" / "statistics" / "openings")
        .and(warp::get())
        .and(warp::query::<FigureQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_openings)
}

/// Openings by weekday and hour of the site, and by how they ended. Those that the site has forgotten are
/// not counted.
#[utoipa::path(
    get, path = "/api/v1/statistics/openings", tag = "statistics",
    params(
        ("bank_id" = Option<i64>, Query, description = "one bank; else all that the caller looks after"),
        ("location_id" = Option<i64>, Query, description = "the banks of one location"),
        ("from" = Option<String>, Query, description = "first day; 29 days before the last when left out"),
        ("to" = Option<String>, Query, description = "last day, at most 400 in all; today when left out"),
    ),
    responses(
        (status = 200, body = OpeningsReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_openings(
    query: FigureQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let counted = api.services().opening_figures(caller, query.read()?).await?;
    let outcomes = counted.outcomes.into_iter();
    Ok(warp::reply::json(&OpeningsReply {
        time_zone: zone_name(&api),
        from: counted.days.from.to_string(),
        to: counted.days.to.to_string(),
        weekdays: weekdays(),
        by_weekday_and_hour: counted.matrix.0.iter().map(|hours| hours.to_vec()).collect(),
        outcomes: outcomes.map(|(name, count)| (name.unwrap_or("under_way"), count)).collect(),
    })
    .into_response())
}

fn overdue(api: &Api) -> Routes {
    path!("api" / "v1" / "statistics" / "overdue")
        .and(warp::get())
        .and(warp::query::<FigureQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_overdue)
}

/// How many rentals that ended in these days were given back late, by bank.
#[utoipa::path(
    get, path = "/api/v1/statistics/overdue", tag = "statistics",
    params(
        ("bank_id" = Option<i64>, Query, description = "one bank; else all that the caller looks after"),
        ("location_id" = Option<i64>, Query, description = "the banks of one location"),
        ("from" = Option<String>, Query, description = "first day; 29 days before the last when left out"),
        ("to" = Option<String>, Query, description = "last day, at most 400 in all; today when left out"),
    ),
    responses(
        (status = 200, body = OverdueReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_overdue(
    query: FigureQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let (days, banks) = api.services().overdue_figures(caller, query.read()?).await?;
    Ok(warp::reply::json(&OverdueReply {
        time_zone: zone_name(&api),
        from: days.from.to_string(),
        to: days.to.to_string(),
        banks: banks.into_iter().map(Into::into).collect(),
    })
    .into_response())
}

fn waits(api: &Api) -> Routes {
    path!("api" / "v1" / "statistics" / "waits")
        .and(warp::get())
        .and(warp::query::<FigureQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_waits)
}

/// The longest waits that began in these days: for a locker, and of things for being collected.
#[utoipa::path(
    get, path = "/api/v1/statistics/waits", tag = "statistics",
    params(
        ("bank_id" = Option<i64>, Query, description = "one bank; else all that the caller looks after"),
        ("location_id" = Option<i64>, Query, description = "the banks of one location"),
        ("from" = Option<String>, Query, description = "first day; 29 days before the last when left out"),
        ("to" = Option<String>, Query, description = "last day, at most 400 in all; today when left out"),
    ),
    responses(
        (status = 200, body = WaitsReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_waits(
    query: FigureQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let WaitFigures { now_ms, waiting, collecting } =
        api.services().wait_figures(caller, query.read()?).await?;
    Ok(warp::reply::json(&WaitsReply {
        time_zone: zone_name(&api),
        waiting: waiting.into_iter().map(|row| WaitReply::of(row, now_ms)).collect(),
        collecting: collecting.into_iter().map(|row| CollectingReply::of(row, now_ms)).collect(),
    })
    .into_response())
}
