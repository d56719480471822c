//! `/api/v1/mass-openings`: open many lockers at once, follow it, stop it, read the report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::lockers::answer;
use super::members::attachment;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::domain::id::{BankId, LockerId, MassOpeningId};
use crate::domain::mass_opening::{Line, LineState, MassOpening, MassOpeningHead};
use crate::service::csv_file::CsvFile;
use crate::service::error::Code;
use crate::service::mass_openings::{Forecast, PAGE_MAX, Selection};

/// Largest order in bytes: a thousand numbers of eight digits and a reason.
const ORDER_BYTES_MAX: usize = 16 << 10;

/// What is to be opened: a bank, or some lockers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderRequest {
    /// Every locker of this bank; or
    bank_id: Option<i64>,
    /// these lockers, of one bank or several, at most 1,000.
    locker_ids: Option<Vec<i64>>,
    /// Why, 1 to 200 characters.
    reason: String,
    /// True: only say what would be opened.
    #[serde(default)]
    dry_run: bool,
}

/// What would be opened; nothing was.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ForecastReply {
    /// Always true.
    dry_run: bool,
    /// How many lockers.
    lockers: usize,
    /// How many of them have no electric lock: their turn is passed.
    unwired: usize,
    /// How long it takes while every door opens at once, in milliseconds.
    takes_ms: u64,
}

impl OrderRequest {
    fn selection(&self) -> Result<Selection, Problem> {
        match (self.bank_id, &self.locker_ids) {
            (Some(bank), None) => Ok(Selection::Bank(BankId(bank))),
            (None, Some(ids)) => {
                Ok(Selection::Lockers(ids.iter().copied().map(LockerId).collect()))
            }
            _ => Err(Problem::new(Code::Invalid, "send either bank_id or locker_ids")),
        }
    }
}

/// An order that was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrderReply {
    /// Ask for it under `/api/v1/mass-openings/{mass_opening_id}`.
    mass_opening_id: String,
}

/// Who gave an order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StarterReply {
    /// The member's number.
    member_id: i64,
    /// Their name.
    name: String,
}

/// An order without its lockers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MassOpeningRow {
    /// Its name.
    mass_opening_id: String,
    /// running, done, cancelled or interrupted (the server stopped in between).
    state: &'static str,
    /// Why.
    reason: String,
    /// Who.
    started_by: StarterReply,
    /// RFC 3339.
    started_at: String,
    /// RFC 3339; `null` while it runs.
    ended_at: Option<String>,
    /// The banks of its lockers.
    bank_ids: Vec<i64>,
    /// How many lockers.
    locker_count: usize,
}

/// Orders, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MassOpeningListReply {
    mass_openings: Vec<MassOpeningRow>,
    /// Send it as `before` for the next page; `null` on the last one.
    next: Option<String>,
}

/// A locker of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MassOpeningLineReply {
    /// The number on its door.
    locker_id: i64,
    /// waiting, opening, opened, `already_open`, `did_not_open`, `no_answer`, unseen (no sensors:
    /// we cannot see the door), refused, unreachable, interrupted, skipped, cancelled or
    /// `not_reached` (the server stopped before its turn).
    result: &'static str,
    /// Why it was skipped: `not_wired`, busy or `not_allowed`.
    skipped_because: Option<&'static str>,
    /// Its own opening, under `/api/v1/openings/{operation_id}`.
    operation_id: Option<String>,
}

/// An order with its lockers in the order of their turns.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MassOpeningReply {
    #[serde(flatten)]
    order: MassOpeningRow,
    /// How many lockers have each result.
    counts: BTreeMap<&'static str, usize>,
    /// The lockers that nobody has seen open so far, whatever the reason.
    not_seen_open: Vec<i64>,
    /// Every locker.
    lockers: Vec<MassOpeningLineReply>,
}

impl From<MassOpeningHead> for MassOpeningRow {
    fn from(head: MassOpeningHead) -> Self {
        Self {
            mass_opening_id: head.id.to_string(),
            state: head.state.name(),
            reason: head.reason,
            started_by: StarterReply { member_id: head.member_id.0, name: head.member_name },
            started_at: head.started_at.to_string(),
            ended_at: head.ended_at.map(|at| at.to_string()),
            bank_ids: head.banks.iter().map(|bank| bank.0).collect(),
            locker_count: head.lockers,
        }
    }
}

impl From<&Line> for MassOpeningLineReply {
    fn from(line: &Line) -> Self {
        let skipped_because = match line.state {
            LineState::Skipped(reason) => Some(reason.name()),
            _ => None,
        };
        Self {
            locker_id: line.locker_id.0,
            result: line.state.name(),
            skipped_because,
            operation_id: line.opening.map(|id| id.to_string()),
        }
    }
}

