//! `/api/v1/banks/{bank_id}/map` and `/calendar`: how a bank looks, on which days it is open, and which
//! are full.

use data_encoding::HEXLOWER;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use warp::reply::Response;
use warp::{Filter, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::locations::NameBody;
use super::lockers::NameReply;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::hours::Openness;
use crate::domain::id::{BankId, LockerId};
use crate::domain::layout::{BankLayout, Fixture, FixtureKind, Front, Level, Place};
use crate::domain::pool::PoolPolicy;
use crate::domain::time::DateSpan;
use crate::service::commissioning::demand_admin;
use crate::service::error::Code;
use crate::service::members::Actor;
use crate::service::places::map::{CalendarView, CellOrder, DayView, MapView};

/// Largest map in bytes: a thousand lockers of a hundred bytes, and what stands between them.
const MAP_BYTES_MAX: usize = 256 << 10;

/// A locker on a map.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CellReply {
    /// Its number, as other calls know it.
    locker: i64,
    /// What is written on its door.
    number: String,
    /// Leftmost column, from 1.
    col: u16,
    /// Topmost row, from 1.
    row: u16,
    /// Columns it takes.
    w: u16,
    /// Rows it takes.
    h: u16,
    /// How high it hangs: top, eye, middle or low; `null` when nobody said so.
    level: Option<&'static str>,
    /// Whether it can be used from a wheelchair.
    accessible: bool,
}

/// Something in the grid that is no locker.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FixtureReply {
    /// kiosk, pillar, wall or gap.
    kind: &'static str,
    /// Leftmost column, from 1.
    col: u16,
    /// Topmost row, from 1.
    row: u16,
    /// Columns it takes.
    w: u16,
    /// Rows it takes.
    h: u16,
    /// What is written there.
    label: Option<NameReply>,
}

/// A bank as it is drawn, seen from the front.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MapReply {
    /// The bank.
    id: i64,
    /// Its name.
    name: NameReply,
    /// Columns of the whole.
    cols: u16,
    /// Rows of the whole.
    rows: u16,
    /// The lockers in the order of their numbers.
    cells: Vec<CellReply>,
    /// What else stands there.
    fixtures: Vec<FixtureReply>,
    /// To which side the doors look: N, E, S or W; `null` when nobody said so.
    front: Option<&'static str>,
    /// True: nobody said where the lockers stand, they are in the order of their numbers.
    computed: bool,
}

/// A rectangle of cells with a locker.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CellBody {
    /// Its number.
    locker: i64,
    /// Leftmost column, 1 to 200.
    col: u16,
    /// Topmost row, 1 to 200.
    row: u16,
    /// Columns it takes; 1 when left out.
    #[serde(default = "one")]
    w: u16,
    /// Rows it takes; 1 when left out.
    #[serde(default = "one")]
    h: u16,
    /// How high it hangs: top, eye, middle or low.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    level: Option<Level>,
    /// Whether it can be used from a wheelchair.
    #[serde(default)]
    accessible: bool,
}

/// Something in the grid that is no locker.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FixtureBody {
    /// kiosk, pillar, wall or gap.
    #[schema(value_type = String)]
    kind: FixtureKind,
    /// Leftmost column, 1 to 200.
    col: u16,
    /// Topmost row, 1 to 200.
    row: u16,
    /// Columns it takes; 1 when left out.
    #[serde(default = "one")]
    w: u16,
    /// Rows it takes; 1 when left out.
    #[serde(default = "one")]
    h: u16,
    /// What is written there.
    #[serde(default)]
    label: Option<NameBody>,
}

const fn one() -> u16 {
    1
}

/// The whole map of a bank.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MapBody {
    /// To which side the doors look: N, E, S or W.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    front: Option<Front>,
    /// Where its lockers stand; those that are not named have no place afterwards.
    cells: Vec<CellBody>,
    /// What else stands there.
    #[serde(default)]
    fixtures: Vec<FixtureBody>,
}

impl From<MapView> for MapReply {
    fn from(view: MapView) -> Self {
        let cells = view.cells.iter().map(|cell| CellReply {
            locker: cell.locker_id.0,
            number: cell.locker_id.to_string(),
            col: cell.place.col,
            row: cell.place.row,
            w: cell.place.width,
            h: cell.place.height,
            level: cell.level.map(Level::name),
            accessible: cell.accessible,
        });
        let fixture = |it: Fixture| FixtureReply {
            kind: it.kind.name(),
            col: it.place.col,
            row: it.place.row,
            w: it.place.width,
            h: it.place.height,
            label: it.label.map(Into::into),
        };
        Self {
            id: view.bank_id.0,
            name: view.name.into(),
            cols: view.cols,
            rows: view.rows,
            cells: cells.collect(),
            fixtures: view.layout.fixtures.into_iter().map(fixture).collect(),
            front: view.layout.front.map(Front::name),
            computed: view.computed,
        }
    }
}

