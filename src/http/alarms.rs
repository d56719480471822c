//! `/api/v1/alarms` and what belongs to it: the list, one with its history, taking note, "it was
//! me", the renter's own alarms, the mechanical key, a bank in maintenance.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, RawBody, body, head};
use super::handled::HandledBy;
use super::lockers::answer;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::alarm::{Alarm, AlarmChoice, AlarmKind, Severity, Step};
use crate::domain::bank::Maintenance;
use crate::domain::id::{AlarmId, BankId, LockerId, MemberId};
use crate::service::alarms::{AlarmQuery, Answered};
use crate::service::idempotency::Answer;
use crate::service::members::Names;

/// Which alarms are listed. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlarmListQuery {
    /// live (nobody took note and the cause stands), acknowledged, cleared (the cause ended and
    /// nobody took note), open (nobody took note), standing (acknowledged and the cause stands), over
    /// (acknowledged and ended) or all; all when left out.
    state: Option<String>,
    /// `forced_open`, `opened_unwatched`, `left_open`, `jammed`, `sensor_fault`, `board_offline`,
    /// `bus_offline` or help.
    kind: Option<String>,
    /// info, warning or critical.
    severity: Option<String>,
    /// Of one bank, with the boards and ports that it is wired to.
    bank_id: Option<String>,
    /// Of one locker.
    locker_id: Option<String>,
    /// Raised at this time or later, RFC 3339.
    since: Option<String>,
    /// Raised before this time, RFC 3339.
    until: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most alarms of the page, 1 to 100; 50 when left out.
    limit: Option<String>,
}

/// A page of alarms.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlarmListReply {
    /// Newest first.
    alarms: Vec<AlarmReply>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// Who took note of an alarm.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AcknowledgementReply {
    /// When, RFC 3339.
    at: String,
    /// Who.
    member_id: i64,
    /// Their name; `null` when they have left since.
    name: Option<String>,
    /// What they had to say.
    note: String,
}

/// The renter's word on an alarm.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItWasMeReply {
    /// When, RFC 3339.
    at: String,
    /// Who.
    member_id: i64,
    /// Their name; `null` when they have left since.
    name: Option<String>,
}

/// An alarm, as staff see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlarmReply {
    /// Its number.
    alarm_id: i64,
    /// `forced_open`, `opened_unwatched`, `left_open`, `jammed`, `sensor_fault`, `board_offline`,
    /// `bus_offline` or help.
    kind: &'static str,
    /// info, warning or critical.
    severity: &'static str,
    /// live, acknowledged or cleared.
    state: &'static str,
    /// The locker, if it is about a door.
    locker_id: Option<i64>,
    /// The locker's bank, or the bank that it is about as a whole.
    bank_id: Option<i64>,
    /// The bus, if it is about a board or port.
    bus: Option<String>,
    /// The board's address, if it is about a board.
    board: Option<u8>,
    /// When it began, RFC 3339.
    raised_at: String,
    /// When its cause was last seen to go on.
    last_seen_at: String,
    /// How often its cause was seen.
    count: u32,
    /// When staff were told that the cause goes on.
    escalated_at: Option<String>,
    /// When its cause ended.
    cleared_at: Option<String>,
    /// Why it ended: `door_closed`, `door_opened`, calm, back, maintenance, `mechanical_key`,
    /// `sensor_fault`, `bus_offline`, staff, `not_watched` or answered.
    clear_reason: Option<&'static str>,
    /// Who took note.
    acknowledged: Option<AcknowledgementReply>,
    /// Set when the renter said that it was them.
    it_was_me: Option<ItWasMeReply>,
    /// What was seen; `seen` says which of the shapes it has (docs/guide/alarms.md).
    #[schema(value_type = Object)]
    evidence: Value,
}

/// One thing that became of an alarm.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StepReply {
    /// When, RFC 3339.
    at: String,
    /// raised, updated, `renter_told`, `staff_told`, escalated, claimed, acknowledged or cleared.
    step: &'static str,
    /// Who did it; `null` for the program itself.
    member_id: Option<i64>,
    /// Their name; `null` also when they have left since.
    name: Option<String>,
    /// A person's words, a count, or the reason of the clearing.
    note: Option<String>,
}

/// An alarm with what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlarmDetailReply {
    /// The alarm.
    #[serde(flatten)]
    alarm: AlarmReply,
    /// Oldest first.
    steps: Vec<StepReply>,
}

/// Taking note of an alarm.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AcknowledgeBody {
    /// What there is to say; at most 500 characters, may be empty.
    note: String,
    /// True: the jam is mended and the alarm over.
    #[serde(default)]
    mended: bool,
}

/// An alarm that was answered to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AnsweredReply {
    /// Its number.
    alarm_id: i64,
    /// When, RFC 3339.
    at: String,
}

