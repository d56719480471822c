//! The waiting list: `/api/v1/banks/{bank_id}/waiting` for whoever waits, `/api/v1/waiting` for staff.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::lockers::answer;
use super::page;
use super::problem::Problem;
use super::returns::RenterReply;
use super::{Api, OrRoute, Routes, with};
use crate::domain::id::{BankId, WaitingId};
use crate::service::commissioning::demand_staff;
use crate::service::error::Code;
use crate::service::waiting::{LineView, Offer, StaffLine, Standing};

/// Somebody who joined a line.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JoinReply {
    /// The number of their place.
    waiting_id: i64,
    /// First day of the rentals that they wait for.
    starts_on: String,
    /// Last day.
    ends_on: String,
    /// Their place, from 1.
    place: usize,
}

/// A locker that is kept for somebody who waited.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OfferReply {
    /// The number on its door: confirm or release this hold.
    locker_id: i64,
    /// How long it is kept, in milliseconds.
    expires_in_ms: u64,
    /// The same in wall time, RFC 3339.
    until: String,
}

/// A place in a line.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WaitingReply {
    /// Its number.
    waiting_id: i64,
    /// Before which bank.
    bank_id: i64,
    /// For which term.
    term_id: i64,
    /// First day of the rentals of the term.
    starts_on: Option<String>,
    /// Last day.
    ends_on: Option<String>,
    /// Since when, RFC 3339.
    since: String,
    /// The place among those without an offer, from 1; `null` for who has one.
    place: Option<usize>,
    /// What is kept for them.
    offer: Option<OfferReply>,
}

/// The line before a bank as its caller sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WaitingLineReply {
    /// The bank.
    bank_id: i64,
    /// The term that one would wait for; `null` when there is none.
    term_id: Option<i64>,
    /// First day of its rentals.
    starts_on: Option<String>,
    /// Last day.
    ends_on: Option<String>,
    /// How many wait for it without an offer.
    count: usize,
    /// Whether the caller can join.
    can_join: bool,
    /// Why not, as a code of refusals.
    reason: Option<&'static str>,
    /// What the caller waits for here.
    waiting: Vec<WaitingReply>,
}

/// A place in a line, for staff.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StaffWaitingReply {
    /// The place.
    #[serde(flatten)]
    place: WaitingReply,
    /// Who waits.
    member: RenterReply,
}

/// A page of people who wait.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StaffWaitingListReply {
    /// In the order of joining.
    waiting: Vec<StaffWaitingReply>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// Which rows are listed. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitingListQuery {
    bank_id: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

impl WaitingListQuery {
    /// Before which bank; `None`: before any.
    pub(super) fn bank(&self) -> Result<Option<BankId>, Problem> {
        Ok(page::value(self.bank_id.as_deref(), "bank_id", "a number")?.map(BankId))
    }
}

/// Taking somebody off a line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveBody {
    /// Why; 1 to 200 characters. They are told.
    reason: String,
}

impl From<Offer> for OfferReply {
    fn from(it: Offer) -> Self {
        Self {
            locker_id: it.locker_id.0,
            expires_in_ms: it.expires_in_ms,
            until: it.until.to_string(),
        }
    }
}

impl From<Standing> for WaitingReply {
    fn from(it: Standing) -> Self {
        Self {
            waiting_id: it.waiter.id.0,
            bank_id: it.waiter.bank_id.0,
            term_id: it.waiter.term_id.0,
            starts_on: it.dates.map(|dates| dates.first().to_string()),
            ends_on: it.dates.map(|dates| dates.last().to_string()),
            since: it.waiter.since.to_string(),
            place: it.place,
            offer: it.offer.map(Into::into),
        }
    }
}

impl From<StaffLine> for StaffWaitingReply {
    fn from(it: StaffLine) -> Self {
        let member = RenterReply::of(it.standing.waiter.member_id.0, it.member);
        Self { place: it.standing.into(), member }
    }
}

/// `/api/v1/banks/{bank_id}/waiting`.
pub(super) fn bank_routes(api: &Api) -> Routes {
    find(api).or_route(join(api)).or_route(leave(api))
}

