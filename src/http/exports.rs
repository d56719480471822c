//! The staff's lists as CSV files that Excel opens in Korean, filtered as the list is: alarms, openings,
//! returns, shortages, penalties, who waits, mails, locks, the lockers of a bank. Who took one along is
//! written down.

use warp::reply::Response;
use warp::{Filter, path};

use super::alarms::AlarmListQuery;
use super::buses::LocksQuery;
use super::extract::{Head, head};
use super::handled::HandledBy;
use super::locker_admin::BankLockersQuery;
use super::mails::MailListQuery;
use super::members::attachment;
use super::opening_list::OpeningListQuery;
use super::penalties::PenaltyListQuery;
use super::problem::Problem;
use super::returns::ListQuery;
use super::waiting::WaitingListQuery;
use super::{Api, Routes, with};
use crate::domain::id::BankId;
use crate::service::commissioning::demand_staff;

fn csv(text: String, name: &str) -> Response {
    attachment(text, "text/csv; charset=utf-8", name)
}

/// `/api/v1/alarms/export`.
pub(super) fn alarms(api: &Api) -> Routes {
    path!("api" / "v1" / "alarms" / "export")
        .and(warp::get())
        .and(warp::query::<AlarmListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_alarms)
}

/// Alarms that the caller looks after, as a file.
#[utoipa::path(
    get, path = "/api/v1/alarms/export", tag = "exports",
    params(
        ("state" = Option<String>, Query, description = "live, acknowledged, cleared, open (nobody \
            took note), standing (acknowledged, the cause stands), over (acknowledged and ended) or all"),
        ("kind" = Option<String>, Query, description = "of one kind"),
        ("severity" = Option<String>, Query, description = "info, warning or critical"),
        ("bank_id" = Option<i64>, Query, description = "of one bank and its boards and ports"),
        ("locker_id" = Option<i64>, Query, description = "of one locker"),
        ("since" = Option<String>, Query, description = "raised then or later, RFC 3339"),
        ("until" = Option<String>, Query, description = "raised before then, RFC 3339"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_alarms(
    query: AlarmListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    Ok(csv(api.services().export_alarms(caller, query.read()?).await?, "alarms.csv"))
}

/// `/api/v1/openings/export`.
pub(super) fn openings(api: &Api) -> Routes {
    path!("api" / "v1" / "openings" / "export")
        .and(warp::get())
        .and(warp::query::<OpeningListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_openings)
}

/// Openings of the caller's banks, as a file.
#[utoipa::path(
    get, path = "/api/v1/openings/export", tag = "exports",
    params(
        ("bank_id" = Option<i64>, Query, description = "of one bank"),
        ("location_id" = Option<i64>, Query, description = "of the banks of one location"),
        ("locker_id" = Option<i64>, Query, description = "of one locker"),
        ("outcome" = Option<String>, Query, description = "with one outcome"),
        ("opened_as" = Option<String>, Query, description = "renter or staff"),
        ("member_id" = Option<i64>, Query, description = "asked for by one member"),
        ("mass_opening_id" = Option<String>, Query, description = "of one order to open many"),
        ("from" = Option<String>, Query, description = "first day; 29 days before the last when left out"),
        ("to" = Option<String>, Query, description = "last day, at most 400 in all; today when left out"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_openings(
    query: OpeningListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    Ok(csv(api.services().export_openings(caller, query.read()?).await?, "openings.csv"))
}

/// `/api/v1/returns/export`.
pub(super) fn returns(api: &Api) -> Routes {
    path!("api" / "v1" / "returns" / "export")
        .and(warp::get())
        .and(warp::query::<ListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_returns)
}

/// Lockers of the caller's banks that were given back and are not free yet, as a file.
#[utoipa::path(
    get, path = "/api/v1/returns/export", tag = "exports",
    params(("bank_id" = Option<i64>, Query, description = "of one bank")),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_returns(
    query: ListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    let bank = query.read()?.bank;
    Ok(csv(api.services().export_returns(caller, bank).await?, "returns.csv"))
}

/// `/api/v1/shortages/export`.
pub(super) fn shortages(api: &Api) -> Routes {
    path!("api" / "v1" / "shortages" / "export")
        .and(warp::get())
        .and(warp::query::<ListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_shortages)
}

/// Rentals of the caller's banks that begin on a day and whose locker is not to be had, as a file.
#[utoipa::path(
    get, path = "/api/v1/shortages/export", tag = "exports",
    params(
        ("on" = Option<String>, Query, description = "the day; tomorrow when left out"),
        ("bank_id" = Option<i64>, Query, description = "of one bank"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_shortages(
    query: ListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    let asked = query.read()?;
    let text = api.services().export_shortages(caller, asked.on, asked.bank).await?;
    Ok(csv(text, "shortages.csv"))
}

/// `/api/v1/penalties/export`.
pub(super) fn penalties(api: &Api) -> Routes {
    path!("api" / "v1" / "penalties" / "export")
        .and(warp::get())
        .and(warp::query::<PenaltyListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_penalties)
}

/// Penalties for lockers of the caller's banks, as a file.
#[utoipa::path(
    get, path = "/api/v1/penalties/export", tag = "exports",
    params(
        ("bank_id" = Option<i64>, Query, description = "for lockers of one bank"),
        ("member_id" = Option<i64>, Query, description = "of one member"),
        ("live" = Option<bool>, Query, description = "true: only those in force today"),
        ("q" = Option<String>, Query, description = "a part of student id or name"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_penalties(
    query: PenaltyListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    Ok(csv(api.services().export_penalties(caller, query.wish()?).await?, "penalties.csv"))
}

/// `/api/v1/waiting/export`.
pub(super) fn waiting(api: &Api) -> Routes {
    path!("api" / "v1" / "waiting" / "export")
        .and(warp::get())
        .and(warp::query::<WaitingListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_waiting)
}

/// Who waits before the caller's banks, as a file.
#[utoipa::path(
    get, path = "/api/v1/waiting/export", tag = "exports",
    params(
        ("bank_id" = Option<i64>, Query, description = "before one bank"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_waiting(
    query: WaitingListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    Ok(csv(api.services().export_waiting(caller, query.bank()?).await?, "waiting.csv"))
}

/// `/api/v1/mails/export`.
pub(super) fn mails(api: &Api) -> Routes {
    path!("api" / "v1" / "mails" / "export")
        .and(warp::get())
        .and(warp::query::<MailListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_mails)
}

/// What became of mails, as a file.
#[utoipa::path(
    get, path = "/api/v1/mails/export", tag = "exports",
    params(
        ("state" = Option<String>, Query, description = "due, sent, dead, dropped or all"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_mails(
    query: MailListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    Ok(csv(api.services().export_mails(caller, query.state()?).await?, "mails.csv"))
}

/// `/api/v1/locks/export`.
pub(super) fn locks(api: &Api) -> Routes {
    path!("api" / "v1" / "locks" / "export")
        .and(warp::get())
        .and(warp::query::<LocksQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_locks)
}

/// Locks of the caller's banks with what was counted of them, as a file.
#[utoipa::path(
    get, path = "/api/v1/locks/export", tag = "exports",
    params(
        ("bank_id" = Option<i64>, Query, description = "of one bank"),
        ("days" = Option<u32>, Query, description = "1 to 730"),
        ("due" = Option<bool>, Query, description = "true: only those that are to be looked at"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_locks(
    query: LocksQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    let (bank, days, due_only) = query.read()?;
    let text = api.services().export_locks(caller, bank, days, due_only).await?;
    Ok(csv(text, "locks.csv"))
}

/// `/api/v1/banks/{bank_id}/lockers/export`.
pub(super) fn lockers(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / BankId / "lockers" / "export")
        .and(warp::get())
        .and(warp::query::<BankLockersQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_lockers)
}

/// Lockers of a bank with wires and places, as a file. For its staff.
#[utoipa::path(
    get, path = "/api/v1/banks/{bank_id}/lockers/export", tag = "exports",
    params(
        ("bank_id" = i64, Path),
        ("in_service" = Option<bool>, Query, description = "whether they are lent"),
        ("wired" = Option<bool>, Query, description = "whether they have an electric lock"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 404), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_lockers(
    id: BankId,
    query: BankLockersQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_staff(caller)?;
    Ok(csv(api.services().export_lockers(caller, id, query.filter()?).await?, "lockers.csv"))
}
