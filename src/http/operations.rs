//! `/api/v1/operations`: what became of a request whose answer was lost.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, Routes, with};
use crate::service::idempotency;

/// What an idempotency key led to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OperationReply {
    /// The key.
    key: String,
    /// hold, confirm, release-hold, release, open, acknowledge, it-was-me, mechanical-key or
    /// maintenance.
    operation: String,
    /// When it was carried out, RFC 3339.
    at: String,
    /// What was answered; `null` when the hold had expired.
    #[schema(value_type = Object)]
    answer: Value,
}

pub(super) fn routes(api: &Api) -> Routes {
    path!("api" / "v1" / "operations" / String)
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// What became of a request that was sent with this Idempotency-Key.
///
/// 404: it was not carried out and may be sent again.
#[utoipa::path(
    get, path = "/api/v1/operations/{key}", tag = "openings",
    params(("key" = String, Path)),
    responses((status = 200, body = OperationReply), (status = 401), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(key: String, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let services = api.services();
    let now_ms = services.clock.now().as_millisecond();
    let kept = idempotency::outcome(&services.store, caller.member_id, &key, now_ms).await?;
    let at = jiff::Timestamp::from_millisecond(kept.created_ms).unwrap_or_default();
    Ok(warp::reply::json(&OperationReply {
        key,
        operation: kept.operation,
        at: at.to_string(),
        answer: serde_json::from_str(&kept.answer).unwrap_or(Value::Null),
    })
    .into_response())
}
