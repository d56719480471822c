//! `/api/v1/commissioning`: look for boards, give one an address, prove a board lock by lock. For
//! admins; staff may look.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::http::StatusCode;
use warp::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with, with_body, with_part_and_body};
use crate::domain::channel::Family;
use crate::domain::id::BankId;
use crate::service::commissioning::{
    AddressOrder, ProofAction, ProofOrder, ScanOrder, demand_admin,
};
use crate::service::error::Code;

/// The page of labels has one inline style and loads nothing.
const LABELS_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// What is to be looked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScanRequest {
    /// The bus, as configured.
    bus: String,
    /// Speeds to try; the bus's own when left out.
    #[serde(default)]
    bauds: Vec<u32>,
    /// Families to try, as `bus scan` names them; all when left out.
    #[serde(default)]
    families: Vec<String>,
    /// First address; 0 when left out.
    #[serde(default)]
    from: u8,
    /// Last address; 32 when left out.
    to: Option<u8>,
}

/// Something that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CommissioningBegunReply {
    /// Ask for it under `/api/v1/commissioning/scans/{scan_id}`.
    id: String,
}

/// Which address the one connected board is to have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddressRequest {
    /// The bus, as configured.
    bus: String,
    /// The board's family.
    family: String,
    /// Its new address.
    new: u8,
    /// The line's speed; the bus's own when left out.
    baud: Option<u32>,
    /// Must be true: only the board that is to get the address is connected.
    one_board_connected: bool,
}

/// Which board is to be proven.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StartProofRequest {
    /// The bus, as configured.
    bus: String,
    /// The board's address.
    board: u8,
    /// Prove it although a locker of the board is rented; needs a reason.
    #[serde(default)]
    force: bool,
    /// Why, 1 to 200 characters.
    reason: Option<String>,
}

/// What the technician did.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StepRequest {
    /// pulse (all doors are closed: open the next lock), number, closed, repeat, skip or revisit (take
    /// up what was left out).
    action: String,
    /// With `number`: what stands on the door that opened; left out when none did.
    number: Option<i64>,
}

/// What is to be wired.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplyRequest {
    /// The bank in which numbers that are no lockers yet are made; refused without one.
    bank_id: Option<i64>,
}

/// The state of a scan, a proof or its report (docs/guide/commissioning.md).
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub(super) struct StateReply(Value);

/// Every proof.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProofsReply {
    /// By bus and board.
    proofs: Vec<StateReply>,
}

pub(super) fn routes(api: &Api) -> Routes {
    let base = || path("api").and(path("v1")).and(path("commissioning"));
    let scans = with_body(api, base().and(path!("scans")).and(warp::post()), handle_scan);
    let scan = base()
        .and(path!("scans" / Uuid))
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find_scan);
    let cancel = base()
        .and(path!("scans" / Uuid))
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_cancel_scan);
    let address = with_body(api, base().and(path!("address")).and(warp::post()), handle_address);
    scans.or_route(scan).or_route(cancel).or_route(address).or_route(proofs(api))
}

fn proofs(api: &Api) -> Routes {
    let base = || path("api").and(path("v1")).and(path("commissioning")).and(path("proofs"));
    let list = base()
        .and(path::end())
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_list_proofs);
    let start = with_body(api, base().and(path::end()).and(warp::post()), handle_start_proof);
    let find = base()
        .and(path!(String))
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find_proof);
    let delete = base()
        .and(path!(String))
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_delete_proof);
    list.or_route(start).or_route(find).or_route(delete).or_route(proof_parts(api))
}

fn proof_parts(api: &Api) -> Routes {
    let base = || path("api").and(path("v1")).and(path("commissioning")).and(path("proofs"));
    let step =
        with_part_and_body(api, base().and(path!(String / "steps")).and(warp::post()), handle_step);
    let apply = with_part_and_body(
        api,
        base().and(path!(String / "apply")).and(warp::post()),
        handle_apply,
    );
    let report = base()
        .and(path!(String / "report"))
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_report);
    let labels = base()
        .and(path!(String / "labels"))
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_labels);
    step.or_route(apply).or_route(report).or_route(labels)
}