/// Which days.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CalendarQuery {
    from: Option<String>,
    to: Option<String>,
    month: Option<String>,
}

impl CalendarQuery {
    /// The first and the last day that are asked for.
    fn read(&self) -> Result<(Option<Date>, Option<Date>), Problem> {
        let accepted = "a date like 2026-09-01";
        let from = page::value(self.from.as_deref(), "from", accepted)?;
        let to = page::value(self.to.as_deref(), "to", accepted)?;
        let Some(month) = &self.month else { return Ok((from, to)) };
        let first = page::value(Some(&format!("{month}-01")), "month", "a month like 2026-09")?;
        if from.is_some() || to.is_some() {
            let detail = "month must be left out where from or to is given";
            return Err(Problem::new(Code::Invalid, detail));
        }
        Ok((first, first.map(Date::last_of_month)))
    }
}

/// A span in which renters may open.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SpanReply {
    /// As it was set, in site time.
    hours: String,
    /// From this instant on, RFC 3339.
    opens_at: String,
    /// From this instant on not any more.
    closes_at: String,
}

/// A day of a bank.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DayReply {
    /// Which.
    date: String,
    /// Whether renters may open at some time of it.
    open: bool,
    /// Why the bank stays closed; `null` when it is no closing day.
    closing: Option<NameReply>,
    /// The spans that begin on it.
    spans: Vec<SpanReply>,
    /// In pool mode, of a day that is not over: how many more reservations it can bear. Not told while
    /// the database fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<u32>,
    /// In pool mode, of a day that is not over: whether it can bear none.
    #[serde(skip_serializing_if = "Option::is_none")]
    full: Option<bool>,
}

/// How a bank in pool mode takes reservations today.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReservableReply {
    /// The first day on which a reservation may begin.
    first_start_on: String,
    /// The last one.
    last_start_on: String,
    /// Most days of one reservation.
    days_max: Option<u16>,
    /// Within how many days it must be checked in, the first one counted; `null`: until its last day.
    check_in_days: Option<u16>,
    /// How many reservations of one member may wait.
    reservations_max: u16,
}

/// When a bank is open to its renters.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CalendarReply {
    /// Which bank.
    bank_id: i64,
    /// Whether renters may open now.
    open_now: bool,
    /// When it opens next, RFC 3339; `null` while it is open, or when nobody can tell.
    opens_at: Option<String>,
    /// The site's time zone.
    time_zone: String,
    /// The server's clock, RFC 3339.
    server_time: String,
    /// How reservations are taken; only in pool mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    reservations: Option<ReservableReply>,
    /// The days that were asked for.
    days: Vec<DayReply>,
}

impl From<DayView> for DayReply {
    fn from(day: DayView) -> Self {
        let spans = day.spans.iter().map(|it| SpanReply {
            hours: it.span.to_string(),
            opens_at: it.opens_at.to_string(),
            closes_at: it.closes_at.to_string(),
        });
        Self {
            date: day.date.to_string(),
            open: !day.spans.is_empty(),
            spans: spans.collect(),
            closing: day.closing.map(Into::into),
            left: day.left,
            full: day.left.map(|left| left == 0),
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    let find = path!("api" / "v1" / "banks" / BankId / "map")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_map);
    let put = path!("api" / "v1" / "banks" / BankId / "map")
        .and(warp::put())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_put_map);
    let calendar = path!("api" / "v1" / "banks" / BankId / "calendar")
        .and(warp::get())
        .and(warp::query::<CalendarQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_calendar);
    find.or_route(put).or_route(calendar)
}

/// How a bank looks: where its lockers stand and what stands between them.
///
/// States come apart, from `/api/v1/lockers` and the live socket. Send the `ETag` back as If-None-Match to
/// get 304 while nothing has changed; it stays the same over restarts.
#[utoipa::path(
    get, path = "/api/v1/banks/{bank_id}/map", tag = "places", params(("bank_id" = i64, Path)),
    responses((status = 200, body = MapReply), (status = 304), (status = 401), (status = 404)),
    security(("bearer" = []))
)]
pub(super) async fn handle_map(id: BankId, head: Head, api: Api) -> Result<Response, Problem> {
    head.caller(&api)?;
    map_response(&head, &api, id, false)
}

