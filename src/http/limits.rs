//! `/api/v1/limits`: who has to wait after too many failures or uses, and their release by staff.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::limit::Tally;
use crate::service::error::Code;
use crate::service::limits::HeldRow;

/// Which page. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitListQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most limits of the page, 1 to 100; 50 when left out.
    limit: Option<String>,
}

/// A limit in force.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LimitReply {
    /// `log_in`, `log_in_device`, `roster_log_in`, `password_again`, `second_factor`, `presence`,
    /// `kiosk_code`, kiosk, `kiosk_pairing`, `registration_code`, address, forgotten, `sign_up`, mail,
    /// `sign_up_known`, `refused_opening` or help.
    kind: String,
    /// Whom it holds back: an account, what was typed (hashed), a device, an address.
    subject: String,
    /// The member whose account it is about.
    member_id: Option<i64>,
    /// Their student id.
    student_id: Option<String>,
    /// How often it was counted.
    count: u32,
    /// Since when, RFC 3339.
    since: String,
    /// Until when the next try is refused, RFC 3339; `null`: until it is released (or the password
    /// of the account is reset).
    until: Option<String>,
}

/// A page of limits.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LimitListReply {
    /// By kind and subject.
    limits: Vec<LimitReply>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

impl From<HeldRow> for LimitReply {
    fn from(row: HeldRow) -> Self {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap_or_default().to_string();
        let locked = row.tally.until_ms == Tally::LOCKED;
        let (member_id, student_id) =
            row.member.map_or((None, None), |(id, student_id)| (Some(id.0), Some(student_id)));
        Self {
            kind: row.kind,
            subject: row.subject,
            member_id,
            student_id,
            count: row.tally.count,
            since: at(row.tally.since_ms),
            until: (!locked).then(|| at(row.tally.until_ms)),
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    list(api).or_route(release(api))
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "limits")
        .and(warp::get())
        .and(warp::query::<LimitListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Limits that hold somebody back now.
#[utoipa::path(
    get, path = "/api/v1/limits", tag = "limits",
    params(
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = LimitListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: LimitListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let limit = page::limit(query.limit.as_deref())?;
    let after = match query.cursor.as_deref().map(|cursor| cursor.split_once('/')) {
        None => None,
        Some(Some((kind, subject))) => Some((kind.to_owned(), subject.to_owned())),
        Some(None) => {
            let detail = "cursor must be next_cursor of the page before";
            return Err(Problem::new(Code::Invalid, detail));
        }
    };
    let page = api.services().limits(caller, after, limit).await?;
    Ok(warp::reply::json(&LimitListReply {
        limits: page.limits.into_iter().map(Into::into).collect(),
        next_cursor: page.next.map(|(kind, subject)| format!("{kind}/{subject}")),
    })
    .into_response())
}

fn release(api: &Api) -> Routes {
    path!("api" / "v1" / "limits" / String / String)
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_release)
}

/// Release a limit: the next try is taken at once.
///
/// Failures of one account are released together, whatever was typed.
#[utoipa::path(
    delete, path = "/api/v1/limits/{kind}/{subject}", tag = "limits",
    params(("kind" = String, Path), ("subject" = String, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_release(
    kind: String,
    subject: String,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    api.services().release_limit(caller, kind, subject).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
