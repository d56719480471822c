//! `/api/v1/clock`: what the server knows of the time, and an admin's word for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::domain::clock_trust::{Doubt, Voucher};
use crate::domain::member::Role;
use crate::service::clock::ClockState;
use crate::service::error::Code;

/// What is known of the clock.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClockReply {
    /// False: nothing is granted or ended by the calendar; doors open as before.
    trusted: bool,
    /// Who vouches for it: `time_service`, `real_time_clock` or admin; `null` while it is not trusted.
    by: Option<&'static str>,
    /// Why it is not trusted: `nobody_vouches`, stepped (it was set since somebody vouched for it) or
    /// behind (it is behind the newest time that was trusted); `null` while it is.
    why: Option<&'static str>,
    /// Since when, RFC 3339, by the clock as it stood then.
    since: String,
    /// The server's clock, RFC 3339.
    server_time: String,
    /// The newest time that was trusted, RFC 3339, written down once a minute.
    last_stored: Option<String>,
    /// The site's time zone.
    time_zone: Option<String>,
}

/// An admin's word that the clock is right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmBody {
    /// What the admin's own clock shows, RFC 3339 with its offset; at most two minutes away from the
    /// server's.
    time: String,
}

impl ClockReply {
    pub(super) fn of(state: &ClockState, api: &Api) -> Self {
        Self {
            trusted: state.verdict.is_ok(),
            by: state.verdict.ok().map(Voucher::name),
            why: state.verdict.err().map(Doubt::name),
            since: state.since.to_string(),
            server_time: state.now.to_string(),
            last_stored: state.last_stored.map(|at| at.to_string()),
            time_zone: api.services().clock.zone().iana_name().map(str::to_owned),
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    let find = path!("api" / "v1" / "clock")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find);
    let confirm = path!("api" / "v1" / "clock" / "confirm")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_confirm);
    find.or_route(confirm)
}

/// What the server knows of the time.
#[utoipa::path(
    get, path = "/api/v1/clock", tag = "clock",
    responses((status = 200, body = ClockReply), (status = 401), (status = 403)),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    if caller.role == Role::Student {
        return Err(Problem::new(Code::Forbidden, "only staff may look at the server's clock"));
    }
    let reply = ClockReply::of(&api.services().clock_state(), &api);
    Ok(warp::reply::json(&reply).into_response())
}

/// Vouch for the server's clock, by the time that one's own shows.
///
/// Good until the clock is set or the machine is switched off. Also takes back a newest time that was
/// trusted and is in the future: then that one was wrong.
#[utoipa::path(
    post, path = "/api/v1/clock/confirm", tag = "clock", request_body = ConfirmBody,
    responses(
        (status = 200, body = ClockReply), (status = 401), (status = 403), (status = 409),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_confirm(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    if caller.role != Role::Admin {
        return Err(Problem::new(Code::Forbidden, "only an admin may vouch for the clock"));
    }
    let asked: ConfirmBody = body.json(&head).await?;
    let said: Timestamp = asked.time.parse().map_err(|_| {
        Problem::new(Code::Invalid, "time must be a time like 2026-09-01T10:00:00+09:00")
    })?;
    let reply = ClockReply::of(&api.services().confirm_clock(caller, said).await?, &api);
    Ok(warp::reply::json(&reply).into_response())
}
