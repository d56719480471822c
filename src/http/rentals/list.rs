//! `GET /api/v1/rentals` and `/rentals/export`: rentals of the caller's banks, live ones and the history,
//! filtered, in an order, on pages or as a file.

use super::super::handled::HandledBy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use crate::domain::id::{BankId, LocationId, LockerId, MemberId, RentalId, TermId};
use crate::http::extract::{Head, head};
use crate::http::members::{attachment, time};
use crate::http::page::{self, flag, value};
use crate::http::problem::Problem;
use crate::http::returns::RenterReply;
use crate::http::{Api, OrRoute, Routes, with};
use crate::service::error::Code;
use crate::service::rental_lists::{RentalOrder, RentalQuery, RentalRow, StoredState};

/// Which rentals are listed. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RentalListQuery {
    state: Option<String>,
    bank_id: Option<String>,
    location_id: Option<String>,
    locker_id: Option<String>,
    member_id: Option<String>,
    q: Option<String>,
    term_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    late: Option<String>,
    sort: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

/// A hold, rental or reservation, as staff see it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct RentalReply {
    /// Its number.
    rental_id: i64,
    /// reserved, held, active, returned (the locker waits until it was emptied) or ended.
    state: &'static str,
    /// Its bank.
    bank_id: i64,
    /// The number on its door; `null` while it is only reserved.
    locker_id: Option<i64>,
    /// Whose it is.
    renter: RenterReply,
    /// The term that granted it; `null` in pool mode and where staff gave other days.
    term_id: Option<i64>,
    /// First day.
    starts_on: String,
    /// Last day.
    ends_on: String,
    /// When it was held, reserved or assigned, RFC 3339.
    held_at: String,
    /// When it was confirmed or checked in.
    confirmed_at: Option<String>,
    /// When its door was first opened, or may have been.
    opened_at: Option<String>,
    /// When it was given back.
    returned_at: Option<String>,
    /// When it was over.
    ended_at: Option<String>,
    /// Why it is over: `hold_expired`, `hold_released`, returned, `ended_by_staff`, replaced, cancelled,
    /// `no_show` or collected.
    end_reason: Option<String>,
    /// How often it was extended.
    extensions: u16,
    /// The rental in whose place it came.
    follows_rental_id: Option<i64>,
}

/// A page of rentals.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct RentalListReply {
    /// In the order asked for.
    rentals: Vec<RentalReply>,
    /// Send it as `cursor` to get the next page; `null` on the last. Of a long history a page may be short
    /// and still not the last.
    next_cursor: Option<String>,
}

impl From<RentalRow> for RentalReply {
    fn from(row: RentalRow) -> Self {
        Self {
            rental_id: row.id.0,
            state: row.state.name(),
            bank_id: row.bank_id.0,
            locker_id: row.locker_id.map(|id| id.0),
            renter: RenterReply::of(row.member_id.0, row.member),
            term_id: row.term_id.map(|id| id.0),
            starts_on: row.dates.first().to_string(),
            ends_on: row.dates.last().to_string(),
            held_at: time(row.held_ms),
            confirmed_at: row.confirmed_ms.map(time),
            opened_at: row.opened_ms.map(time),
            returned_at: row.returned_ms.map(time),
            ended_at: row.ended_ms.map(time),
            end_reason: row.end_reason,
            extensions: row.extensions,
            follows_rental_id: row.follows.map(|id| id.0),
        }
    }
}

