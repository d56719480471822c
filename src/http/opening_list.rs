//! `GET /api/v1/openings`: openings of the caller's banks, the newest first. How one goes stands in
//! `openings`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::page::{self, value};
use super::problem::Problem;
use super::returns::RenterReply;
use super::{Api, Routes, with};
use crate::domain::id::{BankId, LocationId, LockerId, MemberId};
use crate::domain::opening::{OpenedAs, Outcome, Phase};
use crate::service::error::Code;
use crate::service::opening_lists::{ListedOpening, OpeningQuery};
use crate::service::statistics::Asked;

/// Which openings are listed. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpeningListQuery {
    bank_id: Option<String>,
    location_id: Option<String>,
    locker_id: Option<String>,
    outcome: Option<String>,
    opened_as: Option<String>,
    member_id: Option<String>,
    mass_opening_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

/// An opening, as staff see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListedOpeningReply {
    /// Under which it can be asked for.
    operation_id: String,
    /// The bank of its locker.
    bank_id: i64,
    /// The number on its door.
    locker_id: i64,
    /// Who asked.
    by: RenterReply,
    /// renter or staff: by what right.
    opened_as: &'static str,
    /// The order to open many that it belongs to.
    mass_opening_id: Option<String>,
    /// When it was asked for, RFC 3339.
    requested_at: String,
    /// When a sensor showed the door open.
    opened_at: Option<String>,
    /// When a sensor showed the door closed again.
    closed_at: Option<String>,
    /// How it ended; `null` while it is under way.
    outcome: Option<&'static str>,
}

/// A page of openings.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpeningListReply {
    /// Newest first.
    openings: Vec<ListedOpeningReply>,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

impl From<ListedOpening> for ListedOpeningReply {
    fn from(row: ListedOpening) -> Self {
        let at = |phase| row.opening.at(phase).map(|at| at.to_string());
        Self {
            operation_id: row.opening.id.to_string(),
            bank_id: row.bank_id.0,
            locker_id: row.opening.locker_id.0,
            opened_as: row.opening.opened_as.name(),
            mass_opening_id: row.opening.mass_opening.map(|id| id.to_string()),
            requested_at: at(Phase::Requested).unwrap_or_default(),
            opened_at: at(Phase::Opened),
            closed_at: at(Phase::Closed),
            outcome: row.opening.outcome.map(Outcome::name),
            by: RenterReply::of(row.opening.member_id.0, row.member),
        }
    }
}

impl OpeningListQuery {
    pub(super) fn read(&self) -> Result<OpeningQuery, Problem> {
        let number = |text: &Option<String>, name| value::<i64>(text.as_deref(), name, "a number");
        let day =
            |text: &Option<String>, name| value(text.as_deref(), name, "a day like 2026-09-01");
        let outcome = |name: &str| {
            let known: Vec<&str> = Outcome::ALL.into_iter().map(Outcome::name).collect();
            let text = format!("outcome must be one of {}", known.join(", "));
            Outcome::from_name(name).ok_or_else(|| Problem::new(Code::Invalid, text))
        };
        Ok(OpeningQuery {
            asked: Asked {
                bank: number(&self.bank_id, "bank_id")?.map(BankId),
                location: number(&self.location_id, "location_id")?.map(LocationId),
                from: day(&self.from, "from")?,
                to: day(&self.to, "to")?,
            },
            locker: number(&self.locker_id, "locker_id")?.map(LockerId),
            outcome: self.outcome.as_deref().map(outcome).transpose()?,
            opened_as: page::named(
                self.opened_as.as_deref(),
                "opened_as",
                "renter or staff",
                OpenedAs::from_name,
            )?,
            member: number(&self.member_id, "member_id")?.map(MemberId),
            mass_opening: value(
                self.mass_opening_id.as_deref(),
                "mass_opening_id",
                "the id of a mass opening",
            )?,
        })
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    path!("api" / "v1" / "openings")
        .and(warp::get())
        .and(warp::query::<OpeningListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

/// Openings of the caller's banks, the newest first.
#[utoipa::path(
    get, path = "/api/v1/openings", tag = "openings",
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
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = OpeningListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: OpeningListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let limit = usize::try_from(page::limit(query.limit.as_deref())?).unwrap_or(usize::MAX);
    let cursor = query.cursor.as_deref();
    let (rows, next_cursor) =
        api.services().openings_of_banks(caller, query.read()?, cursor, limit).await?;
    let openings = rows.into_iter().map(Into::into).collect();
    Ok(warp::reply::json(&OpeningListReply { openings, next_cursor }).into_response())
}
