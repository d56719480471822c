//! `/api/v1/lockers`: the list, mine, one; hold, confirm, release-hold, open. Giving back is
//! `returns.rs`, the numbers of banks are `public_site.rs`.

use std::fmt::Write;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::body::{SharedTail, Tail};
use super::extensions::ExtendableReply;
use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, alarms, extensions, locker_admin, public_site, returns, with};
use crate::domain::channel::DoorState;
use crate::domain::id::LockerId;
use crate::domain::locker::Availability;
use crate::domain::returning::WaitsFor;
use crate::domain::time::Monotonic;
use crate::service::idempotency::Answer;
use crate::service::lockers::MyLocker;
use crate::service::openings::Wanted;
use crate::service::rentals::Held;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

pub(super) fn routes(api: &Api) -> Routes {
    hold(api)
        .or_route(confirm(api))
        .or_route(list(api))
        .or_route(mine(api))
        .or_route(public_site::summary(api))
        .or_route(returns::locker_routes(api))
        .or_route(extensions::routes(api))
        .or_route(release_hold(api))
        .or_route(open(api))
        .or_route(find(api))
        .or_route(alarms::mechanical_key(api))
        .or_route(locker_admin::routes(api))
}

/// The rows of the list, the same for everybody, kept until the state they show is not the newest.
#[derive(Default)]
pub(super) struct ListCache(ArcSwapOption<RenderedRows>);

struct RenderedRows {
    version: u64,
    stale_at: Monotonic,
    /// Distinguishes two renderings of one version: time alone may change a row.
    tag: String,
    available_count: usize,
    /// `"lockers":[…]}`
    rows: Arc<Tail>,
}

impl ListCache {
    fn rows(&self, api: &Api) -> Arc<RenderedRows> {
        let services = api.services();
        let (version, now) = (services.store.snapshot().version, services.clock.monotonic());
        if let Some(kept) = self.0.load_full()
            && kept.version == version
            && now < kept.stale_at
        {
            return kept;
        }
        let rendered = Arc::new(render(api));
        self.0.store(Some(Arc::clone(&rendered)));
        rendered
    }
}

fn render(api: &Api) -> RenderedRows {
    let listing = api.services().listing();
    let mut rows = String::with_capacity(64 << 10);
    let mut available_count = 0;
    rows.push_str("\"lockers\":[");
    for (number, row) in listing.rows().enumerate() {
        available_count += usize::from(row.availability == Availability::Free);
        let comma = if number == 0 { "" } else { "," };
        // Every part is a number or a name of ours: nothing to escape.
        let _ = write!(
            rows,
            "{comma}{{\"locker_id\":{},\"location\":{},\"bank\":{},\"state\":\"{}\"}}",
            row.locker.id,
            row.bank.location_id,
            row.bank.id,
            row.availability.name()
        );
    }
    rows.push_str("]}");
    let version = listing.version();
    let tag =
        format!("{:x}.{version:x}.{:x}", api.parts().started.as_millisecond(), listing.stale_at.0);
    RenderedRows {
        version,
        stale_at: listing.stale_at,
        tag,
        available_count,
        rows: Tail::new(rows),
    }
}

/// One locker of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LockerRow {
    /// The number on its door.
    locker_id: i64,
    /// The number of its location; names are in the summary.
    location: i64,
    /// The number of its bank.
    bank: i64,
    /// Whether it can be claimed.
    state: LockerState,
}

/// What everybody may know of a locker.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "the shape of what render() writes, for the API document")]
pub(super) enum LockerState {
    /// Can be held now, when an application window is open.
    Free,
    /// Held by somebody for a minute.
    Held,
    /// Rented.
    Taken,
    /// Not lent for now.
    OutOfService,
}

