//! `/api/v1/overdue`: who is late, for staff: the list with counts, one case, all of them as a file.
//! The steps of a case are `overdue/steps.rs`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::histories::ActorReply;
use super::members::{attachment, time};
use super::penalties::PenaltyReply;
use super::problem::Problem;
use super::returns::RenterReply;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::id::{BankId, OverdueCaseId};
use crate::domain::overdue_case::CaseState;
use crate::service::error::Code;
use crate::service::overdue::list::{CaseDetail, CaseFilter, CaseOrder, ListedCase};
use crate::service::overdue::{Item, StepRow};

pub(super) mod steps;

/// Which cases are listed. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseListQuery {
    state: Option<String>,
    bank_id: Option<String>,
    q: Option<String>,
    since: Option<String>,
    sort: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

impl CaseListQuery {
    fn filter(&self) -> Result<CaseFilter, Problem> {
        let states = match self.state.as_deref() {
            None | Some("all") => Vec::new(),
            Some(group @ ("open" | "closed")) => {
                let open = group == "open";
                CaseState::ALL.into_iter().filter(|state| state.is_open() == open).collect()
            }
            Some(name) => vec![CaseState::from_name(name).ok_or_else(|| bad("state"))?],
        };
        let order = |name: &str| {
            let known = CaseOrder::ALL.into_iter().find(|(_, known)| *known == name);
            known.map(|(order, _)| order).ok_or_else(|| bad("sort"))
        };
        let text = self.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let since = "a time like 2026-09-01T10:00:00Z";
        let since = page::value::<Timestamp>(self.since.as_deref(), "since", since)?;
        Ok(CaseFilter {
            staff: None,
            states,
            bank_id: page::value(self.bank_id.as_deref(), "bank_id", "a number")?.map(BankId),
            text: text.map(str::to_owned),
            since_ms: since.map(Timestamp::as_millisecond),
            order: self.sort.as_deref().map(order).transpose()?.unwrap_or_default(),
        })
    }
}

fn bad(name: &str) -> Problem {
    let accepted = match name {
        "state" => {
            "open, closed, all, detected, sealed, collected, handed_back, returned or dropped"
        }
        _ => "newest, late or locker",
    };
    Problem::new(Code::Invalid, format!("{name} must be {accepted}"))
}

/// An overdue case.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OverdueCaseReply {
    /// Its number.
    case_id: i64,
    /// detected, sealed, collected, `handed_back`, returned or dropped.
    state: &'static str,
    /// The rental that is late.
    rental_id: i64,
    /// The number on its door.
    locker_id: i64,
    /// Its bank.
    bank_id: i64,
    /// Who is late.
    renter: RenterReply,
    /// The last day that was missed.
    ended_on: String,
    /// Days since then: until the locker was emptied, or until today.
    late_days: u32,
    /// Whether the locker was given back and is not free yet: see `/api/v1/returns`.
    returning: bool,
    /// When it was noticed, RFC 3339.
    detected_at: String,
    /// When it was sealed, unless the seal was lifted.
    sealed_at: Option<String>,
    /// When staff emptied the locker.
    collected_at: Option<String>,
    /// How many things were found.
    items_count: u32,
    /// Where they are kept.
    storage: Option<String>,
    /// When they were fetched.
    handed_back_at: Option<String>,
    /// By whom.
    handed_to: Option<String>,
    /// When nothing more was to be done.
    closed_at: Option<String>,
}

/// A page of overdue cases.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CaseListReply {
    /// In the order asked for.
    cases: Vec<OverdueCaseReply>,
    /// How many there are in each state, whatever state was asked for.
    counts: BTreeMap<&'static str, u32>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// A step of a case.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CaseStepReply {
    /// Where it led.
    state: &'static str,
    /// When, RFC 3339.
    at: String,
    /// Who took it; `null`: by itself.
    member_id: Option<i64>,
    /// The same with their name.
    by: Option<ActorReply>,
    /// Why.
    reason: Option<String>,
}

/// A thing that was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemReply {
    /// What it is.
    description: String,
    /// Where the photo of it is.
    photo: Option<String>,
}

/// An overdue case with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CaseDetailReply {
    /// The case.
    #[serde(flatten)]
    case: OverdueCaseReply,
    /// Its history, oldest first.
    steps: Vec<CaseStepReply>,
    /// What was found.
    items: Vec<ItemReply>,
    /// The penalty that it led to.
    penalty: Option<PenaltyReply>,
}

