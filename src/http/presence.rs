//! `/api/v1/banks/{bank_id}/opening` and `/presence-key`: from where a bank may be opened, and the
//! secret behind the code that its kiosk shows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::domain::bank::OpenFrom;
use crate::domain::id::BankId;
use crate::service::error::Code;

/// Below `banks`, which dispatches here.
pub(super) fn routes(api: &Api) -> Routes {
    opening(api).or_route(rotate(api))
}

/// From where renters may open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpeningRequest {
    /// anywhere, or presence: only when they stand before the bank.
    open_from: String,
}

/// A bank's rule.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BankOpeningReply {
    bank_id: i64,
    /// anywhere or presence.
    open_from: &'static str,
}

fn opening(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / BankId / "opening")
        .and(warp::put())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_opening)
}

/// Say from where renters may open the lockers of a bank. For admins.
#[utoipa::path(
    put, path = "/api/v1/banks/{bank_id}/opening", tag = "banks",
    params(("bank_id" = i64, Path)), request_body = OpeningRequest,
    responses(
        (status = 200, body = BankOpeningReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 422), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_opening(
    id: BankId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    crate::service::commissioning::demand_admin(caller)?;
    let request = body.json::<OpeningRequest>(&head).await?;
    let from = OpenFrom::from_name(&request.open_from)
        .ok_or_else(|| Problem::new(Code::Invalid, "open_from must be anywhere or presence"))?;
    api.services().set_open_from(caller, id, from).await?;
    let reply = BankOpeningReply { bank_id: id.0, open_from: from.name() };
    Ok(warp::reply::json(&reply).into_response())
}

fn rotate(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / BankId / "presence-key")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_rotate)
}

/// Give a bank a new presence key: every code shown until now is worth nothing. For admins.
#[utoipa::path(
    post, path = "/api/v1/banks/{bank_id}/presence-key", tag = "banks",
    params(("bank_id" = i64, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404), (status = 503)),
    security(("bearer" = []))
)]
pub(super) async fn handle_rotate(id: BankId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    api.services().rotate_presence_key(caller, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