/// Every locker of the site.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LockerListReply {
    /// Counts up with each change.
    version: u64,
    /// The server's clock, RFC 3339.
    server_time: String,
    /// The locker that the caller holds or rents.
    my_locker_id: Option<i64>,
    /// How many are free.
    available_count: usize,
    /// In the order of their numbers.
    lockers: Vec<LockerRow>,
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Every locker with its state.
///
/// Send the `ETag` back as If-None-Match to get 304 while nothing has changed.
#[utoipa::path(
    get, path = "/api/v1/lockers", tag = "lockers",
    responses((status = 200, body = LockerListReply), (status = 304), (status = 401)),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let rows = api.parts().lists.rows(&api);
    let mine = api.services().my_locker_id(caller.member_id);
    let my_locker_id = mine.map_or_else(|| "null".to_owned(), |id| id.to_string());
    let etag = format!("\"{}.{my_locker_id}\"", rows.tag);
    let mut response = Response::default();
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, value);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if head.has_version(&etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let head = format!(
        "{{\"version\":{},\"server_time\":\"{}\",\"my_locker_id\":{my_locker_id},\
         \"available_count\":{},",
        rows.version,
        api.services().clock.now(),
        rows.available_count
    );
    response
        .extensions_mut()
        .insert(SharedTail { head: head.into(), tail: Arc::clone(&rows.rows) });
    Ok(response)
}

/// A name in both languages.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NameReply {
    ko: String,
    en: String,
}

impl From<crate::domain::name::Name> for NameReply {
    fn from(name: crate::domain::name::Name) -> Self {
        Self { ko: name.ko, en: name.en }
    }
}

/// When claims are accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WindowReply {
    /// open, before, after, none, or `clock_untrusted`: while the server does not know the time for
    /// certain, none is open.
    state: String,
    /// First instant at which claims are accepted, RFC 3339.
    opens_at: Option<String>,
    /// First instant at which they are not any more.
    closes_at: Option<String>,
    /// First day of the rentals.
    starts_on: Option<String>,
    /// Last day of the rentals.
    ends_on: Option<String>,
    /// The server's clock when this was looked up.
    server_time: String,
}

/// The caller's own locker.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MyLockerReply {
    /// `null` when the caller has none.
    locker: Option<MyLockerDetail>,
    /// What else the caller holds or rents: a locker that should be empty by now, one for days to come.
    others: Vec<MyLockerDetail>,
    /// Others that the caller gave back, and may open again until they are free.
    returning: Vec<MyLockerDetail>,
    /// How many reservations of the caller wait for their day: see `/api/v1/reservations/me`.
    reservations: usize,
    /// The last day on which the caller may claim none, after a late return.
    penalty_until: Option<String>,
}

/// How late a rental is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LateReply {
    /// Days since its last day.
    late_days: u32,
    /// Whether staff, or the bank's rule, have restricted it.
    sealed: bool,
    /// Whether its renter may open the locker, to empty it.
    may_open: bool,
    /// From which day on its renter cannot open it any more.
    seal_on: Option<String>,
}

/// The caller's hold or rental.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MyLockerDetail {
    /// The number on its door.
    locker_id: i64,
    /// Its bank.
    bank_id: i64,
    /// Where it stands.
    location: NameReply,
    /// Whether it is lent; a rental of one that is not goes on, and may be replaced.
    in_service: bool,
    /// held, active or returned.
    state: &'static str,
    /// How much of a hold is left, in milliseconds.
    hold_expires_in_ms: Option<u64>,
    /// Whether a hold is what the caller waited for: it lives as long as the bank's offers do.
    offer: bool,
    /// Whether a rental can be extended; `null` where the bank extends none.
    extendable: Option<ExtendableReply>,
    /// What a returned one waits for before it is free: door, grace, confirmation or staff.
    waits_for: Option<&'static str>,
    /// From when on a returned one is free, RFC 3339, as far as that is known.
    free_at: Option<String>,
    /// First day of the rental.
    starts_on: String,
    /// Last day of the rental.
    ends_on: String,
    /// open, closed or unknown.
    #[schema(value_type = String)]
    door: DoorState,
    /// Since when the door is as it is, RFC 3339; `null` where that was not seen since the server's start.
    door_since: Option<String>,
    /// How late it is; `null` when it is not.
    late: Option<LateReply>,
}

