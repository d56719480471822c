//! `/api/v1/help` and `/api/v1/kiosk/help`: calling staff, by a member at their locker and by whoever
//! stands at a kiosk. What becomes of the call is an alarm (`alarms.rs`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::lockers::answer;
use super::problem::Problem;
use super::{Api, Routes, page, with};
use crate::domain::alarm::HelpReason;
use crate::domain::id::{BankId, LockerId, OpeningId};
use crate::service::help::{HelpAsked, HelpWish};

/// What a member wants help with. Nothing named: the locker that they rent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HelpRequest {
    /// A locker of theirs; left out with an opening: the opening's.
    locker_id: Option<i64>,
    /// An opening of theirs, at most a day old; its locker need not be theirs any more.
    operation_id: Option<String>,
    /// `door_stuck`, `things_left` or other.
    reason: Option<String>,
}

/// What somebody at a kiosk wants help with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KioskHelpRequest {
    /// One of the kiosk's banks; the first when left out.
    bank_id: Option<i64>,
    /// `door_stuck`, `things_left` or other.
    reason: Option<String>,
}

/// Staff were told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HelpReply {
    /// The alarm that staff see.
    alarm_id: i64,
    /// The locker that it is about; `null` when it is about the bank.
    locker_id: Option<i64>,
    /// The bank whose staff see it.
    bank_id: i64,
    /// When, RFC 3339.
    asked_at: String,
    /// How often help was asked for since staff answered last: above 1, staff were called before.
    count: u32,
    /// The number to call, as people read it; `null` where the site has none.
    phone: Option<String>,
}

impl HelpReply {
    fn new(asked: &HelpAsked, api: &Api) -> Self {
        let at = Timestamp::from_millisecond(asked.at_ms).unwrap_or_default();
        Self {
            alarm_id: asked.alarm_id.0,
            locker_id: asked.locker_id.map(|id| id.0),
            bank_id: asked.bank_id.0,
            asked_at: at.to_string(),
            count: asked.count,
            phone: api.services().settings.phone.clone(),
        }
    }
}

fn read_reason(text: Option<&str>) -> Result<Option<HelpReason>, Problem> {
    page::named(text, "reason", "door_stuck, things_left or other", HelpReason::from_name)
}

pub(super) fn routes(api: &Api) -> Routes {
    path!("api" / "v1" / "help")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_ask)
}

/// Call staff to a locker.
///
/// It stands among the alarms (kind `help`) until staff take note of it; the next call about the same
/// locker is added to one that waits.
#[utoipa::path(
    post, path = "/api/v1/help", tag = "alarms",
    params(("Idempotency-Key" = Option<String>, Header)), request_body = HelpRequest,
    responses(
        (status = 200, body = HelpReply), (status = 400), (status = 401), (status = 404),
        (status = 422), (status = 429), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_ask(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let request: HelpRequest = body.json(&head).await?;
    let id = "the id of an opening";
    let wish = HelpWish {
        locker: request.locker_id.map(LockerId),
        operation: page::value::<OpeningId>(request.operation_id.as_deref(), "operation_id", id)?,
        reason: read_reason(request.reason.as_deref())?,
    };
    let key = head.request_key(&format!("help {wish:?}"))?;
    let asked = api.services().ask_for_help(caller, wish, key).await?;
    Ok(answer(&asked.map(|asked| HelpReply::new(&asked, &api)), StatusCode::OK))
}

/// `/api/v1/kiosk/help`.
pub(super) fn at_kiosk(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosk" / "help")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_ask_at_kiosk)
}

/// Call staff to this kiosk, for somebody who is not signed in.
#[utoipa::path(
    post, path = "/api/v1/kiosk/help", tag = "kiosk", request_body = KioskHelpRequest,
    responses(
        (status = 200, body = HelpReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 422), (status = 429), (status = 503), (status = 507),
    ),
    security(("kiosk" = []))
)]
pub(super) async fn handle_ask_at_kiosk(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let kiosk = head.kiosk(&api, true)?;
    let request: KioskHelpRequest = body.json(&head).await?;
    let (bank, reason) = (request.bank_id.map(BankId), read_reason(request.reason.as_deref())?);
    let asked = api.services().ask_for_help_at(&kiosk, bank, reason).await?;
    Ok(warp::reply::json(&HelpReply::new(&asked, &api)).into_response())
}
