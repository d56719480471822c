//! Lockers as staff manage them: `/api/v1/banks/{bank_id}/lockers`, and below `/api/v1/lockers/{locker_id}`
//! changing, retiring, `service` and `notes`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::lockers::answer;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::channel::{BusName, Channel};
use crate::domain::id::{BankId, LockerId};
use crate::domain::layout::{Level, Place, Run};
use crate::service::commissioning::demand_admin;
use crate::service::error::Code;
use crate::service::idempotency::Answer;
use crate::service::members::Actor;
use crate::service::places::lockers::{Edit, LockerChange, LockerFilter, LockerSetup, NewLockers};

/// Which lockers of a bank are listed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BankLockersQuery {
    in_service: Option<String>,
    wired: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

impl BankLockersQuery {
    pub(super) fn filter(&self) -> Result<LockerFilter, Problem> {
        Ok(LockerFilter {
            in_service: page::flag(self.in_service.as_deref(), "in_service")?,
            wired: page::flag(self.wired.as_deref(), "wired")?,
        })
    }
}

/// Which page of what was written down.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HistoryQuery {
    cursor: Option<String>,
    limit: Option<String>,
}

/// Where a lock is wired.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WireBody {
    /// The bus, as the configuration names it.
    bus: String,
    /// The board's address.
    board: u8,
    /// The lock's number on the board, from 1.
    lock: u8,
}

impl WireBody {
    fn read(&self) -> Result<Channel, Problem> {
        let channel =
            BusName::parse(&self.bus).and_then(|bus| Channel::new(bus, self.board, self.lock));
        channel.map_err(|error| Problem::new(Code::Invalid, error.to_string()))
    }
}

/// Where a locker stands in its bank's grid.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceBody {
    /// Leftmost column, 1 to 200.
    col: u16,
    /// Topmost row, 1 to 200.
    row: u16,
    /// Columns it takes; 1 when left out.
    #[serde(default = "one")]
    width: u16,
    /// Rows it takes; 1 when left out.
    #[serde(default = "one")]
    height: u16,
}

const fn one() -> u16 {
    1
}

impl From<PlaceBody> for Place {
    fn from(body: PlaceBody) -> Self {
        let PlaceBody { col, row, width, height } = body;
        Self { col, row, width, height }
    }
}

impl From<Place> for PlaceBody {
    fn from(place: Place) -> Self {
        let Place { col, row, width, height } = place;
        Self { col, row, width, height }
    }
}

/// Where the lockers of a range stand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RunBody {
    /// Where the first one stands, and how large each is.
    first: PlaceBody,
    /// How many stand side by side before the next row begins; or
    #[serde(default)]
    per_row: Option<u16>,
    /// how many stand below each other before the next column begins.
    #[serde(default)]
    per_column: Option<u16>,
}

impl RunBody {
    fn read(&self) -> Result<Run, Problem> {
        let (per_line, down) = match (self.per_row, self.per_column) {
            (Some(per_row), None) if per_row > 0 => (per_row, false),
            (None, Some(per_column)) if per_column > 0 => (per_column, true),
            _ => return Err(Problem::new(Code::Invalid, "send either per_row or per_column")),
        };
        Ok(Run { first: self.first.into(), per_line, down })
    }
}

/// Lockers to be made, one or a range.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLockersBody {
    /// The first number, as it stands on the door.
    from: i64,
    /// The last number; the first when left out. At most 500 at once.
    #[serde(default)]
    to: Option<i64>,
    /// Where the first one is wired; each next one has the next lock of the same board. Opened by key
    /// when left out.
    #[serde(default)]
    wire: Option<WireBody>,
    /// False to set them up without lending them.
    #[serde(default = "yes")]
    in_service: bool,
    /// Where they stand.
    #[serde(default)]
    layout: Option<RunBody>,
    /// How high they hang: top, eye, middle or low.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    level: Option<Level>,
    /// Whether they can be used from a wheelchair.
    #[serde(default)]
    accessible: bool,
}

const fn yes() -> bool {
    true
}

