//! More of what one has: `/api/v1/lockers/{locker_id}/extend` (more days), `extend-hold` (the hold's time
//! again) and `swap` (another locker of the bank). Each is off until the bank's settings allow it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::lockers::answer;
use super::problem::Problem;
use super::returns::ReplaceReply;
use super::{Api, OrRoute, Routes, with};
use crate::domain::id::LockerId;
use crate::service::error::Code;
use crate::service::extensions::Extendable;

/// Whether a rental can be extended.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExtendableReply {
    /// Whether it can be now.
    possible: bool,
    /// The last day that it would have then; `null`: it cannot be extended any more.
    until: Option<String>,
    /// How often it can be extended yet.
    left: u16,
    /// Why not now, as a code of refusals.
    reason: Option<&'static str>,
    /// With `extension_early`: the first day on which it can be.
    from: Option<String>,
}

impl From<Extendable> for ExtendableReply {
    fn from(it: Extendable) -> Self {
        Self {
            possible: it.refusal.is_none(),
            until: it.until.map(|day| day.to_string()),
            left: it.left,
            reason: it.refusal.map(Code::name),
            from: it.from.map(|day| day.to_string()),
        }
    }
}

/// A rental that was extended.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExtendReply {
    /// The number on its door.
    locker_id: i64,
    /// First day of the rental, as before.
    starts_on: String,
    /// Its new last day.
    ends_on: String,
    /// How often it can be extended after that.
    extensions_left: u16,
}

/// A hold that was extended.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExtendHoldReply {
    /// The number on its door.
    locker_id: i64,
    /// How long it is kept from now on, in milliseconds.
    expires_in_ms: u64,
}

/// Swapping a locker.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SwapBody {
    /// Which one instead, of the same bank.
    locker_id: i64,
}

pub(super) fn routes(api: &Api) -> Routes {
    extend(api).or_route(extend_hold(api)).or_route(swap(api))
}

fn extend(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId / "extend")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_extend)
}

/// Keep the locker for more days.
///
/// From some days before the last day on, as often as the bank allows, and only when nobody waits or has
/// the locker next. `extendable` in `/api/v1/lockers/me` says so beforehand.
#[utoipa::path(
    post, path = "/api/v1/lockers/{locker_id}/extend", tag = "lockers",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = ExtendReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_extend(id: LockerId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let key = head.request_key(&format!("extend {id}"))?;
    let extended = api.services().extend(caller, id, key).await?;
    let reply = extended.map(|it| ExtendReply {
        locker_id: it.locker_id.0,
        starts_on: it.dates.first().to_string(),
        ends_on: it.dates.last().to_string(),
        extensions_left: it.left,
    });
    Ok(answer(&reply, StatusCode::OK))
}

fn extend_hold(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId / "extend-hold")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_extend_hold)
}

/// Give the hold its full time again, once.
#[utoipa::path(
    post, path = "/api/v1/lockers/{locker_id}/extend-hold", tag = "lockers",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = ExtendHoldReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_extend_hold(
    id: LockerId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let key = head.request_key(&format!("extend-hold {id}"))?;
    let extended = api.services().extend_hold(caller, id, key).await?;
    let reply = extended
        .map(|it| ExtendHoldReply { locker_id: it.locker_id.0, expires_in_ms: it.expires_in_ms });
    Ok(answer(&reply, StatusCode::OK))
}

fn swap(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId / "swap")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_swap)
}

/// Take another free locker of the bank instead, for the same dates.
///
/// If the old one was opened it counts as returned, so that its things can still be taken out.
#[utoipa::path(
    post, path = "/api/v1/lockers/{locker_id}/swap", tag = "lockers",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = SwapBody,
    responses(
        (status = 200, body = ReplaceReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_swap(
    id: LockerId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let asked: SwapBody = body.json(&head).await?;
    let target = LockerId(asked.locker_id);
    let key = head.request_key(&format!("swap {id} {target}"))?;
    let swapped = api.services().swap(caller, id, target, key).await?;
    Ok(answer(&swapped.map(ReplaceReply::from), StatusCode::OK))
}
