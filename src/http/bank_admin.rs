//! `/api/v1/banks`: banks as staff manage them, and their policies.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::locations::NameBody;
use super::lockers::{NameReply, answer};
use super::policies::{OptionsBody, OverdueBody, PoolBody, ReturnsBody};
use super::problem::Problem;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::bank::{BankPolicy, Mode, OpenFrom};
use crate::domain::hours::{Closing, WeekHours};
use crate::domain::id::{BankId, LocationId};
use crate::domain::time::DateSpan;
use crate::service::commissioning::demand_admin;
use crate::service::error::Code;
use crate::service::idempotency::Answer;
use crate::service::members::Actor;
use crate::service::places::banks::{BankBoard, BankChange, BankView, NewBank};

/// Largest policy in bytes: two hundred closings with long names in both languages.
const POLICY_BYTES_MAX: usize = 256 << 10;

/// Which banks are listed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BankListQuery {
    q: Option<String>,
    location_id: Option<String>,
    sort: Option<String>,
    retired: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

/// A bank before it has a number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BankBody {
    /// Where it stands.
    location_id: i64,
    /// Its name, unique at its location in Korean.
    name: NameBody,
    /// How its lockers are lent: choose or pool; choose when left out.
    #[serde(default)]
    #[schema(value_type = String)]
    mode: Mode,
    /// Its settings; the usual ones when left out.
    #[serde(default)]
    policy: Option<PolicyBody>,
}

/// What is to be different of a bank; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BankChangeBody {
    /// Where it stands.
    #[serde(default)]
    location_id: Option<i64>,
    /// Its name.
    #[serde(default)]
    name: Option<NameBody>,
    /// How its lockers are lent: choose or pool; only while nobody has one.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    mode: Option<Mode>,
}

/// The hours of a week, spans like `09:00-22:00` in site time, at most three a day; a day without one is
/// closed. A span that ends before it begins ends on the next day; `00:00-24:00` is the whole day.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the shape of WeekHours, for the API document")]
pub(super) struct HoursShape {
    mon: Option<Vec<String>>,
    tue: Option<Vec<String>>,
    wed: Option<Vec<String>>,
    thu: Option<Vec<String>>,
    fri: Option<Vec<String>>,
    sat: Option<Vec<String>>,
    sun: Option<Vec<String>>,
}

/// Days on which a bank stays closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClosingBody {
    /// The first day.
    first_on: String,
    /// The last day.
    last_on: String,
    /// Why.
    name: NameBody,
}

/// The whole settings of a bank.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyBody {
    /// How long a hold keeps a locker, in seconds; 10 to 3600.
    hold_seconds: u32,
    /// How long a door may stand open before it is an alarm, in seconds; 1 to 86400. `null`: as the
    /// site's configuration says.
    left_open_s: Option<u32>,
    /// From where renters may open: anywhere or presence.
    #[schema(value_type = String)]
    open_from: OpenFrom,
    /// How lockers are taken back; left out: as it is.
    #[serde(default)]
    returns: Option<ReturnsBody>,
    /// How reservations are taken, in pool mode; left out: as it is.
    #[serde(default)]
    pool: Option<PoolBody>,
    /// How those who are late are dealt with; left out: as it is.
    #[serde(default)]
    overdue: Option<OverdueBody>,
    /// What is offered beyond the plain rental; left out: as it is.
    #[serde(default)]
    options: Option<OptionsBody>,
    /// When renters may open; `null`: day and night.
    #[schema(value_type = Option<HoursShape>)]
    hours: Option<WeekHours>,
    /// Days on which renters may not open.
    closings: Vec<ClosingBody>,
}

impl PolicyBody {
    /// The settings of a bank that had these.
    fn read(self, had: BankPolicy) -> Result<BankPolicy, Problem> {
        let closings = self.closings.iter().map(ClosingBody::read).collect::<Result<_, _>>()?;
        Ok(BankPolicy {
            hold_seconds: self.hold_seconds,
            left_open_s: self.left_open_s,
            open_from: self.open_from,
            returns: self.returns.map_or(had.returns, Into::into),
            pool: self.pool.map_or(had.pool, Into::into),
            overdue: self.overdue.map_or(had.overdue, Into::into),
            options: self.options.map_or(had.options, Into::into),
            hours: self.hours,
            closings,
        })
    }
}

impl ClosingBody {
    fn read(&self) -> Result<Closing, Problem> {
        let day = |text: &str| page::value(Some(text), "a closing's day", "a date like 2026-09-01");
        let (first, last) = (day(&self.first_on)?, day(&self.last_on)?);
        let dates = first.zip(last).and_then(|(first, last)| DateSpan::new(first, last));
        let dates = dates
            .ok_or_else(|| Problem::new(Code::Invalid, "closings: one ends before it starts"))?;
        Ok(Closing { dates, name: self.name.read()? })
    }
}

/// Days on which a bank stays closed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClosingReply {
    /// The first day.
    first_on: String,
    /// The last day.
    last_on: String,
    /// Why.
    name: NameReply,
}