/// An alarm, as the renter of the locker sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MyAlarmReply {
    /// Its number.
    alarm_id: i64,
    /// See the staff's list.
    kind: &'static str,
    /// The caller's locker.
    locker_id: Option<i64>,
    /// When it began, RFC 3339.
    raised_at: String,
    /// When its cause ended.
    cleared_at: Option<String>,
    /// Whether staff took note.
    acknowledged: bool,
    /// When the caller said that it was them.
    it_was_me_at: Option<String>,
    /// Whether `POST /alarms/{alarm_id}/it-was-me` makes sense.
    can_answer: bool,
}

/// The caller's own alarms.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MyAlarmListReply {
    /// Newest first, since the caller rents the locker.
    alarms: Vec<MyAlarmReply>,
}

/// Using the mechanical key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyBody {
    /// Why; at most 500 characters, may be empty.
    note: String,
}

/// A noted use of the mechanical key.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyReply {
    /// Whose door.
    locker_id: i64,
    /// For how long the door may now be opened without an alarm, in milliseconds; one that stands
    /// open is excused until it is closed.
    window_ms: u64,
}

/// Putting a bank into maintenance, or ending it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MaintenanceBody {
    /// Whether the bank is in maintenance.
    on: bool,
    /// Why; needed to put it on, at most 500 characters.
    #[serde(default)]
    reason: Option<String>,
}

/// A bank's maintenance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MaintenanceReply {
    /// Which bank.
    bank_id: i64,
    /// Whether it is in maintenance: its doors raise no alarms.
    maintenance: bool,
    /// Since when, RFC 3339.
    since: Option<String>,
    /// Why.
    reason: Option<String>,
}

/// Whom alarms name.
fn people_of(alarm: &Alarm) -> impl Iterator<Item = MemberId> {
    let acknowledged = alarm.acknowledged.as_ref().map(|word| word.by);
    acknowledged.into_iter().chain(alarm.claimed.map(|(_, by)| by))
}

impl AlarmReply {
    fn new(alarm: Alarm, names: &Names) -> Self {
        let (bus, board) = alarm.subject.wire();
        Self {
            alarm_id: alarm.id.0,
            kind: alarm.kind.name(),
            severity: alarm.kind.severity().name(),
            state: alarm.state().name(),
            locker_id: alarm.subject.locker().map(|id| id.0),
            bank_id: alarm.bank_id.map(|id| id.0),
            bus: bus.map(|bus| bus.as_str().to_owned()),
            board,
            raised_at: alarm.raised_at.to_string(),
            last_seen_at: alarm.last_seen_at.to_string(),
            count: alarm.count,
            escalated_at: alarm.escalated_at.map(|at| at.to_string()),
            cleared_at: alarm.cleared.map(|(at, _)| at.to_string()),
            clear_reason: alarm.cleared.map(|(_, reason)| reason.name()),
            acknowledged: alarm.acknowledged.map(|word| AcknowledgementReply {
                at: word.at.to_string(),
                member_id: word.by.0,
                name: names.get(&word.by).cloned(),
                note: word.note,
            }),
            it_was_me: alarm.claimed.map(|(at, by)| ItWasMeReply {
                at: at.to_string(),
                member_id: by.0,
                name: names.get(&by).cloned(),
            }),
            evidence: serde_json::to_value(&alarm.evidence).unwrap_or_default(),
        }
    }
}

impl StepReply {
    fn new(step: Step, names: &Names) -> Self {
        Self {
            at: step.at.to_string(),
            step: step.kind.name(),
            member_id: step.actor.map(|id| id.0),
            name: step.actor.and_then(|id| names.get(&id).cloned()),
            note: step.note,
        }
    }
}