/// Answers the map with its tag. Who has just changed it gets the whole.
fn map_response(head: &Head, api: &Api, id: BankId, changed: bool) -> Result<Response, Problem> {
    let reply: MapReply = api.services().map(id)?.into();
    let text = serde_json::to_string(&reply).unwrap_or_default();
    let hash = Sha256::digest(&text);
    let etag = format!("\"{}\"", HEXLOWER.encode(&hash[..12]));
    let known = if changed { None } else { Some(head) };
    Ok(unless_known(known, &etag, || text))
}

/// Say where the lockers of a bank stand, all at once. For admins.
///
/// Lockers that are not named have no place afterwards. Nothing may overlap; a refusal names the two.
#[utoipa::path(
    put, path = "/api/v1/banks/{bank_id}/map", tag = "places",
    params(("bank_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = MapBody,
    responses(
        (status = 200, body = MapReply), (status = 401), (status = 403), (status = 404),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_put_map(
    id: BankId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_admin(caller)?;
    let asked: MapBody = body.json_up_to(&head, MAP_BYTES_MAX).await?;
    let key = head.request_key(&format!("bank.map {id} {asked:?}"))?;
    let place = |col, row, (width, height)| Place { col, row, width, height };
    let fixture = |it: &FixtureBody| {
        let label = it.label.as_ref().map(NameBody::read).transpose()?;
        Ok(Fixture { kind: it.kind, place: place(it.col, it.row, (it.w, it.h)), label })
    };
    let fixtures = asked.fixtures.iter().map(fixture).collect::<Result<Vec<_>, Problem>>()?;
    let cell = |it: &CellBody| CellOrder {
        locker_id: LockerId(it.locker),
        place: place(it.col, it.row, (it.w, it.h)),
        level: it.level,
        accessible: it.accessible,
    };
    let cells = asked.cells.iter().map(cell).collect();
    let layout = BankLayout { front: asked.front, fixtures };
    api.services().put_map(Actor::Caller(caller), id, layout, cells, key).await?;
    map_response(&head, &api, id, true)
}

/// When a bank is open to its renters, from one day to another, and in pool mode which days are full.
///
/// From today for a month when nothing is said; at most 92 days. A span belongs to the day on which it
/// begins, also when it ends after midnight. Staff of the bank may open at any time. Send the `ETag` back
/// as If-None-Match to get 304 while nothing has changed.
#[utoipa::path(
    get, path = "/api/v1/banks/{bank_id}/calendar", tag = "places",
    params(
        ("bank_id" = i64, Path),
        ("from" = Option<String>, Query, description = "first day, like 2026-09-01"),
        ("to" = Option<String>, Query, description = "last day"),
        ("month" = Option<String>, Query, description = "instead of both: all of a month, like 2026-09"),
    ),
    responses(
        (status = 200, body = CalendarReply), (status = 304), (status = 400), (status = 401), (status = 404),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_calendar(
    id: BankId,
    query: CalendarQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    head.caller_at_kiosk_too(&api)?;
    let (from, to) = query.read()?;
    let services = api.services();
    let CalendarView { bank_id, now, pool, version, days } = services.calendar(id, from, to)?;
    let opens_at = match now {
        Openness::Open => None,
        Openness::Closed { opens_at } => opens_at.map(|at| at.to_string()),
    };
    let asked = days.first().zip(days.last()).map(|(first, last)| (first.date, last.date));
    let seen = (api.parts().started.as_millisecond(), version, bank_id, asked, &opens_at, now);
    let hash = Sha256::digest(format!("{seen:?}"));
    let etag = format!("\"{}\"", HEXLOWER.encode(&hash[..12]));
    let reservable = |(pool, starts): (PoolPolicy, DateSpan)| ReservableReply {
        first_start_on: starts.first().to_string(),
        last_start_on: starts.last().to_string(),
        days_max: pool.days_max,
        check_in_days: pool.check_in_days,
        reservations_max: pool.reservations_max,
    };
    let reply = move || CalendarReply {
        bank_id: bank_id.0,
        open_now: now == Openness::Open,
        opens_at,
        time_zone: services.clock.zone().iana_name().unwrap_or("UTC").to_owned(),
        server_time: services.clock.now().to_string(),
        reservations: pool.map(reservable),
        days: days.into_iter().map(Into::into).collect(),
    };
    Ok(unless_known(Some(&head), &etag, || serde_json::to_string(&reply()).unwrap_or_default()))
}

/// Answers a text with its tag, or that the client has it already.
fn unless_known(head: Option<&Head>, etag: &str, text: impl FnOnce() -> String) -> Response {
    let mut response = Response::default();
    if head.is_some_and(|head| head.has_version(etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        response = Response::new(text().into());
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, value);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}
