//! `/api/v1/penalties`: days without a claim after late returns, for staff; `/api/v1/me/penalties`: the
//! caller's own.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::lockers::answer;
use super::members::time;
use super::problem::Problem;
use super::returns::RenterReply;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::id::{BankId, MemberId, PenaltyId};
use crate::service::penalties::{PenaltyRow, PenaltyWish, Waived};

/// Which penalties are listed. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PenaltyListQuery {
    bank_id: Option<String>,
    member_id: Option<String>,
    live: Option<String>,
    q: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

impl PenaltyListQuery {
    pub(super) fn wish(&self) -> Result<PenaltyWish, Problem> {
        let text = self.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let cursor = "next_cursor of the page before";
        Ok(PenaltyWish {
            bank_id: page::value(self.bank_id.as_deref(), "bank_id", "a number")?.map(BankId),
            member_id: page::value(self.member_id.as_deref(), "member_id", "a number")?
                .map(MemberId),
            live: page::flag(self.live.as_deref(), "live")?.unwrap_or_default(),
            text: text.map(str::to_owned),
            before: page::value(self.cursor.as_deref(), "cursor", cursor)?.map(PenaltyId),
        })
    }
}

/// A penalty that was taken back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WaivedReply {
    /// When, RFC 3339.
    at: String,
    /// Who.
    member_id: i64,
    /// Why.
    reason: String,
}

/// Days on which a member may claim nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PenaltyReply {
    /// Its number.
    penalty_id: i64,
    /// Whose it is.
    renter: RenterReply,
    /// After which overdue case.
    case_id: i64,
    /// The locker that was late.
    locker_id: i64,
    /// Its bank.
    bank_id: i64,
    /// How many days late it was.
    late_days: u32,
    /// First day.
    first_on: String,
    /// Last day.
    last_on: String,
    /// When it was made, RFC 3339.
    made_at: String,
    /// Set when staff took it back.
    waived: Option<WaivedReply>,
}

/// A page of penalties.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PenaltyListReply {
    /// Newest first.
    penalties: Vec<PenaltyReply>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// A penalty of the caller.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MyPenaltyReply {
    /// Its number.
    penalty_id: i64,
    /// The locker that was late.
    locker_id: i64,
    /// How many days late it was.
    late_days: u32,
    /// First day.
    first_on: String,
    /// Last day.
    last_on: String,
    /// When staff took it back, RFC 3339.
    waived_at: Option<String>,
}

/// The caller's own penalties.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MyPenaltyListReply {
    /// The last day on which the caller may claim nothing; `null`: they may.
    until: Option<String>,
    /// The newest 20, newest first.
    penalties: Vec<MyPenaltyReply>,
}

/// Taking a penalty back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaiveBody {
    /// Why; 1 to 200 characters.
    reason: String,
}

/// A penalty that was taken back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WaiveReply {
    /// Its number.
    penalty_id: i64,
    /// Until when another penalty keeps the member from claiming; `null`: they may.
    penalty_until: Option<String>,
}

impl From<PenaltyRow> for PenaltyReply {
    fn from(row: PenaltyRow) -> Self {
        let waived = |(at_ms, by, reason): (i64, MemberId, String)| WaivedReply {
            at: time(at_ms),
            member_id: by.0,
            reason,
        };
        Self {
            penalty_id: row.id.0,
            renter: RenterReply::of(row.member_id.0, row.member),
            case_id: row.case_id.0,
            locker_id: row.locker_id.0,
            bank_id: row.bank_id.0,
            late_days: row.late_days,
            first_on: row.first_on.to_string(),
            last_on: row.last_on.to_string(),
            made_at: time(row.made_ms),
            waived: row.waived.map(waived),
        }
    }
}

impl From<Waived> for WaiveReply {
    fn from(waived: Waived) -> Self {
        let penalty_until = waived.penalty_until.map(|day| day.to_string());
        Self { penalty_id: waived.penalty_id.0, penalty_until }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    list(api).or_route(waive(api))
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "penalties")
        .and(warp::get())
        .and(warp::query::<PenaltyListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Penalties for lockers of the caller's banks, newest first.
#[utoipa::path(
    get, path = "/api/v1/penalties", tag = "overdue",
    params(
        ("bank_id" = Option<i64>, Query, description = "for lockers of one bank"),
        ("member_id" = Option<i64>, Query, description = "of one member"),
        ("live" = Option<bool>, Query, description = "true: only those in force today"),
        ("q" = Option<String>, Query, description = "a part of student id or name"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = PenaltyListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: PenaltyListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let limit = usize::try_from(page::limit(query.limit.as_deref())?).unwrap_or(usize::MAX);
    let mut rows = api.services().penalties(caller, query.wish()?, limit + 1).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let penalties = rows.into_iter().map(Into::into).collect();
    Ok(warp::reply::json(&PenaltyListReply { penalties, next_cursor }).into_response())
}

fn waive(api: &Api) -> Routes {
    path!("api" / "v1" / "penalties" / PenaltyId / "waive")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_waive)
}

/// Take a penalty back. For staff of the bank that it is for.
#[utoipa::path(
    post, path = "/api/v1/penalties/{penalty_id}/waive", tag = "overdue",
    params(("penalty_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = WaiveBody,
    responses(
        (status = 200, body = WaiveReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_waive(
    id: PenaltyId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let asked: WaiveBody = body.json(&head).await?;
    let key = head.request_key(&format!("waive {id} {}", asked.reason))?;
    let waived = api.services().waive_penalty(caller, id, &asked.reason, key).await?;
    Ok(answer(&waived.map(WaiveReply::from), StatusCode::OK))
}

/// `/api/v1/me/penalties`.
pub(super) fn mine(api: &Api) -> Routes {
    path!("api" / "v1" / "me" / "penalties")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_mine)
}

/// The caller's own penalties.
#[utoipa::path(
    get, path = "/api/v1/me/penalties", tag = "me",
    responses((status = 200, body = MyPenaltyListReply), (status = 401)),
    security(("bearer" = []))
)]
pub(super) async fn handle_mine(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let rows = api.services().own_penalties(caller).await?;
    let until = api.services().penalty_until(caller).map(|day| day.to_string());
    let one = |row: PenaltyRow| MyPenaltyReply {
        penalty_id: row.id.0,
        locker_id: row.locker_id.0,
        late_days: row.late_days,
        first_on: row.first_on.to_string(),
        last_on: row.last_on.to_string(),
        waived_at: row.waived.map(|(at_ms, ..)| time(at_ms)),
    };
    let reply = MyPenaltyListReply { until, penalties: rows.into_iter().map(one).collect() };
    Ok(warp::reply::json(&reply).into_response())
}