/// The whole settings of a bank, as `PUT` takes them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyReply {
    /// How long a hold keeps a locker, in seconds.
    hold_seconds: u32,
    /// How long a door may stand open before it is an alarm, in seconds; `null`: as the site's
    /// configuration says.
    left_open_s: Option<u32>,
    /// From where renters may open: anywhere or presence.
    open_from: &'static str,
    /// How lockers are taken back.
    returns: ReturnsBody,
    /// How reservations are taken, in pool mode.
    pool: PoolBody,
    /// How those who are late are dealt with.
    overdue: OverdueBody,
    /// What is offered beyond the plain rental.
    options: OptionsBody,
    /// When renters may open; `null`: day and night.
    #[schema(value_type = Option<HoursShape>)]
    hours: Option<WeekHours>,
    /// Days on which renters may not open, in the order of their days.
    closings: Vec<ClosingReply>,
}

impl From<BankPolicy> for PolicyReply {
    fn from(policy: BankPolicy) -> Self {
        // Named one by one, so that a new setting cannot be forgotten here.
        let BankPolicy {
            hold_seconds,
            left_open_s,
            open_from,
            returns,
            pool,
            overdue,
            options,
            hours,
            closings,
        } = policy;
        let closing = |it: Closing| ClosingReply {
            first_on: it.dates.first().to_string(),
            last_on: it.dates.last().to_string(),
            name: it.name.into(),
        };
        let closings = closings.into_iter().map(closing).collect();
        Self {
            hold_seconds,
            left_open_s,
            open_from: open_from.name(),
            returns: returns.into(),
            pool: pool.into(),
            overdue: overdue.into(),
            options: options.into(),
            hours,
            closings,
        }
    }
}

/// A bank, as staff see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BankReply {
    /// Its number.
    bank_id: i64,
    /// Its name.
    name: NameReply,
    /// Where it stands.
    location_id: i64,
    /// The name of its location.
    location: NameReply,
    /// How its lockers are lent: choose or pool.
    mode: &'static str,
    /// How many lockers it has.
    lockers: usize,
    /// How many of them are lent.
    in_service: usize,
    /// Whether people work on it: its doors raise no alarms meanwhile.
    maintenance: bool,
    /// The boards that its lockers hang on.
    boards: Vec<BankBoardReply>,
    /// Its settings.
    policy: PolicyReply,
    /// Since when it is kept for the history only, RFC 3339.
    retired_at: Option<String>,
}

/// A board that lockers of a bank hang on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BankBoardReply {
    /// The bus, as the configuration names it.
    bus: String,
    /// Its address there.
    board: u8,
    /// Whether it answers; `null` when nobody knows yet, or the configuration has no such board.
    answers: Option<bool>,
}

impl From<BankBoard> for BankBoardReply {
    fn from(board: BankBoard) -> Self {
        let BankBoard { bus, address, answers } = board;
        Self { bus: bus.as_str().to_owned(), board: address, answers }
    }
}

/// A page of banks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BankListReply {
    /// By number or name; retired ones the last one first.
    banks: Vec<BankReply>,
    /// How many there are on all pages.
    total: usize,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

impl From<BankView> for BankReply {
    fn from(view: BankView) -> Self {
        Self {
            bank_id: view.bank.id.0,
            name: view.bank.name.into(),
            location_id: view.bank.location_id.0,
            location: view.location.into(),
            mode: view.bank.mode.name(),
            lockers: view.lockers,
            in_service: view.in_service,
            maintenance: view.bank.maintenance.is_some(),
            boards: view.boards.into_iter().map(Into::into).collect(),
            policy: view.bank.policy.into(),
            retired_at: view.retired_at.map(|at| at.to_string()),
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    let list = path!("api" / "v1" / "banks")
        .and(warp::get())
        .and(warp::query::<BankListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list);
    let add = path!("api" / "v1" / "banks")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_add);
    let find = path!("api" / "v1" / "banks" / BankId)
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find);
    let change = path!("api" / "v1" / "banks" / BankId)
        .and(warp::patch())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_change);
    let retire = path!("api" / "v1" / "banks" / BankId)
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_retire);
    list.or_route(add).or_route(find).or_route(change).or_route(retire).or_route(policy_routes(api))
}

fn policy_routes(api: &Api) -> Routes {
    let find = path!("api" / "v1" / "banks" / BankId / "policy")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find_policy);
    let put = path!("api" / "v1" / "banks" / BankId / "policy")
        .and(warp::put())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_put_policy);
    find.or_route(put)
}

