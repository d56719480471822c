//! `POST /api/v1/rentals/bulk-end` and `/api/v1/bulk-ends`: ending many rentals at a term's end, tried dry
//! first, followed while it goes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::super::handled::HandledBy;
use super::day;
use crate::domain::id::{BankId, BulkEndId, LocationId, TermId};
use crate::http::extract::{Head, RawBody, body, head};
use crate::http::histories::ActorReply;
use crate::http::lockers::answer;
use crate::http::problem::Problem;
use crate::http::returns::RenterReply;
use crate::http::{Api, OrRoute, Routes, page, with};
use crate::service::bulk_ends::{BulkEnd, Choice, Meant, Place, Preview};
use crate::service::commissioning::demand_staff;
use crate::service::error::Code;
use crate::service::members::Names;

/// Which rentals are ended. Give `bank_id` or `location_id`, and `term_id` or `ended_before`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct BulkEndBody {
    /// In one bank.
    #[serde(default)]
    bank_id: Option<i64>,
    /// In every bank of a location.
    #[serde(default)]
    location_id: Option<i64>,
    /// Those that this term granted.
    #[serde(default)]
    term_id: Option<i64>,
    /// Those whose last day was before this one; today or earlier.
    #[serde(default)]
    ended_before: Option<String>,
    /// Why; 1 to 200 characters. Each member is told.
    reason: String,
    /// True: only say what would be ended.
    #[serde(default)]
    dry_run: bool,
}

/// A rental that would be ended.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct MeantReply {
    /// Its number.
    rental_id: i64,
    /// The number on its door.
    locker_id: i64,
    /// Its bank.
    bank_id: i64,
    /// Whose it is.
    renter: RenterReply,
    /// Last day.
    ends_on: String,
    /// Whether its door was opened: then it would wait until it was emptied.
    opened: bool,
}

/// What would be ended; nothing was changed.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct PreviewReply {
    /// Always true.
    dry_run: bool,
    /// How many rentals.
    found: usize,
    /// How many of them would wait until their locker was emptied, because it was opened.
    to_be_emptied: usize,
    /// The first 1,000, by locker.
    rentals: Vec<MeantReply>,
}

/// An order that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct BulkEndBegunReply {
    /// Under which it can be followed: `/api/v1/bulk-ends/{bulk_end_id}`.
    bulk_end_id: String,
    /// How many rentals it ends.
    found: u32,
}

/// How an order goes or went.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct BulkEndReply {
    /// Its name.
    bulk_end_id: String,
    /// running or done.
    state: &'static str,
    /// Who gave it.
    member_id: i64,
    /// The same with their name.
    by: ActorReply,
    /// The bank that it is for; `null`: see `location_id`.
    bank_id: Option<i64>,
    /// The location whose banks it is for.
    location_id: Option<i64>,
    /// The term whose rentals it ends; `null`: see `ended_before`.
    term_id: Option<i64>,
    /// It ends those whose last day was before this one.
    ended_before: Option<String>,
    /// Why.
    reason: String,
    /// How many rentals were meant. Some may have ended otherwise meanwhile.
    found: u32,
    /// How many are over.
    ended: u32,
    /// How many are returned and wait until they were emptied.
    returned: u32,
    /// When it was given, RFC 3339.
    started_at: String,
    /// When nothing was left to be done.
    done_at: Option<String>,
}

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct BulkEndListReply {
    /// Newest first; a page may be short and still not the last.
    bulk_ends: Vec<BulkEndReply>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

impl BulkEndBody {
    fn read(&self) -> Result<(Place, Choice), Problem> {
        let invalid = |text: &'static str| Problem::new(Code::Invalid, text);
        let place = match (self.bank_id, self.location_id) {
            (Some(id), None) => Place::Bank(BankId(id)),
            (None, Some(id)) => Place::Location(LocationId(id)),
            _ => return Err(invalid("give bank_id or location_id, one of the two")),
        };
        let choice = match (self.term_id, self.ended_before.as_deref()) {
            (Some(id), None) => Choice::Term(TermId(id)),
            (None, Some(text)) => Choice::EndedBefore(day(text, "ended_before")?),
            _ => return Err(invalid("give term_id or ended_before, one of the two")),
        };
        Ok((place, choice))
    }
}

impl From<Meant> for MeantReply {
    fn from(meant: Meant) -> Self {
        let rental = meant.rental;
        Self {
            rental_id: rental.id.0,
            locker_id: rental.locker_id.0,
            bank_id: meant.bank_id.0,
            renter: RenterReply::of(rental.member_id.0, meant.member),
            ends_on: rental.dates.last().to_string(),
            opened: rental.opened,
        }
    }
}

impl From<Preview> for PreviewReply {
    fn from(preview: Preview) -> Self {
        Self {
            dry_run: true,
            found: preview.found,
            to_be_emptied: preview.opened,
            rentals: preview.named.into_iter().map(Into::into).collect(),
        }
    }
}

impl BulkEndReply {
    fn new(order: BulkEnd, names: &Names) -> Self {
        let (bank_id, location_id) = match order.place {
            Place::Bank(id) => (Some(id.0), None),
            Place::Location(id) => (None, Some(id.0)),
        };
        let (term_id, ended_before) = match order.choice {
            Choice::Term(id) => (Some(id.0), None),
            Choice::EndedBefore(day) => (None, Some(day.to_string())),
        };
        Self {
            bulk_end_id: order.id.to_string(),
            state: if order.done_at.is_some() { "done" } else { "running" },
            member_id: order.member_id.0,
            by: ActorReply::named(order.member_id, names),
            bank_id,
            location_id,
            term_id,
            ended_before,
            reason: order.reason,
            found: order.found,
            ended: order.ended,
            returned: order.returned,
            started_at: order.started_at.to_string(),
            done_at: order.done_at.map(|at| at.to_string()),
        }
    }
}

pub(super) fn begin(api: &Api) -> Routes {
    path!("api" / "v1" / "rentals" / "bulk-end")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_begin)
}