fn family(text: &str) -> Result<Family, Problem> {
    text.parse().map_err(|why: String| Problem::new(Code::Invalid, why))
}

fn state(value: Value) -> Response {
    warp::reply::json(&StateReply(value)).into_response()
}

fn begun(id: Uuid) -> Response {
    let reply = warp::reply::json(&CommissioningBegunReply { id: id.to_string() });
    warp::reply::with_status(reply, StatusCode::ACCEPTED).into_response()
}

/// Look for boards on a bus, with read requests only. For admins.
///
/// The bus goes on working meanwhile. One scan, address or proof a bus at a time.
#[utoipa::path(
    post, path = "/api/v1/commissioning/scans", tag = "commissioning",
    request_body = ScanRequest,
    responses(
        (status = 202, body = CommissioningBegunReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_scan(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let (caller, asked) = head.asked::<ScanRequest>(body, &api, demand_admin).await?;
    let families = asked.families.iter().map(|it| family(it)).collect::<Result<_, _>>()?;
    let addresses = (asked.from, asked.to.unwrap_or(32));
    let order = ScanOrder { bus: asked.bus, bauds: asked.bauds, families, addresses };
    Ok(begun(api.services().start_scan(caller, &order)?))
}

/// How a scan or a new address goes, with what was found so far. For staff.
#[utoipa::path(
    get, path = "/api/v1/commissioning/scans/{scan_id}", tag = "commissioning",
    params(("scan_id" = String, Path)),
    responses((status = 200, body = StateReply), (status = 401), (status = 403), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_find_scan(id: Uuid, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    Ok(state(api.services().search(caller, id)?))
}

/// Cancel a scan: it ends with what it has. For admins.
#[utoipa::path(
    delete, path = "/api/v1/commissioning/scans/{scan_id}", tag = "commissioning",
    params(("scan_id" = String, Path)),
    responses((status = 200, body = StateReply), (status = 401), (status = 403), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_cancel_scan(
    id: Uuid,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    Ok(state(api.services().cancel_search(caller, id)?))
}

/// Give the one connected board another address. For admins.
///
/// Refused in its result when more than one board answers, or the configuration lists another board of
/// the family on this bus. Followed like a scan. The configuration
/// still names the old address afterwards: change it and start the server anew.
#[utoipa::path(
    post, path = "/api/v1/commissioning/address", tag = "commissioning",
    request_body = AddressRequest,
    responses(
        (status = 202, body = CommissioningBegunReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_address(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let (caller, asked) = head.asked::<AddressRequest>(body, &api, demand_admin).await?;
    if !asked.one_board_connected {
        let detail = "connect only the board that is to get the address, and say so: \
            one_board_connected = true";
        return Err(Problem::new(Code::Invalid, detail));
    }
    let order = AddressOrder {
        bus: asked.bus,
        family: family(&asked.family)?,
        new: asked.new,
        baud: asked.baud,
    };
    Ok(begun(api.services().start_address(caller, order).await?))
}

/// Every proof of a board, finished or not. For staff.
#[utoipa::path(
    get, path = "/api/v1/commissioning/proofs", tag = "commissioning",
    responses((status = 200, body = ProofsReply), (status = 401), (status = 403)),
    security(("bearer" = []))
)]
pub(super) async fn handle_list_proofs(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let proofs = api.services().proofs(caller).await?.into_iter().map(StateReply).collect();
    Ok(warp::reply::json(&ProofsReply { proofs }).into_response())
}

/// Begin to prove a board, lock by lock. For admins.
///
/// Refused while a locker of the board is rented, unless `force` is sent with a reason.
#[utoipa::path(
    post, path = "/api/v1/commissioning/proofs", tag = "commissioning",
    request_body = StartProofRequest,
    responses(
        (status = 201, body = StateReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_start_proof(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let (caller, asked) = head.asked::<StartProofRequest>(body, &api, demand_admin).await?;
    let force_reason = if asked.force {
        let given = asked.reason.filter(|it| !it.trim().is_empty());
        Some(given.ok_or_else(|| Problem::new(Code::Invalid, "send a reason with force"))?)
    } else {
        None
    };
    let order = ProofOrder { bus: asked.bus, board: asked.board, force_reason };
    let begun = api.services().start_proof(caller, order).await?;
    Ok(warp::reply::with_status(state(begun), StatusCode::CREATED).into_response())
}

/// One proof: what comes next, and what is known so far. For staff.
#[utoipa::path(
    get, path = "/api/v1/commissioning/proofs/{proof_id}", tag = "commissioning",
    params(("proof_id" = String, Path)),
    responses((status = 200, body = StateReply), (status = 401), (status = 403), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_find_proof(
    id: String,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    Ok(state(api.services().proof(caller, &id).await?))
}

/// Forget a proof; what was applied stays. For admins.
#[utoipa::path(
    delete, path = "/api/v1/commissioning/proofs/{proof_id}", tag = "commissioning",
    params(("proof_id" = String, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_delete_proof(
    id: String,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    api.services().delete_proof(caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Carry out one step of a proof. For admins.
///
/// `pulse` answers when the door's sensor has moved or three seconds have passed.
#[utoipa::path(
    post, path = "/api/v1/commissioning/proofs/{proof_id}/steps", tag = "commissioning",
    params(("proof_id" = String, Path)), request_body = StepRequest,
    responses(
        (status = 200, body = StateReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_step(
    id: String,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let (caller, asked) = head.asked::<StepRequest>(body, &api, demand_admin).await?;
    let action = match asked.action.as_str() {
        "pulse" => ProofAction::Pulse,
        "number" => ProofAction::Number(asked.number),
        "closed" => ProofAction::Closed,
        "repeat" => ProofAction::Repeat,
        "skip" => ProofAction::Skip,
        "revisit" => ProofAction::Revisit,
        _ => {
            let detail = "action must be pulse, number, closed, repeat, skip or revisit";
            return Err(Problem::new(Code::Invalid, detail));
        }
    };
    Ok(state(api.services().step_proof(caller, &id, action).await?))
}

/// Wire the proven lockers as was found, all or nothing. For admins.
///
/// The answer's `config` has the lines for config.toml: they are not written by themselves.
#[utoipa::path(
    post, path = "/api/v1/commissioning/proofs/{proof_id}/apply", tag = "commissioning",
    params(("proof_id" = String, Path)), request_body = ApplyRequest,
    responses(
        (status = 200, body = StateReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_apply(
    id: String,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let (caller, asked) = head.asked::<ApplyRequest>(body, &api, demand_admin).await?;
    let applied = api.services().apply_proof(caller, &id, asked.bank_id.map(BankId)).await?;
    Ok(state(applied))
}

/// The report of a proof, with the lines for config.toml. For staff.
#[utoipa::path(
    get, path = "/api/v1/commissioning/proofs/{proof_id}/report", tag = "commissioning",
    params(("proof_id" = String, Path)),
    responses((status = 200, body = StateReply), (status = 401), (status = 403), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_report(id: String, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    Ok(state(api.services().proof_report(caller, &id).await?))
}

/// The page of door labels of a proof, to be printed. For staff.
#[utoipa::path(
    get, path = "/api/v1/commissioning/proofs/{proof_id}/labels", tag = "commissioning",
    params(("proof_id" = String, Path)),
    responses(
        (status = 200, body = String, content_type = "text/html"), (status = 401), (status = 403),
        (status = 404),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_labels(id: String, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let mut response = Response::new(api.services().proof_labels(caller, &id).await?.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(LABELS_POLICY));
    Ok(response)
}
