//! `/api/v1/terms`: when claims are accepted and which days they grant.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::locations::NameBody;
use super::lockers::{NameReply, answer};
use super::problem::Problem;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::id::{BankId, LocationId, TermId};
use crate::domain::term::TermScope;
use crate::service::commissioning::demand_admin;
use crate::service::error::Code;
use crate::service::idempotency::Answer;
use crate::service::members::Actor;
use crate::service::places::terms::{TermChange, TermView};
use crate::service::site::TermEntry;

/// Which terms are listed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TermListQuery {
    bank_id: Option<String>,
    state: Option<String>,
    retired: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

/// A term before it has a number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TermBody {
    /// Its name, unique on the site in Korean.
    name: NameBody,
    /// First instant at which claims are accepted, RFC 3339 or without an offset in site time.
    opens_at: String,
    /// First instant at which they are not any more.
    closes_at: String,
    /// First day of the rentals.
    starts_on: String,
    /// Last day of the rentals.
    ends_on: String,
    /// For the banks of this location only; or
    #[serde(default)]
    location_id: Option<i64>,
    /// for this bank only; without both for the whole site.
    #[serde(default)]
    bank_id: Option<i64>,
}

/// What is to be different of a term; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TermChangeBody {
    /// Its name.
    #[serde(default)]
    name: Option<NameBody>,
    /// First instant at which claims are accepted; stays once somebody was granted a locker.
    #[serde(default)]
    opens_at: Option<String>,
    /// First instant at which they are not any more.
    #[serde(default)]
    closes_at: Option<String>,
    /// First day of the rentals to come; granted ones keep theirs.
    #[serde(default)]
    starts_on: Option<String>,
    /// Last day of the rentals to come; granted ones keep theirs.
    #[serde(default)]
    ends_on: Option<String>,
}

/// A term.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TermReply {
    /// Its number.
    term_id: i64,
    /// Its name.
    name: NameReply,
    /// before, open or after: whether claims are accepted.
    state: &'static str,
    /// First instant at which claims are accepted, RFC 3339.
    opens_at: String,
    /// First instant at which they are not any more.
    closes_at: String,
    /// First day of the rentals.
    starts_on: String,
    /// Last day of the rentals.
    ends_on: String,
    /// The location whose banks it is for; `null`: see `bank_id`.
    location_id: Option<i64>,
    /// The bank that it is for; `null` with `location_id`: for the whole site.
    bank_id: Option<i64>,
    /// Since when it is kept for the history only, RFC 3339.
    retired_at: Option<String>,
}

/// A page of terms.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TermListReply {
    /// By when they open; retired ones the last one first.
    terms: Vec<TermReply>,
    /// How many there are on all pages.
    total: usize,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

impl From<TermView> for TermReply {
    fn from(view: TermView) -> Self {
        let (location_id, bank_id) = match view.term.scope {
            TermScope::Site => (None, None),
            TermScope::Location(id) => (Some(id.0), None),
            TermScope::Bank(id) => (None, Some(id.0)),
        };
        Self {
            term_id: view.term.id.0,
            name: view.term.name.into(),
            state: view.state,
            opens_at: view.term.opens_at.to_string(),
            closes_at: view.term.closes_at.to_string(),
            starts_on: view.term.dates.first().to_string(),
            ends_on: view.term.dates.last().to_string(),
            location_id,
            bank_id,
            retired_at: view.retired_at.map(|at| at.to_string()),
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    let list = path!("api" / "v1" / "terms")
        .and(warp::get())
        .and(warp::query::<TermListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list);
    let add = path!("api" / "v1" / "terms")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_add);
    let change = path!("api" / "v1" / "terms" / TermId)
        .and(warp::patch())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_change);
    let retire = path!("api" / "v1" / "terms" / TermId)
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_retire);
    list.or_route(add).or_route(change).or_route(retire)
}

