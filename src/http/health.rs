//! `/api/v1/health`: is everything in order? Details are for staff.

use serde::Serialize;
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::clock::ClockReply;
use super::extract::{Head, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, Routes, with};
use crate::domain::member::Role;
use crate::service::health::Health;

/// How the site is doing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HealthReply {
    /// ok or degraded.
    status: &'static str,
    /// The program's version.
    version: &'static str,
    /// The server's clock, RFC 3339.
    server_time: String,
    /// How long it has been running, in seconds.
    uptime_s: u64,
    /// ok or degraded: while degraded nothing can be changed, doors can still be opened.
    database: &'static str,
    /// online or offline, by bus name.
    buses: std::collections::BTreeMap<String, &'static str>,
    /// Whether the time is trusted: while it is not, nothing is granted or ended by the calendar.
    clock: ClockReply,
    /// Everything that is known; for staff and admins only.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Health>,
}

pub(super) fn routes(api: &Api) -> Routes {
    path!("api" / "v1" / "health")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_health)
}

/// How the site is doing; answers with and without a token.
#[utoipa::path(
    get, path = "/api/v1/health", tag = "health",
    responses((status = 200, body = HealthReply)), security((), ("bearer" = []))
)]
pub(super) async fn handle_health(head: Head, api: Api) -> Result<Response, Problem> {
    let health = api.services().health();
    let staff = head
        .caller_if_any(&api)
        .is_some_and(|caller| matches!(caller.role, Role::Staff | Role::Admin));
    let now = api.services().clock.now();
    let uptime_s = now.as_second() - api.parts().started.as_second();
    Ok(warp::reply::json(&HealthReply {
        status: health.status,
        version: env!("CARGO_PKG_VERSION"),
        server_time: now.to_string(),
        uptime_s: u64::try_from(uptime_s).unwrap_or(0),
        database: health.database.status,
        clock: ClockReply::of(&api.services().clock_state(), &api),
        buses: health.buses.iter().map(|bus| (bus.name.clone(), bus.status)).collect(),
        details: staff.then_some(health),
    })
    .into_response())
}
