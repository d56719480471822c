//! `/api/v1/mails`: what became of mails, trying one anew, dropping one, sending a test mail. For
//! staff; what a mail says is shown to nobody.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, page, with};
use crate::service::commissioning::demand_admin;
use crate::service::mails::{MessageRow, MessageState, masked};

/// Which mails are listed. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MailListQuery {
    /// due, sent, dead (given up), dropped or all; all when left out.
    state: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most mails of the page, 1 to 100; 50 when left out.
    limit: Option<String>,
}

/// A page of mails.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MailListReply {
    /// Newest first.
    mails: Vec<MailReply>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// A mail, as staff see it: not what it says.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MailReply {
    /// Its number.
    mail_id: i64,
    /// What it is about, as `password_reset`.
    kind: String,
    /// due, sent, dead (given up, somebody should look at it) or dropped (nobody needs it).
    state: &'static str,
    /// Whose account it is for.
    member_id: Option<i64>,
    /// A part of the address.
    address: Option<String>,
    /// When it was written, RFC 3339.
    written_at: String,
    /// Since when it is in its state; of one that is due, when it is tried next.
    state_at: String,
    /// How often it was tried.
    attempts: u32,
    /// Why the last attempt failed, or why it was dropped.
    last_error: Option<String>,
}

/// Where a test mail goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestMailBody {
    /// The address.
    to: String,
    /// ko or en; ko when left out.
    #[serde(default)]
    language: Option<String>,
}

/// How a test mail went.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TestMailReply {
    /// Whether the mail server took it.
    accepted: bool,
    /// What the mail server said, or why it could not be asked.
    said: String,
}

impl From<MessageRow> for MailReply {
    fn from(row: MessageRow) -> Self {
        Self {
            mail_id: row.id,
            kind: row.kind,
            state: row.state.name(),
            member_id: row.member_id.map(|id| id.0),
            address: row.address.as_deref().map(masked),
            written_at: time(row.created_ms),
            state_at: time(row.state_ms),
            attempts: row.attempts,
            last_error: row.last_error,
        }
    }
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}

impl MailListQuery {
    /// In which state; `None`: in any.
    pub(super) fn state(&self) -> Result<Option<MessageState>, Problem> {
        let (state, states) = (self.state.as_deref(), "due, sent, dead, dropped or all");
        let state = state.filter(|state| *state != "all");
        page::named(state, "state", states, MessageState::from_name)
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    list(api).or_route(test(api)).or_route(retry(api)).or_route(delete(api))
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "mails")
        .and(warp::get())
        .and(warp::query::<MailListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Mails, newest first: who should be told what, and whether they were. For staff.
#[utoipa::path(
    get, path = "/api/v1/mails", tag = "mails",
    params(
        ("state" = Option<String>, Query, description = "due, sent, dead, dropped or all"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = MailListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: MailListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let state = query.state()?;
    let before = page::cursor(query.cursor.as_deref())?;
    let limit = page::limit(query.limit.as_deref())?;
    let page = api.services().mails(caller, state, before, limit).await?;
    Ok(warp::reply::json(&MailListReply {
        mails: page.mails.into_iter().map(Into::into).collect(),
        next_cursor: page.next.map(|id| id.to_string()),
    })
    .into_response())
}

fn retry(api: &Api) -> Routes {
    path!("api" / "v1" / "mails" / i64 / "retry")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_retry)
}

/// Try a mail anew that was given up. For staff.
///
/// 410 `code_expired` for one that carried a code: the person has to ask for a new one.
#[utoipa::path(
    post, path = "/api/v1/mails/{mail_id}/retry", tag = "mails", params(("mail_id" = i64, Path)),
    responses(
        (status = 204), (status = 401), (status = 403), (status = 404), (status = 410),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_retry(id: i64, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    api.services().retry_mail(caller, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn delete(api: &Api) -> Routes {
    path!("api" / "v1" / "mails" / i64)
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_delete)
}

/// Drop a mail that waits or was given up. For staff.
#[utoipa::path(
    delete, path = "/api/v1/mails/{mail_id}", tag = "mails", params(("mail_id" = i64, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_delete(id: i64, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    api.services().drop_mail(caller, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn test(api: &Api) -> Routes {
    path!("api" / "v1" / "mails" / "test")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_test)
}

/// Send a test mail at once and tell what the mail server said to it. For admins.
#[utoipa::path(
    post, path = "/api/v1/mails/test", tag = "mails", request_body = TestMailBody,
    responses(
        (status = 200, body = TestMailReply), (status = 400), (status = 401), (status = 403),
        (status = 409), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_test(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_admin(caller)?;
    let asked: TestMailBody = body.json(&head).await?;
    let language = asked.language.as_deref().unwrap_or("ko");
    if !matches!(language, "ko" | "en") {
        return Err(page::wrong("language", "ko or en"));
    }
    let result = api.services().test_mail(caller, &asked.to, language).await?;
    let reply = TestMailReply { accepted: result.accepted, said: result.said };
    Ok(warp::reply::json(&reply).into_response())
}
