//! `/api/v1/me`: what members see, change and delete of their own account.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::members::{attachment, time};
use super::problem::Problem;
use super::{Api, OrRoute, Routes, alarms, penalties, with};

/// The caller's account in words.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnAccountReply {
    /// Their number.
    member_id: i64,
    /// Student id.
    student_id: String,
    /// Full name.
    name: String,
    /// Phone number, digits only.
    phone_number: Option<String>,
    /// E-mail address.
    email: Option<String>,
    /// When the address was proven, RFC 3339.
    email_verified_at: Option<String>,
    /// Faculty or office.
    department: Option<String>,
    /// The language of mails: ko or en.
    language: String,
    /// student, staff or admin.
    role: &'static str,
    /// active, `not_signed_up`, leaving, disabled or left.
    state: &'static str,
    /// Whether the last roster had them.
    on_roster: bool,
    /// When the account was made.
    joined_at: String,
    /// When they last logged in.
    last_login_at: Option<String>,
    /// When the password was last changed.
    password_changed_at: Option<String>,
    /// Which privacy notice they agreed to.
    consent_version: Option<String>,
    /// When.
    consent_at: Option<String>,
}

/// How long things are kept, in days.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the unit belongs to the published name")]
pub(super) struct KeptReply {
    /// Openings of lockers.
    openings_days: i64,
    /// People who left, until they are made nameless.
    members_days: i64,
    /// Log-ins that ended.
    sessions_days: i64,
    /// Alarms that are over.
    alarms_days: i64,
    /// Closed overdue cases with their penalties, and reminders.
    overdue_days: i64,
    /// Mails that were sent or given up.
    mails_days: i64,
}

/// Everything that is kept about the caller. Each list has at most 5,000 rows, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnDataReply {
    /// When this was put together, RFC 3339.
    made_at: String,
    /// The account.
    account: OwnAccountReply,
    /// How long things are kept.
    kept: KeptReply,
    /// Log-ins with device, address and times.
    #[schema(value_type = Vec<Object>)]
    sessions: Value,
    /// Holds and rentals.
    #[schema(value_type = Vec<Object>)]
    rentals: Value,
    /// Places in lines before banks.
    #[schema(value_type = Vec<Object>)]
    waiting: Value,
    /// Attempts to open a locker.
    #[schema(value_type = Vec<Object>)]
    openings: Value,
    /// Alarms of lockers while they were the caller's, and those that the caller answered to.
    #[schema(value_type = Vec<Object>)]
    alarms: Value,
    /// Returns that were late, and what became of them.
    #[schema(value_type = Vec<Object>)]
    overdue: Value,
    /// What was found in the caller's lockers when staff emptied them.
    #[schema(value_type = Vec<Object>)]
    overdue_items: Value,
    /// Days without a claim after late returns.
    #[schema(value_type = Vec<Object>)]
    penalties: Value,
    /// Mails: what kind and when.
    #[schema(value_type = Vec<Object>)]
    mails: Value,
    /// Counted failures and uses.
    #[schema(value_type = Vec<Object>)]
    limits: Value,
    /// What the audit log has of the caller.
    #[schema(value_type = Vec<Object>)]
    audit: Value,
}

/// What members decide about their own account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeMeBody {
    /// The language of mails: ko or en.
    language: String,
}

/// Deleting the caller's own account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteMeBody {
    /// The password. Whoever has none must have logged in within the last 10 minutes.
    #[serde(default)]
    password: Option<String>,
}

impl From<crate::service::Retention> for KeptReply {
    fn from(kept: crate::service::Retention) -> Self {
        let days = |kept: jiff::SignedDuration| kept.as_hours() / 24;
        Self {
            openings_days: days(kept.openings),
            members_days: days(kept.members),
            sessions_days: days(kept.sessions),
            alarms_days: days(kept.alarms),
            overdue_days: days(kept.overdue),
            mails_days: days(kept.mails),
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    alarms::mine(api)
        .or_route(penalties::mine(api))
        .or_route(data(api))
        .or_route(change(api))
        .or_route(delete(api))
}

fn data(api: &Api) -> Routes {
    path!("api" / "v1" / "me" / "data")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_data)
}

/// Everything that is kept about the caller, as a file. No password, key or code.
#[utoipa::path(
    get, path = "/api/v1/me/data", tag = "me",
    responses((status = 200, body = OwnDataReply), (status = 401), (status = 403)),
    security(("bearer" = []))
)]
pub(super) async fn handle_data(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let data = api.services().own_data(caller).await?;
    let (row, mut sections) = (data.row, data.sections);
    let mut section = |name: &str| sections.remove(name).unwrap_or_default();
    let reply = OwnDataReply {
        made_at: api.services().clock.now().to_string(),
        kept: api.services().settings.retention.into(),
        sessions: section("sessions"),
        rentals: section("rentals"),
        waiting: section("waiting"),
        openings: section("openings"),
        alarms: section("alarms"),
        overdue: section("overdue"),
        overdue_items: section("overdue_items"),
        penalties: section("penalties"),
        mails: section("mails"),
        limits: section("limits"),
        audit: section("audit"),
        account: OwnAccountReply {
            member_id: row.id.0,
            state: row.state().name(),
            role: row.role.name(),
            email_verified_at: row.email_verified_ms.map(time),
            on_roster: row.on_roster,
            joined_at: time(row.joined_ms),
            last_login_at: row.last_login_ms.map(time),
            password_changed_at: row.password_changed_ms.map(time),
            consent_version: row.consent.as_ref().map(|(version, _)| version.clone()),
            consent_at: row.consent.as_ref().map(|(_, at_ms)| time(*at_ms)),
            student_id: row.student_id,
            name: row.name,
            phone_number: row.phone,
            email: row.email,
            department: row.department,
            language: row.language,
        },
    };
    let text = serde_json::to_string_pretty(&reply).unwrap_or_default();
    Ok(attachment(text, "application/json", "my-data.json"))
}

fn change(api: &Api) -> Routes {
    path!("api" / "v1" / "me")
        .and(warp::patch())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_change)
}

/// Change the language of the caller's mails.
#[utoipa::path(
    patch, path = "/api/v1/me", tag = "me", request_body = ChangeMeBody,
    responses(
        (status = 204), (status = 400), (status = 401), (status = 422), (status = 503),
        (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_change(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let asked: ChangeMeBody = body.json(&head).await?;
    api.services().change_own(caller, &asked.language).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn delete(api: &Api) -> Routes {
    path!("api" / "v1" / "me")
        .and(warp::delete())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_delete)
}

/// Delete the caller's own account: everything personal is blanked at once.
///
/// Refused while it holds or rents a locker. It cannot be undone.
#[utoipa::path(
    delete, path = "/api/v1/me", tag = "me", request_body = DeleteMeBody,
    responses(
        (status = 204), (status = 400), (status = 401), (status = 403), (status = 409),
        (status = 429), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_delete(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let asked: DeleteMeBody = body.json(&head).await?;
    let device = head.device(&api)?;
    api.services().delete_own_account(caller, asked.password, &device).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
