//! `/api/v1/banks/…`: who looks after a bank, and the codes with which staff take one over.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::domain::id::{BankId, MemberId};
use crate::service::members::Actor;

/// A bank's new registration code.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegistrationCodeReply {
    /// Shown this once; good once, until the next one is made.
    code: String,
}

/// Taking a bank over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimBody {
    /// The registration code; capitals and hyphens do not matter.
    code: String,
}

/// A bank that was taken over.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClaimedReply {
    /// Which.
    bank_id: i64,
}

/// A member of staff of a bank.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BankStaffReply {
    /// Their number.
    member_id: i64,
    /// Their id.
    student_id: String,
    /// Their name.
    name: String,
}

/// Who looks after a bank.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BankStaffListReply {
    /// By name; admins look after every bank and are not listed.
    staff: Vec<BankStaffReply>,
}

pub(super) fn routes(api: &Api) -> Routes {
    claim(api).or_route(make_code(api)).or_route(list(api)).or_route(remove(api))
}

fn make_code(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / BankId / "registration-code")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_make_code)
}

/// Make the code with which one member of staff takes the bank over. For admins.
///
/// The code before it is good no more.
#[utoipa::path(
    post, path = "/api/v1/banks/{bank_id}/registration-code", tag = "banks",
    params(("bank_id" = i64, Path)),
    responses(
        (status = 201, body = RegistrationCodeReply), (status = 401), (status = 403),
        (status = 404), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_make_code(
    id: BankId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let code = api.services().make_registration_code(caller, id).await?;
    let reply = warp::reply::json(&RegistrationCodeReply { code });
    Ok(warp::reply::with_status(reply, StatusCode::CREATED).into_response())
}

fn claim(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / "claim")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_claim)
}

/// Take a bank over with its registration code. For accounts that an admin made staff.
#[utoipa::path(
    post, path = "/api/v1/banks/claim", tag = "banks", request_body = ClaimBody,
    responses(
        (status = 200, body = ClaimedReply), (status = 400), (status = 401), (status = 403),
        (status = 410), (status = 422), (status = 429), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_claim(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    Actor::Caller(caller).demand_staff()?;
    let asked: ClaimBody = body.json(&head).await?;
    let address = head.address(&api);
    let bank = api.services().claim_bank(caller, &asked.code, &address).await?;
    Ok(warp::reply::json(&ClaimedReply { bank_id: bank.0 }).into_response())
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / BankId / "staff")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Who looks after a bank. For its staff and admins.
#[utoipa::path(
    get, path = "/api/v1/banks/{bank_id}/staff", tag = "banks", params(("bank_id" = i64, Path)),
    responses(
        (status = 200, body = BankStaffListReply), (status = 401), (status = 403), (status = 404),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(id: BankId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let staff = api.services().bank_staff(caller, id).await?.into_iter().map(|it| BankStaffReply {
        member_id: it.member_id.0,
        student_id: it.student_id,
        name: it.name,
    });
    Ok(warp::reply::json(&BankStaffListReply { staff: staff.collect() }).into_response())
}

fn remove(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / BankId / "staff" / MemberId)
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_remove)
}

/// Take a bank out of somebody's care. For admins.
#[utoipa::path(
    delete, path = "/api/v1/banks/{bank_id}/staff/{member_id}", tag = "banks",
    params(("bank_id" = i64, Path), ("member_id" = i64, Path)),
    responses(
        (status = 204), (status = 401), (status = 403), (status = 404), (status = 503),
        (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_remove(
    id: BankId,
    member: MemberId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    api.services().remove_bank_staff(caller, id, member).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