impl From<MyLocker> for MyLockerDetail {
    fn from(mine: MyLocker) -> Self {
        Self {
            locker_id: mine.rental.locker_id.0,
            bank_id: mine.bank_id.0,
            location: mine.location.into(),
            in_service: mine.in_service,
            state: mine.rental.state.name(),
            hold_expires_in_ms: mine.hold_expires_in_ms,
            offer: mine.offer,
            extendable: mine.extendable.map(Into::into),
            waits_for: mine.waits_for.map(WaitsFor::name),
            free_at: mine.free_at.map(|at| at.to_string()),
            starts_on: mine.rental.dates.first().to_string(),
            ends_on: mine.rental.dates.last().to_string(),
            door: mine.door,
            door_since: mine.door_since.map(|at| at.to_string()),
            late: mine.late.map(|late| LateReply {
                late_days: late.late_days,
                sealed: late.sealed,
                may_open: late.may_open,
                seal_on: late.seal_on.map(|day| day.to_string()),
            }),
        }
    }
}

fn mine(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / "me")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_mine)
}

/// The locker that the caller holds, rents or gave back.
#[utoipa::path(
    get, path = "/api/v1/lockers/me", tag = "lockers",
    responses((status = 200, body = MyLockerReply), (status = 401)), security(("bearer" = []))
)]
pub(super) async fn handle_mine(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let (mut locker, mut others) = api.services().my_lockers(caller);
    for MyLocker { rental, late, .. } in locker.iter_mut().chain(&mut others) {
        if let Some(late) = late {
            *late = api.services().without_void_seal_day(rental, *late).await;
        }
    }
    let (returning, others): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|mine| mine.rental.is_returned());
    let returning = returning.into_iter().map(Into::into).collect();
    let others = others.into_iter().map(Into::into).collect();
    let reservations = api.services().reservations_waiting(caller);
    let penalty_until = api.services().penalty_until(caller).map(|day| day.to_string());
    let locker = locker.map(Into::into);
    let reply = MyLockerReply { locker, others, returning, reservations, penalty_until };
    Ok(warp::reply::json(&reply).into_response())
}

/// One locker.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LockerReply {
    /// The number on its door.
    locker_id: i64,
    /// Where it stands.
    location: NameReply,
    bank_id: i64,
    bank: NameReply,
    /// From where its renter may open it: anywhere or presence (only standing before it).
    open_from: &'static str,
    /// free, held, taken or `out_of_service`.
    #[schema(value_type = LockerState)]
    state: Availability,
    /// Whether the caller holds or rents it.
    mine: bool,
    /// open, closed or unknown; told to its renter and to staff of the bank only.
    #[schema(value_type = Option<String>)]
    door: Option<DoorState>,
    /// Whether claims are accepted, and when.
    #[schema(value_type = WindowReply)]
    window: Value,
}

fn find(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId)
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// One locker.
#[utoipa::path(
    get, path = "/api/v1/lockers/{locker_id}", tag = "lockers",
    params(("locker_id" = i64, Path)),
    responses((status = 200, body = LockerReply), (status = 401), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(id: LockerId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let view = api.services().locker(caller, id)?;
    Ok(warp::reply::json(&LockerReply {
        locker_id: view.id.0,
        location: view.location.into(),
        bank_id: view.bank.id.0,
        open_from: view.bank.policy.open_from.name(),
        bank: view.bank.name.into(),
        state: view.availability,
        mine: view.mine,
        door: view.door,
        window: view.window,
    })
    .into_response())
}

/// A granted hold.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HoldReply {
    /// The number on its door.
    locker_id: i64,
    /// How long it is kept, in milliseconds.
    expires_in_ms: u64,
}

