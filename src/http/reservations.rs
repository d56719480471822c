//! Reservations in pool mode: `/api/v1/banks/{bank_id}/reservations` and `/api/v1/reservations`: made,
//! mine, given up, checked in, replaced. The days that are full are in the bank's calendar.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::lockers::{NameReply, answer};
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::domain::id::{BankId, RentalId};
use crate::domain::time::DateSpan;
use crate::service::error::Code;
use crate::service::pool::{CheckIn, CheckedIn, MyReservation, ReservationWish, Reserved};

/// Days to reserve.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReserveBody {
    /// The first day, from tomorrow on, like 2026-09-01.
    starts_on: String,
    /// The last day.
    ends_on: String,
    /// Whether a locker at an accessible height is wished for.
    #[serde(default)]
    accessible: bool,
}

/// A reservation that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReservationReply {
    /// Its number.
    reservation_id: i64,
    /// In which bank.
    bank_id: i64,
    /// First day.
    starts_on: String,
    /// Last day.
    ends_on: String,
    /// The last day on which it may be checked in.
    check_in_until: String,
}

/// What may come with a check-in.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckInBody {
    /// The six digits that the screen beside the bank shows: needed where the bank opens only to
    /// people who stand before it. It is good for the opening that follows as well.
    presence_code: Option<String>,
}

/// A reservation that has its locker: a rental like any other from now on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckInReply {
    /// Its number, as before.
    reservation_id: i64,
    /// The number on the door.
    locker_id: i64,
    /// First day.
    starts_on: String,
    /// Last day.
    ends_on: String,
}

/// Going to another bank.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplaceReservationBody {
    /// Which one, of the same location.
    bank_id: i64,
}

/// A reservation of the caller, or the rental that it has become.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MyReservationReply {
    /// Its number.
    reservation_id: i64,
    /// In which bank.
    bank_id: i64,
    /// Its name.
    bank: NameReply,
    /// First day.
    starts_on: String,
    /// Last day.
    ends_on: String,
    /// reserved, using or overdue.
    status: &'static str,
    /// The number on the door, once it is checked in.
    locker_id: Option<i64>,
    /// Whether a locker at an accessible height was wished for; of one that waits.
    accessible: bool,
    /// The last day on which it may be checked in; of one that waits.
    check_in_until: Option<String>,
    /// True: as known now, no locker is left for it on its first day.
    short: bool,
    /// Then, if there is one: a bank of the location that has room for the same days.
    offered_bank_id: Option<i64>,
}

/// How the caller stands with banks in pool mode.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MyReservationsReply {
    /// idle, reserved, using or overdue: the most pressing of all.
    status: &'static str,
    /// By when they begin.
    reservations: Vec<MyReservationReply>,
}

impl From<Reserved> for ReservationReply {
    fn from(it: Reserved) -> Self {
        Self {
            reservation_id: it.id.0,
            bank_id: it.bank_id.0,
            starts_on: it.dates.first().to_string(),
            ends_on: it.dates.last().to_string(),
            check_in_until: it.check_in_until.to_string(),
        }
    }
}

impl From<CheckedIn> for CheckInReply {
    fn from(it: CheckedIn) -> Self {
        Self {
            reservation_id: it.id.0,
            locker_id: it.locker_id.0,
            starts_on: it.dates.first().to_string(),
            ends_on: it.dates.last().to_string(),
        }
    }
}

impl From<MyReservation> for MyReservationReply {
    fn from(it: MyReservation) -> Self {
        Self {
            reservation_id: it.id.0,
            bank_id: it.bank_id.0,
            bank: it.bank.into(),
            starts_on: it.dates.first().to_string(),
            ends_on: it.dates.last().to_string(),
            status: it.status.name(),
            locker_id: it.locker_id.map(|id| id.0),
            accessible: it.accessible,
            check_in_until: it.check_in_until.map(|day| day.to_string()),
            short: it.short,
            offered_bank_id: it.offered_bank_id.map(|id| id.0),
        }
    }
}

impl ReserveBody {
    fn read(&self) -> Result<DateSpan, Problem> {
        let day = |text: &str, name: &str| {
            let wrong =
                || Problem::new(Code::Invalid, format!("{name} must be a day like 2026-09-01"));
            text.parse::<Date>().map_err(|_| wrong())
        };
        let (first, last) = (day(&self.starts_on, "starts_on")?, day(&self.ends_on, "ends_on")?);
        DateSpan::new(first, last)
            .ok_or_else(|| Problem::new(Code::Invalid, "ends_on must not be before starts_on"))
    }
}

