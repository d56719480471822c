//! `/api/v1/retention`: how long things are kept, and what was forgotten last.

use serde::Serialize;
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::me::KeptReply;
use super::members::time;
use super::problem::Problem;
use super::{Api, Routes, with};

/// What one run forgot of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PrunedReply {
    /// When the run began, RFC 3339.
    at: String,
    /// openings, alarms, members, overdue, sessions or mails.
    what: String,
    /// How many rows.
    rows: u32,
}

/// How long things are kept.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RetentionReply {
    /// In days.
    kept: KeptReply,
    /// What was forgotten, the newest first; at most 200 rows.
    forgotten: Vec<PrunedReply>,
}

pub(super) fn routes(api: &Api) -> Routes {
    path!("api" / "v1" / "retention")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// How long personal data is kept, and what was forgotten last. For admins.
#[utoipa::path(
    get, path = "/api/v1/retention", tag = "members",
    responses((status = 200, body = RetentionReply), (status = 401), (status = 403)),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let state = api.services().retention(caller).await?;
    let forgotten = state.record.into_iter();
    let forgotten =
        forgotten.map(|it| PrunedReply { at: time(it.at_ms), what: it.what, rows: it.rows });
    let reply = RetentionReply { kept: state.kept.into(), forgotten: forgotten.collect() };
    Ok(warp::reply::json(&reply).into_response())
}