/// `/api/v1/waiting`.
pub(super) fn routes(api: &Api) -> Routes {
    list(api).or_route(remove(api))
}

fn find(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / BankId / "waiting")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// The line before a bank: how many wait, the caller's place, and what is offered.
#[utoipa::path(
    get, path = "/api/v1/banks/{bank_id}/waiting", tag = "waiting",
    params(("bank_id" = i64, Path)),
    responses((status = 200, body = WaitingLineReply), (status = 401), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(id: BankId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let LineView { term, count, refusal, mine } = api.services().waiting_line(caller, id)?;
    let reply = WaitingLineReply {
        bank_id: id.0,
        term_id: term.map(|(id, _)| id.0),
        starts_on: term.map(|(_, dates)| dates.first().to_string()),
        ends_on: term.map(|(_, dates)| dates.last().to_string()),
        count,
        can_join: refusal.is_none(),
        reason: refusal.map(Code::name),
        waiting: mine.into_iter().map(Into::into).collect(),
    };
    Ok(warp::reply::json(&reply).into_response())
}

fn join(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / BankId / "waiting")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_join)
}

/// Wait for a locker of a bank.
///
/// A locker that gets free is held for whoever joined first, and they are told; they confirm it or give it
/// up as any other hold, and have the bank's `offer_minutes` for that.
#[utoipa::path(
    post, path = "/api/v1/banks/{bank_id}/waiting", tag = "waiting",
    params(("bank_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = JoinReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_join(id: BankId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let key = head.request_key(&format!("waiting {id}"))?;
    let joined = api.services().join_line(caller, id, key).await?;
    let reply = joined.map(|it| JoinReply {
        waiting_id: it.id.0,
        starts_on: it.dates.first().to_string(),
        ends_on: it.dates.last().to_string(),
        place: it.place,
    });
    Ok(answer(&reply, StatusCode::CREATED))
}

fn leave(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / BankId / "waiting")
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_leave)
}

/// Leave the line before a bank. What was offered is given up with it.
#[utoipa::path(
    delete, path = "/api/v1/banks/{bank_id}/waiting", tag = "waiting",
    params(("bank_id" = i64, Path)),
    responses((status = 204), (status = 401), (status = 404), (status = 503), (status = 507)),
    security(("bearer" = []))
)]
pub(super) async fn handle_leave(id: BankId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    api.services().leave_line(caller, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "waiting")
        .and(warp::get())
        .and(warp::query::<WaitingListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Who waits before the caller's banks, in the order of joining. For staff.
#[utoipa::path(
    get, path = "/api/v1/waiting", tag = "waiting",
    params(
        ("bank_id" = Option<i64>, Query, description = "before one bank"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = StaffWaitingListReply), (status = 400), (status = 401),
        (status = 403), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: WaitingListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let bank = query.bank()?;
    let cursor = "next_cursor of the page before";
    let after = page::value(query.cursor.as_deref(), "cursor", cursor)?.map(WaitingId);
    let limit = usize::try_from(page::limit(query.limit.as_deref())?).unwrap_or(usize::MAX);
    let mut rows = api.services().lines(caller, bank, (after, limit + 1)).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|it| it.standing.waiter.id.to_string());
    let waiting = rows.into_iter().map(Into::into).collect();
    Ok(warp::reply::json(&StaffWaitingListReply { waiting, next_cursor }).into_response())
}

fn remove(api: &Api) -> Routes {
    path!("api" / "v1" / "waiting" / WaitingId)
        .and(warp::delete())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_remove)
}

/// Take somebody off the line; an offer ends with it. They are told the reason. For staff of the bank.
#[utoipa::path(
    delete, path = "/api/v1/waiting/{waiting_id}", tag = "waiting",
    params(("waiting_id" = i64, Path)), request_body = RemoveBody,
    responses(
        (status = 204), (status = 401), (status = 403), (status = 404), (status = 422),
        (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_remove(
    id: WaitingId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    let asked: RemoveBody = body.json(&head).await?;
    api.services().take_off_line(caller, id, &asked.reason).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
