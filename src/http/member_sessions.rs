//! `/api/v1/members/{member_id}/sessions` and `/api/v1/sessions`: staff look after the log-ins of
//! others. Staff those of students, admins those of everybody.

use serde::Deserialize;
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::sessions::{EndedReply, SessionListReply, sessions_reply};
use super::{Api, OrRoute, Routes, with};
use crate::domain::id::{MemberId, SessionId};

/// Below `members`.
pub(super) fn routes(api: &Api) -> Routes {
    list(api).or_route(end_all(api)).or_route(end(api))
}

/// Below `sessions`.
pub(super) fn everybody(api: &Api) -> Routes {
    log_out_everybody(api)
}

/// Logging everybody out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EverybodyBody {
    /// Why; 1 to 200 characters in one line.
    reason: String,
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "members" / MemberId / "sessions")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// A member's log-ins on all devices.
#[utoipa::path(
    get, path = "/api/v1/members/{member_id}/sessions", tag = "members",
    params(("member_id" = i64, Path)),
    responses(
        (status = 200, body = SessionListReply), (status = 401), (status = 403), (status = 404),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    member: MemberId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    Ok(sessions_reply(api.services().sessions_of_member(caller, member).await?))
}

fn end_all(api: &Api) -> Routes {
    path!("api" / "v1" / "members" / MemberId / "sessions")
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_end_all)
}

/// Log a member out everywhere, at once.
#[utoipa::path(
    delete, path = "/api/v1/members/{member_id}/sessions", tag = "members",
    params(("member_id" = i64, Path)),
    responses(
        (status = 200, body = EndedReply), (status = 401), (status = 403), (status = 404),
        (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_end_all(
    member: MemberId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let ended = api.services().log_member_out(caller, member).await?;
    Ok(warp::reply::json(&EndedReply { ended }).into_response())
}

fn end(api: &Api) -> Routes {
    path!("api" / "v1" / "members" / MemberId / "sessions" / SessionId)
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_end)
}

/// End one log-in of a member, at once.
#[utoipa::path(
    delete, path = "/api/v1/members/{member_id}/sessions/{session_id}", tag = "members",
    params(("member_id" = i64, Path), ("session_id" = i64, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404), (status = 503)),
    security(("bearer" = []))
)]
pub(super) async fn handle_end(
    member: MemberId,
    id: SessionId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    api.services().end_session_of_member(caller, member, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn log_out_everybody(api: &Api) -> Routes {
    path!("api" / "v1" / "sessions" / "log-out-everybody")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_log_out_everybody)
}

/// End every log-in there is but the caller's.
#[utoipa::path(
    post, path = "/api/v1/sessions/log-out-everybody", tag = "members",
    request_body = EverybodyBody,
    responses(
        (status = 200, body = EndedReply), (status = 400), (status = 401), (status = 403),
        (status = 411), (status = 413), (status = 415), (status = 422), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_log_out_everybody(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let EverybodyBody { reason } = body.json(&head).await?;
    let ended = api.services().log_everybody_out(caller, &reason).await?;
    Ok(warp::reply::json(&EndedReply { ended }).into_response())
}
