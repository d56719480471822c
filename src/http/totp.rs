//! `/api/v1/auth/totp` and what belongs to it: the second step of a log-in, setting an
//! authenticator app up, recovery codes, and staff who take a lost one away.
//!
//! Secrets and recovery codes leave here once, in answers that nobody may keep.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::sessions::{TokensReply, tokens_reply};
use super::{Api, OrRoute, Routes, qr, with, with_body, with_part_and_body};
use crate::domain::id::MemberId;
use crate::service::identity::{PROVEN_MS, Proof};
use crate::service::members::Actor;

/// Below `auth`, which dispatches here.
pub(super) fn routes(api: &Api) -> Routes {
    second_step(api)
        .or_route(find(api))
        .or_route(enrol(api))
        .or_route(remove(api))
        .or_route(confirm(api))
        .or_route(renew(api))
        .or_route(prove(api))
}

/// The second step of a log-in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecondStepRequest {
    /// From the refusal of the first step.
    ticket: String,
    /// Of the authenticator app, or a recovery code.
    code: String,
}

/// What shows once more who one is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FactorProofRequest {
    /// The password.
    password: Option<String>,
    /// A code of the authenticator app, or a recovery code.
    code: Option<String>,
}

impl FactorProofRequest {
    fn into_proof(self, head: &Head, api: &Api) -> Proof {
        Proof { password: self.password, code: self.code, address: head.address(api) }
    }
}

/// A proof that counts from now on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProvenReply {
    /// Until when, RFC 3339.
    until: String,
    /// How long that is, in seconds.
    expires_in: i64,
}

/// The first code of a new app.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfirmRequest {
    /// Six digits.
    code: String,
}

/// Why somebody else's second factor is taken away, or a code given out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonRequest {
    /// 1 to 500 characters; kept.
    pub(super) reason: String,
}

/// What an authenticator app needs. It is shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EnrolReply {
    /// For an app on the same phone.
    otpauth_uri: String,
    /// For typing.
    secret_base32: String,
    /// The address as a QR code, for the phone's camera.
    qr_svg: Option<String>,
}

/// A set of recovery codes. It is shown once; each code stands in for the app once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecoveryCodesReply {
    /// Ten of them.
    recovery_codes: Vec<String>,
}

/// How the caller's second factor stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TotpReply {
    /// Whether an authenticator app is in force.
    enrolled: bool,
    /// Since when, RFC 3339.
    confirmed_at: Option<String>,
    /// Whether a new one waits for its first code.
    pending: bool,
    /// Recovery codes that were not used yet.
    recovery_codes_left: u32,
    /// Whether the site demands one of this account.
    demanded: bool,
}

/// Answers with something that nobody may keep.
pub(super) fn once_only<T: Serialize>(reply: &T, status: StatusCode) -> Response {
    let mut response = warp::reply::with_status(warp::reply::json(reply), status).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn prove(api: &Api) -> Routes {
    with_body(api, path!("api" / "v1" / "auth" / "prove").and(warp::post()), handle_prove)
}

/// Show once more who one is, with the password or a code of the authenticator app.
///
/// What is dangerous asks for it (403 `proof_needed`) unless the log-in or the last proof was within ten
/// minutes. It counts for this log-in alone and ends with it.
#[utoipa::path(
    post, path = "/api/v1/auth/prove", tag = "auth", request_body = FactorProofRequest,
    responses(
        (status = 200, body = ProvenReply), (status = 400), (status = 401), (status = 403),
        (status = 422), (status = 429), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_prove(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let proof = body.json::<FactorProofRequest>(&head).await?;
    let until = api.services().prove(caller, proof.into_proof(&head, &api)).await?;
    let reply = ProvenReply { until: until.to_string(), expires_in: PROVEN_MS / 1_000 };
    Ok(warp::reply::json(&reply).into_response())
}

fn second_step(api: &Api) -> Routes {
    with_body(
        api,
        path!("api" / "v1" / "auth" / "login" / "second-factor").and(warp::post()),
        handle_second_step,
    )
}

/// The second step of a log-in: the ticket of the first and a code.
#[utoipa::path(
    post, path = "/api/v1/auth/login/second-factor", tag = "auth",
    request_body = SecondStepRequest,
    responses(
        (status = 200, body = TokensReply), (status = 400), (status = 401), (status = 403),
        (status = 410), (status = 422), (status = 429), (status = 503),
    )
)]
pub(super) async fn handle_second_step(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let request = body.json::<SecondStepRequest>(&head).await?;
    let device = head.device(&api)?;
    let tokens = api.services().log_in_second(&request.ticket, &request.code, device).await?;
    tokens_reply(&head, &api, tokens, StatusCode::OK)
}

