//! The steps that staff take of an overdue case: `seal`, `unseal`, `collect`, `hand-back`, `drop`.

use super::super::handled::HandledBy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, path};

use crate::domain::id::OverdueCaseId;
use crate::http::extract::{Head, RawBody, body, head};
use crate::http::lockers::answer;
use crate::http::problem::Problem;
use crate::http::{Api, OrRoute, Routes, with};
use crate::service::overdue::Item;
use crate::service::overdue::steps::{Act, StepTaken, Wish};

/// Largest list of what was found, in bytes.
const LIST_BYTES_MAX: usize = 128 << 10;

/// A step that needs no more than perhaps a reason.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct StepBody {
    /// Why; 1 to 200 characters. Needed to unseal and to drop.
    #[serde(default)]
    reason: Option<String>,
}

/// A thing that was found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ItemBody {
    /// What it is; 1 to 200 characters.
    description: String,
    /// Where the photo of it is; 1 to 200 characters.
    #[serde(default)]
    photo: Option<String>,
}

/// Emptying the locker.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CollectBody {
    /// What was found; 1 to 50.
    items: Vec<ItemBody>,
    /// Where it is kept; 1 to 100 characters.
    storage: String,
    /// Why; needed where the case was not sealed, staff have not opened the locker since it was
    /// noticed, or its door stands open.
    #[serde(default)]
    reason: Option<String>,
}

/// Handing the things back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct HandBackBody {
    /// To whom, as they gave their name; 1 to 100 characters.
    to: String,
    /// What there is to say.
    #[serde(default)]
    reason: Option<String>,
}

/// A step that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct StepTakenReply {
    /// Of which case.
    case_id: i64,
    /// Where it stands now.
    state: &'static str,
    /// Until when the member may claim nothing, if collecting led to a penalty.
    penalty_until: Option<String>,
}

impl From<StepTaken> for StepTakenReply {
    fn from(taken: StepTaken) -> Self {
        Self {
            case_id: taken.case_id.0,
            state: taken.state.name(),
            penalty_until: taken.penalty_until.map(|day| day.to_string()),
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    seal(api)
        .or_route(unseal(api))
        .or_route(collect(api))
        .or_route(hand_back(api))
        .or_route(drop_case(api))
}

async fn take(
    id: OverdueCaseId,
    head: &Head,
    api: &Api,
    name: &str,
    wish: Wish,
) -> Result<Response, Problem> {
    let caller = head.caller(api)?;
    let key = head.request_key(&format!("{name} {id} {wish:?}"))?;
    let taken = api.services().take_overdue_step(caller, id, wish, key).await?;
    Ok(answer(&taken.map(StepTakenReply::from), StatusCode::OK))
}

fn seal(api: &Api) -> Routes {
    path!("api" / "v1" / "overdue" / OverdueCaseId / "seal")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_seal)
}

/// Restrict a locker that was not returned: its renter may not open it any more, where the bank says so.
#[utoipa::path(
    post, path = "/api/v1/overdue/{case_id}/seal", tag = "overdue",
    params(("case_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<StepBody>,
    responses(
        (status = 200, body = StepTakenReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_seal(
    id: OverdueCaseId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    head.caller(&api)?;
    let StepBody { reason } = body.json_if_any(&head).await?;
    take(id, &head, &api, "seal", Wish { act: Act::Seal, reason }).await
}

fn unseal(api: &Api) -> Routes {
    path!("api" / "v1" / "overdue" / OverdueCaseId / "unseal")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_unseal)
}

/// Lift the restriction: the renter may open the locker to empty it. It is not sealed by itself again.
#[utoipa::path(
    post, path = "/api/v1/overdue/{case_id}/unseal", tag = "overdue",
    params(("case_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = StepBody,
    responses(
        (status = 200, body = StepTakenReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_unseal(
    id: OverdueCaseId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    head.caller(&api)?;
    let StepBody { reason } = body.json_if_any(&head).await?;
    take(id, &head, &api, "unseal", Wish { act: Act::Unseal, reason }).await
}

fn collect(api: &Api) -> Routes {
    path!("api" / "v1" / "overdue" / OverdueCaseId / "collect")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_collect)
}

/// Say that the locker was emptied, what was found and where it is kept. The rental ends.
///
/// Refused while the locker is being opened. Where staff have not opened it since the case was noticed
/// (`not_opened`), or its door stands open (`door_open`), it takes a reason.
#[utoipa::path(
    post, path = "/api/v1/overdue/{case_id}/collect", tag = "overdue",
    params(("case_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = CollectBody,
    responses(
        (status = 200, body = StepTakenReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_collect(
    id: OverdueCaseId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    head.caller(&api)?;
    let asked: CollectBody = body.json_up_to(&head, LIST_BYTES_MAX).await?;
    let item = |item: ItemBody| Item { description: item.description, photo: item.photo };
    let items = asked.items.into_iter().map(item).collect();
    let act = Act::Collect { items, storage: asked.storage };
    take(id, &head, &api, "collect", Wish { act, reason: asked.reason }).await
}

fn hand_back(api: &Api) -> Routes {
    path!("api" / "v1" / "overdue" / OverdueCaseId / "hand-back")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_hand_back)
}

/// Say that the things were fetched, and by whom. The case is closed.
#[utoipa::path(
    post, path = "/api/v1/overdue/{case_id}/hand-back", tag = "overdue",
    params(("case_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = HandBackBody,
    responses(
        (status = 200, body = StepTakenReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_hand_back(
    id: OverdueCaseId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    head.caller(&api)?;
    let HandBackBody { to, reason } = body.json(&head).await?;
    take(id, &head, &api, "hand-back", Wish { act: Act::HandBack { to }, reason }).await
}

fn drop_case(api: &Api) -> Routes {
    path!("api" / "v1" / "overdue" / OverdueCaseId / "drop")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_drop)
}

/// Let a case be: nothing more is done about it, and the return costs nothing.
#[utoipa::path(
    post, path = "/api/v1/overdue/{case_id}/drop", tag = "overdue",
    params(("case_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = StepBody,
    responses(
        (status = 200, body = StepTakenReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_drop(
    id: OverdueCaseId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    head.caller(&api)?;
    let StepBody { reason } = body.json_if_any(&head).await?;
    take(id, &head, &api, "drop", Wish { act: Act::Drop, reason }).await
}