/// End many rentals: those of a term, or those that ended before a day. For staff of all banks concerned.
///
/// With `dry_run` nothing is changed, and the answer says what would be. Else the answer comes when the
/// order is stored; rentals end behind it, each as if it were ended alone. A repeat finds nothing more.
#[utoipa::path(
    post, path = "/api/v1/rentals/bulk-end", tag = "rentals", request_body = BulkEndBody,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = PreviewReply), (status = 202, body = BulkEndBegunReply), (status = 401),
        (status = 403), (status = 404), (status = 409), (status = 422), (status = 503),
        (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_begin(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    let asked: BulkEndBody = body.json(&head).await?;
    let (place, choice) = asked.read()?;
    if asked.dry_run {
        let preview = api.services().preview_bulk_end(caller, place, choice).await?;
        return Ok(warp::reply::json(&PreviewReply::from(preview)).into_response());
    }
    let key = head.request_key(&format!("rental.bulk_end {asked:?}"))?;
    let wanted = (place, choice);
    let begun = api.services().begin_bulk_end(caller, wanted, &asked.reason, key).await?;
    let reply =
        begun.map(|it| BulkEndBegunReply { bulk_end_id: it.id.to_string(), found: it.found });
    Ok(answer(&reply, StatusCode::ACCEPTED))
}

/// Which page of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct BulkEndListQuery {
    cursor: Option<String>,
}

/// `/api/v1/bulk-ends`.
pub(in crate::http) fn routes(api: &Api) -> Routes {
    list(api).or_route(find(api))
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "bulk-ends")
        .and(warp::get())
        .and(warp::query::<BulkEndListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Orders to end many rentals in banks that the caller looks after, newest first.
#[utoipa::path(
    get, path = "/api/v1/bulk-ends", tag = "rentals",
    params(("cursor" = Option<String>, Query, description = "next_cursor of the page before")),
    responses(
        (status = 200, body = BulkEndListReply), (status = 401), (status = 403), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_list(
    query: BulkEndListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let before: Option<BulkEndId> =
        page::value(query.cursor.as_deref(), "cursor", "next_cursor of the page before")?;
    let (orders, next) = api.services().bulk_ends(caller, before).await?;
    let names = api.services().names_of(orders.iter().map(|order| order.member_id)).await?;
    Ok(warp::reply::json(&BulkEndListReply {
        bulk_ends: orders.into_iter().map(|it| BulkEndReply::new(it, &names)).collect(),
        next_cursor: next.map(|id| id.to_string()),
    })
    .into_response())
}

fn find(api: &Api) -> Routes {
    path!("api" / "v1" / "bulk-ends" / BulkEndId)
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// How an order to end many rentals goes or went. For staff of all its banks.
#[utoipa::path(
    get, path = "/api/v1/bulk-ends/{bulk_end_id}", tag = "rentals",
    params(("bulk_end_id" = String, Path)),
    responses((status = 200, body = BulkEndReply), (status = 401), (status = 403), (status = 404)),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_find(
    id: BulkEndId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let order = api.services().bulk_end(caller, id).await?;
    let names = api.services().names_of(std::iter::once(order.member_id)).await?;
    Ok(warp::reply::json(&BulkEndReply::new(order, &names)).into_response())
}
