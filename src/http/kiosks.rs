//! `/api/v1/kiosks`: the screens beside the banks, as staff make, pair, see and revoke them; and
//! one-time codes for students without a phone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::totp::{ReasonRequest, once_only};
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::id::{BankId, KioskId, MemberId};
use crate::domain::kiosk::Kiosk;
use crate::domain::member::covered_id;
use crate::service::kiosks::{KioskView, PairingCode, demand_staff};
use crate::service::members::Actor;

pub(super) fn routes(api: &Api) -> Routes {
    list(api)
        .or_route(add(api))
        .or_route(change(api))
        .or_route(revoke(api))
        .or_route(pairing_code(api))
        .or_route(end_session(api))
}

/// Which kiosks are listed. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KioskListQuery {
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most kiosks of the page, 1 to 100; 50 when left out.
    limit: Option<String>,
}

/// A new kiosk.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KioskRequest {
    /// 1 to 60 characters, unique.
    name: String,
    /// The banks it stands beside; staff name their own.
    bank_ids: Vec<i64>,
}

/// What is changed of a kiosk; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KioskChange {
    /// 1 to 60 characters, unique.
    name: Option<String>,
    /// The banks it stands beside.
    bank_ids: Option<Vec<i64>>,
}

/// A code that pairs a kiosk. It is shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PairingCodeReply {
    /// Which kiosk.
    kiosk_id: i64,
    /// To be typed at the kiosk: `POST /api/v1/kiosk/pair`.
    pairing_code: String,
    /// How long it is good, in seconds.
    expires_in: i64,
}

/// A kiosk's name and banks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KioskReply {
    kiosk_id: i64,
    name: String,
    bank_ids: Vec<i64>,
}

/// Who is signed in at a kiosk.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AtKioskReply {
    member_id: i64,
    student_id: String,
    name: String,
    /// Since when, RFC 3339.
    since: String,
}

/// A kiosk as staff see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KioskRow {
    kiosk_id: i64,
    name: String,
    bank_ids: Vec<i64>,
    /// Since when it is paired, RFC 3339.
    paired_at: Option<String>,
    /// Until when a pairing code waits for it.
    pairing_code_until: Option<String>,
    /// When it was heard of last.
    last_seen_at: Option<String>,
    /// From where.
    address: Option<String>,
    /// What it says it runs.
    version: Option<String>,
    /// Whether it is paired and has been silent for longer than `kiosk.silent_s`.
    silent: bool,
    /// Who is signed in there.
    signed_in: Option<AtKioskReply>,
}

/// A page of kiosks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KioskListReply {
    /// In the order of their numbers.
    kiosks: Vec<KioskRow>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// A code for one sign-in at a kiosk. It is shown once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OneTimeCodeReply {
    /// Eight digits.
    code: String,
    /// How long it is good, in seconds.
    expires_in: i64,
}

fn at(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}

fn numbers(banks: &[BankId]) -> Vec<i64> {
    banks.iter().map(|bank| bank.0).collect()
}

impl From<Kiosk> for KioskReply {
    fn from(kiosk: Kiosk) -> Self {
        Self { kiosk_id: kiosk.id.0, bank_ids: numbers(&kiosk.banks), name: kiosk.name }
    }
}

impl From<KioskView> for KioskRow {
    fn from(view: KioskView) -> Self {
        let (seen_at, address, version) = view
            .seen
            .map_or((None, None, None), |it| (Some(at(it.at_ms)), Some(it.address), it.version));
        Self {
            kiosk_id: view.kiosk.id.0,
            bank_ids: numbers(&view.kiosk.banks),
            name: view.kiosk.name,
            paired_at: view.paired_ms.map(at),
            pairing_code_until: view.pairing_expires_ms.map(at),
            last_seen_at: seen_at,
            address,
            version,
            silent: view.is_silent,
            signed_in: view.signed_in.map(|it| AtKioskReply {
                member_id: it.member_id.0,
                student_id: covered_id(&it.student_id),
                name: it.name,
                since: it.since.to_string(),
            }),
        }
    }
}

