//! `/api/v1/members`: looking people up, for all staff. Changing them stands in `members/change`,
//! rosters in `members/roster`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, page, with};
use crate::domain::id::MemberId;
use crate::domain::member::{
    MemberState, Role, covered_email, covered_id, covered_phone, parse_student_id,
};
use crate::domain::rental::Rental;
use crate::service::members::Actor;
use crate::service::members::list::{MemberDetail, MemberFilter, MemberOrder, MemberSummary};

pub(super) mod change;
pub(super) mod roster;

/// Which people are listed. Values are read here, so that each wrong one is named.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemberListQuery {
    /// A part of the student id, name, phone number or e-mail address.
    q: Option<String>,
    /// The whole student id.
    student_id: Option<String>,
    /// student, staff or admin.
    role: Option<String>,
    /// active, `not_signed_up`, leaving, disabled or left.
    state: Option<String>,
    /// `student_id`, name, joined or `last_login`.
    sort: Option<String>,
    /// Whether to show what is covered.
    reveal: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Most people of the page.
    limit: Option<String>,
}

/// What somebody holds or rents.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberRentalReply {
    /// The locker.
    locker_id: i64,
    /// held or active.
    state: &'static str,
    /// First day.
    starts_on: String,
    /// Last day.
    ends_on: String,
}

/// Why and since when somebody is kept out.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DisabledReply {
    /// Since when, RFC 3339.
    since: String,
    /// Why.
    reason: String,
}

/// Which privacy notice somebody agreed to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConsentReply {
    /// Its version.
    version: String,
    /// When, RFC 3339.
    at: String,
}

/// Somebody with an account, as staff see them.
#[expect(clippy::struct_excessive_bools, reason = "four separate questions about one person")]
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberReply {
    /// Their number.
    member_id: i64,
    /// Student id; a student's is covered as 2024****12 unless `covered` is false.
    student_id: String,
    /// Full name.
    name: String,
    /// Phone number, digits only; covered as 010****5678.
    phone_number: Option<String>,
    /// E-mail address; covered as ha****@korea.ac.kr.
    email: Option<String>,
    /// Whether the student id and ways to reach them are covered: `reveal` shows them.
    covered: bool,
    /// When the address was proven by a mailed code, RFC 3339.
    email_verified_at: Option<String>,
    /// Faculty or office.
    department: Option<String>,
    /// The language of their mails: ko or en.
    language: String,
    /// student, staff or admin.
    role: &'static str,
    /// active, `not_signed_up`, leaving, disabled or left.
    state: &'static str,
    /// Whether they may use the site: neither disabled nor leaving nor gone.
    active: bool,
    /// Whether they have a password.
    signed_up: bool,
    /// Whether the last roster had them.
    on_roster: bool,
    /// When the account was made, RFC 3339.
    joined_at: String,
    /// When they last logged in.
    last_login_at: Option<String>,
    /// Since when they can only empty their locker and return it.
    leaving_since: Option<String>,
    /// Set while staff keep them out.
    disabled: Option<DisabledReply>,
    /// When the account was closed; everything personal is blanked since.
    left_at: Option<String>,
    /// Banks that a member of staff looks after.
    banks: Vec<i64>,
    /// What they hold or rent now.
    rentals: Vec<MemberRentalReply>,
}

/// What is covered elsewhere.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RevealedReply {
    /// Student id.
    student_id: String,
    /// Phone number, digits only.
    phone_number: Option<String>,
    /// E-mail address.
    email: Option<String>,
}

/// Somebody with everything that staff may know.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberDetailReply {
    /// The same as in the list.
    #[serde(flatten)]
    member: MemberReply,
    /// Which privacy notice they agreed to.
    consent: Option<ConsentReply>,
    /// Whether an authenticator app is set up.
    second_factor: bool,
    /// When the password was last changed.
    password_changed_at: Option<String>,
}

/// A page of people.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberListReply {
    /// In the order asked for.
    members: Vec<MemberReply>,
    /// How many the filter finds in all.
    total: i64,
    /// Send it as `cursor` to get the next page; `null` on the last.
    next_cursor: Option<String>,
}

/// A stored time as the API writes it.
pub(super) fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}