/// What is to be different of a locker; what is left out stays, `null` takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LockerChangeBody {
    /// Its bank; only while nobody rents or holds it.
    #[serde(default)]
    bank_id: Option<i64>,
    /// Where it is wired; `null`: opened by key.
    #[serde(default)]
    #[schema(value_type = Option<WireBody>)]
    wire: Edit<WireBody>,
    /// Where it stands.
    #[serde(default)]
    #[schema(value_type = Option<PlaceBody>)]
    place: Edit<PlaceBody>,
    /// How high it hangs: top, eye, middle or low.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    level: Edit<Level>,
    /// Whether it can be used from a wheelchair.
    #[serde(default)]
    accessible: Option<bool>,
}

/// Taking a locker out of service, or putting it back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceBody {
    /// Whether it is lent.
    in_service: bool,
    /// Why, 1 to 500 characters; whoever rents the locker is told when it is taken out.
    reason: String,
}

/// Something to be kept about a locker.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteBody {
    /// 1 to 500 characters.
    text: String,
}

/// A locker, as staff set it up.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LockerSetupReply {
    /// The number on its door.
    locker_id: i64,
    /// Its bank.
    bank_id: i64,
    /// Where it is wired; `null`: opened by key.
    wire: Option<WireBody>,
    /// Whether it is lent.
    in_service: bool,
    /// Why it is out of service.
    reason: Option<String>,
    /// Where it stands; `null` when nobody said so.
    place: Option<PlaceBody>,
    /// How high it hangs: top, eye, middle or low.
    level: Option<&'static str>,
    /// Whether it can be used from a wheelchair.
    accessible: bool,
}

/// A page of a bank's lockers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BankLockersReply {
    /// In the order of their numbers.
    lockers: Vec<LockerSetupReply>,
    /// How many there are on all pages.
    total: usize,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// Lockers that were made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MadeLockersReply {
    /// Their numbers.
    locker_ids: Vec<i64>,
}

/// When a locker was taken out of service or put back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServiceStepReply {
    /// When, RFC 3339.
    at: String,
    /// Whether it was lent from then on.
    in_service: bool,
    /// Why.
    reason: String,
    /// Who did it; `null` for the command line and for files.
    member_id: Option<i64>,
}

/// A page of what happened to a locker's service.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServiceHistoryReply {
    /// Newest first.
    steps: Vec<ServiceStepReply>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// Something that was written about a locker.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NoteReply {
    /// Its number.
    note_id: i64,
    /// When, RFC 3339.
    at: String,
    /// Who.
    member_id: i64,
    /// Their name; empty when the account is gone.
    name: String,
    /// The words.
    text: String,
}

/// A page of notes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NoteListReply {
    /// Newest first.
    notes: Vec<NoteReply>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// A note that was written.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NotedReply {
    /// Its number.
    note_id: i64,
}

impl From<LockerSetup> for LockerSetupReply {
    fn from(LockerSetup { locker, reason }: LockerSetup) -> Self {
        let wire = |it: Channel| WireBody {
            bus: it.bus.as_str().to_owned(),
            board: it.board,
            lock: it.lock,
        };
        Self {
            locker_id: locker.id.0,
            bank_id: locker.bank_id.0,
            wire: locker.channel.map(wire),
            in_service: locker.in_service,
            reason,
            place: locker.place.map(Into::into),
            level: locker.level.map(Level::name),
            accessible: locker.accessible,
        }
    }
}

/// Below `/api/v1/banks`.
pub(super) fn bank_routes(api: &Api) -> Routes {
    let list = path!("api" / "v1" / "banks" / BankId / "lockers")
        .and(warp::get())
        .and(warp::query::<BankLockersQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list);
    let add = path!("api" / "v1" / "banks" / BankId / "lockers")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_add);
    list.or_route(add)
}

/// Below `/api/v1/lockers`.
pub(super) fn routes(api: &Api) -> Routes {
    let change = path!("api" / "v1" / "lockers" / LockerId)
        .and(warp::patch())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_change);
    let retire = path!("api" / "v1" / "lockers" / LockerId)
        .and(warp::delete())
        .and(head())
        .and(with(api))
        .handled_by(handle_retire);
    change.or_route(retire).or_route(service_routes(api)).or_route(note_routes(api))
}