pub(super) fn pairing_reply(made: PairingCode, status: StatusCode) -> Response {
    let reply = PairingCodeReply {
        kiosk_id: made.kiosk_id.0,
        pairing_code: made.code,
        expires_in: made.expires_in_s,
    };
    once_only(&reply, status)
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosks")
        .and(warp::get())
        .and(warp::query::<KioskListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// The kiosks that serve banks of the caller: where they are, whether they are heard of, who is
/// signed in there.
#[utoipa::path(
    get, path = "/api/v1/kiosks", tag = "kiosks",
    params(
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = KioskListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: KioskListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let after = page::cursor(query.cursor.as_deref())?;
    let limit = page::limit(query.limit.as_deref())?;
    let (kiosks, next) = api.services().kiosks(caller, after, limit).await?;
    Ok(warp::reply::json(&KioskListReply {
        kiosks: kiosks.into_iter().map(Into::into).collect(),
        next_cursor: next.map(|id| id.to_string()),
    })
    .into_response())
}

fn add(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosks")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_add)
}

/// Make a kiosk; the answer has the code that pairs the device.
#[utoipa::path(
    post, path = "/api/v1/kiosks", tag = "kiosks", request_body = KioskRequest,
    responses(
        (status = 201, body = PairingCodeReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 409), (status = 422), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_add(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    let request = body.json::<KioskRequest>(&head).await?;
    let banks = request.bank_ids.into_iter().map(BankId).collect();
    let made = api.services().add_kiosk(caller, &request.name, banks).await?;
    Ok(pairing_reply(made, StatusCode::CREATED))
}

fn change(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosks" / KioskId)
        .and(warp::patch())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_change)
}

/// Name a kiosk anew, or put it beside other banks.
#[utoipa::path(
    patch, path = "/api/v1/kiosks/{kiosk_id}", tag = "kiosks",
    params(("kiosk_id" = i64, Path)), request_body = KioskChange,
    responses(
        (status = 200, body = KioskReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 409), (status = 422), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_change(
    id: KioskId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    let change = body.json::<KioskChange>(&head).await?;
    let banks = change.bank_ids.map(|ids| ids.into_iter().map(BankId).collect());
    let kiosk = api.services().update_kiosk(caller, id, change.name, banks).await?;
    Ok(warp::reply::json(&KioskReply::from(kiosk)).into_response())
}

fn revoke(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosks" / KioskId)
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_revoke)
}

/// End a kiosk for good: its credential is dead at once, and so is the sign-in of whoever stands
/// there.
#[utoipa::path(
    delete, path = "/api/v1/kiosks/{kiosk_id}", tag = "kiosks", params(("kiosk_id" = i64, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404), (status = 503)),
    security(("bearer" = []))
)]
pub(super) async fn handle_revoke(id: KioskId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    api.services().revoke_kiosk(caller, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn pairing_code(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosks" / KioskId / "pairing-code")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_pairing_code)
}

/// Get a new code for a kiosk. The device that is paired now is locked out when the code is used.
#[utoipa::path(
    post, path = "/api/v1/kiosks/{kiosk_id}/pairing-code", tag = "kiosks",
    params(("kiosk_id" = i64, Path)),
    responses(
        (status = 201, body = PairingCodeReply), (status = 401), (status = 403), (status = 404),
        (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_pairing_code(
    id: KioskId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let made = api.services().new_pairing_code(caller, id).await?;
    Ok(pairing_reply(made, StatusCode::CREATED))
}

fn end_session(api: &Api) -> Routes {
    path!("api" / "v1" / "kiosks" / KioskId / "session")
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_end_session)
}

/// End the sign-in of whoever stands at a kiosk; nobody is fine.
#[utoipa::path(
    delete, path = "/api/v1/kiosks/{kiosk_id}/session", tag = "kiosks",
    params(("kiosk_id" = i64, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404), (status = 503)),
    security(("bearer" = []))
)]
pub(super) async fn handle_end_session(
    id: KioskId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    api.services().end_kiosk_session(caller, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `/api/v1/members/{member_id}/one-time-code`.
pub(super) fn one_time_code(api: &Api) -> Routes {
    path!("api" / "v1" / "members" / MemberId / "one-time-code")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_one_time_code)
}

/// Give a student without a phone a code for one sign-in at a kiosk.
#[utoipa::path(
    post, path = "/api/v1/members/{member_id}/one-time-code", tag = "members",
    params(("member_id" = i64, Path)), request_body = ReasonRequest,
    responses(
        (status = 201, body = OneTimeCodeReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 422), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_one_time_code(
    id: MemberId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let actor = Actor::Caller(head.caller(&api)?);
    actor.demand_staff()?;
    let request = body.json::<ReasonRequest>(&head).await?;
    let given = api.services().give_one_time_code(actor, id, &request.reason).await?;
    let reply = OneTimeCodeReply { code: given.code, expires_in: given.expires_in_s };
    Ok(once_only(&reply, StatusCode::CREATED))
}