fn find(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "totp")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// How the caller's second factor stands.
#[utoipa::path(
    get, path = "/api/v1/auth/totp", tag = "auth",
    responses((status = 200, body = TotpReply), (status = 401), (status = 403)),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_setting_up(&api)?;
    let status = api.services().totp_status(caller).await?;
    let at = |ms| Timestamp::from_millisecond(ms).unwrap_or_default().to_string();
    Ok(warp::reply::json(&TotpReply {
        enrolled: status.confirmed_ms.is_some(),
        confirmed_at: status.confirmed_ms.map(at),
        pending: status.is_pending,
        recovery_codes_left: status.recovery_codes_left,
        demanded: status.is_demanded,
    })
    .into_response())
}

fn enrol(api: &Api) -> Routes {
    with_body(api, path!("api" / "v1" / "auth" / "totp").and(warp::post()), handle_enrol)
}

/// Set an authenticator app up, or another one in its place.
///
/// Asks for the password or a code, unless the log-in is younger than ten minutes. The app in force
/// stays so until the new one is confirmed.
#[utoipa::path(
    post, path = "/api/v1/auth/totp", tag = "auth", request_body = Option<FactorProofRequest>,
    responses(
        (status = 201, body = EnrolReply), (status = 400), (status = 401), (status = 403),
        (status = 422), (status = 429), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_enrol(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_setting_up(&api)?;
    let proof = body.json_if_any::<FactorProofRequest>(&head).await?;
    let made = api.services().enrol_totp(caller, proof.into_proof(&head, &api)).await?;
    let reply = EnrolReply {
        qr_svg: qr::svg(&made.uri),
        otpauth_uri: made.uri,
        secret_base32: made.secret_base32,
    };
    Ok(once_only(&reply, StatusCode::CREATED))
}

fn confirm(api: &Api) -> Routes {
    with_body(
        api,
        path!("api" / "v1" / "auth" / "totp" / "confirm").and(warp::post()),
        handle_confirm,
    )
}

/// Put the new app in force by its first code.
///
/// Other log-ins of the account end. Refresh the tokens afterwards: the next access token says that a
/// second factor was shown.
#[utoipa::path(
    post, path = "/api/v1/auth/totp/confirm", tag = "auth", request_body = ConfirmRequest,
    responses(
        (status = 200, body = RecoveryCodesReply), (status = 400), (status = 401), (status = 403),
        (status = 409), (status = 410), (status = 422), (status = 429), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_confirm(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller_setting_up(&api)?;
    let request = body.json::<ConfirmRequest>(&head).await?;
    let recovery_codes = api.services().confirm_totp(caller, &request.code).await?;
    Ok(once_only(&RecoveryCodesReply { recovery_codes }, StatusCode::OK))
}

fn renew(api: &Api) -> Routes {
    with_body(
        api,
        path!("api" / "v1" / "auth" / "totp" / "recovery-codes").and(warp::post()),
        handle_renew,
    )
}

/// Get a new set of recovery codes; those before are dead.
#[utoipa::path(
    post, path = "/api/v1/auth/totp/recovery-codes", tag = "auth",
    request_body = Option<FactorProofRequest>,
    responses(
        (status = 200, body = RecoveryCodesReply), (status = 400), (status = 401), (status = 403),
        (status = 409), (status = 422), (status = 429), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_renew(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let proof = body.json_if_any::<FactorProofRequest>(&head).await?;
    let recovery_codes =
        api.services().renew_recovery_codes(caller, proof.into_proof(&head, &api)).await?;
    Ok(once_only(&RecoveryCodesReply { recovery_codes }, StatusCode::OK))
}

fn remove(api: &Api) -> Routes {
    with_body(api, path!("api" / "v1" / "auth" / "totp").and(warp::delete()), handle_remove)
}

/// Take the authenticator app away; refused where the site demands one.
#[utoipa::path(
    delete, path = "/api/v1/auth/totp", tag = "auth", request_body = FactorProofRequest,
    responses(
        (status = 204), (status = 400), (status = 401), (status = 403), (status = 409),
        (status = 422), (status = 429), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_remove(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let proof = body.json_if_any::<FactorProofRequest>(&head).await?;
    api.services().remove_totp(caller, proof.into_proof(&head, &api)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `/api/v1/members/{member_id}/totp`.
pub(super) fn of_member(api: &Api) -> Routes {
    with_part_and_body(
        api,
        path!("api" / "v1" / "members" / MemberId / "totp").and(warp::delete()),
        handle_reset,
    )
}

/// Take a member's authenticator app away because the phone is lost.
///
/// Staff for students, admins for everybody. All log-ins of the account end, and it is told by mail.
#[utoipa::path(
    delete, path = "/api/v1/members/{member_id}/totp", tag = "members",
    params(("member_id" = i64, Path)), request_body = ReasonRequest,
    responses(
        (status = 204), (status = 400), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_reset(
    id: MemberId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let may = |caller| Actor::Caller(caller).demand_staff();
    let (caller, request) = head.asked::<ReasonRequest>(body, &api, may).await?;
    api.services().reset_totp(Actor::Caller(caller), id, &request.reason).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