impl From<Alarm> for MyAlarmReply {
    fn from(alarm: Alarm) -> Self {
        Self {
            alarm_id: alarm.id.0,
            kind: alarm.kind.name(),
            locker_id: alarm.subject.locker().map(|id| id.0),
            raised_at: alarm.raised_at.to_string(),
            cleared_at: alarm.cleared.map(|(at, _)| at.to_string()),
            acknowledged: alarm.acknowledged.is_some(),
            it_was_me_at: alarm.claimed.map(|(at, _)| at.to_string()),
            can_answer: alarm.kind.can_be_claimed() && alarm.claimed.is_none(),
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    list(api).or_route(acknowledge(api)).or_route(it_was_me(api)).or_route(find(api))
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "alarms")
        .and(warp::get())
        .and(warp::query::<AlarmListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

impl AlarmListQuery {
    pub(super) fn read(&self) -> Result<AlarmQuery, Problem> {
        let states = "live, acknowledged, cleared, open, standing, over or all";
        let kinds = "forced_open, opened_unwatched, left_open, jammed, sensor_fault, board_offline, \
                     bus_offline or help";
        let state = self.state.as_deref().filter(|state| *state != "all");
        let (number, time) = ("a number", "a time like 2026-09-01T10:00:00Z");
        Ok(AlarmQuery {
            state: page::named(state, "state", states, AlarmChoice::from_name)?,
            kind: page::named(self.kind.as_deref(), "kind", kinds, AlarmKind::from_name)?,
            severity: page::named(
                self.severity.as_deref(),
                "severity",
                "info, warning or critical",
                Severity::from_name,
            )?,
            bank_id: page::value(self.bank_id.as_deref(), "bank_id", number)?.map(BankId),
            locker_id: page::value(self.locker_id.as_deref(), "locker_id", number)?.map(LockerId),
            since: page::value(self.since.as_deref(), "since", time)?,
            until: page::value(self.until.as_deref(), "until", time)?,
            before: page::cursor(self.cursor.as_deref())?.map(AlarmId),
            limit: page::limit(self.limit.as_deref())?,
        })
    }
}

/// Alarms that the caller looks after, newest first.
///
/// Staff see those of their banks and of the boards and ports that these are wired to, admins all.
#[utoipa::path(
    get, path = "/api/v1/alarms", tag = "alarms",
    params(
        ("state" = Option<String>, Query, description = "live, acknowledged, cleared, open (nobody \
            took note), standing (acknowledged, the cause stands), over (acknowledged and ended) or all"),
        ("kind" = Option<String>, Query, description = "of one kind"),
        ("severity" = Option<String>, Query, description = "info, warning or critical"),
        ("bank_id" = Option<i64>, Query, description = "of one bank and its boards and ports"),
        ("locker_id" = Option<i64>, Query, description = "of one locker"),
        ("since" = Option<String>, Query, description = "raised then or later, RFC 3339"),
        ("until" = Option<String>, Query, description = "raised before then, RFC 3339"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = AlarmListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: AlarmListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let page = api.services().alarms(caller, query.read()?).await?;
    let names = api.services().names_of(page.alarms.iter().flat_map(people_of)).await?;
    Ok(warp::reply::json(&AlarmListReply {
        alarms: page.alarms.into_iter().map(|it| AlarmReply::new(it, &names)).collect(),
        next_cursor: page.next.map(|id| id.to_string()),
    })
    .into_response())
}

fn find(api: &Api) -> Routes {
    path!("api" / "v1" / "alarms" / AlarmId)
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// One alarm with its evidence and what became of it.
#[utoipa::path(
    get, path = "/api/v1/alarms/{alarm_id}", tag = "alarms", params(("alarm_id" = i64, Path)),
    responses(
        (status = 200, body = AlarmDetailReply), (status = 401), (status = 403), (status = 404),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(id: AlarmId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let (alarm, steps) = api.services().alarm(caller, id).await?;
    let actors = steps.iter().filter_map(|step| step.actor);
    let names = api.services().names_of(people_of(&alarm).chain(actors)).await?;
    let steps = steps.into_iter().map(|step| StepReply::new(step, &names)).collect();
    let reply = AlarmDetailReply { alarm: AlarmReply::new(alarm, &names), steps };
    Ok(warp::reply::json(&reply).into_response())
}

fn acknowledge(api: &Api) -> Routes {
    path!("api" / "v1" / "alarms" / AlarmId / "acknowledge")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_acknowledge)
}

fn answered(done: Answer<Answered>) -> Response {
    let reply = done.map(|done| AnsweredReply {
        alarm_id: done.alarm_id.0,
        at: Timestamp::from_millisecond(done.at_ms).unwrap_or_default().to_string(),
    });
    answer(&reply, StatusCode::OK)
}

/// Take note of an alarm.
///
/// It stays live until its cause ends; a jam may be declared mended, a request for help is answered.
#[utoipa::path(
    post, path = "/api/v1/alarms/{alarm_id}/acknowledge", tag = "alarms",
    params(("alarm_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = AcknowledgeBody,
    responses(
        (status = 200, body = AnsweredReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_acknowledge(
    id: AlarmId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let asked: AcknowledgeBody = body.json(&head).await?;
    let key = head.request_key(&format!("acknowledge {id} {} {}", asked.mended, asked.note))?;
    let word = (asked.note, asked.mended);
    Ok(answered(api.services().acknowledge_alarm(caller, id, word, key).await?))
}

fn it_was_me(api: &Api) -> Routes {
    path!("api" / "v1" / "alarms" / AlarmId / "it-was-me")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_it_was_me)
}

/// Say that it was you: for the renter of the locker.
///
/// Staff see it; the alarm stays theirs to acknowledge.
#[utoipa::path(
    post, path = "/api/v1/alarms/{alarm_id}/it-was-me", tag = "alarms",
    params(("alarm_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = AnsweredReply), (status = 401), (status = 404), (status = 422),
        (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_it_was_me(
    id: AlarmId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let key = head.request_key(&format!("it-was-me {id}"))?;
    Ok(answered(api.services().claim_alarm(caller, id, key).await?))
}

/// `/api/v1/me/alarms`.
pub(super) fn mine(api: &Api) -> Routes {
    path!("api" / "v1" / "me" / "alarms")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_mine)
}

/// The alarms at the caller's own locker, at most 20.
#[utoipa::path(
    get, path = "/api/v1/me/alarms", tag = "alarms",
    responses((status = 200, body = MyAlarmListReply), (status = 401)), security(("bearer" = []))
)]
pub(super) async fn handle_mine(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller_at_kiosk_too(&api)?;
    let alarms = api.services().my_alarms(caller).await?;
    let alarms = alarms.into_iter().map(Into::into).collect();
    Ok(warp::reply::json(&MyAlarmListReply { alarms }).into_response())
}

/// `/api/v1/lockers/{locker_id}/mechanical-key`.
pub(super) fn mechanical_key(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId / "mechanical-key")
        .and(warp::post())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_mechanical_key)
}

/// Note that a door was opened with the mechanical key, or is about to be.
///
/// The door as it stands open, or its next opening within the window, is no alarm then.
#[utoipa::path(
    post, path = "/api/v1/lockers/{locker_id}/mechanical-key", tag = "alarms",
    params(("locker_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = KeyBody,
    responses(
        (status = 200, body = KeyReply), (status = 401), (status = 403), (status = 404),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_mechanical_key(
    id: LockerId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let asked: KeyBody = body.json(&head).await?;
    let key = head.request_key(&format!("mechanical-key {id} {}", asked.note))?;
    let noted = api.services().note_mechanical_key(caller, id, asked.note, key).await?;
    let reply =
        noted.map(|used| KeyReply { locker_id: used.locker_id.0, window_ms: used.window_ms });
    Ok(answer(&reply, StatusCode::OK))
}

/// `/api/v1/banks/{bank_id}/maintenance`.
pub(super) fn maintenance(api: &Api) -> Routes {
    path!("api" / "v1" / "banks" / BankId / "maintenance")
        .and(warp::put())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_maintenance)
}

/// Put a bank into maintenance, or end it.
///
/// Meanwhile its doors raise no alarms, and those that are live are cleared.
#[utoipa::path(
    put, path = "/api/v1/banks/{bank_id}/maintenance", tag = "alarms",
    params(("bank_id" = i64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = MaintenanceBody,
    responses(
        (status = 200, body = MaintenanceReply), (status = 401), (status = 403), (status = 404),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_maintenance(
    id: BankId,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let asked: MaintenanceBody = body.json(&head).await?;
    let reason = asked.on.then(|| asked.reason.unwrap_or_default());
    let key = head.request_key(&format!("maintenance {id} {reason:?}"))?;
    let state = api.services().set_maintenance(caller, id, reason, key).await?;
    let reply = state.map(|state| maintenance_reply(state.bank_id, state.maintenance));
    Ok(answer(&reply, StatusCode::OK))
}

fn maintenance_reply(bank: BankId, maintenance: Option<Maintenance>) -> MaintenanceReply {
    MaintenanceReply {
        bank_id: bank.0,
        maintenance: maintenance.is_some(),
        since: maintenance.as_ref().map(|it| it.since.to_string()),
        reason: maintenance.map(|it| it.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_asked_for_in_words_and_a_wrong_one_is_named() {
        let asked = |set: fn(&mut AlarmListQuery)| {
            let mut query = AlarmListQuery::default();
            set(&mut query);
            query.read()
        };
        let plain = asked(|_| {}).expect("valid");
        assert_eq!((plain.state, plain.limit), (None, page::PAGE_DEFAULT));
        let cleared = asked(|query| query.state = Some("cleared".to_owned())).expect("valid");
        assert_eq!(cleared.state, Some(AlarmChoice::Cleared));
        let since = asked(|query| query.since = Some("2026-09-01T10:00:00Z".to_owned()));
        assert!(since.expect("valid").since.is_some());
        for (set, says) in [
            ((|query| query.state = Some("new".to_owned())) as fn(&mut AlarmListQuery), "state"),
            (|query| query.kind = Some("theft".to_owned()), "kind"),
            (|query| query.limit = Some("101".to_owned()), "limit"),
            (|query| query.limit = Some("0".to_owned()), "limit"),
            (|query| query.until = Some("today".to_owned()), "until"),
            (|query| query.cursor = Some("x".to_owned()), "cursor"),
            (|query| query.locker_id = Some("x".to_owned()), "locker_id"),
        ] {
            let problem = format!("{:?}", asked(set).expect_err(says));
            assert!(problem.contains(&format!("{says} must be")), "{problem}");
        }
    }
}
