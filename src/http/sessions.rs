//! `/api/v1/auth`: refresh and log out, and the tokens that a log-in answers with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::service::sessions::Tokens;

/// Below `auth`, which dispatches here.
pub(super) fn routes(api: &Api) -> Routes {
    refresh(api).or_route(log_out(api))
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RefreshRequest {
    /// The newest refresh token of the log-in.
    refresh_token: String,
}

/// A fresh pair of tokens.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokensReply {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// Good once, for the next pair. Left out for browsers: theirs is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// Always `Bearer`.
    token_type: &'static str,
    /// How long the access token lives, in seconds.
    expires_in: i64,
    /// The member's number.
    member_id: i64,
    /// student, staff or admin.
    role: &'static str,
}

/// Answers a log-in: programs get the refresh token in the body, browsers in a cookie.
pub(super) fn tokens_reply(
    head: &Head,
    api: &Api,
    tokens: Tokens,
    status: StatusCode,
) -> Result<Response, Problem> {
    let browser = head.browser(api)?;
    let reply = TokensReply {
        access_token: tokens.access_token,
        refresh_token: browser.is_none().then(|| tokens.refresh_token.clone()),
        token_type: "Bearer",
        expires_in: tokens.expires_in_s,
        member_id: tokens.member_id.0,
        role: tokens.role.name(),
    };
    let mut response = warp::reply::with_status(warp::reply::json(&reply), status).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(browser) = browser {
        let lifetime_s = api.services().settings.refresh_lifetime.as_secs();
        browser.keep_refresh(&mut response, &tokens.refresh_token, lifetime_s);
        if let Some(secret) = tokens.device_secret {
            browser.keep_device(&mut response, &secret);
        }
    }
    Ok(response)
}

fn refresh(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "refresh")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .then(handle_refresh)
        .map(Reply::into_response)
        .boxed()
}

/// Trade the refresh token for a new pair.
///
/// The old one is dead; showing it again later ends the log-in.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", tag = "auth", request_body = RefreshRequest,
    responses((status = 200, body = TokensReply), (status = 401), (status = 409))
)]
pub(super) async fn handle_refresh(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let request = body.json::<RefreshRequest>(&head).await?;
    let tokens = api.services().refresh(&request.refresh_token).await?;
    tokens_reply(&head, &api, tokens, StatusCode::OK)
}

fn log_out(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "logout")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .then(handle_log_out)
        .map(Reply::into_response)
        .boxed()
}

/// End this log-in at once, also for access tokens already out.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "auth",
    responses((status = 204), (status = 401)), security(("bearer" = []))
)]
pub(super) async fn handle_log_out(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    api.services().log_out(caller).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
