//! `/api/v1/locations`: the places at which banks stand.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::lockers::{NameReply, answer};
use super::problem::Problem;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::id::LocationId;
use crate::domain::name::Name;
use crate::service::commissioning::demand_admin;
use crate::service::error::Code;
use crate::service::idempotency::Answer;
use crate::service::members::Actor;
use crate::service::places::locations::LocationView;

/// A name in both languages, as it is sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NameBody {
    /// Korean, 1 to 80 characters.
    ko: String,
    /// English; the Korean one when left out.
    #[serde(default)]
    en: Option<String>,
}

impl NameBody {
    pub(super) fn read(&self) -> Result<Name, Problem> {
        Name::parse(&self.ko, self.en.as_deref()).map_err(|why| Problem::new(Code::Invalid, why))
    }
}

/// Which locations are listed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocationListQuery {
    q: Option<String>,
    retired: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

/// A location before it has a number, or its new name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LocationBody {
    /// Its name, unique on the site in Korean.
    name: NameBody,
}

/// A location.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LocationReply {
    /// Its number.
    location_id: i64,
    /// Its name.
    name: NameReply,
    /// How many banks stand there.
    banks: usize,
    /// How many lockers they have.
    lockers: usize,
    /// Since when it is kept for the history only, RFC 3339.
    retired_at: Option<String>,
}

/// A page of locations.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LocationListReply {
    /// By number; retired ones the last one first.
    locations: Vec<LocationReply>,
    /// How many there are on all pages.
    total: usize,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

impl From<LocationView> for LocationReply {
    fn from(view: LocationView) -> Self {
        Self {
            location_id: view.location.id.0,
            name: view.location.name.into(),
            banks: view.banks,
            lockers: view.lockers,
            retired_at: view.retired_at.map(|at| at.to_string()),
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    let list = path!("api" / "v1" / "locations")
        .and(warp::get())
        .and(warp::query::<LocationListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list);
    let add = path!("api" / "v1" / "locations")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_add);
    let change = path!("api" / "v1" / "locations" / LocationId)
        .and(warp::patch())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_change);
    let retire = path!("api" / "v1" / "locations" / LocationId)
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_retire);
    list.or_route(add).or_route(change).or_route(retire)
}

/// The locations. For staff.
#[utoipa::path(
    get, path = "/api/v1/locations", tag = "places",
    params(
        ("q" = Option<String>, Query, description = "words of a name"),
        ("retired" = Option<bool>, Query, description = "true: those kept for the history only"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = LocationListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: LocationListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let retired = page::flag(query.retired.as_deref(), "retired")?.unwrap_or(false);
    let mut all = api.services().locations(caller, retired).await?;
    all.retain(|it| page::holds(query.q.as_deref(), &[&it.location.name.ko, &it.location.name.en]));
    let page = page::cut(all, query.cursor.as_deref(), query.limit.as_deref())?;
    let locations = page.rows.into_iter().map(Into::into).collect();
    let reply = LocationListReply { locations, total: page.total, next_cursor: page.next_cursor };
    Ok(warp::reply::json(&reply).into_response())
}

/// Make a location. For admins.
#[utoipa::path(
    post, path = "/api/v1/locations", tag = "places",
    params(("Idempotency-Key" = Option<String>, Header)), request_body = LocationBody,
    responses(
        (status = 201, body = LocationReply), (status = 401), (status = 403), (status = 409),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_add(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_admin(caller)?;
    let asked: LocationBody = body.json(&head).await?;
    let key = head.request_key(&format!("location.add {asked:?}"))?;
    let services = api.services();
    let done = services.add_location(Actor::Caller(caller), asked.name.read()?, key).await?;
    let reply: LocationReply = services.location(caller, done.value)?.into();
    Ok(answer(&Answer { value: reply, replayed: done.replayed }, StatusCode::CREATED))
}

/// Give a location another name. For admins.
#[utoipa::path(
    patch, path = "/api/v1/locations/{location_id}", tag = "places",
    params(("location_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = LocationBody,
    responses(
        (status = 200, body = LocationReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_change(
    id: LocationId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_admin(caller)?;
    let asked: LocationBody = body.json(&head).await?;
    let key = head.request_key(&format!("location.change {id} {asked:?}"))?;
    let (services, actor) = (api.services(), Actor::Caller(caller));
    let done = services.rename_location(actor, id, asked.name.read()?, key).await?;
    let reply: LocationReply = services.location(caller, done.value)?.into();
    Ok(answer(&Answer { value: reply, replayed: done.replayed }, StatusCode::OK))
}

/// Retire a location at which no bank stands any more. For admins.
///
/// It leaves every list and is kept for the history; its name may be used again.
#[utoipa::path(
    delete, path = "/api/v1/locations/{location_id}", tag = "places",
    params(("location_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 204), (status = 401), (status = 403), (status = 404), (status = 409),
        (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_retire(
    id: LocationId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let key = head.request_key(&format!("location.retire {id}"))?;
    api.services().retire_location(Actor::Caller(caller), id, key).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
