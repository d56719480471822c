//! `/api/v1/jobs`: what runs by itself, when and how it went, and running one now.
//!
//! The list is as long as the program's own table, so it has no pages.

use serde::Serialize;
use utoipa::ToSchema;
use warp::reply::Response;
use warp::{Filter, Reply, path};

use super::extract::{Head, head};
use super::handled::HandledBy;
use super::problem::Problem;
use super::{Api, OrRoute, Routes, with};
use crate::domain::member::Role;
use crate::service::error::Code;
use crate::service::jobs::{GoesBy, JobView, Run};

/// Every job.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobListReply {
    /// In a fixed order.
    jobs: Vec<JobReply>,
}

/// A job and how it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobReply {
    /// Its name.
    name: &'static str,
    /// When it runs, in words: "every 15 min", or "daily at 02:30" by the site's clock.
    schedule: String,
    /// Whether it waits while the clock is not trusted.
    needs_trusted_time: bool,
    /// Whether it runs right now.
    running: bool,
    /// Whether it would run, were the clock trusted.
    waits_for_trusted_time: bool,
    /// Its last run, also of an earlier start of the program; `null` before the first.
    last_run: Option<RunReply>,
    /// When it runs next, RFC 3339; `null` while it waits for the clock.
    next_run_at: Option<String>,
}

/// How a run went.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunReply {
    /// When it began, RFC 3339.
    started_at: String,
    /// How long it took, in milliseconds.
    duration_ms: u64,
    /// done or failed.
    result: &'static str,
    /// How many things it did; `null` when it failed.
    count: Option<u64>,
    /// Why it failed.
    error: Option<String>,
}

impl From<Run> for RunReply {
    fn from(run: Run) -> Self {
        Self {
            started_at: run.started_at.to_string(),
            duration_ms: run.duration_ms,
            result: if run.result.is_ok() { "done" } else { "failed" },
            count: run.result.as_ref().ok().copied(),
            error: run.result.err(),
        }
    }
}

impl From<JobView> for JobReply {
    fn from(job: JobView) -> Self {
        Self {
            name: job.name,
            schedule: job.schedule.to_string(),
            needs_trusted_time: job.goes_by == GoesBy::TrustedTime,
            running: job.running,
            waits_for_trusted_time: job.waits_for_time,
            last_run: job.last.map(Into::into),
            next_run_at: job.next_at.map(|at| at.to_string()),
        }
    }
}

pub(super) fn routes(api: &Api) -> Routes {
    let list = path!("api" / "v1" / "jobs")
        .and(warp::get())
        .and(head())
        .and(with(api))
        .handled_by(handle_list);
    let run = path!("api" / "v1" / "jobs" / String / "run")
        .and(warp::post())
        .and(head())
        .and(with(api))
        .handled_by(handle_run);
    list.or_route(run)
}

/// What runs by itself, with the last and the next run of each.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs",
    responses((status = 200, body = JobListReply), (status = 401), (status = 403)),
    security(("bearer" = []))
)]
pub(super) async fn handle_list(head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    if caller.role == Role::Student {
        return Err(Problem::new(Code::Forbidden, "only staff may look at the jobs"));
    }
    let jobs = api.services().jobs().into_iter().map(Into::into).collect();
    Ok(warp::reply::json(&JobListReply { jobs }).into_response())
}

/// Run a job now, and wait for how it goes. One that fails is answered as well: see `result`.
#[utoipa::path(
    post, path = "/api/v1/jobs/{job}/run", tag = "jobs", params(("job" = String, Path)),
    responses(
        (status = 200, body = RunReply), (status = 401), (status = 403), (status = 404),
        (status = 409), (status = 503), (status = 507),
    ),
    security(("bearer" = []))
)]
pub(super) async fn handle_run(name: String, head: Head, api: Api) -> Result<Response, Problem> {
    let caller = head.caller(&api)?;
    if caller.role != Role::Admin {
        return Err(Problem::new(Code::Forbidden, "only an admin may run a job"));
    }
    let run: RunReply = api.services().run_job(caller, &name).await?.into();
    Ok(warp::reply::json(&run).into_response())
}