fn case_reply(listed: ListedCase, api: &Api) -> OverdueCaseReply {
    let ListedCase { case, member, items, returning } = listed;
    let late_days = case.late_days.unwrap_or_else(|| api.services().days_since(case.ended_on));
    OverdueCaseReply {
        case_id: case.id.0,
        state: case.state.name(),
        rental_id: case.rental_id.0,
        locker_id: case.locker_id.0,
        bank_id: case.bank_id.0,
        renter: RenterReply::of(case.member_id.0, member),
        ended_on: case.ended_on.to_string(),
        late_days,
        returning,
        detected_at: time(case.detected_ms),
        sealed_at: case.sealed_ms.map(time),
        collected_at: case.collected_ms.map(time),
        items_count: items,
        storage: case.storage,
        handed_back_at: case.handed_back_ms.map(time),
        handed_to: case.handed_to,
        closed_at: case.closed_ms.map(time),
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    list(api).or_route(export(api)).or_route(find(api)).or_route(steps::routes(api))
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "overdue")
        .and(warp::get())
        .and(warp::query::<CaseListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Overdue cases of the caller's banks, with how many there are in each state.
#[utoipa::path(
    get, path = "/api/v1/overdue", tag = "overdue",
    params(
        ("state" = Option<String>, Query,
            description = "open, closed, all (when left out), or one state"),
        ("bank_id" = Option<i64>, Query, description = "of one bank"),
        ("q" = Option<String>, Query,
            description = "a part of student id or name, or the number of the locker"),
        ("since" = Option<String>, Query, description = "noticed then or later, RFC 3339"),
        ("sort" = Option<String>, Query,
            description = "newest (when left out), late (the longest first) or locker"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = CaseListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: CaseListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let limit = usize::try_from(page::limit(query.limit.as_deref())?).unwrap_or(usize::MAX);
    let cursor = query.cursor.as_deref();
    let found = api.services().overdue_cases(caller, query.filter()?, cursor, limit).await?;
    let mut counts: BTreeMap<_, _> = CaseState::ALL.map(|state| (state.name(), 0)).into();
    counts.extend(found.counts.into_iter().map(|(state, count)| (state.name(), count)));
    Ok(warp::reply::json(&CaseListReply {
        cases: found.cases.into_iter().map(|case| case_reply(case, &api)).collect(),
        counts,
        next_cursor: found.next,
    })
    .into_response())
}

fn export(api: &Api) -> Routes {
    path!("api" / "v1" / "overdue" / "export")
        .and(warp::get())
        .and(warp::query::<CaseListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_export)
}

/// Overdue cases of the caller's banks as a CSV file that Excel opens in Korean; it is written down.
///
/// No cell can be taken for a formula.
#[utoipa::path(
    get, path = "/api/v1/overdue/export", tag = "overdue",
    params(
        ("state" = Option<String>, Query,
            description = "open, closed, all (when left out), or one state"),
        ("bank_id" = Option<i64>, Query, description = "of one bank"),
        ("q" = Option<String>, Query,
            description = "a part of student id or name, or the number of the locker"),
        ("since" = Option<String>, Query, description = "noticed then or later, RFC 3339"),
        ("sort" = Option<String>, Query,
            description = "newest (when left out), late (the longest first) or locker"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_export(
    query: CaseListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let text = api.services().export_overdue(caller, query.filter()?).await?;
    Ok(attachment(text, "text/csv; charset=utf-8", "overdue.csv"))
}

fn find(api: &Api) -> Routes {
    path!("api" / "v1" / "overdue" / OverdueCaseId)
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// One overdue case with its history and what was found.
#[utoipa::path(
    get, path = "/api/v1/overdue/{case_id}", tag = "overdue", params(("case_id" = i64, Path)),
    responses(
        (status = 200, body = CaseDetailReply), (status = 401), (status = 403), (status = 404),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(
    id: OverdueCaseId,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let CaseDetail { listed, steps, items, penalty } =
        api.services().overdue_case(caller, id).await?;
    let names = api.services().names_of(steps.iter().filter_map(|step| step.actor)).await?;
    let step = |step: StepRow| CaseStepReply {
        state: step.state.name(),
        at: time(step.at_ms),
        member_id: step.actor.map(|id| id.0),
        by: step.actor.map(|id| ActorReply::named(id, &names)),
        reason: step.reason,
    };
    let item = |Item { description, photo }: Item| ItemReply { description, photo };
    Ok(warp::reply::json(&CaseDetailReply {
        case: case_reply(listed, &api),
        steps: steps.into_iter().map(step).collect(),
        items: items.into_iter().map(item).collect(),
        penalty: penalty.map(Into::into),
    })
    .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_asked_for_in_words_and_a_wrong_one_is_named() {
        let text = |text: &str| Some(text.to_owned());
        let of = |state: &str| CaseListQuery { state: text(state), ..CaseListQuery::default() };
        let states = |state| of(state).filter().map(|it| it.states.len()).unwrap_or_default();
        assert_eq!((states("open"), states("closed"), states("sealed")), (3, 3, 1));
        assert_eq!(CaseListQuery::default().filter().map(|it| it.states.len()).ok(), Some(0));
        for (query, says) in [
            (of("gone"), "state"),
            (CaseListQuery { sort: text("x"), ..CaseListQuery::default() }, "sort"),
            (CaseListQuery { since: text("x"), ..CaseListQuery::default() }, "since"),
            (CaseListQuery { bank_id: text("x"), ..CaseListQuery::default() }, "bank_id"),
        ] {
            let Err(problem) = query.filter() else { panic!("{says} was taken") };
            assert!(format!("{problem:?}").contains(&format!("{says} must be")), "{problem:?}");
        }
    }
}
