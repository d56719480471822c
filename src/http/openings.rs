//! `/api/v1/openings`: how an opening goes.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, Routes, with};
use crate::domain::id::OpeningId;
use crate::service::error::Code;

/// How long to wait for the outcome.
#[derive(Debug, Default, Deserialize)]
pub(super) struct OpeningQuery {
    wait_s: Option<String>,
}

/// How an opening goes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpeningReply {
    /// The locker.
    locker_id: i64,
    /// What was seen so far, oldest first: requested, sent, acknowledged, `sent_again` (the door stayed
    /// closed), opened, closed.
    phases: Vec<PhaseReply>,
    /// `null` while it is under way; then opened, `already_open`, `door_did_not_open`, unseen (no
    /// sensors: we cannot see the door), `no_answer`, refused, unreachable or interrupted.
    outcome: Option<&'static str>,
    /// When trying again makes sense, in milliseconds.
    retry_after_ms: Option<u64>,
}

/// One thing that was seen.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PhaseReply {
    /// requested, sent, acknowledged, `sent_again`, opened or closed.
    phase: &'static str,
    /// When, RFC 3339.
    at: String,
}

pub(super) fn routes(api: &Api) -> Routes {
    path!("api" / "v1" / "openings" / OpeningId)
        .and(warp::get())
        .and(warp::query::<OpeningQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

fn wait(query: &OpeningQuery) -> Result<Duration, Problem> {
    let Some(text) = query.wait_s.as_deref() else { return Ok(Duration::ZERO) };
    match text.parse::<u64>() {
        Ok(seconds @ 1..=30) => Ok(Duration::from_secs(seconds)),
        _ => Err(Problem::new(Code::Invalid, "wait_s must be 1 to 30")),
    }
}

/// How an opening goes.
///
/// With `wait_s` the answer waits for the outcome, at most that many seconds.
#[utoipa::path(
    get, path = "/api/v1/openings/{operation_id}", tag = "openings",
    params(("operation_id" = String, Path), ("wait_s" = Option<u32>, Query)),
    responses((status = 200, body = OpeningReply), (status = 401), (status = 404), (status = 422)),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(
    id: OpeningId,
    query: OpeningQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let view = api.services().opening(caller, id, wait(&query)?).await?;
    let phases = view
        .opening
        .phases
        .iter()
        .map(|seen| PhaseReply { phase: seen.phase.name(), at: seen.at.to_string() });
    Ok(warp::reply::json(&OpeningReply {
        locker_id: view.opening.locker_id.0,
        phases: phases.collect(),
        outcome: view.opening.outcome.map(crate::domain::opening::Outcome::name),
        retry_after_ms: view.retry_after_ms,
    })
    .into_response())
}
