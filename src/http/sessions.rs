//! `/api/v1/auth`: what follows a log-in: the tokens it answers with, going on, logging out, and the
//! caller's log-ins on all their devices.
//!
//! Programs carry the refresh token in the body, browsers in a cookie (`browser`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, HeaderValue};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::domain::id::SessionId;
use crate::service::error::Code;
use crate::service::sessions::{SessionView, Tokens};

/// Below `auth`, which dispatches here.
pub(super) fn routes(api: &Api) -> Routes {
    refresh(api)
        .or_route(log_out(api))
        .or_route(log_out_everywhere(api))
        .or_route(list(api))
        .or_route(end(api))
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

/// Which log-ins end.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EverywhereBody {
    /// True: this log-in goes on.
    keep_this: bool,
}

/// How many log-ins ended.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EndedReply {
    /// Those that were live a moment before.
    pub(super) ended: usize,
}

/// A log-in that is good now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionReply {
    /// Its number.
    session_id: i64,
    /// Whether this request came with it.
    current: bool,
    /// How it was proven: password, roster, issued or kiosk.
    method: String,
    /// Whether a second factor was shown as well.
    strong: bool,
    /// The kiosk's name, if it was made at one.
    kiosk: Option<String>,
    /// When it began, RFC 3339.
    issued_at: String,
    /// When a request last came with it.
    last_used_at: String,
    /// Until when it is good, if it is not refreshed before.
    expires_at: String,
    /// What the client called itself.
    user_agent: String,
    /// The address it came from.
    address: String,
}

/// Log-ins that are good now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionListReply {
    /// Newest first; a member has at most 50 beside those at kiosks.
    sessions: Vec<SessionReply>,
}

impl From<SessionView> for SessionReply {
    fn from(SessionView { info, current }: SessionView) -> Self {
        let time = |ms| Timestamp::from_millisecond(ms).unwrap_or_default().to_string();
        Self {
            session_id: info.id.0,
            current,
            method: info.method,
            strong: info.strong,
            kiosk: info.kiosk,
            issued_at: time(info.issued_ms),
            last_used_at: time(info.last_used_ms),
            expires_at: time(info.expires_ms),
            user_agent: info.user_agent,
            address: info.address,
        }
    }
}

/// Answers a list of log-ins.
pub(super) fn sessions_reply(sessions: Vec<SessionView>) -> Response {
    let sessions = sessions.into_iter().map(Into::into).collect();
    warp::reply::json(&SessionListReply { sessions }).into_response()
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
        .handled_by(handle_refresh)
}

/// Trade the refresh token for a new pair.
///
/// The old one is dead; showing it again later ends the log-in. With `X-Lockerd: 1` from a page of
/// this site it is taken from the cookie and the body is left empty.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", tag = "auth",
    params(("X-Lockerd" = Option<String>, Header, description = "1: the cookie has the token")),
    request_body = Option<RefreshRequest>,
    responses(
        (status = 200, body = TokensReply), (status = 400), (status = 401), (status = 403),
        (status = 409), (status = 411), (status = 413), (status = 415), (status = 503),
    )
)]
pub(super) async fn handle_refresh(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let token = match head.browser(&api)? {
        Some(browser) => head.refresh_cookie(browser).map(str::to_owned).ok_or_else(|| {
            Problem::new(Code::Unauthenticated, "this browser keeps no log-in: log in")
        })?,
        None => body.json::<RefreshRequest>(&head).await?.refresh_token,
    };
    let tokens = api.services().refresh(&token).await?;
    tokens_reply(&head, &api, tokens, StatusCode::OK)
}

fn log_out(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "logout")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_log_out)
}

/// End this log-in at once, also for access tokens already out.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "auth",
    responses((status = 204), (status = 401), (status = 403), (status = 503)),
    security(("bearer" = []))
)]
pub(super) async fn handle_log_out(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_of_any_kind(&api)?;
    let browser = head.browser(&api)?;
    api.services().log_out(caller).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(browser) = browser {
        browser.forget_refresh(&mut response);
    }
    Ok(response)
}

fn log_out_everywhere(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "logout-everywhere")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_log_out_everywhere)
}

/// End the caller's log-ins on all devices at once.
#[utoipa::path(
    post, path = "/api/v1/auth/logout-everywhere", tag = "auth",
    request_body = Option<EverywhereBody>,
    responses(
        (status = 200, body = EndedReply), (status = 400), (status = 401), (status = 403),
        (status = 413), (status = 415), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_log_out_everywhere(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller_setting_up(&api)?;
    let browser = head.browser(&api)?;
    let EverywhereBody { keep_this } = body.json_if_any(&head).await?;
    let ended = api.services().log_out_everywhere(caller, keep_this).await?;
    let mut response = warp::reply::json(&EndedReply { ended }).into_response();
    if let Some(browser) = browser.filter(|_| !keep_this) {
        browser.forget_refresh(&mut response);
    }
    Ok(response)
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "sessions")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// The caller's log-ins on all devices.
#[utoipa::path(
    get, path = "/api/v1/auth/sessions", tag = "auth",
    responses((status = 200, body = SessionListReply), (status = 401), (status = 403)),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_setting_up(&api)?;
    Ok(sessions_reply(api.services().my_sessions(caller).await?))
}

fn end(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "sessions" / SessionId)
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_end)
}

/// End one of the caller's log-ins at once.
#[utoipa::path(
    delete, path = "/api/v1/auth/sessions/{session_id}", tag = "auth",
    params(("session_id" = i64, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404), (status = 503)),
    security(("bearer" = []))
)]
pub(super) async fn handle_end(id: SessionId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_setting_up(&api)?;
    api.services().end_my_session(caller, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