/// The terms by when they open. For staff.
#[utoipa::path(
    get, path = "/api/v1/terms", tag = "places",
    params(
        ("bank_id" = Option<i64>, Query, description = "only those that are for this bank"),
        ("state" = Option<String>, Query, description = "before, open or after"),
        ("retired" = Option<bool>, Query, description = "true: those kept for the history only"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = TermListReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: TermListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let retired = page::flag(query.retired.as_deref(), "retired")?.unwrap_or(false);
    let bank = page::value::<i64>(query.bank_id.as_deref(), "bank_id", "a number")?.map(BankId);
    let state = query.state.as_deref();
    if state.is_some_and(|state| !["before", "open", "after"].contains(&state)) {
        return Err(Problem::new(Code::Invalid, "state must be before, open or after"));
    }
    let mut all = api.services().terms(caller, bank, retired).await?;
    all.retain(|it| state.is_none_or(|state| it.state == state));
    let page = page::cut(all, query.cursor.as_deref(), query.limit.as_deref())?;
    let terms = page.rows.into_iter().map(Into::into).collect();
    let reply = TermListReply { terms, total: page.total, next_cursor: page.next_cursor };
    Ok(warp::reply::json(&reply).into_response())
}

/// Make a term. For admins.
///
/// The days of one term may overlap those of another: no locker and no member ever has two rentals on one
/// day.
#[utoipa::path(
    post, path = "/api/v1/terms", tag = "places",
    params(("Idempotency-Key" = Option<String>, Header)), request_body = TermBody,
    responses(
        (status = 201, body = TermReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_add(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_admin(caller)?;
    let asked: TermBody = body.json(&head).await?;
    let key = head.request_key(&format!("term.add {asked:?}"))?;
    let scope = match (asked.location_id, asked.bank_id) {
        (None, None) => TermScope::Site,
        (Some(id), None) => TermScope::Location(LocationId(id)),
        (None, Some(id)) => TermScope::Bank(BankId(id)),
        (Some(_), Some(_)) => {
            let detail = "send location_id or bank_id, not both";
            return Err(Problem::new(Code::Invalid, detail));
        }
    };
    let name = asked.name.read()?;
    let entry = TermEntry {
        name_ko: name.ko,
        name_en: Some(name.en),
        opens_at: asked.opens_at,
        closes_at: asked.closes_at,
        starts_on: asked.starts_on,
        ends_on: asked.ends_on,
    };
    let services = api.services();
    let done = services.add_term(Actor::Caller(caller), &entry, scope, key).await?;
    let reply: TermReply = services.term(caller, done.value)?.into();
    Ok(answer(&Answer { value: reply, replayed: done.replayed }, StatusCode::CREATED))
}

/// Change a term. For admins.
///
/// As long as nobody was granted a locker by it, all of it may change. Afterwards it changes for the
/// future only: the window's opening stays, its end may move to any instant that is not over, the days to
/// days that are not over. What was granted keeps its days.
#[utoipa::path(
    patch, path = "/api/v1/terms/{term_id}", tag = "places",
    params(("term_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = TermChangeBody,
    responses(
        (status = 200, body = TermReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_change(
    id: TermId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_admin(caller)?;
    let asked: TermChangeBody = body.json(&head).await?;
    let key = head.request_key(&format!("term.change {id} {asked:?}"))?;
    let name = asked.name.map(|name| name.read()).transpose()?;
    let (name_ko, name_en) = name.map_or((None, None), |name| (Some(name.ko), Some(name.en)));
    let change = TermChange {
        name_ko,
        name_en,
        opens_at: asked.opens_at,
        closes_at: asked.closes_at,
        starts_on: asked.starts_on,
        ends_on: asked.ends_on,
    };
    let services = api.services();
    let done = services.change_term(Actor::Caller(caller), id, change, key).await?;
    let reply: TermReply = services.term(caller, done.value)?.into();
    Ok(answer(&Answer { value: reply, replayed: done.replayed }, StatusCode::OK))
}

/// Retire a term by which nobody rents or holds a locker any more. For admins.
#[utoipa::path(
    delete, path = "/api/v1/terms/{term_id}", tag = "places",
    params(("term_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 204), (status = 401), (status = 403), (status = 404), (status = 409),
        (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_retire(id: TermId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let key = head.request_key(&format!("term.retire {id}"))?;
    api.services().retire_term(Actor::Caller(caller), id, key).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
