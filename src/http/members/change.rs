//! Changing accounts: `POST /api/v1/members` and what stands below `/api/v1/members/{member_id}`.
//! Staff manage students, admins everybody.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::super::handled::HandledBy;
use super::role;
use crate::domain::id::{BankId, MemberId};
use crate::domain::member::{Profile, Role, parse_department, parse_language};
use crate::http::extract::{Head, RawBody, head};
use crate::http::lockers::answer;
use crate::http::problem::Problem;
use crate::http::{Api, OrRoute, Routes, with, with_body, with_part_and_body};
use crate::service::error::Code;
use crate::service::members::Actor;
use crate::service::members::change::{NewPerson, TypedChanges};

/// A new account; its owner sets the password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NewMemberBody {
    /// 3 to 20 letters and digits.
    student_id: String,
    /// Full name.
    name: String,
    /// Phone number.
    #[serde(default)]
    phone_number: Option<String>,
    /// E-mail address.
    #[serde(default)]
    email: Option<String>,
    /// Faculty or office.
    #[serde(default)]
    department: Option<String>,
    /// The language of mails: ko (when left out) or en.
    #[serde(default)]
    language: Option<String>,
    /// student (when left out), staff or admin; only admins make the last two.
    #[serde(default)]
    role: Option<String>,
    /// Banks that a member of staff looks after.
    #[serde(default)]
    banks: Vec<i64>,
}

/// An account that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct MadeMemberReply {
    /// Its number.
    member_id: i64,
}

/// What is to be different. What is left out stays; an empty text takes a phone number, address or
/// department away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ChangeMemberBody {
    /// 3 to 20 letters and digits.
    #[serde(default)]
    student_id: Option<String>,
    /// Full name.
    #[serde(default)]
    name: Option<String>,
    /// Phone number.
    #[serde(default)]
    phone_number: Option<String>,
    /// E-mail address; another one counts as not proven.
    #[serde(default)]
    email: Option<String>,
    /// Faculty or office.
    #[serde(default)]
    department: Option<String>,
    /// The language of mails: ko or en.
    #[serde(default)]
    language: Option<String>,
}

/// What was different.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ChangedReply {
    /// The names of the fields; empty when everything was so already.
    changed: Vec<&'static str>,
}

/// Another role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RoleBody {
    /// student, staff or admin.
    role: String,
}

/// The banks of a member of staff.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct BanksBody {
    /// These and no others.
    banks: Vec<i64>,
}

/// Why something is done to an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ReasonBody {
    /// Why; 1 to 500 characters.
    reason: String,
}

/// A code for a new password.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ResetReply {
    /// Goes with the code to `POST /api/v1/auth/password/reset`.
    reset_id: String,
    /// How long it is good, in seconds.
    expires_in: i64,
    /// The code, this once, to be handed over in person; `null` when it was mailed.
    code: Option<String>,
}

/// Who of the staff asks for what.
async fn staff_asked<T: DeserializeOwned>(
    head: &Head,
    body: RawBody,
    api: &Api,
) -> Result<(Actor, T), Problem> {
    let may = |caller| Actor::Caller(caller).demand_staff();
    let (caller, asked) = head.asked(body, api, may).await?;
    Ok((Actor::Caller(caller), asked))
}

/// The same of admins.
async fn admin_asked<T: DeserializeOwned>(
    head: &Head,
    body: RawBody,
    api: &Api,
) -> Result<(Actor, T), Problem> {
    let may = |caller| Actor::Caller(caller).demand_admin();
    let (caller, asked) = head.asked(body, api, may).await?;
    Ok((Actor::Caller(caller), asked))
}

pub(super) fn routes(api: &Api) -> Routes {
    create(api)
        .or_route(change(api))
        .or_route(set_role(api))
        .or_route(set_banks(api))
        .or_route(disable(api))
        .or_route(enable(api))
        .or_route(reset(api))
        .or_route(delete(api))
}

fn create(api: &Api) -> Routes {
    with_body(api, path!("api" / "v1" / "members").and(warp::post()), handle_create)
}

impl NewMemberBody {
    fn into_person(self) -> Result<NewPerson, Problem> {
        let invalid = |error: crate::domain::member::MemberError| {
            Problem::new(Code::Invalid, error.to_string())
        };
        let (phone, email) = (self.phone_number.as_deref(), self.email.as_deref());
        let profile = Profile::parse(&self.student_id, &self.name, phone, email);
        Ok(NewPerson {
            profile: profile.map_err(invalid)?,
            department: parse_department(self.department.as_deref().unwrap_or_default())
                .map_err(invalid)?,
            language: self.language.as_deref().map(parse_language).transpose().map_err(invalid)?,
            role: self.role.as_deref().map(role).transpose()?.unwrap_or(Role::Student),
            staff_of: self.banks.into_iter().map(BankId).collect(),
        })
    }
}

/// Make an account without a password.
///
/// Its owner signs up, or gets a code by `reset-password`.
#[utoipa::path(
    post, path = "/api/v1/members", tag = "members", request_body = NewMemberBody,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = MadeMemberReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_create(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    Actor::Caller(caller).demand_staff()?;
    let asked: NewMemberBody = body.json(&head).await?;
    let key = head.request_key(&format!("create-member {asked:?}"))?;
    let made = api.services().create_member(caller, asked.into_person()?, key).await?;
    let reply = made.map(|made| MadeMemberReply { member_id: made.member_id.0 });
    Ok(answer(&reply, StatusCode::CREATED))
}

