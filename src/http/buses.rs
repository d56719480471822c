//! `/api/v1/buses` and `/api/v1/locks`: ports, boards and locks as technicians see them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::channel::BusName;
use crate::domain::id::BankId;
use crate::service::error::Code;
use crate::service::lock_service::{DAYS, DAYS_MAX, Exchange, LockReport, PortFigures};

/// All ports.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BusesReply {
    /// By name; figures count from the start of the program.
    #[schema(value_type = Vec<Object>)]
    buses: Vec<PortFigures>,
}

/// What was said on a bus.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExchangesReply {
    /// Oldest first, at most 200.
    #[schema(value_type = Vec<Object>)]
    exchanges: Vec<Exchange>,
}

/// Locks with what was counted of them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LocksReply {
    /// How many days were counted.
    days: u32,
    /// By locker; `reasons` says why one is to be looked at: `jams`, `retries`, `unanswered`,
    /// `sensor_fault`.
    #[schema(value_type = Vec<Object>)]
    locks: Vec<LockReport>,
}

/// Which locks.
#[derive(Debug, Default, Deserialize)]
pub(super) struct LocksQuery {
    bank_id: Option<String>,
    days: Option<String>,
    due: Option<String>,
}

impl LocksQuery {
    /// Of which bank, over how many days, and whether only those that are to be looked at.
    pub(super) fn read(&self) -> Result<(Option<BankId>, u32, bool), Problem> {
        let invalid = |detail: &'static str| Problem::new(Code::Invalid, detail);
        let bank = page::value(self.bank_id.as_deref(), "bank_id", "a number")?.map(BankId);
        let days = match self.days.as_deref().map(str::parse) {
            None => DAYS,
            Some(Ok(days @ 1..=DAYS_MAX)) => days,
            Some(_) => return Err(invalid("days must be 1 to 730")),
        };
        Ok((bank, days, page::flag(self.due.as_deref(), "due")?.unwrap_or_default()))
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    let all = path!("api" / "v1" / "buses")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_list);
    let board = path!("api" / "v1" / "buses" / String / "boards" / String / "exchanges")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_exchanges);
    let strangers = path!("api" / "v1" / "buses" / String / "exchanges")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_other_exchanges);
    all.or_route(board).or_route(strangers)
}

pub(super) fn lock_routes(api: &Api) -> Routes {
    path!("api" / "v1" / "locks")
        .and(warp::get())
        .and(warp::query::<LocksQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_locks)
}

/// Ports and boards with their figures. For staff.
#[utoipa::path(
    get, path = "/api/v1/buses", tag = "buses",
    responses((status = 200, body = BusesReply), (status = 401), (status = 403)),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(head: Head, api: Api) -> Result<Response, Problem> {
    let buses = api.services().port_figures(head.caller(&api)?)?;
    Ok(warp::reply::json(&BusesReply { buses }).into_response())
}

/// The last raw exchanges with a board. For staff.
#[utoipa::path(
    get, path = "/api/v1/buses/{bus}/boards/{address}/exchanges", tag = "buses",
    params(("bus" = String, Path), ("address" = u8, Path)),
    responses(
        (status = 200, body = ExchangesReply), (status = 401), (status = 403), (status = 404),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_exchanges(
    bus: String,
    address: String,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    answer_exchanges(&bus, Some(&address), &head, &api)
}

/// The last raw exchanges with addresses of a bus where no board is configured. For staff.
#[utoipa::path(
    get, path = "/api/v1/buses/{bus}/exchanges", tag = "buses",
    params(("bus" = String, Path)),
    responses(
        (status = 200, body = ExchangesReply), (status = 401), (status = 403), (status = 404),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_other_exchanges(
    bus: String,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    answer_exchanges(&bus, None, &head, &api)
}

fn answer_exchanges(
    bus: &str,
    address: Option<&str>,
    head: &Head,
    api: &Api,
) -> Result<Response, Problem> {
    let caller = head.caller(api)?;
    let address = address.map(str::parse).transpose();
    let address = address
        .map_err(|_| Problem::new(Code::Invalid, "a board's address is a number from 0 to 255"))?;
    let bus =
        BusName::parse(bus).map_err(|error| Problem::new(Code::Invalid, error.to_string()))?;
    let exchanges = api.services().exchanges(caller, &bus, address)?;
    Ok(warp::reply::json(&ExchangesReply { exchanges }).into_response())
}

/// Locks with what was counted of them, and why they are to be looked at. For staff: their banks.
///
/// `due=true` leaves only those that are to be looked at.
#[utoipa::path(
    get, path = "/api/v1/locks", tag = "buses",
    params(
        ("bank_id" = Option<i64>, Query), ("days" = Option<u32>, Query, description = "1 to 730"),
        ("due" = Option<bool>, Query)
    ),
    responses((status = 200, body = LocksReply), (status = 401), (status = 403), (status = 422)),
    security(("bearer" = []))
)]
pub(super) async fn handle_locks(
    query: LocksQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let (bank, days, due_only) = query.read()?;
    let locks = api.services().lock_reports(caller, bank, days, due_only).await?;
    Ok(warp::reply::json(&LocksReply { days, locks }).into_response())
}