impl RentalListQuery {
    fn read(&self) -> Result<RentalQuery, Problem> {
        let number = |text: &Option<String>, name| value::<i64>(text.as_deref(), name, "a number");
        let day =
            |text: &Option<String>, name| value(text.as_deref(), name, "a day like 2026-09-01");
        let wrong = |name, accepted: &str| {
            Problem::new(Code::Invalid, format!("{name} must be {accepted}"))
        };
        let (state, live) = match self.state.as_deref() {
            None | Some("all") => (None, false),
            Some("live") => (None, true),
            Some(name) => {
                let accepted = "live, reserved, held, active, returned, ended or all";
                let known = StoredState::from_name(name);
                (Some(known.ok_or_else(|| wrong("state", accepted))?), false)
            }
        };
        let order = |name: &str| {
            let known = RentalOrder::ALL.into_iter().find(|(_, known)| *known == name);
            known.map(|(it, _)| it).ok_or_else(|| wrong("sort", "newest, ends_on or locker"))
        };
        Ok(RentalQuery {
            bank: number(&self.bank_id, "bank_id")?.map(BankId),
            location: number(&self.location_id, "location_id")?.map(LocationId),
            state,
            live,
            late: flag(self.late.as_deref(), "late")?.unwrap_or(false),
            locker: number(&self.locker_id, "locker_id")?.map(LockerId),
            member: number(&self.member_id, "member_id")?.map(MemberId),
            text: self.q.clone(),
            term: number(&self.term_id, "term_id")?.map(TermId),
            from: day(&self.from, "from")?,
            to: day(&self.to, "to")?,
            order: self.sort.as_deref().map(order).transpose()?.unwrap_or_default(),
        })
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    list(api).or_route(export(api)).or_route(find(api))
}

fn find(api: &Api) -> Routes {
    path!("api" / "v1" / "rentals" / RentalId)
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// One hold, rental or reservation of the caller's banks, also one that is over.
#[utoipa::path(
    get, path = "/api/v1/rentals/{rental_id}", tag = "rentals", params(("rental_id" = i64, Path)),
    responses(
        (status = 200, body = RentalReply), (status = 401), (status = 403), (status = 404),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_find(
    id: RentalId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let rental = api.services().rental(caller, id).await?;
    Ok(warp::reply::json(&RentalReply::from(rental)).into_response())
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "rentals")
        .and(warp::get())
        .and(warp::query::<RentalListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Rentals of the caller's banks, live ones and the history.
///
/// The whole history is listed the newest first; live rentals and those of a locker or a member in every
/// order.
#[utoipa::path(
    get, path = "/api/v1/rentals", tag = "rentals",
    params(
        ("state" = Option<String>, Query,
            description = "live, reserved, held, active, returned, ended or all (when left out)"),
        ("bank_id" = Option<i64>, Query, description = "of one bank"),
        ("location_id" = Option<i64>, Query, description = "of the banks of one location"),
        ("locker_id" = Option<i64>, Query, description = "of one locker"),
        ("member_id" = Option<i64>, Query, description = "of one member"),
        ("q" = Option<String>, Query, description = "a part of the member's student id or name"),
        ("term_id" = Option<i64>, Query, description = "granted by one term"),
        ("from" = Option<String>, Query, description = "with a day at or after this one"),
        ("to" = Option<String>, Query, description = "with a day at or before this one"),
        ("late" = Option<bool>, Query, description = "true: active past the last day"),
        ("sort" = Option<String>, Query,
            description = "newest (when left out), ends_on or locker"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = RentalListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_list(
    query: RentalListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let limit = usize::try_from(page::limit(query.limit.as_deref())?).unwrap_or(usize::MAX);
    let cursor = query.cursor.as_deref();
    let page = api.services().rentals(caller, query.read()?, cursor, limit).await?;
    Ok(warp::reply::json(&RentalListReply {
        rentals: page.rentals.into_iter().map(Into::into).collect(),
        next_cursor: page.next,
    })
    .into_response())
}

fn export(api: &Api) -> Routes {
    path!("api" / "v1" / "rentals" / "export")
        .and(warp::get())
        .and(warp::query::<RentalListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_export)
}

/// Rentals as a CSV file that Excel opens in Korean, filtered as the list; it is written down.
#[utoipa::path(
    get, path = "/api/v1/rentals/export", tag = "rentals",
    params(
        ("state" = Option<String>, Query,
            description = "live, reserved, held, active, returned, ended or all (when left out)"),
        ("bank_id" = Option<i64>, Query, description = "of one bank"),
        ("location_id" = Option<i64>, Query, description = "of the banks of one location"),
        ("locker_id" = Option<i64>, Query, description = "of one locker"),
        ("member_id" = Option<i64>, Query, description = "of one member"),
        ("q" = Option<String>, Query, description = "a part of the member's student id or name"),
        ("term_id" = Option<i64>, Query, description = "granted by one term"),
        ("from" = Option<String>, Query, description = "with a day at or after this one"),
        ("to" = Option<String>, Query, description = "with a day at or before this one"),
        ("late" = Option<bool>, Query, description = "true: active past the last day"),
        ("sort" = Option<String>, Query, description = "as for the list"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_export(
    query: RentalListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let text = api.services().export_rentals(caller, query.read()?).await?;
    Ok(attachment(text, "text/csv; charset=utf-8", "rentals.csv"))
}