impl From<Rental> for MemberRentalReply {
    fn from(rental: Rental) -> Self {
        Self {
            locker_id: rental.locker_id.0,
            state: rental.state.name(),
            starts_on: rental.dates.first().to_string(),
            ends_on: rental.dates.last().to_string(),
        }
    }
}

impl MemberReply {
    /// Covers what a glance over a shoulder should not take away.
    fn cover(mut self) -> Self {
        self.covered = true;
        // Who works here is no secret among those who work here.
        if self.role == Role::Student.name() {
            self.student_id = covered_id(&self.student_id);
        }
        self.phone_number = self.phone_number.as_deref().map(covered_phone);
        self.email = self.email.as_deref().map(covered_email);
        self
    }
}

impl From<MemberSummary> for MemberReply {
    fn from(summary: MemberSummary) -> Self {
        let row = summary.row;
        let state = row.state();
        Self {
            member_id: row.id.0,
            email_verified_at: row.email_verified_ms.map(time),
            role: row.role.name(),
            state: state.name(),
            active: matches!(state, MemberState::Active | MemberState::NotSignedUp),
            signed_up: row.password_hash.is_some(),
            on_roster: row.on_roster,
            joined_at: time(row.joined_ms),
            last_login_at: row.last_login_ms.map(time),
            leaving_since: row.leaving_ms.map(time),
            disabled: row
                .disabled
                .map(|(since_ms, reason)| DisabledReply { since: time(since_ms), reason }),
            left_at: row.left_ms.map(time),
            student_id: row.student_id,
            name: row.name,
            phone_number: row.phone,
            email: row.email,
            covered: false,
            department: row.department,
            language: row.language,
            banks: summary.banks.into_iter().map(|id| id.0).collect(),
            rentals: summary.rentals.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<MemberDetail> for MemberDetailReply {
    fn from(detail: MemberDetail) -> Self {
        let row = &detail.summary.row;
        let consent = row.consent.clone();
        Self {
            consent: consent.map(|(version, at_ms)| ConsentReply { version, at: time(at_ms) }),
            second_factor: detail.second_factor,
            password_changed_at: row.password_changed_ms.map(time),
            member: MemberReply::from(detail.summary).cover(),
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    list(api)
        .or_route(export(api))
        .or_route(roster::routes(api))
        .or_route(find(api))
        .or_route(reveal(api))
        .or_route(change::routes(api))
}

fn list(api: &Api) -> Routes {
    path!("api" / "v1" / "members")
        .and(warp::get())
        .and(warp::query::<MemberListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_list)
}

impl MemberListQuery {
    fn filter(&self) -> Result<MemberFilter, Problem> {
        let order = |name: &str| {
            let known = MemberOrder::ALL.into_iter().find(|(_, known)| *known == name);
            known.map(|(order, _)| order)
        };
        let sorts = "student_id, name, joined or last_login";
        let text = self.q.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let id = self.student_id.as_deref();
        Ok(MemberFilter {
            text: text.map(str::to_owned),
            student_id: id.map(|id| parse_student_id(id).unwrap_or_else(|_| id.to_owned())),
            role: self.role.as_deref().map(role).transpose()?,
            state: state(self.state.as_deref())?,
            order: page::named(self.sort.as_deref(), "sort", sorts, order)?.unwrap_or_default(),
        })
    }
}

pub(super) fn role(name: &str) -> Result<Role, Problem> {
    name.parse().map_err(|_| page::wrong("role", "student, staff or admin"))
}

fn state(name: Option<&str>) -> Result<Option<MemberState>, Problem> {
    let states = "active, not_signed_up, leaving, disabled or left";
    page::named(name, "state", states, MemberState::from_name)
}

/// People with an account, searched and in pages. For all staff.
///
/// Without `state` everybody who has not left is found. Students' ids and everybody's phone numbers and
/// e-mail addresses are covered; with `reveal` they are not, and whose were shown is written down.
#[utoipa::path(
    get, path = "/api/v1/members", tag = "members",
    params(
        ("q" = Option<String>, Query, description = "a part of student id, name, phone or e-mail"),
        ("student_id" = Option<String>, Query, description = "the whole student id"),
        ("role" = Option<String>, Query, description = "student, staff or admin"),
        ("state" = Option<String>, Query,
            description = "active, not_signed_up, leaving, disabled or left"),
        ("sort" = Option<String>, Query,
            description = "student_id (when left out), name, joined or last_login (newest first)"),
        ("reveal" = Option<bool>, Query, description = "true: nothing is covered; written down"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 100; 50 when left out"),
    ),
    responses(
        (status = 200, body = MemberListReply), (status = 400), (status = 401), (status = 403),
        (status = 422),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(
    query: MemberListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let actor = Actor::Caller(head.caller(&api)?);
    actor.demand_staff()?;
    let (filter, limit) = (query.filter()?, page::limit(query.limit.as_deref())? as usize);
    let reveal = page::flag(query.reveal.as_deref(), "reveal")?.unwrap_or_default();
    let page = api.services().members(actor, filter, query.cursor.as_deref(), limit).await?;
    if reveal {
        api.services().note_revealed(actor, &page.members).await?;
    }
    let members = page.members.into_iter().map(MemberReply::from);
    Ok(warp::reply::json(&MemberListReply {
        members: members.map(|it| if reveal { it } else { it.cover() }).collect(),
        total: page.total,
        next_cursor: page.next,
    })
    .into_response())
}

fn find(api: &Api) -> Routes {
    path!("api" / "v1" / "members" / MemberId)
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_find)
}

/// One account with everything that staff may know; some of it covered as in the list.
#[utoipa::path(
    get, path = "/api/v1/members/{member_id}", tag = "members", params(("member_id" = i64, Path)),
    responses(
        (status = 200, body = MemberDetailReply), (status = 401), (status = 403), (status = 404),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_find(id: MemberId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let detail = api.services().member(Actor::Caller(caller), id).await?;
    Ok(warp::reply::json(&MemberDetailReply::from(detail)).into_response())
}

fn reveal(api: &Api) -> Routes {
    path!("api" / "v1" / "members" / MemberId / "reveal")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_reveal)
}

/// Somebody's student id and ways to reach them in full. For all staff; it is written down.
#[utoipa::path(
    post, path = "/api/v1/members/{member_id}/reveal", tag = "members",
    params(("member_id" = i64, Path)),
    responses(
        (status = 200, body = RevealedReply), (status = 401), (status = 403), (status = 404),
        (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_reveal(id: MemberId, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    let row = api.services().reveal_member(Actor::Caller(caller), id).await?;
    let reply =
        RevealedReply { student_id: row.student_id, phone_number: row.phone, email: row.email };
    Ok(warp::reply::json(&reply).into_response())
}

fn export(api: &Api) -> Routes {
    path!("api" / "v1" / "members" / "export")
        .and(warp::get())
        .and(warp::query::<MemberListQuery>())
        .and(head())
        .and(with(api))
        .handled_by(handle_export)
}

/// Accounts as a CSV file that Excel opens in Korean. For all staff; it is written down.
///
/// Everybody whom the list finds under the same question, in its order, nothing covered. The columns are
/// known to the roster import. No cell can be taken for a formula.
#[utoipa::path(
    get, path = "/api/v1/members/export", tag = "members",
    params(
        ("q" = Option<String>, Query, description = "a part of student id, name, phone or e-mail"),
        ("student_id" = Option<String>, Query, description = "the whole student id"),
        ("role" = Option<String>, Query, description = "student, staff or admin"),
        ("state" = Option<String>, Query,
            description = "active, not_signed_up, leaving, disabled or left"),
        ("sort" = Option<String>, Query,
            description = "student_id (when left out), name, joined or last_login (newest first)"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv"), (status = 400), (status = 401),
        (status = 403), (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_export(
    query: MemberListQuery,
    head: Head,
    api: Api,
) -> Result<Response, Problem> {
    let actor = Actor::Caller(head.caller(&api)?);
    actor.demand_staff()?;
    let text = api.services().export_members(actor, query.filter()?).await?;
    Ok(attachment(text, "text/csv; charset=utf-8", "members.csv"))
}

/// A file to be saved.
pub(super) fn attachment(text: String, media_type: &'static str, name: &str) -> Response {
    let mut response = Response::new(text.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    response
}
