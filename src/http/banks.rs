//! `/api/v1/banks`: hold whatever locker of a bank is free; reservations, maintenance, layout, staff, opening.

use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::lockers;
use super::problem::Problem;
use super::{
    Api, OrRoute, Routes, alarms, bank_admin, bank_map, layouts, locker_admin, presence,
    reservations, roles, waiting, with,
};
use crate::domain::id::BankId;

pub(super) fn routes(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / BankId / "hold")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_hold_any)
        .or_route(reservations::of_bank(api))
        .or_route(alarms::maintenance(api))
        .or_route(layouts::routes(api))
        .or_route(presence::routes(api))
        .or_route(roles::routes(api))
        .or_route(bank_admin::routes(api))
        .or_route(bank_map::routes(api))
        .or_route(locker_admin::bank_routes(api))
        .or_route(waiting::bank_routes(api))
}

/// Keep any free locker of the bank for a minute.
#[utoipa::path(
    post, path = "/api/v1/banks/{bank_id}/hold", tag = "lockers",
    params(("bank_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = lockers::HoldReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_hold_any(id: BankId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let key = head.request_key(&format!("hold-any {id}"))?;
    Ok(lockers::held(api.services().hold_any(caller, id, key).await?))
}
