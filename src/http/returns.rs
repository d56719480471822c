//! Giving back: `/api/v1/lockers/{locker_id}/release`, `free` and `replace`, and the staff's lists
//! `/api/v1/returns` (given back, not free yet) and `/api/v1/shortages` (rented, not to be had).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::lockers::answer;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::domain::id::{BankId, LockerId, RentalId};
use crate::domain::member::covered_id;
use crate::domain::returning::WaitsFor;
use crate::service::error::Code;
use crate::service::returning::{GivenBack, PAGE_MAX, ReturnWish, Waiting};
use crate::service::shortages::{Replacement, Shortage};

/// Rows of a page when nothing else is asked for.
const PAGE_DEFAULT: usize = 50;

/// What a renter says with a return; may be left out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseBody {
    /// True: the locker is empty. Counts where no sensor shows the door.
    #[serde(default)]
    emptied: bool,
    /// True: open the door one last time; its closing is the return, where the bank allows it.
    #[serde(default)]
    open: bool,
    /// With `open`, where the bank opens only to people who stand before it: the six digits that the
    /// screen beside it shows.
    presence_code: Option<String>,
}

/// A locker that was given back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReleaseReply {
    /// The number on its door.
    locker_id: i64,
    /// returned; active while its last opening is under way.
    state: &'static str,
    /// What it waits for before others may have it: door (to be seen closed), grace (in which only
    /// its renter may open it again), confirmation (of its renter, `emptied`), staff; `null` when it
    /// is free.
    waits_for: Option<&'static str>,
    /// From when on it is free, RFC 3339, as far as that is known.
    free_at: Option<String>,
    /// The last opening, if it was asked for: see `/api/v1/openings/{operation_id}`.
    operation_id: Option<String>,
}

/// Freeing a returned locker.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FreeBody {
    /// Why; 1 to 200 characters.
    reason: String,
}

/// Taking another locker.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplaceBody {
    /// Which one, at the same location; the nearest free one when left out.
    #[serde(default)]
    locker_id: Option<i64>,
}

/// A locker that was taken in place of another one.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReplaceReply {
    /// The new locker.
    locker_id: i64,
    /// In whose place.
    former_locker_id: i64,
    /// First day of the rental, as before.
    starts_on: String,
    /// Last day of the rental, as before.
    ends_on: String,
}

impl From<Replacement> for ReplaceReply {
    fn from(it: Replacement) -> Self {
        Self {
            locker_id: it.locker_id.0,
            former_locker_id: it.former_locker_id.0,
            starts_on: it.dates.first().to_string(),
            ends_on: it.dates.last().to_string(),
        }
    }
}

/// Who has a rental.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RenterReply {
    /// Their number.
    member_id: i64,
    /// Student id, covered as 2024****12 (`members/{member_id}/reveal` shows it); `null` when they have
    /// left since.
    student_id: Option<String>,
    /// Full name; `null` when they have left since.
    name: Option<String>,
}

/// A locker that was given back and is not free yet.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReturnReply {
    /// The rental.
    rental_id: i64,
    /// The number on its door.
    locker_id: i64,
    /// Its bank.
    bank_id: i64,
    /// Who gave it back.
    renter: RenterReply,
    /// When, RFC 3339.
    returned_at: String,
    /// door, grace, confirmation or staff; `null`: it will be free in a moment.
    waits_for: Option<&'static str>,
    /// From when on it is free, RFC 3339, as far as that is known.
    free_at: Option<String>,
}

/// A page of returned lockers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReturnListReply {
    /// In the order of their rentals.
    returns: Vec<ReturnReply>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// A rental whose locker is not to be had.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShortageReply {
    /// The rental or reservation.
    rental_id: i64,
    /// The number on its door; `null` of a reservation.
    locker_id: Option<i64>,
    /// Its bank.
    bank_id: i64,
    /// Who rents it.
    renter: RenterReply,
    /// First day of the rental.
    starts_on: String,
    /// Last day of the rental.
    ends_on: String,
    /// occupied (somebody has not emptied it), `out_of_service`, or `too_few`: a reservation for which
    /// no locker is left.
    reason: &'static str,
    /// The last day of whoever has not emptied it.
    occupied_until: Option<String>,
    /// Whether the renter was told.
    told: bool,
    /// Free lockers at the location for the same dates, the nearest first; at most three.
    alternatives: Vec<i64>,
    /// Of a reservation: banks at the location that have room for the same days.
    alternative_banks: Vec<i64>,
}

/// A page of shortages.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShortageListReply {
    /// The day on which the rentals begin.
    on: String,
    /// In the order of their rentals.
    shortages: Vec<ShortageReply>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// Which rows are listed. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    on: Option<String>,
    bank_id: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

/// What a list is asked for.
pub(super) struct Asked {
    /// The day of shortages.
    pub(super) on: Option<Date>,
    /// Of one bank.
    pub(super) bank: Option<BankId>,
    after: Option<RentalId>,
    limit: usize,
}