fn service_routes(api: &Api) -> Routes {
    let put = path!("api" / "v1" / "lockers" / LockerId / "service")
        .and(warp::put())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_put_service);
    let history = path!("api" / "v1" / "lockers" / LockerId / "service")
        .and(warp::get())
        .and(warp::query::<HistoryQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_service_history);
    put.or_route(history)
}

fn note_routes(api: &Api) -> Routes {
    let list = path!("api" / "v1" / "lockers" / LockerId / "notes")
        .and(warp::get())
        .and(warp::query::<HistoryQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_notes);
    let add = path!("api" / "v1" / "lockers" / LockerId / "notes")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_add_note);
    list.or_route(add)
}

impl HistoryQuery {
    /// Older than which number, and how many.
    fn read(&self) -> Result<(Option<i64>, u32), Problem> {
        let cursor = self.cursor.as_deref();
        let before = page::value(cursor, "cursor", "next_cursor of the page before")?;
        Ok((before, page::limit(self.limit.as_deref())?))
    }
}

/// Cuts the one row off that was asked for to know whether there is another page.
fn cut<T>(rows: &mut Vec<T>, limit: u32, number: impl Fn(&T) -> i64) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| more).map(|row| number(row).to_string())
}

/// The lockers of a bank with wires and places. For its staff.
#[utoipa::path(
    get, path = "/api/v1/banks/{bank_id}/lockers", tag = "places",
    params(
        ("bank_id" = i64, Path),
        ("in_service" = Option<bool>, Query, description = "only those that are lent, or not"),
        ("wired" = Option<bool>, Query, description = "only those with an electric lock, or not"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = BankLockersReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    id: BankId,
    query: BankLockersQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let all = api.services().lockers_of_bank(caller, id, query.filter()?).await?;
    let page = page::cut(all, query.cursor.as_deref(), query.limit.as_deref())?;
    let lockers = page.rows.into_iter().map(Into::into).collect();
    let reply = BankLockersReply { lockers, total: page.total, next_cursor: page.next_cursor };
    Ok(warp::reply::json(&reply).into_response())
}

/// Make lockers, one or a range, all or none. For admins.
#[utoipa::path(
    post, path = "/api/v1/banks/{bank_id}/lockers", tag = "places",
    params(("bank_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = NewLockersBody,
    responses(
        (status = 201, body = MadeLockersReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_add(
    id: BankId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_admin(caller)?;
    let asked: NewLockersBody = body.json(&head).await?;
    let key = head.request_key(&format!("locker.add {id} {asked:?}"))?;
    let new = NewLockers {
        from: asked.from,
        to: asked.to.unwrap_or(asked.from),
        channel: asked.wire.as_ref().map(WireBody::read).transpose()?,
        in_service: asked.in_service,
        run: asked.layout.as_ref().map(RunBody::read).transpose()?,
        level: asked.level,
        accessible: asked.accessible,
    };
    let made = api.services().add_lockers(Actor::Caller(caller), id, new, key).await?;
    let reply =
        made.map(|ids| MadeLockersReply { locker_ids: ids.into_iter().map(|id| id.0).collect() });
    Ok(answer(&reply, StatusCode::CREATED))
}

/// Change a locker: its wire, place or bank. For admins.
#[utoipa::path(
    patch, path = "/api/v1/lockers/{locker_id}", tag = "places",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = LockerChangeBody,
    responses(
        (status = 200, body = LockerSetupReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_change(
    id: LockerId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    demand_admin(caller)?;
    let asked: LockerChangeBody = body.json(&head).await?;
    let key = head.request_key(&format!("locker.change {id} {asked:?}"))?;
    let change = LockerChange {
        bank_id: asked.bank_id.map(BankId),
        channel: asked.wire.try_map(|wire| wire.read())?,
        place: asked.place.try_map(|place| Ok::<_, Problem>(place.into()))?,
        level: asked.level,
        accessible: asked.accessible,
    };
    let services = api.services();
    let done = services.change_locker(Actor::Caller(caller), id, change, key).await?;
    let reply: LockerSetupReply = services.locker_setup(caller, id).await?.into();
    Ok(answer(&Answer { value: reply, replayed: done.replayed }, StatusCode::OK))
}

/// Retire a locker that nobody rents or holds. For admins.
///
/// It leaves every list and its wire, and is kept for the history; its number is not used again.
#[utoipa::path(
    delete, path = "/api/v1/lockers/{locker_id}", tag = "places",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 204), (status = 401), (status = 403), (status = 404), (status = 409),
        (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_retire(id: LockerId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let key = head.request_key(&format!("locker.retire {id}"))?;
    api.services().retire_locker(Actor::Caller(caller), id, key).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Take a locker out of service, or put it back. For staff of its bank.
///
/// Its rental and history stay; whoever rents it is told the reason.
#[utoipa::path(
    put, path = "/api/v1/lockers/{locker_id}/service", tag = "places",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ServiceBody,
    responses(
        (status = 200, body = LockerSetupReply), (status = 401), (status = 403), (status = 404),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_put_service(
    id: LockerId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    Actor::Caller(caller).demand_staff()?;
    let asked: ServiceBody = body.json(&head).await?;
    let key = head.request_key(&format!("locker.service {id} {asked:?}"))?;
    let (services, actor) = (api.services(), Actor::Caller(caller));
    let done = services.put_service(actor, id, asked.in_service, &asked.reason, key).await?;
    let reply: LockerSetupReply = services.locker_setup(caller, id).await?.into();
    Ok(answer(&Answer { value: reply, replayed: done.replayed }, StatusCode::OK))
}

/// When a locker was taken out of service and put back. For staff of its bank, also after it was retired.
#[utoipa::path(
    get, path = "/api/v1/lockers/{locker_id}/service", tag = "places",
    params(
        ("locker_id" = i64, Path),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = ServiceHistoryReply), (status = 400), (status = 401),
        (status = 403), (status = 404), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_service_history(
    id: LockerId,
    query: HistoryQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let (before, limit) = query.read()?;
    let mut rows = api.services().service_history(caller, id, before, limit + 1).await?;
    let next_cursor = cut(&mut rows, limit, |row| row.id);
    let step = |row: crate::service::places::lockers::ServiceStep| ServiceStepReply {
        at: row.at.to_string(),
        in_service: row.in_service,
        reason: row.reason,
        member_id: row.member_id.map(|id| id.0),
    };
    let steps = rows.into_iter().map(step).collect();
    Ok(warp::reply::json(&ServiceHistoryReply { steps, next_cursor }).into_response())
}

/// What staff wrote about a locker. For staff of its bank, also after it was retired.
#[utoipa::path(
    get, path = "/api/v1/lockers/{locker_id}/notes", tag = "places",
    params(
        ("locker_id" = i64, Path),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = NoteListReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_notes(
    id: LockerId,
    query: HistoryQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let (before, limit) = query.read()?;
    let mut rows = api.services().notes(caller, id, before, limit + 1).await?;
    let next_cursor = cut(&mut rows, limit, |row| row.id);
    let note = |row: crate::service::places::lockers::Note| NoteReply {
        note_id: row.id,
        at: row.at.to_string(),
        member_id: row.member_id.0,
        name: row.member_name,
        text: row.text,
    };
    let notes = rows.into_iter().map(note).collect();
    Ok(warp::reply::json(&NoteListReply { notes, next_cursor }).into_response())
}

/// Write something about a locker. For staff of its bank.
#[utoipa::path(
    post, path = "/api/v1/lockers/{locker_id}/notes", tag = "places",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = NoteBody,
    responses(
        (status = 201, body = NotedReply), (status = 401), (status = 403), (status = 404),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_add_note(
    id: LockerId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    Actor::Caller(caller).demand_staff()?;
    let asked: NoteBody = body.json(&head).await?;
    let key = head.request_key(&format!("locker.note {id} {}", asked.text))?;
    let noted = api.services().add_note(caller, id, &asked.text, key).await?;
    Ok(answer(&noted.map(|note_id| NotedReply { note_id }), StatusCode::CREATED))
}