impl From<MassOpening> for MassOpeningReply {
    fn from(order: MassOpening) -> Self {
        Self {
            counts: order.counts(),
            not_seen_open: order.not_seen_open().map(|line| line.locker_id.0).collect(),
            lockers: order.lines.iter().map(MassOpeningLineReply::from).collect(),
            order: order.head.into(),
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    start(api).or_route(list(api)).or_route(find(api)).or_route(cancel(api))
}

fn start(api: &Api) -> Routes {
    path!("api" / "v1" / "mass-openings")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_start)
}

/// Open every locker of a bank, or a selection.
///
/// For staff of all banks concerned, who have shown within ten minutes who they are; at most one runs per
/// bank. The answer comes when the order is stored; lockers open one after the other per power supply.
/// With `dry_run` nothing is opened: the answer says how many lockers and how long.
#[utoipa::path(
    post, path = "/api/v1/mass-openings", tag = "mass openings", request_body = OrderRequest,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = ForecastReply), (status = 202, body = OrderReply), (status = 401),
        (status = 403), (status = 404), (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_start(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let request: OrderRequest = body.json_up_to(&head, ORDER_BYTES_MAX).await?;
    let selection = request.selection()?;
    if request.dry_run {
        let Forecast { lockers, unwired, takes } =
            api.services().forecast_many(caller, selection)?;
        let takes_ms = u64::try_from(takes.as_millis()).unwrap_or(u64::MAX);
        let reply = ForecastReply { dry_run: true, lockers, unwired, takes_ms };
        return Ok(warp::reply::json(&reply).into_response());
    }
    let key = head.request_key(&format!("mass-open {selection:?} {}", request.reason))?;
    let begun = api.services().open_many(caller, selection, &request.reason, key).await?;
    let reply = begun.map(|id| OrderReply { mass_opening_id: id.to_string() });
    Ok(answer(&reply, StatusCode::ACCEPTED))
}

/// Which page of the list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    before: Option<String>,
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "mass-openings")
        .and(warp::get())
        .and(warp::query::<ListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Mass openings of the caller's banks, newest first.
#[utoipa::path(
    get, path = "/api/v1/mass-openings", tag = "mass openings",
    params(("before" = Option<String>, Query)),
    responses(
        (status = 200, body = MassOpeningListReply), (status = 401), (status = 403), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: ListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let before = query.before.map(|text| text.parse::<MassOpeningId>()).transpose();
    let before = before
        .map_err(|_| Problem::new(Code::Invalid, "before must be the next of an earlier page"))?;
    let heads = api.services().mass_openings(caller, before).await?;
    let full = heads.len() == PAGE_MAX;
    let next = heads.last().filter(|_| full).map(|head| head.id.to_string());
    let mass_openings = heads.into_iter().map(MassOpeningRow::from).collect();
    Ok(warp::reply::json(&MassOpeningListReply { mass_openings, next }).into_response())
}

/// In which form.
#[derive(Debug, Default, Deserialize)]
pub(super) struct FormatQuery {
    format: Option<String>,
}

fn find(api: &Api) -> Routes {
    path!("api" / "v1" / "mass-openings" / MassOpeningId)
        .and(warp::get())
        .and(warp::query::<FormatQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// How a mass opening goes or went: every locker with its result.
///
/// With `format=csv` a table for spreadsheet programs.
#[utoipa::path(
    get, path = "/api/v1/mass-openings/{mass_opening_id}", tag = "mass openings",
    params(("mass_opening_id" = String, Path), ("format" = Option<String>, Query)),
    responses((status = 200, body = MassOpeningReply), (status = 401), (status = 404), (status = 422)),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(
    id: MassOpeningId,
    query: FormatQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let order = api.services().mass_opening(caller, id).await?;
    match query.format.as_deref() {
        None | Some("json") => {
            Ok(warp::reply::json(&MassOpeningReply::from(order)).into_response())
        }
        Some("csv") => Ok(table(&order)),
        Some(_) => Err(Problem::new(Code::Invalid, "format must be json or csv")),
    }
}

fn table(order: &MassOpening) -> Response {
    let mut file = CsvFile::new(&["locker_id", "result", "skipped_because", "operation_id"]);
    for line in order.lines.iter().map(MassOpeningLineReply::from) {
        let operation = line.operation_id.unwrap_or_default();
        let because = line.skipped_because.unwrap_or_default();
        file.row(&[&line.locker_id.to_string(), line.result, because, &operation]);
    }
    let name = format!("mass-opening-{}.csv", order.head.id);
    attachment(file.into_text(), "text/csv; charset=utf-8", &name)
}

fn cancel(api: &Api) -> Routes {
    path!("api" / "v1" / "mass-openings" / MassOpeningId / "cancel")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_cancel)
}

/// Stop a mass opening before its next locker; what is under way ends.
///
/// Repeating it changes nothing, nor does stopping one that has ended.
#[utoipa::path(
    post, path = "/api/v1/mass-openings/{mass_opening_id}/cancel", tag = "mass openings",
    params(("mass_opening_id" = String, Path)),
    responses((status = 200, body = MassOpeningReply), (status = 401), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_cancel(
    id: MassOpeningId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let order = api.services().cancel_mass_opening(caller, id).await?;
    Ok(warp::reply::json(&MassOpeningReply::from(order)).into_response())
}