impl ListQuery {
    pub(super) fn read(&self) -> Result<Asked, Problem> {
        let limit = number::<usize>(self.limit.as_deref(), "limit", "1 to 100")?;
        let limit = limit.unwrap_or(PAGE_DEFAULT);
        if !(1..=PAGE_MAX).contains(&limit) {
            return Err(bad("limit", "1 to 100"));
        }
        Ok(Asked {
            on: number(self.on.as_deref(), "on", "a day like 2026-09-01")?,
            bank: number(self.bank_id.as_deref(), "bank_id", "a number")?.map(BankId),
            after: number(self.cursor.as_deref(), "cursor", "next_cursor of the page before")?
                .map(RentalId),
            limit,
        })
    }
}

fn number<T: std::str::FromStr>(
    text: Option<&str>,
    name: &str,
    accepted: &str,
) -> Result<Option<T>, Problem> {
    text.map(|text| text.parse().map_err(|_| bad(name, accepted))).transpose()
}

fn bad(name: &str, accepted: &str) -> Problem {
    Problem::new(Code::Invalid, format!("{name} must be {accepted}"))
}

/// A page of at most `limit` rows, of which one more was asked for, with where the next begins.
fn page<T>(
    mut rows: Vec<T>,
    limit: usize,
    id: impl Fn(&T) -> RentalId,
) -> (Vec<T>, Option<String>) {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| id(row).to_string());
    (rows, next)
}

impl From<GivenBack> for ReleaseReply {
    fn from(given: GivenBack) -> Self {
        Self {
            locker_id: given.locker_id.0,
            state: if given.opening.is_some() { "active" } else { "returned" },
            waits_for: given.waits_for.map(WaitsFor::name),
            free_at: given.free_at.map(|at| at.to_string()),
            operation_id: given.opening.map(|id| id.to_string()),
        }
    }
}

impl RenterReply {
    /// A member with student id and name, as far as they are still known.
    pub(super) fn of(member_id: i64, known: Option<(String, String)>) -> Self {
        let (student_id, name) = known.unzip();
        Self { member_id, student_id: student_id.as_deref().map(covered_id), name }
    }
}

impl From<Waiting> for ReturnReply {
    fn from(row: Waiting) -> Self {
        Self {
            rental_id: row.rental.id.0,
            locker_id: row.rental.locker_id.0,
            bank_id: row.bank_id.0,
            renter: RenterReply::of(row.rental.member_id.0, row.member),
            returned_at: row.returned_at.to_string(),
            waits_for: row.waits_for.map(WaitsFor::name),
            free_at: row.free_at.map(|at| at.to_string()),
        }
    }
}

impl From<Shortage> for ShortageReply {
    fn from(row: Shortage) -> Self {
        Self {
            rental_id: row.id.0,
            locker_id: row.locker_id.map(|id| id.0),
            bank_id: row.bank_id.0,
            renter: RenterReply::of(row.member_id.0, row.member),
            starts_on: row.dates.first().to_string(),
            ends_on: row.dates.last().to_string(),
            reason: row.reason.name(),
            occupied_until: row.occupied_until.map(|day| day.to_string()),
            told: row.told,
            alternatives: row.alternatives.into_iter().map(|id| id.0).collect(),
            alternative_banks: row.alternative_banks.into_iter().map(|id| id.0).collect(),
        }
    }
}

/// What belongs to one locker.
pub(super) fn locker_routes(api: &Api) -> Routes {
    release(api).or_route(free(api)).or_route(replace(api))
}

fn release(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId / "release")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_release)
}

/// Return the locker.
///
/// Others may have it when its door was seen closed and, if it was opened at all, the bank's grace
/// is over; until then its renter may open it again. Asked again, it tells how that goes.
#[utoipa::path(
    post, path = "/api/v1/lockers/{locker_id}/release", tag = "lockers",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<ReleaseBody>,
    responses(
        (status = 200, body = ReleaseReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 409), (status = 413), (status = 415), (status = 422),
        (status = 429), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_release(
    id: LockerId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let ReleaseBody { emptied, open, presence_code } = body.json_if_any(&head).await?;
    // Without a body as it was before there was one: a client that repeats over an update.
    let said = match (emptied, open) {
        (false, false) => "",
        (true, false) => " emptied",
        (_, true) => " open",
    };
    let key = head.request_key(&format!("release {id}{said}"))?;
    let wish = ReturnWish { emptied, open, presence_code };
    let given = api.services().release(caller, id, wish, key).await?;
    Ok(answer(&given.map(ReleaseReply::from), StatusCode::OK))
}

fn free(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId / "free")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_free)
}

