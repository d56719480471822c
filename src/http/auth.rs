//! `/api/v1/auth`: log in, who am I; what follows a log-in stands in `sessions`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::sessions::{self, TokensReply, tokens_reply};
use super::{Api, OrRoute, Routes, own_account, sign_up, totp, with};
use crate::service::accounts::{Credentials, RosterTriple};
use crate::service::error::Code;

pub(super) fn routes(api: &Api) -> Routes {
    log_in(api)
        .or_route(log_in_or_register(api))
        .or_route(me(api))
        .or_route(sessions::routes(api))
        .or_route(totp::routes(api))
        .or_route(sign_up::routes(api))
        .or_route(own_account::routes(api))
}

/// Either the roster triple (`student_id`, name, `phone_number`) or id and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogInRequest {
    /// Student id or e-mail address; goes with `password`.
    id: Option<String>,
    /// The password.
    password: Option<String>,
    /// Student id; goes with `name` and `phone_number`, where the site allows it.
    student_id: Option<String>,
    /// Full name.
    name: Option<String>,
    /// Phone number.
    phone_number: Option<String>,
    /// Code of the authenticator app, or a recovery code, where one is set up; without it the answer
    /// is 401 with a `ticket` for `login/second-factor`.
    totp_code: Option<String>,
}

/// Student id, name and phone number as the roster has them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RosterRequest {
    /// Student id.
    student_id: String,
    /// Full name.
    name: String,
    /// Phone number.
    phone_number: String,
    /// Code of the authenticator app, or a recovery code, where one is set up.
    totp_code: Option<String>,
}

/// The caller's own account.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MeReply {
    /// The member's number.
    member_id: i64,
    /// Student id.
    student_id: String,
    /// Full name.
    name: String,
    /// Phone number, digits only.
    phone_number: Option<String>,
    /// E-mail address.
    email: Option<String>,
    /// The language of their mails: ko or en.
    language: String,
    /// Whether they have a password; without one they log in by personal data.
    has_password: bool,
    /// student, staff or admin.
    role: &'static str,
    /// How this log-in was proven: password, roster, issued or kiosk.
    method: &'static str,
    /// Whether a second factor was shown as well.
    strong: bool,
    /// Whether an authenticator app must be set up before anything else can be done.
    second_factor_missing: bool,
}

impl RosterRequest {
    fn into_triple(self) -> RosterTriple {
        RosterTriple { student_id: self.student_id, name: self.name, phone: self.phone_number }
    }
}

impl LogInRequest {
    fn into_credentials(self) -> Result<Credentials, Problem> {
        match (self.id, self.password, self.student_id, self.name, self.phone_number) {
            (Some(id), Some(password), None, None, None) => {
                Ok(Credentials::Password { id, password })
            }
            (None, None, Some(student_id), Some(name), Some(phone)) => {
                Ok(Credentials::Roster(RosterTriple { student_id, name, phone }))
            }
            _ => Err(Problem::new(
                Code::BadJson,
                "send either id and password, or student_id, name and phone_number",
            )),
        }
    }
}

fn log_in(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "login")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_log_in)
}

/// Log in with id and password, or by student id, name and phone number.
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "auth", request_body = LogInRequest,
    responses(
        (status = 200, body = TokensReply), (status = 400), (status = 401), (status = 403),
        (status = 429), (status = 503),
    )
)]
pub(super) async fn handle_log_in(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let mut request = body.json::<LogInRequest>(&head).await?;
    let totp_code = request.totp_code.take();
    let credentials = request.into_credentials()?;
    let device = head.device(&api)?;
    let tokens = api.services().log_in(credentials, totp_code.as_deref(), device).await?;
    tokens_reply(&head, &api, tokens, StatusCode::OK)
}

fn log_in_or_register(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "login-or-register")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_log_in_or_register)
}

/// Log in by student id, name and phone number; a new student id gets an account (201).
#[utoipa::path(
    post, path = "/api/v1/auth/login-or-register", tag = "auth", request_body = RosterRequest,
    responses(
        (status = 200, body = TokensReply), (status = 201, body = TokensReply),
        (status = 400), (status = 401), (status = 403), (status = 409), (status = 422),
        (status = 429), (status = 503),
    )
)]
pub(super) async fn handle_log_in_or_register(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let mut request = body.json::<RosterRequest>(&head).await?;
    let (totp_code, device) = (request.totp_code.take(), head.device(&api)?);
    let triple = request.into_triple();
    let log_in = api.services().log_in_or_register(triple, totp_code.as_deref(), device);
    let (tokens, new) = log_in.await?;
    tokens_reply(&head, &api, tokens, if new { StatusCode::CREATED } else { StatusCode::OK })
}

fn me(api: &Api) -> Routes {
    path!("api" / "v1" / "auth" / "me")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_me)
}

/// The caller's own account.
#[utoipa::path(
    get, path = "/api/v1/auth/me", tag = "auth",
    responses((status = 200, body = MeReply), (status = 401)), security(("bearer" = []))
)]
pub(super) async fn handle_me(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_of_any_kind(&api)?;
    let account = api.services().account(caller).await?;
    let row = account.row;
    Ok(warp::reply::json(&MeReply {
        member_id: row.id.0,
        student_id: row.student_id,
        name: row.name,
        phone_number: row.phone,
        email: row.email,
        language: row.language,
        has_password: row.password_hash.is_some(),
        role: row.role.name(),
        method: account.method.name(),
        strong: caller.strong,
        second_factor_missing: api.services().demand_second_factor(caller).is_err(),
    })
    .into_response())
}
