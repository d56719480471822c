//! `/api/v1/rentals`: what staff do with rentals (assign, move, end, another last day), each with a reason
//! that the member is told. Looking them up stands in `rentals/list`, ending many in `rentals/bulk`.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::lockers::answer;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::id::{LockerId, MemberId, RentalId, TermId};
use crate::domain::returning::WaitsFor;
use crate::service::commissioning::demand_staff;
use crate::service::error::Code;
use crate::service::staff_rentals::{Assignment, Days, Granted, Moved, TakenAway, Whom};

pub(super) mod bulk;
pub(super) mod list;

/// A locker for somebody. Give `member_id` or `student_id`, and `term_id` or `ends_on`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssignBody {
    /// Which locker.
    locker_id: i64,
    /// Whose it becomes, by their number.
    #[serde(default)]
    member_id: Option<i64>,
    /// Whose it becomes, by their student id.
    #[serde(default)]
    student_id: Option<String>,
    /// For the days of this term.
    #[serde(default)]
    term_id: Option<i64>,
    /// First day, today when left out.
    #[serde(default)]
    starts_on: Option<String>,
    /// Last day, at most 400 days ahead.
    #[serde(default)]
    ends_on: Option<String>,
    /// Why; 1 to 200 characters. The member is told.
    reason: String,
}

/// Another locker for a rental.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MoveBody {
    /// Which locker.
    locker_id: i64,
    /// Why; 1 to 200 characters. The member is told.
    reason: String,
}

/// Ending a rental.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndBody {
    /// Why; 1 to 200 characters. The member is told.
    reason: String,
}

/// Another last day for a rental.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeRentalBody {
    /// The last day: today or later, at most 400 days ahead.
    ends_on: String,
    /// Why; 1 to 200 characters. The member is told.
    reason: String,
}

/// A rental as staff made or changed it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GrantedReply {
    /// Its number.
    rental_id: i64,
    /// The number on its door.
    locker_id: i64,
    /// Whose it is.
    member_id: i64,
    /// First day.
    starts_on: String,
    /// Last day.
    ends_on: String,
}

/// A rental that goes on in another locker.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MovedReply {
    /// The new one.
    #[serde(flatten)]
    rental: GrantedReply,
    /// The number of the one before.
    former_rental_id: i64,
    /// The locker before.
    former_locker_id: i64,
    /// Whether the locker before was opened: then it is returned, and waits until it was emptied.
    to_be_emptied: bool,
}

/// A hold, rental or reservation that staff have ended.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TakenAwayReply {
    /// Its number.
    rental_id: i64,
    /// Its locker; `null` for a reservation.
    locker_id: Option<i64>,
    /// ended, or returned: its locker waits until it was emptied.
    state: &'static str,
    /// door, grace, confirmation or staff, as for every returned locker.
    waits_for: Option<&'static str>,
    /// From when on the locker is free, RFC 3339, as far as that is known.
    free_at: Option<String>,
}

impl From<Granted> for GrantedReply {
    fn from(granted: Granted) -> Self {
        Self {
            rental_id: granted.rental_id.0,
            locker_id: granted.locker_id.0,
            member_id: granted.member_id.0,
            starts_on: granted.dates.first().to_string(),
            ends_on: granted.dates.last().to_string(),
        }
    }
}

impl From<Moved> for MovedReply {
    fn from(moved: Moved) -> Self {
        Self {
            rental: moved.granted.into(),
            former_rental_id: moved.former_rental_id.0,
            former_locker_id: moved.former_locker_id.0,
            to_be_emptied: moved.to_be_emptied,
        }
    }
}

impl From<TakenAway> for TakenAwayReply {
    fn from(done: TakenAway) -> Self {
        Self {
            rental_id: done.rental_id.0,
            locker_id: done.locker_id.map(|id| id.0),
            state: if done.over { "ended" } else { "returned" },
            waits_for: done.waits_for.map(WaitsFor::name),
            free_at: done.free_at.map(|at| at.to_string()),
        }
    }
}

