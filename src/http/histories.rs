//! Histories on one line of time, the newest first: `/api/v1/lockers/{locker_id}/history`,
//! `/api/v1/members/{member_id}/history` and `/api/v1/me/history`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::members::time;
use super::problem::Problem;
use super::rentals::list::RentalReply;
use super::{Api, Routes, page, with};
use crate::domain::id::{LockerId, MemberId};
use crate::service::histories::{Case, Entry, HistoryPage, Person, What};
use crate::service::members::Names;

/// Which page. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    cursor: Option<String>,
    limit: Option<String>,
}

/// Who did something.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActorReply {
    /// Their number.
    member_id: i64,
    /// Full name; `null` when they have left since.
    name: Option<String>,
}

/// A rental that was not returned in time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PastCaseReply {
    /// Its number.
    case_id: i64,
    /// The rental.
    rental_id: i64,
    /// The locker.
    locker_id: i64,
    /// Where it stands: detected, sealed, collected, `handed_back`, returned or dropped.
    state: String,
    /// The last day that was missed.
    ended_on: String,
    /// When its things were taken out by staff, RFC 3339.
    collected_at: Option<String>,
    /// When they were handed back.
    handed_back_at: Option<String>,
    /// When nothing more was to be done.
    closed_at: Option<String>,
    /// How many days late the locker was emptied.
    late_days: Option<i64>,
}

/// What happened; `kind` says which.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum WhatReply {
    /// A hold, rental or reservation began; it is shown as it is now.
    Rental {
        /// The rental.
        rental: Box<RentalReply>,
        /// How many openings of the locker in it are still on record.
        openings: u32,
    },
    /// The locker was taken out of service or put back.
    Service {
        /// Whether it is lent from then on.
        in_service: bool,
        /// Why.
        reason: String,
        /// Who did it; `null` for the command line and for imports.
        by: Option<ActorReply>,
    },
    /// Staff wrote something about the locker.
    Note {
        /// The note's number.
        note_id: i64,
        /// The words.
        text: String,
        /// Who wrote it.
        by: ActorReply,
    },
    /// A step of an overdue case.
    OverdueStep {
        /// Of which case.
        case_id: i64,
        /// Of which rental.
        rental_id: i64,
        /// Where the case stood from then on.
        state: String,
        /// Why, where staff went another way than the usual one.
        reason: Option<String>,
        /// Who; `null`: by itself.
        by: Option<ActorReply>,
    },
    /// A rental was late.
    OverdueCase {
        /// The case as it is now.
        case: PastCaseReply,
    },
    /// Days on which the member may claim nothing were given.
    Penalty {
        /// The first.
        first_on: String,
        /// The last.
        last_on: String,
        /// When staff took it back, RFC 3339.
        waived_at: Option<String>,
    },
}

/// An entry of a history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntryReply {
    /// When, RFC 3339.
    at: String,
    /// What.
    #[serde(flatten)]
    what: WhatReply,
}

/// A page of a history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HistoryReply {
    /// The newest first.
    entries: Vec<EntryReply>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

impl ActorReply {
    /// A member with the name that is known of them.
    pub(super) fn named(id: MemberId, names: &Names) -> Self {
        Self { member_id: id.0, name: names.get(&id).cloned() }
    }
}

impl From<Person> for ActorReply {
    fn from(person: Person) -> Self {
        Self { member_id: person.id.0, name: person.name }
    }
}

impl From<Case> for PastCaseReply {
    fn from(case: Case) -> Self {
        Self {
            case_id: case.id,
            rental_id: case.rental_id.0,
            locker_id: case.locker_id.0,
            state: case.state,
            ended_on: case.ended_on,
            collected_at: case.collected_ms.map(time),
            handed_back_at: case.handed_back_ms.map(time),
            closed_at: case.closed_ms.map(time),
            late_days: case.late_days,
        }
    }
}

impl From<What> for WhatReply {
    fn from(what: What) -> Self {
        match what {
            What::Rental(row, openings) => {
                Self::Rental { rental: Box::new((*row).into()), openings }
            }
            What::Service { in_service, reason, by } => {
                Self::Service { in_service, reason, by: by.map(Into::into) }
            }
            What::Note { id, text, by } => Self::Note { note_id: id, text, by: by.into() },
            What::Step { case_id, rental_id, state, reason, by } => Self::OverdueStep {
                case_id,
                rental_id: rental_id.0,
                state,
                reason,
                by: by.map(Into::into),
            },
            What::Case(case) => Self::OverdueCase { case: case.into() },
            What::Penalty { first_on, last_on, waived_ms } => {
                Self::Penalty { first_on, last_on, waived_at: waived_ms.map(time) }
            }
        }
    }
}

impl From<HistoryPage> for HistoryReply {
    fn from(page: HistoryPage) -> Self {
        let entry = |entry: Entry| EntryReply { at: time(entry.mark.0), what: entry.what.into() };
        Self { entries: page.entries.into_iter().map(entry).collect(), next_cursor: page.next }
    }
}

impl PageQuery {
    fn read(&self) -> Result<(Option<&str>, usize), Problem> {
        let limit = page::limit(self.limit.as_deref())?;
        Ok((self.cursor.as_deref(), usize::try_from(limit).unwrap_or(usize::MAX)))
    }
}

/// What belongs to one locker.
pub(super) fn of_locker(api: &Api) -> Routes {
    path!("api" / "v1" / "lockers" / LockerId / "history")
        .and(warp::get())
        .and(warp::query::<PageQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_locker)
}

/// What happened to a locker: rentals, service, notes, overdue steps. For staff of its bank.
#[utoipa::path(
    get, path = "/api/v1/lockers/{locker_id}/history", tag = "histories",
    params(
        ("locker_id" = i64, Path),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = HistoryReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_locker(
    id: LockerId,
    query: PageQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let (cursor, limit) = query.read()?;
    let page = api.services().locker_history(caller, id, cursor, limit).await?;
    Ok(warp::reply::json(&HistoryReply::from(page)).into_response())
}

/// What belongs to one member.
pub(super) fn of_member(api: &Api) -> Routes {
    path!("api" / "v1" / "members" / MemberId / "history")
        .and(warp::get())
        .and(warp::query::<PageQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_member)
}

/// What happened with a member: rentals, overdue cases, penalties. For all staff.
#[utoipa::path(
    get, path = "/api/v1/members/{member_id}/history", tag = "histories",
    params(
        ("member_id" = i64, Path),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = HistoryReply), (status = 400), (status = 401), (status = 403),
        (status = 404), (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_member(
    id: MemberId,
    query: PageQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let (cursor, limit) = query.read()?;
    let page = api.services().member_history(caller, id, cursor, limit).await?;
    Ok(warp::reply::json(&HistoryReply::from(page)).into_response())
}

/// The caller's own.
pub(super) fn mine(api: &Api) -> Routes {
    path!("api" / "v1" / "me" / "history")
        .and(warp::get())
        .and(warp::query::<PageQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_mine)
}

/// The caller's own rentals, overdue cases and penalties.
#[utoipa::path(
    get, path = "/api/v1/me/history", tag = "histories",
    params(
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses((status = 200, body = HistoryReply), (status = 400), (status = 401), (status = 422)),
    security(("bearer" = []))
)]
pub(super) async fn handle_mine(
    query: PageQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let (cursor, limit) = query.read()?;
    let page = api.services().own_history(caller, cursor, limit).await?;
    Ok(warp::reply::json(&HistoryReply::from(page)).into_response())
}