/// A confirmed rental.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConfirmReply {
    /// The number on its door.
    locker_id: i64,
    /// First day of the rental.
    starts_on: String,
    /// Last day of the rental.
    ends_on: String,
}

/// A hold that was given up.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReleaseHoldReply {
    /// The number on its door.
    locker_id: i64,
}

/// What may come with the wish to open.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenRequest {
    /// The six digits that the screen beside the bank shows: needed where the bank opens only to
    /// people who stand before it.
    presence_code: Option<String>,
}

/// An opening that was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpenReply {
    /// Ask `/api/v1/openings/{operation_id}` how it goes.
    operation_id: String,
}

/// Answers a change; says when it is the answer of an earlier request.
pub(super) fn answer<T>(answer: &Answer<T>, status: StatusCode) -> Response
where
    T: Serialize,
{
    let json = warp::reply::json(&answer.value);
    let mut response = warp::reply::with_status(json, status).into_response();
    if answer.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

pub(super) fn held(granted: Answer<Held>) -> Response {
    let reply = granted
        .map(|held| HoldReply { locker_id: held.locker_id.0, expires_in_ms: held.expires_in_ms });
    answer(&reply, StatusCode::CREATED)
}

fn hold(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId / "hold")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_hold)
}

/// Keep a locker for a minute.
#[utoipa::path(
    post, path = "/api/v1/lockers/{locker_id}/hold", tag = "lockers",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = HoldReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_hold(id: LockerId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let key = head.request_key(&format!("hold {id}"))?;
    Ok(held(api.services().hold(caller, id, key).await?))
}

fn confirm(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId / "confirm")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_confirm)
}

/// Turn the hold into a rental for the term's dates.
#[utoipa::path(
    post, path = "/api/v1/lockers/{locker_id}/confirm", tag = "lockers",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = ConfirmReply), (status = 401), (status = 404), (status = 409),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_confirm(
    id: LockerId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let key = head.request_key(&format!("confirm {id}"))?;
    let confirmed = api.services().confirm(caller, id, key).await?;
    let reply = confirmed.map(|rental| ConfirmReply {
        locker_id: rental.locker_id.0,
        starts_on: rental.dates.first().to_string(),
        ends_on: rental.dates.last().to_string(),
    });
    Ok(answer(&reply, StatusCode::OK))
}

fn release_hold(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId / "release-hold")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_release_hold)
}

/// Give the hold up.
#[utoipa::path(
    post, path = "/api/v1/lockers/{locker_id}/release-hold", tag = "lockers",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = ReleaseHoldReply), (status = 401), (status = 404), (status = 409),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_release_hold(
    id: LockerId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let key = head.request_key(&format!("release-hold {id}"))?;
    let released = api.services().release_hold(caller, id, key).await?;
    let reply = released.map(|it| ReleaseHoldReply { locker_id: it.locker_id.0 });
    Ok(answer(&reply, StatusCode::OK))
}

fn open(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId / "open")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_open)
}

/// Open the locker.
///
/// The answer comes when the request is stored; how it goes is asked for under
/// `/api/v1/openings/{operation_id}`. The body may be left out. A repeat with the same key may carry
/// another code: it is the same opening.
#[utoipa::path(
    post, path = "/api/v1/lockers/{locker_id}/open", tag = "lockers",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<OpenRequest>,
    responses(
        (status = 202, body = OpenReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 409), (status = 413), (status = 415), (status = 422),
        (status = 429), (status = 503),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_open(
    id: LockerId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let asked = body.json_if_any::<OpenRequest>(&head).await?;
    let key = head.request_key(&format!("open {id}"))?;
    let wanted = Wanted { locker: id, presence_code: asked.presence_code, key };
    let opening = api.services().open(caller, wanted).await?;
    let reply = opening.map(|id| OpenReply { operation_id: id.to_string() });
    Ok(answer(&reply, StatusCode::ACCEPTED))
}