impl AssignBody {
    fn read(self) -> Result<Assignment, Problem> {
        let invalid = |text: &'static str| Problem::new(Code::Invalid, text);
        let whom = match (self.member_id, self.student_id) {
            (Some(id), None) => Whom::Number(MemberId(id)),
            (None, Some(id)) => Whom::StudentId(id),
            _ => return Err(invalid("give member_id or student_id, one of the two")),
        };
        let days = match (self.term_id, &self.starts_on, &self.ends_on) {
            (Some(id), None, None) => Days::Term(TermId(id)),
            (None, first, Some(last)) => {
                let first = first.as_deref().map(|text| day(text, "starts_on")).transpose()?;
                Days::Given(first, day(last, "ends_on")?)
            }
            _ => return Err(invalid("give term_id, or ends_on and perhaps starts_on")),
        };
        Ok(Assignment { locker: LockerId(self.locker_id), whom, days, reason: self.reason })
    }
}

pub(super) fn day(text: &str, name: &str) -> Result<Date, Problem> {
    let accepted = "a day like 2026-09-01";
    let read = page::value(Some(text), name, accepted)?;
    read.ok_or_else(|| Problem::new(Code::Invalid, format!("{name} must be {accepted}")))
}

pub(super) fn routes(api: &Api) -> Routes {
    list::routes(api)
        .or_route(bulk::begin(api))
        .or_route(assign(api))
        .or_route(move_rental(api))
        .or_route(end(api))
        .or_route(change(api))
}

fn assign(api: &Api) -> Routes {
    path!("api" / "v1" / "rentals")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_assign)
}

/// Give a locker to somebody, active at once. For staff of its bank.
///
/// Needs no window and asks no limit of the policy; a penalty is no bar. The locker must be in service and
/// free for the days, the member without another locker on them; nobody who is leaving or disabled.
#[utoipa::path(
    post, path = "/api/v1/rentals", tag = "rentals", request_body = AssignBody,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = GrantedReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_assign(
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    let asked: AssignBody = body.json(&head).await?;
    let key = head.request_key(&format!("rental.assign {asked:?}"))?;
    let granted = api.services().assign(caller, asked.read()?, key).await?;
    Ok(answer(&granted.map(GrantedReply::from), StatusCode::CREATED))
}

fn move_rental(api: &Api) -> Routes {
    path!("api" / "v1" / "rentals" / RentalId / "move")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_move)
}

/// Let an active rental go on in another locker, for the same days. For staff of both banks.
///
/// If the locker before was opened it counts as returned, so that its things can still be taken out.
#[utoipa::path(
    post, path = "/api/v1/rentals/{rental_id}/move", tag = "rentals", request_body = MoveBody,
    params(("rental_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = MovedReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_move(
    id: RentalId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    let asked: MoveBody = body.json(&head).await?;
    let key = head.request_key(&format!("rental.move {id} {asked:?}"))?;
    let wanted = (LockerId(asked.locker_id), asked.reason.as_str());
    let moved = api.services().move_rental(caller, id, wanted, key).await?;
    Ok(answer(&moved.map(MovedReply::from), StatusCode::OK))
}

fn end(api: &Api) -> Routes {
    path!("api" / "v1" / "rentals" / RentalId / "end")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_end)
}

/// End a hold, a rental or a reservation. For staff of its bank.
///
/// What was never opened is over. What was opened is returned and waits as every returned locker, so that
/// its things can still be taken out: a locker is never free before it was emptied.
#[utoipa::path(
    post, path = "/api/v1/rentals/{rental_id}/end", tag = "rentals", request_body = EndBody,
    params(("rental_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = TakenAwayReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_end(
    id: RentalId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    let asked: EndBody = body.json(&head).await?;
    let key = head.request_key(&format!("rental.end {id} {asked:?}"))?;
    let done = api.services().end_rental(caller, id, &asked.reason, key).await?;
    Ok(answer(&done.map(TakenAwayReply::from), StatusCode::OK))
}

fn change(api: &Api) -> Routes {
    path!("api" / "v1" / "rentals" / RentalId)
        .and(warp::patch())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_change)
}

/// Give an active rental another last day, earlier or later. For staff of its bank.
///
/// No limit of the policy is asked. The locker must be free on the new days, and so must the member. Of one
/// that is late the overdue case ends with it.
#[utoipa::path(
    patch, path = "/api/v1/rentals/{rental_id}", tag = "rentals", request_body = ChangeRentalBody,
    params(("rental_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = GrantedReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_change(
    id: RentalId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    let asked: ChangeRentalBody = body.json(&head).await?;
    let key = head.request_key(&format!("rental.change {id} {asked:?}"))?;
    let wanted = (day(&asked.ends_on, "ends_on")?, asked.reason.as_str());
    let changed = api.services().change_last_day(caller, id, wanted, key).await?;
    Ok(answer(&changed.map(GrantedReply::from), StatusCode::OK))
}
