//! `/api/v1/auth/password` and `/api/v1/auth/email`: what people change of their own account.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody};
use super::problem::Problem;
use super::sign_up::accepted;
use super::{Api, OrRoute, Routes, with_body};

/// Below `auth`, which dispatches here.
pub(super) fn routes(api: &Api) -> Routes {
    password(api)
        .or_route(forgot(api))
        .or_route(reset(api))
        .or_route(email(api))
        .or_route(confirm_email(api))
}

/// A new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordRequest {
    /// The one so far.
    current_password: String,
    /// At least 10 characters, 15 for staff and admins, 8 with a second factor; not a common one.
    new_password: String,
}

/// Whose password was forgotten.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForgotRequest {
    /// Student id or e-mail address.
    id: String,
}

/// A reset that waits for its code; the same whether the id was known or not.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ForgotReply {
    /// Needed with the code.
    reset_id: String,
    /// How long the code is good, in seconds.
    expires_in: i64,
}

/// A mailed code and the password to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetRequest {
    /// As answered.
    reset_id: String,
    /// The eight digits of the newest mail.
    code: String,
    /// The new password; see the change of a password.
    password: String,
    /// The version of the privacy notice that was agreed to; needed for the first password of an
    /// account that staff or a roster made.
    #[serde(default)]
    consent: Option<String>,
}

/// Another mail address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EmailRequest {
    /// The new address; the code goes there.
    email: String,
    /// The password of the account.
    password: String,
}

/// A change that waits for its code.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EmailReply {
    /// Needed with the code.
    change_id: String,
    /// How long the code is good, in seconds.
    expires_in: i64,
}

/// A change of the mail address and its code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EmailConfirmRequest {
    /// As answered.
    change_id: String,
    /// The eight digits that were mailed to the new address.
    code: String,
}

fn password(api: &Api) -> Routes {
    with_body(api, path!("api" / "v1" / "auth" / "password").and(warp::post()), handle_password)
}

/// Change the password; log-ins on other devices end.
#[utoipa::path(
    post, path = "/api/v1/auth/password", tag = "auth", request_body = PasswordRequest,
    responses(
        (status = 204), (status = 400), (status = 401), (status = 403), (status = 422),
        (status = 429), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_password(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let asked = body.json::<PasswordRequest>(&head).await?;
    let device = head.device(&api)?;
    let (current, new) = (asked.current_password, asked.new_password);
    api.services().change_password(caller, current, new, &device).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn forgot(api: &Api) -> Routes {
    with_body(
        api,
        path!("api" / "v1" / "auth" / "password" / "forgot").and(warp::post()),
        handle_forgot,
    )
}

/// Have a code mailed for a forgotten password.
///
/// The answer is the same whether the id is known or not.
#[utoipa::path(
    post, path = "/api/v1/auth/password/forgot", tag = "auth", request_body = ForgotRequest,
    responses(
        (status = 202, body = ForgotReply), (status = 400), (status = 409), (status = 429),
        (status = 503),
    )
)]
pub(super) async fn handle_forgot(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let asked = body.json::<ForgotRequest>(&head).await?;
    let device = head.device(&api)?;
    let sent = api.services().forgot_password(&asked.id, &device).await?;
    Ok(accepted(&ForgotReply { reset_id: sent.id, expires_in: sent.expires_in_s }))
}

fn reset(api: &Api) -> Routes {
    with_body(
        api,
        path!("api" / "v1" / "auth" / "password" / "reset").and(warp::post()),
        handle_reset,
    )
}

/// Set a forgotten password anew with the mailed code; every log-in ends.
///
/// The first password of an account takes the privacy notice as a sign-up does: 422 `consent_needed`
/// names the version to agree to, and the code stays good.
#[utoipa::path(
    post, path = "/api/v1/auth/password/reset", tag = "auth", request_body = ResetRequest,
    responses(
        (status = 204), (status = 400), (status = 410), (status = 422), (status = 429),
        (status = 503),
    )
)]
pub(super) async fn handle_reset(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let asked = body.json::<ResetRequest>(&head).await?;
    let device = head.device(&api)?;
    let ResetRequest { reset_id, code, password, consent } = asked;
    api.services().reset_password(reset_id, code, password, consent.as_deref(), &device).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn email(api: &Api) -> Routes {
    with_body(api, path!("api" / "v1" / "auth" / "email").and(warp::post()), handle_email)
}

/// Begin to change the mail address: a code is mailed to the new one.
#[utoipa::path(
    post, path = "/api/v1/auth/email", tag = "auth", request_body = EmailRequest,
    responses(
        (status = 202, body = EmailReply), (status = 400), (status = 401), (status = 403),
        (status = 409), (status = 422), (status = 429), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_email(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let asked = body.json::<EmailRequest>(&head).await?;
    let device = head.device(&api)?;
    let sent = api.services().change_email(caller, &asked.email, asked.password, &device).await?;
    Ok(accepted(&EmailReply { change_id: sent.id, expires_in: sent.expires_in_s }))
}

fn confirm_email(api: &Api) -> Routes {
    with_body(
        api,
        path!("api" / "v1" / "auth" / "email" / "confirm").and(warp::post()),
        handle_confirm_email,
    )
}

/// End the change of the mail address with the mailed code; the old address is told.
#[utoipa::path(
    post, path = "/api/v1/auth/email/confirm", tag = "auth", request_body = EmailConfirmRequest,
    responses(
        (status = 204), (status = 400), (status = 401), (status = 403), (status = 409),
        (status = 410), (status = 422), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_confirm_email(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let asked = body.json::<EmailConfirmRequest>(&head).await?;
    api.services().confirm_email(caller, asked.change_id, asked.code).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
