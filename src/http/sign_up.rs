//! `/api/v1/auth/sign-up` and `/api/v1/privacy-notice`: making oneself an account.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::sessions::{TokensReply, tokens_reply};
use super::{Api, OrRoute, Routes, with};
use crate::service::codes::CodeSent;
use crate::service::sign_up::SignUp;

/// Below `auth`, which dispatches here.
pub(super) fn routes(api: &Api) -> Routes {
    sign_up(api).or_route(confirm(api)).or_route(resend(api))
}

/// Who wants an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignUpRequest {
    /// Student id.
    student_id: String,
    /// Full name.
    name: String,
    /// Phone number.
    phone_number: String,
    /// E-mail address; the code goes there.
    email: String,
    /// At least 10 characters, not a common one.
    password: String,
    /// The language of mails: `ko` or `en`.
    language: String,
    /// The version of the privacy notice that was agreed to.
    consent: String,
}

/// A sign-up and its code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignUpConfirmRequest {
    /// As answered.
    sign_up_id: String,
    /// The eight digits of the newest mail.
    code: String,
}

/// A sign-up whose code did not arrive.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignUpResendRequest {
    /// As answered.
    sign_up_id: String,
}

/// A sign-up that waits for its code; the same whether the id or address was known or not.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SignUpReply {
    /// Needed with the code.
    sign_up_id: String,
    /// How long the code is good, in seconds.
    expires_in: i64,
}

/// The privacy notice in force.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NoticeReply {
    /// Which one; agree to it by this name.
    version: String,
    /// The text in Korean.
    ko: String,
    /// The text in English.
    en: String,
}

fn reply(sent: CodeSent) -> Response {
    let reply = SignUpReply { sign_up_id: sent.id, expires_in: sent.expires_in_s };
    accepted(&reply)
}

/// That something waits for a code.
pub(super) fn accepted(reply: &impl Serialize) -> Response {
    let json = warp::reply::json(reply);
    let mut response = warp::reply::with_status(json, StatusCode::ACCEPTED).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn sign_up(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "sign-up")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_sign_up)
}

/// Begin to make oneself an account: a code is mailed.
///
/// The answer is the same whether the id or address is known or not.
#[utoipa::path(
    post, path = "/api/v1/auth/sign-up", tag = "auth", request_body = SignUpRequest,
    responses(
        (status = 202, body = SignUpReply), (status = 400), (status = 403), (status = 409),
        (status = 422), (status = 429), (status = 503),
    )
)]
pub(super) async fn handle_sign_up(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let asked = body.json::<SignUpRequest>(&head).await?;
    let device = head.device(&api)?;
    let wish = SignUp {
        student_id: asked.student_id,
        name: asked.name,
        phone: asked.phone_number,
        email: asked.email,
        password: asked.password,
        language: asked.language,
        consent: asked.consent,
    };
    Ok(reply(api.services().sign_up(wish, &device).await?))
}

fn resend(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "sign-up" / "resend")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_resend)
}

/// Mail another code for a sign-up; the former one is good no longer.
#[utoipa::path(
    post, path = "/api/v1/auth/sign-up/resend", tag = "auth", request_body = SignUpResendRequest,
    responses(
        (status = 202, body = SignUpReply), (status = 400), (status = 403), (status = 409),
        (status = 410), (status = 429), (status = 503),
    )
)]
pub(super) async fn handle_resend(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let asked = body.json::<SignUpResendRequest>(&head).await?;
    let device = head.device(&api)?;
    Ok(reply(api.services().send_sign_up_again(asked.sign_up_id, &device).await?))
}

fn confirm(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "sign-up" / "confirm")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_confirm)
}

/// End a sign-up with the mailed code: the account is made and logged in.
#[utoipa::path(
    post, path = "/api/v1/auth/sign-up/confirm", tag = "auth", request_body = SignUpConfirmRequest,
    responses(
        (status = 201, body = TokensReply), (status = 400), (status = 403), (status = 409),
        (status = 410), (status = 422), (status = 429), (status = 503),
    )
)]
pub(super) async fn handle_confirm(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let asked = body.json::<SignUpConfirmRequest>(&head).await?;
    let device = head.device(&api)?;
    let made = api.services().confirm_sign_up(asked.sign_up_id, asked.code, device).await?;
    tokens_reply(&head, &api, made, StatusCode::CREATED)
}

pub(super) fn notice(api: &Api) -> Routes {
    path!("api" / "v1" / "privacy-notice")
        .and(warp::get())
        .and(with(api))
        .map(handle_notice)
        .boxed()
}

/// The privacy notice that a sign-up agrees to.
#[utoipa::path(
    get, path = "/api/v1/privacy-notice", tag = "auth",
    responses((status = 200, body = NoticeReply))
)]
#[expect(clippy::needless_pass_by_value, reason = "as warp gives it to every handler")]
pub(super) fn handle_notice(api: Api) -> Response {
    let notice = &api.services().settings.privacy;
    warp::reply::json(&NoticeReply {
        version: notice.version.clone(),
        ko: notice.ko.clone(),
        en: notice.en.clone(),
    })
    .into_response()
}