/// What belongs to one bank.
pub(super) fn of_bank(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / BankId / "reservations")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_reserve)
}

/// `/api/v1/reservations`.
pub(super) fn routes(api: &Api) -> Routes {
    mine(api).or_route(cancel(api)).or_route(check_in(api)).or_route(replace(api))
}

/// Reserve days in a bank in pool mode; the locker is given at check-in.
///
/// Each day must have room. Refused with `dates_refused` and the reason where the bank does not take
/// such days, with `day_full` and the full days where others were first.
#[utoipa::path(
    post, path = "/api/v1/banks/{bank_id}/reservations", tag = "reservations",
    params(("bank_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ReserveBody,
    responses(
        (status = 201, body = ReservationReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_reserve(
    id: BankId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let asked: ReserveBody = body.json(&head).await?;
    let (dates, accessible) = (asked.read()?, asked.accessible);
    let key = head.request_key(&format!("reserve {id} {dates} {accessible}"))?;
    let wish = ReservationWish { bank: id, dates, accessible };
    let made = api.services().reserve(caller, wish, key).await?;
    Ok(answer(&made.map(ReservationReply::from), StatusCode::CREATED))
}

fn mine(api: &Api) -> Routes {
    path!("api" / "v1" / "reservations" / "me")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_mine)
}

/// The caller's reservations, and their rentals in banks in pool mode.
#[utoipa::path(
    get, path = "/api/v1/reservations/me", tag = "reservations",
    responses((status = 200, body = MyReservationsReply), (status = 401)),
    security(("bearer" = []))
)]
pub(super) async fn handle_mine(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let (status, mine) = api.services().my_reservations(caller);
    let reservations = mine.into_iter().map(Into::into).collect();
    let reply = MyReservationsReply { status: status.name(), reservations };
    Ok(warp::reply::json(&reply).into_response())
}

fn cancel(api: &Api) -> Routes {
    path!("api" / "v1" / "reservations" / RentalId)
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_cancel)
}

/// Give a reservation up, until it is checked in.
#[utoipa::path(
    delete, path = "/api/v1/reservations/{reservation_id}", tag = "reservations",
    params(("reservation_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 204), (status = 401), (status = 403), (status = 404), (status = 409),
        (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_cancel(id: RentalId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let key = head.request_key(&format!("reservation.cancel {id}"))?;
    api.services().cancel_reservation(caller, id, key).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn check_in(api: &Api) -> Routes {
    path!("api" / "v1" / "reservations" / RentalId / "check-in")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_check_in)
}

/// Check a reservation in: it gets its locker.
///
/// The one that stood empty longest, at an accessible height where that was wished for. While fewer are
/// free than reservations wait, those who reserved first are first; `no_free_locker` then names a bank
/// that has room (`offered_bank_id`). A repeat with the same key may carry another code.
#[utoipa::path(
    post, path = "/api/v1/reservations/{reservation_id}/check-in", tag = "reservations",
    params(("reservation_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<CheckInBody>,
    responses(
        (status = 200, body = CheckInReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 409), (status = 413), (status = 415), (status = 422),
        (status = 429), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_check_in(
    id: RentalId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let CheckInBody { presence_code } = body.json_if_any(&head).await?;
    let key = head.request_key(&format!("check-in {id}"))?;
    let checked_in = api.services().check_in(caller, CheckIn { id, presence_code, key }).await?;
    Ok(answer(&checked_in.map(CheckInReply::from), StatusCode::OK))
}

fn replace(api: &Api) -> Routes {
    path!("api" / "v1" / "reservations" / RentalId / "replace")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_replace)
}

/// Reserve the same days in another bank of the location, in place of a reservation that cannot be
/// served.
#[utoipa::path(
    post, path = "/api/v1/reservations/{reservation_id}/replace", tag = "reservations",
    params(("reservation_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ReplaceReservationBody,
    responses(
        (status = 200, body = ReservationReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_replace(
    id: RentalId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let asked: ReplaceReservationBody = body.json(&head).await?;
    let bank = BankId(asked.bank_id);
    let key = head.request_key(&format!("reservation.replace {id} {bank}"))?;
    let made = api.services().replace_reservation(caller, id, bank, key).await?;
    Ok(answer(&made.map(ReservationReply::from), StatusCode::OK))
}