/// The banks. For staff.
#[utoipa::path(
    get, path = "/api/v1/banks", tag = "places",
    params(
        ("q" = Option<String>, Query, description = "words of its name or its location's"),
        ("location_id" = Option<i64>, Query, description = "only those of this location"),
        ("sort" = Option<String>, Query, description = "number or name; number when left out"),
        ("retired" = Option<bool>, Query, description = "true: those kept for the history only"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = BankListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: BankListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let retired = page::flag(query.retired.as_deref(), "retired")?.unwrap_or(false);
    let location: Option<i64> =
        page::value(query.location_id.as_deref(), "location_id", "a number")?;
    let mut all = api.services().banks(caller, retired).await?;
    all.retain(|it| {
        let (name, place) = (&it.bank.name, &it.location);
        location.is_none_or(|id| it.bank.location_id.0 == id)
            && page::holds(query.q.as_deref(), &[&name.ko, &name.en, &place.ko, &place.en])
    });
    match query.sort.as_deref() {
        None | Some("number") => {}
        Some("name") => {
            all.sort_by_cached_key(|it| (it.location.ko.clone(), it.bank.name.ko.clone()));
        }
        Some(_) => return Err(Problem::new(Code::Invalid, "sort must be number or name")),
    }
    let page = page::cut(all, query.cursor.as_deref(), query.limit.as_deref())?;
    let banks = page.rows.into_iter().map(Into::into).collect();
    let reply = BankListReply { banks, total: page.total, next_cursor: page.next_cursor };
    Ok(warp::reply::json(&reply).into_response())
}

/// One bank. For staff.
#[utoipa::path(
    get, path = "/api/v1/banks/{bank_id}", tag = "places", params(("bank_id" = i64, Path)),
    responses((status = 200, body = BankReply), (status = 401), (status = 403), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(id: BankId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let reply: BankReply = api.services().bank(caller, id)?.into();
    Ok(warp::reply::json(&reply).into_response())
}

/// Make a bank. For admins.
#[utoipa::path(
    post, path = "/api/v1/banks", tag = "places",
    params(("Idempotency-Key" = Option<String>, Header)), request_body = BankBody,
    responses(
        (status = 201, body = BankReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_add(head: Head, body: RawBody, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_admin(caller)?;
    let asked: BankBody = body.json_up_to(&head, POLICY_BYTES_MAX).await?;
    let key = head.request_key(&format!("bank.add {asked:?}"))?;
    let policy =
        asked.policy.map(|it| it.read(BankPolicy::default())).transpose()?.unwrap_or_default();
    let location_id = LocationId(asked.location_id);
    let new = NewBank { location_id, name: asked.name.read()?, mode: asked.mode, policy };
    let services = api.services();
    let done = services.add_bank(Actor::Caller(caller), new, key).await?;
    let reply: BankReply = services.bank(caller, done.value)?.into();
    Ok(answer(&Answer { value: reply, replayed: done.replayed }, StatusCode::CREATED))
}

/// Give a bank another name or location. For admins.
#[utoipa::path(
    patch, path = "/api/v1/banks/{bank_id}", tag = "places",
    params(("bank_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = BankChangeBody,
    responses(
        (status = 200, body = BankReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_change(
    id: BankId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_admin(caller)?;
    let asked: BankChangeBody = body.json(&head).await?;
    let key = head.request_key(&format!("bank.change {id} {asked:?}"))?;
    let change = BankChange {
        name: asked.name.map(|name| name.read()).transpose()?,
        location_id: asked.location_id.map(LocationId),
        mode: asked.mode,
    };
    let services = api.services();
    let done = services.change_bank(Actor::Caller(caller), id, change, key).await?;
    let reply: BankReply = services.bank(caller, done.value)?.into();
    Ok(answer(&Answer { value: reply, replayed: done.replayed }, StatusCode::OK))
}

/// Retire a bank with its lockers. For admins.
///
/// Refused while somebody rents or holds one of them. The numbers of its lockers are not used again.
#[utoipa::path(
    delete, path = "/api/v1/banks/{bank_id}", tag = "places",
    params(("bank_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 204), (status = 401), (status = 403), (status = 404), (status = 409),
        (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_retire(id: BankId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let key = head.request_key(&format!("bank.retire {id}"))?;
    api.services().retire_bank(Actor::Caller(caller), id, key).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The settings of a bank. For staff.
#[utoipa::path(
    get, path = "/api/v1/banks/{bank_id}/policy", tag = "places",
    params(("bank_id" = i64, Path)),
    responses((status = 200, body = PolicyReply), (status = 401), (status = 403), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_find_policy(
    id: BankId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let reply: PolicyReply = api.services().policy(caller, id)?.into();
    Ok(warp::reply::json(&reply).into_response())
}

/// Give a bank other settings, all at once. For admins.
///
/// They are checked as a whole, also against the terms that are for the bank; `mistakes` names the fields
/// of each contradiction.
#[utoipa::path(
    put, path = "/api/v1/banks/{bank_id}/policy", tag = "places",
    params(("bank_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = PolicyBody,
    responses(
        (status = 200, body = PolicyReply), (status = 401), (status = 403), (status = 404),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_put_policy(
    id: BankId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_admin(caller)?;
    let asked: PolicyBody = body.json_up_to(&head, POLICY_BYTES_MAX).await?;
    let key = head.request_key(&format!("bank.policy {id} {asked:?}"))?;
    let services = api.services();
    let policy = asked.read(services.policy(caller, id)?)?;
    let done = services.put_policy(Actor::Caller(caller), id, policy, key).await?;
    let reply: PolicyReply = services.policy(caller, id)?.into();
    Ok(answer(&Answer { value: reply, replayed: done.replayed }, StatusCode::OK))
}