fn change(api: &Api) -> Routes {
    with_part_and_body(
        api,
        path!("api" / "v1" / "members" / MemberId).and(warp::patch()),
        handle_change,
    )
}

/// Change somebody's data; their rental and history stay.
#[utoipa::path(
    patch, path = "/api/v1/members/{member_id}", tag = "members",
    params(("member_id" = i64, Path)), request_body = ChangeMemberBody,
    responses(
        (status = 200, body = ChangedReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_change(
    id: MemberId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let (actor, asked): (_, ChangeMemberBody) = staff_asked(&head, body, &api).await?;
    let typed = TypedChanges {
        student_id: asked.student_id,
        name: asked.name,
        phone: asked.phone_number,
        email: asked.email,
        department: asked.department,
        language: asked.language,
    };
    let changed = api.services().change_member(actor, id, typed).await?;
    Ok(warp::reply::json(&ChangedReply { changed }).into_response())
}

fn set_role(api: &Api) -> Routes {
    with_part_and_body(
        api,
        path!("api" / "v1" / "members" / MemberId / "role").and(warp::put()),
        handle_role,
    )
}

/// Give somebody another role; their log-ins end. For admins.
#[utoipa::path(
    put, path = "/api/v1/members/{member_id}/role", tag = "members",
    params(("member_id" = i64, Path)), request_body = RoleBody,
    responses(
        (status = 204), (status = 400), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_role(
    id: MemberId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let (actor, asked): (_, RoleBody) = admin_asked(&head, body, &api).await?;
    api.services().set_role(actor, id, role(&asked.role)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn set_banks(api: &Api) -> Routes {
    with_part_and_body(
        api,
        path!("api" / "v1" / "members" / MemberId / "banks").and(warp::put()),
        handle_banks,
    )
}

/// Give a member of staff these banks and no others into their care. For admins.
#[utoipa::path(
    put, path = "/api/v1/members/{member_id}/banks", tag = "members",
    params(("member_id" = i64, Path)), request_body = BanksBody,
    responses(
        (status = 204), (status = 400), (status = 401), (status = 403), (status = 404),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_banks(
    id: MemberId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let (actor, asked): (_, BanksBody) = admin_asked(&head, body, &api).await?;
    let banks = asked.banks.into_iter().map(BankId).collect();
    api.services().set_staff_banks(actor, id, banks).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn disable(api: &Api) -> Routes {
    with_part_and_body(
        api,
        path!("api" / "v1" / "members" / MemberId / "disable").and(warp::post()),
        handle_disable,
    )
}

/// Keep somebody out: every log-in ends at once and none is let in. Their rental stays.
#[utoipa::path(
    post, path = "/api/v1/members/{member_id}/disable", tag = "members",
    params(("member_id" = i64, Path)), request_body = ReasonBody,
    responses(
        (status = 204), (status = 400), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_disable(
    id: MemberId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let (actor, asked): (_, ReasonBody) = staff_asked(&head, body, &api).await?;
    api.services().disable_member(actor, id, asked.reason).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn enable(api: &Api) -> Routes {
    path!("api" / "v1" / "members" / MemberId / "enable")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_enable)
}

/// Let somebody in again.
#[utoipa::path(
    post, path = "/api/v1/members/{member_id}/enable", tag = "members",
    params(("member_id" = i64, Path)),
    responses(
        (status = 204), (status = 401), (status = 403), (status = 404), (status = 503),
        (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_enable(
    id: MemberId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let actor = Actor::Caller(head.caller(&api)?);
    api.services().enable_member(actor, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn reset(api: &Api) -> Routes {
    path!("api" / "v1" / "members" / MemberId / "reset-password")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_reset)
}

/// Make a code with which somebody sets a new password: mailed, or in the answer when there is no
/// address or the site sends no mail. The old password stays good until then.
#[utoipa::path(
    post, path = "/api/v1/members/{member_id}/reset-password", tag = "members",
    params(("member_id" = i64, Path)),
    responses(
        (status = 200, body = ResetReply), (status = 401), (status = 403), (status = 404),
        (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_reset(
    id: MemberId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let actor = Actor::Caller(head.caller(&api)?);
    let reset = api.services().reset_member_password(actor, id).await?;
    let (sent, code) = (reset.sent, reset.code);
    let reply = ResetReply { reset_id: sent.id, expires_in: sent.expires_in_s, code };
    Ok(warp::reply::json(&reply).into_response())
}

fn delete(api: &Api) -> Routes {
    with_part_and_body(
        api,
        path!("api" / "v1" / "members" / MemberId).and(warp::delete()),
        handle_delete,
    )
}

/// Close an account for good: everything personal is blanked at once, the history stays countable.
///
/// For admins. Refused while it holds or rents a locker. The reason goes into the audit log as it is:
/// name nobody in it.
#[utoipa::path(
    delete, path = "/api/v1/members/{member_id}", tag = "members",
    params(("member_id" = i64, Path)), request_body = ReasonBody,
    responses(
        (status = 204), (status = 400), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_delete(
    id: MemberId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let (actor, asked): (_, ReasonBody) = admin_asked(&head, body, &api).await?;
    api.services().delete_member(actor, id, asked.reason).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
