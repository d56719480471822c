//! `POST /api/v1/members/import`: a roster as a file, previewed or taken.

use super::super::handled::HandledBy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use crate::http::extract::{Head, RawBody, body, head};
use crate::http::problem::Problem;
use crate::http::{Api, Routes, with};
use crate::service::error::Code;
use crate::service::members::Actor;
use crate::service::members::import::{ChangedPerson, ImportOptions, RosterReport};
use crate::service::members::roster_file::{BYTES_MAX, Encoding, LineNote};

/// How a roster is taken.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ImportQuery {
    /// true or false.
    dry_run: Option<String>,
    /// keep or mark.
    leavers: Option<String>,
    /// A number.
    confirm_leavers: Option<String>,
}

/// Something about a line of a roster, as it is published.
#[derive(ToSchema)]
#[schema(as = LineNote)]
#[expect(dead_code, reason = "the shape of `LineNote` for the API document")]
pub(in crate::http) struct LineNoteReply {
    /// Which line of the file; its head is line 1.
    line: usize,
    /// Which column it is about: `student_id`, name, phone, email or department.
    field: Option<String>,
    /// What, for programs: invalid (the cell is not acceptable), `open_quote`, twice (another line has the
    /// same), taken (another account has the same), staff, proven or gone.
    reason: String,
    /// The line that has the same.
    other_line: Option<usize>,
    /// What, and what to do.
    error: String,
}

/// What an import did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ImportReply {
    /// Whether nothing was written.
    dry_run: bool,
    /// How the file is written: utf-8 or cp949.
    encoding: Option<&'static str>,
    /// Lines with data.
    rows: usize,
    /// Accounts made.
    new: usize,
    /// People whose data changed.
    changed: usize,
    /// People who are as the file has them.
    unchanged: usize,
    /// People who had been leaving and are on the roster again.
    returning: usize,
    /// People who are gone from the roster and can only empty their locker and return it.
    leavers: usize,
    /// Lines that were left out; `errors` says why.
    refused: usize,
    /// Set when so many would leave that it may be the wrong file, or when somebody would while lines
    /// cannot be read: repeat the number as `confirm_leavers`.
    confirm_leavers: Option<usize>,
    /// The first 1,000 who change: line, `student_id`, and each field before and after.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<ChangedPerson>,
    /// The student ids of the first 1,000 who are gone.
    leaving: Vec<String>,
    /// The first 1,000 errors.
    #[schema(value_type = Vec<LineNoteReply>)]
    errors: Vec<LineNote>,
    /// What else people should know, by line and field: an address that stays because its owner proved
    /// it, staff whom a roster does not change.
    #[schema(value_type = Vec<LineNoteReply>)]
    notes: Vec<LineNote>,
}

impl From<RosterReport> for ImportReply {
    fn from(report: RosterReport) -> Self {
        Self {
            dry_run: report.dry_run,
            encoding: report.encoding.map(Encoding::name),
            rows: report.rows,
            new: report.new,
            changed: report.changed,
            unchanged: report.unchanged,
            returning: report.returning,
            leavers: report.leavers,
            refused: report.refused,
            confirm_leavers: report.confirm_leavers,
            changes: report.changes,
            leaving: report.leaving,
            errors: report.errors,
            notes: report.notes,
        }
    }
}

impl ImportQuery {
    fn options(&self) -> Result<ImportOptions, Problem> {
        let bad = |name: &str, accepted: &str| {
            Problem::new(Code::Invalid, format!("{name} must be {accepted}"))
        };
        Ok(ImportOptions {
            dry_run: match self.dry_run.as_deref() {
                None | Some("false") => false,
                Some("true") => true,
                Some(_) => return Err(bad("dry_run", "true or false")),
            },
            mark_leavers: match self.leavers.as_deref() {
                None | Some("keep") => false,
                Some("mark") => true,
                Some(_) => return Err(bad("leavers", "keep or mark")),
            },
            confirm_leavers: self
                .confirm_leavers
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(|_| bad("confirm_leavers", "the number of the preview"))?,
        })
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    path!("api" / "v1" / "members" / "import")
        .and(warp::post())
        .and(warp::query::<ImportQuery>())
        .and(head())
        .and(body())
        .and(with(api))
        .handled_by(handle_import)
}

/// Take a roster: make who is new, change who is known, mark who is gone. For all staff.
///
/// The body is the file as `text/csv`, at most 16 MiB and 100,000 people, in UTF-8 or CP949, with the
/// columns `student_id` (학번) and `name` (이름), and perhaps `phone` (전화번호), `email` (이메일) and
/// `department` (학과). An empty cell changes nothing. Lines with errors are left out and reported; a
/// second import of the same file changes nothing. With `dry_run` nothing is written at all.
#[utoipa::path(
    post, path = "/api/v1/members/import", tag = "members",
    params(
        ("dry_run" = Option<bool>, Query, description = "only say what it would do"),
        ("leavers" = Option<String>, Query,
            description = "what becomes of students whom the last roster had and this one has not: \
                keep (when left out) or mark"),
        ("confirm_leavers" = Option<u32>, Query,
            description = "how many leavers the preview named, when it asks for it"),
    ),
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 200, body = ImportReply), (status = 400), (status = 401), (status = 403),
        (status = 408), (status = 409), (status = 411), (status = 413), (status = 415),
        (status = 422), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(in crate::http) async fn handle_import(
    query: ImportQuery,
    head: Head,
    body: RawBody,
    api: Api,
) -> Result<Response, Problem> {
    let actor = Actor::Caller(head.caller(&api)?);
    actor.demand_staff()?;
    let options = query.options()?;
    let bytes = body.bytes_up_to(&head, "text/csv", BYTES_MAX).await?;
    let report = api.services().import_roster_file(actor, bytes, options).await?;
    Ok(warp::reply::json(&ImportReply::from(report)).into_response())
}