/// Say that a returned locker is empty: others may have it at once.
///
/// For staff of the bank who have looked into it. Refused while it is being opened.
#[utoipa::path(
    post, path = "/api/v1/lockers/{locker_id}/free", tag = "returns",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = FreeBody,
    responses(
        (status = 200, body = ReleaseReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_free(
    id: LockerId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let asked: FreeBody = body.json(&head).await?;
    let key = head.request_key(&format!("free {id} {}", asked.reason))?;
    let freed = api.services().free(caller, id, &asked.reason, key).await?;
    Ok(answer(&freed.map(ReleaseReply::from), StatusCode::OK))
}

fn replace(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId / "replace")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_replace)
}

/// Take another locker in place of one that is not to be had, for the same dates.
///
/// For the renter of a locker that somebody has not emptied, or that is out of service. If it was
/// opened already it counts as returned, so that its things can still be taken out.
#[utoipa::path(
    post, path = "/api/v1/lockers/{locker_id}/replace", tag = "returns",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<ReplaceBody>,
    responses(
        (status = 200, body = ReplaceReply), (status = 401), (status = 404), (status = 409),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_replace(
    id: LockerId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let asked: ReplaceBody = body.json_if_any(&head).await?;
    let wanted = asked.locker_id.map(LockerId);
    let key = head.request_key(&format!("replace {id} {wanted:?}"))?;
    let taken = api.services().replace(caller, id, wanted, key).await?;
    Ok(answer(&taken.map(ReplaceReply::from), StatusCode::OK))
}

/// `/api/v1/returns`.
pub(super) fn routes(api: &Api) -> Routes {
    path!("api" / "v1" / "returns")
        .and(warp::get())
        .and(warp::query::<ListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Lockers of the caller's banks that were given back and are not free yet.
#[utoipa::path(
    get, path = "/api/v1/returns", tag = "returns",
    params(
        ("bank_id" = Option<i64>, Query, description = "of one bank"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = ReturnListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: ListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let Asked { on, bank, after, limit } = query.read()?;
    if on.is_some() {
        return Err(bad("on", "left out: returns are listed as they are now"));
    }
    let rows = api.services().waiting_returns(caller, bank, after, limit + 1).await?;
    let (rows, next_cursor) = page(rows, limit, |row| row.rental.id);
    let returns = rows.into_iter().map(Into::into).collect();
    Ok(warp::reply::json(&ReturnListReply { returns, next_cursor }).into_response())
}

/// `/api/v1/shortages`.
pub(super) fn shortage_routes(api: &Api) -> Routes {
    path!("api" / "v1" / "shortages")
        .and(warp::get())
        .and(warp::query::<ListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_shortages)
}

/// Rentals of the caller's banks that begin on a day and whose locker is not to be had, as known
/// now: somebody has not emptied it, or it is out of service. And reservations that begin on that
/// day and cannot be served, because fewer lockers are left than were promised.
#[utoipa::path(
    get, path = "/api/v1/shortages", tag = "returns",
    params(
        ("on" = Option<String>, Query, description = "the day; tomorrow when left out"),
        ("bank_id" = Option<i64>, Query, description = "of one bank"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = ShortageListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_shortages(
    query: ListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let Asked { on, bank, after, limit } = query.read()?;
    let (on, rows) = api.services().shortages(caller, on, bank, (after, limit + 1)).await?;
    let (rows, next_cursor) = page(rows, limit, |row| row.id);
    let shortages = rows.into_iter().map(Into::into).collect();
    let reply = ShortageListReply { on: on.to_string(), shortages, next_cursor };
    Ok(warp::reply::json(&reply).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_asked_for_in_words_and_a_wrong_one_is_named() {
        let plain = ListQuery::default().read().unwrap_or_else(|_| panic!("valid"));
        assert_eq!((plain.on, plain.limit), (None, PAGE_DEFAULT));
        let text = |text: &str| Some(text.to_owned());
        for (query, says) in [
            (ListQuery { on: text("soon"), ..ListQuery::default() }, "on"),
            (ListQuery { bank_id: text("x"), ..ListQuery::default() }, "bank_id"),
            (ListQuery { cursor: text("x"), ..ListQuery::default() }, "cursor"),
            (ListQuery { limit: text("0"), ..ListQuery::default() }, "limit"),
            (ListQuery { limit: text("101"), ..ListQuery::default() }, "limit"),
        ] {
            let Err(problem) = query.read() else { panic!("{says} was taken") };
            assert!(format!("{problem:?}").contains(&format!("{says} must be")), "{problem:?}");
        }
        let on = ListQuery { on: text("2026-09-01"), ..ListQuery::default() }.read();
        assert!(on.is_ok_and(|asked| asked.on.is_some()));
    }

    #[test]
    fn a_page_says_whether_there_is_more() {
        let ids = |count: i64| (1..=count).map(RentalId).collect::<Vec<_>>();
        let (rows, next) = page(ids(3), 2, |id| *id);
        assert_eq!((rows.len(), next.as_deref()), (2, Some("2")));
        let (rows, next) = page(ids(2), 2, |id| *id);
        assert_eq!((rows.len(), next), (2, None));
    }
}
